"""What functions do: learned, read from the catalog, or declared; on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dbrouter import Router
from dbrouter.events import CatalogUnreadable
from dbrouter.router import learned
from dbrouter.testing import LocalCluster
from tests.routers import dialect, until, whole
from tests.watching import Listener

PG = (
    "DROP TABLE IF EXISTS fn",
    "CREATE TABLE fn(id int)",
    "CREATE OR REPLACE FUNCTION fn_write() RETURNS int LANGUAGE sql AS 'INSERT INTO fn VALUES (1) RETURNING 1'",
    "CREATE OR REPLACE FUNCTION fn_read() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM fn'",
)
MY = (
    "DROP TABLE IF EXISTS fn",
    "CREATE TABLE fn(id int)",
    "DROP FUNCTION IF EXISTS fn_write",
    "DROP FUNCTION IF EXISTS fn_read",
    "CREATE FUNCTION fn_write() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO fn VALUES (1); RETURN 1; END",
    "CREATE FUNCTION fn_read() RETURNS int READS SQL DATA RETURN (SELECT count(*) FROM fn)",
)


async def prepare(cluster: LocalCluster) -> None:
    """The table and the functions, before the router under test opens."""
    async with Router.open(whole(cluster, start="all")) as router, router.connection() as conn:
        for statement in PG if dialect(cluster).postgresql else MY:
            await conn.execute(statement)
    await asyncio.to_thread(cluster.wait_caught_up)


async def test_the_catalog_says_what_functions_may_do(cluster: LocalCluster) -> None:
    """introspect: what may write goes to the primary at the first call, what only reads to a replica, without a reset."""
    await prepare(cluster)
    async with Router.open(whole(cluster, functions="introspect", start="all")) as router:
        written = await router.execute("SELECT fn_write()")
        await asyncio.to_thread(cluster.wait_caught_up)
        read = await router.execute("SELECT fn_read()")

        assert (written.route.hostgroup, written.route.attempts) == ("write", 1)
        assert read.route.hostgroup == "read" and read[0][0] == 1
        explained = router.explain("SELECT fn_write()")
        assert explained.intent == "write" and "fn_write" in explained.why
        assert router.explain("SELECT nobody_knows()").intent == "read", "the server will say that there is none"
        assert router.stats().databases[0].learned_writes == 0


async def test_a_schema_change_is_noticed(cluster: LocalCluster) -> None:
    """A function that is redefined through the router, pooled or pinned, is read again."""
    await prepare(cluster)
    postgresql = dialect(cluster).postgresql
    async with Router.open(whole(cluster, functions="introspect", start="all")) as router:
        assert router.explain("SELECT fn_read()").intent == "read"
        await router.execute(
            "ALTER FUNCTION fn_read() VOLATILE" if postgresql else "ALTER FUNCTION fn_read MODIFIES SQL DATA", timeout=20
        )
        await until(lambda: router.explain("SELECT fn_read()").intent == "write", what="the new volatility")
        async with router.connection() as conn:
            await conn.execute("ALTER FUNCTION fn_read() STABLE" if postgresql else "ALTER FUNCTION fn_read READS SQL DATA")
        await until(lambda: router.explain("SELECT fn_read()").intent == "read", what="the old volatility")


async def test_a_catalog_that_was_never_read_is_no_licence(cluster: LocalCluster) -> None:
    """With every server down at the start, unknown functions count as writes until the catalog is there; it is told of once."""
    await prepare(cluster)
    for server in cluster.servers:
        await asyncio.to_thread(server.kill)
    listener = Listener()
    source = whole(cluster, functions="introspect", start="none", timeouts={"connect": "1s"})
    async with Router.open(source, observers=[listener]) as router:
        assert router.explain("SELECT fn_read()").intent == "write"
        (unreadable,) = listener.of(CatalogUnreadable)
        assert not unreadable.known and unreadable.cause
        for server in cluster.servers:
            await asyncio.to_thread(server.start)
        await until(lambda: router.explain("SELECT fn_read()").intent == "read", 40, "the catalog")
        assert len(listener.of(CatalogUnreadable)) == 1


async def test_lists_are_nearer_than_the_policy(cluster: LocalCluster) -> None:
    """write_functions over read_functions over learn, introspect and primary; wildcards and schemas."""
    await prepare(cluster)
    lists = {"read_functions": ["fn_*", "geo.dist?"], "write_functions": ["fn_write", "app.touch"]}
    for policy in ("learn", "introspect", "primary"):
        async with Router.open(whole(cluster, functions=policy, start="all", **lists)) as router:

            def intent(call: str, router: Router = router) -> str:
                return router.explain(f"SELECT {call}").intent

            assert intent("fn_read()") == "read" and intent("fn_write()") == "write"
            assert intent("geo.dist1(1)") == "read" and intent("app.touch(1)") == "write"
            assert intent("geo.distance(1)") == ("write" if policy == "primary" else "read")
            assert intent("fn_read(), fn_write()") == "write"
            assert (await router.execute("SELECT fn_read()")).route.hostgroup == "read"


PG_ROUTINES = (
    "DROP SCHEMA IF EXISTS fns CASCADE",
    "CREATE SCHEMA fns",
    "CREATE TABLE fns.t(id int)",
    "CREATE FUNCTION fns.twice(int) RETURNS int LANGUAGE sql AS 'INSERT INTO fns.t VALUES (1) RETURNING 1'",
    "CREATE FUNCTION fns.twice(text) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'",
    "CREATE FUNCTION fns.folded() RETURNS int LANGUAGE sql AS 'INSERT INTO fns.t VALUES (1) RETURNING 1'",
    """CREATE FUNCTION fns."Folded"() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'""",
    "CREATE FUNCTION fns.calm() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1'",
    "CREATE FUNCTION fns.log(text) RETURNS int LANGUAGE sql AS 'INSERT INTO fns.t VALUES (1) RETURNING 1'",
    "CREATE FUNCTION fns.gen_random_uuid() RETURNS uuid LANGUAGE sql AS 'SELECT pg_catalog.gen_random_uuid()'",
    "CREATE FUNCTION fns.step(int, int) RETURNS int LANGUAGE sql AS 'INSERT INTO fns.t VALUES (1) RETURNING 1'",
    "CREATE AGGREGATE fns.stepping(int) (SFUNC = fns.step, STYPE = int, INITCOND = '0')",
    "CREATE AGGREGATE fns.adding(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
)


