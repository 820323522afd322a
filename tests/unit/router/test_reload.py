"""Reload over fake servers: what stays, what moves, what drains, what is refused, and that nothing is left of a cancelled one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dbrouter import ConfigError, DatabaseRemovedError, NoNodeAvailableError, ParameterError, PoolClosedError, Router
from dbrouter.drivers.base import ConnectOptions
from dbrouter.events import ConfigRejected, ConfigReloaded, ConnectionFailed, NodeShunned
from dbrouter.pool.pool import Pool
from dbrouter.testing.fake import FakeDriver, FakeServer
from tests.fakes import READERS, WRITER, cluster, configuration, opened
from tests.stepping import CancelledAt, When, outcome
from tests.watching import Listener, until

FIRST, SECOND = READERS
FOURTH = "db4:5432"


def source(**settings: Any) -> dict[str, Any]:
    """The configuration of `opened`, changed."""
    return configuration(**{"start": "all", **settings})


def four() -> dict[str, FakeServer]:
    """The usual cluster and a replica that is in no configuration yet."""
    servers = cluster()
    return {**servers, FOURTH: servers[WRITER].replica(name=FOURTH)}


def pool_of(router: Router, group: str, node: str) -> Pool:
    """The pool of a member."""
    (found,) = [pool for pool in router._parts.pools if pool.name == f"{group}/{node}"]
    return found


def connected(server: FakeServer) -> int:
    """Connections of pools: all but the probe's."""
    return len(server.connections) - 1


# ---- what stays


async def test_what_stays_keeps_pool_breaker_and_statistics() -> None:
    """Weights, sizes and thresholds change in place; connections are the same ones."""
    servers = cluster()
    async with opened(servers) as router:
        for _ in range(6):
            await router.execute("SELECT 1")
        before = {member.node.id: member for group in router._parts.contexts[0].hostgroups for member in group.members}
        states = {node: (member.pool, member.node.breaker, member.reads.count) for node, member in before.items()}
        connects = {name: server.connects for name, server in servers.items()}

        report = await router.reload(
            source(
                readers=[{"host": "db2", "port": 5432, "weight": 5}, SECOND],
                pool={"min_size": 0, "max_size": 4, "acquire_timeout": "2s"},
                breaker={"consecutive_failures": 9},
                read={"name": "replicas", "balance": "least_outstanding", "timeouts": {"call": "7s"}},
            )
        )

        context = router._parts.contexts[0]
        after = {member.node.id: member for group in context.hostgroups for member in group.members}
        assert after == before
        assert {node: (member.pool, member.node.breaker, member.reads.count) for node, member in after.items()} == states
        assert after[FIRST].weight == 5
        assert after[FIRST].node.breaker._settings.consecutive_failures == 9
        assert pool_of(router, "replicas", FIRST).stats(0.0).max_size == 4
        assert (context.reader.name, context.reader.call_timeout) == ("replicas", 7.0)
        assert type(context.reader.balancer).__name__ == "LeastOutstanding"
        assert (await router.execute("SELECT 1")).route.hostgroup == "replicas"
        assert {name: server.connects for name, server in servers.items()} == connects
        assert report.generation == 2 and report.drained == ()
        assert "server read/db2:5432 changed: weight: 1 → 5" in report.changes


async def test_weights_hold_from_the_next_call_on() -> None:
    """A member of weight 0 gets no more calls."""
    async with opened(cluster()) as router:
        await router.reload(source(readers=[{"host": "db2", "port": 5432, "weight": 0}, SECOND]))

        assert {(await router.execute("SELECT 1")).route.node for _ in range(10)} == {SECOND}


async def test_the_same_configuration_again_changes_nothing() -> None:
    """The report is falsy, the generation and the cached plans stay."""
    async with opened(cluster()) as router:
        await router.execute("SELECT 1")
        planner = router._parts.contexts[0].planner

        report = await router.reload()

        assert not report and report.generation == 1 and report.changes == ()
        assert router._parts.contexts[0].planner is planner and len(planner.cache) == 1


