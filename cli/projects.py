"""`botarmy projects`: the projects, newest first."""

from __future__ import annotations

import click

from botarmy.records import Project
from cli.reading import reading, run
from cli.terminal import one_line, say, when, write_json, write_table

_NAME_WIDTH = 48


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many to list.")
@click.option("--offset", type=click.IntRange(0), default=0, help="How many to leave out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def projects(limit: int, offset: int, as_json: bool) -> None:
    """List the projects, newest first."""
    found, total = run(_projects(limit, offset))
    if as_json:
        write_json({"projects": [_entry(project) for project in found]})
    elif not found and total:
        say(f"None from {offset:,} on; projects in all: {total:,}.")
    elif not found:
        say("No projects yet; `botarmy run BRIEF` starts one.")
    else:
        rows = [
            (item.slug, item.status.value, item.workflow, when(item.created_at), one_line(item.name, _NAME_WIDTH))
            for item in found
        ]
        write_table(("PROJECT", "STATUS", "WORKFLOW", "CREATED (UTC)", "NAME"), rows)


async def _projects(limit: int, offset: int) -> tuple[list[Project], int]:
    async with reading() as view:
        return list(await view.projects.list(limit=limit, offset=offset)), await view.projects.count()


def _entry(project: Project) -> dict[str, str]:
    return {
        "id": str(project.id),
        "name": project.name,
        "slug": project.slug,
        "status": project.status.value,
        "workflow": project.workflow,
        "created_at": project.created_at.isoformat(),
        "updated_at": project.updated_at.isoformat(),
    }
