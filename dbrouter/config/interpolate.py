"""
Values from outside the file: ``${VAR}``, ``${VAR:-default}``, ``$$`` for one dollar; for secrets ``file:/run/secrets/x``, and
``file::`` where the secret itself begins with ``file:``.

Only values are looked at, never keys, and what a variable holds is never looked at again (no nesting).
A ``$`` that is not followed by ``{`` or ``$`` stays as it is, so the patterns of rules need no doubling for a single ``$``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Any

from dbrouter.config.problems import Path, Problems

MAX_SECRET_BYTES = 64 * 1024
_PIECE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
SECRET_FILE = "file:"
SECRET_TEXT = "file::"
"""How a secret is written that begins with ``file:`` itself."""


class Interpolation:
    """Replaces variables by what *environ* holds; what it does not hold becomes a problem."""

    __slots__ = ("_environ", "_problems")

    def __init__(self, environ: Mapping[str, str], problems: Problems) -> None:
        self._environ = environ
        self._problems = problems

    def tree(self, value: Any, path: Path, leave: Callable[[Path], bool]) -> Any:
        """*value* with every text in it replaced, except where *leave* says that the text is read by someone else (a DSN)."""
        if isinstance(value, dict):
            return {key: self.tree(item, (*path, key), leave) for key, item in value.items()}
        if isinstance(value, list):
            return [self.tree(item, (*path, index), leave) for index, item in enumerate(value)]
        return self._whole(value, path) if isinstance(value, str) and not leave(path) else value

    def text(self, value: str, path: Path) -> str | None:
        """*value*, which may be a piece of what stands at *path*, with its variables replaced; None on failure."""
        if "$" not in value:
            return value
        if "${" in value:
            self._problems.came_from_variable(path, value if len(value) <= 60 else "a variable")
        wrong = list(filter(None, map(self._wrong, _PIECE.finditer(value))))
        for message, expected in wrong:
            self._problems.add(path, message, expected=expected)
        return None if wrong else _PIECE.sub(self._held, value)

    def _whole(self, value: str, path: Path) -> str:
        """All that stands at *path*; on failure it is given up, and what is answered says nothing."""
        text = self.text(value, path)
        if text is None:
            self._problems.forsake(path)
        return text or ""

    def _wrong(self, found: re.Match[str]) -> tuple[str, str | None] | None:
        """Why a piece cannot be replaced, and what was expected."""
        name, default = found[1], found[2]
        if found[0] == "$$":
            return None
        if name is None:
            return "has a ${ that begins no variable: write ${NAME} or ${NAME:-default}, and $${ for the text ${", None
        if default is not None:
            return (f"the default of ${{{name}:-…}} has a ${{ in it: defaults are plain text", None) if "${" in default else None
        if name not in self._environ:
            return f"the environment variable {name} is not set (${{{name}:-default}} would give it a default)", name
        return None

    def _held(self, found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        held = self._environ.get(found[1])
        return held or found[2] if found[2] is not None else held or ""

    def secret(self, value: str, path: Path) -> str | None:
        """
        What *value* (as it is written) stands for where a secret is expected: the content of the file it names, or its text;
        None on failure.

        Only what is written can name a file: a variable that holds ``file:…`` is a secret that happens to begin so.
        """
        text = self.text(value, path)
        if text is None or not value.startswith(SECRET_FILE):
            return text
        if value.startswith(SECRET_TEXT):
            return SECRET_FILE + text.removeprefix(SECRET_TEXT)
        name = text.removeprefix(SECRET_FILE)
        if name.startswith("//"):
            name = name.removeprefix("//")
        if not name.startswith("/"):
            self._problems.add(path, "file: needs an absolute path (file:/run/secrets/name)")
            return None
        try:
            with FilePath(name).open("rb") as stream:
                data = stream.read(MAX_SECRET_BYTES + 1)
            if len(data) > MAX_SECRET_BYTES:
                self._problems.add(path, f"the secret file {name} is larger than {MAX_SECRET_BYTES // 1024} KiB")
                return None
            text = data.decode("utf-8")
        except OSError as error:
            self._problems.add(path, f"the secret file {name} cannot be read: {error.strerror or type(error).__name__}")
            return None
        except UnicodeDecodeError:
            self._problems.add(path, f"the secret file {name} is not text in UTF-8")
            return None
        return text.removesuffix("\n").removesuffix("\r")
