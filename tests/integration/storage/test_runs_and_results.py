"""What recovery asks of storage: is a run alive, which project is a flow run's, is an attempt's work saved."""

from uuid import uuid4

from botarmy.records import Measure, WorkResult
from storage.database import Database


async def test_is_held_follows_the_lock(database: Database) -> None:
    async with database.work() as work:
        project = await work.projects.create("A", "a", "A brief.", "sdlc")
    assert not await database.is_held(project.id)
    async with database.hold(project.id, "a test"):
        assert await database.is_held(project.id)
        assert not await database.is_held(uuid4())
    assert not await database.is_held(project.id)


async def test_a_flow_run_finds_its_project_and_saved_work(database: Database) -> None:
    result = WorkResult(measures=(Measure(name="coverage", value=0.5),), deterministic=True, summary="done")
    async with database.work() as work:
        project = await work.projects.create("B", "b", "B brief.", "sdlc")
        await work.executions.start(project.id, "sdlc", "run-1")
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        assert attempt.result is None
        await work.attempts.record_result(attempt.id, result)
    async with database.read() as view:
        found = await view.executions.of_flow_run("run-1")
        assert found is not None
        assert found.project_id == project.id
        assert await view.executions.of_flow_run("run-2") is None
        assert (await view.attempts.get(attempt.id)).result == result
