"""
Plan: everything that is decided about a text before a connection is looked for. Made by the `Planner`, read by everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.errors import ParameterError
from dbrouter.router.refusals import Refusal
from dbrouter.sql import Statement
from dbrouter.sql.parameters import Named
from dbrouter.terms import Intent

if TYPE_CHECKING:
    from dbrouter.router.shadow import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto:
    """Why the hostgroup that was asked for was not taken."""

    hostgroup: str
    rule_id: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A mirrored statement: the database it goes to, and its plan there."""

    database: str
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """
    What the rules want of a call beside sending it where it belongs.

    Attributes:
        ok_msg: answer with this status, and send nothing.
        cache_ttl: seconds for which a stored result may answer; None: neither look up nor store.
        cache_empty: whether results without rows are stored.
        delay: seconds to wait before sending.
        next_flag: the flag with which later calls of the same context begin.
        copy: what is mirrored.
        log: tell of the call when it is over.
        follows: reads of a context that has written through this hostgroup go there.
        notes_write: remember in the context that it has written; of a read: that it may have, where its session could write.
    """

    ok_msg: str | None = None
    cache_ttl: float | None = None
    cache_empty: bool = True
    delay: float | None = None
    next_flag: int | None = None
    copy: Copy | None = None
    log: bool = False
    follows: int | None = None
    notes_write: bool = False


class Tally:
    """
    Calls, counted. One belongs to all plans that matched the same rules.

    Attributes:
        calls: HOT: one more with each call of such a plan, whatever becomes of it.
    """

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls = 0


UNCOUNTED = Tally()
"""Of plans that are made for no call (explanations, candidates, copies), and of those that no rule matched."""


class Plan:
    """
    Everything that is decided about a text before a connection is looked for.

    Attributes:
        asked: the caller's own text, which a rule may have rewritten.
        text: what is sent; where a mapping is given for ``:name`` placeholders, `bind` has the text in the engine's own style.
        read: whether it may be sent to a reader and, safe as the session is, sent again.
        unknown: the functions it calls of which nobody can say what they do.
        pure: there are none, so that as a read it may be sent again even where the session could write.
        hostgroup: where it goes.
        timeout: seconds for the whole call where the caller gives none; None: no limit.
        timed: a rule gave *timeout*, so that it holds for pinned calls too, wherever they are.
        attempts: how often it may be sent in all.
        reset: whether the session must be brought back to its first state afterwards (functions we do not know).
        tidy: something is left to do after it (*reset*, *taints*, the catalog to be read again, or *difference*).
        script: several statements in one text, to be sent by the simple protocol.
        taints: why the connection cannot be handed on afterwards (session state), or None.
        forbidden: makes the error of the rule that forbids this text, or None; holds on pinned connections too.
        refusal: makes the error this text is refused with as a pooled call, or None.
        effects: what a rule wants beside sending it, or None.
        detour: a pooled call does not simply send it (*refusal* or *effects*).
        difference: what the shadow rules would do otherwise, or None; its calls are counted where *tidy* leads.
        hits: the rules that matched.
        tally: counts the calls, for the statistics of those rules.
        copied: it is a mirrored statement, which goes to its hostgroup or nowhere.
        stays: the caller asked for ``route="read"``: a read-only refusal is the answer, never a reason to go to the primary.
    """

    __slots__ = (
        "asked",
        "attempts",
        "copied",
        "detour",
        "difference",
        "effects",
        "forbidden",
        "hits",
        "hostgroup",
        "kind",
        "named",
        "pure",
        "read",
        "refusal",
        "reset",
        "rule_id",
        "script",
        "statement",
        "stays",
        "taints",
        "tally",
        "text",
        "tidy",
        "timed",
        "timeout",
        "unknown",
        "unsafe",
        "veto",
        "why",
    )

    def __init__(self, text: str, statement: Statement, hostgroup: Hostgroup) -> None:
        self.text = self.asked = text
        self.statement = statement
        self.kind = statement.kind
        self.hostgroup = hostgroup
        self.read = statement.intent is Intent.READ
        self.timeout = hostgroup.call_timeout
        self.timed = False
        self.attempts = hostgroup.retry.attempts
        self.unknown: tuple[str, ...] = ()
        self.pure = True
        self.tidy = False
        self.difference: Difference | None = None
        self.named: Named | None = None
        self.rule_id: int | None = None
        self.hits: tuple[int, ...] = ()
        self.tally = UNCOUNTED
        self.veto: Veto | None = None
        self.unsafe = False
        self.reset = False
        self.script = False
        self.copied = False
        self.stays = False
        self.taints: str | None = None
        self.forbidden: Refusal | None = None
        self.refusal: Refusal | None = None
        self.effects: Effects | None = None
        self.detour = False
        self.why = ""

    def __repr__(self) -> str:
        return f"<Plan {self.kind} {'read' if self.read else 'write'} to {self.hostgroup.name}>"

    @property
    def answer(self) -> str | None:
        """The status with which a rule answers it in place of a server (`OK_msg`), or None."""
        return self.effects.ok_msg if self.effects is not None else None

    def bind(self, params: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """
        The text to send and its positional parameters, where the text has ``:name`` placeholders and parameters were given.

        Raises:
            ParameterError: positional parameters were given, or the mapping lacks a name or has one too many.
        """
        named = self.named
        if named is None:
            return self.text, params
        if len(params) == 1 and isinstance(params[0], Mapping):
            return named.text, named.values(params[0])
        names = ", ".join(f":{name}" for name in dict.fromkeys(named.order))
        raise ParameterError(
            f"the text has the placeholders {names} and {len(params)} positional parameters were given; pass one mapping"
        )
