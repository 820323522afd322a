"""
The JSON Schema of the configuration file, as `dbrouter schema` prints it: editors complete and check every shape with it, the
small one, the whole one and ProxySQL's.

Made from the models; what users may write and the models do not hold (DSNs, servers as text, names for ids, variables) is added
here.
"""

from __future__ import annotations

from typing import Any

from dbrouter.config.model import RouterConfig
from dbrouter.config.proxysql.json_schema import proxysql_schema
from dbrouter.config.rules import HOSTGROUP_COLUMNS

_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_DSN_TEXT = (
    "`postgresql://user:password@host:port/database?parameters` or `mysql://…`; a password in a variable (`${VAR}`) "
    "needs no percent-encoding. "
    "`file:/run/secrets/x` reads the DSN from a file."
)
_SIMPLE = {"integer", "number", "boolean"}


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a configuration file: of dbrouter's own shapes, or of ProxySQL's."""
    schema = RouterConfig.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    del definitions["ShadowRules"]
    shadow = schema["properties"]["shadow_rules"]
    schema["properties"]["shadow_rules"] = {"type": ["string", "null"], "default": None, "description": shadow["description"]}
    _database(definitions["DatabaseSettings"])
    _hostgroup(definitions["HostgroupSettings"])
    _server(definitions["ServerSettings"])
    _rule(definitions["RuleSettings"])
    _or_name(definitions["FastRouteSettings"]["properties"], "destination_hostgroup")
    properties: dict[str, Any] = {
        "writer": {"type": "string", "description": f"The primary's DSN: {_DSN_TEXT}"},
        "readers": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The replicas' DSNs. Without them reads go to the writer.",
        },
        **schema["properties"],
    }
    small = {"required": ["writer"], "not": {"anyOf": [{"required": ["databases"]}, {"required": ["hostgroups"]}]}}
    whole = {"required": ["databases", "hostgroups"], "not": {"anyOf": [{"required": ["writer"]}, {"required": ["readers"]}]}}
    definitions["Configuration"] = {
        "title": "dbrouter's own shape",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "anyOf": [small, whole],
    }
    definitions = _with_variables(definitions)
    own = definitions["Configuration"]["properties"]
    definitions["ProxySQL"] = proxysql_schema(own, definitions["RuleSettings"]["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dbrouter configuration",
        "type": "object",
        "anyOf": [{"$ref": "#/$defs/Configuration"}, {"$ref": "#/$defs/ProxySQL"}],
        "$defs": definitions,
    }


def _database(definition: dict[str, Any]) -> None:
    properties = definition["properties"]
    del properties["name"]
    properties = definition["properties"] = {
        "dsn": {"type": "string", "description": f"What its servers share: {_DSN_TEXT}"},
        **properties,
    }
    definition["required"] = ["writer_hostgroup"]
    definition["anyOf"] = [{"required": ["engine"]}, {"required": ["dsn"]}]
    properties["server_settings"]["additionalProperties"] = {"type": ["string", "number", "boolean"]}
    for key in ("writer_hostgroup", "reader_hostgroup", "default_hostgroup"):
        _or_name(properties, key)


def _hostgroup(definition: dict[str, Any]) -> None:
    definition["properties"]["servers"]["items"] = {
        "anyOf": [
            {"type": "string", "description": "`db1:5432`, `[::1]:5432`, or the path of a socket."},
            {"$ref": "#/$defs/ServerSettings"},
        ]
    }


def _server(definition: dict[str, Any]) -> None:
    definition["properties"]["socket"] = {
        "type": "string",
        "pattern": "^/",
        "description": "The path of a socket, in place of `host`: directory for PostgreSQL, file for MySQL.",
    }
    definition["required"] = []
    definition["oneOf"] = [{"required": ["host"]}, {"required": ["socket"]}]


def _rule(definition: dict[str, Any]) -> None:
    properties = definition["properties"]
    for key in HOSTGROUP_COLUMNS:
        _or_name(properties, key)
    for key in ("timeout", "delay", "cache_ttl"):
        properties[key] = {
            "type": ["string", "null"],
            "pattern": r"[a-z]\s*$|\$\{",
            "default": None,
            "description": properties[key]["description"],
        }
    properties["digest"] = {
        "anyOf": [{"type": "string", "pattern": "^(0[xX][0-9A-Fa-f]+|[0-9]*)$"}, *properties["digest"]["anyOf"]],
        "default": None,
        "description": properties["digest"]["description"],
    }
    properties["attributes"] = {
        "anyOf": [{"type": "string", "description": "JSON text."}, *properties["attributes"]["anyOf"]],
        "default": None,
        "description": properties["attributes"]["description"],
    }
    for key, words in (
        ("re_modifiers", {"type": "array", "items": {"enum": ["CASELESS", "GLOBAL"]}}),
        ("multiplex", {"type": "boolean"}),
    ):
        kept = {name: properties[key].pop(name) for name in ("description", "default", "title") if name in properties[key]}
        properties[key] = {"anyOf": [*properties[key].get("anyOf", [properties[key]]), words], **kept}
    for name, property_ in properties.items():
        if property_.get("type") == "boolean" or {"type": "boolean"} in property_.get("anyOf", []):
            _or_zero_and_one(properties, name)


def _or_zero_and_one(properties: dict[str, Any], key: str) -> None:
    """Let a truth value be written as ProxySQL's 0 or 1 too."""
    property_ = properties[key]
    kept = {name: property_.pop(name) for name in ("description", "default", "title") if name in property_}
    properties[key] = {"anyOf": [*property_.get("anyOf", [property_]), {"enum": [0, 1]}], **kept}


def _or_name(properties: dict[str, Any], key: str) -> None:
    """Let a hostgroup be named by its name as well as by its id."""
    property_ = properties[key]
    kept = {name: property_.pop(name) for name in ("description", "default", "title") if name in property_}
    properties[key] = {"anyOf": [*property_.get("anyOf", [property_]), {"type": "string"}], **kept}


def _with_variables(node: Any) -> Any:
    """*node* with every number, truth value and choice also allowed to be a variable."""
    if isinstance(node, list):
        return [_with_variables(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: value if key in ("default", "required", "enum") else _with_variables(value) for key, value in node.items()}
    if str(changed.get("type")) in _SIMPLE or "enum" in changed or "const" in changed:
        kept = {key: changed.pop(key) for key in ("description", "default", "title") if key in changed}
        return {"anyOf": [changed, _VARIABLE], **kept}
    return changed
