"""Statements as rules see them, and ProxySQL's evaluation written down a second time, as plainly as it can be."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.rules import Facts
from dbrouter.terms import Engine, Intent


@dataclass
class Shown:
    """What rules ask of a statement, with any texts."""

    text: str
    digest_text: str
    digest: int = 0
    kind: str = "SELECT"
    intent: Intent = Intent.READ
    engine: Engine = Engine.MYSQL


def shown(text: str, digest_text: str | None = None, *, database: str = "shop", **facts: Any) -> Facts:
    """Facts about a text, whose digest text is the text itself unless it is given."""
    if "intent" in facts:
        facts["intent"] = Intent(facts["intent"])
    of_statement = {name: facts.pop(name) for name in ("digest", "kind", "intent") if name in facts}
    statement: Any = Shown(text, text if digest_text is None else digest_text, **of_statement)
    return Facts(statement, database=database, **facts)


Draw = Callable[[dict[str, Any]], int]
OUTPUTS = (
    *("destination_hostgroup", "timeout", "retries", "delay", "cache_ttl", "cache_empty_result", "next_query_flagIN"),
    *("OK_msg", "error_msg", "mirror_hostgroup", "mirror_flagOUT", "multiplex", "gtid_from_hostgroup", "log"),
)


def naive(
    rules: Sequence[dict[str, Any]],
    asked: dict[str, Any],
    *,
    iterations: int = 0,
    fast: dict[tuple[str, str, int], int] | None = None,
    draw: Draw,
) -> dict[str, Any]:
    """
    ProxySQL's algorithm on plain mappings, with Python's `re`.

    *asked* has text, digest_text, digest, flag, and whatever criteria are compared with.
    """
    flag, budget = asked["flag"], iterations
    out: dict[str, Any] = dict.fromkeys(OUTPUTS)
    new_text = None
    hits: list[int] = []
    applied = False
    ordered = sorted((rule for rule in rules if rule.get("active", True)), key=lambda rule: rule["rule_id"])
    place = 0
    while place < len(ordered):
        rule = ordered[place]
        place += 1
        if not matches(rule, asked, flag, asked["text"] if new_text is None else new_text):
            continue
        hits.append(rule["rule_id"])
        moved = False
        if rule.get("attributes"):
            flag, moved = draw(rule), True
        if rule.get("flagOUT") is not None:
            flag, moved = rule["flagOUT"], True
        for name in OUTPUTS:
            if rule.get(name) is not None:
                out[name] = rule[name]
        if rule.get("replace_pattern") is not None:
            old = asked["text"] if new_text is None else new_text
            count = 0 if "GLOBAL" in rule["re_modifiers"] else 1
            new_text = re.sub(rule["match_pattern"], rule["replace_pattern"], old, count=count, flags=modifiers(rule))
        if rule.get("apply"):
            applied = True
            break
        if moved and budget > 0:
            budget -= 1
            place = 0
    if not applied and fast:
        for user in (asked["username"], ""):
            if (user, asked["schemaname"], flag) in fast:
                out["destination_hostgroup"] = fast[user, asked["schemaname"], flag]
                break
    rewritten = new_text if new_text != asked["text"] else None
    return {**out, "hits": tuple(hits), "flag": flag, "rewritten": rewritten}


def modifiers(rule: dict[str, Any]) -> re.RegexFlag:
    """A rule's modifiers for `re`."""
    return re.ASCII | (re.IGNORECASE if "CASELESS" in rule.get("re_modifiers", "CASELESS") else re.RegexFlag(0))


def matches(rule: dict[str, Any], asked: dict[str, Any], flag: int, text: str) -> bool:
    """Whether every criterion holds."""
    if rule.get("flagIN", 0) != flag:
        return False
    for name in ("database", "username", "schemaname", "tag", "kind", "intent", "proxy_port", "digest"):
        if rule.get(name) is not None and rule[name] != asked[name]:
            return False
    for name in ("client_addr", "proxy_addr"):
        wanted, address = rule.get(name), asked[name]
        if wanted is None or address is None:
            continue
        if wanted.endswith("%") and name == "client_addr":
            if not address.startswith(wanted.rstrip("%")):
                return False
        elif wanted != address:
            return False
    negate = rule.get("negate_match_pattern", False)
    for name, subject in (("match_digest", asked["digest_text"]), ("match_pattern", text)):
        pattern = rule.get(name)
        if pattern and (re.search(pattern, subject, modifiers(rule)) is not None) == negate:
            return False
    return True


