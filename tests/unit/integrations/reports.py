"""Health and statistics as a router would report them, built by hand, and a router that reports them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dbrouter.events import EventHub, Observer
from dbrouter.pool.stats import WAIT_BOUNDS, PoolSnapshot
from dbrouter.resilience.breaker import BreakerSnapshot
from dbrouter.router.report import (
    DatabaseHealth,
    DatabaseStats,
    Durations,
    HealthSnapshot,
    HostgroupStats,
    MemberStats,
    NodeHealth,
    StatsSnapshot,
)
from dbrouter.router.shadow import ShadowReport
from dbrouter.terms import BreakerState

SECRET = 'InvalidPasswordError: password authentication failed for user "app" on postgresql://app:hunter2@db2/shop'

CLOSED = BreakerSnapshot(
    state=BreakerState.CLOSED,
    seconds=0.0,
    why="",
    retry_after=None,
    failure_rate=-1.0,
    slow_call_rate=-1.0,
    failure_rate_threshold=50.0,
    slow_call_rate_threshold=None,
    buffered_calls=3,
    failed_calls=0,
    slow_calls=0,
    not_permitted_calls=0,
    opened=0,
)
OPEN = replace(
    CLOSED,
    state=BreakerState.OPEN,
    seconds=2.0,
    why=f"a probe failed: {SECRET}",
    retry_after=0.4567,
    failure_rate=52.0,
    failed_calls=13,
    buffered_calls=25,
    not_permitted_calls=7,
    opened=1,
)


def node(name: str, **changes: Any) -> NodeHealth:
    """A replica that is well."""
    values: dict[str, Any] = {
        "node": name,
        "database": "shop",
        "role": "replica",
        "status": "pass",
        "usable": True,
        "shunned": None,
        "shunned_for": None,
        "sample_age": 0.25,
        "server_version": "18.0",
        "hostgroups": ("read",),
        "breaker": CLOSED,
    }
    return NodeHealth(**(values | changes))


def database(**changes: Any) -> DatabaseHealth:
    """A database that is well."""
    values: dict[str, Any] = {
        "name": "shop",
        "engine": "postgresql",
        "status": "pass",
        "writer": True,
        "reads": True,
        "all": True,
    }
    return DatabaseHealth(**(values | changes))


WELL = HealthSnapshot(
    status="pass",
    databases=(database(),),
    nodes=(node("db1:5432", role="primary", hostgroups=("write",)), node("db2:5432", lag=0.125), node("db3:5432")),
)

ONE_DOWN = HealthSnapshot(
    status="warn",
    databases=(database(status="warn", all=False),),
    nodes=(
        WELL.nodes[0],
        node(
            "db2:5432",
            status="fail",
            usable=False,
            shunned=f"dead: {SECRET}",
            shunned_for=2.5,
            breaker=OPEN,
            why_not=f"shunned: dead ({SECRET})",
        ),
        node("db3:5432"),
    ),
)

ALL_DOWN = HealthSnapshot(
    status="fail",
    databases=(database(status="fail", writer=False, reads=False, all=False),),
    nodes=tuple(
        replace(one, status="fail", usable=False, shunned="frozen: no answer within 0.5s", shunned_for=1.0) for one in WELL.nodes
    ),
)

ENDED = replace(ALL_DOWN, nodes=WELL.nodes, closed=True, why="the router is closed")


def pool(hostgroup: str, name: str, **changes: Any) -> PoolSnapshot:
    """A pool with two connections in use and one idle."""
    values: dict[str, Any] = {
        "name": f"{hostgroup}/{name}",
        "node": name,
        "hostgroup": hostgroup,
        "size": 4,
        "idle": 1,
        "in_use": 2,
        "connecting": 1,
        "settling": 0,
        "closing": 0,
        "waiting": 0,
        "min_size": 1,
        "max_size": 10,
        "acquires": 100,
        "waits": 5,
        "wait_seconds_total": 0.5,
        "wait_buckets": (97, 1, 1, *[0] * (len(WAIT_BOUNDS) - 3), 1),
        "timeouts": 1,
        "refused": 0,
        "connects": 4,
        "connect_failures": 2,
        "connect_seconds_total": 0.04,
        "last_connect_failure": SECRET,
        "closed": {"broken": 1, "idle": 2},
        "leaks": 0,
        "interrupted": 3,
    }
    return PoolSnapshot(**(values | changes))


def member(hostgroup: str, name: str, **changes: Any) -> MemberStats:
    """A node of a hostgroup that has served three reads and one write."""
    values: dict[str, Any] = {
        "node": name,
        "database": "shop",
        "hostgroup": hostgroup,
        "reads": Durations(bounds=(0.001, 0.01), counts=(1, 1, 1), total=0.5),
        "writes": Durations(bounds=(0.001, 0.01), counts=(0, 1, 0), total=0.005),
        "failures": 2,
        "latency": 0.002,
        "pool": pool(hostgroup, name),
    }
    return MemberStats(**(values | changes))


STATS = StatsSnapshot(
    databases=(DatabaseStats(name="shop", plans=12, vetoes=3, learned_writes=1, rule_hits={10: 4}),),
    hostgroups=(
        HostgroupStats(id=1, name="write", database="shop", calls=10, retries=1, usable=1, members=1),
        HostgroupStats(id=2, name="read", database="shop", calls=90, retries=4, usable=1, members=2),
    ),
    members=(
        member("write", "db1:5432"),
        member("read", "db2:5432"),
        member("read", "db3:5432", pool=pool("read", "db3:5432", waiting=4)),
    ),
)


class ReportingRouter:
    """Reports what it is given; hands events to whoever observes."""

    def __init__(self, health: HealthSnapshot = WELL, stats: StatsSnapshot = STATS) -> None:
        self.reported = health
        self.counted = stats
        self.shadow: ShadowReport | None = None
        self.events = EventHub()

    def health(self) -> HealthSnapshot:
        """What was given."""
        return self.reported

    def stats(self) -> StatsSnapshot:
        """What was given."""
        return self.counted

    def shadow_report(self) -> ShadowReport | None:
        """What was given."""
        return self.shadow

    def observe(self, observer: Observer) -> None:
        """Hand events of `events` to *observer*."""
        self.events.add(observer)
