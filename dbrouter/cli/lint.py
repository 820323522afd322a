"""``dbrouter lint``: what a configuration says that it probably does not mean, and which rules a query log never hits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dbrouter.audit.formats import Source
from dbrouter.audit.logged import LoggedStatement
from dbrouter.cli.output import document
from dbrouter.config import RouterConfig, load
from dbrouter.config.source import read_file
from dbrouter.errors import ConfigError
from dbrouter.router.build import build
from dbrouter.router.planner import NO_WISH
from dbrouter.rules.finding import Finding, Severity
from dbrouter.rules.lint import lint as lint_config


def lint(
    file: Annotated[str, typer.Argument(help="The configuration file.")],
    log: Annotated[list[Path] | None, typer.Option(help="A query log: rules that none of its statements hits are named.")] = None,
    database: Annotated[str | None, typer.Option(help="The database whose statements the log has.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Find rules that never match, patterns that match too little, columns without effect, and other likely mistakes."""
    try:
        config = load(file)
    except ConfigError as error:
        found = [
            Finding(code="invalid", severity=Severity.ERROR, message=problem.message, path=problem.path or "")
            for problem in error.problems
        ]
        lines = {(problem.path or ""): problem.line for problem in error.problems}
        _end(file, found, lines, None, as_json)
        return
    found = list(lint_config(config))
    hits: Counter[int] | None = None
    if log:
        if database is not None and database not in config.databases:
            raise typer.BadParameter(f"{database!r} is not one of {', '.join(config.databases)}", param_hint="--database")
        hits = asyncio.run(_hits(config, database or config.default_database, log))
        found += _never_hit(config, hits, log)
    _end(file, found, _lines(file, config), hits, as_json)


def _end(file: str, found: Sequence[Finding], lines: dict[str, int | None], hits: Counter[int] | None, as_json: bool) -> None:
    counts = Counter(finding.severity for finding in found)
    if as_json:
        shown: dict[str, Any] = {
            "ok": not (counts[Severity.ERROR] or counts[Severity.WARNING]),
            "findings": [
                {
                    "code": finding.code,
                    "severity": str(finding.severity),
                    "file": file,
                    "line": _line(finding.path, lines),
                    "path": finding.path,
                    "rule_id": finding.rule_id,
                    "message": finding.message,
                }
                for finding in found
            ],
        }
        if hits is not None:
            shown["hits"] = {str(rule_id): count for rule_id, count in sorted(hits.items())}
        document(shown)
    else:
        for finding in found:
            line = _line(finding.path, lines)
            place = f"{file}:{line}" if line is not None else file
            about = f"rule {finding.rule_id}" if finding.rule_id is not None else finding.path
            typer.echo(f"{place}: {finding.severity} {finding.code}: {about}: {finding.message}")
        typer.echo(f"{file}: " + (_counted(counts) or "nothing to say"))
    if counts[Severity.ERROR] or counts[Severity.WARNING]:
        raise typer.Exit(1)


def _counted(counts: Counter[Severity]) -> str:
    said = ((severity, counts[severity]) for severity in Severity if counts[severity])
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in said)


def _lines(file: str, config: RouterConfig) -> dict[str, int | None]:
    """By path: its line. Rules were sorted since they were read, so their lines are looked up by their ids."""
    document_ = read_file(file)
    lines: dict[str, int | None] = {}
    written = document_.value if isinstance(document_.value, dict) else {}
    by_id: dict[int, int | None] = {}
    for key, rows in written.items():
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict) and "rule_id" in row:
                by_id[int(row["rule_id"])] = document_.lines.get((key, number))
    for place, rule in enumerate(config.query_rules):
        lines[f"query_rules[{place}]"] = by_id.get(rule.rule_id)
    for place, _ in enumerate(config.hostgroups):
        lines[f"hostgroups[{place}]"] = document_.lines.get(("hostgroups", place))
    lines["comment_hints"] = document_.lines.get(("comment_hints",))
    return lines


def _line(path: str, lines: dict[str, int | None]) -> int | None:
    """The line of *path*, or of what it is in."""
    while path:
        if path in lines:
            return lines[path]
        path = path.rpartition(".")[0]
    return None


async def _hits(config: RouterConfig, database: str, logs: Sequence[Path]) -> Counter[int]:
    """How many calls of the logs each rule matches; nothing is connected."""
    parts = build(config)
    try:
        context = next(context for context in parts.contexts if context.database == database)
        hits: Counter[int] = Counter()
        for log in logs:
            try:
                stream = log.open("rb")
            except OSError as error:
                raise typer.BadParameter(f"{log}: {error.strerror}", param_hint="--log") from None
            with stream:
                for entry in Source(str(log), stream).entries(context.engine):
                    if isinstance(entry, LoggedStatement):
                        for rule_id in set(context.planner.decide(entry.sql, NO_WISH).hits):
                            hits[rule_id] += entry.calls
        return hits
    finally:
        await parts.tasks.close()


def _never_hit(config: RouterConfig, hits: Counter[int], logs: Sequence[Path]) -> list[Finding]:
    names = ", ".join(str(log) for log in logs)
    return [
        Finding(
            code="never-hit",
            severity=Severity.WARNING,
            message=f"no statement of {names} matches it",
            path=f"query_rules[{place}]",
            rule_id=rule.rule_id,
        )
        for place, rule in enumerate(config.query_rules)
        if rule.active and not hits[rule.rule_id]
    ]
