"""``dbrouter classify`` over what real servers wrote and counted, compared with the statements that were really executed."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter import Router
from dbrouter.audit.formats import LogFormat, Source
from dbrouter.audit.logged import LoggedStatement
from dbrouter.sql import analyze
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster, ServerKind
from dbrouter.testing.server import LocalServer

MYSQL_KINDS = pytest.mark.parametrize("kind", [ServerKind.MARIADB_10_11, ServerKind.MYSQL_9_7])

MYSQL_WORK = [
    "CREATE TABLE audit_t (a INT PRIMARY KEY AUTO_INCREMENT, b TEXT)",
    "INSERT INTO audit_t (b) VALUES ('x;\n# User@Host: y[y] @ z'), ('# Time: 2026-11-21T07:36:22Z')",
    "SELECT *\nFROM audit_t\n# Query_time: 9\nWHERE a = 1",
    "SELECT b FROM audit_t WHERE a = 2",
    "SELECT b FROM audit_t WHERE a = 1",
    "SELECT b /* é; */ FROM audit_t WHERE a IN (1, 2, 3) FOR UPDATE",
    "UPDATE audit_t SET b = 'it''s -- ; no comment' WHERE a = 1",
    "SELECT COUNT(*) FROM audit_t WHERE b = '" + "z" * 3000 + "'",
]
POSTGRESQL_WORK = [
    "CREATE TABLE audit_t (a int PRIMARY KEY, b text)",
    "INSERT INTO audit_t VALUES (1, 'x;\n\tLOG:  statement: SELECT 1'), (2, '\"quoted\", and more')",
    "SELECT *\nFROM audit_t\n-- LOG:  statement: y\nWHERE a = 1",
    "SELECT b FROM audit_t WHERE a = 2",
    "SELECT b FROM audit_t WHERE a = 1",
    "SELECT b /* é; */ FROM audit_t WHERE a = 1 FOR UPDATE",
    "UPDATE audit_t SET b = $$it's; no end$$ WHERE a = 1",
]


async def classify(*arguments: str) -> tuple[int | None, dict[str, Any], str]:
    """Exit code, the JSON document and standard error of ``dbrouter classify … --json``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dbrouter", "classify", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, json.loads(output), errors.decode()


def ours(document: dict[str, Any]) -> Counter[tuple[str, bool]]:
    """Calls by digest text and whether replicas could take them, of the table of these tests."""
    found: Counter[tuple[str, bool]] = Counter()
    for one in document["digests"]:
        if "audit_t" in one["digest_text"]:
            found[one["digest_text"], not one["held"]] += one["calls"]
    return found


def expected(work: list[str], engine: Engine) -> Counter[tuple[str, bool]]:
    """The same of the statements that were executed."""
    return Counter((analyze(sql, engine).digest_text, not analyze(sql, engine).reasons) for sql in work)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until *condition* holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def texts(path: Path, engine: Engine) -> list[str]:
    """The statements of a log that name the table of these tests."""
    with path.open("rb") as stream:
        return [
            entry.sql
            for entry in Source("log", stream).entries(engine)
            if isinstance(entry, LoggedStatement) and "audit_t" in entry.sql
        ]


async def run(server: LocalServer, work: list[str]) -> None:
    """Execute *work* on one connection of a router."""
    async with Router.open({"writer": server.dsn()}) as router, router.connection() as connection:
        for sql in work:
            await connection.execute(sql)
        await connection.execute("DROP TABLE audit_t")


# --- MariaDB and MySQL ----------------------------------------------------------------------------


@MYSQL_KINDS
async def test_logs_that_the_server_wrote(kind: ServerKind, with_settings: Callable[..., LocalCluster], tmp_path: Path) -> None:
    """Slow log and general log give every statement as it was sent, in order, and the slow log its time."""
    server = with_settings(kind, 0, performance_schema="ON").primary
    folder = server.socket.parent
    slow, general = folder / "slow.log", folder / "general.log"
    server.query(
        f"SET GLOBAL slow_query_log_file = '{slow}'; SET GLOBAL general_log_file = '{general}';"
        " SET GLOBAL long_query_time = 0; SET GLOBAL slow_query_log = 1; SET GLOBAL general_log = 1"
    )
    try:
        await run(server, MYSQL_WORK)
        wait_for(lambda: all("DROP TABLE audit_t" in path.read_text() for path in (slow, general)), "the logs are not written")
    finally:
        server.query("SET GLOBAL slow_query_log = 0; SET GLOBAL general_log = 0; SET GLOBAL long_query_time = 10")
    work = [*MYSQL_WORK, "DROP TABLE audit_t"]

    assert texts(slow, Engine.MYSQL) == work
    assert texts(general, Engine.MYSQL) == work
    for path, format_, timed in ((slow, LogFormat.SLOW_LOG, True), (general, LogFormat.GENERAL_LOG, False)):
        code, found, _ = await classify(str(path))
        assert (code, found["sources"][0]["format"], found["unreadable"]) == (0, format_, 0)
        assert ours(found) == expected(work, Engine.MYSQL)
        assert (found["seconds"] is not None) is timed
        assert not timed or found["seconds"] > 0


