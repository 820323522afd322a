"""``dbrouter check --connect`` on real servers: roles, limits, and servers that refuse or never answer."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from dbrouter.testing import LocalCluster
from dbrouter.testing.server import DATABASE, PASSWORD, USER


async def check(folder: Path, text: str, *options: str) -> tuple[int | None, dict[str, Any], float]:
    """Exit code, the JSON document and seconds of ``dbrouter check --connect --json`` on *text*."""
    path = folder / "dbrouter.yaml"
    path.write_text(text, encoding="utf-8")
    started = monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dbrouter",
        "check",
        str(path),
        "--connect",
        "--json",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, json.loads(output), monotonic() - started


def written(writer: str, *readers: str, more: str = "") -> str:
    """A configuration in the smallest shape."""
    return f"writer: {writer}\nreaders: [{', '.join(readers)}]\n{more}"


@asynccontextmanager
async def mute_server() -> AsyncIterator[int]:
    """A port that accepts and never says a word."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_servers_in_their_places_are_fine(cluster: LocalCluster, tmp_path: Path) -> None:
    """Exit 0, every server with its role, version and the connections it gives."""
    text = written(cluster.primary.dsn(), *(replica.dsn() for replica in cluster.replicas))

    code, found, _ = await check(tmp_path, text)

    assert (code, found["ok"], found["problems"]) == (0, True, [])
    roles = {server["node"]: server["role"] for server in found["servers"]}
    assert roles == {
        cluster.primary.endpoint: "primary",
        **{replica.endpoint: "replica" for replica in cluster.replicas},
    }
    for server in found["servers"]:
        assert server["version"]
        assert 0 < server["usable"] <= server["max_connections"]


async def test_a_replica_as_writer_and_a_primary_alone_among_readers_are_problems(cluster: LocalCluster, tmp_path: Path) -> None:
    """Both mistakes are told, each with its server."""
    replica = cluster.replicas[0]

    code, found, _ = await check(tmp_path, written(replica.dsn(), cluster.primary.dsn()))

    assert code == 1
    told = {problem["path"].rsplit(" ", 1)[1]: problem["message"] for problem in found["problems"]}
    assert "is a replica" in told[replica.endpoint]
    assert "primary of its own" in told[cluster.primary.endpoint]


async def test_more_processes_than_the_server_has_room_for(cluster: LocalCluster, tmp_path: Path) -> None:
    """N × pool sizes are compared with what the server gives, reserved connections taken off."""
    text = written(cluster.primary.dsn(), cluster.replicas[0].dsn(), more="pool: {max_size: 5}\n")

    code, found, _ = await check(tmp_path, text, "--processes", "1000")

    assert code == 1
    assert len(found["problems"]) == 2
    assert all("open 6000 connections" in problem["message"] for problem in found["problems"])


async def test_every_server_that_cannot_be_used_is_told_and_nothing_hangs(pg: LocalCluster, tmp_path: Path) -> None:
    """A wrong password, a closed port, a mute server and a frozen one: four problems, soon, and no password is told."""
    frozen = pg.replicas[0]
    await asyncio.to_thread(frozen.freeze)
    async with mute_server() as mute:
        text = f"""\
databases:
  shop: {{dsn: "postgresql://{USER}:{PASSWORD}@/{DATABASE}", writer_hostgroup: 1, reader_hostgroup: 2}}
  other: {{dsn: "postgresql://{USER}:hunter2-wrong@/{DATABASE}", writer_hostgroup: 3}}
hostgroups:
  - {{id: 1, name: write, servers: ["{pg.primary.endpoint}"]}}
  - id: 2
    name: read
    servers: ["127.0.0.1:1", "127.0.0.1:{mute}", "{frozen.endpoint}", {{host: 127.0.0.1, port: 2, status: offline}}]
  - {{id: 3, name: other, servers: ["{pg.primary.endpoint}"]}}
timeouts: {{connect: 1s}}
"""
        code, found, seconds = await check(tmp_path, text)
        await asyncio.to_thread(frozen.thaw)

    assert code == 1
    told = {(server["hostgroup"], server["node"]): server["error"] for server in found["servers"]}
    assert told.pop(("write", pg.primary.endpoint)) is None
    assert set(told) == {
        ("read", "127.0.0.1:1"),
        ("read", f"127.0.0.1:{mute}"),
        ("read", frozen.endpoint),
        ("other", pg.primary.endpoint),
    }
    assert all(told.values())
    assert "password" in told["other", pg.primary.endpoint]
    assert [problem["message"] for problem in found["problems"]] == [f"cannot be reached: {error}" for error in told.values()]
    assert "hunter2" not in json.dumps(found)
    assert seconds < 15
