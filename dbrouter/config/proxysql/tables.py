"""
ProxySQL's tables as they stand in a document: which keys are tables, what their columns are called, where each value was written.

A document is ProxySQL-shaped when a key of its top is one of ProxySQL's (``mysql_servers``, ``pgsql_query_rules``, …), when its
``databases`` are a list of logins, or when its ``hostgroups`` say ``hg``. `read_tables` takes it apart without judging values:
aliases are brought under one name, so that the rest knows one spelling (``address`` and ``hostname``, ``hg`` and
``hostgroup_id``, …).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dbrouter.config.model import RouterConfig
from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.terms import Engine

FAMILIES = {"mysql": Engine.MYSQL, "pgsql": Engine.POSTGRESQL}
_READ = {
    "users": "users",
    "servers": "servers",
    "query_rules": "rules",
    "query_rules_fast_routing": "fast_routes",
    "replication_hostgroups": "pairs",
    "group_replication_hostgroups": "pairs",
    "galera_hostgroups": "pairs",
    "aws_aurora_hostgroups": "pairs",
    "hostgroup_attributes": "attributes",
}
"""Tables that are converted, by their name without the family, and where `Family` keeps their rows."""
_UNREAD = (
    "servers_ssl_params",
    "firewall_whitelist_users",
    "firewall_whitelist_rules",
    "firewall_whitelist_sqli_fingerprints",
    "ldap_mapping",
    "collations",
)
OTHER_TABLES: dict[str, str] = {
    **{f"{family}_{name}": "dbrouter has no such table" for family in FAMILIES for name in _UNREAD},
    "admin_variables": "there is no admin interface",
    "datadir": "the state of a router is in memory",
    "errorlog": "logging is the application's",
    "scheduler": "nothing is run at intervals",
    "proxysql_servers": "routers form no cluster of their own",
    "restapi": "there is no REST API",
    "restapi_routes": "there is no REST API",
    "restapi_variables": "there is no REST API",
    "web_interface_plugin": "the health endpoints are mounted in the application",
    "coredump_filters": "it is about the proxy's own process",
    "debug_levels": "it is about the proxy's own process",
    "debug_filters": "it is about the proxy's own process",
    "clickhouse_users": "ClickHouse is not an engine of dbrouter",
    "clickhouse_variables": "ClickHouse is not an engine of dbrouter",
    "sqliteserver_variables": "there is no SQLite server",
    "ldap_variables": "users log in to the servers only",
    "global_settings": "it is about the proxy's own process",
    "cluster_sync_interfaces": "routers form no cluster of their own",
}
_OURS_IN_ANOTHER_SHAPE = ("databases", "hostgroups", "query_rules", "query_rules_fast_routing")
OWN_SETTINGS = tuple(name for name in RouterConfig.model_fields if name not in _OURS_IN_ANOTHER_SHAPE)
"""Keys of ours that may stand in a ProxySQL-shaped document; they win over what ProxySQL's variables say."""
TABLES = (
    "databases",
    "hostgroups",
    "global_variables",
    *(f"{family}_{name}" for family in FAMILIES for name in ("variables", *_READ)),
    *OTHER_TABLES,
)

ALIASES: dict[str, dict[str, str]] = {
    "servers": {"address": "hostname", "host": "hostname", "hostgroup": "hostgroup_id", "hg": "hostgroup_id"},
    "users": {"user": "username", "schema": "default_schema", "hostgroup": "default_hostgroup"},
    "rules": {"database": "schemaname", "ok_msg": "OK_msg"},
    "fast_routes": {"database": "schemaname"},
    "attributes": {"hostgroup": "hostgroup_id"},
    "logins": {"host": "hostname", "address": "hostname", "user": "username", "database": "dbname", "schema": "dbname"},
    "hostgroups": {
        "hostgroup": "hg",
        "hostgroup_id": "hg",
        "id": "hg",
        "endpoint": "endpoints",
        "servers": "endpoints",
        "hosts": "endpoints",
    },
}


@dataclass(slots=True)
class Row:
    """A row of a table: values by column (NULLs left out) and where each was written."""

    table: str
    path: Path
    values: dict[str, Any]
    written: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    def at(self, column: str) -> Path:
        """Where the value of *column* was written; the row's place where it was not."""
        return (*self.path, self.written[column]) if column in self.written else self.path

    def get(self, column: str, default: Any = None) -> Any:
        """The value of *column*, or *default* where it is NULL or not written."""
        return self.values.get(column, default)


