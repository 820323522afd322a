"""
Metrics for Prometheus (extra `prometheus`): a collector that reads a router's snapshots when it is scraped.

The query path pays nothing for it: pools, nodes and planners count anyway, and the collector asks `Router.stats` and
`Router.health`. Only what leaves no counter behind (transitions of breakers, shuns, reroutes, refused connections by code, kills)
is counted here, as an observer of INFO and WARNING events, never of one event per query; such counters begin when the collector
is made.

Names carry their unit; labels are database, hostgroup, node and closed sets, so their number is bounded by the configuration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.exposition import CONTENT_TYPE_LATEST
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "metrics need prometheus_client, which comes with an extra: pip install 'dbrouter[prometheus]'", name=error.name
    ) from error

from dbrouter.events import (
    BreakerChanged,
    ConnectionFailed,
    Event,
    LoopBlocked,
    NodeShunned,
    Observer,
    StatementKilled,
    StatementRerouted,
    TaskFailed,
)
from dbrouter.pool.stats import WAIT_BOUNDS
from dbrouter.router.report import ConfigHealth, Durations, HealthSnapshot, MemberStats, StatsSnapshot
from dbrouter.terms import BreakerState, EventLevel, Role

_MEMBER = ("database", "hostgroup", "node")
_NODE = ("database", "node")


class Reporting(Protocol):
    """What is asked of a router."""

    def health(self) -> HealthSnapshot:
        """Its health now, without I/O."""
        ...

    def stats(self) -> StatsSnapshot:
        """Its counters now, without I/O."""
        ...

    def observe(self, observer: Observer) -> None:
        """Hand it events."""
        ...


class PrometheusCollector(Collector):
    """
    ``REGISTRY.register(PrometheusCollector(router))``: everything a router knows, at each scrape.

    Attributes:
        level: INFO: the hub hands it no event per query.
    """

    level = EventLevel.INFO

    def __init__(self, router: Reporting) -> None:
        self._router = router
        self._transitions: Counter[tuple[str, ...]] = Counter()
        self._shuns: Counter[tuple[str, ...]] = Counter()
        self._reroutes: Counter[tuple[str, ...]] = Counter()
        self._connection_errors: Counter[tuple[str, ...]] = Counter()
        self._kills: Counter[tuple[str, ...]] = Counter()
        self._loop_blocked = 0.0
        self._task_failures = 0
        router.observe(self)

    def observe(self, event: Event) -> None:
        """Count what no snapshot keeps."""
        match event:
            case BreakerChanged():
                self._transitions[event.node, str(event.new)] += 1
            case NodeShunned():
                self._shuns[event.node, str(event.reason)] += 1
            case StatementRerouted():
                self._reroutes[(event.database,)] += 1
            case ConnectionFailed():
                self._connection_errors[event.hostgroup, event.node, event.code] += 1
            case StatementKilled():
                self._kills[event.node, "ok" if event.ok else "failed"] += 1
            case LoopBlocked():
                self._loop_blocked += event.seconds
            case TaskFailed():
                self._task_failures += 1

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry then asks for no scrape while the collector is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric, from one snapshot of each kind."""
        stats, health = self._router.stats(), self._router.health()
        yield from _pools(stats.members)
        yield from _queries(stats)
        yield from _effects(stats)
        yield from _nodes(health)
        yield from _configuration(health.config)
        yield from self._events()

    def _events(self) -> Iterator[Metric]:
        yield _counter(
            "dbrouter_breaker_transitions",
            "Moves of breakers, by the new state.",
            ("node", "state"),
            self._transitions,
        )
        yield _counter("dbrouter_node_shuns", "Nodes a probe took out of use.", ("node", "reason"), self._shuns)
        yield _counter(
            "dbrouter_reroutes",
            "Statements a replica refused as read-only, sent to the primary and remembered as writes.",
            ("database",),
            self._reroutes,
        )
        yield _counter(
            "dbrouter_connection_errors",
            "Failures to connect, by SQLSTATE, error number or class.",
            ("hostgroup", "node", "code"),
            self._connection_errors,
        )
        yield _counter("dbrouter_kills", "Abandoned statements ended on their server.", ("node", "outcome"), self._kills)
        yield CounterMetricFamily(
            "dbrouter_loop_blocked_seconds", "Seconds for which the event loop did not run.", value=self._loop_blocked
        )
        yield CounterMetricFamily(
            "dbrouter_task_failures", "Background tasks that died of a bug; please report them.", value=self._task_failures
        )


def exposition(router: Reporting) -> Callable[[], tuple[bytes, str]]:
    """A function that gives (text, content type) of the metrics of *router* alone, for ``/metrics``."""
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(router))
    return lambda: (generate_latest(registry), CONTENT_TYPE_LATEST)