async def test_rules_hold_for_calls_that_begin_afterwards() -> None:
    """Cached plans are made anew, by the new rules; what was learned stays."""
    servers = cluster()
    async with opened(servers) as router:
        assert (await router.execute("SELECT 1 AS orders")).route.hostgroup == "read"
        planner = router._parts.contexts[0].planner
        planner.learn_write(planner.plan("SELECT nextval('s')").statement, 0.0)
        gate = servers[FIRST].hold("SELECT 2 AS orders")
        held = asyncio.ensure_future(router.execute("SELECT 2 AS orders", hostgroup="read"))
        servers[SECOND].refuse()
        other = asyncio.ensure_future(router.execute("SELECT 2 AS orders", hostgroup="read"))
        await gate.reached()

        await router.reload(source(query_rules=[{"rule_id": 4, "match_digest": "orders", "destination_hostgroup": "write"}]))
        result = await router.execute("SELECT 1 AS orders")
        gate.open()

        assert (result.route.hostgroup, result.route.rule_id) == ("write", 4)
        assert (await held).route.hostgroup == "read" and (await other).route.hostgroup == "read"
        assert router.stats().databases[0].learned_writes == 1
        servers[SECOND].accept()


# ---- what goes


async def test_a_statement_on_a_removed_server_finishes_there() -> None:
    """It keeps its connection; nobody else is sent there; then the pool ends and the server is probed no more."""
    servers = cluster()
    async with opened(servers) as router:
        gate = servers[FIRST].hold("SELECT 41 + 1")
        calls = [asyncio.ensure_future(router.fetchval("SELECT 41 + 1")) for _ in range(2)]
        await gate.reached()

        report = await router.reload(source(readers=[SECOND]))

        assert report.drained == ("read/db2:5432",)
        assert {(await router.execute("SELECT 1")).route.node for _ in range(6)} == {SECOND}
        assert len(servers[FIRST].connections) == 1 and len(router._reloader.draining) == 1
        gate.open()
        assert await asyncio.gather(*calls) == [42, 42]
        await until(lambda: not servers[FIRST].connections and not router._reloader.draining)
        assert [node.node for node in router.health().nodes] == [WRITER, SECOND]
        assert set(router._parts.monitor.topology.nodes) == {"app/db1:5432", "app/db3:5432"}


async def test_a_transaction_on_a_removed_server_commits_there() -> None:
    """The writer is replaced under it; the next write goes to the new one."""
    servers = cluster()
    servers[FOURTH] = FakeServer(name=FOURTH)
    async with opened(servers) as router:
        await router.execute("CREATE TABLE t(n int)")
        async with router.transaction() as tx:
            await tx.execute("INSERT INTO t VALUES (1)")
            await router.reload(source(writers=[FOURTH]))
            await tx.execute("INSERT INTO t VALUES (2)")

        assert [row["n"] for row in await router.execute("SELECT n FROM t ORDER BY n", route="read")] == [1, 2]
        assert (await router.execute("SELECT 1", route="write")).route.node == FOURTH
        await until(lambda: not servers[WRITER].connections)


async def test_callers_in_line_for_a_removed_server_go_elsewhere() -> None:
    """They are served by who is left, not failed."""
    servers = cluster()
    async with opened(servers, readers=[FIRST], pool={"min_size": 0, "max_size": 1, "acquire_timeout": "5s"}) as router:
        gate = servers[FIRST].hold("SELECT 1")
        calls = [asyncio.ensure_future(router.execute("SELECT 1")) for _ in range(4)]
        await gate.reached()
        await until(lambda: pool_of(router, "read", FIRST).waiting == 3)

        await router.reload(source(readers=[SECOND], pool={"min_size": 0, "max_size": 1, "acquire_timeout": "5s"}))
        moved = [(await call).route.node for call in calls[1:]]
        gate.open()

        assert moved == [SECOND] * 3
        assert (await calls[0]).route.node == FIRST


@pytest.mark.parametrize("status", ["draining", "offline"])
async def test_a_server_that_is_taken_out_by_its_status_ends_what_it_has_and_gets_no_more(status: str) -> None:
    """Its statements finish, its line moves, its connections close; online again it serves by the same pool."""
    servers = cluster()
    small = {"min_size": 0, "max_size": 1, "acquire_timeout": "5s"}
    out = {"host": "db2", "port": 5432, "status": status}
    async with opened(servers, readers=[FIRST], pool=small) as router:
        pool, gate = pool_of(router, "read", FIRST), servers[FIRST].hold("SELECT 1")
        calls = [asyncio.ensure_future(router.execute("SELECT 1")) for _ in range(3)]
        await gate.reached()
        await until(lambda: pool.waiting == 2)

        await router.reload(source(readers=[out, SECOND], pool=small))
        moved = [(await call).route.node for call in calls[1:]]
        gate.open()

        assert (moved, (await calls[0]).route.node) == ([SECOND] * 2, FIRST)
        await until(lambda: connected(servers[FIRST]) == 0)
        assert {(await router.execute("SELECT 1")).route.node for _ in range(4)} == {SECOND}

        await router.reload(source(readers=[FIRST, SECOND], pool=small))
        assert {(await router.execute("SELECT 1")).route.node for _ in range(4)} == {FIRST, SECOND}
        assert pool_of(router, "read", FIRST) is pool


