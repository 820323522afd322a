"""
Planner: text → `Plan`, once per text.

Step 1 of the query path, synchronous and without I/O: analyze, evaluate the rules, choose the hostgroup, apply the safety veto.
The plan is cached by text (and by tag, route and hostgroup where a caller gives them), so a known text costs one dictionary
look-up.
`explain` runs the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.errors import ParameterError, RoutingError, SessionStatementError, StatementRejectedError
from dbrouter.events import EventHub, RuleVetoed
from dbrouter.router.catalog import FunctionCatalog
from dbrouter.rules.match import RuleSet
from dbrouter.sql import Statement, analyze
from dbrouter.sql.parameters import Named, compile_named
from dbrouter.terms import Engine, Intent

PLAN_CACHE_ENTRIES = 16_384
"""Plans kept in each of the two generations of the cache."""

PLAN_CACHE_BYTES = 16 * 1024 * 1024
"""Bytes of text kept in each generation; a plan weighs its text about twice, so the whole stays under 64 MiB."""

PLAN_TEXT_LIMIT = 64 * 1024
"""Longer texts are planned each time: they are bulk statements, seen once."""

LEARNED_LIMIT = 10_000
"""Digests remembered as writes because a server refused them as read-only."""

TAG_LIMIT = 1000
"""Distinct tags; beyond it new ones count as ``other`` in statistics and rules see them all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto:
    """Why the hostgroup that was asked for was not taken."""

    hostgroup: str
    rule_id: int | None
    reason: str


class Plan:
    """
    Everything that is decided about a text before a connection is looked for.

    Attributes:
        text: what is sent; where a mapping is given for ``:name`` placeholders, `bind` has the text in the engine's own style.
        read: whether it may be sent to a reader and, safe as the session is, sent again.
        pure: it calls no function we do not know, so that as a read it may be sent again even where the session could write.
        hostgroup: where it goes.
        timeout: seconds for the whole call where the caller gives none; None: no limit.
        attempts: how often it may be sent in all.
        reset: whether the session must be brought back to its first state afterwards (functions we do not know).
        tidy: something is left to do on the session after it (*reset* or *taints*).
        script: several statements in one text, to be sent by the simple protocol.
        taints: why the connection cannot be handed on afterwards (session state), or None.
        forbidden: makes the error of the rule that forbids this text, or None; holds on pinned connections too.
        refusal: makes the error this text is refused with as a pooled call, or None.
        stays: the caller asked for ``route="read"``: a read-only refusal is the answer, never a reason to go to the primary.
    """

    __slots__ = (
        "attempts",
        "forbidden",
        "hits",
        "hostgroup",
        "kind",
        "named",
        "pure",
        "read",
        "refusal",
        "reset",
        "rule_id",
        "script",
        "statement",
        "stays",
        "tag",
        "taints",
        "text",
        "tidy",
        "timeout",
        "unsafe",
        "veto",
        "why",
    )

    def __init__(self, text: str, statement: Statement, hostgroup: Hostgroup) -> None:
        self.text = text
        self.statement = statement
        self.kind = statement.kind
        self.hostgroup = hostgroup
        self.read = statement.intent is Intent.READ
        self.timeout = hostgroup.call_timeout
        self.attempts = hostgroup.retry.attempts
        self.pure = not statement.functions
        self.tidy = False
        self.named: Named | None = None
        self.rule_id: int | None = None
        self.hits: tuple[int, ...] = ()
        self.tag: str | None = None
        self.veto: Veto | None = None
        self.unsafe = False
        self.reset = False
        self.script = False
        self.stays = False
        self.taints: str | None = None
        self.forbidden: Callable[[], RoutingError] | None = None
        self.refusal: Callable[[], RoutingError] | None = None
        self.why = ""

    def __repr__(self) -> str:
        return f"<Plan {self.kind} {'read' if self.read else 'write'} to {self.hostgroup.name}>"

    def bind(self, params: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """
        The text to send and its positional parameters, where the text has ``:name`` placeholders and parameters were given.

        Raises:
            ParameterError: positional parameters were given, or the mapping lacks a name or has one too many.
        """
        named = self.named
        if named is None:
            return self.text, params
        if len(params) == 1 and isinstance(params[0], Mapping):
            return named.text, named.values(params[0])
        names = ", ".join(f":{name}" for name in dict.fromkeys(named.order))
        raise ParameterError(
            f"the text has the placeholders {names} and {len(params)} positional parameters were given; pass one mapping"
        )


class PlanCache:
    """
    Two generations of plans by key: when the young one is full it becomes the old one, and what is used again moves back.

    O(1), no bookkeeping per hit, bounded in entries and in bytes of text.
    """

    __slots__ = ("_bytes", "_old", "young")

    def __init__(self) -> None:
        self.young: dict[Any, Plan] = {}
        """HOT: callers look here first."""
        self._old: dict[Any, Plan] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: Any) -> Plan | None:
        """The plan of *key*, brought back to the young generation if it was about to go."""
        plan = self.young.get(key)
        if plan is None:
            plan = self._old.pop(key, None)
            if plan is not None:
                self.put(key, plan)
        return plan

    def put(self, key: Any, plan: Plan) -> None:
        """Keep *plan*, unless its text is too long to be worth it."""
        size = len(plan.statement.text)
        if size > PLAN_TEXT_LIMIT:
            return
        if len(self.young) >= PLAN_CACHE_ENTRIES or self._bytes + 2 * size > PLAN_CACHE_BYTES:
            self._old = self.young
            self.young = {}
            self._bytes = 0
        self.young[key] = plan
        self._bytes += 2 * size + 256

    def clear(self) -> None:
        """Forget everything (rules changed, or a digest was learned to be a write)."""
        self.young.clear()
        self._old.clear()
        self._bytes = 0


