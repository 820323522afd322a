"""What differs between two configurations: each change is named, no secret is, and what cannot be is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from dbrouter.config import RouterConfig, load
from dbrouter.config.diff import ChangeKind, Subject, diff, refusals, renewing

BASE: dict[str, Any] = {
    "databases": {
        "shop": {"dsn": "postgresql://app:first@/shop", "writer_hostgroup": 10, "reader_hostgroup": 20},
        "stock": {"dsn": "mysql://app@/stock", "writer_hostgroup": 30},
    },
    "hostgroups": [
        {"id": 10, "name": "write", "servers": ["db1"]},
        {"id": 20, "name": "read", "servers": ["db2", {"host": "db3", "weight": 2}]},
        {"id": 30, "name": "stock", "servers": ["my1"]},
    ],
    "query_rules": [
        {"rule_id": 1, "match_digest": "^SELECT 1", "destination_hostgroup": 10},
        {"rule_id": 2, "tag": "report", "destination_hostgroup": 20},
    ],
}


def configured(change: Any = lambda source: None) -> RouterConfig:
    """The base with *change* made to it."""
    source = deepcopy(BASE)
    change(source)
    return load(source, environ={})


def words(change: Any) -> list[str]:
    """What *change* is called."""
    return list(diff(configured(), configured(change)).words())


def test_nothing_differs_from_itself() -> None:
    """Two readings of the same source are the same."""
    found = diff(configured(), configured())

    assert not found
    assert found.words() == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda source: source["hostgroups"][1]["servers"].append("db4"), ["server read/db4:5432 added"]),
        (lambda source: source["hostgroups"][1]["servers"].pop(), ["server read/db3:5432 removed"]),
        (
            lambda source: source["hostgroups"][1]["servers"][1].update(weight=5, status="draining"),
            ["server read/db3:5432 changed: weight: 2 → 5, status: online → draining"],
        ),
        (
            lambda source: source["hostgroups"][1].update(balance="random", pool={"max_size": 3}),
            ["hostgroup 20 'read' changed: balance: round_robin → random, pool changed"],
        ),
        (lambda source: source["hostgroups"][1].update(name="replicas"), ["hostgroup 20 'read' changed: name changed"]),
        (lambda source: source.update(pool={"max_size": 3}), ["setting pool changed: max_size: 10 → 3"]),
        (lambda source: source["hostgroups"].reverse(), ["setting order changed"]),
        (lambda source: source.update(functions="primary"), ["setting functions changed: learn → primary"]),
        (lambda source: source["query_rules"].pop(), ["rule 2 removed"]),
        (lambda source: source["query_rules"].append({"rule_id": 3, "tag": "x", "destination_hostgroup": 10}), ["rule 3 added"]),
        (
            lambda source: source["query_rules"][0].update(match_digest="^SELECT 2", apply=True),
            ["rule 1 changed: match_digest changed, apply: false → true"],
        ),
        (
            lambda source: source["databases"]["shop"].update(server_settings={"search_path": "secret"}),
            ["database shop changed: server_settings changed (search_path)"],
        ),
        (
            lambda source: source["databases"]["shop"].update(dsn="postgresql://app:second@/shop"),
            ["database shop changed: password changed"],
        ),
    ],
)
def test_each_change_has_its_words(change: Any, expected: list[str]) -> None:
    """One line for each thing that differs, with values where they cannot be secrets."""
    assert words(change) == expected


def test_a_database_comes_and_goes_with_its_hostgroups() -> None:
    """The database, its hostgroups and their servers are named."""

    def without(source: dict[str, Any]) -> None:
        del source["databases"]["stock"]
        source["hostgroups"].pop()

    assert words(without) == ["database stock removed", "hostgroup 30 'stock' removed", "server stock/my1:3306 removed"]
    back = diff(configured(without), configured())
    assert [change.kind for change in back.changes] == [ChangeKind.ADDED] * 3
    assert [change.name for change in back.of(Subject.SERVER)] == ["stock/my1:3306"]


def test_another_first_database_is_told() -> None:
    """The default database is the first one, so the order matters."""

    def turned(source: dict[str, Any]) -> None:
        source["databases"] = dict(reversed(source["databases"].items()))

    assert words(turned) == ["setting default database changed: shop → stock"]


def test_no_secret_is_in_the_words() -> None:
    """Neither the old nor the new password, nor a text that may hold one."""
    changed = configured(
        lambda source: source["databases"]["shop"].update(dsn="postgresql://app:second@/shop?application_name=hidden")
    )

    text = " ".join(diff(configured(), changed).words()) + repr(diff(configured(), changed))

    assert "first" not in text and "second" not in text and "hidden" not in text


def test_what_renews_connections() -> None:
    """Another user does, another password does not."""
    shop = configured().databases["shop"]

    def changed(**values: Any) -> tuple[str, ...]:
        return renewing(shop, configured(lambda source: source["databases"]["shop"].update(values)).databases["shop"])

    assert changed(dsn="postgresql://other:first@/shop") == ("user",)
    assert changed(dsn="postgresql://app:second@/shop") == ()
    assert changed(tls={"mode": "disable"}) == ()
    assert changed(server_settings={"a": "b"}) == ("server_settings",)


def test_an_engine_cannot_change() -> None:
    """It is refused with the path, and so is another driver."""

    def other(source: dict[str, Any]) -> None:
        source["databases"]["stock"]["dsn"] = "postgresql://app@/stock"

    problems = refusals(configured(), configured(other), "file.yaml")

    assert [problem.path for problem in problems] == ["databases.stock.engine", "databases.stock.driver"]
    assert "mysql cannot become postgresql while the router is open" in str(problems[0])
    assert refusals(configured(), configured()) == ()
