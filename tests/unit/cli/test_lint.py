"""`dbrouter lint` as people and programs see it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dbrouter.cli.__main__ import build_app
from dbrouter.config import loads
from dbrouter.router.build import build
from dbrouter.router.planner import NO_WISH
from dbrouter.rules.lint import lint
from dbrouter.rules.spellings import write_that_matches

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

    assert document["hits"] == {"5": 4, "10": 0, "20": 0}
    assert (document["statements"], document["calls"]) == (2, 4)
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


def test_people_see_the_hits_too(file: Path, tmp_path: Path) -> None:
    """A table of all active rules, and what was read."""
    log = tmp_path / "log.sql"
    log.write_text("SELECT 1;\nSELECT\n 2;\nUPDATE t SET a = 1;\n", encoding="utf-8")
    code, output = run(file, "--log", log)

    assert code == 1
    assert [line.split() for line in output.splitlines() if re.match("  [0-9]", line)] == [["5", "2"], ["10", "0"], ["20", "0"]]
    assert f"{log}: 3 calls, 3 statements" in output


def test_what_a_log_cannot_tell_is_a_note(tmp_path: Path) -> None:
    """Rules about tags and later calls may match although no statement does; rules of another database are not asked about."""
    path, log = tmp_path / "dbrouter.yaml", tmp_path / "log.sql"
    log.write_text("SELECT 1;\n", encoding="utf-8")
    path.write_text(
        """\
databases:
  app: {dsn: "postgresql://app@/app", writer_hostgroup: 1}
  audit: {dsn: "postgresql://app@/audit", writer_hostgroup: 3}
hostgroups: [{id: 1, servers: [db1]}, {id: 3, servers: [db3]}]
query_rules:
  - {rule_id: 1, tag: report, destination_hostgroup: 1, next_query_flagIN: 7}
  - {rule_id: 2, flagIN: 7, timeout: 1s}
  - {rule_id: 3, match_digest: "^DELETE", destination_hostgroup: 1}
  - {rule_id: 4, match_digest: "^DELETE", destination_hostgroup: 3}
""",
        encoding="utf-8",
    )
    _, output = run(path, "--log", log, "--json")
    never = {one["rule_id"]: one for one in json.loads(output)["findings"] if one["code"] == "never-hit"}

    assert {rule_id: one["severity"] for rule_id, one in never.items()} == {1: "note", 2: "note", 3: "warning"}
    assert "a log does not tell tag" in never[1]["message"] and "next_query_flagIN" in never[2]["message"]


def test_both_sides_of_a_drawn_flag_are_hit(tmp_path: Path) -> None:
    """A log goes through the rules as calls would: flags are drawn by their weights."""
    path, log = tmp_path / "dbrouter.yaml", tmp_path / "log.sql"
    log.write_text("SELECT 1;\n" * 200, encoding="utf-8")
    rules = """\
writer: postgresql://app@db1/shop
query_rules:
  - {rule_id: 1, attributes: {flagOUTs: [{id: 1, weight: 3}, {id: 2, weight: 1}]}}
  - {rule_id: 2, flagIN: 1, timeout: 1s}
  - {rule_id: 3, flagIN: 2, timeout: 2s}
