"""What becomes of a call after something went wrong: where it goes, how often, at whose expense, and what its caller gets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from dbrouter.errors import (
    CircuitOpenError,
    ConnectionLostError,
    DeadlineExceededError,
    NoNodeAvailableError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    RetriesExhaustedError,
)
from dbrouter.events import RetryScheduled, StatementRerouted
from dbrouter.testing.fake import FakeError, FakeServer
from tests.fakes import READERS, WRITER, cluster, opened
from tests.watching import Listener, until

FIRST, SECOND = READERS
READ = "SELECT n FROM t"
WRITE = "INSERT INTO t VALUES (1)"
TABLE = "CREATE TABLE t (n integer)"

QUIET = {"interval": "10s", "timeout": "10s"}
"""Probes that look once, so that what a test arranges is not seen by them."""


def lost() -> FakeError:
    return FakeError("server closed the connection unexpectedly", "08006")


def deadlock() -> FakeError:
    return FakeError("deadlock detected", "40P01")


def sent(server: FakeServer, text: str) -> int:
    """How often *text* reached the server."""
    return sum(1 for _, logged, _ in server.log if logged == text)


def fail_everywhere(servers: dict[str, FakeServer], make: Callable[[], BaseException], times: int) -> None:
    for server in servers.values():
        for _ in range(times):
            server.fail_next(make())


# ---- moving


async def test_a_read_moves_to_another_node_at_once() -> None:
    """No wait, and the answer says how many attempts it took."""
    servers = cluster()
    async with opened(
        servers, observers=[listener := Listener()], retry={"backoff": "1d", "backoff_max": "1d"}, probe=QUIET
    ) as router:
        await router.execute(TABLE)
        for name in READERS:
            servers[name].fail_next(lost())
        started = monotonic()
        result = await router.execute(READ)

        assert monotonic() - started < 1.0
        assert result.route.node == WRITER and result.route.attempts == 3
        assert {event.node for event in listener.of(RetryScheduled)} == set(READERS)
        assert [(event.delay, event.where) for event in listener.of(RetryScheduled)] == [(0.0, "elsewhere"), (0.0, "writer")]
        assert [group.retries for group in router.stats().hostgroups if group.name == "read"] == [2]


async def test_when_empty_fail_keeps_reads_off_the_writer() -> None:
    """Without `writer` a read is retried among its own, after a backoff, and ends there."""
    servers = cluster()
    async with opened(servers, read={"when_empty": "fail"}, probe=QUIET) as router:
        await router.execute(TABLE)
        for name in READERS:
            servers[name].fail_next(lost(), times=5)

        with pytest.raises(RetriesExhaustedError) as caught:
            await router.execute(READ)

        assert len(caught.value.attempts) == 3 and sent(servers[WRITER], READ) == 0


async def test_readers_gone_reads_go_to_the_writer() -> None:
    """`when_empty: writer`: with every reader shunned, reads run on the primary without an attempt lost."""
    servers = cluster()
    async with opened(servers) as router:
        await router.execute(TABLE)
        for name in READERS:
            servers[name].stop()
        await until(lambda: [group.usable for group in router.stats().hostgroups if group.name == "read"] == [0])

        route = (await router.execute(READ)).route

        assert (route.node, route.hostgroup, route.attempts) == (WRITER, "write", 1)


@pytest.mark.parametrize(("when_empty", "seconds"), [("fail", 0.3), ("wait", 1.0)])
async def test_readers_gone_and_nobody_else(when_empty: str, seconds: float) -> None:
    """`fail` refuses at once, `wait` after its patience; both name every candidate."""
    servers = cluster()
    async with opened(servers, read={"when_empty": when_empty}, pool={"acquire_timeout": "200ms", "min_size": 0}) as router:
        for name in READERS:
            servers[name].stop()
        await until(lambda: [group.usable for group in router.stats().hostgroups if group.name == "read"] == [0])
        started = monotonic()
        with pytest.raises((NoNodeAvailableError, CircuitOpenError)) as caught:
            await router.execute("SELECT 1")

        assert monotonic() - started < seconds
        assert {refusal.node for refusal in caught.value.refusals} == set(READERS)


async def test_waiting_is_served_by_the_node_that_comes_back() -> None:
    """`when_empty: wait`: a restart is waited out."""
    servers = cluster()
    async with opened(servers, read={"when_empty": "wait"}, pool={"acquire_timeout": "10s", "min_size": 0}) as router:
        for name in READERS:
            servers[name].stop()
        await until(lambda: [group.usable for group in router.stats().hostgroups if group.name == "read"] == [0])
        waiting = asyncio.ensure_future(router.execute("SELECT 1"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        servers[SECOND].accept()

        assert (await waiting).route.node == SECOND


# ---- how often


async def test_attempts_are_capped() -> None:
    """`retry.attempts` sends, each told with node, cause and seconds; the first cause is kept."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 3, "backoff": "1ms", "backoff_max": "1ms"}, probe=QUIET) as router:
        await router.execute(TABLE)
        errors = [lost() for _ in range(9)]
        supply = iter(errors)
        fail_everywhere(servers, lambda: next(supply), 3)

        with pytest.raises(RetriesExhaustedError) as caught:
            await router.execute(READ)

        error = caught.value
        assert sum(sent(server, READ) for server in servers.values()) == 3
        assert [record.node for record in error.attempts[:2]] in ([FIRST, SECOND], [SECOND, FIRST])
        assert error.attempts[2].node == WRITER and len(error.attempts) == 3
        assert all(record.error == "FakeError: server closed the connection unexpectedly" for record in error.attempts)
        assert all(0 <= record.seconds < 1 for record in error.attempts)
        first = servers[error.attempts[0].node]
        assert error.__cause__ in (errors[3:6] if first.name == FIRST else errors[6:9])
        assert all(name in str(error) for name in servers) and "(attempts=3 of 3)" in str(error)


