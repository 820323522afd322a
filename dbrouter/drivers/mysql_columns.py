"""
How a column's bytes become a value on MySQL and MariaDB: as PyMySQL chooses it, from which both libraries have it.

Source: `MySQLResult._get_descriptions` of PyMySQL; ``charsetnr`` of JSON says nothing (PyMySQL's issue 488).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from dbrouter.drivers.textprotocol import Converter

_JSON = 245
_TEXTS = frozenset({15, 16, 249, 250, 251, 252, 253, 254, 255})
"""VARCHAR, BIT, the BLOBs, VAR_STRING, STRING, GEOMETRY."""
_BINARY = 63


def reading(
    kind: int, charset: int, encoding: str, converter: Callable[[Any], Any] | None
) -> tuple[str | None, Callable[[Any], Any] | None]:
    """
    (the encoding from which the bytes are decoded, what makes a value of that text), each None where nothing is done.

    Args:
        kind, charset: of the column, by the protocol's numbers.
        encoding: Python's name of the connection's character set.
        converter: the library's, or the user's own, for *kind*.
    """
    if kind == _JSON:
        return encoding, converter
    if kind in _TEXTS:
        return None if charset == _BINARY else encoding, converter
    # They read bytes as well, and sooner.
    return None if converter in (int, float) else "ascii", converter


def value_maker(encoding: str | None, converter: Callable[[Any], Any] | None) -> Converter | None:
    """One function that does what `reading` says."""
    if encoding is None:
        return converter
    if converter is None:
        return methodcaller("decode", encoding)
    return lambda data: converter(data.decode(encoding))
