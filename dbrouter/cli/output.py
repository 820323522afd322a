"""
How every command speaks: one JSON document, or lines and tables for people; problems one a line.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
        shown.add_row(*(cell_of(cell) for cell in row))
    console().print(shown)


def cell_of(text: str) -> Text:
    """*text* in a table: nothing in it is markup."""
    return Text(harmless(text))


def harmless(text: str) -> str:
    """*text* from elsewhere on one line of a terminal, which it cannot steer: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


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


def write_private(path: str, text: str, *, private: bool, force: bool) -> None:
    """
    Write *text* to the file at *path*: the whole of it or nothing. A *private* one is readable by its owner alone, from the first
    byte on.

    Args:
        force: what is there already may be replaced.

    Raises:
        typer.BadParameter: there is something already, or it cannot be written.
    """
    refuse_existing([path], force=force)
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe, or /dev/stdout
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
        else:
            _replace(os.path.realpath(path), text, private)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--output") from None


def refuse_existing(paths: Iterable[str], *, force: bool) -> None:
    """
    See that nothing is overwritten that nobody spoke of.

    Raises:
        typer.BadParameter: one of *paths* is a file, and *force* is not given.
    """
    there = [path for path in paths if os.path.isfile(path)]
    if there and not force:
        raise typer.BadParameter(f"{', '.join(there)} is there already; --force replaces it", param_hint="--output")


def _replace(path: str, text: str, private: bool) -> None:
    """Write beside *path* and move it there, so that nobody ever sees a part of it."""
    beside = f"{path}.{os.getpid()}.new"
    mode = 0o600 if private else stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else None
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            if mode is not None:
                os.fchmod(descriptor, mode)
            stream.write(text)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
