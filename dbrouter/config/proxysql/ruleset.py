"""ProxySQL's rules and fast routing of one engine as ours, each rule for the database where its destination is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dbrouter.config.problems import Path
from dbrouter.config.proxysql.output import SPLIT, Output
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.rules import convert_rule, skipped
from dbrouter.config.proxysql.tables import Family, Row
from dbrouter.config.proxysql.values import truth, whole

_ALONE = "the rule is for database {} alone: no rule leads from one database to another"


class RuleWriter:
    """
    Writes the rules of one engine after another; ours share one row of numbers, ProxySQL's have one for each engine.

    Args:
        engines: how many engines there are.
    """

    def __init__(self, output: Output, *, engines: int, lenient: bool) -> None:
        self._output = output
        self._crowded = engines > 1
        self._lenient = lenient
        self._taken: set[int] = set()

    def write(self, family: Family, databases: Mapping[str, tuple[int, ...]], number_of: Mapping[int, int]) -> None:
        """
        Write the rules and routes of *family*.

        Args:
            databases: the hostgroups of each database of the engine, as ProxySQL numbers them.
            number_of: our number of each hostgroup that has servers.
        """
        rules = [rule for rule in family.rules if str(rule.get("comment", "")) != SPLIT]
        ids = {number for rule in rules if isinstance(number := whole(rule.get("rule_id", "")), int)}
        shift = max(self._taken) + 1 if self._taken & ids else 0
        copies = len(databases) if self._crowded else 1
        owner = {number: name for name, numbers in databases.items() for number in numbers}
        empty, _ = family.variables.get("query_cache_stores_empty_result", (None, ()))
        for rule in rules:
            rule.label = f"rule_id {rule.get('rule_id')}"
            if self._lenient and (why := skipped(rule)):
                self._output.note(rule, "", Outcome.DROPPED, why)
                continue
            converted = convert_rule(
                rule,
                note=partial(self._output.note, rule),
                number_of=number_of,
                lenient=self._lenient,
                engine=family.engine,
                empty_results=truth(empty) if empty is not None else None,
            )
            if converted is None:
                if truth(rule.get("active", 0)):
                    self._output.lost.append(f"{rule.table} {rule.label}")
                continue
            for index, target in enumerate(self._targets(rule, owner, list(databases))):
                self._add(rule, converted, target, index, copies, shift)
        self._routes(family, number_of)

    def _targets(self, rule: Row, owner: Mapping[int, str], databases: list[str]) -> list[str | None]:
        """The databases to write the rule for; None: it needs none said."""
        if len(databases) == 1 and not self._crowded:
            return [None]
        destination = whole(rule.get("destination_hostgroup", ""))
        if isinstance(destination, int) and destination in owner:
            if len(databases) > 1:
                self._output.note(rule, "destination_hostgroup", Outcome.CHANGED, _ALONE.format(owner[destination]))
            return [owner[destination]]
        return list(databases) if self._crowded else [None]

    def _add(self, rule: Row, converted: dict[str, Any], target: str | None, index: int, copies: int, shift: int) -> None:
        one = dict(converted)
        if isinstance(number := one.get("rule_id"), int):
            one["rule_id"] = number * copies + index + shift
            self._taken.add(one["rule_id"])
            if one["rule_id"] != number:
                why = f"{one['rule_id']}: the rules of both engines share one row of numbers"
                self._output.note(rule, "rule_id", Outcome.CHANGED, why)
        if target is not None:
            one["database"] = target
        self._append("query_rules", rule, one)

    def _append(self, table: str, row: Row, value: dict[str, Any]) -> None:
        place: Path = (table, len(self._output.value.setdefault(table, [])))
        self._output.put(place, value, row.path)
        for column in value:
            if row.written.get(column, column) != column:  # The others are found by the place of their row.
                self._output.origins[(*place, column)] = row.at(column)
        for needed in ("rule_id", "destination_hostgroup"):  # Where one is missing, a message is to name it.
            if needed not in value:
                self._output.origins[(*place, needed)] = (*row.path, needed)

    def _routes(self, family: Family, number_of: Mapping[int, int]) -> None:
        for row in family.fast_routes:
            row.label = f"{row.get('username', '')!r} {row.get('schemaname', '')!r} {row.get('flagIN', 0)}"
            number = whole(row.get("destination_hostgroup", ""))
            if self._lenient and number not in number_of:
                self._output.rest(row, f"hostgroup {number} has no servers")
                continue
            route = {key: row.get(key) for key in ("username", "schemaname", "flagIN", "comment") if row.get(key)}
            route.setdefault("schemaname", "")
            route["destination_hostgroup"] = number_of.get(number, number) if isinstance(number, int) else number
            self._append("query_rules_fast_routing", row, route)
            for column in row.values:
                self._output.note(row, column, Outcome.KEPT)
