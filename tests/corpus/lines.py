"""Reads the corpora: one statement and what it is a line (README.md in this folder says how)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from dbrouter.terms import Engine

VERDICTS = frozenset(["read", "write", "session", "control"])
FLAGS = frozenset(["silent", "error", "noexec", "after", "autocommit", "only", "since", "unknown"])

_FLAG = re.compile(r"(?P<name>[a-z]+)(?:-(?P<server>[a-z0-9]+))?(?:\{(?P<text>[^}]*)\})?(?:\s+|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a corpus."""

    number: int
    """1-based, in its file."""
    verdict: str
    sql: str
    flags: dict[str, str] = field(default_factory=dict)
    """Text in braces by flag; a flag for one server only is `name-server`."""

    def has(self, name: str, server: str) -> bool:
        """Whether the flag *name* holds on *server* (`18`, `mariadb`, …)."""
        return name in self.flags or f"{name}-{server}" in self.flags

    def runs_on(self, server: str) -> bool:
        """Whether the line says anything about *server*."""
        only = [flag.removeprefix("only-") for flag in self.flags if flag.startswith("only-")]
        since = [int(flag.removeprefix("since-")) for flag in self.flags if flag.startswith("since-")]
        return (not only or server in only) and all(int(server) >= version for version in since)

    @property
    def prelude(self) -> list[str]:
        """The statements that come before it on the same connection."""
        return [part.strip() for part in self.flags.get("after", "").split(";") if part.strip()]


def load(engine: Engine) -> list[Line]:
    """Every line of the corpus of *engine*, in order."""
    path = Path(__file__).with_name(f"{engine.value}.sql")
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text or text.startswith("#"):
            continue
        head, separator, sql = text.partition(" | ")
        verdict, _, rest = head.partition(" ")
        if not separator or verdict not in VERDICTS:
            raise ValueError(f"{path.name}:{number}: not 'verdict flags | statement': {text}")
        flags = {}
        position = 0
        while position < len(rest):
            flag = _FLAG.match(rest, position)
            if flag is None or flag["name"] not in FLAGS:
                raise ValueError(f"{path.name}:{number}: unknown flag: {rest[position:]}")
            flags[flag["name"] + (f"-{flag['server']}" if flag["server"] else "")] = flag["text"] or ""
            position = flag.end()
        found.append(Line(number=number, verdict=verdict, sql=sql.replace("⏎", "\n").replace("␉", "\t"), flags=flags))
    return found


def schema(server: str) -> str:
    """The script that makes what the lines find on *server* (`postgresql`, `mysql`; `mariadb` for what it has besides)."""
    return Path(__file__).with_name("schema").joinpath(f"{server}.sql").read_text(encoding="utf-8")
