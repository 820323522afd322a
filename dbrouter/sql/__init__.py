"""
Lexical knowledge of both engines: `analyze` says what a text does, `compile_named` rewrites its names.

Imports `terms` and `errors` only; no I/O, no server, no configuration.
"""

from __future__ import annotations

from dbrouter.sql.analyze import Statement, analyze
from dbrouter.sql.parameters import Named, Placeholders, compile_named

__all__ = ["Named", "Placeholders", "Statement", "analyze", "compile_named"]
