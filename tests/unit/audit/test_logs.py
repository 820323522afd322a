"""Query logs as servers write them: every statement comes out once, with its time, and broken places are named."""

from __future__ import annotations

import csv
import gzip
import io
import json
from io import BytesIO

import pytest

from dbrouter.audit.formats import LogFormat, Source
from dbrouter.audit.logged import Entry, LoggedStatement, Unreadable
from dbrouter.terms import Engine

STARTED = """\
/usr/sbin/mariadbd, Version: 10.11.19-MariaDB-0+deb12u1-log (Debian 12). started with:
Tcp port: 40319  Unix socket: /run/mysqld/mysqld.sock
Time\t\t    Id Command\tArgument
"""
MARIADB = (
    STARTED
    + """\
# Time: 261121  7:36:17
# User@Host: root[root] @ localhost []
# Thread_id: 7  Schema: shop  QC_hit: No
# Query_time: 1.000088  Lock_time: 0.000000  Rows_sent: 0  Rows_examined: 0
# Rows_affected: 0  Bytes_sent: 11
use `shop`;
SET timestamp=1795246577;
INSERT INTO t(b) VALUES ('x;
# User@Host: y');
# User@Host: app[app] @  [10.0.0.7]
# Thread_id: 8  Schema: shop  QC_hit: No
# Query_time: 0.250000  Lock_time: 0.030966  Rows_sent: 0  Rows_examined: 0
# Rows_affected: 1  Bytes_sent: 11
# Full_scan: Yes  Full_join: No  Tmp_table: No  Tmp_table_on_disk: No
# explain: id\tselect_type\ttable
SET last_insert_id=4,insert_id=5,timestamp=1795246577.123456;
SELECT *
# Time: tomorrow
FROM t;
"""
    + STARTED
    + """\
# Time: 261121  7:36:18
# User@Host: root[root] @ localhost []
# Thread_id: 9  Schema:   QC_hit: No
# Query_time: 0.000007  Lock_time: 0.000000  Rows_sent: 0  Rows_examined: 0
# Rows_affected: 0  Bytes_sent: 11
SET timestamp=1795246578;
SET timestamp=1;
"""
)
MYSQL = """\
/usr/sbin/mysqld, Version: 9.7.4 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /tmp/mysql.sock
Time                 Id Command    Argument
# Time: 2026-11-21T07:36:22.468185Z
# User@Host: root[root] @ localhost []  Id:    12
# Query_time: 0.500000  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0
use shop;
SET timestamp=1795246582;
SELECT 'é';
# Time: 2026-11-21T07:36:22.477246Z
# User@Host: root[root] @ localhost []  Id:    12
# Query_time: 0.000026  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 1 Thread_id: 12 Errno: 0 Killed: 0
SET timestamp=1795246582;
# administrator command: Init DB;
# Time: 2026-11-21T07:36:22.477300Z
# User@Host: root[root] @ localhost []  Id:    13
# Query_time: 0.000003  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 1
SET timestamp=1795246582;
SELECT 2;
"""
GENERAL_MARIADB = (
    STARTED
    + """\
261121  7:36:17\t     7 Connect\troot@localhost on  using Socket
\t\t     7 Query\tSELECT *
FROM t
# hi
WHERE a=1
\t\t     8 Prepare\tSELECT a FROM t WHERE a=?
\t\t     8 Execute\tSELECT a FROM t WHERE a=3
\t\t     7 Query\tEXECUTE s USING 5
\t\t     7 Execute\tSELECT a FROM t WHERE a=5
\t\t     7 Init DB\tshop
261121  7:36:18\t     7 Quit\t
"""
)
GENERAL_MYSQL = """\
2026-11-21T07:36:22.467808Z\t   12 Connect\troot@localhost on  using SSL/TLS
2026-11-21T07:36:22.468132Z\t   12 Query\tSET NAMES utf8mb4
2026-11-21T07:36:22.468325Z\t   12 Query\tSELECT 1
2026-11-21T07:36:22.468326Z\t   12 Quit\t
"""
STDERR = """\
2026-11-21 07:36:15.198 UTC [11489] LOG:  starting PostgreSQL 15.20 on x86_64-pc-linux-gnu
2026-11-21 07:36:15.223 UTC [11498] app@shop LOG:  duration: 500.000 ms  statement: SELECT *
\tFROM t
\tWHERE a = 'LOG:  statement: x'
2026-11-21 07:36:15.249 UTC [11500] app@shop LOG:  statement: DELETE FROM t
2026-11-21 07:36:15.249 UTC [11500] app@shop ERROR:  relation "u" does not exist at character 15
2026-11-21 07:36:15.249 UTC [11500] app@shop STATEMENT:  SELECT * FROM u
\tWHERE x
2026-11-21 07:36:15.250 UTC [11500] app@shop LOG:  duration: 0.100 ms  parse <unnamed>: SELECT $1
2026-11-21 07:36:15.250 UTC [11500] app@shop LOG:  duration: 0.100 ms  bind <unnamed>: SELECT $1
2026-11-21 07:36:15.250 UTC [11500] app@shop LOG:  duration: 250.000 ms  execute <unnamed>: SELECT $1
2026-11-21 07:36:15.250 UTC [11500] app@shop DETAIL:  parameters: $1 = '7'
2026-11-21 07:36:15.251 UTC [11500] app@shop LOG:  duration: 0.100 ms  execute fetch from <unnamed>/c1: SELECT $1
2026-11-21 07:36:15.252 UTC [11500] app@shop LOG:  duration: 0.100 ms
"""