async def test_attempts_of_a_rule_go_beyond_those_of_the_settings() -> None:
    """`retries` of a rule is what counts, with back-offs between them."""
    servers = cluster()
    rules = [{"rule_id": 1, "tag": "stubborn", "retries": 6}]
    async with opened(servers, query_rules=rules, retry={"attempts": 2, "backoff": "1ms", "backoff_max": "1ms"}) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(deadlock(), times=6)

        assert (await router.execute(WRITE, tag="stubborn")).route.attempts == 7
        servers[WRITER].fail_next(deadlock(), times=2)
        with pytest.raises(FakeError, match="deadlock"):
            await router.execute(WRITE)


async def test_one_attempt_is_no_retry() -> None:
    """`attempts: 1`: what failed has failed."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 1}, probe=QUIET) as router:
        await router.execute(TABLE)
        for name in READERS:
            servers[name].fail_next(lost())

        with pytest.raises(RetriesExhaustedError) as caught:
            await router.execute(READ)
        assert len(caught.value.attempts) == 1


async def test_the_budget_ends_retries() -> None:
    """Four retries in ten seconds are allowed; the fifth call that needs one gets the error, though it had attempts left."""
    servers = cluster()
    settings = {"attempts": 3, "backoff": "1ms", "backoff_max": "1ms", "budget": 0.0, "budget_min": 0.4}
    async with opened(servers, retry=settings, probe=QUIET) as router:
        await router.execute(TABLE)
        for _ in range(4):
            servers[WRITER].fail_next(deadlock())
            assert (await router.execute(WRITE)).route.attempts == 2

        servers[WRITER].fail_next(deadlock())
        with pytest.raises(FakeError, match="deadlock"):
            await router.execute(WRITE)
        servers[WRITER].fail_next(lost())
        with pytest.raises(RetriesExhaustedError, match=r"attempts=1 of 3, the retry budget of hostgroup 'write' is used up"):
            await router.execute(READ, route="write")


async def test_what_was_never_sent_costs_no_attempt() -> None:
    """Connections that cannot be made move the call on, even with a single attempt and no budget."""
    servers = cluster()
    settings = {"attempts": 1, "budget": 0.0, "budget_min": 0.0, "backoff": "1ms", "backoff_max": "1ms"}
    async with opened(servers, retry=settings, probe=QUIET) as router:
        await router.execute(TABLE)
        for name in READERS:
            servers[name].refuse()

        route = (await router.execute(READ)).route

        assert (route.node, route.attempts) == (WRITER, 1)


async def test_a_refused_write_is_sent_again() -> None:
    """What the server refused before it ran is not applied, so even a write is sent again, within its attempts."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 2, "backoff": "1ms", "backoff_max": "1ms"}, probe=QUIET) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(FakeError("the database system is starting up", "57P03"))

        assert (await router.execute(WRITE)).route.attempts == 2
        servers[WRITER].fail_next(FakeError("the database system is starting up", "57P03"), times=2)
        with pytest.raises(FakeError, match="starting up"):
            await router.execute(WRITE)


