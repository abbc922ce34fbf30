"""`botarmy purge`: the only deletion there is."""

from __future__ import annotations

import sys

import click

from botarmy.errors import InputError
from botarmy.records import Project
from cli.person import by_option, person
from cli.reading import database, run
from cli.terminal import one_line, say, write_json


@click.command()
@click.argument("project")
@click.option("--yes", "confirmed", metavar="SLUG", help="The project's slug again, instead of being asked for it.")
@by_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def purge(project: str, confirmed: str | None, by: str | None, as_json: bool) -> None:
    """Delete PROJECT with all its artifacts, evidence, decisions and calls, for good. Its audit trail stays.

    Former exports are not touched.
    """
    name = person(by)
    found = run(_find(project))
    if confirmed is None:
        confirmed = _asked(found)
    if confirmed != found.slug:
        raise InputError(
            f'"{found.slug}" was not deleted. The slug that was given to confirm it is "{one_line(confirmed, 60)}".',
            hint=f"`botarmy purge {found.slug} --yes {found.slug}` deletes it.",
        )
    run(_purge(found, name))
    if as_json:
        write_json({"project": found.slug, "id": str(found.id), "purged_by": name})
    else:
        say(f"{found.slug} is deleted. `botarmy audit {found.id}` still tells its story.")


def _asked(found: Project) -> str:
    if not sys.stdin.isatty():
        raise InputError(
            f'"{found.slug}" was not deleted. Nobody is there to confirm it.',
            hint=f"`botarmy purge {found.slug} --yes {found.slug}` deletes it without asking.",
        )
    say(f"This deletes {found.slug} ({one_line(found.name, 60)}) for good, with everything that belongs to it.")
    return str(click.prompt("Type its slug to confirm", default="", show_default=False, err=True))


async def _find(name: str) -> Project:
    async with database() as opened, opened.read() as view:
        return await view.projects.get(name)


async def _purge(project: Project, by: str) -> None:
    # The hold keeps runs out. The fence is not checked at the end: the row that carries it goes away.
    async with database() as opened, opened.hold(project.id, f"purge by {by}"), opened.work(actor=by) as work:
        await work.projects.purge(project.id, by)
