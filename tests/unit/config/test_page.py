"""The page about the configuration shows files that load, and maps the knobs people come with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbrouter.config import RouterConfig, loads
from dbrouter.config.load import GROUPS

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
KNOBS = [
    "pool_size",
    "max_overflow",
    "pool_recycle",
    "pool_pre_ping",
    "pool_timeout",
    "command_timeout",
    "max_inactive_connection_lifetime",
    "max_queries",
    "statement_cache_size",
    "maximumPoolSize",
    "minimumIdle",
    "connectionTimeout",
    "maxLifetime",
    "keepaliveTime",
    "leakDetectionThreshold",
    "default_pool_size",
    "reserve_pool_size",
    "server_lifetime",
    "server_idle_timeout",
    "query_wait_timeout",
    "max_client_conn",
    "pool_mode",
]


@pytest.mark.parametrize("text", FILES)
def test_every_file_on_the_page_loads(text: str) -> None:
    """What readers copy works."""
    assert isinstance(loads(text, environ={}), RouterConfig)


def test_the_page_has_both_shapes() -> None:
    """The smallest file and the whole one."""
    assert len(FILES) == 2


@pytest.mark.parametrize("knob", KNOBS)
def test_the_table_maps_what_people_know(knob: str) -> None:
    """Each well-known knob has a row."""
    assert re.search(rf"^\|.*`{knob}`.*\| .+ \|$", PAGE, re.MULTILINE)


def test_the_keys_that_the_page_names_exist() -> None:
    """`pool.max_size` and its like are keys of the models."""
    for group, key in re.findall(rf"`({'|'.join(GROUPS)})\.([a-z_]+)`", PAGE):
        assert key in GROUPS[group].model_fields, f"{group}.{key}"
