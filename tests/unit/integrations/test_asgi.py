"""Health endpoints: what each answers, mounted anywhere, and what none of them ever says."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

import pytest

from dbrouter.integrations.asgi import HealthEndpoints, health_app
from dbrouter.router.report import ConfigHealth
from dbrouter.router.shadow import ShadowDatabase, ShadowDifference, ShadowReport
from tests.unit.integrations.asking import ask
from tests.unit.integrations.reports import ALL_DOWN, ENDED, ONE_DOWN, WELL, ReportingRouter, database, node

ENDPOINTS = ("/livez", "/readyz", "/health", "/breakers", "/shadow", "/metrics")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("health", [WELL, ONE_DOWN, ALL_DOWN], ids=["well", "one-down", "all-down"])
async def test_no_endpoint_says_anything_secret(path: str, health: Any) -> None:
    """Neither a DSN nor a user nor a server's own words are told, whatever a probe has heard."""
    answer = await ask(health_app(ReportingRouter(health)), path)

    for secret in (b"hunter2", b"authentication", b"://", b'"app"', b'\\"app'):
        assert secret not in answer.body


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_head_answers_as_get_without_a_body(path: str) -> None:
    """HEAD has the status and the length of GET."""
    app = health_app(ReportingRouter())

    get, head = await ask(app, path), await ask(app, path, method="HEAD")

    assert (head.status, head.headers["content-type"]) == (get.status, get.headers["content-type"])
    assert head.body == b""
    assert get.headers["content-length"] == str(len(get.body))
    assert get.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*ENDPOINTS, "/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_frameworks_without_asgi_get_the_same_answers(method: str, path: str) -> None:
    """Status, header fields and type of `HealthEndpoints.answer` are those that the application sends."""
    router = ReportingRouter()

    sent, answer = await ask(health_app(router), path, method=method), HealthEndpoints(router).answer(method, path)

    assert (answer.status, answer.headers.keys()) == (sent.status, sent.headers.keys())
    assert answer.headers["content-length"] == str(len(answer.body))
    with pytest.raises(ValueError, match="never-fail"):
        HealthEndpoints(router, ready="maybe")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(method: str) -> None:
    """405 names what is allowed."""
    answer = await ask(health_app(ReportingRouter()), "/health", method=method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "", "/healthz", "/livez/x", "/foo/livez"])
async def test_an_unknown_path_lists_the_endpoints(path: str) -> None:
    """404 says what there is."""
    answer = await ask(health_app(ReportingRouter()), path)

    assert answer.status == 404
    assert answer.json["endpoints"] == list(ENDPOINTS)


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        ("/livez", ""),
        ("/livez/", ""),
        ("/internal/livez", "/internal"),  # the mount point stays in the path
        ("/livez", "/internal"),  # it was taken away
        ("/api/internal/livez", "/api/internal"),
        ("/internal/livez", "/api/internal"),  # a proxy stripped the first part
        ("/livez", "/livez-app"),
    ],
)
async def test_it_works_under_any_mount(path: str, root_path: str) -> None:
    """Frameworks differ in what they leave in the path; all of them find the endpoint."""
    assert (await ask(health_app(ReportingRouter()), path, root_path=root_path)).status == 200


async def test_livez_needs_no_database() -> None:
    """Liveness is the event loop's, not the databases'."""
    for health in (ALL_DOWN, ENDED):
        assert (await ask(health_app(ReportingRouter(health)), "/livez")).status == 200


NO_WRITER = replace(WELL, status="warn", databases=(database(status="warn", writer=False, all=False),))


@pytest.mark.parametrize(
    ("policy", "health", "status"),
    [
        ("any", WELL, 200),
        ("any", ONE_DOWN, 200),
        ("any", NO_WRITER, 200),
        ("any", ALL_DOWN, 503),
        ("writer", ONE_DOWN, 200),
        ("writer", NO_WRITER, 503),
        ("all", WELL, 200),
        ("all", ONE_DOWN, 503),
        ("never-fail", ALL_DOWN, 200),
    ],
)
async def test_readiness_follows_its_policy(policy: str, health: Any, status: int) -> None:
    """One open breaker with another usable node never takes a service out of rotation by default."""
    answer = await ask(health_app(ReportingRouter(health), ready=policy), "/readyz")

    assert answer.status == status
    assert answer.json["policy"] == policy
    assert answer.json["status"] == ("pass" if status == 200 else "fail")
    assert answer.json["databases"]["shop"]["ready"] is (status == 200)


