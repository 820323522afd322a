"""
Database: the calls of INTERFACE on one database. `Router` is a `Database` bound to the default one.

`_call` is the query path, read from top to bottom in the order in which things happen: deadline, plan, choose, acquire,
send, record.
On a call that succeeds at once it creates no task, takes no lock and builds no event; what goes wrong is `Recovery`'s business.
"""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop  # None, not an error, in a child process
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, TypeVar

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.drivers.base import Connection, Reply
from dbrouter.drivers.routines import STABLE
from dbrouter.errors import ConnectError, ParameterError, PoolError, TransactionAbortedError
from dbrouter.events import QueryFinished
from dbrouter.pool.lease import Lease
from dbrouter.router.context import Context
from dbrouter.router.copies import CopyRecovery
from dbrouter.router.detour import Answerer, detour
from dbrouter.router.explanation import Explanation, explain
from dbrouter.router.functions import VALID_SECONDS, FunctionCatalog
from dbrouter.router.learned import changes_functions
from dbrouter.router.limits import time_left
from dbrouter.router.plan import Plan
from dbrouter.router.planner import Wish
from dbrouter.router.recovery import Recovery
from dbrouter.router.result import Result
from dbrouter.router.session import PinnedConnection
from dbrouter.router.stream import Stream
from dbrouter.router.transaction import Transaction, run_in_transaction
from dbrouter.terms import Engine

T = TypeVar("T")


class Inherit:
    """The timeout of the rule, the hostgroup or ``timeouts.call``, whichever is nearest."""

    def __repr__(self) -> str:
        return "INHERIT"


INHERIT: Final = Inherit()


class Trace:
    """What `query.finished` tells of one call; only made while somebody listens."""

    __slots__ = ("attempts", "hostgroup", "node", "plan", "waited")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.hostgroup = ""
        self.node: str | None = None
        self.attempts = 0
        self.waited = 0.0


