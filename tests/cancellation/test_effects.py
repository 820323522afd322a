"""
Calls with effects – rewritten, cached, mirrored, delayed, logged, following writes – cancelled at each suspension and in the tick
of each hand-over, on fake and on real servers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import dbrouter
from dbrouter import Router
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from tests.places import Place, fake, numbers, real
from tests.routers import Dialect
from tests.stepping import CancelledAt, When, outcome
from tests.watching import until

RULES = [
    {"rule_id": 1, "tag": "rewritten", "match_pattern": "INTO torn", "replace_pattern": "INTO cut"},
    {"rule_id": 2, "tag": "cached", "cache_ttl": "1h"},
    {"rule_id": 3, "tag": "mirrored", "mirror_hostgroup": 1},
    {"rule_id": 4, "tag": "delayed", "delay": "1ms", "log": True},
    {"rule_id": 5, "tag": "following", "intent": "read", "gtid_from_hostgroup": 1, "next_query_flagIN": 0},
    {"rule_id": 6, "tag": "closing", "multiplex": 0},
    {"rule_id": 7, "tag": "drawn", "attributes": {"flagOUTs": [{"id": 1}, {"id": 2}]}},
    {"rule_id": 8, "flagIN": 1, "destination_hostgroup": 1, "apply": True},
]
INSERT = "INSERT INTO cut VALUES ({1}, {2})"
Operation = Callable[[Router, Dialect, int], Awaitable[Any]]


def _read(speak: Dialect) -> str:
    return speak.sql("SELECT {1}" + ("::int" if speak.postgresql else "") + " AS n")


async def rewritten(router: Router, speak: Dialect, number: int) -> None:
    """A write whose table is another one, pooled and in a transaction."""
    await router.execute(speak.sql(INSERT.replace("cut", "torn")), number, 1, tag="rewritten")
    async with router.transaction() as tx:
        await tx.execute(speak.sql(INSERT.replace("cut", "torn")), number, 2, tag="rewritten")


async def cached(router: Router, speak: Dialect, number: int) -> None:
    """A read that is stored, and one that finds it."""
    for _ in range(2):
        assert await router.fetchval(_read(speak), number, tag="cached") == number


async def mirrored(router: Router, speak: Dialect, number: int) -> None:
    """A read with a copy on the primary."""
    assert await router.fetchval(_read(speak), number, tag="mirrored") == number


async def delayed(router: Router, speak: Dialect, number: int) -> None:
    """A write and a read that wait before they are sent."""
    await router.execute(speak.sql(INSERT), number, 1, tag="delayed")
    assert await router.fetchval(_read(speak), number, tag="delayed") == number
    async with router.stream(_read(speak), number, tag="delayed") as rows:
        assert [row[0] async for row in rows] == [number]


async def following(router: Router, speak: Dialect, number: int) -> None:
    """A read behind a write of the same context."""
    with dbrouter.context():
        await router.execute(speak.sql(INSERT), number, 1, tag="following")
        text = speak.sql("SELECT count(*) FROM cut WHERE number = {1}")
        assert await router.fetchval(text, number, tag="following") == 1


async def closing(router: Router, speak: Dialect, number: int) -> None:
    """A read whose connection is closed afterwards."""
    assert await router.fetchval(_read(speak), number, tag="closing") == number


async def drawn(router: Router, speak: Dialect, number: int) -> None:
    """Reads that go here or there by chance."""
    for _ in range(3):
        assert await router.fetchval(_read(speak), number, tag="drawn") == number


OPERATIONS: dict[Operation, int] = {
    rewritten: 2,
    cached: 0,
    mirrored: 0,
    delayed: 1,
    following: 1,
    closing: 0,
    drawn: 0,
}
operations = pytest.mark.parametrize("operation", OPERATIONS)
moments = pytest.mark.parametrize("when", ["at", "after"])


async def cut_everywhere(place: Place, operation: Operation, when: When) -> int:
    """Run *operation* again and again, cancelled one suspension later each time; how many suspensions it has."""
    whole = list(range(1, 1 + OPERATIONS[operation]))
    for k in range(300):
        number = next(numbers)
        driven = CancelledAt(operation(place.router, place.speak, number), k, when)
        ended = await outcome(driven)
        await until(lambda: not (place.router.stats().mirror.running + place.router.stats().mirror.waiting), what="the copies")
        await place.quiet()
        there = await place.parts(number)
        assert there == whole if ended else there == whole[: len(there)], "half of it is there"
        if not driven.cancelled:
            return k
    raise AssertionError("it never ends")


@moments
@operations
@pytest.mark.parametrize("engine", list(Engine))
async def test_cancelled_anywhere_on_the_fake(engine: Engine, operation: Operation, when: When) -> None:
    """Nothing is left behind, nothing is answered with somebody else's rows, and copies end by themselves."""
    async with fake(engine, query_rules=RULES) as place:
        assert await cut_everywhere(place, operation, when) >= 1
        assert place.router.stats().mirror.failed == 0


@moments
@operations
async def test_cancelled_anywhere_on_real_servers(cluster: LocalCluster, operation: Operation, when: When) -> None:
    """The same where a cancelled statement goes on running on its server."""
    async with real(cluster, query_rules=RULES) as place:
        assert await cut_everywhere(place, operation, when) >= 1
        assert place.router.stats().mirror.failed == 0
