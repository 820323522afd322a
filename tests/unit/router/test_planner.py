"""The planner: which hostgroup, what veto, what refusal, and a cache that stays bounded."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter import ParameterError, SessionStatementError, StatementRejectedError
from dbrouter.config import load
from dbrouter.router import learned as learned_module
from dbrouter.router import plancache as planning
from dbrouter.router import planner as planner_module
from dbrouter.router.build import build
from dbrouter.router.plan import Plan
from dbrouter.router.plancache import PlanCache
from dbrouter.router.planner import Planner

SMALL = {"writer": "postgresql://app@127.0.0.1/app", "readers": ["postgresql://app@127.0.0.2/app"]}
MYSQL = {"writer": "mysql://app@127.0.0.1/app", "readers": ["mysql://app@127.0.0.2/app"]}


def planner(source: dict[str, Any] = SMALL, **extra: Any) -> Planner:
    return build(load({**source, **extra})).contexts[0].planner


def name(plan: Plan) -> str:
    return plan.hostgroup.name.rpartition("-")[2]


def test_the_order_of_who_decides() -> None:
    """hostgroup= over route= over rules over the default."""
    rules = [{"rule_id": 5, "match_digest": "^SELECT \\* FROM audit", "destination_hostgroup": 1, "apply": True}]
    plans = planner(query_rules=rules)
    text = "SELECT * FROM audit"

    assert name(plans.plan("SELECT 1")) == "read"
    assert name(plans.plan(text)) == "write" and plans.plan(text).rule_id == 5
    assert name(plans.plan(text, route="read")) == "read"
    assert name(plans.plan(text, route="read", hostgroup=1)) == "write"
    assert name(plans.plan(text, hostgroup="app-read")) == "read"


def test_unknown_places_are_refused_by_name() -> None:
    """A hostgroup or route that does not exist says which do."""
    plans = planner()
    with pytest.raises(ParameterError, match="app-write"):
        plans.plan("SELECT 1", hostgroup="nowhere")
    with pytest.raises(ParameterError, match="'read' or 'write'"):
        plans.plan("SELECT 1", route="sideways")
    with pytest.raises(TypeError, match="bytes"):
        plans.plan(b"SELECT 1")  # type: ignore[arg-type]  # what is tested


def test_rules_set_time_limit_and_retries() -> None:
    """A rule's timeout and retries are the plan's."""
    rules = [{"rule_id": 1, "tag": "report", "timeout": "90s", "retries": 7}]
    plans = planner(query_rules=rules)

    assert plans.plan("SELECT 1", tag="report").timeout == 90.0
    assert plans.plan("SELECT 1", tag="report").attempts == 8
    assert plans.plan("SELECT 1").timeout == 30.0


def test_a_writable_reader_hostgroup_is_vetoed_all_the_same() -> None:
    """read_only: false alone opens no door: a rule must say unsafe as well."""
    login = "postgresql://app@/app"

    def source(**rule: Any) -> dict[str, Any]:
        return {
            "databases": {"app": {"engine": "postgresql", "dsn": login, "writer_hostgroup": 1, "reader_hostgroup": 2}},
            "hostgroups": [
                {"id": 1, "servers": ["127.0.0.1"]},
                {"id": 2, "servers": ["127.0.0.2"], "read_only": False},
            ],
            "query_rules": [{"rule_id": 1, "match_digest": "^DELETE", "destination_hostgroup": 2, "apply": True, **rule}],
        }

    careless, meant = planner(source()).plan("DELETE FROM t"), planner(source(unsafe=True)).plan("DELETE FROM t")

    assert careless.veto is not None and careless.hostgroup.id == 1
    assert planner(source()).plan("DELETE FROM t", hostgroup=2).hostgroup.id == 1
    assert meant.veto is None and meant.hostgroup.id == 2


def test_an_error_rule_forbids_on_pinned_connections_too() -> None:
    """error_msg becomes the refusal of pooled and of pinned calls."""
    rules = [{"rule_id": 3, "match_digest": "DROP TABLE", "error_msg": "ask first", "apply": True}]
    plan = planner(query_rules=rules).plan("DROP TABLE x")

    assert plan.forbidden is not None and plan.refusal is plan.forbidden
    refusal = plan.forbidden()
    assert isinstance(refusal, StatementRejectedError) and refusal.rule_id == 3 and "ask first" in str(refusal)


@pytest.mark.parametrize("text", ["", "  ", "-- nothing", "/* nothing */ ;"])
def test_nothing_is_refused(text: str) -> None:
    """Text without a statement never reaches a server."""
    refusal = planner().plan(text).refusal

    assert refusal is not None and "no statement" in str(refusal())


def test_several_statements() -> None:
    """PostgreSQL: the primary, as a script, without parameters; MySQL: refused."""
    plan = planner().plan("SELECT 1; SELECT 2")
    assert plan.script and name(plan) == "write" and plan.refusal is None
    refusal = planner().plan("SELECT $1; SELECT 2").refusal
    assert refusal is not None and "batch" in str(refusal())
    refusal = planner(MYSQL).plan("SELECT 1; SELECT 2").refusal
    assert refusal is not None and "stacked" in str(refusal())


def test_session_statements_can_be_allowed_but_never_transactions() -> None:
    """allow: they run on the primary and taint their connection; BEGIN stays refused."""
    strict, allowed = planner(), planner(session_statements="allow")

    assert isinstance(_raised(strict.plan("SET work_mem = '8MB'")), SessionStatementError)
    plan = allowed.plan("SET work_mem = '8MB'")
    assert plan.refusal is None and plan.taints and name(plan) == "write"
    assert isinstance(_raised(allowed.plan("BEGIN")), SessionStatementError)


def _raised(plan: Plan) -> Exception:
    assert plan.refusal is not None
    return plan.refusal()


def test_learned_writes_change_plans_at_once() -> None:
    """A digest that a server refused counts as a write, whatever was cached."""
    plans = planner()
    before = plans.plan("SELECT f(1)")
    assert name(before) == "read"

    assert plans.learn_write(before.statement, 0.0) is True
    assert plans.learn_write(before.statement, 0.0) is False

    assert name(plans.plan("SELECT f(1)")) == "write"
    assert name(plans.plan("SELECT f(2)")) == "write", "the same digest"
    assert name(plans.plan("SELECT g(2)")) == "read"


def test_changed_functions_are_known_no_more() -> None:
    """Neither refusals nor what the catalog said outlive the function they were about; plans made with them neither."""
    plans = planner()
    plans.learn_write(plans.plan("SELECT f(1)").statement, 0.0)
    plans.catalog.unasked(["g"])
    plans.catalog.learn(["g"], [{"name": "g", "schema": "public", "harmless": True}])
    assert name(plans.plan("SELECT f(1)")) == "write" and not plans.plan("SELECT g(1)").reset

    plans.functions_changed()

    assert name(plans.plan("SELECT f(1)")) == "read" and plans.plan("SELECT g(1)").reset
    assert plans.catalog.unasked(["g"]) == ("g",), "it is asked again"


def test_learned_writes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest digest is forgotten when the memory is full."""
    monkeypatch.setattr(learned_module, "LIMIT", 3)
    plans = planner()
    for number in range(10):
        plans.learn_write(plans.plan(f"SELECT f_{number}(1)").statement, 0.0)

    assert plans.learned == 3


