"""
Reading the file of ``shadow_rules``: candidate rules that are tried beside the live ones.

The file has `query_rules`, of the same form and checked like the live ones, against the configuration they are tried beside. It
may also have `hostgroups`, a list of ``{id, name}``, for rules that call hostgroups by other names than the configuration does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from dbrouter.config.checks import Draft, check_rules
from dbrouter.config.model import RouterConfig, ShadowRules
from dbrouter.config.problems import Problems
from dbrouter.config.rules import RuleSettings
from dbrouter.config.source import Document, read_file
from dbrouter.errors import ConfigError

_KEYS = ("query_rules", "hostgroups")
_FORM = "the path of a file with query_rules"


def read_shadow(
    written: Any, problems: Problems, rules_of: Callable[[Document, Problems], tuple[RuleSettings, ...]]
) -> ShadowRules | None:
    """
    The shadow rules that *written* leads to; None where they cannot be read, which is noted.

    Args:
        written: a path, relative to the folder of the configuration file.
        rules_of: reads the rules of a document and notes what is wrong with them.
    """
    path = ("shadow_rules",)
    if not isinstance(written, str) or not written:
        problems.add(path, f"is not {_FORM}", expected=_FORM)
        return None
    file = os.path.join(os.path.dirname(problems.file), written) if problems.file else written
    try:
        document = read_file(file)
    except ConfigError as error:
        problems.take(error.problems)
        return None
    found = Problems(document.file, document.lines)
    rules = _rules(document, found, rules_of)
    problems.include(found)
    return ShadowRules(file=file, query_rules=rules)


def _rules(
    document: Document, problems: Problems, rules_of: Callable[[Document, Problems], tuple[RuleSettings, ...]]
) -> tuple[RuleSettings, ...]:
    value = document.value
    if not isinstance(value, dict):
        problems.add((), "the top level is not a mapping with query_rules")
        return ()
    for key in [key for key in value if key not in _KEYS]:
        problems.unknown_key((key,), _KEYS)
    if "query_rules" not in value:
        problems.add(("query_rules",), "is missing; an empty list says that no rule shall be there", expected="a list of rules")
        return ()
    return rules_of(document, problems)


def aliases(value: Mapping[str, Any], problems: Problems) -> dict[str, int]:
    """By name, the ids of the `hostgroups` that a file of shadow rules lists."""
    listed = value.get("hostgroups")
    if listed is None:
        return {}
    if not isinstance(listed, list):
        problems.add(("hostgroups",), "is not a list of {id, name}", expected="a list of {id, name}")
        return {}
    names: dict[str, int] = {}
    for index, item in enumerate(listed):
        number, name = (item.get("id"), item.get("name")) if isinstance(item, dict) else (None, None)
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(name, str):
            problems.add(("hostgroups", index), "is not a mapping with id (a number) and name", expected="{id, name}")
        else:
            names[name] = number
    return names


def check_shadow(config: RouterConfig, problems: Problems) -> None:
    """Note what is wrong with the shadow rules of a finished configuration."""
    assert config.shadow_rules is not None
    draft = Draft.of(config)
    draft.rules = [(("shadow_rules", "query_rules", index), rule) for index, rule in enumerate(config.shadow_rules.query_rules)]
    draft.fast_routes = []
    check_rules(draft, problems)
