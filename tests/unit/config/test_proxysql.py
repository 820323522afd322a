"""ProxySQL-shaped documents load as they are, and route as ProxySQL does except where the safety veto stands."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.config import RouterConfig, load, loads
from dbrouter.config.problems import Problems
from dbrouter.config.proxysql import Conversion, Outcome, convert, is_proxysql
from dbrouter.config.proxysql.tables import TABLES
from dbrouter.config.rules import RuleSettings
from dbrouter.errors import ConfigError
from dbrouter.router.build import build
from dbrouter.router.plan import Plan
from dbrouter.router.planner import Wish
from dbrouter.sql import analyze
from dbrouter.terms import Engine, ServerStatus
from tests.rulesets import naive

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "examples" / "proxysql" / "sample.yaml"
SERVERS = [{"hostgroup_id": 0, "hostname": "db1"}, {"hostgroup_id": 1, "hostname": "db2", "port": 3307}]
USERS = [{"username": "app", "password": "hunter2", "default_schema": "shop"}]


def document(**tables: Any) -> dict[str, Any]:
    """Two hostgroups, one user, and what a test adds or takes the place of."""
    return {"mysql_servers": SERVERS, "mysql_users": USERS, **tables}


def converted(source: dict[str, Any], **options: Any) -> Conversion:
    """The conversion of a document without problems."""
    problems = Problems()
    conversion = convert(source, problems, **options)
    problems.raise_if_any()
    return conversion


def plan(config: RouterConfig, sql: str, database: int = 0) -> Plan:
    """The plan of a statement."""
    return build(config).contexts[database].planner.decide(sql, Wish(None, None, None), None)


def problems_of(source: str) -> list[str]:
    """What is wrong with the text of a file, as people see it."""
    with pytest.raises(ConfigError) as caught:
        loads(source, file="x.yaml", environ={})
    return [str(problem) for problem in caught.value.problems]


# --- the sample


@pytest.mark.parametrize(
    ("sql", "hostgroup", "rule", "vetoed"),
    [
        ("SELECT * FROM t WHERE id = 1", 1, 2, False),
        ("select 1", 1, 2, False),
        ("SELECT * FROM t WHERE id = 1 FOR UPDATE", 0, 1, False),
        ("SELECT * FROM t WHERE id = 1 FOR UPDATE;", 0, 2, True),
        ("SELECT * FROM t WHERE id = 1\nFOR UPDATE", 0, 2, True),
        ("SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", 0, 2, True),
        ("SELECT * FROM t LOCK IN SHARE MODE", 0, 2, True),
        ("SELECT * FROM t INTO OUTFILE '/tmp/x'", 0, 2, True),
        ("SELECT GET_LOCK('a', 1)", 0, 2, True),
        ("INSERT INTO t VALUES (1)", 0, None, False),
        ("(SELECT 1) UNION (SELECT 2)", 0, None, False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", 0, None, False),
        ("SHOW TABLES", 0, None, False),
        ("/* app */ SELECT 1", 0, None, False),
    ],
)
def test_the_sample_routes_as_proxysql_does(sql: str, hostgroup: int, rule: int | None, vetoed: bool) -> None:
    """The table that was run on ProxySQL itself; only the veto differs, and it says so."""
    made = plan(load(SAMPLE), sql)

    assert (made.hostgroup.id, made.rule_id, made.veto is not None) == (hostgroup, rule, vetoed)


def test_the_sample_says_who_logs_in_and_where() -> None:
    """ProxySQL logs in as its user, to the database that the sample names."""
    config = load(SAMPLE)
    database = config.databases[config.default_database]
    password = database.password

    assert (database.name, database.database, database.user, database.engine) == ("mydb", "mydb", "appuser", Engine.MYSQL)
    assert password is not None and password.get_secret_value() == "apppassword"
    assert [(group.id, group.name, group.servers[0].node_id) for group in config.hostgroups] == [
        (0, "write", "127.0.0.1:3306"),
        (1, "read", "127.0.0.1:3307"),
    ]
    assert config.timeouts.call == 3600.0


def test_both_spellings_of_hostgroups_are_the_same() -> None:
    """`hostgroups` with `hg` and `endpoints`, or `mysql_servers` with any of its column names."""
    text = SAMPLE.read_text(encoding="utf-8")
    head = text[: text.index("hostgroups:\n  -")]
    tables = """\
