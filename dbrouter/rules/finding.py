"""
Finding: one thing `dbrouter lint` has to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The configuration does not load."""
    WARNING = "warning"
    """It does something else than it says."""
    NOTE = "note"
    """Worth knowing; may be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One finding.

    Attributes:
        code: names its kind and never changes.
        path: where in the configuration, as problems have it (``query_rules[2]``); rules by their place in ascending order.
        rule_id: the rule, where it is about one.
    """

    code: str
    severity: Severity
    message: str
    path: str
    rule_id: int | None = None
