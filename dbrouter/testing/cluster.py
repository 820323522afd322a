"""
LocalCluster: a real primary with streaming replicas on this machine, without containers, for tests and demonstrations.

Blocking, because tests, command lines and notebooks can all block; `async with` does the same in a thread. Everything listens on
127.0.0.1, lives in a folder that is deleted at the end, and is ended by process id, also when this process dies (`processes.py`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from dbrouter.terms import Engine
from dbrouter.testing import processes, servers
from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.local import Local
from dbrouter.testing.mysql import MysqlServer
from dbrouter.testing.postgres import PostgresServer
from dbrouter.testing.processes import ServerError
from dbrouter.testing.server import LocalServer


class LocalCluster(Local):
    """
    A primary and its replicas.

    Args:
        kind: product and version line, for example `ServerKind.POSTGRESQL_18` or ``"mariadb-10.11"``.
        replicas: how many.
        folder: where to live; must not exist or be empty, and is deleted by `stop`. Default: a temporary folder.
        options: extra settings of every server, by the server's own names.

    Raises:
        ServerError: the server's programs are not on this machine (the message says how to get them).
    """

    def __init__(
        self,
        kind: ServerKind | str,
        replicas: int = 2,
        folder: Path | str | None = None,
        options: Mapping[str, str | int | float] | None = None,
    ) -> None:
        self.kind = ServerKind(kind)
        self._installation = servers.require(self.kind.value)
        self._replica_count = replicas
        self._wanted_folder = Path(folder).absolute() if folder is not None else None
        self._options = dict(options or {})
        self._folder: Path | None = None
        self._primary: LocalServer | None = None
        self._replicas: list[LocalServer] = []

    def __repr__(self) -> str:
        if self._primary is None:
            return f"<LocalCluster {self.kind} stopped>"
        return f"<LocalCluster {self.kind} primary={self._primary!r} replicas={self._replicas!r}>"

    # --- who is in it -----------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """What to write as ``engine`` in a configuration."""
        return self.kind.engine

    @property
    def primary(self) -> LocalServer:
        """The server that takes writes; changes with `promote`."""
        if self._primary is None:
            raise ServerError(f"the {self.kind} cluster was not started")
        return self._primary

    @property
    def replicas(self) -> list[LocalServer]:
        """The other servers, in the order of their making; after `promote` the former primary is the last."""
        return list(self._replicas)

    @property
    def servers(self) -> list[LocalServer]:
        """The primary, then the replicas."""
        return [self.primary, *self._replicas]

    # --- its life ---------------------------------------------------------------------------------

    def start(self) -> Self:
        """
        Build and start every server and wait until each replica streams and has caught up (2–8 s).

        Raises:
            ServerError: a server did not come up; nothing is left running. The message has the end of its log.
        """
        if self._primary is not None:
            return self
        try:
            self._build()
        except BaseException:
            self.stop()
            raise
        return self

    def _build(self) -> None:
        folder = self._new_folder()
        self._folder = folder
        primary = self._server("primary")
        replicas = [self._server(f"replica-{number}") for number in range(1, self._replica_count + 1)]
        self._primary, self._replicas = primary, list(replicas)
        primary.build(None)
        for replica in replicas:
            replica.build(primary)
        _each(lambda server: server.start(), [primary, *replicas])
        _each(lambda replica: replica.follow(primary), replicas)
        self.wait_caught_up()

    def _new_folder(self) -> Path:
        if self._wanted_folder is None:
            return processes.new_folder(self.kind.value)
        self._wanted_folder.mkdir(parents=True, exist_ok=True)
        if any(self._wanted_folder.iterdir()):
            raise ServerError(f"{self._wanted_folder} is not empty")
        processes.guard_folder(self._wanted_folder)
        return self._wanted_folder

    def _server(self, name: str) -> LocalServer:
        assert self._folder is not None
        account = processes.server_account("postgres" if self.engine is Engine.POSTGRESQL else "mysql")
        installation = servers.reachable(self._installation, account)
        full_name = f"{self.kind.value}-{name}"
        folder = self._folder / name
        if self.engine is Engine.POSTGRESQL:
            return PostgresServer(self.kind, full_name, folder, account, self._options, binaries=installation.programs)
        return MysqlServer(self.kind, full_name, folder, account, self._options, installation=installation)

    def stop(self) -> None:
        """End every server and delete the folder; safe to call twice and after a failed start."""
        # Nothing of the data is wanted any more, so nobody is asked to write it down.
        _each(lambda server: server.kill(), ([self._primary] if self._primary is not None else []) + self._replicas)
        self._primary, self._replicas = None, []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    # --- replication ------------------------------------------------------------------------------

    def wait_caught_up(self, timeout: float = 75) -> None:
        """
        Wait until every replica that runs and is not frozen has applied what the primary's log holds now.

        On PostgreSQL a query that still runs on a standby holds back a DROP of what it reads for as long as
        ``max_standby_streaming_delay``, which is 30 s; the default *timeout* leaves room for two of them.

        Raises:
            ServerError: one had not within *timeout* seconds.
        """
        primary = self.primary
        position = primary.position()
        deadline = time.monotonic() + timeout

        def wait(replica: LocalServer) -> None:
            if not processes.wait_until(lambda: replica.has_reached(position), deadline - time.monotonic()):
                raise ServerError(f"{replica.name} has not reached {position} within {timeout:g} s:\n{replica.log_tail()}")

        _each(wait, [replica for replica in self._replicas if replica.running and not replica.frozen])

    def promote(self, replica: LocalServer) -> None:
        """
        Make *replica* the primary, and have the other replicas that run follow it.

        The old primary is not touched: kill or stop it first for a failover, leave it for a split brain.
        `heal` makes it a replica.

        Raises:
            ServerError: *replica* does not run or did not become writable.
        """
        if replica not in self._replicas:
            raise ServerError(f"{replica.name} is no replica of this cluster")
        replica.promote()
        former = self.primary
        others = [server for server in self._replicas if server is not replica]
        self._primary, self._replicas = replica, [*others, former]
        _each(lambda server: server.follow(replica), [server for server in others if server.running and not server.frozen])

    def rebuild(self, replica: LocalServer) -> None:
        """Throw a replica's data away and make it anew from the primary, which must run; it keeps its port."""
        replica.kill()
        replica.build(self.primary)
        replica.start()
        replica.follow(self.primary)

    def heal(self) -> None:
        """
        Bring everything back: all servers thawed and running, `primary` writable, all others replicating from it.

        A replica that took another course (it was promoted, or made writable) is built anew; pauses and delays that a test set
        are ended. Costs 10–40 ms where all is well; where there was something to do, replicas have also caught up.
        """
        if self.healthy:
            return
        for server in self.servers:
            server.thaw()
        _each(lambda server: server.start(), self.servers)
        if self.primary.is_replica():
            self.primary.promote()
        _each(self._heal_replica, self._replicas)
        try:
            self.wait_caught_up(10)
        except ServerError:
            _each(self.rebuild, self._replicas)
            self.wait_caught_up()

    @property
    def healthy(self) -> bool:
        """Whether every server runs, is not frozen, and is what it should be: primary writable, replicas replicating from it."""
        primary = self.primary
        if not all(server.running and not server.frozen for server in self.servers):
            return False
        with ThreadPoolExecutor(max_workers=len(self._replicas) + 1) as executor:
            sound = [executor.submit(replica.follows, primary) for replica in self._replicas]
            return not primary.is_replica() and all(each.result() for each in sound)

    def _heal_replica(self, replica: LocalServer) -> None:
        if not replica.is_replica():
            self.rebuild(replica)
        if replica.follows(self.primary):
            return
        replica.follow(self.primary)
        if not processes.wait_until(lambda: replica.follows(self.primary), 5, every=0.05):
            self.rebuild(replica)


def _each(act: Callable[[Any], None], targets: Iterable[LocalServer]) -> None:
    """*act* on all targets at the same time; the first failure is raised after all have ended."""
    listed = list(targets)
    if len(listed) < 2:
        for target in listed:
            act(target)
        return
    with ThreadPoolExecutor(max_workers=min(len(listed), (os.cpu_count() or 2) * 2)) as executor:
        for done in [executor.submit(act, target) for target in listed]:
            done.result()