async def test_what_moves_because_its_node_was_shunned_costs_no_attempt() -> None:
    """A read that is cut on a frozen node still has all its attempts."""
    servers = cluster()
    async with opened(
        servers,
        retry={"attempts": 2, "backoff": "1ms", "backoff_max": "1ms"},
        read={"when_empty": "fail"},
        readers=[FIRST, SECOND],
    ) as router:
        await router.execute(TABLE)
        gates = {name: servers[name].hold(READ) for name in READERS}
        read = asyncio.ensure_future(router.execute(READ, timeout=10.0))
        await until(lambda: any(gate.waiting for gate in gates.values()))
        (stuck,) = [name for name, gate in gates.items() if gate.waiting]
        (other,) = set(READERS) - {stuck}
        servers[other].fail_next(deadlock())
        servers[stuck].freeze()
        await gates[other].reached()
        gates[other].open()
        result = await read

        assert result.route.node == other and result.route.attempts == 2
        servers[stuck].thaw()
        gates[stuck].open()


# ---- time


async def test_a_deadline_that_leaves_no_room_for_another_attempt() -> None:
    """The call ends before its deadline rather than sleep through it, and says that it was backing off."""
    servers = {WRITER: FakeServer(name=WRITER)}
    slow = {"attempts": 5, "backoff": "1d", "backoff_max": "1d"}
    async with opened(servers, readers=[WRITER], read={"when_empty": "fail"}, retry=slow, probe=QUIET) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(cause := lost())
        started = monotonic()
        with pytest.raises(DeadlineExceededError) as caught:
            await router.execute(READ, timeout=0.5)

        assert monotonic() - started < 0.5
        assert (caught.value.phase, caught.value.timeout, caught.value.attempts) == ("backing_off", 0.5, 1)
        assert caught.value.__cause__ is cause
        assert f"after {type(cause).__name__}: {cause}" in str(caught.value)


async def test_a_deadline_that_ended_while_nobody_was_usable_says_why() -> None:
    """The error names every node and what keeps it from serving."""
    servers = cluster()
    async with opened(servers) as router:
        servers[WRITER].stop()
        await until(lambda: [group.usable for group in router.stats().hostgroups if group.name == "write"] == [0])
        with pytest.raises(DeadlineExceededError) as caught:
            await router.execute(TABLE, timeout=0.05)

        assert (caught.value.phase, caught.value.attempts) == ("acquiring", 0)
        assert f"({WRITER}: shunned: " in str(caught.value)


