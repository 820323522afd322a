"""
Which hostgroups of ProxySQL are one database of ours: a writer hostgroup, its readers, and whatever rules send its users to.

ProxySQL knows no databases: a user has a default hostgroup, and rules may send any statement anywhere. Here a database is a
writer hostgroup with what belongs to it, and one user to log in as. `find_clusters` decides by ids alone and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dbrouter.config.proxysql.tables import Row

READER_WORDS = ("read", "replica", "slave", "secondary")


@dataclass(frozen=True, slots=True)
class User:
    """A user as routing sees it."""

    row: Row
    name: str
    default: int
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """That statements of *username* (None: anybody) in *schema* (None: any) may be sent to *hostgroup*."""

    hostgroup: int
    username: str | None = None
    schema: str | None = None


@dataclass(slots=True)
class Cluster:
    """The hostgroups of one database-to-be."""

    writer: int
    reader: int | None = None
    others: list[int] = field(default_factory=list)
    """Hostgroups that only rules send statements to, the reader aside."""
    users: list[User] = field(default_factory=list)
    """Whose default hostgroup it has; the first one is who logs in: one whose statements go to the writer, where there is one."""
    own_users: bool = True
    """Whether *users* have their default hostgroup here; else rules bring them."""
    schema: str | None = None
    """The schema by which rules send statements here."""

    @property
    def hostgroups(self) -> tuple[int, ...]:
        """All of them, the writer first."""
        return (self.writer, *(() if self.reader is None else (self.reader,)), *self.others)


def find_clusters(
    hostgroups: Sequence[int],
    users: Sequence[User],
    pairs: Sequence[tuple[int, int]],
    sends: Sequence[Send],
    names: dict[int, str],
) -> list[Cluster]:
    """
    Every one of *hostgroups* in exactly one cluster.

    Args:
        hostgroups: those that have servers, in the order of the document.
        pairs: (writer, reader) of the replication hostgroups.
        names: what hostgroups are called, where anything calls them.
    """
    writer_of = {reader: writer for writer, reader in pairs}
    known = set(hostgroups)
    clusters: dict[int, Cluster] = {}
    for user in users:
        writer = writer_of.get(user.default, user.default)
        if writer in known:
            clusters.setdefault(writer, Cluster(writer)).users.append(user)
    for writer, _ in pairs:
        if writer in known:
            clusters.setdefault(writer, Cluster(writer))
    if not clusters and hostgroups:
        first = 0 if 0 in known else min(hostgroups)
        clusters[first] = Cluster(first)
    for writer, reader in pairs:
        if reader in known and writer in clusters and reader not in clusters and clusters[writer].reader is None:
            clusters[writer].reader = reader
    placed = {number for cluster in clusters.values() for number in cluster.hostgroups}
    for number in hostgroups:
        if number not in placed:
            _home(number, clusters, writer_of, sends).others.append(number)
    for cluster in clusters.values():
        cluster.users.sort(key=lambda user: user.default != cluster.writer)  # Who writes logs in; the order is kept otherwise.
        _finish(cluster, users, sends, names)
    return list(clusters.values())


def _home(number: int, clusters: dict[int, Cluster], writer_of: dict[int, int], sends: Iterable[Send]) -> Cluster:
    """The cluster whose users' statements rules send to hostgroup *number*; the first one where nothing tells."""
    if (writer := writer_of.get(number)) in clusters and writer is not None:
        return clusters[writer]
    mine = [send for send in sends if send.hostgroup == number]
    for cluster in clusters.values():
        if any(send.username == user.name for send in mine for user in cluster.users):
            return cluster
    for cluster in clusters.values():
        if any(send.schema is not None and send.schema == user.schema for send in mine for user in cluster.users):
            return cluster
    return next(iter(clusters.values()))


def _finish(cluster: Cluster, users: Sequence[User], sends: Sequence[Send], names: dict[int, str]) -> None:
    """Choose the reader where no replication hostgroups name it, and somebody to log in as."""
    if cluster.reader is None and cluster.others:
        said = [number for number in cluster.others if any(word in names.get(number, "").lower() for word in READER_WORDS)]
        sent = [send.hostgroup for send in sends if send.hostgroup in cluster.others]
        cluster.reader = (said or sent or cluster.others)[0]
        cluster.others.remove(cluster.reader)
    mine = [send for send in sends if send.hostgroup in cluster.hostgroups]
    if not cluster.users:
        by_rule = {send.username for send in mine if send.username is not None}
        cluster.users = [user for user in users if user.name in by_rule] or list(users)
        cluster.own_users = False
        schemas = {send.schema for send in mine if send.schema is not None}
        cluster.schema = schemas.pop() if len(schemas) == 1 else None