mysql_servers:
  - {hostgroup_id: 0, hostname: 127.0.0.1, port: 3306, weight: 1, max_connections: 1000, status: ONLINE}
  - {hostgroup: 1, address: 127.0.0.1, port: 3307}
mysql_hostgroup_attributes: [{hostgroup_id: 0, comment: "dbrouter: write"}, {hostgroup_id: 1, comment: "dbrouter: read"}]
"""

    assert loads(head + tables) == load(SAMPLE)


@pytest.mark.parametrize("endpoints", ["db1:1, db2:2", ["db1:1", {"hostname": "db2", "port": 2}], "db1:1 db2:2"])
def test_endpoints_are_one_or_many(endpoints: Any) -> None:
    """A text with one or several places, or a list."""
    config = load({"hostgroups": [{"hg": 0, "endpoints": "db0"}, {"hg": 7, "endpoints": endpoints}]})

    assert [server.node_id for server in config.hostgroup(7).servers] == ["db1:1", "db2:2"]


def test_variables_of_the_environment_are_replaced() -> None:
    """A ProxySQL-shaped file is a file like any other."""
    source = document(
        mysql_users=[{"username": "${WHO}", "password": "${SECRET}"}], mysql_variables={"default_query_timeout": "${MS}"}
    )
    config = load(source, environ={"WHO": "ada", "SECRET": "a${b}$$", "MS": "1500"})
    (database,) = config.databases.values()

    assert database.user == "ada" and config.timeouts.call == 1.5
    assert database.password is not None and database.password.get_secret_value() == "a${b}$$"


def test_settings_of_ours_may_stand_beside() -> None:
    """A first step away from ProxySQL does not need a new file."""
    variables = {"default_query_timeout": 1000, "connect_timeout_server": 2000}
    config = load(document(mysql_variables=variables, timeouts={"call": "7s"}, start="none"))

    assert (config.timeouts.call, config.timeouts.connect, config.start) == (7.0, 2.0, "none")


# --- routing


def test_imported_rules_decide_as_proxysqls_algorithm() -> None:
    """300 random rule tables against the algorithm written down plainly: hits, destination or default, rewritten text."""
    rng = random.Random(20261121)
    statements = [
        "SELECT * FROM t WHERE id = 1",
        "SELECT * FROM u FOR UPDATE",
        "INSERT INTO t VALUES (1)",
        "UPDATE u SET a = 2",
        "SHOW TABLES",
        "select a from u where b = 'x'",
    ]
    patterns = ["^SELECT", "FOR UPDATE$", "^INSERT", "t", "u", "FROM u", "a", "^UPDATE u"]
    texts = {sql: analyze(sql, Engine.MYSQL) for sql in statements}
    for _ in range(300):
        rows: list[dict[str, Any]] = []
        for number in range(rng.randrange(8)):
            row: dict[str, Any] = {"rule_id": number * 10, "active": rng.choice([1, 1, 1, 0]), "apply": rng.choice([0, 1])}
            row |= {name: rng.choice(patterns) for name in ("match_digest", "match_pattern") if rng.random() < 0.4}
            row |= {name: rng.randrange(3) for name in ("flagIN", "flagOUT") if rng.random() < 0.2}
            row |= {name: rng.choice(held) for name, held in CRITERIA.items() if rng.random() < 0.1}
            row |= {"destination_hostgroup": rng.choice([0, 1])} if rng.random() < 0.7 else {}
            row |= {"match_pattern": "t", "replace_pattern": "u"} if rng.random() < 0.1 else {}
            rows.append(row)
        planner = build(load(document(mysql_query_rules=rows))).contexts[0].planner
        plainly = [{"re_modifiers": "CASELESS", **row} for row in rows]
        for sql in statements:
            asked = {"text": sql, "digest_text": texts[sql].digest_text, "digest": texts[sql].digest, "flag": 0}
            asked |= {"username": "app", "schemaname": "shop", "client_addr": None, "proxy_addr": None, "proxy_port": None}
            expected = naive(plainly, asked, draw=lambda rule: 0)
            made = planner.decide(sql, Wish(None, None, None), None)
            wanted = expected["destination_hostgroup"] or 0
            assert made.hits == expected["hits"], (rows, sql)
            if made.veto is None:
                assert made.hostgroup.id == wanted, (rows, sql)
            else:
                assert wanted == 1 and not made.read and made.hostgroup.id == 0


CRITERIA: dict[str, list[Any]] = {
    "username": ["app", "bob"],
    "schemaname": ["shop", "other"],
    "negate_match_pattern": [1],
    "digest": ["0x1C46AE529DD5A40E"],
    "timeout": [5000],
}


def test_without_active_a_rule_does_nothing() -> None:
    """ProxySQL's default, which is not dbrouter's."""
    rules = [{"rule_id": 1, "match_digest": "^SELECT", "destination_hostgroup": 1, "apply": 1}]

    config = load(document(mysql_query_rules=rules))

    assert [rule.active for rule in config.query_rules] == [False]
    assert plan(config, "SELECT 1").hostgroup.id == 0


def test_every_column_is_carried() -> None:
    """Each column of the table, with ProxySQL's numbers, becomes the same of ours."""
    row = {
        "rule_id": 5,
        "active": 1,
        "username": "app",
        "schemaname": "shop",
        "flagIN": 3,
        "client_addr": "10.%",
        "proxy_addr": "10.0.0.1",
        "proxy_port": 6033,
        "digest": "0x1C46AE529DD5A40E",
        "match_digest": "^SELECT",
        "match_pattern": "a(b)",
        "negate_match_pattern": 1,
        "re_modifiers": "CASELESS,GLOBAL",
        "flagOUT": 4,
        "replace_pattern": r"c\1",
        "destination_hostgroup": 1,
        "cache_ttl": 2500,
        "cache_empty_result": 0,
        "cache_timeout": 9,
        "reconnect": 1,
        "timeout": 60000,
        "retries": 2,
        "delay": 15,
        "next_query_flagIN": 6,
        "mirror_flagOUT": 7,
        "mirror_hostgroup": 1,
        "error_msg": "no",
        "ok_msg": "yes",
        "sticky_conn": 1,
        "multiplex": 2,
        "gtid_from_hostgroup": 0,
        "log": 1,
        "apply": 1,
        "attributes": '{"flagOUTs": [{"id": 8, "weight": 2}]}',
        "comment": "all of it",
    }
    expected = RuleSettings.model_validate(
        {
            **{key: value for key, value in row.items() if key not in ("ok_msg", "attributes", "digest")},
            "database": "shop",
            "OK_msg": "yes",
            "digest": 0x1C46AE529DD5A40E,
            "attributes": {"flagOUTs": [{"id": 8, "weight": 2}]},
            "cache_ttl": 2.5,
            "timeout": 60.0,
            "delay": 0.015,
        }
    )

    conversion = converted(document(mysql_query_rules=[row]))
    (rule,) = load(document(mysql_query_rules=[row])).query_rules

    assert rule == expected
    said = {note.column for note in conversion.notes if note.table == "mysql_query_rules"}
    assert said == {("OK_msg" if column == "ok_msg" else column) for column in row}