class Database:
    """The query calls, bound to one database."""

    _context: Context

    def __init__(self, context: Context) -> None:
        self._bind(context)

    def _bind(self, context: Context) -> None:
        bound: Context | None = getattr(self, "_context", None)  # never by __dict__, which makes every look at self slower
        if bound is not None and bound is not context:
            bound.followers.discard(self)
        self._context = context
        context.followers.add(self)
        self._planner = context.planner
        self._plans = context.planner.cache
        self._events = context.events
        self._loop = context.loop = asyncio.get_running_loop()
        context.send_copy = self._send_copy

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._context.database} {self._context.engine}>"

    # ---- one statement

    async def execute(
        self,
        sql: str,
        *params: Any,
        timeout: float | Inherit | None = INHERIT,
        route: str | None = None,
        hostgroup: int | str | None = None,
        idempotent: bool = False,
        tag: str | None = None,
    ) -> Result:
        """
        Run one statement where it belongs: reads on a healthy replica, everything else on the primary.

        Args:
            sql: one statement in the engine's own dialect.
            params: positional in the engine's style (``$1`` / ``%s``), or one mapping for ``:name`` placeholders.
            timeout: seconds for the whole call (waiting, retries, execution); None: no limit.
            route: ``"read"`` or ``"write"``: the hostgroup to use; a write never goes to readers all the same.
            hostgroup: id or name of the hostgroup to use; the same holds.
            idempotent: this write may be sent again when its outcome is unknown.
            tag: a label for rules, statistics and logs.

        Returns:
            The rows with the server's status, row count and where it ran.

        Raises:
            OutcomeUnknownError: a write was sent and its answer never came.
            DeadlineExceededError: the time limit ended; of writes only where nothing was sent.
            PoolTimeoutError, PoolFullError: no connection became free in time.
            CircuitOpenError, NoNodeAvailableError: nobody may serve it; nothing was sent.
            SessionStatementError, StatementRejectedError, ParameterError: the statement cannot be sent this way; nothing was
                sent.
            RetriesExhaustedError: every attempt failed in transport.
            The server's own errors pass through unchanged, with a note.

        If cancelled, the statement is abandoned: PostgreSQL is asked to cancel it, a MySQL statement is killed; the
        connection goes back
        only after that is done. A write that was already sent may or may not have been applied.
        """
        reply, plan, member, connection, attempts, seconds = await self._call(
            sql, params, timeout, route, hostgroup, idempotent, tag
        )
        return Result(
            reply[0], connection.describe(reply), (member.hostgroup_name, member.node.id, plan.rule_id, attempts, seconds)
        )

    async def fetch(
        self,
        sql: str,
        *params: Any,
        timeout: float | Inherit | None = INHERIT,
        route: str | None = None,
        hostgroup: int | str | None = None,
        idempotent: bool = False,
        tag: str | None = None,
    ) -> Sequence[Any]:
        """The rows of one statement, as a list; options and errors as `execute`."""
        return (await self._call(sql, params, timeout, route, hostgroup, idempotent, tag))[0][0]

    async def fetchrow(
        self,
        sql: str,
        *params: Any,
        timeout: float | Inherit | None = INHERIT,
        route: str | None = None,
        hostgroup: int | str | None = None,
        idempotent: bool = False,
        tag: str | None = None,
    ) -> Any:
        """The first row of one statement, or None; options and errors as `execute`."""
        rows = (await self._call(sql, params, timeout, route, hostgroup, idempotent, tag))[0][0]
        return rows[0] if rows else None

    async def fetchval(
        self,
        sql: str,
        *params: Any,
        column: int = 0,
        timeout: float | Inherit | None = INHERIT,
        route: str | None = None,
        hostgroup: int | str | None = None,
        idempotent: bool = False,
        tag: str | None = None,
    ) -> Any:
        """One value of the first row (*column* counts from 0), or None where there is no row; options and errors as `execute`."""
        rows = (await self._call(sql, params, timeout, route, hostgroup, idempotent, tag))[0][0]
        return rows[0][column] if rows else None

    # ---- the query path

    async def _call(
        self,
        sql: str,
        params: Sequence[Any],
        timeout: float | Inherit | None,
        route: str | None,
        hostgroup: int | str | None,
        idempotent: bool,
        tag: str | None,
        trace: Trace | None = None,
        planned: Plan | None = None,
    ) -> tuple[Reply, Plan, Member | Answerer, Connection | Answerer, int, float]:
        if trace is None and planned is None and self._events.listening_debug:
            return await self._observed(sql, params, timeout, route, hostgroup, idempotent, tag)
        if _get_running_loop() is not self._loop:
            raise self._context.stranger()
        started = now = monotonic()
        try:
            if tag is None and route is None and hostgroup is None:
                plan = planned or self._plans.young.get(sql) or self._planner.plan(sql)
            else:
                plan = planned or self._planner.plan(sql, tag, route, hostgroup)
        except TypeError:
            if isinstance(sql, str):
                raise
            raise TypeError(f"the statement must be a str, got {type(sql).__name__}") from None
        if planned is None:
            plan.tally.calls += 1
            if plan.detour:
                return await self._detour(plan, params, timeout, idempotent, tag, trace)
        text = plan.text
        if params and plan.named is not None:
            text, params = plan.bind(params)
        if timeout is INHERIT:
            timeout = plan.timeout
        elif timeout is not None:
            timeout = time_left(timeout)  # type: ignore[arg-type]
        deadline = None if timeout is None else started + timeout
        read = plan.read
        group = plan.hostgroup
        group.budget.deposit(now)
        recovery: Recovery | None = None
        while True:
            choice = group.choose(now, recovery.tried if recovery is not None else ())
            if choice is None:
                recovery = recovery or self._recovery(plan, started, deadline, timeout, idempotent)
                group = await recovery.nobody(group)
                now = monotonic()
                continue
            member, permit = choice
            lease = member.pool.take(now, not read)
            if lease is None:
                try:
                    tried = () if recovery is None else recovery.tried
                    member, lease = await group.wait_for(member, permit, now, deadline, not read, tried)
                except (PoolError, ConnectError) as error:
                    recovery = recovery or self._recovery(plan, started, deadline, timeout, idempotent)
                    group = await recovery.after_acquire(error, group, member, permit)
                    now = monotonic()
                    continue
                except BaseException:
                    if permit is not None:
                        member.node.breaker.release(permit)
                    raise
                now = monotonic()
            if trace is not None:
                trace.waited = now - started
                trace.node = member.node.id
                trace.hostgroup = group.name
                trace.plan = plan
                trace.attempts += 1
            connection = lease.connection
            lease.arm(deadline, read and (member.read_only or plan.pure))
            try:
                if plan.script:
                    reply = await connection.send_script(text)
                else:
                    reply = await connection.send(text, params)
            except BaseException as error:
                lease.disarm()
                if plan.taints is not None:
                    lease.dirty = plan.taints
                recovery = recovery or self._recovery(plan, started, deadline, timeout, idempotent)
                group = await recovery.after_send(error, group, member, lease, permit, now)
                read = recovery.read
                now = monotonic()
                continue
            lease.disarm()
            left_open = None
            if plan.tidy:
                left_open = self._tidy(plan, lease)
            else:
                lease.release()
            done = monotonic()
            member.succeeded(done, done - now, read)
            if permit is not None:
                member.node.breaker.release(permit)
            if left_open is not None:
                raise left_open
            return reply, plan, member, connection, 1 if recovery is None else recovery.attempts + 1, done - started

    async def _detour(
        self,
        plan: Plan,
        params: Sequence[Any],
        timeout: float | Inherit | None,
        idempotent: bool,
        tag: str | None,
        trace: Trace | None,
    ) -> tuple[Reply, Plan, Member | Answerer, Connection | Answerer, int, float]:
        """A call whose plan is refused, or has effects; it comes back to `_call` with the plan to send."""
        if trace is not None:
            trace.plan = plan
        return await detour(
            self._context,
            plan,
            params,
            self._limit(timeout, plan.timeout),
            tag,
            lambda plan, limit: self._call(plan.text, params, limit, None, None, idempotent, None, trace, plan),
        )

    async def _send_copy(self, plan: Plan, params: Sequence[Any]) -> None:
        """Send a mirrored statement: a write of unknown outcome is not sent again, nor is anything to another hostgroup."""
        await self._call(plan.text, params, plan.timeout, None, None, False, None, None, plan)

    def _tidy(self, plan: Plan, lease: Lease) -> TransactionAbortedError | None:
        """
        Give the connection back after a statement that left, or may have left, something on its session; the error where that is
        a transaction, which ends with the connection.
        """
        if plan.difference is not None:
            plan.difference.calls += 1
        context = self._context_of(plan)
        if plan.statement.ddl:
            context.schema_changed()
            if changes_functions(plan.statement):
                context.planner.functions_changed()
        if plan.taints is not None:
            lease.dirty = plan.taints
            lease.release()
            return None
        if lease.connection.in_transaction:
            lease.release()
            return TransactionAbortedError(
                f"{plan.kind} left a transaction open, or autocommit off, on a pooled connection: what it did since then was "
                "rolled back with the connection; call it in transaction() or connection()"
            )
        if not plan.reset:
            lease.release()
            return None
        lease.release_after(reset=True)
        functions = context.planner.catalog.unasked(plan.unknown) if context.engine is Engine.POSTGRESQL else ()
        if functions:
            own = self if context is self._context else Database(context)
            context.tasks.start(own._look_up(functions, context.planner.catalog), name="look up functions")
        return None

    async def _ask(self, text: str, *params: Any, timeout: float, route: str | None = None) -> Sequence[Any]:
        """The rows of a statement of the router's own, which no rule is about."""
        plan = self._planner.own(text, route)
        return (await self._call(text, params, timeout, None, None, False, None, None, plan))[0][0]

    def _context_of(self, plan: Plan) -> Context:
        """The database *plan* is for, also after a reload has bound this object to another one."""
        context: Context | None = plan.hostgroup.owner
        return self._context if context is None else context

    async def _look_up(self, functions: tuple[str, ...], catalog: FunctionCatalog) -> None:
        """In the background: ask the catalog, so that harmless functions need no reset, and forget the answer after a while."""
        try:
            rows = await self._ask(STABLE, catalog.names(functions), timeout=5.0)
        except Exception:
            rows = ()  # Nothing is known of them, which is the safe side.
        if catalog.learn(functions, rows):
            self._plans.clear()
        await asyncio.sleep(VALID_SECONDS)
        catalog.forget(functions)
        self._plans.clear()

    def _recovery(self, plan: Plan, started: float, deadline: float | None, timeout: Any, idempotent: bool) -> Recovery:
        kind = CopyRecovery if plan.copied else Recovery
        return kind(
            self._context_of(plan),
            statement=plan.statement,
            read=plan.read,
            idempotent=idempotent,
            stays=plan.stays or plan.unsafe,
            cap=plan.attempts,
            started=started,
            deadline=deadline,
            timeout=timeout,
            rule_id=plan.rule_id,
            reset=plan.reset,
            unknown=plan.unknown,
        )

    async def _observed(
        self, sql: str, params: Sequence[Any], timeout: Any, route: Any, hostgroup: Any, idempotent: bool, tag: str | None
    ) -> tuple[Reply, Plan, Member | Answerer, Connection | Answerer, int, float]:
        """`_call` with a `query.finished` at its end, while somebody listens for one per query."""
        trace = Trace()
        started = monotonic()
        outcome = "ok"
        try:
            return await self._call(sql, params, timeout, route, hostgroup, idempotent, tag, trace)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            plan = trace.plan
            if plan is None:
                try:
                    plan = self._planner.plan(sql, tag, route, hostgroup)
                except Exception:
                    plan = None
            if plan is not None:
                self._events.emit(
                    QueryFinished(
                        database=self._context.database,
                        hostgroup=trace.hostgroup or plan.hostgroup.name,
                        node=trace.node,
                        intent=plan.statement.intent,
                        kind=plan.kind,
                        digest=plan.statement.digest,
                        rule_id=plan.rule_id,
                        tag=tag,
                        attempts=trace.attempts,
                        waited=trace.waited,
                        took=monotonic() - started,
                        outcome=outcome,
                    )
                )

    # ---- several statements

    async def executemany(
        self,
        sql: str,
        seq_of_params: Iterable[Sequence[Any] | Mapping[str, Any]],
        *,
        timeout: float | Inherit | None = INHERIT,
        tag: str | None = None,
    ) -> Result:
        """
        Run *sql* once for each parameters, all or nothing, in one transaction on the primary.

        Args:
            seq_of_params: one sequence of positional parameters, or one mapping of names, per run; it is read once, before
                anything is sent.
            timeout: seconds for the whole of it.

        Returns:
            A `Result` without rows; `.rowcount` is None on PostgreSQL, whose driver does not tell.

        A connection that is lost before COMMIT was sent is no harm: the whole is run again.
        """
        runs = [self._one_run(params) for params in seq_of_params]

        async def work(tx: Transaction) -> Result:
            return await tx._send_many(sql, runs, tag)

        return await self._in_transaction(work, self._limit(timeout, self._planner.plan(sql, tag).timeout))

    async def batch(
        self,
        statements: Iterable[tuple[str, Sequence[Any] | Mapping[str, Any]] | str],
        *,
        timeout: float | Inherit | None = INHERIT,
    ) -> list[Result]:
        """
        Run several statements in one transaction on one connection of the primary, all or nothing.

        Args:
            statements: (sql, params) pairs, or bare texts; params are a sequence, or a mapping of names.

        Returns:
            One `Result` per statement.
        """
        if isinstance(statements, str):
            raise ParameterError("batch takes a list of statements, not one text")
        pairs = [(entry, ()) if isinstance(entry, str) else entry for entry in statements]

        async def work(tx: Transaction) -> list[Result]:
            tx.refuse_implicit_commit = "batch()"
            return [await tx.execute(sql, *self._one_run(params)) for sql, params in pairs]

        return await self._in_transaction(work, self._limit(timeout, self._context.writer.call_timeout))

    @staticmethod
    def _one_run(params: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any]:
        if isinstance(params, Mapping):
            return (params,)
        if isinstance(params, str | bytes) or not hasattr(params, "__getitem__") or not hasattr(params, "__len__"):
            raise ParameterError(f"the parameters of one run are a sequence or a mapping of names, got {type(params).__name__}")
        return params

    async def _in_transaction(self, work: Callable[[Transaction], Awaitable[T]], limit: float | None) -> T:
        deadline = None if limit is None else monotonic() + limit
        return await run_in_transaction(self._context, work, isolation=None, readonly=False, deadline=deadline, limit=limit)

    # ---- pinned work

    def stream(
        self,
        sql: str,
        *params: Any,
        batch: int = 1000,
        timeout: float | Inherit | None = INHERIT,
        route: str | None = None,
        hostgroup: int | str | None = None,
        tag: str | None = None,
    ) -> Stream:
        """
        ``async with router.stream(…) as rows: async for row in rows``: a server-side cursor, *batch* rows a round trip,
        constant memory.

        *timeout* is for opening it, with the first batch, for each further batch, and for leaving it. Until the first batch is
        there it moves and is sent again as `fetch` is. Leaving the block, by ``break`` or an exception too, closes the cursor and
        gives the connection back.
        """
        plan = self._planner.plan(sql, tag, route, hostgroup)
        return Stream(self._context, plan, params, batch, self._limit(timeout, plan.timeout), tag)

    def transaction(
        self,
        *,
        isolation: str | None = None,
        readonly: bool = False,
        deferrable: bool = False,
        timeout: float | Inherit | None = INHERIT,
        hostgroup: int | str | None = None,
        tag: str | None = None,
    ) -> Transaction:
        """
        ``async with router.transaction() as tx``: one pinned connection; COMMIT at the end, ROLLBACK when an exception
        leaves the block.

        Args:
            isolation: ``read committed``, ``repeatable read``, ``serializable`` (``read uncommitted`` on MySQL), or the
                server's default.
            readonly: may run on a replica (serializable on PostgreSQL: on the primary, a standby cannot).
            deferrable: PostgreSQL's DEFERRABLE, for serializable read-only transactions.
            timeout: seconds for acquiring the connection and BEGIN; the calls inside have their own.
        """
        group = self._pinned_group(readonly, isolation, hostgroup)
        return Transaction(
            self._context,
            isolation=isolation,
            readonly=readonly,
            deferrable=deferrable,
            limit=self._limit(timeout, group.call_timeout),
            group=group,
        )

    async def run(
        self,
        fn: Callable[[Transaction], Awaitable[T]],
        *,
        isolation: str | None = None,
        readonly: bool = False,
        timeout: float | Inherit | None = INHERIT,
    ) -> T:
        """
        ``await fn(tx)`` in a transaction, run again as a whole on serialization failure, deadlock, or a connection lost
        before COMMIT was sent.

        *fn* must be ready to run more than once. On MySQL, statements that commit implicitly (DDL) are refused in it.

        Raises:
            OutcomeUnknownError: COMMIT was sent and its answer never came; *fn* is not run again.
            what the last run raised, when the attempts or the time limit are used up.
        """
        limit = self._limit(timeout, self._pinned_group(readonly, isolation, None).call_timeout)
        return await run_in_transaction(
            self._context,
            fn,
            isolation=isolation,
            readonly=readonly,
            deadline=None if limit is None else monotonic() + limit,
            limit=limit,
        )

    def connection(
        self, *, readonly: bool = False, timeout: float | Inherit | None = INHERIT, hostgroup: int | str | None = None
    ) -> PinnedConnection:
        """
        ``async with router.connection() as conn``: a pinned connection for session state (`SET`, locks, temporary tables,
        `LISTEN`, `COPY`).

        ``conn.raw`` is the driver's own. A connection on which session state was made, or whose `raw` was touched, is closed
        afterwards and
        replaced, never handed on.
        """
        group = self._pinned_group(readonly, None, hostgroup)
        limit = self._limit(timeout, group.call_timeout)
        return PinnedConnection(self._context, group=group, limit=limit, readonly=readonly)

    def explain(
        self, sql: str, *, tag: str | None = None, route: str | None = None, hostgroup: int | str | None = None
    ) -> Explanation:
        """
        What would happen to *sql* and why, without a connection and without using up anybody's turn.

        The caller is the one of `dbrouter.context`. Where a rule draws its flag by weight, the heaviest one is shown.
        """
        self._planner.check()
        return explain(self._context, sql, Wish(tag, route, hostgroup))

    @staticmethod
    def _limit(timeout: float | Inherit | None, inherited: float | None) -> float | None:
        return inherited if isinstance(timeout, Inherit) else time_left(timeout)

    def _pinned_group(self, readonly: bool, isolation: str | None, hostgroup: int | str | None) -> Hostgroup:
        context = self._context
        context.planner.check()
        if hostgroup is not None:
            return context.planner.hostgroup(hostgroup)
        return context.group_of_block(readonly=readonly, isolation=isolation)
