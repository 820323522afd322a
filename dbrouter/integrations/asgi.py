"""
Health endpoints: a plain ASGI application that any framework can mount, or a server run by itself.

``/livez``, ``/readyz``, ``/health``, ``/breakers``, ``/shadow`` and ``/metrics`` answer from what the probes and the pools
already know. Nothing here does I/O or waits, so every answer comes at once, whatever the servers do, and says how old its sample
is. Nothing secret is told: no DSN, no user, no SQL; of a driver's error only its class or code.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from dbrouter.events import Observer
from dbrouter.resilience.breaker import BreakerSnapshot
from dbrouter.router.report import ConfigHealth, DatabaseHealth, HealthSnapshot, NodeHealth, StatsSnapshot
from dbrouter.router.shadow import ShadowDatabase, ShadowReport

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICIES = ("any", "writer", "all", "never-fail")

_CODE = re.compile(r"[A-Za-z0-9_.]+")
_OWN_WORDS = re.compile(r"no answer within [0-9.e-]+s")
_EXTRA = "metrics need an extra: pip install 'dbrouter[prometheus]'"


class Reporting(Protocol):
    """What is asked of a router."""

    def health(self) -> HealthSnapshot:
        """Its health now, without I/O."""
        ...

    def stats(self) -> StatsSnapshot:
        """Its counters now, without I/O."""
        ...

    def shadow_report(self) -> ShadowReport | None:
        """What its shadow rules would change, without I/O; None where it has none."""
        ...

    def observe(self, observer: Observer) -> None:
        """Hand it events."""
        ...


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """An answer of the health endpoints: status, header fields, body."""

    status: int
    body: bytes
    content_type: str

    @property
    def headers(self) -> dict[str, str]:
        """The header fields, names in lower case; the content's length is what the body has, also for HEAD."""
        fields = {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return fields | {"allow": "GET, HEAD"} if self.status == 405 else fields


def health_app(router: Reporting, *, ready: str = "any") -> App:
    """
    The ASGI application with the health endpoints of *router*.

    Args:
        router: an open `Router`; the application neither opens nor closes it.
        ready: when ``/readyz`` says 200: ``any`` (every database can serve something), ``writer`` (every database has a usable
            primary), ``all`` (every node is usable) or ``never-fail``. A closed router is never ready.

    Raises:
        ValueError: *ready* is none of these.
    """
    endpoints = HealthEndpoints(router, ready=ready)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await _respond(endpoints, scope, send)
            case "lifespan":
                await _live(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})

    return app


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _respond(endpoints: HealthEndpoints, scope: Scope, send: Send) -> None:
    method = scope["method"]
    answer = endpoints.answer(method, _route(scope["path"], scope.get("root_path", "")))
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


def _route(path: str, root: str) -> str:
    """
    What of *path* is ours, as ``/livez``.

    Frameworks differ: some leave the mount point in the path and name it in ``root_path``, some take it away, and behind a proxy
    that strips a prefix only the later part of ``root_path`` is in the path. So the longest end of *root* that *path* starts with
    is taken off.
    """
    parts = [part for part in root.split("/") if part]
    for start in range(len(parts)):
        prefix = "/" + "/".join(parts[start:])
        if path == prefix or path.startswith(prefix + "/"):
            path = path[len(prefix) :]
            break
    return "/" + path.strip("/")


