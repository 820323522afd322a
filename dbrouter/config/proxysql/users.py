"""ProxySQL's users: who logs in to the servers of a database, and what the database is called."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from dbrouter.config.problems import Problems
from dbrouter.config.proxysql.clusters import Cluster, User
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.servers import NoteOf, ServerTable
from dbrouter.config.proxysql.tables import Family, Row
from dbrouter.config.proxysql.values import truth, whole

_STORED = (
    (re.compile(r"\*[0-9A-F]{40}", re.IGNORECASE), "a mysql_native_password hash"),
    (re.compile(r"\$A\$\d+\$.+", re.DOTALL), "a caching_sha2_password hash"),
    (re.compile(r"md5[0-9a-f]{32}"), "an MD5 hash"),
    (re.compile(r"SCRAM-SHA-256\$.+", re.DOTALL), "a SCRAM secret"),
)


def stored_form(password: str) -> str | None:
    """What *password* is where it is not the password itself but what a server stores of it."""
    return next((name for pattern, name in _STORED if pattern.fullmatch(password)), None)


def read_users(family: Family, problems: Problems, note: NoteOf, only: str | None) -> list[User]:
    """
    The users that may send statements to servers, each once.

    Args:
        only: the one user that is wanted.
    """
    users: dict[str, User] = {}
    for row in family.users:
        name = row.get("username")
        row.label = str(name)
        number = whole(row.get("default_hostgroup", 0))
        if not isinstance(name, str):
            problems.add(row.path, "username is missing" if name is None else "username is not text", expected="a name")
        elif not isinstance(number, int):
            problems.add(row.at("default_hostgroup"), "is not the number of a hostgroup", expected="0 or more")
        elif truth(row.get("active", 1)) is False:
            note(row, "", Outcome.DROPPED, "the user is not active")
        elif only is not None and name != only:
            note(row, "", Outcome.DROPPED, f"only {only} is wanted")
        elif truth(row.get("backend", 1)) is False and name in {
            str(other.get("username")) for other in family.users if other is not row
        }:
            note(row, "", Outcome.DROPPED, "the same user's row for the servers is taken")
        elif name not in users:
            users[name] = User(row, name, number, row.get("default_schema") or None)
    if only is not None and only not in users and family.users:
        known = ", ".join(str(row.get("username")) for row in family.users)
        problems.add((f"{family.prefix}_users",), f"there is no active user {only!r}; there are {known}")
    return list(users.values())


def login(row: Row, cluster: Cluster, servers: ServerTable) -> bool:
    """Whether the row of a ``databases`` list speaks of *cluster*: of one of its servers, or of its user."""
    row.label = row.label or f"{row.get('hostname', '')}:{row.get('port', '')}/{row.get('dbname', '')}"
    if servers.has(cluster.hostgroups, row.get("hostname"), row.get("port")):
        return True
    return row.get("hostname") is None and any(user.name == row.get("username") for user in cluster.users)


def database_name(cluster: Cluster, schema: Any, taken: Container[str]) -> str:
    """What the database of *cluster* is called: as its schema, else its user, else by the number of its writer hostgroup."""
    user = cluster.users[0] if cluster.users else None
    comment = str(user.row.get("comment", "")) if user is not None else ""
    named = comment.removeprefix("dbrouter: ") if comment.startswith("dbrouter: ") else None
    number = f"hostgroup-{cluster.writer}"
    wishes = (named, schema, user.name if user is not None else None, number)
    for wish in wishes:
        if isinstance(wish, str) and re.fullmatch(r"[\w.-]+", wish) and wish not in taken:
            return wish
    return number if number not in taken else f"{number}-2"
