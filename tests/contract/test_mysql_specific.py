"""
What the drivers for MySQL and MariaDB promise beyond the common contract, on real servers of both, by aiomysql (our reading
and its own) and asyncmy.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiomysql
import pytest

from dbrouter.drivers import asyncmy as asyncmy_module
from dbrouter.drivers.aiomysql import AiomysqlDriver
from dbrouter.drivers.asyncmy import AsyncmyDriver
from dbrouter.drivers.base import ConnectOptions, TlsOptions
from dbrouter.drivers.rows import Row
from dbrouter.errors import ConfigError, ParameterError
from dbrouter.terms import Blame, ConnectionFate, Flavor, Outcome, Phase, RetryWhere, Role
from dbrouter.testing import FaultProxy, LocalCluster, LocalServer, ServerKind
from dbrouter.testing.server import DATABASE, PASSWORD, USER
from tests.contract.subjects import options_for, value
from tests.watching import until

pytestmark = pytest.mark.servers

Connect = Callable[..., Awaitable[Any]]

DRIVERS: dict[str, Callable[[], Any]] = {
    "aiomysql": AiomysqlDriver,
    "aiomysql-indirect": lambda: AiomysqlDriver(direct=False),
    "asyncmy": AsyncmyDriver,
    "asyncmy-indirect": lambda: AsyncmyDriver(direct=False),
}


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Any:
    """Each way of speaking to the servers."""
    return DRIVERS[request.param]()


@pytest.fixture(scope="module", params=[ServerKind.MARIADB_10_11, ServerKind.MYSQL_9_7], ids=["mariadb", "mysql"])
def both(request: pytest.FixtureRequest, clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The MariaDB cluster and the MySQL cluster in turn; no test here harms them, so they need no healing in between."""
    return clusters(request.param)


@pytest.fixture
def server(both: LocalCluster) -> LocalServer:
    """The primary."""
    return both.primary


@pytest.fixture
async def connect(driver: Any, server: LocalServer) -> AsyncIterator[Connect]:
    """Opens connections with changed options and closes them all at the end."""
    opened: list[Any] = []

    async def open_one(**changes: Any) -> Any:
        opened.append(await driver.connect(options_for(server, **changes)))
        return opened[-1]

    yield open_one
    for connection in opened:
        await connection.close()
        assert connection.closed


@pytest.fixture
async def connection(connect: Connect) -> Any:
    """One connection of the ordinary user."""
    return await connect()


@pytest.fixture
async def table(connection: Any) -> str:
    """An empty table ``t (id auto_increment, v)``."""
    await connection.send("DROP TABLE IF EXISTS t", ())
    await connection.send("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200)) ENGINE=InnoDB", ())
    return "t"


async def statements_running(watcher: Any, like: str) -> int:
    """How many of the user's statements with that text the server runs."""
    return int(
        await value(
            watcher,
            "SELECT COUNT(*) FROM information_schema.processlist WHERE INFO LIKE %s AND ID <> CONNECTION_ID()",
            f"{like}%",
        )
    )


# --- rows and replies -------------------------------------------------------------------------------------------------


KINDS = """
CREATE TABLE kinds (
  a TINYINT, b BIGINT UNSIGNED, c FLOAT, d DOUBLE, e DECIMAL(20,6), f DATE, g DATETIME(6), h TIMESTAMP NULL, i TIME(3), j YEAR,
  k CHAR(4), l VARCHAR(50), m BINARY(4), n VARBINARY(50), o BLOB, p TEXT, q LONGTEXT, r JSON, s BIT(10), u ENUM('x','y'),
  v SET('x','y'), w BOOLEAN, x POINT
) CHARSET utf8mb4
"""
KINDS_ROW = """
INSERT INTO kinds VALUES (
  -1, 18446744073709551615, 1.5, 2.25e100, -12345.678900, '2026-02-28', '2026-02-28 12:13:14.000015', '2026-02-28 12:13:14',
  '-101:02:03.5', 2026, 'ab', 'naïve – 漢字 😀', X'00ff', X'00ff27', X'deadbeef', 'text', 'long', '{"a": [1, "ä"]}',
  b'1000000001', 'y', 'x,y', 1, ST_GeomFromText('POINT(1 2)')
)
"""


async def test_values_are_those_of_the_library(connect: Connect, server: LocalServer) -> None:
    """Every type comes back as aiomysql's own cursor gives it, as rows with names."""
    connection = await connect()
    await connection.send("DROP TABLE IF EXISTS kinds", ())
    await connection.send(KINDS, ())
    await connection.send(KINDS_ROW, ())
    await connection.send("INSERT INTO kinds (a) VALUES (NULL)", ())
    query = "SELECT *, NULL, 1 + 1, 'x', 1.5, NOW() IS NOT NULL, CAST('2026-01-01' AS DATE), '0000-00-00' FROM kinds"
    plain = await aiomysql.connect(host=server.host, port=server.port, user=USER, password=PASSWORD, db=DATABASE)
    async with plain.cursor() as cursor:
        await cursor.execute(query)
        expected = await cursor.fetchall()
        names = [column[0] for column in cursor.description]
    plain.close()

    rows, _, _ = await connection.send(query, ())

    assert [tuple(row) for row in rows] == list(expected)
    assert all(isinstance(row, Row) and list(row.keys()) == names for row in rows)
    assert [type(item) for item in rows[0]] == [type(item) for item in expected[0]]


