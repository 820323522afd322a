"""What read-only servers refused, and for how long that is believed."""

from __future__ import annotations

import pytest

from dbrouter.router import learned as learned_module
from dbrouter.router.learned import BELIEVED_AT_MOST, BELIEVED_SECONDS, LearnedWrites, changes_functions
from dbrouter.sql import analyze


def test_what_was_learned_is_believed_twice_as_long_each_time() -> None:
    """A try costs a round trip and a connection, so a function that keeps writing is tried ever more rarely, and still is."""
    learned = LearnedWrites()
    now, spans = 0.0, []
    for _ in range(12):
        assert learned.add(7, now) and not learned.add(7, now)
        due = learned.due()
        assert due is not None and not learned.forget(due - 0.1) and 7 in learned
        assert learned.forget(due) and 7 not in learned and learned.due() is None
        spans.append(due - now)
        now = due

    assert spans[:3] == [BELIEVED_SECONDS, 2 * BELIEVED_SECONDS, 4 * BELIEVED_SECONDS]
    assert spans[-1] == BELIEVED_AT_MOST


def test_after_a_change_of_functions_the_time_begins_anew() -> None:
    """What functions did before says nothing of how long the next refusal will hold."""
    learned = LearnedWrites()
    learned.add(7, 0.0)
    learned.forget(BELIEVED_SECONDS)
    learned.add(7, 1000.0)

    assert learned.clear() and not learned.clear()
    learned.add(7, 2000.0)
    assert learned.due() == 2000.0 + BELIEVED_SECONDS


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgotten digests, which are remembered for their times, included."""
    monkeypatch.setattr(learned_module, "LIMIT", 3)
    learned = LearnedWrites()
    for digest in range(10):
        learned.add(digest, float(digest))
        if digest % 2:
            learned.forget(digest + BELIEVED_SECONDS)

    assert len(learned) <= 3 and len(learned._for) <= 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", True),
        ("DROP FUNCTION f", True),
        ("alter function f() stable", True),
        ("CREATE OR REPLACE VIEW v AS SELECT f()", True),
        ("DROP SCHEMA app CASCADE", True),
        ("CREATE TABLE t(id int)", False),
        ("SELECT 'CREATE FUNCTION'", False),
        ("CREATE INDEX i ON t(a)", False),
    ],
)
@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_which_statements_change_what_functions_do(text: str, wanted: bool, engine: str) -> None:
    """Functions, what calls them, and what holds them; not tables, which are made and dropped all day."""
    assert changes_functions(analyze(text, engine)) is wanted
