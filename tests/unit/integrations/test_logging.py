"""Log lines: levels, repeats, destinations, and what must never be in them."""

from __future__ import annotations

import io
import json
import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

import pytest
import structlog

import dbrouter.events as catalogue
from dbrouter.errors import ConfigError
from dbrouter.events import (
    BreakerChanged,
    ConnectionFailed,
    Event,
    EventHub,
    LeaseLeaked,
    NodeRestored,
    NodeShunned,
    QueryFinished,
    RouterClosed,
    TopologyChanged,
    default_observers,
)
from dbrouter.integrations.logging import LogObserver, level_of, line, observer_from
from dbrouter.terms import BreakerState, EventLevel, Intent, ShunReason

EVENTS = sorted(
    (kind for kind in vars(catalogue).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event),
    key=lambda kind: kind.name,
)


class Lines:
    """Collects what would be written."""

    def __init__(self) -> None:
        self.written: list[tuple[EventLevel, str, dict[str, Any]]] = []

    def __call__(self, level: EventLevel, name: str, values: Mapping[str, Any]) -> None:
        self.written.append((level, name, dict(values)))

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.written]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines() -> Lines:
    """Where lines go in these tests."""
    return Lines()


@pytest.fixture
def clock() -> Clock:
    """Virtual time."""
    return Clock()


@pytest.fixture
def plain_structlog() -> Iterator[None]:
    """An application that has configured neither structlog nor dbrouter's logger."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def failed(node: str = "db2:5432", code: str = "ConnectionRefusedError", failures: int = 1) -> ConnectionFailed:
    """A connection that could not be made."""
    return ConnectionFailed(hostgroup="read", node=node, code=code, cause="refused", failures=failures, retry_in=0.5)


def shunned(detail: str = "no answer within 0.5s", node: str = "db2:5432") -> NodeShunned:
    """A node out of use."""
    return NodeShunned(node=node, reason=ShunReason.FROZEN, detail=detail)


def query(digest: int = 0xABC) -> QueryFinished:
    """A call that ended well."""
    return QueryFinished(
        database="shop",
        hostgroup="read",
        node="db2:5432",
        intent=Intent.READ,
        kind="SELECT",
        digest=digest,
        rule_id=None,
        tag=None,
        attempts=1,
        waited=0.00000123456,
        took=0.0012345678,
        outcome="ok",
    )


def of_every_field(kind: type[Event]) -> Event:
    """An event of *kind* whose texts all hold a password."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        text = str(field.type)
        if field.default is not MISSING and field.default is not None:
            continue
        if text.startswith("tuple"):
            values[field.name] = ("db1:5432",)
        elif text.startswith("BreakerState"):
            values[field.name] = BreakerState.OPEN
        elif text.startswith("ShunReason"):
            values[field.name] = ShunReason.DEAD
        elif text.startswith("Intent"):
            values[field.name] = Intent.READ
        elif text.startswith("bool"):
            values[field.name] = False
        elif text.startswith(("int", "float")):
            values[field.name] = 1
        else:
            values[field.name] = "postgresql://app:hunter2@db1/shop password='hunter2' pwd=hunter2\nDETAIL:  Key (a)=(hunter2)"
    return kind(**values)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_of_the_catalogue_becomes_one_line_without_a_password(kind: type[Event], lines: Lines) -> None:
    """Whatever a driver put into a text, no line tells a password, and a line is one line."""
    observer = LogObserver(lines, level=EventLevel.DEBUG)

    observer.observe(of_every_field(kind))

    assert lines.names == [kind.name]
    shown = line(kind.name, lines.written[0][2])
    assert "\n" not in shown
    if kind is not LeaseLeaked:
        assert "hunter2" not in shown


def test_the_stack_of_a_leak_keeps_its_lines_but_no_dsn(lines: Lines) -> None:
    """A leak report is useful only with its whole stack."""
    stack = "  File app.py, line 3\n    connect('postgresql://app:hunter2@db1/shop')"

    LogObserver(lines).observe(LeaseLeaked(hostgroup="write", node="db1:5432", held=61.0, task="worker", stack=stack))

    assert lines.written[0][2]["stack"] == "  File app.py, line 3\n    connect('postgresql://***@db1/shop')"


def test_repeats_are_counted_and_told_by_the_next_line(lines: Lines, clock: Clock) -> None:
    """Within five seconds a second event of the same name, node and code is counted, not written."""
    observer = LogObserver(lines, clock=clock)

    for attempt in range(100):
        observer.observe(failed(failures=attempt + 1))
    clock.now += 5.0
    observer.observe(failed(failures=101))

    assert [(name, values.get("repeated")) for _, name, values in lines.written] == [
        ("connection.failed", None),
        ("connection.failed", 99),
    ]
    assert lines.written[1][2]["failures"] == 101


def test_other_nodes_and_other_codes_are_no_repeats(lines: Lines, clock: Clock) -> None:
    """Only the same trouble of the same node is a repeat."""
    observer = LogObserver(lines, clock=clock)

    for event in (failed(), failed(node="db3:5432"), failed(code="28P01"), failed()):
        observer.observe(event)

    assert len(lines.written) == 3


