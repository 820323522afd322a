"""The fault proxy breaks connections in exactly the way it says, on a small echo server and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from dbrouter.testing import FaultProxy, LocalCluster
from tests.watching import until


class Echo:
    """A server that sends back what it gets and remembers it."""

    def __init__(self) -> None:
        self.port = 0
        self.received = bytearray()
        self.ended = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65536):
                self.received += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.ended += 1
            self._writers.discard(writer)
            writer.close()

    def say(self, data: bytes) -> None:
        for writer in self._writers:
            writer.write(data)

    async def aclose(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await until(lambda: not self._writers)


class Client:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def read(self, count: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(count), 5)

    async def ask(self, data: bytes) -> bytes:
        self.send(data)
        return await self.read(len(data))

    async def rest(self) -> bytes:
        """Everything up to the end; raises where the end is a reset."""
        return await asyncio.wait_for(self._reader.read(), 5)

    async def hears(self, seconds: float) -> bool:
        """Whether anything comes within *seconds*."""
        try:
            return bool(await asyncio.wait_for(self._reader.read(1), seconds))
        except TimeoutError:
            return False

    async def aclose(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass


Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A running echo server."""
    server = Echo()
    server.port = await server.start()
    yield server
    await server.aclose()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[FaultProxy]:
    """A proxy before it, with a seeded source of chance."""
    async with FaultProxy("127.0.0.1", echo.port, rng=random.Random(7)) as proxy:
        yield proxy


@pytest.fixture
async def connect(proxy: FaultProxy) -> AsyncIterator[Connect]:
    """Opens clients and closes them at the end."""
    clients: list[Client] = []

    async def open_client() -> Client:
        client = Client(*await asyncio.open_connection(proxy.host, proxy.port))
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        await client.aclose()


async def test_passes_everything_on(proxy: FaultProxy, connect: Connect) -> None:
    """Without faults a megabyte goes there and back unchanged, and the counters tell of it."""
    data = random.Random(1).randbytes(1 << 20)
    client = await connect()

    answer = await client.ask(data)

    assert answer == data
    assert (proxy.connections, proxy.accepted) == (1, 1)


