"""What runs for one home: `services.json`, which the supervisor keeps true, and how it is all stopped."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.server import PrefectServer, end_process, process_started, write_whole

STOP_PATIENCE_S = 40.0
"""How long a supervisor may take to stop its children before it is killed and they are stopped from outside."""


def services_of(home: Path) -> dict[str, Any] | None:
    """Return the addresses of the running services of this home, or None."""
    services = left_behind(home)
    return services if services is not None and supervised(services) else None


def left_behind(home: Path) -> dict[str, Any] | None:
    """Return what services.json says, whether its supervisor lives or was killed; None where there is none."""
    try:
        found: dict[str, Any] = json.loads((home / "services.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def supervised(services: dict[str, Any]) -> bool:
    """Tell whether the supervisor that wrote this still lives."""
    return bool(process_started(services["pid"]) == services["started"])


def write_services(home: Path, services: dict[str, Any]) -> None:
    """Replace services.json as a whole: who reads it sees the old or the new state."""
    write_whole(home / "services.json", json.dumps(services))


@contextlib.contextmanager
def only_supervisor(home: Path) -> Iterator[bool]:
    """Hold the home's lock of supervisors; gives False where another one holds it. The kernel frees it at death."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def end_all(processes: Iterable[dict[str, Any]]) -> int:
    """Stop processes and their groups, all at once; return how many still lived."""
    living = [each for each in processes if process_started(each["pid"]) == each["started"]]
    for each in living:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(each["pid"], signal.SIGTERM)
    return sum(end_process(each["pid"], each["started"]) for each in living)


def end_left(services: dict[str, Any]) -> int:
    """Stop the workers that a killed supervisor left behind, and the process that forks their runs."""
    return end_all(services["workers"]) + end_all(services.get("warm", ()))


@dataclass(frozen=True)
class Stopped:
    """What `down` did.

    Attributes:
        stopped: what was stopped.
        in_use: whether the Prefect server was left, because a `botarmy run` still uses it.
    """

    stopped: tuple[str, ...]
    in_use: bool


def stop_services(home: Path) -> Stopped:
    """Stop the supervisor of this home, which stops its children; then whatever a killed supervisor left behind."""
    services = left_behind(home)
    stopped = []
    if services is not None:
        server_ran = services["ours"] and PrefectServer(home).running() is not None
        if supervised(services):
            _end_supervisor(services)
            stopped += ["supervisor", "worker"]
        elif end_left(services):
            stopped.append("worker")
    server = PrefectServer(home)
    in_use = server.used()
    if not in_use and server.stop():
        stopped.append("Prefect server")
    elif not in_use and services is not None and server_ran:
        stopped.append("Prefect server")  # the supervisor has stopped it
    (home / "services.json").unlink(missing_ok=True)
    return Stopped(tuple(stopped), in_use)


def _end_supervisor(services: dict[str, Any]) -> None:
    os.kill(services["pid"], signal.SIGTERM)
    end = time.monotonic() + STOP_PATIENCE_S
    while supervised(services):
        if time.monotonic() > end:
            os.kill(services["pid"], signal.SIGKILL)
            end_left(services)
            return
        time.sleep(0.05)
