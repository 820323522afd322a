"""The kinds of server that can be run on this machine for tests, as a closed set."""

from __future__ import annotations

from enum import StrEnum

from dbrouter.terms import Engine


class ServerKind(StrEnum):
    """Product and version line; the value is the name the command line and messages use."""

    POSTGRESQL_18 = "postgresql-18"
    POSTGRESQL_16 = "postgresql-16"
    POSTGRESQL_15 = "postgresql-15"
    MARIADB_10_11 = "mariadb-10.11"
    MYSQL_9_7 = "mysql-9.7"

    @property
    def engine(self) -> Engine:
        """The engine to write into a configuration: MariaDB and MySQL are both `Engine.MYSQL`."""
        return Engine.POSTGRESQL if self.value.startswith("postgresql") else Engine.MYSQL
