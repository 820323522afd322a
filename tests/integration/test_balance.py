"""Where reads go on real servers: every policy's shares, a slow replica, a draining one, and what happens without any."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import pytest

from dbrouter import NoNodeAvailableError, PinnedConnection, Router
from dbrouter.terms import Engine
from dbrouter.testing import FaultProxy, LocalCluster
from tests.routers import dialect, until, whole

SLOW = 0.05
"""Seconds that the far replica's answers take longer."""


def place(cluster: LocalCluster, *servers: Any, **read: Any) -> dict[str, Any]:
    """A configuration with *servers* (or both replicas) as hostgroup 20, whose other keys are *read*."""
    document = whole(cluster, start="writer", pool={"min_size": 0, "max_size": 10})
    document["hostgroups"][1].update(read)
    if servers:
        document["hostgroups"][1]["servers"] = list(servers)
    return document


def server(cluster: LocalCluster, number: int, **keys: Any) -> dict[str, Any]:
    """A replica as the configuration has it, with further *keys*."""
    replica = cluster.replicas[number]
    return {"host": replica.host, "port": replica.port, **keys}


async def shares(router: Router, calls: int, *, workers: int = 1) -> Counter[str]:
    """How many of *calls* reads each node served, by so many callers side by side."""
    served: Counter[str] = Counter()
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            served[(await router.execute("SELECT 1")).route.node] += 1

    await asyncio.gather(*(work() for _ in range(workers)))
    return served


async def all_probed(router: Router) -> None:
    """Wait for every node's first look."""
    await until(lambda: all(node.sample_age is not None and node.usable for node in router.health().nodes))


async def test_round_robin_shares_by_weight(cluster: LocalCluster) -> None:
    """Weights 1 and 2: a third and two thirds, to the call, in every stretch of three."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    async with Router.open(place(cluster, server(cluster, 0), server(cluster, 1, weight=2))) as router:
        await all_probed(router)
        assert await shares(router, 90) == {first: 30, second: 60}
        for _ in range(5):
            assert await shares(router, 3) == {first: 1, second: 2}


async def test_random_shares_by_weight(cluster: LocalCluster) -> None:
    """Weights 1 and 3: a quarter of 600 calls, within five standard deviations."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    async with Router.open(place(cluster, server(cluster, 0), server(cluster, 1, weight=3), balance="random")) as router:
        await all_probed(router)
        served = await shares(router, 600)

    assert served.keys() == {first, second} and abs(served[first] - 150) < 54


@pytest.mark.parametrize(("balance", "most"), [("least_outstanding", 0.3), ("latency", 0.2)])
async def test_a_slow_replica_gets_less_and_stays_in_use(cluster: LocalCluster, balance: str, most: float) -> None:
    """One answers 50 ms later: it gets a small share, but nobody ejects it for being far away."""
    near = cluster.replicas[0].endpoint
    async with FaultProxy(cluster.replicas[1].host, cluster.replicas[1].port) as proxy:
        proxy.latency(SLOW)
        far = f"{proxy.host}:{proxy.port}"
        async with Router.open(place(cluster, server(cluster, 0), far, balance=balance)) as router:
            await all_probed(router)
            served = await shares(router, 300, workers=8)

            assert served[near] + served[far] == 300 and 0 < served[far] < most * 300
            (node,) = [node for node in router.health().nodes if node.node == far]
            assert node.usable and node.breaker.state == "CLOSED" and node.breaker.failed_calls == 0
            if balance == "latency":
                latency = {member.node: member.latency for member in router.stats().members}
                assert latency[far] > SLOW > latency[near]


async def test_round_robin_does_not_look_at_latency(cluster: LocalCluster) -> None:
    """What the other policies are for: in turn means half of the calls wait for the slow one."""
    async with FaultProxy(cluster.replicas[1].host, cluster.replicas[1].port) as proxy:
        proxy.latency(0.01)
        async with Router.open(place(cluster, server(cluster, 0), f"{proxy.host}:{proxy.port}")) as router:
            await all_probed(router)
            assert sorted((await shares(router, 40)).values()) == [20, 20]


