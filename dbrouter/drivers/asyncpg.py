"""
The asyncpg driver: the only file that imports asyncpg.

`send` calls the protocol object of asyncpg's connection directly, with a prepared statement kept per connection and text; that
skips the Python layers of `Connection.fetch` (about a quarter of its client CPU). The names it uses are not public: where one is
missing or of another shape, connections are `PublicConnection`s, which go through `PreparedStatement.fetch`.

A text that a connection sees for the first time is sent as an unnamed statement, which leaves nothing on the server; from the
second time on it is prepared and kept, at most `KEPT_STATEMENTS` per connection. Behind PgBouncer (`via: pgbouncer`) nothing is
ever kept.

Cancelling a statement lets asyncpg send a CancelRequest on a connection of its own; `settle` waits for the end of that.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from dbrouter.drivers.base import ConnectOptions, Cursor, PasswordProvider, ProbeReply, Reply, TlsOptions
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.postgres import PROBE_TEXT, RESET_TEXT, Meaning, begin_text, in_phase, meaning_of
from dbrouter.drivers.sockets import SocketWatch, watch_peer
from dbrouter.errors import ConfigError, DBRouterError, ParameterError, TransactionAbortedError
from dbrouter.terms import Blame, ConnectionFate, Engine, Flavor, Outcome, Phase, RetryWhere, Role

KEPT_STATEMENTS = 256
"""Prepared statements kept per connection."""
_SEEN_TEXTS = 1024
"""Texts remembered as seen once, per connection."""
_KEPT_LENGTH = 16 * 1024
"""Longer texts (characters) are never kept."""

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "SELECT", "MERGE", "MOVE", "FETCH", "COPY"})

_nonces = itertools.count(1)


class AsyncpgDriver:
    """
    Connections to PostgreSQL by asyncpg.

    Args:
        direct: use asyncpg's protocol object (see the module's docstring); False goes through its public calls.
    """

    name = "asyncpg"
    engine = Engine.POSTGRESQL

    def __init__(self, *, direct: bool = True) -> None:
        self._direct = direct

    def __repr__(self) -> str:
        return f"<AsyncpgDriver{'' if self._direct else ' direct=False'}>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> AsyncpgConnection:
        """
        Open a connection: socket, TLS, authentication, read-only session, settings, init statements.

        Raises:
            TimeoutError: the whole took longer than ``options.timeout`` seconds.
            OSError, asyncpg.PostgresError: it was refused.
            ConfigError: this is a PgBouncer and ``via`` does not say so.
        """
        try:
            async with asyncio.timeout(options.timeout) as limit:
                return await self._connect(options, password)
        except TimeoutError as error:
            if limit.expired():
                raise TimeoutError(f"no connection to {options.endpoint} within {options.timeout:g}s") from error.__cause__
            raise
        except asyncpg.PostgresError as error:
            if "unsupported startup parameter" in str(error):
                raise _this_is_a_pooler(options, str(error)) from error
            raise

    async def _connect(self, options: ConnectOptions, password: PasswordProvider | None) -> AsyncpgConnection:
        secret = options.password
        if password is not None:
            asked = password(options.endpoint)
            secret = await asked if inspect.isawaitable(asked) else asked
        pooled = options.via == "pgbouncer"
        settings = dict(options.server_settings)
        if options.read_only and not pooled:
            settings["default_transaction_read_only"] = "on"
        extra = dict(options.driver_options)
        if pooled:
            extra["statement_cache_size"] = 0
        raw = await asyncpg.connect(
            host=options.host,
            port=options.port or None,
            user=options.user,
            password=secret,
            database=options.database,
            ssl=_ssl(options.tls) if not options.host.startswith("/") else None,
            server_settings=settings or None,
            timeout=options.timeout + 1.0,
            command_timeout=None,
            **extra,
        )
        try:
            make = AsyncpgConnection if self._direct and _can_go_direct(raw) else PublicConnection
            connection = make(raw, options)
            await connection.run_init()
        except BaseException:
            raw.terminate()
            raise
        return connection

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `postgres.py`, and asyncpg's own classes here."""
        return judge(error, phase)