"""
    path.write_text(rules, encoding="utf-8")
    code, output = run(path, "--log", log, "--json")
    hits = json.loads(output)["hits"]

    assert code == 0 and hits["1"] == 200 == hits["2"] + hits["3"] and hits["2"] > hits["3"] > 20


def test_lines_are_those_of_the_columns_whatever_the_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules over many lines, variables for numbers, ProxySQL's names, the small shape."""
    monkeypatch.setenv("RULE", "30")
    path = tmp_path / "dbrouter.yaml"
    path.write_text(
        "writer: postgresql://app@db1/shop\n"
        "readers:\n  - postgresql://app@db1/shop\n  - postgresql://app@db2/shop\n"
        "query_rules:\n  - rule_id: ${RULE}\n    timeout: 1s\n    flagIN: 4\n",
        encoding="utf-8",
    )
    code, output = run(path)

    assert code == 1
    assert f"{path}:8: warning unreachable: rule 30:" in output
    assert f"{path}:2: note reader-includes-writer: readers: db1:5432 is in the writer hostgroup" in output

    path.write_text(
        "mysql_servers: [{hostgroup_id: 0, hostname: a}, {hostgroup_id: 1, hostname: b}]\n"
        "mysql_users: [{username: app, password: x, default_hostgroup: 0}]\n"
        "mysql_replication_hostgroups: [{writer_hostgroup: 0, reader_hostgroup: 1}]\n"
        "mysql_query_rules:\n"
        '  - {rule_id: 2, active: 1, match_pattern: "^SELECT.*FOR UPDATE$", destination_hostgroup: 0, apply: 1}\n'
        '  - {rule_id: 1, active: 1, match_pattern: "^SELECT", destination_hostgroup: 1, apply: 1}\n',
        encoding="utf-8",
    )
    _, output = run(path, "--json")
    shadowed = [one for one in json.loads(output)["findings"] if one["code"] == "shadowed"]

    assert [(one["path"], one["line"], one["rule_id"]) for one in shadowed] == [("mysql_query_rules[0]", 5, 2)]


def test_the_rest_of_a_broken_file_is_judged(tmp_path: Path) -> None:
    """A mistake elsewhere hides nothing; one among the rules leaves what each rule says by itself."""
    path = tmp_path / "dbrouter.yaml"

    path.write_text(FILE.replace("servers: [db2]", "servers: []"), encoding="utf-8")
    elsewhere = json.loads(run(path, "--json")[1])["findings"]
    path.write_text(FILE.replace('UPDATE", dest', 'UPDATE$", dest').replace('"^SELECT", intent: read', '"("'), encoding="utf-8")
    among = json.loads(run(path, "--json")[1])["findings"]

    assert [(one["code"], one["line"]) for one in elsewhere] == [("invalid", 5), ("shadowed", 8), ("shadowed", 7)]
    assert [(one["code"], one["line"]) for one in among] == [("invalid", 8), ("misses-spellings", 7)]


