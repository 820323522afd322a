"""Cancelling a pool's callers at every await and in the tick after a hand-over loses no connection, no place and no waiter."""

from __future__ import annotations

import asyncio
import random
from time import monotonic
from typing import Any

import pytest

from dbrouter.errors import PoolError
from dbrouter.pool import Lease
from dbrouter.pool.lease import Waiter
from dbrouter.terms import Engine
from dbrouter.testing.fake import FakeDriver, FakeError, FakeServer
from tests.pools import Bench, Joins, pool_over, ticks, until


async def cancelled(task: asyncio.Future[Any]) -> None:
    """It ends by its cancellation."""
    with pytest.raises(asyncio.CancelledError):
        await task


async def usable(bench: Bench, size: int) -> None:
    """All of the pool's connections can be had at once, and no more."""
    leases = [await bench.pool.acquire(monotonic() + 5) for _ in range(size)]
    assert bench.pool.in_use == size and bench.pool.waiting == 0
    for lease in leases:
        lease.release()
    assert bench.pool.in_use == 0


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("state", ["empty", "in use", "rested", "frozen"])
async def test_acquire_cancelled_after_any_number_of_steps(state: str, steps: int) -> None:
    """Whatever it waited for: a new connection, somebody else's, a ping, or nothing that will ever come."""
    async with pool_over(size=1) as bench:
        held: Lease | None = None
        if state in ("in use", "rested"):
            held = await bench.pool.acquire(None)
        if state == "rested" and held is not None:
            held.release()
            held.idle_since -= 2
            held = None
        if state == "frozen":
            bench.server.freeze()
        acquiring = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(steps)

        acquiring.cancel()
        try:
            (await acquiring).release()
        except asyncio.CancelledError:
            pass
        assert bench.pool.waiting == 0
        bench.server.thaw()
        if held is not None:
            held.release()

        await usable(bench, 1)


async def test_served_and_cancelled_in_one_tick_passes_the_connection_on() -> None:
    """To the next in line, which gets it in its turn."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        first = asyncio.ensure_future(bench.pool.acquire(None))
        second = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        lease.release()
        first.cancel()
        await cancelled(first)

        assert await second is lease
        lease.release()
        assert bench.pool.stats(monotonic()).connects == 1


async def test_cancelled_and_then_served_in_one_tick_goes_to_the_next_directly() -> None:
    """One who is leaving is passed over."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        first = asyncio.ensure_future(bench.pool.acquire(None))
        second = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        first.cancel()
        lease.release()

        assert await second is lease
        await cancelled(first)
        lease.release()


async def test_a_whole_line_cancelled_in_the_tick_of_a_hand_over_leaves_the_connection_idle() -> None:
    """Nobody is left to take it."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        line = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(10)]
        await ticks(2)

        lease.release()
        for waiting in line:
            waiting.cancel()
        for waiting in line:
            await cancelled(waiting)

        assert (bench.pool.idle, bench.pool.waiting, bench.pool.in_use) == (1, 0, 0)


async def test_deadline_and_hand_over_in_one_tick_lose_nothing() -> None:
    """Whichever came first counts."""
    async with pool_over(size=1) as bench:
        for late in (0.0, 0.0005, 0.001, 0.0015, 0.002):
            lease = await bench.pool.acquire(None)
            waiting = asyncio.ensure_future(bench.pool.acquire(monotonic() + 0.01))
            await ticks(2)
            until_then = monotonic() + 0.01 + late
            while monotonic() < until_then:
                pass
            lease.release()
            try:
                (await waiting).release()
            except PoolError:
                pass
            await usable(bench, 1)


async def test_a_failed_waiter_cancelled_in_the_same_tick_is_quiet() -> None:
    """The exception meant for it is not reported as never retrieved."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        bench.pool.fail_waiters(lambda: LookupError("shunned"))
        waiting.cancel()
        await cancelled(waiting)
        del waiting
        lease.release()

    assert complaints == []


