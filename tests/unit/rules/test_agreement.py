"""Compiled rules against the plain algorithm: destination, hits, flags, rewritten text and every other output."""

from __future__ import annotations

import random

import pytest

from dbrouter.config import FastRouteSettings, RuleSettings
from dbrouter.rules import compile as compiling
from dbrouter.rules import compile_rules
from tests.rulesets import OUTPUTS, naive, one_rule, one_statement, shown

RULE_SETS = 20_000


@pytest.mark.parametrize("part", range(4))
def test_random_rule_sets_agree_with_the_plain_algorithm(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all 20,000 rule sets, in blocks of several sizes, each with a few statements; explanations name the same matches."""
    rng = random.Random(20_26_00 + part)
    monkeypatch.setattr(compiling, "BLOCK_SIZE", (1, 3, 5, 256)[part])
    rewritten = drawn_flags = restarted = fast_routed = 0
    for number in range(RULE_SETS // 4):
        rules = [one_rule(rng, rule_id) for rule_id in rng.sample(range(40), rng.randrange(9))]
        iterations = rng.choice([0, 0, 1, 3])
        keys = [(rng.choice(["ada", ""]), rng.choice(["s", "t"]), rng.choice([0, 1])) for _ in range(rng.choice([0, 0, 0, 2]))]
        fast = {key: 8 + place for place, key in enumerate(dict.fromkeys(keys))}
        routes = [
            FastRouteSettings(username=user, schemaname=schema, flagIN=flag, destination_hostgroup=hostgroup)
            for (user, schema, flag), hostgroup in fast.items()
        ]
        compiled = compile_rules([RuleSettings.model_validate(rule) for rule in rules], fast_routes=routes, iterations=iterations)
        for _ in range(3):
            asked = one_statement(rng)
            luck = rng.randrange(2)
            facts = shown(asked["text"], asked["digest_text"], **{k: v for k, v in asked.items() if "text" not in k})

            wanted = naive(
                rules,
                asked,
                iterations=iterations,
                fast=fast,
                draw=lambda rule: rule["attributes"]["flagOUTs"][luck]["id"],  # noqa: B023
            )
            decision = compiled.evaluate(facts, lambda _rule, flags, _weights: flags[luck])  # noqa: B023
            traces = compiled.explain(facts, lambda _rule, flags, _weights: flags[luck])  # noqa: B023

            got = {name: getattr(decision, name) for name in OUTPUTS if name != "destination_hostgroup"}
            got |= {"destination_hostgroup": decision.destination, "hits": decision.matched}
            got |= {"flag": decision.flag, "rewritten": decision.rewritten}
            assert got == wanted, f"{number} {rules} {asked}"
            assert {trace.rule_id for trace in traces if trace.matched} == set(decision.matched)
            assert [trace.rule_id for trace in traces] == sorted(rule["rule_id"] for rule in rules)
            rewritten += decision.rewritten is not None
            drawn_flags += any(rule.get("attributes") and rule["rule_id"] in decision.matched for rule in rules)
            restarted += len(set(decision.matched)) < len(decision.matched)
            fast_routed += decision.destination is not None and decision.destination >= 8
    assert min(rewritten, drawn_flags, restarted, fast_routed) > 100, "the random rules have to reach every corner"
