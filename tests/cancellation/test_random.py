"""Random cancellation of a mixed load: whatever is cut, the numbers add up and every acknowledged write is there exactly once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from dbrouter import OutcomeUnknownError, Transaction
from dbrouter.testing import LocalCluster
from tests.places import Place, numbers, real

TASKS = 40
CUT_SHARE = 0.1


@dataclass
class Score:
    """What became of the operations."""

    finished: int = 0
    cancelled: int = 0
    unknown: int = 0
    acknowledged: list[int] = field(default_factory=list)


async def one(place: Place, rng: random.Random, score: Score) -> None:
    """One operation of a mixed load."""
    router, speak, number = place.router, place.speak, next(numbers)
    insert = speak.sql("INSERT INTO cut VALUES ({1})")
    kind = rng.random()
    if kind < 0.7:
        assert await router.fetchval(speak.sql("SELECT {1}" + ("::int" if speak.postgresql else "")), number) == number
    elif kind < 0.85:
        await router.execute(insert, number)
        score.acknowledged.append(number)
    elif kind < 0.92:
        async with router.transaction() as tx:
            await tx.execute(insert, number)
            assert await tx.fetchval(speak.sql("SELECT count(*) FROM cut WHERE number = {1}"), number) == 1
        score.acknowledged.append(number)
    elif kind < 0.96:

        async def work(tx: Transaction) -> None:
            await tx.execute(insert, number)

        await router.run(work)
        score.acknowledged.append(number)
    else:
        async with router.stream("SELECT number FROM cut", batch=20) as rows:
            async for _ in rows:
                if rng.random() < 0.1:
                    break


async def maltreat(place: Place, operations: int, seed: int) -> Score:
    """*operations* in `TASKS` tasks, a tenth of them cancelled at a random moment."""
    rng = random.Random(seed)
    score = Score()
    loop = asyncio.get_running_loop()

    async def worker(count: int) -> None:
        for _ in range(count):
            task = asyncio.ensure_future(one(place, rng, score))
            if rng.random() < CUT_SHARE:
                loop.call_later(rng.random() * 0.003, task.cancel)
            try:
                await task
                score.finished += 1
            except asyncio.CancelledError:
                score.cancelled += 1
            except OutcomeUnknownError:
                score.unknown += 1

    await asyncio.gather(*(worker(operations // TASKS) for _ in range(TASKS)))
    return score


async def check(cluster: LocalCluster, operations: int, seed: int) -> Score:
    """The load, and what must be true after it."""
    async with real(cluster, pool={"max_size": 10}) as place:
        score = await maltreat(place, operations, seed)
        await place.quiet()

        there = {row[0] for row in await place.router.fetch("SELECT number FROM cut", route="write", timeout=60)}
        assert set(score.acknowledged) <= there, "an acknowledged write is missing"
        assert score.finished + score.cancelled + score.unknown == operations and score.unknown == 0
        assert all(node.breaker.opened == 0 for context in place.router._parts.contexts for node in context.nodes)
        return score


async def test_random_cancellation(cluster: LocalCluster) -> None:
    """6,000 operations, a tenth of them cancelled; the table's key would refuse a second copy of a write."""
    score = await check(cluster, 6000, seed=11)

    assert score.cancelled > 200


@pytest.mark.soak
async def test_random_cancellation_at_length(cluster: LocalCluster) -> None:
    """200,000 operations."""
    score = await check(cluster, 200_000, seed=12)

    name, written = cluster.kind.value, len(score.acknowledged)
    print(f"{name}: {score.finished} finished, {score.cancelled} cancelled, {written} writes acknowledged")
