"""
Facts: everything that criteria are compared with. One object per statement seen for the first time.
"""

from __future__ import annotations

from dbrouter.sql import Statement
from dbrouter.terms import Intent

CALLER_FACTS = ("username", "schemaname", "client_addr", "proxy_addr", "proxy_port", "tag")
"""What depends on who calls, not on the text; plans are kept by those of them that a rule set looks at."""


class Facts:
    """
    A statement and who sends it.

    Attributes:
        flag: the flag to begin with.
        text, digest_text, digest: of the statement as the caller wrote it.
        kind, intent: as `analyze` says of that text.
        username, schemaname: never None where the database names them.
        client_addr, proxy_addr, proxy_port, tag: None where they are not known.
    """

    __slots__ = ("client_addr", "database", "flag", "proxy_addr", "proxy_port", "schemaname", "statement", "tag", "username")

    def __init__(
        self,
        statement: Statement,
        *,
        database: str,
        flag: int = 0,
        username: str | None = None,
        schemaname: str | None = None,
        client_addr: str | None = None,
        proxy_addr: str | None = None,
        proxy_port: int | None = None,
        tag: str | None = None,
    ) -> None:
        self.statement = statement
        self.database = database
        self.flag = flag
        self.username = username
        self.schemaname = schemaname
        self.client_addr = client_addr
        self.proxy_addr = proxy_addr
        self.proxy_port = proxy_port
        self.tag = tag

    @property
    def text(self) -> str:
        return self.statement.text

    @property
    def digest_text(self) -> str:
        return self.statement.digest_text

    @property
    def digest(self) -> int:
        return self.statement.digest

    @property
    def kind(self) -> str:
        return self.statement.kind

    @property
    def intent(self) -> Intent:
        return self.statement.intent
