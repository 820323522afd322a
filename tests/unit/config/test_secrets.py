"""Passwords appear in no message, no repr, no cause – whatever is wrong with the configuration."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from dbrouter.config import load, loads
from dbrouter.errors import ConfigError

SECRET = "hunter2hunter2"
WHOLE = """\
databases:
  shop: {{dsn: "{dsn}", writer_hostgroup: 1}}
hostgroups:
  - {{id: 1, servers: [db1]}}
"""


def everything_said(error: ConfigError) -> str:
    """All that a log or a debugger would show of *error*."""
    chain = "".join(traceback.format_exception(error))
    fields = repr(error) + str(error) + repr(error.problems) + repr(error.args) + repr(vars(error))
    return (
        chain.split("\ndbrouter.errors.ConfigError", 1)[-1]
        + fields
        + repr(error.__cause__)
        + repr(pickle.loads(pickle.dumps(error)))
    )


@pytest.mark.parametrize(
    "text",
    [
        f"writer: postgresql://app:{SECRET}@db1:http/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop?sslmod=1",
        f"writer: postgresql://app:{SECRET}#x@db1/shop",
        f"writer: postgresql://app:{SECRET}/x@db1/shop",
        f"writer: postgresql://app:x/{SECRET}@db1/shop",
        f"writer: postgresql://app:x?{SECRET}=1@db1/shop",
        f"writer: app:{SECRET}@db1/shop",
        f"writer: [postgresql://app:{SECRET}@db1/shop]",
        f"writer: {{dsn: 'postgresql://app:{SECRET}@db1/shop'}}",
        f"writer: 'postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop: x",
        f"writer: *{SECRET}",
        f"writer: !{SECRET} x",
        f"writer: &{SECRET}",
        f"%{SECRET}",
        f"postgresql://app:{SECRET}@db1/shop",
        f"postgresql://app:{SECRET}@db1/shop: x",
        f"[postgresql://app:{SECRET}@db1/shop]",
        f"wirter: postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop\nreaders: [postgresql://app:{SECRET}x@db2/shop]",
        f"writer: postgresql://app:{SECRET}@db1/shop\nreaders: postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop\nwriter: postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop\nstart: postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop\npool: postgresql://app:{SECRET}@db1/shop",
        f"writer: postgresql://app:{SECRET}@db1/shop\npool: {{max_size: 'postgresql://app:{SECRET}@db1/shop'}}",
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@db1/shop"),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop?user=x"),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop").replace("[db1]", f"['postgresql://app:{SECRET}@db1']"),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop").replace("[db1]", f"['app:{SECRET}@db1']"),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop").replace("[db1]", f"[{{host: 'app:{SECRET}@db1'}}]"),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop").replace(
            "writer_hostgroup: 1", f"password: {SECRET}x, writer_hostgroup: 1"
        ),
        WHOLE.format(dsn="postgresql://app@/shop").replace("writer_hostgroup: 1", f"password: [{SECRET}], writer_hostgroup: 1"),
        WHOLE.format(dsn="postgresql://app@/shop").replace(
            "writer_hostgroup: 1", f"password: {{a: {SECRET}}}, writer_hostgroup: 1"
        ),
        WHOLE.format(dsn=f"postgresql://app:{SECRET}@/shop").replace("db1", "db1:99999"),
    ],
)
def test_no_broken_file_gives_its_password_away(text: str) -> None:
    """Every one of these is refused, and nothing that is raised holds the password."""
    with pytest.raises(ConfigError) as caught:
        loads(text, file="dbrouter.yaml", environ={})

    assert SECRET not in everything_said(caught.value)


@pytest.mark.parametrize("key", ["pool", "start", "version", "query_rules", "functions"])
def test_what_a_variable_holds_is_not_shown(key: str) -> None:
    """A variable may hold a secret wherever it stands; messages show its name."""
    with pytest.raises(ConfigError) as caught:
        load({"writer": "postgresql://app@db1/shop", key: "${SECRET}"}, environ={"SECRET": SECRET})

    assert SECRET not in everything_said(caught.value)


def test_what_a_variable_holds_is_not_shown_in_rules_and_servers() -> None:
    """The same inside lists, where names are looked up and suggestions made."""
    document: dict[str, Any] = {
        "databases": {"shop": {"dsn": "postgresql://app@/shop", "writer_hostgroup": "${SECRET}", "via": "${SECRET}"}},
        "hostgroups": [
            {"id": "${SECRET}", "database": "${SECRET}", "servers": ["${SECRET}:x", {"host": "a", "port": "${SECRET}"}]}
        ],
        "query_rules": [
            {
                "rule_id": 1,
                "destination_hostgroup": "${SECRET}",
                "timeout": "${SECRET}",
                "match_digest": "(${SECRET}",
                "database": "${SECRET}",
            },
            {"rule_id": 2, "timeout": "${SECRET}", "re_modifiers": "${SECRET}"},
        ],
        "pool": {"max_size": "${SECRET}", "idle_timeout": "${SECRET}"},
    }
    with pytest.raises(ConfigError) as caught:
        load(document, environ={"SECRET": SECRET + "2"})

    assert len(caught.value.problems) > 9
    assert SECRET not in everything_said(caught.value)


def test_no_source_that_is_a_dsn_is_quoted() -> None:
    """Handing a DSN over as if it were a path says what to do and hides it."""
    with pytest.raises(ConfigError, match="a DSN alone is no configuration") as caught:
        load(f"postgresql://app:{SECRET}@db1/shop")

    assert SECRET not in everything_said(caught.value)


def test_a_loaded_configuration_hides_its_passwords(caplog: pytest.LogCaptureFixture) -> None:
    """`repr`, `str`, JSON and a log line of the configuration show stars; only the driver's options get the value."""
    config = load({"writer": f"postgresql://app:{SECRET}@db1/shop"})

    logging.getLogger("dbrouter").warning("%s %r", config, config.databases["shop"])
    shown = repr(config) + str(config) + config.model_dump_json() + json.dumps(config.model_dump(mode="json")) + caplog.text
    assert SECRET not in shown
    password = config.databases["shop"].password
    assert password is not None and password.get_secret_value() == SECRET


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    """`file:` reads the value, without the newline at its end; the path may hold variables."""
    (tmp_path / "pw").write_text(SECRET + "\n")
    (tmp_path / "dsn").write_text(f"postgresql://app:{SECRET}@/shop\n")
    document: dict[str, Any] = {
        "databases": {"shop": {"dsn": "postgresql://app@/shop", "password": "file:${DIR}/pw", "writer_hostgroup": 1}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}],
    }
    by_password = load(document, environ={"DIR": str(tmp_path)}).databases["shop"].password
    document["databases"]["shop"] = {"dsn": f"file:{tmp_path}/dsn", "writer_hostgroup": 1}
    by_dsn = load(document).databases["shop"].password

    assert by_password is not None and by_password.get_secret_value() == SECRET
    assert by_dsn is not None and by_dsn.get_secret_value() == SECRET


