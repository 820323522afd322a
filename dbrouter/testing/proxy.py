"""
FaultProxy: a TCP proxy that stands before a server and breaks the network on command.

One proxy listens on 127.0.0.1 and passes bytes on to one server, knowing nothing of what they mean. Faults are set by plain calls
at any moment, act on existing and new connections alike, add up, and end with `heal`. All calls belong to the loop's thread.
After `aclose` no task and no socket is left.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Literal, Self, cast

from dbrouter.tasks import OwnedTasks

Direction = Literal["to_client", "to_server", "both"]
_OneWay = Literal["to_client", "to_server"]

_HIGH_WATER = 256 * 1024
"""Bytes held in one direction from which on no more are read, so that a stalled network pushes back as a real one does."""


@dataclass(slots=True, kw_only=True)
class _Faults:
    """What is wrong at the moment in one direction."""

    held: bool = False
    latency: float = 0.0
    jitter: float = 0.0
    slices: tuple[int, int] | None = None
    slice_delay: float = 0.0
    cut_after: int | None = None
    cut_by_reset: bool = True
    swallow: bool = False
    reset_probability: float = 0.0


class FaultProxy:
    """
    A TCP proxy to *host*:*port* with faults.

    Args:
        rng: where jitter, slice sizes and random resets are drawn from; give a seeded one for a repeatable run.

    Example::

        async with FaultProxy(server.host, server.port) as proxy:
            connection = await asyncpg.connect(host="127.0.0.1", port=proxy.port, …)
            proxy.black_hole()
    """

    def __init__(self, host: str, port: int, *, rng: random.Random | None = None) -> None:
        self.host = "127.0.0.1"
        self._target = (host, port)
        self._rng = rng or random.Random()
        self._faults: dict[_OneWay, _Faults] = {"to_client": _Faults(), "to_server": _Faults()}
        self._tasks: OwnedTasks | None = None
        self._socket: socket.socket | None = None
        self._listening = False
        self._port = 0
        self._accepted = 0
        self._links: set[_Link] = set()

    def __repr__(self) -> str:
        state = "listening" if self._listening else "refusing" if self._socket is not None else "closed"
        target = f"{self._target[0]}:{self._target[1]}"
        return f"<FaultProxy {self.endpoint} → {target} {state} connections={self.connections} accepted={self._accepted}>"

    # --- its life -----------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Listen on a free port; the port stays the same until `aclose`, also through `refuse`."""
        if self._socket is None:
            loop = asyncio.get_running_loop()

            def report(name: str, error: BaseException) -> None:
                loop.call_exception_handler({"message": f"{name} failed", "exception": error})

            self._tasks = OwnedTasks(on_error=report)
            self._socket = self._bind()
            self._port = self._socket.getsockname()[1]
            self._listen()
        return self

    async def aclose(self) -> None:
        """Stop listening and cut every connection; safe to call twice."""
        tasks, self._tasks = self._tasks, None
        if self._socket is not None:
            self._stop_listening()
            self._socket.close()
            self._socket = None
        links = list(self._links)
        for link in links:
            link.reset()
        if tasks is not None:
            await tasks.close()
        for link in links:
            await link.gone()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _bind(self) -> socket.socket:
        bound = socket.socket()
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setblocking(False)
            bound.bind((self.host, self._port))
        except BaseException:
            bound.close()
            raise
        return bound

    def _listen(self) -> None:
        if self._socket is not None and not self._listening:
            self._socket.listen(128)
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)
            self._listening = True

    def _stop_listening(self) -> None:
        if self._socket is not None and self._listening:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._listening = False

    def _accept(self) -> None:
        assert self._socket is not None and self._tasks is not None
        while True:
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            accepted.setblocking(False)
            self._accepted += 1
            link = _Link(self, accepted, number=self._accepted)
            self._links.add(link)
            self._tasks.start(link.run(self._tasks), name=f"fault-proxy-{self._port}-{self._accepted}")

    # --- what can be seen ---------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on, or refuses on."""
        return self._port

    @property
    def endpoint(self) -> str:
        """``host:port``, as a configuration names it."""
        return f"{self.host}:{self._port}"

    @property
    def connections(self) -> int:
        """Connections whose client has not hung up and which were not cut."""
        return sum(link.client_there for link in self._links)

    @property
    def accepted(self) -> int:
        """Connections accepted since the start."""
        return self._accepted

    # --- faults -------------------------------------------------------------------------------------

    def latency(self, seconds: float, jitter: float = 0.0, *, direction: Direction = "to_client") -> None:
        """
        Deliver everything *seconds* late, plus up to *jitter* seconds drawn evenly; order is kept and bandwidth is not touched.

        By default only replies are late, so a round trip grows by *seconds*; with ``direction="both"`` by twice as much.
        """
        for faults in self._each(direction):
            faults.latency, faults.jitter = seconds, jitter
        self._changed()

    def black_hole(self, *, direction: Direction = "both") -> None:
        """
        Let nothing through: connections stay open, new ones are accepted, and nobody answers, not even a goodbye passes.

        What is under way is held, and goes on at `heal`, as TCP does after a broken line.
        """
        for faults in self._each(direction):
            faults.held = True
        self._changed()

    def slow_slices(self, size_range: tuple[int, int] = (1, 7), delay: float = 0.0, *, direction: Direction = "both") -> None:
        """Deliver in slices of so many bytes (drawn evenly, both ends included), *delay* seconds apart."""
        if not 1 <= size_range[0] <= size_range[1]:
            raise ValueError(f"size_range {size_range} is not 1 ≤ smallest ≤ largest")
        for faults in self._each(direction):
            faults.slices, faults.slice_delay = size_range, delay
        self._changed()

    def cut_after(self, n_bytes: int, direction: Direction = "to_client", *, reset: bool = True) -> None:
        """
        Cut each connection once *n_bytes* more bytes have passed on it: by a reset, or with ``reset=False`` by a plain end.

        Existing connections count from now, new ones from their beginning; 0 cuts as soon as a byte wants to pass.
        """
        for faults in self._each(direction):
            faults.cut_after, faults.cut_by_reset = n_bytes, reset
        for link in self._links:
            link.count_anew()
        self._changed()

    def drop_replies(self) -> None:
        """
        Pass requests on and swallow replies for ever: the server does what it was told and the client never hears of it.

        Connections on which a reply was swallowed are reset at `heal`, because their stream has a hole.
        """
        self._faults["to_client"].swallow = True
        self._changed()

    def reset_randomly(self, probability: float, rng: random.Random | None = None, *, direction: Direction = "both") -> None:
        """Before each chunk of bytes, reset its connection with *probability* (0–1), drawn from *rng* or the proxy's own."""
        if rng is not None:
            self._rng = rng
        for faults in self._each(direction):
            faults.reset_probability = probability
        self._changed()

    def refuse(self) -> None:
        """Refuse new connections, as a machine does whose server is down; existing ones go on. The port stays ours."""
        if self._socket is not None and self._listening:
            self._stop_listening()
            self._socket.close()
            self._socket = self._bind()  # Bound without listening: connects are refused, and nobody else is given the port.

    def reset(self) -> int:
        """Reset (RST) every connection there is, on both sides, now; answers how many. New ones are welcome."""
        links = list(self._links)
        for link in links:
            link.reset()
        return len(links)

    def point_to(self, host: str, port: int) -> None:
        """Lead new connections to another server, as a moved name or virtual address does; existing ones stay where they are."""
        self._target = (host, port)

    def heal(self) -> None:
        """End every fault: held bytes go on at once, the port listens again, connections with swallowed replies are reset."""
        self._faults["to_client"] = _Faults()
        self._faults["to_server"] = _Faults()
        self._listen()
        for link in list(self._links):
            link.heal()

    def _each(self, direction: Direction) -> list[_Faults]:
        return list(self._faults.values()) if direction == "both" else [self._faults[direction]]

    def _changed(self) -> None:
        for link in self._links:
            link.wake()

    # --- for its links ------------------------------------------------------------------------------

    def _faults_of(self, direction: _OneWay) -> _Faults:
        return self._faults[direction]

    def _forget(self, link: _Link) -> None:
        self._links.discard(link)


