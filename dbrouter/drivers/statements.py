"""
Statements: which texts a connection keeps prepared on its server. Decides only; `asyncpg.py` prepares and deallocates.

A text that runs for the first time takes the unnamed statement, which leaves nothing behind on the server; from its second
time on (on whichever connection: `Sightings` is shared by all of a driver) it is prepared under a name and kept. What is kept
has two generations: when the younger is full it becomes the older, and what had been in the older and was not used since is
given up, all in one go, so that one round trip deallocates many statements. A hit in the younger generation is one dictionary
lookup and moves nothing. As many texts as one generation holds may run in turn and all of them stay prepared; where more than
two generations hold run in turn none is prepared, because sightings are forgotten before they come round again.

Rejected: a strict LRU (a move at every hit, a Close round trip at every miss), and preparing at first sight (200,000 texts in
rotation would keep every connection full of statements that never run again).
"""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakSet

KEPT = 256
"""Statements that one connection keeps prepared for sure, by default; for a while it may be twice as many."""
LONGEST = 16 * 1024
"""Characters of the longest text that is kept."""
_SIGHTINGS = 2 * KEPT
_ORPHANS = 64


class Sightings:
    """Texts that ran at least once lately, remembered by their hashes, so that their length costs nothing."""

    __slots__ = ("_half", "_newer", "_older", "kept_by")

    def __init__(self, limit: int = _SIGHTINGS) -> None:
        self._half = limit // 2
        self._newer: set[int] = set()
        self._older: set[int] = set()
        self.kept_by: WeakSet[Statements] = WeakSet()
        """The statements of every connection."""

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def __contains__(self, text: str) -> bool:
        sighting = hash(text)
        return sighting in self._newer or sighting in self._older

    def add(self, text: str) -> None:
        """Remember that *text* ran."""
        self._newer.add(hash(text))
        if len(self._newer) > self._half:
            self._older, self._newer = self._newer, set()

    def stale(self, text: str) -> None:
        """What a connection keeps prepared of *text* did not fit the server any more: no connection uses its own again."""
        for statements in self.kept_by:
            statements.drop(text)


class Statements:
    """
    The statements of one connection.

    Args:
        sightings: shared by the connections of a driver.
        kept: how many statements a generation holds; 0 keeps none and gives no names (behind PgBouncer).
        longest: characters of the longest text that is kept.

    Attributes:
        current: text → the driver's statement; THE lookup of the hot path. The dictionary stays the same object.
        garbage: names to deallocate.
        orphans: names that may or may not exist on the server, because preparing them was cut short.
    """

    __slots__ = ("__weakref__", "_limit", "_longest", "_numbers", "_older", "_sightings", "current", "garbage", "orphans")

    def __init__(self, sightings: Sightings, *, kept: int = KEPT, longest: int = LONGEST) -> None:
        self._sightings = sightings
        sightings.kept_by.add(self)
        self._limit = kept
        self._longest = longest
        self._numbers = count(1)
        self._older: dict[str, Any] = {}
        self.current: dict[str, Any] = {}
        self.garbage: list[str] = []
        self.orphans: list[str] = []

    def __repr__(self) -> str:
        return f"<Statements kept={len(self)} garbage={len(self.garbage)}>"

    def __len__(self) -> int:
        return len(self.current) + len(self._older)

    def revive(self, text: str) -> Any:
        """The statement kept for *text* in the older generation, which makes it young again; None where there is none."""
        state = self._older.pop(text, None)
        if state is not None:
            self._add(text, state)
        return state

    def name_for(self, text: str) -> str:
        """The name to prepare *text* under; empty for the unnamed statement."""
        if self._limit and text in self._sightings and len(text) <= self._longest:
            return f"dbrouter_{next(self._numbers)}"
        return ""

    def ran(self, text: str) -> None:
        """*text* was executed unnamed, and well: the next time it may be worth a name."""
        if self._limit and len(text) <= self._longest:
            self._sightings.add(text)

    def keep(self, text: str, state: Any) -> None:
        """*text* was prepared under a name."""
        self._add(text, state)

    def orphan(self, name: str) -> None:
        """Preparing under *name* was cut short."""
        if len(self.orphans) < _ORPHANS:
            self.orphans.append(name)

    def drop(self, text: str) -> None:
        """Give up what is kept of *text*, if anything; what was begun with it may go on."""
        for kept in (self.current, self._older):
            state = kept.pop(text, None)
            if state is not None:
                self.garbage.append(state.name)

    def forget(self) -> None:
        """Give up every statement: they are stale."""
        self.garbage += [state.name for state in (*self._older.values(), *self.current.values())]
        self._older.clear()
        self.current.clear()

    def lost(self) -> None:
        """The server has none of them any more (DEALLOCATE ALL, DISCARD ALL)."""
        self.forget()
        self.garbage.clear()
        self.orphans.clear()

    def _add(self, text: str, state: Any) -> None:
        if len(self.current) >= self._limit:
            self.garbage += [old.name for old in self._older.values()]
            self._older = dict(self.current)
            self.current.clear()
        self.current[text] = state
