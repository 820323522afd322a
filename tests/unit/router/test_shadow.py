"""Shadow rules: what they would change is counted and told, never followed, and costs nobody else anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbrouter import ConfigError, StatementRejectedError, context
from dbrouter.config import load
from dbrouter.events import ShadowDiffered
from dbrouter.integrations.logging import LogObserver
from dbrouter.router import shadow as shadows
from tests.fakes import cluster, configuration, opened
from tests.watching import Listener


def candidate(tmp_path: Path, text: str) -> str:
    """A file of shadow rules."""
    path = tmp_path / "candidate.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


TO_WRITER = "query_rules: [{rule_id: 7, match_digest: orders, destination_hostgroup: write, apply: true}]"


async def test_a_difference_is_counted_and_told_and_not_followed(tmp_path: Path) -> None:
    """The call goes where the live rules say; the digest is listed once, with every call of it."""
    listener = Listener()
    async with opened(cluster(), shadow_rules=candidate(tmp_path, TO_WRITER), observers=[listener]) as router:
        for number in (1, 2, 2):
            result = await router.execute(f"SELECT {number} AS orders")
            assert result.route.hostgroup == "read"
        await router.execute("SELECT 1 AS items")

        report = router.shadow_report()
        assert report is not None
        (difference,) = report.differences
        assert (difference.live, difference.candidate) == ("read", "write")
        assert (difference.live_rule_id, difference.candidate_rule_id) == (None, 7)
        assert (difference.plans, difference.calls) == (2, 3)
        assert difference.digest_text == "SELECT ? AS orders"
        (database,) = report.databases
        assert (database.plans, database.differing_plans, database.more, database.errors) == (3, 2, 0, 0)
        stats = router.stats().databases[0]
        assert (stats.shadow_plans, stats.shadow_digests, stats.shadow_calls) == (3, 1, 3)
    assert [event.digest for event in listener.of(ShadowDiffered)] == [difference.digest]


async def test_only_differing_plans_are_sent_to_be_tidied(tmp_path: Path) -> None:
    """A cached call whose destination stays has the same plan, flags and all, as without shadow rules."""
    async with opened(cluster(), shadow_rules=candidate(tmp_path, TO_WRITER)) as router:
        planner = router._parts.contexts[0].planner

        assert planner.plan("SELECT 1 AS items").tidy is False
        assert planner.plan("SELECT 1 AS orders").tidy is True


async def test_a_refusal_is_a_destination(tmp_path: Path) -> None:
    """A candidate that forbids, or no longer forbids, changes where a statement goes."""
    rules = "query_rules: [{rule_id: 3, match_digest: orders, error_msg: 'no'}]"
    live = [{"rule_id": 1, "match_digest": "items", "error_msg": "no"}]
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules), query_rules=live) as router:
        await router.execute("SELECT 1 AS orders")
        with pytest.raises(StatementRejectedError):
            await router.execute("SELECT 1 AS items")

        report = router.shadow_report()
        assert report is not None
        assert {(one.digest_text, one.live, one.candidate, one.calls) for one in report.differences} == {
            ("SELECT ? AS orders", "read", "refused", 1),
            ("SELECT ? AS items", "refused", "read", 0),
        }


async def test_what_no_connection_of_the_pool_may_take_is_a_destination(tmp_path: Path) -> None:
    """A candidate that makes session state, or several statements, of a text would have its calls refused."""
    rules = """query_rules:
      - {rule_id: 3, match_pattern: 'AS orders$', replace_pattern: 'AS orders; BEGIN'}
      - {rule_id: 4, match_pattern: '^SELECT 1 AS path$', replace_pattern: 'SET search_path TO elsewhere'}
      - {rule_id: 5, match_digest: '^SET search', error_msg: 'no'}
    """
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules)) as router:
        await router.execute("SELECT 1 AS orders")
        await router.execute("SELECT 1 AS path")
        async with router.connection() as connection:
            await connection.execute("SET search_path TO here")

        report = router.shadow_report()
        assert report is not None
        assert {(one.digest_text, one.live, one.candidate) for one in report.differences} == {
            ("SELECT ? AS orders", "read", "unpooled"),
            ("SELECT ? AS path", "read", "unpooled"),
            ("SET search_path TO here", "unpooled", "refused"),
        }


async def test_calls_that_no_server_answers_are_counted(tmp_path: Path) -> None:
    """Those that the cache or a rule of the live set answers are calls that would go elsewhere, too."""
    live = [{"rule_id": 1, "match_digest": "kept", "cache_ttl": "10m"}, {"rule_id": 2, "match_digest": "fine", "OK_msg": "fine"}]
    rules = "query_rules: [{rule_id: 7, match_digest: orders, destination_hostgroup: write}]"
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules), query_rules=live) as router:
        for _ in range(3):
            await router.execute("SELECT 1 AS kept_orders")
            await router.execute("SELECT 1 AS fine_orders")

        report = router.shadow_report()
        assert report is not None
        assert {(one.digest_text, one.live, one.calls) for one in report.differences} == {
            ("SELECT ? AS kept_orders", "read", 3),
            ("SELECT ? AS fine_orders", "answered", 3),
        }


async def test_the_veto_holds_for_the_candidate_too(tmp_path: Path) -> None:
    """A candidate that would send a write to readers changes nothing, because it would be vetoed."""
    rules = "query_rules: [{rule_id: 3, match_digest: '.', destination_hostgroup: read}]"
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules)) as router:
        planner = router._parts.contexts[0].planner
        planner.plan("INSERT INTO t VALUES (1)")

        report = router.shadow_report()
        assert report is not None and report.differences == ()
        assert report.databases[0].plans == 1


async def test_the_number_of_digests_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit differences are counted and no longer listed."""
    monkeypatch.setattr(shadows, "DIGEST_LIMIT", 3)
    async with opened(cluster(), shadow_rules=candidate(tmp_path, TO_WRITER)) as router:
        for number in range(8):
            await router.execute(f"SELECT 1 AS orders{number}")

        report = router.shadow_report()
        assert report is not None
        assert len(report.differences) == 3
        assert (report.databases[0].differing_plans, report.databases[0].more) == (8, 5)


