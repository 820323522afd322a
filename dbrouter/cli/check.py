"""``dbrouter check``: is this configuration right, and (``--connect``) do the servers agree?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from dbrouter.cli.connect import Seen, judge, look_at_all
from dbrouter.cli.output import document, fail, problem_dict, problem_lines, table
from dbrouter.config import RouterConfig, load
from dbrouter.errors import ConfigError


def check(
    file: Annotated[str, typer.Argument(help="The configuration file.")],
    connect: Annotated[bool, typer.Option("--connect", help="Reach every server too: roles, limits.")] = False,
    processes: Annotated[int, typer.Option(help="Processes that will run with this configuration.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Validate a configuration; with --connect also reach every server, compare its role and its max_connections."""
    try:
        config = load(file)
        seen = asyncio.run(look_at_all(config)) if connect else []
    except ConfigError as error:
        raise fail(error.problems, as_json) from None
    problems = judge(seen, processes)
    if as_json:
        document(
            {
                "ok": not problems,
                **_contents(config),
                "problems": [problem_dict(problem) for problem in problems],
                **({"processes": processes, "servers": [one.as_dict() for one in seen]} if connect else {}),
            }
        )
    else:
        typer.echo(f"{file}: the configuration is valid: {_counted(config)}")
        if connect:
            _show(seen, processes)
        problem_lines(problems)
    if problems:
        raise typer.Exit(1)


def _contents(config: RouterConfig) -> dict[str, Any]:
    return {
        "databases": list(config.databases),
        "hostgroups": [hostgroup.name for hostgroup in config.hostgroups],
        "nodes": len({(group.database, server.node_id) for group in config.hostgroups for server in group.servers}),
        "rules": sum(rule.active for rule in config.query_rules),
    }


def _counted(config: RouterConfig) -> str:
    counts = [(name, len(value) if isinstance(value, list) else value) for name, value in _contents(config).items()]
    return ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in counts)


def _show(seen: Sequence[Seen], processes: int) -> None:
    table(
        "servers",
        ("database", "hostgroup", "server", "answer", "role", "version", "connect", f"pool × {processes}", "server gives"),
        (
            (
                one.database,
                one.hostgroup,
                one.node,
                "no" if one.error else "yes",
                "" if one.error else str(one.role),
                one.version,
                "" if one.error else f"{one.seconds * 1000:.0f} ms",
                str(one.pool * processes),
                "" if one.usable is None else str(one.usable),
            )
            for one in seen
        ),
    )
