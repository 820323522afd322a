"""
libconfig, the syntax of ``proxysql.cnf``: `read_libconfig` with the line of every value, `write_libconfig` for the way back.

The grammar is the one of libconfig's manual (with the comma that newer versions allow behind a last element). The reader is our
own: the libconfig packages are not kept up and know no lines, and a general parser (lark, which stood here before) needs 20 s and
700 MB for the 50,000 rules of a file that this one reads in one second. Its patterns never go back in the text, so that no text
takes more than linear time. ``@include`` is followed; what is included has the line of its ``@include``. No message quotes the
text, which may hold passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, NoReturn

from dbrouter.config.problems import Path, Problems
from dbrouter.config.source import Document, read_bytes
from dbrouter.errors import ConfigError, Problem

MAX_DEPTH = 40
MAX_DIGITS = 100
"""Binary numbers of 64 bits have the most; Python would take a million of them as one number, and not print it."""
MAX_INCLUDES = 100

_COMMENT = r"\#[^\n]*+|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/"
_GAP = rf"(?:\s++|{_COMMENT})*+"
_NAME = r"[A-Za-z*][-A-Za-z0-9_*]*+"
_STRING = r'"(?:[^"\\]|\\.)*+"'
_NUMBER = (
    r"[-+]?(?:0[xX][0-9A-Fa-f]++L{0,2}|0[bB][01]++L{0,2}|0[oOqQ][0-7]++L{0,2}"
    r"|(?:\d++\.\d*+|\.\d++|\d++)(?:[eE][-+]?\d++)?L{0,2})"
)
_VALUE = rf"(?P<text>{_STRING})|(?P<truth>(?i:true|false)\b)|(?P<number>{_NUMBER})|(?P<opens>[\[({{])"
_SETTING = re.compile(rf"({_NAME}){_GAP}[:=]{_GAP}(?:{_VALUE}){_GAP}", re.DOTALL)
_ITEM = re.compile(rf"(?:{_VALUE}){_GAP}", re.DOTALL)
_BLANK = re.compile(_GAP, re.DOTALL)
_MORE_TEXT = re.compile(rf"({_STRING}){_GAP}", re.DOTALL)
_NAMED = re.compile(rf"{_NAME}{_GAP}([:=]{_GAP})?", re.DOTALL)
_PIECE = re.compile(
    rf"""(?P<comment>{_COMMENT})|(?P<text>{_STRING})|^[ \t]*+(?P<include>@include[ \t]++"([^"\n]*+)")""", re.DOTALL | re.MULTILINE
)
_CLOSES = {"{": "}", "(": ")", "[": "]"}
_ESCAPE = re.compile(r'\\(x[0-9A-Fa-f]{2}|[abfnrtv\\"])')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def read_libconfig(text: str, file: str | None = None) -> Document:
    """
    The settings of *text*: groups as dicts, lists and arrays as lists.

    Args:
        file: what messages call it; included files are looked for beside it.

    Raises:
        ConfigError: it is not libconfig, has a setting twice, or an ``@include`` of what cannot be read; with the line, and
            without the text.
    """
    if "@include" in text:
        text = _Includes(file).spliced(text)
    return _Reader(text, file).document()


