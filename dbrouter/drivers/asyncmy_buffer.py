"""
BufferSession: replies read from the receive buffer of asyncmy's protocol; all that we know of that buffer is in this file.

``buffer[pos:length]`` is what has come and nobody has taken. The event loop writes behind it (asyncmy's is a `BufferedProtocol`),
whoever reads moves ``pos``, and ``_read_waiter`` is woken by the next bytes or the end. We read as asyncmy itself does, so `.raw`
finds every byte that is not ours, between any two statements.

Rejected: a protocol of our own on the transport that hands over a reply's bytes before they are in the buffer. On uvloop it
gained nothing that could be measured (9.4 to 9.5 µs a reply either way), and had to put back what was too much.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dbrouter.drivers.mysql_session import MysqlSession, Reconnect
from dbrouter.drivers.textprotocol import Columns, Incoming
from dbrouter.terms import Flavor

_LARGE = 1 << 20
"""Bytes of buffer from which on it is given back after the reply that needed it."""


def is_readable(protocol: Any) -> bool:
    """Whether *protocol*, asyncmy's, has the buffer that this file reads."""
    return (
        isinstance(protocol, asyncio.BufferedProtocol)
        and type(getattr(protocol, "buffer", None)) is bytearray
        and all(type(getattr(protocol, name, None)) is int for name in ("pos", "length"))
        and all(hasattr(protocol, name) for name in ("eof", "exc", "_read_waiter", "wait_closed"))
    )


def unread(protocol: Any) -> bytes:
    """What nobody has taken yet."""
    return bytes(memoryview(protocol.buffer)[protocol.pos : protocol.length])


class ProtocolSession(MysqlSession):
    """`MysqlSession` over asyncmy's protocol, which never stops reading by itself."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Reconnect, columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, columns)
        self._protocol = raw._proto
        self._paused = False

    def _pause(self, paused: bool) -> None:
        if paused is not self._paused and not self._transport.is_closing():
            self._paused = paused
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    async def _wait_closed(self) -> None:
        await self._protocol.wait_closed()


class BufferSession(ProtocolSession):
    """Replies read from the protocol's buffer."""

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Reconnect, columns: Columns) -> None:
        super().__init__(raw, flavor, reconnect, columns)
        self._new_future = asyncio.get_running_loop().create_future

    def _arrival(self, need: int) -> asyncio.Future[None] | None:
        protocol = self._protocol
        if protocol.length - protocol.pos >= need:
            return None
        if protocol.exc is not None:
            raise ConnectionError(str(protocol.exc)) from protocol.exc
        if protocol.eof:
            raise asyncio.IncompleteReadError(self._unread(), need)
        if protocol._read_waiter is not None:
            raise RuntimeError("someone else is reading from this connection")
        if self._paused:
            self._pause(False)
        waiter: asyncio.Future[None] = self._new_future()
        protocol._read_waiter = waiter
        return waiter

    def _arrived(self) -> None:
        self._protocol._read_waiter = None

    def _feed(self, incoming: Incoming) -> int:
        protocol = self._protocol
        protocol.pos, need = incoming.feed(protocol.buffer, protocol.pos, protocol.length)
        if not need and len(protocol.buffer) > _LARGE and protocol.pos == protocol.length:
            # asyncmy gives a large buffer back when it is next asked for room: now, not when the next reply comes.
            protocol.get_buffer(-1)
        return need

    def _is_stale(self) -> bool:
        protocol = self._protocol
        return protocol.length != protocol.pos or protocol.eof or protocol.exc is not None

    def _unread(self) -> bytes:
        return unread(self._protocol)
