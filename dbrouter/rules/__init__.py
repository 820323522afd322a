"""
Query rules: the configuration's `query_rules` compiled once, evaluated for each statement seen for the first time.
"""

from __future__ import annotations

from dbrouter.rules.compile import compile_rules
from dbrouter.rules.match import Decision, RuleSet, RuleTrace

__all__ = ["Decision", "RuleSet", "RuleTrace", "compile_rules"]
