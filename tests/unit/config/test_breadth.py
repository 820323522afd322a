"""How broad a pattern is, and what a configuration does about patterns that are too broad."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.config import load
from dbrouter.config.breadth import MAX_BREADTH, MAX_BREADTH_OF_ALL, breadth
from dbrouter.config.patterns import Pattern, encode, pattern_problem
from dbrouter.config.patternset import PatternSet
from dbrouter.errors import ConfigError


def configuration(patterns: list[str], key: str = "match_digest") -> dict[str, Any]:
    """A small configuration with a rule for each pattern."""
    return {
        "writer": "postgresql://app@127.0.0.1/app",
        "readers": ["postgresql://app@127.0.0.2/app"],
        "query_rules": [
            {"rule_id": number + 1, key: pattern, "destination_hostgroup": 1} for number, pattern in enumerate(patterns)
        ],
    }


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("^SELECT .* FROM table_17 WHERE", 0),
        ("a{0,200}b", 199),
        ("(?:ab){50}c", 98),
        ("((a{10}){10}){10}", 999),
        (".{5}", 5),
        ("[a-z]{3,}x", 3),
        (r"\d{4}", 4),
        (r"FROM\s+(?:\w+\.)?t(\s|$)", 1),
        (r"\Qa{9}\Eb", 0),
        (r"a\{9}", 0),
        ("a{,9}", 0),
        ("[{9}]", 1),
        (r"\x{41}{4}\x41{4}", 6),
        (r"x{2}?y{3}?", 3),
        ("(?i:a){4}(?P<n>b){4}", 6),
        ("(a|b{3}){2}", 6),
    ],
)
def test_breadth_counts_what_a_text_can_be_at_all_at_once(pattern: str, wanted: int) -> None:
    """Copies of counted repetitions, and places that take many characters; not what is written once, nor loops."""
    assert breadth(pattern, Pattern(pattern).size) == wanted


@pytest.mark.parametrize("pattern", [r"\pL{20}", r"[^\pN]{100}", r"[\p{Greek}\p{Cyrillic}]{100}"])
def test_classes_of_many_characters_are_as_broad_as_their_program(pattern: str) -> None:
    """A class that RE2 writes as hundreds of instructions weighs more than one place."""
    assert breadth(pattern, Pattern(pattern).size) > 400


@pytest.mark.parametrize("key", ["match_digest", "match_pattern"])
def test_a_pattern_that_is_too_broad_is_a_problem_that_names_rule_pattern_and_size(key: str) -> None:
    """One pattern must not be able to hold the event loop: it is refused where the configuration is loaded."""
    with pytest.raises(ConfigError) as caught:
        load(configuration(["SELECT", "x{1000}.{1000}.{1000}"], key))

    problem = str(caught.value)
    assert f"query_rules[1].{key}" in problem
    assert "x{1000}.{1000}.{1000}" in problem
    assert f"2999 places at once (at most {MAX_BREADTH})" in problem


def test_many_broad_patterns_together_are_a_problem_that_names_the_broadest() -> None:
    """3,000 rules that are each bearable would stall every statement for seconds; the message says how many and which."""
    with pytest.raises(ConfigError) as caught:
        load(configuration([f"a{{0,200}}b{number}" for number in range(2999)] + ["a{0,300}z"]))

    problem = str(caught.value)
    assert f"{2999 * 199 + 299} places at once (at most {MAX_BREADTH_OF_ALL})" in problem
    assert "rule 3000's match_digest (299)" in problem


def test_inactive_rules_weigh_nothing() -> None:
    """What is not evaluated costs nothing."""
    source = configuration([f"a{{0,200}}b{number}" for number in range(300)])
    for rule in source["query_rules"]:
        rule["active"] = False

    load(source)


def test_ten_thousand_ordinary_rules_are_not_broad() -> None:
    """Loops, anchors, alternatives and word boundaries are free; a short counted repetition in each is borne."""
    shapes = (
        "^SELECT .* FROM table_{} .* WHERE .* ORDER BY .*$",
        r"FROM\s+(?:\w+\.)?table_{}(\s|$)",
        r"^(INSERT|UPDATE|DELETE) .*\btable_{}\b",
        r"^SELECT \w{{1,4}} FROM t{}",
    )

    load(configuration([shapes[number % 4].format(number) for number in range(10_000)]))


def test_the_broadest_set_that_loads_compiles_into_sets() -> None:
    """Whatever is accepted fits RE2's memory in pieces; nothing falls back to trying patterns one by one."""
    patterns = [(rf"[^;]{{0,1000}}[^;]{{0,{900 + number}}}x{number}", True) for number in range(25)]
    assert all(pattern_problem(pattern) is None for pattern, _ in patterns)

    made = PatternSet(patterns)

    assert " alone=0>" in repr(made)
    assert made.found_in(encode(";x7;" * 5)) == {7}


