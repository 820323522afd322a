"""How messages, passwords and nodes call a server."""

from __future__ import annotations

import pytest

from dbrouter.config.model import ServerSettings
from dbrouter.drivers.base import ConnectOptions


@pytest.mark.parametrize(
    ("host", "port", "endpoint"),
    [
        ("db1", 5432, "db1:5432"),
        ("10.0.0.1", 3306, "10.0.0.1:3306"),
        ("::1", 5432, "[::1]:5432"),
        ("fe80::1%eth0", 5432, "[fe80::1%eth0]:5432"),
        ("/run/postgresql", 5432, "/run/postgresql:5432"),
        ("/run/mysqld/mysqld.sock", 0, "/run/mysqld/mysqld.sock"),
        ("/odd:place", 0, "/odd:place"),
    ],
)
def test_the_endpoint_is_the_name_of_the_node(host: str, port: int, endpoint: str) -> None:
    """The same words wherever a server is named: an IPv6 address is bracketed, a socket keeps its path."""
    assert ConnectOptions(host=host, port=port).endpoint == endpoint
    assert ServerSettings(host=host, port=port).node_id == endpoint
