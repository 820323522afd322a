"""Deadlines and interruptions: whose cancellation it was, to the last tick."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic
from typing import Any

import pytest

from dbrouter.pool import Lease
from tests.pools import Bench, pool_over, ticks, until


class Reply:
    """A statement whose answer comes when a test says so."""

    def __init__(self) -> None:
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        """Wait for the answer."""
        return await self.future


async def statement(lease: Lease, work: Callable[[], Awaitable[Any]], deadline: float | None = None, is_read: bool = True) -> Any:
    """As the router runs one: the answer, ``cut: reason``, or the caller's own cancellation."""
    lease.arm(deadline, is_read)
    try:
        answer = await work()
    except BaseException as error:
        lease.disarm()
        if isinstance(error, asyncio.CancelledError):
            reason = lease.claim_interrupt()
            if reason is not None:
                return f"cut: {reason}"
        raise
    lease.disarm()
    return answer


async def leased(bench: Bench) -> Lease:
    """One."""
    return await bench.pool.acquire(None)


def cancelling() -> int:
    """How many cancellations the current task has been asked for."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_a_statement_is_cut_at_its_deadline() -> None:
    """Soon after it, by one timer, and nothing of the cancellation is left on the task."""
    async with pool_over() as bench:
        lease = await leased(bench)
        started = monotonic()

        assert await statement(lease, Reply(), started + 0.03) == "cut: deadline"

        assert 0.03 <= monotonic() - started < 0.08
        assert cancelling() == 0
        assert bench.pool.stats(monotonic()).interrupted == 1
        lease.release()


async def test_many_deadlines_share_one_timer_and_are_all_met() -> None:
    """In any order of arrival; statements without one, and those that end, are left alone."""
    async with pool_over(size=20) as bench:
        leases = [await leased(bench) for _ in range(20)]
        ended: dict[int, float] = {}

        async def run(number: int, deadline: float | None) -> str:
            answer: str = await statement(leases[number], Reply(), deadline)
            ended[number] = monotonic()
            return answer

        now = monotonic()
        deadlines = [now + 0.02 + 0.004 * ((number * 7) % 18) for number in range(18)]
        runs = [asyncio.ensure_future(run(number, deadline)) for number, deadline in enumerate(deadlines)]
        endless = asyncio.ensure_future(statement(leases[18], Reply()))
        assert await statement(leases[19], lambda: asyncio.sleep(0, "quick"), now + 0.001) == "quick"
        answers = await asyncio.gather(*runs)

        assert answers == ["cut: deadline"] * 18
        assert all(0 <= ended[number] - deadline < 0.05 for number, deadline in enumerate(deadlines))
        assert not endless.done()
        assert bench.pool.watch.wake_at == inf
        endless.cancel()
        await asyncio.wait([endless])
        for lease in leases:
            lease.release()


async def test_a_reply_that_came_in_the_tick_of_the_deadline_wins() -> None:
    """A loop that was blocked past the deadline does not throw an answer away that is there."""
    async with pool_over() as bench:
        lease = await leased(bench)
        reply = Reply()
        deadline = monotonic() + 0.05
        running = asyncio.ensure_future(statement(lease, reply, deadline, is_read=False))
        await ticks(2)

        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + (deadline - monotonic()) - 0.002, reply.future.set_result, "committed")
        while monotonic() < deadline + 0.02:
            pass

        assert await running == "committed"
        lease.release()


async def test_an_interrupt_cuts_reads_and_leaves_writes() -> None:
    """A shunned node: reads move at once, writes wait for their deadline."""
    async with pool_over() as bench:
        reading, writing = await leased(bench), await leased(bench)
        answer = Reply()
        read = asyncio.ensure_future(statement(reading, Reply(), is_read=True))
        write = asyncio.ensure_future(statement(writing, answer, is_read=False))
        await ticks(2)

        assert bench.pool.interrupt("shunned", reads_only=True) == 1
        assert bench.pool.interrupt("shunned", reads_only=True) == 0
        answer.future.set_result("written")

        assert await read == "cut: shunned"
        assert await write == "written"
        reading.release()
        writing.release()


async def test_interrupt_and_reply_in_one_tick_end_in_one_of_them() -> None:
    """Whichever it is, no cancellation hits the task later."""
    async with pool_over() as bench:
        for order in ("reply first", "interrupt first"):
            lease = await leased(bench)
            reply = Reply()

            async def task(lease: Lease = lease, reply: Reply = reply) -> tuple[Any, int]:
                answer = await statement(lease, reply)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                return answer, cancelling()

            running = asyncio.ensure_future(task())
            await ticks(2)
            if order == "reply first":
                reply.future.set_result("answer")
            assert bench.pool.interrupt("shunned", reads_only=True) == 1
            if order == "interrupt first" and not reply.future.done():
                reply.future.set_result("answer")

            assert await running == ("cut: shunned", 0)
            lease.release()


async def test_nothing_is_cut_that_has_left_the_statement() -> None:
    """Neither after disarm nor after release, whatever deadline it had."""
    async with pool_over() as bench:
        lease = await leased(bench)
        assert await statement(lease, lambda: asyncio.sleep(0, "done"), monotonic() + 0.01) == "done"

        assert bench.pool.interrupt("shunned", reads_only=False) == 0
        await asyncio.sleep(0.02)
        lease.release()
        assert bench.pool.interrupt("shunned", reads_only=False) == 0

        assert cancelling() == 0
        assert lease.claim_interrupt() is None


@pytest.mark.parametrize("first", ["caller", "pool"])
@pytest.mark.parametrize("same_tick", [True, False])
async def test_a_cancellation_by_the_caller_is_the_callers_also_beside_ours(first: str, same_tick: bool) -> None:
    """Before or after ours, in one tick or while the driver still cleans up: the task ends cancelled, with the caller's count."""
    async with pool_over() as bench:
        lease = await leased(bench)
        cleaning = asyncio.Event()
        cleaned = asyncio.Event()

        async def driver() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cleaning.set()
                if not same_tick:
                    await cleaned.wait()

        counts: list[int] = []

        async def call() -> None:
            try:
                await statement(lease, driver)
            finally:
                counts.append(cancelling())

        running = asyncio.ensure_future(call())
        await ticks(2)
        steps: list[Callable[[], Any]] = [running.cancel, lambda: bench.pool.interrupt("shunned", reads_only=True)]
        for step in steps if first == "caller" else reversed(steps):
            step()
            if not same_tick:
                await cleaning.wait()
        cleaned.set()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert counts == [1]
        lease.release()


