from __future__ import annotations

import hashlib
import re

from dbrouter.sql import lexer
from dbrouter.terms import Engine

_LITERAL = re.compile(r"['0-9]")


def digest_text(sql: str, engine: Engine) -> str:
    parts = []
    last = 0
    for start, end in lexer.spans(sql[:65000], engine):
        if start > last and parts:
            parts.append(" ")
        parts.append("?" if _LITERAL.match(sql, start) else sql[start:end])
        last = end
    return "".join(parts)[:2048].rstrip("; ")


def digest_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
