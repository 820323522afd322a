"""DSNs: every piece, the parameters, and what cannot be taken apart."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.config.dsn import Dsn, parse_dsn
from dbrouter.terms import Engine

ENVIRON = {"PW": "p@s:s/w?o#r%41d$", "HOST": "db9:6000", "CREDS": "app:pw", "URL": "mysql://u:p@h/d", "ARGS": "sslmode=require"}


def expand(text: str) -> str:
    for name, value in ENVIRON.items():
        text = text.replace(f"${{{name}}}", value)
    return text.replace("$$", "$")


def parse(text: str) -> tuple[Dsn | None, list[str]]:
    messages: list[str] = []
    return parse_dsn(text, expand, messages.append), messages


def good(text: str) -> Dsn:
    dsn, messages = parse(text)
    assert dsn is not None, messages
    return dsn


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("postgresql://app:pw@db1:5433/shop", {"user": "app", "password": "pw", "host": "db1", "port": 5433, "database": "shop"}),
        ("postgres://db1", {"user": None, "password": None, "host": "db1", "port": None, "database": None}),
        ("POSTGRESQL://db1/", {"engine": Engine.POSTGRESQL, "driver": None, "database": None}),
        ("mysql+asyncmy://db1/d", {"engine": Engine.MYSQL, "driver": "asyncmy"}),
        ("mysql+aiomysql://db1/d", {"engine": Engine.MYSQL, "driver": "aiomysql"}),
        ("mariadb://db1/d", {"engine": Engine.MYSQL, "driver": None}),
        ("postgresql://app@/shop", {"user": "app", "host": None, "database": "shop"}),
        ("postgresql://app@:6432/shop", {"host": None, "port": 6432}),
        ("postgresql:///shop", {"user": None, "host": None, "database": "shop"}),
        ("postgresql:///shop?host=/run/pg&port=7&user=u", {"host": "/run/pg", "port": 7, "user": "u"}),
        ("postgresql://%2Frun%2Fpg/shop", {"host": "/run/pg"}),
        ("mysql:///d?unix_socket=/run/my.sock", {"host": "/run/my.sock"}),
        ("postgresql://[::1]:5433/d", {"host": "::1", "port": 5433}),
        ("postgresql://[::1]/d", {"host": "::1", "port": None}),
        ("postgresql://a%40b:p%3Aw%2F@h/d%20d", {"user": "a@b", "password": "p:w/", "database": "d d"}),
        ("postgresql://u:p@w@h/d", {"user": "u", "password": "p@w", "host": "h"}),
        ("postgresql://u:@h/d", {"password": None}),
        ("postgresql://u:${PW}@h/d", {"password": ENVIRON["PW"]}),
        ("postgresql://u:${PW}@${HOST}/d", {"password": ENVIRON["PW"], "host": "db9", "port": 6000}),
        ("postgresql://${CREDS}@h/d", {"user": "app", "password": "pw"}),
        ("postgresql://u:a$$b@h/d", {"password": "a$b"}),
        ("${URL}", {"engine": Engine.MYSQL, "user": "u", "password": "p", "host": "h", "database": "d"}),
        ("postgresql://h/d?${ARGS}", {"tls": {"mode": "require"}}),
        (
            "postgresql://h/d?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k",
            {"tls": {"mode": "verify-full", "ca": "/ca", "cert": "/c", "key": "/k"}},
        ),
        ("mysql://h/d?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca", {"tls": {"mode": "verify-full", "ca": "/ca"}}),
        ("mysql://h/d?ssl_mode=required", {"tls": {"mode": "require"}}),
        (
            "postgresql://h/d?application_name=my%20app&options=-c%20a%3D1%20--b-c%3Dx%5C%20y",
            {"server_settings": {"application_name": "my app", "a": "1", "b_c": "x y"}},
        ),
        (
            "postgresql://h/d?connect_timeout=7&statement_cache_size=0",
            {"connect_timeout": 7.0, "driver_options": {"statement_cache_size": 0}},
        ),
        (
            "mysql://h/d?charset=utf8mb4&found_rows=true&sql_mode=ANSI",
            {"driver_options": {"charset": "utf8mb4"}, "found_rows": True, "server_settings": {"sql_mode": "ANSI"}},
        ),
        ("postgresql://u@h/d?application_name=me%40home", {"server_settings": {"application_name": "me@home"}}),
    ],
)
def test_a_dsn_is_taken_apart(text: str, pieces: dict[str, Any]) -> None:
    """Each piece arrives decoded; what a variable holds arrives as it is."""
    dsn = good(text)

    assert {name: getattr(dsn, name) for name in pieces} == pieces


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a DSN"),
        ("db1/shop", "is not a DSN"),
        ("app:hunter2@db1/shop", "is not a DSN"),
        ("postgresq://u:hunter2@h/d", "no DSN begins with postgresq://; did you mean 'postgresql'?"),
        ("oracle://u:hunter2@h/d", "no DSN begins with oracle://; known are postgresql://"),
        ("postgresql://u:hunter2@h:http/d", "has something that is not a port (1–65535) behind its host"),
        ("postgresql://u:hunter2@h:70000/d", "is not a port"),
        ("postgresql://u:hunter2@h:0/d", "is not a port"),
        ("postgresql://u:hun#ter2@h/d", "has a #"),
        ("postgresql://u:hun/ter2@h/d", "cannot be taken apart"),
        ("postgresql://u:hun?ter2@h/d", "cannot be taken apart"),
        ("postgresql://u:hun@ter2?x=1@h/d", "has an unknown parameter; in user and password write ? as %3F"),
        ("postgresql://u:hunter2@a,b/d", "names several hosts"),
        ("postgresql://u:hunter2@[::1/d", "has a [ without its ]"),
        ("postgresql://u:hunter2@::1/d", "has an IPv6 address without brackets"),
        ("postgresql://u:hunter2@h/d/e", "has more than one / after the host"),
        ("postgresql://u:hunter2@h/d?sslmod=x", "unknown parameter sslmod; did you mean 'sslmode'?"),
        ("postgresql://u:hunter2@h/d?zzz=x", "unknown parameter zzz; known are host, port"),
        ("postgresql://u:hunter2@h/d?charset=utf8", "unknown parameter charset"),
        ("postgresql://u:hunter2@h/d?sslmode=allow", "the parameter sslmode is none of disable, prefer, require"),
        ("postgresql://u:hunter2@h/d?sslmode", "the parameter sslmode has no value"),
        ("postgresql://u:hunter2@h/d?sslmode=prefer&sslmode=require", "the parameter sslmode is given twice"),
        ("postgresql://u:hunter2@h/d?user=hunter2", "the parameter user says again what the DSN already says"),
        ("postgresql://u:hunter2@h/d?connect_timeout=soon", "the parameter connect_timeout is not a whole number of seconds"),
        ("postgresql://u:hunter2@h/d?port=hunter2", "the parameter port is not a port"),
        ("postgresql://u:hunter2@h/d?options=hunter2", "the parameter options is not of the form -c name=value"),
        ("postgresql://u:hunter2@h/d?target_session_attrs=any", "the parameter target_session_attrs is refused: hostgroups say"),
        ("mysql://u:hunter2@h/d?autocommit=0", "the parameter autocommit is refused: autocommit is always on"),
        ("mysql://u:hunter2@h/d?ssl-mode=SOMETIMES", "the parameter ssl_mode is none of DISABLED"),
    ],
)
def test_what_is_wrong_is_said_without_a_piece_of_the_password(text: str, message: str) -> None:
    """Messages name parameters, never values, and nothing that could be part of a password."""
    dsn, messages = parse(text)

    assert dsn is None
    assert message in " ".join(messages)
    assert not any(piece in " ".join(messages) for piece in ("hunter2", "hun/", "ter2", "hun@", "hun?"))


def test_every_mistake_of_a_dsn_is_reported() -> None:
    """Two wrong parameters are two messages."""
    _, messages = parse("postgresql://h/d?sslmod=x&keepalives=1")

    assert len(messages) == 2


def test_a_dsns_repr_has_no_password() -> None:
    """A DSN may be logged."""
    assert "hunter2" not in repr(good("postgresql://u:hunter2@h/d"))