async def test_many_rows_and_large_values(connection: Any) -> None:
    """Results far larger than any buffer arrive whole, and the connection goes on."""
    text = " UNION ALL ".join("SELECT %s AS n, REPEAT('x', 50000) AS v" for _ in range(200))

    rows, _, _ = await connection.send(text, tuple(range(200)))

    assert [row["n"] for row in rows] == list(range(200))
    assert all(len(row["v"]) == 50_000 for row in rows)
    assert await value(connection, "SELECT 7") == 7


async def test_packets_of_sixteen_megabytes(connect: Connect, server: LocalServer) -> None:
    """A statement and a row of more than 16 MB travel in several packets, both ways."""
    await asyncio.to_thread(server.query, "SET GLOBAL max_allowed_packet = 67108864")
    connection = await connect()

    for size in (0xFFFFFF - 30, 0xFFFFFF + 100):
        text = "x" * size
        assert await value(connection, "SELECT %s", text) == text
    assert await value(connection, "SELECT 7") == 7


async def test_what_a_reply_says(connection: Any, table: str) -> None:
    """Status, row count and insert id of reads and writes; changed rows are counted, not matched ones."""
    for text, params, expected in [
        ("INSERT INTO t (v) VALUES (%s)", ("a",), ("INSERT 1", 1, 1)),
        ("/* note */ insert into t (v) values ('b'), ('c')", (), ("INSERT 2", 2, 2)),
        ("SELECT * FROM t", (), ("SELECT 3", 3, None)),
        ("SELECT * FROM t WHERE id > 100", (), ("SELECT 0", 0, None)),
        ("UPDATE t SET v = 'b'", (), ("UPDATE 2", 2, None)),
        ("UPDATE t SET v = 'b'", (), ("UPDATE 0", 0, None)),
        ("(SELECT 1) UNION (SELECT 2)", (), ("SELECT 2", 2, None)),
        ("DELETE FROM t WHERE id = %s", (1,), ("DELETE 1", 1, None)),
    ]:
        assert connection.describe(await connection.send(text, params)) == expected


async def test_found_rows_counts_matches(connect: Connect, connection: Any, table: str) -> None:
    """With `found_rows` an UPDATE that changes nothing still counts what it matched."""
    await connection.send("INSERT INTO t (v) VALUES ('a')", ())
    matching = await connect(found_rows=True)

    assert matching.describe(await matching.send("UPDATE t SET v = 'a'", ()))[1] == 1


async def test_a_call_with_several_results(connection: Any, table: str) -> None:
    """A procedure's first result is answered, the others leave nothing for the next statement."""
    await connection.send("DROP PROCEDURE IF EXISTS several", ())
    await connection.send(
        "CREATE PROCEDURE several() BEGIN INSERT INTO t (v) VALUES ('p'); SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c; END", ()
    )

    rows, _, _ = await connection.send("CALL several()", ())

    assert [dict(row) for row in rows] == [{"a": 1}]
    assert await value(connection, "SELECT 'mine'") == "mine"


# --- parameters ---------------------------------------------------------------------------------------------------------

VALUES = [
    0,
    -(2**62),
    True,
    None,
    1.5,
    Decimal("12.50"),
    'it\'s \\ "quoted" \0 \n \x1a % %s 漢字 😀',
    b"\x00\xff' \\",
    datetime.date(2026, 2, 28),
    datetime.datetime(2026, 2, 28, 1, 2, 3, 4),
    datetime.timedelta(hours=-30, minutes=1),
]


@pytest.mark.parametrize("sql_mode", [None, "NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES"])
async def test_parameters_come_back_as_they_were(connect: Connect, sql_mode: str | None) -> None:
    """Every value survives the way to the server and back, in both modes of escaping."""
    connection = await connect(driver_options={"sql_mode": sql_mode} if sql_mode else {})

    for item in VALUES:
        if isinstance(item, datetime.date | datetime.timedelta):
            kind = {datetime.date: "DATE", datetime.datetime: "DATETIME(6)", datetime.timedelta: "TIME"}[type(item)]
            assert await value(connection, f"SELECT CAST(%s AS {kind})", item) == item
        else:
            assert await value(connection, "SELECT %s", item) == item
    assert (await connection.send("SELECT 3 IN %s, 4 IN %s", ([1, 2, 3], (1, 2, 3))))[0] == [(1, 0)]


async def test_text_without_parameters_is_sent_as_it_is(connection: Any) -> None:
    """A percent sign needs no doubling where there are no parameters."""
    assert await value(connection, "SELECT '50%' LIKE '50%'") == 1
    assert await value(connection, "SELECT '%s'") == "%s"


async def test_wrong_parameters_send_nothing(connection: Any) -> None:
    """Parameters that do not fit raise our own error, and the connection is as it was."""
    for text, params in [("SELECT %s", (1, 2)), ("SELECT %s, %s", (1,)), ("SELECT 1", (1,)), ("SELECT %s", ({},))]:
        with pytest.raises(ParameterError):
            await connection.send(text, params)

    assert connection.check()
    assert await value(connection, "SELECT 7") == 7


async def test_several_statements_are_refused(connection: Any, table: str) -> None:
    """The protocol flag for several statements is off: the second one never runs."""
    with pytest.raises(Exception, match="syntax") as caught:
        await connection.send("SELECT 1; DROP TABLE t", ())

    assert caught.value.args[0] == 1064
    assert await value(connection, "SELECT COUNT(*) FROM t") == 0


