"""The page about ProxySQL and PgBouncer says what becomes of everything that is carried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbrouter.config.proxysql.schema import COLUMNS
from dbrouter.config.proxysql.variables import SETTINGS

PAGE = (Path(__file__).parents[3] / "docs" / "proxysql.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [table for table in COLUMNS if table.startswith("mysql_")])
def test_every_table_has_a_row(table: str) -> None:
    """Of those that are read."""
    assert re.search(rf"^\|.*`{table}`.* \| .+ \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("variable", SETTINGS)
def test_every_variable_has_a_row(variable: str) -> None:
    """Of those that become a setting."""
    assert re.search(rf"^\|.*`{variable}`.* \| .+ \|$", PAGE, re.MULTILINE)
