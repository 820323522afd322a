"""
``dbrouter classify``: what the router would make of a workload, from the statements alone.

Without a file: one statement a line on standard input – plain SQL, or a JSON object with ``sql`` and, optionally, ``calls`` (how
often it was run, as a statement log counts it; 1 without it) – and one verdict a line on standard output, in the same order, with
a summary: which share of the calls replicas could take.

With files, ``-``, or ``--from-server``: the whole added up by digest, with what holds the rest on the primary.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

import typer

from dbrouter.audit.formats import LogFormat, Source
from dbrouter.audit.logged import Entry, Unreadable
from dbrouter.audit.servers import ServerLog, read_servers
from dbrouter.audit.workload import Workload
from dbrouter.cli.output import document, fail, harmless
from dbrouter.cli.workload import show
from dbrouter.config import RouterConfig, load
from dbrouter.errors import ConfigError
from dbrouter.router.build import build
from dbrouter.sql.analyze import Statement, analyze
from dbrouter.terms import Engine, Intent


@dataclass(slots=True)
class Summary:
    """What a workload adds up to, in calls."""

    calls: int = 0
    reads: int = 0
    writes: int = 0
    session: int = 0
    """Statements that need a connection of their own, whatever they do; counted in *writes* too where they are writes."""
    replicas: int = 0
    """Reads without session state: what replicas could take."""
    unreadable: int = 0
    """Lines that are neither SQL nor an object with ``sql``."""

    def add(self, statement: Statement, calls: int) -> None:
        """Count *statement*, run *calls* times."""
        read = statement.intent is Intent.READ
        self.calls += calls
        self.reads += calls if read else 0
        self.writes += 0 if read else calls
        self.session += calls if statement.session else 0
        self.replicas += calls if read and not statement.session else 0

    @property
    def replica_share(self) -> float:
        """Between 0 and 1; 0 for no calls."""
        return self.replicas / self.calls if self.calls else 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "calls": self.calls,
            "reads": self.reads,
            "writes": self.writes,
            "session": self.session,
            "unreadable": self.unreadable,
            "replica_share": round(self.replica_share, 4),
        }

    def __str__(self) -> str:
        unreadable = f", {self.unreadable} lines unreadable" if self.unreadable else ""
        return (
            f"{self.calls} calls: {self.reads} reads, {self.writes} writes, {self.session} with session state{unreadable}; "
            f"replicas could take {self.replica_share:.1%}"
        )


def verdict(statement: Statement) -> dict[str, Any]:
    """JSON-ready: what the text shows."""
    return {
        "intent": str(statement.intent),
        "kind": statement.kind,
        "session": statement.session,
        "reasons": list(statement.reasons),
        "functions": list(statement.functions),
        "statements": statement.statements,
        "digest": f"0x{statement.digest:016X}",
        "digest_text": statement.digest_text,
    }


def verdicts(entries: Iterable[Entry], engine: Engine, summary: Summary) -> Iterator[dict[str, Any]]:
    """One verdict per entry, or ``{"line": …, "error": …}``; *summary* is kept up to date on the way."""
    for entry in entries:
        if isinstance(entry, Unreadable):
            summary.unreadable += 1
            yield {"line": entry.line, "error": entry.why}
            continue
        statement = analyze(entry.sql, engine)
        summary.add(statement, entry.calls)
        yield verdict(statement)


def classify(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Query logs, gzip too; - is standard input.")] = None,
    engine: Annotated[Engine | None, typer.Option(help="Whose rules apply; needed where the source does not tell.")] = None,
    log_format: Annotated[LogFormat | None, typer.Option("--format", help="What the files hold; found out without it.")] = None,
    from_server: Annotated[
        str | None, typer.Option(metavar="DSN|FILE", help="Ask a live server, or every server of a configuration file.")
    ] = None,
    config: Annotated[str | None, typer.Option(help="A configuration file, to see where its rules would send it.")] = None,
    database: Annotated[str | None, typer.Option(help="A database of the configuration; else its default one.")] = None,
    top: Annotated[int, typer.Option(help="Digests to show.", min=1)] = 20,
    each: Annotated[bool, typer.Option("--each", help="One verdict a line for each statement, not the sum by digest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON: one document, or one object a line where verdicts are.")] = False,
) -> None:
    """
    Tell reads from writes: a workload's share that replicas could take, and what holds the rest on the primary.

    Without FILE: one statement a line on standard input (SQL or {"sql": …, "calls": …}), one verdict a line.
    """
    if from_server is not None and (files or log_format is not None):
        raise typer.BadParameter("takes the place of files and their format", param_hint="--from-server")
    each |= not files and from_server is None and log_format is None
    if each and config is not None:
        raise typer.BadParameter("adds up by hostgroup; it needs files or --from-server, and no --each", param_hint="--config")
    if database is not None and config is None and from_server is None:
        raise typer.BadParameter("names a database of --config or --from-server", param_hint="--database")
    try:
        rules = load(config) if config is not None else None
        asked = _asked(from_server) if from_server is not None else None
    except ConfigError as error:
        raise fail(error.problems, as_json) from None
    for one in (rules, asked):
        if one is not None and database is not None and database not in one.databases:
            raise typer.BadParameter(f"{database!r} is not one of {', '.join(one.databases)}", param_hint="--database")
    known = [_engine_of(one, database) for one in (rules, asked) if one is not None]
    with ExitStack() as stack:
        if asked is not None:
            logs = asyncio.run(read_servers(asked, database))
            readings = [_of_server(log) for log in logs]
        else:
            wanted = LogFormat.LINES if each and not files and log_format is None else log_format
            sources = [Source(*_opened(path, stack), wanted) for path in files or ["-"]]
            known += [source.format.engine for source in sources if source.format.engine is not None]
            readings = [_of_source(source) for source in sources]
        agreed = _agreed(engine, known)
        if each:
            _each(readings, agreed, as_json)
        else:
            _add_up(readings, agreed, rules, database, top, as_json)


@dataclass(frozen=True, slots=True)
class _Reading:
    name: str
    what: str
    """Its format, or the view that was read."""
    entries: Callable[[Engine], Iterable[Entry]]


def _of_source(source: Source) -> _Reading:
    return _Reading(source.name, str(source.format), source.entries)


def _of_server(log: ServerLog) -> _Reading:
    entries = log.entries if log.error is None else [Unreadable(0, log.error)]
    return _Reading(log.node, log.statistics, lambda engine: entries)


def _opened(path: str, stack: ExitStack) -> tuple[str, BinaryIO]:
    if path == "-":
        return "standard input", sys.stdin.buffer
    try:
        return path, stack.enter_context(open(path, "rb"))
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="FILE") from None


def _asked(text: str) -> RouterConfig:
    """The configuration that tells which servers to ask."""
    return load({"writer": text}) if "://" in text else load(text)


def _engine_of(config: RouterConfig, database: str | None) -> Engine:
    return config.databases[next(iter(config.databases)) if database is None else database].engine


def _agreed(wanted: Engine | None, known: Iterable[Engine]) -> Engine:
    found = dict.fromkeys([*([wanted] if wanted is not None else []), *known])
    if not found:
        raise typer.BadParameter("say whose rules apply: postgresql or mysql", param_hint="--engine")
    if len(found) > 1:
        raise typer.BadParameter(f"the sources are of {' and of '.join(found)}: one engine at a time", param_hint="--engine")
    return next(iter(found))


def _each(readings: Iterable[_Reading], engine: Engine, as_json: bool) -> None:
    summary = Summary()
    try:
        for reading in readings:
            for found in verdicts(reading.entries(engine), engine, summary):
                typer.echo(json.dumps(found) if as_json else _plain(found))
        if as_json:
            typer.echo(json.dumps({"summary": summary.as_dict()}))
        else:
            typer.echo(str(summary), err=True)
    except BrokenPipeError:
        # The reader (`head`) has seen enough: end quietly, as other filters do, also when what is left is flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if summary.unreadable:
        raise typer.Exit(1)


def _plain(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"?      line {found['line']}: {found['error']}"
    session = " (session state)" if found["session"] else ""
    why = f"  -- {'; '.join(found['reasons'])}" if found["reasons"] else ""
    return harmless(f"{found['intent']:<6} {found['kind']}{session}: {found['digest_text']}{why}")


def _add_up(
    readings: Iterable[_Reading], engine: Engine, rules: RouterConfig | None, database: str | None, top: int, as_json: bool
) -> None:
    workload = Workload(engine, _placing(rules, database) if rules is not None else None)
    sources = []
    for reading in readings:
        before = workload.unreadable
        statements = 0
        for entry in reading.entries(engine):
            workload.add(entry, reading.name)
            statements += not isinstance(entry, Unreadable)
        sources.append(
            {"name": reading.name, "format": reading.what, "statements": statements, "unreadable": workload.unreadable - before}
        )
    if as_json:
        document({"sources": sources, **workload.as_dict(top)})
    else:
        show(workload, sources, top)
    if workload.unreadable:
        raise typer.Exit(1)


def _placing(rules: RouterConfig, database: str | None) -> Callable[[str], str]:
    """Where a router with this configuration would send a text, or that a rule ends its call; nothing is connected."""
    contexts = {context.database: context for context in build(rules).contexts}
    planner = contexts[next(iter(rules.databases)) if database is None else database].planner

    def place(sql: str) -> str:
        plan = planner.plan(sql)
        if plan.answer is not None:
            return "(answered by a rule)"
        return plan.hostgroup.name if plan.forbidden is None else "(refused by a rule)"

    return place
