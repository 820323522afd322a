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


def read_script(lines: Iterable[Line], engine: Engine) -> Iterator[Entry]:
    """The statements of *lines*, in order; the last one needs no semicolon."""
    script = _Script(engine)
    for number, text in lines:
        yield from script.feed(number, text)
    yield from script.finish()


class _Script:
    __slots__ = ("_began", "_copying", "_delimiter", "_engine", "_head", "_line", "_open", "_settled", "_still", "_tail")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._delimiter = ";"
        self._head: list[str] = []
        """What is settled of the statement that is being read; empty before its first token."""
        self._settled = 0
        """Characters in it."""
        self._tail: list[str] = []
        """From its last token on, which may go on in the next line."""
        self._open: str | None = None
        """How the string, name, comment or dollar quote ends that the tail is in the midst of."""
        self._still: re.Pattern[str] | None = None
        """Matches a whole line that leaves an open quote open; None where there is no open quote."""
        self._began = 0
        self._line = 0
        self._copying = False

    def feed(self, number: int, text: str) -> Iterator[Entry]:
        """The statements that end in this line, or piece of a line."""
        fresh = number != self._line
        self._line = number
        if self._copying:
            self._copying = text.rstrip() != "\\."
            return
        if fresh and not self._head and not self._tail and self._client_command(text):
            return
        self._tail.append(text)
        if not fresh or not self._goes_on(text):
            yield from self._settle()
        if self._settled + sum(map(len, self._tail)) > STATEMENT_LIMIT:
            self._leave_out()

    def _goes_on(self, line: str) -> bool:
        """Whether what is open at the beginning of *line* is open at its end and nothing else is in it."""
        if self._open is None:
            return False
        return self._still.fullmatch(line) is not None if self._still is not None else self._open not in line

    def finish(self) -> Iterator[Entry]:
        """What stands behind the last semicolon."""
        if self._open is not None:
            yield Unreadable(self._began, f"the text ends in the midst of this statement, before its {self._open}")
        elif self._head:
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
        any_token = False
        for start, end in spans(text, self._engine):
            if start < begin:
                continue
            if not self._head and not any_token:
                self._began = self._line - text.count("\n", start, max(start, len(text) - 1))
            opener = self._opener(text, start, end)
            if opener == "/*":
                return self._keep(text, begin, start, opener, settle=any_token)
            any_token, last = True, start
            if opener is not None:
                continue
            place = text.find(delimiter, start, end + len(delimiter) - 1)
            if place < 0 or not self._complete(text[begin:place]):
                continue
            yield from self._statement(text[begin:place])
            begin, any_token = place + len(delimiter), False
            if self._copying:
                self._tail, self._open = [], None
                return None
        if any_token:
            opener = self._opener(text, last, end) if end == len(text) else None
            return self._keep(text, begin, last, opener, settle=True)
        rest = text[begin:]
        # A comment that began in this piece of a line may go on in the next one.
        self._tail = [rest] if self._head or (rest and not rest.endswith("\n")) else []
        self._open = None
        return None

    def _keep(self, text: str, begin: int, last: int, opener: str | None, *, settle: bool) -> None:
        if settle or self._head:
            self._head.append(text[begin:last])
            self._settled += last - begin
        self._tail = [text[last:]]
        self._open = _CLOSERS.get(opener[0 if opener == "/*" else -1], opener) if opener is not None else None
        self._still = None
        if opener is not None and opener[-1] in "'\"`":
            escapes = opener[-1] != "`" if self._engine is Engine.MYSQL else opener[0] in "eE"
            self._still = (_STILL_ESCAPED if escapes else _STILL)[opener[-1]]

    def _opener(self, text: str, start: int, end: int) -> str | None:
        """How the string, quoted name, dollar quote or open comment begins that stands there; None for any other token."""
        found = (_PG_OPENER if self._engine is Engine.POSTGRESQL else _MY_OPENER).match(text, start, end)
        return found[0] if found is not None else None

    def _complete(self, text: str) -> bool:
        """Whether a semicolon behind *text* ends the statement; not so inside a routine's body."""
        if self._engine is not Engine.POSTGRESQL or not _CREATE.match(next(filter(str.strip, self._head), text)):
            return True
        tokens = lex("".join(self._head) + text + ";", self._engine).tokens
        return body_end_postgresql(tokens, 0) in (None, len(tokens) - 2)

    def _statement(self, rest: str) -> Iterator[Entry]:
        head, self._head, self._settled = self._head, [], 0
        if head[:1] == [_LEFT_OUT] or sum(map(len, head)) + len(rest) > STATEMENT_LIMIT:
            yield too_long(self._began)
            return
        text = ("".join(head) + rest).strip()
        if not text.strip(";") or next(spans(text, self._engine), None) is None:
            return
        yield LoggedStatement(text, line=self._began)
        if self._engine is Engine.POSTGRESQL and _COPY.match(text):
            self._copying = analyze(text, self._engine).copy_stdio and "FROM" in lex(text, self._engine).tokens

    def _leave_out(self) -> None:
        """Keep of a statement that is too long only what tells where it ends."""
        tail = "".join(self._tail)
        opener = self._opener(tail, 0, len(tail)) if self._open is not None else None
        depth = 1
        if opener == "/*" and self._engine is Engine.POSTGRESQL:
            depth = max(1, tail.count("/*") - tail.count("*/"))
        self._head = [_LEFT_OUT]
        self._settled = 0
        self._tail = [(opener + " ") * depth] if opener is not None else []


_LEFT_OUT = "\x00"
_DELIMITER = re.compile(r"\s*delimiter\s+(\S+)\s*\Z", re.IGNORECASE)
_USE = re.compile(r"\s*use\s+[^\s;]+\s*\Z", re.IGNORECASE)
_PG_OPENER = re.compile(r"\$(?:[^\W\d]\w*)?\$|/\*|(?:[eE]|[uU]&)?'|(?:[uU]&)?\"")
_MY_OPENER = re.compile(r"/\*(?!M?!)|['\"`]")
_CLOSERS = {"/": "*/", "'": "'", '"': '"', "`": "`"}
_STILL = {quote: re.compile(rf"(?:[^{quote}]|{quote}{quote})*+") for quote in "'\"`"}
_STILL_ESCAPED = {quote: re.compile(rf"(?:[^{quote}\\]|\\[\s\S]|{quote}{quote})*+") for quote in "'\""}
_LEAD = r"(?:\s++|--[^\n]*+\n|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
_CREATE = re.compile(rf"{_LEAD}create\b", re.IGNORECASE)
_COPY = re.compile(rf"{_LEAD}copy\b", re.IGNORECASE)
