"""
Pace: when a pool may try to connect again.

Three limits, all pure: a bucket of attempts (a burst, then so many a second), how many attempts run side by side,
and after failures a jittered exponential delay with one attempt at a time, so that a server that comes back is met by a trickle.
A failure that blames the configuration (a wrong password) waits at least a second: a hot loop of log-ins locks accounts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from dbrouter.terms import Blame


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """Limits on connecting; the defaults suit servers that take some milliseconds to accept a connection."""

    parallel: int = 3
    """Attempts side by side while none fails."""
    per_second: float = 100.0
    burst: int = 20
    backoff: float = 0.05
    """Seconds after the first failure; doubles with each further one."""
    backoff_max: float = 5.0
    backoff_config: float = 1.0
    """Least seconds after a failure that blames the configuration."""


class Pace:
    """Answers `next_at`; told of every attempt's start and end."""

    __slots__ = ("_failed_at", "_not_before", "_settings", "_tokens", "_tokens_at", "failures", "started_at")

    def __init__(self, settings: PaceSettings) -> None:
        self._settings = settings
        self._tokens = float(settings.burst)
        self._tokens_at = 0.0
        self._not_before = 0.0
        self._failed_at = 0.0
        self.failures = 0
        """Failures in a row."""
        self.started_at = 0.0
        """When the youngest attempt started."""

    def reconfigure(self, settings: PaceSettings) -> None:
        """Other limits from now on; what was being waited for after a failure is tried at once."""
        self._settings = settings
        self.succeeded()

    @property
    def parallel(self) -> int:
        """How many attempts may run side by side now."""
        return 1 if self.failures else self._settings.parallel

    def next_at(self, now: float) -> float:
        """The moment from which one more attempt may start; *now* or earlier means at once."""
        self._refill(now)
        at = self._not_before
        if self._tokens < 1.0:
            at = max(at, now + (1.0 - self._tokens) / self._settings.per_second)
        return at

    def started(self, now: float) -> None:
        """An attempt starts."""
        self._refill(now)
        self._tokens -= 1.0
        self.started_at = now

    def succeeded(self) -> None:
        """An attempt ended well: no delay any more."""
        self.failures = 0
        self._not_before = 0.0

    def failed(self, started_at: float, now: float, blame: Blame, rng: random.Random) -> float:
        """
        An attempt that began at *started_at* failed; answers the seconds until the next one may start.

        Attempts that were already running when the last failure came count as the same failure.
        """
        if started_at >= self._failed_at:
            self.failures += 1
        self._failed_at = now
        settings = self._settings
        delay = min(settings.backoff_max, settings.backoff * 2.0 ** min(self.failures - 1, 30))
        if blame is Blame.CONFIG:
            delay = max(settings.backoff_config, min(settings.backoff_max, 2 * delay))
            delay *= 1.0 + 0.5 * rng.random()
        else:
            delay *= 0.5 + 0.5 * rng.random()
        self._not_before = now + delay
        return delay

    def _refill(self, now: float) -> None:
        if self._tokens_at:
            self._tokens = min(float(self._settings.burst), self._tokens + (now - self._tokens_at) * self._settings.per_second)
        self._tokens_at = now
