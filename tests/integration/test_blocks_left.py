"""How blocks may be left: while another task's statement is running in them, in the middle of a slow stream, or never entered."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import pytest

from dbrouter import ConnectionLostError, DBRouterError, Router, StatementRejectedError, TransactionAbortedError
from dbrouter.testing import LocalCluster
from tests.places import numbers, real
from tests.routers import configuration, until


async def left_running(inside: Any, statement: str) -> asyncio.Task[Any]:
    """A task of its own that is running *statement* in a block."""
    task = asyncio.create_task(inside.execute(statement))
    await until(lambda: inside._busy, what="a statement under way")
    return task


async def told(task: asyncio.Task[Any]) -> None:
    """The task was not left waiting: an error of ours came at once."""
    started = monotonic()
    with pytest.raises(DBRouterError):
        await asyncio.wait_for(task, 5)
    assert monotonic() - started < 1.5


async def test_a_connection_left_with_a_statement_under_way_is_nobodys(cluster: LocalCluster) -> None:
    """It is closed at once: no later caller meets the statement that runs on it, and the task that waits for it is told."""
    async with real(cluster) as place:
        router, speak = place.router, place.speak
        async with router.connection() as conn:
            task = await left_running(conn, speak.sleep(2))

        for _ in range(3):
            await router.execute(speak.sql("INSERT INTO cut VALUES ({1}, {2})"), next(numbers), 0)
        await told(task)
        await asyncio.to_thread(cluster.primary.query, "SELECT 1")
        await until(lambda: not place.left(), what="a router at rest")


async def test_a_transaction_left_with_a_statement_under_way_is_rolled_back(cluster: LocalCluster) -> None:
    """Nothing is committed, and it says why; an exception that leaves the block stays what it is."""
    async with real(cluster) as place:
        router, speak = place.router, place.speak
        number, insert = next(numbers), speak.sql("INSERT INTO cut VALUES ({1}, {2})")
        tasks = []
        with pytest.raises(StatementRejectedError, match="nothing was committed"):
            async with router.transaction() as tx:
                await tx.execute(insert, number, 0)
                tasks.append(await left_running(tx, speak.sleep(2)))
        with pytest.raises(ZeroDivisionError):
            async with router.transaction() as tx:
                await tx.execute(insert, number, 1)
                tasks.append(await left_running(tx, speak.sleep(2)))
                raise ZeroDivisionError
        for task in tasks:
            await told(task)
        assert await place.parts(number) == []
        await until(lambda: not place.left(), what="a router at rest")


async def test_blocks_that_the_end_of_the_router_cut_lose_their_connection(cluster: LocalCluster) -> None:
    """Whatever its driver says of a closed connection, a call in a block whose connection `aclose` has cut gets our own error."""
    async with Router.open(configuration(cluster, start="all")) as router:
        async with router.connection() as conn:
            tx = router.transaction()
            await tx.__aenter__()
            await router.aclose(timeout=0.1)
            for block in (conn, tx):
                for statement in ("SELECT 1", "DELETE FROM cut"):
                    with pytest.raises((ConnectionLostError, TransactionAbortedError)):
                        await block.execute(statement)
        with pytest.raises(TransactionAbortedError):
            await tx.__aexit__(None, None, None)


async def test_a_stream_left_early_ends_its_statement(mariadb: LocalCluster) -> None:
    """What a slow statement has not sent yet is not computed for nobody: it is killed."""
    row = "SELECT number, SLEEP(2), repeat('x', 70000) FROM cut"
    running = "SELECT count(*) FROM information_schema.processlist WHERE user = 'app' AND info LIKE 'SELECT number, SLEEP%'"
    async with real(mariadb) as place:
        insert = place.speak.sql("INSERT INTO cut VALUES ({1}, {2})")
        await place.router.executemany(insert, [(next(numbers), 0) for _ in range(10)])
        async with place.router.stream(row, batch=1, route="write") as rows:
            async for _ in rows:
                break
        left = monotonic()
        while await asyncio.to_thread(mariadb.primary.value, running) != "0":
            assert monotonic() - left < 1.0, "the statement goes on"
        await place.quiet()


async def test_a_stream_goes_on_after_a_time_limit_of_its_own_only_by_an_error(cluster: LocalCluster) -> None:
    """A row did not come in the time the caller gave it, who asks for the next one: none is skipped, it is an error of ours."""
    async with real(cluster) as place:
        speak, numbered = place.speak, [next(numbers) for _ in range(20)]
        await place.router.executemany(speak.sql("INSERT INTO cut VALUES ({1}, 7)"), [(number,) for number in numbered])
        slow = f"{'pg_sleep' if speak.postgresql else 'SLEEP'}(CASE WHEN number = {numbered[5]} THEN 1 ELSE 0 END)"
        text = f"SELECT number, {slow}, repeat('x', 70000) FROM cut WHERE part = 7 ORDER BY number"
        with pytest.raises((ConnectionLostError, TransactionAbortedError)):
            async with place.router.stream(text, batch=2, route="write") as rows:
                seen = []
                with pytest.raises(TimeoutError):
                    while True:
                        async with asyncio.timeout(0.3):
                            seen.append((await anext(rows))[0])
                assert seen == numbered[: len(seen)] and len(seen) < 6
                await anext(rows)
        await place.quiet()


async def test_a_stream_outside_its_block_is_not_empty(cluster: LocalCluster) -> None:
    """Iterating what was never entered, or was left, is a mistake and says so, instead of looking like no rows."""
    async with real(cluster) as place:
        stream = place.router.stream("SELECT 1")
        with pytest.raises(StatementRejectedError, match="async with"):
            [row async for row in stream]
        async with stream as rows:
            assert [row[0] async for row in rows] == [1]
            assert [row async for row in rows] == []
        with pytest.raises(StatementRejectedError, match="async with"):
            [row async for row in stream]
        await place.quiet()
