"""
What must hold between the pieces of a configuration: references, ownership, duplicates, contradictions.

`check` notes everything at once. It looks at the pieces that could be read; what refers to a piece that is broken itself is not
reported again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.model import DatabaseSettings, HostgroupSettings, ProcessingSettings, RouterConfig, TlsMode, Via
from dbrouter.config.patterns import pattern_problem, replacement_problem
from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.config.rules import FastRouteSettings, RuleSettings
from dbrouter.config.schema import BreakerSettings, PoolSettings, ProbeSettings, RetrySettings, Settings, TimeoutSettings
from dbrouter.terms import Engine, ServerStatus, WhenEmpty

_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(slots=True)
class Draft:
    """A configuration in the making: the pieces that could be read, and where each was written."""

    databases: dict[str, DatabaseSettings] = field(default_factory=dict)
    database_paths: dict[str, Path] = field(default_factory=dict)
    database_names: set[str] = field(default_factory=set)
    """Of the broken ones too."""
    unsure_engines: set[str] = field(default_factory=set)
    """Databases whose engine could not be read."""
    hostgroups: list[tuple[Path, HostgroupSettings]] = field(default_factory=list)
    server_paths: dict[Path, list[Path]] = field(default_factory=dict)
    """By the path of the hostgroup: where each of its servers was written."""
    broken_hostgroups: set[int] = field(default_factory=set)
    owners: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """
    By the id of a hostgroup: (database, ``writer_hostgroup`` or ``reader_hostgroup``) for each mention, broken databases
    too.
    """
    unsure_owners: bool = False
    """Whether a database names a hostgroup in a way that could not be read."""
    rules: list[tuple[Path, RuleSettings]] = field(default_factory=list)
    fast_routes: list[tuple[Path, FastRouteSettings]] = field(default_factory=list)
    groups: dict[str, Any] = field(default_factory=dict)
    """The top's pool, probe, breaker, retry and timeouts."""
    processing: ProcessingSettings = field(default_factory=ProcessingSettings)

    def add_hostgroup(self, path: Path, hostgroup: HostgroupSettings, server_paths: list[Path]) -> None:
        """Take *hostgroup* in, with the path of each of its servers."""
        self.hostgroups.append((path, hostgroup))
        self.server_paths[path] = server_paths

    @classmethod
    def of(cls, config: RouterConfig) -> Draft:
        """The draft that a finished configuration could have come from."""
        draft = cls(
            databases=dict(config.databases),
            database_paths={name: ("databases", name) for name in config.databases},
            database_names=set(config.databases),
            rules=[(("query_rules", index), rule) for index, rule in enumerate(config.query_rules)],
            fast_routes=[
                (("query_rules_fast_routing", index), route) for index, route in enumerate(config.query_rules_fast_routing)
            ],
            groups={name: getattr(config, name) for name in ("pool", "probe", "breaker", "retry", "timeouts")},
            processing=config,
        )
        for name, database in config.databases.items():
            for key in ("writer_hostgroup", "reader_hostgroup"):
                if (number := getattr(database, key)) is not None:
                    draft.owners.setdefault(number, []).append((name, key))
        for index, hostgroup in enumerate(config.hostgroups):
            path: Path = ("hostgroups", index)
            draft.add_hostgroup(path, hostgroup, [(*path, "servers", number) for number in range(len(hostgroup.servers))])
        return draft


def check(draft: Draft, problems: Problems) -> None:
    """Note in *problems* whatever contradicts itself in *draft*."""
    _Checks(draft, problems).run()


def check_rules(draft: Draft, problems: Problems) -> None:
    """Note in *problems* what is wrong with the rules of *draft*, and nothing else."""
    _Checks(draft, problems).rules()


