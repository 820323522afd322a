"""
`load`: a path, a mapping or a `RouterConfig` in, a checked `RouterConfig` out – or a `ConfigError` with every problem at once.

The steps: read with lines (`source`), rewrite ProxySQL's shape as ours (`proxysql`), replace variables (`interpolate`), bring
the smallest shape into the whole one (`small`), validate each piece by itself so that one mistake hides no other (`schema`,
`model`), then look at what must hold between them (`checks`).
Nothing the caller passes is changed, and no message, `repr` or cause of the error holds a password.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from dbrouter.config.checks import Draft, check, check_rules
from dbrouter.config.dsn import Dsn, merge_dsn, parse_dsn
from dbrouter.config.interpolate import Interpolation
from dbrouter.config.model import (
    DEFAULT_DRIVERS,
    DEFAULT_PORTS,
    DatabaseSettings,
    FunctionPolicy,
    HostgroupSettings,
    ProcessingSettings,
    RouterConfig,
    ServerSettings,
    SessionStatements,
    ShadowRules,
    TlsSettings,
)
from dbrouter.config.names import UNKNOWN_ID, HostgroupNames, as_id
from dbrouter.config.problems import Path, Problems, did_you_mean
from dbrouter.config.proxysql import Conversion, convert, is_proxysql
from dbrouter.config.rules import HOSTGROUP_COLUMNS, FastRouteSettings, RuleSettings, prepare_rule
from dbrouter.config.schema import BreakerSettings, PoolSettings, ProbeSettings, RetrySettings, Settings, TimeoutSettings
from dbrouter.config.servers import read_server
from dbrouter.config.shadow import aliases, check_shadow, read_shadow
from dbrouter.config.small import READER_ID, WRITER_ID, read_small
from dbrouter.config.source import Document, from_mapping, read_file, read_text
from dbrouter.errors import ConfigError
from dbrouter.terms import Engine, StartPolicy, WhenEmpty

GROUPS: dict[str, type[Settings]] = {
    "pool": PoolSettings,
    "probe": ProbeSettings,
    "breaker": BreakerSettings,
    "retry": RetrySettings,
    "timeouts": TimeoutSettings,
}
"""The groups that may stand at the top, in a hostgroup and in a server."""
SMALL_KEYS = ("writer", "readers")
_POLICIES: dict[str, type[StartPolicy] | type[FunctionPolicy] | type[SessionStatements]] = {
    "start": StartPolicy,
    "functions": FunctionPolicy,
    "session_statements": SessionStatements,
}
TOP_KEYS = (*SMALL_KEYS, *RouterConfig.model_fields)
_HOMELESS = "a server in no hostgroup is never used; servers belong in hostgroups[].servers"
_NOTHING: Mapping[str, Any] = {}
_S = TypeVar("_S", bound=Settings)


def load(source: str | FilePath | Mapping[str, Any] | RouterConfig, *, environ: Mapping[str, str] | None = None) -> RouterConfig:
    """
    The checked configuration.

    Args:
        source: path of a YAML file, a mapping of the same shape, or a `RouterConfig`, which is checked and answered as it is.
        environ: where ``${VAR}`` is looked up; the process environment where it is None.

    Raises:
        ConfigError: `problems` has everything that is wrong, each with file, line and path as far as they are known.
    """
    if isinstance(source, RouterConfig):
        problems = Problems()
        check(Draft.of(source), problems)
        if source.shadow_rules is not None:
            check_shadow(source, problems)
        problems.raise_if_any()
        return source
    if isinstance(source, (str, os.PathLike)):
        document = read_file(source)
    elif isinstance(source, Mapping):
        document = from_mapping(source)
    else:
        raise ConfigError(f"the source is a {type(source).__name__}; pass the path of a file, a mapping or a RouterConfig")
    return _build(document, os.environ if environ is None else environ)


def loads(text: str, *, file: str | None = None, environ: Mapping[str, str] | None = None) -> RouterConfig:
    """
    As `load`, of the text of a file; *file* is what messages call it.

    Raises:
        ConfigError: as `load`.
    """
    return _build(read_text(text, file), os.environ if environ is None else environ)


def _build(document: Document, environ: Mapping[str, str]) -> RouterConfig:
    return build_draft(document, Problems(document.file, document.lines), Draft(), environ)


def build_draft(document: Document, problems: Problems, draft: Draft, environ: Mapping[str, str]) -> RouterConfig:
    """
    As `load`, of a document that was read; afterwards *draft* has what could be read, also where the whole is refused.

    Args:
        problems: of the document; it knows afterwards where the pieces of *draft* were written.

    Raises:
        ConfigError: as `load`.
    """
    if not isinstance(document.value, dict):
        problems.give_up((), f"the top level is {_kind(document.value)}, not a mapping with writer or databases")
        problems.raise_if_any()
    if is_proxysql(document.value):
        conversion = convert(document.value, problems)
        problems.raise_if_any()
        problems.relocate(conversion.origins)
        return _Loader(conversion.value, environ, problems, draft).build()
    return _Loader(document.value, environ, problems, draft).build()


def load_converted(conversion: Conversion, document: Document, *, environ: Mapping[str, str]) -> RouterConfig:
    """
    The checked configuration that *conversion* made of *document*, whose places messages name.

    Raises:
        ConfigError: as `load`.
    """
    problems = Problems(document.file, document.lines)
    problems.relocate(conversion.origins)
    return _Loader(conversion.value, environ, problems).build()


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "empty" if value is None else "a single value"


def _holds_secret(path: Path) -> bool:
    """Where a text is taken apart before (or while) its variables are replaced: DSNs and passwords."""
    return path[:1] in (("writer",), ("readers",)) or (
        len(path) == 3 and path[0] == "databases" and path[2] in ("dsn", "password")
    )


def _narrowed(rule: RuleSettings, owners: Mapping[int, set[str]]) -> RuleSettings:
    """
    A rule with a destination is about the destination's database, also where it does not say so.

    Args:
        owners: the databases of each hostgroup; more than one, or one without a name, where they are not clear.
    """
    if rule.database is not None or rule.destination_hostgroup is None:
        return rule
    match tuple(owners.get(rule.destination_hostgroup, ())):
        case (str(database),) if database:
            return rule.model_copy(update={"database": database})
        case _:
            return rule


class _Loader:
    """Builds one `RouterConfig` from one document, noting problems as it goes."""

    def __init__(
        self, document: dict[str, Any], environ: Mapping[str, str], problems: Problems, draft: Draft | None = None
    ) -> None:
        self._problems = problems
        self._environ = environ
        self._interpolation = Interpolation(environ, problems)
        for key in [key for key in document if key not in TOP_KEYS]:
            if key == "servers":
                problems.add(("servers",), _HOMELESS)
            else:
                problems.unknown_key((key,), TOP_KEYS)
        self._document: dict[str, Any] = self._interpolation.tree(document, (), _holds_secret)
        self._draft = draft if draft is not None else Draft()
        self._names = HostgroupNames.of(self._document.get("hostgroups"), problems)

    def build(self) -> RouterConfig:
        document, problems, draft = self._document, self._problems, self._draft
        if (version := document.get("version", 1)) != 1 or isinstance(version, bool):
            problems.add(
                ("version",), f"{problems.show(('version',), version)} is not a version this dbrouter reads (1)", expected="1"
            )
        groups: dict[str, Any] = {
            name: self._group(model, document.get(name), (name,)) or model() for name, model in GROUPS.items()
        }
        policies = {name: self._policy(name, kind) for name, kind in _POLICIES.items() if name in document}
        if any(key in document for key in SMALL_KEYS):
            self._small()
        elif "databases" in document or "hostgroups" in document:
            self._databases()
            self._hostgroups()
        else:
            draft.unsure_databases = draft.unsure_ids = True
            if not problems.doubts(("writer",), ("readers",), ("databases",), ("hostgroups",)):
                problems.add(
                    (), "names no servers: write writer and readers, or databases and hostgroups", expected="writer: DSN"
                )
        self._rules()
        self._fast_routes()
        written = {name: document[name] for name in ProcessingSettings.model_fields if document.get(name) is not None}
        processing = self._validate(ProcessingSettings, written, ()) or ProcessingSettings()
        draft.groups = groups
        draft.processing = processing
        check(draft, problems)
        shadow = self._shadow()
        problems.raise_if_any()
        return RouterConfig(
            databases=draft.databases,
            hostgroups=tuple(hostgroup for _, hostgroup in draft.hostgroups),
            query_rules=tuple(sorted((rule for _, rule in draft.rules), key=lambda rule: rule.rule_id)),
            query_rules_fast_routing=tuple(route for _, route in draft.fast_routes),
            shadow_rules=shadow,
            **groups,
            **policies,
            **{name: getattr(processing, name) for name in written},
        )

    def _shadow(self) -> ShadowRules | None:
        written = self._document.get("shadow_rules")
        if written is None:
            return None
        return read_shadow(written, self._problems, self._rules_of)

    def _rules_of(self, shadow: Document, problems: Problems) -> tuple[RuleSettings, ...]:
        """The rules of another document, read as if they stood in this one."""
        other = _Loader({"query_rules": shadow.value["query_rules"]}, self._environ, problems)
        other._document = {**self._document, "query_rules": other._document["query_rules"]}
        other._names = self._names.known_by(aliases(shadow.value, problems), problems)
        other._draft = replace(self._draft, rules=[], fast_routes=[])
        other._rules()
        check_rules(other._draft, problems)
        self._draft.shadow = replace(other._draft, fast_routes=self._draft.fast_routes), problems
        return tuple(sorted((rule for _, rule in other._draft.rules), key=lambda rule: rule.rule_id))

    def _small(self) -> None:
        small = read_small(self._document, self._dsn, self._problems)
        hidden = {number for number, key in ((WRITER_ID, "writer"), (READER_ID, "readers")) if self._problems.doubts((key,))}
        self._draft.broken_hostgroups |= hidden
        if small is None:
            self._draft.unsure_databases = True
            self._names = HostgroupNames({}, self._problems, unsure=True)
            return
        named = small.dsn.database is not None
        self._draft.unsure_databases = bool(hidden) and not named
        ids = {f"{small.name}-write": WRITER_ID, f"{small.name}-read": READER_ID}
        self._names = HostgroupNames(ids, self._problems, unsure=self._draft.unsure_databases)
        raw: dict[str, Any] = {"writer_hostgroup": WRITER_ID}
        if small.readers:
            raw["reader_hostgroup"] = READER_ID
        self._database(small.name, raw, small.dsn, ("writer",))
        places = [(WRITER_ID, "write", [small.writer] if small.writer else []), (READER_ID, "read", small.readers)]
        for number, word, servers in places:
            good = [(path, self._validate(ServerSettings, server, path)) for path, server in servers]
            if servers:
                hostgroup = HostgroupSettings(
                    id=number,
                    name=f"{small.name}-{word}",
                    database=small.name,
                    when_empty=WhenEmpty.WAIT if number == WRITER_ID else WhenEmpty.WRITER,
                    read_only=number != WRITER_ID,
                    servers=tuple(server for _, server in good if server is not None),
                )
                path: Path = ("writer",) if number == WRITER_ID else ("readers",)
                self._draft.add_hostgroup(path, hostgroup, [server_path for server_path, _ in good])

    def _databases(self) -> None:
        databases = self._mapping(("databases",))
        if databases is None:
            self._draft.unsure_databases = self._draft.unsure_owners = True
            return
        if not databases:
            self._draft.unsure_databases = self._draft.unsure_owners = True
            self._problems.add(("databases",), "is empty; it needs at least one")
        for name, raw in databases.items():
            path: Path = ("databases", name)
            self._draft.database_names.add(str(name))
            if not isinstance(raw, dict):
                self._problems.give_up(path, f"{self._problems.show(path, raw)} is not a mapping with dsn, writer_hostgroup, …")
                self._draft.unsure_owners = True
                continue
            raw = dict(raw)
            written = raw.pop("dsn", None)
            if raw.pop("servers", None) is not None:
                self._problems.add((*path, "servers"), _HOMELESS)
            dsn = self._dsn(written, (*path, "dsn")) if written is not None else None
            if dsn is not None and dsn.host is not None:
                self._problems.add(
                    (*path, "dsn"), "names a host; hosts belong in servers of the hostgroups (postgresql://user@/database)"
                )
            if "password" in raw:
                raw["password"] = self._secret(raw["password"], (*path, "password"))
            for key in ("writer_hostgroup", "reader_hostgroup", "default_hostgroup"):
                if raw.get(key) is not None:
                    raw[key] = self._names.id_of(raw[key], (*path, key), own=True)
                if raw.get(key) == UNKNOWN_ID and key != "writer_hostgroup":
                    del raw[key]
            self._database(str(name), raw, dsn, path, broken_dsn=written is not None and dsn is None)

    def _database(self, name: str, raw: dict[str, Any], dsn: Dsn | None, path: Path, *, broken_dsn: bool = False) -> None:
        problems = self._problems
        if "name" in raw:
            problems.add((*path, "name"), "is the key under databases; it is not written again")
            del raw["name"]
        merged = merge_dsn(raw, dsn, lambda key, message: problems.add((*path, key), message))
        engine = merged.get("engine")
        if engine is None and not broken_dsn:
            problems.add(
                (*path, "engine"), "is missing: write engine (postgresql or mysql) or a dsn", expected="postgresql or mysql"
            )
        if engine is None:
            merged["engine"] = Engine.POSTGRESQL
        if isinstance(tls := merged.get("tls"), dict):
            merged["tls"] = self._validate(TlsSettings, tls, (*path, "tls")) or TlsSettings()
        if engine in (Engine.POSTGRESQL, Engine.MYSQL):
            merged.setdefault("driver", DEFAULT_DRIVERS[Engine(engine)])
            if merged.get("default_port") in (None, 0):
                merged["default_port"] = DEFAULT_PORTS[Engine(engine)]
        stand_ins = {"engine": Engine.POSTGRESQL, "writer_hostgroup": UNKNOWN_ID}
        database = self._validate(
            DatabaseSettings, {"name": name, **merged}, path, also_known=("dsn",), hidden=("name",), stand_ins=stand_ins
        )
        draft = self._draft
        draft.database_names.add(name)
        references = ((*path, "writer_hostgroup"), (*path, "reader_hostgroup"), (*path, "default_hostgroup"))
        if database is None or problems.doubts(*references):
            draft.unsure_owners = True
        if database is None:
            return
        for key in ("writer_hostgroup", "reader_hostgroup"):
            if (number := getattr(database, key)) is not None and not problems.doubts((*path, key)):
                draft.owners.setdefault(number, []).append((name, key))
        draft.databases[name] = database
        draft.database_paths[name] = path
        draft.unsure_engines |= {name} if engine is None or problems.doubts((*path, "engine")) else set()

    def _hostgroups(self) -> None:
        raw = self._document.get("hostgroups")
        if not isinstance(raw, list):
            self._draft.unsure_ids = True
            if raw is not None or not self._problems.doubts(("hostgroups",)):
                wrong = "is missing" if raw is None else "is not a list"
                self._problems.give_up(("hostgroups",), wrong, expected="a list of hostgroups")
            return
        for index, item in enumerate(raw):
            self._hostgroup(item, ("hostgroups", index))

    def _hostgroup(self, raw: Any, path: Path) -> None:
        problems, draft = self._problems, self._draft
        if not isinstance(raw, dict):
            problems.give_up(path, f"{problems.show(path, raw)} is not a mapping with id and servers")
            draft.unsure_ids = True
            return
        raw = dict(raw)
        number = as_id(raw.get("id"))
        owners = draft.owners.get(number, []) if number is not None else []
        written = raw.get("database")
        name = owners[0][0] if owners else written if isinstance(written, str) else ""
        database = draft.databases.get(name)
        writer = any(key == "writer_hostgroup" for _, key in owners)
        raw["database"] = written if written is not None else name
        raw.setdefault("read_only", not writer)
        raw.setdefault("when_empty", WhenEmpty.WAIT if writer else WhenEmpty.WRITER)
        if number is not None and not raw.get("name"):
            raw["name"] = f"hostgroup-{number}"
        servers = raw.pop("servers", None)
        paths: list[Path] = []
        good: list[ServerSettings] = []
        if isinstance(servers, list):
            for index, item in enumerate(servers):
                server = self._server(item, (*path, "servers", index), database)
                if server is None:
                    draft.incomplete.add(path)
                else:
                    paths.append((*path, "servers", index))
                    good.append(server)
            if not servers:
                problems.add((*path, "servers"), "is empty; it needs at least one")
        overrides = {key: self._group(model, raw[key], (*path, key)) for key, model in GROUPS.items() if raw.get(key) is not None}
        stand_in = good or [ServerSettings(host="unknown", port=1)]
        hostgroup = self._validate(HostgroupSettings, {**raw, **overrides, "servers": tuple(stand_in)}, path)
        if not isinstance(servers, list) and (servers is not None or not problems.doubts((*path, "servers"))):
            wrong = "is missing" if servers is None else "is not a list"
            problems.give_up((*path, "servers"), wrong, expected="a list of servers")
        if hostgroup is not None:
            draft.add_hostgroup(path, hostgroup.model_copy(update={"servers": tuple(good)}), paths)
        else:
            draft.unsure_ids = True

    def _server(self, raw: Any, path: Path, database: DatabaseSettings | None) -> ServerSettings | None:
        sure = database is not None and database.name not in self._draft.unsure_engines
        engine = database.engine if database is not None and sure else None
        default_port = database.default_port if database is not None and sure else DEFAULT_PORTS[Engine.POSTGRESQL]
        server = read_server(raw, path, self._problems, engine=engine, default_port=default_port)
        if server is None:
            return None
        for key, model in GROUPS.items():
            if server.get(key) is not None:
                server[key] = self._group(model, server[key], (*path, key))
        return self._validate(ServerSettings, server, path, also_known=("socket",))

    def _rules(self) -> None:
        raw = self._document.get("query_rules")
        if raw is None:
            return
        if not isinstance(raw, list):
            self._problems.give_up(("query_rules",), "is not a list of rules", expected="a list of rules")
            return
        owners: dict[int, set[str]] = {}
        for _, hostgroup in self._draft.hostgroups:
            owners.setdefault(hostgroup.id, set()).add(hostgroup.database)
        for index, item in enumerate(raw):
            path: Path = ("query_rules", index)
            prepared = prepare_rule(item, path, self._problems)
            if prepared is None:
                continue
            for key in HOSTGROUP_COLUMNS:
                if key in prepared:
                    prepared[key] = self._names.id_of(prepared[key], (*path, key))
            rule = self._validate(RuleSettings, prepared, path)
            if rule is not None:
                self._draft.rules.append((path, _narrowed(rule, owners)))

    def _fast_routes(self) -> None:
        raw = self._document.get("query_rules_fast_routing")
        if raw is None:
            return
        if not isinstance(raw, list):
            self._problems.give_up(("query_rules_fast_routing",), "is not a list", expected="a list of rows")
            return
        for index, item in enumerate(raw):
            path: Path = ("query_rules_fast_routing", index)
            if not isinstance(item, dict):
                shown = self._problems.show(path, item)
                self._problems.give_up(path, f"{shown} is not a mapping with schemaname and destination_hostgroup")
                continue
            key = "destination_hostgroup"
            row = {**item, key: self._names.id_of(item[key], (*path, key))} if key in item else item
            route = self._validate(FastRouteSettings, row, path, stand_ins={key: UNKNOWN_ID})
            if route is not None:
                self._draft.fast_routes.append((path, route))

    def _dsn(self, written: Any, path: Path) -> Dsn | None:
        if not isinstance(written, str):
            self._problems.add(path, "is not a DSN (postgresql://user:password@host:port/database?parameters)", expected="a DSN")
            return None
        before = len(self._problems)
        if written.startswith("file:"):
            held = self._interpolation.secret(written, path)
            return parse_dsn(held, str, lambda message: self._problems.add(path, message)) if held is not None else None
        dsn = parse_dsn(
            written, lambda piece: self._interpolation.text(piece, path), lambda message: self._problems.add(path, message)
        )
        return dsn if len(self._problems) == before else None

    def _secret(self, written: Any, path: Path) -> Any:
        if isinstance(written, str):
            held = self._interpolation.secret(written, path)
            return SecretStr(held) if held else None
        if written is not None:
            self._problems.add(path, "is not text (write it in quotes)")
        return None

    def _policy(self, name: str, kind: type[StartPolicy] | type[FunctionPolicy] | type[SessionStatements]) -> Any:
        written = self._document[name]
        try:
            return kind(written)
        except ValueError:
            known = [member.value for member in kind]
            shown = self._problems.show((name,), written)
            self._problems.add(
                (name,), f"{shown} is none of {', '.join(known)}{did_you_mean(written, known)}", expected=", ".join(known)
            )
            return next(iter(kind))

    def _group(self, model: type[_S], raw: Any, path: Path) -> _S | None:
        if raw is None:
            return None
        if not isinstance(raw, dict):
            self._problems.give_up(path, f"{self._problems.show(path, raw)} is not a mapping")
            return None
        return self._validate(model, raw, path)

    def _validate(
        self,
        model: type[_S],
        raw: dict[str, Any],
        path: Path,
        *,
        also_known: tuple[str, ...] = (),
        hidden: tuple[str, ...] = (),
        stand_ins: Mapping[str, Any] = _NOTHING,
    ) -> _S | None:
        """
        What *raw* says. Keys that are wrong are noted and left out, so that the checks can still judge the others.

        Args:
            stand_ins: values of keys that cannot be left out. None is answered where another such key is wrong.
        """
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            self._problems.from_validation(path, error, model, also_known=also_known, hidden=hidden)
            wrong = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
        rest = {key: value for key, value in raw.items() if key not in wrong}
        try:
            return model.model_validate(rest | {key: value for key, value in stand_ins.items() if key in wrong})
        except ValidationError:
            return None

    def _mapping(self, path: Path) -> dict[str, Any] | None:
        raw = self._document.get(str(path[0]))
        if isinstance(raw, dict):
            return raw
        if raw is not None or not self._problems.doubts(path):
            self._problems.give_up(path, "is missing" if raw is None else "is not a mapping of names to databases")
        return None
