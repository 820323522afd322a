"""
What the contract suite runs over: drivers, the SQL they speak, and the servers behind them.

The tests write PostgreSQL's placeholders and casts (``$1::int``); a `Dialect` makes of them what its engine takes. A `Stage` is
the server side: how to reach it, what goes wrong with it, and who is connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dbrouter.drivers.base import Connection, ConnectOptions, Driver, TlsOptions
from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster
from dbrouter.testing.fake import FakeDriver
from dbrouter.testing.fakeserver import FakeServer
from dbrouter.testing.server import DATABASE, PASSWORD, USER
from tests.watching import open_sockets

_DIGITS = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """
    How the tests' statements are said.

    Attributes:
        sleep: one row after ``{}`` seconds.
        setting: a setting of the session whose default is neither ``value`` nor ``other``.
        show: one row, one column: the setting.
        poke: a read that changes the setting to ``other`` by way of a function, as nobody sees from its text; None where there
            is no such thing.
    """

    engine: Engine
    sleep: str
    set: str
    show: str
    value: str
    poke: str | None

    def sql(self, text: str) -> str:
        """*text* in this engine's words."""
        if self.engine is Engine.POSTGRESQL:
            return text
        return re.sub(r"\$\d+", "%s", re.sub(r"::\w+", "", text))

    def numbers(self, powers: int, columns: str = "{n} AS n") -> str:
        """A SELECT of 10 to the *powers* rows; ``{n}`` in *columns* is the row's number from 0 on."""
        number = " + ".join(f"t{place}.d * {10**place}" for place in range(powers))
        tables = " CROSS JOIN ".join(f"{_DIGITS} AS t{place}" for place in range(powers))
        return f"SELECT {columns.format(n=f'({number})')} FROM {tables}"


POSTGRESQL = Dialect(
    engine=Engine.POSTGRESQL,
    sleep="SELECT pg_sleep({})",
    set="SET work_mem = '5MB'",
    show="SHOW work_mem",
    value="5MB",
    poke="SELECT set_config('work_mem', '7MB', false)",
)
MYSQL = Dialect(
    engine=Engine.MYSQL,
    sleep="SELECT SLEEP({})",
    set="SET SESSION group_concat_max_len = 5000",
    show="SELECT CAST(@@group_concat_max_len AS CHAR)",
    value="5000",
    poke=None,
)
FAKE = replace(POSTGRESQL, set="SET work_mem = '5MB'", poke="SET work_mem = '7MB'")


class Stage(ABC):
    """The server side of a driver under test."""

    @abstractmethod
    def options(self, **changes: Any) -> ConnectOptions:
        """How the ordinary user reaches the primary."""

    @abstractmethod
    def replica_options(self) -> ConnectOptions:
        """How the ordinary user reaches a replica."""

    @abstractmethod
    def wrong_password(self) -> ConnectOptions:
        """Options with a password that the server does not take."""

    @abstractmethod
    def refused(self) -> ConnectOptions:
        """Options for a place where nobody listens."""

    @abstractmethod
    def silent(self) -> contextlib.AbstractAsyncContextManager[ConnectOptions]:
        """Options for a place that accepts and never answers."""

    @abstractmethod
    async def kill(self, connection: Connection) -> None:
        """End the session of *connection* on the server."""

    @abstractmethod
    async def sessions(self) -> set[str]:
        """``server_id`` of the ordinary user's sessions."""

    @abstractmethod
    def sockets(self) -> int:
        """How many sockets of this process lead somewhere."""


def options_for(server: Any, **changes: Any) -> ConnectOptions:
    """How the ordinary user reaches *server* (or a pooler or proxy before one), unencrypted."""
    plain = ConnectOptions(
        host=server.host, port=server.port, user=USER, password=PASSWORD, database=DATABASE, tls=TlsOptions(mode="disable")
    )
    return replace(plain, **changes)


