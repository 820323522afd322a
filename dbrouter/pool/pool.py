"""
Pool: the connections of one node in one hostgroup, and the line of those who want one.

`PoolState` decides; here it is done: opening and closing connections, pinging, waking waiters, timers, events, counting.
Everything happens in one event loop and between two awaits nothing else runs, so there is no lock.

Connecting belongs to the pool and goes on in the background, at a pace of its own: a caller stands in line and is served by
whatever comes first, a connection that is given back or a new one. Background work runs in `OwnedTasks`; whatever becomes of such
a task, its done-callback sees to it that the capacity it held is free again.

What it leaves to others: which node to use, what a failure means (`judge`), whether connecting makes sense at all
(`may_connect`).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterable
from math import inf
from time import monotonic
from typing import assert_never

from dbrouter.config.schema import PoolSettings
from dbrouter.drivers.base import Connection, ConnectOptions, Driver, PasswordProvider
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import PoolClosedError, PoolFullError, PoolTimeoutError
from dbrouter.events import AcquireWaited, ConnectionClosed, EventHub, LeaseLeaked
from dbrouter.pool import chores
from dbrouter.pool.chores import Job, Jobs
from dbrouter.pool.connector import Connector
from dbrouter.pool.fork import forget_in_child
from dbrouter.pool.lease import Lease
from dbrouter.pool.pace import Pace, PaceSettings
from dbrouter.pool.refusals import timed_out
from dbrouter.pool.state import Check, Close, Connect, Hand, Later, Place, PoolState, Refuse, Take, Wait
from dbrouter.pool.stats import PoolCounters, PoolSnapshot
from dbrouter.pool.watch import DeadlineWatch
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import ConnectionFate, Phase

KEEPALIVE_SECONDS = 30.0
"""An idle connection is pinged about this often."""

_POLITE = frozenset({"lifetime", "idle", "uses", "session_state", "refused", "draining", "expired", "resized", "reloaded"})
"""Reasons for which the connection is well and the server deserves a goodbye; for all others the socket is closed at once."""

CONNECT_PATIENCE = 1.0
"""Seconds for which a call waits for a connection that is being made, before an idle one of another pool serves it instead."""
LOOK_ELSEWHERE_EVERY = 0.05
"""Seconds between two looks of somebody in line at whether another pool could serve at once."""

_IN_WORK = frozenset({Place.CHECKING, Place.SETTLING, Place.CLOSING})

_Waiter = asyncio.Future["Lease | None"]
_Action = Hand[Lease, _Waiter] | Close[Lease] | Check[Lease]


class Pool:
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
        "_connector",
        "_counters",
        "_events",
        "_hooked",
        "_jobs",
        "_judge",
        "_loop",
        "_may_connect",
        "_pid",
        "_quiet",
        "_retry",
        "_rng",
        "_settings",
        "_state",
        "_supplying",
        "_tick",
        "hostgroup",
        "name",
        "node",
        "on_release",
        "take",
        "watch",
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
        self._may_connect = may_connect
        self._state: PoolState[Lease, _Waiter] = PoolState(
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
            stopping=self._stopping,
        )
        self.take: Callable[[float, bool], Lease | None] = self._state.take
        self.on_release = self._state.on_release
        self._jobs = Jobs(tasks, name, self._over)
        self.watch = DeadlineWatch(self._holding)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = os.getpid()
        self._supplying = False
        self._quiet = asyncio.Event()
        self._retry: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        forget_in_child(self)

    def __repr__(self) -> str:
        waiting = f" waiting={self.waiting}" if self.waiting else ""
        draining = " draining" if self._state.draining else ""
        return f"<Pool {self.name} idle={self.idle} in_use={self.in_use}/{self._state.max_size}{waiting}{draining}>"

    # ---- what can be seen

    @property
    def size(self) -> int:
        """Connections of any kind, those being made or closed included."""
        return self._state.size

    @property
    def idle(self) -> int:
        """Connections ready to be taken."""
        return len(self._state.idle)

    @property
    def in_use(self) -> int:
        """Connections somebody holds."""
        return self._state.in_use

    @property
    def waiting(self) -> int:
        """Callers in line."""
        return len(self._state.waiters)

    @property
    def outstanding(self) -> int:
        """in_use + waiting: what a balancer compares."""
        state = self._state
        return len(state.seats) - len(state.idle) - state.aside + len(state.waiters)

    @property
    def spare(self) -> bool:
        """Whether one more caller would find an idle connection."""
        state = self._state
        return len(state.idle) > len(state.waiters)

    @property
    def full(self) -> bool:
        """Whether it has every connection it may have and none is idle: one more caller waits for somebody to be done."""
        state = self._state
        return not state.idle and len(state.seats) >= state.max_size

    def stalled(self, now: float) -> bool:
        """Whether a connection is being made, and even the youngest attempt takes longer than callers should wait for."""
        state = self._state
        return bool(state.connecting) and now - state.pace.started_at >= CONNECT_PATIENCE

    @property
    def empty(self) -> bool:
        """Whether there is no connection that could come back to somebody in line; one that is being made does not count."""
        return not self._state.seats

    def starving(self, now: float) -> bool:
        """Whether there is no connection, connecting has just failed, and the next attempt has to wait for its time."""
        state = self._state
        return not state.seats and bool(state.pace.failures) and not state.connecting and state.pace.next_at(now) > now

    @property
    def wants_connections(self) -> bool:
        """Whether it keeps connections open that nobody asks for (`min_size`)."""
        return self._state.min_size > 0

    @property
    def last_connect_failure(self) -> str | None:
        """``ClassName: message`` of the last failure to connect since the last success."""
        return self._connector.last_failure

    @property
    def draining(self) -> bool:
        """Whether nothing is handed out any more."""
        return self._state.draining

    def stats(self, now: float) -> PoolSnapshot:
        """The numbers of this moment. *now* is monotonic seconds; nothing is read from a clock here."""
        state, counters = self._state, self._counters
        acquires = counters.closed_uses + sum(lease.uses for lease in state.seats)
        return PoolSnapshot(
            name=self.name,
            node=self.node,
            hostgroup=self.hostgroup,
            size=state.size,
            idle=len(state.idle),
            in_use=state.in_use,
            connecting=state.connecting,
            settling=state.settling + state.checking,
            closing=state.closing,
            waiting=len(state.waiters),
            min_size=state.min_size,
            max_size=state.max_size,
            acquires=acquires,
            waits=counters.waits,
            wait_seconds_total=counters.wait_seconds_total,
            wait_buckets=counters.buckets(acquires),
            timeouts=counters.timeouts,
            refused=counters.refused,
            connects=counters.connects,
            connect_failures=counters.connect_failures,
            connect_seconds_total=counters.connect_seconds_total,
            last_connect_failure=self._connector.last_failure,
            closed=dict(counters.closed),
            leaks=counters.leaks,
            interrupted=self.watch.cut,
        )

    # ---- living

    def start(self) -> None:
        """Begin to keep `min_size` connections, in the running event loop; nothing happens before. Twice is harmless."""
        if self._loop is None and not self._state.draining:
            self._loop = asyncio.get_running_loop()
            self._on_tick()

    def wake(self) -> None:
        """Look again whether to connect: what `may_connect` goes by has changed."""
        self._supply()

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
            if self._tick is not None:
                self._tick.cancel()
                self._on_tick()
        if renew:
            connector.epoch += 1
            self.expire("reloaded")
        self._supply()

    async def acquire(
        self,
        deadline: float | None,
        check: bool = True,
        trace: bool = False,
        elsewhere: Callable[[], Lease | None] | None = None,
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
        loop = self._usable()
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
                    lease = await self._wait(loop, started, limit if deadline is None else min(limit, deadline), elsewhere)
                    break
                case Refuse(full):
                    raise self._refusal(full)
                case _:
                    assert_never(decision)
        if trace:
            lease.trace()
        return lease

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
        waiters = self._state.dismiss()
        for waiter in waiters:
            waiter.set_exception(make())
        return len(waiters)

    async def drain(self, deadline: float | None) -> int:
        """
        Hand nothing out any more, wait for what is in use, close everything.

        Args:
            deadline: moment (monotonic seconds) at which what is still in use is cut off; None waits as long as it takes.

        Returns how many leases were cut. Afterwards there is no connection, no waiter, no task and no timer of this pool.
        If cancelled, what is left is cut at once, and the cancellation goes on.
        """
        self._stop_handing_out()
        cut = 0
        try:
            await self._until_quiet(deadline)
        finally:
            cut = self.cut()
        await self._jobs.wait()
        return cut

    def cut(self) -> int:
        """Close everything at once, whoever holds it; how many leases that were. What `drain` ends with, also before it began."""
        self._stop_handing_out()
        held = self._state.in_use
        for lease in list(self._state.seats):
            self._cut_off(lease, "draining")
        self._jobs.cancel()
        self._stop_timers()
        return held

    def _stopping(self) -> bool:
        return self._state.draining or self._jobs.closed

    def _stop_handing_out(self) -> None:
        if self._state.draining:
            return
        closing, waiters = self._state.on_drain()
        for waiter in waiters:
            waiter.set_exception(self._refusal(full=False))
        for action in closing:
            self.act(action)
        self._jobs.cancel(connecting_only=True)

    # ---- what leases and timers ask for

    def act(self, action: _Action) -> None:
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

    def _act_if(self, action: _Action | None) -> None:
        if action is not None:
            self.act(action)

    def _holding(self) -> Iterable[Lease]:
        return (*self._state.seats, *self._connector.newborn)

    def _on_tick(self) -> None:
        now = monotonic()
        for action in self._state.on_tick(now):
            self.act(action)
        self._report_leaks(now)
        self._supply()
        if self._loop is not None and not self._state.draining:
            self._tick = self._loop.call_later(self._tick_seconds() * (0.9 + 0.2 * self._rng.random()), self._on_tick)

    def _tick_seconds(self) -> float:
        settings = self._settings
        shortest = min(value for value in (settings.idle_timeout, settings.max_lifetime, settings.leak_after, 4.0) if value)
        return max(0.005, shortest / 4)

    def _report_leaks(self, now: float) -> None:
        after = self._settings.leak_after
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
                self._events.emit(LeaseLeaked(hostgroup=self.hostgroup, node=self.node, held=held, task=task, stack=stack))

    # ---- waiting

    def _usable(self) -> asyncio.AbstractEventLoop:
        if os.getpid() != self._pid:
            where = f"was opened in process {self._pid} and this is its child {os.getpid()}"
            raise PoolClosedError(f"pool {self.name!r} {where}: open the router after fork", pool=self.name)
        loop = asyncio.get_running_loop()
        if self._jobs.closed:
            raise self._refusal(full=False)
        if loop is not self._loop and not self._state.draining:
            what = "was not started" if self._loop is None else "belongs to another event loop: open a router in each"
            raise PoolClosedError(f"pool {self.name!r} {what}", pool=self.name)
        return loop

    async def _wait(
        self, loop: asyncio.AbstractEventLoop, started: float, limit: float, elsewhere: Callable[[], Lease | None] | None
    ) -> Lease:
        state = self._state
        waiter: _Waiter = loop.create_future()
        state.enqueue(waiter)
        self._supply()
        # A millisecond late rather than early: uvloop's clock is that coarse.
        timer = loop.call_later(max(0.0, limit - started) + 0.001, _give_up, waiter)
        look = None if elsewhere is None else _Look(loop, waiter, elsewhere)
        lease: Lease | None = None
        try:
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
                look.cancel()
            waited = monotonic() - started
            self._counters.waited(waited, served=lease is not None)
            if self._events.listening_debug:
                event = AcquireWaited(hostgroup=self.hostgroup, node=self.node, waited=waited, served=lease is not None)
                self._events.emit(event)
            waiting = len(state.waiters)
            state.leave(waiter)
        if lease is None:
            raise self._timeout(waited, waiting)
        return lease

    def _timeout(self, waited: float, waiting: int) -> PoolTimeoutError:
        self._counters.timeouts += 1
        return timed_out(self.name, self._state, waited, waiting, self._connector.last_failure)

    def _refusal(self, full: bool) -> PoolFullError | PoolClosedError:
        if not full:
            return PoolClosedError(f"pool {self.name!r} is closing", pool=self.name)
        self._counters.refused += 1
        self._supply()
        message = (
            f"pool {self.name!r} has {self.waiting} callers in line, which is max_waiting (in_use={self.in_use} size={self.size})"
        )
        return PoolFullError(message, pool=self.name, waiting=self.waiting)

    # ---- background work

    def _supply(self) -> None:
        """Start whatever those who wait, and `min_size`, need."""
        if self._loop is None or self._supplying or self._jobs.closed:
            return
        self._supplying = True
        try:
            while True:
                now = monotonic()
                need = self._state.on_need(now, self._may_connect is None or self._may_connect())
                match need:
                    case None:
                        return
                    case Later(at):
                        if self._retry is not None:
                            self._retry.cancel()
                        self._retry = self._loop.call_later(max(0.001, at - now), self._supply)
                        return
                    case Connect():
                        job = Job(None)
                        self._jobs.run(job, self._connect(job), "connect")
                    case _:
                        self.act(need)
        finally:
            self._supplying = False

    def _over(self, job: Job) -> None:
        """A job has ended, or never ran: whatever it left undone is undone for good, and the capacity it held is free."""
        if job.connecting:
            job.connecting = False
            self._state.on_connect_ended()
        lease = job.lease
        if lease is not None and lease.place in _IN_WORK:
            self._cut_off(lease, "settling")
        self._supply()
        self._note_quiet()

    async def _connect(self, job: Job) -> None:
        lease = await self._connector.connect(self._seat)
        job.connecting = False
        if lease is None:
            self._state.on_connect_ended()
            return
        self._act_if(self._state.on_connected(lease, monotonic()))

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
            self._note_quiet()
        self._supply()
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

    async def _until_quiet(self, deadline: float | None) -> None:
        """Until there is neither a connection nor a task of this pool, or the deadline has passed."""
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - monotonic())):
                while self._state.size or self._jobs:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass

    def _note_quiet(self) -> None:
        if self._state.draining and not self._state.size and not self._jobs:
            self._quiet.set()

    def _stop_timers(self) -> None:
        self.watch.stop()
        for timer in (self._retry, self._tick):
            if timer is not None:
                timer.cancel()
        self._retry = self._tick = None

    def forget(self) -> list[Lease]:
        """In a child process: nothing here is ours any more; the leases, which must be kept (`fork.py`)."""
        self._jobs.forget()
        return self._state.on_fork()


def _pace_of(settings: PoolSettings) -> PaceSettings:
    return PaceSettings(burst=max(20, 2 * settings.max_size))


class _Look:
    """Somebody in line who looks elsewhere now and then, without giving up the place."""

    __slots__ = ("_elsewhere", "_loop", "_timer", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop, waiter: _Waiter, elsewhere: Callable[[], Lease | None]) -> None:
        self._loop = loop
        self._waiter = waiter
        self._elsewhere = elsewhere
        self._timer = loop.call_later(LOOK_ELSEWHERE_EVERY, self._now)

    def _now(self) -> None:
        if self._waiter.done():
            return
        try:
            lease = self._elsewhere()
        except Exception as error:
            self._waiter.set_exception(error)
            return
        if lease is not None:
            self._waiter.set_result(lease)
        else:
            self._timer = self._loop.call_later(LOOK_ELSEWHERE_EVERY, self._now)

    def cancel(self) -> None:
        """Look no more."""
        self._timer.cancel()


def _give_up(waiter: _Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)