class _Link:
    """One client's connection with the one made for it to the server; ends with both."""

    def __init__(self, proxy: FaultProxy, accepted: socket.socket, *, number: int) -> None:
        self._proxy = proxy
        self._accepted: socket.socket | None = accepted
        self._number = number
        self._client = _Side()
        self._server = _Side()
        self._to_server = _Pipe(self, "to_server", self._client, self._server)
        self._to_client = _Pipe(self, "to_client", self._server, self._client)
        self._client.feeds, self._server.feeds = self._to_server, self._to_client
        self._cut = False

    @property
    def client_there(self) -> bool:
        return not self._cut and not self._to_server.ended

    async def run(self, tasks: OwnedTasks) -> None:
        """Connect both sides, then carry bytes both ways until the connection ends."""
        loop = asyncio.get_running_loop()
        try:
            accepted, self._accepted = self._accepted, None
            if accepted is None:  # Cut before this task had its first turn.
                return
            await loop.connect_accepted_socket(lambda: self._client, accepted)
            while self._faults("to_server").held and not self._cut:
                await self._to_server.changed()
            if self._cut:
                return
            host, port = self._proxy._target
            await loop.create_connection(lambda: self._server, host, port)
            tasks.start(self._to_client.carry(), name=f"fault-proxy-replies-{self._number}")
            await self._to_server.carry()
            await self._client.lost.wait()
            await self._server.lost.wait()
        except OSError:
            pass  # The server refuses: so does its proxy, as far as it still can.
        finally:
            self.reset()
            self._proxy._forget(self)

    def _faults(self, direction: _OneWay) -> _Faults:
        return self._proxy._faults_of(direction)

    def draw(self) -> random.Random:
        return self._proxy._rng

    def wake(self) -> None:
        self._to_client.wake()
        self._to_server.wake()

    def count_anew(self) -> None:
        self._to_client.passed = self._to_server.passed = 0

    def heal(self) -> None:
        if self._to_client.swallowed:
            self.reset()
        else:
            self._to_client.hurry()
            self._to_server.hurry()

    def reset(self) -> None:
        """Cut both sides by RST."""
        self._cut = True
        if self._accepted is not None:
            _linger_not(self._accepted)
            self._accepted.close()
            self._accepted = None
        self._client.reset()
        self._server.reset()
        self.wake()

    def end(self) -> None:
        """Cut both sides by FIN, after what was already handed on."""
        self._cut = True
        self._client.close()
        self._server.close()
        self.wake()

    def end_if_all_said(self) -> None:
        """Close once each side knows that the other sends no more."""
        if self._to_client.said_all and self._to_server.said_all:
            self.end()

    @property
    def is_cut(self) -> bool:
        return self._cut

    async def gone(self) -> None:
        """Wait until both sockets are closed."""
        for side in (self._client, self._server):
            if side.transport is not None:
                await side.lost.wait()


