"""
Query rules as the configuration has them: every column of ProxySQL's `mysql_query_rules` / `pgsql_query_rules` under its own
name, and ours beside them.

`RuleSettings` is the checked rule; `prepare_rule` makes its mapping of what users write (numbers without a unit, JSON in
`attributes`, hexadecimal digests, lists of modifiers). What a rule means is `dbrouter.rules`' business.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dbrouter.config.bounds import DAY, MILLISECOND, YEAR, Lasting, Whole
from dbrouter.config.problems import Path, Problems
from dbrouter.config.schema import Settings
from dbrouter.terms import Intent

MAX_ID = 2**31 - 1
Id = Annotated[int, Whole(0, MAX_ID)]
Flag = Annotated[int, Whole(0, MAX_ID)]

EFFECTLESS_COLUMNS = ("cache_timeout", "reconnect", "sticky_conn")
"""ProxySQL stores them and acts on none of them; neither do we."""
_DURATIONS = ("timeout", "delay", "cache_ttl")
_MODIFIERS = ("CASELESS", "GLOBAL")
_NO_UNIT = "has no unit; ProxySQL's numbers are milliseconds, here a unit says what is meant: 60s, 250ms"
_EMPTY_IS_NONE = ("match_digest", "match_pattern", "username", "schemaname", "client_addr", "proxy_addr", "digest")


def _truth(value: object) -> object:
    """ProxySQL's 0 and 1 are truth values too."""
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


Truth = Annotated[bool, BeforeValidator(_truth)]


class WeightedFlag(Settings):
    """One of the flags that `attributes.flagOUTs` chooses from."""

    id: Flag = Field(description="The flag.")
    weight: Annotated[int, Whole(0, 10_000_000)] = Field(
        default=1, description="Its share of the choices; 0: it is never chosen."
    )


class RuleAttributes(Settings):
    """`attributes` of a rule; as a mapping, or as the JSON text that ProxySQL stores."""

    flagOUTs: tuple[WeightedFlag, ...] = Field(
        default=(),
        description="A match goes on with one of these flags, drawn by weight at each call; `flagOUT` takes its place.",
    )


