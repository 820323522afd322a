"""
RetryPace: how long one troubled call waits before its next attempt, and when it stops trying; paced by tenacity.

One per call and only after its first failure, so nothing of tenacity is on the path of a call that succeeds, and no state is
shared between tasks (a shared `AsyncRetrying` mixes up its callers' attempts). tenacity's wait and stop strategies decide;
nobody sleeps here. What may be retried at all, and where, is the router's decision; whether the hostgroup can afford it is
`RetryBudget`'s.
"""

from __future__ import annotations

import random

from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_after_attempt, stop_before_delay
from tenacity.wait import wait_base

from dbrouter.config.schema import RetrySettings
from dbrouter.resilience.backoff import next_delay

_RETRYING = Retrying()
"""Never run; a `RetryCallState` wants to know its owner."""


class RetryPace:
    """
    The pace of one call's retries.

    Args:
        attempts: of the call at most, the first included, where a rule says other than *settings*.
    """

    __slots__ = ("_state", "_stop", "_wait")

    def __init__(self, settings: RetrySettings, rng: random.Random, attempts: int | None = None) -> None:
        self._wait = _FullJitter(settings, rng)
        self._stop = stop_after_attempt(settings.attempts if attempts is None else attempts)
        self._state = RetryCallState(_RETRYING, None, (), {})
        # Then tenacity's "seconds since start" is the clock that `now` and `deadline` are read from.
        self._state.start_time = 0.0

    def next(self, attempt: int, now: float, deadline: float | None) -> float | None:
        """
        Seconds to wait after failed attempt number *attempt*; None when attempts are used up or the next one would begin at
        *deadline* or later.

        Args:
            attempt: 1 for the first.
            now, deadline: on the same clock.
        """
        state = self._state
        state.attempt_number = attempt
        state.outcome_timestamp = now
        state.upcoming_sleep = delay = self._wait(state)
        if self._stop(state) or (deadline is not None and stop_before_delay(deadline)(state)):
            return None
        return delay


class _FullJitter(wait_base):
    """
    `next_delay` as a strategy of tenacity.

    Not `wait_random_exponential`, whose formula is the same: that one draws from the global generator.
    """

    def __init__(self, settings: RetrySettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng

    def __call__(self, retry_state: RetryCallState) -> float:
        return next_delay(retry_state.attempt_number, self._settings, self._rng)
