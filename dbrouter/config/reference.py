"""
The reference page of the configuration, rendered from the models: ``python -m dbrouter.config.reference >
docs/reference/configuration.md``.

A test compares the page with what this makes, so that it cannot fall behind.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dbrouter.config.bounds import Lasting, bounds_of, show_duration
from dbrouter.config.dsn import parameters
from dbrouter.config.model import (
    CacheSettings,
    DatabaseSettings,
    DigestSettings,
    HostgroupSettings,
    MirrorSettings,
    RouterConfig,
    ServerSettings,
    TlsSettings,
)
from dbrouter.config.problems import show_scalar
from dbrouter.config.rules import FastRouteSettings, RuleAttributes, RuleSettings, WeightedFlag
from dbrouter.config.schema import BreakerSettings, PoolSettings, ProbeSettings, RetrySettings, TimeoutSettings
from dbrouter.terms import Engine

_SECTIONS: tuple[tuple[str, type[BaseModel], tuple[str, ...]], ...] = (
    ("The top level", RouterConfig, ()),
    ("`databases.NAME`", DatabaseSettings, ("name",)),
    ("`databases.NAME.tls`", TlsSettings, ()),
    ("`hostgroups[]`", HostgroupSettings, ()),
    ("`hostgroups[].servers[]`", ServerSettings, ()),
    ("`pool`", PoolSettings, ()),
    ("`probe`", ProbeSettings, ()),
    ("`breaker`", BreakerSettings, ()),
    ("`retry`", RetrySettings, ()),
    ("`timeouts`", TimeoutSettings, ()),
    ("`query_rules[]`", RuleSettings, ()),
    ("`query_rules[].attributes`", RuleAttributes, ()),
    ("`query_rules[].attributes.flagOUTs[]`", WeightedFlag, ()),
    ("`query_rules_fast_routing[]`", FastRouteSettings, ()),
    ("`digest`", DigestSettings, ()),
    ("`result_cache`", CacheSettings, ()),
    ("`mirror`", MirrorSettings, ()),
)
_PORTS = "1–65535"
_COMPUTED = {
    (DatabaseSettings, "driver"): "by `engine`",
    (DatabaseSettings, "default_port"): "by the DSN or `engine`",
    (DatabaseSettings, "engine"): "by the DSN",
    (ServerSettings, "port"): "the database's",
    (HostgroupSettings, "name"): "`hostgroup-<id>`",
    (HostgroupSettings, "database"): "by the databases",
    (HostgroupSettings, "when_empty"): "`writer`; of a writer: `wait`",
    (HostgroupSettings, "read_only"): "`true`; of a writer: `false`",
}


def render() -> str:
    """The whole page in Markdown."""
    lines = [
        "# Configuration reference",
        "",
        "<!-- Made by `python -m dbrouter.config.reference`; do not edit. -->",
        "",
        "[Configuration](../configuration.md) explains the file; this page lists every key.",
        "Durations are `250ms`, `5s`, `10m`, `2h`, `1d` or a number of seconds.",
        "A number or duration outside its bounds is a problem; `null` is allowed where the meaning says so.",
        "`pool`, `probe`, `breaker`, `retry` and `timeouts` may stand at the top, in a hostgroup or in a server; the "
        "nearest wins, key by key.",
        "",
        "In place of `databases` and `hostgroups` a file may have `writer` (a DSN) and `readers` (a list of DSNs).",
        "A database may have `dsn` in place of, or beside, the keys that a DSN can say.",
        "",
    ]
    for title, model, hidden in _SECTIONS:
        lines += [
            f"## {title}",
            "",
            " ".join((model.__doc__ or "").split()),
            "",
            "| key | default | from–to | meaning |",
            "|---|---|---|---|",
        ]
        own_first = sorted(model.model_fields.items(), key=lambda item: item[0] not in model.__annotations__)
        lines += [_row(model, name, field) for name, field in own_first if name not in hidden]
        lines.append("")
    lines += _dsn_section()
    return "\n".join(lines)


def _row(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    default = _COMPUTED.get((model, name)) or _default(field)
    bounds = _PORTS if name in ("port", "default_port") else bounds_of(field) or ""
    return f"| `{name}` | {default} | {bounds} | {(field.description or '').replace('|', chr(92) + '|')} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, float) and isinstance(bounds_of(field), Lasting):
        return f"`{show_duration(value)}`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    match value:
        case tuple() | list():
            return "[]"
        case dict():
            return "{}"
        case "":
            return '""'
        case _:
            return show_scalar(value)


def _dsn_section() -> list[str]:
    lines = ["## Parameters of a DSN", "", "Hyphens and underscores are the same; an unknown parameter is a problem.", ""]
    for engine in Engine:
        known, refused = parameters(engine)
        lines += [f"**{engine.value}**: " + ", ".join(f"`{name}`" for name in known) + ".", ""]
        lines += ["| refused | why |", "|---|---|", *(f"| `{name}` | {why} |" for name, why in refused.items()), ""]
    return lines


if __name__ == "__main__":
    sys.stdout.write(render())
