"""The contract suite's registry of drivers, and its fixtures. A further driver is a line in `SUBJECTS`."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from dbrouter.drivers.aiomysql import AiomysqlDriver
from dbrouter.drivers.asyncmy import AsyncmyDriver
from dbrouter.drivers.asyncpg import AsyncpgDriver
from dbrouter.drivers.base import Connection, ConnectOptions
from dbrouter.terms import Engine
from tests.contract.subjects import FAKE, MYSQL, POSTGRESQL, Case, Subject, fake
from tests.watching import until

SUBJECTS = {
    "asyncpg": Subject(driver=lambda _: AsyncpgDriver(), dialect=POSTGRESQL, cluster="pg"),
    "asyncpg-public-calls": Subject(driver=lambda _: AsyncpgDriver(direct=False), dialect=POSTGRESQL, cluster="pg"),
    "aiomysql": Subject(driver=lambda _: AiomysqlDriver(), dialect=MYSQL, cluster="mariadb", cancel_closes=True),
    "asyncmy": Subject(driver=lambda _: AsyncmyDriver(), dialect=MYSQL, cluster="mariadb", cancel_closes=True),
    "fake": Subject(driver=fake(Engine.POSTGRESQL), dialect=FAKE, cluster=None),
    "fake-mysql": Subject(
        driver=fake(Engine.MYSQL), dialect=replace(FAKE, engine=Engine.MYSQL), cluster=None, cancel_closes=True
    ),
}

Connect = Callable[..., Awaitable[Any]]
_tables = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_loops: runs on asyncio's own loop and on uvloop")
    config.addinivalue_line("markers", "real_servers: a promise of the contract that a server in this process cannot show")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that asks for a `case` runs over every driver, one driver after the other."""
    if "case" in metafunc.fixturenames:
        real = metafunc.definition.get_closest_marker("real_servers") is not None
        names = [name for name, subject in SUBJECTS.items() if subject.cluster is not None or not real]
        metafunc.parametrize("case", names, indirect=True)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]] | None:
    """asyncio's loop, both where a test asks for it; with ``DBROUTER_LOOP`` the rest is decided by `tests/conftest.py`."""
    if item.get_closest_marker("both_loops") is not None:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return None if os.environ.get("DBROUTER_LOOP") == "uvloop" else {"asyncio": asyncio.new_event_loop}


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """A driver with its servers."""
    subject: Subject = SUBJECTS[request.param]
    stage = subject.stage(request)
    return Case(driver=subject.driver(stage), stage=stage, dialect=subject.dialect, cancel_closes=subject.cancel_closes)


@pytest.fixture
async def connect(case: Case) -> AsyncIterator[Connect]:
    """Opens connections, given options or changes to the usual ones; at the end they are terminated and no socket is left."""
    before = case.stage.sockets()
    opened: list[Connection] = []

    async def open_one(options: ConnectOptions | None = None, *, password: Any = None, **changes: Any) -> Connection:
        connection = await case.driver.connect(options or case.stage.options(**changes), password=password)
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.terminate()
        assert connection.closed
    await until(lambda: case.stage.sockets() <= before, what="every socket is closed")


@pytest.fixture
async def connection(connect: Connect) -> Any:
    """A connection of the ordinary user to the primary."""
    return await connect()


@pytest.fixture
async def table(case: Case, connect: Connect) -> AsyncIterator[str]:
    """The name of an empty table of id and v, dropped at the end."""
    name = f"contract_{os.getpid()}_{next(_tables)}"
    owner = await connect()
    await owner.send(f"CREATE TABLE {name} (id int PRIMARY KEY, v varchar(100))", ())
    yield name
    await owner.send(f"DROP TABLE {name}", ())
