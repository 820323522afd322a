"""Behind PgBouncer in transaction mode: `via: pgbouncer` works, and without it the error says what to set."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dbrouter import ConnectError, Router
from dbrouter.testing import LocalCluster, LocalPgBouncer


def source(cluster: LocalCluster, bouncer: LocalPgBouncer, via: str, **extra: Any) -> dict[str, Any]:
    """The primary behind PgBouncer as writer, and again as reader."""
    login, _, place = bouncer.dsn().rpartition("@")
    server, _, database = place.partition("/")
    return {
        "databases": {
            "app": {
                "engine": "postgresql",
                "dsn": f"{login}@/{database}",
                "via": via,
                "writer_hostgroup": 1,
                "reader_hostgroup": 2,
            }
        },
        "hostgroups": [{"id": 1, "servers": [server]}, {"id": 2, "servers": [server]}],
        **extra,
    }


async def test_every_call_works_in_transaction_mode(pg: LocalCluster, pgbouncer: LocalPgBouncer) -> None:
    """Statements, transactions and streams; no statement stays prepared on a server connection that others use."""
    async with Router.open(source(pg, pgbouncer, "pgbouncer", pool={"max_size": 8})) as router:
        await router.execute("DROP TABLE IF EXISTS bounced")
        await router.execute("CREATE TABLE bounced(id int PRIMARY KEY)")
        for number in range(5):
            await router.execute("INSERT INTO bounced VALUES ($1)", number)
        results = await asyncio.gather(*(router.fetchval("SELECT $1::int + count(*) FROM bounced", n) for n in range(200)))
        async with router.transaction() as tx:
            await tx.execute("DELETE FROM bounced WHERE id = $1", 0)
            assert await tx.fetchval("SELECT count(*) FROM bounced") == 4
        async with router.stream("SELECT id FROM bounced ORDER BY id", batch=2) as rows:
            streamed = [row["id"] async for row in rows]
        await router.executemany("INSERT INTO bounced VALUES ($1)", [(n,) for n in range(10, 20)])

        assert results == [n + 5 for n in range(200)] and streamed == [1, 2, 3, 4]
        assert await router.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
        assert router.health().status == "pass"
        await router.execute("DROP TABLE bounced")


async def test_without_via_the_error_says_what_to_set(pg: LocalCluster, pgbouncer: LocalPgBouncer) -> None:
    """A DSN that turns out to be PgBouncer names the setting, whichever way it is found out."""
    with pytest.raises(ConnectError, match="via: pgbouncer"):
        await Router.open(source(pg, pgbouncer, "direct"))


async def test_a_pgbouncer_restart_costs_reads_nothing(pg: LocalCluster, pgbouncer: LocalPgBouncer) -> None:
    """PgBouncer goes away and comes back: calls wait for it or move, and later ones succeed."""
    async with Router.open(source(pg, pgbouncer, "pgbouncer")) as router:
        assert await router.fetchval("SELECT 1") == 1
        await asyncio.to_thread(pgbouncer.stop)
        await asyncio.to_thread(pgbouncer.start)

        assert await router.fetchval("SELECT 2") == 2
        assert await router.fetchval("SELECT 3", route="write") == 3
