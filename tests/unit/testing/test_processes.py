"""Process trees are found, frozen, thawed and killed as a whole, and accounts see what their permission bits allow."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbrouter.testing import processes, servers
from dbrouter.testing.processes import Account


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with two sleeping children, one of them in a session of its own as PostgreSQL's backends are."""
    with subprocess.Popen(["sh", "-c", "sleep 600 & setsid sleep 600 & wait"]) as parent:
        assert processes.wait_until(lambda: len(processes.descendants(parent.pid)) == 2, 5)
        yield parent
        processes.kill_tree(parent)


def test_freeze_and_thaw_reach_every_process(family: subprocess.Popen[bytes]) -> None:
    """All of a family stop and all go on."""
    everyone = [family.pid, *processes.descendants(family.pid)]

    processes.freeze_tree(family.pid)
    frozen = [processes.stopped(pid) for pid in everyone]
    processes.thaw_tree(family.pid)

    assert frozen == [True] * 3
    assert processes.wait_until(lambda: not any(processes.stopped(pid) for pid in everyone), 5)


def test_kill_ends_every_process_even_frozen_ones(family: subprocess.Popen[bytes]) -> None:
    """SIGKILL reaches the children too, frozen or not."""
    everyone = [family.pid, *processes.descendants(family.pid)]
    processes.freeze_tree(family.pid)

    processes.kill_tree(family)

    assert [processes.alive(pid) for pid in everyone] == [False] * 3


def test_ports_are_never_given_twice() -> None:
    """A hundred ports are a hundred different ones."""
    assert len({processes.free_port() for _ in range(100)}) == 100


def test_tool_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    """The message has the exit code and the end of the output."""
    account = Account(name="us", uid=os.geteuid(), gid=os.getegid())

    with pytest.raises(processes.ServerError, match=r"exit code 3:\nno luck"):
        processes.run_tool(["sh", "-c", "echo no luck >&2; exit 3"], account, cwd=tmp_path)


def test_account_sees_only_what_its_bits_allow(tmp_path: Path) -> None:
    """A program is out of reach where one folder above it is closed to others."""
    stranger = Account(name="stranger", uid=65533, gid=65533)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "program"
    program.touch(mode=0o755)

    before = stranger.may_read(program)
    for folder in (closed, *closed.parents):
        if folder.owner() == tmp_path.owner() and folder != Path("/") and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    program.chmod(0o755)

    assert not before
    assert stranger.may_read(program)


def test_programs_out_of_reach_are_copied(tmp_path: Path) -> None:
    """What an account cannot enter is copied, with exactly the parts that are needed, to where it can."""
    root = tmp_path / "site-packages"
    for name in ("server/bin/postgres", "server.libs/libpq.so", "other/secret"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    root.chmod(0o700)
    stranger = Account(name="stranger", uid=65533, gid=65533)
    installation = servers.Installation(
        name="some-server", version="1", root=root, programs=root / "server/bin", parts=(root / "server", root / "server.libs")
    )

    copy = servers.reachable(installation, stranger)

    assert stranger.may_read(copy.programs / "postgres")
    assert sorted(str(path.relative_to(copy.root)) for path in copy.root.rglob("*") if path.is_file()) == [
        "server.libs/libpq.so",
        "server/bin/postgres",
    ]
    assert servers.reachable(installation, stranger) == copy
