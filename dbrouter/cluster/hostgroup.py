"""
Hostgroup: the members that may serve one kind of call, and the choice among them.

`usable` is a tuple that is rebuilt when a probe or a breaker changes something, never per call; `choose` picks from it.
`candidates` is the pure part that `explain` shows: it takes no permit and uses up no turn.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Sequence
from math import inf
from time import monotonic
from typing import Any

from dbrouter.cluster.balancer import Balancer
from dbrouter.cluster.candidate import Candidate, reason
from dbrouter.cluster.node import Member
from dbrouter.config.schema import RetrySettings
from dbrouter.errors import CircuitOpenError, ConnectError, NoNodeAvailableError, Refusal, RoutingError
from dbrouter.pool.gauges import CONNECT_PATIENCE
from dbrouter.pool.lease import Lease, Waiter
from dbrouter.resilience.breaker import Permit
from dbrouter.resilience.budget import RetryBudget
from dbrouter.terms import BreakerState, HostgroupId, WhenEmpty


class Hostgroup:
    """The members of one hostgroup with their balancer, retry settings and budget."""

    __slots__ = (
        "_recovering",
        "_rng",
        "_waiters",
        "balancer",
        "budget",
        "call_timeout",
        "database",
        "empty_since",
        "id",
        "members",
        "name",
        "owner",
        "patience",
        "read_only",
        "retries",
        "retry",
        "successor",
        "usable",
        "when_empty",
        "writer",
    )

    def __init__(
        self,
        *,
        id: HostgroupId,
        name: str,
        database: str,
        members: Sequence[Member],
        balancer: Balancer,
        when_empty: WhenEmpty,
        read_only: bool,
        writer: bool,
        retry: RetrySettings,
        call_timeout: float | None,
        patience: float,
        rng: random.Random,
    ) -> None:
        self.id = id
        self.name = name
        self.database = database
        self.members = tuple(members)
        self.balancer = balancer
        self.when_empty = when_empty
        self.read_only = read_only
        self.writer = writer
        self.retry = retry
        self.call_timeout = call_timeout
        self.patience = patience
        """``when_empty: wait``: seconds of an outage that calls wait out; after them they fail at once."""
        self.empty_since: float | None = None
        """Since when nobody is usable (monotonic), or None."""
        self.budget = RetryBudget(retry)
        self.retries = 0
        self.usable: tuple[Member, ...] = ()
        self._recovering: tuple[Member, ...] = ()
        self._rng = rng
        self._waiters: set[asyncio.Future[None]] = set()
        self.owner: Any = None
        """The context of its database, for whoever holds a plan that leads here."""
        self.successor: Hostgroup | None = None
        """Where calls go on that were under way when a reload removed this hostgroup."""
        self._tie()
        self.refresh()

    def __repr__(self) -> str:
        return f"<Hostgroup {self.name} usable={len(self.usable)}/{len(self.members)}>"

    def _tie(self) -> None:
        for member in self.members:
            member.hostgroup_refresh = self.refresh
            member.is_last_usable = _LastUsable(self, member)
            member.has_alternative = _Alternative(self, member)

    def become(
        self,
        *,
        name: str,
        members: Sequence[Member],
        balancer: Balancer | None,
        when_empty: WhenEmpty,
        retry: RetrySettings,
        call_timeout: float | None,
        patience: float,
    ) -> None:
        """
        What a reload says of it from now on; counters, budget and those who wait for a node stay.

        Args:
            balancer: another one, or None where the policy is the same.
        """
        self.name = name
        self.members = tuple(members)
        self.when_empty = when_empty
        self.retry = retry
        self.budget.reconfigure(retry)
        self.call_timeout = call_timeout
        self.patience = patience
        if balancer is not None:
            self.balancer = balancer
        self._tie()
        self.refresh()

    def retire(self, successor: Hostgroup | None) -> None:
        """A reload removed it: nobody is here any more, and calls that still come go on in *successor*, or are refused."""
        self.members = ()
        self.successor = successor
        self.when_empty = WhenEmpty.FAIL
        self.refresh()

    @property
    def calls(self) -> int:
        """Calls planned for this hostgroup; the hot path counts them in the budget."""
        return self.budget.calls

    @property
    def closed(self) -> bool:
        """Whether the router ends: nobody here takes work any more, and no change will come."""
        return bool(self.members) and all(member.pool.draining for member in self.members)

    def refresh(self) -> None:
        """Look again at who is usable; called on every change of a probe's verdict or a breaker, never per call."""
        self.usable = tuple(member for member in self.members if member.why_not() is None)
        self._recovering = tuple(
            member for member in self.members if member.node.breaker.state is BreakerState.HALF_OPEN and member.barred() is None
        )
        if self.usable or self._recovering:
            self.empty_since = None
        elif self.empty_since is None:
            self.empty_since = monotonic()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def choose(self, now: float, tried: Collection[Member]) -> tuple[Member, Permit | None] | None:
        """
        HOT: the member for the next attempt, or None when none is usable that was not tried.

        A recovering (half-open) member is given at most its permits of the traffic; the permit must be returned to its breaker.
        """
        if not tried and not self._recovering:
            usable = self.usable
            if len(usable) == 1:
                return usable[0], None
            if usable:
                return self.balancer.choose(usable, now, self._rng), None
            return None
        for member in self._recovering:
            if member not in tried:
                permit = member.node.breaker.admit(now)
                if permit is not None:
                    return member, permit
        left = [member for member in self.usable if member not in tried]
        if not left:
            return None
        return self.balancer.choose(left, now, self._rng), None

    def candidates(self, now: float) -> tuple[Candidate, ...]:
        """Every member with the reason it would or would not be taken, and which one is next."""
        following = next((member for member in self._recovering if member.node.breaker.admits(now)), None)
        if following is None and self.usable:
            following = self.balancer.peek(self.usable, now, self._rng)
            if following is not None and (following.pool.full or following.pool.stalled(now)):
                spare = [member for member in self.usable if member is not following and member.pool.spare]
                following = self.balancer.peek(spare, now, self._rng) if spare else following
        alone = not any(member.weight for member in self.usable)
        return tuple(
            Candidate(
                node=member.node.id,
                usable=member in self.usable,
                because=reason(member, now, alone=alone),
                next=member is following,
            )
            for member in self.members
        )

    def refusal(self, now: float) -> RoutingError:
        """
        The error that says why nobody can serve: `CircuitOpenError` where every breaker is open, else
        `NoNodeAvailableError`.
        """
        refusals = tuple(Refusal(node=member.node.id, reason=member.why_not() or "already tried") for member in self.members)
        listed = "; ".join(f"{refusal.node}: {refusal.reason}" for refusal in refusals) or (
            "a reload removed it" if self.when_empty is WhenEmpty.FAIL and not self.members else "it has no servers"
        )
        if refusals and all(not member.node.breaker.closed and member.barred() is None for member in self.members):
            retry_after = min(member.node.breaker.retry_after(now) for member in self.members)
            for member in self.members:
                member.node.breaker.not_permitted += 1
            if retry_after == inf:
                trial = "no trial until it is reset"
            elif retry_after:
                trial = f"next trial in {retry_after:.2f}s"
            else:
                trial = "the next trial is due, or under way"
            return CircuitOpenError(
                f"every breaker of hostgroup '{self.name}' is open, {trial} ({listed})",
                hostgroup=self.name,
                refusals=refusals,
                retry_after=retry_after,
            )
        return NoNodeAvailableError(
            f"no usable node in hostgroup '{self.name}' ({listed})", hostgroup=self.name, refusals=refusals
        )

    async def wait_for(
        self,
        member: Member,
        permit: Permit | None,
        now: float,
        deadline: float | None,
        check: bool,
        tried: Collection[Member],
    ) -> tuple[Member, Lease]:
        """
        A connection of *member*, whose pool has none at hand: by standing in its line, unless it is known that nothing will come
        for a while and another node could serve; or of another member that has an idle one: at once where *member* has lent all
        it may have or has been connecting for `CONNECT_PATIENCE`, else as soon as either is so.

        Whoever has a *permit* for a trial of *member* waits for *member*.

        Raises:
            ConnectError: go elsewhere; or it could not connect.
            PoolError: as `Pool.acquire`.
        """
        starved = member.starved(now)
        if starved is not None:
            raise starved
        if permit is not None or len(self.usable) < 2:
            return member, await member.pool.acquire(deadline, check)
        peers = _Peers(self, member, now, check, tried)
        if (member.pool.full or member.pool.stalled(now)) and (spare := peers.spare()) is not None:
            member = spare
        lease = await member.pool.acquire(deadline, check, elsewhere=peers)
        return peers.server_of(lease), lease

    def spare(self, tried: Collection[Member]) -> Member | None:
        """A usable member with an idle connection for one more caller, that was not *tried*; None where there is none."""
        spare = [member for member in self.usable if member not in tried and member.pool.spare]
        return self.balancer.choose(spare, monotonic(), self._rng) if spare else None

    @property
    def worth_waiting_until(self) -> float:
        """
        The moment (monotonic) at which waiting for a node ends: *patience* seconds after the last one was lost.

        A restart or a switchover is waited out; in a longer outage calls are refused at once instead of piling up.
        """
        since = self.empty_since
        return (monotonic() if since is None else since) + self.patience

    @property
    def unprobed(self) -> bool:
        """Whether some member has not been looked at yet, so that "nobody is usable" would be a guess."""
        return any(member.node.state.probed_at is None and member.node.available for member in self.members)

    async def wait_for_change(self, deadline: float | None) -> bool:
        """
        Wait until a probe or a breaker changed something here; False when *deadline* (loop time) passed first.

        If cancelled, the place is given up and nothing is left behind.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = None if deadline is None else loop.call_at(deadline, _give_up, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        except _GaveUp:
            return False
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()
        return True


class _GaveUp(Exception):
    pass


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(_GaveUp())


class _Peers:
    """
    The members that could serve a call which stands in the line of *member* since *now*; an `Elsewhere` for its pool.

    Once *member* has lent out all it may have, or has taken too long to connect, an idle connection of another one serves; where
    none is idle the call joins their lines too, so that it is served by whoever has the next one.
    """

    __slots__ = ("_check", "_hostgroup", "_joined", "_member", "_out", "_since")

    def __init__(self, hostgroup: Hostgroup, member: Member, now: float, check: bool, tried: Collection[Member]) -> None:
        self._hostgroup = hostgroup
        self._member = member
        self._since = now
        self._check = check
        self._out = {member, *tried}
        self._joined: list[Member] = []

    def spare(self) -> Member | None:
        """One that has an idle connection; the call stands in its line from now on, instead of that of *member*."""
        spare = self._hostgroup.spare(self._out)
        if spare is not None:
            self._out.add(spare)
            self._member = spare
        return spare

    def server_of(self, lease: Lease) -> Member:
        """Whose connection *lease* is."""
        return next((member for member in self._joined if member.pool is lease.pool), self._member)

    def look(self, waiter: Waiter) -> Lease | None:
        """
        See `Elsewhere`.

        Raises:
            ConnectError: there is an idle connection, but somebody has to look first whether it still lives.
        """
        now = monotonic()
        pool = self._member.pool
        if not pool.full and now - self._since < CONNECT_PATIENCE:
            return None
        spare = self._hostgroup.spare(self._out)
        if spare is None:
            for other in self._hostgroup.usable:
                if other not in self._out:
                    if other not in self._joined:
                        self._joined.append(other)
                    other.pool.join(waiter)
            return None
        lease = spare.pool.take(now, self._check)
        if lease is None:
            node = self._member.node
            raise ConnectError(
                f"{node.id} had no connection for this call while {spare.node.id} has idle ones", endpoint=node.endpoint
            )
        self._joined.append(spare)
        return lease

    def leave(self, waiter: Waiter) -> None:
        """See `Elsewhere`."""
        for member in self._joined:
            member.pool.leave(waiter)


class _LastUsable:
    """Whether *member* is all its hostgroup has left."""

    __slots__ = ("_hostgroup", "_member")

    def __init__(self, hostgroup: Hostgroup, member: Member) -> None:
        self._hostgroup = hostgroup
        self._member = member

    def __call__(self) -> bool:
        usable = self._hostgroup.usable
        return len(usable) == 1 and usable[0] is self._member


class _Alternative:
    """Whether somebody else could serve the calls of *member*: another member, or the writer hostgroup."""

    __slots__ = ("_hostgroup", "_member")

    def __init__(self, hostgroup: Hostgroup, member: Member) -> None:
        self._hostgroup = hostgroup
        self._member = member

    def __call__(self) -> bool:
        group, member = self._hostgroup, self._member
        return group.when_empty is WhenEmpty.WRITER or any(other is not member for other in group.usable)