@pytest.mark.parametrize("in_the_tick", [True, False])
async def test_cancelled_where_another_pool_serves(in_the_tick: bool) -> None:
    """A caller in line is served by a connection of another pool: cancelled in that tick, each pool has what it had."""
    async with pool_over(size=1) as bench, pool_over(size=1) as other:
        held = await bench.pool.acquire(None)
        (await other.pool.acquire(None)).release()
        task: asyncio.Task[Any] | None = None

        class Other:
            def look(self, waiter: Waiter) -> Lease | None:
                assert task is not None
                if in_the_tick:
                    asyncio.get_running_loop().call_soon(task.cancel)  # served by then, and not yet awake
                return other.pool.take(monotonic(), True)

            def leave(self, waiter: Waiter) -> None:
                assert waiter.done()

        task = asyncio.ensure_future(bench.pool.acquire(None, elsewhere=Other()))
        if in_the_tick:
            await cancelled(task)
        else:
            lease = await task
            assert lease.pool is other.pool and (other.pool.in_use, bench.pool.waiting) == (1, 0)
            lease.release()
        assert (other.pool.in_use, bench.pool.in_use, bench.pool.waiting) == (0, 1, 0)
        held.release()
        await usable(bench, 1)
        await usable(other, 1)


@pytest.mark.parametrize("what", ["served there", "served here", "cancelled", "cancelled as it is served", "sent away there"])
async def test_a_guest_in_another_line(what: str) -> None:
    """Whoever has the next connection serves, once; what becomes of the other line is none of the caller's; nothing is left."""
    async with pool_over(size=1) as here, pool_over(size=1) as there:
        mine, theirs = await here.pool.acquire(None), await there.pool.acquire(None)
        task = asyncio.ensure_future(here.pool.acquire(None, elsewhere=Joins(there.pool)))
        await until(lambda: there.pool._state.guests == 1, what="a guest")
        assert (here.pool.waiting, there.pool.waiting) == (1, 0)
        if what == "served there":
            theirs.release()
            mine.release()
            (lease := await task).release()
            assert lease is theirs
        elif what == "served here":
            mine.release()
            theirs.release()
            (lease := await task).release()
            assert lease is mine
        elif what == "sent away there":
            there.pool.fail_waiters(lambda: LookupError("shunned"))
            assert there.pool._state.guests == 0
            mine.release()
            (await task).release()
            theirs.release()
        else:
            if what == "cancelled as it is served":
                theirs.release()
            task.cancel()
            await cancelled(task)
            mine.release()
            if what == "cancelled":
                theirs.release()
        for bench in (here, there):
            assert (bench.pool._state.guests, len(bench.pool._state.waiters), bench.pool._state.audit()) == (0, 0, [])
            await usable(bench, 1)


@pytest.mark.parametrize("steps", range(1, 8))
async def test_drain_cancelled_at_any_step_cuts_what_is_left(steps: int) -> None:
    """The cancellation goes on and nothing of the pool remains."""
    async with pool_over(size=3, min_size=1) as bench:
        await until(lambda: bench.pool.idle)
        held = await bench.pool.acquire(None)
        draining = asyncio.ensure_future(bench.pool.drain(None))
        await ticks(steps)

        draining.cancel()
        await cancelled(draining)
        await until(lambda: len(bench.tasks) == 0)

        assert (bench.pool.size, len(bench.server.connections)) == (0, 0)
        held.release()


@pytest.mark.parametrize("steps", range(1, 8))
async def test_the_router_closing_its_tasks_at_any_step_frees_everything(steps: int) -> None:
    """A background connect, ping, settle or goodbye that is cancelled, even before it began, holds no capacity."""
    async with pool_over(size=4) as bench:
        settling, closing, pinged = [await bench.pool.acquire(None) for _ in range(3)]
        pinged.release()
        pinged.idle_since -= 2
        settling.connection._unsettled = True  # type: ignore[attr-defined]
        bench.server.freeze()
        settling.release_after(settle=True)
        closing.discard("session_state")
        waiting = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(2)]
        await ticks(steps)

        await bench.tasks.close()
        await ticks(3)

        stats = bench.pool.stats(monotonic())
        assert (stats.settling, stats.closing, stats.connecting) == (0, 0, 0)
        assert bench.pool._state.audit() == []
        for task in waiting:
            task.cancel()
            await cancelled(task)


