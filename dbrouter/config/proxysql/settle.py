"""
Which rows of a document ProxySQL has in its tables after it has read them: `Settling` goes by what ProxySQL does with its file.

ProxySQL puts the rows of ``proxysql.cnf`` into its tables with ``INSERT OR REPLACE``, so that of two rows with the same key the
last one stays. It takes a value only where its type is that of the column – ``"3307"`` is no number, ``true`` is no 1 – and
passes over rows without the columns that have no default. Every row and value that falls away is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbrouter.config.problems import Problems
from dbrouter.config.proxysql.output import Output
from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.rules import DURATIONS, EFFECTLESS, HOSTGROUPS, NUMBERS, TRUTHS
from dbrouter.config.proxysql.tables import Family, Row
from dbrouter.config.proxysql.values import whole

Key = tuple[Any, ...]
_RULE_NUMBERS = frozenset((*TRUTHS, *DURATIONS, *HOSTGROUPS, *NUMBERS, *EFFECTLESS))


@dataclass(frozen=True, slots=True)
class _Kind:
    """
    A kind of table.

    Attributes:
        keys: by which ProxySQL tells its rows apart; columns with the value they have where nothing is written.
        label: what messages call a row.
        needed: the columns without which ProxySQL passes over a row of its file.
    """

    keys: tuple[dict[str, Any], ...]
    label: Callable[[Row], str]
    needed: tuple[str, ...]


def _server_label(row: Row) -> str:
    port = "" if row.get("port") is None else f":{row.get('port')}"
    return f"{row.get('hostname')}{port} in hostgroup {row.get('hostgroup_id')}"


_KINDS = {
    "servers": _Kind(({"hostgroup_id": 0, "hostname": None, "port": None},), _server_label, ("hostname", "hostgroup_id")),
    "users": _Kind(({"username": None, "backend": 1},), lambda row: str(row.get("username")), ("username",)),
    "pairs": _Kind(
        ({"writer_hostgroup": None}, {"reader_hostgroup": None}),
        lambda row: f"{row.get('writer_hostgroup')}/{row.get('reader_hostgroup')}",
        ("writer_hostgroup", "reader_hostgroup"),
    ),
    "attributes": _Kind(({"hostgroup_id": None},), lambda row: f"hostgroup {row.get('hostgroup_id')}", ("hostgroup_id",)),
    "rules": _Kind(({"rule_id": None},), lambda row: f"rule_id {row.get('rule_id')}", ("rule_id",)),
    "fast_routes": _Kind(
        ({"username": "", "schemaname": "", "flagIN": 0},),
        lambda row: f"{row.get('username', '')!r} {row.get('schemaname', '')!r} {row.get('flagIN', 0)}",
        (),
    ),
}
_STATUSES = ("ONLINE", "SHUNNED", "OFFLINE_SOFT", "OFFLINE_HARD")
_OF_GROUPS = ("backup_writer_hostgroup", "offline_hostgroup")
_USER_NUMBERS = frozenset(
    ("active", "use_ssl", "default_hostgroup", "schema_locked", "transaction_persistent", "fast_forward", "max_connections")
)
_SERVER_NUMBERS = frozenset(
    (
        *("hostgroup_id", "port", "gtid_port", "weight", "compression", "max_connections", "max_replication_lag", "use_ssl"),
        "max_latency_ms",
    )
)
_TYPED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "servers": (_SERVER_NUMBERS, frozenset(("hostname", "status", "comment"))),
    "users": (_USER_NUMBERS, frozenset(("username", "password", "default_schema", "comment"))),
    "rules": (
        _RULE_NUMBERS,
        frozenset(
            (
                *("username", "schemaname", "client_addr", "proxy_addr", "digest", "match_digest", "match_pattern"),
                *("re_modifiers", "replace_pattern", "error_msg", "OK_msg", "comment"),
            )
        ),
    ),
}
"""By kind: the columns that take whole numbers, and those that take texts."""


class Settling:
    """
    Leaves in a family what ProxySQL would have.

    Args:
        typed: the document is a ``proxysql.cnf``, whose values have types.
    """

    def __init__(self, output: Output, problems: Problems, *, typed: bool) -> None:
        self._output = output
        self._problems = problems
        self._typed = typed

    def settle(self, family: Family) -> None:
        """Take the rows and values out of *family* that ProxySQL has not."""
        port = 3306 if family.prefix == "mysql" else 5432
        for name, kind in _KINDS.items():
            rows: list[Row] = getattr(family, name)
            if self._typed:
                rows = [row for row in rows if self._is_taken(row, name, kind)]
            for key in kind.keys:
                rows = self._last_of_each(rows, {**key, **({"port": port} if "port" in key else {})}, kind)
            setattr(family, name, rows)

    def _is_taken(self, row: Row, name: str, kind: _Kind) -> bool:
        """Whether ProxySQL takes the row at all; values of a wrong type are left out of it."""
        row.label = kind.label(row)
        numbers, texts = _TYPED.get(name, (frozenset(), frozenset()))
        for column, value in list(row.values.items()):
            if column in numbers and (isinstance(value, bool) or not isinstance(value, int)):
                wanted = "a whole number, without quotes"
            elif column in texts and not isinstance(value, str):
                wanted = "a text in quotes"
            else:
                continue
            del row.values[column]
            why = f"ProxySQL takes {wanted}, passes anything else over, and goes on with its default"
            self._output.note(row, column, Outcome.DROPPED, why)
        if name == "rules":
            row.values.setdefault("active", 1)  # In the file a rule is active where nothing is written.
            row.values |= {column: 1 for column in ("apply", "negate_match_pattern") if row.get(column, 0) != 0}
        if name == "servers" and str(row.get("status", "ONLINE")).upper() not in _STATUSES:
            self._output.note(row, "status", Outcome.CHANGED, f"{row.values.pop('status')!r} is ONLINE to ProxySQL")
        needed = (
            *kind.needed,
            *(_OF_GROUPS if row.table.endswith(("galera_hostgroups", "group_replication_hostgroups")) else ()),
        )
        missing = [column for column in needed if column not in row.values]
        if not missing:
            return True
        _, line = self._problems.place(row.path)
        where = f" in line {line}" if line else ""
        why = f"the whole row{where}: it has no {' and no '.join(missing)}, and ProxySQL passes it over"
        self._output.note(row, "", Outcome.DROPPED, why)
        return False

    def _last_of_each(self, rows: list[Row], columns: dict[str, Any], kind: _Kind) -> list[Row]:
        kept: dict[Key, Row] = {}
        for row in rows:
            if "endpoint" in row.values:
                kept[row.path] = row
                continue
            key: Key = (row.table, *(_same(row.get(column, default)) for column, default in columns.items()))
            if None in key:
                key = row.path  # What is missing is for others to say.
            if (before := kept.get(key)) is not None:
                self._lost(before, row, list(columns), kind)
            kept[key] = row
        return list(kept.values())

    def _lost(self, row: Row, winner: Row, columns: list[str], kind: _Kind) -> None:
        row.label = kind.label(row)
        lines = [line for _, line in (self._problems.place(row.path), self._problems.place(winner.path)) if line is not None]
        where = f" (lines {lines[0]} and {lines[1]})" if len(lines) == 2 else ""
        why = f"the whole row: its {', '.join(columns)} are there twice{where}, and ProxySQL keeps the last one"
        self._output.note(row, "", Outcome.DROPPED, why)


def _same(value: Any) -> Any:
    """*value* as SQLite compares it in a column of numbers."""
    return number if isinstance(number := whole(value), int) else None if value is None else str(value)