def read(text: str | bytes, engine: Engine, wanted: LogFormat | None = None) -> tuple[LogFormat, list[Entry]]:
    """The format that was found and what was read."""
    data = text if isinstance(text, bytes) else text.encode()
    source = Source("log", io.BufferedReader(BytesIO(data)), wanted)  # type: ignore[type-var, arg-type]
    return source.format, list(source.entries(engine))


def rows(entries: list[Entry]) -> list[tuple[str, float | None, int, str | None]]:
    """Statements as tuples; a place that could not be read fails the test."""
    assert all(isinstance(entry, LoggedStatement) for entry in entries), entries
    return [(one.sql, one.seconds, one.line, one.connection) for one in entries if isinstance(one, LoggedStatement)]


def test_mariadbs_slow_log() -> None:
    """Texts keep lines that look like heads, what the server put in front goes, a restart in the midst is no statement."""
    found, entries = read(MARIADB, Engine.MYSQL)

    assert found is LogFormat.SLOW_LOG
    assert rows(entries) == [
        ("INSERT INTO t(b) VALUES ('x;\n# User@Host: y')", 1.000088, 4, "7"),
        ("SELECT *\n# Time: tomorrow\nFROM t", 0.25, 13, "8"),
        ("SET timestamp=1", 0.000007, 26, "9"),
    ]


def test_mysqls_slow_log() -> None:
    """Administrator commands are no statements."""
    found, entries = read(MYSQL, Engine.MYSQL)

    assert found is LogFormat.SLOW_LOG
    assert rows(entries) == [("SELECT 'é'", 0.5, 4, "12"), ("SELECT 2", 0.000003, 15, "13")]


