"""Streams, transactions that only read, and pinned connections, where their node goes: what moves, what is lost, what is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from time import monotonic

import pytest

from dbrouter import (
    ConnectionLostError,
    DeadlineExceededError,
    OutcomeUnknownError,
    RetriesExhaustedError,
    Router,
    Transaction,
)
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from dbrouter.testing.server import LocalServer
from tests.load import QUICK, all_usable, prepare, proxied, usable
from tests.routers import configuration, dialect, until, whole

STILL = {"probe": {"interval": "10s", "timeout": "10s"}}
"""Probes that look once, so that what a test arranges is found by the calls."""
ROWS = "SELECT id FROM load_item ORDER BY id"


async def rows_of(router: Router, text: str, batch: int = 1000, timeout: float | None = 30.0) -> list[int]:
    """All rows of a stream."""
    async with router.stream(text, batch=batch, timeout=timeout) as rows:
        return [row[0] async for row in rows]


# ---- opening a stream


async def test_changed_schemas_are_met_without_an_error(pg: LocalCluster) -> None:
    """
    ALTER TABLE, and a type made anew, under connections that keep statements of both: streams and calls go on, one after the
    other, and no node is blamed.
    """
    kind = "DROP TYPE IF EXISTS mood CASCADE", "CREATE TYPE mood AS ENUM ('a', 'b')"
    table = "DROP TABLE IF EXISTS moody", "CREATE TABLE moody(id int, mood mood)"
    insert = "INSERT INTO moody VALUES ($1, $2)"
    async with Router.open(configuration(pg, start="all", pool={"min_size": 4, "max_size": 4})) as router:
        for statement in (*kind, *table):
            await router.execute(statement)
        for _ in range(3):
            await asyncio.gather(*(router.execute(insert, number, "a") for number in range(8)))
        await asyncio.to_thread(pg.wait_caught_up)
        for _ in range(4):
            await asyncio.gather(*(router.fetch("SELECT * FROM moody WHERE id = $1 AND mood = 'a'", 1) for _ in range(16)))

        await router.execute("ALTER TABLE moody ADD COLUMN more int")
        await asyncio.to_thread(pg.wait_caught_up)
        for _ in range(8):
            async with router.stream("SELECT * FROM moody WHERE id = $1 AND mood = 'a'", 1) as rows:
                assert [len(row) async for row in rows] == [3, 3, 3]

        for statement in (*kind, *table):
            await router.execute(statement)
        for number in range(8):
            await router.execute(insert, number, "b")
        assert await router.fetchval("SELECT count(*) FROM moody", route="write") == 8
        assert not any(node.breaker.snapshot(monotonic()).failed_calls for node in router._parts.contexts[0].nodes)


async def test_streams_move_from_a_frozen_replica_before_their_first_row(cluster: LocalCluster) -> None:
    """SIGSTOP, with a time limit of half a minute: a stream that is being opened there is opened elsewhere within seconds."""
    replica = cluster.replicas[0]
    async with Router.open(configuration(cluster, start="all", **QUICK)) as router:
        await prepare(router, cluster)
        expected = await rows_of(router, ROWS)
        await asyncio.to_thread(replica.freeze)
        try:
            started = monotonic()
            seen = await asyncio.gather(*(rows_of(router, ROWS) for _ in range(8)))
            assert monotonic() - started < 10.0 and seen == [expected] * 8
            assert not usable(router, replica.endpoint)
        finally:
            await asyncio.to_thread(replica.thaw)
        await all_usable(router)


async def test_streams_run_on_the_primary_where_every_replica_is_gone(cluster: LocalCluster) -> None:
    """`when_empty: writer` holds for streams as for single reads."""
    async with proxied(cluster) as (proxies, source), Router.open(source | QUICK | {"start": "all"}) as router:
        await prepare(router, cluster)
        expected = await rows_of(router, ROWS)
        for proxy in proxies[1:]:
            proxy.refuse()
            proxy.reset()
        await until(lambda: not any(usable(router, proxy.endpoint) for proxy in proxies[1:]), what="no reader is left")

        assert await rows_of(router, ROWS) == expected
        for proxy in proxies[1:]:
            proxy.heal()
        await all_usable(router)


async def test_the_time_limit_of_a_stream_is_one_for_all_attempts_to_open_it(cluster: LocalCluster) -> None:
    """Nobody answers, and nobody says so: after the limit, not after a limit for each node, and not after `timeouts.call`."""
    async with proxied(cluster) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, cluster)
        await rows_of(router, ROWS)
        for proxy in proxies:
            proxy.black_hole()
        started = monotonic()
        with pytest.raises(DeadlineExceededError):
            await rows_of(router, ROWS, timeout=0.5)
        took = monotonic() - started
        for proxy in proxies:
            proxy.heal()
        assert 0.4 < took < 5.0
        await all_usable(router)


async def test_a_stream_whose_connection_is_cut_while_it_opens_moves(cluster: LocalCluster) -> None:
    """A replica's network cuts every reply: the stream is opened elsewhere, and tells nobody."""
    async with proxied(cluster) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, cluster)
        expected = await rows_of(router, ROWS)
        proxies[1].cut_after(0)
        for _ in range(6):
            assert await rows_of(router, ROWS) == expected
        proxies[1].heal()
        await all_usable(router)


