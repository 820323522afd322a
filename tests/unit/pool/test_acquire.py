"""Taking, waiting and giving back."""

from __future__ import annotations

import asyncio
import copy
import pickle
from time import monotonic

import pytest

from dbrouter.errors import BugError, PoolClosedError, PoolFullError, PoolTimeoutError
from dbrouter.events import AcquireWaited, ConnectionClosed, ConnectionOpened, LeaseLeaked
from dbrouter.pool import Lease, Pool
from dbrouter.testing.fake import FakeError, FakeServer
from tests.pools import Takes, pool_over, ticks, until


def take(pool: Pool, check: bool = False) -> Lease | None:
    """What the query path does first."""
    return pool.take(monotonic(), check)


async def test_nothing_happens_before_start() -> None:
    """A pool that was only made has no connection, no task and no timer."""
    async with pool_over(started=False, min_size=2) as bench:
        await ticks()

        assert (bench.pool.size, bench.server.connects, len(bench.tasks)) == (0, 0, 0)
        with pytest.raises(PoolClosedError, match="was not started"):
            await bench.pool.acquire(None)


async def test_it_keeps_min_size_connections() -> None:
    """From the start, and again after one has gone."""
    async with pool_over(size=3, min_size=2) as bench:
        await until(lambda: bench.pool.idle == 2)

        lease = take(bench.pool)
        assert lease is not None
        lease.discard("broken")
        await until(lambda: bench.pool.idle == 2)

        assert bench.pool.stats(monotonic()).connects == 3
        assert len(bench.listener.of(ConnectionOpened)) == 3


async def test_the_newest_idle_connection_is_taken_first() -> None:
    """So that those nobody needs grow old."""
    async with pool_over() as bench:
        first, second = await bench.pool.acquire(None), await bench.pool.acquire(None)
        first.release()
        second.release()

        assert take(bench.pool) is second
        assert take(bench.pool) is first
        assert take(bench.pool) is None
        first.release()
        second.release()


async def test_waiters_are_served_in_order_of_arrival() -> None:
    """Also when they outnumber the connections many times, and nobody who comes later overtakes."""
    async with pool_over(size=2) as bench:
        order: list[int] = []

        async def user(number: int) -> None:
            lease = take(bench.pool) or await bench.pool.acquire(None)
            order.append(number)
            await asyncio.sleep(0)
            lease.release()

        await asyncio.gather(*(user(number) for number in range(50)))

        assert order == list(range(50))
        assert bench.pool.size == 2
        assert len(bench.listener.of(AcquireWaited)) == 50


async def test_a_newcomer_does_not_take_what_is_being_handed_to_a_waiter() -> None:
    """Between hand-over and wake-up the connection already belongs to who waited."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        lease.release()
        assert take(bench.pool) is None
        assert (bench.pool.in_use, bench.pool.idle) == (1, 0)

        assert await waiting is lease
        lease.release()


async def test_a_waiter_is_served_by_what_comes_first() -> None:
    """A connection that comes back is not held up by one that is being made."""
    async with pool_over(size=2) as bench:
        lease = await bench.pool.acquire(None)
        bench.server.freeze()
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await until(lambda: bench.pool.stats(monotonic()).connecting == 1)

        lease.release()

        assert await waiting is lease
        bench.server.thaw()
        await until(lambda: bench.pool.idle == 1)
        lease.release()


async def test_a_timeout_says_the_numbers_of_the_pool() -> None:
    """Waited, size, in use, idle, waiting, and why connecting fails; it survives pickling."""
    async with pool_over(size=2, acquire_timeout=0.02) as bench:
        lease = await bench.pool.acquire(None)
        bench.server.refuse(FakeError("the database system is starting up", "57P03"))

        with pytest.raises(PoolTimeoutError) as raised:
            await bench.pool.acquire(None)
        error = raised.value

        assert (error.pool, error.in_use, error.idle, error.waiting) == ("orders-1", 1, 0, 1)
        assert 0.02 <= error.waited < 2.0
        assert error.connect_failure == "FakeError: the database system is starting up"
        assert str(error).startswith(f"no connection from pool 'orders-1' within {error.waited:.2f}s (size=")
        assert "idle=0 waiting=1)" in str(error) and "starting up" in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(copy.copy(error)) == str(error)
        lease.release()
        assert bench.pool.stats(monotonic()).timeouts == 1


async def test_the_callers_deadline_cuts_the_wait_shorter() -> None:
    """The earlier of the two counts, and the deadline is a moment."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        started = monotonic()

        with pytest.raises(PoolTimeoutError):
            await bench.pool.acquire(started + 0.02)

        assert 0.02 <= monotonic() - started < 0.5
        lease.release()


