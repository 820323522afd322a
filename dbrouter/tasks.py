"""
OwnedTasks: the only place in the package that creates a task.

Every background task of a router (connecting, probing, settling a cancelled connection, killing an abandoned statement)
belongs to one `OwnedTasks`, has a name, and is cancelled and awaited by `close()`.
A task that dies of an exception tells the owner through *on_error* instead of the garbage collector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class OwnedTasks:
    """
    The background tasks of one owner.

    Args:
        on_error: called with (task name, exception) when a task ends with one; must not raise.
    """

    def __init__(self, on_error: Callable[[str, BaseException], None] | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_error
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"<OwnedTasks running={len(self._tasks)}{' closed' if self._closed else ''}>"

    @property
    def closed(self) -> bool:
        """Whether `close` was called: nothing can be started any more."""
        return self._closed

    def start(self, coroutine: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any] | None:
        """
        Run *coroutine* in a task of this owner.

        Returns None, and closes the coroutine unrun, once the owner is closed: late callbacks need no check of their own.
        """
        if self._closed:
            coroutine.close()
            return None
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._on_error is not None:
            self._on_error(task.get_name(), error)

    async def close(self) -> None:
        """Cancel every task and wait until each has ended; safe to call twice and while cancelled."""
        self._closed = True
        current = asyncio.current_task()
        while pending := [task for task in self._tasks if task is not current]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending)