async def test_writes_that_wait_for_a_primary_go_on_when_a_reload_brings_one() -> None:
    """`when_empty: wait` looks again after the step."""
    servers = four()
    servers[FOURTH] = FakeServer(name=FOURTH)
    async with opened(servers, pool={"min_size": 0, "acquire_timeout": "5s"}) as router:
        servers[WRITER].stop()
        await until(lambda: not router._parts.contexts[0].writer.usable)
        write = asyncio.ensure_future(router.execute("CREATE TABLE w(n int)"))
        await until(lambda: router._parts.contexts[0].writer._waiters)

        await router.reload(source(writers=[FOURTH], pool={"min_size": 0, "acquire_timeout": "5s"}))

        assert (await write).route.node == FOURTH
    servers[WRITER].accept()


async def test_what_does_not_end_in_time_is_cut() -> None:
    """`drain_timeout` bounds what a removed server may still do."""
    servers = cluster()
    async with opened(servers, readers=[FIRST]) as router:
        gate = servers[FIRST].hold("SELECT 1")
        call = asyncio.ensure_future(router.execute("SELECT 1"))
        await gate.reached()

        await router.reload(source(readers=[SECOND]), drain_timeout=0.02)

        await until(lambda: not servers[FIRST].connections)
        gate.open()
        assert (await call).route.node == SECOND


async def test_closing_waits_for_what_drains() -> None:
    """`aclose` lets leases of removed servers finish within its own time, too."""
    servers = cluster()
    async with opened(servers) as router:
        gate = servers[FIRST].hold("SELECT 41 + 1")
        calls = [asyncio.ensure_future(router.fetchval("SELECT 41 + 1")) for _ in range(2)]
        await gate.reached()
        await router.reload(source(readers=[SECOND]))
        closing = asyncio.ensure_future(router.aclose())
        await until(lambda: router.closed)
        gate.open()

        await closing

        assert await asyncio.gather(*calls) == [42, 42]


async def test_a_retry_that_began_under_another_role_goes_where_its_kind_belongs() -> None:
    """A hostgroup that turns from readers into writers is another one: reads that fail there go on among the new readers."""
    servers = cluster()
    async with opened(servers, readers=[FIRST]) as router:
        gate = servers[FIRST].hold("SELECT 1")
        call = asyncio.ensure_future(router.execute("SELECT 1"))
        await gate.reached()
        turned = source(readers=[SECOND])
        turned["hostgroups"] = [
            {"id": 2, "name": "read", "servers": [WRITER]},
            {"id": 1, "name": "write", "servers": [SECOND]},
        ]
        turned["databases"]["app"] |= {"writer_hostgroup": 2, "reader_hostgroup": 1}

        await router.reload(turned)
        servers[FIRST].kill_connections()

        assert ((await call).route.node, (await router.execute("SELECT 1", route="write")).route.node) == (SECOND, WRITER)
        gate.open()


# ---- what is new


async def test_a_new_server_is_seen_before_it_serves() -> None:
    """It is connected and probed by the time the reload ends; from then on it takes its share."""
    servers = four()
    async with opened(servers, pool={"min_size": 1}) as router:
        await router.reload(source(readers=[*READERS, FOURTH], pool={"min_size": 1}))

        assert pool_of(router, "read", FOURTH).idle == 1
        assert router._parts.contexts[0].reader.usable[-1].node.state.probed_at is not None
        assert {(await router.execute("SELECT 1")).route.node for _ in range(9)} == {*READERS, FOURTH}


@pytest.mark.parametrize("fault", ["refuse", "freeze"])
async def test_a_new_server_that_cannot_be_reached_harms_nobody(fault: str) -> None:
    """It is shunned until it can; no call is sent there before."""
    servers = four()
    getattr(servers[FOURTH], fault)()
    async with opened(servers, timeouts={"connect": "300ms"}) as router:
        await router.reload(source(readers=[*READERS, FOURTH], timeouts={"connect": "300ms"}))

        assert {(await router.execute("SELECT 1")).route.node for _ in range(9)} == set(READERS)
        await until(lambda: not router.health().ready("all") and router.health().nodes[-1].shunned)
        servers[FOURTH].accept()
        servers[FOURTH].thaw()
        await until(lambda: router.health().ready("all"))
        assert {(await router.execute("SELECT 1")).route.node for _ in range(9)} == {*READERS, FOURTH}


