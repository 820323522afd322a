"""The examples do on real servers what their texts say."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.requests import Request

from dbrouter import Router
from dbrouter.config import load
from dbrouter.config.load import GROUPS
from dbrouter.testing import FaultProxy, LocalCluster
from dbrouter.testing.processes import free_port
from tests.routers import until

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def module(name: str) -> ModuleType:
    """An example as a module."""
    return importlib.import_module(f"examples.{name}")


def value(cluster: LocalCluster, sql: str) -> str:
    """One value of the primary's database of the examples, past every router."""
    return str(cluster.primary.value(sql))


@pytest.fixture
def shop(pg: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCluster]:
    """The PostgreSQL cluster with the tables of the examples, and the environment that leads there."""
    try_it = module("try_it")
    for name, held in try_it.variables("SHOP", pg).items():
        monkeypatch.setenv(name, held)
    drop = "DROP TABLE IF EXISTS payment, job, customer_order, product"
    pg.primary.query(drop)
    asyncio.run(try_it.create_schema(pg))
    yield pg
    pg.heal()
    pg.primary.query(drop)


async def start(
    *arguments: str, environment: dict[str, str] | None = None, folder: Path = ROOT, stdin: int | None = None
) -> Process:
    """Run an example in a process of its own, as its text says."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env=os.environ | {"DBROUTER_LOG": "off", "PYTHONPATH": str(folder)} | (environment or {}),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
    )


async def output(*arguments: str, environment: dict[str, str] | None = None, folder: Path = ROOT) -> list[str]:
    """The lines that an example prints."""
    process = await start(*arguments, environment=environment, folder=folder)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert not err, err.decode()
    return out.decode().splitlines()


# --- the scripts ----------------------------------------------------------------------------------


async def test_first_script(shop: LocalCluster) -> None:
    """The write ran on the primary, the reads on both replicas, and the explanation says why FOR UPDATE is a write."""
    lines = await output("examples/first_script.py")

    assert lines[0] == f"write: INSERT 0 1 on {shop.primary.endpoint} (app-write)"
    assert sorted(set(lines[1:5])) == sorted(
        f"read: on_a_replica=True on {replica.endpoint} (app-read)" for replica in shop.replicas
    )
    assert lines[5] == "read my own write: 42"
    assert lines[6] == "SELECT is a write (locks rows (FOR UPDATE))"


async def test_two_databases(shop: LocalCluster, mariadb: LocalCluster) -> None:
    """Each call went to the database and the hostgroup that it or a rule asked for."""
    lines = await output("examples/two_databases/two_databases.py", environment=module("try_it").variables("CATALOG", mariadb))

    routes = {line.split(":")[0]: line for line in lines[:4]}
    assert "shop-read" in routes["shop"] and routes["shop"].endswith("rule None")
    assert "catalog-read" in routes["catalog"]
    assert f"catalog-write on {mariadb.primary.endpoint}, rule 10" in routes["price"]
    assert "shop-read" in routes["report"] and routes["report"].endswith("rule 20")
    assert lines[4] == "the price is 1990 cents"
    assert lines[5:] == ["refused: rule 30 forbids this statement: tables are dropped by migrations only [DBR-R03]"] * 2


async def test_the_worker_does_every_job_once_and_stops_when_told(shop: LocalCluster) -> None:
    """Two processes share the jobs, the primary is restarted meanwhile, and SIGTERM ends both with exit code 0."""
    jobs = 1000
    workers = [await start("examples/worker/worker.py") for _ in range(2)]
    try:
        for worker in workers:
            assert worker.stderr is not None and await worker.stderr.readline() == b"worker ready\n"
        shop.primary.query(f"INSERT INTO job(amount) SELECT n FROM generate_series(1, {jobs}) AS n")
        await until(lambda: int(value(shop, "SELECT count(*) FROM payment")) > jobs // 8, 20, "some jobs are done")
        await asyncio.to_thread(shop.primary.restart)
        await until(lambda: value(shop, "SELECT count(*) FROM job WHERE done_at IS NULL") == "0", 30, "all jobs are done")
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        logs = [(await worker.communicate())[1].decode() for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(logs)
    assert value(shop, "SELECT count(*) || ' ' || sum(amount) FROM payment") == f"{jobs} {jobs * (jobs + 1) // 2}"
    for log in logs:
        assert log.endswith("worker stopped\n") and " done\n" in log


async def test_try_it_without_an_argument_says_how() -> None:
    """The helper that starts servers explains itself."""
    process = await start("examples/try_it.py")
    out, err = await process.communicate()

    assert process.returncode == 2 and b"examples/first_script.py" in out, err.decode()


# --- the service ----------------------------------------------------------------------------------


@asynccontextmanager
async def service() -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """A client of the running FastAPI application, and the application."""
    app = module("fastapi_service.app").create_app()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        yield client, app


def order(quantity: int = 1, product_id: int = 1) -> dict[str, Any]:
    """What a client sends; the key is its own."""
    return {"request_id": str(uuid4()), "product_id": product_id, "quantity": quantity}


async def test_the_service_reads_and_writes(shop: LocalCluster) -> None:
    """A product is read, an order is placed once however often it is sent, and what cannot be sold is not."""
    first = order(quantity=4)
    async with service() as (client, _):
        product = await client.get("/products/1")
        missing = await client.get("/products/99")
        answers = [await client.post("/orders", json=first) for _ in range(3)]
        too_many = await client.post("/orders", json=order(quantity=7))
        unknown = await client.post("/orders", json=order(product_id=99))
        invalid = await client.post("/orders", json=order(quantity=0))

    assert product.status_code == 200 and product.json() == {"id": 1, "name": "lamp", "stock": 10}
    assert [answer.status_code for answer in (missing, too_many, unknown, invalid)] == [404, 409, 404, 422]
    assert [(answer.status_code, answer.json()["outcome"]) for answer in answers] == [
        (201, "placed"),
        (201, "already placed"),
        (201, "already placed"),
    ]
    assert value(shop, "SELECT stock FROM product WHERE id = 1") == "6"
    assert value(shop, "SELECT count(*) FROM customer_order") == "1"


async def test_the_service_has_health_endpoints(shop: LocalCluster) -> None:
    """The health application is mounted and knows the nodes."""
    async with service() as (client, _):
        answers = {name: await client.get(f"/internal/{name}") for name in ("livez", "readyz", "health", "breakers", "metrics")}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert set(answers["breakers"].json()["circuitBreakers"]) == {server.endpoint for server in (shop.primary, *shop.replicas)}


async def test_the_service_answers_503_while_the_primary_is_down_and_goes_on_reading(shop: LocalCluster) -> None:
    """Writes are refused with Retry-After, reads and readiness stay; afterwards writes work again."""
    async with service() as (client, app):
        await asyncio.to_thread(shop.primary.stop, "immediate")
        await until(lambda: not app.state.router.health().databases[0].writer, 10, "the probe misses the primary")
        refused = await client.post("/orders", json=order())
        product, ready = await client.get("/products/1"), await client.get("/internal/readyz")
        await asyncio.to_thread(shop.primary.start)
        await until(lambda: app.state.router.health().databases[0].writer, 10, "the primary is back")
        placed = await client.post("/orders", json=order())

    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 1
    assert (product.status_code, ready.status_code, placed.status_code) == (200, 200, 201)


async def test_the_service_answers_503_when_the_pool_is_exhausted(shop: LocalCluster) -> None:
    """All connections of the primary are held: the order waits for `acquire_timeout`, then the client is told to come again."""
    async with service() as (client, app):
        async with AsyncExitStack() as held:
            for _ in range(4):
                await held.enter_async_context(app.state.router.transaction())
            refused = await client.post("/orders", json=order())
        placed = await client.post("/orders", json=order())

    assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
    assert placed.status_code == 201


async def test_the_service_answers_504_when_the_outcome_is_unknown_and_the_same_order_may_be_sent_again(
    shop: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT took effect and its answer was lost: 504, and the repeated order is placed once."""
    async with FaultProxy(shop.primary.host, shop.primary.port) as proxy:
        monkeypatch.setenv("SHOP_PRIMARY", proxy.endpoint)
        async with service() as (client, app):
            sent = order(quantity=2)
            assert (await client.post("/orders", json=order(quantity=1))).status_code == 201
            with monkeypatch.context() as patch:
                lose_the_answer_to_commit(proxy, patch)
                unknown = await client.post("/orders", json=sent)
            proxy.heal()
            await until(lambda: app.state.router.health().databases[0].writer, 10, "the primary is usable")
            again = await client.post("/orders", json=sent)

    assert unknown.status_code == 504 and unknown.headers["Retry-After"] == "1"
    assert again.status_code == 201 and again.json()["outcome"] == "already placed"
    assert value(shop, "SELECT stock FROM product WHERE id = 1") == "7"


