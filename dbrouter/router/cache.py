"""
ResultCache: answers of reads that a rule's `cache_ttl` lets stand in for the server.

One per router, bounded in bytes, the least recently used results go first. Writes never invalidate, as in ProxySQL: an entry ends
by age, and each look-up says which age it accepts. Who may look up at all is the detour's business.
The one file that imports cachetools.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from sys import getsizeof
from typing import Any
from uuid import UUID

from cachetools import LRUCache

_ENTRY_BYTES = 400
"""What an entry weighs beside its rows, by measurement of an empty one."""
_PARAM_BYTES = 72
"""What a parameter weighs in a key beside its spelling: a pair, and its place."""
_SHARE = 4
"""A result larger than this part of the cache is not kept: it would push out everything else."""
_PLAIN = frozenset(
    [
        *(int, str, bytes, bool, float, type(None), Decimal, datetime, date, time, timedelta, UUID),
        *(IPv4Address, IPv6Address, IPv4Interface, IPv6Interface, IPv4Network, IPv6Network),
    ]
)
"""
Types of which a value never changes and its `repr` tells it from every other: only parameters of these are told apart, and only
results of these are kept. A caller could change anything else under everybody's eyes, however deep inside.
"""


Key = tuple[str, str | None, str | None, str, tuple[tuple[type, str], ...]]
"""Database, user, schema, text, and each parameter's type and spelling."""


class Kept:
    """One stored result."""

    __slots__ = ("described", "rows", "since", "size")

    def __init__(self, rows: tuple[Any, ...], described: tuple[str, int | None, int | None], since: float, size: int) -> None:
        self.rows = rows
        self.described = described
        self.since = since
        self.size = size


class ResultCache:
    """
    Results by key, each with the moment it came.

    Attributes:
        hits, misses: look-ups that found a fresh enough result, and those that did not.
        stored, refused: results that were kept, and those that were too large (with text and parameters) or hold values that
            callers could change.
    """

    __slots__ = ("_entries", "_max_bytes", "hits", "misses", "refused", "stored")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: LRUCache[Key, Kept] = LRUCache(max_bytes, getsizeof=lambda kept: kept.size)
        self.hits = self.misses = self.stored = self.refused = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes held, by estimate."""
        return int(self._entries.currsize)

    def get(self, key: Key, ttl: float, now: float) -> Kept | None:
        """The result of *key* if it is younger than *ttl* seconds."""
        kept = self._entries.get(key)
        if kept is not None and now - kept.since < ttl:
            self.hits += 1
            return kept
        self.misses += 1
        return None

    def put(self, key: Key, rows: Sequence[Any], described: tuple[str, int | None, int | None], now: float) -> None:
        """Keep a result that came at *now*, if it can be kept."""
        size = _weight(key, rows)
        if size is None or size * _SHARE > self._max_bytes:
            self.refused += 1
            return
        self._entries[key] = Kept(tuple(rows), described, now, size)
        self.stored += 1

    def successor(self, max_bytes: int) -> ResultCache:
        """An empty cache that goes on counting where this one stands: what calls under way store here reaches nobody else."""
        other = ResultCache(max_bytes)
        other.hits, other.misses, other.stored, other.refused = self.hits, self.misses, self.stored, self.refused
        return other

    def clear(self) -> None:
        """Forget every result; the counters stay."""
        self._entries.clear()


def _is_plain(value: Any) -> bool:
    """asyncpg's own class of `UUID` is as plain as that."""
    return value.__class__ in _PLAIN or isinstance(value, UUID)


def cache_key(database: str, user: str | None, schema: str | None, text: str, params: Sequence[Any]) -> Key | None:
    """
    What tells one result from any other, or None where a parameter cannot be told (a list, a mapping).

    Parameters are told apart by type and spelling: 1, 1.0 and True, 1.0 and 1.00, noon here and there are equal to Python and not
    to a server.
    """
    if not all(map(_is_plain, params)):
        return None
    return (database, user, schema, text, tuple([(value.__class__, repr(value)) for value in params]))


def _weight(key: Key, rows: Sequence[Any]) -> int | None:
    """Bytes of *rows* and of what they are kept under, by estimate; None where one holds a value that a caller might change."""
    size = _ENTRY_BYTES + getsizeof(key[3]) + sum([_PARAM_BYTES + getsizeof(spelled) for _, spelled in key[4]])
    for row in rows:
        size += getsizeof(row)
        for value in tuple(row):
            if value.__class__ not in _PLAIN and not _is_plain(value):
                return None
            size += getsizeof(value)
    return size
