"""
Which kind of log a source is, found out from its first lines, and the reader for it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import BinaryIO, cast

from dbrouter.audit.lines import read_lines
from dbrouter.audit.logged import Entry, Line, Unreadable, lines_of
from dbrouter.audit.mysqllogs import ENTRY, EVENT, read_general_log, read_slow_log
from dbrouter.audit.postgreslogs import SEVERITY, is_csv, read_csv_log, read_json_log, read_stderr_log
from dbrouter.audit.script import read_script
from dbrouter.sql.analyze import analyze
from dbrouter.terms import Engine

_LOOKED_AT = 200
"""Lines."""


class LogFormat(StrEnum):
    """What a source holds."""

    JSON = "json"
    """One JSON object a line: ``{"sql": …, "calls": …, "seconds": …}``."""
    LINES = "lines"
    """One statement a line, SQL or such an object."""
    SQL = "sql"
    """A script: statements with semicolons between them."""
    SLOW_LOG = "slow-log"
    """MySQL's and MariaDB's."""
    GENERAL_LOG = "general-log"
    """MySQL's and MariaDB's."""
    POSTGRESQL_LOG = "postgresql-log"
    """PostgreSQL's plain lines (log_destination stderr), whatever their prefix."""
    CSVLOG = "csvlog"
    """PostgreSQL's."""
    JSONLOG = "jsonlog"
    """PostgreSQL's."""

    @property
    def engine(self) -> Engine | None:
        """Who writes it, or None where anybody may."""
        if self in (LogFormat.SLOW_LOG, LogFormat.GENERAL_LOG):
            return Engine.MYSQL
        if self in (LogFormat.POSTGRESQL_LOG, LogFormat.CSVLOG, LogFormat.JSONLOG):
            return Engine.POSTGRESQL
        return None


_READERS: dict[LogFormat, Callable[[Iterable[Line]], Iterator[Entry]]] = {
    LogFormat.LINES: read_lines,
    LogFormat.SLOW_LOG: read_slow_log,
    LogFormat.GENERAL_LOG: read_general_log,
    LogFormat.POSTGRESQL_LOG: read_stderr_log,
    LogFormat.CSVLOG: read_csv_log,
    LogFormat.JSONLOG: read_json_log,
}


class Source:
    """
    A log that is about to be read.

    Args:
        name: as messages call it.
        stream: its bytes; gzip is unpacked.
        wanted: its format, or None to find out.
    """

    def __init__(self, name: str, stream: BinaryIO, wanted: LogFormat | None = None) -> None:
        self.name = name
        self._broken: Unreadable | None = None
        lines = self._until_broken(lines_of(_unpacked(stream)))
        first = list(islice(lines, _LOOKED_AT)) if wanted is None else []
        self.format = wanted or detect([text for _, text in first])
        self._lines = chain(first, lines)

    def entries(self, engine: Engine) -> Iterator[Entry]:
        """Its statements in order, and the places that could not be read; once."""
        yield from self._read(engine)
        if self._broken is not None:
            yield self._broken

    def _read(self, engine: Engine) -> Iterator[Entry]:
        match self.format:
            case LogFormat.SQL:
                return read_script(self._lines, engine)
            case LogFormat.JSON:
                return read_lines(self._lines, objects_only=True)
            case _:
                return _READERS[self.format](self._lines)

    def _until_broken(self, lines: Iterable[Line]) -> Iterator[Line]:
        """*lines* up to the place where gzip or the disk gives up."""
        number = 1
        try:
            for line in lines:
                number = line[0]
                yield line
        except (EOFError, OSError, zlib.error) as error:
            self._broken = Unreadable(number, f"cannot be read on from here: {str(error).rstrip('.')}")


def _unpacked(stream: BinaryIO) -> BinaryIO:
    peek = getattr(stream, "peek", None)
    if peek is not None and peek(2)[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.open(stream))
    return stream


def detect(lines: Sequence[str]) -> LogFormat:
    """The format of a source that begins with *lines*; `LogFormat.SQL` where nothing speaks for another one."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return LogFormat.LINES
    if filled[0].lstrip().startswith("{"):
        return LogFormat.JSONLOG if _is_jsonlog(filled[0]) else LogFormat.LINES
    for line in filled:
        # Whichever comes first: texts of statements may hold lines of any log.
        if ENTRY.match(line):
            return LogFormat.SLOW_LOG
        if EVENT.match(line):
            return LogFormat.GENERAL_LOG
    if is_csv(filled[0]):
        return LogFormat.CSVLOG
    if any(SEVERITY.match(line) for line in filled[:20]) and not filled[0].startswith(("--", "/*")):
        return LogFormat.POSTGRESQL_LOG
    if _is_one_a_line(filled):
        return LogFormat.LINES
    return LogFormat.SQL


def _is_jsonlog(line: str) -> bool:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "error_severity" in found and "sql" not in found


def _is_one_a_line(filled: Sequence[str]) -> bool:
    """No line ends in a semicolon, and each begins with a verb that begins statements."""
    return not any(line.rstrip().endswith(";") for line in filled) and all(_begins_a_statement(line) for line in filled)


def _begins_a_statement(line: str) -> bool:
    statement = analyze(line.strip()[:200], Engine.POSTGRESQL)
    other = analyze(line.strip()[:200], Engine.MYSQL)
    return any(
        one.kind not in ("UNKNOWN", "EMPTY") and not any(reason.endswith(" is not known to read") for reason in one.reasons)
        for one in (statement, other)
    )
