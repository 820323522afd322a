"""
Upkeep: what a pool does by the clock: idle connections that are too old go, one is pinged now and then, leaks are told.

One timer, a few times within the shortest of the settings it serves, jittered so that the pools of many processes do not beat
together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from time import monotonic

from dbrouter.config.schema import PoolSettings
from dbrouter.events import EventHub, LeaseLeaked
from dbrouter.pool.gauges import Gauges
from dbrouter.pool.lease import Action, Lease, Waiter
from dbrouter.pool.seat import Place
from dbrouter.pool.state import PoolState
from dbrouter.pool.stats import PoolCounters


class Upkeep:
    """
    The upkeep of *pool*, from `start` to `stop`.

    Args:
        act: does what `PoolState` answers.
        supply: asked for what `min_size` lacks, after each round.

    Attributes:
        settings: may be replaced; `again` makes them count at once.
    """

    __slots__ = ("_act", "_counters", "_events", "_loop", "_pool", "_rng", "_state", "_supply", "_timer", "settings")

    def __init__(
        self,
        pool: Gauges,
        state: PoolState[Lease, Waiter],
        settings: PoolSettings,
        counters: PoolCounters,
        *,
        events: EventHub,
        rng: random.Random,
        act: Callable[[Action], None],
        supply: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._state = state
        self.settings = settings
        self._counters = counters
        self._events = events
        self._rng = rng
        self._act = act
        self._supply = supply
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first round is now."""
        self._loop = loop
        self._round()

    def again(self) -> None:
        """A round now, if it was started and not stopped; the next ones by the settings of now."""
        if self._timer is not None:
            self._timer.cancel()
            self._round()

    def stop(self) -> None:
        """No timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        now = monotonic()
        for action in self._state.on_tick(now):
            self._act(action)
        self._report_leaks(now)
        self._supply()
        if self._loop is not None and not self._state.draining:
            self._timer = self._loop.call_later(self._pause() * (0.9 + 0.2 * self._rng.random()), self._round)

    def _pause(self) -> float:
        settings = self.settings
        shortest = min(value for value in (settings.idle_timeout, settings.max_lifetime, settings.leak_after, 4.0) if value)
        return max(0.005, shortest / 4)

    def _report_leaks(self, now: float) -> None:
        after = self.settings.leak_after
        if after is None:
            return
        for lease in list(self._state.seats):
            held = now - lease.taken_at
            if lease.place is not Place.IN_USE or held < after or lease.reported_at == lease.taken_at:
                continue
            lease.reported_at = lease.taken_at
            self._counters.leaks += 1
            if self._events.listening:
                task, stack = lease.whereabouts()
                pool = self._pool
                self._events.emit(LeaseLeaked(hostgroup=pool.hostgroup, node=pool.node, held=held, task=task, stack=stack))
