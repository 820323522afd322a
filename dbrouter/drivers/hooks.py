"""
Hooks: the application's own code in the making of a connection (`password`, `on_connect`), run so that its failure is its own.

Whatever a hook raises comes out as a `ConnectError` that names the hook, with the exception as its cause: also a `TimeoutError`
of some other service, a `CancelledError` that nobody asked for, and what derives from `BaseException` alone. A cancellation of
the task itself goes through, and so do `KeyboardInterrupt` and `SystemExit`. A hook that hangs is ended when its time is over.

What the failure says of the server is for the caller to judge: of a password nothing, the server was not even asked.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from dbrouter.drivers.base import ConnectOptions, PasswordProvider
from dbrouter.errors import ConnectError
from dbrouter.terms import Blame

T = TypeVar("T")


async def ask_password(options: ConnectOptions, provider: PasswordProvider | None, deadline: float) -> str | None:
    """
    The password for this connect: what *provider* says for the endpoint, by *deadline* (loop time); or that of the options.

    Raises:
        ConnectError: the provider failed, hung, took the whole time, or said something else than a text. Blames the
            configuration.
    """
    if provider is None:
        return options.password

    async def ask() -> object:
        said = provider(options.endpoint)
        return await said if inspect.isawaitable(said) else said

    answer = await run_hook("password", provider, ask, options, deadline)
    if not isinstance(answer, str):
        raise hook_failed("password", provider, options, f"it said {type(answer).__name__} instead of str")
    if asyncio.get_running_loop().time() >= deadline:
        raise hook_failed("password", provider, options, f"TimeoutError: {_too_late(options)}")
    return answer


async def run_hook(what: str, hook: object, call: Callable[[], Awaitable[T]], options: ConnectOptions, deadline: float) -> T:
    """
    What *call*, which runs the application's *hook*, answers by *deadline* (loop time).

    Args:
        what: which hook it is, as `Router.open` calls it.

    If cancelled, the hook is cancelled.

    Raises:
        ConnectError: it failed (the cause is what it raised), or did not end in time. Blames the configuration.
    """
    task = asyncio.current_task()
    try:
        async with asyncio.timeout_at(deadline):
            try:
                return await call()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise
                text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise hook_failed(what, hook, options, text) from error
    except TimeoutError as error:
        raise hook_failed(what, hook, options, f"TimeoutError: {_too_late(options)}") from error


def hook_failed(what: str, hook: object, options: ConnectOptions, why: str) -> ConnectError:
    """The error for *hook*, which failed for a connection with *options*."""
    return ConnectError(
        f"{what} {_name_of(hook)!r} failed for {options.endpoint}: {why}", endpoint=options.endpoint, blame=Blame.CONFIG
    )


def _too_late(options: ConnectOptions) -> str:
    return f"it did not end within {options.timeout:g}s (timeouts.connect)"


def _name_of(hook: object) -> str:
    found = inspect.unwrap(hook) if callable(hook) else hook
    while isinstance(found, partial):
        found = found.func
    named = found if hasattr(found, "__qualname__") else type(found)
    module = getattr(named, "__module__", None)
    return f"{module}.{named.__qualname__}" if module else str(named.__qualname__)
