"""
SQL scripts, dumps included, taken apart into statements while they are read.

Text between semicolons as the dialect's lexer sees them: none inside strings, quoted names, comments, dollar quotes. What the
command line clients understand and servers never see is left out: ``DELIMITER`` (obeyed), psql's ``\\commands``, the data behind
``COPY … FROM STDIN``. A routine with a ``BEGIN ATOMIC`` body is one statement, as for psql.

Reads each line once: what the lexer has settled is put aside, and only the last token is looked at again with the next line.
An open string, comment or dollar quote of many lines waits for a line that holds its end. A file whose quote never closes is one
unreadable statement, not a loss of memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dbrouter.audit.logged import STATEMENT_LIMIT, Entry, Line, LoggedStatement, Unreadable, too_long
from dbrouter.sql.analyze import analyze
from dbrouter.sql.lexer import lex, spans
from dbrouter.sql.routines import body_end_postgresql
from dbrouter.terms import Engine

_DELIMITER = re.compile(r"\s*delimiter\s+(\S+)\s*\Z", re.IGNORECASE)
_USE = re.compile(r"\s*use\s+[^\s;]+\s*\Z", re.IGNORECASE)
_OPENER = re.compile(r"\$[^$\s]*\$|/\*|(?:[eE]|[uU]&)?['\"]|`")
_CLOSERS = {"/": "*/", "'": "'", '"': '"', "`": "`"}


def read_script(lines: Iterable[Line], engine: Engine) -> Iterator[Entry]:
    """The statements of *lines*, in order; the last one needs no semicolon."""
    script = _Script(engine)
    for number, text in lines:
        yield from script.feed(number, text)
    yield from script.finish()


class _Script:
    __slots__ = ("_began", "_copying", "_delimiter", "_engine", "_head", "_line", "_open", "_size", "_tail")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._delimiter = ";"
        self._head: list[str] = []
        """What is settled of the statement that is being read."""
        self._tail: list[str] = []
        """From its last token on, which may go on in the next line."""
        self._size = 0
        self._open: str | None = None
        """How the string, name, comment or dollar quote ends that the tail is in the midst of."""
        self._began = 0
        self._line = 0
        self._copying = False

    def feed(self, number: int, text: str) -> Iterator[Entry]:
        fresh = number != self._line
        self._line = number
        if self._copying:
            self._copying = text.rstrip() != "\\."
            return
        if fresh and not self._head and not self._tail and self._client_command(text):
            return
        self._tail.append(text)
        self._size += len(text)
        if self._open is None or self._open in text:
            yield from self._settle()
        if self._size > STATEMENT_LIMIT:
            self._shrink()

    def finish(self) -> Iterator[Entry]:
        """What stands behind the last semicolon."""
        if self._open is not None:
            yield Unreadable(self._began, f"the text ends in the midst of this statement, before its {self._open}")
        elif self._head or self._tail:
            yield from self._statement("".join(self._tail))

    def _client_command(self, text: str) -> bool:
        if self._engine is Engine.POSTGRESQL:
            return text.startswith("\\")
        found = _DELIMITER.match(text)
        if found is not None:
            self._delimiter = found[1]
            return True
        return _USE.match(text) is not None

    def _settle(self) -> Iterator[Entry]:
        text = "".join(self._tail)
        delimiter = self._delimiter
        begin = last = end = 0
        token = False
        for start, end in spans(text, self._engine):
            if start < begin:
                continue
            if not self._head and not token:
                self._began = self._line - text.count("\n", start, len(text) - 1)
            token, last = True, start
            if text[start] in "'\"`$" and end - start > 1 and not text.startswith(delimiter, start):
                continue
            place = text.find(delimiter, start, end + len(delimiter) - 1)
            if place < 0 or not self._complete(text[begin:place]):
                continue
            yield from self._statement(text[begin:place])
            begin, token = place + len(delimiter), False
            if self._copying:
                break
        self._keep(text, begin, last, end, token)

    def _keep(self, text: str, begin: int, last: int, end: int, token: bool) -> None:
        self._open = None
        if token:
            self._head.append(text[begin:last])
            self._tail = [text[last:]]
            if end == len(text):
                opener = _OPENER.match(text, last)
                if opener is not None and end - last > len(opener[0]):
                    self._open = _CLOSERS.get(opener[0][-1] if opener[0][0] != "/" else "/", opener[0])
        elif self._head and not self._copying:
            self._tail = [text[begin:]]
        else:
            self._tail = []
        self._size = sum(map(len, self._head)) + sum(map(len, self._tail))

    def _complete(self, text: str) -> bool:
        """Whether a semicolon behind *text* ends the statement; not so inside a routine's body."""
        if self._engine is not Engine.POSTGRESQL or not _CREATE.match(self._head[0] if self._head and self._head[0] else text):
            return True
        tokens = lex("".join(self._head) + text + ";", self._engine).tokens
        return body_end_postgresql(tokens, 0) in (None, len(tokens) - 2)

    def _statement(self, rest: str) -> Iterator[Entry]:
        head, self._head = self._head, []
        oversize = self._size > STATEMENT_LIMIT or (head[:1] == [_LEFT_OUT])
        text = "" if oversize else ("".join(head) + rest).strip()
        self._size = 0
        if oversize:
            yield too_long(self._began)
        elif text:
            yield LoggedStatement(text, line=self._began)
            if self._engine is Engine.POSTGRESQL and text[:4].upper() == "COPY":
                statement = analyze(text, self._engine)
                self._copying = statement.copy_stdio and "FROM" in lex(text, self._engine).tokens

    def _shrink(self) -> None:
        """Keep of a statement that is too long only what tells where it ends."""
        opener = _OPENER.match("".join(self._tail)) if self._open is not None else None
        self._head = [_LEFT_OUT]
        self._tail = [opener[0] + " "] if opener is not None else []
        self._size = 0


_LEFT_OUT = "\x00"
_CREATE = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*create\b", re.IGNORECASE | re.DOTALL)
