"""
FakeServer: a database server in this process, for tests that want faults and order at will rather than a real engine.

It runs SQL on SQLite, in a temporary file that goes with it, so that transactions, savepoints, constraints and rows are real.
Replies can be scripted (`on`), statements held at a gate until a test lets them go (`hold`), and every fault is a plain call:
`refuse`, `freeze`, `fail_next`, `kill_connections`, `demote`. A replica (`replica`) sees what its primary has committed, at once.

What it does not know: the dialects (casts ``::type`` are dropped, ``$1`` and ``%s`` are understood), row locks, replication lag
of its own. Time enters only by `latency`. Errors are `FakeError`, each with an SQLSTATE.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbrouter.drivers.rows import row_class
from dbrouter.terms import Role

if TYPE_CHECKING:
    from dbrouter.testing.fake import FakeConnection


class FakeError(Exception):
    """An answer of a `FakeServer`, or the end of a connection to one. *code* is the SQLSTATE that PostgreSQL would give."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.code)


class Gate:
    """
    Holds statements until it is opened; made by `FakeServer.hold`.

    Attributes:
        waiting: how many statements stand before it now.
    """

    def __init__(self, server: FakeServer, pattern: re.Pattern[str]) -> None:
        self._server = server
        self.pattern = pattern
        self.waiting = 0
        self.is_open = False

    async def reached(self, count: int = 1) -> None:
        """Return once *count* statements stand before the gate."""
        while self.waiting < count:
            await self._server.changed()

    def open(self) -> None:
        """Let everything through, from now on."""
        self.is_open = True
        self._server.notify()


class Scripted:
    """One scripted reply; see `FakeServer.on`."""

    __slots__ = ("error", "pattern", "rows", "status", "times")

    def __init__(
        self,
        pattern: re.Pattern[str],
        rows: Sequence[Any] | Callable[[Sequence[Any]], Sequence[Any]],
        status: str | None,
        error: BaseException | None,
        times: int | None,
    ) -> None:
        self.pattern = pattern
        self.rows = rows
        self.status = status
        self.error = error
        self.times = times


