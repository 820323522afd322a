"""Whatever happens to a pool in whatever order, its invariants hold and waiters are served in order of arrival."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from dbrouter.pool.pace import Pace, PaceSettings
from dbrouter.pool.seat import Place, Seat
from dbrouter.pool.state import Check, Close, Connect, Hand, Later, PoolState, Refuse, Take, Wait
from dbrouter.terms import Blame


class Session:
    """As much of a connection as decisions look at."""

    def __init__(self) -> None:
        self.closed = self.in_transaction = self.needs_settling = False
        self.answers = True

    def check(self) -> bool:
        """Whether the peer is there."""
        return self.answers and not self.closed


class Caller:
    """Somebody in line."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.gone = False

    def done(self) -> bool:
        """Whether it is served or gone."""
        return self.gone


class PoolMachine(RuleBasedStateMachine):
    """Drives `PoolState` as `Pool` does, with every event in every order, and keeps its own books."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.rng = random.Random(3)
        self.max_size = self.largest = 4
        self.state: PoolState[Seat, Caller] = PoolState(
            min_size=1,
            max_size=self.max_size,
            max_waiting=5,
            max_uses=6,
            idle_timeout=20.0,
            pace=Pace(PaceSettings(per_second=1000.0)),
        )
        self.numbers = 0
        self.line: list[Caller] = []
        self.held: list[Seat] = []
        self.settling: list[Seat] = []
        self.checking: list[Seat] = []
        self.closing: list[Seat] = []
        self.gone: list[Seat] = []
        self.connecting: list[float] = []

    # ---- what Pool does with answers

    def act(self, action: Any) -> None:
        """Do as told."""
        match action:
            case None:
                pass
            case Hand(seat, waiter):
                living = [caller for caller in self.line if not caller.gone]
                assert waiter is living[0], "not the first in line"
                self.line = living[1:]
                waiter.gone = True
                self.take_hold(seat)
            case Close(seat, _):
                assert seat not in self.held
                self.closing.append(seat)
            case Check(seat):
                self.checking.append(seat)
            case Connect():
                self.connecting.append(self.now)
            case _:
                raise AssertionError(action)

    def take_hold(self, seat: Seat) -> None:
        """One user at a time."""
        assert seat not in self.held, "two users of one connection"
        assert not seat.connection.closed and not seat.connection.in_transaction and seat.dirty is None
        self.held.append(seat)

    def supply(self, may_connect: bool = True) -> None:
        """Ask until nothing more is needed."""
        for _ in range(100):
            need = self.state.on_need(self.now, may_connect)
            if need is None or isinstance(need, Later):
                return
            self.act(need)
        raise AssertionError("it never has enough")

    def pick(self, seats: list[Seat], index: int) -> Seat:
        """One of them, out of the list."""
        return seats.pop(index % len(seats))

    # ---- events

    @rule(check=st.booleans())
    def arrive(self, check: bool) -> None:
        """A caller takes, or acquires and perhaps waits."""
        waiting = any(not caller.gone for caller in self.line)
        seat = self.state.take(self.now, check)
        if seat is not None:
            assert not waiting, "overtook somebody who waits"
            self.take_hold(seat)
            return
        while True:
            decision = self.state.on_acquire(self.now, check)
            match decision:
                case Take(seat):
                    assert not waiting
                    self.take_hold(seat)
                case Close():
                    self.act(decision)
                    continue
                case Wait():
                    self.numbers += 1
                    caller = Caller(self.numbers)
                    self.line.append(caller)
                    self.state.enqueue(caller)
                    self.supply()
                case Refuse(full):
                    assert full == (not self.state.draining)
                    self.supply()
            return

    @rule(index=st.integers(0, 10), told=st.booleans())
    def leave(self, index: int, told: bool) -> None:
        """A caller is cancelled; the pool hears of it at once, or only in the next tick."""
        living = [caller for caller in self.line if not caller.gone]
        if living:
            caller = living[index % len(living)]
            caller.gone = True
            if told:
                self.line.remove(caller)
                self.state.leave(caller)

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 10), what=st.sampled_from(["clean", "clean", "clean", "dirty", "broken", "open", "unsettled"]))
    def release(self, index: int, what: str) -> None:
        """A user gives its connection back, in any condition."""
        seat = self.pick(self.held, index)
        connection: Any = seat.connection
        if what == "dirty":
            seat.dirty = "SET"
        connection.closed = what == "broken"
        connection.in_transaction = what == "open"
        connection.needs_settling = what == "unsettled"
        action = self.state.on_release(seat, self.now)
        if what != "clean":
            assert isinstance(action, Close)
        self.act(action)
        self.supply()

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 10))
    def release_after(self, index: int) -> None:
        """A user gives its connection back with work left to do."""
        seat = self.pick(self.held, index)
        assert self.state.on_settling(seat)
        self.settling.append(seat)

    @precondition(lambda self: self.settling)
    @rule(index=st.integers(0, 10), well=st.booleans())
    def settled(self, index: int, well: bool) -> None:
        """Background work ends."""
        seat = self.pick(self.settling, index)
        self.act(self.state.on_settled(seat, self.now) if well else self.state.on_discard(seat, "settling"))
        self.supply()

    @precondition(lambda self: self.checking)
    @rule(index=st.integers(0, 10), well=st.booleans())
    def checked(self, index: int, well: bool) -> None:
        """A ping ends."""
        seat = self.pick(self.checking, index)
        self.act(self.state.on_checked(seat, self.now, self.now + 30) if well else self.state.on_discard(seat, "broken"))
        self.supply()

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 10))
    def discard(self, index: int) -> None:
        """A user throws its connection away."""
        seat = self.pick(self.held, index)
        self.act(self.state.on_discard(seat, "broken"))
        self.supply()

    @precondition(lambda self: self.closing)
    @rule(index=st.integers(0, 10))
    def closed(self, index: int) -> None:
        """A close ends."""
        seat = self.pick(self.closing, index)
        self.state.on_gone(seat)
        self.gone.append(seat)
        self.supply()

    @precondition(lambda self: self.connecting)
    @rule(well=st.booleans(), config=st.booleans())
    def connected(self, well: bool, config: bool) -> None:
        """An attempt to connect ends."""
        started = self.connecting.pop(0)
        if well:
            self.state.pace.succeeded()
            seat = Seat(Session(), now=self.now, retire_at=self.now + 50, ping_at=self.now + 30)  # type: ignore[arg-type]
            self.act(self.state.on_connected(seat, self.now))
        else:
            self.state.pace.failed(started, self.now, Blame.CONFIG if config else Blame.NODE, self.rng)
            self.state.on_connect_ended()
        self.supply()

    @rule(may_connect=st.booleans(), seconds=st.floats(0.0, 30.0))
    def time_passes(self, may_connect: bool, seconds: float) -> None:
        """The clock goes on and the pool looks after its idle ones."""
        self.now += seconds
        for action in self.state.on_tick(self.now):
            self.act(action)
        self.supply(may_connect)

    @precondition(lambda self: self.state.idle)
    @rule(index=st.integers(0, 10), known=st.booleans())
    def peer_hangs_up(self, index: int, known: bool) -> None:
        """An idle connection breaks, seen by the driver or only by the socket."""
        connection: Any = self.state.idle[index % len(self.state.idle)].connection
        connection.closed = known
        connection.answers = False

    @rule()
    def expire(self) -> None:
        """A failover: nothing that is open now is to be used again."""
        for action in self.state.on_expire("expired"):
            self.act(action)
        self.supply()

    @rule()
    def fail_waiters(self) -> None:
        """The node is given up: everybody in line goes elsewhere."""
        expected = [caller for caller in self.line if not caller.gone]
        assert self.state.dismiss() == expected
        for caller in expected:
            caller.gone = True
        self.line = []

    @rule(size=st.integers(1, 8))
    def resize(self, size: int) -> None:
        """A reload changes the limits: idle ones beyond a smaller one go now, nobody leaves the line."""
        before = list(self.state.idle)
        closing = self.state.on_resize(min_size=1, max_size=size, max_waiting=5, max_uses=6, idle_timeout=20.0)
        assert [close.seat for close in closing] == before[: len(closing)], "not the oldest"
        self.largest = max(self.largest if self.largest > size else 0, self.state.size, size)
        for close in closing:
            self.act(close)
        self.max_size = size
        self.supply()

    @precondition(lambda self: self.gone)
    @rule(index=st.integers(0, 10))
    def late_release(self, index: int) -> None:
        """Giving back what the pool has closed already changes nothing."""
        seat = self.gone[index % len(self.gone)]
        assert self.state.on_release(seat, self.now) is None
        assert self.state.on_discard(seat, "broken") is None
        assert not self.state.on_settling(seat)

    # ---- always

    @invariant()
    def books_agree(self) -> None:
        """What the state says is what happened."""
        state = self.state
        assert state.audit() == []
        assert state.in_use == len(self.held)
        assert (state.settling, state.checking, state.closing) == (len(self.settling), len(self.checking), len(self.closing))
        assert state.connecting == len(self.connecting)
        total = len(state.idle) + state.in_use + state.settling + state.checking + state.closing + state.connecting
        assert total == state.size <= self.largest
        lasting = [seat for seat in state.seats if seat.retire_at > float("-inf") and seat.place is not Place.CLOSING]
        assert len(lasting) <= self.max_size
        if state.size > self.max_size:
            assert state.on_need(self.now, True) != Connect()
        assert all(seat.place is Place.IN_USE for seat in self.held)
        living = [caller for caller in self.line if not caller.gone]
        assert [caller for caller in state.waiters if not caller.gone] == living
        assert not state.idle or state.checking >= len(living)


PoolMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestPoolState = PoolMachine.TestCase


class Drained(RuleBasedStateMachine):
    """A drained pool takes nothing back and hands nothing out."""

    seats = Bundle("seats")

    def __init__(self) -> None:
        super().__init__()
        self.state: PoolState[Seat, Caller] = PoolState(
            min_size=2, max_size=4, max_waiting=5, max_uses=None, idle_timeout=None, pace=Pace(PaceSettings())
        )
        self.open: set[Seat] = set()
        self.drained = False

    @precondition(lambda self: not self.drained and len(self.open) < 4)
    @rule(target=seats)
    def connected(self) -> Seat:
        """A connection that is taken as soon as it is there."""
        self.state.connecting += 1
        seat = Seat(Session(), now=1.0)  # type: ignore[arg-type]
        assert self.state.on_connected(seat, 1.0) is None
        assert self.state.take(1.0, True) is seat
        self.open.add(seat)
        return seat

    @rule()
    def drain(self) -> None:
        """Twice is harmless."""
        closing, waiters = self.state.on_drain()
        self.drained = True
        assert closing == waiters == []

    @precondition(lambda self: self.drained)
    @rule(seat=consumes(seats))
    def release(self, seat: Seat) -> None:
        """What comes back after the drain began is closed."""
        assert self.state.on_release(seat, 2.0) == Close(seat, "draining")
        self.state.on_gone(seat)
        self.open.discard(seat)

    @invariant()
    def nothing_new(self) -> None:
        """Nothing is handed out, opened or left over."""
        assert self.state.audit() == []
        assert self.state.size == len(self.open)
        if self.drained:
            assert self.state.take(3.0, False) is None
            assert self.state.on_acquire(3.0, False) == Refuse(full=False)
            assert self.state.on_need(3.0, True) is None


TestDrained = Drained.TestCase
TestDrained.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
