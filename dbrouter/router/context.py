"""
Context: what every call on one database needs, put together once by `build.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Node
from dbrouter.drivers.base import Driver
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
