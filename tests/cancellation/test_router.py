"""
Every public operation of a router, cancelled at each of its awaits and in the tick after a hand-over; on the fake and on servers.

The operation is driven suspension by suspension: at number k the task is cancelled just before it would wait ("at"), or when
what it waited for has come but the task has not run yet ("after"). k grows until the operation ends before it is reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dbrouter import Router, Transaction
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from dbrouter.testing.fake import FakeDriver, FakeError
from tests import fakes
from tests.places import LOCK, Place, fake, numbers, real
from tests.routers import Dialect, configuration
from tests.stepping import CancelledAt, When, outcome
from tests.watching import until

Operation = Callable[[Router, Dialect, int], Awaitable[Any]]
INSERT = "INSERT INTO cut VALUES ({1}, {2})"


# ---- the operations; the numbers say how many rows each leaves where it ends well


async def read(router: Router, speak: Dialect, number: int) -> None:
    """Pooled reads."""
    text = speak.sql("SELECT {1}" + ("::int" if speak.postgresql else "") + " AS n")
    assert await router.fetchval(text, number) == number
    assert (await router.fetchrow(text, number))["n"] == number
    assert [row["n"] for row in await router.fetch(text, number, route="write")] == [number]
    assert (await router.execute(text, number))[0]["n"] == number


async def write(router: Router, speak: Dialect, number: int) -> None:
    """An autocommit write."""
    await router.execute(speak.sql(INSERT), number, 1)


async def many(router: Router, speak: Dialect, number: int) -> None:
    """executemany."""
    await router.executemany(speak.sql(INSERT), [(number, part) for part in range(1, 8)])


async def batch(router: Router, speak: Dialect, number: int) -> None:
    """batch."""
    insert = speak.sql(INSERT)
    await router.batch([(insert, (number, 1)), "SELECT count(*) FROM cut", (insert, (number, 2))])


async def transaction(router: Router, speak: Dialect, number: int) -> None:
    """A transaction with a savepoint that stays and one that is undone."""
    async with router.transaction() as tx:
        await asyncio.sleep(0)
        async with tx.transaction():
            await tx.execute(speak.sql(INSERT), number, 1)
            await asyncio.sleep(0)
        try:
            async with tx.transaction():
                await tx.execute(speak.sql(INSERT), number, -1)
                raise KeyError
        except KeyError:
            pass
        await tx.execute(speak.sql(INSERT), number, 2)


async def undone(router: Router, speak: Dialect, number: int) -> None:
    """A transaction that its own block gives up."""
    try:
        async with router.transaction() as tx:
            await tx.execute(speak.sql(INSERT), number, -1)
            raise KeyError
    except KeyError:
        pass


async def run(router: Router, speak: Dialect, number: int) -> None:
    """run."""

    async def work(tx: Transaction) -> None:
        await tx.execute(speak.sql(INSERT), number, 1)
        await asyncio.sleep(0)

    await router.run(work)


async def stream(router: Router, speak: Dialect, number: int) -> None:
    """A stream read to its end, and one left early."""
    async with router.stream("SELECT number FROM cut ORDER BY number", batch=3, route="write") as rows:
        seen = [row[0] async for row in rows]
    assert seen == sorted(seen)
    async with router.stream("SELECT number FROM cut", batch=3) as rows:
        async for _ in rows:
            await asyncio.sleep(0)
            break


async def pinned(router: Router, speak: Dialect, number: int) -> None:
    """Statements on a pinned connection."""
    async with router.connection() as conn:
        await conn.execute(speak.sql(INSERT), number, 1)
        await asyncio.sleep(0)
        await conn.fetchval("SELECT 1")


async def locked(router: Router, speak: Dialect, number: int) -> None:
    """A session lock on a pinned connection, never given back by hand."""
    async with router.connection() as conn:
        await conn.execute(f"SELECT pg_advisory_lock({LOCK})" if speak.postgresql else f"SELECT GET_LOCK('{LOCK}', 5)")
        await asyncio.sleep(0)


OPERATIONS: dict[Operation, int] = {
    read: 0,
    write: 1,
    many: 7,
    batch: 2,
    transaction: 2,
    undone: 0,
    run: 1,
    stream: 0,
    pinned: 1,
}
ATOMIC = (many, batch, transaction, run)
operations = pytest.mark.parametrize("operation", OPERATIONS)
moments = pytest.mark.parametrize("when", ["at", "after"])


# ---- the circumstances


def warm(place: Place) -> None:
    """Idle connections are there."""


def cold(place: Place) -> None:
    """Every connection has to be made first."""
    place.cool()


def troubled(place: Place) -> None:
    """The first thing that each server is asked fails, in a way that is tried again after a pause or elsewhere."""
    for server in place.servers.values():
        server._failures.clear()
        code = "40001" if server.name == fakes.WRITER else "57P01"
        server.fail_next(FakeError(f"{server.name} failed as it was told", code))


async def cut_everywhere(place: Place, operation: Operation, when: When, before: Callable[[Place], None] = warm) -> int:
    """Run *operation* again and again, cancelled one suspension later each time; how many suspensions it has."""
    for k in range(300):
        if not await cut_once(place, operation, CancelledAt, k, when, before=before):
            return k
    raise AssertionError("it never ends")


async def cut_once(place: Place, operation: Operation, drive: Any, *how: Any, before: Callable[[Place], None] = warm) -> int:
    """Run *operation*, driven by *drive*, and look at what is left; how often it was cancelled."""
    number = next(numbers)
    before(place)
    driven = drive(operation(place.router, place.speak, number), *how)
    ended = await outcome(driven)
    for server in place.servers.values():
        server._failures.clear()
    await place.quiet()
    whole, there = list(range(1, 1 + OPERATIONS.get(operation, 0))), await place.parts(number)
    if ended:
        assert there == whole, "what ended well is there"
    else:
        assert there == [] or there == whole or (operation not in ATOMIC and there == whole[: len(there)]), "half of it is there"
    return int(driven.cancelled)


@moments
@operations
@pytest.mark.parametrize("before", [warm, cold])
@pytest.mark.parametrize("engine", list(Engine))
async def test_cancelled_anywhere_on_the_fake(
    engine: Engine, before: Callable[[Place], None], operation: Operation, when: When
) -> None:
    """Nothing is left behind, wherever the cancellation arrives."""
    async with fake(engine) as place:
        assert await cut_everywhere(place, operation, when, before) >= 1


@moments
@pytest.mark.parametrize("operation", [read, write, many, batch, transaction, undone, run])
@pytest.mark.parametrize("engine", list(Engine))
async def test_cancelled_anywhere_between_attempts(engine: Engine, operation: Operation, when: When) -> None:
    """Nor where it comes while the call is tried again: in the pause before it, on another node, at the primary."""
    patient = {"attempts": 10, "backoff": "1ms", "backoff_max": "2ms", "budget_min": 1000}
    async with fake(engine, retry=patient, breaker={"consecutive_failures": 1000, "minimum_calls": 100_000}) as place:
        assert await cut_everywhere(place, operation, when, troubled) >= 1


@moments
@operations
@pytest.mark.parametrize("engine", list(Engine))
async def test_cancelled_twice_on_the_fake(engine: Engine, operation: Operation, when: When) -> None:
    """A second cancellation, which meets the first one's cleaning up, leaves nothing behind either."""
    async with fake(engine) as place:
        for k in range(300):
            for again in range(1, 20):
                cancelled = await cut_once(place, operation, CancelledAt, k, when, again)
                if cancelled < 2:
                    break
            else:
                raise AssertionError("cleaning up never ends")
            if not cancelled:
                return
        raise AssertionError("it never ends")


