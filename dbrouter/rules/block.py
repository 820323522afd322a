"""
Block: consecutive rules whose patterns are tested together.

RE2 tests a whole set of patterns in about the time of one, and a rule whose pattern is not found need not be looked at. So a
block answers which of its rules *may* match; everything else about a rule is compared one by one. Blocks are of limited size,
because the rules in front of one that applies should not pay for those behind it, and because a set's automaton grows with its
patterns.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbrouter.config.patterns import Replacement, encode
from dbrouter.config.patternset import PatternSet
from dbrouter.config.rules import RuleSettings

Pattern = tuple[str, bool]
"""A pattern and whether it is caseless."""


class CompiledRule:
    """An active rule, the places of its patterns in the sets of its block, and what it replaces."""

    __slots__ = ("digest", "flags", "pattern", "replacement", "rule")

    def __init__(self, rule: RuleSettings, digest: int | None, pattern: int | None) -> None:
        self.rule = rule
        self.digest = digest
        self.pattern = pattern
        self.replacement: Replacement | None = None
        if rule.replace_pattern is not None and rule.match_pattern:
            self.replacement = Replacement(
                rule.match_pattern, rule.replace_pattern, caseless=rule.caseless, everywhere=rule.replaces_all
            )
        chosen = [flag for flag in rule.weighted_flags if flag.weight]
        self.flags: tuple[tuple[int, ...], tuple[int, ...]] | None = (
            (tuple(flag.id for flag in chosen), tuple(flag.weight for flag in chosen)) if chosen else None
        )
        """Flags to draw from and their weights."""


class Block:
    """Some rules in order, with their two sets of patterns."""

    __slots__ = ("_always", "_by_digest", "_by_pattern", "digests", "rules", "texts")

    def __init__(self, rules: Sequence[RuleSettings]) -> None:
        digests: dict[Pattern, int] = {}
        texts: dict[Pattern, int] = {}
        self.rules = tuple(
            CompiledRule(rule, _place(rule.match_digest, rule, digests), _place(rule.match_pattern, rule, texts))
            for rule in rules
        )
        self.digests = PatternSet(tuple(digests)) if digests else None
        self.texts = PatternSet(tuple(texts)) if texts else None
        self._by_pattern: list[list[int]] = [[] for _ in digests]
        self._by_digest: dict[int, list[int]] = {}
        self._always: list[int] = []
        for number, compiled in enumerate(self.rules):
            rule = compiled.rule
            if rule.digest is not None:
                self._by_digest.setdefault(rule.digest, []).append(number)
            elif compiled.digest is not None and not rule.negate_match_pattern:
                self._by_pattern[compiled.digest].append(number)
            else:
                self._always.append(number)

    def candidates(self, found: frozenset[int], digest: int | None) -> Sequence[int]:
        """
        Numbers, ascending, of the rules that the digest does not rule out.

        Args:
            found: the places of the patterns that are found in the digest text.
            digest: of the statement; None where no rule asks for it.
        """
        places: list[int] = []
        for place in found:
            places += self._by_pattern[place]
        if self._by_digest and digest is not None:
            places += self._by_digest.get(digest, ())
        if not places:
            return self._always
        places += self._always
        places.sort()
        return places

    @property
    def wants_digest(self) -> bool:
        """Whether a rule asks for the 64-bit digest."""
        return bool(self._by_digest)


class Found:
    """Which patterns of each block are found in one text, looked up a block at a time and only when somebody asks."""

    __slots__ = ("_data", "_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._data: bytes | None = None
        self._found: dict[PatternSet, frozenset[int]] = {}

    def of(self, patterns: PatternSet | None) -> frozenset[int]:
        """The places of the patterns of a set that are found in the text."""
        if patterns is None:
            return frozenset()
        found = self._found.get(patterns)
        if found is None:
            if self._data is None:
                self._data = encode(self._text)
            found = self._found[patterns] = patterns.found_in(self._data)
        return found


def _place(pattern: str | None, rule: RuleSettings, places: dict[Pattern, int]) -> int | None:
    """The place of *pattern* in its set, equal patterns once; None where the rule has none (an empty one is none)."""
    return places.setdefault((pattern, rule.caseless), len(places)) if pattern else None