async def test_many_parameter_sets(connection: Any, table: str) -> None:
    """An INSERT of placeholders travels many rows at a time, anything else one by one; the rows changed are summed."""
    await connection.begin()

    assert await connection.send_many("INSERT INTO t (v) VALUES (%s)", [(f"{number}%",) for number in range(3000)]) == 3000
    assert await connection.send_many("UPDATE t SET v = %s WHERE id = %s", [("x", 1), ("y", 2), ("z", 999_999)]) == 2
    assert await connection.send_many("INSERT INTO t (id, v) VALUES (%s, %s) ON DUPLICATE KEY UPDATE v = 'd'", [(1, "a")]) == 2
    with pytest.raises(ParameterError):
        await connection.send_many("INSERT INTO t (v) VALUES (%s)", [("a",), ("b", "c")])
    await connection.commit()

    assert await value(connection, "SELECT COUNT(*) FROM t") == 3000
    assert await value(connection, "SELECT v FROM t WHERE id = 3") == "2%"


# --- sessions -----------------------------------------------------------------------------------------------------------


async def test_a_new_session_is_set_up(connect: Connect) -> None:
    """Autocommit, character set, server settings and init statements are in force from the first statement on."""
    connection = await connect(
        server_settings={"time_zone": "+03:00", "max_join_size": "1000000", "sql_mode": "ANSI_QUOTES"},
        init=("SET @hello = 'it''s'", "SET @other = 5"),
    )

    row = (
        await connection.send("SELECT @@autocommit, @@character_set_client, @@time_zone, @@max_join_size, @hello, @other", ())
    )[0][0]

    assert tuple(row) == (1, "utf8mb4", "+03:00", 1_000_000, "it's", 5)
    assert "ANSI_QUOTES" in await value(connection, "SELECT @@sql_mode")


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"init": ("SELECT 1", "NOT SQL", "SELECT 2")}, 1064),
        ({"server_settings": {"no_such_variable": "1"}}, 1193),
        ({"password": "wrong"}, 1045),
        ({"database": "no_such_database"}, 1044),
    ],
)
async def test_a_set_up_that_fails(driver: Any, server: LocalServer, changes: dict[str, Any], number: int) -> None:
    """The server's own error is raised, judged as a matter of configuration, and no connection is left."""
    async with FaultProxy(server.host, server.port) as proxy:
        with pytest.raises(Exception) as caught:
            await driver.connect(options_for(server, host="127.0.0.1", port=proxy.port, **changes))

        async def gone() -> bool:
            return proxy.connections == 0

        await until(gone)

    verdict = driver.verdict(caught.value, Phase.CONNECT)
    assert caught.value.args[0] == number
    assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.CONFIG)


@pytest.mark.parametrize(
    "changes",
    [
        {"server_settings": {"time_zone = 'x', @@global.read_only": "1"}},
        {"driver_options": {"charset": "utf8mb4; DROP"}},
        {"driver_options": {"local_infile": True}},
        {"driver_options": {"chraset": "utf8mb4"}},
        {"tls": TlsOptions(mode="maybe")},
        {"tls": TlsOptions(mode="verify-ca", ca="/no/such/file.pem")},
    ],
)
async def test_options_that_cannot_be(driver: Any, server: LocalServer, changes: dict[str, Any]) -> None:
    """
    Names that are none, options that the library does not take, files that are not there: a configuration error, no
    connection.
    """
    with pytest.raises(ConfigError):
        await driver.connect(options_for(server, **changes))


async def test_a_read_only_session_stays_read_only(connect: Connect, connection: Any, table: str, driver: Any) -> None:
    """Writes are refused outside and inside a transaction; nothing that we send makes the session writable."""
    reader = await connect(read_only=True)

    for begin in (False, True):
        if begin:
            await reader.begin()
        with pytest.raises(Exception, match="READ ONLY") as caught:
            await reader.send("INSERT INTO t (v) VALUES ('no')", ())
        verdict = driver.verdict(caught.value, Phase.EXECUTE, flavor=reader.flavor)
        assert (verdict.read_only_refusal, verdict.route) == (True, RetryWhere.WRITER)
    await reader.rollback()

    assert await value(reader, "SELECT COUNT(*) FROM t") == 0


async def test_transactions(connect: Connect, connection: Any, table: str) -> None:
    """Begin, savepoints, commit and rollback do what they say, and `in_transaction` always knows."""
    other = await connect()
    await connection.begin(isolation="repeatable read")
    await connection.send("INSERT INTO t (v) VALUES ('kept')", ())
    await connection.savepoint("sp")
    await connection.send("INSERT INTO t (v) VALUES ('undone')", ())
    await connection.rollback_to_savepoint("sp")
    await connection.release_savepoint("sp")
    assert connection.in_transaction
    assert await value(other, "SELECT COUNT(*) FROM t") == 0
    await connection.commit()
    assert not connection.in_transaction
    assert await value(other, "SELECT GROUP_CONCAT(v) FROM t") == "kept"

    await connection.begin(readonly=True)
    with pytest.raises(Exception, match="READ ONLY"):
        await connection.send("INSERT INTO t (v) VALUES ('no')", ())
    assert connection.in_transaction
    await connection.rollback()
    assert not connection.in_transaction
    with pytest.raises(ParameterError):
        await connection.begin(isolation="sometimes")


