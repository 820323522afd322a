"""
Breaker: when a node fails too often, stop asking it for a while, and let the probe find out when it is well again.

Guard externally: a breaker is driven by its node (one writer), synchronously, with `now` handed in. It counts what `succeeded` and `failed`
report, opens, lets `probe_succeeded` move it to half-open and closes after good tries. `closed` is a plain attribute: all the hot path reads.

pybreaker is the recorded state machine behind it: each transition is made on a `pybreaker.CircuitBreaker`, whose state and listeners tools know.
Its own admission, counting and wall clock are not used (they wrap the call, count cancellations, and admit everybody while half-open).

Every transition bumps `generation`; a result that belongs to an older generation is ignored.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pybreaker

from dbrouter.config.schema import BreakerSettings
from dbrouter.resilience.window import RateWindow
from dbrouter.terms import BreakerState

_JITTER = 0.2
"""Open times vary by this share, so that many processes do not try a node in step."""

_PERMIT_SECONDS = 30.0
"""A permit that is not returned for this long counts as lost and is given out again."""

OnChange = Callable[[BreakerState, BreakerState, str, float | None], None]


class Permit:
    """The right to make one call while half-open; returned by `release`, or by the result."""

    __slots__ = ("generation", "given_at")

    def __init__(self, generation: int, given_at: float) -> None:
        self.generation = generation
        self.given_at = given_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSnapshot:
    """
    A breaker at one moment, in the words of Resilience4j.

    Attributes:
        seconds: in this state.
        retry_after: seconds until the first trial, or None when it is not open.
        failure_rate: percent of the window's calls that failed; -1 with fewer than `minimum_calls`.
        slow_call_rate: likewise for slow calls.
        opened: how often it opened in all.
    """

    state: BreakerState
    seconds: float
    why: str
    retry_after: float | None
    failure_rate: float
    slow_call_rate: float
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
        on_change: told of each transition after it is complete: old state, new state, why, seconds until the first trial.
    """

    __slots__ = (
        "_consecutive",
        "_growth",
        "_open_until",
        "_permits",
        "_record",
        "_rng",
        "_settings",
        "_since",
        "_slow_call",
        "_successes",
        "_why",
        "_window",
        "closed",
        "generation",
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
        """HOT: whether calls pass without asking."""
        self.generation = 0
        self.on_change = on_change
        self.not_permitted = 0
        """Calls refused because it was open."""
        self.opened = 0
        self._settings = settings
        self._rng = rng
        self._window = RateWindow(settings.window)
        self._slow_call = settings.slow_call
        self._consecutive = 0
        self._growth = 0
        self._open_until = 0.0
        self._permits: set[Permit] = set()
        self._successes = 0
        self._since = 0.0
        self._why = ""
        self._record = pybreaker.CircuitBreaker(name=name, throw_new_error_on_trip=False)

    def __repr__(self) -> str:
        return f"<Breaker {self.name} {self.state} failed={self._window.failed}/{self._window.calls}>"

    @property
    def record(self) -> pybreaker.CircuitBreaker:
        """The recorded state machine, for tools that know pybreaker; read it, do not drive it."""
        return self._record

    # ---- results

    def succeeded(self, now: float, seconds: float, generation: int) -> None:
        """HOT: a call took *seconds* and succeeded (or the server answered with an error of the caller's)."""
        if generation != self.generation:
            return
        window = self._window
        slow_call = self._slow_call
        if slow_call is not None and seconds >= slow_call:
            window.count(now, slow=True)
            self._consecutive = 0
            if self.closed:
                self._judge(now, last_usable=False)
            return
        self._consecutive = 0
        if now >= window.edge:
            window.advance(now)
        window.calls += 1
        window._calls[window._current % window.buckets] += 1
        if not self.closed and self.state is BreakerState.HALF_OPEN:
            self._success(now, "a trial call succeeded")

    def failed(self, now: float, generation: int, *, connect_class: bool, why: str, last_usable: bool = False) -> None:
        """
        A call failed and the node is to blame.

        Args:
            connect_class: the connection broke or could not be made.
            last_usable: its hostgroup has no other usable node: then only connect-class failures open it.
        """
        if generation != self.generation:
            return
        self._window.count(now, failed=True)
        if self.state is BreakerState.HALF_OPEN:
            self._open(now, f"a trial call failed: {why}")
            return
        if self.state is not BreakerState.CLOSED or (last_usable and not connect_class):
            return
        self._consecutive += 1
        if self._consecutive >= self._settings.consecutive_failures:
            self._open(now, f"{self._consecutive} failures in a row, the last one {why}")
        else:
            self._judge(now, last_usable=last_usable and not connect_class)

    def _judge(self, now: float, *, last_usable: bool) -> None:
        settings, window = self._settings, self._window
        if self.state is not BreakerState.CLOSED or last_usable or window.calls < settings.minimum_calls:
            return
        if settings.failure_rate is not None and window.failed >= settings.failure_rate * window.calls:
            self._open(now, f"{window.failed} of {window.calls} calls failed within {settings.window:g}s")
        elif self._slow_call is not None and window.slow >= settings.slow_rate * window.calls:
            self._open(now, f"{window.slow} of {window.calls} calls took {self._slow_call:g}s or longer within {settings.window:g}s")

    # ---- half-open

    def admit(self, now: float) -> Permit | None:
        """A permit for one call while half-open; None where there is none (open, or all given out)."""
        if self.state is not BreakerState.HALF_OPEN:
            return None
        for permit in [permit for permit in self._permits if now - permit.given_at > _PERMIT_SECONDS]:
            self._permits.discard(permit)
        if len(self._permits) >= self._settings.half_open_permits:
            self.not_permitted += 1
            return None
        permit = Permit(self.generation, now)
        self._permits.add(permit)
        return permit

    def release(self, permit: Permit) -> None:
        """Return *permit*, whatever became of its call; twice is harmless."""
        self._permits.discard(permit)

    @property
    def permits(self) -> int:
        """Permits given out."""
        return len(self._permits)

    def probe_succeeded(self, now: float) -> None:
        """A probe got through: an open breaker whose time is up becomes half-open, a half-open one is a step nearer to closed."""
        if self.state is BreakerState.OPEN and now >= self._open_until:
            self._successes = 0
            self._permits.clear()
            self._move(now, BreakerState.HALF_OPEN, "a probe succeeded")
        elif self.state is BreakerState.HALF_OPEN:
            self._success(now, "probes succeed")

    def probe_failed(self, now: float, why: str) -> None:
        """A probe did not get through: a half-open breaker opens again, for longer. Closed ones are the monitor's to shun."""
        if self.state is BreakerState.HALF_OPEN:
            self._open(now, f"a probe failed: {why}")

    def retry_after(self, now: float) -> float:
        """Seconds until the first moment at which it may become half-open; 0 when it is not open."""
        return max(0.0, self._open_until - now) if self.state is BreakerState.OPEN else 0.0

    def _success(self, now: float, why: str) -> None:
        self._successes += 1
        if self._successes >= self._settings.successes_to_close:
            self._permits.clear()
            self._window.clear()
            self._consecutive = 0
            self._move(now, BreakerState.CLOSED, why)

    # ---- operators

    def force_open(self, now: float, why: str) -> None:
        """Refuse everything until `reset`."""
        self._permits.clear()
        self._move(now, BreakerState.FORCED_OPEN, why)

    def disable(self, now: float) -> None:
        """Let everything pass and judge nothing until `reset`."""
        self._permits.clear()
        self._move(now, BreakerState.DISABLED, "disabled by an operator")

    def reset(self, now: float) -> None:
        """Closed, with everything forgotten."""
        self._permits.clear()
        self._window.clear()
        self._consecutive = self._growth = 0
        self._move(now, BreakerState.CLOSED, "reset by an operator")

    # ---- transitions

    def _open(self, now: float, why: str) -> None:
        settings = self._settings
        was_closed_for = now - self._since if self.state is BreakerState.CLOSED else 0.0
        if was_closed_for > 2 * settings.window:
            self._growth = 0
        length = min(settings.open_for_max, settings.open_for * 2.0 ** min(self._growth, 30))
        length *= 1.0 + _JITTER * (2.0 * self._rng.random() - 1.0)
        self._growth += 1
        self._open_until = now + min(settings.open_for_max, length)
        self._permits.clear()
        self.opened += 1
        self._move(now, BreakerState.OPEN, why)

    def _move(self, now: float, new: BreakerState, why: str) -> None:
        old = self.state
        if old is new:
            return
        self.state = new
        self.closed = new in (BreakerState.CLOSED, BreakerState.DISABLED)
        self.generation += 1
        self._since = now
        self._why = why
        match new:
            case BreakerState.CLOSED | BreakerState.DISABLED:
                self._record.close()
            case BreakerState.HALF_OPEN:
                self._record.half_open()
            case _:
                self._record.open()
        if self.on_change is not None:
            self.on_change(old, new, why, self.retry_after(now) if new is BreakerState.OPEN else None)

    def snapshot(self, now: float) -> BreakerSnapshot:
        """Its numbers at *now*."""
        window = self._window
        if now >= window.edge:
            window.advance(now)
        enough = window.calls >= self._settings.minimum_calls
        return BreakerSnapshot(
            state=self.state,
            seconds=now - self._since if self._since else 0.0,
            why=self._why,
            retry_after=self.retry_after(now) if self.state is BreakerState.OPEN else None,
            failure_rate=100.0 * window.failed / window.calls if enough else -1.0,
            slow_call_rate=100.0 * window.slow / window.calls if enough else -1.0,
            buffered_calls=window.calls,
            failed_calls=window.failed,
            slow_calls=window.slow,
            not_permitted_calls=self.not_permitted,
            opened=self.opened,
        )
