"""What statements add up to: exact sums, a bounded number of digests, reasons, transactions, times."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from dbrouter.audit.logged import LoggedStatement, Unreadable
from dbrouter.audit.servers import mysql_entry
from dbrouter.audit.workload import CUT, IN_TRANSACTION, Workload
from dbrouter.terms import Engine

PG, MY = Engine.POSTGRESQL, Engine.MYSQL


def held(engine: Engine, *texts: str, connection: str | None = "1") -> list[tuple[str, bool]]:
    """Each text of one connection and whether replicas could take it."""
    workload = Workload(engine)
    found = []
    for text in texts:
        before = workload.replicas.calls
        workload.add(LoggedStatement(text, connection=connection))
        found.append((text, workload.replicas.calls > before))
    return found


def test_sums_by_digest_and_by_reason() -> None:
    """Calls and times of equal shapes are one row; a call with two reasons counts for both and for none alone."""
    workload = Workload(MY)
    for entry in (
        LoggedStatement("SELECT a FROM t WHERE a = 1", 6, 3.0),
        LoggedStatement("SELECT a FROM t WHERE a = 2", 1, 0.5),
        LoggedStatement("SELECT a FROM t FOR UPDATE", 2, 0.25),
        LoggedStatement("SELECT GET_LOCK('x', 1) FROM t FOR UPDATE", 1, 0.25),
        Unreadable(7, "is no statement"),
    ):
        workload.add(entry, "a.log")

    found = workload.as_dict()
    assert (found["calls"], found["reads"], found["writes"], found["session"]) == (10, 7, 3, 1)
    assert (found["replica_calls"], found["replica_share"], found["seconds"], found["replica_time_share"]) == (7, 0.7, 4.0, 0.875)
    assert [(one["digest_text"], one["calls"], one["seconds"], bool(one["held"])) for one in found["digests"]] == [
        ("SELECT a FROM t WHERE a = ?", 7, 3.5, False),
        ("SELECT a FROM t FOR UPDATE", 2, 0.25, True),
        ("SELECT GET_LOCK(?,?) FROM t FOR UPDATE", 1, 0.25, True),
    ]
    assert [(one["reason"], one["calls"], one["alone"], one["share"]) for one in found["held"]] == [
        ("locks rows (FOR UPDATE)", 3, 2, 0.3),
        ("get_lock() needs or changes session state", 1, 0, 0.1),
    ]
    assert found["problems"] == [{"source": "a.log", "line": 7, "why": "is no statement"}]


def test_without_times_there_are_no_shares_of_time() -> None:
    """A source that knows no times gives none, not zero."""
    workload = Workload(PG)
    workload.add(LoggedStatement("SELECT 1", 3))

    found = workload.as_dict()

    assert (found["seconds"], found["replica_time_share"], found["digests"][0]["time_share"]) == (None, None, None)
    assert Workload(PG).as_dict()["replica_share"] == 0.0


@pytest.mark.parametrize(
    ("engine", "begin", "end"),
    [
        (PG, "BEGIN", "COMMIT"),
        (PG, "START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "END"),
        (PG, "begin read write", "ABORT"),
        (PG, "BEGIN", "PREPARE TRANSACTION 'x'"),
        (MY, "START TRANSACTION WITH CONSISTENT SNAPSHOT", "ROLLBACK"),
        (MY, "BEGIN WORK", "COMMIT"),
        (MY, "BEGIN", "CREATE TABLE u (a int)"),
    ],
)
def test_reads_inside_a_transaction_stay_with_it(engine: Engine, begin: str, end: str) -> None:
    """From its begin to its end, or to what ends it by itself; savepoints change nothing."""
    read = "SELECT 1"
    texts = [read, begin, read, "SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", read, end, read]

    found = [could for text, could in held(engine, *texts) if text == read]

    assert found == [True, False, False, True]


def test_a_read_only_transaction_holds_nothing() -> None:
    """It may run on a replica as a whole, so its reads may."""
    texts = ("BEGIN TRANSACTION READ ONLY", "SELECT 1", "COMMIT")

    assert held(PG, *texts)[1] == ("SELECT 1", True)


def test_transactions_belong_to_their_connection() -> None:
    """Connections are told apart by source and name; a source that names none has no transactions."""
    workload = Workload(MY)
    workload.add(LoggedStatement("BEGIN", connection="1"), "a")
    workload.add(LoggedStatement("SELECT 1", connection="2"), "a")
    workload.add(LoggedStatement("SELECT 1", connection="1"), "b")
    assert workload.replicas.calls == 2

    workload.add(LoggedStatement("SELECT 1", connection="1"), "a")

    assert workload.replicas.calls == 2
    assert IN_TRANSACTION in {one.reason for one in workload.reasons()}
    assert held(MY, "BEGIN", "SELECT 1", connection=None)[1] == ("SELECT 1", True)


def test_a_text_without_its_end_is_no_read() -> None:
    """FOR UPDATE may have stood there; what is a write by its beginning keeps its own reason."""
    workload = Workload(MY)
    workload.add(LoggedStatement("SELECT a FROM t WHERE b IN (1, 2", cut=True))
    workload.add(LoggedStatement("DELETE FROM t WHERE b IN (1, 2", cut=True))

    assert workload.replicas.calls == 0
    assert [one.reason for one in workload.reasons()] == [CUT, "DELETE changes data"]


def test_the_number_of_digests_is_bounded_and_the_sums_stay_exact() -> None:
    """Of very many shapes the frequent ones are kept, whenever they came; what is let go is counted."""
    rng = random.Random(3)
    workload = Workload(MY, kept=50)
    wanted: Counter[str] = Counter()
    for number in range(5000):
        text = f"SELECT often{rng.randrange(10)}" if rng.random() < 0.5 else f"SELECT rare{number}"
        wanted[text] += 1
        workload.add(LoggedStatement(text, seconds=1.0))

    digests = workload.digests()
    assert len(digests) <= 100
    assert {one.text: one.calls for one in digests[:10]} == dict(wanted.most_common(10))
    assert workload.total.calls == workload.replicas.calls == 5000
    assert sum(one.calls for one in digests) + workload.other.calls == 5000
    assert sum(one.seconds for one in digests) + workload.other.seconds == pytest.approx(5000)
    assert workload.as_dict(10)["other"]["calls"] == 5000 - sum(one.calls for one in digests[:10])


def test_places_that_cannot_be_read_are_bounded_too() -> None:
    """All are counted, the first are kept."""
    workload = Workload(MY)
    for line in range(1, 1001):
        workload.add(Unreadable(line, "x"), "a")

    assert workload.unreadable == 1000
    assert [one.line for one in workload.problems] == list(range(1, 21))


WIDE = " + ".join(f"`a{number}`" for number in range(113))
"""What servers keep of a longer sum with 1024 bytes for a digest."""


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (("SELECT ? ", 3, 1.5, "SELECT 7"), LoggedStatement("SELECT 7", 3, 1.5)),
        (("SELECT ? ", 3, None, None), LoggedStatement("SELECT ?", 3, 0.0)),
        (
            ("SELECT ? FROM `t` WHERE `a` IN (...) ", 3, 1, "SELECT 'xxx..."),
            LoggedStatement("SELECT ? FROM `t` WHERE `a` IN (...)", 3, 1.0),
        ),
        ((f"SELECT {WIDE} ", 3, 1, "SELECT a0..."), LoggedStatement(f"SELECT {WIDE}", 3, 1.0, cut=True)),
        ((f"SELECT {WIDE} ", 3, 1, None), LoggedStatement(f"SELECT {WIDE}", 3, 1.0, cut=True)),
        ((f"SELECT {WIDE} ", 3, 1, "SELECT a0"), LoggedStatement("SELECT a0", 3, 1.0)),
        (("PREPARE SELECT ? ", 3, 1, "SELECT 7"), None),
        (("PREPARE `s` FROM ? ", 3, 1, None), LoggedStatement("PREPARE `s` FROM ?", 3, 1.0)),
        (("EXECUTE SELECT ? ", 3, 1, None), LoggedStatement("SELECT ?", 3, 1.0)),
        (("SELECT * FROM `events_statements_summary_by_digest`", 3, 1, None), None),
        (
            (None, 3, 1, None),
            Unreadable(0, "3 calls beyond performance_schema_digests_size have no text on the server; raise it"),
        ),
    ],
)
def test_rows_of_the_performance_schema(row: tuple[str | None, int, float | None, str | None], wanted: object) -> None:
    """The sample where it is whole, else the digest's text, else the text as one without its end."""
    assert mysql_entry(*row, limit=1024) == wanted
