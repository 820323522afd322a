"""`dbrouter import` and `dbrouter export`: what is printed where, what is written, and with which exit code."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dbrouter.cli.__main__ import build_app
from dbrouter.cli.output import write_private
from dbrouter.config import load, loads
from tests.unit.config.test_proxysql import SAMPLE

CONFIG = """\
databases: {shop: {dsn: "postgresql://app:hunter2@/shop", writer_hostgroup: 1, reader_hostgroup: 2}}
hostgroups: [{id: 1, servers: ["db1"]}, {id: 2, servers: ["db2", "db3"]}]
query_rules: [{rule_id: 7, match_digest: "^SELECT x", destination_hostgroup: 1, apply: true}]
"""


def run(*arguments: str) -> Result:
    """The command line with *arguments*, in this process."""
    return CliRunner().invoke(build_app(), arguments)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration with a password in it."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(CONFIG)
    return str(path)


def test_import_prints_the_file_and_reports_beside_it() -> None:
    """Standard output is the configuration and nothing else."""
    result = run("import", "proxysql", str(SAMPLE))

    assert result.exit_code == 0
    assert loads(result.stdout, environ={"MYDB_PASSWORD": "apppassword"}) == load(SAMPLE)
    assert "dropped: mysql_variables monitor_username, monitor_password: probes log in" in result.stderr
    assert "set MYDB_PASSWORD to the password of database mydb" in result.stderr
    assert "apppassword" not in result.output and "monitor_password:" not in result.stdout


def test_import_writes_a_file(tmp_path: Path) -> None:
    """Passwords only when somebody says so, and then for the owner's eyes alone."""
    path = tmp_path / "out.yaml"

    first = run("import", "proxysql", str(SAMPLE), "--output", str(path))
    without = path.read_text()
    second = run("import", "proxysql", str(SAMPLE), "--output", str(path), "--with-passwords", "--force")

    assert (first.exit_code, second.exit_code, first.stdout) == (0, 0, "")
    assert "apppassword" not in without and "password: apppassword" in path.read_text()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        ["import", "proxysql", str(SAMPLE)],
        ["export", "proxysql", "--config", "CONFIG"],
        ["export", "pgbouncer", "--config", "CONFIG"],
    ],
)
def test_what_is_there_is_replaced_only_by_force(config: str, tmp_path: Path, command: list[str]) -> None:
    """Neither the source, nor what somebody has edited since; and then with the permissions it had."""
    folder = tmp_path / "out"
    folder.mkdir()
    pooler = "pgbouncer" in command
    path = folder / "dbrouter.yaml"
    path.write_text("mine")
    path.chmod(0o640)
    arguments = [*(config if word == "CONFIG" else word for word in command), "--output", str(folder if pooler else path)]

    refused = run(*arguments)
    left = {file.name: file.read_text() for file in folder.iterdir()}
    forced = run(*arguments, "--force")

    assert refused.exit_code == 2 and "--force" in refused.stderr and left == {"dbrouter.yaml": "mine"}
    assert forced.exit_code == 0 and "mine" not in path.read_text() and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert {file.name for file in folder.iterdir()} == {"dbrouter.yaml", *(("pgbouncer.ini", "userlist.txt") if pooler else ())}


