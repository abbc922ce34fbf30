"""`botarmy rerun`: go through the phases again from one on; nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from botarmy.brief import rejection
from botarmy.records import Attempt, Project, Status
from botarmy.rollback import Rerun, plan_rerun, said_of
from cli.decide import checked_comment
from cli.person import by_option, person
from cli.reading import run
from cli.rollback import say_how_on, taken
from cli.terminal import one_line, say, write_json

if TYPE_CHECKING:
    from storage.unit import UnitOfWork

_SHOWN = 160


@click.command()
@click.argument("project")
@click.option("--from", "phase", required=True, metavar="PHASE", help="The first phase that is done again.")
@click.option(
    "--comment", default="", metavar="TEXT", help="What must be different: the phase is told, as by a rejection."
)
@click.option("--forget", is_flag=True, help="Do not tell it the comments on the attempts that are set aside.")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rerun(project: str, phase: str, comment: str, forget: bool, by: str | None, as_json: bool) -> None:
    """Set the phases of PROJECT aside from PHASE on, so that the next run does them again.

    Nothing is deleted: earlier attempts and their artifacts stay, and `botarmy rollback` brings them back. A project
    that was stopped or cancelled can be taken up again in this way. The first phase is told the comments of people who
    rejected attempts that are set aside, and the new one.
    """
    found, done, told = run(_rerun(project, phase, checked_comment(comment), person(by), forget=forget))
    if as_json:
        document = {"project": found.slug, "set_aside": list(done.phases), "stale": list(done.stale)}
        write_json({**document, "told": list(told)})
        return
    say(f"{found.slug} will do again: {', '.join(done.phases)}.")
    for text in told:
        say(f"  {done.phases[0]} is told: {one_line(text, _SHOWN)}")
    say_how_on(found)


async def _rerun(
    name: str, phase: str, comment: str, by: str, *, forget: bool
) -> tuple[Project, Rerun, tuple[str, ...]]:
    async with taken(name, "rerun", by) as (work, project, standing):
        plan = plan_rerun(*standing, phase, commented=bool(comment))
        first = plan.phases[0]
        aside = await work.attempts.supersede(project.id, plan.phases, f"rerun from {first}", by=by)
        await work.artifacts.mark_stale(project.id, plan.stale, by=by)
        told = () if forget else await _said_of(work, aside)
        told = tuple(dict.fromkeys([*told, *((rejection(by, comment),) if comment else ())]))
        if told:
            agent = next(each.agent for each in standing[1] if each.phase == first)
            attempt = await work.attempts.open(project.id, first, agent, told)
            await work.attempts.set_status(attempt.id, Status.pending)
            detail = {"told": list(told)}
            await work.audit.add(project.id, by, "comments handed on", f"{first} {attempt.number}", detail=detail)
        await work.projects.set_status(project.id, Status.pending)
    return project, plan, told


async def _said_of(work: UnitOfWork, aside: Sequence[Attempt]) -> tuple[str, ...]:
    gates = [gate for attempt in aside for gate in await work.gates.of_attempt(attempt.id)]
    return said_of(sorted(aside, key=lambda each: each.started_at), gates)
