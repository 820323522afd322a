"""
MysqlDriver: how MySQL and MariaDB are reached, whichever library opens the socket.

A connection is opened in steps with one limit over all of them, because the libraries bound only the TCP connect: a server that
accepts and then says nothing would hold them for ever. A library adds its `Link`, which takes the steps, and its sessions.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from dbrouter.drivers.base import ConnectOptions, PasswordProvider
from dbrouter.drivers.hooks import ask_password
from dbrouter.drivers.mysql import flavor_of, judge
from dbrouter.drivers.mysql_connect import session_settings
from dbrouter.drivers.mysql_exchange import Errors
from dbrouter.drivers.mysql_session import MysqlSession, Reconnect
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.sockets import watch_peer
from dbrouter.drivers.textprotocol import Column, Columns
from dbrouter.terms import Engine, Flavor, Phase


class Link(Protocol):
    """A library's connection, opened in steps."""

    server_version: str

    @property
    def transport(self) -> Any:
        """asyncio's, once the link has reached the server."""
        ...

    @property
    def encoding(self) -> str:
        """Python's name of the connection's character set."""
        ...

    async def reach(self, peer: tuple[str, int] | None) -> None:
        """Open the socket, to *peer* where it is given."""
        ...

    async def greet(self) -> None:
        """Greeting, TLS, authentication."""
        ...

    def column_parser(self) -> Callable[[bytes], Column]:
        """What takes a column's description apart, and says how the library makes a value of the column's bytes."""
        ...

    def abort(self) -> None:
        """Close the socket at once, without a flush or a TLS farewell."""
        ...


L = TypeVar("L", bound=Link)


class MysqlDriver(ABC, Generic[L]):
    """
    Connections to MySQL and MariaDB by a client library.

    Args:
        direct: decode replies ourselves (see the docstring of the library's module); False always goes through the library's
            own code.
    """

    name: str
    engine = Engine.MYSQL
    _errors: ClassVar[Errors]
    _own_options: ClassVar[tuple[str, ...]]
    """Driver options that this library alone takes."""

    def __init__(self, *, direct: bool = True) -> None:
        self._direct = direct
        self._columns: dict[tuple[str, int], tuple[Any, Columns]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{'' if self._direct else ' direct=False'}>"

    @abstractmethod
    def _link(self, options: ConnectOptions, settings: dict[str, Any], secret: str) -> L:
        """A link that has not reached anybody yet; *settings* are the library's own arguments."""

    @abstractmethod
    def _session_class(self, link: L) -> Callable[[L, Flavor, Reconnect, Columns], MysqlSession]:
        """What reads the replies that come by *link*."""

    async def connect(self, options: ConnectOptions, *, password: PasswordProvider | None = None) -> MysqlSession:
        """
        Open a connection: socket, TLS, authentication, and in one round trip settings, init statements and the read-only session.

        Raises:
            OperationalError: 2003 when it cannot be reached or the whole took longer than ``options.timeout``; 2026 TLS;
                the server's own numbers.
            ConnectError: the password provider failed, or took the whole time.
            ConfigError: options that no server could fulfil.
        """
        settings, statements = session_settings(options, self.name, self._own_options)
        return await self._open(options, settings, password, None, statements)

    async def _open(
        self,
        options: ConnectOptions,
        settings: dict[str, Any],
        password: PasswordProvider | None,
        peer: tuple[str, int] | None,
        statements: Sequence[str] | None,
    ) -> MysqlSession:
        """
        Connect to *peer*, or to where the options point, and prepare the session unless *statements* is None.

        Raises as `connect` does. If it fails or is cancelled, no socket is left.
        """
        place = f"Can't connect to MySQL server on {options.endpoint!r}"
        deadline = asyncio.get_running_loop().time() + options.timeout
        secret = await ask_password(options, password, deadline)
        step = "connecting"
        link: L | None = None
        try:
            async with asyncio.timeout_at(deadline) as limit:
                link = self._link(options, settings, secret or "")
                await link.reach(peer)
                step = "authenticating"
                await link.greet()
                session = self._session(link, options, settings, password)
                step = "setting up the session"
                if statements is not None:
                    await session.prepare(statements)
                return session
        except BaseException as error:
            if link is not None:
                link.abort()
            if isinstance(error, TimeoutError) and limit.expired():
                raise self._errors.operational(2003, f"{place} within {options.timeout:g}s ({step})") from error
            if isinstance(error, ssl.SSLError):
                raise self._errors.operational(2026, f"{place}: {error}") from error
            if isinstance(error, OSError):
                raise self._errors.operational(2003, f"{place} ({error})") from error
            raise

    def _session(
        self, link: L, options: ConnectOptions, settings: dict[str, Any], password: PasswordProvider | None
    ) -> MysqlSession:
        transport = link.transport
        watch_peer(transport.get_extra_info("socket"))
        # For KILL: the address that answered, not the name, which may stand for several servers.
        met = None if options.host.startswith("/") else tuple(transport.get_extra_info("peername")[:2])

        async def reconnect() -> MysqlSession:
            return await self._open(options, settings, password, met, None)

        columns = self._columns_of(link, settings.get("conv"))
        return self._session_class(link)(link, flavor_of(link.server_version), reconnect, columns)

    def _columns_of(self, link: L, converters: Any) -> Columns:
        key = (link.encoding, id(converters))
        found = self._columns.get(key)
        if found is None:
            # The converters are held beside what was made of them, so that no others ever have their id.
            found = self._columns[key] = converters, Columns(link.column_parser())
        return found[1]

    def verdict(self, error: BaseException, phase: Phase, *, flavor: Flavor | None = None) -> Verdict:
        """Judge *error* by the tables of `mysql.py`."""
        return judge(error, phase, flavor)
