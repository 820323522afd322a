"""
Ending: how a pool ends: nothing is handed out any more, what is in use may finish until a deadline, then everything is cut.

The order matters: who stands in line is told first, connecting is cancelled, idle connections say goodbye; leases come back or
are cut off where they are. In the end there is no connection, no waiter, no task and no timer of the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from dbrouter.pool.chores import Jobs
from dbrouter.pool.lease import Lease, Waiter
from dbrouter.pool.state import Close, PoolState


class Ending:
    """
    The end of one pool.

    Args:
        stops: each stops timers of the pool; afterwards there is none.
        refusal: the error for those who wait in vain; a new one each time.
        close: closes a connection in an orderly way.
        cut_off: closes a connection at once, wherever it is.
    """

    __slots__ = ("_close", "_cut_off", "_jobs", "_quiet", "_refusal", "_state", "_stops")

    def __init__(
        self,
        state: PoolState[Lease, Waiter],
        jobs: Jobs,
        stops: Sequence[Callable[[], None]],
        *,
        refusal: Callable[[], BaseException],
        close: Callable[[Close[Lease]], None],
        cut_off: Callable[[Lease, str], None],
    ) -> None:
        self._state = state
        self._jobs = jobs
        self._refusal = refusal
        self._close = close
        self._cut_off = cut_off
        self._stops = stops
        self._quiet = asyncio.Event()

    def begun(self) -> bool:
        """Whether the pool ends, or its router has stopped all work already: a task of it may be cancelled any time."""
        return self._state.draining or self._jobs.closed

    async def drain(self, deadline: float | None) -> int:
        """See `Pool.drain`."""
        self._stop_handing_out()
        cut = 0
        try:
            await self._until_quiet(deadline)
        finally:
            cut = self.cut()
        await self._jobs.wait()
        return cut

    def cut(self) -> int:
        """See `Pool.cut`."""
        self._stop_handing_out()
        held = self._state.in_use
        for lease in list(self._state.seats):
            self._cut_off(lease, "draining")
        self._jobs.cancel()
        for stop in self._stops:
            stop()
        # Somebody else may be draining it, and waits for the leases that are gone now.
        self.look()
        return held

    def look(self) -> None:
        """A connection is gone or a task has ended: perhaps that was the last."""
        if self._state.draining and not self._state.size and not self._jobs:
            self._quiet.set()

    def _stop_handing_out(self) -> None:
        if self._state.draining:
            return
        closing, waiters = self._state.on_drain()
        for waiter in waiters:
            waiter.set_exception(self._refusal())
        for action in closing:
            self._close(action)
        self._jobs.cancel(connecting_only=True)

    async def _until_quiet(self, deadline: float | None) -> None:
        """Until there is neither a connection nor a task of this pool, or the deadline has passed."""
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - monotonic())):
                while self._state.size or self._jobs:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass
