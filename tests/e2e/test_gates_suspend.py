"""Gates of a deployed run: suspended in Prefect, answered by REST as the UI does, or by the command line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from tests.e2e.conftest import Product, wait_for


def submit(services: Product, name: str, *words: str) -> str:
    """Submit a small brief and return its flow run's id."""
    return services.submit(name, *words)["flow_run_id"]


def api(services: Product, method: str, path: str, body: Any = None) -> Any:
    """Call the Prefect API of the services."""
    return services.api(method, path, body)


def resume(services: Product, flow_run_id: str, **answer: str) -> Any:
    """Answer the form as the UI's Resume does; Prefect says Paused a moment before it has saved the form."""
    form_text(services, flow_run_id)
    return api(services, "POST", f"/flow_runs/{flow_run_id}/resume", {"run_input": answer})


def test_approve_and_reject_by_rest_as_the_ui_does(services: Product) -> None:
    run = submit(services, "by-rest")
    first = services.gate("by-rest", "Discovery")
    assert resume(services, run, comment="no decision", reviewer="Bea")["status"] == "REJECT"
    assert resume(services, run, decision="approve")["status"] == "REJECT", "a decision needs a name"
    assert resume(services, run, decision="reject", reviewer="Bea")["status"] == "ACCEPT"  # no comment: asked again
    answered = resume(services, run, decision="reject", comment="Each book has a unique isbn.", reviewer="Bea")
    assert answered["status"] == "ACCEPT"
    second = services.gate("by-rest", "Discovery", other_than=first["id"])
    assert second["attempt"] == 2
    text = services.run("artifact", "by-rest", "user_requirements").stdout
    assert "isbn" in text, "the comment must reach the next attempt"
    assert resume(services, run, decision="approve", reviewer="Ann")["status"] == "ACCEPT"
    services.gate("by-rest", "Plan")
    audit = json.dumps(services.json("audit", "by-rest"))
    assert "Bea" in audit
    assert "Ann" in audit


def test_a_dozen_commands_answer_and_exactly_one_wins(services: Product) -> None:
    submit(services, "dozen")
    gate = services.gate("dozen", "Discovery")

    def answer(number: int) -> tuple[int, str]:
        words = ("approve",) if number % 2 else ("reject", "--comment", "no")
        done = services.run(words[0], gate["id"], *words[1:], "--by", f"person-{number}")
        return done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(answer, range(12)))
    winners = [text for code, text in answers if code == 0]
    assert len(winners) == 1, winners
    assert all("person-" in text for _, text in answers), "the others are told who decided"


def test_amending_opens_the_gate_again_and_old_decisions_are_stale(services: Product, tmp_path: Path) -> None:
    submit(services, "amended")
    gate = services.gate("amended", "Discovery")
    plan = services.json("artifact", "amended", "project_plan")["content"]
    plan["purpose"] = "To lend books to members of the club."
    changed = tmp_path / "plan.json"
    changed.write_text(json.dumps(plan), "utf-8")
    done = services.run("amend", gate["id"], "--artifact", "project_plan", "--file", str(changed), "--by", "Ann")
    assert done.returncode == 0, done.stderr
    again = services.gate("amended", "Discovery", other_than=gate["id"])
    assert again["hashes"]["project_plan"] != gate["hashes"]["project_plan"]
    stale = services.run("approve", gate["id"], "--by", "Bea")
    assert stale.returncode == 2, stale.stdout
    assert services.json("artifact", "amended", "project_plan")["version"] == 2


def test_an_answer_that_cannot_be_used_asks_again_and_fails_nothing(services: Product, tmp_path: Path) -> None:
    run = submit(services, "clumsy")
    gate = services.gate("clumsy", "Discovery")
    plan = services.json("artifact", "clumsy", "project_plan")["content"]
    answer = {"decision": "approve", "reviewer": "Ann", "amended_artifact": "project_plan"}
    assert resume(services, run, **answer, amended_content="{ no JSON")["status"] == "ACCEPT"
    assert "project_plan is not JSON" in form_text(services, run, why=True)
    again = services.gate("clumsy", "Discovery")
    assert again["id"] == gate["id"], "the gate stays open, with what it binds"
    broken = tmp_path / "broken.json"
    broken.write_text("{ no JSON", "utf-8")
    for path in (broken, tmp_path / "none.json"):
        done = services.run("amend", "clumsy", "--artifact", "project_plan", "--file", str(path), "--by", "Ann")
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    plan["purpose"] = "To lend books to members of the club."
    assert resume(services, run, **answer, amended_content=json.dumps(plan))["status"] == "ACCEPT"
    after = services.gate("clumsy", "Discovery", other_than=gate["id"])
    assert after["hashes"]["project_plan"] != gate["hashes"]["project_plan"], "amending is not approving"
    assert "members of the club" in form_text(services, run)
    assert resume(services, run, decision="approve", reviewer="Ann")["status"] == "ACCEPT"
    services.gate("clumsy", "Plan")
    services.run("cancel", "clumsy", "--by", "Ann")


