"""Log lines of a real router through real trouble: one per query at debug, repeats counted, nothing secret in any of them."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from dbrouter.errors import OutcomeUnknownError
from dbrouter.integrations.logging import LogObserver, to_json
from dbrouter.router.router import Router
from dbrouter.terms import EventLevel
from dbrouter.testing import LocalCluster
from dbrouter.testing.server import PASSWORD

SECRET = "s3cr3t-of-a-customer"


async def until(lines: io.StringIO, name: str) -> None:
    """Wait until an event of that name has been written, for at most 20 s."""
    async with asyncio.timeout(20):
        while not any(entry["event"] == name for entry in written(lines)):
            await asyncio.sleep(0.02)


def written(lines: io.StringIO) -> list[dict[str, Any]]:
    """The lines so far."""
    return [json.loads(line) for line in lines.getvalue().splitlines()]


async def test_no_line_tells_a_parameter_a_literal_or_a_password(cluster: LocalCluster) -> None:
    """Queries with secrets, a broken constraint, a time-out and a killed replica: every story is told, no secret is."""
    placeholder = "$1" if cluster.engine == "postgresql" else "%s"
    slow = "SELECT pg_sleep(30)" if cluster.engine == "postgresql" else "SELECT SLEEP(30)"
    lines = io.StringIO()
    settings = {"writer": cluster.primary.dsn(), "readers": [replica.dsn() for replica in cluster.replicas]}
    observer = LogObserver(to_json(lines), level=EventLevel.DEBUG)

    async with Router.open(settings, observers=[observer]) as router:
        await router.execute("DROP TABLE IF EXISTS log_line")
        await router.execute("CREATE TABLE log_line (name varchar(100) PRIMARY KEY)")
        await router.execute(f"INSERT INTO log_line VALUES ({placeholder})", SECRET)
        await router.execute(f"INSERT INTO log_line VALUES ('{SECRET}-literal')")
        with pytest.raises(Exception, match=SECRET):
            await router.execute(f"INSERT INTO log_line VALUES ({placeholder})", SECRET)
        await router.fetch(f"SELECT 1 FROM log_line WHERE name = '{SECRET}'", route="write", tag="look")
        with pytest.raises((TimeoutError, OutcomeUnknownError)):
            await router.execute(f"{slow} /* {SECRET} */", timeout=0.2)
        await asyncio.to_thread(cluster.replicas[0].kill)
        await until(lines, "node.shunned")
        await router.execute("DROP TABLE log_line")

    names = [entry["event"] for entry in written(lines)]
    assert names.count("query.finished") == 8
    assert names[-1] == "router.closed"
    assert {"router.opened", "connection.opened", "connection.closed", "node.shunned", "topology.changed"} <= set(names)
    text = lines.getvalue()
    assert SECRET not in text
    assert PASSWORD not in text
    assert "://" not in text
    (look,) = (entry for entry in written(lines) if entry.get("tag") == "look")
    assert (look["kind"], look["intent"], look["outcome"], look["attempts"]) == ("SELECT", "read", "ok", 1)
