"""One node in several places: one breaker, a pool in each; the last usable one; what its members are told."""

from __future__ import annotations

from typing import Any

from dbrouter.cluster.node import Member
from dbrouter.cluster.topology import NodeState
from dbrouter.config import load
from dbrouter.router.build import Parts, build
from dbrouter.router.context import Context
from dbrouter.terms import BreakerState, Role
from dbrouter.testing.fake import FakeDriver
from tests.fakes import QUICK, READERS, WRITER, parts_of

FIRST, SECOND = READERS


def context_of(**settings: Any) -> Context:
    """One database, every node seen as what its first hostgroup wants."""
    context = parts_of(**settings).contexts[0]
    for node in context.nodes:
        role = Role.PRIMARY if node.members[0].writer else Role.REPLICA
        node.publish(NodeState(role=role, probed_at=1.0))
    return context


def fail(member: Member, times: int, *, transport: bool, now: float = 100.0, seconds: float = 0.0) -> None:
    for _ in range(times):
        member.node.failed(now, transport=transport, why="57P01", seconds=seconds)


def two_databases(**settings: Any) -> Parts:
    """Databases 'one' and 'two' that name the same server."""
    databases = {
        name: {"engine": "postgresql", "dsn": f"postgresql://app@/{name}", "writer_hostgroup": number}
        for number, name in enumerate(("one", "two"), start=1)
    }
    hostgroups = [{"id": number, "name": f"write-{number}", "servers": [WRITER]} for number in (1, 2)]
    source = {"databases": databases, "hostgroups": hostgroups, **QUICK, **settings}
    return build(load(source), drivers=lambda _name: FakeDriver({}))


def test_a_server_in_both_hostgroups_is_one_node() -> None:
    """One breaker and one liveness, two pools, one of them read-only."""
    context = context_of(readers=[WRITER, FIRST])
    writing, reading = context.writer.members[0], context.reader.members[0]

    assert writing.node is reading.node and len(context.nodes) == 2 and writing.node.members == [writing, reading]
    assert writing.pool is not reading.pool and (writing.pool.name, reading.pool.name) == (f"write/{WRITER}", f"read/{WRITER}")
    assert (writing.read_only, reading.read_only) == (False, True)
    fail(reading, 5, transport=True)
    assert context.writer.usable == () and [member.node.id for member in context.reader.usable] == [FIRST]


def test_two_databases_on_the_same_server_do_not_mix() -> None:
    """Each has a node, a breaker and a probe of its own; the topology tells them apart."""
    parts = two_databases()
    one, two = (context.nodes[0] for context in parts.contexts)
    for node in (one, two):
        node.publish(NodeState(role=Role.PRIMARY, probed_at=1.0))

    fail(one.members[0], 5, transport=True)

    assert one.id == two.id and one is not two and one.key != two.key
    assert (one.breaker.state, two.breaker.state) == (BreakerState.OPEN, BreakerState.CLOSED)
    assert [len(context.writer.usable) for context in parts.contexts] == [0, 1]


def test_the_last_usable_node_opens_on_connect_class_failures_only() -> None:
    """Answers that blame it leave the last one in use; broken connections do not."""
    context = context_of()
    first, second = context.reader.members

    fail(first, 5, transport=False)
    assert first.node.breaker.state is BreakerState.OPEN and second.node.last_usable()
    fail(second, 50, transport=False)
    assert second.node.breaker.state is BreakerState.CLOSED
    fail(second, 5, transport=True)
    assert second.node.breaker.state is BreakerState.OPEN


def test_the_last_usable_node_is_not_opened_for_being_slow() -> None:
    """Slow calls eject a node only where another one can take its calls."""
    context = context_of(breaker={"slow_call": "100ms", "minimum_calls": 10})
    first, second = context.reader.members
    for _ in range(20):
        first.succeeded(100.0, 1.0, True)
        second.succeeded(100.0, 1.0, True)

    assert sorted(member.node.breaker.state for member in (first, second)) == [BreakerState.CLOSED, BreakerState.OPEN]


def test_late_failures_do_not_open_a_breaker_again() -> None:
    """A call that began before the node recovered says nothing of how it is now."""
    context = context_of()
    member = context.reader.members[0]
    fail(member, 5, transport=True, now=100.0)
    member.node.breaker.probe_succeeded(200.0)
    assert member.node.breaker.state is BreakerState.HALF_OPEN

    fail(member, 1, transport=True, now=201.0, seconds=120.0)
    assert member.node.breaker.state is BreakerState.HALF_OPEN
    fail(member, 1, transport=True, now=202.0, seconds=0.5)
    assert member.node.breaker.state is BreakerState.OPEN


def test_only_connect_class_failures_raise_suspicion() -> None:
    """A probe is asked for where a connection broke, not where the server answered."""
    member = context_of().reader.members[0]
    suspected: list[str] = []
    member.node.on_suspicion = lambda node: suspected.append(node.id)

    fail(member, 1, transport=False)
    fail(member, 1, transport=True)

    assert suspected == [FIRST]


def test_latency_is_smoothed_and_starts_with_the_first_sample() -> None:
    """The first call sets it, each further one moves it by a tenth."""
    member = context_of().reader.members[0]
    assert member.latency == 0.0

    member.succeeded(1.0, 0.100, True)
    assert member.latency == 0.100
    member.succeeded(1.0, 0.200, False)
    assert abs(member.latency - 0.110) < 1e-9
    assert (member.reads.count, member.writes.count) == (1, 1) and abs(member.reads.total - 0.1) < 1e-9


def test_a_member_may_connect_where_it_may_serve() -> None:
    """Connecting is held back while the node is shunned, draining or its breaker is open, and allowed for a trial."""
    context = context_of(readers=[FIRST, {"host": "db3", "status": "draining"}])
    first, second = context.reader.members

    assert first.may_connect() and not second.may_connect()
    fail(first, 5, transport=True)
    assert not first.may_connect()
    first.node.breaker.probe_succeeded(200.0)
    assert first.may_connect()
