"""Opening, checking, cleaning, retiring and closing connections behind the callers' backs."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from dbrouter.drivers.base import Connection
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import PoolClosedError, PoolTimeoutError
from dbrouter.events import ConnectionFailed
from dbrouter.pool import Lease, Pool
from dbrouter.pool.pace import PaceSettings
from dbrouter.terms import Blame, Engine
from dbrouter.testing.fake import FakeDriver, FakeError, FakeServer
from tests.pools import Bench, borrow, pool_over, ticks, until


def connection_of(lease: Lease) -> Any:
    """The fake connection it holds."""
    return lease.connection


def rest(pool: Pool, seconds: float) -> None:
    """As if every idle connection had lain for so long."""
    for lease in pool._state.idle:
        lease.idle_since -= seconds


async def idle_ones(bench: Bench, count: int) -> list[Lease]:
    """So many idle connections."""
    leases = [await bench.pool.acquire(None) for _ in range(count)]
    for lease in leases:
        lease.release()
    return leases


# ---- connecting


async def test_a_burst_of_callers_opens_no_more_than_it_needs() -> None:
    """Fifty short calls on a server that takes its time to accept are served by what comes back."""
    async with pool_over(size=50) as bench:
        gate = asyncio.Event()
        original = bench.server.admit

        async def slowly(password: str | None) -> str:
            await gate.wait()
            gate.clear()
            return await original(password)

        bench.server.admit = slowly  # type: ignore[method-assign]

        calls = [asyncio.ensure_future(borrow(bench)) for _ in range(50)]
        await ticks()
        assert bench.pool.stats(monotonic()).connecting == 3
        gate.set()
        await asyncio.gather(*calls)
        assert bench.pool.size <= 6


async def test_a_failing_server_is_met_by_one_attempt_at_a_time_with_growing_pauses() -> None:
    """Callers keep waiting and are served when it is back; each failure is told with its verdict and its pause."""
    told: list[tuple[Verdict, str]] = []
    pace = PaceSettings(backoff=0.004, backoff_max=0.02, burst=100, per_second=1000)
    hooks = {"on_connect_failed": lambda verdict, error, seconds: told.append((verdict, str(error)))}
    async with pool_over(size=5, pace=pace, hooks=hooks) as bench:
        bench.server.refuse()
        line = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(5)]
        await until(lambda: len(told) >= 5, seconds=0.5)
        events = bench.listener.of(ConnectionFailed)
        bench.server.accept()
        leases = await asyncio.gather(*line)

        assert {verdict.blame for verdict, _ in told} == {Blame.NODE}
        assert [event.failures for event in events[-3:]] == [len(events) - 4, len(events) - 3, len(events) - 2]
        assert max(event.retry_in for event in events) > 0.006
        assert bench.pool.stats(monotonic()).last_connect_failure is None
        for lease in leases:
            lease.release()


async def test_nothing_is_opened_while_it_may_not() -> None:
    """An open breaker holds connecting back; `wake` lets the waiters have theirs."""
    allowed = False
    async with pool_over(hooks={"may_connect": lambda: allowed}, min_size=1) as bench:
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await asyncio.sleep(0.01)
        assert bench.server.connects == 0

        allowed = True
        bench.pool.wake()
        (await waiting).release()


async def test_the_user_hook_runs_once_for_every_connection() -> None:
    """It gets the lease itself; what it sets counts as how the session is meant to be."""
    seen: list[str] = []

    async def on_connect(lease: Lease) -> None:
        lease.arm(monotonic() + 1, False)
        await lease.connection.send("SET search_path = shop", ())
        lease.disarm()
        lease.dirty = "raw connection used"
        seen.append(lease.connection.server_id)

    async with pool_over(hooks={"on_connect": on_connect}) as bench:
        leases = [await bench.pool.acquire(None) for _ in range(2)]
        for lease in leases:
            lease.release()

        assert sorted(seen) == ["1", "2"]
        assert bench.pool.idle == 2


@pytest.mark.parametrize("trouble", ["raises", "leaves a transaction", "hangs"])
async def test_a_hook_that_fails_costs_the_connection(trouble: str) -> None:
    """And the caller learns from the timeout's message what is wrong."""

    async def on_connect(lease: Lease) -> None:
        if trouble == "raises":
            raise RuntimeError("no such codec")
        if trouble == "hangs":
            await asyncio.Event().wait()
        await lease.connection.begin()

    async with pool_over(hooks={"on_connect": on_connect}, acquire_timeout=0.05, connect_timeout=0.01) as bench:
        with pytest.raises(PoolTimeoutError) as raised:
            await bench.pool.acquire(None)
        words = {"raises": "RuntimeError: no such codec", "leaves a transaction": "left a transaction", "hangs": "TimeoutError"}

        assert words[trouble] in str(raised.value)
        assert len(bench.server.connections) <= 1


