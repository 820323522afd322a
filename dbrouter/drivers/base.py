"""
The protocols a driver implements: `Driver` makes connections and judges their errors, `Connection` carries one statement
at a time.

A driver file (`asyncpg.py`, `aiomysql.py`, `asyncmy.py`) is the only place that imports its library.
`tests/contract/` runs one suite over every implementation, the fake of `dbrouter.testing` included.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dbrouter.drivers.outcome import Verdict
from dbrouter.terms import Engine, Flavor, Phase, Role

Row = Any
"""
`asyncpg.Record`, or dbrouter's `Row` on MySQL: same manners (``row["name"]``, ``row[0]``, ``len``, ``dict(row)``,
``.get``).
"""

Reply = tuple[Sequence[Row], Any, Any]
"""
What `Connection.send` answers: (rows, status, detail).

*status* is the server's tag as the driver has it (``bytes`` or ``str``; `Connection.describe` makes it readable),
*detail* is the driver's own.
A plain tuple, because the hot path builds no object it can do without.
"""

PasswordProvider = Callable[[str], Awaitable[str]] | Callable[[str], str]
"""Asked with the endpoint (``host:port``) at each connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """How to encrypt: mode is disable, prefer, require, verify-ca or verify-full; paths of PEM files or None."""

    mode: str = "prefer"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """Everything a driver needs to connect to one server; resolved from the configuration by `router/build.py`."""

    host: str
    """Host name, address, or (starting with ``/``) the path of a socket (directory for PostgreSQL, file for MySQL)."""
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    tls: TlsOptions = field(default_factory=TlsOptions)
    server_settings: dict[str, str] = field(default_factory=dict)
    """PostgreSQL start-up parameters / MySQL session variables set after connecting."""
    driver_options: dict[str, Any] = field(default_factory=dict)
    """Passed to the driver library as they are (from DSN parameters such as ``charset`` or ``application_name``)."""
    read_only: bool = False
    """Open the session read-only (Safety 2)."""
    via: str = "direct"
    """``direct`` or ``pgbouncer`` (no statement cache, no start-up parameters)."""
    timeout: float = 5.0
    """Seconds for connecting including TLS, authentication and session set-up."""
    init: tuple[str, ...] = ()
    """Statements run once on every new connection."""
    found_rows: bool = False
    """MySQL: report matched instead of changed rows."""

    @property
    def endpoint(self) -> str:
        """``host:port``, ``[::1]:port`` or the socket path, as messages and node names have it."""
        if self.host.startswith("/"):
            return f"{self.host}:{self.port}" if self.port else self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReply:
    """One look at a server through a probe connection."""

    role: Role
    flavor: Flavor
    server_version: str = ""
    identity: str = ""
    """What tells this server from any other (system identifier, ``server_uuid``, …)."""
    lag: float | None = None
    """Replication lag in seconds where one statement can tell; None where it cannot."""


class Cursor(Protocol):
    """A server-side cursor: constant memory, closed by `close` whatever happened."""

    async def fetch(self, count: int) -> Sequence[Row]:
        """Up to *count* further rows; empty at the end."""
        ...

    async def close(self) -> None:
        """Give the cursor back; the connection is usable afterwards or `Connection.dirty` says it is not."""
        ...


class Connection(Protocol):
    """
    One connection to one server, used by one task at a time.

    Cancellation: cancelling any coroutine of a connection leaves it in a state where `needs_settling` is True (or it is closed);
    nothing else may be sent before `settle` returned True.
    """

    raw: Any
    """The driver library's own connection object."""
    flavor: Flavor
    server_id: str
    """The server's own name for this session (backend pid, connection id), for logs and KILL."""

    def send(self, text: str, params: Sequence[Any]) -> Awaitable[Reply]:
        """
        Execute one statement and answer (rows, status, detail). THE hot path: a plain function that returns an awaitable.

        *params* empty means the text is sent as it is (no ``%%`` doubling on MySQL).
        The caller has already checked statement count and kind; autocommit unless `begin` was called.
        """
        ...

    async def send_script(self, text: str) -> Reply:
        """
        Several statements in one text, no parameters, by the simple protocol (PostgreSQL only); rows are empty,
        status is the last.
        """
        ...

    async def send_many(self, text: str, params_seq: Sequence[Sequence[Any]]) -> int | None:
        """
        The same statement for each parameters; the caller has opened a transaction. Rows changed, or None where the
        driver does not tell.
        """
        ...

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Open a server-side cursor (PostgreSQL: inside a transaction that the caller has begun)."""
        ...

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """(status text, rowcount, lastrowid) of *reply*; rowcount is rows returned or changed."""
        ...

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """Open a transaction by our own BEGIN; isolation is ``read committed``, ``repeatable read``, ``serializable`` or None."""
        ...

    async def commit(self) -> None:
        """Send COMMIT."""
        ...

    async def rollback(self) -> None:
        """Send ROLLBACK."""
        ...

    async def savepoint(self, name: str) -> None:
        """Make savepoint *name* (an identifier dbrouter made, never user text)."""
        ...

    async def release_savepoint(self, name: str) -> None:
        """RELEASE SAVEPOINT *name*."""
        ...

    async def rollback_to_savepoint(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT *name*."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether the server says a transaction is open (free: from the last reply)."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the driver knows the connection is gone."""
        ...

    @property
    def needs_settling(self) -> bool:
        """Whether a cancelled statement's end (or an unread reply) is still to come."""
        ...

    def check(self) -> bool:
        """
        Look at the socket without a round trip: False means the peer hung up, so nothing was sent yet and a write is safe
        to move.

        `poll(fd, POLLIN|POLLRDHUP|POLLHUP, 0)`; unexpected readable bytes count as doubtful and also answer False. Costs
        about 1 µs.
        """
        ...

    async def ping(self) -> None:
        """One cheap round trip; raises what the driver raises. The caller sets the time limit."""
        ...

    async def settle(self) -> bool:
        """
        After a cancel: wait for the acknowledgement and verify the stream with a round trip. False: close it. The
        caller sets the limit.
        """
        ...

    async def reset(self) -> bool:
        """
        Bring the session back to what it was after connecting (Safety 7, functions we do not know). False: close it
        instead.
        """
        ...

    async def probe(self) -> ProbeReply:
        """Role and identity of the server in one round trip."""
        ...

    def role_hint(self) -> Role:
        """
        What the last reply said of the role for free (PostgreSQL 14+: ``in_hot_standby``); `Role.UNKNOWN` where
        nothing is known.
        """
        ...

    def abandon(self) -> Callable[[], Awaitable[None]] | None:
        """
        What must still be done on the server for a statement whose caller is gone, if anything (MySQL: KILL by another
        connection,
        after it has shown that it reached the same server). The pool runs it in the background with a time limit.
        """
        ...

    async def close(self) -> None:
        """Say goodbye politely; the caller sets the time limit and calls `terminate` when it passes."""
        ...

    def terminate(self) -> None:
        """Close the socket at once; never raises, never waits."""
        ...


class Driver(Protocol):
    """Makes connections to one engine by one library and judges what they raise."""

    name: str
    engine: Engine

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> Connection:
        """
        Open a connection: socket options, TLS, authentication, read-only session, server settings, init statements.

        The whole of it ends within ``options.timeout`` seconds; a cancelled or failed connect leaves no socket behind.

        Raises:
            the library's own exceptions; `verdict` judges them with `Phase.CONNECT`.
        """
        ...

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error*, by table; unknown errors are judged by *phase* (AMBIGUOUS from `Phase.EXECUTE` on). Never raises."""
        ...


Stream = AsyncIterator[Row]
