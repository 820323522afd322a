"""The whole shape: every section, the nearest setting, and what must hold between the pieces."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from dbrouter.config import load, loads
from dbrouter.config.bounds import show_duration
from dbrouter.config.schema import PoolSettings
from dbrouter.errors import ConfigError
from dbrouter.terms import Balance, Engine, ServerStatus, StartPolicy, WhenEmpty

WHOLE = """\
version: 1
databases:
  shop:
    engine: postgresql
    dsn: postgresql://app:${SHOP_PASSWORD}@/shop?application_name=shop
    tls: {mode: prefer, ca: null, cert: null, key: null}
    server_settings: {statement_timeout: 30s}
    via: direct
    writer_hostgroup: 10
    reader_hostgroup: 20
  catalog: {engine: mysql, dsn: "mysql://app@/catalog?charset=utf8mb4", writer_hostgroup: 30, reader_hostgroup: 40}

hostgroups:
  - {id: 10, name: shop-write, servers: ["db1:5432"]}
  - id: 20
    name: shop-read
    balance: round_robin
    max_replication_lag: 5s
    when_empty: writer
    servers:
      - "db2:5432"
      - {host: db3, port: 5432, weight: 2, status: online, pool: {max_size: 30}}
  - {id: 30, name: catalog-write, servers: [my1]}
  - {id: 40, name: catalog-read, servers: ["my2:3307", /run/mysqld/mysqld.sock]}

pool:    {min_size: 1, max_size: 10, acquire_timeout: 5s, max_waiting: 1000, max_lifetime: 30m, idle_timeout: 5m, max_uses: null,
          leak_after: 60s, init: ["SET TIME ZONE 'UTC'"]}
probe:   {interval: 500ms, timeout: 500ms, fall: 2, rise: 2}
breaker: {consecutive_failures: 5, failure_rate: 0.5, slow_call: null, slow_rate: 0.5, minimum_calls: 20, window: 10s,
          open_for: 500ms, open_for_max: 30s, half_open_permits: 1, successes_to_close: 2}
retry:   {attempts: 3, backoff: 50ms, backoff_max: 2s, budget: 0.2, budget_min: 10}
timeouts: {call: 30s, connect: 5s}
start: any
functions: learn
session_statements: error

query_rules:
  - {rule_id: 10, match_digest: "^SELECT .* FOR UPDATE", destination_hostgroup: 10, apply: true}
  - {rule_id: 20, database: shop, tag: report, destination_hostgroup: 20, timeout: 60s, apply: true}