@dataclass(slots=True)
class Family:
    """ProxySQL's tables of one engine."""

    prefix: str
    engine: Engine
    variables: dict[str, tuple[Any, Path]] = field(default_factory=dict)
    users: list[Row] = field(default_factory=list)
    servers: list[Row] = field(default_factory=list)
    rules: list[Row] = field(default_factory=list)
    fast_routes: list[Row] = field(default_factory=list)
    pairs: list[Row] = field(default_factory=list)
    attributes: list[Row] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """Names of hostgroups, where the document gives any."""

    def rows(self) -> Iterator[Row]:
        """Every row of every table."""
        for rows in (self.users, self.servers, self.rules, self.fast_routes, self.pairs, self.attributes):
            yield from rows


@dataclass(slots=True)
class Tables:
    """A ProxySQL-shaped document taken apart."""

    families: list[Family] = field(default_factory=list)
    idle: list[Family] = field(default_factory=list)
    """Engines that are spoken of and have no servers: a ProxySQL without any PostgreSQL has variables for it too."""
    logins: list[Row] = field(default_factory=list)
    """The rows of a ``databases`` list: hostname, port, username, password, dbname."""
    unread: dict[str, Any] = field(default_factory=dict)
    """Tables and settings that dbrouter has nothing for, by name."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Keys that neither ProxySQL nor dbrouter is known to have, and what may have been meant."""
    own: dict[str, Any] = field(default_factory=dict)
    """Settings of dbrouter in the same document."""


def is_proxysql(document: Any) -> bool:
    """Whether *document* has ProxySQL's shape (it may still be wrong)."""
    if not isinstance(document, dict):
        return False
    ours = {"databases", "hostgroups", *OWN_SETTINGS}
    if any(_plain(str(key)) in TABLES and key not in ours for key in document):
        return True
    hostgroups = document.get("hostgroups")
    items = hostgroups if isinstance(hostgroups, list) else []
    databases = document.get("databases")
    logins = databases if isinstance(databases, list) else []
    return any(isinstance(item, dict) and "hg" in item for item in items) or any(
        isinstance(item, dict) and item.keys() & {"hostname", "dbname"} for item in logins
    )


def read_tables(document: dict[str, Any], problems: Problems, *, lenient: bool = False) -> Tables:
    """
    *document* taken apart; what cannot be a table goes to *problems*.

    Args:
        lenient: keys that nobody knows are kept apart, as ProxySQL passes over them; else they are problems.
    """
    tables = Tables()
    families = {prefix: Family(prefix, engine) for prefix, engine in FAMILIES.items()}
    names = [str(key) for key in document]
    for key in names:
        table, prefix = _plain(key), key.removeprefix("runtime_").partition("_")[0]
        value = document[key]
        if key.startswith("runtime_") and table in document:
            continue  # the configured table says what is meant to be
        if value is None:
            continue
        if key in OWN_SETTINGS:
            tables.own[key] = value
        elif key == "databases" and isinstance(value, dict):
            foreign = next(name for name in names if _plain(name) in TABLES and name not in ("databases", "hostgroups"))
            problems.add((key,), f"is of dbrouter's shape and {foreign} of ProxySQL's: a file has one shape")
        elif key == "databases":
            tables.logins = _rows(key, "logins", value, problems)
        elif table == "global_variables":
            _global_variables(families, _rows(key, "variables", value, problems), tables)
        elif table in OTHER_TABLES:
            tables.unread[key] = value
        elif table in TABLES and table != "hostgroups":
            family, name = families[prefix], table.removeprefix(f"{prefix}_")
            if name == "variables":
                family.variables |= _variables(key, value, problems)
            else:
                getattr(family, _READ[name]).extend(_rows(key, _READ[name], value, problems))
        elif key != "hostgroups" and lenient:
            tables.unknown[key] = did_you_mean(key, TABLES)
        elif key != "hostgroups":
            problems.unknown_key((key,), (*TABLES, *OWN_SETTINGS))
    present = [family for family in families.values() if family.variables or any(True for _ in family.rows())]
    if "hostgroups" in document or not present:
        family = present[0] if present else families["mysql"]
        _hostgroups(family, document.get("hostgroups"), problems)
        present = present or [family]
    tables.families = [family for family in present if family.servers] or present[:1]
    tables.idle = [family for family in present if family not in tables.families]
    return tables


