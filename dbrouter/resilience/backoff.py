"""Backoff: how long to wait before a retry."""

from __future__ import annotations

import random

from dbrouter.config.schema import RetrySettings


def next_delay(attempt: int, settings: RetrySettings, rng: random.Random) -> float:
    """
    Seconds to wait before retry number *attempt*.

    Full jitter: uniform in [0, min(cap, base * 2**(attempt - 1))], so that many clients hit by one failure do not return together.

    Args:
        attempt: 1 for the first retry. Large values saturate at the cap and never overflow.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling = settings.backoff * 2.0 ** min(max(attempt, 1) - 1, 60)
    return rng.uniform(0.0, min(settings.backoff_max, ceiling))