@pytest.mark.parametrize("who", ["the hook", "the hook, of its task", "the driver"])
async def test_a_cancellation_that_nobody_asked_for_is_a_failure_like_others(who: str) -> None:
    """It is told, it slows the next attempt, and once it stops the caller is served."""
    stops = asyncio.Event()

    async def on_connect(lease: Lease) -> None:
        if who == "the driver" or stops.is_set():
            return
        if who == "the hook":
            raise asyncio.CancelledError("of itself")
        task = asyncio.current_task()
        assert task is not None and task.cancel()
        await asyncio.sleep(1)

    pace = PaceSettings(backoff=0.02, backoff_max=0.02, backoff_config=0.02)
    async with pool_over(hooks={"on_connect": on_connect}, pace=pace) as bench:
        admit = bench.server.admit

        async def cancelled(password: str | None) -> str:
            if who == "the driver" and not stops.is_set():
                raise asyncio.CancelledError("of itself")
            return await admit(password)

        bench.server.admit = cancelled  # type: ignore[method-assign]
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        started = monotonic()
        await until(lambda: len(bench.listener.of(ConnectionFailed)) == 3)
        took = monotonic() - started
        stops.set()
        (await waiting).release()

        told = bench.listener.of(ConnectionFailed)
        assert took >= told[0].retry_in + told[1].retry_in
        assert all("CancelledError" in event.cause for event in told)
        assert who == "the driver" or all("on_connect" in event.cause for event in told)
        assert bench.pool.stats(monotonic()).connect_failures == 3


async def test_a_statement_of_the_hook_has_its_deadline() -> None:
    """The pool's timer watches a connection that is not in the pool yet."""
    cut: list[str | None] = []

    async def on_connect(lease: Lease) -> None:
        lease.arm(monotonic() + 0.01, False)
        try:
            await lease.connection.send("SELECT pg_sleep(5)", ())
        except asyncio.CancelledError:
            lease.disarm()
            cut.append(lease.claim_interrupt())
            raise RuntimeError("too slow") from None

    async with pool_over(hooks={"on_connect": on_connect}, acquire_timeout=0.1) as bench:
        with pytest.raises(PoolTimeoutError, match="too slow"):
            await bench.pool.acquire(None)

        assert cut and set(cut) == {"deadline"}


async def test_a_wrong_password_is_not_tried_hot() -> None:
    """At most one attempt a second, and the password may change meanwhile."""
    secrets = ["old"]
    server = FakeServer(password="new")
    pace = PaceSettings()
    async with pool_over(server, pace=pace, hooks={"password": lambda endpoint: secrets[-1]}, acquire_timeout=0.3) as bench:
        with pytest.raises(PoolTimeoutError, match="password"):
            await bench.pool.acquire(None)

        assert server.connects == 1
        assert bench.listener.of(ConnectionFailed)[0].retry_in >= 1.0


