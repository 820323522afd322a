"""
How replies of MySQL and MariaDB are read by way of asyncmy's buffer and by asyncmy itself: of any size, cut anywhere, left at any
moment; on both event loops, plain on both servers, encrypted on MySQL (our MariaDB clusters offer no TLS).
"""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from asyncmy.cursors import SSCursor

from dbrouter.drivers import asyncmy as asyncmy_module
from dbrouter.drivers import mysql_exchange, mysql_indirect
from dbrouter.drivers.asyncmy import AsyncmyConnection, AsyncmyDriver, IndirectConnection, UncompiledConnection
from dbrouter.drivers.base import ConnectOptions, TlsOptions
from dbrouter.errors import ConfigError
from dbrouter.terms import Outcome, Phase
from dbrouter.testing import FaultProxy, LocalCluster, LocalServer, ServerKind
from tests.contract.subjects import options_for, value
from tests.stepping import CancelledAt, When, outcome
from tests.watching import until

pytestmark = [pytest.mark.servers, pytest.mark.both_loops]

DIGITS = "(" + " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10)) + ")"
SEVERAL = "BEGIN SELECT 1 AS a; SELECT 2 AS b, REPEAT('b', 300) AS c; DO 0; END"
WHOLE = 0xFFFFFF
"""Bytes of the longest packet; a row of so many or more is continued in the next one."""


@dataclass(frozen=True)
class Wire:
    """A server, and whether the connections to it are encrypted."""

    server: LocalServer
    encrypted: bool

    def options(self, proxy: FaultProxy | None = None, **changes: Any) -> ConnectOptions:
        """How to reach it, directly or through *proxy*."""
        there = {} if proxy is None else {"host": proxy.host, "port": proxy.port}
        tls = TlsOptions(mode="require" if self.encrypted else "disable")
        return options_for(self.server, tls=tls, **there, **changes)

    def proxy(self) -> FaultProxy:
        """A proxy before the server."""
        return FaultProxy(self.server.host, self.server.port, rng=random.Random(7))


WIRES = [(ServerKind.MARIADB_10_11, False), (ServerKind.MYSQL_9_7, False), (ServerKind.MYSQL_9_7, True)]


@pytest.fixture(scope="module", params=WIRES, ids=["mariadb", "mysql", "mysql-tls"])
def wire(request: pytest.FixtureRequest, clusters: Callable[[ServerKind], LocalCluster]) -> Wire:
    """Every server, plain and encrypted where it offers that, that takes and sends packets of up to 64 MB."""
    kind, encrypted = request.param
    server = clusters(kind).primary
    server.query("SET GLOBAL max_allowed_packet = 67108864")
    return Wire(server, encrypted)


EITHER = ["ours", "asyncmys"]


@pytest.fixture(params=["ours"])
def driver(request: pytest.FixtureRequest) -> AsyncmyDriver:
    """Our reading of asyncmy's buffer, and where a test says so asyncmy's own."""
    return AsyncmyDriver(direct=request.param == "ours")


@pytest.fixture
async def connection(driver: AsyncmyDriver, wire: Wire) -> AsyncIterator[Any]:
    """A connection of the ordinary user."""
    opened = await driver.connect(wire.options())
    yield opened
    await opened.close()


def rows_of(power: int, size: int = 100) -> str:
    """A statement that yields ten to the *power* rows of about *size* bytes."""
    return f"SELECT REPEAT('x', {size}) AS v FROM " + " CROSS JOIN ".join(f"{DIGITS} t{number}" for number in range(power))


async def several(connection: Any) -> None:
    """Make the procedure ``several``, which answers with three results."""
    await connection.send("DROP PROCEDURE IF EXISTS several", ())
    await connection.send(f"CREATE PROCEDURE several() {SEVERAL}", ())


def buffered(connection: Any) -> int:
    """Bytes that have come and that nobody has taken."""
    protocol = connection.raw._proto
    return int(protocol.length - protocol.pos)


# --- whole replies ------------------------------------------------------------------------------------------------------