"""


def minimal(**changes: Any) -> dict[str, Any]:
    """A small valid document in the whole shape."""
    document: dict[str, Any] = {
        "databases": {"shop": {"dsn": "postgresql://app@/shop", "writer_hostgroup": 1, "reader_hostgroup": 2}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}, {"id": 2, "servers": ["db2", "db3"]}],
    }
    return copy.deepcopy({**document, **changes})


def problems_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    """(path, message) of everything wrong with *document*."""
    with pytest.raises(ConfigError) as caught:
        load(document, environ={})
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_the_whole_file_loads() -> None:
    """Every section of the documented file arrives."""
    config = loads(WHOLE, environ={"SHOP_PASSWORD": "p@ss/w#rd?:%41"})

    shop, catalog = config.databases.values()
    assert config.default_database == "shop"
    assert shop.password is not None and shop.password.get_secret_value() == "p@ss/w#rd?:%41"
    assert shop.server_settings == {"application_name": "shop", "statement_timeout": "30s"}
    assert (catalog.engine, catalog.driver, catalog.driver_options) == (Engine.MYSQL, "aiomysql", {"charset": "utf8mb4"})
    nodes = [[server.node_id for server in hostgroup.servers] for hostgroup in config.hostgroups]
    assert nodes == [["db1:5432"], ["db2:5432", "db3:5432"], ["my1:3306"], ["my2:3307", "/run/mysqld/mysqld.sock"]]
    reader = config.hostgroup("shop-read")
    assert (reader.balance, reader.max_replication_lag, reader.when_empty) == (Balance.ROUND_ROBIN, 5.0, WhenEmpty.WRITER)
    assert (reader.servers[1].weight, reader.servers[1].status) == (2, ServerStatus.ONLINE)
    assert (config.pool.max_lifetime, config.probe.interval, config.retry.backoff, config.start) == (
        1800.0,
        0.5,
        0.05,
        StartPolicy.ANY,
    )
    assert [rule.timeout for rule in config.query_rules] == [None, 60.0]


def test_the_written_values_are_the_defaults() -> None:
    """The documented file writes the defaults, so leaving the groups out changes nothing."""
    written = loads(WHOLE, environ={"SHOP_PASSWORD": "x"})
    head, _, tail = WHOLE.partition("\npool:")
    without = loads(head + "\nquery_rules:" + tail.partition("\nquery_rules:")[2], environ={"SHOP_PASSWORD": "x"})

    assert without.pool.overlay(PoolSettings(init=("SET TIME ZONE 'UTC'",))) == written.pool
    for name in ("probe", "breaker", "retry", "timeouts", "start", "functions", "session_statements"):
        assert getattr(without, name) == getattr(written, name), name


def test_a_rule_without_database_is_about_its_destinations_database() -> None:
    """A destination belongs to one database, so such a rule never catches another database's statements."""
    assert [rule.database for rule in loads(WHOLE, environ={"SHOP_PASSWORD": "x"}).query_rules] == ["shop", "shop"]


def test_the_nearest_setting_wins_key_by_key() -> None:
    """A partial override changes the keys it has and no others."""
    document = minimal(pool={"max_size": 20, "min_size": 4}, timeouts={"call": "3s"}, retry={"attempts": 5})
    document["hostgroups"][1] |= {
        "pool": {"max_size": 30},
        "probe": {"fall": 3},
        "retry": {"backoff": "10ms"},
        "timeouts": {"connect": 1},
        "servers": [
            "db2",
            {"host": "db3", "pool": {"min_size": 25}, "breaker": {"minimum_calls": 7}, "timeouts": {"connect": "2s"}},
        ],
    }
    config = load(document)

    writer, reader = config.hostgroups
    near, far = reader.servers[1], reader.servers[0]
    assert (config.pool_for(writer).min_size, config.pool_for(writer).max_size) == (4, 20)
    assert (config.pool_for(reader, far).min_size, config.pool_for(reader, far).max_size) == (4, 30)
    assert (config.pool_for(reader, near).min_size, config.pool_for(reader, near).max_size) == (25, 30)
    assert config.pool_for(reader, near).acquire_timeout == 5.0
    assert (config.probe_for(reader, near).fall, config.probe_for(writer).fall) == (3, 2)
    assert (config.breaker_for(reader, near).minimum_calls, config.breaker_for(reader, far).minimum_calls) == (7, 20)
    assert (config.retry_for(reader).backoff, config.retry_for(reader).attempts, config.retry_for(writer).backoff) == (
        0.01,
        5,
        0.05,
    )
    assert (config.timeouts_for(reader).connect, config.timeouts_for(reader, near).connect) == (1.0, 2.0)
    assert config.timeouts_for(reader, near).call == 3.0


def test_an_override_back_to_the_default_counts() -> None:
    """What is written explicitly overrides, even where it is the default's value; null too."""
    document = minimal(pool={"max_size": 50, "max_lifetime": "1h"})
    document["hostgroups"][1]["pool"] = {"max_size": 10, "max_lifetime": None}
    config = load(document)

    pool = config.pool_for(config.hostgroups[1])
    assert (pool.max_size, pool.max_lifetime) == (10, None)


def test_the_dsns_connect_timeout_is_the_databases() -> None:
    """It stands between the top and the hostgroup."""
    document = minimal(timeouts={"connect": "9s"})
    document["databases"]["shop"]["dsn"] = "postgresql://app@/shop?connect_timeout=3"
    document["hostgroups"][0]["timeouts"] = {"connect": "1s"}
    config = load(document)

    assert [config.timeouts_for(hostgroup).connect for hostgroup in config.hostgroups] == [1.0, 3.0]