async def test_a_task_that_waits_for_itself_is_named() -> None:
    """`router.execute` inside the task's own transaction, where the pool has no other connection."""
    async with pool_over(size=1, acquire_timeout=0.01) as bench:

        async def handler() -> None:
            lease = await bench.pool.acquire(None)
            lease.arm(None, False)
            lease.disarm()
            try:
                await bench.pool.acquire(None)
            finally:
                lease.release()

        with pytest.raises(PoolTimeoutError, match="task 'checkout' waits for itself: it holds 1 of them"):
            await asyncio.create_task(handler(), name="checkout")


async def test_one_caller_more_than_max_waiting_is_refused() -> None:
    """At once, with the number; those in line are not disturbed."""
    async with pool_over(size=1, max_waiting=2) as bench:
        lease = await bench.pool.acquire(None)
        line = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(2)]
        await ticks(2)

        with pytest.raises(PoolFullError, match="2 callers in line") as raised:
            await bench.pool.acquire(None)
        lease.release()
        for waiting in line:
            (await waiting).release()

        assert raised.value.waiting == 2
        assert bench.pool.stats(monotonic()).refused == 1


async def test_where_nobody_may_wait_the_pool_grows_all_the_same() -> None:
    """max_waiting 0 refuses, and the next caller finds the connection that this one would have waited for."""
    async with pool_over(size=2, max_waiting=0) as bench:
        for _ in range(2):
            with pytest.raises(PoolFullError):
                await bench.pool.acquire(None)
            await until(lambda: bench.pool.idle)
            assert take(bench.pool) is not None
        assert bench.pool.size == 2
        for lease in list(bench.pool._state.seats):
            lease.release()