class Planner:
    """Plans the statements of one database."""

    __slots__ = (
        "_events",
        "_hostgroups",
        "_learned",
        "_refuse_session",
        "_rules",
        "_unknown_is_write",
        "cache",
        "catalog",
        "database",
        "engine",
        "hits",
        "reader",
        "vetoes",
        "writer",
    )

    def __init__(
        self,
        *,
        database: str,
        engine: Engine,
        writer: Hostgroup,
        reader: Hostgroup | None,
        hostgroups: Sequence[Hostgroup],
        rules: RuleSet,
        refuse_session: bool,
        unknown_is_write: bool,
        events: EventHub,
    ) -> None:
        self.database = database
        self.engine = engine
        self.writer = writer
        self.reader = reader or writer
        self.cache = PlanCache()
        self.catalog = FunctionCatalog()
        self.hits: dict[int, int] = {}
        """How many plans each rule matched; calls are counted by hostgroup."""
        self.vetoes = 0
        self._hostgroups: dict[int | str, Hostgroup] = {}
        for hostgroup in hostgroups:
            self._hostgroups[hostgroup.id] = hostgroup
            self._hostgroups[hostgroup.name] = hostgroup
        self._rules = rules
        self._refuse_session = refuse_session
        self._unknown_is_write = unknown_is_write
        self._learned: dict[int, None] = {}
        self._events = events

    @property
    def rules(self) -> RuleSet:
        """The compiled rules this planner evaluates."""
        return self._rules

    @property
    def learned(self) -> int:
        """How many digests count as writes because a server refused them as read-only."""
        return len(self._learned)

    def plan(self, text: str, tag: str | None = None, route: str | None = None, hostgroup: int | str | None = None) -> Plan:
        """
        The plan of *text*, from the cache where it is known.

        Raises:
            TypeError: *text* is not a `str`.
            ParameterError: *route* or *hostgroup* is not one this database has.
        """
        key = text if tag is None and route is None and hostgroup is None else (text, tag, route, hostgroup)
        plan = self.cache.get(key)
        if plan is None:
            if not isinstance(text, str):
                raise TypeError(f"the statement must be a str, got {type(text).__name__}")
            plan = self.decide(analyze(text, self.engine), tag, route, hostgroup)
            self.cache.put(key, plan)
            for rule_id in plan.hits:
                self.hits[rule_id] = self.hits.get(rule_id, 0) + 1
            if plan.veto is not None:
                self._vetoed(plan, plan.veto)
        return plan

    def decide(self, statement: Statement, tag: str | None, route: str | None, hostgroup: int | str | None) -> Plan:
        """What would happen to *statement*; pure but for the learned digests it reads."""
        decision = self._rules.evaluate(database=self.database, tag=tag, text=statement.text, digest_text=statement.digest_text)
        read = statement.intent is Intent.READ and statement.statements <= 1 and not self._counts_as_write(statement)
        target, why, by_rule = self._target(read, route, hostgroup, decision.destination, decision.rule_id)
        veto = None
        unsafe = by_rule and decision.unsafe
        for_readers = target.read_only or (target is self.reader and target is not self.writer)
        if not read and for_readers and not unsafe:
            veto = Veto(
                hostgroup=target.name,
                rule_id=decision.rule_id if by_rule else None,
                reason=_why_write(statement),
            )
            target, why = self.writer, f"vetoed: a write may not go to the reader hostgroup '{target.name}'"

        plan = Plan(statement.text, statement, target)
        plan.read = read
        plan.tag = tag
        plan.why = why
        plan.veto = veto
        plan.unsafe = unsafe
        plan.rule_id = decision.rule_id
        plan.hits = decision.matched
        plan.stays = route == "read" and read
        if decision.timeout is not None:
            plan.timeout = decision.timeout
        if decision.retries is not None:
            plan.attempts = decision.retries + 1
        if self.engine is Engine.POSTGRESQL:
            unknown = bool(statement.functions) and not self.catalog.harmless(statement.functions)
            plan.reset = unknown or statement.opaque
        plan.named = compile_named(statement.text, self.engine)
        plan.script = statement.statements > 1
        plan.taints = (statement.session_reason or "session state") if statement.session else None
        plan.tidy = plan.reset or plan.taints is not None
        if decision.error_msg is not None:
            plan.forbidden = _forbidden(decision.error_rule_id, decision.error_msg)
        plan.refusal = plan.forbidden or self._refusal(statement)
        return plan

    def learn_write(self, statement: Statement) -> bool:
        """Remember that servers refuse *statement*'s digest as read-only; False if it was known already."""
        digest = statement.digest
        if digest in self._learned:
            return False
        if len(self._learned) >= LEARNED_LIMIT:
            del self._learned[next(iter(self._learned))]
        self._learned[digest] = None
        self.cache.clear()
        return True

    def hostgroup(self, which: int | str) -> Hostgroup:
        """
        The hostgroup with that id or name.

        Raises:
            ParameterError: this database has no such hostgroup.
        """
        found = self._hostgroups.get(which)
        if found is None:
            known = ", ".join(f"{hostgroup.id} ({hostgroup.name})" for hostgroup in dict.fromkeys(self._hostgroups.values()))
            raise ParameterError(f"database '{self.database}' has no hostgroup {which!r}; it has {known}")
        return found

    def _counts_as_write(self, statement: Statement) -> bool:
        if self._unknown_is_write and statement.functions:
            return True
        return bool(self._learned) and statement.digest in self._learned

    def _target(
        self, read: bool, route: str | None, hostgroup: int | str | None, destination: int | None, rule_id: int | None
    ) -> tuple[Hostgroup, str, bool]:
        if hostgroup is not None:
            return self.hostgroup(hostgroup), "the caller's hostgroup=", False
        if route is not None:
            if route not in ("read", "write"):
                raise ParameterError(f"route must be 'read' or 'write', got {route!r}")
            return (self.reader if route == "read" else self.writer), f"the caller's route={route!r}", False
        if destination is not None:
            return self.hostgroup(destination), f"rule {rule_id}", True
        if read:
            return self.reader, "a read goes to the reader hostgroup", False
        return self.writer, "everything that is not provably a read goes to the writer hostgroup", False

    def _refusal(self, statement: Statement) -> Callable[[], RoutingError] | None:
        if statement.statements == 0:
            return no_statement
        if statement.copy_stdio:
            return copy_refusal
        if statement.transaction_control:
            return lambda: SessionStatementError(
                f"{statement.kind} on a pooled connection would leave a transaction to a stranger: use transaction() or run()",
                reason=statement.kind,
            )
        if statement.session and self._refuse_session:
            return lambda: session_refusal(statement)
        return self.script_refusal(statement)

    def script_refusal(self, statement: Statement) -> Callable[[], RoutingError] | None:
        """Makes the error for several statements in one text where they cannot be sent, or None."""
        count = statement.statements
        if count <= 1:
            return None
        if self.engine is Engine.MYSQL:
            return lambda: StatementRejectedError(
                f"{count} statements in one text: MySQL connections here take one a call (which also stops stacked-query "
                f"injection);"
                " use batch([(sql, params), ...])",
                rule_id=None,
            )
        if statement.positional or statement.named:
            return lambda: StatementRejectedError(
                f"{count} statements in one text with parameters: PostgreSQL takes one statement then; use batch([(sql, "
                f"params), ...])",
                rule_id=None,
            )
        return None

    def _vetoed(self, plan: Plan, veto: Veto) -> None:
        self.vetoes += 1
        if self._events.listening:
            self._events.emit(
                RuleVetoed(
                    database=self.database,
                    rule_id=veto.rule_id,
                    hostgroup=veto.hostgroup,
                    digest=plan.statement.digest,
                    digest_text=plan.statement.digest_text,
                    reason=veto.reason,
                )
            )


