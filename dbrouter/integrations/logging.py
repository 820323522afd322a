"""
Logs: an observer that writes every event as one line, ``event key=value``.

``DBROUTER_LOG`` decides where the lines of every router go that is opened afterwards:

- unset: to the application. Through structlog where the application has configured it, else to the standard library's logger
  ``dbrouter``. INFO and WARNING only.
- ``console`` or ``json``: to standard error, by dbrouter itself, whatever the application has configured.
- ``off``: nowhere.

A suffix changes the level: ``json:debug`` (one line per query), ``console:warning``, ``app:debug`` (``app`` is what unset means).

Repeats are counted, not repeated: of events with the same name, node and code at most one line per `WINDOW` seconds is written,
and the next one carries ``repeated=n``, so that lines and counts together are all events. One that is told late, because nothing
came after it, carries ``ago``: the seconds since it happened. DEBUG events are all written.
No line holds a parameter, a literal or a password: events have none by construction, and texts that came from a driver are cut to
their first line and cleaned of anything like a DSN.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import fields
from time import monotonic
from typing import Any, TextIO

import structlog

from dbrouter.errors import ConfigError
from dbrouter.events import BreakerChanged, Event, RouterClosed, ShadowDiffered, TopologyChanged, register_default_observer
from dbrouter.terms import BreakerState, EventLevel

WINDOW = 5.0
"""Seconds in which a second event of the same name, node and code is counted instead of written."""

_KEYS = 512
"""Distinct (name, node, code) remembered at most; the oldest is forgotten first."""

_TEXT_LIMIT = 300
"""Characters of a text in a line; stacks are exempt."""

_STATES = {"node.shunned": "use", "node.restored": "use", "breaker.changed": "breaker", "topology.changed": "topology"}
"""Events that tell of one state: the last line about it must be the last thing that happened to it."""

_VARIABLE = "DBROUTER_LOG"
_LOUDNESS = {EventLevel.DEBUG: logging.DEBUG, EventLevel.INFO: logging.INFO, EventLevel.WARNING: logging.WARNING}
_USERINFO = re.compile(r"://[^/\s'\"]*@")
_PASSWORD = re.compile(r"(?i)\b(password|passwd|pwd|secret|token)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s,;&)]+)")
_BARE = re.compile(r"[^\s\"'=\\]+")

Write = Callable[[EventLevel, str, Mapping[str, Any]], None]
"""Takes (level, event name, fields)."""


class LogObserver:
    """
    Writes events as log lines.

    Args:
        write: where a line goes: `to_application`, `to_console` or `to_json`.
        level: events below it are not written; the hub does not even build them.
        clock: seconds, for counting repeats.

    Attributes:
        level: read by `EventHub` when the observer is added.
    """

    def __init__(self, write: Write, *, level: EventLevel = EventLevel.INFO, clock: Callable[[], float] = monotonic) -> None:
        self.level = level
        self._write = write
        self._clock = clock
        self._seen: dict[tuple[str, str, str], _Seen] = {}

    def __repr__(self) -> str:
        return f"<LogObserver level={self.level} counting={sum(1 for seen in self._seen.values() if seen.held)}>"

    def observe(self, event: Event) -> None:
        """Write *event*, or count it where its like was written less than `WINDOW` seconds ago."""
        level = level_of(event)
        if _LOUDNESS[level] < _LOUDNESS[self.level]:
            return
        if level is EventLevel.DEBUG:
            self._write(level, event.name, values_of(event))
            return
        now = self._clock()
        if isinstance(event, RouterClosed):
            self._tell_counted(now, everything=True)  # The last line of a router is that it closed.
        key = _key(event)
        seen = self._seen.get(key)
        if seen is not None and now - seen.written_at < WINDOW:
            seen.held += 1
            seen.last = event
            seen.last_at = now
        else:
            repeated = seen.held if seen is not None else 0
            self._seen.pop(key, None)
            self._tell_before(now, key)
            self._line(level, event, repeated)
            self._remember(key, _Seen(now, event))
        self._tell_counted(now, everything=False)

    def _line(self, level: EventLevel, event: Event, repeated: int, ago: float = 0.0) -> None:
        values = values_of(event)
        if repeated:
            values["repeated"] = repeated
        if ago > 0:
            values["ago"] = round(ago, 3)
        self._write(level, event.name, values)

    def _remember(self, key: tuple[str, str, str], seen: _Seen) -> None:
        if len(self._seen) >= _KEYS:
            oldest = next(iter(self._seen))
            self._tell(seen.written_at, self._seen.pop(oldest))
        self._seen[key] = seen

    def _tell_counted(self, now: float, *, everything: bool) -> None:
        """Write what was counted and is not young any more, so that a burst that ended does not keep its number to itself."""
        self._tell_all(now, [seen for seen in self._seen.values() if everything or now - seen.written_at >= WINDOW])

    def _tell_before(self, now: float, key: tuple[str, str, str]) -> None:
        """
        Write what was counted of the same state of the same node, before the line of *key* is.

        Shunned, restored, shunned (counted), restored: without this the log would end with "shunned".
        """
        family = _STATES.get(key[0])
        if family is not None:
            self._tell_all(
                now, [seen for other, seen in self._seen.items() if other[1] == key[1] and _STATES.get(other[0]) == family]
            )

    def _tell_all(self, now: float, those: list[_Seen]) -> None:
        """Write what was counted of *those*, in the order in which it last happened."""
        for seen in sorted((seen for seen in those if seen.held), key=lambda seen: seen.last_at):
            self._tell(now, seen)
            seen.held = 0
            seen.written_at = now

    def _tell(self, now: float, seen: _Seen) -> None:
        if seen.held:
            self._line(level_of(seen.last), seen.last, seen.held - 1, ago=now - seen.last_at)


class _Seen:
    """One kind of event: when it was last written, and how many have come since."""

    __slots__ = ("held", "last", "last_at", "written_at")

    def __init__(self, written_at: float, last: Event) -> None:
        self.written_at = written_at
        self.last = last
        self.last_at = written_at
        self.held = 0


def level_of(event: Event) -> EventLevel:
    """How loud *event* is in the log: its class's level, but a breaker that closes or tries is capacity regained."""
    if isinstance(event, BreakerChanged) and event.new in (BreakerState.CLOSED, BreakerState.HALF_OPEN):
        return EventLevel.INFO
    return event.level


