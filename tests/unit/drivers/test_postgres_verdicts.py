"""Every row of the PostgreSQL error table, phase by phase, with the exceptions that asyncpg really makes."""

from __future__ import annotations

import asyncio
import errno
import ssl
from typing import Any

import asyncpg
import pymysql.err
import pytest

from dbrouter.drivers import mysql
from dbrouter.drivers.asyncpg import AsyncpgDriver
from dbrouter.drivers.outcome import Verdict
from dbrouter.drivers.postgres import CLASSES, CLIENT_SIDE, PGBOUNCER, SQLSTATES, answered, begin_statement, judge, quoted
from dbrouter.errors import ConfigError, ParameterError, TransactionAbortedError
from dbrouter.terms import Blame, ConnectionFate, Flavor, Outcome, Phase, RetryWhere

NOT, FAIL, TXN, AMB, DONE = (
    Outcome.NOT_APPLIED,
    Outcome.FAILED,
    Outcome.ROLLED_BACK,
    Outcome.AMBIGUOUS,
    Outcome.APPLIED,
)
NODE, SLOW, LOAD, ROLE, CFG, NONE = Blame.NODE, Blame.SLOW, Blame.LOAD, Blame.ROLE, Blame.CONFIG, Blame.NONE
KEEP, DROP, SIBLINGS = ConnectionFate.KEEP, ConnectionFate.DROP, ConnectionFate.DROP_SIBLINGS
SAME, LATER, OTHER, OTHER_LATER, WRITER, NOWHERE = (
    RetryWhere.SAME,
    RetryWhere.SAME_LATER,
    RetryWhere.OTHER,
    RetryWhere.OTHER_LATER,
    RetryWhere.WRITER,
    RetryWhere.NOWHERE,
)


def said(sqlstate: str, message: str = "what the server says", routine: str = "someFunction", severity: str = "ERROR") -> Any:
    """An answer of the server, as asyncpg makes an exception of it."""
    return asyncpg.PostgresError.new({"S": severity, "V": severity, "C": sqlstate, "M": message, "R": routine})


def lost(cause: BaseException | None = None) -> Any:
    """A connection that ended in the middle of a statement, with the server's last words where there were some."""
    error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    error.__cause__ = cause
    return error


def shape(verdict: Verdict) -> tuple[Outcome, Blame, ConnectionFate, RetryWhere]:
    return verdict.outcome, verdict.blame, verdict.connection, verdict.route