def test_the_count_of_a_burst_that_ended_is_told_by_any_later_event(lines: Lines, clock: Clock) -> None:
    """A burst followed by silence does not keep its number to itself."""
    observer = LogObserver(lines, clock=clock)
    for _ in range(3):
        observer.observe(failed())
    clock.now += 60.0

    observer.observe(NodeRestored(node="db3:5432", seconds=1.0))

    assert lines.names == ["connection.failed", "node.restored", "connection.failed"]
    assert lines.written[-1][2]["repeated"] == 1


def test_closing_tells_everything_that_was_counted(lines: Lines, clock: Clock) -> None:
    """The last line of a router is preceded by no silence about repeats."""
    observer = LogObserver(lines, clock=clock)
    for _ in range(3):
        observer.observe(failed())

    observer.observe(RouterClosed(took=0.1, abandoned=0))

    assert lines.names == ["connection.failed", "connection.failed", "router.closed"]
    assert lines.written[1][2]["repeated"] == 1


def test_the_last_line_about_a_flapping_node_is_how_it_is_now(lines: Lines, clock: Clock) -> None:
    """Shunned and restored again and again: what is counted is told in its place, so that the log ends with the truth."""
    observer = LogObserver(lines, clock=clock)
    restored = NodeRestored(node="db2:5432", seconds=1.0)

    for event in (shunned(), restored, shunned(), restored, shunned()):
        clock.now += 1.0
        observer.observe(event)
    clock.now += 3.0
    observer.observe(restored)
    clock.now += 60.0
    observer.observe(RouterClosed(took=0.1, abandoned=0))

    told = [(name, values.get("repeated")) for _, name, values in lines.written]
    assert told == [
        ("node.shunned", None),
        ("node.restored", None),
        ("node.shunned", 1),
        ("node.restored", 1),
        ("router.closed", None),
    ]


def test_counted_states_are_told_in_the_order_in_which_they_happened(lines: Lines, clock: Clock) -> None:
    """Also where nothing but silence follows."""
    observer = LogObserver(lines, clock=clock)

    for _ in range(2):
        for event in (shunned(), NodeRestored(node="db2:5432", seconds=1.0)):
            clock.now += 0.1
            observer.observe(event)
    observer.observe(RouterClosed(took=0.1, abandoned=0))

    assert lines.names == ["node.shunned", "node.restored", "node.shunned", "node.restored", "router.closed"]


def test_a_line_that_is_told_late_says_how_late(lines: Lines, clock: Clock) -> None:
    """Its time stamp is that of the telling: without `ago` an old "all usable" behind a fresh "shunned" reads like news."""
    observer = LogObserver(lines, clock=clock)
    for _ in range(2):
        observer.observe(failed())
    clock.now += 60.0

    observer.observe(shunned())

    assert [(name, values.get("ago")) for _, name, values in lines.written] == [
        ("connection.failed", None),
        ("node.shunned", None),
        ("connection.failed", 60.0),
    ]


def test_memory_of_repeats_is_bounded(lines: Lines, clock: Clock) -> None:
    """Thousands of nodes or codes do not grow the observer."""
    observer = LogObserver(lines, clock=clock)

    for number in range(5000):
        observer.observe(failed(code=str(number)))

    assert len(observer._seen) <= 512
    assert len(lines.written) == 5000


def test_lines_and_counts_together_are_all_events(lines: Lines, clock: Clock) -> None:
    """Whatever comes in whatever order: nothing is lost and nothing is told twice, also of what had to be forgotten."""
    rng = random.Random(7)
    observer = LogObserver(lines, clock=clock)
    events = [
        *(failed(node=f"db{number}:5432", code=code) for number in range(300) for code in ("28P01", "53300")),
        *(shunned(node=f"db{number}:5432") for number in range(300)),
        *(NodeRestored(node=f"db{number}:5432", seconds=1.0) for number in range(300)),
    ]

    for _ in range(5000):
        clock.now += rng.choice((0.0, 0.001, 0.5))
        observer.observe(rng.choice(events[: rng.choice((3, 900))]))
    observer.observe(RouterClosed(took=0.1, abandoned=0))

    assert sum(1 + values.get("repeated", 0) for _, _, values in lines.written) == 5001


def test_another_topology_is_no_repeat(lines: Lines, clock: Clock) -> None:
    """Each loss of a node is dated, even where two follow within seconds."""
    observer = LogObserver(lines, clock=clock)

    observer.observe(TopologyChanged(generation=2, usable=("db1:5432",), unusable=("db2:5432",)))
    observer.observe(TopologyChanged(generation=3, usable=(), unusable=("db1:5432", "db2:5432")))

    assert len(lines.written) == 2