def test_a_node_in_two_hostgroups_has_the_settings_of_its_first_mention() -> None:
    """One node has one probe and one breaker, while its pools may differ."""
    document = minimal(probe={"fall": 4})
    document["hostgroups"][0]["servers"] = [{"host": "db1", "breaker": {"minimum_calls": 3}, "pool": {"max_size": 2}}]
    document["hostgroups"][1]["servers"] = [{"host": "db1", "breaker": {"minimum_calls": 3}}, "db2"]
    config = load(document)

    writer, reader = config.hostgroups
    assert config.breaker_for(reader, reader.servers[0]) == config.breaker_for(writer, writer.servers[0])
    assert config.pool_for(reader, reader.servers[0]).max_size == 10


def test_contradicting_settings_of_one_node_are_a_problem() -> None:
    """The message names the node, both hostgroups and both values."""
    document = minimal()
    document["hostgroups"][0]["servers"] = [{"host": "db1", "probe": {"fall": 3}}]
    document["hostgroups"][1]["servers"] = ["db1", "db2"]

    path, message = problems_of(document)[0]
    assert path == "hostgroups[1].servers[0].probe"
    assert message == "db1:5432 is one node in hostgroups 1 and 2, with one probe, but its fall is 3 there and 2 here"


@pytest.mark.parametrize(
    ("written", "node"),
    [
        ("db1", "db1:5432"),
        ("db1:6000", "db1:6000"),
        ("10.0.0.1:1", "10.0.0.1:1"),
        ("[::1]:5433", "[::1]:5433"),
        ("[fe80::1%eth0]", "[fe80::1%eth0]:5432"),
        ("/run/postgresql", "/run/postgresql:5432"),
        ("/run/postgresql:5433", "/run/postgresql:5433"),
        ("/run/postgresql/.s.PGSQL.5434", "/run/postgresql:5434"),
        ({"host": "db1"}, "db1:5432"),
        ({"host": "::1", "port": 7}, "[::1]:7"),
        ({"host": "[::1]", "port": "7"}, "[::1]:7"),
        ({"host": "/run/postgresql", "port": 5435}, "/run/postgresql:5435"),
        ({"socket": "/run/postgresql"}, "/run/postgresql:5432"),
        ("db-1.eu_west.example.org", "db-1.eu_west.example.org:5432"),
    ],
)
def test_every_way_to_write_a_server(written: object, node: str) -> None:
    """Text and mapping mean the same, and the node id is host:port."""
    config = load(minimal(hostgroups=[{"id": 1, "servers": [written]}, {"id": 2, "servers": ["x"]}]))

    assert config.hostgroups[0].servers[0].node_id == node