async def test_success_is_told_with_the_connection() -> None:
    """So that the node can learn its flavor and role."""
    told: list[tuple[float, Connection]] = []
    async with pool_over(hooks={"on_connected": lambda seconds, connection: told.append((seconds, connection))}) as bench:
        lease = await bench.pool.acquire(None)

        assert [connection for _, connection in told] == [lease.connection]
        assert 0 < told[0][0] < 1
        lease.release()


# ---- before use


async def test_a_write_looks_at_the_socket_and_a_read_only_after_a_rest() -> None:
    """A connection whose peer hung up is not handed out; the caller gets another."""
    async with pool_over() as bench:
        (lease,) = await idle_ones(bench, 1)
        bench.server.kill_connections()

        assert bench.pool.take(monotonic(), True) is None
        rest(bench.pool, 0.2)
        assert bench.pool.take(monotonic(), False) is None
        fresh = await bench.pool.acquire(None, check=True)

        assert fresh is not lease and fresh.connection.check()
        assert bench.pool.stats(monotonic()).closed == {"broken": 1}
        fresh.release()


async def test_nobody_overtakes_a_caller_whose_connection_is_being_checked() -> None:
    """Another idle connection is not a newcomer's while somebody waits for a ping."""
    async with pool_over() as bench:
        first, doubtful = await idle_ones(bench, 2)
        connection_of(doubtful).check = lambda: False
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await asyncio.sleep(0)

        assert bench.pool._state.idle == [first] and bench.pool.waiting == 1
        assert bench.pool.take(monotonic(), False) is None

        assert await waiting is doubtful
        doubtful.release()


async def test_a_rested_connection_is_pinged_before_use() -> None:
    """One that answers is the caller's, without a new connect."""
    async with pool_over() as bench:
        (lease,) = await idle_ones(bench, 1)
        rest(bench.pool, 2.0)

        assert bench.pool.take(monotonic(), False) is None
        assert await bench.pool.acquire(None, check=False) is lease

        assert bench.pool.stats(monotonic()).connects == 1
        lease.release()


async def test_one_silent_ping_condemns_all_that_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A black hole costs one ping's time, not one for each idle connection."""
    monkeypatch.setattr("dbrouter.pool.chores.PING_SECONDS", 0.01)
    async with pool_over(size=5, acquire_timeout=1.0) as bench:
        await idle_ones(bench, 5)
        rest(bench.pool, 2.0)
        bench.server.freeze()
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await until(lambda: bench.pool.stats(monotonic()).closed.get("broken") == 5)

        bench.server.thaw()
        (await waiting).release()


async def test_a_cancelled_caller_leaves_the_pinged_connection_idle() -> None:
    """The ping goes on without it and the connection lies where it lay."""
    async with pool_over() as bench:
        old, new = await idle_ones(bench, 2)
        rest(bench.pool, 2.0)
        bench.server.freeze()
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks()

        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        bench.server.thaw()
        await until(lambda: bench.pool.idle == 2)

        assert bench.pool._state.idle == [old, new]


async def test_keepalive_pings_one_idle_connection_at_a_time() -> None:
    """And does not make it younger for idle_timeout."""
    async with pool_over(leak_after=0.02) as bench:
        leases = await idle_ones(bench, 2)
        before = [lease.idle_since for lease in leases]
        for lease in leases:
            lease.ping_at = 0.0

        await until(lambda: all(lease.ping_at > monotonic() + 20 for lease in leases))
        await until(lambda: bench.pool.idle == 2)

        assert [lease.idle_since for lease in leases] == before
        leases[0].ping_at = 0.0
        await until(lambda: leases[0].ping_at and bench.pool.idle == 2)
        assert bench.pool._state.idle == leases


# ---- after use


