"""Statements: rows, parameters, counts, streams, and what a refused statement leaves behind."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

from dbrouter.errors import ParameterError
from dbrouter.terms import Blame, ConnectionFate, Engine, Outcome, Phase, RetryWhere
from tests.contract.subjects import Case

pytestmark = pytest.mark.servers


async def test_rows_have_the_manners_of_a_record(case: Case, connection: Any) -> None:
    """A row is read by name and by position, and turns into a tuple and a dict."""
    rows, _, _ = await connection.send(case.sql("SELECT $1::int AS a, $2::text AS b, 3 AS c"), (1, "two"))

    (row,) = rows
    assert (row["a"], row["b"], row[0], row[-1]) == (1, "two", 1, 3)
    assert len(row) == 3
    assert tuple(row) == (1, "two", 3)
    assert dict(row) == {"a": 1, "b": "two", "c": 3}
    assert list(row.keys()) == ["a", "b", "c"]
    assert list(row.values()) == [1, "two", 3]
    assert list(row.items()) == [("a", 1), ("b", "two"), ("c", 3)]
    assert row.get("a") == 1
    assert row.get("nobody", "else") == "else"
    assert "a" in row
    assert tuple(row[0:2]) == (1, "two")
    with pytest.raises(KeyError):
        row["nobody"]
    with pytest.raises(IndexError):
        row[3]


async def test_the_same_statement_answers_each_time_for_its_parameters(case: Case, connection: Any) -> None:
    """However often a text ran before, the answer is that of these parameters."""
    for number in range(6):
        rows, _, _ = await connection.send(case.sql("SELECT $1::int AS n"), (number,))
        assert [row["n"] for row in rows] == [number]


@pytest.mark.parametrize(
    "text",
    ["", "plain", "it's a \\ 'quote' \"too\"", "Zoë ✓ 𝄞 漢字", "100% %s %% $1 :name ?", "line\nline\ttab", "a" * 1000],
    ids=["empty", "plain", "quotes", "unicode", "placeholders", "control", "long"],
)
async def test_texts_come_back_as_they_went(case: Case, connection: Any, text: str) -> None:
    """Any text survives the way there and back as a parameter."""
    rows, _, _ = await connection.send(case.sql("SELECT $1::text AS v"), (text,))
    assert rows[0]["v"] == text


async def test_null_is_none(case: Case, connection: Any) -> None:
    """None goes as NULL and comes back as None."""
    rows, _, _ = await connection.send(case.sql("SELECT $1::text AS v, NULL AS w"), (None,))
    assert tuple(rows[0]) == (None, None)


async def test_a_text_without_parameters_is_sent_as_it_is(case: Case, connection: Any) -> None:
    """Percent signs need no doubling where there are no parameters."""
    rows, _, _ = await connection.send("SELECT '100%' AS v, 'a%%b' AS w", ())
    assert tuple(rows[0]) == ("100%", "a%%b")


async def test_wrong_parameter_counts_are_refused_and_harm_nothing(case: Case, connection: Any) -> None:
    """Too few or too many parameters raise, the verdict is the caller's fault, and the connection works on."""
    for params in ((), (1, 2)) if case.dialect.engine is Engine.POSTGRESQL else ((1, 2),):
        with pytest.raises(Exception) as caught:
            await connection.send(case.sql("SELECT $1::int AS n"), params)
        verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
        assert (verdict.outcome, verdict.blame, verdict.connection) == (Outcome.FAILED, Blame.NONE, ConnectionFate.KEEP)
    await _answers(case, connection)


async def test_big_rows_and_many_rows(case: Case, connection: Any) -> None:
    """One row of 3 MB and 10,000 rows come whole."""
    big = "x" * 3_000_000
    rows, _, _ = await connection.send(case.sql("SELECT $1::text AS v"), (big,))
    assert rows[0]["v"] == big

    rows, _, _ = await connection.send(case.dialect.numbers(4), ())
    assert sorted(int(row["n"]) for row in rows) == list(range(10_000))


