"""What routines leave on a MySQL session never reaches the next caller, and never swallows a write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dbrouter import ConnectError, DeadlineExceededError, Router, SessionStatementError, TransactionAbortedError
from dbrouter.testing import FaultProxy, LocalCluster, ServerKind
from tests.load import through
from tests.routers import configuration

ROUTINES = (
    "DROP TABLE IF EXISTS ms",
    "CREATE TABLE ms(id int PRIMARY KEY)",
    "DROP PROCEDURE IF EXISTS ms_off",
    "DROP PROCEDURE IF EXISTS ms_open",
    "DROP PROCEDURE IF EXISTS ms_leak",
    "DROP FUNCTION IF EXISTS ms_lock",
    "CREATE PROCEDURE ms_off() BEGIN SET autocommit = 0; END",
    "CREATE PROCEDURE ms_open() BEGIN START TRANSACTION; INSERT INTO ms VALUES (100); END",
    "CREATE PROCEDURE ms_leak() BEGIN SET @leak = 5; SET SESSION div_precision_increment = 9; END",
    "DROP PROCEDURE IF EXISTS ms_fails",
    "CREATE PROCEDURE ms_fails(number INT) BEGIN INSERT INTO ms SELECT COUNT(*) FROM ms;"
    " SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = number, MESSAGE_TEXT = 'said by the routine'; END",
    "DROP TABLE IF EXISTS ms_guarded",
    "CREATE TABLE ms_guarded(id int)",
    "CREATE TRIGGER ms_guard BEFORE INSERT ON ms_guarded FOR EACH ROW"
    " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'said by the trigger'",
    "CREATE FUNCTION ms_lock() RETURNS int READS SQL DATA RETURN GET_LOCK('ms', 0)",
)


@pytest.fixture(params=[ServerKind.MARIADB_10_11, ServerKind.MYSQL_9_7], ids=["mariadb", "mysql"])
def family(request: pytest.FixtureRequest, clusters: Any) -> LocalCluster:
    """Both products."""
    cluster: LocalCluster = clusters(request.param)
    return cluster


@pytest.fixture(params=["mysql", "mysql+asyncmy"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both libraries."""
    return str(request.param)


def narrow(cluster: LocalCluster, scheme: str, **pool: Any) -> dict[str, Any]:
    """One connection to the primary, so that every caller gets the last one's."""
    source = configuration(cluster, start="all", pool={"min_size": 1, "max_size": 1, **pool})
    return {**source, "writer": source["writer"].replace("mysql://", f"{scheme}://"), "readers": []}


async def prepare(router: Router) -> None:
    """The table and the routines."""
    async with router.connection() as conn:
        for statement in ROUTINES:
            await conn.execute(statement)


async def test_a_routine_that_turns_autocommit_off_swallows_no_write(family: LocalCluster, scheme: str) -> None:
    """It is told, its connection is closed, and every later write that is acknowledged is there."""
    async with Router.open(narrow(family, scheme)) as router:
        await prepare(router)
        with pytest.raises(TransactionAbortedError, match="CALL left a transaction open, or autocommit off"):
            await router.execute("CALL ms_off()")
        for number in range(4):
            assert (await router.execute("INSERT INTO ms VALUES (%s)", number)).rowcount == 1
        async with router.transaction() as tx:
            await tx.execute("CALL ms_off()")
        for number in range(10, 14):
            await router.execute("INSERT INTO ms VALUES (%s)", number)

    assert await asyncio.to_thread(family.primary.value, "SELECT count(*) FROM app.ms WHERE id < 100") == "8"


async def test_a_routine_that_leaves_a_transaction_open_is_told_that_it_is_undone(family: LocalCluster, scheme: str) -> None:
    """Its writes never looked like a success."""
    async with Router.open(narrow(family, scheme)) as router:
        await prepare(router)
        with pytest.raises(TransactionAbortedError, match="rolled back"):
            await router.execute("CALL ms_open()")

        assert await router.fetchval("SELECT count(*) FROM ms WHERE id = 100") == 0


async def test_what_a_routine_leaves_on_the_session_is_gone(family: LocalCluster, scheme: str) -> None:
    """Variables and settings of CALL, the lock of a function; the connection itself stays in use."""
    async with Router.open(narrow(family, scheme)) as router:
        await prepare(router)
        session = await router.fetchval("SELECT connection_id()")
        await router.execute("CALL ms_leak()")
        assert await router.fetchval("SELECT @@div_precision_increment") == 4
        async with router.connection() as conn:
            assert await conn.fetchval("SELECT @leak") is None
        session = await router.fetchval("SELECT connection_id()")
        assert await router.fetchval("SELECT ms_lock()") == 1
        assert await router.fetchval("SELECT connection_id()") == session
        async with router.connection() as conn:
            assert await conn.fetchval("SELECT IS_FREE_LOCK('ms')") == 1


async def test_set_up_that_would_lose_writes_or_escape_wrongly_gives_no_connection(family: LocalCluster, scheme: str) -> None:
    """`pool.init` that turns autocommit off, or changes the character set that parameters are escaped for: calls say so."""
    for init, said in (("SET autocommit=0", "autocommit off"), ("SET NAMES gbk", "character_set_client from utf8mb4 to gbk")):
        async with Router.open(narrow(family, scheme, init=[init])) as router:
            with pytest.raises(ConnectError, match=said) as caught:
                await router.execute("CREATE TABLE never_made(a int)", timeout=20)
            assert caught.value.blame == "config"


