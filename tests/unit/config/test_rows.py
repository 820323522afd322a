"""Rows that are read ahead of the YAML parser: what it would have made of them, whatever stands around."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.config import source
from dbrouter.config.dump import to_yaml
from dbrouter.config.rows import SHORTEST_RUN, Folded, fold
from dbrouter.config.source import read_text
from dbrouter.errors import ConfigError

TEXTS = st.text(st.characters(max_codepoint=0x1F64F, exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    TEXTS,
    st.sampled_from(["", "5s", "1e5", "0x1F", "0o7", "on", "No", "~", "null", "a b", "a: b", "a #b", "- a", "it's", '"', "\\d"]),
    st.sampled_from(
        ["1.5", ".5", "-", "?x", ":x", "{", "@", "5 s", "12:30", "2024-01-01", "_1", "é", "\x85", "\u2028", "\ufeff"]
    ),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["rule_id", "comment", "on", "y", "a_b"]), SCALARS, max_size=4), max_size=3)
AROUND = st.lists(
    st.sampled_from(
        [
            *(
                "a: 1\n",
                "b: |\n",
                "c: >-\n",
                "d:\n",
                "e: 'x\n",
                "f: x\n",
                "'\n",
                "- &x\n",
                "  - &x {a: 1}\n",
                "g: *x\n",
                "# end\n",
            ),
            *("  - y\n", "  - {rule_id: 1}\n    , more\n", "    : z\n", "  x: [\n", "  ]\n", "---\n", "\n", "  - {a: 1, a: 2}\n"),
            *("rows: {\n", "}\n", "  - [a]\n", "  - {a: 1} # note\n", "\t- {a: 1}\n", '  - {a: "\\x41"}\n', "  - {a: y}\n"),
        ]
    ),
    max_size=4,
).map("".join)


def outcome(text: str, *, ahead: bool = True) -> Any:
    """What the text is, or what is wrong with it; read by the YAML parser alone where nothing is read *ahead*."""
    try:
        with patch.object(source, "fold", fold if ahead else Folded):
            document = read_text(text, "x.yaml")
    except ConfigError as error:
        return str(error)
    return repr(document.value), document.lines


@settings(deadline=None)
@given(before=AROUND, after=AROUND, first=st.sampled_from(["", "  ", "   "]), values=st.lists(SCALARS, min_size=1, max_size=3))
def test_what_stands_around_changes_nothing(before: str, after: str, first: str, values: list[Any]) -> None:
    """The same values with the same lines, or the same problem, as when the YAML parser reads all of it."""
    line = to_yaml({"query_rules": [{f"k{number}": value for number, value in enumerate(values)}]}).split("\n")[1].strip()
    text = f"{before}" + f"{first}{line}\n" * SHORTEST_RUN + after

    assert outcome(text) == outcome(text, ahead=False)


@settings(deadline=None)
@given(ROWS)
def test_what_is_written_is_read_again(rows: list[dict[str, Any]]) -> None:
    """By either way of reading, in short lists and in long ones."""
    text = to_yaml({"pool": {}, "query_rules": rows * SHORTEST_RUN})

    assert outcome(text) == outcome(text, ahead=False)
    assert repr(read_text(text).value.get("query_rules", [])) == repr(rows * SHORTEST_RUN)


def test_rows_of_a_long_list_are_read_ahead() -> None:
    """As an import writes them: however long they are, nothing of them is left for the YAML parser."""
    rules = [{"rule_id": number, "match_digest": f"^SELECT '{'x' * 200}' \\d", "apply": True} for number in range(1001)]

    folded = fold(to_yaml({"query_rules": rules}))

    assert list(folded.runs.values()) == [rules] and folded.text.split() == ["query_rules:", "-", *folded.text.split()[2:]]
    assert len(folded.text) < 2000 and folded.text.count("\n") == 1002


def test_a_text_may_hold_as_many_values_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is bounded is what aliases make of a small text: 50,000 rules of twelve columns are more than 500,000 values."""
    monkeypatch.setattr(source, "MAX_VALUES", 10)

    assert len(read_text("a:\n" + "- {b: 1, c: 2}\n" * 500).value["a"]) == 500
