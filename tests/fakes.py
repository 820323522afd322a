"""What tests of a router over fake servers share: the configuration, its parts without a network, and an open router."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dbrouter import Router
from dbrouter.config import load
from dbrouter.events import Observer
from dbrouter.router.build import Parts, build
from dbrouter.testing.fake import FakeDriver, FakeServer

WRITER = "db1:5432"
READERS = ("db2:5432", "db3:5432")

QUICK = {
    "probe": {"interval": "20ms", "timeout": "50ms", "fall": 2, "rise": 2},
    "retry": {"backoff": "2ms", "backoff_max": "5ms"},
    "pool": {"min_size": 0, "acquire_timeout": "1s"},
}
"""Settings for tests: the proportions of life, a fraction of its seconds."""


def configuration(
    *,
    writers: Sequence[Any] = (WRITER,),
    readers: Sequence[Any] = READERS,
    write: dict[str, Any] | None = None,
    read: dict[str, Any] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """One database with hostgroups 1 'write' and 2 'read'; *write*, *read*: further keys of them; *extra* goes to the top."""
    return {
        "databases": {
            "app": {"engine": "postgresql", "dsn": "postgresql://app@/app", "writer_hostgroup": 1, "reader_hostgroup": 2}
        },
        "hostgroups": [
            {"id": 1, "name": "write", "servers": list(writers), **(write or {})},
            {"id": 2, "name": "read", "servers": list(readers), **(read or {})},
        ],
        **QUICK,
        **extra,
    }


def parts_of(servers: FakeServer | dict[str, FakeServer] | None = None, **settings: Any) -> Parts:
    """The parts of a router that was not opened."""
    return build(load(configuration(**settings)), drivers=lambda _name: FakeDriver(servers or {}))


def cluster() -> dict[str, FakeServer]:
    """A primary db1 with the replicas db2 and db3."""
    primary = FakeServer(name=WRITER)
    return {WRITER: primary} | {name: primary.replica(name=name) for name in READERS}


@asynccontextmanager
async def opened(servers: dict[str, FakeServer], *, observers: Sequence[Observer] = (), **settings: Any) -> AsyncIterator[Router]:
    """A router over *servers*, every one of which was reached, unless *settings* say otherwise; nothing went wrong behind it."""
    source = configuration(**{"start": "all", **settings})
    async with Router.open(source, drivers=lambda _name: FakeDriver(servers), observers=observers) as router:
        yield router
    assert [server for server in servers.values() if server.connections] == []
