"""A run takes up its project: a new one from a brief, or an earlier half-done one; and writes how it ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from botarmy.brief import is_comment, read_brief, slugify, title
from botarmy.crashpoints import point
from botarmy.errors import BotArmyError, BriefError, InputError
from botarmy.overview import RUN_FAILED
from botarmy.records import Attempt, Phase, Project, Record, Status
from storage.unit import UnitOfWork
from tasks.gate import feedback_of
from tasks.history import enter_phase
from tasks.runtime import Runtime
from tasks.selection import Selection, chosen, see_same
from tasks.taking_up import see_goes_on


async def new_project(
    runtime: Runtime,
    brief: str,
    *,
    name: str = "",
    selection: Selection,
    budget_usd: Decimal | None = None,
    by: str = "",
    begun_by: str = "",
) -> Project:
    """Create a project from a brief, with its limit: there is no moment without it. The same brief again makes slug-2.

    Args:
        runtime: the wiring.
        brief: the text.
        name: the project's name; "" for the brief's title.
        selection: its definitions.
        budget_usd: the project's spending limit, or None.
        by: who set the limit.
        begun_by: BEGUN_HERE where this very process carries it on.

    Raises:
        BriefError: the brief is empty, binary, too large or not text.
        UnknownName: there is no such workflow.
    """
    async with runtime.database.work() as work:
        project = await _create(work, runtime, brief, name, selection, begun_by)
        if budget_usd is not None:
            await work.budgets.set(project.id, budget_usd, by=by)
        return project


async def _create(
    work: UnitOfWork, runtime: Runtime, brief: str, name: str, selection: Selection, begun_by: str = ""
) -> Project:
    text = read_brief(brief.encode("utf-8", "surrogatepass"), runtime.settings.max_brief_bytes)
    # Pinned, so that lists and `show` need not read the workflow, and tell the truth after it was changed.
    phases = [
        {"name": phase.name, "agent": phase.agent} for phase in selection.core().workflow(selection.workflow).phases
    ]
    settings = selection.pinned() | {"phases": phases} | ({"begun_by": begun_by} if begun_by else {})
    words = name or title(text)
    return await work.projects.create(words, slugify(words), text, selection.workflow, settings)


class Order(Record):
    """What a flow run was asked to do.

    Attributes:
        brief: text of a new project's brief, or "".
        project: slug or id of an existing project, or "".
        name: a new project's name, or "".
        given: the definitions that were asked for, see tasks.selection.chosen.
        budget_usd: spending limit of the project, or None.
        instead_of: a flow run that seemed dead before it had made a project, and whose place this one takes, or "".
    """

    brief: str = ""
    project: str = ""
    name: str = ""
    given: dict[str, Any] = Field(default_factory=dict)
    budget_usd: Decimal | None = None
    instead_of: str = ""


async def claim(runtime: Runtime, flow_run_id: str, order: Order) -> Project:
    """Return the project of this flow run: the one it has already (it was resumed), a named one, or a new one.

    A run that takes the place of one that seemed dead never makes a second project from the same order, nor does the one
    that comes to life late.

    Raises:
        BriefError: neither a brief nor a project was given, or the brief cannot be read.
        InputError: the existing project was begun with other definitions, or was cancelled; or this run's was purged.
        LimitReached: it was stopped.
    """
    # One transaction: a run that died is submitted anew (flows.recovery) exactly when it has made no project.
    async with runtime.commit("claim") as work:
        execution = await work.executions.of_flow_run(flow_run_id)
        if execution is not None:
            return await work.projects.get(str(execution.project_id))
        record = await _ordered(work, runtime, flow_run_id, order)
        # After the look for its project: a purge in between has left both or none.
        if await work.executions.purged(flow_run_id, order.instead_of):
            raise InputError(
                "The project of this run was purged; the run makes it no second time.",
                hint="Submit the brief again for a new project.",
            )
        if order.budget_usd is not None:
            by = runtime.settings.botarmy_by or "parameter of the run"
            await work.budgets.set(record.id, order.budget_usd, by=by)
        await work.executions.start(record.id, record.workflow, flow_run_id, origin=order.instead_of)
    return record


async def _ordered(work: UnitOfWork, runtime: Runtime, flow_run_id: str, order: Order) -> Project:
    """Return the named project, the one that was made of this order already, or a new one."""
    if order.project:
        record = await work.projects.get(order.project)
        see_goes_on(record)
        see_same(record, order.given)
        if record.status is Status.failed:  # taken up again: upkeep cares for it from here on
            await work.projects.set_status(record.id, Status.pending)
        return record
    if not order.brief:
        raise BriefError(
            "There is neither a brief nor a project.", hint="Give the parameter brief (text) or project (slug)."
        )
    made = await work.executions.claimed(order.instead_of or flow_run_id)
    if made is not None:
        return await work.projects.get(str(made.project_id))
    return await _create(work, runtime, order.brief, order.name, chosen(order.given))


async def due_attempt(runtime: Runtime, project: Project, phase: Phase) -> Attempt | None:
    """Return the attempt that is to be worked on, or None when the phase is committed.

    Recovery goes on with the open attempt. Only a rejection or a rerun opens another, with the reasons as feedback; what
    people said of attempts before the last one stays said.
    """
    async with runtime.commit("attempt.opened", phase.name) as work:
        last = await work.attempts.current(project.id, phase.name)
        if last is not None and last.status is Status.completed:
            return None
        feedback: tuple[str, ...] = last.feedback if last is not None else ()
        if last is not None and last.status is Status.rejected:
            decided = [gate for gate in await work.gates.of_attempt(last.id) if gate.decision == "reject"]
            earlier = tuple(text for text in last.feedback if is_comment(text))
            feedback = tuple(dict.fromkeys(earlier + (feedback_of(decided[-1]) if decided else ())))
        await work.projects.set_status(project.id, Status.running)
        attempt = await work.attempts.open(project.id, phase.name, phase.agent, feedback)
        if attempt.status is Status.pending:  # a rerun has opened it, with what it is to hear
            attempt = await work.attempts.set_status(attempt.id, Status.running)
        await enter_phase(work, runtime, attempt)
    return attempt


async def end_project(runtime: Runtime, project: Project, ended: Status, error: BotArmyError | None = None) -> Status:
    """Write how the project stands at the end of this run.

    Returns:
        The status written.
    """
    async with runtime.commit("project.ended") as work:
        await work.projects.set_status(project.id, ended)
        if error is not None:
            detail = {"code": error.code, "message": error.message[:2000], "hint": error.hint[:500]}
            await work.audit.add(project.id, "botarmy", RUN_FAILED, project.slug, detail=detail)
    return ended


async def end_execution(runtime: Runtime, flow_run_id: str, ended: Status) -> None:
    """Write how this flow run ended."""
    # Without the hold: the run's own row, also when the project is another's by now.
    async with runtime.database.work() as work:
        execution = await work.executions.of_flow_run(flow_run_id)
        if execution is not None:
            await work.executions.finish(execution.id, ended)
        point("run.ended.before")
    point("run.ended.after")


async def project_of(runtime: Runtime, project_id: UUID) -> Project:
    """Return the project as it stands in the table now."""
    async with runtime.database.work() as work:
        return await work.projects.get(str(project_id))
