"""
What a conversion makes: `Conversion`, and `Output`, which its parts write to – values with the place each came from, and notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.problems import Path
from dbrouter.config.proxysql.report import Note, Outcome
from dbrouter.config.proxysql.schema import is_default
from dbrouter.config.proxysql.tables import Row

GENERATED = "dbrouter: "
"""How comments begin that `dbrouter export proxysql` writes for the way back."""
SPLIT = f"{GENERATED}reads without a rule"
"""The comment of rules that say in ProxySQL what dbrouter does by itself."""


@dataclass(slots=True)
class Conversion:
    """
    What became of a ProxySQL-shaped document.

    Attributes:
        value: the configuration in our shape.
        notes: what became of every value.
        origins: for paths of *value*, where they were written in the document.
        lost: active rules that are missing from *value*, as messages name them.
    """

    value: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    origins: dict[Path, Path] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


class Output:
    """Collects a `Conversion`."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {"version": 1, "databases": {}, "hostgroups": []}
        self.notes: list[Note] = []
        self.origins: dict[Path, Path] = {}
        self.lost: list[str] = []
        self._seen: dict[Path, int] = {}
        """By row: the columns of which something was said, one bit each (of 50,000 rules sets would take 40 MB)."""
        self._bits: dict[str, int] = {}

    def put(self, place: Path, value: Any, origin: Path) -> None:
        """Write *value* at *place*, making the mappings on the way; a list is lengthened at its end."""
        target: Any = self.value
        for part in place[:-1]:
            target = target.setdefault(part, {}) if isinstance(part, str) else target[part]
        if isinstance(target, list):
            target.append(value)
        else:
            target[place[-1]] = value
        self.origins[place] = origin

    def note(self, row: Row, column: str, outcome: Outcome, why: str = "") -> None:
        """Say what became of a value of *row*; of the whole row where *column* is empty."""
        self.notes.append(Note(row.table, row.label, column, outcome, why))
        self._seen[row.path] = self._seen.get(row.path, 0) | self._bit(column)

    def _bit(self, column: str) -> int:
        return self._bits.setdefault(column, 1 << len(self._bits))

    def say(self, table: str, what: str, outcome: Outcome, why: str) -> None:
        """Say what became of something that is no row."""
        self.notes.append(Note(table, what, "", outcome, why))

    def rest(self, row: Row, why: str) -> None:
        """Say that the values of *row* of which nothing was said yet were dropped, and *why*; defaults are as good as kept."""
        said = self._seen.get(row.path, 0)
        for column in [column for column in row.values if not said & self._bit(column)]:
            if is_default(row.table, column, row.values[column]):
                self.note(row, column, Outcome.KEPT, "ProxySQL's default")
            else:
                self.note(row, column, Outcome.DROPPED, why)

    def conversion(self) -> Conversion:
        """What was collected."""
        return Conversion(self.value, self.notes, self.origins, self.lost)
