"""The event hub: who hears what, what an observer that raises does, and what every event of the catalogue keeps to."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import pytest

from dbrouter import events
from dbrouter.events import (
    Event,
    EventHub,
    NodeRestored,
    NodeShunned,
    QueryFinished,
    RetryScheduled,
    default_observers,
)
from dbrouter.terms import EventLevel, ShunReason

CATALOGUE = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event]
SHUNNED = NodeShunned(node="db2:5432", reason=ShunReason.FROZEN, detail="no answer within 0.5s")
RESTORED = NodeRestored(node="db2:5432", seconds=9.2)
RETRY = RetryScheduled(hostgroup="r", node="db2:5432", attempt=1, delay=0.0, code="08006", cause="OSError", where="elsewhere")


class Ear:
    """Keeps what it hears; *level* where one is given."""

    def __init__(self, level: EventLevel | None = None, raises: type[BaseException] | None = None) -> None:
        if level is not None:
            self.level = level
        self.raises = raises
        self.heard: list[Event] = []

    def observe(self, event: Event) -> None:
        """Keep it, then raise if asked to."""
        self.heard.append(event)
        if self.raises is not None:
            raise self.raises("the observer is broken")


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        (None, [SHUNNED, RESTORED, RETRY]),
        (EventLevel.DEBUG, [SHUNNED, RESTORED, RETRY]),
        (EventLevel.INFO, [SHUNNED, RESTORED]),
        (EventLevel.WARNING, [SHUNNED]),
    ],
)
def test_an_observer_hears_its_level_and_louder(level: EventLevel | None, heard: list[Event]) -> None:
    """Without a level an observer hears everything, in the order in which it happened."""
    ear = Ear(level)
    hub = EventHub((ear,))

    for event in (SHUNNED, RESTORED, RETRY):
        hub.emit(event)

    assert ear.heard == heard


def test_the_flags_say_whether_building_an_event_is_worth_it() -> None:
    """Emitters ask before they build: nobody, somebody for INFO and WARNING, somebody for one event per query."""
    hub = EventHub()
    nobody = (hub.listening, hub.listening_debug)
    warning, everything = Ear(EventLevel.WARNING), Ear()

    hub.add(warning)
    some = (hub.listening, hub.listening_debug)
    hub.add(everything)
    every = (hub.listening, hub.listening_debug)
    hub.remove(everything)
    some_again = (hub.listening, hub.listening_debug)
    hub.remove(warning)

    assert nobody == (False, False) and (hub.listening, hub.listening_debug) == (False, False)
    assert some == some_again == (True, False)
    assert every == (True, True)


def test_an_observer_that_raises_harms_nobody() -> None:
    """The caller goes on, the other observers hear the event, and the failure is counted."""
    broken, well = Ear(raises=RuntimeError), Ear()
    hub = EventHub((broken, well))

    hub.emit(SHUNNED)
    hub.emit(RESTORED)

    assert broken.heard == well.heard == [SHUNNED, RESTORED]
    assert hub.failures == 2


def test_what_is_no_exception_is_not_swallowed() -> None:
    """A KeyboardInterrupt in an observer ends the program, as anywhere."""
    hub = EventHub((Ear(raises=KeyboardInterrupt),))

    with pytest.raises(KeyboardInterrupt):
        hub.emit(SHUNNED)


def test_an_observer_may_leave_and_come_while_an_event_is_handed_out() -> None:
    """Everybody who was there when it happened hears of it, and who comes meanwhile hears the next one."""
    late = Ear()

    class Changing(Ear):
        def observe(self, event: Event) -> None:
            super().observe(event)
            hub.remove(self)
            hub.add(late)

    changing, last = Changing(), Ear()
    hub = EventHub((changing, last))

    hub.emit(SHUNNED)
    hub.emit(RESTORED)

    assert changing.heard == [SHUNNED] and last.heard == [SHUNNED, RESTORED] and late.heard == [RESTORED]


def test_an_unknown_level_is_refused_at_once() -> None:
    """A misspelt level is a mistake of the program, told when the observer is added."""
    with pytest.raises(ValueError, match="loud"):
        EventHub((Ear("loud"),))  # type: ignore[arg-type]


def test_default_observers_are_made_anew_for_each_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factory is asked at each opening and may decline."""
    monkeypatch.setattr(events, "_DEFAULT_OBSERVERS", [])
    events.register_default_observer(Ear)
    events.register_default_observer(lambda: None)

    first, second = default_observers(), default_observers()

    assert len(first) == len(second) == 1 and first[0] is not second[0]


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_every_event_is_frozen_named_and_documented(kind: type[Event]) -> None:
    """Events are values: observers may keep them; the name is `noun.past_participle` and unique."""
    settings = kind.__dataclass_params__  # type: ignore[attr-defined]

    assert settings.frozen and "__slots__" in vars(kind)
    assert re.fullmatch(r"[a-z]+\.[a-z]+", kind.name)
    assert [other.name for other in CATALOGUE].count(kind.name) == 1
    assert isinstance(kind.level, EventLevel)
    assert kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("), "dataclasses write a docstring of their own"


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_no_event_has_room_for_parameters_or_passwords(kind: type[Event]) -> None:
    """What is never in an event cannot leak from one."""
    fields: set[str] = {field.name for field in dataclasses.fields(kind)}

    assert not fields & {"sql", "text", "params", "parameters", "args", "password", "dsn", "user"}


def test_events_cannot_be_changed() -> None:
    """One observer cannot change what the next one sees."""
    event: Any = SHUNNED

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.node = "another"
    assert QueryFinished.level is EventLevel.DEBUG and inspect.isabstract(Event) is False
