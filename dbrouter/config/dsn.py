"""
Data source names: ``postgresql://user:password@host:port/database?parameters`` and the same for ``mysql``.

Variables are replaced after the name is taken apart and what they hold is taken as it is, so a password in a variable needs no
percent-encoding. No message quotes a piece of a DSN that could be part of a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from pydantic import SecretStr

from dbrouter.config.problems import did_you_mean
from dbrouter.terms import UNSAFE_CHARSETS, Engine

SCHEMES = {
    "postgresql": (Engine.POSTGRESQL, None),
    "postgres": (Engine.POSTGRESQL, None),
    "postgresql+asyncpg": (Engine.POSTGRESQL, "asyncpg"),
    "mysql": (Engine.MYSQL, None),
    "mariadb": (Engine.MYSQL, None),
    "mysql+aiomysql": (Engine.MYSQL, "aiomysql"),
    "mysql+asyncmy": (Engine.MYSQL, "asyncmy"),
}
SHAPE = "postgresql://user:password@host:port/database?parameters or mysql://…"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_WHOLE_VARIABLE = re.compile(r"\$\{[^}]*\}")
_MYSQL_TLS = {
    "DISABLED": "disable",
    "PREFERRED": "prefer",
    "REQUIRED": "require",
    "VERIFY_CA": "verify-ca",
    "VERIFY_IDENTITY": "verify-full",
}
_POSTGRES_TLS = ("disable", "prefer", "require", "verify-ca", "verify-full")


class Report(Protocol):
    """Takes a message about the DSN."""

    def __call__(self, message: str) -> None: ...


@dataclass(slots=True)
class Dsn:
    """A DSN taken apart; None and empty mean that it does not say."""

    engine: Engine
    driver: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    database: str | None = None
    tls: dict[str, str] = field(default_factory=dict)
    server_settings: dict[str, str] = field(default_factory=dict)
    driver_options: dict[str, Any] = field(default_factory=dict)
    connect_timeout: float | None = None
    found_rows: bool | None = None


class _Bad(ValueError):
    """A parameter's value is wrong; the message names the parameter, never the value."""


Expand = Callable[[str], str | None]


def parse_dsn(text: str, expand: Expand, report: Report) -> Dsn | None:
    """
    *text* taken apart, or None when it cannot be; what is wrong goes to *report*.

    Args:
        expand: replaces ``${…}`` in a piece of the text; answers None where it cannot, after it said so itself.
    """
    if _WHOLE_VARIABLE.fullmatch(text.strip()):
        held = expand(text.strip())
        if held is None:
            return None
        text, expand = held, str  # what a variable holds is a plain DSN
    text = text.strip()
    scheme = _SCHEME.match(text)
    if scheme is None:
        report(f"is not a DSN ({SHAPE})")
        return None
    known = SCHEMES.get(scheme[1].lower())
    if known is None:
        near = did_you_mean(scheme[1], SCHEMES)
        report(f"no DSN begins with {scheme[1]}://{near or '; known are ' + ', '.join(f'{name}://' for name in SCHEMES)}")
        return None
    return _Parser(Dsn(*known), expand, report).parse(text[scheme.end() :])


def parameters(engine: Engine) -> tuple[list[str], dict[str, str]]:
    """The parameters a DSN of *engine* may have, and those that are refused with the reason."""
    table = _POSTGRES if engine is Engine.POSTGRESQL else _MYSQL
    return [name for name, reader in table.items() if not isinstance(reader, str)], {
        name: reader for name, reader in table.items() if isinstance(reader, str)
    }


