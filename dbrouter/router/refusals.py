"""
Refusals: the errors of statements that are not sent, made when they are raised.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dbrouter.errors import RoutingError, SessionStatementError, StatementRejectedError
from dbrouter.sql import Statement
from dbrouter.terms import UNSAFE_CHARSETS, Engine

Refusal = Callable[[], RoutingError]


def forbidden(rule_id: int | None, message: str) -> Refusal:
    """Makes the error of a rule's `error_msg`."""
    return lambda: StatementRejectedError(f"rule {rule_id} forbids this statement: {message}", rule_id=rule_id)


def transaction_refusal(statement: Statement) -> SessionStatementError:
    """The error for BEGIN, COMMIT and their like as a pooled call."""
    return SessionStatementError(
        f"{statement.kind} on a pooled connection would leave a transaction to a stranger: use transaction() or run()",
        reason=statement.kind,
    )


_CHARSET = re.compile(r"\b(?:NAMES|CHARSET|CHARACTER\s+SET|CHARACTER_SET_CLIENT)\b[\s:='\"`]*(\w+)", re.IGNORECASE)


def charset_refusal(statement: Statement) -> Refusal | None:
    """Makes the error for a MySQL statement that changes the session's character set to one in which nothing can be escaped."""
    if statement.engine is not Engine.MYSQL or statement.kind != "SET":
        return None
    for charset in _CHARSET.findall(statement.text):
        if charset.lower() in UNSAFE_CHARSETS:
            return lambda: SessionStatementError(
                f"the character set {charset} is refused: parameters cannot be escaped safely in it; utf8mb4 holds all its "
                f"characters",
                reason=f"character set {charset}",
            )
    return None


def script_refusal(statement: Statement) -> Refusal | None:
    """Makes the error for several statements in one text where they cannot be sent, or None."""
    count = statement.statements
    if count <= 1:
        return None
    if statement.engine is Engine.MYSQL:
        return lambda: StatementRejectedError(
            f"{count} statements in one text: MySQL connections here take one a call (which also stops stacked-query "
            "injection); use batch([(sql, params), ...])",
            rule_id=None,
        )
    if statement.positional or statement.named:
        return lambda: StatementRejectedError(
            f"{count} statements in one text with parameters: PostgreSQL takes one statement then; "
            "use batch([(sql, params), ...])",
            rule_id=None,
        )
    return None


def no_statement() -> RoutingError:
    """The error for an empty text, or one of comments only."""
    return StatementRejectedError("the text holds no statement", rule_id=None)


def copy_refusal() -> RoutingError:
    """The error for COPY … FROM STDIN / TO STDOUT, which the statement calls cannot feed."""
    return StatementRejectedError(
        "COPY from or to the client cannot go through a statement call: use connection() and its .raw (copy_to_table,"
        " copy_from_query, …)",
        rule_id=None,
    )


def session_refusal(statement: Statement) -> SessionStatementError:
    """The error for a statement that makes or needs session state on a pooled connection."""
    reason = statement.session_reason or "session state"
    hint = "use connection() to keep one connection for it"
    if "LAST_INSERT_ID" in reason.upper():
        hint = "use the .lastrowid of the INSERT's result"
    elif reason.lower() in ("currval()", "lastval()"):
        hint = "use INSERT … RETURNING, or connection() to keep one connection for it"
    return SessionStatementError(
        f"{statement.kind}: {reason} belongs to one connection, and a pooled call gets any; {hint}", reason=reason
    )
