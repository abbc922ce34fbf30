"""The flow `upkeep`, each minute: finds what broke off or waits in vain, and mends it.

Recovery is always a new flow run, never a rescheduled old one; the project's lock lets only one of them live.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.logging import get_run_logger

from botarmy.records import Status
from flows.api import find_api, read_flow_run, resume
from flows.recovery import OVER, begin_again, is_gone, quiet_since, recover, run_is_gone
from flows.resume import form_answer
from flows.server import PrefectApi
from tasks.runtime import Runtime, open_runtime

ABANDONED_AFTER = timedelta(hours=1)
"""A reserved model call that is older belongs to a process that died: no call may take so long."""


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
            "expired": await _expired_gates(runtime),
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
        over = {p.id for p in [await work.projects.get(str(gate.project_id)) for gate in gates] if p.status in OVER}
        for gate in (each for each in gates if each.project_id in over):
            await work.gates.mark_resumed(gate.id)
    count = 0
    for gate in (each for each in gates if each.project_id not in over):
        run = await asyncio.to_thread(read_flow_run, api, gate.flow_run_id) if gate.flow_run_id else None
        if run is not None and run["state_type"] == "PAUSED":
            woken = await asyncio.to_thread(resume, api, gate.flow_run_id, form_answer(gate))
        else:
            woken = False
            if not await run_is_gone(runtime, api, run):
                continue  # it is on its way
        count += woken or await recover(runtime, api, gate.project_id, "its gate was decided")
    return count


async def _dead_runs(runtime: Runtime, api: PrefectApi) -> int:
    """Start a new run for each project whose run is gone: no lock, no living flow run, quiet for the window."""
    async with runtime.database.work() as work:
        unfinished = await work.projects.with_status(Status.pending, Status.running, Status.waiting)
    count = 0
    for project in (each for each in unfinished if each.updated_at < quiet_since(runtime)):
        if await is_gone(runtime, api, project):
            count += await recover(runtime, api, project.id, "its run is gone")
    return count


async def _abandoned_calls(runtime: Runtime) -> int:
    async with runtime.database.work() as work:
        return len(await work.calls.release_abandoned(ABANDONED_AFTER))


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
