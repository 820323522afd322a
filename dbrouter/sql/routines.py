"""
Where a routine ends: `CREATE FUNCTION … BEGIN ATOMIC …; …; END` holds semicolons that end no statement.

For PostgreSQL psql's own rule, for MySQL the server's: a text that begins a routine is one statement to its end.
"""

from __future__ import annotations


def body_end_postgresql(tokens: list[str], start: int) -> int | None:
    """None, or the end of a CREATE whose body (`BEGIN ATOMIC … END`, a rule's `(…; …)`) holds semicolons; psql's own rule."""
    if tokens[start] != "CREATE":
        return None
    words = tokens[start : start + 5]
    routine = "FUNCTION" in words or "PROCEDURE" in words
    if not routine and "RULE" not in words:
        return None
    parens = blocks = 0
    for place in range(start, len(tokens)):
        token = tokens[place]
        if token == "(":
            parens += 1
        elif token == ")":
            parens -= 1
        elif token == ";" and parens <= 0 and blocks <= 0:
            return place
        elif (routine and token == "BEGIN") or (routine and token == "CASE" and blocks):
            blocks += 1
        elif routine and token == "END" and blocks:
            blocks -= 1
    return len(tokens) - 1


_ROUTINES = frozenset(["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"])


def body_end_mysql(tokens: list[str], start: int) -> int | None:
    """None, or the end of all text where a routine or compound statement begins: the server reads it as one statement."""
    word = tokens[start]
    if word == "BEGIN" and tokens[start + 1] == "NOT":
        return len(tokens) - 1
    if word in ("CREATE", "ALTER") and _ROUTINES & set(tokens[start : start + 14]):
        return len(tokens) - 1
    return None
