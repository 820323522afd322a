"""
``dbrouter demo``: a real primary with two streaming replicas, a router under load, faults, and a verdict.

Exit 0 only when no call failed and nothing was lost, doubled, mixed up or stuck.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dbrouter import HealthSnapshot, Router, StatsSnapshot
from dbrouter.cli.demoload import Load, Verdict, inject, timetable
from dbrouter.errors import ConfigError
from dbrouter.events import BreakerChanged, Event, NodeRestored, NodeShunned
from dbrouter.terms import Engine, EventLevel
from dbrouter.testing import servers
from dbrouter.testing.cluster import LocalCluster
from dbrouter.testing.kinds import ServerKind

_PREFERRED = {
    Engine.POSTGRESQL: (ServerKind.POSTGRESQL_18, ServerKind.POSTGRESQL_16, ServerKind.POSTGRESQL_15),
    Engine.MYSQL: (ServerKind.MARIADB_10_11, ServerKind.MYSQL_9_7),
}
_SERVERS = ", ".join(kind.value for kind in ServerKind)
_RECOVERY_SECONDS = 15.0
"""How long the nodes may take after the last fault until all of them are in use again."""


def demo(
    engine: str = typer.Option("postgresql", help="postgresql or mysql."),
    server: str = typer.Option("", help=f"A certain server instead: {_SERVERS}."),
    seconds: float = typer.Option(20.0, min=5.0, help="How long the load runs."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON document and nothing else."),
) -> None:
    """Start a real primary with two replicas here, run a load through a router, inject faults, and give a verdict."""
    kind = _kind(engine, server)
    screen = Screen(quiet=as_json)
    screen.say(f"starting {kind.value}: a primary and two streaming replicas on this machine")
    with LocalCluster(kind, replicas=2) as cluster:
        verdict = asyncio.run(_demonstrate(cluster, kind, seconds, screen))
    if as_json:
        print(json.dumps(verdict.as_dict(), indent=2))
    else:
        _print_verdict(verdict)
    raise typer.Exit(0 if verdict.ok else 1)


def _kind(engine: str, server: str) -> ServerKind:
    if server:
        try:
            return ServerKind(server)
        except ValueError:
            raise typer.BadParameter(f"{server!r} is none of {_SERVERS}") from None
    try:
        wanted = _PREFERRED[Engine(engine)]
    except ValueError:
        raise typer.BadParameter(f"engine must be postgresql or mysql, got {engine!r}") from None
    for kind in wanted:
        if servers.find(kind.value) is not None:
            return kind
    names = " or ".join(kind.value for kind in wanted)
    raise ConfigError(f"no {names} on this machine; get one with: python -m dbrouter.testing.servers --install {wanted[0].value}")


async def _demonstrate(cluster: LocalCluster, kind: ServerKind, seconds: float, screen: Screen) -> Verdict:
    configuration = {
        "writer": cluster.primary.dsn(),
        "readers": [replica.dsn() for replica in cluster.replicas],
        "pool": {"min_size": 2, "max_size": 16},
    }
    async with Router.open(configuration, observers=[screen]) as router:
        load = Load(router, kind.engine)
        await load.prepare()
        await asyncio.to_thread(cluster.wait_caught_up)
        before = router.stats()
        started = monotonic()
        faults = timetable(cluster)
        with screen.live(router, load, started, seconds):
            injecting = asyncio.create_task(inject(faults, started, seconds, screen.say), name="faults")
            drawing = asyncio.create_task(screen.draw(router, load, started), name="screen")
            try:
                stuck = await load.run(started + seconds)
                await injecting
                ended = monotonic()
                recovered = await _recovered(router)
            finally:
                for task in (injecting, drawing):
                    task.cancel()
                await asyncio.gather(injecting, drawing, return_exceptions=True)
        lost, doubled = await load.audit()
        tally, share = load.tally, _replica_share(before, router.stats())
        return Verdict(
            engine=str(kind.engine),
            server=kind.value,
            seconds=ended - started,
            calls=tally.calls,
            calls_per_second=tally.calls / (ended - started),
            reads=tally.reads,
            writes=tally.writes,
            replica_share=share,
            errors=tally.errors,
            unknown=tally.unknown,
            lost=lost,
            doubled=doubled,
            mixed=tally.mixed,
            stuck=stuck + (0 if recovered else 1),
            slowest=tally.slowest,
            faults=tuple(fault.text for fault in faults),
            failures=tally.failures,
        )


async def _recovered(router: Router) -> bool:
    """Whether every node is in use again, soon enough."""
    deadline = monotonic() + _RECOVERY_SECONDS
    while not router.health().ready("all"):
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def _replica_share(before: StatsSnapshot, after: StatsSnapshot) -> float:
    counts = {"readers": 0, "all": 0}
    earlier = {(member.hostgroup, member.node): member.reads.count for member in before.members}
    writer = after.members[0].hostgroup
    for member in after.members:
        reads = member.reads.count - earlier[member.hostgroup, member.node]
        counts["all"] += reads
        if member.hostgroup != writer:
            counts["readers"] += reads
    return counts["readers"] / counts["all"] if counts["all"] else 0.0


class Screen:
    """A live table on a terminal, a line a second otherwise, nothing at all when quiet; hears the router's events."""

    level = EventLevel.INFO

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(highlight=False, soft_wrap=True)
        self._tty = not quiet and self._console.is_terminal
        self._live: Live | None = None
        self._started = monotonic()
        self._news: list[str] = []
        self._calls = 0
        self._drawn_at = 0.0

    def observe(self, event: Event) -> None:
        """Tell what the router told."""
        match event:
            case NodeShunned():
                self.say(f"{event.node} shunned: {event.reason} ({event.detail})")
            case NodeRestored():
                self.say(f"{event.node} is back after {event.seconds:.1f}s")
            case BreakerChanged():
                self.say(f"breaker of {event.node}: {event.old.value} → {event.new.value} ({event.why})")
            case _:
                pass

    def say(self, text: str) -> None:
        """One line, with the seconds since the load began."""
        line = f"{monotonic() - self._started:6.1f}s  {text}"
        self._news.append(line)
        if not self._quiet and self._live is None:
            print(line, flush=True)

    @contextmanager
    def live(self, router: Router, load: Load, started: float, seconds: float) -> Iterator[None]:
        """Show the run while the block runs."""
        self._started = self._drawn_at = started
        self.say(f"load: {seconds:g}s; the faults follow")
        if not self._tty:
            yield
            return
        with Live(console=self._console, refresh_per_second=4, transient=False) as self._live:
            yield
        self._live = None

    async def draw(self, router: Router, load: Load, started: float) -> None:
        """Draw again and again, until cancelled."""
        while True:
            await asyncio.sleep(0.25 if self._tty else 1.0)
            now = monotonic()
            calls = load.tally.calls
            rate = (calls - self._calls) / max(1e-9, now - self._drawn_at)
            self._calls, self._drawn_at = calls, now
            health, stats = router.health(), router.stats()
            if self._live is not None:
                self._live.update(self._picture(health, stats, load, rate))
            elif not self._quiet:
                print(f"{now - started:6.1f}s  {_line(health, load, rate)}", flush=True)

    def _picture(self, health: HealthSnapshot, stats: StatsSnapshot, load: Load, rate: float) -> Any:
        tally = load.tally
        table = Table(expand=False)
        for column in ("node", "role", "state", "breaker", "in use", "waiting", "reads", "writes"):
            table.add_column(column, justify="right" if column in ("in use", "waiting", "reads", "writes") else "left")
        for node in health.nodes:
            members = [member for member in stats.members if member.node == node.node]
            state = Text("in use", style="green") if node.usable else Text(node.shunned or "out", style="red")
            breaker = Text(node.breaker.state.value, style="green" if node.breaker.state.value == "CLOSED" else "red")
            table.add_row(
                node.node,
                node.role,
                state,
                breaker,
                str(sum(member.pool.in_use for member in members)),
                str(sum(member.pool.waiting for member in members)),
                str(sum(member.reads.count for member in members)),
                str(sum(member.writes.count for member in members)),
            )
        head = Text(
            f"{rate:7.0f} calls/s   reads {tally.reads}   writes {tally.writes}   errors {tally.errors}   unknown {tally.unknown}"
        )
        return Group(head, table, *(Text(line, style="dim") for line in self._news[-8:]))


