"""
Breaker: when a node fails too often, stop asking it for a while, and let the probe find out when it is well again.

Guard externally: a breaker is driven by its node (one writer), synchronously, with `now` handed in; it never awaits, and it has
no clock. It counts what `succeeded` and `failed` report, opens, and closes after good tries. What is neither (a cancellation, a
full pool, a caller's mistake) is not reported at all. `closed` is a plain attribute: all that the hot path reads.

::

    CLOSED     → OPEN       too many failures in a row, or too large a share of calls failed or slow
    OPEN       → HALF_OPEN  its time is over and a probe got through
    HALF_OPEN  → OPEN       a try failed or was slow; for twice as long
    HALF_OPEN  → CLOSED     `successes_to_close` good tries

- *The probe goes first*: an open breaker waits for `probe_succeeded`, and no call makes it half-open. From then on a try is
  another probe, or one of at most `half_open_permits` calls at a time. A permit that is never returned is given out again after
  a while, so that a lost call wedges nothing.
- *Late news is no news*: each transition begins a new `generation`. A result of an older one is ignored, and so is a failure
  or a try whose call began before the present state did, as far as its seconds tell; calls that were under way when a node
  broke cannot open it again after it recovered.
- *Somebody has to serve*: the last usable node of a hostgroup opens on connect-class failures only.
- The open time doubles with each opening, up to `open_for_max`, and is forgotten one doubling per clean `window`.

pybreaker is the recorded state machine behind it: each transition is made on a `pybreaker.CircuitBreaker`, whose state and
listeners tools know. Its admission, counting and wall clock are not used: they wrap the call, count cancellations, and admit
everybody while half-open. `FORCED_OPEN` and `DISABLED` are open and closed there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import pybreaker

from dbrouter.config.schema import BreakerSettings
from dbrouter.resilience.window import RateWindow
from dbrouter.terms import BreakerState

_JITTER = 0.2
"""Open times vary by this share, so that many processes do not try a node in step."""

_PERMIT_SECONDS = 30.0
"""A permit that was not returned for this long counts as lost and may be given out again."""

_LAST_DOUBLING = 30

OnChange = Callable[[BreakerState, BreakerState, str, float | None], None]
"""Old state, new state, why, and for `OPEN` the seconds until the first try. It must not raise."""


class Permit:
    """The right to make one call while half-open; return it by `Breaker.release`, whatever became of the call."""

    __slots__ = ("generation", "given_at")

    def __init__(self, generation: int, given_at: float) -> None:
        self.generation = generation
        self.given_at = given_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSnapshot:
    """
    A breaker at one moment, in the words of Resilience4j.

    Attributes:
        seconds: in this state; 0.0 where it never changed.
        why: it came into this state; empty where it never changed.
        retry_after: seconds until the first try; None when it is not open.
        failure_rate: percent of the window's calls that failed; -1 with fewer than `minimum_calls`.
        slow_call_rate: likewise for slow calls.
        failure_rate_threshold, slow_call_rate_threshold: percent from which it opens; None where that is switched off.
        buffered_calls: calls in the window, with those that failed (`failed_calls`) or were slow (`slow_calls`).
        not_permitted_calls: turned away so far.
        opened: how often it opened so far.
    """

    state: BreakerState
    seconds: float
    why: str
    retry_after: float | None
    failure_rate: float
    slow_call_rate: float
    failure_rate_threshold: float | None
    slow_call_rate_threshold: float | None
    buffered_calls: int
    failed_calls: int
    slow_calls: int
    not_permitted_calls: int
    opened: int


class Breaker:
    """
    The breaker of one node.

    Args:
        name: of the node; messages and pybreaker's record use it.
        rng: draws the jitter of open times.
        on_change: told of each transition after it is complete; a transition it causes in turn is told before it returns.

    Attributes:
        closed: HOT. Whether calls pass without asking: `CLOSED` or `DISABLED`.
        generation: HOT. Number of transitions so far; a caller takes it along and gives it back with the result.
        not_permitted: calls turned away; whoever turns a call away without asking `admit` counts it here.
        opened: how often it opened.
        is_last_usable: asked before slow calls open it. None: it never is the last one.
    """

    __slots__ = (
        "_calls",
        "_growth",
        "_in_a_row",
        "_open_until",
        "_permits",
        "_record",
        "_rng",
        "_settings",
        "_since",
        "_successes",
        "_unreachable_in_a_row",
        "_unusual_from",
        "_why",
        "_window",
        "closed",
        "generation",
        "is_last_usable",
        "name",
        "not_permitted",
        "on_change",
        "opened",
        "state",
    )

    def __init__(self, name: str, settings: BreakerSettings, rng: random.Random, on_change: OnChange | None = None) -> None:
        self.name = name
        self.state = BreakerState.CLOSED
        self.closed = True
        self.generation = 0
        self.on_change = on_change
        self.is_last_usable: Callable[[], bool] | None = None
        self.not_permitted = 0
        self.opened = 0
        self._settings = settings
        self._rng = rng
        self._window = RateWindow(settings.window)
        self._calls = self._window.calls
        self._unusual_from = self._slow_from
        """Successes that took so many seconds are looked at; while not closed, all of them."""
        self._in_a_row = 0
        self._unreachable_in_a_row = 0
        """How many of the last failures were connect-class; means nothing while `_in_a_row` is 0."""
        self._growth = 0
        self._open_until = 0.0
        self._permits: set[Permit] = set()
        self._successes = 0
        self._since = 0.0
        self._why = ""
        self._record = pybreaker.CircuitBreaker(name=name, throw_new_error_on_trip=False)

    def __repr__(self) -> str:
        return f"<Breaker {self.name} {self.state} failed={self._window.failed.total}/{self._window.calls.total}>"

    @property
    def record(self) -> pybreaker.CircuitBreaker:
        """The recorded state machine, for tools that know pybreaker; read it and listen to it, do not drive it."""
        return self._record

    def reconfigure(self, settings: BreakerSettings) -> None:
        """Other settings from the next outcome on; the state stays, and a window of another length starts empty."""
        if settings == self._settings:
            return
        if settings.window != self._settings.window:
            self._window = RateWindow(settings.window)
            self._calls = self._window.calls
        self._settings = settings
        self._unusual_from = self._slow_from if self.state is BreakerState.CLOSED else -inf

    # ---- results

    def succeeded(self, now: float, seconds: float, generation: int) -> None:
        """HOT: a call took *seconds* and succeeded (or the server answered with an error of the caller's)."""
        if generation != self.generation or seconds >= self._unusual_from:
            self._look_at_success(now, seconds, generation)
            return
        calls = self._calls
        if now >= calls.edge:
            calls.advance(now)
        calls.total += 1
        self._in_a_row = 0

    def failed(
        self,
        now: float,
        generation: int,
        *,
        connect_class: bool,
        why: str,
        last_usable: bool = False,
        seconds: float = 0.0,
    ) -> None:
        """
        A call failed and the node is to blame.

        Args:
            connect_class: the connection broke or could not be made.
            last_usable: its hostgroup has no other usable node: then only connect-class failures count towards opening.
            seconds: since the call began; with them, a call that began before the present state is known as late.
        """
        if self._late(now, seconds, generation):
            return
        if self.state is BreakerState.HALF_OPEN:
            self._open(now, f"a try failed: {why}")
            return
        if self.state is not BreakerState.CLOSED:
            return
        window = self._window
        window.calls.add(now)
        window.failed.add(now)
        if connect_class:
            window.unreachable.add(now)
            self._unreachable_in_a_row = self._unreachable_in_a_row + 1 if self._in_a_row else 1
        else:
            self._unreachable_in_a_row = 0
        self._in_a_row += 1
        if last_usable and not connect_class:
            return
        run = self._unreachable_in_a_row if last_usable else self._in_a_row
        if run >= self._settings.consecutive_failures:
            self._open(now, f"{run} failures in a row, the last one {why}")
        else:
            self._judge(now, last_usable)

    def _look_at_success(self, now: float, seconds: float, generation: int) -> None:
        if self._late(now, seconds, generation):
            return
        slow = seconds >= self._slow_from
        if self.state is BreakerState.HALF_OPEN:
            if slow:
                self._open(now, f"a try took {seconds:.3g}s, slow is {self._slow_from:g}s")
            else:
                self._good_try(now, "a call succeeded")
        elif self.state is BreakerState.CLOSED:
            self._window.calls.add(now)
            self._window.slow.add(now)
            self._in_a_row = 0
            self._judge(now, self.is_last_usable is not None and self.is_last_usable())

    def _late(self, now: float, seconds: float, generation: int) -> bool:
        return generation != self.generation or now - seconds < self._since

    def _judge(self, now: float, last_usable: bool) -> None:
        settings, window = self._settings, self._window
        calls = window.calls.at(now)
        if calls < settings.minimum_calls:
            return
        failed = (window.unreachable if last_usable else window.failed).at(now)
        slow = window.slow.at(now)
        if settings.failure_rate is not None and failed >= settings.failure_rate * calls:
            self._open(now, f"{failed} of {calls} calls failed within {settings.window:g}s")
        elif not last_usable and settings.slow_call is not None and slow >= settings.slow_rate * calls:
            self._open(now, f"{slow} of {calls} calls took {settings.slow_call:g}s or longer within {settings.window:g}s")

    @property
    def _slow_from(self) -> float:
        return inf if self._settings.slow_call is None else self._settings.slow_call

    # ---- recovery

    def admit(self, now: float) -> Permit | None:
        """
        A permit for one call while half-open; None where there is none (open, or all given out), which is counted.

        Only for a breaker that is not `closed`. The permit must come back by `release`.
        """
        if self.admits(now):
            for lost in [permit for permit in self._permits if now - permit.given_at > _PERMIT_SECONDS]:
                self._permits.discard(lost)
            permit = Permit(self.generation, now)
            self._permits.add(permit)
            return permit
        self.not_permitted += 1
        return None

    def admits(self, now: float) -> bool:
        """Whether `admit` would give a permit; asking uses up nothing."""
        if self.state is not BreakerState.HALF_OPEN:
            return False
        out = sum(1 for permit in self._permits if now - permit.given_at <= _PERMIT_SECONDS)
        return out < self._settings.half_open_permits

    def release(self, permit: Permit) -> None:
        """Return *permit*, whatever became of its call; twice, or after the breaker has moved on, is harmless."""
        self._permits.discard(permit)

    @property
    def permits(self) -> int:
        """Permits that are out."""
        return len(self._permits)

    def probe_succeeded(self, now: float) -> None:
        """A probe got through: an open breaker whose time is up becomes half-open; while half-open it is a good try."""
        if self.state is BreakerState.OPEN and now >= self._open_until:
            self._move(now, BreakerState.HALF_OPEN, "a probe succeeded")
        elif self.state is BreakerState.HALF_OPEN:
            self._good_try(now, "probes succeed")

    def probe_failed(self, now: float, why: str) -> None:
        """A probe did not get through: a half-open breaker opens again, for longer. Closed ones are the monitor's to shun."""
        if self.state is BreakerState.HALF_OPEN:
            self._open(now, f"a probe failed: {why}")

    def retry_after(self, now: float) -> float:
        """Seconds until it may become half-open: 0.0 when it is not open, infinite when it was forced open."""
        match self.state:
            case BreakerState.OPEN:
                return max(0.0, self._open_until - now)
            case BreakerState.FORCED_OPEN:
                return inf
            case _:
                return 0.0

    def _good_try(self, now: float, why: str) -> None:
        self._successes += 1
        if self._successes >= self._settings.successes_to_close:
            self._move(now, BreakerState.CLOSED, why)

    # ---- operators

    def force_open(self, now: float, why: str) -> None:
        """Refuse everything until `reset`."""
        self._move(now, BreakerState.FORCED_OPEN, why)

    def disable(self, now: float) -> None:
        """Let everything pass and count nothing until `reset`."""
        self._move(now, BreakerState.DISABLED, "disabled by an operator")

    def reset(self, now: float) -> None:
        """Closed, with everything forgotten."""
        self._growth = 0
        if self.state is BreakerState.CLOSED:
            self._forget()
        else:
            self._move(now, BreakerState.CLOSED, "reset by an operator")

    # ---- transitions

    def _open(self, now: float, why: str) -> None:
        if self.state is BreakerState.CLOSED:
            self._growth = max(0, self._growth - int((now - self._since) / self._settings.window))
        self._open_until = now + self._open_time()
        self._growth = min(self._growth + 1, _LAST_DOUBLING)
        self.opened += 1
        self._move(now, BreakerState.OPEN, why)

    def _open_time(self) -> float:
        settings = self._settings
        length = min(settings.open_for_max, settings.open_for * 2.0**self._growth)
        length *= 1.0 + _JITTER * (2.0 * self._rng.random() - 1.0)
        # Folded back rather than cut off, or half of all draws at the limit would be the limit itself.
        return length if length <= settings.open_for_max else 2.0 * settings.open_for_max - length

    def _move(self, now: float, new: BreakerState, why: str) -> None:
        old = self.state
        if old is new:
            return
        if new in (BreakerState.CLOSED, BreakerState.HALF_OPEN):
            self._forget()
        self._permits.clear()
        self.state = new
        self.closed = new in (BreakerState.CLOSED, BreakerState.DISABLED)
        self._unusual_from = self._slow_from if new is BreakerState.CLOSED else -inf
        self.generation += 1
        self._since = now
        self._why = why
        self._write_down(new)
        if self.on_change is not None:
            self.on_change(old, new, why, self.retry_after(now) if new is BreakerState.OPEN else None)

    def _forget(self) -> None:
        self._window.clear()
        self._in_a_row = 0
        self._successes = 0

    def _write_down(self, new: BreakerState) -> None:
        record = self._record
        match new:
            case BreakerState.CLOSED | BreakerState.DISABLED:
                if record.current_state != pybreaker.STATE_CLOSED:
                    record.close()
            case BreakerState.HALF_OPEN:
                record.half_open()
            case BreakerState.OPEN | BreakerState.FORCED_OPEN:
                if record.current_state != pybreaker.STATE_OPEN:
                    record.open()

    def snapshot(self, now: float) -> BreakerSnapshot:
        """Its numbers at *now*."""
        window, settings = self._window, self._settings
        calls, failed, slow = window.calls.at(now), window.failed.at(now), window.slow.at(now)
        enough = calls >= settings.minimum_calls
        return BreakerSnapshot(
            state=self.state,
            seconds=now - self._since if self.generation else 0.0,
            why=self._why,
            retry_after=self.retry_after(now) if self.state is BreakerState.OPEN else None,
            failure_rate=100.0 * failed / calls if enough else -1.0,
            slow_call_rate=100.0 * slow / calls if enough else -1.0,
            failure_rate_threshold=None if settings.failure_rate is None else 100.0 * settings.failure_rate,
            slow_call_rate_threshold=None if settings.slow_call is None else 100.0 * settings.slow_rate,
            buffered_calls=calls,
            failed_calls=failed,
            slow_calls=slow,
            not_permitted_calls=self.not_permitted,
            opened=self.opened,
        )
