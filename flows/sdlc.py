"""The project flow `sdlc`: phases in order, a gate after each, people where the evidence does not decide."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Abort
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from botarmy.errors import Fenced, Held, TakenByAnother
from botarmy.progress import Progress, Report
from botarmy.records import Approval, Attempt, GateRequest, Phase, Project, Status, Workflow
from flows.failure import is_left_to_others, told
from flows.people import Door, NobodyHere, SuspendedForm, Terminal
from storage.hold import Hold
from tasks.budget import carry_out_budget, due_budget_gate
from tasks.gate import GatePolicy, carry_out, judge
from tasks.phase_task import run_phase
from tasks.project import Order, claim, due_attempt, end_execution, end_project, project_of
from tasks.publish import publish_overview
from tasks.runtime import Runtime, current_or_none, installed, open_runtime
from tasks.selection import Selection

Gates = Literal["auto", "ask", "suspend"]

HELD, TAKEN_OVER = "Held elsewhere", "Taken over"
"""Names of the states of a run that found its project with another run, and of one that lost it to another."""


@flow(name="sdlc", retries=0, persist_result=True)
async def deliver(
    brief: str = "",
    project: str = "",
    name: str = "",
    workflow: str = "",
    team: str = "",
    bmad: str = "",
    decided: list[str] | None = None,
    gates: Gates = "suspend",
    approval: Literal["workflow", "always", "when_needed"] = "always",
    budget_usd: Decimal | None = None,
    instead_of: str = "",
) -> Any:
    """Take a brief through the workflow to finished, tested software.

    Args:
        brief: the product brief as text; needed unless `project` names a project that has one.
        project: slug or id of an existing project that goes on.
        name: name of a new project; by default the brief's title.
        workflow: name of a workflow in .bmad-core/workflows, without extension; sdlc by default. An existing project keeps
            its workflow, team, directory and conditions: others than its own are refused.
        team: name of a team of .bmad-core/agent-teams; by default the settings say who serves whom.
        bmad: absolute path of a .bmad-core directory of your own, on the worker's machine.
        decided: conditions and routes of a BMAD workflow, "NAME" or "NAME=no".
        gates: what happens at a gate that the evidence leaves open: auto ends the run, waiting; ask asks in the terminal;
            suspend suspends the run until somebody answers its form.
        approval: always asks a person at every gate, when_needed only where the evidence does not decide, workflow
            leaves it to the workflow's phases.
        budget_usd: spending limit of the project in USD.
        instead_of: given by upkeep: the flow run that died before it had made a project, and whose place this one takes.
    """
    async with _runtime() as opened:
        given = {"workflow": workflow, "team": team, "bmad": bmad, "decided": tuple(decided or ())}
        run_id = str(flow_run.id)
        order = Order(
            brief=brief, project=project, name=name, given=given, budget_usd=budget_usd, instead_of=instead_of
        )
        policy = GatePolicy(approval=None if approval == "workflow" else Approval(approval))
        try:
            record = await claim(opened, run_id, order)
            async with _held(opened, record) as hold:
                return await _live(opened.holding(hold, run_id), record, policy, _door(gates))
        except Held as error:
            await _leave(opened, run_id, error, Status.cancelled)
            return Completed(name=HELD, message=f"{error.message} This run did nothing.")
        except Fenced as error:
            await _leave(opened, run_id, error, Status.failed)
            return Cancelled(name=TAKEN_OVER, message=f"{error.message} What this run had committed stays.")


@contextlib.asynccontextmanager
async def _held(runtime: Runtime, project: Project) -> AsyncIterator[Hold]:
    """Take the project for this run; where the command line has taken it already, say that it is this run's."""
    if runtime.hold is None:
        async with runtime.database.hold(project.id, _holder()) as hold:
            yield hold
        return
    async with runtime.database.work(runtime.hold) as work:
        await work.projects.name_holder(project.id, _holder())
    yield runtime.hold


async def _leave(runtime: Runtime, flow_run_id: str, error: TakenByAnother, ended: Status) -> None:
    """Write that this run ends because another has its project.

    Raises:
        Abort: the other is a second process of this very flow run. Then this process ends, and leaves the run to it.
    """
    if error.holder.startswith(_run_name()):
        raise Abort(f"{error.message} It is another process of this flow run, which goes on; this one ends.")
    await end_execution(runtime, flow_run_id, ended)


