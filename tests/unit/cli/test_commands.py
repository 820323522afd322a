"""The command line: what each command prints, to which stream, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dbrouter import __version__
from dbrouter.cli.__main__ import build_app

GOOD = """\
version: 1
databases:
  shop: {engine: mysql, dsn: "mysql://app:hunter2@/shop", writer_hostgroup: 10, reader_hostgroup: 20}
  catalog: {engine: mysql, dsn: "mysql://app:hunter2@/catalog", writer_hostgroup: 30}
hostgroups:
  - {id: 10, name: shop-write, servers: ["db1:3306"]}
  - {id: 20, name: shop-read, servers: ["db2:3306", "db3:3306"]}
  - {id: 30, name: catalog-write, servers: ["db4:3306"]}
query_rules:
  - {rule_id: 10, database: shop, tag: report, destination_hostgroup: 20, apply: true}
  - {rule_id: 20, active: false, match_digest: "^DROP", error_msg: "no", apply: true}
"""

BAD = """\
version: 1
databases:
  shop: {engine: mysql, dsn: "mysql://app:hunter2@/shop", writer_hostgroup: 10}
hostgroups:
  - id: 10
    name: shop-write
    servers: [{host: db1, port: 70000}]
pol: {max_size: 3}
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    """A configuration without problems."""
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """A configuration with two problems."""
    path = tmp_path / "bad.yaml"
    path.write_text(BAD, encoding="utf-8")
    return str(path)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """The command line with *arguments*, in this process."""
    return CliRunner().invoke(build_app(), arguments, input=stdin)


def documents(output: str) -> list[Any]:
    """JSON Lines."""
    return [json.loads(line) for line in output.splitlines()]


# --- the command itself