def values_of(event: Event) -> dict[str, Any]:
    """The fields of *event* as a line shows them: None left out, seconds rounded, digests in hexadecimal, texts cleaned."""
    return {name: _shown(name, value) for name in _names(event) if (value := getattr(event, name)) is not None}


_NAMES: dict[type[Event], tuple[str, ...]] = {}


def _names(event: Event) -> tuple[str, ...]:
    kind = type(event)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(event))
    return _NAMES[kind]


def _shown(name: str, value: Any) -> Any:
    match value:
        case bool():
            return value
        case float():
            return round(value, 6)
        case int():
            return f"0x{value:016X}" if name == "digest" else value
        case tuple():
            return [_shown(name, entry) for entry in value]
        case str():
            return _clean(str(value), keep_lines=name == "stack")
    return _clean(str(value), keep_lines=False)


def _clean(text: str, *, keep_lines: bool) -> str:
    if not keep_lines:
        # PostgreSQL's DETAIL and HINT lines may quote values of the row.
        text = next(iter(text.splitlines()), "")
        if len(text) > _TEXT_LIMIT:
            text = text[: _TEXT_LIMIT - 1] + "…"
    return _PASSWORD.sub(r"\1\2***", _USERINFO.sub("://***@", text))


def _key(event: Event) -> tuple[str, str, str]:
    """What makes two events the same for counting: name, node, and the code that tells causes apart."""
    match event:
        case BreakerChanged():
            code = str(event.new)
        case TopologyChanged():
            code = ",".join(event.unusable)
        case ShadowDiffered():
            code = f"{event.database}/{event.digest}/{event.live}/{event.candidate}"
        case _:
            code = "/".join(str(getattr(event, name)) for name in ("hostgroup", "code", "reason", "task") if hasattr(event, name))
    return event.name, str(getattr(event, "node", "")), code


def line(name: str, values: Mapping[str, Any]) -> str:
    """``event key=value key="value with blanks"``; always one line."""
    return " ".join([name, *(f"{key}={_quoted(value)}" for key, value in values.items())])


def _quoted(value: Any) -> str:
    if isinstance(value, list):
        value = ",".join(str(entry) for entry in value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def to_application(level: EventLevel, name: str, values: Mapping[str, Any]) -> None:
    """Hand the line to the application: through its structlog where it has configured one, else to logger ``dbrouter``."""
    if structlog.is_configured():
        # `event` and `level` are structlog's own keys.
        getattr(structlog.get_logger("dbrouter"), str(level))(name, **values)
        return
    logger = logging.getLogger("dbrouter")
    loudness = _LOUDNESS[level]
    if logger.isEnabledFor(loudness):
        logger.log(loudness, "%s", line(name, values), extra={"dbrouter": {"event": name, **values}})


def to_console(stream: TextIO) -> Write:
    """Lines for people: time, level, ``event key=value``."""
    return _own(stream, _render_console)


def to_json(stream: TextIO) -> Write:
    """One JSON object a line: ``event``, ``level``, ``timestamp`` (ISO 8601, UTC), ``logger`` and the event's fields."""
    return _own(stream, structlog.processors.JSONRenderer(ensure_ascii=False, default=str))


def _own(stream: TextIO, renderer: Any) -> Write:
    # Everything is given here and nothing taken from `structlog.configure`: the application's choice stays its own.
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    ).bind(logger="dbrouter")

    def write(level: EventLevel, name: str, values: Mapping[str, Any]) -> None:
        getattr(logger, str(level))(name, **values)

    return write


def _render_console(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    event.pop("logger", None)
    return f"{event.pop('timestamp')} {event.pop('level'):<7} {line(event.pop('event'), event)}"


def observer_from(setting: str | None, stream: TextIO | None = None) -> LogObserver | None:
    """
    The observer that a value of ``DBROUTER_LOG`` asks for; None for ``off``.

    Args:
        setting: ``console``, ``json``, ``app`` or ``off``, with ``:debug``, ``:info`` or ``:warning``; None and "" mean ``app``.
        stream: where ``console`` and ``json`` write; standard error without it.

    Raises:
        ConfigError: *setting* is none of these.
    """
    where, _, suffix = (setting or "app").strip().lower().partition(":")
    try:
        level = EventLevel(suffix or "info")
    except ValueError:
        raise ConfigError(f"{_VARIABLE}={setting!r}: {suffix!r} is no level; use debug, info or warning") from None
    match where:
        case "off":
            return None
        case "app" | "":
            return LogObserver(to_application, level=level)
        case "console":
            return LogObserver(to_console(stream or sys.stderr), level=level)
        case "json":
            return LogObserver(to_json(stream or sys.stderr), level=level)
    raise ConfigError(f"{_VARIABLE}={setting!r} is not known; use console, json, app or off, with :debug, :info or :warning")


def default_observer() -> LogObserver | None:
    """The observer that ``DBROUTER_LOG`` asks for at this moment."""
    return observer_from(os.environ.get(_VARIABLE))


register_default_observer(default_observer)