class _Counting:
    """A pattern set's sets, and how often they are asked."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.asked = 0

    def Match(self, data: bytes) -> Any:
        """Count, and ask."""
        self.asked += 1
        return self.inner.Match(data)


def watched(made: PatternSet) -> list[_Counting]:
    """The sets of *made*, each under a counter."""
    counters = [_Counting(patterns) for _, _, patterns in made._sets]
    made._sets = tuple((first, count, one) for (first, count, _), one in zip(made._sets, counters, strict=True))
    return counters


def test_ordinary_patterns_are_told_apart_by_their_words_alone() -> None:
    """The automaton of a set, wide where patterns have loops, is not built for statements that few could match."""
    made = PatternSet([(f"^SELECT .* FROM table_{number} .* WHERE .* ORDER BY .*$", True) for number in range(256)])
    counters = watched(made)

    assert made.found_in(b"SELECT a, b FROM table_17 t WHERE a = ? ORDER BY b") == {17}
    assert made.found_in(b"SELECT a, b FROM orders t WHERE a = ? ORDER BY b") == frozenset()
    assert sum(counter.asked for counter in counters) == 0


def test_patterns_without_words_of_their_own_are_asked_as_a_set() -> None:
    """Where words do not tell patterns apart, one pass over the text does."""
    made = PatternSet([(rf"^SELECT \w{{{number}}} FROM", True) for number in range(1, 40)])
    counters = watched(made)

    assert made.found_in(b"SELECT abcde FROM t") == {4}
    assert sum(counter.asked for counter in counters) == 1


PIECES = (
    *(
        "a",
        "K",
        "k",
        "s",
        "ſ",
        "\u212a",
        "ß",
        "İ",
        "é",
        "É",
        ".",
        ".*",
        r"\w+",
        "(?:ab|K)",
        "(?i:é)",
        "(?-i:Ab)",
        "^",
        "$",
        " ",
        "x{2,3}",
    ),
    *("[a-c]", "[^a]", r"\b", "select", "FROM t", "(a|)", r"\s", "b?", "1", r"\.", "(?s:.)", r"\pL", "ﬀ", "Σ", "ς"),
)
LETTERS = (*"aAkKsSbBx1. tT\n", "ſ", "\u212a", "ß", "İ", "i", "é", "É", "ab", "select", "From T", "ﬀ", "Σ", "σ", "ς")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join), st.booleans()), min_size=20, max_size=40
    ),
    st.lists(st.lists(st.sampled_from(LETTERS), max_size=12).map("".join), min_size=1, max_size=6),
)
def test_a_set_finds_what_each_pattern_finds(patterns: list[tuple[str, bool]], texts: list[str]) -> None:
    """However a set goes about it, its answer is that of its patterns one by one, with letters beyond ASCII too."""
    made = PatternSet(patterns)
    alone = [Pattern(pattern, caseless=caseless) for pattern, caseless in patterns]

    for data in map(encode, texts):
        assert made.found_in(data) == {number for number, pattern in enumerate(alone) if pattern.found_in(data)}


class _Silent:
    """A filter whose automaton has no memory: it finds no word in any text."""

    def Match(self, data: bytes, potential: bool) -> None:
        """Nothing."""


def test_a_filter_without_memory_hides_nothing() -> None:
    """Where RE2 answers "none" because it has no memory, the sets are asked."""
    made = PatternSet([(f"FROM table_{number} WHERE", True) for number in range(100)])
    made._filter = _Silent()

    assert made.found_in(b"SELECT a FROM table_77 WHERE b") == {77}


def test_more_words_than_a_filter_can_hold_are_left_to_sets() -> None:
    """No filter at all, and the same answer."""
    made = PatternSet([(f"w{number:05}" * 40, True) for number in range(500)])

    assert made._filter is None
    assert made.found_in(b"w00277" * 40) == {277}
