"""Every acknowledged write is there exactly once, whatever happens to its connection; every other one has said what it is."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg
import pymysql.err
import pytest

from dbrouter import (
    CircuitOpenError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    NoNodeAvailableError,
    OutcomeUnknownError,
    PoolTimeoutError,
    RetriesExhaustedError,
    Router,
    Transaction,
)
from dbrouter.events import Event, RetryScheduled
from dbrouter.testing import FaultProxy, LocalCluster
from tests.load import QUICK, TABLES, Diary, all_usable, gather_limited, kill_clients, through
from tests.routers import dialect, until

NOT_SENT = (CircuitOpenError, ConnectError, DeadlineExceededError, NoNodeAvailableError, PoolTimeoutError, RetriesExhaustedError)
"""What a write may be refused with: it must not be there."""
ROLLED_BACK = (*NOT_SENT, ConnectionLostError)
"""What a transaction may end with besides: nothing of it may be there."""


@asynccontextmanager
async def behind_proxy(cluster: LocalCluster, **extra: Any) -> AsyncIterator[tuple[Router, FaultProxy, Diary]]:
    """A router whose only server is the primary behind a proxy, with the tables of the load."""
    diary = Diary()
    rng = random.Random(7)
    async with FaultProxy(cluster.primary.host, cluster.primary.port, rng=rng) as proxy:
        source = {"writer": through(cluster.primary, proxy), "start": "all", **QUICK, **extra}
        async with Router.open(source, observers=[diary]) as router:
            for statement in TABLES:
                await router.execute(statement)
            yield router, proxy, diary


class Accounts:
    """Numbered writes and what each was told."""

    def __init__(self, router: Router, cluster: LocalCluster) -> None:
        self.acknowledged: list[int] = []
        self.unknown: list[int] = []
        self.refused: dict[int, str] = {}
        self.surprises: list[str] = []
        self._router = router
        self._insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")

    @property
    def done(self) -> int:
        """Calls that have ended."""
        return len(self.acknowledged) + len(self.unknown) + len(self.refused) + len(self.surprises)

    async def write(self, number: int) -> None:
        """One autocommit write."""
        await self._account(number, self._router.execute(self._insert, number, 0, timeout=1.5), NOT_SENT)

    async def block(self, number: int) -> None:
        """A transaction of two rows by `transaction()`."""

        async def work() -> None:
            async with self._router.transaction(timeout=1.5) as tx:
                await self._rows(tx, number)

        await self._account(number, work(), ROLLED_BACK)

    async def run(self, number: int) -> None:
        """A transaction of two rows by `run()`."""
        await self._account(number, self._router.run(lambda tx: self._rows(tx, number), timeout=3.0), ROLLED_BACK)

    async def _rows(self, tx: Transaction, number: int) -> None:
        for part in (0, 1):
            await tx.execute(self._insert, number, part, timeout=1.0)

    async def _account(self, number: int, call: Awaitable[Any], refusals: tuple[type[Exception], ...]) -> None:
        try:
            await call
        except OutcomeUnknownError:
            self.unknown.append(number)
        except refusals as error:
            self.refused[number] = f"{type(error).__name__}: {error}"
        except Exception as error:
            self.surprises.append(f"{number}: {type(error).__name__}: {error}")
        else:
            self.acknowledged.append(number)

    def audit(self, rows: list[tuple[int, int]], parts: Callable[[int], int]) -> None:
        """Compare with what is in the table: *rows* of (number, part); *parts* rows belong to a number."""
        copies = Counter(rows)
        assert not self.surprises, f"{len(self.surprises)} calls raised what they may not: {self.surprises[:5]}"
        doubled = [row for row, count in copies.items() if count > 1]
        assert not doubled, f"doubled: {doubled[:10]}"
        there = Counter(number for number, _ in copies)
        lost = [number for number in self.acknowledged if there[number] != parts(number)]
        assert not lost, f"acknowledged and not there: {lost[:10]}"
        false = [f"{number}: {error}" for number, error in self.refused.items() if there[number]]
        assert not false, f"{len(false)} refused as not sent, and applied all the same: {false[:5]}"
        torn = [number for number in self.unknown if there[number] not in (0, parts(number))]
        assert not torn, f"half applied: {torn[:10]}"
        assert not there.keys() - {*self.acknowledged, *self.unknown, *self.refused}, "rows that nobody wrote"


async def vandalise(proxy: FaultProxy, cluster: LocalCluster, rng: random.Random) -> None:
    """Kill, reset, cut and black-hole connections at random, with breathing spaces, until cancelled."""
    while True:
        match rng.randrange(6):
            case 0:
                await asyncio.to_thread(kill_clients, cluster.primary, wait=False)
            case 1:
                proxy.reset()
            case 2:
                proxy.reset_randomly(0.05)
                await asyncio.sleep(rng.uniform(0.05, 0.3))
            case 3:
                proxy.cut_after(rng.randrange(20, 2000), rng.choice(["to_client", "to_server"]), reset=rng.random() < 0.5)
                await asyncio.sleep(rng.uniform(0.05, 0.2))
            case 4:
                proxy.black_hole(direction=rng.choice(["to_client", "to_server", "both"]))
                await asyncio.sleep(rng.uniform(0.05, 0.5))
            case _:
                proxy.drop_replies()
                await asyncio.sleep(rng.uniform(0.01, 0.1))
        proxy.heal()
        await asyncio.sleep(rng.uniform(0.05, 0.35))


async def entries(cluster: LocalCluster) -> list[tuple[int, int]]:
    """What is in the table once no session of the ordinary user is left that could still add to it."""
    await asyncio.to_thread(kill_clients, cluster.primary)
    rows = await asyncio.to_thread(cluster.primary.query, "SELECT number, part FROM load_entry")
    return [(int(number or 0), int(part or 0)) for number, part in rows]


async def storm(cluster: LocalCluster, *, writes: int, transactions: int, pause: float) -> dict[str, int]:
    """Numbered writes and transactions through the vandal's proxy, and the audit afterwards; what they were told."""
    rng = random.Random(20)
    numbers = range(writes + transactions)
    transactional = set(rng.sample(numbers, transactions))
    async with behind_proxy(cluster, retry={"attempts": 5}) as (router, proxy, diary):
        accounts = Accounts(router, cluster)

        async def one(number: int) -> None:
            if number not in transactional:
                await accounts.write(number)
            elif number % 2:
                await accounts.run(number)
            else:
                await accounts.block(number)
            await asyncio.sleep(pause)

        vandal = asyncio.create_task(vandalise(proxy, cluster, rng), name="vandal")
        try:
            await gather_limited((lambda number=number: one(number) for number in numbers), workers=24)
        finally:
            vandal.cancel()
            ended = await asyncio.gather(vandal, return_exceptions=True)
            proxy.heal()
        assert isinstance(ended[0], asyncio.CancelledError), ended
        await all_usable(router)
        started = monotonic()
        await router.execute(dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, 0)"), -1)
        assert monotonic() - started < 1.0, diary.lines[-10:]
        pools = [member.pool for member in router.stats().members]
        assert all(pool.in_use == 0 for pool in pools)
    rows = [(number, part) for number, part in await entries(cluster) if number != -1]
    accounts.audit(rows, lambda number: 2 if number in transactional else 1)
    assert accounts.done == len(numbers)
    return {
        "acknowledged": len(accounts.acknowledged),
        "unknown": len(accounts.unknown),
        "refused": len(accounts.refused),
    }