async def test_set_names_on_a_pinned_connection(family: LocalCluster, scheme: str) -> None:
    """Character sets that cannot be escaped in are refused; others are the caller's business."""
    async with Router.open(narrow(family, scheme)) as router, router.connection() as conn:
        for statement in (
            "SET NAMES gbk",
            "SET NAMES ujis",
            "SET NAMES 'sjis'",
            "SET character_set_client = big5",
            "SET CHARACTER SET gb18030",
        ):
            with pytest.raises(SessionStatementError, match="cannot be escaped safely"):
                await conn.execute(statement)
        await conn.execute("SET NAMES latin1")


async def test_a_routine_that_failed_half_way_is_not_called_again(family: LocalCluster, scheme: str) -> None:
    """What it committed before a lock wait stays, behind MariaDB's settings for one statement too; a note says so."""
    calls = ["CALL ms_fails(1205)"]
    if family.kind is ServerKind.MARIADB_10_11:
        calls.append("SET STATEMENT max_statement_time = 60 FOR CALL ms_fails(1213)")
    async with Router.open(narrow(family, scheme)) as router:
        await prepare(router)
        for done, call in enumerate(calls, 1):
            with pytest.raises(Exception, match="said by the routine") as caught:
                await router.execute(call)

            assert any("is not sent again" in note for note in caught.value.__notes__)
            assert await router.fetchval("SELECT COUNT(*) FROM ms", route="write") == done


async def test_a_deadlock_that_only_a_trigger_speaks_of_leaves_no_transaction_open(family: LocalCluster, scheme: str) -> None:
    """The server has rolled nothing back: the next caller's write is not swallowed by a transaction that nobody ended."""
    async with Router.open(narrow(family, scheme)) as router:
        await prepare(router)

        with pytest.raises(Exception, match="said by the trigger"):
            async with router.transaction() as tx:
                await tx.execute("INSERT INTO ms VALUES (200)")
                await tx.execute("INSERT INTO ms_guarded VALUES (1)")
        for number in range(3):
            await router.execute("INSERT INTO ms VALUES (%s)", number)

        async with Router.open(narrow(family, scheme)) as other:
            assert [row[0] for row in await other.fetch("SELECT id FROM ms ORDER BY id")] == [0, 1, 2]


@pytest.mark.parametrize("leaves", [False, True], ids=["goes on", "leaves"])
@pytest.mark.parametrize("undone", [False, True], ids=["statement undone", "transaction undone"])
async def test_after_a_lock_wait_the_transaction_is_whole_or_aborted(
    with_settings: Callable[..., LocalCluster], mariadb: LocalCluster, scheme: str, undone: bool, leaves: bool
) -> None:
    """
    With innodb_rollback_on_timeout the server has rolled all of it back, and says so in no reply: a block that goes on after 1205
    is told before anything runs outside of it; without that setting it goes on.
    """
    cluster = with_settings(ServerKind.MARIADB_10_11, 0, innodb_rollback_on_timeout="ON") if undone else mariadb
    async with Router.open(narrow(cluster, scheme, max_size=2, init=["SET SESSION innodb_lock_wait_timeout = 1"])) as router:
        await router.execute("DROP TABLE IF EXISTS waited")
        await router.execute("CREATE TABLE waited(id int PRIMARY KEY)")
        await router.execute("INSERT INTO waited VALUES (1)")

        async def block() -> None:
            async with router.transaction() as tx:
                await tx.execute("INSERT INTO waited VALUES (2)")
                with pytest.raises(Exception, match="Lock wait"):
                    await tx.execute("DELETE FROM waited WHERE id = 1")
                if not leaves:
                    await tx.execute("INSERT INTO waited VALUES (3)")

        async with router.transaction() as other:
            await other.execute("DELETE FROM waited WHERE id = 1")
            if undone:
                with pytest.raises(TransactionAbortedError) as caught:
                    await block()
                assert "Lock wait" in str(caught.value.__cause__)
            else:
                await block()

        ids = [row[0] for row in await router.fetch("SELECT id FROM waited ORDER BY id", route="write")]
        assert ids == ([] if undone else [2] if leaves else [2, 3])


async def test_asking_after_a_lock_wait_is_within_the_time_limit(mariadb: LocalCluster, scheme: str) -> None:
    """A slow answer to whether the transaction is still open leaves the statement behind it what is left."""
    async with FaultProxy(mariadb.primary.host, mariadb.primary.port) as proxy:
        source = narrow(mariadb, scheme, max_size=2, init=["SET SESSION innodb_lock_wait_timeout = 1"])
        source["writer"] = through(mariadb.primary, proxy).replace("mysql://", f"{scheme}://")
        async with Router.open(source) as router:
            await router.execute("DROP TABLE IF EXISTS waited")
            await router.execute("CREATE TABLE waited(id int PRIMARY KEY)")
            await router.execute("INSERT INTO waited VALUES (1)")
            async with router.transaction() as other:
                await other.execute("DELETE FROM waited WHERE id = 1")
                with pytest.raises(DeadlineExceededError):
                    async with router.transaction() as tx:
                        with pytest.raises(Exception, match="Lock wait"):
                            await tx.execute("DELETE FROM waited WHERE id = 1")
                        proxy.latency(0.4)
                        await tx.fetchval("SELECT 1", timeout=0.7)
                proxy.heal()
