"""
FakeDriver: a driver without a network, over `FakeServer`s in this process.

It implements the same protocols as the real drivers and passes the same contract suite, so a router over it behaves as over a
database:

    primary = FakeServer()
    driver = FakeDriver({"db1:5432": primary, "db2:5432": primary.replica()})

With ``engine=Engine.MYSQL`` it has the manners of the MySQL drivers where they differ: cancelling a statement closes its
connection (`abandon` kills it on the server), an error leaves a transaction open, ``lastrowid`` is told. A cancelled statement
that had begun on the server has had its effect.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dbrouter.drivers.base import ConnectOptions, PasswordProvider, ProbeReply, Reply
from dbrouter.drivers.hooks import ask_password
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.rows import row_class
from dbrouter.errors import DBRouterError
from dbrouter.terms import Blame, ConnectionFate, Engine, Flavor, Outcome, Phase, RetryWhere, Role
from dbrouter.testing.fakeserver import FakeError, FakeServer, Gate

__all__ = ["FakeConnection", "FakeDriver", "FakeError", "FakeServer", "Gate"]

_LOST = "08006"
_SLEEP = re.compile(r"\A\s*SELECT\s+(?:pg_sleep|sleep)\(\s*([\d.]+|\$1|%s)(?:::\w+)?\s*\)\s*;?\s*\Z", re.IGNORECASE)
_SET = re.compile(r"\A\s*SET\s+(?:SESSION\s+)?([\w.@]+)\s*(?:=|\bTO\b)\s*(.+?)\s*;?\s*\Z", re.IGNORECASE | re.DOTALL)
_SHOW = re.compile(r"\A\s*SHOW\s+([\w.]+)\s*;?\s*\Z", re.IGNORECASE)
_NUMBERED = re.compile(r"\?(\d+)")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\d+|%s|%%|::\s*\w+(?:\[\])?|;", re.DOTALL)


class FakeDriver:
    """
    Connections to fake servers.

    Args:
        servers: by endpoint (``host:port``), or one server for every endpoint.
        engine: whose manners to have.
    """

    name = "fake"

    def __init__(self, servers: FakeServer | Mapping[str, FakeServer], *, engine: Engine = Engine.POSTGRESQL) -> None:
        self.engine = engine
        self._servers = servers

    def __repr__(self) -> str:
        return f"<FakeDriver {self.engine}>"

    def server(self, endpoint: str) -> FakeServer:
        """The server behind *endpoint*."""
        if isinstance(self._servers, FakeServer):
            return self._servers
        found = self._servers.get(endpoint)
        if found is None:
            raise ConnectionRefusedError(111, f"no fake server at {endpoint}")
        return found

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> FakeConnection:
        """
        Open a connection.

        Raises:
            ConnectionRefusedError: nobody listens.
            TimeoutError: the server did not answer within ``options.timeout``.
            FakeError: it refused, or an init statement failed.
            ConnectError: the password provider failed, or took the whole time.
        """
        connection: FakeConnection | None = None
        deadline = asyncio.get_running_loop().time() + options.timeout
        secret = await ask_password(options, password, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                server = self.server(options.endpoint)
                server_id = await server.admit(secret)
                connection = FakeConnection(server, server_id, self.engine)
                for statement in options.init:
                    await connection.send(statement, ())
                connection.ready(options)
        except BaseException:
            if connection is not None:
                connection.terminate()
            raise
        return connection

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the code it carries, else by *phase*."""
        if isinstance(error, DBRouterError):
            return _NOTHING_SENT if phase > Phase.CHECK else _SETTINGS
        sent = phase >= Phase.EXECUTE
        lost = Outcome.AMBIGUOUS if sent and phase is not Phase.TRANSACTION else Outcome.NOT_APPLIED
        if isinstance(error, FakeError) and error.code in _ANSWERS:
            outcome, blame, fate, where = _ANSWERS[error.code]
            return Verdict(
                outcome=outcome,
                blame=blame,
                connection=fate,
                route=where,
                code=error.code,
                read_only_refusal=error.code == "25006",
            )
        if isinstance(error, FakeError) and error.code != _LOST:
            fate = ConnectionFate.KEEP if sent else ConnectionFate.DROP
            return Verdict(outcome=Outcome.FAILED, blame=Blame.NONE, connection=fate, route=RetryWhere.NOWHERE, code=error.code)
        transport = isinstance(error, FakeError | OSError | EOFError)
        return Verdict(
            outcome=lost,
            blame=Blame.NODE if transport else Blame.NONE,
            connection=ConnectionFate.DROP,
            route=RetryWhere.OTHER,
            code=error.code if isinstance(error, FakeError) else type(error).__name__,
            transport=transport,
        )


