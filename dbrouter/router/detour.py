"""
Detour: what a call does whose plan has effects, in ProxySQL's order – OK message, error message, result cache, the context's next
flag, delay, mirror – before and after it is sent by the query path like any other.

Cancellation: nothing here is left behind by it. A copy that was offered goes on by itself; a result is stored only after it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from time import monotonic
from typing import Any, TypeVar

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.drivers.base import Reply
from dbrouter.errors import DeadlineExceededError, PoolClosedError
from dbrouter.events import QueryLogged
from dbrouter.router.cache import Key, cache_key
from dbrouter.router.caller import Caller, current
from dbrouter.router.context import Context
from dbrouter.router.plan import Effects, Plan

T = TypeVar("T")
Described = tuple[str, int | None, int | None]
Sent = tuple[Reply, Plan, Any, Any, int, float]
"""What the query path answers: reply, plan, who answered (a `Member` or an `Answerer`), who describes it, attempts, seconds."""
Send = Callable[[Plan, float | None], Awaitable[Sent]]
"""Sends a plan within so many seconds (None: no limit)."""


class Answerer:
    """Stands where the query path has the member and its connection, for an answer that no server gave."""

    __slots__ = ("_described", "hostgroup_name", "id")

    def __init__(self, hostgroup_name: str, who: str, described: Described) -> None:
        self.hostgroup_name = hostgroup_name
        self.id = who
        self._described = described

    @property
    def node(self) -> Answerer:
        """Itself: ``member.node.id`` is what a route shows."""
        return self

    def describe(self, reply: Reply) -> Described:
        """(status text, rowcount, lastrowid)."""
        return self._described


def remember(plan: Plan, database: str, hostgroup: Hostgroup) -> None:
    """Note in the caller's context what *plan*, which is about to be sent through *hostgroup*, leaves for later calls."""
    effects, caller = plan.effects, current()
    if effects is None or caller is None:
        return
    if effects.next_flag is not None:
        caller.memory.flags[database] = effects.next_flag
    if effects.notes_write and effects.ok_msg is None and not (plan.read and hostgroup.read_only):
        caller.memory.written.add((database, hostgroup.id))


def unseen(context: Context, hostgroup: Hostgroup) -> None:
    """
    Note in the caller's context that something was done through *hostgroup* that nobody could see (a driver's own connection): as
    if it had been a write.
    """
    caller = current()
    if caller is not None and context.planner.notes_writes and not hostgroup.read_only:
        caller.memory.written.add((context.database, hostgroup.id))


async def traced(context: Context, plan: Plan, sending: Awaitable[T], read_only: Callable[[T], bool]) -> T:
    """
    Await *sending*; where *plan* is a read for readers that may write, note in the caller's context if it ran, or may have run,
    on the primary after all.

    Args:
        read_only: whether the session could not write; asked with the answer.
    """
    effects = plan.effects
    if effects is None or not effects.notes_write or not plan.read or plan.stays or not plan.hostgroup.read_only:
        return await sending
    wrote = True
    try:
        answer = await sending
        wrote = not read_only(answer)
        return answer
    finally:
        if wrote:
            unseen(context, context.writer)


async def delayed(delay: float, limit: float | None) -> float | None:
    """
    Wait as a rule wants it; what is left of *limit* afterwards.

    Raises:
        DeadlineExceededError: *limit* ends within the delay; nothing was sent.
    """
    if limit is not None and limit <= delay:
        await asyncio.sleep(limit)
        raise DeadlineExceededError(
            f"the time limit of {limit:.3g}s ended within a rule's delay of {delay:.3g}s; nothing was sent",
            phase="backing_off",
            timeout=limit,
            attempts=0,
        )
    await asyncio.sleep(delay)
    return None if limit is None else limit - delay


