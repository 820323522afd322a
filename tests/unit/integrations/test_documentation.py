"""The pages about errors, events and metrics keep up with the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import dbrouter.errors as errors
import dbrouter.events as events
from dbrouter.cli.__main__ import build_app
from dbrouter.integrations.prometheus import PrometheusCollector, exposition
from dbrouter.terms import BreakerState
from tests.unit.integrations.reports import ReportingRouter

DOCS = Path(__file__).parents[3] / "docs"
ALERTS = DOCS.parent / "examples" / "prometheus" / "dbrouter.rules.yml"
ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DBRouterError)]
EVENTS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
]


def sections(page: str) -> dict[str, str]:
    """The text under each second-level heading of a page."""
    parts = re.split(r"^## (.+)$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_section_with_its_code_and_fields(kind: type[errors.DBRouterError]) -> None:
    """A reader who looks up a class finds its code, when it happens and every field it declares."""
    section = sections("reference/errors.md")[kind.__name__]

    assert f"`{kind.code}`" in section
    for name in inspect.get_annotations(kind):
        assert f"`{name}`" in section, f"{kind.__name__}.{name}"


def test_no_section_is_about_an_error_that_is_gone() -> None:
    """Every section is about a class, and no two classes share a code by mistake."""
    assert set(sections("reference/errors.md")) == {kind.__name__ for kind in ERRORS}
    codes = [kind.code for kind in ERRORS if "code" in kind.__dict__]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_is_in_the_table_with_its_level(kind: type[events.Event]) -> None:
    """The catalogue in the documentation is the catalogue in the code."""
    rows = [row for row in sections("observability.md")["Events"].splitlines() if f"`{kind.name}`" in row]

    assert len(rows) == 1
    assert f"| {kind.level} |" in rows[0]


def test_every_metric_is_in_the_table_and_nothing_else() -> None:
    """Names are spelt out or shortened to `_suffix` behind one of the same kind."""
    text, _ = exposition(ReportingRouter())()
    exported = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text.decode(), flags=re.MULTILINE):
        if not name.endswith("_created"):
            exported.add((name, kind))
    documented = set()
    for row in sections("observability.md")["Metrics"].split("### ")[0].splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) > 3 and cells[2] in ("gauge", "counter", "histogram"):
            full = ""
            for name in re.findall(r"`([a-z_]+)`", cells[1]):
                full = name if name.startswith("dbrouter_") else full
                prefix = "dbrouter_pool" if full.startswith("dbrouter_pool") else full
                documented.add((name if name.startswith("dbrouter_") else prefix + name, cells[2]))

    assert documented == exported


def test_every_command_has_its_section() -> None:
    """The reference of the command line has every command there is."""
    app = build_app()
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    for group in app.registered_groups:
        within = group.typer_instance.registered_commands
        commands |= {f"{group.typer_instance.info.name} {command.callback.__name__}" for command in within}
    titles = sections("reference/cli.md")
    found = {found[1] for title in titles if (found := re.match(r"`dbrouter ([a-z]+(?: [a-z]+)?)", title))}

    assert found == commands


def test_every_alert_asks_for_metrics_and_labels_there_are() -> None:
    """The file of alerts is one that Prometheus can follow: a renamed metric would make an alert that never fires."""
    collector = PrometheusCollector(ReportingRouter())
    collector.observe(events.BreakerChanged(node="db1", old=BreakerState.CLOSED, new=BreakerState.OPEN, why=""))
    collector.observe(events.ConnectionFailed(hostgroup="w", node="db1", code="28P01", cause="", failures=1, retry_in=1.0))
    families = {family.name: family for family in collector.collect()}
    samples = {sample.name for family in families.values() for sample in family.samples}
    kinds = {f"{name}_total" if family.type == "counter" else name for name, family in families.items()}
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    rules = [rule for group in YAML().load(ALERTS)["groups"] for rule in group["rules"]]

    for rule in rules:
        names = set(re.findall(r"dbrouter_\w+", rule["expr"]))
        assert names and names <= samples | kinds, rule["alert"]
        by = {label for found in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in found.split(", ")}
        matched = set(re.findall(r"(\w+)=~?\"", rule["expr"]))
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert by | matched | shown <= labels | {"instance", "le"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_has_its_entry_in_the_runbook() -> None:
    """Who is woken by an alert finds its name in `operating.md`, with what the log says and what to do."""
    alerts = {rule["alert"] for group in YAML().load(ALERTS)["groups"] for rule in group["rules"]}
    entries = sections("operating.md")
    told = {name: entry for entry in entries.values() for name in re.findall(r"`(Dbrouter\w+)`", entry)}

    assert alerts == set(told)
    assert all("**Do**" in told[name] for name in alerts)