async def test_isolation_levels_reach_the_server(connect: Connect, connection: Any, table: str) -> None:
    """READ COMMITTED sees what others commit meanwhile, REPEATABLE READ does not."""
    other = await connect()
    seen = {}
    for level in ("read committed", "repeatable read"):
        await connection.begin(isolation=level)
        before = await value(connection, "SELECT COUNT(*) FROM t")
        await other.send("INSERT INTO t (v) VALUES ('new')", ())
        seen[level] = await value(connection, "SELECT COUNT(*) FROM t") - before
        await connection.rollback()

    assert seen == {"read committed": 1, "repeatable read": 0}


async def test_an_implicit_commit_is_noticed(connection: Any, table: str) -> None:
    """After DDL no transaction is open, and we know it."""
    await connection.begin()
    await connection.send("INSERT INTO t (v) VALUES ('x')", ())
    await connection.send("CREATE TABLE IF NOT EXISTS other (id INT)", ())

    assert not connection.in_transaction


async def test_a_deadlock_has_rolled_back(connect: Connect, connection: Any, table: str, driver: Any) -> None:
    """The victim of a deadlock has no transaction any more, although the error reply does not say so."""
    other = await connect()
    await connection.send("INSERT INTO t (v) VALUES ('a'), ('b')", ())
    for session, number in ((connection, 1), (other, 2)):
        await session.begin()
        await session.send("UPDATE t SET v = CONCAT(v, 'x') WHERE id = %s", (number,))

    async def cross(session: Any, number: int) -> Exception | None:
        try:
            await session.send("UPDATE t SET v = CONCAT(v, 'y') WHERE id = %s", (number,))
        except Exception as error:
            assert driver.verdict(error, Phase.TRANSACTION, flavor=session.flavor).outcome is Outcome.ROLLED_BACK
            assert not session.in_transaction
            return error
        return None

    results = await asyncio.gather(cross(connection, 2), cross(other, 1))

    assert sorted(type(result) is not type(None) for result in results) == [False, True]
    await connection.rollback()
    await other.rollback()


async def test_a_lock_wait_time_out_undoes_the_statement_only(connect: Connect, connection: Any, table: str, driver: Any) -> None:
    """After 1205 the transaction is still open with what it did before."""
    other = await connect(server_settings={"innodb_lock_wait_timeout": "1"})
    await connection.send("INSERT INTO t (v) VALUES ('a'), ('b')", ())
    await connection.begin()
    await connection.send("UPDATE t SET v = 'mine' WHERE id = 1", ())
    await other.begin()
    await other.send("UPDATE t SET v = 'theirs' WHERE id = 2", ())

    with pytest.raises(Exception, match="Lock wait") as caught:
        await other.send("UPDATE t SET v = 'theirs' WHERE id = 1", ())

    assert driver.verdict(caught.value, Phase.TRANSACTION).outcome is Outcome.NOT_APPLIED
    assert other.in_transaction
    assert await value(other, "SELECT v FROM t WHERE id = 2") == "theirs"
    await other.rollback()
    await connection.rollback()


# --- who is there -------------------------------------------------------------------------------------------------------


async def test_role_and_identity(driver: Any, both: LocalCluster) -> None:
    """A primary and its replica say what they are and that they are two servers; two connections to one server agree."""
    replies = []
    for server in (both.primary, both.primary, both.replicas[0]):
        connection = await driver.connect(options_for(server))
        replies.append(await connection.probe())
        assert connection.identity == replies[-1].identity
        assert connection.role_hint() is Role.UNKNOWN
        await connection.close()

    assert [reply.role for reply in replies] == [Role.PRIMARY, Role.PRIMARY, Role.REPLICA]
    assert replies[0].identity == replies[1].identity != replies[2].identity
    assert {reply.flavor for reply in replies} == {Flavor.MARIADB if both.kind is ServerKind.MARIADB_10_11 else Flavor.MYSQL}
    assert replies[0].server_version


async def test_passwords(driver: Any, server: LocalServer) -> None:
    """The password comes from a function, plain or async, asked with the endpoint; one beyond Latin-1 works too."""
    user, secret = "pässe", "pass – 漢字 ü"
    await asyncio.to_thread(server.query, f"CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{secret}'")
    asked = []

    def plain(endpoint: str) -> str:
        asked.append(endpoint)
        return secret

    async def later(endpoint: str) -> str:
        await asyncio.sleep(0)
        return plain(endpoint)

    for provider in (plain, later, None):
        password = secret if provider is None else "never used"
        connection = await driver.connect(options_for(server, user=user, password=password, database=None), password=provider)
        assert (await value(connection, "SELECT CURRENT_USER()")).startswith(user)
        await connection.close()
    assert asked == [server.endpoint] * 2


async def test_a_password_provider_that_fails(driver: Any, server: LocalServer) -> None:
    """Its error is the cause of a configuration failure, not the node's."""

    def provider(endpoint: str) -> str:
        raise LookupError("vault is sealed")

    with pytest.raises(Exception, match="vault is sealed") as caught:
        await driver.connect(options_for(server), password=provider)

    assert isinstance(caught.value.__cause__, LookupError)
    assert driver.verdict(caught.value, Phase.CONNECT).blame is Blame.CONFIG


