"""A cluster of ProxySQL's hostgroups as a database of ours: its name, who logs in, its hostgroups with their servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.config.problems import Path
from dbrouter.config.proxysql.clusters import Cluster
from dbrouter.config.proxysql.output import GENERATED, SPLIT, Output
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.servers import ServerTable
from dbrouter.config.proxysql.tables import Family, Row
from dbrouter.config.proxysql.users import database_name, login, stored_form
from dbrouter.config.proxysql.values import truth, whole
from dbrouter.terms import Engine

NO_SCHEMA = "information_schema"
"""ProxySQL's own ``default_schema``, which its sample file has too: nobody's tables are there."""
_NO_CLIENTS = "it is about clients of the proxy, and there are none"


class DatabaseWriter:
    """Writes the databases and hostgroups of one engine."""

    def __init__(
        self,
        output: Output,
        family: Family,
        servers: ServerTable,
        logins: list[Row],
        number_of: Mapping[int, int],
        dbname: str | None,
    ) -> None:
        self._output = output
        self._family = family
        self._servers = servers
        self._logins = logins
        self._number_of = number_of
        self._dbname = dbname

    def write(self, cluster: Cluster) -> str:
        """Write the database of *cluster*; answers its name."""
        output, family, servers = self._output, self._family, self._servers
        logins = [row for row in self._logins if login(row, cluster, servers)]
        schema, schema_at = self._schema(cluster, logins)
        name = database_name(cluster, schema, output.value["databases"])
        place: Path = ("databases", name)
        user = cluster.users[0] if cluster.users else None
        row = user.row if user is not None else logins[0] if logins else None
        origin: Path = row.path if row is not None else servers.of(cluster.writer)[0].origin
        output.put(place, {"engine": str(family.engine)}, origin)
        if row is not None:
            self._credentials(place, row)
        if user is not None:
            self._user_columns(user.row)
        if schema is not None:
            output.put((*place, "database"), schema, schema_at or origin)
        elif row is not None and family.variables.get("default_schema", (None, ()))[0] == NO_SCHEMA:
            why = (
                f"{NO_SCHEMA} is where ProxySQL leaves clients that name none: write databases.{name}.database, or pass --dbname"
            )
            output.note(row, "default_schema", Outcome.CHANGED, why)
        elif family.engine is Engine.POSTGRESQL:
            why = f"ProxySQL leaves the database's name to its clients: write databases.{name}.database, or pass --dbname"
            output.say(f"{family.prefix}_users", row.label if row is not None else "", Outcome.CHANGED, why)
        if encrypted := servers.tls(cluster.hostgroups):
            output.put((*place, "tls"), {"mode": "require"}, encrypted)
        self._hostgroup_keys(place, cluster, user.row.at("default_hostgroup") if user is not None else origin)
        for other in cluster.users[1:] if cluster.own_users else []:
            self._other_user(other.row, other.name, name)
        for extra in logins:
            self._used_login(extra, row)
        for number in cluster.hostgroups:
            self._hostgroup(number, name, cluster)
        return name

    def _schema(self, cluster: Cluster, logins: list[Row]) -> tuple[Any, Path | None]:
        """The name of the database on its servers and where it is written: whoever names it most nearly."""
        if self._dbname is not None:
            return self._dbname, None
        if cluster.schema is not None:
            return cluster.schema, None
        if cluster.users and (schema := cluster.users[0].row.get("default_schema")):
            return schema, cluster.users[0].row.at("default_schema")
        for row in logins:
            if row.get("dbname"):
                return row.get("dbname"), row.at("dbname")
        if self._family.engine is Engine.MYSQL:
            value, path = self._family.variables.get("default_schema", (None, None))
            return (value, path) if value != NO_SCHEMA else (None, None)
        schemas = {rule.get("schemaname") for rule in self._family.rules if rule.get("schemaname")}
        return (schemas.pop(), None) if len(schemas) == 1 else (None, None)

    def _credentials(self, place: Path, row: Row) -> None:
        note = self._output.note
        if row.get("username"):
            self._output.put((*place, "user"), row.get("username"), row.at("username"))
            note(row, "username", Outcome.KEPT)
        if not (password := row.get("password")):
            return
        if form := stored_form(str(password)):
            why = f"it is {form}, from which nobody can log in: write the password itself"
            note(row, "password", Outcome.DROPPED, why)
        else:
            self._output.put((*place, "password"), password, row.at("password"))
            note(row, "password", Outcome.KEPT)

    def _user_columns(self, row: Row) -> None:
        for column in ("default_hostgroup", "default_schema"):
            if column in row.values:
                self._output.note(row, column, Outcome.KEPT)
        if str(row.get("comment", "")).startswith(GENERATED):
            self._output.note(row, "comment", Outcome.KEPT, "the database's name")
        if truth(row.get("transaction_persistent", 1)) is False:
            self._output.note(row, "transaction_persistent", Outcome.CHANGED, "a transaction always stays on its server")
        self._output.rest(row, _NO_CLIENTS)

    def _hostgroup_keys(self, place: Path, cluster: Cluster, origin: Path) -> None:
        user = cluster.users[0] if cluster.users else None
        self._output.put((*place, "writer_hostgroup"), self._number_of[cluster.writer], origin)
        if cluster.reader is None:
            return
        self._output.put((*place, "reader_hostgroup"), self._number_of[cluster.reader], origin)
        splits = any(
            str(rule.get("comment", "")) == SPLIT and whole(rule.get("destination_hostgroup", "")) in cluster.hostgroups
            for rule in self._family.rules
        )
        if not splits:
            default = user.default if user is not None and user.default in cluster.hostgroups else cluster.writer
            self._output.put((*place, "default_hostgroup"), self._number_of[default], origin)

    def _other_user(self, row: Row, user: str, database: str) -> None:
        why = (
            f"a database has one user to log in as: a service that is {user!r} is given a file of its own (--user {user}); "
            f"in database {database} rules for this user hold where dbrouter.context(username=…) says so"
        )
        self._output.note(row, "", Outcome.DROPPED, why)

    def _used_login(self, row: Row, used: Row | None) -> None:
        for column in ("hostname", "port", "dbname"):
            if column in row.values:
                self._output.note(row, column, Outcome.KEPT)
        if row is not used:
            why = "ProxySQL logs in to servers with the user's own name and password, and so does dbrouter"
            self._output.rest(row, why)

    def _hostgroup(self, number: int, database: str, cluster: Cluster) -> None:
        output, servers = self._output, self._servers
        place: Path = ("hostgroups", len(output.value["hostgroups"]))
        written = servers.of(number)
        origin = written[0].origin
        taken = {item.get("name") for item in output.value["hostgroups"]}
        output.put(place, {}, origin)
        output.put((*place, "id"), self._number_of[number], written[0].row.at("hostgroup_id"))
        if (name := self._family.names.get(number)) and name not in taken and not name.isdigit():
            output.put((*place, "name"), name, origin)
        if number not in (cluster.writer, cluster.reader):
            output.put((*place, "database"), database, origin)
        if (lag := servers.lag(number, writer=number == cluster.writer)) is not None:
            output.put((*place, "max_replication_lag"), *lag)
        if number in servers.init:
            statement, where = servers.init[number]
            output.put((*place, "pool"), {"init": [statement]}, where)
        output.put((*place, "servers"), [], origin)
        for index, server in enumerate(written):
            at: Path = (*place, "servers", index)
            output.put(at, server.value, server.origin)
            output.origins |= {(*at, *key): where for key, where in server.origins.items()}
