"""
`Breaker` against its invariants, driven at random by calls, probes, cancellations, operators and time.

The model is deliberately plain: a list of what was reported, recounted at each step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from dbrouter.config.schema import BreakerSettings
from dbrouter.resilience.breaker import Breaker, Permit
from dbrouter.terms import BreakerState

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED

ENDINGS = ("good", "slow", "failed", "unreachable", "cancelled")
RECORDED = {CLOSED: "closed", DISABLED: "closed", HALF_OPEN: "half-open", OPEN: "open", FORCED_OPEN: "open"}


@dataclass(frozen=True)
class Call:
    """One that is under way."""

    generation: int
    began: float
    permit: Permit | None


@dataclass(frozen=True)
class Ended:
    """One that was counted."""

    bucket: int
    failed: bool
    unreachable: bool
    slow: bool


@st.composite
def breaker_settings(draw: st.DrawFn) -> BreakerSettings:
    open_for = draw(st.sampled_from([0.1, 0.5, 3.0]))
    return BreakerSettings(
        consecutive_failures=draw(st.integers(1, 6)),
        failure_rate=draw(st.sampled_from([None, 0.2, 0.5, 1.0])),
        slow_call=draw(st.sampled_from([None, 1.0])),
        slow_rate=draw(st.sampled_from([0.3, 1.0])),
        minimum_calls=draw(st.integers(1, 12)),
        window=draw(st.sampled_from([1.0, 10.0])),
        open_for=open_for,
        open_for_max=open_for * draw(st.sampled_from([1, 3, 40])),
        half_open_permits=draw(st.integers(1, 3)),
        successes_to_close=draw(st.integers(1, 4)),
    )


class BreakerMachine(RuleBasedStateMachine):
    calls = Bundle("calls")

    @initialize(settings=breaker_settings(), seed=st.integers(0, 2**32))
    def begin(self, settings: BreakerSettings, seed: int) -> None:
        self.settings = settings
        self.now = 1000.0
        self.breaker = Breaker("n", settings, random.Random(seed), self.told)
        self.changes: list[tuple[BreakerState, BreakerState]] = []
        self.last_usable = False
        self.breaker.is_last_usable = lambda: self.last_usable
        self.ended: list[Ended] = []
        self.row: list[bool] = []
        """The failures since the last success: whether each was connect-class."""
        self.tries = 0
        self.doublings = 0
        self.opened_at = self.since = -1.0
        self.length = 0.0

    # ---- what is told

    def told(self, old: BreakerState, new: BreakerState, why: str, retry_after: float | None) -> None:
        breaker = self.breaker
        assert old is (self.changes[-1][1] if self.changes else CLOSED)
        assert old is not new
        assert why
        assert breaker.state is new
        assert breaker.closed == (new in (CLOSED, DISABLED))
        assert breaker.permits == 0
        assert breaker.record.current_state == RECORDED[new]
        assert (retry_after is not None) == (new is OPEN)
        if new is OPEN:
            assert old in (CLOSED, HALF_OPEN)
            self.opened(old, retry_after or 0.0)
        elif new is HALF_OPEN:
            assert old is OPEN
            assert self.now >= self.opened_at + self.length - 1e-9
            self.tries = 0
        elif new is CLOSED and old is HALF_OPEN and why != "reset by an operator":
            assert self.tries == self.settings.successes_to_close
        if new in (CLOSED, HALF_OPEN):
            self.ended, self.row = [], []
        self.changes.append((old, new))
        self.since = self.now

    def opened(self, old: BreakerState, length: float) -> None:
        if old is CLOSED:
            self.doublings = max(0, self.doublings - int((self.now - max(self.since, 0.0)) / self.settings.window))
        plain = min(self.settings.open_for_max, self.settings.open_for * 2.0**self.doublings)
        assert 0.8 * plain - 1e-9 <= length <= min(self.settings.open_for_max, 1.2 * plain) + 1e-9
        self.doublings += 1
        self.opened_at, self.length = self.now, length

    # ---- what happens

    @rule(seconds=st.one_of(st.floats(0.0, 0.5), st.floats(0.0, 40.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(last=st.booleans())
    def the_others_come_and_go(self, last: bool) -> None:
        self.last_usable = last

    @rule(target=calls)
    def call_begins(self) -> Call:
        return self.call()

    def call(self) -> Call:
        breaker = self.breaker
        if breaker.closed:
            return Call(breaker.generation, self.now, None)
        refused = breaker.not_permitted
        free = breaker.state is HALF_OPEN and breaker.permits < self.settings.half_open_permits
        permit = breaker.admit(self.now)
        assert permit is not None or not free
        assert permit is None or breaker.state is HALF_OPEN
        assert breaker.not_permitted == refused + (permit is None)
        # Refused calls end too: they stand for those that come back late, from before everything.
        return Call(breaker.generation if permit is not None else breaker.generation - 1, self.now, permit)

    @rule(call=consumes(calls), ending=st.sampled_from(ENDINGS), forgot=st.booleans())
    def call_under_way_ends(self, call: Call, ending: str, forgot: bool) -> None:
        """A caller that *forgot* its generation gives the present one; how long it took must then tell that it is late."""
        self.call_ends(replace(call, generation=self.breaker.generation) if forgot else call, ending)

    def call_ends(self, call: Call, ending: str) -> None:
        breaker, settings = self.breaker, self.settings
        before = breaker.state
        changes = len(self.changes)
        current = call.generation == breaker.generation and call.began >= self.since
        counts = current and before is CLOSED
        seconds = self.now - call.began if ending != "slow" else max(1.0, self.now - call.began)
        if ending == "slow" and self.now - seconds < self.since:
            # A call cannot have taken longer than the state it began in.
            ending, seconds = "good", self.now - call.began
        slow = settings.slow_call is not None and seconds >= settings.slow_call
        tried = current and before is HALF_OPEN and ending in ("good", "slow") and not slow
        if ending == "cancelled":
            pass
        elif ending in ("failed", "unreachable"):
            connect_class = ending == "unreachable"
            if counts:
                self.ended.append(Ended(self.bucket, True, connect_class, False))
                self.row.append(connect_class)
            expected = counts and self.should_open(connect_class)
            breaker.failed(
                self.now, call.generation, connect_class=connect_class, why="x", last_usable=self.last_usable, seconds=seconds
            )
            assert (breaker.state is OPEN and before is CLOSED) == expected
            if counts and self.last_usable and not connect_class:
                assert breaker.closed
            if current and before is HALF_OPEN:
                assert breaker.state is OPEN
        else:
            if before is CLOSED and call.generation == breaker.generation and not slow:
                counts = True  # A late success is no harm: the node did answer.
            if counts:
                self.ended.append(Ended(self.bucket, False, False, slow))
                self.row = []
            self.tries += tried
            expected = counts and slow and self.rate_too_high(unreachable_only=self.last_usable)
            breaker.succeeded(self.now, seconds, call.generation)
            assert (breaker.state is OPEN and before is CLOSED) == expected
            if current and before is HALF_OPEN:
                assert (breaker.state is OPEN) == slow
        if call.permit is not None:
            breaker.release(call.permit)
        if ending == "cancelled" or not current:
            assert len(self.changes) == changes

    @rule(endings=st.lists(st.sampled_from(ENDINGS), min_size=2, max_size=8))
    def calls_come_and_end(self, endings: list[str]) -> None:
        for ending in endings:
            self.call_ends(self.call(), ending)

    @property
    def bucket(self) -> int:
        return int(self.now / (self.settings.window / 10))

    def should_open(self, connect_class: bool) -> bool:
        if not self.last_usable:
            return len(self.row) >= self.settings.consecutive_failures or self.rate_too_high(unreachable_only=False)
        if not connect_class:
            return False
        run = 0
        for unreachable in reversed(self.row):
            if not unreachable:
                break
            run += 1
        return run >= self.settings.consecutive_failures or self.rate_too_high(unreachable_only=True)

    def rate_too_high(self, *, unreachable_only: bool) -> bool:
        settings = self.settings
        recent = [ended for ended in self.ended if ended.bucket > self.bucket - 10]
        if len(recent) < settings.minimum_calls:
            return False
        failed = sum(ended.unreachable if unreachable_only else ended.failed for ended in recent)
        if settings.failure_rate is not None and failed >= settings.failure_rate * len(recent):
            return True
        slow = sum(ended.slow for ended in recent)
        return not unreachable_only and settings.slow_call is not None and slow >= settings.slow_rate * len(recent)

    @rule()
    def probe_gets_through(self) -> None:
        before = self.breaker.state
        waited = self.breaker.retry_after(self.now) == 0.0
        if before is HALF_OPEN:
            self.tries += 1
        self.breaker.probe_succeeded(self.now)
        if before is OPEN:
            assert self.breaker.state is (HALF_OPEN if waited else OPEN)
        elif before is not HALF_OPEN:
            assert self.breaker.state is before

    @rule()
    def probe_fails(self) -> None:
        before = self.breaker.state
        self.breaker.probe_failed(self.now, "x")
        assert self.breaker.state is (OPEN if before is HALF_OPEN else before)

    @precondition(lambda self: self.breaker.state is OPEN)
    @rule()
    def wait_for_the_first_try(self) -> None:
        self.now += self.breaker.retry_after(self.now)
        self.probe_gets_through()

    @rule(what=st.sampled_from(["force_open", "disable", "reset", "reset"]), chance=st.integers(0, 3))
    def operator_acts(self, what: str, chance: int) -> None:
        if chance:
            return
        if what == "force_open":
            self.breaker.force_open(self.now, "x")
        elif what == "disable":
            self.breaker.disable(self.now)
        else:
            self.doublings = 0
            self.ended, self.row = [], []
            self.breaker.reset(self.now)
            assert self.breaker.closed

    # ---- what always holds

    @invariant()
    def every_transition_was_told(self) -> None:
        breaker = self.breaker
        assert breaker.generation == len(self.changes)
        assert breaker.state is (self.changes[-1][1] if self.changes else CLOSED)
        assert breaker.opened == sum(new is OPEN for _, new in self.changes)

    @invariant()
    def permits_are_bounded(self) -> None:
        limit = self.settings.half_open_permits if self.breaker.state is HALF_OPEN else 0
        assert self.breaker.permits <= limit

    @invariant()
    def the_snapshot_agrees_with_a_recount(self) -> None:
        snapshot = self.breaker.snapshot(self.now)
        recent = [ended for ended in self.ended if ended.bucket > self.bucket - 10]
        assert snapshot.buffered_calls == len(recent)
        assert snapshot.failed_calls == sum(ended.failed for ended in recent)
        assert snapshot.slow_calls == sum(ended.slow for ended in recent)
        assert (snapshot.failure_rate == -1.0) == (len(recent) < self.settings.minimum_calls)
        assert (snapshot.retry_after is not None) == (snapshot.state is OPEN)

    @invariant()
    def it_can_always_recover(self) -> None:
        """An open breaker names a moment within `open_for_max` from which a probe half-opens it."""
        if self.breaker.state is OPEN:
            assert 0.0 <= self.breaker.retry_after(self.now) <= self.settings.open_for_max


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = hypothesis_settings(max_examples=100, stateful_step_count=50, deadline=None)
