"""
The tunable groups of the configuration – pool, probe, breaker, retry, timeouts – as frozen pydantic models that refuse unknown
keys.

Every field says what it means, its unit, what it interacts with, and what a reload does; the reference page is generated from
these texts.
Durations are float seconds here; `bounds` reads their text forms (``250ms``) and holds every number to its limits.
A group may be written partly at the top, in a hostgroup and in a server: `Settings.overlay` merges them, the nearest wins,
and `conflicts` judges the merged result (a partial override alone cannot be judged).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from dbrouter.config.bounds import DAY, HOUR, MILLISECOND, YEAR, Bounds, Lasting, Share, Whole


class Settings(BaseModel):
    """Frozen, and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def overlay(self, *nearer: Self | None) -> Self:
        """These settings with the keys that *nearer* ones were given explicitly, the last of them winning; None is skipped."""
        changes = {name: getattr(layer, name) for layer in nearer if layer is not None for name in layer.model_fields_set}
        return self.model_copy(update=changes) if changes else self

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """(field, the other field, message) for every pair of fields that contradict each other; for merged settings."""
        return iter(())


class PoolSettings(Settings):
    """The pool of connections of one server in one hostgroup, in this process."""

    min_size: Annotated[int, Whole(0, 65_535, "connections")] = Field(
        default=1,
        description="Connections kept open even when idle, opened in the background from the start. At most "
        "`max_size`; counted per server, "
        "hostgroup and process. On reload the difference is opened in the background.",
    )
    max_size: Annotated[int, Whole(1, 65_535, "connections")] = Field(
        default=10,
        description="Connections open at most (in use, idle and connecting together), per server, hostgroup and "
        "process: multiply by "
        "processes and compare with the server's `max_connections` (`dbrouter check --connect --processes N` does). "
        "On reload a smaller value is reached as connections come back.",
    )
    acquire_timeout: Annotated[float, Lasting(0, DAY)] = Field(
        default=5.0,
        description="Seconds a call waits in line for a connection before `PoolTimeoutError`; the call's own deadline "
        "(`timeouts.call`) cuts it shorter. A hostgroup's is also how long `when_empty: wait` waits out an outage. "
        "On reload: for calls that begin afterwards.",
    )
    max_waiting: Annotated[int, Whole(0, 1_000_000, "callers")] = Field(
        default=1000,
        description="Callers in line at most; one more gets `PoolFullError` at once. 0 lets nobody wait. On reload: "
        "for calls that begin afterwards.",
    )
    max_lifetime: Annotated[float, Lasting(10 * MILLISECOND, YEAR)] | None = Field(
        default=1800.0,
        description="Seconds after which a connection is replaced when it is next idle (jittered by up to 10 % so that "
        "they do not all end "
        "together). `null` for no limit. Keep it below what firewalls and the server allow. On reload: for connections "
        "opened afterwards.",
    )
    idle_timeout: Annotated[float, Lasting(10 * MILLISECOND, YEAR)] | None = Field(
        default=300.0,
        description="Seconds after which an idle connection beyond `min_size` is closed. `null` keeps them. On reload: at once.",
    )
    max_uses: Annotated[int, Whole(1, 1_000_000_000, "leases")] | None = Field(
        default=None, description="Leases after which a connection is replaced; `null` for no limit. On reload: at once."
    )
    leak_after: Annotated[float, Lasting(10 * MILLISECOND, YEAR)] | None = Field(
        default=60.0,
        description="Seconds after which a lease still out is reported once with the stack that acquired it. It is not "
        "taken away. "
        "`null` reports nothing (and saves the stack). On reload: at once.",
    )
    init: tuple[str, ...] = Field(
        default=(),
        description="Statements run once on every new connection, in order; one that fails closes the connection. What "
        "is set here survives, because "
        "pooled connections are closed rather than reset after session statements. On reload: for connections opened afterwards.",
    )

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """`min_size` may not exceed `max_size`."""
        if self.min_size > self.max_size:
            yield "min_size", "max_size", f"min_size {self.min_size} is above max_size {self.max_size}"


class ProbeSettings(Settings):
    """The liveness probe of a node, on a connection of its own. On reload the next probe uses the new values."""

    interval: Annotated[float, Lasting(10 * MILLISECOND, 7 * DAY)] = Field(
        default=0.5,
        description="Seconds from the start of one probe to the start of the next. A frozen node is shunned at most "
        "`interval` + `fall` × `timeout` after it froze.",
    )
    timeout: Annotated[float, Lasting(MILLISECOND, HOUR)] = Field(
        default=0.5, description="Seconds a probe may take, connecting included, before it counts as failed."
    )
    fall: Annotated[int, Whole(1, 1000, "probes")] = Field(default=2, description="Failed probes in a row that shun a node.")
    rise: Annotated[int, Whole(1, 1000, "probes")] = Field(
        default=2, description="Good probes in a row that bring a shunned node back."
    )


