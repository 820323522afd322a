"""
Whether every statement that matches one rule would have matched another one before it.

Only what is certain is said: equal criteria, prefixes of addresses, and patterns that begin with the same literal text. Patterns
whose relation takes more than that to see count as unrelated.
"""

from __future__ import annotations

import re

from dbrouter.config.rules import RuleSettings

_EXACT = ("database", "username", "schemaname", "proxy_addr", "proxy_port", "tag", "kind", "intent", "digest", "flagIN")
_EVERYTHING = frozenset(["", "^", ".*", "^.*"])
_LITERAL = re.compile(r"[A-Za-z0-9_ ,=`\"'<>/-]*")
_QUANTIFIERS = "?*{"


def implied(later: RuleSettings, earlier: RuleSettings, *, same_text: bool) -> bool:
    """
    Whether a statement that meets *later*'s criteria meets *earlier*'s too.

    Args:
        same_text: no rule between them rewrites, so that both `match_pattern`s look at the same text.
    """
    for name in _EXACT:
        wanted = getattr(earlier, name)
        if wanted is not None and getattr(later, name) != wanted:
            return False
    if earlier.client_addr is not None and not _address_implied(later.client_addr, earlier.client_addr):
        return False
    if not _pattern_implied(later.match_digest, later, earlier.match_digest, earlier):
        return False
    if not earlier.match_pattern:
        return True
    return same_text and _pattern_implied(later.match_pattern, later, earlier.match_pattern, earlier)


def _address_implied(later: str | None, earlier: str) -> bool:
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
    if its.caseless and not others.caseless:
        return False
    if later == earlier:
        return True
    start = _leading_literal(earlier, whole=True)
    if start is None:
        return False
    begins = _leading_literal(later, whole=False)
    if begins is None:
        return False
    return begins.lower().startswith(start.lower()) if others.caseless else begins.startswith(start)


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