async def test_socket_files(driver: Any, server: LocalServer) -> None:
    """A host that is a path is the server's socket file."""
    connection = await driver.connect(options_for(server, host=str(server.socket), port=0, tls=TlsOptions(mode="prefer")))

    assert await value(connection, "SELECT 7") == 7
    assert connection.check()
    await connection.close()


async def test_tls(driver: Any, server: LocalServer, both: LocalCluster) -> None:
    """
    `require` encrypts or refuses before anything is said; `prefer` takes what there is; a certificate nobody knows is
    refused.
    """
    offered = both.kind is ServerKind.MYSQL_9_7

    async def cipher(mode: str) -> str:
        connection = await driver.connect(options_for(server, tls=TlsOptions(mode=mode)))
        found = (await connection.send("SHOW STATUS LIKE 'Ssl_cipher'", ()))[0][0][1]
        assert len(await value(connection, "SELECT REPEAT('x', 1000000)")) == 1_000_000
        assert connection.check()
        await connection.close()
        return str(found)

    assert bool(await cipher("prefer")) is offered
    assert await cipher("disable") == ""
    if offered:
        assert await cipher("require")
    refused = ["verify-ca", "verify-full"] + ([] if offered else ["require"])
    for mode in refused:
        with pytest.raises(Exception) as caught:
            await driver.connect(options_for(server, tls=TlsOptions(mode=mode)))
        assert caught.value.args[0] == 2026
        assert driver.verdict(caught.value, Phase.CONNECT).blame is Blame.CONFIG


async def test_dead_peers_will_be_found(connection: Any) -> None:
    """Keepalive, its rhythm and the limit for unacknowledged bytes are set on the socket."""
    sock = connection._transport.get_extra_info("socket")

    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 60
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 0


# --- connecting has an end ----------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, list[asyncio.StreamReader]]]:
    """Accepts and says nothing."""
    readers: list[asyncio.StreamReader] = []
    writers = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        readers.append(reader)
        writers.append(writer)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], readers
    finally:
        for writer in writers:
            writer.close()
        listener.close()
        await listener.wait_closed()


async def test_a_silent_server_costs_the_time_limit(driver: Any) -> None:
    """The whole of connecting, handshake included, ends at the time limit, and the socket is closed."""
    loop = asyncio.get_running_loop()
    async with silent_server() as (port, readers):
        started = loop.time()
        with pytest.raises(Exception, match=r"within 0\.2s \(authenticating\)") as caught:
            await driver.connect(ConnectOptions(host="127.0.0.1", port=port, user="u", timeout=0.2))

        assert loop.time() - started < 1
        assert await asyncio.wait_for(readers[0].read(), 5) == b""
    verdict = driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame, verdict.transport) == (Outcome.NOT_APPLIED, Blame.NODE, True)


async def test_a_cancelled_connect_leaves_no_socket(driver: Any) -> None:
    """Cancelling in the middle of the handshake closes the socket at once."""
    async with silent_server() as (port, readers):
        task = asyncio.create_task(driver.connect(ConnectOptions(host="127.0.0.1", port=port, user="u", timeout=30)))

        async def accepted() -> bool:
            return bool(readers)

        await until(accepted)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await asyncio.wait_for(readers[0].read(), 5) == b""


async def test_nobody_listens(driver: Any) -> None:
    """A refused connection is the node's failure."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Exception, match=f"127.0.0.1:{port}") as caught:
        await driver.connect(ConnectOptions(host="127.0.0.1", port=port, user="u"))

    verdict = driver.verdict(caught.value, Phase.CONNECT)
    assert (caught.value.args[0], verdict.blame, verdict.transport) == (2003, Blame.NODE, True)


async def test_too_many_connections(driver: Any, server: LocalServer) -> None:
    """A limit of connections is load, not sickness."""
    await asyncio.to_thread(server.query, "CREATE USER IF NOT EXISTS 'few'@'%' IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS 1")
    first = await driver.connect(options_for(server, user="few", password="x", database=None))
    with pytest.raises(Exception) as caught:
        await driver.connect(options_for(server, user="few", password="x", database=None))
    await first.close()

    verdict = driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame, verdict.transport) == (Outcome.NOT_APPLIED, Blame.LOAD, False)


# --- one user, broken connections ---------------------------------------------------------------------------------------


async def test_a_second_user_is_refused(connection: Any) -> None:
    """A second statement on a busy connection sends nothing; the first gets its own rows, and so does the next."""
    first = asyncio.create_task(connection.send("SELECT SLEEP(0.2), 'first'", ()))
    await asyncio.sleep(0.02)

    with pytest.raises(Exception, match="in progress"):
        await connection.send("SELECT 'second'", ())

    assert (await first)[0][0][1] == "first"
    assert await value(connection, "SELECT 'third'") == "third"


async def test_a_connection_killed_while_idle(connect: Connect, connection: Any, driver: Any) -> None:
    """Once the server's goodbye has arrived the check sees it, and a statement is refused as certainly not sent."""
    victim = await connect()
    await connection.send(f"KILL {victim.server_id}", ())

    async def seen() -> bool:
        return not victim.check()

    await until(seen)
    with pytest.raises(Exception) as caught:
        await victim.send("SELECT 1", ())

    assert driver.verdict(caught.value, Phase.EXECUTE, flavor=victim.flavor).outcome in (Outcome.NOT_APPLIED, Outcome.AMBIGUOUS)
    assert victim.closed
    assert victim.abandon() is None


