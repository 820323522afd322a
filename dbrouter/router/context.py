"""
Context: what every call on one database needs, put together once by `build.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Node
from dbrouter.drivers.base import Driver
from dbrouter.errors import PoolClosedError
from dbrouter.events import EventHub
from dbrouter.router.plan import Planner
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import Engine


@dataclass(slots=True, kw_only=True)
class Context:
    """One database's parts."""

    database: str
    engine: Engine
    driver: Driver
    planner: Planner
    writer: Hostgroup
    reader: Hostgroup
    """The writer hostgroup again where the database has no readers."""
    hostgroups: tuple[Hostgroup, ...]
    nodes: tuple[Node, ...]
    events: EventHub
    tasks: OwnedTasks
    rng: random.Random
    call_timeout: float | None
    """Seconds a call may take where nothing nearer says otherwise."""
    loop: asyncio.AbstractEventLoop | None = None
    """Where the router was opened; nothing of it works anywhere else."""
    pid: int = field(default_factory=os.getpid)

    def stranger(self) -> PoolClosedError:
        """The error for a caller in another event loop, or in a child process."""
        where = "belongs to another event loop: open a router in each"
        if os.getpid() != self.pid:
            where = f"was opened in process {self.pid} and this is its child {os.getpid()}: open the router after fork"
        return PoolClosedError(f"the router of database {self.database!r} {where}", pool=self.database)