class RuleSettings(Settings):
    """
    One query rule with ProxySQL's column names and meanings. Rules are evaluated in ascending `rule_id`; every criterion that
    is set must hold.

    Rules apply at once on reload, to calls that begin afterwards.
    """

    rule_id: Id = Field(description="Its number and its place in the order. Unique.")
    active: Truth = Field(default=True, description="false leaves it out. True where it is not written (in ProxySQL: 0).")
    database: str | None = Field(
        default=None,
        description="Criterion: the name of a database of this configuration, exactly. (ProxySQL's is `schemaname`.)",
    )
    username: str | None = Field(
        default=None,
        description="Criterion: the user, exactly: `dbrouter.context(username=…)`, else the one that logs in to the servers.",
    )
    schemaname: str | None = Field(
        default=None,
        description="Criterion: the schema, exactly: `dbrouter.context(schemaname=…)`, else the name of the database on its "
        "servers. (`database` of ProxySQL's `pgsql_query_rules`.)",
    )
    flagIN: Flag = Field(
        default=0,
        description="Criterion: the current flag, which is 0 (or the context's: `next_query_flagIN`) until a match changes it.",
    )
    client_addr: str | None = Field(
        default=None,
        description="Criterion: `dbrouter.context(client_addr=…)`, exactly, or its beginning where this ends in `%`. Holds "
        "where no address is known.",
    )
    proxy_addr: str | None = Field(
        default=None, description="Criterion: `dbrouter.context(proxy_addr=…)`, exactly. Holds where no address is known."
    )
    proxy_port: Annotated[int, Whole(0, 65_535)] | None = Field(
        default=None, description="Criterion: `dbrouter.context(proxy_port=…)`."
    )
    tag: str | None = Field(
        default=None,
        description="Criterion: the call's `tag=`, else that of `dbrouter.context(tag=…)`, exactly. Not in ProxySQL.",
    )
    kind: str | None = Field(
        default=None,
        description="Criterion: the statement's verb (`SELECT`, `INSERT`, …) as `explain` shows it. Not in ProxySQL.",
    )
    intent: Intent | None = Field(
        default=None, description="Criterion: `read` or `write`, as the statement's text shows. Not in ProxySQL."
    )
    digest: Annotated[int, Whole(1, 2**64 - 1)] | None = Field(
        default=None, description="Criterion: the 64-bit digest, as text: `0x1C46AE529DD5A40E`."
    )
    match_digest: str | None = Field(
        default=None,
        description="Criterion: RE2 pattern found somewhere in the digest text (literals are `?`, comments gone, white "
        "space single).",
    )
    match_pattern: str | None = Field(
        default=None,
        description="Criterion: RE2 pattern found somewhere in the statement's text, comments included; in the rewritten text "
        "where an earlier rule rewrote it.",
    )
    negate_match_pattern: Truth = Field(
        default=False, description="Inverts `match_digest` and `match_pattern`, each by itself; both must still hold."
    )
    re_modifiers: str = Field(
        default="CASELESS",
        description='`CASELESS`, `GLOBAL` (`replace_pattern` replaces all, not the first), both with a comma, or "" for patterns '
        "that tell capitals from small letters.",
    )
    flagOUT: Flag | None = Field(
        default=None, description="A match goes on with this flag: only rules with that `flagIN` are looked at from there on."
    )
    attributes: RuleAttributes | None = Field(
        default=None, description='`{"flagOUTs": [{"id": 10, "weight": 3}, …]}`: the flag to go on with, drawn by weight.'
    )
    replace_pattern: str | None = Field(
        default=None,
        description="What takes the place of what `match_pattern` finds; `\\1` … `\\9` are its groups, `\\0` all of it. The "
        "rewritten text is what is judged and sent.",
    )
    destination_hostgroup: Id | None = Field(
        default=None,
        description="Where matching statements go: id or name of a hostgroup of the statement's database. A write "
        "never goes to a reader hostgroup.",
    )
    cache_ttl: Annotated[float, Lasting(MILLISECOND, YEAR)] | None = Field(
        default=None,
        description="Answer reads from the result cache while the entry is younger than this; with a unit. Never for a "
        "context that has written, in transactions, or for volatile functions.",
    )
    cache_empty_result: Truth | None = Field(
        default=None, description="Whether results without rows are cached; true where unset."
    )
    cache_volatile: Truth = Field(
        default=False,
        description="Cache results of `now()`, `random()`, functions nobody knows and their like too. Not in ProxySQL.",
    )
    timeout: Annotated[float, Lasting(MILLISECOND, 30 * DAY)] | None = Field(
        default=None, description="Takes the place of `timeouts.call`; with a unit. `timeout=` of the call is nearer."
    )
    retries: Annotated[int, Whole(0, 1000, "attempts")] | None = Field(
        default=None,
        description="Attempts after the first, in place of `retry.attempts` − 1. Safety 4 holds whatever is written.",
    )
    delay: Annotated[float, Lasting(MILLISECOND, DAY)] | None = Field(
        default=None, description="Wait so long before the statement is sent, within the call's time limit; with a unit."
    )
    next_query_flagIN: Flag | None = Field(
        default=None,
        description="The flag that later calls in the same `dbrouter.context()` begin with, until a rule sets another.",
    )
    mirror_hostgroup: Id | None = Field(
        default=None,
        description="Send a copy to this hostgroup (id or name, of any database of the same engine) in the background; its "
        "answer is thrown away. Copies of writes need `unsafe: true`.",
    )
    mirror_flagOUT: Flag | None = Field(
        default=None, description="The copy goes through the rules from this flag on, and where they send it."
    )
    error_msg: str | None = Field(
        default=None,
        description="The statement is not sent; `StatementRejectedError` with this text. Later matches do not take it back.",
    )
    OK_msg: str | None = Field(
        default=None,
        description="The statement is not sent; the call gets a `Result` without rows, with this status. Wins over `error_msg`.",
    )
    multiplex: Annotated[int, Whole(0, 2)] | None = Field(
        default=None,
        description="0: the connection is closed afterwards instead of being handed on. 2: `@variables` of this statement are "
        "harmless: it may run on a pooled connection, which is handed on. 1: as without it.",
    )
    gtid_from_hostgroup: Id | None = Field(
        default=None,
        description="Reads of a `dbrouter.context()` that has written through this hostgroup go there too, so that they see its "
        "own writes.",
    )
    log: Truth | None = Field(
        default=None, description="Log each of these calls (`query.logged`: digest, node, seconds; no values)."
    )
    apply: Truth = Field(
        default=False,
        description="Evaluation ends when this rule matched; without it later rules may overrule (the last match wins).",
    )
    unsafe: Truth = Field(
        default=False,
        description="Lets this rule's destination take writes although it is a reader hostgroup, whose `read_only` "
        "must be false, and its mirror take copies of writes. Not in ProxySQL.",
    )
    cache_timeout: Flag | None = Field(default=None, description="Accepted, and without effect as in ProxySQL.")
    reconnect: Flag | None = Field(default=None, description="Accepted, and without effect as in ProxySQL.")
    sticky_conn: Flag | None = Field(default=None, description="Accepted, and without effect as in ProxySQL.")
    comment: str | None = Field(default=None, description="Free text.")

    @property
    def caseless(self) -> bool:
        """Whether its patterns take capitals and small letters for the same."""
        return "CASELESS" in self.re_modifiers

    @property
    def replaces_all(self) -> bool:
        """Whether `replace_pattern` replaces every occurrence instead of the first."""
        return "GLOBAL" in self.re_modifiers

    @property
    def weighted_flags(self) -> tuple[WeightedFlag, ...]:
        """The flags a match draws from; none where `flagOUT` says which."""
        return self.attributes.flagOUTs if self.attributes is not None and self.flagOUT is None else ()


