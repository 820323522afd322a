"""What a piece of work costs the thread that does it, however many neighbours want the same cores."""

from __future__ import annotations

import os
import threading
from time import perf_counter
from typing import NamedTuple

from tests.pauses import Pauses


class Reading(NamedTuple):
    """A thread's clocks at one moment."""

    at: float
    queued: float
    """Seconds in which the thread could have run and stood in line for a core, since it began."""


class Clock:
    """
    Reads the clocks of the thread it was made in.

    Computing and blocking (sleeping, waiting for a socket, a lock or a file) cost; standing in line for a core does not: the
    kernel counts that apart. Where it does not tell, that costs too.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        try:
            self._file: int | None = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except OSError:
            self._file = None

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)

    def read(self) -> Reading:
        """Both clocks now."""
        assert threading.get_ident() == self._thread, "a thread can only be clocked by itself"
        at = perf_counter()
        if self._file is None:
            return Reading(at, 0.0)
        return Reading(at, int(os.pread(self._file, 64, 0).split()[1]) / 1e9)


def cost(start: Reading, end: Reading, pauses: Pauses) -> float:
    """
    Seconds that the work between two readings cost.

    A machine, or an interpreter, that stood still is seen by *pauses* and not by the thread's own clocks. Where both have seen
    the same moment it is taken off twice: once in a while too little is told, never too much.
    """
    return max(0.0, end.at - start.at - (end.queued - start.queued) - pauses.within(start.at, end.at))
