"""Local clusters do what tests rely on: they replicate, refuse writes on replicas, and survive what tests do to them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pymysql
import pytest

from dbrouter.terms import Engine
from dbrouter.testing import LocalCluster, LocalPgBouncer, LocalServer, ServerError, ServerKind, processes

PATIENCE = 10.0
"""Seconds for what must happen soon; nobody waits that long when all is well."""


class Session:
    """A connection of the ordinary user, by a driver that is not under test here."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    @classmethod
    async def open(cls, server: LocalServer, *, password: str = "app-secret", timeout: float = PATIENCE) -> Session:
        if server.kind.engine is Engine.POSTGRESQL:
            return cls(await asyncpg.connect(server.dsn(password=password), ssl=False, timeout=timeout))
        address = {"host": server.host, "port": server.port, "user": "app", "password": password, "database": "app"}
        limits = {"connect_timeout": timeout, "read_timeout": timeout}
        return cls(await asyncio.to_thread(pymysql.connect, autocommit=True, **address, **limits))

    async def run(self, sql: str) -> list[Any]:
        if isinstance(self._raw, asyncpg.Connection):
            return [row[0] for row in await self._raw.fetch(sql)]
        return await asyncio.to_thread(self._run_blocking, sql)

    def _run_blocking(self, sql: str) -> list[Any]:
        with self._raw.cursor() as cursor:
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

    async def aclose(self) -> None:
        if isinstance(self._raw, asyncpg.Connection):
            self._raw.terminate()
        elif self._raw.open:
            self._raw.close()


async def make_table(cluster: LocalCluster) -> None:
    """A fresh table `things` of the ordinary user with rows 1 and 2, on every server."""
    session = await Session.open(cluster.primary)
    await session.run("DROP TABLE IF EXISTS things")
    await session.run("CREATE TABLE things (id int PRIMARY KEY)")
    await session.run("INSERT INTO things VALUES (1), (2)")
    await session.aclose()
    await asyncio.to_thread(cluster.wait_caught_up)


@pytest.mark.all_servers
async def test_replicas_have_the_data_and_refuse_writes(cluster: LocalCluster) -> None:
    """What the ordinary user writes on the primary is on both replicas, where the same user may read and not write."""
    await make_table(cluster)

    for replica in cluster.replicas:
        session = await Session.open(replica)
        rows = await session.run("SELECT id FROM things ORDER BY id")
        with pytest.raises((asyncpg.ReadOnlySQLTransactionError, pymysql.err.OperationalError)) as refusal:
            await session.run("INSERT INTO things VALUES (3)")
        await session.aclose()

        assert rows == [1, 2]
        assert "read" in str(refusal.value) and "only" in str(refusal.value)
    assert [server.is_replica() for server in cluster.servers] == [False, True, True]


@pytest.mark.all_servers
async def test_password_is_checked(cluster: LocalCluster) -> None:
    """The ordinary user needs the right password, on every server."""
    for server in cluster.servers:
        with pytest.raises((asyncpg.InvalidPasswordError, pymysql.err.OperationalError)):
            await Session.open(server, password="wrong")


@pytest.mark.all_servers
async def test_kill_and_restart_keep_what_was_committed(cluster: LocalCluster) -> None:
    """A killed primary takes its connections with it and comes back on the same port with every committed row."""
    await make_table(cluster)
    session = await Session.open(cluster.primary)
    await session.run("INSERT INTO things VALUES (3)")
    endpoint = cluster.primary.endpoint

    await asyncio.to_thread(cluster.primary.kill)
    with pytest.raises((OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, pymysql.err.Error)):
        await asyncio.wait_for(session.run("SELECT 1"), PATIENCE)
    await session.aclose()
    with pytest.raises((OSError, pymysql.err.OperationalError)):
        await Session.open(cluster.primary)
    running = cluster.primary.running
    await asyncio.to_thread(cluster.primary.start)
    again = await Session.open(cluster.primary)
    rows = await again.run("SELECT id FROM things ORDER BY id")
    await again.aclose()

    assert not running
    assert rows == [1, 2, 3]
    assert cluster.primary.endpoint == endpoint


@pytest.mark.all_servers
async def test_frozen_server_is_silent_and_goes_on_after_thaw(cluster: LocalCluster) -> None:
    """A frozen replica answers nobody, old or new, keeps its connections, and finishes the query once thawed."""
    replica = cluster.replicas[0]
    session = await Session.open(replica)

    await asyncio.to_thread(replica.freeze)
    query = asyncio.ensure_future(session.run("SELECT 42"))
    with pytest.raises((TimeoutError, pymysql.err.OperationalError)):
        await Session.open(replica, timeout=0.2)
    silent = not query.done()
    frozen = replica.frozen and replica.running
    replica.thaw()
    answer = await asyncio.wait_for(query, PATIENCE)
    await session.aclose()

    assert silent
    assert frozen
    assert not replica.frozen
    assert answer == [42]


@pytest.mark.all_servers
def test_replica_catches_up_after_a_restart(cluster: LocalCluster) -> None:
    """A replica that was stopped, while the primary went on, has everything soon after it is back."""
    replica = cluster.replicas[1]
    cluster.primary.query("DROP TABLE IF EXISTS missed")

    replica.stop()
    cluster.primary.query("CREATE TABLE missed (id int PRIMARY KEY)")
    cluster.primary.query("INSERT INTO missed VALUES (7)")
    replica.start()
    cluster.wait_caught_up()
    replica.restart("immediate")

    assert replica.query("SELECT id FROM missed") == [("7",)]