class Chaos:
    """Callers that do everything a router does, with cancellations, deadlines, faults and shuns at random."""

    def __init__(self, bench: Bench, rng: random.Random) -> None:
        self.bench = bench
        self.rng = rng
        self.users: dict[int, object] = {}
        self.served = 0
        self.wrong: list[str] = []

    async def call(self, number: int) -> None:
        """One borrow; its reply must carry its own number."""
        pool, rng = self.bench.pool, self.rng
        write = rng.random() < 0.2
        try:
            lease = pool.take(monotonic(), write) or await pool.acquire(monotonic() + 2, write)
        except PoolError:
            return
        connection: Any = lease.connection
        if id(connection) in self.users:
            self.wrong.append(f"two users of {connection}")
        self.users[id(connection)] = connection
        deadline = monotonic() + (0.0005 if rng.random() < 0.05 else 5)
        lease.arm(deadline, not write)
        try:
            reply = await connection.send("echo", (number,))
        except BaseException as error:
            lease.disarm()
            del self.users[id(connection)]
            reason = lease.claim_interrupt() if isinstance(error, asyncio.CancelledError) else None
            if isinstance(error, asyncio.CancelledError):
                lease.release_after(settle=True, abandon=True)
            else:
                lease.discard("broken")
            if reason is None and not isinstance(error, FakeError):
                raise
            return
        lease.disarm()
        if reply[0][0]["nonce"] != number:
            self.wrong.append(f"{number} got {reply}")
        self.served += 1
        del self.users[id(connection)]
        choice = rng.random()
        if choice < 0.02:
            lease.dirty = "SET"
            lease.release()
        elif choice < 0.04:
            lease.release_after(reset=True)
        else:
            lease.release()

    def fault(self) -> None:
        """Something goes wrong with the node."""
        bench, rng = self.bench, self.rng
        match rng.randrange(6):
            case 0:
                bench.server.kill_connections()
            case 1:
                bench.pool.interrupt("shunned", reads_only=True)
                bench.pool.expire("shunned")
                bench.pool.fail_waiters(lambda: FakeError("shunned", "57P01"))
            case 2:
                bench.pool.expire("expired")
            case 3:
                bench.server.freeze()
                asyncio.get_running_loop().call_later(0.002, bench.server.thaw)
            case 4:
                bench.server.refuse()
                asyncio.get_running_loop().call_later(0.002, bench.server.accept)
            case _:
                for lease in bench.pool._state.idle:
                    lease.idle_since -= 2


@pytest.mark.parametrize("engine", list(Engine))
async def test_twenty_thousand_calls_with_cancellations_and_faults_keep_the_invariants(engine: Engine) -> None:
    """One in ten is cancelled at a random moment; every reply is its caller's, and in the end everything is there."""
    server = FakeServer()
    server.on("echo", rows=lambda params: [{"nonce": params[0]}])
    rng = random.Random(f"chaos {engine}")
    async with pool_over(server, size=5, driver=FakeDriver(server, engine=engine)) as bench:
        chaos = Chaos(bench, rng)
        running: set[asyncio.Task[None]] = set()
        for number in range(20_000):
            task = asyncio.create_task(chaos.call(number))
            running.add(task)
            task.add_done_callback(running.discard)
            if rng.random() < 0.10:
                victim = rng.choice(list(running)) if rng.random() < 0.5 else task
                asyncio.get_running_loop().call_later(rng.random() * 0.001, victim.cancel)
            if number % 500 == 499:
                chaos.fault()
            if len(running) >= 40:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if number % 100 == 0:
                assert bench.pool._state.audit() == []
                server.log.clear()
        while running:
            await asyncio.wait(running)

        assert chaos.wrong == []
        assert chaos.served > 15_000
        await until(lambda: not bench.pool.stats(monotonic()).settling)
        stats = bench.pool.stats(monotonic())
        assert (stats.in_use, stats.waiting, chaos.users) == (0, 0, {})
        await usable(bench, 5)
        await until(lambda: len(server.connections) == bench.pool.size)
