"""A survey has what can be read of a file, and where it stands."""

from __future__ import annotations

from pathlib import Path

from dbrouter.config import load
from dbrouter.config.survey import survey

FILE = """\
databases:
  app: {dsn: "postgresql://app@/app", writer_hostgroup: 1}
hostgroups:
  - {id: 1, servers: [db1]}
query_rules:
  - rule_id: 2
    timeout: ${LIMIT:-5s}
  - rule_id: 1
    flagIN: 3
query_processor_iterations: 4
"""


def test_a_file_that_loads(tmp_path: Path) -> None:
    """The configuration, and the pieces in the order of the file."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(FILE, encoding="utf-8")
    seen = survey(path)

    assert seen.config == load(path) and not seen.problems
    assert [(rule.rule_id, seen.places.place((*where, "flagIN"))) for where, rule in seen.draft.rules] == [
        (2, ("query_rules[0].flagIN", 6)),
        (1, ("query_rules[1].flagIN", 9)),
    ]
    assert seen.draft.processing.query_processor_iterations == 4


def test_a_file_that_does_not_load(tmp_path: Path) -> None:
    """All that is wrong, and the pieces that are right."""
    path = tmp_path / "dbrouter.yaml"
    path.write_text(FILE.replace("[db1]", "[]").replace("rule_id: 2", "rule_id: two"), encoding="utf-8")
    seen = survey(path)

    assert seen.config is None
    assert [(problem.path, problem.line) for problem in seen.problems] == [
        ("hostgroups[0].servers", 4),
        ("query_rules[0].rule_id", 6),
    ]
    assert [rule.rule_id for _, rule in seen.draft.rules] == [1]
    assert list(seen.draft.databases) == ["app"]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """Nothing but the reason."""
    seen = survey(tmp_path / "nowhere.yaml")

    assert seen.config is None and not seen.draft.rules
    assert [problem.message for problem in seen.problems] == ["there is no such file"]
