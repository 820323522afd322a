"""
Tokens → what the statements do: intent, kind, session state, the functions they call.

Decides by words, not by grammar, and always to the safe side: a statement is a read only where its first verb is one that
reads and nothing in it writes, locks, runs unseen text or needs the session. A leading word that is not known is a write.
What a server refuses or lets through was tried line by line on real ones (`tests/corpus`).

`heads` says what a statement is by its first word, `words` looks at every token behind it, `functions` knows the functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbrouter.sql.functions import FUNCTIONS
from dbrouter.sql.heads import MY_HEADS, PG_HEADS
from dbrouter.sql.routines import body_end_mysql, body_end_postgresql
from dbrouter.sql.verdict import Dialect, Verdict
from dbrouter.sql.words import MY_WATCHED, PG_WATCHED, scan
from dbrouter.terms import Engine

_KIND_LENGTH = 32
"""Longer than any verb; a word of megabytes is cut."""


def classify(tokens: list[str], engine: Engine) -> Verdict:
    """What the statements in *tokens* (of `lexer.lex`) do; never raises."""
    dialect = _DIALECTS[engine]
    verdict = Verdict()
    if ";" not in tokens:
        if tokens[0]:
            _classify_one(tokens, dialect, verdict)
        else:
            verdict.write("holds no statement")
        return verdict
    for part in _statements(tokens, dialect):
        _classify_one(part, dialect, verdict)
    if verdict.statements == 0:
        verdict.write("holds no statement")
    return verdict


def _statements(tokens: list[str], dialect: Dialect) -> Iterator[list[str]]:
    """The texts between semicolons, each ended by an empty token; a routine's body keeps its semicolons."""
    start, last = 0, len(tokens) - 1
    while start < last:
        if tokens[start] == ";":
            start += 1
            continue
        end = dialect.body_end(tokens, start)
        if end is None:
            try:
                end = tokens.index(";", start)
            except ValueError:
                end = last
        yield [*tokens[start:end], ""]
        start = end + 1


def _classify_one(tokens: list[str], dialect: Dialect, verdict: Verdict) -> None:
    verdict.statements += 1
    first = 0
    while tokens[first] == "(":
        first += 1
    word = tokens[first]
    if verdict.statements == 1:
        verdict.kind = word[:_KIND_LENGTH] if word.isidentifier() else "UNKNOWN"
    head = dialect.heads.get(word)
    if head is None:
        verdict.write(f"{word[:_KIND_LENGTH]} is not known to read" if word.isidentifier() else "does not begin with a verb")
        scan(tokens, first, dialect, verdict, reads=False)
    else:
        head(tokens, first, dialect, verdict)


_DIALECTS: dict[Engine, Dialect] = {
    Engine.POSTGRESQL: Dialect(
        mysql=False,
        heads=PG_HEADS,
        functions=FUNCTIONS[Engine.POSTGRESQL],
        watched=PG_WATCHED,
        body_end=body_end_postgresql,
    ),
    Engine.MYSQL: Dialect(
        mysql=True,
        heads=MY_HEADS,
        functions=FUNCTIONS[Engine.MYSQL],
        watched=MY_WATCHED,
        body_end=body_end_mysql,
    ),
}
