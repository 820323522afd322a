"""
What ProxySQL's admin tables accept, by its documentation of them: the tables for SQLite with their types, keys and conditions.

Beside `dbrouter.config.proxysql.schema`, which knows columns and defaults, this is the second opinion that exports are held
against: SQLite refuses what ProxySQL's admin interface would refuse.
"""

from __future__ import annotations

ZERO_OR_ONE = "INT NOT NULL DEFAULT {0} CHECK ({1} BETWEEN 0 AND 1)"


def flag(name: str, default: int) -> str:
    """A column that is 0 or 1."""
    return f"{name} {ZERO_OR_ONE.format(default, name)}"


def between(name: str, low: int, high: int | None = None, *, default: int | None = None) -> str:
    """A column of numbers with bounds, NULL unless it has a default."""
    bounds = f"{name} >= {low}" + (f" AND {name} <= {high}" if high is not None else "")
    kind = f"NOT NULL DEFAULT {default}" if default is not None else ""
    return f"{name} INT {kind} CHECK ({name} IS NULL OR ({bounds}))"


def text(name: str, default: str | None = "") -> str:
    """A column of texts, NULL where its default is none."""
    return f"{name} VARCHAR" + (f" NOT NULL DEFAULT '{default}'" if default is not None else "")


def json_text(name: str) -> str:
    """A column of JSON, or of nothing."""
    return f"{name} VARCHAR NOT NULL DEFAULT '' CHECK ({name} = '' OR json_valid({name}))"


def table(name: str, *parts: str) -> str:
    """The statement that makes a table."""
    return f"CREATE TABLE {name} ({', '.join(parts)});\n"


def servers(engine: str, port: int) -> str:
    """The servers of an engine; those of MySQL have a port for GTIDs, which is another one."""
    gtid = ("gtid_port INT NOT NULL DEFAULT 0 CHECK (gtid_port = 0 OR gtid_port BETWEEN 1 AND 65535 AND gtid_port <> port)",)
    return table(
        f"{engine}_servers",
        between("hostgroup_id", 0, default=0),
        "hostname VARCHAR NOT NULL",
        between("port", 0, 65535, default=port),
        *(gtid if engine == "mysql" else ()),
        "status VARCHAR NOT NULL DEFAULT 'ONLINE' "
        "CHECK (upper(status) = 'ONLINE' OR upper(status) IN ('OFFLINE_HARD', 'OFFLINE_SOFT', 'SHUNNED'))",
        between("weight", 0, 10_000_000, default=1),
        flag("compression", 0),
        between("max_connections", 0, default=1000),
        between("max_replication_lag", 0, 126_144_000, default=0),
        flag("use_ssl", 0),
        between("max_latency_ms", 0, default=0),
        text("comment"),
        "PRIMARY KEY (hostgroup_id, hostname, port)",
    )


def users(engine: str) -> str:
    """The users of an engine: one row for clients and one for servers at most."""
    only_mysql = (text("default_schema", None), flag("schema_locked", 0)) if engine == "mysql" else ()
    return table(
        f"{engine}_users",
        "username VARCHAR NOT NULL",
        text("password", None),
        *(flag("active", 1), flag("use_ssl", 0), "default_hostgroup INT NOT NULL DEFAULT 0"),
        *only_mysql,
        *(flag("transaction_persistent", 1), flag("fast_forward", 0), flag("backend", 1), flag("frontend", 1)),
        between("max_connections", 0, default=10_000),
        *(json_text("attributes"), text("comment")),
        *("PRIMARY KEY (username, backend)", "UNIQUE (username, frontend)"),
    )


def rules(engine: str) -> str:
    """The rules of an engine."""
    schema, gtid = ("schemaname", (between("gtid_from_hostgroup", 0),)) if engine == "mysql" else ("database", ())
    optional = ("cache_empty_result", "reconnect", "sticky_conn", "log")
    return table(
        f"{engine}_query_rules",
        *("rule_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", flag("active", 0)),
        *(text(name, None) for name in ("username", schema, "client_addr", "proxy_addr", "digest", "match_digest")),
        *(between("flagIN", 0, default=0), between("proxy_port", 0, 65535), text("match_pattern", None)),
        *(flag("negate_match_pattern", 0), "re_modifiers VARCHAR DEFAULT 'CASELESS'"),
        "replace_pattern VARCHAR CHECK (replace_pattern IS NULL OR match_pattern IS NOT NULL)",
        *(between(name, 0) for name in ("flagOUT", "timeout", "delay", "cache_timeout")),
        *(between(name, 0) for name in ("next_query_flagIN", "mirror_flagOUT", "mirror_hostgroup")),
        *("destination_hostgroup INT DEFAULT NULL", between("cache_ttl", 1), between("retries", 0, 1000)),
        *(between(name, 0, 1) for name in optional),
        *(between("multiplex", 0, 2), text("error_msg", None), text("OK_msg", None), flag("apply", 0)),
        *gtid,
        *(json_text("attributes"), text("comment", None)),
    )


def routes(engine: str) -> str:
    """Fast routing: its comment has no default."""
    schema = "schemaname" if engine == "mysql" else "database"
    return table(
        f"{engine}_query_rules_fast_routing",
        *("username VARCHAR NOT NULL", f"{schema} VARCHAR NOT NULL", "flagIN INT NOT NULL DEFAULT 0"),
        *("destination_hostgroup INT NOT NULL CHECK (destination_hostgroup >= 0)", "comment VARCHAR NOT NULL"),
        f"PRIMARY KEY (username, {schema}, flagIN)",
    )


def pairs(engine: str) -> str:
    """Replication hostgroups: a reader has one writer, and is another hostgroup."""
    return table(
        f"{engine}_replication_hostgroups",
        "writer_hostgroup INT NOT NULL PRIMARY KEY CHECK (writer_hostgroup >= 0)",
        "reader_hostgroup INT NOT NULL UNIQUE CHECK (reader_hostgroup >= 0 AND reader_hostgroup <> writer_hostgroup)",
        *(text("check_type", "read_only"), text("comment")),
    )


def attributes(engine: str) -> str:
    """What holds for a hostgroup."""
    return table(
        f"{engine}_hostgroup_attributes",
        "hostgroup_id INT NOT NULL PRIMARY KEY",
        between("max_num_online_servers", 0, 1_000_000, default=1_000_000),
        *((between("autocommit", -1, 1, default=-1),) if engine == "mysql" else ()),
        between("free_connections_pct", 0, 100, default=10),
        *(text("init_connect"), flag("multiplex", 1), flag("connection_warming", 0)),
        between("throttle_connections_per_sec", 1, 1_000_000, default=1_000_000),
        *(json_text(name) for name in ("ignore_session_variables", "hostgroup_settings", "servers_defaults")),
        text("comment"),
    )


TABLES = (
    "".join(
        servers(engine, port) + users(engine) + rules(engine) + routes(engine) + pairs(engine) + attributes(engine)
        for engine, port in (("mysql", 3306), ("pgsql", 5432))
    )
    + "CREATE TABLE global_variables (variable_name VARCHAR NOT NULL PRIMARY KEY, variable_value VARCHAR NOT NULL);\n"
)
"""Every table that an export fills."""
