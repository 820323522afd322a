"""
Decision: what the rules say of one statement.
"""

from __future__ import annotations

from dbrouter.config.rules import RuleSettings

_COPIED = (
    "timeout",
    "retries",
    "delay",
    "cache_ttl",
    "cache_empty_result",
    "next_query_flagIN",
    "OK_msg",
    "multiplex",
    "gtid_from_hostgroup",
    "log",
)
"""Outputs that a matching rule overwrites when it sets them, each by itself."""


class Decision:
    """
    What the rules say of one statement; None where no rule said anything.

    `unsafe` is that of the rule that decided the destination, `mirror_unsafe` that of the rule that decided the mirror,
    `cache_volatile` that of the rule that decided `cache_ttl` (False without one).
    """

    __slots__ = (
        "OK_msg",
        "cache_empty_result",
        "cache_ttl",
        "cache_volatile",
        "delay",
        "destination",
        "error_msg",
        "error_rule_id",
        "flag",
        "gtid_from_hostgroup",
        "hinted",
        "hints",
        "log",
        "matched",
        "mirror_flagOUT",
        "mirror_hostgroup",
        "mirror_unsafe",
        "multiplex",
        "next_query_flagIN",
        "overruled",
        "retries",
        "rewritten",
        "rule_id",
        "timeout",
        "unsafe",
    )

    destination: int | None
    """Id of the hostgroup."""
    rule_id: int | None
    """The rule that decided `destination`; None where fast routing or a comment did."""
    timeout: float | None
    """Seconds."""
    retries: int | None
    """Attempts after the first."""
    delay: float | None
    """Seconds to wait before sending."""
    cache_ttl: float | None
    """Seconds."""
    cache_empty_result: bool | None
    cache_volatile: bool
    next_query_flagIN: int | None
    OK_msg: str | None
    error_msg: str | None
    """The statement is refused with this text."""
    error_rule_id: int | None
    """The rule that set `error_msg`."""
    mirror_hostgroup: int | None
    mirror_flagOUT: int | None
    mirror_unsafe: bool
    multiplex: int | None
    gtid_from_hostgroup: int | None
    log: bool | None
    unsafe: bool
    hinted: bool
    """A comment in the statement decided `destination`, which may therefore be no hostgroup of its database."""
    hints: dict[str, int] | None
    """What a comment in the statement says."""
    overruled: tuple[int | None, int | None, bool] | None
    """`destination`, `rule_id` and `unsafe` as they were before a comment decided."""
    rewritten: str | None
    """The text to judge and send in place of the caller's."""
    flag: int
    """The flag with which evaluation ended."""
    matched: tuple[int, ...]
    """Every match in order; a rule that matched again after a restart is there again."""

    def __init__(self, flag: int = 0) -> None:
        self.destination = None
        self.rule_id = None
        self.timeout = None
        self.retries = None
        self.delay = None
        self.cache_ttl = None
        self.cache_empty_result = None
        self.cache_volatile = False
        self.next_query_flagIN = None
        self.OK_msg = None
        self.error_msg = None
        self.error_rule_id = None
        self.mirror_hostgroup = None
        self.mirror_flagOUT = None
        self.mirror_unsafe = False
        self.multiplex = None
        self.gtid_from_hostgroup = None
        self.log = None
        self.unsafe = False
        self.hinted = False
        self.hints = None
        self.overruled = None
        self.rewritten = None
        self.flag = flag
        self.matched = ()

    def take(self, rule: RuleSettings) -> None:
        """Let a matching *rule* overwrite what it sets."""
        if rule.destination_hostgroup is not None:
            self.destination = rule.destination_hostgroup
            self.rule_id = rule.rule_id
            self.unsafe = rule.unsafe
        if rule.error_msg is not None:
            self.error_msg = rule.error_msg
            self.error_rule_id = rule.rule_id
        if rule.cache_ttl is not None:
            self.cache_volatile = rule.cache_volatile
        if rule.mirror_hostgroup is not None or rule.mirror_flagOUT is not None:
            self.mirror_unsafe = rule.unsafe
            self.mirror_hostgroup = rule.mirror_hostgroup if rule.mirror_hostgroup is not None else self.mirror_hostgroup
            self.mirror_flagOUT = rule.mirror_flagOUT if rule.mirror_flagOUT is not None else self.mirror_flagOUT
        for name in _COPIED:
            value = getattr(rule, name)
            if value is not None:
                setattr(self, name, value)

    def ignore_hinted_destination(self) -> None:
        """Let the rules' destination stand, because the comment's is none."""
        if self.overruled is not None:
            self.destination, self.rule_id, self.unsafe = self.overruled
            self.hinted, self.overruled = False, None

    def __repr__(self) -> str:
        said = (f"{name}={getattr(self, name)!r}" for name in self.__slots__ if getattr(self, name) not in (None, False, (), 0))
        return f"<Decision {' '.join(said) or 'nothing'}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it is filled in as the rules are walked
