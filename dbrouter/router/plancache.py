"""
PlanCache: plans by text, bounded in entries and in bytes.
"""

from __future__ import annotations

from typing import Any

PLAN_CACHE_ENTRIES = 16_384
"""Plans kept in each of the two generations of the cache."""

PLAN_CACHE_BYTES = 16 * 1024 * 1024
"""Bytes of text kept in each generation; a plan weighs its text about twice, so the whole stays under 64 MiB."""

PLAN_TEXT_LIMIT = 64 * 1024
"""Longer texts are planned each time: they are bulk statements, seen once."""


class PlanCache:
    """
    Two generations of plans by key: when the young one is full it becomes the old one, and what is used again moves back.

    O(1), no bookkeeping per hit, bounded in entries and in bytes of text.
    """

    __slots__ = ("_bytes", "_old", "young")

    def __init__(self) -> None:
        self.young: dict[Any, Any] = {}
        """HOT: callers look here first."""
        self._old: dict[Any, Any] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: Any) -> Any:
        """The plan of *key*, brought back to the young generation if it was about to go."""
        plan = self.young.get(key)
        if plan is None:
            plan = self._old.pop(key, None)
            if plan is not None:
                self.put(key, plan, len(key if isinstance(key, str) else key[0]))
        return plan

    def put(self, key: Any, plan: Any, size: int) -> None:
        """Keep *plan* (or what leads to one), unless its text of *size* characters is too long to be worth it."""
        if size > PLAN_TEXT_LIMIT:
            return
        if len(self.young) >= PLAN_CACHE_ENTRIES or self._bytes + 2 * size > PLAN_CACHE_BYTES:
            self._old = self.young
            self.young = {}
            self._bytes = 0
        self.young[key] = plan
        self._bytes += 2 * size + 256

    def clear(self) -> None:
        """Forget everything (rules changed, or a digest was learned to be a write)."""
        self.young.clear()
        self._old.clear()
        self._bytes = 0
