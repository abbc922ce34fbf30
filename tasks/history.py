"""A run's own history: which attempts at which phases it worked on, written with what opens and ends them."""

from __future__ import annotations

from botarmy.records import Attempt, Status
from storage.unit import UnitOfWork
from tasks.runtime import Runtime


async def enter_phase(work: UnitOfWork, runtime: Runtime, attempt: Attempt) -> None:
    """Note that this run works on the attempt; nothing in a runtime without a run."""
    if (execution := await work.executions.of_flow_run(runtime.flow_run_id)) is not None:
        await work.executions.advance(execution.id, attempt.phase, attempt.number)


async def leave_phase(work: UnitOfWork, runtime: Runtime, attempt: Attempt, ended: Status) -> None:
    """Note how the attempt ended that this run worked on."""
    if (execution := await work.executions.of_flow_run(runtime.flow_run_id)) is not None:
        await work.executions.leave(execution.id, attempt.phase, attempt.number, ended)
