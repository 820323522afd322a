"""``dbrouter classify`` over files: formats, engines, tables, one JSON document, rules, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dbrouter.cli.__main__ import build_app

SLOW = """\
# Time: 2026-11-21T07:36:22.468185Z
# User@Host: root[root] @ localhost []  Id:    12
# Query_time: 3.000000  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0
SET timestamp=1795246582;
SELECT * FROM t WHERE a = 'secret-1';
# Time: 2026-11-21T07:36:22.477300Z
# User@Host: root[root] @ localhost []  Id:    13
# Query_time: 1.000000  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 1
SET timestamp=1795246582;
UPDATE t SET a = 'secret-2';
"""

RULES = """\
version: 1
databases:
  shop: {engine: mysql, dsn: "mysql://app@/shop", writer_hostgroup: 10, reader_hostgroup: 20}
hostgroups:
  - {id: 10, name: shop-write, servers: ["db1:3306"]}
  - {id: 20, name: shop-read, servers: ["db2:3306"]}
query_rules:
  - {rule_id: 10, match_digest: "^SELECT .* FROM hot", destination_hostgroup: 10, apply: true}
"""


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """The command's result; standard output and standard error apart."""
    result = CliRunner().invoke(build_app(), ["classify", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """A slow log of one read and one write."""
    path = tmp_path / "slow.log"
    path.write_text(SLOW, encoding="utf-8")
    return str(path)


def document(result: Result) -> dict[str, Any]:
    """The one JSON document on standard output."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_slow_log_says_its_engine(slow: str) -> None:
    """Format and engine are found out; sums, shares of time and reasons are in one document."""
    result = run(slow, "--json")

    found = document(result)
    assert result.exit_code == 0
    assert found["sources"] == [{"name": slow, "format": "slow-log", "statements": 2, "unreadable": 0}]
    assert (found["engine"], found["calls"], found["replica_share"], found["replica_time_share"]) == ("mysql", 2, 0.5, 0.75)
    assert [one["reason"] for one in found["held"]] == ["UPDATE changes data"]
    assert found["hostgroups"] is None


def test_the_table_names_shares_and_reasons_and_no_literal(slow: str) -> None:
    """For people: the sum in one line, reasons and digests as tables, values of statements nowhere."""
    result = run(slow)

    assert result.exit_code == 0
    assert (
        "2 calls: 1 reads, 1 writes, 0 with session state; replicas could take 50.0% of the calls and 75.0% of their 4 s"
        in result.stdout
    )
    assert "UPDATE changes data" in result.stdout
    assert "SELECT * FROM t WHERE a = ?" in result.stdout
    assert "secret" not in result.stdout + result.stderr


def test_standard_input_is_a_file_called_minus() -> None:
    """A script on standard input is added up where - asks for it."""
    found = document(run("-", "--engine", "postgresql", "--json", stdin="SELECT 1;\nSELECT 2;\nDELETE FROM t;"))

    assert found["sources"] == [{"name": "standard input", "format": "sql", "statements": 3, "unreadable": 0}]
    assert [(one["digest_text"], one["calls"]) for one in found["digests"]] == [("SELECT ?", 2), ("DELETE FROM t", 1)]


def test_a_format_adds_up_standard_input() -> None:
    """--format asks for the sum too."""
    result = run("--engine", "mysql", "--format", "json", "--json", stdin='{"sql": "SELECT 1", "calls": 9}\nSELECT 1\n')

    found = document(result)
    assert result.exit_code == 1
    assert (found["calls"], found["unreadable"]) == (9, 1)
    assert found["problems"] == [{"source": "standard input", "line": 2, "why": "is no JSON object"}]


def test_places_that_cannot_be_read_are_named(slow: str) -> None:
    """File, line and why on standard error, exit code 1, and the rest is added up."""
    Path(slow).write_text(SLOW + SLOW.partition("UPDATE")[0], encoding="utf-8")

    result = run(slow)

    assert result.exit_code == 1
    assert f"{slow} (slow-log): 3 statements, 1 places unreadable" in result.stdout
    assert f"{slow}:16: the entry has no statement" in result.stderr


def test_each_statement_of_a_log_on_a_line_of_its_own(slow: str) -> None:
    """--each: verdicts as from standard input, in the order of the log, the summary last."""
    *verdicts, last = [json.loads(line) for line in run(slow, "--each", "--json").stdout.splitlines()]

    assert [(one["intent"], one["kind"]) for one in verdicts] == [("read", "SELECT"), ("write", "UPDATE")]
    assert last["summary"]["calls"] == 2


def test_several_files_are_one_workload(slow: str, tmp_path: Path) -> None:
    """Sums over all of them, each named with what it gave."""
    script = tmp_path / "more.sql"
    script.write_text("SELECT * FROM t WHERE a = 5;\n", encoding="utf-8")

    found = document(run(slow, str(script), "--json"))

    assert [one["statements"] for one in found["sources"]] == [2, 1]
    assert (found["digests"][0]["digest_text"], found["digests"][0]["calls"]) == ("SELECT * FROM t WHERE a = ?", 2)


def test_top_cuts_the_digests_and_nothing_else(tmp_path: Path) -> None:
    """The others are counted."""
    script = tmp_path / "many.sql"
    script.write_text("".join(f"SELECT a{number};\n" * number for number in range(1, 8)), encoding="utf-8")

    found = document(run(str(script), "--engine", "mysql", "--top", "2", "--json"))

    assert [one["calls"] for one in found["digests"]] == [7, 6]
    assert found["other"] == {"digests": 5, "calls": 15}
    assert found["calls"] == 28
    assert "the 2 digests with the most calls, of 7" in run(str(script), "--engine", "mysql", "--top", "2").stdout


def test_rules_say_where_it_would_go(tmp_path: Path) -> None:
    """With a configuration: the share of each hostgroup, rules applied; its engine is the workload's."""
    rules, script = tmp_path / "rules.yaml", tmp_path / "load.sql"
    rules.write_text(RULES, encoding="utf-8")
    script.write_text(
        "SELECT a FROM hot;\nSELECT a FROM cold;\nSELECT b FROM cold;\nINSERT INTO cold VALUES (1);", encoding="utf-8"
    )

    found = document(run(str(script), "--config", str(rules), "--json"))

    assert found["replica_share"] == 0.75
    assert found["hostgroups"] == {"shop-write": {"calls": 2, "share": 0.5}, "shop-read": {"calls": 2, "share": 0.5}}
    assert "where the configuration would send them" in run(str(script), "--config", str(rules)).stdout


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """An empty log is no error and no table."""
    empty = tmp_path / "empty.log"
    empty.touch()

    result = run(str(empty), "--engine", "mysql")

    assert result.exit_code == 0
    assert "no statement was found" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["SCRIPT"], "--engine"),
        (["nosuch.log", "--engine", "mysql"], "nosuch.log"),
        (["SLOW", "--engine", "postgresql"], "sources are of"),
        (["SLOW", "--from-server", "mysql://app@db1/shop"], "--from-server"),
        (["SLOW", "--database", "shop"], "--database"),
        (["SLOW", "--config", "RULES", "--database", "nosuch"], "is not one of shop"),
        (["SLOW", "--config", "RULES", "--each"], "--config"),
        (["--config", "RULES"], "--config"),
        (["SLOW", "--top", "0"], "--top"),
        (["SLOW", "--format", "binlog"], "--format"),
    ],
)
def test_wrong_usage(arguments: list[str], why: str, slow: str, tmp_path: Path) -> None:
    """Exit code 2 and the option that is wrong."""
    rules, script = tmp_path / "rules.yaml", tmp_path / "load.sql"
    rules.write_text(RULES, encoding="utf-8")
    script.write_text("SELECT 1;", encoding="utf-8")
    places = {"SLOW": slow, "RULES": str(rules), "SCRIPT": str(script)}

    result = run(*(places.get(argument, argument) for argument in arguments), stdin="")

    assert result.exit_code == 2
    assert why in result.stderr