async def test_readers_that_are_all_new_are_waited_for() -> None:
    """Reads do not fall back to the primary because nobody has been looked at yet."""
    servers = four()
    servers[FOURTH].freeze()
    async with opened(servers) as router:
        await router.reload(source(readers=[FOURTH]))
        call = asyncio.ensure_future(router.execute("SELECT 1"))
        servers[FOURTH].thaw()

        assert (await call).route.node == FOURTH


# ---- connections


async def test_a_new_password_is_for_new_connections() -> None:
    """Those that are open stay; the next ones say the new one, the probe's too."""
    servers = cluster()
    for server in servers.values():
        server.password = "first"

    def with_password(word: str) -> dict[str, Any]:
        made = source()
        made["databases"]["app"]["password"] = word
        return made

    async with Router.open(with_password("first"), drivers=lambda _name: FakeDriver(servers)) as router:
        await router.execute("SELECT 1", route="write")
        (kept,) = pool_of(router, "write", WRITER)._state.seats
        for server in servers.values():
            server.password = "second"

        report = await router.reload(with_password("second"))

        assert report.changes == ("database app changed: password changed",)
        assert pool_of(router, "write", WRITER)._state.seats == {kept}
        gate = servers[WRITER].hold("SELECT 2")
        calls = [asyncio.ensure_future(router.execute("SELECT 2", route="write")) for _ in range(3)]
        await gate.reached(3)
        gate.open()
        await asyncio.gather(*calls)
        await until(lambda: router.health().ready("all"))


async def test_a_password_that_no_server_takes_ends_no_connection_that_works() -> None:
    """One typing error, or a secret that comes before the database knows it: probes go on as they are, and say what is wrong."""
    servers = cluster()
    for server in servers.values():
        server.password = "first"

    def with_password(word: str) -> dict[str, Any]:
        made = source(pool={"min_size": 1, "max_size": 1}, timeouts={"connect": "1s" if word == "first" else "2s"})
        made["databases"]["app"]["password"] = word
        return made

    def told() -> set[str]:
        return {event.node for event in listener.of(ConnectionFailed) if event.hostgroup == "probe"}

    listener = Listener()
    async with Router.open(with_password("first"), drivers=lambda _name: FakeDriver(servers), observers=[listener]) as router:
        await until(lambda: all(pool.idle == 1 for pool in router._parts.pools))
        await router.reload(with_password("frist"))
        await until(lambda: told() == set(servers), what="every probe to be refused")

        for _ in range(2):
            assert (await router.execute("SELECT 1")).route.hostgroup == "read"
            assert (await router.execute("SELECT 1", route="write")).route.hostgroup == "write"
        assert router.health().ready("all") and not listener.of(NodeShunned)
        assert {event.code for event in listener.of(ConnectionFailed)} == {"28P01"}

        servers[FIRST].stop()
        await until(lambda: listener.of(NodeShunned), what="a server that is gone to be seen all the same")
        connects = servers[SECOND].connects
        servers[SECOND].password = "frist"
        await until(lambda: servers[SECOND].connects > connects, what="the probe to ask again")
        assert (await router.execute("SELECT 1")).route.node == SECOND
    assert {event.node for event in listener.of(NodeShunned)} == {FIRST}
    assert len([event for event in listener.of(ConnectionFailed) if event.hostgroup == "probe"]) == 3


class Told(FakeDriver):
    """Remembers with what it was told to connect."""

    def __init__(self, servers: dict[str, FakeServer]) -> None:
        super().__init__(servers)
        self.users: list[str | None] = []

    async def connect(self, options: ConnectOptions, **more: Any) -> Any:
        """As ever."""
        self.users.append(options.user)
        return await super().connect(options, **more)


async def test_another_user_gets_connections_of_its_own() -> None:
    """Idle ones are closed at once, one in use when it comes back; no call of later is made as the old user."""
    servers = cluster()
    driver = Told(servers)
    async with Router.open(source(), drivers=lambda _name: driver) as router:
        await router.execute("SELECT 1", route="write")
        gate = servers[WRITER].hold("SELECT 3")
        call = asyncio.ensure_future(router.fetchval("SELECT 3", route="write"))
        await gate.reached()
        driver.users.clear()
        other = source()
        other["databases"]["app"]["dsn"] = "postgresql://other@/app"

        await router.reload(other)
        await router.execute("SELECT 1", route="write")
        gate.open()

        assert await call == 3
        await until(lambda: len(pool_of(router, "write", WRITER)._state.seats) == 1)
        assert set(driver.users) == {"other"}