def test_a_variable_that_begins_with_file_is_no_file() -> None:
    """Only what is written can name a file; a password may begin with anything."""
    document = {
        "databases": {"shop": {"engine": "mysql", "user": "app", "password": "${PW}", "writer_hostgroup": 1}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}],
    }
    password = load(document, environ={"PW": "file:/etc/hostname"}).databases["shop"].password

    assert password is not None and password.get_secret_value() == "file:/etc/hostname"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("file:/nowhere/at/all", "the secret file /nowhere/at/all cannot be read: No such file or directory"),
        ("file:/", "the secret file / cannot be read: Is a directory"),
        ("file:relative", "file: needs an absolute path"),
        ("${UNSET}", "the environment variable UNSET is not set"),
        ("${", "has a ${ that begins no variable"),
        ("${1}", "has a ${ that begins no variable"),
    ],
)
def test_secrets_that_cannot_be_read_are_problems(written: str, message: str) -> None:
    """The message names the variable or the file."""
    document = {
        "databases": {"shop": {"engine": "mysql", "password": written, "writer_hostgroup": 1}},
        "hostgroups": [{"id": 1, "servers": ["db1"]}],
    }
    with pytest.raises(ConfigError) as caught:
        load(document, environ={})

    assert [problem.path for problem in caught.value.problems] == ["databases.shop.password"]
    assert message in str(caught.value)


def test_a_secret_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    """Binary and endless files are refused."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_bytes(b"x" * 70000)
    for name, message in (("binary", "is not text in UTF-8"), ("large", "is larger than 64 KiB")):
        with pytest.raises(ConfigError, match=message):
            load({"writer": f"file:{tmp_path / name}"})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${A}", "1"),
        ("x${A}y${B}z", "x1y2z"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:-b}", "a:-b"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$A $ a$", "$A $ a$"),
        ("^x$", "^x$"),
        ("${NESTED}", "${A}"),
    ],
)
def test_interpolation(written: str, value: str) -> None:
    """Variables, defaults and dollars; what a variable holds is not looked at again."""
    document = {"writer": "mysql://db1", "query_rules": [{"rule_id": 1, "comment": written}]}
    environ = {"A": "1", "B": "2", "EMPTY": "", "NESTED": "${A}"}

    assert load(document, environ=environ).query_rules[0].comment == value


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without *environ* variables come from the process."""
    monkeypatch.setenv("DBROUTER_TEST_HOST", "db7")

    assert load({"writer": "mysql://${DBROUTER_TEST_HOST}"}).hostgroups[0].servers[0].host == "db7"
