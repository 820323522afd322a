"""
What a PostgreSQL connection is opened with (the client library's arguments, TLS), what is said to a pooler, and what a connect
that was cut leaves behind.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from dbrouter.drivers.base import ConnectOptions, TlsOptions
from dbrouter.drivers.tls import check_mode, client_context, file_stamps
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
    check_mode(tls, _TLS_MODES)
    if tls.mode.startswith("verify"):
        return {"ssl": client_context(tls, verified=True)}
    file_stamps(tls)
    files = {"sslrootcert": tls.ca, "sslcert": tls.cert, "sslkey": tls.key}
    return {"dsn": "postgresql://?" + urlencode({"sslmode": tls.mode} | {name: path for name, path in files.items() if path})}


def is_pooler(options: ConnectOptions, evidence: str) -> ConfigError:
    """The error for an endpoint that is not the server itself although ``via`` is direct."""
    return ConfigError(
        f"{options.endpoint} is PgBouncer or another pooler, not PostgreSQL itself ({evidence});"
        " write `via: pgbouncer` for this database, or give the server's own address"
    )


def let_go(error: BaseException) -> None:
    """
    Take note of what asyncpg leaves behind where *error* cut it in the tick in which the socket connects: a future for the answer
    to its TLS request, which nobody awaits, and of which asyncio would report "exception was never retrieved" to the log.
    """
    cut: BaseException | None = error
    while cut is not None:
        trace = cut.__traceback__
        while trace is not None:
            answer = getattr(trace.tb_frame.f_locals.get("protocol"), "on_data", None)
            if isinstance(answer, asyncio.Future):
                answer.add_done_callback(_seen)
            trace = trace.tb_next
        cut = cut.__cause__


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
