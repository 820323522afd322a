"""From ProxySQL: the same tables in any of its formats are the same configuration, with the same report."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config import load, loads
from dbrouter.config.dump import to_yaml
from dbrouter.config.proxysql import Outcome
from dbrouter.config.proxysql.schema import CREATE
from dbrouter.errors import ConfigError
from dbrouter.interchange import Imported, import_proxysql
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


def imported_rule(tmp_path: Path, **columns: Any) -> tuple[Imported, dict[str, Any]]:
    """A ``proxysql.cnf`` with one rule, and what became of that (nothing: it is left out)."""
    rule = {"rule_id": 1, "active": 1, "destination_hostgroup": 1, "apply": 1, **columns}
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({**TABLES, "mysql_query_rules": [rule]}))
    imported = import_proxysql(str(path), environ={})
    return imported, next(iter(imported.value.get("query_rules", [])), {})


@pytest.mark.parametrize(
    ("column", "written", "read", "why"),
    [
        ("digest", "abc", None, "'abc' is no digest"),
        ("digest", "0x0", None, "'0x0' is no digest"),
        ("digest", "0x1C46AE529DD5A40E;", "0x1C46AE529DD5A40E", ""),
        ("digest", "0123", "0x0000000000000053", ""),
        ("attributes", "{bad", None, "it is no JSON object"),
        ("attributes", '{"foo": 1}', None, "dbrouter has nothing for foo"),
        ("attributes", '{"foo": 1, "flagOUTs": [{"id": 5, "weight": 1}]}', {"flagOUTs": [{"id": 5, "weight": 1}]}, "foo"),
        ("match_patern", "^SELECT", None, "did you mean 'match_pattern'?"),
        ("new_column", "x", None, "ProxySQL is not known to have it"),
        ("new_column", 0, None, ""),
    ],
)
def test_what_proxysql_passes_over_is_passed_over_and_said(
    tmp_path: Path, column: str, written: Any, read: Any, why: str
) -> None:
    """One odd value, or a column of a newer version, does not refuse the whole import."""
    imported, rule = imported_rule(tmp_path, **{column: written})
    said = [note.why for note in imported.notes if note.column == column and note.outcome is not Outcome.KEPT]

    assert rule.get(column) == read and rule["destination_hostgroup"] == 1 and not imported.lost
    assert [why in one for one in said] == ([True] if why else [])


def test_a_rule_that_proxysql_skips_is_left_out(tmp_path: Path) -> None:
    """It is said, and nothing is lost."""
    imported, rule = imported_rule(tmp_path, client_addr="10.%.3")

    assert rule == {} and not imported.lost
    assert any("ProxySQL skips such a rule" in note.why and note.row == "rule_id 1" for note in imported.notes)


def test_a_replacement_that_cannot_be_made_is_lost(tmp_path: Path) -> None:
    """With its rule, which would send the text as it is."""
    imported, rule = imported_rule(tmp_path, match_pattern="a", replace_pattern=r"\1")

    assert rule == {} and imported.lost == ["mysql_query_rules rule_id 1"]


@pytest.mark.parametrize("with_passwords", [True, False])
@pytest.mark.parametrize(
    "stored", ["*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "$A$005$ab${c}$$secret", "SCRAM-SHA-256$4096:c2FsdA==$x:y"]
)
def test_a_stored_password_is_asked_for(tmp_path: Path, stored: str, with_passwords: bool) -> None:
    """Nobody can log in with it, so that a variable stands where the password belongs; it is printed nowhere."""
    path = tmp_path / "proxysql.cnf"
    path.write_text(
        write_libconfig({**TABLES, "mysql_users": [{"username": "app", "password": stored, "default_schema": "shop"}]})
    )

    imported = import_proxysql(str(path), environ={}, with_passwords=with_passwords)

    assert imported.variables == {"shop": "SHOP_PASSWORD"}
    assert loads(imported.yaml("x"), environ={"SHOP_PASSWORD": "p"}).databases["shop"].password is not None
    assert stored not in imported.yaml("x") + str(imported.notes)


def test_columns_that_a_table_has_not_are_not_reported(tmp_path: Path) -> None:
    """Group replication has no check_type, and its report no line about it."""
    groups = [{"writer_hostgroup": 0, "backup_writer_hostgroup": 2, "reader_hostgroup": 1, "offline_hostgroup": 3}]
    path = tmp_path / "proxysql.cnf"
    path.write_text(
        write_libconfig({name: rows for name, rows in TABLES.items() if "replication" not in name})
        + write_libconfig({"mysql_group_replication_hostgroups": groups})
    )

    assert "check_type" not in {note.column for note in import_proxysql(str(path), environ={}).notes}


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """With the row where it should be."""
    path = tmp_path / "proxysql.yaml"
    path.write_text(to_yaml({**TABLES, "mysql_query_rules": [{"active": 1}]}))

    with pytest.raises(ConfigError, match=r"mysql_query_rules\[0\]\.rule_id: is missing"):
        import_proxysql(str(path), environ={})


def test_columns_and_tables_of_a_newer_version(tmp_path: Path) -> None:
    """They are dropped, and the report says so where they have a value."""
    path = tmp_path / "proxysql.db"
    with closing(sqlite3.connect(path)) as database:
        create = CREATE["mysql_servers"].replace("hostname VARCHAR", "zone VARCHAR, hostname VARCHAR")
        database.executescript(create + "".join(CREATE[name] for name in TABLES if name != "mysql_servers") + inserts())
        database.execute("UPDATE mysql_servers SET zone = 'eu' WHERE hostname = 'db2'")
        database.commit()
    cnf = tmp_path / "proxysql.cnf"
    cnf.write_text(write_libconfig({**TABLES, "mysql_serverz": [], "mcp_query_rules": [{"rule_id": 1}]}))

    notes = [str(note) for note in import_proxysql(str(path), environ={}).notes if note.column == "zone"]
    tables = {note.table: note.why for note in import_proxysql(str(cnf), environ={}).notes}

    assert len(notes) == 1 and notes[0].startswith("dropped: mysql_servers db2 in hostgroup 1 zone")
    assert "did you mean 'mysql_servers'?" in tables["mysql_serverz"] and "mcp_query_rules" in tables


def test_problems_of_a_file_have_its_lines(tmp_path: Path) -> None:
    """Whatever format it has, as far as it has lines."""
    path = tmp_path / "proxysql.cnf"
    path.write_text('mysql_servers = (\n  { hostgroup = 0\n    address = "a"\n    port = 70000 }\n)\n')

    with pytest.raises(ValueError) as caught:
        import_proxysql(str(path), environ={})

    assert str(caught.value).startswith(f"{path}:4: mysql_servers[0].port: 70000 is not a port (1–65535)")


@pytest.mark.parametrize("form", ["sql", "db", "tsv"])
def test_no_modifiers_are_no_modifiers(tmp_path: Path, form: str) -> None:
    """NULL in the table: ProxySQL finds no CASELESS in it, so that the pattern tells capitals; not written, it is CASELESS."""
    rows = "(1, 1, '^select', NULL), (2, 1, '^select', 'CASELESS'), (3, 1, '^select', '')"
    script = f"INSERT INTO mysql_query_rules (rule_id, active, match_digest, re_modifiers) VALUES {rows};"
    script += "INSERT INTO mysql_query_rules (rule_id, active, match_digest) VALUES (4, 1, '^select');"
    script += "INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (0, 'db1');"
    path = tmp_path / f"proxysql.{form}"
    if form == "sql":
        path.write_text(script)
    elif form == "db":
        with closing(sqlite3.connect(path)) as database:
            database.executescript(CREATE["mysql_query_rules"] + CREATE["mysql_servers"] + script)
    else:
        path.write_text(
            "hostgroup_id\thostname\n0\tdb1\n\nrule_id\tactive\tmatch_digest\tre_modifiers\n"
            "1\t1\t^select\tNULL\n2\t1\t^select\tCASELESS\n3\t1\t^select\t\n4\t1\t^select\tCASELESS\n"
        )

    imported = import_proxysql(str(path), environ={})

    assert [rule.caseless for rule in imported.config.query_rules] == [False, True, False, True]
    assert any(note.row == "rule_id 1" and note.column == "re_modifiers" and note.why for note in imported.notes)


def test_a_file_that_names_no_modifiers_is_caseless(tmp_path: Path) -> None:
    """ProxySQL writes CASELESS for a rule of its file that says nothing; an empty text stays empty."""
    rules = '( { rule_id = 1; match_digest = "^s" }, { rule_id = 2; match_digest = "^s"; re_modifiers = "" } )'
    path = tmp_path / "proxysql.cnf"
    path.write_text(f'mysql_servers = ( {{ hostname = "db1"; hostgroup = 0 }} )\nmysql_query_rules = {rules}\n')

    assert [rule.caseless for rule in import_proxysql(str(path), environ={}).config.query_rules] == [True, False]


@pytest.mark.parametrize(
    "password",
    [
        "file:x",
        "file:/etc/passwd",
        "file://",
        "file::x",
        "$${x}",
        "env:HOME",
        "${A:-b}",
        "${x}y",
        "a$b",
        "$file:",
        " x ",
        "%",
        "é: #",
    ],
)
def test_a_password_is_what_is_written(tmp_path: Path, password: str) -> None:
    """ProxySQL knows neither files nor variables in passwords, whatever one looks like."""
    user = {"username": "app", "password": password, "default_schema": "shop"}
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({**TABLES, "mysql_users": [user]}))

    imported = import_proxysql(str(path), with_passwords=True, environ={})

    (database,) = loads(imported.yaml("proxysql.cnf"), environ={}).databases.values()
    assert database.password is not None and database.password.get_secret_value() == password
    hidden = import_proxysql(str(path), environ={})
    assert hidden.value["databases"]["shop"]["password"] == "${SHOP_PASSWORD}" and password not in hidden.yaml("proxysql.cnf")
    (database,) = loads(hidden.yaml("proxysql.cnf"), environ={"SHOP_PASSWORD": password}).databases.values()
    assert database.password is not None and database.password.get_secret_value() == password


def test_the_last_of_two_rows_wins(tmp_path: Path) -> None:
    """As in ProxySQL, which puts the rows of its file into the tables with INSERT OR REPLACE; the report says so."""
    path = tmp_path / "proxysql.cnf"
    path.write_text(
        """
        mysql_servers = (
          { address = "db1"; port = 3306; hostgroup = 0; weight = 5 },
          { hostname = "db1"; hostgroup_id = 0; weight = 7 },
          { address = "db1"; port = 3307; hostgroup = 0; status = "OFFLINE_SOFT" },
          { address = "db2"; hostgroup = 1 }
        )
        mysql_users = (
          { username = "app"; password = "one"; default_hostgroup = 1 },
          { username = "app"; password = "two"; default_hostgroup = 0; default_schema = "shop" }
        )
        mysql_replication_hostgroups = (
          { writer_hostgroup = 0; reader_hostgroup = 2 },
          { writer_hostgroup = 0; reader_hostgroup = 1 }
        )
        mysql_query_rules = (
          { rule_id = 1; match_digest = "^a"; destination_hostgroup = 0 },
          { rule_id = 2; match_digest = "^b"; destination_hostgroup = 1; apply = 1 },
          { rule_id = 1; match_digest = "^c"; destination_hostgroup = 1 }
        )
        mysql_query_rules_fast_routing = (
          { username = "app"; schemaname = "a"; flagIN = 0; destination_hostgroup = 0; comment = "" },
          { username = "app"; schemaname = "a"; destination_hostgroup = 1; comment = "" }
        )
        """
    )

    imported = import_proxysql(str(path), with_passwords=True, environ={})

    config = imported.config
    assert [(server.port, server.weight) for server in config.hostgroup(0).servers] == [(3306, 7), (3307, 1)]
    assert config.databases["shop"].password is not None
    assert config.databases["shop"].password.get_secret_value() == "two"
    assert config.databases["shop"].reader_hostgroup == 1
    assert [(rule.rule_id, rule.match_digest) for rule in config.query_rules] == [(1, "^c"), (2, "^b")]
    assert [route.destination_hostgroup for route in config.query_rules_fast_routing] == [1]
    said = [str(note) for note in imported.notes if "last one" in note.why]
    assert [line.split(": ")[1] for line in said] == [
        "mysql_servers db1:3306 in hostgroup 0",
        "mysql_users app",
        "mysql_replication_hostgroups 0/2",
        "mysql_query_rules rule_id 1",
        "mysql_query_rules_fast_routing 'app' 'a' 0",
    ]
    assert "(lines 17 and 19)" in said[3]


def test_a_dump_has_the_last_of_two_rows(tmp_path: Path) -> None:
    """What a client printed twice is no mistake of the file; nor is a REPLACE of a dump."""
    path = tmp_path / "rules.tsv"
    path.write_text("hostgroup_id\thostname\n0\tdb1\n\nrule_id\tactive\n1\t1\n\nrule_id\tactive\tapply\n1\t1\t1\n")

    assert [rule.apply for rule in import_proxysql(str(path), environ={}).config.query_rules] == [True]


def test_what_has_another_type_is_passed_over(tmp_path: Path) -> None:
    """As ProxySQL does with its file: true is no 1, "1" is no 1, 1 is no text, and a rule without a number is none."""
    path = tmp_path / "proxysql.cnf"
    path.write_text(
        """
        mysql_servers = ( { address = "db1"; hostgroup = 0; port = "3307"; weight = 2.0 }, { address = "db2"; hostgroup = "1" },
                          { address = "db3"; hostgroup = 2 } )
        mysql_users = ( { username = "app"; password = 1234; active = false }, { password = "x" } )
        mysql_query_rules = (
          { rule_id = 1; match_digest = "^a"; apply = true; active = false; destination_hostgroup = 2 },
          { rule_id = "2"; match_digest = "^b" },
          { match_digest = "^c" }
        )
        """
    )

    imported = import_proxysql(str(path), environ={})

    assert [server.port for group in imported.config.hostgroups for server in group.servers] == [3306, 3306]
    (rule,) = imported.config.query_rules
    assert rule.active and not rule.apply and not imported.lost
    (database,) = imported.config.databases.values()
    assert database.user == "app" and imported.variables == {"app": "APP_PASSWORD"}
    said = {(note.row, note.column) for note in imported.notes if "passes" in note.why}
    assert said == {
        *(("db1:3307 in hostgroup 0", "port"), ("db1:3307 in hostgroup 0", "weight"), ("db2 in hostgroup 1", "hostgroup_id")),
        *(("db2 in hostgroup 1", ""), ("app", "password"), ("app", "active"), ("None", "")),
        *(("rule_id 1", "apply"), ("rule_id 1", "active"), ("rule_id 2", "rule_id"), ("rule_id 2", ""), ("rule_id None", "")),
    }


def test_modifiers_are_those_that_proxysql_sees(tmp_path: Path) -> None:
    """It looks at the beginnings of the words between commas, and minds a blank."""
    written = ["CASELESS,GLOBAL", "caseless", "CASELESS, GLOBAL", "GLOBALLY", "MULTILINE", ""]
    rules = [{"rule_id": n, "match_pattern": "^a", "re_modifiers": text} for n, text in enumerate(written)]
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({**TABLES, "mysql_query_rules": rules}))

    imported = import_proxysql(str(path), environ={})

    seen = [rule.re_modifiers for rule in imported.config.query_rules]
    assert seen == ["CASELESS,GLOBAL", "CASELESS", "CASELESS", "GLOBAL", "", ""]
    assert [note.row for note in imported.notes if note.column == "re_modifiers" and note.why] == [
        "rule_id 2",
        "rule_id 3",
        "rule_id 4",
    ]


def test_who_writes_logs_in(tmp_path: Path) -> None:
    """Of the users of one pair of hostgroups it is one whose statements go to the writer, wherever it stands."""
    users = [
        {"username": "reports", "password": "r", "default_hostgroup": 1, "default_schema": "shop"},
        {"username": "app", "password": "a", "default_hostgroup": 0, "default_schema": "shop"},
    ]
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({**TABLES, "mysql_users": users}))

    (database,) = import_proxysql(str(path), environ={}).config.databases.values()
    (alone,) = import_proxysql(str(path), user="reports", environ={}).config.databases.values()

    assert (database.user, database.default_hostgroup) == ("app", 0)
    assert (alone.user, alone.default_hostgroup) == ("reports", 1)


def test_what_proxysql_makes_of_other_values(tmp_path: Path) -> None:
    """Of its file: a status it does not know is ONLINE, and apply is 0 or else 1."""
    servers = [{"hostname": f"db{n}", "hostgroup_id": n, "status": text} for n, text in enumerate(["up", "offline_soft"])]
    rules = [{"rule_id": 1, "match_digest": "a", "apply": 2, "negate_match_pattern": 7}]
    path = tmp_path / "proxysql.cnf"
    path.write_text(write_libconfig({"mysql_servers": servers, "mysql_query_rules": rules}))

    imported = import_proxysql(str(path), environ={})

    assert [str(server.status) for group in imported.config.hostgroups for server in group.servers] == ["online", "draining"]
    assert [(rule.apply, rule.negate_match_pattern) for rule in imported.config.query_rules] == [(True, True)]
    assert [(note.row, note.column) for note in imported.notes if "ONLINE" in note.why] == [("db0 in hostgroup 0", "status")]
