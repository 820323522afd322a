"""
Line: those who wait for a connection of a pool, in order of arrival.

A caller stands in line with a future that `PoolState` keeps and whoever has a connection to give completes. It leaves in one of
five ways: served; served by another pool (`elsewhere`); its time is over; sent away with an error; cancelled. Whatever happens
between being served and hearing of it, the connection is either the caller's or passed on.

The same future may stand in the lines of other pools as a guest: the first that serves it has served it, and the others pass over
it, as over anybody who is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from dbrouter.errors import PoolClosedError, PoolFullError, PoolTimeoutError
from dbrouter.events import AcquireWaited, EventHub
from dbrouter.pool.gauges import Gauges
from dbrouter.pool.lease import Lease, Waiter
from dbrouter.pool.refusals import closing, full, timed_out
from dbrouter.pool.state import PoolState
from dbrouter.pool.stats import PoolCounters

LOOK_ELSEWHERE_EVERY = 0.05
"""Seconds between two looks of somebody in line at whether another pool could serve at once."""


class Elsewhere(Protocol):
    """What somebody in line can do about other pools."""

    def look(self, waiter: Waiter) -> Lease | None:
        """
        An idle connection of another pool, if there is one; else *waiter* may join other lines (`Pool.join`). What it raises is
        for the caller.
        """
        ...

    def leave(self, waiter: Waiter) -> None:
        """*waiter* stands in no line any more."""
        ...


class Line:
    """
    Who waits for *pool*.

    Args:
        supply: asked for connections whenever somebody wants one.
    """

    __slots__ = ("_counters", "_events", "_pool", "_state", "_supply")

    def __init__(
        self,
        pool: Gauges,
        state: PoolState[Lease, Waiter],
        *,
        counters: PoolCounters,
        events: EventHub,
        supply: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._state = state
        self._counters = counters
        self._events = events
        self._supply = supply

    async def wait(self, loop: asyncio.AbstractEventLoop, started: float, limit: float, elsewhere: Elsewhere | None) -> Lease:
        """
        A connection, by the moment *limit* (monotonic seconds), to somebody who came at *started*.

        If cancelled, the place in the line is given up and no connection is lost.

        Raises:
            PoolTimeoutError: none came in time.
        """
        state = self._state
        waiter: Waiter = loop.create_future()
        state.enqueue(waiter)
        # A millisecond late rather than early: uvloop's clock is that coarse.
        timer = loop.call_later(max(0.0, limit - started) + 0.001, _give_up, waiter)
        look = None if elsewhere is None else _Look(loop, waiter, elsewhere)
        lease: Lease | None = None
        try:
            self._supply()
            lease = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                served = waiter.result()
                if served is not None:
                    # Served and cancelled in the same tick: the connection is ours to pass on.
                    served.release()
            raise
        finally:
            timer.cancel()
            if look is not None:
                look.cancel(waiter)
            waited = monotonic() - started
            self._counters.waited(waited)
            if lease is not None:
                lease.pool.served_after(waited)
            if self._events.listening_debug:
                pool = self._pool
                event = AcquireWaited(hostgroup=pool.hostgroup, node=pool.node, waited=waited, served=lease is not None)
                self._events.emit(event)
            waiting = self._pool.waiting
            state.leave(waiter)
        if lease is None:
            raise self._timeout(waited, waiting)
        return lease

    def join(self, waiter: Waiter) -> None:
        """*waiter*, who stands in the line of another pool, is served here too, if that comes first; by `leave` no more."""
        if not self._state.draining:
            self._state.enqueue(waiter, guest=True)
            self._supply()

    def leave(self, waiter: Waiter) -> None:
        """See `join`."""
        self._state.leave(waiter)

    def send_away(self, make: Callable[[], BaseException]) -> int:
        """Everybody in line raises what *make* makes, once for each. How many."""
        waiters = self._state.dismiss()
        for waiter in waiters:
            waiter.set_exception(make())
        return len(waiters)

    def closing(self) -> PoolClosedError:
        """The error for whom the pool's end has come before a connection."""
        return closing(self._pool.name)

    def full(self) -> PoolFullError:
        """The error for whom there is no place in the line."""
        self._counters.refused += 1
        self._supply()
        return full(self._pool.name, self._state)

    def _timeout(self, waited: float, waiting: int) -> PoolTimeoutError:
        self._counters.timeouts += 1
        return timed_out(self._pool.name, self._state, waited, waiting, self._pool.last_connect_failure)


class _Look:
    """Somebody in line who looks elsewhere now and then, without giving up the place."""

    __slots__ = ("_elsewhere", "_loop", "_timer", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop, waiter: Waiter, elsewhere: Elsewhere) -> None:
        self._loop = loop
        self._waiter = waiter
        self._elsewhere = elsewhere
        self._timer = loop.call_later(LOOK_ELSEWHERE_EVERY, self._now)

    def _now(self) -> None:
        if self._waiter.done():
            return
        try:
            lease = self._elsewhere.look(self._waiter)
        except Exception as error:
            self._waiter.set_exception(error)
            return
        if lease is not None:
            self._waiter.set_result(lease)
        else:
            self._timer = self._loop.call_later(LOOK_ELSEWHERE_EVERY, self._now)

    def cancel(self, waiter: Waiter) -> None:
        """Look no more, and leave every other line."""
        self._timer.cancel()
        self._elsewhere.leave(waiter)


def _give_up(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)
