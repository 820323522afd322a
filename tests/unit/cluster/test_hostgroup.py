"""Who of a hostgroup may serve, who is next, what is refused and why, and how waiting for a node ends."""

from __future__ import annotations

import asyncio
from math import inf
from time import monotonic
from typing import Any

import pytest

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.cluster.topology import NodeState, Shun
from dbrouter.errors import CircuitOpenError, NoNodeAvailableError
from dbrouter.terms import BreakerState, Role, ShunReason
from tests.fakes import READERS, WRITER, parts_of

FIRST, SECOND = READERS


def groups(**settings: Any) -> tuple[Hostgroup, Hostgroup]:
    """Writer and reader hostgroup of one database, every node seen in its role."""
    context = parts_of(**settings).contexts[0]
    for group, role in ((context.writer, Role.PRIMARY), (context.reader, Role.REPLICA)):
        for member in group.members:
            seen(member, role)
    return context.writer, context.reader


def seen(member: Member, role: Role = Role.REPLICA) -> None:
    """A probe found the node in *role*."""
    member.node.publish(NodeState(role=role, probed_at=1.0))


def shunned(member: Member) -> None:
    """A probe gave the node up."""
    state = member.node.state
    member.node.publish(NodeState(role=state.role, probed_at=1.0, shun=Shun(reason=ShunReason.DEAD, since=1.0, detail="refused")))


def broken(member: Member, now: float = 100.0) -> None:
    """The node's breaker opens."""
    for _ in range(5):
        member.node.failed(now, transport=True, why="08006", seconds=0.0)
    assert member.node.breaker.state is BreakerState.OPEN


def half_open(member: Member, now: float = 100.0) -> None:
    """The node's breaker is half-open."""
    broken(member, now)
    member.node.breaker.probe_succeeded(now + 100.0)
    assert member.node.breaker.state is BreakerState.HALF_OPEN


def usable(group: Hostgroup) -> list[str]:
    return [member.node.id for member in group.usable]


def names(group: Hostgroup, times: int, now: float = 200.0) -> list[str]:
    """Who is chosen, each permit given back at once."""
    found = []
    for _ in range(times):
        choice = group.choose(now, ())
        assert choice is not None
        member, permit = choice
        if permit is not None:
            member.node.breaker.release(permit)
        found.append(member.node.id)
    return found


# ---- who is usable


def test_usable_follows_shun_and_restore() -> None:
    """A shunned member is out until a probe brings it back."""
    _, read = groups()
    first = read.members[0]

    shunned(first)
    assert usable(read) == [SECOND] and first.why_not() == "shunned: dead (refused)"
    seen(first)
    assert usable(read) == [FIRST, SECOND]


def test_usable_follows_the_breaker() -> None:
    """Open is out, half-open is out of the ordinary turn, closed and disabled are in."""
    _, read = groups()
    first = read.members[0]
    breaker = first.node.breaker

    broken(first)
    assert usable(read) == [SECOND] and first.why_not() == "breaker open"
    breaker.probe_succeeded(200.0)
    assert usable(read) == [SECOND] and first.why_not() == "breaker half_open"
    breaker.probe_succeeded(201.0)
    breaker.probe_succeeded(202.0)
    assert breaker.state is BreakerState.CLOSED and usable(read) == [FIRST, SECOND]
    breaker.force_open(203.0, "maintenance")
    assert usable(read) == [SECOND] and first.why_not() == "breaker forced_open"
    breaker.disable(204.0)
    assert usable(read) == [FIRST, SECOND]


def test_writers_must_be_primaries_and_readers_need_not_be_replicas() -> None:
    """A writer that turned out to be a replica, or was not looked at, is out; a reader that was promoted goes on reading."""
    write, read = groups()

    seen(write.members[0], Role.REPLICA)
    seen(read.members[0], Role.PRIMARY)

    assert usable(write) == [] and write.members[0].why_not() == "wrong role: replica, not primary"
    assert usable(read) == [FIRST, SECOND]
    unprobed = parts_of().contexts[0]
    assert usable(unprobed.writer) == [] and unprobed.writer.members[0].why_not() == "not probed yet"
    assert usable(unprobed.reader) == [FIRST, SECOND], "reads are allowed before the first probe"