async def test_describe_counts_what_was_returned_or_changed(case: Case, connection: Any, table: str) -> None:
    """The count is rows returned for a read, rows changed for a write, nothing for DDL."""
    for text, params, word, count in [
        (f"INSERT INTO {table} (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')", (), "INSERT", 3),
        (f"UPDATE {table} SET v = $1 WHERE id < 3", ("z",), "UPDATE", 2),
        (f"UPDATE {table} SET v = $1 WHERE id = 99", ("z",), "UPDATE", 0),
        (f"SELECT id FROM {table}", (), "SELECT", 3),
        (f"SELECT id FROM {table} WHERE id = 99", (), "SELECT", 0),
        (f"DELETE FROM {table}", (), "DELETE", 3),
    ]:
        reply = await connection.send(case.sql(text), params)
        status, rowcount, _ = connection.describe(reply)
        assert status.startswith(word), (text, status)
        assert rowcount == count, (text, status, rowcount)
    status, rowcount, _ = connection.describe(await connection.send(f"CREATE TABLE {table}_b (id int)", ()))
    assert status.startswith("CREATE")
    assert not rowcount
    await connection.send(f"DROP TABLE {table}_b", ())


async def test_many_parameters_run_one_statement(case: Case, connection: Any, table: str) -> None:
    """`send_many` runs the statement for each parameters, and tells rows changed or None."""
    await connection.begin()
    changed = await connection.send_many(
        case.sql(f"INSERT INTO {table} (id, v) VALUES ($1, $2)"), [(number, f"v{number}") for number in range(50)]
    )
    await connection.commit()

    assert changed in (50, None)
    rows, _, _ = await connection.send(f"SELECT count(*) AS n FROM {table}", ())
    assert rows[0]["n"] == 50


async def test_an_empty_statement_does_no_harm(case: Case, connection: Any) -> None:
    """An empty text answers nothing or is refused, and the connection works on."""
    try:
        reply = await connection.send("", ())
    except Exception as error:
        verdict = case.driver.verdict(error, Phase.EXECUTE, flavor=connection.flavor)
        assert (verdict.outcome, verdict.connection) == (Outcome.FAILED, ConnectionFate.KEEP)
    else:
        assert list(reply[0]) == []
        connection.describe(reply)
    await _answers(case, connection)


async def test_a_refused_statement_is_an_answer(case: Case, connection: Any, table: str) -> None:
    """Syntax errors and constraints are the caller's, the node answered, and the connection works on."""
    await connection.send(f"INSERT INTO {table} (id) VALUES (1)", ())
    for text in ("SELEKT 1", f"INSERT INTO {table} (id) VALUES (1)"):
        with pytest.raises(Exception) as caught:
            await connection.send(text, ())
        verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
        assert (verdict.outcome, verdict.blame, verdict.connection, verdict.route, verdict.read_only_refusal) == (
            Outcome.FAILED,
            Blame.NONE,
            ConnectionFate.KEEP,
            RetryWhere.NOWHERE,
            False,
        )
        assert verdict.code
        await _answers(case, connection)


async def test_a_read_only_session_reads_and_refuses_writes(case: Case, connect: Any, table: str) -> None:
    """A read-only session answers reads; a write has no effect, and its verdict says where to go."""
    connection = await connect(read_only=True)
    await _answers(case, connection)

    for attempt in range(2):
        if attempt:
            await connection.begin()
        with pytest.raises(Exception) as caught:
            await connection.send(f"INSERT INTO {table} (id) VALUES (7)", ())
        verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
        assert verdict.read_only_refusal
        assert (verdict.outcome, verdict.route) == (Outcome.NOT_APPLIED, RetryWhere.WRITER)
    await connection.rollback()
    rows, _, _ = await connection.send(f"SELECT count(*) AS n FROM {table}", ())
    assert rows[0]["n"] == 0


async def test_a_replica_refuses_writes(case: Case, connect: Any) -> None:
    """On a replica a write has no effect, and its verdict says where to go."""
    connection = await connect(case.stage.replica_options())
    with pytest.raises(Exception) as caught:
        await connection.send("CREATE TABLE nobody_makes_this (id int)", ())
    verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
    assert verdict.read_only_refusal
    assert (verdict.outcome, verdict.route) == (Outcome.NOT_APPLIED, RetryWhere.WRITER)


async def test_a_cursor_gives_every_row_once(case: Case, connection: Any) -> None:
    """Fetching in pieces gives all rows, then nothing; closing twice is harmless and the connection works on."""
    await connection.begin()
    cursor = await connection.cursor(case.dialect.numbers(3), ())
    seen: list[int] = []
    while rows := await cursor.fetch(97):
        assert len(rows) <= 97
        seen += [int(row["n"]) for row in rows]
    assert list(await cursor.fetch(10)) == []
    await cursor.close()
    await cursor.close()
    await connection.commit()

    assert sorted(seen) == list(range(1000))
    await _answers(case, connection)


