"""Start the service and carry out the planned scenarios."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import Exchange
from sandbox.probes.report import Channel
from sandbox.probes.service import Service, ServiceFailed


def main() -> None:
    """Play and report."""
    channel = Channel()
    plan = channel.plan
    service = Service(plan["service"], Path(plan["service"]["data"]))
    report: dict[str, Any] = {"service": "", "records": []}
    try:
        report["startup_s"] = round(service.start(), 3)
        exchange = Exchange(service, time.monotonic() + plan["budget_s"])
        exchange.play(plan["scenarios"])
        report |= {"records": exchange.records, "exhausted": exchange.exhausted, "alive": service.alive()}
    except ServiceFailed as error:
        report["service"] = str(error)
    report["log"] = service.tail()
    service.kill()
    channel.send(report)


if __name__ == "__main__":
    main()
