"""
Lint: what a configuration says that it probably does not mean. Pure; nothing is connected.

Warnings are certain (a rule that no flag reaches is never looked at); what cannot be decided without running it is not warned
of. `docs/rules.md` lists the codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from dbrouter.config.checks import Draft
from dbrouter.config.model import RouterConfig
from dbrouter.config.problems import Path
from dbrouter.config.rules import EFFECTLESS_COLUMNS, HOSTGROUP_COLUMNS, RuleSettings
from dbrouter.rules.finding import Finding, Severity
from dbrouter.rules.shadows import Shadows
from dbrouter.rules.spellings import missed_locks, never_in_digests, write_that_matches
from dbrouter.sql import analyze
from dbrouter.sql.digest import DigestOptions
from dbrouter.terms import Engine

_OUTPUTS = (
    *("destination_hostgroup", "cache_ttl", "timeout", "retries", "delay", "next_query_flagIN", "mirror_hostgroup"),
    *("mirror_flagOUT", "error_msg", "OK_msg", "multiplex", "gtid_from_hostgroup", "log", "replace_pattern", "flagOUT"),
    *("attributes", "cache_empty_result"),
)
_RANGE = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}")
_SHOWN = 4
"""Spellings that a message names."""

Say = Callable[..., Finding]


def lint(config: RouterConfig) -> tuple[Finding, ...]:
    """Everything there is to say, in the order of the rules, then of the hostgroups."""
    return lint_draft(Draft.of(config))


def lint_draft(draft: Draft, broken: Iterable[Path] = (), *, whole: bool = True) -> tuple[Finding, ...]:
    """
    As `lint`, of the pieces of a configuration that could be read.

    Args:
        broken: paths of rules that are not to be judged, because something is wrong with them already.
        whole: every rule could be read and is right; otherwise nothing is said of how rules work together.
    """
    found = list(_about_rules(draft, frozenset(broken), whole))
    found += _about_hostgroups(draft, whole)
    if draft.processing.comment_hints:
        message = "whoever can write a comment into a statement overrules the rules; leave it false where others write SQL"
        found.append(Finding(code="comment-hints", severity=Severity.NOTE, path=("comment_hints",), message=message))
    return tuple(found)


def reached(rules: Sequence[RuleSettings], starts: Iterable[int], *, again: bool) -> set[int]:
    """
    Ids of those of *rules* (active, in order) that may be looked at while the flag is theirs.

    Args:
        starts: flags with which an evaluation may begin.
        again: a changed flag may begin with the first rule.
    """
    known = set(starts)
    while True:
        flags, found = set(known), set()
        for rule in rules:
            if rule.flagIN in flags:
                found.add(rule.rule_id)
                if not rule.apply:
                    flags |= flags_of(rule)
        if not again or flags <= known:
            return found
        known |= flags


def flags_of(rule: RuleSettings) -> set[int]:
    """The flags that a match of *rule* may go on with."""
    if rule.flagOUT is not None:
        return {rule.flagOUT}
    return {flag.id for flag in rule.weighted_flags if flag.weight}


def _about_rules(draft: Draft, broken: frozenset[Path], whole: bool) -> Iterator[Finding]:
    placed = sorted(draft.rules, key=lambda one: one[1].rule_id)
    flow = _Flow(draft, [rule for _, rule in placed if rule.active]) if whole else None
    contents = _Contents(draft)
    for path, rule in placed:
        if path not in broken:
            say = _speaker(path, rule)
            yield from _about_columns(rule, say)
            if rule.active:
                if flow is not None:
                    yield from flow.about(rule, say)
                yield from contents.about(rule, say)


def _speaker(path: Path, rule: RuleSettings) -> Say:
    def say(code: str, severity: Severity, message: str, column: str = "") -> Finding:
        where = (*path, column) if column else path
        return Finding(code=code, severity=severity, message=message, path=where, rule_id=rule.rule_id)

    return say


def _about_columns(rule: RuleSettings, say: Say) -> Iterator[Finding]:
    for column in EFFECTLESS_COLUMNS:
        if getattr(rule, column) is not None:
            yield say("no-effect", Severity.NOTE, f"{column} has no effect, in ProxySQL neither; leave it out", column)
    if not rule.active:
        yield say("inactive", Severity.NOTE, "it is not active", "active")


class _Flow:
    """How rules work together: which are reached, which stand in a shadow, where flags lead."""

    def __init__(self, draft: Draft, active: Sequence[RuleSettings]) -> None:
        starts = {0} | {rule.next_query_flagIN for rule in active if rule.next_query_flagIN is not None}
        starts |= {rule.mirror_flagOUT for rule in active if rule.mirror_flagOUT is not None}
        self._again = draft.processing.query_processor_iterations > 0
        self._reached = reached(active, starts, again=self._again)
        self._fast = {route.flagIN for _, route in draft.fast_routes}
        self._takers: dict[int, list[int]] = {}
        self._setters: dict[int, list[int]] = {}
        for rule in active:
            self._takers.setdefault(rule.flagIN, []).append(rule.rule_id)
            for flag in flags_of(rule):
                self._setters.setdefault(flag, []).append(rule.rule_id)
        self._shadows = Shadows(one_database=len(draft.database_names) == 1)
        self._same: dict[str, int] = {}

    def about(self, rule: RuleSettings, say: Say) -> Iterator[Finding]:
        """What there is to say of one rule; to be asked for all of them in order."""
        shadow = self._shadows.add(rule, flags_of(rule))
        twin = self._same.setdefault(rule.model_dump_json(exclude={"rule_id", "comment"}), rule.rule_id)
        if rule.rule_id not in self._reached:
            yield say("unreachable", Severity.WARNING, self._why_unreachable(rule), "flagIN")
            return
        if shadow is not None:
            message = f"rule {shadow.rule_id} matches whatever this one matches, comes first and applies: this one never matches"
            yield say("shadowed", Severity.WARNING, f"{message}; move it in front of rule {shadow.rule_id}, or leave it out")
        elif twin != rule.rule_id:
            yield say("duplicate", Severity.NOTE, f"it is the same as rule {twin} in all but the number")
        yield from self._about_flags(rule, say)

    def _why_unreachable(self, rule: RuleSettings) -> str:
        never = f"flagIN {rule.flagIN} is never the flag here"
        setters = self._setters.get(rule.flagIN, ())
        if any(setter in self._reached for setter in setters if setter > rule.rule_id):
            return f"{never}: only rules behind it set it ({_listed(setters)}), and evaluation goes forward"
        if setters:
            return f"{never}: the rules that set it ({_listed(setters)}) apply, or are not reached themselves"
        return f"{never}: no rule, context or mirror sets it"

    def _about_flags(self, rule: RuleSettings, say: Say) -> Iterator[Finding]:
        if rule.apply and flags_of(rule):
            message = "apply ends the evaluation, so nothing is looked at with its flag; leave one of the two out"
            yield say("flag-unused", Severity.NOTE, message, "flagOUT" if rule.flagOUT is not None else "attributes")
            return
        for flag in sorted(flags_of(rule)):
            takers = self._takers.get(flag, [])
            column = "flagOUT" if rule.flagOUT is not None else "attributes"
            if not takers and flag not in self._fast:
                yield say("flag-leads-nowhere", Severity.WARNING, f"flag {flag} leads to no rule: evaluation ends there", column)
            elif takers and max(takers) <= rule.rule_id and not self._again and flag != rule.flagIN:
                message = (
                    f"flag {flag} points backward: its rules ({_listed(takers)}) come first, and evaluation goes forward only "
                    f"(query_processor_iterations: 0)"
                )
                yield say("backward-flag", Severity.WARNING, message, column)


class _Contents:
    """What a rule says by itself."""

    def __init__(self, draft: Draft) -> None:
        named = {number: {key for _, key in owners} for number, owners in draft.owners.items()}
        self._vetoed = {
            group.id
            for _, group in draft.hostgroups
            if group.read_only or named.get(group.id, set()) == {"reader_hostgroup"}  # as the planner judges
        }
        self._engines = {group.id: _engine_of(draft, group.database) for _, group in draft.hostgroups}
        self._engine_by_database = {name: settings.engine for name, settings in draft.databases.items()}
        self._digest = DigestOptions(**draft.processing.digest.model_dump())

    def about(self, rule: RuleSettings, say: Say) -> Iterator[Finding]:
        """What there is to say of one rule."""
        if not rule.apply and all(getattr(rule, name) is None for name in _OUTPUTS):
            yield say("does-nothing", Severity.WARNING, "it changes nothing and does not apply")
        patterns = [name for name in ("match_digest", "match_pattern") if getattr(rule, name)]
        if rule.negate_match_pattern and not patterns:
            yield say("negates-nothing", Severity.WARNING, "there is no pattern to negate", "negate_match_pattern")
        if rule.negate_match_pattern and rule.replace_pattern is not None:
            message = "the pattern is not found where the rule matches, so there is nothing to replace"
            yield say("replaces-nothing", Severity.WARNING, message, "replace_pattern")
        for name in patterns:
            found, missed = missed_locks(rule, name)
            if missed:
                yield say("misses-spellings", Severity.WARNING, _missing(rule, name, found, missed), name)
        known = self._engine_by_database
        engines = {known[rule.database]} if rule.database in known else set(known.values())
        if (strange := never_in_digests(rule, engines, self._digest)) is not None:
            text, digest = strange
            message = (
                f"it finds {text!r}, whose digest text is {digest!r}, where it finds nothing: literals are ? there, comments are "
                f"gone, blanks single; use match_pattern, or what `dbrouter explain` shows"
            )
            yield say("not-in-digests", Severity.WARNING, message, "match_digest")
        destination = rule.destination_hostgroup
        if destination is not None and destination in self._vetoed and not rule.unsafe:
            write = write_that_matches(rule, self._engines[destination])
            if write is not None:
                message = (
                    f"hostgroup {destination} is for reads, and the rule matches writes too ({write}): the veto sends those to "
                    f"the writer; add intent: read, or name a hostgroup that takes writes"
                )
                yield say("vetoed-destination", Severity.NOTE, message, "destination_hostgroup")
        if rule.cache_volatile and rule.cache_ttl is not None:
            yield say("caches-volatile", Severity.NOTE, "results of now(), random() and their like are kept", "cache_volatile")
        yield from self._about_criteria(rule, engines, say)
        if rule.error_msg is not None and rule.OK_msg is not None:
            yield say("error-unsaid", Severity.WARNING, "OK_msg wins over error_msg, which is never said", "error_msg")

    def _about_criteria(self, rule: RuleSettings, engines: set[Engine], say: Say) -> Iterator[Finding]:
        for name in ("client_addr", "proxy_addr"):
            written = getattr(rule, name)
            if written is not None and _RANGE.fullmatch(written):
                message = f"{written!r} is compared as text and is no address; 10.1.% is every one that begins so"
                yield say("no-address", Severity.WARNING, message, name)
        if rule.kind is not None:
            kinds = {analyze(rule.kind, engine).kind for engine in engines}
            if rule.kind not in kinds:
                message = f"no statement is of kind {rule.kind!r}: the kind is one word, here {_listed(sorted(kinds))}"
                yield say("no-such-kind", Severity.WARNING, message, "kind")


def _missing(rule: RuleSettings, name: str, found: str, missed: Sequence[str]) -> str:
    named = ", ".join(repr(text) for text in missed[:_SHOWN])
    more = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
    advice = [
        *(["use match_digest"] if name == "match_pattern" else []),
        *(["end without $"] if getattr(rule, name).endswith("$") else []),
    ]
    return (
        f"it finds {found} and misses {named}{more}; {' and '.join(advice) or 'let it find these too'} "
        f"(the veto keeps locking reads from replicas all the same)"
    )


def _about_hostgroups(draft: Draft, whole: bool) -> Iterator[Finding]:
    by_id = {group.id: group for _, group in draft.hostgroups}
    named: set[int | None] = {*draft.owners, *(route.destination_hostgroup for _, route in draft.fast_routes)}
    named |= {database.default_hostgroup for database in draft.databases.values()}
    certain = whole and bool(draft.databases) and set(draft.databases) == draft.database_names and not draft.unsure_owners
    named |= {getattr(rule, column) for _, rule in draft.rules for column in HOSTGROUP_COLUMNS}
    for path, group in draft.hostgroups:
        database = draft.databases.get(group.database)
        writer = by_id.get(database.writer_hostgroup) if database is not None else None
        primaries = {server.node_id for server in writer.servers} if writer is not None else set()
        shared = [server.node_id for server in group.servers if server.node_id in primaries]
        if writer is not None and group.id != writer.id and shared:
            message = f"{_listed(shared)} is in the writer hostgroup {writer.id} too: the primary serves reads of {group.name!r}"
            yield Finding(code="reader-includes-writer", severity=Severity.NOTE, message=message, path=path)
        for where, server in zip(draft.server_paths[path], group.servers, strict=False):
            if server.weight == 0:
                message = f"{server.node_id} has weight 0: it gets no calls"
                yield Finding(code="weight-zero", severity=Severity.NOTE, message=message, path=(*where, "weight"))
        if certain and group.id not in named:
            message = f"no database, rule or fast route names hostgroup {group.id}: only calls with hostgroup= reach it"
            yield Finding(code="unused-hostgroup", severity=Severity.NOTE, message=message, path=path)


def _engine_of(draft: Draft, database: str) -> Engine:
    settings = draft.databases.get(database)
    return settings.engine if settings is not None else Engine.POSTGRESQL


def _listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items)
