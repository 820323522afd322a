"""The glossary as types: closed sets whose members are their own text, each with a meaning."""

from __future__ import annotations

import json
from enum import Enum, StrEnum

import pytest

import dbrouter
from dbrouter import terms
from dbrouter.terms import BreakerState, Engine, Intent, NodeId, Phase

SETS = [
    kind
    for kind in vars(terms).values()
    if isinstance(kind, type) and issubclass(kind, Enum) and kind.__module__ == terms.__name__
]


@pytest.mark.parametrize("kind", SETS, ids=lambda kind: kind.__name__)
def test_every_set_says_what_it_is_for(kind: type[Enum]) -> None:
    """A reader of the glossary finds a sentence at each set."""
    assert kind.__doc__ and kind.__doc__.strip().endswith(".") and kind.__doc__ != Enum.__doc__


@pytest.mark.parametrize("kind", [kind for kind in SETS if issubclass(kind, StrEnum)], ids=lambda kind: kind.__name__)
def test_text_is_as_good_as_the_member(kind: type[StrEnum]) -> None:
    """Configuration, JSON and comparison take the plain text."""
    for member in kind:
        assert member == str(member) == member.value and kind(str(member)) is member
        assert json.loads(json.dumps({"it": member})) == {"it": member.value}


def test_phases_are_in_the_order_in_which_they_happen() -> None:
    """The later a failure, the more may have been applied; comparing phases relies on it."""
    assert Phase.CONNECT < Phase.SETUP < Phase.CHECK < Phase.EXECUTE < Phase.TRANSACTION < Phase.COMMIT


def test_breaker_states_have_resilience4js_names() -> None:
    """Dashboards know them."""
    assert {str(state) for state in BreakerState} == {"CLOSED", "OPEN", "HALF_OPEN", "FORCED_OPEN", "DISABLED"}


def test_identities_cost_nothing_and_intents_are_public() -> None:
    """A NewType is its base at run time; `Intent` is what users compare with."""
    assert NodeId("db1:5432") == "db1:5432"
    assert dbrouter.Intent is Intent and {str(intent) for intent in Intent} == {"read", "write"}
    assert {str(engine) for engine in Engine} == {"postgresql", "mysql"}