async def test_a_servers_own_error_stands_where_the_deadline_leaves_no_room() -> None:
    """A deadlock stays a deadlock: what the server said is worth more than that time ran out."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 5, "backoff": "1d", "backoff_max": "1d"}) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(deadlock())

        with pytest.raises(FakeError, match="deadlock") as caught:
            await router.execute(WRITE, timeout=0.5)
        assert caught.value.__notes__ == [f"dbrouter: hostgroup 'write', node {WRITER}, attempt 1"]


async def test_a_read_cut_by_its_deadline() -> None:
    """executing, with the node in the message."""
    servers = cluster()
    async with opened(servers, probe=QUIET) as router:
        await router.execute(TABLE)
        gates = [server.hold(READ) for server in servers.values()]
        with pytest.raises(DeadlineExceededError, match=r"executing on db[23]") as caught:
            await router.execute(READ, timeout=0.05)

        assert (caught.value.phase, caught.value.timeout, caught.value.attempts) == ("executing", 0.05, 1)
        for gate in gates:
            gate.open()


# ---- what may have been applied


async def test_a_write_whose_answer_was_lost_is_never_sent_again() -> None:
    """OutcomeUnknownError with node, phase, seconds and attempts; it was applied once."""
    servers = cluster()
    async with opened(servers) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(cause := lost(), applied=True)
        with pytest.raises(OutcomeUnknownError) as caught:
            await router.execute(WRITE)

        error = caught.value
        assert (error.node, error.phase, error.attempts) == (WRITER, "execute", 1) and 0 < error.seconds < 5
        assert error.__cause__ is cause and not isinstance(error, TimeoutError)
        assert sent(servers[WRITER], WRITE) == 1
        assert await router.fetchval("SELECT count(*) FROM t", route="write") == 1


async def test_a_write_cut_by_its_deadline() -> None:
    """The same words, and a TimeoutError too."""
    servers = cluster()
    async with opened(servers, probe=QUIET) as router:
        await router.execute(TABLE)
        gate = servers[WRITER].hold(WRITE)
        with pytest.raises(OutcomeUnknownTimeoutError) as caught:
            await router.execute(WRITE, timeout=0.05)

        error = caught.value
        assert (error.node, error.phase, error.attempts) == (WRITER, "execute", 1) and 0.04 < error.seconds < 5
        gate.open()


@pytest.mark.parametrize("applied", [True, False])
async def test_a_commit_whose_answer_was_lost(applied: bool) -> None:
    """phase is commit."""
    servers = cluster()
    async with opened(servers) as router:
        await router.execute(TABLE)
        with pytest.raises(OutcomeUnknownError) as caught:
            async with router.transaction() as tx:
                await tx.execute(WRITE)
                servers[WRITER].fail_next(lost(), applied=applied)

        assert (caught.value.node, caught.value.phase, caught.value.attempts) == (WRITER, "commit", 1)
        assert await router.fetchval("SELECT count(*) FROM t", route="write") == int(applied)


async def test_a_write_on_a_pinned_connection_whose_answer_was_lost() -> None:
    """The same vocabulary there."""
    servers = cluster()
    async with opened(servers) as router:
        await router.execute(TABLE)
        async with router.connection() as connection:
            servers[WRITER].fail_next(lost())
            with pytest.raises(OutcomeUnknownError) as caught:
                await connection.execute(WRITE)

        assert (caught.value.node, caught.value.phase) == (WRITER, "execute")


async def test_an_idempotent_write_is_sent_again() -> None:
    """The caller said so; the answer is that of the last attempt."""
    servers = cluster()
    async with opened(servers, probe=QUIET) as router:
        await router.execute("CREATE TABLE k (n integer PRIMARY KEY)")
        text = "INSERT INTO k VALUES (1) ON CONFLICT DO NOTHING"
        servers[WRITER].fail_next(lost(), applied=True)
        result = await router.execute(text, idempotent=True)

        assert (result.rowcount, result.route.attempts) == (0, 2) and sent(servers[WRITER], text) == 2


async def test_an_idempotent_write_that_ends_after_all_is_unknown() -> None:
    """When its attempts are used up, it may have been applied by any of them."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 2, "backoff": "1ms"}, probe=QUIET) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(lost(), times=2)
        with pytest.raises(OutcomeUnknownError) as caught:
            await router.execute(WRITE, idempotent=True)

        assert (caught.value.phase, caught.value.attempts) == ("execute", 2) and sent(servers[WRITER], WRITE) == 2


