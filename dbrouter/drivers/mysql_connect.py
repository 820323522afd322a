"""
What a connection to MySQL or MariaDB is opened with: the client library's arguments, the session's statements, TLS.
"""

from __future__ import annotations

import codecs
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dbrouter.drivers.base import ConnectOptions
from dbrouter.drivers.mysql import library_options, setup_statements
from dbrouter.drivers.tls import check_mode, client_context
from dbrouter.errors import ConfigError

_OPTIONS = {
    "charset": "charset",
    "program_name": "program_name",
    "application_name": "program_name",
    "server_public_key": "server_public_key",
    "conv": "conv",
    "collation": "collation",
    "sql_mode": "sql_mode",
}
"""Driver option → the argument's name in both libraries; the last two are ours to apply."""

_TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
_FOUND_ROWS = 2
"""Client flag of the protocol: matched rows are reported instead of changed ones."""


def session_settings(options: ConnectOptions, library: str, own: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """
    The library's own arguments, and the statements that set a session up.

    Args:
        own: driver options that this library alone takes.

    Raises:
        ConfigError: options that the library does not take, names that are none.
    """
    known = _OPTIONS | {name: name for name in own}
    settings = {"charset": "utf8mb4", "program_name": "dbrouter"} | library_options(options, known, library)
    settings["charset"] = str(settings["charset"]).lower()
    collation, sql_mode = settings.pop("collation", None), settings.pop("sql_mode", None)
    if sql_mode is not None:
        options = replace(options, server_settings={"sql_mode": sql_mode} | options.server_settings)
    return settings, setup_statements(options, settings["charset"], collation)


def check_charset(charset: str, known: Any, library: str) -> None:
    """
    Refuse a character set that the library cannot connect with.

    Args:
        known: what the library's table has of it, with the name of its codec as `encoding`; None where it has nothing.

    Raises:
        ConfigError: it is not in the table, or Python has no such codec.
    """
    try:
        if known is None:
            raise LookupError(f"{library} does not know it")
        codecs.lookup(known.encoding)
    except LookupError as error:
        raise ConfigError(
            f"the character set {charset} cannot be used ({error}); utf8mb4 holds all its characters, and the server converts"
        ) from None


def link_arguments(options: ConnectOptions, settings: dict[str, Any], secret: str) -> dict[str, Any]:
    """
    The arguments that both libraries call the same: all but the name of the database.

    Raises:
        ConfigError: an unknown TLS mode, or files that cannot be read as what they should be.
    """
    return {
        "host": options.host,
        "port": options.port,
        "user": options.user,
        # Both encode it as Latin-1, and servers keep it in UTF-8.
        "password": secret.encode().decode("latin-1"),
        "unix_socket": options.host if _is_local(options) else None,
        "client_flag": _FOUND_ROWS if options.found_rows else 0,
        "ssl": _tls_context(options),
        "autocommit": None,
        **settings,
    }


def _tls_context(options: ConnectOptions) -> ssl.SSLContext | None:
    """The context for the options, or None for a plain connection; nothing is encrypted over a socket file."""
    tls = options.tls
    check_mode(tls, _TLS_MODES)
    if tls.mode == "disable" or _is_local(options):
        return None
    return client_context(tls, verified=tls.mode.startswith("verify") or (tls.mode == "require" and tls.ca is not None))


def must_encrypt(options: ConnectOptions) -> bool:
    """Whether a server without TLS is refused before it is told anything."""
    return not _is_local(options) and options.tls.mode not in ("disable", "prefer")


def _is_local(options: ConnectOptions) -> bool:
    return options.host.startswith("/")