@pytest.mark.parametrize("status", ["draining", "offline"])
def test_status_keeps_a_server_out(status: str) -> None:
    """Draining and offline servers get nothing new, whatever the probes say."""
    _, read = groups(readers=[FIRST, {"host": "db3", "status": status}])

    assert usable(read) == [FIRST] and read.members[1].why_not() == status
    assert set(names(read, 10)) == {FIRST}


# ---- choosing


def test_a_recovering_member_gets_its_permits_and_no_more() -> None:
    """One try at a time goes to a half-open member; the others go where it is well, and a returned permit is given again."""
    _, read = groups()
    half_open(read.members[0])
    breaker = read.members[0].node.breaker

    first = read.choose(300.0, ())
    assert first is not None and first[0].node.id == FIRST and first[1] is not None and breaker.permits == 1
    others = [read.choose(300.0, ()) for _ in range(5)]
    assert [(choice[0].node.id, choice[1]) for choice in others if choice] == [(SECOND, None)] * 5
    breaker.release(first[1])
    again = read.choose(300.0, ())
    assert again is not None and again[0].node.id == FIRST and again[1] is not None


def test_several_permits() -> None:
    """`half_open_permits` tries may be under way together."""
    _, read = groups(breaker={"half_open_permits": 2})
    half_open(read.members[0])

    chosen = [read.choose(300.0, ()) for _ in range(4)]

    assert [choice[0].node.id for choice in chosen if choice] == [FIRST, FIRST, SECOND, SECOND]


def test_a_recovering_member_in_the_wrong_role_gets_nothing() -> None:
    """A former primary whose breaker is half-open takes no writes once it is a replica."""
    write, _ = groups()
    half_open(write.members[0])

    seen(write.members[0], Role.REPLICA)

    assert write.choose(300.0, ()) is None
    assert isinstance(write.refusal(300.0), NoNodeAvailableError)


def test_what_was_tried_is_left_out() -> None:
    """A retry goes to another member, half-open ones included; nobody is left when all were tried."""
    _, read = groups()
    first, second = read.members

    assert {read.choose(1.0, {first})[0] for _ in range(5)} == {second}  # type: ignore[index]
    assert read.choose(1.0, {first, second}) is None
    half_open(first)
    assert read.choose(300.0, {first, second}) is None and first.node.breaker.permits == 0


def test_explaining_uses_up_no_turn_and_no_permit() -> None:
    """However often somebody asks, the next call is the one that was foretold."""
    _, read = groups()
    for _ in range(6):
        told = [candidate.node for _ in range(3) for candidate in read.candidates(1.0) if candidate.next]
        assert told == [told[0]] * 3 and names(read, 1) == told[:1]

    half_open(read.members[0])
    for _ in range(3):
        candidates = read.candidates(300.0)
    assert read.members[0].node.breaker.permits == 0 and read.members[0].node.breaker.not_permitted == 0
    assert [(candidate.node, candidate.usable, candidate.next) for candidate in candidates] == [
        (FIRST, False, True),
        (SECOND, True, False),
    ]
    assert read.choose(300.0, ())[0].node.id == FIRST  # type: ignore[index]
    assert [candidate.node for candidate in read.candidates(300.0) if candidate.next] == [SECOND], "its permit is out"


def test_candidates_say_that_nobody_looked_yet() -> None:
    """Without a connection a reader is not called usable, although a read may try it."""
    context = parts_of().contexts[0]

    assert {candidate.because for candidate in context.reader.candidates(1.0)} == {"not probed yet"}
    assert all(candidate.usable for candidate in context.reader.candidates(1.0))
    assert [(candidate.usable, candidate.because) for candidate in context.writer.candidates(1.0)] == [(False, "not probed yet")]
    seen(context.reader.members[0])
    assert [candidate.because for candidate in context.reader.candidates(1.0)] == ["usable", "not probed yet"]


# ---- refusing


def test_every_breaker_open() -> None:
    """CircuitOpenError with the nearest moment of a trial, and every candidate's reason."""
    _, read = groups(breaker={"open_for": "10s", "open_for_max": "30s"})
    broken(read.members[0], now=100.0)
    broken(read.members[1], now=103.0)

    error = read.refusal(105.0)

    assert isinstance(error, CircuitOpenError) and error.hostgroup == "read"
    assert error.retry_after == min(member.node.breaker.retry_after(105.0) for member in read.members)
    assert 3.0 <= error.retry_after <= 7.0
    assert [(refusal.node, refusal.reason) for refusal in error.refusals] == [(FIRST, "breaker open"), (SECOND, "breaker open")]
    assert FIRST in str(error) and SECOND in str(error) and f"{error.retry_after:.2f}s" in str(error)
    assert [member.node.breaker.not_permitted for member in read.members] == [1, 1]