async def test_the_catalog_tells_overloads_names_and_aggregates_apart(pg: LocalCluster) -> None:
    """introspect: one overload that may write is enough, whichever spelling, schema, database or built-in name it goes by."""
    async with Router.open(whole(pg, start="all")) as router, router.connection() as conn:
        for statement in PG_ROUTINES:
            await conn.execute(statement)
        shop = await conn.fetchval("SELECT current_database()")
    await asyncio.to_thread(pg.wait_caught_up)
    writes = [
        *("fns.twice('x')", "twice(1)", "fns.folded()", 'fns."Folded"()', f"{shop}.fns.twice(1)", "log('an event')"),
        *("fns.log('x')", "fns.gen_random_uuid()", "fns.stepping(1)", "calm() + twice(1)"),
    ]
    reads = ["fns.calm()", f"{shop}.fns.calm()", "gen_random_uuid()", "fns.adding(1)", "lower('x')"]
    async with Router.open(whole(pg, functions="introspect", start="all")) as router:
        assert {call: router.explain(f"SELECT {call}").intent for call in writes} == dict.fromkeys(writes, "write")
        assert {call: router.explain(f"SELECT {call}").intent for call in reads} == dict.fromkeys(reads, "read")


async def test_a_list_may_name_what_the_server_has_too(cluster: LocalCluster) -> None:
    """A name that is written out in write_functions counts where a built-in function has it; a wildcard does not."""
    async with Router.open(whole(cluster, write_functions=["log", "r*", "fns.touch"], start="all")) as router:
        assert router.explain("SELECT log('an event')").intent == "write"
        assert router.explain("SELECT LOG (2)").intent == "write"
        assert router.explain("SELECT round(2.5), log FROM t").intent == "read"
        assert router.explain("SELECT shop.fns.touch()").intent == "write"


def redefined(postgresql: bool, *, writes: bool) -> list[str]:
    """What makes `fn_write` write, or only read."""
    if postgresql:
        body = "INSERT INTO fn VALUES (1) RETURNING 1" if writes else "SELECT 1"
        return [f"CREATE OR REPLACE FUNCTION fn_write() RETURNS int LANGUAGE sql AS '{body}'"]
    body = "MODIFIES SQL DATA BEGIN INSERT INTO fn VALUES (1); RETURN 1; END" if writes else "NO SQL RETURN 1"
    return ["DROP FUNCTION fn_write", f"CREATE FUNCTION fn_write() RETURNS int {body}"]


