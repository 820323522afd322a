"""
Which hostgroup a text means: `HostgroupNames.id_of` answers the id for a name, wherever a configuration may write one for the
other.

A name is only called unknown where every name could be read, and only once where a database says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.config.rules import MAX_ID

UNKNOWN_ID = MAX_ID
"""Stands for a hostgroup that nobody can tell the id of, after that was reported."""


class HostgroupNames:
    """The names of the hostgroups of one document."""

    __slots__ = ("_ids", "_missed", "_problems", "_unsure")

    def __init__(self, ids: Mapping[str, int], problems: Problems, *, unsure: bool = False) -> None:
        """
        Args:
            ids: by name.
            unsure: whether there are hostgroups whose names could not be read.
        """
        self._ids = dict(ids)
        self._unsure = unsure
        self._missed: set[str] = set()
        self._problems = problems

    @classmethod
    def of(cls, listed: Any, problems: Problems) -> HostgroupNames:
        """Those of the list under `hostgroups`; a hostgroup whose id cannot be read has a name all the same."""
        ids: dict[str, int] = {}
        unsure = not isinstance(listed, list)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            written = item.get("name") if isinstance(item, dict) else None
            number = as_id(item.get("id")) if isinstance(item, dict) else None
            if problems.doubts(("hostgroups", index, "name")) or (written and not isinstance(written, str)):
                unsure = True
            elif written:
                unsure = unsure or written in ids
                ids.setdefault(written, UNKNOWN_ID if number is None else number)
            elif number is not None:
                ids.setdefault(f"hostgroup-{number}", number)
            else:
                unsure = True
        return cls(ids, problems, unsure=unsure)

    def known_by(self, aliases: Mapping[str, int], problems: Problems) -> HostgroupNames:
        """These and *aliases*, for another document, of which *problems* are."""
        names = HostgroupNames({**self._ids, **aliases}, problems, unsure=self._unsure)
        names._missed = self._missed
        return names

    def id_of(self, written: Any, path: Path, *, own: bool = False) -> Any:
        """
        The id of the hostgroup that *written* names, `UNKNOWN_ID` where that cannot be told; anything but a name is answered
        as it is.

        Args:
            own: whether a database says so of a hostgroup of its own: rules that name it too are not reported again.
        """
        if not isinstance(written, str) or as_id(written) is not None:
            return written
        number = self._ids.get(written)
        if number is not None:
            return number
        if not self._unsure and written not in self._missed:
            near = did_you_mean(written, self._ids)
            shown = f"{self._problems.show(path, written)}{near}; there are {', '.join(self._ids) or 'none'}"
            self._problems.add(path, f"there is no hostgroup named {shown}", expected=", ".join(self._ids))
        if own and not self._problems.forsaken(path):
            self._missed.add(written)
        self._problems.suspect(path)
        return UNKNOWN_ID


def as_id(value: Any) -> int | None:
    """The id that *value* writes, also as text; None where it writes none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11 else None
