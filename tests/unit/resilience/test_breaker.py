"""The breaker: what opens it, who may try, what closes it, what is too late to count, and what it says of itself."""

from __future__ import annotations

import random
from collections.abc import Callable

import pybreaker
import pytest

from dbrouter.config.schema import BreakerSettings
from dbrouter.resilience.breaker import Breaker
from dbrouter.terms import BreakerState

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED

Change = tuple[BreakerState, BreakerState, str, float | None]


class Told:
    """A breaker with a record of what its observer was told."""

    def __init__(self, settings: BreakerSettings | None = None, seed: int = 1) -> None:
        self.changes: list[Change] = []
        self.breaker = Breaker("db2:5432", settings or BreakerSettings(), random.Random(seed), self._note)

    def _note(self, old: BreakerState, new: BreakerState, why: str, retry_after: float | None) -> None:
        self.changes.append((old, new, why, retry_after))

    def fail(self, now: float, times: int = 1, *, connect_class: bool = True, last_usable: bool = False) -> None:
        for _ in range(times):
            breaker = self.breaker
            breaker.failed(now, breaker.generation, connect_class=connect_class, why="08006", last_usable=last_usable)

    def succeed(self, now: float, times: int = 1, seconds: float = 0.001) -> None:
        for _ in range(times):
            self.breaker.succeeded(now, seconds, self.breaker.generation)

    def open(self, now: float) -> float:
        """Open it, and answer the moment from which a probe may half-open it."""
        self.fail(now, 5)
        assert self.breaker.state is OPEN
        return now + self.breaker.retry_after(now)

    def half_open(self, now: float) -> float:
        """Bring it to half-open, and answer the moment at which it got there."""
        until = self.open(now)
        self.breaker.probe_succeeded(until)
        assert self.breaker.state is HALF_OPEN
        return until


# ---- what opens it


def test_it_opens_after_failures_in_a_row() -> None:
    """The fifth failure in a row opens it, and the message says so."""
    told = Told()

    told.fail(10.0, 4)
    assert told.breaker.closed
    told.fail(10.1)

    assert told.breaker.state is OPEN
    assert not told.breaker.closed
    [(old, new, why, retry_after)] = told.changes
    assert (old, new, why) == (CLOSED, OPEN, "5 failures in a row, the last one 08006")
    assert retry_after == pytest.approx(told.breaker.retry_after(10.1))


def test_a_success_ends_the_row() -> None:
    """Failures with successes between them are no row."""
    told = Told(BreakerSettings(minimum_calls=1000))

    for step in range(50):
        told.fail(10.0 + step, 4)
        told.succeed(10.0 + step)

    assert told.changes == []


def test_it_opens_by_failure_rate() -> None:
    """Half of twenty calls within the window is too much, whatever their order."""
    told = Told()

    for step in range(9):
        told.succeed(10.0 + step * 0.1)
        told.fail(10.0 + step * 0.1)
    told.succeed(11.0)
    assert told.breaker.closed
    told.fail(11.0)

    assert told.breaker.state is OPEN
    assert told.changes[0][2] == "10 of 20 calls failed within 10s"


def test_old_calls_do_not_count_for_the_rate() -> None:
    """What fell out of the window neither opens nor protects."""
    told = Told(BreakerSettings(consecutive_failures=1000))

    told.succeed(10.0, 1000)
    told.fail(25.0, 19)
    assert told.breaker.closed
    told.fail(25.0)

    assert told.changes[0][2] == "20 of 20 calls failed within 10s"


def test_the_rate_can_be_switched_off() -> None:
    """`failure_rate: null` leaves failures in a row alone to judge."""
    told = Told(BreakerSettings(failure_rate=None))

    for step in range(100):
        told.fail(10.0 + step * 0.01, 4)
        told.succeed(10.0 + step * 0.01)

    assert told.changes == []


