"""
Pinning: how a block of calls comes by its one connection. Until what begins the block has succeeded on it, it moves and is tried
again like a single call; from then on it stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.drivers.base import Connection
from dbrouter.errors import ConnectError, PoolError
from dbrouter.pool.lease import Lease
from dbrouter.router.context import Context
from dbrouter.router.plan import Plan
from dbrouter.router.recovery import Recovery
from dbrouter.terms import Phase


async def pin(
    context: Context,
    group: Hostgroup,
    *,
    limit: float | None,
    setup: Callable[[Connection, bool], Awaitable[None]] | None,
    stays: bool,
    plan: Plan | None = None,
    phase: Phase = Phase.EXECUTE,
) -> tuple[Hostgroup, Member, Lease, bool]:
    """
    A connection of *group* for a block of calls, on which *setup* (BEGIN, or the statement of *plan*) has succeeded; moves and
    retries until then, as a single call does.

    Args:
        limit: seconds for all of it.
        setup: called with the connection, and whether what it sends is still taken for a read.
        stays: it must be a read-only place.
        plan: the statement that *setup* sends; None: nothing that could be applied.
        phase: `Phase.TRANSACTION` where what *setup* sends is undone with its connection.

    Returns:
        Where it is, the lease, and whether what *setup* sent is a read; a reader's refusal may have shown that it is none.

    If cancelled, nothing is left behind: the connection is settled in the background or closed.
    """
    if asyncio._get_running_loop() is not context.loop:
        raise context.stranger()
    started = now = monotonic()
    deadline = None if limit is None else started + limit
    read = plan is None or plan.read
    recovery: Recovery | None = None

    def trouble() -> Recovery:
        return recovery or Recovery(
            context,
            statement=None if plan is None else plan.statement,
            read=read,
            idempotent=plan is None,
            stays=stays,
            cap=group.retry.attempts if plan is None else plan.attempts,
            started=started,
            deadline=deadline,
            timeout=limit,
            rule_id=None if plan is None else plan.rule_id,
            reset=plan is not None and plan.reset,
            unknown=() if plan is None else plan.unknown,
            phase=phase,
        )

    while True:
        choice = group.choose(now, recovery.tried if recovery is not None else ())
        if choice is None:
            recovery = trouble()
            group = await recovery.nobody(group)
            now = monotonic()
            continue
        member, permit = choice
        try:
            lease = member.pool.take(now, True)
            if lease is None:
                tried = recovery.tried if recovery is not None else ()
                member, lease = await group.wait_for(member, permit, now, deadline, True, tried)
        except (PoolError, ConnectError) as error:
            recovery = trouble()
            group = await recovery.after_acquire(error, group, member, permit)
            now = monotonic()
            continue
        except BaseException:
            if permit is not None:
                member.node.breaker.release(permit)
            raise
        if setup is not None:
            sent_at = monotonic()
            lease.arm(deadline, phase is Phase.TRANSACTION or plan is None or (read and (member.read_only or plan.pure)))
            try:
                await setup(lease.connection, read)
            except BaseException as error:
                lease.disarm()
                if plan is not None and plan.taints is not None:
                    lease.dirty = plan.taints
                recovery = trouble()
                group = await recovery.after_send(error, group, member, lease, permit, sent_at)
                read = recovery.read
                now = monotonic()
                continue
            lease.disarm()
            if plan is not None:
                now = monotonic()
                member.succeeded(now, now - sent_at, read)
        if permit is not None:
            member.node.breaker.release(permit)
        lease.trace()
        return group, member, lease, read
