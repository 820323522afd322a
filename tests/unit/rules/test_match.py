"""What rules decide: ProxySQL's evaluation over the criteria dbrouter has now, and explanations that cannot disagree."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.config import RuleSettings
from dbrouter.rules import Decision, RuleSet, compile_rules
from dbrouter.rules import compile as compiling


def ruleset(*rules: dict[str, Any]) -> RuleSet:
    """Rules numbered from 1 unless they say otherwise."""
    return compile_rules([RuleSettings.model_validate({"rule_id": number, **rule}) for number, rule in enumerate(rules, 1)])


def decide(
    rules: RuleSet, text: str, *, digest_text: str | None = None, database: str = "shop", tag: str | None = None
) -> Decision:
    return rules.evaluate(database=database, tag=tag, text=text, digest_text=text if digest_text is None else digest_text)


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
    assert [trace.as_dict() for trace in rules.explain(database="shop", tag=None, text="x", digest_text="x")] == [
        {"rule_id": 1, "matched": False, "because": "it is not active"},
        {"rule_id": 2, "matched": True, "because": "it has no criteria"},
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
    traces = rules.explain(database="shop", tag=None, text="SELECT 1", digest_text="SELECT ?")

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
    assert len(rules.explain(database="shop", tag=text, text=text, digest_text=text)) == 2


def naive(rules: Sequence[RuleSettings], database: str, tag: str | None, text: str, digest_text: str) -> dict[str, Any]:
    """ProxySQL's algorithm written down a second time, plainly, with Python's `re`."""
    out: dict[str, Any] = dict.fromkeys(("destination", "rule_id", "timeout", "retries", "error_msg", "error_rule_id"))
    out |= {"unsafe": False, "matched": []}
    for rule in sorted(rules, key=lambda rule: rule.rule_id):
        if not rule.active:
            continue
        flags = re.ASCII | (re.IGNORECASE if rule.re_modifiers == "CASELESS" else 0)
        if rule.database and rule.database != database:
            continue
        if rule.tag and rule.tag != tag:
            continue
        if rule.match_digest and bool(re.search(rule.match_digest, digest_text, flags)) == rule.negate_match_pattern:
            continue
        if rule.match_pattern and bool(re.search(rule.match_pattern, text, flags)) == rule.negate_match_pattern:
            continue
        out["matched"].append(rule.rule_id)
        if rule.destination_hostgroup is not None:
            out |= {"destination": rule.destination_hostgroup, "rule_id": rule.rule_id, "unsafe": rule.unsafe}
        if rule.timeout is not None:
            out["timeout"] = rule.timeout
        if rule.retries is not None:
            out["retries"] = rule.retries
        if rule.error_msg is not None:
            out |= {"error_msg": rule.error_msg, "error_rule_id": rule.rule_id}
        if rule.apply:
            break
    out["matched"] = tuple(out["matched"])
    return out


def said(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in Decision.__slots__}


PATTERNS = ["", "^a", "a", "A", "b$", "^$", "a.b", "a|b$", r"\n", "ab", "^a.*b$", "(a|b)+", "[^a]", "c", r"a\s*b", "x"]
maybe_pattern = st.one_of(st.none(), st.sampled_from(PATTERNS))
rule_strategy = st.fixed_dictionaries(
    {
        "active": st.sampled_from([True, True, True, False]),
        "database": st.sampled_from([None, None, "shop", "audit"]),
        "tag": st.sampled_from([None, None, "t", "u"]),
        "match_digest": maybe_pattern,
        "match_pattern": maybe_pattern,
        "negate_match_pattern": st.booleans(),
        "re_modifiers": st.sampled_from(["CASELESS", "CASELESS", ""]),
        "destination_hostgroup": st.sampled_from([None, 1, 2, 3]),
        "timeout": st.sampled_from([None, None, 1.0, 2.0]),
        "retries": st.sampled_from([None, None, 0, 5]),
        "error_msg": st.sampled_from([None, None, None, "no", ""]),
        "apply": st.sampled_from([False, False, True]),
        "unsafe": st.booleans(),
    }
)
text_strategy = st.text(alphabet="aAbBc \n\0", max_size=8)


@settings(max_examples=1500, deadline=None)
@given(
    columns=st.lists(rule_strategy, max_size=12),
    ids=st.permutations(range(12)),
    database=st.sampled_from(["shop", "audit"]),
    tag=st.sampled_from([None, "t", "u"]),
    texts=st.lists(st.tuples(text_strategy, text_strategy), min_size=1, max_size=4),
)
def test_random_rules_agree_with_the_plain_algorithm(
    columns: list[dict[str, Any]], ids: list[int], database: str, tag: str | None, texts: list[tuple[str, str]]
) -> None:
    """Thousands of random rule sets decide as a second implementation does, and explanations name the same matches."""
    rules = [RuleSettings.model_validate({"rule_id": number, **rule}) for number, rule in zip(ids, columns, strict=False)]
    compiled = compile_rules(rules)
    for text, digest_text in texts:
        decision = compiled.evaluate(database=database, tag=tag, text=text, digest_text=digest_text)
        traces = compiled.explain(database=database, tag=tag, text=text, digest_text=digest_text)

        assert said(decision) == naive(rules, database, tag, text, digest_text)
        assert tuple(trace.rule_id for trace in traces if trace.matched) == decision.matched
        assert [trace.rule_id for trace in traces] == sorted(rule.rule_id for rule in rules)


def test_many_rules_agree_across_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns spread over many sets, shared patterns among them, decide as one by one."""
    rng = random.Random(5)
    for size in (1, 3, 256):
        monkeypatch.setattr(compiling, "SET_SIZE", size)
        rules = [
            RuleSettings(
                rule_id=number,
                match_digest=rng.choice([None, f"FROM t{rng.randrange(40)} ", "^SELECT", f"id{number}$"]),
                match_pattern=rng.choice([None, None, f"T{rng.randrange(40)} "]),
                negate_match_pattern=rng.random() < 0.1,
                re_modifiers=rng.choice(["CASELESS", ""]),
                destination_hostgroup=rng.randrange(9),
                apply=rng.random() < 0.05,
            )
            for number in range(300)
        ]
        compiled = compile_rules(rules)
        for number in range(60):
            text = f"SELECT a FROM t{number} WHERE id{number}"

            assert said(decide(compiled, text)) == naive(rules, "shop", None, text, text)
