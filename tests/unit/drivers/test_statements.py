"""Which texts are kept prepared: decided without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dbrouter.drivers.statements import Sightings, Statements


def run(statements: Statements, text: str) -> str:
    """What the driver does with one execution of *text*; how it got its statement."""
    if text in statements.current:
        return "hit"
    if statements.revive(text) is not None:
        return "revived"
    name = statements.name_for(text)
    if not name:
        statements.ran(text)
        return "unnamed"
    statements.keep(text, state(name))
    return "named"


def state(name: str) -> Any:
    return SimpleNamespace(name=name)


def test_a_text_is_named_from_its_second_time_on() -> None:
    """Once unnamed, once named, then found."""
    statements = Statements(Sightings())
    assert [run(statements, "a") for _ in range(4)] == ["unnamed", "named", "hit", "hit"]


def test_what_one_connection_has_seen_all_know() -> None:
    """Connections of a driver share what they have seen, not what they keep."""
    sightings = Sightings()
    first, second = Statements(sightings), Statements(sightings)
    run(first, "a")
    assert run(second, "a") == "named"
    assert len(first) == 0


def test_as_many_texts_as_are_kept_all_stay_prepared() -> None:
    """In turn, every one of them is found from the third round on."""
    statements = Statements(Sightings(40), kept=20)
    texts = [f"t{number}" for number in range(20)]
    rounds = [[run(statements, text) for text in texts] for _ in range(4)]
    assert set(rounds[-1]) == {"hit"}
    assert not statements.garbage


def test_two_hundred_thousand_texts_leave_nothing_behind() -> None:
    """Texts that do not come round again in time are never named, and nothing grows."""
    sightings = Sightings(512)
    statements = Statements(sightings)
    for _ in range(2):
        for number in range(100_000):
            assert run(statements, f"t{number}") == "unnamed"
    assert len(statements) == 0
    assert len(sightings) <= 512 + 1


def test_what_is_used_survives_what_is_not() -> None:
    """A text in use stays while others pass through; those are given up together."""
    statements = Statements(Sightings(), kept=10)
    run(statements, "hot")
    run(statements, "hot")
    for number in range(100):
        for _ in range(2):
            run(statements, f"cold{number}")
        assert run(statements, "hot") in ("hit", "revived")
    assert len(statements) <= 20
    assert len(statements.garbage) >= 70
    kept = {kept.name for kept in statements.current.values()}
    assert not kept & set(statements.garbage)


def test_names_are_never_used_twice() -> None:
    """Also after everything was forgotten."""
    sightings = Sightings()
    statements = Statements(sightings)
    names = set()
    for _ in range(3):
        for text in ("a", "b"):
            sightings.add(text)
            name = statements.name_for(text)
            assert name not in names
            names.add(name)
            statements.keep(text, state(name))
        statements.forget()
    assert set(statements.garbage) == names
    assert len(statements) == 0


def test_a_lost_server_has_nothing_to_deallocate() -> None:
    """After DEALLOCATE ALL there is neither statement nor garbage."""
    statements = Statements(Sightings())
    statements.keep("a", state("one"))
    statements.orphan("two")
    statements.lost()
    assert (len(statements), statements.garbage, statements.orphans) == (0, [], [])


def test_long_texts_and_poolers_are_never_named() -> None:
    """A text over the limit, and any text where nothing is kept, takes the unnamed statement every time."""
    for statements, text in ((Statements(Sightings(), longest=10), "x" * 11), (Statements(Sightings(), kept=0), "x")):
        assert [run(statements, text) for _ in range(3)] == ["unnamed"] * 3


def test_the_hot_dictionary_stays_the_same() -> None:
    """The driver holds on to `current`."""
    statements = Statements(Sightings(), kept=2)
    current = statements.current
    for number in range(10):
        statements.keep(f"t{number}", state(str(number)))
    statements.forget()
    statements.lost()
    assert statements.current is current


def test_orphans_are_bounded() -> None:
    """However often preparing is cut, what we remember of it is bounded."""
    statements = Statements(Sightings())
    for number in range(1000):
        statements.orphan(str(number))
    assert len(statements.orphans) == 64
