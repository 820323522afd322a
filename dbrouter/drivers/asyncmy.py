"""
The asyncmy driver: the only file that imports asyncmy, which is optional (``pip install 'dbrouter[asyncmy]'``).

asyncmy reads replies in compiled code; what it spends above that, in its cursors and its pool, is left out here.
`.raw` is a usable `asyncmy.Connection` all the time.
Before 0.2.13 asyncmy handed a cancelled query's rows to the next one, so older versions are refused.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from ssl import SSLError
from typing import TYPE_CHECKING, Any

from dbrouter.drivers.base import ConnectOptions, Cursor, PasswordProvider, Reply
from dbrouter.drivers.mysql import (
    describe,
    error_number,
    flavor_of,
    judge,
    library_options,
    setup_statements,
)
from dbrouter.drivers.mysql_session import (
    CredentialsError,
    MysqlSession,
    as_latin1,
    ask_password,
    must_encrypt,
    tls_context,
)
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.rows import Row, row_class
from dbrouter.drivers.sockets import SocketWatch, watch_peer
from dbrouter.errors import ConfigError
from dbrouter.terms import Engine, Flavor, Phase

if TYPE_CHECKING:  # its type information does not cover what we use
    Library: Any = object
    CLIENT: Any
    InterfaceError: Any
    MySQLError: Any
    MySQLResult: Any
    OperationalError: Any
    Protocol: Any
    charset_by_name: Any
    escape_item: Any
    version: str | None
else:
    try:
        from asyncmy.charset import charset_by_name
        from asyncmy.connection import Connection as Library
        from asyncmy.connection import MySQLResult
        from asyncmy.connection import _MySQLProtocol as Protocol
        from asyncmy.constants import CLIENT
        from asyncmy.converters import escape_item
        from asyncmy.errors import InterfaceError, MySQLError, OperationalError
        from asyncmy.version import __VERSION__ as version
    except ImportError:
        Library, MySQLError, version = object, Exception, None

_OLDEST = (0, 2, 13)
_OPTIONS = {
    "charset": "charset",
    "collation": "collation",
    "sql_mode": "sql_mode",
    "program_name": "program_name",
    "application_name": "program_name",
    "auth_plugin_map": "auth_plugin_map",
    "server_public_key": "server_public_key",
    "conv": "conv",
}
_HEADER = struct.Struct("<IB")
_COM_QUIT, _COM_QUERY = 1, 3
_MAX_PACKET = 0xFFFFFF
_DRAIN_ROWS = 5_000
_DRAIN_SECONDS = 0.1
"""How much of a stream that is left half-way is read away before the connection is closed instead."""
_ROW_CLASSES = 512


class AsyncmyDriver:
    """
    Connections to MySQL and MariaDB by asyncmy.

    Raises:
        ConfigError: asyncmy is not installed, or too old.
    """

    name = "asyncmy"
    engine = Engine.MYSQL

    def __init__(self) -> None:
        if version is None:
            raise ConfigError("the driver asyncmy is not installed: pip install 'dbrouter[asyncmy]'")
        if tuple(int(part) for part in version.split(".")[:3] if part.isdigit()) < _OLDEST:
            raise ConfigError(f"asyncmy {version} mixes up replies after a cancelled query; at least 0.2.13 is needed")
        self._classes: dict[tuple[str, ...], type[Row]] = {}

    def __repr__(self) -> str:
        return "<AsyncmyDriver>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> AsyncmyConnection:
        """
        Open a connection: socket, TLS, authentication, settings, init statements, read-only session.

        Raises:
            OperationalError: 2003 when it cannot be reached or the whole took longer than ``options.timeout``; 2026 TLS;
                2061 no password; the server's own numbers.
            ConfigError: options that no server could fulfil.
        """
        settings = {"charset": "utf8mb4", "program_name": "dbrouter"} | library_options(options, _OPTIONS, "asyncmy")
        collation, sql_mode = settings.pop("collation", None), settings.pop("sql_mode", None)
        if sql_mode is not None:
            options = replace(options, server_settings={"sql_mode": sql_mode} | options.server_settings)
        statements = setup_statements(options, settings["charset"], collation)
        return await self._open(options, settings, password, None, statements)

    async def _open(
        self,
        options: ConnectOptions,
        settings: dict[str, Any],
        password: PasswordProvider | None,
        peer: tuple[str, int] | None,
        statements: Sequence[str] | None,
    ) -> AsyncmyConnection:
        """Connect to *peer*, or to where the options point, and prepare the session unless *statements* is None."""
        place = f"Can't connect to MySQL server on {options.endpoint!r}"
        step = "asking for the password"
        link: _Link | None = None
        try:
            async with asyncio.timeout(options.timeout) as limit:
                secret = await ask_password(options, password)
                link = _link(options, settings, secret)
                step = "connecting"
                await link.reach(peer)
                step = "authenticating"
                await link.greet()
                connection = self._connection(link, options, settings, password)
                step = "setting up the session"
                if statements is not None:
                    await connection.prepare(statements)
                return connection
        except BaseException as error:
            if link is not None:
                link.abort()
            if isinstance(error, TimeoutError) and limit.expired():
                raise OperationalError(2003, f"{place} within {options.timeout:g}s ({step})") from error
            if isinstance(error, CredentialsError):
                raise OperationalError(2061, str(error)) from error.__cause__
            if isinstance(error, SSLError):
                raise OperationalError(2026, f"{place}: {error}") from error
            if isinstance(error, OSError):
                raise OperationalError(2003, f"{place} ({error})") from error
            raise

    def _connection(
        self, link: _Link, options: ConnectOptions, settings: dict[str, Any], password: PasswordProvider | None
    ) -> AsyncmyConnection:
        watch_peer(link._transport.get_extra_info("socket"))
        # For KILL: the address that answered, not the name, which may stand for several servers.
        peer = None if options.host.startswith("/") else tuple(link._transport.get_extra_info("peername")[:2])

        async def reconnect() -> AsyncmyConnection:
            return await self._open(options, settings, password, peer, None)

        return AsyncmyConnection(link, flavor_of(link.server_version), reconnect, self._classes)

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `mysql.py`."""
        return judge(error, phase, flavor)


