"""What lint says, and that what it is sure of is true."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dbrouter.config import RuleSettings, load
from dbrouter.config.checks import Draft
from dbrouter.config.model import ProcessingSettings
from dbrouter.config.problems import Problems, show_path
from dbrouter.config.rules import prepare_rule
from dbrouter.rules import compile_rules
from dbrouter.rules import lint as linting
from dbrouter.rules.finding import Finding, Severity
from dbrouter.rules.lint import lint, lint_draft
from dbrouter.sql import analyze
from dbrouter.terms import Engine
from tests.corpus.lines import load as load_corpus
from tests.rulesets import one_rule, one_statement, shown


def findings(*rules: dict[str, Any], **extra: Any) -> list[Finding]:
    """Of rules numbered from 1, on one writer and one reader."""
    source = {
        "databases": {"app": {"dsn": "postgresql://app@/app", "writer_hostgroup": 1, "reader_hostgroup": 2}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}, {"id": 2, "servers": ["db2"]}],
        "query_rules": [{"rule_id": number, **rule} for number, rule in enumerate(rules, 1)],
        **extra,
    }
    return list(lint(load(source)))


def said(*rules: dict[str, Any], **extra: Any) -> list[tuple[int | None, str]]:
    """(rule, code) of each finding."""
    return [(finding.rule_id, finding.code) for finding in findings(*rules, **extra)]


GO = {"destination_hostgroup": 1}
OPEN = {
    "hostgroups": [
        {"id": 1, "servers": ["db1"]},
        {"id": 2, "servers": ["db2"], "read_only": False},
        {"id": 3, "servers": ["db3"], "database": "app", "read_only": False},
    ],
    "query_rules_fast_routing": [{"schemaname": "x", "destination_hostgroup": 3}],
}


@pytest.mark.parametrize(
    ("pattern", "extra", "finds"),
    [
        ("WHERE id = 5", {}, False),
        (r"^SELECT .* WHERE name = '.*'$", {}, False),
        (r"LIMIT \d+$", {}, False),
        (r"/\* report \*/", {}, False),
        (r"/\* report \*/", {"digest": {"keep_comment": True}}, True),
        ("report", {"digest": {"keep_comment": True}}, True),
        ("FROM t;$", {}, False),
        ("a, b", {}, False),
        (r"IN \(\?, \?\)", {}, False),
        (r"VALUES \(\?, \?\)$", {}, False),
        (r"^SELECT f\(a, b\)", {}, False),
        (r"^SELECT f\( a", {}, False),
        ("^SELECT a", {"digest": {"lowercase": True}}, True),
        (r"^SELECT .* FROM users WHERE id ?= ?\?", {}, True),
        (r"^SELECT .* FROM `?users`?", {}, True),
        (r"FROM \"Users\"", {}, True),
        ("; DELETE", {}, True),
        (r"\d+", {}, True),
        (r"FROM t_\d+ ", {}, True),
        (r"IN \(\?,\?,\?,\.\.\.\)", {}, True),
        (r"^SELECT (a|b) FROM t", {}, True),
        (r"^(?:SELECT|SHOW)\s", {}, True),
        (r"^SELECT \* FROM [a-z]+ WHERE \w+ IN ", {}, True),
        (r"VALUES ?\(\?", {}, True),
        (r"\bFOR UPDATE\b", {}, True),
        (r"->>", {}, True),
        ("@@version", {}, True),
        (r"\+\?$", {}, True),
        ("x::int", {}, True),
        (r"(?i)select count\(\*\) from t", {}, True),
        ("^BEGIN$", {}, True),
    ],
)
def test_patterns_that_no_digest_text_has(pattern: str, extra: dict[str, Any], finds: bool) -> None:
    """They are about literals, comments or blanks, and the message says what the digest text is."""
    found = [finding for finding in findings({"match_digest": pattern, **GO}, **extra) if finding.code == "not-in-digests"]

    assert [finding.rule_id for finding in found] == ([] if finds else [1])
    assert all("whose digest text is" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("rules", "extra", "expected"),
    [
        ([], {}, []),
        ([{"match_digest": "^SELECT", **GO, "apply": True}], {}, []),
        ([{"flagIN": 5, **GO}], {}, [(1, "unreachable")]),
        ([{"flagOUT": 5}, {"flagIN": 5, **GO}], {}, []),
        ([{"flagIN": 5, **GO}, {"flagOUT": 5}], {}, [(1, "unreachable"), (2, "backward-flag")]),
        ([{"flagIN": 5, **GO}, {"flagOUT": 5}], {"query_processor_iterations": 1}, []),
        ([{"flagIN": 5, **GO}, {"tag": "x", "next_query_flagIN": 5}], {}, []),
        ([{"flagOUT": 5}], {}, [(1, "flag-leads-nowhere")]),
        ([{"flagOUT": 5, "apply": True}], {}, [(1, "flag-unused")]),
        ([{"attributes": {"flagOUTs": [{"id": 5}, {"id": 6, "weight": 0}]}}, {"flagIN": 6, **GO}],
         {}, [(1, "flag-leads-nowhere"), (2, "unreachable")]),
        ([{"match_digest": "^SELECT", **GO, "apply": True}, {"match_digest": "^SELECT.*FOR UPDATE$", **GO}],
         {}, [(2, "shadowed"), (2, "misses-spellings")]),
        ([{"match_digest": "^select", **GO, "apply": True}, {"match_digest": "^SELECT a", **GO}], {}, [(2, "shadowed")]),
        ([{"match_digest": "^select", "re_modifiers": "", **GO, "apply": True}, {"match_digest": "^SELECT a", **GO}], {}, []),
        ([{"match_digest": "^SELECT a?", **GO, "apply": True}, {"match_digest": "^SELECT b", **GO}], {}, []),
        ([{"match_digest": "^SELECT ab", **GO, "apply": True}, {"match_digest": "^SELECT ab?", **GO}], {}, []),
        ([{"match_digest": "^A", **GO, "apply": True}, {"match_digest": "^AB|C", **GO}], {}, []),
        ([{**GO, "apply": True}, {"tag": "x", **GO}], {}, [(2, "shadowed")]),
        ([{"tag": "x", **GO, "apply": True}, {"tag": "y", **GO}, {"tag": "x", "kind": "SELECT", **GO}], {}, [(3, "shadowed")]),
        ([{"client_addr": "10.%", **GO, "apply": True}, {"client_addr": "10.1.%", **GO}, {"client_addr": "11.%", **GO}],
         {}, [(2, "shadowed")]),
        ([{"match_pattern": "^A", **GO, "apply": True}, {"match_pattern": "B", "replace_pattern": "A"},
          {"match_pattern": "^AB", **GO}],
         {}, []),
        ([{"flagIN": 3, **GO, "apply": True}, {"flagOUT": 3}, {"flagIN": 3, **GO}, {"tag": "z", "next_query_flagIN": 3}], {}, []),
        ([{"match_pattern": "^SELECT.*FOR UPDATE$", **GO}], {}, [(1, "misses-spellings")]),
        ([{"match_pattern": "^SELECT.*", "destination_hostgroup": 2, "apply": True},
          {"match_pattern": "^SELECT.*FOR UPDATE$", **GO, "apply": True}],
         {}, [(1, "vetoed-destination"), (2, "shadowed"), (2, "misses-spellings")]),
        ([{"match_digest": "^SELECT .* FROM orders WHERE .*FOR (UPDATE|SHARE)$", **GO}], {}, [(1, "misses-spellings")]),
        ([{"match_digest": "for share$", **GO}], {}, [(1, "misses-spellings")]),
        ([{"match_pattern": "LOCK IN SHARE MODE$", **GO}], {}, [(1, "misses-spellings")]),
        ([{"match_digest": "LOCK IN SHARE MODE$", **GO}], {}, []),
        ([{"match_digest": "^SELECT a FROM t WHERE id = .*$", **GO}], {}, []),
        ([{"match_digest": "FOR UPDATE$", "negate_match_pattern": True, **GO}], {}, []),
        ([{"match_digest": "^UPDATE orders", "destination_hostgroup": 2}], {}, [(1, "vetoed-destination")]),
        ([{"match_digest": "^SELECT .* FROM orders", "destination_hostgroup": 2}], {}, [(1, "vetoed-destination")]),
        ([{"kind": "UPDATE", "destination_hostgroup": 2}], {}, [(1, "vetoed-destination")]),
        ([{"match_digest": "^SELECT", "destination_hostgroup": 2, "unsafe": True}], OPEN, []),
        ([{"match_digest": "^SELECT", "destination_hostgroup": 3}], OPEN, []),
        ([{"match_digest": "[^a]", **GO, "apply": True}, {"match_digest": "[^a]", "re_modifiers": "", **GO}], {}, []),
        ([{"match_digest": "^SELECT", **GO, "apply": True}, {"match_digest": "^SELECT a", "timeout": "1s"}],
         {}, [(2, "shadowed")]),
        ([{"tag": "x", **GO}, {"tag": "x", **GO, "comment": "again"}], {}, [(2, "duplicate")]),
        ([{"flagIN": 5, "flagOUT": 6}, {"flagIN": 6, **GO}], {}, [(1, "unreachable"), (2, "unreachable")]),
        ([{"flagOUT": 5, "apply": True}, {"flagIN": 5, **GO}], {}, [(1, "flag-unused"), (2, "unreachable")]),
        ([{"match_digest": "FOR UPDATE( (NOWAIT|SKIP LOCKED|OF .*))?$", **GO}], {}, []),
        ([{"match_digest": "^SELECT", "destination_hostgroup": 2}], {}, [(1, "vetoed-destination")]),
        ([{"match_digest": "^SELECT", "intent": "read", "destination_hostgroup": 2}], {}, []),
        ([{"match_digest": "^SHOW", "destination_hostgroup": 2}], {}, []),
        ([{"tag": "x"}], {}, [(1, "does-nothing")]),
        ([{"tag": "x", "apply": True}], {}, []),
        ([{"negate_match_pattern": True, **GO}], {}, [(1, "negates-nothing")]),
        ([{"match_pattern": "a", "replace_pattern": "b", "negate_match_pattern": True}], {}, [(1, "replaces-nothing")]),
        ([{"cache_timeout": 5, "reconnect": 1, "sticky_conn": 0, **GO}], {}, [(1, "no-effect")] * 3),
        ([{"active": False, **GO}], {}, [(1, "inactive")]),
        ([{"OK_msg": "a", "error_msg": "b"}], {}, [(1, "error-unsaid")]),
        ([{"client_addr": "10.0.0.0/8", **GO}], {}, [(1, "no-address")]),
        ([{"proxy_addr": "fe80::/10", **GO}], {}, [(1, "no-address")]),
        ([{"client_addr": "10.0.0.%", "proxy_addr": "/run/app.sock/1", **GO}], {}, []),
        ([{"kind": "drop table", **GO}, {"kind": "SELECT FOR UPDATE", **GO}], {}, [(1, "no-such-kind"), (2, "no-such-kind")]),
        ([{"kind": kind, **GO} for kind in ("DROP", "UNKNOWN", "EMPTY", "WITH", "UPSERT")], {}, []),
        ([{"cache_ttl": "1s", "cache_volatile": True}], {}, [(1, "caches-volatile")]),
        ([], {"comment_hints": True}, [(None, "comment-hints")]),
    ],
)  # fmt: skip
def test_each_finding(rules: list[dict[str, Any]], extra: dict[str, Any], expected: list[tuple[int | None, str]]) -> None:
    """Said where it is so, and not where it only looks so."""
    assert said(*rules, **extra) == expected


@pytest.mark.parametrize("engine", list(Engine))
def test_a_kind_that_statements_have_is_one(engine: Engine) -> None:
    """Of every statement of the corpus."""
    for kind in sorted({analyze(line.sql, engine).kind for line in load_corpus(engine)}):
        assert "no-such-kind" not in [code for _, code in said({"kind": kind, **GO})], kind


def test_hostgroups() -> None:
    """A primary that serves reads, a weight of zero, a hostgroup that nothing names."""
    groups = [
        {"id": 1, "servers": ["db1"]},
        {"id": 2, "servers": ["db1", {"host": "db2", "weight": 0}]},
        {"id": 3, "database": "app", "servers": ["db3"]},
    ]

    assert [(finding.code, show_path(finding.path)) for finding in findings(hostgroups=groups)] == [
        ("reader-includes-writer", "hostgroups[1]"),
        ("weight-zero", "hostgroups[1].servers[1].weight"),
        ("unused-hostgroup", "hostgroups[2]"),
    ]


def test_what_is_said_names_the_rules_and_the_next_step() -> None:
    """A message can be acted upon without looking anything up."""
    (shadowed,) = findings({"match_digest": "^SELECT", **GO, "apply": True}, {"match_digest": "^SELECT a", **GO})
    (backward,) = findings({"flagIN": 5, **GO}, {"tag": "a", "next_query_flagIN": 5}, {"flagOUT": 5})

    assert shadowed.severity is Severity.WARNING and "rule 1 matches whatever this one matches" in shadowed.message
    assert show_path(backward.path) == "query_rules[2].flagOUT" and "query_processor_iterations" in backward.message


@pytest.mark.parametrize("seed", range(4))
def test_a_rule_said_never_to_match_never_does(seed: int) -> None:
    """Random rule sets: what lint calls unreachable or shadowed is matched by no statement."""
    rng = random.Random(seed)
    sure = 0
    for _ in range(800):
        rules = [one_rule(rng, rule_id) for rule_id in rng.sample(range(40), 8)]
        for rule in rules:
            if rng.random() < 0.5:
                rule["match_digest"] = rng.choice(["^a", "^ab", "^a.*", "^A", "", "^aB*"])
        made = [RuleSettings.model_validate(prepare_rule(rule, (), Problems())) for rule in rules]
        iterations = rng.choice([0, 0, 2])
        draft = Draft(rules=[((place,), rule) for place, rule in enumerate(made)])
        draft.processing = ProcessingSettings(query_processor_iterations=iterations)
        never = {finding.rule_id for finding in lint_draft(draft) if finding.code in ("unreachable", "shadowed")}
        sure += len(never)
        compiled = compile_rules(made, iterations=iterations)
        active = [rule for rule in made if rule.active]
        starts = [0, *(rule.next_query_flagIN or 0 for rule in active), *(rule.mirror_flagOUT or 0 for rule in active)]
        for _ in range(25):
            asked = one_statement(rng) | {"flag": rng.choice(starts)}
            facts = shown(asked["text"], asked["digest_text"], **{k: v for k, v in asked.items() if "text" not in k})
            matched = set(compiled.evaluate(facts, lambda _rule, flags, _weights: rng.choice(flags)).matched)
            assert not matched & never, (rules, asked)
    assert sure > 500, "random rules have to be wrong often enough"


def test_every_code_is_in_the_documentation() -> None:
    """The page on rules lists them, and no others."""
    import re
    from pathlib import Path

    source = Path(linting.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'(?:say\(|code=)\s*"([a-z-]+)"', source)) | {"never-hit", "invalid"}
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `([a-z-]+)` \|", page.partition("## Lint")[2], re.MULTILINE)) == codes
