"""
Lottery: what the plan cache keeps of a statement whose rules draw a flag by weight.

Each draw that was seen leads to the next one or to a plan; those not yet seen are evaluated when they come up first. So a known
statement costs its draws and no evaluation.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from dbrouter.config.rules import RuleSettings
from dbrouter.router.plan import Plan


class Lottery:
    """One draw: flags with their weights, and what is known to follow each."""

    __slots__ = ("branches", "flags", "weights")

    def __init__(self, flags: Sequence[int], weights: Sequence[int]) -> None:
        self.flags = flags
        self.weights = weights
        self.branches: dict[int, Lottery | Plan] = {}


class Drawing:
    """The draws of one call: those already made are repeated, further ones are made by *rng*."""

    __slots__ = ("_made", "_rng", "seen")

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._made: list[int] = []
        self.seen: list[tuple[Sequence[int], Sequence[int], int]] = []
        """(flags, weights, drawn) of every draw of the evaluation."""

    def follow(self, entry: Lottery | Plan | None) -> Plan | None:
        """The plan that the draws lead to from *entry*, or None where nobody was before."""
        while isinstance(entry, Lottery):
            drawn = self._rng.choices(entry.flags, entry.weights)[0]
            self._made.append(drawn)
            entry = entry.branches.get(drawn)
        return entry

    def draw(self, rule: RuleSettings, flags: Sequence[int], weights: Sequence[int]) -> int:
        """A `dbrouter.rules.match.Draw`."""
        place = len(self.seen)
        drawn = self._made[place] if place < len(self._made) else self._rng.choices(flags, weights)[0]
        self.seen.append((flags, weights, drawn))
        return drawn

    def grown(self, entry: Lottery | Plan | None, plan: Plan) -> Lottery | Plan:
        """*entry* (None: a new one) with *plan* behind the draws that were seen."""
        if not self.seen:
            return plan
        root = entry if isinstance(entry, Lottery) else Lottery(*self.seen[0][:2])
        node = root
        for (_, _, drawn), (flags, weights, _) in zip(self.seen, self.seen[1:], strict=False):
            following = node.branches.get(drawn)
            if not isinstance(following, Lottery):
                following = node.branches[drawn] = Lottery(flags, weights)
            node = following
        node.branches[self.seen[-1][2]] = plan
        return root
