"""
Context: what every call on one database needs, put together once by `build.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Node
from dbrouter.drivers.base import Driver
from dbrouter.errors import DatabaseRemovedError, PoolClosedError
from dbrouter.events import EventHub
from dbrouter.router.cache import ResultCache
from dbrouter.router.mirror import Mirror
from dbrouter.router.plan import Plan
from dbrouter.router.planner import Planner
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import Engine


async def _nowhere(plan: Plan, params: Sequence[Any]) -> None:
    """Before the calls of a database are bound, nothing can be mirrored to it."""


def _nothing() -> None:
    """Nobody wants to know of schema changes."""


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
    cache: ResultCache
    """The router's, shared by its databases."""
    mirror: Mirror
    """The router's too."""
    peers: Mapping[str, Context] = field(default_factory=dict, repr=False)
    """Every database of the router by name, this one included."""
    send_copy: Callable[[Plan, Sequence[Any]], Awaitable[Any]] = field(default=_nowhere, repr=False)
    """Sends a mirrored statement on this database; set when its calls are bound."""
    schema_changed: Callable[[], None] = field(default=_nothing, repr=False)
    """Called behind every statement that changes the schema, and the privileges."""
    followers: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)
    """Every `Database` that is bound to it: told when a reload changes it."""
    loop: asyncio.AbstractEventLoop | None = None
    """Where the router was opened; nothing of it works anywhere else."""
    pid: int = field(default_factory=os.getpid)

    def become(
        self,
        *,
        planner: Planner,
        writer: Hostgroup,
        reader: Hostgroup,
        hostgroups: tuple[Hostgroup, ...],
        nodes: tuple[Node, ...],
        cache: ResultCache,
    ) -> None:
        """What a reload says of it from now on, for whoever holds it and for every `Database` bound to it."""
        self.planner = planner
        self.writer = writer
        self.reader = reader
        self.hostgroups = hostgroups
        self.nodes = nodes
        self.cache = cache
        for follower in list(self.followers):
            follower._bind(self)

    def is_serializable(self, isolation: str | None) -> bool:
        """Whether *isolation* is what only a primary has, and what makes reads hold only once they are committed."""
        return self.engine is Engine.POSTGRESQL and isolation is not None and isolation.lower() == "serializable"

    def group_of_block(self, *, readonly: bool, isolation: str | None) -> Hostgroup:
        """Where a block runs that names no hostgroup."""
        return self.reader if readonly and not self.is_serializable(isolation) else self.writer

    def remove(self) -> None:
        """A reload removed the database: nothing is planned for it any more."""
        planner = self.planner
        planner.gone = self.removed
        planner.cache.clear()
        self.send_copy = _nowhere

    def removed(self) -> DatabaseRemovedError:
        """The error for calls on a database that a reload removed."""
        return DatabaseRemovedError(
            f"a reload removed database {self.database!r}: the configuration in force does not have it", database=self.database
        )

    def stranger(self) -> PoolClosedError:
        """The error for a caller in another event loop, or in a child process."""
        where = "belongs to another event loop: open a router in each"
        if os.getpid() != self.pid:
            where = f"was opened in process {self.pid} and this is its child {os.getpid()}: open the router after fork"
        return PoolClosedError(f"the router of database {self.database!r} {where}", pool=self.database)
