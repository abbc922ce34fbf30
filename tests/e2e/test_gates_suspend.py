"""Gates of a deployed run: suspended in Prefect, answered by REST as the UI does, or by the command line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Product, wait_for


def submit(services: Product, name: str, *words: str) -> str:
    """Submit a small brief and return its flow run's id."""
    return services.submit(name, *words)["flow_run_id"]


def api(services: Product, method: str, path: str, body: Any = None) -> Any:
    """Call the Prefect API of the services."""
    return services.api(method, path, body)


def resume(services: Product, flow_run_id: str, **answer: str) -> Any:
    """Answer the form as the UI's Resume does."""
    wait_for(
        lambda: api(services, "GET", f"/flow_runs/{flow_run_id}")["state_type"] == "PAUSED", "the suspended run", 60
    )
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


def test_cancel_while_waiting(services: Product) -> None:
    run = submit(services, "cancelled")
    services.gate("cancelled", "Discovery")
    done = services.run("cancel", "cancelled", "--by", "Ann")
    assert done.returncode == 0, done.stderr
    services.status("cancelled", "cancelled")
    assert api(services, "GET", f"/flow_runs/{run}")["state_type"] == "CANCELLED"
    assert services.json("artifacts", "cancelled")["artifacts"], "nothing is lost"
