"""
Hangup: SIGHUP as a wish to reload, shared by all routers of an event loop.

A loop has one handler for a signal. The first router that asks for it installs one that calls every router's *wish*; the last one
that leaves takes it away and puts back what Python had before. A handler that the application has given to the loop itself
(`loop.add_signal_handler`) is replaced and cannot be put back: such an application calls `Router.reload` from its own.
"""

from __future__ import annotations

import asyncio
import signal
import weakref
from collections.abc import Callable
from typing import Any

from dbrouter.errors import ParameterError


class _Handler:
    """What one loop does at SIGHUP."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.wishes: list[Callable[[], None]] = []
        self._before: Any = signal.getsignal(signal.SIGHUP)
        loop.add_signal_handler(signal.SIGHUP, self._received)

    def _received(self) -> None:
        for wish in list(self.wishes):
            wish()

    def uninstall(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put back what was there."""
        loop.remove_signal_handler(signal.SIGHUP)
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)


_handlers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Handler] = weakref.WeakKeyDictionary()


class Hangup:
    """Calls *wish* in the running event loop at each SIGHUP, until `stop`."""

    def __init__(self, wish: Callable[[], None]) -> None:
        """
        Begin to listen.

        Raises:
            ParameterError: the platform has no SIGHUP, or this is not the main thread, where alone signals arrive.
        """
        self._wish = wish
        self._loop = asyncio.get_running_loop()
        handler = _handlers.get(self._loop)
        if handler is None:
            handler = _handlers[self._loop] = _installed(self._loop)
        handler.wishes.append(wish)

    def stop(self) -> None:
        """Listen no more; twice is harmless."""
        handler = _handlers.get(self._loop)
        if handler is None or self._wish not in handler.wishes:
            return
        handler.wishes.remove(self._wish)
        if not handler.wishes:
            del _handlers[self._loop]
            handler.uninstall(self._loop)


def _installed(loop: asyncio.AbstractEventLoop) -> _Handler:
    advice = "leave reload_on_sighup out and call reload() yourself"
    if not hasattr(signal, "SIGHUP"):
        raise ParameterError(f"reload_on_sighup: this platform has no SIGHUP; {advice}, or use watch=True")
    try:
        return _Handler(loop)
    except (NotImplementedError, ValueError, RuntimeError) as error:
        raise ParameterError(f"reload_on_sighup: signals arrive in the main thread only ({error}); {advice}") from error