def test_the_default_port_comes_from_the_dsn() -> None:
    """A port in the DSN of the database is for servers that name none."""
    document = minimal()
    document["databases"]["shop"]["dsn"] = "postgresql://app@:6432/shop"

    assert [server.node_id for server in load(document).hostgroups[1].servers] == ["db2:6432", "db3:6432"]


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ("db1:70000", ".port", "70000 is not a port (1–65535)"),
        ("db1:0", ".port", "0 is not a port (1–65535)"),
        ("db1:http", ".port", "http is not a port (1–65535)"),
        ("db1:", "", "'db1:' is no server"),
        ("", "", "'' is no server"),
        ("::1:5432", "", "an IPv6 address needs brackets"),
        ("[::1", "", "'[::1' is no server"),
        ("a b", "", "'a b' is no server"),
        ({"host": "db1", "port": 0}, ".port", "0 is not a port (1–65535)"),
        ({"host": "db1", "port": -1}, ".port", "-1 is not a port (1–65535)"),
        ({"host": "db1", "port": 65536}, ".port", "65536 is not a port (1–65535)"),
        ({"host": "db1", "port": "x"}, ".port", "'x' is not a port (1–65535)"),
        ({"host": "db1", "port": True}, ".port", "true is not a whole number"),
        ({"host": "db1:5432"}, ".host", "is not a host name or address"),
        ({"host": ""}, ".host", "is not a host name or address"),
        ({"host": 5}, ".host", "5 is not text"),
        ({"port": 5432}, ".host", "is missing"),
        ({"host": "db1", "socket": "/x"}, ".socket", "a server has a host or a socket, not both"),
        ({"socket": "x"}, ".socket", "the path of a socket begins with /"),
        ({"host": "db1", "weight": -1}, ".weight", "-1 is below 0"),
        ({"host": "db1", "weight": 1.5}, ".weight", "1.5 is not a whole number"),
        ({"host": "db1", "status": "up"}, ".status", "'up' is none of online, draining, offline"),
        ({"host": "db1", "wieght": 1}, ".wieght", "unknown key; did you mean 'weight'?"),
        (None, "", "null is no server"),
        (7, "", "7 is no server"),
    ],
)
def test_servers_that_are_wrong(written: object, path: str, message: str) -> None:
    """The path leads to the server and its key."""
    found = problems_of(minimal(hostgroups=[{"id": 1, "servers": [written]}, {"id": 2, "servers": ["x"]}]))

    assert found[0][0] == f"hostgroups[0].servers[0]{path}"
    assert message in found[0][1]


def with_database(**changes: Any) -> dict[str, Any]:
    document = minimal()
    document["databases"]["shop"].update(changes)
    return document


def with_reader(**changes: Any) -> dict[str, Any]:
    document = minimal()
    document["hostgroups"][1].update(changes)
    return document


def with_rule(**rule: Any) -> dict[str, Any]:
    return minimal(query_rules=[{"rule_id": 1, **rule}])


