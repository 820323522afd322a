"""
What a reader of a query log gives: statements, and places it could not read. Also how a source becomes lines.

Every reader streams: it holds one statement at a time, and none longer than `STATEMENT_LIMIT`.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO

STATEMENT_LIMIT = 16 * 1024 * 1024
"""Characters. A longer statement is named as unreadable; MySQL's default for `max_allowed_packet` is not larger on servers."""

MOST_SECONDS = 1e9
"""Of one statement. MySQL logs 18446744073709.55 where the clock went back meanwhile."""


@dataclass(frozen=True, slots=True)
class LoggedStatement:
    """
    A statement as a log or a server's statistics have it.

    Attributes:
        sql: its text; statistics have it with placeholders.
        calls: how often it was run.
        seconds: of all calls together, or None where the source does not say.
        line: where it begins in its source, from 1; 0 where the source has no lines.
        connection: the server's name for the connection that ran it, so that transactions can be followed; None where unknown.
        cut: the source has not kept its end.
    """

    sql: str
    calls: int = 1
    seconds: float | None = None
    line: int = 0
    connection: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place in a source that holds no statement where one was expected: its line (0: no lines) and why."""

    line: int
    why: str


Entry = LoggedStatement | Unreadable
Line = tuple[int, str]
"""(number from 1, text with its line end); a line beyond `STATEMENT_LIMIT` comes in pieces with the same number."""


def lines_of(stream: BinaryIO) -> Iterator[Line]:
    """Lines of *stream* as text: UTF-8, or UTF-16 where it begins with its mark; what is neither is replaced."""
    peek = getattr(stream, "peek", None)
    begin = bytes(peek(3)[:3]) if peek is not None else b""
    text = TextIOWrapper(
        stream,
        encoding="utf-16" if begin[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig",
        errors="replace",
        newline="\n",
    )
    try:
        number = 1
        while piece := text.readline(STATEMENT_LIMIT):
            yield number, piece
            if piece.endswith("\n"):
                number += 1
    finally:
        text.detach()  # whoever opened the stream closes it


def printable(text: str) -> str:
    """*text* with halves of characters, which JSON's escapes can make and no server takes, replaced."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def whole_lines(lines: Iterable[Line]) -> Iterator[tuple[int, str | None]]:
    """Lines with the pieces of one that is too long as one None."""
    last = 0
    for number, text in lines:
        if number == last:
            continue
        if len(text) >= STATEMENT_LIMIT and not text.endswith("\n"):
            last = number
            yield number, None
        else:
            yield number, text


class Gathered:
    """The lines of one statement, up to `STATEMENT_LIMIT` characters."""

    __slots__ = ("_parts", "_size", "ends", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        """Where it begins."""
        self.ends = False
        """Whether what was added last ends in a semicolon."""
        self._parts: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """One more line, or piece of one."""
        self._size += len(text)
        if self._size <= STATEMENT_LIMIT:
            self._parts.append(text)
        self.ends = text.endswith((";\n", ";\r\n", ";"))

    @property
    def too_long(self) -> bool:
        """Whether something was left out."""
        return self._size > STATEMENT_LIMIT

    @property
    def text(self) -> str:
        """Everything that was kept."""
        return "".join(self._parts)


def too_long(line: int) -> Unreadable:
    """The entry for a statement that was not kept."""
    return Unreadable(line, f"a statement of more than {STATEMENT_LIMIT // (1024 * 1024)} million characters")
