"""
What the configuration refuses of a query rule before the model sees it: columns of ProxySQL that are not supported yet,
numbers without a unit, and GLOBAL.
"""

from __future__ import annotations

from typing import Any

from dbrouter.config.model import RuleSettings
from dbrouter.config.problems import Path, Problems

_NOT_YET = "is a column of ProxySQL that dbrouter does not support yet"
LATER_COLUMNS: dict[str, str] = {
    "username": f"{_NOT_YET}; all calls of a router have one user",
    "schemaname": f"{_NOT_YET}; `database` names a database of this configuration",
    "flagIN": _NOT_YET,
    "client_addr": f"{_NOT_YET}; there is no client between a service and its router",
    "proxy_addr": f"{_NOT_YET}; there is no proxy between a service and its router",
    "proxy_port": f"{_NOT_YET}; there is no proxy between a service and its router",
    "digest": f"{_NOT_YET}; match_digest takes a pattern",
    "flagOUT": _NOT_YET,
    "replace_pattern": _NOT_YET,
    "cache_ttl": _NOT_YET,
    "cache_empty_result": _NOT_YET,
    "cache_timeout": f"{_NOT_YET}; it has no effect in ProxySQL either",
    "reconnect": f"{_NOT_YET}; it has no effect in ProxySQL either",
    "delay": _NOT_YET,
    "next_query_flagIN": _NOT_YET,
    "mirror_flagOUT": _NOT_YET,
    "mirror_hostgroup": _NOT_YET,
    "OK_msg": _NOT_YET,
    "sticky_conn": f"{_NOT_YET}; it has no effect in ProxySQL either",
    "multiplex": _NOT_YET,
    "gtid_from_hostgroup": _NOT_YET,
    "log": _NOT_YET,
    "attributes": _NOT_YET,
}
_BY_LOWER_CASE = {name.lower(): name for name in LATER_COLUMNS}
_NO_UNIT = "has no unit; ProxySQL's numbers are milliseconds, here a unit says what is meant: 60s, 250ms"


def prepare_rule(raw: Any, path: Path, problems: Problems) -> dict[str, Any] | None:
    """
    The mapping of one rule, ready for `RuleSettings`; what it may not have is noted and left out.

    None when it is no mapping.
    """
    if not isinstance(raw, dict):
        problems.add(path, f"{problems.show(path, raw)} is not a mapping with rule_id")
        return None
    rule: dict[str, Any] = {}
    for key, value in raw.items():
        column = _BY_LOWER_CASE.get(str(key).lower()) if key not in RuleSettings.model_fields else None
        if column is not None:
            problems.add((*path, str(key)), f"{column} {LATER_COLUMNS[column]}", got=column)
        else:
            rule[key] = value
    _check_unit(rule, path, problems)
    _read_modifiers(rule, path, problems)
    for key in ("match_digest", "match_pattern"):
        if rule.get(key) == "":
            rule[key] = None  # ProxySQL: an empty criterion is none
    return rule


def _check_unit(rule: dict[str, Any], path: Path, problems: Problems) -> None:
    timeout = rule.get("timeout")
    bare = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if bare or (isinstance(timeout, str) and timeout.strip()[-1:].isdigit()):
        problems.add(
            (*path, "timeout"),
            f"{problems.show((*path, 'timeout'), timeout)} {_NO_UNIT}",
            expected="a duration with a unit",
            got=timeout,
        )
        del rule["timeout"]


def _read_modifiers(rule: dict[str, Any], path: Path, problems: Problems) -> None:
    written = rule.get("re_modifiers")
    where = (*path, "re_modifiers")
    if written is None:
        rule.pop("re_modifiers", None)
        return
    if isinstance(written, list) and all(isinstance(word, str) for word in written):
        words = [word.strip().upper() for word in written]
    elif isinstance(written, str):
        words = [word.strip().upper() for word in written.split(",") if word.strip()]
    else:
        problems.add(where, f'{problems.show(where, written)} is not CASELESS or ""')
        del rule["re_modifiers"]
        return
    for word in words:
        if word == "GLOBAL":
            problems.add(where, "GLOBAL belongs to replace_pattern, which dbrouter does not support yet")
        elif word != "CASELESS":
            problems.add(where, f"{problems.show(where, word)} is not a modifier; known is CASELESS", expected="CASELESS")
    rule["re_modifiers"] = "CASELESS" if "CASELESS" in words else ""
