"""
Comment annotations: ``/* hostgroup=1;query_timeout=500 */`` in a statement, as ProxySQL reads them.

The first ``/* */`` comment of at most 1024 characters is read, wherever it stands outside strings; ``key=value`` pairs are
separated by semicolons, numbers are milliseconds. Optimizer hints (``/*+``) and executable comments (``/*!``) are none. What is
not understood is left alone: a comment never makes a statement fail. Off unless the configuration says ``comment_hints: true``,
because whoever can write a comment decides then.
"""

from __future__ import annotations

import re

from dbrouter.sql.comments import first_comment
from dbrouter.terms import Engine

_LONGEST = 1024
_NUMBER = re.compile(r"[0-9]+")
_LARGEST = 2**31 - 1
UNDERSTOOD = ("hostgroup", "query_timeout", "query_delay", "query_retries", "cache_ttl", "mirror")


def read_hints(text: str, engine: Engine) -> dict[str, int]:
    """The pairs of *text*'s first comment that we understand; never raises."""
    if "/*" not in text:
        return {}
    comment = first_comment(text, engine)
    if comment is None or len(comment) > _LONGEST:
        return {}
    hints = {}
    for pair in comment.split(";"):
        key, equals, value = pair.partition("=")
        key, value = key.strip(), value.strip()
        if equals and key in UNDERSTOOD and _NUMBER.fullmatch(value) and int(value) <= _LARGEST:
            hints[key] = int(value)
    return hints
