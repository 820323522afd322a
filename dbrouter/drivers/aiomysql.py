"""
The aiomysql driver: the only file that imports aiomysql and PyMySQL.

aiomysql opens the socket, shakes hands and authenticates. From then on a statement takes a shorter way than aiomysql's
cursors: it is written to the transport in one piece, and the whole reply is decoded from the stream's buffer when it has
arrived (`textprotocol.py`), one await for a reply instead of two for each of its packets. That way uses attributes of
aiomysql and asyncio that are not public; where one is missing, connections are `IndirectConnection`s, which go through
aiomysql's own `query`. `.raw` is a usable `aiomysql.Connection` all the time.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from ssl import SSLError
from typing import Any

import aiomysql.connection as library
from pymysql.connections import MAX_PACKET_LEN, TEXT_TYPES
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import decoders, escape_item, through
from pymysql.err import InterfaceError, MySQLError, OperationalError
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

from dbrouter.drivers.base import ConnectOptions, Cursor, PasswordProvider, Reply
from dbrouter.drivers.mysql import describe, flavor_of, judge, library_options, setup_statements
from dbrouter.drivers.mysql_session import (
    CredentialsError,
    MysqlSession,
    as_latin1,
    ask_password,
    must_encrypt,
    tls_context,
)
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.rows import row_class
from dbrouter.drivers.sockets import SocketWatch, watch_peer
from dbrouter.drivers.textprotocol import Column, Columns, OutOfOrderError
from dbrouter.drivers.textprotocol import Reply as Incoming
from dbrouter.terms import Engine, Flavor, Phase

_OPTIONS = {
    "charset": "charset",
    "collation": "collation",
    "sql_mode": "sql_mode",
    "program_name": "program_name",
    "application_name": "program_name",
    "auth_plugin": "auth_plugin",
    "server_public_key": "server_public_key",
    "conv": "conv",
}
_HEADER = struct.Struct("<IB")
_COM_QUIT, _COM_QUERY, _COM_PING = 1, 3, 14
_DRAIN_BYTES = 1 << 20
_DRAIN_SECONDS = 0.1
"""How much of a stream that is left half-way is read away before the connection is closed instead."""


class AiomysqlDriver:
    """
    Connections to MySQL and MariaDB by aiomysql.

    Args:
        direct: decode replies ourselves (see the module's docstring); False always goes through aiomysql's own code.
    """

    name = "aiomysql"
    engine = Engine.MYSQL

    def __init__(self, *, direct: bool = True) -> None:
        self._direct = direct
        self._columns: dict[tuple[str, int], Columns] = {}

    def __repr__(self) -> str:
        return f"<AiomysqlDriver{'' if self._direct else ' direct=False'}>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> AiomysqlConnection:
        """
        Open a connection: socket, TLS, authentication, and in one round trip settings, init statements and the read-only session.

        Raises:
            OperationalError: 2003 when it cannot be reached or the whole took longer than ``options.timeout``; 2026 TLS; 2061
            no password;
                the server's own numbers.
            ConfigError: options that no server could fulfil.
        """
        settings = {"charset": "utf8mb4", "program_name": "dbrouter"} | library_options(options, _OPTIONS, "aiomysql")
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
    ) -> AiomysqlConnection:
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
    ) -> AiomysqlConnection:
        transport = link._writer.transport
        watch_peer(transport.get_extra_info("socket"))
        # For KILL: the address that answered, not the name, which may stand for several servers.
        peer = None if options.host.startswith("/") else tuple(transport.get_extra_info("peername")[:2])

        async def reconnect() -> AiomysqlConnection:
            return await self._open(options, settings, password, peer, None)

        key = (link.encoding, id(link.decoders))
        columns = self._columns.get(key)
        if columns is None:
            columns = self._columns[key] = Columns(_column_parser(link.encoding, link.decoders))
        make = AiomysqlConnection if self._direct and _can_go_direct(link) else IndirectConnection
        return make(link, flavor_of(link.server_version), reconnect, columns)

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `mysql.py`."""
        return judge(error, phase, flavor)


class AiomysqlConnection(MysqlSession):
    """One connection by aiomysql, replies decoded from the stream's buffer."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Callable[[], Awaitable[MysqlSession]], columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, encoding=raw.encoding, fallback=_fallback)
        self._columns = columns
        self._loop = asyncio.get_running_loop()
        self._transport = raw._writer.transport
        self._reader = raw._reader
        self._buffer: bytearray = getattr(self._reader, "_buffer", bytearray())
        self._incoming: Incoming | None = None
        self._watch = SocketWatch(self._transport.get_extra_info("socket").fileno())

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self._incoming is not None else "idle"
        return f"<{type(self).__name__} {self.flavor} id={self.server_id} {state}>"

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """
        Execute one statement: (rows, the text, the decoded reply).

        Raises:
            ParameterError: the parameters do not fit; nothing was sent.
            OperationalError: 2006 when the server had hung up before, so that nothing was sent; 2013 when it was lost afterwards.
            InterfaceError: the connection is closed or in use; nothing was sent.
        """
        incoming = self._begin(_COM_QUERY, self._encode(text, params))
        await self._finish(incoming)
        return incoming.rows, text, incoming

    def _begin(self, command: int, payload: bytes) -> Incoming:
        """Write a command, after making sure that nobody else's reply is on its way and that the server has not hung up."""
        if self._incoming is not None:
            raise InterfaceError(0, "another statement is in progress on this connection; nothing was sent")
        transport = self._transport
        if transport.is_closing():
            raise InterfaceError(0, "Not connected")
        reader = self._reader
        if self._buffer or reader._eof or reader._exception is not None:
            raise self._gone()
        size = len(payload) + 1
        if size < MAX_PACKET_LEN:
            transport.write(_HEADER.pack(size, command) + payload)
        else:
            self._write_long(command, payload)
        self._incoming = incoming = Incoming(self._columns)
        return incoming

    def _write_long(self, command: int, payload: bytes) -> None:
        data = bytes([command]) + payload
        # A last packet shorter than the longest, empty if need be, ends the command.
        for number, start in enumerate(range(0, len(data) + 1, MAX_PACKET_LEN)):
            piece = data[start : start + MAX_PACKET_LEN]
            self._transport.write(len(piece).to_bytes(3, "little") + bytes([number & 0xFF]))
            self._transport.write(piece)

    async def _finish(self, incoming: Incoming) -> None:
        """
        Wait for the whole reply. Whatever goes wrong on the way closes the connection; an error that the server answers does
        not.
        """
        buffer = self._buffer
        try:
            need = 5
            while need:
                if len(buffer) < need:
                    await self._wait_for(need)
                need = incoming.feed(buffer)
        except BaseException as error:
            raise self._broken(error) from error.__cause__
        self._conclude(incoming)

    def _conclude(self, incoming: Incoming) -> None:
        self._incoming = None
        if incoming.status is not None:
            self.raw.server_status = incoming.status
        if incoming.error is not None:
            raise self._answered(_server_error(incoming.error))

    async def _wait_for(self, need: int) -> None:
        """Suspend until *need* bytes are in the buffer."""
        reader = self._reader
        buffer = self._buffer
        while len(buffer) < need:
            if reader._exception is not None:
                raise reader._exception
            if reader._eof:
                raise asyncio.IncompleteReadError(bytes(buffer), need)
            if reader._waiter is not None:
                raise RuntimeError("someone else is reading from this connection")
            waiter = self._loop.create_future()
            reader._waiter = waiter
            if reader._paused:
                reader._paused = False
                reader._transport.resume_reading()
            try:
                await waiter
            finally:
                reader._waiter = None

    def _broken(self, error: BaseException) -> BaseException:
        """Close the connection; returns *error* as aiomysql would have raised it."""
        self.terminate()
        # Only a statement whose caller left is worth a KILL: where the connection broke, its server has ended it or is gone.
        self._abandoned = self._abandoned and isinstance(error, (asyncio.CancelledError, GeneratorExit))
        if isinstance(error, OutOfOrderError):
            return _out_of_order(error)
        if isinstance(error, (asyncio.IncompleteReadError, OSError)):
            return _caused(OperationalError(2013, "Lost connection to MySQL server during query"), error)
        return error

    def _gone(self) -> Exception:
        """2006: the server hung up, or said something unasked, before anything was sent."""
        data = bytes(self._buffer)
        said = _server_error(data[4:]) if len(data) > 7 and data[4] == 0xFF else None
        self.terminate()
        reason = said.args[1] if said is not None else "the connection was closed before anything was sent"
        return _caused(OperationalError(2006, f"MySQL server has gone away ({reason})"), said)

    async def send_in_order(self, texts: Sequence[str]) -> list[Reply]:
        """Write all *texts* at once and read their replies: one round trip. Raises the first error after the last reply."""
        payloads = [self._encode(text, ()) for text in texts]
        replies: list[Reply] = []
        failed: Exception | None = None
        for position, text in enumerate(texts):
            if position == 0:
                incoming = self._begin(_COM_QUERY, payloads[0])
                for payload in payloads[1:]:
                    self._transport.write(_HEADER.pack(len(payload) + 1, _COM_QUERY) + payload)
            else:
                self._incoming = incoming = Incoming(self._columns)
            try:
                await self._finish(incoming)
            except Exception as error:
                failed = failed or error
                if self.closed:
                    break
            replies.append((incoming.rows, text, incoming))
        if failed is not None:
            raise failed
        return replies

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Stream the rows of a statement: they come as they are fetched, and the connection is busy until `close`."""
        stream = _Stream(self, self._begin(_COM_QUERY, self._encode(text, params)))
        await stream.start()
        return stream

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """``INSERT 1``, rows returned or changed, the insert id where the server gave one."""
        rows, text, incoming = reply
        return describe(text, len(rows) if incoming.has_columns else None, incoming.affected, incoming.insert_id)

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, whoever closed it."""
        return self.raw._writer is None or bool(self._transport.is_closing())

    def check(self) -> bool:
        """Whether the server has neither hung up nor said anything unasked, as far as has arrived."""
        return not self.closed and not self._buffer and not self._reader.at_eof() and self._watch.is_quiet()

    async def ping(self) -> None:
        """COM_PING."""
        await self._finish(self._begin(_COM_PING, b""))

    async def close(self) -> None:
        """COM_QUIT, then close and wait until the socket is closed; with a statement in progress, close at once."""
        writer = self.raw._writer
        if writer is None:
            return
        if self._incoming is not None:
            self.terminate()
        else:
            if not self._transport.is_closing():
                self._transport.write(_HEADER.pack(1, _COM_QUIT))
            self.raw.close()
        try:
            await writer.wait_closed()
        except OSError:  # it was broken already; closed is closed
            pass

    def terminate(self) -> None:
        """Close the socket at once; a statement that is cut off by it can be killed by `abandon`."""
        if self._incoming is not None:
            self._incoming = None
            self._abandoned = True
        self.raw.abort()


class _Stream:
    """Rows of one statement as they come; what the transport buffers (some 100 KiB) is all that is in memory."""

    __slots__ = ("_connection", "_incoming", "_need")

    def __init__(self, connection: AiomysqlConnection, incoming: Incoming) -> None:
        self._connection = connection
        self._incoming = incoming
        self._need = 5

    async def start(self) -> None:
        """Wait for the first packets, so that a refused statement raises where it is opened."""
        while not self._incoming.has_columns and not self._incoming.done:
            await self._read()

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        incoming = self._incoming
        while len(incoming.rows) < count and not incoming.done:
            await self._read()
        taken = incoming.rows[:count]
        del incoming.rows[:count]
        return taken

    async def _read(self) -> int:
        """Take what has arrived, or else wait for more; the number of bytes taken."""
        connection = self._connection
        buffer = connection._buffer
        try:
            if len(buffer) < self._need:
                await connection._wait_for(self._need)
            before = len(buffer)
            self._need = self._incoming.feed(buffer)
        except BaseException as error:
            raise connection._broken(error) from error.__cause__
        if self._incoming.done:
            connection._conclude(self._incoming)
        return before - len(buffer)

    async def close(self) -> None:
        """Read away what little may be left; where it is more, close the connection, and `abandon` will end the statement."""
        connection = self._connection
        if connection._incoming is not self._incoming:
            return
        drained = 0
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._incoming.done and drained < _DRAIN_BYTES:
                    drained += await self._read()
                    self._incoming.rows.clear()
        except (TimeoutError, MySQLError):  # too slow, or refused at the end: both are the end of it
            pass
        if connection._incoming is self._incoming:
            connection.terminate()


class IndirectConnection(AiomysqlConnection):
    """The same by aiomysql's own `query`: slower, and independent of how asyncio and aiomysql look inside."""

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """Execute one statement by `aiomysql.Connection.query`."""
        payload = self._encode(text, params)
        incoming = self._claim()
        try:
            await self.raw.query(payload)
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        result = self.raw._result
        self._take(incoming, result)
        make = row_class([column[0] for column in result.description]) if incoming.has_columns else None
        incoming.rows = [make(row) for row in result.rows] if make is not None else []
        self._incoming = None
        while self.raw._result.has_next:
            await self.raw.next_result()
        return incoming.rows, text, incoming

    def _claim(self) -> Incoming:
        if self._incoming is not None:
            raise InterfaceError(0, "another statement is in progress on this connection; nothing was sent")
        self._incoming = incoming = Incoming(self._columns)
        return incoming

    def _take(self, incoming: Incoming, result: Any) -> None:
        incoming.has_columns = result.description is not None
        incoming.affected = result.affected_rows or 0
        incoming.insert_id = result.insert_id or 0

    def _failed(self, error: BaseException) -> BaseException:
        if isinstance(error, MySQLError) and not self.closed and error.args and type(error.args[0]) is int:
            self._incoming = None
            return self._answered(error)
        return self._broken(error)

    async def send_in_order(self, texts: Sequence[str]) -> list[Reply]:
        """One after the other."""
        return [await self.send(text, ()) for text in texts]

    async def ping(self) -> None:
        """COM_PING."""
        self._claim()
        try:
            await self.raw.ping(reconnect=False)
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        self._incoming = None

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Stream by an unbuffered query."""
        payload = self._encode(text, params)
        incoming = self._claim()
        try:
            await self.raw.query(payload, unbuffered=True)
        except BaseException as error:
            raise self._failed(error) from error.__cause__
        return _IndirectStream(self, incoming)


class _IndirectStream:
    """Rows of an unbuffered query; left half-way, it closes the connection."""

    def __init__(self, connection: IndirectConnection, incoming: Incoming) -> None:
        self._connection = connection
        self._incoming = incoming
        self._result = connection.raw._result
        self._make = row_class([column[0] for column in self._result.description or ()])
        self._end_if_read()

    def _end_if_read(self) -> None:
        if not self._result.unbuffered_active and self._connection._incoming is self._incoming:
            self._connection._incoming = None

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        rows: list[Any] = []
        while len(rows) < count and self._result.unbuffered_active:
            try:
                row = await self._result._read_rowdata_packet_unbuffered()
            except BaseException as error:
                raise self._connection._failed(error) from error.__cause__
            if row is not None:
                rows.append(self._make(row))
        self._end_if_read()
        return rows

    async def close(self) -> None:
        """Close the connection if rows are left."""
        if self._connection._incoming is self._incoming:
            self._connection.terminate()


class _Link(library.Connection):  # type: ignore[misc]  # aiomysql has no type information
    """
    `aiomysql.Connection` that connects in steps we can bound, clears MULTI_STATEMENTS, and keeps a password from whoever
    could misuse it.

    TLS is begun by `StreamWriter.start_tls`: aiomysql's own way duplicates the socket, which uvloop's transports do not allow.
    """

    must_encrypt = False

    async def reach(self, peer: tuple[str, int] | None) -> None:
        """Open the socket."""
        if self._unix_socket:
            self._reader, self._writer = await library._open_unix_connection(self._unix_socket)
            self._secure = True
            self.host_info = f"Localhost via UNIX socket: {self._unix_socket}"
        else:
            host, port = peer or (self._host, self._port)
            self._reader, self._writer = await library._open_connection(host, port)
            self.host_info = f"socket {host}:{port}"

    async def greet(self) -> None:
        """Greeting, TLS, authentication."""
        self._next_seq_id = 0
        await self._get_server_information()
        self.client_flag &= ~(CLIENT.MULTI_STATEMENTS | CLIENT.SSL)
        context: Any = self._ssl_context  # type: ignore[has-type]
        if context is not None and self.server_capabilities & CLIENT.SSL:
            await self._encrypt(context)
        elif self.must_encrypt:
            raise OperationalError(2026, "the server offers no TLS, and tls.mode demands it")
        self._refuse_clear_password(self._client_auth_plugin or self._server_auth_plugin)
        # Without it aiomysql does not begin TLS a second time.
        self._ssl_context = None
        await self._request_authentication()
        self._ssl_context = context
        self.connected_time = self._loop.time()

    async def _encrypt(self, context: Any) -> None:
        self.client_flag |= CLIENT.SSL
        charset = library.charset_by_name(self.charset).id
        self.write_packet(struct.pack("<iIB23s", self.client_flag, MAX_PACKET_LEN, charset, b""))
        if getattr(self._reader, "_buffer", b""):
            raise OperationalError(2027, "the server sent something before TLS began")
        await self._writer.start_tls(context, server_hostname=self._host)
        self._reader._transport = self._writer.transport
        self._secure = True

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> None:
        self._refuse_clear_password(plugin_name.decode("latin-1"))
        await super()._process_auth(plugin_name, auth_packet)

    def _refuse_clear_password(self, plugin: str) -> None:
        if plugin == "mysql_clear_password" and not self._secure:
            raise OperationalError(2061, "the server asks for the password in clear text, and the connection is not encrypted")

    def abort(self) -> None:
        """Close at once, without a flush or a TLS farewell."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.transport.abort()


def _link(options: ConnectOptions, settings: dict[str, Any], secret: str) -> _Link:
    local = options.host.startswith("/")
    link = _Link(
        host=options.host,
        port=options.port,
        user=options.user,
        password=as_latin1(secret),
        db=options.database,
        unix_socket=options.host if local else None,
        client_flag=CLIENT.FOUND_ROWS if options.found_rows else 0,
        ssl=tls_context(options.tls, local=local),
        autocommit=None,
        **({"conv": decoders} | settings),
    )
    link.must_encrypt = must_encrypt(options.tls, local=local)
    return link


def _can_go_direct(link: _Link) -> bool:
    return all(hasattr(link._reader, name) for name in ("_buffer", "_waiter", "_eof", "_exception", "_paused", "_transport"))


def _column_parser(encoding: str, converters: dict[int, Any]) -> Callable[[bytes], Column]:
    """Names and converters as aiomysql chooses them, except that ``int`` and ``float`` read the bytes themselves."""

    def decoded(data: bytes) -> str:
        return data.decode(encoding)

    def parse(payload: bytes) -> Column:
        field = FieldDescriptorPacket(payload, encoding)
        kind = field.type_code
        converter = converters.get(kind)
        if converter is through:
            converter = None
        if kind in TEXT_TYPES and kind != FIELD_TYPE.JSON and field.charsetnr == 63:
            return field.name, converter
        if converter is None:
            return field.name, decoded if kind == FIELD_TYPE.JSON or kind in TEXT_TYPES else _ascii
        if converter is int or converter is float:
            return field.name, converter
        text = decoded if kind == FIELD_TYPE.JSON or kind in TEXT_TYPES else _ascii
        return field.name, lambda data: converter(text(data))

    return parse


def _ascii(data: bytes) -> str:
    return data.decode("ascii")


def _fallback(value: Any) -> str:
    return str(escape_item(value, "utf8mb4"))


def _server_error(payload: bytes) -> Exception:
    """The exception for an error packet, as PyMySQL makes it."""
    try:
        MysqlPacket(payload, "utf8").raise_for_error()
    except MySQLError as error:
        found: Exception = error.with_traceback(None)
        return found
    raise AssertionError("an error packet raises")


def _caused(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error


def _out_of_order(error: OutOfOrderError) -> Exception:
    """2013 where the server said goodbye before it read our command (its own error is the cause), 2027 for anything else."""
    if error.payload is not None:
        said = _server_error(error.payload)
        return _caused(OperationalError(2013, f"Lost connection to MySQL server during query ({said.args[1]})"), said)
    return _caused(OperationalError(2027, f"Malformed packet: {error}"), error)