async def test_a_refused_stream_raises_the_servers_error_and_keeps_its_connection(cluster: LocalCluster) -> None:
    """A mistake in the statement is the caller's to see, at once, and costs no connection."""
    async with Router.open(configuration(cluster, start="all", pool={"min_size": 1, "max_size": 1})) as router:
        for _ in range(6):
            with pytest.raises(Exception, match="nowhere_at_all"):
                await rows_of(router, "SELECT * FROM nowhere_at_all")
        await until(lambda: all(member.pool.in_use + member.pool.settling == 0 for member in router.stats().members))
        assert all(not member.pool.closed for member in router.stats().members), "a connection was closed for nothing"


async def test_a_stream_that_turns_out_to_write_goes_to_the_primary(pg: LocalCluster) -> None:
    """A function that nobody knows is refused by the replica: the stream is opened on the primary, and its write is there."""
    async with Router.open(configuration(pg, start="all")) as router:
        await router.execute("DROP TABLE IF EXISTS streamed")
        await router.execute("CREATE TABLE streamed (n int)")
        await router.execute(
            "CREATE OR REPLACE FUNCTION note_streamed(n int) RETURNS int LANGUAGE sql AS"
            " 'INSERT INTO streamed VALUES ($1) RETURNING n'"
        )
        await asyncio.to_thread(pg.wait_caught_up)
        assert await rows_of(router, "SELECT note_streamed(7)") == [7]
        assert await router.fetchval("SELECT n FROM streamed", route="write") == 7


async def test_a_stream_whose_text_shows_no_write_goes_to_the_primary_too(pg: LocalCluster) -> None:
    """A view that calls what writes: nothing of it is in the text, and the refusal is no answer for a stream either."""
    async with Router.open(configuration(pg, start="all")) as router:
        for statement in (
            "DROP VIEW IF EXISTS turns",
            "DROP SEQUENCE IF EXISTS turn",
            "CREATE SEQUENCE turn",
            "CREATE VIEW turns AS SELECT nextval('turn') AS n",
        ):
            await router.execute(statement)
        await asyncio.to_thread(pg.wait_caught_up)
        assert await rows_of(router, "SELECT n FROM turns") == [1]
        assert await rows_of(router, "SELECT n FROM turns") == [2]


# ---- leaving what only read


async def test_rows_that_were_delivered_are_not_taken_back(cluster: LocalCluster) -> None:
    """The connection breaks after the last row of a stream, and after the last read of a transaction: nobody is told."""
    async with proxied(cluster) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, cluster)
        expected = await rows_of(router, ROWS)

        async with router.stream(ROWS, batch=7) as rows:
            seen = [row[0] async for row in rows]
            for proxy in proxies:
                proxy.reset()
        assert seen == expected

        async with router.transaction(readonly=True) as tx:
            count = await tx.fetchval("SELECT count(*) FROM load_item")
            for proxy in proxies:
                proxy.cut_after(0)
        for proxy in proxies:
            proxy.heal()
        assert count == len(expected)

        async with router.transaction(readonly=True) as tx:
            assert await tx.fetchval("SELECT count(*) FROM load_item") == count
            for proxy in proxies:
                proxy.drop_replies()
            tx._until = monotonic() + 0.3
        for proxy in proxies:
            proxy.heal()
        await all_usable(router)


