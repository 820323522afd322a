"""
Evaluating rules: where a statement goes, what else happens to it, and why.

ProxySQL's algorithm: active rules in ascending `rule_id`, every criterion that is set must hold, each output that a matching rule
sets overwrites the earlier one, flags choose which rules are looked at from there on, `apply` stops. Then fast routing, then
comment annotations. `evaluate` and `explain` read the same walk, so an explanation cannot tell another story than the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbrouter.config.patterns import ReplacingError
from dbrouter.config.rules import RuleSettings
from dbrouter.rules.block import Block, CompiledRule, Found
from dbrouter.rules.decision import Decision
from dbrouter.rules.facts import CALLER_FACTS, Facts
from dbrouter.rules.hints import read_hints

_GROWTH, _ROOM = 8, 65_536
"""A rewritten text may have so many times the characters of the caller's, and so many bytes more: rules that double it end."""

Draw = Callable[[RuleSettings, Sequence[int], Sequence[int]], int]
"""Chooses one of a rule's weighted flags: (rule, flags, weights) → flag."""


def heaviest(rule: RuleSettings, flags: Sequence[int], weights: Sequence[int]) -> int:
    """A `Draw` without chance: the flag with the largest weight, the first of several."""
    return flags[weights.index(max(weights))]


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule: whether it matched, and because of what; a rule that matched has what it changed in *does*."""

    rule_id: int
    matched: bool
    because: str
    does: tuple[str, ...] = ()


class Step:
    """One rule as the walk looked at it."""

    __slots__ = ("compiled", "failed", "flag", "flag_before", "refused", "text")

    def __init__(
        self, compiled: CompiledRule, failed: str | None, flag_before: int, flag: int, text: str, refused: str | None = None
    ) -> None:
        self.compiled = compiled
        self.failed = failed
        """The first criterion that failed, or None: it matched."""
        self.flag_before = flag_before
        self.flag = flag
        """The flag behind this rule."""
        self.text = text
        """The text behind this rule."""
        self.refused = refused
        """Why the statement is refused: it could not be rewritten within bounds."""


class RuleSet:
    """
    Compiled rules, ready to decide; made by `compile_rules`.

    Immutable and without state between calls: hits are counted by whoever executes plans (`Decision.matched` names the rules).

    Attributes:
        rules: every rule, inactive ones too, in ascending `rule_id`.
        caller_facts: which of `CALLER_FACTS` decisions depend on.
        by_chance: a rule draws its flag, so that equal statements may be decided differently.
        keeps_flags: a rule sets `next_query_flagIN`.
        caches: a rule sets `cache_ttl`, or a comment may.
        follows_writes: a rule sets `gtid_from_hostgroup`.
    """

    __slots__ = (
        "_blocks",
        "_fast",
        "_hints",
        "_iterations",
        "_wants_digest",
        "by_chance",
        "caches",
        "caller_facts",
        "follows_writes",
        "keeps_flags",
        "rules",
    )

    def __init__(
        self,
        rules: tuple[RuleSettings, ...],
        blocks: tuple[Block, ...],
        fast: Mapping[tuple[str, str, int], int],
        *,
        iterations: int,
        hints: bool,
    ) -> None:
        self.rules = rules
        self._blocks = blocks
        self._fast = fast
        self._iterations = iterations
        self._hints = hints
        self._wants_digest = any(block.wants_digest for block in blocks)
        active = [compiled for block in blocks for compiled in block.rules]
        used = {name for name in CALLER_FACTS if any(getattr(compiled.rule, name) is not None for compiled in active)}
        if fast:
            used |= {"username", "schemaname"}
        self.caller_facts = tuple(name for name in CALLER_FACTS if name in used)
        self.by_chance = any(compiled.flags is not None for compiled in active)
        self.keeps_flags = any(compiled.rule.next_query_flagIN is not None for compiled in active)
        self.caches = hints or any(compiled.rule.cache_ttl is not None for compiled in active)
        self.follows_writes = any(compiled.rule.gtid_from_hostgroup is not None for compiled in active)

    def evaluate(self, facts: Facts, draw: Draw = heaviest, *, mirrored: bool = False) -> Decision:
        """
        What the rules say of a statement. Never raises, whatever the texts hold.

        Args:
            mirrored: it is the copy of one: fast routing and comments have no say.
        """
        decision = Decision(facts.flag)
        matched = []
        stopped = False
        text = facts.text
        for step in self._walk(facts, draw, every=False):
            rule = step.compiled.rule
            decision.take(rule)
            matched.append(rule.rule_id)
            decision.flag = step.flag
            text = step.text
            stopped = rule.apply
            if step.refused is not None:
                decision.error_msg, decision.error_rule_id, stopped = step.refused, rule.rule_id, True
        decision.matched = tuple(matched)
        if text != facts.text:
            decision.rewritten = text
        if mirrored:
            return decision
        if self._fast and not stopped:
            self._route_fast(facts, decision)
        if self._hints:
            self._obey_hints(text, facts, decision)
        return decision

    def explain(self, facts: Facts, draw: Draw = heaviest) -> tuple[RuleTrace, ...]:
        """
        For every rule in ascending `rule_id`: whether it matched, the criterion that failed first where it did not, and what it
        changed where it did. Of a rule looked at more than once, the last match counts.
        """
        traces = {rule.rule_id: RuleTrace(rule.rule_id, False, "it is not active") for rule in self.rules if not rule.active}
        ended = "evaluation went past it"
        for step in self._walk(facts, draw, every=True):
            rule = step.compiled.rule
            if step.failed is None or not (rule.rule_id in traces and traces[rule.rule_id].matched):
                because = _because(rule, step, facts)
                traces[rule.rule_id] = RuleTrace(rule.rule_id, step.failed is None, because, _does(rule, step))
            if step.failed is None and rule.apply:
                ended = f"rule {rule.rule_id} matched and applies"
            elif step.refused is not None:
                ended = f"rule {rule.rule_id} has it refused"
        for rule in self.rules:
            if rule.rule_id not in traces:
                traces[rule.rule_id] = RuleTrace(rule.rule_id, False, f"not reached: {ended}")
        return tuple(traces[number] for number in sorted(traces))

    def _walk(self, facts: Facts, draw: Draw, *, every: bool) -> Iterator[Step]:
        """
        The rules that match, in order (with *every* also those that do not); ends behind a match that applies.

        `match_digest` and `digest` look at the caller's text, `match_pattern` at the text as it was rewritten so far.
        """
        flag, text = facts.flag, facts.text
        digests, texts = Found(facts.digest_text if self._blocks else ""), Found(text)
        digest = facts.digest if self._wants_digest else None
        budget = self._iterations
        longest = _GROWTH * len(text) + _ROOM
        again = True
        while again:
            again = False
            for block in self._blocks:
                found = digests.of(block.digests)
                numbers = range(len(block.rules)) if every else block.candidates(found, digest)
                for number in numbers:
                    compiled = block.rules[number]
                    failed = _first_failure(compiled, flag, facts, found, digest, texts, block)
                    if failed is not None:
                        if every:
                            yield Step(compiled, failed, flag, flag, text)
                        continue
                    before, moved = flag, False
                    if compiled.flags is not None:
                        flag, moved = draw(compiled.rule, *compiled.flags), True
                    if compiled.rule.flagOUT is not None:
                        flag, moved = compiled.rule.flagOUT, True
                    if compiled.replacement is not None:
                        try:
                            text = compiled.replacement.apply(text, longest)
                        except ReplacingError as error:
                            yield Step(compiled, None, before, flag, text, f"replace_pattern {error}")
                            return
                        texts = Found(text)
                    yield Step(compiled, None, before, flag, text)
                    if compiled.rule.apply:
                        return
                    if moved and budget > 0:
                        budget -= 1
                        again = True
                        break
                if again:
                    break

    def _route_fast(self, facts: Facts, decision: Decision) -> None:
        schema = facts.schemaname or ""
        for user in (facts.username or "", ""):
            hostgroup = self._fast.get((user, schema, decision.flag))
            if hostgroup is not None:
                decision.destination = hostgroup
                decision.rule_id = None
                decision.unsafe = False
                return

    def _obey_hints(self, text: str, facts: Facts, decision: Decision) -> None:
        hints = read_hints(text, facts.statement.engine)
        if not hints:
            return
        decision.hints = hints
        if "hostgroup" in hints:
            decision.overruled = (decision.destination, decision.rule_id, decision.unsafe)
            decision.destination = hints["hostgroup"]
            decision.rule_id = None
            decision.unsafe = False
            decision.hinted = True
        if hints.get("query_timeout"):
            decision.timeout = hints["query_timeout"] / 1000
        if hints.get("query_delay"):
            decision.delay = hints["query_delay"] / 1000
        if "query_retries" in hints:
            decision.retries = min(hints["query_retries"], 1000)
        if hints.get("cache_ttl"):
            decision.cache_ttl = hints["cache_ttl"] / 1000
            decision.cache_volatile = False
        if "mirror" in hints:
            decision.mirror_hostgroup = hints["mirror"]
            decision.mirror_unsafe = False

    def __repr__(self) -> str:
        active = sum(rule.active for rule in self.rules)
        return f"<RuleSet active={active} inactive={len(self.rules) - active}>"


def _first_failure(
    compiled: CompiledRule, flag: int, facts: Facts, found: frozenset[int], digest: int | None, texts: Found, block: Block
) -> str | None:
    """The name of the first criterion that does not hold, in ProxySQL's order (ours behind it, before the patterns), or None."""
    rule = compiled.rule
    if rule.flagIN != flag:
        return "flagIN"
    if rule.database is not None and rule.database != facts.database:
        return "database"
    if rule.username is not None and rule.username != facts.username:
        return "username"
    if rule.schemaname is not None and rule.schemaname != facts.schemaname:
        return "schemaname"
    if rule.client_addr is not None and facts.client_addr is not None and not _addressed(rule.client_addr, facts.client_addr):
        return "client_addr"
    if rule.proxy_addr is not None and facts.proxy_addr is not None and rule.proxy_addr != facts.proxy_addr:
        return "proxy_addr"
    if rule.proxy_port is not None and rule.proxy_port != facts.proxy_port:
        return "proxy_port"
    if rule.tag is not None and rule.tag != facts.tag:
        return "tag"
    if rule.kind is not None and rule.kind != facts.kind:
        return "kind"
    if rule.intent is not None and rule.intent is not facts.intent:
        return "intent"
    if rule.digest is not None and rule.digest != digest:
        return "digest"
    if compiled.digest is not None and (compiled.digest in found) is rule.negate_match_pattern:
        return "match_digest"
    if compiled.pattern is not None and (compiled.pattern in texts.of(block.texts)) is rule.negate_match_pattern:
        return "match_pattern"
    return None