class AsyncmyConnection(MysqlSession):
    """One connection by asyncmy, used by one task at a time."""

    def __init__(
        self,
        raw: Any,
        flavor: Flavor,
        reconnect: Callable[[], Awaitable[MysqlSession]],
        classes: dict[tuple[str, ...], type[Row]],
    ) -> None:
        super().__init__(raw, flavor, reconnect, encoding=raw._encoding, fallback=_fallback)
        self._classes = classes
        self._transport = raw._transport
        self._protocol = raw._proto
        self._busy = False
        self._watch = SocketWatch(self._transport.get_extra_info("socket").fileno())

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self._busy else "idle"
        return f"<AsyncmyConnection {self.flavor} id={self.server_id} {state}>"

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """
        Execute one statement: (rows, the text, a summary of the reply).

        Raises:
            ParameterError: the parameters do not fit; nothing was sent.
            OperationalError: 2006 when the server had hung up before, so that nothing was sent; 2013 when it was lost afterwards.
            InterfaceError: the connection is closed or in use; nothing was sent.
        """
        payload = self._encode(text, params)
        self._claim()
        try:
            await self._write(payload)
            first = last = await self._result()
            while last.has_next:
                last = await self._result()
                if first.description is None:
                    first = last
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        self._busy = False
        if first.description is None:
            return (), text, (first, last)
        make = self._row_class(first.description)
        return [make(row) for row in first.rows], text, (first, last)

    def _claim(self) -> None:
        """
        Make sure that nobody else's reply is on its way and that the server has not hung up, and mark the connection as in
        use.
        """
        if self._busy:
            raise InterfaceError(0, "another statement is in progress on this connection; nothing was sent")
        raw = self.raw
        if raw._transport is None or self._transport.is_closing():
            raise InterfaceError(0, "Not connected")
        protocol = self._protocol
        if protocol.eof or protocol.exc is not None or protocol.length != protocol.pos:
            self.terminate()
            raise OperationalError(2006, "MySQL server has gone away (the connection was closed before anything was sent)")
        raw._result = None
        self._busy = True

    async def _write(self, payload: bytes) -> None:
        raw = self.raw
        size = len(payload) + 1
        if size < _MAX_PACKET:
            raw._write_bytes(_HEADER.pack(size, _COM_QUERY) + payload)
            raw._next_seq_id = 1
        else:
            await raw._execute_command(_COM_QUERY, payload)

    async def _result(self) -> Any:
        raw = self.raw
        result = MySQLResult(raw)
        await result.read()
        if result.server_status:
            raw.server_status = result.server_status
        return result

    def _row_class(self, description: Sequence[Any]) -> type[Row]:
        names = tuple([column[0] for column in description])
        found = self._classes.get(names)
        if found is None:
            if len(self._classes) >= _ROW_CLASSES:
                del self._classes[next(iter(self._classes))]
            found = self._classes[names] = row_class(names)
        return found

    def _failed(self, error: BaseException) -> BaseException:
        """An error that the server answered leaves the connection usable; everything else closes it."""
        number = error_number(error)
        if isinstance(error, MySQLError) and number is not None and not 2000 <= number < 3000 and number >= 1000:
            self._busy = False
            return self._answered(error)
        self.terminate()
        # Only a statement whose caller left is worth a KILL: where the connection broke, its server has ended it or is gone.
        self._abandoned = self._abandoned and isinstance(error, (asyncio.CancelledError, GeneratorExit))
        return error

    async def send_in_order(self, texts: Sequence[str]) -> list[Reply]:
        """One after the other."""
        return [await self.send(text, ()) for text in texts]

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Stream the rows of a statement: they come as they are fetched, and the connection is busy until `close`."""
        payload = self._encode(text, params)
        self._claim()
        try:
            await self._write(payload)
            result = MySQLResult(self.raw)
            await result.init_unbuffered_query()
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        return _Stream(self, result)

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """``INSERT 1``, rows returned or changed, the insert id where the server gave one."""
        rows, text, (first, last) = reply
        return describe(text, None if first.description is None else len(rows), last.affected_rows, last.insert_id)

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, whoever closed it."""
        return self.raw._transport is None or bool(self._transport.is_closing())

    def check(self) -> bool:
        """Whether the server has neither hung up nor said anything unasked, as far as has arrived."""
        protocol = self._protocol
        if self.closed or protocol.eof or protocol.exc is not None or protocol.length != protocol.pos:
            return False
        return self._watch.is_quiet()

    async def ping(self) -> None:
        """COM_PING."""
        self._claim()
        try:
            await self.raw.ping(reconnect=False)
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        self._busy = False

    async def close(self) -> None:
        """COM_QUIT, then close and wait until the socket is closed; with a statement in progress, close at once."""
        if self._busy:
            self.terminate()
        elif not self.closed:
            self._transport.write(_HEADER.pack(1, _COM_QUIT))
            self.raw.close()
        await self._protocol.wait_closed()

    def terminate(self) -> None:
        """Close the socket at once; a statement that is cut off by it can be killed by `abandon`."""
        if self._busy:
            self._busy = False
            self._abandoned = True
        self._transport.abort()
        self.raw.abort()


