"""
Values as ProxySQL writes them (numbers as text, 0 and 1, milliseconds) in the forms of our configuration.

Each answers None for what is no such value; text with ``${`` in it is left for the loader, which replaces variables.
"""

from __future__ import annotations

from typing import Any

from dbrouter.config.bounds import show_duration


def is_variable(value: Any) -> bool:
    """Whether *value* is text that a variable is part of."""
    return isinstance(value, str) and "${" in value


def whole(value: Any) -> int | str | None:
    """A whole number; ``true`` and ``false`` are 1 and 0."""
    if is_variable(value):
        return str(value)
    if isinstance(value, (bool, int)):
        return int(value)
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else None


def truth(value: Any) -> bool | str | None:
    """A truth value: 0, 1, true, false, on, off."""
    if is_variable(value):
        return str(value)
    if isinstance(value, str) and value.strip().lower() in ("on", "yes", "off", "no"):
        return value.strip().lower() in ("on", "yes")
    number = whole(value)
    return bool(number) if number in (0, 1) else None


def milliseconds(value: Any) -> str | None:
    """A duration; a bare number is milliseconds, as everywhere in ProxySQL. 0 is none."""
    if is_variable(value):
        return f"{value}ms"
    number = whole(value)
    if isinstance(number, int):
        return show_duration(number / 1000) if number > 0 else None
    return str(value) if isinstance(value, str) and value.strip()[-1:].isalpha() else None


def seconds(value: Any) -> str | None:
    """A duration from a number of seconds. 0 is none."""
    number = whole(value)
    return show_duration(float(number)) if isinstance(number, int) and number > 0 else None
