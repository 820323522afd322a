"""What one rule's criteria imply about another's: certain where it is said, and found without comparing all with all."""

from __future__ import annotations

import random

import pytest

from dbrouter.config import RuleSettings
from dbrouter.config.patterns import Pattern, encode, pattern_problem
from dbrouter.config.problems import Problems
from dbrouter.config.rules import prepare_rule
from dbrouter.rules.implied import demand, implied
from dbrouter.rules.lint import flags_of
from dbrouter.rules.shadows import Shadows
from tests.rulesets import one_rule

PIECES = (
    *("a", "B", "ab", "^", "$", ".*", ".*?", ".", "|", "(a|B)", "(?:b)", "[^a]", "[a|B]", r"[\]|a]", "[]|a]", "?", "*", "+"),
    *("{2}", "{", "2}", r"\b", r"\s", r"\S", r"\n", r"\.", r"\|", r"\Q", r"\E", r"\01", "1", r"\x41", "(?i)", "(?s)"),
    *("[[:alpha:]]", "(", ")", "\\"),
)  # fmt: skip
TEXT = "aAbB2}1.|]\n \x01{x"


def rule(**columns: object) -> RuleSettings:
    """A rule that applies."""
    prepared = prepare_rule({"rule_id": 1, "apply": True, **columns}, (), Problems())
    return RuleSettings.model_validate(prepared)


def one_pattern(rng: random.Random) -> str:
    """Any pattern that compiles."""
    while True:
        pattern = "".join(rng.choices(PIECES, k=rng.randrange(1, 6)))
        if pattern_problem(pattern) is None:
            return pattern


@pytest.mark.parametrize("seed", range(3))
def test_what_an_implied_pattern_finds_the_other_finds_too(seed: int) -> None:
    """Random patterns, half of them continuing each other, tried on random texts."""
    rng = random.Random(seed)
    sure = 0
    for _ in range(4000):
        first = one_pattern(rng)
        second = one_pattern(rng) if rng.random() < 0.3 else first.removesuffix(".*") + "".join(rng.choices(PIECES, k=2))
        if pattern_problem(second) is not None:
            continue
        modifiers = [rng.choice(["CASELESS", "CASELESS", ""]) for _ in range(2)]
        earlier = rule(match_digest=first, re_modifiers=modifiers[0])
        later = rule(match_digest=second, re_modifiers=modifiers[1])
        if not implied(later, earlier, same_text=True):
            continue
        sure += 1
        finds, found = Pattern(second, caseless=later.caseless), Pattern(first, caseless=earlier.caseless)
        for _ in range(40):
            data = encode("".join(rng.choices(TEXT, k=rng.randrange(7))))
            assert found.found_in(data) or not finds.found_in(data), (first, second, modifiers, data)
    assert sure > 300, "random patterns have to imply each other often enough"


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ("^SELECT", "^SELECT.*FOR UPDATE$", True),
        ("^SELECT.*", "^SELECT .* FOR (UPDATE|SHARE)", True),
        (r"^\s*SELECT\b", r"^\s*SELECT\b.*FOR UPDATE", True),
        ("FOR UPDATE", "FOR UPDATE NOWAIT", True),
        ("^(INSERT|UPDATE)", "^(INSERT|UPDATE) t", True),
        ("^SELECT", "^SELECT a|^DELETE", False),
        ("^SELECT", "^SELEC", False),
        ("^SELECT a", "^SELECT", False),
        (r"a\Q.*", r"a\Qb", False),
        (r"\01", r"\012", False),
        ("a{", "a{2}", False),
        ("a", "a{2}", False),
        ("ab", "ab?c", False),
    ],
)
def test_patterns(earlier: str, later: str, expected: bool) -> None:
    """What an earlier pattern says of a later one, with equal modifiers."""
    assert implied(rule(match_digest=later), rule(match_digest=earlier), same_text=True) is expected


def test_capitals_count_in_one_of_them() -> None:
    """[^a] finds A where capitals count, and does not where they do not."""
    assert not implied(rule(match_digest="[^a]", re_modifiers=""), rule(match_digest="[^a]"), same_text=True)
    assert implied(rule(match_digest="^SELECT a", re_modifiers=""), rule(match_digest="^select"), same_text=True)
    assert implied(rule(match_digest="^SELECT a"), rule(match_digest="^select"), same_text=True)
    assert not implied(rule(match_digest="^SELECT a"), rule(match_digest="^SELECT", re_modifiers=""), same_text=True)


def test_a_demand_leaves_out_what_asks_for_nothing() -> None:
    """The end, where it is no part of something else."""
    shown = {pattern: demand(pattern) for pattern in ("^a.*", "^a.*?", ".*", "", r"a\.*", "[.*]", "(a.*)", "a")}

    assert shown == {"^a.*": "^a", "^a.*?": "^a", ".*": "", "": "", r"a\.*": r"a\.*", "[.*]": "[.*]", "(a.*)": "(a.*)", "a": "a"}


def test_one_database_tells_nothing_apart() -> None:
    """A rule about the only database is about everything."""
    earlier, later = rule(database="app"), rule(tag="x")

    assert not implied(later, earlier, same_text=True)
    assert implied(later, earlier, same_text=True, one_database=True)


@pytest.mark.parametrize("seed", range(3))
def test_shadows_are_found_as_if_all_were_compared_with_all(seed: int) -> None:
    """The index loses no shadow."""
    rng = random.Random(seed)
    count = 0
    for _ in range(300):
        rules = []
        for number in range(12):
            made = one_rule(rng, number) | {"apply": rng.random() < 0.6}
            if rng.random() < 0.6:
                made["match_digest"] = rng.choice(["^a", "^ab", "^a.*", "^A", "", "^aB*", "(a|b)", "(a|b).*c"])
            rules.append(RuleSettings.model_validate(prepare_rule(made, (), Problems())))
        one_database = rng.random() < 0.5
        shadows = Shadows(one_database=one_database)
        for number, later in enumerate(rules):
            between: list[RuleSettings] = []
            expected = None
            for earlier in reversed(rules[:number]):
                if any(later.flagIN in flags_of(other) for other in between):
                    break
                same_text = all(other.replace_pattern is None for other in between)
                if earlier.apply:
                    if implied(later, earlier, same_text=same_text, one_database=one_database):
                        expected = earlier
                        break
                else:
                    between.append(earlier)
            count += expected is not None
            assert shadows.add(later, flags_of(later)) is expected
    assert count > 200, "random rules have to stand in shadows often enough"


def test_ten_thousand_rules_are_not_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tells them apart: tables, users of one pattern, tags."""
    asked = 0

    def counted(*arguments: RuleSettings, **options: bool) -> bool:
        nonlocal asked
        asked += 1
        return implied(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("dbrouter.rules.shadows.implied", counted)
    shadows = Shadows()
    for number in range(9_999):
        match number % 3:
            case 0:
                columns = {"match_digest": f"^SELECT .* FROM t{number}x"}
            case 1:
                columns = {"match_digest": "^SELECT", "username": f"u{number}"}
            case _:
                columns = {"tag": f"t{number}"}
        assert shadows.add(rule(**columns), set()) is None

    assert asked < 10_000
