"""
The glossary as types: identities that must not be mixed, and the closed sets every room speaks in.

Standard library only; imports nothing of the package. `docs/glossary.md` says the same words in prose.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NewType

NodeId = NewType("NodeId", str)
"""A server as the configuration names it, ``host:port`` or a socket path; unique within a database."""

HostgroupId = NewType("HostgroupId", int)
"""The number of a hostgroup, as in ProxySQL."""


class Engine(StrEnum):
    """The family a database belongs to: decides lexical rules and the driver."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


class Flavor(StrEnum):
    """What a server turned out to be at connect; verdict tables are keyed by it where codes diverge."""

    POSTGRESQL = "postgresql"
    PGBOUNCER = "pgbouncer"
    MYSQL = "mysql"
    MARIADB = "mariadb"


class Intent(StrEnum):
    """What a statement may do, as far as its text shows."""

    READ = "read"
    WRITE = "write"


class Role(StrEnum):
    """What a server is at the moment; `UNKNOWN` is never treated as primary."""

    PRIMARY = "primary"
    REPLICA = "replica"
    UNKNOWN = "unknown"


class Balance(StrEnum):
    """How a hostgroup chooses among usable nodes."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING = "least_outstanding"
    LATENCY = "latency"
    RANDOM = "random"


class WhenEmpty(StrEnum):
    """What a hostgroup without a usable node does with a call."""

    WRITER = "writer"
    WAIT = "wait"
    FAIL = "fail"


class StartPolicy(StrEnum):
    """What must be reachable before `Router.open` returns."""

    NONE = "none"
    ANY = "any"
    WRITER = "writer"
    ALL = "all"


class ServerStatus(StrEnum):
    """What the configuration wants of a server."""

    ONLINE = "online"
    DRAINING = "draining"
    OFFLINE = "offline"


class BreakerState(StrEnum):
    """Resilience4j's names, because dashboards know them."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    FORCED_OPEN = "FORCED_OPEN"
    DISABLED = "DISABLED"


class ShunReason(StrEnum):
    """Why a probe took a node out of use."""

    DEAD = "dead"
    FROZEN = "frozen"
    WRONG_ROLE = "wrong_role"
    LAG = "lag"


class Phase(IntEnum):
    """How far a unit of work had come when it failed; decides before the code does (docs/resilience.md)."""

    CONNECT = 1
    """Connecting, authenticating, handshake: nothing was sent."""
    SETUP = 2
    """Session set-up (init statements, ``SET``): nothing of the caller's was sent."""
    CHECK = 3
    """Socket check or ping before sending: nothing was sent."""
    EXECUTE = 4
    """An autocommit statement was handed to the socket and no complete reply had come."""
    TRANSACTION = 5
    """Inside an explicit transaction, before COMMIT was sent: connection loss means rollback."""
    COMMIT = 6
    """COMMIT was sent and its reply had not come."""


class Outcome(StrEnum):
    """What became of the statement."""

    NOT_APPLIED = "not_applied"
    """Certainly not applied; even a write may be sent again."""
    FAILED = "failed"
    """A definitive answer without effect; the same answer would come again."""
    ROLLED_BACK = "rolled_back"
    """The server rolled the whole transaction back; only the whole of it may be retried."""
    AMBIGUOUS = "ambiguous"
    """It may have been applied; only reads and declared-idempotent writes may be sent again."""
    APPLIED = "applied"
    """It was applied, although an error was raised."""


class Blame(StrEnum):
    """Whose fault a failure was."""

    NODE = "node"
    """Counts for the node's breaker."""
    SLOW = "slow"
    """Counts as a slow call."""
    LOAD = "load"
    """The node is full, not sick: slows connecting, never ejects."""
    ROLE = "role"
    """The node is not what it was thought to be: probe its role now."""
    CONFIG = "config"
    """Credentials or settings: say so, back off long, never retry hot."""
    NONE = "none"
    """The node answered: a success for its breaker."""


class ConnectionFate(StrEnum):
    """What to do with the connection on which it happened."""

    KEEP = "keep"
    DROP = "drop"
    DROP_SIBLINGS = "drop_siblings"
    """Drop this one and expire the node's idle ones (they were probably cut by the same event)."""


class RetryWhere(StrEnum):
    """Where another attempt has a chance."""

    SAME = "same"
    SAME_LATER = "same_later"
    """The same node, after a delay."""
    OTHER = "other"
    """Another node of the hostgroup at once."""
    OTHER_LATER = "other_later"
    """Another node if there is one, after a delay."""
    WRITER = "writer"
    """The current primary: this node refused because it is read-only or behind."""
    NOWHERE = "nowhere"


class EventLevel(StrEnum):
    """How loud an event is: WARNING capacity or safety lost, INFO regained or dated, DEBUG per query."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


UNSAFE_CHARSETS = frozenset(["big5", "binary", "cp932", "gb18030", "gbk", "sjis", "ucs2", "ujis", "utf16", "utf16le", "utf32"])
"""
Character sets of MySQL connections in which a parameter could not be escaped safely: a backslash or quote may be the second byte
of a character, or all of one (the yen sign of ujis), or bytes are no characters, or ASCII is written otherwise.
"""
