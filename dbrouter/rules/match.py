"""
Evaluating rules: which hostgroup, time limit, retries and error a statement gets, and why.

ProxySQL's algorithm over the criteria dbrouter has now (database, tag, match_digest, match_pattern): active rules in ascending
`rule_id`,
every criterion that is set must hold, each output that a matching rule sets overwrites the earlier one, `apply` stops.
`evaluate` and `explain` read the same walk, so an explanation cannot tell another story than the decision.
Rewriting and flags have no columns yet; they would change `_walk` (the text and the flag it carries along) and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbrouter.config.model import RuleSettings
from dbrouter.config.patterns import PatternSet, encode

Place = tuple[int, int]
"""Where a compiled pattern is: (number of the set, position in it)."""


class CompiledRule:
    """An active rule and where its patterns are."""

    __slots__ = ("digest", "pattern", "rule")

    def __init__(self, rule: RuleSettings, digest: Place | None, pattern: Place | None) -> None:
        self.rule = rule
        self.digest = digest
        self.pattern = pattern


class Decision:
    """
    What the rules say of one statement; None where no rule said anything.

    `unsafe` is that of the rule that decided the destination (False without one).
    """

    __slots__ = ("destination", "error_msg", "error_rule_id", "matched", "retries", "rule_id", "timeout", "unsafe")

    destination: int | None
    """Id of the hostgroup."""
    rule_id: int | None
    """The rule that decided `destination`."""
    timeout: float | None
    """Seconds."""
    retries: int | None
    """Attempts after the first."""
    error_msg: str | None
    """The statement is refused with this text."""
    error_rule_id: int | None
    """The rule that set `error_msg`."""
    unsafe: bool
    matched: tuple[int, ...]
    """Every rule that matched, in order."""

    def __init__(self) -> None:
        self.destination = None
        self.rule_id = None
        self.timeout = None
        self.retries = None
        self.error_msg = None
        self.error_rule_id = None
        self.unsafe = False
        self.matched = ()

    def take(self, rule: RuleSettings) -> None:
        """Let a matching *rule* overwrite what it sets."""
        if rule.destination_hostgroup is not None:
            self.destination = rule.destination_hostgroup
            self.rule_id = rule.rule_id
            self.unsafe = rule.unsafe
        if rule.timeout is not None:
            self.timeout = rule.timeout
        if rule.retries is not None:
            self.retries = rule.retries
        if rule.error_msg is not None:
            self.error_msg = rule.error_msg
            self.error_rule_id = rule.rule_id

    def __repr__(self) -> str:
        said = (f"{name}={getattr(self, name)!r}" for name in self.__slots__ if getattr(self, name) not in (None, False, ()))
        return f"<Decision {' '.join(said) or 'nothing'}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it is filled in as the rules are walked


class RuleTrace:
    """What became of one rule: whether it matched, and because of what."""

    __slots__ = ("because", "matched", "rule_id")

    def __init__(self, rule_id: int, matched: bool, because: str) -> None:
        self.rule_id = rule_id
        self.matched = matched
        self.because = because

    def as_dict(self) -> dict[str, object]:
        """JSON-ready, as `dbrouter explain --json` prints it."""
        return {"rule_id": self.rule_id, "matched": self.matched, "because": self.because}

    def __repr__(self) -> str:
        return f"<RuleTrace {self.rule_id} {'matched' if self.matched else 'not matched'}: {self.because}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleTrace) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.rule_id, self.matched, self.because))


class RuleSet:
    """
    Compiled rules, ready to decide; made by `compile_rules`.

    Immutable and without state between calls: hits are counted by whoever executes plans (`Decision.matched` names the rules).
    """

    __slots__ = ("_active", "_digests", "_inactive", "_texts", "rules")

    rules: tuple[RuleSettings, ...]
    """Every rule, inactive ones too, in ascending `rule_id`."""

    def __init__(
        self,
        rules: tuple[RuleSettings, ...],
        active: tuple[CompiledRule, ...],
        digests: tuple[PatternSet, ...],
        texts: tuple[PatternSet, ...],
    ) -> None:
        self.rules = rules
        self._active = active
        self._inactive = tuple(rule for rule in rules if not rule.active)
        self._digests = digests
        self._texts = texts

    def evaluate(self, *, database: str, tag: str | None, text: str, digest_text: str) -> Decision:
        """
        What the rules say of a statement. Never raises, whatever the texts hold.

        Args:
            database: the name of its database in the configuration.
            tag: the call's tag.
            text: the statement as the caller wrote it.
            digest_text: its digest text.
        """
        decision = Decision()
        if not self._active:
            return decision
        matched = []
        for compiled, failed in self._walk(database, tag, text, digest_text):
            if failed is None:
                decision.take(compiled.rule)
                matched.append(compiled.rule.rule_id)
        decision.matched = tuple(matched)
        return decision

    def explain(self, *, database: str, tag: str | None, text: str, digest_text: str) -> tuple[RuleTrace, ...]:
        """For every rule in ascending `rule_id`: whether it matched, and the criterion that failed first where it did not."""
        traces = {rule.rule_id: RuleTrace(rule.rule_id, False, "it is not active") for rule in self._inactive}
        stopped_by = None
        for compiled, failed in self._walk(database, tag, text, digest_text):
            rule = compiled.rule
            traces[rule.rule_id] = RuleTrace(rule.rule_id, failed is None, _because(rule, failed, database, tag))
            if failed is None and rule.apply:
                stopped_by = rule.rule_id
        for compiled in self._active:
            number = compiled.rule.rule_id
            if number not in traces:
                traces[number] = RuleTrace(number, False, f"not reached: rule {stopped_by} matched and applies")
        return tuple(traces[number] for number in sorted(traces))

    def _walk(self, database: str, tag: str | None, text: str, digest_text: str) -> Iterator[tuple[CompiledRule, str | None]]:
        """Each rule in order with the first criterion that fails, or None when it matches; ends behind a match that applies."""
        digests, texts = _Found(self._digests, digest_text), _Found(self._texts, text)
        for compiled in self._active:
            rule = compiled.rule
            if rule.database is not None and rule.database != database:
                yield compiled, "database"
            elif rule.tag is not None and rule.tag != tag:
                yield compiled, "tag"
            elif compiled.digest is not None and digests.has(compiled.digest) is rule.negate_match_pattern:
                yield compiled, "match_digest"
            elif compiled.pattern is not None and texts.has(compiled.pattern) is rule.negate_match_pattern:
                yield compiled, "match_pattern"
            else:
                yield compiled, None
                if rule.apply:
                    return

    def __repr__(self) -> str:
        return f"<RuleSet active={len(self._active)} inactive={len(self._inactive)}>"


class _Found:
    """Which patterns are found in one text, looked up a set at a time and only when somebody asks."""

    __slots__ = ("_data", "_found", "_sets", "_text")

    def __init__(self, sets: tuple[PatternSet, ...], text: str) -> None:
        self._sets = sets
        self._text = text
        self._data: bytes | None = None
        self._found: dict[int, frozenset[int]] = {}

    def has(self, place: tuple[int, int]) -> bool:
        """Whether the pattern at *place* (set, position) is found."""
        number, position = place
        found = self._found.get(number)
        if found is None:
            if self._data is None:
                self._data = encode(self._text)
            found = self._found[number] = self._sets[number].found_in(self._data)
        return position in found


def _because(rule: RuleSettings, failed: str | None, database: str, tag: str | None) -> str:
    match failed:
        case None:
            held = [name for name in ("database", "tag", "match_digest", "match_pattern") if getattr(rule, name) is not None]
            said = f"{_joined(held)} {'holds' if len(held) == 1 else 'hold'}" if held else "it has no criteria"
            return f"{said}; it applies" if rule.apply else said
        case "database":
            return f"database is {database!r}, not {rule.database!r}"
        case "tag":
            return f"tag is {tag!r}, not {rule.tag!r}" if tag is not None else f"the call has no tag, not {rule.tag!r}"
        case _:
            word = "digest text" if failed == "match_digest" else "statement"
            verb = "is found" if rule.negate_match_pattern else "is not found"
            why = " (negate_match_pattern)" if rule.negate_match_pattern else ""
            return f"{failed} {getattr(rule, failed)!r} {verb} in the {word}{why}"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
