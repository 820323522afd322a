"""
Words that stand before a parenthesis in a clause, and that a server also lets somebody give to a function of his.

`ORDER BY (a)` calls nothing, `SELECT by(1)` does: what stands around the word decides. Where both can be meant, it is a call. A
word that is in neither of the tables here and not reserved either (`LOCK`, `COPY`, `ERROR` on PostgreSQL) is a call in any place.
"""

from __future__ import annotations

from collections.abc import Callable

Clause = Callable[[list[str], int], bool]
"""Whether the word at the given place begins a list of a clause there; it is never the last token."""

_EXPRESSION_BEGINS = frozenset(
    (
        *("", "(", ",", "[", "=", "<", ">", "+", "-", "*", "/", "%", "|", "&", "^", "~", "!", "@", "#", ":=", "::"),
        *(
            "SELECT",
            "DISTINCT",
            "ALL",
            "FROM",
            "LATERAL",
            "WHERE",
            "ON",
            "HAVING",
            "AND",
            "OR",
            "NOT",
            "XOR",
            "DIV",
            "MOD",
            "CASE",
        ),
        *(
            "WHEN",
            "THEN",
            "ELSE",
            "IN",
            "IS",
            "LIKE",
            "ILIKE",
            "BETWEEN",
            "BY",
            "LIMIT",
            "OFFSET",
            "RETURNING",
            "VALUES",
            "USING",
        ),
        *("JOIN", "STRAIGHT_JOIN", "ANY", "SOME", "INTERVAL", "REGEXP", "RLIKE", "ESCAPE", "SET"),
    )
)
"""Behind these an operand is due: the word is the name of a function."""


def _behind(*words: str) -> Clause:
    wanted = frozenset(words)
    return lambda tokens, place: place > 0 and tokens[place - 1] in wanted


def _behind_an_operand(tokens: list[str], place: int) -> bool:
    return place > 0 and tokens[place - 1] not in _EXPRESSION_BEGINS


def _behind_an_operand_or_not(tokens: list[str], place: int) -> bool:
    return _behind_an_operand(tokens, place) or (
        place > 1 and tokens[place - 1] == "NOT" and _behind_an_operand(tokens, place - 1)
    )


def _first(tokens: list[str], place: int) -> bool:
    return place == 0


def _grouping(tokens: list[str], place: int) -> bool:
    """`GROUP BY a, ROLLUP (b)`: back over names and commas to the BY, over no more than a few of them."""
    for before in range(place - 1, max(place - _LIST_LENGTH, 0), -1):
        token = tokens[before]
        if token == "BY":
            return tokens[before - 1] == "GROUP"
        if token in _ENDS_A_GROUPING:
            return False
    return False


_LIST_LENGTH = 64
_ENDS_A_GROUPING = frozenset(["SELECT", "FROM", "WHERE", "HAVING", "ORDER", "WINDOW", "UNION", "LIMIT", "VALUES"])


def _before_a_query(tokens: list[str], place: int) -> bool:
    return tokens[place + 2] in ("SELECT", "WITH", "VALUES", "TABLE", "(")


_BOTH: dict[str, Clause] = {"COLUMNS": _behind_an_operand, "CUBE": _grouping, "ROLLUP": _grouping}
PG_CLAUSES: dict[str, Clause] = {
    **_BOTH,
    "BY": _behind("ORDER", "GROUP", "PARTITION"),
    "CONFLICT": _behind("ON"),
    "COPY": _first,
    "FIRST": _behind("FETCH"),
    "ILIKE": _behind_an_operand_or_not,
    "JOIN": _behind_an_operand,
    "MATERIALIZED": _behind("AS", "NOT"),
    "NEXT": _behind("FETCH"),
    "SET": _behind_an_operand,
    "SETS": _behind("GROUPING"),
    "VARYING": _behind("CHARACTER", "CHAR", "NCHAR", "BIT"),
    "ZONE": _behind("TIME"),
}
MY_CLAUSES: dict[str, Clause] = {**_BOTH, "LATERAL": _before_a_query, "MINUS": _behind_an_operand, "OF": _behind("MEMBER")}
