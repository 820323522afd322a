"""The application's own code in the making of a connection, `on_connect` and `password`: whose fault it is when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dbrouter import ConnectError, PinnedConnection, Router, StatementRejectedError
from dbrouter.events import BreakerChanged, ConnectionFailed
from dbrouter.testing import FaultProxy, LocalCluster
from tests.routers import Listener, configuration, until


class Strange(BaseException):
    """What some libraries derive from, so that no `except Exception` catches it."""


FAULTS = [
    asyncio.CancelledError("the hook's own"),
    RuntimeError("the hook's own"),
    SystemError("the hook's own"),
    TimeoutError("the hook's own"),
    ConnectionRefusedError(111, "the hook's own"),
    Strange("the hook's own"),
]
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)


class Trouble:
    """A hook that does what `doing` says, and counts its calls."""

    def __init__(self) -> None:
        self.doing: Any = None
        self.calls = 0

    async def run(self, connection: PinnedConnection | None = None) -> None:
        """Raise it, or await what it makes of the connection."""
        self.calls += 1
        if isinstance(self.doing, BaseException):
            raise self.doing
        if self.doing is not None:
            await self.doing(connection)


@asynccontextmanager
async def opened(place: str, hook: Trouble, listener: Listener, *, password: str | None, **extra: Any) -> AsyncIterator[Router]:
    """A router on one server at *place* with *hook*; as its password provider, which answers *password*, where there is one."""
    document: dict[str, Any] = {"writer": place, "start": "writer", "pool": {"min_size": 0, "max_size": 2}, **extra}

    async def on_connect(connection: PinnedConnection) -> None:
        await hook.run(connection)

    async def secret(endpoint: str) -> str:
        await hook.run()
        return password or ""

    hooks: Any = {"on_connect": on_connect} if password is None else {"password": secret}
    async with Router.open(document, observers=[listener], **hooks) as router:
        yield router


def password_of(cluster: LocalCluster) -> str:
    """The password in its DSN."""
    return cluster.primary.dsn().rpartition("@")[0].rpartition("/")[2].partition(":")[2]


@pytest.mark.parametrize("which", ["on_connect", "password"])
@each_fault
async def test_a_hook_that_fails_is_blamed_itself(cluster: LocalCluster, fault: BaseException, which: str) -> None:
    """The call says which hook raised what, the attempts are paced and told, the breaker stays closed; mended, it serves."""
    hook, listener = Trouble(), Listener()
    password = password_of(cluster) if which == "password" else None
    async with opened(cluster.primary.dsn(), hook, listener, password=password) as router:
        before, hook.doing = hook.calls, fault
        for _ in range(3):
            with pytest.raises(ConnectError) as raised:
                async with asyncio.timeout(10):
                    await router.execute("SELECT 1")
            told = str(raised.value)
            assert which in told and type(fault).__name__ in told and "the hook's own" in told
            assert raised.value.blame == "config"
        (member,) = router.stats().members
        failures = listener.of(ConnectionFailed)
        (node,) = router.health().nodes
        assert 3 <= hook.calls - before <= 5
        assert member.pool.connect_failures == len(failures) >= 3
        assert (member.pool.size, member.pool.waiting) == (0, 0)
        assert all(event.retry_in >= 1.0 and "the hook's own" in event.cause for event in failures)
        assert (node.breaker.state, node.breaker.failed_calls) == ("CLOSED", 0)

        hook.doing = None
        async with asyncio.timeout(10):
            await router.execute("SELECT 1")
        assert not listener.of(BreakerChanged)


async def test_a_password_that_fails_at_first_does_not_end_the_probes(cluster: LocalCluster) -> None:
    """The next look asks again, and the router opens."""
    hook, listener = Trouble(), Listener()
    hook.doing = asyncio.CancelledError("the hook's own")

    async def mended(connection: Any) -> None:
        hook.doing = None

    async with opened(
        cluster.primary.dsn(), hook, listener, password=password_of(cluster), start="none", probe={"interval": "50ms"}
    ) as router:
        await until(lambda: router.health().nodes[0].shunned is not None)
        assert "password" in str(router.health().nodes[0].shunned)
        hook.doing = mended
        await until(lambda: router.health().nodes[0].usable)
        await router.execute("SELECT 1")


@pytest.mark.parametrize("which", ["on_connect", "password"])
async def test_a_hook_that_hangs_is_ended_by_the_connect_timeout(cluster: LocalCluster, which: str) -> None:
    """It is told as the hook's fault, and neither a connection nor a place is lost to it."""

    async def never(connection: Any) -> None:
        await asyncio.Event().wait()

    hook, listener = Trouble(), Listener()
    password = password_of(cluster) if which == "password" else None
    async with opened(cluster.primary.dsn(), hook, listener, password=password, timeouts={"connect": "200ms"}) as router:
        hook.doing = never
        with pytest.raises(ConnectError, match=rf"{which}.* within 0\.2s") as raised:
            await router.execute("SELECT 1")
        (member,) = router.stats().members
        (node,) = router.health().nodes

        assert raised.value.blame == "config"
        assert (node.breaker.state, node.breaker.failed_calls) == ("CLOSED", 0)
        assert (member.pool.size, member.pool.in_use, member.pool.waiting) == (0, 0, 0)
        hook.doing = None
        await asyncio.gather(*(router.execute("SELECT 1") for _ in range(4)))


