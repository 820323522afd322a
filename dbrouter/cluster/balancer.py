"""
Balancing: which of the usable members gets the next call. Pure choices; `now` and `rng` come in.

- ``round_robin``: smooth weighted round robin (nginx's): turns are spread evenly, not in runs. The whole cycle is computed once per set of
  members and then stepped through, so a choice costs the same for 2 and for 32.
- ``least_outstanding``: the fewest running and waiting calls per weight; ties by turn.
- ``latency``: two drawn at random by weight, the better of them by smoothed latency and load ("power of two choices"), so that a slow node
  still gets a little and its recovery is noticed.
- ``random``: by weight.

A member of weight 0 is chosen only when nobody else is left.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from dbrouter.terms import Balance


class Weighed(Protocol):
    """What a balancer looks at."""

    weight: int

    @property
    def outstanding(self) -> int: ...

    @property
    def latency(self) -> float: ...


M = TypeVar("M", bound=Weighed)

_CYCLE_LIMIT = 10_000
"""Longer cycles (weights without a common divisor) are cut: the shares stay right to a hundredth of a percent."""


class Balancer(Protocol):
    """One policy."""

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: one of *members* (at least one), using up its turn."""
        ...

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """The one `choose` would take, using up nothing; None where only chance decides."""
        ...


def balancer_for(balance: Balance) -> Balancer:
    """A balancer of that policy, with state of its own."""
    match balance:
        case Balance.ROUND_ROBIN:
            return RoundRobin()
        case Balance.LEAST_OUTSTANDING:
            return LeastOutstanding()
        case Balance.LATENCY:
            return Latency()
        case Balance.RANDOM:
            return Random()


def smooth_cycle(weights: Sequence[int]) -> tuple[int, ...]:
    """
    The order in which smooth weighted round robin takes indices, for one whole cycle.

    Source: nginx, "Upstream: smooth weighted round-robin balancing", commit 52327e0627f49dbda1e8db695e63a4b0af4448b1, 2012.
    """
    total = sum(weights)
    if total == 0:
        return tuple(range(len(weights)))
    current = [0] * len(weights)
    order = []
    for _ in range(min(total, _CYCLE_LIMIT)):
        for index, weight in enumerate(weights):
            current[index] += weight
        best = max(range(len(weights)), key=current.__getitem__)
        current[best] -= total
        order.append(best)
    return tuple(order)


class RoundRobin:
    """Smooth weighted round robin."""

    __slots__ = ("_cycle", "_members", "_position")

    def __init__(self) -> None:
        self._members: Sequence[object] = ()
        self._cycle: tuple[object, ...] = ()
        self._position = 0

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: the next in the cycle."""
        if members is not self._members:
            self._prepare(members)
        position = self._position
        cycle = self._cycle
        self._position = position + 1 if position + 1 < len(cycle) else 0
        return cycle[position]  # type: ignore[return-value]  # the cycle holds the members it was prepared for

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """The next in the cycle."""
        if members is self._members:
            return self._cycle[self._position]  # type: ignore[return-value]  # as above
        order = smooth_cycle([member.weight for member in members])
        return members[order[self._position % len(order)]]

    def _prepare(self, members: Sequence[M]) -> None:
        order = smooth_cycle([member.weight for member in members])
        if isinstance(members, tuple):
            self._members = members
        self._cycle = tuple(members[index] for index in order)
        self._position %= len(self._cycle)


class LeastOutstanding:
    """The fewest running and waiting calls per weight."""

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = 0

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: the least loaded; ties by turn."""
        self._turn += 1
        return self._least(members, self._turn)

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """The least loaded."""
        return self._least(members, self._turn + 1)

    @staticmethod
    def _least(members: Sequence[M], turn: int) -> M:
        count = len(members)
        best = members[turn % count]
        load = (best.outstanding + 1) / best.weight if best.weight else float("inf")
        for offset in range(1, count):
            member = members[(turn + offset) % count]
            if not member.weight:
                continue
            other = (member.outstanding + 1) / member.weight
            if other < load:
                best, load = member, other
        return best


class Random:
    """At random, by weight."""

    __slots__ = ()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: one by chance."""
        return draw(members, rng)

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """Nobody can say, unless there is only one."""
        return members[0] if len(members) == 1 else None


class Latency:
    """The better of two drawn by weight."""

    __slots__ = ()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: the one with the smaller expected wait: smoothed latency times the calls before it. One without a sample goes first."""
        if len(members) == 1:
            return members[0]
        one, other = draw(members, rng), draw(members, rng)
        if one is other:
            return one
        return one if one.latency * (one.outstanding + 1) <= other.latency * (other.outstanding + 1) else other

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """Nobody can say, unless there is only one."""
        return members[0] if len(members) == 1 else None


def draw(members: Sequence[M], rng: random.Random) -> M:
    """One of *members*, with a chance proportional to its weight (all alike where every weight is 0)."""
    total = 0
    for member in members:
        total += member.weight
    if total == 0:
        return members[int(rng.random() * len(members))]
    point = rng.random() * total
    for member in members:
        point -= member.weight
        if point < 0:
            return member
    return members[-1]
