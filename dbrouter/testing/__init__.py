"""
What dbrouter's own tests stand on, public for its users' tests: local clusters of real servers, a fault proxy, a fake driver.

Names are loaded when first used: nobody pays for what they do not touch. `docs/testing.md` shows each at work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbrouter.testing.cluster import LocalCluster as LocalCluster
    from dbrouter.testing.fake import FakeDriver as FakeDriver
    from dbrouter.testing.fakeserver import FakeError as FakeError
    from dbrouter.testing.fakeserver import FakeServer as FakeServer
    from dbrouter.testing.kinds import ServerKind as ServerKind
    from dbrouter.testing.pgbouncer import LocalPgBouncer as LocalPgBouncer
    from dbrouter.testing.processes import ServerError as ServerError
    from dbrouter.testing.proxy import FaultProxy as FaultProxy
    from dbrouter.testing.server import LocalServer as LocalServer

_HOMES = {
    "FakeDriver": "fake",
    "FakeError": "fakeserver",
    "FakeServer": "fakeserver",
    "FaultProxy": "proxy",
    "LocalCluster": "cluster",
    "LocalPgBouncer": "pgbouncer",
    "LocalServer": "server",
    "ServerError": "processes",
    "ServerKind": "kinds",
}

__all__ = [
    "FakeDriver",
    "FakeError",
    "FakeServer",
    "FaultProxy",
    "LocalCluster",
    "LocalPgBouncer",
    "LocalServer",
    "ServerError",
    "ServerKind",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
