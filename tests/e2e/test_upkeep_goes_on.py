"""Upkeep is recovery for all others; nothing that happens to one upkeep may keep the next from running."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from flows.server import PrefectServer
from tests.factories.product import ROOT, Product, wait_for


def set_state(services: Product, run: dict[str, Any], kind: str) -> None:
    """Propose a state for a flow run as a worker does, and see that Prefect took it."""
    said = services.api("POST", f"/flow_runs/{run['id']}/set_state", {"state": {"type": kind}})
    assert said["status"] == "ACCEPT", said


def submitted(services: Product, deployment: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Create a flow run of the deployment."""
    made: dict[str, Any] = services.api("POST", f"/deployments/{deployment['id']}/create_flow_run", more)
    return made


def carried_out(services: Product, deployment: dict[str, Any]) -> bool:
    """Submit one upkeep and return whether it ran; one that is cancelled met the services' own, which is running."""
    run = submitted(services, deployment, state={"type": "SCHEDULED"})

    def ended() -> str:
        state = services.api("GET", f"/flow_runs/{run['id']}")["state_type"]
        return str(state) if state in {"COMPLETED", "CANCELLED", "FAILED", "CRASHED"} else ""

    state = wait_for(ended, "an upkeep to end", 60)
    assert state in {"COMPLETED", "CANCELLED"}, state
    return bool(state == "COMPLETED")


def test_a_killed_upkeep_does_not_stop_the_next(services: Product) -> None:
    deployment = services.api("GET", "/deployments/name/upkeep/minutely")
    assert deployment["global_concurrency_limit"]["limit"] == 3
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"

    # Two that hold their places without a process: due far from now, so that the worker does not take them up.
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}}
    dead = [submitted(services, deployment, **later) for _ in range(2)]
    for run in dead:
        set_state(services, run, "PENDING")
    try:
        leases = [each.name for each in (services.home / "prefect" / "concurrency_leases").glob("*-*.json")]
        assert len(leases) >= len(dead), "their places must be known to the next server as well, to be given back"

        wait_for(lambda: carried_out(services, deployment), "an upkeep beside two dead ones", 120)
    finally:
        for run in dead:
            set_state(services, run, "CRASHED")


def test_a_run_whose_process_died_while_it_was_loading_is_carried_out(services: Product) -> None:
    deployment = services.api("GET", "/deployments/name/sdlc/default")
    parameters = {"brief": "# Loading\nEach book has a required title.\n", "name": "loading", "gates": "suspend"}
    # Taken by a worker, never begun: as after a kill of both in the seconds before Prefect calls it running.
    lost = submitted(services, deployment, name="loading", parameters=parameters, state={"type": "PENDING"})

    def mended() -> bool:
        keep_up(services, window_s=1)
        return bool(services.api("GET", f"/flow_runs/{lost['id']}")["state_name"] == "Replaced")

    wait_for(mended, "the lost run to be submitted anew", 240)
    assert services.gate("loading", "Discovery")["project"] == "loading"
    services.run("cancel", "loading", "--by", "Ann")


def keep_up(services: Product, *, window_s: int) -> None:
    """Run upkeep once, in a process of its own, with a recovery window shorter than the services'."""
    api = PrefectServer(services.home).running()
    assert api is not None
    environ = api.environment() | {"BOTARMY_RECOVERY_WINDOW_S": str(window_s)}
    code = "import asyncio, flows.upkeep; asyncio.run(flows.upkeep.keep_up())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=services.environ | environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