async def test_a_connection_that_is_being_made_as_the_old_user_is_not_used() -> None:
    """The caller who waits for it gets one of the new user's."""
    servers = cluster()
    driver = Told(servers)
    async with Router.open(source(), drivers=lambda _name: driver) as router:
        servers[WRITER].freeze()
        call = asyncio.ensure_future(router.execute("SELECT 1", route="write", timeout=5.0))
        await until(lambda: pool_of(router, "write", WRITER).stats(0.0).connecting == 1)
        driver.users.clear()
        other = source()
        other["databases"]["app"]["dsn"] = "postgresql://other@/app"

        await router.reload(other)
        servers[WRITER].thaw()
        await call

        assert "other" in driver.users
        assert pool_of(router, "write", WRITER).stats(0.0).closed.get("reloaded") == 1


async def test_a_smaller_pool_shrinks_as_connections_come_back() -> None:
    """Nobody in line is lost, and a larger one serves them at once."""
    servers = cluster()
    big = {"min_size": 0, "max_size": 6, "acquire_timeout": "5s"}
    async with opened(servers, pool=big) as router:
        gate = servers[WRITER].hold("SELECT 4")
        calls = [asyncio.ensure_future(router.fetchval("SELECT 4", route="write")) for _ in range(8)]
        await gate.reached(6)
        pool = pool_of(router, "write", WRITER)

        await router.reload(source(pool={**big, "max_size": 2}))
        assert (pool.in_use, pool.waiting, pool._state.audit()) == (6, 2, [])
        gate.open()
        assert await asyncio.gather(*calls) == [4] * 8
        await until(lambda: pool.size <= 2)
        assert pool.stats(0.0).closed["resized"] >= 4

        gate = servers[WRITER].hold("SELECT 5")
        calls = [asyncio.ensure_future(router.fetchval("SELECT 5", route="write")) for _ in range(5)]
        await gate.reached(2)
        assert pool.waiting == 3
        await router.reload(source(pool={**big, "max_size": 5}))
        await gate.reached(5)
        gate.open()
        assert await asyncio.gather(*calls) == [5] * 5
        assert pool._state.audit() == []


# ---- databases


def two(*names: str, **extra: Any) -> dict[str, Any]:
    """A configuration with these databases, each with its own primary and replica."""
    numbers = {"app": 1, "stock": 3, "late": 5}
    return {
        **source(),
        "databases": {
            name: {
                "dsn": f"postgresql://app@/{name}",
                "writer_hostgroup": numbers[name],
                "reader_hostgroup": numbers[name] + 1,
            }
            for name in names
        },
        "hostgroups": [
            {"id": numbers[name] + role, "name": f"{name}-{'read' if role else 'write'}", "servers": [f"{name}{role}:5432"]}
            for name in names
            for role in (0, 1)
        ],
        **extra,
    }


def many() -> dict[str, FakeServer]:
    """The servers of `two`."""
    servers = {}
    for name in ("app", "stock", "late"):
        servers[f"{name}0:5432"] = FakeServer(name=f"{name}0")
        servers[f"{name}1:5432"] = servers[f"{name}0:5432"].replica(name=f"{name}1")
    return servers


async def test_databases_come_and_go_and_those_who_hold_them_follow() -> None:
    """A removed one says so, a new one is there, and one that comes back works for who held it all the time."""
    servers = many()
    async with Router.open(two("app", "stock"), drivers=lambda _name: FakeDriver(servers)) as router:
        stock = router.database("stock")
        await stock.execute("SELECT 1")

        await router.reload(two("app", "late"))

        for call in (stock.execute("SELECT 1"), stock.execute("SELECT 2"), stock.batch(["SELECT 1"])):
            with pytest.raises(DatabaseRemovedError, match="a reload removed database 'stock'"):
                await call
        for made in (stock.transaction, stock.connection, lambda: stock.explain("SELECT 1"), lambda: stock.stream("SELECT 3")):
            with pytest.raises(DatabaseRemovedError):
                made()
        with pytest.raises(ParameterError, match="no database 'stock'; the configuration has app, late"):
            router.database("stock")
        assert (await router.database("late").execute("SELECT 1")).route.node == "late1:5432"
        await until(lambda: not servers["stock0:5432"].connections and not servers["stock1:5432"].connections)

        await router.reload(two("app", "stock"))

        assert (await stock.execute("SELECT 1")).route.node == "stock1:5432"
        assert stock._context is router.database("stock")._context