class AsyncpgConnection:
    """One connection by asyncpg, statements sent through its protocol object."""

    def __init__(self, raw: Any, options: ConnectOptions) -> None:
        self.raw: Any = raw
        self.flavor = Flavor.PGBOUNCER if options.via == "pgbouncer" else Flavor.POSTGRESQL
        self.server_id = str(raw.get_server_pid())
        self._options = options
        self._keeps = options.via != "pgbouncer"
        self._protocol = raw._protocol
        self._bind_execute: Callable[..., Awaitable[Any]] = raw._protocol.bind_execute
        self._states: dict[str, Any] = {}
        self._seen: dict[str, None] = {}
        transport = raw._transport
        sock = transport.get_extra_info("socket")
        watch_peer(sock)
        self._watch = SocketWatch(sock.fileno())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} pid={self.server_id}{' closed' if self.closed else ''}>"

    # ---- statements

    def send(self, text: str, params: Sequence[Any]) -> Awaitable[Reply]:
        """HOT: execute one statement; (rows, status bytes, True)."""
        state = self._states.get(text)
        if state is not None:
            return self._bind_execute(state, params, "", 0, True, None)
        return self._send_new(text, params)

    async def _send_new(self, text: str, params: Sequence[Any]) -> Reply:
        _refuse_nul(text)
        keep = text in self._seen and self._keeps
        state = await self.raw._get_statement(text, None, named=keep, use_cache=False)
        if keep:
            self._keep(text, state)
        elif self._keeps and len(text) <= _KEPT_LENGTH:
            if len(self._seen) >= _SEEN_TEXTS:
                del self._seen[next(iter(self._seen))]
            self._seen[text] = None
        reply: Reply = await self._bind_execute(state, params, "", 0, True, None)
        return reply

    def _keep(self, text: str, state: Any) -> None:
        self._seen.pop(text, None)
        if len(self._states) >= KEPT_STATEMENTS:
            oldest = self._states.pop(next(iter(self._states)))
            oldest.detach()
            self.raw._maybe_gc_stmt(oldest)  # closed on the server when the next one is prepared
        state.attach()
        self._states[text] = state

    async def send_script(self, text: str) -> Reply:
        """Several statements by the simple protocol; the status is the last one's."""
        _refuse_nul(text)
        status = await self.raw.execute(text)
        return (), status, None

    async def send_many(self, text: str, params_seq: Sequence[Sequence[Any]]) -> int | None:
        """The same statement for each parameters, pipelined; asyncpg does not tell how many rows changed."""
        _refuse_nul(text)
        await self.raw.executemany(text, params_seq)
        return None

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """A portal of the transaction that the caller has begun."""
        _refuse_nul(text)
        statement = await self.raw.prepare(text)
        return _Portal(await statement.cursor(*params))

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """The server's tag, the count at its end, and no insert id."""
        rows, status, _ = reply
        text = status.decode() if isinstance(status, bytes) else str(status or "")
        head, _, tail = text.rpartition(" ")
        if tail.isdigit() and head.partition(" ")[0] in _COUNTED:
            return text, int(tail), None
        return text, len(rows) if rows else None, None

    # ---- transactions

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """BEGIN, by the simple protocol."""
        await self.raw.execute(begin_text(isolation, readonly, deferrable))

    async def commit(self) -> None:
        """
        COMMIT.

        Raises:
            TransactionAbortedError: the server answered ROLLBACK, because an earlier statement had failed.
        """
        status = await self.raw.execute("COMMIT")
        if status != "COMMIT":
            raise TransactionAbortedError(f"COMMIT was answered with {status}: an earlier statement had failed")

    async def rollback(self) -> None:
        """ROLLBACK."""
        await self.raw.execute("ROLLBACK")

    async def savepoint(self, name: str) -> None:
        """SAVEPOINT."""
        await self.raw.execute(f"SAVEPOINT {name}")

    async def release_savepoint(self, name: str) -> None:
        """RELEASE SAVEPOINT."""
        await self.raw.execute(f"RELEASE SAVEPOINT {name}")

    async def rollback_to_savepoint(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT."""
        await self.raw.execute(f"ROLLBACK TO SAVEPOINT {name}")

    # ---- what is known without asking

    @property
    def in_transaction(self) -> bool:
        """From the last ReadyForQuery: exact."""
        return bool(self._protocol.is_in_transaction())

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return bool(self.raw.is_closed())

    @property
    def needs_settling(self) -> bool:
        """Whether a CancelRequest is under way."""
        return bool(self._protocol._is_cancelling())

    def check(self) -> bool:
        """A look at the socket; False when the peer hung up or sent something nobody asked for."""
        return not self.raw.is_closed() and self._watch.is_quiet()

    def role_hint(self) -> Role:
        """``in_hot_standby`` of the last ParameterStatus (PostgreSQL 14 and newer)."""
        hint = getattr(self.raw.get_settings(), "in_hot_standby", None)
        if hint is None:
            return Role.UNKNOWN
        return Role.REPLICA if hint == "on" else Role.PRIMARY

    # ---- upkeep

    async def run_init(self) -> None:
        """The init statements, each in the order given."""
        for statement in self._options.init:
            await self.raw.execute(statement)

    async def ping(self) -> None:
        """One round trip."""
        await self.raw.execute("SELECT 1")

    async def settle(self) -> bool:
        """Wait for the end of a cancelled statement and see that the next reply is the next statement's own."""
        if self.closed:
            return False
        await self._protocol._wait_for_cancellation()
        nonce = next(_nonces)
        if self.closed:
            return False
        failed = self.in_transaction
        if failed:
            # A failed transaction answers nothing but an error; the caller rolls back or closes.
            return not self.needs_settling
        return bool(await self.raw.fetchval("SELECT $1::int8", nonce) == nonce)

    async def reset(self) -> bool:
        """Undo what a function may have left on the session, and run the init statements again."""
        await self.raw.execute(RESET_TEXT)
        await self.run_init()
        return not self.in_transaction

    async def probe(self) -> ProbeReply:
        """
        Role, version and lag in one round trip.

        Raises:
            ConfigError: the session belongs to a pooler, and ``via`` does not say so.
        """
        rows, _, _ = await self.send(PROBE_TEXT, ())
        row = rows[0]
        if self.flavor is Flavor.POSTGRESQL and row["pid"] != self.raw.get_server_pid():
            raise _this_is_a_pooler(self._options, "its sessions are not the server's")
        replica = row["recovering"] or row["read_only"] == "on"
        return ProbeReply(
            role=Role.REPLICA if replica else Role.PRIMARY,
            flavor=self.flavor,
            server_version=row["version"],
            identity=row["started"],
            lag=row["lag"],
        )

    def abandon(self) -> Callable[[], Awaitable[None]] | None:
        """Nothing: asyncpg has sent a CancelRequest."""
        return None

    async def close(self) -> None:
        """Terminate message, then the socket."""
        await self.raw.close()

    def terminate(self) -> None:
        """Close the socket at once."""
        self.raw.terminate()


class PublicConnection(AsyncpgConnection):
    """The same through asyncpg's public calls, for versions whose inside looks different."""

    def send(self, text: str, params: Sequence[Any]) -> Awaitable[Reply]:
        """Execute one statement through a `PreparedStatement`."""
        return self._send_prepared(text, params)

    async def _send_prepared(self, text: str, params: Sequence[Any]) -> Reply:
        _refuse_nul(text)
        statement = self._states.get(text)
        if statement is None:
            statement = await self.raw.prepare(text)
            if self._keeps and len(text) <= _KEPT_LENGTH:
                if len(self._states) >= KEPT_STATEMENTS:
                    del self._states[next(iter(self._states))]
                self._states[text] = statement
        rows = await statement.fetch(*params)
        return rows, statement.get_statusmsg(), None


class _Portal:
    """A server-side cursor; it ends with its transaction."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows."""
        rows: Sequence[Any] = await self._cursor.fetch(count)
        return rows

    async def close(self) -> None:
        """Nothing to send: COMMIT or ROLLBACK closes the portal."""
        self._cursor = None


# ---- verdicts

_NEVER_SENT = Meaning(Outcome.FAILED, Blame.NONE, ConnectionFate.KEEP, RetryWhere.NOWHERE, "nothing was sent")
_STALE = Meaning(
    Outcome.NOT_APPLIED,
    Blame.NONE,
    ConnectionFate.DROP_SIBLINGS,
    RetryWhere.SAME,
    "the connection was already closed",
    transport=True,
)
_SHARED = Meaning(
    Outcome.NOT_APPLIED, Blame.NONE, ConnectionFate.DROP, RetryWhere.NOWHERE, "another operation uses the connection"
)
_SCHEMA_CHANGED = Meaning(
    Outcome.NOT_APPLIED, Blame.NONE, ConnectionFate.DROP_SIBLINGS, RetryWhere.SAME, "prepared before the schema changed"
)
_UNREADABLE = Meaning(Outcome.APPLIED, Blame.NONE, ConnectionFate.DROP_SIBLINGS, RetryWhere.NOWHERE, "it ran; a type has changed")
_LOST = Meaning(
    Outcome.AMBIGUOUS, Blame.NODE, ConnectionFate.DROP_SIBLINGS, RetryWhere.OTHER, "the connection was lost", transport=True
)
_TIMED_OUT = Meaning(Outcome.AMBIGUOUS, Blame.NODE, ConnectionFate.DROP, RetryWhere.OTHER, "no answer in time", transport=True)
_STREAM_BROKEN = Meaning(Outcome.AMBIGUOUS, Blame.NODE, ConnectionFate.DROP, RetryWhere.OTHER, "the protocol stream is broken")
_UNKNOWN = Meaning(Outcome.AMBIGUOUS, Blame.NONE, ConnectionFate.DROP, RetryWhere.NOWHERE, "unknown error")
_CONFIG = Meaning(Outcome.NOT_APPLIED, Blame.CONFIG, ConnectionFate.DROP, RetryWhere.NOWHERE, "configuration")


def judge(error: BaseException, phase: Phase) -> Verdict:
    """What *error* means at *phase*; never raises."""
    return in_phase(_meaning(error).verdict(_code(error)), phase)


def _code(error: BaseException) -> str:
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) and sqlstate else type(error).__name__