class BreakerSettings(Settings):
    """
    The circuit breaker of a node. It opens by `consecutive_failures`, `failure_rate` or `slow_rate`, whichever comes first.

    On reload a breaker keeps its state and takes the new values from the next outcome on.
    """

    consecutive_failures: Annotated[int, Whole(1, 1_000_000, "failures")] = Field(
        default=5,
        description="Failures in a row, blamed on the node, that open the breaker. On reload: from the next failure on.",
    )
    failure_rate: Annotated[float, Share(0, 1)] | None = Field(
        default=0.5,
        description="Share (0–1] of failed calls within `window` that opens the breaker, once there were "
        "`minimum_calls`. `null` switches it off.",
    )
    slow_call: Annotated[float, Lasting(MILLISECOND, DAY)] | None = Field(
        default=None, description="Seconds from which a call counts as slow; `null` counts none. Interacts with `slow_rate`."
    )
    slow_rate: Annotated[float, Share(0, 1)] = Field(
        default=0.5,
        description="Share (0–1] of slow calls within `window` that opens the breaker; needs `slow_call`.",
    )
    minimum_calls: Annotated[int, Whole(1, 1_000_000, "calls")] = Field(
        default=20, description="Calls within `window` before `failure_rate` and `slow_rate` are looked at."
    )
    window: Annotated[float, Lasting(10 * MILLISECOND, DAY)] = Field(
        default=10.0, description="Seconds that the rates look back. On reload the window starts empty."
    )
    open_for: Annotated[float, Lasting(MILLISECOND, 7 * DAY)] = Field(
        default=0.5,
        description="Seconds an opened breaker stays open the first time; doubles (with jitter) at each failed "
        "half-open try up to `open_for_max`. Then the next good probe makes it half-open; calls never do.",
    )
    open_for_max: Annotated[float, Lasting(MILLISECOND, 7 * DAY)] = Field(
        default=30.0, description="Seconds it stays open at most. At least `open_for`."
    )
    half_open_permits: Annotated[int, Whole(1, 1000, "calls")] = Field(
        default=1,
        description="Calls that may be on trial at the same time while half-open; they go there before they go to healthy "
        "nodes. Probes are tries too, and need no permit.",
    )
    successes_to_close: Annotated[int, Whole(1, 1000, "tries")] = Field(
        default=2,
        description="Good tries while half-open, probes and calls together, that close the breaker; a bad one opens it.",
    )

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """`open_for` may not exceed `open_for_max`."""
        if self.open_for > self.open_for_max:
            yield "open_for", "open_for_max", f"open_for {self.open_for:g}s is above open_for_max {self.open_for_max:g}s"


class RetrySettings(Settings):
    """
    How calls are tried again. Only what cannot have been applied is sent again, whatever is written here.

    On reload: for calls that begin afterwards.
    """

    attempts: Annotated[int, Whole(1, 1000, "attempts")] = Field(
        default=3,
        description="Attempts of one call at most, the first included; 1 means no retry. A rule's `retries` is one less.",
    )
    backoff: Annotated[float, Lasting(0, DAY)] = Field(
        default=0.05,
        description="Base in seconds of the delay before a retry: uniform in [0, min(`backoff_max`, `backoff` · "
        "2^(n-1))] (full jitter).",
    )
    backoff_max: Annotated[float, Lasting(0, DAY)] = Field(
        default=2.0, description="Seconds between two attempts at most. At least `backoff`."
    )
    budget: Annotated[float, Bounds(0, 4, "retries per call")] = Field(
        default=0.2,
        description="Retries per call of the hostgroup, over the last seconds: 0.2 allows retries for a fifth of its "
        "calls, 2 two for each; it is no percentage. What was never sent, "
        "and a write that a replica refused, cost no budget.",
    )
    budget_min: Annotated[float, Bounds(0, 1_000_000, "retries a second")] = Field(
        default=10.0, description="Retries a second allowed in any case, so that a quiet service may retry too."
    )

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """`backoff` may not exceed `backoff_max`."""
        if self.backoff > self.backoff_max:
            yield "backoff", "backoff_max", f"backoff {self.backoff:g}s is above backoff_max {self.backoff_max:g}s"


class TimeoutSettings(Settings):
    """How long things may take. On reload: for calls and connects that begin afterwards."""

    call: Annotated[float, Lasting(MILLISECOND, 30 * DAY)] | None = Field(
        default=30.0,
        description="Seconds for a whole call: waiting, retries, execution. `timeout=` of a call and `timeout` of a "
        "rule take its place. `null` for no limit. "
        "Belongs to the top or a hostgroup: a call may visit several servers, so a server's value is not used.",
    )
    connect: Annotated[float, Lasting(MILLISECOND, DAY)] = Field(
        default=5.0,
        description="Seconds for one connect: TCP, TLS, authentication, `pool.init` and `on_connect`. The call waiting "
        "for it ends by its own deadline.",
    )
