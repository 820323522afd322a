"""
Reaching every server of a configuration, for ``dbrouter check --connect``.

`look_at_all` opens one connection per server and hostgroup, `init` statements included, and asks role and limits; it is bounded
whatever the servers do. `judge` compares what was seen with what the configuration wants; it decides, without I/O.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from dbrouter.config import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings
from dbrouter.drivers import load_driver
from dbrouter.drivers.base import Connection, Driver
from dbrouter.errors import Problem
from dbrouter.router.connecting import connect_options
from dbrouter.terms import Engine, Role, ServerStatus

GRACE = 2.0
"""Seconds beyond `timeouts.connect` for asking role and limits."""

_PROBES = 1
"""Connections a router keeps to a server beside its pools."""

_LIMITS = {
    Engine.POSTGRESQL: (
        "SELECT (SELECT setting::int FROM pg_settings WHERE name = 'max_connections'),"
        " (SELECT coalesce(sum(setting::int), 0)::int FROM pg_settings"
        " WHERE name IN ('superuser_reserved_connections', 'reserved_connections')),"
        " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),"
        " (SELECT datconnlimit FROM pg_database WHERE datname = current_database())"
    ),
    # One connection more than max_connections is kept for administrators, so nothing of it is reserved.
    Engine.MYSQL: "SELECT @@global.max_connections, 0, @@global.max_user_connections, 0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One server as it stands in one hostgroup, and what connecting to it showed."""

    database: str
    hostgroup: str
    node: str
    writer: bool
    """The hostgroup takes its database's writes."""
    reader: bool
    """The hostgroup is its database's readers."""
    endpoint: str
    """Where it was reached; two databases may be on one server."""
    pool: int
    """Connections its pool may have."""
    error: str | None = None
    """``ClassName: message`` of what connecting raised, or None."""
    role: Role = Role.UNKNOWN
    version: str = ""
    seconds: float = 0.0
    usable: int | None = None
    """Connections the server gives to this user, reserved ones taken off; None where it did not say."""
    max_connections: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


async def look_at_all(config: RouterConfig, drivers: Callable[[str], Driver] = load_driver) -> list[Seen]:
    """Every online or draining server of every hostgroup, all at the same time; each look is bounded by itself."""
    made = {database.driver: drivers(database.driver) for database in config.databases.values()}
    looks = [
        _look(config, made[database.driver], name, database, group, server)
        for name, database in config.databases.items()
        for group in config.hostgroups_of(name)
        for server in group.servers
        if server.status is not ServerStatus.OFFLINE
    ]
    return list(await asyncio.gather(*looks))


async def _look(
    config: RouterConfig, driver: Driver, name: str, database: DatabaseSettings, group: HostgroupSettings, server: ServerSettings
) -> Seen:
    pool = config.pool_for(group, server)
    # As its pool will connect, but for the read-only session: there a primary would look like a replica.
    options = connect_options(config, database, group, server, read_only=False, init=pool.init)
    place: dict[str, Any] = {
        "database": name,
        "hostgroup": group.name,
        "node": str(server.node_id),
        "writer": config.is_writer(group),
        "reader": database.reader_hostgroup == group.id,
        "endpoint": options.endpoint,
        "pool": pool.max_size,
    }
    started = monotonic()
    limit = options.timeout + GRACE
    connection: Connection | None = None
    try:
        async with asyncio.timeout(limit):
            connection = await driver.connect(options)
            seconds = monotonic() - started
            reply = await connection.probe()
            # Behind PgBouncer max_connections is the server's, and not what clients may have.
            numbers = None if options.via == "pgbouncer" else await _limits(connection, database.engine)
    except TimeoutError as error:
        return Seen(**place, error=f"no answer within {limit:g}s" if not str(error) else f"TimeoutError: {error}")
    except Exception as error:
        text = next(iter(str(error).splitlines()), "")
        return Seen(**place, error=f"{type(error).__name__}: {text}", seconds=monotonic() - started)
    finally:
        if connection is not None:
            connection.terminate()
    most, usable = numbers or (None, None)
    return Seen(
        **place,
        role=reply.role,
        version=reply.server_version,
        seconds=seconds,
        usable=usable,
        max_connections=most,
    )


async def _limits(connection: Connection, engine: Engine) -> tuple[int, int]:
    rows, _, _ = await connection.send(_LIMITS[engine], ())
    most, reserved, of_user, of_database = (int(value or 0) for value in tuple(rows[0]))
    # PostgreSQL says -1 for "no limit", MySQL 0; a limit of 0 lets nobody in, so we would not be here.
    limits = [most - reserved, *(limit for limit in (of_user, of_database) if limit > 0)]
    return most, min(limits)


def judge(seen: Sequence[Seen], processes: int) -> list[Problem]:
    """Everything that is wrong with *seen*, in the order of the configuration, for *processes* processes like this one."""
    problems = []
    for one in seen:
        if one.error is not None:
            problems.append(_problem(one, f"cannot be reached: {one.error}"))
        elif (wrong := _wrong_role(one, seen)) is not None:
            problems.append(_problem(one, wrong))
    problems += _too_many(seen, processes)
    return problems


def _problem(one: Seen, message: str) -> Problem:
    return Problem(path=f"database '{one.database}', hostgroup '{one.hostgroup}', server {one.node}", message=message)


def _wrong_role(one: Seen, seen: Iterable[Seen]) -> str | None:
    if one.writer:
        if one.role is Role.PRIMARY:
            return None
        return f"stands in the writer hostgroup and is {_article(one.role)}: no write could go there"
    if one.reader and one.role is Role.PRIMARY:
        writers = {other.node for other in seen if other.writer and other.database == one.database}
        if one.node not in writers:
            return "stands in the reader hostgroup and is a primary of its own: it does not follow the writer"
    return None


def _article(role: Role) -> str:
    return "of unknown role" if role is Role.UNKNOWN else f"a {role}"


def _too_many(seen: Iterable[Seen], processes: int) -> list[Problem]:
    """Pools of all databases and hostgroups against what each server gives, server by server."""
    by_server: dict[str, list[Seen]] = {}
    for one in seen:
        if one.error is None and one.usable is not None:
            by_server.setdefault(one.endpoint, []).append(one)
    problems = []
    for mine in by_server.values():
        # A server in two hostgroups has two pools and, per database, one probe.
        pools = sum(one.pool for one in mine)
        probes = _PROBES * len({(one.database, one.node) for one in mine})
        needed = processes * (pools + probes)
        usable = min(one.usable for one in mine if one.usable is not None)
        if needed > usable:
            problems.append(
                _problem(
                    mine[0],
                    f"{processes} {'process' if processes == 1 else 'processes'} with pools of {pools} and {probes} for probes "
                    f"may open {needed} connections, and the server gives {usable} (max_connections {mine[0].max_connections}, "
                    "reserved ones and the user's limit taken off)",
                )
            )
    return problems
