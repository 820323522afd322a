"""The result cache: what an entry weighs, and what it does not take."""

from __future__ import annotations

from dbrouter.router.cache import Key, ResultCache, cache_key

DESCRIBED = ("SELECT 1", 1, None)


def key_of(*params: object) -> Key:
    """The key of one statement with *params*."""
    key = cache_key("app", None, None, "SELECT id FROM t WHERE v = $1", params)
    assert key is not None
    return key


def test_long_parameters_count_as_bytes_held() -> None:
    """A small result under a long key is as much memory as a long result: the bound holds for both."""
    cache = ResultCache(100_000)
    for number in range(50):
        cache.put(key_of(f"{number}" + "x" * 10_000), [(number,)], DESCRIBED, 0.0)

    assert 0 < len(cache) < 10
    assert 10_000 * len(cache) < cache.size <= 100_000


def test_a_key_longer_than_its_share_is_refused() -> None:
    """It would push out everything else, as a result of that size would."""
    cache = ResultCache(100_000)
    cache.put(key_of(1), [(1,)], DESCRIBED, 0.0)
    cache.put(key_of(b"\0" * 20_000), [(2,)], DESCRIBED, 0.0)

    assert (len(cache), cache.stored, cache.refused) == (1, 1, 1)
    assert cache.get(key_of(1), 1.0, 0.5) is not None
