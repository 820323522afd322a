"""
`python -m tests.fuzz [SECONDS]`: atheris over `dbrouter.sql`, ten minutes unless told otherwise, seeded by the corpora.

libFuzzer says what it covered while it runs. A find ends the run with an exit status other than 0 and the input in a file of
`finds`, where `test_invariants` runs it from then on; a line of the corpus or a test that says what was wrong belongs beside it.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dbrouter.sql"]):
    import dbrouter.sql

from dbrouter.sql.functions import FUNCTIONS
from dbrouter.sql.heads import MY_HEADS, PG_HEADS
from dbrouter.sql.words import MY_WATCHED, PG_WATCHED
from dbrouter.terms import Engine
from tests.corpus.lines import load
from tests.fuzz.invariants import check, check_cost, data_of, text_of

_COST_EVERY = 64
_KEPT: dict[tuple[str, Engine], dbrouter.sql.Statement] = sys.modules["dbrouter.sql.analyze"]._kept  # type: ignore[attr-defined]
_FINDS = Path(__file__).with_name("finds")
_MARKS = (
    *(
        "'",
        '"',
        "`",
        "\\'",
        "''",
        "/*",
        "*/",
        "/*!",
        "/*!50000 ",
        "/*M!",
        "/*+",
        "--",
        "-- ",
        "#",
        "\n",
        ";",
        "$$",
        "$a$",
        "$1",
        "%s",
    ),
    *(":a", "::", ":=", "@", "@@", "E'", "U&'", 'U&"', "N'", "\x00", "1e5", "0x1F", "\\:", "?", "||", "ARRAY[", "(SELECT 1)"),
    *("FOR UPDATE", "FOR SHARE", "INTO", "LOCK IN SHARE MODE", "ATOMIC", "END", "CASE", "ANALYZE", "FORMAT=", "SCHEMA", "AS ("),
)


def one_input(data: bytes) -> None:
    if len(data) < 2:
        return
    _KEPT.clear()  # every input is seen for the first time
    sql, engine = text_of(data)
    check(sql, engine)
    where = zlib.crc32(data)
    if where % _COST_EVERY == 0 and len(sql) < 400:
        begin = where // _COST_EVERY % len(sql)
        end = begin + 1 + where // 50_021 % (len(sql) - begin)
        check_cost(sql[:begin], sql[begin:end], sql[end:], engine)


def _seed(folder: Path) -> None:
    lines = [(line.sql, engine) for engine in Engine for line in load(engine)]
    for number, (sql, engine) in enumerate(lines):
        (folder / f"corpus-{number}").write_bytes(data_of(sql, engine))
    for find in _FINDS.iterdir():
        (folder / find.name).write_bytes(find.read_bytes())


def _words() -> list[str]:
    words = {*_MARKS, *PG_HEADS, *MY_HEADS, *PG_WATCHED, *MY_WATCHED}
    for functions in FUNCTIONS.values():
        words |= {f"{name.lower()}(" for name in (*functions.session, *functions.writes)}
    return sorted(word for word in words if word)


def _quoted(word: str) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in word.encode()) + '"\n'


def main(arguments: list[str]) -> None:
    seconds, options = (arguments[0], arguments[1:]) if arguments[:1] and arguments[0].isdigit() else ("600", arguments)
    with tempfile.TemporaryDirectory(prefix="dbrouter-fuzz-") as folder:
        seeds = Path(folder, "seeds")
        seeds.mkdir()
        _seed(seeds)
        words = Path(folder, "words.txt")
        words.write_text("".join(map(_quoted, _words())))
        atheris.Setup(
            [
                sys.argv[0],
                f"-max_total_time={seconds}",
                f"-dict={words}",
                "-max_len=4096",
                "-timeout=10",
                "-print_final_stats=1",
                f"-artifact_prefix={_FINDS}/",
                *options,
                str(seeds),
            ],
            one_input,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
