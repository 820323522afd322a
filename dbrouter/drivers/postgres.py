"""
What dbrouter knows of PostgreSQL whatever the client library: the table of SQLSTATEs, role, lag, identity, transactions, reset.

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
from typing import Any

from dbrouter.drivers.base import ProbeReply
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import ParameterError
from dbrouter.terms import Blame, ConnectionFate, Flavor, Outcome, Phase, RetryWhere, Role

# --- the table ----------------------------------------------------------------------------------------

_NOT, _FAIL, _TXN, _AMB, _DONE = (
    Outcome.NOT_APPLIED,
    Outcome.FAILED,
    Outcome.ROLLED_BACK,
    Outcome.AMBIGUOUS,
    Outcome.APPLIED,
)
_NODE, _SLOW, _LOAD, _ROLE, _CFG, _NONE = Blame.NODE, Blame.SLOW, Blame.LOAD, Blame.ROLE, Blame.CONFIG, Blame.NONE
_KEEP, _DROP, _SIBLINGS = ConnectionFate.KEEP, ConnectionFate.DROP, ConnectionFate.DROP_SIBLINGS
_SAME, _LATER, _OTHER, _OTHER_LATER, _WRITER, _NOWHERE = (
    RetryWhere.SAME,
    RetryWhere.SAME_LATER,
    RetryWhere.OTHER,
    RetryWhere.OTHER_LATER,
    RetryWhere.WRITER,
    RetryWhere.NOWHERE,
)


def _row(
    outcome: Outcome,
    blame: Blame,
    connection: ConnectionFate,
    route: RetryWhere,
    note: str = "",
    *,
    transport: bool = False,
    read_only_refusal: bool = False,
) -> Verdict:
    """A row: the verdict on a statement that had been sent; the code is filled in when it is judged."""
    return Verdict(
        outcome=outcome,
        blame=blame,
        connection=connection,
        route=route,
        code="",
        note=note,
        transport=transport,
        read_only_refusal=read_only_refusal,
    )


_ANSWER = _row(_FAIL, _NONE, _KEEP, _NOWHERE)
_WARNING = _row(_DONE, _NONE, _KEEP, _NOWHERE, "a warning, not an error")
_LOST = _row(_AMB, _NODE, _DROP, _OTHER, "the connection failed", transport=True)
_AUTH = _row(_NOT, _CFG, _DROP, _NOWHERE, "authentication")
_LAGGING = _row(_FAIL, _NONE, _KEEP, _WRITER, "unknown here; on a replica it may not have arrived yet")
_NO_STATEMENT = _row(_NOT, _CFG, _DROP, _SAME, "a prepared statement is missing or doubled: a pooler between us and the server?")
_SHORT = _row(_NOT, _LOAD, _KEEP, _OTHER_LATER, "the server is short of memory or another resource")
_BROKEN_DISK = _row(_NOT, _NODE, _DROP, _OTHER, "the server's system failed")
_CORRUPT = _row(_FAIL, _NODE, _DROP, _OTHER, "the server's data are corrupted")
_ROLLED_BACK = _row(_TXN, _NONE, _KEEP, _LATER, "the server rolled the transaction back")
_UNRESOLVED = _row(_AMB, _NODE, _DROP, _NOWHERE, "the server does not know how the transaction ended", transport=True)
_SESSION_ENDED = _row(_NOT, _NONE, _DROP, _SAME, "the server had ended the session by a time limit", transport=True)

SQLSTATES: dict[str, Verdict] = {
    "08001": _row(_NOT, _NODE, _DROP, _OTHER, "no connection", transport=True),
    "08003": _row(_AMB, _NODE, _SIBLINGS, _OTHER, "the connection was closed in the middle of the statement", transport=True),
    "08004": _row(_NOT, _CFG, _DROP, _OTHER_LATER, "the server rejected the connection"),
    "08007": _UNRESOLVED,
    "25006": _row(_NOT, _ROLE, _KEEP, _WRITER, "the session or the server is read-only", read_only_refusal=True),
    "25P02": _row(_FAIL, _NONE, _KEEP, _NOWHERE, "an earlier error ended the transaction"),
    "25P03": _SESSION_ENDED,
    "25P04": _SESSION_ENDED,
    "26000": _NO_STATEMENT,
    "3D000": _row(_NOT, _CFG, _DROP, _OTHER, "unknown database"),
    "3F000": _LAGGING,
    "40001": replace(_ROLLED_BACK, note="serialization failure"),
    "40003": _UNRESOLVED,
    "40P01": replace(_ROLLED_BACK, note="deadlock"),
    "42703": _LAGGING,
    "42704": _LAGGING,
    "42883": _LAGGING,
    "42P01": _LAGGING,
    "42P05": _NO_STATEMENT,
    "53100": _row(_NOT, _NODE, _KEEP, _NOWHERE, "disk full"),
    "53300": _row(_NOT, _LOAD, _DROP, _OTHER_LATER, "too many connections"),
    "53400": _row(_FAIL, _CFG, _KEEP, _NOWHERE, "a configured limit of the server"),
    "55P03": _row(_NOT, _NONE, _KEEP, _NOWHERE, "a lock is not available"),
    "57000": _row(_NOT, _NONE, _KEEP, _NOWHERE, "an operator intervened"),
    "57014": _row(_NOT, _NONE, _KEEP, _NOWHERE, "the statement was cancelled"),
    # A write in autocommit is certainly not applied only where no synchronous standby is configured, which we do not know: a
    # backend that is terminated while it waits for one has committed.
    "57P01": _row(_AMB, _NODE, _SIBLINGS, _OTHER, "the server or an operator ended the connection", transport=True),
    "57P02": _row(_AMB, _NODE, _SIBLINGS, _OTHER, "another backend of the server crashed", transport=True),
    "57P03": _row(_NOT, _NODE, _DROP, _OTHER, "the server is starting, stopping or recovering", transport=True),
    "57P04": _row(_FAIL, _CFG, _DROP, _NOWHERE, "the database was dropped"),
    "57P05": _SESSION_ENDED,
    "72000": _row(_NOT, _NONE, _KEEP, _SAME, "snapshot too old"),
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
    "XX": _row(_NOT, _NODE, _DROP, _OTHER, "an internal error of the server"),
}
"""By the first two characters. What stands in neither table is an answer without effect: data, constraints, syntax, RAISE."""

STANDBY_CANNOT = _row(_NOT, _ROLE, _KEEP, _WRITER, "a standby cannot do this", read_only_refusal=True)
"""0A000 from a hot standby: read-write mode, SERIALIZABLE; XX000 from functions that want a transaction id "during recovery"."""
STANDBY_LACKS = _row(_FAIL, _ROLE, _KEEP, _WRITER, "the server is in recovery")
"""55000 from a hot standby: WAL positions and their like."""
RECOVERY_CONFLICT = _row(_NOT, _LOAD, _KEEP, _OTHER, "the replica's replay cancelled the statement")
"""40001 from a hot standby whose replay needed what the statement was reading."""
TIME_LIMIT = _row(_NOT, _SLOW, _KEEP, _NOWHERE, "statement_timeout")
"""57014 where the server says that it was the time limit."""

PGBOUNCER: dict[str, Verdict] = {
    "query_wait_timeout": _row(_NOT, _LOAD, _DROP, _OTHER_LATER, "PgBouncer had no server connection to give"),
    "no more connections allowed": _row(_NOT, _LOAD, _DROP, _OTHER_LATER, "PgBouncer's max_client_conn"),
    "server login has been failing": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer cannot log in to the server", transport=True),
    "server_login_retry": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer cannot log in to the server", transport=True),
    "server conn crashed": _row(_AMB, _NODE, _DROP, _OTHER, "PgBouncer lost the server", transport=True),
    "server_lifetime": _row(_AMB, _NODE, _DROP, _OTHER, "PgBouncer closed the server connection", transport=True),
    "query_timeout": _row(_AMB, _SLOW, _DROP, _NOWHERE, "PgBouncer's query_timeout", transport=True),
    "idle_transaction_timeout": _row(_NOT, _NONE, _DROP, _SAME, "PgBouncer's idle_transaction_timeout", transport=True),
    "client_idle_timeout": _row(_NOT, _NONE, _DROP, _SAME, "PgBouncer's client_idle_timeout", transport=True),
    "bouncer config error": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer's configuration"),
    "no such database": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer does not know the database"),
    "no such user": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer does not know the user"),
    "authentication failed": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer does not take the password"),
    "login rejected": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer does not let this user in"),
    "client_login_timeout": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer could not finish the login in time", transport=True),
    "unsupported startup parameter": _row(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer takes no such start-up parameter"),
    "the database system is shutting down": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer is stopping", transport=True),
    "pgbouncer is shutting down": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer is stopping", transport=True),
    "database is disabled": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer has the database disabled"),
    "is disabled": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer has the database disabled"),
    "is paused": _row(_NOT, _NODE, _DROP, _OTHER, "PgBouncer has the database paused"),
}
"""08P01 by text: a pooler says everything with this one code. The first that occurs in the message counts."""

UNKNOWN_STARTUP_PARAMETER = "unsupported startup parameter"
"""How PgBouncer refuses what PostgreSQL would take at connect."""

# --- what the client library raises by itself -----------------------------------------------------------

_NOT_SENT = _row(_NOT, _NONE, _DROP, _SAME, "the connection was already closed; nothing was sent", transport=True)
_IN_USE = _row(_NOT, _NONE, _KEEP, _NOWHERE, "another statement is in progress on this connection; nothing was sent")
_MISUSE = _row(_FAIL, _NONE, _KEEP, _NOWHERE, "nothing was sent")
_CANCELLED = _row(_AMB, _NONE, _KEEP, _NOWHERE, "the caller gave up")
_TIMED_OUT = _row(_AMB, _SLOW, _DROP, _OTHER, "no answer in time")
_SYSTEM = _row(_AMB, _NODE, _SIBLINGS, _OTHER, "the connection was lost", transport=True)
_STREAM = _row(_AMB, _NODE, _DROP, _NOWHERE, "the state of the connection is not known", transport=True)
_STALE_PLAN = _row(_NOT, _NONE, _KEEP, _SAME, "the plan was made for another schema")
_UNREADABLE = _row(_DONE, _NONE, _DROP, _NOWHERE, "it ran; a value of the answer could not be decoded")
_UNKNOWN = _row(_AMB, _NONE, _DROP, _NOWHERE, "unknown error")

CLIENT_SIDE: dict[str, Verdict] = {
    "OutdatedSchemaCacheError": _row(_DONE, _NONE, _KEEP, _NOWHERE, "it ran; a value could not be decoded after a schema change"),
    "InvalidCachedStatementError": _STALE_PLAN,
    "ClientConfigurationError": _row(_FAIL, _CFG, _KEEP, _NOWHERE, "settings; nothing was sent"),
    "UnsupportedClientFeatureError": _row(_FAIL, _CFG, _KEEP, _NOWHERE, "the library cannot do this; nothing was sent"),
    "UnsupportedServerFeatureError": _row(_FAIL, _CFG, _KEEP, _NOWHERE, "the server cannot do this; nothing was sent"),
    "TargetServerAttributeNotMatched": _row(_NOT, _ROLE, _DROP, _OTHER, "not the wanted role"),
    "ConnectionDoesNotExistError": SQLSTATES["08003"],
    "DataError": _MISUSE,
    "InterfaceError": _MISUSE,
    "ConfigError": _row(_FAIL, _CFG, _KEEP, _NOWHERE, "settings; nothing was sent"),
    "DBRouterError": _MISUSE,
    "ProtocolError": _STREAM,
    "InternalClientError": _STREAM,
    "CancelledError": _CANCELLED,
    # TimeoutError is an OSError: it stands before it in every method resolution order.
    "TimeoutError": _TIMED_OUT,
    "SSLCertVerificationError": _row(_NOT, _CFG, _DROP, _NOWHERE, "the server's certificate is not accepted", transport=True),
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
_QUEUED = re.compile(r"another operation \(\d+\) is in progress|in the \"failed\" state")
"""The server's last word was already waiting in the socket when asyncpg wanted to write: nothing was written."""

