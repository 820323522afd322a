"""
Verdict: what an exception from a driver means, in four words.

Each engine's tables (`postgres.py`, `mysql.py`) turn an exception into one of these, once, at the adapter.
Everything above works with verdicts and never looks at a driver's exception class.
"""

from __future__ import annotations

from dataclasses import dataclass

from dbrouter.terms import Blame, ConnectionFate, Outcome, RetryWhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What became of the statement, whose fault it was, what to do with the connection, and where to try again.

    Attributes:
        code: SQLSTATE, MySQL error number as text, or the client-side exception's class name; for logs and metrics.
        transport: the connection or the handshake failed (as opposed to an answer of the server): connect-class for the breaker.
        read_only_refusal: the server refused a write because it is read-only (Safety 3).
        unsent: the statement never left this process, or the server hung up before it read it: nothing of it can have run.
        transaction_in_doubt: whether the transaction that it met is still open depends on a setting of the server: ask before
            going on.
        note: why, in a few words, where the code alone does not say.
    """

    outcome: Outcome
    blame: Blame
    connection: ConnectionFate
    route: RetryWhere
    code: str
    transport: bool = False
    read_only_refusal: bool = False
    unsent: bool = False
    transaction_in_doubt: bool = False
    note: str = ""
