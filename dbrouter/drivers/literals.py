"""
Parameters as MySQL literals: what stands in the place of each ``%s``, and the whole text of a statement with its parameters.

MySQL's text protocol has no parameters, so the client writes them into the text. The literals are those of PyMySQL (a
property test compares them), with three differences: nothing depends on backslashes once the server runs in
``NO_BACKSLASH_ESCAPES`` mode, every bytes-like value is binary, and a list or tuple is written in parentheses for ``IN %s``
(PyMySQL did so before 1.2). What has no literal (a dict, a set, NaN, an empty list) is refused before anything is sent.
Statement text is the caller's: nothing here looks into it beyond its ``%s``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dbrouter.errors import ParameterError

Fallback = Callable[[Any], str]
"""The library's own literal for a value of a type that is not handled here."""

_DIGITS_OF_A_DECIMAL = 65
_BACKSLASHED: dict[int, str] = {
    0: "\\0",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    0x1A: "\\Z",
    ord('"'): '\\"',
    ord("'"): "\\'",
    ord("\\"): "\\\\",
}
_SPECIAL = re.compile("[\0\n\r\x1a\"'\\\\]")


def literal(value: Any, fallback: Fallback, no_backslash: bool = False) -> str:
    """
    The literal of *value*.

    Args:
        fallback: asked for types not handled here (times, intervals, user classes).
        no_backslash: the session's ``sql_mode`` has ``NO_BACKSLASH_ESCAPES``: only the quote is doubled.

    Raises:
        ParameterError: the value has no literal (a mapping, NaN, infinity).
    """
    kind = value.__class__
    if kind is int:
        return repr(value)
    if kind is str:
        return _quoted(value, no_backslash)
    if value is None:
        return "NULL"
    return _other(value, fallback, no_backslash)


def _quoted(value: str, no_backslash: bool) -> str:
    if no_backslash:
        return "'" + value.replace("'", "''") + "'"
    if _SPECIAL.search(value) is None:
        return "'" + value + "'"
    return "'" + value.translate(_BACKSLASHED) + "'"


def _other(value: Any, fallback: Fallback, no_backslash: bool) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return _quoted(str.__str__(value), no_backslash)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"_binary X'{value.hex()}'"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ParameterError(f"{value} has no MySQL literal")
        # Of a decimal of MySQL no more than 65 digits: what has a longer exponent is none, and would be as long written out.
        return format(value, "f") if abs(value.adjusted()) <= _DIGITS_OF_A_DECIMAL else str(value)
    if isinstance(value, float):
        text = float.__repr__(value)
        if text in ("inf", "-inf", "nan"):
            raise ParameterError(f"{text} has no MySQL literal")
        return text if "e" in text else text + "e0"
    if value.__class__ is date or (value.__class__ is datetime and value.tzinfo is None):
        return "'" + str(value) + "'"
    if isinstance(value, (list, tuple)):
        if not value:
            raise ParameterError("an empty list has no MySQL literal (IN () is not SQL)")
        return "(" + ",".join([literal(item, fallback, no_backslash) for item in value]) + ")"
    if isinstance(value, (set, frozenset)):
        raise ParameterError("a set is no MySQL value; pass a list for IN")
    if isinstance(value, Mapping):
        raise ParameterError("a mapping is no MySQL value; for a JSON column pass json.dumps(value)")
    if type(value).__str__ is _NO_TEXT:
        raise ParameterError(f"a {type(value).__name__} has no MySQL literal and no text of its own")
    text = fallback(value)
    # A class of the caller's comes back as its quoted str(): escaped with backslashes, which this mode does not know.
    if no_backslash and "\\" in text:
        return _quoted(str(value), no_backslash)
    return text


_NO_TEXT: Any = object.__str__
"""What a class has that does not say how its values are written."""


def render(text: str, params: Sequence[Any], fallback: Fallback, no_backslash: bool = False) -> str:
    """
    *text* with each ``%s`` replaced by the literal of its parameter; ``%%`` becomes ``%``.

    Raises:
        ParameterError: more or fewer parameters than ``%s``, a stray ``%``, or a value without a literal. Nothing was sent.
    """
    try:
        if params.__class__ is tuple and len(params) == 1:
            return text % literal(params[0], fallback, no_backslash)
        return text % tuple([literal(value, fallback, no_backslash) for value in params])
    except ParameterError:
        raise
    except Exception as error:
        raise _refusal(text, params, error) from error


def _refusal(text: str, params: Sequence[Any], error: Exception) -> ParameterError:
    expected = count_placeholders(text)
    if expected is None:
        return ParameterError(
            "the text has a % that is neither %s nor %% (write a plain percent sign as %% where there are parameters)"
        )
    if expected != len(params):
        told = f"the text has {expected} placeholder{'' if expected == 1 else 's'} (%s), {len(params)} given"
        if len(params) == 1 and isinstance(params[0], tuple | list) and len(params[0]) == expected:
            told += "; parameters are given one by one: (sql, a, b), not (sql, (a, b))"
        return ParameterError(told)
    return ParameterError(f"a parameter cannot be written as a MySQL literal: {error}")


def count_placeholders(text: str) -> int | None:
    """How many ``%s`` *text* has, or None if it has a ``%`` that is neither ``%s`` nor ``%%``."""
    found: list[str] = _PERCENT.findall(text)
    if any(item not in ("%s", "%%") for item in found):
        return None
    return sum(item == "%s" for item in found)


_PERCENT = re.compile(r"%.?", re.DOTALL)
_INSERT_VALUES = re.compile(
    r"\s*((?:INSERT|REPLACE)\b.+?\bVALUES?\s*)(\(\s*%s\s*(?:,\s*%s\s*)*\))(\s*(?:(?:AS\s+\w+\s+)?ON\s+DUPLICATE\b.*)?);?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


_OF_A_QUERY = re.compile(r"\b(?:SELECT|TABLE|UNION)\b", re.IGNORECASE)
"""`INSERT … SELECT … UNION VALUES (%s)`: the row is one of a query's, which each parameters would repeat."""


def split_insert(text: str) -> tuple[str, str, str] | None:
    """
    (before, ``(%s, %s)``, after) where *text* is an INSERT of one row of placeholders, so that many rows can travel in one
    statement.
    """
    match = _INSERT_VALUES.match(text)
    if match is None:
        return None
    before, values, after = match.groups()
    if count_placeholders(before) != 0 or count_placeholders(after) != 0 or _OF_A_QUERY.search(before) is not None:
        return None
    return before.replace("%%", "%"), values, after.replace("%%", "%")


BATCH_LENGTH = 256 * 1024
"""Longest INSERT in characters that `batches` puts together: at most 1 MiB, below every server's default max_allowed_packet."""


def batches(
    parts: tuple[str, str, str], params_seq: Iterable[Sequence[Any]], fallback: Fallback, no_backslash: bool = False
) -> Iterator[str]:
    """
    INSERTs of many rows each, for an INSERT taken apart by `split_insert`.

    Raises:
        ParameterError: parameters that do not fit, when their turn comes.
    """
    before, values, after = parts
    rows: list[str] = []
    length = 0
    for params in params_seq:
        row = render(values, params, fallback, no_backslash)
        if rows and length + len(row) > BATCH_LENGTH:
            yield before + ",".join(rows) + after
            rows, length = [], 0
        rows.append(row)
        length += len(row) + 1
    if rows:
        yield before + ",".join(rows) + after
