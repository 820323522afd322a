"""
Tokens → what the statement does: intent, kind, session state, the functions it calls.

Decides by words, not by grammar, and always to the safe side: a statement is a read only where its first verb is one that
reads and nothing in it writes, locks, runs unseen text or needs the session. A leading word that is not known is a write.
What a server refuses or lets through was tried line by line on real ones (`tests/corpus`); `functions` has the function lists.

The heads (`_PG_HEADS`, `_MY_HEADS`) say what a statement that begins with a word is; `_scan` then looks at every token once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dbrouter.sql.functions import FUNCTIONS, Functions
from dbrouter.terms import Engine


class Verdict:
    """What was found in one text; filled while its statements are read."""

    __slots__ = (
        "copy_stdio",
        "ddl",
        "functions",
        "_closing",
        "_closing_of",
        "implicit_commit",
        "kind",
        "opaque",
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


_REASONS_KEPT = 16


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


def _statements(tokens: list[str], dialect: _Dialect) -> Iterable[list[str]]:
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


class _Dialect:
    """What the walk over the tokens needs to know of one engine."""

    __slots__ = ("body_end", "functions", "heads", "mysql", "names", "watched")

    def __init__(
        self,
        *,
        mysql: bool,
        heads: dict[str, _Head],
        functions: Functions,
        watched: dict[str, _Watch],
        body_end: Callable[[list[str], int], int | None],
    ) -> None:
        self.mysql = mysql
        self.heads = heads
        self.functions = functions
        self.watched = watched
        self.body_end = body_end
        self.names = '"`' if mysql else '"'


_Head = Callable[[list[str], int, _Dialect, Verdict], None]
"""Reads the statement whose first word stands at the given place."""
_Watch = Callable[[list[str], int, _Dialect, Verdict, bool], None]
"""Looks at one token in the midst of a statement; the flag says whether the statement's verb reads."""


def _classify_one(tokens: list[str], dialect: _Dialect, verdict: Verdict) -> None:
    verdict.statements += 1
    first = 0
    while tokens[first] == "(":
        first += 1
    word = tokens[first]
    if verdict.statements == 1:
        verdict.kind = word if word.isidentifier() else "UNKNOWN"
    head = dialect.heads.get(word)
    if head is None:
        verdict.write(f"{word} is not known to read" if word.isidentifier() else "does not begin with a verb")
        _scan(tokens, first, dialect, verdict, reads=False)
    else:
        head(tokens, first, dialect, verdict)


# --- the walk over every token -----------------------------------------------------------------------------------------


def _scan(tokens: list[str], start: int, dialect: _Dialect, verdict: Verdict, *, reads: bool) -> None:
    get = dialect.watched.get
    for place, token in enumerate(tokens):
        watch = get(token)
        if watch is not None and place >= start:
            watch(tokens, place, dialect, verdict, reads)


