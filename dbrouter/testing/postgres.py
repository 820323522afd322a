"""
PostgreSQL servers for `LocalCluster`: `initdb`, streaming standbys, promotion.

Speaks to the server through its own `psql`, so that no driver is needed and nothing of dbrouter is trusted to set the stage.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from dbrouter.testing import processes
from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.processes import Account, ServerError
from dbrouter.testing.server import DATABASE, PASSWORD, USER, LocalServer, StopMode

_ADMIN = "postgres"
_FIELD, _RECORD, _NULL = "\x1f", "\x1e", "\x1d"

_SETTINGS: dict[str, str | int | float] = {
    "listen_addresses": "127.0.0.1",
    "max_connections": 200,
    "superuser_reserved_connections": 5,
    "max_wal_senders": 10,
    "wal_level": "replica",
    "hot_standby": "on",
    "wal_log_hints": "on",
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_status_interval": 1,
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: a killed server leaves nothing in /dev/shm
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
    "jit": "off",
}
_SETTINGS_18: dict[str, str | int | float] = {"io_method": "sync"}  # three processes fewer per server

_HBA = f"""\
local all all trust
local replication all trust
host all {_ADMIN} 127.0.0.1/32 trust
host replication {_ADMIN} 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""

_FIRST_STATEMENTS = f"""\
CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';
CREATE DATABASE {DATABASE} OWNER {USER};
"""


class PostgresServer(LocalServer):
    """
    One PostgreSQL server.

    Args:
        binaries: the folder with `postgres`, `initdb`, `pg_basebackup` and `psql`.
    """

    def __init__(
        self,
        kind: ServerKind,
        name: str,
        folder: Path,
        account: Account,
        options: Mapping[str, str | int | float],
        *,
        binaries: Path,
    ) -> None:
        super().__init__(kind, name, folder, account, options)
        self._binaries = binaries
        self._primary: Self | None = None
        self._shared_memory: int | None = None

    @property
    def admin(self) -> str:
        """``postgres``."""
        return _ADMIN

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket."""
        return self._folder

    # --- its life ---------------------------------------------------------------------------------

    _hears_immediate = True

    def _stop_signal(self, mode: StopMode) -> signal.Signals:
        return {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]

    def _command(self) -> list[str | Path]:
        return [self._binaries / "postgres", "-D", self._data]

    def _before_start(self) -> None:
        self._write_settings()

    def _ready(self) -> bool:
        """As pg_ctl judges it: the lock file names our process and says ``ready`` (a standby once it takes connections)."""
        lines = self._lock_file()
        if len(lines) < 8 or self._process is None or lines[0] != str(self._process.pid):
            return False
        self._shared_memory = int(lines[6].split()[1])
        return lines[7].strip() == "ready"

    def _lock_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _after_kill(self) -> None:
        if self._shared_memory is not None:
            processes.remove_shared_memory(self._shared_memory)
            self._shared_memory = None

    def _write_settings(self) -> None:
        settings = dict(_SETTINGS)
        if self.kind is ServerKind.POSTGRESQL_18:
            settings |= _SETTINGS_18
        settings |= {"port": self.port, "unix_socket_directories": str(self._folder), "cluster_name": self.name}
        if self._primary is not None:
            settings["primary_conninfo"] = (
                f"host={self._primary.host} port={self._primary.port} user={_ADMIN} application_name={self.name}"
            )
        settings |= self._options
        lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        (self._data / "postgresql.auto.conf").write_text("".join(lines))
        signal_file = self._data / "standby.signal"
        if self._primary is None:
            signal_file.unlink(missing_ok=True)
        else:
            signal_file.touch()
            self._account.own(signal_file)
        self._account.own(self._data / "postgresql.auto.conf")

    # --- asking it --------------------------------------------------------------------------------

    def query(self, sql: str, *, database: str = DATABASE) -> list[tuple[str | None, ...]]:
        """Rows of *sql* as text, through psql as the superuser; several statements answer the rows of all."""
        self._living_pid()
        command: list[str | Path] = [self._binaries / "psql", "-X", "-q", "-A", "-t", "-F", _FIELD, "-R", _RECORD]
        command += ["-P", f"null={_NULL}", "-v", "ON_ERROR_STOP=1", "-h", self._folder, "-p", str(self.port), "-U", _ADMIN]
        output = processes.run_tool([*command, "-d", database, "-c", sql], self._account, cwd=self._folder, timeout=30)
        records = output.removesuffix("\n")
        if not records:
            return []
        return [tuple(None if cell == _NULL else cell for cell in record.split(_FIELD)) for record in records.split(_RECORD)]

    # --- its part in a cluster --------------------------------------------------------------------

    def build(self, source: Self | None) -> None:
        """`initdb` for a primary; for a replica a copy of a source that never ran, else `pg_basebackup`."""
        self.discard_data()
        self._primary = source
        if source is None:
            self._initialise()
        elif source.running:
            backup: list[str | Path] = [self._binaries / "pg_basebackup", "-D", self._data, "-X", "stream", "-c", "fast"]
            backup += ["--no-sync", "-h", source.socket, "-p", str(source.port), "-U", _ADMIN]
            processes.run_tool(backup, self._account, cwd=self._folder)
        else:
            shutil.copytree(source._data, self._data)
            self._account.own(self._data)

    def _initialise(self) -> None:
        arguments = ["-U", _ADMIN, "-A", "trust", "--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8"]
        processes.run_tool([self._binaries / "initdb", "-D", self._data, *arguments], self._account, cwd=self._folder)
        (self._data / "pg_hba.conf").write_text(_HBA)
        single: list[str | Path] = [self._binaries / "postgres", "--single", "-F", "-D", self._data, "postgres"]
        output = processes.run_tool(single, self._account, cwd=self._folder, stdin=_FIRST_STATEMENTS)
        if "ERROR" in output:
            raise ServerError(f"{self.name}: the first statements failed:\n{output}")

    def follow(self, primary: Self) -> None:
        """Stream from *primary* without delay or pause: at once where the server runs, else from its next start on."""
        self._primary = primary
        if self._data.exists():
            self._write_settings()
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGHUP)
            self.query("SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery() AND pg_is_wal_replay_paused()")

    def promote(self) -> None:
        """`pg_promote`, and wait until the server takes writes."""
        self.query("SELECT pg_promote(true, 30)")
        self._primary = None
        if self.is_replica():
            raise ServerError(f"{self.name} is still in recovery 30 s after pg_promote:\n{self.log_tail()}")

    def is_replica(self) -> bool:
        """`pg_is_in_recovery()`."""
        return self.value("SELECT pg_is_in_recovery()") == "t"

    def follows(self, primary: Self) -> bool:
        """Whether the WAL receiver streams from *primary* and replay neither pauses nor lags on purpose."""
        sql = (
            "SELECT CASE WHEN pg_is_in_recovery() THEN NOT pg_is_wal_replay_paused()"
            " AND current_setting('recovery_min_apply_delay') = '0'"
            f" AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming' AND sender_port = {primary.port}) END"
        )
        return self.value(sql) == "t"

    def position(self) -> str:
        """`pg_current_wal_lsn()`."""
        found = self.value("SELECT pg_current_wal_lsn()")
        assert found is not None
        return found

    def has_reached(self, position: str) -> bool:
        """Whether replay has come to *position*."""
        return self.value(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn") == "t"
