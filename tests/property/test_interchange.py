"""Rules on their way to ProxySQL and back, and through the file that an import writes: the same rules, the same decisions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import libconf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbrouter.config import RouterConfig, load, loads
from dbrouter.config.dump import escape
from dbrouter.config.proxysql.schema import CREATE
from dbrouter.interchange import export_proxysql, import_proxysql
from dbrouter.interchange.admin import read_sql
from tests.unit.interchange.constraints import TABLES

TEXTS = st.text(
    st.one_of(
        st.sampled_from("${}\\'\"%;#-/*:?\n\t é–"),
        st.characters(min_codepoint=1, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]),
    ),
    max_size=12,
)
PATTERNS = st.lists(
    st.sampled_from(
        ["^", "SELECT", r"\s+", r"\d", "(a|b)", "[^']", r"\$\{x\}", "${X}", '"', r"\\", "$", ".*", "é", "\n", "# -- /* */", "; "]
    ),
    min_size=1,
    max_size=5,
).map("".join)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "active": st.booleans(),
    "username": TEXTS,
    "schemaname": TEXTS,
    "flagIN": st.integers(0, 3),
    "client_addr": st.sampled_from(["10.1.2.3", "10.%", "%"]),
    "proxy_addr": st.sampled_from(["10.1.2.3", "::1"]),
    "proxy_port": st.integers(0, 65535),
    "digest": st.integers(1, 2**64 - 1).map(lambda number: f"0x{number:X}"),
    "match_digest": PATTERNS,
    "match_pattern": PATTERNS,
    "negate_match_pattern": st.booleans(),
    "re_modifiers": st.sampled_from(["", "CASELESS", "GLOBAL", "CASELESS,GLOBAL"]),
    "flagOUT": st.integers(0, 3),
    "attributes": st.builds(
        lambda ids: {"flagOUTs": [{"id": number, "weight": number + 1} for number in ids]},
        st.lists(st.integers(0, 3), min_size=1, max_size=3),
    ),
    "destination_hostgroup": st.sampled_from([1, 2]),
    "cache_ttl": st.integers(1, 10**7).map(lambda number: f"{number}ms"),
    "cache_empty_result": st.booleans(),
    "timeout": st.integers(1, 10**7).map(lambda number: f"{number}ms"),
    "retries": st.integers(0, 1000),
    "delay": st.integers(1, 10**7).map(lambda number: f"{number}ms"),
    "next_query_flagIN": st.integers(0, 3),
    "mirror_flagOUT": st.integers(0, 3),
    "mirror_hostgroup": st.sampled_from([1, 2]),
    "error_msg": TEXTS,
    "OK_msg": TEXTS,
    "multiplex": st.integers(0, 2),
    "log": st.booleans(),
    "apply": st.booleans(),
    "cache_timeout": st.integers(0, 5),
    "sticky_conn": st.integers(0, 1),
    "comment": TEXTS.filter(bool),
}
ROWS = st.lists(st.fixed_dictionaries({}, optional=COLUMNS), max_size=5)


def configuration(rows: list[dict[str, Any]], engine: str, default: bool) -> RouterConfig:
    """Those rules for one database."""
    database = {"dsn": f"{engine}://app@/shop", "writer_hostgroup": 1, "reader_hostgroup": 2}
    return load(
        {
            "databases": {"shop": {**database, **({"default_hostgroup": 1} if default else {})}},
            "hostgroups": [{"id": 1, "servers": ["db1"]}, {"id": 2, "servers": ["db2"]}],
            "query_rules": escape([{"rule_id": 10 * number, **row} for number, row in enumerate(rows, start=1)]),
        }
    )


@pytest.mark.parametrize("form", ["sql", "cnf", "db"])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, engine=st.sampled_from(["mysql", "postgresql"]), default=st.booleans())
def test_rules_come_back_as_they_went(tmp_path: Path, form: str, rows: list[dict[str, Any]], engine: str, default: bool) -> None:
    """Through the admin interface's statements, its database and its file, whatever the texts hold."""
    config = configuration(rows, engine, default)
    exported = export_proxysql(config)
    path = tmp_path / f"out.{form}"
    if form == "db":
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database:
            for table, filled in read_sql(exported.sql).items():
                database.execute(CREATE[table])
                for row in filled:
                    marks = ", ".join("?" for _ in row)
                    database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
            database.commit()
    else:
        path.write_text(getattr(exported, form), encoding="utf-8")

    imported = import_proxysql(str(path), dbname="shop", environ={})

    assert imported.config.query_rules == config.query_rules and not imported.lost
    assert imported.config.databases["shop"].default_hostgroup == config.databases["shop"].default_hostgroup
    assert loads(imported.yaml("out"), environ={}).query_rules == config.query_rules
    again = export_proxysql(imported.config)
    assert again.tables == exported.tables and again.sql == exported.sql and again.cnf == exported.cnf


@settings(deadline=None, max_examples=100)
@given(rows=ROWS, engine=st.sampled_from(["mysql", "postgresql"]), default=st.booleans())
def test_every_statement_is_one_that_proxysql_accepts(rows: list[dict[str, Any]], engine: str, default: bool) -> None:
    """With the types, keys and conditions of its tables; twice, because the statements replace what is there."""
    exported = export_proxysql(configuration(rows, engine, default))
    commands = ("LOAD ", "SAVE ")
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(TABLES)
        for _ in range(2):
            database.executescript("\n".join(line for line in exported.sql.split("\n") if not line.startswith(commands)))

        for table, filled in exported.tables.items():
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(filled),)


@settings(deadline=None, max_examples=100)
@given(rows=ROWS, engine=st.sampled_from(["mysql", "postgresql"]), default=st.booleans())
def test_another_reader_finds_the_same_in_the_file(rows: list[dict[str, Any]], engine: str, default: bool) -> None:
    """libconf, which is not ours, reads the tables that were written."""
    exported = export_proxysql(configuration(rows, engine, default))

    read = libconf.loads(exported.cnf)

    tables = {name: [dict(row) for row in filled] for name, filled in read.items() if not name.endswith("_variables")}
    assert tables == {name: filled for name, filled in exported.tables.items() if name != "global_variables"}
