"""Errors: codes, fields, what they inherit, and that they survive being pickled, copied and sent to another process."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

import dbrouter
from dbrouter import errors
from dbrouter.errors import (
    AttemptRecord,
    BugError,
    ConfigError,
    DBRouterError,
    DeadlineExceededError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    PoolTimeoutError,
    Problem,
    Refusal,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DBRouterError)]
SAMPLES: dict[str, Any] = {
    "tuple[Problem, ...]": (Problem(message="70000 is not a port", path="servers[0].port", file="x.yaml", line=3),),
    "tuple[Refusal, ...]": (Refusal(node="db2:5432", reason="breaker open"),),
    "tuple[AttemptRecord, ...]": (AttemptRecord(node="db2:5432", error="OSError: gone", seconds=0.25),),
    "float": 0.5,
    "int": 7,
    "int | None": 30,
    "str": "shop-read/db2:5432",
    "str | None": "node",
}


def declared(kind: type[DBRouterError]) -> dict[str, Any]:
    """A value for every field that the class and its parents declare."""
    fields: dict[str, Any] = {}
    for parent in reversed(kind.__mro__):
        for name, annotation in inspect.get_annotations(parent).items() if issubclass(parent, DBRouterError) else ():
            fields[name] = SAMPLES[annotation]
    return fields


def sample(kind: type[DBRouterError]) -> DBRouterError:
    """An error of *kind* with every field set."""
    if issubclass(kind, ConfigError):
        return kind([*declared(kind)["problems"], Problem(message="another")])
    return kind("what happened (size=10)", **declared(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_survives_pickle(kind: type[DBRouterError], protocol: int) -> None:
    """Class, message, code and fields are the same on the other side."""
    error = sample(kind)

    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is kind and str(again) == str(error) and again.args == error.args
    assert {name: getattr(again, name) for name in declared(kind)} == {name: getattr(error, name) for name in declared(kind)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_every_error_survives_copy(kind: type[DBRouterError], duplicate: Any) -> None:
    """A copy has the fields, and the notes that were added."""
    error = sample(kind)
    error.add_note("dbrouter: hostgroup 'shop-write', node db1:5432, attempt 1")

    again = duplicate(error)

    assert type(again) is kind and again is not error and str(again) == str(error)
    assert again.__notes__ == error.__notes__
    assert {name: getattr(again, name) for name in declared(kind)} == {name: getattr(error, name) for name in declared(kind)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_text_ends_with_the_code(kind: type[DBRouterError]) -> None:
    """What a person greps a log for is in every message."""
    assert str(sample(kind)).endswith(f" [{kind.code}]")


@pytest.mark.parametrize("kind", [PoolTimeoutError, DeadlineExceededError, OutcomeUnknownTimeoutError])
def test_what_ran_out_of_time_is_a_timeout_error(kind: type[DBRouterError]) -> None:
    """`except TimeoutError` catches every way in which time ran out, and nothing else of ours is one."""
    assert issubclass(kind, TimeoutError)
    assert {other for other in KINDS if issubclass(other, TimeoutError)} == {
        PoolTimeoutError,
        DeadlineExceededError,
        OutcomeUnknownTimeoutError,
    }


def test_an_outcome_unknown_by_deadline_is_caught_as_both() -> None:
    """Whoever handles unknown outcomes sees those that a deadline made."""
    error = sample(OutcomeUnknownTimeoutError)

    assert isinstance(error, OutcomeUnknownError) and isinstance(error, TimeoutError)
    assert error.code == OutcomeUnknownError.code


def test_a_timeout_of_ours_has_no_errno_in_its_text() -> None:
    """`TimeoutError` is an `OSError`, which would make two arguments an errno and a text; ours keep their sentence."""
    error = sample(PoolTimeoutError)

    assert str(error) == "what happened (size=10) [DBR-P01]"
    assert isinstance(error, OSError) and error.errno is None


def test_one_problem_is_the_message_and_several_are_a_list() -> None:
    """A single problem needs no bullet."""
    one = ConfigError([Problem(message="is missing", path="writer", file="dbrouter.yaml", line=2)])
    two = ConfigError([Problem(message="first", path="a"), Problem(message="second", line=9)])

    assert str(one) == "dbrouter.yaml:2: writer: is missing [DBR-C01]"
    assert str(two) == "2 problems in the configuration:\n  - a: first\n  - line 9: second [DBR-C01]"
    assert ConfigError("no file").problems == (Problem(message="no file"),)


def test_every_error_is_a_public_name() -> None:
    """Whatever can be raised can be caught by a name of the package itself, but the timeout variant of an unknown outcome."""
    missing = {kind.__name__ for kind in KINDS} - set(dbrouter.__all__)

    assert missing <= {"OutcomeUnknownTimeoutError"}
    assert issubclass(BugError, DBRouterError)
