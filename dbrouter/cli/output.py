"""
How every command speaks: one JSON document, or lines and tables for people; problems one a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from dbrouter.errors import Problem

_PIPE_WIDTH = 200
"""Columns where there is no terminal: tables in files and pipes are not folded."""


def console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough where there is none."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; nothing in *rows* is taken as markup."""
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(cell.replace("[", "\\[") for cell in row))
    console().print(shown)


def document(value: Any) -> None:
    """Print *value* as the one JSON document of ``--json``."""
    typer.echo(json.dumps(value, indent=2, default=str))


def problem_lines(problems: Iterable[Problem]) -> None:
    """Print each problem on its own line, ``file:line: path: message``, to standard error."""
    for problem in problems:
        typer.echo(str(problem), err=True)


def problem_dict(problem: Problem) -> dict[str, Any]:
    """JSON-ready; *got* is left out, because it may be anything, a secret too."""
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "message": problem.message,
        "expected": problem.expected,
    }


def fail(problems: Sequence[Problem], as_json: bool) -> typer.Exit:
    """Print *problems* and give what is to be raised: exit code 1."""
    if as_json:
        document({"ok": False, "problems": [problem_dict(problem) for problem in problems]})
    else:
        problem_lines(problems)
    return typer.Exit(1)


def write_private(path: str, text: str, *, private: bool) -> None:
    """Write *text* to the file at *path*; a *private* one is readable by its owner alone, from the first byte on."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        with open(descriptor, "w", encoding="utf-8") as stream:
            if private:
                os.fchmod(descriptor, 0o600)
            stream.write(text)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--output") from None
