"""Where whole routers are maltreated: on fake servers or on a real cluster, with one way to see that nothing was left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from dbrouter import Router
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from tests import fakes
from tests.routers import Dialect, configuration
from tests.watching import until

TABLE = ("DROP TABLE IF EXISTS cut", "CREATE TABLE cut(number int PRIMARY KEY)")
numbers = count(1)
"""Never the same number twice, whoever asks."""


class Place:
    """A router to break, its dialect, and how to ask the server for open transactions."""

    def __init__(self, router: Router, engine: Engine, transactions: Callable[[], Awaitable[int]]) -> None:
        self.router = router
        self.speak = Dialect(engine)
        self.transactions = transactions

    async def quiet(self) -> None:
        """Nothing is lent, waited for, or on its way; the numbers add up; permits are back; the next callers get their own."""
        router = self.router

        def settled() -> bool:
            return all(
                member.pool.in_use == member.pool.waiting == member.pool.settling == 0 for member in router.stats().members
            )

        await until(settled, what="quiet pools")
        for member in router.stats().members:
            pool = member.pool
            assert pool.size == pool.idle + pool.in_use + pool.connecting + pool.settling + pool.closing <= pool.max_size
        assert all(node.breaker.permits == 0 for context in router._parts.contexts for node in context.nodes)
        for route in ("read", "write"):
            nonces = [next(numbers) for _ in range(3)]
            text = self.speak.sql("SELECT {1}" + ("::int" if self.speak.postgresql else ""))
            assert list(await asyncio.gather(*(router.fetchval(text, nonce, route=route) for nonce in nonces))) == nonces
        for _ in range(200):
            if await self.transactions() == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("a transaction is still open on the server")


@asynccontextmanager
async def fake() -> AsyncIterator[Place]:
    """Over fake servers."""
    servers = fakes.cluster()

    async def transactions() -> int:
        return sum(connection.in_transaction for server in servers.values() for connection in server.connections)

    async with fakes.opened(servers) as router:
        for statement in TABLE:
            await router.execute(statement)
        yield Place(router, Engine.POSTGRESQL, transactions)


@asynccontextmanager
async def real(cluster: LocalCluster, **extra: Any) -> AsyncIterator[Place]:
    """On a real cluster; *extra* goes to the top of the configuration."""
    ask = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'"
        if cluster.engine is Engine.POSTGRESQL
        else "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id > 0"
    )

    async def transactions() -> int:
        return int(await asyncio.to_thread(cluster.primary.value, ask))

    async with Router.open(configuration(cluster, **{"start": "all", "pool": {"max_size": 3}, **extra})) as router:
        for statement in TABLE:
            await router.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)
        yield Place(router, cluster.engine, transactions)
