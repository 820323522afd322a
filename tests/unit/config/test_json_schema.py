"""The JSON Schema and the reference page come from the models and say what the loader does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, get_args

import jsonschema
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML

from dbrouter.config import json_schema, load, reference
from dbrouter.config.bounds import Bounds, Share, Whole, bounds_of
from dbrouter.config.load import GROUPS
from dbrouter.config.model import (
    CacheSettings,
    DatabaseSettings,
    DigestSettings,
    HostgroupSettings,
    MirrorSettings,
    RouterConfig,
    ServerSettings,
    ShadowRules,
    TlsSettings,
)
from dbrouter.config.rules import FastRouteSettings, RuleAttributes, RuleSettings, WeightedFlag
from dbrouter.errors import ConfigError
from tests.unit.config.test_whole_shape import WHOLE, minimal

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"
SMALL: dict[str, Any] = {"writer": "postgresql://app@db1/shop", "readers": ["postgresql://app@db2/shop"]}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))


GOOD: list[dict[str, Any]] = [
    SMALL,
    {"writer": "mysql://db1"},
    {**SMALL, "pool": {"max_size": "${N}", "idle_timeout": None, "acquire_timeout": "5s"}, "start": "${S:-any}"},
    minimal(),
    minimal(query_rules=[{"rule_id": 1, "destination_hostgroup": "hostgroup-1", "timeout": "5s", "re_modifiers": ""}]),
    minimal(hostgroups=[{"id": 1, "servers": [{"socket": "/run/pg"}]}, {"id": 2, "servers": [{"host": "a", "port": "${P:-7}"}]}]),
]
BAD: list[dict[str, Any]] = [
    {},
    {"readers": []},
    {**SMALL, "databases": {}},
    {**SMALL, "wirter": "x"},
    {**SMALL, "pool": {"max_siz": 1}},
    {**SMALL, "pool": {"max_size": 0}},
    {**SMALL, "pool": {"idle_timeout": "soon"}},
    {**SMALL, "start": "maybe"},
    minimal(databases={"shop": {"writer_hostgroup": 1}}),
    minimal(hostgroups=[{"id": 1, "servers": [{"port": 1}]}]),
    minimal(hostgroups=[{"id": 1, "servers": [{"host": "a", "port": 70000}]}]),
    minimal(query_rules=[{"rule_id": 1, "timeout": 60}]),
    minimal(query_rules=[{"rule_id": 1, "cache_ttl": 60}]),
    minimal(query_rules=[{"match_digest": "x"}]),
]


@pytest.mark.parametrize("document", GOOD)
def test_what_loads_is_valid(validator: jsonschema.Draft202012Validator, document: dict[str, Any]) -> None:
    """Both shapes are accepted, variables and all."""
    load(document, environ={"N": "5", "S": "all"})

    assert [error.message for error in validator.iter_errors(document)] == []


def test_the_documented_file_is_valid(validator: jsonschema.Draft202012Validator) -> None:
    """The whole file of the documentation, as an editor would check it."""
    document = YAML(typ="safe", pure=True).load(WHOLE)

    assert [error.message for error in validator.iter_errors(document)] == []


PROXYSQL: list[dict[str, Any]] = [
    YAML(typ="safe", pure=True).load(
        (REFERENCE.parents[2] / "examples" / "proxysql" / "sample.yaml").read_text(encoding="utf-8")
    ),
    {"mysql_servers": [{"hostname": "db1"}]},
    {"mysql_servers": [{"hg": 0, "address": "db1", "port": "3306", "weight": 5}], "mysql_users": [{"user": "a", "schema": "s"}]},
    {"pgsql_servers": [{"hostgroup_id": 0, "hostname": "db1", "status": "OFFLINE_SOFT"}], "pgsql_variables": {"threads": 4}},
    {"runtime_mysql_servers": [{"hostname": "db1"}], "scheduler": [{"id": 1}], "pool": {"max_size": 3}, "start": "${S:-all}"},
    {"hostgroups": [{"name": "w", "hg": 0, "endpoints": ["db1:3306"]}, {"hg": 1, "endpoints": "db2:3306, db3:3306"}]},
    {
        "mysql_servers": [{"hostname": "${HOST:-db1}", "hostgroup_id": 0}],
        "mysql_query_rules": [
            {"rule_id": 1, "active": True, "match_digest": "^SELECT", "destination_hostgroup": 0, "apply": 1, "tag": "x"},
            {"rule_id": 2, "digest": "0x1", "timeout": 1000, "flagIN": 1, "attributes": '{"flagOUTs": []}', "unsafe": False},
        ],
        "mysql_query_rules_fast_routing": [{"username": "a", "schemaname": "s", "flagIN": 0, "destination_hostgroup": 0}],
        "global_variables": [{"variable_name": "mysql-query_retries_on_failure", "variable_value": "1"}],
    },
]
NOT_PROXYSQL: list[dict[str, Any]] = [
    {"mysql_servers": {"a": 1}},
    {"mysql_servers": [{"hostname": "db1", "wieght": 5}]},
    {"mysql_servers": [{"hostname": "db1", "port": 70000}]},
    {"mysql_servers": [{"hostname": "db1"}], "mysql_querry_rules": []},
    {"mysql_servers": [{"hostname": "db1"}], "mysql_query_rules": [{"rule_id": 1, "destination": 1}]},
    {"mysql_servers": [{"hostname": "db1"}], "mysql_query_rules": [{"rule_id": "one"}]},
    {"mysql_servers": [{"hostname": "db1"}], "pool": {"max_size": 0}},
    {"mysql_servers": [{"hostname": "db1"}], "writer": "mysql://db1"},
    {"hostgroups": [{"hg": 0, "endpoint_list": "db1"}]},
]


@pytest.mark.parametrize("document", PROXYSQL)
def test_proxysqls_shape_is_valid_too(validator: jsonschema.Draft202012Validator, document: dict[str, Any]) -> None:
    """What `Router.open` takes of ProxySQL's tables, editors take."""
    load(document, environ={})

    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("document", NOT_PROXYSQL)
