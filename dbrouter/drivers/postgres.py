"""
What dbrouter knows of PostgreSQL whatever the client library: the table of SQLSTATEs, role, lag, identity, transactions,
reset, texts, tags.

The table turns an exception into a `Verdict` (docs/resilience.md): one row for each SQLSTATE that means something of its own,
one for each class of them. The phase decides before the row does: what failed before anything was sent is not applied, what
failed inside a transaction before COMMIT was sent is rolled back with the connection. An SQLSTATE alone proves no answer of the
server: the library makes exceptions with one for values that it could not encode, which were never sent; a server's answer also
has a severity. Texts are only matched where nothing else tells (PgBouncer, whose texts are English; standbys), because
PostgreSQL's are localised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from dbrouter.drivers.base import ProbeReply
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
from dbrouter.errors import ParameterError
from dbrouter.terms import Flavor, Phase, Role

# --- the table ----------------------------------------------------------------------------------------

_ANSWER = row(FAIL, NONE, KEEP, NOWHERE)
_WARNING = row(DONE, NONE, KEEP, NOWHERE, "a warning, not an error")
_LOST = row(AMB, NODE, DROP, OTHER, "the connection failed", transport=True)
_AUTH = row(NOT, CFG, DROP, NOWHERE, "authentication")
_LAGGING = row(FAIL, NONE, KEEP, WRITER, "unknown here; on a replica it may not have arrived yet")
_NO_STATEMENT = row(NOT, CFG, DROP, SAME, "a prepared statement is missing or doubled: a pooler between us and the server?")
_SHORT = row(NOT, LOAD, KEEP, OTHER_LATER, "the server is short of memory or another resource")
_BROKEN_DISK = row(NOT, NODE, DROP, OTHER, "the server's system failed")
_CORRUPT = row(FAIL, NODE, DROP, OTHER, "the server's data are corrupted")
_ROLLED_BACK = row(TXN, NONE, KEEP, LATER, "the server rolled the transaction back")
_UNRESOLVED = row(AMB, NODE, DROP, NOWHERE, "the server does not know how the transaction ended", transport=True)
_SESSION_ENDED = row(NOT, NONE, DROP, SAME, "the server had ended the session by a time limit", transport=True)

SQLSTATES: dict[str, Verdict] = {
    "08001": row(NOT, NODE, DROP, OTHER, "no connection", transport=True),
    "08003": row(AMB, NODE, SIBLINGS, OTHER, "the connection was closed in the middle of the statement", transport=True),
    "08004": row(NOT, CFG, DROP, OTHER_LATER, "the server rejected the connection"),
    "08007": _UNRESOLVED,
    "25006": row(NOT, ROLE, KEEP, WRITER, "the session or the server is read-only", read_only_refusal=True),
    "25P02": row(FAIL, NONE, KEEP, NOWHERE, "an earlier error ended the transaction"),
    "25P03": _SESSION_ENDED,
    "25P04": _SESSION_ENDED,
    "26000": _NO_STATEMENT,
    "3D000": row(NOT, CFG, DROP, OTHER, "unknown database"),
    "3F000": _LAGGING,
    "40001": replace(_ROLLED_BACK, note="serialization failure"),
    "40003": _UNRESOLVED,
    "40P01": replace(_ROLLED_BACK, note="deadlock"),
    "42703": _LAGGING,
    "42704": _LAGGING,
    "42883": _LAGGING,
    "42P01": _LAGGING,
    "42P05": _NO_STATEMENT,
    "53100": row(NOT, NODE, KEEP, NOWHERE, "disk full"),
    "53300": row(NOT, LOAD, DROP, OTHER_LATER, "too many connections"),
    "53400": row(FAIL, CFG, KEEP, NOWHERE, "a configured limit of the server"),
    "55P03": row(NOT, NONE, KEEP, NOWHERE, "a lock is not available"),
    "57000": row(NOT, NONE, KEEP, NOWHERE, "an operator intervened"),
    "57014": row(NOT, NONE, KEEP, NOWHERE, "the statement was cancelled"),
    # A write in autocommit is certainly not applied only where no synchronous standby is configured, which we do not know: a
    # backend that is terminated while it waits for one has committed.
    "57P01": row(AMB, NODE, SIBLINGS, OTHER, "the server or an operator ended the connection", transport=True),
    "57P02": row(AMB, NODE, SIBLINGS, OTHER, "another backend of the server crashed", transport=True),
    "57P03": row(NOT, NODE, DROP, OTHER, "the server is starting, stopping or recovering", transport=True),
    "57P04": row(FAIL, CFG, DROP, NOWHERE, "the database was dropped"),
    "57P05": _SESSION_ENDED,
    "72000": row(NOT, NONE, KEEP, SAME, "snapshot too old"),
    "XX001": _CORRUPT,
    "XX002": _CORRUPT,
}
"""What an SQLSTATE means in answer to an autocommit statement: a row each; what has none means what its class means."""

CLASSES: dict[str, Verdict] = {
    "00": _WARNING,
    "01": _WARNING,
    "02": _WARNING,
    "08": _LOST,
    "28": _AUTH,
    "40": _ROLLED_BACK,
    "53": _SHORT,
    "58": _BROKEN_DISK,
    # Extensions raise XX000 for a value that they cannot read, as PostGIS does; damage has codes of its own (58, XX001, XX002).
    "XX": row(NOT, NONE, DROP, OTHER, "an internal error, of the server or of an extension"),
}
"""By the first two characters. What stands in neither table is an answer without effect: data, constraints, syntax, RAISE."""

STANDBY_CANNOT = row(NOT, ROLE, KEEP, WRITER, "a standby cannot do this", read_only_refusal=True)
"""0A000 from a hot standby: read-write mode, SERIALIZABLE; XX000 from functions that want a transaction id "during recovery"."""
STANDBY_LACKS = row(FAIL, ROLE, KEEP, WRITER, "the server is in recovery")
"""55000 from a hot standby: WAL positions and their like."""
RECOVERY_CONFLICT = row(NOT, LOAD, KEEP, OTHER, "the replica's replay cancelled the statement")
"""40001 from a hot standby whose replay needed what the statement was reading."""
TYPE_GONE = row(NOT, NONE, DROP, SAME, "a kept plan names a type that was dropped, and perhaps made anew")
"""XX000 where a prepared statement, or a function's plan, names the number of a type that is no more."""
TIME_LIMIT = row(NOT, SLOW, KEEP, NOWHERE, "statement_timeout")
"""57014 where the server says that it was the time limit."""

