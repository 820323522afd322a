"""What single looks at a node add up to, and when a stalled loop makes a look void."""

from __future__ import annotations

import asyncio

from dbrouter.config.schema import ProbeSettings
from dbrouter.monitor.looplag import LoopWatch
from dbrouter.monitor.probe import Record


def record(fall: int = 2, rise: int = 2) -> Record:
    return Record(ProbeSettings(fall=fall, rise=rise))


def test_a_node_that_was_never_seen_has_no_credit() -> None:
    """The first look decides alone."""
    assert record().saw() is True
    assert record().missed() is False


def test_fall_failures_in_a_row_shun() -> None:
    """One missed look is forgiven, and forgotten by the next good one."""
    looks = record(fall=2)
    looks.saw()

    assert looks.missed() is True
    assert looks.saw() is True
    assert looks.missed() is True
    assert looks.missed() is False


def test_rise_successes_in_a_row_restore() -> None:
    """One good look is not enough, and a failure starts the count again."""
    looks = record(fall=1, rise=2)
    looks.saw()
    looks.missed()

    assert looks.saw() is False
    assert looks.missed() is False
    assert looks.saw() is False
    assert looks.saw() is True


async def test_a_blocked_loop_is_noticed() -> None:
    """While user code blocks the loop, the seconds count as stalled for whoever asks, during and after."""
    stalls: list[float] = []
    watch = LoopWatch(stalls.append)
    watch.start()
    loop = asyncio.get_running_loop()
    try:
        await asyncio.sleep(0.06)
        started = loop.time()
        while loop.time() - started < 0.3:
            pass  # Blocks the loop on purpose.
        during = watch.stalled(started, loop.time())
        await asyncio.sleep(0.06)
        after = watch.stalled(started, loop.time())
    finally:
        watch.stop()

    assert during > 0.2 and after > 0.2
    assert len(stalls) == 1 and stalls[0] > 0.2
    assert watch.stalled(loop.time() + 1, loop.time() + 2) >= 0
