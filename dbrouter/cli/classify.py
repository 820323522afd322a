"""
``dbrouter classify``: what the router would make of a workload, from the statements alone.

One statement a line on standard input: plain SQL, or a JSON object with ``sql`` and, optionally, ``calls`` (how often it was run,
as a statement log counts it; 1 without it). One verdict a line on standard output, in the same order, and a summary: which share
of the calls replicas could take.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

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


def read_line(text: str) -> tuple[str, int]:
    """
    (SQL, calls) of one line.

    Raises:
        ValueError: a JSON object that has no usable ``sql`` or ``calls``, or is not JSON although it begins like it.
    """
    if not text.startswith("{"):
        return text, 1
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"begins like a JSON object and is none: {error}") from None
    sql, calls = found.get("sql"), found.get("calls", 1)
    if not isinstance(sql, str):
        raise ValueError('has no "sql" text')
    if not isinstance(calls, int) or isinstance(calls, bool) or calls < 0:
        raise ValueError('"calls" is not a whole number')
    return sql, calls


def verdicts(lines: Iterable[str], engine: Engine, summary: Summary) -> Iterator[dict[str, Any]]:
    """One verdict per non-empty line, or ``{"line": …, "error": …}``; *summary* is kept up to date on the way."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            sql, calls = read_line(text)
        except (ValueError, RecursionError) as error:
            summary.unreadable += 1
            yield {"line": number, "error": str(error)}
            continue
        statement = analyze(sql, engine)
        summary.add(statement, calls)
        yield verdict(statement)


def classify(
    engine: Annotated[Engine, typer.Option(help="Whose rules apply.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, the last one is the summary.")] = False,
) -> None:
    """Tell reads from writes, one statement a line on standard input (SQL or {"sql": …, "calls": …})."""
    summary = Summary()
    try:
        for found in verdicts(_standard_input(), engine, summary):
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


def _standard_input() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace")


def _plain(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"?      line {found['line']}: {found['error']}"
    session = " (session state)" if found["session"] else ""
    why = f"  -- {'; '.join(found['reasons'])}" if found["reasons"] else ""
    return f"{found['intent']:<6} {found['kind']}{session}: {found['digest_text']}{why}"
