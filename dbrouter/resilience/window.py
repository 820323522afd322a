"""RateWindow: calls, failures and slow calls of the last seconds, in buckets; O(1) per call."""

from __future__ import annotations


class RateWindow:
    """
    Counts over a sliding window.

    Args:
        seconds: length of the window.
        buckets: into how many parts it is divided; the oldest part is forgotten at once, so the window is that much coarse.
    """

    __slots__ = ("_calls", "_current", "_failed", "_slow", "_width", "buckets", "calls", "edge", "failed", "slow")

    def __init__(self, seconds: float, buckets: int = 10) -> None:
        self.buckets = buckets
        self._width = seconds / buckets
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._calls = [0] * self.buckets
        self._failed = [0] * self.buckets
        self._slow = [0] * self.buckets
        self._current = -1
        self.edge = 0.0
        """Moment at which the current bucket ends: until then `count_call` needs no arithmetic."""
        self.calls = self.failed = self.slow = 0

    def advance(self, now: float) -> None:
        """Move to the bucket of *now*, forgetting those that fell out of the window."""
        bucket = int(now / self._width)
        steps = bucket - self._current if self._current >= 0 else self.buckets
        for step in range(1, min(steps, self.buckets) + 1):
            index = (self._current + step) % self.buckets
            self.calls -= self._calls[index]
            self.failed -= self._failed[index]
            self.slow -= self._slow[index]
            self._calls[index] = self._failed[index] = self._slow[index] = 0
        self._current = bucket
        self.edge = (bucket + 1) * self._width

    def count(self, now: float, *, failed: bool = False, slow: bool = False) -> None:
        """Count one call at *now*."""
        if now >= self.edge:
            self.advance(now)
        index = self._current % self.buckets
        self.calls += 1
        self._calls[index] += 1
        if failed:
            self.failed += 1
            self._failed[index] += 1
        if slow:
            self.slow += 1
            self._slow[index] += 1
