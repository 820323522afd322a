"""
Breadth: at how many places in a pattern a text can be at once, which is what makes even a linear matcher slow.

RE2 builds its automaton while it reads: for each character of a text that it sees for the first time it may have to write down
every place that the text can be at. Loops, anchors and what a pattern says once keep those few. ``a{0,200}b`` is 200 places, and
3,000 rules of that kind held the event loop for seconds at a statement's first sight. So places are counted where a configuration
is loaded, and too many are refused: a place takes about 40 ns for each character of a new text, so that `MAX_BREADTH_OF_ALL`
bounds the first sight of a statement of 200 characters by some tenths of a second, and `MAX_BREADTH` one pattern's share by a
fiftieth.

It is counted in the text of the pattern: every copy that a counted repetition stands for, and every place that takes one of
several characters, but none where a loop stands (`.*`, `\\w+`) and none for a character that is written once.
"""

from __future__ import annotations

import re

MAX_BREADTH = 2_000
"""Of one pattern."""
MAX_BREADTH_OF_ALL = 20_000
"""Of all patterns of a configuration's active rules; the shadow rules count by themselves."""
_INSTRUCTIONS = 12
"""Of RE2's program for one place that takes any character: more of them weigh as more places."""

_TOKEN = re.compile(
    r"(?P<quoted>\\Q.*?(?:\\E|\Z))"
    r"|(?P<edge>\\[bBAz])"
    r"|(?P<class>\\[dDwWsSC]|\\[pP](?:\{[^}]*\}|.)|\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])"
    r"|(?P<literal>\\x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|\\[0-7]{1,3}|\\.)"
    r"|(?P<flags>\(\?[imsU-]*\))"
    r"|(?P<open>\((?:\?P?<\w+>|\?[imsU-]*:)?)"
    r"|(?P<close>\))"
    r"|(?P<count>\{(?P<least>\d+)(?P<more>,(?P<most>\d*))?\}\??)"
    r"|(?P<loop>[*+]\??)"
    r"|(?P<mark>[|^$?])"
    r"|(?P<plain>[^\\\[().{*+|^$?]+|.)",
    re.DOTALL,
)


def breadth(pattern: str, size: int) -> int:
    """
    The number of places of *pattern*.

    Args:
        size: of its compiled program, in instructions; it shows classes of thousands of characters.
    """
    classes = max(0, size - 3 * len(pattern)) // _INSTRUCTIONS
    return max(_places(pattern), classes if classes > 100 else 0)


def _places(pattern: str) -> int:
    open_groups: list[_Group] = []
    group = _Group()
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup if token["count"] is None else "count":
            case "plain":
                group.add(len(token[0]) - 1, 0)
                group.add(1, 0)
            case "literal":
                group.add(1, 0)
            case "class":
                group.add(1, 1)
            case "quoted":
                group.add(max(0, len(token[0].removesuffix("\\E")) - 2), 0)
            case "open":
                open_groups.append(group)
                group = _Group()
            case "close" if open_groups:
                inner, group = group, open_groups.pop()
                group.add(inner.size, inner.broad)
            case "loop":
                group.loop()
            case "count":
                group.repeat(int(token["most"] or token["least"]))
            case _:
                pass
    while open_groups:
        inner, group = group, open_groups.pop()
        group.add(inner.size, inner.broad)
    return group.broad


class _Group:
    """What is open: characters it takes and places among them that count, and the same of its last piece."""

    __slots__ = ("_last_broad", "_last_size", "broad", "size")

    def __init__(self) -> None:
        self.size = self.broad = self._last_size = self._last_broad = 0

    def add(self, size: int, broad: int) -> None:
        self.size += size
        self.broad += broad
        self._last_size, self._last_broad = size, broad

    def loop(self) -> None:
        """The last piece is repeated without count: one that takes one character is a single place that stays."""
        if self._last_size == 1 and self._last_broad == 1:
            self._grow(1, 0)

    def repeat(self, times: int) -> None:
        """The last piece is repeated *times* times: every copy counts, of the first one what counted before."""
        if times > 1:
            self._grow(self._last_size * times, self._last_broad + self._last_size * (times - 1))

    def _grow(self, size: int, broad: int) -> None:
        self.size += size - self._last_size
        self.broad += broad - self._last_broad
        self._last_size, self._last_broad = size, broad
