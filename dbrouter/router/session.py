"""
Pinned work: calls that share one connection. `PinnedConnection` is what `connection()` gives; `Transaction` builds on the
same `Pinned`.

A pinned call never moves and is never sent again: what it fails with is the caller's to see. The connection's account is
settled when the
block is left: back to the pool, or closed and replaced where session state was made on it (Safety 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.drivers.base import Connection, Cursor, Reply
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import (
    ConnectionLostError,
    DBRouterError,
    DeadlineExceededError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    SessionStatementError,
    StatementRejectedError,
)
from dbrouter.pool.lease import Lease
from dbrouter.router.context import Context
from dbrouter.router.decide import may_commit_inside
from dbrouter.router.detour import delayed, logged, remember, told, unseen
from dbrouter.router.learned import changes_functions
from dbrouter.router.limits import time_left
from dbrouter.router.pinning import pin
from dbrouter.router.plan import Plan
from dbrouter.router.recovery import noted, settle_breaker
from dbrouter.router.refusals import charset_refusal, copy_refusal, no_statement, script_refusal
from dbrouter.router.result import Result
from dbrouter.terms import ConnectionFate, Engine, Outcome, Phase

_CLEANUP_SECONDS = 2.0
"""How long a cancelled statement may take to be settled and rolled back in the background before its connection is closed."""


_DATA = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "VALUES", "TABLE"})
"""Kinds of statements that cannot end a transaction."""


class Pinned:
    """The statement calls on one pinned connection."""

    _phase = Phase.EXECUTE
    _what = "connection"

    def __init__(self, context: Context, *, group: Hostgroup, limit: float | None) -> None:
        self._context = context
        self._group = group
        self.limit = limit
        """Seconds for entering it; None: no limit."""
        self._member: Member | None = None
        self._lease: Lease | None = None
        self._opened = False
        self._busy = False
        self._lost = False
        """The connection is gone or in an unknown state: close it at the end."""
        self._unsettled = False
        """A statement was cut: its end is still to come."""
        self._undone = False
        """The statement that runs is undone with its connection: it is inside a transaction, and cannot commit it."""
        self._gone = False
        """The connection was closed before the statement that runs."""
        self._ended_by: str | None = None
        """
        MySQL: the kind of statement that committed, or may have committed, the transaction it found open; None: none did. An
        error does not say, the next answer does.
        """
        self._reset = False
        self._schema_changed = False
        self._functions_changed = False
        self._reading = True
        """False once a reader has refused what was taken for a read, and it went to the primary."""
        self._moves = False
        """The whole block is run again elsewhere: its reads on a reader end at once when the probes give their node up."""
        self._adopted = False
        """It is just being made: its pool judges what becomes of it (`pool/welcome.py`), and tells the breaker once."""
        self._until: float | None = None
        """A moment (monotonic) that caps the deadline of every call inside, where the whole block has one."""

    def __repr__(self) -> str:
        node = self._member.node.id if self._member is not None else "not open"
        return f"<{type(self).__name__} {self._context.database} {node}>"

    @property
    def place(self) -> tuple[str | None, str]:
        """(node, hostgroup) where it is pinned; no node before it is open."""
        return self._member.node.id if self._member is not None else None, self._group.name

    @property
    def read_only(self) -> bool:
        """Whether its session was opened read-only by us."""
        return self._member is not None and self._member.read_only

    # ---- calls

    async def execute(self, sql: str, *params: Any, timeout: float | None = -1.0, tag: str | None = None) -> Result:
        """Run one statement here; *timeout* seconds (None: none; default: the rule's, else the hostgroup's ``timeouts.call``)."""
        started = monotonic()
        reply, plan = await self._statement(sql, params, timeout, tag)
        lease, member = self._held()
        route = (self._group.name, member.node.id, None, 1, monotonic() - started)
        if plan.effects is not None and plan.effects.ok_msg is not None:
            return Result((), (plan.effects.ok_msg, 0, None), route)
        return Result(reply[0], lease.connection.describe(reply), route)

    async def fetch(self, sql: str, *params: Any, timeout: float | None = -1.0, tag: str | None = None) -> Sequence[Any]:
        """The rows of one statement; options as `execute`."""
        return (await self._statement(sql, params, timeout, tag))[0][0]

    async def fetchrow(self, sql: str, *params: Any, timeout: float | None = -1.0, tag: str | None = None) -> Any:
        """The first row of one statement, or None; options as `execute`."""
        rows = (await self._statement(sql, params, timeout, tag))[0][0]
        return rows[0] if rows else None

    async def fetchval(
        self, sql: str, *params: Any, column: int = 0, timeout: float | None = -1.0, tag: str | None = None
    ) -> Any:
        """One value of the first row, or None; options as `execute`."""
        rows = (await self._statement(sql, params, timeout, tag))[0][0]
        return rows[0][column] if rows else None

    # ---- for Stream

    async def open_cursor(self, plan: Plan, params: Sequence[Any], count: int) -> tuple[Cursor, Sequence[Any]]:
        """
        Enter the block, in place of ``async with``, with a server-side cursor of *plan* and its first *count* rows; until these
        are here, it moves and is sent again as a single call is, within the block's one time limit.
        """
        self._check(plan)
        text = plan.text
        if params and plan.named is not None:
            text, params = plan.bind(params)
        opened: list[tuple[Cursor, Sequence[Any]]] = []

        async def setup(connection: Connection, read: bool) -> None:
            await self._begin(connection, read)
            try:
                cursor = await connection.cursor(text, params)
                opened.append((cursor, await cursor.fetch(count)))
            except Exception:
                await self._unwind(connection)
                raise

        self._open_once()
        self._group, self._member, self._lease, self._reading = await pin(
            self._context,
            self._group,
            limit=self.limit,
            setup=setup,
            stays=plan.stays or plan.unsafe,
            plan=plan,
            phase=self._phase,
        )
        self._mark(plan, self._lease)
        return opened[-1]

    async def fetch_from(self, cursor: Cursor, count: int, timeout: float | None, plan: Plan) -> Sequence[Any]:
        """The next *count* rows of *cursor*, which `open_cursor` made for *plan*."""
        rows: Sequence[Any] = await self._guarded(lambda: cursor.fetch(count), timeout, plan)
        return rows

    async def _begin(self, connection: Connection, read: bool) -> None:
        """Hook: what goes before the cursor of what is, or is no, *read*."""

    async def _unwind(self, connection: Connection) -> None:
        """Hook: undo `_begin`, where the cursor was refused."""

    # ---- how a statement runs here

    async def _statement(self, sql: str, params: Sequence[Any], timeout: float | None, tag: str | None) -> tuple[Reply, Plan]:
        plan = self._context.planner.plan(sql, tag)
        self._admit(plan)
        text = plan.text
        if params and plan.named is not None:
            text, params = plan.bind(params)
        lease, _ = self._held()
        connection = lease.connection
        limit = self._own_limit(plan) if timeout == -1.0 else time_left(timeout)
        script = plan.script
        effects = plan.effects
        if effects is not None:
            remember(plan, self._context.database, self._group)
            if effects.ok_msg is not None:
                return ([], None, None), plan
            if effects.delay is not None:
                limit = await delayed(effects.delay, self._left_of(limit))
        self._mark(plan, lease)
        sending = self._guarded(
            (lambda: connection.send_script(text)) if script else (lambda: connection.send(text, params)), limit, plan
        )
        if effects is not None and effects.log:
            sending = logged(self._context, plan, sending, lambda _: self.place)
        reply: Reply = await sending
        return reply, plan

    def _own_limit(self, plan: Plan) -> float | None:
        """Seconds for a call that gives none itself: the rule's, else those of the hostgroup where this is pinned."""
        return plan.timeout if plan.timed else self._group.call_timeout

    def _left_of(self, limit: float | None) -> float | None:
        """*limit*, or what is left of the whole block's where that is less."""
        if self._until is None:
            return limit
        left = max(0.0, self._until - monotonic())
        return left if limit is None else min(limit, left)

    def _mark(self, plan: Plan, lease: Lease) -> None:
        """Note what *plan* may leave on the session, before it is sent: a statement that is cut may have done it all the same."""
        if plan.taints is not None:
            lease.dirty = plan.taints
        self._reset = self._reset or plan.reset
        if plan.statement.ddl:
            self._schema_changed = True
            self._functions_changed = self._functions_changed or changes_functions(plan.statement)
        if self._context.engine is Engine.MYSQL and (plan.statement.implicit_commit or may_commit_inside(plan.statement)):
            self._ended_by = self._ended_by or plan.kind

    def _ran(self, plan: Plan | None, connection: Connection) -> None:
        """A statement succeeded: see whether the transaction it found is still open."""
        if self._ended_by is not None and connection.in_transaction:
            self._ended_by = None

    def _admit(self, plan: Plan) -> None:
        """`_check`, with the events of a call that ends here, refused or answered by a rule."""
        try:
            self._check(plan)
        except Exception as refused:
            told(self._context, plan, None, self._group.name, type(refused).__name__)
            raise
        if plan.answer is not None:
            told(self._context, plan, "rule", self._group.name, "ok")

    def _check(self, plan: Plan) -> None:
        plan.tally.calls += 1
        if plan.forbidden is not None:
            raise plan.forbidden()
        if plan.answer is not None:
            return  # Nothing is sent.
        statement = plan.statement
        if statement.statements == 0:
            raise no_statement()
        if statement.copy_stdio:
            raise copy_refusal()
        refusal = charset_refusal(statement) or script_refusal(statement)
        if refusal is not None:
            raise refusal()
        if statement.transaction_control:
            self._check_transaction_control(plan)

    def _check_transaction_control(self, plan: Plan) -> None:
        """A pinned connection may open transactions by hand; one left open closes the connection (Safety 7)."""

    def _open_once(self) -> None:
        """A block is entered once: entering it again would lose the connection of the first time."""
        if self._opened:
            raise StatementRejectedError(
                f"this {self._what} was opened before: make a new one for each 'async with' block", rule_id=None
            )
        self._opened = True

    def _held(self) -> tuple[Lease, Member]:
        if self._lease is None or self._member is None:
            raise StatementRejectedError(f"this {self._what} is not open: use it inside its 'async with' block", rule_id=None)
        return self._lease, self._member

    async def _guarded(self, send: Callable[[], Awaitable[Any]], limit: float | None, plan: Plan | None) -> Any:
        """Await what *send* starts, under a deadline; settle the account of what fails."""
        lease, member = self._held()
        if self._busy:
            raise StatementRejectedError(
                f"another call is running on this {self._what}: one connection carries one statement at a time", rule_id=None
            )
        if self._lost:
            raise ConnectionLostError(f"the connection of this {self._what} is gone; leave the block", node=member.node.id)
        started = monotonic()
        deadline = None if limit is None else started + limit
        if self._until is not None and (deadline is None or self._until < deadline):
            deadline, limit = self._until, None
        self._busy = True
        self._gone = lease.connection.closed
        data = plan is not None and plan.kind in _DATA
        self._undone = data and lease.connection.in_transaction and self._ended_by is None
        lease.arm(deadline, self._moves and plan is not None and plan.read and member.read_only)
        try:
            if self._unsettled:
                await self._settle(lease, member)
            answer = await send()
        except BaseException as error:
            lease.disarm()
            raised = self._failed(error, plan, lease, member, limit, started)
            if raised is error:
                raise
            raise raised from (raised.__cause__ or None)
        finally:
            lease.disarm()
            self._busy = False
        self._ran(plan, lease.connection)
        now = monotonic()
        member.succeeded(now, now - started, plan is None or (plan.read and self._reading))
        return answer

    async def _settle(self, lease: Lease, member: Member) -> None:
        """A statement was cut before: wait for its end, so that the next one gets its own reply."""
        if not await lease.connection.settle():
            self._lost = True
            raise ConnectionLostError(
                f"the statement that was cut on {member.node.id} could not be brought to an end; leave the block",
                node=member.node.id,
            )
        self._unsettled = False

    def _failed(
        self, error: BaseException, plan: Plan | None, lease: Lease, member: Member, limit: float | None, started: float
    ) -> BaseException:
        """Settle the account of *error* and answer what the caller gets."""
        now = monotonic()
        node = member.node
        read = plan is not None and plan.read and self._reading
        if isinstance(error, asyncio.CancelledError):
            self._unsettled = True
            cut = lease.claim_interrupt()
            if cut is None:
                self._doomed(error, None)
                return error
            raised = self._cut(read, node.id, limit, now - started) if cut == "deadline" else self._given_up(node.id, cut)
            self._doomed(raised, None)
            return raised
        connection = lease.connection
        if isinstance(error, DBRouterError):
            return error
        phase = Phase.TRANSACTION if self._undone else self._phase if self._ended_by is None else Phase.EXECUTE
        verdict = self._context.driver.verdict(error, phase, flavor=connection.flavor)
        if self._lease is lease and not self._adopted:  # else its block was left, which closed it: no fault of the node
            settle_breaker(verdict, member, None, now, now - started)
            member.failures += 1
        if verdict.connection is not ConnectionFate.KEEP or connection.closed:
            self._lost = True
            if verdict.connection is ConnectionFate.DROP_SIBLINGS:
                for sibling in node.members:
                    sibling.pool.expire("broken")
        elif connection.needs_settling:
            self._unsettled = True
        raised = self._raised(error, verdict, read, node.id, now - started)
        self._doomed(raised, verdict)
        return noted(raised, self._group.name, node.id, None, 1)

    def _given_up(self, node: str, why: str) -> ConnectionLostError:
        return ConnectionLostError(f"{node} was {why} while a read ran on it; its block is over", node=node)

    def _cut(self, read: bool, node: str, limit: float | None, seconds: float) -> BaseException:
        message = f"the statement's {limit:.3g}s ended on {node}" if limit is not None else f"the time limit ended on {node}"
        if read:
            return DeadlineExceededError(message, phase="executing", timeout=limit, attempts=1)
        return OutcomeUnknownTimeoutError(
            f"{message} after a write was sent; it may or may not have been applied",
            node=node,
            phase="execute",
            seconds=seconds,
            attempts=1,
        )

    def _raised(self, error: BaseException, verdict: Verdict, read: bool, node: str, seconds: float) -> BaseException:
        if self._undone and self._lost and verdict.outcome is Outcome.ROLLED_BACK and self._broke(verdict):
            undone = ConnectionLostError(
                f"the connection to {node} broke inside a transaction ({type(error).__name__}: {error}); the transaction is "
                f"rolled back",
                node=node,
            )
            undone.__cause__ = error
            return undone
        if verdict.outcome is Outcome.NOT_APPLIED and self._lost and (verdict.transport or self._gone):
            unsent = ConnectionLostError(
                f"the connection to {node} was gone before this statement was sent ({type(error).__name__}: {error})", node=node
            )
            unsent.__cause__ = error
            return unsent
        if verdict.outcome is not Outcome.AMBIGUOUS:
            return error
        if read:
            lost: BaseException = ConnectionLostError(
                f"the connection to {node} broke under a read on a pinned connection ({type(error).__name__}: {error})", node=node
            )
        else:
            lost = OutcomeUnknownError(
                f"a write was sent to {node} and its answer never came ({type(error).__name__}: {error}); it may or may not "
                f"have been applied",
                node=node,
                phase=self._phase.name.lower(),
                seconds=seconds,
                attempts=1,
            )
        lost.__cause__ = error
        return lost

    def _broke(self, verdict: Verdict) -> bool:
        """Whether the connection itself failed, rather than that it is not to be used after what the server answered."""
        return verdict.transport or (self._lease is not None and self._lease.connection.closed)

    def _doomed(self, raised: BaseException, verdict: Verdict | None) -> None:
        """Hook: a call failed with *raised*; *verdict* is None where it was cut."""

    # ---- giving the connection back

    def _give_back(self) -> None:
        """Sync: the lease goes back, or its connection is closed, or is settled first in the background."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        if self._schema_changed:
            self._context.schema_changed()
        if self._functions_changed:
            self._context.planner.functions_changed()
        if self._busy:
            # Another task's statement is running on it, and nobody else may meet that.
            lease.connection.terminate()
            lease.release_after(abandon=True)
        elif lease.connection.closed:
            lease.release_after(abandon=True)
        elif self._lost:
            lease.discard("broken")
        elif self._unsettled:
            if self._context.tasks.start(_settle_and_roll_back(lease, self._reset), name="settle a pinned connection") is None:
                lease.discard("closing")
        else:
            lease.release_after(reset=self._reset)


async def _settle_and_roll_back(lease: Lease, reset: bool) -> None:
    """In the background: wait for the end of a cut statement, roll back, and give the connection back clean, or close it."""
    connection = lease.connection
    clean = False
    try:
        async with asyncio.timeout(_CLEANUP_SECONDS):
            clean = await connection.settle()
            if clean and connection.in_transaction:
                await connection.rollback()
    except Exception:
        clean = False
    finally:
        if clean and not connection.in_transaction:
            lease.release_after(reset=reset)
        else:
            lease.discard("settling")


class PinnedConnection(Pinned):
    """What `connection()` gives: one connection, for as long as its block."""

    def __init__(self, context: Context, *, group: Hostgroup, limit: float | None, readonly: bool) -> None:
        super().__init__(context, group=group, limit=limit)
        self._readonly = readonly

    @classmethod
    def adopt(cls, context: Context, group: Hostgroup, member: Member, lease: Lease) -> PinnedConnection:
        """The same object over a connection that is just being made, for the user's `on_connect`."""
        pinned = cls(context, group=group, limit=None, readonly=group.read_only)
        pinned._member, pinned._lease, pinned._adopted = member, lease, True
        return pinned

    @property
    def raw(self) -> Any:
        """
        The driver's own connection; once touched, it is closed after the block and replaced (what was done to it cannot
        be known), and counts as a write of the caller's context.
        """
        lease, _ = self._held()
        if not self._adopted:
            lease.dirty = "raw connection used"
            self._schema_changed = self._schema_changed or not self._group.read_only
            unseen(self._context, self._group)
        return lease.connection.raw

    def _check_transaction_control(self, plan: Plan) -> None:
        if plan.kind == "XA" or "PREPARE TRANSACTION" in plan.statement.text.upper():
            raise SessionStatementError(
                "two-phase commands outlive their connection and are not supported here", reason=plan.kind
            )

    async def __aenter__(self) -> Self:
        self._open_once()
        self._group, self._member, self._lease, _ = await pin(
            self._context, self._group, limit=self.limit, setup=None, stays=self._readonly
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._give_back()
