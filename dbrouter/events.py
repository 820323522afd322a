"""
What happened, as frozen objects: the event catalogue, the Observer protocol, and the hub that hands events out.

Library code emits events and nothing else; logs, metrics and spans are observers (`integrations/`).
Names are ``noun.past_participle``. No event holds a parameter, a literal of a statement, or a password.
Durations are seconds. Nothing is built while nobody listens: emitters ask `EventHub.listening` first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from dbrouter.terms import BreakerState, EventLevel, Intent, ShunReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The root of the catalogue."""

    name: ClassVar[str] = "event"
    level: ClassVar[EventLevel] = EventLevel.DEBUG


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFinished(Event):
    """A call ended, well or not: the whole story in one event."""

    name: ClassVar[str] = "query.finished"
    database: str
    hostgroup: str
    node: str | None
    intent: Intent
    kind: str
    digest: int
    rule_id: int | None
    tag: str | None
    attempts: int
    waited: float
    """Seconds until a connection was in hand (the last attempt's)."""
    took: float
    """Seconds of the whole call."""
    outcome: str
    """``ok``, or the class name of what was raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLogged(Event):
    """A call ended whose rule says `log`."""

    name: ClassVar[str] = "query.logged"
    level: ClassVar[EventLevel] = EventLevel.INFO
    database: str
    hostgroup: str
    node: str | None
    """Where it ran; ``cache`` or ``rule`` where that answered; None where it failed."""
    digest: int
    digest_text: str
    rules: tuple[int, ...]
    """Every rule that matched, in order."""
    took: float
    """Seconds of the whole call but its delay."""
    outcome: str
    """``ok``, or the class name of what was raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    """An attempt failed and another one follows."""

    name: ClassVar[str] = "retry.scheduled"
    hostgroup: str
    node: str
    attempt: int
    """The attempt that failed, from 1."""
    delay: float
    code: str
    cause: str
    """Class name of what was raised."""
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRerouted(Event):
    """A replica refused a statement as read-only; it went to the primary and its digest counts as a write from now on."""

    name: ClassVar[str] = "statement.rerouted"
    level: ClassVar[EventLevel] = EventLevel.INFO
    database: str
    node: str
    digest: int
    digest_text: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVetoed(Event):
    """A rule or a caller would have sent a write to a reader hostgroup; the classifier said no."""

    name: ClassVar[str] = "rule.vetoed"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    database: str
    rule_id: int | None
    hostgroup: str
    digest: int
    digest_text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShunned(Event):
    """A probe took a node out of use."""

    name: ClassVar[str] = "node.shunned"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    node: str
    reason: ShunReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRestored(Event):
    """A node is in use again."""

    name: ClassVar[str] = "node.restored"
    level: ClassVar[EventLevel] = EventLevel.INFO
    node: str
    seconds: float
    """How long it was out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyChanged(Event):
    """A new topology was published: which nodes are usable, and in which role."""

    name: ClassVar[str] = "topology.changed"
    level: ClassVar[EventLevel] = EventLevel.INFO
    generation: int
    usable: tuple[str, ...]
    unusable: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged(Event):
    """A breaker moved between states."""

    name: ClassVar[str] = "breaker.changed"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    node: str
    old: BreakerState
    new: BreakerState
    why: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOpened(Event):
    """A pool has one more connection."""

    name: ClassVar[str] = "connection.opened"
    hostgroup: str
    node: str
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed(Event):
    """
    A pool has one connection less.

    *why* is lifetime, idle, uses, broken, refused, session_state, expired, settling, shunned or draining.
    """

    name: ClassVar[str] = "connection.closed"
    hostgroup: str
    node: str
    why: str
    age: float
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFailed(Event):
    """A connection could not be made."""

    name: ClassVar[str] = "connection.failed"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    hostgroup: str
    """``probe`` where it was for the probe, whose old connection goes on."""
    node: str
    code: str
    cause: str
    failures: int
    """How many in a row."""
    retry_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquireWaited(Event):
    """A caller stood in line for a connection."""

    name: ClassVar[str] = "acquire.waited"
    hostgroup: str
    node: str
    waited: float
    served: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseLeaked(Event):
    """A connection has been held longer than ``leak_after``; *stack* is where it was acquired."""

    name: ClassVar[str] = "lease.leaked"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    hostgroup: str
    node: str
    held: float
    task: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementKilled(Event):
    """An abandoned statement was ended on its server, or could not be (*ok* False, *detail* says why)."""

    name: ClassVar[str] = "statement.killed"
    level: ClassVar[EventLevel] = EventLevel.INFO
    node: str
    server_id: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBlocked(Event):
    """The event loop did not run for a while: probes of that time prove nothing."""

    name: ClassVar[str] = "loop.blocked"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Event):
    """A background task of the router ended with an exception it should have handled: a bug, please report it."""

    name: ClassVar[str] = "task.failed"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    task: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterOpened(Event):
    """`Router.open` returned."""

    name: ClassVar[str] = "router.opened"
    level: ClassVar[EventLevel] = EventLevel.INFO
    databases: tuple[str, ...]
    nodes: int
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterClosed(Event):
    """`aclose` returned; *abandoned* leases did not finish in time and were cut."""

    name: ClassVar[str] = "router.closed"
    level: ClassVar[EventLevel] = EventLevel.INFO
    took: float
    abandoned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigReloaded(Event):
    """Another configuration is in force; queries that were under way finish as they began."""

    name: ClassVar[str] = "config.reloaded"
    level: ClassVar[EventLevel] = EventLevel.INFO
    generation: int
    trigger: str
    """``call``, ``sighup`` or ``watch``."""
    changes: tuple[str, ...]
    """What differs, in words; at most twenty lines."""
    drained: tuple[str, ...]
    """Members (``hostgroup/host:port``) that take no more work and are closed when what is in use has come back."""
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRejected(Event):
    """A configuration was not taken over; the one in force stays as it is."""

    name: ClassVar[str] = "config.rejected"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    generation: int
    """Of the configuration that stays."""
    trigger: str
    problems: tuple[str, ...]
    """What is wrong, each with file, line and path; at most twenty."""
    count: int
    """How many problems there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogUnreadable(Event):
    """`functions: introspect` could not read what functions do; tried again every few seconds, told of once until it works."""

    name: ClassVar[str] = "catalog.unreadable"
    level: ClassVar[EventLevel] = EventLevel.WARNING
    database: str
    cause: str
    known: bool
    """Whether an earlier reading holds; without one, every statement that calls an unknown function goes to the primary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowDiffered(Event):
    """The shadow rules would send a digest elsewhere; once per digest and pair of destinations."""

    name: ClassVar[str] = "shadow.differed"
    level: ClassVar[EventLevel] = EventLevel.INFO
    database: str
    digest: int
    digest_text: str
    live: str
    """Name of a hostgroup, or ``refused``."""
    candidate: str
    live_rule_id: int | None
    candidate_rule_id: int | None


class Observer(Protocol):
    """
    Anything that wants to hear: called synchronously, in order, after the change it tells of is complete.

    An observer may have an attribute ``level`` (`EventLevel`): it then hears events of that level and louder only.
    Without it, it hears everything, one `QueryFinished` per call included.
    """

    def observe(self, event: Event) -> None:
        """Take note of *event*; must not block. What it raises is swallowed and counted (`EventHub.failures`)."""
        ...


_LOUDNESS = {EventLevel.DEBUG: 0, EventLevel.INFO: 1, EventLevel.WARNING: 2}


class EventHub:
    """
    Hands each event to every observer that wants it. One per router.

    Attributes:
        listening: whether anybody hears INFO and WARNING events; emitters ask before they build one.
        listening_debug: whether anybody hears DEBUG events, the one per query included.
        failures: how often an observer raised.
    """

    __slots__ = ("_observers", "failures", "listening", "listening_debug")

    def __init__(self, observers: tuple[Observer, ...] = ()) -> None:
        self.failures = 0
        self._observers: tuple[tuple[int, Observer], ...] = ()
        self._set(tuple((_loudness(observer), observer) for observer in observers))

    def add(self, observer: Observer) -> None:
        """Hand events to *observer* too, from now on."""
        self._set((*self._observers, (_loudness(observer), observer)))

    def remove(self, observer: Observer) -> None:
        """Stop handing events to *observer*."""
        self._set(tuple(pair for pair in self._observers if pair[1] is not observer))

    def _set(self, observers: tuple[tuple[int, Observer], ...]) -> None:
        self._observers = observers
        self.listening = bool(observers)
        self.listening_debug = any(floor == 0 for floor, _ in observers)

    def emit(self, event: Event) -> None:
        """Hand *event* out; an observer that raises harms neither the others nor the caller."""
        loudness = _LOUDNESS[event.level]
        for floor, observer in self._observers:
            if loudness < floor:
                continue
            try:
                observer.observe(event)
            except Exception:
                self.failures += 1


def _loudness(observer: Observer) -> int:
    return _LOUDNESS[EventLevel(getattr(observer, "level", EventLevel.DEBUG))]


_DEFAULT_OBSERVERS: list[Callable[[], Observer | None]] = []


def register_default_observer(factory: Callable[[], Observer | None]) -> None:
    """Let every router that is opened from now on start with the observer that *factory* makes (None: no observer)."""
    _DEFAULT_OBSERVERS.append(factory)


def default_observers() -> tuple[Observer, ...]:
    """One observer of each registered factory that wants to listen."""
    return tuple(observer for factory in _DEFAULT_OBSERVERS if (observer := factory()) is not None)
