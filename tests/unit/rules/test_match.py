"""What rules decide: ProxySQL's evaluation column by column, and explanations that cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from dbrouter.config import FastRouteSettings, RuleSettings
from dbrouter.config.problems import Problems
from dbrouter.config.rules import prepare_rule
from dbrouter.rules import Decision, Facts, RuleSet, compile_rules
from dbrouter.sql import analyze
from dbrouter.terms import Engine
from tests.rulesets import shown


def ruleset(*rules: dict[str, Any], **processing: Any) -> RuleSet:
    """Rules numbered from 1 unless they say otherwise."""
    made = [RuleSettings.model_validate({"rule_id": number, **rule}) for number, rule in enumerate(rules, 1)]
    return compile_rules(made, **processing)


def decide(rules: RuleSet, text: str, *, digest_text: str | None = None, tag: str | None = None, **facts: Any) -> Decision:
    return rules.evaluate(shown(text, digest_text, tag=tag, **facts))


def test_no_rule_says_nothing() -> None:
    """Without rules every field is empty."""
    decision = decide(ruleset(), "SELECT 1")

    assert (decision.destination, decision.rule_id, decision.timeout, decision.retries) == (None, None, None, None)
    assert (decision.error_msg, decision.error_rule_id, decision.unsafe, decision.matched) == (None, None, False, ())
    assert repr(decision) == "<Decision nothing>"


def test_the_last_match_wins_unless_one_applies() -> None:
    """Without apply later rules overrule; with it evaluation ends."""
    going_on = ruleset({"destination_hostgroup": 1}, {"destination_hostgroup": 2})
    ending = ruleset({"destination_hostgroup": 1, "apply": True}, {"destination_hostgroup": 2})

    assert (decide(going_on, "x").destination, decide(going_on, "x").rule_id, decide(going_on, "x").matched) == (2, 2, (1, 2))
    assert (decide(ending, "x").destination, decide(ending, "x").rule_id, decide(ending, "x").matched) == (1, 1, (1,))


def test_rules_are_evaluated_in_ascending_rule_id() -> None:
    """The order in the file does not matter."""
    rules = ruleset({"rule_id": 30, "destination_hostgroup": 3}, {"rule_id": 10, "destination_hostgroup": 1, "apply": True})

    assert decide(rules, "x").destination == 1
    assert [rule.rule_id for rule in rules.rules] == [10, 30]


def test_each_output_is_overwritten_by_itself() -> None:
    """A later rule that says nothing of an output leaves it; the rule of the destination is the one that decided it."""
    rules = ruleset(
        {"destination_hostgroup": 1, "timeout": 5.0, "retries": 2, "unsafe": True},
        {"timeout": 9.0, "error_msg": "no"},
        {"retries": 0, "tag": "other"},
        {"comment": "nothing"},
    )
    decision = decide(rules, "x")

    assert (decision.destination, decision.rule_id, decision.unsafe, decision.timeout, decision.retries) == (1, 1, True, 9.0, 2)
    assert (decision.error_msg, decision.error_rule_id, decision.matched) == ("no", 2, (1, 2, 4))


def test_an_error_of_an_earlier_match_stays() -> None:
    """Later matches do not take it back."""
    decision = decide(ruleset({"error_msg": "no"}, {"destination_hostgroup": 2, "apply": True}), "x")

    assert (decision.error_msg, decision.destination) == ("no", 2)


def test_unsafe_is_the_deciding_rules() -> None:
    """A later safe destination does not inherit it."""
    decision = decide(ruleset({"destination_hostgroup": 1, "unsafe": True}, {"destination_hostgroup": 2}), "x")

    assert (decision.destination, decision.unsafe) == (2, False)


def test_inactive_rules_do_nothing() -> None:
    """They are listed, explained and never matched."""
    rules = ruleset({"destination_hostgroup": 1, "active": False}, {"destination_hostgroup": 2})

    assert decide(rules, "x").matched == (2,)
    assert [asdict(trace) for trace in rules.explain(shown("x"))] == [
        {"rule_id": 1, "matched": False, "because": "it is not active", "does": ()},
        {"rule_id": 2, "matched": True, "because": "it has no criteria", "does": ("destination_hostgroup 2",)},
    ]


@pytest.mark.parametrize(
    ("rule", "text", "digest", "matched"),
    [
        ({"match_digest": "^select"}, "/* c */ SELECT 1", "SELECT ?", True),
        ({"match_pattern": "^select"}, "/* c */ SELECT 1", "SELECT ?", False),
        ({"match_pattern": "/\\* c"}, "/* c */ SELECT 1", "SELECT ?", True),
        ({"match_digest": "^select", "re_modifiers": ""}, "", "SELECT ?", False),
        ({"match_digest": "FOR UPDATE$"}, "", "SELECT ? FOR UPDATE", True),
        ({"match_pattern": "FOR UPDATE$"}, "SELECT 1 FOR UPDATE\n", "", True),
        ({"match_pattern": "FOR UPDATE$"}, "SELECT 1 FOR UPDATE;", "", False),
        ({"match_pattern": "SELECT.*UPDATE"}, "SELECT 1\nFOR UPDATE", "", False),
        ({"match_digest": "a", "negate_match_pattern": True}, "a", "b", True),
        ({"match_digest": "a", "negate_match_pattern": True}, "b", "a", False),
        ({"match_digest": "a", "match_pattern": "b"}, "b", "a", True),
        ({"match_digest": "a", "match_pattern": "b"}, "c", "a", False),
        ({"match_digest": "a", "match_pattern": "b", "negate_match_pattern": True}, "c", "d", True),
        ({"match_digest": "a", "match_pattern": "b", "negate_match_pattern": True}, "b", "d", False),
        ({"match_digest": "a", "match_pattern": "b", "negate_match_pattern": True}, "c", "a", False),
        ({"negate_match_pattern": True}, "x", "x", True),
        ({"match_digest": "", "match_pattern": ""}, "x", "x", True),
        ({"database": "shop"}, "x", "x", True),
        ({"database": "Shop"}, "x", "x", False),
        ({"tag": "report"}, "x", "x", False),
    ],
)
def test_criteria(rule: dict[str, Any], text: str, digest: str, matched: bool) -> None:
    """Patterns match anywhere in their text, negation turns each round by itself, names are compared exactly."""
    assert bool(decide(ruleset(rule), text, digest_text=digest).matched) is matched


def test_tags_are_compared_exactly() -> None:
    """A call without tag matches no rule with one."""
    rules = ruleset({"tag": "report"})

    assert decide(rules, "x", tag="report").matched == (1,)
    assert decide(rules, "x", tag="Report").matched == ()


def test_the_measured_examples_of_proxysql() -> None:
    """The well-known sample rules do what ProxySQL was seen to do with them (0 writer, 1 reader, None no rule hit)."""
    rows: Sequence[tuple[str, str, int | None, int | None]] = [
        ("SELECT * FROM t WHERE a=1 FOR UPDATE", "SELECT * FROM t WHERE a=? FOR UPDATE", 0, 0),
        ("SELECT * FROM t FOR UPDATE;", "SELECT * FROM t FOR UPDATE", 1, 0),
        ("SELECT * FROM t\nFOR UPDATE", "SELECT * FROM t FOR UPDATE", 1, 0),
        ("SELECT * FROM t FOR UPDATE -- x", "SELECT * FROM t FOR UPDATE", 1, 0),
        ("SELECT * FROM t FOR UPDATE NOWAIT", "SELECT * FROM t FOR UPDATE NOWAIT", 1, 1),
        ("(SELECT * FROM t FOR UPDATE)", "(SELECT * FROM t FOR UPDATE)", None, None),
        ("/* app */ SELECT 1", "SELECT ?", None, 1),
    ]
    for column in ("match_pattern", "match_digest"):
        rules = ruleset(
            {column: "^SELECT.*FOR UPDATE$", "destination_hostgroup": 0, "apply": True},
            {column: "^SELECT.*", "destination_hostgroup": 1, "apply": True},
        )
        for text, digest, by_pattern, by_digest in rows:
            wanted = by_pattern if column == "match_pattern" else by_digest
            assert decide(rules, text, digest_text=digest).destination == wanted, (column, text)


def test_explanations_name_the_first_criterion_that_fails() -> None:
    """In the order in which criteria are looked at; rules behind one that applies are not reached."""
    rules = ruleset(
        {"database": "audit", "tag": "x"},
        {"tag": "report", "match_digest": "zzz"},
        {"match_digest": "zzz", "match_pattern": "zzz"},
        {"match_digest": "select", "match_pattern": "zzz"},
        {"match_digest": "select", "negate_match_pattern": True},
        {"match_digest": "select", "database": "shop", "apply": True},
        {"match_digest": "select"},
    )
    traces = rules.explain(shown("SELECT 1", "SELECT ?"))

    assert [(trace.rule_id, trace.matched, trace.because) for trace in traces] == [
        (1, False, "database is 'shop', not 'audit'"),
        (2, False, "the call has no tag, not 'report'"),
        (3, False, "match_digest 'zzz' is not found in the digest text"),
        (4, False, "match_pattern 'zzz' is not found in the statement"),
        (5, False, "match_digest 'select' is found in the digest text (negate_match_pattern)"),
        (6, True, "database and match_digest hold; it applies"),
        (7, False, "not reached: rule 6 matched and applies"),
    ]


@pytest.mark.parametrize("text", ["\0", "\ud800", "\udfff select", "SELECT '\U0010ffff'", "x" * 300_000, ""])
def test_no_text_makes_evaluation_raise(text: str) -> None:
    """NUL bytes, lone surrogates and long texts are texts like others."""
    rules = ruleset({"match_digest": "^.*$", "match_pattern": "select|x"}, {"match_pattern": "é$", "negate_match_pattern": True})

    assert isinstance(decide(rules, text), Decision)
    assert len(rules.explain(shown(text, tag=text))) == 2


# ---- flags


def test_flags_go_forward_only() -> None:
    """A match with flagOUT goes on with the rules of that flag behind it; those in front are never looked at again."""
    rules = ruleset(
        {"flagIN": 5, "destination_hostgroup": 1},
        {"match_pattern": "x", "flagOUT": 5},
        {"destination_hostgroup": 2},
        {"flagIN": 5, "destination_hostgroup": 3},
    )

    assert decide(rules, "x").matched == (2, 4) and decide(rules, "x").destination == 3
    assert decide(rules, "y").matched == (3,) and decide(rules, "y").flag == 0
    assert [trace.because for trace in rules.explain(shown("x"))] == [
        "the flag is 0, not 5",
        "match_pattern holds",
        "the flag is 5, not 0",
        "flagIN holds",
    ]


def test_iterations_begin_again() -> None:
    """With a budget a match that moved the flag starts again at the first rule, so often and no more."""
    rules = [{"flagIN": 5, "destination_hostgroup": 1, "apply": True}, {"flagOUT": 5}]

    assert decide(ruleset(*rules), "x").matched == (2,)
    assert decide(ruleset(*rules, iterations=1), "x").matched == (2, 1)
    turning = ruleset({"flagOUT": 0}, iterations=3)
    assert decide(turning, "x").matched == (1, 1, 1, 1)


def test_weighted_flags_are_drawn() -> None:
    """attributes.flagOUTs asks the draw; flagOUT takes its place; weight 0 is never offered."""
    rules = ruleset(
        {"attributes": {"flagOUTs": [{"id": 7, "weight": 1}, {"id": 8, "weight": 3}, {"id": 9, "weight": 0}]}},
        {"flagIN": 7, "destination_hostgroup": 7},
        {"flagIN": 8, "destination_hostgroup": 8},
    )
    offered: list[Any] = []

    def draw(rule: RuleSettings, flags: Sequence[int], weights: Sequence[int]) -> int:
        offered.append((rule.rule_id, flags, weights))
        return 7

    assert rules.by_chance
    assert rules.evaluate(shown("x"), draw).destination == 7
    assert rules.evaluate(shown("x")).destination == 8
    assert offered == [(1, (7, 8), (1, 3))]
    assert not ruleset({"flagOUT": 1, "attributes": {"flagOUTs": [{"id": 7}]}}).by_chance


def test_a_context_begins_with_its_flag() -> None:
    """The flag of next_query_flagIN is where a statement starts."""
    rules = ruleset({"flagIN": 3, "destination_hostgroup": 1})

    assert decide(rules, "x", flag=3).destination == 1
    assert decide(rules, "x").destination is None


# ---- who calls


@pytest.mark.parametrize(
    ("rule", "facts", "matched"),
    [
        ({"username": "ada"}, {"username": "ada"}, True),
        ({"username": "ada"}, {"username": "Ada"}, False),
        ({"username": "ada"}, {}, False),
        ({"username": ""}, {}, True),
        ({"schemaname": "shop"}, {"schemaname": "shop"}, True),
        ({"schemaname": "shop"}, {"schemaname": "shop2"}, False),
        ({"client_addr": "10.1.2.3"}, {"client_addr": "10.1.2.3"}, True),
        ({"client_addr": "10.1.2.3"}, {"client_addr": "10.1.2.30"}, False),
        ({"client_addr": "10.1.%"}, {"client_addr": "10.1.2.30"}, True),
        ({"client_addr": "10.1.%"}, {"client_addr": "10.10.2.30"}, False),
        ({"client_addr": "%"}, {"client_addr": "10.10.2.30"}, True),
        ({"client_addr": "10.1.2.3"}, {}, True),
        ({"proxy_addr": "10.0.0.1"}, {"proxy_addr": "10.0.0.2"}, False),
        ({"proxy_addr": "10.0.0.1"}, {}, True),
        ({"proxy_port": 6033}, {"proxy_port": 6033}, True),
        ({"proxy_port": 6033}, {"proxy_port": 6034}, False),
        ({"proxy_port": 6033}, {}, False),
        ({"kind": "select"}, {"kind": "SELECT"}, True),
        ({"kind": "INSERT"}, {"kind": "SELECT"}, False),
        ({"intent": "write"}, {"intent": "write"}, True),
        ({"intent": "write"}, {"intent": "read"}, False),
        ({"digest": "0x1C46AE529DD5A40E"}, {"digest": 0x1C46AE529DD5A40E}, True),
        ({"digest": "0x1C46AE529DD5A40E"}, {"digest": 1}, False),
    ],
)
def test_criteria_on_the_caller(rule: dict[str, Any], facts: dict[str, Any], matched: bool) -> None:
    """Exact, case-sensitive, prefixes by %, and unknown addresses are no obstacle, as in ProxySQL."""
    raw = prepare_rule({"rule_id": 1, **rule}, (), Problems())
    rules = compile_rules([RuleSettings.model_validate(raw)])

    assert bool(rules.evaluate(shown("x", **facts)).matched) is matched


def test_rules_know_what_they_look_at() -> None:
    """So that plans are kept by those facts alone."""
    assert ruleset({"destination_hostgroup": 1}).caller_facts == ()
    assert ruleset({"tag": "x"}, {"client_addr": "10.%", "active": True}).caller_facts == ("client_addr", "tag")
    assert ruleset({"username": "x", "active": False}).caller_facts == ()
    route = FastRouteSettings(schemaname="shop", destination_hostgroup=2)
    assert ruleset(fast_routes=[route]).caller_facts == ("username", "schemaname")


# ---- rewriting


@pytest.mark.parametrize(
    ("pattern", "replacement", "modifiers", "text", "wanted"),
    [
        ("old", "new", "CASELESS", "SELECT old FROM OLD", "SELECT new FROM OLD"),
        ("old", "new", "CASELESS,GLOBAL", "SELECT old FROM OLD", "SELECT new FROM new"),
        ("OLD", "new", "CASELESS", "SELECT old", "SELECT new"),
        ("OLD", "new", "", "SELECT old", "SELECT old"),
        (r"FROM (\w+)", r"FROM \1_v2", "CASELESS", "SELECT a FROM t WHERE x", "SELECT a FROM t_v2 WHERE x"),
        (r"(\w+) = (\w+)", r"\2 = \1", "GLOBAL", "a = b AND c = d", "b = a AND d = c"),
        (r"SELECT", r"\0 /* \\ */", "CASELESS", "SELECT 1", "SELECT /* \\ */ 1"),
        (r"(a)|(b)", r"[\1\2]", "GLOBAL", "ab", "[a][b]"),
        ("x*", "-", "GLOBAL", "abc", "-a-b-c-"),
        ("$", " LIMIT 10", "CASELESS", "SELECT 1\n", "SELECT 1 LIMIT 10\n"),
        ("1$", "2", "CASELESS", "SELECT 1\n", "SELECT 2\n"),
        ("1\\s*$", "2", "CASELESS", "SELECT 1\n", "SELECT 2"),
        ("é", "è", "CASELESS", "SELECT 'É'", "SELECT 'è'"),
        ("$1", "$2", "CASELESS", "a $1", "a $1"),
    ],
)
def test_replacing(pattern: str, replacement: str, modifiers: str, text: str, wanted: str) -> None:
    """First or all, with groups, under the rule's own modifiers; a final newline is not the pattern's."""
    decision = decide(
        ruleset({"match_pattern": pattern, "replace_pattern": replacement, "re_modifiers": modifiers}), text, digest_text="?"
    )

    assert (text if decision.rewritten is None else decision.rewritten) == wanted


def test_later_rules_see_the_rewritten_text_in_match_pattern_only() -> None:
    """match_digest looks at what the caller wrote."""
    rules = ruleset(
        {"match_pattern": "old", "replace_pattern": "new"},
        {"match_pattern": "new", "destination_hostgroup": 1},
        {"match_pattern": "old", "destination_hostgroup": 2},
        {"match_digest": "old", "timeout": 1.0},
        {"match_digest": "new", "timeout": 2.0},
    )
    decision = decide(rules, "old")

    assert (decision.matched, decision.destination, decision.timeout, decision.rewritten) == ((1, 2, 4), 1, 1.0, "new")
    assert "rewritten to 'new'" in rules.explain(shown("old"))[0].does


# ---- behind the rules


def test_fast_routing_follows_where_nothing_applied() -> None:
    """By user, schema and flag, then for any user; a hit overrules a destination, an applying rule is left alone."""
    routes = [
        FastRouteSettings(username="ada", schemaname="shop", destination_hostgroup=7),
        FastRouteSettings(schemaname="shop", flagIN=5, destination_hostgroup=8),
        FastRouteSettings(schemaname="shop", destination_hostgroup=9),
    ]
    rules = ruleset(
        {"match_pattern": "stop", "destination_hostgroup": 1, "apply": True},
        {"match_pattern": "go", "destination_hostgroup": 2},
        {"match_pattern": "flag", "flagOUT": 5},
        fast_routes=routes,
    )

    def goes(text: str, user: str = "bob", schema: str = "shop") -> int | None:
        return decide(rules, text, username=user, schemaname=schema).destination

    assert [goes("stop"), goes("go"), goes("x"), goes("x", "ada"), goes("flag", "ada")] == [1, 9, 9, 7, 8]
    assert goes("go", schema="other") == 2 and goes("x", schema="other") is None
    assert decide(rules, "go", username="bob", schemaname="shop").rule_id is None


def test_comments_overrule_where_they_may() -> None:
    """Off unless asked for; then behind the rules, the first comment only, and only what is understood."""
    text = (
        "SELECT /* hostgroup=7; query_timeout=250;query_retries=2;cache_ttl=50;mirror=9;query_delay=10;x=1 */ 1 /* hostgroup=8 */"
    )
    rule = {"destination_hostgroup": 1, "timeout": 9.0, "apply": True}

    def decision(rules: RuleSet, text: str) -> Decision:
        return rules.evaluate(Facts(analyze(text, Engine.MYSQL), database="shop"))

    assert decision(ruleset(rule), text).destination == 1
    hinted = decision(ruleset(rule, hints=True), text)
    assert (hinted.destination, hinted.rule_id, hinted.hinted) == (7, None, True)
    assert (hinted.timeout, hinted.retries, hinted.cache_ttl, hinted.mirror_hostgroup, hinted.delay) == (0.25, 2, 0.05, 9, 0.01)
    for harmless in (
        "SELECT '/* hostgroup=7 */'",
        "SELECT 1 -- hostgroup=7",
        "SELECT /*+ hostgroup=7 */ 1",
        "/* hostgroup=x */ S",
    ):
        assert decision(ruleset(rule, hints=True), harmless).destination == 1, harmless


def test_ten_thousand_rules_are_all_there() -> None:
    """Each of many patterns finds its own text, whichever block it is in."""
    rules = ruleset(*({"match_digest": f"FROM t{number}$", "destination_hostgroup": number} for number in range(10_000)))

    for number in (0, 255, 256, 5_000, 9_999):
        assert decide(rules, f"SELECT a FROM t{number}").destination == number
    assert decide(rules, "SELECT a FROM u").matched == ()


CATASTROPHIC = ["(a+)+$", "(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x", "(a?){30}a{30}"]
"""Patterns that hold a backtracking engine for years on a text of 40 letters."""


def test_no_pattern_can_hold_the_service() -> None:
    """A hundred such patterns, tested and replaced in 1 MB of text; with an engine that backtracks this test would never end."""
    rules = ruleset(
        *(
            {"match_pattern": CATASTROPHIC[n % 6], "match_digest": CATASTROPHIC[n % 5], "destination_hostgroup": n}
            for n in range(100)
        ),
        {"match_pattern": "(a+)+!", "replace_pattern": "b", "re_modifiers": "GLOBAL"},
    )
    text = "a" * 1_000_000 + "!"

    assert decide(rules, text, digest_text=text).rewritten == "b"
    assert len(rules.explain(shown(text))) == 101


def test_an_explanation_says_that_a_flag_is_drawn() -> None:
    """With the share of each: a call may go another way than the heaviest, which is what is shown."""
    flags = [{"id": 1, "weight": 3}, {"id": 2, "weight": 1}, {"id": 3, "weight": 0}]
    drawn = RuleSettings.model_validate({"rule_id": 1, "attributes": {"flagOUTs": flags}})
    fixed = RuleSettings.model_validate({"rule_id": 2, "flagIN": 1, "flagOUT": 4, "attributes": {"flagOUTs": flags}})
    first, second = compile_rules([drawn, fixed]).explain(shown("SELECT 1"))

    assert first.does == ("flag drawn by weight: 1 (75%), 2 (25%)", "flag 0 → 1")
    assert second.does == ("flag 1 → 4",)


def test_rewriting_cannot_make_a_text_of_any_length() -> None:
    """Rules that double it, again and again or at once, end in a refusal that names the rule; ordinary growth is none."""
    doubles = {"match_pattern": "a", "replace_pattern": r"\0\0", "re_modifiers": "GLOBAL"}
    rules = ruleset(*([doubles] * 60))
    at_once = ruleset({**doubles, "replace_pattern": r"\0" * 1000})
    ordinary = ruleset(*([doubles] * 3))

    decision = rules.evaluate(shown("SELECT a"))
    assert decision.error_rule_id is not None and 10 < decision.error_rule_id < 20 and "longer" in (decision.error_msg or "")
    assert decision.matched == tuple(range(1, decision.error_rule_id + 1))
    assert any("longer" in does for trace in rules.explain(shown("SELECT a")) for does in trace.does)
    assert at_once.evaluate(shown("a" * 100_000)).error_rule_id == 1
    long = "a" * 100_000
    assert ordinary.evaluate(shown(long)).error_msg is None and len(ordinary.evaluate(shown(long)).rewritten or "") == 800_000


def test_replacing_everywhere_cannot_hold_the_service() -> None:
    """
    A pattern that looks through the whole rest for each find would take minutes: it is given up, and the rule is named; many
    finds of an ordinary pattern are no trouble.
    """
    rules = ruleset({"match_pattern": "[a-y]*z|a", "replace_pattern": "b", "re_modifiers": "GLOBAL"})
    ordinary = ruleset({"match_pattern": ",", "replace_pattern": ", ", "re_modifiers": "GLOBAL"})

    decision = rules.evaluate(shown("a" * 300_000))
    assert decision.error_rule_id == 1
    assert decision.error_msg == "replace_pattern takes too long to find everywhere in a statement of 300000 bytes"
    assert len(ordinary.evaluate(shown("1234567," * 20_000)).rewritten or "") == 180_000
