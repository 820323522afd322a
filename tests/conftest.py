"""
Fixtures for the whole suite: real clusters started when first asked for, brought back to health before each test, and a watch
that no test leaves a task, a socket or a frozen server behind.

- `pg`, `pg16`, `pg15`, `mariadb`, `mysql`: a primary with two replicas, one per run, healthy at the start of the test.
- `cluster`: PostgreSQL 18 and MariaDB in turn; all five with ``@pytest.mark.all_servers`` or ``DBROUTER_ALL_SERVERS=1``.
- `fresh_pg`, `fresh_mariadb`: a cluster for this test alone.
- `pgbouncer`: in transaction mode before `pg.primary`.
- ``DBROUTER_LOOP=uvloop`` runs everything on uvloop.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from dbrouter.testing import LocalCluster, LocalPgBouncer, ServerKind, servers
from tests.watching import open_sockets

_GENERAL_KINDS = (ServerKind.POSTGRESQL_18, ServerKind.MARIADB_10_11)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "all_servers: the `cluster` fixture goes through all five kinds")


if os.environ.get("DBROUTER_LOOP", "asyncio") == "uvloop":
    import uvloop

    def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        """The suite on uvloop."""
        return {"uvloop": uvloop.new_event_loop}


# --- clusters -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def clusters() -> Iterator[Callable[[ServerKind], LocalCluster]]:
    """Starts the run's cluster of a kind at the first call, answers the same one, healed, at later ones."""
    started: dict[ServerKind, LocalCluster] = {}

    def get(kind: ServerKind) -> LocalCluster:
        _missing_is_excused(kind)
        if kind not in started:
            started[kind] = LocalCluster(kind).start()
        started[kind].heal()
        return started[kind]

    yield get
    for cluster in started.values():
        cluster.stop()


def _missing_is_excused(name: str) -> None:
    """
    Skip the tests of a server that is not on this machine; under ``CI=true`` only MySQL, and only where Debian refuses it.
    """
    if servers.find(name) is not None:
        return
    strict = os.environ.get("CI") == "true"
    if not strict or (name == ServerKind.MYSQL_9_7 and servers.refused() is not None):
        pytest.skip(f"{name} is not on this machine; `make servers` fetches it")


@pytest.fixture
def pg(clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's PostgreSQL 18 cluster, healthy."""
    return clusters(ServerKind.POSTGRESQL_18)


@pytest.fixture
def pg16(clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's PostgreSQL 16 cluster, healthy."""
    return clusters(ServerKind.POSTGRESQL_16)


@pytest.fixture
def pg15(clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's PostgreSQL 15 cluster, healthy."""
    return clusters(ServerKind.POSTGRESQL_15)


@pytest.fixture
def mariadb(clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's MariaDB cluster, healthy."""
    return clusters(ServerKind.MARIADB_10_11)


@pytest.fixture
def mysql(clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's MySQL cluster, healthy."""
    return clusters(ServerKind.MYSQL_9_7)


@pytest.fixture
def cluster(request: pytest.FixtureRequest, clusters: Callable[[ServerKind], LocalCluster]) -> LocalCluster:
    """The run's cluster of each kind in turn, healthy (see `pytest_generate_tests`)."""
    return clusters(request.param)


def _fresh(kind: ServerKind) -> Iterator[LocalCluster]:
    _missing_is_excused(kind)
    with LocalCluster(kind) as cluster:
        yield cluster


@pytest.fixture
def fresh_pg() -> Iterator[LocalCluster]:
    """A PostgreSQL 18 cluster for this test alone."""
    yield from _fresh(ServerKind.POSTGRESQL_18)


@pytest.fixture
def fresh_mariadb() -> Iterator[LocalCluster]:
    """A MariaDB cluster for this test alone."""
    yield from _fresh(ServerKind.MARIADB_10_11)


@pytest.fixture(scope="module")
def with_settings() -> Iterator[Callable[..., LocalCluster]]:
    """Starts a cluster of a kind with settings of its own at the first call, for the tests of one module."""
    started: dict[ServerKind, LocalCluster] = {}

    def get(kind: ServerKind, replicas: int, **options: str | int) -> LocalCluster:
        _missing_is_excused(kind)
        if kind not in started:
            started[kind] = LocalCluster(kind, replicas, options=options).start()
        return started[kind]

    yield get
    for cluster in started.values():
        cluster.stop()


@pytest.fixture
def pgbouncer(pg: LocalCluster) -> Iterator[LocalPgBouncer]:
    """PgBouncer in transaction mode before the primary of `pg`."""
    _missing_is_excused(servers.PGBOUNCER)
    with LocalPgBouncer(pg.primary, mode="transaction") as bouncer:
        yield bouncer


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `cluster` its kinds, each kind's tests in a row."""
    if "cluster" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("all_servers") or os.environ.get("DBROUTER_ALL_SERVERS") == "1"
        kinds = tuple(ServerKind) if every else _GENERAL_KINDS
        metafunc.parametrize("cluster", kinds, indirect=True, ids=[kind.value for kind in kinds])


# --- nothing is left behind -----------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every coroutine test is watched; plain ones have no loop to leave anything in."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(inspect.unwrap(item.obj)):
            item.fixturenames.insert(0, "nothing_left_behind")


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test that ends with a task of its own still running, or with a socket open that was not open before."""
    before = asyncio.all_tasks()
    sockets = open_sockets()
    yield
    left = {task for task in asyncio.all_tasks() - before if not task.done()} - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=5)
        pytest.fail(f"left running: {sorted(f'{task.get_name()} {task.get_coro()}' for task in left)}")
    gc.collect(1)  # A socket that was merely forgotten shows itself here, as a ResourceWarning of the right test.
    for _ in range(100):
        if not (open_still := open_sockets() - sockets):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"left open: {sorted(open_still)}")
