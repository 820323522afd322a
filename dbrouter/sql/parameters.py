"""
`:name` placeholders → the engine's own (`$1` on PostgreSQL, `%s` on MySQL), and checks of what was given against the text.

Guarantees: strings, comments, dollar quotes, `::casts` and `:=` are left alone; `\\:` outside of them becomes a plain
colon; a name directly behind a word, a digit or a closing bracket (`a[1:n]`) is no placeholder. Linear, no I/O. A text is
compiled once, its `Named` is kept with the plan.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dbrouter.errors import ParameterError
from dbrouter.sql import lexer
from dbrouter.terms import Engine

_NAME = re.compile(r"[^\W\d]\w*+(?!\$)")
"""With a ``$`` behind it, it would go on in both dialects, or begin a dollar quote once a placeholder stands there: no name."""
_NOT_BEFORE = r"\w$:\]\)\"`'\x80-\U0010ffff"
_COLON_NAME = re.compile(rf"(?<![{_NOT_BEFORE}]):[^\W\d]")
_NOT_BEFORE_A_NAME = re.compile(rf"[{_NOT_BEFORE}]")


class Named:
    """A text whose names were rewritten, and the order in which their values go."""

    __slots__ = ("order", "text")

    def __init__(self, text: str, order: tuple[str, ...]) -> None:
        self.text = text
        self.order = order
        """One name per value: on PostgreSQL each name once, on MySQL once per place."""

    def values(self, mapping: Mapping[str, Any]) -> tuple[Any, ...]:
        """
        The values in the order the rewritten text takes them.

        Raises:
            ParameterError: a name of the text is not in *mapping*, or *mapping* has one that is not in the text.
        """
        order = self.order
        try:
            values = tuple([mapping[name] for name in order])
        except KeyError:
            values = ()
        if not values or len(mapping) != len(set(order)):
            _complain(order, mapping)
        return values


def _complain(order: Sequence[str], mapping: Mapping[str, Any]) -> None:
    missing = [name for name in dict.fromkeys(order) if name not in mapping]
    unknown = [name for name in mapping if name not in order]
    parts = []
    if missing:
        parts.append("no value for " + ", ".join(f":{name}{_nearest(name, unknown, 'given')}" for name in missing))
    if unknown:
        parts.append(
            "unknown "
            + ", ".join(f"{name!r}{_nearest(str(name), list(dict.fromkeys(order)), 'the text has')}" for name in unknown)
        )
    if parts:
        raise ParameterError("; ".join(parts), missing=tuple(missing), unknown=tuple(unknown))


def _nearest(name: str, others: Sequence[Any], said: str) -> str:
    found = difflib.get_close_matches(name, [str(other) for other in others], n=1)
    return f" ({said}: {found[0]!r})" if found else ""


class Placeholders:
    """Which placeholders a text has."""

    __slots__ = ("count", "named", "positional")

    def __init__(self, named: tuple[str, ...], count: int) -> None:
        self.named = named
        """Each name once, in order of appearance; empty where the text has positional ones as well as colons."""
        self.count = count
        """How many values the positional ones take: the largest `$n`, or the number of `%s`."""
        self.positional = count > 0


_NO_PLACEHOLDERS = Placeholders((), 0)
_PERCENT = re.compile(r"%(?:%|\((?P<key>[^)]*)\)s|(?P<s>s))")


def placeholders(sql: str, engine: Engine) -> Placeholders:
    """The placeholders of *sql*: `$n` or `%s`, and `:name`."""
    has_colon = ":" in sql and _COLON_NAME.search(sql) is not None
    if engine is Engine.POSTGRESQL:
        has_own = "$" in sql
        if not has_colon and not has_own:
            return _NO_PLACEHOLDERS
        count = 0
        for start, end in lexer.spans(sql, engine) if has_own else ():
            if sql[start] == "$" and end - start > 1 and sql[start + 1].isdigit():
                count = max(count, int(sql[start + 1 : min(end, start + 9)]))
    else:
        # The driver formats by plain `%` substitution, whatever stands around it, so strings and comments count too.
        count = sum(1 for found in _PERCENT.finditer(sql) if found.group("s")) if "%s" in sql else 0
    if not has_colon:
        return Placeholders((), count)
    names = tuple(dict.fromkeys(sql[start + 1 : end] for start, end, escaped in _colons(sql, engine) if not escaped))
    return Placeholders(names, count)


def compile_named(sql: str, engine: Engine) -> Named | None:
    """
    *sql* with its names rewritten, or None where a mapping is a value and no set of names.

    That is: the text has no `:name`, or has the engine's own placeholders as well. On MySQL a literal `%` is doubled, because the
    driver formats a text that comes with parameters.
    """
    if ":" not in sql or _COLON_NAME.search(sql) is None:
        return None
    found = placeholders(sql, engine)
    if not found.named or found.positional:
        return None
    mysql = engine is Engine.MYSQL
    numbers = {name: number for number, name in enumerate(found.named, 1)}
    parts: list[str] = []
    order: list[str] = []
    position = 0
    for start, end, escaped in _colons(sql, engine):
        between = sql[position:start]
        parts.append(between.replace("%", "%%") if mysql else between)
        position = end
        if escaped:
            parts.append(":")
            continue
        name = sql[start + 1 : end]
        if mysql:
            parts.append("%s")
            order.append(name)
        else:
            parts.append(f"${numbers[name]}")
    parts.append(sql[position:].replace("%", "%%") if mysql else sql[position:])
    return Named("".join(parts), tuple(order) if mysql else found.named)


def _colons(sql: str, engine: Engine) -> list[tuple[int, int, bool]]:
    """Start, end and whether it is `\\:` of every colon that is a placeholder or an escaped colon."""
    found: list[tuple[int, int, bool]] = []
    previous = ""
    previous_end = 0
    for start, end in lexer.spans(sql, engine):
        if sql[start] == ":" and end - start == 1:
            if previous == "\\" and previous_end == start:
                found.append((start - 1, end, True))
            else:
                name = _NAME.match(sql, end)
                if name is not None and (start == 0 or not _NOT_BEFORE_A_NAME.match(sql, start - 1)):
                    found.append((start, name.end(), False))
        previous = sql[start:end] if end - start == 1 else ""
        previous_end = end
    return found
