"""Parameters as MySQL literals."""

from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.converters import escape_item

from dbrouter.drivers.literals import BATCH_LENGTH, batches, count_placeholders, literal, render, split_insert
from dbrouter.errors import ParameterError


def fallback(value: object) -> str:
    return str(escape_item(value, "utf8mb4"))


class Color(enum.StrEnum):
    RED = "it's red"


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.binary(),
        st.decimals(allow_nan=False, allow_infinity=False),
        st.dates(),
        st.datetimes(),
        st.times(),
        st.timedeltas(),
        st.uuids(),
    )
)
def test_literals_are_those_of_pymysql(value: object) -> None:
    """Every ordinary value is written as PyMySQL writes it."""
    assert literal(value, fallback) == fallback(value)


@given(st.text())
def test_without_backslashes_only_quotes_are_doubled(value: str) -> None:
    """In NO_BACKSLASH_ESCAPES mode nothing in a string can end it, also inside a list."""
    expected = "'" + value.replace("'", "''") + "'"

    assert literal(value, fallback, True) == expected
    assert literal([value], fallback, True) == f"({expected})"


def test_special_values() -> None:
    """Bytes-like values are binary, lists stand in parentheses, classes of the caller's are their text."""
    zone = datetime.timezone(datetime.timedelta(hours=2))

    assert literal(bytearray(b"a'"), fallback) == literal(memoryview(b"a'"), fallback) == "_binary X'6127'"
    assert literal([1, "a'b", None], fallback) == "(1,'a\\'b',NULL)"
    assert literal(Color.RED, fallback) == "'it\\'s red'"
    assert literal(uuid.UUID(int=1), fallback) == "'00000000-0000-0000-0000-000000000001'"
    assert literal(datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone), fallback) == "'2026-01-02 03:04:05'"


def test_a_class_of_the_callers_is_safe_without_backslashes() -> None:
    """The text of an unknown type is quoted by the mode of the session, not by the library's."""

    class Name:
        def __str__(self) -> str:
            return "O'Hara\\"

    assert literal(Name(), fallback, True) == "'O''Hara\\'"


@pytest.mark.parametrize(
    "value", [{"a": 1}, {1, 2}, frozenset({1}), [], (), float("nan"), float("inf"), Decimal("NaN"), [{"a": 1}]]
)
def test_what_has_no_literal_is_refused(value: object) -> None:
    """Mappings, sets, empty lists and numbers that MySQL does not have raise before anything is sent."""
    with pytest.raises(ParameterError):
        render("SELECT %s", (value,), fallback)


@pytest.mark.parametrize("text", ["1E+999999999", "-1E+999999999", "1E-999999999", "0E+999999999", "1.5E+90"])
def test_a_decimal_of_a_long_exponent_stays_short(text: str) -> None:
    """Nobody's one token becomes a gigabyte of zeros; the server says what it thinks of such a number."""
    assert literal(Decimal(text), fallback) == text


def test_what_has_no_text_of_its_own_is_refused() -> None:
    """``<object object at 0x7f…>`` is nobody's value."""
    for value in (object(), iter([1]), (number for number in range(3))):
        with pytest.raises(ParameterError, match="no text of its own"):
            render("SELECT %s", (value,), fallback)


def test_render_replaces_placeholders_in_order() -> None:
    """Each ``%s`` takes its parameter, ``%%`` becomes one percent sign, and a literal's own percent signs stay."""
    assert render("SELECT %s, '50%%', %s", (1, "100%s"), fallback) == "SELECT 1, '50%', '100%s'"


@pytest.mark.parametrize(
    ("text", "params", "message"),
    [
        ("SELECT %s", (1, 2), r"1 placeholder \(%s\), 2 given"),
        ("SELECT %s, %s", (1,), r"2 placeholders \(%s\), 1 given"),
        ("SELECT 1", (1,), r"0 placeholders \(%s\), 1 given"),
        ("SELECT %s LIKE '5%'", (1,), "neither"),
        ("SELECT %(id)s", (1,), "neither"),
        ("SELECT %d", (1,), "neither"),
    ],
)
def test_parameters_that_do_not_fit(text: str, params: tuple[object, ...], message: str) -> None:
    """A wrong number of parameters or a stray percent sign is named."""
    with pytest.raises(ParameterError, match=message):
        render(text, params, fallback)


def test_count_placeholders() -> None:
    """Only ``%s`` counts; ``%%`` is a percent sign."""
    assert count_placeholders("a %s %% %%s %s") == 2
    assert count_placeholders("50%") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("INSERT INTO t (a, b) VALUES (%s, %s)", ("INSERT INTO t (a, b) VALUES ", "(%s, %s)", "")),
        ("replace into t values(%s);", ("replace into t values", "(%s)", "")),
        (
            "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = VALUES(a), b = '5%%'",
            ("INSERT INTO t VALUES ", "(%s)", " ON DUPLICATE KEY UPDATE a = VALUES(a), b = '5%'"),
        ),
        ("INSERT INTO t VALUES (%s, NOW())", None),
        ("INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = %s", None),
        ("INSERT INTO t SELECT %s", None),
        ("INSERT INTO t SELECT 1 UNION ALL VALUES (%s)", None),
        ("INSERT INTO t WITH w AS (SELECT 1) TABLE w UNION VALUES (%s)", None),
        ("INSERT INTO selections VALUES (%s)", ("INSERT INTO selections VALUES ", "(%s)", "")),
        ("UPDATE t SET a = %s", None),
    ],
)
def test_inserts_that_can_carry_many_rows(text: str, parts: tuple[str, str, str] | None) -> None:
    """Only an INSERT of one row of placeholders, with none elsewhere, is taken apart."""
    assert split_insert(text) == parts


def test_batches_are_bounded() -> None:
    """Many rows share a statement up to the limit, in order, none lost."""
    parts = ("INSERT INTO t VALUES ", "(%s)", "")
    rows = [("x" * 1000,) for _ in range(1000)]

    made = list(batches(parts, rows, fallback))

    assert len(made) == 4
    assert all(len(text) <= BATCH_LENGTH + 100 for text in made)
    assert sum(text.count("x" * 1000) for text in made) == 1000
    assert list(batches(parts, [], fallback)) == []


def test_one_tuple_for_all_parameters_is_told_apart_from_too_few() -> None:
    """Who comes from DB-API's `execute(sql, (a, b))` reads what to write instead; a real lack of them has no such advice."""
    with pytest.raises(ParameterError, match=r"2 placeholders.*1 given; .*one by one: \(sql, a, b\)"):
        render("SELECT %s, %s", ((1, 2),), fallback=str)
    with pytest.raises(ParameterError, match=r"2 placeholders \(%s\), 1 given \[DBR"):
        render("SELECT %s, %s", (1,), fallback=str)
