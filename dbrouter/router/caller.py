"""
Who calls: what rules may compare beside the statement, and what is remembered from one call of a caller to the next.

``with dbrouter.context(username="ada", client_addr="10.1.2.3"): …`` holds for every call made in the block, in its task and in
tasks started from it. What is remembered (the flag of `next_query_flagIN`, which hostgroups were written through) belongs to the
outermost block: a request, a job.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dbrouter.errors import ParameterError
from dbrouter.rules.facts import CALLER_FACTS


class Memory:
    """What one context's calls leave for its later ones."""

    __slots__ = ("flags", "written")

    def __init__(self) -> None:
        self.flags: dict[str, int] = {}
        """By database: the flag with which its rules begin."""
        self.written: set[tuple[str, int]] = set()
        """(database, id of the hostgroup) of every write that was sent, or may have been."""

    def has_written(self, database: str) -> bool:
        """Whether a write of *database* was sent."""
        return any(name == database for name, _ in self.written)


class Caller:
    """
    What `context` gave for the calls in its block; None where it gave nothing.

    Attributes:
        memory: shared with the contexts around and inside.
    """

    __slots__ = ("client_addr", "memory", "proxy_addr", "proxy_port", "schemaname", "tag", "username")

    def __init__(self, outer: Caller | None, facts: dict[str, Any]) -> None:
        self.memory: Memory = outer.memory if outer is not None else Memory()
        self.username: str | None = None
        self.schemaname: str | None = None
        self.client_addr: str | None = None
        self.proxy_addr: str | None = None
        self.proxy_port: int | None = None
        self.tag: str | None = None
        for name in CALLER_FACTS:
            given = facts.get(name)
            setattr(self, name, given if given is not None or outer is None else getattr(outer, name))

    def __repr__(self) -> str:
        said = (f"{name}={getattr(self, name)!r}" for name in CALLER_FACTS if getattr(self, name) is not None)
        return f"<Caller {' '.join(said) or 'unknown'}>"


_current: ContextVar[Caller | None] = ContextVar("dbrouter_caller", default=None)
current = _current.get
"""The caller of this task, or None."""


@contextmanager
def context(
    *,
    username: str | None = None,
    schemaname: str | None = None,
    client_addr: str | None = None,
    proxy_addr: str | None = None,
    proxy_port: int | None = None,
    tag: str | None = None,
) -> Iterator[Caller]:
    """
    Say who calls, for the rules of every call in the block.

    Args:
        username, schemaname: compared with these columns of rules, in place of the database's own user and name.
        client_addr, proxy_addr: addresses as text; proxy_port: a number. Rules that name an address hold where none is given.
        tag: for calls that give no ``tag=``.

    Contexts nest: what the inner one leaves out is the outer one's. Rules with `next_query_flagIN`, `gtid_from_hostgroup` and
    `cache_ttl` remember what they need in the outermost context, and only there.

    Raises:
        ParameterError: a value of another type.
    """
    facts = {
        "username": username,
        "schemaname": schemaname,
        "client_addr": client_addr,
        "proxy_addr": proxy_addr,
        "proxy_port": proxy_port,
        "tag": tag,
    }
    for name, value in facts.items():
        wanted: type = int if name == "proxy_port" else str
        if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            raise ParameterError(f"context({name}=…) takes {wanted.__name__}, got {type(value).__name__}")
    outer = _current.get()
    _current.set(Caller(outer, facts))
    try:
        yield _current.get()  # type: ignore[misc]  # it was set one line above
    finally:
        _current.set(outer)
