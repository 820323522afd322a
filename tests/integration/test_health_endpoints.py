"""The health endpoints of a running service, through uvicorn, while its nodes are killed, frozen and brought back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, MutableMapping
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import uvicorn

from dbrouter.integrations.asgi import App, Receive, Scope, Send, health_app
from dbrouter.router.router import Router
from dbrouter.testing import LocalCluster
from tests.costs import Clock, Reading, cost
from tests.pauses import Pauses
from tests.watching import until as until_true

ENDPOINTS = ("/livez", "/readyz", "/health", "/breakers", "/metrics")


LIMIT_SECONDS = 0.05
"""What an answer may take by contract, of the one core that makes it."""


@asynccontextmanager
async def handling(app: App) -> AsyncIterator[Handled]:
    """*app*, watched as long as it is in use."""
    handled = Handled(app)
    with handled.pauses, closing(handled.clock):
        yield handled


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
class Answer:
    """One answer, as the event loop's thread saw it being made."""

    path: str
    steps: list[tuple[Reading, Reading]] = field(default_factory=list)
    """Begin and end of each piece of it that ran without giving the event loop away, the sending included."""
    waits: list[str] = field(default_factory=list)
    """What it waited for beside the taking over of what it sent."""


class Handled:
    """
    The application as a server runs it, each answer taken step by step.

    Where nothing but sending is awaited, no answer depends on a database or on any other task.

    Attributes:
        answers: every one that was given.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.answers: list[Answer] = []
        self.pauses = Pauses()
        self.clock = Clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = False

        async def pass_on(message: MutableMapping[str, Any]) -> None:
            nonlocal sending
            sending = True
            await send(message)
            sending = False

        answer = Answer(scope["path"])
        await _Stepwise(self._app(scope, receive, pass_on), self.clock, answer, lambda: sending)
        self.answers.append(answer)

    def costs(self) -> list[tuple[float, str]]:
        """Seconds that each answer cost, and its path, ascending."""
        return sorted((sum(cost(*step, self.pauses) for step in answer.steps), answer.path) for answer in self.answers)


class _Stepwise:
    """Awaits *work*, and notes each of its steps in *answer*."""

    def __init__(self, work: Awaitable[None], clock: Clock, answer: Answer, sending: Callable[[], bool]) -> None:
        self._work = work
        self._clock = clock
        self._answer = answer
        self._sending = sending

    def __await__(self) -> Generator[Any, None, None]:
        work: Any = self._work.__await__()
        go_on = partial(next, work)
        while True:
            start = self._clock.read()
            try:
                awaited = go_on()
            except StopIteration:
                return
            finally:
                self._answer.steps.append((start, self._clock.read()))
            if not self._sending():
                self._answer.waits.append(repr(awaited))
            try:
                yield awaited
                go_on = partial(next, work)
            except BaseException as error:  # cancelled: the work is to hear of it
                go_on = partial(work.throw, error)


@dataclass
class Watch:
    """Asks every endpoint in turn, all the time."""

    client: httpx.AsyncClient
    rounds: int = 0
    """How often all of them have answered."""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            for path in ENDPOINTS:
                answer = await self.client.get(path)
                assert answer.status_code in (200, 503)
            self.rounds += 1
            await asyncio.sleep(0.02)

    async def goes_round(self) -> None:
        """Wait until every endpoint has answered as things are now."""
        wanted = self.rounds + 2
        await until_true(lambda: self.rounds >= wanted, what="a round of all endpoints")


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


def opened(node: str) -> Callable[[httpx.Response], bool]:
    """Whether an answer of /breakers has the breaker of *node* open."""
    return lambda answer: bool(answer.json()["circuitBreakers"][node]["state"] == "OPEN")


def settings(cluster: LocalCluster) -> dict[str, Any]:
    """A router on *cluster*."""
    return {
        "writer": cluster.primary.dsn(),
        "readers": [replica.dsn() for replica in cluster.replicas],
        "pool": {"max_size": 3},
        "breaker": {"consecutive_failures": 3, "open_for": "2s"},
    }


async def test_endpoints_tell_the_truth_and_answer_at_once_whatever_happens_to_the_nodes(cluster: LocalCluster) -> None:
    """
    A replica killed, its breaker open, another frozen, everything killed, all brought back: right answers, readiness by policy.

    Not one of the answers costs 50 ms or awaits anything but its sending.
    """
    first, second = cluster.replicas
    async with (
        Router.open(settings(cluster)) as router,
        handling(health_app(router)) as app,
        serving(app) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        watch = Watch(client)
        watching = asyncio.create_task(watch.run())
        try:
            await until(client, "/health", reports("pass"))
            assert (await client.get("/readyz")).status_code == 200

            await router.execute("SELECT 1")
            await asyncio.to_thread(first.kill)
            await asyncio.gather(*(router.execute("SELECT 1") for _ in range(10)))
            await until(client, "/breakers", opened(first.endpoint))
            await watch.goes_round()
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
            await watch.goes_round()
            answer = await until(client, "/health", reports("warn"))
            assert "frozen" in answer.json()["checks"][f"{second.endpoint}:role"][0]["output"]
            await watch.goes_round()
            await asyncio.to_thread(second.thaw)
            await until(client, "/health", reports("pass"))

            for server in cluster.servers:
                await asyncio.to_thread(server.kill)
            await until(client, "/readyz", lambda answer: answer.status_code == 503)
            assert (await until(client, "/health", reports("fail"))).status_code == 503
            assert (await client.get("/livez")).status_code == 200
            await watch.goes_round()
            for server in cluster.servers:
                await asyncio.to_thread(server.start)
            await until(client, "/readyz", lambda answer: answer.status_code == 200)
            await until(client, "/health", reports("pass"))
            assert [(answer.path, answer.waits) for answer in app.answers if answer.waits] == []
        finally:
            watching.cancel()
            await asyncio.wait([watching])
        assert watching.cancelled(), watching.exception()

        await router.aclose()
        assert (await client.get("/readyz")).status_code == 503

    costs = app.costs()
    assert {path for _, path in costs} == set(ENDPOINTS)
    assert costs[-1][0] < LIMIT_SECONDS, costs[-5:]


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
