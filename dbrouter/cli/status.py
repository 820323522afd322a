"""``dbrouter status``: the health of a running service, from its health endpoints (`dbrouter.integrations.asgi`), as tables."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from dbrouter.cli.output import document, fail, harmless, table
from dbrouter.errors import Problem

_BIGGEST = 16 * 1024 * 1024
"""Bytes of an answer; more is not a health report."""


class _UnreachableError(Exception):
    """The service did not answer as a health endpoint does; the message says how."""


def status(
    url: Annotated[str, typer.Argument(help="Where the health application is mounted, e.g. http://127.0.0.1:8000/internal.")],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for each answer.", min=0.001)] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document: health and breakers.")] = False,
) -> None:
    """Show nodes, breakers and pools of a running service. Exit 1 where its status is fail, or it cannot be asked."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter("give an http:// or https:// address", param_hint="URL")
    base = url.rstrip("/")
    try:
        health = _get(f"{base}/health", timeout)
        breakers = _get(f"{base}/breakers", timeout)
    except _UnreachableError as error:
        raise fail([Problem(message=str(error))], as_json) from None
    if as_json:
        document({"health": health, "breakers": breakers})
    else:
        _show(base, health, breakers)
    if health.get("status") not in ("pass", "warn"):
        raise typer.Exit(1)


def _get(url: str, timeout: float) -> dict[str, Any]:
    host = urlsplit(url).hostname
    handlers = [urllib.request.ProxyHandler({})] if host in ("localhost", "127.0.0.1", "::1") else []
    try:
        try:
            with urllib.request.build_opener(*handlers).open(url, timeout=timeout) as answer:
                body = answer.read(_BIGGEST)
        except urllib.error.HTTPError as error:
            # A failing service answers 503 with the same document.
            body, code = error.read(_BIGGEST), error.code
            if code != 503:
                raise _UnreachableError(f"{url} answers {code}; is the health application mounted there?") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _UnreachableError(f"{url}: {type(error).__name__}: {reason}") from None
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _UnreachableError(f"{url} answers something that is no JSON object; is the health application mounted there?")
    return found


def _show(base: str, health: dict[str, Any], breakers: dict[str, Any]) -> None:
    typer.echo(harmless(f"{base}: {health.get('status')}"))
    if isinstance(configuration := health.get("configuration"), dict):
        typer.echo(harmless(_configuration(configuration)))
    checks = health.get("checks", {})
    table("nodes", ("node", "database", "status", "role", "last sample", "output"), _rows(checks, "role", _node))
    table("pools", ("node", "hostgroup", "in use", "idle", "waiting", "size", "max"), _rows(checks, "pool", _pool))
    table(
        "breakers",
        ("node", "state", "failure rate", "calls", "failed", "not permitted", "retry after", "why"),
        (_breaker(node, entry) for node, entry in breakers.get("circuitBreakers", {}).items()),
    )


def _configuration(told: dict[str, Any]) -> str:
    rejected = told.get("rejected")
    trouble = f"; a reload was rejected at {rejected.get('time')}, the log has why" if isinstance(rejected, dict) else ""
    return f"configuration: generation {told.get('generation')}, since {told.get('since')}{trouble}"


def _rows(checks: dict[str, Any], measurement: str, row: Any) -> Iterator[Sequence[str]]:
    for key, entries in checks.items():
        node, _, name = key.rpartition(":")
        if name == measurement:
            for entry in entries:
                yield row(node, entry)


def _node(node: str, entry: dict[str, Any]) -> Sequence[str]:
    age = entry.get("age")
    sample = "never" if age is None else f"{age:.2f} s ago"
    return node, _cell(entry, "database"), _cell(entry, "status"), _cell(entry, "observedValue"), sample, _cell(entry, "output")


def _pool(node: str, entry: dict[str, Any]) -> Sequence[str]:
    return node, *(_cell(entry, key) for key in ("hostgroup", "observedValue", "idle", "waiting", "size", "max"))


def _breaker(node: str, entry: dict[str, Any]) -> Sequence[str]:
    keys = ("state", "failureRate", "bufferedCalls", "failedCalls", "notPermittedCalls", "retryAfter", "why")
    return node, *(_cell(entry, key) for key in keys)


def _cell(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return "" if value is None else str(value)
