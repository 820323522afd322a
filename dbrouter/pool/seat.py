"""
Seat: one connection's place in its pool, and what the pool keeps about it. `PoolState` is the only writer.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from dbrouter.drivers.base import Connection


class Place(Enum):
    """Where a seat is."""

    IDLE = "idle"
    IN_USE = "in use"
    CHECKING = "checking"
    SETTLING = "settling"
    CLOSING = "closing"
    GONE = "gone"


class Seat:
    """What `PoolState` keeps about one connection. A `Lease` is a seat that somebody can hold."""

    __slots__ = (
        "connection",
        "dirty",
        "idle_since",
        "opened_at",
        "ping_at",
        "place",
        "retire_at",
        "retire_why",
        "taken_at",
        "uses",
    )

    def __init__(self, connection: Connection, *, now: float, retire_at: float = inf, ping_at: float = inf) -> None:
        self.connection = connection
        self.place = Place.SETTLING
        self.uses = 0
        self.dirty: str | None = None
        """Why the session is no longer as it was after connecting, or None."""
        self.opened_at = now
        self.idle_since = now
        self.taken_at = now
        self.retire_at = retire_at
        """The moment from which it is not handed out any more."""
        self.retire_why = "lifetime"
        self.ping_at = ping_at
        """When to ping it if it is still idle (keepalive)."""
