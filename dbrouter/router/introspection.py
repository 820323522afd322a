"""
Introspection: keeps a database's `FunctionCatalog` up to date where the configuration says `functions: introspect`.

The catalog is read when the router opens, after a statement of this router that changes the schema, and every `EVERY_SECONDS`
besides, because others change it too. While it was never read, every unknown function counts as a write. A reading that fails
leaves the last one in force, is told of (`CatalogUnreadable`), and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dbrouter.drivers.routines import ROUTINES
from dbrouter.events import CatalogUnreadable
from dbrouter.router.context import Context

EVERY_SECONDS = 300.0
RETRY_SECONDS = 5.0
LIMIT_SECONDS = 5.0
"""For one reading."""

Fetch = Callable[[str, str | None], Awaitable[Sequence[Any]]]
"""Runs a read on the database: (text, route)."""


class Introspection:
    """The readings of one database."""

    def __init__(self, context: Context, fetch: Fetch) -> None:
        self._context = context
        self._fetch = fetch
        self._changed = asyncio.Event()
        self._failed = False

    def schema_changed(self) -> None:
        """Read again soon."""
        self._changed.set()

    async def read(self) -> bool:
        """Read the catalog now, on the primary where it is usable; False where that failed."""
        context = self._context
        route = "write" if context.writer.usable else None
        catalog = context.planner.catalog
        try:
            rows = await self._fetch(ROUTINES[context.engine], route)
            changed = catalog.take(rows)
        except Exception as error:
            if not self._failed and context.events.listening:
                cause = f"{type(error).__name__}: {error}"
                context.events.emit(CatalogUnreadable(database=context.database, cause=cause, known=catalog.introspected))
            self._failed = True
            return False
        self._failed = False
        if changed:
            context.planner.cache.clear()
        return True

    async def run(self) -> None:
        """In the background: read until cancelled."""
        good = self._context.planner.catalog.introspected
        while True:
            try:
                async with asyncio.timeout(EVERY_SECONDS if good else RETRY_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            good = await self.read()
