"""
Digest text: a text with literals as `?`, comments gone, blanks folded and long lists cut, so that equal shapes are equal texts.

For MySQL it is ProxySQL's digest text with ProxySQL's default settings and with its habits (`a - 1` loses its operator, a sign
goes into its number, case is kept), so that rules written for `match_digest` and hashes seen in ProxySQL's tables mean the same.
For PostgreSQL, where ProxySQL's own text differs between versions, the dialect's rules hold: `"name"` and `$1` stay, strings of
every kind (`E''`, `U&''`, dollar quotes) and `true`/`false` are `?`, `ARRAY[…]` is one `?`, a cast on a literal goes, operators
stay.

Never raises, linear: at most `_TEXT_LIMIT` characters are read and `_DIGEST_LIMIT` characters come out, as in ProxySQL.
"""

from __future__ import annotations

import re

from dbrouter.sql import lexer
from dbrouter.sql.spooky import spooky64
from dbrouter.terms import Engine

_TEXT_LIMIT = 65_000
_DIGEST_LIMIT = 2_048
_VALUES_KEPT = 3
_GROUPS_KEPT = 10

_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+|0[xX][0-9a-fA-F]++")
_LONG_LIST = re.compile(rf"\(\?(?:,\?){{{_VALUES_KEPT + 1},}}+\)")
_LONG_LIST_FIXED = "(" + "?," * _VALUES_KEPT + "...)"
_GROUP = re.escape(_LONG_LIST_FIXED)
_MANY_GROUPS = re.compile(rf"({_GROUP}(?:,{_GROUP}){{{_GROUPS_KEPT - 1}}})(?:,{_GROUP}){{2,}}+")


def digest_text(sql: str, engine: Engine) -> str:
    """The digest text of *sql*; for MySQL ProxySQL's, character for character where its behaviour is known."""
    sql = sql[:_TEXT_LIMIT]
    text = _postgresql(sql) if engine is Engine.POSTGRESQL else _mysql(sql)
    if "(?,?,?,?,?" in text:
        text = _LONG_LIST.sub(_shorten, text)
        if "...)," in text:
            text = _MANY_GROUPS.sub(r"\1,...", text)
    return text[:_DIGEST_LIMIT]


def digest_hash(text: str) -> int:
    """64 bits over a digest text: SpookyHash V2 with seed 0, as ProxySQL has it."""
    return spooky64(text.encode("utf-8", "surrogatepass"))


def _shorten(found: re.Match[str]) -> str:
    return _LONG_LIST_FIXED


_MY_DIGEST = re.compile(
    rf"((?:[ \t\n\r\f\v]++|{lexer.MY_LINE}|{lexer.MY_BLOCK})*+)"
    rf"({lexer.NUMBER}(?![{lexer.NAME_PART}])|0[xX][0-9a-fA-F]++(?![{lexer.NAME_PART}])|[{lexer.NAME_PART}]++"
    rf"|{lexer.MY_SINGLE}|{lexer.MY_DOUBLE}|{lexer.BACKTICKED}|/\*[\s\S]*+|[\s\S]|\Z)"
)
_PG_DIGEST = re.compile(
    rf"((?:[ \t\n\r\f\v]++|{lexer.PG_LINE}|{lexer.PG_BLOCK})*+)"
    rf"(0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?+|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?+"
    rf"|[bBxXnN]'[^']*+(?:''[^']*+)*+(?:'|\Z)|{lexer.PG_TOKEN})"
)


def _mysql(sql: str) -> str:
    pieces: list[str] = []
    add = pieces.append
    if "/*!" in sql or "/*M!" in sql:
        sql = _without_executable_marks(sql)
    last = ""  # the last character written that is no blank
    sign = ""  # a plus or minus that waits for what follows it
    sign_blank = False
    for skipped, token in _MY_DIGEST.findall(sql):
        first = token[:1]
        blank = skipped != ""
        if "0" <= first <= "9":
            if _NUMBER.fullmatch(token):
                token = first = "?"
        elif first == "'" or first == '"':
            token = first = "?"
        elif first == "":
            if sign:
                add(sign)
            break
        if sign:
            if first == "?" or (not blank and (first.isalnum() or first == "_")):
                blank = sign_blank  # the sign goes, and what it signed takes its place
            else:
                _put(pieces, sign, sign_blank, last)
                last = sign
            sign = ""
        if (first == "+" or first == "-") and _is_sign(last, blank or not pieces):
            sign, sign_blank = first, blank
            continue
        _put(pieces, token, blank, last)
        last = token[-1]
    return "".join(pieces).rstrip("; ")


def _without_executable_marks(sql: str) -> str:
    """*sql* with a blank for each `/*!40101` and its closer, so that what stands between is read as code."""
    parts: list[str] = []
    position = 0
    for start, end in lexer.spans(sql, Engine.MYSQL):
        token = sql[start:end]
        parts.append(sql[position:start])
        parts.append(" " if token == "*/" or token.startswith(("/*!", "/*M!")) else token)
        position = end
    return "".join(parts)


def _is_sign(last: str, apart: bool) -> bool:
    """Whether a plus or minus after the character *last* begins a value instead of joining two."""
    if last == ")" or last == "?":
        return False
    return apart or not (last.isalnum() or last in "_`$")


