"""
dbrouter's own errors: one class per decision the router takes, each with a stable `code` and fields for programs.

A server's own errors (`UniqueViolationError`, `IntegrityError`, …) pass through unchanged with a note; nothing here wraps them.
Codes and fields are public API; `docs/reference/errors.md` has a section per code.
Every error survives `pickle` and `copy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a configuration: where, what, and what would be right."""

    message: str
    """The fact with its numbers, for example ``70000 is not a port (1–65535)``."""
    path: str = ""
    """Where in the document: ``hostgroups[1].servers[0].port``."""
    file: str | None = None
    line: int | None = None
    """1-based."""
    expected: str | None = None
    got: Any = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        parts = [part for part in (place, self.path) if part]
        return ": ".join([*parts, self.message])


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one candidate node was not taken."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt of a call: where it ran, what ended it and how long it took."""

    node: str
    error: str
    """``ClassName: message`` of what ended it."""
    seconds: float


class DBRouterError(Exception):
    """The root of dbrouter's own errors."""

    code = "DBR-000"

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        for name, value in fields.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return f"{super().__str__()} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(cls: type[DBRouterError], args: tuple[Any, ...], fields: dict[str, Any]) -> DBRouterError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(fields)
    return error


class ConfigError(DBRouterError, ValueError):
    """The configuration cannot be used; `problems` has every reason at once."""

    code = "DBR-C01"
    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        listed = (Problem(message=problems),) if isinstance(problems, str) else tuple(problems)
        if len(listed) == 1:
            message = str(listed[0])
        else:
            message = f"{len(listed)} problems in the configuration:\n" + "\n".join(f"  - {problem}" for problem in listed)
        super().__init__(message, problems=listed)


class RoutingError(DBRouterError):
    """The call was refused before anything was sent to any server."""

    code = "DBR-R00"


class NoNodeAvailableError(RoutingError):
    """No node of the hostgroup may serve the call; `refusals` names each candidate with its reason."""

    code = "DBR-R01"
    hostgroup: str
    refusals: tuple[Refusal, ...]


class CircuitOpenError(RoutingError):
    """Every candidate's breaker is open; `retry_after` is the seconds until a probe may make the first half-open."""

    code = "DBR-R02"
    hostgroup: str
    refusals: tuple[Refusal, ...]
    retry_after: float


class StatementRejectedError(RoutingError):
    """A rule forbids the statement, or it cannot be sent in this way at all (several statements, COPY)."""

    code = "DBR-R03"
    rule_id: int | None


class SessionStatementError(RoutingError):
    """The statement makes or needs session state, and a pooled connection has none to keep; use `connection()`."""

    code = "DBR-R04"
    reason: str


class StaleReadError(RoutingError):
    """No replica reached the session's token in time."""

    code = "DBR-R05"


class DatabaseRemovedError(RoutingError):
    """The configuration in force has no such database any more: a reload removed it."""

    code = "DBR-R06"
    database: str


class ParameterError(DBRouterError, ValueError):
    """The parameters do not fit the text; nothing was sent."""

    code = "DBR-Q01"


class PoolError(DBRouterError):
    """No connection could be had from a pool."""

    code = "DBR-P00"
    pool: str


class PoolTimeoutError(PoolError, TimeoutError):
    """No connection became free in time; carries the pool's numbers at that moment."""

    code = "DBR-P01"
    waited: float
    """Seconds in line."""
    size: int
    in_use: int
    idle: int
    waiting: int
    connect_failure: str | None
    """The last failure to connect, if one happened since the last success."""


class PoolFullError(PoolError):
    """`max_waiting` callers were already in line."""

    code = "DBR-P02"
    waiting: int


class PoolClosedError(PoolError):
    """The pool or its router is closing or closed."""

    code = "DBR-P03"


class ConnectError(DBRouterError):
    """A connection could not be made; the driver's exception is the cause, or what the application's own hook raised."""

    code = "DBR-N01"
    endpoint: str
    blame: str | None = None
    """``node``, ``load`` or ``config`` (credentials, database name, a hook of the application), where it is known."""


class DeadlineExceededError(DBRouterError, TimeoutError):
    """
    The call's deadline passed.

    `phase` is ``acquiring``, ``executing`` (reads only: a write that was sent raises `OutcomeUnknownError`) or ``backing_off``.
    """

    code = "DBR-T01"
    phase: str
    timeout: float
    attempts: int


class ConnectionLostError(DBRouterError):
    """
    The connection broke where the outcome is known all the same, and dbrouter may not send the work again by itself.

    A read that calls a function which might write; or a statement of a transaction before COMMIT was sent: the server rolls
    it back.
    """

    code = "DBR-N02"
    node: str


class RetriesExhaustedError(DBRouterError):
    """Every attempt failed in transport; `attempts` has each with node, cause and seconds, and the first cause is kept."""

    code = "DBR-T02"
    attempts: tuple[AttemptRecord, ...]


class OutcomeUnknownError(DBRouterError):
    """
    A write (or COMMIT) was sent and its answer never came: it may or may not have been applied.

    Where the deadline cut the call, the raised object is also a `TimeoutError` (`OutcomeUnknownTimeoutError`).
    """

    code = "DBR-U01"
    node: str
    phase: str
    seconds: float
    attempts: int


class OutcomeUnknownTimeoutError(OutcomeUnknownError, TimeoutError):
    """An `OutcomeUnknownError` because the deadline passed after the statement was sent."""


class TransactionAbortedError(DBRouterError):
    """The server has rolled this transaction back: it takes no further statement, and leaving it commits nothing."""

    code = "DBR-X01"


class BugError(DBRouterError):
    """An invariant of dbrouter broke; please report it with the message."""

    code = "DBR-B01"