async def test_goodbye_reaches_the_server(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """A client that hangs up is gone from the proxy and from the server."""
    client = await connect()
    await client.ask(b"hello")

    await client.aclose()

    await until(lambda: proxy.connections == 0 and echo.ended == 1)


async def test_latency_delays_replies(proxy: FaultProxy, connect: Connect) -> None:
    """A round trip takes at least the latency, and heal lets what waits go at once."""
    client = await connect()
    loop = asyncio.get_running_loop()

    proxy.latency(0.1, jitter=0.02)
    start = loop.time()
    await client.ask(b"x")
    took = loop.time() - start
    proxy.latency(60)
    client.send(b"y")
    silent = not await client.hears(0.05)
    proxy.heal()
    answer = await client.read(1)

    assert 0.1 <= took < 2
    assert silent
    assert answer == b"y"


async def test_latency_does_not_throttle(proxy: FaultProxy, connect: Connect) -> None:
    """Chunks that are under way together arrive together: delay is not a queue."""
    client = await connect()
    loop = asyncio.get_running_loop()
    proxy.latency(0.1)

    start = loop.time()
    for _ in range(20):
        client.send(b"z")
        await asyncio.sleep(0.002)
    await client.read(20)

    assert loop.time() - start < 1


async def test_black_hole_holds_and_heal_delivers(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """In a black hole nothing passes and new connections hang too; afterwards everything arrives in order."""
    client = await connect()
    await client.ask(b"a")

    proxy.black_hole()
    client.send(b"bc")
    late = await connect()
    late.send(b"d")
    heard = await client.hears(0.05) or await late.hears(0.05)
    arrived = bytes(echo.received)
    proxy.heal()

    assert not heard
    assert arrived == b"a"
    assert (await client.read(2), await late.read(1)) == (b"bc", b"d")


async def test_black_hole_of_replies_lets_requests_pass(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """With one direction held the server works and the client waits."""
    client = await connect()
    await client.ask(b"a")

    proxy.black_hole(direction="to_client")
    client.send(b"b")
    await until(lambda: bytes(echo.received) == b"ab")
    heard = await client.hears(0.05)
    proxy.heal()

    assert not heard
    assert await client.read(1) == b"b"


async def test_reset_cuts_both_sides(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """Reset ends every connection by RST, at once, and the next one is welcome."""
    clients = [await connect() for _ in range(3)]
    for client in clients:
        await client.ask(b"a")

    count = proxy.reset()

    assert count == 3
    for client in clients:
        with pytest.raises(ConnectionResetError):
            await client.rest()
    await until(lambda: proxy.connections == 0 and echo.ended == 3)
    assert await (await connect()).ask(b"b") == b"b"


async def test_slow_slices_keep_the_bytes(proxy: FaultProxy, connect: Connect) -> None:
    """Data in slices of one to seven bytes is the same data."""
    data = random.Random(2).randbytes(500)
    client = await connect()

    proxy.slow_slices((1, 7))
    answer = await client.ask(data)

    assert answer == data


@pytest.mark.parametrize("reset", [True, False])
async def test_cut_after_lets_exactly_so_many_bytes_pass(proxy: FaultProxy, connect: Connect, reset: bool) -> None:
    """The client gets the first ten bytes counted from the call and then the end, by RST or FIN."""
    client = await connect()
    await client.ask(b"before")

    proxy.cut_after(10, reset=reset)
    client.send(b"0123456789abcdef")
    passed = await client.read(10)

    assert passed == b"0123456789"
    if reset:
        with pytest.raises(ConnectionResetError):
            await client.rest()
    else:
        assert await client.rest() == b""


async def test_cut_after_on_requests_leaves_the_server_a_part(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """A request is cut in its middle, on a new connection as well."""
    proxy.cut_after(4, direction="to_server")
    client = await connect()

    client.send(b"01234567")

    with pytest.raises(ConnectionResetError):
        await client.rest()
    await until(lambda: echo.ended == 1)
    assert bytes(echo.received) in (b"0123", b"")  # A reset may overtake what the server had not read yet.


async def test_refuse_and_listen_again_on_the_same_port(proxy: FaultProxy, connect: Connect) -> None:
    """Refusing turns new clients away and keeps old ones; heal opens the same port."""
    client = await connect()
    port = proxy.port

    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await connect()
    kept = await client.ask(b"still here")
    proxy.heal()

    assert kept == b"still here"
    assert proxy.port == port
    assert await (await connect()).ask(b"again") == b"again"


async def test_drop_replies_executes_and_stays_silent(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """The request arrives, the reply never does, and heal resets the connection that has a hole."""
    client = await connect()
    await client.ask(b"a")

    proxy.drop_replies()
    client.send(b"COMMIT")
    await until(lambda: bytes(echo.received) == b"aCOMMIT")
    heard = await client.hears(0.05)
    proxy.heal()

    assert not heard
    with pytest.raises(ConnectionResetError):
        await client.rest()


async def test_reset_randomly_resets_about_as_often_as_asked(proxy: FaultProxy, connect: Connect) -> None:
    """With a probability of one half per chunk, about a quarter of round trips survive, and the same seed gives the same run."""

    async def run(seed: int) -> list[bool]:
        proxy.reset_randomly(0.5, random.Random(seed))
        outcomes = []
        for _ in range(60):
            client = await connect()
            try:
                outcomes.append(await client.ask(b"x") == b"x")
            except (ConnectionResetError, asyncio.IncompleteReadError):
                outcomes.append(False)
        return outcomes

    first = await run(5)
    second = await run(5)

    assert 5 <= sum(first) <= 28
    assert first == second


async def test_point_to_leads_new_connections_elsewhere(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """After `point_to` a new connection reaches the other server and the old one stays."""
    other = Echo()
    port = await other.start()
    client = await connect()
    await client.ask(b"a")

    proxy.point_to("127.0.0.1", port)
    moved = await connect()
    await moved.ask(b"b")
    await client.ask(b"c")

    assert (bytes(echo.received), bytes(other.received)) == (b"ac", b"b")
    await moved.aclose()
    await other.aclose()


async def test_server_that_refuses_gives_a_broken_connection(proxy: FaultProxy, connect: Connect, echo: Echo) -> None:
    """Where the server cannot be reached the client's connection is reset and nothing is left."""
    await echo.aclose()

    client = await connect()

    with pytest.raises(ConnectionResetError):
        await client.rest()
    await until(lambda: proxy.connections == 0)


@pytest.mark.parametrize("fault", ["none", "black_hole", "latency", "slices", "refuse"])
async def test_aclose_leaves_nothing(echo: Echo, fault: str) -> None:
    """Whatever is going on, after `aclose` there is no task, no socket and no connection."""
    proxy = await FaultProxy("127.0.0.1", echo.port).start()
    client = Client(*await asyncio.open_connection(proxy.host, proxy.port))
    await client.ask(b"a")
    match fault:
        case "black_hole":
            proxy.black_hole()
        case "latency":
            proxy.latency(60, direction="both")
        case "slices":
            proxy.slow_slices((1, 1), delay=60)
        case "refuse":
            proxy.refuse()
    client.send(b"under way")
    await asyncio.sleep(0)

    await proxy.aclose()
    await proxy.aclose()

    assert proxy.connections == 0
    with pytest.raises(ConnectionResetError):
        await client.rest()
    await client.aclose()


async def test_lost_commit_reply_on_postgresql(pg: LocalCluster) -> None:
    """With replies swallowed, a write on a real server takes effect although its client never hears of it."""
    pg.primary.query("DROP TABLE IF EXISTS lost_reply")
    pg.primary.query("CREATE TABLE lost_reply (id int); GRANT ALL ON lost_reply TO app")
    async with FaultProxy(pg.primary.host, pg.primary.port) as proxy:
        connection = await asyncpg.connect(
            host=proxy.host, port=proxy.port, user="app", password="app-secret", database="app", ssl=False
        )
        proxy.drop_replies()

        with pytest.raises(TimeoutError):
            await connection.execute("INSERT INTO lost_reply VALUES (1)", timeout=0.3)
        connection.terminate()

    assert pg.primary.query("SELECT id FROM lost_reply") == [("1",)]


async def test_postgresql_in_slices_and_cut(pg: LocalCluster) -> None:
    """A real protocol survives slices, and a cut in the middle of a result is an error, not a short result."""
    async with FaultProxy(pg.primary.host, pg.primary.port, rng=random.Random(3)) as proxy:
        proxy.slow_slices((1, 7))
        connection = await asyncpg.connect(
            host=proxy.host, port=proxy.port, user="app", password="app-secret", database="app", ssl=False
        )
        rows = await connection.fetch("SELECT generate_series(1, 200)")
        proxy.heal()
        proxy.cut_after(1000)

        with pytest.raises((ConnectionError, asyncpg.PostgresConnectionError)):
            await connection.fetch("SELECT generate_series(1, 100000)")
        connection.terminate()

    assert [row[0] for row in rows] == list(range(1, 201))
