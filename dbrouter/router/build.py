"""
Build: from a configuration to the parts of a router. The only file that knows every constructor; it starts nothing.

`build` makes everything new, for `Router.open`. `draft` makes only what a running router does not have yet, for a reload: parts
that stay are found by what they are – a node by database and endpoint, a hostgroup by database, id and role, a member by
hostgroup and node – and what changes about them is not done but noted (`Draft.changes`), so that a reload can do all of it in
one step.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dbrouter.cluster.balancer import balancer_for
from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member, Node
from dbrouter.config.diff import renewing
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, ProcessingSettings, RouterConfig, ServerSettings
from dbrouter.config.schema import ProbeSettings
from dbrouter.drivers import load_driver
from dbrouter.drivers.base import Driver, PasswordProvider
from dbrouter.events import BreakerChanged, EventHub, Observer, TaskFailed, default_observers
from dbrouter.monitor.monitor import Monitor
from dbrouter.monitor.probe import Prober
from dbrouter.pool.pool import Pool
from dbrouter.resilience.breaker import Breaker
from dbrouter.router.cache import ResultCache
from dbrouter.router.compiled import Compiled, compile_config
from dbrouter.router.connecting import AdoptingHook, OnConnect, connect_options
from dbrouter.router.context import Context
from dbrouter.router.functions import FunctionCatalog
from dbrouter.router.mirror import Mirror
from dbrouter.router.planner import Planner
from dbrouter.router.shadow import Shadow
from dbrouter.rules.match import RuleSet
from dbrouter.sql.digest import DigestOptions
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import BreakerState, HostgroupId, NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A new node, and how it is to be probed."""

    node: Node
    prober: Prober
    settings: ProbeSettings
    first_timeout: float


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
    tools: Tools


class Tools:
    """What every part is made with, however often the configuration is reloaded."""

    def __init__(
        self,
        on_connect: OnConnect | None,
        password: PasswordProvider | None,
        observers: Sequence[Observer],
        drivers: Callable[[str], Driver],
    ) -> None:
        self.on_connect = on_connect
        self.password = password
        self.drivers = drivers
        self.events = EventHub((*default_observers(), *observers))
        self.tasks = OwnedTasks(self._task_failed)
        self.rng = random.Random()

    def _task_failed(self, task: str, error: BaseException) -> None:
        if self.events.listening:
            self.events.emit(TaskFailed(task=task, cause=f"{type(error).__name__}: {error}"))


