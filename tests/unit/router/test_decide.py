"""Every row of the decision table: what the router does next, by verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbrouter.drivers.outcome import Verdict
from dbrouter.router.decide import Step, decide
from dbrouter.terms import Blame, ConnectionFate, Outcome, RetryWhere


def verdict(outcome: Outcome, route: RetryWhere) -> Verdict:
    return Verdict(outcome=outcome, blame=Blame.NONE, connection=ConnectionFate.KEEP, route=route, code="x")


ROWS = [
    # outcome, route, read, resendable, may go to the writer → step
    (Outcome.FAILED, RetryWhere.NOWHERE, True, True, True, Step.RAISE),
    (Outcome.FAILED, RetryWhere.SAME, True, True, True, Step.RAISE),
    (Outcome.FAILED, RetryWhere.WRITER, True, True, True, Step.WRITER),
    (Outcome.FAILED, RetryWhere.WRITER, True, True, False, Step.RAISE),
    (Outcome.APPLIED, RetryWhere.SAME, False, True, True, Step.RAISE),
    (Outcome.NOT_APPLIED, RetryWhere.WRITER, True, True, True, Step.WRITER),
    (Outcome.NOT_APPLIED, RetryWhere.WRITER, False, False, False, Step.RAISE),
    (Outcome.NOT_APPLIED, RetryWhere.NOWHERE, True, True, True, Step.RAISE),
    (Outcome.NOT_APPLIED, RetryWhere.SAME, False, False, False, Step.HERE),
    (Outcome.NOT_APPLIED, RetryWhere.SAME_LATER, False, False, False, Step.HERE_LATER),
    (Outcome.NOT_APPLIED, RetryWhere.OTHER, False, False, False, Step.ELSEWHERE),
    (Outcome.NOT_APPLIED, RetryWhere.OTHER_LATER, True, False, True, Step.ELSEWHERE),
    (Outcome.ROLLED_BACK, RetryWhere.SAME_LATER, False, False, False, Step.HERE_LATER),
    (Outcome.AMBIGUOUS, RetryWhere.OTHER, True, True, True, Step.ELSEWHERE),
    (Outcome.AMBIGUOUS, RetryWhere.NOWHERE, True, True, True, Step.ELSEWHERE),
    (Outcome.AMBIGUOUS, RetryWhere.OTHER, True, False, True, Step.LOST),
    (Outcome.AMBIGUOUS, RetryWhere.OTHER, False, False, False, Step.UNKNOWN),
    (Outcome.AMBIGUOUS, RetryWhere.OTHER, False, True, False, Step.ELSEWHERE),
]


@pytest.mark.parametrize(("outcome", "route", "read", "resendable", "writer", "step"), ROWS)
def test_rows(outcome: Outcome, route: RetryWhere, read: bool, resendable: bool, writer: bool, step: Step) -> None:
    """A verdict leads to the step its row names."""
    assert decide(verdict(outcome, route), read=read, resendable=resendable, may_go_to_writer=writer) is step


@pytest.mark.parametrize("route", list(RetryWhere))
def test_an_ambiguous_write_is_never_sent_again(route: RetryWhere) -> None:
    """Wherever another attempt would have a chance, a write that may have been applied ends as unknown."""
    assert decide(verdict(Outcome.AMBIGUOUS, route), read=False, resendable=False, may_go_to_writer=True) is Step.UNKNOWN


@pytest.mark.parametrize(
    ("unsent", "transport", "resendable", "step"),
    [
        (False, False, False, Step.RAISE),
        (False, True, False, Step.UNKNOWN),
        (False, False, True, Step.HERE_LATER),
        (True, True, False, Step.HERE_LATER),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.NOT_APPLIED, Outcome.ROLLED_BACK])
def test_what_commits_in_parts(outcome: Outcome, unsent: bool, transport: bool, resendable: bool, step: Step) -> None:
    """Its failure says nothing of what it had committed: again only if it was never sent, or the caller allows it."""
    failed = replace(verdict(outcome, RetryWhere.SAME_LATER), unsent=unsent, transport=transport)
    assert decide(failed, read=False, resendable=resendable, may_go_to_writer=False, in_parts=True) is step
