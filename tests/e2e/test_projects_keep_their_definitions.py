"""What a project was begun with it keeps: options that would change it are refused, never ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.factories.product import SMALL_BRIEF, Product, wait_for

KEPT = "kept"


@pytest.fixture(scope="module")
def kept(product: Product) -> str:
    """A finished project of the workflow `fast`, without a team."""
    path = product.home / f"{KEPT}.md"
    path.write_text(SMALL_BRIEF.format(name=KEPT), "utf-8")
    done = product.json("run", str(path), "--project", KEPT, "--workflow", "fast")
    assert done["workflow"] == "fast"
    return KEPT


@pytest.mark.parametrize("command", ["run", "submit"])
@pytest.mark.parametrize(
    ("words", "has", "wanted"),
    [
        (("--workflow", "sdlc"), "workflow fast", "workflow sdlc"),
        (("--team", "full-team"), "no team", "team full-team"),
        (("--set", "ui=no"), "no conditions", "conditions ui=no"),
    ],
)
def test_other_definitions_are_refused(
    product: Product, kept: str, command: str, words: tuple[str, ...], has: str, wanted: str
) -> None:
    before = product.show(kept)
    done = product.run(command, "--project", kept, *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"was begun with {has}; it cannot go on with {wanted}" in done.stderr
    assert "botarmy run BRIEF --project NAME" in done.stderr
    assert product.show(kept) == before


def test_a_directory_of_ones_own_is_refused_as_well(product: Product, kept: str, tmp_path: Path) -> None:
    done = product.run("run", "--project", kept, "--bmad", str(tmp_path))
    assert done.returncode == 2
    assert f"no directory; it cannot go on with directory {tmp_path}" in done.stderr.replace("\n", " ")


def test_the_same_definitions_go_on(product: Product, kept: str) -> None:
    brief = str(product.home / f"{kept}.md")
    for words in ((), ("--workflow", "fast"), (brief,), (brief, "--workflow", "fast")):
        given = [words[0], "--project", kept, *words[1:]] if words[:1] == (brief,) else ["--project", kept, *words]
        assert product.json("run", *given)["project"]["status"] == "completed"
    assert [each["slug"] for each in product.json("projects")["projects"]].count(kept) == 1


def test_another_brief_is_refused_by_submit_as_by_run(product: Product, kept: str, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("Each pen has a required colour.", "utf-8")
    for command in ("run", "submit"):
        done = product.run(command, str(other), "--project", kept)
        assert done.returncode == 2
        assert "has another brief" in done.stderr


@pytest.mark.parametrize("option", [("--provider", "offline"), ("--unsafe-no-sandbox",)])
def test_what_a_worker_cannot_do_is_refused_and_says_how(product: Product, kept: str, option: tuple[str, ...]) -> None:
    done = product.run("run", "--project", kept, "--gates", "suspend", *option)
    assert done.returncode == 2
    assert f"{option[0]} serves a run in this process" in done.stderr


def test_a_flow_run_with_other_definitions_fails_and_changes_nothing(services: Product) -> None:
    services.submit("kept-too")
    gate = services.gate("kept-too", "Discovery")
    deployment = services.api("GET", "/deployments/name/sdlc/default")["id"]
    parameters = {"project": "kept-too", "workflow": "fast"}
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    run = services.api("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]

    def failed() -> Any:
        state = services.api("GET", f"/flow_runs/{run}")["state"]
        return state if state["type"] == "FAILED" else None

    state = wait_for(failed, "the run to fail", 90)
    assert "was begun with workflow sdlc; it cannot go on with workflow fast" in state["message"]
    assert services.gate("kept-too", "Discovery")["id"] == gate["id"]
    services.run("cancel", "kept-too", "--by", "Ann")


def test_a_submitted_project_has_its_budget(services: Product) -> None:
    services.submit("limited", "--budget", "0.75")
    services.gate("limited", "Discovery")
    events = services.json("audit", "limited")["events"]
    assert [each for each in events if each["action"] == "budget set" and "0.75" in str(each["detail"])], events
    services.run("cancel", "limited", "--by", "Ann")


def test_a_budget_of_a_completed_project_is_said_to_do_nothing(product: Product, kept: str) -> None:
    for command in ("run", "submit"):
        done = product.run(command, "--project", kept, "--budget", "1")
        assert f"--budget does nothing now: {kept} is completed." in done.stderr
