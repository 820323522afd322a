"""
Explanation: what would happen to a statement and why. The same code as the query path (`Planner.decide`,
`Hostgroup.candidates`), so it cannot lie; no permit is taken, no turn used up, no connection touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from dbrouter.cluster.candidate import Candidate
from dbrouter.router.caller import current
from dbrouter.router.context import Context
from dbrouter.router.plan import Plan
from dbrouter.router.planner import Wish, cacheable
from dbrouter.rules.decision import Decision
from dbrouter.rules.match import RuleTrace
from dbrouter.sql import Statement
from dbrouter.sql.volatile import volatile_words
from dbrouter.terms import WhenEmpty


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    Where a statement would go.

    Attributes:
        digest: the 64-bit digest as ``0x%016X``, and its text; of the statement as it was written, which is what rules see.
        rules: every rule, what became of it, and what it changed.
        rule_id: the rule that decided, or None.
        why: what decided the hostgroup, in words.
        vetoed: why the hostgroup that was asked for was not taken, or None.
        refused: the error the call would raise before anything is sent, or None.
        timeout: seconds the call may take; None: no limit.
        attempts: how often it may be sent in all.
        rewritten: the text that is judged and sent in its place, or None.
        flag: the flag with which the rules ended.
        effects: what else a rule or a comment makes of the call (cache, mirror, delay, …), or why it does not, in words.
    """

    database: str
    engine: str
    kind: str
    intent: str
    session: bool
    reasons: tuple[str, ...]
    functions: tuple[str, ...]
    digest: str
    digest_text: str
    rules: tuple[RuleTrace, ...]
    rule_id: int | None
    hostgroup: int
    hostgroup_name: str
    why: str
    vetoed: str | None
    refused: str | None
    timeout: float | None
    attempts: int
    rewritten: str | None
    flag: int
    effects: tuple[str, ...]
    candidates: tuple[Candidate, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.kind} is a {self.intent} ({'; '.join(self.reasons) or 'nothing in it writes, locks or needs session state'})",
            f"digest {self.digest} {self.digest_text}",
        ]
        for step in self.rules:
            does = f" → {'; '.join(step.does)}" if step.does else ""
            lines.append(f"rule {step.rule_id}: {'matched' if step.matched else 'no'}, {step.because}{does}")
        if self.rewritten is not None:
            lines.append(f"rewritten to {self.rewritten}")
        if self.vetoed:
            lines.append(f"vetoed: {self.vetoed}")
        lines.append(f"hostgroup {self.hostgroup} '{self.hostgroup_name}': {self.why}")
        lines += [f"  {'→' if candidate.next else ' '} {candidate.node}: {candidate.because}" for candidate in self.candidates]
        lines += list(self.effects)
        limit = f"{self.timeout:g} s" if self.timeout is not None else "no time limit"
        lines.append(f"{limit} in all, {self.attempts} {'attempt' if self.attempts == 1 else 'attempts'} at most")
        if self.refused:
            lines.append(f"refused: {self.refused}")
        return "\n".join(lines)


def explain(context: Context, sql: str, wish: Wish) -> Explanation:
    """The `Explanation` of *sql* on the database of *context*, for the caller of `dbrouter.context`."""
    planner, caller = context.planner, current()
    facts = planner.facts(sql, wish, caller)
    plan = planner.decide(sql, wish, caller)
    statement, asked = plan.statement, facts.statement
    decision = planner.rules.evaluate(facts)
    candidates = plan.hostgroup.candidates(monotonic())
    return Explanation(
        database=context.database,
        engine=str(context.engine),
        kind=statement.kind,
        intent="read" if plan.read else "write",
        session=statement.session,
        reasons=statement.reasons,
        functions=statement.functions,
        digest=f"0x{asked.digest:016X}",
        digest_text=asked.digest_text,
        rules=planner.rules.explain(facts),
        rule_id=plan.rule_id,
        hostgroup=plan.hostgroup.id,
        hostgroup_name=plan.hostgroup.name,
        why=plan.why,
        vetoed=f"{plan.veto.reason} (hostgroup '{plan.veto.hostgroup}')" if plan.veto is not None else None,
        refused=str(plan.refusal()) if plan.refusal is not None and not _answered(plan) else None,
        timeout=plan.timeout,
        attempts=plan.attempts,
        rewritten=plan.text if plan.text != sql else None,
        flag=decision.flag,
        effects=(
            *_nobody(context, plan, candidates),
            *_comment(context, decision),
            *_effects(plan),
            *_withheld(context, asked, plan, decision, wish),
        ),
        candidates=candidates,
    )


