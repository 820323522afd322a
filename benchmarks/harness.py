"""
The harness: contenders take turns in short rounds within one run, so that a machine whose speed drifts is fair to all.

A figure is a ratio between two contenders of the same round; its median over the rounds is quoted, with the smallest and largest.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time

Call = Callable[[int], Awaitable[object]]
"""Makes one call; the argument is a running number."""


@dataclass(slots=True)
class Contender:
    """Something that can be called again and again."""

    name: str
    call: Call
    rates: list[float] = field(default_factory=list)
    """Calls per second, one per round."""
    cpu: list[float] = field(default_factory=list)
    """Client CPU seconds per call, one per round."""


async def throughput(contenders: Sequence[Contender], *, tasks: int, calls: int, rounds: int, warmup: int = 1) -> None:
    """Run every contender for *calls* calls in *tasks* tasks per round, in turn; the order rotates from round to round."""
    for turn in range(-warmup, rounds):
        shift = turn % len(contenders)
        for contender in [*contenders[shift:], *contenders[:shift]]:
            gc.collect()
            gc.disable()
            try:
                cpu, wall = process_time(), perf_counter()
                await _share(contender.call, tasks, calls)
                wall, cpu = perf_counter() - wall, process_time() - cpu
            finally:
                gc.enable()
            if turn >= 0:
                contender.rates.append(calls / wall)
                contender.cpu.append(cpu / calls)


async def _share(call: Call, tasks: int, calls: int) -> None:
    each = calls // tasks

    async def work(first: int) -> None:
        for number in range(first, first + each):
            await call(number)

    await asyncio.gather(*(work(index * each) for index in range(tasks)))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A over B, round by round."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, a: Sequence[float], b: Sequence[float]) -> Ratio:
        """The ratios of the pairs of *a* and *b*."""
        ratios = [x / y for x, y in zip(a, b, strict=True)]
        return cls(statistics.median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}–{self.most:.2f})"


def microseconds(values: Sequence[float]) -> str:
    """Median of seconds, as µs with the extremes."""
    return f"{statistics.median(values) * 1e6:.1f} ({min(values) * 1e6:.1f}–{max(values) * 1e6:.1f})"
