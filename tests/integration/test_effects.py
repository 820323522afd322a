"""What rules do beside choosing a hostgroup, on real servers: rewriting, messages, cache, mirror, delay, flags, logs."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest

import dbrouter
from dbrouter import DeadlineExceededError, Router, SessionStatementError, StatementRejectedError
from dbrouter.events import QueryLogged, RuleVetoed
from dbrouter.testing import LocalCluster
from tests.load import kill_clients
from tests.routers import Listener, dialect, until, whole

TABLE = ("DROP TABLE IF EXISTS fx", "CREATE TABLE fx(id int PRIMARY KEY, v varchar(40))", "INSERT INTO fx VALUES (1, 'one')")


async def prepare(router: Router, cluster: LocalCluster, *statements: str) -> None:
    """The table and what else a test needs, on every server."""
    for statement in (*TABLE, *statements):
        await router.execute(statement, route="write", tag="setup")
    await asyncio.to_thread(cluster.wait_caught_up)


def rules(cluster: LocalCluster, *written: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """The whole shape with rules numbered from 1."""
    return whole(cluster, rules=[{"rule_id": n, **rule} for n, rule in enumerate(written, 1)], start="all", **extra)


# ---- rewriting


async def test_a_rewritten_statement_is_what_is_judged_and_sent(cluster: LocalCluster) -> None:
    """In pooled calls, transactions and cursors; parameters go along; a read that becomes a write goes to the primary."""
    speak = dialect(cluster)
    source = rules(
        cluster,
        {"match_pattern": r"FROM old\b", "replace_pattern": "FROM fx", "re_modifiers": "CASELESS,GLOBAL"},
        {"match_pattern": r"^SELECT touch\((\d+)\)$", "replace_pattern": r"UPDATE fx SET v = 'touched' WHERE id = \1"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        read = await router.execute(speak.sql("select v from OLD where id = {1}"), 1)
        assert read[0][0] == "one" and read.route.hostgroup == "read"
        async with router.transaction() as tx:
            assert await tx.fetchval("SELECT v FROM old") == "one"
        async with router.stream("SELECT v FROM old") as rows:
            assert [row[0] async for row in rows] == ["one"]

        written = await router.execute("SELECT touch(1)")
        assert written.rowcount == 1 and written.route.hostgroup == "write"
        assert await router.fetchval("SELECT v FROM fx", route="write") == "touched"
        explained = router.explain("SELECT touch(1)")
        assert explained.rewritten == "UPDATE fx SET v = 'touched' WHERE id = 1" and explained.intent == "write"
        assert explained.digest_text == "SELECT touch(?)"


async def test_a_rewritten_write_is_vetoed_like_any_other(cluster: LocalCluster) -> None:
    """A rule that sends what it makes a write to readers is overruled, and told of."""
    listener = Listener()
    source = rules(
        cluster,
        {
            "match_pattern": "^SELECT wipe",
            "replace_pattern": "DELETE FROM fx WHERE id",
            "destination_hostgroup": 20,
            "apply": True,
        },
    )
    async with Router.open(source, observers=[listener]) as router:
        await prepare(router, cluster)
        result = await router.execute("SELECT wipe = 1")

        assert result.route.hostgroup == "write" and result.rowcount == 1
        assert [event.rule_id for event in listener.of(RuleVetoed)] == [1]


# ---- messages


async def test_messages_answer_in_the_servers_place(cluster: LocalCluster) -> None:
    """OK_msg: a result without rows and its status; it wins over error_msg; on pinned connections too. Nothing is sent."""
    source = rules(
        cluster,
        {"match_digest": "^TRUNCATE", "error_msg": "not here"},
        {"match_digest": "^OPTIMIZE", "OK_msg": "skipped", "error_msg": "never said"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        for calls in (router, None):
            if calls is None:
                async with router.connection() as conn:
                    result = await conn.execute("OPTIMIZE TABLE fx")
                    with pytest.raises(StatementRejectedError, match="rule 1 forbids this statement: not here"):
                        await conn.execute("TRUNCATE fx")
            else:
                result = await calls.execute("OPTIMIZE TABLE fx")
                assert result.route.node == "rule" and result.route.attempts == 0
                with pytest.raises(StatementRejectedError, match="rule 1 forbids this statement: not here"):
                    await calls.execute("TRUNCATE fx")
            assert str(result) == "skipped" and list(result) == [] and result.rowcount == 0
        assert await router.fetch("OPTIMIZE TABLE fx") == [] and await router.fetchval("OPTIMIZE TABLE fx") is None
        async with router.stream("OPTIMIZE TABLE fx") as rows:
            assert [row async for row in rows] == []
        assert await router.fetchval("SELECT count(*) FROM fx", route="write") == 1


# ---- the result cache


async def test_the_cache_answers_reads_for_a_while(cluster: LocalCluster) -> None:
    """While an entry is young; per text, parameters and their types; the list is the caller's own; writes do not invalidate."""
    speak = dialect(cluster)
    text = speak.sql("SELECT v FROM fx WHERE id = {1}")
    source = rules(cluster, {"match_digest": "FROM fx", "intent": "read", "cache_ttl": "10m"})
    async with Router.open(source) as router:
        await prepare(router, cluster, "INSERT INTO fx VALUES (2, 'two')")
        first = await router.execute(text, 1)
        rows = await router.fetch(text, 1)
        rows.clear()  # type: ignore[attr-defined]  # a list, and the caller's
        await router.execute("UPDATE fx SET v = 'new' WHERE id = 1")
        await asyncio.to_thread(cluster.wait_caught_up)
        again = await router.execute(text, 1)

        assert first.route.node != "cache" and again.route.node == "cache"
        assert [tuple(row) for row in again] == [("one",)] and (again.status, again.rowcount) == (first.status, first.rowcount)
        assert await router.fetchval(text, 2) == "two"
        assert await router.fetchval(text, 1, route="read") == "one"
        assert await router.fetchval(text, 1, route="write") == "new", "who names the primary wants what it says"
        assert await router.fetchval(text, 1, hostgroup=20) == "new", "who names a place wants its answer"
        explained = str(router.explain(text, route="write"))
        assert "not answered from the result cache (cache_ttl is 600 s): the caller names" in explained
        async with router.transaction() as tx:
            assert await tx.fetchval(text, 1) == "new", "a transaction sees the server"
        stats = router.stats().cache
        assert (stats.entries, stats.stored, stats.hits) == (2, 2, 3)


