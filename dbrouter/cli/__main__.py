"""
The command ``dbrouter``: one file a command, put together here.

Exit codes: 0 fine, 1 a problem found, 2 wrong usage. typer and rich come with the extra `cli`; without it the command says so.
"""

from __future__ import annotations

import os
import sys
from typing import Any


def main() -> None:
    """Run the command line; never returns."""
    # A command's own output is its report; events go to a log only where somebody asks for it.
    os.environ.setdefault("DBROUTER_LOG", "off")
    try:
        app = build_app()
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(f"the command line needs {error.name}, which comes with an extra: pip install 'dbrouter[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    app()


def build_app() -> Any:
    """
    The typer application with every command.

    Raises:
        ModuleNotFoundError: the extra `cli` is not installed.
    """
    import typer

    from dbrouter import __version__
    from dbrouter.cli.check import check
    from dbrouter.cli.classify import classify
    from dbrouter.cli.demo import demo
    from dbrouter.cli.explain import explain
    from dbrouter.cli.export import app as export
    from dbrouter.cli.import_ import app as import_
    from dbrouter.cli.lint import lint
    from dbrouter.cli.schema import schema
    from dbrouter.cli.status import status

    app = typer.Typer(name="dbrouter", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

    def show_version(wanted: bool) -> None:
        if wanted:
            typer.echo(f"dbrouter {__version__}")
            raise typer.Exit

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", callback=show_version, is_eager=True, help="Print the version and exit."
        ),
    ) -> None:
        """Reads to healthy replicas, everything else to the primary, for PostgreSQL and MySQL."""

    for command in (demo, check, classify, explain, lint, schema, status):
        app.command()(command)
    app.add_typer(import_)
    app.add_typer(export)
    return app


if __name__ == "__main__":
    main()
