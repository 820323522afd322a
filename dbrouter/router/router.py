"""
Router: the calls of the default database, and the life of everything: opening, other databases, reports, closing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from dbrouter.config.load import load
from dbrouter.config.model import RouterConfig
from dbrouter.drivers.base import Driver, PasswordProvider
from dbrouter.errors import ParameterError
from dbrouter.events import Observer, RouterClosed, RouterOpened
from dbrouter.router import report
from dbrouter.router.build import Parts, build
from dbrouter.router.database import Database
from dbrouter.router.introspection import LIMIT_SECONDS, Introspection
from dbrouter.router.session import PinnedConnection
from dbrouter.terms import StartPolicy

Source = str | Path | Mapping[str, Any] | RouterConfig
OnConnect = Callable[[PinnedConnection], Awaitable[None]]


class Router(Database):
    """
    ``async with Router.open("dbrouter.yaml") as router: rows = await router.execute("SELECT …")``.

    A router belongs to the event loop it was opened in, and to one process: open it after forking.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.contexts[0])
        self._parts = parts
        self._databases: dict[str, Database] = {parts.contexts[0].database: self}
        self._databases.update((context.database, Database(context)) for context in parts.contexts[1:])
        self._closed = False
        self._drained = asyncio.Event()

    @classmethod
    def open(
        cls,
        source: Source,
        *,
        on_connect: OnConnect | None = None,
        password: PasswordProvider | None = None,
        observers: Sequence[Observer] = (),
        drivers: Callable[[str], Driver] | None = None,
    ) -> Opening:
        """
        Open a router: ``async with Router.open(…) as router``, or ``router = await Router.open(…)`` and later
        ``await router.aclose()``.

        Args:
            source: path of a YAML file, a mapping of the same shape, or a `RouterConfig`.
            on_connect: awaited once for every new connection, with the object that `connection()` gives (codecs, session
                defaults).
            password: asked with ``host:port`` at each connect; may be async (rotating credentials, tokens).
            observers: told of every event from the start (`dbrouter.events.Observer`).
            drivers: makes the driver of a name (``asyncpg``, ``aiomysql``, ``asyncmy``); tests hand in
                `dbrouter.testing.FakeDriver`.

        Raises:
            ConfigError: the configuration has problems; all of them are listed.
            ConnectError: what `start` demands was not reachable.

        If cancelled, everything that was opened is closed again.
        """
        return Opening(source, on_connect, password, observers, drivers)

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    @property
    def config(self) -> RouterConfig:
        """The configuration in force."""
        return self._parts.config

    def database(self, name: str) -> Database:
        """
        The same calls bound to database *name*.

        Raises:
            ParameterError: the configuration has no such database.
        """
        found = self._databases.get(name)
        if found is None:
            raise ParameterError(f"no database {name!r}; the configuration has {', '.join(self._databases)}")
        return found

    def health(self) -> report.HealthSnapshot:
        """What each database can serve, and each node's role, breaker and last sample; no I/O."""
        return report.health(self._parts.contexts, monotonic())

    def stats(self) -> report.StatsSnapshot:
        """Counters of calls, retries, pools and plans; no I/O."""
        return report.stats(self._parts.contexts, monotonic())

    def observe(self, observer: Observer) -> None:
        """Hand events to *observer* too, from now on."""
        self._parts.events.add(observer)

    async def aclose(self, timeout: float = 10.0) -> None:
        """
        Stop taking work, let leases finish for at most *timeout* seconds, then close everything.

        Afterwards no task and no socket of this router is left. Safe to call twice, also at the same time: a second caller waits
        for the end too. If cancelled, what is left is cut at once.
        """
        if self._closed:
            await self._drained.wait()
            await self._parts.tasks.close()  # Nothing is left of them, unless the first caller was cancelled twice.
            return
        self._closed = True
        started = monotonic()
        abandoned = 0
        try:
            pools = self._parts.pools
            abandoned = sum(await asyncio.gather(*(pool.drain(started + timeout) for pool in pools)))
        finally:
            for pool in self._parts.pools:
                pool.cut()  # Of a pool that drained nothing is left; of one whose drain was cancelled before it began, all.
            self._parts.monitor.stop()
            self._drained.set()
            await self._parts.tasks.close()
            events = self._parts.events
            if events.listening:
                events.emit(RouterClosed(took=monotonic() - started, abandoned=abandoned))

    async def _introspect(self) -> None:
        """Read the catalogs where the configuration says so, and keep them read."""
        for database in self._databases.values():
            context = database._context
            if not context.planner.catalog.introspects:
                continue
            introspection = Introspection(context, partial(_read, database))
            context.schema_changed = introspection.schema_changed
            await introspection.read()
            self._parts.tasks.start(introspection.run(), name=f"introspect {context.database}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


class Opening:
    """What `Router.open` gives: awaitable, and an async context manager."""

    def __init__(
        self,
        source: Source,
        on_connect: OnConnect | None,
        password: PasswordProvider | None,
        observers: Sequence[Observer],
        drivers: Callable[[str], Driver] | None,
    ) -> None:
        self._source = source
        self._on_connect = on_connect
        self._password = password
        self._observers = observers
        self._drivers = drivers
        self._router: Router | None = None

    def __await__(self) -> Generator[Any, None, Router]:
        return self._open().__await__()

    async def __aenter__(self) -> Router:
        self._router = await self._open()
        return self._router

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._router is not None:
            await self._router.aclose()

    async def _open(self) -> Router:
        started = monotonic()
        config = load(self._source)
        parts = build(
            config, on_connect=self._on_connect, password=self._password, observers=self._observers, drivers=self._drivers
        )
        router = Router(parts)
        try:
            for pool in parts.pools:
                pool.start()
            parts.monitor.start()
            await _reach(parts, config.start)
            await router._introspect()
        except BaseException:
            await router.aclose(timeout=0.0)
            raise
        if parts.events.listening:
            parts.events.emit(
                RouterOpened(
                    databases=tuple(context.database for context in parts.contexts),
                    nodes=sum(len(context.nodes) for context in parts.contexts),
                    took=monotonic() - started,
                )
            )
        return router


async def _read(database: Database, text: str, route: str | None) -> Sequence[Any]:
    return await database.fetch(text, route=route, timeout=LIMIT_SECONDS)


async def _reach(parts: Parts, policy: StartPolicy) -> None:
    """Wait until what *policy* demands was reached, or say for every node why not."""
    contexts, monitor = parts.contexts, parts.monitor

    def reached(node: Any) -> bool:
        return node.available and node.state.probed_at is not None

    def satisfied() -> bool:
        match policy:
            case StartPolicy.NONE:
                return True
            case StartPolicy.ANY:
                return all(any(reached(node) for node in context.nodes) for context in contexts)
            case StartPolicy.WRITER:
                return all(context.writer.usable for context in contexts)
            case StartPolicy.ALL:
                members = [member for context in contexts for group in context.hostgroups for member in group.members]
                return all(reached(member.node) and member.why_not() is None for member in members)

    if await monitor.wait_until(satisfied, parts.first_look_timeout + 1.0):
        return
    wanted = {
        StartPolicy.ANY: "start: any needs one reachable server of each database",
        StartPolicy.WRITER: "start: writer needs a reachable primary of each database",
        StartPolicy.ALL: "start: all needs every server",
    }[policy]
    raise monitor.connect_error([node for context in contexts for node in context.nodes], wanted)
