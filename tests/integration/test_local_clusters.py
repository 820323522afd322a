"""Local clusters do what tests rely on: they replicate, refuse writes on replicas, and survive what tests do to them."""

from __future__ import annotations

import asyncpg
import pytest

from dbrouter.testing import LocalCluster, LocalPgBouncer


@pytest.mark.all_servers
def test_replicas_have_what_the_primary_has(cluster: LocalCluster) -> None:
    """A row written on the primary is on both replicas once `wait_caught_up` returns."""
    cluster.primary.query("DROP TABLE IF EXISTS replicated")
    cluster.primary.query("CREATE TABLE replicated (id int PRIMARY KEY)")
    cluster.primary.query("INSERT INTO replicated VALUES (1), (2)")
    cluster.wait_caught_up()

    assert [replica.query("SELECT id FROM replicated ORDER BY id") for replica in cluster.replicas] == [[("1",), ("2",)]] * 2


async def test_pgbouncer_passes_queries(pgbouncer: LocalPgBouncer) -> None:
    """The application user reaches the primary through PgBouncer."""
    connection = await asyncpg.connect(pgbouncer.dsn(), statement_cache_size=0)

    found = await connection.fetchval("SELECT pg_is_in_recovery()")
    await connection.close()

    assert found is False
