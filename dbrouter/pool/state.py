"""
PoolState: every decision of a pool, without I/O, clock, randomness or events.

A method is told what happened (`on_…`), changes the state, and answers what has to be done about it: nothing (None) or an action.
`pool.py` does it. What a connection knows for free (`closed`, `in_transaction`, `needs_settling`, the socket's `check`) is asked
of it here.

`PoolState` is the only writer of its fields and of a `Seat`'s. The two hot calls, `take` and `on_release`, are methods of this
class too: `Pool.take` *is* the bound `PoolState.take`, and `Lease.release` calls `on_release` and does whatever it answers, which
is mostly nothing. So the rules stand here once, and the hot path costs no second layer.

Invariants (tests/property/test_pool_state.py):

- idle + in use + checking + settling + closing + connecting = size ≤ max_size;
- a seat is in exactly one place, and a connection has one user;
- while somebody waits, no connection is idle that nobody is checking: idle ⇒ checking ≥ waiting;
- whoever waits is served in order of arrival, and nobody who came later is served first.

Newest first (LIFO), so that connections nobody needs grow old at the bottom and `idle_timeout` finds them.
"""

from __future__ import annotations

import sys
from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, Protocol, TypeVar

from dbrouter.errors import BugError
from dbrouter.pool.pace import Pace
from dbrouter.pool.seat import Place, Seat

POLL_AFTER = 0.1
"""Seconds of rest after which a connection's socket is looked at even for a read (a write always looks)."""
PING_AFTER = 1.0
"""Seconds of rest after which a connection is pinged before it is used."""
RECONSIDER_AFTER = 0.05
"""Seconds until somebody in line asks again whether connecting is allowed."""


_IDLE, _IN_USE, _CHECKING = Place.IDLE, Place.IN_USE, Place.CHECKING
_SETTLING, _CLOSING, _GONE = Place.SETTLING, Place.CLOSING, Place.GONE


class Waiter(Protocol):
    """Somebody in line: an `asyncio.Future`, of which only this much matters here."""

    def done(self) -> bool:
        """Whether it was served, or has gone."""
        ...


SeatT = TypeVar("SeatT", bound=Seat)
WaiterT = TypeVar("WaiterT", bound=Waiter)


@dataclass(frozen=True, slots=True)
class Take(Generic[SeatT]):
    """The caller has *seat*."""

    seat: SeatT


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller has to stand in line (`enqueue`)."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The caller gets nothing: the line is full, or the pool is closing."""

    full: bool


@dataclass(frozen=True, slots=True)
class Hand(Generic[SeatT, WaiterT]):
    """Give *seat* to *waiter*, which has left the line."""

    seat: SeatT
    waiter: WaiterT


@dataclass(frozen=True, slots=True)
class Close(Generic[SeatT]):
    """Close *seat*'s connection, then say `on_gone`."""

    seat: SeatT
    why: str