def _pools(members: Sequence[MemberStats]) -> Iterator[Metric]:
    now: tuple[tuple[str, str, Callable[[MemberStats], float]], ...] = (
        ("size", "Connections of any kind.", lambda member: member.pool.size),
        ("idle", "Connections nobody uses.", lambda member: member.pool.idle),
        ("in_use", "Connections leased.", lambda member: member.pool.in_use),
        ("connecting", "Connections being opened.", lambda member: member.pool.connecting),
        ("waiting", "Callers in line for a connection.", lambda member: member.pool.waiting),
        ("max", "Connections the pool may have.", lambda member: member.pool.max_size),
    )
    for name, text, value in now:
        gauge = GaugeMetricFamily(f"dbrouter_pool_{name}", text, labels=_MEMBER)
        for member in members:
            gauge.add_metric(_labels(member), value(member))
        yield gauge
    wait = HistogramMetricFamily(
        "dbrouter_acquire_wait_seconds",
        "Seconds until a caller had a connection; the sum has the seconds of callers that got none, too.",
        labels=_MEMBER,
    )
    for member in members:
        wait.add_metric(_labels(member), _buckets(WAIT_BOUNDS, member.pool.wait_buckets), member.pool.wait_seconds_total)
    yield wait
    ever: tuple[tuple[str, str, Callable[[MemberStats], float]], ...] = (
        ("pool_acquires", "Leases handed out.", lambda member: member.pool.acquires),
        ("pool_waits", "Callers that had to stand in line.", lambda member: member.pool.waits),
        ("pool_timeouts", "Callers whose time in line ran out.", lambda member: member.pool.timeouts),
        ("pool_refusals", "Callers turned away because the line was full.", lambda member: member.pool.refused),
        ("pool_leaks", "Leases held longer than leak_after.", lambda member: member.pool.leaks),
        ("pool_connects", "Connections opened.", lambda member: member.pool.connects),
        ("pool_connect_failures", "Connections that could not be opened.", lambda member: member.pool.connect_failures),
        ("pool_connect_seconds", "Seconds spent on connecting.", lambda member: member.pool.connect_seconds_total),
        ("pool_interrupted", "Statements cut by a deadline or a shun.", lambda member: member.pool.interrupted),
    )
    for name, text, value in ever:
        counter = CounterMetricFamily(f"dbrouter_{name}", text, labels=_MEMBER)
        for member in members:
            counter.add_metric(_labels(member), value(member))
        yield counter
    closed = CounterMetricFamily("dbrouter_pool_closed", "Connections closed, by reason.", labels=(*_MEMBER, "why"))
    for member in members:
        for why, count in sorted(member.pool.closed.items()):
            closed.add_metric((*_labels(member), why), count)
    yield closed


def _queries(stats: StatsSnapshot) -> Iterator[Metric]:
    seconds = HistogramMetricFamily(
        "dbrouter_query_seconds", "Seconds of a successful statement on its node.", labels=(*_MEMBER, "intent")
    )
    failures = CounterMetricFamily("dbrouter_query_failures", "Attempts that failed.", labels=_MEMBER)
    latency = GaugeMetricFamily("dbrouter_node_latency_seconds", "Smoothed seconds of a successful statement.", labels=_MEMBER)
    for member in stats.members:
        durations: tuple[tuple[str, Durations], ...] = (("read", member.reads), ("write", member.writes))
        for intent, of in durations:
            seconds.add_metric((*_labels(member), intent), _buckets(of.bounds, of.counts), of.total)
        failures.add_metric(_labels(member), member.failures)
        latency.add_metric(_labels(member), member.latency)
    yield seconds
    yield failures
    yield latency
    group_labels = ("database", "hostgroup")
    calls = CounterMetricFamily("dbrouter_calls", "Calls planned for a hostgroup.", labels=group_labels)
    retries = CounterMetricFamily("dbrouter_retries", "Attempts after the first.", labels=group_labels)
    usable = GaugeMetricFamily("dbrouter_hostgroup_usable", "Nodes that may serve a hostgroup's calls.", labels=group_labels)
    members = GaugeMetricFamily("dbrouter_hostgroup_members", "Nodes of a hostgroup.", labels=group_labels)
    for group in stats.hostgroups:
        labels = (group.database, group.name)
        calls.add_metric(labels, group.calls)
        retries.add_metric(labels, group.retries)
        usable.add_metric(labels, group.usable)
        members.add_metric(labels, group.members)
    yield from (calls, retries, usable, members)
    vetoes = CounterMetricFamily(
        "dbrouter_vetoes", "Plans in which a rule or a caller would have sent a write to readers.", labels=("database",)
    )
    plans = GaugeMetricFamily("dbrouter_plans", "Plans in the cache.", labels=("database",))
    learned = GaugeMetricFamily(
        "dbrouter_learned_writes", "Digests that count as writes because a server refused them.", labels=("database",)
    )
    hits = CounterMetricFamily("dbrouter_rule_hits", "Calls that a rule matched.", labels=("database", "rule_id"))
    for database in stats.databases:
        for rule_id, count in database.rule_hits.items():
            hits.add_metric((database.name, str(rule_id)), count)
        vetoes.add_metric((database.name,), database.vetoes)
        plans.add_metric((database.name,), database.plans)
        learned.add_metric((database.name,), database.learned_writes)
    yield from (hits, vetoes, plans, learned)
    shadow_plans = CounterMetricFamily("dbrouter_shadow_plans", "Plans also made by the shadow rules.", labels=("database",))
    shadow_calls = CounterMetricFamily(
        "dbrouter_shadow_calls", "Calls that the shadow rules would have sent elsewhere.", labels=("database",)
    )
    digests = GaugeMetricFamily(
        "dbrouter_shadow_digests", "Digests that the shadow rules would send elsewhere.", labels=("database",)
    )
    for database in stats.databases:
        shadow_plans.add_metric((database.name,), database.shadow_plans)
        shadow_calls.add_metric((database.name,), database.shadow_calls)
        digests.add_metric((database.name,), database.shadow_digests)
    yield from (shadow_plans, shadow_calls, digests)


