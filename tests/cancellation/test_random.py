"""Random cancellation of a mixed load: whatever is cut, the numbers add up and every acknowledged write is there exactly once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from time import monotonic

import pytest

from dbrouter import OutcomeUnknownError, Transaction
from dbrouter.testing import LocalCluster
from tests.places import Place, numbers, real

TASKS = 40
CUT_SHARE = 0.1


@dataclass
class Score:
    """What became of the operations; writes by their number with how many rows each has."""

    finished: int = 0
    cancelled: int = 0
    unknown: int = 0
    acknowledged: dict[int, int] = field(default_factory=dict)
    atomic: dict[int, int] = field(default_factory=dict)
    """Those that are there as a whole or not at all, acknowledged or not."""
    undone: set[int] = field(default_factory=set)


async def one(place: Place, rng: random.Random, score: Score) -> None:
    """One operation of a mixed load."""
    router, speak, number = place.router, place.speak, next(numbers)
    insert = speak.sql("INSERT INTO cut VALUES ({1}, {2})")
    kind = rng.random()
    if kind < 0.66:
        assert await router.fetchval(place.nonce(), number) == number
    elif kind < 0.80:
        await router.execute(insert, number, 1)
        score.acknowledged[number] = 1
    elif kind < 0.86:
        score.atomic[number] = 2
        async with router.transaction() as tx:
            await tx.execute(insert, number, 1)
            assert await tx.fetchval(place.nonce(), number) == number
            await tx.execute(insert, number, 2)
        score.acknowledged[number] = 2
    elif kind < 0.89:
        score.undone.add(number)
        try:
            async with router.transaction() as tx:
                await tx.execute(insert, number, 1)
                raise KeyError
        except KeyError:
            pass
    elif kind < 0.92:
        score.atomic[number] = 1

        async def work(tx: Transaction) -> None:
            await tx.execute(insert, number, 1)

        await router.run(work)
        score.acknowledged[number] = 1
    elif kind < 0.94:
        score.atomic[number] = 2
        results = await router.batch([(insert, (number, 1)), (place.nonce(), (number,)), (insert, (number, 2))])
        assert results[1][0][0] == number
        score.acknowledged[number] = 2
    elif kind < 0.96:
        score.atomic[number] = 5
        await router.executemany(insert, [(number, part) for part in range(5)])
        score.acknowledged[number] = 5
    elif kind < 0.98:
        async with router.connection() as conn:
            assert await conn.fetchval(place.nonce(), number) == number
            assert await conn.fetchval(place.nonce(), -number) == -number
    else:
        nonce = speak.sql("SELECT number, {1}" + ("::int" if speak.postgresql else "") + " FROM cut ORDER BY number LIMIT 100")
        async with router.stream(nonce, number, batch=20) as rows:
            async for row in rows:
                assert row[1] == number
                if rng.random() < 0.02:
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

        rows = await place.router.fetch("SELECT number, count(*) FROM cut GROUP BY number", route="write", timeout=60)
        there = {row[0]: row[1] for row in rows}
        lost = {number for number, parts in score.acknowledged.items() if there.get(number) != parts}
        assert lost == set(), "an acknowledged write is missing, or half of it"
        assert all(there.get(number) in (None, parts) for number, parts in score.atomic.items()), "half a transaction is there"
        assert score.undone.isdisjoint(there), "what was rolled back is there"
        assert score.finished + score.cancelled == operations and score.unknown == 0
        assert all(node.breaker.opened == 0 for node in place.context.nodes)
        assert len(place.context.writer.members[0].pool._state.seats) <= 10
        return score


async def test_random_cancellation(cluster: LocalCluster) -> None:
    """6,000 operations, a tenth of them cancelled; the table's key would refuse a second copy of a write."""
    score = await check(cluster, 6000, seed=11)

    assert score.cancelled > 200


@pytest.mark.soak
async def test_random_cancellation_at_length(cluster: LocalCluster) -> None:
    """200,000 operations."""
    started = monotonic()
    score = await check(cluster, 200_000, seed=12)

    print(
        f"{cluster.kind.value}: {score.finished} finished, {score.cancelled} cancelled, {len(score.acknowledged)} writes"
        f" acknowledged, each there exactly once, {score.unknown} unknown, {monotonic() - started:.0f} s"
    )
