"""Everything that knows an engine beyond its lexical facts: connections, error tables, role and lag SQL."""

from __future__ import annotations

from dbrouter.drivers.base import Driver
from dbrouter.errors import ConfigError


def load_driver(name: str) -> Driver:
    """
    The driver of that name; its library is imported only now.

    Raises:
        ConfigError: no such driver, or its library is not installed.
    """
    match name:
        case "asyncpg":
            from dbrouter.drivers.asyncpg import AsyncpgDriver

            return AsyncpgDriver()
        case "aiomysql":
            from dbrouter.drivers.aiomysql import AiomysqlDriver

            return AiomysqlDriver()
        case "asyncmy":
            from dbrouter.drivers.asyncmy import AsyncmyDriver

            return AsyncmyDriver()
    raise ConfigError(f"unknown driver {name!r}; known are asyncpg, aiomysql and asyncmy")
