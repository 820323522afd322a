"""
libconfig, the syntax of ``proxysql.cnf``: `read_libconfig` with the line of every value, `write_libconfig` for the way back.

The grammar is the one of libconfig's manual (with the comma that newer versions allow behind a last element), as lark reads it.
lark was taken because the libconfig packages are not kept up and know no lines. ``@include`` is refused: the included file is to
be given itself. No message quotes the text, which may hold passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from dbrouter.config.problems import Path, Problems
from dbrouter.config.source import Document

_GRAMMAR = r"""
start: setting*
setting: NAME (":" | "=") value (";" | ",")?
?value: text | truth | number | array | list | group
array: "[" [value ("," value)* ","?] "]"
list: "(" [value ("," value)* ","?] ")"
group: "{" setting* "}"
text: STRING+
truth: TRUTH
number: NUMBER
TRUTH.3: /(true|false)\b/i
NUMBER.2: /[-+]?(0[xX][0-9A-Fa-f]+L{0,2}|0[bB][01]+L{0,2}|0[oOqQ][0-7]+L{0,2}|(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?L{0,2})/
NAME: /[A-Za-z*][-A-Za-z0-9_*]*/
STRING: /"(\\.|[^"\\])*"/s
COMMENT: /#[^\n]*|\/\/[^\n]*|\/\*.*?\*\//s
%import common.WS
%ignore WS
%ignore COMMENT
"""
_ESCAPE = re.compile(r'\\(x[0-9A-Fa-f]{2}|[abfnrtv\\"])')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_WORDS = {
    "RPAR": ")",
    "LPAR": "(",
    "RBRACE": "}",
    "LBRACE": "{",
    "RSQB": "]",
    "LSQB": "[",
    "COMMA": ",",
    "SEMICOLON": ";",
    "EQUAL": "=",
    "COLON": ":",
    "NAME": "a name",
    "STRING": "a text",
    "NUMBER": "a number",
    "TRUTH": "true or false",
    "$END": "the end",
}
MAX_DEPTH = 40
MAX_DIGITS = 100
"""Binary numbers of 64 bits have the most; Python would take a million of them as one number, and not print it."""


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True)


def read_libconfig(text: str, file: str | None = None) -> Document:
    """
    The settings of *text*: groups as dicts, lists and arrays as lists.

    Args:
        file: what messages call it.

    Raises:
        ConfigError: it is not libconfig, has an ``@include`` or a setting twice; with the line, and without the text.
    """
    document = Document(None, file, {(): 1})
    problems = Problems(file, document.lines)
    try:
        document.value = _Reader(document, problems).group(_parser().parse(text), ())
    except UnexpectedInput as error:
        document.lines[()] = error.line if error.line > 0 else text.count("\n") + 1
        problems.add((), _words(error, text))
    except RecursionError:
        problems.add((), "is not libconfig: it is nested too deeply")
    problems.raise_if_any()
    return document


def _words(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters) and text.startswith("@include", error.pos_in_stream):
        return "has an @include; give the file that is included by itself"
    return f"is not libconfig: {_wrong(error, text)}"


def _wrong(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        for mark, name in (('"', "text"), ("/*", "comment")):
            if text.startswith(mark, error.pos_in_stream):
                return f"the {name} that begins at column {error.column} has no end"
        return f"a character at column {error.column} begins nothing (texts stand in double quotes)"
    if isinstance(error, UnexpectedToken):
        wanted = sorted({_WORDS.get(name, name) for name in error.accepts or error.expected})
        found = "the file ends" if error.token.type == "$END" else f"column {error.column} has something else"
        return f"{found} where {' or '.join(wanted)} is expected"
    return "it ends too early"


class _Reader:
    """Builds values from the tree, noting the line of each."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._lines = document.lines
        self._problems = problems

    def group(self, tree: Tree[Token], path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for setting in tree.children:
            assert isinstance(setting, Tree)
            name, value = setting.children
            assert isinstance(name, Token)
            key = str(name)
            where = (*path, key)
            if key in built:
                self._problems.add(where, f"is given twice, in lines {self._lines[where]} and {name.line}")
                continue
            self._lines[where] = name.line or 1
            built[key] = self._value(value, where)
        return built

    def _value(self, tree: Tree[Token] | Token, path: Path) -> Any:
        assert isinstance(tree, Tree)
        if len(path) > MAX_DEPTH:
            self._problems.add(path[:5], "is nested too deeply")
            return None
        match tree.data:
            case "group":
                return self.group(tree, path)
            case "list" | "array":
                items = [item for item in tree.children if item is not None]
                for index, item in enumerate(items):
                    meta = item.meta if isinstance(item, Tree) else None
                    self._lines[(*path, index)] = getattr(meta, "line", self._lines.get(path, 1))
                return [self._value(item, (*path, index)) for index, item in enumerate(items)]
            case "text":
                return "".join(_unescape(str(part)[1:-1]) for part in tree.children)
            case "truth":
                return str(tree.children[0]).lower() == "true"
            case _:
                written = str(tree.children[0]).rstrip("L")
                if len(written) > MAX_DIGITS:
                    self._problems.add(path, f"has more than {MAX_DIGITS} digits")
                    return None
                return _number(written)


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