@pytest.mark.parametrize("state", ["dirty", "in transaction", "closed", "unsettled"])
async def test_a_connection_that_is_not_as_it_was_is_closed_and_replaced(state: str) -> None:
    """Safety 7: never handed on, and whoever waits gets a new one."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        connection = connection_of(lease)
        waiting = asyncio.ensure_future(bench.pool.acquire(monotonic() + 0.5))
        await ticks(2)
        match state:
            case "dirty":
                lease.dirty = "SET"
            case "in transaction":
                await connection.begin()
            case "closed":
                connection.terminate()
            case "unsettled":
                connection._unsettled = True

        lease.release()
        other = await waiting

        assert other.connection is not connection and connection.closed
        why = {"dirty": "session_state", "in transaction": "session_state", "closed": "broken", "unsettled": "settling"}
        assert bench.pool.stats(monotonic()).closed == {why[state]: 1}
        other.release()


async def cancelled_statement(bench: Bench) -> Lease:
    """A lease whose statement was cancelled while the server had it."""
    lease = await bench.pool.acquire(None)
    gate = bench.server.hold(re.compile("SELECT 1"))
    running = asyncio.ensure_future(bench_send(lease))
    await gate.reached()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gate.open()
    return lease


async def bench_send(lease: Lease) -> Any:
    """A statement."""
    return await lease.connection.send("SELECT 1", ())


async def test_a_cancelled_connection_is_settled_in_the_background_and_comes_back() -> None:
    """Meanwhile it counts for the size, and whoever waits gets it afterwards."""
    async with pool_over(size=1) as bench:
        lease = await cancelled_statement(bench)
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        lease.release_after(settle=True, abandon=True)
        assert (bench.pool.in_use, bench.pool.size, bench.pool.stats(monotonic()).settling) == (0, 1, 1)

        assert await waiting is lease
        lease.release()
        assert bench.pool.stats(monotonic()).connects == 1


async def test_a_connection_that_does_not_settle_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it says no or says nothing."""
    monkeypatch.setattr("dbrouter.pool.chores.SETTLE_SECONDS", 0.01)
    async with pool_over(size=1) as bench:
        refusing = await cancelled_statement(bench)
        connection_of(refusing).settles = False
        refusing.release_after(settle=True)
        silent = await bench.pool.acquire(None)
        connection_of(silent)._unsettled = True
        bench.server.freeze()
        silent.release_after(settle=True)
        await until(lambda: bench.pool.size == 0)
        bench.server.thaw()

        assert bench.pool.stats(monotonic()).closed == {"settling": 2}


async def test_an_abandoned_statement_is_ended_on_its_server() -> None:
    """MySQL's manners: the connection is closed, the KILL goes out, and only then is its place free."""
    server = FakeServer()
    async with pool_over(server, size=1, driver=FakeDriver(server, engine=Engine.MYSQL)) as bench:
        lease = await cancelled_statement(bench)

        lease.release_after(settle=True, abandon=True)
        assert bench.pool.size == 1
        (await bench.pool.acquire(None)).release()

        assert server.killed == [lease.connection.server_id]
        assert bench.pool.stats(monotonic()).closed == {"broken": 1}


