"""
RetryBudget: retries are a share of the calls, so that they never make an overload worse.

Finagle's form: every call deposits a share, every retry withdraws one, a floor per second is always granted; what is not used leaks away
after `_SECONDS`. The hot path only counts (`calls`); the account is settled when a withdrawal is asked for.
"""

from __future__ import annotations

from collections import deque

from dbrouter.config.schema import RetrySettings

_SECONDS = 10.0


class RetryBudget:
    """The retry account of one hostgroup; `calls` is bumped by the hot path, once per call."""

    __slots__ = ("_deposits", "_floor", "_seen", "_share", "_withdrawals", "calls")

    def __init__(self, settings: RetrySettings) -> None:
        self.calls = 0
        self._share = settings.budget
        self._floor = settings.budget_min
        self._seen = 0
        self._deposits: deque[tuple[float, int]] = deque()
        self._withdrawals: deque[float] = deque()

    def balance(self, now: float) -> float:
        """Retries that may be made at *now* (monotonic seconds)."""
        fresh = self.calls - self._seen
        if fresh:
            self._deposits.append((now, fresh))
            self._seen = self.calls
        horizon = now - _SECONDS
        while self._deposits and self._deposits[0][0] < horizon:
            self._deposits.popleft()
        while self._withdrawals and self._withdrawals[0] < horizon:
            self._withdrawals.popleft()
        earned = self._share * sum(count for _, count in self._deposits) + self._floor * _SECONDS
        return earned - len(self._withdrawals)

    def withdraw(self, now: float) -> bool:
        """Take one retry out of the budget; False when it is used up."""
        if self.balance(now) < 1.0:
            return False
        self._withdrawals.append(now)
        return True
