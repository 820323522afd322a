"""How often rules matched: calls, as a ProxySQL user counts them, and not plans."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dbrouter
from dbrouter import Router
from dbrouter.errors import StatementRejectedError
from dbrouter.events import Event
from dbrouter.testing.fake import FakeDriver
from tests.fakes import cluster, configuration

RULES: list[dict[str, Any]] = [
    {"rule_id": 10, "match_digest": "^SELECT"},
    {"rule_id": 20, "match_pattern": "two", "destination_hostgroup": 1, "apply": True},
    {"rule_id": 30, "match_pattern": "forbidden", "error_msg": "no"},
    {"rule_id": 40, "match_pattern": "answered", "OK_msg": "yes"},
    {"rule_id": 50, "match_pattern": "kept", "cache_ttl": "1m"},
    {"rule_id": 60, "match_pattern": "copied", "mirror_hostgroup": 1},
    {"rule_id": 70, "match_pattern": "never"},
]


def hits(router: Router) -> dict[int, int]:
    """What the statistics say."""
    return router.stats().databases[0].rule_hits


async def test_every_call_counts_once_for_every_rule_it_matched() -> None:
    """Known texts too, refused, answered by a rule or from the cache, mirrored, sent again; an explanation is no call."""
    servers = cluster()
    async with Router.open(configuration(start="all", query_rules=RULES), drivers=lambda _name: FakeDriver(servers)) as router:
        for _ in range(5):
            await router.execute("SELECT 1")
        assert hits(router) == {10: 5}
        await asyncio.gather(*(router.fetchval("SELECT 'two'") for _ in range(3)))
        assert hits(router) == {10: 8, 20: 3}
        for _ in range(2):
            with pytest.raises(StatementRejectedError):
                await router.execute("SELECT 'forbidden'")
            await router.execute("SELECT 'answered'")
            await router.execute("SELECT 'kept'")
            await router.execute("SELECT 'copied'")
        assert router.stats().cache.hits == 1
        assert hits(router) == {10: 16, 20: 3, 30: 2, 40: 2, 50: 2, 60: 2}
        for _ in range(3):
            router.explain("SELECT 'two'")
        for server in list(servers.values())[1:]:
            server.kill_connections()
        await router.fetch("SELECT 'two'", tag="labelled")
        await router.fetch("SELECT 1", route="write")
        await router.database("app").fetch("SELECT 1")

        assert hits(router) == {10: 19, 20: 4, 30: 2, 40: 2, 50: 2, 60: 2}


async def test_calls_are_counted_the_same_while_somebody_listens_and_where_rules_see_the_caller() -> None:
    """Events for every query, rules that draw flags or look at who calls: one call, one hit."""

    class Curious:
        def observe(self, event: Event) -> None:
            """Heard."""

    rules = [{"rule_id": 1, "username": "ada"}, {"rule_id": 2, "match_digest": "^SELECT", "tag": "x"}]
    servers = cluster()
    async with Router.open(
        configuration(start="all", query_rules=rules), drivers=lambda _name: FakeDriver(servers), observers=[Curious()]
    ) as router:
        for _ in range(3):
            await router.execute("SELECT 1")
            with dbrouter.context(username="ada"):
                await router.execute("SELECT 1", tag="x")

        assert hits(router) == {1: 3, 2: 3}


async def test_pinned_calls_count_too() -> None:
    """In transactions, `run`, batches, streams and on pinned connections: a hit a statement, `executemany` is one."""
    servers = cluster()
    async with Router.open(configuration(start="all", query_rules=RULES), drivers=lambda _name: FakeDriver(servers)) as router:
        await router.execute("CREATE TABLE two (id int)")
        assert hits(router) == {20: 1}
        async with router.transaction() as tx:
            await tx.execute("SELECT 1")
            await tx.fetch("SELECT 1")
        assert hits(router) == {10: 2, 20: 1}
        async with router.connection() as connection:
            await connection.fetchval("SELECT 1")
        await router.run(lambda tx: tx.fetchval("SELECT 1"))
        await router.batch(["SELECT 1", "SELECT 2"])
        assert hits(router) == {10: 6, 20: 1}
        await router.executemany("INSERT INTO two VALUES ($1)", [(1,), (2,), (3,)])
        assert hits(router) == {10: 6, 20: 2}
        async with router.stream("SELECT 1") as rows:
            assert [tuple(row) async for row in rows] == [(1,)]

        assert hits(router) == {10: 7, 20: 2}


async def test_counts_go_on_after_a_reload() -> None:
    """Rules that stay keep their count, rules that went are gone."""
    servers = cluster()
    async with Router.open(configuration(start="all", query_rules=RULES), drivers=lambda _name: FakeDriver(servers)) as router:
        for _ in range(4):
            await router.execute("SELECT 'two'")

        await router.reload(configuration(start="all", query_rules=RULES[:1]))
        await router.execute("SELECT 'two'")

        assert hits(router) == {10: 5}
