"""
Patterns that users write, compiled by RE2: linear time for any text, so that no statement can hold the event loop.

This file and `patternset` alone import google-re2. It gives ProxySQL's (PCRE's) reading of ``.`` and ``$``: ``.`` stops at a
newline, ``^`` is the beginning of the text, ``$`` its end or the place before one final newline. RE2's own ``$`` is the very end,
so `translate` writes ``(?:\\n?\\z)`` for it. That consumes the newline instead of looking ahead of it, which a test for a match
cannot tell apart unless the pattern goes on behind its ``$`` and wants that newline itself (``$\\n``): such a pattern matches
less than in PCRE. Where the pattern turns multi-line mode on (``(?m)``), its ``$`` is left alone.

Texts are matched as UTF-8; what cannot be encoded (lone surrogates) becomes ``?``. Nothing here raises for any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf
from time import thread_time
from typing import Any

import re2

from dbrouter.config.breadth import MAX_BREADTH, breadth

MEMORY = 16 * 1024 * 1024
"""Bytes RE2 may use for one pattern (program and caches); a larger pattern is refused."""
MAX_PATTERN = 32 * 1024
_PATIENCE, _PATIENCE_PER_BYTE, _PATIENCE_PER_FIND = 0.02, 1e-6, 20e-6
"""Seconds of CPU that replacing everywhere may take, and so many more for each byte of the text and each find (usually 4 µs)."""
_END = r"(?:\n?\z)"
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)"  # quoted text
    r"|\\."  # an escape
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"  # a character class
    r"|\(\?P?<\w+>"  # a named group
    r"|\(\?[imsU]*(?:-[imsU]*)?[:)]"  # flags
    r"|[()$]"
    r"|[^\\\[()$]+"
    r"|.",
    re.DOTALL,
)
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]*))?([:)])")


def encode(text: str) -> bytes:
    """*text* as `Pattern` and `PatternSet` want it."""
    return text.encode("utf-8", "replace")


def pattern_problem(pattern: str, *, caseless: bool = True, quote: bool = True) -> str | None:
    """
    Why *pattern* cannot be used, as the end of a sentence that begins with it, or None.

    Args:
        quote: whether the answer may quote from the pattern.
    """
    return judge_pattern(pattern, caseless=caseless, quote=quote)[0]


def judge_pattern(pattern: str, *, caseless: bool = True, quote: bool = True) -> tuple[str | None, int]:
    """The `pattern_problem` of *pattern*, and its `breadth`; 0 where it does not compile."""
    if len(pattern) > MAX_PATTERN:
        return f"is longer than {MAX_PATTERN} characters", 0
    try:
        broad = breadth(pattern, Pattern(pattern, caseless=caseless).size)
    except re2.error as error:
        said = error.args[0]
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        shown = reason[:200] if quote else reason.partition(":")[0]
        return f"is not a pattern of RE2: {shown}{_advice(reason)}", 0
    except UnicodeEncodeError:
        return "is not a pattern of RE2: it has lone surrogates", 0
    if broad > MAX_BREADTH:
        return (
            f"is too broad: a text can be at {broad} places at once (at most {MAX_BREADTH}), and each takes time at each "
            "character; x* or x+ is one place, x{0,1000} is a thousand",
            broad,
        )
    return None, broad


def replacement_problem(pattern: str, template: str, *, caseless: bool = True) -> str | None:
    """Why *template* cannot take the place of what *pattern* (which compiles) finds, as the end of a sentence, or None."""
    try:
        replacement = Replacement(pattern, template, caseless=caseless, everywhere=False)
    except ValueError as error:
        return str(error)
    wanted = max((part for part in replacement.parts if isinstance(part, int)), default=0)
    if wanted > replacement.groups:
        return f"has \\{wanted}, and match_pattern has {replacement.groups or 'no'} groups"
    return None


def translate(pattern: str, end: str = _END) -> str:
    """*pattern* with every ``$`` outside multi-line mode written as *end*, by which RE2 gives it PCRE's meaning."""
    if "$" not in pattern:
        return pattern
    multiline = [False]
    pieces = []
    for token in _TOKEN.findall(pattern):
        if token == "$":
            pieces.append("$" if multiline[-1] else end)
            continue
        if token[0] == "(":
            _enter(token, multiline)
        elif token == ")" and len(multiline) > 1:
            multiline.pop()
        pieces.append(token)
    return "".join(pieces)


class Pattern:
    """
    One compiled pattern; `found_in` tells whether it matches anywhere in a text.

    Raises:
        re2.error: it does not compile; `pattern_problem` says why in words.
    """

    __slots__ = ("_compiled",)

    def __init__(self, pattern: str, *, caseless: bool = True) -> None:
        self._compiled = _compiled(pattern, caseless)

    @property
    def size(self) -> int:
        """Of the compiled program, in instructions."""
        size: int = self._compiled.programsize
        return size

    def found_in(self, data: bytes) -> bool:
        """Whether the pattern matches somewhere in *data* (`encode` of a text)."""
        return self._compiled.search(data) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str, caseless: bool) -> Any:
    """
    What RE2 makes of *pattern*.

    The last few are kept: whoever judges a rule asks for its pattern a dozen times, and making the options alone takes 40 µs.
    """
    options = re2.Options()
    options.case_sensitive = not caseless
    options.never_capture = True
    options.log_errors = False
    options.max_mem = MEMORY
    return re2.compile(translate(pattern), options)


class ReplacingError(ValueError):
    """Replacing was given up; the message is the end of a sentence that begins with what was to replace."""


