"""What a caller is told who gets no connection: the pool's numbers at that moment, and what the caller can do."""

from __future__ import annotations

import asyncio

from dbrouter.errors import PoolClosedError, PoolFullError, PoolTimeoutError
from dbrouter.pool.lease import Lease, Waiter
from dbrouter.pool.seat import Place
from dbrouter.pool.state import PoolState


def timed_out(
    name: str, state: PoolState[Lease, Waiter], waited: float, waiting: int, last_failure: str | None
) -> PoolTimeoutError:
    """
    The error for the current task, which stood in line for *waited* seconds, with *waiting* callers in it.

    A task that waits for what it holds itself (a call on the router inside its own transaction) is told so.
    """
    size, in_use, idle = state.size, state.in_use, len(state.idle)
    numbers = f"size={size} in_use={in_use} idle={idle} waiting={waiting}"
    message = f"no connection from pool {name!r} within {waited:.2f}s ({numbers})"
    task = asyncio.current_task()
    own = sum(1 for lease in state.seats if lease.place is Place.IN_USE and lease.task is not None and lease.task is task)
    if own and task is not None:
        message += (
            f"; task {task.get_name()!r} waits for itself: it holds {own} of them in an open transaction() or connection(), "
            "call the statement on that object instead of on the router"
        )
    if last_failure is not None:
        message += f"; last failure to connect: {last_failure}"
    return PoolTimeoutError(
        message,
        pool=name,
        waited=waited,
        size=size,
        in_use=in_use,
        idle=idle,
        waiting=waiting,
        connect_failure=last_failure,
    )


def full(name: str, state: PoolState[Lease, Waiter]) -> PoolFullError:
    """The error for a caller who finds the line full."""
    waiting = len(state.waiters) - state.guests
    numbers = f"in_use={state.in_use} size={state.size}"
    message = f"pool {name!r} has {waiting} callers in line, which is max_waiting ({numbers})"
    return PoolFullError(message, pool=name, waiting=waiting)


def closing(name: str) -> PoolClosedError:
    """The error for a caller who comes, or still waits, when the pool ends."""
    return PoolClosedError(f"pool {name!r} is closing", pool=name)
