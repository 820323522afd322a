"""What tests watch with: every event, conditions that come true in their own time, and the sockets of this process."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

from dbrouter.events import Event


class Listener:
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        """Those of one class."""
        return [event for event in self.events if isinstance(event, kind)]


async def until(condition: Callable[[], Any], seconds: float = 10.0, what: str = "the condition") -> None:
    """
    Let the loop run until *condition*, whose answer may be awaitable, holds; an AssertionError when it does not within *seconds*.
    """
    deadline = monotonic() + seconds
    pause = 0.001
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        assert monotonic() < deadline, f"{what} did not come true within {seconds:g}s"
        await asyncio.sleep(pause)
        pause = min(0.01, pause * 1.2)


def open_sockets() -> set[str]:
    """Every socket of this process that leads somewhere; the pairs that event loops wake themselves with do not."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            inode = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if inode.startswith("socket:"):
            place = _place(int(descriptor))
            if place:
                found.add(f"{inode} {place}")
    return found


def _place(descriptor: int) -> str:
    """Where a socket is bound and connected, in words; empty for one half of a pair."""
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:
        return ""  # Closed meanwhile.
    try:
        names = [borrowed.getsockname()]
        try:
            names.append(borrowed.getpeername())
        except OSError:
            pass  # Not connected.
        return " → ".join(str(name) for name in names if name)
    finally:
        borrowed.detach()
