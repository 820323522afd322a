"""
What is found out about one text, and what the walk over its tokens needs to know of a dialect.

`Verdict` is filled by `heads` (what the first word says) and `words` (what stands behind it) and read by `classify`.
"""

from __future__ import annotations

from collections.abc import Callable

from dbrouter.sql.functions import Functions

_REASONS_KEPT = 16


class Verdict:
    """What was found in one text; filled while its statements are read."""

    __slots__ = (
        "_closing",
        "_closing_of",
        "copy_stdio",
        "ddl",
        "functions",
        "implicit_commit",
        "kind",
        "known",
        "opaque",
        "prefix_ends",
        "reasons",
        "session_reason",
        "statements",
        "transaction_control",
    )

    def __init__(self) -> None:
        self.kind = "EMPTY"
        self.reasons: list[str] = []
        """Why it is a write; none of them means a read."""
        self.session_reason: str | None = None
        self.functions: dict[str, None] = {}
        """Names of unknown functions in order of appearance."""
        self.known: dict[str, None] = {}
        """Upper-case names that are known to read and stand without a schema before a parenthesis."""
        self.prefix_ends: set[int] = set()
        """Places of closing parentheses behind which an expression begins (`DISTINCT ON (…)`, `OPERATOR(…)`), not a name."""
        self.statements = 0
        self.transaction_control = False
        self.copy_stdio = False
        self.ddl = False
        self.implicit_commit = False
        self.opaque = False
        """Runs code that is not in the text (CALL, DO, EXECUTE)."""
        self._closing_of: list[str] | None = None
        self._closing: dict[int, int] = {}

    def write(self, reason: str) -> None:
        """Notes that it is a write because of *reason*."""
        if reason not in self.reasons and len(self.reasons) < _REASONS_KEPT:
            self.reasons.append(reason)

    def session(self, what: str, reason: str) -> None:
        """Notes that it makes or needs *what* on its connection, and so is a write."""
        if self.session_reason is None:
            self.session_reason = what
        self.write(reason)

    def closing(self, tokens: list[str], opening: int) -> int:
        """The place of the parenthesis that closes the one at *opening*, or of the last token; worked out once for all."""
        if self._closing_of is not tokens:
            self._closing_of = tokens
            self._closing = {}
            opened: list[int] = []
            for place, token in enumerate(tokens):
                if token == "(":
                    opened.append(place)
                elif token == ")" and opened:
                    self._closing[opened.pop()] = place
        return self._closing.get(opening, len(tokens) - 1)


class Dialect:
    """What the walk over the tokens needs to know of one engine."""

    __slots__ = ("body_end", "functions", "heads", "mysql", "names", "watched")

    def __init__(
        self,
        *,
        mysql: bool,
        heads: dict[str, Head],
        functions: Functions,
        watched: dict[str, Watch],
        body_end: Callable[[list[str], int], int | None],
    ) -> None:
        self.mysql = mysql
        self.heads = heads
        self.functions = functions
        self.watched = watched
        self.body_end = body_end
        self.names = '"`' if mysql else '"'


Head = Callable[[list[str], int, Dialect, Verdict], None]
"""Reads the statement whose first word stands at the given place."""
Watch = Callable[[list[str], int, Dialect, Verdict, bool], None]
"""Looks at one token in the midst of a statement; the flag says whether the statement's verb reads."""