def lose_the_answer_to_commit(proxy: FaultProxy, patch: pytest.MonkeyPatch) -> None:
    """From the next COMMIT on, the network delivers what we send and swallows the replies; the connection breaks soon after."""
    transaction = importlib.import_module("dbrouter.router.transaction").Transaction
    commit: Callable[[Any], Any] = transaction._commit

    async def losing(tx: Any) -> None:
        proxy.drop_replies()
        asyncio.get_running_loop().call_later(0.2, proxy.reset)
        await commit(tx)

    patch.setattr(transaction, "_commit", losing)


async def test_an_open_breaker_says_when_to_come_again() -> None:
    """Retry-After is the breaker's own, in whole seconds, and never 0."""
    errors = importlib.import_module("dbrouter.errors")
    answer = module("fastapi_service.app").circuit_open
    request = Request(
        {"type": "http", "method": "GET", "path": "/products", "query_string": b"", "headers": [], "server": ("shop", 80)}
    )

    async def header(retry_after: float) -> str:
        error = errors.CircuitOpenError("open", hostgroup="shop-write", refusals=(), retry_after=retry_after)
        return str((await answer(request, error)).headers["Retry-After"])

    assert [await header(0.0), await header(0.2), await header(7.3)] == ["1", "1", "8"]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


async def test_mistakes_are_no_outage() -> None:
    """What is refused for what it is stays a 500, which somebody looks at; what may be tried again is a 503."""
    errors = importlib.import_module("dbrouter.errors")
    handlers = module("fastapi_service.app").create_app().exception_handlers
    again = (errors.RetriesExhaustedError, errors.ConnectError, errors.ConnectionLostError, errors.PoolFullError)
    mistakes = (errors.StatementRejectedError, errors.SessionStatementError, errors.ParameterError, errors.BugError)

    def handled(kind: type[Exception]) -> bool:
        return any(issubclass(kind, known) for known in handlers if isinstance(known, type))

    assert [handled(kind) for kind in again] == [True] * len(again)
    assert [handled(kind) for kind in mistakes] == [False] * len(mistakes)