async def test_the_router_follows_the_first_database_and_nobody_else_does() -> None:
    """A call that was under way is tried again on its own database, not on the new first one."""
    servers = many()
    async with Router.open(two("app", "stock"), drivers=lambda _name: FakeDriver(servers)) as router:
        app = router.database("app")
        gate = servers["app1:5432"].hold("SELECT 1")
        call = asyncio.ensure_future(router.execute("SELECT 1"))
        await gate.reached()

        await router.reload(two("stock", "app"))
        servers["app1:5432"].kill_connections()
        gate.open()

        assert (await call).route.node.startswith("app")
        assert (await router.execute("SELECT 1")).route.node == "stock1:5432"
        assert (await app.execute("SELECT 1", route="write")).route.node == "app0:5432"


async def test_who_waits_on_a_database_that_goes_is_told() -> None:
    """A write that waits for the primary of a database that a reload removes does not wait on."""
    servers = many()
    async with Router.open(two("app", "stock"), drivers=lambda _name: FakeDriver(servers)) as router:
        servers["stock0:5432"].stop()
        context = router.database("stock")._context
        await until(lambda: not context.writer.usable)
        write = asyncio.ensure_future(router.database("stock").execute("CREATE TABLE t(n int)"))
        await until(lambda: context.writer._waiters)

        await router.reload(two("app"))

        with pytest.raises((DatabaseRemovedError, NoNodeAvailableError), match="a reload removed"):
            await write


# ---- what is refused


@pytest.mark.parametrize("told", ["file", "mapping"])
async def test_an_invalid_configuration_changes_nothing_and_is_told(told: str, tmp_path: Path) -> None:
    """Error, event, health; no password in any of them; and the next good one is taken."""
    servers, listener = cluster(), Listener()
    async with opened(servers, observers=[listener]) as router:
        await router.execute("SELECT 1")
        parts, plans = router._parts.contexts, len(router._parts.contexts[0].planner.cache)
        bad: Any = source(readers=["db2:70000"], polo={})
        bad["databases"]["app"]["dsn"] = "postgresql://app:hunter2@/app?nonsense=1"
        if told == "file":
            path = tmp_path / "dbrouter.yaml"
            path.write_text("databases: {app: {dsn: 'postgresql://app:hunter2@/app', writer_hostgroup: 1}}\nhostgroups: 5\n")
            bad = str(path)

        with pytest.raises(ConfigError) as caught:
            await router.reload(bad)

        assert router._parts.contexts is parts and len(parts[0].planner.cache) == plans
        (event,) = listener.of(ConfigRejected)
        assert event.count == len(caught.value.problems) >= 1 and event.generation == 1
        health = router.health().config
        assert health is not None and health.generation == 1 and health.rejections == 1 and health.rejected_for is not None
        assert health.problems == tuple(str(problem) for problem in caught.value.problems)
        assert "hunter2" not in repr(listener.events) + repr(health) + str(caught.value)
        assert (await router.execute("SELECT 1")).route.node in READERS

        await router.reload(source(readers=[FIRST]))

        health = router.health().config
        assert health is not None and health.generation == 2 and health.rejected_for is None and health.problems == ()
        (reloaded,) = listener.of(ConfigReloaded)
        assert (reloaded.generation, reloaded.trigger, reloaded.drained) == (2, "call", ("read/db3:5432",))
        assert reloaded.changes == ("server read/db3:5432 removed",)


async def test_an_engine_cannot_change_while_the_router_is_open() -> None:
    """The problem says what to do instead."""
    async with opened(cluster()) as router:
        other = source()
        other["databases"]["app"] |= {"engine": "mysql", "dsn": "mysql://app@/app"}

        with pytest.raises(ConfigError, match="postgresql cannot become mysql while the router is open"):
            await router.reload(other)


async def test_a_driver_that_is_not_there_changes_nothing() -> None:
    """What fails after the reading leaves the old configuration in force, too."""
    servers = many()

    def driver(name: str) -> FakeDriver:
        if name != "asyncpg":
            raise ModuleNotFoundError(f"{name} needs an extra")
        return FakeDriver(servers)

    async with Router.open(two("app"), drivers=driver) as router:
        more = two("app", "stock")
        more["databases"]["stock"] |= {"engine": "mysql", "dsn": "mysql://app@/stock"}

        with pytest.raises(ModuleNotFoundError):
            await router.reload(more)

        assert router.health().config.problems == ("ModuleNotFoundError: aiomysql needs an extra",)  # type: ignore[union-attr]
        assert (await router.execute("SELECT 1")).route.node == "app1:5432"