TWO = {
    "databases": {
        "shop": {"dsn": "postgresql://app@/shop", "writer_hostgroup": 1},
        "audit": {"dsn": "postgresql://app@/audit", "writer_hostgroup": 2},
    },
    "hostgroups": [{"id": 1, "servers": ["db1"]}, {"id": 2, "servers": ["db2"]}],
}


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (minimal(databses={}), "databses", "unknown key; did you mean 'databases'?"),
        (minimal(version=2), "version", "2 is not a version this dbrouter reads (1)"),
        (minimal(start="some"), "start", "'some' is none of none, any, writer, all"),
        (minimal(functions="guess"), "functions", "'guess' is none of learn, introspect, primary"),
        (with_database(server_settings={"a; DROP": 1}), "databases.shop.server_settings", "not the name of a server setting"),
        (
            with_database(dsn="mysql://app@/d?charset=a%27b"),
            "databases.shop.dsn",
            "the parameter charset is not the name of a character set",
        ),
        (minimal(session_statements=True), "session_statements", "true is none of error, allow"),
        (minimal(pool={"max_siz": 3}), "pool.max_siz", "unknown key; did you mean 'max_size'?"),
        (minimal(pool={"min_size": 11}), "pool.min_size", "min_size 11 is above max_size 10"),
        (minimal(pool={"max_size": -1}), "pool.max_size", "-1 is below 1"),
        (minimal(pool={"max_size": float("nan")}), "pool.max_size", "nan is not a finite number"),
        (minimal(pool={"max_size": True}), "pool.max_size", "true is not a whole number"),
        (minimal(pool={"idle_timeout": "soon"}), "pool.idle_timeout", "'soon' is not a duration (250ms, 5s, 10m"),
        (minimal(pool={"idle_timeout": "-5s"}), "pool.idle_timeout", "'-5s' is below 10ms (10ms–365d)"),
        (minimal(pool={"acquire_timeout": float("nan")}), "pool.acquire_timeout", "nan is not a finite number"),
        (minimal(pool={"acquire_timeout": float("inf")}), "pool.acquire_timeout", "inf is not a finite number"),
        (minimal(pool={"acquire_timeout": True}), "pool.acquire_timeout", "true is not a duration"),
        (minimal(pool={"init": "SET x"}), "pool.init", "'SET x' is not a list"),
        (minimal(pool=[1]), "pool", "a list is not a mapping"),
        (minimal(breaker={"failure_rate": 1.5}), "breaker.failure_rate", "1.5 is above 1"),
        (minimal(breaker={"open_for": "1m"}), "breaker.open_for", "open_for 60s is above open_for_max 30s"),
        (minimal(retry={"backoff": "5s"}), "retry.backoff", "backoff 5s is above backoff_max 2s"),
        (minimal(retry={"attempts": 0}), "retry.attempts", "0 is below 1"),
        (minimal(databases=[]), "databases", "is not a mapping of names to databases"),
        (minimal(databases={}), "databases", "is empty"),
        (minimal(databases={"shop": 5}), "databases.shop", "5 is not a mapping"),
        (minimal(hostgroups={}), "hostgroups", "is not a list"),
        (minimal(hostgroups=None), "hostgroups", "is missing"),
        (with_database(dsn=None), "databases.shop.engine", "is missing: write engine (postgresql or mysql) or a dsn"),
        (with_database(engine="mysql"), "databases.shop.engine", "the dsn's scheme is of postgresql"),
        (with_database(user="other"), "databases.shop.user", "user and the dsn say different things"),
        (with_database(dsn="postgresql://app@db1/shop"), "databases.shop.dsn", "names a host; hosts belong in servers"),
        (with_database(name="x"), "databases.shop.name", "is the key under databases"),
        (with_database(driver="aiomysql"), "databases.shop.driver", "aiomysql is no driver of postgresql"),
        (with_database(via="pgpool"), "databases.shop.via", "'pgpool' is none of direct, pgbouncer"),
        (with_database(found_rows=True), "databases.shop.found_rows", "is for mysql"),
        (with_database(tls={"mode": "verify"}), "databases.shop.tls.mode", "'verify' is none of disable, prefer"),
        (with_database(tls={"key": "k"}), "databases.shop.tls", "a key needs its cert"),
        (with_database(password=5), "databases.shop.password", "is not text"),
        (with_database(pasword="x"), "databases.shop.pasword", "unknown key; did you mean 'password'?"),
        (with_database(writer_hostgroup=9), "databases.shop.writer_hostgroup", "there is no hostgroup 9; there are 1, 2"),
        (
            with_database(writer_hostgroup="hostgroup-3"),
            "databases.shop.writer_hostgroup",
            "there is no hostgroup named 'hostgroup-3'",
        ),
        (with_database(reader_hostgroup=1), "databases.shop.reader_hostgroup", "hostgroup 1 cannot be writer and reader at once"),
        (with_database(server_settings={"a": [1]}), "databases.shop.server_settings.a", "a list is not text"),
        (with_reader(id=1), "hostgroups[1].id", "hostgroup 1 is there twice"),
        (with_reader(id="two"), "hostgroups[1].id", "'two' is not a whole number"),
        (with_reader(name="hostgroup-1"), "hostgroups[1].name", "the name 'hostgroup-1' is of another hostgroup already"),
        (with_reader(name="1"), "hostgroups[1].name", "could be taken for an id"),
        (with_reader(database="shpo"), "hostgroups[1].database", "there is no database 'shpo'; did you mean 'shop'?"),
        (with_reader(servers=[]), "hostgroups[1].servers", "is empty; it needs at least one"),
        (with_reader(servers="db2"), "hostgroups[1].servers", "is not a list"),
        (with_reader(servers=["db2", "db2:5432"]), "hostgroups[1].servers[1]", "db2:5432 is in hostgroup 2 twice"),
        (with_reader(servers=[{"host": "db2", "weight": 0}]), "hostgroups[1].servers", "every weight is 0"),
        (with_reader(balance="roundrobin"), "hostgroups[1].balance", "did you mean 'round_robin'?"),
        (with_reader(pool={"min_size": 99}), "hostgroups[1].pool.min_size", "min_size 99 is above max_size 10"),
        (
            with_reader(servers=[{"host": "db2", "pool": {"max_size": 2, "min_size": 3}}]),
            "hostgroups[1].servers[0].pool.min_size",
            "min_size 3 is above max_size 2",
        ),
        (minimal(hostgroups=[*minimal()["hostgroups"], {"id": 3, "servers": ["x"]}]), "hostgroups[2]", "is used by no database"),
        (
            minimal(hostgroups=[{"id": 1, "servers": ["a", "b"]}, {"id": 2, "servers": ["c"]}]),
            "hostgroups[0].servers[1]",
            "a writer hostgroup has one online server, and hostgroup 1 has 2 (a:5432, b:5432)",
        ),
        (
            minimal(hostgroups=[{"id": 1, "servers": ["a"], "when_empty": "writer"}, {"id": 2, "servers": ["c"]}]),
            "hostgroups[0].when_empty",
            "writer is this hostgroup itself",
        ),
        (
            minimal(hostgroups=[{"id": 1, "servers": ["a"], "read_only": True}, {"id": 2, "servers": ["c"]}]),
            "hostgroups[0].read_only",
            "takes writes",
        ),
        (
            minimal(hostgroups=[{"id": 1, "servers": ["a"], "max_replication_lag": 1}, {"id": 2, "servers": ["c"]}]),
            "hostgroups[0].max_replication_lag",
            "is for replicas",
        ),
        (minimal(servers=["db9"]), "servers", "a server in no hostgroup"),
        (minimal(query_rules={}), "query_rules", "is not a list of rules"),
        (minimal(query_rules=[5]), "query_rules[0]", "5 is not a mapping"),
        (minimal(query_rules=[{}]), "query_rules[0].rule_id", "is missing"),
        (minimal(query_rules=[{"rule_id": 1}, {"rule_id": 1}]), "query_rules[1].rule_id", "rule 1 is there twice"),
        (with_rule(destination_hostgroup=7), "query_rules[0].destination_hostgroup", "there is no hostgroup 7; there are 1, 2"),
        (
            with_rule(destination_hostgroup="hostgroup-22"),
            "query_rules[0].destination_hostgroup",
            "there is no hostgroup named 'hostgroup-22'; did you mean 'hostgroup-2'?",
        ),
        (with_rule(database="shpo"), "query_rules[0].database", "there is no database 'shpo'; did you mean 'shop'?"),
        (
            minimal(**TWO, query_rules=[{"rule_id": 1, "database": "audit", "destination_hostgroup": 1}]),
            "query_rules[0].destination_hostgroup",
            "hostgroup 1 is shop's, and the rule is for audit",
        ),
        (with_rule(unsafe=True, destination_hostgroup=2), "query_rules[0].unsafe", "needs read_only: false in hostgroup 2"),
        (with_rule(unsafe=True), "query_rules[0].unsafe", "destination or mirror, and the rule has neither"),
        (with_rule(timeout=60), "query_rules[0].timeout", "60 has no unit; ProxySQL's numbers are milliseconds"),
        (with_rule(timeout="60"), "query_rules[0].timeout", "'60' has no unit; ProxySQL's numbers are milliseconds"),
        (with_rule(timeout="0s"), "query_rules[0].timeout", "'0s' is below 1ms (1ms–30d)"),
        (with_rule(retries=-1), "query_rules[0].retries", "-1 is below 0"),
        (with_rule(retries=1001), "query_rules[0].retries", "1001 is above 1000"),
        (minimal(write_functions=["a b"]), "write_functions[0]", "'a b' is not the name of a function"),
        (with_rule(cache_ttl=5), "query_rules[0].cache_ttl", "5 has no unit"),
        (with_rule(delay="500"), "query_rules[0].delay", "'500' has no unit"),
        (with_rule(flagin=-5), "query_rules[0].flagIN", "-5 is below 0"),
        (with_rule(flagOUT="x"), "query_rules[0].flagOUT", "'x' is not a whole number"),
        (with_rule(proxy_port=70000), "query_rules[0].proxy_port", "70000 is above 65535"),
        (with_rule(multiplex=3), "query_rules[0].multiplex", "3 is above 2"),
        (with_rule(intent="maybe"), "query_rules[0].intent", "'maybe' is none of read, write"),
        (with_rule(client_addr="10.%.1"), "query_rules[0].client_addr", "'10.%.1' has a % that is not at its end"),
        (with_rule(digest="1C46AE529DD5A40E"), "query_rules[0].digest", "is not a digest"),
        (with_rule(digest="0x0"), "query_rules[0].digest", "is below 1"),
        (with_rule(attributes="{"), "query_rules[0].attributes", "'{' is not JSON"),
        (with_rule(attributes={"flagOUT": []}), "query_rules[0].attributes.flagOUT", "unknown key"),
        (with_rule(replace_pattern="x"), "query_rules[0].replace_pattern", "the rule has no match_pattern"),
        (
            with_rule(match_pattern="(a)", replace_pattern=r"\2"),
            "query_rules[0].replace_pattern",
            "has \\2, and match_pattern has 1",
        ),
        (with_rule(match_pattern="a", replace_pattern=r"\x"), "query_rules[0].replace_pattern", "the number of a group"),
        (with_rule(mirror_hostgroup=99), "query_rules[0].mirror_hostgroup", "there is no hostgroup 99"),
        (with_rule(gtid_from_hostgroup="nowhere"), "query_rules[0].gtid_from_hostgroup", "there is no hostgroup named 'nowhere'"),
        (with_rule(match_digset="x"), "query_rules[0].match_digset", "unknown key; did you mean 'match_digest'?"),
        (with_rule(re_modifiers="MULTILINE"), "query_rules[0].re_modifiers", "'MULTILINE' is not a modifier"),
        (with_rule(re_modifiers=5), "query_rules[0].re_modifiers", "5 is not CASELESS"),
        (with_rule(match_digest="("), "query_rules[0].match_digest", "'(' is not a pattern of RE2: missing )"),
        (with_rule(match_pattern="(?!x)"), "query_rules[0].match_pattern", "RE2 has no look-around"),
        (with_rule(match_pattern=r"(a)\1"), "query_rules[0].match_pattern", "RE2 has no back-references"),
        (with_rule(match_pattern=5), "query_rules[0].match_pattern", "5 is not text"),
        (with_rule(active="maybe"), "query_rules[0].active", "'maybe' is neither true nor false"),
    ],
)
def test_each_mistake_is_one_problem_at_its_path(document: dict[str, Any], path: str, message: str) -> None:
    """What is wrong is said once, where it was written, with the value and what would be right."""
    found = problems_of(document)

    assert [where for where, _ in found] == [path]
    assert message in dict(found)[path]


