"""A purged project is gone in Prefect as well, and nothing that was left there makes it anew."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from botarmy.errors import UnknownName
from botarmy.records import Status
from flows.api import crashed, has_form
from tests.e2e.durability.conftest import BRIEF, Scene, ended

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(scene: Scene, method: str, path: str, body: Any = None) -> Any:
    return await asyncio.to_thread(scene.site.call, method, path, body)


async def waits(scene: Scene, slug: str) -> str:
    run = await scene.submit(slug, brief=BRIEF, name=slug)
    await ended(await scene.start("flow", slug, run))
    assert (await scene.flow_run(run))["state_type"] == "PAUSED"
    return run


async def documents(scene: Scene, run: str) -> int:
    return len(await asked(scene, "POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}}))


async def test_purge_deletes_what_prefect_keeps(scene: Scene) -> None:
    run, other = await waits(scene, "secretive"), await waits(scene, "secretive-2")
    queued = await scene.submit("secretive", project="secretive")
    assert await documents(scene, run) > 3
    code, text = await scene.done("secretive", "purge", "secretive", "--yes", "secretive", "--by", "Ann", "--json")
    assert code == 0, text
    told = json.loads(text)["prefect"]
    assert (told["runs"], told["unknown"]) == (2, [])
    assert told["documents"] > 3
    for gone in (run, queued):
        with pytest.raises(UnknownName):
            await scene.flow_run(gone)
    assert await documents(scene, run) == 0
    found = await asked(scene, "POST", "/artifacts/latest/filter", {"artifacts": {"key": {"like_": "secretive-%"}}})
    assert all(each["key"].startswith("secretive-2-") for each in found)
    assert await documents(scene, other) > 3, "another project's are left"
    form = await scene.flow_run(other)
    assert await asyncio.to_thread(has_form, scene.site.api, form)
    left = await asked(scene, "POST", "/flow_runs/filter", {"flow_runs": {"name": {"any_": ["secretive"]}}})
    assert left == []


async def test_where_prefect_is_away_nothing_that_is_left_makes_the_project_anew(scene: Scene) -> None:
    run = await waits(scene, "undying")
    project = await scene.project("undying")
    assert project is not None
    away = {"PREFECT_API_URL": "http://127.0.0.1:1/api"}
    code, text = await scene.done("undying", "purge", "undying", "--yes", "undying", "--by", "Ann", **away)
    assert code == 1, text
    assert "undying is deleted in Postgres, but Prefect may still keep its brief" in text
    assert run in text
    assert f"botarmy purge {project.id}" in text
    assert await scene.project("undying") is None

    answer = {"decision": "approve", "reviewer": "Eve"}
    said = await asked(scene, "POST", f"/flow_runs/{run}/resume", {"run_input": answer})
    assert said["status"] == "ACCEPT"
    calls = len(scene.site.model.log)
    await ended(await scene.start("flow", "undying", run))
    state = (await scene.flow_run(run))["state"]
    assert state["type"] == "FAILED"
    assert "The project of this run was purged" in state["message"]
    await asyncio.to_thread(crashed, scene.site.api, run)
    await ended(await scene.start("upkeep", "undying"))
    assert (await scene.flow_run(run))["state_name"] == "Crashed", "upkeep does not begin it again"
    assert await scene.project("undying") is None
    assert len(scene.site.model.log) == calls, "nothing was spent"

    code, text = await scene.done("undying", "purge", str(project.id), "--by", "Ann")
    assert code == 0, text
    assert "1 runs and " in text
    with pytest.raises(UnknownName):
        await scene.flow_run(run)
    code, text = await scene.done("undying", "purge", str(project.id), "--by", "Ann")
    assert code == 0, text
    assert f"It does not have {run}" in text


async def test_a_project_that_is_held_is_not_purged(scene: Scene) -> None:
    await waits(scene, "busy")
    project = await scene.project("busy")
    assert project is not None
    async with scene.site.database.hold(project.id, "flow run X"):
        code, text = await scene.done("busy", "purge", "busy", "--yes", "busy", "--by", "Ann")
    assert code == 1, text
    assert "is held by flow run X" in text
    found = await scene.project("busy")
    assert found is not None
    assert found.status is not Status.cancelled
