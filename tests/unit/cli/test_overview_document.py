from __future__ import annotations

import json
from decimal import Decimal

from botarmy.overview import model_note, overview, status_label
from botarmy.records import Status


def test_the_document_has_the_designed_shape(make_snapshot):
    document = overview(make_snapshot())
    assert list(document) == ["project", "workflow", "phases", "cost_usd", "budgets", "tokens", "export", "runs"]
    assert {"id", "name", "slug", "status"} <= set(document["project"])
    build = document["phases"][1]
    assert {"name", "agent", "status", "attempt", "verdict", "artifacts", "evidence"} <= set(build)
    assert (build["name"], build["status"], build["attempt"], build["verdict"]) == ("Build", "completed", 1, "pass")
    assert set(build["artifacts"][0]) == {"kind", "version", "sha256", "stale"}
    assert build["evidence"][0]["command"] == ["python", "-m", "unittest"]
    assert build["evidence"][0]["exit_code"] == 0
    assert "log" not in build["evidence"][0]
    json.dumps(document)


def test_a_phase_that_has_not_begun_is_pending(make_snapshot):
    launch = overview(make_snapshot())["phases"][2]
    assert launch["status"] == "pending"
    assert launch["attempt"] == 0
    assert launch["verdict"] is None
    assert launch["artifacts"] == []


def test_phases_that_only_attempts_know_are_told_as_well(make_snapshot):
    snapshot = make_snapshot().model_copy(update={"phases": ()})
    assert [item["name"] for item in overview(snapshot)["phases"]] == ["Discovery", "Build"]


def test_an_unknown_cost_is_null_and_not_zero(make_snapshot):
    snapshot = make_snapshot()
    spent = snapshot.spending.model_copy(update={"known_usd": Decimal("0.25")})
    assert overview(snapshot.model_copy(update={"spending": spent}))["cost_usd"] == 0.25
    unknown = spent.model_copy(update={"unknown_calls": 1})
    assert overview(snapshot.model_copy(update={"spending": unknown}))["cost_usd"] is None


def test_an_attempt_that_was_set_aside_does_not_count(make_snapshot):
    snapshot = make_snapshot()
    aside = snapshot.attempts[1].model_copy(update={"superseded": True})
    build = overview(snapshot.model_copy(update={"attempts": (snapshot.attempts[0], aside)}))["phases"][1]
    assert (build["status"], build["attempt"], build["evidence"]) == ("pending", 0, [])


def test_a_phase_with_an_open_gate_waits(make_snapshot):
    snapshot = make_snapshot(build=Status.running)
    open_gate = (
        make_snapshot()
        .gates[1]
        .model_copy(update={"status": Status.waiting, "decision": None, "decided_by": None, "decided_at": None})
    )
    build = overview(snapshot.model_copy(update={"gates": (open_gate,)}))["phases"][1]
    assert (build["status"], build["gate"]["decision"]) == ("waiting", None)


def test_a_void_gate_is_not_the_decision(make_snapshot):
    snapshot = make_snapshot()
    void = snapshot.gates[1].model_copy(update={"status": Status.cancelled, "decision": None})
    assert overview(snapshot.model_copy(update={"gates": (void,)}))["phases"][1]["gate"] is None


def test_the_decision_of_a_gate_is_told_with_who_made_it(make_snapshot):
    gate = overview(make_snapshot(by="Ada", comment="fine"))["phases"][1]["gate"]
    assert (gate["decision"], gate["by"], gate["comment"]) == ("approve", "Ada", "fine")


def test_a_scaffold_says_so(make_versions):
    assert model_note(make_versions("offline").values()) == "scaffold, no model"
    assert model_note(make_versions("openai").values()) == ""
    mixed = make_versions("openai") | {"source_code": make_versions("offline")["source_code"]}
    assert model_note(mixed.values()) == "scaffold without a model by coder"


def test_only_a_completed_project_carries_the_note():
    assert status_label(Status.completed, "scaffold, no model") == "completed (scaffold, no model)"
    assert status_label(Status.failed, "scaffold, no model") == "failed"
    assert status_label(Status.completed, "") == "completed"


def test_a_settled_budget_gate_does_not_hide_the_approval(make_snapshot):
    snapshot = make_snapshot(by="Ada")
    budget = snapshot.gates[1].model_copy(update={"kind": "budget", "decided_by": "Bea"})
    both = snapshot.model_copy(update={"gates": (*snapshot.gates, budget)})
    assert overview(both)["phases"][1]["gate"]["by"] == "Ada"
    waiting = budget.model_copy(update={"status": Status.waiting, "decision": None})
    build = overview(snapshot.model_copy(update={"gates": (*snapshot.gates, waiting)}))["phases"][1]
    assert (build["status"], build["gate"]["kind"]) == ("waiting", "budget")
