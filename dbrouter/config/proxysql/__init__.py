"""
ProxySQL's configuration in our shape: `is_proxysql` tells it, `convert` rewrites it and reports what became of every value.

The conversion is pure and knows plain values only; files, SQLite and dumps are read by `dbrouter.interchange`.
"""

from __future__ import annotations

from dbrouter.config.proxysql.convert import convert
from dbrouter.config.proxysql.output import Conversion
from dbrouter.config.proxysql.report import Note, Outcome
from dbrouter.config.proxysql.tables import is_proxysql

__all__ = ["Conversion", "Note", "Outcome", "convert", "is_proxysql"]
