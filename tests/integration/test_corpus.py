"""
Every line of the corpora is what real servers say it is: run on a replica as a reader's connection would, and on the primary.

A read succeeds on the replica, and neither there nor on the primary does it write, lock or leave anything in the session.
Everything else is refused by the replica as read-only, or is marked as something the replica silently accepts; on the primary
it runs.
All disagreements of a server are reported at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import asyncpg
import pymysql
import pytest

from dbrouter.sql import analyze
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster, LocalServer
from tests.corpus.lines import Line, load, schema

# --- PostgreSQL ------------------------------------------------------------------------------------

_PG_SETUP = schema("postgresql")

_PG_SESSION_STATE = """
SELECT (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND (locktype = 'advisory' OR mode <> 'AccessShareLock')
        AND locktype <> 'virtualxid'),
       pg_my_temp_schema(),
       (SELECT count(*) FROM pg_prepared_statements),
       (SELECT count(*) FROM pg_cursors WHERE name <> ''),
       (SELECT count(*) FROM pg_listening_channels()),
       (SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings),
       session_user, current_user
"""


@asynccontextmanager
async def _pg_connection(server: LocalServer, *, reader: bool) -> AsyncIterator[Any]:
    settings = {"search_path": "corpus"}
    if reader:
        settings["default_transaction_read_only"] = "on"
    connection = await asyncpg.connect(server.dsn(user=server.admin), server_settings=settings)
    try:
        yield connection
    finally:
        connection.terminate()


def _may_share(line: Line) -> bool:
    """Whether the line leaves nothing on its connection, so that the next one may use it too."""
    return line.verdict in ("read", "write") and "after" not in line.flags and "autocommit" not in line.flags


def _as_refused(line: Line, version: str, said: str, *, by_replica: bool) -> str | None:
    """What is wrong with *line*, which a replica refused, because it is one (*by_replica*) or not; None: nothing."""
    if line.has("error", version):
        return None
    if line.verdict == "read" and not line.has("unknown", version):
        return f"a read, but the replica says {said}"
    if not by_replica:
        return f"refused, but not because it is a replica: {said}"
    return "marked silent, but the replica refuses it" if line.has("silent", version) else None


def _as_accepted(line: Line, version: str) -> str | None:
    """What is wrong with *line*, which a replica ran; None: nothing, unless it is a read that leaves state."""
    if line.has("error", version):
        return "marked error, but the replica runs it"
    if line.verdict != "read":
        return None if line.has("silent", version) else "not marked silent, but the replica accepts it"
    if line.has("unknown", version):
        return "said to be refused for a function that writes, but the replica accepts it"
    return None


def _pg_refused(error: asyncpg.PostgresError) -> bool:
    """Whether a replica refused because it is one."""
    message = str(error)
    return error.sqlstate == "25006" or (error.sqlstate in ("0A000", "55000", "XX000") and "recovery" in message)


async def _pg_on_replica(line: Line, connection: Any, version: str) -> str | None:
    try:
        for statement in line.prelude:
            await connection.execute(statement)
        before = tuple((await connection.fetch(_PG_SESSION_STATE))[0]) if line.verdict == "read" else None
        await connection.execute(line.sql)
    except asyncpg.PostgresError as error:
        return _as_refused(line, version, f"{error.sqlstate} {error}", by_replica=_pg_refused(error))
    complaint = _as_accepted(line, version)
    if complaint is not None or before is None:
        return complaint
    after = tuple((await connection.fetch(_PG_SESSION_STATE))[0])
    return None if after == before else f"a read that leaves state: {before} became {after}"


async def _pg_on_primary(line: Line, connection: Any, version: str) -> str | None:
    outside = line.has("autocommit", version) or line.verdict == "control" or "BEGIN" in line.prelude
    try:
        if not outside:
            await connection.execute("BEGIN")
        for statement in line.prelude:
            await connection.execute(statement)
        await connection.execute(line.sql)
    except asyncpg.PostgresError as error:
        return None if line.has("error", version) else f"the primary says {error.sqlstate} {error}"
    if line.has("error", version):
        return "marked error, but the primary runs it"
    if line.verdict == "read" and not line.has("unknown", version):
        if await connection.fetchval("SELECT pg_current_xact_id_if_assigned() IS NOT NULL"):
            return "a read, but it was given a transaction id, so it wrote or locked rows"
        # EXPLAIN of an UPDATE and a look at a sequence take RowExclusiveLock without changing anything;
        # EXPLAIN of FOR UPDATE takes RowShareLock.
        planned = "RowShareLock" if line.sql.startswith("EXPLAIN") else "RowExclusiveLock"
        locks = await connection.fetch(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid' "
            "AND mode NOT IN ('AccessShareLock', 'RowExclusiveLock', $1)",
            planned,
        )
        if locks:
            return f"a read that holds locks: {[lock['mode'] for lock in locks]}"
    return None


async def _pg_problems(cluster: LocalCluster, version: str, *, reader: bool) -> list[str]:
    server, where = (cluster.replicas[0], "replica") if reader else (cluster.primary, "primary")
    judge = _pg_on_replica if reader else _pg_on_primary
    found = []
    async with _pg_connection(server, reader=reader) as shared:
        for line in load(Engine.POSTGRESQL):
            if line.has("noexec", version) or not line.runs_on(version):
                continue
            if _may_share(line):
                problem = await judge(line, shared, version)
                if not reader:
                    await shared.execute("ROLLBACK")
            else:
                async with _pg_connection(server, reader=reader) as own:
                    problem = await judge(line, own, version)
            if problem is not None:
                found.append(f"postgresql.sql:{line.number} on the {where}: {line.sql!r}: {problem}")
    return found


async def _pg_disagreements(cluster: LocalCluster, version: str) -> list[str]:
    async with _pg_connection(cluster.primary, reader=False) as connection:
        await connection.execute(_PG_SETUP)
    await asyncio.to_thread(cluster.wait_caught_up)
    found = await _pg_problems(cluster, version, reader=True) + await _pg_problems(cluster, version, reader=False)
    async with _pg_connection(cluster.primary, reader=False) as connection:
        await connection.execute("DROP SCHEMA corpus CASCADE; SELECT lo_unlink(4242)")
    return found


@pytest.mark.servers
async def test_postgresql_18_agrees_with_the_corpus(pg: LocalCluster) -> None:
    """PostgreSQL 18 does with every line what the corpus says."""
    assert await _pg_disagreements(pg, "18") == []


@pytest.mark.servers
async def test_postgresql_16_agrees_with_the_corpus(pg16: LocalCluster) -> None:
    """PostgreSQL 16 does with every line what the corpus says."""
    assert await _pg_disagreements(pg16, "16") == []


@pytest.mark.servers
async def test_postgresql_15_agrees_with_the_corpus(pg15: LocalCluster) -> None:
    """PostgreSQL 15 does with every line what the corpus says."""
    assert await _pg_disagreements(pg15, "15") == []


# --- MariaDB and MySQL -----------------------------------------------------------------------------

_MY_USER = "corpus_reader"
_MY_PASSWORD = "corpus-secret"
_READ_ONLY_CODES = frozenset([1290, 1792, 1836])
_MY_SESSION_STATE = """
SELECT DATABASE(), CURRENT_ROLE(), IS_USED_LOCK('corpus'), @@last_insert_id, @@sql_mode, @@time_zone, @@autocommit,
       @@character_set_client, @@character_set_results, @@collation_connection, @@foreign_key_checks, @a, @v
