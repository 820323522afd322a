"""The monitor over fake servers: when a node is shunned and restored, what moves then, and what it tells."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from dbrouter import Router
from dbrouter.cluster.node import Node
from dbrouter.config.schema import BreakerSettings, ProbeSettings
from dbrouter.drivers.base import ConnectOptions
from dbrouter.errors import ConnectError, DeadlineExceededError, NoNodeAvailableError
from dbrouter.events import EventHub, LoopBlocked, NodeRestored, NodeShunned, TopologyChanged
from dbrouter.monitor.monitor import Monitor
from dbrouter.monitor.probe import Missed, Prober, Seen
from dbrouter.resilience.breaker import Breaker
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import Engine, NodeId, Role, ServerStatus, ShunReason
from dbrouter.testing.fake import FakeDriver, FakeServer
from tests.fakes import READERS, WRITER, cluster, configuration, opened
from tests.watching import Listener, until

FIRST, SECOND = READERS


class Counting(Prober):
    """A prober that counts its looks."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(FakeDriver(server), ConnectOptions(host="db1", port=5432, timeout=5.0), None)
        self.looks = 0

    async def look(self, timeout: float) -> Seen | Missed:
        """Count it."""
        self.looks += 1
        return await super().look(timeout)


class Bench:
    """One watched node, with what it reports to."""

    def __init__(self, server: FakeServer, monitor: Monitor, node: Node, prober: Counting, listener: Listener) -> None:
        self.server = server
        self.monitor = monitor
        self.node = node
        self.prober = prober
        self.listener = listener

    def reached(self) -> bool:
        """Whether a look has shown that the node may be used."""
        return self.node.available and self.node.state.probed_at is not None

    async def looked(self, times: int = 1) -> None:
        """Wait for so many further looks to have begun."""
        wanted = self.prober.looks + times
        await until(lambda: self.prober.looks >= wanted)


@asynccontextmanager
async def watching(
    server: FakeServer | None = None, *, first_timeout: float = 1.0, started: bool = True, **settings: Any
) -> AsyncIterator[Bench]:
    """A monitor over one node; afterwards no probe connection is left and no task failed."""
    server = server or FakeServer()
    errors: list[BaseException] = []
    listener = Listener()
    tasks = OwnedTasks(lambda _name, error: errors.append(error))
    node = Node(
        id=NodeId("db1:5432"),
        database="app",
        engine=Engine.POSTGRESQL,
        endpoint="db1:5432",
        breaker=Breaker("db1:5432", BreakerSettings(), random.Random(1)),
        status=ServerStatus.ONLINE,
    )
    prober = Counting(server)
    probe = ProbeSettings(**{"interval": 0.01, "timeout": 0.05, "fall": 2, "rise": 2, **settings})
    monitor = Monitor([(node, prober, probe, first_timeout)], tasks=tasks, events=EventHub((listener,)))
    if started:
        monitor.start()
        assert await monitor.wait_until(lambda: node.state.probed_at is not None, 5.0)
    try:
        yield Bench(server, monitor, node, prober, listener)
    finally:
        monitor.stop()
        await tasks.close()
    assert errors == []
    assert not server.connections


# ---- one node


async def test_the_first_look_decides_alone() -> None:
    """One good look is enough to be used, one bad one to be shunned."""
    async with watching(rise=5, interval=60.0) as good:
        assert good.node.available and good.node.state.role is Role.PRIMARY and good.prober.looks == 1
    refusing = FakeServer()
    refusing.refuse()
    async with watching(refusing, fall=5, interval=60.0) as bad:
        assert bad.node.state.shun is not None and bad.node.state.shun.reason is ShunReason.DEAD and bad.prober.looks == 1


