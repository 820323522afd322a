"""One mistake in a file is one problem: what merely follows from it is not reported, and a second mistake is."""

from __future__ import annotations

import re

import pytest

from dbrouter.config import loads
from dbrouter.errors import ConfigError

WHOLE = """\
version: 1
databases:
  shop:
    engine: postgresql
    dsn: postgresql://app:${SECRET}@/shop?application_name=shop
    tls: {mode: verify-full, ca: /etc/ca.pem, cert: /etc/me.pem, key: /etc/me.key}
    server_settings: {statement_timeout: 30s}
    via: direct
    writer_hostgroup: 10
    reader_hostgroup: 20
    default_hostgroup: 10
  catalog:
    dsn: mysql://app@/catalog?charset=utf8mb4
    tls: {mode: disable}
    found_rows: true
    writer_hostgroup: catalog-write
    reader_hostgroup: catalog-read
hostgroups:
  - {id: 10, name: shop-write, servers: ["db1:5432"], pool: {min_size: 15, max_size: 20}}
  - id: 20
    name: shop-read
    balance: round_robin
    max_replication_lag: 5s
    when_empty: writer
    pool: {min_size: 30}
    probe: {fall: 3}
    servers:
      - "db2:5432"
      - {host: db3, port: 5432, weight: 0, status: online, pool: {max_size: 35}, breaker: {open_for: 40s}}
  - {id: 30, name: catalog-write, servers: [my1], retry: {backoff: 3s}}
  - {id: 40, name: catalog-read, servers: ["my2:3307", /run/mysqld/mysqld.sock], timeouts: {connect: 2s}}
  - {id: 50, name: reports, database: shop, read_only: false,
     servers: [db4, {host: db3, breaker: {open_for: 40s}, probe: {fall: 3}}]}
pool: {min_size: 1, max_size: 40, acquire_timeout: 5s, max_waiting: 100, max_lifetime: 30m, init: ["SET TIME ZONE 'UTC'"]}
probe: {interval: 500ms, timeout: 500ms, fall: 2, rise: 2}
breaker: {failure_rate: 0.5, slow_call: 1s, slow_rate: 0.5, window: 10s, open_for: 500ms, open_for_max: 60s}
retry: {attempts: 3, backoff: 50ms, backoff_max: 4s, budget: 0.2, budget_min: 10}
timeouts: {call: 30s, connect: 5s}
start: any
functions: learn
session_statements: error
read_functions: [app.total]
digest: {max_length: 2048}
result_cache: {max_bytes: 1000000}
mirror: {max_queue: 100}
comment_hints: false
query_processor_iterations: 2
query_rules:
  - {rule_id: 1, match_digest: "^SELECT .* FOR UPDATE", destination_hostgroup: shop-write, apply: true}
  - {rule_id: 2, database: shop, tag: report, destination_hostgroup: reports, unsafe: true, timeout: 60s, retries: 2}
  - {rule_id: 3, database: catalog, match_pattern: "(a)", replace_pattern: '\\1', re_modifiers: GLOBAL, destination_hostgroup: 40}
  - {rule_id: 4, database: shop, mirror_hostgroup: 20, unsafe: true, intent: write, digest: "0x1C46AE529DD5A40E"}
  - {rule_id: 5, destination_hostgroup: 20, gtid_from_hostgroup: 10, client_addr: 10.1.%}
  - {rule_id: 6, flagOUT: 3, attributes: {flagOUTs: [{id: 1, weight: 2}]}, multiplex: 1, cache_ttl: 5s}
query_rules_fast_routing:
  - {username: ann, schemaname: shop, flagIN: 0, destination_hostgroup: reports}
  - {username: bob, schemaname: shop, flagIN: 0, destination_hostgroup: 20}
"""

SMALL = """\
writer: postgresql://app:${SECRET}@db1/shop?sslmode=prefer
readers:
  - postgresql://app@db2/shop
  - postgresql://app@db3/shop
pool: {max_size: 5}
query_rules:
  - {rule_id: 1, database: shop, destination_hostgroup: shop-read, tag: report}
  - {rule_id: 2, destination_hostgroup: 2, mirror_hostgroup: 1}
query_rules_fast_routing:
  - {schemaname: shop, destination_hostgroup: shop-write}
"""

Breakage = tuple[str, str, str, str]
"""What is written, what is written in its place, the path of the one problem, and a piece of its message."""

