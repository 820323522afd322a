"""Safety 1–8 of the interface: what the user gets without asking, on real servers of both engines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from pymysql.err import IntegrityError

from dbrouter import (
    ConfigError,
    DBRouterError,
    OutcomeUnknownError,
    Router,
    SessionStatementError,
    StatementRejectedError,
    Transaction,
    TransactionAbortedError,
)
from dbrouter.events import ConnectionClosed, RuleVetoed, StatementRerouted
from dbrouter.terms import Engine
from dbrouter.testing import FaultProxy, LocalCluster
from tests.load import kill_clients, raised_by
from tests.routers import Listener, configuration, dialect, routed, until, whole

TABLE = ("DROP TABLE IF EXISTS item", "CREATE TABLE item(id int PRIMARY KEY, name varchar(40))")


async def functions(cluster: LocalCluster) -> None:
    """``writes_item(n)`` inserts a row although its name says nothing; ``reads_item()`` only looks; made by root."""
    async with Router.open({"writer": cluster.primary.dsn(user=cluster.primary.admin)}) as router:
        await make_functions(router, cluster)
    await asyncio.to_thread(cluster.wait_caught_up)


async def make_functions(router: Router, cluster: LocalCluster) -> None:
    """See `functions`."""
    for name in ("writes_item", "reads_item"):
        await router.execute(f"DROP FUNCTION IF EXISTS {name}")
    if dialect(cluster).postgresql:
        await router.execute(
            "CREATE FUNCTION writes_item(n int) RETURNS int LANGUAGE sql VOLATILE AS"
            " 'INSERT INTO item VALUES (n, ''by function'') RETURNING id'"
        )
        await router.execute("CREATE FUNCTION reads_item() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM item'")
    else:
        await router.execute(
            "CREATE FUNCTION writes_item(n int) RETURNS int DETERMINISTIC MODIFIES SQL DATA"
            " BEGIN INSERT INTO item VALUES (n, 'by function'); RETURN n; END"
        )
        await router.execute("CREATE FUNCTION reads_item() RETURNS int READS SQL DATA RETURN (SELECT count(*) FROM item)")


# ---- 1: what is a read


async def test_1_only_provable_reads_reach_a_replica(cluster: LocalCluster) -> None:
    """Locking reads, sequences, several spellings: the primary; plain reads in any dress: a replica."""
    replicas = [replica.endpoint for replica in cluster.replicas]
    async with routed(cluster, *TABLE) as router:
        for text in ("SELECT 1", "/* app */ select 1", "(SELECT 1) UNION (SELECT 2)", "WITH x AS (SELECT 1) SELECT * FROM x"):
            assert (await router.execute(text)).route.node in replicas, text
        for text in (
            "SELECT * FROM item FOR UPDATE",
            "select * from item\nfor update -- why",
            "INSERT INTO item VALUES (1, 'x')",
        ):
            assert (await router.execute(text)).route.node == cluster.primary.endpoint, text


async def test_1_ambiguous_text_goes_to_the_primary(cluster: LocalCluster) -> None:
    """A backslash before a quote reads differently under other settings of the server, so it is no provable read."""
    async with routed(cluster) as router:
        assert router.explain(r"SELECT 'it\' OR name = '").intent == "write"


# ---- 2: reader sessions are read-only


async def test_2_a_writable_replica_is_protected(cluster: LocalCluster) -> None:
    """Even where the "reader" is the primary itself, an unsafe rule's write is refused by the session."""
    rules = [{"rule_id": 1, "match_digest": "^INSERT INTO item", "destination_hostgroup": 20, "apply": True}]
    source = whole(cluster, rules=rules)
    source["hostgroups"][1]["servers"] = [cluster.primary.endpoint]
    async with Router.open(source) as router:
        for statement in TABLE:
            await router.execute(statement)
        read_only = "SHOW transaction_read_only" if dialect(cluster).postgresql else "SELECT @@session.tx_read_only"
        answers = {str(await router.fetchval(read_only, route="read")) for _ in range(3)}
        health = router.health()

        assert answers <= {"on", "1"}
        assert len(health.nodes) == 1 and set(health.nodes[0].hostgroups) == {"write", "read"}, "one node, two pools"