async def test_closing_ends_a_hook_at_once(cluster: LocalCluster) -> None:
    """A cancellation of ours is no failure of the hook: nothing is told, nothing is tried again."""
    reached, ended = asyncio.Event(), asyncio.Event()

    async def waits(connection: Any) -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    hook, listener = Trouble(), Listener()
    hook.doing = waits
    async with opened(cluster.primary.dsn(), hook, listener, password=None) as router:
        call = asyncio.ensure_future(router.execute("SELECT 1"))
        await reached.wait()
        async with asyncio.timeout(5):
            await router.aclose(0)
        with pytest.raises(Exception, match="clos"):
            await call
        assert ended.is_set() and hook.calls == 1 and not listener.of(ConnectionFailed)


@pytest.mark.parametrize("wrapped", [False, True])
async def test_a_server_that_goes_away_under_a_hook_is_blamed(cluster: LocalCluster, wrapped: bool) -> None:
    """The hook's statement loses its connection: the node's failure, whatever the hook makes of the exception."""
    primary = cluster.primary
    async with FaultProxy(primary.host, primary.port) as proxy:

        async def loses(connection: Any) -> None:
            proxy.cut_after(1)
            try:
                await connection.execute("SELECT 1")
            except Exception as error:
                if wrapped:
                    raise RuntimeError("the codecs could not be set") from error
                raise
            finally:
                proxy.heal()

        hook, listener = Trouble(), Listener()
        place = primary.dsn().replace(f":{primary.port}/", f":{proxy.port}/")
        async with opened(place, hook, listener, password=None) as router:
            hook.doing = loses
            call = asyncio.ensure_future(router.execute("SELECT 1"))
            await until(lambda: listener.of(ConnectionFailed))
            hook.doing = None
            await call
            (failure,) = listener.of(ConnectionFailed)
            (node,) = router.health().nodes

            assert "on_connect" in failure.cause and failure.code != "on_connect" and failure.retry_in < 1.0
            assert node.breaker.failed_calls == 1


@pytest.mark.parametrize("statement", ["SELEKT 1", "SELECT * FROM no_such_table"])
async def test_what_the_server_answers_to_a_hook_is_the_hooks_affair(cluster: LocalCluster, statement: str) -> None:
    """A wrong statement of a hook is told with the server's words and counts against nobody."""
    hook, listener = Trouble(), Listener()
    async with opened(cluster.primary.dsn(), hook, listener, password=None) as router:
        hook.doing = lambda connection: connection.execute(statement)
        with pytest.raises(ConnectError, match=r"on_connect '.*opened.*on_connect' failed") as raised:
            await router.execute("SELECT 1")
        (node,) = router.health().nodes

        assert raised.value.blame == "config" and raised.value.__cause__ is not None
        assert (node.breaker.state, node.breaker.failed_calls) == ("CLOSED", 0)
        assert listener.of(ConnectionFailed)[0].code == "on_connect"


async def test_what_a_hook_keeps_of_its_connection_is_closed_to_it(cluster: LocalCluster) -> None:
    """Once the hook is over the connection is other callers': a statement on the object that the hook was given is refused."""
    kept: list[Any] = []

    async def keeps(connection: Any) -> None:
        await connection.execute("SELECT 1")
        kept.append(connection)

    hook = Trouble()
    hook.doing = keeps
    async with opened(cluster.primary.dsn(), hook, Listener(), password=None) as router:
        await router.execute("SELECT 1")
        with pytest.raises(StatementRejectedError, match="not open"):
            await kept[0].execute("SELECT 2")
        assert (await router.execute("SELECT 3"))[0][0] == 3


async def test_a_hook_that_fails_everywhere_is_what_calls_end_with(cluster: LocalCluster) -> None:
    """With replicas to go to as well: reads and writes say the hook's failure soon, instead of waiting or blaming the cluster."""

    async def on_connect(connection: PinnedConnection) -> None:
        raise RuntimeError("no such codec")

    document = configuration(cluster, start="all", pool={"min_size": 0})
    async with Router.open(document, on_connect=on_connect) as router:
        for statement in ("SELECT 1", "CREATE TABLE never_made (id int)") * 2:
            with pytest.raises(ConnectError, match=r"on_connect '.*' failed.*RuntimeError: no such codec") as raised:
                async with asyncio.timeout(10):
                    await router.execute(statement)
            assert raised.value.blame == "config"
        assert {node.breaker.failed_calls for node in router.health().nodes} == {0}