IN_WHOLE: list[Breakage] = [
    ("version: 1", "version: 2", "version", "2 is not a version"),
    ("version: 1", "version: ${V}", "version", "variable V is not set"),
    ("version: 1", "vresion: 1", "vresion", "unknown key"),
    # a database
    ("  shop:\n    engine: postgresql\n", "  shop:\n    engine: oracle\n", "databases.shop.engine", "the dsn's scheme is of"),
    ("    engine: postgresql\n    dsn", "    engine: ${E}\n    dsn", "databases.shop.engine", "variable E is not set"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "engine: oracle", "databases.catalog.engine", "'oracle' is none of"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "engine: ${E}", "databases.catalog.engine", "variable E is not set"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "user: app", "databases.catalog.engine", "is missing"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: 5", "databases.catalog.dsn", "is not a DSN"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: oracle://app@/catalog", "databases.catalog.dsn", "no DSN begins with"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: ${D}", "databases.catalog.dsn", "variable D is not set"),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: mysql://${U}@/catalog", "databases.catalog.dsn", "variable U is not set"),
    (
        "dsn: mysql://app@/catalog?charset=utf8mb4",
        "dsn: mysql://app@/${D}?charset=${C:-x}",
        "databases.catalog.dsn",
        "variable D",
    ),
    ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: file:/nowhere/dsn", "databases.catalog.dsn", "cannot be read"),
    ("charset=utf8mb4", "charset=${C}", "databases.catalog.dsn", "variable C is not set"),
    ("charset=utf8mb4", "charst=utf8mb4", "databases.catalog.dsn", "unknown parameter"),
    ("${SECRET}", "${OTHER}", "databases.shop.dsn", "variable OTHER is not set"),
    ("?application_name", "?connect_timeout=x&application_name", "databases.shop.dsn", "connect_timeout"),
    ("mode: verify-full", "mode: verify", "databases.shop.tls.mode", "'verify' is none of"),
    ("mode: verify-full", "mode: ${M}", "databases.shop.tls.mode", "variable M is not set"),
    ("mode: verify-full", "mode: disable", "databases.shop.tls", "mode disable does not go with"),
    ("cert: /etc/me.pem", "cert: 5", "databases.shop.tls.cert", "5 is not text"),
    ("cert: /etc/me.pem", "crt: /etc/me.pem", "databases.shop.tls.crt", "unknown key"),
    ("cert: /etc/me.pem, ", "", "databases.shop.tls", "a key needs its cert"),
    ("tls: {mode: disable}", "tls: 5", "databases.catalog.tls", "5 is not a mapping"),
    ("tls: {mode: disable}", "tls: ${T}", "databases.catalog.tls", "variable T is not set"),
    ("server_settings: {statement_timeout: 30s}", "server_settings: []", "databases.shop.server_settings", "is not a mapping"),
    ("statement_timeout: 30s", "statement_timeout: ${S}", "databases.shop.server_settings.statement_timeout", "variable S"),
    ("via: direct", "via: pgpool", "databases.shop.via", "'pgpool' is none of"),
    ("via: direct", "via: ${VIA}", "databases.shop.via", "variable VIA"),
    ("found_rows: true", "found_rows: ${F}", "databases.catalog.found_rows", "variable F"),
    ("found_rows: true", "driver: pymysql", "databases.catalog.driver", "'pymysql' is none of"),
    ("found_rows: true", "driver: asyncpg", "databases.catalog.driver", "asyncpg is no driver of mysql"),
    ("    writer_hostgroup: 10\n", "", "databases.shop.writer_hostgroup", "is missing"),
    ("writer_hostgroup: 10", "writer_hostgroup: 11", "databases.shop.writer_hostgroup", "there is no hostgroup 11"),
    ("writer_hostgroup: 10", "writer_hostgroup: []", "databases.shop.writer_hostgroup", "is not a whole number"),
    ("writer_hostgroup: 10", "writer_hostgroup: -1", "databases.shop.writer_hostgroup", "-1 is below 0"),
    ("writer_hostgroup: 10", "writer_hostgroup: ${W}", "databases.shop.writer_hostgroup", "variable W"),
    ("writer_hostgroup: 10", "writer_hostgroup: 20", "databases.shop.reader_hostgroup", "writer and reader at once"),
    ("writer_hostgroup: catalog-write", "writer_hostgroup: catlog", "databases.catalog.writer_hostgroup", "no hostgroup named"),
    ("reader_hostgroup: 20", "reader_hostgroup: 21", "databases.shop.reader_hostgroup", "there is no hostgroup 21"),
    ("reader_hostgroup: 20", "reader_hostgrup: 20", "databases.shop.reader_hostgrup", "unknown key"),
    ("reader_hostgroup: 20", "reader_hostgroup: ${R}", "databases.shop.reader_hostgroup", "variable R"),
    ("default_hostgroup: 10", "default_hostgroup: 11", "databases.shop.default_hostgroup", "there is no hostgroup 11"),
    ("default_hostgroup: 10", "default_hostgroup: 30", "databases.shop.default_hostgroup", "hostgroup 30 is catalog's"),
    ("default_hostgroup: 10", "default_hostgroup: ${D}", "databases.shop.default_hostgroup", "variable D"),
    ("writer_hostgroup: 10", "writer_hostgroup: 30", "hostgroups[2]", "hostgroup 30 is named by shop and catalog"),
    ("reader_hostgroup: 20", "reader_hostgroup: 10", "databases.shop.reader_hostgroup", "writer and reader at once"),
    ("reader_hostgroup: 20", "reader_hostgroup: 50", "hostgroups[1]", "hostgroup 20 is used by no database"),
    # a hostgroup
    ("id: 10, name: shop-write", "id: ten, name: shop-write", "hostgroups[0].id", "'ten' is not a whole number"),
    ("id: 10, name: shop-write", "id: ${ID}, name: shop-write", "hostgroups[0].id", "variable ID"),
    ("id: 10, name: shop-write", "name: shop-write", "hostgroups[0].id", "is missing"),
    ("id: 10, name: shop-write", "id: 12, name: shop-write", "databases.shop.writer_hostgroup", "there is no hostgroup 10"),
    ("id: 10, name: shop-write", "id: 20, name: shop-write", "hostgroups[1].id", "hostgroup 20 is there twice"),
    ("id: 10, name: shop-write", "id: 10, name: shop-read", "hostgroups[1].name", "is of another hostgroup already"),
    ("id: 10, name: shop-write", "id: 10, name: 5", "hostgroups[0].name", "5 is not text"),
    ("id: 10, name: shop-write", "id: 10, name: ${N}", "hostgroups[0].name", "variable N"),
    (
        "id: 40, name: catalog-read, servers",
        "id: 30, name: catalog-read, servers",
        "hostgroups[3].id",
        "hostgroup 30 is there twice",
    ),
    ("- {id: 30, name: catalog-write", "- 5 #", "hostgroups[2]", "5 is not a mapping"),
    ("- {id: 30, name: catalog-write", "- ${G} #", "hostgroups[2]", "variable G"),
    ("database: shop, read_only", "database: shpo, read_only", "hostgroups[4].database", "there is no database 'shpo'"),
    ("database: shop, read_only", "database: 5, read_only", "hostgroups[4].database", "5 is not text"),
    ("database: shop, read_only", "database: ${D}, read_only", "hostgroups[4].database", "variable D"),
    ("name: reports, database: shop,", "name: reports,", "hostgroups[4]", "is used by no database"),
    ("read_only: false", "read_only: ${R}", "hostgroups[4].read_only", "variable R"),
    ("read_only: false", "read_only: maybe", "hostgroups[4].read_only", "neither true nor false"),
    ("read_only: false", "read_only: true", "query_rules[1].unsafe", "needs read_only: false"),
    ("balance: round_robin", "balance: robin", "hostgroups[1].balance", "'robin' is none of"),
    ("balance: round_robin", "balance: ${B}", "hostgroups[1].balance", "variable B"),
    ("max_replication_lag: 5s", "max_replication_lag: ${L}", "hostgroups[1].max_replication_lag", "variable L"),
    ("when_empty: writer", "when_empty: nobody", "hostgroups[1].when_empty", "'nobody' is none of"),
    ("pool: {min_size: 30}", "pool: 5", "hostgroups[1].pool", "5 is not a mapping"),
    ("pool: {min_size: 30}", "pool: ${P}", "hostgroups[1].pool", "variable P"),
    ("pool: {min_size: 30}", "pool: {min_size: 36}", "hostgroups[1].servers[1].pool.max_size", "36 is above max_size 35"),
    ("pool: {min_size: 30}", "pool: {min_size: 50}", "hostgroups[1].pool.min_size", "50 is above max_size 40"),
    ("probe: {fall: 3}\n", "probe: {fall: x}\n", "hostgroups[1].probe.fall", "'x' is not a whole number"),
    ("probe: {fall: 3}\n", "probe: {fall: 4}\n", "hostgroups[4].servers[1].probe", "its fall is 4 there and 3 here"),
    ("id: 20\n", "id: 21\n", "databases.shop.reader_hostgroup", "there is no hostgroup 20"),
    ("id: 20\n", "id: 10\n", "hostgroups[1].id", "hostgroup 10 is there twice"),
    ("id: 20\n", "idd: 20\n", "hostgroups[1].idd", "did you mean 'id'"),
    ("name: catalog-read", "name: catalog-raed", "databases.catalog.reader_hostgroup", "no hostgroup named 'catalog-read'"),
    ("name: catalog-read", "name: ${N}", "hostgroups[3].name", "variable N"),
    ("database: shop, read_only", "database: catalog, read_only", "query_rules[1].destination_hostgroup", "is catalog's"),
    ("servers: [my1]", "srevers: [my1]", "hostgroups[2].srevers", "did you mean 'servers'"),
    ("retry: {backoff: 3s}", "read_olny: false", "hostgroups[2].read_olny", "did you mean 'read_only'"),
    ("retry: {backoff: 3s}", "when_empty: ${E}", "hostgroups[2].when_empty", "variable E"),
    ("retry: {backoff: 3s}", "when_empty: writer", "hostgroups[2].when_empty", "writer is this hostgroup itself"),
    ("retry: {backoff: 3s}", "read_only: true", "hostgroups[2].read_only", "cannot be read-only"),
    ("retry: {backoff: 3s}", "max_replication_lag: 5s", "hostgroups[2].max_replication_lag", "is for replicas"),
    # a server
    ('"db1:5432"', '"db1:x"', "hostgroups[0].servers[0].port", "x is not a port"),
    ('"db1:5432"', '"db1:${P}"', "hostgroups[0].servers[0]", "variable P"),
    ('"db1:5432"', '"${H}"', "hostgroups[0].servers[0]", "variable H"),
    ('["db1:5432"]', "[]", "hostgroups[0].servers", "is empty"),
    ('["db1:5432"]', "db1", "hostgroups[0].servers", "is not a list"),
    ('["db1:5432"]', "'${S}'", "hostgroups[0].servers", "variable S"),
    ('["db1:5432"]', "[db1, db9]", "hostgroups[0].servers[1]", "a writer hostgroup has one online server"),
    ('"db2:5432"', '"db2:0"', "hostgroups[1].servers[0].port", "0 is not a port"),
    ('"db2:5432"', "{host: db2, weight: x}", "hostgroups[1].servers[0].weight", "'x' is not a whole number"),
    ('"db2:5432"', "{host: db2, weight: 0}", "hostgroups[1].servers", "every weight is 0"),
    ('"db2:5432"', "{weight: 1}", "hostgroups[1].servers[0].host", "is missing"),
    ('"db2:5432"', "{host: db2, socket: /x}", "hostgroups[1].servers[0].socket", "not both"),
    ('"db2:5432"', "{host: db2, status: up}", "hostgroups[1].servers[0].status", "'up' is none of"),
    ('"db2:5432"', "{host: '${H}'}", "hostgroups[1].servers[0].host", "variable H"),
    ('"db2:5432"', "{host: db2, port: '${P}'}", "hostgroups[1].servers[0].port", "variable P"),
    ('"db2:5432"', "{socket: '${S}'}", "hostgroups[1].servers[0].socket", "variable S"),
    ('"db2:5432"', "{host: 'db2:5432'}", "hostgroups[1].servers[0].host", "is not a host name"),
    ('"db2:5432"', '"db3:5432"', "hostgroups[1].servers[1]", "db3:5432 is in hostgroup 20 twice"),
    ("pool: {max_size: 35}", "pool: {max_size: ${M}}", "hostgroups[1].servers[1].pool.max_size", "variable M"),
    (
        "pool: {max_size: 35}",
        "pool: {max_size: 25}",
        "hostgroups[1].servers[1].pool.max_size",
        "min_size 30 is above max_size 25",
    ),
    ("[my1]", "[5]", "hostgroups[2].servers[0]", "5 is no server"),
    # the groups at the top, which hostgroups and servers override
    ("pool: {min_size: 1, max_size: 40", "pool: {min_size: 1, max_size: x", "pool.max_size", "'x' is not a whole number"),
    ("pool: {min_size: 1, max_size: 40", "pool: {min_size: 1, max_size: ${M}", "pool.max_size", "variable M"),
    ("pool: {min_size: 1, max_size: 40", "pool: {min_size: 1, max_siez: 40", "pool.max_siez", "did you mean 'max_size'"),
    ("pool: {min_size: 1, max_size: 40", "pool: {min_size: 41, max_size: 40", "pool.min_size", "41 is above max_size 40"),
    ("acquire_timeout: 5s", "acquire_timeout: soon", "pool.acquire_timeout", "'soon' is not a duration"),
    ("\npool: {min_size: 1", "\npool: ${P} #", "pool", "variable P"),
    ("\npool: {min_size: 1", "\npool: 5 #", "pool", "5 is not a mapping"),
    ("rise: 2}", "rise: 0}", "probe.rise", "0 is below 1"),
    ("\nprobe: {interval", "\nprobe: [5] #", "probe", "a list is not a mapping"),
    ("open_for_max: 60s", "open_for_max: ${O}", "breaker.open_for_max", "variable O"),
    ("open_for_max: 60s", "open_for_max: long", "breaker.open_for_max", "'long' is not a duration"),
    ("failure_rate: 0.5", "failure_rate: 50", "breaker.failure_rate", "50 is above 1"),
    ("backoff_max: 4s", "backoff_max: x", "retry.backoff_max", "'x' is not a duration"),
    ("backoff_max: 4s", "bakcoff_max: 4s", "retry.bakcoff_max", "did you mean 'backoff_max'"),
    ("backoff_max: 4s", "backoff_max: 10ms", "retry.backoff", "backoff 0.05s is above backoff_max 0.01s"),
    ("retry: {backoff: 3s}", "retry: {backoff: x}", "hostgroups[2].retry.backoff", "'x' is not a duration"),
    ("timeouts: {call: 30s", "timeouts: {call: 0", "timeouts.call", "0 is below 1ms (1ms–30d)"),
    ("start: any", "start: ${START}", "start", "variable START"),
    ("start: any", "start: some", "start", "'some' is none of"),
    ("functions: learn\n", "functions: ${FN}\n", "functions", "variable FN"),
    ("[app.total]", "[app total]", "read_functions[0]", "is not the name of a function"),
    ("[app.total]", "[app.total, '${FN}']", "read_functions[1]", "variable FN"),
    ("max_length: 2048", "max_length: 1", "digest.max_length", "1 is below 16"),
    ("max_bytes: 1000000", "max_bytes: ${B}", "result_cache.max_bytes", "variable B"),
    ("comment_hints: false", "comment_hints: ${H}", "comment_hints", "variable H"),
    # rules
    ("rule_id: 1,", "rule_id: one,", "query_rules[0].rule_id", "'one' is not a whole number"),
    ("rule_id: 1,", "rule_id: ${ID},", "query_rules[0].rule_id", "variable ID"),
    ("rule_id: 1,", "rule_id: 2,", "query_rules[1].rule_id", "rule 2 is there twice"),
    ('"^SELECT .* FOR UPDATE"', '"("', "query_rules[0].match_digest", "is not a pattern of RE2"),
    ('"^SELECT .* FOR UPDATE"', "5", "query_rules[0].match_digest", "5 is not text"),
    ("destination_hostgroup: shop-write", "destination_hostgroup: shop-wrote", "query_rules[0].destination_hostgroup", "named"),
    ("destination_hostgroup: shop-write", "destination_hostgroup: 99", "query_rules[0].destination_hostgroup", "no hostgroup 99"),
    (
        "destination_hostgroup: reports, uns",
        "destination_hostgroup: x, uns",
        "query_rules[1].destination_hostgroup",
        "no hostgroup",
    ),
    (
        "destination_hostgroup: reports, uns",
        "destination_hostgroup: '${X}', uns",
        "query_rules[1].destination_hostgroup",
        "variable X",
    ),
    (
        "destination_hostgroup: reports, uns",
        "destination_hostgroup: [], uns",
        "query_rules[1].destination_hostgroup",
        "whole number",
    ),
    (
        "destination_hostgroup: reports, uns",
        "destination_hostgroup: 30, uns",
        "query_rules[1].destination_hostgroup",
        "is catalog's",
    ),
    ("destination_hostgroup: reports, uns", "uns", "query_rules[1].unsafe", "the rule has neither"),
    ("unsafe: true, timeout", "unsafe: maybe, timeout", "query_rules[1].unsafe", "neither true nor false"),
    ("timeout: 60s", "timeout: 60", "query_rules[1].timeout", "has no unit"),
    ("timeout: 60s", "timeout: ${T}", "query_rules[1].timeout", "variable T"),
    ("database: catalog, match", "database: ctalog, match", "query_rules[2].database", "there is no database 'ctalog'"),
    ("database: catalog, match", "database: ${D}, match", "query_rules[2].database", "variable D"),
    ("database: catalog, match", "database: 5, match", "query_rules[2].database", "5 is not text"),
    ("database: catalog, match", "database: shop, match", "query_rules[2].destination_hostgroup", "is catalog's"),
    ('match_pattern: "(a)"', 'match_pattern: "(a"', "query_rules[2].match_pattern", "is not a pattern of RE2"),
    ('match_pattern: "(a)"', "match_pattern: 5", "query_rules[2].match_pattern", "5 is not text"),
    ('match_pattern: "(a)"', "match_pattern: ${M}", "query_rules[2].match_pattern", "variable M"),
    ('match_pattern: "(a)"', 'match_patern: "(a)"', "query_rules[2].match_patern", "did you mean 'match_pattern'"),
    ('match_pattern: "(a)"', 'match_pattern: "a"', "query_rules[2].replace_pattern", "match_pattern has no groups"),
    ("re_modifiers: GLOBAL", "re_modifiers: [GLOBAL, X]", "query_rules[2].re_modifiers", "'X' is not a modifier"),
    ("re_modifiers: GLOBAL", "re_modifiers: ${RE}", "query_rules[2].re_modifiers", "variable RE"),
    ("mirror_hostgroup: 20", "mirror_hostgroup: 30", "query_rules[3].mirror_hostgroup", "speaks mysql"),
    ("mirror_hostgroup: 20", "mirror_hostgroup: 99", "query_rules[3].mirror_hostgroup", "there is no hostgroup 99"),
    ("mirror_hostgroup: 20", "mirror_hostgroup: nobody", "query_rules[3].mirror_hostgroup", "there is no hostgroup named"),
    ('digest: "0x1C46AE529DD5A40E"', "digest: ${D}", "query_rules[3].digest", "variable D"),
    ('digest: "0x1C46AE529DD5A40E"', "digest: xyz", "query_rules[3].digest", "is not a digest"),
    ("gtid_from_hostgroup: 10", "gtid_from_hostgroup: 40", "query_rules[4].gtid_from_hostgroup", "is catalog's"),
    ("client_addr: 10.1.%", "client_addr: 10.%.1", "query_rules[4].client_addr", "has a % that is not at its end"),
    ("weight: 2}", "weight: ${WGT}}", "query_rules[5].attributes.flagOUTs[0].weight", "variable WGT"),
    ("attributes: {flagOUTs: [{id: 1, weight: 2}]}", "attributes: '{'", "query_rules[5].attributes", "is not JSON"),
    ("attributes: {flagOUTs: [{id: 1, weight: 2}]}", "attributes: '${A}'", "query_rules[5].attributes", "variable A"),
    ("username: ann", "username: bob", "query_rules_fast_routing[1]", "is there twice"),
    ("username: ann", "username: ${U}", "query_rules_fast_routing[0].username", "variable U"),
    ("username: ann, schemaname: shop, ", "username: ann, ", "query_rules_fast_routing[0].schemaname", "is missing"),
    ("flagIN: 0, destination_hostgroup: reports", "flagIN: 0", "query_rules_fast_routing[0].destination_hostgroup", "is missing"),
    ("- {username: bob", "- 5 # {", "query_rules_fast_routing[1]", "5 is not a mapping"),
    ("- {username: bob", "- ${ROW} # {", "query_rules_fast_routing[1]", "variable ROW"),
    ("- {rule_id: 4", "- ${RULE} # {", "query_rules[3]", "variable RULE"),
]

