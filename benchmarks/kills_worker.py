"""A real Prefect worker for benchmarks/kills.py, started as `botarmy up` starts it, and what it has started."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time

import psutil
from kills_site import ROOT, Site

from flows.deploy import POOL

QUEUE = "low"
"""The work queue that real workers poll here; the runs of all other stories stay out of it."""

QUICK = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_WORKER_PREFETCH_SECONDS": "0",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
}


class Worker:
    """One worker after another, and the processes of the runs that they started.

    Args:
        site: where.
        story: whose runs they carry; the model is told so by its key.
    """

    def __init__(self, site: Site, story: str) -> None:
        self._site, self._story = site, story
        self._process: subprocess.Popen[bytes] | None = None
        self._runs: dict[int, psutil.Process] = {}
        self._count = 0

    def keep_up(self) -> None:
        """Start a worker where none lives."""
        if self._process is not None and self._process.poll() is None:
            return
        self._count += 1
        name = f"{self._story}-{self._count}"
        words = ["worker", "start", "--pool", POOL, "--type", "process", "--work-queue", QUEUE, "--name", name]
        with (self._site.home / "lives" / f"worker-{name}.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and words)
                [sys.executable, "-m", "prefect", *words],
                env=self._site.environ | QUICK | {"OPENAI_API_KEY": self._story},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def runs(self) -> list[psutil.Process]:
        """Return the living processes of flow runs: a worker's children, and those whose worker was killed."""
        if self._process is not None:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(self._process.pid).children():
                    if any(word.startswith(("prefect", "flows.launch")) for word in child.cmdline()):
                        self._runs.setdefault(child.pid, child)
        self._runs = {pid: each for pid, each in self._runs.items() if _lives(each)}
        return list(self._runs.values())

    async def run_lasts(self, seconds: float) -> bool:
        """Wait until the run's process is that old; False where it has ended before."""
        while runs := self.runs():
            if time.time() - runs[0].create_time() >= seconds:
                return True
            await asyncio.sleep(0.05)
        return False

    def kill(self, *, worker: bool, runs: bool) -> None:
        """SIGKILL the worker, the runs, or both."""
        victims = self.runs() if runs else []
        if worker and self._process is not None:
            self._process.kill()  # first, so that it cannot tell Prefect of its child's end
            self._process.wait()
        for each in victims:
            with contextlib.suppress(psutil.Error):
                each.kill()
        for each in victims:
            with contextlib.suppress(psutil.Error):
                each.wait(10)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