@pytest.mark.parametrize(
    ("new", "level"),
    [(BreakerState.OPEN, EventLevel.WARNING), (BreakerState.CLOSED, EventLevel.INFO), (BreakerState.HALF_OPEN, EventLevel.INFO)],
)
def test_an_opening_breaker_warns_and_a_closing_one_informs(new: BreakerState, level: EventLevel) -> None:
    """WARNING is capacity lost, INFO is capacity regained."""
    assert level_of(BreakerChanged(node="db1:5432", old=BreakerState.OPEN, new=new, why="")) is level


def test_the_default_level_leaves_queries_alone(lines: Lines) -> None:
    """No event per query is even built for a log that does not want it."""
    hub = EventHub((LogObserver(lines),))

    assert hub.listening
    assert not hub.listening_debug


def test_debug_writes_one_line_per_query(lines: Lines) -> None:
    """At debug nothing is counted away: every query has its line, seconds rounded, digest in hexadecimal."""
    observer = LogObserver(lines, level=EventLevel.DEBUG)
    hub = EventHub((observer,))

    for _ in range(3):
        hub.emit(query())

    assert hub.listening_debug
    assert lines.names == ["query.finished"] * 3
    assert lines.written[0][2]["digest"] == "0x0000000000000ABC"
    assert lines.written[0][2]["took"] == 0.001235
    assert "rule_id" not in lines.written[0][2]


def test_json_lines_have_event_level_time_and_fields() -> None:
    """One JSON object a line, whatever is in the texts."""
    stream = io.StringIO()
    observer = observer_from("json", stream)
    assert observer is not None

    observer.observe(shunned('said "no" ✗'))
    observer.observe(NodeRestored(node="db2:5432", seconds=1.5))

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "node.shunned",
        "level": "warning",
        "logger": "dbrouter",
        "node": "db2:5432",
        "reason": "frozen",
        "detail": 'said "no" ✗',
    }
    assert second["level"] == "info"
    assert second["seconds"] == 1.5


def test_console_lines_are_event_key_value() -> None:
    """Lines for people hold time, level, event and key=value, quoted where there are blanks."""
    stream = io.StringIO()
    observer = observer_from("console", stream)
    assert observer is not None

    observer.observe(shunned())

    written = stream.getvalue()
    assert written.endswith(' warning node.shunned node=db2:5432 reason=frozen detail="no answer within 0.5s"\n')


def test_an_own_destination_leaves_the_applications_structlog_alone(plain_structlog: None) -> None:
    """`DBROUTER_LOG=json` configures nothing that belongs to the application."""
    observer = observer_from("json", io.StringIO())
    assert observer is not None

    observer.observe(shunned())

    assert not structlog.is_configured()


@pytest.mark.parametrize(
    ("setting", "level"), [(None, "info"), ("", "info"), ("json:debug", "debug"), ("CONSOLE:Warning", "warning")]
)
def test_the_suffix_is_the_level(setting: str | None, level: str) -> None:
    """`json:debug` and its like."""
    observer = observer_from(setting, io.StringIO())

    assert observer is not None
    assert observer.level is EventLevel(level)


def test_off_is_off() -> None:
    """`off` makes no observer, so nothing is built at all."""
    assert observer_from("off") is None


@pytest.mark.parametrize("setting", ["jason", "json:loud", "/var/log/x"])
def test_an_unknown_setting_is_a_configuration_error(setting: str) -> None:
    """A misspelt variable says what would be right."""
    with pytest.raises(ConfigError, match=r"DBROUTER_LOG.*use"):
        observer_from(setting)


def test_every_router_gets_the_observer_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the integration is enough; the variable is read when a router opens."""
    monkeypatch.setenv("DBROUTER_LOG", "json:debug")
    found = [observer for observer in default_observers() if isinstance(observer, LogObserver)]
    monkeypatch.setenv("DBROUTER_LOG", "off")
    without = [observer for observer in default_observers() if isinstance(observer, LogObserver)]

    assert [observer.level for observer in found] == [EventLevel.DEBUG]
    assert without == []


def test_unset_goes_to_the_standard_library(plain_structlog: None, caplog: pytest.LogCaptureFixture) -> None:
    """An application without structlog finds the lines at logger `dbrouter`, with the fields for its formatters."""
    observer = observer_from(None)
    assert observer is not None

    with caplog.at_level(logging.INFO, logger="dbrouter"):
        observer.observe(shunned())

    record = caplog.records[0]
    assert (record.name, record.levelname) == ("dbrouter", "WARNING")
    assert record.getMessage() == 'node.shunned node=db2:5432 reason=frozen detail="no answer within 0.5s"'
    assert record.__dict__["dbrouter"]["node"] == "db2:5432"


def test_unset_goes_through_the_applications_structlog(plain_structlog: None) -> None:
    """An application that configured structlog gets the events with its own processors."""
    with structlog.testing.capture_logs() as captured:
        structlog.configure(processors=structlog.get_config()["processors"])
        observer = observer_from(None)
        assert observer is not None
        observer.observe(shunned())

    assert captured[0]["event"] == "node.shunned"
    assert captured[0]["log_level"] == "warning"
    assert captured[0]["node"] == "db2:5432"
