"""
Shadow: a candidate rule set beside the live one, asked about every statement when it is planned, never followed.

The candidate is a `Planner` of its own over the same hostgroups, so it says what the router would do with the candidate rules,
veto and all. It is asked once per text, where the live plan is made; a cached call pays nothing, but one whose destination would
change adds one to its `Difference` (in `Database._tidy`, where such plans are sent by their `tidy` flag, and in `detour` where no
server was asked). Nothing the candidate
says or raises reaches the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbrouter.events import EventHub, ShadowDiffered

if TYPE_CHECKING:
    from dbrouter.router.caller import Caller
    from dbrouter.router.plan import Plan
    from dbrouter.router.planner import Planner, Wish

DIGEST_LIMIT = 1000
"""Differences kept by digest and destination; further ones are only counted."""


class Difference:
    """A digest that would go elsewhere; `calls` counts the calls that succeeded on its plans."""

    __slots__ = ("calls", "candidate", "candidate_rule_id", "digest", "digest_text", "live", "live_rule_id", "plans")

    def __init__(self, plan: Plan, other: Plan) -> None:
        self.digest = plan.statement.digest
        self.digest_text = plan.statement.digest_text
        self.live = destination(plan)
        self.candidate = destination(other)
        self.live_rule_id = plan.rule_id
        self.candidate_rule_id = other.rule_id
        self.plans = 0
        self.calls = 0

    def __repr__(self) -> str:
        return f"<Difference {self.digest_text!r} {self.live} → {self.candidate} calls={self.calls}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowDifference:
    """One digest whose destination the candidate rules would change."""

    digest: int
    digest_text: str
    live: str
    """
    Name of the hostgroup; ``refused`` or ``answered`` by a rule; ``unpooled``: refused as a pooled call, because it has or makes
    session state, is none or several statements, …
    """
    candidate: str
    live_rule_id: int | None
    candidate_rule_id: int | None
    plans: int
    """Texts (with tag, route and hostgroup where given) of this digest that were planned."""
    calls: int
    """Calls of them that succeeded through the router's own methods; streams and pinned connections are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowDatabase:
    """What the candidate rules would change on one database."""

    name: str
    plans: int
    """Texts that were planned by both rule sets."""
    differing_plans: int
    more: int
    """Differing plans of digests beyond the limit, which are not listed."""
    errors: int
    """Texts the candidate could not plan; a bug, please report it."""
    differences: tuple[ShadowDifference, ...]
    """Most called first."""

    @property
    def calls(self) -> int:
        """Calls that would have gone elsewhere."""
        return sum(difference.calls for difference in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """What the candidate rules of ``shadow_rules`` would change."""

    file: str
    databases: tuple[ShadowDatabase, ...]

    @property
    def differences(self) -> tuple[ShadowDifference, ...]:
        """Those of all databases."""
        return tuple(difference for database in self.databases for difference in database.differences)


class Shadow:
    """The candidate rules of one database, and what they would have changed so far."""

    __slots__ = ("_differences", "_events", "candidate", "differing_plans", "errors", "file", "more", "plans")

    def __init__(self, candidate: Planner, *, file: str, events: EventHub) -> None:
        self.candidate = candidate
        self.file = file
        self.plans = 0
        self.differing_plans = 0
        self.more = 0
        self.errors = 0
        self._events = events
        self._differences: dict[tuple[int, str, str], Difference] = {}

    def __repr__(self) -> str:
        return f"<Shadow {self.file} differing={len(self._differences)} of plans={self.plans}>"

    def look(self, plan: Plan, compared: Plan, text: str, wish: Wish, caller: Caller | None) -> None:
        """
        Compare what was just planned with what the candidate would do; never raises.

        Args:
            plan: what calls will use.
            compared: the same, or its heaviest flag where rules draw one by weight: the candidate's heaviest is set beside it.
        """
        self.plans += 1
        try:
            other = self.candidate.decide(text, wish, caller)
        except Exception:
            self.errors += 1
            return
        if destination(other) == destination(compared):
            return
        self.differing_plans += 1
        found = self._note(compared, other)
        if found is None:
            self.more += 1
            return
        found.plans += 1
        plan.difference = found
        plan.tidy = True

    def inherit(self, before: Shadow) -> None:
        """Go on counting where *before* stood, whose rules are the same."""
        self.plans, self.differing_plans = before.plans, before.differing_plans
        self.more, self.errors = before.more, before.errors
        self._differences = before._differences

    def _note(self, plan: Plan, other: Plan) -> Difference | None:
        key = (plan.statement.digest, destination(plan), destination(other))
        found = self._differences.get(key)
        if found is None and len(self._differences) < DIGEST_LIMIT:
            found = self._differences[key] = Difference(plan, other)
            if self._events.listening:
                self._events.emit(
                    ShadowDiffered(
                        database=self.candidate.database,
                        digest=found.digest,
                        digest_text=found.digest_text,
                        live=found.live,
                        candidate=found.candidate,
                        live_rule_id=found.live_rule_id,
                        candidate_rule_id=found.candidate_rule_id,
                    )
                )
        return found

    @property
    def digests(self) -> int:
        """How many differences are listed."""
        return len(self._differences)

    @property
    def calls(self) -> int:
        """Calls that would have gone elsewhere."""
        return sum(found.calls for found in self._differences.values())

    def report(self) -> ShadowDatabase:
        """What there is to tell now."""
        found: list[Any] = sorted(self._differences.values(), key=lambda difference: -difference.calls)
        return ShadowDatabase(
            name=self.candidate.database,
            plans=self.plans,
            differing_plans=self.differing_plans,
            more=self.more,
            errors=self.errors,
            differences=tuple(
                ShadowDifference(**{name: getattr(difference, name) for name in Difference.__slots__}) for difference in found
            ),
        )


def destination(plan: Plan) -> str:
    """Where *plan* leads, as `ShadowDifference.live` has it."""
    if plan.forbidden is not None:
        return "refused"
    if plan.effects is not None and plan.effects.ok_msg is not None:
        return "answered"
    return plan.hostgroup.name if plan.refusal is None else "unpooled"
