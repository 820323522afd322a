"""
Recovery: what happens to one call after something went wrong. Nothing here runs on a call that succeeds at once.

One `Recovery` per troubled call. It settles the account of the failed attempt (connection, breaker, permit), asks `decide`,
and either
raises what the caller gets or says in which hostgroup the next attempt looks for a node, having waited where waiting helps.

Bounds: the call's deadline, the attempt cap (`retry.attempts`), the hostgroup's retry budget. What was never sent, what moves
because a probe shunned its node, and the one move to the primary after a read-only refusal count against none but the deadline.

Once an attempt may have applied a write, no way out says anything else: whatever ends the call afterwards – a refusal, a full
pool, the server's own error for the next attempt – is raised as the cause of `OutcomeUnknownError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NoReturn

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import (
    AttemptRecord,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    PoolFullError,
    PoolTimeoutError,
    RetriesExhaustedError,
)
from dbrouter.events import RetryScheduled, StatementRerouted
from dbrouter.pool.lease import Lease
from dbrouter.pool.refusals import closing
from dbrouter.resilience.backoff import next_delay
from dbrouter.resilience.breaker import Permit
from dbrouter.resilience.retry import RetryPace
from dbrouter.router.context import Context
from dbrouter.router.decide import Step, decide, may_commit_inside
from dbrouter.router.learned import keep_forgetting
from dbrouter.sql import Statement
from dbrouter.terms import Blame, ConnectionFate, Outcome, Phase, WhenEmpty

_UNSENT_LIMIT = 64
"""Attempts that were never sent are free, but not endless where no deadline was given."""


class Recovery:
    """
    The trouble of one call.

    Args:
        statement: what is being sent, or None for a BEGIN (which may always be sent again).
        read: its intent.
        idempotent: the caller declared that sending it twice does no harm.
        stays: the caller asked for a read-only place: a refusal is the answer.
        timeout: the call's time limit as given, for messages; None: none.
        deadline: the moment (monotonic seconds) it ends.
        unknown: functions it calls of which nobody can say what they do.
        phase: `Phase.TRANSACTION` where what is sent is undone with its connection.
        reset: the statement may have left something on the session, also where it failed or was cut.
    """

    __slots__ = (
        "_context",
        "_doubt",
        "_functions",
        "_idempotent",
        "_pace",
        "_phase",
        "_reset",
        "_statement",
        "_stays",
        "attempts",
        "cap",
        "deadline",
        "first",
        "read",
        "records",
        "rule_id",
        "started",
        "timeout",
        "tried",
        "unsent",
    )

    def __init__(
        self,
        context: Context,
        *,
        statement: Statement | None,
        read: bool,
        idempotent: bool,
        stays: bool,
        cap: int,
        started: float,
        deadline: float | None,
        timeout: float | None,
        rule_id: int | None = None,
        reset: bool = False,
        unknown: tuple[str, ...] = (),
        phase: Phase = Phase.EXECUTE,
    ) -> None:
        self._context = context
        self._statement = statement
        self._idempotent = idempotent
        self._stays = stays
        self._reset = reset
        self._functions = unknown
        self._pace: RetryPace | None = None
        self._phase = phase
        self._doubt: tuple[Member, BaseException] | None = None
        """Where an attempt may have applied the statement, and how its answer was lost; None: nowhere."""
        self.read = read
        self.cap = cap
        self.started = started
        self.deadline = deadline
        self.timeout = timeout
        self.rule_id = rule_id
        self.tried: set[Member] = set()
        self.records: list[AttemptRecord] = []
        self.first: BaseException | None = None
        self.attempts = 0
        """How often the statement was handed to a connection and failed."""
        self.unsent = 0

    # ---- the three ways to get here

    async def after_send(
        self, error: BaseException, group: Hostgroup, member: Member, lease: Lease, permit: Permit | None, sent_at: float
    ) -> Hostgroup:
        """The statement was handed to *lease* and *error* came back: raise, or where to go on."""
        with self._doubts_told(group):
            return await self._after_send(error, group, member, lease, permit, sent_at)

    async def after_acquire(self, error: Exception, group: Hostgroup, member: Member, permit: Permit | None) -> Hostgroup:
        """No connection could be had from *member*: nothing was sent. Raise, or where to go on."""
        with self._doubts_told(group):
            return await self._after_acquire(error, group, member, permit)

    async def nobody(self, group: Hostgroup) -> Hostgroup:
        """*group* has no node that may be chosen: wait for one, fall back to the writer, or raise why."""
        with self._doubts_told(group):
            return await self._nobody(group)

    @contextmanager
    def _doubts_told(self, group: Hostgroup) -> Iterator[None]:
        """What ends the call while an attempt may have applied a write is not all there is to say: that comes first."""
        try:
            yield
        except OutcomeUnknownError:
            raise
        except Exception as error:
            if self._doubt is None or self.read:
                raise
            member, lost = self._doubt
            kind = OutcomeUnknownTimeoutError if isinstance(error, TimeoutError) else OutcomeUnknownError
            raise kind(
                f"a write was sent to {member.node.id} (hostgroup '{group.name}') and its answer never came"
                f" ({type(lost).__name__}: {lost}); it may or may not have been applied, and sending it again ended in"
                f" {type(error).__name__}: {error}",
                node=member.node.id,
                phase=Phase.EXECUTE.name.lower(),
                seconds=monotonic() - self.started,
                attempts=self.attempts,
            ) from error

    # ---- what to do about it

    async def _after_send(
        self, error: BaseException, group: Hostgroup, member: Member, lease: Lease, permit: Permit | None, sent_at: float
    ) -> Hostgroup:
        now = monotonic()
        self.attempts += 1
        if isinstance(error, asyncio.CancelledError):
            reason = lease.claim_interrupt()
            if permit is not None:
                member.node.breaker.release(permit)
            if reason is None:
                lease.release_after(reset=self._reset, settle=True, abandon=True)
                raise error
            self._note(error, member, now - sent_at, reason)
            if reason == "deadline":
                lease.release_after(reset=self._reset, settle=True, abandon=True)
                self._raise_deadline("executing", group, member, now)
            self.attempts -= 1
            lease.discard(reason)
            return await self._elsewhere(group, member, now, reason, counted=False)

        flavor = lease.connection.flavor
        verdict = self._context.driver.verdict(error, self._phase, flavor=flavor)
        self._note(error, member, now - sent_at)
        self._settle_account(verdict, member, lease, permit, now, now - sent_at)
        return await self._next(error, verdict, group, member, now)

    async def _after_acquire(self, error: Exception, group: Hostgroup, member: Member, permit: Permit | None) -> Hostgroup:
        now = monotonic()
        if permit is not None:
            member.node.breaker.release(permit)
        self._note(error, member, now - self.started)
        if isinstance(error, PoolTimeoutError) and self.deadline is not None and now >= self.deadline - 0.001:
            message = f"the call's {self.timeout:.3g}s ended while it waited for a connection: {error}"
            raise DeadlineExceededError(message, phase="acquiring", timeout=self.timeout, attempts=self.attempts) from error
        if isinstance(error, PoolTimeoutError | PoolFullError) and group.spare({member, *self.tried}) is not None:
            return await self._elsewhere(group, member, now, type(error).__name__, counted=False)
        if isinstance(error, PoolTimeoutError):
            raise self._noted(error, group, member)
        if not isinstance(error, ConnectError) or self._context.tasks.closed:
            raise error  # A line that is full, or a pool that is closing or belongs to another loop or process.
        if isinstance(error, ConnectError) and getattr(error, "blame", None) is Blame.CONFIG and not self._another(group, member):
            raise self._noted(error, group, member)
        self.unsent += 1
        if self.unsent > _UNSENT_LIMIT and self.deadline is None:
            raise self._noted(error, group, member)
        return await self._elsewhere(group, member, now, type(error).__name__, counted=False)

    async def _nobody(self, group: Hostgroup) -> Hostgroup:
        now = monotonic()
        if group.closed:
            raise closing(group.members[0].pool.name) from self.first
        if self._expired(now):
            self._raise_deadline("acquiring", group, None, now)
        if group.successor is not None and (group.successor.read_only or not self._stays_here(group)):
            self.tried.clear()
            return group.successor
        gone = self._context.planner.gone
        if gone is not None:
            raise gone() from self.first
        if group.unprobed and not group.usable:
            await group.wait_for_change(self.deadline)
            return group
        writer = self._context.writer
        if group is not writer and group.when_empty is WhenEmpty.WRITER and not self._stays_here(group):
            self.tried.clear()
            return writer
        if group.when_empty is WhenEmpty.WAIT and now < (until := group.worth_waiting_until):
            self.tried.clear()
            if group.usable or await group.wait_for_change(until if self.deadline is None else min(until, self.deadline)):
                return group
            now = monotonic()
            if self._expired(now):
                self._raise_deadline("acquiring", group, None, now)
        raise group.refusal(now) from self.first

    # ---- after an attempt

    def _settle_account(
        self, verdict: Verdict, member: Member, lease: Lease, permit: Permit | None, now: float, seconds: float
    ) -> None:
        node = member.node
        fate = verdict.connection
        if verdict.read_only_refusal:
            lease.discard("refused")
        elif fate is ConnectionFate.KEEP:
            lease.release_after(reset=self._reset, settle=True)
        else:
            lease.discard("broken")
            if fate is ConnectionFate.DROP_SIBLINGS:
                for sibling in node.members:
                    sibling.pool.expire("broken")
        member.failures += 1
        settle_breaker(verdict, member, permit, now, seconds)

    async def _next(self, error: BaseException, verdict: Verdict, group: Hostgroup, member: Member, now: float) -> Hostgroup:
        statement = self._statement
        if verdict.outcome is Outcome.AMBIGUOUS and self._doubt is None and not member.read_only:
            self._doubt = member, error
        in_parts = statement is not None and may_commit_inside(statement)
        step = decide(
            verdict,
            read=self.read,
            resendable=statement is None or self._idempotent or (self.read and (member.read_only or not self._functions)),
            may_go_to_writer=group is not self._context.writer
            and not self._stays
            and (statement is None or statement.reroutable),
            in_parts=in_parts,
        )
        match step:
            case Step.RAISE:
                if in_parts and verdict.outcome is not Outcome.FAILED:
                    error.add_note(
                        "dbrouter: it is not sent again: what it committed before this error stays; idempotent=True allows it"
                    )
                raise self._noted(error, group, member)
            case Step.UNKNOWN:
                raise self._unknown(error, group, member, now) from error
            case Step.LOST:
                raise ConnectionLostError(
                    f"the connection to {member.node.id} broke under a read that calls {', '.join(self._functions)}"
                    f" and may not be sent again ({type(error).__name__}: {error})",
                    node=member.node.id,
                ) from error
            case Step.WRITER:
                return self._to_writer(verdict, member)
            case _:
                pass
        if self._expired(now):
            self._raise_deadline("backing_off", group, member, now)
        free = verdict.outcome is Outcome.NOT_APPLIED and verdict.connection is not ConnectionFate.KEEP and verdict.transport
        if free:
            self.unsent += 1
            self.attempts -= 1
            if self.unsent > _UNSENT_LIMIT:
                self._raise_exhausted(error, verdict, group, member, now, f"it could not be sent {self.unsent} times")
        elif self.attempts >= self.cap:
            self._raise_exhausted(error, verdict, group, member, now, f"attempts={self.attempts} of {self.cap}")
        elif not group.budget.withdraw(now):
            why = f"attempts={self.attempts} of {self.cap}, the retry budget of hostgroup '{group.name}' is used up"
            self._raise_exhausted(error, verdict, group, member, now, why)
        if step is Step.ELSEWHERE:
            return await self._elsewhere(group, member, now, verdict.code, counted=not free, error=error, verdict=verdict)
        delay = 0.0 if step is Step.HERE else self._delay(error, verdict, group, member, now)
        self._tell(group, member, delay, verdict.code, type(error).__name__, step)
        if delay:
            await asyncio.sleep(delay)
        return group

    def _to_writer(self, verdict: Verdict, member: Member) -> Hostgroup:
        context, statement = self._context, self._statement
        self.attempts -= 1
        self.tried.clear()
        if verdict.read_only_refusal and statement is not None:
            self.read = False
            new = context.planner.learn_write(statement, monotonic())
            if new:
                keep_forgetting(context)
            if new and context.events.listening:
                context.events.emit(
                    StatementRerouted(
                        database=context.database,
                        node=member.node.id,
                        digest=statement.digest,
                        digest_text=statement.digest_text,
                        code=verdict.code,
                    )
                )
        return context.writer

    async def _elsewhere(
        self,
        group: Hostgroup,
        member: Member,
        now: float,
        code: str,
        *,
        counted: bool,
        error: BaseException | None = None,
        verdict: Verdict | None = None,
    ) -> Hostgroup:
        """Another member at once; else the writer for a read; else the same one after a backoff."""
        self.tried.add(member)
        cause = code if error is None else type(error).__name__
        if self._another(group, member):
            self._tell(group, member, 0.0, code, cause, Step.ELSEWHERE)
            return group
        writer = self._context.writer
        if (
            self.read
            and group is not writer
            and group.when_empty is WhenEmpty.WRITER
            and not self._stays_here(group)
            and any(other not in self.tried for other in writer.usable)
        ):
            self._tell(group, member, 0.0, code, cause, Step.WRITER)
            return writer
        self.tried.clear()
        delay = self._delay(error, verdict, group, member, now, counted=counted)
        self._tell(group, member, delay, code, cause, Step.HERE_LATER)
        await asyncio.sleep(delay)
        return group

    # ---- small questions

    def _another(self, group: Hostgroup, member: Member) -> bool:
        return any(other is not member and other not in self.tried for other in group.usable)

    def _stays_here(self, group: Hostgroup) -> bool:
        """
        A read that was asked to stay read-only still may fall back to the writer: it is a read; only pinned read-only
        work stays.
        """
        return self._statement is None and self._stays and group.read_only

    def _expired(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    def _delay(
        self,
        error: BaseException | None,
        verdict: Verdict | None,
        group: Hostgroup,
        member: Member,
        now: float,
        *,
        counted: bool = True,
    ) -> float:
        if not counted:
            delay: float | None = next_delay(min(self.unsent + 1, 6), group.retry, self._context.rng)
            if self.deadline is not None and now + (delay or 0.0) >= self.deadline:
                delay = None
        else:
            if self._pace is None:
                self._pace = RetryPace(group.retry, self._context.rng, attempts=self.cap)
            delay = self._pace.next(self.attempts, now, self.deadline)
        if delay is None:
            if error is not None and verdict is not None and not verdict.transport:
                raise self._noted(error, group, member)
            self._raise_deadline("backing_off", group, member, now)
        return delay

    # ---- what the caller gets

    def _note(self, error: BaseException, member: Member, seconds: float, reason: str | None = None) -> None:
        if self.first is None and reason is None:
            self.first = error
        text = f"moved: {reason}" if reason is not None else f"{type(error).__name__}: {error}"
        self.records.append(AttemptRecord(node=member.node.id, error=text, seconds=seconds))

    def _noted(self, error: BaseException, group: Hostgroup, member: Member) -> BaseException:
        return noted(error, group.name, member.node.id, self.rule_id, max(1, self.attempts))

    def _unknown(self, error: BaseException, group: Hostgroup, member: Member, now: float) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"a write was sent to {member.node.id} (hostgroup '{group.name}') and its answer never came"
            f" ({type(error).__name__}: {error}); it may or may not have been applied",
            node=member.node.id,
            phase=Phase.EXECUTE.name.lower(),
            seconds=now - self.started,
            attempts=self.attempts,
        )

    def _raise_deadline(self, phase: str, group: Hostgroup, member: Member | None, now: float) -> NoReturn:
        limit = f"{self.timeout:.3g}s" if self.timeout is not None else "time limit"
        node = member.node.id if member is not None else ""
        if phase == "executing" and not self.read and self._statement is not None and self._phase is Phase.EXECUTE:
            raise OutcomeUnknownTimeoutError(
                f"the call's {limit} ended after a write was sent to {node} (hostgroup '{group.name}');"
                " it may or may not have been applied",
                node=node,
                phase=Phase.EXECUTE.name.lower(),
                seconds=now - self.started,
                attempts=self.attempts,
            ) from self.first
        place = f" on {node}" if node else ""
        what = f"leaves no time for another attempt{place}" if phase == "backing_off" else f"ended while {phase}{place}"
        why, cause = "", self.first
        if phase == "backing_off" and self.records:
            why = f", after {self.records[-1].error}"
        elif phase == "acquiring":
            refusal = group.refusal(now)
            why, cause = f": {refusal.args[0]}", cause or refusal
        raise DeadlineExceededError(
            f"the call's {limit} {what} (hostgroup '{group.name}', attempts={self.attempts}){why}",
            phase=phase,
            timeout=self.timeout,
            attempts=self.attempts,
        ) from cause

    def _raise_exhausted(
        self, error: BaseException, verdict: Verdict, group: Hostgroup, member: Member, now: float, why: str
    ) -> NoReturn:
        if not verdict.transport:
            raise self._noted(error, group, member)
        listed = "; ".join(f"{record.node}: {record.error} ({record.seconds:.3f}s)" for record in self.records)
        raise RetriesExhaustedError(
            f"every attempt failed in transport ({why}): {listed}",
            attempts=tuple(self.records),
        ) from self.first

    def _tell(self, group: Hostgroup, member: Member, delay: float, code: str, cause: str, where: Step) -> None:
        group.retries += 1
        events = self._context.events
        if events.listening_debug:
            events.emit(
                RetryScheduled(
                    hostgroup=group.name,
                    node=member.node.id,
                    attempt=self.attempts,
                    delay=delay,
                    code=code,
                    cause=cause,
                    where=where,
                )
            )


def settle_breaker(verdict: Verdict, member: Member, permit: Permit | None, now: float, seconds: float) -> None:
    """Tell the node's breaker of a failed statement, by whom the verdict blames; an answer of the server is a success for it."""
    node = member.node
    match verdict.blame:
        case Blame.NODE:
            node.failed(now, transport=verdict.transport, why=verdict.code, seconds=seconds)
        case Blame.NONE | Blame.SLOW:
            node.breaker.succeeded(now, seconds, node.breaker.generation)
        case Blame.ROLE:
            node.suspect()
        case _:
            pass
    if permit is not None:
        node.breaker.release(permit)


def noted(error: BaseException, hostgroup: str, node: str, rule_id: int | None, attempt: int) -> BaseException:
    """*error* with a note that says where it happened."""
    rule = f", rule {rule_id}" if rule_id is not None else ""
    error.add_note(f"dbrouter: hostgroup '{hostgroup}', node {node}{rule}, attempt {attempt}")
    return error
