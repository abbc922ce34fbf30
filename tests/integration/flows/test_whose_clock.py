"""How old a Prefect state is, is judged by the Prefect server's clock; processes are known by no clock at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from flows.api import server_time
from flows.recovery import run_is_gone
from flows.server import PrefectApi, process_started

HOUR = timedelta(hours=1)


class _Clock(BaseHTTPRequestHandler):
    """A server that tells another time than this machine's."""

    off = timedelta(0)

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("date", format_datetime(datetime.now(UTC) + self.off, usegmt=True))
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(params=[timedelta(0), HOUR, -HOUR], ids=["right", "ahead", "behind"])
def off(request: pytest.FixtureRequest) -> timedelta:
    """How far the Prefect server's clock is off."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def api(off: timedelta) -> Iterator[PrefectApi]:
    kind = type("Clock", (_Clock,), {"off": off})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield PrefectApi(url=f"http://127.0.0.1:{server.server_port}/api")
    server.shutdown()
    thread.join()
    server.server_close()


RUNTIME: Any = SimpleNamespace(settings=SimpleNamespace(recovery_window_s=60.0))


def running_since(moment: datetime) -> dict[str, Any]:
    return {"id": "1", "state_type": "RUNNING", "state": {"timestamp": moment.isoformat()}}


def test_the_time_is_the_servers(api: PrefectApi, off: timedelta) -> None:
    assert abs(server_time(api) - datetime.now(UTC) - off) < timedelta(seconds=30)


async def test_a_run_is_young_or_gone_by_the_servers_clock(api: PrefectApi, off: timedelta) -> None:
    now = datetime.now(UTC) + off
    assert not await run_is_gone(RUNTIME, api, running_since(now))
    assert await run_is_gone(RUNTIME, api, running_since(now - timedelta(minutes=5)))


async def test_a_state_from_before_the_clock_was_set_back_is_no_sign_of_life(api: PrefectApi, off: timedelta) -> None:
    assert await run_is_gone(RUNTIME, api, running_since(datetime.now(UTC) + off + HOUR))


def test_a_process_is_the_same_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("without /proc a process is known by its time of day")
    before = process_started(os.getpid())
    boot = psutil._psplatform.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: boot + 3600)
    assert psutil.Process().create_time() > boot + 3600, "psutil's own time moves with the clock"
    assert process_started(os.getpid()) == before is not None


def test_a_process_that_is_gone_or_unreaped_has_no_start() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    while Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        pass
    assert process_started(child) is None
    os.waitpid(child, 0)
    assert process_started(child) is None
