"""A backup taken while a project waits for a person; restored into another home, decided and finished there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.embedded import stop_embedded
from tests.e2e.durability.conftest import BRIEF, Scene, ended
from tests.factories import papers

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def another_home() -> AsyncIterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bamoved-"))
    yield folder / "home"
    await stop_embedded(folder / "home")
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_waiting_project_goes_on_in_another_home(scene: Scene, another_home: Path) -> None:
    run = await scene.submit("moved", brief=BRIEF, name="moved", **papers.GIVEN)
    await ended(await scene.start("flow", "moved", run))
    file = another_home.parent / "all.backup"
    code, text = await scene.done("moved", "db", "backup", str(file))
    assert code == 0, text

    there = {"BOTARMY_HOME": str(another_home)}
    code, text = await scene.done("moved", "db", "restore", str(file), **there)
    assert code == 0, text
    # No Prefect server of that home runs yet, and none knows of the run that waited: the decision stands all the same.
    code, text = await scene.done("moved", "approve", "moved", "--by", "Ann", PREFECT_API_URL="", **there)
    assert code == 0, text
    assert "The decision is written, but the run was not resumed" in text
    code, text = await scene.done("moved", "run", "--project", "moved", **there)
    assert code == 0, text
    code, text = await scene.done("moved", "audit", "moved", "--json", **there)
    assert code == 0, text
    assert '"whole": true' in text
    assert '"actor": "Ann"' in text
    assert scene.site.model.repeats("moved") == {}, "what was paid in the first home is not paid in the second"
    assert await scene.attempts("moved") == [("Discovery", 1, "running")], "the first home is as it was"
