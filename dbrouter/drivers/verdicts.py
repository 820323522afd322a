"""
The words in which the verdict tables of `postgres.py` and `mysql.py` are written: short names, so that a row fits on a line.

A row is a `Verdict` without a code: what an error means when it answered an autocommit statement that had been sent. `judge` of
each engine looks its row up, lets the phase change it, and fills in the code.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import ParameterError
from dbrouter.terms import Blame, ConnectionFate, Outcome, Phase, RetryWhere

NOT, FAIL, TXN = Outcome.NOT_APPLIED, Outcome.FAILED, Outcome.ROLLED_BACK
AMB, DONE = Outcome.AMBIGUOUS, Outcome.APPLIED
NODE, SLOW, LOAD, ROLE, CFG, NONE = Blame.NODE, Blame.SLOW, Blame.LOAD, Blame.ROLE, Blame.CONFIG, Blame.NONE
KEEP, DROP, SIBLINGS = ConnectionFate.KEEP, ConnectionFate.DROP, ConnectionFate.DROP_SIBLINGS
SAME, LATER, OTHER = RetryWhere.SAME, RetryWhere.SAME_LATER, RetryWhere.OTHER
OTHER_LATER, WRITER, NOWHERE = RetryWhere.OTHER_LATER, RetryWhere.WRITER, RetryWhere.NOWHERE

BEFORE_SENDING = (Phase.CONNECT, Phase.SETUP, Phase.CHECK)
"""Phases in which nothing of the caller's had been sent."""

_OWN_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})

ISOLATIONS = frozenset({"read uncommitted", "read committed", "repeatable read", "serializable"})


def row(
    outcome: Outcome,
    blame: Blame,
    connection: ConnectionFate,
    route: RetryWhere,
    note: str = "",
    *,
    transport: bool = False,
    read_only_refusal: bool = False,
    unsent: bool = False,
    transaction_in_doubt: bool = False,
) -> Verdict:
    """A row of a table."""
    return Verdict(
        outcome=outcome,
        blame=blame,
        connection=connection,
        route=route,
        code="",
        note=note,
        transport=transport,
        read_only_refusal=read_only_refusal,
        unsent=unsent,
        transaction_in_doubt=transaction_in_doubt,
    )


NO_SOCKET = row(NOT, LOAD, DROP, OTHER_LATER, "this process has no socket to connect with; the server was not asked")
"""What a connect that met `no_socket_left` means."""


def no_socket_left(error: BaseException | None) -> bool:
    """Whether *error*, or what it was raised from, says that this process or its machine can open nothing more."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OWN_SHORTAGES:
            return True
        error = error.__cause__
    return False


def in_transaction(found: Verdict) -> Verdict:
    """*found* where COMMIT was not sent: with the connection goes the transaction."""
    if found.outcome is AMB or (found.outcome is NOT and found.connection is not KEEP):
        return replace(found, outcome=TXN)
    return found


def isolation_level(written: str) -> str:
    """
    *written* in SQL's words, upper-cased.

    Raises:
        ParameterError: it is not one of the four levels.
    """
    level = written.lower().replace("_", " ")
    if level not in ISOLATIONS:
        raise ParameterError(f"{written!r} is not an isolation level ({', '.join(sorted(ISOLATIONS))})")
    return level.upper()
