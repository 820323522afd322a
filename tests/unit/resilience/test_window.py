"""Sliding counts: what is inside the window is counted, what is older is forgotten, and time may jump."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.resilience.window import RateWindow, SlidingCount


def test_what_happened_within_the_window_is_counted() -> None:
    """Counts add up across the buckets of one window."""
    count = SlidingCount(10.0)

    for second in range(10):
        count.add(100.0 + second, 2)

    assert count.at(109.5) == 20


def test_the_oldest_bucket_is_forgotten_as_a_whole() -> None:
    """With every bucket that begins, the one a window ago goes."""
    count = SlidingCount(10.0)
    for second in range(10):
        count.add(100.0 + second)

    assert [count.at(109.0 + step) for step in range(12)] == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_a_long_silence_empties_the_window_at_once() -> None:
    """After days without a call nothing is left, and counting goes on."""
    count = SlidingCount(1.0)
    count.add(5.0, 1000)

    assert count.at(500_000.0) == 0
    count.add(500_000.0)
    assert count.at(500_000.5) == 1


def test_a_cleared_window_counts_from_nothing() -> None:
    """`clear` forgets, and keeps the counters that others hold on to."""
    window = RateWindow(10.0)
    calls = window.calls
    for count in (window.calls, window.failed, window.unreachable, window.slow):
        count.add(3.0, 5)

    window.clear()
    window.calls.add(3.5)

    assert window.calls is calls
    assert (window.calls.at(3.5), window.failed.at(3.5), window.unreachable.at(3.5), window.slow.at(3.5)) == (1, 0, 0, 0)


def test_counting_by_hand_is_the_same_as_add() -> None:
    """The three lines that hot paths write out count exactly what `add` counts."""
    by_hand, added = SlidingCount(2.0), SlidingCount(2.0)

    for step in range(500):
        now = 7.0 + step * 0.013
        if now >= by_hand.edge:
            by_hand.advance(now)
        by_hand.total += 1
        added.add(now)

        assert by_hand.at(now) == added.at(now)


def test_an_edge_that_rounds_into_the_bucket_before_loses_nothing() -> None:
    """With a width of 0.7 some edges divide to a hair below a whole number; what was counted still goes when its time is over."""
    count = SlidingCount(7.0)
    count.add(1.5, 5)
    edge = count.edge
    assert int(edge / 0.7) == 2, "the rounding that this test is about"

    count.add(edge)
    assert count.total == 6
    for step in range(12):
        count.at(edge + 0.7 * step + 0.01)

    assert count.total == 0


@given(
    steps=st.lists(st.tuples(st.integers(0, 25), st.integers(1, 3)), max_size=60),
    buckets=st.integers(1, 12),
    start=st.integers(0, 10**9),
)
def test_a_sliding_count_agrees_with_a_list_of_moments(steps: list[tuple[int, int]], buckets: int, start: int) -> None:
    """Whatever the rhythm, the count is that of the moments in the last so many buckets."""
    count = SlidingCount(float(buckets), buckets)
    moments: list[int] = []
    now = start

    for step, times in steps:
        now += step
        count.add(float(now), times)
        moments += [now] * times

        assert count.at(float(now)) == sum(1 for moment in moments if moment > now - buckets)


@given(
    gaps=st.lists(st.floats(0.0, 3.0), max_size=80),
    seconds=st.floats(0.001, 1000.0),
    buckets=st.integers(2, 10),
    start=st.floats(0.0, 1e7),
)
def test_no_float_makes_a_count_drift(gaps: list[float], seconds: float, buckets: int, start: float) -> None:
    """Edges that no float hits exactly lose nothing too early, keep nothing too long, and leave nothing behind for ever."""
    count = SlidingCount(seconds, buckets)
    now, moments = start, []

    for gap in gaps:
        now += gap * seconds
        count.add(now)
        moments.append(now)
        slack = 1e-9 * max(1.0, now)
        surely = sum(1 for moment in moments if moment > now - seconds * (buckets - 1) / buckets + slack)
        possibly = sum(1 for moment in moments if moment >= now - seconds - slack)

        assert surely <= count.at(now) <= possibly

    assert count.at(now + 3 * seconds + 1.0) == 0
