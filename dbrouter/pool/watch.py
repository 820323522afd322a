"""
DeadlineWatch: cuts the statements of one pool whose deadline has passed, by one timer for all of them.

The timer stands at the earliest deadline and is moved only by an earlier one, so that a statement costs it one comparison
(`Lease.arm`), a pool whose statements share one time-out costs one timer a time-out, and an idle pool none. It cuts one tick
after it fires: a reply that arrived in the same tick (a loop that was blocked, say) wakes its task first and wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbrouter.pool.lease import Lease


class DeadlineWatch:
    """
    Watches whatever *leases* answers.

    Attributes:
        wake_at: when the timer fires (monotonic seconds; infinity without one). A statement with an earlier deadline calls
            `until`.
        cut: how many statements were cut.
    """

    __slots__ = ("_leases", "_timer", "cut", "wake_at")

    def __init__(self, leases: Callable[[], Iterable[Lease]]) -> None:
        self._leases = leases
        self._timer: asyncio.Handle | None = None
        self.wake_at = inf
        self.cut = 0

    def until(self, deadline: float) -> None:
        """Fire at *deadline*."""
        self.stop()
        self.wake_at = deadline
        self._timer = asyncio.get_running_loop().call_later(max(0.0, deadline - monotonic()), self._fired)

    def stop(self) -> None:
        """No timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.wake_at = inf

    def interrupt(self, reason: str, *, reads_only: bool) -> int:
        """Cut the running statements (or only reads) now; how many."""
        count = sum(1 for lease in self._leases() if (lease.is_read or not reads_only) and lease.interrupt(reason))
        self.cut += count
        return count

    def _fired(self) -> None:
        self._timer = asyncio.get_running_loop().call_soon(self._cut_overdue)

    def _cut_overdue(self) -> None:
        now = monotonic()
        earliest = inf
        for lease in self._leases():
            deadline = lease.deadline
            if not lease.armed or deadline is None or lease.interrupted is not None:
                continue
            if deadline > now:
                earliest = min(earliest, deadline)
            elif lease.interrupt("deadline"):
                self.cut += 1
        self.stop()
        if earliest < inf:
            self.until(earliest)
