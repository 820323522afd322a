"""
FunctionCatalog: what PostgreSQL's catalog says of functions dbrouter does not know.

After a statement that calls an unknown function the connection is reset in the background (Safety 7). A function that is declared
stable or immutable needs no reset; so the names are looked up, in the background too, and forgotten after `VALID_SECONDS`,
because functions change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

LOOK_UP = (
    "SELECT p.proname::text AS name, n.nspname::text AS schema, bool_and(p.provolatile IN ('i', 's')) AS harmless"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE lower(p.proname::text) = ANY($1::text[]) GROUP BY 1, 2"
)
"""Per name and schema, whether every overload is stable or immutable."""

VALID_SECONDS = 300.0
"""How long an answer of the catalog is believed."""
_LIMIT = 10_000
"""Names remembered; beyond it everything is forgotten and asked again."""


class FunctionCatalog:
    """The functions of one database, as far as somebody asked."""

    __slots__ = ("_asked", "_harmless")

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._harmless: set[str] = set()

    def harmless(self, functions: Iterable[str]) -> bool:
        """Whether the catalog says of all of *functions* that they are stable or immutable."""
        return all(function in self._harmless for function in functions)

    def unasked(self, functions: Iterable[str]) -> tuple[str, ...]:
        """Those of *functions* that should be looked up now; they count as asked from here on."""
        if len(self._asked) > _LIMIT:
            self._asked.clear()
            self._harmless.clear()
        wanted = tuple(function for function in functions if function not in self._asked)
        self._asked.update(wanted)
        return wanted

    def forget(self, functions: Iterable[str]) -> None:
        """Believe nothing of *functions* any more; they may be asked again."""
        self._asked.difference_update(functions)
        self._harmless.difference_update(functions)

    def learn(self, functions: Sequence[str], rows: Iterable[Any]) -> bool:
        """
        Take over the answer of `LOOK_UP` on *functions*; whether anything is different now.

        An unqualified name is harmless only if it is in every schema, because ``search_path`` is the session's own.
        """
        by_name: dict[str, list[tuple[str, bool]]] = {}
        for row in rows:
            by_name.setdefault(row["name"].lower(), []).append((row["schema"].lower(), row["harmless"]))
        before = set(self._harmless)
        for function in functions:
            schema, _, name = function.rpartition(".")
            found = [harmless for place, harmless in by_name.get(name, ()) if not schema or place == schema]
            (self._harmless.add if found and all(found) else self._harmless.discard)(function)
        return self._harmless != before

    @staticmethod
    def names(functions: Iterable[str]) -> list[str]:
        """The parameter of `LOOK_UP`: bare names, lower case."""
        return sorted({function.rpartition(".")[2].lower() for function in functions})
