"""A generated product as a process of its own, on loopback, for tests."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any


class RunningService:
    """`python -m app serve` in a folder; its log goes to a file beside the data."""

    def __init__(self, root: Path, data: Path, **settings: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._log = (data.parent / f"{data.name}.log").open("a+", encoding="utf-8")
        self._begin = self._log.seek(0, os.SEEK_END)
        environment = {"PORT": "0", "DATA_DIR": str(data), "PATH": os.environ["PATH"], **settings}
        command = [sys.executable, "-m", "app", "serve"]
        self.process = subprocess.Popen(command, cwd=root, env=environment, stderr=self._log, stdin=subprocess.DEVNULL)
        self.port = self._await_port()

    def _await_port(self) -> int:
        with Path(self._log.name).open(encoding="utf-8") as reader:
            reader.seek(self._begin)
            until = time.monotonic() + 20
            while time.monotonic() < until:
                line = _whole_line(reader)
                if line.startswith("{") and json.loads(line).get("event") == "listening":
                    return int(json.loads(line)["port"])
                if not line and self.process.poll() is not None:
                    reader.seek(self._begin)
                    raise AssertionError(f"the service ended with {self.process.returncode}: {reader.read()}")
                if not line:
                    time.sleep(0.01)
        self.process.kill()
        raise AssertionError("the service does not say that it listens")

    def log(self) -> str:
        """Return what it has logged."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def call(self, method: str, path: str, content: Any = None) -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=None if content is None else json.dumps(content).encode())
            response = connection.getresponse()
            body = response.read()
            return response.status, json.loads(body) if body else None
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(10)
        self._log.close()
        return code


def _whole_line(reader: IO[str]) -> str:
    place = reader.tell()
    line = reader.readline()
    if line.endswith("\n"):
        return line
    reader.seek(place)
    return ""
