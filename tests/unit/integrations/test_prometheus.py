"""The Prometheus exposition: read back by the client library's own parser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from dbrouter.events import (
    BreakerChanged,
    ConnectionFailed,
    LoopBlocked,
    NodeShunned,
    StatementKilled,
    StatementRerouted,
    TaskFailed,
)
from dbrouter.integrations.prometheus import PrometheusCollector, exposition
from dbrouter.router.report import ConfigHealth
from dbrouter.terms import BreakerState, EventLevel, ShunReason
from tests.unit.integrations.reports import ONE_DOWN, STATS, WELL, ReportingRouter


def scraped(router: ReportingRouter) -> dict[str, Metric]:
    """What a scrape of a new collector gives, by family."""
    text, _ = exposition(router)()
    return parsed(text)


def parsed(text: bytes) -> dict[str, Metric]:
    """The families of an exposition."""
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def value(families: Mapping[str, Metric], sample: str, **labels: str) -> float:
    """The one sample of that name whose labels include *labels*."""
    found = [
        one.value
        for family in families.values()
        for one in family.samples
        if one.name == sample and labels.items() <= one.labels.items()
    ]
    assert len(found) == 1, f"{sample} {labels}: {found}"
    return found[0]


def test_pools_nodes_and_breakers_are_read_at_the_scrape() -> None:
    """The numbers are those of the router at that moment."""
    families = scraped(ReportingRouter(ONE_DOWN))

    place = {"database": "shop", "hostgroup": "read", "node": "db3:5432"}
    assert value(families, "dbrouter_pool_size", **place) == 4
    assert value(families, "dbrouter_pool_idle", **place) == 1
    assert value(families, "dbrouter_pool_in_use", **place) == 2
    assert value(families, "dbrouter_pool_waiting", **place) == 4
    assert value(families, "dbrouter_pool_max", **place) == 10
    assert value(families, "dbrouter_pool_waits_total", **place) == 5
    assert value(families, "dbrouter_pool_timeouts_total", **place) == 1
    assert value(families, "dbrouter_pool_connects_total", **place) == 4
    assert value(families, "dbrouter_pool_connect_failures_total", **place) == 2
    assert value(families, "dbrouter_pool_closed_total", why="idle", **place) == 2
    assert value(families, "dbrouter_query_failures_total", **place) == 2
    assert value(families, "dbrouter_retries_total", hostgroup="read") == 4
    assert value(families, "dbrouter_vetoes_total", database="shop") == 3
    assert value(families, "dbrouter_rule_hits_total", database="shop", rule_id="10") == 4
    assert value(families, "dbrouter_node_usable", node="db2:5432") == 0
    assert value(families, "dbrouter_node_usable", node="db1:5432") == 1
    assert value(families, "dbrouter_node_role", node="db1:5432", role="primary") == 1
    assert value(families, "dbrouter_node_role", node="db1:5432", role="replica") == 0
    assert value(families, "dbrouter_probe_sample_age_seconds", node="db2:5432") == 0.25
    assert value(families, "dbrouter_breaker_state", node="db2:5432", state="OPEN") == 1
    assert value(families, "dbrouter_breaker_state", node="db2:5432", state="CLOSED") == 0
    assert value(families, "dbrouter_breaker_not_permitted_total", node="db2:5432") == 7


def test_lag_is_told_only_where_it_is_known() -> None:
    """An unknown lag is no zero."""
    lags = {sample.labels["node"]: sample.value for sample in scraped(ReportingRouter())["dbrouter_node_lag_seconds"].samples}

    assert lags == {"db2:5432": 0.125}


def test_histograms_are_cumulative() -> None:
    """Buckets add up to the count, as Prometheus reads them."""
    families = scraped(ReportingRouter())

    reads = {"hostgroup": "read", "node": "db2:5432", "intent": "read"}
    assert value(families, "dbrouter_query_seconds_bucket", le="0.001", **reads) == 1
    assert value(families, "dbrouter_query_seconds_bucket", le="0.01", **reads) == 2
    assert value(families, "dbrouter_query_seconds_bucket", le="+Inf", **reads) == 3
    assert value(families, "dbrouter_query_seconds_count", **reads) == 3
    assert value(families, "dbrouter_query_seconds_sum", **reads) == 0.5
    waits = {"hostgroup": "read", "node": "db2:5432"}
    assert value(families, "dbrouter_acquire_wait_seconds_count", **waits) == 100
    assert value(families, "dbrouter_acquire_wait_seconds_bucket", le="0.001", **waits) == 97


def test_what_no_snapshot_keeps_is_counted_from_events() -> None:
    """Transitions, shuns, reroutes, connection errors and kills."""
    router = ReportingRouter()
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(router))

    for _ in range(2):
        router.events.emit(BreakerChanged(node="db2:5432", old=BreakerState.CLOSED, new=BreakerState.OPEN, why="x"))
    router.events.emit(BreakerChanged(node="db2:5432", old=BreakerState.OPEN, new=BreakerState.CLOSED, why="x"))
    router.events.emit(NodeShunned(node="db2:5432", reason=ShunReason.FROZEN, detail="x"))
    router.events.emit(StatementRerouted(database="shop", node="db2:5432", digest=1, digest_text="f(?)", code="25006"))
    router.events.emit(ConnectionFailed(hostgroup="read", node="db2:5432", code="28P01", cause="x", failures=1, retry_in=1.0))
    router.events.emit(StatementKilled(node="db2:5432", server_id="7", ok=True, detail=""))
    router.events.emit(StatementKilled(node="db2:5432", server_id="8", ok=False, detail="another server"))
    router.events.emit(LoopBlocked(seconds=1.5))
    router.events.emit(TaskFailed(task="probe db2:5432", cause="x"))
    families = parsed(generate_latest(registry))

    assert value(families, "dbrouter_breaker_transitions_total", node="db2:5432", state="OPEN") == 2
    assert value(families, "dbrouter_breaker_transitions_total", node="db2:5432", state="CLOSED") == 1
    assert value(families, "dbrouter_node_shuns_total", reason="frozen") == 1
    assert value(families, "dbrouter_reroutes_total", database="shop") == 1
    assert value(families, "dbrouter_connection_errors_total", code="28P01") == 1
    assert value(families, "dbrouter_kills_total", outcome="ok") == 1
    assert value(families, "dbrouter_kills_total", outcome="failed") == 1
    assert value(families, "dbrouter_loop_blocked_seconds_total") == 1.5
    assert value(families, "dbrouter_task_failures_total") == 1
    assert router.events.failures == 0


def test_it_asks_for_no_event_per_query() -> None:
    """A collector leaves the query path as it is."""
    router = ReportingRouter()

    collector = PrometheusCollector(router)

    assert collector.level is EventLevel.INFO
    assert not router.events.listening_debug


def test_registering_scrapes_nothing() -> None:
    """A registry may be filled before the router has anything to tell."""

    class Untouchable(ReportingRouter):
        def stats(self) -> object:  # type: ignore[override]
            raise AssertionError("scraped while registering")

    CollectorRegistry().register(PrometheusCollector(Untouchable()))


def test_names_carry_units_and_labels_are_few() -> None:
    """Every name begins with dbrouter_; labels come from a closed set, so their number is bounded by the configuration."""
    families = scraped(ReportingRouter(ONE_DOWN))

    allowed = {"database", "hostgroup", "node", "intent", "le", "role", "rule_id", "state", "why", "reason", "code", "outcome"}
    for family in families.values():
        assert re.fullmatch(r"dbrouter_[a-z_]+", family.name)
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= allowed, sample
    assert len(STATS.members) == len(families["dbrouter_pool_size"].samples)


def test_the_configuration_and_the_shadow_rules_are_counted() -> None:
    """Generation and age are gauges, reloads and rejections counters; differing calls are counted by database."""
    config = ConfigHealth(generation=3, age=60.0, reloads=2, rejections=1, rejected_for=None, problems=())
    counted = replace(STATS.databases[0], shadow_plans=7, shadow_digests=2, shadow_calls=11)

    families = scraped(ReportingRouter(replace(WELL, config=config), replace(STATS, databases=(counted,))))

    assert value(families, "dbrouter_config_generation") == 3
    assert value(families, "dbrouter_config_age_seconds") == 60
    assert value(families, "dbrouter_config_reloads_total") == 2
    assert value(families, "dbrouter_config_rejections_total") == 1
    assert value(families, "dbrouter_shadow_plans_total", database="shop") == 7
    assert value(families, "dbrouter_shadow_digests", database="shop") == 2
    assert value(families, "dbrouter_shadow_calls_total", database="shop") == 11
