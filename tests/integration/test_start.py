"""What must be reachable at open: every value of `start`, with servers that are up, down, silent, or refuse us."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from dbrouter import ConnectError, NoNodeAvailableError, Router
from dbrouter.testing import FaultProxy, LocalCluster
from tests.routers import configuration, dialect
from tests.watching import until

QUICK = {"timeouts": {"connect": "500ms"}, "pool": {"acquire_timeout": "300ms"}}


def through(cluster: LocalCluster, proxies: list[FaultProxy]) -> dict[str, Any]:
    """The cluster's configuration with a proxy before each server."""
    source = configuration(cluster, **QUICK)
    ports = {server.port: proxy.port for server, proxy in zip(cluster.servers, proxies, strict=True)}

    def moved(dsn: str) -> str:
        for port, other in ports.items():
            dsn = dsn.replace(f":{port}/", f":{other}/")
        return dsn

    return {**source, "writer": moved(source["writer"]), "readers": [moved(dsn) for dsn in source["readers"]]}


@asynccontextmanager
async def proxied(cluster: LocalCluster) -> AsyncIterator[tuple[dict[str, Any], list[FaultProxy]]]:
    """The configuration and its proxies: the primary's first, then the replicas'."""
    proxies = [FaultProxy(server.host, server.port) for server in cluster.servers]
    for proxy in proxies:
        await proxy.start()
    try:
        yield through(cluster, proxies), proxies
    finally:
        for proxy in proxies:
            await proxy.aclose()


OPENS = {
    # what is down → the values of start with which the router opens all the same
    "nothing": {"none", "any", "writer", "all"},
    "primary": {"none", "any"},
    "replicas": {"none", "any", "writer"},
    "everything": {"none"},
}


@pytest.mark.parametrize("start", ["none", "any", "writer", "all"])
@pytest.mark.parametrize("down", list(OPENS))
@pytest.mark.parametrize("how", ["refuse", "black_hole"])
async def test_what_start_demands(cluster: LocalCluster, start: str, down: str, how: str) -> None:
    """It opens where the demand is met, else raises within the connect time-out, naming every server with its reason."""
    async with proxied(cluster) as (source, proxies):
        gone = {"nothing": [], "primary": proxies[:1], "replicas": proxies[1:], "everything": proxies}[down]
        for proxy in gone:
            getattr(proxy, how)()
        began = monotonic()
        if start in OPENS[down]:
            async with Router.open({**source, "start": start}):
                pass
        else:
            with pytest.raises(ConnectError, match=f"start: {start}") as caught:
                await Router.open({**source, "start": start})
            assert all(proxy.endpoint in str(caught.value) for proxy in proxies)
            assert caught.value.__cause__ is not None

        assert monotonic() - began < 5.0, "bounded by the connect time-out, with room for a busy machine"


async def test_any_serves_reads_while_the_primary_is_down(cluster: LocalCluster) -> None:
    """The service comes up on its replicas; writes say why they cannot be had, and work when the primary is there."""
    async with proxied(cluster) as (source, proxies):
        proxies[0].refuse()
        async with Router.open({**source, "start": "any"}) as router:
            await until(lambda: len(router.health().nodes) == 3 and router.health().databases[0].reads)
            for number in range(20):
                mark = "$1::int" if dialect(cluster).postgresql else "%s"
                assert await router.fetchval(f"SELECT {mark}", number) == number
            with pytest.raises(NoNodeAvailableError, match=re.escape(proxies[0].endpoint)):
                await router.execute("CREATE TABLE never_made(id int)")
            assert router.health().ready("any") and not router.health().ready("writer")

            proxies[0].heal()
            await until(lambda: router.health().ready("writer"), what="the primary")
            assert await router.fetchval("SELECT 1", route="write") == 1


@pytest.mark.parametrize("start", ["any", "writer", "all"])
async def test_a_wrong_password_is_the_servers_own_error(cluster: LocalCluster, start: str) -> None:
    """The reason is named and the secret is not."""
    source = configuration(cluster, **QUICK, start=start)
    wrong = {
        **source,
        "writer": source["writer"].replace("app-secret", "not-the-secret"),
        "readers": [dsn.replace("app-secret", "not-the-secret") for dsn in source["readers"]],
    }
    with pytest.raises(ConnectError, match=r"(?i)password|denied") as caught:
        await Router.open(wrong)

    assert "not-the-secret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


async def test_an_unknown_database_is_named(cluster: LocalCluster) -> None:
    """The server's own words say which."""
    source = configuration(cluster, **QUICK)
    wrong = {**source, "writer": source["writer"][: -len("app")] + "nowhere", "readers": []}
    with pytest.raises(ConnectError, match=r"nowhere|denied"):
        await Router.open(wrong)


async def test_a_wrong_password_at_a_later_connect(cluster: LocalCluster) -> None:
    """A provider whose password went stale: calls get a clear error at once instead of waiting, and the next good one works."""
    passwords = {"now": "app-secret"}

    async def provider(endpoint: str) -> str:
        return passwords["now"]

    source = configuration(cluster, pool={"min_size": 0, "idle_timeout": "50ms"}, start="all")
    async with Router.open(source, password=provider) as router:
        assert await router.fetchval("SELECT 1", route="write") == 1
        passwords["now"] = "stale"
        await until(lambda: all(member.pool.size == 0 for member in router.stats().members), what="empty pools")
        with pytest.raises(ConnectError, match=r"(?i)password|denied"):
            await router.fetchval("SELECT 1", route="write", timeout=5)
        passwords["now"] = "app-secret"

        for _ in range(100):
            try:
                assert await router.fetchval("SELECT 1", route="write", timeout=5) == 1
                break
            except ConnectError:
                await asyncio.sleep(0.05)
        else:
            raise AssertionError("the good password was never tried")
