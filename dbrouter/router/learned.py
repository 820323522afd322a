"""
LearnedWrites: the statements that read-only servers refused, for as long as that is believed.

Functions change: what wrote yesterday may only read today, and nobody says so. So a digest counts as a write for
`BELIEVED_SECONDS` and is then tried on a replica again; each further refusal doubles the time, up to `BELIEVED_AT_MOST`, because
a try costs a round trip and the connection that refused. A statement of this router that makes, changes or drops a function, a
view or the like makes everything forgotten at once. Forgetting is never unsafe: the replica refuses as it did the first time.
"""

from __future__ import annotations

import asyncio
import re
from time import monotonic
from typing import TYPE_CHECKING

from dbrouter.sql import Statement

if TYPE_CHECKING:
    from dbrouter.router.context import Context

BELIEVED_SECONDS = 300.0
BELIEVED_AT_MOST = 86_400.0
ROUND_SECONDS = 30.0
"""Between two times of forgetting, each of which has every text planned anew."""
LIMIT = 10_000
"""Digests; beyond it the oldest goes."""

_ROUTINES = re.compile(
    r"\b(?:FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OPERATOR|PACKAGE|VIEW|EXTENSION|SCHEMA|DATABASE)\b", re.IGNORECASE
)


def changes_functions(statement: Statement) -> bool:
    """Whether *statement* may change what the functions and views that others call do."""
    return statement.ddl and _ROUTINES.search(statement.text) is not None


class LearnedWrites:
    """Digests that count as writes, in the order in which they were learned."""

    __slots__ = ("_for", "_until", "watched")

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        """Until when each is believed."""
        self._for: dict[int, float] = {}
        """For how long each was believed the last time, forgotten ones included."""
        self.watched = False
        """Whether a task of `keep_forgetting` runs."""

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, digest: int) -> bool:
        return digest in self._until

    def add(self, digest: int, now: float) -> bool:
        """A server refused it; False if that was known."""
        if digest in self._until:
            return False
        seconds = min(2 * self._for.pop(digest, BELIEVED_SECONDS / 2), BELIEVED_AT_MOST)
        for kept in (self._until, self._for):
            if len(kept) >= LIMIT:
                del kept[next(iter(kept))]
        self._for[digest] = seconds
        self._until[digest] = now + seconds
        return True

    def due(self) -> float | None:
        """The moment at which the first is to be forgotten; None where nothing is believed."""
        return min(self._until.values(), default=None)

    def forget(self, now: float) -> bool:
        """Believe no more what was believed until *now*; whether there was anything."""
        over = [digest for digest, until in self._until.items() if until <= now]
        for digest in over:
            del self._until[digest]
        return bool(over)

    def clear(self) -> bool:
        """Believe nothing, and trust as at first; whether anything was believed."""
        known = bool(self._until)
        self._until.clear()
        self._for.clear()
        return known


def keep_forgetting(context: Context) -> None:
    """Let what was learned be forgotten in its time, in one background task of the database."""
    learned = context.planner.learned_writes
    if not learned.watched:
        learned.watched = True
        context.tasks.start(_forget(context, learned), name=f"forget learned writes of {context.database}")


async def _forget(context: Context, learned: LearnedWrites) -> None:
    try:
        while (due := learned.due()) is not None and context.planner.gone is None:
            await asyncio.sleep(min(max(due - monotonic(), ROUND_SECONDS), BELIEVED_SECONDS))
            if learned.forget(monotonic()):
                context.planner.cache.clear()
    finally:
        learned.watched = False