@pytest.mark.parametrize(
    "program",
    [
        ("-m", "uvicorn", "examples.fastapi_service.app:app", "--port", "{port}"),
        ("examples/aiohttp_service/app.py",),
    ],
    ids=["fastapi", "aiohttp"],
)
async def test_a_service_answers_what_is_in_hand_when_it_is_told_to_end(shop: LocalCluster, program: tuple[str, ...]) -> None:
    """SIGTERM while a read waits for a lock: the answer still comes, the router is closed, nothing is left on the server."""
    port = free_port()
    service = await start(*(part.format(port=port) for part in program), environment={"PORT": str(port), "DBROUTER_LOG": "json"})
    locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'product'::regclass"
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM product%'"
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
            Router.open({"writer": shop.primary.dsn()}) as other,
        ):
            await until(lambda: listens(port), 40, "the service is up")
            asked = [(await client.get(f"/internal/{path}")).status_code for path in ("livez", "readyz", "nothing")]
            async with other.transaction() as tx:
                await tx.execute("LOCK TABLE product IN ACCESS EXCLUSIVE MODE")
                # A lock alone does not make the server send its log: the next commit does.
                shop.primary.value("SELECT pg_logical_emit_message(true, 'test', 'flush')")
                await until(
                    lambda: {replica.value(locked) for replica in shop.replicas} == {"1"}, 10, "the replicas know the lock"
                )
                waiting = asyncio.create_task(client.get("/products/1"))
                await until(lambda: any(replica.value(waits) == "1" for replica in shop.replicas), 10, "the read waits")
                service.send_signal(signal.SIGTERM)
                await until(lambda: not listens(port), 10, "no more requests are taken")
            answer = await waiting
        _, log = await asyncio.wait_for(service.communicate(), 20)
    finally:
        if service.returncode is None:
            service.kill()
            await service.wait()

    assert asked == [200, 200, 404]
    assert (answer.status_code, answer.json()["name"]) == (200, "lamp")
    assert service.returncode in (0, -signal.SIGTERM), log.decode()
    assert '"event": "router.closed"' in log.decode() and "Traceback" not in log.decode()


