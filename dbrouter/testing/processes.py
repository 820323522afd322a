"""
Operating-system side of local servers: unprivileged users, free ports, process trees, and a guard that outlives a crash.

Knows nothing of databases. Every process is addressed by an id that was started here (or by descent from one), never by name.
A guard process per run holds the read end of a pipe: when this process ends in whatever way, the guard ends the servers and
deletes their folders, so that a killed test run leaves nothing behind. Linux only (`/proc`).
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_SPARE_USER = "dbrouter-test"


class ServerError(RuntimeError):
    """A local server could not be found, started, or brought to the state that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The operating-system account a server runs as."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give *path*, and all below it, to this account; nothing happens where it is ours already."""
        if os.geteuid() != 0 or self.uid == 0:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.lchown(os.path.join(folder, name), self.uid, self.gid)

    def may_read(self, path: Path) -> bool:
        """Whether this account can reach and execute *path*, judged by the permission bits of it and of every folder above."""
        for place in (path, *path.parents):
            status = place.stat()
            if status.st_uid == self.uid:
                wanted = 0o500
            elif status.st_gid == self.gid:
                wanted = 0o050
            else:
                wanted = 0o005
            if place != path:
                wanted &= 0o111
            if status.st_mode & wanted != wanted:
                return False
        return True


def server_account(*preferred: str) -> Account:
    """
    The account to run a server as: ourselves, or, where we are root (servers refuse that), the first of *preferred* that exists.

    Raises:
        ServerError: we are root, none of *preferred* exists, and an account of our own could not be created.
    """
    if os.geteuid() != 0:
        return Account(name=_own_name(), uid=os.geteuid(), gid=os.getegid())
    for name in (*preferred, _SPARE_USER):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=found.pw_uid, gid=found.pw_gid)
    done = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SPARE_USER], capture_output=True, text=True
    )
    if done.returncode not in (0, 9):  # 9: it exists, made by somebody at the same moment
        raise ServerError(f"database servers refuse to run as root, and useradd {_SPARE_USER} failed: {done.stderr.strip()}")
    found = pwd.getpwnam(_SPARE_USER)
    return Account(name=_SPARE_USER, uid=found.pw_uid, gid=found.pw_gid)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


_given_ports: set[int] = set()
_ports_lock = threading.Lock()


def free_port() -> int:
    """A TCP port free on 127.0.0.1 now, and never given twice by this process."""
    with _ports_lock:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in _given_ports:
                _given_ports.add(port)
                return port


def wait_until(condition: Callable[[], bool], timeout: float, *, every: float = 0.02) -> bool:
    """Ask *condition* each *every* seconds until it holds; False when *timeout* seconds passed first."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def server_environment() -> dict[str, str]:
    """Our environment without what would steer a database client or server behind our back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MYSQL", "MARIADB", "LC_"))}
    return {**kept, "LC_ALL": "C.UTF-8"}


def run_tool(
    command: Sequence[str | Path],
    account: Account,
    *,
    cwd: Path,
    stdin: str | None = None,
    timeout: float = 60,
) -> str:
    """
    Run a server's tool to its end as *account* and answer what it printed.

    Raises:
        ServerError: it failed or took longer than *timeout* seconds; the message has the end of its output.
    """
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=cwd,
            env=server_environment(),
            start_new_session=True,
            **_as(account),
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{os.path.basename(arguments[0])} did not end within {timeout:g} s") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        raise ServerError(f"{' '.join(arguments[:6])} … failed with exit code {done.returncode}:\n{tail}")
    return str(done.stdout)