async def test_a_reset_in_the_background_gives_the_session_back_as_it_was() -> None:
    """The caller does not wait for it; a dirty one is closed instead."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        await lease.connection.send("SET work_mem = '1GB'", ())
        lease.release_after(reset=True)
        again = await bench.pool.acquire(None)
        assert again is lease and connection_of(again).settings == {}

        again.dirty = "LISTEN"
        again.release_after(reset=True)
        await until(lambda: bench.pool.size == 0)
        assert bench.pool.stats(monotonic()).closed == {"session_state": 1}


async def test_release_after_with_nothing_left_to_do_is_a_release() -> None:
    """No task is made for a connection that is clean."""
    async with pool_over() as bench:
        lease = await bench.pool.acquire(None)
        before = len(bench.tasks)

        lease.release_after(settle=True, abandon=True)

        assert (bench.pool.idle, len(bench.tasks)) == (1, before)


# ---- growing old


async def test_expire_closes_the_idle_ones_now_and_the_others_when_they_come_back() -> None:
    """Nothing that was open before a failover is used after it; what is opened afterwards is."""
    async with pool_over(size=3) as bench:
        held, lying = await bench.pool.acquire(None), await bench.pool.acquire(None)
        lying.release()

        bench.pool.expire("expired")
        await until(lambda: bench.pool.size == 1)
        fresh = await bench.pool.acquire(None)
        fresh.release()
        held.release()
        await until(lambda: bench.pool.size == 1)

        assert bench.pool.take(monotonic(), True) is fresh
        fresh.release()
        assert bench.pool.stats(monotonic()).closed == {"expired": 2}


async def test_idle_connections_beyond_min_size_are_closed_oldest_first() -> None:
    """After idle_timeout."""
    async with pool_over(size=3, min_size=1, idle_timeout=0.02) as bench:
        leases = await idle_ones(bench, 3)
        leases[2].idle_since += 60

        await until(lambda: bench.pool.size == 1)

        assert bench.pool._state.idle == [leases[2]]
        assert bench.pool.stats(monotonic()).closed == {"idle": 2}


async def test_a_connection_past_its_lifetime_is_replaced() -> None:
    """Idle ones by the tick, used ones when they come back; min_size is kept."""
    async with pool_over(size=2, min_size=1, max_lifetime=0.03) as bench:
        held = await bench.pool.acquire(None)
        first = connection_of(held)
        await asyncio.sleep(0.04)
        assert not first.closed
        held.release()

        await until(lambda: bench.pool.stats(monotonic()).closed.get("lifetime", 0) >= 2)
        await until(lambda: bench.pool.idle == 1)
        assert first.closed


async def test_lifetimes_differ_so_that_not_all_end_together() -> None:
    """Up to a tenth shorter than max_lifetime, never longer."""
    async with pool_over(size=40, max_lifetime=100.0) as bench:
        leases = await idle_ones(bench, 40)
        spans = [lease.retire_at - lease.opened_at for lease in leases]

        assert all(89.9 <= span <= 100.0 for span in spans)
        assert max(spans) - min(spans) > 5


async def test_a_lost_server_does_not_hold_up_a_polite_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """A goodbye has a time limit, and its place is free afterwards."""
    monkeypatch.setattr("dbrouter.pool.chores.GOODBYE_SECONDS", 0.01)
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)

        async def hang() -> None:
            await asyncio.Event().wait()

        connection = connection_of(lease)
        connection.close = hang
        lease.discard("session_state")
        (await bench.pool.acquire(None)).release()

        assert connection.closed


FORKING = """
import asyncio, os, sys
from time import monotonic
from dbrouter.errors import PoolClosedError
from tests.pools import pool_over

async def main():
    async with pool_over() as bench:
        lease = await bench.pool.acquire(None)
        lease.release()
        if os.fork() == 0:
            assert bench.pool.take(monotonic(), False) is None
            try:
                bench.pool.acquire(None).send(None)
            except PoolClosedError as error:
                print("child:", error, flush=True)
            os._exit(0)
        os.wait()
        assert bench.pool.take(monotonic(), True) is lease and lease.connection.check()
        lease.release()
        print("parent:", os.getpid(), bench.pool, flush=True)

asyncio.run(main())
"""


def test_a_forked_child_is_told_to_open_after_fork_and_harms_nothing() -> None:
    """The child's pool refuses; the parent's sessions live on. In a process of its own: this one has threads."""
    ran = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=True)
    child, parent = ran.stdout.splitlines()

    assert f"was opened in process {parent.split()[1]}" in child and "open the router after fork" in child
    assert parent.endswith("<Pool orders-1 idle=1 in_use=0/2>")


async def test_a_full_server_slows_connecting_without_ejecting() -> None:
    """Too many connections is load: callers share what there is."""
    server = FakeServer(max_connections=2)
    verdicts: list[Verdict] = []
    hooks = {"on_connect_failed": lambda verdict, error, seconds: verdicts.append(verdict)}
    async with pool_over(server, size=10, hooks=hooks) as bench:
        await asyncio.gather(*(borrow(bench) for _ in range(100)))

        assert len(server.connections) == 2
        assert all(verdict.blame is Blame.LOAD for verdict in verdicts)


async def test_errors_of_a_ping_that_tell_of_the_whole_server_condemn_the_siblings() -> None:
    """An administrator's shutdown ends them all."""
    async with pool_over(size=3) as bench:
        leases = await idle_ones(bench, 3)
        rest(bench.pool, 2.0)

        async def shut_down() -> None:
            raise FakeError("terminating connection due to administrator command", "57P01")

        connection_of(leases[2]).ping = shut_down
        fresh = await bench.pool.acquire(None)

        assert fresh not in leases
        assert bench.pool.stats(monotonic()).closed == {"broken": 3}
        fresh.release()


