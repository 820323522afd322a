"""
Gauges: what can be seen of a pool from outside: the numbers that balancers and hostgroups go by, and the snapshot for reports.

Everything here only reads; `Pool` inherits it, so that looking at a pool costs one attribute. No clock is read: who asks says
what time it is.
"""

from __future__ import annotations

from dbrouter.pool.connector import Connector
from dbrouter.pool.lease import Lease, Waiter
from dbrouter.pool.state import PoolState
from dbrouter.pool.stats import PoolCounters, PoolSnapshot
from dbrouter.pool.watch import DeadlineWatch

CONNECT_PATIENCE = 1.0
"""Seconds for which a call waits for a connection that is being made, before an idle one of another pool serves it instead."""


class Gauges:
    """What `Pool` shows; it fills the fields."""

    __slots__ = ("_connector", "_counters", "_state", "hostgroup", "name", "node", "watch")

    _connector: Connector
    _counters: PoolCounters
    _state: PoolState[Lease, Waiter]
    hostgroup: str
    name: str
    node: str
    watch: DeadlineWatch

    @property
    def size(self) -> int:
        """Connections of any kind, those being made or closed included."""
        return self._state.size

    @property
    def max_size(self) -> int:
        """Connections it may have at once."""
        return self._state.max_size

    @property
    def idle(self) -> int:
        """Connections ready to be taken."""
        return len(self._state.idle)

    @property
    def in_use(self) -> int:
        """Connections somebody holds."""
        return self._state.in_use

    @property
    def waiting(self) -> int:
        """Callers in line."""
        return len(self._state.waiters) - self._state.guests

    @property
    def outstanding(self) -> int:
        """in_use + waiting: what a balancer compares."""
        state = self._state
        return len(state.seats) - len(state.idle) - state.aside + len(state.waiters)

    @property
    def spare(self) -> bool:
        """Whether one more caller would find an idle connection."""
        state = self._state
        return len(state.idle) > len(state.waiters)

    @property
    def full(self) -> bool:
        """Whether it has every connection it may have and none is idle: one more caller waits for somebody to be done."""
        state = self._state
        return not state.idle and len(state.seats) >= state.max_size

    def stalled(self, now: float) -> bool:
        """Whether a connection is being made, and even the youngest attempt takes longer than callers should wait for."""
        state = self._state
        return bool(state.connecting) and now - state.pace.started_at >= CONNECT_PATIENCE

    @property
    def empty(self) -> bool:
        """Whether there is no connection that could come back to somebody in line; one that is being made does not count."""
        return not self._state.seats

    def starving(self, now: float) -> bool:
        """Whether there is no connection, connecting has just failed, and the next attempt has to wait for its time."""
        state = self._state
        return not state.seats and bool(state.pace.failures) and not state.connecting and state.pace.next_at(now) > now

    @property
    def wants_connections(self) -> bool:
        """Whether it keeps connections open that nobody asks for (`min_size`)."""
        return self._state.min_size > 0

    @property
    def last_connect_failure(self) -> str | None:
        """``ClassName: message`` of the last failure to connect since the last success."""
        return self._connector.last_failure

    @property
    def draining(self) -> bool:
        """Whether nothing is handed out any more."""
        return self._state.draining

    def stats(self, now: float) -> PoolSnapshot:
        """The numbers of this moment. *now* is monotonic seconds; nothing is read from a clock here."""
        state, counters = self._state, self._counters
        acquires = counters.closed_uses + sum(lease.uses for lease in state.seats)
        return PoolSnapshot(
            name=self.name,
            node=self.node,
            hostgroup=self.hostgroup,
            size=state.size,
            idle=len(state.idle),
            in_use=state.in_use,
            connecting=state.connecting,
            settling=state.settling + state.checking,
            closing=state.closing,
            waiting=self.waiting,
            min_size=state.min_size,
            max_size=state.max_size,
            acquires=acquires,
            waits=counters.waits,
            wait_seconds_total=counters.wait_seconds_total,
            wait_buckets=counters.buckets(acquires),
            timeouts=counters.timeouts,
            refused=counters.refused,
            connects=counters.connects,
            connect_failures=counters.connect_failures,
            connect_seconds_total=counters.connect_seconds_total,
            last_connect_failure=self._connector.last_failure,
            closed=dict(counters.closed),
            leaks=counters.leaks,
            interrupted=self.watch.cut,
        )
