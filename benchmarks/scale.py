"""
What a cached call costs as things grow: rules, nodes, texts; first sight; memory; fairness of a saturated pool; an open breaker.

Costs are measured without a server where none is needed: a driver that answers at once leaves only what dbrouter adds.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, process_time
from typing import Any

from benchmarks.harness import Contender, throughput
from dbrouter import CircuitOpenError, NoNodeAvailableError, Router
from dbrouter.config import load
from dbrouter.drivers.base import ConnectOptions, PasswordProvider, ProbeReply
from dbrouter.drivers.outcome import Verdict
from dbrouter.router.build import build
from dbrouter.router.planner import Planner
from dbrouter.terms import Engine, Flavor, Phase, Role

LONG_STATEMENT = (
    "SELECT o.id, o.total, c.name, c.email FROM orders AS o JOIN customer AS c ON c.id = o.customer_id"
    " WHERE o.created_at > $1 AND o.status = $2 AND c.country IN ('de', 'fr', 'it') ORDER BY o.created_at DESC LIMIT 50"
)
"""About 200 characters, as an application sends them."""


def rules(count: int) -> list[dict[str, Any]]:
    """*count* rules of several shapes, none of which matches what the benchmark sends."""
    shapes = (
        "^SELECT .* FROM vault_{} WHERE a{} = \\?$",
        "INSERT INTO secret_{} .*ON CONFLICT{}",
        "^UPDATE x{} SET .* WHERE id{}",
    )
    return [
        {
            "rule_id": number + 1,
            "match_digest": shapes[number % 3].format(number, number % 97),
            "destination_hostgroup": 1,
            "apply": True,
        }
        for number in range(count)
    ]


class InstantDriver:
    """A driver whose server answers at once, so that only what dbrouter adds is left."""

    name = "asyncpg"
    engine = Engine.POSTGRESQL

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> InstantConnection:
        """A connection to nowhere."""
        return InstantConnection()

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Never asked."""
        raise error


class InstantConnection:
    """Answers every statement with one row, without suspending."""

    raw = None
    flavor = Flavor.POSTGRESQL
    server_id = "0"
    closed = in_transaction = needs_settling = False

    async def send(self, text: str, params: Sequence[Any]) -> Any:
        """The same reply each time."""
        return ((1,),), b"SELECT 1", True

    async def probe(self) -> ProbeReply:
        """A primary."""
        return ProbeReply(role=Role.PRIMARY, flavor=Flavor.POSTGRESQL)

    async def ping(self) -> None:
        """At once."""

    async def close(self) -> None:
        """Nothing to close."""

    def check(self) -> bool:
        """Alive."""
        return True

    def terminate(self) -> None:
        """Nothing to close."""


async def _instant(configuration: dict[str, Any]) -> Router:
    parts = build(load(configuration), drivers=lambda name: InstantDriver())  # type: ignore[arg-type, return-value]  # what is called is there
    router = Router(parts)
    for pool in parts.pools:
        pool.start()
    parts.monitor.start()
    await parts.monitor.wait_until(lambda: all(node.state.probed_at is not None for node in parts.contexts[0].nodes), 5.0)
    return router


async def cached(configurations: dict[int, dict[str, Any]], texts: dict[int, int], calls: int, rounds: int) -> dict[int, float]:
    """Median client CPU seconds of a call whose text is known, by configuration; the key says what grows."""
    routers = {key: await _instant(configuration) for key, configuration in configurations.items()}
    try:
        contenders = []
        for key, router in routers.items():
            known = [f"SELECT {number} FROM t WHERE id = $1" for number in range(texts.get(key, 1))]
            contender = Contender(str(key), _caller(router, known))
            for number in range(max(2000, len(known))):
                await contender.call(number)
            contenders.append(contender)
        await throughput(contenders, tasks=1, calls=calls, rounds=rounds)
        return {int(contender.name): statistics.median(contender.cpu) for contender in contenders}
    finally:
        for router in routers.values():
            await router.aclose()


def _caller(router: Router, texts: Sequence[str]) -> Callable[[int], Awaitable[object]]:
    count = len(texts)

    async def call(number: int) -> object:
        return await router.fetch(texts[number % count], number)

    return call


SMALL = {"writer": "postgresql://app@127.0.0.1/app", "readers": ["postgresql://app@127.0.1.1/app"]}


