"""
PostgreSQL's own log with `log_statement` or `log_min_duration_statement`: stderr, csvlog and jsonlog.

A statement stands behind ``statement: `` (simple protocol) or ``execute name: `` (extended), with or without its duration. Parse
and bind steps, further portions of a cursor and everything else are no statements. Where both settings are on, the server writes
a statement once and its duration without the text: then no time is known. Needs English messages (`lc_messages`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator

from dbrouter.audit.logged import (
    MOST_SECONDS,
    STATEMENT_LIMIT,
    Entry,
    Gathered,
    Line,
    LoggedStatement,
    Unreadable,
    printable,
    too_long,
    whole_lines,
)

MESSAGE = re.compile(r"(?:duration: (\d+\.\d+) ms  )?(?:statement|execute (?!fetch from )[^:\n]*): ")
STDERR = re.compile(rf"[^\n]{{0,512}}?\bLOG:  {MESSAGE.pattern}")
SEVERITY = re.compile(r"[^\t\n][^\n]{0,512}?\b(?:DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):  ")
"""How an entry of the stderr log begins, whatever its prefix; further lines of an entry begin with a tab."""
_COLUMNS = 23
"""Of csvlog in PostgreSQL 12; later versions have more behind them."""
_SESSION, _MESSAGE = 5, 13


def _statement(message: str, line: int, connection: str | None) -> Iterator[LoggedStatement]:
    found = MESSAGE.match(message)
    if found is not None:
        seconds = float(found[1]) / 1000 if found[1] else MOST_SECONDS
        yield LoggedStatement(message[found.end() :], 1, seconds if seconds < MOST_SECONDS else None, line, connection)


def read_stderr_log(lines: Iterable[Line]) -> Iterator[Entry]:
    """The statements of a log of plain lines. It names no connection that could be relied on."""
    entry: Gathered | None = None
    last = 0
    for number, text in lines:
        further, last = number == last, number
        if further or (entry is not None and text.startswith("\t")):
            if entry is not None:
                entry.add(text if further else text[1:])
            continue
        yield from _stderr(entry)
        entry = None
        found = STDERR.match(text)
        if found is not None:
            entry = Gathered(number)
            entry.add(text[text.index("LOG:  ") + 6 :])
    yield from _stderr(entry)


def _stderr(entry: Gathered | None) -> Iterator[Entry]:
    if entry is not None:
        if entry.too_long:
            yield too_long(entry.line)
        else:
            yield from _statement(entry.text.rstrip("\r\n"), entry.line, None)


def is_csv(line: str) -> bool:
    """Whether *line* begins a csvlog: its columns are counted and the severity is one."""
    try:
        row = next(csv.reader([line]), [])
    except csv.Error:
        return False
    return len(row) >= _COLUMNS - 10 and row[11] in ("LOG", "ERROR", "FATAL", "WARNING", "NOTICE", "INFO", "PANIC")


def read_csv_log(lines: Iterable[Line]) -> Iterator[Entry]:
    """The statements of a csvlog."""
    at = 1

    def texts() -> Iterator[str]:
        nonlocal at
        for at, text in lines:  # noqa: B007 – told to the loop below
            yield text

    before = csv.field_size_limit(STATEMENT_LIMIT)
    try:
        rows = csv.reader(texts())
        line = 1
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Unreadable(line, f"no row of a csvlog: {error}")
                line = at + 1
                continue
            if row is None:
                return
            if len(row) >= _COLUMNS:
                yield from _statement(row[_MESSAGE], line, row[_SESSION])
            elif row:
                yield Unreadable(line, f"a csvlog has {_COLUMNS} columns and more, this row has {len(row)}")
            line = at + 1
    finally:
        csv.field_size_limit(before)


def read_json_log(lines: Iterable[Line]) -> Iterator[Entry]:
    """The statements of a jsonlog."""
    for number, text in whole_lines(lines):
        if text is None:
            yield too_long(number)
            continue
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Unreadable(number, f"is no JSON: {error}")
            continue
        message = found.get("message", "") if isinstance(found, dict) else None
        if isinstance(message, str):
            session = found.get("session_id")
            yield from _statement(printable(message), number, session if isinstance(session, str) else None)
        else:
            yield Unreadable(number, "is no entry of a jsonlog")
