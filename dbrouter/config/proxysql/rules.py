"""One row of ProxySQL's query rules as a rule of ours: the same columns, milliseconds with their unit, NULLs left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from dbrouter.config.patterns import pattern_problem, replacement_problem
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.tables import Row
from dbrouter.config.proxysql.values import milliseconds, truth, whole
from dbrouter.terms import Engine

TRUTHS = ("active", "negate_match_pattern", "apply", "cache_empty_result", "log")
DURATIONS = ("cache_ttl", "timeout", "delay")
HOSTGROUPS = ("destination_hostgroup", "mirror_hostgroup", "gtid_from_hostgroup")
NUMBERS = ("rule_id", "flagIN", "flagOUT", "proxy_port", "retries", "next_query_flagIN", "mirror_flagOUT", "multiplex")
EFFECTLESS = ("cache_timeout", "reconnect", "sticky_conn")
TEXTS = (
    "username",
    "schemaname",
    "client_addr",
    "proxy_addr",
    "digest",
    "match_digest",
    "match_pattern",
    "re_modifiers",
    "replace_pattern",
    "error_msg",
    "OK_msg",
    "attributes",
    "comment",
)
EMPTY_IS_NONE = (
    *("username", "schemaname", "client_addr", "proxy_addr", "digest", "match_digest", "match_pattern", "attributes", "comment"),
)
"""Texts that say nothing when they are empty; an empty `replace_pattern` deletes, an empty `OK_msg` answers."""
COLUMNS = (
    *("rule_id", "active", "username", "schemaname", "flagIN", "client_addr", "proxy_addr", "proxy_port", "digest"),
    *("match_digest", "match_pattern", "negate_match_pattern", "re_modifiers", "flagOUT", "attributes", "replace_pattern"),
    *("destination_hostgroup", "cache_ttl", "cache_empty_result", "cache_timeout", "reconnect", "timeout", "retries", "delay"),
    *("next_query_flagIN", "mirror_flagOUT", "mirror_hostgroup", "error_msg", "OK_msg", "sticky_conn", "multiplex"),
    *("gtid_from_hostgroup", "log", "apply", "comment"),
)
"""Every column, in the order in which a rule of ours is written."""


class NoteColumn(Protocol):
    """Says what became of a column."""

    def __call__(self, column: str, outcome: Outcome, why: str = "") -> None: ...


def convert_rule(
    row: Row,
    *,
    note: NoteColumn,
    number_of: Mapping[int, int],
    lenient: bool,
    engine: Engine,
    empty_results: object,
) -> dict[str, Any] | None:
    """
    The rule as a mapping of ours; None where it is left out, which is noted.

    Args:
        number_of: our number of each hostgroup that has servers.
        lenient: carry what the loader would refuse as near as it goes.
        empty_results: what ``query_cache_stores_empty_result`` says.
    """
    active = truth(row.get("active", 0))
    if lenient and (wrong := _pattern_wrong(row)):
        why = f"the whole rule: {wrong}" + ("" if active else " (it is not active)")
        note("", Outcome.DROPPED, why)
        return None
    if lenient:
        _leave_out_what_says_nothing(row, note)
    if "re_modifiers" in row.written and "re_modifiers" not in row.values:
        note("re_modifiers", Outcome.CHANGED, "NULL: ProxySQL finds no CASELESS in it, so that the patterns tell capitals")
        row.values["re_modifiers"] = ""
    rule: dict[str, Any] = {}
    if "active" not in row.values:
        note("active", Outcome.KEPT, "not written, which is 0 in ProxySQL: the rule is not active")
    for column in COLUMNS:
        if column in row.values:
            _column(column, row, rule, note, number_of, lenient)
    rule.setdefault("active", False)
    if rule["active"] is True:
        del rule["active"]
    if "cache_ttl" in rule and empty_results is False:
        rule.setdefault("cache_empty_result", False)
    if "digest" in rule and engine is Engine.POSTGRESQL:
        note(
            "digest",
            Outcome.CHANGED,
            "ProxySQL's digests of PostgreSQL statements differ between its versions: compare with dbrouter explain",
        )
    for column, value in row.values.items():
        if column not in COLUMNS:
            rule[row.written[column]] = value  # the loader knows what it may be
    return {column: rule[column] for column in (*COLUMNS, *rule) if column in rule}


def _column(column: str, row: Row, rule: dict[str, Any], note: NoteColumn, number_of: Mapping[int, int], lenient: bool) -> None:
    written = row.get(column)
    if column in DURATIONS and whole(written) == 0:
        note(column, Outcome.KEPT, "0 says nothing in ProxySQL either")
        return
    if column in HOSTGROUPS and isinstance(number := whole(written), int):
        if number in number_of or not lenient:
            rule[column] = number_of.get(number, number)
            note(column, Outcome.KEPT)
        elif column == "destination_hostgroup" and rule_applies(row):
            rule["error_msg"] = f"rule {row.get('rule_id')} sends this to hostgroup {number}, which has no servers"
            note(
                column,
                Outcome.CHANGED,
                f"hostgroup {number} has no servers: the statement is refused at once (ProxySQL: after ten seconds)",
            )
        else:
            note(column, Outcome.DROPPED, f"hostgroup {number} has no servers")
        return
    value = _value(column, written)
    if value is None:
        value = written  # the loader says what is wrong with it
    if value == "" and column in EMPTY_IS_NONE:
        note(column, Outcome.KEPT, "empty is none")
        return
    if (column, value) not in (("flagIN", 0), ("negate_match_pattern", False), ("apply", False), ("re_modifiers", "CASELESS")):
        rule.setdefault(column, value)
    note(column, Outcome.KEPT, "without effect, as in ProxySQL" if column in EFFECTLESS else "")


def skipped(row: Row) -> str | None:
    """Why ProxySQL itself leaves the rule out when it loads its rules, or None where it does not."""
    address = row.get("client_addr")
    if isinstance(address, str) and "%" in address[:-1]:
        return f"the whole rule: client_addr {address!r} has a % that is not at its end, and ProxySQL skips such a rule"
    return None


def _leave_out_what_says_nothing(row: Row, note: NoteColumn) -> None:
    """Drop the values that ProxySQL takes for none."""
    digest = row.get("digest")
    if isinstance(digest, str) and digest.strip() and "${" not in digest:
        number = _as_strtoull(digest)
        if not 0 < number < 2**64:
            why = f"{digest!r} is no digest: ProxySQL does not filter by it, and neither does the rule here"
            note("digest", Outcome.DROPPED, why)
            del row.values["digest"]
        else:
            row.values["digest"] = f"0x{number:016X}"
    if isinstance(modifiers := row.get("re_modifiers"), str) and "${" not in modifiers:
        row.values["re_modifiers"] = known = _modifiers(modifiers)
        if len(known) != len(modifiers):
            why = (
                f"{modifiers!r} is {known!r} to ProxySQL, which knows CASELESS and GLOBAL, with a comma and no blank between them"
            )
            note("re_modifiers", Outcome.CHANGED, why)
    written = row.get("attributes")
    if not written or (isinstance(written, str) and "${" in written):
        return
    try:
        attributes = json.loads(written) if isinstance(written, str) else written
    except ValueError:
        attributes = None
    if not isinstance(attributes, dict):
        note("attributes", Outcome.DROPPED, "it is no JSON object, and ProxySQL makes nothing of it")
        del row.values["attributes"]
    elif unknown := [key for key in attributes if key != "flagOUTs"]:
        note("attributes", Outcome.DROPPED, f"dbrouter has nothing for {', '.join(unknown)}")
        row.values["attributes"] = {key: value for key, value in attributes.items() if key == "flagOUTs"} or ""


def _modifiers(text: str) -> str:
    """Those of *text* that ProxySQL sees."""
    words = text.upper().split(",")
    return ",".join(name for name in ("CASELESS", "GLOBAL") if any(word.startswith(name) for word in words))


def _as_strtoull(text: str) -> int:
    """The number that *text* begins with, as C reads it: 0 where it begins with none."""
    found = re.match(r"\s*\+?(?:0[xX]([0-9A-Fa-f]+)|(0[0-7]*)|(\d+))", text[:100])
    if found is None:
        return 0
    sixteen, eight, ten = found.groups()
    return int(sixteen, 16) if sixteen else int(eight, 8) if eight else int(ten)


def rule_applies(row: Row) -> bool:
    """Whether a match of the rule ends the evaluation, and the rule is in use."""
    return truth(row.get("apply", 0)) is True and truth(row.get("active", 0)) is True


def _value(column: str, written: Any) -> Any:
    if column in TRUTHS:
        return truth(written)
    if column in DURATIONS:
        return milliseconds(written)
    if column in NUMBERS or column in EFFECTLESS:
        return whole(written)
    if column == "attributes" and isinstance(written, str) and written.strip():
        try:
            return json.loads(written)
        except ValueError:
            return written
    if column == "digest" and isinstance(written, int):
        return f"0x{written:016X}"
    return written


def _pattern_wrong(row: Row) -> str | None:
    modifiers = str(row.get("re_modifiers", "" if "re_modifiers" in row.written else "CASELESS")).upper()
    for column in ("match_digest", "match_pattern"):
        pattern = row.get(column)
        if isinstance(pattern, str) and pattern and "${" not in pattern:
            wrong = pattern_problem(pattern, caseless="CASELESS" in modifiers)
            if wrong:
                return f"{column} {wrong}"
            template = row.get("replace_pattern")
            if column == "match_pattern" and isinstance(template, str) and "${" not in template:
                wrong = replacement_problem(pattern, template, caseless="CASELESS" in modifiers)
                if wrong:
                    return f"replace_pattern {template!r} {wrong}"
    return None