@dataclass(frozen=True, slots=True)
class Check(Generic[SeatT]):
    """Ping *seat*'s connection, then say `on_checked` or `on_discard`."""

    seat: SeatT


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection, then say `on_connected` or `on_connect_ended`."""


@dataclass(frozen=True, slots=True)
class Later:
    """Ask again at *at*."""

    at: float


class PoolState(Generic[SeatT, WaiterT]):
    """
    The seats of one pool and who waits for them.

    Args:
        max_uses: leases after which a connection is replaced; None for no limit.
        pace: when connecting is allowed.
    """

    __slots__ = (
        "aside",
        "checking",
        "closing",
        "connecting",
        "draining",
        "guests",
        "idle",
        "idle_timeout",
        "max_size",
        "max_uses",
        "max_waiting",
        "min_size",
        "outsized",
        "pace",
        "seats",
        "settling",
        "waiters",
        "wanted",
    )

    def __init__(
        self, *, min_size: int, max_size: int, max_waiting: int, max_uses: int | None, idle_timeout: float | None, pace: Pace
    ) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.max_waiting = max_waiting
        self.max_uses = sys.maxsize if max_uses is None else max_uses
        self.idle_timeout = inf if idle_timeout is None else idle_timeout
        self.pace = pace
        self.seats: set[SeatT] = set()
        self.idle: list[SeatT] = []
        """Oldest first; taken from the end."""
        self.waiters: OrderedDict[WaiterT, bool] = OrderedDict()
        """In order of arrival; True for a guest, who stands in the line of another pool too and came here later."""
        self.guests = 0
        self.connecting = 0
        self.checking = 0
        self.settling = 0
        self.closing = 0
        self.aside = 0
        """checking + settling + closing: what is neither idle nor in use, so that the hot path counts nothing."""
        self.draining = False
        self.wanted = False
        """Somebody was refused who would have waited."""
        self.outsized = 0
        """How many there were when `max_size` last became smaller; those beyond it go as they come back."""

    @property
    def size(self) -> int:
        """Connections there are or are being made."""
        return len(self.seats) + self.connecting

    @property
    def in_use(self) -> int:
        """Connections somebody holds."""
        return len(self.seats) - len(self.idle) - self.aside

    # ---- taking

    def take(self, now: float, check: bool) -> SeatT | None:
        """
        HOT: the newest idle connection, or None when the caller must `acquire` (nobody may overtake who waits).

        Args:
            check: look at the socket (writes); without it only after `POLL_AFTER` seconds of rest.
        """
        idle = self.idle
        if not idle or self.waiters:
            return None
        seat = idle[-1]
        connection = seat.connection
        rest = now - seat.idle_since
        if (
            rest > PING_AFTER
            or now >= seat.retire_at
            or connection.closed
            or ((check or rest >= POLL_AFTER) and not connection.check())
        ):
            return None
        idle.pop()
        seat.place = _IN_USE
        seat.taken_at = now
        seat.uses += 1
        return seat

    def on_acquire(self, now: float, check: bool) -> Take[SeatT] | Close[SeatT] | Wait | Refuse:
        """A caller whom `take` could not serve; after `Close`, ask again. `Wait` where the next idle one must be pinged first."""
        if self.draining:
            return Refuse(full=False)
        if self.idle and not self.waiters:
            why = self._why_retire(self.idle[-1], now)
            if why is not None:
                return self._to_closing(self.idle.pop(), why)
            seat = self.take(now, check)
            if seat is not None:
                return Take(seat)
        if len(self.waiters) - self.guests >= self.max_waiting and not self._forget_gone():
            # Where nobody may wait, no line would ever make the pool grow.
            self.wanted = not self.waiters
            return Refuse(full=True)
        return Wait()

    def enqueue(self, waiter: WaiterT, *, guest: bool = False) -> None:
        """*waiter* stands in line from now on, last; a *guest* is served like anybody, and told of nothing else."""
        if waiter not in self.waiters:
            self.waiters[waiter] = guest
            self.guests += guest

    def leave(self, waiter: WaiterT) -> None:
        """*waiter* gives up its place, if it still has one."""
        self.guests -= self.waiters.pop(waiter, False)

    # ---- giving back

    def on_release(self, seat: SeatT, now: float) -> Hand[SeatT, WaiterT] | Close[SeatT] | None:
        """
        HOT: its user is done with *seat*: to the first in line, or idle (None), or closed. One that is closed already stays so.
        """
        if seat.place is not _IN_USE:
            if seat.place is _CLOSING or seat.place is _GONE:
                return None
            raise BugError(f"a lease that is {seat.place.value} was released")
        connection = seat.connection
        if (
            seat.dirty is not None
            or now >= seat.retire_at
            or seat.uses >= self.max_uses
            or connection.closed
            or connection.in_transaction
            or connection.needs_settling
        ):
            return self._to_closing(seat, self._why_retire(seat, now) or "broken")
        if self.waiters:
            waiter = self._first_in_line()
            if waiter is not None:
                return self._hand(seat, waiter, now)
        seat.idle_since = now
        seat.place = _IDLE
        self.idle.append(seat)
        return None

    def on_settling(self, seat: SeatT) -> bool:
        """*seat*'s user is done, but the connection has work left; False if it is closed already."""
        if seat.place is _CLOSING or seat.place is _GONE:
            return False
        if seat.place is not _IN_USE:
            raise BugError(f"a lease that is {seat.place.value} was released")
        self._set_aside(seat, _SETTLING)
        return True

    def on_settled(self, seat: SeatT, now: float) -> Hand[SeatT, WaiterT] | Close[SeatT] | None:
        """What *seat*'s connection had left to do is done: as `on_release`."""
        if seat.place is not _SETTLING:
            return None
        self._back(seat)
        seat.place = _IN_USE
        return self.on_release(seat, now)

    def on_checked(self, seat: SeatT, now: float, ping_at: float) -> Hand[SeatT, WaiterT] | Close[SeatT] | None:
        """
        *seat* answered a ping: to the first in line, or back to where it lay.

        It has not been used, so it stays as old as it was: a keepalive must not keep `idle_timeout` from seeing it.
        """
        if seat.place is not _CHECKING:
            return None
        seat.ping_at = ping_at
        why = self._why_retire(seat, now)
        if why is not None:
            return self._to_closing(seat, why)
        self._back(seat)
        waiter = self._first_in_line()
        if waiter is not None:
            return self._hand(seat, waiter, now)
        seat.place = _IDLE
        insort(self.idle, seat, key=_idle_since)
        return None

    def on_discard(self, seat: SeatT, why: str) -> Close[SeatT] | None:
        """*seat* must not be used again; None if it is closed or closing already."""
        if seat.place is _CLOSING or seat.place is _GONE:
            return None
        if seat.place is _IDLE:
            self.idle.remove(seat)
        return self._to_closing(seat, why)

    def on_gone(self, seat: SeatT) -> None:
        """*seat*'s connection is closed: its capacity is free."""
        if seat.place is _GONE:
            return
        if seat.place is not _CLOSING:
            raise BugError(f"a lease that is {seat.place.value} is gone")
        self._back(seat)
        seat.place = _GONE
        self.seats.discard(seat)

    # ---- connecting

    def on_need(self, now: float, may_connect: bool) -> Check[SeatT] | Close[SeatT] | Connect | Later | None:
        """What to do for those who wait and for `min_size`; ask again until the answer is `Later` or None."""
        if self.draining:
            return None
        waiting = len(self.waiters)
        if self.idle and waiting > self.checking:
            seat = self.idle.pop()
            why = self._why_retire(seat, now)
            if why is not None:
                return self._to_closing(seat, why)
            self._set_aside(seat, _CHECKING)
            return Check(seat)
        alive = len(self.seats) - self.closing
        missing = max(waiting - self.checking, self.min_size - alive, int(self.wanted)) - self.connecting
        if missing <= 0 or self.size >= self.max_size:
            return None
        if not may_connect:
            return Later(now + RECONSIDER_AFTER) if waiting else None
        if self.connecting >= self.pace.parallel:
            return None
        at = self.pace.next_at(now)
        if at > now:
            return Later(at)
        self.connecting += 1
        self.wanted = False
        self.pace.started(now)
        return Connect()

    def on_connected(self, seat: SeatT, now: float) -> Hand[SeatT, WaiterT] | Close[SeatT] | None:
        """A connection was opened and *seat* stands for it."""
        self.connecting -= 1
        self.seats.add(seat)
        seat.place = _IN_USE
        if self.draining:
            return self._to_closing(seat, "draining")
        if self.outsized > self.max_size and self._lasting() > self.max_size:
            return self._to_closing(seat, "resized")
        return self.on_release(seat, now)

    def on_connect_ended(self) -> None:
        """An attempt to connect ended without a connection."""
        self.connecting -= 1

    # ---- growing old

    def on_tick(self, now: float) -> list[Close[SeatT] | Check[SeatT]]:
        """
        What of the idle ones is due: too old, idle too long (oldest first, down to `min_size`), or to be pinged (one at a
        time).
        """
        due: list[Close[SeatT] | Check[SeatT]] = []
        spare = len(self.seats) - self.closing - self.min_size
        for seat in list(self.idle):
            why = self._why_retire(seat, now)
            if why is None and spare > 0 and now - seat.idle_since >= self.idle_timeout:
                why = "idle"
            if why is not None:
                self.idle.remove(seat)
                due.append(self._to_closing(seat, why))
                spare -= 1
        if not self.checking:
            seat_due = next((seat for seat in self.idle if now >= seat.ping_at), None)
            if seat_due is not None:
                self.idle.remove(seat_due)
                self._set_aside(seat_due, _CHECKING)
                due.append(Check(seat_due))
        return due

    def on_expire(self, why: str) -> list[Close[SeatT]]:
        """No connection opened before now is to be used again: idle ones are closed now, the others when their user is done."""
        for seat in self.seats:
            seat.retire_at = -inf
            seat.retire_why = why
        idle, self.idle[:] = list(self.idle), []
        return [self._to_closing(seat, why) for seat in idle]

    def on_resize(
        self, *, min_size: int, max_size: int, max_waiting: int, max_uses: int | None, idle_timeout: float | None
    ) -> list[Close[SeatT]]:
        """
        Other limits from now on. Connections beyond a smaller *max_size* go: idle ones now, the oldest first, others as they
        come back. Nobody leaves the line.
        """
        if max_size < self.max_size:
            self.outsized = max(self.outsized if self.outsized > self.max_size else 0, self.size)
        self.min_size = min_size
        self.max_size = max_size
        self.max_waiting = max_waiting
        self.max_uses = sys.maxsize if max_uses is None else max_uses
        self.idle_timeout = inf if idle_timeout is None else idle_timeout
        excess = self._lasting() + self.connecting - max_size
        closing = []
        while excess > 0 and self.idle:
            closing.append(self._to_closing(self.idle.pop(0), "resized"))
            excess -= 1
        for seat in self.seats:
            if excess <= 0:
                break
            if seat.place is not _CLOSING and seat.retire_at > -inf:
                seat.retire_at = -inf
                seat.retire_why = "resized"
                excess -= 1
        return closing

    def _lasting(self) -> int:
        """Connections that may be used again."""
        return sum(1 for seat in self.seats if seat.place is not _CLOSING and seat.retire_at > -inf)

    def on_drain(self) -> tuple[list[Close[SeatT]], list[WaiterT]]:
        """Nothing is handed out any more: what to close now, and who waited in vain."""
        self.draining = True
        return self.on_expire("draining"), self.dismiss()

    def dismiss(self) -> list[WaiterT]:
        """Everybody leaves the line; those who have no other one."""
        waiters = [waiter for waiter, guest in self.waiters.items() if not guest and not waiter.done()]
        self.waiters.clear()
        self.guests = 0
        return waiters

    def on_fork(self) -> list[SeatT]:
        """In a child process: no seat is ours any more; which they were."""
        seats = list(self.seats)
        for seat in seats:
            seat.place = _GONE
        self.seats.clear()
        self.idle.clear()
        self.waiters.clear()
        self.guests = 0
        self.connecting = self.checking = self.settling = self.closing = self.aside = 0
        self.draining = True
        return seats

    # ---- inside

    def _why_retire(self, seat: SeatT, now: float) -> str | None:
        """Why *seat* must not be handed to anybody, in the words of `ConnectionClosed.why`; None if it may."""
        connection = seat.connection
        if connection.closed:
            return "broken"
        if connection.needs_settling:
            return "settling"
        if seat.dirty is not None or connection.in_transaction:
            return "session_state"
        if now >= seat.retire_at:
            return seat.retire_why
        if seat.uses >= self.max_uses:
            return "uses"
        return None

    def _first_in_line(self) -> WaiterT | None:
        # One who was cancelled in this very tick still stands in the line: passed over.
        waiters = self.waiters
        while waiters:
            waiter, guest = waiters.popitem(last=False)
            self.guests -= guest
            if not waiter.done():
                return waiter
        return None

    def _forget_gone(self) -> bool:
        gone: Iterable[WaiterT] = [waiter for waiter in self.waiters if waiter.done()]
        for waiter in gone:
            self.leave(waiter)
        return bool(gone)

    def _hand(self, seat: SeatT, waiter: WaiterT, now: float) -> Hand[SeatT, WaiterT]:
        seat.place = _IN_USE
        seat.taken_at = now
        seat.uses += 1
        return Hand(seat, waiter)

    def _to_closing(self, seat: SeatT, why: str) -> Close[SeatT]:
        if seat.place is _CHECKING or seat.place is _SETTLING:
            self._back(seat)
        self._set_aside(seat, _CLOSING)
        return Close(seat, why)

    def _set_aside(self, seat: SeatT, place: Place) -> None:
        seat.place = place
        self._count(place, 1)

    def _back(self, seat: SeatT) -> None:
        self._count(seat.place, -1)

    def _count(self, place: Place, by: int) -> None:
        self.aside += by
        if place is _CHECKING:
            self.checking += by
        elif place is _SETTLING:
            self.settling += by
        else:
            self.closing += by

    def audit(self) -> list[str]:
        """Which invariants do not hold, for tests and for bug reports; empty when all do."""
        places: dict[Place, int] = dict.fromkeys(Place, 0)
        for seat in self.seats:
            places[seat.place] += 1
        found: list[tuple[str, Any, Any]] = [
            ("idle", places[_IDLE], len(self.idle)),
            ("idle seats are distinct", len(set(self.idle)), len(self.idle)),
            ("in use", places[_IN_USE], self.in_use),
            ("checking", places[_CHECKING], self.checking),
            ("settling", places[_SETTLING], self.settling),
            ("closing", places[_CLOSING], self.closing),
            ("gone", places[_GONE], 0),
            ("aside", self.checking + self.settling + self.closing, self.aside),
            ("size within max_size", self.size <= max(self.max_size, self.outsized), True),
            ("guests", sum(self.waiters.values()), self.guests),
            ("connecting is not negative", self.connecting >= 0, True),
            ("nobody waits beside an idle connection", not self.idle or self.checking >= len(self.waiters), True),
        ]
        return [f"{what}: {seen} != {expected}" for what, seen, expected in found if seen != expected]


def _idle_since(seat: Seat) -> float:
    return seat.idle_since
