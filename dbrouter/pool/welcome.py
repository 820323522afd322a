"""
Welcome: the application's `on_connect` on a new connection, and whose fault it is when it fails.

The hook gets `ConnectOptions.timeout` seconds of its own. A failure is the hook's, and not the server's, unless the connection is
gone and the driver's table knows why:

| the connection afterwards | what the hook raised, or what that was raised from | blamed                             |
|---------------------------|----------------------------------------------------|------------------------------------|
| there                     | anything, the server's own answers too             | the hook                           |
| gone (closed, hung up on) | a lost connection, by the driver's table           | the node                           |
| gone                      | that it was closed before anything was sent        | nobody: the next attempt will show |
| gone                      | a connection limit of a pooler in between          | load                               |
| gone                      | anything else                                      | the hook                           |
| there or gone             | nothing: its time was over (it may wait for locks) | the hook                           |

Where the server is gone indeed, a hook that was blamed costs nothing: the next attempt fails in the driver's own connect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from dbrouter.drivers.base import Connection, ConnectOptions
from dbrouter.drivers.hooks import hook_failed, run_hook
from dbrouter.drivers.outcome import Verdict
from dbrouter.pool.lease import Lease
from dbrouter.terms import Blame, ConnectionFate, Outcome, Phase, RetryWhere

OnConnect = Callable[[Lease], Awaitable[None]]
Judge = Callable[[BaseException, Phase], Verdict]

_HOOK = Verdict(
    outcome=Outcome.NOT_APPLIED,
    blame=Blame.CONFIG,
    connection=ConnectionFate.DROP,
    route=RetryWhere.NOWHERE,
    code="on_connect",
    note="the application's hook failed",
)


async def welcome(hook: OnConnect, lease: Lease, options: ConnectOptions) -> None:
    """
    Let *hook* prepare the connection of *lease*.

    Raises:
        ConnectError: it failed or hung, closed the connection, or left something open on it; see `judge_hook`.
    """
    deadline = asyncio.get_running_loop().time() + options.timeout
    await run_hook("on_connect", hook, lambda: hook(lease), options, deadline)
    connection = lease.connection
    if connection.closed:
        raise hook_failed("on_connect", hook, options, "it closed the connection")
    if connection.in_transaction or connection.needs_settling or lease.armed:
        raise hook_failed("on_connect", hook, options, "it left a transaction or a statement open on the connection")
    # What the hook has set is how sessions of this pool are meant to be.
    lease.dirty = None
    lease.task = None


def judge_hook(error: BaseException, connection: Connection, judge: Judge) -> Verdict:
    """What the failure of `welcome` means, by the table above. *judge* is the driver's."""
    if not connection.closed and connection.check():
        return _HOOK
    stranger = _anonymous(judge(_StrangerError(), Phase.CHECK))
    for cause in _causes(error):
        # As if an idle connection had been found so: what was closed before anything was sent says nothing of the node.
        verdict = judge(cause, Phase.CHECK)
        if (verdict.transport or verdict.blame is Blame.LOAD) and _anonymous(verdict) != stranger:
            return verdict
    return _HOOK


class _StrangerError(Exception):
    """No driver raises it: what is judged as it is, no table knows."""


def _anonymous(verdict: Verdict) -> Verdict:
    return replace(verdict, code="")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What *error* was raised from, and that again; without what says nothing of a connection."""
    seen = {error}
    cause = error.__cause__ or error.__context__
    while cause is not None and cause not in seen:
        seen.add(cause)
        # Plain time-outs and cancellations are the hook's own or ours; the operating system's carry a number.
        ours = isinstance(cause, asyncio.CancelledError) or (
            isinstance(cause, TimeoutError) and not getattr(cause, "errno", None)
        )
        python = type(cause).__module__ == "builtins" and not isinstance(cause, OSError | EOFError)
        if not ours and not python:
            yield cause
        cause = cause.__cause__ or cause.__context__
