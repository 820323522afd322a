"""Effects of rules at their edges: functions that write unseen, rules that meet each other, calls that no server is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import dbrouter
from dbrouter import PoolClosedError, Router, StatementRejectedError
from dbrouter.events import QueryLogged
from dbrouter.sql import analyze
from dbrouter.sql.volatile import volatile_words
from dbrouter.terms import Engine, Intent
from dbrouter.testing import LocalCluster
from tests.integration.test_effects import prepare, rules
from tests.routers import Listener, dialect, until


def writing_function(cluster: LocalCluster) -> tuple[str, ...]:
    """Statements that make ``bump()``, which adds an x to the first row and whose call looks like a read."""
    if dialect(cluster).postgresql:
        body = "LANGUAGE sql AS $$ UPDATE fx SET v = v || 'x' WHERE id = 1 RETURNING 1 $$"
        return "DROP FUNCTION IF EXISTS bump()", f"CREATE FUNCTION bump() RETURNS int {body}"
    body = "MODIFIES SQL DATA BEGIN UPDATE fx SET v = CONCAT(v, 'x') WHERE id = 1; RETURN 1; END"
    return "DROP FUNCTION IF EXISTS bump", f"CREATE FUNCTION bump() RETURNS int {body}"


# ---- functions that nobody knows


async def test_a_function_that_may_write_is_not_mirrored_to_where_it_can(cluster: LocalCluster) -> None:
    """Its copy would write a second time: only with unsafe, or to readers, whose sessions refuse it."""
    source = rules(
        cluster,
        {"tag": "meant", "mirror_hostgroup": "write", "unsafe": True, "apply": True},
        {"tag": "readers", "mirror_hostgroup": "read", "apply": True},
        {"match_digest": "bump", "mirror_hostgroup": "write"},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster, *writing_function(cluster))

        async def grown_by(tag: str | None) -> int:
            before, sent = await router.fetchval("SELECT v FROM fx", route="write"), router.stats().mirror.sent
            await router.fetch("SELECT bump()", tag=tag)
            await until(lambda: tag is None or router.stats().mirror.sent == sent + 1, what="the copy")
            return len(await router.fetchval("SELECT v FROM fx", route="write")) - len(before)

        explained = str(router.explain("SELECT bump()"))
        assert "a copy goes" not in explained and "no copy is sent: bump may write" in explained
        assert await grown_by("readers") == 1
        assert await grown_by(None) == 1 and router.stats().mirror.sent == 1
        assert await grown_by("meant") == 2


async def test_a_context_that_called_a_function_which_may_have_written_reads_no_cache(cluster: LocalCluster) -> None:
    """Where the session could write: rerouted, on the primary by name, in a transaction, through a cursor; never on a reader."""
    source = rules(cluster, {"match_digest": "FROM fx", "cache_ttl": "10m"}, read_functions=["harmless"])

    async def rerouted(router: Router) -> None:
        await router.fetch("SELECT bump()")

    async def named(router: Router) -> None:
        await router.fetch("SELECT bump() AS named", hostgroup="write")

    async def pinned(router: Router) -> None:
        async with router.transaction() as tx:
            await tx.fetch("SELECT bump() AS pinned")

    async def streamed(router: Router) -> None:
        async with router.stream("SELECT bump() AS streamed") as rows:
            assert [row async for row in rows]

    async def through_a_reader(router: Router) -> None:
        with pytest.raises(Exception, match=r"(?i)read.only"):
            await router.fetch("SELECT bump() AS refused", route="read")

    async def read_only(router: Router) -> None:
        await router.fetch("SELECT v FROM fx WHERE id = 2")

    async with Router.open(source) as router:
        await prepare(router, cluster, *writing_function(cluster))
        ways: list[tuple[Callable[[Router], Awaitable[None]], str]] = [
            (way, "fresh") for way in (rerouted, named, pinned, streamed)
        ]
        for way, wanted in (*ways, (through_a_reader, "cache"), (read_only, "cache")):
            await router.fetch("SELECT v FROM fx WHERE id = 1")
            with dbrouter.context():
                assert (await router.execute("SELECT v FROM fx WHERE id = 1")).route.node == "cache"
                await way(router)
                node = (await router.execute("SELECT v FROM fx WHERE id = 1")).route.node
                assert ("cache" if node == "cache" else "fresh") == wanted, way.__name__


# ---- reads that follow the context's writes


async def test_a_read_that_follows_is_rewritten_once(cluster: LocalCluster) -> None:
    """gtid_from_hostgroup plans the caller's own text, not what the rules made of it."""
    source = rules(
        cluster,
        {"match_pattern": "FROM f", "replace_pattern": "FROM ff", "kind": "SELECT"},
        {"match_digest": "^SELECT", "gtid_from_hostgroup": 10},
    )
    async with Router.open(source) as router:
        for table in ("ffx", "fffx"):
            await router.execute(f"DROP TABLE IF EXISTS {table}")
            await router.execute(f"CREATE TABLE {table}(v varchar(9))")
            await router.execute(f"INSERT INTO {table} VALUES ('{table}')")
        await asyncio.to_thread(cluster.wait_caught_up)

        with dbrouter.context():
            assert await router.fetchval("SELECT v FROM fx") == "ffx"
            await router.execute("DELETE FROM fffx WHERE v = 'x'")
            followed = await router.execute("SELECT v FROM fx")
            async with router.stream("SELECT v FROM fx") as rows:
                streamed = [row[0] async for row in rows]
        assert followed[0][0] == "ffx" and followed.route.hostgroup == "write" and streamed == ["ffx"]