_NOTHING_SENT = Verdict(
    outcome=Outcome.FAILED,
    blame=Blame.NONE,
    connection=ConnectionFate.KEEP,
    route=RetryWhere.NOWHERE,
    code="DBRouterError",
    note="nothing was sent",
)
_SETTINGS = replace(_NOTHING_SENT, outcome=Outcome.NOT_APPLIED, blame=Blame.CONFIG, connection=ConnectionFate.DROP)
_ANSWERS: dict[str, tuple[Outcome, Blame, ConnectionFate, RetryWhere]] = {
    "25006": (Outcome.NOT_APPLIED, Blame.ROLE, ConnectionFate.DROP, RetryWhere.WRITER),
    "28P01": (Outcome.NOT_APPLIED, Blame.CONFIG, ConnectionFate.DROP, RetryWhere.NOWHERE),
    "40001": (Outcome.ROLLED_BACK, Blame.NONE, ConnectionFate.KEEP, RetryWhere.SAME_LATER),
    "40P01": (Outcome.ROLLED_BACK, Blame.NONE, ConnectionFate.KEEP, RetryWhere.SAME_LATER),
    "53300": (Outcome.NOT_APPLIED, Blame.LOAD, ConnectionFate.DROP, RetryWhere.OTHER_LATER),
    "57P01": (Outcome.NOT_APPLIED, Blame.NODE, ConnectionFate.DROP_SIBLINGS, RetryWhere.OTHER),
    "57P03": (Outcome.NOT_APPLIED, Blame.NODE, ConnectionFate.DROP, RetryWhere.OTHER),
}


