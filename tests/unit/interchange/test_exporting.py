"""To ProxySQL and back: what its tables can say comes back the same, what they cannot is listed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config import RouterConfig, load
from dbrouter.config.proxysql.schema import CREATE
from dbrouter.interchange import export_proxysql, import_proxysql
from dbrouter.interchange.exporting import LOCKING, READING
from dbrouter.rules import compile_rules
from tests.rulesets import shown

RULES: list[dict[str, Any]] = [
    {"rule_id": 10, "match_digest": r"^SELECT \d", "destination_hostgroup": 20, "timeout": "1500ms", "retries": 2},
    {"rule_id": 20, "active": False, "username": "app", "client_addr": "10.%", "flagIN": 3, "flagOUT": 4, "error_msg": "it's"},
    {"rule_id": 30, "match_pattern": "a(b)", "replace_pattern": r"\1", "re_modifiers": "CASELESS,GLOBAL", "apply": True},
    {"rule_id": 40, "digest": "0x1C46AE529DD5A40E", "cache_ttl": "5s", "cache_empty_result": False, "comment": "c"},
    {"rule_id": 50, "attributes": {"flagOUTs": [{"id": 3, "weight": 2}]}, "delay": "10ms", "OK_msg": "", "log": True},
    {"rule_id": 60, "match_digest": "x", "mirror_hostgroup": 20, "multiplex": 0, "next_query_flagIN": 1, "re_modifiers": ""},
]


def configuration(engine: str = "mysql", *, default: bool = True, **extra: Any) -> RouterConfig:
    """One database whose every part ProxySQL can say."""
    database: dict[str, Any] = {
        "dsn": f"{engine}://app:s3cret@/shop",
        "tls": {"mode": "require"},
        "writer_hostgroup": 10,
        "reader_hostgroup": 20,
        **({"default_hostgroup": 10} if default else {}),
    }
    groups = [
        {"id": 10, "name": "shop-write", "servers": ["db1:3306"]},
        {
            "id": 20,
            "name": "shop-read",
            "max_replication_lag": "5s",
            "pool": {"init": ["SET a = 1"]},
            "servers": ["db2:3306", {"host": "db3", "port": 3307, "weight": 7, "status": "draining"}],
        },
    ]
    source = {"databases": {"shop": database}, "hostgroups": groups, "query_rules": RULES, **extra}
    return load(source)


def comparable(config: RouterConfig) -> dict[str, Any]:
    """What must come back."""
    value = config.model_dump(exclude={"probe", "breaker", "retry", "pool", "timeouts"})
    return value | {"call": config.timeouts.call, "connect": config.timeouts.connect}


@pytest.mark.parametrize("form", ["sql", "cnf"])
@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("engine", ["mysql", "postgresql"])
def test_there_and_back(tmp_path: Path, form: str, default: bool, engine: str) -> None:
    """Databases, hostgroups, servers and rules, with or without dbrouter's own splitting of reads."""
    config = configuration(engine, default=default)
    path = tmp_path / f"proxysql.{form}"
    exported = export_proxysql(config, with_passwords=True)
    path.write_text(exported.sql if form == "sql" else exported.cnf)

    back = import_proxysql(str(path), with_passwords=True, dbname="shop", environ={}).config

    assert comparable(back) == comparable(config)
    again = export_proxysql(back, with_passwords=True)
    assert again.tables == exported.tables and again.notes == exported.notes


def test_passwords_are_written_only_where_somebody_says_so(tmp_path: Path) -> None:
    """Else a placeholder says which password belongs there, and an import takes it for a variable."""
    exported = export_proxysql(configuration())
    path = tmp_path / "proxysql.cnf"
    path.write_text(exported.cnf)
    back = import_proxysql(str(path), with_passwords=True, environ={"SHOP_PASSWORD": "s3cret"})

    assert "s3cret" not in exported.sql + exported.cnf + str(exported.tables)
    assert exported.tables["mysql_users"][0]["password"] == "${SHOP_PASSWORD}" and exported.variables == {"shop": "SHOP_PASSWORD"}
    assert comparable(back.config) == comparable(configuration())
    assert "s3cret" in export_proxysql(configuration(), with_passwords=True).sql


@pytest.mark.parametrize("engine", ["mysql", "postgresql"])
def test_the_statements_fit_the_tables(engine: str) -> None:
    """Each statement that is not a command of the admin interface is executed on tables with ProxySQL's columns."""
    statements = export_proxysql(configuration(engine, default=False)).sql.splitlines()
    sql = [statement for statement in statements if not statement.startswith(("LOAD ", "SAVE "))]
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript("".join(CREATE.values()))
        for statement in sql:
            database.execute(statement)
        prefix = "mysql" if engine == "mysql" else "pgsql"
        rules = database.execute(f"SELECT rule_id, active FROM {prefix}_query_rules ORDER BY rule_id").fetchall()
        servers = database.execute(f"SELECT hostgroup_id, hostname, weight, status FROM {prefix}_servers").fetchall()

    assert rules == [(8, 1), (9, 1), (10, 1), (20, 0), (30, 1), (40, 1), (50, 1), (60, 1)]
    assert servers == [(10, "db1", 1, "ONLINE"), (20, "db2", 1, "ONLINE"), (20, "db3", 7, "OFFLINE_SOFT")]


