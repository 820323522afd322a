"""
The asyncmy driver: the only file that imports asyncmy, which is optional (``pip install 'dbrouter[asyncmy]'``).

asyncmy opens the socket, shakes hands and authenticates, and its compiled row parser makes the values; the exchange of
statements and replies is ours (`mysql_session.py`), because asyncmy's coroutine for each packet costs more than the parsing.
`.raw` is a usable `asyncmy.Connection` all the time.

What we use of asyncmy that is not public, and what happens where a version lacks it:

- to connect, `_CONNECTING`: a `ConfigError` that names what is missing;
- to read, the buffer of its protocol (`asyncmy_buffer.py`): connections are `IndirectConnection`s, by asyncmy's own `query`;
- its row parser, tried by `_can_parse`: connections are `UncompiledConnection`s, whose rows our own parser makes.

Before 0.2.13 asyncmy handed a cancelled query's rows to the next one, so older versions are refused.

Cancelling a statement closes its connection; the server runs on until `abandon` has killed it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from dbrouter.drivers.asyncmy_buffer import BufferSession, is_readable, unread
from dbrouter.drivers.base import ConnectOptions, PasswordProvider
from dbrouter.drivers.mysql import flavor_of, judge
from dbrouter.drivers.mysql_connect import as_latin1, must_encrypt, open_session, session_settings, tls_context
from dbrouter.drivers.mysql_indirect import IndirectSession
from dbrouter.drivers.mysql_session import Errors, MysqlSession
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.rows import Row
from dbrouter.drivers.sockets import watch_peer
from dbrouter.drivers.textprotocol import Column, Columns, Head, Incoming, Table
from dbrouter.errors import ConfigError
from dbrouter.terms import Engine, Flavor, Phase

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
    FIELD_TYPE: Any
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
        from asyncmy.constants import CLIENT, FIELD_TYPE
        from asyncmy.converters import escape_item, through
        from asyncmy.errors import InterfaceError, MySQLError, OperationalError
        from asyncmy.protocol import FieldDescriptorPacket, MysqlPacket
    except ImportError as error:
        Library, not_found = object, str(error)
        MySQLError = InterfaceError = OperationalError = Exception
    else:
        not_found = ""
    try:
        from asyncmy.protocol import parse_rows_from_buffer
    except ImportError:
        parse_rows_from_buffer = None

_OLDEST = (0, 2, 13)
_OPTIONS = {
    "charset": "charset",
    "program_name": "program_name",
    "application_name": "program_name",
    "auth_plugin_map": "auth_plugin_map",
    "server_public_key": "server_public_key",
    "conv": "conv",
}
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


class AsyncmyDriver:
    """
    Connections to MySQL and MariaDB by asyncmy.

    Args:
        direct: decode replies ourselves (see the module's docstring); False always goes through asyncmy's own code.

    Raises:
        ConfigError: asyncmy is not installed, too old, or so new that we cannot connect by it.
    """

    name = "asyncmy"
    engine = Engine.MYSQL

    def __init__(self, *, direct: bool = True) -> None:
        if version is None:
            raise ConfigError("the driver asyncmy is not installed: pip install 'dbrouter[asyncmy]'")
        if tuple(int(part) for part in version.split(".")[:3] if part.isdigit()) < _OLDEST:
            raise ConfigError(f"asyncmy {version} mixes up replies after a cancelled query; at least 0.2.13 is needed")
        if not_found:
            raise ConfigError(f"asyncmy {version} is not one that dbrouter can use ({not_found}); 0.2.13 to 0.2.18 are")
        self._direct = direct
        self._compiled = _can_parse()
        self._columns: dict[tuple[str, int], tuple[Any, Columns]] = {}

    def __repr__(self) -> str:
        return f"<AsyncmyDriver{'' if self._direct else ' direct=False'}>"

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> MysqlSession:
        """
        Open a connection: socket, TLS, authentication, and in one round trip settings, init statements and the read-only session.

        Raises:
            OperationalError: 2003 when it cannot be reached or the whole took longer than ``options.timeout``; 2026 TLS;
                the server's own numbers.
            ConnectError: the password provider failed, or took the whole time.
            ConfigError: options that no server could fulfil.
        """
        settings, statements = session_settings(options, _OPTIONS, "asyncmy")
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
            transport = link._transport
            watch_peer(transport.get_extra_info("socket"))
            # For KILL: the address that answered, not the name, which may stand for several servers.
            met = None if options.host.startswith("/") else tuple(transport.get_extra_info("peername")[:2])

            async def reconnect() -> MysqlSession:
                return await self._open(options, settings, password, met, None)

            conv = settings.get("conv")
            key = (link._encoding, id(conv))
            columns = self._columns.get(key)
            if columns is None:
                # The converters are held beside what was made of them, so that no others ever have their id.
                columns = self._columns[key] = conv, Columns(_column_parser(link._encoding, link._decoders))
            return self._session_class(link)(link, flavor_of(link.server_version), reconnect, columns[1])

        return await open_session(
            options,
            password,
            link_for=lambda secret: _link(options, settings, secret),
            session_for=session_for,
            errors=_ERRORS,
            peer=peer,
            statements=statements,
        )

    def _session_class(self, link: _Link) -> Callable[..., MysqlSession]:
        if not (self._direct and is_readable(link._proto)):
            return IndirectConnection
        return AsyncmyConnection if self._compiled else UncompiledConnection

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `mysql.py`."""
        return judge(error, phase, flavor)


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

    _incoming_class: type[Incoming] = _CompiledIncoming

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Callable[[], Awaitable[MysqlSession]], columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, columns, fallback=_fallback, errors=_ERRORS)


