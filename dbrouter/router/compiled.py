"""
Compiled: the rules of a configuration, ready to decide. Made apart from the rest because it takes long and touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dbrouter.config.model import RouterConfig
from dbrouter.config.rules import RuleSettings
from dbrouter.rules.compile import compile_rules
from dbrouter.rules.match import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The compiled rules of a configuration."""

    live: Mapping[str, RuleSet]
    shadow: Mapping[str, RuleSet] | None
    """By database, as `live`; None without shadow rules."""


def compile_config(config: RouterConfig) -> Compiled:
    """The rules of each database, and the shadow rules; pure, so that it may run in a thread."""
    shadow = config.shadow_rules
    return Compiled(
        live={name: _rules_of(config, config.query_rules, name) for name in config.databases},
        shadow=None if shadow is None else {name: _rules_of(config, shadow.query_rules, name) for name in config.databases},
    )


def _rules_of(config: RouterConfig, rules: Sequence[RuleSettings], database: str) -> RuleSet:
    hostgroups = {hostgroup.id for hostgroup in config.hostgroups_of(database)}
    return compile_rules(
        [rule for rule in rules if rule.database in (None, database)],
        fast_routes=[route for route in config.query_rules_fast_routing if route.destination_hostgroup in hostgroups],
        iterations=config.query_processor_iterations,
        hints=config.comment_hints,
    )