async def test_acknowledged_is_once_and_the_rest_says_so(cluster: LocalCluster) -> None:
    """1,500 writes and 300 transactions while their connections are killed, reset, cut and black-holed at random."""
    told = await storm(cluster, writes=1500, transactions=300, pause=0.05)

    assert told["acknowledged"] >= 1000 and told["unknown"] >= 20, told
    print(told)


@pytest.mark.soak
async def test_ten_thousand_writes_and_two_thousand_transactions(cluster: LocalCluster) -> None:
    """The same at full length."""
    told = await storm(cluster, writes=10_000, transactions=2_000, pause=0.05)

    assert told["acknowledged"] >= 6000 and told["unknown"] >= 100, told
    print(told)


# ---- COMMIT


async def test_a_lost_commit_reply_is_unknown_and_run_does_not_replay(cluster: LocalCluster) -> None:
    """COMMIT arrives and its reply is dropped: OutcomeUnknownError from both ways, one run, one row each."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    async with behind_proxy(cluster) as (router, proxy, _):
        runs = 0

        async def work(tx: Transaction) -> None:
            nonlocal runs
            runs += 1
            await tx.execute(insert, 1, 0)
            proxy.drop_replies()

        with pytest.raises(OutcomeUnknownError) as by_run:
            await router.run(work, timeout=0.3)
        proxy.heal()
        await all_usable(router)
        with pytest.raises(OutcomeUnknownError) as by_block:
            async with router.transaction() as tx:
                await tx.execute(insert, 2, 0)
                proxy.drop_replies()
                asyncio.get_running_loop().call_later(0.1, proxy.heal)  # resets what lost a reply

        assert runs == 1
        assert by_run.value.phase == by_block.value.phase == "commit"
        assert isinstance(by_run.value, TimeoutError)
    assert Counter(await entries(cluster)) == {(1, 0): 1, (2, 0): 1}


@pytest.mark.parametrize("killer", ["network", "server"])
async def test_a_connection_lost_before_commit_is_replayed_once(cluster: LocalCluster, killer: str) -> None:
    """The connection breaks inside the first run: the function runs exactly once more and its row is there once."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    async with behind_proxy(cluster) as (router, proxy, _):
        runs = 0

        async def work(tx: Transaction) -> int:
            nonlocal runs
            runs += 1
            await tx.execute(insert, 1, runs)
            if runs == 1:
                if killer == "network":
                    proxy.reset()
                else:
                    await asyncio.to_thread(kill_clients, cluster.primary)
            await tx.execute(insert, 2, runs)
            return runs

        assert await router.run(work) == 2
        assert runs == 2
        with pytest.raises(ConnectionLostError):
            async with router.transaction() as tx:
                await tx.execute(insert, 3, 0)
                proxy.reset()
                await tx.execute(insert, 3, 1)
    assert Counter(await entries(cluster)) == {(1, 2): 1, (2, 2): 1}


