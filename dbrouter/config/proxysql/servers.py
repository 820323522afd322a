"""
ProxySQL's servers as ours: `ServerTable` holds them by hostgroup while a document is converted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.problems import Path, Problems
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.schema import is_default
from dbrouter.config.proxysql.tables import Family, Row
from dbrouter.config.proxysql.values import is_variable, seconds, truth, whole
from dbrouter.config.schema import PoolSettings
from dbrouter.terms import ServerStatus

NoteOf = Callable[[Row, str, Outcome, str], None]
POOL_SIZE: int = PoolSettings().max_size
_STATUS = {
    "ONLINE": ServerStatus.ONLINE,
    "SHUNNED": ServerStatus.ONLINE,
    "SHUNNED_REPLICATION_LAG": ServerStatus.ONLINE,
    "OFFLINE_SOFT": ServerStatus.DRAINING,
    "OFFLINE_HARD": ServerStatus.OFFLINE,
}


@dataclass(slots=True)
class Server:
    """One server of one hostgroup: its value for us, and where its parts were written."""

    row: Row
    value: Any
    origin: Path
    origins: dict[Path, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``host:port`` as messages have it."""
        if isinstance(self.value, str):
            return self.value
        place = self.value.get("host", self.value.get("socket", "?"))
        return f"{place}:{self.value['port']}" if "port" in self.value else str(place)


