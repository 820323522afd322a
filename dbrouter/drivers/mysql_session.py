"""
MysqlSession: what a connection to MySQL or MariaDB does in the same way whichever library carries it.

`aiomysql.py` and `asyncmy.py` each add how bytes travel (`send`, `cursor`, `ping`, `close`, …); transactions, role, identity
and the KILL of an abandoned statement are here, in terms of `send`.
"""

from __future__ import annotations

import inspect
import os
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any

from dbrouter.drivers.base import ConnectOptions, PasswordProvider, ProbeReply, Reply, TlsOptions
from dbrouter.drivers.literals import Fallback, batches, render, split_insert
from dbrouter.drivers.mysql import (
    ROLLS_BACK,
    begin_statements,
    error_number,
    identity_query,
    kill_statement,
    may_kill,
    probe_query,
    probe_reply,
    savepoint_statement,
    text_of,
)
from dbrouter.errors import ConfigError
from dbrouter.terms import Flavor, Role

IN_TRANSACTION = 0x0001
NO_BACKSLASH_ESCAPES = 0x0200
"""Bits of the server status that comes with replies."""

_NO_SUCH_THREAD = 1094


class MysqlSession(ABC):
    """
    One connection, used by one task at a time.

    Args:
        raw: the library's connection, authenticated.
        flavor: from the greeting.
        reconnect: opens another connection to the same address without any session set-up, for KILL.
        encoding: Python's name of the connection's character set.
        fallback: the library's own literals.

    A cancelled or broken statement closes the connection: MySQL has no way to take a statement back on the connection that
    runs it. So `needs_settling` is never True, and `settle` only says whether the connection is alive.
    """

    def __init__(
        self,
        raw: Any,
        flavor: Flavor,
        reconnect: Callable[[], Awaitable[MysqlSession]],
        *,
        encoding: str,
        fallback: Fallback,
    ) -> None:
        self.raw = raw
        self.flavor = flavor
        self.server_id = ""
        self.identity = ""
        self._reconnect = reconnect
        self._encoding = encoding
        self._fallback = fallback
        self._abandoned = False

    @abstractmethod
    def send(self, text: str, params: Sequence[Any]) -> Awaitable[Reply]:
        """Execute one statement."""

    @abstractmethod
    async def send_in_order(self, texts: Sequence[str]) -> list[Reply]:
        """
        Execute statements one after the other, in as few round trips as the library allows; raises the first error after the
        last reply.
        """

    @abstractmethod
    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """(status, rowcount, lastrowid)."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether the connection is gone."""

    @abstractmethod
    async def ping(self) -> None:
        """COM_PING."""

    @abstractmethod
    async def close(self) -> None:
        """COM_QUIT, then close."""

    @abstractmethod
    def terminate(self) -> None:
        """Close the socket at once."""

    async def send_script(self, text: str) -> Reply:
        """Refused: the protocol flag for several statements is off, which also stops stacked-query injection."""
        raise NotImplementedError("MySQL connections take one statement a call")

    async def prepare(self, statements: Sequence[str]) -> None:
        """
        Run the set-up *statements* and learn who the server is. An unknown identity is no failure: then nothing will ever be
        killed.
        """
        self.server_id = str(self.raw.thread_id())
        await self.send_in_order(statements)
        try:
            rows, _, _ = await self.send(identity_query(self.flavor), ())
        except Exception as error:
            if self.closed or error_number(error) is None:
                raise
        else:
            self.identity, self.server_id = text_of(rows[0][0]), str(rows[0][1])

    def _encode(self, text: str, params: Sequence[Any]) -> bytes:
        """The bytes of a statement; raises `ParameterError` before anything is sent."""
        if params:
            text = render(text, params, self._fallback, bool(self.raw.server_status & NO_BACKSLASH_ESCAPES))
        return text.encode(self._encoding, "surrogateescape")

    async def send_many(self, text: str, params_seq: Sequence[Sequence[Any]]) -> int | None:
        """
        The statement for each parameters, many rows at a time where it is an INSERT of one row of placeholders.

        Returns rows changed. Never pipelined: after a deadlock the statements behind it would run outside the transaction.
        """
        changed = 0
        parts = split_insert(text)
        if parts is None:
            for params in params_seq:
                changed += self.describe(await self.send(text, params))[1] or 0
        else:
            no_backslash = bool(self.raw.server_status & NO_BACKSLASH_ESCAPES)
            for statement in batches(parts, params_seq, self._fallback, no_backslash):
                changed += self.describe(await self.send(statement, ()))[1] or 0
        return changed

    def _answered(self, error: BaseException) -> BaseException:
        """Take note of what an error reply does not say: that the transaction is gone."""
        if error_number(error) in ROLLS_BACK:
            self.raw.server_status &= ~IN_TRANSACTION
        return error

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """START TRANSACTION, after SET TRANSACTION where an isolation level is asked for; *deferrable* means nothing on MySQL."""
        await self.send_in_order(begin_statements(isolation=isolation, readonly=readonly))

    async def commit(self) -> None:
        """Send COMMIT."""
        await self.send("COMMIT", ())

    async def rollback(self) -> None:
        """Send ROLLBACK."""
        await self.send("ROLLBACK", ())

    async def savepoint(self, name: str) -> None:
        """Make savepoint *name*."""
        await self.send(savepoint_statement("SAVEPOINT", name), ())

    async def release_savepoint(self, name: str) -> None:
        """RELEASE SAVEPOINT *name*."""
        await self.send(savepoint_statement("RELEASE SAVEPOINT", name), ())

    async def rollback_to_savepoint(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT *name*."""
        await self.send(savepoint_statement("ROLLBACK TO SAVEPOINT", name), ())

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, by the status flags of the last reply (an error that rolled back clears them)."""
        return bool(self.raw.server_status & IN_TRANSACTION)

    @property
    def needs_settling(self) -> bool:
        """Never: a connection with an unread reply is closed."""
        return False

    async def settle(self) -> bool:
        """Whether the connection is open and answers a ping."""
        if self.closed:
            return False
        await self.ping()
        return True

    async def reset(self) -> bool:
        """Never: COM_RESET_CONNECTION drops READ ONLY and the collation; close and replace."""
        return False

    async def probe(self) -> ProbeReply:
        """Role and identity in one round trip."""
        rows, _, _ = await self.send(probe_query(self.flavor), ())
        return probe_reply(rows[0], self.flavor)

    def role_hint(self) -> Role:
        """MySQL says nothing of its role for free."""
        return Role.UNKNOWN

    def abandon(self) -> Callable[[], Awaitable[None]] | None:
        """
        The KILL of a statement that was cut off while the server ran it; None where there is none, or where the server is not
        known.
        """
        if not self._abandoned or not self.identity:
            return None
        self._abandoned = False
        return self._kill

    async def _kill(self) -> None:
        """KILL this connection by another one, if that one has reached the same server. What is gone already is fine."""
        killer = await self._reconnect()
        try:
            rows, _, _ = await killer.send(identity_query(self.flavor), ())
            found, own = rows[0]
            thread = int(self.server_id)
            if may_kill(identity=self.identity, thread=thread, found=found, own_thread=int(own)):
                try:
                    await killer.send(kill_statement(thread), ())
                except Exception as error:
                    if error_number(error) != _NO_SUCH_THREAD:
                        raise
            await killer.close()
        finally:
            killer.terminate()


async def ask_password(options: ConnectOptions, provider: PasswordProvider | None) -> str:
    """
    The password for this connect: the provider's answer, or the configured one.

    Raises:
        CredentialsError: the provider failed; its error is the cause.
    """
    if provider is None:
        return options.password or ""
    try:
        answer = provider(options.endpoint)
        return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:
        raise CredentialsError(f"the password provider failed for {options.endpoint!r}: {error}") from error


class CredentialsError(Exception):
    """No password could be had; each driver turns it into its library's error 2061."""


def as_latin1(password: str) -> str:
    """Both libraries encode passwords as Latin-1; servers keep them in UTF-8."""
    return password.encode().decode("latin-1")


TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


def tls_context(tls: TlsOptions, *, local: bool) -> ssl.SSLContext | None:
    """
    The context for *tls*, or None for a plain connection; nothing is encrypted over a socket file (*local*).

    Raises:
        ConfigError: unknown mode, or files that cannot be read as what they should be.
    """
    if tls.mode not in TLS_MODES:
        raise ConfigError(f"tls.mode {tls.mode!r} is none of {', '.join(TLS_MODES)}")
    if tls.mode == "disable" or local:
        return None
    try:
        return _context(tls, tuple([os.stat(path).st_mtime_ns if path else 0 for path in (tls.ca, tls.cert, tls.key)]))
    except OSError as error:
        raise ConfigError(f"TLS files cannot be used: {error}") from error


@lru_cache(maxsize=64)
def _context(tls: TlsOptions, _changed: tuple[int, ...]) -> ssl.SSLContext:
    verified = tls.mode.startswith("verify") or (tls.mode == "require" and tls.ca is not None)
    context = ssl.create_default_context(cafile=tls.ca) if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = tls.mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def must_encrypt(tls: TlsOptions, *, local: bool) -> bool:
    """Whether a server without TLS is refused before it is told anything."""
    return not local and tls.mode not in ("disable", "prefer")
