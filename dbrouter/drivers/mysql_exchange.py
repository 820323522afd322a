"""
Exchange: statements and replies on one connection to MySQL or MariaDB, whichever library opened it.

A statement is written to the transport in one piece, and the whole reply is decoded from the receive buffer when it has arrived
(`textprotocol.py`), one await for a reply instead of the libraries' several for each of its packets.
Guarantees: nothing is written while a reply is on its way, or to a server that has hung up; what is cut off or goes wrong closes
the connection, because MySQL has no way to take a statement back on the connection that runs it.
Left to the library's class: the receive buffer. Left to `MysqlSession`: what the statements are.
"""

from __future__ import annotations

import asyncio
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dbrouter.drivers.base import Cursor, Reply
from dbrouter.drivers.literals import render
from dbrouter.drivers.mysql import ROLLS_BACK, error_number
from dbrouter.drivers.sockets import SocketWatch
from dbrouter.drivers.textprotocol import Columns, Incoming, OutOfOrderError
from dbrouter.errors import BugError, ParameterError

IN_TRANSACTION = 0x0001
AUTOCOMMIT = 0x0002
NO_BACKSLASH_ESCAPES = 0x0200
"""Bits of the server status that comes with replies."""

_HEADER = struct.Struct("<IB")
_LONGEST = 0xFFFFFF
_COM_QUIT, _COM_QUERY = 1, 3
DRAIN_ROWS = 10_000
DRAIN_SECONDS = 0.1
"""How much of a stream that is left half-way is read away before the connection is closed instead."""


@dataclass(frozen=True, slots=True)
class Errors:
    """
    A library's exceptions.

    Attributes:
        operational, interface: made of (number, message).
        any: what all of them are.
        packet: the library's view of an error packet, which raises what it makes of it.
    """

    operational: Callable[..., Exception]
    interface: Callable[..., Exception]
    any: type[Exception]
    packet: Callable[[bytes, str], Any]

    def of_server(self, payload: bytes) -> Exception:
        """The exception for an error packet's *payload*, as the library makes it."""
        try:
            self.packet(payload, "utf8").raise_for_error()
        except self.any as error:
            return error.with_traceback(None)
        raise BugError("an error packet raises")


