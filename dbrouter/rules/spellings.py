"""
Spellings: texts on which a rule's patterns are tried, to see what else they find and what they miss.

Patterns are tried rather than read. The texts are common statements, and one made of the pattern itself, because a pattern about
one table finds no common statement; a text that the pattern does not find after all is of no use and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbrouter.config.patterns import Pattern, encode
from dbrouter.config.rules import RuleSettings
from dbrouter.sql.analyze import analyze
from dbrouter.sql.digest import DigestOptions, digest_text
from dbrouter.terms import Engine, Intent

_READ = "SELECT a FROM t WHERE id = ?"
_LOCKS = ("FOR UPDATE", "FOR SHARE", "LOCK IN SHARE MODE")
_LOCK = re.compile(r"\s+(FOR\s+(?:NO\s+KEY\s+)?UPDATE|FOR\s+(?:KEY\s+)?SHARE|LOCK\s+IN\s+SHARE\s+MODE)\b", re.IGNORECASE)
_BEHIND = (" NOWAIT", " SKIP LOCKED", " OF t")
_BEHIND_IN_TEXT = (";", " -- x", " /* x */")
_WRITES = (
    *("INSERT INTO t VALUES (?)", "UPDATE t SET a = ? WHERE id = ?", "DELETE FROM t WHERE id = ?", "REPLACE INTO t VALUES (?)"),
    *(f"{_READ} FOR UPDATE", "SELECT nextval(?)", "CREATE TABLE t(a int)", "TRUNCATE TABLE t"),
    *("WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d", "CALL f(?)"),
)
_SELECT = re.compile(r"SELECT\b", re.IGNORECASE)
_AROUND = ("{}", "SELECT a FROM b {}", "SELECT a FROM b{} c", "{} c", "SELECT ?{} c", "SELECT ?{}")
"""Statements in which a piece of one may stand."""
_ALTERNATIVES = re.compile(r"(?<!\\)\((?:\?:)?((?:\\.|[^()|\\])*)(?:\|(?:\\.|[^()\\])*)?\)\??")
_SIMPLE = (
    (re.compile(r"^\^|\$$|\\b|\(\?[a-z]+\)"), ""),
    (re.compile(r"(?:\.|\\S|\\w|\[[^\]]*\])[*+]\??"), " a "),
    (re.compile(r"\\s[*+]?\??"), " "),
    (re.compile(r"\\d\+?|\[0-9\]\+?"), "1"),
    (re.compile(r"\\([^A-Za-z0-9])"), r"\1"),
)


def missed_locks(rule: RuleSettings, name: str) -> tuple[str, tuple[str, ...]]:
    """
    Of a pattern that finds locking reads: the end of one that it finds, and the ends of those it misses.

    Both are empty where the pattern finds none, where it is not about locking (it finds the read without the lock too), and
    where it misses none.

    Args:
        name: the column of the pattern, `match_digest` or `match_pattern`.
    """
    written = getattr(rule, name)
    if not written or rule.negate_match_pattern:
        return "", ()
    pattern = Pattern(written, caseless=rule.caseless)
    for text in (*(f"{_READ} {lock}" for lock in _LOCKS), *_examples(written)):
        lock = _LOCK.search(text)
        if lock is None or not pattern.found_in(encode(text)) or pattern.found_in(encode(text[: lock.start()])):
            continue
        read, end = text[: lock.start()], lock.group(1)
        # Nothing may follow MySQL's old LOCK IN SHARE MODE.
        spellings = [f" {end}{more}" for more in _BEHIND] if end[:3].upper() == "FOR" else []
        if name == "match_pattern":
            # Digest texts have no comments, no final semicolon, and single blanks.
            spellings = [*(f" {end}{more}" for more in _BEHIND_IN_TEXT), f"\n{end}", *spellings]
        missed = [spelling.removeprefix(" ") for spelling in spellings if not pattern.found_in(encode(read + spelling))]
        if missed:
            return end, tuple(missed)
    return "", ()


def never_in_digests(rule: RuleSettings, engines: Iterable[Engine], options: DigestOptions) -> tuple[str, str] | None:
    """
    A text that *rule*'s `match_digest` finds, and its digest text, in which it finds nothing, wherever in a statement the text
    may stand; None where it finds something, or where no text is known.

    Literals are ``?`` in digest texts, comments are gone, blanks are single: a pattern about any of them finds nothing there.
    Patterns with alternatives are not judged.

    Args:
        engines: whose digest texts the rule may see.
    """
    written = rule.match_digest
    if not written or rule.negate_match_pattern or "|" in written:
        return None
    pattern = Pattern(written, caseless=rule.caseless)
    for example in _examples(written):
        if not pattern.found_in(encode(example)):
            return None
        texts = [text for around in _AROUND if pattern.found_in(encode(text := around.format(example)))]
        digests = [digest_text(text, engine, options) for engine in engines for text in texts]
        if digests and not any(pattern.found_in(encode(digest)) for digest in digests):
            return example, digests[0]
    return None


def write_that_matches(rule: RuleSettings, engine: Engine) -> str | None:
    """A write that meets the criteria of *rule* which look at the statement, or None where none of the texts does."""
    if rule.intent is Intent.READ:
        return None
    texts = list(_WRITES)
    for pattern in (rule.match_digest, rule.match_pattern):
        for example in _examples(pattern) if pattern else ():
            texts += [example, f"{example} FOR UPDATE"] if _SELECT.match(example) else [example]
    return next((text for text in texts if _matches(rule, text, engine)), None)


def _matches(rule: RuleSettings, text: str, engine: Engine) -> bool:
    statement = analyze(text, engine)
    if statement.intent is not Intent.WRITE or statement.kind == "UNKNOWN":
        return False
    if rule.kind not in (None, statement.kind) or rule.digest not in (None, statement.digest):
        return False
    pairs = ((rule.match_digest, statement.digest_text), (rule.match_pattern, text))
    return all(
        Pattern(pattern, caseless=rule.caseless).found_in(encode(subject)) is not rule.negate_match_pattern
        for pattern, subject in pairs
        if pattern
    )


def _examples(pattern: str) -> Iterable[str]:
    """A text that *pattern* may find, with the first alternative of each group; nothing for patterns beyond that."""
    text, before = pattern, ""
    while text != before:
        text, before = _ALTERNATIVES.sub(r"\1", text), text
    for simple, replacement in _SIMPLE:
        text = simple.sub(replacement, text)
    text = " ".join(text.split())
    return (text,) if text else ()
