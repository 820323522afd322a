"""
The columns of ProxySQL's admin tables with the values they have where nothing is written: what a row says although it does not
say it, what an export may leave out, and `CREATE`, the tables themselves for SQLite.
"""

from __future__ import annotations

from typing import Any

Columns = dict[str, Any]
"""By name: the default; None is NULL, `NEEDED` has none."""
NEEDED = object()

_SERVERS: Columns = {
    "hostgroup_id": 0,
    "hostname": NEEDED,
    "port": 3306,
    "gtid_port": 0,
    "status": "ONLINE",
    "weight": 1,
    "compression": 0,
    "max_connections": 1000,
    "max_replication_lag": 0,
    "use_ssl": 0,
    "max_latency_ms": 0,
    "comment": "",
}
_USERS: Columns = {
    "username": NEEDED,
    "password": None,
    "active": 1,
    "use_ssl": 0,
    "default_hostgroup": 0,
    "default_schema": None,
    "schema_locked": 0,
    "transaction_persistent": 1,
    "fast_forward": 0,
    "backend": 1,
    "frontend": 1,
    "max_connections": 10000,
    "attributes": "",
    "comment": "",
}
_RULES: Columns = {
    "rule_id": NEEDED,
    "active": 0,
    "username": None,
    "schemaname": None,
    "flagIN": 0,
    "client_addr": None,
    "proxy_addr": None,
    "proxy_port": None,
    "digest": None,
    "match_digest": None,
    "match_pattern": None,
    "negate_match_pattern": 0,
    "re_modifiers": "CASELESS",
    "flagOUT": None,
    "replace_pattern": None,
    "destination_hostgroup": None,
    "cache_ttl": None,
    "cache_empty_result": None,
    "cache_timeout": None,
    "reconnect": None,
    "timeout": None,
    "retries": None,
    "delay": None,
    "next_query_flagIN": None,
    "mirror_flagOUT": None,
    "mirror_hostgroup": None,
    "error_msg": None,
    "OK_msg": None,
    "sticky_conn": None,
    "multiplex": None,
    "gtid_from_hostgroup": None,
    "log": None,
    "apply": 0,
    "attributes": "",
    "comment": None,
}
_FAST: Columns = {"username": NEEDED, "schemaname": NEEDED, "flagIN": 0, "destination_hostgroup": NEEDED, "comment": ""}
_PAIRS: Columns = {"writer_hostgroup": NEEDED, "reader_hostgroup": NEEDED, "check_type": "read_only", "comment": ""}
_GROUPS: Columns = {
    "writer_hostgroup": NEEDED,
    "backup_writer_hostgroup": NEEDED,
    "reader_hostgroup": NEEDED,
    "offline_hostgroup": NEEDED,
    "active": 1,
    "max_writers": 1,
    "writer_is_also_reader": 0,
    "max_transactions_behind": 0,
    "comment": None,
}
_AURORA: Columns = {
    "writer_hostgroup": NEEDED,
    "reader_hostgroup": NEEDED,
    "active": 1,
    "aurora_port": 3306,
    "domain_name": NEEDED,
    "max_lag_ms": 600000,
    "check_interval_ms": 1000,
    "check_timeout_ms": 800,
    "writer_is_also_reader": 0,
    "new_reader_weight": 1,
    "add_lag_ms": 30,
    "min_lag_ms": 30,
    "lag_num_checks": 1,
    "comment": None,
}
_ATTRIBUTES: Columns = {
    "hostgroup_id": NEEDED,
    "max_num_online_servers": 1000000,
    "autocommit": -1,
    "free_connections_pct": 10,
    "init_connect": "",
    "multiplex": 1,
    "connection_warming": 0,
    "throttle_connections_per_sec": 1000000,
    "ignore_session_variables": "",
    "hostgroup_settings": "",
    "servers_defaults": "",
    "comment": "",
}


def _without(columns: Columns, *names: str, **changed: Any) -> Columns:
    return {name: changed.get(name, default) for name, default in columns.items() if name not in names}


def _database_for_schema(columns: Columns) -> Columns:
    return {"database" if name == "schemaname" else name: default for name, default in columns.items()}


COLUMNS: dict[str, Columns] = {
    "mysql_servers": _SERVERS,
    "mysql_users": _USERS,
    "mysql_query_rules": _RULES,
    "mysql_query_rules_fast_routing": _FAST,
    "mysql_replication_hostgroups": _PAIRS,
    "mysql_group_replication_hostgroups": _GROUPS,
    "mysql_galera_hostgroups": _GROUPS,
    "mysql_aws_aurora_hostgroups": _AURORA,
    "mysql_hostgroup_attributes": _ATTRIBUTES,
    "pgsql_servers": _without(_SERVERS, "gtid_port", port=5432),
    "pgsql_users": _without(_USERS, "default_schema", "schema_locked"),
    "pgsql_query_rules": _database_for_schema(_without(_RULES, "gtid_from_hostgroup")),
    "pgsql_query_rules_fast_routing": _database_for_schema(_FAST),
    "pgsql_replication_hostgroups": _PAIRS,
    "pgsql_hostgroup_attributes": _without(_ATTRIBUTES, "autocommit"),
    "global_variables": {"variable_name": NEEDED, "variable_value": NEEDED},
}
_KEYS = {
    "servers": ("hostgroup_id", "hostname", "port"),
    "users": ("username", "backend"),
    "query_rules": ("rule_id",),
    "fast_routing": ("username", "schemaname", "database", "flagIN"),
    "attributes": ("hostgroup_id",),
    "hostgroups": ("writer_hostgroup",),
    "variables": ("variable_name",),
}


def is_default(table: str, column: str, value: Any) -> bool:
    """Whether *value* is what *column* has where nothing is written."""
    default = COLUMNS.get(table.removeprefix("runtime_"), {}).get(column, NEEDED)
    return default is not NEEDED and (value == default or str(value) == str(default))


def _create(table: str, columns: Columns) -> str:
    parts = []
    for name, default in columns.items():
        kind = "INT" if isinstance(default, int) or name.endswith(("hostgroup", "_id", "flagIN")) else "VARCHAR"
        said = " NOT NULL" if default is NEEDED else " DEFAULT NULL" if default is None else f" DEFAULT {default!r}"
        parts.append(f"{name} {kind}{said}" if name != "rule_id" else "rule_id INTEGER PRIMARY KEY NOT NULL")
    key = next(names for ending, names in _KEYS.items() if table.endswith(ending))
    if "rule_id" not in key:  # SQLite counts such a column up by itself only where it says so on its own.
        parts.append(f"PRIMARY KEY ({', '.join(name for name in key if name in columns)})")
    return f"CREATE TABLE {table} ({', '.join(parts)});\n"


CREATE: dict[str, str] = {name: _create(name, columns) for base, columns in COLUMNS.items() for name in (base, f"runtime_{base}")}
"""The statement that makes each table, and the one ProxySQL shows as ``runtime_…``."""