def test_it_opens_by_slow_calls() -> None:
    """A node that answers everything slowly is out of use although nothing failed: the grey failure."""
    told = Told(BreakerSettings(slow_call=0.2))

    told.succeed(10.0, 10, seconds=0.199)
    told.succeed(10.5, 9, seconds=0.2)
    assert told.breaker.closed
    told.succeed(10.6, seconds=3.0)

    assert told.breaker.state is OPEN
    assert told.changes[0][2] == "10 of 20 calls took 0.2s or longer within 10s"


def test_without_slow_call_no_call_is_slow() -> None:
    """By default an hour is not slow: reports may take their time."""
    told = Told()

    told.succeed(10.0, 100, seconds=3600.0)

    assert told.changes == []
    assert told.breaker.snapshot(10.0).slow_calls == 0


def test_a_slow_success_ends_a_row_of_failures() -> None:
    """Slow is not failed."""
    told = Told(BreakerSettings(slow_call=0.2, minimum_calls=1000))

    for _ in range(10):
        told.fail(10.0, 4)
        told.succeed(10.0, seconds=1.0)

    assert told.changes == []


# ---- the last usable node


def test_the_last_usable_node_stays_in_use_while_it_can_be_reached() -> None:
    """Failures that are not connect-class never open the last one, in a row or by rate."""
    told = Told()

    told.fail(10.0, 500, connect_class=False, last_usable=True)

    assert told.breaker.closed
    assert told.breaker.snapshot(10.0).failed_calls == 500


def test_the_last_usable_node_opens_when_it_cannot_be_reached() -> None:
    """There is nothing to be had from a node that cannot be connected to."""
    told = Told()

    told.fail(10.0, 5, connect_class=True, last_usable=True)

    assert told.breaker.state is OPEN


def test_other_failures_do_not_help_to_open_the_last_usable_node() -> None:
    """Only the connect-class ones are counted for it, in a row and by rate."""
    told = Told()

    for _ in range(30):
        told.fail(10.0, 4, connect_class=True, last_usable=True)
        told.fail(10.0, 20, connect_class=False, last_usable=True)

    assert told.breaker.closed


def test_only_a_connect_class_failure_opens_the_last_usable_node() -> None:
    """A rate of them that is already too high waits for the next one."""
    told = Told(BreakerSettings(failure_rate=0.2, minimum_calls=10))

    told.fail(10.0, 4, connect_class=True, last_usable=True)
    told.fail(10.0, 7, connect_class=False, last_usable=True)
    assert told.breaker.closed
    told.fail(10.0, 1, connect_class=True, last_usable=True)

    assert told.changes[0][2] == "5 of 12 calls failed within 10s"


def test_a_success_ends_the_row_of_connect_class_failures_too() -> None:
    """The last usable node is judged by its own row, and that begins anew as well."""
    told = Told(BreakerSettings(minimum_calls=1000))

    for _ in range(10):
        told.fail(10.0, 4, connect_class=True, last_usable=True)
        told.succeed(10.0)

    assert told.breaker.closed


def test_slow_calls_do_not_open_the_last_usable_node() -> None:
    """A slow answer is better than none."""
    told = Told(BreakerSettings(slow_call=0.2))
    last = True
    told.breaker.is_last_usable = lambda: last

    told.succeed(10.0, 100, seconds=5.0)
    assert told.breaker.closed
    last = False
    told.succeed(10.0, seconds=5.0)

    assert told.breaker.state is OPEN


def test_a_node_that_is_no_longer_the_last_one_is_judged_like_any_other() -> None:
    """The failures it was spared then count."""
    told = Told()

    told.fail(10.0, 10, connect_class=False, last_usable=True)
    told.fail(10.0, 1, connect_class=False, last_usable=False)

    assert told.breaker.state is OPEN


# ---- open time


def test_it_stays_open_for_its_time_and_no_probe_shortens_it() -> None:
    """A probe before the time is over changes nothing; the first one after it half-opens."""
    told = Told()
    until = told.open(10.0)

    told.breaker.probe_succeeded(until - 0.001)
    assert told.breaker.state is OPEN
    told.breaker.probe_succeeded(until)

    assert told.breaker.state is HALF_OPEN
    assert 10.4 <= until <= 10.6


