"""
What a failure means for the call: one pure function over the verdict, so that every row can be tested without a server.

The rules, in order:

1. An answer without effect that would come again is the caller's (`RAISE`); where the server says the primary knows better,
   go there once.
2. What was certainly not applied may be sent again, wherever the verdict says there is a chance; a statement that may have
   committed a part of itself before it failed (`CALL`) only where it was never sent, or the caller declared it idempotent.
3. What may have been applied is sent again only if it is a read that cannot have written, or the caller declared it idempotent.
4. Everything else that may have been applied is `UNKNOWN` (a write) or `LOST` (a read that calls functions we do not know).
"""

from __future__ import annotations

from enum import StrEnum

from dbrouter.drivers.outcome import Verdict
from dbrouter.sql import Statement
from dbrouter.terms import Outcome, RetryWhere


class Step(StrEnum):
    """What the router does next with a call that failed."""

    RAISE = "raise"
    """The error is the answer."""
    UNKNOWN = "unknown"
    """`OutcomeUnknownError`."""
    LOST = "lost"
    """`ConnectionLostError`."""
    HERE = "here"
    """The same node, at once."""
    HERE_LATER = "here_later"
    """The same node, after a backoff."""
    ELSEWHERE = "elsewhere"
    """Another node, at once; the same one after a backoff where there is no other."""
    WRITER = "writer"
    """The writer hostgroup, once."""


_WHERE = {
    RetryWhere.SAME: Step.HERE,
    RetryWhere.SAME_LATER: Step.HERE_LATER,
    RetryWhere.OTHER: Step.ELSEWHERE,
    RetryWhere.OTHER_LATER: Step.ELSEWHERE,
}


_COMPOUND = frozenset({"BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"})
"""Kinds of MySQL's statements that have others inside."""


def may_commit_inside(statement: Statement) -> bool:
    """
    Whether there may be a COMMIT in *statement* that its text does not show, so that a part of it may stay when it fails.

    That is a routine, code that the server makes up, a compound statement, and whatever MariaDB's SET STATEMENT leads.
    """
    return statement.opaque or statement.kind in _COMPOUND


def decide(verdict: Verdict, *, read: bool, resendable: bool, may_go_to_writer: bool, in_parts: bool = False) -> Step:
    """
    The next step after *verdict*.

    Args:
        read: the statement's intent.
        resendable: sending it twice does no harm: a read in a read-only session or without unknown functions, or declared
            idempotent.
        may_go_to_writer: it ran on a reader, and neither the caller nor the statement's kind forbids going to the primary
            (Safety 3).
        in_parts: it may commit a part of itself: its failure does not say that nothing of it was applied.
    """
    if verdict.route is RetryWhere.WRITER and verdict.outcome in (Outcome.NOT_APPLIED, Outcome.FAILED):
        return Step.WRITER if may_go_to_writer else Step.RAISE
    if verdict.outcome in (Outcome.FAILED, Outcome.APPLIED):
        return Step.RAISE
    undone = verdict.outcome in (Outcome.NOT_APPLIED, Outcome.ROLLED_BACK)
    if undone and in_parts and not (resendable or verdict.unsent):
        return Step.UNKNOWN if verdict.transport else Step.RAISE
    if undone or resendable:
        step = _WHERE.get(verdict.route, Step.RAISE)
        if step is Step.RAISE and verdict.outcome is Outcome.AMBIGUOUS:
            return Step.ELSEWHERE
        return step
    return Step.LOST if read else Step.UNKNOWN