WHOLE_SECTIONS: list[Breakage] = [
    ("databases:\n  shop:", "databases: 5\nx-y:\n  shop:", "databases", "is not a mapping"),
    ("databases:\n  shop:", "databases: ${D}\nx-y:\n  shop:", "databases", "variable D"),
    ("databases:\n  shop:\n", "databases:\n  shop: 5\n  z:\n", "databases.shop", "5 is not a mapping"),
    ("hostgroups:\n", "hostgroups: 5\nx-y:\n", "hostgroups", "is not a list"),
    ("hostgroups:\n", "hostgroups: ${H}\nx-y:\n", "hostgroups", "variable H"),
    ("hostgroups:\n", "hostgroups:\nx-y:\n", "hostgroups", "is missing"),
    ("query_rules:\n", "query_rules: ${Q}\nx-y:\n", "query_rules", "variable Q"),
    ("query_rules_fast_routing:\n", "query_rules_fast_routing: ${Q}\nx-y:\n", "query_rules_fast_routing", "variable Q"),
]

IN_SMALL: list[Breakage] = [
    ("writer: postgresql://", "writer: oracle://", "writer", "no DSN begins with oracle://"),
    ("${SECRET}", "${OTHER}", "writer", "variable OTHER is not set"),
    ("writer: postgresql://app:${SECRET}@db1/shop?sslmode=prefer", "writer: 5", "writer", "is not a DSN"),
    ("writer: postgresql://app:${SECRET}@db1/shop?sslmode=prefer", "writer: ${W}", "writer", "variable W"),
    ("writer: postgresql://app:${SECRET}@db1/shop?sslmode=prefer\n", "", "writer", "is missing"),
    ("writer: postgresql://", "wirter: postgresql://", "wirter", "did you mean 'writer'"),
    ("@db1/shop", "@/shop", "writer", "names no host"),
    ("@db1/shop", "@db1:0/shop", "writer", "is not a port"),
    ("@db1/shop", "@db1,db2/shop", "writer", "names several hosts"),
    ("@db1/shop", "@db1/${DB}", "writer", "variable DB"),
    ("sslmode=prefer", "sslmode=maybe", "writer", "sslmode is none of"),
    ("sslmode=prefer", "ssl_mode=prefer", "writer", "unknown parameter ssl_mode"),
    ("- postgresql://app@db2/shop", "- 5", "readers[0]", "is not a DSN"),
    ("- postgresql://app@db2/shop", "- ${R}", "readers[0]", "variable R"),
    ("- postgresql://app@db2/shop", "- postgresql://app@db3/shop", "readers[1]", "db3:5432 is in hostgroup 2 twice"),
    ("- postgresql://app@db2/shop", "- mysql://app@db2/shop", "readers[0]", "its engine differs"),
    ("- postgresql://app@db2/shop", "- postgresql://bob@db2/shop", "readers[0]", "its user differs"),
    ("- postgresql://app@db2/shop\n  - postgresql://app@db3/shop", "- 5", "readers[0]", "is not a DSN"),
    ("\n  - postgresql://app@db2/shop\n  - postgresql://app@db3/shop", " db2", "readers", "is not a list of DSNs"),
    ("\n  - postgresql://app@db2/shop\n  - postgresql://app@db3/shop", " ${READERS}", "readers", "is not a list of DSNs"),
    ("max_size: 5", "max_size: 0", "pool.max_size", "0 is below 1"),
    ("database: shop", "database: shpo", "query_rules[0].database", "did you mean 'shop'"),
    ("destination_hostgroup: shop-read", "destination_hostgroup: shop-raed", "query_rules[0].destination_hostgroup", "named"),
    ("mirror_hostgroup: 1", "mirror_hostgroup: 3", "query_rules[1].mirror_hostgroup", "there is no hostgroup 3"),
]


