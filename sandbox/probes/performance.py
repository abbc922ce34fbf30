"""Time requests to the started service: some clients, each with its own kept connection, for a short while."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import TIMEOUT_S, Exchange, Missing, request
from sandbox.probes.report import Channel
from sandbox.probes.service import LOOPBACK, Service, ServiceFailed

Prepared = tuple[str, str, bytes | None, dict[str, str]]


class Client(threading.Thread):
    """One client that sends the prepared requests in turn until its time is up or its share is done."""

    def __init__(self, port: int, requests: list[Prepared], offset: int, until: float, most: int) -> None:
        super().__init__(daemon=True)
        self.port, self.requests, self.offset, self.until, self.most = port, requests, offset, until, most
        self.times: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        """Send and time."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=TIMEOUT_S)
        for number in range(self.most):
            if time.monotonic() > self.until:
                break
            method, path, body, headers = self.requests[(self.offset + number) % len(self.requests)]
            begun = time.perf_counter()
            try:
                connection.request(method, path, body=body, headers=headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(f"{method} {path}: {type(error).__name__}: {error}")
                connection.close()
                continue
            self.times.append((time.perf_counter() - begun) * 1000)
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                self.errors.append(f"{method} {path} answered {response.status}")
        connection.close()


def prepare(exchange: Exchange, plan: dict[str, Any]) -> list[Prepared]:
    """Create the rows that the requests need; return the requests that can be sent."""
    saved: dict[str, Any] = {}
    for step in plan["setup"]:
        exchange.step(step, saved)
    prepared: list[Prepared] = []
    for step in plan["requests"]:
        try:
            path, body, headers = request(step, saved)
        except Missing:
            continue
        prepared.append((step["method"], path, body, headers))
    return prepared


def measure(service: Service, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the times and the errors."""
    prepared = prepare(Exchange(service, time.monotonic() + 20), plan)
    if not prepared:
        return {"times": [], "errors": [], "seconds": 0, "distinct": []}
    for warm in (Client(service.port, prepared, 0, time.monotonic() + 1, len(prepared)),):
        warm.run()
    until = time.monotonic() + plan["seconds"]
    clients = [
        Client(service.port, prepared, number, until, plan["requests_per_client"]) for number in range(plan["clients"])
    ]
    begun = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return {
        "times": [round(value, 3) for client in clients for value in client.times],
        "errors": [error for client in clients for error in client.errors][:1000],
        "seconds": time.monotonic() - begun,
        "distinct": sorted({f"{method} {path}" for method, path, _, _ in prepared}),
    }


def main() -> None:
    """Measure and report."""
    channel = Channel()
    plan = channel.plan
    service = Service(plan["service"], Path(plan["service"]["data"]))
    report: dict[str, Any] = {"service": ""}
    try:
        report["startup_s"] = round(service.start(), 3)
        report |= measure(service, plan)
        report["alive"] = service.alive()
    except ServiceFailed as error:
        report["service"] = str(error)
    report["log"] = service.tail()
    service.kill()
    channel.send(report)


if __name__ == "__main__":
    main()
