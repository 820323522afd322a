"""`check --connect`: what is judged wrong with the servers that were seen."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.cli.connect import Seen, judge
from dbrouter.terms import Role


def seen(node: str = "db1:5432", **changes: Any) -> Seen:
    """A primary in the writer hostgroup of `shop` with room for 97 connections."""
    values: dict[str, Any] = {
        "database": "shop",
        "hostgroup": "write",
        "node": node,
        "writer": True,
        "reader": False,
        "endpoint": node,
        "pool": 10,
        "role": Role.PRIMARY,
        "version": "18.0",
        "seconds": 0.01,
        "usable": 97,
        "max_connections": 100,
    }
    return Seen(**(values | changes))


def replica(node: str = "db2:5432", **changes: Any) -> Seen:
    """A replica in the reader hostgroup."""
    values: dict[str, Any] = {"hostgroup": "read", "writer": False, "reader": True, "role": Role.REPLICA}
    return seen(node, **(values | changes))


def test_a_primary_and_a_replica_in_their_places_are_fine() -> None:
    """Nothing is made up."""
    assert judge([seen(), replica()], processes=1) == []


def test_a_primary_in_both_hostgroups_is_fine() -> None:
    """The writer may serve reads too."""
    assert judge([seen(), replica("db1:5432", role=Role.PRIMARY)], processes=1) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen(role=Role.REPLICA), "writer hostgroup and is a replica"),
        (seen(role=Role.UNKNOWN), "of unknown role"),
        (seen(error="OSError: refused", usable=None), "cannot be reached: OSError: refused"),
    ],
)
def test_a_writer_that_cannot_write_is_a_problem(one: Seen, words: str) -> None:
    """The problem names database, hostgroup and server."""
    (problem,) = judge([one], processes=1)

    assert words in problem.message
    assert problem.path == "database 'shop', hostgroup 'write', server db1:5432"


def test_another_primary_among_the_readers_is_a_problem() -> None:
    """It follows nobody: reads there would see other data."""
    (problem,) = judge([seen(), replica(role=Role.PRIMARY)], processes=1)

    assert "primary of its own" in problem.message


def test_a_hostgroup_for_rules_may_hold_any_role() -> None:
    """Only writer and reader hostgroups promise a role."""
    assert judge([seen(), replica(reader=False, role=Role.PRIMARY)], processes=1) == []


@pytest.mark.parametrize(("processes", "fits"), [(8, True), (9, False)])
def test_pools_of_all_processes_must_fit(processes: int, fits: bool) -> None:
    """Each process has its pool and one probe: 8 × 11 fit into 97, 9 × 11 do not."""
    problems = judge([seen()], processes)

    assert (problems == []) is fits
    if problems:
        assert "open 99 connections, and the server gives 97" in problems[0].message


def test_a_node_in_two_hostgroups_has_two_pools_and_one_probe() -> None:
    """2 × 48 + 1 fit into 97, 2 × 49 + 1 do not."""
    assert judge([seen(pool=48), replica("db1:5432", pool=48, role=Role.PRIMARY)], processes=1) == []
    assert len(judge([seen(pool=49), replica("db1:5432", pool=48, role=Role.PRIMARY)], processes=1)) == 1


def test_two_databases_on_one_server_share_its_connections() -> None:
    """What counts is the server, not the database."""
    both = [seen(pool=50), seen(pool=50, database="catalog")]

    (problem,) = judge(both, processes=1)

    assert "open 102 connections" in problem.message


def test_a_server_that_does_not_say_its_limit_is_not_judged_by_it() -> None:
    """Behind PgBouncer max_connections is somebody else's."""
    assert judge([seen(usable=None, max_connections=None)], processes=1000) == []