"""


@contextmanager
def _my_connection(server: LocalServer, *, reader: bool) -> Iterator[pymysql.Connection[Any]]:
    connection = pymysql.connect(
        host=server.host,
        port=server.port,
        user=_MY_USER,
        password=_MY_PASSWORD,
        database="corpus",
        autocommit=True,
        ssl_disabled=True,  # hundreds of connections, and making a TLS context costs more than all their statements
    )
    try:
        if reader:
            _my_run(connection, "SET SESSION TRANSACTION READ ONLY")
        yield connection
    finally:
        connection.close()


def _my_run(connection: pymysql.Connection[Any], sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = list(cursor.fetchall())
        while cursor.nextset():
            cursor.fetchall()
    return rows


def _my_on_replica(line: Line, connection: pymysql.Connection[Any], version: str) -> str | None:
    try:
        for statement in line.prelude:
            _my_run(connection, statement)
        before = _my_run(connection, _MY_SESSION_STATE) if line.verdict == "read" else None
        _my_run(connection, line.sql)
    except pymysql.MySQLError as error:
        return _as_refused(line, version, str(error), by_replica=error.args[0] in _READ_ONLY_CODES)
    complaint = _as_accepted(line, version)
    if complaint is not None or before is None:
        return complaint
    after = _my_run(connection, _MY_SESSION_STATE)
    return None if after == before else f"a read that leaves state: {before} became {after}"


def _my_on_primary(line: Line, connection: pymysql.Connection[Any], version: str) -> str | None:
    try:
        if line.verdict != "control" and "BEGIN" not in line.prelude and not line.has("autocommit", version):
            _my_run(connection, "BEGIN")
        for statement in line.prelude:
            _my_run(connection, statement)
        _my_run(connection, line.sql)
    except pymysql.MySQLError as error:
        return None if line.has("error", version) else f"the primary says {error}"
    return "marked error, but the primary runs it" if line.has("error", version) else None


def _my_end(connection: pymysql.Connection[Any]) -> None:
    """Rolls back what a line began; a line may have left the connection where it cannot be (XA)."""
    try:
        _my_run(connection, "ROLLBACK")
    except pymysql.MySQLError:
        pass  # an XA transaction goes with its connection


def _my_locks(other: pymysql.Connection[Any]) -> str | None:
    """What stops *other* from locking every row of the tables, while a read's transaction is still open."""
    try:
        for table in ("t", "u"):
            _my_run(other, f"SELECT id FROM {table} FOR UPDATE NOWAIT")
    except pymysql.MySQLError as error:
        return f"a read, but it holds locks: {error}"
    return None