async def test_readyz_says_which_nodes_are_out_and_why() -> None:
    """The body explains without the server's own words."""
    answer = await ask(health_app(ReportingRouter(ONE_DOWN)), "/readyz")

    assert answer.json["databases"]["shop"]["why"] == ["db2:5432: shunned, dead: InvalidPasswordError"]


@pytest.mark.parametrize("why", ["breaker open", "wrong role: replica, not primary", "draining"])
async def test_readyz_tells_reasons_of_our_own_in_full(why: str) -> None:
    """What dbrouter decided by itself holds no secret."""
    health = replace(WELL, nodes=(node("db2:5432", status="fail", usable=False, why_not=why),))

    answer = await ask(health_app(ReportingRouter(health)), "/readyz")

    assert answer.json["databases"]["shop"]["why"] == [f"db2:5432: {why}"]


async def test_two_databases_are_ready_one_by_one() -> None:
    """One database that can serve nothing makes the service unready, and the body says which it is."""
    second = database(name="catalog", engine="mysql", status="fail", writer=False, reads=False, all=False)
    health = replace(WELL, status="fail", databases=(*WELL.databases, second))

    answer = await ask(health_app(ReportingRouter(health)), "/readyz")

    assert answer.status == 503
    assert {name: entry["ready"] for name, entry in answer.json["databases"].items()} == {"shop": True, "catalog": False}


async def test_a_closed_router_is_not_ready_under_any_policy() -> None:
    """A service that shuts down gets no more traffic."""
    router = ReportingRouter(ENDED)

    readyz = await ask(health_app(router, ready="never-fail"), "/readyz")
    health = await ask(health_app(router), "/health")

    assert (readyz.status, health.status) == (503, 503)
    assert [database["ready"] for database in readyz.json["databases"].values()] == [False]
    assert health.json["status"] == "fail"
    assert readyz.json["why"] == health.json["output"] == "the router is closed"


def test_an_unknown_policy_is_refused_at_once() -> None:
    """A misspelt policy is found when the application is made, not at the first probe."""
    with pytest.raises(ValueError, match="use any, writer, all, never-fail"):
        health_app(ReportingRouter(), ready="sometimes")


@pytest.mark.parametrize(("health", "status", "word"), [(WELL, 200, "pass"), (ONE_DOWN, 200, "warn"), (ALL_DOWN, 503, "fail")])
async def test_health_is_the_health_check_format(health: Any, status: int, word: str) -> None:
    """`application/health+json` with status and checks keyed `node:measurement`."""
    answer = await ask(health_app(ReportingRouter(health)), "/health")

    assert answer.status == status
    assert answer.headers["content-type"] == "application/health+json"
    assert answer.json["status"] == word
    assert set(answer.json["checks"]) == {
        f"db{number}:5432:{measurement}" for number in (1, 2, 3) for measurement in ("role", "breaker", "pool")
    }
    for entries in answer.json["checks"].values():
        for entry in entries:
            assert entry["componentType"] == "datastore"
            assert entry["status"] in ("pass", "warn", "fail")
            assert "observedValue" in entry


async def test_health_tells_roles_breakers_and_pools() -> None:
    """Each node's role with the age of its sample, its breaker's story, its pools' numbers."""
    checks = (await ask(health_app(ReportingRouter(ONE_DOWN)), "/health")).json["checks"]

    (role,) = checks["db2:5432:role"]
    assert (role["observedValue"], role["status"], role["age"], role["shunnedFor"]) == ("replica", "fail", 0.25, 2.5)
    assert role["output"] == "shunned, dead: InvalidPasswordError"
    (breaker,) = checks["db2:5432:breaker"]
    assert (breaker["observedValue"], breaker["status"], breaker["retryAfter"]) == ("OPEN", "fail", 0.457)
    assert breaker["why"] == "a probe failed: InvalidPasswordError"
    assert breaker["since"] < breaker["time"]
    (pool,) = checks["db3:5432:pool"]
    assert (pool["observedValue"], pool["observedUnit"], pool["status"]) == (2, "connections in use", "warn")
    assert (pool["size"], pool["idle"], pool["waiting"], pool["max"]) == (4, 1, 4, 10)


async def test_a_node_that_was_never_probed_has_no_age() -> None:
    """What was never sampled says so instead of giving a moment."""
    health = replace(
        WELL, nodes=(node("db9:5432", status="fail", usable=False, sample_age=None, role="unknown", why_not="not probed yet"),)
    )

    (role,) = (await ask(health_app(ReportingRouter(health)), "/health")).json["checks"]["db9:5432:role"]

    assert "age" not in role
    assert "time" not in role
    assert role["output"] == "not probed yet"


