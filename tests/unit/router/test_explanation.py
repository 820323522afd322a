"""An explanation says what happens to a statement, and why a rule or a comment does not have its way."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter import Router
from dbrouter.config import load
from dbrouter.errors import ParameterError
from dbrouter.router.build import build
from dbrouter.router.explanation import Explanation, explain
from dbrouter.router.planner import NO_WISH
from dbrouter.testing.fake import FakeDriver

RULES: list[dict[str, Any]] = [
    {"rule_id": 1, "match_digest": "FROM cached", "cache_ttl": "5s"},
    {"rule_id": 2, "match_digest": "FROM mirrored", "mirror_hostgroup": 1},
    {"rule_id": 3, "match_digest": "FROM answered", "cache_ttl": "5s", "mirror_hostgroup": 1, "OK_msg": "fine"},
    {"rule_id": 4, "match_digest": "FROM reported", "destination_hostgroup": 3, "apply": True},
]


def explained(sql: str, **extra: Any) -> Explanation:
    """Of a statement, by those rules, with comments that may overrule them."""
    source = {
        "databases": {"shop": {"dsn": "postgresql://app@/shop", "writer_hostgroup": 1, "reader_hostgroup": 2}},
        "hostgroups": [
            {"id": 1, "servers": ["db1"]},
            {"id": 2, "servers": ["db2"]},
            {"id": 3, "database": "shop", "servers": ["db3"]},
        ],
        "query_rules": RULES,
        "comment_hints": True,
        **extra,
    }
    (context,) = build(load(source)).contexts
    return explain(context, sql, NO_WISH)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT a FROM cached", ["answered from the result cache where a result is younger than 5 s"]),
        (
            "SELECT now(), f(1) FROM cached",
            [
                "not answered from the result cache (cache_ttl is 5 s): "
                "f, NOW may differ at each call; cache_volatile: true keeps it"
            ],
        ),
        ("DELETE FROM cached", ["not answered from the result cache (cache_ttl is 5 s): it is a write"]),
        ("SHOW x /* FROM cached */", []),
        ("SELECT a FROM mirrored", ["a copy goes to hostgroup 1 'hostgroup-1' of shop: SELECT a FROM mirrored"]),
        ("DELETE FROM mirrored", ["no copy is sent: copies of writes need unsafe: true on the rule"]),
        ("SELECT a FROM answered", ["answered with 'fine', nothing is sent"]),
    ],
)
def test_effects_and_what_keeps_them_away(sql: str, said: list[str]) -> None:
    """A rule's cache and mirror: what they do, or why they do nothing."""
    assert list(explained(sql).effects) == said


@pytest.mark.parametrize(
    ("sql", "hostgroup", "said"),
    [
        ("/* hostgroup=1;query_timeout=500 */ SELECT 2", 1, ["a comment in it says hostgroup=1; query_timeout=500"]),
        (
            "/* hostgroup=99 */ SELECT 2 FROM reported",
            3,
            ["a comment in it says hostgroup=99", "hostgroup 99 is none of shop's: the rules decide"],
        ),
        (
            "/* hostgroup=99 */ SELECT 2",
            2,
            ["a comment in it says hostgroup=99", "hostgroup 99 is none of shop's: the rules decide"],
        ),
        ("/* app=x */ SELECT 2", 2, []),
    ],
)
def test_comments_that_overrule(sql: str, hostgroup: int, said: list[str]) -> None:
    """What a comment says is shown; one that names no hostgroup of the database leaves the rules' decision as it was."""
    found = explained(sql)

    assert (found.hostgroup, list(found.effects)) == (hostgroup, said)


def test_an_answer_is_no_refusal() -> None:
    """OK_msg wins over error_msg and over what the statement itself would be refused for; what is refused has no effects."""
    answered = explained("LISTEN x /* FROM answered */", query_rules=[{"rule_id": 1, "OK_msg": "fine", "next_query_flagIN": 2}])
    refused = explained("SELECT 1", query_rules=[{"rule_id": 1, "error_msg": "no", "delay": "1s", "cache_ttl": "1s"}])

    assert answered.refused is None
    assert list(answered.effects) == [
        "answered with 'fine', nothing is sent",
        "later calls of the same context begin with flag 2",
    ]
    assert refused.refused is not None and refused.effects == ()


def test_comments_say_nothing_where_they_are_off() -> None:
    """As they are by default."""
    assert explained("/* hostgroup=1 */ SELECT 2", comment_hints=False).effects == ()


def test_a_comment_that_names_no_hostgroup_keeps_the_rule() -> None:
    """Its number, and what it lifts."""
    found = explained("/* hostgroup=99 */ SELECT 2 FROM reported")

    assert (found.rule_id, found.why) == (4, "rule 4")


async def test_a_router_explains_for_any_of_its_databases() -> None:
    """``explain(sql, database=…)`` says what that database would do; without it, the default one; no connection is needed."""
    databases = {
        name: {"engine": engine, "dsn": f"{engine}://app@/{name}", "writer_hostgroup": number}
        for number, (name, engine) in enumerate({"shop": "postgresql", "catalog": "mysql"}.items(), 1)
    }
    hostgroups = [{"id": number, "servers": [f"db{number}"]} for number in (1, 2)]
    source = {"databases": databases, "hostgroups": hostgroups, "start": "none"}
    async with Router.open(source, drivers=lambda _name: FakeDriver({})) as router:
        told = [router.explain("SELECT 1", **asked) for asked in ({}, {"database": "shop"}, {"database": "catalog"})]

        assert [(one.database, one.engine, one.hostgroup) for one in told] == [
            ("shop", "postgresql", 1),
            ("shop", "postgresql", 1),
            ("catalog", "mysql", 2),
        ]
        with pytest.raises(ParameterError, match="no database 'nowhere'; the configuration has shop, catalog"):
            router.explain("SELECT 1", database="nowhere")