async def test_2_unsafe_rules_need_a_writable_hostgroup(cluster: LocalCluster) -> None:
    """unsafe: true without read_only: false is a configuration error; with both, the server's answer stands."""
    rules = [{"rule_id": 1, "match_digest": "^INSERT INTO item", "destination_hostgroup": 20, "unsafe": True, "apply": True}]
    source = whole(cluster, rules=rules)
    with pytest.raises(ConfigError, match="read_only"):
        await Router.open(source)
    source["hostgroups"][1]["read_only"] = False
    async with Router.open(source) as router:
        for statement in TABLE:
            await router.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)
        with pytest.raises(Exception, match=r"(?i)read.only") as caught:
            await router.execute("INSERT INTO item VALUES (1, 'x')")

    assert "read" in caught.value.__notes__[0]


# ---- 3: a refusal moves once


async def test_3_a_refused_function_moves_to_the_primary_and_is_remembered(cluster: LocalCluster) -> None:
    """The first call is refused by the replica and runs once on the primary; from then on its digest is a write."""
    listener = Listener()
    async with routed(cluster, *TABLE) as router:
        router.observe(listener)
        await functions(cluster)
        assert router.explain("SELECT writes_item(1)").intent == "read"

        first = await router.execute("SELECT writes_item(1)")
        second = await router.execute("SELECT writes_item(2)")

        assert first.route.node == second.route.node == cluster.primary.endpoint
        assert await router.fetchval("SELECT count(*) FROM item", route="write") == 2
        assert router.explain("SELECT writes_item(3)").intent == "write"
        assert len(listener.of(StatementRerouted)) == 1
        assert "refused" in [event.why for event in listener.of(ConnectionClosed)], "the connection that refused is closed"
        assert router.stats().databases[0].learned_writes == 1


async def test_3_not_where_the_caller_asked_for_a_read(cluster: LocalCluster) -> None:
    """With route="read" the refusal is the answer."""
    async with routed(cluster, *TABLE) as router:
        await functions(cluster)
        with pytest.raises(Exception, match=r"(?i)read.only"):
            await router.execute("SELECT writes_item(1)", route="read")

        assert await router.fetchval("SELECT count(*) FROM item", route="write") == 0


async def test_3_never_for_call(cluster: LocalCluster) -> None:
    """A procedure's first half may have stayed: CALL is a write from the start and is never moved."""
    async with routed(cluster) as router:
        explanation = router.explain("CALL something(1)")

        assert explanation.intent == "write" and explanation.hostgroup_name.endswith("write")


# ---- 4: what may have been applied is not sent again


async def test_4_a_write_whose_answer_is_lost_is_not_repeated(cluster: LocalCluster) -> None:
    """The reply is cut: OutcomeUnknownError, one row; with idempotent=True it is sent again."""
    insert = dialect(cluster).sql("INSERT INTO item VALUES ({1}, {2})")
    tolerant = insert + (" ON CONFLICT DO NOTHING" if dialect(cluster).postgresql else " ON DUPLICATE KEY UPDATE name = name")
    async with FaultProxy(cluster.primary.host, cluster.primary.port) as proxy:
        dsn = cluster.primary.dsn().replace(f":{cluster.primary.port}/", f":{proxy.port}/")
        async with Router.open({"writer": dsn, "pool": {"min_size": 2}}) as router:
            for statement in TABLE:
                await router.execute(statement)
            for number in range(100, 104):
                await router.execute(insert, number, "so that one packet carries the statement")
            proxy.drop_replies()
            pending = asyncio.create_task(router.execute(insert, 1, "x"))
            await until_row(cluster, 1)
            proxy.reset()
            proxy.heal()
            with pytest.raises(OutcomeUnknownError) as caught:
                await pending
            for number in range(104, 108):
                await router.execute(tolerant, number, "as above, on the new connection")
            proxy.drop_replies()
            pending = asyncio.create_task(router.execute(tolerant, 2, "x", idempotent=True))
            await until_row(cluster, 2)
            proxy.reset()
            proxy.heal()
            await pending

            assert caught.value.attempts == 1
            assert await router.fetchval("SELECT count(*) FROM item WHERE id < 100") == 2


