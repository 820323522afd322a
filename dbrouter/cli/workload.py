"""
A workload for people: the sums in words, what holds calls on the primary, and the largest digests, as tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich import box
from rich.table import Table

from dbrouter.audit.workload import DigestSum, Workload
from dbrouter.cli.output import cell_of, console, problem_lines, table

_REASONS_SHOWN = 10


def show(workload: Workload, sources: Sequence[dict[str, Any]], top: int) -> None:
    """Print *workload*; places that could not be read go to standard error."""
    for source in sources:
        unreadable = f", {source['unreadable']} places unreadable" if source["unreadable"] else ""
        typer.echo(f"{source['name']} ({source['format']}): {_plural(source['statements'], 'statement')}{unreadable}")
    typer.echo(_in_words(workload))
    if workload.total.calls:
        _held(workload)
        _hostgroups(workload)
        _digests(workload, top)
    problem_lines(workload.problems)
    if workload.unreadable > len(workload.problems):
        typer.echo(f"and {workload.unreadable - len(workload.problems)} more places that could not be read", err=True)


def _in_words(workload: Workload) -> str:
    if not workload.total.calls:
        return "no statement was found"
    time_share = workload.replica_time_share
    time = f" and {time_share:.1%} of their {workload.total.seconds:.3g} s" if time_share is not None else ""
    return (
        f"{_plural(workload.total.calls, 'call')}: {workload.reads} reads, {workload.total.calls - workload.reads} writes, "
        f"{workload.session} with session state; replicas could take {workload.replica_share:.1%} of the calls{time}"
    )


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _held(workload: Workload) -> None:
    reasons = workload.reasons()
    if not reasons:
        return
    shown = reasons[:_REASONS_SHOWN]
    left = f" (the first {len(shown)} of {len(reasons)} reasons)" if len(reasons) > len(shown) else ""
    table(
        f"what holds calls on the primary{left}",
        ("calls", "of all", "of time", "by this alone", "reason"),
        (
            (
                str(one.calls),
                _percent(workload.share(one.calls)),
                _percent(workload.time_share(one.seconds)),
                str(one.alone),
                one.reason,
            )
            for one in shown
        ),
    )


def _hostgroups(workload: Workload) -> None:
    if workload.hostgroups:
        ranked = sorted(workload.hostgroups.items(), key=lambda item: item[1].calls, reverse=True)
        table(
            "where the configuration would send them",
            ("hostgroup", "calls", "of all", "of time"),
            (
                (name, str(one.calls), _percent(workload.share(one.calls)), _percent(workload.time_share(one.seconds)))
                for name, one in ranked
            ),
        )


def _digests(workload: Workload, top: int) -> None:
    digests = workload.digests()
    title = f"the {min(top, len(digests))} digests with the most calls, of {len(digests)}" if len(digests) > top else "digests"
    rows = [
        (
            str(one.calls),
            _percent(workload.share(one.calls)),
            _percent(workload.time_share(one.seconds)),
            f"0x{one.digest:016X}",
            cell_of(" ".join(one.text.split())),
            cell_of(_why(one)),
        )
        for one in digests[:top]
    ]
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, expand=True)
    for place, column in enumerate(("calls", "of all", "of time", "digest")):
        width = max(len(column), *(len(row[place]) for row in rows))
        shown.add_column(column, justify="right", no_wrap=True, min_width=width)
    shown.add_column("statement", no_wrap=True, overflow="ellipsis", ratio=3)
    shown.add_column("held by", overflow="fold", ratio=2)
    for row in rows:
        shown.add_row(*row)
    console().print(shown)
    if workload.other.calls:
        typer.echo(f"{_plural(workload.other.calls, 'call')} of rarer digests are in the sums and in no row")


def _why(one: DigestSum) -> str:
    if one.held:
        return "; ".join(one.held)
    if one.functions:
        return f"nothing, unless a server says otherwise of {', '.join(one.functions)}()"
    return "nothing"
