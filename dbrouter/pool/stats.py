"""
What a pool tells of itself: `PoolCounters`, which only its pool writes, and `PoolSnapshot`, frozen, for everybody else.

`Histogram` counts durations by bucket; nodes count their calls in one too.

Durations are seconds. Counts only grow; what is a number of the moment says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

WAIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""
Upper bounds in seconds of the acquire-wait histogram's buckets; one more bucket holds the rest. Calls that did not wait are in
the first.
"""


class Histogram:
    """
    Counts durations by bucket.

    Args:
        bounds: ascending upper bounds in seconds of the buckets; one more bucket holds the rest.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """HOT: count one duration of *seconds*."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many were observed."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSnapshot:
    """A pool's numbers at one moment."""

    name: str
    node: str
    hostgroup: str
    size: int
    """Connections of any kind now: idle + in_use + connecting + settling + closing."""
    idle: int
    in_use: int
    connecting: int
    settling: int
    """Being pinged, settled after a cancellation, or reset, now."""
    closing: int
    waiting: int
    """Callers in line now."""
    min_size: int
    max_size: int
    acquires: int
    """Leases handed out."""
    waits: int
    """Callers that had to stand in line, however it ended."""
    wait_seconds_total: float
    wait_buckets: tuple[int, ...]
    """Leases handed out by how long the caller waited; bounds are `WAIT_BOUNDS`, the last bucket is the rest."""
    timeouts: int
    refused: int
    """Callers turned away because the line was full."""
    connects: int
    connect_failures: int
    connect_seconds_total: float
    """Seconds spent on connecting, failures included."""
    last_connect_failure: str | None
    """``ClassName: message`` of the last failure to connect since the last success."""
    closed: dict[str, int]
    """Connections closed, by reason."""
    leaks: int
    """Leases reported as held too long."""
    interrupted: int
    """Statements cut by a deadline or because their node was shunned."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class PoolCounters:
    """
    What only grows. Leases handed out are not counted here: every seat counts its uses, and closing adds them to `closed_uses`.
    """

    __slots__ = (
        "closed",
        "closed_uses",
        "connect_failures",
        "connect_seconds_total",
        "connects",
        "interrupted",
        "leaks",
        "refused",
        "served",
        "timeouts",
        "wait_seconds_total",
        "waits",
    )

    def __init__(self) -> None:
        self.closed: dict[str, int] = {}
        self.closed_uses = 0
        self.connects = 0
        self.connect_failures = 0
        self.connect_seconds_total = 0.0
        self.interrupted = 0
        self.leaks = 0
        self.refused = 0
        self.timeouts = 0
        self.waits = 0
        self.wait_seconds_total = 0.0
        self.served = Histogram(WAIT_BOUNDS)
        """Leases of this pool whose holders had waited, in its line or in another's."""

    def waited(self, seconds: float) -> None:
        """A caller left the line after *seconds*."""
        self.waits += 1
        self.wait_seconds_total += seconds

    def connection_closed(self, why: str, uses: int) -> None:
        """A connection that was leased *uses* times is closed."""
        self.closed[why] = self.closed.get(why, 0) + 1
        self.closed_uses += uses

    def buckets(self, acquires: int) -> tuple[int, ...]:
        """The histogram of *acquires* leases, those that did not wait in the first bucket."""
        first, *rest = self.served.counts
        return (first + acquires - self.served.count, *rest)
