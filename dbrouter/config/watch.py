"""
Watching the files of a configuration: `FileWatch.changed` returns when one of them is another than before.

watchfiles (extra `watch`) tells that something happened in a folder; whether the configuration is concerned is seen by looking:
where a path leads (symbolic links followed), and the file's number, size and times there, that of its permissions too. So a file
that is written in place, replaced by rename, or reached through a link that is swapped (as Kubernetes swaps ``..data`` of a
ConfigMap) is all the same, and an editor's swap file is nothing. A file that is gone is waited for. Every `POLL_SECONDS` it is
looked at in any case: a folder that was itself replaced, or lies on a network, tells nothing.

The one file that imports watchfiles.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

POLL_SECONDS = 2.0
"""How long a change that nothing told of may go unnoticed."""
DEBOUNCE_SECONDS = 0.2
"""Changes that follow each other faster are one."""
SETTLED_SECONDS = 0.2
"""A file that has not changed for so long is whole, as far as one can see."""
SETTLING_LIMIT = 25
"""How many times a file that goes on changing is waited for."""

Look = tuple[str, int, int, int, int, int]
"""What a file is at one moment."""


def look(file: Path) -> Look | None:
    """What *file* is now; None where it is not there."""
    try:
        seen = file.stat()
        return str(file.resolve()), seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
    except OSError:
        return None


class FileWatch:
    """
    Watches whatever *files* answers.

    Args:
        known: the files as they were before they were read, so that a change since then is one; others are known as they are now.

    Raises:
        ModuleNotFoundError: watchfiles is not installed.
    """

    def __init__(self, files: Callable[[], Sequence[Path]], known: Mapping[Path, Look | None]) -> None:
        import watchfiles  # an extra

        self._awatch = watchfiles.awatch
        self._files = files
        self._known = {file: known[file] if file in known else look(file) for file in files()}

    async def changed(self) -> None:
        """
        Wait until one of the files is there and is another than when this was last answered, and changes no more.

        If cancelled, nothing is left.
        """
        while not self._news():
            folders = self._folders()
            if not folders:
                await asyncio.sleep(POLL_SECONDS)
                continue
            try:
                await self._something_happened(folders)
            except (OSError, RuntimeError):
                # A folder went while it was to be watched, or the system has no watch left: looking now and then does too.
                await asyncio.sleep(POLL_SECONDS)
        for _ in range(SETTLING_LIMIT):
            await asyncio.sleep(SETTLED_SECONDS)
            if not self._news():
                return

    async def _something_happened(self, folders: tuple[Path, ...]) -> None:
        """Wait until the folders tell of anything after which a file is another one, or stop being what they were."""
        told = self._awatch(
            *folders,
            watch_filter=None,
            debounce=int(1000 * DEBOUNCE_SECONDS),
            rust_timeout=int(1000 * POLL_SECONDS),
            yield_on_timeout=True,
            recursive=False,
        )
        numbers = _numbers(folders)
        async with aclosing(told):
            async for _ in told:
                if self._differs() or _numbers(folders) != numbers or self._folders() != folders:
                    return

    def _differs(self) -> bool:
        return any(seen is not None and seen != self._known[file] for file, seen in self._looks())

    def _news(self) -> bool:
        looks = [(file, seen) for file, seen in self._looks() if seen is not None and seen != self._known[file]]
        self._known.update(looks)
        return bool(looks)

    def _looks(self) -> list[tuple[Path, Look | None]]:
        looks = [(file, look(file)) for file in self._files()]
        self._known = {file: self._known.get(file, seen) for file, seen in looks}
        return looks

    def _folders(self) -> tuple[Path, ...]:
        """Where each file stands, and where it is when links are followed."""
        places = [place for file in self._files() for place in (file.absolute().parent, file.resolve().parent)]
        return tuple(place for place in dict.fromkeys(places) if place.is_dir())


def _numbers(folders: Sequence[Path]) -> list[int | None]:
    numbers: list[int | None] = []
    for folder in folders:
        try:
            numbers.append(folder.stat().st_ino)
        except OSError:
            numbers.append(None)
    return numbers
