"""
The public API as a typed program uses it: `mypy --strict` checks this file, nobody runs it.

`assert_type` holds what callers see; a line that must not type-check carries an ignore, which becomes an error of its own once it
does (``warn_unused_ignores``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_type

from dbrouter import (
    CircuitOpenError,
    ConfigError,
    Database,
    DBRouterError,
    DeadlineExceededError,
    Explanation,
    HealthSnapshot,
    Intent,
    NoNodeAvailableError,
    OutcomeUnknownError,
    PinnedConnection,
    PoolError,
    PoolTimeoutError,
    ReloadReport,
    Result,
    RetriesExhaustedError,
    Route,
    Router,
    RouterConfig,
    Row,
    SessionStatementError,
    ShadowReport,
    StatementRejectedError,
    StatsSnapshot,
    Transaction,
)
from dbrouter.config import load
from dbrouter.errors import AttemptRecord, Problem, Refusal
from dbrouter.events import Event, NodeShunned, Observer
from dbrouter.integrations.asgi import HealthAnswer, HealthEndpoints, health_app
from dbrouter.router.stream import Stream
from dbrouter.sql import Statement, analyze
from dbrouter.terms import Engine, EventLevel, ShunReason
from dbrouter.testing import FakeDriver, FakeServer, FaultProxy, LocalCluster, LocalServer


class Pager:
    """An observer with a level."""

    level = EventLevel.WARNING

    def observe(self, event: Event) -> None:
        """Tell somebody."""
        if isinstance(event, NodeShunned):
            assert_type(event.reason, ShunReason)


async def codecs(conn: PinnedConnection) -> None:
    """For every new connection."""
    await conn.execute("SET search_path = audit")
    assert_type(conn.raw, Any)


async def token(endpoint: str) -> str:
    """A password that changes."""
    return f"token for {endpoint}"


async def opening(config: RouterConfig) -> None:
    """A path, a mapping or a configuration; a context manager or an awaitable."""
    async with Router.open("dbrouter.yaml") as router:
        assert_type(router, Router)
    async with Router.open(Path("dbrouter.yaml"), on_connect=codecs, password=token, observers=[Pager()]) as router:
        assert_type(router.closed, bool)
        assert_type(router.config, RouterConfig)
    async with Router.open({"writer": "postgresql://app@db1/shop"}, password=lambda endpoint: "secret") as router:
        observer: Observer = Pager()
        router.observe(observer)
    router = await Router.open(config)
    await router.aclose()
    await router.aclose(timeout=1)
    Router.open(42)  # type: ignore[arg-type]


async def statements(router: Router) -> None:
    """One statement a call."""
    result = await router.execute("SELECT * FROM users WHERE id = $1", 42)
    assert_type(result, Result)
    assert_type(result.status, str)
    assert_type(result.rowcount, int | None)
    assert_type(result.lastrowid, int | None)
    assert_type(result.route, Route)
    assert_type(result.route.rule_id, int | None)
    assert_type(len(result), int)
    assert_type(result[0], Any)
    for row in result:
        row["name"]
    rows = await router.fetch("SELECT * FROM users WHERE id = :id", {"id": 42})
    assert_type(rows, Sequence[Any])
    assert_type(await router.fetchrow("SELECT 1", timeout=0.5, route="write"), Any)
    assert_type(await router.fetchval("SELECT 1", column=0, hostgroup="shop-read"), Any)
    await router.execute("UPDATE t SET a = 1", timeout=None, hostgroup=10, idempotent=True, tag="nightly")
    await router.execute(b"SELECT 1")  # type: ignore[arg-type]
    await router.execute("SELECT 1", timeout="5s")  # type: ignore[arg-type]


async def several(router: Router) -> None:
    """Several statements, all or nothing."""
    many = await router.executemany("INSERT INTO t VALUES ($1)", [(1,), (2,)], timeout=60, tag="import")
    assert_type(many, Result)
    await router.executemany("INSERT INTO t VALUES (:n)", ({"n": number} for number in range(3)))
    assert_type(await router.batch([("DELETE FROM t WHERE n = $1", (1,)), "DELETE FROM u"], timeout=5), list[Result])


async def pinned(router: Router) -> None:
    """Blocks on one connection."""
    async with router.transaction(isolation="serializable", readonly=True, deferrable=True, timeout=2) as tx:
        assert_type(tx, Transaction)
        assert_type(tx.aborted, bool)
        assert_type(await tx.execute("SELECT 1", timeout=1), Result)
        assert_type(await tx.fetch("SELECT 1"), Sequence[Any])
        async with tx.transaction() as savepoint:
            assert_type(savepoint, Transaction)
    async with router.connection(readonly=True, hostgroup="shop-read") as conn:
        assert_type(conn, PinnedConnection)
        await conn.fetchval("SELECT 1", column=0)
    async with router.stream("SELECT * FROM event", batch=500, timeout=10) as rows:
        assert_type(rows, Stream)
        async for row in rows:
            row["id"]


async def transfer(tx: Transaction) -> int:
    """What `run` runs."""
    await tx.execute("UPDATE account SET balance = balance - $1", 10)
    return 10


async def reloading(router: Router) -> None:
    """Another configuration."""
    report = await router.reload("dbrouter.yaml", drain_timeout=None)
    assert_type(report, ReloadReport)
    assert_type((report.generation, report.changes), tuple[int, tuple[str, ...]])


async def running(router: Router) -> None:
    """`run` answers what the function answers."""
    assert_type(await router.run(transfer), int)
    assert_type(await router.run(transfer, isolation="serializable", timeout=5), int)
    await router.run(router.execute)  # type: ignore[arg-type]


def reports(router: Router, database: Database) -> None:
    """Explanations and snapshots."""
    explanation = database.explain("SELECT 1", tag="report", route="read")
    assert_type(explanation, Explanation)
    assert_type(explanation.vetoed, str | None)
    assert_type(explanation.as_dict(), dict[str, Any])
    health = router.health()
    assert_type(health, HealthSnapshot)
    assert_type(health.ready("writer"), bool)
    for node in health.nodes:
        assert_type(node.shunned, str | None)
    stats = router.stats()
    assert_type(stats, StatsSnapshot)
    for member in stats.members:
        assert_type(member.pool.in_use, int)
    assert_type(router.database("catalog"), Database)
    assert_type(router.shadow_report(), ShadowReport | None)
    health_app(router, ready="any")
    answer = HealthEndpoints(router, ready="writer").answer("GET", "/readyz")
    assert_type(answer, HealthAnswer)
    assert_type((answer.status, answer.headers, answer.body), tuple[int, dict[str, str], bytes])


async def failures(database: Database) -> None:
    """The fields of errors."""
    try:
        await database.execute("SELECT 1")
    except ConfigError as error:
        assert_type(error.problems, tuple[Problem, ...])
    except OutcomeUnknownError as error:
        assert_type((error.node, error.phase, error.seconds, error.attempts), tuple[str, str, float, int])
    except CircuitOpenError as error:
        assert_type(error.retry_after, float)
    except NoNodeAvailableError as error:
        assert_type(error.refusals, tuple[Refusal, ...])
    except StatementRejectedError as error:
        assert_type(error.rule_id, int | None)
    except SessionStatementError as error:
        assert_type(error.reason, str)
    except PoolTimeoutError as error:
        assert_type((error.waited, error.in_use, error.connect_failure), tuple[float, int, str | None])
    except PoolError as error:
        assert_type(error.pool, str)
    except DeadlineExceededError as error:
        assert_type(error.timeout, float)
    except RetriesExhaustedError as error:
        assert_type(error.attempts, tuple[AttemptRecord, ...])
    except DBRouterError as error:
        assert_type(error.code, str)


def sql() -> None:
    """The analysis by itself."""
    statement = analyze("SELECT 1", Engine.MYSQL)
    assert_type(statement, Statement)
    assert_type(statement.intent, Intent)
    assert_type(statement.reasons, tuple[str, ...])
    assert_type(statement.digest, int)


def rows(row: Row) -> None:
    """A row of the MySQL family."""
    row["name"]
    row[0]
    row.get("name", None)
    tuple(row)


async def testing(config: dict[str, Any]) -> None:
    """What tests of services use."""
    with LocalCluster("postgresql-18", replicas=2) as cluster:
        assert_type(cluster.primary, LocalServer)
        assert_type(cluster.primary.dsn(), str)
        async with FaultProxy(cluster.primary.host, cluster.primary.port) as proxy:
            proxy.black_hole()
            assert_type(proxy.endpoint, str)
    primary = FakeServer()
    fake = FakeDriver({"db1:5432": primary, "db2:5432": primary.replica()})
    async with Router.open(config, drivers=lambda name: fake) as router:
        await router.fetchval("SELECT 1")
    assert_type(load(config), RouterConfig)
