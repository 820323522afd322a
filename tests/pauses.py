"""When the machine did not let this process run, so that a test of promptness blames the code and not the neighbours."""

from __future__ import annotations

import threading
from time import perf_counter
from types import TracebackType

TICK = 0.005
LATE = 0.02
"""Seconds: a thread that does nothing but sleep wakes later than this only when it was kept from running."""


class Pauses:
    """
    Watches from a thread of its own, while used as a context manager.

    An event loop that computes or blocks does not stop that thread (the interpreter changes threads every 5 ms, and a blocking
    call gives the interpreter away), so slowness of the code under test is not excused by it.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._pauses: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._watch, name="pauses", daemon=True)

    def __enter__(self) -> Pauses:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        before = perf_counter()
        while not self._ended.wait(TICK):
            now = perf_counter()
            if now - before > LATE:
                self._pauses.append((before, now))
            before = now

    def within(self, start: float, end: float) -> float:
        """Seconds between two moments of `perf_counter` in which this process was kept from running."""
        return sum(max(0.0, min(end, until) - max(start, since)) for since, until in self._pauses)
