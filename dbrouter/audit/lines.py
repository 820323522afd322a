"""
One statement a line: plain SQL, or a JSON object with ``sql`` and, optionally, ``calls`` and ``seconds``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from dbrouter.audit.logged import MOST_SECONDS, Entry, Line, LoggedStatement, Unreadable, printable, too_long, whole_lines


def read_line(text: str) -> LoggedStatement:
    """
    The statement of one line without its surrounding blanks.

    Raises:
        ValueError: a JSON object that has no usable ``sql``, ``calls`` or ``seconds``, or is none although it begins like it.
    """
    if not text.startswith("{"):
        return LoggedStatement(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"begins like a JSON object and is none: {error}") from None
    sql, calls, seconds = found.get("sql"), found.get("calls", 1), found.get("seconds")
    if not isinstance(sql, str):
        raise ValueError('has no "sql" text')
    if not isinstance(calls, int) or isinstance(calls, bool) or calls < 0:
        raise ValueError('"calls" is not a whole number')
    if seconds is not None and not (
        isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < MOST_SECONDS
    ):
        raise ValueError('"seconds" is not a number of seconds')
    return LoggedStatement(printable(sql), calls, None if seconds is None else float(seconds))


def read_lines(lines: Iterable[Line], *, objects_only: bool = False) -> Iterator[Entry]:
    """A statement per line that is not empty; *objects_only*: plain SQL is unreadable."""
    for number, text in whole_lines(lines):
        if text is None:
            yield too_long(number)
            continue
        text = text.strip()
        if not text:
            continue
        if objects_only and not text.startswith("{"):
            yield Unreadable(number, "is no JSON object")
            continue
        try:
            found = read_line(text)
        except ValueError as error:
            yield Unreadable(number, str(error))
        else:
            yield LoggedStatement(found.sql, found.calls, found.seconds, number)