_BEFORE_SENDING = (Phase.CONNECT, Phase.SETUP, Phase.CHECK)
_RECOVERY_ROUTINES = frozenset({"ProcessInterrupts", "ProcessRecoveryConflictInterrupt", "ProcessRecoveryConflictInterrupts"})
_STANDBY_ROUTINES = frozenset({"call_bool_check_hook", "call_enum_check_hook", "GetSerializableTransactionSnapshot"})


def judge(error: BaseException, phase: Phase, flavor: Flavor | None = None) -> Verdict:
    """
    What *error* means at *phase*. Never raises.

    Args:
        flavor: of the server; PgBouncer's texts are looked at whatever it says, because a FATAL of a pooler can come through any
            connection.
    """
    code, row = _meaning(error)
    if phase in _BEFORE_SENDING:
        row = _before_sending(row, phase)
    elif phase is Phase.TRANSACTION:
        row = _in_transaction(row)
    elif phase is Phase.COMMIT:
        row = _at_commit(row, code)
    return replace(row, code=code)


def _meaning(error: BaseException) -> tuple[str, Verdict]:
    """(code, row) of *error* as if it had answered an autocommit statement."""
    if type(error).__name__ == "InvalidCachedStatementError":
        return "0A000", _STALE_PLAN
    if (sqlstate := answered(error)) is not None:
        return sqlstate, _of_answer(sqlstate, error)
    for cls in type(error).__mro__:
        row = CLIENT_SIDE.get(cls.__name__)
        if row is not None:
            return _of_client(error, cls.__name__, row)
    if isinstance(error, RuntimeError) and _mentions(error, _CLOSED):
        return type(error).__name__, replace(_NOT_SENT, route=_NOWHERE, transport=False)
    return type(error).__name__, _UNKNOWN


