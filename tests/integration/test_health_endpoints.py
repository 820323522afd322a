"""The health endpoints of a running service, through uvicorn, while its nodes are killed, frozen and brought back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import uvicorn

from dbrouter.integrations.asgi import App, health_app
from dbrouter.router.router import Router
from dbrouter.testing import LocalCluster
from tests.pauses import Pauses

ENDPOINTS = ("/livez", "/readyz", "/health", "/breakers", "/metrics")


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """A uvicorn server for *app* on a free port of 127.0.0.1; its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, http="h11", ws="none", lifespan="on", log_level="error", access_log=False)
    )
    server.capture_signals = nullcontext  # type: ignore[assignment,method-assign]  # the test runner's handlers stay
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not task.done(), "uvicorn did not start"
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Watch:
    """Asks every endpoint in turn, all the time."""

    client: httpx.AsyncClient
    answers: list[tuple[float, float]] = field(default_factory=list)
    """When each was asked for and when it came."""
    pauses: Pauses = field(default_factory=Pauses)

    async def run(self) -> None:
        """Ask until cancelled."""
        with self.pauses:
            while True:
                for path in ENDPOINTS:
                    started = perf_counter()
                    answer = await self.client.get(path)
                    self.answers.append((started, perf_counter()))
                    assert answer.status_code in (200, 503)
                await asyncio.sleep(0.02)

    def times(self) -> list[float]:
        """Seconds that the answers took while this process could run, ascending."""
        return sorted(came - asked - self.pauses.within(asked, came) for asked, came in self.answers)


async def until(client: httpx.AsyncClient, path: str, expected: Callable[[httpx.Response], bool]) -> httpx.Response:
    """The first answer of *path* that is as *expected*, within 30 s."""
    answer = await client.get(path)
    try:
        async with asyncio.timeout(30):
            while not expected(answer):
                await asyncio.sleep(0.02)
                answer = await client.get(path)
    except TimeoutError:
        raise AssertionError(f"{path} still answers {answer.status_code} {answer.text}") from None
    return answer


def reports(status: str) -> Callable[[httpx.Response], bool]:
    """Whether an answer of /health has this status."""
    return lambda answer: bool(answer.json()["status"] == status)


def settings(cluster: LocalCluster) -> dict[str, Any]:
    """A router on *cluster*."""
    return {"writer": cluster.primary.dsn(), "readers": [replica.dsn() for replica in cluster.replicas], "pool": {"max_size": 3}}


async def test_endpoints_tell_the_truth_and_answer_at_once_whatever_happens_to_the_nodes(cluster: LocalCluster) -> None:
    """A replica killed, another frozen, everything killed, all brought back: right answers, none late, readiness by policy."""
    first, second = cluster.replicas
    async with (
        Router.open(settings(cluster)) as router,
        serving(health_app(router)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        watch = Watch(client)
        watching = asyncio.create_task(watch.run())
        try:
            await until(client, "/health", reports("pass"))
            assert (await client.get("/readyz")).status_code == 200

            await asyncio.to_thread(first.kill)
            answer = await until(client, "/health", reports("warn"))
            (role,) = answer.json()["checks"][f"{first.endpoint}:role"]
            assert role["status"] == "fail"
            assert role["age"] < 5
            readyz = await client.get("/readyz")
            assert readyz.status_code == 200
            assert any(why.startswith(first.endpoint) for why in next(iter(readyz.json()["databases"].values()))["why"])
            assert await metric(client, "dbrouter_node_usable", first.endpoint) == 0.0
            breakers = (await client.get("/breakers")).json()["circuitBreakers"]
            assert set(breakers) == {server.endpoint for server in cluster.servers}
            assert breakers[second.endpoint]["state"] == "CLOSED"

            await asyncio.to_thread(first.start)
            await until(client, "/health", reports("pass"))
            assert await metric(client, "dbrouter_node_usable", first.endpoint) == 1.0

            await asyncio.to_thread(second.freeze)
            answer = await until(client, "/health", reports("warn"))
            assert "frozen" in answer.json()["checks"][f"{second.endpoint}:role"][0]["output"]
            await asyncio.to_thread(second.thaw)
            await until(client, "/health", reports("pass"))

            for server in cluster.servers:
                await asyncio.to_thread(server.kill)
            await until(client, "/readyz", lambda answer: answer.status_code == 503)
            assert (await until(client, "/health", reports("fail"))).status_code == 503
            assert (await client.get("/livez")).status_code == 200
            for server in cluster.servers:
                await asyncio.to_thread(server.start)
            await until(client, "/readyz", lambda answer: answer.status_code == 200)
            await until(client, "/health", reports("pass"))
        finally:
            watching.cancel()
            await asyncio.wait([watching])
        assert watching.cancelled(), watching.exception()

        await router.aclose()
        assert (await client.get("/readyz")).status_code == 503

    times = watch.times()
    half, late, latest = median(times), times[int(len(times) * 0.95)], times[-1]
    figures = f"{len(times)} answers: median {half * 1000:.1f} ms, p95 {late * 1000:.1f} ms, at most {latest * 1000:.1f} ms"
    print(figures)
    assert len(times) > 100, figures
    assert half < 0.010, figures
    # The slowest answer has room for what is no pause, and yet the machine's: client, router and server share one busy core.
    assert late < 0.050, figures
    assert latest < 0.500, figures


async def metric(client: httpx.AsyncClient, name: str, node: str) -> float:
    """The value of a metric of *node*."""
    text = (await client.get("/metrics")).text
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name}{{") and f'node="{node}"' in line)
    return float(line.rsplit(" ", 1)[1])


async def test_status_shows_a_running_service(pg: LocalCluster) -> None:
    """`dbrouter status` asks the endpoints: one document with --json, tables without, exit 1 where the service says fail."""
    async with Router.open(settings(pg)) as router, serving(health_app(router)) as address:
        code, output = await command("status", address, "--json")
        found = json.loads(output)
        assert (code, found["health"]["status"]) == (0, "pass")
        assert set(found["breakers"]["circuitBreakers"]) == {server.endpoint for server in pg.servers}

        code, output = await command("status", f"{address}/")
        assert code == 0
        for server in pg.servers:
            assert server.endpoint in output
        assert "CLOSED" in output

        await router.aclose()
        code, output = await command("status", address)
        assert code == 1
        assert f"{address}: fail" in output


async def command(*arguments: str) -> tuple[int | None, str]:
    """Exit code and standard output of ``dbrouter`` in a process of its own."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "dbrouter", *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()