class RealStage(Stage):
    """A cluster of real servers."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster

    def options(self, **changes: Any) -> ConnectOptions:
        return options_for(self._cluster.primary, **changes)

    def replica_options(self) -> ConnectOptions:
        return options_for(self._cluster.replicas[0], read_only=True)

    def wrong_password(self) -> ConnectOptions:
        return self.options(password="not-it")

    def refused(self) -> ConnectOptions:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return self.options(port=free.getsockname()[1])

    @contextlib.asynccontextmanager
    async def silent(self) -> AsyncIterator[ConnectOptions]:
        writers: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        try:
            yield self.options(port=server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()

    async def kill(self, connection: Connection) -> None:
        if self._cluster.engine is Engine.POSTGRESQL:
            statement = f"SELECT pg_terminate_backend({connection.server_id})"
        else:
            statement = f"KILL {connection.server_id}"
        await asyncio.to_thread(self._cluster.primary.query, statement)

    async def sessions(self) -> set[str]:
        if self._cluster.engine is Engine.POSTGRESQL:
            statement = f"SELECT pid FROM pg_stat_activity WHERE usename = '{USER}'"
        else:
            statement = f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'"
        return {str(row[0]) for row in await asyncio.to_thread(self._cluster.primary.query, statement)}

    def sockets(self) -> int:
        return len(open_sockets())


class FakeStage(Stage):
    """Fake servers in this process."""

    def __init__(self) -> None:
        self.primary = FakeServer(password=PASSWORD)
        self.servers = {"primary:1": self.primary, "replica:1": self.primary.replica(), "silent:1": FakeServer()}
        self.servers["silent:1"].freeze()

    def _to(self, host: str, **changes: Any) -> ConnectOptions:
        return replace(ConnectOptions(host=host, port=1, user=USER, password=PASSWORD, database=DATABASE), **changes)

    def options(self, **changes: Any) -> ConnectOptions:
        return self._to("primary", **changes)

    def replica_options(self) -> ConnectOptions:
        return self._to("replica", read_only=True)

    def wrong_password(self) -> ConnectOptions:
        return self.options(password="not-it")

    def refused(self) -> ConnectOptions:
        return self._to("nobody")

    @contextlib.asynccontextmanager
    async def silent(self) -> AsyncIterator[ConnectOptions]:
        yield self._to("silent")

    async def kill(self, connection: Connection) -> None:
        connection.raw.kill()

    async def sessions(self) -> set[str]:
        return {connection.server_id for connection in self.primary.connections}

    def sockets(self) -> int:
        return len(self.primary.connections) + len(open_sockets())


@dataclass(frozen=True, kw_only=True)
class Subject:
    """
    A driver under test.

    Args:
        driver: makes it, given the stage.
        cluster: the fixture of its servers, or None for fake ones.
        cancel_closes: cancelling a statement closes the connection (the MySQL family).
    """

    driver: Callable[[Stage], Driver]
    dialect: Dialect
    cluster: str | None
    cancel_closes: bool = False

    def stage(self, request: pytest.FixtureRequest) -> Stage:
        """The servers, started."""
        return FakeStage() if self.cluster is None else RealStage(request.getfixturevalue(self.cluster))


def fake(engine: Engine) -> Callable[[Stage], Driver]:
    """Makes the fake driver over the servers of its stage."""

    def make(stage: Stage) -> Driver:
        assert isinstance(stage, FakeStage)
        return FakeDriver(stage.servers, engine=engine)

    return make


@dataclass(frozen=True, kw_only=True)
class Case:
    """A driver, its servers and its words: what a test gets."""

    driver: Driver
    stage: Stage
    dialect: Dialect
    cancel_closes: bool

    def sql(self, text: str) -> str:
        """*text* in the engine's words."""
        return self.dialect.sql(text)


async def value(connection: Any, text: str, *params: Any) -> Any:
    """The first value of a statement's first row."""
    return (await connection.send(text, params))[0][0][0]
