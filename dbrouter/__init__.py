"""dbrouter: reads to healthy replicas, everything else to the primary, for PostgreSQL and MySQL."""

from __future__ import annotations

from dbrouter.config import RouterConfig
from dbrouter.drivers.rows import Row
from dbrouter.errors import (
    BugError,
    CircuitOpenError,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    DatabaseRemovedError,
    DBRouterError,
    DeadlineExceededError,
    NoNodeAvailableError,
    OutcomeUnknownError,
    ParameterError,
    PoolClosedError,
    PoolError,
    PoolFullError,
    PoolTimeoutError,
    RetriesExhaustedError,
    RoutingError,
    SessionStatementError,
    StaleReadError,
    StatementRejectedError,
    TransactionAbortedError,
)
from dbrouter.integrations import logging as _logging  # the default observer registers itself
from dbrouter.router.caller import context
from dbrouter.router.database import Database
from dbrouter.router.explanation import Explanation
from dbrouter.router.reload import ReloadReport
from dbrouter.router.report import HealthSnapshot, StatsSnapshot
from dbrouter.router.result import Result, Route
from dbrouter.router.router import Router
from dbrouter.router.session import PinnedConnection
from dbrouter.router.shadow import ShadowReport
from dbrouter.router.transaction import Transaction
from dbrouter.terms import Intent

__version__ = "0.1.0"

del _logging

__all__ = [
    "BugError",
    "CircuitOpenError",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "DBRouterError",
    "Database",
    "DatabaseRemovedError",
    "DeadlineExceededError",
    "Explanation",
    "HealthSnapshot",
    "Intent",
    "NoNodeAvailableError",
    "OutcomeUnknownError",
    "ParameterError",
    "PinnedConnection",
    "PoolClosedError",
    "PoolError",
    "PoolFullError",
    "PoolTimeoutError",
    "ReloadReport",
    "Result",
    "RetriesExhaustedError",
    "Route",
    "Router",
    "RouterConfig",
    "RoutingError",
    "Row",
    "SessionStatementError",
    "ShadowReport",
    "StaleReadError",
    "StatementRejectedError",
    "StatsSnapshot",
    "Transaction",
    "TransactionAbortedError",
    "context",
]
