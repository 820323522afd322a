"""
The asyncmy driver: the only file that imports asyncmy, which is optional (``pip install 'dbrouter[asyncmy]'``).

asyncmy opens the socket, shakes hands and authenticates, and its compiled row parser makes the values; the exchange of
statements and replies is ours (`mysql_exchange.py`), because asyncmy's coroutine for each packet costs more than the parsing.
`.raw` is a usable `asyncmy.Connection` all the time.

What we use of asyncmy that is not public, and what happens where a version lacks it:

- to connect, `_CONNECTING`: a `ConfigError` that names what is missing;
- to read, the buffer of its protocol (`asyncmy_buffer.py`): connections are `IndirectConnection`s, by asyncmy's own `query`;
- its row parser, tried by `_can_parse`: connections are `UncompiledConnection`s, whose rows our own parser makes.

Before 0.2.13 asyncmy handed a cancelled query's rows to the next one, and before 0.2.17 it wrote a negative `timedelta` with
minutes as another one (-29:59 as -30:01), so older versions are refused.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from dbrouter.drivers.asyncmy_buffer import BufferSession, ProtocolSession, is_readable, unread
from dbrouter.drivers.base import ConnectOptions
from dbrouter.drivers.mysql_columns import reading, value_maker
from dbrouter.drivers.mysql_connect import check_charset, link_arguments, must_encrypt
from dbrouter.drivers.mysql_driver import MysqlDriver
from dbrouter.drivers.mysql_exchange import Errors
from dbrouter.drivers.mysql_indirect import IndirectSession
from dbrouter.drivers.rows import Row
from dbrouter.drivers.textprotocol import Column, Head, Incoming, Table
from dbrouter.errors import ConfigError

if TYPE_CHECKING:  # its type information does not cover what we use
    Library: Any = object
    CLIENT: Any
    InterfaceError: Any
    MySQLError: Any
    OperationalError: Any
    Protocol: Any
    MysqlPacket: Any
    FieldDescriptorPacket: Any
    charset_by_name: Any
    parse_rows_from_buffer: Any
    escape_item: Any
    through: Any
    version: str | None
    not_found: str
else:
    try:
        from asyncmy.version import __VERSION__ as version
    except ImportError:
        version = None
    try:
        from asyncmy.charset import charset_by_name
        from asyncmy.connection import Connection as Library
        from asyncmy.connection import _MySQLProtocol as Protocol
        from asyncmy.constants import CLIENT
        from asyncmy.converters import escape_item, through
        from asyncmy.errors import InterfaceError, MySQLError, OperationalError
        from asyncmy.protocol import FieldDescriptorPacket, MysqlPacket
    except ImportError as error:
        Library, not_found = object, str(error)
        MySQLError = InterfaceError = OperationalError = MysqlPacket = Exception
    else:
        not_found = ""
    try:
        from asyncmy.protocol import parse_rows_from_buffer
    except ImportError:
        parse_rows_from_buffer = None

_OLDEST = (0, 2, 17)
_ENCODINGS = {None: 0, "utf8": 1, "ascii": 2}
"""Codes of asyncmy's row parser; 3 is any other."""
_LONGEST = 0xFFFFFF
_CONNECTING = (
    "_auth_plugin_name",
    "_charset",
    "_client_flag",
    "_connected",
    "_decoders",
    "_encoding",
    "_execute_command",
    "_get_server_information",
    "_host",
    "_port",
    "_process_auth",
    "_proto",
    "_read_ok_packet",
    "_request_authentication",
    "_result",
    "_secure",
    "_ssl_context",
    "_transport",
    "_unix_socket",
    "write_packet",
)
"""What `_Link` and the sessions use of `asyncmy.Connection` beyond its public calls."""


_ERRORS = Errors(OperationalError, InterfaceError, MySQLError, MysqlPacket)


def _literal(value: Any) -> str:
    return str(escape_item(value, "utf8mb4"))


class AsyncmyDriver(MysqlDriver["_Link"]):
    """
    Connections to MySQL and MariaDB by asyncmy.

    Raises:
        ConfigError: asyncmy is not installed, too old, or so new that we cannot connect by it.
    """

    name = "asyncmy"
    _errors = _ERRORS
    _own_options = ("auth_plugin_map",)

    def __init__(self, *, direct: bool = True) -> None:
        if version is None:
            raise ConfigError("the driver asyncmy is not installed: pip install 'dbrouter[asyncmy]'")
        if tuple(int(part) for part in version.split(".")[:3] if part.isdigit()) < _OLDEST:
            raise ConfigError(f"asyncmy {version} changes negative times on their way to the server; at least 0.2.17 is needed")
        if not_found:
            raise _unusable(not_found)
        super().__init__(direct=direct)
        self._compiled = _can_parse()

    def _link(self, options: ConnectOptions, settings: dict[str, Any], secret: str) -> _Link:
        check_charset(settings["charset"], charset_by_name(settings["charset"]), self.name)
        link = _Link(database=options.database, **link_arguments(options, settings, secret))
        link.must_encrypt = must_encrypt(options)
        missing = [name for name in _CONNECTING if not hasattr(link, name)]
        if missing:
            raise _unusable(f"its Connection has no {', '.join(missing)}")
        return link

    def _session_class(self, link: _Link) -> type[ProtocolSession]:
        if not (self._direct and is_readable(link._proto)):
            return IndirectConnection
        return AsyncmyConnection if self._compiled else UncompiledConnection