@pytest.mark.parametrize("column", ["timeout", "delay", "cache_ttl"])
def test_zero_milliseconds_say_nothing(column: str) -> None:
    """0 does not take ProxySQL's own default away either."""
    (rule,) = load(document(mysql_query_rules=[{"rule_id": 1, "active": 1, column: 0}])).query_rules

    assert getattr(rule, column) is None


def test_a_user_whose_default_is_the_readers_stays_there() -> None:
    """Reads without a rule go where the user's default is; writes are vetoed from it."""
    users = [{"username": "report", "default_hostgroup": 1}]
    pairs = [{"writer_hostgroup": 0, "reader_hostgroup": 1}]
    config = load(document(mysql_users=users, mysql_replication_hostgroups=pairs))
    (database,) = config.databases.values()

    assert (database.writer_hostgroup, database.reader_hostgroup, database.default_hostgroup) == (0, 1, 1)
    assert plan(config, "SELECT 1").hostgroup.id == 1
    assert (plan(config, "DELETE FROM t").hostgroup.id, plan(config, "DELETE FROM t").veto is not None) == (0, True)


def test_shards_become_databases() -> None:
    """Users with hostgroups of their own have databases of their own; a rule holds where its destination is."""
    servers = [{"hostgroup_id": number, "hostname": f"db{number}"} for number in (10, 11, 20, 21)]
    users = [
        {"username": "shop", "default_hostgroup": 10, "default_schema": "shop"},
        {"username": "stock", "default_hostgroup": 20, "default_schema": "stock"},
    ]
    pairs = [{"writer_hostgroup": 10, "reader_hostgroup": 11}, {"writer_hostgroup": 20, "reader_hostgroup": 21}]
    rules = [
        {"rule_id": 1, "active": 1, "username": "shop", "match_digest": "^SELECT", "destination_hostgroup": 11, "apply": 1},
        {"rule_id": 2, "active": 1, "username": "stock", "match_digest": "^SELECT", "destination_hostgroup": 21, "apply": 1},
        {"rule_id": 3, "active": 1, "match_digest": "^TRUNCATE", "error_msg": "no"},
    ]
    config = load(
        {"mysql_servers": servers, "mysql_users": users, "mysql_replication_hostgroups": pairs, "mysql_query_rules": rules}
    )

    assert {name: (one.user, one.writer_hostgroup, one.reader_hostgroup) for name, one in config.databases.items()} == {
        "shop": ("shop", 10, 11),
        "stock": ("stock", 20, 21),
    }
    assert [plan(config, "SELECT 1", database).hostgroup.id for database in (0, 1)] == [11, 21]
    assert [plan(config, "TRUNCATE t", database).forbidden is not None for database in (0, 1)] == [True, True]


