"""A ProxySQL-shaped file on real servers: the sample of the examples, with the servers' own places and users in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from dbrouter import Router
from dbrouter.config.source import read_file
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from dbrouter.testing.server import DATABASE, PASSWORD, USER

SAMPLE = Path(__file__).parents[2] / "examples" / "proxysql" / "sample.yaml"


def sample(cluster: LocalCluster) -> dict[str, Any]:
    """The sample for *cluster*; for PostgreSQL its tables have ProxySQL's names for that engine."""
    found: dict[str, Any] = read_file(SAMPLE).value
    found["databases"] = [{"hostname": "127.0.0.1", "port": cluster.primary.port, "dbname": DATABASE}]
    found["mysql_users"] = [{"username": USER, "password": PASSWORD, "default_hostgroup": 0}]
    found["hostgroups"][0]["endpoints"] = cluster.primary.endpoint
    found["hostgroups"][1]["endpoints"] = [replica.endpoint for replica in cluster.replicas]
    if cluster.engine is Engine.POSTGRESQL:
        found = {key.replace("mysql_", "pgsql_"): value for key, value in found.items()}
    return found


async def test_the_sample_on_real_servers(cluster: LocalCluster) -> None:
    """Reads arrive at replicas, everything else at the primary, and the locking read that the sample's rule misses too."""
    primary = cluster.primary.endpoint
    replicas = {replica.endpoint for replica in cluster.replicas}
    async with Router.open(sample(cluster)) as router:
        await router.execute("DROP TABLE IF EXISTS sampled")
        await router.execute("CREATE TABLE sampled(id int PRIMARY KEY)")
        await router.execute("INSERT INTO sampled VALUES (1)")
        await asyncio.to_thread(cluster.wait_caught_up)

        read = [(await router.execute("SELECT id FROM sampled")).route for _ in range(4)]
        locking = await router.execute("SELECT id FROM sampled FOR UPDATE;")
        unmatched = await router.execute("WITH x AS (SELECT 1 AS one) SELECT one FROM x")
        explained = router.explain("SELECT id FROM sampled FOR UPDATE;")
        await router.execute("DROP TABLE sampled")

    assert {route.node for route in read} == replicas and {route.rule_id for route in read} == {2}
    assert locking.route.node == primary and len(locking) == 1
    assert explained.rule_id == 2 and explained.vetoed is not None
    assert unmatched.route.node == primary and unmatched.route.rule_id is None


async def test_the_readers_are_known(cluster: LocalCluster) -> None:
    """What ProxySQL has no word for works too: `route=` and read-only transactions find the replicas."""
    async with Router.open(sample(cluster)) as router:
        assert (await router.execute("SELECT 1", route="read")).route.node in {one.endpoint for one in cluster.replicas}
        async with router.transaction(readonly=True) as tx:
            assert await tx.fetchval("SELECT 1") == 1