class UncompiledConnection(AsyncmyConnection):
    """The same without asyncmy's row parser: where a version has none, or another one."""

    _incoming_class = _CopyingIncoming


class IndirectConnection(IndirectSession):
    """The same by asyncmy's own `query`: slower, and independent of asyncmy's buffer and parser."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Callable[[], Awaitable[MysqlSession]], columns: Columns) -> None:
        super().__init__(
            raw,
            flavor,
            reconnect,
            transport=raw._transport,
            columns=columns,
            encoding=raw._encoding,
            fallback=_fallback,
            errors=_ERRORS,
        )
        self._protocol = raw._proto
        self._paused = False

    def terminate(self) -> None:
        """Close the socket at once, also where asyncmy has let go of it to close it in its own time."""
        super().terminate()
        self._transport.abort()

    def _is_stale(self) -> bool:
        return False

    def _pause(self, paused: bool) -> None:
        """asyncmy never stops reading by itself."""
        if paused is not self._paused and not self._transport.is_closing():
            self._paused = paused
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    async def _wait_closed(self) -> None:
        await self._protocol.wait_closed()


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
    missing = [name for name in _CONNECTING if not hasattr(link, name)]
    if missing:
        raise ConfigError(
            f"asyncmy {version} is not one that dbrouter can use (its Connection has no {', '.join(missing)}); "
            "0.2.13 to 0.2.18 are"
        )
    return link


def _can_parse() -> bool:
    """Whether asyncmy's row parser takes and answers what `_CompiledIncoming` thinks: here one row of one column, packet 7."""
    rows: list[tuple[Any, ...]] = []
    try:
        end = parse_rows_from_buffer(bytearray(b"\x02\0\0\x07\x01x"), 0, 6, ((2, "ascii", None),), 7, rows)
    except Exception:  # whatever a function with other parameters says to ours
        return False
    return bool(end == (6, 8) and rows == [("x",)])


def _column_parser(encoding: str, converters: dict[int, Any]) -> Callable[[bytes], Column]:
    """Names, and for each column the (code, encoding, converter) that asyncmy's row parser takes, chosen as asyncmy does."""

    decoded = methodcaller("decode", encoding)

    def parse(payload: bytes) -> Column:
        field = FieldDescriptorPacket(payload, encoding)
        kind = field.type_code
        converter = converters.get(kind)
        if converter is through:
            converter = None
        if kind == FIELD_TYPE.JSON:
            text: str | None = encoding
        elif kind in _TEXT_TYPES:
            text = None if field.charsetnr == 63 else encoding
        else:
            text = "ascii"
        if text == "ascii" and converter in (int, float):
            text = None
        compiled = (_ENCODINGS.get(text, 3), text, converter)
        if text is None:
            return field.name, converter, compiled
        if converter is None:
            return field.name, _ascii if text == "ascii" else decoded, compiled
        return field.name, lambda data: converter(data.decode(text)), compiled

    return parse


_ENCODINGS = {None: 0, "utf8": 1, "ascii": 2}
_TEXT_TYPES = frozenset({15, 16, 249, 250, 251, 252, 253, 254, 255})
"""VARCHAR, BIT, the BLOBs, VAR_STRING, STRING, GEOMETRY."""


_ascii = methodcaller("decode", "ascii")


def _fallback(value: Any) -> str:
    return str(escape_item(value, "utf8mb4"))


def _server_error(payload: bytes) -> Exception:
    """The exception for an error packet, as asyncmy makes it."""
    try:
        MysqlPacket(payload, "utf8").raise_for_error()
    except MySQLError as error:
        found: Exception = error.with_traceback(None)
        return found
    raise AssertionError("an error packet raises")


_ERRORS = Errors(OperationalError, InterfaceError, _server_error, MySQLError)