class _Side(asyncio.Protocol):
    """The end of a TCP connection: what comes in goes into its pipe; knows whether it can take more."""

    def __init__(self) -> None:
        self.feeds: _Pipe
        self.transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(0)  # What was written is on its way before the next byte: `cut_after` counts.
        if self.feeds.link.is_cut:
            self.reset()

    def data_received(self, data: bytes) -> None:
        self.feeds.feed(data)

    def eof_received(self) -> bool:
        self.feeds.feed(_End.HALF)
        return True  # The other half stays open: that is for the two ends to decide.

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.writable.set()
        self.feeds.feed(_End.CLOSED if exc is None else _End.BROKEN)
        self.feeds.link.wake()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def reset(self) -> None:
        if self.transport is not None and not self.lost.is_set():
            _linger_not(self.transport.get_extra_info("socket"))
            self.transport.abort()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class _End(Enum):
    """How a side stopped sending."""

    HALF = "it sends no more, but listens"
    CLOSED = "it is closed"
    BROKEN = "it broke"


class _Pipe:
    """One direction of a link: bytes with the moment at which each may go on, and the coroutine that carries them."""

    def __init__(self, link: _Link, direction: _OneWay, source: _Side, sink: _Side) -> None:
        self.link = link
        self.passed = 0
        self.swallowed = False
        self.ended = False
        """The source sends no more (something of it may still be held here)."""
        self.said_all = False
        """The sink has been told so."""
        self._direction: _OneWay = direction
        self._source = source
        self._sink = sink
        self._queue: deque[tuple[float, bytes | _End]] = deque()
        self._size = 0
        self._reading = True
        self._wake = asyncio.Event()

    def feed(self, item: bytes | _End) -> None:
        faults = self.link._faults(self._direction)
        now = asyncio.get_running_loop().time()
        due = now + faults.latency + (self.link.draw().uniform(0, faults.jitter) if faults.jitter else 0.0)
        if self._queue:
            due = max(due, self._queue[-1][0])
        if isinstance(item, _End):
            self.ended = True
        else:
            self._size += len(item)
            if self._size > _HIGH_WATER and self._reading and self._source.transport is not None:
                self._source.transport.pause_reading()
                self._reading = False
        self._queue.append((due, item))
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def hurry(self) -> None:
        """Let what waits for its moment go at once."""
        self._queue = deque((0.0, item) for _, item in self._queue)
        self._wake.set()

    async def changed(self) -> None:
        """Wait until something arrived, a fault changed, or the link ended."""
        self._wake.clear()
        await self._wake.wait()

    async def carry(self) -> None:
        """Deliver in order until the source ends, the sink is gone or the link is cut."""
        while not self.link.is_cut and not self._sink.lost.is_set():
            item = await self._next()
            if item is None:
                continue
            if isinstance(item, _End):
                if self._pass_on(item):
                    return
            elif not await self._deliver(item):
                return

    async def _next(self) -> bytes | _End | None:
        """The next item if its moment has come; else wait for a change, at most until that moment, and answer None."""
        loop = asyncio.get_running_loop()
        if not self._queue or self.link._faults(self._direction).held:
            await self.changed()
            return None
        due = self._queue[0][0]
        if due > loop.time():
            timer = loop.call_at(due, self._wake.set)
            try:
                await self.changed()
            finally:
                timer.cancel()
            return None
        _, item = self._queue.popleft()
        if not isinstance(item, _End):
            self._size -= len(item)
            if not self._reading and self._size < _HIGH_WATER // 2 and self._source.transport is not None:
                self._source.transport.resume_reading()
                self._reading = True
        return item

    def _pass_on(self, end: _End) -> bool:
        """Tell the sink that the source has ended; True when there is nothing more to come."""
        assert self._sink.transport is not None
        if end is _End.HALF:
            if self._sink.transport.can_write_eof():
                try:
                    self._sink.transport.write_eof()
                except OSError:
                    pass  # It was reset, and the news of it is still on its way to us.
            self.said_all = True
            self.link.end_if_all_said()
            return False
        if end is _End.BROKEN:
            self._sink.reset()
        else:
            self._sink.close()
        return True

    async def _deliver(self, data: bytes) -> bool:
        """Write *data* as the faults will have it; False when the link was cut on the way."""
        assert self._sink.transport is not None
        rng = self.link.draw()
        faults = self.link._faults(self._direction)
        if faults.swallow:
            self.swallowed = True
            return True
        if faults.reset_probability and rng.random() < faults.reset_probability:
            self.link.reset()
            return False
        start = 0
        while start < len(data):
            faults = self.link._faults(self._direction)
            if faults.held:
                await self.changed()
            elif faults.cut_after is not None and self.passed >= faults.cut_after:
                (self.link.reset if faults.cut_by_reset else self.link.end)()
            else:
                size = rng.randint(*faults.slices) if faults.slices else len(data) - start
                if faults.cut_after is not None:
                    size = min(size, faults.cut_after - self.passed)
                piece = data[start : start + size]
                self._sink.transport.write(piece)
                start += len(piece)
                self.passed += len(piece)
                await self._sink.writable.wait()
                if faults.slices and start < len(data):
                    await asyncio.sleep(faults.slice_delay)
            if self.link.is_cut or self._sink.lost.is_set():
                return False
        faults = self.link._faults(self._direction)
        if faults.cut_after is not None and 0 < faults.cut_after <= self.passed:
            (self.link.reset if faults.cut_by_reset else self.link.end)()
            return False
        return True


def _linger_not(connection: Any) -> None:
    """Have the next close of *connection* send RST instead of FIN."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # It is closed already.