class HealthEndpoints:
    """
    The answers themselves, each by a plain function of the router's snapshots, for frameworks that do not speak ASGI.

    Args:
        router: an open `Router`.
        ready: as in `health_app`.

    Raises:
        ValueError: *ready* is no policy.
    """

    def __init__(self, router: Reporting, *, ready: str = "any") -> None:
        if ready not in POLICIES:
            raise ValueError(f"unknown readiness policy {ready!r}; use {', '.join(POLICIES)}")
        self._router = router
        self._ready = ready
        self._metrics = _metrics_of(router)
        self._by_path: dict[str, Callable[[], HealthAnswer]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/health": self._health,
            "/breakers": self._breakers,
            "/shadow": self._shadow,
            "/metrics": self._metrics_text,
        }

    def answer(self, method: str, path: str) -> HealthAnswer:
        """
        What *method* on *path* gets, at once and without I/O; call it in the thread of the router's event loop.

        Args:
            method: ``GET`` or ``HEAD``; another one is answered by 405. Leave the body out of the response to ``HEAD``.
            path: ``/livez``, ``/readyz``, …, without the mount point; another one is answered by 404.
        """
        endpoint = self._by_path.get(path)
        if endpoint is None:
            return _json(404, {"error": "not found", "endpoints": list(self._by_path)})
        if method not in ("GET", "HEAD"):
            return _json(405, {"error": f"{method} is not allowed; use GET or HEAD"})
        return endpoint()

    def _livez(self) -> HealthAnswer:
        return _json(200, {"status": "pass"})

    def _readyz(self) -> HealthAnswer:
        health = self._router.health()
        ready = health.ready(self._ready)
        body: dict[str, Any] = {"status": "pass" if ready else "fail", "policy": self._ready}
        if health.why is not None:
            body["why"] = health.why
        body["databases"] = {database.name: _readiness(database, health, self._ready) for database in health.databases}
        return _json(200 if ready else 503, body)

    def _health(self) -> HealthAnswer:
        now = datetime.now(UTC)
        health = self._router.health()
        body = {
            "status": health.status,
            "description": "database routing",
            "databases": {
                database.name: {
                    "engine": database.engine,
                    "status": database.status,
                    "writer": database.writer,
                    "reads": database.reads,
                }
                for database in health.databases
            },
            "checks": _checks(health, self._router.stats(), now),
        }
        if health.config is not None:
            body["configuration"] = _configuration(health.config, now)
        if health.why is not None:
            body["output"] = health.why
        return _json(503 if health.status == "fail" else 200, body, "application/health+json")

    def _breakers(self) -> HealthAnswer:
        now = datetime.now(UTC)
        health = self._router.health()
        times = Counter(node.node for node in health.nodes)
        return _json(
            200,
            {
                "circuitBreakers": {
                    node.node if times[node.node] == 1 else f"{node.database}/{node.node}": _breaker_details(node.breaker, now)
                    for node in health.nodes
                }
            },
        )

    def _shadow(self) -> HealthAnswer:
        report = self._router.shadow_report()
        if report is None:
            return _json(404, {"error": "the configuration has no shadow_rules"})
        return _json(200, {"databases": {database.name: _shadow_database(database) for database in report.databases}})

    def _metrics_text(self) -> HealthAnswer:
        if self._metrics is None:
            return _json(404, {"error": _EXTRA})
        body, content_type = self._metrics()
        return HealthAnswer(200, body, content_type)


def _metrics_of(router: Reporting) -> Callable[[], tuple[bytes, str]] | None:
    try:
        from dbrouter.integrations.prometheus import exposition
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("prometheus_client"):
            raise
        return None
    return exposition(router)


def _json(status: int, body: Any, content_type: str = "application/json") -> HealthAnswer:
    return HealthAnswer(status, json.dumps(body, separators=(",", ":")).encode(), content_type)


def _configuration(config: ConfigHealth, now: datetime) -> dict[str, Any]:
    """Which configuration is in force; of a rejected one only when and how much, for problems quote files."""
    told: dict[str, Any] = {"generation": config.generation, "since": _stamp(now, config.age), "age": round(config.age, 3)}
    if config.rejected_for is not None:
        told["rejected"] = {"time": _stamp(now, config.rejected_for), "problems": len(config.problems)}
    return told


def _shadow_database(database: ShadowDatabase) -> dict[str, Any]:
    """Digests by their hash: `Router.shadow_report` has the texts."""
    return {
        "plans": database.plans,
        "differingPlans": database.differing_plans,
        "differingCalls": database.calls,
        "notListed": database.more,
        "differences": [
            {
                "digest": f"0x{one.digest:016X}",
                "live": one.live,
                "candidate": one.candidate,
                "liveRule": one.live_rule_id,
                "candidateRule": one.candidate_rule_id,
                "plans": one.plans,
                "calls": one.calls,
            }
            for one in database.differences
        ],
    }


def _readiness(database: DatabaseHealth, health: HealthSnapshot, policy: str) -> dict[str, Any]:
    ready = HealthSnapshot(status=database.status, databases=(database,), nodes=(), closed=health.closed).ready(policy)
    why = [f"{node.node}: {_why_not(node)}" for node in health.nodes if node.database == database.name and not node.usable]
    return {"ready": ready, "writer": database.writer, "reads": database.reads, "all": database.all, "why": why}


