"""
MariaDB and MySQL servers for `LocalCluster`: data folders from a template, GTID replication, read-only replicas, promotion.

The two products share everything but words, which are in one table each. Speaks to the servers through PyMySQL, the blocking
library below aiomysql, as root over the socket.
"""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pymysql
from pymysql.constants import CLIENT

from dbrouter.testing import processes, servers
from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.processes import Account, ServerError
from dbrouter.testing.server import DATABASE, PASSWORD, USER, LocalServer

_ADMIN = "root"
_REPLICATION_USER = "replicator"
_CONNECT_TIMEOUT = 10
_QUERY_TIMEOUT = 60

# An InnoDB commit reaches the page cache (2, not 0): what a client saw committed survives SIGKILL, which fault tests count on.
# Nothing has to survive the loss of the machine. Without its performance schema MySQL starts in 1 s instead of 4; the tables
# about replication work all the same. Functions are trusted, or a replica that replays one's creation would stop for ever.
_SETTINGS: dict[str, str | int | float] = {
    "bind-address": "127.0.0.1",
    "max_connections": 200,
    "skip-name-resolve": "ON",
    "log-bin": "binlog",
    "binlog_format": "ROW",
    "log_bin_trust_function_creators": "ON",
    "sync_binlog": 0,
    "innodb_flush_log_at_trx_commit": 2,
    "innodb_buffer_pool_size": "32M",
    "innodb_flush_method": "nosync",
    "innodb_doublewrite": "OFF",
    "innodb_use_native_aio": "OFF",
    "performance_schema": "OFF",
    "character-set-server": "utf8mb4",
    "secure-file-priv": "",
}

_FIRST_STATEMENTS = f"""\
CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
CREATE DATABASE {DATABASE};
GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'%';
GRANT REPLICATION CLIENT ON *.* TO '{USER}'@'%';
CREATE USER IF NOT EXISTS '{_ADMIN}'@'127.0.0.1';
GRANT ALL PRIVILEGES ON *.* TO '{_ADMIN}'@'127.0.0.1' WITH GRANT OPTION;
CREATE USER '{_REPLICATION_USER}'@'%';
GRANT REPLICATION SLAVE ON *.* TO '{_REPLICATION_USER}'@'%';
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What the products say differently."""

    settings: dict[str, str | int | float]
    replica_settings: dict[str, str | int | float]
    first_statements: str
    stop: str
    stop_receiver: str
    forget: str
    follow: str
    writable: str
    status: str
    status_prefix: str
    source_port: str
    received: str
    """Column of the status that names what has been received."""
    position: str
    reached: str
    """Answers 1 when everything up to the position was applied, after waiting for it at most ``{timeout}`` seconds."""


_MARIADB = _Words(
    settings={"log-slave-updates": "ON", "gtid_strict_mode": "ON", "slave_net_timeout": 5},
    replica_settings={"read_only": "ON"},
    first_statements="FLUSH PRIVILEGES;\nDELETE FROM mysql.global_priv WHERE User = '';\nFLUSH PRIVILEGES;\n"
    + _FIRST_STATEMENTS
    + f"GRANT SLAVE MONITOR ON *.* TO '{USER}'@'%';\n",
    stop="STOP SLAVE",
    stop_receiver="STOP SLAVE IO_THREAD",
    forget="RESET SLAVE ALL",
    follow="CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{user}', MASTER_CONNECT_RETRY=1,"
    " MASTER_DELAY=0, MASTER_USE_GTID=slave_pos; START SLAVE",
    writable="SET GLOBAL read_only = 0",
    status="SHOW SLAVE STATUS",
    status_prefix="Slave",
    source_port="Master_Port",
    received="Gtid_IO_Pos",
    position="SELECT @@global.gtid_binlog_pos",
    reached="SELECT MASTER_GTID_WAIT('{position}', {timeout}) = 0",
)