@pytest.mark.parametrize(
    ("digest_text", "hostgroup"),
    [
        ("SELECT ?", 2),
        ("(SELECT ?)", 2),
        ("select a from t where b = ? for update", 1),
        ("SELECT a FROM t FOR NO KEY UPDATE SKIP LOCKED", 1),
        ("SELECT a FROM t LOCK IN SHARE MODE", 1),
        ("SELECT a INTO b FROM t", 1),
        ("INSERT INTO t VALUES (?)", None),
        ("WITH x AS (SELECT ?) SELECT * FROM x", None),
    ],
)
def test_the_two_patterns_for_reads(digest_text: str, hostgroup: int | None) -> None:
    """As near as patterns come to the classifier, and on the writer's side where they are not sure."""
    config = load(
        {
            "databases": {"d": {"engine": "mysql", "writer_hostgroup": 1, "reader_hostgroup": 2}},
            "hostgroups": [{"id": 1, "servers": ["a"]}, {"id": 2, "servers": ["b"]}],
            "query_rules": [
                {"rule_id": 0, "match_digest": READING, "destination_hostgroup": 2},
                {"rule_id": 1, "match_digest": LOCKING, "destination_hostgroup": 1},
            ],
        }
    )

    assert compile_rules(config.query_rules).evaluate(shown(digest_text, database="d")).destination == hostgroup


def test_what_cannot_be_said_is_listed() -> None:
    """Every setting without a like, and rules that would match more without the criteria that ProxySQL has not."""
    config = load(
        {
            "databases": {
                "a": {"dsn": "mysql://u@/a?charset=utf8mb4", "writer_hostgroup": 1, "reader_hostgroup": 2},
                "b": {"dsn": "mysql://u@/b?found_rows=true", "writer_hostgroup": 3, "server_settings": {"sql_mode": "ANSI"}},
            },
            "hostgroups": [
                {"id": 1, "servers": ["x"], "timeouts": {"call": "1s"}},
                {"id": 2, "servers": ["y", "z"], "balance": "latency", "read_only": False, "when_empty": "fail"},
                {"id": 3, "servers": [{"host": "w", "pool": {"max_size": 50}}]},
            ],
            "query_rules": [
                {"rule_id": 1, "tag": "report", "destination_hostgroup": 2},
                {"rule_id": 2, "match_digest": "x", "destination_hostgroup": 2, "unsafe": True},
            ],
            "retry": {"attempts": 7},
            "functions": "primary",
        }
    )
    exported = export_proxysql(config)
    listed = {(note.table, note.row.partition(" ")[0], note.column) for note in exported.notes}

    assert [row["rule_id"] for row in exported.tables["mysql_query_rules"] if "comment" not in row] == [3]
    assert len(exported.tables["mysql_users"]) == 1
    assert {
        ("databases", "a", "driver_options"),
        ("databases", "b", "server_settings"),
        ("databases", "b", "user"),
        ("databases", "b", "found_rows"),
        ("databases", "a", "tls"),
        ("hostgroups", "1", "timeouts"),
        ("hostgroups", "2", "balance"),
        ("hostgroups", "w:3306", "pool.max_size"),
        ("query_rules", "rule_id", ""),
        ("query_rules", "rule_id", "unsafe"),
        ("query_rules", "rule_id", "database"),
        ("query_rules", "", "rule_id"),
        ("retry", "", ""),
        ("functions", "", ""),
    } <= listed


def test_what_the_veto_did_is_listed() -> None:
    """ProxySQL has none, so that a rule sends to readers what dbrouter keeps on the writer; rules that send reads are fine."""
    rules = [
        {"rule_id": 1, "match_digest": "^SELECT", "destination_hostgroup": 20, "apply": True},
        {"rule_id": 2, "match_digest": "^SHOW", "destination_hostgroup": 20, "apply": True},
    ]

    notes = [note for note in export_proxysql(configuration(query_rules=rules)).notes if "no veto" in note.why]

    assert [note.row for note in notes] == ["rule_id 1"] and "FOR UPDATE" in notes[0].why


def test_a_rule_for_a_user_of_one_database_says_so() -> None:
    """`database` cannot be said of it."""
    source = {
        "databases": {
            "shop": {"dsn": "mysql://app@/shop", "writer_hostgroup": 1},
            "cat": {"dsn": "mysql://meow@/cat", "writer_hostgroup": 2},
        },
        "hostgroups": [{"id": 1, "servers": ["db1"]}, {"id": 2, "servers": ["db2"]}],
        "query_rules": [{"rule_id": 1, "database": "cat", "username": "joe", "error_msg": "no"}],
    }

    notes = [str(note) for note in export_proxysql(load(source)).notes if note.row == "rule_id 1"]

    assert notes == [
        "dropped: query_rules rule_id 1 database: ProxySQL knows no databases: the rule holds for user 'joe', wherever it is"
    ]


def test_what_breaks_in_the_file_is_listed() -> None:
    """ProxySQL pastes the texts of its file into statements: rules between double quotes, users between single ones."""
    rules = [{"rule_id": 1, "match_digest": "SELECT"}, {"rule_id": 2, "match_pattern": 'a "b"', "comment": '"'}]
    config = configuration(query_rules=rules)
    config = config.model_copy(
        update={"databases": {name: held.model_copy(update={"user": "o'app"}) for name, held in config.databases.items()}}
    )

    said = [str(note) for note in export_proxysql(config).notes if "proxysql.cnf" in note.why]

    assert [line.split(":")[1].strip() for line in said] == [
        "mysql_users o'app username",
        "mysql_query_rules rule_id 2 match_pattern, comment",
    ]
    assert all("load the statements" in line for line in said)
