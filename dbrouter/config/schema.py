"""
What a configuration is: frozen pydantic models that refuse unknown keys. Durations are float seconds here; `load.py` reads ``250ms``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> object:
    """``250ms``, ``5s``, ``10m``, ``2h`` or a number of seconds, as float seconds; anything else is left for pydantic to refuse."""
    if isinstance(value, str):
        text = value.strip()
        for unit in ("us", "ms", "s", "m", "h", "d"):
            if text.endswith(unit):
                try:
                    return float(text[: -len(unit)]) * _UNITS[unit]
                except ValueError:
                    continue
    return value


Duration = Annotated[float, BeforeValidator(parse_duration), Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen, and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PoolSettings(Settings):
    min_size: int = Field(1, ge=0)
    max_size: int = Field(10, ge=1)
    acquire_timeout: Duration = 5.0
    max_waiting: int = Field(1000, ge=0)
    max_lifetime: Duration | None = 1800.0
    idle_timeout: Duration | None = 300.0
    max_uses: int | None = None
    leak_after: Duration | None = 60.0
    init: tuple[str, ...] = ()


class ProbeSettings(Settings):
    interval: Duration = 0.5
    timeout: Duration = 0.5
    fall: int = Field(2, ge=1)
    rise: int = Field(2, ge=1)


class BreakerSettings(Settings):
    consecutive_failures: int = Field(5, ge=1)
    failure_rate: float | None = Field(0.5, gt=0, le=1)
    slow_call: Duration | None = None
    slow_rate: float = Field(0.5, gt=0, le=1)
    minimum_calls: int = Field(20, ge=1)
    window: Duration = 10.0
    open_for: Duration = 0.5
    open_for_max: Duration = 30.0
    half_open_permits: int = Field(1, ge=1)
    successes_to_close: int = Field(2, ge=1)


class RetrySettings(Settings):
    attempts: int = Field(3, ge=1)
    backoff: Duration = 0.05
    backoff_max: Duration = 2.0
    budget: float = Field(0.2, ge=0)
    budget_min: float = Field(10.0, ge=0)


class TimeoutSettings(Settings):
    call: Duration | None = 30.0
    connect: Duration = 5.0