class Draft:
    """
    The parts for *config*: those of *before* that stay, and new ones for what it has not.

    Attributes:
        contexts, pools: what the router will have, in the order of the configuration.
        changes: what has to be done to the parts that stay, and to tie in the new ones, in this order and all at once.
        new_nodes, new_pools: not started yet.
        gone_nodes, gone_members, gone_groups, gone_contexts: of *before*, in nothing of *config* any more.
    """

    def __init__(self, config: RouterConfig, compiled: Compiled, tools: Tools, before: Parts | None) -> None:
        self.config = config
        self._compiled = compiled
        self._tools = tools
        self._before = before
        self.changes: list[Callable[[], None]] = []
        self.new_nodes: list[Watch] = []
        self.new_pools: list[tuple[Member, Pool]] = []
        self._old_contexts = {context.database: context for context in before.contexts} if before is not None else {}
        self._old_nodes = {(node.database, node.id): node for context in self._old_contexts.values() for node in context.nodes}
        self._old_groups = {
            (group.database, group.id, group.read_only, group.writer): group
            for context in self._old_contexts.values()
            for group in context.hostgroups
        }
        self._old_members = {(group, member.node.id): member for group in self._old_groups.values() for member in group.members}
        self._kept = set(self._old_members.values())
        self._nodes: dict[tuple[str, NodeId], Node] = {}
        self._groups: list[Hostgroup] = []
        self._members: list[Member] = []
        self._cache, self._mirror = self._shared()
        self.contexts = tuple(self._context(name, database) for name, database in config.databases.items())
        (self.changes.append if before is not None else _at_once)(self._introduce)
        self.pools = tuple(member.pool for member in self._members)

    @property
    def gone_nodes(self) -> list[Node]:
        """Servers that are in no hostgroup any more."""
        kept = set(self._nodes.values())
        return [node for node in self._old_nodes.values() if node not in kept]

    @property
    def gone_members(self) -> list[Member]:
        """Places in hostgroups that are given up; a server may have another one."""
        kept = set(self._members)
        return [member for member in self._old_members.values() if member not in kept]

    @property
    def gone_groups(self) -> list[Hostgroup]:
        """Hostgroups that are not there any more, or in another role."""
        kept = set(self._groups)
        return [group for group in self._old_groups.values() if group not in kept]

    @property
    def gone_contexts(self) -> list[Context]:
        """Databases that are not there any more."""
        return [context for context in self._old_contexts.values() if context.database not in self.config.databases]

    def _shared(self) -> tuple[ResultCache, Mirror]:
        """What all databases share: a cache that begins empty, because results may be of other servers, and the same mirror."""
        cache, mirror = self.config.result_cache, self.config.mirror
        if self._before is None:
            tasks = self._tools.tasks
            return (
                ResultCache(cache.max_bytes),
                Mirror(tasks, max_concurrency=mirror.max_concurrency, max_queue=mirror.max_queue),
            )
        first = self._before.contexts[0]
        self.changes.append(partial(first.mirror.reconfigure, max_concurrency=mirror.max_concurrency, max_queue=mirror.max_queue))
        return first.cache.successor(cache.max_bytes), first.mirror

    def _introduce(self) -> None:
        """Let the databases know each other, for mirroring."""
        peers = {context.database: context for context in self.contexts}
        planners: dict[int, Planner] = {group.id: context.planner for context in self.contexts for group in context.hostgroups}
        for context in self.contexts:
            context.peers = peers
            context.planner.peers = planners
            if context.planner.shadow is not None:
                context.planner.shadow.candidate.peers = planners

    def _context(self, name: str, database: DatabaseSettings) -> Context:
        config, tools = self.config, self._tools
        old = self._old_contexts.get(name)
        driver = old.driver if old is not None else tools.drivers(database.driver)
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
        if old is not None:
            context = old
        else:
            context = Context(
                database=name,
                engine=database.engine,
                driver=driver,
                planner=self._planner(name, database, writer, reader, hostgroups),
                writer=writer,
                reader=reader,
                hostgroups=hostgroups,
                nodes=tuple(nodes.values()),
                events=tools.events,
                tasks=tools.tasks,
                rng=tools.rng,
                cache=self._cache,
                mirror=self._mirror,
            )
        for adopt in adopting:
            adopt(context)
        for group in hostgroups:
            group.owner = context

        same_catalog = old is not None and self._same_catalog(old, database, writer)
        same_rules = old is not None and self._same_rules(name, database)

        def become() -> None:
            planner = self._planner(name, database, writer, reader, hostgroups)
            planner.inherit(context.planner, catalog=same_catalog)
            if planner.shadow is not None and context.planner.shadow is not None and same_rules:
                planner.shadow.inherit(context.planner.shadow)
            context.become(
                planner=planner,
                writer=writer,
                reader=reader,
                hostgroups=hostgroups,
                nodes=tuple(nodes.values()),
                cache=self._cache,
            )

        if old is not None:
            self.changes.append(become)
        return context

    def _same_catalog(self, old: Context, database: DatabaseSettings, writer: Hostgroup) -> bool:
        """Whether what the catalog said of functions is still about the same schema on the same servers."""
        assert self._before is not None
        if renewing(self._before.config.databases[old.database], database):
            return False
        servers = self.config.hostgroup(writer.id).servers
        return {member.node.id for member in old.writer.members} == {server.node_id for server in servers}

    def _same_rules(self, name: str, database: DatabaseSettings) -> bool:
        """Whether what the shadow rules were found to change still is what they would change."""
        assert self._before is not None
        old, new = self._before.config, self.config
        before = old.databases[name]
        return (
            all(getattr(old, key) == getattr(new, key) for key in _DECIDING)
            and [group.name for group in old.hostgroups_of(name)] == [group.name for group in new.hostgroups_of(name)]
            and all(getattr(before, key) == getattr(database, key) for key in _HOSTGROUPS)
        )

    def _planner(
        self, name: str, database: DatabaseSettings, writer: Hostgroup, reader: Hostgroup, hostgroups: Sequence[Hostgroup]
    ) -> Planner:
        planner = self._planner_with(self._compiled.live[name], name, database, writer, reader, hostgroups)
        shadow, settings = self._compiled.shadow, self.config.shadow_rules
        if shadow is not None and settings is not None:
            candidate = self._planner_with(shadow[name], name, database, writer, reader, hostgroups)
            candidate.catalog = planner.catalog
            candidate.inherit(planner, catalog=False)
            planner.try_beside(Shadow(candidate, file=settings.file, events=self._tools.events))
        return planner

    def _planner_with(
        self,
        rules: RuleSet,
        name: str,
        database: DatabaseSettings,
        writer: Hostgroup,
        reader: Hostgroup,
        hostgroups: Sequence[Hostgroup],
    ) -> Planner:
        config = self.config
        return Planner(
            database=name,
            engine=database.engine,
            writer=writer,
            reader=reader,
            default=next((group for group in hostgroups if group.id == database.default_hostgroup), None),
            hostgroups=hostgroups,
            rules=rules,
            refuse_session=config.session_statements == "error",
            catalog=FunctionCatalog(config.functions, reads=config.read_functions, writes=config.write_functions),
            events=self._tools.events,
            rng=self._tools.rng,
            username=database.user,
            schemaname=database.database,
            digest_options=DigestOptions(**config.digest.model_dump()),
        )

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
        old = self._old_groups.get((name, HostgroupId(settings.id), settings.read_only, writer))
        members = []
        for server in settings.servers:
            node = nodes.get(server.node_id) or self._node(name, database, settings, server, driver)
            nodes[server.node_id] = node
            member = self._old_members.get((old, server.node_id)) if old is not None else None
            if member is None:
                member = Member(
                    node=node, hostgroup=settings.name, weight=server.weight, read_only=settings.read_only, writer=writer
                )
                (self.changes.append if self._before is not None else _at_once)(member.join)
            members.append(member)
        self._members += members
        retry, patience = config.retry_for(settings), config.pool_for(settings).acquire_timeout
        call_timeout = config.timeouts_for(settings).call
        if old is None:
            hostgroup = Hostgroup(
                id=HostgroupId(settings.id),
                name=settings.name,
                database=name,
                members=members,
                balancer=balancer_for(settings.balance),
                when_empty=settings.when_empty,
                read_only=settings.read_only,
                writer=writer,
                retry=retry,
                call_timeout=call_timeout,
                patience=patience,
                rng=self._tools.rng,
            )
        else:
            hostgroup = old
        for member, server in zip(members, settings.servers, strict=True):
            self._pool(database, settings, server, member, hostgroup, driver, adopting)
        if old is not None:
            was = _balance_before(self._before, settings.id)
            self.changes.append(
                partial(
                    hostgroup.become,
                    name=settings.name,
                    members=members,
                    balancer=balancer_for(settings.balance) if settings.balance != was else None,
                    when_empty=settings.when_empty,
                    retry=retry,
                    call_timeout=call_timeout,
                    patience=patience,
                )
            )
        elif self._before is not None:
            self.changes.append(hostgroup.refresh)
        self._groups.append(hostgroup)
        return hostgroup

    def _node(
        self, name: str, database: DatabaseSettings, settings: HostgroupSettings, server: ServerSettings, driver: Driver
    ) -> Node:
        config, tools = self.config, self._tools
        options = connect_options(config, database, settings, server, read_only=False, init=())
        probe, thresholds = config.probe_for(settings, server), config.breaker_for(settings, server)
        node = self._old_nodes.get((name, server.node_id))
        if node is not None:
            self.changes += [
                partial(node.set_status, server.status),
                partial(node.breaker.reconfigure, thresholds),
                partial(self._monitor.reconfigure, node, probe, options),
            ]
        else:
            breaker = Breaker(server.node_id, thresholds, tools.rng)
            node = Node(
                id=NodeId(server.node_id),
                database=name,
                engine=database.engine,
                endpoint=options.endpoint,
                breaker=breaker,
                status=server.status,
            )
            node.fresh = self._before is not None
            breaker.on_change = partial(_breaker_changed, tools.events, node)
            prober = Prober(driver, options, tools.password)
            first_timeout = max(options.timeout, probe.timeout)
            self.new_nodes.append(Watch(node=node, prober=prober, settings=probe, first_timeout=first_timeout))
        self._nodes[name, server.node_id] = node
        return node

    @property
    def _monitor(self) -> Monitor:
        assert self._before is not None
        return self._before.monitor

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
        tools = self._tools
        pool_settings = self.config.pool_for(settings, server)
        options = connect_options(self.config, database, settings, server, read_only=settings.read_only, init=pool_settings.init)
        pool_name = f"{settings.name}/{server.node_id}"
        if member in self._kept:
            assert self._before is not None
            renew = bool(renewing(self._before.config.databases[database.name], database))
            self.changes += [
                partial(member.become, weight=server.weight, hostgroup=settings.name),
                partial(member.pool.reconfigure, pool_settings, options, name=pool_name, hostgroup=settings.name, renew=renew),
            ]
            return
        on_connect = None
        if tools.on_connect is not None:
            on_connect = AdoptingHook(tools.on_connect, hostgroup, member)
            adopting.append(on_connect.bind)
        member.pool = Pool(
            name=pool_name,
            node=server.node_id,
            hostgroup=settings.name,
            driver=driver,
            options=options,
            settings=pool_settings,
            tasks=tools.tasks,
            events=tools.events,
            rng=tools.rng,
            password=tools.password,
            on_connect=on_connect,
            judge=driver.verdict,
            on_connect_failed=member.connect_failed,
            may_connect=member.may_connect,
        )
        self.new_pools.append((member, member.pool))