def test_both_engines_may_be_in_one_document() -> None:
    """ProxySQL numbers the hostgroups and rules of its engines by themselves; here they share one row of numbers."""
    source = document(
        mysql_query_rules=[{"rule_id": 1, "active": 1, "match_digest": "^SELECT", "destination_hostgroup": 1, "apply": 1}],
        pgsql_servers=[{"hostgroup_id": 0, "hostname": "pg1"}, {"hostgroup_id": 1, "hostname": "pg2"}],
        pgsql_users=[{"username": "pg"}],
        pgsql_query_rules=[
            {"rule_id": 1, "active": 1, "database": "app", "match_digest": "^SELECT", "destination_hostgroup": 1, "apply": 1}
        ],
    )
    config = load(source)
    shop, app = config.databases.values()

    assert (shop.engine, app.engine, app.database) == (Engine.MYSQL, Engine.POSTGRESQL, "app")
    assert [group.servers[0].node_id for group in config.hostgroups] == ["db1:3306", "db2:3307", "pg1:5432", "pg2:5432"]
    assert [plan(config, "SELECT 1", database).hostgroup.name for database in (0, 1)] == [
        config.hostgroups[1].name,
        config.hostgroups[3].name,
    ]
    assert [plan(config, "SHOW x", database).hostgroup.id for database in (0, 1)] == [shop.writer_hostgroup, app.writer_hostgroup]


def test_fast_routing_is_carried() -> None:
    """By user, schema and flag."""
    routes = [{"username": "", "schemaname": "shop", "flagIN": 0, "destination_hostgroup": 1, "comment": ""}]
    config = load(document(mysql_query_rules_fast_routing=routes))

    assert plan(config, "SELECT 1").hostgroup.id == 1 and plan(config, "DELETE FROM t").veto is not None


# --- servers


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("ONLINE", ServerStatus.ONLINE),
        ("SHUNNED", ServerStatus.ONLINE),
        ("offline_soft", ServerStatus.DRAINING),
        ("OFFLINE_HARD", ServerStatus.OFFLINE),
    ],
)
def test_states_of_servers(written: str, status: ServerStatus) -> None:
    """ProxySQL's words; being shunned is a judgement of its own that nobody inherits."""
    servers = [SERVERS[0], {"hostgroup_id": 1, "hostname": "db2", "status": written}]

    assert load(document(mysql_servers=servers)).hostgroups[1].servers[0].status is status


