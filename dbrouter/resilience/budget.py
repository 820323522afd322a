"""
RetryBudget: retries are a share of the calls, so that they never make an overload worse.

Finagle's form, per hostgroup: within any ten seconds there may be `budget` retries per call made in them, and `budget_min`
retries a second in any case, so that a quiet service may retry too. What is not used is forgotten with the seconds it was
earned in.

The hot path only counts (`deposit`); the account is settled once a second and when a retry is asked for. Whoever counts on
`calls` directly is settled at the next retry, as if the calls had been spread evenly over the time since.
"""

from __future__ import annotations

from math import ceil, inf

from dbrouter.config.schema import RetrySettings
from dbrouter.resilience.window import SlidingCount

_SECONDS = 10.0
"""How long a call earns and a retry weighs; Finagle's default time to live."""

_ROUNDING = 1e-9


class RetryBudget:
    """
    The retry account of one hostgroup.

    Attributes:
        calls: all calls ever deposited.
        edge: the moment from which a deposit also settles.
    """

    __slots__ = ("_calls", "_floor", "_retries", "_seen", "_settled_at", "_share", "calls", "edge")

    def __init__(self, settings: RetrySettings) -> None:
        self.calls = 0
        self.edge = -inf
        self._share = settings.budget
        self._floor = settings.budget_min * _SECONDS
        self._calls = SlidingCount(_SECONDS)
        self._retries = SlidingCount(_SECONDS)
        self._seen = 0
        self._settled_at: float | None = None

    def __repr__(self) -> str:
        return f"<RetryBudget calls={self._calls.total} retries={self._retries.total} in {_SECONDS:g}s>"

    def reconfigure(self, settings: RetrySettings) -> None:
        """Other shares from now on, of the same calls."""
        self._share = settings.budget
        self._floor = settings.budget_min * _SECONDS

    def deposit(self, now: float) -> None:
        """HOT: a call is made at *now* (monotonic seconds)."""
        if now >= self.edge:
            self._turn_over(now)
        self.calls += 1

    def withdraw(self, now: float) -> bool:
        """Take one retry out of the budget; False when it is used up."""
        if self.balance(now) < 1.0 - _ROUNDING:
            return False
        self._retries.add(now)
        return True

    def balance(self, now: float) -> float:
        """Retries that may be made at *now*; whole ones count."""
        self._settle(now)
        return self._share * self._calls.at(now) + self._floor - self._retries.at(now)

    def _turn_over(self, now: float) -> None:
        # Every deposit since the last settlement was made before the edge, so it belongs to the second that ends now.
        self._calls.total += self.calls - self._seen
        self._calls.advance(now)
        self._settled(now)

    def _settle(self, now: float) -> None:
        fresh = self.calls - self._seen
        if self._settled_at is not None and now - self._settled_at > _SECONDS:
            fresh = ceil(fresh * _SECONDS / (now - self._settled_at))
        self._calls.add(now, fresh)
        self._settled(now)

    def _settled(self, now: float) -> None:
        self._seen = self.calls
        self._settled_at = now
        self.edge = self._calls.edge