async def until_row(cluster: LocalCluster, number: int) -> None:
    """Wait until the primary itself has the row."""
    async with Router.open({"writer": cluster.primary.dsn()}) as direct:
        for _ in range(500):
            if await direct.fetchval(f"SELECT count(*) FROM item WHERE id = {number}"):
                return
            await asyncio.sleep(0.01)
    raise AssertionError(f"row {number} never came")


# ---- 5: no rule sends a write to a reader


async def test_5_the_veto_stands_over_rules_and_callers(cluster: LocalCluster) -> None:
    """A careless ProxySQL rule, hostgroup= and route="read" cannot send a write to a replica; explain and the log say so."""
    listener = Listener()
    rules = [{"rule_id": 7, "match_digest": "^SELECT", "destination_hostgroup": 20, "apply": True}]
    async with Router.open(whole(cluster, rules=rules), observers=[listener]) as router:
        for statement in TABLE:
            await router.execute(statement)
        locked = await router.execute("SELECT * FROM item FOR UPDATE")
        asked = await router.execute("DELETE FROM item", hostgroup="read")
        routed_read = await router.execute("UPDATE item SET name = 'x'", route="read")
        explanation = router.explain("SELECT * FROM item FOR UPDATE")

    assert {locked.route.node, asked.route.node, routed_read.route.node} == {cluster.primary.endpoint}
    assert explanation.vetoed is not None and explanation.rule_id == 7 and explanation.hostgroup_name == "write"
    vetoes = listener.of(RuleVetoed)
    assert [event.rule_id for event in vetoes] == [7, None, None] and vetoes[0].hostgroup == "read"


# ---- 6: session state is refused on pooled calls


async def test_6_session_state_is_refused_with_the_way_out(cluster: LocalCluster) -> None:
    """SET, temporary tables, locks, LAST_INSERT_ID(): the message names connection() or .lastrowid."""
    if dialect(cluster).postgresql:
        refused = [
            "SET work_mem = '8MB'",
            "CREATE TEMP TABLE x(id int)",
            "SELECT pg_advisory_lock(1)",
            "LISTEN x",
            "PREPARE p AS SELECT 1",
        ]
        allowed = ["SET LOCAL work_mem = '8MB'", "SELECT pg_advisory_xact_lock(1)"]
    else:
        refused = [
            "SET @a = 1",
            "CREATE TEMPORARY TABLE x(id int)",
            "SELECT GET_LOCK('a', 1)",
            "LOCK TABLES item READ",
            "USE app",
        ]
        allowed = ["INSERT INTO item VALUES (1, 'x')"]
    async with routed(cluster, *TABLE) as router:
        for text in refused:
            with pytest.raises(SessionStatementError, match=r"connection\(\)"):
                await router.execute(text)
        for text in allowed:
            await router.execute(text)
        if not dialect(cluster).postgresql:
            with pytest.raises(SessionStatementError, match=r"\.lastrowid"):
                await router.execute("SELECT LAST_INSERT_ID()")


async def test_6_allowed_session_statements_close_their_connection(cluster: LocalCluster) -> None:
    """session_statements: allow runs them on the primary and does not hand the connection on; BEGIN stays refused."""
    text = "SET application_name = 'mine'" if dialect(cluster).postgresql else "SET @mine = 1"
    ask = "SELECT current_setting('application_name')" if dialect(cluster).postgresql else "SELECT @mine"
    async with routed(cluster, session_statements="allow", pool={"max_size": 1}) as router:
        await router.execute(text)
        assert str(await router.fetchval(ask, route="write")) not in ("mine", "1")
        with pytest.raises(SessionStatementError):
            await router.execute("BEGIN")