async def test_breakers_have_the_actuators_shape() -> None:
    """Dashboards made for Resilience4j find their fields."""
    answer = await ask(health_app(ReportingRouter(ONE_DOWN)), "/breakers")

    breakers = answer.json["circuitBreakers"]
    assert breakers["db1:5432"] == {
        "failureRate": "-1.0%",
        "slowCallRate": "-1.0%",
        "failureRateThreshold": "50.0%",
        "bufferedCalls": 3,
        "failedCalls": 0,
        "slowCalls": 0,
        "notPermittedCalls": 0,
        "state": "CLOSED",
    }
    opened = breakers["db2:5432"]
    assert (opened["state"], opened["failureRate"], opened["failedCalls"], opened["notPermittedCalls"]) == (
        "OPEN",
        "52.0%",
        13,
        7,
    )
    assert opened["retryAfter"] == 0.457


async def test_a_server_of_two_databases_has_two_breakers() -> None:
    """Where a node's name is not enough, its database stands before it; in /health both are entries of one check."""
    health = replace(WELL, nodes=(node("db1:5432"), node("db1:5432", database="catalog"), node("db2:5432")))
    app = health_app(ReportingRouter(health))

    breakers = (await ask(app, "/breakers")).json["circuitBreakers"]
    checks = (await ask(app, "/health")).json["checks"]

    assert set(breakers) == {"shop/db1:5432", "catalog/db1:5432", "db2:5432"}
    assert [entry["database"] for entry in checks["db1:5432:role"]] == ["shop", "catalog"]


async def test_metrics_are_prometheus_text() -> None:
    """/metrics has the exposition of this router alone."""
    answer = await ask(health_app(ReportingRouter()), "/metrics")

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b'dbrouter_pool_in_use{database="shop",hostgroup="read",node="db2:5432"} 2.0' in answer.body


async def test_metrics_without_the_extra_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else works without prometheus_client; /metrics says what is missing."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "dbrouter.integrations.prometheus", raising=False)
    app = health_app(ReportingRouter())

    metrics, health = await ask(app, "/metrics"), await ask(app, "/health")

    assert (metrics.status, health.status) == (404, 200)
    assert "dbrouter[prometheus]" in metrics.json["error"]


async def test_it_lives_and_dies_with_its_server() -> None:
    """A server that runs it alone gets both answers of the lifespan protocol."""
    incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    for kind in ("lifespan.startup", "lifespan.shutdown"):
        incoming.put_nowait({"type": kind})
    sent: list[str] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    await health_app(ReportingRouter())({"type": "lifespan"}, incoming.get, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_closed() -> None:
    """Nobody is left hanging on a protocol that is not spoken here."""
    sent: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    await health_app(ReportingRouter())({"type": "websocket", "path": "/livez"}, receive, send)

    assert sent == ["websocket.close"]


async def test_health_tells_which_configuration_is_in_force() -> None:
    """Generation and age, and that a reload was rejected, but no word of what was wrong in which file."""
    config = ConfigHealth(generation=3, age=60.0, reloads=2, rejections=1, rejected_for=5.0, problems=("/etc/app.yaml: x: y",))

    answer = await ask(health_app(ReportingRouter(replace(WELL, config=config))), "/health")

    told = answer.json["configuration"]
    assert (told["generation"], told["age"], told["rejected"]["problems"]) == (3, 60.0, 1)
    assert told["since"] < told["rejected"]["time"]
    assert "app.yaml" not in answer.body.decode()


async def test_shadow_tells_what_would_change_without_a_word_of_sql() -> None:
    """Digests by their hash, with both destinations and the calls; 404 where there are no shadow rules."""
    router = ReportingRouter()
    assert (await ask(health_app(router), "/shadow")).status == 404
    difference = ShadowDifference(
        digest=255,
        digest_text="SELECT secret",
        live="read",
        candidate="write",
        live_rule_id=None,
        candidate_rule_id=7,
        plans=1,
        calls=9,
    )
    database = ShadowDatabase(name="shop", plans=5, differing_plans=1, more=0, errors=0, differences=(difference,))
    router.shadow = ShadowReport(file="/etc/candidate.yaml", databases=(database,))

    answer = await ask(health_app(router), "/shadow")

    assert answer.status == 200
    told = answer.json["databases"]["shop"]
    assert (told["plans"], told["differingPlans"], told["differingCalls"]) == (5, 1, 9)
    assert told["differences"][0] == {
        "digest": "0x00000000000000FF",
        "live": "read",
        "candidate": "write",
        "liveRule": None,
        "candidateRule": 7,
        "plans": 1,
        "calls": 9,
    }
    assert "SELECT" not in answer.body.decode() and "candidate.yaml" not in answer.body.decode()