EXECUTED = [
    ("00000", DONE, NONE, KEEP, NOWHERE),
    ("01000", DONE, NONE, KEEP, NOWHERE),
    ("02000", DONE, NONE, KEEP, NOWHERE),
    ("08000", AMB, NODE, DROP, OTHER),
    ("08001", NOT, NODE, DROP, OTHER),
    ("08003", AMB, NODE, SIBLINGS, OTHER),
    ("08004", NOT, CFG, DROP, OTHER_LATER),
    ("08006", AMB, NODE, DROP, OTHER),
    ("08007", AMB, NODE, DROP, NOWHERE),
    ("08P01", AMB, NODE, DROP, OTHER),
    ("0A000", FAIL, NONE, KEEP, NOWHERE),
    ("21000", FAIL, NONE, KEEP, NOWHERE),
    ("22012", FAIL, NONE, KEEP, NOWHERE),
    ("22P02", FAIL, NONE, KEEP, NOWHERE),
    ("23502", FAIL, NONE, KEEP, NOWHERE),
    ("23505", FAIL, NONE, KEEP, NOWHERE),
    ("25006", NOT, ROLE, KEEP, WRITER),
    ("25P02", FAIL, NONE, KEEP, NOWHERE),
    ("25P03", NOT, NONE, DROP, SAME),
    ("25P04", NOT, NONE, DROP, SAME),
    ("26000", NOT, CFG, DROP, SAME),
    ("28000", NOT, CFG, DROP, NOWHERE),
    ("28P01", NOT, CFG, DROP, NOWHERE),
    ("3D000", NOT, CFG, DROP, OTHER),
    ("3F000", FAIL, NONE, KEEP, WRITER),
    ("40000", TXN, NONE, KEEP, LATER),
    ("40001", TXN, NONE, KEEP, LATER),
    ("40002", TXN, NONE, KEEP, LATER),
    ("40003", AMB, NODE, DROP, NOWHERE),
    ("40P01", TXN, NONE, KEEP, LATER),
    ("42501", FAIL, NONE, KEEP, NOWHERE),
    ("42601", FAIL, NONE, KEEP, NOWHERE),
    ("42703", FAIL, NONE, KEEP, WRITER),
    ("42704", FAIL, NONE, KEEP, WRITER),
    ("42883", FAIL, NONE, KEEP, WRITER),
    ("42P01", FAIL, NONE, KEEP, WRITER),
    ("42P05", NOT, CFG, DROP, SAME),
    ("44000", FAIL, NONE, KEEP, NOWHERE),
    ("53000", NOT, LOAD, KEEP, OTHER_LATER),
    ("53100", NOT, NODE, KEEP, NOWHERE),
    ("53200", NOT, LOAD, KEEP, OTHER_LATER),
    ("53300", NOT, LOAD, DROP, OTHER_LATER),
    ("53400", FAIL, CFG, KEEP, NOWHERE),
    ("54001", FAIL, NONE, KEEP, NOWHERE),
    ("55000", FAIL, NONE, KEEP, NOWHERE),
    ("55006", FAIL, NONE, KEEP, NOWHERE),
    ("55P02", FAIL, NONE, KEEP, NOWHERE),
    ("55P03", NOT, NONE, KEEP, NOWHERE),
    ("55P04", FAIL, NONE, KEEP, NOWHERE),
    ("57000", NOT, NONE, KEEP, NOWHERE),
    ("57014", NOT, NONE, KEEP, NOWHERE),
    ("57P01", AMB, NODE, SIBLINGS, OTHER),
    ("57P02", AMB, NODE, SIBLINGS, OTHER),
    ("57P03", NOT, NODE, DROP, OTHER),
    ("57P04", FAIL, CFG, DROP, NOWHERE),
    ("57P05", NOT, NONE, DROP, SAME),
    ("58000", NOT, NODE, DROP, OTHER),
    ("58030", NOT, NODE, DROP, OTHER),
    ("58P01", NOT, NODE, DROP, OTHER),
    ("72000", NOT, NONE, KEEP, SAME),
    ("HV000", FAIL, NONE, KEEP, NOWHERE),
    ("P0001", FAIL, NONE, KEEP, NOWHERE),
    ("XX000", NOT, NONE, DROP, OTHER),
    ("XX001", FAIL, NODE, DROP, OTHER),
    ("XX002", FAIL, NODE, DROP, OTHER),
    ("ZZ999", FAIL, NONE, KEEP, NOWHERE),
]


@pytest.mark.parametrize(("code", "outcome", "blame", "connection", "route"), EXECUTED, ids=[row[0] for row in EXECUTED])
def test_an_answer_to_an_autocommit_statement(
    code: str, outcome: Outcome, blame: Blame, connection: ConnectionFate, route: RetryWhere
) -> None:
    """Each SQLSTATE means what its row, or the row of its class, says."""
    verdict = judge(said(code), Phase.EXECUTE)

    assert shape(verdict) == (outcome, blame, connection, route)
    assert verdict.code == code
    assert verdict.read_only_refusal is (code == "25006")


def test_every_row_of_the_table_is_tested() -> None:
    """A new row or class needs a line above."""
    tested = {row[0] for row in EXECUTED}
    assert set(SQLSTATES) <= tested
    assert set(CLASSES) <= {code[:2] for code in tested}


