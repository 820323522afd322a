"""
Whether every statement that matches one rule would have matched another one before it.

Only what is certain is said: equal criteria, prefixes of addresses, patterns that begin with the same literal text, and patterns
that continue another one (``^SELECT\\b.*FOR UPDATE`` continues ``^SELECT\\b``). Patterns whose relation takes more than that to
see count as unrelated.
"""

from __future__ import annotations

import re

from dbrouter.config.patterns import pattern_problem
from dbrouter.config.rules import RuleSettings

_EXACT = ("database", "username", "schemaname", "proxy_addr", "proxy_port", "tag", "kind", "intent", "digest", "flagIN")
_EVERYTHING = frozenset(["", "^", ".*", "^.*", ".*?", "^.*?"])
_LITERAL = re.compile(r"[A-Za-z0-9_ ,=`\"'<>/-]*")
_QUANTIFIERS = "?*{"
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|.", re.DOTALL)
_OPEN_OCTAL = re.compile(r"\\[0-7]{1,3}\Z")


def implied(later: RuleSettings, earlier: RuleSettings, *, same_text: bool, one_database: bool = False) -> bool:
    """
    Whether a statement that meets *later*'s criteria meets *earlier*'s too.

    Args:
        same_text: no rule between them rewrites, so that both `match_pattern`s look at the same text.
        one_database: there is no other database, so that `database` tells nothing apart.
    """
    for name in _EXACT:
        wanted = getattr(earlier, name)
        if wanted is not None and getattr(later, name) != wanted and not (one_database and name == "database"):
            return False
    if earlier.client_addr is not None and not _address_implied(later.client_addr, earlier.client_addr):
        return False
    if not _pattern_implied(later.match_digest, later, earlier.match_digest, earlier):
        return False
    if not earlier.match_pattern:
        return True
    return same_text and _pattern_implied(later.match_pattern, later, earlier.match_pattern, earlier)


def demand(pattern: str) -> str:
    """
    What *pattern* asks for, without an end that asks for nothing; empty where it asks for nothing at all.

    Whatever implies a pattern that is not negated begins with its demand, capitals and small letters aside.
    """
    if pattern in _EVERYTHING:
        return ""
    for tail in (".*?", ".*"):
        start = pattern.removesuffix(tail)
        if start != pattern and pattern_problem(start) is None:
            return start
    return pattern


def _address_implied(later: str | None, earlier: str) -> bool:
    if earlier == "%":
        return True
    if later is None:
        return False
    return later == earlier or (earlier.endswith("%") and later.rstrip("%").startswith(earlier[:-1]))


def _pattern_implied(later: str | None, its: RuleSettings, earlier: str | None, others: RuleSettings) -> bool:
    if not earlier:
        return True
    if others.negate_match_pattern:
        return bool(later) and later == earlier and its.negate_match_pattern and its.caseless == others.caseless
    if earlier in _EVERYTHING:
        return True
    if not later or its.negate_match_pattern:
        return False
    if its.caseless == others.caseless and (later == earlier or _continues(later, demand(earlier))):
        return True
    if its.caseless and not others.caseless:
        return False
    # Here capitals may count in the later pattern alone: then only literal text is comparable, [^a] finds more where they count.
    start = _leading_literal(earlier, whole=True)
    begins = _leading_literal(later, whole=False)
    if start is None or begins is None:
        return False
    return begins.lower().startswith(start.lower()) if others.caseless else begins.startswith(start)


def _continues(pattern: str, start: str) -> bool:
    """Whether *pattern* is *start* and then something else, so that whatever it finds has a find of *start* in it."""
    if not pattern.startswith(start) or r"\Q" in pattern:
        return False
    rest = pattern[len(start) :]  # which does not compile where it begins with a quantifier
    if start.rfind("{") > start.rfind("}") or _OPEN_OCTAL.search(start):
        return False  # the rest could end a repetition or a number that only begins in start
    return pattern_problem(start) is None and pattern_problem(rest) is None and not _has_alternatives(rest)


def _has_alternatives(pattern: str) -> bool:
    """Whether *pattern* has a ``|`` outside of its groups."""
    depth = 0
    for token in _TOKEN.findall(pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and depth == 0:
            return True
    return False


def _leading_literal(pattern: str, *, whole: bool) -> str | None:
    """
    The literal text behind a leading ``^``, or None where there is none.

    Args:
        whole: None too where the pattern asks for more than that text (a trailing ``.*`` asks for nothing).
    """
    if not pattern.startswith("^") or "|" in pattern:
        return None
    rest = pattern[1:]
    literal = _LITERAL.match(rest)
    assert literal is not None  # it matches the empty text
    text, behind = literal.group(), rest[literal.end() :]
    if whole:
        return text if behind in ("", ".*", ".*?") else None
    if behind[:1] and behind[0] in _QUANTIFIERS:
        text = text[:-1]  # the last character may be missing
    return text
