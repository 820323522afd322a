"""``dbrouter schema``: the JSON Schema of the configuration file, so that editors complete and check it."""

from __future__ import annotations

from dbrouter.cli.output import document
from dbrouter.config.json_schema import json_schema


def schema() -> None:
    """Print the JSON Schema of the configuration file (draft 2020-12)."""
    document(json_schema())
