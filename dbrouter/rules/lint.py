"""
Lint: what a configuration says that it probably does not mean. Pure; nothing is connected.

Warnings are certain (a rule that no flag reaches is never looked at); what cannot be decided without running it is not warned
of. `docs/rules.md` lists the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dbrouter.config.model import RouterConfig
from dbrouter.config.patterns import Pattern, encode
from dbrouter.config.rules import EFFECTLESS_COLUMNS, RuleSettings
from dbrouter.rules.finding import Finding, Severity
from dbrouter.rules.implied import implied
from dbrouter.terms import Intent

_OUTPUTS = (
    *("destination_hostgroup", "cache_ttl", "timeout", "retries", "delay", "next_query_flagIN", "mirror_hostgroup"),
    *("mirror_flagOUT", "error_msg", "OK_msg", "multiplex", "gtid_from_hostgroup", "log", "replace_pattern", "flagOUT"),
    *("attributes", "cache_empty_result"),
)
_LOCKING = "SELECT a FROM t WHERE id = ? FOR UPDATE"
_LOCKING_DIGESTS = (f"{_LOCKING} NOWAIT", f"{_LOCKING} SKIP LOCKED", f"{_LOCKING} OF t")
_LOCKING_TEXTS = (
    *(f"{_LOCKING};", f"{_LOCKING} -- x", f"{_LOCKING} /* x */", _LOCKING.replace(" FOR", "\nFOR")),
    *_LOCKING_DIGESTS,
)
_WRITES = (
    *("INSERT INTO t VALUES (?)", "UPDATE t SET a = ? WHERE id = ?", "DELETE FROM t WHERE id = ?", _LOCKING),
    *("CREATE TABLE t(a int)", "SELECT nextval(?)", "WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d"),
)


def lint(config: RouterConfig) -> tuple[Finding, ...]:
    """Everything there is to say, in the order of the rules, then of the hostgroups."""
    rules = _Rules(config)
    found: list[Finding] = []
    for place, rule in enumerate(config.query_rules):
        found += rules.about(place, rule)
    found += _about_hostgroups(config)
    if config.comment_hints:
        found.append(
            Finding(
                code="comment-hints",
                severity=Severity.NOTE,
                path="comment_hints",
                message="whoever can write a comment into a statement overrules the rules",
            )
        )
    return tuple(found)


class _Rules:
    def __init__(self, config: RouterConfig) -> None:
        self._config = config
        self._active = [rule for rule in config.query_rules if rule.active]
        self._reached = _reached(self._active, config.query_processor_iterations > 0)
        self._readers = {group.id for group in config.hostgroups if not config.is_writer(group)}

    def about(self, place: int, rule: RuleSettings) -> Iterator[Finding]:
        """What there is to say of one rule."""

        def say(code: str, severity: Severity, message: str, column: str = "") -> Finding:
            path = f"query_rules[{place}]{'.' + column if column else ''}"
            return Finding(code=code, severity=severity, message=message, path=path, rule_id=rule.rule_id)

        for column in EFFECTLESS_COLUMNS:
            if getattr(rule, column) is not None:
                yield say("no-effect", Severity.NOTE, f"{column} has no effect, in ProxySQL neither; leave it out", column)
        if not rule.active:
            yield say("inactive", Severity.NOTE, "it is not active", "active")
            return
        yield from self._flow(rule, say)
        yield from self._contents(rule, say)

    def _flow(self, rule: RuleSettings, say: Callable[..., Finding]) -> Iterator[Finding]:
        if rule.rule_id not in self._reached:
            behind = [other.rule_id for other in self._active if rule.flagIN in _flags_of(other)]
            why = (
                f"only rules behind it set it ({_listed(behind)}), and evaluation goes forward"
                if behind
                else "no rule, context or mirror sets it"
            )
            yield say("unreachable", Severity.WARNING, f"flagIN {rule.flagIN} is never the flag here: {why}", "flagIN")
            return
        shadow = next((earlier for earlier in self._before(rule) if self._shadows(earlier, rule)), None)
        if shadow is not None:
            message = f"rule {shadow.rule_id} matches whatever this one matches, comes first and applies: this one never matches"
            yield say("shadowed", Severity.WARNING, message)
        if rule.apply and _flags_of(rule):
            yield say("flag-unused", Severity.NOTE, "apply ends the evaluation, so nothing is looked at with its flag", "flagOUT")
            return
        for flag in sorted(_flags_of(rule)):
            takers = [other.rule_id for other in self._active if other.flagIN == flag]
            if not takers and not any(route.flagIN == flag for route in self._config.query_rules_fast_routing):
                message = f"flag {flag} leads to no rule: evaluation ends there"
                yield say("flag-leads-nowhere", Severity.WARNING, message, "flagOUT")
            elif takers and not rule.apply and max(takers) <= rule.rule_id and not self._config.query_processor_iterations:
                message = (
                    f"flag {flag} points backward: its rules ({_listed(takers)}) come first, and evaluation goes forward only "
                    f"(query_processor_iterations: 0)"
                )
                yield say("backward-flag", Severity.WARNING, message, "flagOUT")

    def _contents(self, rule: RuleSettings, say: Callable[..., Finding]) -> Iterator[Finding]:
        if not rule.apply and all(getattr(rule, name) is None for name in _OUTPUTS):
            yield say("does-nothing", Severity.WARNING, "it changes nothing and does not apply")
        patterns = [name for name in ("match_digest", "match_pattern") if getattr(rule, name)]
        if rule.negate_match_pattern and not patterns:
            yield say("negates-nothing", Severity.WARNING, "there is no pattern to negate", "negate_match_pattern")
        if rule.negate_match_pattern and rule.replace_pattern is not None:
            message = "the pattern is not found where the rule matches, so there is nothing to replace"
            yield say("replaces-nothing", Severity.WARNING, message, "replace_pattern")
        for name in patterns:
            missed = _missed(rule, name)
            if missed:
                advice = "use match_digest, and end without $" if name == "match_pattern" else "end without $"
                shown = "; ".join(repr(text[text.index("?") + 2 :]) for text in missed)
                yield say(
                    "misses-spellings",
                    Severity.WARNING,
                    f"it finds FOR UPDATE and misses {shown}; {advice} (the veto keeps such reads from replicas all the same)",
                    name,
                )
        if rule.destination_hostgroup in self._readers and not rule.unsafe and _admits_writes(rule):
            message = (
                f"hostgroup {rule.destination_hostgroup} is for reads, and the rule matches writes too: the veto sends those to "
                f"the writer; add intent: read to say so"
            )
            yield say("vetoed-destination", Severity.NOTE, message, "destination_hostgroup")
        if rule.cache_volatile and rule.cache_ttl is not None:
            yield say("caches-volatile", Severity.NOTE, "results of now(), random() and their like are kept", "cache_volatile")
        if rule.error_msg is not None and rule.OK_msg is not None:
            yield say("error-unsaid", Severity.WARNING, "OK_msg wins over error_msg, which is never said", "error_msg")

    def _before(self, rule: RuleSettings) -> list[RuleSettings]:
        return [other for other in self._active if other.rule_id < rule.rule_id]

    def _shadows(self, earlier: RuleSettings, rule: RuleSettings) -> bool:
        if not earlier.apply:
            return False
        between = [other for other in self._active if earlier.rule_id < other.rule_id < rule.rule_id]
        if any(rule.flagIN in _flags_of(other) for other in between):
            return False  # The flag may have been another one when the earlier rule was looked at.
        same_text = all(other.replace_pattern is None for other in between)
        return implied(rule, earlier, same_text=same_text)


def _flags_of(rule: RuleSettings) -> set[int]:
    """The flags that a match of *rule* may go on with."""
    if rule.flagOUT is not None:
        return {rule.flagOUT}
    return {flag.id for flag in rule.weighted_flags if flag.weight}


def _reached(rules: Sequence[RuleSettings], again: bool) -> set[int]:
    """Ids of the rules that are ever looked at with their own flag; *again*: a changed flag may begin with the first rule."""
    starts = {0} | {rule.next_query_flagIN for rule in rules if rule.next_query_flagIN is not None}
    starts |= {rule.mirror_flagOUT for rule in rules if rule.mirror_flagOUT is not None}
    while True:
        flags, reached = set(starts), set()
        for rule in rules:
            if rule.flagIN in flags:
                reached.add(rule.rule_id)
                if not rule.apply:
                    flags |= _flags_of(rule)
        if not again or flags <= starts:
            return reached
        starts |= flags


def _missed(rule: RuleSettings, name: str) -> list[str]:
    """Spellings of a locking read that a pattern which finds the plain one does not find."""
    if rule.negate_match_pattern or "UPDATE" not in getattr(rule, name).upper():
        return []
    pattern = Pattern(getattr(rule, name), caseless=rule.caseless)
    if not pattern.found_in(encode(_LOCKING)):
        return []
    spellings = _LOCKING_TEXTS if name == "match_pattern" else _LOCKING_DIGESTS
    return [text for text in spellings if not pattern.found_in(encode(text))]


def _admits_writes(rule: RuleSettings) -> bool:
    """Whether the rule matches one of some ordinary writes, as far as its text criteria go."""
    if rule.intent is Intent.READ or rule.digest is not None or rule.kind in ("SHOW", "EXPLAIN", "VALUES", "TABLE"):
        return False
    for text in _WRITES:
        kind = text.split()[0] if not text.startswith("WITH") else "DELETE"
        if rule.kind is not None and rule.kind != kind:
            continue
        if all(
            Pattern(pattern, caseless=rule.caseless).found_in(encode(text)) is not rule.negate_match_pattern
            for pattern in (rule.match_digest, rule.match_pattern)
            if pattern
        ):
            return True
    return False


def _about_hostgroups(config: RouterConfig) -> Iterator[Finding]:
    for place, group in enumerate(config.hostgroups):
        path = f"hostgroups[{place}]"
        database = config.databases[group.database]
        writer = config.hostgroup(database.writer_hostgroup)
        primaries = {server.node_id for server in writer.servers}
        shared = [server.node_id for server in group.servers if server.node_id in primaries]
        if group.id != writer.id and shared:
            message = f"{_listed(shared)} is in the writer hostgroup {writer.id} too: the primary serves reads of {group.name!r}"
            yield Finding(code="reader-includes-writer", severity=Severity.NOTE, message=message, path=path)
        for number, server in enumerate(group.servers):
            if server.weight == 0:
                message = f"{server.node_id} has weight 0: it gets no calls"
                where = f"{path}.servers[{number}].weight"
                yield Finding(code="weight-zero", severity=Severity.NOTE, message=message, path=where)
        named = {database.writer_hostgroup, database.reader_hostgroup}
        asked = {rule.destination_hostgroup for rule in config.query_rules} | {
            rule.mirror_hostgroup for rule in config.query_rules
        }
        routed = {route.destination_hostgroup for route in config.query_rules_fast_routing}
        if group.id not in named | asked | routed:
            message = f"no database, rule or fast route names hostgroup {group.id}: only calls with hostgroup= reach it"
            yield Finding(code="unused-hostgroup", severity=Severity.NOTE, message=message, path=path)


def _listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items)
