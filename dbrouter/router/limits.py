"""
Time limits as callers give them: checked once, before anything is sent.
"""

from __future__ import annotations

from math import isnan

from dbrouter.errors import DeadlineExceededError, ParameterError


def time_left(timeout: float | None) -> float | None:
    """
    *timeout* seconds as a limit, None for none.

    Raises:
        ParameterError: it is no number of seconds.
        DeadlineExceededError: nothing is left of it, as where a caller passes on what remains of a limit of its own.
    """
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)) or isnan(timeout):
        raise ParameterError(f"timeout must be a number of seconds, or None for no limit; got {timeout!r}")
    if timeout <= 0:
        message = f"the time limit of {timeout:.3g}s had ended before the call began; nothing was sent"
        raise DeadlineExceededError(message, phase="acquiring", timeout=timeout, attempts=0)
    return timeout
