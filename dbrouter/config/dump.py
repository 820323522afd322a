"""
The way back: a checked `RouterConfig` as the mapping that users write, and a mapping as the text of a YAML file.

`to_mapping` leaves out what has its default value and never holds a password: `${VAR}` stands for it. `to_yaml` writes what
`load` reads back as the same values; hostgroups, servers and rules stand on one line where they fit.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from dbrouter.config.bounds import show_duration
from dbrouter.config.interpolate import SECRET_FILE, SECRET_TEXT
from dbrouter.config.model import DEFAULT_DRIVERS, DEFAULT_PORTS, RouterConfig
from dbrouter.config.schema import Settings

WIDTH = 128


def to_mapping(config: RouterConfig) -> dict[str, Any]:
    """
    *config* as a mapping that `load` takes; ``${…}`` (see `password_variable`) stands for the password of each database that has
    one.
    """
    value: dict[str, Any] = {"version": 1}
    value["databases"] = {}
    for name, database in config.databases.items():
        written = _written(database)
        del written["name"]
        for key, usual in (("driver", DEFAULT_DRIVERS[database.engine]), ("default_port", DEFAULT_PORTS[database.engine])):
            if written.get(key) == usual:
                del written[key]
        if database.password is not None:
            written["password"] = f"${{{password_variable(name)}}}"
        value["databases"][name] = {"engine": str(database.engine), **written}
    value["hostgroups"] = [_written(hostgroup) for hostgroup in config.hostgroups]
    rest = _written(config)
    return value | {key: held for key, held in rest.items() if key not in value}


def password_variable(database: str) -> str:
    """The environment variable that stands for the password of *database*: ``SHOP_PASSWORD``."""
    name = re.sub(r"\W", "_", database, flags=re.ASCII).upper().strip("_")
    return f"{'DB_' if not name or name[0].isdigit() else ''}{name}_PASSWORD"


def escape(value: Any) -> Any:
    """*value* with every text in it written so that no ``$`` in it begins a variable."""
    if isinstance(value, str):
        return re.sub(r"\$\$|\$(?=\{)", lambda found: found[0] * 2, value)
    if isinstance(value, Mapping):
        return {key: escape(held) for key, held in value.items()}
    return [escape(item) for item in value] if isinstance(value, (list, tuple)) else value


def escape_secret(secret: str) -> str:
    """*secret* written so that it stands for itself: nothing in it is a variable or names a file."""
    written = str(escape(secret))
    return SECRET_TEXT + written.removeprefix(SECRET_FILE) if written.startswith(SECRET_FILE) else written


def to_yaml(value: Mapping[str, Any], *, comment: str = "") -> str:
    """*value* (plain values only) as YAML; *comment* stands above it, a ``#`` before each of its lines."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    long = {key: value[key] for key in _ROW_LISTS if isinstance(value.get(key), (list, tuple)) and value[key]}
    yaml = YAML()
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    stream = io.StringIO()
    rest = {key: held for key, held in value.items() if key not in long}
    yaml.dump(_styled(_short_servers(rest), 0), stream)
    text = stream.getvalue() if rest else ""
    return head + text + ("" if text.endswith("\n") or not text else "\n") + "".join(_rows(long))


_ROW_LISTS = ("query_rules", "query_rules_fast_routing")
MANY = 1000
"""In longer lists every row has one line, however long that is: so they are read many times as quickly (`rows`)."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?: [A-Za-z0-9_.-]+)*|[1-9][0-9]{0,9}(?:ms|[smh])")
_RESERVED = re.compile(r"y|n|yes|no|on|off|null|true|false", re.IGNORECASE)
_QUOTABLE = re.compile(r"[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")


def _rows(lists: Mapping[str, Any]) -> Iterator[str]:
    """
    The text of long lists of small mappings.

    Written here and not by ruamel.yaml, which takes 20 s for 50,000 rules: a row has nothing but names, plain values, and lists
    and mappings of these.
    """
    for key, rows in lists.items():
        yield f"{key}:\n"
        for row in rows:
            line = _flow(row)
            if not isinstance(row, Mapping) or not row or len(line) <= WIDTH or len(rows) > MANY:
                yield f"  - {line}\n"
            else:
                yield "  - " + "    ".join(f"{name}: {_flow(held)}\n" for name, held in row.items())


def _flow(value: Any) -> str:
    """*value* on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(name)}: {_flow(held)}" for name, held in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"{'-' if value < 0 else ''}.{'nan' if math.isnan(value) else 'inf'}"
    text = str(value)
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    if _QUOTABLE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    if _QUOTABLE.fullmatch(character):
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _short_servers(value: Mapping[str, Any]) -> dict[str, Any]:
    """*value* with ``db1:5432`` for servers that say no more than that."""
    hostgroups = value.get("hostgroups")
    if not isinstance(hostgroups, list):
        return dict(value)
    return {
        **value,
        "hostgroups": [
            {**group, "servers": [_short_server(server) for server in group.get("servers", [])]} for group in hostgroups
        ],
    }


def _short_server(server: Any) -> Any:
    if not isinstance(server, Mapping) or not {"host"} <= server.keys() <= {"host", "port"}:
        return server
    host, port = server["host"], server.get("port")
    if not isinstance(host, str) or not re.fullmatch(r"[\w.-]+", host) or not isinstance(port, int | None):
        return server
    return host if port is None else f"{host}:{port}"


def _written(settings: Settings) -> dict[str, Any]:
    """The fields of *settings* that differ from their defaults, in the forms of a file."""
    written: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        held = getattr(settings, name)
        if not field.is_required() and held == field.get_default(call_default_factory=True):
            continue
        written[name] = _plain(held, name)
    return written


def _plain(held: Any, name: str) -> Any:
    if isinstance(held, Settings):
        if name in _GROUPS:
            return {key: _plain(getattr(held, key), key) for key in type(held).model_fields if key in held.model_fields_set}
        return _written(held)
    if isinstance(held, (list, tuple)):
        return [_plain(item, name) for item in held]
    if isinstance(held, Mapping):
        return {key: _plain(item, key) for key, item in held.items()}
    if isinstance(held, float) and name not in _SHARES:
        return show_duration(held)
    if isinstance(held, str):
        return escape(str(held))
    if name == "digest" and isinstance(held, int):
        return f"0x{held:016X}"
    return held


_GROUPS = ("pool", "probe", "breaker", "retry", "timeouts")
"""What may be written partly: what was not written there is not a difference, whatever its value."""
_SHARES = ("failure_rate", "slow_rate", "budget", "budget_min")


def _styled(value: Any, depth: int) -> Any:
    """Blocks above, one line per server, hostgroup or rule where it fits."""
    if isinstance(value, Mapping):
        styled = CommentedMap({key: _styled(held, depth + 1) for key, held in value.items()})
        if (depth >= 2 and _fits(value)) or not value:
            styled.fa.set_flow_style()
        return styled
    if isinstance(value, (list, tuple)):
        items = CommentedSeq([_styled(item, depth + 1) for item in value])
        if (depth >= 2 and _fits(value)) or not value:
            items.fa.set_flow_style()
        return items
    if isinstance(value, str) and value[:1] in (":", "?"):
        return DoubleQuotedScalarString(value)  # ruamel.yaml leaves the quotes off, and then cannot read it on one line
    return value


def _fits(value: Any) -> bool:
    return len(str(value)) <= WIDTH
