"""
Making a `RuleSet` of the configuration's rules: sorted, cut into blocks, patterns compiled.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.config.rules import FastRouteSettings, RuleSettings
from dbrouter.rules.block import Block
from dbrouter.rules.match import RuleSet

BLOCK_SIZE = 256
"""Rules in one block."""


def compile_rules(
    rules: Sequence[RuleSettings], *, fast_routes: Sequence[FastRouteSettings] = (), iterations: int = 0, hints: bool = False
) -> RuleSet:
    """
    The rules, ready to decide.

    Args:
        rules: in any order; their `rule_id` are distinct and their patterns compile (the configuration has seen to both).
        fast_routes: rows of the fast routing table.
        iterations: how often a match that changed the flag begins again with the first rule.
        hints: whether comments in a statement may overrule the rules.
    """
    ordered = tuple(sorted(rules, key=lambda rule: rule.rule_id))
    active = [rule for rule in ordered if rule.active]
    blocks = tuple(Block(active[start : start + BLOCK_SIZE]) for start in range(0, len(active), BLOCK_SIZE))
    fast = {(route.username, route.schemaname, route.flagIN): route.destination_hostgroup for route in fast_routes}
    return RuleSet(ordered, blocks, fast, iterations=iterations, hints=hints)
