"""
sqlglot as an opinion, for both dialects: does the tree of a text only read?

It parses what analysts write; what it does not know it keeps as a `Command`, of which only the first word is looked at.
"""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dbrouter.terms import Engine
from tests.oracles import manuals

_DIALECTS = {Engine.POSTGRESQL: "postgres", Engine.MYSQL: "mysql"}
_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.Values, exp.Table)
_NOTHING = (exp.Semicolon, exp.EndStatement)
_NO_STATEMENT = (exp.Column, exp.Literal, exp.Alias, exp.Paren, exp.Identifier)
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Create)
_MYSQL_WRITES = (exp.Parameter, exp.PropertyEQ)
"""User variables and `:=`, which mean other things elsewhere."""

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of every `Command`


def reads(sql: str, engine: Engine) -> bool | None:
    """Whether every statement of *sql* only reads; None where sqlglot refuses the text or makes no statement of it."""
    try:
        trees = [
            tree for tree in sqlglot.parse(sql, read=_DIALECTS[engine]) if tree is not None and not isinstance(tree, _NOTHING)
        ]
    except (SqlglotError, RecursionError, TypeError):  # TypeError: its own slips, which it only raises where tests run
        return None
    opinions = [_reads(tree, engine) for tree in trees]
    if False in opinions:
        return False
    return None if None in opinions or not opinions else True


def _reads(tree: exp.Expression, engine: Engine) -> bool | None:
    if isinstance(tree, _NO_STATEMENT):
        return None
    if isinstance(tree, exp.Command):
        return True if str(tree.this).upper() == "SHOW" else None if str(tree.this).upper() == "EXPLAIN" else False
    if isinstance(tree, exp.Show):
        return tree.name.upper() not in ("WARNINGS", "ERRORS", "PROFILE", "PROFILES")
    if isinstance(tree, exp.Describe):
        return tree.this is None or isinstance(tree.this, (exp.Table, exp.Column)) or _reads(tree.this, engine)
    if not isinstance(tree, _QUERIES):
        return False
    mysql = engine is Engine.MYSQL
    if tree.find(*_WRITES, *(_MYSQL_WRITES if mysql else ())) is not None:
        return False
    calls = manuals.MYSQL if mysql else manuals.POSTGRESQL
    return not any(calls.fullmatch(call.name or call.sql_name()) for call in tree.find_all(exp.Func))
