"""
Node and Member: a server with its breaker, and its place in one hostgroup with a pool of its own.

A server that is in both hostgroups is one `Node` (one breaker, one liveness) and two `Member`s (two pools, one of them
read-only).
The node is the single writer of its breaker: lease outcomes and probes come in here. `available` and `closed` are plain
attributes,
so that asking them costs nothing on the hot path.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from dbrouter.cluster.topology import NodeState, Shun
from dbrouter.drivers.outcome import Verdict
from dbrouter.errors import ConnectError
from dbrouter.pool.pool import Pool
from dbrouter.pool.stats import WAIT_BOUNDS, Histogram
from dbrouter.resilience.breaker import Breaker
from dbrouter.terms import Blame, BreakerState, Engine, NodeId, Role, ServerStatus

LATENCY_BOUNDS = (0.0005, *WAIT_BOUNDS)
"""Upper bounds in seconds of the query histogram's buckets; one more bucket holds the rest."""

NOT_PROBED = "not probed yet"

_EWMA_SHARE = 0.1
"""Weight of the newest sample in a node's smoothed latency: about the last twenty calls count."""


class Node:
    """One server of a database: identity, breaker, what the probes say, and its members."""

    __slots__ = (
        "available",
        "breaker",
        "database",
        "endpoint",
        "engine",
        "fresh",
        "id",
        "latency",
        "members",
        "on_suspicion",
        "state",
        "status",
    )

    def __init__(
        self, *, id: NodeId, database: str, engine: Engine, endpoint: str, breaker: Breaker, status: ServerStatus
    ) -> None:
        self.id = id
        self.database = database
        self.engine = engine
        self.endpoint = endpoint
        self.breaker = breaker
        breaker.is_last_usable = self.last_usable
        self.status = status
        self.state = NodeState()
        self.available = status is ServerStatus.ONLINE
        self.latency = 0.0
        """Smoothed seconds of a successful call; 0.0 until the first."""
        self.members: list[Member] = []
        self.fresh = False
        """Added while others were at work: it serves nobody until a probe has seen it."""
        self.on_suspicion: Callable[[Node], None] | None = None
        """Told at once when a call saw something that the next probe should look at."""

    def __repr__(self) -> str:
        shun = self.state.shun
        return f"<Node {self.id} {self.breaker.state} {f'shunned={shun.reason}' if shun else self.state.role}>"

    def publish(self, state: NodeState) -> None:
        """Take over what the monitor found; the members' hostgroups look again."""
        self.state = state
        self.available = self.status is ServerStatus.ONLINE and state.shun is None
        self.refresh()

    def refresh(self) -> None:
        """Let every hostgroup of this node look again at who is usable, and every pool whether it may connect."""
        for member in self.members:
            member.hostgroup_refresh()
            member.pool.wake()

    def set_status(self, status: ServerStatus) -> None:
        """
        What a reload says of it; its hostgroups have to look again afterwards.

        Where it was online and is no more, idle connections are closed and callers in line choose again.
        """
        leaving = self.status is ServerStatus.ONLINE and status is not ServerStatus.ONLINE
        self.status = status
        self.available = status is ServerStatus.ONLINE and self.state.shun is None
        if leaving:
            for member in self.members:
                member.pool.expire("draining")
                member.pool.fail_waiters(lambda: ConnectError(f"{self.id} is {status} now", endpoint=self.endpoint))

    def suspect(self) -> None:
        """A call failed in a way that a probe should explain now."""
        if self.on_suspicion is not None:
            self.on_suspicion(self)

    @property
    def takes_writes(self) -> bool:
        """Whether it stands in a hostgroup that takes writes, and so has to be a primary."""
        return any(member.writer for member in self.members)

    @property
    def serves(self) -> bool:
        """Whether the probes leave it to at least one of its hostgroups."""
        only_writes = bool(self.members) and all(member.writer for member in self.members)
        return self.available and not (only_writes and self.state.role is Role.REPLICA)

    @property
    def key(self) -> str:
        """``database/host:port``: unique within a router."""
        return f"{self.database}/{self.id}"

    def breaker_changed(self, new: BreakerState, why: str) -> None:
        """The breaker moved: who is usable changes, and where it opened, callers in line choose again."""
        self.refresh()
        if new in (BreakerState.OPEN, BreakerState.FORCED_OPEN):
            for member in self.members:
                member.pool.fail_waiters(lambda: ConnectError(f"the breaker of {self.id} opened: {why}", endpoint=self.endpoint))

    def last_usable(self) -> bool:
        """Whether some hostgroup has no other usable node: its breaker then opens on connect-class failures only."""
        return any(member.is_last_usable() for member in self.members)

    def failed(self, now: float, *, transport: bool, why: str, seconds: float) -> None:
        """A failure that blames this node, of something that began *seconds* ago."""
        breaker = self.breaker
        breaker.failed(now, breaker.generation, connect_class=transport, why=why, last_usable=self.last_usable(), seconds=seconds)
        if transport:
            self.suspect()


