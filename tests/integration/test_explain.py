"""What `explain` says of each member, in every state that a member can be in; on real servers."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from dbrouter import Router
from dbrouter.terms import BreakerState
from dbrouter.testing import LocalCluster
from tests.routers import dialect, until, whole


def place(cluster: LocalCluster, *readers: Any, **extra: Any) -> dict[str, Any]:
    """The whole shape with those members in the reader hostgroup."""
    source = whole(cluster, start="all", **extra)
    source["hostgroups"][1]["servers"] = list(readers)
    return source


def said(router: Router, sql: str = "SELECT 1", **wish: Any) -> dict[str, tuple[str, bool, bool]]:
    """By node: why it would or would not be taken, whether it is usable, whether it is next."""
    return {one.node: (one.because, one.usable, one.next) for one in router.explain(sql, **wish).candidates}


async def probed(router: Router) -> None:
    """Wait until every node was looked at."""
    await until(lambda: all(node.state.probed_at is not None for node in nodes(router)), what="every node to be looked at once")


def nodes(router: Router) -> list[Any]:
    """Every node of the router's hostgroups."""
    context = router._parts.contexts[0]
    return [member.node for group in (context.reader, context.writer) for member in group.members]


def node_of(router: Router, endpoint: str) -> Any:
    """The node at *endpoint*."""
    return next(node for node in nodes(router) if node.id == endpoint)


async def test_a_member_without_weight_is_said_to_have_none(cluster: LocalCluster) -> None:
    """weight 0: usable and yet never next while somebody with a weight is; last of all it is."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    idle = {"host": cluster.replicas[1].host, "port": cluster.replicas[1].port, "weight": 0}
    async with Router.open(place(cluster, first, idle)) as router:
        assert said(router)[second][0].startswith("weight 0: it takes calls only when nobody with a weight is left")
        await probed(router)
        assert said(router) == {
            first: ("usable", True, True),
            second: ("weight 0: it takes calls only when nobody with a weight is left", True, False),
        }
        assert {(await router.execute("SELECT 1")).route.node for _ in range(10)} == {first}

        node_of(router, first).breaker.force_open(monotonic(), "for a test")
        assert said(router)[first] == ("breaker forced_open: no trial until it is reset", False, False)
        assert said(router)[second] == ("weight 0, and nobody with a weight is usable", True, True)
        assert (await router.execute("SELECT 1")).route.node == second


async def test_a_full_pool_is_said_to_be_full(cluster: LocalCluster) -> None:
    """Every connection lent: the numbers, and the next call goes where one is idle."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    async with Router.open(place(cluster, first, second, pool={"max_size": 1, "min_size": 1})) as router:
        await probed(router)
        await until(
            lambda: all(member.pool.idle for member in router.stats().members if member.node in (first, second)),
            what="connections",
        )
        async with router.connection(readonly=True) as conn:
            held = (await conn.execute("SELECT 1")).route.node
            other = second if held == first else first
            for _ in range(2):
                explained = said(router)
                assert explained[held] == ("usable; its pool is full (in_use=1/1 waiting=0)", True, False)
                assert explained[other] == ("usable", True, True)
                assert (await router.execute("SELECT 1")).route.node == other


async def test_breakers_say_when_they_try_again(cluster: LocalCluster) -> None:
    """Open: the seconds until a trial; half-open: who gets it, and that one is under way."""
    first, second = (replica.endpoint for replica in cluster.replicas)
    speak = dialect(cluster)
    patient = {"open_for": "300ms", "successes_to_close": 100}
    source = place(cluster, first, second, breaker=patient, probe={"interval": "100ms"})
    async with Router.open(source) as router:
        await probed(router)
        node = node_of(router, first)
        for _ in range(5):
            node.failed(monotonic(), transport=True, why="for a test", seconds=0.0)
        because, usable, following = said(router)[first]
        assert because.startswith("breaker open: a trial in 0.") and not usable and not following
        await until(lambda: node.breaker.state is BreakerState.HALF_OPEN, what="half-open")
        assert said(router)[first] == ("breaker half_open: the next call is its trial", False, True)
        trial = asyncio.create_task(router.execute(speak.sleep(1)))
        await until(lambda: said(router)[first][0] == "breaker half_open: its trial is under way", what="a trial")
        assert said(router)[second] == ("usable", True, True)
        assert (await trial).route.node == first
        assert said(router)[first] == ("breaker half_open: the next call is its trial", False, True)


async def test_where_nobody_is_left_explain_says_what_happens(cluster: LocalCluster) -> None:
    """Shunned with the reason, and where the call goes instead."""
    readers = [replica.endpoint for replica in cluster.replicas]
    async with Router.open(place(cluster, *readers)) as router:
        await probed(router)
        for replica in cluster.replicas:
            await asyncio.to_thread(replica.kill)
        await until(lambda: all(one[0].startswith("shunned: ") for one in said(router).values()), what="both shunned")

        explained = router.explain("SELECT 1")
        assert not any(candidate.usable or candidate.next for candidate in explained.candidates)
        assert "nobody there is usable: it goes to hostgroup 10 'write' (when_empty: writer)" in explained.effects
        assert "nobody there is usable" in str(explained)
        assert (await router.execute("SELECT 1")).route.hostgroup == "write"


async def test_a_primary_without_its_role_says_so(cluster: LocalCluster) -> None:
    """A replica that stands in the writer hostgroup takes nothing there, and explain names the role."""
    source = whole(cluster, start="any")
    source["hostgroups"][0]["servers"] = [cluster.replicas[0].endpoint]
    async with Router.open(source) as router:
        await until(
            lambda: said(router, "DELETE FROM t")[cluster.replicas[0].endpoint][0] == "wrong role: replica, not primary",
            what="the role",
        )
        effects = router.explain("DELETE FROM t").effects
        assert any(effect.startswith("nobody there is usable: it ") for effect in effects)