def merge_dsn(raw: dict[str, Any], dsn: Dsn | None, report: Callable[[str, str], None]) -> dict[str, Any]:
    """*raw*, the mapping of a database, with what the DSN says; where both say something different, *report* gets the key."""
    merged = dict(raw)
    if dsn is None:
        return merged
    pairs = {
        "engine": dsn.engine,
        "driver": dsn.driver,
        "user": dsn.user,
        "password": SecretStr(dsn.password) if dsn.password is not None else None,
        "database": dsn.database,
        "default_port": dsn.port if dsn.host is None else None,
        "connect_timeout": dsn.connect_timeout,
        "found_rows": dsn.found_rows,
    }
    for key, value in pairs.items():
        if value is None:
            continue
        if merged.get(key) is not None and merged[key] != value:
            report(
                key,
                f"{key} and the dsn say different things"
                if key != "engine"
                else f"the dsn's scheme is of {value}, engine says otherwise",
            )
        merged[key] = value
    for key in ("tls", "server_settings", "driver_options"):
        said: dict[str, Any] = getattr(dsn, key)
        if said and isinstance(merged.get(key, {}), dict):
            written = merged.get(key) or {}
            for name in said.keys() & written.keys():
                if written[name] != said[name]:
                    report(key, f"{name} and the dsn say different things")
            merged[key] = {**said, **written}
    return merged


class _Parser:
    def __init__(self, dsn: Dsn, expand: Expand, report: Report) -> None:
        self._dsn = dsn
        self._expander = expand
        self._report = report
        self._good = True

    def parse(self, rest: str) -> Dsn | None:
        if "#" in _without_variables(rest):
            self._bad("has a #: in user, password or database it must be written %23")
            return None
        rest, _, query = _split_outside(rest, "?")
        authority, _, path = _split_outside(rest, "/")
        stray = "@" in _without_variables(path) or ("@" in _without_variables(query) and "@" not in _without_variables(authority))
        if stray:
            self._bad(
                "cannot be taken apart: in user and password write / as %2F, ? as %3F, @ as %40, # as %23 (or use a variable)"
            )
            return None
        userinfo, at, place = _rsplit_outside(authority, "@")
        if not at:
            userinfo, place = "", authority
        self._credentials(userinfo)
        self._place(place)
        self._dsn.database = self._plain(path) or None
        if "/" in path:
            self._bad("has more than one / after the host; the database is one name (write / in it as %2F)")
        if query:
            self._parameters(query)
        return self._dsn if self._good else None

    def _credentials(self, userinfo: str) -> None:
        if _WHOLE_VARIABLE.fullmatch(userinfo):
            held = self._expand(userinfo)
            if held is None or ":" in held:
                self._dsn.user, _, self._dsn.password = (held or "").partition(":")
                return
        user, _, password = _split_outside(userinfo, ":")
        self._dsn.user = self._plain(user) or None
        self._dsn.password = self._plain(password) or None  # empty is none, as in libpq

    def _place(self, written: str) -> None:
        place = self._expand(written)
        if place is None:
            return None
        if "," in place:
            return self._bad("names several hosts; give each server an entry of its own")
        host, port = place, ""
        if place.startswith("["):
            host, bracket, port = place[1:].partition("]")
            if not bracket or (port and not port.startswith(":")):
                return self._bad("has a [ without its ]; an IPv6 address is written [::1]:5432")
            port = port[1:]
        elif ":" in place:
            host, _, port = place.rpartition(":")
            if ":" in host:
                return self._bad("has an IPv6 address without brackets, or a : in user or password that must be written %3A")
        self._dsn.host = unquote(host) or None
        if port:
            self._port(port)
        return None

    def _port(self, text: str) -> None:
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
            self._bad("has something that is not a port (1–65535) behind its host")
        else:
            self._dsn.port = int(text)

    def _parameters(self, query: str) -> None:
        seen: set[str] = set()
        if _WHOLE_VARIABLE.fullmatch(query):
            query, self._expander = self._expand(query) or "", str
        table = _POSTGRES if self._dsn.engine is Engine.POSTGRESQL else _MYSQL
        guarded = "@" in query
        for part in filter(None, query.split("&")):
            name, equals, value = part.partition("=")
            expanded = self._plain(name)
            if expanded is None:
                continue
            name = expanded.replace("-", "_").lower()
            reader = table.get(name)
            if reader is None:
                self._unknown(name, table, guarded)
            elif isinstance(reader, str):
                self._bad(f"the parameter {name} is refused: {reader}")
            elif not equals:
                self._bad(f"the parameter {name} has no value")
            elif name in seen:
                self._bad(f"the parameter {name} is given twice")
            elif (held := self._plain(value)) is not None:
                self._read(name, reader, held)
            seen.add(name)

    def _unknown(self, name: str, table: dict[str, Any], guarded: bool) -> None:
        near = did_you_mean(name, table)
        if guarded and not near:
            self._bad("has an unknown parameter; in user and password write ? as %3F")
        else:
            shown = name if len(name) <= 40 and name.isidentifier() else "of that name"
            usual = "; known are " + ", ".join(key for key, reader in table.items() if not isinstance(reader, str))
            self._bad(f"unknown parameter {shown}{near or usual}")

    def _read(self, name: str, reader: Callable[[Dsn, str], None], value: str) -> None:
        try:
            reader(self._dsn, value)
        except _Bad as error:
            self._bad(f"the parameter {name} {error}")

    def _plain(self, piece: str) -> str | None:
        """
        Percent-decoded, then with its variables replaced: what a variable holds is taken as it is. None where it cannot be.
        """
        pieces = re.split(r"(\$\{[^}]*\}|\$\$)", piece)
        plain = [self._expand(one) if index % 2 else unquote(one) for index, one in enumerate(pieces)]
        return None if None in plain else "".join(filter(None, plain))

    def _expand(self, piece: str) -> str | None:
        held = self._expander(piece)
        self._good = self._good and held is not None
        return held

    def _bad(self, message: str) -> None:
        self._good = False
        self._report(message)