class _MySchema:
    """What the lines find on a primary, and the way back to it after DDL, which cannot be rolled back."""

    _OBJECTS = """
        SELECT CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END, table_name, ''
          FROM information_schema.tables WHERE table_schema = 'corpus' AND table_type <> 'SEQUENCE'
        UNION ALL SELECT routine_type, routine_name, '' FROM information_schema.routines WHERE routine_schema = 'corpus'
        UNION ALL SELECT 'TRIGGER', trigger_name, '' FROM information_schema.triggers WHERE trigger_schema = 'corpus'
        UNION ALL SELECT 'EVENT', event_name, '' FROM information_schema.events WHERE event_schema = 'corpus'
        UNION ALL SELECT 'COLUMN', table_name, CONCAT_WS(' ', column_name, ordinal_position, column_type, column_default)
          FROM information_schema.columns WHERE table_schema = 'corpus'
        UNION ALL SELECT 'INDEX', table_name, CONCAT(index_name, seq_in_index) FROM information_schema.statistics
          WHERE table_schema = 'corpus'
        UNION ALL SELECT 'PARTITION', table_name, partition_name FROM information_schema.partitions
          WHERE table_schema = 'corpus' AND partition_name IS NOT NULL
    """
    _MADE = re.compile(r"(?:CREATE\b.*?\b(?:TABLE|VIEW|FUNCTION|PROCEDURE)|INSERT INTO) `?(\w+)")

    def __init__(self, server: LocalServer, version: str) -> None:
        script = schema("mysql") + (schema("mariadb") if version == "mariadb" else "")
        lines = [line for line in script.splitlines() if not line.startswith("--")]
        # A line that ends in a semicolon ends a statement.
        parts = [part.strip() for part in re.split(r";\s*$", "\n".join(lines), flags=re.MULTILINE)]
        self._statements = [part for part in parts if part]
        self._admin = pymysql.connect(host=server.host, port=server.port, user=server.admin, autocommit=True)
        self._make()
        self._objects = self._look()

    def close(self) -> None:
        self._admin.close()

    def restore(self, line: Line) -> bool:
        """Undoes what a DDL line did; False where connections have lost their database."""
        if not _my_run(self._admin, "SHOW DATABASES LIKE 'corpus'"):
            self._make()
            return False
        now = self._look()
        known = self._kinds(self._objects)
        added = self._kinds(now - self._objects)
        changed = {name for _, name, _ in now ^ self._objects if name in known}
        if analyze(line.sql, Engine.MYSQL).kind == "TRUNCATE":
            changed |= {"t", "u", "u2"}
        _my_run(self._admin, "SET foreign_key_checks = 0")
        for name in changed | added.keys():
            _my_run(self._admin, f"DROP {added.get(name) or known[name]} IF EXISTS `{name}`")
        for statement in self._statements:
            made = self._MADE.match(statement)
            if made is not None and made[1] in changed:
                _my_run(self._admin, statement)
        return True

    @staticmethod
    def _kinds(objects: set[tuple[str, str, str]]) -> dict[str, str]:
        return {name: kind for kind, name, _ in objects if kind not in ("COLUMN", "INDEX", "PARTITION")}

    def _make(self) -> None:
        for statement in self._statements:
            _my_run(self._admin, statement)

    def _look(self) -> set[tuple[str, str, str]]:
        return {(kind, name, detail) for kind, name, detail in _my_run(self._admin, self._OBJECTS)}


