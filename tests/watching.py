"""What tests watch with: every event, and conditions that come true in their own time."""

from __future__ import annotations

import asyncio
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
    """Let the loop run until *condition* holds; an AssertionError when it does not within *seconds*."""
    deadline = monotonic() + seconds
    pause = 0.001
    while not condition():
        assert monotonic() < deadline, f"{what} did not come true within {seconds:g}s"
        await asyncio.sleep(pause)
        pause = min(0.01, pause * 1.2)
