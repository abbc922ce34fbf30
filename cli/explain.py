"""`botarmy explain`: what a name means after all layers, and which file each part came from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from storage.definitions import core_directories, load_core, parse_flags


@click.command()
@click.argument("kind")
@click.argument("name")
@click.option("--bmad", type=click.Path(path_type=Path), help="A .bmad-core directory to put over the others.")
@click.option("--set", "flags", multiple=True, metavar="NAME[=no]", help="A condition or route that holds (or not).")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def explain(kind: str, name: str, bmad: Path | None, flags: tuple[str, ...], as_json: bool) -> None:
    """Show the resolved KIND NAME: workflow, template, team, agent, checklist, task, data, utility or partial.

    Templates of a BMAD workflow's phases are named WORKFLOW/PHASE.
    """
    explanation = load_core(*core_directories(bmad), flags=parse_flags(flags)).explain(kind, name)
    if as_json:
        click.echo(json.dumps(explanation.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        click.echo(explanation.render())
