"""
To ProxySQL: `export_proxysql` says a configuration of ours in ProxySQL's admin tables, and lists what they cannot say.

`Exported.sql` is for the admin interface, `Exported.cnf` for ``proxysql.cnf``. Imported again they give the same configuration,
up to what the list names. Where dbrouter splits reads from writes by itself, two rules of ProxySQL come near it; their comment
says so, and an import knows them by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.dump import password_variable
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings, TlsMode, Via
from dbrouter.config.proxysql import Note, Outcome
from dbrouter.config.proxysql.output import GENERATED, SPLIT
from dbrouter.config.proxysql.rules import COLUMNS as RULE_COLUMNS
from dbrouter.config.proxysql.rules import DURATIONS, TRUTHS
from dbrouter.config.proxysql.schema import COLUMNS
from dbrouter.config.rules import RuleSettings
from dbrouter.config.schema import Settings
from dbrouter.interchange.libconfig import write_libconfig
from dbrouter.interchange.veto import vetoed_rules
from dbrouter.terms import Balance, Engine, ServerStatus, WhenEmpty

PREFIXES = {Engine.MYSQL: "mysql", Engine.POSTGRESQL: "pgsql"}
LOCKING = r"^\(*SELECT\b.*\b(FOR\s+(NO\s+KEY\s+|KEY\s+)?(UPDATE|SHARE)|LOCK\s+IN\s+SHARE\s+MODE|INTO)\b"
READING = r"^\(*SELECT\b"
_STATUS = {
    ServerStatus.ONLINE: "ONLINE",
    ServerStatus.DRAINING: "OFFLINE_SOFT",
    ServerStatus.OFFLINE: "OFFLINE_HARD",
}
_OURS_ALONE = ("tag", "kind", "intent")
"""Criteria that ProxySQL has not: without them a rule would match more."""
_SAID = (
    *("version", "databases", "hostgroups", "query_rules", "query_rules_fast_routing"),
    *("pool", "probe", "breaker", "retry", "timeouts"),
    *("query_processor_iterations", "comment_hints", "digest", "result_cache", "mirror"),
)
"""Keys of the top of which something is said elsewhere."""
_SAID_OF_DATABASES = (
    *("name", "engine", "driver", "user", "password", "database", "default_port", "tls", "server_settings", "driver_options"),
    *("via", "writer_hostgroup", "reader_hostgroup", "default_hostgroup"),
)
_ESCAPED = (("users", "comment"), ("query_rules", "attributes"))
"""Texts of which ProxySQL minds the quotes when it reads its file."""
_LISTED = {
    "pool": "ProxySQL keeps connections by its own variables; pool.max_size is max_connections of the servers",
    "breaker": "ProxySQL shuns by errors in one second; only consecutive_failures has a like (shun_on_failures)",
    "retry": "ProxySQL sends again what broke, writes too, as often as query_retries_on_failure says, without back-off or budget",
}


@dataclass(slots=True)
class Exported:
    """
    A configuration in ProxySQL's tables.

    Attributes:
        tables: rows by table; columns that have their default are left out.
        notes: what could not be said, or not in the same way.
        variables: the placeholders that stand for passwords, by database; empty where passwords are written.
    """

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """Statements for the admin interface; what they change is what the configuration speaks of."""
        lines = []
        for table, rows in self.tables.items():
            if table != "global_variables":
                lines.append(f"DELETE FROM {table};")
            for row in rows:
                verb = "REPLACE" if table == "global_variables" else "INSERT"
                values = ", ".join(_literal(value) for value in row.values())
                lines.append(f"{verb} INTO {table} ({', '.join(row)}) VALUES ({values});")
        for prefix in PREFIXES.values():
            if any(table.startswith(prefix) for table in self.tables):
                for what in ("VARIABLES", "SERVERS", "USERS", "QUERY RULES"):
                    lines += [f"LOAD {prefix.upper()} {what} TO RUNTIME;", f"SAVE {prefix.upper()} {what} TO DISK;"]
        return "\n".join(lines) + "\n"

    @property
    def cnf(self) -> str:
        """The same for ``proxysql.cnf``, which ProxySQL reads at its first start."""
        settings: dict[str, Any] = {}
        for row in self.tables.get("global_variables", []):
            prefix, _, name = row["variable_name"].partition("-")
            value = row["variable_value"]
            settings.setdefault(f"{prefix}_variables", {})[name] = int(value) if value.isdigit() else value
        settings |= {table: rows for table, rows in self.tables.items() if table != "global_variables"}
        return write_libconfig(settings)


def export_proxysql(config: RouterConfig, *, with_passwords: bool = False) -> Exported:
    """
    *config* in ProxySQL's tables.

    Args:
        with_passwords: write the passwords; else ``${SHOP_PASSWORD}`` stands where each belongs.
    """
    return _Exporter(config, with_passwords).export()


class _Exporter:
    def __init__(self, config: RouterConfig, with_passwords: bool) -> None:
        self._config = config
        self._with_passwords = with_passwords
        self._done = Exported()
        self._shift = self._room()

    def export(self) -> Exported:
        for engine, prefix in PREFIXES.items():
            databases = {name: database for name, database in self._config.databases.items() if database.engine is engine}
            if databases:
                self._engine(prefix, databases)
        tables = self._done.tables
        self._done.tables = {name: tables[name] for name in COLUMNS if name in tables}
        self._broken_in_the_file()
        for name, why in _LISTED.items():
            if (settings := getattr(self._config, name)) != type(settings)():
                self._note(name, "", "", Outcome.DROPPED, why)
        for name in _changed(self._config, _SAID):
            self._note(name, "", "", Outcome.DROPPED, "it is about the application's process, which ProxySQL is not in")
        for rule_id, example, hostgroup in vetoed_rules(self._config):
            why = (
                f"ProxySQL has no veto: by this rule it sends writes to {hostgroup!r} too, such as {example!r}, which dbrouter "
                "keeps on the writer; put a rule for them in front"
            )
            self._note("query_rules", f"rule_id {rule_id}", "destination_hostgroup", Outcome.CHANGED, why)
        return self._done

    def _broken_in_the_file(self) -> None:
        """ProxySQL reads its file into statements without escaping: a quote of the kind that it writes itself ends the text."""
        for prefix in PREFIXES.values():
            for kind, quote, key in (("users", "'", "username"), ("query_rules", '"', "rule_id")):
                table = f"{prefix}_{kind}"
                for row in self._done.tables.get(table, []):
                    texts = [column for column, value in row.items() if isinstance(value, str) and quote in value]
                    columns = [column for column in texts if (kind, column) not in _ESCAPED]
                    label = str(row[key]) if kind == "users" else f"{key} {row[key]}"
                    if columns:
                        why = f"in proxysql.cnf a {quote} breaks the row, which ProxySQL does not escape: load the statements"
                        self._note(table, label, ", ".join(columns), Outcome.CHANGED, why)

    def _note(self, table: str, row: str, column: str, outcome: Outcome, why: str) -> None:
        self._done.notes.append(Note(table, row, column, outcome, why))

    def _add(self, table: str, row: dict[str, Any]) -> None:
        known = COLUMNS[table]
        kept = {
            column: value
            for column, value in row.items()
            if value is not None and (value != known[column] or column == "active")  # proxysql.cnf's default is another one
        }
        self._done.tables.setdefault(table, []).append(kept)

    # --- one engine

    def _engine(self, prefix: str, databases: dict[str, DatabaseSettings]) -> None:
        for name, database in databases.items():
            self._user(prefix, name, database)
            reader = database.reader_hostgroup
            if reader is not None:
                pair = {"writer_hostgroup": database.writer_hostgroup, "reader_hostgroup": reader, "comment": ""}
                self._add(f"{prefix}_replication_hostgroups", pair)
                why = "ProxySQL moves servers between the two by read_only; here the configuration alone does"
                self._note("databases", name, "reader_hostgroup", Outcome.CHANGED, why)
            for hostgroup in self._config.hostgroups_of(name):
                self._hostgroup(prefix, name, database, hostgroup)
        self._split(prefix, databases)
        for rule in self._config.query_rules:
            if rule.database is None or rule.database in databases:
                self._rule(prefix, rule, databases)
        for route in self._config.query_rules_fast_routing:
            if any(group.id == route.destination_hostgroup for name in databases for group in self._config.hostgroups_of(name)):
                columns = route.model_dump()
                schema = "database" if prefix == "pgsql" else "schemaname"
                columns[schema] = columns.pop("schemaname")
                self._add(f"{prefix}_query_rules_fast_routing", {**columns, "comment": route.comment or ""})
        self._variables(prefix)

    def _user(self, prefix: str, name: str, database: DatabaseSettings) -> None:
        password = None
        if database.password is not None and self._with_passwords:
            password = database.password.get_secret_value()
        elif database.password is not None:
            self._done.variables[name] = password_variable(name)
            password = f"${{{self._done.variables[name]}}}"
        default = database.default_hostgroup if database.default_hostgroup is not None else database.writer_hostgroup
        row = {
            "username": database.user or name,
            "password": password,
            "default_hostgroup": default,
            "comment": f"{GENERATED}{name}",
        }
        if prefix == "mysql":
            row["default_schema"] = database.database
        elif database.database is not None:
            why = f"ProxySQL does not name the database of PostgreSQL: its clients must ask for {database.database!r}"
            self._note("databases", name, "database", Outcome.DROPPED, why)
        if database.user is None:
            self._note("databases", name, "user", Outcome.CHANGED, f"none is written; ProxySQL needs one: {name!r} stands there")
        for column in ("server_settings", "driver_options"):
            if getattr(database, column):
                names = ", ".join(getattr(database, column))
                self._note("databases", name, column, Outcome.DROPPED, f"{names}: clients of ProxySQL set these themselves")
        if database.tls.mode in (TlsMode.VERIFY_CA, TlsMode.VERIFY_FULL):
            self._note(
                "databases",
                name,
                "tls",
                Outcome.CHANGED,
                "encrypted, but certificates are checked by ProxySQL's ssl_p2s_* variables only",
            )
        elif database.tls.mode is TlsMode.PREFER:
            self._note(
                "databases", name, "tls", Outcome.CHANGED, "prefer: ProxySQL encrypts or does not (use_ssl); it does not here"
            )
        for column in _changed(database, _SAID_OF_DATABASES):
            self._note("databases", name, column, Outcome.DROPPED, "ProxySQL has nothing like it")
        if database.via is not Via.DIRECT:
            self._note("databases", name, "via", Outcome.DROPPED, "one pooler behind another; name the servers themselves")
        others = [
            other.user for other in self._config.databases.values() if other is not database and other.engine is database.engine
        ]
        if database.user is not None and database.user in others:
            why = f"ProxySQL has one user {database.user!r}, with one default hostgroup: give each database a user of its own"
            self._note("databases", name, "user", Outcome.CHANGED, why)
            if any(row["username"] == user.get("username") for user in self._done.tables.get(f"{prefix}_users", [])):
                return
        self._add(f"{prefix}_users", row)

    def _hostgroup(self, prefix: str, name: str, database: DatabaseSettings, hostgroup: HostgroupSettings) -> None:
        config, number = self._config, hostgroup.id
        label = f"{number} ({hostgroup.name})"
        init = config.pool_for(hostgroup).init
        row = {"hostgroup_id": number, "comment": f"{GENERATED}{hostgroup.name}"}
        if hostgroup.name != f"hostgroup-{number}" or init:
            self._add(f"{prefix}_hostgroup_attributes", {**row, "init_connect": init[0] if init else ""})
        if len(init) > 1:
            self._note("hostgroups", label, "pool.init", Outcome.CHANGED, "ProxySQL runs one statement: the first")
        if hostgroup.balance is not Balance.RANDOM and len(hostgroup.servers) > 1:
            why = f"{hostgroup.balance}: ProxySQL draws by weight"
            self._note("hostgroups", label, "balance", Outcome.CHANGED, why)
        if hostgroup.when_empty is WhenEmpty.WRITER and number != database.reader_hostgroup:
            self._note("hostgroups", label, "when_empty", Outcome.DROPPED, "ProxySQL waits for a server and fails")
        elif hostgroup.when_empty is WhenEmpty.WRITER:
            why = "writer: ProxySQL's own way is monitor_writer_is_also_reader, which is on by default"
            self._note("hostgroups", label, "when_empty", Outcome.CHANGED, why)
        if hostgroup.read_only:
            self._note("hostgroups", label, "read_only", Outcome.DROPPED, "ProxySQL does not open connections read-only")
        for group in ("probe", "breaker", "retry", "timeouts"):
            if getattr(hostgroup, group) is not None:
                self._note("hostgroups", label, group, Outcome.DROPPED, "ProxySQL has one value for all hostgroups")
        for server in hostgroup.servers:
            self._server(prefix, database, hostgroup, server)

    def _server(self, prefix: str, database: DatabaseSettings, hostgroup: HostgroupSettings, server: ServerSettings) -> None:
        pool = self._config.pool_for(hostgroup, server)
        label = f"{server.node_id} in hostgroup {hostgroup.id}"
        lag = hostgroup.max_replication_lag
        self._add(
            f"{prefix}_servers",
            {
                "hostgroup_id": hostgroup.id,
                "hostname": server.host,
                "port": 0 if server.socket else server.port,
                "status": _STATUS[server.status],
                "weight": server.weight,
                "max_connections": pool.max_size if pool.max_size != type(pool)().max_size else None,
                "max_replication_lag": max(1, round(lag)) if lag is not None else 0,
                "use_ssl": int(database.tls.mode not in (TlsMode.DISABLE, TlsMode.PREFER)),
            },
        )
        if lag is not None and lag != max(1, round(lag)):
            self._note("hostgroups", label, "max_replication_lag", Outcome.CHANGED, f"{lag:g} s: ProxySQL knows whole seconds")
        if pool.max_size != type(pool)().max_size:
            why = f"max_connections {pool.max_size} counts all of the proxy's connections: multiply by the processes it replaces"
            self._note("hostgroups", label, "pool.max_size", Outcome.CHANGED, why)
        if server.database is not None:
            self._note("hostgroups", label, "database", Outcome.DROPPED, "ProxySQL's servers have no database of their own")
        for group in ("probe", "breaker", "retry", "timeouts"):
            if getattr(server, group) is not None:
                self._note("hostgroups", label, group, Outcome.DROPPED, "ProxySQL has one value for all servers")

    # --- rules

    def _room(self) -> int:
        """How much the rules' numbers must grow so that two rules for each database that splits reads fit before them."""
        splitting = sum(1 for database in self._config.databases.values() if _splits(database))
        lowest = min((rule.rule_id for rule in self._config.query_rules), default=2 * splitting)
        return max(0, 2 * splitting - lowest)

    def _split(self, prefix: str, databases: dict[str, DatabaseSettings]) -> None:
        """
        Reads to the readers, as dbrouter sends them where no rule says anything: two rules before all others, without `apply`, so
        that every later match overrules them.
        """
        lowest = min((rule.rule_id for rule in self._config.query_rules), default=2 * len(databases)) + self._shift
        splitting = [(name, database) for name, database in databases.items() if _splits(database)]
        done = sum(
            1
            for table, rows in self._done.tables.items()
            if table.endswith("query_rules")
            for row in rows
            if row.get("comment") == SPLIT
        )
        number = lowest - 2 * sum(1 for database in self._config.databases.values() if _splits(database)) + done
        for name, database in splitting:
            user = {"username": database.user or name} if len(databases) > 1 else {}
            common = {"active": 1, "comment": SPLIT, **user}
            self._add_rule(
                prefix, {"rule_id": number, **common, "match_digest": READING, "destination_hostgroup": database.reader_hostgroup}
            )
            self._add_rule(
                prefix,
                {"rule_id": number + 1, **common, "match_digest": LOCKING, "destination_hostgroup": database.writer_hostgroup},
            )
            number += 2
            why = (
                "dbrouter's classifier is two patterns in ProxySQL: they send SELECTs of functions that write to the readers, "
                "and WITH, VALUES, SHOW to the writer"
            )
            self._note("databases", name, "reader_hostgroup", Outcome.CHANGED, why)
        if splitting and self._shift:
            why = f"{self._shift} was added to every number, so that the two patterns come first"
            self._note("query_rules", "", "rule_id", Outcome.CHANGED, why)

    def _add_rule(self, prefix: str, row: dict[str, Any]) -> None:
        if prefix == "pgsql":
            row = {"database" if column == "schemaname" else column: value for column, value in row.items()}
            if row.pop("gtid_from_hostgroup", None) is not None:
                label = f"rule_id {row['rule_id']}"
                self._note("query_rules", label, "gtid_from_hostgroup", Outcome.DROPPED, "ProxySQL has it for MySQL only")
        self._add(f"{prefix}_query_rules", row)

    def _rule(self, prefix: str, rule: RuleSettings, databases: dict[str, DatabaseSettings]) -> None:
        label = f"rule_id {rule.rule_id}"
        alone = [column for column in _OURS_ALONE if getattr(rule, column) is not None]
        if alone:
            why = f"the whole rule: ProxySQL has no {' and no '.join(alone)}, and without it the rule would match more"
            self._note("query_rules", label, "", Outcome.DROPPED, why)
            return
        row = {column: _column(column, getattr(rule, column)) for column in RULE_COLUMNS}
        row["rule_id"] = rule.rule_id + self._shift
        row["active"] = int(rule.active)
        if rule.database is not None and len(self._config.databases) > 1:
            name, database = rule.database, databases[rule.database]
            if rule.username is not None and len(databases) > 1:
                why = f"ProxySQL knows no databases: the rule holds for user {rule.username!r}, wherever it is"
                self._note("query_rules", label, "database", Outcome.DROPPED, why)
            if rule.username is None and len(databases) > 1:
                row["username"] = database.user or name
                self._note(
                    "query_rules",
                    label,
                    "database",
                    Outcome.CHANGED,
                    f"said as username {row['username']!r}: ProxySQL knows no databases",
                )
        if rule.unsafe:
            self._note("query_rules", label, "unsafe", Outcome.DROPPED, "ProxySQL has no veto to lift")
        if rule.cache_volatile:
            self._note("query_rules", label, "cache_volatile", Outcome.DROPPED, "ProxySQL caches whatever it is told to")
        self._add_rule(prefix, row)

    # --- variables

    def _variables(self, prefix: str) -> None:
        config = self._config
        said: dict[str, str] = {}
        if config.timeouts.call is not None:
            said["default_query_timeout"] = _milliseconds(config.timeouts.call)
        said["connect_timeout_server"] = _milliseconds(config.timeouts.connect)
        pool, probe, breaker, retry = config.pool, config.probe, config.breaker, config.retry
        said["connect_timeout_server_max"] = _milliseconds(pool.acquire_timeout)
        if probe != type(probe)():
            said["monitor_ping_interval"] = _milliseconds(probe.interval)
            said["monitor_ping_timeout"] = _milliseconds(probe.timeout)
            said["monitor_ping_max_failures"] = str(probe.fall)
            self._note("probe", "", "", Outcome.CHANGED, f"as {prefix}-monitor_ping_*; rise has no like")
        if breaker.consecutive_failures != type(breaker)().consecutive_failures:
            said["shun_on_failures"] = str(breaker.consecutive_failures)
        if retry.attempts != type(retry)().attempts:
            said["query_retries_on_failure"] = str(retry.attempts - 1)
        for name, held in _processing(config).items():
            said[name] = str(held).lower()
        for name, value in said.items():
            self._add("global_variables", {"variable_name": f"{prefix}-{name}", "variable_value": value})
        why = f"set {prefix}-monitor_username and {prefix}-monitor_password: here probes log in as the application does"
        self._note("global_variables", "", "", Outcome.CHANGED, why)


