"""
``python -m benchmarks``: everything in one run, as ratios, into docs/benchmarks.md.

Servers are started on this machine; nothing else needs to be prepared. ``--quick`` runs a tenth of the calls and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import analysis, mysql, postgresql, scale
from benchmarks.harness import Contender, Ratio, microseconds, throughput
from dbrouter.testing import LocalCluster, LocalPgBouncer, servers
from dbrouter.testing.kinds import ServerKind

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
TASKS = CONNECTIONS = 16


class Report:
    """Collects rows and writes the page."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.missed: list[str] = []

    def say(self, line: str = "") -> None:
        """One line, shown at once."""
        print(line, flush=True)
        self.lines.append(line)

    def goal(self, what: str, figure: float, shown: str, least: float | None = None, most: float | None = None) -> None:
        """A row that has a goal; what misses it is listed at the end."""
        limit = f"≥ {least:g}" if least is not None else f"≤ {most:g}"
        reached = figure >= least if least is not None else figure <= most  # type: ignore[operator]
        self.say(f"| {what} | {shown} | {limit} | {'yes' if reached else '**no**'} |")
        if not reached:
            self.missed.append(f"{what}: {shown}, goal {limit}")


def table(report: Report, contenders: list[Contender], first: Contender) -> None:
    """One row per contender, beside *first*."""
    report.say("| client | calls/s, median | client CPU µs a call | dbrouter is … times as fast |")
    report.say("|---|---|---|---|")
    for contender in sorted(contenders, key=lambda one: -statistics.median(one.rates)):
        ratio = "–" if contender is first else str(Ratio.of(first.rates, contender.rates))
        report.say(f"| {contender.name} | {statistics.median(contender.rates):,.0f} | {microseconds(contender.cpu)} | {ratio} |")
    report.say()


