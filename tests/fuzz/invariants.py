"""
What must hold for every text that anybody gives to `dbrouter.sql`, whatever it is.

`check` raises `AssertionError` where one of them does not; anything else that is raised is a find too. Needs no fuzzer: the tests
hold it over the corpora and over what fuzzing found (`finds`), `__main__` over what atheris makes of them.
"""

from __future__ import annotations

import re
import time

from dbrouter.sql import Statement, analyze, compile_named
from dbrouter.sql.digest import digest_text
from dbrouter.sql.lexer import lex, spans
from dbrouter.sql.parameters import placeholders
from dbrouter.terms import Engine, Intent
from tests.oracles import postgresql

_WRITES = re.compile(
    r"(?:insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|call|do|set|prepare|execute|begin|commit|rollback|load"
    r"|lock|savepoint)(?![\w$\x80-\U0010ffff])",
    re.IGNORECASE | re.ASCII,
)
_LEADING = {
    Engine.POSTGRESQL: re.compile(r"(?:[ \t\n\r\f\v;(]|--[^\n\r]*(?:[\n\r]|\Z)|/\*[^*/]*\*/)*"),
    Engine.MYSQL: re.compile(r"(?:[ \t\n\r\f\v;(]|(?:#|--[ \t\n])[^\n]*(?:\n|\Z)|/\*(?![!M+])[^*/]*\*/)*"),
}
_GAP = {
    Engine.POSTGRESQL: re.compile(r"[ \t\n\r\f\v]|--[^\n\r]*|/\*"),
    Engine.MYSQL: re.compile(r"[ \t\n\r\f\v]|#[^\n]*|--[^\n]*|/\*"),
}
_OWN = re.compile(r"\$[0-9]|%")


_ENGINES = tuple(Engine)


def text_of(data: bytes) -> tuple[str, Engine]:
    """The text and engine of a fuzzer's input: the first byte says the engine; bytes that are no UTF-8 become lone surrogates."""
    return data[1:].decode("utf-8", "surrogateescape"), _ENGINES[data[0] & 1]


def data_of(sql: str, engine: Engine) -> bytes:
    """The input that stands for *sql*."""
    return bytes([_ENGINES.index(engine)]) + sql.encode("utf-8", "surrogateescape")


def check(sql: str, engine: Engine) -> None:
    """Every invariant for one text."""
    statement = analyze(sql, engine)
    _verdict_is_whole(statement)
    _tokens_are_in_order(sql, engine)
    _digest_is_bounded(sql, statement)
    _names_are_replaced(sql, engine)
    _a_write_is_seen(sql, statement)


def _verdict_is_whole(statement: Statement) -> None:
    read = statement.intent is Intent.READ
    assert read == (not statement.reasons), "reasons and intent disagree"
    assert not (read and (statement.session or statement.transaction_control or statement.ambiguous or statement.ddl))
    assert statement.session == (statement.session_reason is not None)
    assert statement.statements > 0 or not read, "nothing was said to read"
    assert statement.kind == statement.kind.strip() != ""
    assert not (statement.reroutable and (statement.opaque or statement.statements != 1))
    assert all(statement.functions), "a function without a name"
    hash(statement)
    repr(statement)


def _tokens_are_in_order(sql: str, engine: Engine) -> None:
    last = 0
    for start, end in spans(sql, engine):
        assert last <= start < end <= len(sql), "tokens overlap"
        assert start == last or _GAP[engine].match(sql, last), f"code was skipped: {sql[last:start]!r}"
        last = end
    assert len(lex(sql, engine).tokens) <= len(sql) + 1


def _digest_is_bounded(sql: str, statement: Statement) -> None:
    text = statement.digest_text
    assert len(text) <= 2048
    assert 0 <= statement.digest < 1 << 64
    assert statement.digest == analyze(f"{sql}", statement.engine).digest
    if not statement.ambiguous and len(sql) < 60_000:
        folded = digest_text(f" \n{sql}\n\t", statement.engine)
        assert folded == text or text[-1:] in ";" or "\\" in sql, f"blanks around it change the digest: {text!r}, {folded!r}"


def _names_are_replaced(sql: str, engine: Engine) -> None:
    found = placeholders(sql, engine)
    assert found.count >= 0 and found.positional == (found.count > 0)
    named = compile_named(sql, engine)
    if named is None:
        assert not found.named or found.positional
        return
    assert set(named.order) == set(found.named)
    values = named.values(dict.fromkeys(found.named, "?"))
    assert len(values) == len(named.order)
    if engine is Engine.MYSQL:
        formatted = named.text % values
        assert "%" not in sql or "%" in formatted
    elif not _OWN.search(sql):
        assert placeholders(named.text, engine).count == len(named.order)


def _a_write_is_seen(sql: str, statement: Statement) -> None:
    engine = statement.engine
    leading = _LEADING[engine].match(sql)
    if leading is not None and _WRITES.match(sql, leading.end()) and "\x00" not in sql:
        assert statement.intent is Intent.WRITE, "begins with a verb that writes"
    if statement.intent is not Intent.READ:
        return
    if engine is Engine.POSTGRESQL:
        assert postgresql.reads(sql, by_name=False) is not False, "PostgreSQL's own parser sees a write"
    assert analyze(f"DELETE FROM t;{sql}", engine).intent is Intent.WRITE, "a write in front was overlooked"
    assert analyze(f"{sql}\n;DELETE FROM t", engine).intent is Intent.WRITE, "a write behind was overlooked"
    if statement.kind == "SELECT" and statement.statements == 1 and ";" not in sql:
        assert analyze(f"{sql}\nFOR UPDATE", engine).intent is Intent.WRITE, "a lock behind was overlooked"
    assert analyze(f"/* c */ {sql}", engine).intent is Intent.READ, "a comment in front makes a write of a read"


# --- linear time -----------------------------------------------------------------------------------

_TIMES = 8
_TOLERATED = 4.0
_CHARACTERS = 6_000


def check_cost(prefix: str, unit: str, suffix: str, engine: Engine) -> None:
    """
    Eight times as much of *unit* costs about eight times the work.

    Compares processor time of this thread, least of two runs, and believes a bad ratio (four times what is due) only when two
    more comparisons, each of four times longer texts than the one before, say so too: quadratic work grows worse there, a noisy
    neighbour does not.
    """
    count = max(1, _CHARACTERS // len(unit))
    ratio = 0.0
    for _ in range(3):
        small = _cost(prefix + unit * count + suffix, engine)
        large = _cost(prefix + unit * (count * _TIMES) + suffix, engine)
        ratio = large / max(small, 1e-5) / _TIMES
        if ratio < _TOLERATED:
            return
        count *= 4
    raise AssertionError(f"superlinear: {_TIMES} times the text costs {ratio * _TIMES:.0f} times the work")


def _cost(text: str, engine: Engine) -> float:
    best = 1e9
    for _ in range(2):
        began = time.thread_time()
        statement = analyze(text, engine)
        _ = statement.digest
        compile_named(text, engine)
        best = min(best, time.thread_time() - began)
    return best
