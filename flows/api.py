"""The few calls of Prefect's REST API that commands need, without importing Prefect (which takes seconds)."""

from __future__ import annotations

import base64
import contextlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from botarmy.errors import BotArmyError, Unavailable, UnknownName
from flows.server import PrefectApi, PrefectServer, foreign_api

NOT_FOUND, CONFLICT = 404, 409
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
"""State types of a flow run that has ended."""


class PrefectRefused(BotArmyError):
    """The Prefect API answered, and said no."""

    code = "prefect-refused"


class PrefectConflict(PrefectRefused):
    """What was asked for is there already."""


def find_api(home: Path, environ: dict[str, str]) -> PrefectApi:
    """Return the Prefect API that commands talk to: the configured one, else our running server.

    Raises:
        Unavailable: there is none.
    """
    api = foreign_api(environ) or PrefectServer(home).running()
    if api is None:
        raise Unavailable("No Prefect server is running for this home.", hint="Start it with: botarmy up")
    return api


def call(api: PrefectApi, method: str, path: str, body: Any = None, *, timeout_s: float = 30.0) -> Any:
    """Send one request and return the JSON answer.

    Raises:
        UnknownName: nothing is at that address.
        PrefectRefused: any other answer than success.
        Unavailable: no answer.
    """
    with _answered(api, method, path, body, timeout_s) as response:
        text = response.read()
    return json.loads(text) if text else None


@contextlib.contextmanager
def _answered(api: PrefectApi, method: str, path: str, body: Any, timeout_s: float) -> Iterator[HTTPResponse]:
    """Send one request, give the answer to the body, and say what went wrong; see `call`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{api.url}{path}", data=data, method=method)  # noqa: S310 (configured address)
    request.add_header("content-type", "application/json")
    if api.auth:
        request.add_header("authorization", f"Basic {base64.b64encode(api.auth.encode()).decode()}")
    elif api.key:
        request.add_header("authorization", f"Bearer {api.key}")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310
            yield response
    except urllib.error.HTTPError as error:
        detail = error.read().decode("utf-8", "replace")[:500]
        kind = {NOT_FOUND: UnknownName, CONFLICT: PrefectConflict}.get(error.code, PrefectRefused)
        raise kind(f"Prefect answered {error.code} to {method} {path}. {detail}") from None
    except OSError as error:
        raise Unavailable(
            f"The Prefect API at {api.url} does not answer. {error}.",
            hint="Look with botarmy doctor, start it with botarmy up.",
        ) from None


def read_flow_run(api: PrefectApi, flow_run_id: str) -> dict[str, Any] | None:
    """Return a flow run, or None when Prefect has none of that id."""
    try:
        found: dict[str, Any] = call(api, "GET", f"/flow_runs/{flow_run_id}")
    except UnknownName:
        return None
    return found


def server_time(api: PrefectApi) -> datetime:
    """Return the time by the clock of the Prefect server, which stamps the states of runs; whole seconds."""
    with _answered(api, "GET", "/health", None, 30.0) as response:
        said = response.headers.get("date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)


def resume(api: PrefectApi, flow_run_id: str, answer: dict[str, Any]) -> bool:
    """Resume a suspended run with the form's answer; return whether Prefect took it.

    A refusal comes with HTTP 200 and stands in the body; an answer to a form that somebody has just answered, with 409.
    """
    try:
        answered = call(api, "POST", f"/flow_runs/{flow_run_id}/resume", {"run_input": answer})
    except PrefectConflict:
        return False
    return bool(answered["status"] == "ACCEPT")


def submit(
    api: PrefectApi,
    deployment: str,
    parameters: dict[str, Any],
    *,
    name: str = "",
    queue: str = "",
    tags: tuple[str, ...] = (),
    key: str = "",
) -> dict[str, Any]:
    """Create a scheduled run of a deployment ("flow/deployment") and return it.

    With a `key`, Prefect makes one run for it, however often this is called; the later calls return that one.

    Raises:
        UnknownName: there is no such deployment.
    """
    try:
        found = call(api, "GET", f"/deployments/name/{urllib.parse.quote(deployment, safe='/')}")
    except UnknownName:
        raise UnknownName(
            f"Prefect has no deployment {deployment!r}.", hint="botarmy up makes the deployments of prefect.yaml."
        ) from None
    body: dict[str, Any] = {"parameters": parameters, "tags": list(tags), "state": {"type": "SCHEDULED"}}
    body |= {"name": name} if name else {}
    body |= {"work_queue_name": queue} if queue else {}
    body |= {"idempotency_key": key} if key else {}
    made: dict[str, Any] = call(api, "POST", f"/deployments/{found['id']}/create_flow_run", body)
    return made


def cancel(api: PrefectApi, flow_run_id: str) -> None:
    """Ask Prefect to cancel a run; a suspended one is cancelled at once."""
    found = read_flow_run(api, flow_run_id)
    if found is None or found["state_type"] in ("COMPLETED", "FAILED", "CANCELLED", "CRASHED"):
        return
    running = found["state_type"] in ("RUNNING", "PENDING")
    state = {"type": "CANCELLING" if running else "CANCELLED", "message": "cancelled by botarmy cancel"}
    call(api, "POST", f"/flow_runs/{flow_run_id}/set_state", {"state": state, "force": True})


def crashed(api: PrefectApi, flow_run_id: str, *, name: str = "Crashed") -> None:
    """Let Prefect show a run as crashed whose process is gone."""
    state = {"type": "CRASHED", "name": name, "message": "its process is gone; found by botarmy's upkeep"}
    call(api, "POST", f"/flow_runs/{flow_run_id}/set_state", {"state": state, "force": True})


def has_form(api: PrefectApi, run: dict[str, Any]) -> bool:
    """Tell whether a paused run's form was saved; without it the run cannot be resumed."""
    keys = (run["state"].get("state_details") or {}).get("run_input_keyset")
    if not keys:
        return True
    try:
        call(api, "GET", f"/flow_runs/{run['id']}/input/{urllib.parse.quote(keys['schema'], safe='')}")
    except UnknownName:
        return False
    return True


def delete_flow_run(api: PrefectApi, flow_run_id: str) -> bool:
    """Cancel a run and delete it with its parameters, form, answers and logs; return whether Prefect had it."""
    if read_flow_run(api, flow_run_id) is None:
        return False
    cancel(api, flow_run_id)
    with contextlib.suppress(UnknownName):  # somebody else has deleted it meanwhile
        call(api, "DELETE", f"/flow_runs/{flow_run_id}")
    return True
