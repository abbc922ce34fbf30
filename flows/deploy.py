"""Work pool, queues and the deployments of prefect.yaml in a Prefect server; made again only when something changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from botarmy.errors import BotArmyError, Unavailable, UnknownName
from flows.api import call
from flows.server import PrefectApi

ROOT = Path(__file__).resolve().parent.parent
POOL = "botarmy"
QUEUES = {"critical": 1, "default": 2, "low": 3}
"""Work queue -> priority; a lower number is served first."""
DEPLOYMENTS = ("sdlc/default", "sdlc/scheduled", "upkeep/minutely")
ENGINE = f"{shlex.quote(sys.executable)} -m flows.launch"
"""What a worker starts for a run. Without a command it starts a process that resolves the workspace, and in that one
the engine: Prefect is imported twice. The interpreter is named in full, as the deployments' folder is: a worker that was
started from elsewhere has another `python`, or none, on its PATH."""


def ensure_deployments(api: PrefectApi, environ: dict[str, str], home: Path) -> None:
    """Make pool, queues and deployments; cheap where they are there already.

    Args:
        api: where.
        environ: environment for the `prefect` command, which points at the same server.
        home: BOTARMY_HOME; remembers which prefect.yaml was deployed last.

    Raises:
        BotArmyError: prefect.yaml is missing or `prefect deploy` refused it; the message quotes what it said.
        Unavailable: the API does not answer.
    """
    _ensure_pool(api)
    wanted = {"prefect.yaml": _digest(ROOT / "prefect.yaml"), "api": api.url}
    marker = home / "prefect" / "deployed.json"
    found = deployments(api)
    if _marked(marker) != wanted or len(found) < len(DEPLOYMENTS):
        _deploy(environ)
        found = deployments(api)
    if missing := [name for name in DEPLOYMENTS if name not in found]:
        raise BotArmyError(
            f"prefect.yaml does not have {', '.join(missing)}.",
            hint="Take prefect.yaml back as it came, then botarmy up.",
        )
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(wanted), "utf-8")
    for deployment in found.values():
        variables = deployment["job_variables"] or {}
        if variables.get("command") != ENGINE:
            call(api, "PATCH", f"/deployments/{deployment['id']}", {"job_variables": variables | {"command": ENGINE}})


def _deploy(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if done.returncode != 0:
        raise BotArmyError(
            f"`prefect deploy --all` did not make the deployments. It said: {(done.stderr or done.stdout)[-600:].strip()}",
            hint="Mend prefect.yaml, then run botarmy up again.",
        )


def _ensure_pool(api: PrefectApi) -> None:
    try:
        call(api, "GET", f"/work_pools/{POOL}")
    except UnknownName:
        call(api, "POST", "/work_pools/", {"name": POOL, "type": "process"})
    for queue, priority in QUEUES.items():
        try:
            call(api, "PATCH", f"/work_pools/{POOL}/queues/{queue}", {"priority": priority})
        except UnknownName:
            call(api, "POST", f"/work_pools/{POOL}/queues", {"name": queue, "priority": priority})


def deployments(api: PrefectApi) -> dict[str, Any]:
    """Return our deployments that are there, by name."""
    found = {}
    for name in DEPLOYMENTS:
        with contextlib.suppress(UnknownName):
            found[name] = call(api, "GET", f"/deployments/name/{name}")
    return found


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", hint="Run from a checkout of BotArmy.") from None


def _marked(marker: Path) -> Any:
    try:
        return json.loads(marker.read_text("utf-8"))
    except (OSError, ValueError):
        return None
