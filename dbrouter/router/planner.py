"""
Planner: text → `Plan`, once per text.

Step 1 of the query path, synchronous and without I/O: analyze, evaluate the rules, choose the hostgroup, apply the safety veto.
The plan is cached by text (and by tag, route, hostgroup and what the rules ask of the caller, where there is any), so a known
text costs one dictionary look-up. `explain` runs the same code.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.errors import ParameterError, RoutingError
from dbrouter.events import EventHub, RuleVetoed
from dbrouter.router.caller import Caller, current
from dbrouter.router.functions import FunctionCatalog
from dbrouter.router.learned import LearnedWrites, changes_functions
from dbrouter.router.lottery import Drawing
from dbrouter.router.plan import Copy, Effects, Plan, Tally, Veto
from dbrouter.router.plancache import PLAN_CACHE_ENTRIES, PlanCache
from dbrouter.router.refusals import (
    Refusal,
    charset_refusal,
    copy_refusal,
    forbidden,
    no_statement,
    script_refusal,
    session_refusal,
    transaction_refusal,
)
from dbrouter.rules.decision import Decision
from dbrouter.rules.facts import Facts
from dbrouter.rules.match import Draw, RuleSet, heaviest
from dbrouter.sql import Statement, analyze
from dbrouter.sql.digest import DigestOptions
from dbrouter.sql.parameters import compile_named
from dbrouter.sql.volatile import volatile_words
from dbrouter.terms import Engine, Intent

if TYPE_CHECKING:
    from dbrouter.router.shadow import Shadow

_CACHEABLE_KINDS = frozenset(["SELECT", "VALUES", "TABLE"])


class Wish(NamedTuple):
    """What the caller asks of one call beside its text."""

    tag: str | None = None
    route: str | None = None
    hostgroup: int | str | None = None

    @property
    def placed(self) -> bool:
        """Whether it names the primary, or any place, and so wants the answer of that place."""
        return self.hostgroup is not None or self.route == "write"


NO_WISH = Wish()


class Planner:
    """
    Plans the statements of one database.

    Attributes:
        default: takes what no rule sends anywhere, reads too; None: reads go to the reader, the rest to the writer.
        peers: the planner of every hostgroup of every database by its id, this one's included; mirrors look there.
        contextual: plans depend on more than text, tag, route and hostgroup, so none is kept under its bare text.
        shadow: the candidate rules that are tried beside these, or None; set by `try_beside`.
        learned_writes: digests that count as writes because a server refused them as read-only.
        gone: makes the error for every statement, where a reload removed the database.
        notes_writes: contexts must remember that they have written.
    """

    __slots__ = (
        "_caller_facts",
        "_counted",
        "_events",
        "_hostgroups",
        "_refuse_session",
        "_rng",
        "_rules",
        "_schemaname",
        "_tallies",
        "_username",
        "cache",
        "catalog",
        "contextual",
        "database",
        "default",
        "digest_options",
        "engine",
        "gone",
        "learned_writes",
        "notes_writes",
        "peers",
        "reader",
        "shadow",
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
        catalog: FunctionCatalog,
        events: EventHub,
        rng: random.Random,
        username: str | None = None,
        schemaname: str | None = None,
        digest_options: DigestOptions,
        default: Hostgroup | None = None,
    ) -> None:
        self.database = database
        self.engine = engine
        self.writer = writer
        self.reader = reader or writer
        self.default = default
        self.cache = PlanCache()
        self.catalog = catalog
        self._counted: Counter[int] = Counter()
        self._tallies: dict[tuple[int, ...], Tally] = {}
        self.vetoes = 0
        self.shadow: Shadow | None = None
        self.gone: Callable[[], RoutingError] | None = None
        self.peers: Mapping[int, Planner] = {}
        self.digest_options = digest_options
        self._hostgroups: dict[int | str, Hostgroup] = {}
        for hostgroup in hostgroups:
            self._hostgroups[hostgroup.id] = hostgroup
            self._hostgroups[hostgroup.name] = hostgroup
        self._rules = rules
        self._refuse_session = refuse_session
        self.learned_writes = LearnedWrites()
        self._events = events
        self._rng = rng
        self._username = username
        self._schemaname = schemaname
        self._caller_facts = _getter(tuple(name for name in rules.caller_facts if name != "tag"))
        self.contextual = bool(rules.caller_facts) or rules.by_chance or rules.keeps_flags
        self.notes_writes = rules.caches or rules.follows_writes

    def try_beside(self, shadow: Shadow) -> None:
        """
        Ask *shadow* about every plan that is made.

        Where its rules look at who calls, so do the keys of the cache: plans are kept as if they were live.
        """
        self.shadow = shadow
        asked = shadow.candidate.rules.caller_facts
        self._caller_facts = _getter(tuple(sorted({*self._rules.caller_facts, *asked} - {"tag"})))
        self.contextual = self.contextual or bool(asked)

    def check(self) -> None:
        """
        Plan nothing any more where the database is gone.

        Raises:
            DatabaseRemovedError: a reload removed it.
        """
        if self.gone is not None:
            raise self.gone()

    def inherit(self, before: Planner, *, catalog: bool = True) -> None:
        """
        Take over what *before* has learned and counted under another configuration of the same database.

        Args:
            catalog: what its catalog says of functions still holds.
        """
        self.learned_writes = before.learned_writes
        if catalog:
            self.catalog.inherit(before.catalog)
        self.vetoes = before.vetoes
        known = {rule.rule_id for rule in self._rules.rules}
        self._counted = Counter({rule_id: hits for rule_id, hits in before.hits.items() if rule_id in known})
        if self.shadow is not None:
            self.shadow.candidate.learned_writes = self.learned_writes

    @property
    def rules(self) -> RuleSet:
        """The compiled rules this planner evaluates."""
        return self._rules

    @property
    def hits(self) -> dict[int, int]:
        """How many calls each rule matched, as far as it matched any: ProxySQL's ``stats_mysql_query_rules.hits``."""
        total = Counter(self._counted)
        for rules, tally in self._tallies.items():
            for rule_id in rules:
                total[rule_id] += tally.calls
        return {rule_id: hits for rule_id, hits in sorted(total.items()) if hits}

    def _make_room(self) -> bool:
        """
        Before one more plan is made: no more tallies than plans can be kept. True where all plans were forgotten for it.

        A forgotten plan counts nowhere, so none may be left in the cache.
        """
        if len(self._tallies) < PLAN_CACHE_ENTRIES:
            return False
        self._counted = Counter(self.hits)
        self._tallies.clear()
        self.cache.clear()
        return True

    @property
    def learned(self) -> int:
        """How many digests count as writes because a server refused them as read-only."""
        return len(self.learned_writes)

    def plan(self, text: str, tag: str | None = None, route: str | None = None, hostgroup: int | str | None = None) -> Plan:
        """
        The plan of *text*, from the cache where it is known.

        Raises:
            TypeError: *text* is not a `str`.
            ParameterError: *route* or *hostgroup* is not one this database has.
        """
        if self.contextual:
            return self._plan_for(current(), text, Wish(tag, route, hostgroup))
        key = text if tag is None and route is None and hostgroup is None else (text, tag, route, hostgroup)
        plan: Plan | None = self.cache.get(key)
        if plan is None:
            self._make_room()
            plan = self._decided(text, Wish(tag, route, hostgroup), None, heaviest)
            self.cache.put(key, plan, len(text))
        return plan

    def _plan_for(self, caller: Caller | None, text: str, wish: Wish) -> Plan:
        """As `plan`, where the rules look at who calls, at the context's flag, or draw one."""
        flag = 0
        facts = None
        if caller is not None:
            flag = caller.memory.flags.get(self.database, 0)
            facts = self._caller_facts(caller)
            if wish.tag is None and caller.tag is not None:
                wish = wish._replace(tag=caller.tag)
        key = (text, wish, flag, facts)
        entry = self.cache.get(key)
        drawing = Drawing(self._rng)
        plan = drawing.follow(entry)
        if plan is None:
            if self._make_room():
                entry = None
            plan = self._decided(text, wish, caller, drawing.draw)
            self.cache.put(key, drawing.grown(entry, plan), len(text))
        return plan

    def _decided(self, text: str, wish: Wish, caller: Caller | None, draw: Draw) -> Plan:
        """A plan made for calls, which it counts; told of where it was vetoed."""
        if not isinstance(text, str):
            raise TypeError(f"the statement must be a str, got {type(text).__name__}")
        self.check()
        plan = self.decide(text, wish, caller, draw)
        if plan.hits:
            plan.tally = self._tallies.setdefault(plan.hits, Tally())
        if plan.veto is not None:
            self._vetoed(plan, plan.veto)
        if self.shadow is not None:
            compared = self.decide(text, wish, caller) if self._rules.by_chance else plan
            self.shadow.look(plan, compared, text, wish, caller)
        return plan

    def facts(self, text: str, wish: Wish, caller: Caller | None) -> Facts:
        """What the rules are evaluated on."""
        flag = 0
        given: dict[str, Any] = {}
        if caller is not None:
            flag = caller.memory.flags.get(self.database, 0)
            given = {name: getattr(caller, name) for name in ("client_addr", "proxy_addr", "proxy_port", "tag")}
            given["username"], given["schemaname"] = caller.username, caller.schemaname
        given["tag"] = wish.tag if wish.tag is not None else given.get("tag")
        given["username"] = given.get("username") or self._username
        given["schemaname"] = given.get("schemaname") or self._schemaname
        return Facts(analyze(text, self.engine, digest=self.digest_options), database=self.database, flag=flag, **given)

    def decide(self, text: str, wish: Wish, caller: Caller | None = None, draw: Draw = heaviest) -> Plan:
        """What would happen to *text*; pure but for the learned digests it reads."""
        facts = self.facts(text, wish, caller)
        return self._made(facts.statement, self._rules.evaluate(facts, draw), wish, mirrors=True)

    def own(self, text: str, route: str | None = None) -> Plan:
        """
        The plan of a statement of the router's own: no rule is about it, and nobody's count has it.

        Raises:
            DatabaseRemovedError: a reload removed the database.
        """
        self.check()
        return self._made(analyze(text, self.engine, digest=self.digest_options), Decision(), Wish(route=route), mirrors=False)

    def _made(self, asked: Statement, decision: Decision, wish: Wish, *, mirrors: bool) -> Plan:
        statement = asked
        if decision.rewritten is not None:
            statement = analyze(decision.rewritten, self.engine, digest=self.digest_options)
        functions = self.catalog.sort(statement.functions, statement.known)
        learned = bool(self.learned_writes) and statement.digest in self.learned_writes
        if decision.hinted and decision.destination not in self._hostgroups:
            decision.ignore_hinted_destination()
        read = statement.intent is Intent.READ and statement.statements <= 1 and not functions.writing and not learned
        target, why, by_rule = self._target(read, wish, decision)
        if functions.writing and not by_rule and target is self.writer:
            why = f"{why}: it calls {', '.join(functions.writing)}, which may write"
        veto = None
        unsafe = by_rule and decision.unsafe
        for_readers = target.read_only or (target is self.reader and target is not self.writer)
        if not read and for_readers and not unsafe:
            veto = Veto(
                hostgroup=target.name,
                rule_id=decision.rule_id if by_rule else None,
                reason=_why_write(statement, functions.writing),
            )
            target, why = self.writer, f"vetoed: a write may not go to the reader hostgroup '{target.name}'"

        plan = Plan(statement.text, statement, target)
        plan.asked = asked.text
        plan.read = read
        plan.unknown = functions.unknown
        plan.pure = not functions.unknown
        plan.why = why
        plan.veto = veto
        plan.unsafe = unsafe
        plan.rule_id = decision.rule_id
        plan.hits = decision.matched
        plan.stays = wish.route == "read" and read
        if decision.timeout is not None:
            plan.timeout = decision.timeout
            plan.timed = True
        if decision.retries is not None:
            plan.attempts = decision.retries + 1
        strange = (*functions.unknown, *functions.writing)
        plan.reset = (bool(strange) and not self.catalog.harmless(strange)) or statement.opaque
        plan.named = compile_named(statement.text, self.engine)
        plan.script = statement.statements > 1
        lifted = decision.multiplex == 2 and statement.session_reason == "user variable"
        if statement.session and not lifted:
            plan.taints = statement.session_reason or "session state"
        elif decision.multiplex == 0:
            plan.taints = "a rule's multiplex: 0"
        plan.tidy = (
            plan.reset
            or plan.taints is not None
            or (statement.ddl and (self.catalog.introspects or changes_functions(statement)))
        )
        if decision.error_msg is not None and decision.OK_msg is None:
            plan.forbidden = forbidden(decision.error_rule_id, decision.error_msg)
        plan.refusal = plan.forbidden or self._refusal(statement, lifted)
        plan.effects = self._effects(asked, plan, decision, wish, mirrors=mirrors)
        plan.detour = plan.refusal is not None or plan.effects is not None
        return plan

    def _effects(self, asked: Statement, plan: Plan, decision: Decision, wish: Wish, *, mirrors: bool) -> Effects | None:
        statement = plan.statement
        kept = (
            decision.cache_ttl is not None
            and not wish.placed
            and plan.read
            and not statement.session
            and cacheable(statement)
            and (decision.cache_volatile or not (statement.functions or volatile_words(statement.text, self.engine)))
        )
        copy = self.copy_of(asked, decision) if mirrors else None
        effects = Effects(
            ok_msg=decision.OK_msg,
            cache_ttl=decision.cache_ttl if kept else None,
            cache_empty=decision.cache_empty_result is not False,
            delay=decision.delay,
            next_flag=decision.next_query_flagIN,
            copy=copy if isinstance(copy, Copy) else None,
            log=bool(decision.log),
            follows=decision.gtid_from_hostgroup if plan.read and wish.hostgroup is None and wish.route is None else None,
            notes_write=self.notes_writes and (not plan.read or plan.reset),
        )
        return effects if effects != _NO_EFFECTS else None

    def copy_of(self, asked: Statement, decision: Decision) -> Copy | str | None:
        """The mirrored statement, or why none may be sent; None where no rule asks for one."""
        if decision.mirror_hostgroup is None and decision.mirror_flagOUT is None:
            return None
        where = decision.mirror_hostgroup
        peer = self if where is None else self.peers.get(where)
        if peer is None or peer.engine is not self.engine:
            return f"hostgroup {where} is of another engine"
        text = decision.rewritten if decision.rewritten is not None else asked.text
        facts = Facts(
            analyze(text, self.engine, digest=self.digest_options),
            database=peer.database,
            flag=decision.mirror_flagOUT or 0,
            username=peer._username,
            schemaname=peer._schemaname,
        )
        inner = peer._rules.evaluate(facts, mirrored=True) if decision.mirror_flagOUT is not None else Decision()
        if inner.destination is None or inner.destination not in peer._hostgroups:
            inner.destination, inner.unsafe = where, decision.mirror_unsafe
        plan = peer._made(facts.statement, inner, NO_WISH, mirrors=False)
        if plan.refusal is not None or inner.OK_msg is not None:
            return "it would be refused there, or answered by a rule"
        if not decision.mirror_unsafe and not plan.read:
            return "copies of writes need unsafe: true on the rule"
        if plan.veto is not None:
            return f"it is a write, and hostgroup '{plan.veto.hostgroup}' is for reads"
        if not decision.mirror_unsafe and plan.reset and not plan.hostgroup.read_only:
            called = ", ".join(plan.unknown) or "what it runs"
            return (
                f"{called} may write, and hostgroup '{plan.hostgroup.name}' takes writes; unsafe: true on the rule sends it, "
                "read_functions names what only reads"
            )
        plan.detour = False
        plan.copied = plan.stays = True
        return Copy(database=peer.database, plan=plan)

    def learn_write(self, statement: Statement, now: float) -> bool:
        """Remember that servers refuse *statement*'s digest as read-only; False if it was known already."""
        if not self.learned_writes.add(statement.digest, now):
            return False
        self.cache.clear()
        return True

    def functions_changed(self) -> None:
        """What servers refused or said of functions so far says nothing any more; what `introspect` read is read again."""
        refused, said = self.learned_writes.clear(), self.catalog.forget_all()
        if refused or said:
            self.cache.clear()

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

    def has_hostgroup(self, which: int | str) -> bool:
        """Whether this database has a hostgroup with that id or name."""
        return which in self._hostgroups

    def _target(self, read: bool, wish: Wish, decision: Decision) -> tuple[Hostgroup, str, bool]:
        """The hostgroup, why it is that one, and whether a rule said so."""
        if wish.hostgroup is not None:
            return self.hostgroup(wish.hostgroup), "the caller's hostgroup=", False
        if wish.route is not None:
            if wish.route not in ("read", "write"):
                raise ParameterError(f"route must be 'read' or 'write', got {wish.route!r}")
            return (self.reader if wish.route == "read" else self.writer), f"the caller's route={wish.route!r}", False
        found = self._hostgroups.get(decision.destination) if decision.destination is not None else None
        if found is not None:
            if decision.hinted:
                return found, "a comment in the statement", False
            if decision.rule_id is None:
                return found, "fast routing", True
            return found, f"rule {decision.rule_id}", True
        if self.default is not None:
            return self.default, "no rule sends it anywhere: the default hostgroup", False
        if read:
            return self.reader, "a read goes to the reader hostgroup", False
        return self.writer, "everything that is not provably a read goes to the writer hostgroup", False

    def _refusal(self, statement: Statement, lifted: bool) -> Refusal | None:
        if statement.statements == 0:
            return no_statement
        if statement.copy_stdio:
            return copy_refusal
        if statement.transaction_control:
            return lambda: transaction_refusal(statement)
        if statement.session and self._refuse_session and not lifted:
            return lambda: session_refusal(statement)
        return charset_refusal(statement) or script_refusal(statement)

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


_NO_EFFECTS = Effects()


def _getter(names: tuple[str, ...]) -> Callable[[Caller], Any]:
    """What a caller has under *names*; None without any."""
    return attrgetter(*names) if names else lambda caller: None


def cacheable(statement: Statement) -> bool:
    """Whether results of statements of its kind are kept."""
    return statement.kind in _CACHEABLE_KINDS


def _why_write(statement: Statement, writing: tuple[str, ...]) -> str:
    if statement.reasons:
        return statement.reasons[0]
    if writing:
        return f"calls {', '.join(writing)}, which may write"
    return "several statements in one text" if statement.statements > 1 else "a server refused it as read-only before"