@pytest.mark.parametrize("pinned", [False, True])
async def test_what_was_learned_is_forgotten_when_functions_change(cluster: LocalCluster, pinned: bool) -> None:
    """learn: a function that is redefined through the router, pooled or pinned, is tried on a replica again."""
    await prepare(cluster)
    postgresql = dialect(cluster).postgresql
    async with Router.open(whole(cluster, start="all")) as router:
        assert (await router.execute("SELECT fn_write()")).route.hostgroup == "write"
        assert router.explain("SELECT fn_write()").intent == "write"
        for table in ("CREATE TABLE fn_other(id int)", "DROP TABLE fn_other"):
            await router.execute(table)
        assert router.explain("SELECT fn_write()").intent == "write", "a table is no function"

        for statement in redefined(postgresql, writes=False):
            if pinned:
                async with router.connection() as conn:
                    await conn.execute(statement)
            else:
                await router.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)

        assert router.explain("SELECT fn_write()").intent == "read"
        assert (await router.execute("SELECT fn_write()")).route.hostgroup == "read"
        for statement in redefined(postgresql, writes=True):
            await router.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)
        assert (await router.execute("SELECT fn_write()")).route.hostgroup == "write", "and learned again"


async def test_a_listed_write_is_one_however_it_is_called(cluster: LocalCluster) -> None:
    """write_functions with a schema holds for calls that leave the schema to the session; a name of wildcards alone does not."""
    lists = {"write_functions": ["app.touch", "audit.log_*", "geo.*"]}
    async with Router.open(whole(cluster, start="all", **lists)) as router:
        found = {
            call: router.explain(f"SELECT {call}").intent
            for call in ("app.touch(1)", "touch(1)", "log_it(1)", "geo.near(1)", "near(1)", "other.touch(1)", "other.log_it(1)")
        }

    assert found == {
        **dict.fromkeys(("app.touch(1)", "touch(1)", "log_it(1)", "geo.near(1)"), "write"),
        **dict.fromkeys(("near(1)", "other.touch(1)", "other.log_it(1)"), "read"),
    }


SWALLOWS = (
    "DROP TABLE IF EXISTS swallowed CASCADE",
    "CREATE TABLE swallowed(id int)",
    """CREATE OR REPLACE FUNCTION fn_swallow() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
        BEGIN INSERT INTO swallowed VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN 1;
    END $$""",
)


@pytest.mark.parametrize("known", [{"functions": "introspect"}, {"functions": "primary"}, {"write_functions": ["fn_swallow"]}])
async def test_a_function_that_swallows_the_refusal_writes_where_it_is_known(pg: LocalCluster, known: dict[str, Any]) -> None:
    """No replica can tell that such a function wrote, so `learn` alone loses the write; the catalog, or a list, does not."""
    async with Router.open(whole(pg, start="all")) as router, router.connection() as conn:
        for statement in SWALLOWS:
            await conn.execute(statement)
    await asyncio.to_thread(pg.wait_caught_up)
    async with Router.open(whole(pg, start="all", **known)) as router:
        assert (await router.execute("SELECT fn_swallow()")).route.hostgroup == "write"
        assert await router.fetchval("SELECT count(*) FROM swallowed", route="write") == 1


async def test_what_was_learned_is_forgotten_after_a_while(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """learn: a change that somebody else makes is found out, because nothing is believed for ever."""
    monkeypatch.setattr(learned, "BELIEVED_SECONDS", 0.3)
    monkeypatch.setattr(learned, "ROUND_SECONDS", 0.05)
    await prepare(cluster)
    async with Router.open(whole(cluster, start="all")) as router, Router.open(whole(cluster, start="all")) as other:
        assert (await router.execute("SELECT fn_write()")).route.hostgroup == "write"
        for statement in redefined(dialect(cluster).postgresql, writes=False):
            await other.execute(statement)
        await asyncio.to_thread(cluster.wait_caught_up)

        await until(lambda: router.explain("SELECT fn_write()").intent == "read", what="it to be forgotten")
        assert (await router.execute("SELECT fn_write()")).route.hostgroup == "read"