_HOSTGROUPS = ("writer_hostgroup", "reader_hostgroup", "default_hostgroup")
_DECIDING = ("query_rules", "shadow_rules", "query_rules_fast_routing", "functions", *ProcessingSettings.model_fields)
"""Keys of the configuration by which rules decide."""


def _at_once(change: Callable[[], None]) -> None:
    change()


def _balance_before(before: Parts | None, hostgroup: int) -> object:
    return None if before is None else before.config.hostgroup(hostgroup).balance


def _breaker_changed(
    events: EventHub, node: Node, old: BreakerState, new: BreakerState, why: str, retry_after: float | None
) -> None:
    node.breaker_changed(new, why)
    if events.listening:
        events.emit(BreakerChanged(node=node.id, old=old, new=new, why=why, retry_after=retry_after))


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
    tools = Tools(on_connect, password, observers, drivers or load_driver)
    made = Draft(config, compile_config(config), tools, None)
    watched = [(watch.node, watch.prober, watch.settings, watch.first_timeout) for watch in made.new_nodes]
    return Parts(
        config=config,
        contexts=made.contexts,
        pools=made.pools,
        monitor=Monitor(watched, tasks=tools.tasks, events=tools.events),
        tasks=tools.tasks,
        events=tools.events,
        first_look_timeout=max((watch.first_timeout for watch in made.new_nodes), default=0.0),
        tools=tools,
    )


def draft(config: RouterConfig, compiled: Compiled, before: Parts) -> Draft:
    """What a router of *before* needs for *config*; nothing is started, and nothing of *before* is changed yet."""
    return Draft(config, compiled, before.tools, before)
