"""Where servers come from: the machine's own apt sources are read right, and a missing server is said loudly where it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbrouter.testing import ServerError, ServerKind, provision, servers

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def machine(folder: Path, *, sources: str = "", one_line: str = "", system: str = "debian") -> Path:
    """An `/etc` with these apt sources."""
    (folder / "apt/sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(f'PRETTY_NAME="Some System"\nID={system}\nVERSION_CODENAME=bookworm\n')
    if sources:
        (folder / "apt/sources.list.d/debian.sources").write_text(sources)
    if one_line:
        (folder / "apt/sources.list").write_text(one_line)
    return folder


def test_deb822_sources_name_the_mirror(tmp_path: Path) -> None:
    """The stanza of the machine's own suite gives mirror and key; the security archive is not it."""
    found = provision.unstable_source(machine(tmp_path, sources=DEB822))

    assert found == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: unstable\n"
        "Components: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_key_within_the_stanza_is_kept(tmp_path: Path) -> None:
    """A key written into the source itself, over several lines, goes along."""
    key = " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----\n"
    stanza = f"Types: deb\nURIs: http://m/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n{key}"

    found = provision.unstable_source(machine(tmp_path, sources=stanza))

    assert found.endswith(f"Signed-By: \n{key}")


def test_one_line_sources_name_the_mirror(tmp_path: Path) -> None:
    """The older form works as well, with options before the address, and disabled lines do not count."""
    text = (
        "# deb http://no.example/debian bookworm main\n"
        "deb-src http://no.example/debian bookworm main\n"
        "deb http://mirror.example/debian-security bookworm-security main\n"
        "deb [arch=amd64 signed-by=/key.gpg] http://mirror.example/debian bookworm main non-free # ours\n"
    )

    found = provision.unstable_source(machine(tmp_path, one_line=text))

    assert "URIs: http://mirror.example/debian\n" in found
    assert "Signed-By: /key.gpg\n" in found


def test_disabled_stanza_does_not_count(tmp_path: Path) -> None:
    """`Enabled: no` leaves nothing to take."""
    with pytest.raises(ServerError, match="bookworm"):
        provision.unstable_source(machine(tmp_path, sources=DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb")))


def test_other_systems_are_told_apart(tmp_path: Path) -> None:
    """On another distribution the message names it instead of trying its mirror."""
    with pytest.raises(ServerError, match="Some System"):
        provision.unstable_source(machine(tmp_path, sources=DEB822, system="ubuntu"))


@pytest.fixture
def without_mysql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of servers in which there is no MySQL."""
    monkeypatch.setenv("DBROUTER_SERVERS", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def test_missing_server_is_a_failure(
    without_mysql: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that is not there ends the command with 1, and under CI the last line says that it must be there."""
    monkeypatch.setenv("CI", "true")

    code = provision.main([ServerKind.MYSQL_9_7])

    assert code == 1
    assert "CI=true: mysql-9.7 must be there" in capsys.readouterr().err


def test_refusal_by_the_archive_is_excused_and_said_last(
    without_mysql: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where Debian's archive itself refused MySQL the command succeeds, and the last word of the run says so."""
    monkeypatch.setenv("CI", "true")
    servers.refusal_note().write_text("mysql-server-core : Depends: libicu78 but it is not installable\n")

    code = provision.main([ServerKind.MYSQL_9_7])
    capsys.readouterr()
    provision.main(["--last-word"])

    assert code == 0
    assert capsys.readouterr().out == (
        "MySQL was NOT tested: Debian's archive refuses it: mysql-server-core : Depends: libicu78 but it is not installable\n"
    )


def test_last_word_is_silent_where_all_is_there(without_mysql: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a refusal the run ends without a further line."""
    provision.main(["--last-word"])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("E: Unable to locate package mysql-server-core", provision.ArchiveRefusedError),
        ("Depends: libicu78 but it is not installable", provision.ArchiveRefusedError),
        ("Could not resolve 'mirror.example'", ServerError),
        ("Could not connect to mirror.example:80 (10.0.0.1), connection timed out", ServerError),
    ],
)
def test_a_dead_network_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, kind: type[Exception]
) -> None:
    """Only an archive that answered can refuse: a network that does not work is a failure like any other."""

    def fail(command: object) -> None:
        raise ServerError(message)

    monkeypatch.setattr(provision, "_run", fail)
    monkeypatch.setattr(provision, "unstable_source", lambda: "")

    with pytest.raises(ServerError) as raised:
        provision._download(tmp_path)

    assert type(raised.value) is kind
