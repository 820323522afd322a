"""To PgBouncer: what the files say. That they work is shown in tests/integration/test_export_pgbouncer.py."""

from __future__ import annotations

import configparser
from typing import Any

import pytest

from dbrouter.config import RouterConfig, load, loads
from dbrouter.errors import ConfigError
from dbrouter.interchange import export_pgbouncer

SOURCE: dict[str, Any] = {
    "databases": {
        "shop": {
            "dsn": 'postgresql://app:it%27s"1@/shop?application_name=shop',
            "tls": {"mode": "verify-full", "ca": "/ca.pem"},
            "server_settings": {"search_path": "a, b", "statement_timeout": "30s"},
            "writer_hostgroup": 10,
            "reader_hostgroup": 20,
        },
        "cat": {"dsn": "mysql://my@/cat", "writer_hostgroup": 30},
    },
    "hostgroups": [
        {"id": 10, "servers": ["db1:5432"]},
        {
            "id": 20,
            "name": "shop-read",
            "pool": {"max_size": 7, "init": ["SET TIME ZONE 'UTC';"]},
            "servers": [
                "db2:5433",
                {"host": "/run/pg", "port": 5434, "weight": 3, "status": "draining", "pool": {"max_size": 9}},
            ],
        },
        {"id": 30, "servers": ["my1"]},
    ],
}


def ini(config: RouterConfig, **options: Any) -> configparser.ConfigParser:
    """The file as sections."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(export_pgbouncer(config, **options).ini)
    return parser


def test_every_server_is_a_database() -> None:
    """With its own pool, and with what the router would have set at connect."""
    entries = ini(load(SOURCE))["databases"]
    zone = "SET TIME ZONE ''UTC''"
    common = (
        "SELECT set_config(''search_path'', ''''a, b'''', false); SELECT set_config(''statement_timeout'', ''''30s'''', false)"
    ).replace("''''", "''")

    assert dict(entries) == {
        "shop_write": f"host=db1 port=5432 dbname=shop pool_size=10 connect_query='{common}'",
        "shop_read_1": "host=db2 port=5433 dbname=shop pool_size=7 "
        f"connect_query='{common}; SELECT set_config(''default_transaction_read_only'', ''on'', false); {zone}'",
        "shop_read_2": "host=/run/pg port=5434 dbname=shop pool_size=9 "
        f"connect_query='{common}; SELECT set_config(''default_transaction_read_only'', ''on'', false); {zone}'",
    }


def test_pgbouncer_itself() -> None:
    """Transaction mode, scrambled passwords, TLS to the servers as the router had it."""
    settings = ini(load(SOURCE), host="10.0.0.1", port=7000, auth_file="/etc/x", max_clients=50)["pgbouncer"]

    assert dict(settings) == {
        "listen_addr": "10.0.0.1",
        "listen_port": "7000",
        "auth_type": "scram-sha-256",
        "auth_file": "/etc/x",
        "pool_mode": "transaction",
        "max_client_conn": "50",
        "ignore_startup_parameters": "extra_float_digits",
        "server_tls_sslmode": "verify-full",
        "server_tls_ca_file": "/ca.pem",
    }


def test_the_users() -> None:
    """Of PostgreSQL alone; quotes doubled."""
    assert export_pgbouncer(load(SOURCE)).userlist == '"app" "it\'s""1"\n'


def test_the_router_in_front() -> None:
    """The same hostgroups and rules, each server under its name in PgBouncer; MySQL is left as it was."""
    before = load(SOURCE)
    made = export_pgbouncer(before, port=7000)
    after = loads(made.yaml, environ={"SHOP_PASSWORD": "x"})
    read = after.hostgroup(20)

    assert after.databases["shop"].via == "pgbouncer" and after.databases["shop"].server_settings == {"application_name": "shop"}
    assert [server.node_id for group in after.hostgroups for server in group.servers] == [
        "127.0.0.1:7000/shop_write",
        "127.0.0.1:7000/shop_read_1",
        "127.0.0.1:7000/shop_read_2",
        "my1:3306",
    ]
    assert [(server.weight, server.status) for server in read.servers] == [(1, "online"), (3, "draining")]
    assert [after.pool_for(read, server).max_size for server in read.servers] == [7, 9]
    assert after.pool_for(read).init == () and after.databases["cat"] == before.databases["cat"]
    assert after.query_rules == before.query_rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shop": {"dsn": "mysql://a@/b", "writer_hostgroup": 10, "reader_hostgroup": 20}}, "none is PostgreSQL"),
        ({"shop": {**SOURCE["databases"]["shop"], "via": "pgbouncer"}}, "databases.shop.via: is behind PgBouncer already"),
    ],
)
def test_what_has_no_pgbouncer(change: dict[str, Any], message: str) -> None:
    """MySQL alone, or a pooler behind a pooler."""
    with pytest.raises(ConfigError, match=message):
        export_pgbouncer(load({**SOURCE, "databases": {**SOURCE["databases"], **change}}))


def test_what_differs_is_listed() -> None:
    """Session state, TLS up to the pooler, settings that moved."""
    notes = {(note.row, note.column) for note in export_pgbouncer(load(SOURCE)).notes}

    assert {("", ""), ("shop", "tls"), ("shop", "server_settings"), ("cat", "")} <= notes


def test_one_name_has_one_password() -> None:
    """PgBouncer has a list of users, not of logins to databases: the first password stays, and the report says whose goes."""
    hostgroups = [{"id": number, "servers": [f"db{number}"]} for number in (1, 2, 3)]
    passwords = {"shop": "one", "cat": "two", "dog": "one"}
    databases = {
        name: {"dsn": f"postgresql://app:{password}@/{name}", "writer_hostgroup": number}
        for number, (name, password) in enumerate(passwords.items(), 1)
    }

    made = export_pgbouncer(load({"databases": databases, "hostgroups": hostgroups}))

    assert made.userlist == '"app" "one"\n'
    assert [note.row for note in made.notes if "one password for 'app'" in note.why] == ["cat"]


def test_a_user_that_is_not_written_has_a_name_on_both_sides() -> None:
    """The router must ask PgBouncer for whom its list has; the report says what is to be filled in where."""
    source = {
        "databases": {"shop": {"engine": "postgresql", "writer_hostgroup": 1}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}],
    }

    made = export_pgbouncer(load(source))

    assert made.userlist == '"shop" ""\n' and load(made.router, environ={}).databases["shop"].user == "shop"
    assert {note.column: note.why for note in made.notes}["password"].endswith("in userlist.txt and in dbrouter.yaml")