def _my_disagreements(cluster: LocalCluster, version: str) -> list[str]:
    primary, replica = cluster.primary, cluster.replicas[0]
    objects = _MySchema(primary, version)
    primary.query(f"DROP USER IF EXISTS '{_MY_USER}'@'%'")
    primary.query(f"CREATE USER '{_MY_USER}'@'%' IDENTIFIED BY '{_MY_PASSWORD}'")
    primary.query(f"GRANT ALL PRIVILEGES ON *.* TO '{_MY_USER}'@'%' WITH GRANT OPTION")
    if version == "mariadb":
        primary.query(f"REVOKE READ ONLY ADMIN ON *.* FROM '{_MY_USER}'@'%'")
    cluster.wait_caught_up()
    lines = [line for line in load(Engine.MYSQL) if not line.has("noexec", version) and line.runs_on(version)]
    found = []
    with _my_connection(replica, reader=True) as shared:
        for line in lines:
            with nullcontext(shared) if _may_share(line) else _my_connection(replica, reader=True) as connection:
                problem = _my_on_replica(line, connection, version)
            if problem is not None:
                found.append(f"mysql.sql:{line.number} on the replica: {line.sql!r}: {problem}")
    with _my_connection(primary, reader=False) as shared, _my_connection(primary, reader=False) as other:
        for line in lines:
            with nullcontext(shared) if _may_share(line) else _my_connection(primary, reader=False) as connection:
                problem = _my_on_primary(line, connection, version)
                if problem is None and line.verdict == "read" and not line.has("unknown", version):
                    problem = _my_locks(other)
                _my_end(connection)
            if problem is not None:
                found.append(f"mysql.sql:{line.number} on the primary: {line.sql!r}: {problem}")
            if analyze(line.sql, Engine.MYSQL).ddl and not objects.restore(line):
                shared.select_db("corpus")
                other.select_db("corpus")
    for statement in ("DROP DATABASE corpus", "DROP DATABASE IF EXISTS corpus2", f"DROP USER '{_MY_USER}'@'%'"):
        primary.query(statement)
    objects.close()
    return found


@pytest.mark.servers
def test_mariadb_agrees_with_the_corpus(mariadb: LocalCluster) -> None:
    """MariaDB 10.11 does with every line what the corpus says."""
    assert _my_disagreements(mariadb, "mariadb") == []


@pytest.mark.servers
def test_mysql_agrees_with_the_corpus(mysql: LocalCluster) -> None:
    """MySQL 9.7 does with every line what the corpus says."""
    assert _my_disagreements(mysql, "mysql") == []
