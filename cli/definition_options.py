"""The options that choose a project's definitions, the same for `run` and `submit`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def definition_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add --workflow, --team, --bmad and --set; the command gets them as one dict `definitions`.

    Its keys are the parameters of the flow `sdlc` and the fields of tasks.selection.Selection; what was not given is
    empty, so that an existing project's own definitions are told from a wish for others.
    """

    @functools.wraps(command)
    def packed(*, workflow: str, team: str, bmad: Path | None, decided: tuple[str, ...], **rest: Any) -> int:
        definitions = {
            "workflow": workflow,
            "team": team,
            "bmad": str(bmad.resolve()) if bmad is not None else "",
            "decided": list(decided),
        }
        return command(definitions=definitions, **rest)

    decorated: Callable[..., int] = packed
    for option in (
        click.option(
            "--set",
            "decided",
            multiple=True,
            metavar="NAME[=no]",
            help="Decide a condition or route of a BMAD workflow.",
        ),
        click.option(
            "--bmad",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="A .bmad-core directory of your own; its files go over ours.",
        ),
        click.option("--team", default="", help="Team of .bmad-core/agent-teams: who serves which agent."),
        click.option(
            "--workflow", default="", help="Workflow of .bmad-core/workflows; a new project's default is sdlc."
        ),
    ):
        decorated = option(decorated)
    return decorated
