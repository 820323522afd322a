"""
What dbrouter does to sockets of database connections: finding dead peers, and looking at a socket without a round trip.

No driver library bounds a dead network by itself: an idle dead peer is found by keepalive only, unacknowledged bytes by
TCP_USER_TIMEOUT only (docs/resilience.md).
"""

from __future__ import annotations

import select
import socket
from typing import Any

KEEPALIVE_IDLE = 15
"""Seconds without traffic before the first keepalive probe."""
KEEPALIVE_INTERVAL = 5
"""Seconds between probes."""
KEEPALIVE_COUNT = 3
"""Unanswered probes before the connection is given up."""
USER_TIMEOUT = 20.0
"""Seconds that sent bytes may stay unacknowledged."""


def watch_peer(sock: Any) -> None:
    """
    Set keepalive, its rhythm and TCP_USER_TIMEOUT on *sock* where the platform has them; a socket file needs none. Never
    raises.
    """
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    options = [(socket.SOL_SOCKET, "SO_KEEPALIVE", 1)]
    options += [
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", KEEPALIVE_IDLE),
        (socket.IPPROTO_TCP, "TCP_KEEPALIVE", KEEPALIVE_IDLE),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", KEEPALIVE_COUNT),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", int(USER_TIMEOUT * 1000)),
    ]
    for level, name, value in options:
        option = getattr(socket, name, None)
        if option is not None:
            try:
                sock.setsockopt(level, option, value)
            except OSError:  # an option that this kernel refuses costs us nothing but the option
                pass


_ANYTHING = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)


class SocketWatch:
    """
    Looks at one socket by `poll`, about 1 µs a look.

    A peer that hung up is seen as soon as its FIN or RST has arrived; a half-open connection is not (that is what keepalive
    and pings are for).
    """

    __slots__ = ("_poll",)

    def __init__(self, fd: int) -> None:
        self._poll = select.poll()
        self._poll.register(fd, _ANYTHING)

    def is_quiet(self) -> bool:
        """True when the peer has neither hung up nor sent anything; unexpected bytes count as doubtful."""
        return not self._poll.poll(0)