async def test_fall_and_rise() -> None:
    """`fall` misses in a row shun, `rise` good looks restore; each is told once, with a generation of its own."""
    async with watching(fall=3, rise=3) as bench:
        first = bench.monitor.topology.generation
        bench.server.stop()
        await until(lambda: not bench.node.available)
        missed = bench.prober.looks
        shun = bench.node.state.shun
        assert shun is not None and shun.reason is ShunReason.DEAD and "refuses connections" in shun.detail
        assert isinstance(bench.monitor.failure_of(bench.node), ConnectionRefusedError)
        await bench.looked(3)
        assert bench.node.state.shun is shun, "its reason and moment stay those of the shunning"

        bench.server.accept()
        await until(lambda: bench.node.available)

        assert missed >= 4 and bench.monitor.failure_of(bench.node) is None
        assert bench.monitor.topology.generation == first + 2
        (shunned,), (restored,) = bench.listener.of(NodeShunned), bench.listener.of(NodeRestored)
        assert (shunned.node, shunned.reason) == ("db1:5432", ShunReason.DEAD) and restored.seconds > 0
        assert [(event.generation, event.usable, event.unusable) for event in bench.listener.of(TopologyChanged)] == [
            (first, ("db1:5432",), ()),
            (first + 1, (), ("db1:5432",)),
            (first + 2, ("db1:5432",), ()),
        ]


async def test_a_single_miss_is_forgiven() -> None:
    """One failed look out of many changes nothing and tells nothing."""
    async with watching(fall=2) as bench:
        generation = bench.monitor.topology.generation
        bench.server.kill_connections()
        await until(lambda: bench.monitor.failure_of(bench.node) is not None)
        await until(lambda: bench.monitor.failure_of(bench.node) is None)

        assert bench.node.available and bench.monitor.topology.generation == generation
        assert bench.listener.of(NodeShunned) == []


async def test_a_frozen_server_is_shunned_in_time() -> None:
    """At most interval + fall · timeout after it froze, and by its own name."""
    async with watching(interval=0.02, timeout=0.05, fall=2) as bench:
        bench.server.freeze()
        started = monotonic()
        await until(lambda: not bench.node.available)
        took = monotonic() - started

        assert bench.node.state.shun is not None and bench.node.state.shun.reason is ShunReason.FROZEN
        assert bench.node.state.shun.detail == "no answer within 0.05s"
        assert 0.09 < took < 0.5
        bench.server.thaw()
        await until(lambda: bench.node.available)


async def test_the_first_look_may_take_longer() -> None:
    """Connecting is included, so it has the connect timeout; later looks have the probe's."""
    server = FakeServer()
    server.freeze()
    async with watching(server, first_timeout=5.0, timeout=0.02, started=False) as bench:
        bench.monitor.start()
        await until(lambda: bench.prober.looks == 1)
        asyncio.get_running_loop().call_later(0.1, server.thaw)
        assert await bench.monitor.wait_until(bench.reached, 5.0)
        assert bench.listener.of(NodeShunned) == []


async def test_a_role_change_is_published() -> None:
    """A promotion is seen at the next look, on the same connection, and told once."""
    async with watching(FakeServer(role=Role.REPLICA)) as bench:
        generation, connects = bench.monitor.topology.generation, bench.server.connects
        bench.server.promote()
        await until(lambda: bench.node.state.role is Role.PRIMARY)
        await bench.looked(3)

        assert bench.monitor.topology.generation == generation + 1 and bench.server.connects == connects
        assert len(bench.listener.of(TopologyChanged)) == 2 and bench.listener.of(NodeShunned) == []


async def test_unchanged_looks_keep_the_generation_but_not_the_sample() -> None:
    """The moment of the last look and the lag are fresh in every snapshot."""
    async with watching() as bench:
        before = bench.monitor.topology
        bench.server.lag = 1.5
        await until(lambda: bench.node.state.lag == 1.5)
        after = bench.monitor.topology

        assert after.generation == before.generation and after is not before
        assert after.nodes["app/db1:5432"] is bench.node.state
        assert before.nodes["app/db1:5432"].lag is None, "a snapshot that was taken does not change"


# ---- suspicion


async def test_suspicion_wakes_the_probe_early() -> None:
    """A call that saw something odd is answered by a look long before the interval ends."""
    async with watching(interval=0.5) as bench:
        await asyncio.sleep(0)
        started, looks = monotonic(), bench.prober.looks
        bench.node.suspect()
        await until(lambda: bench.prober.looks > looks)

        assert monotonic() - started < 0.4


async def test_suspicion_is_no_hot_loop() -> None:
    """However many calls complain, there are at most five looks per interval."""
    async with watching(interval=0.2) as bench:
        looks, started = bench.prober.looks, monotonic()
        while monotonic() - started < 0.4:
            bench.node.suspect()
            await asyncio.sleep(0.001)

        assert 3 <= bench.prober.looks - looks <= 11


