"""What the PostgreSQL driver promises beyond the common contract: prepared statements, types, poolers, TLS, and its way back."""

from __future__ import annotations

import asyncio
import datetime
import gc
import ipaddress
import json
import os
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dbrouter.drivers.asyncpg import AsyncpgConnection, AsyncpgDriver, IndirectConnection
from dbrouter.drivers.base import TlsOptions
from dbrouter.drivers.postgres import RESET_SCRIPT
from dbrouter.errors import ConfigError, ParameterError, TransactionAbortedError
from dbrouter.terms import Blame, ConnectionFate, Flavor, Outcome, Phase, RetryWhere, Role
from dbrouter.testing import FaultProxy, LocalCluster, LocalPgBouncer, LocalServer, ServerKind, processes, servers
from dbrouter.testing.server import USER
from tests.contract.subjects import options_for, value
from tests.watching import until

pytestmark = pytest.mark.servers

Connect = Callable[..., Awaitable[Any]]


@pytest.fixture(params=[True, False], ids=["direct", "public-calls"])
def driver(request: pytest.FixtureRequest) -> AsyncpgDriver:
    """Both ways through asyncpg."""
    return AsyncpgDriver(direct=request.param)


@pytest.fixture
async def connect(driver: AsyncpgDriver, pg: LocalCluster) -> AsyncIterator[Connect]:
    """Opens connections to the primary with changed options; closes them at the end."""
    opened: list[Any] = []

    async def open_one(server: Any = None, *, by: AsyncpgDriver | None = None, **changes: Any) -> Any:
        opened.append(await (by or driver).connect(options_for(server or pg.primary, **changes)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.terminate()


@pytest.fixture
async def connection(connect: Connect) -> Any:
    """A connection to the primary."""
    return await connect()


@pytest.fixture
async def kept(connect: Connect) -> Any:
    """A connection of the direct way, whose statements are ours to keep."""
    return await connect(by=AsyncpgDriver())


# --- which way is taken ---------------------------------------------------------------------------


async def test_this_asyncpg_is_used_directly(connect: Connect, driver: AsyncpgDriver) -> None:
    """With the installed asyncpg the fast way is taken, unless it was declined."""
    connection = await connect()
    assert type(connection) is (AsyncpgConnection if "False" not in repr(driver) else IndirectConnection)


async def test_another_asyncpg_is_used_by_its_public_calls(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the inside has another shape, connections come by the public calls, and work."""

    class Different(AsyncpgConnection):
        async def send(self, text: str, params: Any) -> Any:
            rows, status, _ = await super().send(text, params)
            return tuple(rows), status, None

    monkeypatch.setattr("dbrouter.drivers.asyncpg.AsyncpgConnection", Different)
    driver = AsyncpgDriver()
    connection = await connect(by=driver)
    assert type(connection) is IndirectConnection
    assert await value(connection, "SELECT $1::int", 5) == 5
    assert "direct=False" in repr(driver)


async def test_a_connect_that_is_cut_leaves_no_complaint(pg: LocalCluster) -> None:
    """Cancelled in any of its first ticks, also in the one in which the socket connects: asyncio has nothing to report later."""
    loop, reported, before = asyncio.get_running_loop(), list[str](), asyncio.get_running_loop().get_exception_handler()
    loop.set_exception_handler(lambda _, context: reported.append(f"{context['message']}: {context.get('exception')!r}"))
    try:
        for ticks in range(12):
            connecting = asyncio.ensure_future(AsyncpgDriver().connect(options_for(pg.primary, tls=TlsOptions(mode="prefer"))))
            for _ in range(ticks):
                await asyncio.sleep(0)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            del connecting
            for _ in range(3):
                await asyncio.sleep(0)
            gc.collect(1)
    finally:
        loop.set_exception_handler(before)
    assert not reported


async def test_settling_keeps_off_the_callers_savepoints(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a failed transaction whose savepoints have names like ours, the connection is found to be clean all the same."""
    monkeypatch.setattr("dbrouter.drivers.asyncpg._NONCES", count(1))
    await kept.begin()
    for number in range(1, 4):
        await kept.savepoint(f"dbrouter_{number}")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await kept.send("SELECT 1/0", ())
    assert await kept.settle()
    await kept.rollback()


# --- prepared statements --------------------------------------------------------------------------


async def test_a_text_is_prepared_from_its_second_time_on(kept: Any) -> None:
    """Once it leaves nothing on the server, from then on one named statement."""
    counts = []
    for number in range(4):
        assert await value(kept, "SELECT $1::int AS it", number) == number
        counts.append(await value(kept, f"SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS it' -- {number}"))
    assert counts == [0, 1, 1, 1]


async def test_texts_in_rotation_leave_nothing_behind(kept: Any) -> None:
    """Thousands of distinct texts: neither the server nor we keep any of them."""
    for number in range(3000):
        await kept.send(f"SELECT {number} AS rotation", ())
    assert await value(kept, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS rotation'") == 0
    assert len(kept._statements) < 10


async def test_statements_given_up_are_deallocated(connect: Connect) -> None:
    """What falls out of use is gone from the server as well, many at a time."""
    connection = await connect(by=AsyncpgDriver(), driver_options={"statement_cache_size": 8})
    for number in range(100):
        for _ in range(3):
            await connection.send(f"SELECT {number} AS given_up", ())
    on_server = await value(connection, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS given_up'")
    assert 8 <= on_server <= 32
    assert on_server == len(connection._statements) + len(connection._statements.garbage)


async def test_a_cache_of_zero_keeps_nothing(connect: Connect) -> None:
    """`statement_cache_size=0` never names a statement."""
    connection = await connect(by=AsyncpgDriver(), driver_options={"statement_cache_size": 0})
    for _ in range(4):
        await connection.send("SELECT $1::int AS none_kept", (1,))
    assert await value(connection, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS none_kept'") == 0


@pytest.fixture
async def table(connection: Any) -> AsyncIterator[str]:
    """A table with one row, dropped at the end by a session of its own."""
    name = f"specific_{uuid.uuid4().hex[:12]}"
    await connection.send_script(f"CREATE TABLE {name} (id int, v text); INSERT INTO {name} VALUES (1, 'one')")
    yield name
    if connection.in_transaction:
        await connection.rollback()
    await connection.send(f"DROP TABLE IF EXISTS {name}", ())


async def test_a_changed_schema_is_met_once_more(connection: Any, connect: Connect, table: str) -> None:
    """After ALTER TABLE by somebody else a kept `SELECT *` has the new columns, without an error."""
    other = await connect()
    for _ in range(3):
        rows, _, _ = await connection.send(f"SELECT * FROM {table}", ())
    assert tuple(rows[0]) == (1, "one")

    await other.send(f"ALTER TABLE {table} ADD COLUMN w int DEFAULT 7", ())
    rows, _, _ = await connection.send(f"SELECT * FROM {table}", ())
    assert tuple(rows[0]) == (1, "one", 7)


async def test_a_changed_schema_inside_a_transaction_rolls_it_back(
    kept: Any, connect: Connect, driver: AsyncpgDriver, table: str
) -> None:
    """There the error is raised, judged as rolled back, and the transaction works when it is run again."""
    other = await connect()
    for _ in range(3):
        await kept.send(f"SELECT * FROM {table}", ())
    await other.send(f"ALTER TABLE {table} ADD COLUMN w int DEFAULT 7", ())

    await kept.begin()
    with pytest.raises(asyncpg.InvalidCachedStatementError) as caught:
        await kept.send(f"SELECT * FROM {table}", ())
    assert driver.verdict(caught.value, Phase.TRANSACTION).outcome is Outcome.ROLLED_BACK
    await kept.rollback()
    await kept.begin()
    rows, _, _ = await kept.send(f"SELECT * FROM {table}", ())
    await kept.commit()
    assert tuple(rows[0]) == (1, "one", 7)


async def test_a_changed_schema_is_met_once_by_cursors(kept: Any, connect: Connect, table: str) -> None:
    """A cursor of a kept text fails once after ALTER TABLE, and not for ever."""
    other = await connect()
    text = f"SELECT * FROM {table}"

    async def streamed() -> list[Any]:
        await kept.begin()
        try:
            return list(await (await kept.cursor(text, ())).fetch(10))
        finally:
            await kept.rollback()

    for _ in range(3):
        await kept.send(text, ())
    await other.send(f"ALTER TABLE {table} ADD COLUMN w int DEFAULT 7", ())
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        await streamed()
    assert [tuple(row) for row in await streamed()] == [(1, "one", 7)]


async def test_a_changed_schema_is_met_by_one_connection_of_a_driver(driver: AsyncpgDriver, connect: Connect, table: str) -> None:
    """Where one connection found a text stale, the others prepare it anew before they run into it, inside transactions too."""
    text = f"SELECT * FROM {table}"
    connections = [await connect(by=driver) for _ in range(3)]
    for one in connections:
        for _ in range(3):
            await one.send(text, ())
    await connections[0].send(f"ALTER TABLE {table} ADD COLUMN w int DEFAULT 7", ())

    await connections[0].send(text, ())

    for one in connections:
        await one.begin()
        rows, _, _ = await one.send(text, ())
        await one.commit()
        assert tuple(rows[0]) == (1, "one", 7)


async def test_a_type_made_anew_is_met_by_one_connection_of_a_driver(connect: Connect, table: str) -> None:
    """DROP TYPE and CREATE TYPE by somebody else: a kept statement that names it fails once, which blames nobody."""
    driver = AsyncpgDriver()
    connections, other = [await connect(by=driver) for _ in range(3)], await connect()
    kind = f"{table}_kind"
    make = f"CREATE TYPE {kind} AS ENUM ('a', 'b'); ALTER TABLE {table} ADD COLUMN kind {kind}"
    await other.send_script(make)
    insert = f"INSERT INTO {table} (id, kind) VALUES ($1, $2)"
    for connection in connections:
        for number in range(3):
            await connection.send(insert, (number, "a"))
    await other.send_script(f"ALTER TABLE {table} DROP COLUMN kind; DROP TYPE {kind}; {make}")
    try:
        with pytest.raises(asyncpg.InternalServerError) as caught:
            await connections[0].send(insert, (13, "b"))
        verdict = driver.verdict(caught.value, Phase.EXECUTE)
        assert (verdict.outcome, verdict.blame, verdict.route) == (Outcome.NOT_APPLIED, Blame.NONE, RetryWhere.SAME)
        assert not verdict.transport
        for connection in connections:
            await connection.send(insert, (13, "b"))
        assert await value(other, f"SELECT count(*) FROM {table} WHERE id = 13 AND kind = 'b'") == 3
    finally:
        await other.send_script(f"DROP TABLE {table}; DROP TYPE {kind}")


@pytest.mark.parametrize("command", ["DEALLOCATE ALL", "DISCARD ALL"])
async def test_statements_deallocated_behind_our_back_are_prepared_again(kept: Any, command: str) -> None:
    """A session that lost its statements answers as if nothing had happened, and keeps them again."""
    for number in range(3):
        await kept.send("SELECT $1::int AS again", (number,))
    await kept.send_script(command)
    for number in range(3):
        assert await value(kept, "SELECT $1::int AS again", number) == number


async def test_the_callers_own_missing_statement_stays_his_error(connection: Any) -> None:
    """EXECUTE of a name that does not exist raises the server's error, each time."""
    for _ in range(3):
        with pytest.raises(asyncpg.InvalidSQLStatementNameError, match="nobody_prepared_this"):
            await connection.send("EXECUTE nobody_prepared_this", ())
    assert await value(connection, "SELECT 1") == 1


async def test_preparing_cut_short_leaves_no_statement_for_ever(kept: Any) -> None:
    """Names whose preparation was cancelled are closed on the server sooner or later."""
    for number in range(200):
        text = f"SELECT $1::int AS cut_short, {number}"
        await kept.send(text, (1,))
        task = asyncio.create_task(kept.send(text, (1,)))
        for _ in range(1 + number % 3):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert await kept.settle()
    assert len(kept._statements.orphans) < 32
    on_server = await value(kept, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%cut_short%'")
    assert on_server <= len(kept._statements) + len(kept._statements.orphans)


async def test_memory_stays_level_over_texts_and_schema_changes(kept: Any, table: str) -> None:
    """Statement states are not held on to by anything once they are given up."""

    def states() -> int:
        gc.collect()
        return sum(type(thing).__name__ == "PreparedStatementState" for thing in gc.get_objects())

    for _ in range(3):
        await kept.send(f"SELECT * FROM {table}", ())
    before = states()
    for number in range(20):
        await kept.send(f"ALTER TABLE {table} ADD COLUMN c{number} int", ())
        for _ in range(3):
            await kept.send(f"SELECT * FROM {table}", ())
    assert states() <= before + 3


# --- values ---------------------------------------------------------------------------------------


async def test_types_of_every_kind_come_and_go(connection: Any) -> None:
    """Built-in types as parameters and as results."""
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.UTC)
    for kind, thing in {
        "int8": 2**62,
        "numeric": Decimal("12.50"),
        "float8": 0.5,
        "bool": True,
        "bytea": b"\x00\xff",
        "timestamptz": moment,
        "date": moment.date(),
        "interval": datetime.timedelta(days=1, seconds=3),
        "uuid": uuid.UUID(int=5),
        "inet": ipaddress.ip_address("10.0.0.1"),
        "int[]": [1, 2, 3],
        "text[]": ["a", None],
        "jsonb": json.dumps({"a": 1}),
        "pg_lsn": 255,
    }.items():
        for _ in range(3):
            assert await value(connection, f"SELECT $1::{kind} AS v", thing) == thing, kind


async def test_custom_types_are_looked_up(connection: Any) -> None:
    """Enums, composites and their arrays, unknown to the driver before, at first sight and kept."""
    suffix = uuid.uuid4().hex[:8]
    await connection.send_script(
        f"CREATE TYPE mood_{suffix} AS ENUM ('sad', 'ok'); CREATE TYPE pair_{suffix} AS (a int, m mood_{suffix})"
    )
    try:
        for _ in range(3):
            assert await value(connection, f"SELECT $1::mood_{suffix} AS v", "ok") == "ok"
            assert await value(connection, f"SELECT $1::mood_{suffix}[] AS v", ["ok", "sad"]) == ["ok", "sad"]
            pair = await value(connection, f"SELECT ROW($1, 'sad')::pair_{suffix} AS v", 4)
            assert tuple(pair) == (4, "sad")
    finally:
        await connection.send_script(f"DROP TYPE pair_{suffix}; DROP TYPE mood_{suffix}")


async def test_codecs_set_on_raw_are_used(connection: Any) -> None:
    """What `on_connect` does by `.raw` counts for statements sent through us."""
    await connection.raw.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    for _ in range(3):
        assert await value(connection, "SELECT $1::jsonb AS v", {"a": [1, 2]}) == {"a": [1, 2]}


async def test_a_decoder_that_fails_does_not_unsettle_the_connection(connection: Any, driver: AsyncpgDriver) -> None:
    """The statement ran, its verdict says so, and the next one gets its own answer."""

    def broken(text: str) -> Any:
        raise ValueError(f"cannot read {text}")

    await connection.raw.set_type_codec("jsonb", encoder=json.dumps, decoder=broken, schema="pg_catalog")
    with pytest.raises(ValueError, match="cannot read") as caught:
        await connection.send("SELECT '{}'::jsonb AS v", ())
    assert driver.verdict(caught.value, Phase.EXECUTE).outcome is Outcome.APPLIED
    assert await value(connection, "SELECT 5") == 5


UNSENDABLE = {
    "no encoder": ("WHERE $1::gtsvector IS NULL", "1", ("'a'",)),
    "no decoder": ("", "(SELECT most_common_vals FROM pg_stats LIMIT 1)", ()),
}
"""A condition, a column and parameters for which asyncpg finds out before running the statement that it has no codec."""


@pytest.mark.parametrize("missing", UNSENDABLE)
async def test_what_has_no_codec_is_never_run(connection: Any, driver: AsyncpgDriver, missing: str) -> None:
    """Read or write, seen once or kept, alone or in a transaction: not applied, nobody is blamed, the connection works on."""
    condition, column, params = UNSENDABLE[missing]
    await connection.send_script("CREATE TEMPORARY TABLE done (n int)")
    texts = (f"SELECT {column} {condition}", f"INSERT INTO done SELECT 1 {condition} RETURNING {column}")
    for phase in (Phase.EXECUTE, Phase.EXECUTE, Phase.EXECUTE, Phase.TRANSACTION):
        if phase is Phase.TRANSACTION:
            await connection.begin()
        for text in texts:
            with pytest.raises(asyncpg.InternalClientError) as caught:
                await connection.send(text, params)
            verdict = driver.verdict(caught.value, phase)
            assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.NONE)
            assert (verdict.connection, verdict.route) == (ConnectionFate.KEEP, RetryWhere.NOWHERE)
            assert await value(connection, "SELECT 5") == 5
    await connection.commit()
    assert await value(connection, "SELECT count(*) FROM done") == 0


async def test_what_cannot_be_decoded_inside_a_row_was_run(connection: Any, driver: AsyncpgDriver) -> None:
    """Which types a ROW has only its values tell: it was applied, and the next statement gets its own answer."""
    await connection.send_script("CREATE TEMPORARY TABLE done (n int)")
    for times in (1, 2, 3):
        with pytest.raises(asyncpg.InternalClientError, match="no decoder") as caught:
            await connection.send("INSERT INTO done VALUES ($1) RETURNING ROW(1, ARRAY[n])", (times,))
        verdict = driver.verdict(caught.value, Phase.EXECUTE)
        assert (verdict.outcome, verdict.blame) == (Outcome.APPLIED, Blame.NONE)
        assert await value(connection, "SELECT count(*) FROM done") == times


@pytest.mark.parametrize("text", ["SELECT 'a\0b'", "SELECT '\ud800'"], ids=["NUL", "lone surrogate"])
async def test_a_text_that_the_protocol_cannot_carry_is_refused(connection: Any, text: str) -> None:
    """NUL and invalid Unicode raise before anything is sent, on every way in, and the connection works on."""
    await connection.begin()
    for call in (
        lambda: connection.send(text, ()),
        lambda: connection.send_script(text),
        lambda: connection.send_many(text, [(1,)]),
        lambda: connection.cursor(text, ()),
    ):
        with pytest.raises(ParameterError):
            await call()
    await connection.rollback()
    assert await value(connection, "SELECT 5") == 5


async def test_every_kind_of_single_statement_is_taken(connection: Any, table: str) -> None:
    """DDL, maintenance, settings, notifications, cursors, EXPLAIN: each by `send`, each with its tag."""
    for text, tag in [
        (f"CREATE INDEX ON {table} (id)", "CREATE INDEX"),
        (f"VACUUM {table}", "VACUUM"),
        (f"ANALYZE {table}", "ANALYZE"),
        ("SET search_path = public", "SET"),
        ("SHOW search_path", "SHOW"),
        ("LISTEN channel_a", "LISTEN"),
        ("NOTIFY channel_a", "NOTIFY"),
        ("UNLISTEN *", "UNLISTEN"),
        (f"EXPLAIN SELECT * FROM {table}", "EXPLAIN"),
        (f"CREATE TABLE {table}_copy AS SELECT * FROM {table}", "SELECT 1"),
        (f"MERGE INTO {table} t USING (VALUES (1)) AS s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'm'", "MERGE 1"),
        (f"DROP TABLE {table}_copy", "DROP TABLE"),
        ("DO $$ BEGIN NULL; END $$", "DO"),
        (";", ""),
        ("-- only a comment", ""),
    ]:
        for _ in range(1 if text.startswith(("CREATE", "DROP")) else 3):
            reply = await connection.send(text, ())
            assert connection.describe(reply)[0] == tag, text
    assert connection.describe(await connection.send("SHOW search_path", ()))[1] == 1


# --- transactions and sessions --------------------------------------------------------------------


async def test_committing_what_has_failed_is_told(connection: Any) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK; that is no success."""
    await connection.begin()
    with pytest.raises(asyncpg.PostgresError):
        await connection.send("SELECT 1/0", ())
    with pytest.raises(TransactionAbortedError):
        await connection.commit()
    assert not connection.in_transaction


async def test_reset_undoes_whatever_a_function_can_do_to_a_session(connect: Connect) -> None:
    """Settings, role, locks, cursors, temporary tables, channels; start-up parameters and init statements are back."""
    connection = await connect(read_only=True, init=("SET work_mem = '5MB'",))
    other = await connect()
    await connection.send_script(
        "SET work_mem = '9MB'; SET default_transaction_read_only = off; SET application_name = 'x';"
        " SET ROLE NONE; SELECT pg_advisory_lock(4711)"
    )
    await connection.send_script("CREATE TEMP TABLE left_over (a int)")
    await connection.send_script("DECLARE left_open CURSOR WITH HOLD FOR SELECT 1; LISTEN left_on")
    assert not await value(other, "SELECT pg_try_advisory_lock(4711)")

    assert await connection.reset()

    assert await value(connection, "SHOW work_mem") == "5MB"
    assert await value(connection, "SHOW default_transaction_read_only") == "on"
    assert await value(connection, "SHOW application_name") == "dbrouter"
    assert await value(connection, "SELECT count(*) FROM pg_class WHERE relname = 'left_over'") == 0
    assert await value(connection, "SELECT count(*) FROM pg_cursors WHERE name = 'left_open'") == 0
    assert await value(connection, "SELECT count(*) FROM pg_listening_channels()") == 0
    assert await value(other, "SELECT pg_try_advisory_lock(4711)")


async def test_reset_gives_up_a_role(connect: Connect, pg: LocalCluster) -> None:
    """SET ROLE, which RESET ALL leaves alone, does not outlive a reset."""
    await asyncio.to_thread(pg.primary.query, f"CREATE ROLE somebody_else; GRANT somebody_else TO {USER}")
    try:
        connection = await connect()
        await connection.send("SET ROLE somebody_else", ())
        assert await value(connection, "SELECT current_user") == "somebody_else"
        assert await connection.reset()
        assert await value(connection, "SELECT current_user") == USER
    finally:
        await asyncio.to_thread(pg.primary.query, "DROP ROLE somebody_else")


async def test_reset_keeps_prepared_statements(kept: Any) -> None:
    """A reset costs no statement."""
    for _ in range(3):
        await kept.send("SELECT $1::int AS kept_over_reset", (1,))
    assert await kept.reset()
    assert await value(kept, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS kept_over_reset'") == 1
    assert "DISCARD ALL" not in RESET_SCRIPT


async def test_a_read_only_session_is_so_from_the_start(connect: Connect, pg: LocalCluster) -> None:
    """The start-up parameter is in force before the first statement, and a role hint is not misled by it."""
    connection = await connect(read_only=True)
    assert await value(connection, "SHOW default_transaction_read_only") == "on"
    assert connection.role_hint() is Role.PRIMARY
    assert (await connection.probe()).role is Role.PRIMARY
    replica = await connect(pg.replicas[0], read_only=True)
    assert replica.role_hint() is Role.REPLICA
    assert (await replica.probe()).lag is not None


async def test_a_server_that_is_read_only_by_default_is_no_primary(connect: Connect, fresh: LocalServer) -> None:
    """A managed service's read-only switch turns the role, also for the free hint."""
    connection = await connect(fresh)
    assert (await connection.probe()).role is Role.PRIMARY
    await asyncio.to_thread(fresh.query, "ALTER SYSTEM SET default_transaction_read_only = on")
    await asyncio.to_thread(fresh.query, "SELECT pg_reload_conf()")

    async def turned() -> bool:
        return (await connection.probe()).role is Role.REPLICA

    await until(turned, what="the probe sees it")
    assert connection.role_hint() is Role.REPLICA


async def test_server_settings_are_start_up_parameters(connect: Connect) -> None:
    """They hold from the first statement on and survive a reset."""
    connection = await connect(server_settings={"statement_timeout": "1234", "application_name": "shop"})
    for _ in range(2):
        assert await value(connection, "SHOW statement_timeout") == "1234ms"
        assert await value(connection, "SHOW application_name") == "shop"
        assert await connection.reset()


async def test_sockets_are_watched(connection: Any) -> None:
    """Keepalive, its rhythm and the user time-out are set right after connecting."""
    sock = connection.raw._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000


async def test_a_socket_file_works_too(connect: Connect, pg: LocalCluster) -> None:
    """``host`` may be the folder of the socket."""
    connection = await connect(host=str(pg.primary.socket))
    assert await value(connection, "SELECT 1") == 1
    assert connection.check()


async def test_options_that_nobody_takes_are_refused(connect: Connect) -> None:
    """Unknown driver options, TLS modes and missing TLS files are configuration errors, before anything is sent."""
    for changes in (
        {"driver_options": {"no_such_option": 1}},
        {"tls": TlsOptions(mode="sometimes")},
        {"tls": TlsOptions(mode="verify-full", ca="/no/such/file")},
        {"tls": TlsOptions(mode="require", ca="/no/such/file")},
    ):
        with pytest.raises(ConfigError):
            await connect(**changes)


# --- verdicts, by real servers --------------------------------------------------------------------


async def verdict_of(driver: AsyncpgDriver, connection: Any, *texts: str, phase: Phase = Phase.EXECUTE) -> Any:
    """The verdict on the error that the last of *texts* raises."""
    for text in texts[:-1]:
        await connection.send(text, ())
    with pytest.raises(Exception) as caught:
        await connection.send(texts[-1], ())
    return driver.verdict(caught.value, phase, flavor=connection.flavor)


async def test_a_standbys_refusals_send_to_the_writer(connect: Connect, driver: AsyncpgDriver, pg: LocalCluster) -> None:
    """What a standby cannot do is told from what nobody can do."""
    replica = await connect(pg.replicas[0])
    for text, code, refusal in [
        ("CREATE TABLE t (a int)", "25006", True),
        ("SELECT pg_current_xact_id()", "25006", True),
        ("BEGIN READ WRITE", "0A000", True),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", "0A000", True),
        ("SELECT pg_current_wal_lsn()", "55000", False),
        ("SELECT * FROM not_there_yet", "42P01", False),
    ]:
        verdict = await verdict_of(driver, replica, text)
        assert (verdict.code, verdict.route, verdict.read_only_refusal) == (code, RetryWhere.WRITER, refusal), text
        if replica.in_transaction:
            await replica.rollback()


async def test_time_limits_and_locks_have_their_verdicts(connect: Connect, driver: AsyncpgDriver, table: str) -> None:
    """statement_timeout is slow, NOWAIT is nobody's fault, and both did nothing."""
    connection, other = await connect(), await connect()
    verdict = await verdict_of(driver, connection, "SET statement_timeout = 20", "SELECT pg_sleep(5)")
    assert (verdict.code, verdict.outcome, verdict.blame) == ("57014", Outcome.NOT_APPLIED, Blame.SLOW)

    await other.begin()
    await other.send(f"SELECT * FROM {table} FOR UPDATE", ())
    verdict = await verdict_of(driver, connection, "RESET statement_timeout", f"SELECT * FROM {table} FOR UPDATE NOWAIT")
    assert (verdict.code, verdict.outcome, verdict.blame) == ("55P03", Outcome.NOT_APPLIED, Blame.NONE)
    await other.rollback()


async def test_serialization_failures_and_deadlocks_roll_back(connect: Connect, driver: AsyncpgDriver, table: str) -> None:
    """Both are the whole transaction's, and are worth another try."""
    first, second = await connect(), await connect()
    await first.begin(isolation="repeatable read")
    await first.send(f"SELECT * FROM {table}", ())
    await second.send(f"UPDATE {table} SET v = 'other'", ())
    verdict = await verdict_of(driver, first, f"UPDATE {table} SET v = 'mine'", phase=Phase.TRANSACTION)
    assert (verdict.code, verdict.outcome, verdict.route) == ("40001", Outcome.ROLLED_BACK, RetryWhere.SAME_LATER)
    await first.rollback()


async def test_too_many_connections_are_load(connect: Connect, driver: AsyncpgDriver, fresh: LocalServer) -> None:
    """A full server is not a sick one."""
    with pytest.raises(asyncpg.TooManyConnectionsError) as caught:
        for _ in range(200):
            await connect(fresh)
    verdict = driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.LOAD)


async def test_a_stopping_server_is_the_nodes_fault(connect: Connect, driver: AsyncpgDriver, fresh: LocalServer) -> None:
    """A fast shutdown ends a statement ambiguously, with the server's word as the code; connecting then is refused."""
    connection = await connect(fresh)
    task = asyncio.create_task(connection.send("SELECT pg_sleep(30)", ()))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(fresh.stop)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError) as caught:
        await task
    verdict = driver.verdict(caught.value, Phase.EXECUTE)
    assert (verdict.outcome, verdict.blame, verdict.code) == (Outcome.AMBIGUOUS, Blame.NODE, "57P01")
    with pytest.raises(OSError) as refused:
        await connect(fresh)
    assert driver.verdict(refused.value, Phase.CONNECT).blame is Blame.NODE


async def test_a_network_that_swallows_everything_keeps_nobody(connect: Connect, pg: LocalCluster) -> None:
    """On a black hole a cancelled statement returns at once, settling can be cut, and terminate leaves nothing."""
    async with FaultProxy(pg.primary.host, pg.primary.port) as proxy:
        connection = await connect(proxy)
        proxy.black_hole()
        task = asyncio.create_task(connection.send("SELECT 1", ()))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(1):
                await task
        if connection.needs_settling:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await connection.settle()
        connection.terminate()
        assert connection.closed


# --- poolers --------------------------------------------------------------------------------------


async def test_pgbouncer_is_told_from_a_server(driver: AsyncpgDriver, pgbouncer: LocalPgBouncer) -> None:
    """Without `via` the error names the setting, for read-write and read-only sessions; it is the configuration's fault."""
    for read_only in (False, True):
        with pytest.raises(ConfigError, match="via: pgbouncer") as caught:
            await driver.connect(options_for(pgbouncer, read_only=read_only))
        assert driver.verdict(caught.value, Phase.CONNECT).blame is Blame.CONFIG


async def test_behind_pgbouncer_everything_is_unnamed(driver: AsyncpgDriver, pgbouncer: LocalPgBouncer) -> None:
    """Statements, transactions, cursors, cancelling and settling work, and no statement stays on a server connection."""
    connections = [await driver.connect(options_for(pgbouncer, via="pgbouncer", read_only=True)) for _ in range(4)]
    try:
        for connection in connections:
            assert connection.flavor is Flavor.PGBOUNCER
            for number in range(4):
                assert await value(connection, "SELECT $1::int AS n", number) == number
            await connection.begin()
            cursor = await connection.cursor("SELECT g FROM generate_series(1, $1::int) AS g", (100,))
            assert len(await cursor.fetch(30)) == 30
            await cursor.close()
            await connection.commit()
            assert await connection.reset()
            assert (await connection.probe()).flavor is Flavor.PGBOUNCER
            task = asyncio.create_task(connection.send("SELECT pg_sleep(10)", ()))
            await asyncio.sleep(0.03)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                assert await connection.settle()
            assert await value(connection, "SELECT count(*) FROM pg_prepared_statements") == 0
    finally:
        for connection in connections:
            connection.terminate()


async def test_pgbouncers_own_refusals_have_their_verdicts(driver: AsyncpgDriver, pg: LocalCluster) -> None:
    """A queue that took too long is load, an unknown database is configuration."""
    settings = {"default_pool_size": 1, "query_wait_timeout": 1}
    with LocalPgBouncer(pg.primary, mode="transaction", options=settings) as bouncer:
        holder = await driver.connect(options_for(bouncer, via="pgbouncer"))
        await holder.begin()
        await holder.send("SELECT 1", ())
        with pytest.raises(Exception) as caught:
            await driver.connect(options_for(bouncer, via="pgbouncer"))
        verdict = driver.verdict(caught.value, Phase.CONNECT)
        assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.LOAD)
        holder.terminate()

        with pytest.raises(Exception) as unknown:
            await driver.connect(options_for(bouncer, via="pgbouncer", user="nobody_here"))
        assert driver.verdict(unknown.value, Phase.CONNECT).blame is Blame.CONFIG


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A self-signed certificate for localhost, and its key, where the server's account can read them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = processes.new_folder("certificate")
    public, private = folder / "server.crt", folder / "server.key"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    os.chmod(private, 0o600)
    processes.server_account("postgres").own(folder)
    yield public, private


@pytest.fixture(scope="module")
def encrypted(certificate: tuple[Path, Path]) -> Iterator[LocalServer]:
    """A server that speaks TLS."""
    public, private = certificate
    settings = {"ssl": "on", "ssl_cert_file": str(public), "ssl_key_file": str(private)}
    if servers.find(ServerKind.POSTGRESQL_15) is None and os.environ.get("CI") != "true":
        pytest.skip("the wheel's PostgreSQL has no TLS, and Debian's is not on this machine")
    with LocalCluster(ServerKind.POSTGRESQL_15, replicas=0, options=settings) as cluster:
        yield cluster.primary


@pytest.fixture
def fresh() -> Iterator[LocalServer]:
    """A server for this test alone, with few connections."""
    with LocalCluster(ServerKind.POSTGRESQL_18, replicas=0, options={"max_connections": 12}) as cluster:
        yield cluster.primary


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
async def test_tls_modes_against_a_server_that_has_it(
    connect: Connect, encrypted: LocalServer, certificate: tuple[Path, Path], mode: str
) -> None:
    """Each mode encrypts or does not, as libpq would; verification needs the authority that signed."""
    tls = TlsOptions(mode=mode, ca=str(certificate[0]) if mode.startswith("verify") else None)
    connection = await connect(encrypted, tls=tls, host="localhost" if mode == "verify-full" else encrypted.host)
    used = await value(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert used is (mode not in ("disable", "allow"))
    for _ in range(3):
        await connection.ping()
    await until(connection.check, what="the socket is quiet")
    await connection.close()


async def test_a_certificate_that_does_not_fit_is_refused(
    connect: Connect, driver: AsyncpgDriver, encrypted: LocalServer, certificate: tuple[Path, Path]
) -> None:
    """Unknown authority, or the wrong host name: the configuration is to blame, not the node."""
    for tls in (TlsOptions(mode="verify-ca"), TlsOptions(mode="verify-full", ca=str(certificate[0]))):
        with pytest.raises(OSError) as caught:
            await connect(encrypted, tls=tls)
        assert driver.verdict(caught.value, Phase.CONNECT).blame is Blame.CONFIG


async def test_tls_modes_against_a_server_that_has_none(connect: Connect, driver: AsyncpgDriver) -> None:
    """`prefer` falls back to plain, `require` refuses."""
    assert await value(await connect(tls=TlsOptions(mode="prefer")), "SELECT 1") == 1
    with pytest.raises(OSError) as caught:
        await connect(tls=TlsOptions(mode="require"))
    assert driver.verdict(caught.value, Phase.CONNECT).outcome is Outcome.NOT_APPLIED
