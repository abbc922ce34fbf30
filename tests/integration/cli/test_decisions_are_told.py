"""What people decided stays visible: rejections, amendments and comments, in every view, from a real database."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import pytest

from botarmy.records import Project, Status
from storage.database import Database
from tests.integration.cli.conftest import PLAN, phase_done, phase_waiting, provenance

COMMENT = "The plan lacks prices. " * 12


async def amended_rejected_approved(url: str) -> Project:
    """Store a project whose plan Ann amends, then rejects; the next attempt is approved."""
    database = Database(url)
    try:
        async with database.work() as work:
            project = await work.projects.create("Books", "books", "A book has a title.\n", "sdlc-workflow", {})
            attempt, gate = await phase_waiting(work, project, "Discovery", "analyst", {"project_plan": PLAN})
            by_ann = provenance("Discovery", "person:Ann", 1).model_copy(update={"provider": "person", "model": "none"})
            changed = PLAN | {"purpose": "Keep many books."}
            head = await work.artifacts.save(project.id, "project_plan", changed, "# plan\n", by_ann, [])
            await work.gates.cancel(gate.id, "project_plan was amended", by="Ann")
            again = await work.gates.open(
                project.id, attempt.id, "Discovery", 1, gate.verdict, {"project_plan": head.sha256}, ask=2
            )
            await work.gates.decide(again.id, "reject", "Ann", COMMENT)
            await work.attempts.finish(attempt.id, Status.rejected, gate.verdict, None)
            third = PLAN | {"purpose": "Keep books and prices."}
            await phase_done(work, project, "Discovery", "analyst", {"project_plan": third}, by="Bea")
            await work.projects.set_status(project.id, Status.waiting)
        return project
    finally:
        await database.close()


@pytest.fixture
def decided(database_url: str) -> Project:
    return asyncio.run(amended_rejected_approved(database_url))


def test_show_lists_every_decision(botarmy: Any, decided: Project) -> None:
    text = botarmy("show", "books").out
    assert "amended project_plan@2" in text
    assert "project_plan was amended" in text
    assert COMMENT.strip() in text
    told = botarmy("show", "books", "--json").json["phases"][0]["decisions"]
    assert [(each["attempt"], each["what"], each["by"]) for each in told if each["what"] != "void"] == [
        (1, "amended", "Ann"),
        (1, "rejected", "Ann"),
        (2, "approved", "Bea"),
    ]


def test_audit_shows_a_comment_on_a_line_of_its_own(botarmy: Any, decided: Project) -> None:
    lines = botarmy("audit", "books").out.splitlines()
    at = next(number for number, line in enumerate(lines) if "gate rejected" in line)
    assert lines[at + 1] == f"    comment: {COMMENT.strip()}"
    assert "    reason: project_plan was amended" in lines
    assert not any(line.strip() == "comment:" for line in lines)


def test_the_export_names_who_amended_and_who_rejected(botarmy: Any, decided: Project, home: Any) -> None:
    botarmy("export", "books", "out")
    log = ["git", "log", "-1", "--format=%(trailers:only)"]
    trailers = subprocess.run(log, cwd=home / "out", check=True, capture_output=True, text=True).stdout.split("\n")
    assert "Amended-By: Ann (project_plan@2)" in trailers
    assert "Rejected-By: Ann (attempt 1)" in trailers
    assert "Decided-By: Bea" in trailers
    evidence = (home / "out" / "docs" / "evidence.md").read_text()
    assert COMMENT.strip() in evidence
    assert "| amended project\\_plan@2 | Ann |" in evidence
