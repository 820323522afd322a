"""With servers that accept and never answer, every public call ends within its time-out, and all comes back when they do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from dbrouter import DBRouterError, OutcomeUnknownError, Router, Transaction
from dbrouter.testing import FaultProxy, LocalCluster
from tests.load import Lag, all_usable, prepare, proxied
from tests.routers import configuration, dialect

TIMEOUT = 0.3
EXACT = 0.05
"""What a call may take beyond its time-out, besides the loop's own lateness (`Lag`)."""
RECLAIMED = 2.0
"""Seconds after healing by which every slot of every pool is free again."""


class Calls:
    """Every public call with a time limit, by name."""

    def __init__(self, router: Router, cluster: LocalCluster) -> None:
        self._router = router
        self._insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")

    def all(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Name → call."""
        router, insert = self._router, self._insert
        return {
            "execute read": lambda: router.execute("SELECT 1", timeout=TIMEOUT),
            "execute write": lambda: router.execute(insert, 1, 0, timeout=TIMEOUT),
            "execute idempotent": lambda: router.execute(insert, 2, 0, timeout=TIMEOUT, idempotent=True),
            "fetch": lambda: router.fetch("SELECT 1", timeout=TIMEOUT),
            "fetchrow": lambda: router.fetchrow("SELECT 1", timeout=TIMEOUT, route="write"),
            "fetchval": lambda: router.fetchval("SELECT 1", timeout=TIMEOUT),
            "executemany": lambda: router.executemany(insert, [(3, 0), (3, 1)], timeout=TIMEOUT),
            "batch": lambda: router.batch([(insert, (4, 0)), (insert, (4, 1))], timeout=TIMEOUT),
            "stream": self._stream,
            "transaction": self._transaction,
            "transaction readonly": lambda: self._transaction(readonly=True),
            "run": lambda: router.run(self._work, timeout=TIMEOUT),
            "run readonly": lambda: router.run(lambda tx: tx.fetchval("SELECT 1"), readonly=True, timeout=TIMEOUT),
            "connection": self._connection,
            "connection readonly": lambda: self._connection(readonly=True),
        }

    async def _work(self, tx: Transaction) -> None:
        await tx.execute(self._insert, 5, 0)

    async def _stream(self) -> None:
        async with self._router.stream("SELECT id FROM load_item", timeout=TIMEOUT) as rows:
            async for _ in rows:
                pass

    async def _transaction(self, readonly: bool = False) -> None:
        async with self._router.transaction(timeout=TIMEOUT, readonly=readonly):
            pass

    async def _connection(self, readonly: bool = False) -> None:
        async with self._router.connection(timeout=TIMEOUT, readonly=readonly) as conn:
            await conn.fetchval("SELECT 1", timeout=TIMEOUT)


class Overdue:
    """Collects how long calls took; what may be late is their time limit, 50 ms, and what the loop itself was late."""

    def __init__(self) -> None:
        self.late: list[str] = []
        self.worst = 0.0

    async def measure(
        self, name: str, call: Callable[[], Awaitable[Any]], limit: float, since: Callable[[], float] | None = None
    ) -> None:
        """Make one call, which must raise an error of ours within *limit* and 50 ms of its beginning, or of *since*."""
        with Lag() as lag:
            started = monotonic()
            with pytest.raises(DBRouterError):
                await call()
            took = monotonic() - (since() if since is not None else started)
        self.worst = max(self.worst, took - limit - lag.worst)
        if took > limit + EXACT + lag.worst:
            self.late.append(f"{name}: {took:.3f}s of {limit:g}s (the loop was up to {lag.worst * 1000:.0f} ms late)")

    def assert_none(self) -> None:
        """Everything was in time."""
        assert not self.late, self.late


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """The port of a socket that the kernel accepts connections for and that nobody ever reads."""
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        yield listener.getsockname()[1]
    finally:
        listener.close()


async def every_call_ends(router: Router, cluster: LocalCluster) -> None:
    """Each call alone, then all of them several times at once."""
    overdue = Overdue()
    calls = Calls(router, cluster).all()
    for name, call in calls.items():
        await overdue.measure(name, call, TIMEOUT)
    await asyncio.gather(*(overdue.measure(name, call, TIMEOUT) for name, call in calls.items() for _ in range(4)))
    overdue.assert_none()


async def close_in_time(router: Router) -> None:
    """`aclose` keeps to its own time limit."""
    with Lag() as lag:
        started = monotonic()
        await router.aclose(timeout=TIMEOUT)
        took = monotonic() - started
    assert took <= TIMEOUT + EXACT + lag.worst, f"aclose took {took:.3f}s"


async def assert_reclaimed(router: Router, since: float) -> None:
    """By two seconds after *since* no slot is held by anything, and every pool serves as many as it has."""
    with Lag() as lag:
        while True:
            pools = [member.pool for member in router.stats().members]
            held = [pool for pool in pools if pool.in_use or pool.settling or pool.closing or pool.waiting]
            if not held and router.health().ready("all"):
                break
            assert monotonic() - since <= RECLAIMED + lag.worst, [*held, *router.health().nodes]
            await asyncio.sleep(0.01)


async def full_house(router: Router, cluster: LocalCluster) -> None:
    """As many slow statements at once as all pools together have slots: all are served at the same time."""
    sleep = dialect(cluster).sleep(0.05)
    size = router.stats().members[0].pool.max_size
    replicas = len(cluster.replicas)
    await asyncio.gather(
        *(router.execute(sleep, timeout=3) for _ in range(size * replicas)),
        *(router.execute(sleep, route="write", timeout=3) for _ in range(size)),
    )


async def test_silent_from_the_start(cluster: LocalCluster) -> None:
    """Listeners that never say a word: each call ends in time, and so does closing."""
    async with silent() as first, silent() as second:
        source = configuration(cluster, start="none")
        source["writer"] = cluster.primary.dsn().replace(f":{cluster.primary.port}/", f":{first}/")
        source["readers"] = [cluster.primary.dsn().replace(f":{cluster.primary.port}/", f":{second}/")]
        router = await Router.open(source)
        try:
            await every_call_ends(router, cluster)
        finally:
            await close_in_time(router)


async def test_black_holes_from_the_start(cluster: LocalCluster) -> None:
    """Every node is a black hole when the router opens: each call ends in time; after healing all of it works."""
    async with proxied(cluster) as (proxies, source):
        for proxy in proxies:
            proxy.black_hole()
        async with Router.open(source | {"start": "none", "timeouts": {"connect": "1s"}}) as router:
            await every_call_ends(router, cluster)
            healed = monotonic()
            heal(proxies)
            await assert_reclaimed(router, healed)
            await full_house(router, cluster)


async def test_black_holes_after_warming_up(cluster: LocalCluster) -> None:
    """
    Pools are full of good connections when every node falls silent: each call ends in time, all slots are free 2 s after
    healing, and as many statements as before run at once.
    """
    async with proxied(cluster) as (proxies, source), Router.open(source | {"start": "all"}) as router:
        await prepare(router, cluster)
        await full_house(router, cluster)
        for proxy in proxies:
            proxy.black_hole()
        await every_call_ends(router, cluster)
        healed = monotonic()
        heal(proxies)
        await assert_reclaimed(router, healed)
        await full_house(router, cluster)


async def test_closing_while_everything_is_silent(cluster: LocalCluster) -> None:
    """aclose keeps to its time limit with idle connections, with statements under way, and with a transaction open."""
    async with proxied(cluster) as (proxies, source):
        for busy in (False, True):
            router = await Router.open(source | {"start": "all"})
            try:
                await full_house(router, cluster)
            except BaseException:
                await router.aclose()
                raise
            waiting: list[asyncio.Task[Any]] = []
            if busy:
                waiting.append(asyncio.create_task(open_for_ever(router)))
                await asyncio.sleep(0.05)
            for proxy in proxies:
                proxy.black_hole()
            if busy:
                waiting += [asyncio.create_task(router.execute("SELECT 1", timeout=None)) for _ in range(4)]
                waiting.append(asyncio.create_task(router.execute("INSERT INTO load_entry VALUES (9, 9)", timeout=None)))
                await asyncio.sleep(0.05)
            await close_in_time(router)
            heal(proxies)
            ends = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 2.0)
            assert all(isinstance(end, Exception) for end in ends), ends


async def open_for_ever(router: Router) -> None:
    """A transaction whose block waits inside a statement that takes longer than anybody waits."""
    async with router.transaction() as tx:
        while True:
            await tx.fetchval("SELECT 1", timeout=None)
            await asyncio.sleep(0.01)


async def test_calls_inside_a_block_end_in_time(cluster: LocalCluster) -> None:
    """The node falls silent inside transaction(), connection() and stream(): the calls in there and leaving them end in time."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    async with proxied(cluster) as (proxies, source):
        overdue = Overdue()
        async with Router.open(source | {"start": "all", "timeouts": {"call": TIMEOUT, "connect": "1s"}}) as router:
            await prepare(router, cluster)

            silent_since = 0.0

            def fall_silent() -> None:
                nonlocal silent_since
                silence(proxies)
                silent_since = monotonic()  # What came before in the block was answered, by a server that may be slow.

            async def statement() -> None:
                async with router.transaction() as tx:
                    await tx.execute(insert, 1, 0)
                    fall_silent()
                    await tx.execute(insert, 1, 1)

            async def commit() -> None:
                async with router.transaction() as tx:
                    await tx.execute(insert, 2, 0)
                    fall_silent()

            async def savepoint() -> None:
                async with router.transaction() as tx:
                    fall_silent()
                    async with tx.transaction():
                        await tx.execute(insert, 3, 0)

            async def pinned() -> None:
                async with router.connection() as conn:
                    await conn.execute(insert, 4, 0)
                    fall_silent()
                    await conn.execute(insert, 4, 1)

            async def streamed() -> None:
                # Some MB, more than any buffer on the way holds.
                async with router.stream("SELECT a.id, repeat('x', 100) FROM load_item a, load_item b", batch=10) as rows:
                    fall_silent()
                    async for _ in rows:
                        pass

            async def run() -> None:
                async def work(tx: Transaction) -> None:
                    await tx.execute(insert, 5, 0)
                    fall_silent()
                    await tx.execute(insert, 5, 1)

                await router.run(work)

            for call in (statement, commit, savepoint, pinned, run, streamed):
                await overdue.measure(call.__name__, call, TIMEOUT, lambda: silent_since)
                healed = monotonic()
                heal(proxies)
                await assert_reclaimed(router, healed)
            await all_usable(router)
            overdue.assert_none()


async def test_leaving_a_block_by_an_error_is_bounded(cluster: LocalCluster) -> None:
    """ROLLBACK into a silent network does not hold the caller's own exception for longer than the call's time limit."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    settings = {"start": "all", "timeouts": {"call": TIMEOUT, "connect": "1s"}}
    async with proxied(cluster) as (proxies, source), Router.open(source | settings) as router:
        await prepare(router, cluster)
        with Lag() as lag:
            started = monotonic()
            with pytest.raises(KeyError):
                async with router.transaction() as tx:
                    await tx.execute(insert, 1, 0)
                    silence(proxies)
                    started = monotonic()
                    raise KeyError
            took = monotonic() - started
        healed = monotonic()
        heal(proxies)
        await assert_reclaimed(router, healed)

        assert took <= TIMEOUT + EXACT + lag.worst, f"leaving took {took:.3f}s"
        assert await router.fetchval("SELECT count(*) FROM load_entry", route="write") == 0


@pytest.mark.parametrize("left_by", [None, KeyError])
@pytest.mark.parametrize(
    "text", ["SELECT id FROM load_item", "INSERT INTO load_entry SELECT id, 0 FROM load_item RETURNING number"]
)
async def test_leaving_a_stream_is_bounded_by_its_own_time_limit(
    pg: LocalCluster, text: str, left_by: type[Exception] | None
) -> None:
    """COMMIT and ROLLBACK of a stream into a silent network take the stream's time limit, not that of calls."""
    settings = {"start": "all", "timeouts": {"call": 30, "connect": "1s"}, "probe": {"interval": "30s", "timeout": "30s"}}
    async with proxied(pg) as (proxies, source), Router.open(source | settings) as router:
        await prepare(router, pg)
        ended: list[BaseException | None] = []
        with Lag() as lag:
            started = monotonic()
            try:
                async with router.stream(text, batch=2, timeout=TIMEOUT) as rows:
                    async for _ in rows:
                        silence(proxies)
                        started = monotonic()
                        if left_by is not None:
                            raise left_by
                        break
                ended.append(None)
            except Exception as error:
                ended.append(error)
            took = monotonic() - started
        healed = monotonic()
        heal(proxies)
        await assert_reclaimed(router, healed)

        assert took <= TIMEOUT + EXACT + lag.worst, f"leaving took {took:.3f}s"
        expected = left_by or (type(None) if text.startswith("SELECT") else OutcomeUnknownError)
        assert isinstance(ended[0], expected), ended


def silence(proxies: list[FaultProxy]) -> None:
    """From now on nothing passes."""
    for proxy in proxies:
        proxy.black_hole()


def heal(proxies: list[FaultProxy]) -> None:
    """From now on everything passes."""
    for proxy in proxies:
        proxy.heal()
