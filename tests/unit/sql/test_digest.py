"""Digest texts and hashes: ProxySQL's own figures for MySQL, the dialect's rules for PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.sql import analyze
from dbrouter.sql.digest import DigestOptions, digest_text
from dbrouter.sql.spooky import spooky64
from dbrouter.terms import Engine

# Text, digest text and hash as a ProxySQL with default settings gave them.
PROXYSQL = [
    ("SELECT 1", "SELECT ?", 0x1C46AE529DD5A40E),
    ("SELECT -1", "SELECT ?", 0x1C46AE529DD5A40E),
    ("SELECT +1.5e-3", "SELECT ?", 0x1C46AE529DD5A40E),
    ("/*+ hint */ SELECT 1", "SELECT ?", 0x1C46AE529DD5A40E),
    ("SELECT 1 # tail", "SELECT ?", 0x1C46AE529DD5A40E),
    ("SELECT * FROM t WHERE a=-1", "SELECT * FROM t WHERE a=?", 0xBC4FD592CA1B6F98),
    ("SELECT * FROM t WHERE a = -1", "SELECT * FROM t WHERE a = ?", 0xF09B26A8547AE399),
    ("SELECT * FROM t WHERE a IS NULL", "SELECT * FROM t WHERE a IS NULL", 0x9CF2812575BD54FD),
    ("SELECT a-1 FROM t", "SELECT a-? FROM t", 0x5C2E4BD68666C06E),
    ("SELECT a - 1 FROM t", "SELECT a ? FROM t", 0x072413680EEE9D08),
    ("SELECT -a, - 5, -(1)", "SELECT a,?,-(?)", 0x1505BCBD70C009EF),
    ("SELECT NOW() - 1", "SELECT NOW() -?", 0xB4161740B366E3F8),
    ("SELECT 10/2, 10 / 2, 10*2, 10 * 2, 10%2", "SELECT ?/?,?/?,?*?,?*?,?%?", 0x96DBF38ECEACCF45),
    (
        "SELECT NULL, 'x', \"y\", 0xFF, X'4D', 0b01, b'01', .5, 1e10",
        "SELECT NULL,?,?,?,X?,0b01,b?,.?,?",
        0x84751CCBDD193BD9,
    ),
    ("SELECT 1abc, t1.c2 FROM t1", "SELECT 1abc,t1.c2 FROM t1", 0xD8D392A0E95AE9C6),
    ("SELECT N'abc', _utf8mb4'abc'", "SELECT N?,_utf8mb4?", 0x6A22D1377F5212A2),
    ("SELECT 'it''s', 'a\\'b'", "SELECT ?,?", 0xB4E6863D3FF3467C),
    ('SELECT "col" FROM `tbl`', "SELECT ? FROM `tbl`", 0x284C1022FDA5CF99),
    ("SELECT $1, $$x$$", "SELECT $1,$$x$$", 0xA369B58C6CF908CD),
    ("SELECT * FROM t WHERE a IN (1,2,3)", "SELECT * FROM t WHERE a IN (?,?,?)", 0xD98C9A6F31C91716),
    ("SELECT * FROM t WHERE a IN (1,2,3,4)", "SELECT * FROM t WHERE a IN (?,?,?,?)", 0xE5AA5091B7E165D7),
    ("SELECT * FROM t WHERE a IN (1,2,3,4,5)", "SELECT * FROM t WHERE a IN (?,?,?,...)", 0x57CF155BF76DB2C6),
    ("SELECT * FROM t WHERE a IN (?,?,?,?,?)", "SELECT * FROM t WHERE a IN (?,?,?,...)", 0x57CF155BF76DB2C6),
    (
        "INSERT INTO t (a,b) VALUES (1,'x'),(2,'y'),(3,'z')",
        "INSERT INTO t (a,b) VALUES (?,?),(?,?),(?,?)",
        0xC03406AAB4F52482,
    ),
    (
        "INSERT INTO t VALUES (1,2,3,4,5),(1,2,3,4,5)",
        "INSERT INTO t VALUES (?,?,?,...),(?,?,?,...)",
        0xD33A1BB1557BF325,
    ),
    (
        "INSERT INTO t VALUES " + ",".join(f"({n})" for n in range(1, 14)),
        "INSERT INTO t VALUES " + ",".join(["(?)"] * 13),
        0x9250803933AFC81C,
    ),
    ("select  *   from  t   where id  =  5 ;", "select * from t where id = ?", 0xEFBB1CB58351193C),
    ("SELECT /* app:web */ * FROM t WHERE id=3", "SELECT * FROM t WHERE id=?", 0x52634913591C3955),
    ("SELECT /*!40001 SQL_NO_CACHE */ * FROM t", "SELECT SQL_NO_CACHE * FROM t", 0xC5F841A5A4ED2846),
    ("SELECT a -- x", "SELECT a", 0x75718A2A256F7E58),
    ("SELECT a --x", "SELECT a -x", 0xFEEA942865F4ED86),
    ("SELECT 1; SELECT 2;", "SELECT ?; SELECT ?", 0x9A0E5576EC994270),
    ("SELECT * FROM t LIMIT 10, 20", "SELECT * FROM t LIMIT ?,?", 0x51FC5666074A157D),
    ("SELECT a FROM t WHERE b = TRUE", "SELECT a FROM t WHERE b = TRUE", 0x26DE9F4B44415AFC),
    ("SELECT @@version, @a:=1", "SELECT @@version,@a:=?", 0xAEDB464F49A9F137),
    ("CALL p(1,'a',NULL)", "CALL p(?,?,NULL)", 0xFCDCF49AA7755A2F),
    ("SELECT f( 1 , 2 )", "SELECT f(?,?)", 0x2E0D883B19E184D4),
    ("BEGIN", "BEGIN", 0xFAD1519E4760CBDE),
    ("COMMIT", "COMMIT", 0x695FBF255DBEB0DD),
    ("SELECT *\nFROM t\n WHERE a=1\n\tFOR UPDATE ;", "SELECT * FROM t WHERE a=? FOR UPDATE", 0xFE72B715918A06C6),
]


@pytest.mark.parametrize(("sql", "text", "number"), PROXYSQL, ids=[case[0][:40] for case in PROXYSQL])
def test_a_mysql_digest_is_proxysqls(sql: str, text: str, number: int) -> None:
    """For MySQL, digest text and digest are the ones ProxySQL shows."""
    statement = analyze(sql, "mysql")

    assert statement.digest_text == text
    assert f"{statement.digest:#018x}" == f"{number:#018x}"


POSTGRESQL = [
    ("SELECT 1", "SELECT ?"),
    ('SELECT "Id" FROM "Orders" WHERE "Id" = 5', 'SELECT "Id" FROM "Orders" WHERE "Id" = ?'),
    ("SELECT $1, $$x$$, $tag$ ; DELETE $tag$", "SELECT $1,?,?"),
    ("SELECT E'it\\'s', U&'d\\0061t', B'01', X'1F', N'x', 'it''s'", "SELECT ?,?,?,?,?,?"),
    ("SELECT 1 -- tail", "SELECT ?"),
    ("SELECT a--b\n, c", "SELECT a,c"),
    ("SELECT /* a /* nested */ b */ 1", "SELECT ?"),
    ("SELECT true, FALSE, NULL", "SELECT ?,?,NULL"),
    ("SELECT ARRAY[1,2,3], a[1]", "SELECT ?,a[?]"),
    ("SELECT '{}'::json, '1'::pg_catalog.int4 + 1", "SELECT ?,? + ?"),
    ("SELECT 1::numeric(10,2), '{1}'::int[]", "SELECT ?,?"),
    ("SELECT '2020-01-01'::timestamp with time zone AS t", "SELECT ? AS t"),
    ("SELECT a::int FROM t", "SELECT a::int FROM t"),
    ("SELECT data->>'k' FROM t", "SELECT data->>? FROM t"),
    ("SELECT a - 1, a-1, -1, a = -1 FROM t", "SELECT a - ?,a-?,?,a = ? FROM t"),
    ("SELECT * FROM t WHERE a @> '{}' AND b ? 'x' AND c ?| ARRAY['a']", "SELECT * FROM t WHERE a @> ? AND b ? ? AND c ?| ?"),
    ("SELECT * FROM t WHERE id IN (1, 2, 3, 4, 5, 6)", "SELECT * FROM t WHERE id IN (?,?,?,...)"),
    ("select  *   from t ;", "select * from t"),
    ("SELECT 1; SELECT 2;", "SELECT ?; SELECT ?"),
    ("SELECT 1.5e-3, .5, 1_000, 0x1F", "SELECT ?,?,?,?"),
    ("SELECT t.a1 FROM t1 t", "SELECT t.a1 FROM t1 t"),
    ("", ""),
]


@pytest.mark.parametrize(("sql", "text"), POSTGRESQL, ids=[case[0][:40] for case in POSTGRESQL])
def test_a_postgresql_digest_follows_the_dialect(sql: str, text: str) -> None:
    """For PostgreSQL, names stay, every kind of literal is one question mark, operators are kept."""
    assert analyze(sql, "postgresql").digest_text == text


def test_many_collapsed_groups_are_cut() -> None:
    """Groups beyond the tenth go where each of them was itself cut."""
    group = "(1,2,3,4,5)"
    sql = "INSERT INTO t VALUES " + ",".join([group] * 30)

    text = digest_text(sql, Engine.MYSQL)

    assert text == "INSERT INTO t VALUES " + ",".join(["(?,?,?,...)"] * 10) + ",..."


@pytest.mark.parametrize("engine", list(Engine))
def test_a_digest_text_is_bounded(engine: Engine) -> None:
    """At most 2,048 characters come out, whatever goes in."""
    sql = "SELECT " + ", ".join(f"column_{n}" for n in range(10_000))

    assert len(digest_text(sql, engine)) == 2048


@pytest.mark.parametrize(
    ("size", "number"),
    [
        (0, 0x232706FC6BF50919),
        (31, 0xA3962A6C761FFE09),
        (192, 0x02D13F94B2A31A54),
        (300, 0x0E2163193BC1F214),
        (2048, 0x55A8E76AFBFFBACF),
    ],
)
def test_the_hash_is_spookyhash_v2(size: int, number: int) -> None:
    """The hash agrees with the reference implementation below, at and above the size where its long form begins."""
    assert spooky64(bytes(i % 251 for i in range(size))) == number


def options(**changes: Any) -> DigestOptions:
    return DigestOptions(**changes)


@pytest.mark.parametrize(
    ("changes", "text", "wanted"),
    [
        ({}, "SELECT NULL, t1.c2 FROM t1 /* c */ -- tail", "SELECT NULL,t1.c2 FROM t1"),
        ({"lowercase": True}, "SELECT `Name` FROM T WHERE a = 'X'", "select `name` from t where a = ?"),
        ({"lowercase": True}, "SELECT É, a", "select É,a"),
        ({"replace_null": True}, "SELECT NULL, null FROM t WHERE a IS NULL", "SELECT ?,? FROM t WHERE a IS ?"),
        ({"replace_null": True}, "VALUES (NULL,1,NULL,2,NULL)", "VALUES (?,?,?,...)"),
        ({"no_digits": True}, "SELECT t1.c2, a FROM t123 WHERE x = 5", "SELECT t?.c?,a FROM t? WHERE x = ?"),
        ({"keep_comment": True}, "SELECT /* app:web */ * FROM t", "SELECT /* app:web */ * FROM t"),
        ({"keep_comment": True}, "SELECT a -- tail", "SELECT a tail"),
        ({"keep_comment": True}, "SELECT a # tail", "SELECT a tail"),
        ({"grouping_limit": 1}, "SELECT 1 IN (1,2), 1 IN (1,2,3)", "SELECT ? IN (?,?),? IN (?,...)"),
        (
            {"grouping_limit": 5},
            "SELECT 1 IN (1,2,3,4,5,6), 1 IN (1,2,3,4,5,6,7)",
            "SELECT ? IN (?,?,?,?,?,?),? IN (?,?,?,?,?,...)",
        ),
        ({"grouping_limit": 1, "groups_grouping_limit": 2}, "VALUES " + ",".join(["(1,2,3)"] * 4), "VALUES (?,...),(?,...),..."),
        (
            {"grouping_limit": 1, "groups_grouping_limit": 0},
            "VALUES " + ",".join(["(1,2,3)"] * 4),
            "VALUES " + ",".join(["(?,...)"] * 4),
        ),
        ({"max_length": 16}, "SELECT abcdefghijklmnop FROM t", "SELECT abcdefghi"),
    ],
)
def test_options_on_mysql(changes: dict[str, Any], text: str, wanted: str) -> None:
    """ProxySQL's settings, each by itself."""
    assert digest_text(text, Engine.MYSQL, options(**changes)) == wanted


