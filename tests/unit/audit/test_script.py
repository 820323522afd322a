"""SQL scripts come apart at the semicolons that the dialect sees, whatever the portions they are read in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from io import BytesIO

import pytest

from dbrouter.audit import logged
from dbrouter.audit.logged import Entry, LoggedStatement, Unreadable, lines_of
from dbrouter.audit.script import read_script
from dbrouter.sql.analyze import analyze
from dbrouter.sql.lexer import spans
from dbrouter.terms import Engine
from tests.corpus.lines import load

PG, MY = Engine.POSTGRESQL, Engine.MYSQL


def statements(text: str, engine: Engine) -> list[str]:
    """The statements of a script; a place that could not be read fails the test."""
    found = list(read_script(lines_of(BytesIO(text.encode("utf-8", "surrogatepass"))), engine))
    assert all(isinstance(entry, LoggedStatement) for entry in found), found
    return [entry.sql for entry in found if isinstance(entry, LoggedStatement)]


@pytest.mark.parametrize(
    ("engine", "text", "wanted"),
    [
        (PG, "SELECT 1; SELECT 2;\nSELECT 3", ["SELECT 1", "SELECT 2", "SELECT 3"]),
        (PG, "SELECT ';' ; SELECT \"a;b\"; SELECT 1 -- ;\n;", ["SELECT ';'", 'SELECT "a;b"', "SELECT 1 -- ;"]),
        (PG, "SELECT 'a\n;b\n''c;' ;SELECT 2", ["SELECT 'a\n;b\n''c;'", "SELECT 2"]),
        (
            PG,
            "SELECT $$a;\n$x$;$$;\nSELECT $t$\n;$$;\n$t$; SELECT 3;",
            ["SELECT $$a;\n$x$;$$", "SELECT $t$\n;$$;\n$t$", "SELECT 3"],
        ),
        (PG, "/* a; /* b; */\n c; */ SELECT 1;\nSELECT 2;", ["/* a; /* b; */\n c; */ SELECT 1", "SELECT 2"]),
        (PG, "SELECT E'a\\';b'; SELECT 2;", ["SELECT E'a\\';b'", "SELECT 2"]),
        (
            MY,
            "SELECT 'a\\';b'; SELECT `a;b`; SELECT 1 # ;\n; SELECT 2",
            ["SELECT 'a\\';b'", "SELECT `a;b`", "SELECT 1 # ;", "SELECT 2"],
        ),
        (PG, "\\connect shop\nSELECT 1;\n\\echo done;\nSELECT 2;", ["SELECT 1", "SELECT 2"]),
        (PG, "COPY t (a) FROM stdin;\n1;2\n'\n\\.\nSELECT 1;", ["COPY t (a) FROM stdin", "SELECT 1"]),
        (PG, "COPY t TO stdout;\nSELECT 1;", ["COPY t TO stdout", "SELECT 1"]),
        (
            PG,
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\nSELECT 2; END; SELECT 3;",
            ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\nSELECT 2; END", "SELECT 3"],
        ),
        (
            MY,
            "-- routines\nDELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\nSELECT 1;\nEND ;;\ndelimiter ;\nCALL p();",
            ["CREATE PROCEDURE p()\nBEGIN\nSELECT 1;\nEND", "CALL p()"],
        ),
        (
            MY,
            "DELIMITER $$\nSELECT '$$'$$\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN; END$$\nDELIMITER ;\nSELECT 2;",
            ["SELECT '$$'", "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN; END", "SELECT 2"],
        ),
        (MY, "DELIMITER //\nSELECT 4/2;\nSELECT 1 //\n", ["SELECT 4/2;\nSELECT 1"]),
        (MY, "use shop\nSELECT 1;", ["SELECT 1"]),
        (MY, "/*!40101 SET NAMES utf8 */;\nSELECT 1;", ["/*!40101 SET NAMES utf8 */", "SELECT 1"]),
        (PG, "", []),
        (PG, "-- nothing\n/* at\nall */ ;;\n", []),
    ],
)
def test_a_script_comes_apart(engine: Engine, text: str, wanted: list[str]) -> None:
    """Strings, names, comments, dollar quotes, client commands, COPY data and routine bodies hold no ends."""
    assert statements(text, engine) == wanted


def test_statements_know_where_they_begin() -> None:
    """The line of the first word, not of the comment before it or of the statement before."""
    found = list(
        read_script(lines_of(BytesIO(b"-- one\n\nSELECT 1; SELECT\n2;\n\n/* x\n*/ SELECT 'a\n\n'; SELECT 4;\n  SELECT 5")), PG)
    )

    assert [entry.line for entry in found] == [3, 3, 7, 9, 10]


@pytest.mark.parametrize("engine", list(Engine))
def test_the_corpus_as_a_script_is_the_corpus(engine: Engine) -> None:
    """Every statement of the corpus comes out of a script as it went in, and the next one is not touched by it."""
    corpus = [line.sql.strip() for line in load(engine)]
    single = [
        sql
        for sql in corpus
        if ";" not in sql.rstrip(";")
        and sql.rstrip(";").strip()
        and not sql.startswith("\\")
        and analyze(sql, engine).statements == 1
        and not analyze(sql, engine).ambiguous
        and not analyze(sql, engine).copy_stdio
        and not sql.lower().startswith("use ")
    ]
    wanted = [text for sql in single if (text := _from_first_token(sql.rstrip(";").strip(), engine))]

    found = statements("".join(f"{sql.rstrip(';')}\n;\n" for sql in single), engine)

    assert len(wanted) > 300
    assert [_from_first_token(sql, engine) for sql in found] == wanted


def _from_first_token(sql: str, engine: Engine) -> str:
    first = next(spans(sql, engine), None)
    return "" if first is None else sql[first[0] :]


@pytest.mark.parametrize("engine", list(Engine))
def test_the_portions_do_not_matter(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines cut anywhere – inside strings, comments, dollar quotes – give the same statements."""
    rng = random.Random(7)
    pieces = [
        "SELECT 1",
        "'a;b'",
        "'it''s'",
        '"x;y"',
        "-- c;\n",
        "/* ;\n */",
        "\n",
        " ",
        "; ",
        ";\n",
        "t.a",
        ", ",
        "e'\\''",
        "$$;\n$$",
        "`;`",
    ]
    if engine is MY:
        pieces.remove("$$;\n$$")
    for _ in range(300):
        text = "SELECT " + "".join(rng.choice(pieces) for _ in range(rng.randint(1, 30)))
        monkeypatch.setattr(logged, "STATEMENT_LIMIT", 1 << 20)
        whole = list(read_script(lines_of(BytesIO(text.encode())), engine))
        monkeypatch.setattr(logged, "STATEMENT_LIMIT", rng.randint(1, 7))
        cut = list(read_script(lines_of(BytesIO(text.encode())), engine))

        assert [_shape(entry, engine) for entry in cut] == [_shape(entry, engine) for entry in whole], text


