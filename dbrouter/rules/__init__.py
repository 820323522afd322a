"""
Query rules: the configuration's `query_rules` compiled once, evaluated for each statement seen for the first time.
"""

from __future__ import annotations

from dbrouter.rules.compile import compile_rules
from dbrouter.rules.decision import Decision
from dbrouter.rules.facts import Facts
from dbrouter.rules.match import RuleSet, RuleTrace, heaviest

__all__ = ["Decision", "Facts", "RuleSet", "RuleTrace", "compile_rules", "heaviest"]