def problems_of(text: str) -> list[tuple[str | None, str]]:
    """(path, message) of everything wrong with the file *text*; nothing where it loads."""
    try:
        loads(text, environ={"SECRET": "x"})
    except ConfigError as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return []


def broken(text: str, *breakages: Breakage) -> str:
    """*text* with each of *breakages* done to it."""
    for written, instead, _, _ in breakages:
        assert text.count(written) >= 1, written
        text = text.replace(written, re.sub(r"(?<=[:-] )(\$\{\w+\})", r"'\1'", instead), 1)
    return text


@pytest.mark.parametrize("text", [WHOLE, SMALL])
def test_unbroken_they_load(text: str) -> None:
    """The files that are broken below have nothing wrong with them."""
    assert problems_of(text) == []


@pytest.mark.parametrize("breakage", IN_WHOLE, ids=lambda breakage: f"{breakage[2]}-{breakage[3]}")
def test_one_mistake_in_the_whole_shape_is_one_problem(breakage: Breakage) -> None:
    """The problem stands at the mistake, and nothing else is reported."""
    _, _, path, piece = breakage

    found = problems_of(broken(WHOLE, breakage))
    assert [where for where, _ in found] == [path], found
    assert piece in found[0][1]


@pytest.mark.parametrize("breakage", WHOLE_SECTIONS, ids=lambda breakage: f"{breakage[2]}-{breakage[3]}")
def test_a_section_that_cannot_be_read_is_one_problem(breakage: Breakage) -> None:
    """What would have referred to its content is not reported; the key that holds the old content here is a second mistake."""
    _, _, path, piece = breakage

    found = [(where, message) for where, message in problems_of(broken(WHOLE, breakage)) if where not in ("x-y", "databases.z")]
    assert [where for where, _ in found] == [path], found
    assert piece in found[0][1]


