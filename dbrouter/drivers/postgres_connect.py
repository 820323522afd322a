"""
What a PostgreSQL connection is opened with: the client library's arguments, TLS; and what is said to a pooler.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from dbrouter.drivers.base import ConnectOptions, TlsOptions
from dbrouter.errors import ConfigError

_OURS = frozenset({"statement_cache_size", "max_cacheable_statement_size"})
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def library_arguments(options: ConnectOptions) -> dict[str, Any]:
    """
    The keyword arguments of `asyncpg.connect`, the password aside. No time limit among them: the caller has one for the whole.

    Raises:
        ConfigError: driver options that nobody takes, or TLS files that cannot be used.
    """
    unknown = sorted(set(options.driver_options) - _OURS)
    if unknown:
        raise ConfigError(f"asyncpg does not take {', '.join(unknown)}; it takes {', '.join(sorted(_OURS))}")
    settings = {"application_name": "dbrouter"} | {name: str(value) for name, value in options.server_settings.items()}
    if options.read_only and options.via == "direct":
        settings["default_transaction_read_only"] = "on"
    arguments: dict[str, Any] = {
        "host": options.host,
        "port": options.port or 5432,
        "user": options.user,
        "database": options.database or options.user,
        "server_settings": settings,
        "timeout": None,
        "command_timeout": None,
        "target_session_attrs": "any",
    }
    if options.via != "direct":
        arguments["statement_cache_size"] = 0
    return arguments | _tls_arguments(options.tls)


def _tls_arguments(tls: TlsOptions) -> dict[str, Any]:
    """
    The modes that verify have a context of our own, which trusts the system's authorities where no file is given; the others are
    said as part of a DSN, the one form in which asyncpg takes both a mode and files, and falls back where the mode allows it.
    """
    if tls.mode not in _TLS_MODES:
        raise ConfigError(f"tls.mode {tls.mode!r} is none of {', '.join(_TLS_MODES)}")
    try:
        if tls.mode.startswith("verify"):
            stamps = tuple(os.stat(path).st_mtime_ns if path else 0 for path in (tls.ca, tls.cert, tls.key))
            return {"ssl": _verifying_context(tls, stamps)}
        files = {"sslrootcert": tls.ca, "sslcert": tls.cert, "sslkey": tls.key}
        for path in filter(None, files.values()):
            os.stat(path)
    except OSError as error:
        raise ConfigError(f"TLS files cannot be used: {error}") from error
    return {"dsn": "postgresql://?" + urlencode({"sslmode": tls.mode} | {name: path for name, path in files.items() if path})}


@lru_cache(maxsize=64)
def _verifying_context(tls: TlsOptions, _changed: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    context.check_hostname = tls.mode == "verify-full"
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def is_pooler(options: ConnectOptions, evidence: str) -> ConfigError:
    """The error for an endpoint that is not the server itself although ``via`` is direct."""
    return ConfigError(
        f"{options.endpoint} is PgBouncer or another pooler, not PostgreSQL itself ({evidence});"
        " write `via: pgbouncer` for this database, or give the server's own address"
    )