def test_one_hostgroup_of_two_databases_is_a_problem() -> None:
    """A hostgroup belongs to one database."""
    document = minimal(**copy.deepcopy(TWO))
    document["databases"]["audit"]["writer_hostgroup"] = 1

    assert ("hostgroups[0]", "hostgroup 1 is named by shop and audit; a hostgroup belongs to one database") in problems_of(
        document
    )


def test_an_extra_hostgroup_for_rules_names_its_database() -> None:
    """Rules may reach a hostgroup that is neither writer nor reader; its connections are read-only unless it says otherwise."""
    hostgroups = [*minimal()["hostgroups"], {"id": 3, "name": "reports", "database": "shop", "servers": ["db4"]}]
    config = load(
        minimal(hostgroups=hostgroups, query_rules=[{"rule_id": 1, "tag": "report", "destination_hostgroup": "reports"}])
    )

    assert config.query_rules[0].destination_hostgroup == 3
    assert config.hostgroup(3).read_only
    assert [hostgroup.id for hostgroup in config.hostgroups_of("shop")] == [1, 2, 3]
    with pytest.raises(KeyError):
        config.hostgroup("nowhere")


def test_a_standby_may_be_in_the_writer_hostgroup_while_offline() -> None:
    """Only online servers of a writer hostgroup are counted."""
    servers = ["db1", {"host": "db9", "status": "offline"}]

    assert len(load(minimal(hostgroups=[{"id": 1, "servers": servers}, {"id": 2, "servers": ["x"]}])).hostgroups[0].servers) == 2


