"""The house keeps its shape: rooms import only rooms to their left, and each third-party library lives in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "dbrouter"

ROOMS: tuple[frozenset[str], ...] = (
    frozenset({"terms"}),
    frozenset({"errors", "events"}),
    frozenset({"tasks"}),
    frozenset({"config", "sql"}),
    frozenset({"resilience", "rules", "drivers"}),
    frozenset({"pool"}),
    frozenset({"cluster"}),
    frozenset({"monitor"}),
    frozenset({"router"}),
    frozenset({"integrations", "interchange", "testing", "audit"}),
    frozenset({"cli"}),
)
RANK = {room: rank for rank, row in enumerate(ROOMS) for room in row}

LIBRARY_HOMES = {
    "pydantic": {"config"},
    "ruamel": {"config"},
    "re2": {"config"},
    "asyncpg": {"drivers/asyncpg.py"},
    "aiomysql": {"drivers/aiomysql.py"},
    "asyncmy": {"drivers/asyncmy.py"},
    "pymysql": {"drivers/aiomysql.py", "testing/mysql.py"},
    "pybreaker": {"resilience/breaker.py"},
    "tenacity": {"resilience/retry.py"},
    "structlog": {"integrations/logging.py"},
    "prometheus_client": {"integrations/prometheus.py"},
    "watchfiles": {"config/watch.py"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def modules() -> Iterator[tuple[Path, str, list[tuple[str, int]]]]:
    """Every module with its room and the absolute names it imports, wherever in the file the import stands."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        names = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{relative}:{node.lineno}: imports are absolute here"
                names.append((node.module or "", node.lineno))
        yield relative, room, names


def test_rooms_import_only_rooms_to_their_left() -> None:
    """A room knows the rooms before it and itself, never one beside or behind it."""
    wrong = []
    for path, room, names in modules():
        if room in ("__init__", "__main__"):
            continue
        for name, line in names:
            parts = name.split(".")
            if parts[0] != "dbrouter":
                continue
            other = parts[1] if len(parts) > 1 else "__init__"
            if other != room and (other == "__init__" or RANK[other] >= RANK[room]):
                if room in ("integrations", "testing", "cli") and other == "__init__":
                    continue  # What stands at the end may use the public names.
                wrong.append(f"{path}:{line} imports {name}")

    assert not wrong, "\n".join(wrong)


def test_every_room_is_known() -> None:
    """A new room is given its place in the order before it is used."""
    found = {room for _, room, _ in modules()} - {"__init__", "__main__"}

    assert found <= set(RANK)


def test_each_library_is_imported_in_one_place() -> None:
    """A library that is replaced one day costs one room."""
    wrong = []
    for path, room, names in modules():
        for name, line in names:
            homes = LIBRARY_HOMES.get(name.split(".")[0])
            if homes is not None and room not in homes and path.as_posix() not in homes:
                wrong.append(f"{path}:{line} imports {name}")

    assert not wrong, "\n".join(wrong)


def test_tasks_are_created_in_one_place() -> None:
    """Only `OwnedTasks` creates tasks, so that `aclose` can promise that none is left."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE).as_posix()
        if relative == "tasks.py" or relative.startswith(("testing/", "cli/")):
            continue
        wrong += [
            f"{relative}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and node.attr in ("create_task", "ensure_future")
        ]

    assert not wrong, "\n".join(wrong)


def test_the_order_of_a_module_is_stated_first() -> None:
    """Every module opens with a docstring that says what it is for."""
    missing = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert not missing, missing