@pytest.mark.all_servers
async def test_promotion_and_healing(cluster: LocalCluster) -> None:
    """After a failover the other replica follows the new primary, and `heal` makes the old one a replica of it."""
    await make_table(cluster)
    old, heir, other = cluster.servers

    def fail_over() -> None:
        old.kill()
        cluster.promote(heir)
        heir.query("INSERT INTO things VALUES (3)")
        cluster.wait_caught_up()

    await asyncio.to_thread(fail_over)
    followed = await asyncio.to_thread(other.query, "SELECT id FROM things ORDER BY id")
    await asyncio.to_thread(cluster.heal)

    assert followed == [("1",), ("2",), ("3",)]
    assert cluster.servers == [heir, other, old]
    assert [server.is_replica() for server in cluster.servers] == [False, True, True]
    assert old.query("SELECT id FROM things ORDER BY id") == [("1",), ("2",), ("3",)]
    await make_table(cluster)  # The ordinary user may write on the new primary.


async def test_promoted_server_stays_primary_after_a_restart(fresh_pg: LocalCluster) -> None:
    """A promotion is no matter of a running process: also the next start is a primary's."""
    heir = fresh_pg.replicas[0]

    def act() -> bool:
        fresh_pg.primary.stop()
        fresh_pg.promote(heir)
        heir.restart()
        return heir.is_replica()

    assert await asyncio.to_thread(act) is False


async def test_split_brain_is_healed(fresh_mariadb: LocalCluster) -> None:
    """A primary that lives on beside a promoted replica, and takes a write of its own, is built anew by `heal`."""
    old, heir, _ = fresh_mariadb.servers

    def act() -> None:
        old.query("CREATE TABLE split (id int PRIMARY KEY)")
        fresh_mariadb.wait_caught_up()
        fresh_mariadb.promote(heir)
        old.query("INSERT INTO split VALUES (1)")
        heir.query("INSERT INTO split VALUES (2)")
        fresh_mariadb.heal()

    await asyncio.to_thread(act)

    assert [server.query("SELECT id FROM split") for server in fresh_mariadb.servers] == [[("2",)]] * 3


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that a server's account can reach, unlike pytest's own when we are root."""
    with tempfile.TemporaryDirectory(prefix="dbrouter-place-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


async def test_async_context_and_a_folder_of_ones_own(place: Path) -> None:
    """`async with` starts and ends a cluster in the folder that was given, and leaves neither process nor folder."""
    folder = place / "cluster"

    async with LocalCluster("postgresql-18", replicas=0, folder=folder, options={"work_mem": "7MB"}) as cluster:
        pid = cluster.primary.pid
        setting = cluster.primary.value("SHOW work_mem")
        inside = os.listdir(folder)

    assert setting == "7MB"
    assert inside == ["primary"]
    assert os.listdir(place) == []
    assert pid is not None and not processes.alive(pid)


def test_server_that_cannot_start_says_why() -> None:
    """A start that fails raises with the end of the server's log, and nothing is left running."""
    cluster = LocalCluster(ServerKind.POSTGRESQL_18, replicas=0, options={"shared_buffers": "no size"})

    with pytest.raises(ServerError, match=r"shared_buffers"):
        cluster.start()

    with pytest.raises(ServerError, match="was not started"):
        _ = cluster.primary


def test_nothing_outlives_a_killed_run() -> None:
    """When the process that started a cluster is killed, its servers end and its folder is deleted."""
    code = (
        "import time\n"
        "from dbrouter.testing import LocalCluster, processes\n"
        "cluster = LocalCluster('postgresql-18', replicas=1).start()\n"
        "print(processes.run_folder(), *(server.pid for server in cluster.servers), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder, *pids = run.stdout.readline().split()
        lived = Path(folder).exists() and all(processes.alive(int(pid)) for pid in pids)

        os.kill(run.pid, signal.SIGKILL)

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (Path(folder).exists() or any(processes.alive(int(pid)) for pid in pids)):
        time.sleep(0.02)
    assert lived and len(pids) == 2
    assert not Path(folder).exists()
    assert not any(processes.alive(int(pid)) for pid in pids)


async def test_pgbouncer_passes_queries(pgbouncer: LocalPgBouncer) -> None:
    """The ordinary user reaches the primary through PgBouncer, also after it was killed and started again."""

    async def ask() -> bool:
        connection = await asyncpg.connect(pgbouncer.dsn(), statement_cache_size=0, ssl=False)
        try:
            return bool(await connection.fetchval("SELECT pg_is_in_recovery()"))
        finally:
            await connection.close()

    before = await ask()
    await asyncio.to_thread(pgbouncer.kill)
    with pytest.raises(OSError):
        await ask()
    await asyncio.to_thread(pgbouncer.start)

    assert before is False
    assert await ask() is False


@pytest.mark.all_servers
def test_heal_ends_what_a_test_set_by_sql(cluster: LocalCluster) -> None:
    """Replication that was stopped, paused or delayed behind the cluster's back runs again after `heal`."""
    stop = {
        ServerKind.MARIADB_10_11: "STOP SLAVE SQL_THREAD; CHANGE MASTER TO MASTER_DELAY=60",
        ServerKind.MYSQL_9_7: "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY=60",
    }.get(cluster.kind, "SELECT pg_wal_replay_pause()")
    if cluster.kind is ServerKind.MARIADB_10_11:
        cluster.replicas[0].query("STOP SLAVE")
    cluster.replicas[0].query(stop)
    before = cluster.healthy
    cluster.primary.query("DROP TABLE IF EXISTS paused")
    cluster.primary.query("CREATE TABLE paused (id int PRIMARY KEY)")

    cluster.heal()

    assert not before
    assert cluster.healthy
    assert cluster.replicas[0].query("SELECT * FROM paused") == []
