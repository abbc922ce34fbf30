"""Two at once on one project: real processes, real Postgres, a real Prefect server. One does the work."""

from __future__ import annotations

import asyncio
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from botarmy.records import Project, Status
from flows.api import crashed
from flows.recovery import is_gone, recover
from tests.e2e.durability.conftest import BRIEF, Scene, ended, stopped
from tests.factories import papers

pytestmark = pytest.mark.asyncio(loop_scope="session")
SHORT = {"BOTARMY_HOLD_LIMIT_S": "2"}


def upkeeps_runtime(scene: Scene) -> Any:
    """As much of a runtime as recovery needs, on the real database."""
    return SimpleNamespace(database=scene.site.database, settings=SimpleNamespace(recovery_window_s=60.0))


async def test_of_two_runs_one_does_the_work_and_nothing_moves_below_it(scene: Scene) -> None:
    """A second run, a rollback and a rerun come while a run is in the middle of a phase."""
    first = await scene.run("twice", crash="call.settled.after@Design=stop")
    await stopped(first)
    before = await scene.stored("twice")
    others = {
        "run": scene.done("twice", "run", "--project", "twice"),
        "run as JSON": scene.done("twice", "run", "--project", "twice", "--json"),
        "rollback": scene.done("twice", "rollback", "twice", "--to", "Discovery", "--by", "Ann"),
        "rerun": scene.done("twice", "rerun", "twice", "--from", "Plan", "--by", "Ann"),
    }
    told = dict(zip(others, await asyncio.gather(*others.values()), strict=True))
    for what, (code, text) in told.items():
        assert code == 1, (what, text)
        assert "Project twice is held by flow run" in text, (what, text)
        assert f"(process {await first.born} on " in text, (what, text)
    assert "fix: One run at a time works on a project" in told["run"][1]
    assert '"code": "held"' in told["run as JSON"][1]
    assert await scene.stored("twice") == before
    await first.kill(signal.SIGCONT)
    code, text = await ended(first)
    assert code == 0, text
    assert await scene.attempts("twice") == [(phase, 1, "completed") for phase in papers.PHASES]
    assert scene.site.model.repeats("twice") == {}, "nothing was asked twice"
    code, text = await scene.done("twice", "rollback", "twice", "--to", "Discovery", "--by", "Ann")
    assert code == 0, text


async def test_a_run_that_comes_back_from_a_long_pause_writes_nothing(scene: Scene) -> None:
    """It is stopped in the middle of a transaction, with the answer of a call in it that is not committed."""
    first = await scene.run("paused", crash="call.settled.before@Plan=stop", **SHORT)
    await stopped(first)
    while True:
        code, text = await ended(await scene.run("paused", **SHORT))
        if "is held by" not in text:
            break
        assert code == 1, text
    assert code == 0, text
    before = await scene.stored("paused")
    await first.kill(signal.SIGCONT)
    code, text = await ended(first)
    assert code == 1, text
    assert "no longer holds project paused" in text
    assert "fix: Nothing to mend: the other run goes on with the project." in text
    assert await scene.stored("paused") == before, "it has written"
    assert await scene.attempts("paused") == [(phase, 1, "completed") for phase in papers.PHASES]
    repeated = scene.site.model.repeats("paused")
    assert sum(map(len, repeated.values())) == 1, f"the one call whose answer was not committed: {repeated}"


async def test_two_processes_of_one_flow_run_and_a_second_flow_run(scene: Scene) -> None:
    """A worker starts a run that another already carries out; and somebody submits the project once more."""
    run = await scene.submit("shared", brief="# Shelf\nEach book has a required title.\n", name="shared")
    first = await scene.start("flow", "shared", run, crash="save.after@Discovery=stop")
    await stopped(first)
    code, text = await ended(await scene.start("flow", "shared", run))
    assert code == 0, text
    second = await scene.submit("shared-again", project="shared")
    await ended(await scene.start("flow", "shared", second))
    other = await scene.flow_run(second)
    assert (other["state_type"], other["state_name"]) == ("COMPLETED", "Held elsewhere")
    assert "is held by flow run" in other["state"]["message"]
    await first.kill(signal.SIGCONT)
    code, text = await ended(first)
    found = await scene.flow_run(run)
    assert found["state_type"] == "PAUSED", (found["state"], text)
    assert await scene.attempts("shared") == [("Discovery", 1, "running")]
    assert scene.site.model.repeats("shared") == {}
    project = await existing(scene, "shared")
    assert not await is_gone(upkeeps_runtime(scene), scene.site.api, project), "it waits for a person"


