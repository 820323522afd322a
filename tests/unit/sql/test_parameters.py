"""`:name` placeholders: where they are seen, what becomes of them, and what is said where the values do not fit."""

from __future__ import annotations

import pytest

from dbrouter.errors import ParameterError
from dbrouter.sql import analyze, compile_named
from dbrouter.terms import Engine

PG, MY = Engine.POSTGRESQL, Engine.MYSQL


@pytest.mark.parametrize(
    ("engine", "sql", "text", "order"),
    [
        (PG, "SELECT * FROM t WHERE id = :id", "SELECT * FROM t WHERE id = $1", ("id",)),
        (MY, "SELECT * FROM t WHERE id = :id", "SELECT * FROM t WHERE id = %s", ("id",)),
        (PG, "SELECT :a, :b, :a", "SELECT $1, $2, $1", ("a", "b")),
        (MY, "SELECT :a, :b, :a", "SELECT %s, %s, %s", ("a", "b", "a")),
        (
            PG,
            "SELECT :a::int, b::text, ':c', -- :d\n /* :e */ $$:f$$",
            "SELECT $1::int, b::text, ':c', -- :d\n /* :e */ $$:f$$",
            ("a",),
        ),
        (PG, "SELECT E'\\':x', \":y\", :a", "SELECT E'\\':x', \":y\", $1", ("a",)),
        (PG, "SELECT a[1:n], a[i:j], a[1\\:n], :v", "SELECT a[1:n], a[i:j], a[1:n], $1", ("v",)),
        (PG, "SELECT a€:b, c$:d, :a FROM t", "SELECT a€:b, c$:d, $1 FROM t", ("a",)),  # `a€$1` would be one name to the server
        (PG, "SELECT f(x := 1, y => :a)", "SELECT f(x := 1, y => $1)", ("a",)),
        (MY, "SELECT '50%', 5 % 2, :a -- 100%", "SELECT '50%%', 5 %% 2, %s -- 100%%", ("a",)),
        (MY, "SELECT '\\':x', `:y`, \":z\", :a # :b", "SELECT '\\':x', `:y`, \":z\", %s # :b", ("a",)),
        (MY, "SELECT /*! :a */ 1", "SELECT /*! %s */ 1", ("a",)),
        (PG, "SELECT (:a), :b;", "SELECT ($1), $2;", ("a", "b")),
        (PG, ":a", "$1", ("a",)),
        (PG, "SELECT :größe", "SELECT $1", ("größe",)),
        (PG, "SELECT /* a /* :x */ :y */ :z", "SELECT /* a /* :x */ :y */ $1", ("z",)),
    ],
)
def test_names_become_the_engines_own_placeholders(engine: Engine, sql: str, text: str, order: tuple[str, ...]) -> None:
    """Names outside of strings, comments, casts and slices are rewritten; a literal percent sign is doubled for MySQL."""
    named = compile_named(sql, engine)

    assert named is not None
    assert (named.text, named.order) == (text, order)


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        (PG, "SELECT 1"),
        (PG, "SELECT '{}'::json"),
        (PG, "SELECT a[1:n]"),
        (PG, "SELECT ':a'"),
        (PG, "SELECT $1, :a"),
        (PG, "INSERT INTO t (doc) VALUES ($1)"),
        (PG, "SELECT f(a := 1)"),
        (MY, "SELECT %s, :a"),
        (MY, "SELECT @a := 1"),
        (MY, "SELECT 1 -- :a"),
    ],
)
def test_a_mapping_stays_a_value_where_no_names_are(engine: Engine, sql: str) -> None:
    """Without a `:name`, or beside the engine's own placeholders, nothing is rewritten: a dict may be a JSON column's value."""
    assert compile_named(sql, engine) is None


def test_values_go_in_order() -> None:
    """Each name's value goes where the rewritten text takes it."""
    pg = compile_named("SELECT :a, :b, :a", PG)
    my = compile_named("SELECT :a, :b, :a", MY)
    assert pg is not None and my is not None

    assert pg.values({"b": 2, "a": 1}) == (1, 2)
    assert my.values({"b": 2, "a": None}) == (None, 2, None)


def test_what_does_not_fit_is_named() -> None:
    """Missing and unknown names are both named, each with the nearest one that would fit."""
    named = compile_named("SELECT :user_id, :name", PG)
    assert named is not None

    with pytest.raises(ParameterError) as caught:
        named.values({"userid": 1, "name": 2, "zzz": 3})

    assert "no value for :user_id (given: 'userid')" in str(caught.value)
    assert "unknown 'userid' (the text has: 'user_id'), 'zzz'" in str(caught.value)


def test_an_empty_mapping_is_told_what_is_missing() -> None:
    """Every name of the text is named where no value is given."""
    named = compile_named("SELECT :a, :b", PG)
    assert named is not None

    with pytest.raises(ParameterError, match="no value for :a, :b"):
        named.values({})


@pytest.mark.parametrize(
    ("engine", "sql", "named", "count"),
    [
        (PG, "SELECT $1, $2, $1", (), 2),
        (PG, "SELECT '$1', $a$ $2 $a$ -- $3", (), 0),
        (PG, "SELECT :a, :a, :b", ("a", "b"), 0),
        (PG, "SELECT $1, :a", ("a",), 1),
        (PG, "SELECT a$1, $99999999999999999999", (), 99999999),
        (MY, "SELECT %s, %s", (), 2),
        (MY, "SELECT '%s', %%s, %s", (), 2),
        (MY, "SELECT 5 % 2, '50%'", (), 0),
        (MY, "SELECT :a", ("a",), 0),
        (PG, "SELECT :a$$, :b$$, :c$d, :e", ("e",), 0),
        (MY, "SELECT :a$$, :b$$, :c$d, :e", ("e",), 0),
    ],
)
def test_placeholders_are_found(engine: Engine, sql: str, named: tuple[str, ...], count: int) -> None:
    """Names once each, and how many values the engine's own placeholders take."""
    statement = analyze(sql, engine)

    assert (statement.named, statement.placeholders.count, statement.positional) == (named, count, count > 0)