def test_limits_of_servers() -> None:
    """Lag is a hostgroup's, the smallest; a small max_connections bounds the pool, a large one says nothing of a process."""
    servers = [
        SERVERS[0],
        {"hostgroup_id": 1, "hostname": "db2", "max_replication_lag": 9, "max_connections": 4, "weight": 3, "use_ssl": 1},
        {"hostgroup_id": 1, "hostname": "db3", "max_replication_lag": 5, "max_connections": 500},
        {"hostgroup_id": 1, "hostname": "/run/mysqld/mysqld.sock", "port": 0},
    ]
    config = load(document(mysql_servers=servers))
    group = config.hostgroup(1)

    assert group.max_replication_lag == 5.0
    assert [config.pool_for(group, server).max_size for server in group.servers] == [4, 10, 10]
    assert [server.weight for server in group.servers] == [3, 1, 1]
    assert group.servers[2].socket == "/run/mysqld/mysqld.sock"
    assert config.databases["shop"].tls.mode == "require"


# --- what is wrong is said of the original


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "mysql_servers:\n  - {hostgroup_id: 0, hostname: a}\n  - {hostgroup_id: 1, hostname: b, port: 70000}\n",
            "x.yaml:3: mysql_servers[1].port: 70000 is not a port (1–65535)",
        ),
        (
            "hostgroups:\n  - hg: 0\n    endpoints: [a:1]\n  - hg: 1\n    endpoints:\n      - a:1\n      - 'b:x'\n",
            "x.yaml:7: hostgroups[1].endpoints[1]: x is not a port (1–65535)",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_query_rules:\n"
            "  - rule_id: 1\n    active: 1\n    match_digest: 'a(?=b)'\n",
            "x.yaml:5: mysql_query_rules[0].match_digest: 'a(?=b)' is not a pattern of RE2",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_query_rules:\n  - rule_id: 1\n    destination_hostgroup: 9\n",
            "x.yaml:4: mysql_query_rules[0].destination_hostgroup: there is no hostgroup 9; there are 0",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_users: [{username: u, default_hostgroup: 3}]\n",
            "x.yaml:2: mysql_users[0].default_hostgroup: default_hostgroup 3 has no servers; there are 0",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_querry_rules: []\n",
            "x.yaml:2: mysql_querry_rules: unknown key; did you mean 'mysql_query_rules'?",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a, wieght: 3}]\n",
            "x.yaml:1: mysql_servers[0].wieght: unknown key; did you mean 'weight'?",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_query_rules: [{rule_id: 1, destination: 3}]\n",
            "x.yaml:2: mysql_query_rules[0].destination: unknown key",
        ),
        ("mysql_servers: [{hostgroup_id: x, hostname: a}]\n", "x.yaml:1: mysql_servers[0].hostgroup_id: 'x' is not the number"),
        ("mysql_servers: {a: 1}\n", "x.yaml:1: mysql_servers: a mapping is not a list of rows"),
        (
            "databases: {a: {}}\nmysql_users: [{username: u}]\n",
            "x.yaml:1: databases: is of dbrouter's shape and mysql_users of ProxySQL's: a file has one shape",
        ),
        (
            "mysql_users: [{username: u}]\n",
            "x.yaml:1: names no servers: write mysql_servers, or hostgroups with hg and endpoints",
        ),
        (
            "mysql_servers:\n  - {hostgroup_id: 0, hostname: a}\n  - {hostgroup_id: 0, hostname: b}\n",
            "x.yaml:3: mysql_servers[1]: a writer hostgroup has one online server, and hostgroup 0 has 2",
        ),
        (
            "mysql_servers: [{hostgroup_id: 1, hostname: a}]\n"
            "mysql_replication_hostgroups: [{writer_hostgroup: 0, reader_hostgroup: 1}]\n",
            "x.yaml:2: mysql_replication_hostgroups[0].writer_hostgroup: hostgroup 0 has no servers: ProxySQL looks for",
        ),
        (
            "mysql_servers: [{hostgroup_id: 0, hostname: a}]\nmysql_users: [{username: u, password: '${NOT_SET}'}]\n",
            "x.yaml:2: mysql_users[0].password: the environment variable NOT_SET is not set",
        ),
    ],
)
def test_problems_name_the_place_in_the_original(source: str, problem: str) -> None:
    """File, line and path are those of what the user wrote, not of what it was rewritten as."""
    assert any(said.startswith(problem) for said in problems_of(source)), problems_of(source)


