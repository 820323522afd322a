"""The retry budget: a share of the calls plus a floor, within the last ten seconds."""

from __future__ import annotations

from dbrouter.config.schema import RetrySettings
from dbrouter.resilience.budget import RetryBudget


def budget(share: float = 0.2, floor: float = 0.0) -> RetryBudget:
    return RetryBudget(RetrySettings(budget=share, budget_min=floor))


def withdrawn(account: RetryBudget, now: float, tries: int = 10_000) -> int:
    return sum(account.withdraw(now) for _ in range(tries))


def test_a_fifth_of_the_calls_may_be_retries() -> None:
    """After a hundred calls there are twenty retries, and not one more."""
    account = budget(0.2)
    for _ in range(100):
        account.deposit(1000.0)

    assert withdrawn(account, 1000.0) == 20
    assert account.balance(1000.0) == 0.0


def test_without_calls_there_is_the_floor_alone() -> None:
    """A quiet service may retry `budget_min` times a second, ten seconds' worth at once."""
    account = budget(0.2, floor=3.0)

    assert withdrawn(account, 50.0) == 30
    assert not account.withdraw(54.0)
    assert withdrawn(account, 60.0) == 30


def test_no_share_and_no_floor_is_no_retry() -> None:
    """Zeroes switch retries off."""
    account = budget(0.0, floor=0.0)
    for _ in range(1000):
        account.deposit(1.0)

    assert not account.withdraw(1.0)


def test_a_share_above_one_allows_several_retries_per_call() -> None:
    """The share is of calls, not a probability."""
    account = budget(2.5)
    account.deposit(1.0)
    account.deposit(1.0)

    assert withdrawn(account, 1.0) == 5


def test_calls_earn_for_ten_seconds_only() -> None:
    """What was earned and not used is forgotten with the seconds it was earned in."""
    account = budget(0.2)
    for _ in range(100):
        account.deposit(1000.0)

    assert account.balance(1000.9) == 20.0
    assert account.balance(1009.9) == 20.0
    assert account.balance(1010.0) == 0.0


def test_old_calls_earn_nothing_although_nobody_asked_meanwhile() -> None:
    """Deposits are dated by the second they were made in, whenever the account is looked at."""
    account = budget(0.2)
    for _ in range(100):
        account.deposit(1000.0)
    account.deposit(1010.5)

    assert account.balance(1010.5) == 0.2


def test_a_retry_weighs_for_ten_seconds_only() -> None:
    """An account that was emptied fills again with the calls that follow."""
    account = budget(0.1)
    for second in range(30):
        for _ in range(100):
            account.deposit(1000.0 + second)
        if second == 9:
            assert withdrawn(account, 1009.0) == 100
        if second == 18:
            assert account.balance(1018.0) == 0.0

    assert account.balance(1029.0) == 100.0


def test_a_storm_of_retries_stays_within_its_share() -> None:
    """Where every call fails and asks for as many retries as it can get, the servers see a fifth more calls, not a multiple."""
    account = budget(0.2)
    now, retries, calls = 2000.0, 0, 0

    while now < 2060.0:
        account.deposit(now)
        calls += 1
        retries += withdrawn(account, now, tries=3)
        now += 0.01

    assert retries <= 0.2 * calls
    assert retries >= 0.19 * calls


def test_calls_counted_by_the_plain_attribute_are_credited_as_if_spread_evenly() -> None:
    """An hour of calls that nobody settled is worth its last ten seconds, not an hour."""
    account = budget(0.2)
    account.balance(0.0)
    account.calls += 3600 * 50

    assert account.balance(3600.0) == 0.2 * 500
    account.calls += 100
    assert account.balance(3601.0) == 0.2 * 600


def test_a_burst_after_a_quiet_hour_earns_at_once() -> None:
    """Deposits settle themselves: the hour before does not dilute them."""
    account = budget(0.2)
    account.deposit(0.0)

    for step in range(1000):
        account.deposit(3600.0 + step * 0.001)

    assert account.balance(3601.0) == 0.2 * 1000


def test_every_call_is_counted_for_statistics() -> None:
    """`calls` is the number of all calls, forgotten by the window or not."""
    account = budget()
    for second in range(100):
        account.deposit(float(second))

    assert account.calls == 100
