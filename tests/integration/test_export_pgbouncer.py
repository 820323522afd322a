"""The way out, end to end: export a configuration, start Debian's PgBouncer on the files, and route through it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dbrouter import Router
from dbrouter.cli.__main__ import build_app
from dbrouter.config.dump import to_yaml
from dbrouter.testing import LocalCluster, processes, servers
from dbrouter.testing.server import PASSWORD
from tests.routers import whole


def answers(port: int) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def files(pg: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What `dbrouter export pgbouncer` writes for the cluster, in a folder that PgBouncer's account may read."""
    port = processes.free_port()
    folder = processes.new_folder("export")
    config = whole(pg)
    config["databases"]["app"]["server_settings"] = {"search_path": "public, pg_catalog"}
    source = folder / "before.yaml"
    source.write_text(to_yaml(config))
    arguments = ["export", "pgbouncer", "--config", str(source), "--output", str(folder), "--port", str(port)]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output
    monkeypatch.setenv("APP_PASSWORD", PASSWORD)
    try:
        account = processes.server_account("postgres")
        account.own(folder)
        program = servers.require(servers.PGBOUNCER).programs
        process = processes.spawn([program, folder / "pgbouncer.ini"], account, cwd=folder, log=folder / "pgbouncer.log")
        try:
            up = processes.wait_until(lambda: process.poll() is not None or answers(port), 10)
            assert up and process.poll() is None, (folder / "pgbouncer.log").read_text()
            yield folder
        finally:
            processes.kill_tree(process)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def router(files: Path) -> AsyncIterator[Router]:
    """A router on the exported configuration."""
    async with Router.open(str(files / "dbrouter.yaml")) as opened:
        yield opened


async def where(router: Router, **options: Any) -> tuple[str, int]:
    """(the node's id, the port of the server that ran a read)."""
    result = await router.execute("SELECT inet_server_port() AS port", **options)
    return str(result.route.node), int(result[0]["port"])


async def test_reads_reach_replicas_and_writes_the_primary(pg: LocalCluster, router: Router) -> None:
    """Through one PgBouncer each server is a node of its own, and the statements arrive where they belong."""
    await router.execute("DROP TABLE IF EXISTS exported")
    await router.execute("CREATE TABLE exported(id int PRIMARY KEY)")
    await asyncio.gather(*(router.execute("INSERT INTO exported VALUES ($1)", number) for number in range(20)))
    await asyncio.to_thread(pg.wait_caught_up)

    seen = {await where(router) for _ in range(8)}
    wrote = await where(router, route="write")
    count = await router.fetchval("SELECT count(*) FROM exported")
    health = router.health()

    assert {port for _, port in seen} == {replica.port for replica in pg.replicas}
    assert len({node for node, _ in seen}) == len(pg.replicas)
    assert wrote[1] == pg.primary.port and count == 20
    assert health.status == "pass"
    await router.execute("DROP TABLE exported")


async def test_sessions_are_as_the_router_would_have_opened_them(router: Router) -> None:
    """Server settings hold on every server, and readers' sessions are read-only by PgBouncer's doing."""
    assert await router.fetchval("SELECT current_setting('search_path')") == "public, pg_catalog"
    assert await router.fetchval("SELECT current_setting('search_path')", route="write") == "public, pg_catalog"
    assert await router.fetchval("SELECT current_setting('default_transaction_read_only')") == "on"
    assert await router.fetchval("SELECT current_setting('default_transaction_read_only')", route="write") == "off"


async def test_transactions_keep_to_one_server(pg: LocalCluster, router: Router) -> None:
    """A transaction through the pooler is one transaction on the primary."""
    async with router.transaction() as tx:
        first = await tx.fetchval("SELECT pg_current_xact_id()::text")
        second = await tx.fetchval("SELECT pg_current_xact_id()::text")
        port = await tx.fetchval("SELECT inet_server_port()")

    assert first == second and port == pg.primary.port


def test_the_users_are_nobody_elses_business(files: Path) -> None:
    """`userlist.txt` is readable by its owner alone, and no other file has the password."""
    assert stat.S_IMODE(os.stat(files / "userlist.txt").st_mode) == 0o600
    assert PASSWORD in (files / "userlist.txt").read_text()
    assert all(PASSWORD not in (files / name).read_text() for name in ("pgbouncer.ini", "dbrouter.yaml"))
