"""Every call of the interface, on every server."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest

from dbrouter import (
    DeadlineExceededError,
    ParameterError,
    PoolTimeoutError,
    Result,
    Router,
    SessionStatementError,
    StatementRejectedError,
    TransactionAbortedError,
)
from dbrouter.testing import LocalCluster
from tests.routers import dialect, routed

TABLE = ("DROP TABLE IF EXISTS item", "CREATE TABLE item(id int PRIMARY KEY, name varchar(40))")


@pytest.mark.all_servers
async def test_execute_answers_rows_status_count_and_route(cluster: LocalCluster) -> None:
    """A write goes to the primary and says what it changed; a read goes to a replica and is a sequence of rows."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        written = await router.execute(speak.sql("INSERT INTO item VALUES ({1}, {2})"), 1, "one")
        await asyncio.to_thread(cluster.wait_caught_up)
        read = await router.execute(speak.sql("SELECT id, name FROM item WHERE id = {1}"), 1)

        assert isinstance(written, Result) and not written and written.rowcount == 1
        assert written.status.startswith("INSERT") and str(written) == written.status
        assert written.route.node == cluster.primary.endpoint and written.route.attempts == 1
        assert read.route.node in [replica.endpoint for replica in cluster.replicas]
        assert len(read) == 1 and read[0]["name"] == "one" and read[0][0] == 1 and read.rowcount == 1
        assert dict(read[0]) == {"id": 1, "name": "one"} and read[0].get("nothing") is None and tuple(read[0]) == (1, "one")
        assert list(read[0].keys()) == ["id", "name"]


