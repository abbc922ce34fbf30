"""Which runs are dead, and how a project goes on after one: always by a new flow run, never by a rescheduled old one.

Alive or dead is decided by our own lock and tables first. What Prefect says of a run that broke off together with its
worker stays "Running" for ever, so a running state counts only while it is young or the project is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from botarmy.crashpoints import point
from botarmy.errors import Held, RunsBreakOff
from botarmy.records import AuditEvent, Execution, Project, Status, digest
from flows.api import call, cancel, crashed, has_form, read_flow_run, resume, server_time, submit
from flows.resume import WAKE
from flows.server import PrefectApi
from storage.unit import UnitOfWork
from tasks.project import end_execution, end_project
from tasks.runtime import Runtime

DEPLOYMENT = "sdlc/default"
STARTING = frozenset({"PENDING", "RUNNING", "CANCELLING"})
"""State types of a run that has a process, or had one: without the project's lock it is soon taken for dead."""

OVER = frozenset({Status.completed, Status.cancelled, Status.stopped, Status.failed})
"""A project that upkeep leaves alone; people take up again what is not completed."""

MOST_RECOVERIES = 5
"""So many runs in succession are begun for a project that none of them brings a step forward; then it has failed."""

_RECOVERED = "run recovered"
_GRAIN = timedelta(seconds=2)
"""The Prefect server tells its time in whole seconds."""


async def is_gone(runtime: Runtime, api: PrefectApi, project: Project) -> bool:
    """Tell whether nothing carries the project on, now or by itself later."""
    if await runtime.database.is_held(project.id):
        return False
    last = await _last_run(runtime, project)
    if last is None:
        return True
    async with runtime.database.work() as work:
        gates = await work.gates.open_for(project.id)
    if gates and last.status is Status.waiting:
        return False  # the run ended on purpose; it waits for `botarmy approve`
    run = await asyncio.to_thread(read_flow_run, api, last.flow_run_id) if last.flow_run_id else None
    if run is not None and run["state_type"] == "PAUSED" and not any(g.flow_run_id == run["id"] for g in gates):
        # It waits at a gate that is not open any more (decided, or void), so nobody will answer its form.
        return not await asyncio.to_thread(resume, api, run["id"], WAKE)
    return await run_is_gone(runtime, api, run)


async def run_is_gone(runtime: Runtime, api: PrefectApi, run: dict[str, Any] | None) -> bool:
    """Tell whether a flow run whose project is not held will not go on by itself."""
    if run is None:
        return True
    kind = run["state_type"]
    if kind == "SCHEDULED":
        return False
    if kind == "PAUSED":  # a kill between the pause and the saving of its form leaves a run that nobody can resume
        return not await asyncio.to_thread(has_form, api, run)
    return kind not in STARTING or await _is_quiet(runtime, api, run)


async def _is_quiet(runtime: Runtime, api: PrefectApi, run: dict[str, Any]) -> bool:
    """Tell whether the run's state is older than the window, by the clock that wrote it: the Prefect server's.

    A state that lies ahead of that clock (it was set back since) counts as old: at worst a second run is submitted,
    which the lock turns away; otherwise nobody would go on for as long as the clock was set back.
    """
    age = await asyncio.to_thread(server_time, api) - datetime.fromisoformat(run["state"]["timestamp"])
    return not -_GRAIN <= age < quiet_window(runtime)


def quiet_window(runtime: Runtime) -> timedelta:
    """Return how long nothing must have shown signs of life before something is taken for dead."""
    return timedelta(seconds=runtime.settings.recovery_window_s)