@pytest.mark.parametrize("breakage", IN_SMALL, ids=lambda breakage: f"{breakage[2]}-{breakage[3]}")
def test_one_mistake_in_the_small_shape_is_one_problem(breakage: Breakage) -> None:
    """The hostgroups that would have been made of a broken DSN are not missed."""
    _, _, path, piece = breakage

    found = problems_of(broken(SMALL, breakage))
    assert [where for where, _ in found] == [path], found
    assert piece in found[0][1]


LONELY = ("start", "functions", "digest", "result_cache", "comment_hints", "read_functions", "timeouts", "probe.rise")
"""The beginnings of paths that nothing else in a file refers to."""


def test_a_second_mistake_is_a_second_problem() -> None:
    """Every breakage beside one that has nothing to do with it: both are reported, each as if it were alone."""
    lonely = [breakage for breakage in IN_WHOLE if breakage[2].startswith(LONELY)]
    others = [breakage for breakage in IN_WHOLE if breakage not in lonely]
    assert len(lonely) > 8 and len(others) > 100

    for index, breakage in enumerate(others):
        second = lonely[index % len(lonely)]
        found = problems_of(broken(WHOLE, breakage, second))
        assert sorted(found) == sorted(problems_of(broken(WHOLE, breakage)) + problems_of(broken(WHOLE, second)))


