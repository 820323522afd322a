"""
Connecting: what a driver is told of a server, and the user's hook for every new connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings
from dbrouter.drivers.base import ConnectOptions, TlsOptions
from dbrouter.pool.lease import Lease
from dbrouter.router.context import Context
from dbrouter.router.session import PinnedConnection

OnConnect = Callable[[PinnedConnection], Awaitable[None]]


def connect_options(
    config: RouterConfig,
    database: DatabaseSettings,
    settings: HostgroupSettings,
    server: ServerSettings,
    *,
    read_only: bool,
    init: Sequence[str],
) -> ConnectOptions:
    """What a driver is told to connect to *server* of *settings*; a session opened *read_only* only where that can be set."""
    tls = database.tls
    return ConnectOptions(
        host=server.host,
        port=server.port or 0,
        user=database.user,
        password=database.password.get_secret_value() if database.password is not None else None,
        database=server.database or database.database,
        tls=TlsOptions(mode=str(tls.mode), ca=tls.ca, cert=tls.cert, key=tls.key),
        server_settings=dict(database.server_settings),
        driver_options=dict(database.driver_options),
        read_only=read_only and database.via == "direct",
        via=str(database.via),
        timeout=config.timeouts_for(settings, server).connect,
        init=tuple(init),
        found_rows=database.found_rows,
    )


class AdoptingHook:
    """Hands the user's `on_connect` the same object that `connection()` gives; failures are told by the name of `__wrapped__`."""

    def __init__(self, hook: OnConnect, hostgroup: Hostgroup, member: Member) -> None:
        self.__wrapped__ = hook
        self._hostgroup = hostgroup
        self._member = member
        self._context: Context | None = None

    def bind(self, context: Context) -> None:
        """Say whose connections these are; the context is made after its pools."""
        self._context = context

    async def __call__(self, lease: Lease) -> None:
        assert self._context is not None
        connection = PinnedConnection.adopt(self._context, self._hostgroup, self._member, lease)
        try:
            await self.__wrapped__(connection)
        finally:
            # Whoever keeps it would send statements into those of the connection's next user.
            connection._lease = None
