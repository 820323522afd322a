"""Every row of the MySQL and MariaDB error tables, phase by phase."""

from __future__ import annotations

import asyncio

import pytest
from pymysql.err import InterfaceError, InternalError, OperationalError, ProgrammingError

from dbrouter.drivers.mysql import BY_FLAVOR, CLIENT_SIDE, SHARED, error_number, flavor_of, judge
from dbrouter.errors import ParameterError
from dbrouter.terms import Blame, ConnectionFate, Flavor, Outcome, Phase, RetryWhere

NOT, FAIL, TXN, AMB = Outcome.NOT_APPLIED, Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.AMBIGUOUS
NODE, SLOW, LOAD, ROLE, CFG, NONE = Blame.NODE, Blame.SLOW, Blame.LOAD, Blame.ROLE, Blame.CONFIG, Blame.NONE
KEEP, DROP, SIBLINGS = ConnectionFate.KEEP, ConnectionFate.DROP, ConnectionFate.DROP_SIBLINGS

READ_ONLY = "The MariaDB server is running with the --read-only option so it cannot execute this statement"

EXECUTED = [
    # number, message, outcome, blame, connection
    (1020, "Record has changed since last read", TXN, NONE, KEEP),
    (1021, "Disk full", NOT, NODE, KEEP),
    (1037, "Out of memory", NOT, LOAD, KEEP),
    (1038, "Out of sort memory", NOT, LOAD, KEEP),
    (1041, "Out of memory", NOT, LOAD, KEEP),
    (1114, "The table is full", NOT, NODE, KEEP),
    (1206, "Lock table size", TXN, LOAD, KEEP),
    (1461, "Too many prepared statements", NOT, LOAD, KEEP),
    (1637, "Too many transactions", NOT, LOAD, KEEP),
    (1030, "Got error 28 from storage engine", AMB, NODE, DROP),
    (1034, "Index corrupt", AMB, NODE, DROP),
    (1194, "Table is crashed", AMB, NODE, DROP),
    (1047, "WSREP has not yet prepared node for application use", NOT, NODE, DROP),
    (1053, "Server shutdown in progress", NOT, NODE, SIBLINGS),
    (1077, "Normal shutdown", AMB, NODE, SIBLINGS),
    (1078, "Got signal", AMB, NODE, SIBLINGS),
    (1079, "Shutdown complete", AMB, NODE, SIBLINGS),
    (1080, "Forcing close", AMB, NODE, SIBLINGS),
    (1048, "Column cannot be null", FAIL, NONE, KEEP),
    (1062, "Duplicate entry", FAIL, NONE, KEEP),
    (1064, "You have an error in your SQL syntax", FAIL, NONE, KEEP),
    (1146, "Table doesn't exist", FAIL, NONE, KEEP),
    (1366, "Incorrect value", FAIL, NONE, KEEP),
    (1406, "Data too long", FAIL, NONE, KEEP),
    (1451, "Cannot delete a parent row", FAIL, NONE, KEEP),
    (1105, "Unknown error", FAIL, NODE, DROP),
    (1142, "SELECT command denied", NOT, NONE, KEEP),
    (1143, "column denied", NOT, NONE, KEEP),
    (1227, "you need SUPER", NOT, NONE, KEEP),
    (1152, "Aborted connection", AMB, NODE, DROP),
    (1153, "Got a packet bigger than 'max_allowed_packet' bytes", FAIL, NONE, DROP),
    (1154, "read error from pipe", AMB, NODE, DROP),
    (1155, "fcntl", AMB, NODE, DROP),
    (1156, "packets out of order", AMB, NODE, DROP),
    (1157, "uncompress", AMB, NODE, DROP),
    (1158, "error reading", AMB, NODE, DROP),
    (1159, "timeout reading", AMB, NODE, DROP),
    (1160, "error writing", AMB, NODE, DROP),
    (1161, "timeout writing", AMB, NODE, DROP),
    (1180, "Got error during COMMIT", AMB, NODE, DROP),
    (1184, "Aborted connection", AMB, NODE, DROP),
    (1203, "max_user_connections", NOT, LOAD, DROP),
    (1205, "Lock wait timeout exceeded", NOT, NONE, KEEP),
    (1213, "Deadlock found", TXN, NONE, KEEP),
    (1226, "User has exceeded the resource", NOT, LOAD, DROP),
    (1290, READ_ONLY, NOT, ROLE, SIBLINGS),
    (1290, "... running with the --super-read-only option ...", NOT, ROLE, SIBLINGS),
    (1290, "... running with the --secure-file-priv option ...", FAIL, NONE, KEEP),
    (1317, "Query execution was interrupted", NOT, NONE, KEEP),
    (1412, "Table definition has changed", NOT, NONE, KEEP),
    (1615, "Prepared statement needs to be re-prepared", NOT, NONE, KEEP),
    (1613, "XA_RBTIMEOUT", TXN, NONE, KEEP),
    (1614, "XA_RBDEADLOCK", TXN, NONE, KEEP),
    (1622, "rolled back", TXN, NONE, KEEP),
    (1792, "Cannot execute statement in a READ ONLY transaction", NOT, NONE, KEEP),
    (1836, "Running in read-only mode", NOT, ROLE, SIBLINGS),
]
OF_ONE_FLAVOR = [
    (Flavor.MARIADB, 1927, AMB, NODE, DROP),
    (Flavor.MARIADB, 1950, TXN, NODE, KEEP),
    (Flavor.MARIADB, 1964, TXN, NONE, KEEP),
    (Flavor.MARIADB, 1969, NOT, SLOW, KEEP),
    (Flavor.MYSQL, 3024, NOT, SLOW, KEEP),
    (Flavor.MYSQL, 3032, NOT, NODE, SIBLINGS),
    (Flavor.MYSQL, 3100, TXN, ROLE, KEEP),
    (Flavor.MYSQL, 3101, TXN, NONE, KEEP),
    (Flavor.MYSQL, 3169, AMB, NODE, DROP),
    (Flavor.MYSQL, 3572, NOT, NONE, KEEP),
    (Flavor.MYSQL, 4031, NOT, NONE, DROP),
]
AT_CONNECT = [
    (1040, NOT, LOAD, False),
    (1042, NOT, NODE, True),
    (1043, NOT, NODE, True),
    (1044, NOT, CFG, False),
    (1045, NOT, CFG, False),
    (1049, NOT, CFG, False),
    (1129, NOT, CFG, True),
    (1130, NOT, CFG, False),
    (1184, NOT, NODE, True),
    (1203, NOT, LOAD, False),
    (2002, NOT, NODE, True),
    (2003, NOT, NODE, True),
    (2005, NOT, NODE, True),
    (2012, NOT, NODE, True),
    (2013, NOT, NODE, True),
    (2026, NOT, CFG, True),
    (2059, NOT, CFG, False),
    (2061, NOT, CFG, False),
]