class _Reader:
    """Builds values while it goes through the text once, noting the line of each."""

    def __init__(self, text: str, file: str | None) -> None:
        self._text = text
        self._document = Document(None, file, {(): 1})
        self._lines = self._document.lines
        self._problems = Problems(file, self._lines)
        self._line = 1
        self._counted = 0

    def document(self) -> Document:
        self._document.value, _ = self._group(self._skip(0), (), "")
        self._problems.raise_if_any()
        return self._document

    def _group(self, at: int, path: Path, closing: str) -> tuple[dict[str, Any], int]:
        """The settings from *at* up to *closing* (the end of the text where it is empty), and where the text goes on."""
        text, lines = self._text, self._lines
        built: dict[str, Any] = {}
        while True:
            found = _SETTING.match(text, at)
            if found is None:
                if text.startswith(closing, at) and (closing or at == len(text)):
                    return built, at + len(closing)
                self._refuse_setting(at, closing)
            name, line = found[1], self._line_of(at)
            where = (*path, name)
            if name in built:
                self._problems.add(where, f"is given twice, in lines {lines[where]} and {line}")
                where = (*path, "")  # What it says is read, and thrown away.
            lines[where] = line
            value, at = self._value(found, where)
            built.setdefault(name, value)
            if text.startswith((";", ","), at):
                at = self._skip(at + 1)

    def _list(self, at: int, path: Path, closing: str) -> tuple[list[Any], int]:
        text = self._text
        built: list[Any] = []
        while not text.startswith(closing, at):
            found = _ITEM.match(text, at)
            if found is None:
                self._refuse(at, f"a value or {closing}" if not built else "a value")
            where = (*path, len(built))
            self._lines[where] = self._line_of(at)
            value, at = self._value(found, where)
            built.append(value)
            if text.startswith(",", at):
                at = self._skip(at + 1)
            elif not text.startswith(closing, at):
                self._refuse(at, f", or {closing}")
        return built, at + 1

    def _value(self, found: re.Match[str], path: Path) -> tuple[Any, int]:
        """What *found* begins, and where the text goes on."""
        at = found.end()
        match found.lastgroup:
            case "opens":
                opens = found["opens"]
                if len(path) > MAX_DEPTH:
                    self._problems.add(path[:5], "is nested too deeply")
                    self._problems.raise_if_any()
                value: Any
                value, at = (self._group if opens == "{" else self._list)(at, path, _CLOSES[opens])
                return value, self._skip(at)
            case "text":
                value = _unescape(found["text"][1:-1])
                while (more := _MORE_TEXT.match(self._text, at)) is not None:
                    value, at = value + _unescape(more[1][1:-1]), more.end()
                return value, at
            case "truth":
                return found["truth"].lower() == "true", at
            case _:
                written = found["number"].rstrip("L")
                if len(written) > MAX_DIGITS:
                    self._problems.add(path, f"has more than {MAX_DIGITS} digits")
                    return None, at
                return _number(written), at

    def _skip(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank is not None else at

    def _line_of(self, at: int) -> int:
        """The line of the character *at*; places only ever grow."""
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _refuse_setting(self, at: int, closing: str) -> NoReturn:
        named = _NAMED.match(self._text, at)
        if named is None:
            self._refuse(at, f"a name or {closing}" if closing else "a name")
        self._refuse(named.end(), "a value" if named[1] else ": or =")

    def _refuse(self, at: int, wanted: str) -> NoReturn:
        """Say what stands at *at* where *wanted* should."""
        text = self._text
        self._lines[()] = text.count("\n", 0, min(at, len(text.rstrip()))) + 1
        column = at - text.rfind("\n", 0, at)
        if text.startswith("@include", at):
            wrong = "has an @include that does not name a file in quotes at the beginning of a line"
        elif at >= len(text):
            wrong = f"is not libconfig: the file ends where {wanted} is expected"
        elif text[at] == '"' and _MORE_TEXT.match(text, at) is None:
            wrong = f"is not libconfig: the text that begins at column {column} has no end"
        elif text.startswith("/*", at):
            wrong = f"is not libconfig: the comment that begins at column {column} has no end"
        elif re.match(r"[\w.+\-*\"\[\](){}:=;,]", text[at], re.ASCII):
            wrong = f"is not libconfig: column {column} has something else where {wanted} is expected"
        else:
            wrong = f"is not libconfig: a character at column {column} begins nothing (texts stand in double quotes)"
        raise ConfigError([Problem(message=wrong, path="", file=self._document.file, line=self._lines[()])])


class _Includes:
    """Puts what a text includes into its place, on one line, so that the lines of the text stay what they are."""

    def __init__(self, file: str | None) -> None:
        self._file = file
        self._folder = FilePath(file).parent if file is not None else None
        self._count = 0

    def spliced(self, text: str) -> str:
        """
        *text* with the content of its includes.

        Raises:
            ConfigError: a file cannot be read, or there is no end of them.
        """
        return _PIECE.sub(lambda found: self._content(text, found) if found["include"] else found[0], text)

    def _content(self, text: str, found: re.Match[str]) -> str:
        line = text.count("\n", 0, found.start("include")) + 1
        self._count += 1
        if self._count > MAX_INCLUDES:
            self._refuse(line, f"has more than {MAX_INCLUDES} @includes (do files include each other?)")
        if self._folder is None:
            self._refuse(line, "has an @include, and nothing says where that file is; give the file that is included by itself")
        try:
            included = read_bytes(str(self._folder / found[4])).decode("utf-8-sig")
        except ConfigError as error:
            self._refuse(line, f"has an @include of a file that cannot be used: {error.problems[0].message}")
        except UnicodeDecodeError:
            self._refuse(line, "has an @include of a file that cannot be used: is not text in UTF-8")
        return _on_one_line(self.spliced(included))

    def _refuse(self, line: int, message: str) -> NoReturn:
        raise ConfigError([Problem(message=message, path="", file=self._file, line=line)]) from None


def _on_one_line(text: str) -> str:
    """*text* without comments and line breaks."""
    pieces = re.split(rf"({_STRING})|{_COMMENT}", text, flags=re.DOTALL)
    return "".join((piece or "").replace("\n", "\\n" if index % 2 else " ") for index, piece in enumerate(pieces))


def _number(text: str) -> int | float:
    mark = text.lstrip("+-")[1:2].lower()
    if mark and mark in "xboq":
        return int(text.lower().replace("q", "o"), 0)
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def _unescape(text: str) -> str:
    r"""A backslash before anything else than libconfig's letters stays, so that ``\d`` in a pattern needs no doubling."""

    def replace(found: re.Match[str]) -> str:
        mark = found[1]
        return chr(int(mark[1:], 16)) if mark[0] == "x" else _ESCAPES[mark]

    return _ESCAPE.sub(replace, text)


def write_libconfig(settings: Mapping[str, Any]) -> str:
    """
    *settings* as libconfig: dicts as groups, lists as lists, None left out.

    Raises:
        ValueError: a value that libconfig cannot hold.
    """
    return "".join(f"{name} = {_written(value, 0)}\n" for name, value in settings.items() if value is not None)


def _written(value: Any, depth: int) -> str:
    pad = "  " * (depth + 1)
    if isinstance(value, Mapping):
        parts = [f"{name} = {_written(held, depth + 1)}" for name, held in value.items() if held is not None]
        if depth:
            return "{ " + "; ".join(parts) + " }"
        return "{\n" + "".join(f"{pad}{part}\n" for part in parts) + "}"
    if isinstance(value, (list, tuple)):
        return "(\n" + _lines((_written(item, depth + 1) for item in value), pad) + ")"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(2**31) <= value < 2**31 else f"{value}L"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(_escaped(character) for character in value) + '"'
    raise ValueError(f"libconfig holds no {type(value).__name__}")


def _lines(items: Iterable[str], pad: str) -> str:
    return ",\n".join(f"{pad}{item}" for item in items) + "\n"


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    if character in "\n\r\t\f":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}[character]
    return f"\\x{ord(character):02x}" if ord(character) < 32 or ord(character) == 127 else character
