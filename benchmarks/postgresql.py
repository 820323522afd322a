"""
PostgreSQL: throughput of a one-row read by parameter against the other ways to do it from Python, and what one call costs.

Every contender runs the same statement on the same server with the same number of connections.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from benchmarks.harness import Contender
from dbrouter import Router

SQL = "SELECT id, name, balance FROM account WHERE id = $1"
ROWS = 1000


async def prepare(dsn: str) -> None:
    """The table every contender reads."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS account(id int primary key, name text not null, balance bigint not null);"
            f"INSERT INTO account SELECT i, 'account ' || i, i * 7 FROM generate_series(0, {ROWS - 1}) i ON CONFLICT DO NOTHING;"
            "ANALYZE account"
        )
    finally:
        await connection.close()


def configuration(dsn: str, size: int, **extra: Any) -> dict[str, Any]:
    """A router on one server: writer and no readers, everything else as it comes."""
    return {"writer": dsn, "pool": {"min_size": size, "max_size": size}, **extra}


@asynccontextmanager
async def router(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`Router.fetch`, everything on."""
    async with Router.open(configuration(dsn, size)) as opened:

        async def call(number: int) -> object:
            return await opened.fetch(SQL, number % ROWS)

        yield Contender("dbrouter", call)


@asynccontextmanager
async def router_execute(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`Router.execute`, with its `Result`."""
    async with Router.open(configuration(dsn, size)) as opened:

        async def call(number: int) -> object:
            return await opened.execute(SQL, number % ROWS)

        yield Contender("dbrouter execute", call)


@asynccontextmanager
async def bare(dsn: str, size: int) -> AsyncIterator[Contender]:
    """The limit: connections in a deque, nothing else; as many tasks as connections, so that none has to wait."""
    connections = deque([await asyncpg.connect(dsn) for _ in range(size)])

    async def call(number: int) -> object:
        connection = connections.pop()
        try:
            return await connection.fetch(SQL, number % ROWS)
        finally:
            connections.append(connection)

    try:
        yield Contender("bare asyncpg connections in a deque", call)
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))


@asynccontextmanager
async def asyncpg_pool(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`asyncpg.Pool.fetch` as it comes."""
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as pool:

        async def call(number: int) -> object:
            return await pool.fetch(SQL, number % ROWS)

        yield Contender("asyncpg.Pool.fetch", call)


@asynccontextmanager
async def pgbouncer_pool(dsn: str, size: int) -> AsyncIterator[Contender]:
    """`asyncpg.Pool` through PgBouncer in transaction mode."""
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size, statement_cache_size=0) as pool:

        async def call(number: int) -> object:
            return await pool.fetch(SQL, number % ROWS)

        yield Contender("asyncpg.Pool through PgBouncer (transaction mode)", call)


@asynccontextmanager
async def hasql_pool(dsn: str, size: int) -> AsyncIterator[Contender]:
    """hasql's pool manager over asyncpg."""
    from hasql.asyncpg import PoolManager

    manager = PoolManager(dsn, pool_factory_kwargs={"min_size": size, "max_size": size})
    await manager.ready(masters_count=1, replicas_count=0)

    async def call(number: int) -> object:
        async with manager.acquire_master() as connection:
            return await connection.fetch(SQL, number % ROWS)

    try:
        yield Contender("hasql acquire_master + fetch", call)
    finally:
        await manager.close()


@asynccontextmanager
async def psycopg_pool(dsn: str, size: int) -> AsyncIterator[Contender]:
    """psycopg 3 with its own pool."""
    from psycopg_pool import AsyncConnectionPool

    text = SQL.replace("$1", "%s")
    pool = AsyncConnectionPool(dsn, min_size=size, max_size=size, open=False, kwargs={"autocommit": True})
    await pool.open(wait=True)

    async def call(number: int) -> object:
        async with pool.connection() as connection:
            cursor = await connection.execute(text, (number % ROWS,))
            return await cursor.fetchall()

    try:
        yield Contender("psycopg_pool", call)
    finally:
        await pool.close()


@asynccontextmanager
async def sqlalchemy_core(dsn: str, size: int) -> AsyncIterator[Contender]:
    """SQLAlchemy's async Core over asyncpg."""
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    statement = text(SQL.replace("$1", ":id"))
    engine = create_async_engine(
        dsn.replace("postgresql://", "postgresql+asyncpg://"), pool_size=size, max_overflow=0, isolation_level="AUTOCOMMIT"
    )

    async def call(number: int) -> object:
        async with engine.connect() as connection:
            return (await connection.execute(statement, {"id": number % ROWS})).fetchall()

    try:
        yield Contender("SQLAlchemy async Core", call)
    finally:
        await engine.dispose()


@asynccontextmanager
async def contenders(makers: list[Any]) -> AsyncIterator[list[Contender]]:
    """All of them open at once, as (maker, dsn, size) says."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(maker(dsn, size)) for maker, dsn, size in makers]
