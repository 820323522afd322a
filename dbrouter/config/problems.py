"""
Collecting what is wrong with a configuration: every problem at once, each with file, line and path, none with a secret in it.

`Problems` knows the lines of a document; `from_validation` turns pydantic's errors into our words.
One mistake is one problem: nothing is said of a value that was given up (`give_up`), and whoever looks at several values at once
asks `doubts` first, so that nobody reports what merely follows from a problem that is there already.
A value is echoed only where it cannot hold a password: never under a secret key, never when it came from a variable, never when
it looks like a DSN.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel, ValidationError

from dbrouter.errors import ConfigError, Problem

Path = tuple[str | int, ...]
"""Where something stands in a document: ``("hostgroups", 1, "servers", 0, "port")``."""

_SECRET_KEYS = frozenset({"password", "dsn", "writer", "readers"})
_ECHO_LIMIT = 60


class Problems:
    """The problems found so far in one document."""

    __slots__ = ("_around", "_file", "_found", "_given_up", "_lines", "_origins", "_raw")

    def __init__(self, file: str | None = None, lines: Mapping[Path, int] | None = None) -> None:
        self._file = file
        self._lines = {} if lines is None else lines
        self._raw: dict[Path, str] = {}
        self._origins: Mapping[Path, Path] = {}
        self._found: dict[tuple[str, str], Problem] = {}
        self._given_up: set[Path] = set()
        self._around: set[Path] = set()
        """The places of the problems, and all that they are in."""

    def add(self, path: Path, message: str, *, expected: str | None = None, got: Any = None) -> None:
        """Note that *message* is true of what stands at *path*; said twice it is kept once. Of what was given up nothing is."""
        if not self.forsaken(path):
            self._note(path, message, expected, got)

    def give_up(self, path: Path, message: str, *, expected: str | None = None) -> None:
        """As `add`, of a value that cannot be read at all: what follows from that is not noted."""
        if not self.forsaken(path):
            self._note(path, message, expected, None)
        self.forsake(path)

    def forsake(self, path: Path) -> None:
        """From now on nothing is noted of the value at *path*, nor of what is in it: enough was said of it."""
        self._given_up.add(path)

    def suspect(self, path: Path) -> None:
        """Somebody probably meant to write something at *path*: `doubts` says so from now on."""
        self._around.update(path[:length] for length in range(1, len(path) + 1))

    def doubts(self, *paths: Path) -> bool:
        """Whether something is wrong with what stands at one of *paths*, with a part of it, or with all that it is in."""
        return any(path in self._around or self.forsaken(path) for path in paths)

    def forsaken(self, path: Path) -> bool:
        """Whether the value at *path*, or what it is in, could not be read at all."""
        return bool(self._given_up) and any(path[:length] in self._given_up for length in range(1, len(path) + 1))

    def _note(self, path: Path, message: str, expected: str | None, got: Any) -> None:
        self.suspect(path)
        shown = show_path(self._origin(path))
        if not (self.may_quote(path) and self.may_quote(path[:-1])):
            got = None
        problem = Problem(message=message, path=shown, file=self._file, line=self._line(path), expected=expected, got=got)
        self._found.setdefault((shown, message), problem)

    def relocate(self, origins: Mapping[Path, Path]) -> None:
        """From now on paths are those of a rewritten document; *origins* tells where its parts were written."""
        self._origins = origins

    def came_from_variable(self, path: Path, written: str) -> None:
        """Remember that the value at *path* was made from variables: messages show *written* instead."""
        self._raw[path] = written

    def may_quote(self, path: Path) -> bool:
        """Whether messages may quote from the value at *path*."""
        return path not in self._raw

    def show(self, path: Path, value: object) -> str:
        """*value* as messages may show it."""
        if any(part in _SECRET_KEYS for part in path if isinstance(part, str)):
            return "what is written"
        if written := self._raw.get(path):
            return f"the value of {written}"
        return show_value(value)

    @property
    def file(self) -> str | None:
        """The file the document is from, as far as it is from one."""
        return self._file

    def take(self, found: Iterable[Problem]) -> None:
        """Note what somebody else found."""
        for problem in found:
            self._found.setdefault((f"{problem.file}: {problem.path}", problem.message), problem)

    def include(self, other: Problems) -> None:
        """Note what was found in another document too."""
        self.take(other)

    def raise_if_any(self) -> None:
        """
        End the loading when something was found.

        Raises:
            ConfigError: with every problem, in the order of the lines.
        """
        if self._found:
            raise ConfigError(sorted(self._found.values(), key=lambda problem: problem.line or 0)) from None

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def place(self, path: Path) -> tuple[str, int | None]:
        """How messages call *path*, and its line (or that of what it is in)."""
        return show_path(self._origin(path)), self._line(path)

    def _origin(self, path: Path) -> Path:
        for length in range(len(path), 0, -1) if self._origins else ():
            origin = self._origins.get(path[:length])
            if origin is not None:
                whole = (*origin, *path[length:])
                return whole if whole in self._lines or not self._lines else origin
        return path

    def _line(self, path: Path) -> int | None:
        path = self._origin(path)
        for length in range(len(path), -1, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return None

    def from_validation(
        self,
        path: Path,
        error: ValidationError,
        model: type[BaseModel],
        *,
        also_known: Iterable[str] = (),
        hidden: Iterable[str] = (),
    ) -> None:
        """
        Add what pydantic found in the mapping at *path*; *also_known* keys are offered as suggestions too, *hidden* ones are
        not.
        """
        known = {*model.model_fields, *also_known} - set(hidden)
        details = [dict(detail) for detail in error.errors(include_url=False, include_context=True, include_input=True)]
        for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
            self._add_detail(path, detail, model, known)

    def _add_detail(self, path: Path, detail: dict[str, Any], model: type[BaseModel], known: set[str]) -> None:
        where: Path = (*path, *detail["loc"])
        kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
        if kind == "extra_forbidden":
            self.unknown_key(where, known)
            return
        if kind == "missing":
            if self.doubts(where):
                return  # it is there, misspelt
            self.add(where, "is missing", expected=_expectation(model, detail["loc"]))
            return
        shown = self.show(where, value)
        if isinstance(value, float) and not math.isfinite(value):
            message = "is not a finite number"
        elif kind in ("enum", "literal_error"):
            choices = _choice_list(context["expected"])
            message = f"is none of {', '.join(choices)}{did_you_mean(value, choices)}"
        elif kind in _MESSAGES:
            message = _MESSAGES[kind](context)
        else:
            message = f"is not right: {detail['msg']}"
        if (
            where
            and where[-1] in ("port", "default_port")
            and (kind in ("int_parsing", "int_type") or message.startswith(("is below", "is above")))
        ):
            message = "is not a port (1–65535)"
        self.add(where, f"{shown} {message}", expected=message, got=None if shown.startswith(("what ", "the value")) else shown)

    def unknown_key(self, path: Path, known: Iterable[str]) -> None:
        """Note the key at the end of *path* as unknown, with the nearest of *known*."""
        names = sorted(set(known))
        key = path[-1]
        if not isinstance(key, str) or looks_secret(key):
            self.add((*path[:-1],), "has a key that is no name", expected=", ".join(names))
            return
        if near := nearest(key, names):
            self.suspect((*path[:-1], near))
        self.add(
            path,
            f"unknown key{did_you_mean(key, names) or '; known here: ' + ', '.join(names)}",
            expected=", ".join(names),
            got=key,
        )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of *known* that *word* probably stands for, or None."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the nearest of *known*, or nothing."""
    near = nearest(word, known) if isinstance(word, str) else None
    return f"; did you mean {near!r}?" if near else ""