async def recover(runtime: Runtime, api: PrefectApi, project_id: UUID, why: str) -> bool:
    """Submit a new run for the project, once for each run that died; the audit trail says why.

    Returns:
        Whether one was submitted: not where the project is held or over, or where somebody was first.
    """
    if await runtime.database.is_held(project_id):
        return False
    async with runtime.database.work() as work:
        runs = await work.executions.of_project(project_id)
    dead = newest(runs)
    if await _just_begun(runtime, api, dead):
        return False  # what the caller has seen is past: another upkeep has submitted this run since
    project = await _noted(runtime, api, project_id, dead, why)
    if project is None:
        return False
    last = await asyncio.to_thread(read_flow_run, api, dead.flow_run_id) if dead and dead.flow_run_id else None
    parameters = {"project": project.slug, "gates": "suspend", "approval": _approval(last)}
    if last is not None:
        await bury(api, last["id"])  # first: an upkeep that is killed comes here again only while it is the last run
    # Two upkeeps at once, or one that was killed before it wrote the run down, get the same flow run from Prefect.
    key = f"recovery-{project.id}-{len(runs)}"
    point("upkeep.submitted.before")
    made = await asyncio.to_thread(
        submit,
        api,
        DEPLOYMENT,
        parameters,
        name=f"{project.slug}-recovered",
        queue=_queue(last),
        tags=("recovery",),
        key=key,
    )
    point("upkeep.submitted.after")
    async with runtime.database.work() as work:
        await work.executions.start(project.id, project.workflow, made["id"])
        if dead is not None:
            await work.executions.finish(dead.id, Status.failed)
        point("upkeep.noted.before")
    point("upkeep.noted.after")
    return True


async def _noted(
    runtime: Runtime, api: PrefectApi, project_id: UUID, dead: Execution | None, why: str
) -> Project | None:
    """Write down that a run is begun for a dead one, and return its project.

    Returns:
        None where none is to be begun: the project is over, or run after run of it has broken off. That ends it.
    """
    async with runtime.database.work() as work:
        project = await work.projects.get(str(project_id))
        if project.status in OVER:
            return None
        stands = await _standing(work, project)
        in_vain = _in_vain(await work.audit.of_project(project.id), stands)
        if in_vain < MOST_RECOVERIES:
            detail = {"why": why, "dead": str(dead.id) if dead else "", "stands": stands}
            await work.audit.add(project.id, "upkeep", _RECOVERED, project.slug, detail=detail)
        point("upkeep.recovered.before")
    point("upkeep.recovered.after")
    if in_vain >= MOST_RECOVERIES:
        await _give_up(runtime, api, project, dead)
        return None
    return project


async def _standing(work: UnitOfWork, project: Project) -> str:
    """Return what changes with each committed step of a project: attempts, answers, results, gates."""
    attempts = [
        (each.phase, each.number, each.status.value, each.result is not None, each.superseded)
        for each in await work.attempts.list(project.id)
    ]
    calls = await work.calls.of_project(project.id)
    answers = sum(call.outcome not in ("reserved", "abandoned") for call in calls)
    gates = [(str(gate.id), gate.status.value) for gate in await work.gates.of_project(project.id)]
    return digest([attempts, answers, gates])


def _in_vain(events: Sequence[AuditEvent], stands: str) -> int:
    """Return how many runs were begun since the project came to where it stands, or was taken up after it had failed.

    By the audit trail's order, which hangs on no clock; an upkeep that was killed before it began one is not counted twice.
    """
    dead = set()
    for event in reversed(events):
        if event.action == "project failed":
            break
        if event.action == _RECOVERED:
            if event.detail.get("stands") != stands:
                break
            dead.add(event.detail["dead"])
    return len(dead)


async def _give_up(runtime: Runtime, api: PrefectApi, project: Project, dead: Execution | None) -> None:
    """End a project whose runs break off one after the other: they cost, and nobody would be told."""
    error = RunsBreakOff(
        f"{MOST_RECOVERIES} runs in succession broke off without a step forward. Upkeep begins no more.",
        hint="worker-0.log and up.log under BOTARMY_HOME, and the log of the last run in Prefect, tell what ends them.",
    )
    try:
        async with runtime.database.hold(project.id, "upkeep") as hold:
            await end_project(runtime.holding(hold, ""), project, Status.failed, error)
    except Held:  # a run has come to life meanwhile
        return
    if dead is not None and dead.flow_run_id:
        await end_execution(runtime, dead.flow_run_id, Status.failed)
        await bury(api, dead.flow_run_id)


async def _just_begun(runtime: Runtime, api: PrefectApi, last: Execution | None) -> bool:
    """Tell whether a run is about to start or has just started."""
    run = await asyncio.to_thread(read_flow_run, api, last.flow_run_id) if last and last.flow_run_id else None
    return run is not None and run["state_type"] != "PAUSED" and not await run_is_gone(runtime, api, run)