async def test_a_caller_who_names_a_place_follows_nobody(cluster: LocalCluster) -> None:
    """hostgroup= and route= stand over a rule's gtid_from_hostgroup."""
    source = rules(cluster, {"match_digest": "^SELECT", "gtid_from_hostgroup": 10})
    async with Router.open(source) as router:
        await prepare(router, cluster)
        with dbrouter.context():
            await router.execute("UPDATE fx SET v = 'new' WHERE id = 1")
            for wish in ({"hostgroup": "read"}, {"route": "read"}):
                assert (await router.execute("SELECT v FROM fx", **wish)).route.hostgroup == "read", wish
                assert "goes to hostgroup 10" not in str(router.explain("SELECT v FROM fx", **wish))
            assert (await router.execute("SELECT v FROM fx")).route.hostgroup == "write"


# ---- messages


async def test_an_ok_msg_answers_whatever_the_statement_is(cluster: LocalCluster) -> None:
    """Nothing is sent, so no call has a reason to refuse: session state, transaction control, COPY, implicit commits."""
    texts = ("SET NAMES latin1", "BEGIN", "COPY fx FROM STDIN", "CREATE TABLE fx_never(a int)")
    source = rules(cluster, {"match_digest": "^(SET NAMES|BEGIN|COPY|CREATE TABLE fx_never)", "OK_msg": "fine"})
    async with Router.open(source) as router:

        async def in_a_stream(text: str) -> str:
            async with router.stream(text) as rows:
                assert [row async for row in rows] == []
            return "fine"

        async def pinned(text: str) -> Any:
            async with router.connection() as conn:
                return await conn.execute(text)

        async def in_a_transaction(text: str) -> Any:
            async with router.transaction() as tx:
                return await tx.execute(text)

        async def in_a_batch(text: str) -> Any:
            return (await router.batch([text]))[0]

        async def many(text: str) -> Any:
            return await router.executemany(text, [()])

        ways: tuple[Callable[[str], Awaitable[Any]], ...] = (
            *(router.execute, in_a_stream, pinned, in_a_transaction, in_a_batch, many),
        )
        for text in texts:
            assert [str(await way(text)) for way in ways] == ["fine"] * len(ways), text
        assert router.stats().databases[0].rule_hits == {1: len(texts) * len(ways)}