async def test_a_closed_router_reloads_no_more() -> None:
    """It says that it is closed."""
    async with opened(cluster()) as router:
        await router.aclose()

        with pytest.raises(PoolClosedError, match="cannot be reloaded"):
            await router.reload(source(readers=[FIRST]))


async def test_another_event_loop_changes_nothing() -> None:
    """A reload or a close from another loop, where nothing of the router works, is refused; the router goes on in its own."""
    servers = four()
    async with opened(servers) as router:

        async def elsewhere() -> None:
            with pytest.raises(PoolClosedError, match="another event loop"):
                await router.reload(source(readers=[*READERS, FOURTH]))
            with pytest.raises(PoolClosedError, match="another event loop"):
                await router.aclose()

        await asyncio.to_thread(asyncio.run, elsewhere())

        assert router.health().config.generation == 1  # type: ignore[union-attr]
        assert not router.closed and not servers[FOURTH].connects
        assert (await router.execute("SELECT 1")).route.hostgroup == "read"


# ---- several, and cancelled ones


async def test_two_at_once_run_one_after_the_other() -> None:
    """The last one wins; each begins where the one before ended."""
    async with opened(cluster()) as router:
        first, second = await asyncio.gather(
            router.reload(source(readers=[FIRST])), router.reload(source(readers=[SECOND], pool={"max_size": 3}))
        )

        assert (first.generation, second.generation) == (2, 3)
        assert "server read/db2:5432 removed" in second.changes
        assert {(await router.execute("SELECT 1")).route.node for _ in range(4)} == {SECOND}


async def test_closing_while_a_reload_is_under_way_leaves_nothing() -> None:
    """The reload ends without effect."""
    servers = four()
    servers[FOURTH].freeze()
    async with opened(servers) as router:
        reloading = asyncio.ensure_future(router.reload(source(readers=[*READERS, FOURTH])))
        await until(lambda: servers[FOURTH].connects)

        await router.aclose()

        with pytest.raises(PoolClosedError):
            await reloading
        servers[FOURTH].thaw()


async def test_closing_does_not_wait_for_a_file_that_does_not_answer(tmp_path: Path) -> None:
    """A configuration behind a network that hangs, or a pipe: the reload is told that the router is closed."""
    pipe = tmp_path / "dbrouter.yaml"
    os.mkfifo(pipe)
    async with opened(cluster()) as router:
        reloading = asyncio.ensure_future(router.reload(pipe))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(router.aclose(), 5)

            with pytest.raises(PoolClosedError, match="cannot be reloaded"):
                await asyncio.wait_for(reloading, 5)
        finally:
            await asyncio.to_thread(pipe.write_text, "at last")


@pytest.mark.parametrize("when", ["at", "after"])
@pytest.mark.parametrize("again", [None, 1])
async def test_cancelled_anywhere_it_is_the_old_or_the_new_one(when: When, again: int | None) -> None:
    """At every await: one configuration is wholly in force, everybody is served by it, and nothing is left of the other."""
    servers = four()
    plain = {"min_size": 1, "max_size": 2}
    here, there = source(pool=plain), source(readers=[SECOND, FOURTH], pool=plain, retry={"attempts": 5})
    states = set()
    async with opened(servers, pool=plain) as router:
        for k in count():
            background = len(router._parts.tasks)
            ended = await outcome(CancelledAt(router.reload(there), k, when, again))

            is_new = router.config.retry.attempts == 5
            assert is_new or not ended
            states.add(is_new)
            wanted = {SECOND, FOURTH} if is_new else set(READERS)
            await until(lambda: router.health().ready("all"))
            assert {(await router.execute("SELECT 1")).route.node for _ in range(6)} == wanted
            context = router._parts.contexts[0]
            assert {member.node.id for member in context.reader.members} == wanted
            assert {node.id for node in context.nodes} == wanted | {WRITER}
            assert {key.rpartition("/")[2] for key in router._parts.monitor.topology.nodes} == wanted | {WRITER}
            assert router.health().config.generation % 2 == (0 if is_new else 1)  # type: ignore[union-attr]
            gone = servers[FIRST] if is_new else servers[FOURTH]
            await until(lambda gone=gone: not gone.connections, what="what is not in force to be closed")
            await until(lambda background=background: len(router._parts.tasks) == background, what="its tasks to end")
            assert all(pool._state.audit() == [] for pool in router._parts.pools)
            if is_new:
                await router.reload(here)
                await until(lambda: not servers[FOURTH].connections)
            if ended:
                break
    assert k >= 2 and True in states