async def detour(context: Context, plan: Plan, params: Sequence[Any], limit: float | None, tag: str | None, send: Send) -> Sent:
    """
    The answer to a call whose plan is no plain one.

    Args:
        limit: seconds for the whole call; None: no limit.
        send: the query path.

    Raises:
        PoolClosedError: the router is closed; no pool need be asked to know it.
        RoutingError: the statement is refused.
        DeadlineExceededError: the time limit ended within a delay.
        What *send* raises.
    """
    started = monotonic()
    effects = plan.effects
    if context.tasks.closed:
        raise PoolClosedError(f"the router of database {context.database!r} is closed", pool=context.database)
    if effects is None or effects.ok_msg is None:
        if plan.refusal is not None:
            refused = plan.refusal()
            if effects is not None and effects.log:
                _tell(context, plan, None, plan.hostgroup.name, type(refused).__name__, started)
            raise refused
        assert effects is not None  # what is neither refused nor plain has effects
    if effects.ok_msg is not None:
        remember(plan, context.database, plan.hostgroup)
        return _answered(context, plan, effects, "rule", [], (effects.ok_msg, 0, None), started)
    caller = current()
    cache = context.cache  # A reload may give the context another one while this call is under way.
    key = _key(context, plan, effects, params, caller)
    if key is not None and effects.cache_ttl is not None:
        kept = cache.get(key, effects.cache_ttl, started)
        if kept is not None:
            return _answered(context, plan, effects, "cache", list(kept.rows), kept.described, started)
    plan = following(context, plan, tag)
    remember(plan, context.database, plan.hostgroup)
    if effects.delay is not None:
        limit = await delayed(effects.delay, limit)
    if effects.copy is not None:
        offer(context, effects, params)
    sending = traced(context, plan, send(plan, limit), lambda sent: bool(sent[2].read_only))
    if effects.log:
        nobody = (None, plan.hostgroup.name)
        sending = logged(
            context, plan, sending, lambda sent: nobody if sent is None else (sent[2].node.id, sent[2].hostgroup_name)
        )
    sent = await sending
    if key is not None and (sent[0][0] or effects.cache_empty):
        cache.put(key, sent[0][0], sent[3].describe(sent[0]), monotonic())
    return sent


def _answered(
    context: Context, plan: Plan, effects: Effects, who: str, rows: Sequence[Any], described: Described, started: float
) -> Sent:
    """The answer to a call that no server is asked for."""
    answerer = Answerer(plan.hostgroup.name, who, described)
    if plan.difference is not None:
        plan.difference.calls += 1
    if effects.log:
        _tell(context, plan, who, answerer.hostgroup_name, "ok", started)
    return (rows, None, None), plan, answerer, answerer, 0, monotonic() - started


def offer(context: Context, effects: Effects, params: Sequence[Any]) -> None:
    """Hand the copy of a statement to the mirror."""
    copy = effects.copy
    assert copy is not None
    peer = context.peers.get(copy.database)
    if peer is None:
        return  # A reload within the delay has removed it.
    send_copy, own = peer.send_copy, [_own(value) for value in params]
    group = copy.plan.hostgroup
    room = None
    if group in (peer.writer, peer.reader, peer.planner.default) and group.members:
        # Others wait for answers there, and must never wait for copies: half of the connections are left to them.
        room = max(1, min(member.pool.max_size for member in group.members) // 2)
    context.mirror.offer(lambda: send_copy(copy.plan, own), place=group, room=room)


def _own(value: Any) -> Any:
    """*value*, or a copy of it where it is a container that the caller may change before it is sent."""
    if isinstance(value, list | dict | set | bytearray | tuple):
        try:
            return deepcopy(value)
        except Exception:
            return value  # It holds something that cannot be copied.
    return value


async def logged(context: Context, plan: Plan, sending: Awaitable[T], where: Callable[[T | None], tuple[str | None, str]]) -> T:
    """
    Await *sending* and tell of it when it is over, whatever became of it.

    Args:
        where: (node, hostgroup) that answered; asked with the answer, or with None where there is none.
    """
    started = monotonic()
    outcome = "ok"
    sent: T | None = None
    try:
        sent = await sending
        return sent
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        _tell(context, plan, *where(sent), outcome, started)


def told(context: Context, plan: Plan, node: str | None, hostgroup: str, outcome: str) -> None:
    """Tell of a call that is over without a server, where a rule wants it logged."""
    if plan.effects is not None and plan.effects.log:
        _tell(context, plan, node, hostgroup, outcome, monotonic())


def _tell(context: Context, plan: Plan, node: str | None, hostgroup: str, outcome: str, started: float) -> None:
    if context.events.listening:
        context.events.emit(
            QueryLogged(
                database=context.database,
                hostgroup=hostgroup,
                node=node,
                digest=plan.statement.digest,
                digest_text=plan.statement.digest_text,
                rules=plan.hits,
                took=monotonic() - started,
                outcome=outcome,
            )
        )


def _key(context: Context, plan: Plan, effects: Effects, params: Sequence[Any], caller: Caller | None) -> Key | None:
    """The key of the call's result; None where it may neither be looked up nor stored."""
    if effects.cache_ttl is None:
        return None
    if caller is not None and caller.memory.has_written(context.database):
        return None
    text, bound = plan.bind(params) if params else (plan.text, params)
    user, schema = (caller.username, caller.schemaname) if caller is not None else (None, None)
    return cache_key(context.database, user, schema, text, bound)


def following(context: Context, plan: Plan, tag: str | None) -> Plan:
    """*plan*, or the one that goes where the caller has written, if a rule says that reads follow."""
    effects, caller = plan.effects, current()
    if effects is None or effects.follows is None or caller is None:
        return plan
    if (context.database, effects.follows) not in caller.memory.written:
        return plan
    return context.planner.plan(plan.asked, tag, None, effects.follows)
