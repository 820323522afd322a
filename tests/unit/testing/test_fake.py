"""FakeServer and FakeDriver: transactions are real, faults come when they are told to."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dbrouter.drivers.base import ConnectOptions
from dbrouter.terms import Engine, Outcome, Phase, RetryWhere, Role
from dbrouter.testing.fake import FakeConnection, FakeDriver, FakeError, FakeServer


def options(**values: Any) -> ConnectOptions:
    """Where db1 listens."""
    return ConnectOptions(**{"host": "db1", "port": 5432, "timeout": 1.0, **values})


@pytest.fixture
def server() -> FakeServer:
    """A primary."""
    return FakeServer()


@pytest.fixture
async def connections(server: FakeServer) -> AsyncIterator[list[FakeConnection]]:
    """Two sessions on it, with a table ``t(n integer primary key)``."""
    driver = FakeDriver(server)
    made = [await driver.connect(options()) for _ in range(2)]
    await made[0].send("CREATE TABLE t (n integer primary key)", ())
    yield made
    for connection in made:
        connection.terminate()
    assert not server.connections


async def numbers(connection: FakeConnection) -> list[int]:
    """What is in the table."""
    return [row["n"] for row in (await connection.send("SELECT n FROM t ORDER BY n", ()))[0]]


async def test_parameters_of_both_engines_and_casts_are_understood(connections: list[FakeConnection]) -> None:
    """A nonce comes back as it was sent, under its name."""
    first = (await connections[0].send("SELECT $1::text AS nonce, '$1::text' AS plain", ("abc",)))[0][0]
    second = (await connections[0].send("SELECT %s AS nonce, '50%%' AS share", (7,)))[0][0]

    assert dict(first) == {"nonce": "abc", "plain": "$1::text"}
    assert (second["nonce"], second[0], tuple(second)) == (7, 7, (7, "50%%"))


async def test_a_transaction_is_invisible_until_it_commits(connections: list[FakeConnection]) -> None:
    """Savepoints, rollback and commit do what they say."""
    writer, reader = connections

    await writer.begin()
    await writer.send("INSERT INTO t VALUES ($1)", (1,))
    await writer.savepoint("s")
    await writer.send("INSERT INTO t VALUES ($1)", (2,))
    await writer.rollback_to_savepoint("s")
    before, inside = await numbers(reader), writer.in_transaction
    await writer.commit()

    assert (before, inside, writer.in_transaction) == ([], True, False)
    assert await numbers(reader) == [1]


async def test_a_second_writer_waits_for_the_first(connections: list[FakeConnection]) -> None:
    """A write that meets an open transaction's lock runs when that one ends."""
    first, second = connections
    await first.begin()
    await first.send("INSERT INTO t VALUES (1)", ())

    waiting = asyncio.ensure_future(second.send("INSERT INTO t VALUES (2)", ()))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await first.commit()
    reply = await waiting

    assert second.describe(reply) == ("INSERT 0 1", 1, None)
    assert await numbers(first) == [1, 2]


async def test_an_error_aborts_a_transaction_as_on_postgresql(connections: list[FakeConnection]) -> None:
    """After an error nothing but the end of the transaction is taken, and COMMIT rolls back."""
    connection = connections[0]
    await connection.send("INSERT INTO t VALUES (1)", ())
    await connection.begin()
    await connection.send("INSERT INTO t VALUES (2)", ())

    with pytest.raises(FakeError) as duplicate:
        await connection.send("INSERT INTO t VALUES (1)", ())
    with pytest.raises(FakeError) as aborted:
        await connection.send("SELECT 1", ())
    await connection.commit()

    assert (duplicate.value.code, aborted.value.code) == ("23505", "25P02")
    assert await numbers(connection) == [1]


async def test_a_replica_sees_the_data_and_refuses_writes_until_it_is_promoted(connections: list[FakeConnection]) -> None:
    """The refusal is judged as one that a primary would not give."""
    replica = connections[0].server.replica()
    driver = FakeDriver({"db1:5432": replica})
    connection = await driver.connect(options())
    await connections[0].send("INSERT INTO t VALUES (5)", ())

    seen = await numbers(connection)
    with pytest.raises(FakeError) as refused:
        await connection.send("INSERT INTO t VALUES (6)", ())
    verdict = driver.verdict(refused.value, Phase.EXECUTE)
    replica.promote()
    await connection.send("INSERT INTO t VALUES (6)", ())
    probe = await connection.probe()
    connection.terminate()

    assert seen == [5]
    assert (verdict.read_only_refusal, verdict.outcome, verdict.route) == (True, Outcome.NOT_APPLIED, RetryWhere.WRITER)
    assert probe.role is Role.PRIMARY


async def test_a_read_only_session_refuses_writes(server: FakeServer) -> None:
    """As start-up option of a reader pool."""
    connection = await FakeDriver(server).connect(options(read_only=True))

    with pytest.raises(FakeError, match="read-only"):
        await connection.send("CREATE TABLE t (n integer)", ())
    connection.terminate()