async def test_a_statement_that_was_not_sent_has_written_nothing(cluster: LocalCluster) -> None:
    """An OK_msg in a write's place leaves the context's cache and its reads where they were."""
    source = rules(
        cluster,
        {"match_digest": "^DELETE", "OK_msg": "fine"},
        {"match_digest": "FROM fx", "intent": "read", "cache_ttl": "10m", "gtid_from_hostgroup": 10},
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        with dbrouter.context():
            await router.fetch("SELECT v FROM fx")
            await router.execute("DELETE FROM fx")
            async with router.connection() as conn:
                await conn.execute("DELETE FROM fx")
            assert (await router.execute("SELECT v FROM fx")).route.node == "cache"


# ---- copies


async def test_a_copy_follows_neither_fast_routing_nor_comments(cluster: LocalCluster) -> None:
    """As in ProxySQL's mirror sessions: rules alone say where it goes."""
    schema = cluster.primary.dsn().rpartition("/")[2].partition("?")[0]
    source = rules(
        cluster,
        {"match_digest": "^SELECT v", "mirror_hostgroup": 10, "mirror_flagOUT": 7},
        query_rules_fast_routing=[{"schemaname": schema, "flagIN": flag, "destination_hostgroup": 20} for flag in (0, 7)],
        comment_hints=True,
    )
    async with Router.open(source) as router:
        await prepare(router, cluster)
        for text in ("SELECT v FROM fx", "SELECT /* hostgroup=20 */ v FROM fx", "SELECT /* query_timeout=5 */ v FROM fx"):
            explained = router.explain(text)
            assert explained.hostgroup == 20
            assert [effect for effect in explained.effects if effect.startswith("a copy goes to hostgroup 10 ")], text


# ---- what the cache keeps


async def test_results_of_postgresqls_own_value_types_are_kept(pg: LocalCluster) -> None:
    """uuid and inet columns are values like others, and what was read can be asked with."""
    source = rules(pg, {"match_digest": "^SELECT", "cache_ttl": "10m"})
    async with Router.open(source) as router:
        for text in ("SELECT '00000000-0000-0000-0000-000000000001'::uuid", "SELECT '10.0.0.1'::inet, '10.0.0.0/8'::cidr"):
            rows = await router.fetch(text)
            assert (await router.execute(text)).route.node == "cache", text
            if "uuid" in text:
                for _ in range(2):
                    asked = await router.execute("SELECT $1::uuid", rows[0][0])
                assert asked.route.node == "cache" and asked[0][0] == rows[0][0]


async def test_every_function_that_postgresql_calls_volatile_is_known_to_the_cache(pg: LocalCluster) -> None:
    """Of those that count as reads: none of their results is kept."""
    volatile = "SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v' AND pronamespace = 'pg_catalog'::regnamespace"
    async with Router.open(rules(pg)) as router:
        names = [row[0] for row in await router.fetch(f"{volatile} AND prokind = 'f' ORDER BY 1")]
    unknown = []
    for name in names:
        text = f"SELECT {name}()"
        statement = analyze(text, Engine.POSTGRESQL)
        if statement.intent is Intent.READ and not statement.functions and not volatile_words(text, Engine.POSTGRESQL):
            unknown.append(name)
    assert len(names) > 100 and not unknown


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        (Engine.POSTGRESQL, "SELECT 'now'::timestamptz"),
        (Engine.POSTGRESQL, "SELECT v FROM fx WHERE day >= date ' Today '"),
        (Engine.POSTGRESQL, "SELECT * FROM pg_locks"),
        (Engine.POSTGRESQL, "SELECT * FROM pg_statio_user_tables"),
        (Engine.MYSQL, "SELECT * FROM information_schema.processlist"),
        (Engine.MYSQL, "SELECT * FROM performance_schema.threads"),
    ],
)
def test_clocks_in_literals_and_views_of_the_server_are_volatile(engine: Engine, text: str) -> None:
    """They answer otherwise a moment later, though no data changed."""
    assert volatile_words(text, engine)
    assert not volatile_words("SELECT v FROM fx WHERE v = 'nowhere' OR v = 'to now'", engine)


# ---- calls that no server is asked for


async def test_a_closed_router_answers_nothing(cluster: LocalCluster) -> None:
    """Neither from the cache nor by a rule: a service that uses a router after closing it hears so at its first call."""
    source = rules(cluster, {"match_digest": "^SELECT", "cache_ttl": "10m"}, {"match_digest": "^SET", "OK_msg": "fine"})
    router = await Router.open(source)
    await router.fetch("SELECT 1")
    assert (await router.execute("SELECT 1")).route.node == "cache" and str(await router.execute("SET x = 1")) == "fine"
    await router.aclose()

    for text in ("SELECT 1", "SET x = 1", "SELECT 2"):
        with pytest.raises(PoolClosedError):
            await router.execute(text)


