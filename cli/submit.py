"""`botarmy submit`: hand a brief to the worker, the same as `prefect deployment run sdlc/default -p brief=…`."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botarmy.errors import BriefError
from cli.amount import UsdAmount, warn_of_late_budget
from cli.definition_options import definition_options
from cli.reading import database, reading
from cli.reading import run as run_coroutine
from cli.terminal import say, write_json

if TYPE_CHECKING:
    from botarmy.records import Project
    from botarmy.settings import Settings

DEPLOYMENT = "sdlc/default"
MAX_PARAMETER = 400_000
"""Bytes of a brief, written as JSON as Prefect counts them, that travel as a flow parameter (its limit is 512 kB in all);
above it the brief is stored first and the run is told the project."""


@click.command()
@click.argument("brief", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--project", "project_name", default="", help="Name of the new project, or the project that goes on.")
@definition_options
@click.option("--priority", type=click.Choice(["critical", "default", "low"]), default="default", show_default=True)
@click.option(
    "--approval",
    type=click.Choice(["always", "when_needed", "workflow"]),
    default="always",
    show_default=True,
    help="always: a person decides at every gate; when_needed: only where the evidence does not.",
)
@click.option("--budget", "budget_usd", type=UsdAmount(), help="Spending limit of the project in USD.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def submit(brief: Path | None, as_json: bool, **wish: Any) -> int:
    """Queue BRIEF for the worker that `botarmy up` keeps.

    Without BRIEF, --project names a project that goes on where it stopped. Its models are those that the worker's
    settings name.
    """
    from botarmy.settings import load_settings
    from cli.run import read_input

    settings = load_settings()
    text = read_input(brief, settings) if brief is not None else ""
    made = submit_text(settings, text, **wish)
    if as_json:
        write_json(made)
    else:
        say(f"Submitted as {made['name']}. Watch it: {made['url']}")
        say("What waits for you: botarmy inbox")
    return 0


def submit_text(
    settings: Settings,
    text: str,
    *,
    project_name: str = "",
    definitions: dict[str, Any],
    priority: str = "default",
    approval: str = "always",
    budget_usd: Decimal | None = None,
) -> dict[str, Any]:
    """Create the flow run and return its id, name and address.

    Raises:
        BriefError: neither a brief nor a project was given.
        InputError: the project exists and has another brief or other definitions, or was cancelled; or its definitions
            cannot be used.
        Unavailable: no Prefect API answers.
    """
    from flows.api import find_api
    from flows.api import submit as create_run
    from tasks.selection import Selection, chosen, see_usable

    if not text and not project_name:
        raise BriefError("There is neither a brief nor a project.", hint="botarmy submit BRIEF, or --project NAME")
    api = find_api(settings.botarmy_home, dict(os.environ))
    goes_on = run_coroutine(_existing(project_name, text, definitions)) if project_name else None
    see_usable(chosen(definitions) if goes_on is None else Selection.of(goes_on), settings)
    existing = ""
    if goes_on is not None:
        existing = goes_on.slug
        warn_of_late_budget(goes_on, budget_usd)
    parameters: dict[str, Any] = {"gates": "suspend", "approval": approval}
    parameters |= {"budget_usd": str(budget_usd)} if budget_usd is not None else {}
    if not existing and len(json.dumps(text)) > MAX_PARAMETER:
        existing = run_coroutine(_store(settings, text, project_name, definitions))
    if existing:
        parameters |= {"project": existing}
    else:
        parameters |= {
            "brief": text,
            "name": project_name,
            **{key: value for key, value in definitions.items() if value},
        }
    if goes_on is not None:
        run_coroutine(_noted(existing, DEPLOYMENT))  # first: from here on it is the worker's
    name = existing or run_coroutine(_likely_slug(project_name, text))
    run = create_run(api, DEPLOYMENT, parameters, name=name, queue=priority)
    return {"flow_run_id": run["id"], "name": run["name"], "url": api.run_url(run["id"])}


async def _existing(name: str, text: str, definitions: dict[str, Any]) -> Project | None:
    """Return the project that goes on, or None where it is to be made."""
    from tasks.taking_up import named_project

    async with reading() as view:
        return await named_project(view.projects, name, text, definitions)


async def _noted(slug: str, deployment: str) -> None:
    """Write down that an existing project is handed to the worker: `run` with the same brief leaves it alone."""
    from tasks.taking_up import SUBMITTED

    async with database() as opened, opened.work() as work:
        project = await work.projects.get(slug)
        await work.audit.add(project.id, "botarmy", SUBMITTED, slug, detail={"to": deployment})


async def _likely_slug(project_name: str, text: str) -> str:
    """Return the slug that the project gets if nobody makes one of that name first: the run exists before the project."""
    from botarmy.brief import slugify, title

    async with reading() as view:
        return await view.projects.free_slug(slugify(project_name or title(text)))


async def _store(settings: Settings, text: str, name: str, definitions: dict[str, Any]) -> str:
    """Store a brief that is too long for a parameter; return its project's slug."""
    from tasks.project import new_project
    from tasks.runtime import open_runtime
    from tasks.selection import chosen

    async with open_runtime(settings) as runtime:
        return (await new_project(runtime, text, name=name, selection=chosen(definitions))).slug
