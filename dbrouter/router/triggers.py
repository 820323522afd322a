"""
Triggers: what makes a router reload by itself – SIGHUP and a changed file – both off until asked for.

A reload that fails has been told of by then (event, log, health), so nothing comes of it here. Wishes that come while one waits
are that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbrouter.config.watch import FileWatch, Look
from dbrouter.errors import ParameterError
from dbrouter.router.hangup import Hangup
from dbrouter.router.reload import Reloader
from dbrouter.tasks import OwnedTasks

_EXTRA = "watch needs an extra: pip install 'dbrouter[watch]'"


class Triggers:
    """
    Reloads at SIGHUP, and when a file changes, until `stop`.

    Args:
        watch: the files of the configuration as they were before they were read; None: they are not watched.

    Raises:
        ParameterError: SIGHUP cannot be listened to here, watchfiles is not installed, or the configuration came from no file.
    """

    def __init__(self, reloader: Reloader, tasks: OwnedTasks, *, sighup: bool, watch: Mapping[Path, Look | None] | None) -> None:
        self._reloader = reloader
        self._tasks = tasks
        self._wished = False
        self._granting = False
        self._hangup: Hangup | None = None
        files = None if watch is None else _watching(reloader, watch)
        if sighup:
            self._hangup = Hangup(self._wish)
        if files is not None:
            tasks.start(self._keep_watching(files), name="watch the configuration")

    def stop(self) -> None:
        """Listen to SIGHUP no more; the watching ends with its `OwnedTasks`."""
        if self._hangup is not None:
            self._hangup.stop()

    def _wish(self) -> None:
        self._wished = True
        if not self._granting:
            self._granting = self._tasks.start(self._grant(), name="reload at SIGHUP") is not None

    async def _grant(self) -> None:
        try:
            while self._wished:
                self._wished = False
                await self._reload("sighup")
        finally:
            self._granting = False

    async def _keep_watching(self, files: FileWatch) -> None:
        while True:
            await files.changed()
            await self._reload("watch")

    async def _reload(self, trigger: str) -> None:
        try:
            await self._reloader.reload(trigger=trigger)
        except Exception:
            return  # It has been told of.


def _watching(reloader: Reloader, known: Mapping[Path, Look | None]) -> FileWatch:
    if not reloader.files:
        raise ParameterError("watch: the configuration came from no file; leave watch out and call reload(source) yourself")
    try:
        return FileWatch(lambda: reloader.files, known)
    except ModuleNotFoundError as error:
        raise ParameterError(_EXTRA) from error
