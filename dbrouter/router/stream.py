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
from dbrouter.errors import StatementRejectedError
from dbrouter.router.context import Context
from dbrouter.router.detour import delayed, following, logged, remember, told, traced
from dbrouter.router.plan import Plan
from dbrouter.router.session import Pinned, PinnedConnection
from dbrouter.router.transaction import Transaction
from dbrouter.terms import Engine


class Stream:
    """
    ``async with router.stream(…) as rows: async for row in rows``.

    It is entered with its first batch. Until that is there a read may move to another node; afterwards what breaks is raised.
    If cancelled or left by ``break``, the cursor is closed, or its connection is.
    """

    def __init__(
        self, context: Context, plan: Plan, params: Sequence[Any], batch: int, limit: float | None, tag: str | None
    ) -> None:
        if batch < 1:
            raise ValueError(f"batch must be at least 1 row, got {batch}")
        self._context = context
        self._plan = plan
        self._params = params
        self._batch = batch
        self._limit = limit
        self._tag = tag
        self._pinned = _pinned_for(context, plan, limit)
        self._cursor: Cursor | None = None
        self._rows: list[Any] = []
        self._position = 0
        self._ended = False
        self._open = False

    async def __aenter__(self) -> Self:
        plan, pinned = self._plan, self._pinned
        if plan.answer is None and plan.refusal is not None:
            plan.tally.calls += 1
            refused = plan.refusal()
            told(self._context, plan, None, plan.hostgroup.name, type(refused).__name__)
            raise refused
        effects = plan.effects
        if effects is not None:
            if effects.follows is not None and not pinned._opened:
                plan = self._plan = following(self._context, plan, self._tag)
                pinned = self._pinned = _pinned_for(self._context, plan, self._limit)
            remember(plan, self._context.database, plan.hostgroup)
            if effects.ok_msg is not None:
                plan.tally.calls += 1
                told(self._context, plan, "rule", plan.hostgroup.name, "ok")
                self._ended = self._open = True
                return self
            if effects.delay is not None:
                pinned.limit = await delayed(effects.delay, self._limit)
        opening = traced(self._context, plan, pinned.open_cursor(plan, self._params, self._batch), lambda _: pinned.read_only)
        if effects is not None and effects.log:
            opening = logged(self._context, plan, opening, lambda _: pinned.place)
        plan.hostgroup.budget.deposit(monotonic())
        self._cursor, rows = await opening
        self._take(rows)
        self._open = True
        return self

    def _take(self, rows: Sequence[Any]) -> None:
        self._rows = list(rows)
        self._position = 0
        self._ended = len(self._rows) < self._batch

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._position >= len(self._rows):
            if not self._open:
                raise StatementRejectedError("this stream is not open: use it inside its 'async with' block", rule_id=None)
            if self._ended or self._cursor is None:
                raise StopAsyncIteration
            self._take(await self._pinned.fetch_from(self._cursor, self._batch, self._limit, self._plan))
            if not self._rows:
                raise StopAsyncIteration
        row = self._rows[self._position]
        self._position += 1
        return row

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        cursor, pinned = self._cursor, self._pinned
        self._cursor = None
        self._rows = []
        self._open = False
        if cursor is None:
            return
        if isinstance(pinned, Transaction):
            if self._limit is not None:
                pinned._until = monotonic() + self._limit
            await pinned.__aexit__(kind, error, trace)  # its end is the cursor's
            return
        try:
            if not pinned._lost and not pinned._unsettled and not pinned._busy:
                await pinned._guarded(cursor.close, self._limit, self._plan)
        finally:
            pinned._give_back()


def _pinned_for(context: Context, plan: Plan, limit: float | None) -> Pinned:
    if context.engine is not Engine.POSTGRESQL:
        return PinnedConnection(context, group=plan.hostgroup, limit=limit, readonly=plan.read)
    readonly = plan.read and plan.pure
    return Transaction(context, isolation=None, readonly=readonly, deferrable=False, limit=limit, group=plan.hostgroup)
