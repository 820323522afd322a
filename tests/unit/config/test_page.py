"""The page about the configuration shows files that load, and maps the knobs people come with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbrouter.config import RouterConfig, loads
from dbrouter.config.load import GROUPS
from dbrouter.config.model import HostgroupSettings
from dbrouter.config.schema import BreakerSettings

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
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


def test_who_tries_a_half_open_node_is_told_one_way() -> None:
    """A probe opens the half-open state; in it both probes and some calls are tries. No page says that calls are not."""
    said = [f"half_open_permits: {BreakerSettings.model_fields['half_open_permits'].description}"]
    said += [(DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("resilience", "routing", "glossary")]

    for text in said:
        sentences = [sentence for sentence in re.split(r"(?<=[.;])\s", text) if "half" in sentence and "permit" in sentence]
        assert sentences and all("calls" in sentence.lower() for sentence in sentences), sentences
        assert not re.search(r"not (your|users'?) ?(calls|users)|calls need not try", text)


def test_how_long_wait_waits_is_told_one_way() -> None:
    """`when_empty: wait` waits out the first `acquire_timeout` of an outage, wherever it is spoken of."""
    said = [HostgroupSettings.model_fields["when_empty"].description or ""]
    said += [(DOCS / name).read_text(encoding="utf-8") for name in ("routing.md", "reference/errors.md")]

    for text in said:
        assert "acquire_timeout" in next(line for line in text.splitlines() if "when_empty" in line or "`wait`" in line)
