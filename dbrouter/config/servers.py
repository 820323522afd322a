"""
Reading one server: ``db1``, ``db1:5432``, ``[::1]:5432``, ``/run/postgresql``, ``/run/postgresql:5433``, or a mapping with
`host` or `socket`.
"""

from __future__ import annotations

import re
from typing import Any

from dbrouter.config.problems import Path, Problems, looks_secret
from dbrouter.terms import Engine

FORMS = "db1:5432, [::1]:5432, or the path of a socket"
_POSTGRES_SOCKET = re.compile(r"(.*)/\.s\.PGSQL\.(\d{1,5})")
_SOCKET_PORT = re.compile(r"(.*):(\d{1,6})")
_HOST = re.compile(r"[^\s/\[\]@:,]+")


def read_server(
    written: Any, path: Path, problems: Problems, *, engine: Engine | None, default_port: int
) -> dict[str, Any] | None:
    """
    The server as a mapping with `host` and `port`, or None when it cannot be read.

    Args:
        engine: of its database; None where that is not known (a problem reported elsewhere).
        default_port: the port it has where none is written.
    """
    if isinstance(written, str):
        return _from_text(written, path, problems, engine, default_port)
    if not isinstance(written, dict):
        problems.add(path, f"{problems.show(path, written)} is no server ({FORMS}, or a mapping with host)", expected=FORMS)
        return None
    server = dict(written)
    if "socket" in server:
        if "host" in server:
            problems.add((*path, "socket"), "a server has a host or a socket, not both")
            return None
        server["host"] = server.pop("socket")
        if isinstance(server["host"], str) and not server["host"].startswith("/"):
            problems.add((*path, "socket"), "the path of a socket begins with /")
            return None
    host = server.get("host")
    if not isinstance(host, str):
        return server
    if host.startswith("/"):
        return server | socket_place(host if "port" not in server else f"{host}:{server['port']}", engine, default_port)
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _HOST.fullmatch(host) and not _is_ipv6(host):
        problems.add(
            (*path, "host"),
            f"{problems.show((*path, 'host'), host)} is not a host name or address; the port has a key of its own",
        )
        return None
    server["host"] = host
    if server.get("port", default_port) == 0 and default_port and not isinstance(server.get("port"), bool):
        problems.add((*path, "port"), "0 is not a port (1–65535)", expected="1–65535", got=0)
        return None
    server.setdefault("port", default_port)
    return server


def _from_text(text: str, path: Path, problems: Problems, engine: Engine | None, default_port: int) -> dict[str, Any] | None:
    text = text.strip()
    if looks_secret(text):
        problems.add(path, f"a server is {FORMS}; user, password and database belong in the database's dsn", expected=FORMS)
        return None
    if text.startswith("/"):
        return socket_place(text, engine, default_port)
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (port and not port.startswith(":")):
            problems.add(path, f"{problems.show(path, text)} is no server ({FORMS})", expected=FORMS)
            return None
        port = port[1:] if port else ""
    elif text.count(":") > 1:
        hint = "; an IPv6 address needs brackets" if _is_ipv6(text) else ""
        problems.add(path, f"{problems.show(path, text)} is no server ({FORMS}){hint}", expected=FORMS)
        return None
    else:
        host, colon, port = text.partition(":")
        if not _HOST.fullmatch(host) or (colon and not port):
            problems.add(path, f"{problems.show(path, text)} is no server ({FORMS})", expected=FORMS)
            return None
    if not port:
        return {"host": host, "port": default_port}
    if not (port.isascii() and port.isdigit() and len(port) <= 9 and 1 <= int(port) <= 65535):
        problems.add(
            (*path, "port"), f"{problems.show(path, port)} is not a port (1–65535)".replace("'", ""), expected="1–65535", got=port
        )
        return None
    return {"host": host, "port": int(port)}


def socket_place(text: str, engine: Engine | None, default_port: int) -> dict[str, Any]:
    """A PostgreSQL socket is a directory and a port, a MySQL socket is a file."""
    if engine is Engine.MYSQL:
        return {"host": text.removesuffix(":0"), "port": 0}
    found = _POSTGRES_SOCKET.fullmatch(text) or _SOCKET_PORT.fullmatch(text)
    if found:
        return {"host": found[1] or "/", "port": int(found[2])}
    return {"host": text.rstrip("/") or "/", "port": default_port}


def _is_ipv6(text: str) -> bool:
    return text.count(":") >= 2 and bool(re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", text))
