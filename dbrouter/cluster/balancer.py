"""
Balancing: which of the usable members gets the next call. Pure choices without I/O; `now` and `rng` come in.

- ``round_robin``: smooth weighted round robin (nginx's): turns are spread evenly, not in runs.
- ``least_outstanding``: the fewest running and waiting calls per weight; ties by turn.
- ``latency``: one drawn by weight, unless another one, drawn too, promises a shorter wait ("the power of two choices").
- ``random``: by weight.

A hostgroup hands in its usable members as a *tuple*, the same object until they change: what can be computed once per set (the
cycle of turns, the weights summed up) is, and a choice costs the same for 2 members and for 32. Any other sequence is a
selection for one call – a retry leaves out the members it has tried – and disturbs nothing.

Shares are by weight in every policy as long as members are alike. A member of weight 0 is chosen only when nobody else is left.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from math import gcd
from typing import Protocol, TypeVar

from dbrouter.terms import Balance


class Weighed(Protocol):
    """What a balancer looks at."""

    @property
    def weight(self) -> int:
        """Its share relative to the others'; fixed as long as the set of members is."""
        ...

    @property
    def outstanding(self) -> int:
        """Calls that run on it or wait for it."""
        ...

    @property
    def latency(self) -> float:
        """Smoothed seconds of a call; 0.0 until there is a sample."""
        ...


M = TypeVar("M", bound=Weighed)

_CYCLE_TURNS = 1000
"""A cycle has at most about so many turns; weights that need more are scaled down to it, but never to 0."""

_LEAST_CHANCE = 0.01
"""
How often at least a drawn member is taken although a much faster one was there: so it is noticed when it has become fast
again.
"""


class Balancer(Protocol):
    """One policy, with the state of one hostgroup."""

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
    The order in which smooth weighted round robin takes indices, for one whole cycle: (5, 1, 1) gives 0 0 1 0 2 0 0.

    Source: nginx, "Upstream: smooth weighted round-robin balancing", commit 52327e0627f49dbda1e8db695e63a4b0af4448b1, 2012.
    """
    shares = _scaled(weights)
    total = sum(shares)
    running = [0] * len(shares)
    order = []
    for _ in range(total):
        for index, share in enumerate(shares):
            running[index] += share
        best = max(range(len(shares)), key=running.__getitem__)
        running[best] -= total
        order.append(best)
    return tuple(order)


def _scaled(weights: Sequence[int]) -> list[int]:
    """
    *weights* in the smallest whole numbers of the same ratio, or nearly that where they would sum up to more than
    `_CYCLE_TURNS`.
    """
    divisor = gcd(*weights)
    if divisor == 0:
        return [1] * len(weights)
    total = sum(weights) // divisor
    if total <= _CYCLE_TURNS:
        return [weight // divisor for weight in weights]
    return [max(1, round(weight / divisor * _CYCLE_TURNS / total)) if weight else 0 for weight in weights]


class _Turns:
    """Whose turn it is in a set of members, by smooth weighted round robin; the cycle holds their indices."""

    __slots__ = ("cycle", "members", "position")

    def __init__(self, position: int = 0) -> None:
        self.members: Sequence[Weighed] = ()
        self.cycle: tuple[int, ...] = ()
        self.position = position

    def begin(self, members: Sequence[Weighed]) -> None:
        """From now on the turns are those of *members*."""
        self.members = members
        self.cycle = smooth_cycle([member.weight for member in members])
        self.position %= len(self.cycle)

    def seen_with(self, members: Sequence[Weighed]) -> _Turns:
        """The turns as they would be if *members* were chosen from; these ones stay as they are."""
        if members is self.members or not isinstance(members, tuple):
            return self
        turns = _Turns(self.position)
        turns.begin(members)
        return turns

    def following(self, eligible: Sequence[M]) -> tuple[M, int] | None:
        """The next one in turn that is *eligible*, and the position after it; None where no such one has turns."""
        members, cycle = self.members, self.cycle
        for position in range(self.position, self.position + len(cycle)):
            member = members[cycle[position % len(cycle)]]
            if member in eligible:
                return eligible[eligible.index(member)], (position + 1) % len(cycle)
        return None

    def take(self, eligible: Sequence[M], rng: random.Random) -> M:
        """The next one in turn that is *eligible*, using up the turns up to it; one by chance where none has turns."""
        following = self.following(eligible)
        if following is None:
            return _Lots(eligible).draw(eligible, rng)
        self.position = following[1]
        return following[0]


class RoundRobin:
    """Smooth weighted round robin."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = _Turns()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: the next in turn."""
        turns = self._turns
        if members is not turns.members:
            if not isinstance(members, tuple):
                return turns.take(members, rng)
            turns.begin(members)
        cycle, position = turns.cycle, turns.position
        turns.position = position + 1 if position + 1 < len(cycle) else 0
        return members[cycle[position]]

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """The next in turn."""
        following = self._turns.seen_with(members).following(members)
        return None if following is None else following[0]


