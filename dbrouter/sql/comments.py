"""
Comments of a text: where rules of both dialects say there is one, and nowhere else.
"""

from __future__ import annotations

import re

from dbrouter.sql import lexer
from dbrouter.terms import Engine

_PIECE = re.compile(r"--[^\n\r]*+|#[^\n]*+|/\*")
_EDGE = re.compile(r"/\*|\*/")


def first_comment(text: str, engine: Engine) -> str | None:
    """
    What stands in the first ``/* */`` comment of *text*, without its marks, or None.

    Line comments, optimizer hints (``/*+``), executable comments and what looks like a comment in a string are passed over.
    Never raises; linear.
    """
    position = 0
    for start, end in (*lexer.spans(text, engine), (len(text), len(text))):
        if start - position > 3:
            comment = _first_in(text[position:start], engine)
            if comment is not None:
                return comment
        position = end
    return None


def _first_in(gap: str, engine: Engine) -> str | None:
    """As `first_comment`, of what stands between two tokens: white space and comments."""
    position = 0
    while (piece := _PIECE.search(gap, position)) is not None:
        position = piece.end()
        if piece.group() != "/*":
            continue
        end = _end(gap, position, engine)
        if end < 0:
            return None
        if gap[position : position + 1] != "+":
            return gap[position:end]
        position = end + 2
    return None


def _end(gap: str, position: int, engine: Engine) -> int:
    """Where the ``*/`` of the comment that was opened before *position* stands; comments nest on PostgreSQL."""
    if engine is Engine.MYSQL:
        return gap.find("*/", position)
    depth = 1
    for edge in _EDGE.finditer(gap, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.start()
    return -1
