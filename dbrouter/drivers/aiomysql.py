"""
The aiomysql driver: the only file that imports aiomysql and PyMySQL.

aiomysql opens the socket, shakes hands and authenticates. From then on a statement takes a shorter way than aiomysql's
cursors: its reply is decoded from the stream's buffer (`mysql_exchange.py`, `textprotocol.py`). That way uses attributes of
aiomysql and asyncio that are not public; where one is missing, connections are `IndirectConnection`s, which go through
aiomysql's own `query`. `.raw` is a usable `aiomysql.Connection` all the time.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import aiomysql.connection as library
from pymysql.connections import MAX_PACKET_LEN
from pymysql.constants import CLIENT
from pymysql.converters import decoders, escape_item, through
from pymysql.err import InterfaceError, MySQLError, OperationalError
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

from dbrouter.drivers.base import ConnectOptions
from dbrouter.drivers.mysql_columns import reading, value_maker
from dbrouter.drivers.mysql_connect import check_charset, link_arguments, must_encrypt
from dbrouter.drivers.mysql_driver import MysqlDriver
from dbrouter.drivers.mysql_exchange import Errors
from dbrouter.drivers.mysql_indirect import IndirectSession
from dbrouter.drivers.mysql_session import MysqlSession, Reconnect
from dbrouter.drivers.textprotocol import Column, Columns, Incoming
from dbrouter.terms import Flavor

_ERRORS = Errors(OperationalError, InterfaceError, MySQLError, MysqlPacket)


class AiomysqlDriver(MysqlDriver["_Link"]):
    """Connections to MySQL and MariaDB by aiomysql."""

    name = "aiomysql"
    _errors = _ERRORS
    _own_options = ("auth_plugin",)

    def _link(self, options: ConnectOptions, settings: dict[str, Any], secret: str) -> _Link:
        check_charset(settings["charset"], library.charset_by_name(settings["charset"]), self.name)
        link = _Link(db=options.database, **{"conv": decoders, **link_arguments(options, settings, secret)})
        link.must_encrypt = must_encrypt(options)
        return link

    def _session_class(self, link: _Link) -> type[AiomysqlSession]:
        return AiomysqlConnection if self._direct and _can_go_direct(link) else IndirectConnection


class AiomysqlSession(MysqlSession):
    """What is aiomysql's own, whoever reads the replies."""

    _errors = _ERRORS

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Reconnect, columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, columns)
        self._reader, self._writer = raw._reader, raw._writer

    @staticmethod
    def _own_literal(value: Any) -> str:
        return str(escape_item(value, "utf8mb4"))

    def _pause(self, paused: bool) -> None:
        """`StreamReader` stops and resumes by itself."""

    async def _wait_closed(self) -> None:
        try:
            await self._writer.wait_closed()
        except OSError:  # it was broken already; closed is closed
            pass


class AiomysqlConnection(AiomysqlSession):
    """One connection by aiomysql, replies decoded from its `StreamReader`."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Reconnect, columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, columns)
        self._loop = asyncio.get_running_loop()
        self._buffer: bytearray = raw._reader._buffer

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


class IndirectConnection(IndirectSession, AiomysqlSession):
    """The same by aiomysql's own `query`: slower, and independent of how asyncio and aiomysql look inside."""

    def _is_stale(self) -> bool:
        return bool(self._reader.at_eof())


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

    @property
    def transport(self) -> Any:
        """asyncio's, once the socket is open."""
        return self._writer.transport

    def column_parser(self) -> Callable[[bytes], Column]:
        """Columns as aiomysql reads them, except that ``int`` and ``float`` read the bytes themselves."""
        encoding, converters = self.encoding, self.decoders

        def parse(payload: bytes) -> Column:
            field = FieldDescriptorPacket(payload, encoding)
            converter = converters.get(field.type_code)
            text, converter = reading(field.type_code, field.charsetnr, encoding, None if converter is through else converter)
            return field.name, value_maker(text, converter), None

        return parse

    def abort(self) -> None:
        """Close at once, without a flush or a TLS farewell."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.transport.abort()


def _can_go_direct(link: _Link) -> bool:
    return all(hasattr(link._reader, name) for name in ("_buffer", "_waiter", "_eof", "_exception", "_paused", "_transport"))
