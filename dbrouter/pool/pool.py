"""
Pool: the connections of one node in one hostgroup.

`PoolState` decides; here it is done: opening and closing connections, pinging, waking waiters, timers, events, counting.
What has a file of its own: what can be seen of a pool (`gauges.py`), those who wait (`line.py`), making one connection
(`connector.py`, `welcome.py`), having as many as are needed (`supply.py`), what is due by the clock (`upkeep.py`), what is done
to one that nobody holds (`chores.py`), the end (`ending.py`).
Everything happens in one event loop and between two awaits nothing else runs, so there is no lock.

Connecting belongs to the pool and goes on in the background, at a pace of its own: a caller stands in line and is served by
whatever comes first, a connection that is given back or a new one. Background work runs in `OwnedTasks`; whatever becomes of such
a task, its done-callback sees to it that the capacity it held is free again.

What it leaves to others: which node to use, what a failure means (`judge`), whether connecting makes sense at all
(`may_connect`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from math import inf
from time import monotonic
from typing import assert_never

from dbrouter.config.schema import PoolSettings
from dbrouter.drivers.base import Connection, ConnectOptions, Driver, PasswordProvider
from dbrouter.drivers.outcome import Verdict
from dbrouter.events import ConnectionClosed, EventHub
from dbrouter.pool import chores
from dbrouter.pool.chores import Job, Jobs
from dbrouter.pool.connector import Connector
from dbrouter.pool.ending import Ending
from dbrouter.pool.fork import Home, forget_in_child
from dbrouter.pool.gauges import Gauges
from dbrouter.pool.lease import Action, Lease, Waiter
from dbrouter.pool.line import Elsewhere, Line
from dbrouter.pool.pace import Pace, PaceSettings
from dbrouter.pool.seat import Place
from dbrouter.pool.state import Check, Close, Hand, PoolState, Refuse, Take, Wait
from dbrouter.pool.stats import PoolCounters
from dbrouter.pool.supply import Supply
from dbrouter.pool.upkeep import Upkeep
from dbrouter.pool.watch import DeadlineWatch
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import ConnectionFate, Phase

KEEPALIVE_SECONDS = 30.0
"""An idle connection is pinged about this often."""

_POLITE = frozenset({"lifetime", "idle", "uses", "session_state", "refused", "draining", "expired", "resized", "reloaded"})
"""Reasons for which the connection is well and the server deserves a goodbye; for all others the socket is closed at once."""

_IN_WORK = frozenset({Place.CHECKING, Place.SETTLING, Place.CLOSING})


class Pool(Gauges):
    """
    Connections of one node in one hostgroup.

    Args:
        name: how messages call it.
        judge: what an exception means; asked with `Phase.CONNECT`, `SETUP` and `CHECK`.
        on_connect: awaited once for every new connection, with the lease that will stand for it; if it fails the connection is
            closed.
        on_connect_failed: told of each failure to connect: verdict, exception, seconds it took.
        on_connected: told of each success: seconds it took, the connection.
        may_connect: False holds connecting back (an open breaker); asked before each attempt, and `wake` makes the pool ask
            again.
        pace: limits on connecting.

    `take` is the hot path: ``lease = pool.take(now, check) or await pool.acquire(deadline, check)``.
    """

    __slots__ = (
        "__weakref__",
        "_check_home",
        "_ending",
        "_events",
        "_home",
        "_hooked",
        "_jobs",
        "_judge",
        "_line",
        "_rng",
        "_settings",
        "_supply",
        "_upkeep",
        "on_release",
        "take",
    )

    def __init__(
        self,
        *,
        name: str,
        node: str,
        hostgroup: str,
        driver: Driver,
        options: ConnectOptions,
        settings: PoolSettings,
        tasks: OwnedTasks,
        events: EventHub,
        rng: random.Random,
        judge: Callable[[BaseException, Phase], Verdict],
        password: PasswordProvider | None = None,
        on_connect: Callable[[Lease], Awaitable[None]] | None = None,
        on_connect_failed: Callable[[Verdict, BaseException, float], None] | None = None,
        on_connected: Callable[[float, Connection], None] | None = None,
        may_connect: Callable[[], bool] | None = None,
        pace: PaceSettings | None = None,
    ) -> None:
        self.name = name
        self.node = node
        self.hostgroup = hostgroup
        self._settings = settings
        self._events = events
        self._hooked = on_connect is not None
        self._rng = rng
        self._judge = judge
        self._state: PoolState[Lease, Waiter] = PoolState(
            min_size=min(settings.min_size, settings.max_size),
            max_size=settings.max_size,
            max_waiting=settings.max_waiting,
            max_uses=settings.max_uses,
            idle_timeout=settings.idle_timeout,
            pace=Pace(pace or _pace_of(settings)),
        )
        self._counters = PoolCounters()
        self._connector = Connector(
            node=node,
            hostgroup=hostgroup,
            driver=driver,
            options=options,
            events=events,
            rng=rng,
            pace=self._state.pace,
            counters=self._counters,
            judge=judge,
            password=password,
            on_connect=on_connect,
            on_connect_failed=on_connect_failed,
            on_connected=on_connected,
            stopping=lambda: self._ending.begun(),
        )
        self.take: Callable[[float, bool], Lease | None] = self._state.take
        self.on_release = self._state.on_release
        self._jobs = Jobs(tasks, name, self._over)
        self._supply = Supply(self._state, self._jobs, self._connector, may_connect=may_connect, seat=self._seat, act=self.act)
        self._line = Line(self, self._state, counters=self._counters, events=events, supply=self._supply.look)
        self._upkeep = Upkeep(
            self, self._state, settings, self._counters, events=events, rng=rng, act=self.act, supply=self._supply.look
        )
        self.watch = DeadlineWatch(self._holding)
        stops = (self.watch.stop, self._supply.stop, self._upkeep.stop)
        self._ending = Ending(self._state, self._jobs, stops, refusal=self._line.closing, close=self.act, cut_off=self._cut_off)
        self._home = Home(self, self._ending.begun)
        self._check_home = self._home.check
        forget_in_child(self)

    def __repr__(self) -> str:
        waiting = f" waiting={self.waiting}" if self.waiting else ""
        draining = " draining" if self._state.draining else ""
        return f"<Pool {self.name} idle={self.idle} in_use={self.in_use}/{self._state.max_size}{waiting}{draining}>"

    # ---- living

    def start(self) -> None:
        """Begin to keep `min_size` connections, in the running event loop; nothing happens before. Twice is harmless."""
        if self._home.loop is None and not self._state.draining:
            loop = self._home.loop = asyncio.get_running_loop()
            self._supply.start(loop)
            self._upkeep.start(loop)

    def wake(self) -> None:
        """Look again whether to connect: what `may_connect` goes by has changed."""
        self._supply.look()

    def reconfigure(self, settings: PoolSettings, options: ConnectOptions, *, name: str, hostgroup: str, renew: bool) -> None:
        """
        Other settings from now on; connections, those in use and those who wait stay.

        A smaller `max_size` is reached as connections come back. *options* are for connections opened afterwards.

        Args:
            renew: use none of the present connections any more: idle ones are closed now, those in use when they come back.
        """
        connector, state = self._connector, self._state
        if renew or options != connector.options:
            connector.options = options
            state.pace.reconfigure(_pace_of(settings))
        self.name = name
        self.hostgroup = connector.hostgroup = hostgroup
        if settings != self._settings:
            self._settings = settings
            closing = state.on_resize(
                min_size=min(settings.min_size, settings.max_size),
                max_size=settings.max_size,
                max_waiting=settings.max_waiting,
                max_uses=settings.max_uses,
                idle_timeout=settings.idle_timeout,
            )
            for action in closing:
                self.act(action)
            self._upkeep.settings = settings
            self._upkeep.again()
        if renew:
            connector.epoch += 1
            self.expire("reloaded")
        self._supply.look()

    async def acquire(
        self, deadline: float | None, check: bool = True, trace: bool = False, elsewhere: Elsewhere | None = None
    ) -> Lease:
        """
        A connection, after waiting in strict order of arrival where there is none at once.

        Args:
            deadline: moment (monotonic seconds) at which to give up; `acquire_timeout` from now if that is earlier.
            check: look at the socket first (writes).
            trace: remember who acquired it and where (leak reports).
            elsewhere: asked every `LOOK_ELSEWHERE_EVERY` seconds in line; the lease of another pool that it answers serves the
                caller instead, and what it raises is raised.

        If cancelled while waiting, the place in the line is given up and no connection is lost.

        Raises:
            PoolTimeoutError: none came in time.
            PoolFullError: `max_waiting` callers are in line already.
            PoolClosedError: the pool is closing, was never started, or belongs to another process or event loop.
        """
        loop = self._check_home()
        if self._jobs.closed:
            raise self._line.closing()
        state = self._state
        started = monotonic()
        while True:
            decision = state.on_acquire(started, check)
            match decision:
                case Take(lease):
                    break
                case Close():
                    self.act(decision)
                case Wait():
                    limit = started + self._settings.acquire_timeout
                    limit = limit if deadline is None else min(limit, deadline)
                    lease = await self._line.wait(loop, started, limit, elsewhere)
                    break
                case Refuse(full):
                    raise self._line.full() if full else self._line.closing()
                case _:
                    assert_never(decision)
        if trace:
            lease.trace()
        return lease

    def join(self, waiter: Waiter) -> None:
        """*waiter*, who stands in the line of another pool, stands in this one too: who serves first has served."""
        self._line.join(waiter)

    def leave(self, waiter: Waiter) -> None:
        """*waiter* has been served, or gives up what it got by `join`."""
        self._line.leave(waiter)

    def expire(self, why: str) -> None:
        """Use no connection opened before now any more: idle ones are closed now, those in use when they come back."""
        for action in self._state.on_expire(why):
            self.act(action)

    def interrupt(self, reason: str, *, reads_only: bool) -> int:
        """
        Cut the running statements (or only reads) at once; their holders learn *reason* by `Lease.claim_interrupt`. How many.
        """
        return self.watch.interrupt(reason, reads_only=reads_only)

    def fail_waiters(self, make: Callable[[], BaseException]) -> int:
        """Everybody in line raises what *make* makes (once for each), so that they can go elsewhere. How many."""
        return self._line.send_away(make)

    async def drain(self, deadline: float | None) -> int:
        """
        Hand nothing out any more, wait for what is in use, close everything.

        Args:
            deadline: moment (monotonic seconds) at which what is still in use is cut off; None waits as long as it takes.

        Returns how many leases were cut. Afterwards there is no connection, no waiter, no task and no timer of this pool.
        If cancelled, what is left is cut at once, and the cancellation goes on.
        """
        return await self._ending.drain(deadline)

    def cut(self) -> int:
        """Close everything at once, whoever holds it; how many leases that were. What `drain` ends with, also before it began."""
        return self._ending.cut()

    def served_after(self, waited: float) -> None:
        """A lease of this pool was handed to somebody who had stood in line, here or at another pool, for *waited* seconds."""
        self._counters.served.observe(waited)

    # ---- what leases and timers ask for

    def act(self, action: Action) -> None:
        """Do what `PoolState` answered."""
        match action:
            case Hand(lease, waiter):
                waiter.set_result(lease)
            case Close(lease, why):
                self._close(lease, why)
            case Check(lease):
                self._jobs.run(Job(lease), self._check(lease), "ping")
            case _:
                assert_never(action)

    def release_after(self, lease: Lease, *, reset: bool, settle: bool, abandon: bool) -> None:
        """See `Lease.release_after`."""
        connection = lease.connection
        end = connection.abandon() if abandon else None
        settle = settle and connection.needs_settling and not connection.closed
        if reset and self._hooked and lease.dirty is None:
            lease.dirty = "what on_connect had set would be lost by a reset"
        reset = reset and lease.dirty is None and not connection.closed
        if end is None and not settle and not reset:
            lease.release()
        elif self._state.on_settling(lease):
            self._jobs.run(Job(lease), self._settle(lease, end, settle, reset), "settle")

    def discard(self, lease: Lease, why: str) -> None:
        """See `Lease.discard`."""
        self._act_if(self._state.on_discard(lease, why))

    def _act_if(self, action: Action | None) -> None:
        if action is not None:
            self.act(action)

    def _holding(self) -> Iterable[Lease]:
        return (*self._state.seats, *self._connector.newborn)

    # ---- background work

    def _over(self, job: Job) -> None:
        """A job has ended, or never ran: whatever it left undone is undone for good, and the capacity it held is free."""
        if job.connecting:
            job.connecting = False
            self._state.on_connect_ended()
        lease = job.lease
        if lease is not None and lease.place in _IN_WORK:
            self._cut_off(lease, "settling")
        self._supply.look()
        self._ending.look()

    def _seat(self, connection: Connection) -> Lease:
        now = monotonic()
        lifetime = self._settings.max_lifetime
        retire_at = inf if lifetime is None else now + lifetime * (1.0 - 0.1 * self._rng.random())
        return Lease(self, connection, now=now, retire_at=retire_at, ping_at=self._next_ping(now))

    def _next_ping(self, now: float) -> float:
        return now + KEEPALIVE_SECONDS * (0.9 + 0.2 * self._rng.random())

    async def _check(self, lease: Lease) -> None:
        error = await chores.ping(lease.connection)
        if error is None:
            now = monotonic()
            self._act_if(self._state.on_checked(lease, now, self._next_ping(now)))
            return
        self.discard(lease, "broken")
        # No answer at all, or news of the whole server: the others are no better.
        if isinstance(error, TimeoutError) or self._judge(error, Phase.CHECK).connection is ConnectionFate.DROP_SIBLINGS:
            self.expire("broken")

    async def _settle(self, lease: Lease, end: Callable[[], Awaitable[None]] | None, settle: bool, reset: bool) -> None:
        why = await chores.settle(lease.connection, end, settle=settle, reset=reset)
        if why is None:
            self._act_if(self._state.on_settled(lease, monotonic()))
        else:
            self.discard(lease, why)

    # ---- closing

    def _close(self, lease: Lease, why: str) -> None:
        self._counters.connection_closed(why, lease.uses)
        connection = lease.connection
        if why in _POLITE and not connection.closed and not connection.needs_settling:
            self._jobs.run(Job(lease), chores.goodbye(connection), "close")
        else:
            connection.terminate()
            self._state.on_gone(lease)
            self._ending.look()
        self._supply.look()
        if self._events.listening_debug:
            age = monotonic() - lease.opened_at
            event = ConnectionClosed(hostgroup=self.hostgroup, node=self.node, why=why, age=age, uses=lease.uses)
            self._events.emit(event)

    def _cut_off(self, lease: Lease, why: str) -> None:
        """Close *lease*'s connection at once, wherever it is."""
        action = self._state.on_discard(lease, why)
        if action is not None:
            self._counters.connection_closed(why, lease.uses)
        lease.connection.terminate()
        self._state.on_gone(lease)

    def forget(self) -> list[Lease]:
        """In a child process: nothing here is ours any more; the leases, which must be kept (`fork.py`)."""
        self._jobs.forget()
        return self._state.on_fork()


def _pace_of(settings: PoolSettings) -> PaceSettings:
    return PaceSettings(burst=max(20, 2 * settings.max_size))
