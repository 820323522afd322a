"""Where whole routers are maltreated: on fake servers or on a real cluster, with one way to see that nothing was left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from dbrouter import Router
from dbrouter.router.context import Context
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from dbrouter.testing.fake import FakeDriver, FakeServer
from tests import fakes
from tests.routers import Dialect, configuration
from tests.watching import until

TABLE = ("DROP TABLE IF EXISTS cut", "CREATE TABLE cut(number int NOT NULL, part int NOT NULL, PRIMARY KEY (number, part))")
"""One operation, one number; a second copy of a write would be refused."""
LOCK = 4711
"""The lock that operations take in their sessions."""
numbers = count(1)
"""Never the same number twice, whoever asks."""


@dataclass(frozen=True)
class Busy:
    """What the primary sees of the application: connections, running statements, open transactions, session locks."""

    connections: int
    running: int
    transactions: int
    locks: int


class Place:
    """A router to break, its dialect, and how to ask the primary what it sees of it."""

    def __init__(
        self, router: Router, engine: Engine, look: Callable[[], Awaitable[Busy]], servers: dict[str, FakeServer] | None = None
    ) -> None:
        self.router = router
        self.speak = Dialect(engine)
        self.look = look
        self.servers = servers or {}
        """The fake ones."""
        self._tasks = len(router._parts.tasks)

    @property
    def context(self) -> Context:
        """The parts of the one database."""
        return self.router._parts.contexts[0]

    def nonce(self) -> str:
        """A read that gives back its parameter."""
        return self.speak.sql("SELECT {1}" + ("::int" if self.speak.postgresql else ""))

    def left(self) -> list[str]:
        """What of the router is not at rest, as far as this process knows."""
        parts, found = self.router._parts, []
        for pool in parts.pools:
            state = pool._state
            found += [f"{pool.name}: {complaint}" for complaint in state.audit()]
            for what, number in (("in use", pool.in_use), ("waiting", pool.waiting), ("aside", state.aside)):
                found += [f"{pool.name}: {number} {what}"] * bool(number)
            found += [f"{pool.name}: {lease!r} is armed" for lease in state.seats if lease.armed or lease.interrupted]
        for group in self.context.hostgroups:
            found += [f"{group.name}: somebody waits for a change"] * bool(group._waiters)
        found += [f"{node.id}: a permit is out" for node in self.context.nodes if node.breaker.permits]
        found += [f"tasks: {parts.tasks!r}, {self._tasks} in the beginning"] * (len(parts.tasks) != self._tasks)
        return found

    async def quiet(self) -> None:
        """Nothing is lent, waited for, or on its way, here and on the server; the next callers get their own replies."""
        router = self.router
        await until(lambda: not self.left(), what="a router at rest")
        for route in ("read", "write"):
            nonces = [next(numbers) for _ in range(3)]
            assert list(await asyncio.gather(*(router.fetchval(self.nonce(), nonce, route=route) for nonce in nonces))) == nonces
        for _ in range(300):
            ours = 1 + sum(member.pool.size for member in self.context.writer.members)
            seen = await self.look()
            if seen == Busy(ours, 0, 0, 0):
                break
            await asyncio.sleep(0.005)
        else:
            raise AssertionError(f"the server sees {seen}, and there are {ours} connections of ours")
        await until(lambda: not self.left(), what="a router at rest")

    async def parts(self, number: int) -> list[int]:
        """Which parts of a number are in the table."""
        rows = await self.router.fetch(f"SELECT part FROM cut WHERE number = {number} ORDER BY part", route="write")
        return [row[0] for row in rows]

    def cool(self) -> None:
        """No connection is left that the next caller could use."""
        for pool in self.router._parts.pools:
            pool.expire("expired")


@asynccontextmanager
async def fake(engine: Engine = Engine.POSTGRESQL, **settings: Any) -> AsyncIterator[Place]:
    """Over fake servers with the manners of *engine*; *settings* as `tests.fakes.configuration`."""
    servers = fakes.cluster()
    primary = servers[fakes.WRITER]
    database = {"engine": str(engine), "dsn": f"{engine}://app@/app", "writer_hostgroup": 1, "reader_hostgroup": 2}
    source = fakes.configuration(**{"start": "all", "databases": {"app": database}, **settings})

    async def look() -> Busy:
        connections = primary.connections
        return Busy(
            connections=len(connections),
            running=sum(connection._busy for connection in connections),
            transactions=sum(connection.in_transaction for connection in connections),
            locks=0,
        )

    async with Router.open(source, drivers=lambda _name: FakeDriver(servers, engine=engine)) as router:
        for statement in TABLE:
            await router.execute(statement)
        yield Place(router, engine, look, servers)
    assert [server for server in servers.values() if server.connections] == []


_LOOK = {
    Engine.POSTGRESQL: (
        "SELECT count(*), count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state LIKE 'idle in transaction%'),"
        " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') FROM pg_stat_activity WHERE usename = 'app'"
    ),
    Engine.MYSQL: (
        "SELECT count(*), coalesce(sum(command <> 'Sleep'), 0),"
        " (SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id > 0),"
        f" IS_USED_LOCK('{LOCK}') IS NOT NULL FROM information_schema.processlist WHERE user = 'app'"
    ),
}


@asynccontextmanager
async def real(cluster: LocalCluster, **extra: Any) -> AsyncIterator[Place]:
    """On a real cluster; *extra* goes to the top of the configuration."""

    async def look() -> Busy:
        rows = await asyncio.to_thread(cluster.primary.query, _LOOK[cluster.engine])
        return Busy(*(int(value) for value in rows[0]))

    async with Router.open(configuration(cluster, **{"start": "all", "pool": {"max_size": 3}, **extra})) as router:
        for statement in TABLE:
            await router.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)
        yield Place(router, cluster.engine, look)
