"""ProxySQL's ``mysql_variables`` and ``pgsql_variables`` as settings of ours, and why the others are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbrouter.config.proxysql.report import Outcome
from dbrouter.config.proxysql.values import milliseconds, seconds, truth, whole

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """
    Where a variable goes.

    Attributes:
        place: the path of our setting.
        convert: its value for us; None: there is nothing to write.
        default: ProxySQL's own values (one a version), which are left to our default instead; empty: every value is carried.
        why: what differs from ProxySQL.
    """

    place: Place
    convert: Callable[[Any], Any]
    default: tuple[str, ...] = ()
    why: str = ""


def _one_more(value: Any) -> Any:
    return count + 1 if isinstance(count := whole(value), int) else None


def _at_least_one(value: Any) -> Any:
    return max(1, count) if isinstance(count := whole(value), int) else None


def _megabytes(value: Any) -> Any:
    return count * 1024 * 1024 if isinstance(count := whole(value), int) else None


def _lifetime(value: Any) -> Any:
    return None if whole(value) == 0 else milliseconds(value)


SETTINGS: dict[str, Setting] = {
    "default_query_timeout": Setting(("timeouts", "call"), milliseconds),
    "connect_timeout_server": Setting(("timeouts", "connect"), milliseconds, ("1000",), "TLS and authentication count too"),
    "connect_timeout_server_max": Setting(
        ("pool", "acquire_timeout"), milliseconds, ("10000",), "how long a call waits for a connection"
    ),
    "connection_max_age_ms": Setting(("pool", "max_lifetime"), _lifetime, ("0",)),
    "monitor_ping_interval": Setting(
        ("probe", "interval"), milliseconds, ("8000", "10000", "60000"), "without it a dead server is noticed within two seconds"
    ),
    "monitor_ping_timeout": Setting(("probe", "timeout"), milliseconds, ("1000",), "connecting counts too"),
    "monitor_ping_max_failures": Setting(("probe", "fall"), _at_least_one, ("3",)),
    "shun_on_failures": Setting(
        ("breaker", "consecutive_failures"), _at_least_one, ("5",), "failures in a row, not within one second of the clock"
    ),
    "shun_recovery_time_sec": Setting(("breaker", "open_for"), seconds, ("10",), "doubles at each failed try"),
    "query_retries_on_failure": Setting(
        ("retry", "attempts"), _one_more, ("1",), "a write that may have been applied is never sent again, which ProxySQL does"
    ),
    "query_processor_iterations": Setting(("query_processor_iterations",), whole, ("0",)),
    "query_digests_lowercase": Setting(("digest", "lowercase"), truth, ("false",)),
    "query_digests_replace_null": Setting(("digest", "replace_null"), truth, ("false",)),
    "query_digests_no_digits": Setting(("digest", "no_digits"), truth, ("false",)),
    "query_digests_keep_comment": Setting(("digest", "keep_comment"), truth, ("false",)),
    "query_digests_grouping_limit": Setting(("digest", "grouping_limit"), _at_least_one, ("3",)),
    "query_digests_groups_grouping_limit": Setting(("digest", "groups_grouping_limit"), whole, ("10",)),
    "query_digests_max_digest_length": Setting(("digest", "max_length"), whole, ("2048",)),
    "query_cache_size_mb": Setting(("result_cache", "max_bytes"), _megabytes, ("256",), "per process"),
    "mirror_max_concurrency": Setting(("mirror", "max_concurrency"), _at_least_one, ("16",)),
    "mirror_max_queue_length": Setting(("mirror", "max_queue"), whole, ("32000",)),
}

_OWN_PROBE = "probes log in as the database's own user"
_PROBED = "every probe looks at it, at probe.interval"
_DROPPED: dict[str, str] = {
    "monitor_username": _OWN_PROBE,
    "monitor_password": _OWN_PROBE,
    "monitor_enabled": "probes are always on",
    "monitor_connect_interval": "a probe keeps its own connection and opens a new one when it is lost",
    "monitor_connect_timeout": "probe.timeout has connecting in it",
    "monitor_read_only_interval": _PROBED,
    "monitor_read_only_timeout": _PROBED,
    "monitor_replication_lag_interval": _PROBED,
    "monitor_replication_lag_timeout": _PROBED,
    "monitor_writer_is_also_reader": "name the primary among the reader hostgroup's servers to read from it too; "
    "where no replica is usable it takes their reads anyway (when_empty: writer)",
    "monitor_slave_lag_when_null": "a replica whose lag is not known counts as not replicating",
    "max_connections": "it counts clients of the proxy, and there are none; pool.max_waiting bounds callers",
    "interfaces": "there is no port to listen on: the router is in the application's process",
    "default_query_delay": "rules have delay; there is none for all statements",
    "default_max_latency_ms": "no server is left out for its ping; balance: latency prefers the quick ones",
    "multiplexing": "session state is what keeps a connection to one task here, not a switch",
    "query_processor_first_comment_parsing": "comment annotations are off, because whoever writes the SQL would decide; "
    "comment_hints: true turns them on",
    "query_processor_regex": "patterns are RE2's",
    "set_query_lock_on_hostgroup": "no SET locks a session; session statements belong in connection()",
    "eventslog_default_log": "events are logged by the application's logging",
    "free_connections_pct": "pool.min_size and pool.idle_timeout say how many idle connections stay",
    "default_sql_mode": "write server_settings: {sql_mode: …} in the database where it is meant",
    "default_time_zone": "write server_settings: {time_zone: …} in the database where it is meant",
}
_FOREIGN = "it is about the proxy's own process or protocol"


def why_dropped(name: str) -> str:
    """Why the variable *name*, which is none of `SETTINGS`, is not carried."""
    return _DROPPED.get(name, _PROBED if name.startswith("monitor_") else _FOREIGN)


def outcome_of(setting: Setting, value: Any) -> tuple[Any, Outcome, str]:
    """(our value or None, what became of it, why) of a variable's *value*."""
    where = ".".join(setting.place)
    if str(value).strip().lower() in setting.default:
        return None, Outcome.CHANGED, f"it is ProxySQL's default, so {where} keeps dbrouter's own"
    converted = setting.convert(value)
    if converted is None:
        return None, Outcome.DROPPED, f"there is nothing to write as {where}"
    return converted, Outcome.KEPT, f"{where}" + (f"; {setting.why}" if setting.why else "")