def _put(pieces: list[str], token: str, blank: bool, last: str) -> None:
    """Appends *token*, with one blank in front where blanks stood and none may go."""
    if (
        blank
        and last
        and last not in "(,"
        and token != ","
        and token != ")"
        and not (token == "?" and last in "*/%+-")
        and not (last == "?" and token in "*/%+-")
    ):
        pieces.append(" ")
    pieces.append(token)


_CLOSE = frozenset([",", ")", "]"])
_TRUTHS = frozenset(["true", "false"])
_PG_BEFORE_A_SIGN = frozenset(
    [
        "SELECT",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "BY",
        "LIMIT",
        "OFFSET",
        "THEN",
        "ELSE",
        "WHEN",
        "CASE",
        "BETWEEN",
        "IN",
        "VALUES",
        "RETURNING",
        "ON",
        "HAVING",
        "IS",
        "LIKE",
        "SET",
        "DISTINCT",
        "ALL",
    ]
)
_PG_TYPE_TAILS = {
    "double": ("precision",),
    "character": ("varying",),
    "bit": ("varying",),
    "timestamp": ("with", "without", "time", "zone"),
    "time": ("with", "without", "time", "zone"),
}


def _postgresql(sql: str) -> str:
    tokens = _postgresql_tokens(sql)
    pieces: list[str] = []
    add = pieces.append
    last = ""
    place = 0
    sign_blank = False
    previous = ""
    count = len(tokens)
    while place < count:
        blank, token = tokens[place]
        place += 1
        first = token[0]
        if first in _PG_LITERAL_STARTS and _is_pg_literal(token, first):
            token = "?"
        elif (first == "+" or first == "-") and place < count and "0" <= tokens[place][1][0] <= "9" and _pg_signs(previous):
            sign_blank = blank
            tokens[place] = (sign_blank, tokens[place][1])
            previous = "-"
            continue
        elif (first == "a" or first == "A") and token.upper() == "ARRAY" and place < count and tokens[place][1] == "[":
            place = _after_brackets(tokens, place)
            token = "?"
        if token == "?" and place < count and tokens[place][1] == "::":
            place = _after_casts(tokens, place)
        if blank and last and last not in "(,[" and token not in _CLOSE:
            add(" ")
        add(token)
        last = token[-1]
        previous = token
    return "".join(pieces).rstrip("; ")


def _postgresql_tokens(sql: str) -> list[tuple[bool, str]]:
    found = _PG_DIGEST.findall(sql)
    if any(token == "/*" or (token[:1] == "$" and token[-1] == "$") for _, token in found):
        found = _PG_DIGEST.findall(_without_hard_parts(sql))
    return [(skipped != "", token) for skipped, token in found if token]


def _without_hard_parts(sql: str) -> str:
    """*sql* with `''` for each dollar quote and a blank for each comment."""
    parts: list[str] = []
    last = 0
    for start, end in lexer.spans(sql, Engine.POSTGRESQL):
        if start > last:
            parts.append(" ")
        token = sql[start:end]
        parts.append("''" if token[0] == "$" and len(token) > 1 and not token[1].isdigit() else token)
        last = end
    return "".join(parts)


_PG_LITERAL_STARTS = frozenset("'0123456789.$EeUuBbXxNntTfF")


def _is_pg_literal(token: str, first: str) -> bool:
    if first == "'" or "0" <= first <= "9" or (first == "." and len(token) > 1):
        return True
    if first == "$":
        return len(token) > 1 and not token[1].isdigit()
    if first in "EeUuBbXxNn":
        return token[1:2] == "'" or token[1:3] == "&'"
    return first in "tTfF" and token.lower() in _TRUTHS


def _pg_signs(previous: str) -> bool:
    if not previous:
        return True
    last = previous[-1]
    return not (last.isalnum() or last in '_)]?"$') or previous.upper() in _PG_BEFORE_A_SIGN


def _after_brackets(tokens: list[tuple[bool, str]], place: int) -> int:
    depth = 0
    while place < len(tokens):
        token = tokens[place][1]
        place += 1
        if token == "[":
            depth += 1
        elif token == "]":
            depth -= 1
            if depth == 0:
                break
    return place


def _after_casts(tokens: list[tuple[bool, str]], place: int) -> int:
    """The place behind the casts (`::numeric(10,2)[]`) that stand at *place*."""
    count = len(tokens)
    while place + 1 < count and tokens[place][1] == "::":
        place += 1
        word = tokens[place][1].lower()
        place += 1
        while place + 1 < count and tokens[place][1] == ".":
            place += 2
        tails = _PG_TYPE_TAILS.get(word, ())
        if place < count and tokens[place][1] == "(":
            while place < count and tokens[place][1] != ")":
                place += 1
            place += 1
        while place < count and tokens[place][1].lower() in tails:
            place += 1
        if place < count and tokens[place][1] == "(" and tails:
            while place < count and tokens[place][1] != ")":
                place += 1
            place += 1
        while place < count and tokens[place][1] == "[":
            place = _after_brackets(tokens, place)
    return place
