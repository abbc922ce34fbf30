"""What people see: documents, cost table and diagram in Prefect, names that say project and phase, `show --follow`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories.product import Product

SEEN = "seen"


@pytest.fixture(scope="module")
def waiting(services: Product) -> dict[str, str]:
    """A project that waits at its first gate; what `submit` printed."""
    made = services.submit(SEEN)
    services.gate(SEEN, "Discovery")
    return made


def shown(services: Product, key: str) -> dict[str, Any]:
    """Return the newest Prefect artifact under a key."""
    found: dict[str, Any] = services.api("GET", f"/artifacts/{key}/latest")
    return found


def test_documents_table_and_diagram_are_there_while_a_gate_waits(services: Product, waiting: dict[str, str]) -> None:
    document = shown(services, f"{SEEN}-user-requirements")
    assert document["type"] == "markdown"
    assert document["flow_run_id"] == waiting["flow_run_id"]
    assert "title" in document["data"]
    assert "user_requirements version 1" in document["description"]
    table = shown(services, f"{SEEN}-overview")
    assert table["type"] == "table"
    rows = json.loads(table["data"])
    assert [(row["phase"], row["agent"], row["cost USD"]) for row in rows] == [("Discovery", "analyst", "0")]
    diagram = shown(services, f"{SEEN}-diagram")["data"]
    assert "flowchart LR" in diagram
    for phase in ("Discovery", "Plan", "Design", "Build", "Validate", "Launch"):
        assert phase in diagram


def test_names_and_tags_say_project_phase_agent_and_provider(services: Product, waiting: dict[str, str]) -> None:
    run = services.api("GET", f"/flow_runs/{waiting['flow_run_id']}")
    assert run["name"] == SEEN
    wanted = {"task_runs": {"flow_run_id": {"any_": [run["id"]]}}}
    tasks = services.api("POST", "/task_runs/filter", wanted)
    assert [task["name"] for task in tasks] == [f"{SEEN} · Discovery · attempt 1"]
    assert {"agent:analyst", "provider:offline", f"project:{SEEN}"} <= set(tasks[0]["tags"])


def test_show_says_where_the_run_is(services: Product, waiting: dict[str, str]) -> None:
    assert "at Discovery (attempt 1) since" in services.run("show", SEEN).stdout
    runs = services.show(SEEN)["runs"]
    assert [(each["flow_run_id"], each["current_phase"]) for each in runs] == [(waiting["flow_run_id"], "Discovery")]
    assert services.run("cancel", SEEN, "--by", "Ann").returncode == 0
    ended = services.show(SEEN)["runs"][-1]
    assert (ended["status"], ended["phase_history"][-1]["status"]) == ("cancelled", "cancelled")


def test_follow_tells_each_change_to_the_end_where_no_person_is_needed(services: Product) -> None:
    services.submit("followed", "--approval", "when_needed")
    services.phase_begins("followed", "Discovery")
    done = services.run("show", "followed", "--follow", "--json")
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(documents) > 1
    assert documents[0]["project"]["status"] == "running"
    assert documents[-1]["project"]["status"] == "completed"
    completed = [sum(phase["status"] == "completed" for phase in each["phases"]) for each in documents]
    assert completed == sorted(completed)
    assert completed[-1] == 6
    history = documents[-1]["runs"][-1]["phase_history"]
    assert [each["phase"] for each in history] == ["Discovery", "Plan", "Design", "Build", "Validate", "Launch"]
    assert {each["status"] for each in history} == {"completed"}
    assert {phase["gate"]["by"] for phase in documents[-1]["phases"]} == {"policy:auto"}