def _processing(config: RouterConfig) -> dict[str, int | bool]:
    """What a router does with statements beside sending them, by ProxySQL's variables; defaults left out."""
    digest = config.digest
    said: dict[str, int | bool] = {}
    for name in type(digest).model_fields:
        if (value := getattr(digest, name)) != type(digest).model_fields[name].default:
            said[f"query_digests_{'max_digest_length' if name == 'max_length' else name}"] = value
    if config.query_processor_iterations:
        said["query_processor_iterations"] = config.query_processor_iterations
    said["query_processor_first_comment_parsing"] = 2 if config.comment_hints else 0
    if config.result_cache != type(config.result_cache)():
        said["query_cache_size_MB"] = max(1, config.result_cache.max_bytes // (1024 * 1024))
    if config.mirror != type(config.mirror)():
        said["mirror_max_concurrency"] = config.mirror.max_concurrency
        said["mirror_max_queue_length"] = config.mirror.max_queue
    return said


def _changed(settings: Settings, said: tuple[str, ...]) -> list[str]:
    """The fields of *settings* beside those *said* that do not have their default."""
    return [
        name
        for name, field in type(settings).model_fields.items()
        if name not in said and getattr(settings, name) != field.get_default(call_default_factory=True)
    ]


def _splits(database: DatabaseSettings) -> bool:
    return database.reader_hostgroup is not None and database.default_hostgroup is None


def _column(column: str, value: Any) -> Any:
    if value is None:
        return None
    if column in TRUTHS:
        return int(value)
    if column in DURATIONS:
        return int(_milliseconds(value))
    if column == "digest":
        return f"0x{value:016X}"
    if column == "attributes":
        return json.dumps(value.model_dump())
    return value


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def placeholders(exported: Exported) -> Iterator[str]:
    """What is to be put into the export, one line for each password."""
    for database, name in exported.variables.items():
        yield f"put the password of database {database} where ${{{name}}} stands (or export --with-passwords)"
