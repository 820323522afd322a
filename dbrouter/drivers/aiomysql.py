"""
The aiomysql driver: the only file that imports aiomysql and PyMySQL.

aiomysql opens the socket, shakes hands and authenticates. From then on a statement takes a shorter way than aiomysql's
cursors: its reply is decoded from the stream's buffer (`mysql_session.py`, `textprotocol.py`). That way uses attributes of
aiomysql and asyncio that are not public; where one is missing, connections are `IndirectConnection`s, which go through
aiomysql's own `query`. `.raw` is a usable `aiomysql.Connection` all the time.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from operator import methodcaller
from typing import Any

import aiomysql.connection as library
from pymysql.connections import MAX_PACKET_LEN, TEXT_TYPES
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import decoders, escape_item, through
from pymysql.err import InterfaceError, MySQLError, OperationalError
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

from dbrouter.drivers.base import ConnectOptions, PasswordProvider
from dbrouter.drivers.mysql import flavor_of, judge
from dbrouter.drivers.mysql_connect import as_latin1, must_encrypt, open_session, session_settings, tls_context
from dbrouter.drivers.mysql_indirect import IndirectSession
from dbrouter.drivers.mysql_session import Errors, MysqlSession
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.sockets import watch_peer
from dbrouter.drivers.textprotocol import Column, Columns, Incoming
from dbrouter.terms import Engine, Flavor, Phase

_OPTIONS = {
    "charset": "charset",
    "program_name": "program_name",
    "application_name": "program_name",
    "auth_plugin": "auth_plugin",
    "server_public_key": "server_public_key",
    "conv": "conv",
}


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
        self._columns: dict[tuple[str, int], tuple[Any, Columns]] = {}

    def __repr__(self) -> str:
        return f"<AiomysqlDriver{'' if self._direct else ' direct=False'}>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> MysqlSession:
        """
        Open a connection: socket, TLS, authentication, and in one round trip settings, init statements and the read-only session.

        Raises:
            OperationalError: 2003 when it cannot be reached or the whole took longer than ``options.timeout``; 2026 TLS;
                the server's own numbers.
            ConnectError: the password provider failed, or took the whole time.
            ConfigError: options that no server could fulfil.
        """
        settings, statements = session_settings(options, _OPTIONS, "aiomysql")
        return await self._open(options, settings, password, None, statements)

    async def _open(
        self,
        options: ConnectOptions,
        settings: dict[str, Any],
        password: PasswordProvider | None,
        peer: tuple[str, int] | None,
        statements: Sequence[str] | None,
    ) -> MysqlSession:
        def session_for(link: _Link) -> MysqlSession:
            transport = link._writer.transport
            watch_peer(transport.get_extra_info("socket"))
            # For KILL: the address that answered, not the name, which may stand for several servers.
            met = None if options.host.startswith("/") else tuple(transport.get_extra_info("peername")[:2])

            async def reconnect() -> MysqlSession:
                return await self._open(options, settings, password, met, None)

            make: type[AiomysqlConnection | IndirectConnection] = IndirectConnection
            if self._direct and _can_go_direct(link):
                make = AiomysqlConnection
            return make(link, flavor_of(link.server_version), reconnect, self._columns_for(link))

        return await open_session(
            options,
            password,
            link_for=lambda secret: _link(options, settings, secret),
            session_for=session_for,
            errors=_ERRORS,
            peer=peer,
            statements=statements,
        )

    def _columns_for(self, link: _Link) -> Columns:
        key = (link.encoding, id(link.decoders))
        found = self._columns.get(key)
        if found is None:
            # The decoders are held beside what was made of them, so that no others ever have their id.
            found = self._columns[key] = link.decoders, Columns(_column_parser(link.encoding, link.decoders))
        return found[1]

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `mysql.py`."""
        return judge(error, phase, flavor)


class AiomysqlConnection(MysqlSession):
    """One connection by aiomysql, replies decoded from its `StreamReader`."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Callable[[], Awaitable[MysqlSession]], columns: Columns) -> None:
        super().__init__(
            raw,
            flavor,
            reconnect,
            transport=raw._writer.transport,
            columns=columns,
            encoding=raw.encoding,
            fallback=_fallback,
            errors=_ERRORS,
        )
        self._loop = asyncio.get_running_loop()
        self._writer = raw._writer
        self._reader = raw._reader
        self._buffer: bytearray = getattr(raw._reader, "_buffer", bytearray())

    def _arrival(self, need: int) -> asyncio.Future[None] | None:
        reader = self._reader
        if len(self._buffer) >= need:
            return None
        if reader._exception is not None:
            raise reader._exception
        if reader._eof:
            raise asyncio.IncompleteReadError(bytes(self._buffer), need)
        if reader._waiter is not None:
            raise RuntimeError("someone else is reading from this connection")
        waiter = reader._waiter = self._loop.create_future()
        if reader._paused:
            reader._paused = False
            reader._transport.resume_reading()
        return waiter

    def _arrived(self) -> None:
        self._reader._waiter = None

    def _feed(self, incoming: Incoming) -> int:
        buffer = self._buffer
        data = bytes(buffer)
        position, need = incoming.feed(data, 0, len(data))
        if position == len(data):
            buffer.clear()
        else:
            del buffer[:position]
        return need

    def _is_stale(self) -> bool:
        reader = self._reader
        return bool(self._buffer) or reader._eof or reader._exception is not None

    def _unread(self) -> bytes:
        return bytes(self._buffer)

    def _pause(self, paused: bool) -> None:
        """`StreamReader` stops and resumes by itself."""

    async def _wait_closed(self) -> None:
        await _wait_closed(self._writer)


class IndirectConnection(IndirectSession):
    """The same by aiomysql's own `query`: slower, and independent of how asyncio and aiomysql look inside."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Callable[[], Awaitable[MysqlSession]], columns: Columns) -> None:
        super().__init__(
            raw,
            flavor,
            reconnect,
            transport=raw._writer.transport,
            columns=columns,
            encoding=raw.encoding,
            fallback=_fallback,
            errors=_ERRORS,
        )
        self._reader, self._writer = raw._reader, raw._writer

    def _is_stale(self) -> bool:
        return bool(self._reader.at_eof())

    def _pause(self, paused: bool) -> None:
        """`StreamReader` stops and resumes by itself."""

    async def _wait_closed(self) -> None:
        await _wait_closed(self._writer)


async def _wait_closed(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.wait_closed()
    except OSError:  # it was broken already; closed is closed
        pass


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

    decoded = methodcaller("decode", encoding)

    def parse(payload: bytes) -> Column:
        field = FieldDescriptorPacket(payload, encoding)
        kind = field.type_code
        converter = converters.get(kind)
        if converter is through:
            converter = None
        if kind in TEXT_TYPES and kind != FIELD_TYPE.JSON and field.charsetnr == 63:
            return field.name, converter, None
        text = decoded if kind == FIELD_TYPE.JSON or kind in TEXT_TYPES else _ascii
        if converter is None:
            return field.name, text, None
        if converter is int or converter is float:
            return field.name, converter, None
        return field.name, lambda data: converter(text(data)), None

    return parse


_ascii = methodcaller("decode", "ascii")


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


_ERRORS = Errors(OperationalError, InterfaceError, _server_error, MySQLError)
