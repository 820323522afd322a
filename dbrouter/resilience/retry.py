"""
RetryPace: how long one troubled call waits before its next attempt, and when it stops trying; paced by tenacity.

One per call and only after its first failure, so nothing of tenacity is on the path of a call that succeeds, and no state is shared
between tasks (a shared `AsyncRetrying` mixes up its callers' attempts). tenacity's wait and stop strategies decide; nobody sleeps here.
"""

from __future__ import annotations

import random

from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_base

from dbrouter.config.schema import RetrySettings
from dbrouter.resilience.backoff import next_delay


class _FullJitter(wait_base):
    """Our formula, with the injected randomness, as a tenacity strategy."""

    def __init__(self, settings: RetrySettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng

    def __call__(self, retry_state: RetryCallState) -> float:
        return next_delay(retry_state.attempt_number, self._settings, self._rng)


class RetryPace:
    """The pace of one call's retries."""

    __slots__ = ("_state", "_stop", "_wait")

    def __init__(self, settings: RetrySettings, rng: random.Random, attempts: int | None = None) -> None:
        self._wait = _FullJitter(settings, rng)
        self._stop = stop_after_attempt(attempts if attempts is not None else settings.attempts)
        self._state = RetryCallState(_RETRYING, None, (), {})

    def next(self, attempt: int, now: float, deadline: float | None) -> float | None:
        """
        Seconds to wait after failed attempt number *attempt*; None when the attempts are used up or the wait would pass *deadline*.

        Args:
            attempt: 1 for the first.
            now, deadline: monotonic seconds.
        """
        state = self._state
        state.attempt_number = attempt
        if self._stop(state):
            return None
        delay = float(self._wait(state))
        if deadline is not None and now + delay >= deadline:
            return None
        return delay


_RETRYING = Retrying()
"""Never run; a `RetryCallState` wants to know its owner."""