async def test_fail_waiters_sends_everybody_in_line_elsewhere() -> None:
    """Each with an exception of its own."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        line = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(3)]
        await ticks(2)

        assert bench.pool.fail_waiters(lambda: LookupError("shunned")) == 3
        raised = await asyncio.gather(*line, return_exceptions=True)

        assert [str(error) for error in raised] == ["shunned"] * 3
        assert len({id(error) for error in raised}) == 3
        assert bench.pool.waiting == 0
        lease.release()


async def test_a_lease_given_back_twice_is_a_bug() -> None:
    """It would have two users."""
    async with pool_over() as bench:
        lease = await bench.pool.acquire(None)
        lease.release()

        with pytest.raises(BugError, match="idle was released"):
            lease.release()


async def test_what_a_pool_looks_like() -> None:
    """One line with the numbers a person asks for."""
    async with pool_over(size=10) as bench:
        leases = [await bench.pool.acquire(None) for _ in range(10)]
        line = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(2)]
        await ticks(2)

        assert repr(bench.pool) == "<Pool orders-1 idle=0 in_use=10/10 waiting=2>"
        assert bench.pool.outstanding == 12
        leases[0].arm(None, True)
        assert repr(leases[0]) == "<Lease 1 of orders-1 in use running uses=1>"
        leases[0].disarm()
        for lease in leases:
            lease.release()
        for waiting in line:
            (await waiting).release()
        assert repr(bench.pool) == "<Pool orders-1 idle=10 in_use=0/10>"


async def test_statistics_count_what_happened() -> None:
    """Leases, waits with their histogram, connects, and why connections were closed."""
    async with pool_over(size=1, max_uses=3) as bench:
        lease = await bench.pool.acquire(None)
        lease.release()
        for _ in range(2):
            again = take(bench.pool)
            assert again is not None
            again.release()
        await until(lambda: bench.pool.size == 0)
        stats = bench.pool.stats(monotonic())

        assert (stats.acquires, stats.waits, sum(stats.wait_buckets), stats.wait_buckets[0] >= 2) == (3, 1, 3, True)
        assert stats.closed == {"uses": 1}
        assert stats.connects == 1 and stats.connect_seconds_total > 0
        assert stats.as_dict()["max_size"] == 1
        assert [(event.why, event.uses) for event in bench.listener.of(ConnectionClosed)] == [("uses", 3)]


async def test_a_lease_held_too_long_is_reported_once_with_its_stack() -> None:
    """Traced ones by where they were acquired, others by where their task is."""
    async with pool_over(size=2, leak_after=0.01) as bench:
        traced = await bench.pool.acquire(None, trace=True)

        async def forgetful() -> None:
            lease = await bench.pool.acquire(None)
            lease.arm(None, True)
            lease.disarm()
            await forever.wait()
            lease.release()

        forever = asyncio.Event()
        task = asyncio.create_task(forgetful(), name="forgetful")
        await until(lambda: len(bench.listener.of(LeaseLeaked)) >= 2)
        await asyncio.sleep(0.03)
        forever.set()
        await task
        traced.release()

        reports = sorted(bench.listener.of(LeaseLeaked), key=lambda event: event.task == "forgetful")
        assert len(reports) == bench.pool.stats(monotonic()).leaks == 2
        assert "bench.pool.acquire(None, trace=True)" in reports[0].stack
        assert reports[1].task == "forgetful" and "forever.wait()" in reports[1].stack
        assert all(report.held >= 0.01 for report in reports)


async def test_draining_waits_for_leases_and_refuses_the_rest() -> None:
    """Waiters get an error, the lease is let finish, then nothing is left."""
    async with pool_over(size=1) as bench:
        lease = await bench.pool.acquire(None)
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(2)

        draining = asyncio.ensure_future(bench.pool.drain(monotonic() + 5))
        await ticks()
        with pytest.raises(PoolClosedError, match="is closing"):
            await waiting
        with pytest.raises(PoolClosedError):
            await bench.pool.acquire(None)
        assert not draining.done()
        lease.release()

        assert await draining == 0
        assert (bench.pool.size, len(bench.server.connections), len(bench.tasks)) == (0, 0, 0)
        assert bench.pool.stats(monotonic()).closed == {"draining": 1}


async def test_draining_cuts_what_does_not_end_in_time() -> None:
    """And a lease that comes back afterwards harms nothing."""
    async with pool_over(size=2) as bench:
        leases = [await bench.pool.acquire(None) for _ in range(2)]

        assert await bench.pool.drain(monotonic() + 0.01) == 2

        assert not bench.server.connections
        leases[0].release()
        leases[1].release_after(settle=True, abandon=True)
        assert await bench.pool.drain(None) == 0


async def test_draining_while_connecting_and_frozen_ends_in_time() -> None:
    """A connect that will never be answered and a goodbye that nobody hears hold nothing up."""
    async with pool_over(size=3, min_size=2) as bench:
        await until(lambda: bench.pool.idle == 2)
        lease = take(bench.pool)
        assert lease is not None
        bench.server.freeze()
        lease.release()
        waiting = [asyncio.ensure_future(bench.pool.acquire(None)) for _ in range(3)]
        await ticks(3)

        started = monotonic()
        await bench.pool.drain(started + 0.02)

        assert monotonic() - started < 0.5
        assert len(bench.tasks) == 0
        results = await asyncio.gather(*waiting, return_exceptions=True)
        for result in results:
            if isinstance(result, Lease):
                result.release()


async def test_a_pool_belongs_to_its_event_loop() -> None:
    """Using it from another thread's loop is refused in words."""
    async with pool_over() as bench:

        def elsewhere() -> str:
            async def use() -> str:
                with pytest.raises(PoolClosedError) as raised:
                    await bench.pool.acquire(None)
                return str(raised.value)

            return asyncio.run(use())

        assert "another event loop" in await asyncio.to_thread(elsewhere)


async def test_a_closing_router_starts_no_connection() -> None:
    """When its tasks are closed, callers are refused, and those in line wait in vain but nothing spins."""
    async with pool_over(FakeServer(), acquire_timeout=0.01) as bench:
        bench.server.freeze()
        waiting = asyncio.ensure_future(bench.pool.acquire(None))
        await ticks(3)
        await bench.tasks.close()

        with pytest.raises(PoolClosedError, match="is closing"):
            await bench.pool.acquire(None)
        with pytest.raises(PoolTimeoutError):
            await waiting

        assert bench.server.connects == 1


async def test_a_lease_of_another_pool_counts_there() -> None:
    """Who stands in line here and is served there waits here, and is a lease, with its wait, of the pool that served."""
    async with pool_over(size=1) as bench, pool_over(size=1) as other:
        held = await bench.pool.acquire(None)
        (await other.pool.acquire(None)).release()
        for _ in range(3):
            lease = await bench.pool.acquire(None, elsewhere=Takes(other.pool))
            assert lease.pool is other.pool
            lease.release()
        held.release()
        here, there = bench.pool.stats(monotonic()), other.pool.stats(monotonic())

        assert (here.acquires, here.waits, there.acquires, there.waits) == (1, 4, 4, 1)
        assert [sum(stats.wait_buckets) for stats in (here, there)] == [1, 4]
        assert min(here.wait_buckets) == 0 and sum(there.wait_buckets[4:]) == 3, "each waited for a look elsewhere"