def _without_variables(text: str) -> str:
    return _WHOLE_VARIABLE.sub(lambda found: "x" * len(found[0]), text)


def _split_outside(text: str, mark: str) -> tuple[str, str, str]:
    at = _without_variables(text).find(mark)
    return (text, "", "") if at < 0 else (text[:at], mark, text[at + 1 :])


def _rsplit_outside(text: str, mark: str) -> tuple[str, str, str]:
    at = _without_variables(text).rfind(mark)
    return ("", "", text) if at < 0 else (text[:at], mark, text[at + 1 :])


def _text(attribute: str) -> Callable[[Dsn, str], None]:
    def read(dsn: Dsn, value: str) -> None:
        if getattr(dsn, attribute):
            raise _Bad("says again what the DSN already says")
        setattr(dsn, attribute, value)

    return read


def _port(dsn: Dsn, value: str) -> None:
    if dsn.port is not None:
        raise _Bad("says again what the DSN already says")
    dsn.port = _count(value, 1, 65535, "is not a port (1–65535)")


def _count(value: str, low: int, high: int, message: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and low <= int(value) <= high):
        raise _Bad(message)
    return int(value)


def _connect_timeout(dsn: Dsn, value: str) -> None:
    dsn.connect_timeout = float(_count(value, 1, 86400, "is not a whole number of seconds (1–86400)"))


def _tls_file(key: str) -> Callable[[Dsn, str], None]:
    def read(dsn: Dsn, value: str) -> None:
        dsn.tls[key] = value

    return read


def _sslmode(dsn: Dsn, value: str) -> None:
    if value not in _POSTGRES_TLS:
        raise _Bad(
            f"is none of {', '.join(_POSTGRES_TLS)}"
            + (" (allow would send the password in clear text first)" if value == "allow" else "")
        )
    dsn.tls["mode"] = value


def _ssl_mode(dsn: Dsn, value: str) -> None:
    mode = _MYSQL_TLS.get(value.upper(), value.lower())
    if mode not in _POSTGRES_TLS:
        raise _Bad(f"is none of {', '.join(_MYSQL_TLS)}")
    dsn.tls["mode"] = mode


def _setting(name: str) -> Callable[[Dsn, str], None]:
    def read(dsn: Dsn, value: str) -> None:
        dsn.server_settings[name] = value

    return read


def _options(dsn: Dsn, value: str) -> None:
    found = re.findall(r"(?:-c\s*|--)([A-Za-z_][\w.-]*)=((?:\\.|[^\s\\])*)", value)
    rest = re.sub(r"(?:-c\s*|--)[A-Za-z_][\w.-]*=(?:\\.|[^\s\\])*", "", value)
    if rest.strip() or not found:
        raise _Bad("is not of the form -c name=value; use server_settings")
    dsn.server_settings |= {name.replace("-", "_"): re.sub(r"\\(.)", r"\1", held) for name, held in found}


