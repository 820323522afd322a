"""
What differs between two configurations, in words and for `Router.reload`: pure, and without a secret in it.

`diff` names every database, hostgroup, server, rule and setting that was added, removed or changed. Values are shown where they
are numbers, choices or truth values; texts (patterns, messages, server settings) only as "changed", because a variable may have
put anything into them. `renewing` and `refusals` say what a change of a database asks of a running router.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig
from dbrouter.config.problems import show_scalar
from dbrouter.config.rules import RuleSettings
from dbrouter.config.schema import Settings
from dbrouter.errors import Problem

_RENEWING = ("user", "database", "server_settings", "driver_options", "found_rows", "via")
"""Keys of a database that make its connections other ones; what was opened before is replaced as it comes back."""
_FIXED = ("engine", "driver")
_APART = frozenset({"databases", "hostgroups", "query_rules", "shadow_rules"})


class ChangeKind(StrEnum):
    """What happened to it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Subject(StrEnum):
    """What kind of thing it is."""

    DATABASE = "database"
    HOSTGROUP = "hostgroup"
    SERVER = "server"
    RULE = "rule"
    SHADOW_RULE = "shadow rule"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    subject: Subject
    name: str
    """A database's or a hostgroup's name, ``hostgroup/host:port``, a rule's number, or the key of a top setting."""
    kind: ChangeKind
    details: tuple[str, ...] = ()
    """Of a changed one: ``weight: 1 → 2``, ``match_digest changed``."""

    def __str__(self) -> str:
        details = f": {', '.join(self.details)}" if self.details else ""
        return f"{self.subject} {self.name} {self.kind}{details}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiff:
    """Everything that differs; falsy where nothing does."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def of(self, subject: Subject) -> tuple[Change, ...]:
        """The changes of one kind of thing."""
        return tuple(change for change in self.changes if change.subject is subject)

    def words(self) -> tuple[str, ...]:
        """One line for each change."""
        return tuple(str(change) for change in self.changes)


def diff(old: RouterConfig, new: RouterConfig) -> ConfigDiff:
    """What *new* has otherwise than *old*; falsy only where they are equal."""
    groups_old = {(group.database, group.id): group for group in old.hostgroups}
    groups_new = {(group.database, group.id): group for group in new.hostgroups}
    changes = (
        *_compared(Subject.DATABASE, old.databases, new.databases, ("name",)),
        *_default_database(old, new),
        *_compared(
            Subject.HOSTGROUP,
            {_group_name(group): group for group in groups_old.values()},
            {_group_name(groups_old.get(key, group)): group for key, group in groups_new.items()},
            ("servers", "id", "database"),
        ),
        *_servers(groups_old, groups_new),
        *_compared(Subject.RULE, _by_id(old.query_rules), _by_id(new.query_rules), ("rule_id",)),
        *_compared(Subject.SHADOW_RULE, _by_id(_shadow(old)), _by_id(_shadow(new)), ("rule_id",)),
        *_top(old, new),
    )
    if not changes and old != new:
        changes = (Change(subject=Subject.SETTING, name="order", kind=ChangeKind.CHANGED),)
    return ConfigDiff(changes=changes)


def renewing(old: DatabaseSettings, new: DatabaseSettings) -> tuple[str, ...]:
    """The keys by whose change connections opened before must not be used for calls that begin afterwards."""
    return tuple(key for key in _RENEWING if getattr(old, key) != getattr(new, key))


def refusals(old: RouterConfig, new: RouterConfig, file: str | None = None) -> tuple[Problem, ...]:
    """What of *new* a router that is open with *old* cannot become."""
    return tuple(
        Problem(
            message=f"{getattr(old.databases[name], key)} cannot become {getattr(database, key)} while the router is open;"
            " give the database another name, or open a new router",
            path=f"databases.{name}.{key}",
            file=file,
        )
        for name, database in new.databases.items()
        if name in old.databases
        for key in _FIXED
        if getattr(old.databases[name], key) != getattr(database, key)
    )


def _default_database(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    if old.default_database != new.default_database:
        detail = f"{old.default_database} → {new.default_database}"
        yield Change(subject=Subject.SETTING, name="default database", kind=ChangeKind.CHANGED, details=(detail,))


def _group_name(group: HostgroupSettings) -> str:
    return f"{group.id} '{group.name}'"


def _by_id(rules: Sequence[RuleSettings]) -> dict[str, RuleSettings]:
    return {str(rule.rule_id): rule for rule in rules}


def _shadow(config: RouterConfig) -> tuple[RuleSettings, ...]:
    return config.shadow_rules.query_rules if config.shadow_rules is not None else ()


def _compared(
    subject: Subject, old: Mapping[str, Settings], new: Mapping[str, Settings], without: tuple[str, ...]
) -> Iterator[Change]:
    for name in old:
        if name not in new:
            yield Change(subject=subject, name=name, kind=ChangeKind.REMOVED)
    for name, settings in new.items():
        before = old.get(name)
        if before is None:
            yield Change(subject=subject, name=name, kind=ChangeKind.ADDED)
        elif details := tuple(_details(before, settings, without)):
            yield Change(subject=subject, name=name, kind=ChangeKind.CHANGED, details=details)


def _servers(
    old: Mapping[tuple[str, int], HostgroupSettings], new: Mapping[tuple[str, int], HostgroupSettings]
) -> Iterator[Change]:
    def named(groups: Mapping[tuple[str, int], HostgroupSettings]) -> dict[str, Settings]:
        return {
            f"{old.get(key, group).name}/{server.node_id}": server for key, group in groups.items() for server in group.servers
        }

    yield from _compared(Subject.SERVER, named(old), named(new), ("host", "port"))


def _top(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    files = [None if config.shadow_rules is None else config.shadow_rules.file for config in (old, new)]
    if files[0] != files[1]:
        yield Change(subject=Subject.SETTING, name="shadow_rules", kind=ChangeKind.CHANGED)
    for name in RouterConfig.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if name in _APART or before == after:
            continue
        details = tuple(_details(before, after)) if isinstance(after, Settings) else (_shown(before, after),)
        yield Change(subject=Subject.SETTING, name=name, kind=ChangeKind.CHANGED, details=details)


def _details(old: Settings, new: Settings, without: tuple[str, ...] = (), prefix: str = "") -> Iterator[str]:
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if name in without or before == after:
            continue
        if isinstance(before, Settings) and isinstance(after, Settings):
            yield from _details(before, after, (), f"{prefix}{name}.")
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
            yield f"{prefix}{name} changed ({', '.join(sorted(map(str, keys)))})"
        else:
            shown = _shown(before, after)
            yield f"{prefix}{name} {shown}" if shown == "changed" else f"{prefix}{name}: {shown}"


def _shown(old: Any, new: Any) -> str:
    if _plain(old) and _plain(new):
        return f"{show_scalar(old)} → {show_scalar(new)}"
    return "changed"


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | Enum)