async def test_a_file_is_read_again_with_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a source it is the same file, with the variables and secret files of now."""
    servers = cluster()
    secret = tmp_path / "password"
    secret.write_text("first\n")
    for server in servers.values():
        server.password = "first"
    monkeypatch.setenv("SIZE", "3")
    path = tmp_path / "dbrouter.yaml"
    made = deepcopy(source())
    made["databases"]["app"]["password"] = f"file:{secret}"
    made["pool"] = {"min_size": 0, "max_size": "${SIZE}"}
    path.write_text(re.sub("'", '"', repr(made)))
    async with Router.open(path, drivers=lambda _name: FakeDriver(servers)) as router:
        assert not await router.reload()
        secret.write_text("second\n")
        monkeypatch.setenv("SIZE", "4")

        report = await router.reload()

        assert report.changes == ("database app changed: password changed", "setting pool changed: max_size: 3 → 4")


# ---- what rules want beside routing


async def test_a_result_of_before_answers_nobody_afterwards() -> None:
    """The result cache begins empty, also for what calls of before store later; its counters go on."""
    servers = cluster()
    rules = [{"rule_id": 1, "match_digest": "AS kept", "cache_ttl": "60s"}]
    async with opened(servers, query_rules=rules) as router:
        for _ in range(2):
            await router.execute("SELECT 1 AS kept")
        gates = [servers[name].hold("SELECT 2 AS kept") for name in READERS]
        late = asyncio.ensure_future(router.execute("SELECT 2 AS kept"))
        await until(lambda: any(gate.waiting for gate in gates))

        await router.reload(source(query_rules=rules, retry={"attempts": 4}))
        for gate in gates:
            gate.open()
        await late

        cache = router._parts.contexts[0].cache
        assert (len(cache), cache.hits) == (0, 1)
        assert (await router.execute("SELECT 2 AS kept")).route.node in READERS
        assert (await router.execute("SELECT 2 AS kept")).route.node == "cache"


async def test_mirroring_finds_the_databases_of_now() -> None:
    """A rule of the new configuration mirrors to a database that came with it."""
    servers = many()
    async with Router.open(two("app"), drivers=lambda _name: FakeDriver(servers)) as router:
        await router.execute("SELECT 1 AS copied")
        rules = [{"rule_id": 1, "database": "app", "match_digest": "copied", "mirror_hostgroup": 4}]

        await router.reload(two("app", "stock", query_rules=rules, mirror={"max_concurrency": 2}))
        await router.execute("SELECT 1 AS copied")

        await until(lambda: any("copied" in text for _, text, _ in servers["stock1:5432"].log))
        assert router._parts.contexts[0].mirror is router._parts.contexts[1].mirror


async def test_introspection_begins_and_ends_with_the_configuration() -> None:
    """Asked for by a reload the catalog is read; no longer asked for, nobody reads it."""
    servers = cluster()
    for server in servers.values():
        server.on(
            re.compile("pg_proc|provolatile"),
            rows=[{"name": "harmless", "schema": "public", "may_write": False, "hidden": False}],
        )
    async with opened(servers) as router:
        await router.reload(source(functions="introspect"))
        catalog = router._parts.contexts[0].planner.catalog
        await until(lambda: catalog.introspected)
        assert router.explain("SELECT harmless()").intent == "read"
        assert "introspect app" in {task.get_name() for task in asyncio.all_tasks()}

        await router.reload(source(functions="introspect", retry={"attempts": 4}))
        assert router._parts.contexts[0].planner.catalog.introspected

        await router.reload(source())
        await until(lambda: "introspect app" not in {task.get_name() for task in asyncio.all_tasks()})


async def test_a_wish_to_reload_waits_until_the_router_is_open(tmp_path: Path) -> None:
    """SIGHUP while `open` waits for a server is neither lost nor in its way."""
    servers = cluster()
    path = tmp_path / "dbrouter.yaml"
    path.write_text(json.dumps(source(readers=[FIRST], timeouts={"connect": "5s"})))
    servers[WRITER].freeze()
    opening = asyncio.ensure_future(_opened(path, servers))
    await until(lambda: servers[WRITER].connects)
    path.write_text(json.dumps(source(readers=[SECOND], timeouts={"connect": "5s"})))
    signal.raise_signal(signal.SIGHUP)
    await asyncio.sleep(0)
    servers[WRITER].thaw()

    async with await opening as router:
        await until(lambda: router.health().config.generation == 2)  # type: ignore[union-attr]
        assert (await router.execute("SELECT 1")).route.node == SECOND


async def _opened(path: Path, servers: dict[str, FakeServer]) -> Router:
    return await Router.open(path, drivers=lambda _name: FakeDriver(servers), reload_on_sighup=True)