def by_rules(counts: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Configurations with that many rules."""
    return {count: {**SMALL, "query_rules": rules(count)} for count in counts}


def by_nodes(counts: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Configurations with that many readers."""
    return {
        count: {**SMALL, "readers": [f"postgresql://app@127.0.1.{number + 1}/app" for number in range(count)]} for count in counts
    }


def planner(query_rules: Sequence[dict[str, Any]] = ()) -> Planner:
    """A planner alone; nothing is connected."""
    config = load(
        {
            "writer": "postgresql://app@127.0.0.1/app",
            "readers": ["postgresql://app@127.0.0.2/app"],
            "query_rules": list(query_rules),
        }
    )
    return build(config).contexts[0].planner


def first_sight(rounds: int, rule_count: int = 0) -> list[float]:
    """Seconds of planning a 200-character statement that was never seen, per round."""
    found = []
    made = planner(rules(rule_count))
    number = rule_count * 1_000_000  # texts that no other count has shown to the analyzer
    for _ in range(rounds):
        texts = []
        for _ in range(300):
            number += 1
            texts.append(LONG_STATEMENT.replace("orders", f"orders_{number}"))
        gc.collect()
        started = process_time()
        for text in texts:
            made.plan(text)
        found.append((process_time() - started) / len(texts))
    return found


def many_texts(count: int) -> tuple[float, float, int]:
    """(seconds per text in the first tenth, in the last tenth, bytes the caches hold) over *count* distinct texts in rotation."""
    made = planner()
    tenth = count // 10
    times = []
    tracemalloc.start()
    base, _ = tracemalloc.get_traced_memory()
    for number in range(count):
        made.plan(_one_of_many(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for first in (count, count + 9 * tenth):
        started = process_time()
        for number in range(first, first + tenth):
            made.plan(_one_of_many(number))
        times.append((process_time() - started) / tenth)
    return times[0], times[1], held - base


def _one_of_many(number: int) -> str:
    return f"SELECT a, b, c FROM table_{number} WHERE id = $1 AND name = 'x' AND created_at > now() - interval '1 day' LIMIT 10"


async def fairness(dsn: str, tasks: int, size: int, each: int, rounds: int) -> tuple[list[float], int]:
    """
    (p99 wait over the fair share, one per round; fewest calls of a task while all ran), with *tasks* on *size* connections.

    The fair share is the time in which every task gets one call. A stall of the machine hits single rounds only.
    """
    pool = {"min_size": size, "max_size": size, "max_waiting": tasks, "acquire_timeout": "60s"}
    ratios, fewest = [], each
    async with Router.open({"writer": dsn, "pool": pool}) as router:
        for _ in range(3):
            await asyncio.gather(*(router.fetch("SELECT 1") for _ in range(size)))
        for _ in range(rounds):
            gc.collect()
            gc.disable()
            try:
                p99, least = await _crowd(router, tasks, each)
            finally:
                gc.enable()
            ratios.append(p99)
            fewest = min(fewest, least)
    return ratios, fewest


async def _crowd(router: Router, tasks: int, each: int) -> tuple[float, int]:
    waits: list[float] = []
    counts = [0] * tasks
    ended = 0.0

    async def work(index: int) -> None:
        nonlocal ended
        for _ in range(each):
            started = perf_counter()
            await router.fetch("SELECT 1")
            if not ended:
                waits.append(perf_counter() - started)
                counts[index] += 1
        ended = ended or perf_counter()

    began = perf_counter()
    await asyncio.gather(*(work(index) for index in range(tasks)))
    share = (ended - began) * tasks / len(waits)
    settled = sorted(waits[tasks:])
    return settled[int(len(settled) * 0.99)] / share, min(counts)


async def cache_hit(dsn: str, replica: str, calls: int, rounds: int) -> tuple[list[float], list[float]]:
    """Calls per second in one task, answered by the result cache and by the replica, per round."""
    rule = {"rule_id": 1, "tag": "kept", "match_digest": "^SELECT", "cache_ttl": "1h"}
    async with Router.open({"writer": dsn, "readers": [replica], "query_rules": [rule], "start": "all"}) as router:

        async def kept(number: int) -> object:
            return await router.fetch(CACHED, number % 10, tag="kept")

        async def asked(number: int) -> object:
            return await router.fetch(CACHED, number % 10)

        contenders = [Contender("cache", kept), Contender("replica", asked)]
        await throughput(contenders, tasks=1, calls=calls, rounds=rounds)
        return contenders[0].rates, contenders[1].rates


CACHED = "SELECT $1::int AS number, 'a value' AS value"


async def open_breaker(dsn: str, calls: int) -> list[float]:
    """Seconds per refusal while the only node's breaker is open, per round."""
    login, _, place = dsn.rpartition("@")
    server, _, database = place.partition("/")
    configuration = {
        "databases": {"app": {"engine": "postgresql", "dsn": f"{login}@/{database}", "writer_hostgroup": 1}},
        "hostgroups": [{"id": 1, "when_empty": "fail", "servers": [server]}],
    }
    found = []
    async with Router.open(configuration) as router:
        await router.fetch("SELECT 1")
        for context in router._parts.contexts:
            for node in context.nodes:
                node.breaker.force_open(1.0, "benchmark")
        for _ in range(5):
            started = process_time()
            for _ in range(calls):
                try:
                    await router.fetch("SELECT 1")
                except (CircuitOpenError, NoNodeAvailableError):
                    pass
            found.append((process_time() - started) / calls)
    return found
