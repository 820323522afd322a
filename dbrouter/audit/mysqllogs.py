"""
The slow log and the general log of MySQL and MariaDB, as their servers write them to files.

Slow log: entries begin with ``# Time:`` or ``# User@Host:`` and end with a semicolon; ``use db;`` and ``SET timestamp=…;``, which
the server itself puts in front, are taken off. General log: ``Query`` and ``Execute`` are statements, everything else is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from dbrouter.audit.logged import MOST_SECONDS, Entry, Gathered, Line, LoggedStatement, Unreadable, too_long

ENTRY = re.compile(r"# (?:Time: \d|User@Host: [^@\n]*\[[^\]\n]*\] @ )")
"""How an entry of a slow log begins."""
_AFTER_TIME = re.compile(r"# User@Host: |\Z")
_AFTER_USER = re.compile(r"# (?!Time: |User@Host: )[A-Z]\w*: |\Z")
STARTED = re.compile(r"\S.*, Version: .* started with:\s*\Z")
_STARTED_MORE = re.compile(r"Tcp port: |Time\s+Id Command\s+Argument\s*\Z")
_QUERY_TIME = re.compile(r"Query_time: (\d+(?:\.\d+)?)")
_CONNECTION = re.compile(r"\b(?:Id|Thread_id):\s*(\d+)")
_ADMINISTRATOR = "# administrator command: "
_IN_FRONT = re.compile(r"(?:use [^\n]*;\r?\n)?(?:SET (?:(?:last_insert_id|insert_id|timestamp)=[0-9.]+,?)+;\r?\n)?")


def read_slow_log(lines: Iterable[Line]) -> Iterator[Entry]:
    """The statements of a slow log, with their times; one call each."""
    entry: _Slow | None = None
    stray = False
    for (number, text), (_, following) in pairwise(chain(lines, [(0, "")])):
        if STARTED.match(text) and (entry is None or entry.may_end):
            yield from _end(entry)
            entry, stray = None, False
        elif _begins(text, following) and (entry is None or entry.may_be_followed_by(text)):
            yield from _end(entry)
            entry, stray = _Slow(number), False
            entry.add(text)
        elif entry is not None:
            entry.add(text)
        elif not stray and text.strip() and not _STARTED_MORE.match(text):
            stray = True
            yield Unreadable(number, "stands before the first entry of the slow log")
    yield from _end(entry)


def _begins(text: str, following: str) -> bool:
    """Whether an entry begins here: the next line of its head must stand behind it, or nothing at all."""
    if ENTRY.match(text) is None:
        return False
    return (_AFTER_TIME if text.startswith("# Time") else _AFTER_USER).match(following) is not None


class _Slow:
    """One entry: a head of ``# `` lines, then the statement."""

    __slots__ = ("_body", "_connection", "_seconds", "_titled", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        self._titled = False
        self._seconds: float | None = None
        self._connection: str | None = None
        self._body: Gathered | None = None

    def add(self, text: str) -> None:
        if self._body is None:
            # MariaDB's log_slow_verbosity=explain has lines that are nothing but the mark.
            if text.startswith(("# ", "#\n", "#\r\n")) and not text.startswith(_ADMINISTRATOR):
                self._head(text)
                return
            self._body = Gathered(self.line)
        self._body.add(text)

    def _head(self, text: str) -> None:
        self._titled |= text.startswith("# User@Host")
        if (found := _QUERY_TIME.search(text)) is not None and float(found[1]) < MOST_SECONDS:
            self._seconds = float(found[1])
        if (found := _CONNECTION.search(text)) is not None:
            self._connection = found[1]

    @property
    def may_end(self) -> bool:
        """Whether what was read so far may be all of it: a statement's text may hold lines that look like a head."""
        return self._body is None or self._body.ends

    def may_be_followed_by(self, text: str) -> bool:
        if self._body is None:
            return self._titled if text.startswith("# User@Host") else self._titled or self._seconds is not None
        return self._body.ends

    def statement(self) -> Entry | None:
        body = self._body
        if body is None:
            return Unreadable(self.line, "the entry has no statement")
        if body.too_long:
            return too_long(self.line)
        text = body.text
        text = text[_IN_FRONT.match(text).end() :].rstrip()  # type: ignore[union-attr]  # it matches the empty text too
        if text.startswith(_ADMINISTRATOR):
            return None
        if not text.endswith(";"):
            return Unreadable(self.line, "the log ends in the midst of this statement" if text else "the entry has no statement")
        return LoggedStatement(text[:-1], 1, self._seconds, self.line, self._connection)


def _end(entry: _Slow | None) -> Iterator[Entry]:
    found = entry.statement() if entry is not None else None
    if found is not None:
        yield found


EVENT = re.compile(
    r"(?:\d{4}-\d\d-\d\dT\S+|\d{6} +\d{1,2}:\d\d:\d\d|\t)\t *(\d+) "
    r"(Query|Execute|Prepare|Connect|Quit|Init DB|Close stmt|Reset stmt|Long Data|Fetch|Field List|Change user|Ping|Statistics"
    r"|Binlog Dump(?: GTID)?|Register Slave|Register Replica|Kill|Refresh|Processlist|Shutdown|Debug|Set option|Delayed insert"
    r"|Sleep|Daemon|Error|Reset connection|Bulk execute|Create DB|Drop DB|Table Dump|Connect Out)(?:\t|\s*\Z)"
)
"""How a line of a general log begins: time (MariaDB leaves a repeated one out), connection, command."""
_STATEMENTS = frozenset(["Query", "Execute"])
_EXECUTES = re.compile(r"\s*execute\b", re.IGNORECASE)


def read_general_log(lines: Iterable[Line]) -> Iterator[Entry]:
    """The statements of a general log; it knows no times."""
    body: Gathered | None = None
    connection = ""
    seen = stray = False
    for number, text in lines:
        found = EVENT.match(text)
        if found is not None:
            # A prepared statement run by SQL is logged twice: `Query EXECUTE s …`, then `Execute` with its text.
            if not (found[2] == "Execute" and found[1] == connection and body is not None and _EXECUTES.match(body.text)):
                yield from _general(body, connection)
            seen, body, connection = True, None, found[1]
            if found[2] in _STATEMENTS:
                body = Gathered(number)
                body.add(text[found.end() :])
        elif STARTED.match(text):
            yield from _general(body, connection)
            body = None
        elif body is not None:
            if not _STARTED_MORE.match(text):
                body.add(text)
        elif not seen and not stray and text.strip() and not _STARTED_MORE.match(text):
            stray = True
            yield Unreadable(number, "stands before the first event of the general log")
    yield from _general(body, connection)


def _general(body: Gathered | None, connection: str) -> Iterator[Entry]:
    if body is None:
        return
    if body.too_long:
        yield too_long(body.line)
    elif text := body.text.strip():
        yield LoggedStatement(text, line=body.line, connection=connection)
