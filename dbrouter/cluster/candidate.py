"""
Candidate: one member as `explain` shows it, with why it would or would not be taken.

The reason is that of the query path: what `Member.why_not` says first, then what its breaker, its weight and its pool make of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from dbrouter.cluster.node import NOT_PROBED, Member
from dbrouter.terms import BreakerState

WEIGHTLESS = "weight 0: it takes calls only when nobody with a weight is left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One member as `explain` shows it."""

    node: str
    usable: bool
    because: str
    next: bool
    """Whether the next call would go there."""


def reason(member: Member, now: float, *, alone: bool) -> str:
    """
    Why calls go to *member*, or do not, in words.

    Args:
        alone: nobody who is usable has a weight.
    """
    why_not = member.why_not()
    if why_not is not None:
        breaker = member.node.breaker
        return why_not if breaker.closed or member.barred() is not None else f"{why_not}: {_trial(member, now)}"
    parts = []
    if not member.weight:
        parts.append("weight 0, and nobody with a weight is usable" if alone else WEIGHTLESS)
    if member.node.state.probed_at is None:
        parts.append(NOT_PROBED)
    pool = member.pool
    if pool.full:
        parts.append(f"its pool is full (in_use={pool.in_use}/{pool.max_size} waiting={pool.waiting})")
    elif (starved := member.starved(now)) is not None:
        parts.append(str(starved))
    if not parts or parts[0].startswith("its pool"):
        parts.insert(0, "usable")
    return "; ".join(parts)


def _trial(member: Member, now: float) -> str:
    breaker = member.node.breaker
    if breaker.state is BreakerState.HALF_OPEN:
        return "the next call is its trial" if breaker.admits(now) else "its trial is under way"
    after = breaker.retry_after(now)
    if after == inf:
        return "no trial until it is reset"
    return f"a trial in {after:.2f}s, if a probe gets through" if after else "a trial as soon as a probe gets through"
