"""A project that cannot run ends as failed, with its reason, and no run after run; mended, it is taken up again."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from botarmy.records import Project, Status
from tests.e2e.durability.conftest import Scene, ended
from tests.factories import papers

pytestmark = pytest.mark.asyncio(loop_scope="session")
SHELF = "# Shelf\nEach book has a required title.\n"


async def existing(scene: Scene, slug: str) -> Project:
    project = await scene.project(slug)
    assert project is not None
    return project


async def runs_of(scene: Scene, slug: str) -> list[tuple[str, str]]:
    project = await existing(scene, slug)
    async with scene.site.database.work() as work:
        return [(each.flow_run_id, each.status.value) for each in await work.executions.of_project(project.id)]


async def waits(scene: Scene, slug: str, **parameters: Any) -> str:
    """Submit a brief and carry it to its first gate; return the flow run's id."""
    run = await scene.submit(slug, brief=SHELF, name=slug, **parameters)
    await ended(await scene.start("flow", slug, run))
    assert await scene.attempts(slug) == [("Discovery", 1, "running")]
    return run


async def test_a_directory_that_is_gone_fails_the_project_once(scene: Scene) -> None:
    mine = scene.site.home / "mine"
    shutil.copytree(papers.DIRECTORY, mine)
    run = await waits(scene, "gone", **papers.GIVEN | {"bmad": str(mine)})
    shutil.rmtree(mine)
    code, text = await scene.done("gone", "approve", "gone", "--by", "Ann")
    assert code == 0, text
    await ended(await scene.start("flow", "gone", run))
    assert (await existing(scene, "gone")).status is Status.failed
    code, text = await scene.done("gone", "show", "gone")
    assert code == 0, text
    assert "why       " in text
    assert str(mine) in text
    assert "go on     botarmy run --project gone" in text

    for _ in range(2):
        await ended(await scene.start("upkeep", "gone", BOTARMY_RECOVERY_WINDOW_S="0.1"))
    assert await runs_of(scene, "gone") == [(run, "failed")], "upkeep leaves it alone"

    shutil.copytree(papers.DIRECTORY, mine)
    code, text = await ended(await scene.run("gone"))
    assert code == 0, text
    assert await scene.attempts("gone") == [(phase, 1, "completed") for phase in papers.PHASES]
    code, text = await scene.done("gone", "show", "gone", "--json")
    assert json.loads(text)["project"]["error"] is None


async def test_a_missing_key_of_a_teams_provider_fails_the_project(scene: Scene) -> None:
    teams = scene.site.home / "paid" / "agent-teams"
    teams.mkdir(parents=True)
    members = "analyst, architect, coder, tester, deployer"
    text = "team:\n  name: Paid\n  description: All by one vendor.\n  provider: anthropic\n  model: claude-test\n"
    (teams / "paid.yaml").write_text(f"{text}\nagents: [{members}]\n\nworkflows: [sdlc]\n", "utf-8")
    run = await scene.submit("keyless", brief=SHELF, name="keyless", team="paid", bmad=str(teams.parent))
    await ended(await scene.start("flow", "keyless", run))
    code, text = await scene.done("keyless", "show", "keyless", "--json")
    assert code == 0, text
    project = json.loads(text)["project"]
    assert (project["status"], project["error"]["code"]) == ("failed", "bad-settings")
    assert "ANTHROPIC_API_KEY" in project["error"]["message"] + project["error"]["hint"]
    await ended(await scene.start("upkeep", "keyless", BOTARMY_RECOVERY_WINDOW_S="0.1"))
    assert await runs_of(scene, "keyless") == [(run, "failed")]
