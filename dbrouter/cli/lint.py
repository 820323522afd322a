"""``dbrouter lint``: what a configuration says that it probably does not mean, and which rules a query log never hits."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from dbrouter.audit.formats import Source
from dbrouter.audit.logged import LoggedStatement, Unreadable
from dbrouter.cli.output import document, table
from dbrouter.config import RouterConfig, RuleSettings
from dbrouter.config.survey import Survey, survey
from dbrouter.errors import Problem
from dbrouter.router.build import build
from dbrouter.router.planner import NO_WISH
from dbrouter.rules.finding import Finding, Severity
from dbrouter.rules.lint import lint_draft, reached

_UNTOLD = ("tag", "username", "schemaname", "proxy_port")
"""Criteria about callers that a log does not tell of, and that do not hold where nothing is known."""


@dataclass(slots=True)
class _Hits:
    """What the rules did with the statements of some logs."""

    names: str
    statements: int = 0
    calls: int = 0
    by_rule: Counter[int] = field(default_factory=Counter)
    unreadable: Unreadable | None = None
    """The first place that could not be read."""


def lint(
    file: Annotated[str, typer.Argument(help="The configuration file.")],
    log: Annotated[list[Path] | None, typer.Option(help="A query log: rules that none of its statements hits are named.")] = None,
    database: Annotated[str | None, typer.Option(help="The database whose statements the log has.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Find rules that never match, patterns that match too little, columns without effect, and other likely mistakes."""
    if database is not None and not log:
        raise typer.BadParameter("says whose statements a log has; it needs --log", param_hint="--database")
    seen = survey(file)
    rows = [_row_of_problem(file, problem) for problem in seen.problems]
    rows += [_row(file, seen, finding) for finding in _findings(seen)]
    if seen.shadow is not None:
        about_rules = (finding for finding in _findings(seen.shadow) if finding.rule_id is not None)
        rows += [_row(seen.shadow.places.file or file, seen.shadow, finding) for finding in about_rules]
    hits: _Hits | None = None
    if log and seen.config is not None:
        config = seen.config
        if database is not None and database not in config.databases:
            raise typer.BadParameter(f"{database!r} is not one of {', '.join(config.databases)}", param_hint="--database")
        chosen = database or config.default_database
        hits = asyncio.run(_hits(config, chosen, log))
        rows += [_row(file, seen, finding) for finding in _never_hit(seen, chosen, hits)]
    counts = Counter(row["severity"] for row in rows)
    if as_json:
        _show_json(rows, counts, seen, hits)
    else:
        _show(file, rows, counts, seen, hits)
    if counts["error"] or counts["warning"]:
        raise typer.Exit(1)


def _findings(seen: Survey) -> tuple[Finding, ...]:
    """What can be said of the pieces that could be read; of rules among which one is wrong only what they say themselves."""
    wrong = {problem.path or "" for problem in seen.problems if problem.file == seen.places.file}
    broken = []
    for path, _ in seen.draft.rules:
        shown = seen.places.place(path)[0]
        if any(one == shown or one.startswith(f"{shown}.") for one in wrong):
            broken.append(path)
    return lint_draft(seen.draft, broken, whole=not any(one == "" or "query_rules" in one for one in wrong))


def _row(file: str, seen: Survey, finding: Finding) -> dict[str, Any]:
    path, line = seen.places.place(finding.path)
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "file": file,
        "line": line,
        "path": path,
        "rule_id": finding.rule_id,
        "message": finding.message,
    }


def _row_of_problem(file: str, problem: Problem) -> dict[str, Any]:
    return {
        "code": "invalid",
        "severity": str(Severity.ERROR),
        "file": problem.file or file,
        "line": problem.line,
        "path": problem.path or "",
        "rule_id": None,
        "message": problem.message,
    }