def test_hostgroups_may_be_named_by_name_in_databases() -> None:
    """A database may name its hostgroups by name."""
    hostgroups = [{"id": 1, "name": "w", "servers": ["db1"]}, {"id": 2, "name": "r", "servers": ["db2"]}]
    database = {"dsn": "postgresql://app@/shop", "writer_hostgroup": "w", "reader_hostgroup": "r"}
    config = load(minimal(hostgroups=hostgroups, databases={"shop": database}))

    assert (config.databases["shop"].writer_hostgroup, config.databases["shop"].reader_hostgroup) == (1, 2)


def test_every_problem_is_found_at_once() -> None:
    """Mistakes in different places are reported together, in the order of the lines."""
    text = (
        WHOLE.replace("db2:5432", "db2:99999").replace("max_uses", "max_use").replace("when_empty: writer", "when_empty: nobody")
    )
    text = text.replace("destination_hostgroup: 20", "destination_hostgroup: 99").replace("start: any", "start: maybe")

    with pytest.raises(ConfigError) as caught:
        loads(text, file="dbrouter.yaml", environ={})

    places = [(problem.line, problem.path) for problem in caught.value.problems]
    assert places == [
        (5, "databases.shop.dsn"),
        (19, "hostgroups[1].when_empty"),
        (21, "hostgroups[1].servers[0].port"),
        (26, "pool.max_use"),
        (33, "start"),
        (39, "query_rules[1].destination_hostgroup"),
    ]
    assert "dbrouter.yaml:21: hostgroups[1].servers[0].port: 99999 is not a port (1–65535)" in str(caught.value)