class FakeServer:
    """
    A server of one database.

    Args:
        role: a replica refuses writes (25006), as a hot standby does.
        password: what a client must say; None lets everybody in.
        max_connections: one more is refused with 53300.

    Attributes:
        latency: seconds each reply takes.
        lag: what a probe is told of replication lag.
        connections: the open ones.
        log: (server_id, text, params) of every statement that reached it.
        connects: how many connections were made or refused.
        killed: the ``server_id`` of every session that a client had killed.
    """

    def __init__(
        self, *, role: Role = Role.PRIMARY, name: str = "fake", password: str | None = None, max_connections: int = 1000
    ) -> None:
        self.name = name
        self.role = role
        self.password = password
        self.max_connections = max_connections
        self.latency = 0.0
        self.lag: float | None = None
        self.connections: set[FakeConnection] = set()
        self.log: list[tuple[str, str, tuple[Any, ...]]] = []
        self.connects = 0
        self.killed: list[str] = []
        self.frozen = False
        self._refusal: BaseException | None = None
        self._failures: list[tuple[BaseException, bool]] = []
        self._scripts: list[Scripted] = []
        self._gates: list[Gate] = []
        self._listeners: list[asyncio.Future[None]] = []
        self._numbers = itertools.count(1)
        self._store: Path | None = None
        self._source: FakeServer | None = None

    def __repr__(self) -> str:
        state = " frozen" if self.frozen else " refusing" if self._refusal is not None else ""
        return f"<FakeServer {self.name} {self.role} connections={len(self.connections)}{state}>"

    # ---- arranging

    def replica(self, *, name: str | None = None) -> FakeServer:
        """A replica of this server: it has the same data, without lag."""
        other = FakeServer(role=Role.REPLICA, name=name or f"{self.name}-replica", password=self.password)
        other._source = self
        return other

    def on(
        self,
        text: str | re.Pattern[str],
        *,
        rows: Sequence[Any] | Callable[[Sequence[Any]], Sequence[Any]] = (),
        status: str | None = None,
        error: BaseException | None = None,
        times: int | None = None,
    ) -> None:
        """
        Answer statements by script instead of by SQL; the latest script that fits wins.

        Args:
            text: the whole statement, or a pattern searched in it.
            rows: one mapping a row, or a function of the parameters that gives them.
            status: the tag; ``SELECT n`` without one.
            error: raise this.
            times: so often, then no longer; None for always.
        """
        self._scripts.insert(0, Scripted(_pattern(text), rows, status, error, times))

    def hold(self, text: str | re.Pattern[str] = re.compile("")) -> Gate:
        """Let no statement that fits *text* run before the returned gate is opened."""
        gate = Gate(self, _pattern(text))
        self._gates.append(gate)
        return gate

    # ---- faults

    def fail_next(self, error: BaseException, *, times: int = 1, applied: bool = False) -> None:
        """The next *times* statements raise *error*; with *applied* their effect has happened all the same."""
        self._failures.extend([(error, applied)] * times)

    def refuse(self, error: BaseException | None = None) -> None:
        """Take no new connection (*error*: `ConnectionRefusedError`) until `accept`."""
        self._refusal = error or ConnectionRefusedError(111, f"{self.name} refuses connections")
        self.notify()

    def accept(self) -> None:
        """Take connections again."""
        self._refusal = None
        self.notify()

    def freeze(self) -> None:
        """Answer nothing, not even a connect, until `thaw`; like SIGSTOP."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on where everything stood."""
        self.frozen = False
        self.notify()

    def kill_connections(self) -> int:
        """End every session: a running statement fails, an idle connection finds out when it is looked at. How many."""
        ended = list(self.connections)
        for connection in ended:
            connection.kill()
        self.notify()
        return len(ended)

    def stop(self) -> None:
        """`refuse` and `kill_connections`: the process is gone. `accept` starts it again, with its data."""
        self.refuse()
        self.kill_connections()

    def promote(self) -> None:
        """Become a primary: writes are taken from the next statement on, also on open connections."""
        self.role = Role.PRIMARY

    def demote(self) -> None:
        """Become a replica: writes are refused from the next statement on."""
        self.role = Role.REPLICA

    # ---- what connections ask

    async def admit(self, password: str | None) -> str:
        """Let a client in; its session's name."""
        self.connects += 1
        await self.let_through()
        if self._refusal is not None:
            raise self._refusal
        if self.password is not None and password != self.password:
            raise FakeError("password authentication failed", "28P01")
        if len(self.connections) >= self.max_connections:
            raise FakeError("sorry, too many clients already", "53300")
        return str(next(self._numbers))

    async def let_through(self, alive: Callable[[], None] = lambda: None) -> None:
        """Wait until the server runs; *alive* raises when the session has ended meanwhile."""
        await asyncio.sleep(0)
        alive()
        while self.frozen:
            await self.changed()
            alive()

    async def pass_gates(self, text: str, alive: Callable[[], None]) -> None:
        """Wait before every gate that holds *text*."""
        for gate in [gate for gate in self._gates if not gate.is_open and gate.pattern.search(text)]:
            gate.waiting += 1
            self.notify()
            try:
                while not gate.is_open:
                    await self.changed()
                    alive()
            finally:
                gate.waiting -= 1

    def take_failure(self) -> tuple[BaseException, bool] | None:
        """The failure that the next statement was promised, if any."""
        return self._failures.pop(0) if self._failures else None

    def scripted(self, text: str, params: Sequence[Any]) -> tuple[list[Any], str] | None:
        """The scripted reply to *text*, if there is one."""
        for script in self._scripts:
            if not script.pattern.search(text):
                continue
            if script.times is not None:
                script.times -= 1
                if not script.times:
                    self._scripts.remove(script)
            if script.error is not None:
                raise script.error
            rows = script.rows(params) if callable(script.rows) else script.rows
            return _rows(rows), script.status or f"SELECT {len(rows)}"
        return None

    @property
    def store(self) -> Path:
        """The SQLite file; a replica's is its source's."""
        if self._source is not None:
            return self._source.store
        if self._store is None:
            folder = tempfile.mkdtemp(prefix="dbrouter-fake-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._store = Path(folder) / "data.sqlite"
        return self._store

    @property
    def root(self) -> FakeServer:
        """The server whose data this is: itself, or the source of a replica."""
        return self if self._source is None else self._source.root

    def notify(self) -> None:
        """Something changed: whoever waits looks again."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            if not listener.done():
                listener.set_result(None)

    async def changed(self) -> None:
        """Return after the next `notify`."""
        listener = asyncio.get_running_loop().create_future()
        self._listeners.append(listener)
        await listener


def _pattern(text: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"\A{re.escape(text)}\Z") if isinstance(text, str) else text


def _rows(rows: Sequence[Any]) -> list[Any]:
    return [row_class(tuple(row))(row.values()) if isinstance(row, Mapping) else row for row in rows]
