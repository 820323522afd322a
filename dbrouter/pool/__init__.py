"""
Pools of driver connections: `state` decides, `pool` acts.

`lease` is what a borrower holds; `line` those who wait; `supply` has as many connections as are needed, at the `pace` that is
allowed, `connector` makes one, `welcome` lets the application prepare it; `upkeep` does what is due by the clock, `chores` what
is due to one connection; `watch` cuts what is overdue; `gauges` and `stats` are what is told, `refusals` in words; `ending` and
`fork` are how it ends.
"""

from __future__ import annotations

from dbrouter.pool.lease import Lease
from dbrouter.pool.pool import Pool
from dbrouter.pool.stats import WAIT_BOUNDS, PoolSnapshot

__all__ = ["WAIT_BOUNDS", "Lease", "Pool", "PoolSnapshot"]