async def test_replies_of_every_size(connection: Any) -> None:
    """One byte or forty million, in one packet or several: the value comes whole, and nothing of it is left."""
    sizes = [0, 1, 250, 251, *range(1990, 2052, 3), 65_535, 65_536, *range(262_080, 262_150, 13), 1 << 20, 3_000_000]
    sizes += [WHOLE - 5, WHOLE - 4, WHOLE - 3, WHOLE, WHOLE + 1, 40_000_000]

    for size in sizes:
        assert await value(connection, "SELECT REPEAT('x', %s)", size) == "x" * size, size
        assert buffered(connection) == 0
    assert await value(connection, "SELECT 7") == 7


async def test_a_large_reply_leaves_no_large_buffer(connection: Any) -> None:
    """What a connection holds for as long as it is idle, or has short replies, does not depend on its largest one."""
    assert len(await value(connection, "SELECT REPEAT('x', 20000000)")) == 20_000_000

    assert len(connection.raw._proto.buffer) <= 1 << 20


async def test_many_rows(connection: Any) -> None:
    """Ten thousand rows arrive in order, by a text seen before or not."""
    tables = f"{DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e"
    text = f"SELECT a.d + b.d * 10 + c.d * 100 + e.d * 1000 AS n, 'ä' AS t FROM {tables} ORDER BY n"

    for _ in range(3):
        rows, _, _ = await connection.send(text, ())
        assert [tuple(row) for row in rows] == [(number, "ä") for number in range(10_000)]


@pytest.mark.parametrize("driver", EITHER, indirect=True)
async def test_a_life(driver: AsyncmyDriver, wire: Wire) -> None:
    """Statements, errors, several results, a reset, pings and a change of character set, one after the other."""
    connection = await driver.connect(wire.options())
    await several(connection)

    for _ in range(2):
        await connection.ping()
        assert await connection.settle()
        assert [dict(row) for row in (await connection.send("CALL several()", ()))[0]] == [{"a": 1}]
        with pytest.raises(Exception) as caught:
            await connection.send("SELECT nope", ())
        assert caught.value.args[0] == 1054
        await connection.send("SET @mine = 5", ())
        assert await connection.reset()
        assert await value(connection, "SELECT @mine") is None
        assert (await connection.send("SHOW SESSION STATUS LIKE 'Compression'", ()))[0][0][1] == "OFF"
    assert connection.check()
    await connection.close()


# --- cut into pieces ----------------------------------------------------------------------------------------------------


async def test_replies_that_dribble(driver: AsyncmyDriver, wire: Wire) -> None:
    """Byte by byte, and in slices of any size: every kind of reply is what it is in one piece."""
    async with wire.proxy() as proxy:
        connection = await driver.connect(wire.options(proxy))
        await several(connection)

        for slices, size in [((1, 1), 10), ((1, 7), 300), ((1, 3000), 300_000), ((1, 100_000), WHOLE + 9)]:
            proxy.slow_slices(slices, direction="to_client")
            for _ in range(2):
                assert await value(connection, "SELECT REPEAT('x', %s)", size) == "x" * size
            assert [dict(row) for row in (await connection.send("CALL several()", ()))[0]] == [{"a": 1}]
            with pytest.raises(Exception) as caught:
                await connection.send("SELECT nope", ())
            assert caught.value.args[0] == 1054
            await connection.ping()
            cursor = await connection.cursor(f"SELECT d FROM {DIGITS} q", ())
            assert [row["d"] for row in await cursor.fetch(100)] == list(range(10))
            await cursor.close()
            assert buffered(connection) == 0
        await connection.close()


@pytest.mark.parametrize("driver", EITHER, indirect=True)
@pytest.mark.parametrize("by_reset", [True, False], ids=["reset", "end"])
async def test_replies_cut_off_at_every_byte(driver: AsyncmyDriver, wire: Wire, by_reset: bool) -> None:
    """The server's side ends after so many bytes: an unknown outcome and a closed connection, never rows and never a wait."""
    cut, step = 0, 23 if wire.encrypted else 3
    async with wire.proxy() as proxy:
        while True:
            proxy.heal()
            connection = await driver.connect(wire.options(proxy))
            proxy.cut_after(cut, reset=by_reset)
            try:
                async with asyncio.timeout(5):
                    rows, _, _ = await connection.send("SELECT 'abc' AS a, 5 AS b UNION SELECT 'de', 6", ())
            except Exception as error:
                assert error.args[0] == 2013 and error.__cause__ is not None
                assert driver.verdict(error, Phase.EXECUTE, flavor=connection.flavor).outcome is Outcome.AMBIGUOUS
                assert connection.closed and not connection.check()
            else:
                assert [tuple(row) for row in rows] == [("abc", 5), ("de", 6)]
                break
            finally:
                connection.terminate()
            cut += step

    assert cut > 60