PGBOUNCER: dict[str, Verdict] = {
    "query_wait_timeout": row(NOT, LOAD, DROP, OTHER_LATER, "PgBouncer had no server connection to give"),
    "no more connections allowed": row(NOT, LOAD, DROP, OTHER_LATER, "PgBouncer's max_client_conn"),
    "server login has been failing": row(NOT, NODE, DROP, OTHER, "PgBouncer cannot log in to the server", transport=True),
    "server_login_retry": row(NOT, NODE, DROP, OTHER, "PgBouncer cannot log in to the server", transport=True),
    "server conn crashed": row(AMB, NODE, DROP, OTHER, "PgBouncer lost the server", transport=True),
    "server_lifetime": row(AMB, NODE, DROP, OTHER, "PgBouncer closed the server connection", transport=True),
    "query_timeout": row(AMB, SLOW, DROP, NOWHERE, "PgBouncer's query_timeout", transport=True),
    "idle_transaction_timeout": row(NOT, NONE, DROP, SAME, "PgBouncer's idle_transaction_timeout", transport=True),
    "client_idle_timeout": row(NOT, NONE, DROP, SAME, "PgBouncer's client_idle_timeout", transport=True),
    "bouncer config error": row(NOT, CFG, DROP, NOWHERE, "PgBouncer's configuration"),
    "no such database": row(NOT, CFG, DROP, NOWHERE, "PgBouncer does not know the database"),
    "no such user": row(NOT, CFG, DROP, NOWHERE, "PgBouncer does not know the user"),
    "authentication failed": row(NOT, CFG, DROP, NOWHERE, "PgBouncer does not take the password"),
    "login rejected": row(NOT, CFG, DROP, NOWHERE, "PgBouncer does not let this user in"),
    "client_login_timeout": row(NOT, NODE, DROP, OTHER, "PgBouncer could not finish the login in time", transport=True),
    "unsupported startup parameter": row(NOT, CFG, DROP, NOWHERE, "PgBouncer takes no such start-up parameter"),
    "the database system is shutting down": row(NOT, NODE, DROP, OTHER, "PgBouncer is stopping", transport=True),
    "pgbouncer is shutting down": row(NOT, NODE, DROP, OTHER, "PgBouncer is stopping", transport=True),
    "database is disabled": row(NOT, NODE, DROP, OTHER, "PgBouncer has the database disabled"),
    "is disabled": row(NOT, NODE, DROP, OTHER, "PgBouncer has the database disabled"),
    "is paused": row(NOT, NODE, DROP, OTHER, "PgBouncer has the database paused"),
}
"""08P01 by text: a pooler says everything with this one code. The first that occurs in the message counts."""