def test_no_message_and_no_note_has_a_password() -> None:
    """Whatever is wrong with the rest."""
    source = document(
        mysql_users=[{"username": "u", "password": "hunter2", "default_hostgroup": 3}, {"username": 5, "password": "hunter2"}],
        mysql_variables={"monitor_password": "hunter2", "admin_credentials": "hunter2"},
        databases=[{"hostname": "db9", "username": "root", "password": "hunter2", "dbname": "x"}],
        mysql_query_rules=[{"rule_id": "hunter2x", "match_digest": "("}],
    )
    with pytest.raises(ConfigError) as caught:
        load(source)
    notes = convert(source, Problems(), lenient=True).notes

    assert "hunter2'" not in str(caught.value) and "'hunter2" not in repr(caught.value).replace("'hunter2x'", "")
    assert not [note for note in notes if "hunter2" in str(note).replace("hunter2x", "")]


def test_the_document_is_left_as_it_was() -> None:
    """What the caller passes is the caller's."""
    source = document(mysql_query_rules=[{"rule_id": 1, "active": 1, "timeout": 5}])
    before = repr(source)

    load(source)

    assert repr(source) == before


# --- an import is patient


def test_a_patient_conversion_carries_what_the_loader_refuses() -> None:
    """Rules to nowhere, patterns that RE2 has not, and primaries that ProxySQL finds by itself: each with a note."""
    source = {
        "mysql_servers": [
            {"hostgroup_id": 1, "hostname": "a"},
            {"hostgroup_id": 1, "hostname": "b"},
            {"hostgroup_id": 10, "hostname": "c"},
            {"hostgroup_id": 10, "hostname": "d"},
        ],
        "mysql_replication_hostgroups": [
            {"writer_hostgroup": 0, "reader_hostgroup": 1},
            {"writer_hostgroup": 10, "reader_hostgroup": 11},
        ],
        "mysql_users": [{"username": "u", "password": "*" + "A" * 40}],
        "mysql_query_rules": [
            {"rule_id": 1, "active": 1, "match_digest": "a(?!b)", "destination_hostgroup": 1},
            {"rule_id": 2, "active": 1, "match_digest": "^A", "destination_hostgroup": 7, "apply": 1},
            {"rule_id": 3, "active": 1, "match_digest": "^B", "destination_hostgroup": 7},
            {"rule_id": 4, "active": 0, "match_digest": "a(?!b)"},
        ],
    }
    conversion = converted(source, lenient=True)
    config = load(conversion.value)
    changed = {(note.row, note.column) for note in conversion.notes if note.outcome is not Outcome.KEPT}

    assert [server.node_id for server in config.hostgroup(0).servers] == ["a:3306"]
    assert [server.status for server in config.hostgroup(10).servers] == [ServerStatus.ONLINE, ServerStatus.OFFLINE]
    assert [rule.rule_id for rule in config.query_rules] == [2, 3]
    assert config.query_rules[0].error_msg is not None and config.query_rules[1].destination_hostgroup is None
    assert conversion.lost == ["mysql_query_rules rule_id 1"]
    assert {("rule_id 1", ""), ("rule_id 2", "destination_hostgroup"), ("u", "password"), ("0/1", "writer_hostgroup")} <= changed


def test_one_user_may_be_wanted() -> None:
    """A service is one user; the others of the proxy are none of its business."""
    users = [{"username": "app"}, {"username": "report", "default_hostgroup": 1}]

    both = converted(document(mysql_users=users))
    one = converted(document(mysql_users=users), user="report")

    assert {database["user"] for database in both.value["databases"].values()} == {"app", "report"}
    assert [database["user"] for database in one.value["databases"].values()] == ["report"]