@pytest.mark.parametrize("status", ["draining", "offline"])
async def test_a_draining_server_gets_nothing_new(cluster: LocalCluster, status: str) -> None:
    """Neither calls nor connections; explain says why."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    async with Router.open(place(cluster, server(cluster, 0), server(cluster, 1, status=status))) as router:
        assert await shares(router, 20, workers=4) == {first: 20}
        async with router.transaction(readonly=True) as tx:
            assert (await tx.execute("SELECT 1")).route.node == first

        assert {member.pool.connects for member in router.stats().members if member.node == second} == {0}
        because = {candidate.node: candidate.because for candidate in router.explain("SELECT 1").candidates}
        assert because[second] == status


async def test_without_replicas(cluster: LocalCluster) -> None:
    """`writer` reads on the primary, `fail` refuses at once, `wait` after its patience – or is served by who comes back."""
    for replica in cluster.replicas:
        await asyncio.to_thread(replica.kill)
    patience = {"pool": {"acquire_timeout": "300ms"}}
    async with AsyncExitStack() as stack:
        writer, fail, wait, patient = [
            await stack.enter_async_context(Router.open(place(cluster, when_empty=when_empty, **keys)))
            for when_empty, keys in (
                ("writer", {}),
                ("fail", {}),
                ("wait", patience),
                ("wait", {"pool": {"acquire_timeout": "20s"}}),
            )
        ]
        for router in (writer, fail, wait, patient):
            await until(lambda router=router: [g.usable for g in router.stats().hostgroups if g.name == "read"] == [0])

        assert (await writer.execute("SELECT 1")).route.node == cluster.primary.endpoint
        started = monotonic()
        with pytest.raises(NoNodeAvailableError) as caught:
            await fail.execute("SELECT 1")
        assert monotonic() - started < 0.2
        assert {refusal.node for refusal in caught.value.refusals} == {replica.endpoint for replica in cluster.replicas}
        assert all("shunned: dead" in refusal.reason for refusal in caught.value.refusals)
        with pytest.raises(NoNodeAvailableError):
            await wait.execute("SELECT 1")
        assert monotonic() - started < 1.0

        waiting = asyncio.ensure_future(patient.execute("SELECT 1"))
        await asyncio.to_thread(cluster.replicas[0].start)
        assert (await waiting).route.node == cluster.replicas[0].endpoint
        await until(lambda: [group.usable for group in fail.stats().hostgroups if group.name == "read"] == [1])
        assert (await fail.execute("SELECT 1")).route.node == cluster.replicas[0].endpoint


@pytest.mark.parametrize("busy", [False, True])
async def test_a_pool_that_is_lent_out_fails_no_read_while_a_peer_could_serve(cluster: LocalCluster, busy: bool) -> None:
    """
    The only connection of one replica is pinned for long: reads that are its turn run on the other one, at once where that has
    an idle connection, else as soon as it has.
    """
    document = place(cluster, balance="round_robin")
    document["pool"] = {"min_size": 1, "max_size": 1, "acquire_timeout": "2s"}
    async with Router.open(document) as router:
        await all_probed(router)
        assert len(await shares(router, 10)) == 2
        async with router.connection(readonly=True) as pinned:
            holder = (await pinned.execute("SELECT 1")).route.node
            started = monotonic()
            served = await shares(router, 60, workers=20 if busy else 1)

            assert served.total() == 60 and holder not in served
            assert monotonic() - started < 1.9, "somebody waited for the connection that is pinned"
        assert len(await shares(router, 10)) == 2
        assert [member.pool.timeouts for member in router.stats().members] == [0, 0, 0]


async def test_nobody_starves_in_the_line_of_a_pool_that_is_lent_out(cluster: LocalCluster) -> None:
    """
    One replica's only connection is pinned, and the other one has as much to do as it can: callers of either are served in the
    order in which they come, and none waits for the one that is pinned.
    """
    document = place(cluster, balance="round_robin")
    document["pool"] = {"min_size": 1, "max_size": 1, "acquire_timeout": "3s"}
    read = dialect(cluster).sleep(0.01)
    waits: list[float] = []
    async with Router.open(document) as router:
        await all_probed(router)
        assert len(await shares(router, 10)) == 2

        async def work() -> None:
            while monotonic() < over:
                started = monotonic()
                await router.fetch(read)
                waits.append(monotonic() - started)

        async with router.connection(readonly=True) as pinned:
            await pinned.fetchval("SELECT 1")
            over = monotonic() + 4.0
            await asyncio.gather(*(work() for _ in range(16)))

        assert max(waits) < 2.0, f"16 callers of one connection, 10 ms each: one waited {max(waits):.2f}s"
        assert [member.pool.timeouts for member in router.stats().members] == [0, 0, 0]


async def test_a_hook_that_hangs_for_one_replica_fails_no_read(cluster: LocalCluster) -> None:
    """`on_connect` never comes back for one replica: reads that would wait for its connections run on the other one."""
    hanging = asyncio.Event()
    port = "SELECT inet_server_port()" if cluster.engine is Engine.POSTGRESQL else "SELECT @@port"

    async def on_connect(connection: PinnedConnection) -> None:
        if hanging.is_set() and await connection.fetchval(port) == cluster.replicas[0].port:
            await asyncio.Event().wait()

    document = place(cluster, balance="round_robin")
    document |= {"pool": {"min_size": 0, "max_size": 2, "acquire_timeout": "20s"}, "timeouts": {"connect": "20s"}}
    async with Router.open(document, on_connect=on_connect) as router:
        await all_probed(router)
        assert len(await shares(router, 10)) == 2
        hanging.set()
        for member in router._parts.contexts[0].reader.members:
            member.pool.expire("expired")
        started = monotonic()
        served = await shares(router, 200, workers=3)

        assert served == {cluster.replicas[1].endpoint: 200}
        assert monotonic() - started < 19.0, "somebody waited for the hook"
