"""
LocalServer: one real database server on this machine, and every way in which a test may treat it badly.

Blocking calls; from a coroutine use `asyncio.to_thread`. What differs between products is in `postgres.py` and `mysql.py`.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from dbrouter.testing import processes
from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.local import url
from dbrouter.testing.processes import Account, ServerError

StopMode = Literal["smart", "fast", "immediate"]
"""Wait for clients to leave, end their sessions, or crash on purpose."""

USER = "app"
"""An ordinary user with a password; owns the database `app`, has no right to write on a read-only server."""
PASSWORD = "app-secret"
DATABASE = "app"

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0


class LocalServer(ABC):
    """
    One server of a `LocalCluster`, listening on 127.0.0.1 and on a socket in its own folder.

    Args:
        folder: where data, log and socket live; created by the cluster.
        options: extra server settings, by their own names (`max_connections`, `wait_timeout`, …).
    """

    def __init__(
        self, kind: ServerKind, name: str, folder: Path, account: Account, options: Mapping[str, str | int | float]
    ) -> None:
        self.kind = kind
        self.name = name
        self.host = "127.0.0.1"
        self.port = processes.free_port()
        self._folder = folder
        self._account = account
        self._options = dict(options)
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o755, exist_ok=True)
        account.own(folder)

    def __repr__(self) -> str:
        state = "frozen" if self.frozen else "running" if self.running else "stopped"
        return f"<LocalServer {self.name} {self.endpoint} {state}>"

    # --- where it is ------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """``host:port``, as a configuration names the server."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Id of the server's main process while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    @abstractmethod
    def admin(self) -> str:
        """Name of the superuser, who needs no password."""

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The socket as drivers want it: the folder for PostgreSQL, the file for MySQL."""

    def dsn(self, database: str | None = None, user: str | None = None, password: str | None = None) -> str:
        """
        A URL such as ``postgresql://app:app-secret@127.0.0.1:5432/app``.

        Without arguments the ordinary user and its database; with the superuser's name (`admin`) no password is needed.
        """
        name = user or USER
        secret = password if password is not None else PASSWORD if name == USER else None
        return url(self.kind.engine.value, self.endpoint, database or DATABASE, name, secret)

    # --- its life ---------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the main process lives, frozen or not."""
        return self.pid is not None

    @property
    def frozen(self) -> bool:
        """Whether the main process is held by `freeze`."""
        pid = self.pid
        return pid is not None and processes.stopped(pid)

    def start(self) -> None:
        """
        Start the server and wait until it takes connections; nothing happens where it runs already.

        Raises:
            ServerError: it ended, or did not answer within 60 s; the message has the last 30 lines of its log.
        """
        if self.running:
            return
        self._before_start()
        self._process = processes.spawn(self._command(), self._account, cwd=self._folder, log=self._log)
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._ready():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                what = f"ended with exit code {ended}" if ended is not None else f"took no connection within {_START_TIMEOUT:g} s"
                log = self.log_tail()
                self.kill()
                raise ServerError(f"{self.name} ({self.endpoint}) {what}; the end of its log:\n{log}")
            time.sleep(0.01)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait for its end; a frozen one is thawed so that it can hear. After 30 s it is killed."""
        process = self._process
        if process is None or process.poll() is not None:
            self._process = None
            return
        if mode == "immediate" and not self._hears_immediate:
            self.kill()
            return
        process.send_signal(self._stop_signal(mode))
        processes.thaw_tree(process.pid)
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL the main process and every process below it, as the kernel does when memory runs out; clients see resets."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            processes.kill_tree(process)
        self._process = None
        self._after_kill()

    def freeze(self) -> None:
        """
        SIGSTOP the main process and every process below it: connections stay open and nothing answers.

        New connections are still accepted by the kernel, up to the listening backlog, and hang as well.
        """
        pid = self._living_pid()
        processes.freeze_tree(pid)

    def thaw(self) -> None:
        """Let a frozen server go on where it was; nothing happens to one that is not frozen."""
        pid = self.pid
        if pid is not None:
            processes.thaw_tree(pid)

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again on the same port with the same data."""
        self.stop(mode)
        self.start()

    def log_tail(self, lines: int = 30) -> str:
        """The last *lines* lines of the server's log."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _living_pid(self) -> int:
        pid = self.pid
        if pid is None:
            raise ServerError(f"{self.name} ({self.endpoint}) does not run")
        return pid

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    _hears_immediate = False

    def _stop_signal(self, mode: StopMode) -> signal.Signals:
        return signal.SIGTERM

    @abstractmethod
    def _before_start(self) -> None:
        """Write what the server reads at its start."""

    @abstractmethod
    def _after_kill(self) -> None:
        """Remove what a killed server leaves outside its folder."""

    @abstractmethod
    def _command(self) -> list[str | Path]: ...

    @abstractmethod
    def _ready(self) -> bool: ...

    # --- asking it --------------------------------------------------------------------------------

    @abstractmethod
    def query(self, sql: str, *, database: str = DATABASE) -> list[tuple[str | None, ...]]:
        """
        Run *sql* as the superuser, past every router, and answer its rows as text (empty where it has none).

        Raises:
            ServerError: the server refused it or cannot be reached.
        """

    def value(self, sql: str, *, database: str = DATABASE) -> str | None:
        """The first column of the first row of `query`, or None."""
        rows = self.query(sql, database=database)
        return rows[0][0] if rows else None

    # --- its part in a cluster (called by LocalCluster) -------------------------------------------

    @abstractmethod
    def build(self, source: Self | None) -> None:
        """Make the data: of a new primary (*source* None), or of a replica of *source*."""

    @abstractmethod
    def follow(self, primary: Self) -> None:
        """Replicate from *primary* from now on; works on a stopped server as well where the product reads it from a file."""

    @abstractmethod
    def promote(self) -> None:
        """Become a primary: stop replicating, take writes."""

    @abstractmethod
    def is_replica(self) -> bool:
        """Whether the server itself says that it is a read-only replica."""

    @abstractmethod
    def follows(self, primary: Self) -> bool:
        """Whether this is a sound replica of *primary*: read-only, replicating, no pause or delay set; one round trip."""

    @abstractmethod
    def position(self) -> str:
        """Where the primary's log ends now."""

    @abstractmethod
    def has_reached(self, position: str) -> bool:
        """Whether this replica has applied everything up to *position*."""

    def discard_data(self) -> None:
        """Delete the data of a stopped server."""
        shutil.rmtree(self._data, ignore_errors=True)
