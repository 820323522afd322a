"""
SlidingCount and RateWindow: how often something happened within the last seconds.

A window is cut into buckets of equal length; the oldest bucket is forgotten as a whole, so a count covers between ``(buckets -
1) / buckets`` of the window and all of it. Counting costs one addition; only the first count after the end of a bucket (`edge`)
does more, and that is bounded by the number of buckets however long nothing was counted.
"""

from __future__ import annotations

from math import inf


class SlidingCount:
    """
    One number over a sliding window.

    Hot paths may write out what `add` does::

        if now >= count.edge:
            count.advance(now)
        count.total += 1

    Args:
        seconds: length of the window.
        buckets: into how many parts it is cut.

    Attributes:
        total: counted within the window, as of the last `advance`.
        edge: the moment at which the current bucket ends.
    """

    __slots__ = ("_bucket", "_carried", "_past", "_width", "edge", "total")

    def __init__(self, seconds: float, buckets: int = 10) -> None:
        self._width = seconds / buckets
        self._past = [0] * buckets
        self.clear()

    def __repr__(self) -> str:
        return f"<SlidingCount {self.total} in {self._width * len(self._past):g}s>"

    def clear(self) -> None:
        """Forget everything."""
        self._past = [0] * len(self._past)
        self._bucket = 0
        self._carried = 0
        """What of `total` lies in `_past`; the rest belongs to the current bucket."""
        self.total = 0
        self.edge = -inf

    def add(self, now: float, times: int = 1) -> None:
        """It happened *times* at *now* (seconds, not before the last count)."""
        if now >= self.edge:
            self.advance(now)
        self.total += times

    def at(self, now: float) -> int:
        """How often it happened within the window that ends at *now*."""
        if now >= self.edge:
            self.advance(now)
        return self.total

    def advance(self, now: float) -> None:
        """Begin the bucket of *now* and forget those that fell out of the window."""
        bucket = int(now / self._width)
        past = self._past
        if bucket - self._bucket >= len(past):
            self._past = [0] * len(past)
            self.total = 0
        else:
            # Not an assignment: where now / width rounds down to the bucket that has just ended, the same one goes on.
            past[self._bucket % len(past)] += self.total - self._carried
            for step in range(self._bucket + 1, bucket + 1):
                self.total -= past[step % len(past)]
                past[step % len(past)] = 0
        self._bucket = bucket
        self._carried = self.total
        self.edge = (bucket + 1) * self._width


class RateWindow:
    """
    What became of a node's calls within the last *seconds*.

    Attributes:
        calls: all of them, the failed and the slow ones included.
        failed: those that failed by the node's fault.
        unreachable: those among them whose connection broke or could not be made.
        slow: those that succeeded slowly.
    """

    __slots__ = ("calls", "failed", "slow", "unreachable")

    def __init__(self, seconds: float, buckets: int = 10) -> None:
        self.calls = SlidingCount(seconds, buckets)
        self.failed = SlidingCount(seconds, buckets)
        self.unreachable = SlidingCount(seconds, buckets)
        self.slow = SlidingCount(seconds, buckets)

    def __repr__(self) -> str:
        return f"<RateWindow calls={self.calls.total} failed={self.failed.total} slow={self.slow.total}>"

    def clear(self) -> None:
        """Forget everything; the counters stay the same objects."""
        self.calls.clear()
        self.failed.clear()
        self.unreachable.clear()
        self.slow.clear()