def _shape(entry: Entry, engine: Engine) -> str:
    return _from_first_token(entry.sql, engine) if isinstance(entry, LoggedStatement) else entry.why


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        (PG, "SELECT 'it''s\n''; more\n''''; more\\'"),
        (PG, "SELECT E'it\\'s\n\\'; '' more\n\\\\'"),
        (PG, 'SELECT "a""b\n""; more\n"'),
        (MY, "SELECT 'it\\'s\n\\'; '' more\\\n\\\\'"),
        (MY, "SELECT `a``b\n``; more\n`"),
        (MY, 'SELECT "a""\n\\"; more\n"'),
    ],
)
def test_quotes_inside_strings_of_several_lines(engine: Engine, text: str) -> None:
    """Doubled and escaped quotes end no string, on whatever line they stand."""
    assert statements(f"{text};\nSELECT 2;\n", engine) == [text, "SELECT 2"]


def test_a_long_string_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lexer is given grows with the text, not with its square, also where each line holds a quote."""
    given = 0

    def counted(text: str, engine: Engine) -> Iterator[tuple[int, int]]:
        nonlocal given
        given += len(text)
        return spans(text, engine)

    monkeypatch.setattr("dbrouter.audit.script.spans", counted)
    text = "INSERT INTO t VALUES ('" + "it''s; a line\n" * 2000 + "')"

    assert statements(f"{text};\n", PG) == [text]
    assert given < 4 * len(text)


def test_an_open_quote_is_one_place_that_cannot_be_read() -> None:
    """What the text never closes is named with its line; what stood before it is kept."""
    found = list(read_script(lines_of(BytesIO(b"SELECT 1;\nSELECT 'a;\nSELECT 2;\n")), PG))

    assert isinstance(found[0], LoggedStatement)
    assert isinstance(found[1], Unreadable)
    assert (len(found), found[1].line) == (2, 2)
    assert "before its '" in found[1].why


@pytest.mark.parametrize(
    "body",
    [
        "'" + "x" * 100_000 + "'",
        "'" + "x\n;" * 1000 + "'",
        "'" + "''\n;" * 1000 + "'",
        "$q$" + "$$;\n'" * 1000 + "$q$",
        "/*" + " /* ;\n */ '" * 1000 + "*/",
        "-- ;'\n" * 1000,
        "/* ;\n */" * 1000,
        ", 1\n" * 1000,
    ],
)
def test_a_statement_that_is_too_long_is_left_out(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, its end is found, and the ones around it are read."""
    monkeypatch.setattr("dbrouter.audit.script.STATEMENT_LIMIT", 2000)
    script = f"SELECT 1;\nSELECT 2 {body}\n;\nSELECT 3;\n"

    found = list(read_script(lines_of(BytesIO(script.encode())), PG))

    assert [entry.sql if isinstance(entry, LoggedStatement) else entry.line for entry in found] == ["SELECT 1", 2, "SELECT 3"]


@pytest.mark.parametrize("engine", [PG, MY])
def test_comments_in_front_are_passed_over_in_one_way(engine: Engine) -> None:
    """Two hundred comments in a row before what is no CREATE are not tried in all the ways to join them."""
    comments = "/* a */" * 200
    assert statements(f"{comments} SELECT 1;\n{comments} SELECT 2;", engine) == [f"{comments} SELECT 1", f"{comments} SELECT 2"]
