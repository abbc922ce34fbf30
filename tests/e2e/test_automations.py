"""What Prefect does by itself: call a webhook when a gate opens, start a scheduled run."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.factories.product import Product, wait_for


class Webhook:
    """A server on loopback that keeps what it was sent."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.put((self.path, self.headers["content-type"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def said_of(self, flow_run_id: str, *, patience_s: float = 60) -> tuple[str, str, Any]:
        """Return the next message about a run: path, content type, body; gates of other tests' projects open as well.

        Raises:
            queue.Empty: none came.
        """
        until = time.monotonic() + patience_s
        while True:
            message = self.received.get(timeout=max(until - time.monotonic(), 0.01))
            if message[2]["flow_run_id"] == flow_run_id:
                return message


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_is_called_when_a_gate_opens(services: Product, webhook: Webhook) -> None:
    assert "Nobody" in services.run("notify").stdout
    assert services.run("notify", f"{webhook.url}/old").returncode == 0
    moved = services.run("notify", f"{webhook.url}/hook?room=1")  # one automation, moved to another address
    assert moved.returncode == 0, moved.stderr
    assert "is on" in services.run("notify").stdout
    made = services.submit("notified")
    services.gate("notified", "Discovery")
    path, kind, body = webhook.said_of(made["flow_run_id"])
    assert (path, kind) == ("/hook?room=1", "application/json")
    assert body == {
        "text": f"A gate waits for a decision: notified {made['url']}",
        "flow_run_id": made["flow_run_id"],
        "flow_run_name": "notified",
        "url": made["url"],
    }
    assert services.run("notify", "--stop").returncode == 0
    assert "Nobody" in services.run("notify").stdout
    services.run("cancel", "notified", "--by", "Ann")
    with pytest.raises(queue.Empty):  # one gate, one message
        webhook.said_of(made["flow_run_id"], patience_s=1)


@pytest.mark.parametrize("address", ["chat.example.com/hook", "ftp://example.com/hook", "https://"])
def test_an_address_that_cannot_be_called_is_refused(services: Product, address: str) -> None:
    done = services.run("notify", address)
    assert done.returncode == 2
    assert "web address" in done.stderr


def test_a_schedule_fires_once(services: Product) -> None:
    deployment = services.api("GET", "/deployments/name/sdlc/scheduled")
    assert [each["active"] for each in deployment["schedules"]] == [False], "the example is off until switched on"
    at = datetime.now(UTC) + timedelta(seconds=15)
    rule = f"DTSTART:{at:%Y%m%dT%H%M%S}Z\nRRULE:FREQ=DAILY;COUNT=1"
    once = {"schedule": {"rrule": rule, "timezone": "UTC"}, "active": True}
    made = services.api("POST", f"/deployments/{deployment['id']}/schedules", [once])
    # A schedule alone is seen within a minute; a deployment that was touched is looked at within five seconds.
    services.api("PATCH", f"/deployments/{deployment['id']}", {"paused": False})

    def fired() -> list[dict[str, Any]]:
        wanted = {
            "flow_runs": {"deployment_id": {"any_": [deployment["id"]]}, "state": {"type": {"not_any_": ["SCHEDULED"]}}}
        }
        found: list[dict[str, Any]] = services.api("POST", "/flow_runs/filter", wanted)
        return found

    def project() -> str:
        found = [each["slug"] for each in services.json("projects")["projects"] if "service" in each["slug"]]
        return found[0] if found else ""

    try:
        runs = wait_for(fired, "the scheduled run", 60)
        assert len(runs) == 1
        assert runs[0]["auto_scheduled"]
        slug = wait_for(project, "the scheduled run's project", 60)
        assert services.show(slug)["project"]["status"] in {"pending", "running", "waiting", "completed"}
        assert len(fired()) == 1
    finally:
        services.api("DELETE", f"/deployments/{deployment['id']}/schedules/{made[0]['id']}")
    services.run("cancel", slug, "--by", "Ann")
