"""
What looking at a statement costs, beside general-purpose parsers: verdict and digest text of ours, a tree of theirs.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import sqlglot
import sqlparse

from dbrouter.sql.analyze import analyze
from dbrouter.sql.digest import digest_text
from dbrouter.terms import Engine

STATEMENTS = (
    "SELECT id, name, email FROM users WHERE id = $1",
    "SELECT o.id, o.total, c.name, c.email FROM orders AS o JOIN customer AS c ON c.id = o.customer_id"
    " WHERE o.created_at > $1 AND o.status = $2 AND c.country IN ('de', 'fr', 'it') ORDER BY o.created_at DESC LIMIT 50",
    "INSERT INTO events (user_id, kind, payload, created_at) VALUES ($1, 'login', $2, now()) ON CONFLICT DO NOTHING RETURNING id",
    "WITH recent AS (SELECT * FROM orders WHERE created_at > now() - interval '7 days') SELECT customer_id, count(*), sum(total)"
    " FROM recent GROUP BY customer_id HAVING count(*) > 3 ORDER BY 3 DESC",
    "UPDATE account SET balance = balance - $1, touched = now() WHERE id = $2 AND balance >= $1 RETURNING balance",
)


def costs(rounds: int) -> dict[str, list[float]]:
    """CPU seconds per statement that was never seen, by who looks at it; one figure per round."""
    found: dict[str, list[float]] = {}
    lookers: tuple[tuple[str, Callable[[str], Any], int], ...] = (
        ("dbrouter: verdict", lambda text: analyze(text, Engine.POSTGRESQL), 200),
        ("dbrouter: digest text", lambda text: digest_text(text, Engine.POSTGRESQL), 200),
        ("sqlparse: parse", sqlparse.parse, 5),
        ("sqlglot: parse", lambda text: sqlglot.parse_one(text, dialect="postgres"), 10),
    )
    for turn in range(rounds):
        for name, look, repeat in lookers:
            texts = _unseen(repeat, f"{turn}{name[:12]}")
            gc.collect()
            started = process_time()
            for text in texts:
                look(text)
            found.setdefault(name, []).append((process_time() - started) / len(texts))
    return found


def _unseen(repeat: int, mark: str) -> Sequence[str]:
    """The statements, *repeat* times, each with a comment that makes it another text."""
    return [f"{statement} /* {mark} {number} */" for number in range(repeat) for statement in STATEMENTS]


def median_ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """How many times as long the one takes, in the middle round."""
    return statistics.median(a / b for a, b in zip(slower, faster, strict=True))
