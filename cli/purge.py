"""`botarmy purge`: the only deletion there is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import click

from botarmy.errors import BotArmyError, InputError, Unavailable, UnknownName
from botarmy.records import Project
from cli.person import by_option, person
from cli.reading import database, run, settings
from cli.terminal import one_line, say, write_json

if TYPE_CHECKING:
    from flows.clearing import Cleared
    from flows.server import PrefectApi


class LeftInPrefect(BotArmyError):
    """The project is deleted in Postgres, and Prefect still keeps some of it."""

    code = "left-in-prefect"


@dataclass(frozen=True)
class Found:
    """What is to be deleted.

    Attributes:
        project: the project; None where it was purged before, and Prefect alone may still keep some of it.
        runs: its flow runs.
    """

    id: UUID
    slug: str
    project: Project | None
    runs: tuple[str, ...] = ()


@click.command()
@click.argument("project")
@click.option("--yes", "confirmed", metavar="SLUG", help="The project's slug again, instead of being asked for it.")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def purge(project: str, confirmed: str | None, by: str | None, as_json: bool) -> None:
    """Delete PROJECT with all its artifacts, evidence, decisions and calls, for good, and its runs in Prefect.

    Its audit trail stays. Former exports are not touched. With the id of a project that was purged while Prefect did not
    answer, it deletes what Prefect still keeps.
    """
    name = person(by)
    found = run(_find(project))
    if found.project is not None:
        _see_confirmed(found.project, confirmed)
        found = run(_purge(found.project, name))
    cleared, url = _clear(found)
    if as_json:
        prefect = {"url": url, "runs": cleared.runs, "documents": cleared.documents, "unknown": list(cleared.unknown)}
        write_json({"project": found.slug, "id": str(found.id), "purged_by": name, "prefect": prefect})
        return
    say(f"{found.slug} is deleted. `botarmy audit {found.id}` still tells its story.")
    if url:
        say(f"Prefect at {url}: {cleared.runs} runs and {cleared.documents} documents are deleted.")
    if cleared.unknown:
        say(f"It does not have {', '.join(cleared.unknown)}: where these ran in another Prefect, delete them there.")


def _see_confirmed(project: Project, confirmed: str | None) -> None:
    if confirmed is None:
        confirmed = _asked(project)
    if confirmed != project.slug:
        raise InputError(
            f'"{project.slug}" was not deleted. The slug that was given to confirm it is "{one_line(confirmed, 60)}".',
            hint=f"`botarmy purge {project.slug} --yes {project.slug}` deletes it.",
        )


def _asked(found: Project) -> str:
    if not sys.stdin.isatty():
        raise InputError(
            f'"{found.slug}" was not deleted. Nobody is there to confirm it.',
            hint=f"`botarmy purge {found.slug} --yes {found.slug}` deletes it without asking.",
        )
    say(f"This deletes {found.slug} ({one_line(found.name, 60)}) for good, with everything that belongs to it.")
    return str(click.prompt("Type its slug to confirm", default="", show_default=False, err=True))


async def _find(name: str) -> Found:
    """Return the project, or what is known of one that was purged."""
    async with database() as opened, opened.read() as view:
        try:
            project = await view.projects.get(name)
        except UnknownName:
            if (project_id := _as_id(name)) is None or not (runs := await view.executions.purged_with(project_id)):
                raise
            events = await view.audit.of_project(project_id)
            return Found(project_id, events[-1].subject if events else name, None, runs)
    return Found(project.id, project.slug, project)


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


async def _purge(project: Project, by: str) -> Found:
    # The hold keeps runs out. The fence is not checked at the end: the row that carries it goes away.
    async with database() as opened, opened.hold(project.id, f"purge by {by}"), opened.work(actor=by) as work:
        await work.projects.purge(project.id, by)
        runs = await work.executions.purged_with(project.id)
    return Found(project.id, project.slug, project, runs)


def _clear(found: Found) -> tuple[Cleared, str]:
    """Delete what Prefect keeps of the project; return what that was, and where ("" where it never had a run).

    Raises:
        LeftInPrefect: that could not be done.
    """
    from flows.clearing import Cleared, clear

    if not found.runs:
        return Cleared(runs=0, documents=0, unknown=()), ""
    try:
        with _prefect() as api:
            return clear(api, found.id, found.slug, found.runs), api.url
    except BotArmyError as error:
        raise LeftInPrefect(
            f"{found.slug} is deleted in Postgres, but Prefect may still keep its brief, forms, documents and logs, with "
            f"the runs {', '.join(found.runs)}. {error.message} None of these runs makes the project anew.",
            hint=f"Once Prefect answers: botarmy purge {found.id}. By hand: prefect flow-run delete ID for each run, and "
            f"prefect artifact delete for the keys that begin with {found.slug}-.",
        ) from error


@contextmanager
def _prefect() -> Iterator[PrefectApi]:
    """Give the Prefect in which runs of this home are kept; our own server is started for it where it is not up.

    Raises:
        Unavailable: there is none, or it does not answer.
    """
    from flows.server import PrefectServer, foreign_api, prefect_for

    home = settings().botarmy_home
    if foreign_api(os.environ) is None and PrefectServer(home).running() is None:
        if not (home / "prefect" / "auth").exists():
            raise Unavailable("No Prefect server has run in this home.")
        click.echo("Our Prefect server is started, to delete what it keeps.", err=True)
    with prefect_for(home, run(_prefects_database())) as api:
        yield api


async def _prefects_database() -> str:
    from storage.connect import open_with_settings

    opened = await open_with_settings(settings())
    await opened.database.close()
    return opened.prefect_url or ""
