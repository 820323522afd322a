"""Bad input: a clear error of ours or the server's own, nothing lost, nothing hangs, and the same router works on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter import ConfigError, ParameterError, PoolClosedError, Router, StatementRejectedError
from dbrouter.testing import LocalCluster
from tests.routers import Dialect, configuration, dialect, enter, routed

TABLE = ("DROP TABLE IF EXISTS fed", "CREATE TABLE fed(id int PRIMARY KEY, body text)")

Feed = Callable[[Router, Dialect], Awaitable[Any]]

BAD: dict[str, tuple[Feed, str]] = {
    # name → what is fed, and what the error says
    "syntax": (lambda router, speak: router.execute("SELEC 1"), r"(?i)syntax"),
    "unknown table": (lambda router, speak: router.execute("SELECT * FROM nowhere"), r"nowhere"),
    "too few parameters": (
        lambda router, speak: router.execute(speak.sql("SELECT {1}, {2}"), 1),
        r"(?i)argument|parameter|placeholder",
    ),
    "too many parameters": (
        lambda router, speak: router.execute(speak.sql("SELECT {1}"), 1, 2),
        r"(?i)argument|parameter|placeholder",
    ),
    "unknown name": (lambda router, speak: router.execute("SELECT :idd", {"id": 1}), r"idd"),
    "one name too many": (lambda router, speak: router.execute("SELECT :id", {"id": 1, "more": 2}), r"more"),
    "positional for names": (lambda router, speak: router.execute("SELECT :id", 1), r"mapping"),
    "not a text": (lambda router, speak: router.execute(b"SELECT 1"), r"bytes"),  # type: ignore[arg-type]  # what is tested
    "no statement": (lambda router, speak: router.execute("-- nothing"), r"no statement"),
    "unknown hostgroup": (lambda router, speak: router.execute("SELECT 1", hostgroup="nowhere"), r"app-write"),
    "unknown route": (lambda router, speak: router.execute("SELECT 1", route="up"), r"'read' or 'write'"),
    "nonsense isolation": (lambda router, speak: enter(router.transaction(isolation="chaos")), r"serializable"),
    "batch of nothing sensible": (lambda router, speak: router.batch([("SELEC 1", ())]), r"(?i)syntax"),
    "executemany of wrong rows": (
        lambda router, speak: router.executemany(speak.sql("INSERT INTO fed VALUES ({1}, {2})"), [(1, "a"), (2,)]),
        r"(?i)argument|parameter|placeholder",
    ),
    "a stream of nothing": (lambda router, speak: enter(router.stream("SELECT * FROM nowhere")), r"nowhere"),
    "a constraint": (
        lambda router, speak: router.batch(["INSERT INTO fed VALUES (1, 'a')", "INSERT INTO fed VALUES (1, 'b')"]),
        r"(?i)duplicate",
    ),
}


async def works(router: Router, speak: Dialect) -> None:
    """The router is as good as new."""
    for route in ("read", "write"):
        text = speak.sql("SELECT {1}" + ("::int" if speak.postgresql else ""))
        assert [await router.fetchval(text, number, route=route) for number in range(3)] == [0, 1, 2]
    assert all(member.pool.in_use == member.pool.waiting == 0 for member in router.stats().members)
    assert router.health().ready("all")


@pytest.mark.parametrize("what", list(BAD))
async def test_a_clear_error_and_the_router_works_on(cluster: LocalCluster, what: str) -> None:
    """Every kind of mistake names what was wrong; nothing of it is left in the table."""
    feed, message = BAD[what]
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        with pytest.raises(Exception, match=message):
            await feed(router, speak)

        await works(router, speak)
        assert await router.fetchval("SELECT count(*) FROM fed", route="write") == 0


async def test_statements_that_cannot_be_sent_this_way(cluster: LocalCluster) -> None:
    """COPY and several statements point to what to use instead."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        if speak.postgresql:
            with pytest.raises(StatementRejectedError, match=r"connection\(\)"):
                await router.execute("COPY fed FROM STDIN")
            with pytest.raises(StatementRejectedError, match="batch"):
                await router.execute("INSERT INTO fed VALUES ($1, 'a'); SELECT 1", 1)
            assert (await router.execute("INSERT INTO fed VALUES (1, 'a'); DELETE FROM fed")).status == "DELETE 1"
        else:
            with pytest.raises(StatementRejectedError, match="batch"):
                await router.execute("INSERT INTO fed VALUES (1, 'a'); DELETE FROM fed")

        await works(router, speak)


async def test_ten_megabytes_of_text(cluster: LocalCluster) -> None:
    """A literal of 10 MB goes through, or the server says that it is too large; either way the router works on."""
    speak = dialect(cluster)
    big = "x" * (10 * 1024 * 1024)
    async with routed(cluster, *TABLE) as router:
        try:
            assert await router.fetchval(f"SELECT length('{big}')", timeout=60) == len(big)
        except Exception as error:
            assert "packet" in str(error).lower()
        try:
            assert await router.fetchval(speak.sql("SELECT length({1})"), big, timeout=60) == len(big)
        except Exception as error:
            assert "packet" in str(error).lower()

        await works(router, speak)


