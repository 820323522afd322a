"""What fuzzing holds `dbrouter.sql` to holds for the corpora and for everything that fuzzing ever found."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbrouter.sql import Statement
from dbrouter.terms import Engine
from tests.corpus.lines import load
from tests.fuzz import invariants
from tests.fuzz.invariants import check, check_cost, data_of, text_of

_FINDS = sorted(Path(__file__).with_name("finds").iterdir())


@pytest.mark.parametrize("engine", list(Engine))
def test_the_corpora_keep_every_invariant(engine: Engine) -> None:
    """Every line of the corpus of either engine, read by either, keeps what a fuzzer's input has to keep."""
    for of in Engine:
        for line in load(of):
            check(line.sql, engine)


@pytest.mark.parametrize("find", _FINDS, ids=[find.name for find in _FINDS])
def test_what_fuzzing_found_stays_mended(find: Path) -> None:
    """An input that once broke an invariant keeps them all, under both engines."""
    sql, _ = text_of(find.read_bytes())

    for engine in Engine:
        check(sql, engine)


def test_an_input_stands_for_its_text() -> None:
    """What a seed is made of comes back, lone surrogates included."""
    for engine in Engine:
        assert text_of(data_of("SELECT 'é\udc8c'", engine)) == ("SELECT 'é\udc8c'", engine)


def test_a_broken_promise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier that overlooks writes, or takes quadratic time, fails the check."""
    honest = invariants.analyze

    def blind(sql: str, engine: Engine) -> Statement:
        return honest("SELECT 1" if "DELETE" in sql else sql, engine)

    monkeypatch.setattr(invariants, "analyze", blind)
    with pytest.raises(AssertionError, match=r"overlooked|verb that writes"):
        check("SELECT 2", Engine.MYSQL)

    def quadratic(text: str, engine: Engine) -> float:
        return len(text) ** 2 * 1e-9

    monkeypatch.setattr(invariants, "_cost", quadratic)
    with pytest.raises(AssertionError, match="superlinear"):
        check_cost("SELECT ", "(", "", Engine.MYSQL)
