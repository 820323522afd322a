"""What the tests of the whole router share: a router on a cluster, the engine's dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dbrouter import Router
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from tests.watching import Listener as Listener
from tests.watching import until as until


def configuration(cluster: LocalCluster, **extra: Any) -> dict[str, Any]:
    """The smallest configuration of a cluster, and what a test adds."""
    return {"writer": cluster.primary.dsn(), "readers": [replica.dsn() for replica in cluster.replicas], **extra}


def whole(cluster: LocalCluster, *, rules: list[dict[str, Any]] | None = None, **extra: Any) -> dict[str, Any]:
    """The whole shape, with hostgroup 10 'write' and 20 'read'; *extra* goes to the top."""
    login, _, place = cluster.primary.dsn().rpartition("@")
    database = place.partition("/")[2]
    return {
        "databases": {
            "app": {
                "engine": str(cluster.engine),
                "dsn": f"{login}@/{database}",
                "writer_hostgroup": 10,
                "reader_hostgroup": 20,
            }
        },
        "hostgroups": [
            {"id": 10, "name": "write", "servers": [cluster.primary.endpoint]},
            {"id": 20, "name": "read", "servers": [replica.endpoint for replica in cluster.replicas]},
        ],
        "query_rules": rules or [],
        **extra,
    }


@asynccontextmanager
async def routed(cluster: LocalCluster, *statements: str, **extra: Any) -> AsyncIterator[Router]:
    """A router on *cluster*; *statements* run on the primary first, and the replicas have them."""
    async with Router.open(configuration(cluster, start="all", **extra)) as router:
        for statement in statements:
            await router.execute(statement)
        if statements:
            await asyncio.to_thread(cluster.wait_caught_up)
        yield router


class Dialect:
    """The engine's placeholders and its words for the same things."""

    def __init__(self, engine: Engine) -> None:
        self.postgresql = engine is Engine.POSTGRESQL

    def sql(self, text: str) -> str:
        """*text* with ``{1}``, ``{2}`` as the engine's placeholders."""
        for number in range(1, 10):
            text = text.replace(f"{{{number}}}", f"${number}" if self.postgresql else "%s")
        return text

    def sleep(self, seconds: float) -> str:
        """A read that takes that long."""
        return f"SELECT pg_sleep({seconds})" if self.postgresql else f"SELECT SLEEP({seconds})"


def dialect(cluster: LocalCluster) -> Dialect:
    """The dialect of a cluster."""
    return Dialect(cluster.engine)


async def enter(block: Any) -> None:
    """Enter *block* and leave it."""
    async with block:
        pass