class _Stream:
    """
    Rows of one unbuffered query as they come.

    asyncmy never stops reading by itself, so reading is paused between fetches: what one fetch left in the buffer is all that
    is in memory.
    """

    __slots__ = ("_connection", "_make", "_result")

    def __init__(self, connection: AsyncmyConnection, result: Any) -> None:
        self._connection = connection
        self._result = result
        self._make = connection._row_class(result.description or ())
        self._pause()

    def _pause(self) -> None:
        """Stop reading while rows are left, or hand the connection back when they are not."""
        connection = self._connection
        if connection.closed:
            return
        if self._result.unbuffered_active:
            connection._transport.pause_reading()
        else:
            connection._transport.resume_reading()
            connection._busy = False

    async def fetch(self, count: int) -> Sequence[Row]:
        """Up to *count* further rows; empty at the end."""
        result = self._result
        if not result.unbuffered_active:
            return []
        make = self._make
        rows = [make(row) for row in result._take_pending_rows(count)]
        if len(rows) < count:
            self._connection._transport.resume_reading()
        try:
            while len(rows) < count and result.unbuffered_active:
                row = await result._read_rowdata_packet_unbuffered()
                if row is not None:
                    rows.append(make(row))
        except BaseException as error:
            result.unbuffered_active = False
            raise self._connection._failed(error) from error.__cause__
        if not result.unbuffered_active and result.server_status:
            self._connection.raw.server_status = result.server_status
        self._pause()
        return rows

    async def close(self) -> None:
        """Read away what little may be left; where it is more, close the connection, and `abandon` will end the statement."""
        if not self._result.unbuffered_active or self._connection.closed:
            return
        drained = 0
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._result.unbuffered_active and drained < _DRAIN_ROWS:
                    drained += len(await self.fetch(500))
        except (TimeoutError, MySQLError):  # too slow, or refused at the end: both are the end of it
            pass
        if self._result.unbuffered_active:
            self._result.unbuffered_active = False
            self._connection.terminate()


