"""
The servers' own statistics of statements: `pg_stat_statements`, and MySQL's `events_statements_summary_by_digest`.

One connection and two or three reads per server, all servers at the same time, each bounded by itself. Nothing is reset or
changed. Each server counts its own calls: a workload that already uses replicas is the sum over all of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dbrouter.audit.logged import Entry, LoggedStatement, Unreadable
from dbrouter.config import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings
from dbrouter.drivers import load_driver
from dbrouter.drivers.base import Connection, Driver
from dbrouter.router.connecting import connect_options
from dbrouter.terms import Engine, ServerStatus

READING = 60.0
"""Seconds that reading a server's statistics may take, beyond connecting."""


class StatisticsUnavailableError(Exception):
    """The server keeps no statistics of statements, or not for us; the message says what to do."""


@dataclass(slots=True)
class ServerLog:
    """What one server answered."""

    node: str
    statistics: str
    """The view that was read."""
    entries: list[Entry] = field(default_factory=list)
    error: str | None = None
    """Why there are none."""


async def read_servers(
    config: RouterConfig, database: str | None = None, drivers: Callable[[str], Driver] = load_driver
) -> list[ServerLog]:
    """
    The statistics of every server of *database* that is not offline; the default database without it.

    Raises:
        KeyError: the configuration has no such database.
    """
    name = next(iter(config.databases)) if database is None else database
    settings = config.databases[name]
    driver = drivers(settings.driver)
    places = {
        server.node_id: (group, server)
        for group in config.hostgroups_of(name)
        for server in group.servers
        if server.status is not ServerStatus.OFFLINE
    }
    return list(await asyncio.gather(*(_read(config, driver, settings, group, server) for group, server in places.values())))


async def _read(
    config: RouterConfig, driver: Driver, database: DatabaseSettings, group: HostgroupSettings, server: ServerSettings
) -> ServerLog:
    postgresql = database.engine is Engine.POSTGRESQL
    log = ServerLog(str(server.node_id), "pg_stat_statements" if postgresql else "events_statements_summary_by_digest")
    # A session of its own, read-only or not as the server is: it only reads.
    options = connect_options(config, database, group, server, read_only=False, init=())
    connection: Connection | None = None
    try:
        async with asyncio.timeout(options.timeout + READING):
            connection = await driver.connect(options)
            log.entries = await (_postgresql(connection) if postgresql else _mysql(connection, database.database))
    except StatisticsUnavailableError as error:
        log.error = str(error)
    except TimeoutError as error:
        log.error = str(error) or f"no answer within {options.timeout + READING:g}s"
    except Exception as error:
        log.error = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    finally:
        if connection is not None:
            connection.terminate()
    return log


_MARK = "/* dbrouter classify */"
_PG_WHERE = (
    "SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
    f" WHERE {_MARK} e.extname = 'pg_stat_statements'"
)
_PG_STATEMENTS = (
    f"SELECT {_MARK} s.query, s.calls, s.total_exec_time / 1000 FROM {{schema}}.pg_stat_statements s"
    " JOIN pg_catalog.pg_database d ON d.oid = s.dbid WHERE d.datname = pg_catalog.current_database() AND s.toplevel"
)
_PG_MISSING = (
    "has no pg_stat_statements in this database: put pg_stat_statements into shared_preload_libraries, restart the server, "
    "then CREATE EXTENSION pg_stat_statements"
)
_PG_NOT_LOADED = "has the extension pg_stat_statements but does not load it: put it into shared_preload_libraries and restart"
_PG_HIDDEN = "calls of other users are hidden from this one: GRANT pg_read_all_stats shows their statements"


async def _postgresql(connection: Connection) -> list[Entry]:
    rows, _, _ = await connection.send(_PG_WHERE, ())
    if not rows:
        raise StatisticsUnavailableError(_PG_MISSING)
    schema = '"' + str(rows[0][0]).replace('"', '""') + '"'
    try:
        rows, _, _ = await connection.send(_PG_STATEMENTS.format(schema=schema), ())
    except Exception as error:
        if getattr(error, "sqlstate", None) == "55000":
            raise StatisticsUnavailableError(_PG_NOT_LOADED) from error
        raise
    entries: list[Entry] = []
    hidden = 0
    for query, calls, seconds in map(tuple, rows):
        if query is None or query == "<insufficient privilege>":
            hidden += int(calls)
        elif _MARK not in query:
            entries.append(LoggedStatement(query, int(calls), float(seconds)))
    if hidden:
        entries.append(Unreadable(0, f"{hidden} {_PG_HIDDEN}"))
    return entries


