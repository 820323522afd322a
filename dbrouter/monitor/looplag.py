"""
LoopWatch: how long the event loop did not run.

A probe that timed out while the loop was stalled by user code proves nothing about its server, so the monitor asks here first.
One timer every 50 ms; its lateness is the stall.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

_PERIOD = 0.05
_NOTABLE = 0.1
"""Stalls shorter than this many seconds are the ordinary grain of a busy loop."""


class LoopWatch:
    """
    Remembers the loop's recent stalls.

    Args:
        on_stall: told the seconds of each notable stall, after it.
    """

    def __init__(self, on_stall: Callable[[float], None] | None = None) -> None:
        self._on_stall = on_stall
        self._stalls: deque[tuple[float, float]] = deque(maxlen=64)
        self._timer: asyncio.TimerHandle | None = None
        self._expected = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        """End the watch; its timer is cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stalled(self, since: float, now: float) -> float:
        """Seconds within [since, now] (loop time) in which the loop did not run, the stall that is just ending included."""
        total = sum(min(end, now) - max(start, since) for start, end in self._stalls if end > since)
        if self._timer is not None and now > self._expected:
            total += now - max(self._expected, since)
        return max(0.0, total)

    def _arm(self) -> None:
        assert self._loop is not None
        self._expected = self._loop.time() + _PERIOD
        self._timer = self._loop.call_at(self._expected, self._tick)

    def _tick(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        late = now - self._expected
        if late >= _NOTABLE:
            self._stalls.append((self._expected, now))
            if self._on_stall is not None:
                self._on_stall(late)
        self._arm()
