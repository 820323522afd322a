"""
Text → tokens, for both dialects, in one pass of one compiled pattern each.

Guarantees: never raises on any `str` (NUL bytes, lone surrogates, unterminated everything), linear time (every pattern is
possessive, every character is looked at a bounded number of times), and no token ever hides code: what a server of the
dialect would execute is outside strings, quoted names and comments here too. Where a server setting decides how a text is to be
read (`standard_conforming_strings`, `NO_BACKSLASH_ESCAPES`, `ANSI_QUOTES`, executable comments, NUL bytes, dollar quotes
on MySQL), `Lexed.ambiguous` says so.

Most texts take the fast way, one `findall`. Three things a regular expression cannot read (PostgreSQL's nested comments and
dollar quotes, MySQL's executable comments) come out of the fast way as a token of their own; only then is the text read again,
token by token, with the state they need.

Comments and white space are no tokens. Keywords and bare names come out in upper case (ASCII letters only, as the servers fold).
Leaves meaning to `classify`, placeholders to `parameters`, digests to `digest`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbrouter.terms import Engine

NAME_START = r"A-Za-z_\x80-\U0010ffff"
NAME_PART = rf"{NAME_START}0-9$"

PG_BLOCK = r"/\*[^*/]*+(?:(?:\*(?!/)|/(?!\*))[^*/]*+)*+\*/"
PG_LINE = r"--[^\n\r]*+"
_PG_E_TAIL = r"'[^'\\]*+(?:(?:''|\\[\s\S])[^'\\]*+)*+(?:'|\\?\Z)"
_PG_E = rf"[eE]{_PG_E_TAIL}(?:[ \t\f\v]*+(?:{PG_LINE})?+[\n\r](?:[ \t\n\r\f\v]++|{PG_LINE}[\n\r])*+{_PG_E_TAIL})*+"
_QUOTED = r"'[^']*+(?:''[^']*+)*+(?:'|\Z)"
_NAME_QUOTED = r'"[^"]*+(?:""[^"]*+)*+(?:"|\Z)'
_DOLLAR = rf"\$(?:[{NAME_START}][{NAME_START}0-9]*+)?+\$"
NUMBER = r"[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_NUMBER = r"[0-9]++(?:\.(?!\.)[0-9]*+)?+(?:[eE][+-]?[0-9]++)?+"
"""With the point that ends `1.`: what follows it is no name of something in it."""
_DIGITS = r"[0-9]++(?:_[0-9]++)*+"
_PG_NUMBER = rf"{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?+)?+(?:[eE][+-]?{_DIGITS})?+"
"""With the underscores that PostgreSQL 16 knows."""

PG_TOKEN = (
    rf"{_PG_E}|[uU]&{_NAME_QUOTED}|[uU]&{_QUOTED}|[{NAME_START}][{NAME_START}0-9$]*+|{_QUOTED}|{_NAME_QUOTED}"
    rf"|{_PG_NUMBER}|\$[0-9]++|{_DOLLAR}|::|:=|/\*|[\s\S]|\Z"
)
_PG_SKIP = rf"(?:[ \t\n\r\f\v]++|{PG_LINE}|{PG_BLOCK})*+"

MY_BLOCK = r"/\*(?!M?!)[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
MY_LINE = r"(?:\#|--(?=[\x00-\x20\x7f]|\Z))[^\n]*+"
MY_SINGLE = r"'[^'\\]*+(?:(?:''|\\[\s\S])[^'\\]*+)*+(?:'|\\?\Z)"
MY_DOUBLE = r'"[^"\\]*+(?:(?:""|\\[\s\S])[^"\\]*+)*+(?:"|\\?\Z)'
BACKTICKED = r"`[^`]*+(?:``[^`]*+)*+(?:`|\Z)"

_MY_TOKEN = (
    rf"[{NAME_START}$][{NAME_START}0-9$]*+|{MY_SINGLE}|{MY_DOUBLE}|{BACKTICKED}"
    rf"|{_NUMBER}|@@|:=|/\*(?=M?!)M?!|/\*[\s\S]*+|[\s\S]|\Z"
)
_MY_SKIP = rf"(?:[ \t\n\r\f\v]++|{MY_LINE}|{MY_BLOCK})*+"

_PG_SCAN = re.compile(rf"{_PG_SKIP}({PG_TOKEN})")
_MY_SCAN = re.compile(rf"{_MY_SKIP}({_MY_TOKEN})")

_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DOLLAR_OPENER = re.compile(_DOLLAR)
_BACKSLASH_QUOTE = re.compile(r"\\['\"]")
_ODD_BACKSLASH_QUOTE = {quote: re.compile(rf"(?<!\\)(?:\\\\)*+\\{quote}") for quote in "'\""}
_EXECUTABLE_BODY = re.compile(r"/\*M?![0-9]*+([^*]*+(?:\*(?!/)[^*]*+)*+)(?:\*/|\Z)")
_RISKY_IN_EXECUTABLE = re.compile(r"['\"`#;]|--|/\*")
_HINT = re.compile(r"/\*\+[^*]*+(?:\*(?!/)[^*]*+)*+")
_QUOTE = re.compile(r"['\"`]")
_MY_DOLLAR = re.compile(rf"(?<![{NAME_START}0-9$])\$[{NAME_START}0-9]*+\$")

_MEMO_FROM = 1 << 20
"""Length from which equal tokens are stored once, so that 10 MB of text do not become 500 MB of tokens."""


class Lexed:
    """
    The tokens of one text.

    `tokens` ends with an empty string. `others` are its readings where servers differ in the executable comments that they run.
    `ambiguous` is None or what makes the text readable in more than one way.
    """

    __slots__ = ("ambiguous", "others", "tokens")

    def __init__(self, tokens: list[str], ambiguous: str | None, others: Sequence[list[str]] = ()) -> None:
        self.tokens = tokens
        self.ambiguous = ambiguous
        self.others = others


def lex(text: str, engine: Engine) -> Lexed:
    """The tokens of *text* as a server of *engine* reads it; see the module for what they look like."""
    folded = text.upper() if text.isascii() else fold(text)
    if engine is Engine.POSTGRESQL:
        return _lex_postgresql(text, folded)
    return _lex_mysql(text, folded)


def fold(text: str) -> str:
    """*text* with ASCII letters in upper case and everything else as it is, which is how servers fold keywords."""
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def spans(text: str, engine: Engine) -> Iterator[tuple[int, int]]:
    """
    Start and end of every token of *text*, in order, in its original spelling.

    A dollar-quoted string is one token. Executable comments of MySQL give their opener and their closer as tokens of their own,
    and what stands between as code.
    """
    if engine is Engine.POSTGRESQL:
        yield from _spans_postgresql(text)
    else:
        yield from _spans_mysql(text)


def _findall(find: re.Pattern[str], text: str) -> list[str]:
    if len(text) < _MEMO_FROM:
        tokens: list[str] = find.findall(text)
    else:
        seen: dict[str, str] = {}
        once = seen.setdefault
        tokens = [once(token, token) for token in (match.group(1) for match in find.finditer(text))]
    if len(tokens) > 1 and not tokens[-2]:
        tokens.pop()  # where blanks end the text, the end is found behind them and once more
    return tokens


def _lex_postgresql(text: str, folded: str) -> Lexed:
    tokens = _findall(_PG_SCAN, folded)
    hard = False
    if "/*" in folded:
        hard = "/*" in tokens
    if "$" in folded and not hard:
        hard = any(token[:1] == "$" and token[-1] == "$" for token in tokens)
    if hard:
        tokens = [folded[start:end] for start, end in _spans_postgresql(text)]
        tokens.append("")
    ambiguous = None
    if "\\'" in folded and any(token[:1] == "'" and _escapes_its_quote(token) for token in tokens):
        ambiguous = "a backslash before a quote reads differently with standard_conforming_strings off"
    if 'U&"' in folded and any(token[:3] == 'U&"' for token in tokens):
        ambiguous = 'an escaped identifier (U&"…")'
    return Lexed(tokens, ambiguous or _unreadable(tokens, folded))


def _escapes_its_quote(token: str) -> bool:
    """
    Whether a string has the quote that it stands in behind an odd number of backslashes.

    Only there do the readings with and without backslash escapes part; `\\"` in `'…'` ends no string in either.
    """
    pattern = _ODD_BACKSLASH_QUOTE.get(token[:1])
    return pattern is not None and pattern.search(token) is not None


def _spans_postgresql(text: str) -> Iterator[tuple[int, int]]:
    match = _PG_SCAN.match
    position, length = 0, len(text)
    while position < length:
        found = match(text, position)
        assert found is not None  # the pattern's last alternatives match any character and the end
        start, end = found.span(1)
        if start >= length:
            return
        if end - start == 2 and text.startswith("/*", start):
            position = _after_nested_comment(text, end)
            if position < 0:
                yield start, length
                return
            continue
        if text[start] == "$" and end - start > 1 and text[end - 1] == "$":
            closer = text.find(text[start:end], end)
            end = length if closer < 0 else closer + end - start
        yield start, end
        position = end


def _after_nested_comment(text: str, position: int) -> int:
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def _lex_mysql(text: str, folded: str) -> Lexed:
    tokens = _findall(_MY_SCAN, folded)
    ambiguous = None
    others: Sequence[list[str]] = ()
    if "/*" in folded:
        if "/*!" in tokens or "/*M!" in tokens:
            ambiguous, tokens, others = _lex_executable(folded)
        elif "/*+" in folded and any(_QUOTE.search(hint.group()) for hint in _HINT.finditer(folded)):
            ambiguous = "a quote in an optimizer hint"
    if "\\" in folded and _BACKSLASH_QUOTE.search(folded) and any(_escapes_its_quote(token) for token in tokens if "\\" in token):
        ambiguous = "a backslash before a quote reads differently with NO_BACKSLASH_ESCAPES or ANSI_QUOTES"
    if "\xa0" in folded and any("\xa0" in token and token[0] not in "'\"`" for token in tokens if token):
        ambiguous = "a no-break space, which is a blank in some character sets"
    if "$" in folded and any(_MY_DOLLAR.match(token) for token in tokens):
        ambiguous = "a dollar quote, which only some servers know"
    return Lexed(tokens, ambiguous or _unreadable(tokens, folded), others)


def _lex_executable(folded: str) -> tuple[str | None, list[str], list[list[str]]]:
    """The readings of a text with executable comments: with the content of all of them as code, and with less of it."""
    code = [folded[start:end] for start, end in _spans_mysql(folded)]
    ambiguous = None
    if any(_RISKY_IN_EXECUTABLE.search(body.group(1)) for body in _EXECUTABLE_BODY.finditer(folded)):
        ambiguous = "a quote, comment or semicolon inside an executable comment"
    elif code and code[0].startswith("/*"):
        ambiguous = "an executable comment before the first keyword"
    tokens: list[str] = []
    openers: list[str] = []
    """Of each token, the comment that it stands in."""
    inside = ""
    for token in code:
        if token.startswith("/*"):
            inside = token
        elif token == "*/":
            inside = ""
        else:
            tokens.append(token)
            openers.append(inside)
            if inside and token in _VERBS_IN_EXECUTABLE:
                ambiguous = f"{token} inside an executable comment"
    if inside:
        ambiguous = "an unterminated executable comment"
    kinds = sorted({opener for opener in openers if opener})
    if len(kinds) > _KINDS_READ:
        ambiguous = f"executable comments for more than {_KINDS_READ} versions"
        kinds = []
    others = []
    for chosen in range(max(1, 2 ** len(kinds) - 1)):
        run = {"", *(kind for place, kind in enumerate(kinds) if chosen >> place & 1)}
        others.append([*(token for token, opener in zip(tokens, openers, strict=True) if opener in run), ""])
    return ambiguous, [*tokens, ""], others


_KINDS_READ = 3
"""Each server runs the comments of some of the versions in a text and leaves the others out: 7 readings beside that of all."""
_VERBS_IN_EXECUTABLE = frozenset(
    (
        *("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "CALL", "DO", "SET", "INTO", "FOR", "LOCK", "HANDLER"),
        *("WITH", "EXPLAIN", "DESC", "DESCRIBE", "ANALYZE", "SHOW"),
    )
)


def _spans_mysql(text: str) -> Iterator[tuple[int, int]]:
    match = _MY_SCAN.match
    position, length = 0, len(text)
    inside = False
    while position < length:
        found = match(text, position)
        assert found is not None  # the pattern's last alternatives match any character and the end
        start, end = found.span(1)
        if start >= length:
            return
        first = text[start]
        if first == "/" and end - start >= 3 and text[end - 1] == "!" and end - start <= 4:
            inside = True
            while end < length and "0" <= text[end] <= "9":
                end += 1
        elif inside and first == "*" and text.startswith("*/", start):
            inside = False
            end = start + 2
        yield start, end
        position = end


def _unreadable(tokens: list[str], text: str) -> str | None:
    if "\x00" in text:
        return "a NUL byte"
    last = tokens[-2] if len(tokens) > 1 else ""
    if last[:1] in _OPENERS and _is_open(last):
        return "an unterminated string, name or comment"
    if last[:2] == "/*":
        return "an unterminated comment"
    return None


_OPENERS = frozenset("'\"`$EUeu")
_CLOSED = re.compile(rf"(?:{_NAME_QUOTED}|{_QUOTED}|{BACKTICKED})".replace(r"|\Z", ""))
_CLOSED_ESCAPED = re.compile(rf"(?:{MY_SINGLE}|{MY_DOUBLE}|{_PG_E})".replace(r"|\\?\Z", ""))


def _is_open(token: str) -> bool:
    first = token[0]
    if first == "$":
        opener = _DOLLAR_OPENER.match(token)
        return opener is not None and (len(token) < 2 * opener.end() or not token.endswith(opener.group()))
    if first in "EUeu":
        if token[1:2] == "'":
            return _CLOSED_ESCAPED.fullmatch(token) is None
        if token[1:2] != "&":
            return False
        token = token[2:]
    return _CLOSED.fullmatch(token) is None and _CLOSED_ESCAPED.fullmatch(token) is None
