"""
The numbers and lengths of time of the configuration, each with its lowest and highest value and its unit.

They are written as annotations: ``Annotated[int, Whole(1, 65_535, "connections")]``, ``Annotated[float, Lasting(0.01, DAY)]``.
The bounds are wide: they refuse what nobody can have meant (a probe each microsecond, a pool of 10^12, a percentage for
a share), not what is merely unusual. Problems, the reference page and the JSON Schema say them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidatorFunctionWrapHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

MILLISECOND = 0.001
HOUR = 3600.0
DAY = 86400.0
YEAR = 365 * DAY
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(us|ms|s|m|h|d)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DURATION_TEXT = {"type": "string", "pattern": r"^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*(us|ms|s|m|h|d)?\s*$|\$\{"}
DURATION_FORMS = "250ms, 5s, 10m, 2h, 1d, or a number of seconds"


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


def show_duration(seconds: float) -> str:
    """*seconds* in the largest unit that says it in a whole number: ``30m``, ``250ms``."""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count = seconds / _UNITS[unit]
        if count >= 1 and abs(count - round(count)) < 1e-9 * count:
            return f"{round(count)}{unit}"
    return f"{seconds:g}s"


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    A value between *low* and *high*, both included.

    Attributes:
        unit: of the value, for people; empty where its name says it.
    """

    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.show(self.low)}–{self.show(self.high)}{unit}"

    def show(self, value: float) -> str:
        """*value* as messages and the reference show it."""
        return f"{value:g}"

    def judge(self, value: float) -> float:
        """
        *value*.

        Raises:
            ValueError: it is out of bounds.
        """
        if value < self.low:
            raise ValueError(f"is below {self.show(self.low)} ({self})")
        if value > self.high:
            raise ValueError(f"is above {self.show(self.high)} ({self})")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object, plain: ValidatorFunctionWrapHandler) -> float:
            held: float = plain(self._read(value))
            return self.judge(held)

        return core_schema.no_info_wrap_validator_function(validate, self._plain())

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def _plain(self) -> CoreSchema:
        return core_schema.float_schema(allow_inf_nan=False)

    def _read(self, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("is not a number")
        return value


@dataclass(frozen=True, slots=True)
class Whole(Bounds):
    """A whole number."""

    def show(self, value: float) -> str:
        """All digits."""
        return str(int(value))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def _plain(self) -> CoreSchema:
        return core_schema.int_schema()

    def _read(self, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("is not a whole number")
        return value


@dataclass(frozen=True, slots=True)
class Lasting(Bounds):
    """A length of time: float seconds, written as text with a unit or as a number of seconds."""

    def show(self, value: float) -> str:
        """With its unit."""
        return show_duration(value)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "number", "minimum": self.low, "maximum": self.high}, dict(_DURATION_TEXT)]}

    def _read(self, value: object) -> object:
        return parse_duration(value)


@dataclass(frozen=True, slots=True)
class Share(Bounds):
    """A share of something: above *low* (not included), up to *high*."""

    def __str__(self) -> str:
        return f"above {self.low:g}, up to {self.high:g}"

    def judge(self, value: float) -> float:
        """
        *value*.

        Raises:
            ValueError: it is out of bounds.
        """
        if value <= self.low:
            raise ValueError(f"is not above {self.low:g} ({self})")
        if value > self.high:
            raise ValueError(f"is above {self.high:g} ({self})")
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum": self.low, "maximum": self.high}


def bounds_of(field: FieldInfo) -> Bounds | None:
    """The bounds of a field's value, or None where it is no number."""
    return next(_bounds(field.annotation, field.metadata), None)


def _bounds(annotation: Any, metadata: Any) -> Iterator[Bounds]:
    yield from (part for part in metadata if isinstance(part, Bounds))
    for part in get_args(annotation):
        yield from _bounds(part, getattr(part, "__metadata__", ()))