def test_a_configuration_with_problems_is_exit_code_1(slow: str, tmp_path: Path) -> None:
    """The problems of the configuration, as every command tells them; a wrong DSN too, without its password."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("writer: 7\n", encoding="utf-8")

    for arguments in ((slow, "--config", str(rules)), ("--from-server", "mysql://app:hunter2@db1:99999/shop")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "writer" in result.stderr
        assert "hunter2" not in result.stderr


def test_what_a_rule_refuses_or_answers_is_sent_nowhere(tmp_path: Path) -> None:
    """Its calls are no hostgroup's."""
    rules, script = tmp_path / "rules.yaml", tmp_path / "load.sql"
    forbids = (
        '  - {rule_id: 1, match_digest: "^DELETE", error_msg: "no"}\n  - {rule_id: 2, match_digest: "^SET", OK_msg: "fine"}\n'
    )
    rules.write_text(RULES.partition("query_rules:")[0] + f"query_rules:\n{forbids}", encoding="utf-8")
    script.write_text("SELECT 1;\nDELETE FROM t;\nSET x = 1;\n", encoding="utf-8")
    found = document(run(str(script), "--config", str(rules), "--json"))

    assert {name: one["calls"] for name, one in found["hostgroups"].items()} == {
        "shop-read": 1,
        "(refused by a rule)": 1,
        "(answered by a rule)": 1,
    }
