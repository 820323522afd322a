"""
PostgreSQL's own parser (libpg_query, by pglast) as an opinion: does the tree of a text only read?

Looks at node types and function names alone, and knows its functions from the server's manual (`manuals`) instead of from ours.
pglast is under the GPL: it stands in the `dev` extra and is imported by nothing but this file.
"""

from __future__ import annotations

from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from tests.oracles import manuals

_DML = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
_PLANNED = (ast.SelectStmt, *_DML)


class _Finder(Visitor):  # type: ignore[misc]
    """Whether anything in a tree writes."""

    def __init__(self, *, by_name: bool) -> None:
        super().__init__()
        self.writes = False
        self._by_name = by_name

    def visit_FuncCall(self, _: Any, node: Any) -> None:
        self.writes |= self._by_name and manuals.POSTGRESQL.fullmatch(node.funcname[-1].sval) is not None

    def _yes(self, _: Any, node: Any) -> None:
        self.writes = True

    visit_LockingClause = visit_IntoClause = visit_InsertStmt = visit_UpdateStmt = visit_DeleteStmt = visit_MergeStmt = _yes


def reads(sql: str, *, by_name: bool = True) -> bool | None:
    """
    Whether every statement of *sql* only reads; None where PostgreSQL's parser finds no statement, or refuses the text.

    Args:
        by_name: calls of functions that the manual says write count as well, not only what the grammar shows.
    """
    try:
        trees = parse_sql(sql)
    except (ParseError, UnicodeError, ValueError):
        return None
    return all(_reads(tree.stmt, by_name) for tree in trees) if trees else None


def _reads(statement: Any, by_name: bool) -> bool:
    if isinstance(statement, ast.VariableShowStmt):
        return True
    if isinstance(statement, ast.ExplainStmt):
        if _is_run(statement):
            return _reads(statement.query, by_name)
        return isinstance(statement.query, _PLANNED)
    if not isinstance(statement, ast.SelectStmt):
        return False
    finder = _Finder(by_name=by_name)
    finder(statement)
    return not finder.writes


def _is_run(explain: Any) -> bool:
    for option in explain.options or ():
        if option.defname.lower() in ("analyze", "analyse"):
            value = option.arg
            said = "on" if value is None else str(getattr(value, "sval", getattr(value, "ival", getattr(value, "boolval", ""))))
            if said.lower() not in ("off", "false", "0"):
                return True
    return False