def test_version() -> None:
    """`--version` prints the version and nothing else."""
    result = run("--version")

    assert (result.exit_code, result.output) == (0, f"dbrouter {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["check"],
        ["explain", "SELECT 1"],
        ["classify"],
        ["classify", "--engine", "oracle"],
        ["check", "x", "--processes", "0"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    """What cannot be understood is told apart from a problem that was found."""
    assert run(*arguments).exit_code == 2


def test_python_m_dbrouter_is_the_same_command() -> None:
    """`python -m dbrouter` works without a script on the path."""
    done = subprocess.run([sys.executable, "-m", "dbrouter", "--version"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, f"dbrouter {__version__}\n")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """A missing extra is a sentence, not a traceback."""
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no typer', name='typer')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])

    done = subprocess.run(
        [sys.executable, "-m", "dbrouter", "schema"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )

    assert done.returncode == 2
    assert done.stderr == "the command line needs typer, which comes with an extra: pip install 'dbrouter[cli]'\n"
    assert done.stdout == ""


# --- check


def test_check_says_what_a_valid_file_holds(good: str) -> None:
    """Exit 0 and one line."""
    result = run("check", good)

    assert result.exit_code == 0
    assert result.stdout == f"{good}: the configuration is valid: 2 databases, 3 hostgroups, 4 nodes, 1 rule\n"


def test_check_prints_every_problem_on_its_own_line(bad: str) -> None:
    """Exit 1; file, line, path and message of each problem; no traceback and no password."""
    result = run("check", bad)

    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"{bad}:7: hostgroups[0].servers[0].port: 70000 is not a port (1–65535)" in lines
    assert any(line.startswith(f"{bad}:8: pol: ") for line in lines)
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr


def test_check_json_is_one_document(good: str, bad: str) -> None:
    """With --json there is one document and nothing else, also where there are problems."""
    fine, wrong = run("check", good, "--json"), run("check", bad, "--json")

    assert (fine.exit_code, wrong.exit_code) == (0, 1)
    assert (fine.stderr, wrong.stderr) == ("", "")
    found = json.loads(fine.stdout)
    assert found["ok"] is True
    assert found["databases"] == ["shop", "catalog"]
    problems = json.loads(wrong.stdout)["problems"]
    assert {(problem["line"], problem["path"]) for problem in problems} >= {(7, "hostgroups[0].servers[0].port"), (8, "pol")}
    assert "hunter2" not in wrong.stdout


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_check_of_something_that_is_no_file(name: str, tmp_path: Path) -> None:
    """A file that is not there is a problem, not a traceback."""
    result = run("check", str(tmp_path / name))

    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr
    assert "Traceback" not in result.output


# --- explain


def test_explain_json_has_what_tools_rely_on(good: str) -> None:
    """Every field the interface names is there, and nothing was connected."""
    result = run("explain", "--config", good, "--json", "SELECT * FROM users WHERE id = 42")

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert set(found) >= {
        "database",
        "engine",
        "kind",
        "intent",
        "session",
        "reasons",
        "digest",
        "digest_text",
        "rules",
        "rule_id",
        "hostgroup",
        "hostgroup_name",
        "vetoed",
        "candidates",
    }
    assert (found["database"], found["engine"], found["kind"], found["intent"]) == ("shop", "mysql", "SELECT", "read")
    assert (found["hostgroup"], found["hostgroup_name"]) == (20, "shop-read")
    assert [candidate["node"] for candidate in found["candidates"]] == ["db2:3306", "db3:3306"]
    assert found["rules"][0]["rule_id"] == 10
    assert found["rules"][0]["matched"] is False


def test_explain_follows_database_and_tag(good: str) -> None:
    """`--database` and `--tag` are what the call would give."""
    tagged = json.loads(run("explain", "--config", good, "--tag", "report", "--json", "SELECT 1").stdout)
    other = json.loads(run("explain", "--config", good, "--database", "catalog", "--json", "SELECT 1").stdout)

    assert tagged["rule_id"] == 10
    assert (other["database"], other["hostgroup_name"]) == ("catalog", "catalog-write")


def test_explain_shows_a_veto(good: str) -> None:
    """A rule that would send a write to readers is told to have been overruled."""
    result = run("explain", "--config", good, "--tag", "report", "DELETE FROM users")

    assert result.exit_code == 0
    assert "vetoed:" in result.stdout
    assert "hostgroup 10 'shop-write'" in result.stdout
    assert "not probed yet" in result.stdout


def test_explain_reads_a_statement_from_standard_input(good: str) -> None:
    """`-` is for statements that are hard to quote."""
    result = run("explain", "--config", good, "--json", "-", stdin="UPDATE users SET name = 'x'")

    assert json.loads(result.stdout)["kind"] == "UPDATE"


def test_explain_of_an_unknown_database_is_wrong_usage(good: str) -> None:
    """The message has the names there are."""
    result = run("explain", "--config", good, "--database", "shopp", "SELECT 1")

    assert result.exit_code == 2
    assert "catalog" in result.stderr


def test_explain_with_a_bad_configuration_says_why(bad: str) -> None:
    """Problems as `check` has them."""
    result = run("explain", "--config", bad, "SELECT 1")

    assert result.exit_code == 1
    assert "70000 is not a port" in result.stderr


# --- classify


def test_classify_gives_a_verdict_a_line_and_the_summary_last() -> None:
    """JSON Lines in the order of the input, the summary as the last object."""
    lines = ["select 1", "", '{"sql": "insert into t values (1)", "calls": 3}', "SET @x = 1"]

    result = run("classify", "--engine", "mysql", "--json", stdin="\n".join(lines))

    *verdicts, last = documents(result.stdout)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert [(found["intent"], found["kind"], found["session"]) for found in verdicts] == [
        ("read", "SELECT", False),
        ("write", "INSERT", False),
        ("write", "SET", True),
    ]
    assert last["summary"] == {"calls": 5, "reads": 1, "writes": 4, "session": 1, "unreadable": 0, "replica_share": 0.2}


def test_classify_for_people_keeps_the_summary_apart() -> None:
    """Verdicts on standard output, the summary on standard error, so that a pipe gets verdicts alone."""
    result = run("classify", "--engine", "postgresql", stdin="SELECT 1\nDELETE FROM t\n")

    first, second = result.stdout.splitlines()
    assert first.startswith("read   SELECT: ")
    assert second.startswith("write  DELETE: ")
    assert result.stderr.startswith("2 calls: 1 reads, 1 writes")
    assert result.stderr.rstrip().endswith("replicas could take 50.0%")


@pytest.mark.parametrize("line", ["{not json", '{"query": "select 1"}', '{"sql": 7}', '{"sql": "select 1", "calls": -1}'])
def test_classify_goes_on_behind_a_line_it_cannot_read(line: str) -> None:
    """A bad line is a problem (exit 1) with its number; the lines behind it still get their verdict."""
    result = run("classify", "--engine", "mysql", "--json", stdin=f"{line}\nselect 1\n")

    found, verdict, last = documents(result.stdout)
    assert result.exit_code == 1
    assert found["line"] == 1
    assert found["error"]
    assert verdict["intent"] == "read"
    assert last["summary"]["unreadable"] == 1


def test_classify_takes_any_bytes() -> None:
    """Bytes that are no text, NUL and a megabyte in one line get a verdict too."""
    stdin = b"select '\xff\xfe\x00'\nselect " + b"1," * 500_000 + b"1\n"

    result = run("classify", "--engine", "postgresql", "--json", stdin=stdin)

    assert result.exit_code == 0
    assert documents(result.stdout)[-1]["summary"]["calls"] == 2


def test_classify_of_nothing_is_a_share_of_zero() -> None:
    """No input is no division by zero."""
    result = run("classify", "--engine", "mysql", "--json", stdin="")

    assert documents(result.stdout) == [
        {"summary": {"calls": 0, "reads": 0, "writes": 0, "session": 0, "unreadable": 0, "replica_share": 0.0}}
    ]


# --- schema


def test_schema_is_a_json_schema() -> None:
    """Editors get every shape."""
    found = json.loads(run("schema").stdout)

    assert found["$schema"].startswith("https://json-schema.org/")
    own, proxysql = (found["$defs"][shape["$ref"].rpartition("/")[2]] for shape in found["anyOf"])
    assert {"writer", "readers", "databases", "hostgroups", "query_rules"} <= set(own["properties"])
    assert {"mysql_servers", "pgsql_query_rules", "databases", "hostgroups", "pool"} <= set(proxysql["properties"])


# --- status


@pytest.mark.parametrize("url", ["ftp://x/", "/etc/passwd", "file:///etc/passwd", "http://", "localhost:8000"])
def test_status_takes_web_addresses_only(url: str) -> None:
    """Anything else is wrong usage."""
    assert run("status", url).exit_code == 2


@pytest.mark.parametrize("as_json", [False, True])
def test_status_of_a_service_that_is_not_there(as_json: bool) -> None:
    """Exit 1 and a reason; with --json the reason is in the document."""
    result = run("status", "http://127.0.0.1:9/internal", *(["--json"] if as_json else []))

    assert result.exit_code == 1
    if as_json:
        assert "http://127.0.0.1:9/internal/health" in json.loads(result.stdout)["problems"][0]["message"]
        assert result.stderr == ""
    else:
        assert "refused" in result.stderr
