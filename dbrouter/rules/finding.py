"""
Finding: one thing `dbrouter lint` has to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dbrouter.config.problems import Path


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
        path: where in the configuration, or in the draft of one.
        rule_id: the rule, where it is about one.
    """

    code: str
    severity: Severity
    message: str
    path: Path
    rule_id: int | None = None