async def test_a_hang_up_that_was_seen_is_certain(connect: Connect, connection: Any, driver: Any) -> None:
    """When the loop has read the end of the stream before the statement, nothing was sent: a write may go elsewhere."""
    victim = await connect()
    await connection.send(f"KILL {victim.server_id}", ())

    async def read() -> bool:
        return victim._is_stale() or victim.closed

    await until(read)
    with pytest.raises(Exception) as caught:
        await victim.send("SELECT 1", ())

    verdict = driver.verdict(caught.value, Phase.EXECUTE, flavor=victim.flavor)
    assert (verdict.outcome, verdict.connection is ConnectionFate.KEEP) == (Outcome.NOT_APPLIED, False)


async def test_a_connection_killed_in_flight(connect: Connect, connection: Any, driver: Any) -> None:
    """A statement whose connection breaks may have been applied; there is nothing left to kill."""
    victim = await connect()
    task = asyncio.create_task(victim.send("SELECT SLEEP(20) /* killed */", ()))

    async def running() -> bool:
        return await statements_running(connection, "SELECT SLEEP(20) /* killed */") == 1

    await until(running)
    await connection.send(f"KILL {victim.server_id}", ())
    with pytest.raises(Exception) as caught:
        await task

    assert driver.verdict(caught.value, Phase.EXECUTE, flavor=victim.flavor).outcome is Outcome.AMBIGUOUS
    assert caught.value.args[0] == 2013 and caught.value.__cause__ is not None
    assert victim.closed
    assert victim.abandon() is None


async def test_an_interrupted_statement_leaves_the_connection(connect: Connect, connection: Any, table: str, driver: Any) -> None:
    """KILL QUERY answers 1317: not applied, the connection goes on."""
    victim = await connect()
    task = asyncio.create_task(victim.send("INSERT INTO t (v) SELECT SLEEP(20) FROM (SELECT 1 UNION SELECT 2) q", ()))

    async def running() -> bool:
        return await statements_running(connection, "INSERT INTO t (v) SELECT SLEEP(20)") == 1

    await until(running)
    await connection.send(f"KILL QUERY {victim.server_id}", ())
    with pytest.raises(Exception) as caught:
        await task

    assert caught.value.args[0] == 1317
    assert driver.verdict(caught.value, Phase.EXECUTE, flavor=victim.flavor).outcome is Outcome.NOT_APPLIED
    assert await value(victim, "SELECT COUNT(*) FROM t") == 0


async def test_an_idle_time_out(connect: Connect, driver: Any) -> None:
    """A session that the server ended for idleness is found by the check; MySQL's last words are in the message."""
    connection = await connect(server_settings={"wait_timeout": "1"})

    async def ended() -> bool:
        return not connection.check()

    await until(ended)
    with pytest.raises(Exception) as caught:
        await connection.send("SELECT 1", ())
    assert caught.value.args[0] in (0, 2006, 2013)
    assert connection.closed


async def test_a_value_that_cannot_be_read(connect: Connect, driver: Any) -> None:
    """A row that does not decode is no failure of the node, and the connection with the rest of it is closed."""
    connection = await connect(driver_options={"charset": "ascii"})
    await connection.send("SET character_set_results = NULL", ())

    with pytest.raises(UnicodeDecodeError) as caught:
        await connection.send("SELECT _utf8mb4 X'c3a4'", ())

    verdict = driver.verdict(caught.value, Phase.EXECUTE)
    assert (verdict.outcome, verdict.blame, verdict.connection) == (Outcome.APPLIED, Blame.NONE, ConnectionFate.DROP)
    assert connection.closed


async def test_ping_settle_reset_close(connect: Connect) -> None:
    """A live connection answers, also to a reset; after closing it says so."""
    connection = await connect()

    await connection.ping()
    assert await connection.settle()
    assert await connection.reset()
    assert not connection.needs_settling
    await connection.close()
    assert connection.closed and not connection.check()
    assert not await connection.settle()
    with pytest.raises(Exception, match="Not connected"):
        await connection.send("SELECT 1", ())
    await connection.close()
    connection.terminate()


async def test_a_reset_leaves_nothing_of_the_session_and_keeps_what_it_was_made_with(connect: Connect) -> None:
    """Variables, settings, locks and temporary tables go; read-only, the collation, settings and init statements stay."""
    connection = await connect(
        read_only=True,
        server_settings={"div_precision_increment": "6"},
        init=("SET SESSION group_concat_max_len=2048",),
        driver_options={"collation": "utf8mb4_bin"},
    )
    made = "SELECT @@div_precision_increment, @@group_concat_max_len, @@collation_connection, @@character_set_client"
    before, _, _ = await connection.send(made, ())
    assert tuple(before[0]) == (6, 2048, "utf8mb4_bin", "utf8mb4")
    for statement in ("SET @x = 5, SESSION div_precision_increment = 9", "SELECT GET_LOCK('reset', 0)", "SET autocommit = 1"):
        await connection.send(statement, ())

    assert await connection.reset()

    after, _, _ = await connection.send(made, ())
    assert tuple(after[0]) == tuple(before[0])
    assert await value(connection, "SELECT @x") is None
    assert await value(connection, "SELECT IS_FREE_LOCK('reset')") == 1
    with pytest.raises(Exception, match="READ ONLY"):
        await connection.send("CREATE TABLE reset_not(a int)", ())