def _line(health: HealthSnapshot, load: Load, rate: float) -> str:
    tally = load.tally
    nodes = " ".join(f"{node.node}={'up' if node.usable else 'OUT'}/{node.breaker.state.value}" for node in health.nodes)
    return f"{rate:6.0f} calls/s  reads {tally.reads}  writes {tally.writes}  errors {tally.errors}  {nodes}"


def _print_verdict(verdict: Verdict) -> None:
    print()
    pace = f"{verdict.calls_per_second:.0f}/s; slowest {verdict.slowest:.2f}s"
    print(f"server      {verdict.server}")
    print(f"load        {verdict.calls} calls in {verdict.seconds:.1f}s, {pace}")
    print(f"reads       {verdict.reads}, {verdict.replica_share:.1%} of them on replicas")
    print(f"writes      {verdict.writes} acknowledged, {verdict.unknown} with unknown outcome")
    print(f"faults      {'; '.join(verdict.faults)}")
    for name, count in verdict.failures.items():
        print(f"            {count} × {name}", file=sys.stderr)
    print(f"verdict     errors {verdict.errors}, lost {verdict.lost}, doubled {verdict.doubled}, stuck {verdict.stuck}")
    if verdict.mixed:
        print(f"            {verdict.mixed} answers belonged to other calls")
    print("            every acknowledged write is there exactly once" if verdict.ok else "            NOT what it should be")