# ---- random ones

PATTERNS = ["^a", "a", "A", "b$", "^$", "a.b", "a|b$", r"\n", "ab", "^a.*b$", "(a|b)+", "[^a]", "c", r"a\s*b", "x", "B"]
REPLACED = ["a", "A", "(a)(b)", "b", "ab", "(a|b)+", "c", "[ab]c", "x"]
REPLACEMENTS = ["c", "ab", r"<\1>", "", "X"]
TEXT = "aAbBc \n\0"


def text(rng: random.Random) -> str:
    return "".join(rng.choices(TEXT, k=rng.randrange(9)))


def one_rule(rng: random.Random, number: int) -> dict[str, Any]:
    """A rule with some criteria and outputs."""
    pick = rng.choice
    rule: dict[str, Any] = {
        "rule_id": number,
        "active": rng.random() < 0.9,
        "flagIN": pick([0, 0, 0, 1, 2]),
        "negate_match_pattern": rng.random() < 0.2,
        "re_modifiers": pick(["CASELESS", "CASELESS", "", "CASELESS,GLOBAL", "GLOBAL"]),
        "apply": rng.random() < 0.3,
    }
    some: dict[str, Sequence[Any]] = {
        "database": ["shop", "audit"],
        "username": ["ada", "bob"],
        "schemaname": ["s", "t"],
        "client_addr": ["10.1.2.3", "10.1.%", "%"],
        "proxy_addr": ["p", "q"],
        "proxy_port": [1, 2],
        "tag": ["t", "u"],
        "kind": ["SELECT", "INSERT"],
        "intent": ["read", "write"],
        "digest": [11, 12],
        "match_digest": PATTERNS,
        "match_pattern": PATTERNS,
        "flagOUT": [0, 1, 2],
        "destination_hostgroup": [1, 2, 3],
        "timeout": [1.0, 2.0],
        "retries": [0, 5],
        "delay": [0.5],
        "cache_ttl": [3.0],
        "cache_empty_result": [True, False],
        "next_query_flagIN": [0, 1],
        "OK_msg": ["fine", ""],
        "error_msg": ["no", ""],
        "mirror_hostgroup": [4, 5],
        "mirror_flagOUT": [6],
        "multiplex": [0, 1, 2],
        "gtid_from_hostgroup": [1],
        "log": [True, False],
        "attributes": [{"flagOUTs": [{"id": 1, "weight": 2}, {"id": 2, "weight": 1}]}],
    }
    frequent = {"match_digest": 0.4, "match_pattern": 0.4, "destination_hostgroup": 0.6, "flagOUT": 0.25}
    for name, values in some.items():
        if rng.random() < frequent.get(name, 0.08):
            rule[name] = pick(values)
    if rng.random() < 0.2:
        rule["match_pattern"], rule["replace_pattern"] = pick(REPLACED), pick(REPLACEMENTS)
        if "1" in rule["replace_pattern"] and "(" not in rule["match_pattern"]:
            rule["replace_pattern"] = "c"
    return rule


def one_statement(rng: random.Random) -> dict[str, Any]:
    """What is asked of the rules."""
    pick = rng.choice
    return {
        "text": text(rng),
        "digest_text": text(rng),
        "database": pick(["shop", "audit"]),
        "flag": pick([0, 0, 0, 1]),
        "username": pick(["ada", "bob"]),
        "schemaname": pick(["s", "t"]),
        "client_addr": pick([None, "10.1.2.3", "10.1.7.7", "10.2.0.0"]),
        "proxy_addr": pick([None, "p", "q"]),
        "proxy_port": pick([None, 1, 2]),
        "tag": pick([None, "t", "u"]),
        "kind": pick(["SELECT", "INSERT"]),
        "intent": pick(["read", "write"]),
        "digest": pick([11, 12, 13]),
    }
