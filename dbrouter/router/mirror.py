"""
Mirror: sends copies of statements in the background and throws their answers away.

A copy never delays, fails or pins the statement it copies: offering one is synchronous, a bounded number is on its way at once, a
bounded number waits, and what exceeds both is dropped and counted. Copies have no order among themselves or beside the originals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from dbrouter.tasks import OwnedTasks

Send = Callable[[], Awaitable[Any]]


class Mirror:
    """
    The copies of one router.

    Attributes:
        sent: copies that were answered, well or not.
        failed: of those, how many raised.
        dropped: copies that found the queue full, or the router closing.
    """

    __slots__ = ("_max_concurrency", "_max_queue", "_tasks", "_waiting", "dropped", "failed", "running", "sent")

    def __init__(self, tasks: OwnedTasks, *, max_concurrency: int, max_queue: int) -> None:
        self._tasks = tasks
        self._max_concurrency = max_concurrency
        self._max_queue = max_queue
        self._waiting: deque[Send] = deque()
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

    def offer(self, send: Send) -> None:
        """Send a copy as soon as there is room for it, or drop it."""
        if self.running < self._max_concurrency:
            self.running += 1
            if self._tasks.start(self._work(send), name="mirror") is None:
                self.running -= 1
                self.dropped += 1
        elif len(self._waiting) < self._max_queue:
            self._waiting.append(send)
        else:
            self.dropped += 1

    async def _work(self, send: Send) -> None:
        try:
            while True:
                try:
                    await send()
                except Exception:
                    self.failed += 1
                self.sent += 1
                if not self._waiting:
                    return
                send = self._waiting.popleft()
        finally:
            self.running -= 1