async def test_a_session_that_is_tainted_is_still_replaced(tmp_path: Path) -> None:
    """Counting a call does not keep its connection from being closed where the statement left state on it."""
    rules = "query_rules: [{rule_id: 3, match_digest: '^SET', error_msg: 'no'}]"
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules), session_statements="allow") as router:
        await router.execute("SET search_path TO elsewhere")

        assert router.shadow_report().differences[0].calls == 1  # type: ignore[union-attr]
        closed = {why for member in router.stats().members for why in member.pool.closed}
        assert "session_state" in closed


async def test_the_file_is_read_again_at_reload_and_counting_goes_on_where_rules_stay(tmp_path: Path) -> None:
    """Another server keeps the counts; other shadow rules begin anew; without the key there is no report."""
    servers = cluster()
    file = candidate(tmp_path, TO_WRITER)
    async with opened(servers, shadow_rules=file) as router:
        await router.execute("SELECT 1 AS orders")
        base = configuration(start="all", shadow_rules=file)

        await router.reload({**base, "pool": {"max_size": 4}})
        await router.execute("SELECT 1 AS orders")
        assert router.shadow_report().differences[0].calls == 2  # type: ignore[union-attr]

        candidate(tmp_path, TO_WRITER.replace("orders", "items"))
        report = await router.reload(base)
        assert "shadow rule 7 changed: match_digest changed" in report.changes
        await router.execute("SELECT 1 AS orders")
        await router.execute("SELECT 1 AS items")
        assert [one.digest_text for one in router.shadow_report().differences] == ["SELECT ? AS items"]  # type: ignore[union-attr]

        await router.reload(configuration(start="all"))
        assert router.shadow_report() is None