@contextlib.asynccontextmanager
async def _runtime() -> AsyncIterator[Runtime]:
    """Use the runtime that the command line installed, or open one that reports to the run's log."""
    if (runtime := current_or_none()) is not None:
        yield runtime
        return
    async with open_runtime(report=_log_report()) as runtime:
        yield runtime


def _log_report() -> Report:
    logger = get_run_logger()

    def report(step: Progress) -> None:
        logger.info("%s %s %s %s", step.phase, step.attempt or "", step.step, step.text)

    return report


def _door(gates: Gates) -> Door:
    if gates == "suspend":
        return SuspendedForm(str(flow_run.id))
    return Terminal() if gates == "ask" else NobodyHere()


def _run_name() -> str:
    return f"flow run {flow_run.id} "


def _holder() -> str:
    return f"{_run_name()}(process {os.getpid()} on {socket.gethostname()})"


async def _live(runtime: Runtime, project: Project, policy: GatePolicy, door: Door) -> State[Any]:
    """Carry the project on until it is done, waits, or stops; record how the run ended."""
    flow_run_id = str(flow_run.id)
    status = (await project_of(runtime, project.id)).status
    if status in (Status.cancelled, Status.stopped):
        await end_execution(runtime, flow_run_id, status)
        message = f"{project.slug} was {status.value} before this run had it."
        return Cancelled(message=message) if status is Status.cancelled else Failed(name="Stopped", message=message)
    try:
        runtime = await runtime.serving(Selection.of(project))
        workflow = runtime.core.workflow(project.workflow)
        with installed(runtime):
            ended = await _phases(runtime, project, workflow, policy, door)
        ended = await end_project(runtime, project, ended)
    except Exception as error:
        if not is_left_to_others(error):
            await end_execution(runtime, flow_run_id, Status.failed)
            await end_project(runtime, project, Status.failed, told(error))
        raise
    await end_execution(runtime, flow_run_id, ended)
    await publish_overview(runtime, project, workflow)
    runtime.report(Progress(step="ended", text=ended.value))
    message = f"{project.slug}: {ended.value}"
    if ended is Status.stopped:
        return Failed(name="Stopped", message=message)
    if ended is Status.waiting:
        return Completed(name="Waiting", message=message)
    return Completed(message=message)


async def _phases(runtime: Runtime, project: Project, workflow: Workflow, policy: GatePolicy, door: Door) -> Status:
    for phase in workflow.phases:
        while (attempt := await due_attempt(runtime, project, phase)) is not None:
            ended = await _attempt(runtime, project, workflow, phase, attempt, policy, door)
            if ended in (Status.waiting, Status.stopped):
                return ended
    return Status.completed


async def _attempt(
    runtime: Runtime,
    project: Project,
    workflow: Workflow,
    phase: Phase,
    attempt: Attempt,
    policy: GatePolicy,
    door: Door,
) -> Status:
    """Work on one attempt until its gate is decided; waiting when nobody decides now."""
    step = Progress(phase=phase.name, agent=phase.agent, attempt=attempt.number, step="started")
    runtime.report(step)
    while True:
        if (budget := await due_budget_gate(runtime, attempt)) is not None:
            ended = await _budget(runtime, project, budget, door)
            if ended is not Status.running:
                return ended
        outcome = await run_phase(runtime, project, workflow, phase, attempt)
        if outcome["outcome"] != "done":
            continue
        attempt = await _reloaded(runtime, attempt.id)
        gate = await judge(runtime, project, phase, attempt, policy)
        if gate.decision is None and isinstance(door, SuspendedForm):
            await publish_overview(runtime, project, workflow)  # who decides in the browser sees how the run stands
        answered = gate if gate.decision is not None else await door.ask(runtime, gate)
        if answered is None:
            return Status.waiting
        if answered.decision is not None:
            return await carry_out(runtime, project, workflow, phase, attempt, answered)
        # Void: an artifact was amended, so the gate opens again.


async def _budget(runtime: Runtime, project: Project, gate: GateRequest, door: Door) -> Status:
    answered = gate if gate.decision is not None else await door.ask(runtime, gate)
    if answered is None or answered.decision is None:
        return Status.waiting
    return await carry_out_budget(runtime, project, answered)


async def _reloaded(runtime: Runtime, attempt_id: UUID) -> Attempt:
    async with runtime.database.work() as work:
        return await work.attempts.get(attempt_id)