BY_CIRCUMSTANCE = [
    ("standby, read-write", said("0A000", "cannot set transaction read-write mode during recovery"), NOT, ROLE, KEEP, WRITER),
    ("standby, localised", said("0A000", "etwas anderes", "call_bool_check_hook"), NOT, ROLE, KEEP, WRITER),
    ("standby, serializable", said("0A000", "cannot use serializable mode in a hot standby"), NOT, ROLE, KEEP, WRITER),
    ("standby, WAL position", said("55000", "recovery is in progress", "pg_current_wal_lsn"), FAIL, ROLE, KEEP, WRITER),
    ("recovery conflict", said("40001", "canceling statement due to conflict with recovery"), NOT, LOAD, KEEP, OTHER),
    ("recovery conflict, localised", said("40001", "storniert", "ProcessInterrupts"), NOT, LOAD, KEEP, OTHER),
    ("statement_timeout", said("57014", "canceling statement due to statement timeout"), NOT, SLOW, KEEP, NOWHERE),
    ("user cancel", said("57014", "canceling statement due to user request"), NOT, NONE, KEEP, NOWHERE),
    ("stale plan", said("0A000", "cached plan", "RevalidateCachedQuery"), NOT, NONE, KEEP, SAME),
    ("type made anew", said("XX000", "cache lookup failed for type 16435"), NOT, NONE, DROP, SAME),
    ("lost without a word", lost(), AMB, NODE, SIBLINGS, OTHER),
    ("lost, terminated", lost(said("57P01", severity="FATAL")), AMB, NODE, SIBLINGS, OTHER),
    ("lost, starting up", lost(said("57P03", severity="FATAL")), NOT, NODE, DROP, OTHER),
    ("lost, idle limit", lost(said("57P05", severity="FATAL")), NOT, NONE, DROP, SAME),
    ("lost, recovery conflict", lost(said("40001", "conflict with recovery", severity="FATAL")), NOT, LOAD, DROP, OTHER),
    ("lost after an error", lost(said("23505")), FAIL, NONE, DROP, NOWHERE),
    ("lost, unknown last words", lost(said("ZZ999", severity="FATAL")), AMB, NODE, SIBLINGS, OTHER),
    ("lost, an OSError beneath", lost(ConnectionResetError()), AMB, NODE, SIBLINGS, OTHER),
    ("lost to PgBouncer's queue", lost(said("08P01", "query_wait_timeout", severity="FATAL")), NOT, LOAD, DROP, OTHER_LATER),
    ("lost by PgBouncer", lost(said("08P01", "server conn crashed?", severity="FATAL")), AMB, NODE, DROP, OTHER),
    ("closed before", asyncpg.InterfaceError("connection is closed"), NOT, NONE, DROP, SAME),
    ("released before", asyncpg.InterfaceError("connection has been released back to the pool"), NOT, NONE, DROP, SAME),
    (
        "shared",
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        NOT,
        NONE,
        KEEP,
        NOWHERE,
    ),
    ("cancelling", asyncpg.InterfaceError("cannot perform operation: another operation is cancelling"), NOT, NONE, KEEP, NOWHERE),
    ("argument count", asyncpg.InterfaceError("the server expects 1 argument for this query"), FAIL, NONE, KEEP, NOWHERE),
    (
        "FATAL waiting in the socket",
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        NOT,
        NONE,
        DROP,
        SAME,
    ),
    ("unknown stream", asyncpg.InternalClientError("got result for unknown protocol state"), AMB, NODE, DROP, NOWHERE),
    *[
        (f"no codec: {text[:25]}", asyncpg.InternalClientError(text), NOT, NONE, KEEP, NOWHERE)
        for text in (
            "could not resolve query result and/or argument types in 6 attempts",
            "no encoder for OID 194",
            "no decoder for OID 2277",
            "no codec for composite attribute type 3642",
            "type record missing base type for domain 16400",
        )
    ],
    (
        "no codec inside a ROW",
        asyncpg.InternalClientError("no decoder for composite type element in position 1 of type OID 1007"),
        DONE,
        NONE,
        DROP,
        NOWHERE,
    ),
    ("broken stream", asyncpg.ProtocolError("the number of columns"), AMB, NODE, DROP, NOWHERE),
    ("not encodable", asyncpg.DataError("invalid input for query argument $1"), FAIL, NONE, KEEP, NOWHERE),
    ("not decodable", asyncpg.OutdatedSchemaCacheError("unexpected data type"), DONE, NONE, KEEP, NOWHERE),
    ("a codec's own error", ValueError("no such colour"), DONE, NONE, DROP, NOWHERE),
    ("library settings", asyncpg.ClientConfigurationError("no such mode"), FAIL, CFG, KEEP, NOWHERE),
    ("unsupported", asyncpg.UnsupportedClientFeatureError("no"), FAIL, CFG, KEEP, NOWHERE),
    ("other role", asyncpg.TargetServerAttributeNotMatched("none of the hosts"), NOT, ROLE, DROP, OTHER),
    ("timeout", TimeoutError(), AMB, SLOW, DROP, OTHER),
    ("reset by peer", ConnectionResetError(), AMB, NODE, SIBLINGS, OTHER),
    ("end of file", asyncio.IncompleteReadError(b"", 1), AMB, NODE, SIBLINGS, OTHER),
    ("cancelled", asyncio.CancelledError(), AMB, NONE, KEEP, NOWHERE),
    ("loop closed", RuntimeError("Event loop is closed"), NOT, NONE, DROP, NOWHERE),
    ("never seen", Exception("what is this"), AMB, NONE, DROP, NOWHERE),
    ("our own", ParameterError("too few"), FAIL, NONE, KEEP, NOWHERE),
    ("our own, settings", ConfigError("no"), FAIL, CFG, KEEP, NOWHERE),
    ("our own, rolled back", TransactionAbortedError("no"), FAIL, NONE, KEEP, NOWHERE),
]


