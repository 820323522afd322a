"""Reloading under load on real servers: no call fails or goes astray, what is gone drains, and nothing grows."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dbrouter import ParameterError, Router
from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member, Node
from dbrouter.config import watch
from dbrouter.events import ConfigRejected, ConfigReloaded
from dbrouter.pool.pool import Pool
from dbrouter.resilience.breaker import Breaker
from dbrouter.router import router as opening
from dbrouter.router.context import Context
from dbrouter.router.planner import Planner
from dbrouter.testing import LocalCluster
from tests.load import QUICK, ROWS, prepare
from tests.routers import configuration, dialect, until, whole
from tests.watching import Listener, open_sockets

PARTS = (Context, Planner, Hostgroup, Member, Node, Breaker, Pool)
WORKERS = 12


class Swing:
    """
    The configurations that reloads go round in, and what each says of the statements of `Traffic`.

    They differ in a rule that swings between the hostgroups, in weights, pool sizes, policies, names, and in which replicas there
    are.
    """

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster
        self.now = 0

    def source(self, turn: int) -> dict[str, Any]:
        """The configuration of that turn."""
        first, second = (replica.endpoint for replica in self._cluster.replicas)
        writer = self._cluster.primary.endpoint
        readers: list[Any] = [
            [first, second],
            [{"host": first.split(":")[0], "port": int(first.split(":")[1]), "weight": 3}, second],
            [second],
            [first, second, writer],
        ][turn % 4]
        source = whole(
            self._cluster, rules=[{"rule_id": 5, "match_pattern": "swing", "destination_hostgroup": self.swings(turn)}]
        )
        source["hostgroups"][1] |= {"servers": readers, "balance": ("round_robin", "least_outstanding", "random")[turn % 3]}
        source["hostgroups"][1]["name"] = ("read", "read-too")[turn // 4 % 2]
        source["pool"] = {"max_size": (8, 3, 5)[turn % 3], "min_size": turn % 2}
        return source | QUICK | {"start": "all", "timeouts": {"call": ("20s", "25s")[turn % 2], "connect": "2s"}}

    @staticmethod
    def swings(turn: int) -> int:
        """Where the rule sends its statements at that turn."""
        return 20 if turn % 2 else 10

    def hostgroup(self, turn: int, number: int) -> dict[str, Any]:
        """One hostgroup of a turn."""
        found: dict[str, Any] = next(group for group in self.source(turn)["hostgroups"] if group["id"] == number)
        return found

    def nodes(self, turn: int, number: int) -> set[str]:
        """The servers of a hostgroup at that turn."""
        servers = self.hostgroup(turn, number)["servers"]
        return {entry if isinstance(entry, str) else f"{entry['host']}:{entry['port']}" for entry in servers}


class Traffic:
    """
    Calls of every kind, side by side, each of which must end well and where the configuration it began under sends it.

    Attributes:
        failed: class and message of every call that raised.
        astray: calls that ran elsewhere than where they belonged.
        moved: calls that a reload overtook before they were sent, and that went on by a later configuration.
    """

    def __init__(self, router: Router, cluster: LocalCluster, swing: Swing) -> None:
        self.failed: list[str] = []
        self.astray: list[str] = []
        self.moved = 0
        self.calls: Counter[str] = Counter()
        self.written: list[int] = []
        self._router = router
        self._swing = swing
        self._speak = dialect(cluster)
        self._numbers = itertools.count(1)
        self._stop = False
        cast = "::int" if self._speak.postgresql else ""
        port = "inet_server_port()" if self._speak.postgresql else "@@port"
        self._read = self._speak.sql(f"SELECT {{1}}{cast} AS nonce, name FROM load_item WHERE id = {{2}}")
        self._swinging = self._speak.sql(f"SELECT {{1}}{cast} AS nonce, name, 'swing' AS s FROM load_item WHERE id = {{2}}")
        self._write = self._speak.sql("INSERT INTO load_entry VALUES ({1}, {2})")
        self._where = f"SELECT {port} AS port"

    async def run(self, until_done: asyncio.Event) -> None:
        """Go on until *until_done* is set."""
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(number, until_done))

    async def _work(self, worker: int, until_done: asyncio.Event) -> None:
        kinds: list[Callable[[], Any]] = [self.plain, self.swinging, self.plain, self.write, self.where]
        if worker % 4 == 0:
            kinds = [self.transaction, self.stream, self.pinned]
        for turn in itertools.count(worker):
            if until_done.is_set():
                return
            kind = kinds[turn % len(kinds)]
            try:
                await kind()
                self.calls[kind.__name__] += 1
            except Exception as error:
                self.failed.append(f"{kind.__name__}: {type(error).__name__}: {error}")
            await asyncio.sleep(0.002)

    async def _routed(self, sql: str, number: int, belongs: Callable[[int], int]) -> None:
        began = self._swing.now
        result = await self._router.execute(sql, number, number % ROWS)
        turns = range(began, self._swing.now + 1)
        self._check(result.route, belongs, turns)
        if result[0]["nonce"] != number or result[0]["name"] != f"item {number % ROWS}":
            self.astray.append(f"{number} got the answer of {result[0]}")

    def _check(self, route: Any, belongs: Callable[[int], int], turns: range) -> None:
        """It ran in the hostgroup of the turn it began in, on a server of then; on one of later only where it had to move."""
        group = belongs(turns[0])
        if (route.hostgroup == "write") == (group == 10):
            for turn in turns:
                if route.node in self._swing.nodes(turn, group):
                    self.moved += turn != turns[0]
                    return
        self.astray.append(f"{route} of turns {turns}")

    async def plain(self) -> None:
        """A read: on a reader."""
        await self._routed(self._read, next(self._numbers), lambda turn: 20)

    async def swinging(self) -> None:
        """A read that the rule sends here or there."""
        await self._routed(self._swinging, next(self._numbers), Swing.swings)

    async def write(self) -> None:
        """A write: on the primary, once."""
        began, number = self._swing.now, next(self._numbers)
        result = await self._router.execute(self._write, number, 0)
        self.written.append(number)
        self._check(result.route, lambda turn: 10, range(began, self._swing.now + 1))

    async def where(self) -> None:
        """The server itself says that it is the one the route names."""
        result = await self._router.execute(self._where)
        if not result.route.node.endswith(f":{result[0]['port']}"):
            self.astray.append(f"{result.route} was answered by {result[0]['port']}")

    async def transaction(self) -> None:
        """A transaction that reloads overtake commits once."""
        number = next(self._numbers)
        async with self._router.transaction() as tx:
            await tx.execute(self._write, number, 1)
            await asyncio.sleep(0.02)
            await tx.execute(self._write, number, 2)
        self.written += [number, number]

    async def stream(self) -> None:
        """A stream that reloads overtake gives every row."""
        seen = 0
        async with self._router.stream("SELECT id FROM load_item", batch=40) as rows:
            async for _ in rows:
                seen += 1
                if seen % 40 == 0:
                    await asyncio.sleep(0.005)
        if seen != ROWS:
            self.astray.append(f"a stream had {seen} rows")

    async def pinned(self) -> None:
        """A pinned read-only connection keeps its server."""
        async with self._router.connection(readonly=True) as connection:
            before = await connection.fetchval(self._where)
            await asyncio.sleep(0.02)
            if await connection.fetchval(self._where) != before:
                self.astray.append("a pinned connection changed its server")


def alive() -> dict[str, int]:
    """How many parts of routers there are."""
    gc.collect()
    found = Counter(type(thing) for thing in gc.get_objects() if isinstance(thing, PARTS))
    return {kind.__name__: found[kind] for kind in PARTS}


def resident_mib() -> float:
    """Memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def quiet(router: Router) -> None:
    """Wait until what reloads removed has ended, and the pools hold no more than they may."""
    await until(lambda: not router._reloader.draining, what="drained pools to end")
    pools = router._parts.pools
    await until(lambda: all(pool.in_use == 0 and pool.size <= pool._settings.max_size for pool in pools), what="calls to end")


