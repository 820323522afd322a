"""Driving a coroutine suspension by suspension, and cancelling its task where a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from itertools import count
from typing import Any, Literal

When = Literal["at", "after"]
"""Cancelled as it begins to wait, or when what it waited for has come but the task has not run yet (the tick of a hand-over)."""


class CancelledAt:
    """
    Awaits *operation*, and cancels the current task at its suspension number *k* (from 0).

    Args:
        again: cancel once more, at the suspension that comes so many after the first (1: the very next); None: never.

    Attributes:
        cancelled: how often the task was cancelled.
    """

    def __init__(self, operation: Awaitable[Any], k: int, when: When, again: int | None = None) -> None:
        self._operation = operation
        self._moments = (k,) if again is None else (k, k + again)
        self._when = when
        self.cancelled = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._operation.__await__()
        task = asyncio.current_task()
        assert task is not None
        step = steps.send
        value: Any = None
        for number in count():
            try:
                waited_for = step(value)
            except StopIteration as end:
                return end.value
            if number in self._moments:
                self.cancelled += 1
                if self._when == "at" or waited_for is None:
                    task.cancel()
                else:
                    # Before the task's own wake-up, which is added when it has been given the future.
                    waited_for.add_done_callback(lambda _: task.cancel())
            try:
                value = yield waited_for
                step = steps.send
            except BaseException as error:
                value, step = error, steps.throw
        raise AssertionError("never here")


async def outcome(driven: CancelledAt) -> bool:
    """
    Drive it in a task of its own; whether it ended well. A cancellation must come out as `CancelledError`, be neither swallowed
    nor turned into something else, and leave exactly its own requests counted.
    """

    async def drive() -> bool:
        task = asyncio.current_task()
        assert task is not None
        try:
            await driven
        except asyncio.CancelledError:
            assert driven.cancelled, "never cancelled, and yet it ended by a cancellation"
            assert task.cancelling() == driven.cancelled, "a count of somebody else's is left"
            for _ in range(driven.cancelled):
                task.uncancel()
            return False
        assert not driven.cancelled, "a cancellation was swallowed"
        assert task.cancelling() == 0
        return True

    return await asyncio.ensure_future(drive())
