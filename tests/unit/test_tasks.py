"""OwnedTasks: every task has an owner, ends with it, and does not die unheard."""

from __future__ import annotations

import asyncio
import gc

import pytest

from dbrouter.tasks import OwnedTasks


async def forever() -> None:
    """Wait for nothing."""
    await asyncio.get_running_loop().create_future()


async def test_a_task_runs_under_its_name_and_is_forgotten_when_it_ends() -> None:
    """The owner counts what runs, and only that."""
    tasks = OwnedTasks()
    names = []

    async def work() -> None:
        current = asyncio.current_task()
        assert current is not None
        names.append(current.get_name())

    task = tasks.start(work(), name="probe db2:5432")
    running = len(tasks)
    assert task is not None
    await task
    await asyncio.sleep(0)

    assert (running, len(tasks), names) == (1, 0, ["probe db2:5432"])


async def test_close_cancels_and_awaits_all_of_them() -> None:
    """Afterwards no task is left, those with something to clean up included."""
    tasks = OwnedTasks()
    cleaned = []

    async def tidy() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            cleaned.append(True)

    started = [tasks.start(tidy(), name="a"), tasks.start(forever(), name="b")]
    await asyncio.sleep(0)
    await tasks.close()

    assert all(task is not None and task.cancelled() for task in started)
    assert cleaned == [True] and len(tasks) == 0 and tasks.closed


async def test_a_task_started_while_closing_is_ended_too() -> None:
    """What a task starts in its last breath does not outlive its owner: it never runs."""
    tasks = OwnedTasks()
    late: list[object] = []

    async def stubborn() -> None:
        try:
            await forever()
        finally:
            late.append(tasks.start(forever(), name="late"))

    tasks.start(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    await tasks.close()

    assert late == [None] and len(tasks) == 0


async def test_close_waits_for_a_task_that_does_not_end_at_once() -> None:
    """A task that goes on after being cancelled is waited for: `close` returns when the last one has ended, not before."""
    tasks = OwnedTasks()
    asked = 0

    async def deaf() -> None:
        nonlocal asked
        while asked < 2:
            try:
                await forever()
            except asyncio.CancelledError:
                asked += 1

    task = tasks.start(deaf(), name="deaf")
    await asyncio.sleep(0)
    closing = asyncio.create_task(tasks.close())
    while asked < 1:
        await asyncio.sleep(0)
    still_closing = not closing.done()
    assert task is not None and task.cancel()
    await closing

    assert still_closing and asked == 2 and len(tasks) == 0


async def test_after_close_nothing_starts_and_nothing_warns() -> None:
    """A late callback gets None, and its coroutine is closed rather than left to warn that it was never awaited."""
    tasks = OwnedTasks()
    await tasks.close()
    await tasks.close()
    coroutine = forever()

    started = tasks.start(coroutine, name="late")
    del coroutine
    gc.collect()

    assert started is None and repr(tasks) == "<OwnedTasks running=0 closed>"


async def test_a_failure_is_told_to_the_owner_and_a_cancellation_is_not() -> None:
    """An exception nobody awaits is no secret; being cancelled is no failure."""
    told = []
    tasks = OwnedTasks(lambda name, error: told.append((name, error)))
    boom = RuntimeError("boom")

    async def fails() -> None:
        raise boom

    failing = tasks.start(fails(), name="fails")
    tasks.start(forever(), name="cancelled")
    assert failing is not None
    with pytest.raises(RuntimeError):
        await failing
    await tasks.close()

    assert told == [("fails", boom)]


async def test_a_task_may_close_its_own_owner() -> None:
    """`close` called from one of the tasks waits for the others and not for itself."""
    tasks = OwnedTasks()
    done = asyncio.Event()

    async def closer() -> None:
        await tasks.close()
        done.set()

    other = tasks.start(forever(), name="other")
    tasks.start(closer(), name="closer")
    async with asyncio.timeout(5):
        await done.wait()

    assert other is not None and other.cancelled()