@pytest.mark.parametrize(
    ("error", "outcome", "blame", "connection", "route"),
    [row[1:] for row in BY_CIRCUMSTANCE],
    ids=[row[0] for row in BY_CIRCUMSTANCE],
)
def test_what_more_than_the_code_tells(
    error: BaseException, outcome: Outcome, blame: Blame, connection: ConnectionFate, route: RetryWhere
) -> None:
    """Causes, client-side classes and the few texts that count."""
    assert shape(judge(error, Phase.EXECUTE)) == (outcome, blame, connection, route)


@pytest.mark.parametrize(
    "code", ["08000", "08001", "08003", "08004", "08006", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"]
)
def test_an_error_that_leaves_the_session_is_no_lost_connection(code: str) -> None:
    """Of another server (a foreign table, dblink), or raised by a function: PostgreSQL ends sessions with FATAL alone."""
    for flavor, severity, answer in (
        (Flavor.POSTGRESQL, "ERROR", True),
        (Flavor.POSTGRESQL, "FATAL", False),
        (Flavor.PGBOUNCER, "ERROR", False),
        (None, "ERROR", False),
    ):
        verdict = judge(said(code, severity=severity), Phase.EXECUTE, flavor)
        assert (shape(verdict) == (FAIL, NONE, KEEP, NOWHERE)) is answer
        assert verdict.code == code


def test_every_client_side_row_is_tested() -> None:
    """Each class name of the table stands for an exception above, or for one of its bases."""
    names = {cls.__name__ for _, error, *_ in BY_CIRCUMSTANCE for cls in type(error).__mro__}
    names |= {"SSLCertVerificationError", "TypeError", "LookupError", "ArithmeticError", "UnsupportedServerFeatureError"}
    assert set(CLIENT_SIDE) <= names


@pytest.mark.parametrize("text", PGBOUNCER)
def test_every_text_of_pgbouncer_is_found(text: str) -> None:
    """08P01 means what PgBouncer's text says, as an answer and as the last words of a lost connection."""
    for error in (said("08P01", f"pgbouncer: {text} (more)"), lost(said("08P01", text, severity="FATAL"))):
        verdict = judge(error, Phase.EXECUTE)
        row = next(row for known, row in PGBOUNCER.items() if known in text)
        assert shape(verdict) == shape(row)
        assert verdict.code == "08P01"


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.SETUP, Phase.CHECK])
@pytest.mark.parametrize("code", [row[0] for row in EXECUTED if row[1] is not DONE])
def test_before_anything_was_sent_nothing_is_ambiguous(phase: Phase, code: str) -> None:
    """Whatever the code, nothing of the caller's was applied, and the connection is not used."""
    verdict = judge(said(code), phase)

    assert verdict.outcome is NOT
    assert verdict.connection is not KEEP


