"""
The walk over a statement's tokens: locks, stored results, variables, and the functions it calls.

Each token that means something anywhere in a statement has a watcher; every other token costs one look-up. What a word means
depends on whether the statement's verb reads: `UPDATE` behind `INSERT … ON CONFLICT DO` is no news, behind `SELECT` it is.
"""

from __future__ import annotations

from dbrouter.sql.functions import FUNCTIONS, RUNS_TEXT, Functions
from dbrouter.sql.verdict import Dialect, Verdict, Watch
from dbrouter.terms import Engine


def scan(tokens: list[str], start: int, dialect: Dialect, verdict: Verdict, *, reads: bool) -> None:
    get = dialect.watched.get
    for place, token in enumerate(tokens):
        watch = get(token)
        if watch is not None and place >= start:
            watch(tokens, place, dialect, verdict, reads)


def _on_call(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if place == 0:
        return
    name = tokens[place - 1]
    if (name == "OPERATOR" and not dialect.mysql) or (name == "ON" and tokens[place - 2] == "DISTINCT"):
        verdict.prefix_ends.add(verdict.closing(tokens, place))
        return
    functions = dialect.functions
    qualified = place > 2 and tokens[place - 2] == "."
    if not qualified:
        if name in functions.harmless:
            verdict.known[name] = None
            return
        clause = functions.clauses.get(name)
        if clause is not None and clause(tokens, place - 1):
            return
    initial = name[:1]
    if not initial.isalpha() and initial not in "_$" and initial < "\x80":
        if initial not in ('"', "`") or len(name) < 3:
            if initial == "U" and name[:3] == 'U&"':
                verdict.write("calls a function by an escaped name")
            return
    elif initial == "E" and name[1:2] == "'":
        return
    bare = unquoted(name)
    path = bare
    before = place - 2
    while before > 0 and tokens[before] == ".":
        before -= 2
    if before < place - 2:
        path = ".".join([unquoted(token) for token in tokens[before + 1 : place : 2]])
    if path.startswith("PG_CATALOG.") and path.count(".") == 1:
        path = bare
        if bare in functions.harmless:
            return
    if bare in functions.session:
        _session_call(bare, tokens, place, functions, verdict, reads)
    elif bare in functions.writes:
        _writing_call(bare, functions, verdict)
    elif not _is_name_not_call(tokens, before, place, verdict):
        verdict.functions[path.lower()] = None


def _on_attribute(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    """
    `(7::bigint).pg_advisory_lock`: PostgreSQL calls a function of one argument by the notation of a column, too.

    Behind a name (`t.nextval`) only names count that nobody gives to a column.
    """
    if place < 2 or tokens[place - 1] != "." or tokens[place + 1] == "(":
        return
    name = unquoted(tokens[place])
    if tokens[place - 2] not in (")", "]") and not name.startswith(("PG_", "LO_", "DBLINK_", "SETSEED")):
        return
    functions = dialect.functions
    if name in functions.session:
        _session_call(name, tokens, place, functions, verdict, reads)
    else:
        _writing_call(name, functions, verdict)


def _writing_call(name: str, functions: Functions, verdict: Verdict) -> None:
    verdict.write(f"{name.lower()}() {functions.writes[name]}")
    verdict.opaque = verdict.opaque or functions.writes[name] == RUNS_TEXT


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
    [
        "INTO",
        "AS",
        "::",
        "TABLE",
        "REFERENCES",
        "ONLY",
        "INDEX",
        "CONSTRAINT",
        "COPY",
        "VIEW",
        "ANALYZE",
        "VACUUM",
        "TABLESAMPLE",
        "PROCEDURE",
        "ORDINALITY",
    ]
)


def _is_name_not_call(tokens: list[str], before: int, place: int, verdict: Verdict) -> bool:
    """Whether the name in front of the parenthesis at *place* is a table, alias or type with a list behind it."""
    previous = tokens[before] if before >= 0 else ""
    if previous in _AFTER_THESE_A_NAME:
        return True
    if previous == ")":
        return before not in verdict.prefix_ends
    end = verdict.closing(tokens, place)
    if tokens[end + 1 : end + 2] == ["AS"]:
        behind = end + 2
        if tokens[behind : behind + 1] == ["NOT"]:
            behind += 1
        if tokens[behind : behind + 1] == ["MATERIALIZED"]:
            behind += 1
        return tokens[behind : behind + 1] == ["("] and tokens[behind + 1] in CTE_STARTS
    return False


CTE_STARTS = frozenset(["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "("])


def unquoted(token: str) -> str:
    quote = token[:1]
    if quote in ('"', "`") and len(token) > 1:
        return token[1:-1].replace(quote * 2, quote)
    return token


def _on_dml_word(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if not reads:
        return
    before = tokens[place - 1] if place else ""
    if before == "." or (before == "AS" and not dialect.mysql):
        return  # a column or an alias, for which PostgreSQL reserves none of these words
    word = tokens[place]
    if dialect.mysql and word in ("INSERT", "REPLACE") and tokens[place + 1] == "(":
        return
    if word == "UPDATE" and before in ("FOR", "KEY"):
        verdict.write("locks rows (FOR UPDATE)" if before == "FOR" else "locks rows (FOR NO KEY UPDATE)")
    else:
        verdict.write(f"contains {word}")


def _on_for(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    after = tokens[place + 1]
    if reads and (after == "SHARE" or (after == "KEY" and tokens[place + 2] == "SHARE")):
        verdict.write("locks rows (FOR SHARE)" if after == "SHARE" else "locks rows (FOR KEY SHARE)")


def _on_lock(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if reads and tokens[place + 1] == "IN":
        verdict.write("locks rows (LOCK IN SHARE MODE)")


def _on_into(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
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


def _on_at(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    """A user variable; `user@host` in account names is none."""
    if place and verdict.kind in _ACCOUNT_STATEMENTS:
        before = tokens[place - 1]
        if before[:1] in ("'", '"', "`") or (before.isidentifier() and before not in ("SELECT", "DO", "CALL", "=", "WHERE")):
            return
    verdict.session("user variable", "uses a user variable")


_ACCOUNT_STATEMENTS = frozenset(["SHOW", "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "RENAME", "SET", "KILL", "FLUSH"])
_SESSION_SYSTEM_VARIABLES = frozenset(
    (
        *("LAST_INSERT_ID", "IDENTITY", "INSERT_ID", "WARNING_COUNT", "ERROR_COUNT", "LAST_GTID", "RAND_SEED1", "RAND_SEED2"),
        *("IN_TRANSACTION", "STATEMENT_ID", "TIMESTAMP", "PSEUDO_THREAD_ID"),
    )
)


def _on_system_variable(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    name = unquoted(tokens[place + 1])
    if name in ("SESSION", "LOCAL") and tokens[place + 2] == ".":
        name = unquoted(tokens[place + 3])
    if name in _SESSION_SYSTEM_VARIABLES:
        verdict.session(f"@@{name.lower()}", f"reads @@{name.lower()}, which belongs to the session")


def _on_assign(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if reads:
        verdict.write("assigns a variable (:=)")


def _on_found_rows(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    verdict.session("SQL_CALC_FOUND_ROWS", "SQL_CALC_FOUND_ROWS keeps a count for a later FOUND_ROWS()")


def _on_next(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if tokens[place + 1] == "VALUE" and tokens[place + 2] == "FOR":
        if tokens[place] == "NEXT":
            verdict.write("NEXT VALUE FOR changes a sequence")
        else:
            verdict.session("PREVIOUS VALUE FOR", "PREVIOUS VALUE FOR needs the session's last value")


def _on_sequence_word(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if place and tokens[place - 1] == "." and tokens[place + 1] != "(":
        if unquoted(tokens[place]) == "NEXTVAL":
            verdict.write(".nextval changes a sequence")
        else:
            verdict.session(".currval", ".currval needs the session's last value")


def _on_row_count(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if place > 1 and tokens[place - 1] == "%" and tokens[place - 2] == "SQL":
        verdict.session("SQL%ROWCOUNT", "SQL%ROWCOUNT tells of the session's earlier statement")


_XPATH_LENGTH = 64
"""Tokens of a call in which a variable is looked for, so that many calls stay linear."""


def _on_xpath(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    """`EXTRACTVALUE(x, '/a[$@v]')` reads the user variable that its string names."""
    if tokens[place + 1] == "(" and any("$@" in token for token in tokens[place + 2 : place + _XPATH_LENGTH]):
        verdict.session("user variable", "an XPath names a user variable")


def _on_resetting_table(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    verdict.write(f"reading {unquoted(tokens[place])} resets statistics of the server")


def _on_temporary_schema(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if tokens[place + 1] == ".":
        verdict.session("temporary table", "names the session's temporary schema")


def _on_current(tokens: list[str], place: int, dialect: Dialect, verdict: Verdict, reads: bool) -> None:
    if tokens[place + 1] == "OF" and place and tokens[place - 1] == "WHERE":
        verdict.session("cursor", "WHERE CURRENT OF needs a cursor")


_WATCHED: dict[str, Watch] = {
    "(": _on_call,
    "INSERT": _on_dml_word,
    "UPDATE": _on_dml_word,
    "DELETE": _on_dml_word,
    "MERGE": _on_dml_word,
    "FOR": _on_for,
    "INTO": _on_into,
}
_ATTRIBUTES = (FUNCTIONS[Engine.POSTGRESQL].session.keys() | FUNCTIONS[Engine.POSTGRESQL].writes.keys()) - {
    "LASTVAL",
    "TXID_CURRENT",
}
PG_WATCHED: dict[str, Watch] = {
    **{spelling: _on_attribute for name in _ATTRIBUTES for spelling in (name, f'"{name}"')},
    **_WATCHED,
    "PG_TEMP": _on_temporary_schema,
    '"PG_TEMP"': _on_temporary_schema,
    "CURRENT": _on_current,
}
_RESET_BY_READING = ("INNODB_CMP_RESET", "INNODB_CMPMEM_RESET", "INNODB_CMP_PER_INDEX_RESET")
MY_WATCHED: dict[str, Watch] = {
    **{spelling: _on_resetting_table for name in _RESET_BY_READING for spelling in (name, f"`{name}`", f'"{name}"')},
    **_WATCHED,
    "REPLACE": _on_dml_word,
    "LOCK": _on_lock,
    "@": _on_at,
    "@@": _on_system_variable,
    ":=": _on_assign,
    "SQL_CALC_FOUND_ROWS": _on_found_rows,
    "NEXT": _on_next,
    "PREVIOUS": _on_next,
    "NEXTVAL": _on_sequence_word,
    "`NEXTVAL`": _on_sequence_word,
    '"NEXTVAL"': _on_sequence_word,
    "CURRVAL": _on_sequence_word,
    "`CURRVAL`": _on_sequence_word,
    '"CURRVAL"': _on_sequence_word,
    "ROWCOUNT": _on_row_count,
    "EXTRACTVALUE": _on_xpath,
    "UPDATEXML": _on_xpath,
}
