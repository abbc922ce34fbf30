"""The doctor's look at what `botarmy up` keeps: supervisor, workers, Prefect server, deployments. It starts nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botarmy.errors import BotArmyError
from cli.findings import Finding, fail, ok, warn

_AGAIN = "botarmy down, then botarmy up"


def look_at_services(home: Path) -> list[Finding]:
    """Say whether the services of this home run as `up` left them."""
    from flows.server import answers, log_tail
    from flows.services import left_behind, supervised

    services = left_behind(home)
    if services is None:
        return [ok("services", "not up: `botarmy up` starts server and worker; `botarmy run` needs neither")]
    if not supervised(services):
        text = f"`botarmy up` (process {services['pid']}) was killed: what it kept is watched by nobody"
        return [warn("services", text, f"{_AGAIN}; what it left behind is stopped first.")]
    found = [_workers(services, home)]
    if not answers(services["api"]):
        text = f"the Prefect server at {services['api']} does not answer"
        log = home / "prefect" / "server.log"
        mend = f"`up` starts it again by itself; {log} ends: {log_tail(log, 200)}" if services["ours"] else "Start it."
        return [*found, fail("services", text, mend)]
    return [*found, *_look_inside(home, services)]


def _workers(services: dict[str, Any], home: Path) -> Finding:
    from flows.server import process_started

    workers = services["workers"]
    living = [each for each in workers if process_started(each["pid"]) == each["started"]]
    text = f"up since process {services['pid']}, {len(living)} of {len(workers)} workers run, UI at {services['ui']}"
    if len(living) == len(workers):
        return ok("services", text)
    mend = f"`up` starts workers again by itself; why they end: {home / 'worker-0.log'}"
    return warn("services", text, mend) if living else fail("services", text, mend)


def _look_inside(home: Path, services: dict[str, Any]) -> list[Finding]:
    """Ask the Prefect server what only it knows: whether workers report to it, whether the deployments are there."""
    import os

    from flows.api import call, find_api
    from flows.deploy import DEPLOYMENTS, deployments

    try:
        api = find_api(home, dict(os.environ))
        workers = call(api, "POST", f"/work_pools/{services['pool']}/workers/filter", {})
        there = deployments(api)
    except BotArmyError as error:
        return [fail("services", error.message, error.hint or _AGAIN)]
    found = []
    if not any(each["status"] == "ONLINE" for each in workers):
        text = (
            f"no worker of the pool {services['pool']} reports to the Prefect server: nothing that is submitted starts"
        )
        found.append(warn("services", text, f"Wait half a minute after a start; else read {home / 'worker-0.log'}"))
    if missing := [name for name in DEPLOYMENTS if name not in there]:
        found.append(fail("services", f"the deployments {', '.join(missing)} are missing", _AGAIN))
    return found