async def test_an_idempotent_write_whose_deadline_leaves_no_room_is_unknown() -> None:
    """Also where the time limit ends it while it backs off; the phase is that of the doubt."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 5, "backoff": "1d", "backoff_max": "1d"}, probe=QUIET) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(lost())
        with pytest.raises(OutcomeUnknownError) as caught:
            await router.execute(WRITE, timeout=0.5, idempotent=True)

        assert (caught.value.node, caught.value.phase) == (WRITER, "execute")


async def test_unknown_functions_are_not_resent_where_they_could_write() -> None:
    """A read that calls one is lost on a read-write session, and moves from a read-only one."""
    servers = cluster()
    text = "SELECT mystery(1)"
    async with opened(servers, probe=QUIET) as router:
        for server in servers.values():
            server.on(re.compile("mystery"), rows=[{"mystery": 1}])
        servers[FIRST].fail_next(lost())
        servers[SECOND].fail_next(lost())
        assert (await router.execute(text)).route.attempts == 3

        servers[WRITER].fail_next(cause := lost())
        with pytest.raises(ConnectionLostError, match="mystery") as caught:
            await router.execute(text, hostgroup="write")
        assert caught.value.node == WRITER and caught.value.__cause__ is cause
        assert sent(servers[WRITER], text) == 1 + 1


# ---- the server's own errors


@pytest.mark.parametrize("code", ["23505", "42601", "22012"])
async def test_definitive_answers_pass_through_unchanged(code: str) -> None:
    """Once sent, raised as it is, with a note of where; no attempt, no breaker."""
    servers = cluster()
    rules = [{"rule_id": 7, "match_digest": "^INSERT", "destination_hostgroup": 1}]
    async with opened(servers, query_rules=rules) as router:
        await router.execute(TABLE)
        servers[WRITER].fail_next(error := FakeError("no", code))
        with pytest.raises(FakeError) as caught:
            await router.execute(WRITE)

        assert caught.value is error and sent(servers[WRITER], WRITE) == 1
        assert error.__notes__ == [f"dbrouter: hostgroup 'write', node {WRITER}, rule 7, attempt 1"]
        assert {node.breaker.failed_calls for node in router.health().nodes} == {0}


async def test_the_note_counts_attempts() -> None:
    """The last server error when attempts end has its number."""
    servers = cluster()
    async with opened(servers, retry={"attempts": 3, "backoff": "1ms", "backoff_max": "1ms"}) as router:
        await router.execute(TABLE)
        errors = [deadlock() for _ in range(3)]
        for error in errors:
            servers[WRITER].fail_next(error)
        with pytest.raises(FakeError) as caught:
            await router.execute(WRITE)

        assert caught.value is errors[2]
        assert caught.value.__notes__ == [f"dbrouter: hostgroup 'write', node {WRITER}, attempt 3"]


async def test_a_read_only_refusal_moves_to_the_writer_for_free() -> None:
    """Once, without an attempt, learned for the next time; not where the caller asked for a read."""
    servers = cluster()
    text = "SELECT mystery(1)"
    async with opened(servers, observers=[listener := Listener()], retry={"attempts": 1}) as router:
        for name, server in servers.items():
            refusal = None if name == WRITER else FakeError("cannot execute in a read-only transaction", "25006")
            server.on(re.compile("mystery"), rows=[{"mystery": 1}], error=refusal)
        with pytest.raises(FakeError, match="read-only"):
            await router.execute(text, route="read")
        assert listener.of(StatementRerouted) == []

        first = await router.execute(text)
        second = await router.execute("SELECT mystery(2)")

        assert (first.route.node, first.route.attempts, second.route.node) == (WRITER, 1, WRITER)
        (told,) = listener.of(StatementRerouted)
        assert told.code == "25006" and told.node in READERS
        assert sum(sent(servers[name], "SELECT mystery(2)") for name in READERS) == 0


# ---- breakers and permits


async def test_every_path_returns_its_permit() -> None:
    """Whatever becomes of a trial call – answer, error, lost connection, cancellation – its permit is free again."""
    servers = cluster()
    forever: dict[str, Any] = {"successes_to_close": 1000, "consecutive_failures": 1, "open_for": "1ms", "open_for_max": "1ms"}
    async with opened(servers, readers=[FIRST], read={"when_empty": "fail"}, breaker=forever, probe=QUIET) as router:
        await router.execute(TABLE)
        (reader,) = router._context.reader.members
        breaker = reader.node.breaker

        async def half_open() -> None:
            breaker.reset(monotonic())
            reader.node.failed(monotonic(), transport=True, why="test", seconds=0.0)
            await until(lambda: breaker.retry_after(monotonic()) == 0.0)
            breaker.probe_succeeded(monotonic())
            assert str(breaker.state) == "HALF_OPEN"

        await half_open()
        await router.execute(READ)
        assert breaker.permits == 0 and breaker.admits(monotonic())

        servers[FIRST].fail_next(FakeError("no", "42601"))
        with pytest.raises(FakeError):
            await router.execute(READ)
        assert breaker.permits == 0

        gate = servers[FIRST].hold(READ)
        trial = asyncio.ensure_future(router.execute(READ))
        await gate.reached()
        assert breaker.permits == 1
        with pytest.raises(CircuitOpenError):
            await router.execute(READ)
        trial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trial
        assert breaker.permits == 0
        gate.open()

        await half_open()
        servers[FIRST].fail_next(lost())
        with pytest.raises((RetriesExhaustedError, CircuitOpenError)):
            await router.execute(READ)
        assert breaker.permits == 0 and str(breaker.state) == "OPEN"