async def test_autocommit_that_is_off_shows(connect: Connect) -> None:
    """A session that would open a transaction at its next statement counts as in one, and init may not leave it so."""
    connection = await connect()
    assert not connection.in_transaction
    await connection.send("SET autocommit = 0", ())
    assert connection.in_transaction and not await connection.reset()

    with pytest.raises(ConfigError, match="autocommit off"):
        await connect(init=("SET autocommit = 0",))


@pytest.mark.parametrize("charset", ["gbk", "sjis", "cp932", "big5", "gb18030", "ucs2", "ujis", "utf16", "utf32", "binary"])
async def test_character_sets_that_cannot_be_escaped_in_are_refused(connect: Connect, charset: str) -> None:
    """As an option and as a set-up statement; nothing is connected with them."""
    with pytest.raises(ConfigError, match="character"):
        await connect(driver_options={"charset": charset})
    with pytest.raises(Exception, match=r"character_set_client|can't be set to the value|Unknown character set"):
        await connect(init=(f"SET NAMES {charset}",))


@pytest.mark.parametrize("charset", ["nonsense", "swe7"])
async def test_character_sets_that_nobody_can_write_are_named(connect: Connect, charset: str) -> None:
    """One that the library does not know, or that Python has no codec for, is a wrong setting and says so."""
    with pytest.raises(ConfigError, match=f"character set {charset}.*utf8mb4"):
        await connect(driver_options={"charset": charset})


async def test_the_case_of_a_character_set_does_not_matter(connect: Connect) -> None:
    """As for the servers."""
    connection = await connect(driver_options={"charset": "UTF8MB4"})

    assert await value(connection, "SELECT 'é'") == "é"


@pytest.mark.parametrize(
    "value_", ["\u00a5' UNION SELECT 1 -- ", "\u7e97' UNION SELECT 1 -- ", "\u203e\\' OR 1 -- ", "\u00bf\\' OR 1 -- "]
)
async def test_no_text_leaves_its_quotes(connect: Connect, value_: str) -> None:
    """Characters whose bytes hold a backslash in other character sets come back as they were."""
    connection = await connect()
    rows, _, _ = await connection.send("SELECT %s", (value_,))

    assert [tuple(row) for row in rows] == [(value_,)]


async def test_a_lone_surrogate_is_no_text(connect: Connect) -> None:
    """Refused before anything is sent."""
    connection = await connect()
    with pytest.raises(ParameterError, match="cannot be written in utf"):
        await connection.send("SELECT %s", ("\udcbf\\' OR 1 -- ",))

    assert await value(connection, "SELECT 7") == 7


async def test_raw_is_the_librarys_own(connection: Any) -> None:
    """Behind `.raw` is a connection of the library that works as its documentation says."""
    raw = connection.raw
    cursor = raw.cursor()
    cursor = await cursor if isinstance(cursor, Awaitable) else cursor
    await cursor.execute("SELECT 1, %s", ("two",))

    assert await cursor.fetchone() == (1, "two")
    await cursor.close()
    assert await value(connection, "SELECT 7") == 7


# --- abandoned statements -----------------------------------------------------------------------------------------------


async def abandoned(victim: Any, watcher: Any, text: str) -> Callable[[], Awaitable[None]] | None:
    """Cancel *text* while the server runs it; what is left to do."""
    task = asyncio.create_task(victim.send(text, ()))

    async def running() -> bool:
        return await statements_running(watcher, text) == 1

    await until(running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return victim.abandon()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "text", ["SELECT SLEEP(20), 'gone'", "INSERT INTO t (v) SELECT SLEEP(20) FROM (SELECT 1 UNION SELECT 2) gone"]
)
async def test_an_abandoned_statement_is_killed(connect: Connect, connection: Any, table: str, text: str) -> None:
    """
    After a cancel the connection is closed, the server runs on, and what `abandon` gives ends it within a tenth of a second.
    """
    victim = await connect()

    kill = await abandoned(victim, connection, text)

    assert victim.closed and not victim.needs_settling
    assert await statements_running(connection, text) == 1
    assert kill is not None
    started = asyncio.get_running_loop().time()
    await kill()

    async def ended() -> bool:
        return await statements_running(connection, text) == 0

    await until(ended)
    assert asyncio.get_running_loop().time() - started < 0.5
    assert victim.abandon() is None
    assert await value(connection, "SELECT COUNT(*) FROM t") == 0


async def test_terminate_in_flight_is_abandonment_too(connect: Connect, connection: Any) -> None:
    """A statement whose connection somebody else closed under it can be killed in the same way."""
    victim = await connect()
    task = asyncio.create_task(victim.send("SELECT SLEEP(20), 'terminated'", ()))

    async def running() -> bool:
        return await statements_running(connection, "SELECT SLEEP(20), 'terminated'") == 1

    await until(running)
    victim.terminate()
    kill = victim.abandon()
    with pytest.raises(Exception):  # noqa: B017 - each library says it differently
        await task
    assert kill is not None
    await kill()

    async def ended() -> bool:
        return await statements_running(connection, "SELECT SLEEP(20), 'terminated'") == 0

    await until(ended)