async def test_a_dead_node_that_is_suspected_is_shunned_early() -> None:
    """Failing calls shorten the time to the verdict: `fall` looks, a fifth of an interval apart."""
    async with watching(interval=1.0, fall=2) as bench:
        bench.server.stop()
        started = monotonic()
        while bench.node.available:
            bench.node.suspect()
            await asyncio.sleep(0.005)

        assert monotonic() - started < 0.8


# ---- our own loop


async def test_a_look_that_failed_while_the_loop_was_stalled_is_void() -> None:
    """User code that blocks the loop makes no node look frozen."""
    async with watching(fall=1, timeout=0.2, interval=0.02) as bench:
        loop = asyncio.get_running_loop()
        bench.server.freeze()
        looks = bench.prober.looks
        await until(lambda: bench.prober.looks > looks)
        blocked = loop.time()
        while loop.time() - blocked < 0.4:
            pass  # Blocks the loop on purpose.
        bench.server.thaw()
        await bench.looked(2)

        assert bench.node.available and bench.listener.of(NodeShunned) == []
        assert len(bench.listener.of(LoopBlocked)) == 1 and bench.listener.of(LoopBlocked)[0].seconds > 0.2


# ---- its end


async def test_stopping_closes_the_probe_connection() -> None:
    """Also while a look hangs."""
    server = FakeServer()
    async with watching(server) as bench:
        assert len(server.connections) == 1
        server.freeze()
        await bench.looked()
    assert not server.connections


async def test_waiting_for_the_first_looks_ends_when_all_were_made() -> None:
    """False as soon as every node was looked at in vain, long before the time limit."""
    server = FakeServer()
    server.refuse()
    async with watching(server, started=False) as bench:
        bench.monitor.start()
        async with asyncio.timeout(5):
            assert await bench.monitor.wait_until(bench.reached, 60.0) is False
        error = bench.monitor.connect_error([bench.node], "start: all")
        assert isinstance(error, ConnectError) and isinstance(error.__cause__, ConnectionRefusedError)
        assert "start: all: db1:5432: ConnectionRefusedError" in str(error) and error.endpoint == "db1:5432"


async def test_waiting_for_the_first_looks_ends_with_its_time() -> None:
    """A server that hangs for longer than the caller waits is "no answer yet"."""
    server = FakeServer()
    server.freeze()
    async with watching(server, first_timeout=60.0, started=False) as bench:
        bench.monitor.start()
        assert await bench.monitor.wait_until(bench.reached, 0.02) is False
        assert "db1:5432: no answer yet" in str(bench.monitor.connect_error([bench.node], "x"))


# ---- with a router over it


async def reading(router: Router, **options: Any) -> str:
    """The node on which one read ran."""
    return (await router.execute("SELECT 1 AS one", **options)).route.node


