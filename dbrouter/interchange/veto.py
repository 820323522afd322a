"""
Which rules the safety veto will not let have their way, found by trying: `vetoed_rules` runs statements that belong on a primary,
one of each kind that rule sets are known to miss, through the planner itself.
"""

from __future__ import annotations

from dbrouter.config.model import RouterConfig
from dbrouter.router.build import build
from dbrouter.router.planner import NO_WISH
from dbrouter.terms import Engine

_COMMON = (
    "INSERT INTO t (a) VALUES (1)",
    "UPDATE t SET a = 1 WHERE id = 1",
    "DELETE FROM t WHERE id = 1",
    "CREATE TABLE n (a int)",
    "SELECT * FROM t WHERE id = 1 FOR UPDATE",
    "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT",
    "SELECT * FROM t WHERE id = 1\nFOR UPDATE",
    "SELECT * FROM t WHERE id = 1 FOR SHARE",
    "(SELECT * FROM t FOR UPDATE)",
)
STATEMENTS: dict[Engine, tuple[str, ...]] = {
    Engine.POSTGRESQL: (
        *_COMMON,
        "SELECT nextval('s')",
        "SELECT * INTO n FROM t",
        "SELECT pg_advisory_xact_lock(1)",
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "EXPLAIN ANALYZE DELETE FROM t",
    ),
    Engine.MYSQL: (
        *_COMMON,
        "REPLACE INTO t (a) VALUES (1)",
        "SELECT * FROM t LOCK IN SHARE MODE",
        "SELECT * FROM t INTO OUTFILE '/tmp/t'",
    ),
}
"""Statements that belong on a primary, as people write them."""


def vetoed_rules(config: RouterConfig) -> list[tuple[int, str, str]]:
    """
    For every rule that would send one of `STATEMENTS` to readers: (rule_id, the first such statement, the hostgroup's name).

    Nothing is started and nothing is connected.
    """
    found: dict[int, tuple[str, str]] = {}
    destinations = {rule.rule_id: rule.destination_hostgroup for rule in config.query_rules}
    for context in build(config).contexts:
        for statement in STATEMENTS[context.engine]:
            plan = context.planner.decide(statement, NO_WISH)
            destination = destinations.get(plan.rule_id) if plan.rule_id is not None else None
            if plan.veto is not None and plan.rule_id is not None and destination is not None:
                found.setdefault(plan.rule_id, (statement, config.hostgroup(destination).name))
    return [(rule_id, *found[rule_id]) for rule_id in sorted(found)]