class _Checks:
    def __init__(self, draft: Draft, problems: Problems) -> None:
        self._draft = draft
        self._problems = problems
        self._by_id = {hostgroup.id: hostgroup for _, hostgroup in draft.hostgroups}
        self._known_ids = set(self._by_id) | draft.broken_hostgroups
        groups = draft.groups
        self._pool: PoolSettings = groups["pool"]
        self._probe: ProbeSettings = groups["probe"]
        self._breaker: BreakerSettings = groups["breaker"]
        self._retry: RetrySettings = groups["retry"]
        self._timeouts: TimeoutSettings = groups["timeouts"]

    def run(self) -> None:
        self._groups()
        for name, database in self._draft.databases.items():
            self._database(name, database, self._draft.database_paths[name])
        self._duplicate_hostgroups()
        for path, hostgroup in self._draft.hostgroups:
            self._ownership(path, hostgroup)
            self._servers(path, hostgroup)
        self._shared_nodes()
        self.rules()

    def rules(self) -> None:
        self._duplicate_rules()
        for path, rule in self._draft.rules:
            self._rule(path, rule)
        self._fast_keys: set[tuple[str, str, int]] = set()
        for path, route in self._draft.fast_routes:
            self._fast_route(path, route)

    def _add(self, path: Path, message: str) -> None:
        self._problems.add(path, message)

    def _conflicts(self, path: Path, settings: Settings, written: Settings | None) -> None:
        """Say a contradiction where it was written: at the override that made it, with the values merged."""
        if written is not None:
            for key, message in settings.conflicts():
                self._add((*path, key), message)

    def _groups(self) -> None:
        for name, group in self._draft.groups.items():
            self._conflicts((name,), group, group)
        for path, hostgroup in self._draft.hostgroups:
            for name, top in self._draft.groups.items():
                over: Settings | None = getattr(hostgroup, name)
                merged = top.overlay(over)
                self._conflicts((*path, name), merged, over)
                for server_path, server in zip(self._draft.server_paths[path], hostgroup.servers, strict=True):
                    nearest: Settings | None = getattr(server, name)
                    self._conflicts((*server_path, name), merged.overlay(nearest), nearest)

    def _database(self, name: str, database: DatabaseSettings, path: Path) -> None:
        for key in ("writer_hostgroup", "reader_hostgroup"):
            number = getattr(database, key)
            if number is not None and number not in self._known_ids and number >= 0:
                known = ", ".join(str(known) for known in sorted(self._known_ids)) or "none"
                self._add((*path, key), f"there is no hostgroup {number}; there are {known}")
        default = self._by_id.get(database.default_hostgroup) if database.default_hostgroup is not None else None
        if database.default_hostgroup is not None and database.default_hostgroup not in self._known_ids:
            known = ", ".join(str(known) for known in sorted(self._known_ids)) or "none"
            self._add((*path, "default_hostgroup"), f"there is no hostgroup {database.default_hostgroup}; there are {known}")
        elif default is not None and default.database not in ("", name):
            self._add((*path, "default_hostgroup"), f"hostgroup {default.id} is {default.database}'s, not {name}'s")
        if database.writer_hostgroup == database.reader_hostgroup:
            self._add(
                (*path, "reader_hostgroup"),
                f"hostgroup {database.reader_hostgroup} cannot be writer and reader at once; to read from the primary too, "
                "name its server in both hostgroups, or leave reader_hostgroup out",
            )
        for setting, value in database.server_settings.items():
            if not _SETTING_NAME.fullmatch(setting):
                self._add((*path, "server_settings"), "has a key that is not the name of a server setting")
            elif "\0" in value:
                self._add((*path, "server_settings", setting), "has a NUL character")
        if name in self._draft.unsure_engines:
            return
        if database.engine is Engine.POSTGRESQL and database.driver != "asyncpg":
            self._add((*path, "driver"), f"{database.driver} is no driver of postgresql; asyncpg is")
        if database.engine is Engine.MYSQL and database.driver == "asyncpg":
            self._add((*path, "driver"), "asyncpg is no driver of mysql; aiomysql and asyncmy are")
        if database.engine is Engine.MYSQL and database.via is Via.PGBOUNCER:
            self._add((*path, "via"), "pgbouncer speaks PostgreSQL only")
        if database.engine is Engine.POSTGRESQL and database.found_rows:
            self._add((*path, "found_rows"), "is for mysql; PostgreSQL always counts matched rows")
        if database.tls.mode is TlsMode.DISABLE and (database.tls.ca or database.tls.cert or database.tls.key):
            self._add((*path, "tls"), "mode disable does not go with ca, cert or key")
        if database.tls.key and not database.tls.cert:
            self._add((*path, "tls"), "a key needs its cert")

    def _duplicate_hostgroups(self) -> None:
        ids: dict[int, Path] = {}
        names: dict[str, Path] = {}
        for path, hostgroup in self._draft.hostgroups:
            if hostgroup.id in ids:
                self._add((*path, "id"), f"hostgroup {hostgroup.id} is there twice")
            shown = self._problems.show((*path, "name"), hostgroup.name)
            if hostgroup.name in names:
                self._add((*path, "name"), f"the name {shown} is of another hostgroup already")
            elif hostgroup.name.isdigit() and hostgroup.name != str(hostgroup.id):
                self._add((*path, "name"), f"the name {shown} could be taken for an id")
            ids.setdefault(hostgroup.id, path)
            names.setdefault(hostgroup.name, path)

    def _ownership(self, path: Path, hostgroup: HostgroupSettings) -> None:
        owners = self._draft.owners.get(hostgroup.id, [])
        names = list(dict.fromkeys(name for name, _ in owners))
        number, written = hostgroup.id, hostgroup.database
        if written and written not in self._draft.database_names:
            self._add((*path, "database"), self._no_database((*path, "database"), written))
        elif len(names) > 1:
            self._add(path, f"hostgroup {number} is named by {' and '.join(names)}; a hostgroup belongs to one database")
        elif names and written and written != names[0]:
            self._add((*path, "database"), f"hostgroup {number} is {names[0]}'s (its {owners[0][1]}), not {written}'s")
        elif not names and not written and not self._draft.unsure_owners:
            advice = "name it as writer_hostgroup or reader_hostgroup, or give it database: NAME"
            self._add(path, f"hostgroup {number} is used by no database; {advice}")
        if not any(key == "writer_hostgroup" for _, key in owners):
            return
        if hostgroup.max_replication_lag is not None:
            self._add((*path, "max_replication_lag"), "is for replicas; a primary has no lag")
        if hostgroup.when_empty is WhenEmpty.WRITER:
            self._add((*path, "when_empty"), "writer is this hostgroup itself; wait or fail")
        if hostgroup.read_only:
            self._add((*path, "read_only"), "the writer hostgroup takes writes; its connections cannot be read-only")

    def _servers(self, path: Path, hostgroup: HostgroupSettings) -> None:
        paths = self._draft.server_paths[path]
        seen: set[str] = set()
        for server_path, server in zip(paths, hostgroup.servers, strict=True):
            if server.port == 0 and not server.socket:
                self._add((*server_path, "port"), "0 is not a port (1–65535)")
            if server.node_id in seen:
                self._add(server_path, f"{server.node_id} is in hostgroup {hostgroup.id} twice; use weight to give it more")
            seen.add(server.node_id)
        if hostgroup.servers and not any(server.weight for server in hostgroup.servers):
            self._add((*path, "servers"), "every weight is 0, so no server would ever be chosen")
        online = [server for server in hostgroup.servers if server.status is ServerStatus.ONLINE]
        writer = any(key == "writer_hostgroup" for _, key in self._draft.owners.get(hostgroup.id, []))
        if writer and len(online) > 1:
            names = ", ".join(server.node_id for server in online)
            self._add(
                paths[1] if len(paths) == len(hostgroup.servers) > 1 else path,
                f"a writer hostgroup has one online server, and hostgroup {hostgroup.id} has {len(online)} ({names}): "
                "two would split the writes; "
                "give the stand-by status: offline",
            )

    def _shared_nodes(self) -> None:
        """A server in several hostgroups of a database is one node: one probe, one breaker."""
        mentions: dict[tuple[str, str], list[tuple[Path, int, dict[str, Settings]]]] = defaultdict(list)
        for path, hostgroup in self._draft.hostgroups:
            for server_path, server in zip(self._draft.server_paths[path], hostgroup.servers, strict=True):
                merged: dict[str, Settings] = {
                    "probe": self._probe.overlay(hostgroup.probe, server.probe),
                    "breaker": self._breaker.overlay(hostgroup.breaker, server.breaker),
                }
                mentions[hostgroup.database, server.node_id].append((server_path, hostgroup.id, merged))
        for (_, node), (first, *others) in mentions.items():
            for server_path, number, merged in others:
                for name in merged:
                    for key, mine, theirs in _differences(merged[name], first[2][name]):
                        self._add(
                            (*server_path, name),
                            f"{node} is one node in hostgroups {first[1]} and {number}, with one {name}, but its {key} "
                            f"is {theirs} there and {mine} here",
                        )

    def _duplicate_rules(self) -> None:
        seen: set[int] = set()
        for path, rule in self._draft.rules:
            if rule.rule_id in seen:
                self._add((*path, "rule_id"), f"rule {rule.rule_id} is there twice")
            seen.add(rule.rule_id)

    def _rule(self, path: Path, rule: RuleSettings) -> None:
        if rule.database is not None and rule.database not in self._draft.database_names:
            self._add((*path, "database"), self._no_database((*path, "database"), rule.database))
        for key in ("match_digest", "match_pattern"):
            pattern, where = getattr(rule, key), (*path, key)
            quote = self._problems.may_quote(where)
            if pattern and (wrong := pattern_problem(pattern, caseless=rule.caseless, quote=quote)):
                self._add(where, f"{self._problems.show(where, pattern)} {wrong}")
            elif pattern and key == "match_pattern" and rule.replace_pattern is not None:
                self._replacement((*path, "replace_pattern"), pattern, rule)
        if rule.replace_pattern is not None and rule.match_pattern is None:
            self._add((*path, "replace_pattern"), "replaces what match_pattern finds, and the rule has no match_pattern")
        if rule.destination_hostgroup is not None:
            self._destination((*path, "destination_hostgroup"), rule, rule.destination_hostgroup)
        elif rule.unsafe and rule.mirror_hostgroup is None and rule.mirror_flagOUT is None:
            self._add((*path, "unsafe"), "lifts the veto on this rule's destination or mirror, and the rule has neither")
        if rule.gtid_from_hostgroup is not None:
            self._own((*path, "gtid_from_hostgroup"), rule.database, rule.gtid_from_hostgroup)
        if rule.mirror_hostgroup is not None:
            self._mirror((*path, "mirror_hostgroup"), rule, rule.mirror_hostgroup)

    def _replacement(self, path: Path, pattern: str, rule: RuleSettings) -> None:
        if wrong := replacement_problem(pattern, rule.replace_pattern or "", caseless=rule.caseless):
            self._add(path, f"{self._problems.show(path, rule.replace_pattern)} {wrong}")

    def _mirror(self, path: Path, rule: RuleSettings, number: int) -> None:
        hostgroup = self._known_hostgroup(path, number)
        target = self._draft.databases.get(hostgroup.database) if hostgroup is not None else None
        if target is None or self._draft.unsure_engines:
            return
        names = [rule.database] if rule.database is not None else list(self._draft.databases)
        for name in names:
            source = self._draft.databases.get(name)
            if source is not None and source.engine is not target.engine:
                self._add(
                    path,
                    f"hostgroup {number} speaks {target.engine}, and the rule matches statements of {name}, which are "
                    f"{source.engine}; add database: to the rule",
                )

    def _fast_route(self, path: Path, route: FastRouteSettings) -> None:
        self._own((*path, "destination_hostgroup"), None, route.destination_hostgroup, one_database=False)
        key = (route.username, route.schemaname, route.flagIN)
        if key in self._fast_keys:
            self._add(path, f"username {route.username!r}, schemaname {route.schemaname!r}, flagIN {route.flagIN} is there twice")
        self._fast_keys.add(key)

    def _no_database(self, path: Path, written: str) -> str:
        names = sorted(self._draft.database_names)
        near = did_you_mean(written, names) or f"; there are {', '.join(names) or 'none'}"
        return f"there is no database {self._problems.show(path, written)}{near}"

    def _destination(self, path: Path, rule: RuleSettings, number: int) -> None:
        hostgroup = self._own(path, rule.database, number)
        if hostgroup is not None and rule.unsafe and hostgroup.read_only:
            self._add(
                (*path[:-1], "unsafe"),
                f"needs read_only: false in hostgroup {number}: its connections are read-only and would refuse the write",
            )

    def _known_hostgroup(self, path: Path, number: int) -> HostgroupSettings | None:
        hostgroup = self._by_id.get(number)
        if hostgroup is None and number not in self._known_ids:
            known = ", ".join(str(known) for known in sorted(self._known_ids)) or "none"
            self._add(path, f"there is no hostgroup {number}; there are {known}")
        return hostgroup if hostgroup is not None and hostgroup.database else None

    def _own(self, path: Path, database: str | None, number: int, *, one_database: bool = True) -> HostgroupSettings | None:
        """The hostgroup with that number, which must be of the database that the rule is for."""
        names = self._draft.database_names
        hostgroup = self._known_hostgroup(path, number)
        if hostgroup is None:
            return None
        owner = hostgroup.database
        if database is not None and database in names and database != owner:
            self._add(path, f"hostgroup {number} is {owner}'s, and the rule is for {database}")
        elif database is None and one_database and len(names) > 1:
            others = ", ".join(sorted(names - {owner}))
            self._add(
                path,
                f"hostgroup {number} is {owner}'s, but the rule would match statements of {others} too; add database: {owner}",
            )
        return hostgroup


def _differences(mine: Settings, theirs: Settings) -> Iterator[tuple[str, Any, Any]]:
    for key in type(mine).model_fields:
        if getattr(mine, key) != getattr(theirs, key):
            yield key, getattr(mine, key), getattr(theirs, key)
