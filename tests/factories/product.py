"""The product as a user has it: the command as a child process, a real Prefect server, a real worker, real Postgres."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from storage.connect import open_database
from storage.reads.view import ReadView
from tests.factories import warm_commands
from tests.factories.environ import without_settings

ROOT = Path(__file__).resolve().parents[2]

LOOK_S = 0.2
SMALL_BRIEF = "# {name}\nEach book has a required title.\nA book's state is one of draft, printed.\n"


class Product:
    """The `botarmy` command with a home of its own."""

    def __init__(self, home: Path, **extra: str) -> None:
        self.home = home
        own = {"BOTARMY_HOME": str(home), "HOME": str(home), "PREFECT_HOME": str(home / "none")}
        self.environ = without_settings(os.environ) | own | extra

    def run(self, *words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; see tests/factories/warm_commands.py for a home that is shared."""
        if words[0] not in ("up", "down") and (self.home / warm_commands.NAME).exists():
            return warm_commands.run(self.home, words, self.environ, timeout)
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *words],
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        with (self.home / "started.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli.main", *words],
                env=self.environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def json(self, *words: str, code: int | None = 0) -> Any:
        """Run a command with --json and return what it printed."""
        done = self.run(*words, "--json")
        assert code is None or done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def submit(self, name: str, *words: str, brief: str = SMALL_BRIEF) -> dict[str, str]:
        """Submit a brief as the project `name`; return what `submit --json` printed: flow_run_id, name, url."""
        path = self.home / f"{name}.md"
        path.write_text(brief.format(name=name), "utf-8")
        made: dict[str, str] = self.json("submit", str(path), "--project", name, *words)
        return made

    def submit_again(self, name: str, *words: str) -> dict[str, str]:
        """Submit a project that goes on; return as `submit` does."""
        made: dict[str, str] = self.json("submit", "--project", name, *words)
        return made

    @property
    def auth(self) -> str:
        """Return the user and password of the services' Prefect server."""
        return (self.home / "prefect" / "auth").read_text("utf-8")

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the Prefect API of the services."""
        state = json.loads((self.home / "services.json").read_text("utf-8"))
        request = urllib.request.Request(  # noqa: S310 (loopback)
            f"{state['api']}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "content-type": "application/json",
                "authorization": f"Basic {base64.b64encode(self.auth.encode()).decode()}",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.loads(response.read() or b"null")

    def show(self, project: str) -> Any:
        """Return the document of `show`."""
        return self.json("show", project)

    def phase(self, project: str, name: str) -> dict[str, Any]:
        """Return one phase of the document of `show`."""
        found: dict[str, Any] = next(each for each in self.show(project)["phases"] if each["name"] == name)
        return found

    def gate(self, project: str, phase: str, *, other_than: str = "", timeout: float = 90) -> dict[str, Any]:
        """Wait until the project's gate of this phase is open, and return it from the inbox."""

        async def opened(view: ReadView) -> bool:
            found = await view.projects.by_slug(project)
            gates = await view.gates.open_for(found.id) if found else ()
            return any(gate.phase == phase and str(gate.id) != other_than for gate in gates)

        self._until(opened, f"an open gate {project}/{phase}", timeout)
        listed = self.json("inbox", "--limit", "1000")["gates"]
        fits = [g for g in listed if (g["project"], g["phase"]) == (project, phase) and g["id"] != other_than]
        assert fits, f"the gate {project}/{phase} is open, and the inbox does not show it: {listed}"
        gate: dict[str, Any] = fits[0]
        return gate

    def phase_begins(self, project: str, name: str, *, timeout: float = 90) -> None:
        """Wait until the project is there and has begun the phase."""

        async def begun(view: ReadView) -> bool:
            found = await view.projects.by_slug(project)
            return found is not None and any(each.phase == name for each in await view.attempts.list(found.id))

        self._until(begun, f"{project} to begin {name}", timeout)

    def status(self, project: str, wanted: str, *, timeout: float = 120) -> None:
        """Wait until the project has this status."""

        async def has_it(view: ReadView) -> bool:
            found = await view.projects.by_slug(project)
            return found is not None and found.status.value == wanted

        self._until(has_it, f"{project} to be {wanted}", timeout)
        assert self.show(project)["project"]["status"] == wanted

    def _until(self, question: Callable[[ReadView], Awaitable[bool]], what: str, timeout: float) -> None:
        """Put a question to the database until the answer is yes: a command each time would take a processor.

        In a thread of its own, since Playwright keeps a loop running in the test's.
        """

        async def ask() -> None:
            deadline = time.monotonic() + timeout
            opened = await open_database(self.environ.get("DATABASE_URL"), self.home)
            try:
                while time.monotonic() < deadline:
                    async with opened.database.read() as view:
                        if await question(view):
                            return
                    await asyncio.sleep(LOOK_S)
            finally:
                await opened.database.close()
            raise AssertionError(f"waited {timeout:.0f} s in vain for {what}")

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, ask()).result()


def wait_for(look: Callable[[], Any], what: str, timeout: float) -> Any:
    """Look again and again until there is something, or fail with what was waited for."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(LOOK_S)
    raise AssertionError(f"waited {timeout:.0f} s in vain for {what}")
