"""Invariants of the lexer and classifier that hold for every text, not only for those in the corpora."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.sql import analyze, compile_named
from dbrouter.sql.digest import digest_text
from dbrouter.sql.lexer import lex, spans
from dbrouter.terms import Engine, Intent
from tests.corpus.lines import load
from tests.fuzz.invariants import check

ENGINES = st.sampled_from(list(Engine))
CORPUS = {engine: load(engine) for engine in Engine}
LINES = {engine: [line.sql for line in lines] for engine, lines in CORPUS.items()}
READS = {engine: [line.sql for line in lines if line.verdict == "read" and not line.flags] for engine, lines in CORPUS.items()}
WRITES = {engine: [line.sql for line in lines if line.verdict != "read"] for engine, lines in CORPUS.items()}

SCRAPS = st.sampled_from(
    (
        *("'", '"', "`", "\\", "/*", "*/", "/*!", "/*M!", "--", "-- ", "#", "\n", " ", ";", "$$", "$a$", "$1", "%s", ":a", "::"),
        *(":=",),
        *("@", "@@", "(", ")", ",", ".", "E'", "U&'", 'U&"', "N'", "x", "1", "1e5", "?", "é", "\x00", "\udc80"),
        *(
            "SELECT",
            "DELETE FROM t",
            "FOR UPDATE",
            "WITH x AS (",
            "INTO",
            "EXPLAIN",
            "ANALYZE",
            "CREATE FUNCTION",
            "BEGIN",
            "END",
        ),
        *("SET", "LAST_INSERT_ID", "nextval", "AS", "set_config", "FORMAT", "SCHEMA", "="),
    )
)
TEXTS = st.one_of(st.text(), st.lists(SCRAPS, max_size=30).map("".join), st.lists(SCRAPS, max_size=30).map(" ".join))


@given(TEXTS, ENGINES)
@settings(max_examples=400, deadline=None)
def test_nothing_raises(sql: str, engine: Engine) -> None:
    """Every text has a verdict, a digest of bounded length, and placeholders."""
    statement = analyze(sql, engine)

    assert statement.intent in Intent
    assert 0 <= statement.digest < 1 << 64
    assert len(statement.digest_text) <= 2048
    assert statement.statements >= 0
    assert isinstance(statement.named, tuple)
    compile_named(sql, engine)
    assert (statement.intent is Intent.READ) == (not statement.reasons)
    assert statement.intent is Intent.WRITE or not (statement.session or statement.transaction_control or statement.ambiguous)


@given(TEXTS, ENGINES)
@settings(max_examples=300, deadline=None)
def test_every_text_keeps_what_fuzzing_holds_it_to(sql: str, engine: Engine) -> None:
    """The invariants of `tests/fuzz` hold for whatever Hypothesis makes up, too."""
    check(sql, engine)


@given(ENGINES, st.data(), st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_every_cut_of_a_line_keeps_it_too(engine: Engine, data: st.DataObject, start: int, end: int) -> None:
    """So do corpus lines that were cut anywhere, and two of them put together there."""
    one, other = data.draw(st.sampled_from(LINES[engine])), data.draw(st.sampled_from(LINES[engine]))

    check(one[:start] + other[end:], engine)


@given(TEXTS, ENGINES)
@settings(max_examples=300, deadline=None)
def test_tokens_lie_in_order_and_inside(sql: str, engine: Engine) -> None:
    """Tokens do not overlap, are not empty and stay within the text, so that the work is linear in its length."""
    last = 0
    for start, end in spans(sql, engine):
        assert last <= start < end <= len(sql)
        last = end
    assert len(lex(sql, engine).tokens) <= len(sql) + 1


def _decorated(sql: str, rng: random.Random, engine: Engine) -> str:
    """*sql* with other blanks and comments between its tokens, and its bare words in another case."""
    # White space between the parts of one PostgreSQL string constant means something, so texts with strings keep theirs.
    fillers = [" ", "\n", "\t", "\r\n", " /* DELETE */ ", " -- ; DROP\n", "/**/ "]
    if engine is Engine.MYSQL:
        fillers.append(" # FOR UPDATE\n")
    out = [rng.choice(fillers)]
    last = 0
    for start, end in spans(sql, engine):
        if start > last:
            out.append(rng.choice(fillers))
        token = sql[start:end]
        if token.isascii() and token.isidentifier() and sql[end : end + 1] not in ("'", '"', "&"):
            token = rng.choice([token.lower(), token.upper(), token.title()])
        out.append(token)
        last = end
    out.append(rng.choice(fillers))
    return "".join(out)


def _plain(sql: str) -> bool:
    """No text whose blanks or case carry meaning."""
    return not any(mark in sql for mark in ("/*!", "/*M!", "/*+", "--1", "E'", "\\", "U&", "$"))


@given(ENGINES, st.data())
@settings(max_examples=400, deadline=None)
def test_blanks_comments_and_case_change_nothing(engine: Engine, data: st.DataObject) -> None:
    """Intent, session state and transaction control of a corpus line do not depend on how it is written."""
    sql = data.draw(st.sampled_from([line for line in LINES[engine] if _plain(line)]))
    written = _decorated(sql, random.Random(data.draw(st.integers())), engine)

    one, other = analyze(sql, engine), analyze(written, engine)

    if not one.ambiguous:
        assert (one.intent, one.session_reason, one.transaction_control, one.statements, one.kind) == (
            other.intent,
            other.session_reason,
            other.transaction_control,
            other.statements,
            other.kind,
        ), written


@given(
    ENGINES,
    st.data(),
    st.sampled_from([" -- SELECT 1", " /* SELECT 1 */", "\n-- x\n", ";", " ; -- x", "/* /* */ */", " #", "\x00", "'", "/*"]),
)
@settings(max_examples=300, deadline=None)
def test_nothing_appended_makes_a_read_of_a_write(engine: Engine, data: st.DataObject, tail: str) -> None:
    """A finished write with anything behind it, a comment above all, stays a write."""
    sql = data.draw(st.sampled_from([line for line in WRITES[engine] if not analyze(line, engine).ambiguous]))

    assert analyze(sql + tail, engine).intent is Intent.WRITE


@given(ENGINES, st.data(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_second_statement_that_writes_is_seen(engine: Engine, data: st.DataObject, newline: bool) -> None:
    """Behind every read of the corpus, `; DELETE FROM t` makes the text a write of one more statement."""
    sql = data.draw(st.sampled_from(READS[engine]))

    statement = analyze(sql + ("\n; DELETE FROM t" if newline or "--" in sql or "#" in sql else "; DELETE FROM t"), engine)

    assert statement.intent is Intent.WRITE
    assert statement.statements == analyze(sql, engine).statements + 1


@given(ENGINES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_read_inside_a_subquery_stays_what_it_is(engine: Engine, data: st.DataObject) -> None:
    """A write in a parenthesis, an EXISTS or a union is not hidden by what stands around it."""
    word = data.draw(st.sampled_from(["FOR UPDATE", "INTO x", "FOR SHARE"]))
    around = data.draw(
        st.sampled_from(["({})", "SELECT ({})", "SELECT 1 WHERE EXISTS ({})", "(({}) UNION (SELECT 2))", "SELECT * FROM ({}) x"])
    )

    assert analyze(around.format(f"SELECT a FROM t {word}"), engine).intent is Intent.WRITE
    assert analyze(around.format("SELECT a FROM t"), engine).intent is Intent.READ


@given(ENGINES, st.lists(st.sampled_from(["a", "b", "c", "user_id"]), min_size=1, max_size=6), st.data())
@settings(max_examples=200, deadline=None)
def test_named_parameters_go_round(engine: Engine, names: list[str], data: st.DataObject) -> None:
    """Putting each value back where its placeholder stands gives the text that was meant."""
    between = st.sampled_from([" , ", " + ", " /* :x */ , ", " , ':y', ", "::int, ", " -- :z\n , "])
    joined = [data.draw(between) for _ in names]
    if engine is Engine.MYSQL:
        joined = [part.replace("::int", "") for part in joined]
    sql = "SELECT " + "".join(f":{name}{part}" for name, part in zip(names, joined, strict=True)) + "1"
    meant = "SELECT " + "".join(f"<{name}>{part}" for name, part in zip(names, joined, strict=True)) + "1"

    named = compile_named(sql, engine)
    assert named is not None
    values = named.values({name: f"<{name}>" for name in set(names)})

    if engine is Engine.MYSQL:
        assert named.text % values == meant
    else:
        text = named.text
        for number, value in reversed(list(enumerate(values, 1))):
            text = text.replace(f"${number}", value)
        assert text == meant


@given(
    ENGINES,
    st.lists(st.integers(), min_size=1, max_size=12),
    st.lists(st.text(alphabet="abc ';", max_size=5), min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_a_digest_does_not_know_literals(engine: Engine, numbers: list[int], texts: list[str]) -> None:
    """Two texts that differ only in their literals have one digest."""

    def text(values: list[int], strings: list[str]) -> str:
        quoted = [value.replace("'", "''") for value in strings]
        listed = ", ".join(str(abs(value)) for value in values)
        return f"SELECT a FROM t WHERE id IN ({listed}) AND " + " AND ".join(f"b = '{value}'" for value in quoted)

    assert digest_text(text(numbers, texts), engine) == digest_text(text([1] * len(numbers), ["x"] * len(texts)), engine)


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(
    "unit",
    (
        *("(", "f(", "a.f(", "/*", "/* */", "/*!", "/*+", "$a$ ", "'\\", "'' ", "E'a'\n--x\n", ":a ", "@a ", ";a", "--", 'U&"'),
        *("WITH x(", "CREATE FUNCTION a;", "set_config(", "ARRAY[", "1::a("),
    ),
)
def test_work_grows_with_the_length_and_no_faster(engine: Engine, unit: str) -> None:
    """Ten times the text costs far less than a hundred times the work: no construct is read again and again."""

    def cost(count: int) -> float:
        text = "SELECT " + unit * count  # long enough not to be kept
        best = 1e9
        for _ in range(3):
            began = time.process_time()  # what others do on this machine is no work of ours
            statement = analyze(text, engine)
            _ = (statement.digest, statement.named)
            best = min(best, time.process_time() - began)
        return best

    small, large = cost(4100), cost(41000)

    assert large < small * 60 + 0.05