def _effects(stats: StatsSnapshot) -> Iterator[Metric]:
    cache, mirror = stats.cache, stats.mirror
    yield GaugeMetricFamily("dbrouter_cache_entries", "Results in the result cache.", value=cache.entries)
    yield GaugeMetricFamily("dbrouter_cache_bytes", "Bytes of results in the result cache, by estimate.", value=cache.size)
    yield GaugeMetricFamily("dbrouter_mirror_running", "Mirrored statements on their way.", value=mirror.running)
    yield GaugeMetricFamily("dbrouter_mirror_waiting", "Mirrored statements in line.", value=mirror.waiting)
    ever = (
        ("cache_hits", "Look-ups that found a fresh result.", cache.hits),
        ("cache_misses", "Look-ups that found none.", cache.misses),
        ("cache_stored", "Results kept.", cache.stored),
        ("cache_refused", "Results too large to keep, or with values that callers could change.", cache.refused),
        ("mirror_sent", "Mirrored statements that were answered, well or not.", mirror.sent),
        ("mirror_failed", "Mirrored statements that failed.", mirror.failed),
        ("mirror_dropped", "Mirrored statements never sent: the queue was full.", mirror.dropped),
    )
    for name, text, count in ever:
        yield CounterMetricFamily(f"dbrouter_{name}", text, value=count)


def _nodes(health: HealthSnapshot) -> Iterator[Metric]:
    usable = GaugeMetricFamily("dbrouter_node_usable", "1 where a node may serve all its hostgroups.", labels=_NODE)
    role = GaugeMetricFamily("dbrouter_node_role", "1 for the role a node has.", labels=(*_NODE, "role"))
    age = GaugeMetricFamily("dbrouter_probe_sample_age_seconds", "Seconds since the last completed probe.", labels=_NODE)
    lag = GaugeMetricFamily("dbrouter_node_lag_seconds", "Seconds a replica is behind, where that is known.", labels=_NODE)
    state = GaugeMetricFamily("dbrouter_breaker_state", "1 for the state a breaker is in.", labels=(*_NODE, "state"))
    refused = CounterMetricFamily("dbrouter_breaker_not_permitted", "Calls an open breaker turned away.", labels=_NODE)
    for node in health.nodes:
        labels = (node.database, node.node)
        usable.add_metric(labels, node.usable)
        for known in Role:
            role.add_metric((*labels, str(known)), node.role == known)
        if node.sample_age is not None:
            age.add_metric(labels, node.sample_age)
        if node.lag is not None:
            lag.add_metric(labels, node.lag)
        for one in BreakerState:
            state.add_metric((*labels, str(one)), node.breaker.state == one)
        refused.add_metric(labels, node.breaker.not_permitted_calls)
    yield from (usable, role, age, lag, state, refused)


def _configuration(config: ConfigHealth | None) -> Iterator[Metric]:
    generation = GaugeMetricFamily("dbrouter_config_generation", "1 after opening, one more with each configuration.")
    age = GaugeMetricFamily("dbrouter_config_age_seconds", "Seconds the configuration has been in force.")
    reloads = CounterMetricFamily("dbrouter_config_reloads", "Reloads that were taken over.")
    rejections = CounterMetricFamily("dbrouter_config_rejections", "Reloads that were rejected.")
    if config is not None:
        generation.add_metric((), config.generation)
        age.add_metric((), config.age)
        reloads.add_metric((), config.reloads)
        rejections.add_metric((), config.rejections)
    yield from (generation, age, reloads, rejections)


def _labels(member: MemberStats) -> tuple[str, str, str]:
    return member.database, member.hostgroup, member.node


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Counter[tuple[str, ...]]) -> CounterMetricFamily:
    counter = CounterMetricFamily(name, text, labels=labels)
    for values, count in sorted(counts.items()):
        counter.add_metric(values, count)
    return counter


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Cumulative buckets, as Prometheus wants them."""
    return list(zip([*(f"{bound:g}" for bound in bounds), "+Inf"], accumulate(counts), strict=True))
