"""
ProxySQL's admin tables as ProxySQL keeps and prints them: the SQLite database on disk, SQL dumps, and what a client prints.

All three answer plain tables (name → rows; NULLs left out, but where they say something). The database is opened read-only, so
that it may be one a ProxySQL is using. A dump is executed into an SQLite database in memory that allows nothing but tables and
rows.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dbrouter.config.proxysql.schema import CREATE
from dbrouter.config.proxysql.tables import TABLES
from dbrouter.errors import ConfigError, Problem

Tables = dict[str, list[dict[str, Any]]]
SQLITE_MAGIC = b"SQLite format 3\0"
_NAMES = frozenset(TABLES) | {f"runtime_{name}" for name in TABLES}
_LITERAL = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`"""
_MYSQL_LITERAL = r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`"""
_COMMENT = r"--[^\n]*|/\*.*?\*/|^\#[^\n]*"
_MYSQLDUMP = re.compile(r"^-- (MySQL|MariaDB) dump", re.MULTILINE)
_STATEMENT = re.compile(r"(INSERT|REPLACE|UPDATE|DELETE|CREATE\s+TABLE)\b", re.IGNORECASE)
_SET = re.compile(r"SET\s+(\w+)-(\w+)\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
_TARGET = re.compile(
    r"\b(INTO|UPDATE|FROM|TABLE(?:\s+IF\s+NOT\s+EXISTS)?)\s+(?:[`\"']?(?:main|disk)[`\"']?\.)?[`\"']?(\w+)[`\"']?", re.IGNORECASE
)
_FILLS = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?|REPLACE\s+)INTO\s+(?:[`\"']?(?:main|disk)[`\"']?\.)?[`\"']?(\w+)", re.IGNORECASE
)
_VARIABLE = re.compile(r"['\"]((?:mysql|pgsql|admin)-\w+)['\"]", re.IGNORECASE)
_NULL_SAYS = ("re_modifiers",)
"""Columns in which NULL is something else than nothing written."""
_ALLOWED = frozenset(
    getattr(sqlite3, name)
    for name in (
        *("SQLITE_INSERT", "SQLITE_UPDATE", "SQLITE_DELETE", "SQLITE_SELECT", "SQLITE_READ", "SQLITE_CREATE_TABLE"),
        *("SQLITE_CREATE_INDEX", "SQLITE_TRANSACTION", "SQLITE_REINDEX", "SQLITE_FUNCTION"),
    )
)
_FUNCTIONS = frozenset({"upper", "lower", "char", "unistr", "json_valid", "substr", "replace"})
"""What dumps and the constraints of ProxySQL's tables call."""


def read_sqlite(file: str) -> Tables:
    """
    The tables of a ProxySQL database (``proxysql.db``), which a running ProxySQL may hold open.

    Raises:
        ConfigError: it cannot be read, or has none of ProxySQL's tables.
    """
    uri = f"file:{quote(str(Path(file).absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=5.0)) as database:
            found = _tables(database)
    except sqlite3.Error as error:
        raise _refused(file, f"cannot be read as an SQLite database: {error}") from None
    if not found:
        raise _refused(file, "is an SQLite database without any of ProxySQL's tables (mysql_servers, mysql_query_rules, …)")
    return found


def read_sql(text: str, file: str | None = None) -> Tables:
    """
    The tables that a dump fills: ``INSERT``, ``REPLACE``, ``UPDATE``, ``DELETE``, ``CREATE TABLE`` of ProxySQL's tables, and the
    admin interface's ``SET mysql-…``. Other statements (``LOAD … TO RUNTIME``, ``LOCK TABLES``) are passed over.

    Raises:
        ConfigError: a statement of a table of ProxySQL's cannot be executed; with its line.
    """
    mysql = _MYSQLDUMP.search(text[:400]) is not None
    problems = []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript("".join(CREATE.values()))
        for name in ("global_variables", "runtime_global_variables"):
            database.execute(f"DROP TABLE {name}")
            database.execute(f"CREATE TABLE {name} (variable_name VARCHAR NOT NULL PRIMARY KEY, variable_value VARCHAR)")
        database.set_authorizer(_authorize)
        replaced: set[str] = set()
        for line, statement in _statements(text, mysql=mysql):
            try:
                _execute(database, statement, replaced)
            except _NoStatementError as error:
                problems.append(Problem(message=str(error), path="", file=file, line=line))
            except (sqlite3.Error, sqlite3.Warning) as error:
                problems.append(
                    Problem(message=f"the statement cannot be executed: {_plain(error)}", path="", file=file, line=line)
                )
        database.set_authorizer(None)
        found = _tables(database)
    if problems:
        raise ConfigError(problems)
    for name in ("global_variables", "runtime_global_variables"):
        found[name] = [row for row in found.get(name, ()) if "variable_value" in row]
    found = {name: rows for name, rows in found.items() if rows}
    if not found:
        raise _refused(file, "fills none of ProxySQL's tables (mysql_servers, mysql_query_rules, …)")
    return found


def read_printed(text: str, file: str | None = None) -> Tables:
    """
    Tables as a client prints them (``mysql -e 'SELECT * FROM mysql_servers'``): tab-separated, boxed, or CSV; each begins with
    its line of column names. A line ``# mysql_servers`` before it says which table it is; else the columns tell, of MySQL's
    tables.

    Raises:
        ConfigError: a line that belongs to no table, or a row of the wrong length; with the line.
    """
    found: Tables = {}
    table = named = None
    columns: list[str] = []
    for line, cells in _cells(text):
        comment = re.fullmatch(r"(?:--|#)\s*(\w+)", cells[0].strip()) if len(cells) == 1 else None
        if comment is not None and comment[1] in _NAMES:
            named = comment[1]
            continue
        if (guess := _table_of(cells)) is not None:
            table, named, columns = named or guess, None, [cell.strip() for cell in cells]
            found.setdefault(table, [])
        elif table is None:
            raise _refused(file, "is not the column names of a table of ProxySQL's", line)
        elif len(cells) != len(columns):
            raise _refused(file, f"has {len(cells)} values where {table} has {len(columns)} columns", line)
        else:
            row = zip(columns, cells, strict=True)
            found[table].append(
                {column: cell if cell != "NULL" else None for column, cell in row if cell != "NULL" or column in _NULL_SAYS}
            )
    if not found:
        raise _refused(file, "has none of ProxySQL's tables (mysql_servers, mysql_query_rules, …)")
    return found


def looks_printed(text: str) -> bool:
    """Whether the first line that says something is the column names of a table of ProxySQL's."""
    for _, cells in _cells(text):
        if len(cells) == 1 and cells[0].startswith(("#", "--")):
            continue
        return _table_of(cells) is not None
    return False


def looks_sql(text: str) -> bool:
    """Whether a statement fills a table of ProxySQL's."""
    return any(
        _SET.match(statement) or ((target := _TARGET.search(statement)) and target[2].lower() in _NAMES)
        for _, statement in _statements(text, mysql=True)
        if _STATEMENT.match(statement) or _SET.match(statement)
    )


def _tables(database: sqlite3.Connection) -> Tables:
    found: Tables = {}
    names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    for name in names:
        if name not in _NAMES:
            continue
        cursor = database.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
        columns = [description[0] for description in cursor.description]
        rows = [
            {
                column: _text(value)
                for column, value in zip(columns, row, strict=True)
                if value is not None or column in _NULL_SAYS
            }
            for row in cursor
        ]
        if rows:
            found[name] = rows
    return found


def _text(value: Any) -> Any:
    """*value*; what is stored as bytes (``X'5E'`` in a dump) is the text that ProxySQL takes it for."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class _NoStatementError(Exception):
    """Text that fills a table and begins with something else, so that passing it over would lose rows."""


def _execute(database: sqlite3.Connection, statement: str, replaced: set[str]) -> None:
    if variable := _SET.match(statement):
        if variable[1].lower() not in ("mysql", "pgsql", "admin"):
            return
        value = variable[3].strip().rstrip(";").strip()
        value = value[1:-1].replace("''", "'") if value[:1] in ("'", '"') and value[-1:] == value[:1] else value
        database.execute("REPLACE INTO global_variables VALUES (?, ?)", (f"{variable[1].lower()}-{variable[2]}", value))
        return
    target = _TARGET.search(statement)
    if not _STATEMENT.match(statement):
        fills = _FILLS.search(statement)
        if fills is not None and fills[1].lower() in _NAMES:
            raise _NoStatementError(
                f"what fills {fills[1].lower()} begins with something else than a statement (a prompt, or what a client "
                "answered?); leave the statements alone in the file"
            )
        return
    if target is None or target[2].lower() not in _NAMES:
        return
    table = target[2].lower()
    if target[1].upper().startswith("TABLE"):
        if table not in replaced:  # The dump knows its version's columns better than we do.
            replaced.add(table)
            database.set_authorizer(None)
            database.execute(f'DROP TABLE IF EXISTS "{table}"')
            database.set_authorizer(_authorize)
        statement = re.sub(r"\)\s*ENGINE\s*=.*$", ")", statement, flags=re.IGNORECASE | re.DOTALL)
    elif table not in CREATE and table not in replaced:
        return
    if table.endswith("global_variables") and statement[:6].upper() == "UPDATE":
        # Every variable has a row in ProxySQL, so that an UPDATE sets it.
        names = {(name.lower(),) for name in _VARIABLE.findall(statement)}
        database.executemany(f"INSERT OR IGNORE INTO {table} (variable_name) VALUES (?)", names)
    start, end = target.span(2)
    database.execute(
        re.sub(r"(?:[`\"']?(?:main|disk)[`\"']?\.)?[`\"']?$", "", statement[:start]) + f'"{table}"' + _unquoted(statement[end:])
    )


def _unquoted(rest: str) -> str:
    return rest[1:] if rest[:1] in "`\"'" else rest


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _plain(error: Exception) -> str:
    """SQLite's words, without what it quotes of the text."""
    said = str(error)
    return re.sub(r'(near |token: )".*"', r"\1…", said, flags=re.DOTALL)


def _statements(text: str, *, mysql: bool) -> Iterator[tuple[int, str]]:
    """Each statement with the line where it begins, comments gone, literals as SQLite writes them."""
    literal = _MYSQL_LITERAL if mysql else _LITERAL
    pieces: list[str] = []
    begin = line = 1
    for found in re.finditer(
        rf"(?P<comment>{_COMMENT})|(?P<literal>{literal})|(?P<end>;)|[^-#/;'\"`]+|.", text, re.DOTALL | re.MULTILINE
    ):
        piece = found[0]
        if found["end"]:
            if statement := "".join(pieces).strip():
                yield begin, statement
            pieces = []
        elif not found["comment"]:
            if not pieces:
                kept = piece.lstrip()
                line += piece.count("\n", 0, len(piece) - len(kept))
                piece = kept
                begin = line
            if not piece:
                continue
            pieces.append(_sqlite_literal(piece) if mysql and found["literal"] else piece)
        else:
            pieces.append(" ") if pieces else None
        line += piece.count("\n")
    if statement := "".join(pieces).strip():
        yield begin, statement


_MYSQL_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


def _sqlite_literal(literal: str) -> str:
    if literal[0] != "'" or "\\" not in literal:
        return literal
    inner = re.sub(
        r"\\(.)", lambda found: _MYSQL_ESCAPES.get(found[1], found[1]).replace("'", "''"), literal[1:-1], flags=re.DOTALL
    )
    return f"'{inner}'"


_PROMPT = re.compile(r"(?:mysql|MySQL|MariaDB|psql|Admin|ProxySQL[ \w]*|proxysql[ \w]*)(?: ?\[[^\]]*\])? ?[>#=]+ |    +-> ")
"""With what a client asks for the next statement, where somebody kept what was on the screen."""
_ANSWER = re.compile(r"\(?\d+ rows?.*|Empty set.*|Query OK.*|Database changed.*")
_BATCH_ESCAPES = {"t": "\t", "n": "\n", "0": "\0", "\\": "\\"}


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that has any; a boxed line is cut where its border has its corners."""
    borders: list[int] = []
    for line, content in enumerate(text.splitlines(), start=1):
        if not content.strip() or _ANSWER.fullmatch(content.strip()) or _PROMPT.match(content):
            continue
        if re.fullmatch(r"\+[-+]+\+", content.strip()):
            borders = [place for place, character in enumerate(content) if character == "+"]
        elif content.startswith("|") and borders:
            yield line, [content[start + 1 : end].strip() for start, end in pairwise(borders)]
        elif "\t" in content:
            cells = content.split("\t")
            yield line, [re.sub(r"\\([tn0\\])", lambda found: _BATCH_ESCAPES[found[1]], cell) for cell in cells]
        else:
            yield line, next(csv.reader([content]))


def _table_of(cells: list[str]) -> str | None:
    """The table whose column names *cells* are; of MySQL's where both engines have it."""
    names = {cell.strip().lower() for cell in cells}
    if {"variable_name", "variable_value"} <= names:
        return "global_variables"
    if "rule_id" in names:
        return "pgsql_query_rules" if "database" in names else "mysql_query_rules"
    if {"hostgroup_id", "hostname"} <= names:
        return "mysql_servers"
    if {"username", "default_hostgroup"} <= names:
        return "mysql_users"
    if {"writer_hostgroup", "reader_hostgroup"} <= names:
        return "mysql_replication_hostgroups"
    if {"username", "destination_hostgroup"} <= names:
        return "pgsql_query_rules_fast_routing" if "database" in names else "mysql_query_rules_fast_routing"
    return "mysql_hostgroup_attributes" if {"hostgroup_id", "max_num_online_servers"} <= names else None


def _refused(file: str | None, message: str, line: int | None = None) -> ConfigError:
    return ConfigError([Problem(message=message, path="", file=file, line=line)])