def test_a_piece_of_a_slow_log_says_what_it_has_lost() -> None:
    """Cut at the front and at the end, with an entry that lost its statement: each is one named place, the rest is read."""
    head = "# Time: 2026-11-21T07:36:22Z\n# User@Host: a[a] @ localhost []\n# Query_time: 0.1  Lock_time: 0\n"
    text = f"FROM t;\nWHERE x;\n{head}SET timestamp=1;\n{head}SET timestamp=1;\nSELECT 2;\n{head}{head}SET timestamp=1;\nSELECT 3"

    _, entries = read(text, Engine.MYSQL)

    assert [entry.sql for entry in entries if isinstance(entry, LoggedStatement)] == ["SELECT 2"]
    assert [(entry.line, entry.why) for entry in entries if isinstance(entry, Unreadable)] == [
        (1, "stands before the first entry of the slow log"),
        (3, "the entry has no statement"),
        (12, "the entry has no statement"),
        (15, "the log ends in the midst of this statement"),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            GENERAL_MARIADB,
            [
                ("SELECT *\nFROM t\n# hi\nWHERE a=1", None, 5, "7"),
                ("SELECT a FROM t WHERE a=3", None, 10, "8"),
                ("SELECT a FROM t WHERE a=5", None, 12, "7"),
            ],
        ),
        (GENERAL_MYSQL, [("SET NAMES utf8mb4", None, 2, "12"), ("SELECT 1", None, 3, "12")]),
    ],
)
def test_general_logs(text: str, wanted: list[tuple[str, float | None, int, str | None]]) -> None:
    """Queries and executions are statements; what is logged twice is counted once; connecting and preparing are none."""
    found, entries = read(text, Engine.MYSQL)

    assert found is LogFormat.GENERAL_LOG
    assert rows(entries) == wanted


POSTGRESQL = [
    ("SELECT *\nFROM t\nWHERE a = 'LOG:  statement: x'", 0.5),
    ("DELETE FROM t", None),
    ("SELECT $1", 0.25),
]


def test_postgresqls_plain_log() -> None:
    """Whatever the prefix; parse and bind steps, portions of a cursor, errors and their statements are none."""
    found, entries = read(STDERR, Engine.POSTGRESQL)

    assert found is LogFormat.POSTGRESQL_LOG
    assert [(sql, seconds) for sql, seconds, _, _ in rows(entries)] == POSTGRESQL
    assert [line for _, _, line, _ in rows(entries)] == [2, 5, 11]


def messages() -> list[str]:
    """The messages of the plain log."""
    return [
        part.partition("LOG:  ")[2].replace("\n\t", "\n") for part in STDERR.rstrip("\n").split("\n2026-") if "LOG:  " in part
    ]


def test_postgresqls_csvlog() -> None:
    """Messages of several lines, sessions, and a row that is none."""
    text = io.StringIO()
    writer = csv.writer(text)
    for number, message in enumerate(messages()):
        row = [""] * 26
        row[0], row[5], row[11], row[13] = "2026-11-21 07:36:15 UTC", f"6b01.{number}", "LOG", message
        writer.writerow(row)
    text.write("half a row,and\n")

    found, entries = read(text.getvalue(), Engine.POSTGRESQL)

    assert found is LogFormat.CSVLOG
    assert [(sql, seconds) for sql, seconds, _, _ in rows(entries[:-1])] == POSTGRESQL
    assert [(line, session) for _, _, line, session in rows(entries[:-1])] == [(2, "6b01.1"), (5, "6b01.2"), (8, "6b01.5")]
    assert entries[-1] == Unreadable(11, "a csvlog has 23 columns and more, this row has 2")


def test_postgresqls_jsonlog() -> None:
    """One object an entry; what is no JSON, or no entry, is named."""
    lines = [json.dumps({"error_severity": "LOG", "session_id": "s", "message": message}) for message in messages()]
    text = "\n".join([*lines, "{", "7", '{"error_severity": "LOG"}'])

    found, entries = read(text, Engine.POSTGRESQL)

    assert found is LogFormat.JSONLOG
    assert [(sql, seconds) for sql, seconds, _, _ in rows(entries[:3])] == POSTGRESQL
    assert [entry.line for entry in entries[3:]] == [9, 10]