async def bury(api: PrefectApi, flow_run_id: str) -> None:
    """Let Prefect say of a dead run that it is dead: nobody must answer its form or wait for it."""
    run = await asyncio.to_thread(read_flow_run, api, flow_run_id)
    if run is not None and run["state_type"] == "PAUSED":
        await asyncio.to_thread(cancel, api, flow_run_id)
    elif run is not None and run["state_type"] in STARTING:
        await asyncio.to_thread(crashed, api, flow_run_id)


async def begin_again(runtime: Runtime, api: PrefectApi) -> int:
    """Submit anew the runs that died before they had made their project: the brief was accepted, so it is carried out."""
    count = 0
    for run in await asyncio.to_thread(_unfinished, api, timedelta(hours=runtime.settings.lost_run_hours)):
        parameters = run["parameters"]
        async with runtime.database.work() as work:
            known = await work.executions.of_flow_run(run["id"]) is not None
            known = known or await work.executions.purged(run["id"], parameters.get("instead_of", ""))
        again = _times_again(run)
        if known or not parameters.get("brief") or again >= MOST_RECOVERIES:
            continue
        if not await run_is_gone(runtime, api, run):
            continue
        parameters = {"instead_of": run["id"]} | parameters  # of the first, where this is a successor itself
        point("upkeep.again.before")
        await asyncio.to_thread(
            submit,
            api,
            DEPLOYMENT,
            parameters,
            name=run["name"],
            queue=_queue(run),
            tags=("recovery", f"{_AGAIN}{again + 1}"),
            key=f"again-{run['id']}",
        )
        point("upkeep.again.after")
        await asyncio.to_thread(cancel if run["state_type"] == "PAUSED" else _replaced, api, run["id"])
        count += 1
    return count


_AGAIN = "again-"


def _times_again(run: dict[str, Any]) -> int:
    """Return how many runs of the same order broke off before this one, none of which made a project."""
    numbers = [tag.removeprefix(_AGAIN) for tag in run["tags"] if tag.startswith(_AGAIN)]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _unfinished(api: PrefectApi, back: timedelta) -> list[dict[str, Any]]:
    """Return the deployment's crashed or running runs, due since so long ago, that upkeep has not replaced yet."""
    deployment = call(api, "GET", f"/deployments/name/{DEPLOYMENT}")["id"]
    found: list[dict[str, Any]] = call(
        api,
        "POST",
        "/flow_runs/filter",
        {
            "flow_runs": {
                "deployment_id": {"any_": [deployment]},
                "state": {"type": {"any_": ["CRASHED", "RUNNING", "PENDING"]}},
                # Not the time of its start: killed while its process was loading, it has none.
                "expected_start_time": {"after_": (server_time(api) - back).isoformat()},
            },
            "sort": "EXPECTED_START_TIME_DESC",
            "limit": 200,
        },
    )
    return [run for run in found if run["state_name"] != REPLACED]


REPLACED = "Replaced"
"""Name of the crashed state of a run that upkeep has submitted anew."""


def _replaced(api: PrefectApi, flow_run_id: str) -> None:
    crashed(api, flow_run_id, name=REPLACED)


async def _last_run(runtime: Runtime, project: Project) -> Execution | None:
    async with runtime.database.work() as work:
        return newest(await work.executions.of_project(project.id))


def newest(runs: Sequence[Execution]) -> Execution | None:
    """Return the newest run that had the project; one that found it held was cancelled, and tells nothing."""
    had = [run for run in runs if run.status is not Status.cancelled]
    return had[-1] if had else None


def _approval(dead: dict[str, Any] | None) -> str:
    """Return what the dead run was told about asking people; the strictest where that is not known any more."""
    return str(dead["parameters"].get("approval", "always")) if dead is not None else "always"


def _queue(dead: dict[str, Any] | None) -> str:
    """Return the work queue of a run of the deployment: its successor keeps its priority. "" for the default one."""
    ours = dead is not None and dead.get("deployment_id") and dead.get("work_queue_name")
    return str(ours) if ours else ""
