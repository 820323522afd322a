"""Compiled rules against the plain algorithm: destination, hits, flags, rewritten text and every other output."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from dbrouter.config import FastRouteSettings, RuleSettings
from dbrouter.rules import compile as compiling
from dbrouter.rules import compile_rules
from tests.rulesets import OUTPUTS, naive, shown

RULE_SETS = 20_000
PATTERNS = ["^a", "a", "A", "b$", "^$", "a.b", "a|b$", r"\n", "ab", "^a.*b$", "(a|b)+", "[^a]", "c", r"a\s*b", "x", "B"]
REPLACED = ["a", "A", "(a)(b)", "b", "ab", "(a|b)+", "c", "[ab]c", "x"]
REPLACEMENTS = ["c", "ab", r"<\1>", "", "X"]
TEXT = "aAbBc \n\0"


def text(rng: random.Random) -> str:
    return "".join(rng.choices(TEXT, k=rng.randrange(9)))


def one_rule(rng: random.Random, number: int) -> dict[str, Any]:
    """A rule with some criteria and outputs."""
    pick = rng.choice
    rule: dict[str, Any] = {
        "rule_id": number,
        "active": rng.random() < 0.9,
        "flagIN": pick([0, 0, 0, 1, 2]),
        "negate_match_pattern": rng.random() < 0.2,
        "re_modifiers": pick(["CASELESS", "CASELESS", "", "CASELESS,GLOBAL", "GLOBAL"]),
        "apply": rng.random() < 0.3,
    }
    some: dict[str, Sequence[Any]] = {
        "database": ["shop", "audit"],
        "username": ["ada", "bob"],
        "schemaname": ["s", "t"],
        "client_addr": ["10.1.2.3", "10.1.%", "%"],
        "proxy_addr": ["p", "q"],
        "proxy_port": [1, 2],
        "tag": ["t", "u"],
        "kind": ["SELECT", "INSERT"],
        "intent": ["read", "write"],
        "digest": [11, 12],
        "match_digest": PATTERNS,
        "match_pattern": PATTERNS,
        "flagOUT": [0, 1, 2],
        "destination_hostgroup": [1, 2, 3],
        "timeout": [1.0, 2.0],
        "retries": [0, 5],
        "delay": [0.5],
        "cache_ttl": [3.0],
        "cache_empty_result": [True, False],
        "next_query_flagIN": [0, 1],
        "OK_msg": ["fine", ""],
        "error_msg": ["no", ""],
        "mirror_hostgroup": [4, 5],
        "mirror_flagOUT": [6],
        "multiplex": [0, 1, 2],
        "gtid_from_hostgroup": [1],
        "log": [True, False],
        "attributes": [{"flagOUTs": [{"id": 1, "weight": 2}, {"id": 2, "weight": 1}]}],
    }
    frequent = {"match_digest": 0.4, "match_pattern": 0.4, "destination_hostgroup": 0.6, "flagOUT": 0.25}
    for name, values in some.items():
        if rng.random() < frequent.get(name, 0.08):
            rule[name] = pick(values)
    if rng.random() < 0.2:
        rule["match_pattern"], rule["replace_pattern"] = pick(REPLACED), pick(REPLACEMENTS)
        if "1" in rule["replace_pattern"] and "(" not in rule["match_pattern"]:
            rule["replace_pattern"] = "c"
    return rule


def one_statement(rng: random.Random) -> dict[str, Any]:
    """What is asked of the rules."""
    pick = rng.choice
    return {
        "text": text(rng),
        "digest_text": text(rng),
        "database": pick(["shop", "audit"]),
        "flag": pick([0, 0, 0, 1]),
        "username": pick(["ada", "bob"]),
        "schemaname": pick(["s", "t"]),
        "client_addr": pick([None, "10.1.2.3", "10.1.7.7", "10.2.0.0"]),
        "proxy_addr": pick([None, "p", "q"]),
        "proxy_port": pick([None, 1, 2]),
        "tag": pick([None, "t", "u"]),
        "kind": pick(["SELECT", "INSERT"]),
        "intent": pick(["read", "write"]),
        "digest": pick([11, 12, 13]),
    }


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
