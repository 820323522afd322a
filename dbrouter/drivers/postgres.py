"""
What dbrouter knows of PostgreSQL whatever the client library: what SQLSTATEs mean, transactions, role and reset SQL.

`meaning_of` turns a SQLSTATE into a `Verdict` (docs/resilience.md). The phase decides before the code does: what failed
before anything was sent is not applied, what failed inside a transaction before COMMIT is rolled back with the connection. A
meaning is one row of `TABLE`, by the whole code or, where a class means one thing, by its first characters; the longest key wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dbrouter.drivers.outcome import Verdict
from dbrouter.terms import Blame, ConnectionFate, Outcome, Phase, RetryWhere


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table: what an error says when the statement had been sent."""

    outcome: Outcome
    blame: Blame
    connection: ConnectionFate
    route: RetryWhere
    note: str = ""
    transport: bool = False
    read_only: bool = False

    def verdict(self, code: str) -> Verdict:
        """This row as a verdict on *code*."""
        return Verdict(
            outcome=self.outcome,
            blame=self.blame,
            connection=self.connection,
            route=self.route,
            code=code,
            transport=self.transport,
            read_only_refusal=self.read_only,
            note=self.note,
        )


_NOT, _FAIL, _TXN, _AMB = Outcome.NOT_APPLIED, Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.AMBIGUOUS
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

_ANSWER = Meaning(_FAIL, _NONE, _KEEP, _NOWHERE)
_MISSING = Meaning(_FAIL, _NONE, _KEEP, _WRITER, "unknown object: on a replica perhaps not replicated yet")
_LOST = Meaning(_AMB, _NODE, _SIBLINGS, _OTHER, "the connection was lost", transport=True)
_DENIED = Meaning(_NOT, _CFG, _DROP, _NOWHERE, "credentials")
_STARTING = Meaning(_NOT, _NODE, _DROP, _OTHER, "the server is starting, stopping or recovering", transport=True)
_CLOSED_IDLE = Meaning(_NOT, _NONE, _DROP, _SAME, "the server had closed the session")
_FULL = Meaning(_NOT, _LOAD, _KEEP, _OTHER_LATER, "the server is out of a resource")

TABLE: dict[str, Meaning] = {
    # 08: the connection
    "08": _LOST,
    "08001": Meaning(_NOT, _NODE, _DROP, _OTHER, "no connection", transport=True),
    "08004": Meaning(_NOT, _CFG, _DROP, _NOWHERE, "the server rejected the connection"),
    "08P01": Meaning(_AMB, _NODE, _DROP, _OTHER, "protocol violation", transport=True),
    # 0A: not supported
    "0A": _ANSWER,
    # 22, 23, 42 …: answers
    "3D000": Meaning(_NOT, _CFG, _DROP, _NOWHERE, "unknown database"),
    "42P01": _MISSING,
    "42703": _MISSING,
    "42883": _MISSING,
    "42704": _MISSING,
    "3F000": _MISSING,
    # 25: transaction state
    "25006": Meaning(_NOT, _ROLE, _KEEP, _WRITER, "the session or the server is read-only", read_only=True),
    "25P02": Meaning(_FAIL, _NONE, _KEEP, _NOWHERE, "an earlier statement of this transaction failed"),
    "25P03": Meaning(_TXN, _NONE, _DROP, _SAME, "idle_in_transaction_session_timeout"),
    "25P04": Meaning(_TXN, _NONE, _DROP, _SAME, "transaction_timeout"),
    "26000": Meaning(_NOT, _CFG, _DROP, _SAME, "a prepared statement is missing: a pooler in transaction mode?"),
    "42P05": Meaning(_NOT, _CFG, _DROP, _SAME, "a prepared statement is there twice: a pooler in transaction mode?"),
    "28": _DENIED,
    # 40: rolled back
    "40": Meaning(_TXN, _NONE, _KEEP, _LATER, "rolled back"),
    "40001": Meaning(_TXN, _NONE, _KEEP, _LATER, "serialization failure"),
    "40P01": Meaning(_TXN, _NONE, _KEEP, _LATER, "deadlock"),
    "40003": Meaning(_AMB, _NODE, _DROP, _OTHER, "the server does not know whether it completed"),
    # 53: resources
    "53": _FULL,
    "53100": Meaning(_NOT, _NODE, _KEEP, _OTHER_LATER, "disk full"),
    "53300": Meaning(_NOT, _LOAD, _DROP, _OTHER_LATER, "too many connections"),
    "53400": Meaning(_FAIL, _CFG, _KEEP, _NOWHERE, "a configured limit"),
    # 55: object state
    "55000": _ANSWER,
    "55P03": Meaning(_NOT, _NONE, _KEEP, _NOWHERE, "a lock was not available"),
    # 57: operator intervention
    "57014": Meaning(_NOT, _SLOW, _KEEP, _NOWHERE, "cancelled: statement_timeout or an operator"),
    "57P01": Meaning(_AMB, _NODE, _SIBLINGS, _OTHER, "shutting down, or an operator ended the session", transport=True),
    "57P02": Meaning(_AMB, _NODE, _SIBLINGS, _OTHER, "the server crashed", transport=True),
    "57P03": _STARTING,
    "57P04": Meaning(_FAIL, _CFG, _DROP, _NOWHERE, "the database was dropped"),
    "57P05": _CLOSED_IDLE,
    # 58, XX: the system
    "58": Meaning(_AMB, _NODE, _DROP, _OTHER, "an error of the server's system"),
    "72000": Meaning(_NOT, _NONE, _KEEP, _SAME, "snapshot too old"),
    "XX": Meaning(_NOT, _NODE, _DROP, _OTHER, "an internal error of the server"),
    "XX001": Meaning(_FAIL, _NODE, _DROP, _OTHER, "data corrupted"),
    "XX002": Meaning(_FAIL, _NODE, _DROP, _OTHER, "index corrupted"),
}
"""What is not here (22, 23, 42, P0, HV …) is an answer without effect that would come again."""

