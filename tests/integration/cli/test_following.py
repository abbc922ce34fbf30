"""`submit` refuses what cannot run; `run --gates suspend` ends where nobody goes on with what it follows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import cli.following
import cli.submit
import flows.api
from botarmy.records import Status
from flows.server import PrefectApi
from storage.database import Database
from tests.integration.cli.conftest import Botarmy

RUN = "8d6e2c34-3f6b-4d3a-8d50-0f8d5b6b9f11"
BRIEF = "# Shelf\nEach book has a required title.\n"


@pytest.fixture
def brief(home: Path) -> Path:
    path = home / "brief.md"
    path.write_text(BRIEF, "utf-8")
    return path


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is submitted to a Prefect that takes everything."""
    made: list[dict[str, Any]] = []

    def submit(_api: Any, _deployment: str, parameters: dict[str, Any], **_: Any) -> dict[str, str]:
        made.append(parameters)
        return {"id": RUN, "name": "shelf"}

    monkeypatch.setattr(flows.api, "find_api", lambda *_: PrefectApi(url="http://127.0.0.1:1/api"))
    monkeypatch.setattr(flows.api, "submit", submit)
    return made


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--workflow", "nosuch"), "nosuch"),
        (("--team", "nosuch"), "nosuch"),
        (("--team", "trial-team"), "does not do the workflow"),
        (("--bmad", "broken"), "broken"),
        (("--set", "=x=y"), "=x=y"),
    ],
)
@pytest.mark.parametrize("command", [("submit",), ("run", "--gates", "suspend")])
def test_what_cannot_run_is_not_submitted(
    botarmy: Botarmy,
    brief: Path,
    home: Path,
    submitted: list[dict[str, Any]],
    command: tuple[str, ...],
    words: tuple[str, ...],
    says: str,
) -> None:
    flow = home / "broken" / "workflows"
    flow.mkdir(parents=True)
    (flow / "sdlc-workflow.yaml").write_text("workflow: [broken\n", "utf-8")
    said = botarmy(*command, brief, *words)
    assert said.code == 2, said.err
    assert says in said.err
    assert "fix: " in said.err
    assert submitted == []
    assert botarmy("projects", "--json").json["projects"] == []


def test_a_project_whose_directory_is_gone_is_not_submitted_again(
    botarmy: Botarmy, database_url: str, home: Path, submitted: list[dict[str, Any]]
) -> None:
    asyncio.run(store(database_url, Status.failed, bmad=str(home / "gone")))
    said = botarmy("submit", "--project", "shelf")
    assert said.code == 2
    assert str(home / "gone") in said.err
    assert submitted == []


def test_what_can_run_is_submitted(botarmy: Botarmy, brief: Path, submitted: list[dict[str, Any]]) -> None:
    said = botarmy("submit", brief, "--workflow", "fast", "--team", "trial-team")
    assert said.code == 0, said.err
    assert [(each["workflow"], each["team"]) for each in submitted] == [("fast", "trial-team")]


def test_that_an_existing_project_was_submitted_is_written_down(
    botarmy: Botarmy, database_url: str, submitted: list[dict[str, Any]]
) -> None:
    asyncio.run(store(database_url, Status.running))
    assert botarmy("submit", "--project", "shelf").code == 0
    assert len(submitted) == 1
    assert "project submitted" in [each["action"] for each in botarmy("audit", "shelf", "--json").json["events"]]


async def store(url: str, status: Status, *runs: str, **settings: str) -> None:
    """Store a project with its runs; each but the last has failed."""
    database = Database(url)
    async with database.work() as work:
        project = await work.projects.create("Shelf", "shelf", BRIEF, "sdlc", settings)
        await work.projects.set_status(project.id, status)
        for run in runs:
            await work.executions.start(project.id, "sdlc", run)
    await database.close()


def answers(monkeypatch: pytest.MonkeyPatch, **states: str) -> list[str]:
    """Let Prefect know these runs ("a" for RUN); return the ids that were asked for."""
    asked: list[str] = []

    def read(_api: Any, flow_run_id: str) -> dict[str, Any] | None:
        asked.append(flow_run_id)
        state = states.get("a" if flow_run_id == RUN else flow_run_id)
        if not state:
            return None
        message = "There is no workflow 'nosuch'."
        return {"id": flow_run_id, "name": "shelf", "state_type": state, "state": {"message": message}}

    monkeypatch.setattr(flows.api, "read_flow_run", read)
    monkeypatch.setattr(cli.following, "POLL_S", 0.01)
    return asked


@pytest.mark.parametrize(("state", "word"), [("FAILED", "failed"), ("CANCELLED", "cancelled"), ("", "gone")])
def test_a_run_that_ended_without_a_project_is_followed_no_longer(
    botarmy: Botarmy,
    brief: Path,
    submitted: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    word: str,
) -> None:
    answers(monkeypatch, a=state)
    said = botarmy("run", brief, "--gates", "suspend")
    assert said.code == 1
    assert f"The flow run {'shelf' if state else '?'} is {word} in Prefect." in said.err
    assert not state or "There is no workflow 'nosuch'." in said.err
    assert "No project was made." in said.err
    assert len(submitted) == 1


@pytest.mark.parametrize("state", ["FAILED", "CRASHED", "COMPLETED"])
def test_a_run_that_broke_off_is_waited_for_as_long_as_upkeep_may_take(
    botarmy: Botarmy,
    brief: Path,
    database_url: str,
    submitted: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    asyncio.run(store(database_url, Status.running, RUN))
    monkeypatch.setattr(cli.following, "TURN_OF_UPKEEP_S", 0.5)
    asked = answers(monkeypatch, a=state)
    said = botarmy("run", brief, "--gates", "suspend", BOTARMY_RECOVERY_WINDOW_S="1")
    assert said.code == 1
    assert "Upkeep begins another run for it." in said.err
    assert "botarmy submit --project shelf" in said.err
    assert len(asked) > 2


def test_the_run_that_upkeep_began_is_followed(
    botarmy: Botarmy, brief: Path, database_url: str, submitted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(store(database_url, Status.running, RUN, "next"))
    answers(monkeypatch, a="CRASHED", next="RUNNING")
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            asyncio.run(completed(database_url))

    monkeypatch.setattr(cli.following.time, "sleep", sleep)
    said = botarmy("run", brief, "--gates", "suspend")
    assert said.code == 0, said.err
    assert looks == 3


async def completed(url: str) -> None:
    database = Database(url)
    async with database.work() as work:
        project = await work.projects.get("shelf")
        await work.projects.set_status(project.id, Status.completed)
    await database.close()
