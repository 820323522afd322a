"""
Build: from a configuration to the parts of a router. The only file that knows every constructor; it starts nothing.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dbrouter.cluster.balancer import balancer_for
from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member, Node
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings
from dbrouter.config.schema import ProbeSettings
from dbrouter.drivers import load_driver
from dbrouter.drivers.base import ConnectOptions, Driver, PasswordProvider, TlsOptions
from dbrouter.events import BreakerChanged, EventHub, Observer, TaskFailed, default_observers
from dbrouter.monitor.monitor import Monitor
from dbrouter.monitor.probe import Prober
from dbrouter.pool.lease import Lease
from dbrouter.pool.pool import Pool
from dbrouter.resilience.breaker import Breaker
from dbrouter.router.cache import ResultCache
from dbrouter.router.context import Context
from dbrouter.router.functions import FunctionCatalog
from dbrouter.router.mirror import Mirror
from dbrouter.router.planner import Planner
from dbrouter.router.session import PinnedConnection
from dbrouter.rules.compile import compile_rules
from dbrouter.sql.digest import DigestOptions
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import BreakerState, HostgroupId, NodeId

OnConnect = Callable[[PinnedConnection], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything a router owns."""

    config: RouterConfig
    contexts: tuple[Context, ...]
    pools: tuple[Pool, ...]
    monitor: Monitor
    tasks: OwnedTasks
    events: EventHub
    first_look_timeout: float
    """Seconds after which every node's first look has ended, one way or the other."""


class _Builder:
    def __init__(
        self,
        config: RouterConfig,
        on_connect: OnConnect | None,
        password: PasswordProvider | None,
        observers: Sequence[Observer],
        drivers: Callable[[str], Driver],
    ) -> None:
        self.config = config
        self.on_connect = on_connect
        self.password = password
        self.events = EventHub((*default_observers(), *observers))
        self.tasks = OwnedTasks(self._task_failed)
        self.rng = random.Random()
        self.drivers = drivers
        self.cache = ResultCache(config.result_cache.max_bytes)
        self.mirror = Mirror(self.tasks, max_concurrency=config.mirror.max_concurrency, max_queue=config.mirror.max_queue)
        self.watched: list[tuple[Node, Prober, ProbeSettings, float]] = []
        self.pools: list[Pool] = []

    def build(self) -> Parts:
        contexts = tuple(self._context(name, database) for name, database in self.config.databases.items())
        peers = {context.database: context for context in contexts}
        planners: dict[int, Planner] = {group.id: context.planner for context in contexts for group in context.hostgroups}
        for context in contexts:
            context.peers = peers
            context.planner.peers = planners
        monitor = Monitor(self.watched, tasks=self.tasks, events=self.events)
        return Parts(
            config=self.config,
            contexts=contexts,
            pools=tuple(self.pools),
            monitor=monitor,
            tasks=self.tasks,
            events=self.events,
            first_look_timeout=max((entry[3] for entry in self.watched), default=0.0),
        )

    def _context(self, name: str, database: DatabaseSettings) -> Context:
        config = self.config
        driver = self.drivers(database.driver)
        nodes: dict[NodeId, Node] = {}
        adopting: list[Callable[[Context], None]] = []
        hostgroups = tuple(
            self._hostgroup(name, database, settings, driver, nodes, adopting)
            for settings in config.hostgroups
            if settings.database == name
        )
        by_id = {group.id: group for group in hostgroups}
        writer = by_id[HostgroupId(database.writer_hostgroup)]
        reader = by_id[HostgroupId(database.reader_hostgroup)] if database.reader_hostgroup is not None else writer
        default = database.default_hostgroup
        planner = Planner(
            database=name,
            engine=database.engine,
            writer=writer,
            reader=reader,
            default=by_id[HostgroupId(default)] if default is not None else None,
            hostgroups=hostgroups,
            rules=compile_rules(
                [rule for rule in config.query_rules if rule.database in (None, name)],
                fast_routes=[route for route in config.query_rules_fast_routing if route.destination_hostgroup in by_id],
                iterations=config.query_processor_iterations,
                hints=config.comment_hints,
            ),
            refuse_session=config.session_statements == "error",
            catalog=FunctionCatalog(config.functions, reads=config.read_functions, writes=config.write_functions),
            events=self.events,
            rng=self.rng,
            username=database.user,
            schemaname=database.database,
            digest_options=DigestOptions(**config.digest.model_dump()),
        )
        context = Context(
            database=name,
            engine=database.engine,
            driver=driver,
            planner=planner,
            writer=writer,
            reader=reader,
            hostgroups=hostgroups,
            nodes=tuple(nodes.values()),
            events=self.events,
            tasks=self.tasks,
            rng=self.rng,
            cache=self.cache,
            mirror=self.mirror,
            call_timeout=config.timeouts.call,
        )
        for adopt in adopting:
            adopt(context)
        return context

    def _hostgroup(
        self,
        name: str,
        database: DatabaseSettings,
        settings: HostgroupSettings,
        driver: Driver,
        nodes: dict[NodeId, Node],
        adopting: list[Callable[[Context], None]],
    ) -> Hostgroup:
        config = self.config
        writer = settings.id == database.writer_hostgroup
        members = []
        for server in settings.servers:
            node = nodes.get(server.node_id) or self._node(name, database, settings, server, driver)
            nodes[server.node_id] = node
            member = Member(node=node, hostgroup=settings.name, weight=server.weight, read_only=settings.read_only, writer=writer)
            members.append(member)
        hostgroup = Hostgroup(
            id=HostgroupId(settings.id),
            name=settings.name,
            database=name,
            members=members,
            balancer=balancer_for(settings.balance),
            when_empty=settings.when_empty,
            read_only=settings.read_only,
            writer=writer,
            retry=config.retry_for(settings),
            call_timeout=config.timeouts_for(settings).call,
            patience=config.pool_for(settings).acquire_timeout,
            rng=self.rng,
        )
        for member, server in zip(members, settings.servers, strict=True):
            self._pool(database, settings, server, member, hostgroup, driver, adopting)
        return hostgroup

    def _node(
        self, name: str, database: DatabaseSettings, settings: HostgroupSettings, server: ServerSettings, driver: Driver
    ) -> Node:
        breaker = Breaker(server.node_id, self.config.breaker_for(settings, server), self.rng)
        options = self._options(database, settings, server, read_only=False, init=())
        node = Node(
            id=NodeId(server.node_id),
            database=name,
            engine=database.engine,
            endpoint=options.endpoint,
            breaker=breaker,
            status=server.status,
        )
        breaker.on_change = partial(self._breaker_changed, node)
        probe = self.config.probe_for(settings, server)
        self.watched.append((node, Prober(driver, options, self.password), probe, max(options.timeout, probe.timeout)))
        return node

    def _pool(
        self,
        database: DatabaseSettings,
        settings: HostgroupSettings,
        server: ServerSettings,
        member: Member,
        hostgroup: Hostgroup,
        driver: Driver,
        adopting: list[Callable[[Context], None]],
    ) -> None:
        pool_settings = self.config.pool_for(settings, server)
        on_connect = None
        if self.on_connect is not None:
            on_connect = _OnConnect(self.on_connect, hostgroup, member)
            adopting.append(on_connect.bind)
        member.pool = Pool(
            name=f"{settings.name}/{server.node_id}",
            node=server.node_id,
            hostgroup=settings.name,
            driver=driver,
            options=self._options(database, settings, server, read_only=settings.read_only, init=pool_settings.init),
            settings=pool_settings,
            tasks=self.tasks,
            events=self.events,
            rng=self.rng,
            password=self.password,
            on_connect=on_connect,
            judge=driver.verdict,
            on_connect_failed=member.connect_failed,
            may_connect=member.may_connect,
        )
        self.pools.append(member.pool)

    def _options(
        self,
        database: DatabaseSettings,
        settings: HostgroupSettings,
        server: ServerSettings,
        *,
        read_only: bool,
        init: Sequence[str],
    ) -> ConnectOptions:
        return connect_options(self.config, database, settings, server, read_only=read_only, init=init)

    def _breaker_changed(self, node: Node, old: BreakerState, new: BreakerState, why: str, retry_after: float | None) -> None:
        node.breaker_changed(new, why)
        if self.events.listening:
            self.events.emit(BreakerChanged(node=node.id, old=old, new=new, why=why, retry_after=retry_after))

    def _task_failed(self, task: str, error: BaseException) -> None:
        if self.events.listening:
            self.events.emit(TaskFailed(task=task, cause=f"{type(error).__name__}: {error}"))


