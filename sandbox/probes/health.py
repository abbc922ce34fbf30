"""Start the service, write a row, stop it with SIGTERM, start it again, read the row."""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import Exchange, Missing, fill
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


def row_of(record: dict[str, Any], read: dict[str, Any], saved: dict[str, Any]) -> Any:
    """Return the row that an answer shows: all of it, or the one among its rows that was written. None: it shows none."""
    value = parsed(record)
    if "within" not in read:
        return value
    for name in read["within"]:
        value = value.get(name) if isinstance(value, dict) else None
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return next((row for row in rows if is_written(row, read, saved)), None)


def is_written(row: dict[str, Any], read: dict[str, Any], saved: dict[str, Any]) -> bool:
    """Whether a row of a list is the written one: by the id that the service gave it, else by what was sent."""
    ids = [row[key] for key in read["keys"] if key in row]
    if ids and read["row"] in saved:
        return saved[read["row"]] in ids
    try:
        sent = fill(read["like"], saved)
    except Missing:
        return False
    shared = sent.keys() & row.keys() if isinstance(sent, dict) else set()
    return bool(shared) and all(row[name] == sent[name] for name in shared)


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
        report["found"] = row_of(report["before"], plan["read"], saved) is not None
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
        before, after = (row_of(report[name], plan["read"], saved) for name in ("before", "after"))
        report["same"] = before is not None and before == after
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
