"""Backoff and pace: full jitter within bounds, and no wait that the deadline or the attempts forbid."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.config.schema import RetrySettings
from dbrouter.resilience.backoff import next_delay
from dbrouter.resilience.retry import RetryPace

SETTINGS = RetrySettings(attempts=3, backoff=0.05, backoff_max=2.0)


def delays(attempt: int, settings: RetrySettings = SETTINGS, times: int = 4000) -> list[float]:
    rng = random.Random(7)
    return [next_delay(attempt, settings, rng) for _ in range(times)]


@pytest.mark.parametrize(("attempt", "ceiling"), [(0, 0.05), (1, 0.05), (2, 0.1), (3, 0.2), (6, 1.6), (7, 2.0), (50, 2.0)])
def test_delays_are_uniform_up_to_a_ceiling_that_doubles(attempt: int, ceiling: float) -> None:
    """Every tenth of the range up to the doubled base, at most the cap, is drawn about equally often."""
    tenths = [0] * 10
    for delay in delays(attempt):
        assert 0.0 <= delay <= ceiling
        tenths[min(9, int(10 * delay / ceiling))] += 1

    assert min(tenths) > 320
    assert max(tenths) < 480


@given(st.integers(-5, 10**9), st.floats(0.0, 10.0), st.floats(0.0, 100.0), st.integers())
def test_no_attempt_number_overflows(attempt: int, backoff: float, extra: float, seed: int) -> None:
    """However many attempts were made, a delay is a number between nothing and the cap."""
    settings = RetrySettings(backoff=backoff, backoff_max=backoff + extra)

    assert 0.0 <= next_delay(attempt, settings, random.Random(seed)) <= settings.backoff_max


def test_no_backoff_is_no_wait() -> None:
    """A base of zero retries at once."""
    assert set(delays(5, RetrySettings(backoff=0.0))) == {0.0}


def test_the_same_seed_gives_the_same_delays() -> None:
    """Nothing but the injected generator decides."""
    random.seed(1)
    one = [RetryPace(SETTINGS, random.Random(3)).next(1, 0.0, None) for _ in range(3)]
    random.seed(2)
    other = [RetryPace(SETTINGS, random.Random(3)).next(1, 0.0, None) for _ in range(3)]

    assert one == other


def test_a_pace_ends_with_the_attempts() -> None:
    """Of three attempts two may be waited for."""
    pace = RetryPace(SETTINGS, random.Random(1))

    found = [pace.next(attempt, 10.0, None) for attempt in (1, 2, 3, 4)]

    assert [delay is not None for delay in found] == [True, True, False, False]


def test_a_rule_may_say_other_than_the_settings() -> None:
    """`attempts` takes the place of the settings' own."""
    generous = RetryPace(SETTINGS, random.Random(1), attempts=6)
    strict = RetryPace(SETTINGS, random.Random(1), attempts=1)

    assert generous.next(5, 0.0, None) is not None
    assert generous.next(6, 0.0, None) is None
    assert strict.next(1, 0.0, None) is None


@given(st.integers(1, 9), st.floats(0.0, 1e6), st.floats(-1.0, 5.0), st.integers())
def test_no_wait_passes_the_deadline(attempt: int, now: float, left: float, seed: int) -> None:
    """The next attempt begins before the deadline or not at all; and it is not given up while it would."""
    settings = RetrySettings(attempts=10, backoff=0.5, backoff_max=4.0)
    wanted = next_delay(attempt, settings, random.Random(seed))

    delay = RetryPace(settings, random.Random(seed)).next(attempt, now, now + left)

    assert delay == (None if now + wanted >= now + left else wanted)


def test_calls_that_fail_together_do_not_share_a_pace() -> None:
    """Interleaved calls get all their attempts each."""
    rng = random.Random(5)
    paces = [RetryPace(SETTINGS, rng) for _ in range(20)]

    granted = [[pace.next(attempt, 0.0, None) is not None for pace in paces] for attempt in (1, 2, 3)]

    assert granted == [[True] * 20, [True] * 20, [False] * 20]