async def test_nothing_is_killed_on_another_server(driver: Any, both: LocalCluster) -> None:
    """Where the same address leads to another server now, the id belongs to a stranger there: nothing is killed."""
    primary, replica = both.primary, both.replicas[0]
    watcher = await driver.connect(options_for(primary))
    async with FaultProxy(primary.host, primary.port) as proxy:
        victim = await driver.connect(options_for(primary, host="127.0.0.1", port=proxy.port))
        thread = int(victim.server_id)
        text = f"SELECT SLEEP(20), 'elsewhere {thread}'"
        kill = await abandoned(victim, watcher, text)
        assert kill is not None
        # A session on the other server that could be met instead: the victim's id is made its id.
        stranger = await driver.connect(options_for(replica))
        victim.server_id = stranger.server_id
        proxy.point_to(replica.host, replica.port)

        await kill()

        assert await value(stranger, "SELECT 7") == 7
        await stranger.close()
        assert await statements_running(watcher, text) == 1
    await watcher.send(f"KILL {thread}", ())
    await watcher.close()


async def test_a_cancel_before_the_first_step_sends_nothing(connection: Any) -> None:
    """A task cancelled before it began has sent nothing, and the connection is as it was."""
    task = asyncio.create_task(connection.send("SELECT 1", ()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert connection.check() and connection.abandon() is None
    assert await value(connection, "SELECT 7") == 7


# --- streams ------------------------------------------------------------------------------------------------------------


DIGITS = "(" + " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10)) + ")"


def rows_of(power: int) -> str:
    """A statement that yields ten to the *power* rows of about 100 bytes."""
    return f"SELECT '{'x' * 100}' AS v FROM " + " CROSS JOIN ".join(f"{DIGITS} t{number}" for number in range(power))


async def test_a_stream_gives_every_row(connection: Any) -> None:
    """Rows come in the sizes asked for, to the last, and the connection goes on."""
    cursor = await connection.cursor(rows_of(4), ())
    sizes = []
    while rows := await cursor.fetch(3_000):
        sizes.append(len(rows))
        assert rows[0]["v"] == "x" * 100
    await cursor.close()

    assert sizes == [3000, 3000, 3000, 1000]
    assert await cursor.fetch(1) == []
    assert await value(connection, "SELECT 7") == 7


async def test_a_stream_holds_little_in_memory(connection: Any, driver: Any) -> None:
    """While a consumer pauses, the server waits: far less than the result is read ahead."""
    cursor = await connection.cursor(rows_of(6), ())
    await cursor.fetch(10)
    await asyncio.sleep(0.1)

    if hasattr(connection, "_protocol"):
        held = connection._protocol.length - connection._protocol.pos
    else:
        held = len(connection._reader._buffer)
    assert held < 2_000_000
    await cursor.close()
    assert connection.closed


async def test_leaving_a_short_stream(connection: Any) -> None:
    """What little is left is read away and the connection goes on."""
    cursor = await connection.cursor(rows_of(3), ())
    await cursor.fetch(10)
    await cursor.close()

    assert await value(connection, "SELECT 7") == 7


async def test_leaving_a_long_stream(connect: Connect, connection: Any) -> None:
    """A huge result is not read to its end: the connection is closed at once, and its statement can be killed."""
    victim = await connect()
    cursor = await victim.cursor(rows_of(7), ())
    await cursor.fetch(10)
    started = asyncio.get_running_loop().time()
    await cursor.close()

    assert asyncio.get_running_loop().time() - started < 1
    assert victim.closed
    kill = victim.abandon()
    assert kill is not None
    await kill()
    await cursor.close()


async def test_a_stream_of_nothing_and_of_errors(connection: Any, table: str) -> None:
    """
    A statement without rows gives an empty stream, a refused one raises where it is opened; both leave the connection usable.
    """
    cursor = await connection.cursor("INSERT INTO t (v) VALUES (%s)", ("a",))
    assert await cursor.fetch(10) == []
    await cursor.close()
    with pytest.raises(Exception) as caught:
        await connection.cursor("SELECT nope FROM t", ())

    assert caught.value.args[0] == 1054
    assert await value(connection, "SELECT COUNT(*) FROM t") == 1


async def test_a_stream_cancelled(connect: Connect, connection: Any) -> None:
    """Cancelling a fetch closes the connection and leaves a statement to kill."""
    victim = await connect()
    text = f"SELECT REPEAT('x', 20000) AS x, SLEEP(IF(d = 2, 20, 0)) AS y FROM {DIGITS} stream"
    cursor = await victim.cursor(text, ())
    task = asyncio.create_task(cursor.fetch(10))
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert victim.closed
    kill = victim.abandon()
    assert kill is not None
    await kill()

    async def ended() -> bool:
        return await statements_running(connection, "SELECT REPEAT(") == 0

    await until(ended)


# --- the optional library -----------------------------------------------------------------------------------------------


def test_asyncmy_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the driver says what to install; an old version is refused with the reason."""
    monkeypatch.setattr(asyncmy_module, "version", None)
    with pytest.raises(ConfigError, match=r"dbrouter\[asyncmy\]"):
        AsyncmyDriver()
    monkeypatch.setattr(asyncmy_module, "version", "0.2.16")
    with pytest.raises(ConfigError, match=r"negative times.*0\.2\.17"):
        AsyncmyDriver()
