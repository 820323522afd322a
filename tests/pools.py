"""What the tests of the pool share: pools over fake servers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from dbrouter.config.schema import PoolSettings
from dbrouter.drivers.base import ConnectOptions
from dbrouter.events import EventHub
from dbrouter.pool import Lease, Pool
from dbrouter.pool.lease import Waiter
from dbrouter.pool.pace import PaceSettings
from dbrouter.tasks import OwnedTasks
from dbrouter.testing.fake import FakeDriver, FakeServer
from tests.watching import Listener as Listener
from tests.watching import until as until


class Bench:
    """A pool over a fake server, with what it reports to."""

    def __init__(
        self, pool: Pool, server: FakeServer, tasks: OwnedTasks, listener: Listener, errors: list[BaseException]
    ) -> None:
        self.pool = pool
        self.server = server
        self.tasks = tasks
        self.listener = listener
        self.errors = errors


PATIENT = PaceSettings(backoff=0.002, backoff_max=0.01, backoff_config=0.01, burst=100_000, per_second=100_000)
"""A pace for tests: limits as in life, delays a thousandth."""


@asynccontextmanager
async def pool_over(
    server: FakeServer | None = None,
    *,
    size: int = 2,
    driver: FakeDriver | None = None,
    started: bool = True,
    pace: PaceSettings = PATIENT,
    connect_timeout: float = 5.0,
    hooks: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Bench]:
    """A pool of at most *size* connections; afterwards it is drained: nothing is left, and nothing went wrong behind it."""
    server = server or FakeServer()
    errors: list[BaseException] = []
    listener = Listener()
    tasks = OwnedTasks(lambda _name, error: errors.append(error))
    driver = driver or FakeDriver(server)
    pool = Pool(
        name="orders-1",
        node="db1:5432",
        hostgroup="orders",
        driver=driver,
        options=ConnectOptions(host="db1", port=5432, timeout=connect_timeout),
        settings=PoolSettings(**{"min_size": 0, "max_size": size, **settings}),
        tasks=tasks,
        events=EventHub((listener,)),
        rng=random.Random(7),
        judge=driver.verdict,
        pace=pace,
        **(hooks or {}),
    )
    if started:
        pool.start()
    try:
        yield Bench(pool, server, tasks, listener, errors)
        assert pool._state.audit() == []
    finally:
        await pool.drain(monotonic())
        await tasks.close()
    assert errors == []
    assert pool._state.audit() == []
    assert (pool.size, pool.waiting, len(tasks), len(server.connections)) == (0, 0, 0, 0)


async def borrow(bench: Bench) -> None:
    """Take a connection, hold it for a moment and give it back."""
    lease = bench.pool.take(monotonic(), False) or await bench.pool.acquire(None)
    await asyncio.sleep(0)
    lease.release()


async def ticks(count: int = 5) -> None:
    """Let the loop run *count* times."""
    for _ in range(count):
        await asyncio.sleep(0)


class Takes:
    """For somebody in line: the idle connection of another pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def look(self, waiter: Waiter) -> Lease | None:
        """Take it."""
        return self.pool.take(monotonic(), True)

    def leave(self, waiter: Waiter) -> None:
        """There is no other line."""


class Joins:
    """Joins the line of another pool at the first look."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def look(self, waiter: Waiter) -> Lease | None:
        """Stand there too."""
        self.pool.join(waiter)
        return None

    def leave(self, waiter: Waiter) -> None:
        """No more."""
        self.pool.leave(waiter)
