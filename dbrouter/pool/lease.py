"""
Lease: one connection in somebody's hands.

There is one permanent `Lease` per pooled connection; borrowing it again makes no new object. Its holder brackets each statement
by `arm` and `disarm`, so that the pool can cut it when its deadline passes (one timer per pool, nothing per call) or when its
node is shunned, and in the end calls exactly one of `release`, `release_after` and `discard`. All of them are synchronous: there
is nothing to cancel in them.

Cutting a statement is a `task.cancel()` that we must be able to tell from the caller's own. `arm` remembers the task and how many
cancellations it had asked of it; `claim_interrupt` answers whether the one that arrived was ours alone. `disarm` takes our
request back (`task.uncancel()`) whether or not it ever arrived, so that no count is left behind for the `asyncio.timeout` or
`TaskGroup` around us.
"""

from __future__ import annotations

import asyncio
import io
import traceback
from asyncio import current_task
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from dbrouter.drivers.base import Connection
from dbrouter.pool.seat import Seat
from dbrouter.pool.state import Check, Close, Hand

if TYPE_CHECKING:
    from dbrouter.pool.pool import Pool


class Lease(Seat):
    """A connection of *pool*, its uses, and what its holder is doing with it."""

    __slots__ = (
        "_alone",
        "_release",
        "_watch",
        "armed",
        "cancelling",
        "deadline",
        "interrupted",
        "is_read",
        "pool",
        "reported_at",
        "task",
        "traced",
    )

    def __init__(self, pool: Pool, connection: Connection, *, now: float, retire_at: float, ping_at: float) -> None:
        super().__init__(connection, now=now, retire_at=retire_at, ping_at=ping_at)
        self.pool = pool
        self._release: Callable[[Lease, float], Any] = pool.on_release
        self._watch = pool.watch
        self.task: asyncio.Task[Any] | None = None
        """Who ran the last statement of this lease; None before the first."""
        self.armed = False
        """Whether a statement is running."""
        self.cancelling = 0
        self.deadline: float | None = None
        self.is_read = False
        self.interrupted: str | None = None
        """Why the statement was cut, until the next one begins or `claim_interrupt` has told."""
        self._alone = False
        self.traced: tuple[float, str] | None = None
        """`taken_at` of the borrow that was traced, and the stack that took it."""
        self.reported_at = 0.0
        """`taken_at` of the borrow that was reported as a leak."""

    def __repr__(self) -> str:
        doing = " running" if self.armed else ""
        dirty = f" dirty={self.dirty!r}" if self.dirty is not None else ""
        return f"<Lease {self.connection.server_id} of {self.pool.name} {self.place.value}{doing} uses={self.uses}{dirty}>"

    # ---- a statement

    def arm(self, deadline: float | None, is_read: bool) -> None:
        """
        HOT: the current task begins a statement that must end by *deadline* (None: whenever) and may be cut as a read if
        *is_read*.
        """
        task = self.task = current_task()
        self.cancelling = task.cancelling()  # type: ignore[union-attr]  # only tasks run statements
        self.deadline = deadline
        self.is_read = is_read
        self.interrupted = None
        self.armed = True
        if deadline is not None and deadline < self._watch.wake_at:
            self._watch.until(deadline)

    def disarm(self) -> None:
        """HOT: the statement ended, well or not: from here on nobody cuts it. Doing it twice is harmless."""
        if self.interrupted is None:
            self.armed = False
        else:
            self._withdraw()

    def interrupt(self, reason: str) -> bool:
        """Cut the running statement; False where none runs or it is being cut already. A task never cuts itself."""
        task = self.task
        if not self.armed or self.interrupted is not None or task is None or task is current_task():
            return False
        if not task.cancel():
            return False
        self.interrupted = reason
        return True

    def claim_interrupt(self) -> str | None:
        """
        In the except branch of a `CancelledError`: why we cut the statement, or None where (also) somebody else cancelled the
        task.

        None means: re-raise the `CancelledError`. Answers once.
        """
        if self.interrupted is None:
            return None
        self._withdraw()
        reason, self.interrupted = self.interrupted, None
        return reason if self._alone else None

    def _withdraw(self) -> None:
        if not self.armed:
            return
        self.armed = False
        # Ours is one of the requests counted. What is left beyond the count at `arm` came from outside, before or after ours.
        self._alone = self.task is not None and self.task.uncancel() <= self.cancelling

    def trace(self) -> None:
        """
        Remember who holds this and where from, for leak reports and for naming a self-deadlock (some 10 µs; pinned
        connections).
        """
        self.task = current_task()
        self.traced = self.taken_at, "".join(traceback.format_stack(limit=12)[:-1])

    def whereabouts(self) -> tuple[str, str]:
        """(name of the task that holds this, where): the stack that acquired it if it was traced, else where that task is now."""
        task = self.task
        name = "unknown" if task is None else task.get_name()
        if self.traced is not None and self.traced[0] == self.taken_at:
            return name, self.traced[1]
        if task is None:
            return name, ""
        text = io.StringIO()
        task.print_stack(limit=12, file=text)
        return name, text.getvalue()

    # ---- giving it back

    def release(self) -> None:
        """
        HOT: give it back: to the first in line, else idle; closed and replaced if it must not be used again (Safety 7).

        Harmless after the pool has cut it (`Pool.drain`); a `BugError` when it was released already.
        """
        self.task = None
        action = self._release(self, monotonic())
        if action is not None:
            self.pool.act(action)

    def release_after(self, *, reset: bool = False, settle: bool = False, abandon: bool = False) -> None:
        """
        Give it back once the connection has done what is left, in the background and within time limits; the caller does not
        wait.

        Args:
            reset: bring the session back to what it was after connecting.
            settle: wait for the end of a cancelled statement.
            abandon: end on the server what its caller no longer waits for.

        Until then it counts for the pool's size. What fails or takes too long is closed and replaced.
        """
        self.task = None
        self.pool.release_after(self, reset=reset, settle=settle, abandon=abandon)

    def discard(self, why: str) -> None:
        """Close the connection and replace it if somebody needs one."""
        self.task = None
        self.pool.discard(self, why)


Waiter = asyncio.Future[Lease | None]
"""Somebody in line: gets a lease, or None when the time is over."""
Action = Hand[Lease, Waiter] | Close[Lease] | Check[Lease]
"""What `PoolState` may answer about a connection there is."""