def _addressed(wanted: str, address: str) -> bool:
    return address.startswith(wanted[:-1]) if wanted.endswith("%") else address == wanted


_CRITERIA = (
    *("flagIN", "database", "username", "schemaname", "client_addr", "proxy_addr", "proxy_port", "tag", "kind", "intent"),
    *("digest", "match_digest", "match_pattern"),
)
_OUTPUTS = (
    *("destination_hostgroup", "timeout", "retries", "delay", "cache_ttl", "cache_empty_result", "next_query_flagIN"),
    *("mirror_hostgroup", "mirror_flagOUT", "error_msg", "OK_msg", "multiplex", "gtid_from_hostgroup", "log"),
)


def _because(rule: RuleSettings, step: Step, facts: Facts) -> str:
    match step.failed:
        case None:
            held = [name for name in _CRITERIA if getattr(rule, name) is not None and (name != "flagIN" or rule.flagIN)]
            said = f"{_joined(held)} {'holds' if len(held) == 1 else 'hold'}" if held else "it has no criteria"
            return f"{said}; it applies" if rule.apply else said
        case "flagIN":
            return f"the flag is {step.flag_before}, not {rule.flagIN}"
        case "tag" if facts.tag is None:
            return f"the call has no tag, not {rule.tag!r}"
        case "digest":
            return f"the digest is 0x{facts.digest:016X}, not 0x{rule.digest:016X}"
        case "match_digest" | "match_pattern":
            word = "digest text" if step.failed == "match_digest" else "statement"
            verb = "is found" if rule.negate_match_pattern else "is not found"
            why = " (negate_match_pattern)" if rule.negate_match_pattern else ""
            return f"{step.failed} {getattr(rule, step.failed)!r} {verb} in the {word}{why}"
        case _:
            assert step.failed is not None
            has, wants = getattr(facts, step.failed), getattr(rule, step.failed)
            if has is None:
                return f"no {step.failed} is known, not {wants!r}"
            return f"{step.failed} is {str(has)!r}, not {str(wants)!r}"


def _does(rule: RuleSettings, step: Step) -> tuple[str, ...]:
    if step.failed is not None:
        return ()
    does = [f"{name} {getattr(rule, name)}" for name in _OUTPUTS if getattr(rule, name) is not None]
    if step.refused is not None:
        does.append(f"refused: {step.refused}")
    elif step.compiled.replacement is not None:
        does.append(f"rewritten to {step.text!r}")
    if step.compiled.flags is not None:
        flags, weights = step.compiled.flags
        shares = (f"{flag} ({weight / sum(weights):.0%})" for flag, weight in zip(flags, weights, strict=True))
        does.append(f"flag drawn by weight: {', '.join(shares)}")
    if step.flag != step.flag_before:
        does.append(f"flag {step.flag_before} → {step.flag}")
    return tuple(does)


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