def connect_options(
    config: RouterConfig,
    database: DatabaseSettings,
    settings: HostgroupSettings,
    server: ServerSettings,
    *,
    read_only: bool,
    init: Sequence[str],
) -> ConnectOptions:
    """What a driver is told to connect to *server* of *settings*; a session opened *read_only* only where that can be set."""
    tls = database.tls
    return ConnectOptions(
        host=server.host,
        port=server.port or 0,
        user=database.user,
        password=database.password.get_secret_value() if database.password is not None else None,
        database=server.database or database.database,
        tls=TlsOptions(mode=str(tls.mode), ca=tls.ca, cert=tls.cert, key=tls.key),
        server_settings=dict(database.server_settings),
        driver_options=dict(database.driver_options),
        read_only=read_only and database.via == "direct",
        via=str(database.via),
        timeout=config.timeouts_for(settings, server).connect,
        init=tuple(init),
        found_rows=database.found_rows,
    )


class _OnConnect:
    """Hands the user's `on_connect` the same object that `connection()` gives."""

    def __init__(self, hook: OnConnect, hostgroup: Hostgroup, member: Member) -> None:
        self._hook = hook
        self._hostgroup = hostgroup
        self._member = member
        self._context: Context | None = None

    def bind(self, context: Context) -> None:
        self._context = context

    async def __call__(self, lease: Lease) -> None:
        assert self._context is not None
        await self._hook(PinnedConnection.adopt(self._context, self._hostgroup, self._member, lease))
        lease.dirty = None  # What the hook sets is how every connection begins.


def build(
    config: RouterConfig,
    *,
    on_connect: OnConnect | None = None,
    password: PasswordProvider | None = None,
    observers: Sequence[Observer] = (),
    drivers: Callable[[str], Driver] | None = None,
) -> Parts:
    """
    The parts of a router for *config*; nothing is started and nothing is connected.

    Args:
        drivers: makes the driver of a name (``asyncpg``, ``aiomysql``, ``asyncmy``); tests hand in fakes.
    """
    return _Builder(config, on_connect, password, observers, drivers or load_driver).build()