def _why_not(node: NodeHealth) -> str:
    """Why *node* is not (wholly) usable, without a word of what its server said."""
    if node.shunned is not None:
        return f"shunned, {_safe(node.shunned)}"
    return node.why_not or "not usable"


def _safe(text: str) -> str:
    """
    *text* without what a server said: ``a probe failed: InvalidPasswordError: password authentication …`` ends after the class.

    What stands behind the first colon comes from a driver and may name users and databases; its first word is a class or a code.
    """
    head, colon, rest = text.partition(": ")
    if not colon:
        return text
    found = _OWN_WORDS.match(rest) or _CODE.match(rest)
    return f"{head}: {found[0]}" if found else head


def _checks(health: HealthSnapshot, stats: StatsSnapshot, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """
    ``node:measurement`` → entries, as draft-inadarei-api-health-check has it.

    A list has several entries where two databases name the same server, and where it stands in two hostgroups (pools).
    """
    checks: dict[str, list[dict[str, Any]]] = {}
    for node in health.nodes:
        for measurement, entry in _node_checks(node, now):
            checks.setdefault(f"{node.node}:{measurement}", []).append(entry)
    for member in stats.members:
        pool = member.pool
        waiting = pool.waiting > 0
        checks.setdefault(f"{member.node}:pool", []).append(
            {
                "componentType": "datastore",
                "componentId": f"{member.hostgroup}/{member.node}",
                "database": member.database,
                "hostgroup": member.hostgroup,
                "observedValue": pool.in_use,
                "observedUnit": "connections in use",
                "status": "warn" if waiting else "pass",
                "time": _stamp(now),
                "size": pool.size,
                "idle": pool.idle,
                "waiting": pool.waiting,
                "max": pool.max_size,
            }
        )
    return checks


def _node_checks(node: NodeHealth, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    common = {"componentType": "datastore", "componentId": f"{node.database}/{node.node}", "database": node.database}
    sampled = {} if node.sample_age is None else {"time": _stamp(now, node.sample_age), "age": round(node.sample_age, 3)}
    role: dict[str, Any] = {**common, "observedValue": node.role, "status": node.status, **sampled}
    role["hostgroups"] = list(node.hostgroups)
    if node.status != "pass":
        role["output"] = _why_not(node)
    if node.shunned_for is not None:
        role["shunnedFor"] = round(node.shunned_for, 3)
    yield "role", role
    breaker = node.breaker
    entry: dict[str, Any] = {
        **common,
        "observedValue": str(breaker.state),
        "status": "pass" if breaker.state in ("CLOSED", "DISABLED") else "fail" if breaker.state != "HALF_OPEN" else "warn",
        "time": _stamp(now),
        **_breaker_story(breaker, now),
    }
    yield "breaker", entry


def _breaker_story(breaker: BreakerSnapshot, now: datetime) -> dict[str, Any]:
    """Since when, why, and seconds until the first trial, as far as they are known."""
    story: dict[str, Any] = {}
    if breaker.why:
        story |= {"since": _stamp(now, breaker.seconds), "why": _safe(breaker.why)}
    if breaker.retry_after is not None:
        story["retryAfter"] = round(breaker.retry_after, 3)
    return story


def _breaker_details(breaker: BreakerSnapshot, now: datetime) -> dict[str, Any]:
    """The fields of Resilience4j's ``/actuator/circuitbreakers`` that a breaker here has; since, why and retryAfter are ours."""
    thresholds = {
        "failureRateThreshold": breaker.failure_rate_threshold,
        "slowCallRateThreshold": breaker.slow_call_rate_threshold,
    }
    return {
        "failureRate": f"{breaker.failure_rate:.1f}%",
        "slowCallRate": f"{breaker.slow_call_rate:.1f}%",
        **{name: f"{threshold:.1f}%" for name, threshold in thresholds.items() if threshold is not None},
        "bufferedCalls": breaker.buffered_calls,
        "failedCalls": breaker.failed_calls,
        "slowCalls": breaker.slow_calls,
        "notPermittedCalls": breaker.not_permitted_calls,
        "state": str(breaker.state),
        **_breaker_story(breaker, now),
    }


def _stamp(now: datetime, age: float = 0.0) -> str:
    return (now - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