class Member:
    """A node's place in one hostgroup: weight, pool, statistics."""

    __slots__ = (
        "failures",
        "has_alternative",
        "hostgroup_name",
        "hostgroup_refresh",
        "is_last_usable",
        "node",
        "pool",
        "read_only",
        "reads",
        "weight",
        "writer",
        "writes",
    )

    def __init__(self, *, node: Node, hostgroup: str, weight: int, read_only: bool, writer: bool) -> None:
        self.node = node
        self.hostgroup_name = hostgroup
        self.weight = weight
        self.read_only = read_only
        """Whether its sessions are opened read-only (Safety 2) by us."""
        self.writer = writer
        """Whether it stands in a hostgroup that takes writes: then it must be a primary."""
        self.pool: Pool
        self.reads = Histogram(LATENCY_BOUNDS)
        self.writes = Histogram(LATENCY_BOUNDS)
        self.failures = 0
        self.hostgroup_refresh: Callable[[], None] = _nothing
        self.is_last_usable: Callable[[], bool] = _never
        self.has_alternative: Callable[[], bool] = _never
        """Whether a call that cannot be served here may go elsewhere."""

    def __repr__(self) -> str:
        return f"<Member {self.node.id} weight={self.weight} {self.pool!r}>"

    @property
    def outstanding(self) -> int:
        """Calls running on or waiting for this member."""
        return self.pool.outstanding

    @property
    def latency(self) -> float:
        """The node's smoothed latency in seconds."""
        return self.node.latency

    def why_not(self) -> str | None:
        """Why this member may not serve calls, or None if it may; the words that explain and refusals show."""
        barred = self.barred()
        if barred is None and not self.node.breaker.closed:
            return f"breaker {self.node.breaker.state.value.lower()}"
        return barred

    def barred(self) -> str | None:
        """Why it may not serve whatever its breaker says, or None: such a member gets no trial call either."""
        node = self.node
        if node.status is not ServerStatus.ONLINE:
            return str(node.status)
        shun = node.state.shun
        if shun is not None:
            return f"shunned: {shun.reason} ({shun.detail})"
        if node.fresh and node.state.probed_at is None:
            return NOT_PROBED
        if self.writer and node.state.role is not Role.PRIMARY:
            return NOT_PROBED if node.state.probed_at is None else f"wrong role: {node.state.role}, not primary"
        return None

    def become(self, *, weight: int, hostgroup: str) -> None:
        """What a reload says of it from now on."""
        self.weight = weight
        self.hostgroup_name = hostgroup

    def join(self) -> None:
        """Take its place among the members of its node."""
        self.node.members.append(self)

    def leave(self) -> None:
        """Give it up: callers in line choose again, what is in use goes on until it comes back."""
        node = self.node
        node.members.remove(self)
        self.pool.fail_waiters(
            lambda: ConnectError(f"{node.id} was taken out of '{self.hostgroup_name}' by a reload", endpoint=node.endpoint)
        )

    def shunned(self, shun: Shun) -> None:
        """A probe gave the node up: reads in flight move now, idle connections go, callers in line choose again."""
        pool = self.pool
        pool.interrupt("shunned", reads_only=True)
        pool.expire("shunned")
        node = self.node
        pool.fail_waiters(lambda: ConnectError(f"{node.id} was shunned while waiting: {shun.detail}", endpoint=node.endpoint))

    def may_connect(self) -> bool:
        """Whether the pool may try to connect: not while the node is shunned or its breaker is open."""
        node = self.node
        return node.available and (node.breaker.closed or node.breaker.state is BreakerState.HALF_OPEN)

    def connect_failed(self, verdict: Verdict, error: BaseException, seconds: float) -> None:
        """The pool could not connect: tell the breaker, and let callers in line go elsewhere where the node is at fault."""
        node, pool = self.node, self.pool
        if verdict.blame is Blame.NODE:
            node.failed(monotonic(), transport=True, why=verdict.code, seconds=seconds)
        if verdict.blame in (Blame.NODE, Blame.CONFIG) or (pool.empty and self.has_alternative()):
            pool.fail_waiters(lambda: _connect_error(node, verdict, error))

    def starved(self, now: float) -> ConnectError | None:
        """
        Why nobody should stand in line here, or None: there is no connection, no attempt to make one for a while, and somewhere
        else to go. Nothing is wrong with the node where it is only full.
        """
        pool = self.pool
        if not pool.starving(now) or not self.has_alternative():
            return None
        return ConnectError(
            f"no connection to {self.node.endpoint}, and the next attempt has to wait: {pool.last_connect_failure}",
            endpoint=self.node.endpoint,
        )

    def succeeded(self, now: float, seconds: float, read: bool) -> None:
        """HOT: a call on this member succeeded after *seconds*."""
        (self.reads if read else self.writes).observe(seconds)
        node = self.node
        latency = node.latency
        node.latency = latency + _EWMA_SHARE * (seconds - latency) if latency else seconds
        breaker = node.breaker
        breaker.succeeded(now, seconds, breaker.generation)


def _connect_error(node: Node, verdict: Verdict, cause: BaseException) -> ConnectError:
    # A hook's failure (`drivers/hooks.py`) says all itself, and has what the hook raised as its cause.
    hook = isinstance(cause, ConnectError)
    why = cause.args[0] if hook else f"{type(cause).__name__}: {cause}"
    error = ConnectError(f"no connection to {node.endpoint}: {why}", endpoint=node.endpoint, blame=verdict.blame)
    error.__cause__ = cause.__cause__ or cause if hook else cause
    return error


def _nothing() -> None:
    return None


def _never() -> bool:
    return False
