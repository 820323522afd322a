"""
The whole configuration as frozen pydantic models: `RouterConfig` with its databases, hostgroups, servers and rules.

These are resolved values: DSNs are taken apart, names are ids, every server knows its port, and defaults that depend on the
neighbourhood (`read_only`, `when_empty`) are filled in. `load.py` makes them from what users write; `checks.py` holds what
must be true between them. The ``*_for`` methods of `RouterConfig` answer "the nearest wins".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from dbrouter.config.bounds import DAY, MILLISECOND, Lasting, Whole
from dbrouter.config.rules import FastRouteSettings, Id, RuleSettings
from dbrouter.config.schema import (
    BreakerSettings,
    PoolSettings,
    ProbeSettings,
    RetrySettings,
    Settings,
    TimeoutSettings,
)
from dbrouter.terms import Balance, Engine, NodeId, ServerStatus, StartPolicy, WhenEmpty

DEFAULT_PORTS = {Engine.POSTGRESQL: 5432, Engine.MYSQL: 3306}
DEFAULT_DRIVERS = {Engine.POSTGRESQL: "asyncpg", Engine.MYSQL: "aiomysql"}
MAX_WEIGHT = 10_000_000
"""ProxySQL's limit."""
Port = Annotated[int, Whole(0, 65_535)]


class Via(StrEnum):
    """What stands between dbrouter and the servers of a database."""

    DIRECT = "direct"
    PGBOUNCER = "pgbouncer"


