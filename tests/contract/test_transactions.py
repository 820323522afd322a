"""Transactions: what begins, ends and is told about them."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.errors import ParameterError
from dbrouter.terms import Engine, Outcome, Phase
from tests.contract.subjects import Case

pytestmark = pytest.mark.servers


async def _ids(connection: Any, table: str) -> list[int]:
    rows, _, _ = await connection.send(f"SELECT id FROM {table} ORDER BY id", ())
    return [row["id"] for row in rows]


async def test_commit_keeps_and_rollback_forgets(connection: Any, connect: Any, table: str) -> None:
    """What was committed others see; what was rolled back nobody sees."""
    other = await connect()
    for number, end in ((1, connection.commit), (2, connection.rollback)):
        await connection.begin()
        assert connection.in_transaction
        await connection.send(f"INSERT INTO {table} (id) VALUES ({number})", ())
        assert connection.in_transaction
        await end()
        assert not connection.in_transaction

    assert await _ids(other, table) == [1]


async def test_without_begin_every_statement_commits_itself(connection: Any, connect: Any, table: str) -> None:
    """Autocommit is on."""
    other = await connect()
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    assert not connection.in_transaction
    assert await _ids(other, table) == [1]


async def test_savepoints_undo_part_of_a_transaction(connection: Any, table: str) -> None:
    """Rolling back to a savepoint undoes what came after it; releasing keeps it."""
    await connection.begin()
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    await connection.savepoint("dbrouter_1")
    await connection.send(f"INSERT INTO {table} (id) VALUES (2)", ())
    await connection.rollback_to_savepoint("dbrouter_1")
    await connection.savepoint("dbrouter_2")
    await connection.send(f"INSERT INTO {table} (id) VALUES (3)", ())
    await connection.release_savepoint("dbrouter_2")
    assert connection.in_transaction
    await connection.commit()

    assert await _ids(connection, table) == [1, 3]


async def test_a_savepoint_outlives_an_error(connection: Any, table: str) -> None:
    """After an error the transaction goes on from the savepoint."""
    await connection.begin()
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    await connection.savepoint("dbrouter_1")
    with pytest.raises(Exception):  # noqa: B017 - each driver says it in its own words
        await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    assert connection.in_transaction
    await connection.rollback_to_savepoint("dbrouter_1")
    await connection.send(f"INSERT INTO {table} (id) VALUES (2)", ())
    await connection.commit()

    assert await _ids(connection, table) == [1, 2]


async def test_an_error_inside_is_judged_as_the_statements_own(case: Case, connection: Any, table: str) -> None:
    """A constraint inside a transaction fails the statement; the transaction is open until it is rolled back."""
    await connection.begin()
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    with pytest.raises(Exception) as caught:
        await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    assert case.driver.verdict(caught.value, Phase.TRANSACTION, flavor=connection.flavor).outcome is Outcome.FAILED
    assert connection.in_transaction
    await connection.rollback()
    assert not connection.in_transaction
    assert await _ids(connection, table) == []


async def test_a_transaction_opened_by_text_is_told(connection: Any) -> None:
    """BEGIN and ROLLBACK as plain statements are noticed."""
    await connection.send("BEGIN", ())
    assert connection.in_transaction
    await connection.send("ROLLBACK", ())
    assert not connection.in_transaction


async def test_a_readonly_transaction_refuses_writes(case: Case, connection: Any, table: str) -> None:
    """`readonly` refuses writes in this transaction only."""
    await connection.begin(readonly=True)
    with pytest.raises(Exception) as caught:
        await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    assert case.driver.verdict(caught.value, Phase.TRANSACTION, flavor=connection.flavor).read_only_refusal
    await connection.rollback()

    await connection.send(f"INSERT INTO {table} (id) VALUES (2)", ())
    assert await _ids(connection, table) == [2]


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_isolation_levels_are_taken(connection: Any, isolation: str) -> None:
    """Every level that INTERFACE names opens a transaction, also read-only and deferrable."""
    await connection.begin(isolation=isolation, readonly=True, deferrable=True)
    assert connection.in_transaction
    await connection.rollback()


@pytest.mark.real_servers
async def test_repeatable_read_sees_one_snapshot(case: Case, connection: Any, connect: Any, table: str) -> None:
    """Under repeatable read what others commit meanwhile stays unseen."""
    other = await connect()
    await connection.begin(isolation="repeatable read")
    assert await _ids(connection, table) == []
    await other.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    assert await _ids(connection, table) == []
    await connection.rollback()
    assert await _ids(connection, table) == [1]


@pytest.mark.real_servers
async def test_an_unknown_isolation_level_is_refused_before_anything_is_sent(case: Case, connection: Any) -> None:
    """A level that does not exist never becomes SQL."""
    with pytest.raises(ParameterError):
        await connection.begin(isolation="serializable; DROP TABLE users")
    assert not connection.in_transaction


async def test_a_lost_connection_rolls_the_transaction_back(case: Case, connection: Any, connect: Any, table: str) -> None:
    """When the session ends, what it had not committed is gone, and the verdict says so."""
    other = await connect()
    await connection.begin()
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    await case.stage.kill(connection)
    with pytest.raises(Exception) as caught:
        await connection.send(f"INSERT INTO {table} (id) VALUES (2)", ())
    verdict = case.driver.verdict(caught.value, Phase.TRANSACTION, flavor=connection.flavor)
    assert verdict.outcome in (Outcome.ROLLED_BACK, Outcome.NOT_APPLIED)
    assert await _ids(other, table) == []


async def test_the_failed_transaction_of_postgresql_takes_only_its_end(case: Case, connection: Any) -> None:
    """On PostgreSQL everything after an error is refused until the rollback; elsewhere it goes on."""
    await connection.begin()
    with pytest.raises(Exception):  # noqa: B017 - each driver says it in its own words
        await connection.send("SELECT * FROM nobody_has_this_table", ())
    if case.dialect.engine is Engine.POSTGRESQL:
        with pytest.raises(Exception) as caught:
            await connection.send("SELECT 1 AS n", ())
        assert case.driver.verdict(caught.value, Phase.TRANSACTION, flavor=connection.flavor).outcome is Outcome.FAILED
    else:
        rows, _, _ = await connection.send("SELECT 1 AS n", ())
        assert rows[0]["n"] == 1
    await connection.rollback()