class LeastOutstanding:
    """The fewest running and waiting calls per weight; ties by turn, so that idle members share by weight too."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = _Turns()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: the least loaded."""
        turns = self._turns
        if members is not turns.members and isinstance(members, tuple):
            turns.begin(members)
        if members is turns.members:
            cycle, position = turns.cycle, turns.position
            first = members[cycle[position]]
            if not first.outstanding:
                turns.position = position + 1 if position + 1 < len(cycle) else 0
                return first
        least = _least_loaded(members)
        return least[0] if len(least) == 1 else turns.take(least, rng)

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """The least loaded."""
        least = _least_loaded(members)
        if len(least) == 1:
            return least[0]
        following = self._turns.seen_with(members).following(least)
        return None if following is None else following[0]


def _least_loaded(members: Sequence[M]) -> list[M]:
    """Those with the fewest calls per weight; those with the fewest calls where nobody has a weight."""
    least: list[M] = []
    lowest = 0.0
    for member in members:
        weight = member.weight
        if weight:
            load = member.outstanding / weight
            if load < lowest or not least:
                lowest = load
                least = [member]
            elif load == lowest:
                least.append(member)
    if least:
        return least
    fewest = min(member.outstanding for member in members)
    return [member for member in members if member.outstanding == fewest]


class _Lots:
    """The weights of a set of members, summed up for drawing; all alike where every weight is 0."""

    __slots__ = ("members", "sums", "total")

    def __init__(self, members: Sequence[Weighed]) -> None:
        self.members = members
        weights = [member.weight for member in members]
        self.sums = list(accumulate(weights if any(weights) else [1] * len(members)))
        self.total = self.sums[-1] if members else 0

    def draw(self, members: Sequence[M], rng: random.Random) -> M:
        """One of *members*, which are those the lots were made for."""
        return members[bisect(self.sums, rng.random() * self.total)]


class _ByLot:
    """Draws, and keeps the lots as long as the members are the same."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        self._lots = _Lots(())

    def peek(self, members: Sequence[M], now: float, rng: random.Random) -> M | None:
        """Nobody can say, unless there is only one."""
        return members[0] if len(members) == 1 else None


class Random(_ByLot):
    """At random, by weight."""

    __slots__ = ()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: one by chance."""
        lots = self._lots
        if members is not lots.members:
            lots = _Lots(members)
            if isinstance(members, tuple):
                self._lots = lots
        return lots.draw(members, rng)


class Latency(_ByLot):
    """
    One drawn by weight, unless another one promises a shorter wait.

    The wait that a member promises is its smoothed latency, times the calls it already has and this one, per weight. With a
    wait *r* times (r < 1) the drawn one's, the other one takes its place with chance 1 - r: equal members share by weight, one
    that is ten times slower keeps a tenth of its share and the slowest keeps a hundredth (`_LEAST_CHANCE`), so that its
    recovery is noticed. A plain "the better of two" gives everything to whoever is faster by a hair, and either nothing to a
    slow member or, drawing with replacement, a quarter.

    A member without a sample is taken to be as fast as the one it is compared with: it is tried in its turn, and not by
    everybody at once.

    Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
    """

    __slots__ = ()

    def choose(self, members: Sequence[M], now: float, rng: random.Random) -> M:
        """HOT: one by chance and promise."""
        lots = self._lots
        if members is not lots.members:
            lots = _Lots(members)
            if isinstance(members, tuple):
                self._lots = lots
        if len(members) == 1:
            return members[0]
        index = bisect(lots.sums, rng.random() * lots.total)
        drawn = members[index]
        point = rng.random() * (len(members) - 1)
        steps = int(point)
        other = members[index - 1 - steps]
        weight, other_weight = drawn.weight, other.weight
        if not other_weight:
            if weight:
                return drawn
            weight = other_weight = 1
        usual = lots.total / len(members)
        ratio = (1.0 + other.outstanding * usual / other_weight) / (1.0 + drawn.outstanding * usual / weight)
        latency, other_latency = drawn.latency, other.latency
        if latency and other_latency:
            ratio *= other_latency / latency
        chance = point - steps
        return drawn if chance < ratio or chance < _LEAST_CHANCE else other
