"""Which errors end a project, and which leave it to the next run; how many runs in vain upkeep begins."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prefect.exceptions import Pause

from botarmy.errors import DefinitionError, Fenced, Unavailable
from botarmy.overview import error_of
from botarmy.records import Project, Status
from flows import recovery, sdlc
from flows.people import NobodyHere
from flows.recovery import MOST_RECOVERIES, recover
from storage.database import Database
from tasks.gate import GatePolicy
from tasks.project import Order, claim
from tasks.runtime import Runtime

RUN = "8d6e2c34-3f6b-4d3a-8d50-0f8d5b6b9f11"


def wired(database: Database, failure: BaseException | None = None) -> Any:
    """As much of a runtime as this needs; to serve the project fails."""

    async def serving(*_: Any) -> None:
        assert failure is not None
        raise failure

    made = SimpleNamespace(database=database, hold=None, serving=serving)
    made.settings = SimpleNamespace(recovery_window_s=60.0, botarmy_by="Ann")
    made.commit = partial(Runtime.commit, cast(Runtime, made))

    def holding(hold: Any, _: str) -> Any:
        held = wired(database, failure)
        held.hold = hold
        return held

    made.holding = holding
    return made


@pytest.fixture
async def project(database: Database) -> Project:
    async with database.work() as work:
        made = await work.projects.create("Shelf", "shelf", "b", "sdlc")
        await work.executions.start(made.id, "sdlc", RUN)
        await work.projects.set_status(made.id, Status.running)
    return made


async def stands(database: Database, project: Project) -> tuple[Project, dict[str, str] | None, list[str]]:
    async with database.read() as view:
        found = await view.projects.get(project.slug)
        events = await view.audit.of_project(project.id)
        runs = await view.executions.of_project(project.id)
    return found, error_of(found, events), [run.status.value for run in runs]


async def lived(database: Database, project: Project, failure: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdlc, "flow_run", SimpleNamespace(id=RUN))
    with pytest.raises(type(failure)):
        await sdlc._live(wired(database, failure), project, GatePolicy(approval=None), NobodyHere())


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (DefinitionError("The directory is gone.", hint="Bring it back."), "bad-definition", "The directory is gone."),
        (ValueError("a defect"), "unexpected", "unexpected: ValueError: a defect"),
        (KeyError("sk-" + "a" * 20), "unexpected", "unexpected: KeyError: '[secret]'"),
    ],
)
async def test_a_failure_ends_the_project_and_is_told(
    database: Database,
    project: Project,
    failure: Exception,
    code: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await lived(database, project, failure, monkeypatch)
    found, error, runs = await stands(database, project)
    assert (found.status, runs) == (Status.failed, ["failed"])
    assert error is not None
    assert (error["code"], error["message"]) == (code, message)
    assert error["hint"]


def behind(error: Exception) -> Exception:
    outer = RuntimeError("the engine gave up")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("Postgres is away."),
        Fenced("Another has it."),
        ConnectionResetError(),
        OSError("No space left on device"),
        httpx.ConnectError("All connection attempts failed"),
        behind(httpx.ReadTimeout("")),
        Pause(),
        asyncio.CancelledError(),
    ],
)
async def test_what_comes_back_or_is_no_failure_leaves_the_project_to_the_next_run(
    database: Database, project: Project, failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(database, project, failure, monkeypatch)
    found, error, runs = await stands(database, project)
    assert (found.status, error, runs) == (Status.running, None, ["running"])


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that recovery submits to a Prefect in which every run is dead."""
    made: list[str] = []

    def submit(*_: Any, **how: Any) -> dict[str, str]:
        made.append(f"run-{len(made) + 1}")
        return {"id": made[-1]}

    monkeypatch.setattr(recovery, "submit", submit)
    monkeypatch.setattr(recovery, "read_flow_run", lambda *_: None)
    return made


async def test_upkeep_begins_five_runs_in_vain_and_then_says_so(
    database: Database, project: Project, submitted: list[str]
) -> None:
    runtime, api = wired(database), cast(Any, None)
    for _ in range(MOST_RECOVERIES):
        assert await recover(runtime, api, project.id, "its run is gone")
    assert not await recover(runtime, api, project.id, "its run is gone")
    assert len(submitted) == MOST_RECOVERIES == 5
    found, error, runs = await stands(database, project)
    assert found.status is Status.failed
    assert runs == ["failed"] * 6
    assert error is not None
    assert error["code"] == "runs-break-off"
    assert error["message"].startswith("5 runs in succession broke off without a step forward.")
    assert "log" in error["hint"]
    assert not await recover(runtime, api, project.id, "its run is gone"), "a failed project is left alone"

    taken = await claim(runtime, "by-hand", Order(project="shelf"))
    assert (await stands(database, taken))[0].status is Status.pending, "taken up again, upkeep cares for it"
    assert await recover(runtime, api, project.id, "its run is gone")


async def test_a_step_forward_begins_the_count_anew(database: Database, project: Project, submitted: list[str]) -> None:
    runtime, api = wired(database), cast(Any, None)
    for number in range(MOST_RECOVERIES + 3):
        if number == 3:
            async with database.work() as work:
                await work.attempts.open(project.id, "Discovery", "analyst")
        assert await recover(runtime, api, project.id, "its run is gone")
    assert len(submitted) == MOST_RECOVERIES + 3
    assert not await recover(runtime, api, project.id, "its run is gone")


async def test_an_upkeep_that_was_killed_before_it_began_a_run_counts_for_nothing(
    database: Database, project: Project, submitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(name: str) -> None:
        if name == "upkeep.recovered.after":
            raise KeyboardInterrupt

    monkeypatch.setattr(recovery, "point", killed)
    for _ in range(MOST_RECOVERIES + 2):
        with pytest.raises(KeyboardInterrupt):
            await recover(wired(database), cast(Any, None), project.id, "its run is gone")
    monkeypatch.undo()
    assert submitted == []
    assert (await stands(database, project))[0].status is Status.running
