"""Starting the product's service, finding it healthy, stopping it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
POLL_S = 0.02
SETTLE_S = 0.1
LOG_TAIL = 4000  # characters
KEPT = ("PATH", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONUNBUFFERED")


class ServiceFailed(Exception):
    """The service did not do what it must; the message says what, with the end of its log."""


class Service:
    """One started service.

    Attributes:
        port: where it listens, on the loopback address.
        process: None before the start.
    """

    def __init__(self, plan: Mapping[str, Any], data: Path, variables: Mapping[str, str] = {}) -> None:
        """Take a plan with app, start, health_path, startup_s and stop_s; `variables` go before our own."""
        self._plan = plan
        self._data = data
        self._variables = variables
        self._log = Path(os.environ["TMPDIR"]) / f"service-{os.urandom(4).hex()}.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Return the address without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> float:
        """Start and wait until the health path answers 200; return the seconds it took.

        Raises:
            ServiceFailed: it could not be started, ended, or did not get healthy in time.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        own = {"PORT": str(self.port), "HOST": LOOPBACK, "DATA_DIR": str(self._data), "LOG_LEVEL": "INFO"}
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        begun = time.monotonic()
        with self._log.open("ab") as log:
            try:
                self.process = subprocess.Popen(  # noqa: S603 (that is the task)
                    self._plan["start"],
                    cwd=self._plan["app"],
                    env={**kept, **own, **self._variables},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServiceFailed(f"the start command could not be run: {error}") from error
        self._wait(begun + float(self._plan["startup_s"]))
        return time.monotonic() - begun

    def _wait(self, until: float) -> None:
        last = "nothing listened"
        while time.monotonic() < until:
            if self.process is not None and (code := self.process.poll()) is not None:
                raise ServiceFailed(f"the service ended with exit code {code} while it started: {self.tail()}")
            try:
                status = get(self.port, self._plan["health_path"], timeout=2)
            except (OSError, http.client.HTTPException) as error:
                last = f"{type(error).__name__}: {error}"
            else:
                if status == http.HTTPStatus.OK:
                    return
                last = f"GET {self._plan['health_path']} answered {status}"
            time.sleep(POLL_S)
        raise ServiceFailed(
            f"the service was not healthy within {self._plan['startup_s']} s ({last}; it must listen on HOST and PORT): "
            f"{self.tail()}"
        )

    def alive(self) -> bool:
        """Return whether the process that we started still runs."""
        return self.process is not None and self.process.poll() is None

    def settle(self) -> None:
        """Give a service that dropped a connection a moment to end: the kernel closes its sockets before that shows."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=SETTLE_S)

    def stop(self) -> tuple[int | None, float]:
        """Send SIGTERM; return the exit code (None when it had to be killed) and the seconds it took."""
        if self.process is None:
            return None, 0.0
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code: int | None = self.process.wait(timeout=float(self._plan["stop_s"]))
        except subprocess.TimeoutExpired:
            code = None
        taken = time.monotonic() - begun
        self.kill()
        return code, taken

    def kill(self) -> None:
        """End it and what it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def written(self) -> int:
        """Return how many bytes the service wrote so far."""
        return self._log.stat().st_size if self._log.exists() else 0

    def tail(self, since: int = 0) -> str:
        """Return the end of what the service wrote, from a number of bytes on."""
        try:
            with self._log.open("rb") as stream:
                stream.seek(max(since, self.written() - LOG_TAIL))
                text = stream.read().decode("utf-8", "replace").strip()
        except OSError:
            return "it left no log"
        return text or "it wrote nothing"


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str, timeout: float) -> int:
    """Return the status of a GET."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
