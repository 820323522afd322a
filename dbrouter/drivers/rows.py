"""
Row: one row of a MySQL-family result, with the manners of `asyncpg.Record`.

A row is a tuple of its values that also knows its column names. Every distinct list of columns has one subclass, made once by
`row_class`, so that a row costs what its tuple costs and carries no reference to anything else. Where a result has two
columns of one name, the name stands for the last of them, as with `asyncpg.Record`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar


class Row(tuple[Any, ...]):
    """
    One row: ``row["name"]``, ``row[0]``, ``row[1:]``, ``len(row)``, ``dict(row)``, ``tuple(row)``, ``row.get("name", default)``.

    Iterating gives the values, ``in`` tests column names, equality and hash are those of the tuple of values, and it can be
    pickled.
    """

    __slots__ = ()

    _names: ClassVar[tuple[str, ...]] = ()
    _index: ClassVar[dict[str, int]] = {}

    def __getitem__(self, key: Any) -> Any:
        """
        The value of the column of that name or at that position; a tuple of values for a slice. Raises KeyError or
        IndexError.
        """
        if key.__class__ is str:
            return tuple.__getitem__(self, self._index[key])
        try:
            return tuple.__getitem__(self, key)
        except TypeError:
            if isinstance(key, str):
                return tuple.__getitem__(self, self._index[key])
            raise

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of that name."""
        return name in self._index

    def get(self, name: str, default: Any = None) -> Any:
        """The value of the column *name*, or *default* where there is none."""
        position = self._index.get(name)
        return default if position is None else tuple.__getitem__(self, position)

    def keys(self) -> Iterator[str]:
        """Column names in column order."""
        return iter(self._names)

    def values(self) -> Iterator[Any]:
        """Values in column order."""
        return iter(self)

    def items(self) -> Iterator[tuple[str, Any]]:
        """(name, value) pairs in column order."""
        return zip(self._names, self, strict=True)

    def __repr__(self) -> str:
        pairs = " ".join(f"{name}={value!r}" for name, value in self.items())
        return f"<Row {pairs}>" if pairs else "<Row>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._names, tuple(self))


def row_class(names: Sequence[str]) -> type[Row]:
    """A `Row` subclass for these column names (some 10 µs): make one per list of columns and call it with the values."""
    columns = tuple(names)
    index = {name: position for position, name in enumerate(columns)}
    return type("Row", (Row,), {"__slots__": (), "__module__": __name__, "_names": columns, "_index": index})


def _rebuild(names: tuple[str, ...], values: Iterable[Any]) -> Row:
    cls = _rebuilt.get(names)
    if cls is None:
        if len(_rebuilt) >= _REBUILT_LIMIT:
            _rebuilt.pop(next(iter(_rebuilt)))
        cls = _rebuilt[names] = row_class(names)
    return cls(values)


_REBUILT_LIMIT = 256
_rebuilt: dict[tuple[str, ...], type[Row]] = {}
"""Classes of unpickled rows, so that a million rows from another process do not make a million classes."""