async def test_a_connection_lost_at_commit_before_it_was_sent(cluster: LocalCluster) -> None:
    """
    The server ends the session between the last statement and COMMIT: either way of saying it is right, never a doubled or a
    lost row.
    """
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    async with behind_proxy(cluster) as (router, _, _):
        runs = 0

        async def work(tx: Transaction) -> None:
            nonlocal runs
            runs += 1
            await tx.execute(insert, 1, runs)
            if runs == 1:
                await asyncio.to_thread(kill_clients, cluster.primary)

        await router.run(work)
    assert runs == 2
    assert await entries(cluster) == [(1, 2)]


async def test_a_session_ended_before_commit_is_told_in_our_words(cluster: LocalCluster) -> None:
    """The server ends the session before COMMIT: ConnectionLostError or OutcomeUnknownError, never what the driver says."""
    insert = dialect(cluster).sql("INSERT INTO load_entry VALUES ({1}, {2})")
    async with behind_proxy(cluster) as (router, _, _):
        for number, settled in enumerate((True, False)):
            with pytest.raises((ConnectionLostError, OutcomeUnknownError)) as caught:
                async with router.transaction() as tx:
                    await tx.execute(insert, number, 0)
                    await asyncio.to_thread(kill_clients, cluster.primary)
                    if settled:
                        await until(lambda lease=tx._held()[0]: not lease.connection.check(), what="the server's last word")  # type: ignore[misc]
            assert "COMMIT" in str(caught.value)
    assert await entries(cluster) == []


# ---- conflicts


async def test_a_serialization_storm_succeeds_through_run(pg: LocalCluster) -> None:
    """1,000 transactions on six counters by 8 tasks, serializable: at least 99.9 % succeed and no increment is lost."""
    await conflicts(pg, isolation="serializable")


async def test_a_deadlock_storm_succeeds_through_run(cluster: LocalCluster) -> None:
    """1,000 transactions on six counters in random order by 8 tasks: deadlocks happen, at least 99.9 % succeed."""
    await conflicts(cluster, isolation=None)


