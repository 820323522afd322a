"""
Long lists of rows in a YAML file, read ahead of the YAML parser: `fold` takes lines as ``- {rule_id: 7, apply: true}`` out of it.

A file may have 50,000 rules, and a parser in Python reads some 20,000 values a second. Lines that hold one mapping of plain
values each, and that can be read in one way only, are read by one pattern; one mark stands for every unbroken run of them, and
the lines stay where they were. Whoever composes the rest finds the marks: where one is missing (it stood in a block of text, say)
nothing was gained, and the whole text must be read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

SHORTEST_RUN = 20
"""Fewer rows are not worth a mark."""

_WORD = r"[A-Za-z_][A-Za-z0-9_.\-]*+(?: [A-Za-z0-9_.\-]++)*+"
_KEY = r"[A-Za-z_][A-Za-z0-9_]*+"
_VALUE = rf"""(?:'(?:[^']|'')*+'|"[^"\\]*+"|-?(?:0|[1-9][0-9]{{0,17}}+)(?:ms|[smhd])?|{_WORD})"""
_CHARACTERS = r"[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""What YAML's versions agree to be printable and no line break."""
_ROW = re.compile(rf"( *- )\{{({_KEY}: {_VALUE}(?:, {_KEY}: {_VALUE})*+)\}}")
_PAIR = re.compile(rf"({_KEY}): ({_VALUE})(?:, )?")
_PRINTABLE = re.compile(rf"{_CHARACTERS}*+")
_NUMBER = re.compile(r"-?[0-9]++")
_SURE = {"true": True, "false": False, "null": None}
_UNSURE = re.compile(r"(?i:y|n|yes|no|on|off|null|true|false)")
"""Words of which some spelling, or some version of YAML, makes something else than text."""


@dataclass(slots=True)
class Folded:
    """
    A text without its rows.

    Attributes:
        text: the rest; as many lines as before.
        runs: the rows that each mark stands for.
    """

    text: str
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def fold(text: str) -> Folded:
    """*text* with a mark, which is a text in quotes, in place of every unbroken run of rows."""
    mark = "rows of this file"
    if text.count("- {") < SHORTEST_RUN or mark in text:
        return Folded(text)
    folded = Folded(text)
    lines: list[str] = []
    for prefix, run in groupby(_read(text), key=lambda found: found[1]):
        held = list(run)
        if prefix is None or len(held) < SHORTEST_RUN:
            lines += [line for line, _, _ in held]
        else:
            name = f"{mark}, {len(folded.runs)}"
            folded.runs[name] = [row for _, _, row in held if row is not None]
            lines += [f'{prefix}"{name}"', *[""] * (len(held) - 1)]
    folded.text = "\n".join(lines)
    return folded


def _read(text: str) -> Iterator[tuple[str, str | None, dict[str, Any] | None]]:
    """Each line, with what its row begins with and the row where it is one."""
    for line in text.split("\n"):
        found = _ROW.fullmatch(line)
        row = _row(found[2]) if found is not None and _PRINTABLE.fullmatch(line) else None
        yield line, found[1] if found is not None and row is not None else None, row


def _row(pairs: str) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    count = 0
    for key, written in _PAIR.findall(pairs):
        first = written[0]
        if first == "'":
            row[key] = written[1:-1].replace("''", "'")
        elif first == '"':
            row[key] = written[1:-1]
        elif _NUMBER.fullmatch(written):
            row[key] = int(written)
        elif written in _SURE:
            row[key] = _SURE[written]
        elif _UNSURE.fullmatch(written):
            return None
        else:
            row[key] = written
        count += 1
    return row if len(row) == count else None