async def test_what_looks_like_a_read_may_have_written_where_the_server_lets_it(pg: LocalCluster) -> None:
    """A view that writes, read in a transaction on the primary: its text shows nothing, so a lost COMMIT leaves it in doubt."""
    async with proxied(pg) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, pg)
        for statement in (
            "DROP VIEW IF EXISTS sly",
            "CREATE OR REPLACE FUNCTION sly_write() RETURNS int LANGUAGE sql VOLATILE AS"
            " 'INSERT INTO load_entry VALUES (1, 1) RETURNING 1'",
            "CREATE VIEW sly AS SELECT sly_write() AS n",
        ):
            await router.execute(statement)
        with pytest.raises(OutcomeUnknownError):
            async with router.transaction() as tx:
                assert await tx.fetchval("SELECT n FROM sly") == 1
                proxies[0].cut_after(0)
        proxies[0].heal()
        await all_usable(router)
        await router.execute("DROP VIEW sly")


async def test_a_function_nobody_knows_has_written_nothing_on_a_replica(pg: LocalCluster) -> None:
    """The answer to COMMIT is lost after a stream through a volatile function: on a read-only session nothing is in doubt."""
    async with proxied(pg) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, pg)
        await router.execute("CREATE OR REPLACE FUNCTION looks(n int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT n'")
        await asyncio.to_thread(pg.wait_caught_up)
        for route, nothing_lost in (("read", True), ("write", False)):
            raised: BaseException | None = None
            try:
                async with router.stream("SELECT looks(id) FROM load_item ORDER BY id LIMIT 3", route=route) as rows:
                    assert [row[0] async for row in rows] == [0, 1, 2]
                    for proxy in proxies:
                        proxy.reset()
            except OutcomeUnknownError as error:
                raised = error
            assert (raised is None) == nothing_lost