@pytest.mark.parametrize(("number", "message", "outcome", "blame", "fate"), EXECUTED)
def test_answers_to_a_statement(number: int, message: str, outcome: Outcome, blame: Blame, fate: ConnectionFate) -> None:
    """A number that is the same on both flavours means what the table says, whatever class the library made of it."""
    for error in (OperationalError(number, message), ProgrammingError(number, message)):
        for flavor in (Flavor.MARIADB, Flavor.MYSQL, None):
            verdict = judge(error, Phase.EXECUTE, flavor)

            assert (verdict.outcome, verdict.blame, verdict.connection, verdict.code) == (outcome, blame, fate, str(number))


@pytest.mark.parametrize(("flavor", "number", "outcome", "blame", "fate"), OF_ONE_FLAVOR)
def test_numbers_of_one_flavor(flavor: Flavor, number: int, outcome: Outcome, blame: Blame, fate: ConnectionFate) -> None:
    """A number above 1900 is looked up with its flavour, and says nothing when the other flavour answers it."""
    other = Flavor.MYSQL if flavor is Flavor.MARIADB else Flavor.MARIADB

    verdict = judge(OperationalError(number, "x"), Phase.EXECUTE, flavor)
    elsewhere = judge(OperationalError(number, "x"), Phase.EXECUTE, other)

    assert (verdict.outcome, verdict.blame, verdict.connection) == (outcome, blame, fate)
    assert elsewhere.outcome is FAIL
    assert judge(OperationalError(number, "x"), Phase.EXECUTE).outcome is outcome


@pytest.mark.parametrize(("number", "outcome", "blame", "transport"), AT_CONNECT)
def test_failures_to_connect(number: int, outcome: Outcome, blame: Blame, transport: bool) -> None:
    """Nothing was sent, so nothing is ambiguous; only what is not an answer of a working server is connect-class."""
    verdict = judge(OperationalError(number, "x"), Phase.CONNECT)

    assert (verdict.outcome, verdict.blame, verdict.transport) == (outcome, blame, transport)
    assert verdict.connection is not KEEP


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.SETUP, Phase.CHECK])
def test_nothing_is_ambiguous_before_sending(phase: Phase) -> None:
    """Whatever the number, before the statement was sent it was not applied."""
    numbers = [*SHARED, *CLIENT_SIDE, 1064, 1290, *[number for table in BY_FLAVOR.values() for number in table]]

    outcomes = {judge(OperationalError(number, "x"), phase).outcome for number in numbers}
    outcomes |= {judge(error, phase).outcome for error in (OSError(), TimeoutError(), RuntimeError(), InternalError("sequence"))}

    assert outcomes == {NOT}


