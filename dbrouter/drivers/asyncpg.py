"""
The asyncpg driver: the only file that imports asyncpg.

asyncpg connects, authenticates, encodes and decodes. A statement takes a shorter way than `asyncpg.Connection.fetch`: its
prepared state is kept by text (`statements.py`) and handed to the protocol object directly, one dictionary lookup and one await
a call. That way uses attributes of asyncpg that are not public; where one is missing or has another shape, connections are
`IndirectConnection`s, which go through `asyncpg.Connection`'s public calls. `.raw` is a usable `asyncpg.Connection` all the time.

Cancelling a statement makes asyncpg send a CancelRequest on a socket of its own; the connection survives and must be settled
before it is used again. No time limit is given to asyncpg: whoever waits cancels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

import asyncpg

from dbrouter.drivers.base import ConnectOptions, Cursor, PasswordProvider, ProbeReply, Reply
from dbrouter.drivers.hooks import ask_password
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.postgres import (
    BACKEND_QUERY,
    PROBE_QUERY,
    PROBE_QUERY_WITHOUT_IDENTITY,
    RESET_SCRIPT,
    UNKNOWN_STARTUP_PARAMETER,
    begin_statement,
    check_text,
    judge,
    probe_reply,
    quoted,
    says_type_is_gone,
    tag,
)
from dbrouter.drivers.postgres_connect import is_pooler, let_go, library_arguments
from dbrouter.drivers.sockets import SocketWatch, watch_peer
from dbrouter.drivers.statements import KEPT, LONGEST, Sightings, Statements
from dbrouter.errors import TransactionAbortedError
from dbrouter.terms import Engine, Flavor, Phase, Role

_NONCES = count(1)
_TIDY_AT = 16
"""Orphaned names, each of which costs a round trip to close, are left until there are so many."""


class AsyncpgDriver:
    """
    Connections to PostgreSQL by asyncpg.

    Args:
        direct: hand statements to the protocol ourselves (see the module's docstring); False always takes the public calls.
    """

    name = "asyncpg"
    engine = Engine.POSTGRESQL

    def __init__(self, *, direct: bool = True) -> None:
        self._direct = direct and _can_go_direct()
        self._sightings = Sightings()

    def __repr__(self) -> str:
        return f"<AsyncpgDriver{'' if self._direct else ' direct=False'}>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> AsyncpgConnection:
        """
        Open a connection: socket options, TLS, authentication, read-only session as start-up parameter, init statements.

        Raises:
            TimeoutError: the whole took longer than ``options.timeout``; the message says what it was doing.
            OSError: it cannot be reached.
            ConfigError: the endpoint is PgBouncer and ``via`` does not say so; the options cannot be used.
            ConnectError: the password provider failed, or took the whole time.
            asyncpg.PostgresError: the server's refusal.
        """
        deadline = asyncio.get_running_loop().time() + options.timeout
        secret = await ask_password(options, password, deadline)
        step = "connecting and authenticating"
        raw: Any = None
        try:
            async with asyncio.timeout_at(deadline) as limit:
                raw = await asyncpg.connect(password=secret, **library_arguments(options))
                watch_peer(_socket(raw))
                step = "setting up the session"
                connection = await self._introduce(raw, options)
                await connection._run_init()
                return connection
        except BaseException as error:
            if raw is not None:
                raw.terminate()
            elif isinstance(error, (asyncio.CancelledError, TimeoutError)):
                let_go(error)
            if isinstance(error, TimeoutError) and limit.expired():
                raise TimeoutError(f"no connection to {options.endpoint} within {options.timeout:g}s ({step})") from error
            if UNKNOWN_STARTUP_PARAMETER in str(error) and getattr(error, "sqlstate", None) == "08P01":
                raise is_pooler(options, f"it answered: {error}") from error
            raise

    async def _introduce(self, raw: Any, options: ConnectOptions) -> AsyncpgConnection:
        """
        The connection, once two things are sure: the server itself answers where ``via`` is direct, and asyncpg's inside is as
        we know it.
        """
        make: type[AsyncpgConnection] = IndirectConnection
        if self._direct:
            make = AsyncpgConnection
        connection = make(raw, options, self._sightings)
        try:
            reply = await connection.send(BACKEND_QUERY, ())
            backend = _checked(reply)
        except (TypeError, AttributeError, ValueError):
            if make is IndirectConnection:
                raise
            self._direct = False
            connection = IndirectConnection(raw, options, self._sightings)
            backend = _checked(await connection.send(BACKEND_QUERY, ()))
        if options.via == "direct" and backend != raw.get_server_pid():
            raise is_pooler(options, f"backend {backend} answers where {raw.get_server_pid()} was announced")
        return connection

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the table of `postgres.py`."""
        return judge(error, phase, flavor)


def _checked(reply: Reply) -> int:
    """The backend's process id from the reply to `BACKEND_QUERY`, whose shape must be what the rest of this file relies on."""
    rows, status, _ = reply
    if not isinstance(rows, list) or not isinstance(status, (bytes, str)):
        raise TypeError("the protocol's reply has another shape")
    backend = rows[0][0]
    if not isinstance(backend, int):
        raise TypeError("the backend's process id is not a number")
    return backend


class AsyncpgConnection:
    """One connection by asyncpg, statements handed to its protocol object."""

    def __init__(self, raw: Any, options: ConnectOptions, sightings: Sightings) -> None:
        self.raw = raw
        self.flavor = Flavor.POSTGRESQL if options.via == "direct" else Flavor.PGBOUNCER
        self.server_id = str(raw.get_server_pid())
        self._init = options.init
        self._pooled = options.via != "direct"
        self._read_only = options.read_only or "default_transaction_read_only" in options.server_settings
        self._probe_query = PROBE_QUERY
        kept = 0 if self._pooled else int(options.driver_options.get("statement_cache_size", KEPT))
        longest = int(options.driver_options.get("max_cacheable_statement_size", LONGEST)) or 1 << 30
        self._sightings = sightings
        self._statements = Statements(sightings, kept=kept, longest=longest)
        self._kept = self._statements.current
        protocol = self._protocol = raw._protocol
        self._transport = raw._transport
        self._is_connected = protocol.is_connected
        self._bind_execute = getattr(protocol, "bind_execute", None)
        self._watch = SocketWatch(_socket(raw).fileno())

    def __repr__(self) -> str:
        state = "closed" if self.closed else "unsettled" if self.needs_settling else "open"
        return f"<{type(self).__name__} {self.flavor} pid={self.server_id} {state} {self._statements!r}>"

    # --- statements -------------------------------------------------------------------------------

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """HOT: execute one statement: (rows, the server's tag as bytes, whether it ran to its end)."""
        state = self._kept.get(text)
        if state is not None:
            try:
                return await self._bind_execute(state, params, "", 0, True, None)  # type: ignore[no-any-return,misc]
            except _STALE as error:
                await self._drop_statements(error, state.name, text)
        return await self._send_unkept(text, params)

    async def _send_unkept(self, text: str, params: Sequence[Any]) -> Reply:
        """What is not in the younger generation: found in the older, or prepared; once more where that turned out stale."""
        state = self._statements.revive(text) or await self._prepare(text)
        try:
            reply: Reply = await self._bind_execute(state, params, "", 0, True, None)  # type: ignore[misc]
        except _STALE as error:
            await self._drop_statements(error, state.name, text)
            state = await self._prepare(text)
            reply = await self._bind_execute(state, params, "", 0, True, None)  # type: ignore[misc]
        if not state.name:
            self._statements.ran(text)
        return reply

    async def _drop_statements(self, error: Exception, name: str, text: str) -> None:
        """
        *error* says that what we keep, here the statement *name* of *text*, is stale. Returns where nothing was run and it may be
        sent again; raises *error* otherwise. Other connections, whose own would be as stale, give up *text* too.
        """
        if isinstance(error, asyncpg.InternalServerError):
            if says_type_is_gone(error):
                self._statements.forget()
                self._sightings.stale(text)
                await self.raw.reload_schema_state()
            raise error
        if isinstance(error, asyncpg.InvalidSQLStatementNameError):
            if not name or name not in str(error):
                raise error  # the caller's own EXECUTE
            self._statements.lost()
        else:
            self._statements.forget()
            self._sightings.stale(text)
        await self.raw.reload_schema_state()
        if isinstance(error, asyncpg.OutdatedSchemaCacheError) or self.in_transaction:
            raise error

    async def _prepare(self, text: str) -> Any:
        """Prepare *text*, named if it has been seen before, with its parameter and row types known."""
        if self.closed:  # asyncpg would trip over what it has taken apart
            raise asyncpg.InterfaceError("cannot perform operation: connection is closed")
        check_text(text)
        statements = self._statements
        if statements.garbage or len(statements.orphans) >= _TIDY_AT:
            await self._tidy()
        name = statements.name_for(text)
        try:
            state = await self.raw._get_statement(text, None, named=name, use_cache=False)
        except BaseException:
            if name:
                statements.orphan(name)
            raise
        if name:
            statements.keep(text, state)
        return state

    async def _tidy(self) -> None:
        """Deallocate what is not kept any more, in one round trip; never inside a transaction, which it could break."""
        statements = self._statements
        if self.in_transaction:
            return
        if statements.garbage:
            try:
                await self._protocol.query(";".join(f"DEALLOCATE {name}" for name in statements.garbage), None)
            except asyncpg.InvalidSQLStatementNameError:
                # Somebody deallocated behind our back, or a cut attempt did: start from nothing.
                await self._protocol.query("DEALLOCATE ALL", None)
                statements.lost()
                await self.raw.reload_schema_state()
            statements.garbage.clear()
        while statements.orphans:
            state = _StatementState(statements.orphans[-1], "", self._protocol, asyncpg.Record, False)
            # A Close of a name that does not exist is no error, DEALLOCATE would be.
            await self._protocol.close_statement(state, None)
            statements.orphans.pop()

    async def send_script(self, text: str) -> Reply:
        """Several statements by the simple protocol: no rows, the last statement's tag."""
        check_text(text)
        try:
            return [], await self._protocol.query(text, None), None
        except AttributeError:  # asyncpg, of a text without any statement
            return [], "", None

    async def send_many(self, text: str, params_seq: Sequence[Sequence[Any]]) -> int | None:
        """The statement for each parameters, pipelined; asyncpg does not tell how many rows changed."""
        check_text(text)
        await self.raw.executemany(text, params_seq)
        return None

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """A portal; its rows come as they are fetched. The caller has opened a transaction."""
        if not self.in_transaction:
            raise asyncpg.NoActiveSQLTransactionError("a cursor needs an open transaction")
        state = self._kept.get(text) or await self._prepare(text)
        portal = f"dbrouter_{next(_NONCES)}"
        try:
            await self._protocol.bind(state, params, portal, None)
        except _STALE as error:
            await self._drop_statements(error, state.name, text)
            raise  # The transaction has failed with it: whoever opened it begins anew.
        return _Portal(self, state, portal)

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """(the server's tag, rows returned or changed, None): a tag without number and without rows has no count either."""
        text, number = tag(reply[1])
        return text, number if number is not None else len(reply[0]) or None, None

    # --- transactions -----------------------------------------------------------------------------

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """BEGIN; READ WRITE is never said, because it would undo a read-only session."""
        await self._command(begin_statement(isolation=isolation, readonly=readonly, deferrable=deferrable))

    async def commit(self) -> None:
        """
        Send COMMIT.

        Raises:
            TransactionAbortedError: the server answered ROLLBACK, because an earlier statement of the transaction had failed.
        """
        status = await self._command("COMMIT")
        if status != "COMMIT":
            raise TransactionAbortedError(
                f"COMMIT was answered with {status}: an earlier statement of the transaction had failed"
            )

    async def rollback(self) -> None:
        """Send ROLLBACK."""
        await self._command("ROLLBACK")

    async def savepoint(self, name: str) -> None:
        """Make savepoint *name*."""
        await self._command(f"SAVEPOINT {quoted(name)}")

    async def release_savepoint(self, name: str) -> None:
        """RELEASE SAVEPOINT *name*."""
        await self._command(f"RELEASE SAVEPOINT {quoted(name)}")

    async def rollback_to_savepoint(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT *name*."""
        await self._command(f"ROLLBACK TO SAVEPOINT {quoted(name)}")

    async def _command(self, text: str) -> str:
        return str(await self._protocol.query(text, None))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction, failed ones included, is open: the status byte of the last reply."""
        return bool(self._protocol.is_in_transaction())

    # --- state ------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, whoever closed it."""
        return not self._is_connected()

    @property
    def needs_settling(self) -> bool:
        """Whether a statement was cancelled and its end, or the end of the CancelRequest, has not been waited for."""
        return not self.closed and bool(self._protocol._is_cancelling())

    def check(self) -> bool:
        """Whether the server has neither hung up nor said anything unasked, as far as has arrived."""
        return self._is_connected() and self._watch.is_quiet()

    async def ping(self) -> None:
        """One round trip by the simple protocol."""
        await self._command("SELECT 1")

    async def settle(self) -> bool:
        """
        Wait for the cancelled statement's end, then have a number sent back by the server, inside a failed transaction as well.

        asyncpg waits until the CancelRequest's socket was closed, so that a late request meets no later statement; should one do
        so all the same, it is our number that it meets, and we ask again.
        """
        for _ in range(3):
            if self.closed:
                return False
            try:
                if await self._echo():
                    return not self.needs_settling and not self.closed
            except asyncpg.QueryCanceledError:
                continue
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                return False
            return False
        return False

    async def _echo(self) -> bool:
        """Whether the server answers with our own number."""
        number = next(_NONCES)
        try:
            rows, _, _ = await self.send("SELECT $1::int8", (number,))
        except asyncpg.InFailedSQLTransactionError:
            # Nothing but transaction control is allowed here. This changes nothing, and its error names the number.
            try:
                await self._command(f"ROLLBACK TO SAVEPOINT dbrouter_settled_{number}")
            except asyncpg.InvalidSavepointSpecificationError as error:
                return f"dbrouter_settled_{number}" in str(error)
            return False
        return bool(rows[0][0] == number)

    async def reset(self) -> bool:
        """
        Bring the session back to what it was after connecting: settings, role, cursors, locks, temporary tables, sequences,
        channels; then the init statements. Prepared statements stay.

        Behind PgBouncer nothing is done: there the session belongs to nobody.
        """
        if self._pooled:
            return not self.closed
        try:
            if self.in_transaction:
                return False
            await self._command(RESET_SCRIPT)
            await self._run_init()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            return False
        return not self.closed and not self.in_transaction

    async def _run_init(self) -> None:
        for statement in self._init:
            await self.send_script(statement)

    async def probe(self) -> ProbeReply:
        """Role, version, identity and lag of the server in one round trip (from the third look on)."""
        try:
            rows, _, _ = await self.send(self._probe_query, ())
        except asyncpg.InsufficientPrivilegeError:
            self._probe_query = PROBE_QUERY_WITHOUT_IDENTITY
            rows, _, _ = await self.send(self._probe_query, ())
        return probe_reply(rows[0], self.flavor, read_only=self._read_only)

    def role_hint(self) -> Role:
        """
        ``in_hot_standby`` as the server last reported it (PostgreSQL 14 and later), or ``default_transaction_read_only`` where it
        was not us who set it: a managed service's way of taking writes away.
        """
        settings = self._protocol.get_settings()
        if not self._read_only and getattr(settings, "default_transaction_read_only", "") == "on":
            return Role.REPLICA
        return _ROLES.get(getattr(settings, "in_hot_standby", ""), Role.UNKNOWN)

    def abandon(self) -> None:
        """Nothing: asyncpg has sent a CancelRequest."""
        return None

    async def close(self) -> None:
        """Say goodbye, after the end of a statement that was cancelled."""
        await self.raw.close()

    def terminate(self) -> None:
        """Close the socket at once, and the one of a CancelRequest on its way."""
        try:
            self.raw.terminate()
        except Exception:
            self._transport.abort()


class _Portal:
    """Rows of one statement, fetched in pieces; nothing of it is left on the server after `close`."""

    __slots__ = ("_connection", "_done", "_portal", "_state")

    def __init__(self, connection: AsyncpgConnection, state: Any, portal: str) -> None:
        self._connection = connection
        self._state = state
        self._portal = portal
        self._done = False

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        if self._done:
            return []
        rows: list[Any]
        rows, _, self._done = await self._connection._protocol.execute(self._state, self._portal, count, True, None)
        return rows

    async def close(self) -> None:
        """Close the portal; with the connection or the transaction it is gone anyway."""
        connection, self._done = self._connection, True
        if not connection.closed and connection.in_transaction:
            await connection._protocol.close_portal(self._portal, None)


class IndirectConnection(AsyncpgConnection):
    """The same by asyncpg's public calls: slower, and independent of how asyncpg looks inside."""

    def __init__(self, raw: Any, options: ConnectOptions, sightings: Sightings) -> None:
        super().__init__(raw, options, sightings)
        self._unsettled = False

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """Execute one statement by a public prepared statement."""
        return await self._send_unkept(text, params)

    async def _send_unkept(self, text: str, params: Sequence[Any]) -> Reply:
        try:
            return await self._watched(self._fetch(text, params))  # type: ignore[no-any-return]
        except _STALE as error:
            await self._drop_statements(error, "asyncpg_stmt", text)
        return await self._watched(self._fetch(text, params))  # type: ignore[no-any-return]

    async def _fetch(self, text: str, params: Sequence[Any]) -> Reply:
        check_text(text)
        statement = await self.raw.prepare(text, name="" if self._pooled else None)
        rows = await statement.fetch(*params)
        return rows, statement.get_statusmsg() if text.strip() else "", None

    async def send_script(self, text: str) -> Reply:
        """Several statements by `asyncpg.Connection.execute`."""
        check_text(text)
        try:
            return [], await self._watched(self.raw.execute(text)), None
        except AttributeError:  # asyncpg, of a text without any statement
            return [], "", None

    async def _command(self, text: str) -> str:
        return str(await self._watched(self.raw.execute(text)))

    async def _watched(self, call: Any) -> Any:
        try:
            return await call
        except asyncio.CancelledError:
            self._unsettled = True
            raise

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """A public cursor; its portal goes with the transaction."""
        check_text(text)
        statement = await self._watched(self.raw.prepare(text))
        return _PublicCursor(await self._watched(statement.cursor(*params)))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return not self.raw.is_closed() and bool(self.raw.is_in_transaction())

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return bool(self.raw.is_closed())

    @property
    def needs_settling(self) -> bool:
        """Whether a statement was cancelled."""
        return self._unsettled and not self.closed

    async def settle(self) -> bool:
        """Whether the server answers with our own number; asyncpg waits for the cancelled statement's end by itself."""
        self._unsettled = False
        return await super().settle()


class _PublicCursor:
    """`asyncpg`'s own cursor, which has no way to close its portal before the transaction ends."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        rows: list[Any] = await self._cursor.fetch(count) if self._cursor is not None else []
        return rows

    async def close(self) -> None:
        """Let go of it."""
        self._cursor = None


_ROLES = {"on": Role.REPLICA, "off": Role.PRIMARY}
_STALE = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InternalServerError,
)
"""What we keep of a statement does not, or may not, fit the server any more."""


def _socket(raw: Any) -> Any:
    return raw._transport.get_extra_info("socket")


def _can_go_direct() -> bool:
    """Whether this asyncpg has what `AsyncpgConnection` uses of its inside."""
    from asyncpg import Connection
    from asyncpg.protocol import Protocol

    needed = ("bind_execute", "bind", "execute", "close_portal", "close_statement", "query", "is_connected", "_is_cancelling")
    return (
        _StatementState is not None and all(hasattr(Protocol, name) for name in needed) and hasattr(Connection, "_get_statement")
    )


def _statement_state() -> Any:
    try:
        from asyncpg.protocol import protocol
    except ImportError:
        return None
    return getattr(protocol, "PreparedStatementState", None)


_StatementState = _statement_state()
