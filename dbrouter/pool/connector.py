"""
Connector: makes one new connection for a pool: the driver's connect, then the user's hook, then the news of how it went.

It decides nothing about when or how many (`state.py`, `pace.py`). A connection whose hook fails, or leaves a transaction open, is
closed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic

from dbrouter.drivers.base import Connection, ConnectOptions, Driver, PasswordProvider
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import ConnectError
from dbrouter.events import ConnectionFailed, ConnectionOpened, EventHub
from dbrouter.pool.lease import Lease
from dbrouter.pool.pace import Pace
from dbrouter.pool.stats import PoolCounters
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
        on_connect: Callable[[Lease], Awaitable[None]] | None,
        on_connect_failed: Callable[[Verdict, BaseException, float], None] | None,
        on_connected: Callable[[float, Connection], None] | None,
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
        options, epoch = self.options, self.epoch
        try:
            async with asyncio.timeout(options.timeout + _GRACE_SECONDS):
                connection = await self._driver.connect(options, password=self._password)
            lease = seat(connection)
            phase = Phase.SETUP
            await self._welcome(lease, options)
        except Exception as error:
            if connection is not None:
                connection.terminate()
            self._failed(error, phase, started)
            return None
        except BaseException:
            if connection is not None:
                connection.terminate()
            raise
        self._succeeded(connection, monotonic() - started)
        if epoch != self.epoch:
            lease.retire_at = -inf
            lease.retire_why = "reloaded"
        return lease

    async def _welcome(self, lease: Lease, options: ConnectOptions) -> None:
        if self._on_connect is None:
            return
        self.newborn.add(lease)
        try:
            async with asyncio.timeout(options.timeout):
                await self._on_connect(lease)
        finally:
            self.newborn.discard(lease)
        connection = lease.connection
        if connection.closed or connection.in_transaction or connection.needs_settling:
            what = "closed it" if connection.closed else "left a transaction or a statement open on it"
            raise ConnectError(f"on_connect got a connection to {options.endpoint} and {what}", endpoint=options.endpoint)
        # What the hook has set is how sessions of this pool are meant to be.
        lease.dirty = None
        lease.task = None

    def _succeeded(self, connection: Connection, seconds: float) -> None:
        self._pace.succeeded()
        self._counters.connects += 1
        self._counters.connect_seconds_total += seconds
        self.last_failure = None
        if self._on_connected is not None:
            self._on_connected(seconds, connection)
        if self._events.listening_debug:
            self._events.emit(ConnectionOpened(hostgroup=self.hostgroup, node=self._node, took=seconds))

    def _failed(self, error: Exception, phase: Phase, started: float) -> None:
        now = monotonic()
        verdict = self._judge(error, phase)
        delay = self._pace.failed(started, now, verdict.blame, self._rng)
        self._counters.connect_failures += 1
        self._counters.connect_seconds_total += now - started
        self.last_failure = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if self._on_connect_failed is not None:
            self._on_connect_failed(verdict, error, now - started)
        if self._events.listening:
            event = ConnectionFailed(
                hostgroup=self.hostgroup,
                node=self._node,
                code=verdict.code,
                cause=self.last_failure,
                failures=self._pace.failures,
                retry_in=delay,
            )
            self._events.emit(event)