class FastRouteSettings(Settings):
    """
    One row of ProxySQL's fast routing: a hostgroup by user, schema and flag, looked up when no applying rule ended the
    evaluation.

    A hit overrules the destination of rules that matched without `apply`.
    """

    username: str = Field(default="", description="The user as rules see it; empty: any.")
    schemaname: str = Field(description="The schema as rules see it.")
    flagIN: Flag = Field(default=0, description="The flag with which the evaluation ended.")
    destination_hostgroup: Id = Field(description="Where statements go: id or name of a hostgroup.")
    comment: str | None = Field(default=None, description="Free text.")


HOSTGROUP_COLUMNS = ("destination_hostgroup", "mirror_hostgroup", "gtid_from_hostgroup")
"""Columns that take the id or the name of a hostgroup."""


def prepare_rule(raw: Any, path: Path, problems: Problems) -> dict[str, Any] | None:
    """
    The mapping of one rule, ready for `RuleSettings`; what it may not have is noted and left out.

    None when it is no mapping.
    """
    if not isinstance(raw, dict):
        problems.add(path, f"{problems.show(path, raw)} is not a mapping with rule_id")
        return None
    rule: dict[str, Any] = {_BY_LOWER_CASE.get(str(key).lower(), str(key)): value for key, value in raw.items()}
    for key in _DURATIONS:
        _check_unit(rule, key, path, problems)
    _read_modifiers(rule, path, problems)
    _read_digest(rule, path, problems)
    _read_attributes(rule, path, problems)
    for key in _EMPTY_IS_NONE:
        if rule.get(key) == "":
            rule[key] = None  # ProxySQL: an empty criterion is none
    address = rule.get("client_addr")
    if isinstance(address, str) and "%" in address[:-1]:
        where = (*path, "client_addr")
        problems.add(
            where, f"{problems.show(where, address)} has a % that is not at its end; only 10.1.% and the like are prefixes"
        )
        del rule["client_addr"]
    if isinstance(rule.get("kind"), str):
        rule["kind"] = rule["kind"].strip().upper()
    if isinstance(rule.get("multiplex"), bool):
        rule["multiplex"] = int(rule["multiplex"])
    return rule


def _check_unit(rule: dict[str, Any], key: str, path: Path, problems: Problems) -> None:
    written = rule.get(key)
    bare = isinstance(written, (int, float)) and not isinstance(written, bool)
    if bare or (isinstance(written, str) and written.strip()[-1:].isdigit()):
        where = (*path, key)
        problems.add(where, f"{problems.show(where, written)} {_NO_UNIT}", expected="a duration with a unit", got=written)
        del rule[key]


def _read_modifiers(rule: dict[str, Any], path: Path, problems: Problems) -> None:
    written = rule.get("re_modifiers")
    where = (*path, "re_modifiers")
    if written is None:
        rule.pop("re_modifiers", None)
        return
    if isinstance(written, list) and all(isinstance(word, str) for word in written):
        words = [word.strip().upper() for word in written]
    elif isinstance(written, str):
        words = [word.strip().upper() for word in written.split(",") if word.strip()]
    else:
        problems.add(where, f'{problems.show(where, written)} is not CASELESS, GLOBAL or ""')
        del rule["re_modifiers"]
        return
    for word in words:
        if word not in _MODIFIERS:
            known = ", ".join(_MODIFIERS)
            problems.add(where, f"{problems.show(where, word)} is not a modifier; known are {known}", expected=known)
    rule["re_modifiers"] = ",".join(word for word in _MODIFIERS if word in words)


def _read_digest(rule: dict[str, Any], path: Path, problems: Problems) -> None:
    written = rule.get("digest")
    if not isinstance(written, str) or not written:
        return
    try:
        rule["digest"] = int(written, 0)
    except ValueError:
        where = (*path, "digest")
        problems.add(
            where,
            f"{problems.show(where, written)} is not a digest; `dbrouter explain` and ProxySQL's tables show it",
            expected="0x…",
        )
        del rule["digest"]


def _read_attributes(rule: dict[str, Any], path: Path, problems: Problems) -> None:
    written = rule.get("attributes")
    if written == "":
        rule["attributes"] = None
    elif isinstance(written, str):
        try:
            rule["attributes"] = json.loads(written)
        except ValueError:
            where = (*path, "attributes")
            problems.add(where, f"{problems.show(where, written)} is not JSON", expected='{"flagOUTs": [{"id": 1, "weight": 1}]}')
            del rule["attributes"]


_BY_LOWER_CASE = {name.lower(): name for name in RuleSettings.model_fields}
"""SQLite, where ProxySQL keeps them, does not tell capitals in the names of columns either."""
