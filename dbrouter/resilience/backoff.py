"""Backoff: how long to wait before a retry. The formula alone; `retry.py` knows when to stop."""

from __future__ import annotations

import random

from dbrouter.config.schema import RetrySettings

_LAST_DOUBLING = 60
"""Beyond it every cap is reached, and a float is still far from overflowing."""


def next_delay(attempt: int, settings: RetrySettings, rng: random.Random) -> float:
    """
    Seconds to wait before retry number *attempt*.

    Full jitter: uniform in [0, min(cap, base * 2**(attempt - 1))], so that many clients hit by one failure do not return
    together.

    Args:
        attempt: 1 for the first retry; less counts as 1. Large values saturate at the cap and never overflow.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    doublings = min(max(attempt, 1) - 1, _LAST_DOUBLING)
    return rng.uniform(0.0, min(settings.backoff_max, settings.backoff * 2.0**doublings))
