"""Which project `botarmy run` carries on: taken before it is told or changed, and kept.

Whoever comes meanwhile finds it held, however long the way to the first phase is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botarmy.errors import Held, UnknownName
from botarmy.records import AuditEvent, Project, Record, Status, digest
from storage.database import Database
from storage.hold import Hold
from tasks.project import new_project
from tasks.runtime import Runtime
from tasks.selection import Selection, chosen
from tasks.taking_up import BEGUN_HERE, SUBMITTED, named_project


class Wish(Record):
    """What `botarmy run` was asked for.

    Attributes:
        brief: text of the brief, or "" where a named project is to go on.
        name: slug or id of a project, or a new one's name, or "".
        given: the definitions that were asked for, see tasks.selection.chosen.
        budget_usd: spending limit of the project, or None.
        by: who set the limit.
    """

    brief: str
    name: str
    given: dict[str, Any]
    budget_usd: Decimal | None = None
    by: str = ""


@dataclass(frozen=True)
class Taken:
    """A project that this process carries on.

    Attributes:
        broke_off: whether an earlier run of the same brief began it.
    """

    project: Project
    hold: Hold
    broke_off: bool = False


async def take_up(runtime: Runtime, grip: AsyncExitStack, wish: Wish, holder: str) -> Taken:
    """Take the project to carry on: the named one where it exists, one of this brief that broke off, or a new one.

    Args:
        runtime: the wiring.
        grip: keeps the hold.
        wish: what was asked for.
        holder: who takes it, in the words that others are told.

    Raises:
        Held: a live run has the named project; nothing was changed.
        InputError: what was asked for cannot be had, see `named_project`; or there are no such definitions.
        LimitReached: the named project was stopped.
    """
    # One after the other: between the making of a project and its hold nobody may take it for one that broke off.
    async with runtime.database.turn(f"take up {wish.name or digest(wish.brief)}"):
        taken = (
            await _named(runtime, grip, wish, holder) if wish.name else await _broke_off(runtime, grip, wish, holder)
        )
        if taken is None:
            return await _made(runtime, grip, wish, holder)
    if wish.budget_usd is not None:
        async with runtime.database.work(taken.hold) as work:
            await work.budgets.set(taken.project.id, wish.budget_usd, by=wish.by)
    return taken


async def _named(runtime: Runtime, grip: AsyncExitStack, wish: Wish, holder: str) -> Taken | None:
    async with runtime.database.work() as work:
        project = await named_project(work.projects, wish.name, wish.brief, wish.given)
    if project is None:
        return None
    return Taken(project, await grip.enter_async_context(runtime.database.hold(project.id, holder)))


async def _broke_off(runtime: Runtime, grip: AsyncExitStack, wish: Wish, holder: str) -> Taken | None:
    for project in await half_done(runtime.database, wish.brief, chosen(wish.given)):
        try:
            hold = await grip.enter_async_context(runtime.database.hold(project.id, holder))
        except (Held, UnknownName):  # its run lives, or it was purged meanwhile
            continue
        return Taken(project, hold, broke_off=True)
    return None


async def _made(runtime: Runtime, grip: AsyncExitStack, wish: Wish, holder: str) -> Taken:
    selection = chosen(wish.given)
    await runtime.serving(selection)  # what cannot be served is not made
    project = await new_project(
        runtime,
        wish.brief,
        name=wish.name,
        selection=selection,
        budget_usd=wish.budget_usd,
        by=wish.by,
        begun_by=BEGUN_HERE,
    )
    return Taken(project, await grip.enter_async_context(runtime.database.hold(project.id, holder)))


async def half_done(database: Database, brief: str, selection: Selection) -> tuple[Project, ...]:
    """Return the projects of this very brief and selection that a run here began and did not end, the newest first.

    Whether their runs live is another matter: whoever can take the hold knows.
    """
    async with database.read() as view:
        found = [
            project
            for project in await view.projects.with_brief(digest(brief))
            if project.settings.get("begun_by") == BEGUN_HERE
            and project.status in (Status.pending, Status.running)
            and Selection.of(project) == selection
        ]
        return tuple([each for each in found if not _is_queued(await view.audit.of_project(each.id))])


def _is_queued(events: Sequence[AuditEvent]) -> bool:
    """Tell whether the project was handed to the worker, and no run has begun since."""
    told = [event.action for event in events if event.action in (SUBMITTED, "run started")]
    return bool(told) and told[-1] == SUBMITTED