async def test_run_of_reads_is_over_when_its_commit_is_lost(cluster: LocalCluster) -> None:
    """`run(readonly=True)`: its answer is given, once; a write beside the reads makes the same loss one of unknown outcome."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, 0)")
    async with proxied(cluster) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, cluster)
        runs = 0

        async def work(tx: Transaction) -> int:
            nonlocal runs
            runs += 1
            count = await tx.fetchval("SELECT count(*) FROM load_item")
            if not tx._readonly:
                await tx.execute(insert, 1)
            for proxy in proxies:
                proxy.cut_after(0)
            return int(count)

        assert await router.run(work, readonly=True) > 0 and runs == 1
        for proxy in proxies:
            proxy.heal()
        await all_usable(router)
        with pytest.raises(OutcomeUnknownError):
            await router.run(work)
        for proxy in proxies:
            proxy.heal()
        assert runs == 2
        await all_usable(router)


async def test_run_of_reads_leaves_a_replica_that_froze_under_it(cluster: LocalCluster) -> None:
    """With half a minute to go: the read that hangs ends when the probes give its node up, and the whole runs elsewhere."""
    nodes: list[str | None] = []

    async def work(tx: Transaction) -> int:
        nodes.append(tx.place[0])
        assert await tx.fetchval("SELECT 1") == 1
        if len(nodes) == 1:
            await asyncio.to_thread(frozen().freeze)
        return int(await tx.fetchval("SELECT 2"))

    def frozen() -> LocalServer:
        return next(replica for replica in cluster.replicas if replica.endpoint == nodes[0])

    async with Router.open(configuration(cluster, start="all", **QUICK)) as router:
        started = monotonic()
        try:
            assert await router.run(work, readonly=True, timeout=30) == 2
            assert monotonic() - started < 10.0 and len(set(nodes)) == 2
        finally:
            await asyncio.to_thread(frozen().thaw)
        await all_usable(router)


async def test_serializable_reads_hold_only_once_committed(pg: LocalCluster) -> None:
    """PostgreSQL, serializable: a lost COMMIT makes `run` repeat the reads, and `transaction()` say that they are not certain."""
    async with proxied(pg) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, pg)
        runs = 0

        async def work(tx: Transaction) -> int:
            nonlocal runs
            runs += 1
            count = await tx.fetchval("SELECT count(*) FROM load_item")
            if runs == 1:
                proxies[0].reset()
            return int(count)

        assert await router.run(work, readonly=True, isolation="serializable") > 0 and runs == 2
        with pytest.raises(ConnectionLostError, match="serializable"):
            async with router.transaction(isolation="serializable", readonly=True) as tx:
                await tx.fetchval("SELECT count(*) FROM load_item")
                proxies[0].reset()


# ---- pinned connections


async def test_a_write_inside_a_transaction_by_hand_is_rolled_back_with_its_connection(cluster: LocalCluster) -> None:
    """BEGIN on `connection()`, an INSERT whose reply is cut: certainly not applied, and said so; outside of it, nobody knows."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, 0)")
    async with proxied(cluster) as (proxies, source), Router.open(source | STILL | {"start": "all"}) as router:
        await prepare(router, cluster)
        with pytest.raises(ConnectionLostError, match="rolled back"):
            async with router.connection() as conn:
                await conn.execute("BEGIN")
                await conn.execute(insert, 1)
                proxies[0].cut_after(0)
                await conn.execute(insert, 2)
        proxies[0].heal()
        await all_usable(router)
        with pytest.raises(OutcomeUnknownError):
            async with router.connection() as conn:
                await conn.execute(insert, 3)
                await conn.execute(insert, 4)
                proxies[0].cut_after(0)
                await conn.execute(insert, 5)
        proxies[0].heal()
        await all_usable(router)
        await until(lambda: all(member.pool.in_use == 0 for member in router.stats().members))
    rows = await asyncio.to_thread(cluster.primary.query, "SELECT number FROM load_entry")
    assert Counter(int(row[0] or 0) for row in rows) in (Counter([3, 4, 5]), Counter([3, 4]))


# ---- time limits of rules


async def test_the_time_limit_of_a_rule_holds_in_blocks_and_streams(cluster: LocalCluster) -> None:
    """A rule's `timeout` is nearer than the hostgroup's, wherever the statement runs; the call's own is nearer still."""
    speak = dialect(cluster)
    rules = [{"rule_id": 1, "match_pattern": "(?i)sleep", "timeout": "200ms"}]
    source = whole(cluster, rules=rules, start="all")
    source["hostgroups"][0]["timeouts"] = {"call": "20s"}
    slow = speak.sleep(3)
    async with Router.open(source) as router:
        for block in (router.transaction, router.connection):
            started = monotonic()
            with pytest.raises((DeadlineExceededError, OutcomeUnknownError)):
                async with block() as pinned:
                    await pinned.execute(slow)
            assert monotonic() - started < 2.5, "the rule's limit was not kept"
        started = monotonic()
        with pytest.raises((DeadlineExceededError, RetriesExhaustedError)):
            async with router.stream(slow) as rows:
                async for _ in rows:
                    pass
        assert monotonic() - started < 2.5
        async with router.transaction() as tx:
            assert await tx.fetch(speak.sleep(0.5), timeout=10)


async def test_the_time_limit_of_a_hostgroup_holds_in_its_blocks(cluster: LocalCluster) -> None:
    """`timeouts.call` of the hostgroup where a block is pinned, not the one at the top."""
    speak = dialect(cluster)
    source = whole(cluster, start="all")
    source["hostgroups"][0]["timeouts"] = {"call": "200ms"}
    async with Router.open(source) as router:
        started = monotonic()
        with pytest.raises((DeadlineExceededError, OutcomeUnknownError)):
            async with router.transaction() as tx:
                await tx.execute(speak.sleep(3))
        assert monotonic() - started < 2.5
        if cluster.engine is Engine.POSTGRESQL:
            with pytest.raises(DeadlineExceededError):
                await router.run(lambda tx: tx.execute(speak.sleep(3)))
