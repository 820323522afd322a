"""From ProxySQL: the same tables in any of its formats are the same configuration, with the same report."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config import load, loads
from dbrouter.config.proxysql import Outcome
from dbrouter.config.proxysql.schema import CREATE
from dbrouter.interchange import import_proxysql
from dbrouter.interchange.libconfig import write_libconfig
from dbrouter.interchange.read import Format
from tests.unit.config.test_proxysql import SAMPLE

TABLES: dict[str, list[dict[str, Any]]] = {
    "mysql_servers": [
        {"hostgroup_id": 0, "hostname": "db1", "port": 3306},
        {"hostgroup_id": 1, "hostname": "db2", "port": 3307, "weight": 5, "max_replication_lag": 10},
    ],
    "mysql_users": [{"username": "app", "password": "p${a}$$ '\"\\", "default_hostgroup": 0, "default_schema": "shop"}],
    "mysql_query_rules": [
        {"rule_id": 1, "active": 1, "match_digest": r"^SELECT \d.*FOR UPDATE$", "destination_hostgroup": 0, "apply": 1},
        {"rule_id": 2, "active": 1, "match_pattern": "it's; ^SELECT", "destination_hostgroup": 1, "timeout": 1500},
        {"rule_id": 3, "active": 0, "match_digest": "x|y", "flagOUT": 4},
    ],
    "mysql_replication_hostgroups": [{"writer_hostgroup": 0, "reader_hostgroup": 1, "comment": "one"}],
}


def literal(value: object) -> str:
    """As SQL has it."""
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def write(folder: Path, format: Format) -> Path:
    """`TABLES` in one of ProxySQL's formats."""
    path = folder / f"proxysql.{format}"
    match format:
        case Format.CNF:
            path.write_text(write_libconfig({"datadir": "/var/lib/proxysql", **TABLES}))
        case Format.SQLITE:
            with closing(sqlite3.connect(path)) as database:
                database.executescript("".join(CREATE[name] for name in TABLES) + inserts())
                database.execute(CREATE["global_variables"])
                database.execute("INSERT INTO global_variables VALUES ('pgsql-threads', '4')")
                database.commit()
        case Format.SQL:
            path.write_text(inserts())
        case Format.PRINTED:
            path.write_text("".join(printed(rows) for rows in TABLES.values()))
    return path


def inserts() -> str:
    """One statement a row."""
    return "".join(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(map(literal, row.values()))});\n"
        for table, rows in TABLES.items()
        for row in rows
    )


def printed(rows: list[dict[str, Any]]) -> str:
    """As `mysql --batch` prints a table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["\t".join(columns)]
    lines += ["\t".join(str(row.get(column, "NULL")).replace("\\", "\\\\") for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("format", [Format.CNF, Format.SQLITE, Format.SQL, Format.PRINTED])
@pytest.mark.parametrize("told", [True, False])
def test_every_format_gives_the_same_configuration(tmp_path: Path, format: Format, told: bool) -> None:
    """The one that the same tables as a mapping give; told by name or by content."""
    path = write(tmp_path, format)
    if not told:
        path = path.rename(tmp_path / "file")
    expected = load({**TABLES, "mysql_users": [{**TABLES["mysql_users"][0], "password": "p$${a}$$$$ '\"\\"}]})

    imported = import_proxysql(str(path), with_passwords=True, environ={})

    assert imported.config == expected
    assert loads(imported.yaml("x"), environ={}) == expected


def test_passwords_stay_where_they_are(tmp_path: Path) -> None:
    """A variable stands for each, the report names it, and nothing that is printed has the password."""
    path = write(tmp_path, Format.CNF)

    imported = import_proxysql(str(path), environ={})
    text = imported.yaml("proxysql.cnf")
    again = loads(text, environ={"SHOP_PASSWORD": "p${a}$$ '\"\\"})

    assert imported.variables == {"shop": "SHOP_PASSWORD"} and "password: ${SHOP_PASSWORD}" in text
    assert "p${a}" not in text + "".join(map(str, imported.notes)) and "# SHOP_PASSWORD is the password of database shop." in text
    assert again == imported.config


def test_the_sample_is_imported() -> None:
    """The file of the documentation; the report says of every value what became of it."""
    imported = import_proxysql(str(SAMPLE), environ={})
    notes = {(note.table, note.row, note.column): note for note in imported.notes}

    assert loads(imported.yaml("sample.yaml"), environ={"MYDB_PASSWORD": "apppassword"}) == load(SAMPLE)
    assert {note.outcome for note in imported.notes} == set(Outcome)
    assert notes["mysql_variables", "monitor_password", ""].outcome is Outcome.DROPPED
    assert notes["mysql_variables", "default_query_timeout", ""].outcome is Outcome.KEPT
    assert {"mysql_variables", "mysql_users", "mysql_query_rules", "hostgroups", "databases"} <= {table for table, _, _ in notes}


def test_the_report_names_rules_that_the_veto_stops() -> None:
    """With a statement that shows it; rules that send only what readers take are not named."""
    imported = import_proxysql(str(SAMPLE), environ={})
    vetoed = {note.row: note.why for note in imported.notes if "safety veto" in note.why}

    assert list(vetoed) == ["rule_id 2"] and "FOR UPDATE" in vetoed["rule_id 2"]


def test_a_file_is_active_where_the_table_is_not(tmp_path: Path) -> None:
    """`active` is 1 where proxysql.cnf does not say, and 0 where the table does not; -1 is NULL in the file."""
    rule = {"rule_id": 1, "match_digest": "^SELECT", "destination_hostgroup": 1, "timeout": -1, "flagOUT": -1}
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({**TABLES, "mysql_query_rules": [rule]}))

    (imported,) = import_proxysql(str(path), environ={}).config.query_rules
    (loaded,) = load(
        {**TABLES, "mysql_users": [{"username": "u"}], "mysql_query_rules": [rule | {"timeout": 0, "flagOUT": 0}]}
    ).query_rules

    assert imported.active and imported.timeout is None and imported.flagOUT is None
    assert not loaded.active


def test_problems_of_a_file_have_its_lines(tmp_path: Path) -> None:
    """Whatever format it has, as far as it has lines."""
    path = tmp_path / "proxysql.cnf"
    path.write_text('mysql_servers = (\n  { hostgroup = 0\n    address = "a"\n    port = 70000 }\n)\n')

    with pytest.raises(ValueError) as caught:
        import_proxysql(str(path), environ={})

    assert str(caught.value).startswith(f"{path}:4: mysql_servers[0].port: 70000 is not a port (1–65535)")