async def test_a_task_that_was_cancelled_before_can_still_be_told_the_deadline() -> None:
    """In the cleanup of a cancelled task the count does not begin at nought."""
    async with pool_over() as bench:
        lease = await leased(bench)
        answers: list[tuple[str, int]] = []

        async def call() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                answers.append((await statement(lease, Reply(), monotonic() + 0.01), cancelling()))

        running = asyncio.ensure_future(call())
        await ticks(2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert answers == [("cut: deadline", 1)]
        lease.release()


async def test_the_callers_timeout_around_ours_stays_a_timeout() -> None:
    """`asyncio.timeout` outside sees its own cancellation and no other."""
    async with pool_over() as bench:
        lease = await leased(bench)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await statement(lease, Reply(), monotonic() + 5)
        async with asyncio.timeout(5):
            assert await statement(lease, Reply(), monotonic() + 0.01) == "cut: deadline"

        assert cancelling() == 0
        lease.release()


@pytest.mark.parametrize("swallowed", ["answer", "error"])
async def test_a_driver_that_swallows_the_cancellation_leaves_no_count(swallowed: str) -> None:
    """It answers, or raises something else: that is what counts, and the request is taken back."""
    async with pool_over() as bench:
        lease = await leased(bench)

        async def driver() -> str:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed == "error":
                    raise ConnectionResetError from None
            return "answer"

        running: asyncio.Future[Any] = asyncio.ensure_future(
            asyncio.gather(statement(lease, driver, monotonic() + 0.01), return_exceptions=True)
        )
        (outcome,) = await running

        assert outcome == "answer" if swallowed == "answer" else isinstance(outcome, ConnectionResetError)

        async def next_statement() -> tuple[str, int]:
            return await statement(lease, lambda: asyncio.sleep(0.001, "next")), cancelling()

        assert await next_statement() == ("next", 0)
        lease.release()


async def test_a_task_does_not_cut_itself() -> None:
    """An interrupt from within its own statement passes it over."""
    async with pool_over() as bench:
        lease = await leased(bench)

        async def shun() -> str:
            return f"cut {bench.pool.interrupt('shunned', reads_only=False)}"

        assert await statement(lease, shun) == "cut 0"
        lease.release()


async def test_the_timer_ends_with_the_pool() -> None:
    """Nothing of a drained pool is left in the loop."""
    async with pool_over() as bench:
        lease = await leased(bench)
        assert await statement(lease, lambda: asyncio.sleep(0, 1), monotonic() + 3600) == 1
        assert bench.pool.watch.wake_at < inf
        lease.release()

        await bench.pool.drain(None)

        assert bench.pool.watch.wake_at == inf
        await until(lambda: len(bench.tasks) == 0)