def _plain(key: str) -> str:
    return key.removeprefix("runtime_")


def _rows(table: str, kind: str, value: Any, problems: Problems) -> list[Row]:
    if not isinstance(value, (list, tuple)):
        problems.add((table,), f"{problems.show((table,), value)} is not a list of rows", expected="a list of rows")
        return []
    rows = []
    for index, item in enumerate(value):
        path: Path = (table, index)
        if isinstance(item, dict):
            rows.append(_row(table, kind, path, item, problems))
        else:
            problems.add(path, f"{problems.show(path, item)} is not a row (a mapping of columns to values)")
    return rows


def _row(table: str, kind: str, path: Path, item: dict[str, Any], problems: Problems) -> Row:
    columns, written = _columns(kind, tuple(item))
    values = {}
    for key, value in item.items():
        column = columns[key]
        if written[column] != str(key):
            problems.add((*path, str(key)), f"is {column}, which is given as {written[column]} too")
        elif value is not None:
            values[column] = value
    return Row(table, path, values, written)


@lru_cache(maxsize=256)
def _columns(kind: str, keys: tuple[Any, ...]) -> tuple[dict[Any, str], dict[str, str]]:
    """The column of each of *keys*, and how each column is written where it is written first; rows of a table share them."""
    aliases = ALIASES.get(kind, {})
    columns: dict[Any, str] = {}
    written: dict[str, str] = {}
    for key in keys:
        lower = str(key).lower()
        columns[key] = aliases[lower] if lower in aliases else _COLUMN_CASE.get(lower, str(key))
        written.setdefault(columns[key], str(key))
    return columns, written


_COLUMN_CASE = {
    name.lower(): name for name in ("flagIN", "flagOUT", "next_query_flagIN", "mirror_flagOUT", "OK_msg", "error_msg", "rule_id")
}
"""SQLite, where ProxySQL keeps its tables, does not tell capitals in the names of columns."""


def _variables(table: str, value: Any, problems: Problems) -> dict[str, tuple[Any, Path]]:
    if not isinstance(value, dict):
        problems.add((table,), f"{problems.show((table,), value)} is not a mapping of variables to values")
        return {}
    prefix = table.removeprefix("runtime_").removesuffix("_variables")
    return {
        str(name).removeprefix(f"{prefix}-").removeprefix(f"{prefix}_"): (held, (table, str(name)))
        for name, held in value.items()
        if held is not None
    }


def _global_variables(families: dict[str, Family], rows: list[Row], tables: Tables) -> None:
    for row in rows:
        prefix, _, name = str(row.get("variable_name", "")).partition("-")
        if prefix in families and name:
            families[prefix].variables[name] = (row.get("variable_value", ""), row.at("variable_value"))
        elif name:
            tables.unread.setdefault(f"{prefix}_variables", {})[name] = ""


def _hostgroups(family: Family, value: Any, problems: Problems) -> None:
    """The spelling ``hostgroups: [{name, hg, endpoints}]``: its servers, as rows of the table of servers."""
    if value is None:
        return
    for row in _rows("hostgroups", "hostgroups", value, problems):
        number = row.get("hg")
        if number is None:
            problems.add((*row.path, "hg"), "is missing", expected="the number of the hostgroup")
            continue
        if isinstance(name := row.get("name"), str) and isinstance(number, int):
            family.names[number] = name
        endpoints, where = row.get("endpoints", []), row.at("endpoints")
        if isinstance(endpoints, str):
            split = [text for text in endpoints.replace(",", " ").split() if text]
            items: list[tuple[Path, Any]] = [(where, text) for text in split]
        elif isinstance(endpoints, list):
            items = [((*where, index), item) for index, item in enumerate(endpoints)]
        else:
            problems.add(where, f"{problems.show(where, endpoints)} is not host:port, or a list of them")
            continue
        for path, item in items:
            if isinstance(item, dict):
                server = _row("hostgroups", "servers", path, item, problems)
            else:
                server = Row("hostgroups", path, {"endpoint": item})
            server.values.setdefault("hostgroup_id", number)
            family.servers.append(server)
        for column in row.values:
            if column not in ("hg", "name", "endpoints"):
                known = ("hg", "name", "endpoints")
                problems.unknown_key((*row.path, row.written[column]), known)
