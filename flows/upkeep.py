"""The flow `upkeep`, each minute: finds what broke off or waits in vain, and mends it.

Recovery is always a new flow run, never a rescheduled old one; the project's lock lets only one of them live.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

from prefect import flow
from prefect.logging import get_run_logger

from botarmy.records import Status
from flows.api import find_api, read_flow_run, resume
from flows.recovery import OVER, begin_again, bury, is_gone, quiet_window, recover
from flows.resume import form_answer
from flows.server import PrefectApi
from tasks.runtime import Runtime, open_runtime


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
            "begun again": await begin_again(runtime, api),
            "expired": await _expired_gates(runtime, api),
            "calls closed": await _abandoned_calls(runtime),
            "waiting long": await _remind(runtime),
        }
    logger.info("upkeep: %s", mended)
    return mended


async def _lost_resumes(runtime: Runtime, api: PrefectApi) -> int:
    """Wake the runs of decided gates; where the run is gone, start a new one.

    The wish to resume stands until the run has carried the decision out (tasks.gate), so a wake that is lost is found
    again.
    """
    async with runtime.database.work() as work:
        gates = await work.gates.pending_resumes()
        projects = {gate.id: await work.projects.get(str(gate.project_id)) for gate in gates}
        over = {gate.id for gate in gates if projects[gate.id].status in OVER}
        for gate_id in over:
            await work.gates.mark_resumed(gate_id)
    count = 0
    for gate in (each for each in gates if each.id not in over):
        run = await asyncio.to_thread(read_flow_run, api, gate.flow_run_id) if gate.flow_run_id else None
        paused = run is not None and run["state_type"] == "PAUSED"
        if paused and await asyncio.to_thread(resume, api, gate.flow_run_id, form_answer(gate)):
            count += 1
        # Of the project, not of the run that showed the gate: another may be on its way by now.
        elif await is_gone(runtime, api, projects[gate.id]):
            count += await recover(runtime, api, gate.project_id, "its gate was decided")
    return count


async def _dead_runs(runtime: Runtime, api: PrefectApi) -> int:
    """Start a new run for each project whose run is gone: no lock, no living flow run, quiet for the window."""
    async with runtime.database.work() as work:
        quiet = await work.projects.with_status(
            Status.pending, Status.running, Status.waiting, quiet_for=quiet_window(runtime)
        )
    count = 0
    for project in quiet:
        if await is_gone(runtime, api, project):
            count += await recover(runtime, api, project.id, "its run is gone")
    return count


async def _abandoned_calls(runtime: Runtime) -> int:
    """Close the reservations of dead processes; what a held project asks belongs to a live one, whatever clocks say."""
    longest = timedelta(seconds=runtime.settings.abandoned_call_s)
    async with runtime.database.work() as work:
        projects = await work.calls.reserved_longer_than(longest)
    count = 0
    for project_id in projects:
        if not await runtime.database.is_held(project_id):
            async with runtime.database.work() as work:
                count += len(await work.calls.release_abandoned(longest, project_id))
    return count


async def _expired_gates(runtime: Runtime, api: PrefectApi) -> int:
    """Close the gates whose time is over: undecided, the project stops; nothing is lost."""
    async with runtime.database.work() as work:
        closed = []
        for gate in await work.gates.expired():
            if (await work.gates.cancel(gate.id, "nobody decided in time", by="upkeep")).status is not Status.cancelled:
                continue  # somebody decided a moment ago
            await work.attempts.finish(gate.attempt_id, Status.stopped)
            await work.projects.set_status(gate.project_id, Status.stopped)
            closed.append(gate)
    for gate in (each for each in closed if each.flow_run_id):
        await bury(api, gate.flow_run_id)  # its form must not be answered any more
    return len(closed)


async def _remind(runtime: Runtime) -> int:
    """Name the gates that wait longer than the reminder setting says; an automation can notify on the log."""
    async with runtime.database.work() as work:
        gates = await work.gates.open_for_longer_than(timedelta(hours=runtime.settings.reminder_hours))
    logger = get_run_logger()
    for gate in gates:
        logger.warning("A gate waits since %s: phase %s, gate %s", gate.created_at, gate.phase, gate.id)
    return len(gates)
