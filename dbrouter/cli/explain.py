"""``dbrouter explain``: where a statement would go and why, from the configuration alone; nothing is connected."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from dbrouter.cli.output import document, fail
from dbrouter.config import RouterConfig, load
from dbrouter.errors import ConfigError, ParameterError
from dbrouter.router.build import build
from dbrouter.router.caller import context
from dbrouter.router.explanation import Explanation
from dbrouter.router.router import Router


def explain(
    sql: Annotated[str, typer.Argument(help="The statement; - reads it from standard input.")],
    config: Annotated[str, typer.Option(help="The configuration file.")],
    database: Annotated[str | None, typer.Option(help="Name of a database of it; the default database without it.")] = None,
    tag: Annotated[str | None, typer.Option(help="The call's tag, as rules see it.")] = None,
    username: Annotated[str | None, typer.Option(help="Who calls, as rules see it.")] = None,
    schemaname: Annotated[str | None, typer.Option(help="The schema, as rules see it.")] = None,
    client_addr: Annotated[str | None, typer.Option(help="The client's address, as rules see it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show the hostgroup and the candidates of a statement, every rule that was looked at, and why."""
    text = sys.stdin.read() if sql == "-" else sql
    try:
        loaded = load(config)
        if database is not None and database not in loaded.databases:
            raise typer.BadParameter(f"{database!r} is not one of {', '.join(loaded.databases)}", param_hint="--database")
        with context(username=username, schemaname=schemaname, client_addr=client_addr):
            found = asyncio.run(_explain(loaded, database, tag, text))
    except ConfigError as error:
        raise fail(error.problems, as_json) from None
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        document(found.as_dict())
    else:
        typer.echo(str(found))


async def _explain(config: RouterConfig, database: str | None, tag: str | None, sql: str) -> Explanation:
    router = Router(build(config))
    try:
        return (router if database is None else router.database(database)).explain(sql, tag=tag)
    finally:
        await router.aclose(timeout=0.0)
