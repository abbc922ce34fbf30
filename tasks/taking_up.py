"""Whether a project goes on or is to be made: asked by `run` and by `submit` before anything is begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from botarmy.errors import InputError, LimitReached, UnknownName
from botarmy.records import Project, Status
from tasks.selection import see_same

BEGUN_HERE = "run"
"""What a project's settings say of who began it ("begun_by"), where that was `botarmy run`, in its own process.

The same brief again goes on with such a project only: what was submitted is the worker's and upkeep's to carry on.
"""

SUBMITTED = "project submitted"
"""The audit action that remembers that an existing project was handed to the worker."""


class Projects(Protocol):
    """What this needs of storage: of a view to read, or of a unit of work."""

    async def get(self, name: str) -> Project:
        """Return the project with this slug or id."""
        ...


def see_goes_on(project: Project) -> None:
    """See that the project may go on.

    Raises:
        InputError: it was cancelled.
        LimitReached: it was stopped by a decision or a limit; only a rerun or a rollback takes it up again.
    """
    if project.status is Status.stopped:
        raise LimitReached(
            f"The project {project.slug} was stopped by a decision or a limit and does not go on by itself.",
            hint=f"botarmy show {project.slug} says why; to take it up again: botarmy rerun {project.slug} --from PHASE",
        )
    if project.status is Status.cancelled:
        raise InputError(
            f"The project {project.slug} was cancelled and does not go on.",
            hint=f"To take it up again: botarmy rerun {project.slug} --from PHASE",
        )


async def named_project(projects: Projects, name: str, brief: str, given: Mapping[str, Any]) -> Project | None:
    """Return the existing project that `name` means, or None where it is to be made from the brief.

    Args:
        projects: where to look.
        name: slug or id, or a new project's name.
        brief: text of the brief, or "" where the project is to go on.
        given: the definitions that were asked for, see tasks.selection.chosen.

    Raises:
        UnknownName: there is no such project, and no brief to make it from.
        InputError: it was cancelled, or has another brief or other definitions.
        LimitReached: it was stopped.
    """
    try:
        project = await projects.get(name)
    except UnknownName:
        if not brief:
            raise
        return None
    see_goes_on(project)
    if brief and project.brief != brief:
        raise InputError(
            f"The project {project.slug} has another brief than this one.",
            hint=f"Leave the brief out to go on with {project.slug}, or choose another --project name.",
        )
    see_same(project, given)
    return project
