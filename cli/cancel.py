"""`botarmy cancel`: a project does not go on; nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from botarmy.errors import BotArmyError, InputError
from botarmy.records import Project, Status
from cli.failures import warn
from cli.person import by_option, person
from cli.reading import database, run, settings
from cli.terminal import say, write_json

if TYPE_CHECKING:
    from storage.unit import UnitOfWork

OVER = frozenset({Status.completed, Status.cancelled})


@click.command()
@click.argument("project")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def cancel(project: str, by: str | None, as_json: bool) -> None:
    """Stop PROJECT for good, also while a run works on it or waits; what was made stays.

    A run that works on it writes no more and ends. `botarmy rerun PROJECT --from PHASE` takes it up again.
    """
    name = person(by)
    found, runs = run(_cancel(project, name))
    for flow_run_id in runs:
        _tell_prefect(flow_run_id)
    if as_json:
        write_json({"project": found.slug, "status": Status.cancelled.value, "flow_runs": list(runs)})
    else:
        say(f"{found.slug} is cancelled. `botarmy rerun {found.slug} --from PHASE` would take it up again.")


async def _cancel(name: str, by: str) -> tuple[Project, tuple[str, ...]]:
    async with database() as opened, opened.work(actor=by) as work:
        project = await work.projects.get(name)
        if project.status in OVER:
            raise InputError(
                f'"{project.slug}" is {project.status.value} already; there is nothing to cancel.',
                hint=f"`botarmy show {project.slug}` says how it ended.",
            )
        # First of all: whatever holds the project can write no more.
        await work.projects.break_hold(project.id, f"cancel by {by}")
        for gate in await work.gates.open_for(project.id):
            await work.gates.cancel(gate.id, "the project was cancelled", by=by)
        for attempt in await work.attempts.list(project.id):
            if attempt.finished_at is None and not attempt.superseded:
                await work.attempts.finish(attempt.id, Status.cancelled)
        runs = await _end_runs(work, project)
        await work.projects.set_status(project.id, Status.cancelled)
    return project, runs


async def _end_runs(work: UnitOfWork, project: Project) -> tuple[str, ...]:
    live = [each for each in await work.executions.of_project(project.id) if each.status in _LIVE]
    for execution in live:
        await work.executions.finish(execution.id, Status.cancelled)
    return tuple(execution.flow_run_id for execution in live if execution.flow_run_id)


_LIVE = frozenset({Status.pending, Status.running, Status.waiting})


def _tell_prefect(flow_run_id: str) -> None:
    """Let Prefect show the run as cancelled and stop its process; without Prefect the run ends at its next write."""
    import os

    from flows import api

    try:
        api.cancel(api.find_api(settings().botarmy_home, dict(os.environ)), flow_run_id)
    except BotArmyError as error:
        warn(f"Prefect could not be told ({error}); the run {flow_run_id} ends at its next write.")
