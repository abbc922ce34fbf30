"""A run takes up its project: a new one from a brief, or an earlier half-done one; and writes how it ended."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from botarmy.brief import read_brief, slugify, title
from botarmy.crashpoints import point
from botarmy.errors import BotArmyError, BriefError, InputError
from botarmy.records import Attempt, Phase, Project, Status, digest
from storage.unit import UnitOfWork
from tasks.gate import feedback_of
from tasks.history import enter_phase
from tasks.runtime import Runtime
from tasks.selection import Selection


async def new_project(
    runtime: Runtime,
    brief: str,
    *,
    name: str = "",
    selection: Selection,
    budget_usd: Decimal | None = None,
    by: str = "",
) -> Project:
    """Create a project from a brief, with its limit: there is no moment without it. The same brief again makes slug-2.

    Args:
        runtime: the wiring.
        brief: the text.
        name: the project's name; "" for the brief's title.
        selection: its definitions.
        budget_usd: the project's spending limit, or None.
        by: who set the limit.

    Raises:
        BriefError: the brief is empty, binary, too large or not text.
        UnknownName: there is no such workflow.
    """
    async with runtime.database.work() as work:
        project = await _create(work, runtime, brief, name, selection)
        if budget_usd is not None:
            await work.budgets.set(project.id, budget_usd, by=by)
        return project


async def _create(work: UnitOfWork, runtime: Runtime, brief: str, name: str, selection: Selection) -> Project:
    text = read_brief(brief.encode("utf-8", "surrogatepass"), runtime.settings.max_brief_bytes)
    # Pinned, so that lists and `show` need not read the workflow, and tell the truth after it was changed.
    phases = [
        {"name": phase.name, "agent": phase.agent} for phase in selection.core().workflow(selection.workflow).phases
    ]
    settings = selection.pinned() | {"phases": phases}
    words = name or title(text)
    return await work.projects.create(words, slugify(words), text, selection.workflow, settings)


async def existing_project(runtime: Runtime, name: str) -> Project:
    """Return the project with this slug or id, ready to go on.

    Raises:
        UnknownName: there is none.
        InputError: it was cancelled.
    """
    async with runtime.database.work() as work:
        return await _existing(work, name)


async def _existing(work: UnitOfWork, name: str) -> Project:
    project = await work.projects.get(name)
    if project.status is Status.cancelled:
        raise InputError(
            f"The project {project.slug} was cancelled and does not go on.",
            hint=f"To take it up again: botarmy rerun {project.slug} --from PHASE",
        )
    return project


async def half_done(runtime: Runtime, brief: str) -> Project | None:
    """Return the newest project of this very brief whose run broke off (no run holds it), or None."""
    async with runtime.database.work() as work:
        found = await work.projects.with_brief(digest(brief))
    for project in found:
        if project.status in (Status.pending, Status.running) and not await runtime.database.is_held(project.id):
            return project
    return None


async def claim(
    runtime: Runtime,
    flow_run_id: str,
    *,
    brief: str,
    project: str,
    name: str,
    selection: Selection,
    instead_of: str = "",
) -> Project:
    """Return the project of this flow run: the one it has already (it was resumed), a named one, or a new one.

    A run that takes the place of one that seemed dead (`instead_of`, a flow run's id) never makes a second project
    from the same order, nor does the one that comes to life late.

    Raises:
        BriefError: neither a brief nor a project was given, or the brief cannot be read.
    """
    # One transaction: a run that died is submitted anew (flows.recovery) exactly when it has made no project.
    async with runtime.commit("claim") as work:
        execution = await work.executions.of_flow_run(flow_run_id)
        if execution is not None:
            return await work.projects.get(str(execution.project_id))
        if project:
            record = await _existing(work, project)
        elif brief:
            made = await work.executions.claimed(instead_of or flow_run_id)
            record = (
                await work.projects.get(str(made.project_id))
                if made is not None
                else await _create(work, runtime, brief, name, selection)
            )
        else:
            raise BriefError(
                "There is neither a brief nor a project.", hint="Give the parameter brief (text) or project (slug)."
            )
        await work.executions.start(record.id, record.workflow, flow_run_id, origin=instead_of)
    return record


async def due_attempt(runtime: Runtime, project: Project, phase: Phase) -> Attempt | None:
    """Return the attempt that is to be worked on, or None when the phase is committed.

    Recovery goes on with the open attempt. Only a rejection or a rerun opens another, with the reasons as feedback.
    """
    async with runtime.commit("attempt.opened", phase.name) as work:
        last = await work.attempts.current(project.id, phase.name)
        if last is not None and last.status is Status.completed:
            return None
        feedback: tuple[str, ...] = last.feedback if last is not None else ()
        if last is not None and last.status is Status.rejected:
            decided = [gate for gate in await work.gates.of_attempt(last.id) if gate.decision == "reject"]
            feedback = feedback_of(decided[-1]) if decided else ()
        await work.projects.set_status(project.id, Status.running)
        attempt = await work.attempts.open(project.id, phase.name, phase.agent, feedback)
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
            await work.audit.add(project.id, "botarmy", "run failed", project.slug, detail=detail)
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


async def is_cancelled(runtime: Runtime, project: Project) -> bool:
    """Tell whether the project was cancelled while this run was on its way to it."""
    return (await project_of(runtime, project.id)).status is Status.cancelled


async def project_of(runtime: Runtime, project_id: UUID) -> Project:
    """Return the project as it stands in the table now."""
    async with runtime.database.work() as work:
        return await work.projects.get(str(project_id))