@moments
@pytest.mark.parametrize("operation", [read, write, many, transaction, stream, pinned])
async def test_cancelled_in_line_on_the_fake(operation: Operation, when: When) -> None:
    """Where others hold every connection and give them back meanwhile."""
    async with fake(pool={"max_size": 1, "min_size": 0}) as place:
        held: list[asyncio.Task[None]] = []

        async def hold(hostgroup: str, ready: asyncio.Event) -> None:
            async with place.router.connection(hostgroup=hostgroup):
                ready.set()
                for _ in range(4):
                    await asyncio.sleep(0)

        async def occupied(router: Router, speak: Dialect, number: int) -> None:
            await operation(router, speak, number)

        for k in range(300):
            number, events = next(numbers), [asyncio.Event() for _ in range(3)]
            held = [
                asyncio.ensure_future(hold(group, event)) for group, event in zip(("write", "read", "read"), events, strict=True)
            ]
            await asyncio.gather(*(event.wait() for event in events))
            driven = CancelledAt(occupied(place.router, place.speak, number), k, when)
            await outcome(driven)
            await asyncio.gather(*held)
            await place.quiet()
            if not driven.cancelled:
                assert k > 1
                return
        raise AssertionError("it never ends")


@moments
@pytest.mark.parametrize("operation", [*OPERATIONS, locked])
async def test_cancelled_anywhere_on_real_servers(cluster: LocalCluster, operation: Operation, when: When) -> None:
    """The same where a cancelled statement goes on running on its server."""
    async with real(cluster) as place:
        assert await cut_everywhere(place, operation, when) >= 1


