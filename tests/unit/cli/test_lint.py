"""`dbrouter lint` as people and programs see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dbrouter.cli.__main__ import build_app

FILE = """\
databases:
  app: {dsn: "postgresql://app@/app", writer_hostgroup: 1, reader_hostgroup: 2}
hostgroups:
  - {id: 1, servers: [db1]}
  - {id: 2, servers: [db2]}
query_rules:
  - {rule_id: 20, match_digest: "^SELECT.*FOR UPDATE", destination_hostgroup: 1}
  - {rule_id: 10, match_digest: "^SELECT", intent: read, destination_hostgroup: 2, apply: true}
  - {rule_id: 5, match_digest: "^SELECT", destination_hostgroup: 1, apply: true}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with a mistake or two."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(build_app(), ["lint", *map(str, arguments)])
    return result.exit_code, result.output


def test_lines_name_file_line_rule_and_code(file: Path) -> None:
    """In the order of the rules, with the lines of the file; warnings are exit code 1."""
    code, output = run(file)
    lines = output.splitlines()

    assert code == 1
    assert lines[0].startswith(f"{file}:8: warning shadowed: rule 10: rule 5 matches whatever this one matches")
    assert lines[1].startswith(f"{file}:7: warning shadowed: rule 20: rule 5 matches")
    assert lines[-1] == f"{file}: 2 warnings"


def test_json_has_everything(file: Path) -> None:
    """One document."""
    code, output = run(file, "--json")
    document = json.loads(output)

    assert code == 1 and document["ok"] is False
    assert [(one["rule_id"], one["line"], one["code"]) for one in document["findings"]] == [
        (10, 8, "shadowed"),
        (20, 7, "shadowed"),
    ]


def test_a_log_shows_what_is_never_hit(file: Path, tmp_path: Path) -> None:
    """Rules without a hit are findings; hits are counted by calls."""
    log = tmp_path / "log.jsonl"
    log.write_text('{"sql": "SELECT 1", "calls": 3}\n{"sql": "SELECT 2"}\n', encoding="utf-8")
    _, output = run(file, "--log", log, "--json")
    document = json.loads(output)

    assert document["hits"] == {"5": 4}
    assert [one["rule_id"] for one in document["findings"] if one["code"] == "never-hit"] == [10, 20]


def test_nothing_to_say_is_fine(tmp_path: Path) -> None:
    """Exit code 0."""
    path = tmp_path / "small.yaml"
    path.write_text("writer: postgresql://app@db1/shop\n", encoding="utf-8")

    assert run(path) == (0, f"{path}: nothing to say\n")


def test_what_does_not_load_is_a_finding_too(tmp_path: Path) -> None:
    """With its line, in both forms."""
    path = tmp_path / "broken.yaml"
    path.write_text(FILE.replace("servers: [db2]", "servers: []"), encoding="utf-8")
    code, output = run(path, "--json")

    assert code == 1 and json.loads(output)["findings"][0]["severity"] == "error"
    code, output = run(path)
    assert code == 1 and f"{path}:5: error invalid: hostgroups[1].servers" in output


def test_wrong_usage(file: Path) -> None:
    """A log that is not there, a database that is none."""
    assert run(file, "--log", "/nowhere.log")[0] == 2
    assert run(file, "--log", file, "--database", "nowhere")[0] == 2
