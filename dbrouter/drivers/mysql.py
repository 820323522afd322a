"""
What dbrouter knows of MySQL and MariaDB whatever the client library: error tables, session set-up, transactions, role,
identity, KILL.

The tables turn an error number into a `Verdict` (docs/resilience.md). The phase decides before the number does: what failed
before anything was sent is not applied, what failed inside a transaction before COMMIT is rolled back with the connection.
Numbers up to about 1860 mean the same on both flavours; after that they diverge, and the tables are keyed by flavour. Classes
of exceptions are never looked at: PyMySQL makes `OperationalError` of most numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dbrouter.drivers.base import ConnectOptions, ProbeReply
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.verdicts import (
    AMB,
    BEFORE_SENDING,
    CFG,
    DONE,
    DROP,
    FAIL,
    KEEP,
    LATER,
    LOAD,
    NO_SOCKET,
    NODE,
    NONE,
    NOT,
    NOWHERE,
    OTHER,
    OTHER_LATER,
    ROLE,
    SAME,
    SIBLINGS,
    SLOW,
    TXN,
    WRITER,
    in_transaction,
    isolation_level,
    no_socket_left,
    row,
)
from dbrouter.errors import ConfigError, ConnectError, ParameterError
from dbrouter.terms import UNSAFE_CHARSETS, Flavor, Phase, Role

# --- verdicts -------------------------------------------------------------------------------------------------------------------


_FULL = row(NOT, LOAD, KEEP, OTHER_LATER, "the server is out of memory, locks or space")
_NET = row(AMB, NODE, DROP, OTHER, "the server lost the connection", transport=True)
_STOPPING = row(AMB, NODE, SIBLINGS, OTHER, "the server is stopping", transport=True)
_BROKEN_TABLE = row(AMB, NODE, DROP, OTHER, "the storage engine failed")
_DENIED = row(NOT, CFG, DROP, NOWHERE, "credentials or privileges")
_REFUSED = row(NOT, NONE, KEEP, NOWHERE, "a privilege is missing")
_ANSWER = row(FAIL, NONE, KEEP, NOWHERE)
_LIMIT = row(NOT, LOAD, DROP, OTHER_LATER, "a connection limit")
_ROLLED_BACK = row(TXN, NONE, KEEP, SAME, "the server rolled the transaction back")
_READ_ONLY = row(NOT, ROLE, SIBLINGS, WRITER, "the server is read-only", read_only_refusal=True)
_TOO_LONG = row(NOT, SLOW, KEEP, NOWHERE, "the server's time limit for statements")
_KILLED = row(AMB, NODE, DROP, OTHER, "the connection was killed", transport=True)
_REPLICATION = row(FAIL, NONE, KEEP, NOWHERE, "about replication, not about this statement")

SHARED: dict[int, Verdict] = {
    1020: row(TXN, NONE, KEEP, LATER, "the row changed since the snapshot"),
    1021: row(NOT, NODE, KEEP, OTHER_LATER, "disk full"),
    1030: _BROKEN_TABLE,
    1034: _BROKEN_TABLE,
    1037: _FULL,
    1038: _FULL,
    1040: row(NOT, LOAD, DROP, OTHER_LATER, "too many connections"),
    1041: _FULL,
    1042: row(NOT, NODE, DROP, OTHER_LATER, "the server cannot resolve our host", transport=True),
    1043: row(NOT, NODE, DROP, OTHER_LATER, "bad handshake", transport=True),
    1044: _DENIED,
    1045: _DENIED,
    1046: _ANSWER,
    1047: row(NOT, NODE, DROP, OTHER, "the node is not ready (Galera) or does not know the command"),
    1049: row(NOT, CFG, DROP, NOWHERE, "unknown database"),
    1053: row(NOT, NODE, SIBLINGS, OTHER, "the server is shutting down", transport=True),
    1077: _STOPPING,
    1078: _STOPPING,
    1079: _STOPPING,
    1080: _STOPPING,
    1105: row(FAIL, NODE, DROP, NOWHERE, "unknown error"),
    1114: row(NOT, NODE, KEEP, OTHER_LATER, "a table is full"),
    1129: row(NOT, CFG, DROP, OTHER, "the server blocked our host (FLUSH HOSTS)", transport=True),
    1130: _DENIED,
    1142: _REFUSED,
    1143: _REFUSED,
    1152: _NET,
    1153: row(FAIL, NONE, DROP, NOWHERE, "larger than max_allowed_packet"),
    1154: _NET,
    1155: _NET,
    1156: _NET,
    1157: _NET,
    1158: _NET,
    1159: _NET,
    1160: _NET,
    1161: _NET,
    1180: row(AMB, NODE, DROP, NOWHERE, "an error during COMMIT"),
    1184: _NET,
    1189: _REPLICATION,
    1190: _REPLICATION,
    1194: _BROKEN_TABLE,
    1203: _LIMIT,
    1205: row(
        NOT,
        NONE,
        KEEP,
        LATER,
        "lock wait timed out: the statement was rolled back, and with innodb_rollback_on_timeout the transaction too",
        transaction_in_doubt=True,
    ),
    1206: row(TXN, LOAD, KEEP, OTHER_LATER, "no room for locks: InnoDB rolled the transaction back"),
    1213: _ROLLED_BACK,
    1226: _LIMIT,
    1227: _REFUSED,
    1317: row(NOT, NONE, KEEP, NOWHERE, "the statement was interrupted"),
    1412: row(NOT, NONE, KEEP, SAME, "a table definition changed"),
    1461: _FULL,
    1613: _ROLLED_BACK,
    1614: _ROLLED_BACK,
    1615: row(NOT, NONE, KEEP, SAME, "a statement must be prepared again"),
    1622: _ROLLED_BACK,
    1637: _FULL,
    1792: row(NOT, NONE, KEEP, WRITER, "a write in a read-only transaction", read_only_refusal=True),
    1836: _READ_ONLY,
}
"""
Numbers that mean the same on both flavours. Numbers that stand nowhere are answers without effect (syntax, constraints,
unknown tables).
"""

_OF_MARIADB: dict[int, Verdict] = {
    1927: _KILLED,
    1942: _REPLICATION,
    1943: _REPLICATION,
    1944: _REPLICATION,
    1945: _REPLICATION,
    1950: row(TXN, NODE, KEEP, NOWHERE, "GTIDs out of order: this server has diverged"),
    1955: _REPLICATION,
    1964: row(TXN, NONE, KEEP, SAME, "an earlier commit failed"),
    1969: _TOO_LONG,
}
_OF_MYSQL: dict[int, Verdict] = {
    3024: _TOO_LONG,
    3032: row(NOT, NODE, SIBLINGS, OTHER, "the server is in offline mode"),
    3100: row(TXN, ROLE, KEEP, LATER, "group replication refused the commit"),
    3101: row(TXN, NONE, KEEP, SAME, "group replication rolled the transaction back (certification)"),
    3169: _KILLED,
    3572: row(NOT, NONE, KEEP, NOWHERE, "a row is locked (NOWAIT)"),
    4031: row(NOT, NONE, DROP, SAME, "the server had closed the connection for inactivity", unsent=True),
}
BY_FLAVOR: dict[Flavor, dict[int, Verdict]] = {Flavor.MARIADB: _OF_MARIADB, Flavor.MYSQL: _OF_MYSQL}

CLIENT_SIDE: dict[int, Verdict] = {
    0: row(NOT, NONE, DROP, SAME, "the connection was already closed or in use", unsent=True),
    2002: row(NOT, NODE, DROP, OTHER, "no connection", transport=True),
    2003: row(NOT, NODE, DROP, OTHER, "no connection", transport=True),
    2005: row(NOT, NODE, DROP, OTHER, "unknown host", transport=True),
    # That an idle connection was found closed says nothing of the node; connecting anew will.
    2006: row(NOT, NONE, DROP, SAME, "the server had gone away before anything was sent", transport=True, unsent=True),
    2012: row(NOT, NODE, DROP, OTHER, "handshake failed", transport=True),
    2013: row(AMB, NODE, SIBLINGS, OTHER, "the connection was lost", transport=True),
    2014: row(AMB, NONE, DROP, NOWHERE, "commands out of sync"),
    2026: row(NOT, CFG, DROP, NOWHERE, "TLS", transport=True),
    2027: row(AMB, NODE, DROP, OTHER, "malformed packet", transport=True),
    2045: row(AMB, NODE, DROP, OTHER, "the connection was lost", transport=True),
    2055: row(AMB, NODE, SIBLINGS, OTHER, "the connection was lost", transport=True),
    2059: row(NOT, CFG, DROP, NOWHERE, "authentication plugin"),
    2061: row(NOT, CFG, DROP, NOWHERE, "authentication"),
}

_UNKNOWN = row(AMB, NODE, DROP, NOWHERE, "unknown error: the state of the connection is not known")
# Raised by code on this side of the network: a bug or a caller's value, nothing of the node's.
_OURS = row(AMB, NONE, DROP, NOWHERE, "unknown error: the state of the connection is not known")
_UNREADABLE = row(DONE, NONE, DROP, NOWHERE, "the server answered, and a value of the answer cannot be read")
_MISUSE = row(FAIL, NONE, KEEP, NOWHERE, "nothing was sent")
_SETTINGS = row(FAIL, CFG, KEEP, NOWHERE, "settings; nothing was sent")
_CANCELLED = row(AMB, NONE, DROP, NOWHERE, "the caller gave up; the server runs on until it is killed")
_TIMED_OUT = row(AMB, SLOW, DROP, OTHER, "no answer in time")
_SYSTEM = row(AMB, NODE, SIBLINGS, OTHER, "the connection was lost", transport=True)

ROLLS_BACK = frozenset({1020, 1206, 1213, 1613, 1614, 1622, 1950, 1964, 3100, 3101})
"""Numbers after which the server has no transaction open any more, although the error reply does not say so."""


def judge(error: BaseException, phase: Phase, flavor: Flavor | None = None) -> Verdict:
    """
    What *error* means at *phase*. Never raises.

    Args:
        error: what the library raised; its number is ``args[0]``.
        flavor: of the server that answered; None where it is not known (then both flavours' numbers are looked up).
    """
    number = error_number(error)
    if isinstance(error, ParameterError):
        return replace(_MISUSE, code=type(error).__name__)
    code = str(number) if number is not None else type(error).__name__
    found = _meaning(error, number, flavor)
    if phase in BEFORE_SENDING:
        found = NO_SOCKET if no_socket_left(error) else _before_sending(found, number, phase)
    elif phase is Phase.TRANSACTION:
        found = in_transaction(found)
    elif phase is Phase.COMMIT:
        found = _at_commit(found, number)
    return replace(found, code=code)


def error_number(error: BaseException) -> int | None:
    """The MySQL error number that *error* carries, or None."""
    args = error.args
    if args and type(args[0]) is int and not isinstance(error, OSError):
        return args[0]
    return None


def _meaning(error: BaseException, number: int | None, flavor: Flavor | None) -> Verdict:
    if number is not None:
        return _by_number(error, number, flavor)
    name = type(error).__name__
    if isinstance(error, ConfigError | ConnectError):
        return _SETTINGS
    if isinstance(error, ValueError):
        return _UNREADABLE
    # TimeoutError is an OSError, so it comes first.
    if isinstance(error, TimeoutError):
        return _TIMED_OUT
    if isinstance(error, OSError):
        return _SYSTEM
    if name == "CancelledError":
        return _CANCELLED
    # aiomysql's "Cancelled during execution" and "(0, 'Not connected')" carry no number; both are raised before writing.
    if name == "InterfaceError":
        return CLIENT_SIDE[0]
    return _OURS if type(error).__module__ == "builtins" else _UNKNOWN


def _by_number(error: BaseException, number: int, flavor: Flavor | None) -> Verdict:
    if number == 1290:
        message = str(error.args[1]) if len(error.args) > 1 else ""
        # 1290 names any server option; only this one says that another server would take the write.
        return _READ_ONLY if "read-only" in message or "read_only" in message else _ANSWER
    if number == 2013 and error_number(error.__cause__ or error) == 4031:
        return replace(_OF_MYSQL[4031], transport=False)
    if number < 1000 or 2000 <= number < 3000:
        return CLIENT_SIDE.get(number, _UNKNOWN)
    if (found := SHARED.get(number)) is not None:
        return found
    tables = [BY_FLAVOR[flavor]] if flavor in BY_FLAVOR else list(BY_FLAVOR.values())
    for table in tables:
        if (found := table.get(number)) is not None:
            return found
    return _ANSWER


def _before_sending(found: Verdict, number: int | None, phase: Phase) -> Verdict:
    """Nothing of the caller's was sent: never ambiguous; what is not an answer of the server is connect-class."""
    if found.outcome is AMB or (number is None and found is not _CANCELLED):
        blame = found.blame if found is _CANCELLED or found.blame is CFG else NODE
        return row(NOT, blame, DROP, OTHER, found.note or "nothing was sent", transport=found is not _CANCELLED)
    if found is _ANSWER:
        return row(NOT, CFG, DROP, NOWHERE, "the server refused the connection or its set-up")
    if number == 2006 and phase is not Phase.CHECK:
        return replace(found, blame=NODE, route=OTHER)
    return replace(found, outcome=NOT, connection=SIBLINGS if found.connection is SIBLINGS else DROP)


def _at_commit(found: Verdict, number: int | None) -> Verdict:
    """
    COMMIT was to be sent: what refused it, or kept it from being sent, rolled back; an answer that we do not know leaves it
    open.
    """
    if number == 1053:
        return replace(found, outcome=AMB)
    if found.outcome is NOT:
        return replace(found, outcome=TXN)
    if found is _ANSWER:
        return replace(found, outcome=AMB, connection=DROP, note="an error in answer to COMMIT")
    return found


# --- flavour, identity, role ----------------------------------------------------------------------------------------------------


def flavor_of(version: str) -> Flavor:
    """MariaDB says so in the version of its greeting (``5.5.5-10.11.6-MariaDB``); everything else speaks MySQL."""
    return Flavor.MARIADB if "mariadb" in version.lower() else Flavor.MYSQL


_STARTED = "UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME')"
_IDENTITY = {
    # MariaDB has no uuid; both terms of the start time come from the statement's own start, so it is exact.
    Flavor.MARIADB: f"CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir, {_STARTED})",
    Flavor.MYSQL: "@@server_uuid",
}
_ROLE_COLUMNS = {
    Flavor.MARIADB: "@@global.read_only, @@global.innodb_read_only",
    Flavor.MYSQL: "@@global.read_only OR @@global.super_read_only, @@global.innodb_read_only",
}


def identity_query(flavor: Flavor) -> str:
    """One row: what tells this server (and on MariaDB this run of it) from every other, and the id of this session."""
    return f"SELECT {_IDENTITY[flavor]}, CONNECTION_ID()"


def probe_query(flavor: Flavor) -> str:
    """One row: read-only, InnoDB read-only (Aurora's replicas), version, identity."""
    return f"SELECT {_ROLE_COLUMNS[flavor]}, @@version, {_IDENTITY[flavor]}"


def probe_reply(row: Sequence[Any], flavor: Flavor) -> ProbeReply:
    """
    The row of `probe_query` as a `ProbeReply`. A writable server is taken as the primary: MySQL knows roles by convention
    only.
    """
    read_only, innodb_read_only, version, identity = row
    role = Role.REPLICA if _true(read_only) or _true(innodb_read_only) else Role.PRIMARY
    return ProbeReply(role=role, flavor=flavor, server_version=text_of(version), identity=text_of(identity))


def _true(value: Any) -> bool:
    return value not in (0, None, "0", "OFF", b"0")


def text_of(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def may_kill(*, identity: str, thread: int, found: Any, own_thread: int) -> bool:
    """
    Whether the connection *own_thread* may KILL *thread*: it must have reached the very server on which *thread* ran.

    Thread ids grow, so a killer with the smaller one has met a server that was started in between.
    """
    return bool(identity) and text_of(found) == identity and own_thread > thread


def kill_statement(thread: int) -> str:
    """KILL of the whole connection: KILL QUERY could meet the session's next statement and answers rows during SLEEP."""
    return f"KILL {thread}"


# --- sessions and transactions --------------------------------------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_BARE_VALUE = re.compile(r"(?:[+-]?\d+(?:\.\d+)?|DEFAULT|ON|OFF|TRUE|FALSE)\Z", re.IGNORECASE)


def unsafe_charset(charset: str) -> str:
    """Why *charset* is refused."""
    return (
        f"the character set {charset} is refused: parameters cannot be escaped safely in it; utf8mb4 holds all its characters, "
        f"and the server converts"
    )


def setup_statements(options: ConnectOptions, charset: str, collation: str | None = None) -> list[str]:
    """
    What a new session needs, in order, each a statement of its own: defaults, read-only, server settings, the user's init
    statements.

    Raises:
        ConfigError: a name in ``server_settings``, or the charset, is not a plain name.
    """
    if charset.lower() in UNSAFE_CHARSETS:
        raise ConfigError(unsafe_charset(charset))
    for name in (charset, collation or charset):
        if _NAME.match(name) is None:
            raise ConfigError(f"{name!r} is not the name of a character set or collation")
    names = f"NAMES {charset}" + (f" COLLATE {collation}" if collation else "")
    statements = [f"SET autocommit=1, {names}"]
    if options.server_settings:
        statements.append(
            "SET " + ", ".join(f"SESSION {_setting(name, value)}" for name, value in options.server_settings.items())
        )
    statements.extend(options.init)
    if options.read_only:
        statements.append("SET SESSION TRANSACTION READ ONLY")
    return statements


def _setting(name: str, value: str) -> str:
    if _NAME.match(name) is None:
        raise ConfigError(f"{name!r} is not the name of a session variable")
    text = str(value)
    if _BARE_VALUE.match(text):
        return f"{name}={text}"
    # Hexadecimal, because whether a backslash escapes depends on the very sql_mode that may be set here.
    return f"{name}=_utf8mb4 X'{text.encode().hex()}'"


def begin_statements(*, isolation: str | None, readonly: bool) -> list[str]:
    """
    The statements that open a transaction.

    A plain START TRANSACTION keeps the session's access mode; READ WRITE is never said, because it would undo a read-only
    session.

    Raises:
        ParameterError: *isolation* is not one of the four levels.
    """
    start = "START TRANSACTION READ ONLY" if readonly else "START TRANSACTION"
    if isolation is None:
        return [start]
    return [f"SET TRANSACTION ISOLATION LEVEL {isolation_level(isolation)}", start]


def savepoint_statement(verb: str, name: str) -> str:
    """``SAVEPOINT``, ``RELEASE SAVEPOINT`` or ``ROLLBACK TO SAVEPOINT`` with *name* quoted."""
    return f"{verb} `{name.replace('`', '``')}`"


# --- what a reply says ----------------------------------------------------------------------------------------------------------

_KEYWORD = re.compile(
    r"(?:[\s(]++|/\*(?!M?!)[^*]*+(?:\*(?!/)[^*]*+)*+\*/|--(?=[\x00-\x20\x7f]|\Z)[^\n]*+|\#[^\n]*+|/\*M?![0-9]*+)*+([A-Za-z]++)"
)
"""Possessive throughout: a text that begins with blanks and no word must not be tried in every way to split them."""


def first_keyword(text: str) -> str:
    """The first word of *text* behind comments and parentheses, upper-cased; ``OK`` where there is none."""
    match = _KEYWORD.match(text)
    return match.group(1).upper() if match else "OK"


def describe(text: str, rows: int | None, changed: int, insert_id: int) -> tuple[str, int | None, int | None]:
    """
    (status, rowcount, lastrowid) of a reply. MySQL has no command tag, so we make one of the text's first word: ``INSERT 1``,
    ``SELECT 5``.

    Args:
        rows: how many rows came, or None where the reply had no columns.
        changed: rows changed (or matched, with ``found_rows``), as the server says.
        insert_id: 0 where the server gave none.
    """
    count = changed if rows is None else rows
    return f"{first_keyword(text)} {count}", count, insert_id or None


def library_options(options: ConnectOptions, known: Mapping[str, str], library: str) -> dict[str, Any]:
    """
    ``driver_options`` under the library's own names.

    Args:
        known: option name → the library's argument name.

    Raises:
        ConfigError: an option that is not in *known*.
    """
    unknown = [name for name in options.driver_options if name not in known]
    if unknown:
        raise ConfigError(f"{library} does not take {', '.join(sorted(unknown))}; it takes {', '.join(sorted(known))}")
    return {known[name]: value for name, value in options.driver_options.items()}
