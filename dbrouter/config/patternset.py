"""
PatternSet: which of many patterns are found in a text, in about the time of one.

Two ways, both RE2's:

- A filter knows for each pattern the words that a text must hold for it to match, looks for all words at once, and names the few
  patterns that are worth a try. Its automaton is one of plain words, which stays small whatever the patterns are.
- Sets match many patterns in one pass. Their automaton is built while texts are read, and for patterns with loops and copies that
  takes milliseconds at new texts (`breadth` says what is borne), so sets are asked where the filter names too many.

RE2 answers "none" where either runs out of memory. So each holds one thing that is always found; where it is missing, patterns
are tried one by one. What is built at the first match is built here, with an ordinary statement and with a pattern's own words,
so that no caller waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2

from dbrouter.config.patterns import MEMORY, Pattern, encode, translate

_SET_MEMORY = 16 * 1024 * 1024
"""Bytes of one set's program and automaton; an automaton that is full begins anew."""
_SET_SIZE = 50_000
"""Instructions in one set; RE2 compiles it while no other thread runs, in about 10 ms."""
_FEW = 4
"""Patterns of a filter's choice that are tried one by one."""
_WORTHWHILE = 16
"""Patterns for which a filter is made."""
_FIRST_SIGHTS = (b"SELECT a FROM b WHERE c = ?", b"INSERT INTO b (a,c) VALUES (?,?)", b"UPDATE b SET a = ? WHERE c = ?")
_OWN_WORDS = 200
"""Characters of a pattern that are matched as if they were a statement."""
_NONE: frozenset[int] = frozenset()
_ALWAYS = b"\0always\0"


class PatternSet:
    """
    Many patterns at once.

    Args:
        patterns: (pattern, caseless) pairs; each is known to compile.
    """

    __slots__ = ("_filter", "_patterns", "_sets", "_single")

    def __init__(self, patterns: Sequence[tuple[str, bool]]) -> None:
        self._patterns = patterns
        self._single: list[Pattern] | None = None
        self._filter = _made_filter(patterns) if len(patterns) >= _WORTHWHILE else None
        self._sets = tuple(_made_sets(patterns, self._filter))
        own = {encode(pattern[:_OWN_WORDS]) for pattern, _ in (*patterns[:1], *patterns[-1:])}
        for data in (*_FIRST_SIGHTS, *own):
            self._chosen(data)
            self._in_sets(data)

    def found_in(self, data: bytes) -> frozenset[int]:
        """The positions of the patterns that match somewhere in *data*."""
        chosen = self._chosen(data)
        if chosen is None:
            return self._in_sets(data)
        if not chosen:
            return _NONE
        assert self._filter is not None
        return frozenset([number for number in chosen if self._filter.re(number).search(data) is not None])

    def _chosen(self, data: bytes) -> list[int] | None:
        """The few patterns that may match; None where there is no filter, or it names many, or has no memory."""
        if self._filter is None:
            return None
        chosen: list[int] = self._filter.Match(data + _ALWAYS, True) or []
        always = len(self._patterns)
        if len(chosen) > _FEW + 1 or always not in chosen:
            return None
        chosen.remove(always)
        return chosen

    def _in_sets(self, data: bytes) -> frozenset[int]:
        found: set[int] = set()
        for first, count, patterns in self._sets:
            inside = patterns.Match(data) if patterns is not None else None
            if inside is not None and count in inside:
                found.update([first + number for number in inside if number != count])
            else:
                found.update(number for number in range(first, first + count) if self._one(number).found_in(data))
        return frozenset(found)

    def _one(self, number: int) -> Pattern:
        if self._single is None:
            self._single = [Pattern(pattern, caseless=caseless) for pattern, caseless in self._patterns]
        return self._single[number]

    def __repr__(self) -> str:
        missing = sum(count for _, count, patterns in self._sets if patterns is None)
        return f"<PatternSet patterns={len(self._patterns)} sets={len(self._sets)} alone={missing}>"


def _options(memory: int, *, caseless: bool) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = not caseless
    options.never_capture = True
    options.log_errors = False
    options.max_mem = memory
    return options


def _made_filter(patterns: Sequence[tuple[str, bool]]) -> re2.Filter | None:
    """A filter of *patterns*, and of one more that `_ALWAYS` matches."""
    made = re2.Filter()
    options = {caseless: _options(MEMORY, caseless=caseless) for caseless in (False, True)}
    try:
        for pattern, caseless in patterns:
            made.Add(translate(pattern), options[caseless])
        made.Add(re2.escape(_ALWAYS), options[False])
        made.Compile()
    except re2.error:
        return None
    return made


def _made_sets(patterns: Sequence[tuple[str, bool]], sized: re2.Filter | None) -> Iterator[tuple[int, int, re2.Set | None]]:
    """(first pattern, how many, their set with one more that matches always, or None where RE2 has no memory for it)."""
    first = size = 0
    for number, (pattern, caseless) in enumerate(patterns):
        more = sized.re(number).programsize if sized is not None else Pattern(pattern, caseless=caseless).size
        if size + more > _SET_SIZE and number > first:
            yield first, number - first, _made_set(patterns[first:number])
            first, size = number, 0
        size += more
    if first < len(patterns):
        yield first, len(patterns) - first, _made_set(patterns[first:])


def _made_set(patterns: Sequence[tuple[str, bool]]) -> re2.Set | None:
    made = re2.Set.SearchSet(_options(_SET_MEMORY, caseless=False))
    try:
        for pattern, caseless in patterns:
            made.Add(("(?i)" if caseless else "") + translate(pattern))
        made.Add("")
        made.Compile()
    except re2.error:
        return None
    return made