def test_the_rules_on_trial_are_judged_too(tmp_path: Path) -> None:
    """The file of `shadow_rules` is linted beside the configuration, by its own lines; neither hides anything of the other."""
    path, candidate = tmp_path / "dbrouter.yaml", tmp_path / "candidate.yaml"
    path.write_text(FILE.partition("query_rules")[0] + "shadow_rules: candidate.yaml\n", encoding="utf-8")
    rules = "hostgroups:\n  - {id: 2, name: replicas}\nquery_rules:" + FILE.partition("query_rules:")[2]
    candidate.write_text(rules.replace("destination_hostgroup: 2,", "destination_hostgroup: replicas,"), encoding="utf-8")

    code, output = run(path, "--json")
    found = json.loads(output)["findings"]
    assert code == 1
    assert {one["file"] for one in found} == {str(candidate)}
    assert [(one["code"], one["line"], one["rule_id"]) for one in found] == [("shadowed", 5, 10), ("shadowed", 4, 20)]
    assert f"{candidate}:5: warning shadowed: rule 10" in run(path)[1]

    path.write_text(FILE + "shadow_rules: candidate.yaml\n", encoding="utf-8")
    candidate.write_text(rules.replace("rule_id: 20", "rule_id: twenty"), encoding="utf-8")
    found = json.loads(run(path, "--json")[1])["findings"]
    assert [(one["code"], Path(one["file"]).name, one["line"]) for one in found] == [
        ("invalid", "candidate.yaml", 4),
        ("shadowed", "dbrouter.yaml", 8),
        ("shadowed", "dbrouter.yaml", 7),
    ]

    candidate.write_text("query_rules: [{rule_id: 1, tag: a, error_msg: no}]\nfast: 1\n", encoding="utf-8")
    path.write_text(FILE.partition("query_rules")[0] + "shadow_rules: candidate.yaml\n", encoding="utf-8")
    assert [one["path"] for one in json.loads(run(path, "--json")[1])["findings"]] == ["fast"]

    candidate.unlink()
    assert [one["message"] for one in json.loads(run(path, "--json")[1])["findings"]] == ["there is no such file"]


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "mysql_query_rules: 5", "query_rules: 5", "hostgroups: [{id: 1}]"])
def test_whatever_the_file_holds(tmp_path: Path, text: str) -> None:
    """It is refused with findings, never with a traceback."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(text, encoding="utf-8")
    code, output = run(path, "--json")

    assert code == 1 and {one["code"] for one in json.loads(output)["findings"]} == {"invalid"}


def test_wrong_usage(file: Path, tmp_path: Path) -> None:
    """A log that is not there or holds nothing, a database that is none."""
    empty = tmp_path / "empty.log"
    empty.write_text("", encoding="utf-8")
    assert run(file, "--log", empty)[0] == 2
    assert run(file, "--log", "/nowhere.log")[0] == 2
    assert run(file, "--log", file, "--database", "nowhere")[0] == 2


async def test_what_is_said_of_the_veto_is_what_the_planner_does() -> None:
    """Of random rules that send to readers, those with a note have a write that the planner vetoes."""
    rng = random.Random(1)
    patterns = ["^SELECT", "^SELECT .* FROM t", "^(INSERT|DELETE)", "FOR UPDATE$", "^SHOW", "^UPDATE orders", "a", r"id = \?"]
    vetoed = 0
    for _ in range(60):
        rule: dict[str, object] = {"rule_id": 1, "destination_hostgroup": 2, "apply": True}
        rule[rng.choice(["match_digest", "match_pattern"])] = rng.choice(patterns)
        if rng.random() < 0.3:
            rule["negate_match_pattern"] = True
        if rng.random() < 0.3:
            rule["kind"] = rng.choice(["SELECT", "INSERT"])
        config = loads(FILE.partition("query_rules")[0] + f"query_rules: {json.dumps([rule])}\n")
        parts = build(config)
        (context,) = parts.contexts
        said = [finding for finding in lint(config) if finding.code == "vetoed-destination"]
        write = write_that_matches(config.query_rules[0], context.engine)
        assert bool(said) == (write is not None)
        if write is not None:
            vetoed += 1
            veto = context.planner.decide(write, NO_WISH).veto
            assert veto is not None and veto.rule_id == 1, (rule, write)
        await parts.tasks.close()
    assert vetoed > 20


def test_tables_show_whatever_a_comment_or_a_log_holds(tmp_path: Path) -> None:
    """Backslashes and brackets are themselves; control characters, which would steer the terminal, are spelled out."""
    path, log = tmp_path / "dbrouter.yaml", tmp_path / "log.sql"
    comment = r"'a\[/b] [red]x\\'"
    path.write_text(
        FILE.partition("query_rules")[0] + f"query_rules: [{{rule_id: 1, comment: {comment}, log: true}}]\n", encoding="utf-8"
    )
    log.write_text("SELECT \x1b]0;x\x07 FROM t;\n", encoding="utf-8")
    code, output = run(path, "--log", log)
    shown = CliRunner().invoke(build_app(), ["classify", "--engine", "postgresql", str(log)])
    lines = CliRunner().invoke(build_app(), ["classify", "--engine", "postgresql"], input=log.read_text(encoding="utf-8"))

    assert code == 0 and comment.strip("'") in output
    for result in (shown, lines):
        assert result.exit_code == 0 and r"\x1b]" in result.output
        assert "\x1b" not in result.output and "\x07" not in result.output


def test_a_log_of_another_engine_and_a_database_without_one_are_wrong_usage(file: Path, tmp_path: Path) -> None:
    """What cannot be meant is refused rather than left aside."""
    log = tmp_path / "slow.log"
    log.write_text("# Time: 2026-01-01T00:00:00Z\n# User@Host: a[a] @ b []\n# Query_time: 1  Lock_time: 0\nSELECT 1;\n")

    code, output = run(file, "--log", log)
    assert code == 2 and "mysql" in output and "postgresql" in output
    code, output = run(file, "--database", "app")
    assert code == 2 and "--log" in output