def _driver_text(name: str) -> Callable[[Dsn, str], None]:
    def read(dsn: Dsn, value: str) -> None:
        dsn.driver_options[name] = value

    return read


def _charset(dsn: Dsn, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", value):
        raise _Bad("is not the name of a character set")
    if value.lower() in UNSAFE_CHARSETS:
        raise _Bad("is a character set in which parameters cannot be escaped safely; utf8mb4 holds all its characters")
    dsn.driver_options["charset"] = value


def _driver_count(name: str, highest: int, unit: str) -> Callable[[Dsn, str], None]:
    def read(dsn: Dsn, value: str) -> None:
        dsn.driver_options[name] = _count(value, 0, highest, f"is not a whole number (0–{highest} {unit})")

    return read


def _found_rows(dsn: Dsn, value: str) -> None:
    if value.lower() not in ("true", "false", "1", "0"):
        raise _Bad("is neither true nor false")
    dsn.found_rows = value.lower() in ("true", "1")


_IN_POOL = "it is set by pool, probe and timeouts of this configuration"
_TCP = "dbrouter sets keepalive and user time-out itself"

_POSTGRES: dict[str, Callable[[Dsn, str], None] | str] = {
    "host": _text("host"),
    "port": _port,
    "user": _text("user"),
    "password": _text("password"),
    "dbname": _text("database"),
    "database": _text("database"),
    "sslmode": _sslmode,
    "sslrootcert": _tls_file("ca"),
    "sslcert": _tls_file("cert"),
    "sslkey": _tls_file("key"),
    "application_name": _setting("application_name"),
    "search_path": _setting("search_path"),
    "options": _options,
    "connect_timeout": _connect_timeout,
    "statement_cache_size": _driver_count("statement_cache_size", 1_000_000, "statements"),
    "max_cacheable_statement_size": _driver_count("max_cacheable_statement_size", 2**30, "bytes"),
    "target_session_attrs": "hostgroups say which servers take writes; dbrouter checks the role itself",
    "load_balance_hosts": "use balance: random of a hostgroup",
    "hostaddr": "write the address as the host",
    "passfile": "write password: file:/path, or ${VAR}",
    "service": "write what the service file says",
    "client_encoding": "the driver always speaks UTF-8",
    "command_timeout": "use timeouts.call",
    "keepalives": _TCP,
    "keepalives_idle": _TCP,
    "keepalives_interval": _TCP,
    "keepalives_count": _TCP,
    "tcp_user_timeout": _TCP,
    "replication": "replication connections are not for queries",
    "gssencmode": "GSS encryption is not supported by the driver",
    "min_size": _IN_POOL,
    "max_size": _IN_POOL,
    "pool_size": _IN_POOL,
}

_MYSQL: dict[str, Callable[[Dsn, str], None] | str] = {
    "user": _text("user"),
    "password": _text("password"),
    "database": _text("database"),
    "unix_socket": _text("host"),
    "socket": _text("host"),
    "charset": _charset,
    "program_name": _driver_text("program_name"),
    "application_name": _driver_text("program_name"),
    "sql_mode": _setting("sql_mode"),
    "time_zone": _setting("time_zone"),
    "connect_timeout": _connect_timeout,
    "found_rows": _found_rows,
    "client_found_rows": _found_rows,
    "ssl_mode": _ssl_mode,
    "sslmode": _ssl_mode,
    "ssl_ca": _tls_file("ca"),
    "ssl_cert": _tls_file("cert"),
    "ssl_key": _tls_file("key"),
    "autocommit": "autocommit is always on; transaction() opens transactions",
    "init_command": "use pool.init",
    "local_infile": "LOAD DATA LOCAL is off: a server could ask for any file",
    "read_timeout": "use timeouts.call",
    "write_timeout": "use timeouts.call",
    "minsize": _IN_POOL,
    "maxsize": _IN_POOL,
    "pool_size": _IN_POOL,
    "pool_recycle": "use pool.max_lifetime",
}