def _meaning(error: BaseException) -> Meaning:
    # A client-side DataError has a SQLSTATE and was never sent; a lost connection has one and is no answer: classes come first.
    if isinstance(error, ConfigError):
        return _CONFIG
    if isinstance(error, DBRouterError):
        return _NEVER_SENT
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return _SCHEMA_CHANGED
    if isinstance(error, asyncpg.OutdatedSchemaCacheError):
        return _UNREADABLE
    if isinstance(error, asyncpg.ConnectionDoesNotExistError):
        return _LOST
    if isinstance(error, asyncpg.InternalClientError):
        return _STALE if "cannot switch to state" in str(error) else _STREAM_BROKEN
    if isinstance(error, asyncpg.InterfaceError):
        return _interface_meaning(error)
    if isinstance(error, asyncpg.PostgresError):
        return meaning_of(error.sqlstate or "", str(error.args[0]) if error.args else "")
    if isinstance(error, TimeoutError):  # before OSError: it is one
        return _TIMED_OUT
    if isinstance(error, OSError | EOFError):
        return _LOST
    if isinstance(error, ValueError | TypeError | OverflowError | LookupError | UnicodeError):
        return _NEVER_SENT
    return _UNKNOWN


def _interface_meaning(error: BaseException) -> Meaning:
    text = str(error)
    if "closed" in text or "released" in text or "terminated" in text:
        return _STALE
    if "another operation" in text:
        return _SHARED
    return _NEVER_SENT