@pytest.mark.parametrize(
    ("error", "blame", "transport"),
    [
        (said("28P01"), CFG, False),
        (said("3D000"), CFG, False),
        (said("42501"), CFG, False),
        (said("53300", "sorry, too many clients already"), LOAD, False),
        (said("57P03"), NODE, True),
        (said("57P01", severity="FATAL"), NODE, True),
        (said("08P01", "no such database: x"), CFG, False),
        (said("08P01", "no more connections allowed (max_client_conn)"), LOAD, False),
        (ConfigError("the password provider failed"), CFG, False),
        (asyncpg.InterfaceError("unsupported authentication method requested by the server: 'kerberosv5'"), CFG, False),
        (ssl.SSLCertVerificationError("self-signed"), CFG, True),
        (ssl.SSLError("handshake"), NODE, True),
        (ConnectionRefusedError(), NODE, True),
        (TimeoutError(), NODE, True),
        (lost(), NODE, True),
        (asyncpg.InterfaceError("connection is closed"), NODE, True),
        (OSError("Multiple exceptions"), NODE, True),
    ],
    ids=lambda value: f"{type(value).__name__}" if isinstance(value, BaseException) else str(value),
)
def test_a_failed_connect_knows_whom_to_blame(error: BaseException, blame: Blame, transport: bool) -> None:
    """Credentials and settings, load, or the node."""
    verdict = judge(error, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame, verdict.transport) == (NOT, blame, transport)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize("judge_of", [judge, mysql.judge], ids=["postgresql", "mysql"])
def test_a_shortage_of_our_own_blames_no_node(judge_of: Any, number: int) -> None:
    """Where this process has no socket to connect with, the server was not even asked."""
    wrapped = pymysql.err.OperationalError(2003, "Can't connect")
    wrapped.__cause__ = OSError(number, "no more")
    for error in (OSError(number, "no more"), wrapped):
        verdict = judge_of(error, Phase.CONNECT)
        assert (verdict.outcome, verdict.blame, verdict.transport) == (NOT, LOAD, False)


def test_a_dead_connection_found_before_sending_blames_nobody() -> None:
    """A stale connection is no failure of the node: what the reconnect says counts."""
    verdict = judge(asyncpg.InterfaceError("connection is closed"), Phase.CHECK)
    assert (verdict.outcome, verdict.blame, verdict.route) == (NOT, NONE, SAME)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (lost(), TXN),
        (lost(said("57P01", severity="FATAL")), TXN),
        (lost(said("25P03", severity="FATAL")), TXN),
        (asyncpg.InterfaceError("connection is closed"), TXN),
        (ConnectionResetError(), TXN),
        (TimeoutError(), TXN),
        (asyncio.CancelledError(), TXN),
        (said("40001"), TXN),
        (said("40P01"), TXN),
        (said("0A000", "cached plan", "RevalidateCachedQuery"), TXN),
        (said("23505"), FAIL),
        (said("25P02"), FAIL),
        (said("25006"), NOT),
        (said("55P03"), NOT),
        (said("57014"), NOT),
        (asyncpg.DataError("invalid input"), FAIL),
    ],
)
def test_inside_a_transaction_a_lost_connection_rolls_back(error: BaseException, outcome: Outcome) -> None:
    """Before COMMIT was sent nothing is ambiguous; what a savepoint can mend stays the statement's own."""
    assert judge(error, Phase.TRANSACTION).outcome is outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (lost(), AMB),
        (lost(said("57P01", severity="FATAL")), AMB),
        (lost(said("57P02", severity="FATAL")), AMB),
        (ConnectionResetError(), AMB),
        (TimeoutError(), AMB),
        (asyncio.CancelledError(), AMB),
        (said("08007"), AMB),
        (said("40003"), AMB),
        (said("58030"), AMB),
        (Exception("what is this"), AMB),
        (said("40001"), TXN),
        (said("57014"), TXN),
        (said("53100"), TXN),
        (said("XX000"), TXN),
        (said("23503", "deferred"), FAIL),
        (asyncpg.InterfaceError("connection is closed"), TXN),
    ],
)
def test_at_commit(error: BaseException, outcome: Outcome) -> None:
    """An answer in the place of COMMIT's means rolled back; silence, and an I/O error, leave it open."""
    assert judge(error, Phase.COMMIT).outcome is outcome


