"""
Result and Route: what `execute` answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a call ran."""

    hostgroup: str
    node: str
    rule_id: int | None
    """The rule that decided the hostgroup, or None."""
    attempts: int
    """1 when the first attempt succeeded."""
    seconds: float
    """Of the whole call: waiting, retries, execution."""


class Result(Sequence[Any]):
    """
    The rows of a statement and what the server said of it; empty (and falsy) where there are no rows.

    Attributes:
        rows: the rows, in the server's order.
        status: the server's own tag (``INSERT 0 1``); MySQL has none, there it is made of the statement's keyword and the count.
        rowcount: rows returned or changed; None where the driver does not tell.
        lastrowid: MySQL's insert id of this statement, else None.
    """

    __slots__ = ("_route", "lastrowid", "rowcount", "rows", "status")

    def __init__(
        self, rows: Sequence[Any], described: tuple[str, int | None, int | None], route: tuple[str, str, int | None, int, float]
    ):
        self.rows = rows
        self.status, self.rowcount, self.lastrowid = described
        self._route = route

    @property
    def route(self) -> Route:
        """Where the call ran."""
        hostgroup, node, rule_id, attempts, seconds = self._route
        return Route(hostgroup=hostgroup, node=node, rule_id=rule_id, attempts=attempts, seconds=seconds)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.rows[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __str__(self) -> str:
        return self.status

    def __repr__(self) -> str:
        return f"<Result {self.status!r} rows={len(self.rows)}>"