def test_time_alone_does_not_half_open_it() -> None:
    """Somebody has to get through first, and that is the probe."""
    told = Told()
    told.open(10.0)

    assert told.breaker.admit(1000.0) is None
    assert told.breaker.retry_after(1000.0) == 0.0
    assert told.breaker.state is OPEN


def test_the_open_time_doubles_up_to_its_limit() -> None:
    """Each failed try waits about twice as long as the one before, up to `open_for_max`."""
    told = Told()
    now = 10.0
    told.fail(now, 5)
    lengths = []

    for _ in range(10):
        lengths.append(told.breaker.retry_after(now))
        now += lengths[-1]
        told.breaker.probe_succeeded(now)
        told.breaker.probe_failed(now, "TimeoutError")

    for length, plain in zip(lengths, (0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30), strict=True):
        assert 0.8 * plain <= length <= min(30.0, 1.2 * plain)
    assert told.breaker.opened == 11


def test_open_times_are_spread_even_at_the_limit() -> None:
    """Many processes that lost the same node do not come back in step."""
    settings = BreakerSettings(open_for=5.0, open_for_max=5.0)
    lengths = [told.open(10.0) - 10.0 for told in (Told(settings, seed) for seed in range(500))]

    assert 4.0 <= min(lengths) < 4.1
    assert 4.9 < max(lengths) <= 5.0
    assert 100 < sum(length < 4.5 for length in lengths) < 400
    assert len(set(lengths)) > 490


def test_growth_is_forgotten_window_by_window_of_good_behaviour() -> None:
    """A node that flaps waits longer each time; one that was well for a while starts again from the first length."""

    def second_length(closed_for: float) -> float:
        told = Told(BreakerSettings(successes_to_close=1))
        now = told.half_open(10.0)
        for _ in range(3):
            told.breaker.probe_failed(now, "x")
            now += told.breaker.retry_after(now)
            told.breaker.probe_succeeded(now)
        told.breaker.probe_succeeded(now)
        assert told.breaker.closed
        return told.open(now + closed_for) - now - closed_for

    assert 6.4 <= second_length(closed_for=1.0) <= 9.6
    assert 3.2 <= second_length(closed_for=12.0) <= 4.8
    assert 0.4 <= second_length(closed_for=1000.0) <= 0.6


# ---- half-open


def test_good_tries_close_it() -> None:
    """The probe that half-opens is not yet a try; two good ones after it close."""
    told = Told()
    now = told.half_open(10.0)

    told.breaker.probe_succeeded(now + 0.5)
    assert told.breaker.state is HALF_OPEN
    told.breaker.probe_succeeded(now + 1.0)

    assert told.breaker.closed
    assert [(old, new) for old, new, _, _ in told.changes] == [(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED)]


def test_admitted_calls_are_tries_too() -> None:
    """A call with a permit counts like a probe."""
    told = Told()
    now = told.half_open(10.0)

    permit = told.breaker.admit(now)
    assert permit is not None
    told.breaker.succeeded(now + 0.2, 0.1, permit.generation)
    told.breaker.release(permit)
    told.breaker.probe_succeeded(now + 0.3)

    assert told.breaker.closed


@pytest.mark.parametrize("permits", [1, 3])
def test_only_so_many_are_admitted_at_a_time(permits: int) -> None:
    """Of a hundred callers as many get in as there are permits, and the others are counted."""
    told = Told(BreakerSettings(half_open_permits=permits))
    now = told.half_open(10.0)

    admitted = [permit for permit in (told.breaker.admit(now) for _ in range(100)) if permit is not None]

    assert len(admitted) == told.breaker.permits == permits
    assert told.breaker.not_permitted == 100 - permits
    told.breaker.release(admitted[0])
    told.breaker.release(admitted[0])
    assert told.breaker.admit(now) is not None
    assert told.breaker.admit(now) is None