async def test_rows_are_a_list_where_a_rule_answers_too(cluster: LocalCluster) -> None:
    """Whoever adds to what `fetch` gave need not know who answered."""
    async with Router.open(rules(cluster, {"match_digest": "^SET", "OK_msg": "fine"})) as router:
        assert await router.fetch("SET x = 1") == []
        async with router.connection() as conn:
            assert await conn.fetch("SET x = 1") == []


async def test_every_kind_of_call_is_logged_once(cluster: LocalCluster) -> None:
    """Sent, answered by a rule or refused; pooled, pinned, streamed, or many runs in one."""
    listener = Listener()
    source = rules(
        cluster,
        {"match_digest": "^SET", "OK_msg": "fine"},
        {"match_digest": "^TRUNCATE", "error_msg": "no"},
        {"match_digest": "^(SET|TRUNCATE|UPDATE fx)", "log": True},
    )
    async with Router.open(source, observers=[listener]) as router:
        await prepare(router, cluster)

        async def streamed(text: str) -> None:
            async with router.stream(text) as rows:
                assert [row async for row in rows] == []

        async def pinned(text: str) -> None:
            async with router.connection() as conn:
                await conn.execute(text)

        async def batched(text: str) -> None:
            await router.batch([text])

        async def many(text: str) -> None:
            await router.executemany(text, [()])

        primary = cluster.primary.endpoint
        for way in (router.execute, pinned, batched, many, streamed):
            for text, outcome, node in (
                ("SET x = 1", "ok", "rule"),
                ("TRUNCATE fx", "StatementRejectedError", None),
                ("UPDATE fx SET v = 'u' WHERE id = 99", "ok", primary),
            ):
                if way is streamed and text.startswith("UPDATE"):
                    continue  # A cursor over no rows is not for every server.
                before = len(listener.of(QueryLogged))
                if outcome == "ok":
                    await way(text)
                else:
                    with pytest.raises(StatementRejectedError):
                        await way(text)
                told = [(event.outcome, event.node, event.hostgroup) for event in listener.of(QueryLogged)[before:]]
                assert told == [(outcome, node, "write")], (way, text)


# ---- the router's own statements


@pytest.mark.parametrize("effect", [{"error_msg": "not on the list"}, {"OK_msg": "fine"}, {"delay": "1h"}])
async def test_rules_are_for_callers_and_not_for_what_the_router_asks(cluster: LocalCluster, effect: dict[str, Any]) -> None:
    """Where only listed statements may pass, or all are answered or held up, the catalog of functions is read all the same."""
    body = "RETURN 1" if not dialect(cluster).postgresql else "LANGUAGE sql STABLE AS 'SELECT 1'"
    declared = "" if dialect(cluster).postgresql else "READS SQL DATA "
    source = rules(cluster, {"kind": "SELECT", "log": True, **effect}, functions="introspect")
    listener = Listener()
    async with Router.open(source, observers=[listener]) as router:
        await prepare(
            router,
            cluster,
            *writing_function(cluster),
            "DROP FUNCTION IF EXISTS calm" + ("()" if dialect(cluster).postgresql else ""),
            f"CREATE FUNCTION calm() RETURNS int {declared}{body}",
        )
        await until(lambda: router.explain("SELECT calm()").intent == "read", what="the catalog")

        assert router.explain("SELECT bump()").intent == "write"
        assert not router.stats().databases[0].rule_hits and not listener.of(QueryLogged)


async def test_what_is_known_of_functions_does_not_come_from_the_result_cache(pg: LocalCluster) -> None:
    """Nor is it mirrored: the catalog is asked itself, each time."""
    source = rules(pg, {"match_digest": "^SELECT", "cache_ttl": "10m", "cache_volatile": True, "mirror_hostgroup": "read"})
    calm = "CREATE OR REPLACE FUNCTION calm() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'"
    async with Router.open(source) as router:
        await prepare(router, pg, "DROP FUNCTION IF EXISTS calm()", calm)
        await router.fetch("SELECT calm()")
        await until(lambda: router._planner.catalog.harmless(["calm"]), what="the answer of the catalog")
        await until(lambda: router.stats().mirror.sent == 1, what="the copy of the call")

        assert router.stats().cache.entries == 1 and router.stats().databases[0].rule_hits == {1: 1}
