"""
Supply: connections for those who wait and for `min_size`: a ping of an idle one, or a connect in the background.

How many and when is `PoolState`'s to decide (`on_need`); here it is asked again whenever something has changed, until there is
nothing to do at once. Where the answer is "later", one timer asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from dbrouter.drivers.base import Connection
from dbrouter.pool.chores import Job, Jobs
from dbrouter.pool.connector import Connector
from dbrouter.pool.lease import Action, Lease, Waiter
from dbrouter.pool.state import Connect, Later, PoolState


class Supply:
    """
    Supplies one pool, from `start` to `stop`.

    Args:
        may_connect: False holds connecting back; asked before each attempt.
        seat: makes the lease of a new connection.
        act: does what `PoolState` answers.
    """

    __slots__ = ("_act", "_asking", "_connector", "_jobs", "_loop", "_may_connect", "_retry", "_seat", "_state")

    def __init__(
        self,
        state: PoolState[Lease, Waiter],
        jobs: Jobs,
        connector: Connector,
        *,
        may_connect: Callable[[], bool] | None,
        seat: Callable[[Connection], Lease],
        act: Callable[[Action], None],
    ) -> None:
        self._state = state
        self._jobs = jobs
        self._connector = connector
        self._may_connect = may_connect
        self._seat = seat
        self._act = act
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asking = False
        self._retry: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on `look` starts what is needed."""
        self._loop = loop

    def stop(self) -> None:
        """No timer any more."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def look(self) -> None:
        """Start whatever those who wait, and `min_size`, need."""
        if self._loop is None or self._asking or self._jobs.closed:
            return
        # What is done below can lead here again: whoever is asking already sees to that too.
        self._asking = True
        try:
            while True:
                now = monotonic()
                need = self._state.on_need(now, self._may_connect is None or self._may_connect())
                match need:
                    case None:
                        return
                    case Later(at):
                        self.stop()
                        self._retry = self._loop.call_later(max(0.001, at - now), self.look)
                        return
                    case Connect():
                        job = Job(None)
                        self._jobs.run(job, self._connect(job), "connect")
                    case _:
                        self._act(need)
        finally:
            self._asking = False

    async def _connect(self, job: Job) -> None:
        lease = await self._connector.connect(self._seat)
        job.connecting = False
        if lease is None:
            self._state.on_connect_ended()
            return
        action = self._state.on_connected(lease, monotonic())
        if action is not None:
            self._act(action)
