"""
Fork: a child process must not speak on its parent's connections, not even to say goodbye, which would end the parent's sessions.

In the child every pool forgets its connections; they are kept referenced, so that no finalizer closes them politely,
and the pool refuses to be used with a message that says what to do.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbrouter.pool.lease import Lease
    from dbrouter.pool.pool import Pool


def forget_in_child(pool: Pool) -> None:
    """From now on *pool* forgets its connections in every forked child."""
    _pools.add(pool)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_inherited: list[Lease] = []


def _after_fork() -> None:
    for pool in list(_pools):
        _inherited.extend(pool.forget())


os.register_at_fork(after_in_child=_after_fork)