# ---- 7: dirty connections are not handed on


async def test_7_an_open_transaction_is_not_handed_on(cluster: LocalCluster) -> None:
    """A BEGIN by hand on connection() that nobody ended: the connection is closed and the work is gone."""
    async with routed(cluster, *TABLE, pool={"max_size": 1}) as router:
        async with router.connection() as conn:
            await conn.execute("BEGIN")
            await conn.execute("INSERT INTO item VALUES (1, 'x')")

        assert await router.fetchval("SELECT count(*) FROM item", route="write") == 0


async def test_7_an_unknown_function_leaves_nothing_to_the_next_caller(pg: LocalCluster) -> None:
    """A function that sets something on the session: the next statement on that connection does not see it."""
    async with routed(pg, "DROP FUNCTION IF EXISTS sneaky()", pool={"max_size": 1}) as router:
        await router.execute(
            "CREATE FUNCTION sneaky() RETURNS text LANGUAGE sql VOLATILE AS"
            " $$ SELECT set_config('application_name', 'sneaky', false) || pg_backend_pid() $$"
        )
        await asyncio.to_thread(pg.wait_caught_up)
        await router.fetchval("SELECT sneaky()", route="write")

        assert await router.fetchval("SELECT current_setting('application_name')", route="write") != "sneaky"
        await router.fetchval("SELECT sneaky()")
        for _ in range(4):
            assert await router.fetchval("SELECT current_setting('application_name')") != "sneaky"


