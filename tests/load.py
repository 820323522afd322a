"""What the fault tests share: a steady load whose every answer is checked, the loop's own lag, and a router that sees its servers
through fault proxies."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Self

from dbrouter import Router
from dbrouter.events import BreakerChanged, Event, NodeRestored, NodeShunned
from dbrouter.testing import FaultProxy, LocalCluster
from dbrouter.testing.processes import ServerError
from dbrouter.testing.server import LocalServer
from tests.routers import Dialect, configuration, dialect, until

ROWS = 200
TABLES = (
    "DROP TABLE IF EXISTS load_item",
    "DROP TABLE IF EXISTS load_entry",
    "CREATE TABLE load_item(id int PRIMARY KEY, name varchar(40) NOT NULL)",
    "CREATE TABLE load_entry(number int NOT NULL, part int NOT NULL)",
)
"""`load_entry` has no unique key: what was applied twice is there twice."""

QUICK = {
    "probe": {"interval": "100ms", "timeout": "200ms"},
    "timeouts": {"connect": "500ms"},
    "breaker": {"open_for": "100ms", "open_for_max": "400ms"},
}
"""For tests in which the defaults are not the question."""


class Lag:
    """
    The loop's own lateness while the block runs: what a crowded machine adds to every time limit.

    A timer is due every 2 ms; `worst` is the most it was late, so any other timer of this loop may have been late by as much.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._arm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._timer is not None
        self._note()
        self._timer.cancel()

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + 0.002
        self._timer = loop.call_at(self._due, self._tick)

    def _note(self) -> None:
        self.worst = max(self.worst, asyncio.get_running_loop().time() - self._due)

    def _tick(self) -> None:
        self._note()
        self._arm()


class Diary:
    """What became of the nodes, with moments, for the messages of tests that fail."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._started = monotonic()

    def observe(self, event: Event) -> None:
        """Write down what concerns a node."""
        if isinstance(event, NodeShunned | NodeRestored | BreakerChanged):
            self.lines.append(f"{monotonic() - self._started:.2f}s {event}")


class Load:
    """
    Reads, and some writes, one after the other in each of *tasks* tasks, until the block is left; each answer must be its call's.

    Args:
        writes: share of the calls that are writes; None of them may fail unless `tolerated` names its class.
        sleep: seconds that each read takes on the server.
        pause: seconds each task rests between two calls, so that a small machine is not what is tested.

    Attributes:
        failed: class and message of every call that raised.
        served: reads by node.
        last: when each node last served a read (monotonic seconds).
        slowest: seconds of the slowest read.
    """

    def __init__(
        self,
        router: Router,
        cluster: LocalCluster,
        *,
        tasks: int = 32,
        writes: float = 0.1,
        sleep: float = 0.0,
        pause: float = 0.02,
    ) -> None:
        self.failed: list[str] = []
        self.mixed = 0
        self.reads = 0
        self.writes = 0
        self.served: Counter[str] = Counter()
        self.last: dict[str, float] = {}
        self.slowest = 0.0
        self._router = router
        self._every = round(1 / writes) if writes else 0
        self._pause = pause
        self._tasks_wanted = tasks
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = False
        self._numbers = itertools.count(1)
        speak = dialect(cluster)
        wait = f", {'pg_sleep' if speak.postgresql else 'SLEEP'}({sleep})" if sleep else ""
        cast = "::int" if speak.postgresql else ""
        self._read = speak.sql(f"SELECT {{1}}{cast} AS nonce, name{wait} FROM load_item WHERE id = {{2}}")
        self._write = speak.sql("INSERT INTO load_entry VALUES ({1}, {2})")

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work(), name=f"load {number}") for number in range(self._tasks_wanted)]
        await self.more(self._tasks_wanted)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop = True
        if error is not None:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=error is not None)

    async def more(self, reads: int, seconds: float = 20.0) -> None:
        """Wait until so many more reads have been answered."""
        goal = self.reads + reads
        await until(lambda: self.reads + len(self.failed) >= goal, seconds, f"{reads} more reads")

    def assert_clean(self, diary: Diary | None = None) -> None:
        """Nothing failed, and every answer was its call's."""
        story = "" if diary is None else "\n".join(["", *diary.lines])
        assert not self.failed, f"{len(self.failed)} of {self.reads + self.writes} calls failed: {self.failed[:5]}{story}"
        assert self.mixed == 0

    async def _work(self) -> None:
        for turn in itertools.count():
            if self._stop:
                return
            number = next(self._numbers)
            try:
                if self._every and turn % self._every == self._every - 1:
                    await self._router.execute(self._write, number, 0)
                    self.writes += 1
                else:
                    await self._one_read(number)
            except Exception as error:
                self.failed.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(self._pause)

    async def _one_read(self, nonce: int) -> None:
        started = monotonic()
        result = await self._router.execute(self._read, nonce, nonce % ROWS)
        now = monotonic()
        self.slowest = max(self.slowest, now - started)
        self.reads += 1
        self.served[result.route.node] += 1
        self.last[result.route.node] = now
        if len(result) != 1 or result[0]["nonce"] != nonce or result[0]["name"] != f"item {nonce % ROWS}":
            self.mixed += 1


