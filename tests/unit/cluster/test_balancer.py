"""Each policy's shares, ties and turns, what a slow member gets, and what a retry or a change of members disturbs."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.cluster.balancer import Balancer, balancer_for, smooth_cycle
from dbrouter.terms import Balance

EVERY = pytest.mark.parametrize("balance", list(Balance))


class Member:
    """A node as a balancer sees it, with the seconds that a call on it really takes."""

    def __init__(self, name: str, weight: int = 1, *, outstanding: int = 0, latency: float = 0.0, takes: float = 0.001) -> None:
        self.name = name
        self.weight = weight
        self.outstanding = outstanding
        self.latency = latency
        self.takes = takes

    def __repr__(self) -> str:
        return self.name


def members(*weights: int) -> tuple[Member, ...]:
    return tuple(Member("abcdefghijklmnopqrstuvwxyz"[index], weight) for index, weight in enumerate(weights))


def chosen(balancer: Balancer, among: Sequence[Member], times: int, seed: int = 1) -> Counter[str]:
    rng = random.Random(seed)
    return Counter(balancer.choose(among, 0.0, rng).name for _ in range(times))


def names(balancer: Balancer, among: Sequence[Member], times: int) -> str:
    rng = random.Random(1)
    return "".join(balancer.choose(among, 0.0, rng).name for _ in range(times))


class Load:
    """Callers that call, wait for their answer and call again, in virtual time; calls on a member run side by side."""

    def __init__(self, balance: Balance, among: tuple[Member, ...], *, callers: int, seed: int = 1) -> None:
        self.balancer = balancer_for(balance)
        self.among = among
        self.rng = random.Random(seed)
        self.now = 0.0
        self.running: list[tuple[float, int, Member, float]] = []
        for caller in range(callers):
            self._call(caller)

    def _call(self, caller: int) -> None:
        member = self.balancer.choose(self.among, self.now, self.rng)
        member.outstanding += 1
        seconds = member.takes * self.rng.uniform(0.5, 1.5)
        heapq.heappush(self.running, (self.now + seconds, caller, member, seconds))

    def run(self, calls: int) -> Counter[str]:
        """Where the next so many calls ended."""
        counts: Counter[str] = Counter()
        for _ in range(calls):
            self.now, caller, member, seconds = heapq.heappop(self.running)
            member.outstanding -= 1
            member.latency = member.latency + 0.1 * (seconds - member.latency) if member.latency else seconds
            counts[member.name] += 1
            self._call(caller)
        return counts


# ---- shares


@EVERY
@pytest.mark.parametrize("latency", [0.0, 0.002])
def test_members_that_are_alike_share_by_weight(balance: Balance, latency: float) -> None:
    """Weights 1 : 2 : 3 get a sixth, a third and a half of the calls."""
    among = members(1, 2, 3)
    for member in among:
        member.latency = latency

    found = chosen(balancer_for(balance), among, 60_000)

    expected = {"a": 10_000, "b": 20_000, "c": 30_000}
    chi_square = sum((found[name] - count) ** 2 / count for name, count in expected.items())
    assert chi_square < 13.8, found  # 0.1 % of fair draws are worse, with two degrees of freedom.


@EVERY
def test_equal_members_get_equal_shares(balance: Balance) -> None:
    """No member is preferred for its place."""
    found = chosen(balancer_for(balance), members(7, 7, 7, 7, 7), 50_000)

    assert sum((found[name] - 10_000) ** 2 / 10_000 for name in "abcde") < 18.5, found


@EVERY
def test_shares_hold_under_load(balance: Balance) -> None:
    """With calls running side by side on members of equal speed, weights still decide."""
    load = Load(balance, members(1, 2, 3), callers=30)
    load.run(500)

    found = load.run(12_000)

    assert found["a"] == pytest.approx(2000, rel=0.15)
    assert found["b"] == pytest.approx(4000, rel=0.15)
    assert found["c"] == pytest.approx(6000, rel=0.15)


@EVERY
def test_weight_zero_gets_nothing_while_anybody_has_weight(balance: Balance) -> None:
    """However loaded and slow the others are."""
    idle, busy = Member("z", 0), Member("a", 1, outstanding=1000, latency=9.0)
    other = Member("b", 3, outstanding=2000, latency=7.0)

    found = chosen(balancer_for(balance), (idle, busy, other, Member("y", 0)), 2000)

    assert set(found) <= {"a", "b"}


@EVERY
def test_weight_zero_serves_when_nobody_else_is_left(balance: Balance) -> None:
    """Then all of them share alike."""
    found = chosen(balancer_for(balance), members(0, 0), 4000)

    assert found["a"] == pytest.approx(2000, abs=150)


@EVERY
def test_one_member_gets_everything(balance: Balance) -> None:
    """There is nothing to choose, and it can be said beforehand."""
    among = members(5)
    balancer = balancer_for(balance)

    assert balancer.peek(among, 0.0, random.Random(1)) is among[0]
    assert chosen(balancer, among, 10) == {"a": 10}


# ---- round robin


def test_turns_are_spread_evenly() -> None:
    """Heavier members come more often, not several times in a row: nginx's own example."""
    assert "".join("abc"[index] for index in smooth_cycle((5, 1, 1))) == "aabacaa"
    assert names(balancer_for(Balance.ROUND_ROBIN), members(1, 1, 1), 7) == "abcabca"


