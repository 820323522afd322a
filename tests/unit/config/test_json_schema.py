"""The JSON Schema and the reference page come from the models and say what the loader does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from dbrouter.config import json_schema, load, reference
from dbrouter.config.load import GROUPS
from dbrouter.config.model import DatabaseSettings, HostgroupSettings, RouterConfig, ServerSettings, TlsSettings
from dbrouter.config.rules import RuleSettings
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


def test_the_reference_page_is_what_the_models_say() -> None:
    """`python -m dbrouter.config.reference > docs/reference/configuration.md` brings it up to date."""
    assert REFERENCE.read_text(encoding="utf-8") == reference.render()