@pytest.mark.all_servers
async def test_fetch_family(cluster: LocalCluster) -> None:
    """fetch gives a list, fetchrow a row or None, fetchval a value or None."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        await router.executemany(speak.sql("INSERT INTO item VALUES ({1}, {2})"), [(n, f"n{n}") for n in range(5)])
        await asyncio.to_thread(cluster.wait_caught_up)

        assert [row["id"] for row in await router.fetch("SELECT id FROM item ORDER BY id")] == [0, 1, 2, 3, 4]
        assert (await router.fetchrow("SELECT id, name FROM item WHERE id = 3"))["name"] == "n3"
        assert await router.fetchrow("SELECT id FROM item WHERE id = 77") is None
        assert await router.fetchval("SELECT id, name FROM item WHERE id = 3", column=1) == "n3"
        assert await router.fetchval("SELECT id FROM item WHERE id = 77") is None


@pytest.mark.all_servers
async def test_named_parameters_are_the_same_text_on_every_engine(cluster: LocalCluster) -> None:
    """One mapping with :name placeholders; casts, strings and comments are left alone; wrong names are named."""
    async with routed(cluster, *TABLE) as router:
        await router.execute("INSERT INTO item VALUES (:id, :name)", {"id": 1, "name": "a:b"})
        await asyncio.to_thread(cluster.wait_caught_up)

        assert await router.fetchval("SELECT name FROM item WHERE id = :id /* :no */ AND name <> ':x'", {"id": 1}) == "a:b"
        with pytest.raises(ParameterError, match="id"):
            await router.fetchval("SELECT name FROM item WHERE id = :id", {"idd": 1})
        with pytest.raises(ParameterError, match="extra"):
            await router.fetchval("SELECT name FROM item WHERE id = :id", {"id": 1, "extra": 2})


@pytest.mark.all_servers
async def test_a_literal_percent_without_parameters(cluster: LocalCluster) -> None:
    """Text without parameters is sent as it is."""
    async with routed(cluster, *TABLE) as router:
        await router.execute("INSERT INTO item VALUES (1, '50%')")
        await asyncio.to_thread(cluster.wait_caught_up)

        assert await router.fetchval("SELECT count(*) FROM item WHERE name LIKE '50%'") == 1


@pytest.mark.all_servers
async def test_executemany_and_batch_are_all_or_nothing(cluster: LocalCluster) -> None:
    """One bad row undoes the whole; a batch answers one result per statement."""
    speak = dialect(cluster)
    insert = speak.sql("INSERT INTO item VALUES ({1}, {2})")
    async with routed(cluster, *TABLE) as router:
        with pytest.raises(Exception, match=r"(?i)duplicate"):
            await router.executemany(insert, [(1, "a"), (2, "b"), (1, "c")])
        with pytest.raises(Exception, match=r"(?i)duplicate"):
            await router.batch([(insert, (5, "a")), (insert, (5, "b"))])
        assert await router.fetchval("SELECT count(*) FROM item", route="write") == 0

        many = await router.executemany(insert, [(1, "a"), (2, "b")])
        results = await router.batch([(insert, (3, "c")), ("UPDATE item SET name = 'z'", ()), "SELECT count(*) FROM item"])

        assert many.rowcount in (None, 2)
        assert [result.rowcount for result in results] == [1, 3, 1] and results[2][0][0] == 3
        assert (await router.executemany(insert, [])).rowcount == 0


@pytest.mark.all_servers
async def test_transactions_commit_roll_back_and_nest(cluster: LocalCluster) -> None:
    """COMMIT at the end, ROLLBACK on an exception, a savepoint inside."""
    insert = dialect(cluster).sql("INSERT INTO item VALUES ({1}, {2})")
    async with routed(cluster, *TABLE) as router:
        async with router.transaction(isolation="repeatable read") as tx:
            await tx.execute(insert, 1, "kept")
            with pytest.raises(KeyError):
                async with tx.transaction():
                    await tx.execute(insert, 2, "undone")
                    raise KeyError
            async with tx.transaction():
                await tx.execute(insert, 3, "kept")
        with pytest.raises(KeyError):
            async with router.transaction() as tx:
                await tx.execute(insert, 4, "undone")
                raise KeyError

        assert [row[0] for row in await router.fetch("SELECT id FROM item ORDER BY id", route="write")] == [1, 3]


@pytest.mark.all_servers
async def test_a_read_only_transaction_runs_on_a_replica_and_cannot_write(cluster: LocalCluster) -> None:
    """readonly=True may go to a replica; what it refuses is the answer."""
    async with routed(cluster, *TABLE) as router:
        async with router.transaction(readonly=True) as tx:
            result = await tx.execute("SELECT count(*) FROM item")
            assert result.route.node in [replica.endpoint for replica in cluster.replicas]
        with pytest.raises(Exception, match=r"(?i)read.only"):
            async with router.transaction(readonly=True) as tx:
                await tx.execute("INSERT INTO item VALUES (1, 'x')")

        assert await router.fetchval("SELECT count(*) FROM item", route="write") == 0


@pytest.mark.all_servers
async def test_a_swallowed_error_does_not_look_like_a_commit(cluster: LocalCluster) -> None:
    """
    A statement fails and the block swallows it: PostgreSQL has given the transaction up, so leaving it raises.

    The MySQL family goes on with what succeeded.
    """
    left = pytest.raises(TransactionAbortedError) if dialect(cluster).postgresql else nullcontext()
    async with routed(cluster, *TABLE) as router:
        with left:
            async with router.transaction() as tx:
                await tx.execute("INSERT INTO item VALUES (1, 'x')")
                with pytest.raises(Exception, match="nope"):
                    await tx.execute("SELECT * FROM nope")

        kept = await router.fetchval("SELECT count(*) FROM item", route="write")
        assert kept == (0 if dialect(cluster).postgresql else 1)


@pytest.mark.all_servers
async def test_run_answers_what_the_function_answers(cluster: LocalCluster) -> None:
    """run commits what the function did and hands back its result."""
    insert = dialect(cluster).sql("INSERT INTO item VALUES ({1}, {2})")

    async def work(tx: Any) -> int:
        await tx.execute(insert, 1, "x")
        return int(await tx.fetchval("SELECT count(*) FROM item"))

    async with routed(cluster, *TABLE) as router:
        assert await router.run(work) == 1
        assert await router.run(lambda tx: tx.fetchval("SELECT 7"), readonly=True) == 7


@pytest.mark.all_servers
async def test_stream_goes_through_rows_and_leaves_nothing_behind(cluster: LocalCluster) -> None:
    """All rows in order, in batches; break, an exception and an early end give the connection back."""
    insert = dialect(cluster).sql("INSERT INTO item VALUES ({1}, {2})")
    async with routed(cluster, *TABLE, pool={"max_size": 2}) as router:
        await router.executemany(insert, [(n, "x") for n in range(500)])
        await asyncio.to_thread(cluster.wait_caught_up)
        async with router.stream("SELECT id FROM item ORDER BY id", batch=64) as rows:
            assert [row[0] async for row in rows] == list(range(500))
        for _ in range(5):
            async with router.stream("SELECT id FROM item ORDER BY id", batch=64) as rows:
                async for row in rows:
                    if row[0] == 100:
                        break
        with pytest.raises(KeyError):
            async with router.stream("SELECT id FROM item", batch=10) as rows:
                raise KeyError

        assert await router.fetchval("SELECT count(*) FROM item") == 500
        assert all(member.pool.in_use == 0 for member in router.stats().members)


@pytest.mark.all_servers
async def test_a_pinned_connection_keeps_session_state_and_is_not_handed_on(cluster: LocalCluster) -> None:
    """What is SET on connection() is there for the next statement, and gone with the connection."""
    speak = dialect(cluster)
    setting, ask = (
        ("SET application_name = 'pinned'", "SELECT current_setting('application_name')")
        if speak.postgresql
        else ("SET @who = 'pinned'", "SELECT @who")
    )
    async with routed(cluster, pool={"max_size": 1}) as router:
        async with router.connection() as conn:
            await conn.execute(setting)
            assert await conn.fetchval(ask) == "pinned"
        async with router.connection() as conn:
            assert await conn.fetchval(ask) != "pinned"
            assert conn.raw is not None
        closed = [member.pool.closed for member in router.stats().members if member.hostgroup.endswith("write")]
        assert sum(closed[0].values()) == 2


@pytest.mark.all_servers
async def test_deadline_and_the_next_call(cluster: LocalCluster) -> None:
    """A read past its time limit raises, and later calls get their own results."""
    speak = dialect(cluster)
    async with routed(cluster, pool={"max_size": 1}) as router:
        with pytest.raises(DeadlineExceededError) as caught:
            await router.execute(speak.sleep(5), timeout=0.1)
        for number in range(20):
            assert await router.fetchval(speak.sql("SELECT {1}" + ("::int" if speak.postgresql else "")), number) == number

    assert caught.value.phase == "executing" and isinstance(caught.value, TimeoutError)


async def test_execute_inside_a_transaction_waits_for_itself(cluster: LocalCluster) -> None:
    """A task that waits for a pool its own transaction exhausts is told so."""
    async with routed(cluster, *TABLE, pool={"max_size": 1, "acquire_timeout": "100ms"}) as router, router.transaction():
        with pytest.raises(PoolTimeoutError, match="waits for itself"):
            await router.execute("INSERT INTO item VALUES (1, 'x')")


async def test_one_statement_at_a_time_on_one_transaction(cluster: LocalCluster) -> None:
    """Two tasks on one transaction: the second is refused, the first goes on."""
    speak = dialect(cluster)
    async with routed(cluster) as router, router.transaction() as tx:
        first = asyncio.create_task(tx.fetchval(speak.sleep(0.05)))
        await asyncio.sleep(0)
        with pytest.raises(StatementRejectedError, match="one statement at a time"):
            await tx.fetchval("SELECT 1")
        await first
        assert await tx.fetchval("SELECT 1") == 1


async def test_transaction_control_is_refused(cluster: LocalCluster) -> None:
    """BEGIN and COMMIT as text are refused on pooled calls and in transaction(); the message names what to use."""
    async with routed(cluster) as router:
        with pytest.raises(SessionStatementError, match=r"transaction\(\)"):
            await router.execute("BEGIN")
        async with router.transaction() as tx:
            with pytest.raises(SessionStatementError, match="COMMIT"):
                await tx.execute("COMMIT")


async def test_two_databases_of_two_engines(pg: LocalCluster, mariadb: LocalCluster) -> None:
    """One router, one file, two engines; the first database is the default."""

    def database(cluster: LocalCluster, first: int) -> dict[str, Any]:
        login, _, place = cluster.primary.dsn().rpartition("@")
        dsn = f"{login}@/{place.partition('/')[2]}"
        return {"engine": str(cluster.engine), "dsn": dsn, "writer_hostgroup": first, "reader_hostgroup": first + 1}

    hostgroups = []
    for cluster, first in ((pg, 10), (mariadb, 30)):
        hostgroups.append({"id": first, "servers": [cluster.primary.endpoint]})
        hostgroups.append({"id": first + 1, "servers": [replica.endpoint for replica in cluster.replicas]})
    databases = {"shop": database(pg, 10), "catalog": database(mariadb, 30)}
    source = {"databases": databases, "hostgroups": hostgroups, "start": "all"}
    async with Router.open(source) as router:
        shop = await router.execute("SELECT version() AS v")
        catalog = await router.database("catalog").execute("SELECT version() AS v")

        assert "PostgreSQL" in shop[0]["v"] and "MariaDB" in catalog[0]["v"]
        assert router.health().status == "pass" and len(router.health().databases) == 2
        with pytest.raises(ParameterError, match="shop, catalog"):
            router.database("nothing")


async def test_nothing_is_left_after_aclose(cluster: LocalCluster) -> None:
    """aclose lets leases finish, cuts what does not, and refuses later calls; twice is harmless."""
    speak = dialect(cluster)
    before = asyncio.all_tasks()
    router = await Router.open({"writer": cluster.primary.dsn()})
    running = asyncio.create_task(router.fetchval(speak.sleep(0.1)))
    await asyncio.sleep(0.02)
    await router.aclose()
    await router.aclose()

    await running
    assert asyncio.all_tasks() - before == set()
    with pytest.raises(Exception, match="clos"):
        await router.fetchval("SELECT 1")
