"""
Digest text: a text with literals as `?`, comments gone, blanks folded and long lists cut, so that equal shapes are equal texts.

For MySQL it is ProxySQL's digest text with ProxySQL's default settings and with its habits (`a - 1` loses its operator, a sign
goes into its number, case is kept), so that rules written for `match_digest` and hashes seen in ProxySQL's tables mean the same.
For PostgreSQL, where ProxySQL's own text differs between versions, the dialect's rules hold: `"name"` and `$1` stay, strings of
every kind (`E''`, `U&''`, dollar quotes) and `true`/`false` are `?`, `ARRAY[…]` is one `?`, a cast on a literal goes, operators
stay.

`DigestOptions` are ProxySQL's `query_digests_…` variables. What it does with them was seen for single texts only, so hashes under
other settings than its defaults are ours.

Never raises, linear: at most `_TEXT_LIMIT` characters are read and `DigestOptions.max_length` come out, as in ProxySQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dbrouter.sql import lexer
from dbrouter.sql.spooky import spooky64
from dbrouter.terms import Engine

_TEXT_LIMIT = 65_000

_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+|0[xX][0-9a-fA-F]++")


@dataclass(frozen=True, slots=True)
class DigestOptions:
    """
    How digest texts are made; the defaults are ProxySQL's.

    Attributes:
        lowercase: ASCII letters are folded.
        replace_null: NULL becomes ``?``.
        no_digits: runs of digits inside names become ``?``.
        keep_comment: comments stay: ``/* */`` ones as they are, others without their marks.
        grouping_limit: values kept of a list that has at least two more.
        groups_grouping_limit: groups kept of shortened lists where there are at least two more; 0: all.
        max_length: characters that come out at most.
    """

    lowercase: bool = False
    replace_null: bool = False
    no_digits: bool = False
    keep_comment: bool = False
    grouping_limit: int = 3
    groups_grouping_limit: int = 10
    max_length: int = 2_048


DEFAULT = DigestOptions()


def digest_text(sql: str, engine: Engine, options: DigestOptions = DEFAULT) -> str:
    """The digest text of *sql*; for MySQL ProxySQL's, character for character where its behaviour is known."""
    sql = sql[:_TEXT_LIMIT]
    text = _postgresql(sql, options) if engine is Engine.POSTGRESQL else _mysql(sql, options)
    if "(?,?" in text:
        long_list, shortened, many_groups = _grouping(options.grouping_limit, options.groups_grouping_limit)
        text = long_list.sub(shortened, text)
        if many_groups is not None and "...)," in text:
            text = many_groups.sub(r"\1,...", text)
    if options.lowercase:
        text = text.lower() if text.isascii() else _lower_ascii(text)
    return text[: options.max_length]


@lru_cache(maxsize=64)
def _grouping(values: int, groups: int) -> tuple[re.Pattern[str], str, re.Pattern[str] | None]:
    """The pattern of a list that is too long, what takes its place, and the pattern of too many such lists in a row."""
    shortened = "(" + "?," * values + "...)"
    group = re.escape(shortened)
    many = re.compile(rf"({group}(?:,{group}){{{groups - 1}}})(?:,{group}){{2,}}+") if groups else None
    return re.compile(rf"\(\?(?:,\?){{{values + 1},}}+\)"), shortened, many


def _lower_ascii(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def digest_hash(text: str) -> int:
    """64 bits over a digest text: SpookyHash V2 with seed 0, as ProxySQL has it."""
    return spooky64(text.encode("utf-8", "surrogatepass"))


_COMMENT = re.compile(r"/\*[\s\S]*?\*/|(?:--|#)[^\n\r]*")
_DIGITS = re.compile(r"[0-9]+")


def _comments(skipped: str) -> list[str]:
    """The comments between two tokens, as `keep_comment` keeps them."""
    found = _COMMENT.findall(skipped)
    return [text for text in (one if one[0] == "/" else one.lstrip("-#").strip() for one in found) if text]


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


def _mysql(sql: str, options: DigestOptions) -> str:
    pieces: list[str] = []
    add = pieces.append
    if "/*!" in sql or "/*M!" in sql:
        sql = _without_executable_marks(sql)
    last = ""  # the last character written that is no blank
    sign = ""  # a plus or minus that waits for what follows it
    sign_blank = False
    nulls, digits, comments = options.replace_null, options.no_digits, options.keep_comment
    for skipped, token in _MY_DIGEST.findall(sql):
        first = token[:1]
        blank = skipped != ""
        if comments and blank:
            for comment in _comments(skipped):
                _put(pieces, comment, True, last)
                last = comment[-1]
        if "0" <= first <= "9":
            if _NUMBER.fullmatch(token):
                token = first = "?"
        elif first == "'" or first == '"' or (nulls and token.upper() == "NULL"):
            token = first = "?"
        elif digits and first != "@" and (first.isalpha() or first == "_"):
            token = _DIGITS.sub("?", token)
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


def _postgresql(sql: str, options: DigestOptions) -> str:
    tokens = _postgresql_tokens(sql, options)
    nulls, digits = options.replace_null, options.no_digits
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
        elif nulls and token.upper() == "NULL":
            token = "?"
        elif digits and (first.isalpha() or first == "_"):
            token = _DIGITS.sub("?", token)
        if token == "?" and place < count and tokens[place][1] == "::":
            place = _after_casts(tokens, place)
        if blank and last and last not in "(,[" and token not in _CLOSE:
            add(" ")
        add(token)
        last = token[-1]
        previous = token
    return "".join(pieces).rstrip("; ")


def _postgresql_tokens(sql: str, options: DigestOptions) -> list[tuple[bool, str]]:
    found = _PG_DIGEST.findall(sql)
    if any(token == "/*" or (token[:1] == "$" and token[-1] == "$") for _, token in found):
        found = _PG_DIGEST.findall(_without_hard_parts(sql, options.keep_comment))
    if options.keep_comment:
        tokens: list[tuple[bool, str]] = []
        for skipped, token in found:
            tokens += [(True, comment) for comment in _comments(skipped)]
            if token:
                tokens.append((skipped != "", token))
        return tokens
    return [(skipped != "", token) for skipped, token in found if token]


def _without_hard_parts(sql: str, keep_comments: bool) -> str:
    """*sql* with `''` for each dollar quote and a blank, or the comments without what is nested, between tokens."""
    parts: list[str] = []
    last = 0
    for start, end in lexer.spans(sql, Engine.POSTGRESQL):
        if start > last:
            parts.append(" ")
            if keep_comments and "/*" in (gap := sql[last:start]):
                parts.append(f"/*{gap.strip()[2:-2].replace('/*', '').replace('*/', '')}*/ ")
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
