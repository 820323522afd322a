"""
Reports: frozen snapshots of health and statistics, taken without I/O from what the probes and the pools already know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from dbrouter.cluster.node import Node
from dbrouter.pool.stats import Histogram, PoolSnapshot
from dbrouter.resilience.breaker import BreakerSnapshot
from dbrouter.router.context import Context
from dbrouter.router.shadow import Shadow, ShadowReport

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHealth:
    """One node as the probes and its breaker have it."""

    node: str
    database: str
    role: str
    status: Status
    usable: bool
    shunned: str | None
    """Why a probe took it out of use, or None."""
    shunned_for: float | None
    sample_age: float | None
    """Seconds since the last completed probe; None before the first."""
    server_version: str
    hostgroups: tuple[str, ...]
    breaker: BreakerSnapshot
    lag: float | None = None
    """Seconds behind its primary, where that is known."""
    why_not: str | None = None
    """Why some hostgroup of it may not use it (``breaker open``, ``wrong role: …``), or None where all may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """What one database can serve at this moment."""

    name: str
    engine: str
    status: Status
    writer: bool
    """A primary is usable."""
    reads: bool
    """Something can serve reads (the writer too, where readers fall back to it)."""
    all: bool
    """Every node that should be online is usable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigHealth:
    """The configuration in force, and what became of the attempts to change it."""

    generation: int
    """1 after opening, one more with each configuration that differs."""
    age: float
    """Seconds it has been in force."""
    reloads: int
    """Reloads that were taken over, those that changed nothing included."""
    rejections: int
    rejected_for: float | None
    """Seconds since the last reload was rejected; None where none was since the last that was taken over."""
    problems: tuple[str, ...]
    """What was wrong then, each with file, line and path; without passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSnapshot:
    """The router's health at one moment."""

    status: Status
    databases: tuple[DatabaseHealth, ...]
    nodes: tuple[NodeHealth, ...]
    config: ConfigHealth | None = None
    why: str | None = None
    """Why the whole fails, in words: the router is closing or closed, or the databases that can serve nothing; else None."""
    closed: bool = False
    """`Router.aclose` was called: no more work is taken, also while what is under way still ends."""

    def ready(self, policy: str = "any") -> bool:
        """
        Whether a service should get traffic: ``any`` (every database can serve something), ``writer``, ``all`` or ``never-fail``.
        A closing or closed router is never ready.

        Raises:
            ValueError: an unknown policy.
        """
        match policy:
            case "any":
                ready = all(database.reads or database.writer for database in self.databases)
            case "writer":
                ready = all(database.writer for database in self.databases)
            case "all":
                ready = all(database.all for database in self.databases)
            case "never-fail":
                ready = True
            case _:
                raise ValueError(f"unknown readiness policy {policy!r}; use any, writer, all or never-fail")
        return ready and not self.closed

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """A histogram: *counts* by bucket (upper *bounds* in seconds, one more bucket for the rest), their sum in seconds."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @classmethod
    def of(cls, histogram: Histogram) -> Durations:
        """A frozen copy of *histogram*."""
        return cls(bounds=histogram.bounds, counts=tuple(histogram.counts), total=histogram.total)

    @property
    def count(self) -> int:
        """How many calls."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStats:
    """One node in one hostgroup."""

    node: str
    database: str
    hostgroup: str
    reads: Durations
    writes: Durations
    failures: int
    latency: float
    """Smoothed seconds of a successful call on the node."""
    pool: PoolSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class HostgroupStats:
    """One hostgroup."""

    id: int
    name: str
    database: str
    calls: int
    retries: int
    usable: int
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStats:
    """One database's planner."""

    name: str
    plans: int
    vetoes: int
    learned_writes: int
    rule_hits: dict[int, int]
    """Per rule that matched any, how many calls it matched: each statement once, however often it was sent."""
    shadow_plans: int = 0
    """Plans that were also made by the shadow rules."""
    shadow_digests: int = 0
    """Digests (by pair of destinations) that the shadow rules would send elsewhere."""
    shadow_calls: int = 0
    """Calls of them since the rules were loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """The result cache."""

    entries: int = 0
    size: int = 0
    """Bytes, by estimate."""
    hits: int = 0
    misses: int = 0
    stored: int = 0
    refused: int = 0
    """Results too large to keep, or with values that callers could change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorStats:
    """Mirrored statements."""

    running: int = 0
    waiting: int = 0
    sent: int = 0
    """Answered, well or not."""
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsSnapshot:
    """The router's counters at one moment."""

    databases: tuple[DatabaseStats, ...]
    hostgroups: tuple[HostgroupStats, ...]
    members: tuple[MemberStats, ...]
    cache: CacheStats = CacheStats()
    mirror: MirrorStats = MirrorStats()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def health(contexts: Sequence[Context], now: float, *, ended: str | None = None) -> HealthSnapshot:
    """
    The health of every database at *now* (loop time).

    Args:
        ended: why nothing is served any more, whatever the nodes could (the router is closing or closed); else None.
    """
    databases = tuple(_database_health(context, ended is not None) for context in contexts)
    nodes = tuple(_node_health(node, now) for context in contexts for node in context.nodes)
    failing = [database.name for database in databases if not (database.reads or database.writer)]
    if failing:
        status: Status = "fail"
    else:
        status = "pass" if all(database.status == "pass" for database in databases) else "warn"
    why = ended
    if failing and ended is None:
        why = f"no usable server for reads or writes: {', '.join(failing)}"
    return HealthSnapshot(status=status, databases=databases, nodes=nodes, why=why, closed=ended is not None)