@pytest.mark.parametrize("text", ["SELECT '\0'", "SELECT 1 -- \0", "SELECT '\ud800'", "\0", "SELECT '\U0001f418'"])
async def test_odd_characters(cluster: LocalCluster, text: str) -> None:
    """NUL bytes, lone surrogates and astral characters in the text or in a parameter: an answer or an error, never a hang."""
    speak = dialect(cluster)
    async with routed(cluster, *TABLE) as router:
        for call in (
            lambda: router.execute(text, timeout=5),
            lambda: router.execute(speak.sql("SELECT {1}" + ("::text" if speak.postgresql else "")), text, timeout=5),
        ):
            try:
                await call()
            except TimeoutError:
                raise
            except Exception as error:
                assert str(error)

        await works(router, speak)


async def test_a_wrong_type_is_the_drivers_own_error(pg: LocalCluster) -> None:
    """asyncpg refuses a text where the server wants a number; nothing was sent and nothing is retried."""
    async with routed(pg, *TABLE) as router:
        with pytest.raises(Exception, match="integer"):
            await router.execute("SELECT * FROM fed WHERE id = $1", "not a number")

        assert all(group.retries == 0 for group in router.stats().hostgroups)
        await works(router, dialect(pg))


async def test_after_the_end(cluster: LocalCluster) -> None:
    """Calls on a closed router, and on blocks that were left, say so."""
    async with routed(cluster) as router:
        async with router.transaction() as tx:
            pass
        async with router.connection() as conn:
            pass
        for late in (tx, conn):
            with pytest.raises(StatementRejectedError, match="not open"):
                await late.fetchval("SELECT 1")
    with pytest.raises(PoolClosedError, match="clos"):
        await router.execute("SELECT 1")
    with pytest.raises(PoolClosedError, match="clos"):
        async with router.transaction():
            pass


def test_another_event_loop(cluster: LocalCluster) -> None:
    """A router that is used in another loop than its own says so, instead of hanging."""

    async def open_it() -> Router:
        return await Router.open(configuration(cluster))

    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        router = first.run_until_complete(open_it())
        with pytest.raises(PoolClosedError, match="another event loop"):
            second.run_until_complete(asyncio.wait_for(router.fetchval("SELECT 1"), 5))
        with pytest.raises(PoolClosedError, match="another event loop"):
            second.run_until_complete(asyncio.wait_for(_pinned(router), 5))
        for call in (router.aclose(), router.reload(configuration(cluster, pool={"max_size": 2}))):
            with pytest.raises(PoolClosedError, match="another event loop"):
                second.run_until_complete(asyncio.wait_for(call, 5))
        assert not router.closed
        assert first.run_until_complete(router.fetchval("SELECT 2")) == 2
        first.run_until_complete(router.aclose())
    finally:
        first.close()
        second.close()


async def _pinned(router: Router) -> None:
    """Take more connections than lie idle, so that the pool itself is asked."""
    async with router.connection(), router.connection():
        pass


def test_after_a_fork(cluster: LocalCluster, tmp_path: Path) -> None:
    """A child that uses its parent's router gets a clear error, and the parent is unaffected."""
    script = tmp_path / "fork.py"
    script.write_text(
        textwrap.dedent(
            """
            import asyncio, os, sys
            from dbrouter import Router, PoolClosedError

            async def main():
                async with Router.open({"writer": sys.argv[1]}) as router:
                    assert await router.fetchval("SELECT 1") == 1
                    pid = os.fork()
                    if pid == 0:
                        code = 7
                        for call in (router.fetchval("SELECT 2"), router.aclose(), router.reload()):
                            try:
                                await call
                                code = 9
                            except PoolClosedError as error:
                                if "fork" not in str(error):
                                    code = 8
                        try:
                            asyncio.run(router.aclose())  # a loop of the child's own
                            code = 9
                        except PoolClosedError as error:
                            if "fork" not in str(error):
                                code = 8
                        os._exit(code)
                    _, status = os.waitpid(pid, 0)
                    assert await router.fetchval("SELECT 3") == 3
                    print(os.waitstatus_to_exitcode(status))

            asyncio.run(main())
            """
        ),
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), cluster.primary.dsn()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stdout.strip() == "7", ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/nowhere/dbrouter.yaml", "nowhere"),
        ({}, "writer"),
        ({"writer": "http://db1/app"}, "http"),
        ({"writer": "postgresql://db1:70000/app"}, "not a port"),
        ({"writer": "postgresql://db1/app", "reader": []}, "readers"),
        (42, "int"),
    ],
)
async def test_a_configuration_that_cannot_be(source: Any, message: str) -> None:
    """Nothing is opened; the problem is named."""
    with pytest.raises((ConfigError, TypeError), match=message):
        await Router.open(source)


async def test_parameters_do_not_become_names_by_accident(pg: LocalCluster) -> None:
    """A dict is a value where the text has no names, and a text with names refuses positions."""
    async with routed(pg) as router:
        with pytest.raises(ParameterError, match=":id"):
            await router.fetchval("SELECT :id", 5)
        assert await router.fetchval("SELECT ($1::jsonb)->>'a'", '{"a": "b"}') == "b"
