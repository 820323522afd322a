"""``dbrouter import``: configurations of other tools as one of ours, with a report of what became of each value."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from dbrouter.cli.output import document, fail, write_private
from dbrouter.config.proxysql import Note, Outcome
from dbrouter.errors import ConfigError
from dbrouter.interchange.importing import Imported, import_proxysql
from dbrouter.interchange.read import Format

app = typer.Typer(name="import", no_args_is_help=True, help="Make a configuration of what another tool has.")


@app.callback()
def root() -> None:
    """Make a configuration of what another tool has."""


@app.command()
def proxysql(
    file: Annotated[str, typer.Argument(help="proxysql.cnf, proxysql.db, a dump of the admin tables, or YAML of that shape.")],
    output: Annotated[str | None, typer.Option(help="Write the configuration there instead of to standard output.")] = None,
    format: Annotated[Format | None, typer.Option(help="How FILE is written, where its name and beginning do not tell.")] = None,
    user: Annotated[str | None, typer.Option(help="Import what this user of ProxySQL reaches, and nothing else.")] = None,
    dbname: Annotated[str | None, typer.Option(help="The database on the servers, where ProxySQL does not know it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    with_passwords: Annotated[bool, typer.Option("--with-passwords", help="Write passwords instead of ${VARIABLES}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document: the configuration and the report.")] = False,
) -> None:
    """Read ProxySQL's configuration and write ours, with a compatibility report on standard error."""
    try:
        imported = import_proxysql(
            file, format=format, user=user, dbname=dbname, with_passwords=with_passwords, environ=os.environ
        )
    except ConfigError as error:
        raise fail(error.problems, as_json) from None
    text = imported.yaml(Path(file).name)
    if output is not None:
        write_private(output, text, private=with_passwords, force=force)
    if as_json:
        document(
            {
                "ok": not imported.lost,
                "configuration": imported.value,
                "variables": {name: f"password of {database}" for database, name in imported.variables.items()},
                "report": [note.as_dict() for note in imported.notes],
                "lost": imported.lost,
            }
        )
    else:
        if output is None:
            typer.echo(text, nl=False)
        _report(file, imported)
    if imported.lost:
        raise typer.Exit(1)


def _report(file: str, imported: Imported) -> None:
    for line in report_lines(imported.notes):
        typer.echo(line, err=True)
    counts = Counter(note.outcome for note in imported.notes)
    counted = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    config = imported.config
    typer.echo(
        f"{file}: {counted}; {len(config.databases)} databases, {len(config.hostgroups)} hostgroups, "
        f"{len(config.query_rules)} rules",
        err=True,
    )
    if imported.lost:
        typer.echo(
            f"not carried, although active: {', '.join(imported.lost)}; write them anew before you rely on the rest", err=True
        )
    for database, name in imported.variables.items():
        typer.echo(f"set {name} to the password of database {database} before you start (or import --with-passwords)", err=True)
    sys.stderr.flush()


def report_lines(notes: Iterable[Note]) -> list[str]:
    """What was changed or dropped, one line for all values of a table that share a reason; what was kept needs no line."""
    groups: dict[tuple[str, Outcome, str], list[str]] = {}
    for note in notes:
        if note.outcome is not Outcome.KEPT:
            what = " ".join(part for part in (note.row, note.column) if part)
            groups.setdefault((note.table, note.outcome, note.why), []).append(what)
    return [
        f"{outcome}: {table} {', '.join(dict.fromkeys(what for what in whats if what))}".rstrip() + f": {why}"
        for (table, outcome, why), whats in groups.items()
    ]