class ServerTable:
    """The servers of one engine, by hostgroup."""

    def __init__(self, family: Family, problems: Problems, note: NoteOf) -> None:
        self._problems = problems
        self._note = note
        self._by_hostgroup: dict[int, list[Server]] = {}
        self.init: dict[int, tuple[str, Path]] = {}
        """By hostgroup: a statement for every new connection, and where it was written."""
        for row in family.servers:
            number = whole(row.get("hostgroup_id", 0))
            if isinstance(number, int) and number >= 0:
                self.add(row, number)
            else:
                shown = problems.show(row.at("hostgroup_id"), row.get("hostgroup_id"))
                problems.add(row.at("hostgroup_id"), f"{shown} is not the number of a hostgroup", expected="0 or more")

    @property
    def hostgroups(self) -> list[int]:
        """The hostgroups that have servers, in the order of the document."""
        return list(self._by_hostgroup)

    def of(self, hostgroup: int) -> list[Server]:
        """The servers of *hostgroup*, in the order of the document."""
        return self._by_hostgroup.get(hostgroup, [])

    def add(self, row: Row, hostgroup: int) -> None:
        """Take *row* in."""
        self._by_hostgroup.setdefault(hostgroup, []).append(self._server(row, hostgroup))

    def has(self, hostgroups: Iterable[int], host: object, port: object) -> bool:
        """Whether a server of *hostgroups* is *host*:*port*."""
        wanted = f"{host}:{port}"
        return any(wanted in (server.name, f"{server.name}:{port}") for number in hostgroups for server in self.of(number))

    def copy_first(self, source: int, target: int) -> str:
        """Make the first online server of *source* one of *target* too; answers its name."""
        servers = self.of(source)
        first = next((server for server in servers if _online(server)), servers[0])
        value = dict(first.value) if isinstance(first.value, dict) else first.value
        self._by_hostgroup.setdefault(target, []).append(Server(first.row, value, first.origin, dict(first.origins)))
        return first.name

    def one_online(self, hostgroup: int) -> None:
        """Leave one server of a writer hostgroup online: the first; the others stand by."""
        online = [server for server in self.of(hostgroup) if _online(server)]
        for server in online[1:]:
            if isinstance(server.value, str):
                host, _, port = server.value.rpartition(":")
                server.value = {"host": host, "port": whole(port)} if host else {"host": server.value}
            server.value["status"] = str(ServerStatus.OFFLINE)
            why = (
                f"offline in the writer hostgroup: two primaries would split the writes, and {online[0].name} stands before it; "
                "where ProxySQL tells them apart by read_only, check which one is the primary"
            )
            self._note(server.row, "status", Outcome.CHANGED, why)

    def lag(self, hostgroup: int, *, writer: bool) -> tuple[str, Path] | None:
        """The smallest lag limit of *hostgroup* and where it was written; a primary has none."""
        limits = []
        for server in self.of(hostgroup):
            value = whole(server.row.get("max_replication_lag", 0))
            if not isinstance(value, int) or value <= 0:
                continue
            if writer:
                self._note(server.row, "max_replication_lag", Outcome.DROPPED, "a primary has no lag")
            else:
                limits.append((value, server.row))
        if not limits:
            return None
        smallest, row = min(limits, key=lambda limit: limit[0])
        for value, other in limits:
            same = value == smallest
            why = "" if same else f"a hostgroup has one limit: the smallest, {smallest} s"
            self._note(other, "max_replication_lag", Outcome.KEPT if same else Outcome.CHANGED, why)
        return seconds(smallest) or "0s", row.at("max_replication_lag")

    def tls(self, hostgroups: Iterable[int]) -> Path | None:
        """Where a server of *hostgroups* was told to be reached encrypted, or None where none was."""
        rows = [server.row for number in hostgroups for server in self.of(number)]
        wanted = [row for row in rows if truth(row.get("use_ssl", 0)) is True]
        for row in rows:
            if "use_ssl" in row.values and wanted:
                why = "" if row in wanted else "TLS is the database's: required for one server, it is for all"
                self._note(row, "use_ssl", Outcome.CHANGED if why else Outcome.KEPT, why)
        return wanted[0].at("use_ssl") if wanted else None

    def _server(self, row: Row, hostgroup: int) -> Server:
        if "endpoint" in row.values:
            row.label = f"{row.get('endpoint')} in hostgroup {hostgroup}"
            self._note(row, "endpoints", Outcome.KEPT, "")
            return Server(row, row.get("endpoint"), row.path)
        host, port = row.get("hostname"), row.get("port")
        row.label = f"{host}{'' if port is None else f':{port}'} in hostgroup {hostgroup}"
        value: dict[str, Any] = {}
        server = Server(row, value, row.path)
        if host is None:
            self._problems.add(row.path, "hostname is missing", expected="host name or address")
        if whole(port) == 0 if port is not None else False:
            value["socket"] = host
        else:
            value["host"] = host
            if port is not None:
                value["port"] = number if isinstance(number := whole(port), int) else port
        for key, column in (("host", "hostname"), ("socket", "hostname"), ("port", "port")):
            if key in value:
                server.origins[(key,)] = row.at(column)
        for column in ("hostgroup_id", "hostname", "port"):
            if column in row.values:
                self._note(row, column, Outcome.KEPT, "")
        if "weight" in row.values and whole(row.get("weight")) != 1:
            value["weight"] = row.get("weight")
            server.origins[("weight",)] = row.at("weight")
        if "weight" in row.values:
            self._note(row, "weight", Outcome.KEPT, "")
        self._status(row, server)
        self._connections(row, server)
        self._others(row)
        return server

    def _status(self, row: Row, server: Server) -> None:
        written = row.get("status")
        if written is None:
            return
        status = _STATUS.get(str(written).upper())
        if status is None:
            server.value["status"] = written  # the loader knows what it may be
        elif status is not ServerStatus.ONLINE:
            server.value["status"] = str(status)
        server.origins[("status",)] = row.at("status")
        shunned = str(written).upper().startswith("SHUNNED")
        why = "it was shunned when this was written; probes and breakers judge anew" if shunned else ""
        self._note(row, "status", Outcome.CHANGED if shunned else Outcome.KEPT, why)

    def _connections(self, row: Row, server: Server) -> None:
        written = row.get("max_connections")
        if written is None:
            return
        limit = whole(written)
        if isinstance(limit, int) and 0 < limit < POOL_SIZE:
            server.value["pool"] = {"max_size": limit}
            server.origins[("pool", "max_size")] = row.at("max_connections")
            self._note(row, "max_connections", Outcome.KEPT, "pool.max_size: per process, where ProxySQL counts all clients")
        elif limit == 0 or is_variable(written):
            server.value["weight"] = 0 if limit == 0 else server.value.get("weight", 1)
            self._note(row, "max_connections", Outcome.CHANGED, "a server without connections: weight 0")
        elif is_default(row.table, "max_connections", written):
            self._note(row, "max_connections", Outcome.KEPT, "ProxySQL's default; pool.max_size is per process here")
        else:
            why = (
                f"it counts all of the proxy's connections; here each process has its own pool of pool.max_size ({POOL_SIZE}): "
                f"{limit} allows {(limit or 0) // POOL_SIZE if isinstance(limit, int) else 'so many'} processes of that size"
            )
            self._note(row, "max_connections", Outcome.CHANGED, why)

    def _others(self, row: Row) -> None:
        reasons = {
            "gtid_port": "read-your-writes needs no port of its own: session() asks the replica",
            "compression": "the drivers speak without compression",
            "max_latency_ms": "no server is left out for its ping; balance: latency prefers the quick ones",
            "comment": "servers have no comment",
        }
        for column, why in reasons.items():
            if row.get(column) not in (None, 0, "0", ""):
                self._note(row, column, Outcome.DROPPED, why)
            elif column in row.values:
                self._note(row, column, Outcome.KEPT, "")
        if whole(row.get("max_replication_lag", 1)) == 0:
            self._note(row, "max_replication_lag", Outcome.KEPT, "no limit")
        if truth(row.get("use_ssl", 1)) is False:
            self._note(
                row, "use_ssl", Outcome.KEPT, "tls.mode is prefer where nothing is written: encrypted where the server offers it"
            )
        known = {"hostgroup_id", "hostname", "port", "weight", "status", "max_connections", "max_replication_lag", "use_ssl"}
        for column in row.values:
            if column not in known and column not in reasons:
                self._problems.unknown_key((*row.path, row.written.get(column, column)), [*known, *reasons])


def _online(server: Server) -> bool:
    return isinstance(server.value, str) or server.value.get("status", ServerStatus.ONLINE) == ServerStatus.ONLINE