def test_weights_with_a_common_divisor_have_a_short_cycle() -> None:
    """1000 : 3000 is 1 : 3."""
    assert smooth_cycle((1000, 3000)) == smooth_cycle((1, 3))


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=32))
def test_a_cycle_is_short_and_fair_for_any_weights(weights: list[int]) -> None:
    """Every weight has a turn, none has more than its share by much, and no cycle is long."""
    cycle = smooth_cycle(weights)
    counts, total = Counter(cycle), sum(weights)

    assert len(cycle) <= 1000 + len(weights)
    for index, weight in enumerate(weights):
        if total:
            assert (counts[index] > 0) == (weight > 0)
            assert abs(counts[index] / len(cycle) - weight / total) <= 0.033
        else:
            assert counts[index] == 1


def test_a_retry_does_not_change_the_turns_of_others() -> None:
    """One call that leaves out a member it has tried takes the next turn of another; the member keeps its own turns."""
    among = members(1, 1, 1)
    balancer = balancer_for(Balance.ROUND_ROBIN)
    rng = random.Random(1)
    assert names(balancer, among, 1) == "a"

    assert balancer.choose([among[0], among[2]], 0.0, rng) is among[2]

    assert names(balancer, among, 6) == "abcabc"


def test_calls_that_choose_from_a_list_of_all_members_stay_in_turn() -> None:
    """While a member recovers, the hostgroup hands in lists; the shares stay smooth."""
    among = members(1, 2, 1)
    balancer = balancer_for(Balance.ROUND_ROBIN)
    smooth = names(balancer, among, 4)

    assert names(balancer, list(among), 4) == smooth


@EVERY
def test_a_list_of_strangers_can_be_chosen_from(balance: Balance) -> None:
    """Members that the balancer has never seen have no turns yet; they share by weight."""
    balancer = balancer_for(balance)
    chosen(balancer, members(1, 1), 3)
    strangers = [Member("x", 1), Member("y", 3)]

    found = chosen(balancer, strangers, 8000)

    assert found["x"] == pytest.approx(2000, abs=200)
    assert found["y"] == pytest.approx(6000, abs=200)


@EVERY
def test_a_change_of_members_takes_effect_at_once(balance: Balance) -> None:
    """A new tuple is a new set: who left gets nothing more, who came gets its share."""
    balancer = balancer_for(balance)
    a, b, c = members(1, 1, 1)
    chosen(balancer, (a, b), 101)

    assert set(chosen(balancer, (b, c), 2000)) == {"b", "c"}
    found = chosen(balancer, (a, b, c), 3000)
    assert all(found[name] == pytest.approx(1000, abs=120) for name in "abc")


@pytest.mark.parametrize("balance", [Balance.ROUND_ROBIN, Balance.LEAST_OUTSTANDING])
@given(data=st.data())
def test_peek_tells_what_choose_will_do(balance: Balance, data: st.DataObject) -> None:
    """Looking twice is the same, uses up no turn, and the next choice is what was seen, for any members."""
    balancer, rng = balancer_for(balance), random.Random(1)
    everyone = members(*data.draw(st.lists(st.integers(0, 4), min_size=2, max_size=5)))

    for _ in range(10):
        for member in everyone:
            member.outstanding = data.draw(st.integers(0, 2))
        among = everyone[: data.draw(st.integers(1, len(everyone)))] if data.draw(st.booleans()) else everyone

        seen = balancer.peek(among, 0.0, rng)
        assert balancer.peek(among, 0.0, rng) is seen
        assert balancer.choose(among, 0.0, rng) is seen


@pytest.mark.parametrize("balance", [Balance.LATENCY, Balance.RANDOM])
def test_peek_says_nothing_where_chance_decides(balance: Balance) -> None:
    """It draws nothing either."""
    rng = random.Random(1)
    state = rng.getstate()

    assert balancer_for(balance).peek(members(1, 1), 0.0, rng) is None
    assert rng.getstate() == state


# ---- least outstanding


def test_the_least_loaded_is_chosen_per_weight() -> None:
    """Three calls on a weight of four are less than one on a weight of one."""
    a, b = Member("a", 1, outstanding=1), Member("b", 4, outstanding=3)
    balancer = balancer_for(Balance.LEAST_OUTSTANDING)

    assert chosen(balancer, (a, b), 10) == {"b": 10}
    b.outstanding = 5
    assert chosen(balancer, (a, b), 10) == {"a": 10}