UNKNOWN_STARTUP_PARAMETER = "unsupported startup parameter"
"""How PgBouncer refuses what PostgreSQL would take at connect."""

# --- what the client library raises by itself -----------------------------------------------------------

_NOT_SENT = row(NOT, NONE, DROP, SAME, "the connection was already closed; nothing was sent", transport=True, unsent=True)
_OF_ANOTHER = row(FAIL, NONE, KEEP, NOWHERE, "another server's failure that this one met, or raised by a function")
_IN_USE = row(NOT, NONE, KEEP, NOWHERE, "another statement is in progress on this connection; nothing was sent")
_MISUSE = row(FAIL, NONE, KEEP, NOWHERE, "nothing was sent")
_CANCELLED = row(AMB, NONE, KEEP, NOWHERE, "the caller gave up")
_TIMED_OUT = row(AMB, SLOW, DROP, OTHER, "no answer in time")
_SYSTEM = row(AMB, NODE, SIBLINGS, OTHER, "the connection was lost", transport=True)
_STREAM = row(AMB, NODE, DROP, NOWHERE, "the state of the connection is not known", transport=True)
_STALE_PLAN = row(NOT, NONE, KEEP, SAME, "the plan was made for another schema")
_UNSENDABLE = row(NOT, NONE, KEEP, NOWHERE, "no codec for a type of its parameters or columns; nothing was run")
_UNREADABLE = row(DONE, NONE, DROP, NOWHERE, "it ran; a value of the answer could not be decoded")
_UNKNOWN = row(AMB, NONE, DROP, NOWHERE, "unknown error")

CLIENT_SIDE: dict[str, Verdict] = {
    "OutdatedSchemaCacheError": row(DONE, NONE, KEEP, NOWHERE, "it ran; a value could not be decoded after a schema change"),
    "InvalidCachedStatementError": _STALE_PLAN,
    "ClientConfigurationError": row(FAIL, CFG, KEEP, NOWHERE, "settings; nothing was sent"),
    "UnsupportedClientFeatureError": row(FAIL, CFG, KEEP, NOWHERE, "the library cannot do this; nothing was sent"),
    "UnsupportedServerFeatureError": row(FAIL, CFG, KEEP, NOWHERE, "the server cannot do this; nothing was sent"),
    "TargetServerAttributeNotMatched": row(NOT, ROLE, DROP, OTHER, "not the wanted role"),
    "ConnectionDoesNotExistError": SQLSTATES["08003"],
    "DataError": _MISUSE,
    "InterfaceError": _MISUSE,
    "ConfigError": row(FAIL, CFG, KEEP, NOWHERE, "settings; nothing was sent"),
    "DBRouterError": _MISUSE,
    "ProtocolError": _STREAM,
    "InternalClientError": _STREAM,
    "CancelledError": _CANCELLED,
    # TimeoutError is an OSError: it stands before it in every method resolution order.
    "TimeoutError": _TIMED_OUT,
    "SSLCertVerificationError": row(NOT, CFG, DROP, NOWHERE, "the server's certificate is not accepted", transport=True),
    "OSError": _SYSTEM,
    "EOFError": _SYSTEM,
    # What could not be encoded is a DataError; these come from a codec that read the answer.
    "ValueError": _UNREADABLE,
    "TypeError": _UNREADABLE,
    "LookupError": _UNREADABLE,
    "ArithmeticError": _UNREADABLE,
}
"""By class name, the most derived class first."""