class Exchange(ABC):
    """
    One connection, used by one task at a time. An in-use flag keeps a second task from reading the first one's reply.

    Args:
        raw: the library's connection (a `Link` of `mysql_driver.py`), authenticated.
        columns: column lists of this driver and character set.
    """

    _incoming_class: ClassVar[type[Incoming]] = Incoming
    _errors: ClassVar[Errors]

    def __init__(self, raw: Any, columns: Columns) -> None:
        self.raw = raw
        self._encoding = raw.encoding
        self._fallback = self._own_literal
        self._transport = raw.transport
        self._columns = columns
        self._incoming: Incoming | None = None
        self._abandoned = False
        self._watch = SocketWatch(raw.transport.get_extra_info("socket").fileno())

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, whoever closed it."""
        return bool(self._transport.is_closing())

    @staticmethod
    @abstractmethod
    def _own_literal(value: Any) -> str:
        """The library's own literal for a value of a type that `literals.py` leaves to it."""

    @abstractmethod
    def _arrival(self, need: int) -> asyncio.Future[None] | None:
        """
        None where *need* unread bytes are there, else what to await before asking again; `_arrived` follows in any case.

        Raises:
            OSError, IncompleteReadError: the connection ended before that.
        """

    @abstractmethod
    def _arrived(self) -> None:
        """Nobody awaits the last `_arrival` any more; only needed where it was left before it was done."""

    @abstractmethod
    def _feed(self, incoming: Incoming) -> int:
        """Let *incoming* take what is there; what `Incoming.feed` needs."""

    @abstractmethod
    def _is_stale(self) -> bool:
        """Whether bytes are there that nobody asked for, or the end of the stream has been seen."""

    @abstractmethod
    def _unread(self) -> bytes:
        """The unread bytes."""

    @abstractmethod
    async def _wait_closed(self) -> None:
        """Wait until the socket is closed; never raises."""

    @abstractmethod
    def _pause(self, paused: bool) -> None:
        """Stop or resume reading between two fetches of a stream, where the library does not do so by itself."""

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """
        Execute one statement: (rows, the text, the decoded reply).

        Raises:
            ParameterError: the parameters do not fit; nothing was sent.
            the library's OperationalError: 2006 when the server had hung up before, so that nothing was sent; 2013 when it
                was lost afterwards.
            the library's InterfaceError: the connection is closed or in use; nothing was sent.

        One coroutine for the whole, because every level costs the loop a step down and up; a reply that does not come in one
        piece pays for a second one.
        """
        payload = self._encode(text, params)
        self._admit()
        packets = self._write(_COM_QUERY, payload)
        self._incoming = incoming = self._incoming_class(self._columns, packets, text)
        try:
            arrival = self._arrival(5)
            if arrival is not None:
                try:
                    await arrival
                except BaseException:
                    self._arrived()
                    raise
            if need := self._feed(incoming):
                await self._take_rest(incoming, need)
        except BaseException as error:
            raised = self._broken(error)
            raise raised from raised.__cause__
        self._incoming = None
        if incoming.status is not None:
            self.raw.server_status = incoming.status
        if incoming.error is not None:
            raise self._answered(incoming.error)
        return incoming.rows, text, incoming

    def _encode(self, text: str, params: Sequence[Any]) -> bytes:
        """The bytes of a statement; raises `ParameterError` before anything is sent."""
        if params:
            text = render(text, params, self._fallback, bool(self.raw.server_status & NO_BACKSLASH_ESCAPES))
        try:
            # A lone surrogate in a parameter would become a byte that the escaping has not seen.
            return text.encode(self._encoding, "strict" if params else "surrogateescape")
        except UnicodeEncodeError as error:
            raise ParameterError(
                f"the statement cannot be written in {self._encoding}: {error.reason} at position {error.start}"
            ) from None

    def _begin(self, command: int, payload: bytes) -> Incoming:
        """Write a command; its reply is awaited by `_reply`."""
        self._admit()
        packets = self._write(command, payload)
        self._incoming = incoming = self._incoming_class(self._columns, packets)
        return incoming

    def _admit(self) -> None:
        """Make sure that nobody else's reply is on its way and that the server has not hung up; raises where one is the case."""
        if self._incoming is not None:
            raise self._errors.interface(0, "another statement is in progress on this connection; nothing was sent")
        if self._transport.is_closing():
            raise self._errors.interface(0, "Not connected")
        if self._is_stale():
            raise self._gone()

    def _write(self, command: int, payload: bytes) -> int:
        """Write a command; the number of its packets, from which the reply goes on counting."""
        size = len(payload) + 1
        if size < _LONGEST:
            self._transport.write(_HEADER.pack(size, command) + payload)
            return 1
        data = bytes([command]) + payload
        # A last packet shorter than the longest, empty if need be, ends the command.
        for number, start in enumerate(range(0, size + 1, _LONGEST)):
            piece = data[start : start + _LONGEST]
            self._transport.write(len(piece).to_bytes(3, "little") + bytes([number & 0xFF]))
            self._transport.write(piece)
        return number + 1

    async def _reply(self, incoming: Incoming) -> None:
        """
        Wait for the whole reply to a command that `_begin` wrote.

        Whatever goes wrong on the way closes the connection; an error that the server answers does not, and is not raised.
        """
        try:
            await self._take_rest(incoming, 5)
        except BaseException as error:
            raised = self._broken(error)
            raise raised from raised.__cause__
        self._ended(incoming)

    async def _command(self, command: int) -> Incoming:
        """The reply to a command without arguments; an error that the server answers is not raised."""
        reply = self._begin(command, b"")
        await self._reply(reply)
        return reply

    async def _take_rest(self, incoming: Incoming, need: int) -> None:
        """Wait for what is missing of a reply; *need* as `Incoming.feed` has it."""
        while need:
            await self._receive(need)
            need = self._feed(incoming)

    async def _receive(self, need: int) -> None:
        """Wait until *need* unread bytes are there."""
        while (arrival := self._arrival(need)) is not None:
            try:
                await arrival
            finally:
                self._arrived()

    def _ended(self, incoming: Incoming) -> None:
        """The whole of the reply is there: the connection is free again."""
        self._incoming = None
        if incoming.status is not None:
            self.raw.server_status = incoming.status

    async def _exchange(self, texts: Sequence[str]) -> list[Incoming]:
        """
        Write all *texts* at once and read their replies: one round trip, and every one of them runs whatever happens to the
        others.
        """
        payloads = [self._encode(text, ()) for text in texts]
        replies = [self._begin(_COM_QUERY, payloads[0])]
        packets = [self._write(_COM_QUERY, payload) for payload in payloads[1:]]
        await self._reply(replies[0])
        for number in packets:
            self._incoming = incoming = self._incoming_class(self._columns, number)
            await self._reply(incoming)
            replies.append(incoming)
        return replies

    def _broken(self, error: BaseException) -> BaseException:
        """Close the connection; returns *error* as the library would have raised it."""
        self.terminate()
        # Only a statement whose caller left is worth a KILL: where the connection broke, its server has ended it or is gone.
        self._abandoned = self._abandoned and isinstance(error, (asyncio.CancelledError, GeneratorExit))
        if isinstance(error, OutOfOrderError):
            if error.payload is None:
                return _caused(self._errors.operational(2027, f"Malformed packet: {error}"), error)
            said = self._errors.of_server(error.payload)
            return _caused(self._errors.operational(2013, f"Lost connection to MySQL server during query ({said.args[1]})"), said)
        if isinstance(error, (asyncio.IncompleteReadError, OSError)):
            return _caused(self._errors.operational(2013, "Lost connection to MySQL server during query"), error)
        return error

    def _gone(self) -> Exception:
        """2006: the server hung up, or said something unasked, before anything was sent."""
        data = self._unread()
        said = self._errors.of_server(data[4:]) if len(data) > 7 and data[4] == 0xFF else None
        self.terminate()
        reason = said.args[1] if said is not None else "the connection was closed before anything was sent"
        return _caused(self._errors.operational(2006, f"MySQL server has gone away ({reason})"), said)

    def _answered(self, payload: bytes) -> Exception:
        """The server's error; where it has rolled the transaction back, which the reply does not say, take note."""
        error = self._errors.of_server(payload)
        if error_number(error) in ROLLS_BACK:
            self.raw.server_status &= ~IN_TRANSACTION
        return error

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Stream the rows of a statement: they come as they are fetched, and the connection is busy until `close`."""
        stream = Stream(self, self._begin(_COM_QUERY, self._encode(text, params)))
        await stream.start()
        return stream

    def check(self) -> bool:
        """Whether the server has neither hung up nor said anything unasked, as far as has arrived."""
        return not self.closed and not self._is_stale() and self._watch.is_quiet()

    async def close(self) -> None:
        """COM_QUIT, then close and wait until the socket is closed; with a statement in progress, close at once."""
        if self._incoming is not None:
            self.terminate()
        else:
            if not self._transport.is_closing():
                self._transport.write(_HEADER.pack(1, _COM_QUIT))
            self.raw.close()
        await self._wait_closed()

    def terminate(self) -> None:
        """Close the socket at once; a statement that is cut off by it can be killed by `abandon`."""
        if self._incoming is not None:
            self._incoming = None
            self._abandoned = True
        self.raw.abort()


class Stream:
    """
    Rows of one statement as they come; what the connection buffers is all that is in memory besides.

    That is some 100 KiB; up to some 16 MB by asyncmy on uvloop, which reads up to 32 times before anybody else runs.
    """

    __slots__ = ("_connection", "_incoming", "_need")

    def __init__(self, connection: Exchange, incoming: Incoming) -> None:
        self._connection = connection
        self._incoming = incoming
        self._need = 5

    async def start(self) -> None:
        """Wait for the first packets, so that a refused statement raises where it is opened."""
        while not self._incoming.has_columns and not self._incoming.done:
            await self._read()
        self._connection._pause(not self._incoming.done)

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        incoming = self._incoming
        while len(incoming.rows) < count and not incoming.done:
            await self._read()
        self._connection._pause(not incoming.done)
        taken = incoming.rows[:count]
        del incoming.rows[:count]
        return taken

    async def _read(self) -> None:
        """Take what has arrived, or else wait for more."""
        connection = self._connection
        if connection._incoming is not self._incoming:
            raise connection._errors.interface(0, "Not connected")
        try:
            await connection._receive(self._need)
            self._need = connection._feed(self._incoming)
        except BaseException as error:
            raised = connection._broken(error)
            raise raised from raised.__cause__
        if self._incoming.done:
            connection._ended(self._incoming)
            if self._incoming.error is not None:
                raise connection._answered(self._incoming.error)

    async def close(self) -> None:
        """Read away what little may be left; where it is more, close the connection, and `abandon` will end the statement."""
        connection, incoming = self._connection, self._incoming
        drained = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while connection._incoming is incoming and drained < DRAIN_ROWS:
                    await self._read()
                    drained += len(incoming.rows)
                    incoming.rows.clear()
        except Exception:
            # Too slow, or the statement ended with an error that nobody waits for: the connection knows whether it is usable.
            pass
        if connection._incoming is incoming:
            connection.terminate()


def _caused(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error