# ---- small things


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        position = text.index("\0")
        raise ParameterError(f"the statement holds a NUL character at position {position}; PostgreSQL's protocol cannot carry it")


def _this_is_a_pooler(options: ConnectOptions, detail: str) -> ConfigError:
    return ConfigError(
        f"{options.endpoint} is a pooler such as PgBouncer, not a PostgreSQL server ({detail});"
        " set 'via: pgbouncer' for this database, or connect to the server directly"
    )


def _can_go_direct(raw: Any) -> bool:
    """Whether this asyncpg has the inside that `AsyncpgConnection` uses."""
    protocol = getattr(raw, "_protocol", None)
    return (
        all(hasattr(protocol, name) for name in ("bind_execute", "_is_cancelling", "_wait_for_cancellation", "is_in_transaction"))
        and hasattr(raw, "_get_statement")
        and hasattr(raw, "_maybe_gc_stmt")
        and getattr(raw, "_transport", None) is not None
    )


def _ssl(tls: TlsOptions) -> Any:
    """asyncpg's `ssl` argument: a mode by name, or a context where files are given."""
    mode = tls.mode
    if mode == "disable":
        return False
    if mode in ("prefer", "require") and not (tls.ca or tls.cert):
        return mode
    if mode == "prefer":
        mode = "require"
    context = ssl.create_default_context(cafile=tls.ca)
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context