def test_ties_go_by_turn_among_the_tied() -> None:
    """With one member busy, the idle ones take turns; none of them inherits the busy one's."""
    among = (Member("a", 1, outstanding=1), Member("b"), Member("c"))

    found = chosen(balancer_for(Balance.LEAST_OUTSTANDING), among, 1000)

    assert found == {"b": 500, "c": 500}


def test_a_stuck_member_gets_no_more_than_its_first_calls() -> None:
    """Calls that do not come back keep others away: of 30 callers a few are held, the rest goes on elsewhere."""
    among = members(1, 1, 1)
    among[0].takes = 1e9
    load = Load(Balance.LEAST_OUTSTANDING, among, callers=30)

    found = load.run(5000)

    assert among[0].outstanding <= 16
    assert found["b"] == pytest.approx(2500, abs=300)


def test_a_hundred_callers_are_spread_evenly() -> None:
    """Running calls differ by at most one, per weight, when all calls come at once."""
    among = members(1, 1, 2)
    balancer, rng = balancer_for(Balance.LEAST_OUTSTANDING), random.Random(1)

    for _ in range(100):
        balancer.choose(among, 0.0, rng).outstanding += 1

    assert [member.outstanding for member in among] == [25, 25, 50]


# ---- latency


def test_a_slow_node_gets_a_smaller_share() -> None:
    """One that takes ten times as long keeps about a tenth of its share, whether two or three share the calls."""
    for count in (2, 3):
        among = members(*[1] * count)
        among[0].takes = 0.01
        load = Load(Balance.LATENCY, among, callers=1)
        load.run(500)

        found = load.run(20_000)

        assert 0.3 / (10 * count) < found["a"] / 20_000 < 1.5 / (10 * count), (count, found)


def test_a_very_slow_node_is_still_explored() -> None:
    """One that takes a thousand times as long gets half a percent of two nodes' calls: enough to notice when it is well again."""
    among = members(1, 1)
    among[0].takes = 1.0
    load = Load(Balance.LATENCY, among, callers=1)
    load.run(500)

    found = load.run(20_000)

    assert 50 < found["a"] < 160


def test_a_node_that_became_fast_again_gets_its_share_back() -> None:
    """Within some thousand calls of a two-node service."""
    among = members(1, 1)
    among[0].takes = 1.0
    load = Load(Balance.LATENCY, among, callers=4)
    load.run(2000)

    among[0].takes = among[1].takes
    load.run(20_000)
    found = load.run(10_000)

    assert found["a"] == pytest.approx(5000, rel=0.15)


def test_a_hair_of_difference_is_no_reason_to_leave() -> None:
    """Two per cent faster is not twice as good: both go on sharing."""
    among = (Member("a", latency=0.00100), Member("b", latency=0.00102))

    found = chosen(balancer_for(Balance.LATENCY), among, 10_000)

    assert found["a"] == pytest.approx(5100, abs=200)


def test_running_calls_count_as_waiting_time() -> None:
    """Of two equally fast nodes the one with nine calls running gets about a tenth."""
    among = (Member("a", latency=0.001, outstanding=9), Member("b", latency=0.001))

    found = chosen(balancer_for(Balance.LATENCY), among, 10_000)

    assert found["a"] == pytest.approx(500, abs=100)


def test_calls_weigh_less_on_heavier_nodes() -> None:
    """A node of weight nine with nine calls is as free as one of weight one with one, whatever the scale of the weights."""
    for scale in (1, 100):
        among = (
            Member("a", 1 * scale, latency=0.001, outstanding=1),
            Member("b", 9 * scale, latency=0.001, outstanding=9),
        )

        found = chosen(balancer_for(Balance.LATENCY), among, 10_000)

        assert found["a"] == pytest.approx(1000, abs=120)


def test_a_node_without_samples_is_tried_but_not_by_everybody() -> None:
    """It gets about its share from the start, although its latency is still nought."""
    among = (Member("a", latency=0.005), Member("b", latency=0.005), Member("new"))

    found = chosen(balancer_for(Balance.LATENCY), among, 9000)
    assert found["new"] == pytest.approx(3000, abs=200)

    rng, balancer = random.Random(1), balancer_for(Balance.LATENCY)
    for _ in range(300):
        balancer.choose(among, 0.0, rng).outstanding += 1
    assert among[2].outstanding < 150


def test_nobody_is_starved_by_zero_latency() -> None:
    """A node that answers faster than the clock can tell looks unsampled, and divides nothing by nought."""
    among = (Member("a", latency=0.0), Member("b", latency=0.0, outstanding=3), Member("c", latency=1e-300))

    assert set(chosen(balancer_for(Balance.LATENCY), among, 1000)) == {"a", "b", "c"}
