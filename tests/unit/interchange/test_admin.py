"""ProxySQL's admin tables: from its SQLite database, from dumps, and as clients print them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config.proxysql.schema import CREATE
from dbrouter.errors import ConfigError
from dbrouter.interchange.admin import looks_printed, looks_sql, read_printed, read_sql, read_sqlite


def only(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of every row."""
    return [tuple(row.get(column) for column in columns) for row in rows]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A ``proxysql.db``."""
    path = tmp_path / "proxysql.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("".join(CREATE[name] for name in ("mysql_servers", "mysql_query_rules", "global_variables")))
        connection.execute("CREATE TABLE mysql_servers_v122 (a)")
        connection.execute("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (0, 'db1'), (1, 'db2')")
        connection.execute("INSERT INTO mysql_query_rules (rule_id, active, match_digest) VALUES (1, 1, '^SELECT $$ ${x}')")
        connection.execute("INSERT INTO global_variables VALUES ('mysql-threads', '4')")
        connection.commit()
    return path


def test_a_database_on_disk(database: Path) -> None:
    """Every row, NULLs left out, tables of old versions passed over."""
    found = read_sqlite(str(database))

    assert list(found) == ["mysql_servers", "mysql_query_rules", "global_variables"]
    assert only(found["mysql_servers"], "hostgroup_id", "hostname", "port") == [(0, "db1", 3306), (1, "db2", 3306)]
    assert "username" not in found["mysql_query_rules"][0]


def test_a_database_that_is_in_use(database: Path) -> None:
    """ProxySQL holds it open, and may be in the middle of a write: what is committed is read, and nothing is written."""
    with closing(sqlite3.connect(database, isolation_level=None)) as running:
        running.execute("BEGIN IMMEDIATE")
        running.execute("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (2, 'db3')")
        content = database.read_bytes()

        found = read_sqlite(str(database))

        assert only(found["mysql_servers"], "hostname") == [("db1",), ("db2",)]
        assert database.read_bytes() == content


@pytest.mark.parametrize("content", [b"SQLite format 3\0 and then nothing", b""])
def test_what_is_no_database_of_proxysql(tmp_path: Path, content: bytes) -> None:
    """Damaged, or empty."""
    path = tmp_path / "x.db"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="SQLite database"):
        read_sqlite(str(path))


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """It is not made by looking for it."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_sqlite(str(tmp_path / "none.db"))

    assert not list(tmp_path.iterdir())


DUMP = """\
-- written by hand
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (0, 'db1'), (1, 'db;2'); /* two; of them */
INSERT OR REPLACE INTO main.mysql_users(username, password) VALUES ('app', 'it''s; $ecret -- no comment');
REPLACE INTO `mysql_query_rules` (rule_id, active, match_digest, destination_hostgroup)
  VALUES (1, 1, '^SELECT', 1),
         (2, 0, 'x', NULL);
UPDATE disk.mysql_servers SET weight = 5 WHERE hostname = 'db1';
SET mysql-monitor_username='monitor';
set admin-admin_credentials = 'a:b';
UPDATE global_variables SET variable_value = 'm2' WHERE variable_name = 'mysql-monitor_username';
INSERT INTO stats_mysql_errors VALUES (1);
LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK;
COMMIT;
"""


def test_a_dump_is_executed() -> None:
    """Inserts and updates of ProxySQL's tables and its own SET; the rest is passed over."""
    found = read_sql(DUMP)

    assert only(found["mysql_servers"], "hostgroup_id", "hostname", "weight") == [(0, "db1", 5), (1, "db;2", 1)]
    assert only(found["mysql_users"], "password") == [("it's; $ecret -- no comment",)]
    assert only(found["mysql_query_rules"], "rule_id", "destination_hostgroup") == [(1, 1), (2, None)]
    assert only(found["global_variables"], "variable_name", "variable_value") == [
        ("mysql-monitor_username", "m2"),
        ("admin-admin_credentials", "a:b"),
    ]


def test_a_dump_of_another_version_brings_its_own_columns() -> None:
    """`sqlite3 proxysql.db .dump` has CREATE TABLE, and rows without names of columns."""
    found = read_sql(
        "CREATE TABLE mysql_servers (hostgroup_id INT CHECK (hostgroup_id >= 0), hostname VARCHAR, port INT, "
        "CHECK (UPPER(hostname) <> 'X' AND (JSON_VALID(hostname) OR SUBSTR(hostname, 1, 1) = 'o')));\n"
        "INSERT INTO mysql_servers VALUES(3,'old',3306);\n"
        'CREATE TABLE "mysql_users" (username VARCHAR);\nINSERT INTO "mysql_users" VALUES(\'u\');\n'
    )

    assert found == {
        "mysql_servers": [{"hostgroup_id": 3, "hostname": "old", "port": 3306}],
        "mysql_users": [{"username": "u"}],
    }