def test_a_lost_permit_does_not_wedge_it() -> None:
    """A permit that never comes back is given out again."""
    told = Told()
    now = told.half_open(10.0)
    assert told.breaker.admit(now) is not None

    assert told.breaker.admit(now + 29.9) is None
    assert told.breaker.admit(now + 30.1) is not None


def test_a_cancelled_try_says_nothing() -> None:
    """Its permit comes back, and that is all."""
    told = Told(BreakerSettings(successes_to_close=1))
    now = told.half_open(10.0)

    for _ in range(20):
        permit = told.breaker.admit(now)
        assert permit is not None
        told.breaker.release(permit)

    assert told.breaker.state is HALF_OPEN
    assert told.breaker.permits == 0


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (lambda breaker, now: breaker.failed(now, breaker.generation, connect_class=False, why="57P01"), "a try failed: 57P01"),
        (lambda breaker, now: breaker.probe_failed(now, "TimeoutError"), "a probe failed: TimeoutError"),
        (lambda breaker, now: breaker.succeeded(now, 1.5, breaker.generation), "a try took 1.5s, slow is 1s"),
    ],
    ids=["call", "probe", "slow"],
)
def test_a_bad_try_opens_it_again(end: Callable[[Breaker, float], None], why: str) -> None:
    """One failed or slow try is enough; permits that are out become void."""
    told = Told(BreakerSettings(slow_call=1.0))
    now = told.half_open(10.0)
    permit = told.breaker.admit(now)
    assert permit is not None

    end(told.breaker, now + 2.0)

    assert told.breaker.state is OPEN
    assert told.changes[-1][2] == why
    assert told.breaker.permits == 0
    told.breaker.release(permit)
    assert told.breaker.permits == 0


def test_a_failed_probe_is_no_business_of_a_closed_breaker() -> None:
    """Shunning is the monitor's; so many failed probes do not open it."""
    told = Told()

    for step in range(100):
        told.breaker.probe_failed(10.0 + step, "TimeoutError")

    assert told.changes == []


# ---- late results


def test_results_of_an_older_generation_are_ignored() -> None:
    """A hundred calls that were under way when it opened change nothing when they end, whatever it is then."""
    told = Told()
    before = told.breaker.generation
    now = told.half_open(10.0)

    for _ in range(100):
        told.breaker.failed(now, before, connect_class=True, why="late")
        told.breaker.succeeded(now, 0.001, before)

    assert told.breaker.state is HALF_OPEN
    told.breaker.probe_succeeded(now)
    told.breaker.probe_succeeded(now)
    for _ in range(100):
        told.breaker.failed(now, before, connect_class=True, why="late")
    assert told.breaker.closed
    assert told.breaker.snapshot(now).buffered_calls == 0


def test_calls_that_began_before_the_present_state_are_ignored() -> None:
    """Where the caller kept no generation, the seconds it took tell that it is late."""
    told = Told(BreakerSettings(successes_to_close=1))
    now = told.half_open(10.0)

    told.breaker.succeeded(now + 1.0, 1.5, told.breaker.generation)
    told.breaker.failed(now + 1.0, told.breaker.generation, connect_class=True, why="late", seconds=2.0)

    assert told.breaker.state is HALF_OPEN
    told.breaker.succeeded(now + 1.0, 0.5, told.breaker.generation)
    assert told.breaker.closed


def test_failures_while_open_do_not_prolong_it() -> None:
    """What was under way when it opened fails now, and the moment of the first try stays."""
    told = Told()
    until = told.open(10.0)

    told.fail(10.2, 100)

    assert 10.2 + told.breaker.retry_after(10.2) == pytest.approx(until)
    assert told.breaker.opened == 1


def test_it_starts_afresh_after_recovery() -> None:
    """Failures from before the outage are forgotten: closed again, it takes five new ones."""
    told = Told()
    now = told.half_open(10.0)
    told.breaker.probe_succeeded(now)
    told.breaker.probe_succeeded(now)

    told.fail(now, 4)

    assert told.breaker.closed


# ---- operators