@MYSQL_KINDS
async def test_statistics_of_the_performance_schema(kind: ServerKind, with_settings: Callable[..., LocalCluster]) -> None:
    """Without the right to look it says what to grant; with it, calls by digest are those that were made."""
    server = with_settings(kind, 0, performance_schema="ON").primary
    code, found, _ = await classify("--from-server", server.dsn())
    assert (code, found["calls"]) == (1, 0)
    assert "GRANT SELECT ON performance_schema.*" in found["problems"][0]["why"]

    server.query(
        "GRANT SELECT ON performance_schema.* TO 'app'@'%'; TRUNCATE performance_schema.events_statements_summary_by_digest"
    )
    await run(server, [*MYSQL_WORK, *MYSQL_WORK[2:]])
    seen = (
        "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT LIKE 'DROP TABLE%audit_t%'"
    )
    wait_for(lambda: server.value(seen) == "1", "the statistics are not there")

    code, found, _ = await classify("--from-server", server.dsn(), "--top", "1000")

    assert (code, found["unreadable"], found["engine"]) == (0, 0, "mysql")
    assert found["sources"][0]["format"] == "events_statements_summary_by_digest"
    reads = {one["calls"] for one in found["digests"] if "audit_t" in one["digest_text"] and not one["held"]}
    by_verdict = Counter[bool]()
    for (_, could), calls in ours(found).items():
        by_verdict[could] += calls
    assert by_verdict == {True: 8, False: 7}
    assert reads == {2, 4}
    assert found["seconds"] > 0


async def test_without_a_performance_schema_it_says_what_to_do(mariadb: LocalCluster) -> None:
    """A server that counts nothing is a problem with its remedy, not an empty workload."""
    code, found, _ = await classify("--from-server", mariadb.primary.dsn())

    assert code == 1
    assert "performance_schema=ON" in found["problems"][0]["why"]


@MYSQL_KINDS
async def test_a_text_that_the_server_has_cut_is_no_read(kind: ServerKind, with_settings: Callable[..., LocalCluster]) -> None:
    """Servers keep 1024 bytes of a digest: a SELECT beyond that may end in FOR UPDATE, as this one does."""
    server = with_settings(kind, 0, performance_schema="ON").primary
    server.query("GRANT SELECT ON performance_schema.* TO 'app'@'%'")
    columns = " + ".join(f"a{number}" for number in range(400))
    made = ", ".join(f"a{number} TINYINT" for number in range(400))
    server.query(f"CREATE TABLE IF NOT EXISTS wide_t ({made})")
    server.query("TRUNCATE performance_schema.events_statements_summary_by_digest")
    async with Router.open({"writer": server.dsn()}) as router, router.transaction() as tx:
        await tx.execute(f"SELECT {columns} FROM wide_t FOR UPDATE")
    seen = "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT LIKE 'SELECT%a100%'"
    wait_for(lambda: server.value(seen) == "1", "the statistics are not there")

    _, found, _ = await classify("--from-server", server.dsn(), "--top", "1000")

    [one] = [one for one in found["digests"] if "a100" in one["digest_text"]]
    assert "its end is missing" in one["held"][0]


# --- PostgreSQL -----------------------------------------------------------------------------------


def audited_postgresql(with_settings: Callable[..., LocalCluster]) -> LocalCluster:
    """A primary and a replica that count statements and log all of them in every format."""
    return with_settings(
        ServerKind.POSTGRESQL_15,
        1,
        shared_preload_libraries="pg_stat_statements",
        log_min_duration_statement=0,
        logging_collector="on",
        log_destination="stderr,csvlog,jsonlog",
        log_filename="all.log",
        log_line_prefix="%t [%p]: user=%u,db=%d ",
    )