async def on_postgresql(report: Report, cluster: Any, bouncer: Any, calls: int, rounds: int) -> None:
    """The PostgreSQL part."""
    dsn = cluster.primary.dsn()
    await postgresql.prepare(dsn)
    makers: list[Any] = [
        (postgresql.router, dsn, CONNECTIONS),
        (postgresql.bare, dsn, CONNECTIONS),
        (postgresql.asyncpg_pool, dsn, CONNECTIONS),
        (postgresql.router_execute, dsn, CONNECTIONS),
        (postgresql.hasql_pool, dsn, CONNECTIONS),
        (postgresql.psycopg_pool, dsn, CONNECTIONS),
        (postgresql.sqlalchemy_core, dsn, CONNECTIONS),
        (postgresql.pgbouncer_pool, bouncer.dsn(), CONNECTIONS),
    ]
    async with postgresql.contenders(makers) as contenders:
        await throughput(contenders, tasks=TASKS, calls=calls, rounds=rounds)
        ours, bare, pool = contenders[:3]
        report.say(f"## PostgreSQL 18, one-row read by parameter, {TASKS} tasks, {CONNECTIONS} connections")
        report.say()
        table(report, contenders, ours)
        report.say("| measured against | ratio | goal | reached |")
        report.say("|---|---|---|---|")
        against_pool, against_bare = Ratio.of(ours.rates, pool.rates), Ratio.of(ours.rates, bare.rates)
        report.goal("`asyncpg.Pool.fetch`", against_pool.median, str(against_pool), least=2.5)
        report.goal("bare connections in a deque (the limit)", against_bare.median, str(against_bare), least=0.85)
        for other in contenders[4:]:
            ratio = Ratio.of(ours.rates, other.rates)
            report.goal(other.name, ratio.median, str(ratio), least=1.0)
    async with postgresql.contenders([(postgresql.router, dsn, 1), (postgresql.bare, dsn, 1)]) as contenders:
        await throughput(contenders, tasks=1, calls=calls // 2, rounds=2 * rounds)
        added = [a - b for a, b in zip(contenders[0].cpu, contenders[1].cpu, strict=True)]
        shown = f"{microseconds(added)} µs"
        report.goal("added to one call over `Connection.fetch`, client CPU", statistics.median(added) * 1e6, shown, most=3)
    report.say()


async def on_mysql(report: Report, cluster: Any, calls: int, rounds: int) -> None:
    """The MySQL part."""
    dsn = cluster.primary.dsn()
    await mysql.prepare(dsn)
    makers: list[Any] = [
        (mysql.router, dsn, CONNECTIONS),
        (mysql.bare, dsn, CONNECTIONS),
        (mysql.aiomysql_pool, dsn, CONNECTIONS),
        (mysql.router_asyncmy, dsn, CONNECTIONS),
        (mysql.bare_asyncmy, dsn, CONNECTIONS),
        (mysql.asyncmy_pool, dsn, CONNECTIONS),
    ]
    async with postgresql.contenders(makers) as contenders:
        await throughput(contenders, tasks=TASKS, calls=calls, rounds=rounds)
        ours, bare, pool, ours_asyncmy, _, pool_asyncmy = contenders
        report.say(f"## {cluster.kind.value}, one-row read by parameter, {TASKS} tasks, {CONNECTIONS} connections")
        report.say()
        table(report, contenders, ours)
        report.say("| measured against | ratio | goal | reached |")
        report.say("|---|---|---|---|")
        for what, a, b, least in (
            ("`aiomysql` pool", ours, pool, 1.1),
            ("bare aiomysql connections in a deque", ours, bare, 0.9),
            ("`asyncmy` pool, with our `mysql+asyncmy`", ours_asyncmy, pool_asyncmy, 1.15),
        ):
            ratio = Ratio.of(a.rates, b.rates)
            report.goal(what, ratio.median, str(ratio), least=least)
    report.say()


async def growing(report: Report, cluster: Any, calls: int, rounds: int) -> None:
    """What stays flat, what is bounded, what is fair."""
    dsn = cluster.primary.dsn()
    report.say("## As things grow")
    report.say()
    report.say("| measured | figure | goal | reached |")
    report.say("|---|---|---|---|")
    small = dict.fromkeys((10, 1000, 10000), scale.SMALL)
    for what, costs in (
        ("cached call, 1 / 100 / 10,000 rules", await scale.cached(scale.by_rules((1, 100, 10_000)), {}, calls, rounds)),
        ("cached call, 1 / 8 / 32 nodes", await scale.cached(scale.by_nodes((1, 8, 32)), {}, calls, rounds)),
        ("cached call, 10 / 1,000 / 10,000 texts", await scale.cached(small, {count: count for count in small}, calls, rounds)),
    ):
        least = min(costs.values())
        shown = " / ".join(f"{cost * 1e6:.2f}" for cost in costs.values()) + " µs"
        report.goal(
            what, max(costs.values()) / least, f"{shown}; largest {max(costs.values()) / least:.2f} of the smallest", most=1.2
        )
    sight = scale.first_sight(rounds)
    report.goal("first sight of a 200-character statement", statistics.median(sight) * 1e6, f"{microseconds(sight)} µs", most=150)
    for count in (1, 100, 10_000):
        sight = scale.first_sight(rounds, count)
        what = f"first sight of it with {count:,} `match_digest` rules"
        report.goal(what, statistics.median(sight) * 1e6, f"{microseconds(sight)} µs", most=5000)
    early, late, held = scale.many_texts(20 * calls if calls >= 10_000 else 20_000)
    report.goal(
        "200,000 texts in rotation: cost of a late one against an early one", late / early, f"{late / early:.2f}", most=1.2
    )
    report.goal("200,000 texts in rotation: MiB held", held / 2**20, f"{held / 2**20:.1f}", most=64)
    ratios, fewest = await scale.fairness(dsn, 1000, 10, 12, rounds)
    shown = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}); no task had fewer than {fewest} of 12 calls"
    what = "1,000 tasks on 10 connections: p99 wait against the fair share"
    report.goal(what, statistics.median(ratios), shown, most=1.2)
    kept, asked = await scale.cache_hit(dsn, cluster.replicas[0].dsn(), max(200, calls // 8), rounds)
    ratio = Ratio.of(kept, asked)
    report.goal("a result from the cache against a round trip to a replica, one task", ratio.median, str(ratio), least=1)
    refusals = await scale.open_breaker(dsn, 2000)
    report.goal("an open breaker refuses", statistics.median(refusals) * 1e6, f"{microseconds(refusals)} µs", most=20)
    report.say()


def looking(report: Report, rounds: int) -> None:
    """What it costs to look at a statement."""
    report.say("## Looking at a statement never seen before, client CPU")
    report.say()
    report.say("| by | µs a statement | times dbrouter's verdict |")
    report.say("|---|---|---|")
    found = analysis.costs(rounds)
    ours = found["dbrouter: verdict"]
    for name, seconds in found.items():
        shown = "–" if seconds is ours else f"{analysis.median_ratio(seconds, ours):.1f}"
        report.say(f"| {name} | {microseconds(seconds)} | {shown} |")
    report.say()


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls; nothing is written")
    parser.add_argument("--mysql", default="", help="mariadb-10.11 or mysql-9.7; default: what is here")
    arguments = parser.parse_args()
    os.environ.setdefault("DBROUTER_LOG", "off")
    calls, rounds = (1600, 3) if arguments.quick else (16_000, 9)
    report = Report()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    report.say("# Benchmarks")
    report.say()
    report.say("Written by `make bench`.")
    report.say(
        "Contenders take turns within one run; a ratio is of one round, its median stands with the smallest and the largest."
    )
    report.say("uvloop, everything on as by default, breakers closed, statistics on.")
    report.say()
    cores = os.cpu_count()
    report.say(f"Python {platform.python_version()}, {cores} cores shared, commit {commit}, {calls:,} calls × {rounds} rounds.")
    report.say()
    kind = arguments.mysql or next(
        one.value for one in (ServerKind.MARIADB_10_11, ServerKind.MYSQL_9_7) if servers.find(one.value) is not None
    )
    with LocalCluster(ServerKind.POSTGRESQL_18, replicas=1) as cluster:
        with LocalPgBouncer(cluster.primary) as bouncer:
            uvloop.run(on_postgresql(report, cluster, bouncer, calls, rounds))
        uvloop.run(growing(report, cluster, calls, rounds))
    looking(report, rounds)
    with LocalCluster(kind, replicas=0) as cluster:
        uvloop.run(on_mysql(report, cluster, calls, rounds))
    if report.missed:
        report.say("## Goals not reached in this run")
        report.say()
        for line in report.missed:
            report.say(f"- {line}")
    else:
        report.say("Every goal was reached in this run.")
    if not arguments.quick:
        PAGE.write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
