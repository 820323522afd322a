"""
IndirectSession: a connection to MySQL or MariaDB whose replies are read by the library that opened it, not by us.

Slower than `MysqlSession`'s own reading, and independent of how the library looks inside: used where a version of the library
has other buffers than the one that we know. It needs what PyMySQL's family has had from the beginning: `query`, `ping`,
`_result` with `rows`, `has_next`, `unbuffered_active` and their like, and `_execute_command` with `_read_ok_packet` for a reset.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn

from dbrouter.drivers.base import Cursor, Reply
from dbrouter.drivers.mysql_exchange import DRAIN_ROWS, DRAIN_SECONDS
from dbrouter.drivers.mysql_session import MysqlSession
from dbrouter.drivers.rows import row_class
from dbrouter.drivers.textprotocol import Incoming
from dbrouter.errors import BugError


class IndirectSession(MysqlSession):
    """`MysqlSession` by the library's own `query`. Each library's class adds `_is_stale`, `_pause` and `_wait_closed`."""

    async def send(self, text: str, params: Sequence[Any]) -> Reply:
        """Execute one statement by the library's `query`."""
        payload = self._encode(text, params)
        incoming = self._claim()

        async def ask() -> Any:
            await self.raw.query(payload)
            first = last = self.raw._result
            while last.has_next:
                await self.raw.next_result()
                last = self.raw._result
            if last.description is None:
                # asyncmy takes a status of 0 (autocommit is off) for none.
                self.raw.server_status = last.server_status
            return first

        result = await self._asked(ask)
        incoming.has_columns = result.description is not None
        incoming.affected = result.affected_rows or 0
        incoming.insert_id = result.insert_id or 0
        if incoming.has_columns:
            make = row_class([column[0] for column in result.description])
            incoming.rows = [make(row) for row in result.rows]
        return incoming.rows, text, incoming

    def _claim(self) -> Incoming:
        self._admit()
        self._incoming = incoming = Incoming(self._columns)
        return incoming

    async def _asked(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What *ask* answers; the connection is free again unless it broke."""
        try:
            answer = await ask()
        except BaseException as error:
            raised = self._failed(error)
            raise raised from raised.__cause__
        self._incoming = None
        return answer

    def _failed(self, error: BaseException) -> BaseException:
        """The library's *error*: an answer of the server, or the end of the connection."""
        number = error.args[0] if isinstance(error, self._errors.any) and error.args else None
        if type(number) is int and number > 0:
            # 2000 to 2999 are a client's own: no server answers with them.
            if not (self.closed or 2000 <= number < 3000):
                self._incoming = None
                return self._answered(_payload(error))
            if error.__cause__ is None:
                lost = ConnectionError(*error.args[1:])
                lost.__cause__ = error
                return self._broken(lost)
        return self._broken(error)

    async def _exchange(self, texts: Sequence[str]) -> list[Incoming]:
        replies = []
        for text in texts:
            try:
                replies.append((await self.send(text, ()))[2])
            except self._errors.any as error:
                if self.closed:
                    raise
                replies.append(Incoming(self._columns))
                replies[-1].error = _payload(error)
        return replies

    async def _command(self, command: int) -> Incoming:
        incoming = self._claim()

        async def ask() -> None:
            await self.raw._execute_command(command, b"")
            await self.raw._read_ok_packet()

        try:
            await self._asked(ask)
        except self._errors.any as error:
            if self.closed:
                raise
            incoming.error = _payload(error)
        return incoming

    async def cursor(self, text: str, params: Sequence[Any]) -> Cursor:
        """Stream by an unbuffered query."""
        payload = self._encode(text, params)
        incoming = self._claim()
        try:
            await self.raw.query(payload, unbuffered=True)
        except BaseException as error:
            raised = self._failed(error)
            raise raised from raised.__cause__
        return _IndirectStream(self, incoming)

    def _unread(self) -> bytes:
        return b""

    def _arrival(self, need: int) -> NoReturn:
        raise BugError("an indirect connection's replies are read by its library")

    def _arrived(self) -> None:
        self._arrival(0)

    def _feed(self, incoming: Incoming) -> NoReturn:
        self._arrival(0)


class _IndirectStream:
    """Rows of an unbuffered query."""

    def __init__(self, connection: IndirectSession, incoming: Incoming) -> None:
        self._connection = connection
        self._incoming = incoming
        self._result = connection.raw._result
        self._make = row_class([column[0] for column in self._result.description or ()])
        self._pause_or_end()

    def _pause_or_end(self) -> None:
        reads_on = self._result.unbuffered_active
        if not reads_on and self._connection._incoming is self._incoming:
            self._connection._incoming = None
        self._connection._pause(reads_on)

    async def fetch(self, count: int) -> Sequence[Any]:
        """Up to *count* further rows; empty at the end."""
        rows: list[Any] = []
        self._connection._pause(False)
        while len(rows) < count and self._result.unbuffered_active:
            try:
                row = await self._result._read_rowdata_packet_unbuffered()
            except BaseException as error:
                # The library may have left it set, and would read on from where nothing comes.
                self._result.unbuffered_active = False
                raised = self._connection._failed(error)
                raise raised from raised.__cause__
            if row is not None:
                rows.append(self._make(row))
        self._pause_or_end()
        return rows

    async def close(self) -> None:
        """Read away what little may be left; where it is more, close the connection, and `abandon` will end the statement."""
        drained = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._connection._incoming is self._incoming and drained < DRAIN_ROWS:
                    drained += len(await self.fetch(500))
        except Exception:
            # Too slow, or the statement ended with an error that nobody waits for: the connection knows whether it is usable.
            pass
        if self._connection._incoming is self._incoming:
            self._result.unbuffered_active = False
            self._connection.terminate()


def _payload(error: Any) -> bytes:
    """The error packet that *error* was made of."""
    return struct.pack("<BH", 0xFF, error.args[0]) + str(error.args[1]).encode()