@pytest.mark.parametrize(
    ("variable", "value", "path", "expected"),
    [
        ("connect_timeout_server", "2500", ("timeouts", "connect"), 2.5),
        ("connect_timeout_server_max", 3000, ("pool", "acquire_timeout"), 3.0),
        ("monitor_ping_interval", 2000, ("probe", "interval"), 2.0),
        ("monitor_ping_interval", 10000, ("probe", "interval"), 0.5),
        ("monitor_ping_max_failures", 4, ("probe", "fall"), 4),
        ("shun_on_failures", 9, ("breaker", "consecutive_failures"), 9),
        ("shun_recovery_time_sec", 60, ("breaker", "open_for_max"), 60.0),
        ("query_retries_on_failure", 4, ("retry", "attempts"), 5),
        ("connection_max_age_ms", 60000, ("pool", "max_lifetime"), 60.0),
        ("query_processor_iterations", 3, ("query_processor_iterations",), 3),
        ("query_digests_lowercase", "true", ("digest", "lowercase"), True),
        ("query_cache_size_MB", 1, ("result_cache", "max_bytes"), 1048576),
        ("mirror_max_concurrency", 2, ("mirror", "max_concurrency"), 2),
        ("init_connect", "SET a = 1", ("pool", "init"), ("SET a = 1",)),
    ],
)
@pytest.mark.parametrize("prefix", ["", "mysql-"])
def test_variables_become_settings(prefix: str, variable: str, value: Any, path: tuple[str, ...], expected: Any) -> None:
    """What has a like is carried; ProxySQL's own defaults leave ours alone."""
    found: Any = load(document(mysql_variables={f"{prefix}{variable}": value}))
    for part in path:
        found = getattr(found, part)

    assert found == expected


KEYS = st.sampled_from(
    [
        *("hostgroup_id", "hostname", "port", "weight", "status", "max_connections", "max_replication_lag", "use_ssl", "comment"),
        *("username", "password", "active", "default_hostgroup", "default_schema", "rule_id", "match_digest", "timeout", "apply"),
        *("destination_hostgroup", "writer_hostgroup", "reader_hostgroup", "variable_name", "variable_value", "hg", "endpoints"),
        *("name", "dbname", "attributes", "digest", "init_connect", "check_type", "nonsense"),
    ]
)
ANY = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 70_000),
        st.floats(),
        st.sampled_from(
            ["", "0", "1", "x", "db1:3306", "${X}", "ONLINE", "mysql-init_connect", "mysql-shun_recovery_time_sec", "1s"]
        ),
        st.text(max_size=4),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=5,
)
GOOD_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "hostgroup_id": st.integers(0, 2),
        "hostname": st.sampled_from(["a", "b"]),
        "port": st.one_of(st.integers(0, 3), ANY),
        "username": st.sampled_from(["u", "v"]),
        "default_hostgroup": st.integers(0, 2),
        "rule_id": st.integers(0, 9),
        "destination_hostgroup": st.integers(0, 2),
        "writer_hostgroup": st.integers(0, 2),
        "reader_hostgroup": st.integers(0, 2),
        "max_connections": ANY,
        "match_digest": ANY,
        "timeout": ANY,
    },
)
ROWS = st.one_of(ANY, st.lists(st.dictionaries(KEYS, ANY, max_size=6), max_size=4), st.lists(GOOD_ROWS, max_size=4))
NAMES = st.sampled_from([*TABLES, "runtime_mysql_servers", "pool", "breaker", "start", "nonsense", "writer"])
SERVED = st.fixed_dictionaries(
    {"mysql_servers": st.lists(GOOD_ROWS, min_size=1, max_size=4).map(lambda rows: [{"hostname": "c", **row} for row in rows])}
)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, ROWS, max_size=6), st.one_of(SERVED, st.just({})), st.booleans(), st.booleans())
def test_whatever_stands_there_is_a_configuration_or_a_problem(
    more: dict[str, Any], served: dict[str, Any], lenient: bool, typed: bool
) -> None:
    """No other exception leaves the loader or the converter."""
    source = {**more, **served}
    try:
        load(source, environ={})
    except ConfigError:
        pass
    if is_proxysql(source):
        problems = Problems()
        conversion = convert(source, problems, lenient=lenient, typed=typed)
        if not len(problems):
            try:
                load(conversion.value, environ={})
            except ConfigError:
                pass