@pytest.mark.parametrize("driver", EITHER, indirect=True)
async def test_a_large_reply_cut_off(driver: AsyncmyDriver, wire: Wire) -> None:
    """In the middle of a packet of 16 MB, between two of them, and in a stream."""
    async with wire.proxy() as proxy:
        for streamed, cut in [(False, 5_000_000), (False, WHOLE + 300), (True, 200_000)]:
            proxy.heal()
            connection = await driver.connect(wire.options(proxy))
            proxy.cut_after(cut, reset=False)
            with pytest.raises(Exception) as caught:
                async with asyncio.timeout(5):
                    if streamed:
                        cursor = await connection.cursor(rows_of(5), ())
                        while await cursor.fetch(100):
                            pass
                    else:
                        await connection.send("SELECT REPEAT('x', 20000000)", ())
            assert caught.value.args[0] == 2013
            assert connection.closed


# --- left before the end ------------------------------------------------------------------------------------------------

Operation = Callable[[Any], Awaitable[Any]]


async def _stream(connection: Any) -> None:
    cursor = await connection.cursor(rows_of(3), ())
    await cursor.fetch(10)
    await cursor.close()


OPERATIONS: dict[str, Operation] = {
    "short": lambda connection: connection.send("SELECT 1 AS n", ()),
    "long": lambda connection: connection.send("SELECT REPEAT('x', 3000000)", ()),
    "several": lambda connection: connection.send("CALL several()", ()),
    "ping": lambda connection: connection.ping(),
    "reset": lambda connection: connection.reset(),
    "stream": _stream,
}