_RECOVERY_CONFLICT = Meaning(_NOT, _LOAD, _KEEP, _OTHER, "conflict with recovery on a standby")
_STANDBY = Meaning(_NOT, _ROLE, _KEEP, _WRITER, "a hot standby cannot do this", read_only=True)

_POOLER: tuple[tuple[str, Meaning], ...] = (
    ("query_wait_timeout", Meaning(_NOT, _LOAD, _DROP, _OTHER_LATER, "PgBouncer had no server in time")),
    ("no more connections allowed", Meaning(_NOT, _LOAD, _DROP, _OTHER_LATER, "PgBouncer: max_client_conn")),
    ("server login has been failing", Meaning(_NOT, _NODE, _DROP, _OTHER_LATER, "PgBouncer cannot log in", transport=True)),
    ("unsupported startup parameter", Meaning(_NOT, _CFG, _DROP, _NOWHERE, "this is a PgBouncer: set via: pgbouncer")),
    ("no such database", Meaning(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer knows no such database")),
    ("no such user", Meaning(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer knows no such user")),
    ("bouncer config error", Meaning(_NOT, _CFG, _DROP, _NOWHERE, "PgBouncer's configuration")),
    ("pgbouncer is shutting down", Meaning(_NOT, _NODE, _DROP, _OTHER, "PgBouncer is stopping", transport=True)),
    ("server conn crashed", Meaning(_AMB, _NODE, _DROP, _OTHER, "PgBouncer lost its server", transport=True)),
    ("server_idle_timeout", Meaning(_AMB, _NODE, _DROP, _OTHER, "PgBouncer closed its server connection", transport=True)),
    ("query_timeout", Meaning(_AMB, _SLOW, _DROP, _OTHER, "PgBouncer's query_timeout")),
)
"""PgBouncer says everything by 08P01; its texts are English whatever the locale."""

_STANDBY_TEXT = re.compile(r"recovery|hot standby", re.IGNORECASE)

_BEFORE_SENDING = (Phase.CONNECT, Phase.SETUP, Phase.CHECK)


def meaning_of(sqlstate: str, message: str = "") -> Meaning:
    """
    The row for *sqlstate*.

    Args:
        message: the server's primary message; looked at for PgBouncer's texts and the two codes whose meaning depends on a
            standby.
    """
    if sqlstate == "08P01":
        lowered = message.lower()
        for text, meaning in _POOLER:
            if text in lowered:
                return meaning
    if sqlstate == "40001" and "recovery" in message:
        return _RECOVERY_CONFLICT
    if sqlstate in ("0A000", "55000") and _STANDBY_TEXT.search(message):
        return _STANDBY
    for length in (5, 2):
        found = TABLE.get(sqlstate[:length])
        if found is not None:
            return found
    return _ANSWER


def in_phase(verdict: Verdict, phase: Phase) -> Verdict:
    """*verdict*, corrected by how far the unit of work had come."""
    if phase in _BEFORE_SENDING:
        outcome = verdict.outcome if verdict.outcome is Outcome.FAILED else Outcome.NOT_APPLIED
        route = verdict.route if verdict.blame is Blame.CONFIG or verdict.route is not RetryWhere.NOWHERE else RetryWhere.OTHER
        return replace(verdict, outcome=outcome, connection=_at_least_drop(verdict.connection), route=route)
    if phase is Phase.TRANSACTION and verdict.outcome is Outcome.AMBIGUOUS:
        return replace(verdict, outcome=Outcome.ROLLED_BACK)
    return verdict


def _at_least_drop(fate: ConnectionFate) -> ConnectionFate:
    return ConnectionFate.DROP if fate is ConnectionFate.KEEP else fate


def begin_text(isolation: str | None, readonly: bool, deferrable: bool) -> str:
    """Our own BEGIN."""
    text = "BEGIN"
    if isolation is not None:
        text += f" ISOLATION LEVEL {isolation.upper()}"
    if readonly:
        text += " READ ONLY"
    if deferrable:
        text += " DEFERRABLE"
    return text


PROBE_TEXT = (
    "SELECT pg_is_in_recovery() AS recovering, current_setting('transaction_read_only') AS read_only, pg_backend_pid() AS pid,"
    " current_setting('server_version') AS version, pg_postmaster_start_time()::text AS started,"
    " CASE WHEN NOT pg_is_in_recovery() THEN NULL WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0.0"
    " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8 AS lag"
)
"""
Role, version, identity and an estimate of the lag in one round trip; works on primaries and hot standbys, needs no privilege.
"""

RESET_TEXT = (
    "RESET SESSION AUTHORIZATION; RESET ROLE; SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL; DISCARD TEMP;"
    " DISCARD SEQUENCES"
)
"""
What a function we do not know may have left on a session; the library's statement cache stays valid.

`RESET ALL` goes back to the start-up packet's values, so a read-only session stays read-only; init statements must be run again.
"""
