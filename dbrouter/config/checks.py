"""
What must hold between the pieces of a configuration: references, ownership, duplicates, contradictions.

`check` notes everything at once, and each mistake once. It looks at the pieces that could be read; what refers to a piece that is
broken itself, or follows from a problem that is there already (`Problems.doubts`), is not reported again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.breadth import MAX_BREADTH_OF_ALL
from dbrouter.config.model import (
    DatabaseSettings,
    HostgroupSettings,
    ProcessingSettings,
    RouterConfig,
    ServerSettings,
    TlsMode,
    Via,
)
from dbrouter.config.patterns import judge_pattern, replacement_problem
from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.config.rules import FastRouteSettings, RuleSettings
from dbrouter.config.schema import Settings
from dbrouter.terms import Engine, ServerStatus, WhenEmpty

_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_PLACE = ("host", "port", "socket", "database")
"""Keys of a server that say which node it is."""
_TARGETS = ("destination_hostgroup", "mirror_hostgroup", "mirror_flagOUT")


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
    """Ids of hostgroups that are written, but could not be read."""
    incomplete: set[Path] = field(default_factory=set)
    """The paths of hostgroups of which a server could not be read."""
    unsure_ids: bool = False
    """Whether there may be hostgroups whose ids could not be read."""
    missing_hostgroups: set[int] = field(default_factory=set)
    """Ids that databases name and no hostgroup has, which was reported."""
    unsure_databases: bool = False
    """Whether there may be databases whose names could not be read."""
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
    shadow: tuple[Draft, Problems] | None = None
    """This configuration with the rules of `shadow_rules` in place of its own, and the problems of their file."""

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
        self._by_id: dict[int, HostgroupSettings] = {}
        self._path_of: dict[int, Path] = {}
        for path, hostgroup in draft.hostgroups:
            self._by_id.setdefault(hostgroup.id, hostgroup)
            self._path_of.setdefault(hostgroup.id, path)
        counted = Counter(hostgroup.id for _, hostgroup in draft.hostgroups)
        self._ambiguous = {number for number, count in counted.items() if count > 1}
        self._unsure_ids = draft.unsure_ids or bool(self._ambiguous)
        self._known_ids = set(self._by_id) | draft.broken_hostgroups
        self._disputed: set[int] = set()
        """Hostgroups of which it was reported that their database is not clear."""
        self._broad: list[tuple[int, Path, int]] = []
        """(breadth, where, rule) of the patterns of active rules that are broad at all."""

    def run(self) -> None:
        self._groups()
        self._references()
        for path, hostgroup in self._draft.hostgroups:
            if self._path_of[hostgroup.id] != path:
                self._add((*path, "id"), f"hostgroup {hostgroup.id} is there twice")
                continue
            self._ownership(path, hostgroup)
            self._servers(path, hostgroup)
        self._names()
        for name, database in self._draft.databases.items():
            self._database(name, database, self._draft.database_paths[name])
        self._shared_nodes()
        self.rules()

    def rules(self) -> None:
        self._duplicate_rules()
        for path, rule in self._draft.rules:
            self._rule(path, rule)
        self._broad_rules()
        self._fast_keys: set[tuple[str, str, int]] = set()
        for path, route in self._draft.fast_routes:
            self._fast_route(path, route)

    def _add(self, path: Path, message: str) -> None:
        self._problems.add(path, message)

    def _doubts(self, path: Path, *keys: str) -> bool:
        """Whether something is wrong with one of *keys* of what stands at *path*."""
        return self._problems.doubts(*((*path, key) for key in keys))

    def _conflicts(self, layers: list[Path], settings: Settings, written: Settings | None) -> None:
        """
        Say a contradiction where it was written: at the override that made it, with the values merged.

        Args:
            layers: where the merged settings come from, the last of them being *written*'s.
        """
        for key, other, message in settings.conflicts() if written is not None else ():
            if not any(self._doubts(layer, key, other) for layer in layers):
                place = other if written is not None and key not in written.model_fields_set >= {other} else key
                self._add((*layers[-1], place), message)

    def _groups(self) -> None:
        for name, group in self._draft.groups.items():
            self._conflicts([(name,)], group, group)
        for path, hostgroup in self._draft.hostgroups:
            for name, top in self._draft.groups.items():
                over: Settings | None = getattr(hostgroup, name)
                merged = top.overlay(over)
                layers: list[Path] = [(name,), (*path, name)]
                self._conflicts(layers, merged, over)
                for server_path, server in zip(self._draft.server_paths[path], hostgroup.servers, strict=True):
                    nearest: Settings | None = getattr(server, name)
                    self._conflicts([*layers, (*server_path, name)], merged.overlay(nearest), nearest)

    def _references(self) -> None:
        """Every hostgroup that a database names is there."""
        for name, database in self._draft.databases.items():
            for key in ("writer_hostgroup", "reader_hostgroup", "default_hostgroup"):
                number = getattr(database, key)
                path: Path = (*self._draft.database_paths[name], key)
                if number is not None and self._is_missing(path, number):
                    self._draft.missing_hostgroups.add(number)

    def _is_missing(self, path: Path, number: int) -> bool:
        """Whether no hostgroup has this id, which is reported unless it was before or may follow from something else."""
        if number in self._known_ids or self._problems.doubts(path):
            return False
        if number not in self._draft.missing_hostgroups and not self._unsure_ids:
            known = ", ".join(str(known) for known in sorted(self._known_ids)) or "none"
            self._add(path, f"there is no hostgroup {number}; there are {known}")
        return True

    def _database(self, name: str, database: DatabaseSettings, path: Path) -> None:
        default = self._hostgroup((*path, "default_hostgroup"), database.default_hostgroup)
        if default is not None and default.database != name:
            self._add((*path, "default_hostgroup"), f"hostgroup {default.id} is {default.database}'s, not {name}'s")
        if database.writer_hostgroup == database.reader_hostgroup and database.writer_hostgroup not in self._ambiguous:
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
        if database.tls.mode is TlsMode.DISABLE and (database.tls.ca or database.tls.cert or database.tls.key):
            self._add((*path, "tls"), "mode disable does not go with ca, cert or key")
        if database.tls.key and not database.tls.cert and not self._doubts((*path, "tls"), "cert"):
            self._add((*path, "tls"), "a key needs its cert")
        if name not in self._draft.unsure_engines:
            self._engine(database, path)

    def _engine(self, database: DatabaseSettings, path: Path) -> None:
        """What is for one engine only."""
        postgresql = database.engine is Engine.POSTGRESQL
        if postgresql and database.driver != "asyncpg":
            self._add((*path, "driver"), f"{database.driver} is no driver of postgresql; asyncpg is")
        if not postgresql and database.driver == "asyncpg" and not self._doubts(path, "driver"):
            self._add((*path, "driver"), "asyncpg is no driver of mysql; aiomysql and asyncmy are")
        if not postgresql and database.via is Via.PGBOUNCER:
            self._add((*path, "via"), "pgbouncer speaks PostgreSQL only")
        if postgresql and database.found_rows:
            self._add((*path, "found_rows"), "is for mysql; PostgreSQL always counts matched rows")

    def _names(self) -> None:
        names: set[str] = set()
        for path, hostgroup in self._draft.hostgroups:
            if self._doubts(path, "name", "id"):
                continue
            shown = self._problems.show((*path, "name"), hostgroup.name)
            if hostgroup.name in names:
                self._add((*path, "name"), f"the name {shown} is of another hostgroup already")
            elif hostgroup.name.isdigit() and hostgroup.name != str(hostgroup.id):
                self._add((*path, "name"), f"the name {shown} could be taken for an id")
            names.add(hostgroup.name)

    def _ownership(self, path: Path, hostgroup: HostgroupSettings) -> None:
        owners = self._draft.owners.get(hostgroup.id, [])
        names = list(dict.fromkeys(name for name, _ in owners))
        number, written = hostgroup.id, hostgroup.database
        unclear = self._draft.unsure_owners or self._draft.missing_hostgroups or self._doubts(path, "database")
        before = len(self._problems)
        if written and not self._is_database(written):
            self._no_database((*path, "database"), written)
            self._disputed.add(number)
        elif len(names) > 1:
            self._add(path, f"hostgroup {number} is named by {' and '.join(names)}; a hostgroup belongs to one database")
        elif names and written and written != names[0]:
            self._add((*path, "database"), f"hostgroup {number} is {names[0]}'s (its {owners[0][1]}), not {written}'s")
        elif not names and not written and not unclear and not self._lost_its_name(number):
            advice = "name it as writer_hostgroup or reader_hostgroup, or give it database: NAME"
            self._add(path, f"hostgroup {number} is used by no database; {advice}")
        if len(self._problems) > before:
            self._disputed.add(number)
        roles = {key for _, key in owners}
        if roles == {"writer_hostgroup"} and number not in self._disputed:
            self._writer(path, hostgroup)

    def _lost_its_name(self, number: int) -> bool:
        """Whether two databases name one hostgroup, so that one of them may have meant this one."""
        return any(len(owners) > 1 and other != number for other, owners in self._draft.owners.items())

    def _writer(self, path: Path, hostgroup: HostgroupSettings) -> None:
        if hostgroup.max_replication_lag is not None:
            self._add((*path, "max_replication_lag"), "is for replicas; a primary has no lag")
        if hostgroup.when_empty is WhenEmpty.WRITER and not self._doubts(path, "when_empty"):
            self._add((*path, "when_empty"), "writer is this hostgroup itself; wait or fail")
        if hostgroup.read_only and not self._doubts(path, "read_only"):
            self._add((*path, "read_only"), "the writer hostgroup takes writes; its connections cannot be read-only")
        servers = list(zip(self._draft.server_paths[path], hostgroup.servers, strict=True))
        online = [
            (server_path, server)
            for server_path, server in servers
            if server.status is ServerStatus.ONLINE and not self._doubts(server_path, "status")
        ]
        if len(online) > 1 and not self._twice(path, hostgroup):
            names = ", ".join(server.node_id for _, server in online)
            self._add(
                online[1][0],
                f"a writer hostgroup has one online server, and hostgroup {hostgroup.id} has {len(online)} ({names}): "
                "two would split the writes; "
                "give the stand-by status: offline",
            )

    def _twice(self, path: Path, hostgroup: HostgroupSettings) -> dict[str, Path]:
        """Servers that the hostgroup names more than once: the second place of each."""
        seen: set[str] = set()
        twice: dict[str, Path] = {}
        for server_path, server in zip(self._draft.server_paths[path], hostgroup.servers, strict=True):
            if self._doubts(server_path, *_PLACE):
                continue
            if server.node_id in seen:
                twice.setdefault(server.node_id, server_path)
            seen.add(server.node_id)
        return twice

    def _servers(self, path: Path, hostgroup: HostgroupSettings) -> None:
        paths = self._draft.server_paths[path]
        for server_path, server in zip(paths, hostgroup.servers, strict=True):
            if server.port == 0 and not server.socket and not self._doubts(server_path, "port"):
                self._add((*server_path, "port"), "0 is not a port (1–65535)")
        for node, server_path in self._twice(path, hostgroup).items():
            self._add(server_path, f"{node} is in hostgroup {hostgroup.id} twice; use weight to give it more")
        sure = path not in self._draft.incomplete and not any(self._doubts(server_path, "weight") for server_path in paths)
        if sure and hostgroup.servers and not any(server.weight for server in hostgroup.servers):
            self._add((*path, "servers"), "every weight is 0, so no server would ever be chosen")

    def _shared_nodes(self) -> None:
        """A server in several hostgroups of a database is one node: one probe, one breaker."""
        mentions: dict[tuple[str, str], list[_Mention]] = defaultdict(list)
        twice: set[tuple[str, str]] = set()
        for path, hostgroup in self._draft.hostgroups:
            if self._path_of[hostgroup.id] != path or hostgroup.id in self._disputed:
                continue
            twice |= {(hostgroup.database, node) for node in self._twice(path, hostgroup)}
            for server_path, server in zip(self._draft.server_paths[path], hostgroup.servers, strict=True):
                if not self._doubts(server_path, *_PLACE):
                    mentions[hostgroup.database, server.node_id].append(_Mention(path, server_path, hostgroup, server))
        for (database, node), (first, *others) in mentions.items():
            for mention in others if (database, node) not in twice else ():
                for name in ("probe", "breaker"):
                    self._differences(node, name, first, mention)

    def _differences(self, node: str, name: str, first: _Mention, mention: _Mention) -> None:
        top: Settings = self._draft.groups[name]
        theirs, mine = first.merged(name, top), mention.merged(name, top)
        layers = [(name,), *((*path, name) for one in (first, mention) for path in (one.path, one.server_path))]
        for key in type(mine).model_fields:
            here, there = getattr(mine, key), getattr(theirs, key)
            if here != there and not any(self._doubts(layer, key) for layer in layers):
                self._problems.add(
                    (*mention.server_path, name),
                    f"{node} is one node in hostgroups {first.hostgroup.id} and {mention.hostgroup.id}, with one {name}, but its "
                    f"{key} is {there} there and {here} here",
                )

    def _duplicate_rules(self) -> None:
        seen: set[int] = set()
        for path, rule in self._draft.rules:
            if rule.rule_id in seen:
                self._add((*path, "rule_id"), f"rule {rule.rule_id} is there twice")
            seen.add(rule.rule_id)

    def _broad_rules(self) -> None:
        """Patterns that are each narrow enough, and together are not."""
        together = sum(broad for broad, _, _ in self._broad)
        if together <= MAX_BREADTH_OF_ALL:
            return
        broadest = sorted(self._broad, key=lambda one: -one[0])[:3]
        named = ", ".join(f"rule {rule_id}'s {where[-1]} ({broad})" for broad, where, rule_id in broadest)
        self._add(
            broadest[0][1],
            f"the patterns of the active rules are too broad together: a text can be at {together} places at once (at most "
            f"{MAX_BREADTH_OF_ALL}), and each takes time at each character of a statement that is seen for the first time; the "
            f"broadest are {named}; x* or x+ is one place, x{{0,1000}} is a thousand",
        )

    def _rule(self, path: Path, rule: RuleSettings) -> None:
        if rule.database is not None and not self._is_database(rule.database):
            self._no_database((*path, "database"), rule.database)
        for key in ("match_digest", "match_pattern"):
            pattern, where = getattr(rule, key), (*path, key)
            quote = self._problems.may_quote(where)
            if not pattern:
                continue
            wrong, broad = judge_pattern(pattern, caseless=rule.caseless, quote=quote)
            if wrong:
                self._add(where, f"{self._problems.show(where, pattern)} {wrong}")
                continue
            if broad and rule.active:
                self._broad.append((broad, where, rule.rule_id))
            if key == "match_pattern" and rule.replace_pattern is not None:
                self._replacement((*path, "replace_pattern"), pattern, rule)
        if rule.replace_pattern is not None and rule.match_pattern is None and not self._doubts(path, "match_pattern"):
            self._add((*path, "replace_pattern"), "replaces what match_pattern finds, and the rule has no match_pattern")
        if rule.destination_hostgroup is not None:
            self._destination((*path, "destination_hostgroup"), rule, rule.destination_hostgroup)
        elif rule.unsafe and rule.mirror_hostgroup is None and rule.mirror_flagOUT is None and not self._doubts(path, *_TARGETS):
            self._add((*path, "unsafe"), "lifts the veto on this rule's destination or mirror, and the rule has neither")
        # A destination narrows a rule to its database; where it did not, that database is not clear.
        doubtful = rule.destination_hostgroup is not None or self._doubts(path, "database", "destination_hostgroup")
        sure = rule.database is not None or not doubtful
        if rule.gtid_from_hostgroup is not None:
            self._own((*path, "gtid_from_hostgroup"), rule.database, rule.gtid_from_hostgroup, one_database=sure)
        if rule.mirror_hostgroup is not None and sure:
            self._mirror((*path, "mirror_hostgroup"), rule, rule.mirror_hostgroup)

    def _replacement(self, path: Path, pattern: str, rule: RuleSettings) -> None:
        if wrong := replacement_problem(pattern, rule.replace_pattern or "", caseless=rule.caseless):
            self._add(path, f"{self._problems.show(path, rule.replace_pattern)} {wrong}")

    def _mirror(self, path: Path, rule: RuleSettings, number: int) -> None:
        hostgroup = self._hostgroup(path, number)
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
        if self._doubts(path, "username", "schemaname", "flagIN"):
            return
        key = (route.username, route.schemaname, route.flagIN)
        if key in self._fast_keys:
            self._add(path, f"username {route.username!r}, schemaname {route.schemaname!r}, flagIN {route.flagIN} is there twice")
        self._fast_keys.add(key)

    def _is_database(self, name: str) -> bool:
        return name in self._draft.database_names or self._draft.unsure_databases

    def _no_database(self, path: Path, written: str) -> None:
        names = sorted(self._draft.database_names)
        near = did_you_mean(written, names) or f"; there are {', '.join(names) or 'none'}"
        self._add(path, f"there is no database {self._problems.show(path, written)}{near}")

    def _destination(self, path: Path, rule: RuleSettings, number: int) -> None:
        one_database = not self._doubts(path[:-1], "database")
        hostgroup = self._own(path, rule.database, number, one_database=one_database)
        if hostgroup is None or not rule.unsafe or not hostgroup.read_only:
            return
        if not self._doubts(self._path_of[number], "read_only"):
            self._add(
                (*path[:-1], "unsafe"),
                f"needs read_only: false in hostgroup {number}: its connections are read-only and would refuse the write",
            )

    def _hostgroup(self, path: Path, number: int | None) -> HostgroupSettings | None:
        """The hostgroup that is named at *path*, where it is there (else that is reported) and its database is known."""
        if number is None or self._problems.doubts(path) or self._is_missing(path, number):
            return None
        hostgroup = self._by_id.get(number)
        return hostgroup if hostgroup is not None and hostgroup.database and number not in self._disputed else None

    def _own(self, path: Path, database: str | None, number: int, *, one_database: bool = True) -> HostgroupSettings | None:
        """The hostgroup with that number, which must be of the database that the rule is for."""
        names = self._draft.database_names
        hostgroup = self._hostgroup(path, number)
        if hostgroup is None:
            return None
        owner = hostgroup.database
        if database is not None and database in names and database != owner:
            self._add(path, f"hostgroup {number} is {owner}'s, and the rule is for {database}")
            return None
        if database is None and one_database and len(names) > 1:
            others = ", ".join(sorted(names - {owner}))
            self._add(
                path,
                f"hostgroup {number} is {owner}'s, but the rule would match statements of {others} too; add database: {owner}",
            )
            return None
        return hostgroup


@dataclass(frozen=True, slots=True)
class _Mention:
    """One place where a node is named."""

    path: Path
    server_path: Path
    hostgroup: HostgroupSettings
    server: ServerSettings

    def merged(self, name: str, top: Settings) -> Settings:
        """The settings of this group of keys that hold there."""
        return top.overlay(getattr(self.hostgroup, name), getattr(self.server, name))
