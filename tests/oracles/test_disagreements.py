"""Foreign parsers agree with `analyze` about each line of the corpora, but where `corpus/disagreements.toml` says why not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from dbrouter.sql import analyze
from dbrouter.terms import Engine, Intent
from tests.corpus.lines import load
from tests.oracles import glot, postgresql

_EXPLAINED = tomllib.loads(Path(__file__).parents[1].joinpath("corpus", "disagreements.toml").read_text(encoding="utf-8"))
Opinion = Callable[[str], bool | None]
_ORACLES: list[tuple[str, Engine, Opinion]] = [
    ("pglast", Engine.POSTGRESQL, postgresql.reads),
    ("sqlglot", Engine.POSTGRESQL, lambda sql: glot.reads(sql, Engine.POSTGRESQL)),
    ("sqlglot", Engine.MYSQL, lambda sql: glot.reads(sql, Engine.MYSQL)),
]
_EACH = pytest.mark.parametrize(("name", "engine", "reads"), _ORACLES, ids=[f"{name}-{engine}" for name, engine, _ in _ORACLES])


def _texts(engine: Engine) -> list[str]:
    return list(dict.fromkeys(line.sql for line in load(engine)))


@_EACH
def test_every_disagreement_is_explained_and_every_explanation_is_needed(name: str, engine: Engine, reads: Opinion) -> None:
    """What the parser says differently is in the file, with our verdict and a reason; nothing else is in it."""
    explained = {sql: entry["ours"] for entry in _EXPLAINED[name][engine]["disagreement"] for sql in entry["statements"]}
    found = {}
    for sql in _texts(engine):
        ours = analyze(sql, engine).intent is Intent.READ
        if reads(sql) is (not ours):
            found[sql] = "read" if ours else "write"

    assert {sql: ours for sql, ours in found.items() if explained.get(sql) != ours} == {}, "not explained"
    assert {sql: ours for sql, ours in explained.items() if found.get(sql) != ours} == {}, (
        "explained, but there is no disagreement"
    )


@_EACH
def test_the_parser_has_an_opinion_on_most_lines(name: str, engine: Engine, reads: Opinion) -> None:
    """How many lines the parser refuses is known, so that silence does not pass for consent."""
    assert sum(1 for sql in _texts(engine) if reads(sql) is None) == _EXPLAINED[name][engine]["without_verdict"]


def test_every_explanation_says_something() -> None:
    """Each entry has a reason and statements, and no statement stands twice in one list."""
    for engines in _EXPLAINED.values():
        for part in engines.values():
            listed = [sql for entry in part["disagreement"] for sql in entry["statements"]]
            assert len(set(listed)) == len(listed)
            assert all(len(entry["why"]) > 40 and entry["statements"] for entry in part["disagreement"])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", True),
        ("SELECT * FROM t FOR SHARE", False),
        ("WITH d AS (DELETE FROM t RETURNING *) SELECT 1", False),
        ("SELECT a INTO x FROM t", False),
        ("EXPLAIN DELETE FROM t", True),
        ("EXPLAIN (ANALYZE) DELETE FROM t", False),
        ("SELECT 1; DELETE FROM t", False),
        ("SELECT pg_catalog.nextval('s')", False),
        ("SELEC 1", None),
    ],
)
def test_postgresql_s_own_parser_is_asked_rightly(sql: str, expected: bool | None) -> None:
    """The opinion drawn from PostgreSQL's tree is what a reader of the manual would say."""
    assert postgresql.reads(sql) is expected


@pytest.mark.parametrize(
    ("sql", "engine", "expected"),
    [
        ("SELECT 1", Engine.MYSQL, True),
        ("SELECT a FROM t FOR UPDATE", Engine.MYSQL, False),
        ("SELECT @a := 1", Engine.MYSQL, False),
        ("SELECT GET_LOCK('x', 1)", Engine.MYSQL, False),
        ("SHOW TABLES", Engine.MYSQL, True),
        ("DESCRIBE t", Engine.MYSQL, True),
        ("SELECT 1 INTO x", Engine.POSTGRESQL, False),
        ("SELECT (", Engine.POSTGRESQL, None),
    ],
)
def test_sqlglot_is_asked_rightly(sql: str, engine: Engine, expected: bool | None) -> None:
    """The opinion drawn from sqlglot's tree is what a reader of the manual would say."""
    assert glot.reads(sql, engine) is expected