async def existing(scene: Scene, slug: str) -> Project:
    project = await scene.project(slug)
    assert project is not None
    return project


async def test_cancel_against_approve(scene: Scene) -> None:
    """Both commands at once on a waiting project: it is cancelled in the end, and no later phase has begun."""
    run = await scene.submit("torn", brief="# Shelf\nEach book has a required title.\n", name="torn")
    await ended(await scene.start("flow", "torn", run))
    (approved, approval), (cancelled, cancellation) = await asyncio.gather(
        scene.done("torn", "approve", "torn", "--by", "Ann"), scene.done("torn", "cancel", "torn", "--by", "Bea")
    )
    assert cancelled == 0, cancellation
    gate = (await scene.stored("torn"))["gates"][0]
    if approved == 0:
        assert (gate.status, gate.decided_by) == (Status.approved, "Ann")
    else:
        assert gate.status is Status.cancelled, approval
        assert "void" in approval or "no open gate" in approval or "cancelled" in approval, approval
    found = await scene.flow_run(run)
    if found["state_type"] == "SCHEDULED":  # the approval woke it: a worker would start it now
        await ended(await scene.start("flow", "torn", run))
    await ended(await scene.start("upkeep", "torn"))
    assert (await existing(scene, "torn")).status is Status.cancelled
    assert await scene.attempts("torn") == [("Discovery", 1, "cancelled")]
    assert (await scene.flow_run(run))["state_type"] == "CANCELLED"


async def test_many_recoveries_at_once_make_one_run(scene: Scene) -> None:
    run = await scene.submit("dead", brief="# Shelf\nEach book has a required title.\n", name="dead")
    code, text = await ended(await scene.start("flow", "dead", run, crash="save.after@Discovery"))
    assert code == 137, text
    await asyncio.to_thread(crashed, scene.site.api, run)
    project = await existing(scene, "dead")
    runtime, api = upkeeps_runtime(scene), scene.site.api
    assert await is_gone(runtime, api, project)
    await asyncio.gather(*(recover(runtime, api, project.id, "its run is gone") for _ in range(8)))
    assert not await recover(runtime, api, project.id, "seen dead a moment ago"), "it was recovered meanwhile"
    named = {"flow_runs": {"name": {"any_": ["dead-recovered"]}}}
    made = await asyncio.to_thread(scene.site.call, "POST", "/flow_runs/filter", named)
    assert [each["state_type"] for each in made] == ["SCHEDULED"]
    async with scene.site.database.work() as work:
        runs = await work.executions.of_project(project.id)
    assert [(each.flow_run_id, each.status) for each in runs] == [
        (run, Status.failed),
        (made[0]["id"], Status.running),
    ]
    await ended(await scene.start("flow", "dead", made[0]["id"]))
    assert (await scene.flow_run(made[0]["id"]))["state_type"] == "PAUSED"
    assert await scene.attempts("dead") == [("Discovery", 1, "running")], "the attempt went on; no other was opened"
    assert scene.site.model.repeats("dead") == {}


async def test_two_runs_of_one_brief_make_two_projects(scene: Scene) -> None:
    """The second comes while the first has not begun its flow yet: it is alive all the same."""
    brief = scene.site.home / "same.md"
    brief.write_text(BRIEF.replace("Shelf", "Twin"), "utf-8")
    first = await scene.start("cli", "same", "run", str(brief), *papers.OPTIONS, crash="claim.before=stop")
    await stopped(first)
    code, text = await scene.done("same-2", "run", str(brief), "--budget", "3", *papers.OPTIONS)
    assert code == 0, text
    assert "broke off" not in text
    assert await scene.attempts("twin-2") == [(phase, 1, "completed") for phase in papers.PHASES]
    await first.kill(signal.SIGKILL)
    assert await scene.attempts("twin") == [], "nothing was done in the place of the first"
    async with scene.site.database.read() as view:
        project = await view.projects.get("twin")
        assert await view.budgets.of_project(project.id) == ()
