"""Patterns are tried on statements: which locking reads they miss, which writes they match."""

from __future__ import annotations

import pytest

from dbrouter.config import RuleSettings
from dbrouter.config.problems import Problems
from dbrouter.config.rules import prepare_rule
from dbrouter.rules.spellings import missed_locks, write_that_matches
from dbrouter.sql import analyze
from dbrouter.terms import Engine, Intent


def rule(**columns: object) -> RuleSettings:
    """A rule with these columns."""
    prepared = prepare_rule({"rule_id": 1, **columns}, (), Problems())
    return RuleSettings.model_validate(prepared)


def test_the_sample_of_proxysql() -> None:
    """`^SELECT.*FOR UPDATE$` misses most spellings; as match_digest it misses fewer."""
    text = missed_locks(rule(match_pattern="^SELECT.*FOR UPDATE$"), "match_pattern")
    digest = missed_locks(rule(match_digest="^SELECT.*FOR UPDATE$"), "match_digest")

    assert text == (
        "FOR UPDATE",
        (
            *("FOR UPDATE;", "FOR UPDATE -- x", "FOR UPDATE /* x */", "\nFOR UPDATE"),
            *("FOR UPDATE NOWAIT", "FOR UPDATE SKIP LOCKED", "FOR UPDATE OF t"),
        ),
    )
    assert digest == ("FOR UPDATE", ("FOR UPDATE NOWAIT", "FOR UPDATE SKIP LOCKED", "FOR UPDATE OF t"))


@pytest.mark.parametrize(
    ("pattern", "missed"),
    [
        (r"FOR\s+UPDATE", ()),
        (r"(?s)^SELECT.*FOR\s+UPDATE", ()),
        ("^SELECT.*FOR UPDATE", ("\nFOR UPDATE",)),
        (r"^SELECT [a-z]+ FROM (orders|items)\b.*FOR UPDATE(;|$)", ("FOR UPDATE -- x",)),
        ("^SELECT", ()),
        ("^UPDATE", ()),
    ],
)
def test_texts(pattern: str, missed: tuple[str, ...]) -> None:
    """The first spelling a pattern misses, comments and newlines included."""
    assert missed_locks(rule(match_pattern=pattern), "match_pattern")[1][:1] == missed


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(
    "columns",
    [
        {"match_digest": "^INSERT INTO orders"},
        {"match_pattern": r"^\s*(DELETE|TRUNCATE)\b.*orders"},
        {"match_digest": r"^SELECT .* FROM orders WHERE id = \?"},
        {"match_digest": "^SELECT", "negate_match_pattern": True},
        {"kind": "DELETE"},
        {},
    ],
)
def test_writes_that_match_are_writes(columns: dict[str, object], engine: Engine) -> None:
    """Whatever is named is a write, and of the kind that the rule asks for."""
    write = write_that_matches(rule(**columns), engine)

    assert write is not None
    assert analyze(write, engine).intent is Intent.WRITE
    assert columns.get("kind") in (None, analyze(write, engine).kind)


@pytest.mark.parametrize(
    "columns",
    [{"intent": "read"}, {"match_digest": "^SHOW"}, {"kind": "SHOW"}, {"match_digest": "^SELECT 1$"}, {"digest": "0x1"}],
)
def test_rules_about_reads(columns: dict[str, object]) -> None:
    """Nothing is named where no write matches."""
    assert write_that_matches(rule(**columns), Engine.POSTGRESQL) is None