_MY_STATE = (
    "SELECT @@performance_schema, LEAST(@@performance_schema_max_digest_length, @@max_digest_length),"
    " (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'performance_schema'"
    " AND TABLE_NAME = 'events_statements_summary_by_digest' AND COLUMN_NAME = 'QUERY_SAMPLE_TEXT')"
)
_MY_STATEMENTS = (
    "SELECT DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT / 1e12, {sample}"
    " FROM performance_schema.events_statements_summary_by_digest WHERE COUNT_STAR > 0 AND {schema}"
)
_MY_ALL_SCHEMAS = "(SCHEMA_NAME IS NULL OR SCHEMA_NAME NOT IN ('performance_schema', 'mysql', 'sys', 'information_schema'))"
_MY_OFF = "runs without its performance schema: set performance_schema=ON in its configuration and restart"
_MY_DENIED = "hides its statistics from this user: GRANT SELECT ON performance_schema.* TO it"
_DENIED = frozenset([1044, 1142, 1143, 1227])
_OURS = "events_statements_summary_by_digest"
_PREPARED = re.compile(r"(PREPARE|EXECUTE) (?!`)(?=\w)")
"""How MySQL marks the digests of prepared statements; the statement's own words follow."""


async def _mysql(connection: Connection, database: str | None) -> list[Entry]:
    rows, _, _ = await connection.send(_MY_STATE, ())
    on, limit, samples = tuple(rows[0])
    if not int(on):
        raise StatisticsUnavailableError(_MY_OFF)
    text = _MY_STATEMENTS.format(
        sample="QUERY_SAMPLE_TEXT" if int(samples) else "NULL",
        schema="(SCHEMA_NAME = DATABASE() OR SCHEMA_NAME IS NULL AND DIGEST IS NULL)" if database else _MY_ALL_SCHEMAS,
    )
    try:
        rows, _, _ = await connection.send(text, ())
    except Exception as error:
        if error.args and error.args[0] in _DENIED:
            raise StatisticsUnavailableError(_MY_DENIED) from error
        raise
    return [entry for row in rows if (entry := mysql_entry(*tuple(row), limit=int(limit))) is not None]


def mysql_entry(digest_text: str | None, calls: Any, seconds: Any, sample: str | None, *, limit: int) -> Entry | None:
    """
    The statement of one row, or None where the row is none: preparing, or this look itself.

    The sample is a text that was really sent, so it is preferred, where ``...`` does not show that its end was cut off. The
    digest's text is cut without a sign, when its tokens need more than *limit* bytes.
    """
    count = int(calls)
    if digest_text is None:
        return Unreadable(0, f"{count} calls beyond performance_schema_digests_size have no text on the server; raise it")
    prepared = _PREPARED.match(digest_text)
    if _OURS in digest_text.lower() or (prepared is not None and prepared[1] == "PREPARE"):
        return None
    cut = _needed(digest_text) > limit - _LONGEST_TOKEN
    if prepared is not None:
        digest_text = digest_text[prepared.end() :]
    if sample and not sample.endswith("..."):
        return LoggedStatement(sample, count, float(seconds or 0.0))
    return LoggedStatement(digest_text.rstrip(), count, float(seconds or 0.0), cut=cut)


_LONGEST_TOKEN = 4 + 3 * 64
"""Bytes: a name of 64 characters. A digest that is full up to less than this may have lost its end."""
_DIGEST_TOKEN = re.compile(r"`((?:[^`]|``)*)`|[^\s`]+")


def _needed(digest_text: str) -> int:
    """Bytes of a digest in the server's memory: two a token, and for a name two more and its text."""
    return sum(2 if found[1] is None else 4 + len(found[1].encode()) for found in _DIGEST_TOKEN.finditer(digest_text))
