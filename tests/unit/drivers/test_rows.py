"""Rows of the MySQL family behave as asyncpg's records do."""

from __future__ import annotations

import copy
import pickle

import pytest

from dbrouter.drivers.rows import Row, row_class


def row() -> Row:
    return row_class(["id", "name", "score"])((1, "ada", None))


def test_values_by_name_position_and_slice() -> None:
    """A row is read by column name, by position from both ends, and by slice."""
    it = row()

    assert (it["id"], it[1], it[-1], it[0:2], it[::-1]) == (1, "ada", None, (1, "ada"), (None, "ada", 1))
    assert type(it[0:2]) is tuple


def test_what_is_missing_raises_as_a_record_does() -> None:
    """An unknown name is a KeyError, a position outside an IndexError."""
    with pytest.raises(KeyError, match="nope"):
        row()["nope"]
    with pytest.raises(IndexError):
        row()[3]
    with pytest.raises(TypeError):
        row()[1.5]


def test_mapping_manners() -> None:
    """dict, keys, values, items and get work by name; ``in`` asks for names, iteration gives values."""
    it = row()

    assert dict(it) == {"id": 1, "name": "ada", "score": None}
    assert (list(it.keys()), list(it.values())) == (["id", "name", "score"], [1, "ada", None])
    assert list(it.items()) == [("id", 1), ("name", "ada"), ("score", None)]
    assert (it.get("name"), it.get("score", 7), it.get("nope"), it.get("nope", 7)) == ("ada", None, None, 7)
    assert "name" in it and "ada" not in it
    assert (len(it), list(it), tuple(it)) == (3, [1, "ada", None], (1, "ada", None))


def test_equality_and_hash_are_those_of_the_values() -> None:
    """Rows compare with each other and with tuples by value, whatever their columns are called."""
    other = row_class(["a", "b", "c"])((1, "ada", None))

    assert row() == (1, "ada", None) == other
    assert hash(row()) == hash(other) == hash((1, "ada", None))
    assert row() != (2, "ada", None)


def test_repr_shows_names_and_values() -> None:
    """A row prints as asyncpg's record does."""
    assert repr(row_class(["id", "name"])((1, "x"))) == "<Row id=1 name='x'>"
    assert repr(row_class([])(())) == "<Row>"


def test_the_last_of_two_columns_of_one_name_wins() -> None:
    """A duplicate name stands for the last such column, and every value can still be reached by position."""
    it = row_class(["id", "id"])((1, 2))

    assert (it["id"], it[0], list(it.items())) == (2, 1, [("id", 1), ("id", 2)])


def test_rows_travel_between_processes() -> None:
    """A pickled or copied row is the same row, still a Row."""
    for again in (pickle.loads(pickle.dumps(row())), copy.copy(row()), copy.deepcopy(row())):
        assert isinstance(again, Row)
        assert (again, dict(again)) == (row(), dict(row()))
