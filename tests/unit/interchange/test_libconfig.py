"""libconfig: what another reader of it makes of a text is what we make of it, and every value knows its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libconf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.errors import ConfigError
from dbrouter.interchange.libconfig import read_libconfig, write_libconfig

TEXTS = [
    "",
    "a = 1",
    "a: 1; b = 2, c = 3",
    'a = "x"; # note\nb = "y" // note\nc = /* note\n over lines */ "z"',
    'a = "one" "two"\n "three"',
    r'a = "tab\t quote\" back\\slash \x41 \d \w"',
    "a = true b = FALSE c = True",
    "a = -5; b = +5; c = 0x1F; d = 5L; e = 1.5; f = -1.5e3; g = .5; h = 5.",
    "a = [1, 2, 3]; b = (); c = []; d = {}",
    'a = ( { b = 1 c = "x" }, { b = 2; c = "y"; }, )',
    "a = { b : { c = ( 1, ( 2, 3 ), { d = [ true, false ] } ) } }",
    "mysql-variables = 1; a_b = 2; a*b = 3",
]
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"])),
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


def plain(value: Any) -> Any:
    """A value of libconf's with ordinary containers."""
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("text", TEXTS)
def test_another_reader_says_the_same(text: str) -> None:
    """libconf is old, slow and knows no lines, but it reads the format."""
    assert read_libconfig(text).value == plain(libconf.loads(text))


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_is_read_again(settings: dict[str, Any]) -> None:
    """By us."""
    assert read_libconfig(write_libconfig(settings)).value == settings


@pytest.mark.parametrize(
    "text", ['/*\n@include "other.cnf"\n*/\na = 1', 'a = 1 # @include "x"', "a = 1\n// @include\n", 'a = "x\n@include"']
)
def test_only_an_include_is_refused_as_one(text: str) -> None:
    """What stands in a comment or a text includes nothing."""
    assert list(plain(read_libconfig(text).value)) == ["a"]


@pytest.mark.parametrize(
    ("text", "number"), [("0b101", 5), ("0B11L", 3), ("0o17", 15), ("0q17LL", 15), ("-0x1F", -31), ("+1e2", 100.0), ("007", 7)]
)
def test_numbers_of_every_base(text: str, number: float) -> None:
    """Those of newer versions too."""
    assert plain(read_libconfig(f"a = {text}").value) == {"a": number}


@given(st.dictionaries(NAMES, st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"])), max_size=3))
def test_texts_are_written_as_others_read_them(settings: dict[str, str]) -> None:
    """By libconf, whatever the text holds."""
    assert plain(libconf.loads(write_libconfig(settings))) == settings


def test_every_value_knows_its_line() -> None:
    """Of groups, lists and what is in them."""
    lines = read_libconfig('# first\na = 1\nb =\n(\n  { c = "x"\n    d = 2 },\n  { c = 3 }\n)\n').lines

    assert {path: lines[path] for path in lines if path} == {
        ("a",): 2,
        ("b",): 3,
        ("b", 0): 5,
        ("b", 0, "c"): 5,
        ("b", 0, "d"): 6,
        ("b", 1): 7,
        ("b", 1, "c"): 7,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = (1,\n", "x.cnf:2: is not libconfig: the file ends where"),
        (
            "a = 1\nb = 'secret'\n",
            "x.cnf:2: is not libconfig: a character at column 5 begins nothing (texts stand in double quotes)",
        ),
        ('a = 1\nb "secret"\n', "x.cnf:2: is not libconfig: column 3 has something else where : or = is expected"),
        ('a = 1\nb = "secret\n', "x.cnf:2: is not libconfig: the text that begins at column 5 has no end"),
        ("a = 1\n/* secret\n", "x.cnf:2: is not libconfig: the comment that begins at column 1 has no end"),
        (f"a = 1\nb = (1, {'9' * 5000})\n", "x.cnf:2: b[1]: has more than 100 digits"),
        (f"a = 1\nb = 0x{'9' * 5000}\n", "x.cnf:2: b: has more than 100 digits"),
        ('a = (1,\n@include "secret.cnf"\n)\n', "x.cnf:2: has an @include"),
        ("a = 1\n\na = 2\n", "x.cnf:1: a: is given twice, in lines 1 and 3"),
        ('a = 1\n@include "other.cnf"\n', "x.cnf:2: has an @include of a file that cannot be used: there is no such file"),
        ("a = 1\n@include other.cnf\n", "x.cnf:2: has an @include that does not name a file in quotes"),
        ("a = 1\nb = { c = 1\n d = { e = 1 }\n", "x.cnf:3: is not libconfig: the file ends where a name or } is expected"),
        ("a = 1\nb = (1 2)\n", "x.cnf:2: is not libconfig: column 8 has something else where , or ) is expected"),
        ("a =\n\n;", "x.cnf:3: is not libconfig: column 1 has something else where a value is expected"),
        ("a = " + "(" * 3000 + ")" * 3000, "x.cnf:1: a"),
    ],
)
def test_what_is_wrong_has_its_line_and_no_text(text: str, message: str) -> None:
    """A file with passwords is never quoted."""
    with pytest.raises(ConfigError) as caught:
        read_libconfig(text, "x.cnf")

    assert str(caught.value.problems[0]).startswith(message) and "secret" not in str(caught.value)


def test_what_is_included_is_read(tmp_path: Path) -> None:
    """Beside the file that includes it, in its place, in included files too; its lines are that of the include."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "rules.cnf").write_text('{ rule_id = 1 } # first\n, { rule_id = 2; comment = "a\n# b" }\n')
    (tmp_path / "users.cnf").write_text('users = ( { name = "x" } )\n@include "more/rules_of.cnf"\n')
    (tmp_path / "more" / "rules_of.cnf").write_text("last = 1")
    (tmp_path / "gone.cnf").write_text("other = 2")
    text = '@include "users.cnf"\n# @include "gone.cnf"\nrules = (\n  @include "more/rules.cnf"\n  , { rule_id = 3 }\n)\n'

    document = read_libconfig(text, str(tmp_path / "proxysql.cnf"))

    rules = [{"rule_id": 1}, {"rule_id": 2, "comment": "a\n# b"}, {"rule_id": 3}]
    assert document.value == {"users": [{"name": "x"}], "last": 1, "rules": rules}
    assert [document.lines[path] for path in [("users",), ("last",), ("rules", 1, "comment"), ("rules", 2)]] == [1, 1, 4, 5]


def test_files_that_include_each_other_have_an_end(tmp_path: Path) -> None:
    """It is said where it began."""
    path = tmp_path / "x.cnf"
    path.write_text('a = 1\n@include "x.cnf"\n')

    with pytest.raises(ConfigError, match="more than 100 @includes"):
        read_libconfig(path.read_text(), str(path))


@pytest.mark.parametrize(
    "text", ["/* " * 100_000, '"\\' * 100_000, "a = ( " * 100_000, "# \n" * 100_000 + "!", 'a = "x" ' * 3 + '"y" ' * 100_000]
)
def test_no_text_takes_long(text: str) -> None:
    """Whatever is repeated in it: a text that took more than linear time would not end."""
    with pytest.raises(ConfigError):
        read_libconfig(text)