async def test_a_cursor_takes_parameters(case: Case, connection: Any) -> None:
    """A cursor's statement has parameters like any other."""
    await connection.begin()
    cursor = await connection.cursor(case.sql("SELECT $1::int AS a, $2::text AS b"), (5, "x"))
    assert [tuple(row) for row in await cursor.fetch(10)] == [(5, "x")]
    await cursor.close()
    await connection.rollback()


async def test_a_cursor_closed_half_way_leaves_nothing(case: Case, connection: Any, connect: Any) -> None:
    """Closing in the middle ends at once: the connection works on with its own replies, or it is closed."""
    await connection.begin()
    cursor = await connection.cursor(case.dialect.numbers(6), ())
    assert len(await cursor.fetch(10)) == 10
    async with asyncio.timeout(2):
        await cursor.close()
        if not connection.closed:
            await connection.rollback()
            await _answers(case, connection)


async def test_a_refused_cursor_raises_where_it_is_opened_or_read(case: Case, connection: Any) -> None:
    """A wrong statement raises the server's error, and after a rollback the connection works on."""
    await connection.begin()
    with pytest.raises(Exception) as caught:
        cursor = await connection.cursor("SELECT * FROM nobody_has_this_table", ())
        await cursor.fetch(1)
    assert case.driver.verdict(caught.value, Phase.TRANSACTION, flavor=connection.flavor).outcome is Outcome.FAILED
    await connection.rollback()
    await _answers(case, connection)


@pytest.mark.real_servers
async def test_a_cursor_needs_constant_memory(case: Case, connection: Any) -> None:
    """Streaming 10,000 rows of 2 KB takes a fraction of their 20 MB."""
    statement = case.dialect.numbers(4, columns="{n} AS n, repeat('x', 2000) AS v")
    await connection.begin()
    tracemalloc.start()
    try:
        cursor = await connection.cursor(statement, ())
        count = 0
        while rows := await cursor.fetch(200):
            count += len(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await cursor.close()
    await connection.rollback()

    assert count == 10_000
    assert peak < 6_000_000


async def test_two_tasks_never_get_each_others_rows(case: Case, connection: Any) -> None:
    """A second task on a busy connection is refused; the first gets its own answer, and so does whoever comes next."""
    first = asyncio.create_task(connection.send(case.dialect.sleep.format(0.1), ()))
    await asyncio.sleep(0.01)
    with pytest.raises(Exception) as caught:
        await connection.send("SELECT 2 AS n", ())
    verdict = case.driver.verdict(caught.value, Phase.EXECUTE, flavor=connection.flavor)
    assert verdict.outcome in (Outcome.NOT_APPLIED, Outcome.FAILED)

    rows, _, _ = await first
    assert len(rows) == 1
    assert not connection.closed
    await _answers(case, connection)


async def test_a_script_runs_all_its_statements_or_is_refused(case: Case, connection: Any, table: str) -> None:
    """PostgreSQL takes several statements and answers the last tag; MySQL takes none of them."""
    script = f"INSERT INTO {table} (id) VALUES (1); INSERT INTO {table} (id) VALUES (2)"
    if case.dialect.engine is Engine.POSTGRESQL:
        reply = await connection.send_script(script)
        assert list(reply[0]) == []
        assert connection.describe(reply)[0].startswith("INSERT")
    else:
        with pytest.raises(Exception):  # noqa: B017 - each driver says it in its own words
            await connection.send_script(script)
    rows, _, _ = await connection.send(f"SELECT count(*) AS n FROM {table}", ())
    assert rows[0]["n"] == (2 if case.dialect.engine is Engine.POSTGRESQL else 0)


async def test_our_own_refusals_are_judged_too(case: Case) -> None:
    """`ParameterError` means that nothing was sent."""
    verdict = case.driver.verdict(ParameterError("too few"), Phase.EXECUTE)
    assert (verdict.outcome, verdict.connection) == (Outcome.FAILED, ConnectionFate.KEEP)


async def _answers(case: Case, connection: Any) -> None:
    rows, _, _ = await connection.send(case.sql("SELECT $1::int AS n"), (4711,))
    assert [tuple(row) for row in rows] == [(4711,)]
