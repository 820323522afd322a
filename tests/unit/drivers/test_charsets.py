"""Character sets in which parameters are escaped."""

from __future__ import annotations

import codecs

from pymysql.charset import _charsets

from dbrouter.terms import UNSAFE_CHARSETS


def test_no_character_becomes_a_quote_or_a_backslash() -> None:
    """In the character sets that are allowed a character beyond ASCII has no byte of ASCII; ujis writes a yen as a backslash."""
    beyond = [chr(number) for number in (*range(0x80, 0x3100), *range(0x4E00, 0xD800, 7), *range(0xE000, 0x11000))]
    known = {charset.name: charset.encoding for charset in _charsets._by_id.values()}
    tried = 0
    for name in known.keys() - UNSAFE_CHARSETS:
        try:
            codecs.lookup(known[name])
        except LookupError:  # then nothing can be sent in it
            continue
        tried += 1
        written = (character.encode(known[name], "ignore") for character in beyond)
        assert not [code for code in written if any(byte < 0x80 for byte in code)], name
    assert tried > 15