@pytest.mark.parametrize("driver", EITHER, indirect=True)
@pytest.mark.parametrize("when", ["at", "after"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_cancelled_as_the_answer_comes(
    driver: AsyncmyDriver, wire: Wire, operation: Operation, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each wait, and in the tick in which what was waited for has come: closed, or usable with its own answers."""
    for module in (mysql_exchange, mysql_indirect):
        # A stream that is not drained in time is closed and killed, cancelled or not.
        monkeypatch.setattr(module, "DRAIN_SECONDS", 10.0)
    first = await driver.connect(wire.options())
    await several(first)
    await first.close()
    for k in range(4):
        connection: Any = await driver.connect(wire.options())
        # A text whose reply is known is read by the short way.
        assert await value(connection, "SELECT 1 AS n") == 1
        finished = await outcome(CancelledAt(operation(connection), k, when))
        if not connection.closed:
            assert await value(connection, "SELECT %s", f"own {k}") == f"own {k}"
        elif (kill := connection.abandon()) is not None:
            assert not finished
            await kill()
        connection.terminate()
        if finished:
            break


async def test_killed_in_the_middle_of_a_reply(driver: AsyncmyDriver, wire: Wire) -> None:
    """A KILL while rows are on their way ends the statement with an error and the connection with it."""
    watcher = await driver.connect(wire.options())
    connection = await driver.connect(wire.options())
    cursor = await connection.cursor(rows_of(7), ())
    assert len(await cursor.fetch(10)) == 10

    await watcher.send(f"KILL {connection.server_id}", ())
    with pytest.raises(Exception):  # noqa: B017 - the server's 1317 or 1927, or the end of the connection
        async with asyncio.timeout(10):
            while await cursor.fetch(10_000):
                pass

    await cursor.close()
    await until(lambda: not connection.check(), what="the end has been seen")
    connection.terminate()
    await watcher.close()


# --- what is held, and who else reads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", EITHER, indirect=True)
async def test_a_slow_consumer_holds_little(connection: Any) -> None:
    """The server waits for the one who fetches: what is read ahead is bounded, on uvloop by what it reads in one turn."""
    cursor = await connection.cursor(rows_of(6), ())
    most = 0
    for _ in range(15):
        assert len(await cursor.fetch(200)) == 200
        for _ in range(5):
            await asyncio.sleep(0.001)
            most = max(most, buffered(connection), len(connection.raw._proto.buffer))
    await cursor.close()

    assert most < (3_000_000 if isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop) else 40_000_000)
    assert connection.closed


@pytest.mark.parametrize("before", ["nothing", "long", "several", "error", "stream", "reset"])
async def test_raw_finds_every_byte(connection: Any, before: str) -> None:
    """After whatever we did, asyncmy's own cursors, buffered and not, work on the connection, and we do after them."""
    await several(connection)
    if before == "error":
        with pytest.raises(Exception, match="nope"):
            await connection.send("SELECT nope", ())
    elif before != "nothing":
        await OPERATIONS[before](connection)

    async with asyncio.timeout(10):
        for _ in range(2):
            async with connection.raw.cursor() as plain:
                await plain.execute("SELECT %s, REPEAT('y', 400000)", ("two",))
                assert await plain.fetchall() == (("two", "y" * 400_000),)
            async with connection.raw.cursor(SSCursor) as unbuffered:
                await unbuffered.execute(rows_of(4))
                assert len(await unbuffered.fetchmany(10)) == 10
                assert len(await unbuffered.fetchall()) == 9_990
            await connection.raw.ping(reconnect=False)
            assert await value(connection, "SELECT 7") == 7
            assert await value(connection, "SELECT REPEAT('x', 300000)") == "x" * 300_000
    assert buffered(connection) == 0


# --- other versions of asyncmy ------------------------------------------------------------------------------------------


def _with_more_arguments(*_: Any, more: Any) -> Any:
    """A row parser as no version has it."""


@pytest.mark.parametrize("parser", [None, _with_more_arguments, lambda *_: (6, 8)])
async def test_another_row_parser(wire: Wire, monkeypatch: pytest.MonkeyPatch, parser: Any) -> None:
    """Where asyncmy has no row parser, or one with other manners, ours makes the rows."""
    monkeypatch.setattr(asyncmy_module, "parse_rows_from_buffer", parser)

    connection = await AsyncmyDriver().connect(wire.options())

    assert type(connection) is UncompiledConnection
    for _ in range(2):
        rows, _, _ = await connection.send("SELECT 1, 'ä', NULL, 2.5, DATE '2026-02-28' AS d, X'00ff' AS b", ())
        assert list(rows[0]) == [1, "ä", None, Decimal("2.5"), datetime.date(2026, 2, 28), b"\x00\xff"]
        assert type(rows[0]["b"]) is bytes
    assert len(await value(connection, "SELECT REPEAT('x', 300000)")) == 300_000
    await connection.close()


async def test_another_buffer(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where asyncmy's protocol is not the one that we know, asyncmy itself reads."""
    known = await AsyncmyDriver().connect(wire.options())
    monkeypatch.setattr(asyncmy_module, "is_readable", lambda _: False)

    connection = await AsyncmyDriver().connect(wire.options())

    assert type(known) is AsyncmyConnection and type(connection) is IndirectConnection
    assert await value(connection, "SELECT %s", "ä") == "ä"
    await connection.close()
    await known.close()


async def test_an_asyncmy_that_cannot_be_used(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what we need to connect: an error that names it, and the versions that have it."""
    with monkeypatch.context() as patched:
        patched.setattr(asyncmy_module, "_CONNECTING", ("_transport", "_gone", "_lost"))
        with pytest.raises(ConfigError, match=r"has no _gone, _lost\); 0\.2\.17 and 0\.2\.18 are"):
            await AsyncmyDriver().connect(wire.options())
    with monkeypatch.context() as patched:
        patched.setattr(asyncmy_module, "not_found", "cannot import name '_MySQLProtocol'")
        with pytest.raises(ConfigError, match=r"_MySQLProtocol.*0\.2\.17 and 0\.2\.18 are"):
            AsyncmyDriver()
