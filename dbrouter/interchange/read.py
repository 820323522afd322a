"""
Reading what ProxySQL's users have: `read_proxysql` tells the format of a file and answers one document, whatever it was.

What is no YAML has no variables: every ``$`` in it is written so that it stays one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any

from dbrouter.config.dump import escape, escape_secret
from dbrouter.config.proxysql.tables import is_proxysql
from dbrouter.config.source import Document, read_bytes, read_text
from dbrouter.errors import ConfigError, Problem
from dbrouter.interchange.admin import SQLITE_MAGIC, looks_printed, looks_sql, read_printed, read_sql, read_sqlite
from dbrouter.interchange.libconfig import read_libconfig


class Format(StrEnum):
    """How a file is written."""

    CNF = "cnf"
    SQLITE = "sqlite"
    SQL = "sql"
    PRINTED = "printed"
    YAML = "yaml"


_BY_SUFFIX = {
    ".cnf": Format.CNF,
    ".cfg": Format.CNF,
    ".sql": Format.SQL,
    ".tsv": Format.PRINTED,
    ".csv": Format.PRINTED,
    ".yaml": Format.YAML,
    ".yml": Format.YAML,
}
_LIVE_ROWS = ("rule_id", "active", "negate_match_pattern", "apply")
"""Columns of rules in which a negative number is not NULL; in all others a configuration file says NULL by -1."""


def read_proxysql(file: str, format: Format | None = None) -> tuple[Document, Format]:
    """
    The document in *file*: ProxySQL's ``proxysql.cnf``, its SQLite database, a dump of its admin tables (SQL, or as a client
    prints them), or YAML of that shape; and which of these it is.

    Args:
        format: how it is written; told by its name and its beginning where it is None.

    Raises:
        ConfigError: it cannot be read, or is none of these.
    """
    data = read_bytes(file)
    if format is Format.SQLITE or (format is None and data.startswith(SQLITE_MAGIC)):
        return _document(read_sqlite(file), file), Format.SQLITE
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(message=f"is not text in UTF-8 (byte {error.start})", file=file)]) from None
    format = format or _BY_SUFFIX.get(Path(file).suffix.lower()) or _guess(text)
    match format:
        case Format.YAML:
            document = read_text(text, file)
        case Format.SQL:
            document = _document(read_sql(text, file), file)
        case Format.PRINTED:
            document = _document(read_printed(text, file), file)
        case _:
            document = read_libconfig(text, file)
            document.value = _literal(_as_proxysql_reads_it(document.value))
    if not is_proxysql(document.value):
        names = "mysql_servers, mysql_users, mysql_query_rules, pgsql_servers, …"
        raise ConfigError([Problem(message=f"has none of ProxySQL's tables ({names})", file=file)])
    return document, format


def _guess(text: str) -> Format:
    if looks_printed(text):
        return Format.PRINTED
    if looks_sql(text):
        return Format.SQL
    try:
        return Format.YAML if is_proxysql(read_text(text).value) else Format.CNF
    except ConfigError:
        return Format.CNF


def _document(tables: dict[str, list[dict[str, Any]]], file: str) -> Document:
    return Document(_literal(tables), file)


def _literal(tables: dict[str, Any]) -> dict[str, Any]:
    """
    *tables* with every ``$`` as itself, but for passwords that are a variable and nothing else: `dbrouter export proxysql` leaves
    them in place of passwords.
    """
    escaped: dict[str, Any] = escape(tables)
    for table, written in tables.items():
        if not table.endswith("_users") or not isinstance(written, list):
            continue
        for row, ours in zip(written, escaped[table], strict=True):
            if isinstance(row, dict) and isinstance(password := row.get("password"), str):
                ours["password"] = password if re.fullmatch(r"\$\{\w+\}", password) else escape_secret(password)
    return escaped


def _as_proxysql_reads_it(settings: dict[str, Any]) -> dict[str, Any]:
    """In the file a rule is active where nothing is written (in the table it is not), and -1 is NULL."""
    for table in ("mysql_query_rules", "pgsql_query_rules"):
        rules = settings.get(table)
        for rule in rules if isinstance(rules, list) else []:
            if not isinstance(rule, dict):
                continue
            rule.setdefault("active", 1)
            for column, value in list(rule.items()):
                if isinstance(value, int) and value < 0 and column not in _LIVE_ROWS:
                    del rule[column]
    return settings
