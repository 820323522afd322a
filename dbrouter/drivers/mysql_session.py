"""
MysqlSession: a session on a MySQL or MariaDB server, whichever library opened the connection.

Set-up, transactions, role, identity, and the KILL of an abandoned statement are here; how statements and replies are exchanged
is `mysql_exchange.py`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dbrouter.drivers.base import ProbeReply, Reply
from dbrouter.drivers.literals import batches, split_insert
from dbrouter.drivers.mysql import (
    begin_statements,
    describe,
    error_number,
    identity_query,
    kill_statement,
    may_kill,
    probe_query,
    probe_reply,
    savepoint_statement,
    text_of,
)
from dbrouter.drivers.mysql_exchange import AUTOCOMMIT, IN_TRANSACTION, NO_BACKSLASH_ESCAPES, Exchange
from dbrouter.drivers.textprotocol import Columns
from dbrouter.errors import ConfigError
from dbrouter.terms import Flavor, Role

_NO_SUCH_THREAD = 1094
_COM_PING, _COM_RESET_CONNECTION = 14, 31
_SAME_CHARSET = {"utf8": "utf8mb3"}

Reconnect = Callable[[], Awaitable["MysqlSession"]]
"""Opens another connection to the same address without any session set-up, for KILL."""


class MysqlSession(Exchange):
    """
    The session of one connection, used by one task at a time.

    Args:
        raw: the library's connection (a `Link` of `mysql_driver.py`), authenticated.
        flavor: from the greeting.
        columns: column lists of this driver and character set.

    A cancelled or broken statement has closed the connection, so `needs_settling` is never True, and `settle` only says whether
    the connection is alive.
    """

    def __init__(self, raw: Any, flavor: Flavor, reconnect: Reconnect, columns: Columns) -> None:
        super().__init__(raw, columns)
        self.flavor = flavor
        self.server_id = ""
        self.identity = ""
        self._reconnect = reconnect
        self._setup: tuple[str, ...] = ()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self._incoming is not None else "idle"
        return f"<{type(self).__name__} {self.flavor} id={self.server_id} {state}>"

    async def send_script(self, text: str) -> Reply:
        """Refused: the protocol flag for several statements is off, which also stops stacked-query injection."""
        raise NotImplementedError("MySQL connections take one statement a call")

    async def prepare(self, statements: Sequence[str]) -> None:
        """
        Learn who the server is and run the set-up *statements*, in one round trip.

        An unknown identity is no failure: then nothing will ever be killed.

        Raises:
            ConfigError: the statements changed the character set in which we write, or left autocommit off.
        """
        self._setup = tuple(statements)
        self.server_id = str(self.raw.thread_id())
        who, *replies = await self._exchange([identity_query(self.flavor), *statements, "SELECT @@character_set_client"])
        for reply in replies:
            if reply.error is not None:
                raise self._answered(reply.error)
        if statements:
            self._check_session(text_of(replies[-1].rows[0][0]))
        if who.error is None:
            self.identity, self.server_id = text_of(who.rows[0][0]), str(who.rows[0][1])

    def _check_session(self, charset: str) -> None:
        """Parameters are escaped for one character set, and writes count on autocommit: refuse a session that has others."""
        ours = self.raw.charset if hasattr(self.raw, "charset") else self.raw._charset
        if _SAME_CHARSET.get(charset, charset) != _SAME_CHARSET.get(ours, ours):
            raise ConfigError(
                f"the set-up statements changed character_set_client from {ours} to {charset}: parameters would be read "
                f"otherwise than they are written; give ?charset={charset} in the DSN instead"
            )
        if self.in_transaction:
            raise ConfigError("the set-up statements left autocommit off or a transaction open: every write would be lost")

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

    def describe(self, reply: Reply) -> tuple[str, int | None, int | None]:
        """``INSERT 1``, rows returned or changed, the insert id where the server gave one."""
        rows, text, incoming = reply
        return describe(text, len(rows) if incoming.has_columns else None, incoming.affected, incoming.insert_id)

    async def ping(self) -> None:
        """COM_PING."""
        await self._command(_COM_PING)

    async def begin(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> None:
        """START TRANSACTION, after SET TRANSACTION where an isolation level is asked for; *deferrable* means nothing on MySQL."""
        for reply in await self._exchange(begin_statements(isolation=isolation, readonly=readonly)):
            if reply.error is not None:
                raise self._answered(reply.error)

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
        """
        Whether a transaction is open, or the next statement would open one because autocommit is off; by the status flags of the
        last reply (an error that rolled back clears them).
        """
        return bool(self.raw.server_status & (IN_TRANSACTION | AUTOCOMMIT) != AUTOCOMMIT)

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
        """
        COM_RESET_CONNECTION, which also drops READ ONLY, the collation and every setting, and the set-up statements again.

        False where the server does not know it, or the session is not what it was: close and replace.
        """
        if self.in_transaction:
            return False
        if (await self._command(_COM_RESET_CONNECTION)).error is not None:
            return False
        try:
            await self.prepare(self._setup)
        except Exception:
            return False
        return True

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
