"""
A ProxySQL-shaped document rewritten in our shape, with a report of what became of every value.

Pure: plain values in, plain values out. What the result says is as the document wrote it (`${VAR}` included); judging it is the
loader's part, which names the places of the original by `Conversion.origins`.
Statements go where ProxySQL sends them: a user's `default_hostgroup` takes what no rule sends elsewhere, reads too, and the rules
are kept as they are. The safety veto stands over all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from dbrouter.config.bounds import parse_duration
from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.config.proxysql.clusters import Send, User, find_clusters
from dbrouter.config.proxysql.databases import DatabaseWriter
from dbrouter.config.proxysql.output import GENERATED, SPLIT, Conversion, Output
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.ruleset import RuleWriter
from dbrouter.config.proxysql.schema import COLUMNS, is_default
from dbrouter.config.proxysql.servers import ServerTable
from dbrouter.config.proxysql.settle import Settling
from dbrouter.config.proxysql.tables import OTHER_TABLES, Family, Row, Tables, read_tables
from dbrouter.config.proxysql.users import read_users
from dbrouter.config.proxysql.values import truth, whole
from dbrouter.config.proxysql.variables import SETTINGS, outcome_of, why_dropped
from dbrouter.config.rules import RuleSettings
from dbrouter.config.schema import BreakerSettings

_BOTH_WRITER_AND_READER = ("writer_hostgroup", "reader_hostgroup")
OUR_COLUMNS = tuple(RuleSettings.model_fields)
_NOTHING = "dbrouter has nothing for it"


def convert(
    document: dict[str, Any],
    problems: Problems,
    *,
    lenient: bool = False,
    typed: bool = False,
    user: str | None = None,
    dbname: str | None = None,
) -> Conversion:
    """
    *document* in our shape.

    Args:
        problems: gets what cannot be read; the conversion goes on with the rest.
        lenient: carry what ProxySQL tolerates and we do not (a rule to a hostgroup without servers, several online writers, a
            pattern that RE2 has not) as near as it goes, with a note, instead of leaving it for the loader to refuse.
        typed: *document* is a ``proxysql.cnf``: ProxySQL passes over values of another type than the column's.
        user: convert for this user alone.
        dbname: the database on the servers, where the document names none (ProxySQL has no such column for PostgreSQL).
    """
    converter = _Converter(read_tables(document, problems, lenient=lenient), problems, lenient, user, dbname)
    return converter.convert(typed=typed)


class _Converter:
    """Goes through the tables of each engine once."""

    def __init__(self, tables: Tables, problems: Problems, lenient: bool, user: str | None, dbname: str | None) -> None:
        self._tables = tables
        self._problems = problems
        self._lenient = lenient
        self._user = user
        self._dbname = dbname
        self._output = Output()
        self._rules = RuleWriter(self._output, engines=len(tables.families), lenient=lenient)
        self._taken: set[int] = set()

    def convert(self, *, typed: bool) -> Conversion:
        output = self._output
        if self._lenient:
            settling = Settling(output, self._problems, typed=typed)
            for family in self._tables.families:
                settling.settle(family)
                self._columns_nobody_knows(family)
        for name, meant in self._tables.unknown.items():
            output.say(name, "", Outcome.DROPPED, f"ProxySQL is not known to have it{meant}")
        for family in self._tables.families:
            self._family(family)
        for family in self._tables.idle:
            output.say(f"{family.prefix}_…", "", Outcome.DROPPED, "no servers of this engine are named")
        for row in self._tables.logins:
            output.rest(row, "no server of a hostgroup is this one, and no user has this name")
        for name, value in self._tables.unread.items():
            if value or not isinstance(value, (list, dict)):
                output.say(name, "", Outcome.DROPPED, OTHER_TABLES.get(name.removeprefix("runtime_"), _NOTHING))
        for key, value in self._tables.own.items():
            held = output.value.get(key)
            output.put((key,), {**held, **value} if isinstance(value, dict) and isinstance(held, dict) else value, (key,))
        return output.conversion()

    def _columns_nobody_knows(self, family: Family) -> None:
        """Those of a newer ProxySQL, or misspelt ones, which ProxySQL passes over when it reads its file."""
        for rows, ours in ((family.servers, ("endpoint",)), (family.rules, OUR_COLUMNS), (family.fast_routes, ("schemaname",))):
            for row in rows:
                known = (*COLUMNS.get(row.table.removeprefix("runtime_"), ()), *ours)
                if not row.table.startswith(("hostgroups", "databases")):
                    self._unknown(row, [column for column in row.values if column not in known], known)

    def _unknown(self, row: Row, columns: Iterable[str], known: Iterable[str]) -> None:
        what = {"rule_id": "rule_id {rule_id}", "hostname": "{hostname} in hostgroup {hostgroup_id}"}
        row.label = next((text.format_map(defaultdict(str, row.values)) for key, text in what.items() if key in row.values), "")
        for column in columns:
            if row.values.pop(column) not in (0, "0", ""):
                why = f"ProxySQL is not known to have it{did_you_mean(column, known)}: check what the row means without it"
                self._output.note(row, column, Outcome.DROPPED, why)

    def _family(self, family: Family) -> None:
        servers = ServerTable(family, self._problems, self._output.note)
        users = read_users(family, self._problems, self._output.note, self._user)
        self._servers_of_logins(servers)
        if not servers.hostgroups:
            if not len(self._problems):
                wanted = f"{family.prefix}_servers, or hostgroups with hg and endpoints"
                self._problems.add((), f"names no servers: write {wanted}", expected=wanted)
            return
        pairs = self._pairs(family)
        self._place_primaries(servers, pairs)
        self._attributes(family, servers)
        self._defaults_without_servers(users, servers)
        ids = [(writer, reader) for writer, reader, _ in pairs]
        clusters = find_clusters(servers.hostgroups, users, ids, _sends(family), family.names)
        number_of = self._numbers(servers, family)
        writer = DatabaseWriter(self._output, family, servers, self._tables.logins, number_of, self._dbname)
        databases = {writer.write(cluster): cluster.hostgroups for cluster in clusters}
        self._variables(family)
        self._rules.write(family, databases, number_of)

    def _servers_of_logins(self, servers: ServerTable) -> None:
        """Where a ``databases`` list is all there is, it names the servers too."""
        if servers.hostgroups or len(self._tables.families) > 1:
            return
        for row in self._tables.logins:
            if row.get("hostname") is not None:
                place: dict[str, Any] = {column: row.get(column) for column in ("hostname", "port") if column in row.values}
                servers.add(Row(row.table, row.path, place, row.written), 0)

    def _pairs(self, family: Family) -> list[tuple[int, int, Row]]:
        found = []
        for row in family.pairs:
            row.label = f"{row.get('writer_hostgroup')}/{row.get('reader_hostgroup')}"
            if truth(row.get("active", 1)) is False:
                self._output.rest(row, "it is not active")
                continue
            numbers = []
            for column in _BOTH_WRITER_AND_READER:
                if isinstance(number := whole(row.get(column, "")), int):
                    numbers.append(number)
                    self._output.note(row, column, Outcome.KEPT)
                else:
                    self._problems.add(row.at(column), "is not the number of a hostgroup", expected="0 or more")
            if len(numbers) == 2:
                found.append((numbers[0], numbers[1], row))
            if "check_type" in row.values and not is_default(row.table, "check_type", row.get("check_type")):
                why = "every probe asks a server for its role, and no server changes its hostgroup"
                self._output.note(row, "check_type", Outcome.CHANGED, why)
            self._output.rest(row, _NOTHING)
        return found

    def _place_primaries(self, servers: ServerTable, pairs: list[tuple[int, int, Row]]) -> None:
        """ProxySQL finds the primary of a pair by ``read_only``; a configuration of ours names it."""
        for writer, reader, row in pairs:
            if servers.of(writer) or not servers.of(reader):
                continue
            if not self._lenient:
                looked = f"ProxySQL looks for the primary among those of hostgroup {reader}"
                self._problems.add(
                    row.at("writer_hostgroup"), f"hostgroup {writer} has no servers: {looked}; name it as a server of this one"
                )
                continue
            why = (
                f"it had no servers (ProxySQL looks for the primary among those of {reader}); the first of them, "
                f"{servers.copy_first(reader, writer)}, was taken for the primary: check that"
            )
            self._output.note(row, "writer_hostgroup", Outcome.CHANGED, why)
        if self._lenient:
            for writer in dict.fromkeys(writer for writer, _, _ in pairs):
                servers.one_online(writer)

    def _attributes(self, family: Family, servers: ServerTable) -> None:
        for row in family.attributes:
            row.label = f"hostgroup {row.get('hostgroup_id')}"
            number = whole(row.get("hostgroup_id", ""))
            if isinstance(number, int) and servers.of(number):
                self._output.note(row, "hostgroup_id", Outcome.KEPT)
                if init := row.get("init_connect"):
                    servers.init[number] = (str(init), row.at("init_connect"))
                    self._output.note(row, "init_connect", Outcome.KEPT, "pool.init of the hostgroup")
                comment = str(row.get("comment", ""))
                if comment.startswith(GENERATED):
                    family.names.setdefault(number, comment.removeprefix(GENERATED))
                    self._output.note(row, "comment", Outcome.KEPT, "the hostgroup's name")
            self._output.rest(row, _NOTHING)

    def _defaults_without_servers(self, users: list[User], servers: ServerTable) -> None:
        for user in users:
            if not servers.hostgroups or user.default in servers.hostgroups:
                continue
            why = f"default_hostgroup {user.default} has no servers; there are {', '.join(map(str, servers.hostgroups))}"
            if self._lenient:
                why += ": statements that no rule sends anywhere go to the writer"
                self._output.note(user.row, "default_hostgroup", Outcome.CHANGED, why)
            else:
                self._problems.add(user.row.at("default_hostgroup"), why)

    def _numbers(self, servers: ServerTable, family: Family) -> dict[int, int]:
        """Our number of each hostgroup: ProxySQL numbers those of each engine by itself, ours share one row of numbers."""
        offset = max(self._taken) + 1 if self._taken & set(servers.hostgroups) else 0
        number_of = {number: number + offset for number in servers.hostgroups}
        self._taken |= set(number_of.values())
        if offset:
            why = f"the numbers are taken by the other engine: {offset} was added to each"
            self._output.say(f"{family.prefix}_servers", "hostgroup_id", Outcome.CHANGED, why)
        return number_of

    def _variables(self, family: Family) -> None:
        output, table = self._output, f"{family.prefix}_variables"
        for name, (value, path) in family.variables.items():
            outcome, why = self._variable(name.lower(), value, path)
            output.say(table, name, outcome, why)
        breaker = output.value.get("breaker", {})
        if "open_for" in breaker:
            longest = BreakerSettings().open_for_max
            if float(str(parse_duration(breaker["open_for"]))) > longest:
                breaker["open_for_max"] = breaker["open_for"]
        if "default_query_timeout" not in family.variables:
            why = "dbrouter gives a call 30 s where nothing is written (timeouts.call); ProxySQL gives it a day"
            output.say(table, "default_query_timeout", Outcome.CHANGED, why)

    def _variable(self, name: str, value: Any, path: Path) -> tuple[Outcome, str]:
        output = self._output
        if name == "init_connect" and value and len(self._tables.families) == 1:
            output.put(("pool", "init"), [value], path)
            return Outcome.KEPT, "pool.init"
        if name == "default_schema":
            used = any(database.get("database") == value for database in output.value["databases"].values())
            return (Outcome.KEPT, "") if used else (Outcome.DROPPED, "every database has a schema of its own")
        if name == "query_cache_stores_empty_result" and truth(value) is False:
            return Outcome.KEPT, "cache_empty_result: false of every rule with cache_ttl that says nothing else"
        if name == "query_processor_first_comment_parsing" and whole(value) == 0:
            return Outcome.KEPT, "comment_hints are off where nothing is written"
        setting = SETTINGS.get(name)
        if setting is None:
            return Outcome.DROPPED, why_dropped(name)
        converted, outcome, why = outcome_of(setting, value)
        if converted is None:
            return outcome, why
        held: Any = output.value
        for part in setting.place:
            held = held.get(part) if isinstance(held, dict) else None
        if held is not None and held != converted:
            return Outcome.DROPPED, f"{'.'.join(setting.place)} is {held} by the other engine's; one value is for both"
        output.put(setting.place, converted, path)
        return outcome, why


def _sends(family: Family) -> list[Send]:
    return [
        Send(number, rule.get("username"), rule.get("schemaname"))
        for rule in family.rules
        if truth(rule.get("active", 0)) and str(rule.get("comment", "")) != SPLIT
        if isinstance(number := whole(rule.get("destination_hostgroup", "")), int)
    ]
