"""What the server sends is seen once and in the order in which it came, in whatever pieces, and whoever leaves in the middle."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asyncmy.connection import _MySQLProtocol
from asyncmy.errors import InterfaceError, MySQLError, OperationalError
from asyncmy.protocol import MysqlPacket
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.drivers.asyncmy import _CompiledIncoming
from dbrouter.drivers.asyncmy_buffer import BufferSession, is_readable, unread
from dbrouter.drivers.mysql_exchange import Errors
from dbrouter.terms import Flavor
from tests.unit.drivers.test_textprotocol import columns, eof, packet, result


class Transport(asyncio.Transport):
    """Takes what is written, and is told what comes."""

    def __init__(self) -> None:
        self.sock, self._peer = socket.socketpair()
        super().__init__({"socket": self.sock})
        self.protocol: Any = None
        self.written = b""
        self.reading = True
        self._closing = False

    def deliver(self, data: bytes) -> None:
        """As event loops do: into the part of its buffer that the protocol gives."""
        while data:
            with memoryview(self.protocol.get_buffer(len(data))) as free:
                size = min(len(free), len(data))
                free[:size] = data[:size]
            self.protocol.buffer_updated(size)
            data = data[size:]

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        self._closing = True

    def free(self) -> None:
        """Close the sockets."""
        self.sock.close()
        self._peer.close()


class Session(BufferSession):
    """Over a transport of this process."""

    _incoming_class = _CompiledIncoming
    _errors = Errors(OperationalError, InterfaceError, MySQLError, MysqlPacket)
    _own_literal = staticmethod(str)

    def __init__(self, transport: Transport) -> None:
        protocol = transport.protocol = _MySQLProtocol(asyncio.get_running_loop())
        raw = SimpleNamespace(transport=transport, _proto=protocol, encoding="utf8", server_status=2, abort=transport.abort)

        async def never() -> Any:
            raise AssertionError("nobody reconnects here")

        super().__init__(raw, Flavor.MYSQL, never, columns())


@pytest.fixture
def transport() -> Iterator[Transport]:
    """One that is freed at the end."""
    opened = Transport()
    yield opened
    opened.free()


@given(
    values=st.lists(st.text(max_size=400) | st.integers(1, 300_000).map("x".__mul__), max_size=6),
    cuts=st.lists(st.integers(1, 5000) | st.integers(1, 400_000), max_size=12),
    bursts=st.lists(st.integers(1, 5), max_size=12),
    unasked=st.binary(max_size=20),
    streamed=st.booleans(),
)
def test_a_reply_in_any_pieces(values: list[str], cuts: list[int], bursts: list[int], unasked: bytes, streamed: bool) -> None:
    """
    Wherever the network cuts and however many pieces come before anybody runs: the rows are the rows, what nobody asked for
    stays unread behind them, and nobody has to resume the transport.
    """

    async def story() -> None:
        transport = Transport()
        try:
            session = Session(transport)
            for _ in range(2):
                data = result([b"a"], [[value.encode()] for value in values]) + unasked
                task = asyncio.create_task(read(session))
                await asyncio.sleep(0)
                sizes, turns = iter([*cuts, *cuts]), iter(bursts)
                idle = 0
                while data or not task.done():
                    idle = 0 if data and transport.reading else idle + 1
                    assert idle < 50, "nobody reads on"
                    for _ in range(next(turns, 1)):
                        size = next(sizes, len(data))
                        if data and transport.reading:
                            transport.deliver(data[:size])
                            data = data[size:]
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                assert await task == [(value,) for value in values]
                assert transport.reading
                assert unread(session.raw._proto) == unasked
                assert session.check() is (not unasked)
                if unasked:
                    break
        finally:
            transport.free()

    async def read(session: Session) -> list[Any]:
        if not streamed:
            return list((await session.send("SELECT", ()))[0])
        rows: list[Any] = []
        cursor = await session.cursor("SELECT", ())
        while some := await cursor.fetch(2):
            rows += some
        await cursor.close()
        return rows

    asyncio.run(story())


async def test_a_large_reply_leaves_no_large_buffer(transport: Transport) -> None:
    """The buffer is given back with the reply that needed it, not with the next one of that size."""
    session = Session(transport)
    task = asyncio.create_task(session.send("SELECT", ()))
    await asyncio.sleep(0)
    data = result([b"a"], [[b"x" * 9_000_000]])
    for start in range(0, len(data), 250_000):
        transport.deliver(data[start : start + 250_000])

    assert (await task)[0] == [("x" * 9_000_000,)]
    assert len(session.raw._proto.buffer) <= 1 << 20


@pytest.mark.parametrize(
    "ended",
    [lambda receiver: receiver.eof_received(), lambda receiver: receiver.connection_lost(ConnectionResetError("gone"))],
    ids=["end", "reset"],
)
@pytest.mark.parametrize("before", [b"", b"\x01", result([b"a"], [[b"x"]])[:-1]], ids=["nothing", "a byte", "all but a byte"])
async def test_the_end_of_the_stream(transport: Transport, ended: Callable[[Any], None], before: bytes) -> None:
    """Whoever waits for the rest of a reply is told that the connection was lost, wherever it ended."""
    session = Session(transport)
    task = asyncio.create_task(session.send("SELECT", ()))
    await asyncio.sleep(0)

    if before:
        transport.deliver(before)
    ended(transport.protocol)

    with pytest.raises(OperationalError) as caught:
        await asyncio.wait_for(task, 5)
    assert caught.value.args[0] == 2013
    assert session.closed and not session.check()


@pytest.mark.parametrize("ticks", [0, 1])
@pytest.mark.parametrize("before_it_comes", [True, False])
async def test_cancelled_in_the_tick_of_the_answer(transport: Transport, ticks: int, before_it_comes: bool) -> None:
    """Whichever is first, the connection is closed, and what comes afterwards disturbs nobody."""
    session = Session(transport)
    task = asyncio.create_task(session.send("SELECT", ()))
    await asyncio.sleep(0)

    if before_it_comes:
        task.cancel()
    transport.deliver(result([b"a"], [[b"x"]])[: 20 if ticks else None])
    task.cancel()
    transport.deliver(b"more")
    with pytest.raises(asyncio.CancelledError):
        await task

    assert session.closed
    transport.deliver(b"still more")
    transport.protocol.connection_lost(None)


async def test_a_second_reader_is_refused(transport: Transport) -> None:
    """Where asyncmy waits for a reply itself, ours would be mixed up with it."""
    session = Session(transport)
    session.raw._proto._read_waiter = asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="someone else is reading"):
        await session.send("SELECT", ())

    assert session.closed


async def test_only_the_buffer_that_we_know_is_read() -> None:
    """A protocol without it, with another one, or of another kind is left to asyncmy."""
    known = _MySQLProtocol(asyncio.get_running_loop())
    assert is_readable(known)

    kinds = {"buffer": bytearray(), "pos": 0, "length": 0, "eof": False, "exc": None, "_read_waiter": None, "wait_closed": None}
    made = type("Protocol", (asyncio.BufferedProtocol,), kinds)
    assert is_readable(made())
    for name in kinds:
        missing = {key: item for key, item in kinds.items() if key != name}
        assert not is_readable(type("Protocol", (asyncio.BufferedProtocol,), missing)())
    assert not is_readable(type("Protocol", (asyncio.BufferedProtocol,), kinds | {"buffer": memoryview(b"")})())
    assert not is_readable(type("Protocol", (asyncio.Protocol,), kinds)())


def test_the_replies_of_these_tests_are_replies() -> None:
    """The builder that they share ends a result as the servers do."""
    assert result([b"a"], [[b"x"]]).endswith(packet(4, b"\x01x") + eof(5))