def _nobody(context: Context, plan: Plan, candidates: tuple[Candidate, ...]) -> Iterator[str]:
    """What becomes of a call that nobody in its hostgroup can take."""
    if plan.refusal is not None or _answered(plan) or any(one.usable or one.next for one in candidates):
        return
    group, writer = plan.hostgroup, context.writer
    if group.unprobed:
        return
    if group is not writer and group.when_empty is WhenEmpty.WRITER:
        then = f"it goes to hostgroup {writer.id} '{writer.name}' (when_empty: writer)"
    elif group.when_empty is WhenEmpty.WAIT and monotonic() < group.worth_waiting_until:
        then = "it waits for somebody (when_empty: wait)"
    else:
        then = "it fails at once"
    yield f"nobody there is usable: {then}"


def _answered(plan: Plan) -> bool:
    """Whether a rule's OK_msg is the answer, whatever else there is to say of the statement."""
    return plan.effects is not None and plan.effects.ok_msg is not None


def _effects(plan: Plan) -> Iterator[str]:
    effects = plan.effects
    if effects is None or (plan.refusal is not None and not _answered(plan)):
        return
    if effects.ok_msg is not None:
        yield f"answered with {effects.ok_msg!r}, nothing is sent"
        if effects.next_flag is not None:
            yield f"later calls of the same context begin with flag {effects.next_flag}"
        return
    if effects.cache_ttl is not None:
        empty = "" if effects.cache_empty else "; results without rows are not kept"
        yield f"answered from the result cache where a result is younger than {effects.cache_ttl:g} s{empty}"
    if effects.follows is not None:
        yield f"goes to hostgroup {effects.follows} where the caller's context has written there"
    if effects.next_flag is not None:
        yield f"later calls of the same context begin with flag {effects.next_flag}"
    if effects.delay is not None:
        yield f"waits {effects.delay:g} s before it is sent"
    if effects.copy is not None:
        copy = effects.copy.plan
        yield f"a copy goes to hostgroup {copy.hostgroup.id} '{copy.hostgroup.name}' of {effects.copy.database}: {copy.text}"
    if effects.log:
        yield "logged as query.logged"


def _comment(context: Context, decision: Decision) -> Iterator[str]:
    """What a comment in the statement says, where comments count."""
    if decision.hints is None:
        return
    yield f"a comment in it says {'; '.join(f'{key}={value}' for key, value in decision.hints.items())}"
    wanted = decision.hints.get("hostgroup")
    if wanted is not None and not context.planner.has_hostgroup(wanted):
        yield f"hostgroup {wanted} is none of {context.database}'s: the rules decide"


def _withheld(context: Context, asked: Statement, plan: Plan, decision: Decision, wish: Wish) -> Iterator[str]:
    """Why a cache or a mirror that was asked for does nothing."""
    effects, statement = plan.effects, plan.statement
    if plan.refusal is not None or decision.OK_msg is not None:
        return
    if decision.cache_ttl is not None and (effects is None or effects.cache_ttl is None):
        if not plan.read:
            why = "it is a write"
        elif wish.placed:
            why = "the caller names the place that is to answer"
        elif statement.session:
            why = "it needs, or leaves, session state"
        elif not cacheable(statement):
            why = f"results of {statement.kind} are not kept"
        else:
            words = (*statement.functions, *volatile_words(statement.text, context.engine))
            why = f"{', '.join(dict.fromkeys(words))} may differ at each call; cache_volatile: true keeps it"
        yield f"not answered from the result cache (cache_ttl is {decision.cache_ttl:g} s): {why}"
    copy = context.planner.copy_of(asked, decision)
    if isinstance(copy, str):
        yield f"no copy is sent: {copy}"
