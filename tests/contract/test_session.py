"""The session: alive or lost, pinged, settled, reset, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from dbrouter.terms import Blame, ConnectionFate, Outcome, Phase
from tests.contract.subjects import Case
from tests.watching import until

pytestmark = pytest.mark.servers


async def test_ping_and_settle_on_a_healthy_connection(case: Case, connection: Any) -> None:
    """Both succeed, change nothing, and may be repeated."""
    for _ in range(3):
        await connection.ping()
        assert await connection.settle()
    assert connection.check()
    assert not connection.in_transaction
    rows, _, _ = await connection.send(case.sql("SELECT $1::int AS n"), (3,))
    assert rows[0]["n"] == 3


async def test_a_killed_idle_connection_is_seen_without_a_round_trip(case: Case, connection: Any) -> None:
    """`check` turns False soon after the server hung up, and using the connection all the same raises."""
    await connection.ping()
    assert connection.check()
    await case.stage.kill(connection)

    await until(lambda: not connection.check(), what="check sees that the server hung up")
    with pytest.raises(Exception) as caught:
        await connection.send("SELECT 1 AS n", ())
    before = case.driver.verdict(caught.value, Phase.CHECK, flavor=connection.flavor)
    sent = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
    assert before.outcome is Outcome.NOT_APPLIED
    assert sent.outcome in (Outcome.NOT_APPLIED, Outcome.AMBIGUOUS)
    assert sent.connection is not ConnectionFate.KEEP
    await until(lambda: connection.closed, what="the driver knows that it is closed")
    assert not await _says_yes(connection.settle())


async def test_a_connection_killed_in_flight_is_ambiguous(case: Case, connection: Any) -> None:
    """A statement whose session is killed may have been applied; the node is to blame, the connection is gone."""
    task = asyncio.create_task(connection.send(case.dialect.sleep.format(10), ()))
    await asyncio.sleep(0.05)
    await case.stage.kill(connection)
    with pytest.raises(Exception) as caught:
        async with asyncio.timeout(5):
            await task

    verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
    assert (verdict.outcome, verdict.blame, verdict.transport) == (Outcome.AMBIGUOUS, Blame.NODE, True)
    assert verdict.connection is not ConnectionFate.KEEP
    assert case.driver.verdict(caught.value, Phase.COMMIT, flavor=connection.flavor).outcome is Outcome.AMBIGUOUS
    assert case.driver.verdict(caught.value, Phase.CONNECT, flavor=connection.flavor).outcome is Outcome.NOT_APPLIED
    await until(lambda: connection.closed, what="the driver knows that it is closed")
    assert not connection.check()


@pytest.mark.parametrize("phase", list(Phase))
async def test_whatever_is_raised_gets_a_verdict(case: Case, phase: Phase) -> None:
    """Errors that nobody foresaw, time-outs and cancellations are judged by their phase, on the safe side."""
    for error in (Exception("what"), RuntimeError("loop"), TimeoutError(), ConnectionResetError(), asyncio.CancelledError()):
        verdict = case.driver.verdict(error, phase)
        if phase < Phase.EXECUTE:
            assert verdict.outcome in (Outcome.NOT_APPLIED, Outcome.FAILED), error
        elif phase is not Phase.TRANSACTION:
            assert verdict.outcome is Outcome.AMBIGUOUS, error
        assert verdict.code


async def test_reset_brings_the_session_back_or_says_that_it_cannot(case: Case, connect: Any) -> None:
    """After a reset the session is as init left it; where the driver cannot be sure, it says no."""
    connection = await connect(init=(case.dialect.set,))
    if case.dialect.poke is not None:
        await connection.send(case.dialect.poke, ())
        rows, _, _ = await connection.send(case.dialect.show, ())
        assert rows[0][0] != case.dialect.value

    if await connection.reset():
        rows, _, _ = await connection.send(case.dialect.show, ())
        assert rows[0][0] == case.dialect.value
        assert not connection.in_transaction


async def test_reset_refuses_inside_a_transaction(connection: Any) -> None:
    """A session with an open transaction is not reset behind its back."""
    await connection.begin()
    assert not await connection.reset()


async def test_close_ends_the_session_on_the_server(case: Case, connection: Any) -> None:
    """After `close` the connection is closed, the session gone, and closing again harmless."""
    await connection.close()
    assert connection.closed
    assert not connection.check()
    await connection.close()
    connection.terminate()

    async def gone() -> bool:
        return connection.server_id not in await case.stage.sessions()

    await until(gone, what="the session is gone")


async def test_terminate_is_immediate_and_leaves_no_socket(case: Case, connect: Any) -> None:
    """`terminate` closes at once, also with a statement in flight, whose waiter is told."""
    before = case.stage.sockets()
    idle, busy = await connect(), await connect()
    task = asyncio.create_task(busy.send(case.dialect.sleep.format(10), ()))
    await asyncio.sleep(0.02)

    idle.terminate()
    busy.terminate()

    assert idle.closed
    assert busy.closed
    with pytest.raises(Exception) as caught:
        async with asyncio.timeout(2):
            await task
    assert not isinstance(caught.value, TimeoutError)
    idle.terminate()
    await until(lambda: case.stage.sockets() <= before, what="both sockets are closed")


async def test_a_closed_connection_raises_and_was_not_sent(case: Case, connection: Any) -> None:
    """Using a closed connection raises; nothing can have been applied."""
    connection.terminate()
    with pytest.raises(Exception) as caught:
        await connection.send("SELECT 1 AS n", ())
    verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
    assert verdict.connection is not ConnectionFate.KEEP
    assert not await _says_yes(connection.settle())
    assert not await _says_yes(connection.reset())


async def _says_yes(answer: Awaitable[bool]) -> bool:
    """What `settle` or `reset` says; an exception is a no."""
    try:
        return await answer
    except Exception:
        return False