def test_mistakes_in_proxysqls_shape_are_seen(validator: jsonschema.Draft202012Validator, document: dict[str, Any]) -> None:
    """Unknown tables and columns, wrong kinds of values, and two shapes in one file."""
    with pytest.raises(ValueError, match="DBR-C01"):
        load(document, environ={})

    assert list(validator.iter_errors(document))


@pytest.mark.parametrize("document", BAD)
def test_what_the_schema_can_see_it_refuses(validator: jsonschema.Draft202012Validator, document: dict[str, Any]) -> None:
    """Editors underline what the loader would refuse."""
    with pytest.raises(ValueError, match="DBR-C01"):
        load(document, environ={})

    assert list(validator.iter_errors(document))


def test_every_field_is_described() -> None:
    """Each key of each section tells its meaning, in the models and so in the schema and the page."""
    for model in (RouterConfig, DatabaseSettings, TlsSettings, HostgroupSettings, ServerSettings, RuleSettings, *GROUPS.values()):
        for name, field in model.model_fields.items():
            assert field.description and len(field.description) > 8, f"{model.__name__}.{name}"


def test_tunable_fields_say_what_a_reload_does() -> None:
    """Either the field or its section says when a changed value takes effect."""
    for model in GROUPS.values():
        for name, field in model.model_fields.items():
            assert "reload" in f"{model.__doc__} {field.description}", f"{model.__name__}.{name}"


MODELS: list[type[BaseModel]] = [
    *(RouterConfig, DatabaseSettings, TlsSettings, HostgroupSettings, ServerSettings, RuleSettings, RuleAttributes, WeightedFlag),
    *(FastRouteSettings, DigestSettings, CacheSettings, MirrorSettings, ShadowRules, *GROUPS.values()),
]


def numbers() -> list[tuple[type[BaseModel], str, Bounds]]:
    """Every field of the models that is a number or a duration, with its bounds."""
    found = []
    for model in MODELS:
        for name, field in model.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            kinds |= {part for kind in kinds for part in get_args(kind)}
            if kinds & {int, float}:
                bounds = bounds_of(field)
                assert bounds is not None, f"{model.__name__}.{name} has no bounds"
                found.append((model, name, bounds))
    return found