def test_forced_open_stays_open_until_reset() -> None:
    """Neither probes nor results move it; an operator does."""
    told = Told()

    told.breaker.force_open(10.0, "maintenance of db2")
    told.breaker.probe_succeeded(1000.0)
    told.succeed(1000.0, 10)
    told.fail(1000.0, 10)

    assert told.breaker.state is FORCED_OPEN
    assert not told.breaker.closed
    assert told.breaker.admit(1000.0) is None
    assert told.breaker.retry_after(1000.0) == float("inf")
    told.breaker.reset(1001.0)
    assert told.breaker.closed
    assert told.changes == [
        (CLOSED, FORCED_OPEN, "maintenance of db2", None),
        (FORCED_OPEN, CLOSED, "reset by an operator", None),
    ]


def test_disabled_lets_everything_pass() -> None:
    """Nothing opens a disabled breaker, and nothing is counted."""
    told = Told(BreakerSettings(slow_call=0.1))

    told.breaker.disable(10.0)
    told.fail(10.0, 1000)
    told.succeed(10.0, 1000, seconds=9.0)

    assert told.breaker.closed
    assert told.breaker.state is DISABLED
    assert told.breaker.snapshot(10.0).buffered_calls == 0
    told.breaker.reset(11.0)
    told.fail(11.0, 5)
    assert told.breaker.state is OPEN


def test_reset_forgets_everything() -> None:
    """Failures, and how long the next open time would be, start from nothing; a closed breaker makes no noise of it."""
    told = Told()
    told.fail(10.0, 4)
    told.breaker.reset(10.0)
    told.fail(10.0, 4)
    assert told.changes == []

    now = told.half_open(10.0)
    for _ in range(5):
        told.breaker.probe_failed(now, "x")
        now += told.breaker.retry_after(now)
        told.breaker.probe_succeeded(now)
    told.breaker.reset(now)

    assert 0.4 <= told.open(now) - now <= 0.6


# ---- what it tells


def test_a_transition_is_complete_when_it_is_told() -> None:
    """The observer sees the new state in every attribute, and in pybreaker's record; so does pybreaker's own listener."""
    seen = []

    def look(old: BreakerState, new: BreakerState, why: str, retry_after: float | None) -> None:
        snapshot = breaker.snapshot(10.0)
        seen.append((new, breaker.state, breaker.closed, breaker.record.current_state, snapshot.state, snapshot.why == why))

    class Listener(pybreaker.CircuitBreakerListener):  # type: ignore[misc]  # pybreaker is untyped here
        def state_change(self, cb: object, old_state: object, new_state: object) -> None:
            seen.append((breaker.state, breaker.closed))

    breaker = Breaker("n", BreakerSettings(consecutive_failures=1, successes_to_close=1), random.Random(1), look)
    breaker.record.add_listener(Listener())
    breaker.failed(10.0, 0, connect_class=True, why="x")
    breaker.probe_succeeded(20.0)
    breaker.probe_succeeded(20.0)
    breaker.force_open(21.0, "x")
    breaker.disable(22.0)

    assert seen == [
        (OPEN, False),
        (OPEN, OPEN, False, "open", OPEN, True),
        (HALF_OPEN, False),
        (HALF_OPEN, HALF_OPEN, False, "half-open", HALF_OPEN, True),
        (CLOSED, True),
        (CLOSED, CLOSED, True, "closed", CLOSED, True),
        (FORCED_OPEN, False),
        (FORCED_OPEN, FORCED_OPEN, False, "open", FORCED_OPEN, True),
        (DISABLED, True),
        (DISABLED, DISABLED, True, "closed", DISABLED, True),
    ]


def test_pybreakers_clock_and_limits_decide_nothing() -> None:
    """Its record keeps the state it was told, whatever its own time-out and counters would say."""
    told = Told(BreakerSettings(consecutive_failures=100, minimum_calls=1000))
    told.breaker.record.reset_timeout = 0

    told.fail(10.0, 99)
    assert told.breaker.record.current_state == pybreaker.STATE_CLOSED
    told.fail(10.0)

    assert told.breaker.record.current_state == pybreaker.STATE_OPEN
    assert told.breaker.state is OPEN


