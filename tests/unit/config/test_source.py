"""Reading files: what is no configuration at all is refused clearly."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbrouter.config import load, loads
from dbrouter.errors import ConfigError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": is empty"),
        (b"# nothing\n", ": is empty"),
        (b"---\n", "the top level is empty"),
        (b"null\n", ":1: the top level is empty"),
        (b"just words", ":1: the top level is a single value"),
        (b"- writer\n", ":1: the top level is a list"),
        (b"a: [1\n", "is not YAML"),
        (b'mysql_servers =\n(\n { address="h", port=3306 }\n)\n', "looks like a proxysql.cnf; 'dbrouter import proxysql FILE'"),
        (b'datadir="/x"\nmysql_variables=\n{\n\tthreads=4\n}\n', "looks like a proxysql.cnf"),
        (b"SQLite format 3\0\x10\0", "is a SQLite database, not YAML; 'dbrouter import proxysql FILE'"),
        (b"a: b: c\n", ":1: is not YAML: mapping values are not allowed here"),
        (b"a: 1\n\tb: 2\n", ":2: is not YAML"),
        (b"a: \x01\n", "is not YAML: a control character"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"\x7fELF\x00\x01", ":1: is not text (it has NUL bytes)"),
        (b"writer: a\n---\nwriter: b\n", "more than one document"),
        (b"writer: !!python/object:os.system x\n", "has a YAML tag"),
        (b"a: &a [*a]\n", "an alias contains itself"),
        (b"[" * 2000, "is not YAML"),
        (b"? [a]\n: 1\n", "a key is not a name"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    """The message names the file, and the line where there is one."""
    file = tmp_path / "dbrouter.yaml"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert message in str(caught.value)
    assert all(problem.file == str(file) for problem in caught.value.problems)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    """Missing files, directories and texts in place of paths."""
    for path, message in ((tmp_path / "nowhere.yaml", "there is no such file"), (tmp_path, "is a directory, not a file")):
        with pytest.raises(ConfigError, match=message):
            load(path)
    for text in ("writer: x\nreaders: []", "a\0b"):
        with pytest.raises(ConfigError, match="the source is not the path of a file"):
            load(text)


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    """All duplicates are reported, at every depth."""
    with pytest.raises(ConfigError) as caught:
        loads("writer: mysql://a\npool:\n  max_size: 1\n  min_size: 0\n  max_size: 2\nwriter: mysql://b\n")

    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (1, "writer is given twice, in lines 1 and 6"),
        (3, "pool.max_size is given twice, in lines 3 and 5"),
    ]


def test_yaml_is_1_2_without_surprises() -> None:
    """`on`, `012` and `12:30` are what they look like; a byte-order mark is skipped."""
    config = loads("\ufeffwriter: mysql://a\nquery_rules:\n- {rule_id: 012, tag: on, comment: 12:30, error_msg: 2020-01-01}\n")

    rule = config.query_rules[0]
    assert (rule.rule_id, rule.tag, rule.comment, rule.error_msg) == (12, "on", "12:30", "2020-01-01")


def test_anchors_and_merges_work() -> None:
    """Shared pieces may be written once; what stands in the mapping itself wins over the merged."""
    config = loads(
        "databases: {d: {engine: mysql, writer_hostgroup: 1, reader_hostgroup: 2}}\n"
        "hostgroups:\n"
        "- {id: 1, servers: [a], pool: &p {max_size: 5, min_size: 2}}\n"
        "- {id: 2, servers: [b], pool: {<<: *p, max_size: 7}}\n"
    )

    pool = config.pool_for(config.hostgroups[1])
    assert (pool.min_size, pool.max_size) == (2, 7)


def test_exploding_aliases_end() -> None:
    """Aliases of aliases of aliases are refused instead of filling the memory."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(ConfigError, match="values"):
        loads("\n".join(lines))


def test_lines_lead_to_the_value() -> None:
    """A problem deep in a file carries the line of the value, or of the mapping where a key is missing."""
    text = "writer: mysql://a\nreaders:\n- mysql://b\n- mysql://c:0\nquery_rules:\n- comment: x\n"

    with pytest.raises(ConfigError) as caught:
        loads(text, file="f.yaml")

    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (4, "readers[1]"),
        (6, "query_rules[0].rule_id"),
    ]
    assert str(caught.value.problems[0]).startswith("f.yaml:4: readers[1]: ")


def test_large_files_load_in_reasonable_time() -> None:
    """Ten thousand rules are a file people have (fast routing is a later matter)."""
    rules = "".join(f'- {{rule_id: {n}, match_digest: "^SELECT .* FROM t{n} ", destination_hostgroup: 1}}\n' for n in range(2000))

    assert len(loads("writer: mysql://a\nquery_rules:\n" + rules).query_rules) == 2000