def test_a_form_signed_by_no_person_is_asked_again(services: Product) -> None:
    run = submit(services, "unsigned")
    gate = services.gate("unsigned", "Discovery")
    assert resume(services, run, decision="reject", comment="No.", reviewer="policy:auto")["status"] == "ACCEPT"
    assert "not a person's name" in form_text(services, run, why=True)
    assert services.gate("unsigned", "Discovery")["id"] == gate["id"], "nothing was decided"
    assert resume(services, run, decision="approve", reviewer="Ann")["status"] == "ACCEPT"
    services.gate("unsigned", "Plan")
    assert services.phase("unsigned", "Discovery")["gate"]["by"] == "Ann"
    services.run("cancel", "unsigned", "--by", "Ann")


def form_text(services: Product, run: str, *, why: bool = False) -> str:
    """Return the text above the form that the suspended run shows now."""

    def newest() -> str:
        flow_run = api(services, "GET", f"/flow_runs/{run}")
        if flow_run["state_type"] != "PAUSED":
            return ""
        keys = flow_run["state"]["state_details"]["run_input_keyset"]
        try:
            text = str(api(services, "GET", f"/flow_runs/{run}/input/{keys['description']}"))
        except HTTPError:
            return ""  # not saved yet
        return text if not why or "Asked again" in text else ""

    return str(wait_for(newest, "the form", 120))


def test_two_projects_wait_side_by_side(services: Product) -> None:
    for name in ("left", "right"):
        submit(services, name)
    gates = {name: services.gate(name, "Discovery") for name in ("left", "right")}
    assert services.run("approve", "right", "--by", "Ann").returncode == 0
    services.gate("right", "Plan")
    assert services.gate("left", "Discovery")["id"] == gates["left"]["id"]
    assert services.run("approve", "left", "--by", "Ann").returncode == 0
    services.gate("left", "Plan")
    for name in ("left", "right"):
        services.run("cancel", name, "--by", "Ann")


def test_rejections_stop_the_project_when_its_attempts_are_used_up(services: Product) -> None:
    run = submit(services, "rejected")
    gate: dict[str, Any] = {"id": ""}
    for number in (1, 2, 3):
        gate = services.gate("rejected", "Discovery", other_than=gate["id"])
        assert gate["attempt"] == number
        done = services.run("reject", gate["id"], "--comment", f"Not good enough: {number}.", "--by", "Ann")
        assert done.returncode == 0, done.stderr
    services.status("rejected", "stopped")
    wait_for(lambda: api(services, "GET", f"/flow_runs/{run}")["state_name"] == "Stopped", "the run to say so", 60)
    for command in ("run", "submit"):
        refused = services.run(command, "--project", "rejected")
        assert refused.returncode == 4, refused.stdout + refused.stderr
        assert "botarmy rerun rejected --from PHASE" in refused.stderr
    versions = services.json("artifacts", "rejected")["artifacts"]
    assert max(each["version"] for each in versions) == 3, "each attempt made versions of its own; nothing is lost"
    assert services.run("rerun", "rejected", "--from", "Discovery", "--by", "Ann").returncode == 0
    services.submit_again("rejected")
    assert services.gate("rejected", "Discovery")["attempt"] == 4
    services.run("cancel", "rejected", "--by", "Ann")


def test_cancel_while_waiting(services: Product) -> None:
    run = submit(services, "cancelled")
    services.gate("cancelled", "Discovery")
    done = services.run("cancel", "cancelled", "--by", "Ann")
    assert done.returncode == 0, done.stderr
    services.status("cancelled", "cancelled")
    assert api(services, "GET", f"/flow_runs/{run}")["state_type"] == "CANCELLED"
    assert services.json("artifacts", "cancelled")["artifacts"], "nothing is lost"


def test_a_run_that_fails_in_prefect_is_followed_to_its_message(services: Product, tmp_path: Path) -> None:
    """The definitions are there when it is submitted, and gone when the worker begins it."""
    brief, mine = tmp_path / "brief.md", services.home / "short-lived"
    brief.write_text("# vanished\nEach book has a required title.\n", "utf-8")
    mine.mkdir()
    words = ("--project", "vanished", "--bmad", str(mine), "--gates", "suspend")
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(services.run, "run", str(brief), *words)
        services.gate("vanished", "Discovery")
        mine.rmdir()
        assert services.run("approve", "vanished", "--by", "Ann").returncode == 0
        done = following.result(120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "status    failed" in done.stdout
    assert str(mine) in done.stdout
