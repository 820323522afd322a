"""
To PgBouncer: `export_pgbouncer` writes the pooler that stands between routers and servers when their processes have outgrown the
servers' connections, and the router's own configuration for running in front of it.

Every server of every hostgroup becomes a database of PgBouncer (``shop_write``, ``shop_read_1``, …), so that the router goes on
choosing servers, with a breaker and a probe for each. Sessions of readers are opened read-only by PgBouncer, which is what the
router cannot do through a pooler; what the router set at connect, PgBouncer sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.dump import to_mapping, to_yaml
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings, TlsMode, Via
from dbrouter.config.proxysql import Note, Outcome
from dbrouter.errors import ConfigError, Problem
from dbrouter.terms import Engine

LISTEN_PORT = 6432
MAX_CLIENTS = 1000


@dataclass(slots=True)
class ForPgBouncer:
    """
    The files of a PgBouncer, and the router's configuration in front of it.

    Attributes:
        ini: ``pgbouncer.ini``.
        userlist: ``userlist.txt``; it holds passwords.
        router: the router's configuration as users write it, ``via: pgbouncer``.
        notes: what the files cannot say, or not in the same way.
    """

    ini: str
    userlist: str
    router: dict[str, Any]
    notes: list[Note] = field(default_factory=list)

    @property
    def yaml(self) -> str:
        """The text of the router's configuration."""
        return to_yaml(self.router, comment="The router in front of PgBouncer; made by dbrouter export pgbouncer.")


def export_pgbouncer(
    config: RouterConfig,
    *,
    host: str = "127.0.0.1",
    port: int = LISTEN_PORT,
    auth_file: str = "userlist.txt",
    max_clients: int = MAX_CLIENTS,
) -> ForPgBouncer:
    """
    PgBouncer in transaction mode for the PostgreSQL databases of *config*, and *config* rewritten to go through it.

    Args:
        host, port: where PgBouncer listens.
        auth_file: the path of ``userlist.txt`` as PgBouncer is to find it.
        max_clients: connections that all routers together may open to it.

    Raises:
        ConfigError: there is no PostgreSQL database, or one is behind a pooler already.
    """
    _check(config)
    return _Writer(config, host, port).write(auth_file, max_clients)


def _check(config: RouterConfig) -> None:
    databases = config.databases.values()
    if not any(database.engine is Engine.POSTGRESQL for database in databases):
        raise ConfigError([Problem(path="databases", message="none is PostgreSQL, the only engine that PgBouncer speaks")])
    behind = [database.name for database in databases if database.via is Via.PGBOUNCER]
    if behind:
        raise ConfigError([Problem(path=f"databases.{name}.via", message="is behind PgBouncer already") for name in behind])


