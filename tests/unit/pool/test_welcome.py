"""Whose fault a failed `on_connect` is, by what became of the connection and what the hook raised."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.drivers.mysql import judge as mysql
from dbrouter.drivers.postgres import judge as postgres
from dbrouter.errors import ConnectError, ConnectionLostError, DeadlineExceededError, OutcomeUnknownError
from dbrouter.pool.welcome import judge_hook
from dbrouter.terms import Blame


class Seen:
    """As much of a connection as matters afterwards."""

    def __init__(self, *, closed: bool = False, there: bool = True) -> None:
        self.closed = closed
        self._there = there

    def check(self) -> bool:
        """Whether the peer is still there."""
        return self._there


THERE, CLOSED, HUNG_UP = Seen(), Seen(closed=True), Seen(there=False)


def error_of(name: str, *args: Any, **fields: Any) -> BaseException:
    """An exception as a driver library names it."""
    error: BaseException = type(name, (Exception,), {"__module__": "library"})(*args)
    for field, value in fields.items():
        setattr(error, field, value)
    return error


LOST = {
    postgres: error_of("ConnectionDoesNotExistError", "connection was closed in the middle of operation"),
    mysql: error_of("OperationalError", 2013, "Lost connection to MySQL server during query"),
}
SHUTDOWN = {
    postgres: error_of("AdminShutdownError", "terminating connection", sqlstate="57P01", severity="FATAL"),
    mysql: error_of("OperationalError", 1053, "Server shutdown in progress"),
}
CLOSED_BEFORE = {
    postgres: error_of("InterfaceError", "connection is closed"),
    mysql: error_of("OperationalError", 2006, "MySQL server has gone away"),
}
ANSWER = {
    postgres: error_of("UndefinedTableError", "no such table", sqlstate="42P01", severity="ERROR"),
    mysql: error_of("ProgrammingError", 1146, "no such table"),
}
FULL = {
    postgres: error_of("DiskFullError", "disk full", sqlstate="53100", severity="ERROR"),
    mysql: error_of("OperationalError", 1021, "disk full"),
}
OF_THE_HOOK = [
    RuntimeError("no such codec"),
    SystemError("?"),
    TimeoutError("the token service"),
    KeyError("name"),
    error_of("HTTPError", 503),
    DeadlineExceededError("the statement's time ended", phase="executing", timeout=1.0, attempts=1),
]


def judged(error: BaseException, connection: Seen, judge: Any) -> Blame:
    """Whom the failure of a hook that raised *error* blames."""
    failed = ConnectError("on_connect failed", endpoint="db1:1")
    failed.__cause__ = error
    return judge_hook(failed, connection, judge).blame  # type: ignore[arg-type]


each_engine = pytest.mark.parametrize("judge", [postgres, mysql], ids=["postgresql", "mysql"])


@each_engine
def test_while_the_connection_is_there_the_hook_is_to_blame(judge: Any) -> None:
    """Whatever it raised: a refused connection is another service's, an answer of the server is to the hook's statement."""
    everything = [*OF_THE_HOOK, ConnectionRefusedError(111, "?"), LOST[judge], ANSWER[judge], FULL[judge], SHUTDOWN[judge]]
    assert {judged(error, THERE, judge) for error in everything} == {Blame.CONFIG}


@each_engine
@pytest.mark.parametrize("gone", [CLOSED, HUNG_UP], ids=["closed", "hung up"])
def test_a_lost_connection_blames_the_node(judge: Any, gone: Seen) -> None:
    """By the driver's own exception, also below one of ours or of the hook's."""
    ours = ConnectionLostError("lost", node="db1:1")
    ours.__cause__ = LOST[judge]
    unknown = OutcomeUnknownError("unknown", node="db1:1", phase="execute", seconds=0.1, attempts=1)
    unknown.__cause__ = SHUTDOWN[judge]
    theirs = RuntimeError("could not set the codecs")
    theirs.__context__ = ours
    for error in (LOST[judge], SHUTDOWN[judge], ConnectionResetError(104, "reset"), ours, unknown, theirs):
        assert judged(error, gone, judge) is Blame.NODE, error


@each_engine
def test_a_connection_that_the_hook_closed_blames_the_hook(judge: Any) -> None:
    """Its exception says nothing of a lost connection; where the driver only says that it is closed, nobody is blamed."""
    assert {judged(error, CLOSED, judge) for error in (*OF_THE_HOOK, ANSWER[judge], FULL[judge])} == {Blame.CONFIG}
    assert judged(CLOSED_BEFORE[judge], CLOSED, judge) is Blame.NONE


@each_engine
def test_a_circle_of_causes_has_an_end(judge: Any) -> None:
    """An exception that was raised from itself by way of another is judged all the same."""
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    assert judged(first, CLOSED, judge) is Blame.CONFIG
