"""
Every public operation of a router, cancelled at each of its awaits and in the tick after a hand-over; on the fake and on servers.

The operation is driven suspension by suspension: at number k the task is cancelled just before it would wait ("at"), or when
what it waited for has come but the task has not run yet ("after"). k grows until the operation ends before it is reached.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Generator
from itertools import count
from typing import Any, Literal

import pytest

from dbrouter import Router, Transaction
from dbrouter.testing import LocalCluster
from tests.places import Place, fake, numbers, real
from tests.routers import Dialect, configuration

When = Literal["at", "after"]
Operation = Callable[[Router, Dialect, int], Awaitable[Any]]


class CancelledAt:
    """
    Awaits *operation*, and cancels the current task at its suspension number *k* (from 0).

    Attributes:
        reached: whether the operation got that far.
    """

    def __init__(self, operation: Awaitable[Any], k: int, when: When) -> None:
        self._operation = operation
        self._k = k
        self._when = when
        self.reached = False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._operation.__await__()
        task = asyncio.current_task()
        assert task is not None
        step = steps.send
        value: Any = None
        for number in count():
            try:
                waited_for = step(value)
            except StopIteration as end:
                return end.value
            if number == self._k:
                self.reached = True
                if self._when == "at" or waited_for is None:
                    task.cancel()
                else:
                    # Before the task's own wake-up, which is added when it has been given the future.
                    waited_for.add_done_callback(lambda _: task.cancel())
            try:
                value = yield waited_for
                step = steps.send
            except BaseException as error:
                value, step = error, steps.throw
        raise AssertionError("never here")


# ---- the operations


async def read(router: Router, speak: Dialect, number: int) -> None:
    """A pooled read."""
    assert await router.fetchval(speak.sql("SELECT {1}" + ("::int" if speak.postgresql else "")), number) == number


async def write(router: Router, speak: Dialect, number: int) -> None:
    """An autocommit write."""
    await router.execute(speak.sql("INSERT INTO cut VALUES ({1})"), number)


async def many(router: Router, speak: Dialect, number: int) -> None:
    """executemany."""
    await router.executemany(speak.sql("INSERT INTO cut VALUES ({1})"), [(number,)])


async def batch(router: Router, speak: Dialect, number: int) -> None:
    """batch."""
    await router.batch([(speak.sql("INSERT INTO cut VALUES ({1})"), (number,)), "SELECT count(*) FROM cut"])


async def transaction(router: Router, speak: Dialect, number: int) -> None:
    """A transaction with a savepoint that stays and one that is undone."""
    async with router.transaction() as tx:
        async with tx.transaction():
            await tx.execute(speak.sql("INSERT INTO cut VALUES ({1})"), number)
        try:
            async with tx.transaction():
                await tx.execute(speak.sql("INSERT INTO cut VALUES ({1})"), -number)
                raise KeyError
        except KeyError:
            pass


async def undone(router: Router, speak: Dialect, number: int) -> None:
    """A transaction that its own block gives up."""
    try:
        async with router.transaction() as tx:
            await tx.execute(speak.sql("INSERT INTO cut VALUES ({1})"), -number)
            raise KeyError
    except KeyError:
        pass


async def run(router: Router, speak: Dialect, number: int) -> None:
    """run."""

    async def work(tx: Transaction) -> None:
        await tx.execute(speak.sql("INSERT INTO cut VALUES ({1})"), number)

    await router.run(work)


async def stream(router: Router, speak: Dialect, number: int) -> None:
    """A stream read to its end, and one left early."""
    async with router.stream("SELECT number FROM cut ORDER BY number", batch=3, route="write") as rows:
        seen = [row[0] async for row in rows]
    assert seen == sorted(seen)
    async with router.stream("SELECT number FROM cut", batch=3) as rows:
        async for _ in rows:
            break


async def pinned(router: Router, speak: Dialect, number: int) -> None:
    """Statements on a pinned connection."""
    async with router.connection() as conn:
        await conn.execute(speak.sql("INSERT INTO cut VALUES ({1})"), number)
        await conn.fetchval("SELECT 1")


OPERATIONS: tuple[Operation, ...] = (read, write, many, batch, transaction, undone, run, stream, pinned)
WRITES = (write, many, batch, transaction, run, pinned)


async def cut_everywhere(place: Place, operation: Operation, when: When) -> int:
    """Run *operation* again and again, cancelled one suspension later each time; how many suspensions it has."""
    for k in range(200):
        number = next(numbers)
        driven = CancelledAt(operation(place.router, place.speak, number), k, when)
        task = asyncio.ensure_future(_drive(driven))
        try:
            await task
            ended = True
        except asyncio.CancelledError:
            ended = False
        await place.quiet()
        if ended:
            there = await place.router.fetchval(f"SELECT count(*) FROM cut WHERE number = {number}", route="write")
            assert there == (operation in WRITES), "what ended well is there"
        assert await place.router.fetchval(f"SELECT count(*) FROM cut WHERE number = {-number}", route="write") == 0
        if not driven.reached:
            assert ended, "never cancelled, and yet it ended by a cancellation"
            return k
    raise AssertionError("it never ends")


async def _drive(driven: CancelledAt) -> Any:
    return await driven


@pytest.mark.parametrize("when", ["at", "after"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
async def test_cancelled_anywhere_on_the_fake(operation: Operation, when: When) -> None:
    """Nothing is left behind, wherever the cancellation arrives."""
    async with fake() as place:
        assert await cut_everywhere(place, operation, when) >= 1


@pytest.mark.parametrize("when", ["at", "after"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
async def test_cancelled_anywhere_on_real_servers(cluster: LocalCluster, operation: Operation, when: When) -> None:
    """The same where a cancelled statement goes on running on its server."""
    async with real(cluster) as place:
        assert await cut_everywhere(place, operation, when) >= 1


@pytest.mark.parametrize("when", ["at", "after"])
async def test_opening_cancelled_anywhere(cluster: LocalCluster, when: When) -> None:
    """A router that was not opened leaves no task and no socket (the suite's watch looks)."""
    for k in range(200):
        driven = CancelledAt(Router.open(configuration(cluster, start="all")), k, when)
        try:
            router = await asyncio.ensure_future(_drive(driven))
        except asyncio.CancelledError:
            assert driven.reached
            continue
        await router.aclose()
        if not driven.reached:
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("when", ["at", "after"])
async def test_closing_cancelled_anywhere(cluster: LocalCluster, when: When) -> None:
    """A cancelled aclose cuts what is left and leaves nothing either."""
    for k in range(200):
        router = await Router.open(configuration(cluster, start="all"))
        sleeping = asyncio.ensure_future(router.fetchval(Dialect(cluster.engine).sleep(0.05)))
        await asyncio.sleep(0.01)
        driven = CancelledAt(router.aclose(), k, when)
        try:
            await asyncio.ensure_future(_drive(driven))
        except asyncio.CancelledError:
            assert driven.reached
        await asyncio.gather(sleeping, return_exceptions=True)
        await router.aclose()
        if not driven.reached:
            return
    raise AssertionError("it never ends")


async def test_a_timeout_around_a_call_is_a_timeout(cluster: LocalCluster) -> None:
    """asyncio.timeout around calls, at random moments beside our own deadline: a result or a TimeoutError, no stray cancel."""
    rng = random.Random(7)
    async with real(cluster) as place:
        outcomes = {"result": 0, "timeout": 0}

        async def one(number: int) -> None:
            task = asyncio.current_task()
            assert task is not None
            limit = rng.random() * 0.004
            try:
                async with asyncio.timeout(limit):
                    operation = (read, write, run)[number % 3]
                    if operation is read:
                        await place.router.fetchval(place.speak.sleep(0.002), timeout=rng.choice([limit, 0.001, 5]))
                    else:
                        await operation(place.router, place.speak, number)
                outcomes["result"] += 1
            except TimeoutError:
                outcomes["timeout"] += 1
            assert task.cancelling() == 0

        for _ in range(20):
            await asyncio.gather(*(one(next(numbers)) for _ in range(10)))
        await place.quiet()

        assert outcomes["timeout"] > 20 and sum(outcomes.values()) == 200