class _Writer:
    def __init__(self, config: RouterConfig, host: str, port: int) -> None:
        self._config = config
        self._host = host
        self._port = port
        self._notes: list[Note] = []
        self._taken: set[str] = set()

    def write(self, auth_file: str, max_clients: int) -> ForPgBouncer:
        config = self._config
        router = to_mapping(config)
        entries: list[str] = []
        users: dict[str, str] = {}
        tls: dict[str, str] = {}
        for name, database in config.databases.items():
            if database.engine is not Engine.POSTGRESQL:
                self._note("databases", name, "", Outcome.KEPT, "it is MySQL: the router goes on reaching its servers itself")
                continue
            written = router["databases"][name]
            self._user(name, database, users, written)
            tls |= self._tls(name, database, tls)
            written["via"] = str(Via.PGBOUNCER)
            written["tls"] = {"mode": str(TlsMode.DISABLE)}
            written.pop("default_port", None)
            names = ", ".join(key for key in database.server_settings if key != "application_name")
            if names:
                named = {key: value for key, value in written.pop("server_settings").items() if key == "application_name"}
                written |= {"server_settings": named} if named else {}
                self._note("databases", name, "server_settings", Outcome.CHANGED, f"{names}: set by PgBouncer's connect_query")
            for index, hostgroup in enumerate(config.hostgroups):
                if hostgroup.database == name:
                    entries += self._hostgroup(database, hostgroup, router["hostgroups"][index])
        pooled = router.get("pool", {}).pop("init", None)
        if pooled and any(database.engine is Engine.MYSQL for database in config.databases.values()):
            router["pool"]["init"] = pooled
        if router.get("pool") == {}:
            del router["pool"]
        self._note(
            "databases",
            "",
            "",
            Outcome.CHANGED,
            "one transaction, one server connection: LISTEN, session locks and SET do not outlive it",
        )
        settings = {
            "listen_addr": self._host,
            "listen_port": self._port,
            "auth_type": "scram-sha-256",
            "auth_file": auth_file,
            "pool_mode": "transaction",
            "max_client_conn": max_clients,
            "ignore_startup_parameters": "extra_float_digits",
            **tls,
        }
        lines = ["[databases]", *entries, "", "[pgbouncer]", *(f"{key} = {value}" for key, value in settings.items())]
        userlist = "".join(f"{_quoted(user)} {_quoted(password)}\n" for user, password in users.items())
        return ForPgBouncer("\n".join(lines) + "\n", userlist, router, self._notes)

    def _note(self, table: str, row: str, column: str, outcome: Outcome, why: str) -> None:
        self._notes.append(Note(table, row, column, outcome, why))

    def _user(self, name: str, database: DatabaseSettings, users: dict[str, str], written: dict[str, Any]) -> None:
        """Who logs in to PgBouncer, and as whom it logs in to the servers: it knows one password for each name."""
        user = database.user or name
        password = database.password.get_secret_value() if database.password is not None else ""
        if database.user is None:
            written["user"] = user
            why = f"none is written, and PgBouncer must know it: {user!r} stands in userlist.txt and in dbrouter.yaml"
            self._note("databases", name, "user", Outcome.CHANGED, why)
        if database.password is None:
            why = "none is written: fill it in in userlist.txt and in dbrouter.yaml"
            self._note("databases", name, "password", Outcome.DROPPED, why)
        elif users.setdefault(user, password) not in (password, ""):
            why = (
                f"PgBouncer has one password for {user!r}, and that is another database's: nobody can log in to this one; "
                "give it a user of its own, or a PgBouncer of its own"
            )
            self._note("databases", name, "password", Outcome.DROPPED, why)
            return
        users[user] = password or users.get(user, "")

    def _tls(self, name: str, database: DatabaseSettings, others: dict[str, str]) -> dict[str, str]:
        """PgBouncer has one way to reach all servers."""
        tls = database.tls
        settings = {"server_tls_sslmode": str(tls.mode)}
        for key, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
            if path is not None:
                settings[f"server_tls_{key}_file"] = path
        if others and settings != others:
            why = "PgBouncer reaches all servers in one way: the first database's"
            self._note("databases", name, "tls", Outcome.CHANGED, why)
            return others
        why = "PgBouncer encrypts to the servers, nothing does up to it: keep it on the router's machine, or set client_tls_*"
        self._note("databases", name, "tls", Outcome.CHANGED, why)
        return settings

    def _hostgroup(self, database: DatabaseSettings, hostgroup: HostgroupSettings, written: dict[str, Any]) -> Iterator[str]:
        many = len(hostgroup.servers) > 1
        writer = self._config.is_writer(hostgroup)
        base = hostgroup.name if hostgroup.name != f"hostgroup-{hostgroup.id}" else "write" if writer else f"read_{hostgroup.id}"
        base = re.sub(r"\W+", "_", base)
        if database.name not in base:
            base = f"{re.sub(r'[^A-Za-z0-9_]+', '_', database.name)}_{base}"
        servers = []
        for index, server in enumerate(hostgroup.servers, start=1):
            entry = self._free(f"{base}_{index}" if many else base)
            yield self._entry(entry, database, hostgroup, server)
            kept = {key: value for key, value in written["servers"][index - 1].items() if key not in ("host", "port", "socket")}
            servers.append({"host": self._host, "port": self._port, "database": entry, **kept})
        written["servers"] = servers
        if isinstance(pool := written.get("pool"), dict):
            pool.pop("init", None)
            if not pool:
                del written["pool"]

    def _entry(self, entry: str, database: DatabaseSettings, hostgroup: HostgroupSettings, server: ServerSettings) -> str:
        pool = self._config.pool_for(hostgroup, server)
        settings = {name: value for name, value in database.server_settings.items() if name != "application_name"}
        if hostgroup.read_only:
            settings["default_transaction_read_only"] = "on"
        # set_config takes the text as the server's own configuration would; SET would make one name of a list of schemas.
        statements = [f"SELECT set_config({_sql_text(name)}, {_sql_text(value)}, false)" for name, value in settings.items()]
        statements += [statement.strip().rstrip(";") for statement in pool.init]
        parts = {
            "host": server.host,
            "port": str(server.port),
            "dbname": server.database or database.database or database.user or database.name,
            "pool_size": str(pool.max_size),
        }
        if statements:
            parts["connect_query"] = "; ".join(statements)
        return f"{entry} = " + " ".join(f"{key}={_value(value)}" for key, value in parts.items())

    def _free(self, wish: str) -> str:
        name, number = wish, 1
        while name in self._taken or name == "pgbouncer":
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name


def _value(text: str) -> str:
    """A value of a connection string of PgBouncer's: quoted where it must be, a quote in it doubled."""
    return text if re.fullmatch(r"[\w./:-]+", text) else "'" + text.replace("'", "''") + "'"


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
