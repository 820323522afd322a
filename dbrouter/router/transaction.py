"""
Transaction: a block of statements on one pinned connection, by our own BEGIN, COMMIT and ROLLBACK; `Savepoint` inside it;
and `run_in_transaction`, which runs a whole function again where the server rolled it back.

What a transaction knows of itself: after a verdict that the server has rolled back (deadlock, serialization failure,
connection lost) it is
aborted and refuses everything but leaving; leaving it normally then raises, so that a swallowed error never looks like a commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.drivers.base import Connection, Cursor
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import (
    ConnectionLostError,
    DeadlineExceededError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    ParameterError,
    SessionStatementError,
    StatementRejectedError,
    TransactionAbortedError,
)
from dbrouter.pool.lease import Lease
from dbrouter.resilience.backoff import next_delay
from dbrouter.router.context import Context
from dbrouter.router.detour import delayed, logged, remember
from dbrouter.router.pinning import pin
from dbrouter.router.plan import Plan
from dbrouter.router.recovery import noted, settle_breaker
from dbrouter.router.result import Result
from dbrouter.router.session import Pinned
from dbrouter.terms import Blame, ConnectionFate, Engine, Outcome, Phase, RetryWhere

T = TypeVar("T")

RUN_ATTEMPTS = 10
"""
How often `run` runs its function in all. Among busy writers of the same rows a repeated run meets a conflict about every second
time; five runs then give up 3 transactions of 1,000.
"""

_ROLLBACK_SECONDS = 5.0
"""
How long leaving a failed transaction may wait for ROLLBACK before its connection is closed instead, which rolls back too; less
where the call time limit or the deadline of `run` is nearer.
"""

_ISOLATION = ("read uncommitted", "read committed", "repeatable read", "serializable")


class Transaction(Pinned):
    """
    ``async with router.transaction() as tx``.

    Raises, on leaving:
        OutcomeUnknownError: COMMIT was sent and its answer never came; never of reads in a read-only transaction or session.
        TransactionAbortedError: the server had rolled back and the block swallowed the error.
        the server's own error where COMMIT itself was refused (a deferred constraint, a serialization failure).

    If cancelled inside, the statement is cut and the transaction is rolled back in the background.
    """

    _phase = Phase.TRANSACTION
    _what = "transaction"

    def __init__(
        self,
        context: Context,
        *,
        isolation: str | None,
        readonly: bool,
        deferrable: bool,
        limit: float | None,
        group: Hostgroup,
    ) -> None:
        super().__init__(context, group=group, limit=limit)
        if isolation is not None and (not isinstance(isolation, str) or isolation.lower() not in _ISOLATION):
            raise ParameterError(f"isolation must be one of {', '.join(_ISOLATION)}, got {isolation!r}")
        self._isolation = isolation.lower() if isolation is not None else None
        self._readonly = readonly
        self._deferrable = deferrable
        self._aborted: BaseException | None = None
        self._replay_for: BaseException | None = None
        self._in_doubt: BaseException | None = None
        """After this error the server may have rolled back: it is asked before anything else is sent."""
        self._over = False
        """The server has committed it implicitly: what is sent from now on is outside of any transaction."""
        self._savepoints = 0
        self._at_stake = False
        """Whether COMMIT decides anything: something was sent that is no read, or where the server would let it write."""
        self.refuse_implicit_commit: str | None = None
        """Who refuses statements that commit implicitly here (MySQL DDL), or None."""

    @property
    def aborted(self) -> bool:
        """Whether the server has rolled back: only leaving is left."""
        return self._aborted is not None

    def transaction(self) -> Savepoint:
        """``async with tx.transaction():`` a savepoint: what fails inside is undone, the transaction goes on."""
        return Savepoint(self)

    async def __aenter__(self) -> Self:
        self._open_once()
        self._group, self._member, self._lease, _ = await pin(
            self._context, self._group, limit=self.limit, setup=self._begin, stays=self._readonly
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lease is None:
            return
        if self._busy:
            self._give_back()
            if error is None:
                raise StatementRejectedError(
                    "nothing was committed: another task's statement was still running when the block was left, so its connection"
                    " was closed; await what you start in a transaction before you leave it",
                    rule_id=None,
                )
            return
        if error is None and self._in_doubt is not None:
            await self._ask_before_commit()
        if error is not None:
            if self._ended_by is not None:
                error.add_note(
                    f"dbrouter: {self._ended_by} committed, or may have committed, what came before it: not all is undone"
                )
            await self._roll_back()
            return
        if self._aborted is not None:
            await self._roll_back()
            undone = "nothing was committed"
            if self._ended_by is not None:
                undone = f"not all is undone, because {self._ended_by} committed, or may have committed, what came before it"
            raise TransactionAbortedError(
                f"{undone}: the transaction had been rolled back by {type(self._aborted).__name__}, and the block went on"
            ) from self._aborted
        await self._commit()

    async def _begin(self, connection: Connection, read: bool) -> None:
        await connection.begin(isolation=self._isolation, readonly=self._readonly and read, deferrable=self._deferrable)

    async def _unwind(self, connection: Connection) -> None:
        if connection.in_transaction and not connection.needs_settling:
            with suppress(Exception):  # Then the connection is closed.
                await connection.rollback()

    async def _guarded(self, send: Callable[[], Awaitable[Any]], limit: float | None, plan: Plan | None) -> Any:
        if self._in_doubt is not None:
            started = monotonic()
            await self._ask(limit)
            if limit is not None:
                limit = max(limit - (monotonic() - started), 0.0)
        return await super()._guarded(send, limit, plan)

    async def _ask(self, limit: float | None) -> None:
        """
        A round trip whose answer says whether a transaction is still open.

        Raises:
            TransactionAbortedError: none is.
        """
        lease, _ = self._held()
        await super()._guarded(lease.connection.ping, limit, None)
        self._refuse_if_aborted()

    async def _ask_before_commit(self) -> None:
        """COMMIT would be answered well by a server that has rolled back before."""
        try:
            await self._ask(self._group.call_timeout)
        except Exception as error:
            self._aborted = self._aborted or error
        except BaseException:
            self._give_back()
            raise

    async def _commit(self) -> None:
        lease, member = self._held()
        limit, started = self._group.call_timeout, monotonic()
        deadline = None if limit is None else started + limit
        if self._until is not None and (deadline is None or self._until < deadline):
            deadline = self._until
        node = member.node.id
        if deadline is not None and deadline <= started:
            # Sent now, it would be cut at once, and nobody would know whether it had been applied.
            await self._roll_back()
            message = f"the time limit had ended before COMMIT was sent to {node}; the transaction is rolled back"
            raise DeadlineExceededError(message, phase="executing", timeout=None, attempts=1)
        lease.arm(deadline, not self._at_stake)
        try:
            await lease.connection.commit()
        except asyncio.CancelledError:
            lease.disarm()
            self._unsettled = True
            cut = lease.claim_interrupt()
            self._give_back()
            if cut is None:
                raise
            if not self._at_stake:
                self._end_of_reads(node, cut)
                return
            raise OutcomeUnknownTimeoutError(
                f"COMMIT was sent to {node} and its answer did not come in time; it may or may not have been applied",
                node=node,
                phase="commit",
                seconds=monotonic() - started,
                attempts=1,
            ) from None
        except TransactionAbortedError:
            lease.disarm()
            self._give_back()
            raise
        except Exception as error:
            lease.disarm()
            verdict = self._context.driver.verdict(error, Phase.COMMIT, flavor=lease.connection.flavor)
            now = monotonic()
            settle_breaker(verdict, member, None, now, now - started)
            gone = verdict.connection is not ConnectionFate.KEEP or lease.connection.closed
            self._lost = gone or lease.connection.in_transaction
            self._unsettled = lease.connection.needs_settling
            self._give_back()
            unsent = gone and verdict.outcome in (Outcome.NOT_APPLIED, Outcome.ROLLED_BACK)
            if not self._at_stake and (unsent or verdict.outcome is Outcome.AMBIGUOUS):
                self._end_of_reads(node, f"{type(error).__name__}: {error}")
                return
            if verdict.outcome is Outcome.AMBIGUOUS:
                raise OutcomeUnknownError(
                    f"COMMIT was sent to {node} and its answer never came ({type(error).__name__}: {error});"
                    " it may or may not have been applied",
                    node=node,
                    phase="commit",
                    seconds=now - started,
                    attempts=1,
                ) from error
            if unsent:
                self._replay_for = lost = ConnectionLostError(
                    f"the connection to {node} was gone before COMMIT was sent ({type(error).__name__}: {error}); what was"
                    " not committed yet is rolled back",
                    node=node,
                )
                raise lost from error
            if verdict.outcome in (Outcome.ROLLED_BACK, Outcome.NOT_APPLIED):
                self._replay_for = error
            raise noted(error, self._group.name, node, None, 1) from error.__cause__
        lease.disarm()
        self._give_back()

    def _end_of_reads(self, node: str, why: str) -> None:
        """
        The answer to COMMIT never came, and all that was sent were reads where nothing can write: nothing is in doubt.

        Raises:
            ConnectionLostError: serializable on PostgreSQL, where reads hold only once they are committed; `run` repeats it.
        """
        if self._context.is_serializable(self._isolation):
            self._replay_for = lost = ConnectionLostError(
                f"the connection to {node} broke at COMMIT of a serializable transaction that only read ({why}); what it read is "
                "not certain to be consistent",
                node=node,
            )
            raise lost

    async def _roll_back(self) -> None:
        lease, _ = self._held()
        connection = lease.connection
        # After a verdict that the server rolled back, too: a trigger may have said so alone (SIGNAL), and then nothing has ended.
        ended = self._aborted is None and not connection.in_transaction
        if self._lost or self._unsettled or ended:
            self._give_back()
            return
        now = monotonic()
        own = self._group.call_timeout
        limit = _ROLLBACK_SECONDS if own is None else min(_ROLLBACK_SECONDS, own)
        deadline = now + limit if self._until is None else min(now + limit, self._until)
        if deadline <= now:
            self._lost = True
            self._give_back()
            return
        lease.arm(deadline, False)
        try:
            await connection.rollback()
        except asyncio.CancelledError:
            lease.disarm()
            self._unsettled = True
            if lease.claim_interrupt() is None:
                raise
        except Exception:
            self._lost = True  # Whatever it was: the connection is closed, and closing rolls back.
        finally:
            lease.disarm()
            self._give_back()

    def _refuse_if_aborted(self) -> None:
        if self._aborted is not None:
            raise TransactionAbortedError(
                f"this transaction was rolled back ({type(self._aborted).__name__}: {self._aborted}); leave its block"
            ) from self._aborted

    async def fetch_from(self, cursor: Cursor, count: int, timeout: float | None, plan: Plan) -> Sequence[Any]:
        """See `Pinned.fetch_from`."""
        self._refuse_if_aborted()
        return await super().fetch_from(cursor, count, timeout, plan)

    def _check(self, plan: Plan) -> None:
        self._refuse_if_aborted()
        super()._check(plan)
        implicit = plan.statement.implicit_commit and plan.answer is None and self._context.engine is Engine.MYSQL
        if self.refuse_implicit_commit is not None and implicit:
            raise StatementRejectedError(
                f"{plan.kind} commits implicitly on MySQL, so {self.refuse_implicit_commit} could not undo or repeat it;"
                " run it on its own with execute()",
                rule_id=None,
            )

    def _mark(self, plan: Plan, lease: Lease) -> None:
        super()._mark(plan, lease)
        # Only where the server itself refuses writes: elsewhere a view or an operator may write, and its text does not show it.
        harmless = self._readonly or (self._member is not None and self._member.read_only)
        if not (plan.read and self._reading and harmless):
            self._at_stake = True

    def _ran(self, plan: Plan | None, connection: Connection) -> None:
        if self._context.engine is not Engine.MYSQL:
            return  # Nothing commits unseen; and asyncpg says "no transaction" of a connection that was lost behind the answer.
        doubt, self._in_doubt = self._in_doubt, None
        if doubt is not None and not connection.in_transaction:
            self._aborted = self._replay_for = doubt
        elif not connection.in_transaction:
            self._over = True
            self._ended_by = self._ended_by or (plan.kind if plan is not None else "a statement")
        elif not self._over:
            self._ended_by = None

    def _check_transaction_control(self, plan: Plan) -> None:
        raise SessionStatementError(
            f"{plan.kind} inside transaction(): leave the block to commit, raise to roll back, use tx.transaction() for a "
            f"savepoint",
            reason=plan.kind,
        )

    def _cut(self, read: bool, node: str, limit: float | None, seconds: float) -> BaseException:
        if self._ended_by is not None:
            return super()._cut(read, node, limit, seconds)
        shown = f"{limit:.3g}s" if limit is not None else "time limit"
        return DeadlineExceededError(
            f"the statement's {shown} ended on {node}; the transaction is rolled back",
            phase="executing",
            timeout=limit,
            attempts=1,
        )

    def _raised(self, error: BaseException, verdict: Verdict, read: bool, node: str, seconds: float) -> BaseException:
        if self._ended_by is not None:
            return super()._raised(error, verdict, read, node, seconds)
        if not self._lost or not _undone(verdict) or not self._broke(verdict):
            return error
        lost = ConnectionLostError(
            f"the connection to {node} broke before COMMIT was sent ({type(error).__name__}: {error}); the transaction is "
            f"rolled back",
            node=node,
        )
        lost.__cause__ = error
        return lost

    def _doomed(self, raised: BaseException, verdict: Verdict | None) -> None:
        if verdict is None:
            self._aborted = raised
            if isinstance(raised, ConnectionLostError):
                self._replay_for = raised
            return
        if self._lost or verdict.outcome is Outcome.ROLLED_BACK:
            self._aborted = raised
            if _undone(verdict):
                self._replay_for = raised
        elif verdict.outcome is Outcome.NOT_APPLIED and verdict.route in (
            RetryWhere.SAME,
            RetryWhere.SAME_LATER,
            RetryWhere.OTHER,
        ):
            self._replay_for = raised
        if verdict.transaction_in_doubt and self._aborted is None and self._ended_by is None:
            self._in_doubt = raised

    def replayable(self, error: BaseException) -> bool:
        """Whether *error*, which left the block, says that the whole may be run again: nothing of it was applied."""
        if self._replay_for is None or self._ended_by is not None or isinstance(error, OutcomeUnknownError):
            return False
        seen: BaseException | None = error
        while seen is not None:
            if seen is self._replay_for:
                return True
            seen = seen.__cause__ or seen.__context__
        return False

    async def _send_many(self, sql: str, runs: Sequence[Sequence[Any]], tag: str | None) -> Result:
        plan = self._context.planner.plan(sql, tag)
        self._admit(plan)
        lease, member = self._held()
        started = monotonic()
        remember(plan, self._context.database, self._group)
        effects = plan.effects
        if effects is not None and effects.ok_msg is not None:
            return Result((), (effects.ok_msg, 0, None), (self._group.name, member.node.id, plan.rule_id, 1, 0.0))
        if effects is not None and effects.delay is not None:
            await delayed(effects.delay, self._left_of(None))
        text, bound = plan.text, runs
        if plan.named is not None:
            text = plan.named.text
            bound = [plan.bind(run)[1] for run in runs]
        self._mark(plan, lease)
        sending = self._guarded(lambda: lease.connection.send_many(text, bound), None, plan) if bound else _none()
        if effects is not None and effects.log:
            sending = logged(self._context, plan, sending, lambda _: self.place)
        count = await sending
        status = f"{plan.kind} {count}" if count is not None else plan.kind
        return Result((), (status, count, None), (self._group.name, member.node.id, plan.rule_id, 1, monotonic() - started))


async def _none() -> int:
    """How many rows no runs change."""
    return 0


def _undone(verdict: Verdict) -> bool:
    """
    Whether all was rolled back for a reason that may not come again: a conflict, or the connection. The same statement too large
    for the server, an internal error, or an exception of our own code, would come again.
    """
    internal = verdict.blame is Blame.NONE and verdict.route is RetryWhere.OTHER
    again = verdict.transport or (verdict.route is not RetryWhere.NOWHERE and not internal)
    return verdict.outcome is Outcome.ROLLED_BACK and again


class Savepoint:
    """A transaction inside a transaction: rolled back by itself when an exception leaves its block."""

    def __init__(self, outer: Transaction) -> None:
        self._outer = outer
        self._name = ""

    async def __aenter__(self) -> Transaction:
        outer = self._outer
        outer._savepoints += 1
        self._name = f"dbrouter_{outer._savepoints}"
        await self._send("savepoint")
        return outer

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._outer.aborted or self._outer._lost or self._outer._unsettled:
            return
        await self._send("release_savepoint" if error is None else "rollback_to_savepoint")

    async def _send(self, what: str) -> None:
        outer = self._outer
        if outer.aborted:
            raise TransactionAbortedError("this transaction was rolled back; leave its block") from outer._aborted
        lease, _ = outer._held()
        send = getattr(lease.connection, what)
        await outer._guarded(lambda: send(self._name), outer._group.call_timeout, None)


async def run_in_transaction(
    context: Context,
    fn: Callable[[Transaction], Awaitable[T]],
    *,
    isolation: str | None,
    readonly: bool,
    deadline: float | None,
    limit: float | None,
) -> T:
    """
    Run *fn* in a transaction, and again as a whole where nothing of it was applied, at most `RUN_ATTEMPTS` times before
    *deadline*.

    If cancelled, the transaction is rolled back in the background and nothing is run again.
    """
    group = context.group_of_block(readonly=readonly, isolation=isolation)
    attempt = 0
    while True:
        attempt += 1
        left = None if deadline is None else max(0.0, deadline - monotonic())
        tx = Transaction(context, isolation=isolation, readonly=readonly, deferrable=False, limit=left, group=group)
        tx.refuse_implicit_commit = "run()"
        tx._until = deadline
        tx._moves = readonly
        group.budget.deposit(monotonic())
        try:
            async with tx:
                return await fn(tx)
        except Exception as error:
            if attempt >= RUN_ATTEMPTS or not tx.replayable(error):
                raise
            delay = next_delay(attempt, group.retry, context.rng)
            if deadline is not None and monotonic() + delay >= deadline:
                raise
            group.retries += 1
        await asyncio.sleep(delay)
