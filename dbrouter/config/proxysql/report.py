"""What became of each value on the way between ProxySQL's tables and ours: kept, changed or dropped, and why; no passwords."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a value."""

    KEPT = "kept"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Note:
    """
    One line of a compatibility report.

    Attributes:
        table: whose row it is, as the source calls it.
        row: what tells the row from the others (``rule_id 2``, ``db1:3306 in hostgroup 0``); empty for the whole table.
        column: empty for the whole row.
        why: the reason and the next step; empty where a value was kept as it is.
    """

    table: str
    row: str
    column: str
    outcome: Outcome
    why: str = ""

    def as_dict(self) -> dict[str, str]:
        """JSON-ready."""
        return {"table": self.table, "row": self.row, "column": self.column, "outcome": str(self.outcome), "why": self.why}

    def __str__(self) -> str:
        where = " ".join(part for part in (self.table, self.row, self.column) if part)
        return f"{self.outcome}: {where}" + (f": {self.why}" if self.why else "")