class FakeConnection:
    """
    A session on a `FakeServer`; made by `FakeDriver.connect`.

    Attributes:
        settings: what ``SET`` has made of the session.
        settles: what `settle` and `reset` answer.
    """

    def __init__(self, server: FakeServer, server_id: str, engine: Engine) -> None:
        self.raw = self
        self.server = server
        self.server_id = server_id
        self.flavor = Flavor.POSTGRESQL if engine is Engine.POSTGRESQL else Flavor.MYSQL
        self.settings: dict[str, str] = {}
        self.settles = True
        self._session_default: dict[str, str] = {}
        self._read_only = False
        self._found_rows = False
        self._tx_read_only = False
        self._aborted = False
        self._killed = False
        self._closed = False
        self._unsettled = False
        self._abandoned = False
        self._busy = False
        self._database: sqlite3.Connection | None = None
        self._is_replica = server.role is not Role.PRIMARY
        server.connections.add(self)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "in transaction" if self.in_transaction else "ready"
        return f"<FakeConnection {self.server_id} to {self.server.name} {state}>"

    def ready(self, options: ConnectOptions) -> None:
        """The end of connecting: the session as *options* want it is what `reset` goes back to."""
        self.settings.update(options.server_settings)
        self._read_only = options.read_only
        self._found_rows = options.found_rows
        self._session_default = dict(self.settings)

    # ---- statements

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """Execute one statement."""
        return await self._exchange(text, tuple(params))

    async def send_script(self, text: str) -> Reply:
        """Several statements in one text, all or nothing."""
        if self.flavor is not Flavor.POSTGRESQL:
            raise FakeError("several statements in one text", "42601")
        return await self._exchange(text, (), script=True)

    async def send_many(self, text: str, params_seq: Sequence[Sequence[Any]]) -> int | None:
        """The same statement for each parameters."""
        changed = 0
        for params in params_seq:
            reply = await self._exchange(text, tuple(params))
            changed += reply[2][0]
        return None if self.flavor is Flavor.POSTGRESQL else changed

    async def cursor(self, text: str, params: Sequence[Any]) -> FakeCursor:
        """A cursor over the statement's rows."""
        rows, _, _ = await self._exchange(text, tuple(params))
        return FakeCursor(self, rows)

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """(status, rowcount, lastrowid)."""
        rowcount, lastrowid = reply[2]
        return reply[1], rowcount, lastrowid

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """BEGIN."""
        await self._exchange("BEGIN", ())
        self._tx_read_only = readonly

    async def commit(self) -> None:
        """COMMIT; a transaction that PostgreSQL holds for aborted is rolled back instead, without an error."""
        await self._exchange("COMMIT", ())

    async def rollback(self) -> None:
        """ROLLBACK."""
        await self._exchange("ROLLBACK", ())

    async def savepoint(self, name: str) -> None:
        """SAVEPOINT *name*."""
        await self._exchange(f'SAVEPOINT "{name}"', ())

    async def release_savepoint(self, name: str) -> None:
        """RELEASE SAVEPOINT *name*."""
        await self._exchange(f'RELEASE SAVEPOINT "{name}"', ())

    async def rollback_to_savepoint(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT *name*."""
        await self._exchange(f'ROLLBACK TO SAVEPOINT "{name}"', ())

    # ---- the session

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._database is not None and self._database.in_transaction

    @property
    def closed(self) -> bool:
        """Whether the connection is known to be gone."""
        return self._closed

    @property
    def needs_settling(self) -> bool:
        """Whether a cancelled statement's end is still to come."""
        return self._unsettled

    def check(self) -> bool:
        """Whether the peer is still there."""
        return not (self._closed or self._killed)

    async def ping(self) -> None:
        """A round trip."""
        await self.server.let_through(self._alive)

    async def settle(self) -> bool:
        """Wait for the end of a cancelled statement."""
        await self.server.let_through(self._alive)
        if not self.settles:
            return False
        self._unsettled = False
        return True

    async def reset(self) -> bool:
        """The session as it was after connecting."""
        await self.server.let_through(self._alive)
        self.settings = dict(self._session_default)
        return self.settles and not self.in_transaction

    async def probe(self) -> ProbeReply:
        """What this server is."""
        await self.server.let_through(self._alive)
        return ProbeReply(
            role=self.server.role, flavor=self.flavor, server_version="fake", identity=self.server.name, lag=self.server.lag
        )

    def role_hint(self) -> Role:
        """What the last reply said of the role."""
        if self.flavor is not Flavor.POSTGRESQL:
            return Role.UNKNOWN
        return Role.REPLICA if self._is_replica else Role.PRIMARY

    def abandon(self) -> Callable[[], Awaitable[None]] | None:
        """KILL, where a cancelled statement may still run (MySQL's manners)."""
        return self._kill_on_server if self._abandoned else None

    async def _kill_on_server(self) -> None:
        await self.server.let_through()
        self._abandoned = False
        self.server.killed.append(self.server_id)

    async def close(self) -> None:
        """Say goodbye."""
        await asyncio.sleep(0)
        self.terminate()

    def terminate(self) -> None:
        """End the session at once; an open transaction is rolled back."""
        self._closed = True
        self._leave_server()

    def kill(self) -> None:
        """The server ends this session; the client finds out when it looks."""
        self._killed = True
        self._leave_server()

    def _leave_server(self) -> None:
        self.server.connections.discard(self)
        if self._database is not None:
            self._database.close()
            self._database = None
        self.server.notify()

    # ---- running

    def _alive(self) -> None:
        if self._killed or self._closed:
            self.terminate()
            raise FakeError("the connection was closed", _LOST)

    async def _exchange(self, text: str, params: tuple[Any, ...], *, script: bool = False) -> Reply:
        if self._busy or self._unsettled:
            raise FakeError("another operation is in progress on this connection", "08P01")
        self._busy = True
        try:
            self._alive()
            return await self._run(text, params, script)
        except asyncio.CancelledError:
            if self.flavor is Flavor.POSTGRESQL:
                self._unsettled = not self._closed
            else:
                self._abandoned = True
                self.terminate()
            raise
        finally:
            self._busy = False

    async def _run(self, text: str, params: tuple[Any, ...], script: bool) -> Reply:
        server = self.server
        await server.let_through(self._alive)
        await server.pass_gates(text, self._alive)
        server.log.append((self.server_id, text, params))
        self._is_replica = server.role is not Role.PRIMARY
        failure = server.take_failure()
        if failure is not None and not failure[1]:
            self._failed(failure[0])
            raise failure[0]
        reply = await self._answer(text, params, script)
        if server.latency:
            await asyncio.sleep(server.latency)
            self._alive()
        await server.let_through(self._alive)
        if failure is not None:
            self._failed(failure[0])
            raise failure[0]
        return reply

    def _failed(self, error: BaseException) -> None:
        """PostgreSQL takes nothing more in a transaction after an error; a lost connection is lost."""
        if not isinstance(error, FakeError) or error.code == _LOST:
            self.terminate()
        elif self.flavor is Flavor.POSTGRESQL and self.in_transaction:
            self._aborted = True

    async def _sleep(self, seconds: float) -> None:
        """Sleep on the server: the end of the session ends it."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.server.changed()
                    self._alive()
        except TimeoutError:
            self._alive()

    async def _answer(self, text: str, params: tuple[Any, ...], script: bool) -> Reply:
        try:
            scripted = self.server.scripted(text, params)
            if scripted is not None:
                return scripted[0], scripted[1], (len(scripted[0]), None)
            slept = _SLEEP.match(text)
            if slept:
                await self._sleep(float(params[0] if params else slept[1]))
                return [row_class(("sleep",))((0,))], "SELECT 1", (1, None)
            if match := _SET.match(text):
                self.settings[match[1].lower()] = match[2].strip("'\"")
                return [], "SET", (0, None)
            if match := _SHOW.match(text):
                return [row_class((match[1],))((self.settings.get(match[1].lower(), ""),))], "SHOW", (1, None)
            statements = _translate(text)
            if len(statements) > 1 and not script:
                raise FakeError("cannot insert multiple commands into a prepared statement", "42601")
            if script and not self.in_transaction:
                statements = ["BEGIN", *statements, "COMMIT"]
            reply: Reply = ([], "", (0, None))
            for statement in statements:
                try:
                    answer = await self._execute(statement, params)
                except FakeError:
                    if script and statements[0] == "BEGIN":
                        await self._execute("ROLLBACK", ())
                    raise
                if not (script and statement in ("BEGIN", "COMMIT")):
                    reply = ([], answer[1], answer[2]) if script else answer
            return reply
        except FakeError as error:
            self._failed(error)
            raise

    async def _execute(self, statement: str, params: tuple[Any, ...]) -> Reply:
        word = statement.split(None, 1)[0].upper() if statement.strip() else ""
        if self._aborted and word not in ("ROLLBACK", "COMMIT"):
            raise FakeError("current transaction is aborted, commands ignored until end of transaction block", "25P02")
        if self._aborted and word == "COMMIT":
            statement = word = "ROLLBACK"
        if word in ("COMMIT", "ROLLBACK") and not self.in_transaction:
            return [], word, (0, None)
        while True:
            self._alive()
            try:
                database = self._open()
                database.execute(f"PRAGMA query_only = {int(self._refuses_writes() and word not in _OF_TRANSACTIONS)}")
                cursor = database.execute(statement, _bindings(statement, params))
                found = cursor.fetchall()
                break
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    raise _as_fake(error) from None
            # Another transaction holds the write lock.
            await self.server.root.changed()
        if word in ("COMMIT", "ROLLBACK"):
            self._aborted = False
            self._tx_read_only = self._tx_read_only and self.in_transaction
        if not self.in_transaction:
            self.server.root.notify()
        if cursor.description is None:
            count = max(cursor.rowcount, 0)
            lastrowid = cursor.lastrowid if word == "INSERT" and self.flavor is not Flavor.POSTGRESQL else None
            return [], _tag(word, count), (count, lastrowid)
        row = row_class(tuple(column[0] for column in cursor.description))
        rows = [row(values) for values in found]
        return rows, _tag("SELECT" if word in ("WITH", "VALUES") else word, len(rows)), (len(rows), None)

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            database = sqlite3.connect(self.server.store, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = OFF")
            except sqlite3.Error:
                database.close()
                raise
            self._database = database
        return self._database

    def _refuses_writes(self) -> bool:
        default = self.settings.get("default_transaction_read_only", "off") in ("on", "true", "1")
        return self._is_replica or self._read_only or self._tx_read_only or default


class FakeCursor:
    """A cursor over rows that are all here already."""

    def __init__(self, connection: FakeConnection, rows: Sequence[Any]) -> None:
        self._connection = connection
        self._rows = list(rows)

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows."""
        await self._connection.ping()
        batch, self._rows = self._rows[:count], self._rows[count:]
        return batch

    async def close(self) -> None:
        """Forget the rest."""
        self._rows = []


_OF_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")

_CODES = {
    sqlite3.SQLITE_READONLY: "25006",
    sqlite3.SQLITE_BUSY_SNAPSHOT: "40001",
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "23505",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "23505",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "23502",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "23514",
}


def _as_fake(error: sqlite3.Error) -> FakeError:
    message = str(error)
    if isinstance(error, sqlite3.ProgrammingError):
        return FakeError(message, "08P01")
    code = _CODES.get(getattr(error, "sqlite_errorcode", -1))
    if code is None:
        code = (
            "42P01" if message.startswith("no such table") else "23000" if isinstance(error, sqlite3.IntegrityError) else "42601"
        )
    if code == "25006":
        message = "cannot execute this statement in a read-only transaction"
    return FakeError(message, code)


def _tag(word: str, count: int) -> str:
    if word == "INSERT":
        return f"INSERT 0 {count}"
    return f"{word} {count}" if word in ("SELECT", "UPDATE", "DELETE") else word


def _bindings(statement: str, params: tuple[Any, ...]) -> tuple[Any, ...] | dict[str, Any]:
    """
    *params* as SQLite wants them.

    Numbered ones go by name: CPython 3.12.0 to 3.12.3 warns of numbers with a sequence (gh-117995). A mapping may hold more than
    the statement asks for, which servers refuse.
    """
    values = tuple(_bindable(value) for value in params)
    numbers = [int(number) for number in _NUMBERED.findall(statement)]
    if not numbers or len(values) > max(numbers):
        return values
    return {str(number): value for number, value in enumerate(values, start=1)}


def _bindable(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)


def _translate(text: str) -> list[str]:
    """The statements of *text* in SQLite's words: ``$1`` and ``%s`` become ``?1`` and ``?``, casts are dropped."""
    statements: list[str] = []
    start, out = 0, []
    for match in _TOKEN.finditer(text):
        token = match[0]
        out.append(text[start : match.start()])
        start = match.end()
        if token == ";":
            statements.append("".join(out))
            out = []
        elif token[0] == "$":
            out.append(f"?{token[1:]}")
        elif token == "%s":
            out.append("?")
        elif token == "%%":
            out.append("%")
        elif not token.startswith("::"):
            out.append(token)
    statements.append("".join(out) + text[start:])
    return [statement for statement in statements if statement.strip()] or [""]