_CLOSED = ("connection is closed", "has been released", "not connected", "event loop is closed", "different loop")
_SHARED = ("another operation is in progress", "is cancelling")
_NO_CODEC = re.compile(
    r"could not resolve query result and/or argument types|no (?:en|de)coder for OID \d"
    r"|no codec for composite attribute type|type record missing "
)
"""
asyncpg looks for a codec of every parameter and every column between Parse and Bind: the statement was described, and never run.
"""
_NO_ELEMENT_DECODER = re.compile(r"no decoder for composite type element")
"""The types inside a ROW(…) are only known from its values: the statement ran; the stream is sound."""
_QUEUED = re.compile(r"another operation \(\d+\) is in progress|in the \"failed\" state")
"""The server's last word was already waiting in the socket when asyncpg wanted to write: nothing was written."""

_RECOVERY_ROUTINES = frozenset({"ProcessInterrupts", "ProcessRecoveryConflictInterrupt", "ProcessRecoveryConflictInterrupts"})
_STANDBY_ROUTINES = frozenset({"call_bool_check_hook", "call_enum_check_hook", "GetSerializableTransactionSnapshot"})


def judge(error: BaseException, phase: Phase, flavor: Flavor | None = None) -> Verdict:
    """
    What *error* means at *phase*. Never raises.

    Args:
        flavor: of the server; PgBouncer's texts are looked at whatever it says, because a FATAL of a pooler can come through any
            connection.
    """
    code, found = _meaning(error)
    if flavor is Flavor.POSTGRESQL and _leaves_the_session(error, code):
        found = _OF_ANOTHER
    if phase in BEFORE_SENDING:
        found = NO_SOCKET if no_socket_left(error) else _before_sending(found, phase)
    elif phase is Phase.TRANSACTION:
        # Any error but a misuse has aborted the transaction.
        found = replace(found, outcome=TXN) if found is _STALE_PLAN else in_transaction(found)
    elif phase is Phase.COMMIT:
        found = _at_commit(found, code)
    return replace(found, code=code)


def _meaning(error: BaseException) -> tuple[str, Verdict]:
    """(code, row) of *error* as if it had answered an autocommit statement."""
    if type(error).__name__ == "InvalidCachedStatementError":
        return "0A000", _STALE_PLAN
    if (sqlstate := answered(error)) is not None:
        return sqlstate, _of_answer(sqlstate, error)
    for cls in type(error).__mro__:
        found = CLIENT_SIDE.get(cls.__name__)
        if found is not None:
            return _of_client(error, cls.__name__, found)
    if isinstance(error, RuntimeError) and _mentions(error, _CLOSED):
        return type(error).__name__, replace(_NOT_SENT, route=NOWHERE, transport=False)
    return type(error).__name__, _UNKNOWN


def says_type_is_gone(error: BaseException) -> bool:
    """Whether *error*, an XX000, is of a type that was dropped; internal errors are never localised."""
    return "cache lookup failed for type" in str(error)


def answered(error: BaseException) -> str | None:
    """The SQLSTATE of *error* if a server has said it, else None."""
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) and getattr(error, "severity", None) is not None else None


def _leaves_the_session(error: BaseException, sqlstate: str) -> bool:
    """
    Whether *error* speaks of the end of a connection and is none: PostgreSQL ends its own sessions with FATAL.

    08007 is left as it is: whoever says it does not know how a transaction ended.
    """
    return (
        getattr(error, "severity_en", None) == "ERROR"
        and (sqlstate[:2] == "08" or sqlstate[:3] == "57P" or sqlstate in ("25P03", "25P04"))
        and sqlstate != "08007"
        and answered(error) == sqlstate
    )


