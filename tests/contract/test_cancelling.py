"""Cancelling: at every suspension and at random moments, a connection ends up closed, or settled and with its own replies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contract.subjects import Case

pytestmark = pytest.mark.servers

Operation = Callable[[Case, Any], Awaitable[Any]]


async def _stream(case: Case, connection: Any) -> None:
    await connection.begin()
    cursor = await connection.cursor(case.dialect.numbers(3), ())
    await cursor.fetch(10)
    await cursor.fetch(10)
    await cursor.close()
    await connection.rollback()


async def _transaction(case: Case, connection: Any) -> None:
    await connection.begin()
    await connection.send("SELECT 1 AS n", ())
    await connection.savepoint("dbrouter_1")
    await connection.rollback_to_savepoint("dbrouter_1")
    await connection.commit()


async def _fresh_text(case: Case, connection: Any) -> None:
    await connection.send(case.sql(f"SELECT $1::int AS n{random.randrange(10**9)}"), (1,))


OPERATIONS: dict[str, Operation] = {
    "send a text for the first time": _fresh_text,
    "send a text again": lambda case, connection: connection.send(case.sql("SELECT $1::int AS n"), (1,)),
    "send something slow": lambda case, connection: connection.send(case.dialect.sleep.format(0.02), ()),
    "stream": _stream,
    "transaction": _transaction,
    "ping": lambda _, connection: connection.ping(),
    "probe": lambda _, connection: connection.probe(),
    "reset": lambda _, connection: connection.reset(),
    "settle": lambda _, connection: connection.settle(),
}


async def settled(case: Case, connection: Any) -> bool:
    """Whether *connection* is usable after a cancellation, settled first where it says so; it must be, or be closed."""
    if connection.closed:
        return False
    if connection.needs_settling:
        assert not case.cancel_closes
        assert await connection.settle()
        assert not connection.needs_settling
    if connection.in_transaction:
        await connection.rollback()
    return True


async def own_answer(case: Case, connection: Any, nonce: int) -> None:
    """The connection answers its own number and nothing else."""
    rows, _, _ = await connection.send(case.sql("SELECT $1::int AS nonce"), (nonce,))
    assert [tuple(row) for row in rows] == [(nonce,)]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_cancelled_at_every_suspension(case: Case, connect: Any, operation: Operation) -> None:
    """Whichever await of an operation is cancelled, the connection is closed or settles, and answers its own number."""
    connection = await connect()
    for _ in range(2):
        await own_answer(case, connection, -1)
    turns, uncut = 0, 0
    while uncut < 3 and turns < 40:
        task = asyncio.create_task(_run(operation, case, connection))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
            uncut += 1
        except asyncio.CancelledError:
            pass
        if not await settled(case, connection):
            connection = await connect()
        await own_answer(case, connection, turns)
        turns += 1


async def test_cancelled_at_random_moments(case: Case, connect: Any) -> None:
    """200 cancellations at random moments: every connection then answers its own number."""
    rng = random.Random(20_24)
    connections = [await connect() for _ in range(4)]

    async def one(position: int, number: int) -> None:
        connection = connections[position]
        operation = rng.choice(list(OPERATIONS.values())[:5])
        task = asyncio.create_task(_run(operation, case, connection))
        await asyncio.sleep(rng.random() * 0.003)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        if not await settled(case, connection):
            connection = connections[position] = await connect()
        await own_answer(case, connection, number)

    for number in range(50):
        await asyncio.gather(*(one(position, number * 4 + position) for position in range(4)))


async def test_settling_inside_a_transaction_keeps_it_open(case: Case, connect: Any) -> None:
    """A transaction whose statement was cancelled is still open after settling, and the stream is clean."""
    connection = await connect()
    await connection.begin()
    task = asyncio.create_task(connection.send(case.dialect.sleep.format(5), ()))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    if case.cancel_closes:
        assert connection.closed
        return
    assert await connection.settle()
    assert connection.in_transaction
    await connection.rollback()
    assert not connection.in_transaction
    await own_answer(case, connection, 1)


async def test_a_cancelled_statement_does_not_run_on(case: Case, connect: Any) -> None:
    """After cancelling, and `abandon` where there is one, the session is soon idle or gone."""
    connection = await connect()
    task = asyncio.create_task(connection.send(case.dialect.sleep.format(30), ()))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with asyncio.timeout(3):
        end = connection.abandon()
        if end is not None:
            await end()
            while connection.server_id in await case.stage.sessions() and not hasattr(case.stage, "primary"):
                await asyncio.sleep(0.01)
        else:
            assert await connection.settle()
            await own_answer(case, connection, 1)


async def _run(operation: Operation, case: Case, connection: Any) -> None:
    await operation(case, connection)
