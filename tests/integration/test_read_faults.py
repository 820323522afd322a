"""Reads do not fail while replicas are killed, frozen, cut off and restarted, or while connections are killed under them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from dbrouter import Router
from dbrouter.testing import LocalCluster
from tests.load import QUICK, Diary, Lag, Load, all_usable, kill_clients, prepare, proxied, usable
from tests.routers import configuration, dialect, until

HELD = 1.5
"""Seconds a frozen replica may hold a read with the default probe: its interval and `fall` time-outs."""
BACK = 3.0
"""Seconds after which a thawed replica must be in use again, with the default probe."""
SLACK = 0.3


@asynccontextmanager
async def under_load(
    source: dict[str, Any], cluster: LocalCluster, *, writes: float = 0.1, sleep: float = 0.0, clean: bool = True
) -> AsyncIterator[tuple[Router, Load]]:
    """A router with its load; in the end nothing may have failed."""
    diary = Diary()
    async with Router.open({"start": "all", **source}, observers=[diary]) as router:
        await prepare(router, cluster)
        async with Load(router, cluster, writes=writes, sleep=sleep) as load:
            yield router, load
        load.assert_clean(diary)


async def served_again(load: Load, node: str, since: float, seconds: float = 20.0) -> float:
    """Seconds from *since* until *node* serves a read."""
    await until(lambda: load.last.get(node, 0.0) > since, seconds, f"{node} serves reads")
    return load.last[node] - since


async def test_a_killed_replica_costs_no_read(cluster: LocalCluster) -> None:
    """SIGKILL under load: reads go on elsewhere without an error; when it is back it serves again."""
    replica = cluster.replicas[0]
    async with under_load(configuration(cluster, **QUICK), cluster) as (router, load):
        await asyncio.to_thread(replica.kill)
        await until(lambda: not usable(router, replica.endpoint), what="the dead node is out of use")
        await load.more(200)
        await asyncio.to_thread(replica.start)
        await served_again(load, replica.endpoint, monotonic())
        await all_usable(router)


async def test_a_frozen_replica_holds_no_read_for_long(cluster: LocalCluster) -> None:
    """
    SIGSTOP under load with the default probe: no read fails, none is held longer than 1.5 s, and the node is back 3 s after
    SIGCONT.
    """
    replica = cluster.replicas[0]
    with Lag() as lag:
        async with under_load(configuration(cluster), cluster) as (router, load):
            await asyncio.to_thread(replica.freeze)
            await until(lambda: not usable(router, replica.endpoint), what="the frozen node is out of use")
            await load.more(200)
            thawed = monotonic()
            await asyncio.to_thread(replica.thaw)
            back = await served_again(load, replica.endpoint, thawed)
    assert load.slowest <= HELD + SLACK + lag.worst, f"a read was held for {load.slowest:.2f}s"
    assert back <= BACK + lag.worst, f"back in use {back:.2f}s after thawing"


async def test_a_black_holed_replica_costs_no_read(cluster: LocalCluster) -> None:
    """The network to a replica swallows everything, connects too: no read fails, and after healing it is used again."""
    async with proxied(cluster) as (proxies, source):
        with Lag() as lag:
            async with under_load(source, cluster) as (router, load):
                proxies[1].black_hole()
                await until(lambda: not usable(router, proxies[1].endpoint), what="the silent node is out of use")
                await load.more(200)
                healed = monotonic()
                proxies[1].heal()
                back = await served_again(load, proxies[1].endpoint, healed)
        assert load.slowest <= HELD + SLACK + lag.worst, f"a read was held for {load.slowest:.2f}s"
        assert back <= BACK + lag.worst


async def test_both_replicas_black_holed_leaves_the_primary(cluster: LocalCluster) -> None:
    """Every reader falls silent: reads fall back to the primary, and none fails."""
    async with proxied(cluster) as (proxies, source), under_load(source | QUICK, cluster) as (_, load):
        for proxy in proxies[1:]:
            proxy.black_hole()
        await served_again(load, proxies[0].endpoint, monotonic())
        await load.more(200)
        for proxy in proxies[1:]:
            proxy.heal()
        for proxy in proxies[1:]:
            await served_again(load, proxy.endpoint, monotonic())


async def test_a_restarted_replica_costs_no_read(cluster: LocalCluster) -> None:
    """An orderly restart under load, each replica in turn."""
    async with under_load(configuration(cluster, **QUICK), cluster) as (router, load):
        for replica in cluster.replicas:
            await asyncio.to_thread(replica.restart)
            await served_again(load, replica.endpoint, monotonic())
            await all_usable(router)


async def test_idle_connections_killed_cost_neither_reads_nor_writes(cluster: LocalCluster) -> None:
    """Every connection of every pool is ended by its server while it is idle: the next reads and writes succeed."""
    speak = dialect(cluster)
    insert = speak.sql("INSERT INTO load_entry VALUES ({1}, 0)")
    read = speak.sql("SELECT {1}" + ("::int" if speak.postgresql else ""))
    async with Router.open(configuration(cluster, start="all")) as router:
        await prepare(router, cluster)
        for _ in range(4):
            await asyncio.gather(
                *(router.execute(insert, number) for number in range(16)), *(router.fetchval(read, n) for n in range(32))
            )
            killed = await asyncio.gather(*(asyncio.to_thread(kill_clients, server) for server in cluster.servers))
            assert min(killed) >= 2, "each server had connections of a pool and of the probe"

            writes = asyncio.gather(*(router.execute(insert, number) for number in range(16)))
            answers = await asyncio.gather(*(router.fetchval(read, number) for number in range(32)))
            await writes

            assert answers == list(range(32))
            assert all(node.breaker.opened == 0 for node in router.health().nodes), "idle connections say nothing of their node"
        assert await router.fetchval("SELECT count(*) FROM load_entry", route="write") == 4 * 32


async def test_reads_in_flight_are_killed_and_nobody_notices(cluster: LocalCluster) -> None:
    """A replica ends its sessions again and again while their reads run: each read is answered, by its own answer."""
    async with under_load(configuration(cluster), cluster, writes=0.0, sleep=0.02) as (router, load):
        killed = 0
        for turn in range(6):
            killed += await asyncio.to_thread(kill_clients, cluster.replicas[turn % 2], wait=False)
            await load.more(100)
        await all_usable(router)
    assert killed >= 20


async def test_reads_in_flight_on_every_replica_at_once_are_killed(cluster: LocalCluster) -> None:
    """Both replicas end all sessions at the same time: their reads fall back to the primary and none fails."""
    async with under_load(configuration(cluster), cluster, writes=0.0, sleep=0.02) as (router, load):
        for _ in range(3):
            await asyncio.gather(*(asyncio.to_thread(kill_clients, replica, wait=False) for replica in cluster.replicas))
            await load.more(100)
            await all_usable(router)


async def test_random_resets_cost_no_read(cluster: LocalCluster) -> None:
    """1 % of the packets to and from both replicas reset their connection: every read is answered."""
    async with proxied(cluster) as (proxies, source), under_load(source | QUICK, cluster, writes=0.0) as (_, load):
        for proxy in proxies[1:]:
            proxy.reset_randomly(0.01)
        await load.more(1500)
        for proxy in proxies[1:]:
            proxy.heal()


async def test_slow_slices_mix_nothing_up(cluster: LocalCluster) -> None:
    """Replies in pieces of 1–7 bytes: every reply still belongs to its call."""
    async with proxied(cluster) as (proxies, source), under_load(source, cluster) as (_, load):
        for proxy in proxies:
            proxy.slow_slices((1, 7))
        await load.more(300)


async def test_a_rolling_restart_of_every_node_costs_no_read(cluster: LocalCluster) -> None:
    """Replica, replica, primary: each is restarted in turn and no read fails."""
    async with under_load(configuration(cluster, **QUICK), cluster, writes=0.0) as (router, load):
        for server in [*cluster.replicas, cluster.primary]:
            await asyncio.to_thread(server.restart)
            await all_usable(router)
            await load.more(50)
