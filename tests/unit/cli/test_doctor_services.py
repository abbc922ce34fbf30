"""What the doctor says of the services of `botarmy up`, from what it finds: it starts and stops nothing."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.doctor_services import look_at_services
from cli.findings import Level
from flows.server import process_started

HERE = {"pid": os.getpid(), "started": process_started(os.getpid())}
GONE = {"pid": 2**22 - 1, "started": 0.0}


class Prefect(ThreadingHTTPServer):
    """Answers as a Prefect server does that has these workers and deployments."""

    workers: list[dict[str, str]]
    deployments: set[str]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Prefect]:
    class Handler(BaseHTTPRequestHandler):
        server: Prefect

        def do_GET(self) -> None:
            name = self.path.partition("/deployments/name/")[2]
            self._answer(404 if name and name not in self.server.deployments else 200, {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(200, self.server.workers)

        def _answer(self, status: int, body: Any) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = Prefect(("127.0.0.1", 0), Handler)
    server.workers = [{"status": "ONLINE"}]
    server.deployments = {"sdlc/default", "sdlc/scheduled", "upkeep/minutely"}
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
    yield server
    server.shutdown()
    server.server_close()


def write(home: Path, **changes: Any) -> None:
    services = {"api": os.environ.get("PREFECT_API_URL", "http://127.0.0.1:1/api"), "ui": "http://ui", "ours": True}
    services |= {"pool": "botarmy", "workers": [HERE], **HERE, **changes}
    (home / "services.json").write_text(json.dumps(services), "utf-8")


def told(home: Path) -> list[tuple[Level, str]]:
    found = look_at_services(home)
    assert all(each.fix for each in found if each.level is not Level.ok)
    return [(each.level, each.text) for each in found]


def test_nothing_is_up(tmp_path: Path) -> None:
    assert told(tmp_path)[0][0] is Level.ok
    assert "not up" in told(tmp_path)[0][1]


def test_all_is_well(tmp_path: Path, prefect: Prefect) -> None:
    write(tmp_path)
    assert [level for level, _ in told(tmp_path)] == [Level.ok]


def test_a_killed_supervisor(tmp_path: Path) -> None:
    write(tmp_path, **GONE)
    assert [(level, "was killed" in text) for level, text in told(tmp_path)] == [(Level.warn, True)]


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    write(tmp_path)
    assert told(tmp_path)[-1] == (Level.fail, "the Prefect server at http://127.0.0.1:1/api does not answer")


def test_workers_that_ended_or_do_not_report(tmp_path: Path, prefect: Prefect) -> None:
    write(tmp_path, workers=[HERE, GONE])
    assert told(tmp_path)[0][0] is Level.warn
    write(tmp_path, workers=[GONE])
    assert told(tmp_path)[0][0] is Level.fail
    prefect.workers = [{"status": "OFFLINE"}]
    assert (Level.warn, True) in [(level, "no worker" in text) for level, text in told(tmp_path)]


def test_a_deployment_that_is_missing(tmp_path: Path, prefect: Prefect) -> None:
    prefect.deployments.discard("sdlc/scheduled")
    write(tmp_path)
    assert told(tmp_path)[-1] == (Level.fail, "the deployments sdlc/scheduled are missing")