async def test_logs_that_postgresql_wrote(with_settings: Callable[..., LocalCluster]) -> None:
    """Plain log, csvlog and jsonlog give every statement as it was sent, in order, with its time."""
    server = audited_postgresql(with_settings).primary
    folder = server.socket / "data" / "log"
    work = [*POSTGRESQL_WORK, "DROP TABLE audit_t"]
    paths = [folder / f"all.{suffix}" for suffix in ("log", "csv", "json")]

    await run(server, POSTGRESQL_WORK)

    wait_for(lambda: all("DROP TABLE audit_t" in path.read_text() for path in paths), "the logs are not written")
    for path, format_ in zip(paths, (LogFormat.POSTGRESQL_LOG, LogFormat.CSVLOG, LogFormat.JSONLOG), strict=True):
        assert texts(path, Engine.POSTGRESQL) == work, format_
        code, found, _ = await classify(str(path), "--top", "1000")
        assert (code, found["sources"][0]["format"], found["unreadable"]) == (0, format_, 0)
        assert ours(found) == expected(work, Engine.POSTGRESQL)
        assert found["seconds"] > 0


async def test_statistics_of_every_server_of_a_configuration(with_settings: Callable[..., LocalCluster], tmp_path: Path) -> None:
    """Missing extension, hidden calls, then the sum over primary and replica, with where the rules would send it."""
    cluster = audited_postgresql(with_settings)
    primary, replica = cluster.primary, cluster.replicas[0]
    code, found, _ = await classify("--from-server", primary.dsn())
    assert code == 1
    assert "CREATE EXTENSION pg_stat_statements" in found["problems"][0]["why"]

    primary.query(
        'CREATE SCHEMA "odd ""one"; CREATE EXTENSION pg_stat_statements SCHEMA "odd ""one";'
        ' GRANT USAGE ON SCHEMA "odd ""one" TO app'
    )
    primary.query("CREATE TABLE audit_t (a int PRIMARY KEY, b text); GRANT ALL ON audit_t TO app")
    cluster.wait_caught_up()
    code, found, _ = await classify("--from-server", primary.dsn())
    assert code == 1
    assert "GRANT pg_read_all_stats" in found["problems"][0]["why"]

    primary.query("GRANT pg_read_all_stats TO app")
    cluster.wait_caught_up()
    for server in (primary, replica):
        server.query('SELECT "odd ""one".pg_stat_statements_reset()')
    file = tmp_path / "shop.yaml"
    file.write_text(f"writer: {primary.dsn()}\nreaders: ['{replica.dsn()}']\n", encoding="utf-8")
    async with Router.open(str(file)) as router:
        for number in range(5):
            await router.execute("INSERT INTO audit_t VALUES ($1, 'x')", number)
        for number in range(7):
            assert (await router.execute("SELECT b FROM audit_t WHERE a = $1", number)).route.node.endswith(str(replica.port))
        for number in range(2):
            await router.execute("SELECT b FROM audit_t WHERE a = $1 FOR UPDATE", number)
        await router.execute("SELECT b FROM audit_t WHERE a = $1", 1, route="write")

    code, found, errors = await classify("--from-server", str(file), "--config", str(file), "--top", "1000")

    assert (code, errors) == (0, "")
    assert [(one["format"], one["unreadable"]) for one in found["sources"]] == [("pg_stat_statements", 0)] * 2
    assert ours(found) == {
        ("INSERT INTO audit_t VALUES ($1,$2)", False): 5,
        ("SELECT b FROM audit_t WHERE a = $1", True): 8,
        ("SELECT b FROM audit_t WHERE a = $1 FOR UPDATE", False): 2,
    }
    assert sum(one["calls"] for one in found["hostgroups"].values()) == found["calls"]
    assert {name: one["share"] for name, one in found["hostgroups"].items()}["app-read"] == pytest.approx(
        found["replica_share"], abs=1e-4
    )
    primary.query(
        'DROP TABLE audit_t; DROP EXTENSION pg_stat_statements; DROP SCHEMA "odd ""one"; REVOKE pg_read_all_stats FROM app'
    )


async def test_an_extension_that_is_not_loaded_says_so(pg15: LocalCluster) -> None:
    """The extension was created and its library never loaded."""
    pg15.primary.query("CREATE EXTENSION pg_stat_statements")
    try:
        code, found, _ = await classify("--from-server", pg15.primary.dsn())
    finally:
        pg15.primary.query("DROP EXTENSION pg_stat_statements")

    assert code == 1
    assert "shared_preload_libraries" in found["problems"][0]["why"]


async def test_a_server_that_cannot_be_reached_is_named(with_settings: Callable[..., LocalCluster], tmp_path: Path) -> None:
    """The servers that answer are added up, the other one is a problem."""
    primary = audited_postgresql(with_settings).primary
    file = tmp_path / "shop.yaml"
    file.write_text(f"writer: {primary.dsn()}\nreaders: ['{primary.dsn().replace(str(primary.port), '1')}']\n", encoding="utf-8")

    code, found, _ = await classify("--from-server", str(file))

    assert code == 1
    assert any(one["source"].endswith(":1") and "Error" in one["why"] for one in found["problems"])
