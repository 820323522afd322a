"""
Pools of driver connections: `state` decides, `pool` acts, `pace` says when to connect, `lease` is what a borrower holds, `stats`
what is told.
"""

from __future__ import annotations

from dbrouter.pool.lease import Lease
from dbrouter.pool.pool import Pool
from dbrouter.pool.stats import WAIT_BOUNDS, PoolSnapshot

__all__ = ["WAIT_BOUNDS", "Lease", "Pool", "PoolSnapshot"]