def test_lines_of_objects_carry_calls_and_times() -> None:
    """Calls and seconds are taken; what is neither is named, and in a JSON source so is plain SQL."""
    text = '{"sql": "SELECT 1", "calls": 3, "seconds": 1.5}\nSELECT 2\n{"sql": "x", "seconds": -1}\n'

    found, entries = read(text, Engine.MYSQL)
    strict = read(text, Engine.MYSQL, LogFormat.JSON)[1]

    assert found is LogFormat.LINES
    assert entries[:2] == [LoggedStatement("SELECT 1", 3, 1.5, 1), LoggedStatement("SELECT 2", line=2)]
    assert entries[2] == Unreadable(3, '"seconds" is not a number of seconds')
    assert strict == [entries[0], Unreadable(2, "is no JSON object"), entries[2]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", LogFormat.LINES),
        ("SELECT 1\nSELECT 2\n", LogFormat.LINES),
        ("SELECT 1;\nSELECT 2;\n", LogFormat.SQL),
        ("SELECT a\nFROM t\nWHERE b", LogFormat.SQL),
        ("-- LOG:  statement: x\nSELECT 1;", LogFormat.SQL),
        ("-- dump\nSET a = 1;\n", LogFormat.SQL),
        ('\n{"sql": "SELECT 1", "error_severity": "LOG"}', LogFormat.LINES),
        ("{nonsense\n", LogFormat.LINES),
    ],
)
def test_the_format_is_found_out(text: str, wanted: LogFormat) -> None:
    """Logs by how their entries begin; the rest is a script, or one statement a line."""
    assert read(text, Engine.POSTGRESQL)[0] is wanted


def test_packed_logs_are_unpacked() -> None:
    """Rotated logs are read as they lie there."""
    assert read(gzip.compress(MYSQL.encode()), Engine.MYSQL) == read(MYSQL, Engine.MYSQL)


@pytest.mark.parametrize("wanted", list(LogFormat))
@pytest.mark.parametrize(
    "data", [b"\x00\xff\xfe\n" * 50, b"# Time: 2\n" * 50, b'"' * 999, b"{" * 5000, b"\t\t 7 Query\n" * 9, STDERR.encode()[:-30]]
)
def test_no_reader_ever_raises(wanted: LogFormat, data: bytes) -> None:
    """Whatever a source holds, reading it ends with statements and named places."""
    for engine in Engine:
        for entry in read(data, engine, wanted)[1]:
            assert isinstance(entry, LoggedStatement | Unreadable)
            assert entry.line > 0


