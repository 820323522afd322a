"""
Prober: looks at one server through a connection of its own, outside every pool, and says what it saw.

`look` makes one probe, bounded by its time limit, whatever the server does: dead, frozen, black-holed or answering garbage.
`Record` turns single looks into a verdict (`fall` failures in a row shun, `rise` successes restore); it decides, without I/O.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from dbrouter.config.schema import ProbeSettings
from dbrouter.drivers.base import Connection, ConnectOptions, Driver, PasswordProvider, ProbeReply
from dbrouter.terms import Phase, ShunReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A look that got an answer."""

    reply: ProbeReply
    took: float
    refused: Exception | None = None
    """Why the connection was not made anew with another password; the old one answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A look that got none: *reason* is FROZEN when time ran out, DEAD when the server refused or hung up."""

    reason: ShunReason
    detail: str
    error: BaseException


class Prober:
    """One server's probe connection: kept while it works, made anew after every failure."""

    def __init__(self, driver: Driver, options: ConnectOptions, password: PasswordProvider | None) -> None:
        self._driver = driver
        self._options = options
        self._password = password
        self._connection: Connection | None = None
        self._stale = False
        self._keeps = False
        """The old connection does where the new one cannot be made."""

    def reconfigure(self, options: ConnectOptions) -> None:
        """
        Connect with *options* from the next look on; where they are other ones, on a new connection.

        Where only the password is another one and the server does not take it, the old connection is kept and looked through, and
        the next look tries again: a wrong password says nothing of the server, nor of connections that are open.
        """
        if options != self._options:
            before = self._options
            same = replace(options, password=before.password, timeout=before.timeout) == before
            self._keeps = same and (self._keeps or not self._stale)
            self._options = options
            self._stale = True

    async def look(self, timeout: float) -> Seen | Missed:
        """
        Probe the server once, within *timeout* seconds, connecting first where there is no connection.

        If cancelled, the connection is closed.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(timeout):
                refused = await self._connect_where_needed()
                assert self._connection is not None
                reply = await self._connection.probe()
        except TimeoutError as error:
            self.close()
            return Missed(reason=ShunReason.FROZEN, detail=f"no answer within {timeout:.3g}s", error=error)
        except Exception as error:
            self.close()
            return Missed(reason=ShunReason.DEAD, detail=f"{type(error).__name__}: {error}", error=error)
        except BaseException:
            self.close()
            raise
        return Seen(reply=reply, took=loop.time() - started, refused=refused)

    async def _connect_where_needed(self) -> Exception | None:
        """Have a connection; the error where it is the old one because the new password was refused."""
        if not self._stale and self._connection is not None and not self._connection.closed:
            return None
        if not self._keeps:
            self.close()
        try:
            fresh = await self._driver.connect(self._options, password=self._password)
        except TimeoutError:
            raise
        except Exception as error:
            if self._connection is None or self._connection.closed:
                raise
            return error
        self.close()
        self._connection = fresh
        self._stale = self._keeps = False
        return None

    def code(self, error: Exception) -> str:
        """What events and metrics call *error*, with which a connection could not be made: SQLSTATE, error number or class."""
        return self._driver.verdict(error, Phase.CONNECT).code

    def close(self) -> None:
        """Close the probe connection at once."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class Record:
    """The last looks at one node: counts failures and successes in a row."""

    __slots__ = ("_fall", "_rise", "failures", "first", "shunned", "successes")

    def __init__(self, settings: ProbeSettings) -> None:
        self._fall = settings.fall
        self._rise = settings.rise
        self.failures = 0
        self.successes = 0
        self.first = True
        self.shunned = False

    def reconfigure(self, settings: ProbeSettings) -> None:
        """Other numbers of looks from the next one on."""
        self._fall = settings.fall
        self._rise = settings.rise

    def saw(self) -> bool:
        """Count a look with an answer; whether the node may be used now."""
        self.failures = 0
        self.successes += 1
        if self.first or self.successes >= self._rise:
            self.shunned = False
        self.first = False
        return not self.shunned

    def missed(self) -> bool:
        """Count a look without; whether the node may still be used. A node that was never seen has no credit to lose."""
        self.successes = 0
        self.failures += 1
        if self.first or self.failures >= self._fall:
            self.shunned = True
        self.first = False
        return not self.shunned
