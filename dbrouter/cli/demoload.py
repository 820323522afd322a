"""
What the demo does: a paced read/write load through a router, faults on a timetable, and the accounts that its verdict is made of.

The tables have no unique key on purpose: a write that was applied twice must be visible as two rows.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from dbrouter import OutcomeUnknownError, Router, Transaction
from dbrouter.terms import Engine
from dbrouter.testing.cluster import LocalCluster

TASKS = 48
CALLS_PER_SECOND = 1200
READ_SHARE = 0.85
TRANSACTION_SHARE = 0.1
"""Of the writes: these are transactions of two rows each."""
ACCOUNTS = 500
STUCK_AFTER = 10.0
"""Seconds a call may still take when the load has ended; beyond it counts as stuck."""


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    reads: int = 0
    writes: int = 0
    errors: int = 0
    unknown: int = 0
    mixed: int = 0
    """Answers that belonged to another call."""
    slowest: float = 0.0
    acknowledged: list[int] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    """Class and message of what failed, with how often."""

    @property
    def calls(self) -> int:
        """Finished calls, failed ones included."""
        return self.reads + self.writes + self.errors + self.unknown

    def failed(self, error: Exception) -> None:
        """Count a call that raised."""
        name = f"{type(error).__name__}: {error}"[:200]
        self.failures[name] = self.failures.get(name, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How it ended; `ok` when nothing failed, nothing was lost, doubled, mixed up or stuck."""

    engine: str
    server: str
    seconds: float
    calls: int
    calls_per_second: float
    reads: int
    writes: int
    replica_share: float
    """Share of the reads that replicas served."""
    errors: int
    unknown: int
    lost: int
    doubled: int
    mixed: int
    stuck: int
    slowest: float
    """Seconds of the slowest call."""
    faults: tuple[str, ...]
    failures: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether the demo may exit with 0."""
        return not (self.errors or self.lost or self.doubled or self.mixed or self.stuck)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "ok": self.ok}


class Load:
    """The load on one router."""

    def __init__(self, router: Router, engine: Engine) -> None:
        self.tally = Tally()
        self._router = router
        self._numbers = itertools.count(1)
        self._rng = random.Random()
        mark = ("$1", "$2") if engine is Engine.POSTGRESQL else ("%s", "%s")
        cast = "::int" if engine is Engine.POSTGRESQL else ""
        self._read = f"SELECT {mark[0]}{cast} AS nonce, name FROM demo_account WHERE id = {mark[1]}"
        self._write = f"INSERT INTO demo_entry(number, account) VALUES ({mark[0]}, {mark[1]})"

    async def prepare(self) -> None:
        """The tables and their first rows."""
        router = self._router
        for table in ("demo_account", "demo_entry"):
            await router.execute(f"DROP TABLE IF EXISTS {table}")
        await router.execute("CREATE TABLE demo_account(id int PRIMARY KEY, name varchar(40) NOT NULL)")
        await router.execute("CREATE TABLE demo_entry(number int NOT NULL, account int NOT NULL)")
        insert = self._write.replace("demo_entry(number, account)", "demo_account(id, name)")
        await router.executemany(insert, [(number, f"account {number}") for number in range(ACCOUNTS)])

    async def run(self, until: float) -> int:
        """Call until *until* (monotonic seconds); how many calls were stuck."""
        tasks = [asyncio.create_task(self._work(until, index), name=f"load {index}") for index in range(TASKS)]
        _, stuck = await asyncio.wait(tasks, timeout=max(0.0, until - monotonic()) + STUCK_AFTER)
        for task in stuck:
            task.cancel()
        if stuck:
            await asyncio.wait(stuck)
        for task in tasks:
            if not task.cancelled():
                task.result()
        return len(stuck)

    async def _work(self, until: float, index: int) -> None:
        pause = TASKS / CALLS_PER_SECOND
        due = monotonic() + pause * index / TASKS
        while (now := monotonic()) < until:
            await asyncio.sleep(max(0.0, due - now))
            due = max(due + pause, monotonic() - 10 * pause)
            started = monotonic()
            if self._rng.random() < READ_SHARE:
                await self._one_read()
            else:
                await self._one_write()
            self.tally.slowest = max(self.tally.slowest, monotonic() - started)

    async def _one_read(self) -> None:
        tally, nonce = self.tally, next(self._numbers)
        account = nonce % ACCOUNTS
        try:
            row = await self._router.fetchrow(self._read, nonce, account)
        except Exception as error:
            tally.errors += 1
            tally.failed(error)
            return
        tally.reads += 1
        if row is None or row["nonce"] != nonce or row["name"] != f"account {account}":
            tally.mixed += 1

    async def _one_write(self) -> None:
        tally, number = self.tally, next(self._numbers)
        numbers = [number]
        try:
            if self._rng.random() < TRANSACTION_SHARE:
                numbers.append(next(self._numbers))
                await self._router.run(lambda tx: self._two_entries(tx, numbers))
            else:
                await self._router.execute(self._write, number, number % ACCOUNTS)
        except OutcomeUnknownError as error:
            tally.unknown += 1
            tally.failed(error)
        except Exception as error:
            tally.errors += 1
            tally.failed(error)
        else:
            tally.writes += 1
            tally.acknowledged += numbers

    async def _two_entries(self, tx: Transaction, numbers: list[int]) -> None:
        for number in numbers:
            await tx.execute(self._write, number, number % ACCOUNTS)

    async def audit(self) -> tuple[int, int]:
        """(lost, doubled): acknowledged entries that are not in the table, and entries that are there more than once."""
        rows = await self._router.fetch(
            "SELECT number, count(*) AS copies FROM demo_entry GROUP BY number", route="write", timeout=60
        )
        copies = {row["number"]: row["copies"] for row in rows}
        lost = sum(1 for number in self.tally.acknowledged if number not in copies)
        return lost, sum(1 for count in copies.values() if count > 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the timetable."""

    at: float
    """Share of the run."""
    text: str
    act: Callable[[], None]


def timetable(cluster: LocalCluster) -> list[Fault]:
    """Kill one replica and bring it back; freeze the other and thaw it."""
    first, second = cluster.replicas[0], cluster.replicas[1]
    return [
        Fault(0.15, f"kill -9 {first.endpoint}", first.kill),
        Fault(0.40, f"start {first.endpoint}", first.start),
        Fault(0.60, f"kill -STOP {second.endpoint}", second.freeze),
        Fault(0.80, f"kill -CONT {second.endpoint}", second.thaw),
    ]


async def inject(faults: list[Fault], started: float, seconds: float, say: Callable[[str], None]) -> None:
    """Do what the timetable says, each in a thread so that the load goes on."""
    for fault in faults:
        await asyncio.sleep(max(0.0, started + fault.at * seconds - monotonic()))
        say(fault.text)
        await asyncio.to_thread(fault.act)