def test_an_observer_may_act_on_the_breaker() -> None:
    """A transition made by the observer is the last word."""
    settings = BreakerSettings(consecutive_failures=1)
    changes = []

    def veto(old: BreakerState, new: BreakerState, why: str, retry_after: float | None) -> None:
        changes.append((old, new))
        if new is OPEN:
            breaker.disable(10.0)

    breaker = Breaker("n", settings, random.Random(1), veto)
    breaker.failed(10.0, 0, connect_class=True, why="x")

    assert changes == [(CLOSED, OPEN), (OPEN, DISABLED)]
    assert breaker.state is DISABLED
    assert breaker.closed
    assert breaker.generation == 2


def test_a_snapshot_has_the_numbers_of_resilience4j() -> None:
    """Rates are percent, and -1 as long as there were too few calls to speak of one."""
    told = Told(BreakerSettings(slow_call=1.0, failure_rate=0.9, slow_rate=0.9))
    told.succeed(10.0, 12)
    told.succeed(10.0, 3, seconds=2.0)
    told.fail(10.0, 4)
    early = told.breaker.snapshot(10.0)
    told.fail(10.0)
    told.breaker.not_permitted += 3
    found = told.breaker.snapshot(13.0)

    assert (early.failure_rate, early.slow_call_rate) == (-1.0, -1.0)
    assert told.breaker.state is OPEN
    assert (found.failure_rate, found.slow_call_rate) == (25.0, 15.0)
    assert (found.buffered_calls, found.failed_calls, found.slow_calls) == (20, 5, 3)
    assert (found.not_permitted_calls, found.opened, found.seconds) == (3, 1, 3.0)
    assert found.why == "5 failures in a row, the last one 08006"
    assert found.retry_after == 0.0
    assert told.breaker.snapshot(30.0).buffered_calls == 0


def test_a_breaker_that_never_changed_says_so() -> None:
    """There is no time or reason of a change that was not."""
    found = Told().breaker.snapshot(10_000.0)

    assert (found.state, found.seconds, found.why, found.retry_after, found.opened) == (CLOSED, 0.0, "", None, 0)


def test_its_repr_shows_its_state() -> None:
    """Name, state and the counts of the window."""
    told = Told()
    told.succeed(10.0, 3)
    told.fail(10.0)

    assert repr(told.breaker) == "<Breaker db2:5432 CLOSED failed=1/4>"


def test_the_snapshot_has_the_thresholds_in_percent() -> None:
    """A dashboard sees how far a rate is from opening; what is switched off has no threshold."""
    watched = Breaker("db1", BreakerSettings(failure_rate=0.25, slow_call=0.1, slow_rate=0.8), random.Random(1)).snapshot(1.0)
    unwatched = Breaker("db1", BreakerSettings(failure_rate=None), random.Random(1)).snapshot(1.0)

    assert (watched.failure_rate_threshold, watched.slow_call_rate_threshold) == (25.0, 80.0)
    assert (unwatched.failure_rate_threshold, unwatched.slow_call_rate_threshold) == (None, None)


def test_asking_whether_it_admits_uses_up_nothing() -> None:
    """`admits` foretells `admit`, lost permits included, and counts nothing."""
    breaker = Breaker("db1", BreakerSettings(consecutive_failures=1, open_for=0.1), random.Random(1))
    assert not breaker.admits(1.0)
    breaker.failed(1.0, breaker.generation, connect_class=True, why="x")
    assert not breaker.admits(1.0)
    breaker.probe_succeeded(2.0)

    assert breaker.admits(2.0) and breaker.admits(2.0) and breaker.permits == 0
    assert breaker.admit(2.0) is not None
    assert not breaker.admits(3.0) and breaker.not_permitted == 0
    assert breaker.admits(60.0) and breaker.admit(60.0) is not None, "the lost permit is given again"