async def test_7_what_on_connect_set_survives_unknown_functions(pg: LocalCluster) -> None:
    """A reset would undo the hook's work, so with a hook the connection is replaced and the hook runs on the new one."""

    async def prepare(conn: Any) -> None:
        await conn.execute("SET application_name = 'prepared'")

    async with routed(pg, "DROP FUNCTION IF EXISTS wild()") as router:
        await router.execute("CREATE FUNCTION wild() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
        await asyncio.to_thread(pg.wait_caught_up)
    async with Router.open(configuration(pg, pool={"max_size": 1}), on_connect=prepare) as router:
        for _ in range(3):
            assert await router.fetchval("SELECT wild()", route="write") == 1
            assert await router.fetchval("SELECT current_setting('application_name')", route="write") == "prepared"


async def test_7_a_function_the_catalog_calls_stable_needs_no_reset(pg: LocalCluster) -> None:
    """After its first call the catalog is asked; a stable function leaves the connection idle at once from then on."""
    async with routed(pg, "DROP FUNCTION IF EXISTS calm()", "DROP FUNCTION IF EXISTS wild()") as router:
        await router.execute("CREATE FUNCTION calm() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'")
        await router.execute("CREATE FUNCTION wild() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
        await asyncio.to_thread(pg.wait_caught_up)
        planner = router._planner
        for text in ("SELECT calm()", "SELECT wild()"):
            assert planner.plan(text).reset
            await router.fetchval(text)
        await until(lambda: not planner.plan("SELECT calm()").reset, what="the catalog's answer")

        assert planner.plan("SELECT wild()").reset
        await router.fetchval("SELECT calm()")
        assert all(member.pool.settling == 0 for member in router.stats().members)


# ---- 8: after a rollback by the server


async def test_8_a_deadlock_victim_refuses_everything_but_leaving(cluster: LocalCluster) -> None:
    """After a deadlock the server has rolled back: going on would write outside any transaction, so tx refuses."""
    update = dialect(cluster).sql("UPDATE item SET name = 'y' WHERE id = {1}")
    async with routed(cluster, *TABLE, "INSERT INTO item VALUES (1, 'x'), (2, 'x')") as router:
        ready = [asyncio.Event(), asyncio.Event()]

        async def one(mine: int, other: int) -> str:
            try:
                async with router.transaction() as tx:
                    await tx.execute(update, mine)
                    ready[mine - 1].set()
                    await ready[other - 1].wait()
                    try:
                        await tx.execute(update, other, timeout=20)
                    except Exception:
                        with pytest.raises(TransactionAbortedError):
                            await tx.execute("INSERT INTO item VALUES (3, 'outside')")
                        raise
            except Exception as error:
                return type(error).__name__
            return "committed"

        ended = await asyncio.gather(one(1, 2), one(2, 1))

        assert sorted(ended)[-1] == "committed" and len(set(ended)) == 2, ended
        assert await router.fetchval("SELECT count(*) FROM item WHERE id = 3", route="write") == 0


async def test_8_ddl_is_refused_where_it_would_commit(cluster: LocalCluster) -> None:
    """MySQL DDL commits implicitly: refused in run and batch; PostgreSQL's is transactional and allowed."""

    async def work(tx: Any) -> None:
        await tx.execute("CREATE TABLE made_in_run(id int)")

    async with routed(cluster, "DROP TABLE IF EXISTS made_in_run") as router:
        if dialect(cluster).postgresql:
            await router.run(work)
        else:
            with pytest.raises(StatementRejectedError, match="commits implicitly"):
                await router.run(work)
            with pytest.raises(StatementRejectedError, match="commits implicitly"):
                await router.batch(["CREATE TABLE made_in_run(id int)"])
        await router.execute("DROP TABLE IF EXISTS made_in_run")


KEPT = ("DROP TABLE IF EXISTS kept", "CREATE TABLE kept(note varchar(20) NOT NULL, run int NOT NULL)")
ROUTINES = (
    *KEPT,
    "DROP PROCEDURE IF EXISTS commits",
    "CREATE PROCEDURE commits(run INT) BEGIN INSERT INTO kept VALUES ('routine', run); COMMIT; END",
    "DROP PROCEDURE IF EXISTS commits_and_fails",
    "CREATE PROCEDURE commits_and_fails(run INT) BEGIN INSERT INTO kept VALUES ('routine', run); COMMIT;"
    " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'; END",
    "DROP PROCEDURE IF EXISTS commits_nothing",
    "CREATE PROCEDURE commits_nothing(run INT) BEGIN INSERT INTO kept VALUES ('routine', run); END",
)


@pytest.mark.parametrize("prefix", ["", "SET STATEMENT max_statement_time = 60 FOR "])
@pytest.mark.parametrize(
    ("routine", "runs"), [("commits", [1]), ("commits_and_fails", [1]), ("commits_nothing", [2])], ids=lambda value: str(value)
)
async def test_8_what_a_routine_committed_is_not_repeated(
    mariadb: LocalCluster, routine: str, runs: list[int], prefix: str
) -> None:
    """A routine commits inside `run`, and the connection breaks later: run again only where it committed nothing."""
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(f"{prefix}CALL {routine}(%s)", attempts)
        if attempts == 1:
            await asyncio.to_thread(kill_clients, mariadb.primary)
        await tx.execute("INSERT INTO kept VALUES ('plain', %s)", attempts)

    async with routed(mariadb, *ROUTINES) as router:
        await raised_by(router.run(work))
        kept = await router.fetch("SELECT run FROM kept WHERE note = 'routine'", route="write")
        assert [row[0] for row in kept] == runs


FAILING = {
    Engine.POSTGRESQL: (
        "CREATE OR REPLACE PROCEDURE fails_late(run int) LANGUAGE plpgsql AS $$BEGIN"
        " INSERT INTO kept VALUES ('routine', run); COMMIT; RAISE EXCEPTION 'late' USING ERRCODE = 'deadlock_detected'; END$$",
    ),
    Engine.MYSQL: (
        "DROP PROCEDURE IF EXISTS fails_late",
        "CREATE PROCEDURE fails_late(run INT) BEGIN INSERT INTO kept VALUES ('routine', run);"
        " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END",
    ),
}
"""A routine that commits its first part and then meets what, for a plain statement, would be tried again."""


@pytest.mark.parametrize("idempotent", [False, True])
async def test_4_what_a_routine_committed_before_it_failed_is_not_sent_again(cluster: LocalCluster, idempotent: bool) -> None:
    """A deadlock inside CALL, or DO, after it committed: the server's error, and once there, unless the caller allows more."""
    texts = ["CALL fails_late(1)"]
    if cluster.engine is Engine.POSTGRESQL:
        texts.append(
            "DO $$BEGIN INSERT INTO kept VALUES ('routine', 2); COMMIT;"
            " RAISE EXCEPTION 'late' USING ERRCODE = 'serialization_failure'; END$$"
        )
    async with routed(cluster, *KEPT, *FAILING[cluster.engine]) as router:
        for text in texts:
            error = await raised_by(router.execute(text, idempotent=idempotent))
            assert not isinstance(error, DBRouterError)
        kept = [row[0] for row in await router.fetch("SELECT count(*) FROM kept GROUP BY run", route="write")]
        assert kept == [3 if idempotent else 1] * len(texts)


async def test_4_a_routine_that_was_never_sent_is_sent(cluster: LocalCluster) -> None:
    """An idle connection that is gone costs a CALL nothing."""
    async with routed(cluster, *KEPT, *FAILING[cluster.engine]) as router:
        pool = next(member for member in router._parts.contexts[0].writer.members).pool
        await asyncio.to_thread(kill_clients, cluster.primary)
        await until(lambda: not any(lease.connection.check() for lease in pool._state.seats))
        error = await raised_by(router.execute("CALL fails_late(1)"))
        assert not isinstance(error, DBRouterError)
        assert await router.fetchval("SELECT count(*) FROM kept", route="write") == 1


@pytest.mark.parametrize("ends", ["CREATE TABLE made_inside(id int)", "CREATE TABLE kept(id int)", "CALL commits(1)"])
async def test_8_nothing_is_called_rolled_back_that_was_committed(mariadb: LocalCluster, ends: str) -> None:
    """
    DDL (also where it is refused) and routines end a transaction of MySQL; writes after that are outside of it, and their lost
    answers are unknown outcomes, and what leaves the block says that not all of it is undone.
    """
    async with routed(mariadb, *ROUTINES, "DROP TABLE IF EXISTS made_inside") as router:

        async def block(last: str, timeout: float | None) -> None:
            async with router.transaction() as tx:
                await tx.execute("INSERT INTO kept VALUES ('before', 0)")
                await raised_by(tx.execute(ends))
                await tx.execute(last, timeout=timeout)

        with pytest.raises(OutcomeUnknownError):
            await block("INSERT INTO kept SELECT 'after', SLEEP(5)", 0.2)
        with pytest.raises(IntegrityError) as caught:
            await block("INSERT INTO kept VALUES (NULL, 0)", None)
        assert any("committed" in note for note in caught.value.__notes__)
        assert await router.fetchval("SELECT count(*) FROM kept WHERE note = 'before'", route="write") == 2


async def test_a_yaml_file_is_read(cluster: LocalCluster, tmp_path: Path) -> None:
    """The smallest file works as a file, with a variable for the password."""
    file = tmp_path / "dbrouter.yaml"
    source = configuration(cluster)
    file.write_text(f"writer: {source['writer']}\nreaders: [{', '.join(source['readers'])}]\n", encoding="utf-8")
    async with Router.open(file) as router:
        assert await router.fetchval("SELECT 1") == 1
        await until(lambda: router.health().ready("all"), what="every node")


async def test_a_value_that_cannot_be_read_blames_no_node(pg: LocalCluster) -> None:
    """The statement ran; nobody's breaker hears of it, and a write is not of unknown outcome."""
    async with Router.open(whole(pg, start="all")) as router:
        for _ in range(12):
            with pytest.raises(Exception, match="decoder"):
                await router.fetch("SELECT ROW(1, ARRAY[1, 2])")

        assert all(node.breaker.state == "CLOSED" for node in router.health().nodes)
        assert await router.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("condition", ["connection_failure", "sqlclient_unable_to_establish_sqlconnection", "admin_shutdown"])
async def test_another_servers_failure_blames_no_node(pg: LocalCluster, condition: str) -> None:
    """What a foreign table or dblink says of its server is an answer: raised at once, every time, and no breaker opens."""
    text = f"DO $$BEGIN RAISE EXCEPTION 'could not connect to server \"other\"' USING ERRCODE = '{condition}'; END$$"
    async with routed(pg) as router:
        for _ in range(8):
            error = await raised_by(router.execute(text))
            assert error is not None and "attempt 1" in error.__notes__[0] and not isinstance(error, DBRouterError)
        assert not any(node.breaker.snapshot(monotonic()).failed_calls for node in router._parts.contexts[0].nodes)


async def test_an_extension_that_refuses_a_value_blames_no_node(pg: LocalCluster) -> None:
    """
    Extensions raise XX000 for what a user typed (PostGIS of geometries it cannot read): no replica is given up for that.

    In blocks too it is the server's own error, and `run` does not repeat it.
    """
    make = (
        "CREATE OR REPLACE FUNCTION parse_shape(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'parse error - invalid geometry' USING ERRCODE = 'internal_error'; END$$"
    )
    async with routed(pg, make) as router:
        for _ in range(12):
            error = await raised_by(router.fetch("SELECT parse_shape($1)", "POINT(", route="read"))
            assert isinstance(error, asyncpg.InternalServerError)
        runs = 0

        async def work(tx: Transaction) -> None:
            nonlocal runs
            runs += 1
            await tx.fetch("SELECT parse_shape($1)", "POINT(")

        with pytest.raises(asyncpg.InternalServerError):
            await router.run(work)
        assert runs == 1
        async with router.connection() as conn:
            with pytest.raises(asyncpg.InternalServerError):
                await conn.fetch("SELECT parse_shape($1)", "POINT(")
        assert not any(node.breaker.snapshot(monotonic()).failed_calls for node in router._parts.contexts[0].nodes)


async def test_a_type_without_a_codec_blames_no_node_and_tells_what_became_of_a_write(pg: LocalCluster) -> None:
    """No encoder, no decoder: never run. No decoder inside a ROW: run once, also where it is declared idempotent."""
    statistics = "(SELECT most_common_vals FROM pg_stats LIMIT 1)"
    async with routed(pg, "DROP TABLE IF EXISTS done", "CREATE TABLE done (n int)") as router:
        for idempotent in (False, True) * 3:
            for text, params in (
                ("SELECT $1::gtsvector IS NULL", ("'a'",)),
                (f"SELECT {statistics}", ()),
                ("INSERT INTO done SELECT 1 WHERE $1::gtsvector IS NULL", ("'a'",)),
                (f"INSERT INTO done VALUES (1) RETURNING {statistics}", ()),
            ):
                with pytest.raises(Exception, match="could not resolve query result") as caught:
                    await router.execute(text, *params, idempotent=idempotent)
                assert type(caught.value).__name__ == "InternalClientError"
        assert await router.fetchval("SELECT count(*) FROM done", route="write") == 0
        kept = {member.node: member.pool.closed for member in router.stats().members}
        assert all("broken" not in closed for closed in kept.values()), kept

        for times, idempotent in enumerate((False, True) * 2, start=1):
            with pytest.raises(Exception, match="no decoder for composite type element"):
                await router.execute("INSERT INTO done VALUES ($1) RETURNING ROW(1, ARRAY[n])", times, idempotent=idempotent)
            assert await router.fetchval("SELECT count(*) FROM done", route="write") == times

        async with router.transaction() as tx:
            await tx.execute("INSERT INTO done VALUES (5)")
            with pytest.raises(Exception, match="could not resolve query result"):
                await tx.execute("INSERT INTO done SELECT 6 WHERE $1::gtsvector IS NULL", "'a'")
        assert await router.fetchval("SELECT count(*) FROM done", route="write") == 5
        assert all(group.retries == 0 for group in router.stats().hostgroups)
        assert all((node.breaker.state, node.breaker.failed_calls) == ("CLOSED", 0) for node in router.health().nodes)
        await router.execute("DROP TABLE done")
