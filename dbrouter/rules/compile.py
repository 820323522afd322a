"""
Making a `RuleSet` of the configuration's rules: sorted, patterns compiled in sets, equal patterns once.

RE2 tests a whole set of patterns in about the time of one. Sets are of limited size, because the rules in front of one that
applies
should not pay for those behind it, and because a set's automaton grows with its patterns.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.config.model import RuleSettings
from dbrouter.config.patterns import PatternSet
from dbrouter.rules.match import CompiledRule, Place, RuleSet

SET_SIZE = 256
"""Patterns in one set."""


def compile_rules(rules: Sequence[RuleSettings]) -> RuleSet:
    """
    The rules, ready to decide.

    Args:
        rules: in any order; their `rule_id` are distinct and their patterns compile (the configuration has seen to both).
    """
    ordered = tuple(sorted(rules, key=lambda rule: rule.rule_id))
    digests, patterns = _Collector(), _Collector()
    active = tuple(
        CompiledRule(rule, digests.place(rule.match_digest, rule), patterns.place(rule.match_pattern, rule))
        for rule in ordered
        if rule.active
    )
    return RuleSet(ordered, active, digests.sets(), patterns.sets())


class _Collector:
    """Gives each distinct pattern a place in a set."""

    __slots__ = ("_patterns", "_places")

    def __init__(self) -> None:
        self._patterns: list[list[tuple[str, bool]]] = []
        self._places: dict[tuple[str, bool], Place] = {}

    def place(self, pattern: str | None, rule: RuleSettings) -> Place | None:
        """Where *pattern* of *rule* is; None where it has none (an empty one is none, as in ProxySQL)."""
        if not pattern:
            return None
        key = (pattern, rule.re_modifiers != "")
        found = self._places.get(key)
        if found is None:
            if not self._patterns or len(self._patterns[-1]) >= SET_SIZE:
                self._patterns.append([])
            self._patterns[-1].append(key)
            found = self._places[key] = (len(self._patterns) - 1, len(self._patterns[-1]) - 1)
        return found

    def sets(self) -> tuple[PatternSet, ...]:
        """The compiled sets."""
        return tuple(PatternSet(patterns) for patterns in self._patterns)