def test_the_cache_keeps_what_is_used_and_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two generations: a text in use survives any number of others; the whole stays within its bounds."""
    monkeypatch.setattr(planning, "PLAN_CACHE_ENTRIES", 100)
    plans = planner()
    kept = plans.plan("SELECT 'kept'")
    for number in range(1000):
        plans.plan(f"SELECT {number}")
        assert plans.plan("SELECT 'kept'") is kept
        assert len(plans.cache) <= 202


def test_the_cache_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few long texts fill it as well as many short ones; the longest are never kept."""
    monkeypatch.setattr(planning, "PLAN_CACHE_BYTES", 10_000)
    monkeypatch.setattr(planning, "PLAN_TEXT_LIMIT", 5_000)
    plans = planner()
    for number in range(50):
        plans.plan(f"SELECT {number} -- {'x' * 1000}")

    assert len(plans.cache) <= 10
    plans.plan(f"SELECT 1 -- {'x' * 6000}")
    assert plans.cache.get(f"SELECT 1 -- {'x' * 6000}") is None


def test_an_empty_cache_answers_nothing() -> None:
    """No key, no plan."""
    assert PlanCache().get("SELECT 1") is None


def test_rule_hits_stay_right_when_plans_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many combinations of rules match, few are kept and no call is lost, whatever the cache forgets."""
    monkeypatch.setattr(planner_module, "PLAN_CACHE_ENTRIES", 8)
    rules = [{"rule_id": bit, "match_pattern": f"b{bit}_"} for bit in range(1, 6)]
    plans = planner(query_rules=rules)
    texts = ["SELECT " + ", ".join(["1", *(f"b{bit}_" for bit in range(1, 6) if number >> bit - 1 & 1)]) for number in range(32)]

    for turn in range(1, 4):
        for text in texts:
            plans.plan(text).tally.calls += 1
            plans.plan(text).tally.calls += 1
            assert len(plans._tallies) <= 8
        plans.learn_write(plans.plan(texts[turn]).statement, 0.0)
        assert plans.hits == dict.fromkeys(range(1, 6), turn * 32)

    plans.plan("SELECT 'never called', b1_")
    assert plans.hits[1] == 96


def test_names_bind_only_where_they_are_meant() -> None:
    """A mapping binds where the text has names; a text without parameters is sent as it is, names or not."""
    plans = planner()
    text, values = plans.plan("SELECT * FROM t WHERE a = :a AND b = :b AND c = :a").bind([{"a": 1, "b": 2}])
    assert text == "SELECT * FROM t WHERE a = $1 AND b = $2 AND c = $1" and tuple(values) == (1, 2)

    untouched = plans.plan("SELECT $1::jsonb")
    assert untouched.bind([{"a": 1}]) == ("SELECT $1::jsonb", [{"a": 1}])
    with pytest.raises(ParameterError, match=":a"):
        plans.plan("SELECT :a").bind([1])
