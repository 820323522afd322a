"""`default_hostgroup` of a database, and `database` of a server."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.config import load
from dbrouter.errors import ConfigError
from dbrouter.router.build import build
from dbrouter.router.connecting import connect_options
from dbrouter.router.planner import Wish


def source(**extra: Any) -> dict[str, Any]:
    """Writer 1, reader 2, and a hostgroup for rules; *extra* goes to the database."""
    return {
        "databases": {"shop": {"dsn": "postgresql://app@/shop", "writer_hostgroup": 1, "reader_hostgroup": 2, **extra}},
        "hostgroups": [
            {"id": 1, "name": "write", "servers": ["a"]},
            {"id": 2, "name": "read", "servers": ["b"]},
            {"id": 3, "name": "old", "database": "shop", "servers": ["c"]},
        ],
    }


@pytest.mark.parametrize(
    ("default", "read", "write", "vetoed"),
    [(None, 2, 1, False), (1, 1, 1, False), (2, 2, 1, True), (3, 3, 1, True), ("old", 3, 1, True)],
)
def test_what_no_rule_sends_anywhere(default: int | str | None, read: int, write: int, vetoed: bool) -> None:
    """Reads too go to the default hostgroup; no write gets past the veto."""
    planner = build(load(source(default_hostgroup=default))).contexts[0].planner
    of_read = planner.decide("SELECT 1", Wish(None, None, None), None)
    of_write = planner.decide("DELETE FROM t", Wish(None, None, None), None)

    assert (of_read.hostgroup.id, of_write.hostgroup.id, of_write.veto is not None) == (read, write, vetoed)


def test_a_caller_is_nearer_than_the_default() -> None:
    """`route=` and `hostgroup=` are what they were."""
    planner = build(load(source(default_hostgroup=1))).contexts[0].planner

    assert planner.decide("SELECT 1", Wish(None, "read", None), None).hostgroup.id == 2
    assert planner.decide("SELECT 1", Wish(None, None, "old"), None).hostgroup.id == 3


@pytest.mark.parametrize(
    ("default", "message"),
    [
        (9, "databases.shop.default_hostgroup: there is no hostgroup 9; there are 1, 2, 3"),
        ("reed", "databases.shop.default_hostgroup: there is no hostgroup named 'reed'; did you mean 'read'?"),
        (4, "databases.shop.default_hostgroup: hostgroup 4 is cat's, not shop's"),
    ],
)
def test_a_default_hostgroup_is_one_of_the_databases(default: int | str, message: str) -> None:
    """It exists and belongs to nobody else."""
    written = source(default_hostgroup=default)
    written["databases"]["cat"] = {"engine": "mysql", "writer_hostgroup": 4}
    written["hostgroups"].append({"id": 4, "servers": ["d"]})

    with pytest.raises(ConfigError) as caught:
        load(written)

    assert message.replace("1, 2, 3", "1, 2, 3, 4") in str(caught.value)


def test_servers_with_a_database_of_their_own_are_nodes_of_their_own() -> None:
    """One place behind a pooler, several servers: each is connected to under its name."""
    written = source()
    written["hostgroups"][1]["servers"] = [{"host": "b", "database": "read_1"}, {"host": "b", "database": "read_2"}]
    config = load(written)
    group = config.hostgroup(2)
    options = [
        connect_options(config, config.databases["shop"], one, server, read_only=False, init=())
        for one in config.hostgroups
        for server in one.servers
    ]

    assert [server.node_id for server in group.servers] == ["b:5432/read_1", "b:5432/read_2"]
    assert [option.database for option in options] == ["shop", "read_1", "read_2", "shop"]
    assert len(build(config).contexts[0].nodes) == 4
