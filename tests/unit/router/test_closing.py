"""What a router tells of itself while it closes and afterwards, and what its endpoints make of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dbrouter import Router
from dbrouter.errors import PoolClosedError
from dbrouter.integrations.asgi import health_app
from dbrouter.testing.fake import FakeDriver
from tests.fakes import READERS, WRITER, cluster, configuration
from tests.unit.integrations.asking import ask
from tests.watching import until


async def test_health_fails_from_the_first_moment_of_closing_on() -> None:
    """With a lease still out it is closing, then it is closed: not ready but alive, and statistics can be read."""
    servers = cluster()
    router = await Router.open(configuration(start="all"), drivers=lambda _name: FakeDriver(servers))
    anything = health_app(router, ready="never-fail")
    await router.execute("SELECT 1")
    before = router.health()
    assert (before.status, before.why, before.closed) == ("pass", None, False)
    assert (await ask(anything, "/readyz")).status == 200
    gate = servers[WRITER].hold("CREATE TABLE slow (id int)")
    running = asyncio.ensure_future(router.execute("CREATE TABLE slow (id int)"))
    await gate.reached(1)

    closing = asyncio.ensure_future(router.aclose())
    await until(lambda: router.closed)

    for stage in ("closing", "closed"):
        health = router.health()
        assert (health.status, health.closed) == ("fail", True)
        assert f"the router is {stage}" in (health.why or "")
        assert [(one.status, one.writer, one.reads, one.all) for one in health.databases] == [("fail", False, False, False)]
        assert {node.node for node in health.nodes} == {WRITER, *READERS}
        assert not any(health.ready(policy) for policy in ("any", "writer", "all", "never-fail"))
        for policy in ("any", "never-fail"):
            readyz = await ask(health_app(router, ready=policy), "/readyz")
            assert (readyz.status, readyz.json["status"]) == (503, "fail")
            assert f"the router is {stage}" in readyz.json["why"]
        told = await ask(anything, "/health")
        assert (told.status, told.json["status"]) == (503, "fail")
        assert f"the router is {stage}" in told.json["output"]
        for path in ("/livez", "/breakers", "/metrics"):
            assert (await ask(anything, path)).status == 200
        assert sum(group.calls for group in router.stats().hostgroups) == 2
        if stage == "closing":
            assert not closing.done()
            gate.open()
            await running
            await closing


async def test_a_closed_router_is_asked_in_its_own_loop_only() -> None:
    """Closing from another event loop is refused like every other call there, and nothing has happened."""
    router = await Router.open(configuration(start="all"), drivers=lambda _name: FakeDriver(cluster()))

    def elsewhere() -> str:
        with pytest.raises(PoolClosedError) as caught:
            asyncio.run(router.aclose())
        return str(caught.value)

    assert "another event loop" in await asyncio.to_thread(elsewhere)
    assert not router.closed
    assert (await router.execute("SELECT 1")).status
    await router.aclose()
    assert "another event loop" in await asyncio.to_thread(elsewhere)


async def test_health_says_which_databases_fail() -> None:
    """Where nobody can serve a database, the reason names it."""
    servers = cluster()
    async with Router.open(configuration(start="all"), drivers=lambda _name: FakeDriver(servers)) as router:
        for server in servers.values():
            server.stop()
        await until(lambda: router.health().status == "fail")

        health = router.health()

        assert health.why == "no usable server for reads or writes: app"
        assert not health.closed


@pytest.mark.parametrize("unprobed", [False, True])
async def test_who_waits_for_a_node_is_told_of_the_end(unprobed: bool) -> None:
    """Calls and blocks without a time limit, for whom no node is usable, end with `aclose`; so do those that come after it."""
    servers = cluster()
    if unprobed:
        servers[WRITER].freeze()
    router = await Router.open(configuration(start="none" if unprobed else "all"), drivers=lambda _name: FakeDriver(servers))
    group = router._parts.contexts[0].writer
    if not unprobed:
        servers[WRITER].stop()
        await until(lambda: not group.usable)

    async def block() -> None:
        async with router.transaction(timeout=None):
            raise AssertionError("it was opened")

    async def nothing(_: Any) -> None:
        raise AssertionError("it was run")

    calls = [lambda: router.execute("CREATE TABLE late (id int)", timeout=None), block, lambda: router.run(nothing, timeout=None)]
    waiting = [asyncio.ensure_future(call()) for call in calls]
    await until(lambda: len(group._waiters) == len(calls))

    await asyncio.wait_for(router.aclose(timeout=1), 5)

    ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
    assert [type(error) for error in ended] == [PoolClosedError] * len(calls)
    for call in calls:
        with pytest.raises(PoolClosedError):
            await asyncio.wait_for(call(), 1)
    assert not group._waiters
