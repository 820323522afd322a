"""
The tunable groups of the configuration – pool, probe, breaker, retry, timeouts – as frozen pydantic models that refuse unknown
keys.

Every field says what it means, its unit, what it interacts with, and what a reload does; the reference page is generated from
these texts.
Durations are float seconds here; the text forms (``250ms``) are read by `parse_duration`.
A group may be written partly at the top, in a hostgroup and in a server: `Settings.overlay` merges them, the nearest wins,
and `conflicts` judges the merged result (a partial override alone cannot be judged).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(us|ms|s|m|h|d)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
DURATION_FORMS = "250ms, 5s, 10m, 2h, 1d, or a number of seconds"
_TEN_YEARS = 315_360_000.0


def parse_duration(value: object) -> object:
    """
    ``250ms``, ``5s``, ``10m``, ``2h``, ``1d`` or a number of seconds, as float seconds; other types are left for pydantic to
    refuse.

    Raises:
        ValueError: *value* is text of another form, or a boolean.
    """
    if isinstance(value, bool):
        raise ValueError(f"is not a duration ({DURATION_FORMS})")
    if isinstance(value, str):
        text = value.strip()
        if found := _DURATION.fullmatch(text):
            return float(found[1]) * _UNITS[found[2]]
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"is not a duration ({DURATION_FORMS})")
        return float(text)
    return value


def _whole_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is not a whole number")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is not a number")
    return value


_DURATION_TEXT = {"type": "string", "pattern": r"^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*(us|ms|s|m|h|d)?\s*$|\$\{"}
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=0, le=_TEN_YEARS, allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": _TEN_YEARS}, _DURATION_TEXT]}),
]
PositiveDuration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(gt=0, le=_TEN_YEARS, allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": _TEN_YEARS}, _DURATION_TEXT]}),
]
Count = Annotated[int, BeforeValidator(_whole_number)]
Share = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]


def show_duration(seconds: float) -> str:
    """*seconds* in the largest unit that says it in a whole number: ``30m``, ``250ms``."""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count = seconds / _UNITS[unit]
        if count >= 1 and abs(count - round(count)) < 1e-9 * count:
            return f"{round(count)}{unit}"
    return f"{seconds:g}s"


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

    min_size: Count = Field(
        default=1,
        ge=0,
        description="Connections kept open even when idle, opened in the background from the start. At most "
        "`max_size`; counted per server, "
        "hostgroup and process. On reload the difference is opened in the background.",
    )
    max_size: Count = Field(
        default=10,
        ge=1,
        description="Connections open at most (in use, idle and connecting together), per server, hostgroup and "
        "process: multiply by "
        "processes and compare with the server's `max_connections` (`dbrouter check --connect --processes N` does). "
        "On reload a smaller value is reached as connections come back.",
    )
    acquire_timeout: Duration = Field(
        default=5.0,
        description="Seconds a call waits in line for a connection before `PoolTimeoutError`; the call's own deadline "
        "(`timeouts.call`) cuts it shorter. A hostgroup's is also how long `when_empty: wait` waits out an outage. "
        "On reload: for calls that begin afterwards.",
    )
    max_waiting: Count = Field(
        default=1000,
        ge=0,
        description="Callers in line at most; one more gets `PoolFullError` at once. 0 lets nobody wait. On reload: "
        "for calls that begin afterwards.",
    )
    max_lifetime: PositiveDuration | None = Field(
        default=1800.0,
        description="Seconds after which a connection is replaced when it is next idle (jittered by up to 10 % so that "
        "they do not all end "
        "together). `null` for no limit. Keep it below what firewalls and the server allow. On reload: for connections "
        "opened afterwards.",
    )
    idle_timeout: PositiveDuration | None = Field(
        default=300.0,
        description="Seconds after which an idle connection beyond `min_size` is closed. `null` keeps them. On reload: at once.",
    )
    max_uses: Annotated[Count, Field(ge=1)] | None = Field(
        default=None, description="Leases after which a connection is replaced; `null` for no limit. On reload: at once."
    )
    leak_after: PositiveDuration | None = Field(
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

    interval: PositiveDuration = Field(
        default=0.5,
        description="Seconds from the start of one probe to the start of the next. A frozen node is shunned at most "
        "`interval` + `fall` × `timeout` after it froze.",
    )
    timeout: PositiveDuration = Field(
        default=0.5, description="Seconds a probe may take, connecting included, before it counts as failed."
    )
    fall: Count = Field(default=2, ge=1, description="Failed probes in a row that shun a node.")
    rise: Count = Field(default=2, ge=1, description="Good probes in a row that bring a shunned node back.")


class BreakerSettings(Settings):
    """
    The circuit breaker of a node. It opens by `consecutive_failures`, `failure_rate` or `slow_rate`, whichever comes first.

    On reload a breaker keeps its state and takes the new values from the next outcome on.
    """

    consecutive_failures: Count = Field(
        default=5,
        ge=1,
        description="Failures in a row, blamed on the node, that open the breaker. On reload: from the next failure on.",
    )
    failure_rate: Annotated[Share, Field(gt=0, le=1)] | None = Field(
        default=0.5,
        description="Share (0–1] of failed calls within `window` that opens the breaker, once there were "
        "`minimum_calls`. `null` switches it off.",
    )
    slow_call: PositiveDuration | None = Field(
        default=None, description="Seconds from which a call counts as slow; `null` counts none. Interacts with `slow_rate`."
    )
    slow_rate: Share = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share (0–1] of slow calls within `window` that opens the breaker; needs `slow_call`.",
    )
    minimum_calls: Count = Field(
        default=20, ge=1, description="Calls within `window` before `failure_rate` and `slow_rate` are looked at."
    )
    window: PositiveDuration = Field(
        default=10.0, description="Seconds that the rates look back. On reload the window starts empty."
    )
    open_for: PositiveDuration = Field(
        default=0.5,
        description="Seconds an opened breaker stays open the first time; doubles (with jitter) at each failed "
        "half-open try up to `open_for_max`. Then the next good probe makes it half-open; calls never do.",
    )
    open_for_max: PositiveDuration = Field(default=30.0, description="Seconds it stays open at most. At least `open_for`.")
    half_open_permits: Count = Field(
        default=1,
        ge=1,
        description="Calls that may be on trial at the same time while half-open; they go there before they go to healthy "
        "nodes. Probes are tries too, and need no permit.",
    )
    successes_to_close: Count = Field(
        default=2,
        ge=1,
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

    attempts: Count = Field(
        default=3,
        ge=1,
        le=1000,
        description="Attempts of one call at most, the first included; 1 means no retry. A rule's `retries` is one less.",
    )
    backoff: Duration = Field(
        default=0.05,
        description="Base in seconds of the delay before a retry: uniform in [0, min(`backoff_max`, `backoff` · "
        "2^(n-1))] (full jitter).",
    )
    backoff_max: Duration = Field(default=2.0, description="Seconds between two attempts at most. At least `backoff`.")
    budget: Share = Field(
        default=0.2,
        ge=0,
        description="Retries per call of the hostgroup, over the last seconds: 0.2 allows retries for a fifth of its "
        "calls. What was never sent, "
        "and a write that a replica refused, cost no budget.",
    )
    budget_min: Share = Field(
        default=10.0, ge=0, description="Retries a second allowed in any case, so that a quiet service may retry too."
    )

    def conflicts(self) -> Iterator[tuple[str, str, str]]:
        """`backoff` may not exceed `backoff_max`."""
        if self.backoff > self.backoff_max:
            yield "backoff", "backoff_max", f"backoff {self.backoff:g}s is above backoff_max {self.backoff_max:g}s"


class TimeoutSettings(Settings):
    """How long things may take. On reload: for calls and connects that begin afterwards."""

    call: PositiveDuration | None = Field(
        default=30.0,
        description="Seconds for a whole call: waiting, retries, execution. `timeout=` of a call and `timeout` of a "
        "rule take its place. `null` for no limit. "
        "Belongs to the top or a hostgroup: a call may visit several servers, so a server's value is not used.",
    )
    connect: PositiveDuration = Field(
        default=5.0,
        description="Seconds for one connect: TCP, TLS, authentication, `pool.init` and `on_connect`. The call waiting "
        "for it ends by its own deadline.",
    )
