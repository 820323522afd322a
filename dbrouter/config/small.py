"""
The smallest file – ``writer: DSN``, ``readers: [DSN, …]`` – rewritten as the whole shape.

The database is called after its name on the servers (``default`` where the DSNs have none), its hostgroups are 1
(``<name>-write``)
and 2 (``<name>-read``). What one DSN says of user, password, database, parameters and engine holds for all; two that differ are
a problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbrouter.config.dsn import Dsn
from dbrouter.config.model import DEFAULT_PORTS
from dbrouter.config.problems import Path, Problems
from dbrouter.config.servers import read_server, socket_place

WRITER_ID = 1
READER_ID = 2
_SHARED = ("engine", "driver", "user", "password", "database", "connect_timeout", "found_rows")
_MAPS = ("tls", "server_settings", "driver_options")


@dataclass(slots=True)
class SmallShape:
    """What the smallest file says: the shared DSN, and each server with the path where it was written."""

    name: str
    dsn: Dsn
    writer: tuple[Path, dict[str, Any]] | None
    readers: list[tuple[Path, dict[str, Any]]]


def read_small(document: dict[str, Any], read_dsn: Callable[[Any, Path], Dsn | None], problems: Problems) -> SmallShape | None:
    """The small shape taken apart, or None when it cannot be; what is wrong goes to *problems*."""
    for key in ("databases", "hostgroups"):
        if key in document:
            problems.add(
                (key,), f"a file has writer and readers, or databases and hostgroups; {key} does not go with writer and readers"
            )
    if "writer" not in document and not problems.doubts(("writer",)):
        problems.add(("writer",), "is missing: readers need a writer", expected="a DSN")
    written: list[tuple[Path, Any]] = [(("writer",), document["writer"])] if "writer" in document else []
    readers = document.get("readers")
    if isinstance(readers, list):
        written += [(("readers", index), reader) for index, reader in enumerate(readers)]
    elif readers is not None:
        problems.give_up(("readers",), "is not a list of DSNs", expected="a list of DSNs")
    parts = [(path, read_dsn(value, path)) for path, value in written]
    good = [(path, dsn) for path, dsn in parts if dsn is not None]
    if not good:
        return None
    shared = _share(good, problems)
    servers = {path: server for path, dsn in good if (server := _server(path, dsn, problems)) is not None}
    return SmallShape(
        name=shared.database or "default",
        dsn=shared,
        writer=next(((path, server) for path, server in servers.items() if path == ("writer",)), None),
        readers=[(path, server) for path, server in servers.items() if path != ("writer",)],
    )


def _share(parts: list[tuple[Path, Dsn]], problems: Problems) -> Dsn:
    """One DSN that says what any of *parts* says; contradictions are problems."""
    shared = Dsn(parts[0][1].engine)
    said: dict[str, Path] = {}
    for path, dsn in parts:
        for name in _SHARED:
            value = getattr(dsn, name)
            if value is None:
                continue
            if name in said and getattr(shared, name) != value:
                problems.add(path, _differ(name, said[name]))
            elif name not in said:
                said[name] = path
                setattr(shared, name, value)
        for name in _MAPS:
            mine: dict[str, Any] = getattr(shared, name)
            for key, value in getattr(dsn, name).items():
                if mine.setdefault(key, value) != value:
                    problems.add(path, _differ(f"parameter for {key}", said.get(f"{name}.{key}", ("writer",))))
                said.setdefault(f"{name}.{key}", path)
    return shared


def _differ(name: str, first: Path) -> str:
    word = {"database": "database name", "found_rows": "found_rows"}.get(name, name)
    where = "the writer's" if first == ("writer",) else "an earlier reader's"
    advice = (
        "; several databases or users need the shape with databases and hostgroups"
        if name in ("database", "user", "password")
        else ""
    )
    return f"its {word} differs from {where}: the servers of one database share it{advice}"


def _server(path: Path, dsn: Dsn, problems: Problems) -> dict[str, Any] | None:
    default_port = DEFAULT_PORTS[dsn.engine]
    if dsn.host is None:
        problems.add(path, "names no host")
        return None
    if dsn.host.startswith("/"):
        return socket_place(f"{dsn.host}:{dsn.port}" if dsn.port else dsn.host, dsn.engine, default_port)
    written: dict[str, Any] = {"host": dsn.host, "port": dsn.port or default_port}
    before = len(problems)
    server = read_server(written, path, problems, engine=dsn.engine, default_port=default_port)
    return server if len(problems) == before else None
