"""RE2 patterns with PCRE's reading of `.` and `$`, for any text."""

from __future__ import annotations

import random
import re

import pytest

from dbrouter.config import patternset
from dbrouter.config.patterns import Pattern, Replacement, encode, pattern_problem, translate
from dbrouter.config.patternset import PatternSet


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("update$", "for update", True),
        ("update$", "for update\n", True),
        ("update$", "for update\n\n", False),
        ("update$", "for update\nx", False),
        ("^$", "", True),
        ("^$", "\n", True),
        ("^b", "a\nb", False),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("(?m)a$", "a\nb", True),
        ("(?m:a$)|c$", "a\nb", True),
        ("(?m:x)|a$", "a\nb", False),
        ("(?m)(?-m:a$)", "a\nb", False),
        ("((?m)x)|a$", "a\nb", False),
        (r"\$", "a$b", True),
        (r"\$$", "b$\n", True),
        ("[$]", "a$b", True),
        ("[]$]x", "$x", True),
        ("[^]$]x", "$x", False),
        ("[[:alpha:]$]$", "a$", True),
        (r"\Q$\E$", "a$\n", True),
        (r"\Qa$", "a$b", True),
        ("(a|b$)", "b\n", True),
        ("(?P<n>a$)", "a\n", True),
        ("(?<n>a$)", "a\n", True),
        (r"\\$", "\\\n", True),
        ("SELECT", "select", True),
        ("(?-i)SELECT", "select", False),
        ("é", "É", True),
        ("a\0b", "xa\0b", True),
    ],
)
def test_patterns_mean_what_pcre_says(pattern: str, text: str, found: bool) -> None:
    """Alone and in a set, with and without other patterns beside it."""
    assert pattern_problem(pattern) is None
    assert Pattern(pattern).found_in(encode(text)) is found
    assert (1 in PatternSet([("zzz", True), (pattern, True), ("", True)]).found_in(encode(text))) is found


def test_dollars_agree_with_python_on_random_patterns() -> None:
    """Python's `re` has PCRE's `$`; both agree wherever `$` ends a branch of the pattern."""
    rng = random.Random(7)
    for _ in range(3000):
        branches = [
            "".join(rng.choice(["a", "b", ".", "a*", "[ab]", "(?:a|b)", "^", r"\s"]) for _ in range(rng.randint(0, 4)))
            for _ in range(2)
        ]
        pattern = "|".join(branch + rng.choice(["$", ""]) for branch in branches)
        text = "".join(rng.choice("ab\n") for _ in range(rng.randint(0, 5)))

        assert Pattern(pattern).found_in(encode(text)) is (re.search(pattern, text, re.ASCII) is not None), (pattern, text)


@pytest.mark.parametrize("text", ["\0", "\ud800", "a\udfffb", "\U0010ffff", "x" * 1_000_000, "é" * 10, ""])
def test_no_text_makes_a_match_raise(text: str) -> None:
    """NUL, lone surrogates and long texts are texts like others."""
    data = encode(text)

    for pattern in ("a", ".", "^.*$", r"\x{10ffff}", r"\pL+"):
        assert Pattern(pattern).found_in(data) in (True, False)
        assert isinstance(PatternSet([(pattern, True)]).found_in(data), frozenset)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing )"),
        ("[a", "missing ]"),
        ("a**", "bad repetition operator"),
        ("(?=a)", "RE2 has no look-around"),
        ("(?!a)", "RE2 has no look-around"),
        ("(?<!a)b", "RE2 has no look-around"),
        (r"(a)\1", "RE2 has no back-references"),
        ("(?P<n>a)(?P=n)", "RE2 has no back-references"),
        ("(?>a)", "RE2 has no atomic groups"),
        ("a++", "possessive"),
        (r"a\Z", r"write \z"),
        ("a{1001}", "RE2 repeats at most 1000 times"),
        ("x" * 40_000, "is longer than 32768 characters"),
        ("\ud800", "lone surrogates"),
    ],
)
def test_patterns_that_do_not_compile_say_why(pattern: str, message: str) -> None:
    """RE2's own message, and what to do about what only PCRE has."""
    assert message in str(pattern_problem(pattern))


def test_case_is_told_apart_where_the_rule_says_so() -> None:
    """An empty re_modifiers makes a pattern case-sensitive, beside caseless ones in one set."""
    found = PatternSet([("select", True), ("select", False), ("SELECT", False)]).found_in(b"SELECT 1")

    assert found == {0, 2}


def test_a_set_without_memory_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """When RE2 has no memory for a set, its patterns are tried one by one."""
    wanted = [(f"SELECT .*{n}.*x{{{n}}}", True) for n in range(1, 60)]
    texts = [encode(f"SELECT {n} {'x' * n}") for n in range(70)]
    full = PatternSet(wanted)
    expected = [full.found_in(text) for text in texts]
    for memory in (1000, 40_000, 80_000, 120_000, 200_000):
        monkeypatch.setattr(patternset, "_SET_MEMORY", memory)
        small = PatternSet(wanted)

        assert [small.found_in(text) for text in texts] == expected
    assert any(expected)


def test_translation_leaves_patterns_without_dollar_alone() -> None:
    """The common case costs nothing and changes nothing."""
    assert translate(r"^\s*SELECT\b") == r"^\s*SELECT\b"
    assert translate(r"a\$[$]\Q$\E") == r"a\$[$]\Q$\E"


def test_a_pattern_that_holds_pythons_re_for_minutes_is_answered_at_once() -> None:
    """RE2 is linear: nested repetition is no trap."""
    assert not Pattern("^(a+)+$").found_in(b"a" * 5000 + b"b")


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("", "aé–𝄞", "-a-é-–-𝄞-"),
        ("x*", "aéxx–", "-a-é-–-"),
        (r"\B", "é–", "-é-–-"),
        ("$", "é", "é-"),
        ("^", "é", "-é"),
    ],
)
def test_an_empty_find_splits_no_character(pattern: str, text: str, wanted: str) -> None:
    """RE2 finds nothing between any two bytes; a character is several of them."""
    assert Replacement(pattern, "-", everywhere=True).apply(text) == wanted
