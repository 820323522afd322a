"""LocalPgBouncer: a real PgBouncer in front of one local PostgreSQL server."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from subprocess import Popen
from typing import Literal, Self

from dbrouter.testing import processes, servers
from dbrouter.testing.local import Local, url
from dbrouter.testing.processes import ServerError
from dbrouter.testing.server import DATABASE, PASSWORD, USER, LocalServer

PoolMode = Literal["session", "transaction", "statement"]


class LocalPgBouncer(Local):
    """
    PgBouncer on 127.0.0.1 that passes every database on to *server* and knows the ordinary user and ``postgres`` (no password).

    Args:
        server: a running PostgreSQL server.
        mode: when a server connection goes back: at the end of the session, the transaction or the statement.
        options: further lines of its ``[pgbouncer]`` section.

    Raises:
        ServerError: PgBouncer is not on this machine.
    """

    def __init__(self, server: LocalServer, mode: PoolMode = "transaction", options: dict[str, str | int] | None = None) -> None:
        self.server = server
        self.mode = mode
        self.host = "127.0.0.1"
        self.port = processes.free_port()
        self._options = dict(options or {})
        self._installation = servers.require(servers.PGBOUNCER)
        self._folder: Path | None = None
        self._process: Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<LocalPgBouncer {self.mode} {self.endpoint} {'running' if self.running else 'stopped'} for {self.server!r}>"

    @property
    def endpoint(self) -> str:
        """``host:port``, as a configuration names it."""
        return f"{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, database: str = DATABASE, user: str = USER, password: str | None = None) -> str:
        """A ``postgresql://`` URL through this PgBouncer."""
        secret = password if password is not None else PASSWORD if user == USER else None
        return url("postgresql", self.endpoint, database, user, secret)

    def start(self) -> Self:
        """
        Start it and wait until it takes connections.

        Raises:
            ServerError: it did not within 10 s; the message has the end of its log.
        """
        if self.running:
            return self
        account = processes.server_account("postgres")
        folder = self._folder = self._folder or processes.new_folder("pgbouncer")
        account.own(folder)
        settings: dict[str, str | int] = {
            "listen_addr": self.host,
            "listen_port": self.port,
            "unix_socket_dir": str(folder),
            "auth_type": "plain",
            "auth_file": str(folder / "users"),
            "pool_mode": self.mode,
            "admin_users": "postgres",
            "max_client_conn": 500,
            "default_pool_size": 20,
            "pidfile": "",
        }
        lines = [f"{name} = {value}\n" for name, value in (settings | self._options).items()]
        target = f"* = host={self.server.host} port={self.server.port}\n"
        (folder / "pgbouncer.ini").write_text(f"[databases]\n{target}\n[pgbouncer]\n{''.join(lines)}")
        (folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n"{self.server.admin}" ""\n')
        account.own(folder)
        command = [self._installation.programs, folder / "pgbouncer.ini"]
        process = self._process = processes.spawn(command, account, cwd=folder, log=folder / "pgbouncer.log")
        if not processes.wait_until(lambda: process.poll() is not None or self._answers(), 10) or process.poll() is not None:
            log = self.log_tail()
            self.stop()
            raise ServerError(f"pgbouncer ({self.endpoint}) did not come up; the end of its log:\n{log}")
        return self

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL it; clients see resets. `start` brings it back on the same port."""
        if self._process is not None:
            processes.kill_tree(self._process)
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP it: connections stay open and nothing answers."""
        if self._process is None or not self.running:
            raise ServerError(f"pgbouncer ({self.endpoint}) does not run")
        processes.freeze_tree(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None and self.running:
            processes.thaw_tree(self._process.pid)

    def stop(self) -> None:
        """End it and delete its folder; safe to call twice."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def log_tail(self, lines: int = 30) -> str:
        """The last *lines* lines of its log."""
        log = self._folder / "pgbouncer.log" if self._folder is not None else None
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log is not None and log.exists() else ""