async def reload_under_load(cluster: LocalCluster, times: int) -> dict[str, Any]:
    """Reload so often while `Traffic` runs; the figures, after everything that must hold was asserted."""
    swing = Swing(cluster)
    background = (len(open_sockets()), alive())
    figures: dict[str, Any] = {}
    async with Router.open(swing.source(0)) as router:
        await prepare(router, cluster)
        traffic, done = Traffic(router, cluster, swing), asyncio.Event()

        async def reload() -> None:
            turn = swing.now + 1
            report = await router.reload(swing.source(turn))
            assert report.generation == turn + 1 and report.changes
            longest.append(report.took)
            await asyncio.sleep(0.005)  # so that the load is not the smaller part

        longest: list[float] = []
        original = router._reloader._put_in_force

        def in_force(*arguments: Any) -> Any:
            swing.now += 1  # In the very step, so that every call knows under which configuration it began.
            return original(*arguments)

        router._reloader._put_in_force = in_force  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            load = group.create_task(traffic.run(done))
            for _ in range(times // 5 // 12 * 12):
                await reload()
            early = resident_mib()
            while swing.now < times:
                await reload()
            late = resident_mib()
            done.set()
            await load
        while swing.now % 12:
            await reload()
        await quiet(router)
        counted, tasks, opened = alive(), len(router._parts.tasks), len(open_sockets()) - background[0]
        pools = [pool.stats(0.0) for pool in router._parts.pools]
        figures = {
            "reloads": swing.now,
            "calls": dict(traffic.calls),
            "moved": traffic.moved,
            "alive": counted,
            "tasks": tasks,
            "sockets": opened,
            "rss": (round(early, 1), round(late, 1)),
            "took_ms": (round(1000 * sorted(longest)[len(longest) // 2], 1), round(1000 * max(longest), 1)),
        }

        assert not traffic.failed, (len(traffic.failed), traffic.failed[:5])
        assert not traffic.astray, (len(traffic.astray), traffic.astray[:5])
        assert traffic.moved <= sum(traffic.calls.values()) / 20, "hardly anybody had to wait when a server went"
        assert min(traffic.calls[kind.__name__] for kind in (traffic.swinging, traffic.transaction, traffic.stream)) > 10
        there = Counter(row["number"] for row in await router.fetch("SELECT number FROM load_entry", route="write"))
        assert there == Counter(traffic.written), "a write was lost or doubled"
        expected = {"Context": 1, "Planner": 1, "Hostgroup": 2, "Member": 3, "Node": 3, "Breaker": 3, "Pool": 3}
        assert {name: counted[name] - background[1][name] for name in counted} == expected
        probes = len(router._parts.contexts[0].nodes)
        assert tasks == probes, [task.get_name() for task in asyncio.all_tasks()]
        assert sum(pool.in_use for pool in pools) == 0
        assert opened <= sum(pool.size for pool in pools) + probes
        assert late - early < 16, f"memory grew from {early:.0f} to {late:.0f} MiB"
    return figures


async def test_a_hundred_reloads_under_load(cluster: LocalCluster) -> None:
    """No call fails or goes astray, no write is lost or doubled, and no task, socket or part is left of what was replaced."""
    await reload_under_load(cluster, 100)


@pytest.mark.soak
async def test_a_thousand_reloads_under_load(cluster: LocalCluster) -> None:
    """The same a thousand times."""
    figures = await reload_under_load(cluster, 1000)
    print(figures)


# ---- by itself


class Files:
    """A folder as Kubernetes makes one of a ConfigMap: files are links into ``..data``, which is a link that is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "dbrouter.yaml"
        self._versions = itertools.count(1)

    def swap(self, text: str) -> None:
        """Another version, at once for every file."""
        version = self.folder / f"..version{next(self._versions)}"
        version.mkdir()
        (version / self.path.name).write_text(text)
        fresh = self.folder / "..data_tmp"
        fresh.symlink_to(version.name)
        before = (self.folder / "..data").resolve() if (self.folder / "..data").exists() else None
        fresh.replace(self.folder / "..data")
        if not self.path.is_symlink():
            self.path.symlink_to(f"..data/{self.path.name}")
        if before is not None:
            shutil.rmtree(before)


def small(cluster: LocalCluster, readers: int, **extra: Any) -> str:
    """The text of a configuration with so many of the replicas."""
    lines = [f"writer: {cluster.primary.dsn()}", "readers:", *(f"  - {replica.dsn()}" for replica in cluster.replicas[:readers])]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in extra.items()), ""])


def readers(router: Router) -> int:
    """How many servers serve reads."""
    return len(router._parts.contexts[0].reader.members)


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[tuple[Router, Listener]]:
    """A router that watches its file."""
    listener = Listener()
    async with Router.open(path, watch=True, observers=[listener]) as router:
        yield router, listener


async def test_a_file_that_is_written_or_replaced_is_reloaded(pg: LocalCluster, tmp_path: Path) -> None:
    """Written in place, replaced by rename as editors do, gone for a while; what does not load changes nothing."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 1))
    async with watched(path) as (router, listener):
        path.write_text(small(pg, 2))
        await until(lambda: readers(router) == 2, what="the file written in place to be in force")

        (tmp_path / ".dbrouter.yaml.swp").write_text("an editor's own")
        fresh = tmp_path / "dbrouter.yaml~"
        fresh.write_text(small(pg, 1))
        fresh.replace(path)
        await until(lambda: readers(router) == 1, what="the file moved into place to be in force")

        path.write_text("writer: [")
        await until(lambda: listener.of(ConfigRejected), what="the broken file to be told of")
        assert readers(router) == 1 and await router.fetchval("SELECT 1") == 1

        path.unlink()
        (tmp_path / "other").write_text("something happens in the folder")
        path.write_text(small(pg, 2))
        await until(lambda: readers(router) == 2, what="the file that came back to be in force")
        assert router.health().config.rejected_for is None  # type: ignore[union-attr]
    assert {event.trigger for event in listener.of(ConfigReloaded)} == {"watch"}


async def test_a_config_map_that_is_swapped_is_reloaded(pg: LocalCluster, tmp_path: Path) -> None:
    """The path stays a link and only ``..data`` behind it changes; several times, the old version being removed each time."""
    files = Files(tmp_path)
    files.swap(small(pg, 1))
    async with watched(files.path) as (router, listener):
        for wanted in (2, 1, 2):
            files.swap(small(pg, wanted))
            await until(lambda wanted=wanted: readers(router) == wanted, what=f"the version with {wanted} readers")
            assert await router.fetchval("SELECT 1") == 1
    assert not listener.of(ConfigRejected)


async def test_the_file_of_shadow_rules_is_watched_too(pg: LocalCluster, tmp_path: Path) -> None:
    """Also where it became part of the configuration by a reload."""
    path, candidate = tmp_path / "dbrouter.yaml", tmp_path / "elsewhere" / "candidate.yaml"
    candidate.parent.mkdir()
    path.write_text(small(pg, 1))
    candidate.write_text("query_rules: []")
    async with watched(path) as (router, _):
        path.write_text(small(pg, 1, shadow_rules="elsewhere/candidate.yaml"))
        await until(lambda: router.config.shadow_rules is not None)
        candidate.write_text("query_rules: [{rule_id: 1, match_digest: x, destination_hostgroup: 1}]")

        await until(lambda: router.config.shadow_rules.query_rules)  # type: ignore[union-attr]


async def test_a_mistake_in_the_file_of_shadow_rules_is_mended_there(pg: LocalCluster, tmp_path: Path) -> None:
    """A configuration that was rejected because of another file is read again when that file changes."""
    path, candidate = tmp_path / "dbrouter.yaml", tmp_path / "elsewhere" / "candidate.yaml"
    candidate.parent.mkdir()
    path.write_text(small(pg, 1))
    candidate.write_text("query_rules: [{rule_id: 1, match_digest: '('}]")
    async with watched(path) as (router, listener):
        path.write_text(small(pg, 2, shadow_rules="elsewhere/candidate.yaml"))
        await until(lambda: listener.of(ConfigRejected), what="the pattern to be told of")

        candidate.write_text("query_rules: [{rule_id: 1, match_digest: '(x)'}]")
        await until(lambda: readers(router) == 2, what="the configuration to be read again")
    assert len(listener.of(ConfigRejected)) == 1


async def test_a_file_whose_permissions_change_is_read_again(pg: LocalCluster, tmp_path: Path) -> None:
    """What could not be read, and was rejected, may be readable now; nothing else about it is another than before."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 1))
    path.chmod(0o600)
    async with watched(path) as (_, listener):
        path.chmod(0o644)

        await until(lambda: listener.of(ConfigReloaded), what="the file to be read again")


async def test_a_file_that_changes_while_the_router_opens_is_reloaded(
    pg: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between being read and being watched: large rule sets take seconds to compile."""
    path, candidate = tmp_path / "dbrouter.yaml", tmp_path / "candidate.yaml"
    candidate.write_text("query_rules: []")
    path.write_text(small(pg, 1, shadow_rules="candidate.yaml"))
    changes = [
        lambda: path.write_text(small(pg, 2, shadow_rules="candidate.yaml")),
        lambda: candidate.write_text("query_rules: [{rule_id: 1, match_digest: x}]"),
    ]
    build = opening.build

    def changed_meanwhile(*args: Any, **options: Any) -> Any:
        changes.pop(0)()
        return build(*args, **options)

    monkeypatch.setattr(opening, "build", changed_meanwhile)
    async with watched(path) as (router, _):
        await until(lambda: readers(router) == 2, what="the configuration to be read again")
    async with watched(path) as (router, _):
        await until(lambda: router.config.shadow_rules.query_rules, what="the shadow rules to be read again")  # type: ignore[union-attr]


async def test_half_a_file_is_not_put_in_force(pg: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is written slowly, and whose beginning would load by itself, is read when it changes no more."""
    monkeypatch.setattr(watch, "SETTLED_SECONDS", 1.0)
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 2))
    async with watched(path) as (router, listener):
        lines = small(pg, 2, start="all").splitlines(keepends=True)
        with path.open("w") as written:
            for line in lines:
                written.write(line)
                written.flush()
                await asyncio.sleep(0.05)
        await until(lambda: router.config.start == "all", what="the whole file to be in force")
    assert [event.changes for event in listener.of(ConfigReloaded)] == [("setting start changed: any → all",)]
    assert not listener.of(ConfigRejected)


async def test_watching_needs_a_file(pg: LocalCluster) -> None:
    """A mapping cannot change."""
    with pytest.raises(ParameterError, match="came from no file"):
        await Router.open(configuration(pg), watch=True)


async def test_watching_says_which_extra_is_missing(pg: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing open."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 1))
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    with pytest.raises(ParameterError, match=r"dbrouter\[watch\]"):
        await Router.open(path, watch=True)


async def test_sighup_reloads_and_the_former_handler_comes_back(pg: LocalCluster, tmp_path: Path) -> None:
    """Every router that asked for it reloads; after the last one closed the signal is what it was."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 1))
    received: list[int] = []
    former = signal.signal(signal.SIGHUP, lambda number, _: received.append(number))
    try:
        async with Router.open(path, reload_on_sighup=True) as first:
            async with Router.open(path, reload_on_sighup=True) as second:
                path.write_text(small(pg, 2))
                for _ in range(5):
                    signal.raise_signal(signal.SIGHUP)
                await until(lambda: readers(first) == readers(second) == 2)
            path.write_text(small(pg, 1))
            signal.raise_signal(signal.SIGHUP)
            await until(lambda: readers(first) == 1)
            assert readers(second) == 2 and not received
        signal.raise_signal(signal.SIGHUP)
        assert received == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, former)


async def test_sighup_off_the_main_thread_is_refused(pg: LocalCluster) -> None:
    """Signals arrive in the main thread alone, and the error says so."""

    async def attempt() -> None:
        await Router.open(configuration(pg), reload_on_sighup=True)

    with pytest.raises(ParameterError, match="main thread"):
        await asyncio.to_thread(asyncio.run, attempt())


SERVICE = """
import asyncio, sys
from dbrouter import Router

async def main():
    async with Router.open(sys.argv[1], reload_on_sighup=True) as router:
        print("open", flush=True)
        seen = 1
        while seen < 3:
            await router.fetchval("SELECT 1")
            health = router.health().config
            if health.generation > seen:
                seen = health.generation
                print("generation", seen, flush=True)
            await asyncio.sleep(0.005)

asyncio.run(main())
"""


async def test_a_service_reloads_at_sighup(pg: LocalCluster, tmp_path: Path) -> None:
    """A process of its own: the signal is no end, the log line names what changed, and it exits well."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(small(pg, 1))
    environment = os.environ | {"DBROUTER_LOG": "json"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"open\n"
            for generation, wanted in ((2, 2), (3, 1)):
                path.write_text(small(pg, wanted))
                process.send_signal(signal.SIGHUP)
                assert await process.stdout.readline() == f"generation {generation}\n".encode()
            log = (await process.stderr.read()).decode()
            assert await process.wait() == 0, log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["generation"] for line in lines if line["event"] == "config.reloaded"][:1] == [2]
    assert any(line.get("trigger") == "sighup" and "added" in line["changes"][0] for line in lines)
