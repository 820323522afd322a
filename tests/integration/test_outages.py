"""Full servers and outages of the primary: what waits, what moves, and what is nobody's fault."""

from __future__ import annotations

import asyncio
import os
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from time import monotonic
from typing import Any

import pytest

from dbrouter import NoNodeAvailableError, OutcomeUnknownError, Router
from dbrouter.events import BreakerChanged, NodeShunned
from dbrouter.testing import LocalCluster, ServerKind
from tests.load import QUICK, Diary, Lag, Load, all_usable, gather_limited, prepare, usable
from tests.routers import Listener, configuration, dialect, routed, until

CROWDED: dict[ServerKind, dict[str, str | int | float]] = {
    # A standby needs as many as its primary had when it was made, which is 100.
    ServerKind.POSTGRESQL_18: {"max_connections": 100, "superuser_reserved_connections": 76},
    ServerKind.MARIADB_10_11: {"max_connections": 24},
}
"""Servers with 24 connections for ordinary users."""


# ---- too many connections (53300, 1040)


@pytest.fixture(params=list(CROWDED), ids=str)
def small(request: pytest.FixtureRequest) -> Any:
    """A cluster whose servers take few connections."""
    with LocalCluster(request.param, replicas=2, options=CROWDED[request.param]) as cluster:
        yield cluster


async def crowd(stack: AsyncExitStack, cluster: LocalCluster, number: int) -> int:
    """Hold every connection that one server of *cluster* still has to give, until *stack* ends; how many."""
    server = cluster.servers[number]
    source = {"writer": server.dsn(), "readers": [], "start": "none", "pool": {"max_size": 60, "acquire_timeout": "700ms"}}
    if number:
        source = configuration(cluster, start="none", pool={"max_size": 60, "acquire_timeout": "700ms"})
        source["readers"] = [server.dsn()]
    hog = await stack.enter_async_context(Router.open(source))
    held = 0
    while True:
        try:
            await stack.enter_async_context(hog.connection(readonly=bool(number)))
            held += 1
        except Exception as error:
            assert "connection" in str(error), error
            return held


async def test_a_full_server_is_not_a_sick_one(small: LocalCluster) -> None:
    """
    A replica without a connection left: reads move to the other, then to the primary, at once, and nobody is ejected. A full
    primary lets its calls wait.
    """
    listener = Listener()
    insert = dialect(small).sql("INSERT INTO load_entry VALUES ({1}, 0)")
    source = configuration(small, start="all", pool={"min_size": 0, "max_size": 4, "idle_timeout": "100ms"})
    async with Router.open(source, observers=[listener]) as router:
        await prepare(router, small)
        await until(lambda: all(member.pool.size == 0 for member in router.stats().members), what="empty pools")
        async with AsyncExitStack() as crowded:
            assert await crowd(crowded, small, 1) >= 8
            with Lag() as lag:
                async with Load(router, small, tasks=8, writes=0.0) as load:
                    await load.more(200)
            load.assert_clean()
            assert load.served.keys() == {small.replicas[1].endpoint}
            assert load.slowest <= 0.3 + lag.worst, f"a read stood {load.slowest:.2f}s in the line of a full server"
            await crowd(crowded, small, 2)
            async with Load(router, small, tasks=8, writes=0.0) as load:
                await load.more(200)
            load.assert_clean()
        async with AsyncExitStack() as crowded:
            await crowd(crowded, small, 0)
            waiting = asyncio.create_task(router.execute(insert, 1))
            await until(lambda: router.stats().members[0].pool.connect_failures > 1, what="a refused connect")
            await asyncio.sleep(0)
            assert not waiting.done(), "it waits for a connection"
        await waiting

        assert listener.of(BreakerChanged) == [] and listener.of(NodeShunned) == []
        assert await router.fetchval("SELECT count(*) FROM load_entry", route="write") == 1


# ---- outages of the primary

PATIENT = {**QUICK, "pool": {"acquire_timeout": "20s"}, "timeouts": {"connect": "500ms", "call": "25s"}}
"""Writes wait longer than any server here takes to come back (MySQL's primary 11 s)."""


async def test_a_process_without_files_left_blames_no_server(cluster: LocalCluster) -> None:
    """Where no socket can be had any more, the connections there are serve everybody in turn, and no breaker counts it."""
    async with Router.open(configuration(cluster, start="all", pool={"min_size": 1, "max_size": 8})) as router:
        await until(lambda: all(pool.idle for pool in router._parts.pools), what="a connection in each pool")
        await asyncio.gather(router.fetch("SELECT 1"), router.fetch("SELECT 1"), router.fetch("SELECT 1", route="write"))
        with no_files_left():
            calls = [router.fetch("SELECT 1", route=route, timeout=10) for route in ("read", "write") for _ in range(40)]
            await asyncio.gather(*calls)
            await until(lambda: any(pool.stats(monotonic()).connect_failures for pool in router._parts.pools))
            assert not any(node.breaker.snapshot(monotonic()).failed_calls for node in router._parts.contexts[0].nodes)


