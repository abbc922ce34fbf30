"""Start the service once with each environment's variables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.report import Channel
from sandbox.probes.service import Service, ServiceFailed


def try_environment(plan: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """Start and stop with one environment's variables."""
    data = Path(plan["service"]["data"]) / f"environment-{environment['number']}"
    service = Service(plan["service"], data, environment["variables"])
    result: dict[str, Any] = {"name": environment["name"], "fault": ""}
    try:
        result["startup_s"] = round(service.start(), 3)
        result["stop_code"], _ = service.stop()
    except ServiceFailed as error:
        result["fault"] = str(error)
    service.kill()
    result["log"] = service.tail()
    return result


def main() -> None:
    """Try all and report."""
    channel = Channel()
    channel.send({"environments": [try_environment(channel.plan, one) for one in channel.plan["environments"]]})


if __name__ == "__main__":
    main()