class _Link(Library):  # type: ignore[misc]  # asyncmy's type information does not cover what we use
    """
    `asyncmy.Connection` that connects in steps we can bound, clears MULTI_STATEMENTS, and keeps a password from whoever could
    misuse it.

    TLS is begun by the loop's `start_tls`: asyncmy's own way duplicates the socket, which uvloop's transports do not allow.
    """

    must_encrypt = False
    _transport: Any

    async def reach(self, peer: tuple[str, int] | None) -> None:
        """Open the socket."""
        loop = asyncio.get_running_loop()
        protocol = Protocol(loop)
        if self._unix_socket:
            self._transport, _ = await loop.create_unix_connection(lambda: protocol, self._unix_socket)
            self._secure = True
        else:
            host, port = peer or (self._host, self._port)
            self._transport, _ = await loop.create_connection(lambda: protocol, host, port)
        self._proto = protocol

    async def greet(self) -> None:
        """Greeting, TLS, authentication."""
        self._next_seq_id = 0
        await self._get_server_information()
        self._client_flag &= ~(CLIENT.MULTI_STATEMENTS | CLIENT.SSL)
        context: Any = self._ssl_context  # type: ignore[has-type]
        if context is not None and self.server_capabilities & CLIENT.SSL:
            await self._encrypt(context)
        elif self.must_encrypt:
            raise OperationalError(2026, "the server offers no TLS, and tls.mode demands it")
        self._refuse_clear_password(self._auth_plugin_name)
        # Without it asyncmy does not begin TLS a second time.
        self._ssl_context = None
        await self._request_authentication()
        self._ssl_context = context
        self._connected = True

    async def _encrypt(self, context: Any) -> None:
        self._client_flag |= CLIENT.SSL
        charset = charset_by_name(self._charset).id
        self.write_packet(struct.pack("<iIB23s", self._client_flag, _MAX_PACKET, charset, b""))
        if self._proto.length != self._proto.pos:
            raise OperationalError(2027, "the server sent something before TLS began")
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self._proto, context, server_hostname=self._host)
        self._proto.transport = self._transport
        self._secure = True

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        self._refuse_clear_password(plugin_name.decode("latin-1"))
        return await super()._process_auth(plugin_name, auth_packet)

    def _refuse_clear_password(self, plugin: str) -> None:
        if plugin in ("mysql_clear_password", "dialog") and not self._secure:
            raise OperationalError(2061, "the server asks for the password in clear text, and the connection is not encrypted")

    def abort(self) -> None:
        """Close at once, without a flush or a TLS farewell."""
        transport, self._transport = self._transport, None
        self._connected = False
        if transport is not None:
            transport.abort()


def _link(options: ConnectOptions, settings: dict[str, Any], secret: str) -> _Link:
    local = options.host.startswith("/")
    link = _Link(
        host=options.host,
        port=options.port,
        user=options.user,
        password=as_latin1(secret),
        database=options.database,
        unix_socket=options.host if local else None,
        client_flag=CLIENT.FOUND_ROWS if options.found_rows else 0,
        ssl=tls_context(options.tls, local=local),
        autocommit=None,
        **settings,
    )
    link.must_encrypt = must_encrypt(options.tls, local=local)
    return link


def _fallback(value: Any) -> str:
    return str(escape_item(value, "utf8mb4"))
