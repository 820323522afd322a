"""``dbrouter export``: a configuration of ours for other tools, with a list of what they cannot say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dbrouter.cli.import_ import report_lines
from dbrouter.cli.output import document, fail, refuse_existing, write_private
from dbrouter.config import RouterConfig, load
from dbrouter.config.proxysql import Note
from dbrouter.errors import ConfigError
from dbrouter.interchange.exporting import export_proxysql, placeholders
from dbrouter.interchange.pgbouncer import LISTEN_PORT, MAX_CLIENTS, export_pgbouncer

app = typer.Typer(name="export", no_args_is_help=True, help="Write a configuration for another tool.")
Config = Annotated[str, typer.Option(help="The configuration file.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document: what is written and the report.")]


class Format(StrEnum):
    """How ProxySQL's tables are written."""

    SQL = "sql"
    CNF = "cnf"


@app.callback()
def root() -> None:
    """Write a configuration for another tool."""


@app.command()
def proxysql(
    config: Config,
    format: Annotated[Format, typer.Option(help="For the admin interface, or for proxysql.cnf.")] = Format.SQL,
    output: Annotated[str | None, typer.Option(help="Write there instead of to standard output.")] = None,
    force: Force = False,
    with_passwords: Annotated[bool, typer.Option("--with-passwords", help="Write passwords instead of ${VARIABLES}.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say a configuration in ProxySQL's tables; what they cannot say goes to standard error."""
    exported = export_proxysql(_load(config, as_json), with_passwords=with_passwords)
    text = exported.sql if format is Format.SQL else exported.cnf
    if output is not None:
        write_private(output, text, private=with_passwords, force=force)
    if as_json:
        document(
            {
                "ok": True,
                "tables": exported.tables,
                "variables": {name: f"password of {database}" for database, name in exported.variables.items()},
                "report": [note.as_dict() for note in exported.notes],
            }
        )
        return
    if output is None:
        typer.echo(text, nl=False)
    _report(exported.notes, list(placeholders(exported)))


@app.command()
def pgbouncer(
    config: Config,
    output: Annotated[Path, typer.Option(help="The folder for pgbouncer.ini, userlist.txt and dbrouter.yaml.")],
    host: Annotated[str, typer.Option(help="Where PgBouncer listens, and routers reach it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.", min=1, max=65535)] = LISTEN_PORT,
    auth_file: Annotated[str | None, typer.Option(help="userlist.txt as PgBouncer finds it; the file that is written.")] = None,
    max_clients: Annotated[int, typer.Option(help="Connections that all routers may open to it together.", min=1)] = MAX_CLIENTS,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a PgBouncer for the servers of a configuration, and the router's own configuration in front of it."""
    loaded = _load(config, as_json)
    users = auth_file or str((output / "userlist.txt").absolute())
    try:
        made = export_pgbouncer(loaded, host=host, port=port, auth_file=users, max_clients=max_clients)
    except ConfigError as error:
        raise fail(error.problems, as_json) from None
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be made: {error.strerror}", param_hint="--output") from None
    files = {"pgbouncer.ini": made.ini, "userlist.txt": made.userlist, "dbrouter.yaml": made.yaml}
    refuse_existing([str(output / name) for name in files], force=force)
    for name, text in files.items():
        write_private(str(output / name), text, private=name == "userlist.txt", force=force)
    if as_json:
        written = [str(output / name) for name in files]
        document({"ok": True, "files": written, "router": made.router, "report": [note.as_dict() for note in made.notes]})
        return
    for name in files:
        typer.echo(str(output / name))
    _report(made.notes, [f"start it: pgbouncer {output / 'pgbouncer.ini'}; then run the service with {output / 'dbrouter.yaml'}"])


def _load(config: str, as_json: bool) -> RouterConfig:
    try:
        return load(config, environ=os.environ)
    except ConfigError as error:
        raise fail(error.problems, as_json) from None


def _report(notes: Sequence[Note], next_steps: Sequence[str]) -> None:
    for line in (*report_lines(notes), *next_steps):
        typer.echo(line, err=True)
