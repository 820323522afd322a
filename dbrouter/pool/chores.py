"""
Chores: what a pool does to a connection that nobody holds, each within a time limit, and the tasks they run in.

A chore touches one connection and answers what came of it; what that means for the pool is `PoolState`'s to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from dbrouter.drivers.base import Connection
from dbrouter.tasks import OwnedTasks

if TYPE_CHECKING:
    from dbrouter.pool.lease import Lease

PING_SECONDS = 1.0
"""Limit of a ping."""
SETTLE_SECONDS = 2.0
"""Limit of settling a cancelled connection, of resetting one, and of ending an abandoned statement: each."""
GOODBYE_SECONDS = 2.0
"""Limit of a polite close."""


async def ping(connection: Connection) -> Exception | None:
    """What went wrong with a round trip, if anything."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await connection.ping()
    except Exception as error:
        return error
    return None


async def settle(connection: Connection, end: Callable[[], Awaitable[None]] | None, *, settle: bool, reset: bool) -> str | None:
    """
    End the abandoned statement, wait for the stream to be clean, reset the session; why the connection is unusable, or None.
    """
    try:
        if end is not None:
            async with asyncio.timeout(SETTLE_SECONDS):
                await end()
        if settle:
            async with asyncio.timeout(SETTLE_SECONDS):
                if not await connection.settle():
                    return "settling"
        if reset and not connection.closed and not connection.in_transaction:
            async with asyncio.timeout(SETTLE_SECONDS):
                if not await connection.reset():
                    return "session_state"
    except Exception:
        return "settling"
    return None


async def goodbye(connection: Connection) -> None:
    """A polite close, or an abrupt one where that fails or takes too long."""
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            await connection.close()
    except Exception:
        connection.terminate()
    except BaseException:
        connection.terminate()
        raise


class Job:
    """What hangs on one background task: a lease being worked on, or (None) capacity for a connection being made."""

    __slots__ = ("connecting", "lease")

    def __init__(self, lease: Lease | None) -> None:
        self.lease = lease
        self.connecting = lease is None


class Jobs:
    """
    The background tasks of one pool, a part of its router's.

    *over* hears of every job's end exactly once, also of one that was cancelled before it began, or never ran because the router
    closes.
    """

    __slots__ = ("_name", "_over", "_running", "_tasks")

    def __init__(self, tasks: OwnedTasks, name: str, over: Callable[[Job], None]) -> None:
        self._tasks = tasks
        self._name = name
        self._over = over
        self._running: dict[asyncio.Task[Any], Job] = {}

    def __len__(self) -> int:
        return len(self._running)

    @property
    def closed(self) -> bool:
        """Whether nothing can be started any more."""
        return self._tasks.closed

    def run(self, job: Job, work: Coroutine[Any, Any, None], what: str) -> None:
        """Start *work* for *job*."""
        task = self._tasks.start(work, name=f"{self._name}: {what}")
        if task is None:
            self._over(job)
        else:
            self._running[task] = job
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        job = self._running.pop(task, None)
        if job is not None:
            self._over(job)

    def cancel(self, *, connecting_only: bool = False) -> None:
        """Cancel them all, or only those that make connections."""
        for task, job in list(self._running.items()):
            if job.connecting or not connecting_only:
                task.cancel()

    async def wait(self) -> None:
        """Until all have ended, also what one of them started when it was over."""
        while self._running:
            await asyncio.wait(list(self._running))

    def forget(self) -> None:
        """After a fork: the tasks are the parent's."""
        self._running.clear()