def stats(contexts: Sequence[Context], now: float) -> StatsSnapshot:
    """The counters of every database at *now* (loop time)."""
    cache, mirror = contexts[0].cache, contexts[0].mirror  # every context's
    return StatsSnapshot(
        databases=tuple(
            DatabaseStats(
                name=context.database,
                plans=len(context.planner.cache),
                vetoes=context.planner.vetoes,
                learned_writes=context.planner.learned,
                rule_hits=context.planner.hits,
                **_shadow(context.planner.shadow),
            )
            for context in contexts
        ),
        hostgroups=tuple(
            HostgroupStats(
                id=group.id,
                name=group.name,
                database=context.database,
                calls=group.calls,
                retries=group.retries,
                usable=len(group.usable),
                members=len(group.members),
            )
            for context in contexts
            for group in context.hostgroups
        ),
        members=tuple(
            MemberStats(
                node=member.node.id,
                database=context.database,
                hostgroup=group.name,
                reads=Durations.of(member.reads),
                writes=Durations.of(member.writes),
                failures=member.failures,
                latency=member.node.latency,
                pool=member.pool.stats(now),
            )
            for context in contexts
            for group in context.hostgroups
            for member in group.members
        ),
        cache=CacheStats(
            entries=len(cache), size=cache.size, hits=cache.hits, misses=cache.misses, stored=cache.stored, refused=cache.refused
        ),
        mirror=MirrorStats(
            running=mirror.running, waiting=mirror.waiting, sent=mirror.sent, failed=mirror.failed, dropped=mirror.dropped
        ),
    )


def _shadow(shadow: Shadow | None) -> dict[str, int]:
    if shadow is None:
        return {}
    return {"shadow_plans": shadow.plans, "shadow_digests": shadow.digests, "shadow_calls": shadow.calls}


def shadow_report(contexts: Sequence[Context]) -> ShadowReport | None:
    """What the shadow rules would change, or None where there are none."""
    shadows = [context.planner.shadow for context in contexts if context.planner.shadow is not None]
    if not shadows:
        return None
    return ShadowReport(file=shadows[0].file, databases=tuple(shadow.report() for shadow in shadows))


def _database_health(context: Context, ended: bool) -> DatabaseHealth:
    if ended:
        return DatabaseHealth(
            name=context.database, engine=str(context.engine), status="fail", writer=False, reads=False, all=False
        )
    writer = bool(context.writer.usable)
    falls_back = context.reader is context.writer or context.reader.when_empty == "writer"
    reads = bool(context.reader.usable) or (writer and falls_back)
    everything = all(member.why_not() is None for group in (context.writer, context.reader) for member in group.members)
    if everything:
        status: Status = "pass"
    else:
        status = "warn" if reads or writer else "fail"
    return DatabaseHealth(
        name=context.database, engine=str(context.engine), status=status, writer=writer, reads=reads, all=everything
    )


def _node_health(node: Node, now: float) -> NodeHealth:
    state = node.state
    reasons = [why for member in node.members if (why := member.why_not()) is not None]
    usable = not reasons
    breaker = node.breaker.snapshot(now)
    if usable:
        status: Status = "pass"
    else:
        status = "warn" if len(reasons) < len(node.members) else "fail"
    return NodeHealth(
        node=node.id,
        database=node.database,
        role=str(state.role),
        status=status,
        usable=usable,
        shunned=f"{state.shun.reason}: {state.shun.detail}" if state.shun is not None else None,
        shunned_for=now - state.shun.since if state.shun is not None else None,
        sample_age=now - state.probed_at if state.probed_at is not None else None,
        server_version=state.server_version,
        hostgroups=tuple(member.hostgroup_name for member in node.members),
        breaker=breaker,
        lag=state.lag,
        why_not=reasons[0] if reasons else None,
    )
