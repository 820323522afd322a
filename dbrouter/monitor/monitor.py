"""
Monitor: probes every node and publishes the topology.

Loops and their rhythm:

- one task per node, ``probe <node>``: a look every `interval` seconds, measured from start to start, so that a look that
  used up its
  whole time limit is followed by the next at once; a frozen node is therefore shunned at most ``interval + fall * timeout``
  after it froze.
  A call that saw something odd (`Node.suspect`) wakes the loop early, at most five times per interval.
- `LoopWatch`: one timer; a look that failed while the loop was stalled is void and made again.

When a node is shunned, reads in flight on it are moved at once (their tasks are interrupted and the router sends them
elsewhere), writes wait
for their own deadline, and callers waiting for its pools are sent back to choose again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dbrouter.cluster.node import Node
from dbrouter.cluster.topology import NodeState, Shun, Topology
from dbrouter.config.schema import ProbeSettings
from dbrouter.drivers.base import ConnectOptions
from dbrouter.errors import ConnectError
from dbrouter.events import ConnectionFailed, EventHub, LoopBlocked, NodeRestored, NodeShunned, TopologyChanged
from dbrouter.monitor.looplag import LoopWatch
from dbrouter.monitor.probe import Missed, Prober, Record, Seen
from dbrouter.tasks import OwnedTasks
from dbrouter.terms import Role, ShunReason


@dataclass(slots=True)
class _Watched:
    """Everything the monitor keeps of one node."""

    node: Node
    prober: Prober
    settings: ProbeSettings
    first_timeout: float
    record: Record
    wake: asyncio.Event
    error: BaseException | None = None
    """What the last failed look raised."""
    refused: str | None = None
    """Why the probe cannot connect anew with another password, as far as it was told."""
    misplaced_since: float | None = None
    """Since when a replica stands where writes go (loop time), as far as it was told."""
    task: asyncio.Task[None] | None = None


class Monitor:
    """
    The only writer of the topology.

    Args:
        watched: per node its prober, its settings, and the seconds its first look may take (connecting included).
        tasks: where the probe loops live; they end when it is closed.
        on_published: told after each publication, with the new topology.
    """

    def __init__(
        self,
        watched: Sequence[tuple[Node, Prober, ProbeSettings, float]],
        *,
        tasks: OwnedTasks,
        events: EventHub,
        on_published: Callable[[Topology], None] | None = None,
    ) -> None:
        self._tasks = tasks
        self._events = events
        self._on_published = on_published
        self._watched = [
            _Watched(node, prober, settings, first_timeout, Record(settings), asyncio.Event())
            for node, prober, settings, first_timeout in watched
        ]
        self._by_node = {entry.node: entry for entry in self._watched}
        self._watch = LoopWatch(self._stalled)
        self._looked = asyncio.Event()
        self.topology = Topology()

    def start(self) -> None:
        """Start one probe loop per node."""
        self._watch.start()
        for entry in self._watched:
            self._begin(entry)

    def add(
        self, node: Node, prober: Prober, settings: ProbeSettings, first_timeout: float, seen: Seen | Missed | None = None
    ) -> None:
        """
        Watch one more node from now on.

        Args:
            seen: what a look that was made already has shown.
        """
        entry = _Watched(node, prober, settings, first_timeout, Record(settings), asyncio.Event())
        self._watched.append(entry)
        self._by_node[node] = entry
        if seen is not None:
            self._note(entry, seen, asyncio.get_running_loop().time())
        self._begin(entry)

    def forget(self, node: Node) -> None:
        """Watch *node* no more; its probe connection is closed."""
        entry = self._by_node.pop(node)
        self._watched.remove(entry)
        node.on_suspicion = None
        if entry.task is not None:
            entry.task.cancel()
        entry.prober.close()
        states = {key: state for key, state in self.topology.nodes.items() if key != node.key}
        self.topology = Topology(generation=self.topology.generation + 1, nodes=states)
        self._looked.set()

    def reconfigure(self, node: Node, settings: ProbeSettings, options: ConnectOptions) -> None:
        """Watch *node* by other settings from its next look on."""
        entry = self._by_node[node]
        entry.prober.reconfigure(options)
        if settings != entry.settings:
            entry.settings = settings
            entry.record.reconfigure(settings)
            entry.wake.set()

    def _begin(self, entry: _Watched) -> None:
        entry.node.on_suspicion = self._suspected
        entry.task = self._tasks.start(self._keep_looking(entry), name=f"probe {entry.node.id}")

    def stop(self) -> None:
        """Stop the loop watch and close every probe connection; the loops themselves end with their `OwnedTasks`."""
        self._watch.stop()
        for entry in self._watched:
            entry.prober.close()

    async def wait_until(self, satisfied: Callable[[], bool], timeout: float) -> bool:
        """
        Wait until *satisfied*, or every node has been looked at, or *timeout* seconds passed; whether it is satisfied.

        Every first look is bounded by its own time limit, so this ends even when no server answers.
        """
        try:
            async with asyncio.timeout(timeout):
                while not satisfied():
                    if all(entry.node.state.probed_at is not None for entry in self._watched):
                        return False
                    self._looked.clear()
                    await self._looked.wait()
        except TimeoutError:
            return satisfied()
        return True

    def failure_of(self, node: Node) -> BaseException | None:
        """What the last failed look at *node* raised."""
        return self._by_node[node].error

    def connect_error(self, nodes: Sequence[Node], wanted: str) -> ConnectError:
        """The error for `Router.open` when *wanted* is not met: every node with its reason, the first reason as cause."""
        reasons = []
        cause: BaseException | None = None
        for node in nodes:
            entry = self._by_node[node]
            shun = node.state.shun
            if shun is not None:
                reasons.append(f"{node.id}: {shun.detail}")
                cause = cause or entry.error
            elif node.state.probed_at is None:
                reasons.append(f"{node.id}: no answer yet")
            else:
                reasons.append(f"{node.id}: reachable, {node.state.role}")
        error = ConnectError(f"{wanted}: " + "; ".join(reasons), endpoint=", ".join(node.id for node in nodes))
        error.__cause__ = cause
        return error

    async def _keep_looking(self, entry: _Watched) -> None:
        loop = asyncio.get_running_loop()
        timeout = entry.first_timeout
        try:
            while True:
                interval = entry.settings.interval
                started = loop.time()
                entry.wake.clear()
                seen = await entry.prober.look(timeout)
                now = loop.time()
                if isinstance(seen, Missed) and self._watch.stalled(started, now) > 0.2 * timeout:
                    continue  # The loop was stalled: the silence may have been ours.
                timeout = entry.settings.timeout
                self._note(entry, seen, now)
                pause = started + interval - loop.time()
                if pause > 0:
                    await self._pause(entry, pause, interval / 5)
        finally:
            entry.prober.close()

    async def _pause(self, entry: _Watched, pause: float, least: float) -> None:
        await asyncio.sleep(min(pause, least))
        if pause > least:
            try:
                async with asyncio.timeout(pause - least):
                    await entry.wake.wait()
            except TimeoutError:
                pass

    def _note(self, entry: _Watched, seen: Seen | Missed, now: float) -> None:
        node, old = entry.node, entry.node.state
        if isinstance(seen, Seen):
            usable = entry.record.saw()
            entry.error = None
            reply = seen.reply
            state = NodeState(
                role=reply.role,
                shun=None if usable else old.shun,
                probed_at=now,
                server_version=reply.server_version,
                identity=reply.identity,
                lag=reply.lag,
            )
        else:
            usable = entry.record.missed()
            entry.error = seen.error
            shun = old.shun
            if not usable and shun is None:
                shun = Shun(reason=seen.reason, since=now, detail=seen.detail)
            state = replace(old, shun=shun, probed_at=now)
        self._publish(node, old, state, now)
        if isinstance(seen, Seen):
            self._tell_refusal(entry, seen.refused)
            node.breaker.probe_succeeded(now)
        else:
            node.breaker.probe_failed(now, seen.detail)

    def _tell_refusal(self, entry: _Watched, error: Exception | None) -> None:
        """Once for each refusal in other words, and not for each look."""
        refused = None if error is None else f"{type(error).__name__}: {error}"
        if error is not None and refused != entry.refused and self._events.listening:
            self._events.emit(
                ConnectionFailed(
                    hostgroup="probe",
                    node=entry.node.id,
                    code=entry.prober.code(error),
                    cause=f"{type(error).__name__}: {error}",
                    failures=1,
                    retry_in=entry.settings.interval,
                )
            )
        entry.refused = refused

    def _publish(self, node: Node, old: NodeState, state: NodeState, now: float) -> None:
        changed = old.role is not state.role or old.shun is not state.shun or old.probed_at is None
        if not changed:
            node.state = state
            self.topology = Topology(generation=self.topology.generation, nodes={**self.topology.nodes, node.key: state})
            self._looked.set()
            if self._events.listening:
                self._tell_place(self._by_node[node], state, now)
            return
        self.topology = self.topology.with_node(node.key, state)
        node.publish(state)
        if state.shun is not None and old.shun is None:
            for member in node.members:
                member.shunned(state.shun)
        if self._on_published is not None:
            self._on_published(self.topology)
        self._looked.set()
        self._tell(node, old, state, now)

    def _tell(self, node: Node, old: NodeState, state: NodeState, now: float) -> None:
        events = self._events
        if not events.listening:
            return
        if state.shun is not None and old.shun is None:
            events.emit(NodeShunned(node=node.id, reason=state.shun.reason, detail=state.shun.detail))
        elif state.shun is None and old.shun is not None:
            events.emit(NodeRestored(node=node.id, seconds=now - old.shun.since))
        self._tell_place(self._by_node[node], state, now)
        nodes = [entry.node for entry in self._watched]
        events.emit(
            TopologyChanged(
                generation=self.topology.generation,
                usable=tuple(other.id for other in nodes if other.serves),
                unusable=tuple(other.id for other in nodes if not other.serves),
            )
        )

    def _tell_place(self, entry: _Watched, state: NodeState, now: float) -> None:
        """A replica where writes go, once; a reload may put it there, and take it away, without a new role."""
        node = entry.node
        if not node.takes_writes or state.role is Role.PRIMARY:
            if entry.misplaced_since is not None:
                self._events.emit(NodeRestored(node=node.id, seconds=now - entry.misplaced_since))
                entry.misplaced_since = None
        elif state.role is Role.REPLICA and entry.misplaced_since is None:
            entry.misplaced_since = now
            detail = "it is a replica and stands in a writer hostgroup: it gets no writes"
            self._events.emit(NodeShunned(node=node.id, reason=ShunReason.WRONG_ROLE, detail=detail))

    def _suspected(self, node: Node) -> None:
        entry = self._by_node.get(node)
        if entry is not None:
            entry.wake.set()

    def _stalled(self, seconds: float) -> None:
        if self._events.listening:
            self._events.emit(LoopBlocked(seconds=seconds))