def test_every_number_has_bounds() -> None:
    """What is just out of bounds is refused with the value and both bounds; the default and the bounds themselves are not."""
    assert len(numbers()) > 60
    for model, name, bounds in numbers():
        lowest = bounds.low if not isinstance(bounds, Share) else bounds.high
        for value in (lowest, bounds.high, model.model_fields[name].default):
            held = int(value) if isinstance(bounds, Whole) and isinstance(value, float) else value
            if not (isinstance(held, int | float) and not isinstance(held, bool)):
                continue
            assert TypeAdapter(Annotated[float, bounds]).validate_python(held) == held, f"{model.__name__}.{name}"
        for value in (bounds.low - 1, bounds.high * 2 + 1, 1e300, float("inf"), True):
            with pytest.raises(ValidationError) as caught:
                TypeAdapter(Annotated[float, bounds]).validate_python(
                    int(value) if abs(value) < 1e20 and value is not True else value
                )
            if bounds.high < value < 1e299:
                assert str(bounds) in str(caught.value), f"{model.__name__}.{name}"


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (minimal(probe={"interval": "1us"}), "probe.interval", "'1us' is below 10ms (10ms–7d)"),
        (minimal(pool={"max_size": 10**12}), "pool.max_size", "1000000000000 is above 65535 (1–65535 connections)"),
        (minimal(pool={"max_size": "${N}"}), "pool.max_size", "the value of ${N} is above 65535 (1–65535 connections)"),
        (minimal(retry={"budget": 5}), "retry.budget", "5 is above 4 (0–4 retries per call)"),
        (minimal(timeouts={"call": "3000d"}), "timeouts.call", "'3000d' is above 30d (1ms–30d)"),
        (minimal(breaker={"failure_rate": 0}), "breaker.failure_rate", "0 is not above 0 (above 0, up to 1)"),
        (minimal(result_cache={"max_bytes": 2**50}), "result_cache.max_bytes", f"{2**50} is above {2**40} (0–{2**40} bytes)"),
        (
            minimal(query_rules=[{"rule_id": 1, "delay": "1us"}]),
            "query_rules[0].delay",
            "'1us' is below 1ms (1ms–1d)",
        ),
        (
            minimal(databases={"shop": {"dsn": "postgresql://a@/b?statement_cache_size=9999999", "writer_hostgroup": 1}}),
            "databases.shop.dsn",
            "the parameter statement_cache_size is not a whole number (0–1000000 statements)",
        ),
    ],
)
def test_what_nobody_can_have_meant_is_refused(document: dict[str, Any], path: str, message: str) -> None:
    """The problem says the value, its bounds and their unit."""
    with pytest.raises(ConfigError) as caught:
        load(document, environ={"N": "1000000000000"})

    assert [(problem.path, problem.message) for problem in caught.value.problems if problem.path == path] == [(path, message)]


def test_the_schema_and_the_page_carry_the_bounds() -> None:
    """Editors and readers learn them before the loader does."""
    definitions = json_schema()["$defs"]
    size = definitions["PoolSettings"]["properties"]["max_size"]["anyOf"][0]
    assert (size["minimum"], size["maximum"]) == (1, 65535)
    interval = str(definitions["ProbeSettings"]["properties"]["interval"])
    assert "'minimum': 0.01" in interval and "'maximum': 604800.0" in interval
    page = REFERENCE.read_text(encoding="utf-8")
    for _, name, bounds in numbers():
        shown = "1–65535" if name in ("port", "default_port") else str(bounds)
        assert re.search(rf"^\| `{name}` \|.*\| {re.escape(shown)} \|", page, re.MULTILINE), name


def test_the_reference_page_is_what_the_models_say() -> None:
    """`python -m dbrouter.config.reference > docs/reference/configuration.md` brings it up to date."""
    assert REFERENCE.read_text(encoding="utf-8") == reference.render()