def _on_call(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if place == 0:
        return
    name = tokens[place - 1]
    functions = dialect.functions
    qualified = place > 2 and tokens[place - 2] == "."
    if name in functions.harmless and not qualified:
        return
    initial = name[:1]
    if not initial.isalpha() and initial not in "_$":
        if initial not in ('"', "`") or len(name) < 3:
            if initial == "U" and name[:3] == 'U&"':
                verdict.write("calls a function by an escaped name")
            return
    elif initial == "E" and name[1:2] == "'":
        return
    bare = _unquoted(name)
    path = bare
    before = place - 2
    while before > 0 and tokens[before] == ".":
        before -= 2
    if before < place - 2:
        path = ".".join([_unquoted(token) for token in tokens[before + 1 : place : 2]])
    if path.startswith("PG_CATALOG.") and path.count(".") == 1:
        path = bare
        if bare in functions.harmless:
            return
    known_as = bare if bare.isascii() or not dialect.mysql else _unaccented(bare)
    if known_as in functions.session:
        _session_call(known_as, tokens, place, functions, verdict, reads)
    elif known_as in functions.writes:
        verdict.write(f"{known_as.lower()}() {functions.writes[known_as]}")
    elif not _is_name_not_call(tokens, before, place, verdict):
        verdict.functions[path.lower()] = None


def _session_call(name: str, tokens: list[str], place: int, functions: Functions, verdict: Verdict, reads: bool) -> None:
    what = functions.session[name]
    if name == "SET_CONFIG":
        end = verdict.closing(tokens, place)
        if tokens[end - 1] == "TRUE" and tokens[end - 2] == ",":
            verdict.write("set_config() changes a setting")
            return
    if name == "LAST_INSERT_ID" and not reads and tokens[place + 1] != ")" and verdict.kind in ("UPDATE", "INSERT", "REPLACE"):
        # LAST_INSERT_ID(expr) hands expr to the client with the reply of the UPDATE itself; nothing earlier is needed.
        return
    verdict.session(what, f"{name.lower()}() needs or changes session state")


_AFTER_THESE_A_NAME = frozenset(
    ["INTO", "AS", "::", "TABLE", "REFERENCES", "ONLY", "INDEX", "CONSTRAINT", "COPY", "VIEW", "ANALYZE", "VACUUM"]
)


def _is_name_not_call(tokens: list[str], before: int, place: int, verdict: Verdict) -> bool:
    """Whether the name in front of the parenthesis at *place* is a table, alias or type with a list behind it."""
    previous = tokens[before] if before >= 0 else ""
    if previous in _AFTER_THESE_A_NAME or previous == ")":
        return True
    end = verdict.closing(tokens, place)
    if tokens[end + 1 : end + 2] == ["AS"]:
        after = tokens[end + 2]
        return after in ("MATERIALIZED", "NOT") or (after == "(" and tokens[end + 3] in _CTE_STARTS)
    return False


_CTE_STARTS = frozenset(["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "("])


def _unquoted(token: str) -> str:
    quote = token[:1]
    if quote in ('"', "`") and len(token) > 1:
        return token[1:-1].replace(quote * 2, quote)
    return token


def _unaccented(name: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in folded if letter.isascii()).upper()


def _on_dml_word(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if not reads:
        return
    before = tokens[place - 1] if place else ""
    if before == ".":
        return
    word = tokens[place]
    if dialect.mysql and word in ("INSERT", "REPLACE") and tokens[place + 1] == "(":
        return
    if word == "UPDATE" and before in ("FOR", "KEY"):
        verdict.write("locks rows (FOR UPDATE)" if before == "FOR" else "locks rows (FOR NO KEY UPDATE)")
    else:
        verdict.write(f"contains {word}")


def _on_for(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    after = tokens[place + 1]
    if reads and (after == "SHARE" or (after == "KEY" and tokens[place + 2] == "SHARE")):
        verdict.write("locks rows (FOR SHARE)" if after == "SHARE" else "locks rows (FOR KEY SHARE)")


def _on_lock(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if reads and tokens[place + 1] == "IN":
        verdict.write("locks rows (LOCK IN SHARE MODE)")


def _on_into(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if not reads or (place and tokens[place - 1] == "."):
        return
    after = tokens[place + 1]
    if dialect.mysql:
        if after in ("OUTFILE", "DUMPFILE"):
            verdict.write(f"writes a file (INTO {after})")
        else:
            verdict.session("user variable", "stores into a variable (INTO)")
        return
    if after in ("TEMP", "TEMPORARY", "PG_TEMP") or (after in ("LOCAL", "GLOBAL") and tokens[place + 2][:4] == "TEMP"):
        verdict.session("temporary table", "creates a temporary table (INTO)")
    else:
        verdict.write("creates a table (INTO)")


def _on_at(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    """A user variable; `user@host` in account names is none."""
    if place and verdict.kind in _ACCOUNT_STATEMENTS:
        before = tokens[place - 1]
        if before[:1] in ("'", '"', "`") or (before.isidentifier() and before not in ("SELECT", "DO", "CALL", "=", "WHERE")):
            return
    verdict.session("user variable", "uses a user variable")


_ACCOUNT_STATEMENTS = frozenset(["SHOW", "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "RENAME", "SET", "KILL", "FLUSH"])
_SESSION_SYSTEM_VARIABLES = frozenset(
    [
        "LAST_INSERT_ID",
        "IDENTITY",
        "INSERT_ID",
        "WARNING_COUNT",
        "ERROR_COUNT",
        "LAST_GTID",
        "RAND_SEED1",
        "RAND_SEED2",
        "IN_TRANSACTION",
        "STATEMENT_ID",
        "ROWNUM",
        "TIMESTAMP",
        "PSEUDO_THREAD_ID",
    ]
)


def _on_system_variable(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    name = _unquoted(tokens[place + 1])
    if name in ("SESSION", "LOCAL") and tokens[place + 2] == ".":
        name = _unquoted(tokens[place + 3])
    if name in _SESSION_SYSTEM_VARIABLES:
        verdict.session(f"@@{name.lower()}", f"reads @@{name.lower()}, which belongs to the session")


def _on_assign(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if reads:
        verdict.write("assigns a variable (:=)")


def _on_found_rows(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    verdict.session("SQL_CALC_FOUND_ROWS", "SQL_CALC_FOUND_ROWS keeps a count for a later FOUND_ROWS()")


def _on_next(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if tokens[place + 1] == "VALUE" and tokens[place + 2] == "FOR":
        if tokens[place] == "NEXT":
            verdict.write("NEXT VALUE FOR changes a sequence")
        else:
            verdict.session("PREVIOUS VALUE FOR", "PREVIOUS VALUE FOR needs the session's last value")


def _on_sequence_word(tokens: list[str], place: int, dialect: _Dialect, verdict: Verdict, reads: bool) -> None:
    if place and tokens[place - 1] == "." and tokens[place + 1] != "(":
        if tokens[place] == "NEXTVAL":
            verdict.write(".nextval changes a sequence")
        else:
            verdict.session(".currval", ".currval needs the session's last value")


_COMMON_WATCHED: dict[str, _Watch] = {
    "(": _on_call,
    "INSERT": _on_dml_word,
    "UPDATE": _on_dml_word,
    "DELETE": _on_dml_word,
    "MERGE": _on_dml_word,
    "FOR": _on_for,
    "INTO": _on_into,
}
_MY_WATCHED: dict[str, _Watch] = {
    **_COMMON_WATCHED,
    "REPLACE": _on_dml_word,
    "LOCK": _on_lock,
    "@": _on_at,
    "@@": _on_system_variable,
    ":=": _on_assign,
    "SQL_CALC_FOUND_ROWS": _on_found_rows,
    "NEXT": _on_next,
    "PREVIOUS": _on_next,
    "NEXTVAL": _on_sequence_word,
    "CURRVAL": _on_sequence_word,
}


# --- what a statement is by its first word ------------------------------------------------------------------------------


def _reads(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    _scan(tokens, first, dialect, verdict, reads=True)


def _with(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    depth = 0
    verb = ""
    for token in tokens[first:]:
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif depth <= 0 and token in _MAIN_VERBS:
            verb = token
            break
    if not verb:
        # `WITH … (SELECT …)`: the main verb stands in parentheses; the words themselves are looked at below.
        verb = "SELECT" if "SELECT" in tokens or "VALUES" in tokens or "TABLE" in tokens else ""
    if verdict.statements == 1 and verb:
        verdict.kind = verb
    if verb in ("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"):
        verdict.write(f"{verb} changes data")
        _scan(tokens, first, dialect, verdict, reads=False)
        return
    if not verb:
        verdict.write("WITH without a verb")
    _scan(tokens, first, dialect, verdict, reads=True)


_MAIN_VERBS = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"])


def _writes(reason: str, *, ddl: bool = False, scan: bool = True, opaque: bool = False, implicit_commit: bool = False) -> _Head:
    def head(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
        verdict.write(reason)
        verdict.ddl |= ddl
        verdict.opaque |= opaque
        verdict.implicit_commit |= dialect.mysql and (ddl or implicit_commit)
        if scan:
            _scan(tokens, first, dialect, verdict, reads=False)

    return head


def _sessions(what: str, reason: str, *, scan: bool = False, opaque: bool = False, implicit_commit: bool = False) -> _Head:
    def head(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
        verdict.session(what, reason)
        verdict.opaque |= opaque
        verdict.implicit_commit |= dialect.mysql and implicit_commit
        if scan:
            _scan(tokens, first, dialect, verdict, reads=False)

    return head


def _transaction(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    word = tokens[first]
    verdict.transaction_control = True
    verdict.implicit_commit |= dialect.mysql and word in ("BEGIN", "START")
    verdict.session("transaction control", f"{word} controls a transaction")


def _begin(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    if dialect.mysql and tokens[first + 1] == "NOT":
        verdict.opaque = True
        verdict.write("a compound statement")
        return
    _transaction(tokens, first, dialect, verdict)


def _start(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "TRANSACTION":
        _transaction(tokens, first, dialect, verdict)
    else:
        verdict.implicit_commit |= dialect.mysql
        verdict.write("START administers the server")


def _create(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    word = tokens[first]
    head = tokens[first + 1 : first + 5]
    temporary = "TEMP" in head or "TEMPORARY" in head or any(_unquoted(t)[:7] == "PG_TEMP" for t in tokens[first + 1 : first + 9])
    if temporary and _before_name(tokens, first):
        what = "temporary table" if "VIEW" not in head and "SEQUENCE" not in head else "temporary object"
        verdict.session(what, f"{word} of a {what}")
        verdict.ddl = True
    else:
        verdict.write(f"{word} changes the schema")
        verdict.ddl = True
        verdict.implicit_commit |= dialect.mysql
    if word == "CREATE" and _is_create_as(tokens, first):
        _scan(tokens, first, dialect, verdict, reads=False)


def _before_name(tokens: list[str], first: int) -> bool:
    """Whether TEMP stands where it modifies CREATE, not where it names a thing (`CREATE TABLE temp (…)`)."""
    words = tokens[first + 1 : first + 9]
    for place, word in enumerate(words):
        if word in ("TEMP", "TEMPORARY"):
            return "TABLE" not in words[:place] and "VIEW" not in words[:place] and "SEQUENCE" not in words[:place]
        if _unquoted(word)[:7] == "PG_TEMP":
            return True
    return False


def _is_create_as(tokens: list[str], first: int) -> bool:
    words = tokens[first + 1 : first + 6]
    return ("TABLE" in words or "MATERIALIZED" in words) and ("SELECT" in tokens or "EXECUTE" in tokens or "VALUES" in tokens)


def _set_postgresql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    after = tokens[first + 1]
    if after == "LOCAL":
        verdict.write("SET LOCAL changes a setting for the transaction")
    elif after in ("TRANSACTION", "CONSTRAINTS"):
        verdict.write(f"SET {after} changes the transaction")
    else:
        verdict.session("SET", "SET changes a setting of the session")


_GLOBAL_SCOPES = frozenset(["GLOBAL", "PERSIST", "PERSIST_ONLY"])


def _set_mysql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    after = tokens[first + 1]
    rest = tokens[first + 1 :]
    if after == "@@" and tokens[first + 2] in _GLOBAL_SCOPES:
        others = [rest[i + 1] for i, token in enumerate(rest[:-1]) if token in ("@@", ",")]
        if all(other in _GLOBAL_SCOPES or other == "@@" for other in others) and "@" not in rest:
            verdict.write("SET GLOBAL changes the server")
            return
    if after in _GLOBAL_SCOPES and not {"SESSION", "LOCAL", "@", "@@"} & set(rest):
        verdict.write(f"SET {after} changes the server")
        return
    if after == "PASSWORD" or (after == "DEFAULT" and tokens[first + 2] == "ROLE"):
        verdict.implicit_commit = True
        verdict.write(f"SET {after} changes an account")
        return
    if after == "STATEMENT" and tokens[first + 2] != "=":
        verdict.write("SET STATEMENT changes settings for the statement behind it")
        verdict.opaque = True
        _scan(tokens, first + 1, dialect, verdict, reads=False)
        return
    verdict.session("SET", "SET changes the session")


def _explain_postgresql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    place = first + 1
    runs = False
    if tokens[place] == "(" and tokens[place + 1] not in _CTE_STARTS:
        end = verdict.closing(tokens, place)
        for at in range(place, end):
            if tokens[at] in ("ANALYZE", "ANALYSE") and tokens[at + 1] not in ("FALSE", "OFF", "0"):
                runs = True
        place = min(end + 1, len(tokens) - 1)
    else:
        while tokens[place] in ("ANALYZE", "ANALYSE", "VERBOSE"):
            runs |= tokens[place] != "VERBOSE"
            place += 1
    inner = Verdict()
    inner.statements = 1
    _classify_inner(tokens, place, dialect, inner)
    if inner.kind == "EXECUTE":
        verdict.session("prepared statement", "EXPLAIN EXECUTE needs a prepared statement")
    elif runs or inner.kind not in _PLANNED:
        _adopt(verdict, inner, "EXPLAIN ANALYZE runs it: " if runs else "EXPLAIN of it: ")
    else:
        verdict.functions.update(inner.functions)


_PLANNED = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"])


def _explain_mysql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    place = first + 1
    while True:
        token = tokens[place]
        if token in ("EXTENDED", "PARTITIONS", "ANALYZE"):
            place += 1
        elif (token == "FORMAT" and tokens[place + 1] == "=") or (token == "FOR" and tokens[place + 1] in ("SCHEMA", "DATABASE")):
            place += 3
        elif token == "INTO":
            verdict.session("user variable", "EXPLAIN INTO stores into a user variable")
            return
        else:
            break
    start = place
    while tokens[start] == "(":
        start += 1
    if tokens[start] in _MY_EXPLAINED:
        inner = Verdict()
        inner.statements = 1
        _classify_inner(tokens, place, dialect, inner)
        _adopt(verdict, inner, f"{tokens[first]} of it: ")
    else:
        _scan(tokens, place, dialect, verdict, reads=True)


_MY_EXPLAINED = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "VALUES", "TABLE", "WITH"])


def _analyze_mysql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    """MariaDB's ANALYZE of a statement runs it and tells how; ANALYZE TABLE is an administrative write."""
    after = tokens[first + 1]
    if (after in _MY_EXPLAINED and after != "TABLE") or after == "FORMAT" or after == "(":
        _explain_mysql(tokens, first, dialect, verdict)
    else:
        verdict.implicit_commit = True
        verdict.write("ANALYZE TABLE writes statistics")


def _classify_inner(tokens: list[str], place: int, dialect: _Dialect, inner: Verdict) -> None:
    start = place
    while tokens[start] == "(":
        start += 1
    word = tokens[start]
    inner.kind = word
    head = dialect.heads.get(word)
    if head is None or head in (_explain_postgresql, _explain_mysql):
        inner.write(f"{word or 'nothing'} is not known to read")
    else:
        head(tokens, start, dialect, inner)


def _adopt(verdict: Verdict, inner: Verdict, prefix: str) -> None:
    for reason in inner.reasons:
        verdict.write(prefix + reason)
    if verdict.session_reason is None:
        verdict.session_reason = inner.session_reason
    verdict.functions.update(inner.functions)
    verdict.opaque |= inner.opaque


def _show_postgresql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    return


def _show_mysql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    for token in tokens[first + 1 : first + 6]:
        if token in ("WARNINGS", "ERRORS", "PROFILE", "PROFILES"):
            verdict.session(f"SHOW {token}", f"SHOW {token} tells of the session's earlier statements")
            return
    _scan(tokens, first, dialect, verdict, reads=True)


def _copy(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    depth = 0
    for place in range(first + 1, len(tokens) - 1):
        token = tokens[place]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif depth == 0 and token in ("FROM", "TO") and tokens[place + 1] in ("STDIN", "STDOUT"):
            verdict.copy_stdio = True
    verdict.write("COPY moves data")
    _scan(tokens, first, dialect, verdict, reads=False)


def _prepare(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "TRANSACTION":
        _transaction(tokens, first, dialect, verdict)
    else:
        verdict.session("prepared statement", "PREPARE keeps a statement in the session")


def _drop(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "PREPARE":
        verdict.session("prepared statement", "DROP PREPARE forgets a prepared statement")
    elif "TEMPORARY" in tokens[first + 1 : first + 3] or any(_unquoted(t)[:7] == "PG_TEMP" for t in tokens):
        verdict.ddl = True
        verdict.session("temporary table", "DROP of a temporary table")
    else:
        verdict.ddl = True
        verdict.implicit_commit |= dialect.mysql
        verdict.write("DROP changes the schema")


def _lock_mysql(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    verdict.session("table lock", f"{tokens[first]} {tokens[first + 1]} belongs to the session".replace("  ", " "))


def _flush(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    if "READ" in tokens or "EXPORT" in tokens:
        verdict.session("table lock", "FLUSH TABLES … WITH READ LOCK holds locks in the session")
    else:
        verdict.write("FLUSH administers the server")


def _backup(tokens: list[str], first: int, dialect: _Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    verdict.session("backup lock", "BACKUP keeps its stage or lock in the session")


_COMMON_HEADS: dict[str, _Head] = {
    "SELECT": _reads,
    "VALUES": _reads,
    "TABLE": _reads,
    "WITH": _with,
    "INSERT": _writes("INSERT changes data"),
    "UPDATE": _writes("UPDATE changes data"),
    "DELETE": _writes("DELETE changes data"),
    "MERGE": _writes("MERGE changes data"),
    "TRUNCATE": _writes("TRUNCATE changes data", ddl=True),
    "CREATE": _create,
    "ALTER": _writes("ALTER changes the schema", ddl=True, scan=False),
    "DROP": _drop,
    "GRANT": _writes("GRANT changes privileges", ddl=True, scan=False),
    "REVOKE": _writes("REVOKE changes privileges", ddl=True, scan=False),
    "CALL": _writes("CALL runs a procedure", opaque=True),
    "DO": _writes("DO runs code", opaque=True),
    "BEGIN": _begin,
    "START": _start,
    "COMMIT": _transaction,
    "ROLLBACK": _transaction,
    "SAVEPOINT": _transaction,
    "RELEASE": _transaction,
    "PREPARE": _prepare,
    "EXECUTE": _sessions("prepared statement", "EXECUTE needs a prepared statement", scan=True, opaque=True),
    "DEALLOCATE": _sessions("prepared statement", "DEALLOCATE forgets a prepared statement"),
}
_PG_HEADS: dict[str, _Head] = {
    **_COMMON_HEADS,
    "SHOW": _show_postgresql,
    "EXPLAIN": _explain_postgresql,
    "SET": _set_postgresql,
    "RESET": _sessions("SET", "RESET changes a setting of the session"),
    "DISCARD": _sessions("DISCARD", "DISCARD changes the session"),
    "END": _transaction,
    "ABORT": _transaction,
    "DECLARE": _sessions("cursor", "DECLARE opens a cursor", scan=True),
    "FETCH": _sessions("cursor", "FETCH needs a cursor"),
    "MOVE": _sessions("cursor", "MOVE needs a cursor"),
    "CLOSE": _sessions("cursor", "CLOSE needs a cursor"),
    "LISTEN": _sessions("LISTEN", "LISTEN registers the session"),
    "UNLISTEN": _sessions("LISTEN", "UNLISTEN registers the session"),
    "NOTIFY": _writes("NOTIFY sends a notification", scan=False),
    "LOAD": _sessions("LOAD", "LOAD brings a library into the session"),
    "LOCK": _writes("LOCK takes a table lock", scan=False),
    "COPY": _copy,
    "COMMENT": _writes("COMMENT changes the schema", ddl=True, scan=False),
    "SECURITY": _writes("SECURITY LABEL changes the schema", ddl=True, scan=False),
    "IMPORT": _writes("IMPORT FOREIGN SCHEMA changes the schema", ddl=True, scan=False),
    "REASSIGN": _writes("REASSIGN changes the schema", ddl=True, scan=False),
    "REFRESH": _writes("REFRESH changes data", ddl=True, scan=False),
    "VACUUM": _writes("VACUUM works on the primary's files", scan=False),
    "ANALYZE": _writes("ANALYZE writes statistics", scan=False),
    "ANALYSE": _writes("ANALYZE writes statistics", scan=False),
    "CLUSTER": _writes("CLUSTER works on the primary's files", scan=False),
    "REINDEX": _writes("REINDEX works on the primary's files", scan=False),
    "CHECKPOINT": _writes("CHECKPOINT administers the server", scan=False),
}
_MY_HEADS: dict[str, _Head] = {
    **_COMMON_HEADS,
    "SHOW": _show_mysql,
    "EXPLAIN": _explain_mysql,
    "DESCRIBE": _explain_mysql,
    "DESC": _explain_mysql,
    "ANALYZE": _analyze_mysql,
    "HELP": _reads,
    "REPLACE": _writes("REPLACE changes data"),
    "SET": _set_mysql,
    "USE": _sessions("USE", "USE changes the session's database"),
    "LOCK": _lock_mysql,
    "UNLOCK": _lock_mysql,
    "HANDLER": _sessions("HANDLER", "HANDLER keeps a table open in the session"),
    "GET": _sessions("GET DIAGNOSTICS", "GET DIAGNOSTICS tells of the session's earlier statement"),
    "XA": _transaction,
    "RENAME": _writes("RENAME changes the schema", ddl=True, scan=False),
    "LOAD": _writes("LOAD changes data", scan=True),
    "FLUSH": _flush,
    "BACKUP": _backup,
    "BINLOG": _sessions("BINLOG", "BINLOG replays events in the session"),
    "RESIGNAL": _writes("RESIGNAL is for routines"),
    "SIGNAL": _writes("SIGNAL raises an error"),
    "RESET": _writes("RESET administers the server", scan=False, implicit_commit=True),
    "CACHE": _writes("CACHE INDEX administers the server", scan=False, implicit_commit=True),
    "CHECK": _writes("CHECK TABLE administers the server", scan=False, implicit_commit=True),
    "CHECKSUM": _writes("CHECKSUM TABLE reads under a lock", scan=False),
    "OPTIMIZE": _writes("OPTIMIZE TABLE administers the server", scan=False, implicit_commit=True),
    "REPAIR": _writes("REPAIR TABLE administers the server", scan=False, implicit_commit=True),
    "INSTALL": _writes("INSTALL administers the server", scan=False, implicit_commit=True),
    "UNINSTALL": _writes("UNINSTALL administers the server", scan=False, implicit_commit=True),
    "CHANGE": _writes("CHANGE administers replication", scan=False, implicit_commit=True),
    "STOP": _writes("STOP administers replication", scan=False, implicit_commit=True),
    "PURGE": _writes("PURGE administers the server", scan=False),
    "KILL": _writes("KILL ends another session of its server", scan=False),
    "SHUTDOWN": _writes("SHUTDOWN stops the server", scan=False),
    "RESTART": _writes("RESTART stops the server", scan=False),
}


# --- where a routine's body ends ----------------------------------------------------------------------------------------


def _body_end_postgresql(tokens: list[str], start: int) -> int | None:
    """None, or the end of a CREATE whose body (`BEGIN ATOMIC … END`, a rule's `(…; …)`) holds semicolons; psql's own rule."""
    if tokens[start] != "CREATE":
        return None
    words = tokens[start : start + 5]
    routine = "FUNCTION" in words or "PROCEDURE" in words
    if not routine and "RULE" not in words:
        return None
    parens = blocks = 0
    for place in range(start, len(tokens)):
        token = tokens[place]
        if token == "(":
            parens += 1
        elif token == ")":
            parens -= 1
        elif token == ";" and parens <= 0 and blocks <= 0:
            return place
        elif (routine and token == "BEGIN") or (routine and token == "CASE" and blocks):
            blocks += 1
        elif routine and token == "END" and blocks:
            blocks -= 1
    return len(tokens) - 1


_ROUTINES = frozenset(["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"])


def _body_end_mysql(tokens: list[str], start: int) -> int | None:
    """None, or the end of all text where a routine or compound statement begins: the server reads it as one statement."""
    word = tokens[start]
    if word == "BEGIN" and tokens[start + 1] == "NOT":
        return len(tokens) - 1
    if word in ("CREATE", "ALTER") and _ROUTINES & set(tokens[start : start + 14]):
        return len(tokens) - 1
    return None


_DIALECTS: dict[Engine, _Dialect] = {
    Engine.POSTGRESQL: _Dialect(
        mysql=False,
        heads=_PG_HEADS,
        functions=FUNCTIONS[Engine.POSTGRESQL],
        watched=_COMMON_WATCHED,
        body_end=_body_end_postgresql,
    ),
    Engine.MYSQL: _Dialect(
        mysql=True,
        heads=_MY_HEADS,
        functions=FUNCTIONS[Engine.MYSQL],
        watched=_MY_WATCHED,
        body_end=_body_end_mysql,
    ),
}
