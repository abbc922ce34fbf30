"""`botarmy rerun`: go through the phases again from one on; nothing is deleted."""

from __future__ import annotations

import click

from botarmy.records import Project, Status
from botarmy.rollback import Rerun, plan_rerun
from cli.person import by_option, person
from cli.reading import run
from cli.rollback import taken
from cli.terminal import say, write_json


@click.command()
@click.argument("project")
@click.option("--from", "phase", required=True, metavar="PHASE", help="The first phase that is done again.")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rerun(project: str, phase: str, by: str | None, as_json: bool) -> None:
    """Set the phases of PROJECT aside from PHASE on, so that the next run does them again.

    Nothing is deleted: earlier attempts and their artifacts stay, and `botarmy rollback` brings them back. A project
    that was stopped or cancelled can be taken up again in this way.
    """
    found, done = run(_rerun(project, phase, person(by)))
    if as_json:
        write_json({"project": found.slug, "set_aside": list(done.phases), "stale": list(done.stale)})
        return
    say(f"{found.slug} will do again: {', '.join(done.phases)}.")
    say(f"To go on: `botarmy run --project {found.slug}`, or `botarmy submit --project {found.slug}` for the worker.")


async def _rerun(name: str, phase: str, by: str) -> tuple[Project, Rerun]:
    async with taken(name, "rerun", by) as (work, project, standing):
        plan = plan_rerun(*standing, phase)
        await work.attempts.supersede(project.id, plan.phases, f"rerun from {plan.phases[0]}", by=by)
        await work.artifacts.mark_stale(project.id, plan.stale, by=by)
        await work.projects.set_status(project.id, Status.pending)
    return project, plan