@pytest.mark.parametrize(
    ("error", "outcome", "blame", "code"),
    [
        (OperationalError(2013, "Lost connection"), AMB, NODE, "2013"),
        (OperationalError(2006, "gone away"), NOT, NONE, "2006"),
        (OperationalError(2014, "out of sync"), AMB, NONE, "2014"),
        (OperationalError(2027, "malformed"), AMB, NODE, "2027"),
        (OperationalError(2055, "lost"), AMB, NODE, "2055"),
        (InterfaceError(0, "Not connected"), NOT, NONE, "0"),
        (InterfaceError("Cancelled during execution"), NOT, NONE, "InterfaceError"),
        (InternalError("Packet sequence number wrong - got 3 expected 1"), AMB, NODE, "InternalError"),
        (RuntimeError("readexactly() called while another coroutine is already waiting"), AMB, NONE, "RuntimeError"),
        (TypeError("object of type 'int' has no len()"), AMB, NONE, "TypeError"),
        (TimeoutError(), AMB, SLOW, "TimeoutError"),
        (ConnectionResetError(104, "reset"), AMB, NODE, "ConnectionResetError"),
        (asyncio.CancelledError(), AMB, NONE, "CancelledError"),
        (ParameterError("two placeholders"), FAIL, NONE, "ParameterError"),
        (UnicodeDecodeError("utf8", b"\xff", 0, 1, "x"), Outcome.APPLIED, NONE, "UnicodeDecodeError"),
    ],
)
def test_errors_of_the_client(error: BaseException, outcome: Outcome, blame: Blame, code: str) -> None:
    """What the library itself raises after a statement was handed over; a time-out is not taken for a network failure."""
    verdict = judge(error, Phase.EXECUTE)

    assert (verdict.outcome, verdict.blame, verdict.code) == (outcome, blame, code)


def test_an_idle_time_out_is_certain() -> None:
    """A lost connection whose last words were 4031 had not read the statement."""
    error = OperationalError(2013, "Lost connection")
    error.__cause__ = OperationalError(4031, "disconnected by the server because of inactivity")

    verdict = judge(error, Phase.EXECUTE, Flavor.MYSQL)

    assert (verdict.outcome, verdict.blame, verdict.route) == (NOT, NONE, RetryWhere.SAME)


def test_read_only_refusals_name_the_writer() -> None:
    """Exactly the refusals that another server would not make are marked for Safety 3."""
    refusals = [OperationalError(1290, READ_ONLY), OperationalError(1792, "x"), OperationalError(1836, "x")]
    others = [OperationalError(1290, "--skip-grant-tables option"), OperationalError(1142, "x"), OperationalError(1064, "x")]

    verdicts = [judge(error, Phase.EXECUTE) for error in refusals]

    assert all(verdict.read_only_refusal and verdict.route is RetryWhere.WRITER for verdict in verdicts)
    assert not any(judge(error, Phase.EXECUTE).read_only_refusal for error in others)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OperationalError(2013, "lost"), TXN),
        (OperationalError(2006, "gone"), TXN),
        (InterfaceError(0, "Not connected"), TXN),
        (OperationalError(1053, "shutdown"), TXN),
        (OperationalError(1205, "lock wait"), NOT),
        (OperationalError(1213, "deadlock"), TXN),
        (OperationalError(1792, "read only"), NOT),
        (OperationalError(1062, "duplicate"), FAIL),
        (TimeoutError(), TXN),
    ],
)
def test_inside_a_transaction(error: Exception, outcome: Outcome) -> None:
    """A connection lost before COMMIT was sent has rolled back; 1205 has undone its statement only."""
    assert judge(error, Phase.TRANSACTION).outcome is outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OperationalError(2013, "lost"), AMB),
        (TimeoutError(), AMB),
        (OperationalError(1053, "shutdown"), AMB),
        (OperationalError(1180, "error during COMMIT"), AMB),
        (OperationalError(1290, READ_ONLY), TXN),
        (OperationalError(1213, "certification"), TXN),
        (OperationalError(3101, "certification"), TXN),
        (OperationalError(2006, "gone before it was sent"), TXN),
        (OperationalError(1064, "never seen here"), AMB),
    ],
)
def test_at_commit(error: Exception, outcome: Outcome) -> None:
    """A lost COMMIT is ambiguous; a refused one, or one that was never written, has rolled back."""
    assert judge(error, Phase.COMMIT).outcome is outcome


def test_numbers_are_read_from_the_first_argument_only() -> None:
    """An errno of the system is no MySQL number."""
    assert error_number(OperationalError(1205, "x")) == 1205
    assert error_number(OSError(104, "reset")) is None
    assert error_number(RuntimeError("x")) is None
    assert error_number(ValueError()) is None


@pytest.mark.parametrize(
    ("version", "flavor"),
    [
        ("5.5.5-10.11.6-MariaDB-log", Flavor.MARIADB),
        ("10.11.19-MariaDB-0+deb12u1", Flavor.MARIADB),
        ("9.7.4", Flavor.MYSQL),
        ("8.0.mysql_aurora.3.05.2", Flavor.MYSQL),
    ],
)
def test_flavor_by_the_greeting(version: str, flavor: Flavor) -> None:
    """MariaDB names itself; everything else is taken for MySQL."""
    assert flavor_of(version) is flavor
