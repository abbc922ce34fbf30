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
import tempfile
import time
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from botarmy.errors import BotArmyError, InputError, SettingsError, Unavailable
from botarmy.settings import Settings
from flows.api import call
from flows.children import Child, Restarts, tell
from flows.deploy import POOL, ROOT, ensure_deployments
from flows.launch import ADDRESS as WARM_ADDRESS
from flows.server import (
    PrefectApi,
    PrefectServer,
    answers,
    foreign_api,
    free_port,
    is_free,
    log_tail,
    process_started,
    server_environment,
)
from flows.services import end_all, end_left, left_behind, write_services
from storage.connect import open_database
from storage.embedded import embedded_status, start_embedded
from tasks.runtime import database_url

PREFERRED_PORT = 4200
LOOK_S = 0.2
"""How often the supervisor looks at its children, and at whether it was asked to end."""

PROMPT = {
    "PREFECT_WORKER_QUERY_SECONDS": "0.3",
    "PREFECT_WORKER_PREFETCH_SECONDS": "0",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
}
"""Prefect's settings with which a worker is prompt, where the user has not chosen others."""

POSTGRES_LOOK_S = 5.0
WORKER_DEADLINE_S = 120.0
"""How long a worker may take to report to the Prefect server."""


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
        self._workers: list[Child] = []
        self._warm: list[Child] = []
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
            self._keep_children()
        return 0

    def _end(self, _sign: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _start(self) -> None:
        orphans = left_behind(self._home)
        if orphans is not None and end_left(orphans):
            tell("stopped the workers of an `up` that was killed")

        foreign = self._foreign_api()  # what cannot work is said before anything is started

        async def prepare() -> str:
            opened = await open_database(database_url(self._settings), self._home, migrate=True)
            await opened.database.close()
            return opened.prefect_url or ""

        self._prefect_url = asyncio.run(prepare())
        self._api = foreign or self._stack.enter_context(
            PrefectServer(self._home).use(self._prefect_url, port=self._choose_port())
        )
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="botarmy-"))  # short, and 0700
        self._socket = str(Path(folder) / "warm")
        self._environ = self._environment()
        ensure_deployments(self._api, self._environ, self._home)
        before = self._heartbeats()
        if sys.platform == "linux":
            self._warm = [Child("the warm process", self._start_warm)]
        for index in range(self._count):
            self._workers.append(Child(f"worker {index}", partial(self._start_worker, index)))
        self._wait_for_workers(before)
        self._server_restarts.started()
        self._write_services()

    def _heartbeats(self) -> dict[str, str]:
        """Return the time of each worker's last heartbeat, as the Prefect server has it."""
        found = call(self._api, "POST", f"/work_pools/{POOL}/workers/filter", {})
        return {each["name"]: each["last_heartbeat_time"] for each in found}

    def _wait_for_workers(self, before: dict[str, str]) -> None:
        """Wait until each worker reports to the Prefect server: only then what is submitted starts."""
        end = time.monotonic() + WORKER_DEADLINE_S
        missing = {_worker_name(index) for index in range(self._count)}
        while missing:
            for index, worker in enumerate(self._workers):
                if worker.ended or time.monotonic() > end:
                    log = self._home / f"worker-{index}.log"
                    raise Unavailable(f"A worker did not come up. Its log ends: {log_tail(log)}", hint=f"Read {log}")
            time.sleep(LOOK_S)
            now = self._heartbeats()
            missing = {name for name in missing if now.get(name) in (None, before.get(name))}

    def _foreign_api(self) -> PrefectApi | None:
        """Return the server that the user wants, or None for our own.

        Raises:
            SettingsError: a foreign one is wanted and none is named.
            Unavailable: it does not answer.
            InputError: the port for our own is taken.
        """
        foreign = None if self._which == "own" else foreign_api(os.environ)
        if foreign is None and self._which == "external":
            raise SettingsError(
                "--prefect external, but neither PREFECT_API_URL nor the active profile names a server.",
                hint="export PREFECT_API_URL=http://…/api, or leave --prefect out.",
            )
        if foreign is None:
            self._choose_port()  # to hear that it is taken; it is chosen when the server starts
        elif not answers(foreign.url):
            raise Unavailable(
                f"The Prefect API at {foreign.url} does not answer.", hint="Start it, or use --prefect own."
            )
        return foreign

    def _choose_port(self) -> int:
        wanted = self._port or PREFERRED_PORT
        if is_free(wanted):
            return wanted
        if self._port:
            raise InputError(f"Port {wanted} is taken.", hint="Name another --port, or leave it out.")
        return free_port()

    def _environment(self) -> dict[str, str]:
        own = server_environment(self._home, "", self._api.auth) if self._api.ours else dict(os.environ)
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        return (
            own
            | self._api.environment()
            | {
                "BOTARMY_HOME": str(self._home),
                WARM_ADDRESS: self._socket,
                **{name: os.environ.get(name, value) for name, value in PROMPT.items()},
            }
        )

    def _start_worker(self, index: int) -> subprocess.Popen[bytes]:
        command = ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
        return self._spawn([*command, "--name", _worker_name(index)], f"worker-{index}.log")

    def _start_warm(self) -> subprocess.Popen[bytes]:
        path = Path(self._environ[WARM_ADDRESS])
        path.unlink(missing_ok=True)
        return self._spawn(["-m", "flows.warm", str(path)], "warm.log")

    def _spawn(self, arguments: list[str], log_name: str) -> subprocess.Popen[bytes]:
        with (self._home / log_name).open("a") as log:
            return subprocess.Popen(  # noqa: S603 (our own interpreter and words)
                [sys.executable, *arguments],
                env=self._environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep_children(self) -> None:
        for child in (*self._warm, *self._workers):
            if not self._ending and child.keep():
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
            tell(f"the Prefect server ended; another one starts in {pause:.0f} s")
        elif self._server_restarts.due:
            self._restart_server(server)

    def _take_over(self, running: PrefectApi) -> None:
        """Use the server that a `botarmy run` has started in the meantime; workers that know another address end."""
        moved, self._api = running.url != self._api.url, running
        if moved:
            self._environ = self._environment()
            end_all(child.identity for child in (*self._warm, *self._workers))
        self._server_restarts.started()
        self._write_services()

    def _restart_server(self, server: PrefectServer) -> None:
        port = int(self._api.url.rsplit(":", 1)[1].split("/")[0])
        try:
            self._api = server.restart(self._prefect_url, port, give_up=lambda: self._ending)
        except BotArmyError as error:
            tell(f"{error} Tried again in {self._server_restarts.failed():.0f} s.")
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
            tell(f"Postgres ended; it is started again in {pause:.0f} s")
        elif self._postgres_restarts.due:
            try:
                asyncio.run(start_embedded(self._home))
            except BotArmyError as error:
                tell(f"{error} Tried again in {self._postgres_restarts.failed():.0f} s.")
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
            "workers": [worker.identity for worker in self._workers],
            "warm": [warm.identity for warm in self._warm],
            "export": export_line(self._api.url, auth_file),
        }
        write_services(self._home, self.services)

    def _stop(self) -> None:
        end_all(worker.identity for worker in self._workers)
        end_all(warm.identity for warm in self._warm)
        self._stack.close()
        (self._home / "services.json").unlink(missing_ok=True)


def export_line(api_url: str, auth_file: str) -> str:
    """Return the shell line after which plain `prefect` commands talk to this server; the password stays in its file."""
    words = [f"PREFECT_API_URL={shlex.quote(api_url)}"]
    if auth_file:
        words.append(f'PREFECT_API_AUTH_STRING="$(cat {shlex.quote(auth_file)})"')
    return f"export {' '.join(words)}"


def _worker_name(index: int) -> str:
    return f"botarmy-{socket.gethostname()}-{index}"