def test_mistakes_of_one_piece_are_told_apart() -> None:
    """Keys of one piece are judged each by itself, also where another of its keys is wrong."""
    text = broken(
        WHOLE,
        ("balance: round_robin", "balance: robin", "", ""),
        ("when_empty: writer", "when_empty: nobody", "", ""),
        ("weight: 0, status: online", "weight: many, status: up", "", ""),
        ("pool: {min_size: 30}", "pool: {min_size: 50, max_uses: 0}", "", ""),
        ("destination_hostgroup: shop-write, apply: true", "destination_hostgroup: 99, apply: maybe", "", ""),
        ("via: direct", "via: pgpool\n    found_rows: true", "", ""),
        ("default_hostgroup: 10", "default_hostgroup: 30", "", ""),
        ("dsn: mysql://app@/catalog?charset=utf8mb4", "dsn: mysql://${A}:${B}@/catalog?charst=x&ssl_mode=y", "", ""),
    )

    assert sorted(path or "" for path, _ in problems_of(text)) == [
        *["databases.catalog.dsn"] * 4,
        "databases.shop.default_hostgroup",
        "databases.shop.found_rows",
        "databases.shop.via",
        "hostgroups[1].balance",
        "hostgroups[1].pool.max_uses",
        "hostgroups[1].pool.min_size",
        "hostgroups[1].servers[1].status",
        "hostgroups[1].servers[1].weight",
        "hostgroups[1].when_empty",
        "query_rules[0].apply",
        "query_rules[0].destination_hostgroup",
    ]
