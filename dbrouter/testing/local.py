"""Local: what is started on this machine for a block, by `with`, or by `async with`, which does the same in a thread."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self
from urllib.parse import quote


class Local(ABC):
    """Started where the block begins, stopped where it ends."""

    @abstractmethod
    def start(self) -> Self:
        """Start it and wait until it can be used; nothing happens where it runs already."""

    @abstractmethod
    def stop(self) -> None:
        """End it and delete its folder; safe to call twice."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.stop)


def url(scheme: str, endpoint: str, database: str, user: str, password: str | None) -> str:
    """``scheme://user:password@endpoint/database``, quoted; without a password where it is None."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    return f"{scheme}://{login}@{endpoint}/{quote(database, safe='')}"
