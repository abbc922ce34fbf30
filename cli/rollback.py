"""`botarmy rollback`: go back to the artifact versions of a phase; nothing is deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from botarmy.errors import StorageError
from botarmy.records import ArtifactHead, ArtifactVersion, Attempt, Project, Status
from botarmy.rollback import Rollback, Source, plan_rollback, see_sources
from cli.person import by_option, person
from cli.reading import database, phase_order, run
from cli.terminal import say, write_json

if TYPE_CHECKING:
    from storage.unit import UnitOfWork


Standing = tuple[tuple[str, ...], tuple[Attempt, ...], tuple[ArtifactHead, ...]]
"""The phases in order, all attempts, the versions that count now."""


@click.command()
@click.argument("project")
@click.option("--to", "phase", required=True, metavar="PHASE", help="The phase whose products count again.")
@click.option("--attempt", "number", type=click.IntRange(1), help="Which attempt at it; the last completed by default.")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rollback(project: str, phase: str, number: int | None, by: str | None, as_json: bool) -> None:
    """Take PROJECT back to the end of a phase: its products count again, what came after is set aside.

    Nothing is deleted. Artifacts of later phases stay, marked stale, until they are made anew.
    """
    found, done = run(_rollback(project, phase, number, person(by)))
    if as_json:
        write_json(_entry(found, done))
        return
    if done.changes_nothing:
        say(f"{found.slug} stands there already; nothing was changed.")
        return
    say(f"{found.slug} is back at the end of {done.attempt.phase}, attempt {done.attempt.number}.")
    for label, items in (("re-pointed", sorted(done.points)), ("set aside", done.later), ("stale", done.stale)):
        if items:
            say(f"{label:<12}{', '.join(items)}")
    say_how_on(found)


def say_how_on(project: Project) -> None:
    """Say how a project that was taken back goes on: here at once, or by the worker, sooner or later."""
    say(
        f"To go on: `botarmy run --project {project.slug}` here, or `botarmy submit --project {project.slug}` for the worker. "
        "A worker that is up takes it up by itself within some minutes."
    )


async def _rollback(name: str, phase: str, number: int | None, by: str) -> tuple[Project, Rollback]:
    async with taken(name, "rollback", by) as (work, project, standing):
        plan = plan_rollback(*standing, phase, number)
        see_sources(*standing, plan, await _sources(work, plan.attempt))
        if not plan.changes_nothing:
            await _carry_out(work, project, plan, by)
    return project, plan


@asynccontextmanager
async def taken(name: str, what: str, by: str) -> AsyncIterator[tuple[UnitOfWork, Project, Standing]]:
    """Take a project that no run works on, with how it stands, in one unit of work.

    Args:
        name: slug or id.
        what: what is to be done, for the message that a run gets meanwhile.
        by: who does it.

    Raises:
        UnknownName: there is no such project.
        Held: a run works on it.
    """
    async with database() as opened:
        async with opened.read() as view:
            project = await view.projects.get(name)
        async with opened.hold(project.id, f"{what} by {by}") as hold, opened.work(hold, actor=by) as work:
            attempts = await work.attempts.list(project.id)
            heads = await work.artifacts.summaries(project.id)
            yield work, project, (phase_order(project, attempts), attempts, heads)


async def _carry_out(work: UnitOfWork, project: Project, plan: Rollback, by: str) -> None:
    for kind, sha256 in plan.points.items():
        version = await _product(work, plan.attempt, kind, sha256)
        await work.artifacts.point(project.id, kind, version.version, by=by)
    reason = f"rolled back to {plan.attempt.phase} attempt {plan.attempt.number}"
    await work.attempts.supersede(project.id, plan.later, reason, by=by)
    await work.attempts.reinstate(plan.attempt.id, reason, by=by)
    await work.artifacts.mark_stale(project.id, plan.stale, by=by)
    await work.projects.set_status(project.id, Status.pending)


async def _product(work: UnitOfWork, attempt: Attempt, kind: str, sha256: str) -> ArtifactVersion:
    """Return the version that an attempt handed over; the same content may have been made by others as well."""
    same = [each for each in await work.artifacts.versions(attempt.project_id, kind) if each.sha256 == sha256]
    if not same:
        raise StorageError(f"The version {sha256[:12]} of {kind} is not stored; nothing was changed.")
    own = [e for e in same if (e.provenance.phase, e.provenance.attempt) == (attempt.phase, attempt.number)]
    return (own or same)[-1]


async def _sources(work: UnitOfWork, attempt: Attempt) -> list[Source]:
    """Return what the products of an attempt were made from."""
    sources: dict[str, Source] = {}
    for kind, sha256 in attempt.handoff.artifacts.items() if attempt.handoff else ():
        product = await _product(work, attempt, kind, sha256)
        for each in await work.artifacts.made_from(product.id):
            made = each.provenance
            sources[f"{each.kind} {each.sha256}"] = Source(
                kind=each.kind, sha256=each.sha256, phase=made.phase, attempt=made.attempt
            )
    return list(sources.values())


def _entry(project: Project, done: Rollback) -> dict[str, object]:
    return {
        "project": project.slug,
        "phase": done.attempt.phase,
        "attempt": done.attempt.number,
        "repointed": done.points,
        "set_aside": list(done.later),
        "stale": list(done.stale),
    }