async def conflicts(cluster: LocalCluster, *, isolation: str | None) -> None:
    """Two counters out of six raised in each transaction, in random order."""
    calls, workers, counters = 1000, 8, 6
    rng = random.Random(3)
    speak = dialect(cluster)
    update = speak.sql("UPDATE load_item SET name = {1} WHERE id = {2}")
    select = speak.sql("SELECT name FROM load_item WHERE id = {1}") + ("" if isolation else " FOR UPDATE")
    # A deadlock is looked for only after a second otherwise; the setting is the superuser's.
    init = ["SET deadlock_timeout = '20ms'"] if speak.postgresql else []
    source = {"writer": cluster.primary.dsn(user=cluster.primary.admin), "pool": {"max_size": workers, "init": init}}
    failed: list[str] = []
    runs = done = 0
    async with Router.open(source) as router:
        for statement in TABLES:
            await router.execute(statement)
        await router.executemany(speak.sql("INSERT INTO load_item VALUES ({1}, '0')"), [(number,) for number in range(counters)])

        async def raise_both(tx: Transaction, first: int, second: int) -> None:
            nonlocal runs
            runs += 1
            for counter in (first, second):
                value = int(await tx.fetchval(select, counter))
                await tx.execute(update, str(value + 1), counter)

        async def one() -> None:
            nonlocal done
            first, second = rng.sample(range(counters), 2)
            try:
                await router.run(lambda tx: raise_both(tx, first, second), isolation=isolation)
                done += 1
            except Exception as error:
                failed.append(f"{type(error).__name__}: {error}")

        await gather_limited((one for _ in range(calls)), workers)
        total = sum(int(row[0]) for row in await router.fetch("SELECT name FROM load_item", route="write"))
        breakers = [node.breaker.opened for node in router.health().nodes]

    print(f"{runs} runs for {done} transactions")
    assert runs > done + 20, "without conflicts nothing was shown"
    assert total == 2 * done, "an increment was lost or came twice"
    assert len(failed) <= calls * 0.001, f"{len(failed)} of {calls} failed: {failed[:3]}"
    assert breakers == [0], "a conflict says nothing of the node"


# ---- idempotent


class Afterwards:
    """Does something in the very tick in which the router decides to send a call again."""

    def __init__(self, what: Callable[[], object]) -> None:
        self._what: Callable[[], object] | None = what

    def observe(self, event: Event) -> None:
        """Once."""
        if isinstance(event, RetryScheduled) and self._what is not None:
            what, self._what = self._what, None
            what()


@pytest.mark.parametrize("ending", ["nobody there", "no connection in time", "no time left", "refused by the server"])
async def test_a_write_that_may_be_sent_again_never_denies_the_first_time(cluster: LocalCluster, ending: str) -> None:
    """
    An idempotent write is applied, its reply is cut, and sending it again comes to nothing, for four reasons:
    OutcomeUnknownError each time, with the reason as its cause and in its words, because the row is there.
    """
    insert = dialect(cluster).sql("INSERT INTO load_unique VALUES ({1})")
    pool = {"acquire_timeout": "300ms", "max_size": 1, "min_size": 1}
    async with behind_proxy(cluster, pool=pool, probe={"interval": "10s", "timeout": "10s"}) as (router, proxy, _):
        await router.execute("DROP TABLE IF EXISTS load_unique")
        await router.execute("CREATE TABLE load_unique (id integer PRIMARY KEY)")
        for number in (1, 2, 3):  # from the second time on it is prepared, and the reply that is cut is that of the row
            await router.execute(insert, number)

        def then() -> None:
            proxy.heal()
            if ending == "nobody there":
                proxy.refuse()
            elif ending != "refused by the server":
                proxy.black_hole()

        router.observe(Afterwards(then))
        proxy.cut_after(0)
        with pytest.raises(OutcomeUnknownError, match="sending it again ended in") as caught:
            await router.execute(insert, 4, idempotent=True, timeout=0.25 if ending == "no time left" else 5.0)
        proxy.heal()

        expected: dict[str, Any] = {
            "nobody there": (CircuitOpenError, ConnectError, NoNodeAvailableError, RetriesExhaustedError, PoolTimeoutError),
            "no connection in time": PoolTimeoutError,
            "no time left": DeadlineExceededError,
            "refused by the server": driver_errors(cluster),
        }
        unknown, reason = caught.value, caught.value.__cause__
        assert isinstance(reason, expected[ending]), reason
        assert isinstance(unknown, TimeoutError) is isinstance(reason, TimeoutError)
        assert unknown.attempts >= 1 and unknown.node and "may or may not have been applied" in str(unknown)
    rows = await asyncio.to_thread(cluster.primary.query, "SELECT id FROM load_unique ORDER BY id")
    assert [int(row[0] or 0) for row in rows] == [1, 2, 3, 4]


def driver_errors(cluster: LocalCluster) -> type[Exception]:
    """What the engine says of a key that is there already."""
    return asyncpg.UniqueViolationError if dialect(cluster).postgresql else pymysql.err.IntegrityError
