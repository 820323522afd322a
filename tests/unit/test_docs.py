"""The pages: links lead somewhere, snippets compile, configurations load, and what is public is spoken of."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dbrouter
from dbrouter import errors, events
from dbrouter.config import RouterConfig, loads
from dbrouter.config.load import GROUPS
from dbrouter.terms import BreakerState, Engine, Flavor, Intent, Role, ServerStatus, ShunReason

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
WORDS = """
    primary, replica, node, cluster, hostgroup, endpoint, lease, acquire, release, discard, waiter, idle, in use, connecting,
    plan, rule, hint, digest, intent, verdict, lag, shunned, draining, offline, closed, open, half-open, permit, probe, attempt,
    backoff, jitter, budget, deadline, timeout, failover, switchover, promotion, read-your-writes, session token
"""


def name(page: Path) -> str:
    """How a test calls a page."""
    return page.relative_to(ROOT).as_posix()


def text(page: Path) -> str:
    """A page."""
    return page.read_text(encoding="utf-8")


def snippets(language: str) -> Iterator[tuple[str, str]]:
    """Every snippet of a language, with the page and line where it begins."""
    for page in PAGES:
        for found in FENCE.finditer(text(page)):
            if found[2] == language:
                line = text(page).count("\n", 0, found.start()) + 2
                yield f"{name(page)}:{line}", textwrap.dedent(found[3])


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    without_code = FENCE.sub("", text(page))
    titles = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


PYTHON = list(snippets("python"))
YAML = list(snippets("yaml"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Files exist, and so do the headings that links point at."""
    broken = []
    for target in LINK.findall(FENCE.sub("", text(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)

    assert not broken


def test_every_page_can_be_reached() -> None:
    """From the README or the map of the pages there is a way to each page."""
    seen: set[Path] = set()
    todo = [ROOT / "README.md", ROOT / "docs" / "index.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = LINK.findall(text(page))
        todo += [(page.parent / target.partition("#")[0]).resolve() for target in targets if ":" not in target]

    assert {name(page) for page in PAGES if "docs" in page.parts and "adr" not in page.parts} <= {name(page) for page in seen}


@pytest.mark.parametrize(("place", "code"), PYTHON, ids=[place for place, _ in PYTHON])
def test_every_python_snippet_compiles(place: str, code: str) -> None:
    """What readers copy is Python; `await` may stand at the top, as in an async REPL."""
    compile(code.replace("…", "..."), place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)


@pytest.mark.parametrize(("place", "code"), PYTHON, ids=[place for place, _ in PYTHON])
def test_every_import_in_a_snippet_is_there(place: str, code: str) -> None:
    """Names that pages import from dbrouter exist."""
    for node in ast.walk(
        compile(code.replace("…", "..."), place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    ):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dbrouter":
            exec(compile(ast.Module([node], []), place, "exec"), {})


@pytest.mark.parametrize(("place", "code"), YAML, ids=[place for place, _ in YAML])
def test_every_configuration_in_a_page_loads(place: str, code: str) -> None:
    """A whole configuration loads; a piece of one is a piece that a whole one takes."""
    whole = re.search(r"^(writer|databases|mysql_servers):", code, re.MULTILINE) is not None
    around = "" if whole else WHOLE

    assert isinstance(loads(around + code, environ={}), RouterConfig)


async def test_the_test_without_servers_passes() -> None:
    """What the page on testing offers to copy is a test that passes."""
    (code,) = [code for place, code in PYTHON if place.startswith("docs/testing.md") and "FakeServer()" in code]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/testing.md", "exec"), names)

    await names["test_a_payment_whose_answer_is_lost"]()


WHOLE = """
databases: {shop: {dsn: 'postgresql://app@/shop', writer_hostgroup: 10, reader_hostgroup: 20}}
hostgroups: [{id: 10, servers: [db1]}, {id: 20, servers: [db2]}]
"""


@pytest.mark.parametrize("public", dbrouter.__all__)
def test_every_public_name_is_in_the_list_of_names(public: str) -> None:
    """The reference has a row for each; most pages speak of some."""
    assert re.search(rf"^\| `{public}` \| .+ \|$", text(ROOT / "docs" / "reference" / "api.md"), re.MULTILINE)


def test_the_list_of_names_has_no_name_that_is_gone() -> None:
    """Each row of the reference is a public name or a module."""
    rows = re.findall(r"^\| `([\w.]+)` \|", text(ROOT / "docs" / "reference" / "api.md"), re.MULTILINE)

    assert {row for row in rows if not row.startswith("dbrouter.")} == set(dbrouter.__all__)


def test_every_error_code_has_a_section() -> None:
    """Whoever looks up a code of a message finds it."""
    page = text(ROOT / "docs" / "reference" / "errors.md")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DBRouterError)]

    assert {kind.code for kind in kinds} == set(re.findall(r"DBR-[A-Z0-9]+", page))


def test_every_error_has_a_place_to_begin() -> None:
    """Troubleshooting quotes a message of each class that can be raised, in an entry that says what to do."""
    entries = re.split(r"^## ", text(ROOT / "docs" / "troubleshooting.md"), flags=re.MULTILINE)[1:]
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DBRouterError)}
    roots = {errors.DBRouterError, errors.RoutingError, errors.PoolError}

    for kind in kinds - roots - {errors.StaleReadError}:
        message = re.compile(rf"^{kind.__name__}: .*\[{kind.code}\]", re.MULTILINE)
        quoting = [entry for entry in entries if message.search(entry)]
        assert quoting and all("**Do**" in entry for entry in quoting), kind.__name__


def test_every_code_that_a_page_quotes_exists() -> None:
    """Messages in the pages carry codes that are raised."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DBRouterError)]
    known = {kind.code for kind in kinds}

    for page in PAGES:
        assert set(re.findall(r"\bDBR-[A-Z0-9]+\b", text(page))) <= known, name(page)


def test_the_glossary_has_every_word() -> None:
    """The words of the house, and the members of the closed sets that users meet."""
    page = text(ROOT / "docs" / "glossary.md").lower()
    bold = {word.strip() for found in re.findall(r"\*\*(.+?)\*\*", page) for word in found.split("/")}

    assert {word.strip() for word in WORDS.replace("\n", " ").split(",")} <= bold
    for kind in (ShunReason, Role, Intent, ServerStatus, Engine):
        for member in kind:
            assert re.search(rf"[`*]{member}[`*]", page), f"{kind.__name__}.{member}"
    assert {flavor.lower() for flavor in Flavor} <= set(re.findall(r"\w+", page))
    assert {"closed", "open", "half-open"} <= bold and len(BreakerState) == 5


def test_no_page_speaks_of_a_key_that_is_gone() -> None:
    """`pool.max_size` and its like are keys of the configuration, wherever they are spoken of."""
    events_too = {kind.name for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)}

    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for group, key in re.findall(rf"`({'|'.join(GROUPS)})\.([a-z_]+)`", text(page)):
            assert key in GROUPS[group].model_fields or f"{group}.{key}" in events_too, f"{name(page)}: {group}.{key}"