def spawn(command: Sequence[str | Path], account: Account, *, cwd: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a server as *account*, in a session of its own, appending what it prints to *log*, known to the guard."""
    with log.open("ab") as output:
        account.own(log)
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=server_environment(),
            start_new_session=True,
            **_as(account),
        )
    _guard.watch_process(process.pid)
    return process


def _as(account: Account) -> dict[str, Any]:
    if os.geteuid() != 0 or account.uid == 0:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


# --- process trees --------------------------------------------------------------------------------


def descendants(pid: int) -> list[int]:
    """Ids of all living processes below *pid*, nearest first."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields is not None and fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    level = [pid]
    while level:
        level = [child for parent in level for child in children.get(parent, ())]
        found.extend(level)
    return found


def _stat(pid: int) -> list[str] | None:
    """State, parent id, … of a process: the fields of /proc/PID/stat after the name (which may hold spaces and brackets)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()


def alive(pid: int) -> bool:
    """Whether *pid* still runs (a zombie does not)."""
    fields = _stat(pid)
    return fields is not None and fields[0] != "Z"


def stopped(pid: int) -> bool:
    """Whether *pid* is held by SIGSTOP."""
    fields = _stat(pid)
    return fields is not None and fields[0] == "T"


def freeze_tree(pid: int) -> None:
    """SIGSTOP *pid* and all below it; on return every one of them has come to rest."""
    _send(pid, signal.SIGSTOP)
    # The parent is held first, so that nobody new is born while the children are listed; the repeat catches who was being born.
    while running := [each for each in (pid, *descendants(pid)) if alive(each) and not stopped(each)]:
        for each in running:
            _send(each, signal.SIGSTOP)
        time.sleep(0.001)


def thaw_tree(pid: int) -> None:
    """SIGCONT *pid* and all below it."""
    for each in (*descendants(pid), pid):
        _send(each, signal.SIGCONT)


def kill_tree(process: subprocess.Popen[bytes], *, timeout: float = 10) -> None:
    """SIGKILL a process and all below it, without a chance to say goodbye, and wait until every one is gone."""
    _send(process.pid, signal.SIGSTOP)
    family = [*descendants(process.pid), process.pid]
    for each in family:
        _send(each, signal.SIGKILL)
    process.wait(timeout)
    if not wait_until(lambda: not any(alive(each) for each in family), timeout, every=0.002):
        raise ServerError(f"processes {[each for each in family if alive(each)]} outlived SIGKILL by {timeout:g} s")


def _send(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


def remove_shared_memory(identifier: int) -> None:
    """Remove a System V segment that a killed server left (PostgreSQL's interlock); one that is gone already is fine."""
    ctypes.CDLL(None).shmctl(identifier, 0, None)


# --- the run's folder and its guard ---------------------------------------------------------------

_GUARD = r"""
import ctypes, glob, os, shutil, signal, sys, time
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_IGN)
processes, folders = {}, []
def stat(pid):
    try:
        text = open(f"/proc/{pid}/stat").read()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()
for line in sys.stdin:
    verb, _, rest = line.rstrip("\n").partition(" ")
    if verb == "process":
        fields = stat(int(rest))
        if fields: processes[int(rest)] = fields[19]
    elif verb == "folder":
        folders.append(rest)
family = []
for pid, born in processes.items():
    fields = stat(pid)
    if fields and fields[19] == born:
        os.kill(pid, signal.SIGSTOP); family.append(pid)
level = list(family)
while level:
    below = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat(name)
            if fields and int(fields[1]) in level and int(name) not in family: below.append(int(name))
    family += below; level = below
for pid in reversed(family):
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
for turn in range(500):
    if not any((stat(pid) or "Z")[0] != "Z" for pid in family): break
    time.sleep(0.01)
for folder in folders:
    for lock in glob.glob(glob.escape(folder) + "/**/postmaster.pid", recursive=True):
        try: ctypes.CDLL(None).shmctl(int(open(lock).read().splitlines()[6].split()[1]), 0, None)
        except (OSError, IndexError, ValueError): pass
    shutil.rmtree(folder, ignore_errors=True)
"""


class _Guard:
    """The far end of the guard process; started with the first server, told of each server and folder."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def watch_process(self, pid: int) -> None:
        self._tell(f"process {pid}")

    def watch_folder(self, folder: Path) -> None:
        self._tell(f"folder {folder}")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _GUARD],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd="/",
                    start_new_session=True,
                )
            pipe = self._pipe()
            pipe.write(line + "\n")
            pipe.flush()

    def _pipe(self) -> IO[str]:
        assert self._process is not None and self._process.stdin is not None
        return self._process.stdin

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._pipe().close()
                self._process.wait()
                self._process = None


_guard = _Guard()
_folders: dict[str, Path] = {}
_folders_lock = threading.Lock()

_ROOM_NEEDED = 4 << 30
"""Bytes that must be free in memory, and twice as many available at all, before servers are put there."""


def run_folder() -> Path:
    """
    The folder of this process for clusters and templates; made at the first call, deleted when the process ends.

    In memory (`/dev/shm`) where there is plenty of it, because servers start three times as fast there; else, or where ``TMPDIR``
    is set, where temporary files go.
    """
    return _folder_of_run("data", _memory_place())


def programs_folder() -> Path:
    """The folder of this process for programs that have to be copied; files in it may be executed."""
    return _folder_of_run("programs", None)


def _folder_of_run(purpose: str, place: str | None) -> Path:
    with _folders_lock:
        if purpose not in _folders:
            folder = Path(tempfile.mkdtemp(prefix="dbrouter-", dir=place))
            folder.chmod(0o711)
            _guard.watch_folder(folder)
            _folders[purpose] = folder
        return _folders[purpose]


def _memory_place() -> str | None:
    if os.environ.get("TMPDIR"):
        return None
    try:
        room = os.statvfs("/dev/shm")
        available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None
    enough = room.f_bavail * room.f_frsize >= _ROOM_NEEDED and int(available.split()[1]) * 1024 >= 2 * _ROOM_NEEDED
    return "/dev/shm" if enough and os.access("/dev/shm", os.W_OK) else None


def new_folder(prefix: str) -> Path:
    """A new folder inside `run_folder`; short, because the paths of sockets in it may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=run_folder()))
    folder.chmod(0o711)
    return folder


def guard_folder(folder: Path) -> None:
    """Have *folder* deleted after this process ended, whatever ended it."""
    _guard.watch_folder(folder)


def _at_exit() -> None:
    _guard.close()
    for folder in _folders.values():
        shutil.rmtree(folder, ignore_errors=True)


atexit.register(_at_exit)