def _of_answer(sqlstate: str, error: BaseException) -> Verdict:
    message = str(error.args[0]) if error.args else ""
    routine = getattr(error, "server_source_function", None)
    if sqlstate == "08P01":
        for text, found in PGBOUNCER.items():
            if text in message:
                return found
    if sqlstate == "0A000" and (routine in _STANDBY_ROUTINES or "recovery" in message or "hot standby" in message):
        return STANDBY_CANNOT
    if sqlstate == "XX000" and "during recovery" in message:
        return STANDBY_CANNOT
    if sqlstate == "XX000" and says_type_is_gone(error):
        return TYPE_GONE
    if sqlstate == "55000" and "recovery is in progress" in message:
        return STANDBY_LACKS
    if sqlstate == "40001" and (routine in _RECOVERY_ROUTINES or "conflict with recovery" in message):
        return RECOVERY_CONFLICT
    if sqlstate == "57014" and "statement timeout" in message:
        return TIME_LIMIT
    return SQLSTATES.get(sqlstate) or CLASSES.get(sqlstate[:2], _ANSWER)


def _of_client(error: BaseException, name: str, found: Verdict) -> tuple[str, Verdict]:
    if name == "ConnectionDoesNotExistError":
        return _of_lost_connection(error, found)
    if name == "InterfaceError":
        if _mentions(error, _CLOSED):
            return name, _NOT_SENT
        if _mentions(error, _SHARED):
            return name, _IN_USE
    if name == "InternalClientError" and _QUEUED.search(str(error)):
        return name, _NOT_SENT
    if name == "InternalClientError" and _NO_CODEC.match(str(error)):
        return name, _UNSENDABLE
    if name == "InternalClientError" and _NO_ELEMENT_DECODER.match(str(error)):
        return name, _UNREADABLE
    return type(error).__name__, found


def _of_lost_connection(error: BaseException, found: Verdict) -> tuple[str, Verdict]:
    """The server's last words, where the library kept them, say more than that the connection is gone."""
    cause = error.__cause__
    sqlstate = answered(cause) if cause is not None else None
    if cause is None or sqlstate is None:
        return "08003", found
    said = _of_answer(sqlstate, cause)
    if said is _ANSWER and (getattr(cause, "severity_en", None) or getattr(cause, "severity", "")) != "ERROR":
        return sqlstate, found
    if said.connection is KEEP:
        said = replace(said, connection=DROP)
    return sqlstate, replace(said, transport=said.blame is not CFG)


def _mentions(error: BaseException, texts: Sequence[str]) -> bool:
    message = str(error).lower()
    return any(text in message for text in texts)


# --- what the phase makes of it -------------------------------------------------------------------------


def _before_sending(found: Verdict, phase: Phase) -> Verdict:
    """Nothing of the caller's was sent. What is no answer of the server is connect-class; an answer refuses our settings."""
    if found is _CANCELLED:
        return replace(found, outcome=NOT, connection=DROP)
    if found.outcome is AMB:
        return replace(found, outcome=NOT, blame=NODE, connection=DROP, route=OTHER, transport=True)
    if found is _NOT_SENT:
        return found if phase is Phase.CHECK else replace(found, blame=NODE, route=OTHER)
    if found.blame in (NONE, SLOW) and phase is not Phase.CHECK:
        return replace(found, outcome=NOT, blame=CFG, connection=DROP, route=NOWHERE, note=found.note or "refused at connect")
    return replace(found, outcome=NOT, connection=SIBLINGS if found.connection is SIBLINGS else DROP)


def _at_commit(found: Verdict, code: str) -> Verdict:
    """
    COMMIT was to be sent. An error that the server answers says that it rolled back; so does what kept COMMIT from being sent.

    An I/O error may have come after the commit record was written.
    """
    if code[:2] == "58":
        return replace(found, outcome=AMB, route=NOWHERE)
    if found.outcome is NOT:
        return replace(found, outcome=TXN)
    return found


