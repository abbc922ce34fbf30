"""Keeps the services of `botarmy up` alive: our Prefect server where there is none, the pool, deployments, workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import Any

from botarmy.errors import BotArmyError, InputError, SettingsError, Unavailable
from botarmy.settings import Settings
from flows.deploy import POOL, ROOT, ensure_deployments
from flows.server import (
    PrefectApi,
    PrefectServer,
    answers,
    foreign_api,
    free_port,
    process_started,
    server_environment,
)
from flows.services import end_workers, left_behind, write_services
from storage.connect import open_database
from storage.embedded import embedded_status, start_embedded
from tasks.runtime import database_url

PREFERRED_PORT = 4200
LOOK_S = 0.2
"""How often the supervisor looks at its children, and at whether it was asked to end."""

POSTGRES_LOOK_S = 5.0


class Restarts:
    """When something that ended is started again: later after each short life, soon again after a good one."""

    FIRST_S, LONGEST_S = 1.0, 30.0
    LIVED_WELL_S = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause = self.FIRST_S
        self._since = clock()
        self._at: float | None = None

    def started(self) -> None:
        """Note that it was started."""
        self._since, self._at = self._clock(), None

    def ended(self) -> float | None:
        """Note that it is not there (any more); return the pause until its next start, None where that was noted."""
        if self._at is not None:
            return None
        now = self._clock()
        if now - self._since >= self.LIVED_WELL_S:
            self._pause = self.FIRST_S
        pause, self._pause = self._pause, min(self._pause * 2, self.LONGEST_S)
        self._at = now + pause
        return pause

    def failed(self) -> float | None:
        """Note that a start came to nothing; return the pause until the next."""
        self.started()
        return self.ended()

    @property
    def due(self) -> bool:
        """Whether the pause after its end is over."""
        return self._at is not None and self._clock() >= self._at


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    started: float | None
    restarts: Restarts


class Supervisor:
    """Starts the services on entry, watches them in `watch`, stops its own on exit.

    The home's `only_supervisor` lock is held around it.
    """

    def __init__(self, settings: Settings, *, which: str = "auto", port: int = 0, workers: int = 1) -> None:
        self._settings = settings
        self._home = settings.botarmy_home.resolve()
        self._which = which
        self._port = port
        self._count = workers
        self._workers: list[_Worker] = []
        self._server_restarts = Restarts()
        self._postgres_restarts = Restarts()
        self._postgres_looked = time.monotonic()
        self._stack = contextlib.ExitStack()
        self._ending = False
        self.services: dict[str, Any] = {}

    def __enter__(self) -> Supervisor:
        """Start what is missing and wait until it is healthy."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started so far is stopped again
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers, then our server."""
        self._stop()

    def watch(self) -> int:
        """Start again what ended, until a signal asks to end; return the exit code."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._end)
        while not self._ending:
            time.sleep(LOOK_S)
            self._keep_postgres()
            self._keep_server()
            self._keep_workers()
        return 0

    def _end(self, _sign: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _start(self) -> None:
        orphans = left_behind(self._home)
        if orphans is not None and end_workers(orphans["workers"]):
            _say("stopped the workers of an `up` that was killed")

        async def prepare() -> str:
            opened = await open_database(database_url(self._settings), self._home, migrate=True)
            await opened.database.close()
            return opened.prefect_url or ""

        self._prefect_url = asyncio.run(prepare())
        self._api = self._find_api()
        self._environ = self._environment()
        ensure_deployments(self._api, self._environ, self._home)
        for index in range(self._count):
            process = self._start_worker(index)
            self._workers.append(_Worker(process, process_started(process.pid), Restarts()))
        self._server_restarts.started()
        self._write_services()

    def _find_api(self) -> PrefectApi:
        foreign = None if self._which == "own" else foreign_api(os.environ)
        if foreign is None and self._which == "external":
            raise SettingsError(
                "--prefect external, but neither PREFECT_API_URL nor the active profile names a server.",
                hint="export PREFECT_API_URL=http://…/api, or leave --prefect out.",
            )
        if foreign is None:
            return self._stack.enter_context(PrefectServer(self._home).use(self._prefect_url, port=self._choose_port()))
        if not answers(foreign.url):
            raise Unavailable(
                f"The Prefect API at {foreign.url} does not answer.", hint="Start it, or use --prefect own."
            )
        return foreign

    def _choose_port(self) -> int:
        wanted = self._port or PREFERRED_PORT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                if self._port:
                    raise InputError(f"Port {wanted} is taken.", hint="Name another --port, or leave it out.") from None
                return free_port()
        return wanted

    def _environment(self) -> dict[str, str]:
        own = server_environment(self._home, "", self._api.auth) if self._api.ours else dict(os.environ)
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        return (
            own
            | self._api.environment()
            | {
                "BOTARMY_HOME": str(self._home),
                "PREFECT_WORKER_QUERY_SECONDS": "1",
                "PREFECT_WORKER_PREFETCH_SECONDS": "0",
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            }
        )

    def _start_worker(self, index: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
        with (self._home / f"worker-{index}.log").open("a") as log:
            return subprocess.Popen(  # noqa: S603 (our own interpreter and words)
                [*command, "--name", f"botarmy-{socket.gethostname()}-{index}"],
                env=self._environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep_workers(self) -> None:
        for index, worker in enumerate(self._workers):
            if worker.process.poll() is None or self._ending:
                continue
            pause = worker.restarts.ended()
            if pause is not None:
                _say(f"worker {index} ended with {worker.process.returncode}; the next one starts in {pause:.0f} s")
            elif worker.restarts.due:
                worker.process = self._start_worker(index)
                worker.started = process_started(worker.process.pid)
                worker.restarts.started()
                self._write_services()

    def _keep_server(self) -> None:
        if not self._api.ours or self._ending:
            return
        server = PrefectServer(self._home)
        running = server.running()
        if running is not None:
            if running.pid != self._api.pid:
                self._take_over(running)
            return
        pause = self._server_restarts.ended()
        if pause is not None:
            _say(f"the Prefect server ended; another one starts in {pause:.0f} s")
        elif self._server_restarts.due:
            self._restart_server(server)

    def _take_over(self, running: PrefectApi) -> None:
        """Use the server that a `botarmy run` has started in the meantime; workers that know another address end."""
        moved, self._api = running.url != self._api.url, running
        if moved:
            self._environ = self._environment()
            end_workers(self._worker_ids())
        self._server_restarts.started()
        self._write_services()

    def _restart_server(self, server: PrefectServer) -> None:
        port = int(self._api.url.rsplit(":", 1)[1].split("/")[0])
        try:
            self._api = server.restart(self._prefect_url, port, give_up=lambda: self._ending)
        except BotArmyError as error:
            _say(f"{error} Tried again in {self._server_restarts.failed():.0f} s.")
            return
        self._server_restarts.started()
        self._write_services()

    def _keep_postgres(self) -> None:
        """Start the embedded Postgres again where it is gone; a server of the user's own is theirs to keep."""
        now = time.monotonic()
        if self._settings.database_url or self._ending or now - self._postgres_looked < POSTGRES_LOOK_S:
            return
        self._postgres_looked = now
        if embedded_status(self._home).pid is not None:
            return
        pause = self._postgres_restarts.ended()
        if pause is not None:
            _say(f"Postgres ended; it is started again in {pause:.0f} s")
        elif self._postgres_restarts.due:
            try:
                asyncio.run(start_embedded(self._home))
            except BotArmyError as error:
                _say(f"{error} Tried again in {self._postgres_restarts.failed():.0f} s.")
                return
            self._postgres_restarts.started()

    def _write_services(self) -> None:
        auth_file = str(self._home / "prefect" / "auth") if self._api.ours else ""
        self.services = {
            "pid": os.getpid(),
            "started": process_started(os.getpid()),
            "ui": self._api.ui_url,
            "api": self._api.url,
            "ours": self._api.ours,
            "server": self._api.pid,
            "auth_file": auth_file,
            "postgres": "DATABASE_URL" if self._settings.database_url else f"embedded, in {self._home}",
            "pool": POOL,
            "workers": self._worker_ids(),
            "export": export_line(self._api.url, auth_file),
        }
        write_services(self._home, self.services)

    def _worker_ids(self) -> list[dict[str, Any]]:
        return [{"pid": worker.process.pid, "started": worker.started} for worker in self._workers]

    def _stop(self) -> None:
        end_workers(self._worker_ids())
        self._stack.close()
        (self._home / "services.json").unlink(missing_ok=True)


def export_line(api_url: str, auth_file: str) -> str:
    """Return the shell line after which plain `prefect` commands talk to this server; the password stays in its file."""
    words = [f"PREFECT_API_URL={shlex.quote(api_url)}"]
    if auth_file:
        words.append(f'PREFECT_API_AUTH_STRING="$(cat {shlex.quote(auth_file)})"')
    return f"export {' '.join(words)}"


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", file=sys.stderr, flush=True)
