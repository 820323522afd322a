"""Files in the shapes that people write: each is imported, and its report names all that is not carried over."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbrouter.config import loads
from dbrouter.config.proxysql import Outcome
from dbrouter.interchange import Imported, export_proxysql, import_proxysql

SHAPES = Path(__file__).parent / "shapes"


def imported(name: str) -> Imported:
    """What becomes of one of them."""
    return import_proxysql(str(SHAPES / f"{name}.cnf"), environ={})


def said(name: str, *outcomes: Outcome) -> set[str]:
    """The tables and columns of which the report says one of *outcomes*."""
    return {f"{note.table} {note.row} {note.column}".strip() for note in imported(name).notes if note.outcome in outcomes}


@pytest.mark.parametrize("name", sorted(path.stem for path in SHAPES.glob("*.cnf")))
def test_it_loads_and_says_no_password(name: str) -> None:
    """What was written is read again as the same, and goes back to ProxySQL without an error."""
    result = imported(name)
    text = result.yaml(f"{name}.cnf")

    again = loads(text, environ=dict.fromkeys(result.variables.values(), "x"))

    assert again.query_rules == result.config.query_rules and again.hostgroups == result.config.hostgroups
    assert "s3cret" not in text + "".join(map(str, result.notes)) and export_proxysql(result.config).sql


def test_a_galera_cluster() -> None:
    """All nodes stand in the writer hostgroup: one writes, and what nobody named reads from it."""
    config = imported("galera").config

    assert [[(server.host, str(server.status)) for server in group.servers] for group in config.hostgroups] == [
        [("db1", "online"), ("db2", "offline"), ("db3", "offline")]
    ]
    assert config.databases["wordpress"].database is None and config.timeouts.call == 36000
    assert config.query_rules[1].error_msg is not None and "hostgroup 30" in config.query_rules[1].error_msg
    assert said("galera", Outcome.DROPPED) >= {
        *("scheduler", "admin_variables", "datadir", "errorlog", "mysql_variables monitor_galera_healthcheck_interval"),
        *("mysql_galera_hostgroups 10/30 max_transactions_behind", "mysql_galera_hostgroups 10/30 offline_hostgroup"),
    }
    assert said("galera", Outcome.CHANGED) >= {
        *("mysql_servers db2:3306 in hostgroup 10 status", "mysql_users wordpress transaction_persistent"),
        *("mysql_query_rules rule_id 200 destination_hostgroup", "mysql_users wordpress default_schema"),
    }


def test_an_aurora_cluster() -> None:
    """With colons, semicolons, texts in pieces, attributes and what only ProxySQL has."""
    result = imported("aurora")
    config = result.config

    assert [(group.id, [server.host for server in group.servers]) for group in config.hostgroups] == [
        (1, ["writer.abc.eu-west-1.rds.amazonaws.com"]),
        (2, ["reader.abc.eu-west-1.rds.amazonaws.com"]),
    ]
    database = config.databases["shop"]
    assert (database.writer_hostgroup, database.reader_hostgroup, str(database.tls.mode)) == (1, 2, "require")
    assert [rule.match_digest for rule in config.query_rules] == ["^SELECT .* FOR UPDATE", "^SELECT"]
    assert config.query_rules[1].cache_ttl is None and config.query_rules[1].timeout == 1.5
    assert [route.schemaname for route in config.query_rules_fast_routing] == ["logs"]
    assert config.hostgroup(2).pool is not None and config.hostgroup(2).pool.init == ("SET NAMES utf8mb4",)
    assert said("aurora", Outcome.DROPPED) >= {
        *("mysql_firewall_whitelist_users", "mysql_servers_ssl_params", "mysql_users app attributes", "mysql_users app comment"),
        *("mysql_aws_aurora_hostgroups 1/2 max_lag_ms", "mysql_aws_aurora_hostgroups 1/2 domain_name"),
        *("mysql_hostgroup_attributes hostgroup 2 multiplex", "mysql_hostgroup_attributes hostgroup 2 servers_defaults"),
        "mysql_servers reader.abc.eu-west-1.rds.amazonaws.com in hostgroup 2 max_latency_ms",
        *("mysql_variables aurora_max_lag_ms_only_read_from_replicas", "mysql_users app fast_forward"),
    }


def test_group_replication() -> None:
    """A rule that RE2 cannot read is lost; the rest is there."""
    result = imported("groups")

    assert [rule.rule_id for rule in result.config.query_rules] == [1, 2, 3, 5, 6]
    assert result.lost == ["mysql_query_rules rule_id 4"] and "APP_PASSWORD" in result.variables.values()
    assert said("groups", Outcome.DROPPED) >= {"proxysql_servers", "admin_variables", "mysql_users old", "mysql_users report"} | {
        "mysql_servers 10.0.0.3:3306 in hostgroup 3 gtid_port",
        "mysql_group_replication_hostgroups 2/3 backup_writer_hostgroup",
    }
    assert "mysql_servers 10.0.0.2:3306 in hostgroup 3 status" in said("groups", Outcome.CHANGED)


def test_postgresql() -> None:
    """The tables of version 3, beside the variables of an engine that has no servers, and what nobody has heard of."""
    result = imported("postgresql")
    config = result.config

    assert {str(database.engine) for database in config.databases.values()} == {"postgresql"}
    assert [[(server.host, server.port) for server in group.servers] for group in config.hostgroups] == [
        [("pg1", 5432)],
        [("pg2", 5432)],
    ]
    assert [rule.schemaname for rule in config.query_rules] == ["shop", None, None]
    assert said("postgresql", Outcome.DROPPED) >= {"pgsql_firewall_whitelist_rules", "restapi", "unheard_of", "mysql_…"}