class _CompiledIncoming(Incoming):
    """Rows by asyncmy's parser, from its own buffer; what it leaves (the end, errors, rows of 16 MB) by ours."""

    __slots__ = ()

    def _take_rows(self, data: bytes | bytearray, position: int, size: int, table: Table) -> tuple[int, int]:
        make, _, compiled = table
        found: list[tuple[Any, ...]] = []
        position, self._sequence = parse_rows_from_buffer(data, position, size, compiled, self._sequence, found)
        if self._keep:
            self.rows += map(make, found)
        return super()._take_rows(data, position, size, table)

    def _take_short_rows(self, data: bytes | bytearray, at: int, last: int, head: Head) -> tuple[list[Row], int, int]:
        make, _, compiled = head.table
        found: list[tuple[Any, ...]] = []
        at, sequence = parse_rows_from_buffer(data, at, last, compiled, head.sequence + 1 & 0xFF, found)
        return list(map(make, found)), at, sequence


class _CopyingIncoming(Incoming):
    """Rows by our parser, whose binary values are slices: of bytes, not of asyncmy's buffer."""

    __slots__ = ()

    def feed(self, data: bytes | bytearray, position: int, end: int) -> tuple[int, int]:
        taken, need = super().feed(bytes(memoryview(data)[position:end]), 0, end - position)
        return position + taken, need


class AsyncmyConnection(BufferSession):
    """One connection by asyncmy, replies decoded from its protocol's buffer."""

    _errors = _ERRORS
    _incoming_class: ClassVar[type[Incoming]] = _CompiledIncoming

    _own_literal = staticmethod(_literal)


class UncompiledConnection(AsyncmyConnection):
    """The same without asyncmy's row parser: where a version has none, or another one."""

    _incoming_class = _CopyingIncoming


class IndirectConnection(IndirectSession, ProtocolSession):
    """The same by asyncmy's own `query`: slower, and independent of asyncmy's buffer and parser."""

    _errors = _ERRORS

    _own_literal = staticmethod(_literal)

    def terminate(self) -> None:
        """Close the socket at once, also where asyncmy has let go of it to close it in its own time."""
        super().terminate()
        self._transport.abort()

    def _is_stale(self) -> bool:
        return False


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
        # asyncmy would take it up, and `textprotocol.py` reads results that end with EOF packets.
        self.server_capabilities &= ~CLIENT.DEPRECATE_EOF
        self._client_flag &= ~(CLIENT.MULTI_STATEMENTS | CLIENT.SSL | CLIENT.COMPRESS)
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
        self.write_packet(struct.pack("<iIB23s", self._client_flag, _LONGEST, charset, b""))
        if is_readable(self._proto) and unread(self._proto):
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

    @property
    def transport(self) -> Any:
        """asyncio's, once the socket is open."""
        return self._transport

    @property
    def encoding(self) -> str:
        """Python's name of the connection's character set."""
        return str(self._encoding)

    def column_parser(self) -> Callable[[bytes], Column]:
        """Columns as asyncmy reads them, and for each the (code, encoding, converter) that its row parser takes."""
        encoding, converters = self.encoding, self._decoders

        def parse(payload: bytes) -> Column:
            field = FieldDescriptorPacket(payload, encoding)
            converter = converters.get(field.type_code)
            text, converter = reading(field.type_code, field.charsetnr, encoding, None if converter is through else converter)
            return field.name, value_maker(text, converter), (_ENCODINGS.get(text, 3), text, converter)

        return parse

    def abort(self) -> None:
        """Close at once, without a flush or a TLS farewell."""
        transport, self._transport = self._transport, None
        self._connected = False
        if transport is not None:
            transport.abort()


def _unusable(why: str) -> ConfigError:
    return ConfigError(f"asyncmy {version} is not one that dbrouter can use ({why}); 0.2.17 and 0.2.18 are")


def _can_parse() -> bool:
    """Whether asyncmy's row parser takes and answers what `_CompiledIncoming` thinks: here one row of one column, packet 7."""
    rows: list[tuple[Any, ...]] = []
    try:
        end = parse_rows_from_buffer(bytearray(b"\x02\0\0\x07\x01x"), 0, 6, ((2, "ascii", None),), 7, rows)
    except Exception:  # whatever a function with other parameters says to ours
        return False
    return bool(end == (6, 8) and rows == [("x",)])
