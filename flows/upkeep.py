"""The flow `upkeep`, each minute: finds what broke off or waits in vain, and mends it.

Recovery is always a new flow run, never a rescheduled old one; the project's lock lets only one of them live.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger

from botarmy.crashpoints import point
from botarmy.records import GateRequest, Project, Status
from flows.api import find_api, read_flow_run, resume, submit
from flows.resume import form_answer
from flows.server import PrefectApi
from tasks.runtime import Runtime, open_runtime

DEPLOYMENT = "sdlc/default"
LIVE = frozenset({"SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED"})
"""State types of a flow run that is still to go on by itself."""


@flow(name="upkeep", retries=0)
async def keep_up() -> dict[str, int]:
    """Mend lost resumes, dead runs and gates whose run is gone; remind of old gates.

    Returns:
        How many of each were mended.
    """
    logger = get_run_logger()
    async with open_runtime() as runtime:
        api = find_api(runtime.settings.botarmy_home, dict(os.environ))
        mended = {
            "resumed": await _lost_resumes(runtime, api),
            "recovered": await _dead_runs(runtime, api),
            "expired": await _expired_gates(runtime),
            "waiting long": await _remind(runtime),
        }
    logger.info("upkeep: %s", mended)
    return mended


async def _lost_resumes(runtime: Runtime, api: PrefectApi) -> int:
    """Resume the runs of decided gates; where the run is gone, start a new one."""
    async with runtime.database.work() as work:
        gates = await work.gates.pending_resumes()
    count = 0
    for gate in gates:
        if gate.flow_run_id and await _paused(api, gate.flow_run_id):
            count += await asyncio.to_thread(resume, api, gate.flow_run_id, form_answer(gate))
        else:
            count += await _recover(runtime, api, gate.project_id, "its gate was decided")
        async with runtime.database.work() as work:
            await work.gates.mark_resumed(gate.id)
    return count


async def _dead_runs(runtime: Runtime, api: PrefectApi) -> int:
    """Start a new run for each project whose run is gone: no lock, no living flow run, quiet for the window."""
    quiet_since = datetime.now(UTC) - timedelta(seconds=runtime.settings.recovery_window_s)
    async with runtime.database.work() as work:
        unfinished = await work.projects.with_status(Status.pending, Status.running, Status.waiting)
    count = 0
    for project in (each for each in unfinished if each.updated_at < quiet_since):
        if await _flow_is_gone(runtime, api, project):
            count += await _recover(runtime, api, project.id, "its run is gone")
    return count


async def _flow_is_gone(runtime: Runtime, api: PrefectApi, project: Project) -> bool:
    if await runtime.database.is_held(project.id):
        return False
    async with runtime.database.work() as work:
        executions = await work.executions.of_project(project.id)
        gates = await work.gates.open_for(project.id)
    if project.status is Status.waiting and not _suspended_by_prefect(gates):
        return False  # it waits for `botarmy approve`; nothing runs until then
    if not executions or not executions[-1].flow_run_id:
        return True
    found = await asyncio.to_thread(read_flow_run, api, executions[-1].flow_run_id)
    return found is None or found["state_type"] not in LIVE


def _suspended_by_prefect(gates: tuple[GateRequest, ...]) -> bool:
    return any(gate.flow_run_id for gate in gates)


async def _paused(api: PrefectApi, flow_run_id: str) -> bool:
    found = await asyncio.to_thread(read_flow_run, api, flow_run_id)
    return found is not None and found["state_type"] == "PAUSED"


async def _recover(runtime: Runtime, api: PrefectApi, project_id: Any, why: str) -> int:
    """Submit a new run for the project; the audit trail says why."""
    if await runtime.database.is_held(project_id):
        return 0
    async with runtime.database.work() as work:
        project = await work.projects.get(str(project_id))
        if project.status in (Status.completed, Status.cancelled, Status.stopped):
            return 0
        await work.audit.add(project.id, "upkeep", "run recovered", project.slug, detail={"why": why})
        point("upkeep.recovered.before")
    point("upkeep.recovered.after")
    parameters = {"project": project.slug, "gates": "suspend", "approval": project.settings.get("approval", "workflow")}
    point("upkeep.submitted.before")
    await asyncio.to_thread(submit, api, DEPLOYMENT, parameters, name=f"{project.slug}-recovered", tags=("recovery",))
    point("upkeep.submitted.after")
    return 1


async def _expired_gates(runtime: Runtime) -> int:
    """Close the gates whose time is over: undecided, the project stops; nothing is lost."""
    async with runtime.database.work() as work:
        gates = await work.gates.expired()
        for gate in gates:
            await work.gates.cancel(gate.id, "nobody decided in time", by="upkeep")
            await work.attempts.finish(gate.attempt_id, Status.stopped)
            await work.projects.set_status(gate.project_id, Status.stopped)
    return len(gates)


async def _remind(runtime: Runtime) -> int:
    """Name the gates that wait longer than the reminder setting says; an automation can notify on the log."""
    before = datetime.now(UTC) - timedelta(hours=runtime.settings.reminder_hours)
    async with runtime.database.work() as work:
        gates = [gate for gate in await work.gates.list_open(limit=1000) if gate.created_at < before]
    logger = get_run_logger()
    for gate in gates:
        logger.warning("A gate waits since %s: phase %s, gate %s", gate.created_at, gate.phase, gate.id)
    return len(gates)
