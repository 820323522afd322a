"""
The configuration: what users write (YAML or a mapping) becomes a frozen, checked `RouterConfig`, or a `ConfigError` with every
problem at once.

pydantic, ruamel.yaml and google-re2 are known to this room alone.
"""

from __future__ import annotations

from dbrouter.config.json_schema import json_schema
from dbrouter.config.load import load, loads
from dbrouter.config.model import (
    DatabaseSettings,
    FunctionPolicy,
    HostgroupSettings,
    RouterConfig,
    ServerSettings,
    SessionStatements,
    TlsMode,
    TlsSettings,
    Via,
)
from dbrouter.config.rules import FastRouteSettings, RuleSettings
from dbrouter.config.schema import BreakerSettings, PoolSettings, ProbeSettings, RetrySettings, TimeoutSettings

__all__ = [
    "BreakerSettings",
    "DatabaseSettings",
    "FastRouteSettings",
    "FunctionPolicy",
    "HostgroupSettings",
    "PoolSettings",
    "ProbeSettings",
    "RetrySettings",
    "RouterConfig",
    "RuleSettings",
    "ServerSettings",
    "SessionStatements",
    "TimeoutSettings",
    "TlsMode",
    "TlsSettings",
    "Via",
    "json_schema",
    "load",
    "loads",
]
