"""Time requests to the started service: some clients, each with its own kept connection, for a short while."""

from __future__ import annotations

import contextlib
import http.client
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import TIMEOUT_S, Exchange, Missing, request
from sandbox.probes.service import LOOPBACK, Service
from sandbox.probes.serving import serve_and_report

Prepared = tuple[str, str, bytes | None, dict[str, str]]
WRITE_EVERY = 5  # requests; the others read


class Client(threading.Thread):
    """One client: sends its requests in turn until its time is up or its share is done."""

    def __init__(self, port: int, reads: list[Prepared], writes: list[Prepared], until: float, most: int) -> None:
        super().__init__(daemon=True)
        self.port, self.reads, self.writes, self.until, self.most = port, reads, list(writes), until, most
        self.times: list[float] = []
        self.errors: list[str] = []
        self.written = self.refused = 0

    def run(self) -> None:
        """Send and time."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=TIMEOUT_S)
        for number in range(self.most):
            if time.monotonic() > self.until:
                break
            writes = bool(self.writes) and (number % WRITE_EVERY == 0 or not self.reads)
            if not writes and not self.reads:
                break
            method, path, body, headers = self.writes.pop() if writes else self.reads[number % len(self.reads)]
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
            self._count(f"{method} {path}", response.status, writes=writes)
        connection.close()

    def _count(self, name: str, status: int, *, writes: bool) -> None:
        """A write may be refused by a rule that no schema says; a read may not, and nothing may fail."""
        self.written += writes
        if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or (status >= http.HTTPStatus.BAD_REQUEST and not writes):
            self.errors.append(f"{name} answered {status}")
        elif status >= http.HTTPStatus.BAD_REQUEST:
            self.refused += 1


def prepare(steps: list[dict[str, Any]], saved: dict[str, Any]) -> list[Prepared]:
    """Return the requests whose rows could be made."""
    prepared: list[Prepared] = []
    for step in steps:
        with contextlib.suppress(Missing):
            path, body, headers = request(step, saved)
            prepared.append((step["method"], path, body, headers))
    return prepared


def measure(service: Service, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the times and the errors."""
    saved: dict[str, Any] = {}
    exchange = Exchange(service, time.monotonic() + 20)
    for step in plan["setup"]:
        exchange.step(step, saved)
    reads, writes = prepare(plan["reads"], saved), prepare(plan["writes"], saved)
    Client(service.port, reads, [], time.monotonic() + 1, len(reads)).run()  # warms up; its times do not count
    begun = time.monotonic()
    until, count = begun + plan["seconds"], plan["clients"]
    clients = [
        Client(service.port, reads[number:] + reads[:number], writes[number::count], until, plan["requests_per_client"])
        for number in range(count)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return {
        "times": [round(value, 3) for client in clients for value in client.times],
        "errors": [error for client in clients for error in client.errors][:1000],
        "seconds": time.monotonic() - begun,
        "writes": sum(client.written for client in clients),
        "refused": sum(client.refused for client in clients),
        "distinct": sorted({f"{method} {path}" for method, path, _, _ in reads + writes}),
    }


def observe(service: Service, plan: dict[str, Any], report: dict[str, Any]) -> None:
    """Measure and keep the figures."""
    report |= measure(service, plan)


if __name__ == "__main__":
    serve_and_report(observe)
