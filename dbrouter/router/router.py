"""
Router: the calls of the default database, and the life of everything: opening, other databases, reports, closing.
"""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop  # None, not an error, in a child process
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Self

from dbrouter.config.load import load
from dbrouter.config.model import RouterConfig
from dbrouter.config.watch import look
from dbrouter.drivers.base import Driver, PasswordProvider
from dbrouter.errors import ParameterError
from dbrouter.events import Observer, RouterClosed, RouterOpened
from dbrouter.router import report
from dbrouter.router.build import Parts, build
from dbrouter.router.connecting import OnConnect
from dbrouter.router.context import Context
from dbrouter.router.database import Database
from dbrouter.router.explanation import Explanation
from dbrouter.router.introspection import LIMIT_SECONDS, Introspection
from dbrouter.router.reload import DRAIN_SECONDS, Reloader, ReloadReport, Source, files_of
from dbrouter.router.shadow import ShadowReport
from dbrouter.router.triggers import Triggers
from dbrouter.terms import StartPolicy


class Router(Database):
    """
    ``async with Router.open("dbrouter.yaml") as router: rows = await router.execute("SELECT …")``.

    A router belongs to the event loop it was opened in, and to one process: open it after forking.
    """

    def __init__(self, parts: Parts, source: Source | None = None) -> None:
        super().__init__(parts.contexts[0])
        self._parts = parts
        self._databases: dict[str, Database] = {context.database: Database(context) for context in parts.contexts}
        self._reloader = Reloader(parts, parts.config if source is None else source, self._follow)
        self._triggers: Triggers | None = None
        self._introspections: dict[str, tuple[Context, asyncio.Task[None] | None]] = {}
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
        reload_on_sighup: bool = False,
        watch: bool = False,
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
            reload_on_sighup: `reload` at each SIGHUP, until the router is closed; in the main thread only.
            watch: `reload` when the file (or its ``shadow_rules``) has changed; needs the extra ``watch``, and a file.

        Raises:
            ParameterError: *reload_on_sighup* or *watch* cannot be had here.
            ConfigError: the configuration has problems; all of them are listed.
            ConnectError: what `start` demands was not reachable.

        If cancelled, everything that was opened is closed again.
        """
        return Opening(source, on_connect, password, observers, drivers, reload_on_sighup, watch)

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

    def explain(
        self,
        sql: str,
        *,
        database: str | None = None,
        tag: str | None = None,
        route: str | None = None,
        hostgroup: int | str | None = None,
    ) -> Explanation:
        """As `Database.explain`, on *database* where it is given; raises as `database` does where there is none of that name."""
        if database is not None:
            return self.database(database).explain(sql, tag=tag, route=route, hostgroup=hostgroup)
        return super().explain(sql, tag=tag, route=route, hostgroup=hostgroup)

    def _follow(self) -> None:
        """A reload has put other parts in force: be bound to the default database, and know those there are."""
        contexts = self._parts.contexts
        self._databases = {context.database: self._databases.get(context.database) or Database(context) for context in contexts}
        if self._context is not contexts[0]:
            self._bind(contexts[0])
        self._follow_introspection()

    async def reload(self, source: Source | None = None, *, drain_timeout: float | None = DRAIN_SECONDS) -> ReloadReport:
        """
        Put another configuration in force while queries run.

        Every call sees the old configuration or the new one as a whole. Statements under way finish as they began, on their
        connections, also where their server is gone; what stands in line or fails afterwards goes on by the new configuration.
        Nodes that stay keep their pools, breakers and statistics. New servers are looked at and connected to first, for at most a
        second, and serve nobody before a probe has seen them; ``start`` is not applied: one that cannot be reached is shunned.

        Args:
            source: path of a YAML file, a mapping of the same shape, or a `RouterConfig`; None: the one in force, read again
                (variables and secret files too).
            drain_timeout: seconds after which what still runs on removed servers is cut off; None: never.

        Returns:
            What has changed; nothing changes where the configuration is the same.

        Raises:
            ConfigError: the configuration has problems; the old one stays in force, and `health` says so.
            PoolClosedError: the router is closed, or belongs to another event loop or process.

        Two reloads at once run one after the other. If cancelled, either the old or the new configuration is in force.
        """
        self._check_loop()
        return await self._reloader.reload(source, drain_timeout=drain_timeout)

    def shadow_report(self) -> ShadowReport | None:
        """What the rules of ``shadow_rules`` would have changed so far; None where there are none. No I/O."""
        return report.shadow_report(self._parts.contexts)

    def health(self) -> report.HealthSnapshot:
        """
        What each database can serve, each node's role, breaker and last sample, and the configuration's age; no I/O.

        From the moment `aclose` is called the status is ``fail`` and `why` says so; the nodes are told as they were last seen.
        """
        now = monotonic()
        return replace(report.health(self._parts.contexts, now, ended=self._ended()), config=self._reloader.health(now))

    def _ended(self) -> str | None:
        """Why no work is taken any more, or None."""
        if not self._closed:
            return None
        return "the router is closed" if self._drained.is_set() else "the router is closing: what is under way may end"

    def stats(self) -> report.StatsSnapshot:
        """Counters of calls, retries, pools and plans; no I/O. They can be read after `aclose` too."""
        return report.stats(self._parts.contexts, monotonic())

    def _check_loop(self) -> None:
        """
        Refuse what would act on the parts of another event loop, or of another process.

        Raises:
            PoolClosedError: as every call on a connection says it there.
        """
        if _get_running_loop() is not self._loop:
            raise self._context.stranger()

    def observe(self, observer: Observer) -> None:
        """Hand events to *observer* too, from now on."""
        self._parts.events.add(observer)

    async def aclose(self, timeout: float = 10.0) -> None:
        """
        Stop taking work, let leases finish for at most *timeout* seconds, then close everything.

        Afterwards no task and no socket of this router is left. Safe to call twice, also at the same time: a second caller waits
        for the end too. If cancelled, what is left is cut at once.

        Raises:
            PoolClosedError: called from another event loop than the one the router was opened in, or from a child process;
                nothing has changed, and the router works on where it belongs.
        """
        self._check_loop()
        if self._closed:
            await self._drained.wait()
            await self._parts.tasks.close()  # Nothing is left of them, unless the first caller was cancelled twice.
            return
        self._closed = True
        started = monotonic()
        abandoned = 0
        try:
            if self._triggers is not None:
                self._triggers.stop()
            await self._reloader.close()
            pools = (*self._parts.pools, *self._reloader.draining)
            draining = asyncio.gather(*(pool.drain(started + timeout) for pool in pools))
            self._tell_those_who_wait()  # They look again behind the pools' first step, and see what ends.
            abandoned = sum(await draining)
        finally:
            for pool in (*self._parts.pools, *self._reloader.draining):
                pool.cut()  # Of a pool that drained nothing is left; of one whose drain was cancelled before it began, all.
            self._tell_those_who_wait()
            self._parts.monitor.stop()
            self._drained.set()
            await self._parts.tasks.close()
            events = self._parts.events
            if events.listening:
                events.emit(RouterClosed(took=monotonic() - started, abandoned=abandoned))

    def _tell_those_who_wait(self) -> None:
        """Let calls that wait for a usable node look again."""
        for context in self._parts.contexts:
            for group in context.hostgroups:
                group.refresh()

    async def _introspect(self) -> None:
        """Read the catalogs where the configuration says so, and keep them read."""
        for database in self._databases.values():
            context = database._context
            if not context.planner.catalog.introspects:
                continue
            introspection = Introspection(context, partial(_read, database))
            await introspection.read()
            self._keep_read(context, introspection)

    def _keep_read(self, context: Context, introspection: Introspection) -> None:
        context.schema_changed = introspection.schema_changed
        task = self._parts.tasks.start(introspection.run(), name=f"introspect {context.database}")
        self._introspections[context.database] = context, task

    def _follow_introspection(self) -> None:
        """After a reload: keep the catalogs read where the configuration in force says so, and no others."""
        wanted = {context.database: context for context in self._parts.contexts if context.planner.catalog.introspects}
        for name, (context, task) in list(self._introspections.items()):
            if wanted.get(name) is not context and task is not None:
                task.cancel()
                del self._introspections[name]
        for name, context in wanted.items():
            if name not in self._introspections:
                self._keep_read(context, Introspection(context, partial(_read, self._databases[name])))
            if not context.planner.catalog.introspected:
                context.schema_changed()

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
        reload_on_sighup: bool,
        watch: bool,
    ) -> None:
        self._source = source
        self._reload_on_sighup = reload_on_sighup
        self._watch = watch
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
        before = {file: look(file) for file in files_of(self._source)}
        config = load(self._source)
        before = {file: look(file) for file in files_of(self._source, config)} | before
        parts = build(
            config, on_connect=self._on_connect, password=self._password, observers=self._observers, drivers=self._drivers
        )
        router = Router(parts, self._source)
        try:
            if self._reload_on_sighup or self._watch:
                watch = before if self._watch else None
                router._triggers = Triggers(router._reloader, parts.tasks, sighup=self._reload_on_sighup, watch=watch)
            async with router._reloader.turn:  # A wish to reload waits until the router is open.
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
    return await database._ask(text, route=route, timeout=LIMIT_SECONDS)


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