def answered(error: BaseException) -> str | None:
    """The SQLSTATE of *error* if a server has said it, else None."""
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) and getattr(error, "severity", None) is not None else None


def _of_answer(sqlstate: str, error: BaseException) -> Verdict:
    message = str(error.args[0]) if error.args else ""
    routine = getattr(error, "server_source_function", None)
    if sqlstate == "08P01":
        for text, row in PGBOUNCER.items():
            if text in message:
                return row
    if sqlstate == "0A000" and (routine in _STANDBY_ROUTINES or "recovery" in message or "hot standby" in message):
        return STANDBY_CANNOT
    if sqlstate == "XX000" and "during recovery" in message:
        return STANDBY_CANNOT
    if sqlstate == "55000" and "recovery is in progress" in message:
        return STANDBY_LACKS
    if sqlstate == "40001" and (routine in _RECOVERY_ROUTINES or "conflict with recovery" in message):
        return RECOVERY_CONFLICT
    if sqlstate == "57014" and "statement timeout" in message:
        return TIME_LIMIT
    return SQLSTATES.get(sqlstate) or CLASSES.get(sqlstate[:2], _ANSWER)


def _of_client(error: BaseException, name: str, row: Verdict) -> tuple[str, Verdict]:
    if name == "ConnectionDoesNotExistError":
        return _of_lost_connection(error, row)
    if name == "InterfaceError":
        if _mentions(error, _CLOSED):
            return name, _NOT_SENT
        if _mentions(error, _SHARED):
            return name, _IN_USE
    if name == "InternalClientError" and _QUEUED.search(str(error)):
        return name, _NOT_SENT
    return type(error).__name__, row