def test_a_mysqldump_of_the_admin_interface() -> None:
    """Its literals have MySQL's escapes, its tables MySQL's options."""
    found = read_sql(
        "-- MySQL dump 10.13  Distrib 8.0\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `mysql_users`;\n"
        "CREATE TABLE `mysql_users` (username VARCHAR, password VARCHAR, comment VARCHAR) ENGINE=InnoDB;\n"
        "LOCK TABLES `mysql_users` WRITE;\n"
        "INSERT INTO `mysql_users` VALUES ('app','it\\'s \\\\ \\n\"x\"; ok',NULL);\nUNLOCK TABLES;\n"
    )

    assert found == {"mysql_users": [{"username": "app", "password": 'it\'s \\ \n"x"; ok'}]}


def test_rules_without_a_number_are_counted() -> None:
    """As ProxySQL numbers them: one more than the largest."""
    found = read_sql(
        "INSERT INTO mysql_query_rules (active, match_digest) VALUES (1, '^SELECT');\n"
        "INSERT INTO mysql_query_rules (rule_id, active, match_digest) VALUES (7, 1, '^SHOW');\n"
        "INSERT INTO mysql_query_rules (active, match_digest) VALUES (1, '^SET');\n"
        "INSERT INTO pgsql_query_rules (active, match_digest) VALUES (1, 'x');\n"
    )

    assert only(found["mysql_query_rules"], "rule_id", "match_digest") == [(1, "^SELECT"), (7, "^SHOW"), (8, "^SET")]
    assert only(found["pgsql_query_rules"], "rule_id") == [(1,)]


def test_an_update_sets_a_variable_that_nothing_else_named() -> None:
    """In ProxySQL every variable has a row; only those that a statement sets are found."""
    found = read_sql(
        "UPDATE global_variables SET variable_value='5000' WHERE variable_name='mysql-default_query_timeout';\n"
        "UPDATE global_variables SET variable_value=2000 WHERE variable_name IN ('mysql-a','mysql-b') "
        "AND variable_name <> 'mysql-b';\n"
    )

    assert {row["variable_name"]: str(row["variable_value"]) for row in found["global_variables"]} == {
        "mysql-default_query_timeout": "5000",
        "mysql-a": "2000",
    }


def test_bytes_are_text(tmp_path: Path) -> None:
    """A pattern may be stored as a blob, and ProxySQL does not mind."""
    path = tmp_path / "proxysql.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CREATE["mysql_query_rules"])
        connection.execute("INSERT INTO mysql_query_rules (rule_id, match_pattern) VALUES (1, X'5E53454C454354')")
        connection.commit()

    dumped = read_sql("INSERT INTO mysql_query_rules (rule_id, match_pattern) VALUES (1, X'5E53454C454354')")

    assert only(read_sqlite(str(path))["mysql_query_rules"], "match_pattern") == [("^SELECT",)]
    assert only(dumped["mysql_query_rules"], "match_pattern") == [("^SELECT",)]


def test_names_in_single_quotes() -> None:
    """SQLite takes them, and old versions of its shell write them."""
    found = read_sql(
        "CREATE TABLE IF NOT EXISTS 'mysql_users' (username VARCHAR);\nINSERT INTO main.'mysql_users' VALUES('u');\n"
    )

    assert found == {"mysql_users": [{"username": "u"}]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("mysql> INSERT INTO mysql_servers (hostname) VALUES ('secret');\nQuery OK, 1 row affected\n", 1),
        (
            "INSERT INTO mysql_servers (hostname) VALUES ('a');\nQuery OK, 1 row affected (0.00 sec)\n\n"
            "Admin> REPLACE INTO `mysql_users` (username) VALUES ('secret');\n",
            2,
        ),
    ],
)
def test_a_transcript_loses_nothing_silently(text: str, line: int) -> None:
    """What fills a table behind a prompt is a problem, not a statement that is passed over."""
    with pytest.raises(ConfigError, match="begins with something else than a statement") as caught:
        read_sql(text, "x.sql")

    assert caught.value.problems[0].line == line and "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n\nINSERT INTO mysql_servers VALUES (1, 'secret');", 3, "table mysql_servers has 12 columns but 2 values"),
        ("SET mysql-a='1';\nINSERT INTO mysql_users (nowhere) VALUES ('secret');", 2, "has no column named nowhere"),
        ("INSERT INTO mysql_users (username) VALUES 'secret';", 1, "near …: syntax error"),
        ("INSERT INTO mysql_users (username) VALUES (load_extension('secret'));", 1, "not authorized"),
        ("INSERT INTO mysql_users (username) SELECT name FROM pragma_database_list;", 1, ""),
        (
            "INSERT INTO mysql_users (username) WITH RECURSIVE a(b) AS (SELECT 1 UNION ALL SELECT b FROM a) SELECT b FROM a;",
            1,
            "",
        ),
    ],
)
def test_what_cannot_be_executed_has_its_line(text: str, line: int, message: str) -> None:
    """A dump fills tables and does nothing else; no message quotes its values."""
    with pytest.raises(ConfigError) as caught:
        read_sql(text, "x.sql")
    (problem,) = caught.value.problems

    assert (problem.file, problem.line) == ("x.sql", line) and message in problem.message
    assert "secret" not in str(caught.value)