def looks_secret(text: str) -> bool:
    """Whether *text* might be (a piece of) a DSN."""
    return "://" in text or "@" in text


def show_value(value: object) -> str:
    """A value in a message: short, and never a DSN."""
    match value:
        case None | bool():
            return show_scalar(value)
        case str():
            if looks_secret(value):
                return "what is written"
            return repr(value if len(value) <= _ECHO_LIMIT else value[: _ECHO_LIMIT - 1] + "…")
        case float():
            return repr(value)
        case int():
            return repr(value) if abs(value) < 10**_ECHO_LIMIT else "a number beyond all bounds"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def show_scalar(value: object) -> str:
    """A value that is neither a list nor a mapping, as YAML would have it without quotes."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def show_path(path: Path) -> str:
    """``hostgroups[1].servers[0].port``."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += f".{part}" if shown else part
    return shown


def _expectation(model: type[BaseModel], loc: tuple[str | int, ...]) -> str | None:
    field = model.model_fields.get(str(loc[-1])) if len(loc) == 1 else None
    return field.description if field else None


def _choice_list(expected: object) -> list[str]:
    return [word.strip().strip("'") or '""' for word in str(expected).replace(" or ", ", ").split(",")]


_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "int_parsing": lambda _: "is not a whole number",
    "int_type": lambda _: "is not a whole number",
    "int_from_float": lambda _: "is not a whole number",
    "int_parsing_size": lambda _: "is beyond all bounds",
    "float_parsing": lambda _: "is not a number",
    "float_type": lambda _: "is not a number",
    "finite_number": lambda _: "is not a finite number",
    "bool_parsing": lambda _: "is neither true nor false",
    "bool_type": lambda _: "is neither true nor false",
    "string_type": lambda _: "is not text (write it in quotes)",
    "string_too_short": lambda _: "is empty",
    "string_too_long": lambda context: f"is longer than {context['max_length']} characters",
    "string_pattern_mismatch": lambda _: "is not the name of a function (schema.name, with * and ? as wildcards)",
    "string_unicode": lambda _: "is not Unicode text",
    "tuple_type": lambda _: "is not a list",
    "list_type": lambda _: "is not a list",
    "too_short": lambda _: "is empty; it needs at least one",
    "dict_type": lambda _: "is not a mapping",
    "model_type": lambda _: "is not a mapping",
    "model_attributes_type": lambda _: "is not a mapping",
    "value_error": lambda context: str(context["error"]),
}