# --- role, lag, identity --------------------------------------------------------------------------------

BACKEND_QUERY = "SELECT pg_catalog.pg_backend_pid()"
"""The backend that answers: another than was announced means a pooler."""

_RECEIVING = "EXISTS (SELECT 1 FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming' OR status IS NULL)"
# Without writes on the primary the time since the last replayed transaction grows for ever, so it counts only where there is
# something left to replay, or where nothing can arrive because nobody receives.
_LAG = (
    "CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN NULL"
    " WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn()"
    f" AND {_RECEIVING} THEN 0"
    " ELSE EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END"
)
_PROBE = (
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('server_version'),"
    " {identity} || '/' || EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time()), (" + _LAG + ")::float8,"
    " pg_catalog.current_setting('default_transaction_read_only')"
)
PROBE_QUERY = _PROBE.format(identity="(SELECT system_identifier::text FROM pg_catalog.pg_control_system())")
"""One row: in recovery, version, identity, lag in seconds, whether sessions are read-only by default."""
PROBE_QUERY_WITHOUT_IDENTITY = _PROBE.format(identity="'?'")
"""The same where the account may not ask for the system identifier."""


def probe_reply(row: Sequence[Any], flavor: Flavor, *, read_only: bool) -> ProbeReply:
    """
    The row of `PROBE_QUERY` as a `ProbeReply`.

    A server whose sessions are read-only by default takes no writes, whatever else it is; unless it was us who opened this
    session *read_only*.

    The identity is the system identifier (which a primary shares with its standbys) and the server's start time.
    """
    in_recovery, version, identity, lag, by_default = row
    return ProbeReply(
        role=Role.REPLICA if in_recovery or (by_default == "on" and not read_only) else Role.PRIMARY,
        flavor=flavor,
        server_version=str(version),
        identity=str(identity),
        lag=None if lag is None else max(0.0, float(lag)),
    )


# --- transactions and sessions ----------------------------------------------------------------------------

RESET_SCRIPT = (
    "RESET SESSION AUTHORIZATION; RESET ALL; CLOSE ALL; UNLISTEN *;"
    " SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)
"""
What makes a session what it was after connecting, start-up parameters included, without touching prepared statements, as
DISCARD ALL would. RESET SESSION AUTHORIZATION gives up SET ROLE too; RESET ALL does not.
"""


def begin_statement(*, isolation: str | None, readonly: bool, deferrable: bool) -> str:
    """
    BEGIN with its modes. READ WRITE is never said, because it would undo a read-only session.

    Raises:
        ParameterError: *isolation* is not one of the four levels.
    """
    modes = []
    if isolation is not None:
        modes.append(f"ISOLATION LEVEL {isolation_level(isolation)}")
    if readonly:
        modes.append("READ ONLY")
    if deferrable:
        modes.append("DEFERRABLE")
    return " ".join(["BEGIN", *modes])


def quoted(name: str) -> str:
    """*name* as an identifier."""
    return '"' + name.replace('"', '""') + '"'


# --- what is sent, and what a reply says ------------------------------------------------------------------


def check_text(text: str) -> None:
    """
    Refuse what the protocol cannot carry, because a library, half-way through a message, could only close the connection.

    Raises:
        ParameterError: a NUL character, or what cannot be written in UTF-8.
    """
    if "\0" in text:
        raise ParameterError(f"the statement has a NUL character at position {text.index(chr(0))}; PostgreSQL takes none")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ParameterError(f"the statement is not valid Unicode: {error.reason} at position {error.start}") from None


@lru_cache(maxsize=4096)
def tag(status: bytes | str | None) -> tuple[str, int | None]:
    """(tag as text, the number at its end): ``INSERT 0 1`` is 1, ``CREATE TABLE`` is None."""
    if status is None:
        return "", None
    text = status.decode() if isinstance(status, bytes) else status
    last = text.rpartition(" ")[2]
    return text, int(last) if last.isdigit() else None
