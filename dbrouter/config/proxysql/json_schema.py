"""
The JSON Schema of a ProxySQL-shaped document, made from the tables and columns that the conversion knows.

It says which keys and columns there are and of what kind their values are; ProxySQL's own spellings of a number (``5``, ``"5"``,
``true``) are all allowed. Columns are expected in the case in which ProxySQL documents them.
"""

from __future__ import annotations

from typing import Any

from dbrouter.config.proxysql.schema import COLUMNS, NEEDED
from dbrouter.config.proxysql.tables import _READ, ALIASES, FAMILIES, OTHER_TABLES, OWN_SETTINGS

Schema = dict[str, Any]
_NUMBER: Schema = {"type": ["integer", "boolean", "null", "string"], "pattern": r"^\s*\d*\s*$|^(true|false)$|\$\{"}
_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
_SPECIAL: dict[str, Schema] = {
    "port": {"anyOf": [{"type": ["integer", "null"], "minimum": 0, "maximum": 65535}, {"type": "string"}]},
    "weight": {"anyOf": [{"type": ["integer", "null"], "minimum": 0, "maximum": 10_000_000}, {"type": "string"}]},
    "status": {"type": ["string", "integer", "null"]},
    "digest": {"type": ["string", "integer", "null"]},
    "attributes": {"type": ["string", "object", "null"]},
    "re_modifiers": {"type": ["string", "array", "null"]},
}
_TEXTS = ("hostname", "username", "schemaname", "database", "domain_name", "variable_name", "variable_value")
_STRICT = ("servers", "rules", "hostgroups")
"""Kinds of rows in which the loader refuses columns that it does not know."""


def proxysql_schema(own: dict[str, Schema], rule: dict[str, Schema]) -> Schema:
    """
    The schema of a document with ProxySQL's tables.

    Args:
        own: the schemas of dbrouter's own settings, which may stand beside them.
        rule: the schemas of the columns of dbrouter's own rules, which ProxySQL's rules may have too.
    """
    tables: dict[str, Schema] = {name: {"description": f"Read and not used: {why}."} for name, why in OTHER_TABLES.items()}
    for family in FAMILIES:
        tables[f"{family}_variables"] = {
            "type": ["object", "null"],
            "additionalProperties": _TEXT,
            "description": "ProxySQL's variables, with or without their prefix; times are milliseconds.",
        }
        for name, kind in _READ.items():
            if columns := COLUMNS.get(f"{family}_{name}"):
                tables[f"{family}_{name}"] = _table(kind, columns, rule if kind == "rules" else {})
    tables["global_variables"] = _table("variables", COLUMNS["global_variables"], {})
    tables |= {f"runtime_{name}": table for name, table in tables.items()}
    logins = dict.fromkeys(("hostname", "port", "username", "password", "dbname"), NEEDED)
    tables["databases"] = _table("logins", logins, {})
    tables["hostgroups"] = _table("hostgroups", {"name": NEEDED, "hg": 0}, {"endpoints": _endpoints()})
    servers = [f"{runtime}{family}_servers" for runtime in ("", "runtime_") for family in FAMILIES]
    return {
        "title": "ProxySQL's tables",
        "type": "object",
        "additionalProperties": False,
        "properties": {**tables, **{name: own[name] for name in OWN_SETTINGS}},
        "anyOf": [{"required": [name]} for name in (*servers, "hostgroups", "databases")],
    }


def _table(kind: str, columns: dict[str, Any], more: dict[str, Schema]) -> Schema:
    properties = {name: _column(name, default) for name, default in columns.items()}
    properties = {**more, **properties} if kind != "hostgroups" else {**properties, **more}
    for alias, name in ALIASES.get(kind, {}).items():
        if name in properties:
            properties.setdefault(alias, properties[name])
    row: Schema = {"type": "object", "properties": properties}
    if kind in _STRICT:
        row["additionalProperties"] = False
    return {"type": ["array", "null"], "items": row}


def _column(name: str, default: Any) -> Schema:
    if name in _SPECIAL:
        return _SPECIAL[name]
    whole = isinstance(default, int) or name.endswith(("hostgroup", "_id", "IN", "OUT"))
    return _NUMBER if whole and name not in _TEXTS else _TEXT


def _endpoints() -> Schema:
    server = _table("servers", COLUMNS["mysql_servers"], {})["items"]
    one: Schema = {"type": "string", "description": "`db1:3306`, several with commas or spaces."}
    return {"anyOf": [one, {"type": "array", "items": {"anyOf": [one, server]}}]}
