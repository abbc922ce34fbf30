"""Start the one service of a plan, do what a probe is for, and report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.probes.report import Channel
from sandbox.probes.service import Service, ServiceFailed

Observe = Callable[[Service, dict[str, Any], dict[str, Any]], None]
"""Takes the started service and the plan, and writes what it saw into the report."""


def serve_and_report(observe: Observe, **empty: Any) -> None:
    """Carry the probe out; a service that fails is told under `service`, and its log is always there.

    Args:
        observe: what the probe is for.
        empty: what the report says where the service does not start.
    """
    channel = Channel()
    plan = channel.plan
    service = Service(plan["service"], Path(plan["service"]["data"]))
    report: dict[str, Any] = {"service": "", **empty}
    try:
        report["startup_s"] = round(service.start(), 3)
        observe(service, plan, report)
        report["alive"] = service.alive()
    except ServiceFailed as error:
        report["service"] = str(error)
    report["log"] = service.tail()
    service.kill()
    channel.send(report)
