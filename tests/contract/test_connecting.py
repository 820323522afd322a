"""Connecting: what a driver's `connect` promises, whoever answers or does not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from dbrouter.errors import ConfigError, ConnectError
from dbrouter.terms import Blame, Outcome, Phase, Role
from tests.contract.subjects import Case
from tests.watching import until

pytestmark = pytest.mark.servers


async def test_a_new_connection_is_open_clean_and_named(case: Case, connection: Any) -> None:
    """A new connection is open, idle, outside any transaction, and has the name that the server gives it."""
    assert not connection.closed
    assert not connection.in_transaction
    assert not connection.needs_settling
    assert connection.check()
    assert connection.server_id in await case.stage.sessions()
    assert connection.server_id in repr(connection)


async def test_init_statements_run_once_on_the_new_connection(case: Case, connect: Any) -> None:
    """What `init` sets is set when the connection is given out."""
    connection = await connect(init=(case.dialect.set,))

    rows, _, _ = await connection.send(case.dialect.show, ())
    assert rows[0][0] == case.dialect.value


async def test_a_failing_init_statement_fails_the_connect(case: Case) -> None:
    """A wrong init statement is the configuration's fault, and leaves no socket."""
    before = case.stage.sockets()

    with pytest.raises(Exception) as caught:
        await case.driver.connect(case.stage.options(init=("SELEKT 1",)))
    verdict = case.driver.verdict(caught.value, Phase.CONNECT)
    assert verdict.outcome in (Outcome.NOT_APPLIED, Outcome.FAILED)
    await until(lambda: case.stage.sockets() <= before, what="the socket is closed")


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_password_provider_is_asked_at_each_connect(case: Case, connect: Any, asynchronous: bool) -> None:
    """The provider, plain or async, is asked with the endpoint every time, and what it says is used."""
    asked: list[str] = []
    secret = case.stage.options().password

    def plain(endpoint: str) -> Any:
        asked.append(endpoint)
        return secret

    async def waiting(endpoint: str) -> Any:
        await asyncio.sleep(0)
        return plain(endpoint)

    for _ in range(2):
        await connect(case.stage.options(password=None), password=waiting if asynchronous else plain)
    assert asked == [case.stage.options().endpoint] * 2


class Strange(BaseException):
    """What an `except Exception` does not catch."""


@pytest.mark.parametrize("fault", [LookupError, asyncio.CancelledError, TimeoutError, ConnectionRefusedError, Strange])
async def test_a_failing_password_provider_fails_the_connect(case: Case, fault: type[BaseException]) -> None:
    """Whatever the provider raises, connecting raises that it was the provider, nothing was sent, and no node is to blame."""

    def broken(endpoint: str) -> str:
        raise fault(f"no secret for {endpoint}")

    with pytest.raises(ConnectError, match=rf"password '.*broken' failed.*{fault.__name__}: no secret for") as caught:
        await case.driver.connect(case.stage.options(), password=broken)
    verdict = case.driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.CONFIG)
    assert isinstance(caught.value.__cause__, fault)


async def test_a_password_provider_that_says_no_text_fails_the_connect(case: Case) -> None:
    """A provider that forgot to answer is told so."""
    forgetful: Any = lambda endpoint: None  # noqa: E731

    with pytest.raises(ConnectError, match="said NoneType instead of str"):
        await case.driver.connect(case.stage.options(), password=forgetful)


async def test_settings_that_cannot_be_used_are_the_configurations_fault(case: Case) -> None:
    """Our own errors before anything was sent blame no node."""
    for error in (ConfigError("TLS files cannot be used"), ConnectError("on_connect failed", endpoint="db1:1")):
        for phase in (Phase.CONNECT, Phase.SETUP):
            assert case.driver.verdict(error, phase).blame is Blame.CONFIG


async def test_a_wrong_password_is_blamed_on_the_configuration(case: Case) -> None:
    """The server's refusal passes through; it is no failure of the node, and the password is not in its message."""
    with pytest.raises(Exception) as caught:
        await case.driver.connect(case.stage.wrong_password())
    verdict = case.driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.CONFIG)
    assert "not-it" not in str(caught.value)