async def test_each_digest_has_its_log_line(tmp_path: Path) -> None:
    """Two digests in one moment are two lines, not one that is repeated."""
    lines: list[dict[str, Any]] = []
    observer = LogObserver(lambda level, name, values: lines.append({"name": name, **values}))
    async with opened(cluster(), shadow_rules=candidate(tmp_path, TO_WRITER), observers=[observer]) as router:
        await router.execute("SELECT 1 AS orders")
        await router.execute("SELECT 1 AS orders, 2")

    told = [line["digest_text"] for line in lines if line["name"] == "shadow.differed"]
    assert told == ["SELECT ? AS orders", "SELECT ? AS orders,?"]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("query_rules: [{rule_id: 1, destination_hostgroup: nowhere}]", "query_rules[0].destination_hostgroup", "no hostgroup"),
        ("query_rules: [{rule_id: 1, match_digest: '('}]", "query_rules[0].match_digest", "("),
        ("query_rules: [{rule_id: 1}, {rule_id: 1}]", "query_rules[1].rule_id", "is there twice"),
        ("query_rule: []", "query_rule", "did you mean 'query_rules'"),
        ("[]", "", "not a mapping with query_rules"),
        ("query_rules: 5", "query_rules", "not a list of rules"),
    ],
)
def test_shadow_rules_are_checked_like_live_ones(tmp_path: Path, text: str, path: str, message: str) -> None:
    """Problems name the file, the line and the path; the live rules' own problems are told with them."""
    file = candidate(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load(configuration(shadow_rules=file, query_rules=[{"rule_id": 1, "destination_hostgroup": 99}]))

    (problem,) = [problem for problem in caught.value.problems if problem.file == file and problem.path == path]
    assert message in problem.message
    assert any(
        problem.path == "query_rules[0].destination_hostgroup" and problem.file is None for problem in caught.value.problems
    )


def test_the_path_is_relative_to_the_file_and_names_may_be_given(tmp_path: Path) -> None:
    """A candidate may call hostgroups by names of its own."""
    config = tmp_path / "sub" / "dbrouter.yaml"
    config.parent.mkdir()
    config.write_text(
        "writer: postgresql://app@db1/shop\nreaders: [postgresql://app@db2/shop]\nshadow_rules: ../candidate.yaml\n"
    )
    candidate(
        tmp_path, "hostgroups: [{id: 1, name: primary}]\nquery_rules: [{rule_id: 1, tag: x, destination_hostgroup: primary}]"
    )

    loaded = load(config)

    assert loaded.shadow_rules is not None
    assert [rule.destination_hostgroup for rule in loaded.shadow_rules.query_rules] == [1]
    assert load(loaded) is loaded


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(ConfigError, match=r"nothing\.yaml: there is no such file"):
        load(configuration(shadow_rules=str(tmp_path / "nothing.yaml")))


async def test_candidates_that_ask_who_calls_are_asked_for_every_caller(tmp_path: Path) -> None:
    """The same text of two users is two plans, as it would be with the candidate live."""
    rules = "query_rules: [{rule_id: 3, username: reporter, destination_hostgroup: write}]"
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules)) as router:
        for user in ("app", "reporter", "reporter"):
            with context(username=user):
                assert (await router.execute("SELECT 1")).route.hostgroup == "read"

        report = router.shadow_report()
        assert report is not None
        assert [(one.candidate, one.calls) for one in report.differences] == [("write", 2)]


async def test_an_answer_without_a_server_is_a_destination(tmp_path: Path) -> None:
    """A candidate with an `OK_msg` would send nothing."""
    rules = "query_rules: [{rule_id: 3, match_digest: orders, OK_msg: fine}]"
    async with opened(cluster(), shadow_rules=candidate(tmp_path, rules)) as router:
        assert len(await router.execute("SELECT 1 AS orders")) == 1

        report = router.shadow_report()
        assert report is not None
        assert [(one.live, one.candidate, one.calls) for one in report.differences] == [("read", "answered", 1)]
