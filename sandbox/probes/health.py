"""Start the service, write a row, stop it with SIGTERM, start it again, read the row."""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import Exchange
from sandbox.probes.report import Channel
from sandbox.probes.service import Service, ServiceFailed


def parsed(record: dict[str, Any]) -> Any:
    """Return the JSON of an answer with status 200; None otherwise."""
    if record.get("status") != http.HTTPStatus.OK:
        return None
    try:
        return json.loads(record["text"])
    except ValueError:
        return None


def read_back(service: Service, plan: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of the read step."""
    return Exchange(service, time.monotonic() + 30).step(plan["read"], dict(saved))


def write_rows(service: Service, plan: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """Create a row and read it; return what was saved."""
    saved: dict[str, Any] = {}
    exchange = Exchange(service, time.monotonic() + 30)
    for step in plan["write"]:
        exchange.step(step, saved)
    report["written"] = exchange.records
    if plan["read"]:
        report["before"] = read_back(service, plan, saved)
    return saved


def observe(plan: dict[str, Any], report: dict[str, Any], services: list[Service]) -> None:
    """Fill the report step by step, so that a failure leaves what was seen before it."""
    data = Path(plan["service"]["data"])
    services.append(Service(plan["service"], data))
    report["startup_s"] = round(services[-1].start(), 3)
    saved = write_rows(services[-1], plan, report)
    code, taken = services[-1].stop()
    report |= {"stop_code": code, "stop_s": round(taken, 3)}
    services.append(Service(plan["service"], data))
    report["phase"] = "restart"
    report["restart_s"] = round(services[-1].start(), 3)
    if plan["read"]:
        report["after"] = read_back(services[-1], plan, saved)
        report["same"] = parsed(report["before"]) is not None and parsed(report["before"]) == parsed(report["after"])
    services[-1].stop()


def main() -> None:
    """Observe and report."""
    channel = Channel()
    report: dict[str, Any] = {"service": "", "phase": "start"}
    services: list[Service] = []
    try:
        observe(channel.plan, report, services)
    except ServiceFailed as error:
        report["service"] = str(error)
    report["log"] = "\n".join(service.tail() for service in services)
    for service in services:
        service.kill()
    channel.send(report)


if __name__ == "__main__":
    main()