@pytest.mark.parametrize("wanted", [one for one in LogFormat if one is not LogFormat.CSVLOG])
def test_a_line_without_an_end_is_not_kept(wanted: LogFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement longer than the limit is named and the next one is read."""
    for module in ("logged", "script", "mysqllogs", "postgreslogs"):
        monkeypatch.setattr(f"dbrouter.audit.{module}.STATEMENT_LIMIT", 1000, raising=False)
    long, short = f"SELECT {'1,' * 5000}1", "SELECT 2"
    slow = MYSQL.splitlines(keepends=True)[3:6]
    text = {
        LogFormat.JSON: "".join(json.dumps({"sql": sql}) + "\n" for sql in (long, short)),
        LogFormat.LINES: f"{long}\n{short}\n",
        LogFormat.SQL: f"{long};\n{short};\n",
        LogFormat.SLOW_LOG: "".join("".join(slow) + f"SET timestamp=1;\n{sql};\n" for sql in (long, short)),
        LogFormat.GENERAL_LOG: "".join(f"\t\t    7 Query\t{sql}\n" for sql in (long, short)),
        LogFormat.POSTGRESQL_LOG: "".join(f"[1] LOG:  statement: {sql}\n" for sql in (long, short)),
        LogFormat.JSONLOG: "".join(
            json.dumps({"error_severity": "LOG", "message": f"statement: {sql}"}) + "\n" for sql in (long, short)
        ),
    }[wanted]

    entries = read(text, Engine.MYSQL, wanted)[1]

    assert [entry.sql if isinstance(entry, LoggedStatement) else entry.line for entry in entries] == [1, short]


def _statements(data: bytes, log_format: LogFormat | None = None) -> list[Entry]:
    return list(Source("log", io.BufferedReader(BytesIO(data)), log_format).entries(Engine.MYSQL))


def test_a_slow_log_with_plans_in_it() -> None:
    """MariaDB with log_slow_verbosity=explain frames the plan by lines that are nothing but the mark."""
    head = "# User@Host: root[root] @  [127.0.0.1]\n# Thread_id: 5  Schema: app  QC_hit: No\n# Query_time: 0.5  Lock_time: 0.0\n"
    plan = "#\n# explain: id\tselect_type\ttable\n# explain: 1\tSIMPLE\tst\n#\n"
    text = f"# Time: 261121 11:42:19\n{head}{plan}SET timestamp=1795261339;\nselect a\nfrom st;\n"

    for end in ("\n", "\r\n"):
        found = _statements(text.replace("\n", end).encode())
        assert found == [LoggedStatement(f"select a{end}from st", 1, 0.5, 1, "5")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_part_of_a_statement(encoding: str) -> None:
    """Files of Windows programs: UTF-8 with a mark, and UTF-16."""
    mark = "\ufeff" if encoding.endswith("e") else ""
    text = f"{mark}SELECT 'é';\r\nSELECT 2;\r\n"

    assert [one.sql for one in _statements(text.encode(encoding)) if isinstance(one, LoggedStatement)] == [
        "SELECT 'é'",
        "SELECT 2",
    ]


@pytest.mark.parametrize("spoiled", [False, True])
def test_a_gzip_file_that_breaks_off_is_named(spoiled: bool) -> None:
    """What stands before the broken place is read, the place itself is an unreadable line."""
    whole = gzip.compress("".join(f"SELECT {n} FROM t WHERE a = {n * n};\n" for n in range(50_000)).encode())
    data = whole[: len(whole) // 2] + (b"\xff" * 1000 if spoiled else b"")

    found = _statements(data)

    assert len(found) > 1000 and all(isinstance(one, LoggedStatement) for one in found[:1000])
    last = found[-1]
    assert isinstance(last, Unreadable) and last.why.startswith("cannot be read on from here: ")


def test_numbers_that_json_does_not_have_and_halves_of_characters() -> None:
    """Python's reader takes Infinity and lone surrogates; neither may come out again as JSON or on a terminal."""
    lines = [
        '{"sql": "SELECT 1", "seconds": Infinity}',
        '{"sql": "SELECT 1", "seconds": 1e999}',
        '{"sql": "SELECT 1", "seconds": 1%s}' % ("0" * 400),
        '{"sql": "SELECT \'\\ud800\\ud83d\\ude80\'"}',
    ]

    *beyond, third = _statements("\n".join(lines).encode(), LogFormat.JSON)

    assert len(beyond) == 3 and all(isinstance(one, Unreadable) for one in beyond)
    assert isinstance(third, LoggedStatement) and third.sql == "SELECT '\ufffd🚀'"


def test_a_time_that_ran_backwards_is_no_time() -> None:
    """MySQL logs two to the 64 microseconds where its clock was set back; that time is not known, the statement counts."""
    text = (
        "# User@Host: a[a] @ h []  Id:     8\n# Query_time: 18446744073709.550781  Lock_time: 0.0 Rows_sent: 1\n"
        "SET timestamp=1;\nSELECT 1;\n"
    )

    assert _statements(text.encode()) == [LoggedStatement("SELECT 1", 1, None, 1, "8")]


@pytest.mark.parametrize("digits", [12, 400])
def test_a_duration_that_no_statement_has_is_none(digits: int) -> None:
    """A damaged PostgreSQL log does not make sums that are no numbers."""
    _, entries = read(f"2026-01-01 UTC [1] LOG:  duration: {'9' * digits}9.123 ms  statement: SELECT 1\n", Engine.POSTGRESQL)

    assert [entry.seconds for entry in entries if isinstance(entry, LoggedStatement)] == [None]