# ---- at the edges


async def test_cutting_ends_a_drain_that_waits_for_a_lease() -> None:
    """Whoever waits for the end hears of it, with or without a limit of their own."""
    async with pool_over() as bench:
        lease = await bench.pool.acquire(None)
        draining = asyncio.ensure_future(bench.pool.drain(None))
        await ticks()

        assert bench.pool.cut() == 1
        await until(draining.done, seconds=2)

        lease.release()


async def test_a_hook_that_ignores_its_cancellation_outlives_no_drain() -> None:
    """It makes its connection after all; that one is closed, and only then the drain is over."""
    reached = asyncio.Event()

    async def on_connect(lease: Lease) -> None:
        reached.set()
        for _ in range(2):
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                pass

    async with pool_over(hooks={"on_connect": on_connect}) as bench:
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await reached.wait()
        await bench.pool.drain(monotonic())

        assert (bench.pool.size, len(bench.tasks), len(bench.server.connections)) == (0, 0, 0)
        with pytest.raises(PoolClosedError):
            await waiting


async def test_a_failure_with_settings_of_before_slows_nobody() -> None:
    """A reload brings the right password while a connect with the wrong one is under way: who waits is served at once."""
    told: list[Verdict] = []
    hooks = {"on_connect_failed": lambda verdict, error, seconds: told.append(verdict)}
    async with pool_over(FakeServer(password="new"), pace=PaceSettings(), hooks=hooks) as bench:
        admit, gate, asked = bench.server.admit, asyncio.Event(), asyncio.Event()

        async def slowly(password: str | None) -> str:
            asked.set()
            await gate.wait()
            return await admit(password)

        bench.server.admit = slowly  # type: ignore[method-assign]
        waiting = asyncio.ensure_future(bench.pool.acquire(monotonic() + 0.9))
        await asked.wait()
        options = replace(bench.pool._connector.options, password="new")
        bench.pool.reconfigure(bench.pool._settings, options, name="orders-1", hostgroup="orders", renew=False)
        gate.set()
        (await waiting).release()

        (failure,) = bench.listener.of(ConnectionFailed)
        assert told == [] and failure.retry_in == 0.0
        assert bench.pool.stats(monotonic()).connect_failures == 1


async def test_a_hook_that_leaves_a_statement_running_gives_no_connection() -> None:
    """The next user would find the connection busy."""
    running: list[asyncio.Task[Any]] = []

    async def on_connect(lease: Lease) -> None:
        async def statement() -> None:
            lease.arm(None, False)
            await lease.connection.send("SELECT pg_sleep(5)", ())

        running.append(asyncio.create_task(statement()))
        await asyncio.sleep(0)

    async with pool_over(hooks={"on_connect": on_connect}, acquire_timeout=0.05) as bench:
        with pytest.raises(PoolTimeoutError, match="left a transaction or a statement open"):
            await bench.pool.acquire(None)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_caller_whose_pool_cannot_even_ask_leaves_the_line() -> None:
    """Nobody stands in line whom nobody awaits."""

    def broken() -> bool:
        raise LookupError("no such breaker")

    async with pool_over() as bench:
        bench.pool._supply._may_connect = broken
        with pytest.raises(LookupError):
            await bench.pool.acquire(None)

        assert bench.pool.waiting == 0
        bench.pool._supply._may_connect = None