def test_values_from_variables_become_numbers() -> None:
    """A variable may stand for a number, a truth value or a choice."""
    document = minimal(pool={"max_size": "${N}", "acquire_timeout": "${T}"}, start="${S}")
    document["hostgroups"][1] |= {"balance": "${B:-random}", "servers": [{"host": "db2", "port": "${P}"}]}
    config = load(document, environ={"N": "7", "T": "250ms", "S": "all", "P": "6000"})

    assert (config.pool.max_size, config.pool.acquire_timeout, config.start) == (7, 0.25, StartPolicy.ALL)
    assert (config.hostgroups[1].balance, config.hostgroups[1].servers[0].port) == (Balance.RANDOM, 6000)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
        ("1.5 s", 1.5),
        (3, 3.0),
        (0.5, 0.5),
        ("7", 7.0),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    """Text with a unit, or a number of seconds."""
    assert load(minimal(pool={"acquire_timeout": written})).pool.acquire_timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(1800.0, "30m"), (0.25, "250ms"), (90.0, "90s"), (0.0005, "500us"), (86400.0, "1d"), (0.0, "0s")]
)
def test_durations_are_shown_in_their_largest_unit(seconds: float, shown: str) -> None:
    """The reference page shows defaults as people write them."""
    assert show_duration(seconds) == shown


def test_a_config_survives_pickle_and_is_frozen() -> None:
    """Configurations may cross processes and cannot be changed."""
    config = loads(WHOLE, environ={"SHOP_PASSWORD": "x"})

    copied = pickle.loads(pickle.dumps(config))
    assert copied == config
    assert copied.pool_for(copied.hostgroups[1], copied.hostgroups[1].servers[1]).max_size == 30
    with pytest.raises(ValueError, match="frozen"):
        config.start = StartPolicy.ALL  # type: ignore[misc]
