"""
What a statement is by its first word: `PG_HEADS` and `MY_HEADS`, one entry a verb.

A statement that a server learns becomes a line here and lines in `tests/corpus`. What is not here is a write.
"""

from __future__ import annotations

from dbrouter.sql.verdict import Dialect, Head, Verdict
from dbrouter.sql.words import CTE_STARTS, scan, unquoted


def _reads(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    scan(tokens, first, dialect, verdict, reads=True)


def _with(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
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
        scan(tokens, first, dialect, verdict, reads=False)
        return
    if not verb:
        verdict.write("WITH without a verb")
    scan(tokens, first, dialect, verdict, reads=True)


_MAIN_VERBS = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"])


def _writes(reason: str, *, ddl: bool = False, look: bool = True, opaque: bool = False, implicit_commit: bool = False) -> Head:
    def head(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
        verdict.write(reason)
        verdict.ddl |= ddl
        verdict.opaque |= opaque
        verdict.implicit_commit |= dialect.mysql and (ddl or implicit_commit)
        if look:
            scan(tokens, first, dialect, verdict, reads=False)

    return head


def _sessions(what: str, reason: str, *, look: bool = False, opaque: bool = False, implicit_commit: bool = False) -> Head:
    def head(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
        verdict.session(what, reason)
        verdict.opaque |= opaque
        verdict.implicit_commit |= dialect.mysql and implicit_commit
        if look:
            scan(tokens, first, dialect, verdict, reads=False)

    return head


def _transaction(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    word = tokens[first]
    verdict.transaction_control = True
    verdict.implicit_commit |= dialect.mysql and word in ("BEGIN", "START")
    verdict.session("transaction control", f"{word} controls a transaction")


def _begin(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    if dialect.mysql and tokens[first + 1] == "NOT":
        verdict.opaque = True
        verdict.write("a compound statement")
        return
    _transaction(tokens, first, dialect, verdict)


def _start(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "TRANSACTION":
        _transaction(tokens, first, dialect, verdict)
    else:
        verdict.implicit_commit |= dialect.mysql
        verdict.write("START administers the server")


def _create(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    word = tokens[first]
    head = tokens[first + 1 : first + 5]
    temporary = "TEMP" in head or "TEMPORARY" in head or any(unquoted(t)[:7] == "PG_TEMP" for t in tokens[first + 1 : first + 9])
    if temporary and _before_name(tokens, first):
        what = "temporary table" if "VIEW" not in head and "SEQUENCE" not in head else "temporary object"
        verdict.session(what, f"{word} of a {what}")
        verdict.ddl = True
        verdict.implicit_commit |= dialect.mysql and "SEQUENCE" in head
    else:
        verdict.write(f"{word} changes the schema")
        verdict.ddl = True
        verdict.implicit_commit |= dialect.mysql
    if word == "CREATE" and _is_create_as(tokens, first):
        if "EXECUTE" in tokens and not dialect.mysql:
            verdict.session("prepared statement", "CREATE TABLE AS EXECUTE needs a prepared statement")
        scan(tokens, first, dialect, verdict, reads=False)


def _before_name(tokens: list[str], first: int) -> bool:
    """Whether TEMP stands where it modifies CREATE, not where it names a thing (`CREATE TABLE temp (…)`)."""
    words = tokens[first + 1 : first + 9]
    for place, word in enumerate(words):
        if word in ("TEMP", "TEMPORARY"):
            return "TABLE" not in words[:place] and "VIEW" not in words[:place] and "SEQUENCE" not in words[:place]
        if unquoted(word)[:7] == "PG_TEMP":
            return True
    return False


def _is_create_as(tokens: list[str], first: int) -> bool:
    words = tokens[first + 1 : first + 6]
    return ("TABLE" in words or "MATERIALIZED" in words) and ("SELECT" in tokens or "EXECUTE" in tokens or "VALUES" in tokens)


def _set_postgresql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    after = tokens[first + 1]
    if after == "LOCAL":
        verdict.write("SET LOCAL changes a setting for the transaction")
    elif after in ("TRANSACTION", "CONSTRAINTS"):
        verdict.write(f"SET {after} changes the transaction")
    else:
        verdict.session("SET", "SET changes a setting of the session")


_GLOBAL_SCOPES = frozenset(["GLOBAL", "PERSIST", "PERSIST_ONLY"])


def _set_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
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
        scan(tokens, first + 1, dialect, verdict, reads=False)
        behind = first + 2 + rest.index("FOR") if "FOR" in rest else len(tokens) - 1
        if tokens[behind] != "SET":
            inner = Verdict()
            inner.statements = 1
            _classify_inner(tokens, behind, dialect, inner)
            verdict.ddl |= inner.ddl
            verdict.implicit_commit |= inner.implicit_commit
        return
    verdict.session("SET", "SET changes the session")


def _explain_postgresql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    place = first + 1
    runs = False
    if tokens[place] == "(" and tokens[place + 1] not in CTE_STARTS:
        end = verdict.closing(tokens, place)
        for at in range(place, end):
            if unquoted(tokens[at]).upper() in ("ANALYZE", "ANALYSE") and tokens[at + 1] not in ("FALSE", "OFF", "0"):
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


def _explain_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    place = first + 1
    while True:
        token = tokens[place]
        if token in ("EXTENDED", "PARTITIONS", "ANALYZE"):
            place += 1
        elif (token == "FORMAT" and tokens[place + 1] == "=") or (token == "FOR" and tokens[place + 1] in ("SCHEMA", "DATABASE")):
            place = min(place + 3, len(tokens) - 1)
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
        scan(tokens, place, dialect, verdict, reads=True)


_MY_EXPLAINED = frozenset(["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "VALUES", "TABLE", "WITH"])


def _analyze_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    """MariaDB's ANALYZE of a statement runs it and tells how; ANALYZE TABLE is an administrative write."""
    after = tokens[first + 1]
    if (after in _MY_EXPLAINED and after != "TABLE") or after == "FORMAT" or after == "(":
        _explain_mysql(tokens, first, dialect, verdict)
    else:
        verdict.implicit_commit = True
        verdict.write("ANALYZE TABLE writes statistics")


def _classify_inner(tokens: list[str], place: int, dialect: Dialect, inner: Verdict) -> None:
    start = place
    while tokens[start] == "(":
        start += 1
    word = tokens[start]
    inner.kind = word
    head = dialect.heads.get(word)
    if head is None or head in (_explain_postgresql, _explain_mysql):
        inner.write(f"{word[:32] or 'nothing'} is not known to read")
    else:
        head(tokens, start, dialect, inner)


def _adopt(verdict: Verdict, inner: Verdict, prefix: str) -> None:
    for reason in inner.reasons:
        verdict.write(prefix + reason)
    if verdict.session_reason is None:
        verdict.session_reason = inner.session_reason
    verdict.functions.update(inner.functions)
    verdict.known.update(inner.known)
    verdict.opaque |= inner.opaque


def _show_postgresql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    return


def _show_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    place = first + 1
    if tokens[place] == "COUNT" and tokens[place + 1] == "(":
        place = min(place + 4, len(tokens) - 1)
    if tokens[place] in _SHOWS_THE_SESSION:
        verdict.session(f"SHOW {tokens[place]}", f"SHOW {tokens[place]} tells of the session's earlier statements")
    else:
        scan(tokens, first, dialect, verdict, reads=True)


_SHOWS_THE_SESSION = frozenset(["WARNINGS", "ERRORS", "PROFILE", "PROFILES"])


def _copy(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
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
    scan(tokens, first, dialect, verdict, reads=False)


def _prepare(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "TRANSACTION":
        _transaction(tokens, first, dialect, verdict)
    else:
        verdict.session("prepared statement", "PREPARE keeps a statement in the session")


def _drop(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "PREPARE":
        verdict.session("prepared statement", "DROP PREPARE forgets a prepared statement")
    elif "TEMPORARY" in tokens[first + 1 : first + 3] or any(unquoted(t)[:7] == "PG_TEMP" for t in tokens):
        verdict.ddl = True
        verdict.session("temporary table", "DROP of a temporary table")
    else:
        verdict.ddl = True
        verdict.implicit_commit |= dialect.mysql
        verdict.write("DROP changes the schema")


def _load_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    if tokens[first + 1] == "INDEX":
        verdict.implicit_commit = True
        verdict.write("LOAD INDEX administers the server")
    else:
        verdict.write("LOAD changes data")
        scan(tokens, first, dialect, verdict, reads=False)


def _lock_mysql(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    verdict.session("table lock", f"{tokens[first]} {tokens[first + 1]} belongs to the session".replace("  ", " "))


def _flush(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    if "READ" in tokens or "EXPORT" in tokens:
        verdict.session("table lock", "FLUSH TABLES … WITH READ LOCK holds locks in the session")
    else:
        verdict.write("FLUSH administers the server")


def _backup(tokens: list[str], first: int, dialect: Dialect, verdict: Verdict) -> None:
    verdict.implicit_commit = True
    verdict.session("backup lock", "BACKUP keeps its stage or lock in the session")


_COMMON_HEADS: dict[str, Head] = {
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
    "ALTER": _writes("ALTER changes the schema", ddl=True, look=False),
    "DROP": _drop,
    "GRANT": _writes("GRANT changes privileges", ddl=True, look=False),
    "REVOKE": _writes("REVOKE changes privileges", ddl=True, look=False),
    "CALL": _writes("CALL runs a procedure", opaque=True),
    "DO": _writes("DO runs code", opaque=True),
    "BEGIN": _begin,
    "START": _start,
    "COMMIT": _transaction,
    "ROLLBACK": _transaction,
    "SAVEPOINT": _transaction,
    "RELEASE": _transaction,
    "PREPARE": _prepare,
    "EXECUTE": _sessions("prepared statement", "EXECUTE needs a prepared statement", look=True, opaque=True),
    "DEALLOCATE": _sessions("prepared statement", "DEALLOCATE forgets a prepared statement"),
}
PG_HEADS: dict[str, Head] = {
    **_COMMON_HEADS,
    "SHOW": _show_postgresql,
    "EXPLAIN": _explain_postgresql,
    "SET": _set_postgresql,
    "RESET": _sessions("SET", "RESET changes a setting of the session"),
    "DISCARD": _sessions("DISCARD", "DISCARD changes the session"),
    "END": _transaction,
    "ABORT": _transaction,
    "DECLARE": _sessions("cursor", "DECLARE opens a cursor", look=True),
    "FETCH": _sessions("cursor", "FETCH needs a cursor"),
    "MOVE": _sessions("cursor", "MOVE needs a cursor"),
    "CLOSE": _sessions("cursor", "CLOSE needs a cursor"),
    "LISTEN": _sessions("LISTEN", "LISTEN registers the session"),
    "UNLISTEN": _sessions("LISTEN", "UNLISTEN registers the session"),
    "NOTIFY": _writes("NOTIFY sends a notification", look=False),
    "LOAD": _sessions("LOAD", "LOAD brings a library into the session"),
    "LOCK": _writes("LOCK takes a table lock", look=False),
    "COPY": _copy,
    "COMMENT": _writes("COMMENT changes the schema", ddl=True, look=False),
    "SECURITY": _writes("SECURITY LABEL changes the schema", ddl=True, look=False),
    "IMPORT": _writes("IMPORT FOREIGN SCHEMA changes the schema", ddl=True, look=False),
    "REASSIGN": _writes("REASSIGN changes the schema", ddl=True, look=False),
    "REFRESH": _writes("REFRESH changes data", ddl=True, look=False),
    "VACUUM": _writes("VACUUM works on the primary's files", look=False),
    "ANALYZE": _writes("ANALYZE writes statistics", look=False),
    "ANALYSE": _writes("ANALYZE writes statistics", look=False),
    "CLUSTER": _writes("CLUSTER works on the primary's files", look=False),
    "REINDEX": _writes("REINDEX works on the primary's files", look=False),
    "CHECKPOINT": _writes("CHECKPOINT administers the server", look=False),
}
MY_HEADS: dict[str, Head] = {
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
    "RENAME": _writes("RENAME changes the schema", ddl=True, look=False),
    "LOAD": _load_mysql,
    "IMPORT": _writes("IMPORT TABLE changes the schema", ddl=True, look=False),
    "CLONE": _writes("CLONE administers the server", look=False, implicit_commit=True),
    "FLUSH": _flush,
    "BACKUP": _backup,
    "BINLOG": _sessions("BINLOG", "BINLOG replays events in the session"),
    "RESIGNAL": _writes("RESIGNAL is for routines"),
    "SIGNAL": _writes("SIGNAL raises an error"),
    "RESET": _writes("RESET administers the server", look=False, implicit_commit=True),
    "CACHE": _writes("CACHE INDEX administers the server", look=False, implicit_commit=True),
    "CHECK": _writes("CHECK TABLE administers the server", look=False, implicit_commit=True),
    "CHECKSUM": _writes("CHECKSUM TABLE reads under a lock", look=False),
    "OPTIMIZE": _writes("OPTIMIZE TABLE administers the server", look=False, implicit_commit=True),
    "REPAIR": _writes("REPAIR TABLE administers the server", look=False, implicit_commit=True),
    "INSTALL": _writes("INSTALL administers the server", look=False, implicit_commit=True),
    "UNINSTALL": _writes("UNINSTALL administers the server", look=False, implicit_commit=True),
    "CHANGE": _writes("CHANGE administers replication", look=False, implicit_commit=True),
    "STOP": _writes("STOP administers replication", look=False, implicit_commit=True),
    "PURGE": _writes("PURGE administers the server", look=False),
    "KILL": _writes("KILL ends another session of its server", look=False),
    "SHUTDOWN": _writes("SHUTDOWN stops the server", look=False),
    "RESTART": _writes("RESTART stops the server", look=False),
}
