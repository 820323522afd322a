"""The mirror's bounds: in all, and by place; what waits is taken as soon as there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from dbrouter.router.mirror import Mirror
from dbrouter.tasks import OwnedTasks
from tests.watching import until


class Copies:
    """Copies that end when they are let go, and the places of those that began, in order."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self._gates: list[asyncio.Future[None]] = []

    def to(self, place: str) -> Callable[[], Coroutine[Any, Any, None]]:
        """A copy that goes to *place*."""

        async def send() -> None:
            self.began.append(place)
            gate = asyncio.get_running_loop().create_future()
            self._gates.append(gate)
            await gate

        return send

    def end(self, error: Exception | None = None) -> None:
        """End the one that is longest on its way."""
        gate = self._gates.pop(0)
        gate.set_exception(error) if error is not None else gate.set_result(None)


async def test_a_place_has_its_own_bound_and_holds_up_no_other() -> None:
    """What has no room waits in its order while others behind it go on, and is taken when one of its place has ended."""
    tasks, copies = OwnedTasks(), Copies()
    mirror = Mirror(tasks, max_concurrency=3, max_queue=4)
    for place in ("a", "a", "a", "b", "b", "c", "c"):
        mirror.offer(copies.to(place), place=place, room=1 if place == "a" else None)
    await until(lambda: len(copies.began) == 3)
    assert (copies.began, mirror.running, mirror.waiting, mirror.dropped) == (["a", "b", "b"], 3, 4, 0)

    mirror.offer(copies.to("d"))
    assert mirror.dropped == 1

    for number, began in enumerate(["a", "c", "c", "a"]):
        copies.end(OSError() if number == 2 else None)
        await until(lambda number=number: len(copies.began) == 4 + number)
        assert copies.began[-1] == began
    while mirror.running:
        copies.end()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert (mirror.sent, mirror.failed, mirror.waiting) == (7, 1, 0)
    await tasks.close()


async def test_room_is_left_as_it_was_by_copies_that_are_cut() -> None:
    """After the tasks were closed nothing is on its way, and what is offered is dropped."""
    tasks, copies = OwnedTasks(), Copies()
    mirror = Mirror(tasks, max_concurrency=2, max_queue=4)
    for _ in range(2):
        mirror.offer(copies.to("a"), place="a", room=2)
    await until(lambda: len(copies.began) == 2)
    await tasks.close()

    mirror.offer(copies.to("a"), place="a", room=1)
    assert (mirror.running, mirror.waiting, mirror.dropped) == (0, 0, 1)