def test_an_sqlstate_alone_is_no_answer_of_the_server() -> None:
    """asyncpg's client-side DataError has an SQLSTATE and was never sent."""
    mine = asyncpg.DataError("invalid input for query argument $1: 'x'")

    assert mine.sqlstate == "22000"
    assert answered(mine) is None
    assert answered(said("22000")) == "22000"
    assert judge(mine, Phase.EXECUTE).code == "DataError"


def test_the_last_words_are_the_code() -> None:
    """Logs and metrics name what the server said last, or that nothing was said."""
    assert judge(lost(said("57P01", severity="FATAL")), Phase.EXECUTE).code == "57P01"
    assert judge(lost(), Phase.EXECUTE).code == "08003"
    assert judge(ConnectionResetError(), Phase.EXECUTE).code == "ConnectionResetError"


def test_only_refusals_to_write_are_marked() -> None:
    """Safety 3 reroutes what was refused as read-only, and nothing else."""
    marked = {code for code, *_ in EXECUTED if judge(said(code), Phase.EXECUTE).read_only_refusal}
    assert marked == {"25006"}
    assert judge(said("0A000", "cannot use serializable mode in a hot standby"), Phase.EXECUTE).read_only_refusal
    assert not judge(said("55000", "recovery is in progress"), Phase.EXECUTE).read_only_refusal


def test_a_hand_made_exception_is_judged_too() -> None:
    """The table never raises, whatever it is given."""

    class OddError(Exception):
        sqlstate = 42
        severity = "ERROR"

    class EmptyError(asyncpg.PostgresError):
        severity = "ERROR"

    for error in (OddError(), EmptyError(), BaseException(), asyncpg.InterfaceError("")):
        for phase in Phase:
            assert judge(error, phase).code


def test_the_driver_judges_by_this_table() -> None:
    """`AsyncpgDriver.verdict` is `judge`."""
    assert AsyncpgDriver().verdict(said("25006"), Phase.EXECUTE) == judge(said("25006"), Phase.EXECUTE)


@pytest.mark.parametrize(
    ("modes", "text"),
    [
        ({}, "BEGIN"),
        ({"readonly": True}, "BEGIN READ ONLY"),
        (
            {"isolation": "serializable", "readonly": True, "deferrable": True},
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
        ),
        ({"isolation": "Repeatable_Read"}, "BEGIN ISOLATION LEVEL REPEATABLE READ"),
    ],
)
def test_begin_says_its_modes(modes: dict[str, Any], text: str) -> None:
    """Never READ WRITE, which would undo a read-only session."""
    assert begin_statement(**({"isolation": None, "readonly": False, "deferrable": False} | modes)) == text


def test_an_unknown_isolation_level_is_refused() -> None:
    """Only the four levels become SQL."""
    with pytest.raises(ParameterError, match="isolation level"):
        begin_statement(isolation="snapshot", readonly=False, deferrable=False)


def test_names_are_quoted() -> None:
    """A savepoint's name cannot leave its quotes."""
    assert quoted('a"b') == '"a""b"'