def test_a_dump_of_something_else() -> None:
    """It fills none of ProxySQL's tables."""
    with pytest.raises(ConfigError, match="fills none of ProxySQL's tables"):
        read_sql("INSERT INTO users VALUES (1);")


BATCH = (
    "hostgroup_id\thostname\tport\tcomment\n0\tdb1\t3306\tan\\n odd\\\\ one\n1\tdb2\t3306\tNULL\n"
    "rule_id\tactive\tmatch_digest\n1\t1\t^SELECT|x\n"
)
BOXED = """\
+--------------+----------+-------+
| hostgroup_id | hostname | port  |
+--------------+----------+-------+
| 0            | db1      | 3306  |
+--------------+----------+-------+
1 row in set (0.00 sec)

+---------+--------+--------------+
| rule_id | active | match_digest |
+---------+--------+--------------+
| 1       | 1      | ^SELECT|x    |
+---------+--------+--------------+
"""
COMMA = 'hostgroup_id,hostname,port\n0,db1,3306\nrule_id,active,match_digest\n1,1,"^SELECT|x"\n'


@pytest.mark.parametrize("text", [BATCH, BOXED, COMMA])
def test_what_clients_print(text: str) -> None:
    """Tab-separated, boxed or CSV; each table begins with its columns."""
    found = read_printed(text)

    assert looks_printed(text)
    assert only(found["mysql_servers"], "hostgroup_id", "hostname", "port")[0] == ("0", "db1", "3306")
    assert only(found["mysql_query_rules"], "rule_id", "match_digest") == [("1", "^SELECT|x")]


def test_escapes_and_nulls_of_the_batch_mode() -> None:
    """As `mysql --batch` writes them."""
    assert only(read_printed(BATCH)["mysql_servers"], "comment") == [("an\n odd\\ one",), (None,)]


def test_a_line_may_name_the_table() -> None:
    """PostgreSQL's tables have the columns of MySQL's."""
    found = read_printed("# pgsql_servers\nhostgroup_id\thostname\n0\tdb1\n-- pgsql_users\nusername\tdefault_hostgroup\nu\t0\n")

    assert list(found) == ["pgsql_servers", "pgsql_users"]


@pytest.mark.parametrize(
    ("text", "line"), [("hostgroup_id\thostname\n0\n", 2), ("a\tb\n", 1), ("hostgroup_id,hostname\n0,b,secret\n", 2)]
)
def test_a_row_that_does_not_fit(text: str, line: int) -> None:
    """It is a problem with its line, not a guess."""
    with pytest.raises(ConfigError) as caught:
        read_printed(text, "x.tsv")

    assert caught.value.problems[0].line == line and "secret" not in str(caught.value)


def test_formats_are_told_apart() -> None:
    """By what a file begins with."""
    assert looks_sql(DUMP) and not looks_printed(DUMP)
    assert not looks_sql(BATCH) and not looks_sql("mysql_servers = ()") and not looks_printed("mysql_servers = ()")


def test_the_screen_of_a_client_is_read() -> None:
    """Its prompts and its counts are no rows."""
    text = (
        f"mysql> SELECT * FROM mysql_servers;\n{BOXED}2 rows in set (0.00 sec)\n\n"
        "ProxySQL Admin> SELECT * FROM mysql_users\n    -> WHERE 1 = 0;\nEmpty set (0.00 sec)\n\n"
        "MySQL [(none)]> SELECT username, default_hostgroup FROM mysql_users;\n"
        "+----------+-------------------+\n| username | default_hostgroup |\n+----------+-------------------+\n"
        "| app      | 0                 |\n+----------+-------------------+\n1 row in set (0.00 sec)\n"
    )

    assert looks_printed(text)
    assert read_printed(text) == {**read_printed(BOXED), "mysql_users": [{"username": "app", "default_hostgroup": "0"}]}
