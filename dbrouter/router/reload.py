"""
Reload: from one configuration to another while queries run.

How it goes: read and check in a thread; draft what is new (`build.draft`, nothing is touched); look at new servers and open their
first connections, for at most `WARM_SECONDS`; then put everything in force in one step without an await, so that every call sees
either the old or the new configuration as a whole; then let what is gone drain in the background.

- What was under way finishes as it began: a running statement keeps its connection, its plan and its deadline, also on a server
  that is gone. One that fails afterwards, or still stands in line, goes on by the new configuration.
- A node that stays keeps its breaker, its probes and its statistics; its place in a hostgroup keeps its pool.
- Until the step everything can be taken back: an invalid configuration, a cancellation or an unexpected error leaves the old one
  in force and nothing behind.
- Two reloads at once run one after the other; the last one wins.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member, Node
from dbrouter.config.diff import ConfigDiff, diff, refusals
from dbrouter.config.load import load
from dbrouter.config.model import RouterConfig
from dbrouter.errors import ConfigError, ConnectError, PoolClosedError, PoolError
from dbrouter.events import ConfigRejected, ConfigReloaded
from dbrouter.monitor.probe import Missed, Seen
from dbrouter.pool.pool import Pool
from dbrouter.router.build import Draft, Parts, draft
from dbrouter.router.compiled import Compiled, compile_config
from dbrouter.router.context import Context
from dbrouter.router.report import ConfigHealth
from dbrouter.terms import ServerStatus

Source = str | Path | Mapping[str, Any] | RouterConfig

WARM_SECONDS = 1.0
"""How long new servers may take for their first look and connection before the step is made without them."""

DRAIN_SECONDS = 300.0
"""How long what runs on a removed server may go on, unless `reload` is told otherwise."""

TOLD = 20
"""Changes and problems in one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReport:
    """What a reload has done; falsy where there was nothing to do."""

    generation: int
    """Of the configuration in force: 1 after opening, one more with each that differs."""
    changes: tuple[str, ...]
    """What differs, in words: ``server shop-read/db4:5432 added``."""
    drained: tuple[str, ...]
    """Members (``hostgroup/host:port``) that take no more work and are closed when what is in use has come back."""
    took: float
    """Seconds, from reading to the step."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join([f"generation {self.generation}", *self.changes, *(f"draining {name}" for name in self.drained)])

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class Reloader:
    """
    Puts configurations in force, one at a time.

    Args:
        parts: of the router; what a reload changes is changed in it.
        source: what `reload` reads when it is given nothing.
        follow: told in the step itself, when *parts* are those of the new configuration.

    Attributes:
        source: of the configuration in force.
        generation: 1 after opening, one more with each configuration that differs.
        turn: held while a configuration is put in force, opening included.
        draining: pools that nobody is sent to any more and that have not ended yet.
    """

    def __init__(self, parts: Parts, source: Source, follow: Callable[[], None]) -> None:
        self.source = source
        self.generation = 1
        self.draining: set[Pool] = set()
        self._parts = parts
        self._follow = follow
        self.turn = asyncio.Lock()
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._since = monotonic()
        self._reloads = 0
        self._rejections = 0
        self._rejected: tuple[float, str, tuple[str, ...]] | None = None
        self._blamed: tuple[Path, ...] = ()
        """Files whose contents, or absence, had the configuration rejected that stands where the one in force was read."""
        self._removed: dict[str, Context] = {}
        """Databases that are gone, while somebody holds a `Database` bound to them."""

    @property
    def files(self) -> tuple[Path, ...]:
        """
        The files the configuration in force was read from, and those that stand in the way of what is there now; none where it
        came from a mapping.
        """
        return tuple(dict.fromkeys((*files_of(self.source, self._parts.config), *self._blamed)))

    def health(self, now: float) -> ConfigHealth:
        """Which configuration is in force, since when, and what was rejected since."""
        rejected = self._rejected
        return ConfigHealth(
            generation=self.generation,
            age=now - self._since,
            reloads=self._reloads,
            rejections=self._rejections,
            rejected_for=None if rejected is None else now - rejected[0],
            problems=() if rejected is None else rejected[2],
        )

    async def reload(
        self, source: Source | None = None, *, drain_timeout: float | None = DRAIN_SECONDS, trigger: str = "call"
    ) -> ReloadReport:
        """See `Router.reload`."""
        async with self.turn:
            self._open()
            started = monotonic()
            wanted = self.source if source is None else source
            try:
                config, compiled = await self._read(wanted)
                differs = diff(self._parts.config, config)
                self._refuse(config, wanted)
                made = draft(config, compiled, self._parts) if differs else None
            except PoolClosedError:
                raise
            except Exception as error:
                self._reject(error, trigger)
                if source is None:
                    self._blamed = _blamed(error)
                raise
            self._open()
            drained: tuple[str, ...] = ()
            if made is not None:
                seen = await self._warm(made)
                drained = self._put_in_force(made, seen, drain_timeout)
            self.source = wanted
            return self._told(differs, drained, trigger, monotonic() - started)

    async def close(self) -> None:
        """Let the reload that is under way, if one is, end without effect, and begin none any more."""
        if not self._closing.done():
            self._closing.set_result(None)
        async with self.turn:
            pass

    def _open(self) -> None:
        if self._closing.done():
            raise PoolClosedError("the router is closed: its configuration cannot be reloaded", pool="router")

    # ---- what can be taken back

    async def _read(self, source: Source) -> tuple[RouterConfig, Compiled]:
        """Read and compile in a thread, which is left to itself where the router is closed meanwhile: a file may never answer."""
        reading = asyncio.get_running_loop().run_in_executor(None, _read, source)
        reading.add_done_callback(_seen)
        either: list[asyncio.Future[Any]] = [reading, self._closing]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        self._open()
        return await reading

    def _refuse(self, config: RouterConfig, source: Source) -> None:
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        problems = refusals(self._parts.config, config, file)
        if problems:
            raise ConfigError(problems)

    def _reject(self, error: Exception, trigger: str) -> None:
        problems = tuple(str(problem) for problem in getattr(error, "problems", ())) or (_words(error),)
        self._rejections += 1
        self._rejected = (monotonic(), trigger, problems)
        events = self._parts.events
        if events.listening:
            events.emit(
                ConfigRejected(generation=self.generation, trigger=trigger, problems=problems[:TOLD], count=len(problems))
            )

    async def _warm(self, made: Draft) -> dict[Node, Seen | Missed]:
        """Look at the new servers and open first connections; what is not there in time comes later."""
        until = monotonic() + WARM_SECONDS
        try:
            for _, pool in made.new_pools:
                pool.start()
            looks = [watch.prober.look(min(watch.first_timeout, WARM_SECONDS)) for watch in made.new_nodes]
            first = [_first_connection(member, pool, until) for member, pool in made.new_pools if _worth_waiting(member, pool)]
            answers = await asyncio.gather(*looks, *first, return_exceptions=True)
            self._open()
        except BaseException:
            for _, pool in made.new_pools:
                pool.cut()
            for watch in made.new_nodes:
                watch.prober.close()
            raise
        return {watch.node: seen for watch, seen in zip(made.new_nodes, answers, strict=False) if isinstance(seen, Seen | Missed)}

    # ---- the step: nothing in it awaits, and nothing in it may fail

    def _put_in_force(self, made: Draft, seen: dict[Node, Seen | Missed], drain_timeout: float | None) -> tuple[str, ...]:
        parts = self._parts
        gone_nodes, gone_members = made.gone_nodes, made.gone_members
        gone_groups, gone_contexts = made.gone_groups, made.gone_contexts
        for change in made.changes:
            change()
        contexts = {context.database: context for context in made.contexts}
        for group in gone_groups:
            group.retire(_successor(group, contexts.get(group.database)))
        for member in gone_members:
            member.leave()
        for context in gone_contexts:
            context.remove()
        parts.config, parts.contexts, parts.pools = made.config, made.contexts, made.pools
        parts.first_look_timeout = max([parts.first_look_timeout, *(watch.first_timeout for watch in made.new_nodes)])
        self._bring_back(contexts, gone_contexts)
        self._follow()
        self.generation += 1
        self._since = monotonic()
        for node in gone_nodes:
            parts.monitor.forget(node)
        for watch in made.new_nodes:
            found = seen.get(watch.node)
            # A look that failed was cut short: the verdict is the first whole one's.
            parts.monitor.add(
                watch.node, watch.prober, watch.settings, watch.first_timeout, found if isinstance(found, Seen) else None
            )
        until = None if drain_timeout is None else monotonic() + drain_timeout
        for member in gone_members:
            self.draining.add(member.pool)
            parts.tasks.start(self._drain(member.pool, until), name=f"drain {member.pool.name}")
        return tuple(member.pool.name for member in gone_members)

    def _bring_back(self, contexts: Mapping[str, Context], gone: list[Context]) -> None:
        """Whoever holds a `Database` of a name that is there again is bound to it."""
        for name in self._removed.keys() & contexts.keys():
            for follower in list(self._removed.pop(name).followers):
                follower._bind(contexts[name])
        self._removed.update((context.database, context) for context in gone)
        self._removed = {name: context for name, context in self._removed.items() if len(context.followers)}

    async def _drain(self, pool: Pool, until: float | None) -> None:
        try:
            await pool.drain(until)
        finally:
            self.draining.discard(pool)

    def _told(self, differs: ConfigDiff, drained: tuple[str, ...], trigger: str, took: float) -> ReloadReport:
        self._reloads += 1
        self._rejected = None
        self._blamed = ()
        changes = differs.words()
        events = self._parts.events
        if events.listening:
            told = changes if len(changes) <= TOLD else (*changes[: TOLD - 1], f"and {len(changes) - TOLD + 1} more")
            events.emit(
                ConfigReloaded(generation=self.generation, trigger=trigger, changes=told, drained=drained[:TOLD], took=took)
            )
        return ReloadReport(generation=self.generation, changes=changes, drained=drained, took=took)


def files_of(source: Source, config: RouterConfig | None = None) -> tuple[Path, ...]:
    """The files that *source*, which was read as *config* if it was read, is made of; none where it is a mapping."""
    if not isinstance(source, str | os.PathLike):
        return ()
    shadow = None if config is None else config.shadow_rules
    return (Path(source), *(() if shadow is None else (Path(shadow.file),)))


def _blamed(error: Exception) -> tuple[Path, ...]:
    files = (problem.file for problem in error.problems) if isinstance(error, ConfigError) else ()
    return tuple(dict.fromkeys(Path(file) for file in files if file is not None))


def _seen(reading: asyncio.Future[Any]) -> None:
    """What became of a reading that nobody waits for any more is nobody's business."""
    if not reading.cancelled():
        reading.exception()


def _read(source: Source) -> tuple[RouterConfig, Compiled]:
    config = load(source)
    return config, compile_config(config)


def _words(error: Exception) -> str:
    """An error that is no `ConfigError`: its class, and its words only where they cannot come from the file."""
    return f"{type(error).__name__}: {error}" if isinstance(error, ImportError) else type(error).__name__


def _worth_waiting(member: Member, pool: Pool) -> bool:
    return pool.wants_connections and member.node.status is ServerStatus.ONLINE and member.may_connect()


async def _first_connection(member: Member, pool: Pool, until: float) -> None:
    try:
        lease = await pool.acquire(until)
    except (PoolError, ConnectError):
        return  # The probe will say what is the matter.
    lease.release()


def _successor(group: Hostgroup, context: Context | None) -> Hostgroup | None:
    """Where calls for *group* go on: by its role, so that no write is sent to readers."""
    if context is None:
        return None
    return context.reader if group.read_only else context.writer
