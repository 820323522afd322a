"""
Stream: rows through a server-side cursor, a batch a round trip, in constant memory.

On PostgreSQL the cursor lives in a transaction of its own (read-only where the statement is a read); on MySQL it is an
unbuffered result.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

from dbrouter.drivers.base import Cursor
from dbrouter.errors import ConnectionLostError
from dbrouter.router.context import Context
from dbrouter.router.detour import delayed, remember
from dbrouter.router.plan import Plan
from dbrouter.router.session import Pinned, PinnedConnection
from dbrouter.router.transaction import Transaction
from dbrouter.terms import Engine


class Stream:
    """
    ``async with router.stream(…) as rows: async for row in rows``.

    Before the first row a read may move to another node; afterwards what breaks is raised.
    If cancelled or left by ``break``, the cursor is closed, or its connection is.
    """

    def __init__(self, context: Context, plan: Plan, params: Sequence[Any], batch: int, limit: float | None) -> None:
        if batch < 1:
            raise ValueError(f"batch must be at least 1 row, got {batch}")
        self._context = context
        self._plan = plan
        self._params = params
        self._batch = batch
        self._limit = limit
        self._pinned: Pinned | None = None
        self._block: Any = None
        self._cursor: Cursor | None = None
        self._rows: list[Any] = []
        self._position = 0
        self._ended = False

    async def __aenter__(self) -> Self:
        plan = self._plan
        if plan.refusal is not None:
            raise plan.refusal()
        effects = plan.effects
        if effects is not None:
            remember(plan, self._context.database)
            if effects.ok_msg is not None:
                self._ended = True
                return self
            if effects.delay is not None:
                await delayed(effects.delay, self._limit)
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._open()
                return self
            except ConnectionLostError:
                if not plan.read or attempt >= plan.attempts:
                    raise

    async def _open(self) -> None:
        plan, context = self._plan, self._context
        plan.hostgroup.budget.deposit(monotonic())
        block: Transaction | PinnedConnection
        if context.engine is Engine.POSTGRESQL:
            block = Transaction(
                context,
                isolation=None,
                readonly=plan.read and plan.pure,
                deferrable=False,
                limit=self._limit,
                group=plan.hostgroup,
            )
        else:
            block = PinnedConnection(context, group=plan.hostgroup, limit=self._limit, readonly=plan.read)
        self._block = block
        self._pinned = await block.__aenter__()
        try:
            self._cursor = await self._pinned.open_cursor(plan, self._params)
        except BaseException as error:
            await block.__aexit__(type(error), error, error.__traceback__)
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._position >= len(self._rows):
            if self._ended or self._cursor is None or self._pinned is None:
                raise StopAsyncIteration
            self._rows = list(await self._pinned.fetch_from(self._cursor, self._batch, self._limit, self._plan))
            self._position = 0
            self._ended = len(self._rows) < self._batch
            if not self._rows:
                raise StopAsyncIteration
        row = self._rows[self._position]
        self._position += 1
        return row

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        cursor, pinned, block = self._cursor, self._pinned, self._block
        self._cursor = self._pinned = self._block = None
        self._rows = []
        if block is None or pinned is None:
            return
        try:
            if cursor is not None and not pinned._lost and not pinned._unsettled:
                await pinned._guarded(cursor.close, self._limit, None)
        except BaseException as closing:
            await block.__aexit__(type(closing), closing, closing.__traceback__)
            raise
        await block.__aexit__(kind, error, trace)