def _why_write(statement: Statement) -> str:
    if statement.reasons:
        return statement.reasons[0]
    return "several statements in one text" if statement.statements > 1 else "a server refused it as read-only before"


def _forbidden(rule_id: int | None, message: str) -> Callable[[], RoutingError]:
    return lambda: StatementRejectedError(f"rule {rule_id} forbids this statement: {message}", rule_id=rule_id)


def no_statement() -> RoutingError:
    """The error for an empty text, or one of comments only."""
    return StatementRejectedError("the text holds no statement", rule_id=None)


def copy_refusal() -> RoutingError:
    """The error for COPY … FROM STDIN / TO STDOUT, which the statement calls cannot feed."""
    return StatementRejectedError(
        "COPY from or to the client cannot go through a statement call: use connection() and its .raw (copy_to_table,"
        " copy_from_query, …)",
        rule_id=None,
    )


def session_refusal(statement: Statement) -> SessionStatementError:
    """The error for a statement that makes or needs session state on a pooled connection."""
    reason = statement.session_reason or "session state"
    hint = "use connection() to keep one connection for it"
    if "LAST_INSERT_ID" in reason.upper():
        hint = "use the .lastrowid of the INSERT's result"
    elif reason.lower() in ("currval()", "lastval()"):
        hint = "use INSERT … RETURNING, or connection() to keep one connection for it"
    return SessionStatementError(
        f"{statement.kind}: {reason} belongs to one connection, and a pooled call gets any; {hint}", reason=reason
    )