def _of_lost_connection(error: BaseException, row: Verdict) -> tuple[str, Verdict]:
    """The server's last words, where the library kept them, say more than that the connection is gone."""
    cause = error.__cause__
    sqlstate = answered(cause) if cause is not None else None
    if cause is None or sqlstate is None:
        return "08003", row
    said = _of_answer(sqlstate, cause)
    if said is _ANSWER and (getattr(cause, "severity_en", None) or getattr(cause, "severity", "")) != "ERROR":
        return sqlstate, row
    if said.connection is _KEEP:
        said = replace(said, connection=_DROP)
    return sqlstate, replace(said, transport=said.blame is not _CFG)


def _mentions(error: BaseException, texts: Sequence[str]) -> bool:
    message = str(error).lower()
    return any(text in message for text in texts)


# --- what the phase makes of it -------------------------------------------------------------------------


def _before_sending(row: Verdict, phase: Phase) -> Verdict:
    """Nothing of the caller's was sent. What is no answer of the server is connect-class; an answer refuses our settings."""
    if row is _CANCELLED:
        return replace(row, outcome=_NOT, connection=_DROP)
    if row.outcome is _AMB:
        return replace(row, outcome=_NOT, blame=_NODE, connection=_DROP, route=_OTHER, transport=True)
    if row is _NOT_SENT:
        return row if phase is Phase.CHECK else replace(row, blame=_NODE, route=_OTHER)
    if row.blame in (_NONE, _SLOW) and phase is not Phase.CHECK:
        return replace(row, outcome=_NOT, blame=_CFG, connection=_DROP, route=_NOWHERE, note=row.note or "refused at connect")
    return replace(row, outcome=_NOT, connection=_SIBLINGS if row.connection is _SIBLINGS else _DROP)


def _in_transaction(row: Verdict) -> Verdict:
    """COMMIT was not sent: with the connection goes the transaction, and any error but a misuse has aborted it."""
    if row.outcome is _AMB or (row.outcome is _NOT and row.connection is not _KEEP) or row is _STALE_PLAN:
        return replace(row, outcome=_TXN)
    return row


def _at_commit(row: Verdict, code: str) -> Verdict:
    """
    COMMIT was to be sent. An error that the server answers says that it rolled back; so does what kept COMMIT from being sent.

    An I/O error may have come after the commit record was written.
    """
    if code[:2] == "58":
        return replace(row, outcome=_AMB, route=_NOWHERE)
    if row.outcome is _NOT:
        return replace(row, outcome=_TXN)
    return row


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

ISOLATIONS = frozenset({"read uncommitted", "read committed", "repeatable read", "serializable"})

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
        level = isolation.lower().replace("_", " ")
        if level not in ISOLATIONS:
            raise ParameterError(f"{isolation!r} is not an isolation level ({', '.join(sorted(ISOLATIONS))})")
        modes.append(f"ISOLATION LEVEL {level.upper()}")
    if readonly:
        modes.append("READ ONLY")
    if deferrable:
        modes.append("DEFERRABLE")
    return " ".join(["BEGIN", *modes])


def quoted(name: str) -> str:
    """*name* as an identifier."""
    return '"' + name.replace('"', '""') + '"'
