"""One site for the races and faults: Postgres, Prefect server, loopback model, and processes that are forked in no time."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest_asyncio

from botarmy.records import Project
from flows.server import PrefectServer
from tests.factories import papers

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from kills_site import BRIEF, Life, Site, site  # noqa: E402


class Scene:
    """Projects of the site, and processes that work on them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._lives: dict[str, int] = {}

    async def start(self, what: str, project: str, *words: str, crash: str = "", **environ: str) -> Life:
        """Begin a process for a project: "cli" with a command's words, or "flow" with a flow run's id.

        Args:
            what: see benchmarks/kills_nursery.py.
            project: whose process it is, for the model's log.
            crash: a point at which it ends or stops, see botarmy.crashpoints.
            environ: settings of its own.
        """
        number = self._lives[project] = self._lives.get(project, 0) + 1
        return await self.site.life(what, *words, crash=crash, key=f"{project}.{number}", environ=environ)

    async def run(self, project: str, **how: Any) -> Life:
        """Begin `botarmy run`: with brief and workflow the first time, then with the project's name alone."""
        words = ["run", "--project", project]
        if await self.project(project) is None:
            words += [str(self.brief), *papers.OPTIONS]
        return await self.start("cli", project, *words, **how)

    async def done(self, project: str, *words: str, **environ: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and all that it printed."""
        return await ended(await self.start("cli", project, *words, **environ))

    @property
    def brief(self) -> Path:
        """The brief's file."""
        path = self.site.home / "brief.md"
        path.write_text(BRIEF, "utf-8")
        return path

    async def project(self, slug: str) -> Project | None:
        """Return the project, or None before it was made."""
        async with self.site.database.work() as work:
            return await work.projects.by_slug(slug)

    async def attempts(self, slug: str) -> list[tuple[str, int, str]]:
        """Return (phase, number, status) of each attempt."""
        async with self.site.database.work() as work:
            project = await work.projects.get(slug)
            return [(each.phase, each.number, each.status.value) for each in await work.attempts.list(project.id)]

    async def stored(self, slug: str) -> dict[str, Any]:
        """Return all that is stored for a project, to be compared with later; its audit chain must be whole."""
        async with self.site.database.read() as view:
            project = await view.projects.get(slug)
            events = await view.audit.of_project(project.id)
            assert (await view.audit.verify(project.id)).whole
            return {
                "project": project,
                "attempts": await view.attempts.list(project.id),
                "artifacts": await view.artifacts.heads(project.id),
                "calls": await view.calls.of_project(project.id),
                "gates": await view.gates.of_project(project.id),
                # That a run came and went is told as well; what it would have done to the project is not.
                "audit": [event.own_sha256 for event in events if not event.action.startswith("run ")],
            }

    async def submit(self, slug: str, **parameters: str) -> str:
        """Submit a run of the deployment, as `botarmy submit` does; return its id."""
        from flows.api import submit  # noqa: PLC0415

        given = {"gates": "suspend", "approval": "always", **parameters}
        made = await asyncio.to_thread(submit, self.site.api, "sdlc/default", given, name=slug)
        return str(made["id"])

    async def flow_run(self, flow_run_id: str) -> dict[str, Any]:
        """Return what Prefect says of a flow run."""
        found: dict[str, Any] = await asyncio.to_thread(self.site.call, "GET", f"/flow_runs/{flow_run_id}")
        return found


async def ended(life: Life, patience_s: float = 180) -> tuple[int, str]:
    """Wait for a process's end; return its exit code and all that it printed."""
    code = await asyncio.wait_for(asyncio.shield(life.exit), patience_s)
    return code, life.log.read_text("utf-8", "replace")


async def stopped(life: Life, patience_s: float = 90) -> None:
    """Wait until a process has stopped at its point."""
    process = psutil.Process(await life.born)

    def so() -> bool:
        assert not life.exit.done(), f"it has ended: {life.log.read_text('utf-8')}"
        return bool(process.status() == psutil.STATUS_STOPPED)

    await until(so, f"a stop: {life.tail()}", patience_s)


async def until(look: Callable[[], Any], what: str, patience_s: float = 90) -> None:
    """Look again and again until there is something."""
    deadline = time.monotonic() + patience_s
    while not look():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def scene() -> AsyncIterator[Scene]:
    home = Path(tempfile.mkdtemp(prefix="bascene-"))
    try:
        async with site(home, os.environ) as made:
            yield Scene(made)
            server = PrefectServer(home).running()
            if server is not None:
                os.killpg(server.pid, signal.SIGKILL)  # nobody needs it any more; asked to end it takes eight seconds
    finally:
        shutil.rmtree(home, ignore_errors=True)