class TlsMode(StrEnum):
    """libpq's modes, but `allow`."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class FunctionPolicy(StrEnum):
    """How calls of functions we do not know are routed."""

    LEARN = "learn"
    INTROSPECT = "introspect"
    PRIMARY = "primary"


class SessionStatements(StrEnum):
    """What happens to session statements on a pooled connection."""

    ERROR = "error"
    ALLOW = "allow"


class TlsSettings(Settings):
    """How connections to the servers of a database are encrypted. On reload: for connections opened afterwards."""

    mode: TlsMode = Field(
        default=TlsMode.PREFER,
        description="`disable`, `prefer` (encrypted where the server offers it), `require` (always, certificate "
        "unchecked), `verify-ca`, "
        "or `verify-full` (host name checked too). The DSN's `sslmode` / `ssl-mode` says the same.",
    )
    ca: str | None = Field(
        default=None,
        description="Path of a PEM file with the authorities to trust for `verify-ca` and `verify-full`; the system's "
        "without it.",
    )
    cert: str | None = Field(
        default=None, description="Path of the client certificate (PEM); needs `key` unless the file has both."
    )
    key: str | None = Field(default=None, description="Path of the client certificate's private key (PEM).")


def _setting_text(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {name: _plain_setting(setting) for name, setting in value.items()}


def _plain_setting(value: object) -> object:
    if isinstance(value, bool):
        return "on" if value else "off"
    return format(value, "g") if isinstance(value, float) else str(value) if isinstance(value, int) else value


ServerParameters = Annotated[dict[str, str], BeforeValidator(_setting_text)]


class DatabaseSettings(Settings):
    """
    One database: what its servers share, and its hostgroups.

    On reload a new password and `tls` are for connections opened afterwards; another `user`, `database`, `server_settings`,
    `via`, `found_rows` or parameter of the DSN replaces the connections as they come back; `engine` and `driver` cannot change.
    """

    name: str = Field(description="The key under `databases`; what `router.database(name)` and `database:` of a rule say.")
    engine: Engine = Field(
        description="`postgresql` or `mysql` (MariaDB and MySQL are told apart at connect). The DSN's scheme says it too."
    )
    driver: Literal["asyncpg", "aiomysql", "asyncmy"] = Field(
        default="asyncpg",
        description="`asyncpg` for PostgreSQL; `aiomysql` (default) or `asyncmy` (extra `asyncmy`) for MySQL, also by "
        "the DSN's scheme `mysql+asyncmy://`.",
    )
    user: str | None = Field(default=None, description="Who to log in as; from the DSN.")
    password: SecretStr | None = Field(
        default=None,
        description="The password; from the DSN, or here as `${VAR}` or `file:/run/secrets/x`. "
        "`Router.open(password=…)` takes its place.",
    )
    database: str | None = Field(default=None, description="The name of the database on its servers; the path of the DSN.")
    default_port: Port = Field(
        default=0,
        description="The port of servers that name none: the DSN's, else 5432 (PostgreSQL) or 3306 (MySQL).",
    )
    tls: TlsSettings = Field(default_factory=TlsSettings, description="Encryption.")
    server_settings: ServerParameters = Field(
        default_factory=dict,
        description="PostgreSQL: start-up parameters; MySQL: session variables set after connecting. Values go to the "
        "server as text, "
        "so their units are the server's.",
    )
    driver_options: dict[str, Any] = Field(
        default_factory=dict, description="What the DSN's parameters say to the driver (`charset`, `statement_cache_size`, …)."
    )
    connect_timeout: Annotated[float, Lasting(MILLISECOND, DAY)] | None = Field(
        default=None,
        description="The DSN's `connect_timeout`: seconds, for all servers of the database; `timeouts.connect` of a "
        "hostgroup or server is nearer.",
    )
    via: Via = Field(
        default=Via.DIRECT,
        description="`direct`, or `pgbouncer` (PostgreSQL only: no statement cache, no start-up parameters; read-only "
        "is then the standby's own to enforce).",
    )
    found_rows: bool = Field(default=False, description="MySQL: `rowcount` counts matched rows instead of changed ones.")
    writer_hostgroup: Id = Field(description="Hostgroup of the primary: writes, and everything that is not surely a read.")
    reader_hostgroup: Id | None = Field(default=None, description="Hostgroup of the replicas; without it reads go to the writer.")
    default_hostgroup: Id | None = Field(
        default=None,
        description="Where statements go that no rule sends anywhere, reads too: ProxySQL's `mysql_users.default_hostgroup`. "
        "Without it reads go to `reader_hostgroup` and the rest to `writer_hostgroup`. One of the database's hostgroups.",
    )


class ServerSettings(Settings):
    """One server of a hostgroup; also written as text, ``db1:5432``, ``[::1]:5432`` or the path of a socket."""

    host: str = Field(
        min_length=1, description="Host name, address, or the path of a socket (`/…`: directory for PostgreSQL, file for MySQL)."
    )
    port: Port = Field(
        default=0,
        description="1–65535; the database's `default_port` where it is not written. Not used by a MySQL socket.",
    )
    database: str | None = Field(
        default=None,
        min_length=1,
        description="The name of the database on this server where it differs from the others': behind a pooler whose "
        "databases stand for servers.",
    )
    weight: Annotated[int, Whole(0, MAX_WEIGHT)] = Field(
        default=1,
        description="Share of the calls relative to the hostgroup's other servers; 0 gets none. A reload may change it "
        "without touching connections.",
    )
    status: ServerStatus = Field(
        default=ServerStatus.ONLINE,
        description="`online`, `draining` (no new work, connections in use finish) or `offline` (none). Made for reload.",
    )
    pool: PoolSettings | None = Field(default=None, description="Keys of `pool` that differ for this server.")
    probe: ProbeSettings | None = Field(
        default=None,
        description="Keys of `probe` that differ; a server in two hostgroups is probed once, so they may not contradict.",
    )
    breaker: BreakerSettings | None = Field(
        default=None,
        description="Keys of `breaker` that differ; a server in two hostgroups has one breaker, so they may not contradict.",
    )
    retry: RetrySettings | None = Field(
        default=None,
        description="Keys of `retry` that differ after a failure of this server (`backoff`, `backoff_max`); attempts "
        "and budget are the hostgroup's.",
    )
    timeouts: TimeoutSettings | None = Field(
        default=None, description="`connect` where it differs; `call` belongs to the top or a hostgroup."
    )

    @property
    def socket(self) -> str | None:
        """The path of its socket, or None where it is reached by TCP."""
        return self.host if self.host.startswith("/") else None

    @property
    def node_id(self) -> NodeId:
        """
        ``host:port``, ``[::1]:port``, or the path of a socket (with its port where that matters), and ``/database`` where it
        has a name of its own; unique within a database.
        """
        place = self.host
        if not self.socket or self.port:
            place = f"[{self.host}]:{self.port}" if ":" in self.host and not self.socket else f"{self.host}:{self.port}"
        return NodeId(place if self.database is None else f"{place}/{self.database}")


class HostgroupSettings(Settings):
    """Servers that may take the same work, and how one of them is chosen."""

    id: Id = Field(description="The number by which databases and rules name it.")
    name: str = Field(
        default="", description="What people and metrics call it; `hostgroup-<id>` where it is not written. Unique."
    )
    database: str = Field(
        default="",
        description="The database it belongs to; needed only where no database names it as writer or reader (a "
        "hostgroup for rules).",
    )
    balance: Balance = Field(
        default=Balance.ROUND_ROBIN,
        description="`round_robin` (smooth weighted), `least_outstanding`, `latency` or `random`. A reload changes it "
        "at the next call.",
    )
    max_replication_lag: Annotated[float, Lasting(0, 1460 * DAY)] | None = Field(
        default=None,
        description="Seconds a replica may be behind before it gets no reads; `null` for no limit. Not for writers. "
        "Read and checked, and not acted upon yet: until then a replica gets reads however far it is behind.",
    )
    when_empty: WhenEmpty = Field(
        default=WhenEmpty.WRITER,
        description="Without a usable server: `writer` sends its calls to the writer hostgroup (default of readers), "
        "`wait` waits for one during the first `pool.acquire_timeout` of an outage, and no call beyond its deadline (default "
        "of writers), `fail` refuses at once. The refusal is `CircuitOpenError` where every breaker is open, else "
        "`NoNodeAvailableError`.",
    )
    read_only: bool = Field(
        default=True,
        description="Open its connections read-only (Safety 2): true unless it is a writer hostgroup. Rules with "
        "`unsafe: true` need false.",
    )
    servers: tuple[ServerSettings, ...] = Field(
        min_length=1, description="Its servers; in a writer hostgroup exactly one may be online."
    )
    pool: PoolSettings | None = Field(default=None, description="Keys of `pool` that differ for this hostgroup.")
    probe: ProbeSettings | None = Field(default=None, description="Keys of `probe` that differ for this hostgroup.")
    breaker: BreakerSettings | None = Field(default=None, description="Keys of `breaker` that differ for this hostgroup.")
    retry: RetrySettings | None = Field(default=None, description="Keys of `retry` that differ for this hostgroup.")
    timeouts: TimeoutSettings | None = Field(default=None, description="Keys of `timeouts` that differ for this hostgroup.")


class DigestSettings(Settings):
    """How digest texts are made; ProxySQL's `mysql-query_digests_…` variables and their defaults. Rules' digests follow it."""

    lowercase: bool = Field(default=False, description="Fold the digest text to lower case.")
    replace_null: bool = Field(default=False, description="NULL becomes `?` too.")
    no_digits: bool = Field(default=False, description="Digits inside names become `?` (`t1` and `t2` are one shape).")
    keep_comment: bool = Field(default=False, description="Comments stay in the digest text.")
    grouping_limit: Annotated[int, Whole(1, 2089, "values")] = Field(
        default=3, description="Lists of more values than this (by at least two) keep so many, then `...`."
    )
    groups_grouping_limit: Annotated[int, Whole(0, 2089, "groups")] = Field(
        default=10, description="More groups of shortened lists than this become `...` too; 0: never."
    )
    max_length: Annotated[int, Whole(16, 1_048_576, "characters")] = Field(
        default=2048, description="Characters of a digest text at most."
    )


class CacheSettings(Settings):
    """The result cache that rules with `cache_ttl` use; one per router."""

    max_bytes: Annotated[int, Whole(0, 2**40, "bytes")] = Field(
        default=64 * 1024 * 1024, description="Bytes of results kept, by estimate; the least recently used go first. 0: none."
    )


class MirrorSettings(Settings):
    """How mirrored statements are sent; what exceeds it is dropped and counted, the real statement never waits."""

    max_concurrency: Annotated[int, Whole(1, 10_000, "copies")] = Field(default=16, description="Copies on their way at once.")
    max_queue: Annotated[int, Whole(0, 1_000_000, "copies")] = Field(default=1000, description="Copies that wait for their turn.")


FunctionName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s(),;'`]+$")]


class ProcessingSettings(Settings):
    """What a router does with statements beside sending them: keys of the top that refer to nothing else."""

    read_functions: tuple[FunctionName, ...] = Field(
        default=(),
        description="Functions that only read, whatever `functions` says: names (`*` and `?` are wildcards); "
        "without a schema they are meant in every schema.",
    )
    write_functions: tuple[FunctionName, ...] = Field(
        default=(), description="Functions that write: statements that call one go to the primary. Nearer than `read_functions`."
    )
    query_processor_iterations: Annotated[int, Whole(0, 1_000_000)] = Field(
        default=0,
        description="How often a match that changed the flag begins again with the first rule; 0: rules go forward only.",
    )
    comment_hints: bool = Field(
        default=False,
        description="Obey `/* hostgroup=1;query_timeout=500 */` in statements, after the rules: whoever writes the SQL decides.",
    )
    digest: DigestSettings = Field(default_factory=DigestSettings, description="How digest texts are made.")
    result_cache: CacheSettings = Field(default_factory=CacheSettings, description="The result cache.")
    mirror: MirrorSettings = Field(default_factory=MirrorSettings, description="Mirroring.")


class ShadowRules(Settings):
    """A candidate rule set that is tried beside the live one: a file with `query_rules` of the same form."""

    file: str = Field(description="Where they were read from.")
    query_rules: tuple[RuleSettings, ...] = Field(description="Ascending by `rule_id`.")


class RouterConfig(ProcessingSettings):
    """The whole configuration of a router."""

    version: Literal[1] = Field(default=1, description="Of this file format.")
    databases: dict[str, DatabaseSettings] = Field(min_length=1, description="By name; the first one is the default database.")
    hostgroups: tuple[HostgroupSettings, ...] = Field(min_length=1, description="All hostgroups of all databases.")
    pool: PoolSettings = Field(
        default_factory=PoolSettings, description="Connection pools, unless a hostgroup or server says otherwise."
    )
    probe: ProbeSettings = Field(
        default_factory=ProbeSettings, description="Liveness probes, unless a hostgroup or server says otherwise."
    )
    breaker: BreakerSettings = Field(
        default_factory=BreakerSettings, description="Circuit breakers, unless a hostgroup or server says otherwise."
    )
    retry: RetrySettings = Field(default_factory=RetrySettings, description="Retries, unless a hostgroup says otherwise.")
    timeouts: TimeoutSettings = Field(
        default_factory=TimeoutSettings, description="Time limits, unless a hostgroup or server says otherwise."
    )
    start: StartPolicy = Field(
        default=StartPolicy.ANY,
        description="What must be reachable before `Router.open` returns: `none`, `any` (one server of each database), "
        "`writer`, `all`.",
    )
    functions: FunctionPolicy = Field(
        default=FunctionPolicy.LEARN,
        description="`learn`: a statement that calls a function we do not know counts as a read until a server refuses "
        "it, which is remembered; `introspect`: the server's catalog says what it may do (PostgreSQL: volatile functions may "
        "write; MySQL: those not declared `READS SQL DATA` or `NO SQL`), read at start, after schema changes and every 5 min; "
        "`primary`: it goes to the primary.",
    )
    session_statements: SessionStatements = Field(
        default=SessionStatements.ERROR,
        description="`error` refuses statements that make session state on a pooled connection; `allow` runs them on "
        "the primary and closes the connection.",
    )
    query_rules: tuple[RuleSettings, ...] = Field(
        default=(), description="Rules, ascending by `rule_id` whatever the order in the file."
    )
    query_rules_fast_routing: tuple[FastRouteSettings, ...] = Field(
        default=(), description="Hostgroups by user, schema and flag, looked up when no applying rule ended the evaluation."
    )

    shadow_rules: ShadowRules | None = Field(
        default=None,
        description="Path of a file with `query_rules`, relative to this one: candidates that are evaluated beside the live "
        "rules and never followed; what they would change is counted and reported. Read again at each reload.",
    )

    @property
    def default_database(self) -> str:
        """The name of the first database."""
        return next(iter(self.databases))

    def hostgroup(self, key: int | str) -> HostgroupSettings:
        """
        The hostgroup with this id or name.

        Raises:
            KeyError: there is none.
        """
        for hostgroup in self.hostgroups:
            if key == hostgroup.id or key == hostgroup.name:
                return hostgroup
        raise KeyError(key)

    def hostgroups_of(self, database: str) -> tuple[HostgroupSettings, ...]:
        """The hostgroups of *database*, in the order of the configuration."""
        return tuple(hostgroup for hostgroup in self.hostgroups if hostgroup.database == database)

    def is_writer(self, hostgroup: HostgroupSettings) -> bool:
        """Whether its database sends writes there."""
        database = self.databases.get(hostgroup.database)
        return database is not None and database.writer_hostgroup == hostgroup.id

    def pool_for(self, hostgroup: HostgroupSettings, server: ServerSettings | None = None) -> PoolSettings:
        """The pool settings of *server* in *hostgroup* (of the hostgroup where no server is given)."""
        return self.pool.overlay(hostgroup.pool, server.pool if server else None)

    def probe_for(self, hostgroup: HostgroupSettings, server: ServerSettings | None = None) -> ProbeSettings:
        """The probe settings of *server*; those of a node in two hostgroups come from its first mention."""
        first, mention = self._first_mention(hostgroup, server)
        return self.probe.overlay(first.probe, mention.probe if mention else None)

    def breaker_for(self, hostgroup: HostgroupSettings, server: ServerSettings | None = None) -> BreakerSettings:
        """The breaker settings of *server*; those of a node in two hostgroups come from its first mention."""
        first, mention = self._first_mention(hostgroup, server)
        return self.breaker.overlay(first.breaker, mention.breaker if mention else None)

    def retry_for(self, hostgroup: HostgroupSettings, server: ServerSettings | None = None) -> RetrySettings:
        """The retry settings of calls to *hostgroup*; with *server* the delays after that server failed."""
        return self.retry.overlay(hostgroup.retry, server.retry if server else None)

    def timeouts_for(self, hostgroup: HostgroupSettings, server: ServerSettings | None = None) -> TimeoutSettings:
        """The time limits of *server*, or of calls to *hostgroup* where no server is given."""
        database = self.databases.get(hostgroup.database)
        shared = TimeoutSettings(connect=database.connect_timeout) if database and database.connect_timeout else None
        return self.timeouts.overlay(shared, hostgroup.timeouts, server.timeouts if server else None)

    def _first_mention(
        self, hostgroup: HostgroupSettings, server: ServerSettings | None
    ) -> tuple[HostgroupSettings, ServerSettings | None]:
        if server is None:
            return hostgroup, None
        for other in self.hostgroups_of(hostgroup.database):
            for mention in other.servers:
                if mention.node_id == server.node_id:
                    return other, mention
        return hostgroup, server