async def test_scripted_replies_come_before_sql(server: FakeServer) -> None:
    """By whole text or by pattern, from rows or from a function, so often as said."""
    connection = await FakeDriver(server).connect(options())
    server.on("SELECT name FROM users", rows=[{"name": "ada"}])
    server.on(re.compile("double"), rows=lambda params: [{"twice": 2 * params[0]}])
    server.on("SELECT 1", error=FakeError("deadlock", "40P01"), times=1)

    ada = (await connection.send("SELECT name FROM users", ()))[0]
    twice = (await connection.send("SELECT double($1)", (4,)))[0]
    with pytest.raises(FakeError, match="deadlock"):
        await connection.send("SELECT 1", ())
    one = (await connection.send("SELECT 1", ()))[0]
    connection.terminate()

    assert (ada[0]["name"], twice[0]["twice"], one[0][0]) == ("ada", 8, 1)


async def test_freezing_holds_everything_and_thawing_lets_it_go_on(connections: list[FakeConnection]) -> None:
    """Neither a statement nor a connect is answered meanwhile."""
    connection, server = connections[0], connections[0].server
    server.freeze()

    reading = asyncio.ensure_future(connection.send("SELECT 1", ()))
    with pytest.raises(TimeoutError):
        await FakeDriver(server).connect(options(timeout=0.01))
    assert not reading.done()
    server.thaw()

    assert (await reading)[0][0][0] == 1


async def test_a_killed_session_fails_what_runs_and_is_seen_by_a_look_at_the_socket(connections: list[FakeConnection]) -> None:
    """An idle connection does not know before somebody looks."""
    busy, idle = connections
    gate = busy.server.hold("SELECT 1")
    running = asyncio.ensure_future(busy.send("SELECT 1", ()))
    await gate.reached()

    assert busy.server.kill_connections() == 2
    with pytest.raises(FakeError) as lost:
        await running
    verdict = FakeDriver(busy.server).verdict(lost.value, Phase.EXECUTE)

    assert (verdict.transport, verdict.outcome) == (True, Outcome.AMBIGUOUS)
    assert (busy.closed, idle.closed, idle.check()) == (True, False, False)
    with pytest.raises(FakeError):
        await idle.ping()
    assert idle.closed


async def test_a_cancelled_statement_has_to_be_settled(connections: list[FakeConnection]) -> None:
    """PostgreSQL's manners: the connection stays, after the end has come."""
    connection = connections[0]
    gate = connection.server.hold("SELECT 1")
    running = asyncio.ensure_future(connection.send("SELECT 1", ()))
    await gate.reached()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert connection.needs_settling
    with pytest.raises(FakeError, match="in progress"):
        await connection.send("SELECT 2", ())
    assert await connection.settle()

    assert (await connection.send("SELECT 2", ()))[0][0][0] == 2


async def test_a_cancelled_statement_closes_a_mysql_connection_and_can_be_killed(server: FakeServer) -> None:
    """MySQL's manners: the server runs on until it is told."""
    connection = await FakeDriver(server, engine=Engine.MYSQL).connect(options())
    gate = server.hold("SELECT 1")
    running = asyncio.ensure_future(connection.send("SELECT 1", ()))
    await gate.reached()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    end = connection.abandon()
    assert connection.closed and end is not None
    await end()

    assert server.killed == [connection.server_id]


async def test_several_statements_are_all_or_nothing(connections: list[FakeConnection]) -> None:
    """The simple protocol's implicit transaction, and its refusal elsewhere."""
    connection = connections[0]

    with pytest.raises(FakeError):
        await connection.send_script("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)")
    with pytest.raises(FakeError):
        await connection.send("SELECT 1; SELECT 2", ())
    reply = await connection.send_script("INSERT INTO t VALUES (3); INSERT INTO t VALUES (4);")

    assert connection.describe(reply)[0] == "INSERT 0 1"
    assert await numbers(connection) == [3, 4]


async def test_who_may_come_in(server: FakeServer) -> None:
    """Refusals, wrong passwords, a full house and init statements that fail leave no session."""
    driver = FakeDriver({"db1:5432": server})
    server.password = "secret"
    with pytest.raises(FakeError, match="password"):
        await driver.connect(options(password="guess"))
    with pytest.raises(ConnectionRefusedError):
        await driver.connect(options(host="nowhere"))
    with pytest.raises(FakeError):
        await driver.connect(options(password="secret", init=("SELEC 1",)))
    server.max_connections = 1
    connection = await driver.connect(options(), password=lambda endpoint: {"db1:5432": "secret"}[endpoint])
    with pytest.raises(FakeError, match="too many"):
        await driver.connect(options(password="secret"))
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        await driver.connect(options(password="secret"))
    connection.terminate()

    assert not server.connections


async def test_failures_can_come_before_or_after_the_effect(connections: list[FakeConnection]) -> None:
    """A write whose answer is lost is there all the same."""
    connection, other = connections
    connection.server.fail_next(FakeError("disk full", "53100"))
    connection.server.fail_next(FakeError("gone", "08006"), applied=True)

    for number in (1, 2):
        with pytest.raises(FakeError):
            await connection.send("INSERT INTO t VALUES ($1)", (number,))

    assert await numbers(other) == [2]


def test_errors_survive_pickle_and_copy() -> None:
    """With their code."""
    error = FakeError("gone", "08006")

    assert pickle.loads(pickle.dumps(error)).code == copy.copy(error).code == "08006"
