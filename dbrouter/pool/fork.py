"""
Fork: a pool belongs to one process and one event loop. A child process must not speak on its parent's connections, not even to
say goodbye, which would end the parent's sessions.

In the child every pool forgets its connections; they are kept referenced, so that no finalizer closes them politely,
and the pool refuses to be used with a message that says what to do.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from dbrouter.errors import PoolClosedError

if TYPE_CHECKING:
    from dbrouter.pool.lease import Lease
    from dbrouter.pool.pool import Pool


class Home:
    """
    Where *pool* lives: the process that made it, and from its start on an event loop.

    Args:
        ended: whether the pool has come to its end, which is then told instead.
    """

    __slots__ = ("_ended", "_pid", "_pool", "loop")

    def __init__(self, pool: Pool, ended: Callable[[], bool]) -> None:
        self._pool = pool
        self._ended = ended
        self._pid = os.getpid()
        self.loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> asyncio.AbstractEventLoop:
        """
        The running event loop, which is the pool's, or any once the pool has ended.

        Raises:
            PoolClosedError: the pool was not started, or belongs to another process or event loop.
        """
        if os.getpid() != self._pid:
            pool = self._pool.name
            where = f"was opened in process {self._pid} and this is its child {os.getpid()}"
            raise PoolClosedError(f"pool {pool!r} {where}: open the router after fork", pool=pool)
        loop = asyncio.get_running_loop()
        if loop is not self.loop and not self._ended():
            pool = self._pool.name
            what = "was not started" if self.loop is None else "belongs to another event loop: open a router in each"
            raise PoolClosedError(f"pool {pool!r} {what}", pool=pool)
        return loop


def forget_in_child(pool: Pool) -> None:
    """From now on *pool* forgets its connections in every forked child."""
    _pools.add(pool)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_inherited: list[Lease] = []


def _after_fork() -> None:
    for pool in list(_pools):
        _inherited.extend(pool.forget())


os.register_at_fork(after_in_child=_after_fork)