class Replacement:
    r"""
    A pattern with what takes the place of its finds: ``\1`` … ``\9`` are its groups (empty where they took no part), ``\0``
    all of it, ``\\`` a backslash; anything else stands for itself.

    The find is RE2's leftmost one, under the rule's own modifiers. Where the pattern ends in ``$``, a final newline stays.

    Raises:
        ValueError: the template has a backslash with nothing that it could mean behind it.
    """

    __slots__ = ("_compiled", "_everywhere", "_to_the_very_end", "groups", "parts")

    def __init__(self, pattern: str, template: str, *, caseless: bool = True, everywhere: bool = False) -> None:
        options = re2.Options()
        options.case_sensitive = not caseless
        options.log_errors = False
        options.max_mem = MEMORY
        self._compiled = re2.compile(translate(pattern), options)
        self._to_the_very_end = re2.compile(translate(pattern, r"\z"), options) if "$" in pattern else None
        self._everywhere = everywhere
        self.groups: int = self._compiled.groups
        self.parts: tuple[bytes | int, ...] = tuple(_template_parts(template))

    def apply(self, text: str, longest: int | None = None, clock: Callable[[], float] = thread_time) -> str:
        """
        *text* with the first find, or all of them, replaced; *text* itself where nothing is found.

        One find takes linear time, but each may look through all that is left (``[a-y]*z|a`` in a row of a), so that all of them
        take that many times as long: their CPU time is bounded (`_PATIENCE` and what is added to it).

        Args:
            clock: CPU seconds of this thread.

        Raises:
            ReplacingError: it would have more than *longest* bytes, or took more time than that.
        """
        data = encode(text)
        until = clock() + _PATIENCE + _PATIENCE_PER_BYTE * len(data) if self._everywhere else inf
        pieces: list[bytes] = []
        done = grown = 0
        for found in self._compiled.finditer(data):
            start, end = found.span()
            if start == end == done and pieces:
                continue  # an empty find right behind the one before it is none, as in RE2's own replacing
            if start == end < len(data) and data[start] & 0xC0 == 0x80:
                continue  # inside a character
            if self._to_the_very_end is not None and end == len(data) and end > start and data.endswith(b"\n"):
                whole = self._to_the_very_end.search(data, start)
                if whole is None or whole.start() != start:
                    end -= 1
            pieces.append(data[done:start])
            new = b"".join([part if isinstance(part, bytes) else found.group(part) or b"" for part in self.parts])
            pieces.append(new)
            done = end
            grown += len(new) - (end - start)
            if longest is not None and len(data) + grown > longest:
                raise ReplacingError(f"makes a statement of {len(data)} bytes longer than {longest}")
            if not self._everywhere:
                break
            until += _PATIENCE_PER_FIND
            if clock() > until:
                raise ReplacingError(f"takes too long to find everywhere in a statement of {len(data)} bytes")
        if not pieces:
            return text
        pieces.append(data[done:])
        return b"".join(pieces).decode("utf-8", "replace")


def _template_parts(template: str) -> list[bytes | int]:
    parts: list[bytes | int] = []
    for literal, escape in re.findall(r"([^\\]+)|\\([\s\S]?)", template):
        if literal:
            parts.append(encode(literal))
        elif escape.isascii() and escape.isdigit():
            parts.append(int(escape))
        elif escape == "\\":
            parts.append(b"\\")
        else:
            raise ValueError(f"has \\{escape}; after a backslash stands the number of a group (0–9) or another backslash")
    return parts


class NamePatterns:
    """Names of functions, in which ``*`` stands for any characters and ``?`` for one; compared in lower case."""

    __slots__ = ("_pattern", "names")

    def __init__(self, names: Sequence[str]) -> None:
        folded = [name.lower() for name in names]
        self.names = frozenset(name for name in folded if "*" not in name and "?" not in name)
        """Those without wildcards, lower case."""
        wild = [name for name in folded if name not in self.names]
        self._pattern = Pattern(r"\A(?:" + "|".join(map(_glob, wild)) + r")\z") if wild else None

    def has(self, name: str) -> bool:
        """Whether *name* (lower case) is one of them; one that they give without a schema is meant in every schema."""
        bare = name.rpartition(".")[2]
        if name in self.names or bare in self.names:
            return True
        return self._pattern is not None and (self._pattern.found_in(encode(name)) or self._pattern.found_in(encode(bare)))


def _glob(name: str) -> str:
    return re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")


def _enter(token: str, multiline: list[bool]) -> None:
    """Keep track of multi-line mode across a group or flag token."""
    flags = _FLAGS.fullmatch(token)
    if flags is None:
        multiline.append(multiline[-1])
        return
    state = multiline[-1]
    if "m" in (flags[2] or ""):
        state = False
    elif "m" in flags[1]:
        state = True
    if flags[3] == ")":
        multiline[-1] = state
    else:
        multiline.append(state)


def _advice(reason: str) -> str:
    if any(operator in reason for operator in ("(?=", "(?!", "(?<=", "(?<!")) or re.search(r"\(\?<", reason):
        return " (RE2 has no look-around, because it could take exponential time; use several rules or negate_match_pattern)"
    if re.search(r"escape sequence: \\[1-9]", reason) or "(?P=" in reason or reason.endswith("(?P"):
        return " (RE2 has no back-references, because they could take exponential time)"
    if "(?>" in reason or re.search(r"repetition operator: [*+?}]\+", reason):
        return " (RE2 has no atomic groups or possessive repetition, and needs none: it never backtracks)"
    if r"\Z" in reason:
        return r" (write \z for the very end, or $)"
    if "repetition size" in reason:
        return " (RE2 repeats at most 1000 times)"
    return ""
