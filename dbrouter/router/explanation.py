"""
Explanation: what would happen to a statement and why. The same code as the query path (`Planner.decide`,
    `Hostgroup.candidates`), so it
cannot lie; no permit is taken, no turn used up, no connection touched.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from dbrouter.cluster.hostgroup import Candidate
from dbrouter.router.context import Context
from dbrouter.sql import analyze


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStep:
    """One rule as it was looked at."""

    rule_id: int
    matched: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    Where a statement would go.

    Attributes:
        digest: the 64-bit digest as ``0x%016X``.
        rule_id: the rule that decided, or None.
        why: what decided the hostgroup, in words.
        vetoed: why the hostgroup that was asked for was not taken, or None.
        refused: the error the call would raise before anything is sent, or None.
        timeout: seconds the call may take.
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
    rules: tuple[RuleStep, ...]
    rule_id: int | None
    hostgroup: int
    hostgroup_name: str
    why: str
    vetoed: str | None
    refused: str | None
    timeout: float | None
    candidates: tuple[Candidate, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.kind} is a {self.intent} ({'; '.join(self.reasons) or 'nothing in it writes, locks or needs session state'})",
            f"digest {self.digest} {self.digest_text}",
        ]
        lines += [f"rule {step.rule_id}: {'matched' if step.matched else 'no'}, {step.because}" for step in self.rules]
        if self.vetoed:
            lines.append(f"vetoed: {self.vetoed}")
        lines.append(f"hostgroup {self.hostgroup} '{self.hostgroup_name}': {self.why}")
        lines += [f"  {'→' if candidate.next else ' '} {candidate.node}: {candidate.because}" for candidate in self.candidates]
        if self.refused:
            lines.append(f"refused: {self.refused}")
        return "\n".join(lines)


def explain(context: Context, sql: str, tag: str | None, route: str | None, hostgroup: int | str | None) -> Explanation:
    """The `Explanation` of *sql* on the database of *context*."""
    planner = context.planner
    statement = analyze(sql, context.engine)
    plan = planner.decide(statement, tag, route, hostgroup)
    traces = planner.rules.explain(database=context.database, tag=tag, text=statement.text, digest_text=statement.digest_text)
    return Explanation(
        database=context.database,
        engine=str(context.engine),
        kind=statement.kind,
        intent="read" if plan.read else "write",
        session=statement.session,
        reasons=statement.reasons,
        functions=statement.functions,
        digest=f"0x{statement.digest:016X}",
        digest_text=statement.digest_text,
        rules=tuple(RuleStep(rule_id=trace.rule_id, matched=trace.matched, because=trace.because) for trace in traces),
        rule_id=plan.rule_id,
        hostgroup=plan.hostgroup.id,
        hostgroup_name=plan.hostgroup.name,
        why=plan.why,
        vetoed=f"{plan.veto.reason} (hostgroup '{plan.veto.hostgroup}')" if plan.veto is not None else None,
        refused=str(plan.refusal()) if plan.refusal is not None else None,
        timeout=plan.timeout,
        candidates=plan.hostgroup.candidates(monotonic()),
    )