@contextmanager
def no_files_left() -> Iterator[None]:
    """While it lasts, this process can open nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(name) for name in os.listdir("/proc/self/fd")) + 1, hard))
    try:
        with suppress(OSError):
            while True:
                opened.append(os.dup(opened[0]))
        yield
    finally:
        for number in opened:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_writes_wait_for_a_primary_that_crashed(cluster: LocalCluster) -> None:
    """
    SIGKILL and restart of the primary under writes: those in flight say that their outcome is unknown, all later ones wait and
    succeed, and every acknowledged one is there once.
    """
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, 0)")
    told: Counter[str] = Counter()
    acknowledged: list[int] = []
    unknown: list[int] = []
    diary = Diary()
    async with Router.open(configuration(cluster, start="all", **PATIENT), observers=[diary]) as router:
        await prepare(router, cluster)
        stop = False
        started: dict[int, float] = {}

        async def write(worker: int) -> None:
            for turn in range(1_000_000):
                if stop:
                    return
                number = worker * 1_000_000 + turn
                started[number] = monotonic()
                try:
                    await router.execute(insert, number)
                    acknowledged.append(number)
                except OutcomeUnknownError:
                    unknown.append(number)
                except Exception as error:
                    told[f"{type(error).__name__}: {error}"[:300]] += 1
                await asyncio.sleep(0.005)

        writers = [asyncio.create_task(write(worker)) for worker in range(8)]
        await until(lambda: len(acknowledged) > 100)
        await asyncio.to_thread(cluster.primary.kill)
        killed = monotonic()
        await asyncio.to_thread(cluster.primary.start)
        before = len(acknowledged)
        await until(lambda: len(acknowledged) > before + 100, 20, "writes again")
        stop = True
        await asyncio.gather(*writers)
        await all_usable(router)
        rows = await router.fetch("SELECT number, count(*) AS copies FROM load_entry GROUP BY number", route="write")

    copies = {row["number"]: row["copies"] for row in rows}
    assert not told, f"{told}\n" + "\n".join(diary.lines)
    assert len(unknown) <= 8 and all(started[number] <= killed for number in unknown), "only what was in flight"
    assert all(copies.get(number) == 1 for number in acknowledged)
    assert all(copies.get(number, 0) <= 1 for number in unknown)


async def test_a_long_outage_is_refused_at_once(cluster: LocalCluster) -> None:
    """Within the first acquire_timeout of an outage writes wait; afterwards they are refused without delay, and say why."""
    insert = "INSERT INTO load_entry VALUES (1, 0)"
    source = configuration(cluster, start="all", **QUICK, pool={"acquire_timeout": "600ms"})
    async with Router.open(source) as router:
        await prepare(router, cluster)
        await asyncio.to_thread(cluster.primary.kill)
        await until(lambda: not usable(router, cluster.primary.endpoint), what="the dead primary is out of use")
        with Lag() as lag:
            began = monotonic()
            with pytest.raises(NoNodeAvailableError, match="dead"):
                await router.execute(insert)
            waited = monotonic() - began
            began = monotonic()
            for _ in range(20):
                with pytest.raises(NoNodeAvailableError, match="dead"):
                    await router.execute(insert)
            at_once = (monotonic() - began) / 20
        await router.fetchval("SELECT 1")
        await asyncio.to_thread(cluster.primary.start)
        await all_usable(router)
        await router.execute(insert)

    assert waited <= 0.6 + 0.05 + lag.worst
    assert at_once <= 0.01 + lag.worst


async def test_a_rolling_restart_under_reads_and_writes(cluster: LocalCluster) -> None:
    """
    Replicas and primary are restarted in turn under a mixed load: no read fails; a write either succeeds or was in flight when
    its server went down.
    """
    diary = Diary()
    async with Router.open(configuration(cluster, start="all", **PATIENT), observers=[diary]) as router:
        await prepare(router, cluster)
        async with Load(router, cluster, writes=0.25) as load:
            for server in [*cluster.replicas, cluster.primary]:
                await asyncio.to_thread(server.restart)
                await all_usable(router)
                await load.more(100)
    failed = [error for error in load.failed if not error.startswith("OutcomeUnknownError")]
    assert not failed, f"{failed[:5]}\n" + "\n".join(diary.lines)
    assert len(load.failed) <= 8 and load.mixed == 0, load.failed[:3]


async def test_everything_down_and_up_again(cluster: LocalCluster) -> None:
    """
    All servers are killed: calls are refused fast, without a storm of connects; when the servers are back, all of it works within
    two probes.
    """
    async with Router.open(configuration(cluster, start="all", **QUICK, pool={"acquire_timeout": "1s"})) as router:
        await prepare(router, cluster)
        await asyncio.gather(*(asyncio.to_thread(server.kill) for server in cluster.servers))
        await until(lambda: not router.health().ready("any"), what="nobody serves")
        failures: Counter[str] = Counter()

        async def call(_number: int = 0) -> None:
            try:
                await router.fetchval("SELECT 1", timeout=2)
            except Exception as error:
                failures[type(error).__name__] += 1

        attempts = sum(member.pool.connect_failures for member in router.stats().members)
        await gather_limited((call for _ in range(300)), 16)
        assert sum(failures.values()) == 300 and failures.keys() <= {"NoNodeAvailableError", "CircuitOpenError"}, failures
        assert sum(member.pool.connect_failures for member in router.stats().members) - attempts <= 20
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in cluster.servers))
        up = monotonic()
        with Lag() as lag:
            await all_usable(router)
            back = monotonic() - up
        failures.clear()
        await gather_limited((call for _ in range(100)), 16)

        assert not failures
        assert back <= 1.5 + lag.worst


async def test_routed_reads_survive_a_primary_outage(cluster: LocalCluster) -> None:
    """While the primary is down, reads go on at the replicas without an error."""
    async with routed(cluster, **QUICK) as router:
        await prepare(router, cluster)
        async with Load(router, cluster, writes=0.0) as load:
            await asyncio.to_thread(cluster.primary.kill)
            await load.more(300)
            await asyncio.to_thread(cluster.primary.start)
            await all_usable(router)
        load.assert_clean()
        assert cluster.primary.endpoint not in load.served
