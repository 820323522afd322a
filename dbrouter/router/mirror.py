"""
Mirror: sends copies of statements in the background and throws their answers away.

A copy never delays, fails or pins the statement it copies: offering one is synchronous, a bounded number is on its way at once, a
bounded number waits, and what exceeds both is dropped and counted. Copies that share a place with originals may have a narrower
bound there, so that connections are left. Copies have no order among themselves or beside the originals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple

from dbrouter.tasks import OwnedTasks

Send = Callable[[], Awaitable[Any]]


class _Copy(NamedTuple):
    send: Send
    place: Hashable
    room: int | None


class Mirror:
    """
    The copies of one router.

    Attributes:
        sent: copies that were answered, well or not.
        failed: of those, how many raised.
        dropped: copies that found the queue full, or the router closing.
    """

    __slots__ = ("_busy", "_max_concurrency", "_max_queue", "_tasks", "_waiting", "dropped", "failed", "running", "sent")

    def __init__(self, tasks: OwnedTasks, *, max_concurrency: int, max_queue: int) -> None:
        self._tasks = tasks
        self._max_concurrency = max_concurrency
        self._max_queue = max_queue
        self._waiting: deque[_Copy] = deque()
        self._busy: dict[Hashable, int] = {}
        """By place: copies on their way there. Where one waits for want of room, there is at least one, which will take it."""
        self.running = 0
        self.sent = self.failed = self.dropped = 0

    def reconfigure(self, *, max_concurrency: int, max_queue: int) -> None:
        """Other limits for copies that are offered from now on."""
        self._max_concurrency = max_concurrency
        self._max_queue = max_queue

    @property
    def waiting(self) -> int:
        """Copies that wait for their turn."""
        return len(self._waiting)

    def offer(self, send: Send, *, place: Hashable = None, room: int | None = None) -> None:
        """
        Send a copy as soon as there is room for it, or drop it.

        Args:
            place: where it goes.
            room: how many copies may be on their way there at once, at least 1; None: as many as in all.
        """
        copy = _Copy(send, place, room)
        if self.running < self._max_concurrency and self._has_room(copy):
            self.running += 1
            self._begin(copy)
            if self._tasks.start(self._work(copy), name="mirror") is None:
                self.running -= 1
                self._end(copy)
                self.dropped += 1
        elif len(self._waiting) < self._max_queue:
            self._waiting.append(copy)
        else:
            self.dropped += 1

    def _has_room(self, copy: _Copy) -> bool:
        return copy.room is None or self._busy.get(copy.place, 0) < copy.room

    def _begin(self, copy: _Copy) -> None:
        self._busy[copy.place] = self._busy.get(copy.place, 0) + 1

    def _end(self, copy: _Copy) -> None:
        left = self._busy.pop(copy.place) - 1
        if left:
            self._busy[copy.place] = left

    def _next(self) -> _Copy | None:
        """The first of those that wait for which there is room."""
        for number, copy in enumerate(self._waiting):
            if self._has_room(copy):
                del self._waiting[number]
                return copy
        return None

    async def _work(self, copy: _Copy) -> None:
        following: _Copy | None = copy
        try:
            while following is not None:
                copy, following = following, None
                try:
                    await copy.send()
                except Exception:
                    self.failed += 1
                finally:
                    self._end(copy)
                self.sent += 1
                following = self._next()
                if following is not None:
                    self._begin(following)
        finally:
            self.running -= 1
