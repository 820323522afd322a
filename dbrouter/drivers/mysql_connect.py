"""
Opening a connection to MySQL or MariaDB: TLS, the steps with one limit over all of them, and what a failure is called.

The libraries bound only the TCP connect; a server that accepts and then says nothing would hold them for ever.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from dbrouter.drivers.base import ConnectOptions, PasswordProvider, TlsOptions
from dbrouter.drivers.hooks import ask_password
from dbrouter.drivers.mysql import library_options, setup_statements
from dbrouter.drivers.mysql_session import Errors, MysqlSession
from dbrouter.errors import ConfigError


class Link(Protocol):
    """A library's connection, opened in steps."""

    async def reach(self, peer: tuple[str, int] | None) -> None:
        """Open the socket, to *peer* where it is given."""
        ...

    async def greet(self) -> None:
        """Greeting, TLS, authentication."""
        ...

    def abort(self) -> None:
        """Close the socket at once."""
        ...


L = TypeVar("L", bound=Link)
S = TypeVar("S", bound=MysqlSession)


def session_settings(options: ConnectOptions, known: dict[str, str], library: str) -> tuple[dict[str, Any], list[str]]:
    """
    The library's own arguments, and the statements that set a session up.

    Args:
        known: option name → the library's argument name; ``collation`` and ``sql_mode`` are ours on both libraries.

    Raises:
        ConfigError: options that the library does not take, names that are none.
    """
    ours = {"collation": "collation", "sql_mode": "sql_mode"}
    settings = {"charset": "utf8mb4", "program_name": "dbrouter"} | library_options(options, known | ours, library)
    collation, sql_mode = settings.pop("collation", None), settings.pop("sql_mode", None)
    if sql_mode is not None:
        options = replace(options, server_settings={"sql_mode": sql_mode} | options.server_settings)
    return settings, setup_statements(options, settings["charset"], collation)


async def open_session(
    options: ConnectOptions,
    password: PasswordProvider | None,
    *,
    link_for: Callable[[str], L],
    session_for: Callable[[L], S],
    errors: Errors,
    peer: tuple[str, int] | None,
    statements: Sequence[str] | None,
) -> S:
    """
    Connect to *peer*, or to where the options point, and prepare the session unless *statements* is None.

    Raises:
        the library's OperationalError: 2003 when the server cannot be reached or the whole took longer than
            ``options.timeout``; 2026 TLS. The server's own errors. If it fails or is cancelled, no socket is left.
        ConnectError: the password provider failed, or took the whole time.
    """
    place = f"Can't connect to MySQL server on {options.endpoint!r}"
    deadline = asyncio.get_running_loop().time() + options.timeout
    secret = await ask_password(options, password, deadline)
    step = "connecting"
    link: L | None = None
    try:
        async with asyncio.timeout_at(deadline) as limit:
            link = link_for(secret or "")
            await link.reach(peer)
            step = "authenticating"
            await link.greet()
            session = session_for(link)
            step = "setting up the session"
            if statements is not None:
                await session.prepare(statements)
            return session
    except BaseException as error:
        if link is not None:
            link.abort()
        if isinstance(error, TimeoutError) and limit.expired():
            raise errors.operational(2003, f"{place} within {options.timeout:g}s ({step})") from error
        if isinstance(error, ssl.SSLError):
            raise errors.operational(2026, f"{place}: {error}") from error
        if isinstance(error, OSError):
            raise errors.operational(2003, f"{place} ({error})") from error
        raise


def as_latin1(password: str) -> str:
    """Both libraries encode passwords as Latin-1; servers keep them in UTF-8."""
    return password.encode().decode("latin-1")


TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


def tls_context(tls: TlsOptions, *, local: bool) -> ssl.SSLContext | None:
    """
    The context for *tls*, or None for a plain connection; nothing is encrypted over a socket file (*local*).

    Raises:
        ConfigError: unknown mode, or files that cannot be read as what they should be.
    """
    if tls.mode not in TLS_MODES:
        raise ConfigError(f"tls.mode {tls.mode!r} is none of {', '.join(TLS_MODES)}")
    if tls.mode == "disable" or local:
        return None
    try:
        return _context(tls, tuple([os.stat(path).st_mtime_ns if path else 0 for path in (tls.ca, tls.cert, tls.key)]))
    except OSError as error:
        raise ConfigError(f"TLS files cannot be used: {error}") from error


@lru_cache(maxsize=64)
def _context(tls: TlsOptions, _changed: tuple[int, ...]) -> ssl.SSLContext:
    verified = tls.mode.startswith("verify") or (tls.mode == "require" and tls.ca is not None)
    context = ssl.create_default_context(cafile=tls.ca) if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = tls.mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def must_encrypt(tls: TlsOptions, *, local: bool) -> bool:
    """Whether a server without TLS is refused before it is told anything."""
    return not local and tls.mode not in ("disable", "prefer")
