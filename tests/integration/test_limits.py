"""Servers at their limits: too many connections, statement time limits, restarts of every node in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dbrouter import Router
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from tests.routers import configuration, dialect
from tests.watching import until


@asynccontextmanager
async def limited(cluster: LocalCluster, connections: int) -> AsyncIterator[None]:
    """The ordinary user may have that many connections on each server."""
    if cluster.engine is Engine.POSTGRESQL:
        limit, lift = f"ALTER ROLE app CONNECTION LIMIT {connections}", "ALTER ROLE app CONNECTION LIMIT -1"
    else:
        limit, lift = (f"ALTER USER app@'%' WITH MAX_USER_CONNECTIONS {count}" for count in (connections, 0))
    await asyncio.to_thread(cluster.primary.query, limit)
    await asyncio.to_thread(cluster.wait_caught_up)
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.primary.query, lift)
        await asyncio.to_thread(cluster.wait_caught_up)


async def test_too_many_connections_is_no_sickness(cluster: LocalCluster) -> None:
    """A server that gives fewer connections than the pool would like: calls share what there is, no breaker opens, none fails."""
    source = configuration(cluster, start="all", pool={"min_size": 1, "max_size": 8})
    async with Router.open(source) as router, limited(cluster, 5):
        text = dialect(cluster).sql("SELECT {1}" + ("::int" if dialect(cluster).postgresql else ""))
        numbers = list(range(400))
        reads = asyncio.gather(*(router.fetchval(text, number) for number in numbers))
        writes = asyncio.gather(*(router.fetchval(text, number, route="write") for number in numbers))

        assert await reads == numbers and await writes == numbers
        assert all(node.breaker.state == "CLOSED" and node.shunned is None for node in router.health().nodes)
        pools = [member.pool for member in router.stats().members]
        # MariaDB does not count the one connection that was there before the limit.
        assert all(pool.idle + pool.in_use <= 6 for pool in pools) and any(pool.connect_failures for pool in pools)


async def test_the_servers_own_time_limit_is_its_answer(cluster: LocalCluster) -> None:
    """statement_timeout / max_statement_time: the server's error, no retry, no harm to the node."""
    setting = {"statement_timeout": "100ms"} if cluster.engine is Engine.POSTGRESQL else {"max_statement_time": "0.1"}
    login, _, place = cluster.primary.dsn().rpartition("@")
    server, _, database = place.partition("/")
    source = {
        "databases": {
            "app": {
                "engine": str(cluster.engine),
                "dsn": f"{login}@/{database}",
                "server_settings": setting,
                "writer_hostgroup": 1,
            }
        },
        "hostgroups": [{"id": 1, "servers": [server]}],
    }
    async with Router.open(source) as router:
        with pytest.raises(Exception, match=r"(?i)statement timeout|max_statement_time|interrupted"):
            await router.execute(dialect(cluster).sleep(5), timeout=20)

        assert router.stats().hostgroups[0].retries == 0
        assert await router.fetchval("SELECT 1") == 1


async def test_every_node_restarted_in_turn(cluster: LocalCluster) -> None:
    """A rolling restart: no read fails, and writes wait for the primary in the first seconds of its outage."""
    insert = dialect(cluster).sql("INSERT INTO rolled VALUES ({1})")
    async with Router.open(configuration(cluster, start="all")) as router:
        await router.execute("DROP TABLE IF EXISTS rolled")
        await router.execute("CREATE TABLE rolled(id int PRIMARY KEY)")
        await asyncio.to_thread(cluster.wait_caught_up)
        running = True
        unsure: list[int] = []

        counts = [0] * 8

        async def reader(index: int) -> None:
            while running:
                await router.fetchval("SELECT count(*) FROM rolled")
                counts[index] += 1
                await asyncio.sleep(0.002)

        async def writer(first: int) -> list[int]:
            written = []
            for number in range(first, first + 100_000, 1):
                if not running:
                    break
                try:
                    await router.execute(insert, number)
                    written.append(number)
                except Exception as error:
                    assert type(error).__name__ == "OutcomeUnknownError", error
                    unsure.append(number)
                await asyncio.sleep(0.005)
            return written

        readers = [asyncio.create_task(reader(index)) for index in range(8)]
        writers = [asyncio.create_task(writer(index * 100_000)) for index in range(4)]
        for server in [*cluster.replicas, cluster.primary]:
            await asyncio.to_thread(server.restart)
            await until(lambda: router.health().ready("all"), seconds=20, what="every node")
            goal = min(counts) + 20
            await until(lambda goal=goal: min(counts) >= goal, what="reads going on")  # type: ignore[misc]  # bound at once
        running = False
        await asyncio.gather(*readers)
        written = [number for numbers in await asyncio.gather(*writers) for number in numbers]

        there = {row[0] for row in await router.fetch("SELECT id FROM rolled", route="write")}
        assert len(written) > 20
        assert set(written) <= there and there <= set(written) | set(unsure)
        assert len(unsure) <= 4, "at most the one write that each writer had under way"