@pytest.mark.parametrize("operation", [read, write, transaction])
async def test_cancelled_anywhere_with_connections_to_be_made(cluster: LocalCluster, operation: Operation) -> None:
    """The same where nothing is idle and no statement is known to its connection."""
    async with real(cluster) as place:
        assert await cut_everywhere(place, operation, "after", cold) >= 2


# ---- opening and closing


@moments
async def test_opening_cancelled_anywhere(cluster: LocalCluster, when: When) -> None:
    """A router that was not opened leaves no task and no socket (the suite's watch looks)."""

    async def open_and_close() -> None:
        async with Router.open(configuration(cluster, start="all")) as router:
            await router.fetchval("SELECT 1")

    for k in range(200):
        driven = CancelledAt(open_and_close(), k, when)
        await outcome(driven)
        if not driven.cancelled:
            return
    raise AssertionError("it never ends")


@moments
@pytest.mark.parametrize("again", [None, 1, 2, 3])
async def test_opening_cancelled_anywhere_on_the_fake(when: When, again: int | None) -> None:
    """Nor where the cancellation comes twice."""
    before = asyncio.all_tasks()
    for k in range(200):
        servers = fakes.cluster()

        async def open_and_close(servers: Any = servers) -> None:
            source = fakes.configuration(start="all")
            async with Router.open(source, drivers=lambda _name: FakeDriver(servers)) as router:
                await router.fetchval("SELECT 1")

        driven = CancelledAt(open_and_close(), k, when, again)
        await outcome(driven)
        await until(lambda: asyncio.all_tasks() == before, what="no task")
        assert [server for server in servers.values() if server.connections] == []
        if not driven.cancelled:
            return
    raise AssertionError("it never ends")


@moments
async def test_closing_cancelled_anywhere(cluster: LocalCluster, when: When) -> None:
    """A cancelled aclose cuts what is left and leaves nothing either."""
    for k in range(200):
        router = await Router.open(configuration(cluster, start="all"))
        sleeping = asyncio.ensure_future(router.fetchval(Dialect(cluster.engine).sleep(0.05)))
        await asyncio.sleep(0.01)
        driven = CancelledAt(router.aclose(), k, when)
        await outcome(driven)
        await asyncio.gather(sleeping, return_exceptions=True)
        await router.aclose()
        assert len(router._parts.tasks) == 0
        if not driven.cancelled:
            return
    raise AssertionError("it never ends")


@moments
@pytest.mark.parametrize("again", [None, 1, 2])
async def test_closing_cancelled_anywhere_on_the_fake(when: When, again: int | None) -> None:
    """Whatever is in use and however often it is cancelled: after a second aclose, at the latest, nothing is left."""
    for k in range(200):
        servers = fakes.cluster()
        gate = servers[fakes.WRITER].hold("SELECT 'held'")
        router = await Router.open(fakes.configuration(start="all"), drivers=lambda _name: FakeDriver(servers))  # noqa: B023
        users = [asyncio.ensure_future(router.fetchval("SELECT 'held'", route="write")) for _ in range(3)]
        await until(lambda: gate.waiting == 3)  # noqa: B023
        asyncio.get_running_loop().call_later(0.002, gate.open)

        driven = CancelledAt(router.aclose(), k, when, again)
        ended = await outcome(driven)

        if not ended:
            await router.aclose()
        assert len(router._parts.tasks) == 0
        assert [server for server in servers.values() if server.connections] == []
        await asyncio.gather(*users, return_exceptions=True)
        if not driven.cancelled:
            return
    raise AssertionError("it never ends")


async def test_two_callers_of_aclose_both_find_everything_closed() -> None:
    """The second one waits for what the first one began."""
    servers = fakes.cluster()
    gate = servers[fakes.WRITER].hold("SELECT 'held'")
    router = await Router.open(fakes.configuration(start="all"), drivers=lambda _name: FakeDriver(servers))
    user = asyncio.ensure_future(router.fetchval("SELECT 'held'", route="write"))
    await until(lambda: gate.waiting)
    first = asyncio.ensure_future(router.aclose())
    await asyncio.sleep(0)

    second = asyncio.ensure_future(router.aclose())
    await asyncio.sleep(0.01)
    assert not second.done()
    gate.open()
    await second

    assert [server for server in servers.values() if server.connections] == []
    await asyncio.gather(first, user)
