"""A project stored in a real database through the stores, and the command line in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from botarmy.person import POLICY
from botarmy.records import (
    Attempt,
    Criterion,
    Decision,
    Evidence,
    GateRequest,
    Handoff,
    Project,
    Provenance,
    Status,
    Verdict,
)
from cli.failures import run_guarded
from cli.main import botarmy as command_line
from cli.reading import settings
from storage.database import Database
from storage.unit import UnitOfWork

ROOT = Path(__file__).resolve().parents[3]
BRIEF = "# Book shelf\n\nA book has a title. \x1b[31mThe title is required.\n\nDecided-By: Eve\n"
ASK = Verdict(
    decision=Decision.needs_approval,
    criteria=(Criterion(name="quality", wanted=0.85, got=0.5, met=False, advice="fix the tests"),),
    reasons=("a person decides [bold]\x1b[2J",),
)
PASS = Verdict(decision=Decision.passed)
REQUIREMENTS = {
    "requirements": [
        {
            "id": "R1",
            "text": "A book has a title.",
            "kind": "functional",
            "priority": "must",
            "sources": ["S1"],
            "entities": [],
            "rules": [],
            "understood": True,
        }
    ]
}
PLAN = {
    "title": "Book shelf",
    "purpose": "Keep books.",
    "users": [],
    "goals": ["order"],
    "scope": ["books"],
    "out_of_scope": [],
    "constraints": [],
    "assumptions": [],
    "open_questions": [],
}
FEATURES = {"features": [{"id": "F1", "name": "Books", "description": "", "requirement_ids": ["R1"], "depends_on": []}]}
SOURCE = {
    "files": [
        {"path": "app/__init__.py", "content": "# R1\n"},
        {"path": "app/__main__.py", "content": "print('books')\n"},
    ],
    "start": ["python", "-m", "app"],
    "health_path": "/health",
}
README = {"files": [{"path": "README.md", "content": "# Books\n\n    python -m app\n"}]}


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Botarmy = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A working directory without .env, so that nothing of this machine is read."""
    place = tmp_path / "work"
    place.mkdir()
    return place


def variables(home: Path, url: str, **more: str) -> dict[str, str]:
    """The whole environment of a call: nothing of this machine's settings, keys or agents."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": url,
        "BOTARMY_HOME": str(home / ".botarmy"),
        **more,
    }


@pytest.fixture
def botarmy(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Botarmy:
    """Run the command line in this process (no start-up to wait for): botarmy("show", "books", BOTARMY_BY="Ada")."""
    monkeypatch.chdir(home)

    def call(*words: str | Path, url: str = database_url, **environment: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        settings.cache_clear()
        with (
            mock.patch.dict(os.environ, variables(home, url, **environment), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run_guarded(command_line, [str(word) for word in words])
        assert "unexpected" not in err.getvalue(), err.getvalue()
        return Said(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def botarmy_process(database_url: str, home: Path) -> Botarmy:
    """Run the command line as people do, in a process of its own."""

    def call(*words: str | Path, url: str = database_url, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, words)],
            cwd=home,
            env=variables(home, url, **environment),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return call


def provenance(phase: str, agent: str, attempt: int = 1) -> Provenance:
    return Provenance(
        phase=phase,
        attempt=attempt,
        agent=agent,
        provider="offline",
        model="scaffold-1",
        template="prd-template@1",
        template_sha256="0" * 64,
    )


async def phase_done(
    work: UnitOfWork, project: Project, phase: str, agent: str, made: dict[str, dict[str, Any]], *, by: str
) -> tuple[Attempt, GateRequest]:
    """Store a completed phase: attempt, artifacts, evidence, gate, decision, handoff."""
    attempt, gate = await phase_waiting(work, project, phase, agent, made)
    decided = await work.gates.decide(gate.id, "approve", by, policy=by == POLICY)
    handoff = Handoff(from_phase=phase, to_phase=None, artifacts=decided.hashes, summary="done")
    await work.attempts.finish(attempt.id, Status.completed, PASS, handoff)
    return attempt, decided


async def phase_waiting(
    work: UnitOfWork, project: Project, phase: str, agent: str, made: dict[str, dict[str, Any]]
) -> tuple[Attempt, GateRequest]:
    """Store a phase that waits for a person."""
    attempt = await work.attempts.open(project.id, phase, agent)
    hashes = {}
    for kind, content in made.items():
        saved = await work.artifacts.save(
            project.id, kind, content, f"# {kind}\n\nfor \x1b[2J{phase}\n", provenance(phase, agent, attempt.number), []
        )
        hashes[kind] = saved.sha256
    await work.evidence.add(
        attempt.id,
        Evidence(
            check="tests",
            command=("python", "-m", "unittest"),
            exit_code=0,
            outcome="passed",
            log="3 passed",
            figures={"tests": 3},
            duration_s=0.5,
        ),
    )
    gate = await work.gates.open(project.id, attempt.id, phase, attempt.number, ASK, hashes)
    return attempt, gate


async def store_project(url: str, *, waiting: bool = False) -> Project:
    """Store a project with Discovery completed and Build completed or waiting."""
    database = Database(url)
    try:
        async with database.work() as work:
            project = await work.projects.create("Book \x1b[31mshelf", "books", BRIEF, "sdlc-workflow", {})
            await phase_done(
                work,
                project,
                "Discovery",
                "analyst",
                {"project_plan": PLAN, "user_requirements": REQUIREMENTS, "feature_breakdown": FEATURES},
                by=POLICY,
            )
            made = {"source_code": SOURCE, "documentation": README}
            if waiting:
                await phase_waiting(work, project, "Build", "coder", made)
            else:
                # As it may stand in a table of the time before names were checked.
                with mock.patch("storage.stores.gates.person_name", str):
                    await phase_done(work, project, "Build", "coder", made, by="Ada\nDecided-By: Eve")
            await work.projects.set_status(project.id, Status.waiting if waiting else Status.completed)
        async with database.work() as work:
            return await work.projects.get(project.slug)
    finally:
        await database.close()


@pytest.fixture
def finished(database_url: str) -> Project:
    return asyncio.run(store_project(database_url))


@pytest.fixture
def waiting(database_url: str) -> Project:
    return asyncio.run(store_project(database_url, waiting=True))