async def prepare(router: Router, cluster: LocalCluster) -> None:
    """The tables with their rows, on the replicas too."""
    for statement in TABLES:
        await router.execute(statement)
    insert = dialect(cluster).sql("INSERT INTO load_item VALUES ({1}, {2})")
    await router.executemany(insert, [(number, f"item {number}") for number in range(ROWS)])
    await asyncio.to_thread(cluster.wait_caught_up)


async def all_usable(router: Router, seconds: float = 20.0) -> None:
    """Wait until every node is in use."""
    await until(lambda: router.health().ready("all"), seconds, "every node in use")


def usable(router: Router, node: str) -> bool:
    """Whether that node is in use."""
    return next(entry.usable for entry in router.health().nodes if entry.node == node)


def through(server: LocalServer, proxy: FaultProxy) -> str:
    """The DSN of *server* by way of *proxy*."""
    return server.dsn().replace(f":{server.port}/", f":{proxy.port}/")


@asynccontextmanager
async def proxied(cluster: LocalCluster) -> AsyncIterator[tuple[list[FaultProxy], dict[str, Any]]]:
    """A proxy before each server (the primary's first), and the configuration that leads through them."""
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(FaultProxy(server.host, server.port)) for server in cluster.servers]
        dsns = [through(server, proxy) for server, proxy in zip(cluster.servers, proxies, strict=True)]
        yield proxies, configuration(cluster) | {"writer": dsns[0], "readers": dsns[1:]}


def kill_clients(server: LocalServer, *, wait: bool = True) -> int:
    """
    Have *server* end every connection of the ordinary user; how many. With *wait* only when they are gone is it done.
    """
    if dialect_of(server).postgresql:
        table, column = "pg_stat_activity", "pid"
        found = server.query("SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    else:
        table, column = "information_schema.processlist", "id"
        found = server.query("SELECT id FROM information_schema.processlist WHERE user = 'app'")
        for (thread,) in found:
            try:
                server.query(f"KILL {thread}")
            except ServerError as error:
                if "Unknown thread" not in str(error):
                    raise
    killed = [str(row[0]) for row in found]
    there = f"SELECT count(*) FROM {table} WHERE {column} IN ({', '.join(['0', *killed])})"
    gone_by = monotonic() + 5
    while wait and server.value(there) != "0":
        assert monotonic() < gone_by, "connections that were killed are still there"
    return len(killed)


def dialect_of(server: LocalServer) -> Dialect:
    """The dialect of one server."""
    return Dialect(server.kind.engine)


async def raised_by(call: Awaitable[Any]) -> BaseException | None:
    """What *call* raised, or None."""
    try:
        await call
    except Exception as error:
        return error
    return None


async def gather_limited(calls: Iterable[Callable[[], Awaitable[None]]], workers: int) -> None:
    """Run all *calls*, so many side by side."""
    left = iter(calls)

    async def work() -> None:
        for call in left:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
