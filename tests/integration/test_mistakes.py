"""A caller's mistake is the caller's alone: nothing is repeated for it, no connection is lost by it, no node is blamed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dbrouter import DeadlineExceededError, ParameterError, Router, StatementRejectedError, Transaction
from dbrouter.testing import LocalCluster
from tests.routers import Dialect, configuration, dialect, enter, routed

TABLE = ("DROP TABLE IF EXISTS fed", "CREATE TABLE fed(id int PRIMARY KEY, body text)")

Feed = Callable[[Router, Dialect], Awaitable[Any]]


def text(speak: Dialect) -> str:
    """A statement with one parameter of any type."""
    return speak.sql("SELECT {1}" + ("::text" if speak.postgresql else ""))


def insert(speak: Dialect) -> str:
    """An INSERT of a number and a text."""
    return speak.sql("INSERT INTO fed VALUES ({1}, {2})")


MISTAKES: dict[str, Feed] = {
    "a lone surrogate in a parameter": lambda router, speak: router.execute(text(speak), "\ud800"),
    "a lone surrogate in a text": lambda router, speak: router.execute("SELECT '\ud800'", route="write"),
    "a lone surrogate by name": lambda router, speak: router.execute("SELECT :a", {"a": "\ud800"}),
    "a lone surrogate in many rows": lambda router, speak: router.executemany(insert(speak), [(1, "a"), (2, "\ud800")]),
    "a lone surrogate in run": lambda router, speak: router.run(lambda tx: tx.execute(text(speak), "\ud800")),
    "an object": lambda router, speak: router.execute(text(speak), object()),
    "an object in many rows": lambda router, speak: router.executemany(insert(speak), [(1, object())]),
    "a generator": lambda router, speak: router.execute(text(speak), (n for n in range(3))),
    "numbers for rows": lambda router, speak: router.executemany(insert(speak), [1, 2]),  # type: ignore[list-item]
    "texts for rows": lambda router, speak: router.executemany(insert(speak), ["ab"]),
    "a text for a batch": lambda router, speak: router.batch("DELETE FROM fed"),
    "too few values in a batch": lambda router, speak: router.batch([(insert(speak), (1,))]),
    "a list for a text": lambda router, speak: router.execute(["SELECT 1"]),  # type: ignore[arg-type]
    "nothing for a text": lambda router, speak: router.fetchval(None),  # type: ignore[arg-type]
    "a number for an isolation": lambda router, speak: enter(router.transaction(isolation=5)),  # type: ignore[arg-type]
    "a time limit in words": lambda router, speak: router.execute("SELECT 1", timeout="5s"),  # type: ignore[arg-type]
    "no number as a time limit": lambda router, speak: router.run(lambda tx: tx.fetchval("SELECT 1"), timeout=math.nan),
}


@pytest.mark.parametrize("what", list(MISTAKES))
async def test_a_mistake_costs_nobody_anything(cluster: LocalCluster, what: str) -> None:
    """An error at once; no connection was lost, no breaker has counted anything, nothing was repeated."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        await router.fetchval("SELECT 1")
        expected = (ParameterError, TypeError, ValueError) if _ours(what, speak) else Exception
        for _ in range(3):
            with pytest.raises(expected) as caught:
                await asyncio.wait_for(MISTAKES[what](router, speak), 2)
            assert str(caught.value) and not isinstance(caught.value, TimeoutError)

        stats, health = router.stats(), router.health()
        assert all(node.breaker.failed_calls == 0 for node in health.nodes)
        assert sum(group.retries for group in stats.hostgroups) == 0
        assert not any(member.pool.closed.get("broken") for member in stats.members), "no connection was lost by it"
        assert await router.fetchval("SELECT count(*) FROM fed", route="write") == 0
        assert await router.fetchval("SELECT 1") == 1


def _ours(what: str, speak: Dialect) -> bool:
    """asyncpg has errors of its own for values that it cannot encode."""
    return not speak.postgresql or not what.startswith(("a lone surrogate", "an object", "a generator", "too few"))


@pytest.mark.parametrize("timeout", [0, 0.0, -1.0, -5])
async def test_a_time_limit_that_has_passed_sends_nothing(cluster: LocalCluster, timeout: float) -> None:
    """What is left of a caller's own limit may be nothing: a TimeoutError, and the table stays as it is."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        for call in (
            lambda: router.execute(insert(speak), 1, "x", timeout=timeout),
            lambda: router.fetchval("SELECT 1", timeout=timeout),
            lambda: router.executemany(insert(speak), [(2, "x")], timeout=timeout),
            lambda: router.batch([(insert(speak), (3, "x"))], timeout=timeout),
            lambda: router.run(lambda tx: tx.execute(insert(speak), 4, "x"), timeout=timeout),
        ):
            with pytest.raises(DeadlineExceededError, match="nothing was sent"):
                await call()
        for make in (router.transaction, router.connection, lambda timeout: router.stream("SELECT 1", timeout=timeout)):
            with pytest.raises(DeadlineExceededError, match="nothing was sent"):
                await enter(make(timeout=timeout))

        assert await router.fetchval("SELECT count(*) FROM fed", route="write") == 0


async def test_commit_is_not_sent_after_the_deadline(cluster: LocalCluster) -> None:
    """A function that outlasts run()'s time limit is rolled back, and that is certain."""
    speak = dialect(cluster)

    async def dawdle(tx: Transaction) -> None:
        await tx.execute(insert(speak), 1, "x")
        await asyncio.sleep(0.3)

    async with routed(cluster, *TABLE) as router:
        with pytest.raises(DeadlineExceededError, match="before COMMIT was sent"):
            await router.run(dawdle, timeout=0.2)

        assert await router.fetchval("SELECT count(*) FROM fed", route="write") == 0
        assert router.stats().hostgroups[0].retries == 0


async def test_a_block_is_entered_once(cluster: LocalCluster) -> None:
    """Entering the same transaction or connection twice would lose a connection: it is refused, inside and afterwards."""
    async with routed(cluster, pool={"max_size": 2}) as router:
        for block in (router.transaction(), router.connection()):
            async with block:
                with pytest.raises(StatementRejectedError, match="opened before"):
                    await enter(block)
            with pytest.raises(StatementRejectedError, match="opened before"):
                await enter(block)

        assert all(member.pool.in_use == 0 for member in router.stats().members)


@pytest.mark.parametrize("megabytes", [17, 40])
async def test_a_statement_larger_than_the_server_takes(mariadb: LocalCluster, megabytes: int) -> None:
    """Beyond max_allowed_packet, in two packets of the protocol and in three: the server's own error, once, from every call."""
    huge = f"INSERT INTO fed VALUES (1, '{'x' * (megabytes << 20)}')"
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute(huge)

    async with Router.open(configuration(mariadb, start="all")) as router:
        for statement in TABLE:
            await router.execute(statement)
        for call in (lambda: router.execute(huge), lambda: router.run(work)):
            with pytest.raises(Exception, match="max_allowed_packet") as caught:
                await call()
            assert caught.value.args[0] == 1153

        assert runs == 1 and sum(group.retries for group in router.stats().hostgroups) == 0
        assert all(node.breaker.failed_calls == 0 for node in router.health().nodes)
        assert await router.fetchval("SELECT count(*) FROM fed", route="write") == 0