async def test_a_refused_connection_is_blamed_on_the_node(case: Case) -> None:
    """Where nobody listens the node is to blame, and nothing was sent."""
    before = case.stage.sockets()

    with pytest.raises(Exception) as caught:
        await case.driver.connect(case.stage.refused())
    verdict = case.driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame, verdict.transport) == (Outcome.NOT_APPLIED, Blame.NODE, True)
    await until(lambda: case.stage.sockets() <= before, what="no socket is left")


async def test_a_silent_server_is_given_up_in_time(case: Case) -> None:
    """A server that accepts and never answers costs `timeout`, not more; the node is to blame."""
    async with case.stage.silent() as options:
        before = case.stage.sockets()
        started = time.monotonic()
        with pytest.raises(Exception) as caught:
            await case.driver.connect(_within(options, 0.2))
        took = time.monotonic() - started

        verdict = case.driver.verdict(caught.value, Phase.CONNECT)
        assert 0.15 < took < 0.5
        assert (verdict.outcome, verdict.blame, verdict.transport) == (Outcome.NOT_APPLIED, Blame.NODE, True)
        # The server's own end of it stays until the server closes it.
        await until(lambda: case.stage.sockets() <= before + 1, what="our socket is closed")


async def test_a_slow_password_provider_counts_for_the_time_limit(case: Case) -> None:
    """The time limit covers asking for the password, and a provider that hangs is no fault of the node."""

    async def never(endpoint: str) -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(ConnectError, match=r"password '.*never' failed.*within 0\.1s") as caught:
        await case.driver.connect(_within(case.stage.options(), 0.1), password=never)
    verdict = case.driver.verdict(caught.value, Phase.CONNECT)
    assert (verdict.outcome, verdict.blame) == (Outcome.NOT_APPLIED, Blame.CONFIG)


async def test_a_password_provider_is_cancelled_with_its_connect(case: Case) -> None:
    """A cancellation of the caller is no failure of the provider."""
    asked = asyncio.Event()

    async def never(endpoint: str) -> str:
        asked.set()
        await asyncio.Event().wait()
        return ""

    task = asyncio.create_task(case.driver.connect(case.stage.options(), password=never))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_connect_leaves_no_socket(case: Case) -> None:
    """Cancelling `connect` at any moment leaves neither a socket nor a session."""
    before, sessions = case.stage.sockets(), await case.stage.sessions()
    for turns in (0, 1, 2, 3, 5, 8, 13):
        task = asyncio.create_task(case.driver.connect(case.stage.options()))
        for _ in range(turns):
            await asyncio.sleep(0 if turns < 5 else 0.0005)
        task.cancel()
        try:
            (await task).terminate()
        except asyncio.CancelledError:
            pass

    await until(lambda: case.stage.sockets() <= before, what="no socket is left")

    async def nobody_new() -> bool:
        return await case.stage.sessions() <= sessions

    await until(nobody_new, what="no session is left on the server")


async def test_a_silent_connect_can_be_cancelled(case: Case) -> None:
    """Cancelling works while the server says nothing."""
    async with case.stage.silent() as options:
        before = case.stage.sockets()
        task = asyncio.create_task(case.driver.connect(_within(options, 30)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: case.stage.sockets() <= before + 1, what="our socket is closed")


async def test_probe_tells_roles_apart(case: Case, connect: Any) -> None:
    """A probe says primary or replica, version and identity, and the free hint never says the contrary."""
    replies = []
    for options, role in ((case.stage.options(), Role.PRIMARY), (case.stage.replica_options(), Role.REPLICA)):
        connection = await connect(options)
        reply = await connection.probe()
        assert reply.role is role
        assert reply.server_version
        assert reply.flavor is connection.flavor
        assert connection.role_hint() in (role, Role.UNKNOWN)
        assert reply.lag is None or 0 <= reply.lag < 60
        replies.append(reply)
    assert replies[0].identity != replies[1].identity


def _within(options: Any, seconds: float) -> Any:
    from dataclasses import replace

    return replace(options, timeout=seconds)
