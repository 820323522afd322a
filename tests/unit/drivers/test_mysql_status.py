"""The word that `Result.status` begins with on MySQL, whatever stands in front of it."""

from __future__ import annotations

import pytest

from dbrouter.drivers.mysql import first_keyword

BLANKS = " " * 200
COMMENTS = "/*a*/" * 200


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SELECT 1", "SELECT"),
        ("  ( (select 1))", "SELECT"),
        ("/* x */ -- y\n # z\n INSERT INTO t VALUES (1)", "INSERT"),
        ("--\tx\nSELECT 1", "SELECT"),
        ("--\x0bx\nSELECT 1", "SELECT"),
        ("/*Monthly report*/ SELECT 1", "SELECT"),
        ("/*!50000 (SELECT 1) */", "SELECT"),
        ("/*M!100100 SET @a = 1 */", "SET"),
        (f"{BLANKS}/*Monthly report*/ SELECT 1", "SELECT"),
        (f"{BLANKS}/*!50000 (SELECT 1) */", "SELECT"),
        (f"{COMMENTS} UPDATE t SET a = 1", "UPDATE"),
        (f"{BLANKS}1", "OK"),
        (f"{COMMENTS}1", "OK"),
        (f"{BLANKS}/* never ended", "OK"),
        ("--1", "OK"),
        ("", "OK"),
    ],
)
def test_the_first_word_behind_blanks_and_comments(text: str, word: str) -> None:
    """Every kind of comment is passed over, and a text without a word is not tried in all the ways to split its blanks."""
    assert first_keyword(text) == word