@pytest.mark.parametrize(
    ("changes", "text", "wanted"),
    [
        ({"lowercase": True}, 'SELECT "Name" FROM T', 'select "name" from t'),
        ({"replace_null": True}, "SELECT NULL::int, a IS NULL", "SELECT ?,a IS ?"),
        ({"no_digits": True}, "SELECT t1.c2, $1 FROM t123", "SELECT t?.c?,$1 FROM t?"),
        ({"keep_comment": True}, "SELECT /* app:web */ a -- tail", "SELECT /* app:web */ a tail"),
        ({"keep_comment": True}, "SELECT /* a /* b */ c */ $$x$$", "SELECT /* a  b  c */ ?"),
        ({"grouping_limit": 1}, "SELECT 1 IN (1,2,3)", "SELECT ? IN (?,...)"),
    ],
)
def test_options_on_postgresql(changes: dict[str, Any], text: str, wanted: str) -> None:
    """The same settings under the other dialect's rules."""
    assert digest_text(text, Engine.POSTGRESQL, options(**changes)) == wanted


def test_statements_are_kept_apart_by_their_options() -> None:
    """One text, two digests: routers with different settings share nothing but the text."""
    folded = options(lowercase=True)

    assert analyze("SELECT A", Engine.MYSQL, digest=folded).digest_text == "select a"
    assert analyze("SELECT A", Engine.MYSQL).digest_text == "SELECT A"
    assert analyze("SELECT A", Engine.MYSQL, digest=folded).digest != analyze("SELECT A", Engine.MYSQL).digest