def test_half_a_file_is_never_there(tmp_path: Path) -> None:
    """What cannot be written whole leaves nothing, and what was there stays."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text("mine")

    with pytest.raises(UnicodeEncodeError):
        write_private(str(path), "a" * 100_000 + "\udc80", private=True, force=True)

    assert [file.name for file in tmp_path.iterdir()] == ["dbrouter.yaml"] and path.read_text() == "mine"


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    """The file that a link leads to is what is replaced."""
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "there")

    write_private(str(tmp_path / "link"), "new", private=False, force=True)
    write_private("/dev/null", "new", private=False, force=False)

    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_text() == "new"


def test_import_as_json() -> None:
    """The configuration, the variables to set, and the whole report."""
    result = run("import", "proxysql", str(SAMPLE), "--json")
    found = json.loads(result.stdout)

    assert result.exit_code == 0 and found["ok"] and found["lost"] == []
    assert found["configuration"]["databases"]["mydb"]["password"] == "${MYDB_PASSWORD}"
    assert found["variables"] == {"MYDB_PASSWORD": "password of mydb"}
    assert {"table", "row", "column", "outcome", "why"} == set(found["report"][0])
    assert {entry["outcome"] for entry in found["report"]} == {"kept", "changed", "dropped"}


def test_a_rule_that_is_lost_is_a_problem(tmp_path: Path) -> None:
    """The rest is written, and the exit code says that it is not the whole."""
    path = tmp_path / "p.cnf"
    path.write_text(
        'mysql_servers = ( { hostgroup=0; hostname="a" } )\nmysql_query_rules = ( { rule_id=3; match_digest="a(?!b)" } )\n'
    )

    result = run("import", "proxysql", str(path))

    assert result.exit_code == 1 and "servers: [a]" in result.stdout
    assert "not carried, although active: mysql_query_rules rule_id 3" in result.stderr


@pytest.mark.parametrize("as_json", [True, False])
def test_what_cannot_be_imported(tmp_path: Path, as_json: bool) -> None:
    """Every problem with its place in the original; nothing is written."""
    path = tmp_path / "p.cnf"
    path.write_text('mysql_servers = (\n { hostgroup=0; hostname="a"; port=70000 }\n)\n')
    output = tmp_path / "out.yaml"

    result = run("import", "proxysql", str(path), "--output", str(output), *(["--json"] if as_json else []))

    assert result.exit_code == 1 and not output.exists()
    if as_json:
        assert json.loads(result.stdout)["problems"][0]["path"] == "mysql_servers[0].port"
    else:
        assert result.stderr == f"{path}:2: mysql_servers[0].port: 70000 is not a port (1–65535)\n"


def test_check_takes_proxysqls_shape() -> None:
    """As it is."""
    result = run("check", str(SAMPLE))

    assert result.exit_code == 0 and "1 database, 2 hostgroups, 2 nodes, 2 rules" in result.stdout


@pytest.mark.parametrize("form", ["sql", "cnf"])
def test_export_proxysql(config: str, tmp_path: Path, form: str) -> None:
    """What is printed can be imported; the password stays where it is."""
    result = run("export", "proxysql", "--config", config, "--format", form)
    path = tmp_path / f"out.{form}"
    path.write_text(result.stdout)
    again = run("import", "proxysql", str(path), "--dbname", "shop")

    assert result.exit_code == again.exit_code == 0
    assert "hunter2" not in result.output and "put the password of database shop where ${SHOP_PASSWORD} stands" in result.stderr
    assert loads(again.stdout, environ={"SHOP_PASSWORD": "hunter2"}).query_rules == loads(CONFIG).query_rules


def test_export_proxysql_with_passwords(config: str, tmp_path: Path) -> None:
    """A file of its own, for the owner's eyes."""
    path = tmp_path / "out.sql"
    result = run("export", "proxysql", "--config", config, "--output", str(path), "--with-passwords", "--json")
    found = json.loads(result.stdout)

    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and "'hunter2'" in path.read_text()
    assert found["ok"] and found["variables"] == {} and found["report"]


def test_export_pgbouncer(config: str, tmp_path: Path) -> None:
    """Three files, of which one is secret; standard output names them."""
    folder = tmp_path / "new" / "folder"
    result = run("export", "pgbouncer", "--config", config, "--output", str(folder))

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(folder / name) for name in ("pgbouncer.ini", "userlist.txt", "dbrouter.yaml")]
    assert stat.S_IMODE(os.stat(folder / "userlist.txt").st_mode) == 0o600
    assert f"auth_file = {folder / 'userlist.txt'}" in (folder / "pgbouncer.ini").read_text()
    assert "hunter2" not in result.output and "start it: pgbouncer" in result.stderr
    assert load(folder / "dbrouter.yaml", environ={"SHOP_PASSWORD": "x"}).databases["shop"].via == "pgbouncer"


def test_export_pgbouncer_as_json(config: str, tmp_path: Path) -> None:
    """The files, the router's configuration, and what differs."""
    found = json.loads(run("export", "pgbouncer", "--config", config, "--output", str(tmp_path / "x"), "--json").stdout)

    assert found["ok"] and len(found["files"]) == 3 and found["router"]["databases"]["shop"]["via"] == "pgbouncer"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["import"], 2),
        (["import", "proxysql"], 2),
        (["import", "proxysql", "x", "--format", "toml"], 2),
        (["import", "proxysql", "/nowhere/x.cnf"], 1),
        (["import", "proxysql", str(SAMPLE), "--output", "/nowhere/out"], 2),
        (["import", "proxysql", str(SAMPLE), "--user", "nobody"], 1),
        (["export", "proxysql"], 2),
        (["export", "proxysql", "--config", "/nowhere/x"], 1),
        (["export", "pgbouncer", "--config", str(SAMPLE), "--output", "/nowhere"], 1),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    """2 for wrong usage, 1 for a problem that was found."""
    assert run(*arguments).exit_code == code