def _show_json(rows: Sequence[dict[str, Any]], counts: Counter[str], seen: Survey, hits: _Hits | None) -> None:
    shown: dict[str, Any] = {"ok": not (counts["error"] or counts["warning"]), "findings": rows}
    if hits is not None:
        shown["statements"], shown["calls"] = hits.statements, hits.calls
        shown["hits"] = {str(rule.rule_id): hits.by_rule[rule.rule_id] for rule in _active(seen)}
    document(shown)


def _show(file: str, rows: Sequence[dict[str, Any]], counts: Counter[str], seen: Survey, hits: _Hits | None) -> None:
    for row in rows:
        place = f"{row['file']}:{row['line']}" if row["line"] is not None else row["file"]
        about = f"rule {row['rule_id']}" if row["rule_id"] is not None else row["path"]
        typer.echo(f"{place}: {row['severity']} {row['code']}: {about + ': ' if about else ''}{row['message']}")
    if hits is not None:
        counted = ((str(rule.rule_id), str(hits.by_rule[rule.rule_id]), rule.comment or "") for rule in _active(seen))
        table("hits", ("rule", "calls", "comment"), counted)
        typer.echo(f"{hits.names}: {hits.calls} calls, {hits.statements} statements")
    said = ((severity, counts[severity]) for severity in Severity if counts[severity])
    summary = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in said)
    typer.echo(f"{file}: {summary or 'nothing to say'}")


def _active(seen: Survey) -> list[RuleSettings]:
    return [rule for rule in (seen.config.query_rules if seen.config is not None else ()) if rule.active]


async def _hits(config: RouterConfig, database: str, logs: Sequence[Path]) -> _Hits:
    """How many calls each rule matches; flags are drawn by weight, alike for equal logs. Connects nothing."""
    parts = build(config)
    rng = random.Random(0)
    hits = _Hits(", ".join(str(log) for log in logs))
    try:
        context = next(context for context in parts.contexts if context.database == database)
        for log in logs:
            try:
                stream = log.open("rb")
            except OSError as error:
                raise typer.BadParameter(f"{log}: {error.strerror}", param_hint="--log") from None
            with stream:
                source = Source(str(log), stream)
                if source.format.engine not in (None, context.engine):
                    told = f"{log} is a log of {source.format.engine}, and {database} is on {context.engine}"
                    raise typer.BadParameter(told, param_hint="--log")
                for entry in source.entries(context.engine):
                    if isinstance(entry, LoggedStatement):
                        plan = context.planner.decide(
                            entry.sql, NO_WISH, draw=lambda _, flags, weights: rng.choices(flags, weights)[0]
                        )
                        hits.statements += 1
                        hits.calls += entry.calls
                        for rule_id in set(plan.hits):
                            hits.by_rule[rule_id] += entry.calls
                    elif hits.unreadable is None:
                        hits.unreadable = entry
    finally:
        await parts.tasks.close()
    if not hits.statements:
        why = f": line {hits.unreadable.line}: {hits.unreadable.why}" if hits.unreadable is not None else ""
        raise typer.BadParameter(f"{hits.names}: there is no statement in it{why}", param_hint="--log")
    return hits


def _never_hit(seen: Survey, database: str, hits: _Hits) -> list[Finding]:
    rules = _active(seen)
    from_zero = reached(rules, [0], again=seen.draft.processing.query_processor_iterations > 0)
    paths = {rule.rule_id: path for path, rule in seen.draft.rules}
    found = []
    for rule in rules:
        if hits.by_rule[rule.rule_id] or rule.database not in (None, database):
            continue
        message = f"none of the {hits.statements} statements of {hits.names} matches it"
        untold = [name for name in _UNTOLD if getattr(rule, name) is not None]
        if rule.rule_id not in from_zero:
            untold.append("next_query_flagIN or mirror_flagOUT")
        if untold:
            message += f"; a log does not tell {' and '.join(untold)}, so calls may"
        found.append(
            Finding(
                code="never-hit",
                severity=Severity.NOTE if untold else Severity.WARNING,
                message=message if untold else f"{message}; leave it out, or see `dbrouter explain` for why",
                path=paths[rule.rule_id],
                rule_id=rule.rule_id,
            )
        )
    return found
