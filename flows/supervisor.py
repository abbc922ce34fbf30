"""Keeps the services of `botarmy up` alive: our Prefect server where there is none, the pool, deployments, workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from botarmy.errors import InputError, SettingsError, Unavailable
from botarmy.settings import Settings
from flows.deploy import POOL, ROOT, ensure_deployments
from flows.server import (
    PrefectApi,
    PrefectServer,
    answers,
    end_process,
    foreign_api,
    free_port,
    process_started,
    server_environment,
)

PREFERRED_PORT = 4200


def services_of(home: Path) -> dict[str, Any] | None:
    """Return the addresses of the running services of this home, or None."""
    try:
        services: dict[str, Any] = json.loads((home / "services.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return services if process_started(services["pid"]) == services["started"] else None


def stop_services(home: Path) -> list[str]:
    """Stop the supervisor of this home, which stops its children; return what was stopped."""
    services = services_of(home)
    stopped = []
    if services is not None:
        os.kill(services["pid"], signal.SIGTERM)
        end = time.monotonic() + 30
        while process_started(services["pid"]) == services["started"] and time.monotonic() < end:
            time.sleep(0.05)
        stopped += ["supervisor", "worker"]
    server = PrefectServer(home)
    if (server.running() is not None and server.stop()) or (services is not None and services["ours"]):
        stopped.append("Prefect server")
    (home / "services.json").unlink(missing_ok=True)
    return stopped


class Supervisor:
    """Starts the services on entry, watches them in `watch`, stops its own on exit."""

    def __init__(self, settings: Settings, *, which: str = "auto", port: int = 0, workers: int = 1) -> None:
        self._settings = settings
        self._home = settings.botarmy_home.resolve()
        self._which = which
        self._port = port
        self._count = workers
        self._workers: list[subprocess.Popen[bytes]] = []
        self._stack = contextlib.ExitStack()
        self._ending = False
        self.services: dict[str, Any] = {}

    def __enter__(self) -> Supervisor:
        """Start what is missing and wait until it is healthy."""
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers, then our server."""
        self._stop()

    def watch(self) -> int:
        """Restart a worker or server that ended, until a signal asks to end; return the exit code."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._end)
        pause = 1.0
        while not self._ending:
            time.sleep(0.2)
            for index, worker in enumerate(self._workers):
                if worker.poll() is not None and not self._ending:
                    print(f"worker ended with {worker.returncode}; starting another", file=sys.stderr, flush=True)
                    time.sleep(pause)
                    pause = min(pause * 2, 30.0)
                    self._workers[index] = self._start_worker(index)
            self._keep_server()
        return 0

    def _end(self, _sign: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _start(self) -> None:
        from storage.connect import open_database
        from tasks.runtime import database_url

        async def prepare() -> str:
            opened = await open_database(database_url(self._settings), self._home, migrate=True)
            await opened.database.close()
            return opened.prefect_url or ""

        self._prefect_url = asyncio.run(prepare())
        self._api = self._find_api()
        self._environ = self._environment()
        ensure_deployments(self._api, self._environ, self._home)
        self._workers = [self._start_worker(index) for index in range(self._count)]
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

    def _keep_server(self) -> None:
        server = PrefectServer(self._home)
        if self._api.ours and server.running() is None and not self._ending:
            print("the Prefect server ended; starting another", file=sys.stderr, flush=True)
            port = int(self._api.url.rsplit(":", 1)[1].split("/")[0])
            self._api = server.restart(self._prefect_url, port)

    def _write_services(self) -> None:
        export = " ".join(f"{name}={value}" for name, value in self._api.environment().items() if "AUTH" not in name)
        auth_file = str(self._home / "prefect" / "auth") if self._api.ours else ""
        if auth_file:
            export += f' PREFECT_API_AUTH_STRING="$(cat {auth_file})"'
        self.services = {
            "pid": os.getpid(),
            "started": process_started(os.getpid()),
            "ui": self._api.ui_url,
            "api": self._api.url,
            "ours": self._api.ours,
            "auth_file": auth_file,
            "postgres": "DATABASE_URL" if self._settings.database_url else f"embedded, in {self._home}",
            "pool": POOL,
            "workers": [worker.pid for worker in self._workers],
            "export": f"export {export}",
        }
        aside = self._home / "services.json.new"
        aside.write_text(json.dumps(self.services), "utf-8")
        aside.replace(self._home / "services.json")

    def _stop(self) -> None:
        for worker in self._workers:
            started = process_started(worker.pid)
            if started is not None:
                end_process(worker.pid, started)
        self._stack.close()
        (self._home / "services.json").unlink(missing_ok=True)