# --- the tutorial ---------------------------------------------------------------------------------


async def test_the_tutorial_works_step_by_step(pg: LocalCluster, tmp_path: Path) -> None:
    """What it tells the reader to save and run is saved and run, in its order; `pg` says that this machine has the server."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    cluster_py, first_py, rename_py, service_py = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    program = "import asyncio\nfrom dbrouter import Router\n" + rename_py + "\nasyncio.run(main())\n"
    for name, code in (("cluster", cluster_py), ("first", first_py), ("rename", program), ("service", service_py)):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")

    cluster = await start("cluster.py", folder=tmp_path, stdin=PIPE)
    assert cluster.stdin is not None and cluster.stdout is not None
    try:
        assert (await cluster.stdout.readline()).startswith(b"ready")
        checked = await output("-m", "dbrouter", "check", "dbrouter.yaml", "--connect", folder=tmp_path)
        first = await output("first.py", folder=tmp_path)
        explained = await output(
            "-m", "dbrouter", "explain", "--config", "dbrouter.yaml", "SELECT * FROM users FOR UPDATE", folder=tmp_path
        )
        renamed = await output("rename.py", folder=tmp_path)
        served = await output("-c", ASK, folder=tmp_path)
        cluster.stdin.write(b"freeze\nthaw\nkill\nstart\n")
    finally:
        cluster.stdin.close()
        left = await cluster.communicate()

    assert cluster.returncode == 0, left[1].decode()
    assert checked and explained
    assert first[0].startswith("INSERT 0 1 on 127.0.0.1:") and len({line.split()[-1] for line in first[1:]}) == 2
    assert renamed == ["1"]
    assert sorted(user["name"] for user in json.loads(served[0])) == ["grace", "linus"] and json.loads(served[1])


ASK = """
import asyncio, httpx, service

async def main():
    async with service.lifespan(service.app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://service") as client:
            while len((users := await client.get("/users")).json()) < 2:
                await asyncio.sleep(0.05)
            print(users.text)
            print((await client.get("/internal/readyz")).text)

asyncio.run(main())
"""


# --- the whole configuration ----------------------------------------------------------------------


def test_the_whole_configuration_loads_and_its_values_are_the_defaults() -> None:
    """What the file calls a default is one."""
    config = load(EXAMPLES / "dbrouter.yaml")

    assert {name: getattr(config, name) for name in GROUPS} == {name: model() for name, model in GROUPS.items()}
    assert (config.start, config.functions, config.session_statements) == ("any", "learn", "error")
    assert list(config.databases) == ["shop", "catalog"] and [rule.rule_id for rule in config.query_rules] == [10, 20, 30]


def test_the_whole_configuration_names_every_key() -> None:
    """A key that is added to a group appears in the file too."""
    text = (EXAMPLES / "dbrouter.yaml").read_text(encoding="utf-8")

    for model in GROUPS.values():
        for key in model.model_fields:
            assert f"\n  {key}: " in text, key