def test_mixed_reasons() -> None:
    """One shunned node among open breakers: waiting for a trial would promise too much."""
    _, read = groups()
    broken(read.members[0])
    shunned(read.members[1])

    error = read.refusal(100.0)

    assert isinstance(error, NoNodeAvailableError) and error.hostgroup == "read"
    assert [(refusal.node, refusal.reason) for refusal in error.refusals] == [
        (FIRST, "breaker open"),
        (SECOND, "shunned: dead (refused)"),
    ]


def test_a_shunned_node_with_an_open_breaker_is_shunned() -> None:
    """Its trial would be refused by the probes, so it does not count as waiting for one."""
    _, read = groups(readers=[FIRST])
    broken(read.members[0])
    shunned(read.members[0])

    assert isinstance(read.refusal(100.0), NoNodeAvailableError)


def test_a_primary_that_is_none_with_an_open_breaker() -> None:
    """The wrong role stands before the breaker, in the reason and in the class."""
    write, _ = groups()
    broken(write.members[0])
    seen(write.members[0], Role.REPLICA)

    error = write.refusal(100.0)

    assert isinstance(error, NoNodeAvailableError) and error.refusals[0].reason == "wrong role: replica, not primary"


def test_forced_open_has_no_next_trial() -> None:
    """An operator's breaker waits for the operator, and the message promises nothing else."""
    _, read = groups(readers=[FIRST])
    read.members[0].node.breaker.force_open(1.0, "maintenance")

    error = read.refusal(2.0)

    assert isinstance(error, CircuitOpenError) and error.retry_after == inf
    assert "inf" not in str(error) and "until it is reset" in str(error)


def test_everybody_was_tried() -> None:
    """Usable members that a call has tried say so."""
    _, read = groups()

    assert {refusal.reason for refusal in read.refusal(1.0).refusals} == {"already tried"}  # type: ignore[attr-defined]


# ---- waiting


async def test_waiting_ends_with_a_change() -> None:
    """Whoever waits for a node looks again when a probe or a breaker changed something; nobody else is woken."""
    _, read = groups()
    waiting = asyncio.ensure_future(read.wait_for_change(None))
    await asyncio.sleep(0)
    assert not waiting.done()

    shunned(read.members[0])

    assert await waiting is True and not read._waiters


async def test_waiting_ends_at_its_deadline() -> None:
    """False, and nothing is left behind."""
    _, read = groups()

    assert await read.wait_for_change(monotonic() + 0.01) is False
    assert not read._waiters


async def test_cancelled_waiting_leaves_nothing() -> None:
    """A waiter that is cancelled gives its place up; a change after it disturbs nobody."""
    _, read = groups()
    waiting = asyncio.ensure_future(read.wait_for_change(monotonic() + 60))
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not read._waiters
    shunned(read.members[0])


def test_an_outage_is_waited_out_once() -> None:
    """Patience counts from the moment the last node was lost, so a long outage does not make each call wait anew."""
    _, read = groups(pool={"acquire_timeout": "3s"})
    before = monotonic()

    shunned(read.members[0])
    assert read.empty_since is None
    shunned(read.members[1])

    assert read.empty_since is not None and before <= read.empty_since <= monotonic()
    assert read.worth_waiting_until == read.empty_since + 3.0
    since = read.empty_since
    shunned(read.members[1])
    assert read.empty_since == since
    seen(read.members[0])
    assert read.empty_since is None and read.worth_waiting_until >= before + 3.0


def test_a_recovering_member_ends_an_outage() -> None:
    """A half-open member may serve, so it is worth waiting for."""
    _, read = groups(readers=[FIRST])
    broken(read.members[0])
    assert read.empty_since is not None

    read.members[0].node.breaker.probe_succeeded(200.0)

    assert read.empty_since is None


def test_unprobed() -> None:
    """ "Nobody is usable" is a guess until every node that should be online was looked at."""
    write = parts_of().contexts[0].writer
    assert write.unprobed
    seen(write.members[0])
    assert not write.unprobed
    assert not parts_of(writers=[WRITER, {"host": "db9", "status": "offline"}]).contexts[0].writer.members[1].node.available
