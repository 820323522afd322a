"""The classifier gives every line of the corpora the verdict that the corpus, and so the servers, give it."""

from __future__ import annotations

import pytest

from dbrouter.sql import analyze
from dbrouter.terms import Engine, Intent
from tests.corpus.lines import Line, load

LINES = [(engine, line) for engine in Engine for line in load(engine)]


def _verdict(engine: Engine, sql: str) -> str:
    statement = analyze(sql, engine)
    if statement.transaction_control:
        return "control"
    if statement.session:
        return "session"
    return "read" if statement.intent is Intent.READ else "write"


@pytest.mark.parametrize("engine", list(Engine))
def test_the_corpus_is_large(engine: Engine) -> None:
    """Each engine has at least fifteen hundred lines, each of them once."""
    lines = [(line.sql, tuple(line.flags)) for line in load(engine)]

    assert len(lines) >= 1500
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("engine", list(Engine))
def test_every_line_gets_its_verdict(engine: Engine) -> None:
    """Read, write, session state and transaction control are told apart as the corpus says."""
    wrong = [
        f"{engine}.sql:{line.number}: {line.sql!r} is {line.verdict}, classified {_verdict(engine, line.sql)}"
        for of, line in LINES
        if of is engine and _verdict(engine, line.sql) != line.verdict
    ]

    assert wrong == []


def test_every_flag_says_why() -> None:
    """What a replica silently accepts, what fails and what is not run come with their reason."""
    silent = [
        f"{engine}.sql:{line.number}: {flag}"
        for engine, line in LINES
        for flag, why in line.flags.items()
        if flag.split("-")[0] in ("silent", "error", "noexec", "unknown", "after") and not why
    ]

    assert silent == []


def _of(engine: Engine, verdict: str) -> list[Line]:
    return [line for of, line in LINES if of is engine and line.verdict == verdict]


@pytest.mark.parametrize("engine", list(Engine))
def test_every_write_has_a_reason_and_no_read_has_one(engine: Engine) -> None:
    """`reasons` is empty for reads and only for them; `session_reason` names the state where there is one."""
    assert [line.sql for line in _of(engine, "read") if analyze(line.sql, engine).reasons] == []
    assert [line.sql for line in _of(engine, "write") if not analyze(line.sql, engine).reasons] == []
    assert [line.sql for line in _of(engine, "session") if not analyze(line.sql, engine).session_reason] == []