_MYSQL = _Words(
    settings={
        "gtid_mode": "ON",
        "enforce_gtid_consistency": "ON",
        "mysqlx": "OFF",
        "innodb_redo_log_capacity": "16M",
        "log_error_verbosity": 2,
        "replica_net_timeout": 5,
        "relay_log_recovery": "ON",
    },
    replica_settings={"read_only": "ON", "super_read_only": "ON"},
    first_statements=_FIRST_STATEMENTS,
    stop="STOP REPLICA",
    stop_receiver="STOP REPLICA IO_THREAD",
    forget="RESET REPLICA ALL",
    follow="CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, SOURCE_USER='{user}', SOURCE_CONNECT_RETRY=1,"
    " SOURCE_DELAY=0, SOURCE_RETRY_COUNT=86400, SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA",
    writable="SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0",
    status="SHOW REPLICA STATUS",
    status_prefix="Replica",
    source_port="Source_Port",
    received="Retrieved_Gtid_Set",
    position="SELECT @@global.gtid_executed",
    reached="SELECT WAIT_FOR_EXECUTED_GTID_SET('{position}', {timeout}) = 0",
)

_templates: dict[tuple[ServerKind, str], Path] = {}
_template_lock = threading.Lock()
_server_ids = itertools.count(1)


class MysqlServer(LocalServer):
    """One MariaDB or MySQL server."""

    def __init__(
        self,
        kind: ServerKind,
        name: str,
        folder: Path,
        account: Account,
        options: Mapping[str, str | int | float],
        *,
        installation: servers.Installation,
    ) -> None:
        super().__init__(kind, name, folder, account, options)
        self._installation = installation
        self._server_id = 0
        self._replica = False
        self._words = _MARIADB if kind is ServerKind.MARIADB_10_11 else _MYSQL

    @property
    def admin(self) -> str:
        """``root``."""
        return _ADMIN

    @property
    def socket(self) -> Path:
        """The socket's file."""
        return self._folder / "mysql.sock"

    # --- its life ---------------------------------------------------------------------------------

    def _command(self) -> list[str | Path]:
        return [*_program(self._installation), f"--defaults-file={self._folder / 'my.cnf'}"]

    def _before_start(self) -> None:
        settings = _SETTINGS | self._words.settings | _private_settings(self._installation)
        if self._replica:
            settings |= self._words.replica_settings
        settings |= {
            "datadir": str(self._data),
            "socket": str(self.socket),
            "pid-file": str(self._folder / "mysqld.pid"),
            "tmpdir": str(self._folder),
            "port": self.port,
            "server-id": self._server_id,
            "report-host": self.name,
            "report-port": self.port,
        }
        settings |= self._options
        path = self._folder / "my.cnf"
        path.write_text("[mysqld]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        self._account.own(path)
        self.socket.unlink(missing_ok=True)

    def _after_kill(self) -> None:
        """Nothing: all of it is in the folder."""

    def _ready(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            self._connect(None).close()
        except pymysql.err.OperationalError:
            return False
        return True

    # --- asking it --------------------------------------------------------------------------------

    def query(self, sql: str, *, database: str = DATABASE) -> list[tuple[str | None, ...]]:
        """Rows of *sql* as text, as root over the socket; several statements answer the rows of all."""
        return [tuple(row.values()) for row in self._rows(sql, database)]

    def _rows(self, sql: str, database: str = DATABASE) -> list[dict[str, str | None]]:
        self._living_pid()
        try:
            connection = self._connect(database)
        except pymysql.err.MySQLError as error:
            raise ServerError(f"{self.name}: {error}") from error
        found: list[dict[str, str | None]] = []
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                more = True
                while more:
                    names = [column[0] for column in cursor.description or ()]
                    found.extend(dict(zip(names, map(_text, row), strict=True)) for row in cursor.fetchall())
                    more = bool(cursor.nextset())
        except pymysql.err.MySQLError as error:
            raise ServerError(f"{self.name}: {error}: {sql}") from error
        finally:
            connection.close()
        return found

    def _connect(self, database: str | None) -> Any:
        return pymysql.connect(
            unix_socket=str(self.socket),
            user=_ADMIN,
            database=database,
            autocommit=True,
            charset="utf8mb4",
            conv={},
            ssl_disabled=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=_QUERY_TIMEOUT,
            write_timeout=_QUERY_TIMEOUT,
        )

    # --- its part in a cluster --------------------------------------------------------------------

    def build(self, source: Self | None) -> None:
        """Data from the kind's template; a replica then gets everything else from its source's binary log, which is complete."""
        self.discard_data()
        self._replica = source is not None
        # A new number each time: a server takes no event that bears its own number, as a rebuilt primary's early history does.
        self._server_id = next(_server_ids)
        shutil.copytree(_template(self.kind, self._installation, self._account, self._words), self._data)
        self._account.own(self._data)

    def follow(self, primary: Self) -> None:
        """Replicate from *primary* by GTID; the server must run."""
        self._replica = True
        words = self._words
        follow = words.follow.format(host=primary.host, port=primary.port, user=_REPLICATION_USER)
        self.query(f"{words.stop}; {follow}")

    def promote(self) -> None:
        """Apply what was received, stop replicating, take writes; also after a restart."""
        words = self._words
        status = self._status()
        if status:
            self.query(words.stop_receiver)
            received = self._status().get(words.received) or ""
            if received and not self._reached(received, timeout=30):
                raise ServerError(f"{self.name} has not applied {received} within 30 s")
            self.query(f"{words.stop}; {words.forget}")
        self.query(words.writable)
        self._replica = False

    def is_replica(self) -> bool:
        """`@@global.read_only`."""
        return self.value("SELECT @@global.read_only") == "1"

    def follows(self, primary: Self) -> bool:
        """Whether the server is read-only, both replication threads run, from *primary*, and none lags on purpose."""
        status = dict(
            item for row in self._rows(f"SELECT @@global.read_only AS ro; {self._words.status}") for item in row.items()
        )
        prefix = self._words.status_prefix
        running = status.get(f"{prefix}_IO_Running") == "Yes" and status.get(f"{prefix}_SQL_Running") == "Yes"
        there = status["ro"] == "1" and status.get(self._words.source_port) == str(primary.port)
        return running and there and status.get("SQL_Delay") == "0"

    def position(self) -> str:
        """The GTIDs in the primary's log."""
        return (self.value(self._words.position) or "").replace("\n", "")

    def has_reached(self, position: str) -> bool:
        """Whether all GTIDs of *position* were applied; waits for them up to a second."""
        return not position or self._reached(position, timeout=1)

    def _reached(self, position: str, *, timeout: int) -> bool:
        return self.value(self._words.reached.format(position=position.replace("\n", ""), timeout=timeout)) == "1"

    def _status(self) -> dict[str, str | None]:
        rows = self._rows(self._words.status)
        return rows[0] if rows else {}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _program(installation: servers.Installation) -> list[str | Path]:
    if installation.loader is None:
        return [installation.programs]
    libraries = ":".join(str(path) for path in installation.libraries)
    return [installation.loader, "--library-path", libraries, installation.programs]


def _private_settings(installation: servers.Installation) -> dict[str, str | int | float]:
    """Where an unpacked MySQL finds what it would look for in /usr."""
    if installation.loader is None:
        return {}
    root = installation.root
    charsets = next(root.glob("usr/share/**/charsets"))
    return {
        "basedir": str(root / "usr"),
        "character-sets-dir": str(charsets),
        "lc-messages-dir": str(charsets.parent),
        "plugin-dir": str(next(root.glob("usr/lib/**/plugin"))),
    }


def _template(kind: ServerKind, installation: servers.Installation, account: Account, words: _Words) -> Path:
    """An initialised data folder with the users and the database, made once per run (MariaDB 1–2 s, MySQL 2–4 s)."""
    with _template_lock:
        key = (kind, account.name)
        if key not in _templates:
            folder = processes.new_folder(f"{kind.value}-template")
            account.own(folder)
            statements = folder / "first.sql"
            statements.write_text(words.first_statements)
            account.own(statements)
            data = folder / "data"
            private = [f"--{name}={value}" for name, value in _private_settings(installation).items()]
            command: list[str | Path]
            if kind is ServerKind.MARIADB_10_11:
                command = [installation.programs.parents[1] / "bin/mariadb-install-db", "--no-defaults", f"--datadir={data}"]
                command += ["--auth-root-authentication-method=normal", "--skip-test-db", f"--extra-file={statements}"]
            else:
                command = [*_program(installation), "--no-defaults", *private, "--initialize-insecure", f"--datadir={data}"]
                command += ["--mysqlx=OFF", "--secure-file-priv=", "--innodb_redo_log_capacity=16M", f"--init-file={statements}"]
            processes.run_tool(command, account, cwd=folder)
            (data / "auto.cnf").unlink(missing_ok=True)  # every server of a cluster has a server_uuid of its own
            _templates[key] = data
        return _templates[key]
