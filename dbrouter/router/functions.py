"""
FunctionCatalog: what is known of functions that dbrouter does not know by itself, and what follows from it.

Three sources, the first that says something decides: the lists `write_functions` and `read_functions` of the configuration; the
server's catalog (`functions: introspect`); the policy (`learn`: a read until a server refuses it; `primary`: a write).

With `learn`, PostgreSQL's catalog is asked for names as they come up, in the background: after a statement that calls an unknown
function the connection is reset (Safety 7), and one that is declared stable or immutable needs no reset. Answers are forgotten
after `VALID_SECONDS`, because functions change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dbrouter.config.model import FunctionPolicy
from dbrouter.config.patterns import NamePatterns

VALID_SECONDS = 300.0
"""How long an answer of the catalog is believed."""
_LIMIT = 10_000
"""Names remembered; beyond it everything is forgotten and asked again."""


class Sorted(NamedTuple):
    """The unknown functions of a statement, sorted by what is known of them after all."""

    writing: tuple[str, ...]
    """They may write: the statement goes to the primary."""
    unknown: tuple[str, ...]
    """Nobody can say."""


def _in_its_schema(function: str) -> str:
    """*function* without the name of the database in front of its schema's (`shop.public.f`)."""
    return function if function.count(".") < 2 else ".".join(function.split(".")[-2:])


def _among(patterns: NamePatterns, function: str) -> bool:
    return patterns.has(function) or (function.count(".") > 1 and patterns.has(_in_its_schema(function)))


class FunctionCatalog:
    """The functions of one database, as far as somebody declared them or asked."""

    __slots__ = ("_asked", "_harmless", "_may_write", "_policy", "_reads", "_writes", "_writes_somewhere", "introspected")

    def __init__(
        self, policy: FunctionPolicy = FunctionPolicy.LEARN, *, reads: Sequence[str] = (), writes: Sequence[str] = ()
    ) -> None:
        self._policy = policy
        self._reads = NamePatterns(reads)
        self._writes = NamePatterns(writes)
        self._writes_somewhere = NamePatterns([bare for name in writes if (bare := name.rpartition(".")[2]).strip("*?")])
        """The names without their schemas, for calls that leave the schema to the session."""
        self._asked: set[str] = set()
        self._harmless: set[str] = set()
        self._may_write: dict[str, bool] = {}
        self.introspected = False
        """Whether the catalog was read; until then every unknown function may write."""

    def inherit(self, before: FunctionCatalog) -> None:
        """Take over what servers have said to *before*, of the same schema; the configuration is not taken over."""
        self._asked = before._asked
        self._harmless = before._harmless
        if self.introspects and before.introspects:
            self._may_write = before._may_write
            self.introspected = before.introspected

    @property
    def introspects(self) -> bool:
        """Whether the catalog is to be read."""
        return self._policy is FunctionPolicy.INTROSPECT

    def sort(self, functions: Iterable[str], known: Iterable[str] = ()) -> Sorted:
        """
        What is known of *functions* (lower case, qualified where they were written so).

        Args:
            known: names that the server's own functions have (upper case); they may write only where the catalog has a
                function of that name that may, or `write_functions` has the name itself.
        """
        writing, unknown = [], []
        for function in functions:
            if _among(self._writes, function) or ("." not in function and self._writes_somewhere.has(function)):
                writing.append(function)
            elif _among(self._reads, function):
                continue
            elif self._policy is FunctionPolicy.PRIMARY or (self.introspects and not self.introspected):
                writing.append(function)
            elif (may_write := self._declared(function)) is None:
                unknown.append(function)
            elif may_write:
                writing.append(function)
        if self._may_write or self._writes.names:
            writing.extend(filter(self._overloaded, map(str.lower, known)))
        return Sorted(tuple(writing), tuple(unknown))

    def _overloaded(self, function: str) -> bool:
        return function in self._writes.names or (self._may_write.get(function, False) and not self._reads.has(function))

    def _declared(self, function: str) -> bool | None:
        """What the catalog says."""
        found = self._may_write.get(function)
        return self._may_write.get(_in_its_schema(function)) if found is None else found

    def take(self, rows: Iterable[Any]) -> bool:
        """
        Take over the answer of `ROUTINES`; whether anything is different now.

        An unqualified name may write if it may in any schema, because ``search_path`` is the session's own. Names that differ
        in case alone count as one.
        """
        found: dict[str, bool] = {}
        for row in rows:
            name, schema, may_write, hidden = str(row[0]).lower(), str(row[1]).lower(), bool(row[2]), bool(row[3])
            for spelling in (f"{schema}.{name}",) if hidden else (f"{schema}.{name}", name):
                found[spelling] = found.get(spelling, False) or may_write
        changed = not self.introspected or found != self._may_write
        self._may_write = found
        self.introspected = True
        return changed

    # ---- learn: names as they come up

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

    def forget_all(self) -> bool:
        """Believe nothing of what came up; whether anything was asked."""
        asked = bool(self._asked)
        self._asked.clear()
        self._harmless.clear()
        return asked

    def learn(self, functions: Sequence[str], rows: Iterable[Any]) -> bool:
        """
        Take over the answer of `STABLE` on *functions*; whether anything is different now.

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
        """The parameter of `STABLE`: bare names, lower case."""
        return sorted({function.rpartition(".")[2].lower() for function in functions})
