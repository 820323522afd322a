"""
Shadows: which rule is never matched because an earlier one that applies matches whatever it matches.

Rules are handed in one by one, in their order. Earlier rules are found by what they ask for, so that ten thousand rules need not
all be compared with each other.
"""

from __future__ import annotations

from dbrouter.config.rules import RuleSettings
from dbrouter.rules.implied import demand, implied

_BEGINNINGS = ("match_digest", "match_pattern", "client_addr")
_VALUES = ("digest", "tag", "username", "schemaname", "proxy_addr", "proxy_port", "kind", "intent", "database")

_Shape = tuple[tuple[str, ...], str, int]
"""What a rule asks for: names of criteria that must be equal, one that must begin with something, and the length of that."""


class Shadows:
    """
    The rules so far.

    Args:
        one_database: there is no other database, so that `database` tells nothing apart.
    """

    __slots__ = ("_count", "_found_by", "_names", "_one_database", "_rewritten_at", "_set_at", "_shapes")

    def __init__(self, *, one_database: bool = False) -> None:
        self._one_database = one_database
        self._names = tuple(name for name in _VALUES if not (one_database and name == "database"))
        self._count = 0
        self._shapes: set[_Shape] = set()
        self._found_by: dict[tuple[_Shape, int, tuple[object, ...], str], list[tuple[int, RuleSettings]]] = {}
        """Earlier rules that apply, with their places, by shape, flag, values and beginning."""
        self._set_at: dict[int, int] = {}
        """By flag: the place of the last rule that may set it."""
        self._rewritten_at = -1

    def add(self, rule: RuleSettings, flags: set[int]) -> RuleSettings | None:
        """
        The nearest earlier rule in whose shadow *rule* is, or None.

        Args:
            rule: active, and behind all that were added before.
            flags: those that a match of *rule* may go on with.
        """
        found = self._shadow(rule)
        place = self._count
        self._count += 1
        if rule.apply:
            self._index(place, rule)
        else:
            for flag in flags:
                self._set_at[flag] = place
            if rule.replace_pattern is not None:
                self._rewritten_at = place
        return found

    def _index(self, place: int, rule: RuleSettings) -> None:
        names = tuple(name for name in self._names if getattr(rule, name) is not None)
        name, beginning = _beginning(rule)
        shape = (names, name, len(beginning))
        values = tuple(getattr(rule, name) for name in names)
        self._shapes.add(shape)
        self._found_by.setdefault((shape, rule.flagIN, values, beginning), []).append((place, rule))

    def _shadow(self, rule: RuleSettings) -> RuleSettings | None:
        # Where a rule between them may set the flag, it may have been another one when the earlier rule was looked at.
        since = self._set_at.get(rule.flagIN, -1)
        written = {name: (getattr(rule, name) or "").lower() for name in _BEGINNINGS} | {"": ""}
        nearest: tuple[int, RuleSettings] | None = None
        for shape in self._shapes:
            names, name, length = shape
            values = tuple(getattr(rule, name) for name in names)
            for place, other in reversed(self._found_by.get((shape, rule.flagIN, values, written[name][:length]), ())):
                if place <= since or (nearest is not None and place <= nearest[0]):
                    break
                if implied(rule, other, same_text=place > self._rewritten_at, one_database=self._one_database):
                    nearest = (place, other)
                    break
        return nearest[1] if nearest is not None else None


def _beginning(rule: RuleSettings) -> tuple[str, str]:
    """A criterion of which whatever is in the shadow of *rule* has the same beginning, and that; empty where there is none."""
    for name in _BEGINNINGS:
        written = getattr(rule, name)
        if not written or (rule.negate_match_pattern and name != "client_addr"):
            continue
        beginning = written.removesuffix("%") if name == "client_addr" else demand(written)
        if beginning:
            return name, beginning.lower()
    return "", ""
