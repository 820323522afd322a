"""
Workload: what logged statements add up to – by digest, and by what holds them on the primary.

Sums over all statements are exact, whatever their number. Digests and reasons are kept in bounded number: when there are twice as
many as are kept, those with the fewest calls are let go and counted as *other*; one that comes back is counted from there on.

A statement is held on the primary by what its text shows (`Statement.reasons`), by an open transaction of its connection where
the source names connections, or because its source has not kept its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from dbrouter.audit.logged import Entry, LoggedStatement, Unreadable
from dbrouter.errors import Problem
from dbrouter.sql.analyze import Statement, analyze
from dbrouter.terms import Engine, Intent

IN_TRANSACTION = "runs inside a transaction that is not read only"
CUT = "its end is missing: the source keeps only the beginning of long statements"

_KEPT_DIGESTS = 10_000
_KEPT_REASONS = 500
_KEPT_TRANSACTIONS = 10_000
_KEPT_PROBLEMS = 20


@dataclass(slots=True)
class Sum:
    """Calls and their time."""

    calls: int = 0
    seconds: float = 0.0

    def add(self, calls: int, seconds: float) -> None:
        self.calls += calls
        self.seconds += seconds


@dataclass(slots=True)
class DigestSum(Sum):
    """The calls of one digest that stay for the same reasons."""

    digest: int = 0
    text: str = ""
    kind: str = ""
    intent: Intent = Intent.READ
    session: bool = False
    held: tuple[str, ...] = ()
    """What holds it on the primary; empty where replicas could take it."""
    functions: tuple[str, ...] = ()
    """Unknown functions it calls: a read until a server or the catalog says otherwise."""


@dataclass(slots=True)
class ReasonSum(Sum):
    """The calls that a reason holds on the primary."""

    reason: str = ""
    alone: int = 0
    """Calls that nothing else holds there."""


_S = TypeVar("_S", bound=Sum)


class _Largest(Generic[_S]):
    """Sums by key; the *kept* largest of them survive, the others are in `other`."""

    __slots__ = ("_kept", "_sums", "let_go", "other")

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._sums: dict[Hashable, _S] = {}
        self.other = Sum()
        self.let_go = 0

    def get(self, key: Hashable, make: Callable[[], _S]) -> _S:
        found = self._sums.get(key)
        if found is None:
            if len(self._sums) >= 2 * self._kept:
                self._let_go()
            found = self._sums[key] = make()
        return found

    def _let_go(self) -> None:
        ranked = sorted(self._sums.items(), key=lambda item: (item[1].calls, item[1].seconds), reverse=True)
        for _, least in ranked[self._kept :]:
            self.other.add(least.calls, least.seconds)
        self.let_go += len(ranked) - self._kept
        self._sums = dict(ranked[: self._kept])

    def ranked(self) -> list[_S]:
        """Most calls first; equal ones by their time."""
        return sorted(self._sums.values(), key=lambda one: (one.calls, one.seconds), reverse=True)


class Workload:
    """
    Adds up entries.

    Args:
        engine: whose rules apply.
        place: the name of the hostgroup that a router would send a text to, where a configuration is at hand.
    """

    def __init__(self, engine: Engine, place: Callable[[str], str] | None = None, *, kept: int = _KEPT_DIGESTS) -> None:
        self.engine = engine
        self.total = Sum()
        self.replicas = Sum()
        """What replicas could take."""
        self.reads = 0
        self.session = 0
        self.timed = 0
        """Calls whose time is known."""
        self.unreadable = 0
        self.problems: list[Problem] = []
        """The first of the places that could not be read."""
        self.hostgroups: dict[str, Sum] = {}
        self._place = place
        self._digests: _Largest[DigestSum] = _Largest(kept)
        self._reasons: _Largest[ReasonSum] = _Largest(_KEPT_REASONS)
        self._transactions = _Transactions()

    def add(self, entry: Entry, source: str = "") -> None:
        """Count one entry of *source*."""
        if isinstance(entry, Unreadable):
            self.unreadable += 1
            if len(self.problems) < _KEPT_PROBLEMS:
                self.problems.append(Problem(message=entry.why, file=source or None, line=entry.line or None))
            return
        statement = analyze(entry.sql, self.engine)
        held = self._held(statement, entry, source)
        calls, seconds = entry.calls, entry.seconds or 0.0
        self.timed += calls if entry.seconds is not None else 0
        self.total.add(calls, seconds)
        self.reads += calls if statement.intent is Intent.READ else 0
        self.session += calls if statement.session else 0
        if not held:
            self.replicas.add(calls, seconds)
        for reason in held:
            reasons = self._reasons.get(reason, partial(ReasonSum, reason=reason))
            reasons.add(calls, seconds)
            reasons.alone += calls if len(held) == 1 else 0
        self._digests.get((statement.digest, held), partial(_digest_sum, statement, held)).add(calls, seconds)
        if self._place is not None:
            self.hostgroups.setdefault(self._place(entry.sql), Sum()).add(calls, seconds)

    def _held(self, statement: Statement, entry: LoggedStatement, source: str) -> tuple[str, ...]:
        inside = entry.connection is not None and self._transactions.follow((source, entry.connection), statement)
        if statement.reasons:
            return statement.reasons
        if entry.cut:
            return (CUT,)
        return (IN_TRANSACTION,) if inside else ()

    # --- what it adds up to -----------------------------------------------------------------------

    @property
    def replica_share(self) -> float:
        """Share of calls that replicas could take, between 0 and 1; 0 for no calls."""
        return self.replicas.calls / self.total.calls if self.total.calls else 0.0

    @property
    def replica_time_share(self) -> float | None:
        """The same of the time; None where no source knows times."""
        return self.replicas.seconds / self.total.seconds if self.total.seconds else None

    def share(self, calls: int) -> float:
        """*calls* of all."""
        return calls / self.total.calls if self.total.calls else 0.0

    def time_share(self, seconds: float) -> float | None:
        """*seconds* of all, or None where no source knows times."""
        return seconds / self.total.seconds if self.total.seconds else None

    def digests(self) -> list[DigestSum]:
        """Most calls first."""
        return self._digests.ranked()

    def reasons(self) -> list[ReasonSum]:
        """What holds calls on the primary, most calls first; a call with two reasons counts for both."""
        return self._reasons.ranked()

    @property
    def other(self) -> Sum:
        """What was let go of: calls of rare digests that are in the sums and in no digest."""
        return self._digests.other

    def as_dict(self, top: int | None = None) -> dict[str, Any]:
        """JSON-ready; at most *top* digests."""
        digests = self.digests()
        shown = digests if top is None else digests[:top]
        rest = Sum(self.other.calls, self.other.seconds)
        for one in digests[len(shown) :]:
            rest.add(one.calls, one.seconds)
        return {
            "engine": str(self.engine),
            "calls": self.total.calls,
            "seconds": round(self.total.seconds, 6) if self.timed else None,
            "reads": self.reads,
            "writes": self.total.calls - self.reads,
            "session": self.session,
            "unreadable": self.unreadable,
            "replica_calls": self.replicas.calls,
            "replica_share": round(self.replica_share, 4),
            "replica_time_share": _rounded(self.replica_time_share),
            "held": [
                {
                    "reason": one.reason,
                    "calls": one.calls,
                    "alone": one.alone,
                    "share": round(self.share(one.calls), 4),
                    "time_share": _rounded(self.time_share(one.seconds)),
                }
                for one in self.reasons()
            ],
            "hostgroups": {
                name: {"calls": one.calls, "share": round(self.share(one.calls), 4)} for name, one in self.hostgroups.items()
            }
            if self._place is not None
            else None,
            "digests": [self._digest_dict(one) for one in shown],
            "other": {"digests": len(digests) - len(shown) + self._digests.let_go, "calls": rest.calls},
            "problems": [{"source": one.file, "line": one.line, "why": one.message} for one in self.problems],
        }

    def _digest_dict(self, one: DigestSum) -> dict[str, Any]:
        return {
            "digest": f"0x{one.digest:016X}",
            "digest_text": one.text,
            "kind": one.kind,
            "intent": str(one.intent),
            "session": one.session,
            "held": list(one.held),
            "functions": list(one.functions),
            "calls": one.calls,
            "share": round(self.share(one.calls), 4),
            "seconds": round(one.seconds, 6) if self.timed else None,
            "time_share": _rounded(self.time_share(one.seconds)),
        }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _digest_sum(statement: Statement, held: tuple[str, ...]) -> DigestSum:
    return DigestSum(
        digest=statement.digest,
        text=statement.digest_text,
        kind=statement.kind,
        intent=statement.intent,
        session=statement.session,
        held=held,
        functions=statement.functions,
    )


_READ_ONLY = re.compile(r"\bREAD\s+ONLY\b", re.IGNORECASE)
_TO_SAVEPOINT = re.compile(r"ROLLBACK\b.*\bTO\b", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class _Transactions:
    """Which connections are inside a transaction that may write, as far as their statements tell; bounded in number."""

    _writing: dict[Hashable, None] = field(default_factory=dict)

    def follow(self, connection: Hashable, statement: Statement) -> bool:
        """Whether *statement* runs inside one."""
        inside = connection in self._writing
        if statement.transaction_control:
            if statement.kind in ("BEGIN", "START"):
                self._writing.pop(connection, None)
                if not _READ_ONLY.search(statement.digest_text):
                    if len(self._writing) >= _KEPT_TRANSACTIONS:
                        del self._writing[next(iter(self._writing))]
                    self._writing[connection] = None
            elif statement.kind not in ("SAVEPOINT", "RELEASE") and not _TO_SAVEPOINT.match(statement.digest_text):
                self._writing.pop(connection, None)
        elif statement.implicit_commit:
            self._writing.pop(connection, None)
        return inside
