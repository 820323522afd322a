"""
MariaDB (or MySQL): throughput of a one-row read by parameter against the drivers' own pools and bare connections.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomysql
import asyncmy

from benchmarks.harness import Contender
from benchmarks.postgresql import ROWS, configuration
from dbrouter import Router

SQL = "SELECT id, name, balance FROM account WHERE id = %s"


def credentials(dsn: str) -> dict[str, Any]:
    """The keyword arguments both libraries take."""
    parts = urlsplit(dsn)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "db": parts.path.lstrip("/"),
        "autocommit": True,
    }


async def prepare(dsn: str) -> None:
    """The table every contender reads."""
    connection = await aiomysql.connect(**credentials(dsn))
    async with connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE account(id int primary key, name varchar(40) not null, balance bigint not null)")
        rows = [(number, f"account {number}", number * 7) for number in range(ROWS)]
        await cursor.executemany("INSERT INTO account VALUES (%s, %s, %s)", rows)
    connection.close()


@asynccontextmanager
async def router(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`Router.fetch` over aiomysql."""
    async with Router.open(configuration(dsn, size)) as opened:

        async def call(number: int) -> object:
            return await opened.fetch(SQL, number % ROWS)

        yield Contender("dbrouter (aiomysql)", call)


@asynccontextmanager
async def router_asyncmy(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`Router.fetch` over asyncmy."""
    async with Router.open(configuration(dsn.replace("mysql://", "mysql+asyncmy://"), size)) as opened:

        async def call(number: int) -> object:
            return await opened.fetch(SQL, number % ROWS)

        yield Contender("dbrouter (asyncmy)", call)


@asynccontextmanager
async def _bare(name: str, library: Any, dsn: str, size: int) -> AsyncIterator[Contender]:
    connections = deque([await library.connect(**credentials(dsn)) for _ in range(size)])

    async def call(number: int) -> object:
        connection = connections.pop()
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(SQL, (number % ROWS,))
                return await cursor.fetchall()
        finally:
            connections.append(connection)

    try:
        yield Contender(name, call)
    finally:
        for connection in connections:
            connection.close()


def bare(dsn: str, size: int) -> Any:
    """Bare aiomysql connections in a deque."""
    return _bare("bare aiomysql connections in a deque", aiomysql, dsn, size)


def bare_asyncmy(dsn: str, size: int) -> Any:
    """Bare asyncmy connections in a deque."""
    return _bare("bare asyncmy connections in a deque", asyncmy, dsn, size)


@asynccontextmanager
async def _pool(name: str, library: Any, dsn: str, size: int) -> AsyncIterator[Contender]:
    pool = await library.create_pool(minsize=size, maxsize=size, **credentials(dsn))

    async def call(number: int) -> object:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(SQL, (number % ROWS,))
            return await cursor.fetchall()

    try:
        yield Contender(name, call)
    finally:
        pool.close()
        await pool.wait_closed()


def aiomysql_pool(dsn: str, size: int) -> Any:
    """aiomysql's own pool."""
    return _pool("aiomysql pool", aiomysql, dsn, size)


def asyncmy_pool(dsn: str, size: int) -> Any:
    """asyncmy's own pool."""
    return _pool("asyncmy pool", asyncmy, dsn, size)
