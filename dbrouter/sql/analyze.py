"""
`analyze`: text → `Statement`, everything the router wants to know of a text before it sends it.

Never raises on any `str` and takes linear time. Results for short texts are kept (`_KEPT` of them at
most, first in, first out), so that asking twice costs a dictionary look-up. Digest and placeholders are worked out when first
asked for.
"""

from __future__ import annotations

from dbrouter.sql.classify import classify
from dbrouter.sql.digest import DEFAULT, DigestOptions, digest_hash, digest_text
from dbrouter.sql.lexer import lex
from dbrouter.sql.parameters import Placeholders, placeholders
from dbrouter.sql.verdict import Verdict
from dbrouter.terms import Engine, Intent

_KEPT = 4096
_KEPT_LENGTH = 4096
"""Characters; longer texts are not kept."""

_CACHEABLE = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "REPLACE"])
_kept: dict[tuple[str, Engine] | tuple[str, Engine, DigestOptions], Statement] = {}


class Statement:
    """
    What a text shows. Read-only by convention: one object is shared by everybody who asks for the same text.

    Attributes:
        text: as given.
        engine: whose rules were applied.
        intent: `Intent.READ` only where nothing speaks against it.
        kind: the verb in upper case (``SELECT``; for ``WITH`` the main verb; ``EMPTY`` for nothing, ``UNKNOWN`` for no word).
        reasons: why it is a write, readable; empty for a read.
        session: it leaves or needs state on its connection.
        session_reason: names that state (``SET``, ``temporary table``, ``advisory lock``, ``LAST_INSERT_ID()``, …).
        transaction_control: BEGIN, COMMIT and their like, two-phase ones included.
        copy_stdio: COPY … FROM STDIN or TO STDOUT.
        functions: unknown functions it calls, lower case, schema-qualified where written so.
        known: words before a parenthesis, upper case, that call a function of the server's own which only reads, or nothing; a
            user may have overloaded the name.
        statements: how many; 0 for empty text and comments only.
        ambiguous: the text could be read in more than one way, and is a write for that; `reasons` says which.
        ddl: it changes the schema or privileges.
        implicit_commit: MySQL commits an open transaction before it.
        opaque: it runs code that is not in the text (CALL, DO, EXECUTE).
        reroutable: a refusal of it by a read-only server may be answered by sending it to the primary.
        cacheable: worth a server-side prepared statement.
    """

    __slots__ = (
        "_digest",
        "_digest_options",
        "_digest_text",
        "_placeholders",
        "ambiguous",
        "cacheable",
        "copy_stdio",
        "ddl",
        "engine",
        "functions",
        "implicit_commit",
        "intent",
        "kind",
        "known",
        "opaque",
        "reasons",
        "reroutable",
        "session",
        "session_reason",
        "statements",
        "text",
        "transaction_control",
    )

    def __init__(
        self, text: str, engine: Engine, verdict: Verdict, ambiguous: str | None, digest_options: DigestOptions = DEFAULT
    ) -> None:
        self.text = text
        self.engine = engine
        self.kind = verdict.kind
        self.reasons = tuple(verdict.reasons)
        self.intent = Intent.WRITE if verdict.reasons else Intent.READ
        self.session = verdict.session_reason is not None
        self.session_reason = verdict.session_reason
        self.transaction_control = verdict.transaction_control
        self.copy_stdio = verdict.copy_stdio
        self.functions = tuple(verdict.functions)
        self.known = tuple(verdict.known)
        self.statements = verdict.statements
        self.ambiguous = ambiguous is not None
        self.ddl = verdict.ddl
        self.implicit_commit = verdict.implicit_commit
        self.opaque = verdict.opaque
        self.reroutable = verdict.statements == 1 and not verdict.opaque
        self.cacheable = verdict.statements == 1 and verdict.kind in _CACHEABLE
        self._digest: int | None = None
        self._digest_options = digest_options
        self._digest_text: str | None = None
        self._placeholders: Placeholders | None = None

    @property
    def digest_text(self) -> str:
        """The text with literals as `?`, comments gone and blanks folded, as ProxySQL shows it (docs/reference/classifier.md)."""
        if self._digest_text is None:
            self._digest_text = digest_text(self.text, self.engine, self._digest_options)
        return self._digest_text

    @property
    def digest(self) -> int:
        """64 bits over `digest_text`; for MySQL texts ProxySQL's own number."""
        if self._digest is None:
            self._digest = digest_hash(self.digest_text)
        return self._digest

    @property
    def placeholders(self) -> Placeholders:
        """Its `:name`s and how many values its own placeholders take."""
        if self._placeholders is None:
            self._placeholders = placeholders(self.text, self.engine)
        return self._placeholders

    @property
    def named(self) -> tuple[str, ...]:
        """Names of its `:name` placeholders, each once."""
        return self.placeholders.named

    @property
    def positional(self) -> bool:
        """Whether it has `$n` (PostgreSQL) or `%s` (MySQL)."""
        return self.placeholders.positional

    def __repr__(self) -> str:
        session = f" session={self.session_reason!r}" if self.session_reason else ""
        return f"<Statement {self.engine} {self.kind} {self.intent}{session} {self.text[:60]!r}>"


def analyze(sql: str, engine: Engine | str, *, digest: DigestOptions = DEFAULT) -> Statement:
    """
    What *sql* shows under the rules of *engine*; its digest is made by *digest*.

    Never raises on any `str`, whatever its length; `ValueError` only for an *engine* that does not exist.
    """
    if engine.__class__ is not Engine:
        engine = Engine(engine)
    assert isinstance(engine, Engine)
    key = (sql, engine) if digest is DEFAULT else (sql, engine, digest)
    found = _kept.get(key)
    if found is not None:
        return found
    statement = _analyze(sql, engine, digest)
    if len(sql) <= _KEPT_LENGTH:
        if len(_kept) >= _KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = statement
    return statement


def _analyze(sql: str, engine: Engine, digest: DigestOptions) -> Statement:
    lexed = lex(sql, engine)
    verdict = classify(lexed.tokens, engine)
    for other in lexed.others:
        _take_over(verdict, classify(other, engine))
    if lexed.ambiguous is not None:
        verdict.write(f"can be read in more than one way: {lexed.ambiguous}")
    return Statement(sql, engine, verdict, lexed.ambiguous, digest)


def _take_over(verdict: Verdict, other: Verdict) -> None:
    """Whatever a reading with fewer of the executable comments adds: the server may take any of them."""
    for reason in other.reasons:
        verdict.write(reason)
    verdict.session_reason = verdict.session_reason or other.session_reason
    verdict.transaction_control |= other.transaction_control
    verdict.implicit_commit |= other.implicit_commit
    verdict.ddl |= other.ddl
    verdict.opaque |= other.opaque
    verdict.statements = max(verdict.statements, other.statements)
    verdict.functions.update(other.functions)
    verdict.known.update(other.known)
