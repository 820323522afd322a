"""
Connector: makes one new connection for a pool: the driver's connect, then the application's hook, then the news of how it went.

It decides nothing about when or how many (`state.py`, `pace.py`). Every attempt that does not end in a connection is told and
slows the next one, also one that ends by a `CancelledError` which nobody here asked for; only when the pool itself stops
is there nothing to tell.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from math import inf
from time import monotonic

from dbrouter.drivers.base import Connection, ConnectOptions, Driver, PasswordProvider
from dbrouter.drivers.hooks import hook_failed
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import ConnectError
from dbrouter.events import ConnectionFailed, ConnectionOpened, EventHub
from dbrouter.pool.lease import Lease
from dbrouter.pool.pace import Pace
from dbrouter.pool.stats import PoolCounters
from dbrouter.pool.welcome import OnConnect, judge_hook, welcome
from dbrouter.terms import Phase

_GRACE_SECONDS = 1.0
"""How much longer than `ConnectOptions.timeout` a driver may take before we stop believing that it keeps to it."""


class Connector:
    """
    Connects one pool to its server; see `Pool` for the hooks.

    Attributes:
        options: what new connections are made with; another one may take its place at any time.
        epoch: grows when connections that are being made with older options are not to be used.
        hostgroup: how events call it.
        newborn: leases whose `on_connect` hook is running: not in the pool yet, but their statements have deadlines too.
        last_failure: ``ClassName: message`` of the last failure since the last success.
    """

    __slots__ = (
        "_counters",
        "_driver",
        "_events",
        "_judge",
        "_node",
        "_on_connect",
        "_on_connect_failed",
        "_on_connected",
        "_pace",
        "_password",
        "_rng",
        "_stopping",
        "epoch",
        "hostgroup",
        "last_failure",
        "newborn",
        "options",
    )

    def __init__(
        self,
        *,
        node: str,
        hostgroup: str,
        driver: Driver,
        options: ConnectOptions,
        events: EventHub,
        rng: random.Random,
        pace: Pace,
        counters: PoolCounters,
        judge: Callable[[BaseException, Phase], Verdict],
        password: PasswordProvider | None,
        on_connect: OnConnect | None,
        on_connect_failed: Callable[[Verdict, BaseException, float], None] | None,
        on_connected: Callable[[float, Connection], None] | None,
        stopping: Callable[[], bool],
    ) -> None:
        self._node = node
        self.hostgroup = hostgroup
        self._driver = driver
        self.options = options
        self.epoch = 0
        self._events = events
        self._rng = rng
        self._pace = pace
        self._counters = counters
        self._judge = judge
        self._password = password
        self._on_connect = on_connect
        self._on_connect_failed = on_connect_failed
        self._on_connected = on_connected
        self._stopping = stopping
        self.newborn: set[Lease] = set()
        self.last_failure: str | None = None

    async def connect(self, seat: Callable[[Connection], Lease]) -> Lease | None:
        """
        A lease (made by *seat*) of a new connection that is ready for use, or None after a failure that was told to everybody.

        If cancelled, no socket is left.
        """
        started = monotonic()
        phase = Phase.CONNECT
        connection: Connection | None = None
        ready = False
        options, epoch = self.options, self.epoch
        try:
            async with asyncio.timeout(options.timeout + _GRACE_SECONDS):
                connection = await self._driver.connect(options, password=self._password)
            lease = seat(connection)
            if self._on_connect is not None:
                phase = Phase.SETUP
                await self._welcome(self._on_connect, lease, options)
            ready = True
        except asyncio.CancelledError as error:
            if self._stopping():
                raise
            # Not our doing: raised by the driver itself, or by code in the hook that cancels the task it runs in.
            self._failed(self._named(error, phase, options), phase, connection, options, started)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return None
        except Exception as error:
            self._failed(error, phase, connection, options, started)
            return None
        finally:
            if not ready and connection is not None:
                connection.terminate()
        self._succeeded(connection, monotonic() - started)
        if epoch != self.epoch:
            lease.retire_at = -inf
            lease.retire_why = "reloaded"
        return lease

    def _named(self, error: BaseException, phase: Phase, options: ConnectOptions) -> BaseException:
        if phase is Phase.CONNECT:
            return error
        return hook_failed("on_connect", self._on_connect, options, "CancelledError: the task it ran in was cancelled")

    async def _welcome(self, hook: OnConnect, lease: Lease, options: ConnectOptions) -> None:
        self.newborn.add(lease)
        try:
            await welcome(hook, lease, options)
        finally:
            self.newborn.discard(lease)

    def _succeeded(self, connection: Connection, seconds: float) -> None:
        self._pace.succeeded()
        self._counters.connects += 1
        self._counters.connect_seconds_total += seconds
        self.last_failure = None
        if self._on_connected is not None:
            self._on_connected(seconds, connection)
        if self._events.listening_debug:
            self._events.emit(ConnectionOpened(hostgroup=self.hostgroup, node=self._node, took=seconds))

    def _failed(
        self, error: BaseException, phase: Phase, connection: Connection | None, options: ConnectOptions, started: float
    ) -> None:
        now = monotonic()
        if phase is Phase.SETUP and connection is not None:
            verdict = judge_hook(error, connection, self._judge)
        else:
            verdict = self._judge(error, phase)
        # Ours say all there is to say; a class name and a code around it would hide the hook's.
        told = error.args[0] if isinstance(error, ConnectError) else _told(error)
        self._counters.connect_failures += 1
        self._counters.connect_seconds_total += now - started
        delay = 0.0
        if options is self.options:
            delay = self._pace.failed(started, now, verdict.blame, self._rng)
            self.last_failure = told
            if self._on_connect_failed is not None:
                self._on_connect_failed(verdict, error, now - started)
        # Else a reload has brought other options meanwhile, and the failure of the old ones says nothing of what comes next.
        if self._events.listening:
            event = ConnectionFailed(
                hostgroup=self.hostgroup,
                node=self._node,
                code=verdict.code,
                cause=told,
                failures=self._pace.failures,
                retry_in=delay,
            )
            self._events.emit(event)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
