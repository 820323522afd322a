"""The way back: what `to_yaml` writes is what `load` reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.config import load, loads
from dbrouter.config.dump import escape, password_variable, to_mapping, to_yaml
from dbrouter.config.interpolate import Interpolation
from dbrouter.config.problems import Problems
from dbrouter.config.source import read_text
from tests.unit.test_docs import ROOT

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**40), 2**40),
        TEXT,
        st.sampled_from(["on", "0x1F", "1e3", "~", "5s", "", "*a", ":0", "?a", "a: b", "- a", "#"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=12,
)
FULL: dict[str, Any] = {
    "databases": {
        "shop": {
            "dsn": "postgresql://app:s3cret@/shop?application_name=x&statement_cache_size=5&connect_timeout=3",
            "tls": {"mode": "require", "ca": "/ca.pem"},
            "server_settings": {"search_path": "a$$, ${HOME}"},
            "writer_hostgroup": 1,
            "reader_hostgroup": 2,
            "default_hostgroup": 2,
        },
        "cat": {"dsn": "mysql+asyncmy://app@/cat", "writer_hostgroup": 3},
    },
    "hostgroups": [
        {
            "id": 1,
            "name": "w",
            "servers": [{"host": "::1", "port": 5433, "database": "other"}],
            "pool": {"min_size": 1, "init": ["SET a = 1"]},
        },
        {
            "id": 2,
            "servers": ["a:1", {"host": "b", "weight": 0, "status": "draining", "probe": {"fall": 9}}],
            "max_replication_lag": "5s",
        },
        {"id": 3, "servers": ["/run/mysqld.sock"], "breaker": {"failure_rate": None}},
    ],
    "pool": {"max_lifetime": None, "acquire_timeout": "250ms"},
    "retry": {"budget": 0.5},
    "functions": "primary",
    "digest": {"lowercase": True},
    "comment_hints": True,
    "query_rules": [
        {"rule_id": 5, "database": "shop", "match_pattern": "a$$b${x}", "digest": "0x1C46AE529DD5A40E", "timeout": "90s"},
        {"rule_id": 6, "active": False, "attributes": {"flagOUTs": [{"id": 1, "weight": 2}]}, "flagIN": 3, "intent": "read"},
    ],
    "query_rules_fast_routing": [{"schemaname": "s", "destination_hostgroup": 3}],
}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), VALUES, min_size=1, max_size=4))
def test_plain_values_survive(value: dict[str, Any]) -> None:
    """Whatever they look like."""
    assert read_text(to_yaml(value, comment="one\ntwo")).value == value


@given(st.text(st.sampled_from("$${}ab:-"), max_size=10))
def test_an_escaped_text_is_the_text(text: str) -> None:
    """No `$` in it begins a variable."""
    problems = Problems()

    assert Interpolation({}, problems).text(escape(text), ()) == text and not len(problems)


@pytest.mark.parametrize("source", [FULL, {"writer": "postgresql://app:x@db1/shop", "readers": ["postgresql://app:x@db2/shop"]}])
def test_a_configuration_written_and_read_is_the_same(source: dict[str, Any]) -> None:
    """Every group, every default that depends on its neighbours; passwords come from variables."""
    text = source["databases"]["shop"] if "databases" in source else {}
    secret = "s3cret" if text else "x"
    config = load(source, environ={"HOME": "/h", "x": "y"})

    written = to_yaml(to_mapping(config))

    assert loads(written, environ={"SHOP_PASSWORD": secret}) == config
    assert secret not in written or secret == "x"


def test_the_examples_survive() -> None:
    """The whole shape as the documentation shows it."""
    environ = {"SHOP_PASSWORD": "p$1", "CATALOG_PASSWORD": "q"}
    config = load(ROOT / "examples" / "dbrouter.yaml", environ=environ)

    assert loads(to_yaml(to_mapping(config)), environ=environ) == config


@pytest.mark.parametrize(
    ("database", "variable"),
    [("shop", "SHOP_PASSWORD"), ("my-shop.v2", "MY_SHOP_V2_PASSWORD"), ("7", "DB_7_PASSWORD"), ("é", "DB__PASSWORD")],
)
def test_names_of_variables(database: str, variable: str) -> None:
    """Every database's password has a variable that a shell can set."""
    assert password_variable(database) == variable
