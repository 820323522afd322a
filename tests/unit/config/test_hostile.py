"""Whatever a configuration holds, loading it ends with a configuration or a `ConfigError`, and nothing else."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

from dbrouter.config import RouterConfig, load, loads
from dbrouter.errors import ConfigError
from tests.unit.config.test_whole_shape import WHOLE

VALUES: list[Any] = [
    *(None, True, 0, -1, 10**80, 1.5, float("nan"), float("inf"), 1e308, "", "x", "${A}", "${", "\0", "\ud800", "a:b:c", "["),
    *(
        {},
        [],
        [None],
        [[]],
        {"a": 1},
        {1: 2},
        {None: None},
        object(),
        b"x",
        (1,),
        {"x"},
        "file:/nope",
        "/",
        ".",
        ":",
        "5s",
        "-5s",
    ),
    *("postgresql://a:b@c/d?e=f", "mysql://", "é" * 1000, 2**31, 20, "shop-read", "(", "$$"),
]
PIECES = [*"{}[]:-\n\t'\"#|>%@`*&!é", "", "  ", "*a", "&a", "!x", "<<", "? ", "\u2028", "\x85", "\ufeff"]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def damage(document: Any, rng: random.Random, places: list[tuple[Any, ...]]) -> None:
    """Replace, add or remove something somewhere."""
    *way, last = rng.choice(places)
    target = document
    try:
        for key in way:
            target = target[key]
        if rng.random() < 0.2:
            del target[last]
        else:
            key = rng.choice([last, last, "zz", 5, None]) if isinstance(target, dict) else last
            target[key] = copy.copy(rng.choice(VALUES))
    except (KeyError, IndexError, TypeError):
        pass  # an earlier damage took the place away


def outcome(source: Any) -> str:
    try:
        assert isinstance(load(source, environ={"SHOP_PASSWORD": "x"}), RouterConfig)
    except ConfigError as error:
        assert error.problems and str(error) and repr(error.problems)
        return "refused"
    return "loaded"


def test_damaged_mappings_load_or_are_refused() -> None:
    """Thousands of documents with values of every type in every place."""
    rng = random.Random(11)
    whole = YAML(typ="safe", pure=True).load(WHOLE)
    small = {"writer": "postgresql://a:b@c/d", "readers": ["postgresql://a:b@e/d"], "pool": {}, "query_rules": [{"rule_id": 1}]}
    seen = set()
    for base in (whole, small):
        places = [path for path in paths(base) if path]
        for _ in range(1500):
            document = copy.deepcopy(base)
            for _ in range(rng.randint(1, 3)):
                damage(document, rng, places)
            seen.add(outcome(document))

    assert seen == {"loaded", "refused"}


def test_damaged_texts_load_or_are_refused() -> None:
    """Hundreds of files with characters lost, doubled and replaced."""
    rng = random.Random(12)
    for _ in range(300):
        text = list(WHOLE)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 3)] = rng.choice(PIECES)
        try:
            loads("".join(text), environ={"SHOP_PASSWORD": "x"})
        except ConfigError as error:
            assert str(error)