async def test_reads_in_flight_move_when_their_node_is_shunned() -> None:
    """They end on another node, at no cost of attempts."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 1}) as router:
        servers[FIRST].freeze()
        results = await asyncio.gather(*(router.execute("SELECT 1 AS one", timeout=5.0) for _ in range(6)))

        assert {result.route.node for result in results} <= {SECOND, WRITER}
        assert {result.route.attempts for result in results} == {1}
        servers[FIRST].thaw()


async def test_writes_in_flight_wait_for_their_deadline() -> None:
    """A frozen primary is shunned, but a write on it is not cut before its time; its outcome is unknown."""
    servers = cluster()
    async with opened(servers, observers=[listener := Listener()]) as router:
        await router.execute("CREATE TABLE t (n integer)")
        gate = servers[WRITER].hold("INSERT INTO t VALUES (1)")
        write = asyncio.ensure_future(router.execute("INSERT INTO t VALUES (1)", timeout=5.0))
        await gate.reached()
        servers[WRITER].freeze()
        await until(lambda: [event for event in listener.of(NodeShunned) if event.node == WRITER])
        await asyncio.sleep(0)
        assert not write.done()
        servers[WRITER].thaw()
        gate.open()

        assert (await write).rowcount == 1


async def test_callers_in_line_choose_again() -> None:
    """Whoever waits for a connection of a node that is shunned is sent to another one."""
    servers = cluster()
    async with opened(servers, pool={"max_size": 1, "min_size": 0, "acquire_timeout": "5s"}, writers=[WRITER]) as router:
        gates = [servers[name].hold("SELECT 1 AS held") for name in READERS]
        held = [asyncio.ensure_future(router.execute("SELECT 1 AS held", timeout=10.0)) for _ in READERS]
        for gate in gates:
            await gate.reached()
        waiting = [asyncio.ensure_future(reading(router, timeout=10.0)) for _ in READERS]
        await until(lambda: sum(member.pool.waiting for member in router.stats().members) == 2)
        servers[FIRST].stop()
        gates[1].open()

        assert await asyncio.gather(*waiting) == [SECOND, SECOND]
        gates[0].open()
        assert {result.route.node for result in await asyncio.gather(*held)} == {SECOND}


async def test_a_demoted_primary_takes_no_writes() -> None:
    """A writer in the wrong role refuses with that reason, reads go on; promoted again it serves again."""
    servers = cluster()
    listener = Listener()
    async with opened(servers, write={"when_empty": "fail"}) as router:
        router.observe(listener)
        await router.execute("CREATE TABLE t (n integer)")
        servers[WRITER].demote()
        await until(lambda: not router.health().databases[0].writer)

        with pytest.raises(NoNodeAvailableError, match="wrong role: replica, not primary"):
            await router.execute("INSERT INTO t VALUES (1)")
        assert await reading(router) in READERS and not router.health().ready("writer") and router.health().ready("any")

        servers[WRITER].promote()
        await until(lambda: router.health().databases[0].writer)
        assert (await router.execute("INSERT INTO t VALUES (1)")).route.node == WRITER
        (told,) = listener.of(NodeShunned)
        assert told.node == WRITER and told.reason is ShunReason.WRONG_ROLE and len(listener.of(NodeRestored)) == 1
        assert [event.unusable for event in listener.of(TopologyChanged)] == [(WRITER,), ()]


async def test_a_replica_that_a_reload_makes_the_writer_is_told() -> None:
    """Its role is old news, its place is new: who fails over in the file the wrong way round reads why no write goes through."""
    servers = cluster()
    listener = Listener()
    async with opened(servers, write={"when_empty": "fail"}, observers=[listener]) as router:
        await router.reload(configuration(writers=[READERS[0]], readers=[READERS[1]], write={"when_empty": "fail"}))
        await until(lambda: listener.of(NodeShunned), what="the wrong role to be told")

        (told,) = listener.of(NodeShunned)
        assert (told.node, told.reason) == (READERS[0], ShunReason.WRONG_ROLE)
        await router.reload(configuration(write={"when_empty": "fail"}))
        await until(lambda: listener.of(NodeRestored), what="the right place to be told")
        assert [event.node for event in listener.of(NodeRestored)] == [READERS[0]]
        assert (await router.execute("SELECT 1", route="write")).route.node == WRITER


async def test_a_restored_node_has_its_connections_again_at_once() -> None:
    """`min_size` is refilled when the node is back, not at the pool's next tick."""
    servers = cluster()
    async with opened(servers, pool={"min_size": 2, "max_size": 4}) as router:

        def idle() -> int:
            return sum(member.pool.idle for member in router.stats().members if member.node == FIRST)

        await until(lambda: idle() == 2)
        servers[FIRST].stop()
        await until(lambda: {node.node: node.usable for node in router.health().nodes}[FIRST] is False)
        await until(lambda: idle() == 0)
        servers[FIRST].accept()
        await until(lambda: {node.node: node.usable for node in router.health().nodes}[FIRST] is True)
        restored = monotonic()
        await until(lambda: idle() == 2)

        assert monotonic() - restored < 0.5


async def test_a_frozen_lone_primary_ends_reads_by_their_deadline() -> None:
    """With nowhere to go, a read on a shunned node ends as its deadline says."""
    servers = {WRITER: FakeServer(name=WRITER)}
    async with opened(servers, readers=[WRITER], read={"when_empty": "wait"}) as router:
        servers[WRITER].freeze()
        with pytest.raises(DeadlineExceededError):
            await reading(router, timeout=0.3)
        servers[WRITER].thaw()
