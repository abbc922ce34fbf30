"""Start the service and carry out the planned scenarios."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.exchange import Exchange
from sandbox.probes.service import Service
from sandbox.probes.serving import serve_and_report


def play(service: Service, plan: dict[str, Any], report: dict[str, Any]) -> None:
    """Carry out the scenarios and keep what was answered."""
    exchange = Exchange(service, time.monotonic() + plan["budget_s"])
    exchange.play(plan["scenarios"])
    report |= {"records": exchange.records, "exhausted": exchange.exhausted}


if __name__ == "__main__":
    serve_and_report(play, records=[])