async def test_an_entry_ends_by_age_and_each_call_says_which(cluster: LocalCluster) -> None:
    """The ttl of the looking call decides, not that of the storing one."""
    source = rules(
        cluster,
        {"tag": "long", "match_digest": "FROM fx", "cache_ttl": "10m", "apply": True},
        {"match_digest": "FROM fx", "intent": "read", "cache_ttl": "1ms"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        text = "SELECT v FROM fx WHERE id = 1"
        await router.fetch(text, tag="long")
        started = monotonic()
        await until(lambda: monotonic() > started + 0.002)

        assert (await router.execute(text, tag="long")).route.node == "cache"
        assert (await router.execute(text)).route.node != "cache"


async def test_what_is_never_cached(cluster: LocalCluster) -> None:
    """Volatile functions unless the rule says so, empty results where it says so, and whatever a context must see of its own."""
    source = rules(
        cluster,
        {"match_digest": "^SELECT", "cache_ttl": "10m"},
        {"tag": "volatile", "cache_ttl": "10m", "cache_volatile": True},
        {"tag": "full", "cache_ttl": "10m", "cache_empty_result": False},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)

        async def cached(text: str, tag: str | None = None) -> bool:
            await router.execute(text, tag=tag)
            return (await router.execute(text, tag=tag)).route.node == "cache"

        assert await cached("SELECT v FROM fx WHERE id = 1")
        assert not await cached("SELECT v, now() FROM fx")
        assert await cached("SELECT v, now() FROM fx", "volatile")
        assert await cached("SELECT v FROM fx WHERE id = 99")
        assert not await cached("SELECT v FROM fx WHERE id = 98", "full")
        assert not await cached("SELECT v FROM fx FOR UPDATE")
        with dbrouter.context():
            assert await cached("SELECT v FROM fx WHERE id = 1")
            await router.execute("UPDATE fx SET v = 'mine' WHERE id = 1")
            assert not await cached("SELECT v FROM fx WHERE id = 1"), "it has written"
        with dbrouter.context():
            async with router.transaction() as tx:
                await tx.execute("UPDATE fx SET v = 'mine too' WHERE id = 1")
            assert not await cached("SELECT v FROM fx WHERE id = 1"), "in a transaction"
        assert await cached("SELECT v FROM fx WHERE id = 1")


async def test_a_failed_or_cancelled_read_is_not_stored(cluster: LocalCluster) -> None:
    """Only what came whole; and a stored answer stands in for servers that are gone."""
    speak = dialect(cluster)
    source = rules(cluster, {"match_digest": "^SELECT", "cache_ttl": "10m", "cache_volatile": True})
    async with Router.open(source) as router:
        await prepare(router, cluster)
        with pytest.raises(Exception, match="nothing_there"):
            await router.fetch("SELECT * FROM nothing_there")
        slow = asyncio.ensure_future(router.fetch(speak.sleep(20)))
        await until(lambda: sum(member.pool.in_use for member in router.stats().members) == 1)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert router.stats().cache.entries == 0

        await router.fetch("SELECT v FROM fx")
        for server in cluster.servers:
            await asyncio.to_thread(server.kill)
        assert [tuple(row) for row in await router.fetch("SELECT v FROM fx")] == [("one",)]


# ---- mirroring


async def test_a_mirrored_read_and_an_unsafe_mirrored_write(cluster: LocalCluster) -> None:
    """Copies go where the rule says, in the background; a write's only with unsafe; parameters go along."""
    speak = dialect(cluster)
    source = rules(
        cluster,
        {"match_digest": "^SELECT v", "mirror_hostgroup": "write"},
        {"match_digest": "^INSERT INTO fx ", "mirror_hostgroup": "write"},
        {
            "match_pattern": "INTO fx_a",
            "mirror_hostgroup": "write",
            "mirror_flagOUT": 7,
            "unsafe": True,
            "apply": True,
        },
        {"flagIN": 7, "match_pattern": "fx_a", "replace_pattern": "fx_b"},
    )
    async with Router.open(source) as router:
        await prepare(
            router,
            cluster,
            "DROP TABLE IF EXISTS fx_a",
            "DROP TABLE IF EXISTS fx_b",
            "CREATE TABLE fx_a(id int PRIMARY KEY)",
            "CREATE TABLE fx_b(id int PRIMARY KEY)",
        )
        sent = router.stats().mirror.sent
        assert await router.fetchval(speak.sql("SELECT v FROM fx WHERE id = {1}"), 1) == "one"
        await until(lambda: router.stats().mirror.sent == sent + 1, what="the copy of the read")

        await router.execute("INSERT INTO fx VALUES (5, 'five')")
        await router.execute(speak.sql("INSERT INTO fx_a VALUES ({1})"), 9)
        await until(lambda: router.stats().mirror.sent == sent + 2, what="the copy of the write")
        assert await router.fetchval("SELECT id FROM fx_b", route="write") == 9
        assert router.stats().mirror.failed == 0
        assert "a copy goes to hostgroup 10" in str(router.explain("INSERT INTO fx_a VALUES (1)"))
        assert "a copy" not in str(router.explain("INSERT INTO fx VALUES (1)"))


async def test_a_mirror_that_fails_or_hangs_harms_nobody(cluster: LocalCluster) -> None:
    """The copy's server frozen: calls are answered, copies queue up to their bound, the rest is dropped; closing is quick."""
    first, second = cluster.replicas
    source = rules(cluster, {"match_digest": "^SELECT v", "mirror_hostgroup": 30}, mirror={"max_concurrency": 2, "max_queue": 3})
    source["hostgroups"][1]["servers"] = [first.endpoint]
    source["hostgroups"].append(
        {"id": 30, "name": "copies", "database": "app", "servers": [second.endpoint], "when_empty": "wait"}
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        await asyncio.to_thread(second.freeze)
        for _ in range(10):
            assert await router.fetchval("SELECT v FROM fx") == "one"
        mirror = router.stats().mirror
        assert (mirror.running, mirror.waiting, mirror.dropped) == (2, 3, 5)
        await asyncio.to_thread(second.thaw)
        await until(lambda: router.stats().mirror.sent == 5, what="the copies that waited")

        await asyncio.to_thread(second.kill)
        await until(lambda: not router.health().nodes[2].usable)
        assert await router.fetchval("SELECT v FROM fx") == "one"
        reading = asyncio.ensure_future(router.fetchval("SELECT v FROM fx"))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert router.closed


async def test_copies_leave_connections_to_those_who_wait_for_answers(cluster: LocalCluster) -> None:
    """Slow copies in a hostgroup that serves calls hold half of its connections at most, however many there are of them."""
    sleep = "pg_sleep(30)" if dialect(cluster).postgresql else "SLEEP(30)"
    source = rules(
        cluster,
        {"match_pattern": "1 AS original", "mirror_hostgroup": "read", "mirror_flagOUT": 7},
        {"flagIN": 7, "match_pattern": "1 AS original", "replace_pattern": sleep, "apply": True},
        pool={"max_size": 4, "acquire_timeout": "5s"},
        read_functions=["pg_sleep", "sleep"],
    )
    source["hostgroups"][1]["servers"] = [cluster.replicas[0].endpoint]
    router = await Router.open(source)
    try:
        for _ in range(8):
            await router.execute("SELECT 1 AS original")
        await asyncio.gather(*(router.execute("SELECT 1 AS original") for _ in range(2)))

        mirror = router.stats().mirror
        assert (mirror.running, mirror.waiting, mirror.dropped, mirror.sent) == (2, 8, 0, 0)
    finally:
        await router.aclose(timeout=0.1)
        # What still sleeps on the replica would hold back what the next test does there.
        await asyncio.to_thread(kill_clients, cluster.replicas[0])
    assert router.stats().mirror.running == 0


async def test_a_copy_goes_to_its_hostgroup_or_nowhere(cluster: LocalCluster) -> None:
    """Where the mirror's servers are gone, no write is made twice on the primary, and no read is; not by a reload either."""
    speak = dialect(cluster)
    source = rules(
        cluster,
        {"match_digest": "^SELECT v", "mirror_hostgroup": 30},
        {"match_digest": "^INSERT INTO fx ", "mirror_hostgroup": 30, "unsafe": True},
        mirror={"max_concurrency": 1},
    )
    replica = cluster.replicas[1]
    source["hostgroups"][1]["servers"] = [cluster.replicas[0].endpoint]
    source["hostgroups"].append(
        {"id": 30, "name": "copies", "database": "app", "servers": [replica.endpoint], "read_only": False}
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        await until(lambda: router.stats().mirror.failed == 1, what="the replica to refuse the copy of the first row")
        await router.execute("ALTER TABLE fx DROP CONSTRAINT fx_pkey" if speak.postgresql else "ALTER TABLE fx DROP PRIMARY KEY")
        await asyncio.to_thread(replica.freeze)
        await router.execute("INSERT INTO fx VALUES (2, 'two')")
        await router.execute("INSERT INTO fx VALUES (3, 'three')")
        without = {**source, "hostgroups": source["hostgroups"][:2], "query_rules": []}
        await router.reload(without)
        await asyncio.to_thread(replica.kill)
        await until(lambda: router.stats().mirror.failed == 3, what="the copies to fail")

        await router.reload({**source, "start": "any"})
        await until(lambda: not router.health().nodes[2].usable)
        await router.execute("INSERT INTO fx VALUES (4, 'four')")
        assert len(await router.fetch("SELECT v FROM fx", route="write")) == 4
        await until(lambda: router.stats().mirror.failed == 5, what="the copies to fail")
        assert [row[0] for row in await router.fetch("SELECT id FROM fx ORDER BY id", route="write")] == [1, 2, 3, 4]


async def test_a_copy_that_writes_unseen_is_not_made_on_the_primary(cluster: LocalCluster) -> None:
    """A replica refuses the copy of a function that writes: the original alone is sent where it may."""
    speak = dialect(cluster)
    function = (
        "CREATE FUNCTION fx_touch() RETURNS int LANGUAGE sql AS 'INSERT INTO fx_log VALUES (1) RETURNING 1'"
        if speak.postgresql
        else "CREATE FUNCTION fx_touch() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO fx_log VALUES (1); RETURN 1; END"
    )
    source = rules(cluster, {"match_digest": "fx_touch", "tag": "mirrored", "destination_hostgroup": 10, "mirror_hostgroup": 20})
    async with Router.open(source) as router:
        for dropped in ("FUNCTION IF EXISTS fx_touch", "TABLE IF EXISTS fx_log"):
            await router.execute(f"DROP {dropped}")
        await router.execute("CREATE TABLE fx_log(id int)")
        await router.execute(function)
        await asyncio.to_thread(cluster.wait_caught_up)
        await router.fetchval("SELECT fx_touch()", tag="mirrored")
        await until(lambda: router.stats().mirror.failed == 1, what="the copy to be refused")

        assert await router.fetchval("SELECT count(*) FROM fx_log", route="write") == 1


async def test_a_copy_has_the_values_of_its_call(cluster: LocalCluster) -> None:
    """Whatever the caller does to its mappings and lists while copies wait; and where nothing was sent, nothing is copied."""
    speak = dialect(cluster)
    source = rules(
        cluster,
        {"match_pattern": "INTO fx_a", "mirror_hostgroup": 10, "mirror_flagOUT": 7, "unsafe": True},
        {"flagIN": 7, "match_pattern": "fx_a", "replace_pattern": "fx_b"},
        {"tag": "late", "delay": "10m"},
        mirror={"max_concurrency": 1},
    )
    async with Router.open(source) as router:
        for table in ("fx_a", "fx_b"):
            await router.execute(f"DROP TABLE IF EXISTS {table}")
            await router.execute(f"CREATE TABLE {table}(id int, v {'text[]' if speak.postgresql else 'varchar(40)'})")
        params: dict[str, Any] = {"id": 0, "v": ["old"] if speak.postgresql else "old"}
        for number in range(20):
            params["id"] = number
            await router.execute("INSERT INTO fx_a VALUES (:id, :v)", params)
        params["id"] = 99
        if speak.postgresql:
            params["v"][0] = "new"
        for late in (
            router.execute("INSERT INTO fx_a VALUES (21, NULL)", tag="late", timeout=0.01),
            asyncio.wait_for(router.execute("INSERT INTO fx_a VALUES (22, NULL)", tag="late"), 0.01),
        ):
            with pytest.raises(TimeoutError):
                await late
        await until(lambda: router.stats().mirror.running == 0)

        copied = await router.fetch("SELECT id, v FROM fx_b ORDER BY id", route="write")
        assert [tuple(row) for row in copied] == [(number, ["old"] if speak.postgresql else "old") for number in range(20)]


# ---- who calls


async def test_reads_follow_the_writes_of_their_context(cluster: LocalCluster) -> None:
    """gtid_from_hostgroup: once a context has written there, its reads go there; other contexts' do not."""
    source = rules(cluster, {"intent": "read", "gtid_from_hostgroup": "write"})
    async with Router.open(source) as router:
        await prepare(router, cluster)

        async def goes() -> str:
            return (await router.execute("SELECT v FROM fx")).route.hostgroup

        with dbrouter.context(username="ada"):
            assert await goes() == "read"
            await router.execute("UPDATE fx SET v = 'x' WHERE id = 1")
            assert await goes() == "write"
            with dbrouter.context(tag="inner"):
                assert await goes() == "write"
            assert await asyncio.create_task(goes()) == "write"
        assert await goes() == "read"
        with dbrouter.context(username="ada"):
            assert await goes() == "read"


async def test_streams_follow_the_writes_of_their_context(cluster: LocalCluster) -> None:
    """As single reads do; it is the moment of entering a stream that counts."""
    source = rules(cluster, {"intent": "read", "gtid_from_hostgroup": "write"})
    async with Router.open(source) as router:
        await prepare(router, cluster)

        async def goes(stream: Any) -> str:
            async with stream as rows:
                assert [row async for row in rows]
                return str(rows._pinned.place[1])

        with dbrouter.context(username="ada"):
            assert await goes(router.stream("SELECT v FROM fx")) == "read"
            made_before = router.stream("SELECT v FROM fx")
            await router.execute("UPDATE fx SET v = 'x' WHERE id = 1")
            assert await goes(made_before) == "write"
            assert await goes(router.stream("SELECT v FROM fx")) == "write"
        assert await goes(router.stream("SELECT v FROM fx")) == "read"


async def test_what_is_done_through_raw_counts_as_written(cluster: LocalCluster) -> None:
    """Nobody sees what happens on the driver's own connection: its context's reads follow, and stored results do not answer."""
    source = rules(cluster, {"intent": "read", "gtid_from_hostgroup": "write", "cache_ttl": "1m"})

    async def touch(connection: Any) -> None:
        if cluster.engine == "postgresql":
            await connection.raw.execute("UPDATE fx SET v = 'raw' WHERE id = 1")
        else:
            async with connection.raw.cursor() as cursor:
                await cursor.execute("UPDATE fx SET v = 'raw' WHERE id = 1")

    async def set_up(connection: Any) -> None:
        assert connection.raw is not None

    async with Router.open(source, on_connect=set_up) as router:
        await prepare(router, cluster)

        async def goes() -> tuple[str, bool]:
            route = (await router.execute("SELECT v FROM fx WHERE id = 1")).route
            return route.hostgroup, route.node == "cache"

        await goes()
        with dbrouter.context():
            assert await goes() == ("read", True)
            async with router.connection(readonly=True) as connection:
                assert connection.raw is not None
            async with router.connection() as connection:
                await connection.fetch("SELECT v FROM fx")
            assert await goes() == ("read", True), "it can have written nothing"
            async with router.connection() as connection:
                await touch(connection)
                assert await goes() == ("write", False)
            assert await goes() == ("write", False)
            assert await router.fetchval("SELECT v FROM fx WHERE id = 1") == "raw"
        assert await goes() == ("read", True), "another context's"


async def test_flags_of_a_context_last_from_call_to_call(cluster: LocalCluster) -> None:
    """next_query_flagIN holds for every later call of the context until a rule sets another, and for nobody else."""
    source = rules(
        cluster,
        {"match_pattern": "begin_report", "next_query_flagIN": 5, "OK_msg": "on"},
        {"flagIN": 5, "match_pattern": "end_report", "next_query_flagIN": 0, "OK_msg": "off"},
        {"flagIN": 5, "intent": "read", "destination_hostgroup": "write"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)

        async def goes() -> str:
            return (await router.execute("SELECT v FROM fx")).route.hostgroup

        with dbrouter.context():
            assert await goes() == "read"
            assert str(await router.execute("SELECT begin_report")) == "on"
            assert [await goes(), await goes()] == ["write", "write"]
            assert str(await router.execute("SELECT end_report")) == "off"
            assert await goes() == "read"
        await router.execute("SELECT begin_report")
        assert await goes() == "read", "without a context nothing is remembered"


async def test_rules_see_who_calls(cluster: LocalCluster) -> None:
    """username, client_addr and tag of the context; the login's user and the database's name without one."""
    source = rules(
        cluster,
        {"username": "ada", "client_addr": "10.1.%", "destination_hostgroup": "write", "apply": True},
        {"tag": "report", "destination_hostgroup": "write", "apply": True},
        {"username": "nobody", "error_msg": "never"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)

        async def goes(**wish: Any) -> str:
            return (await router.execute("SELECT v FROM fx", **wish)).route.hostgroup

        assert await goes() == "read" and await goes(tag="report") == "write"
        with dbrouter.context(username="ada", client_addr="10.1.2.3"):
            assert await goes() == "write"
            with dbrouter.context(client_addr="10.2.2.3"):
                assert await goes() == "read"
        with dbrouter.context(tag="report"):
            assert await goes() == "write" and await goes(tag="other") == "read"
        with pytest.raises(dbrouter.ParameterError, match="username"), dbrouter.context(username=5):  # type: ignore[arg-type]
            pass


async def test_weighted_flags_share_the_calls(cluster: LocalCluster) -> None:
    """About as often as their weights say, and a known text is not evaluated again."""
    source = rules(
        cluster,
        {"match_digest": "FROM fx", "attributes": {"flagOUTs": [{"id": 1, "weight": 3}, {"id": 2, "weight": 1}]}},
        {"flagIN": 1, "intent": "read", "destination_hostgroup": "read"},
        {"flagIN": 2, "destination_hostgroup": "write"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        went = [(await router.execute("SELECT v FROM fx")).route.hostgroup for _ in range(400)]

        assert 50 < went.count("write") < 160
        assert went.count("read") + went.count("write") == 400
        assert router.stats().databases[0].plans < 20


# ---- the rest


async def test_delay_counts_within_the_time_limit(cluster: LocalCluster) -> None:
    """A statement waits before it is sent; a limit that ends within the delay sends nothing; pinned ones wait too."""
    source = rules(cluster, {"match_digest": "^(SELECT|INSERT)", "tag": "slow", "delay": "50ms"})
    async with Router.open(source) as router:
        await prepare(router, cluster)
        started = monotonic()
        await router.fetch("SELECT v FROM fx", tag="slow")
        async with router.transaction() as tx:
            await tx.fetch("SELECT v FROM fx", tag="slow")
        assert monotonic() - started >= 0.1
        with pytest.raises(DeadlineExceededError, match="delay"):
            await router.execute("INSERT INTO fx VALUES (7, 'seven')", tag="slow", timeout=0.02)
        assert await router.fetchval("SELECT count(*) FROM fx WHERE id = 7", route="write") == 0


async def test_multiplex_says_what_becomes_of_the_connection(cluster: LocalCluster) -> None:
    """0: closed and replaced. 2: a statement with user variables is a pooled call, and its connection is handed on."""
    source = rules(
        cluster,
        {"tag": "once", "multiplex": 0},
        {"tag": "harmless", "multiplex": 2},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        identity = "SELECT pg_backend_pid()" if dialect(cluster).postgresql else "SELECT connection_id()"
        kept = {await router.fetchval(identity, route="write") for _ in range(3)}
        gone = {await router.fetchval(identity, route="write", tag="once") for _ in range(3)}
        assert len(kept) == 1 and len(gone) == 3
        if not dialect(cluster).postgresql:
            with pytest.raises(SessionStatementError):
                await router.fetch("SELECT @x := 1")
            before = await router.fetchval(identity, route="write")
            assert await router.fetchval("SELECT @x := 5", tag="harmless") == 5
            assert await router.fetchval(identity, route="write") == before


async def test_logged_calls_are_told_of_without_their_values(cluster: LocalCluster) -> None:
    """query.logged for every call of the rule, pooled or pinned, well or not."""
    listener = Listener()
    source = rules(cluster, {"match_digest": "FROM (fx|nothing_there)", "log": True})
    async with Router.open(source, observers=[listener]) as router:
        await prepare(router, cluster)
        await router.fetch("SELECT v FROM fx WHERE v <> 'secret'")
        async with router.transaction() as tx:
            await tx.fetch("SELECT v FROM fx")
        with pytest.raises(Exception, match="nothing_there"):
            await router.fetch("SELECT * FROM nothing_there")

        async with router.stream("SELECT v FROM fx") as rows:
            assert [row async for row in rows]

        logged = listener.of(QueryLogged)
        assert [event.outcome == "ok" for event in logged] == [True, True, False, True]
        assert [event.rules for event in logged] == [(1,)] * 4
        assert logged[2].node is None and logged[3].node in [replica.endpoint for replica in cluster.replicas]
        assert logged[0].node in [replica.endpoint for replica in cluster.replicas] and logged[1].node == cluster.primary.endpoint
        assert logged[0].digest_text == "SELECT v FROM fx WHERE v <> ?" and all(event.took > 0 for event in logged)


async def test_calls_that_no_server_answers_are_logged_too(cluster: LocalCluster) -> None:
    """An answer from the cache or by a rule, and a refusal, are calls like others to whoever reads the log."""
    listener = Listener()
    source = rules(
        cluster,
        {"match_digest": "AS kept", "cache_ttl": "10m"},
        {"match_digest": "AS fine", "OK_msg": "fine"},
        {"match_digest": "AS bad", "error_msg": "no"},
        {"match_digest": "AS", "log": True},
    )
    async with Router.open(source, observers=[listener]) as router:
        for name in ("kept", "kept", "fine"):
            await router.execute(f"SELECT 1 AS {name}")
        with pytest.raises(StatementRejectedError):
            await router.execute("SELECT 1 AS bad")

    told = [(event.digest_text, event.node, event.outcome) for event in listener.of(QueryLogged)]
    replica = told[0][1]
    assert replica in {server.endpoint for server in cluster.replicas}
    assert told == [
        ("SELECT ? AS kept", replica, "ok"),
        ("SELECT ? AS kept", "cache", "ok"),
        ("SELECT ? AS fine", "rule", "ok"),
        ("SELECT ? AS bad", None, "StatementRejectedError"),
    ]


async def test_comments_rule_only_where_they_may(cluster: LocalCluster) -> None:
    """comment_hints: a hostgroup of this database; one that does not exist is left alone; a write stays on the primary."""
    source = rules(cluster)
    async with Router.open({**source, "comment_hints": True}) as router:
        await prepare(router, cluster)

        async def goes(text: str) -> str:
            return (await router.execute(text)).route.hostgroup

        assert await goes("SELECT /* hostgroup=10 */ v FROM fx") == "write"
        assert await goes("SELECT /* hostgroup=99 */ v FROM fx") == "read"
        assert await goes("/* hostgroup=20 */ UPDATE fx SET v = 'y' WHERE id = 1") == "write"
    async with Router.open(source) as router:
        assert (await router.execute("SELECT /* hostgroup=10 */ v FROM fx")).route.hostgroup == "read"


async def test_what_is_equal_to_python_is_not_the_same_to_the_cache(cluster: LocalCluster) -> None:
    """Parameters are told apart by spelling; results with anything but plain values are not kept; executemany hears OK_msg."""
    speak = dialect(cluster)
    source = rules(
        cluster,
        {"match_digest": "^SELECT", "cache_ttl": "1h"},
        {"match_digest": "^INSERT INTO fx ", "tag": "swallowed", "OK_msg": "no"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        text = speak.sql("SELECT CAST({1} AS " + ("text)" if speak.postgresql else "char)"))
        values = [Decimal("1.0"), Decimal("1.00")] if not speak.postgresql else ["1.0", "1.00"]
        assert [await router.fetchval(text, value) for value in values] == ["1.0", "1.00"]
        if speak.postgresql:
            for _ in range(2):
                rows = await router.fetch("SELECT ARRAY[1, 2] AS x, id FROM fx")
                rows[0]["x"].append(3)
                assert rows[0]["x"] == [1, 2, 3]
            assert router.stats().cache.refused == 2
        result = await router.executemany(speak.sql("INSERT INTO fx VALUES ({1}, 'x')"), [(50,), (51,)], tag="swallowed")
        assert str(result) == "no"
        assert await router.fetchval("SELECT count(*) FROM fx WHERE id >= 50 AND 1 = 1", route="write") == 0


async def test_a_delay_ends_with_the_block_it_is_in(cluster: LocalCluster) -> None:
    """batch and run hold their connection no longer than they were given."""
    source = rules(cluster, {"match_digest": "^INSERT", "delay": "2s"})
    async with Router.open(source) as router:
        started = monotonic()
        with pytest.raises(DeadlineExceededError):
            await router.batch(["INSERT INTO fx VALUES (60, 'x')"], timeout=0.3)
        assert monotonic() - started < 1.5
