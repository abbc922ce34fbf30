"""What people type to name a gate: "PROJECT", "PROJECT/PHASE", or the beginning of a gate's id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from botarmy.errors import UnknownName
from botarmy.records import GateRequest, Project

if TYPE_CHECKING:
    from storage.reads.view import ReadView
    from storage.unit import UnitOfWork

_ID_PREFIX = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)


class Found(NamedTuple):
    """A gate and its project."""

    gate: GateRequest
    project: Project


async def find_gate(view: ReadView | UnitOfWork, address: str) -> Found:
    """Find the gate that an address names.

    An id, or a project with a phase, also finds a gate that is decided already, so that the answer can say by whom.

    Raises:
        UnknownName: no gate, or more than one, fits; the hint says what to type.
    """
    name, _, phase = address.partition("/")
    try:
        project = await view.projects.get(name)
    except UnknownName as error:
        if phase or not _ID_PREFIX.fullmatch(address):
            raise
        return await _by_id(view, address.lower(), error)
    waiting = await view.gates.open_for(project.id)
    fitting = [gate for gate in waiting if not phase or gate.phase.casefold() == phase.casefold()]
    if len(fitting) == 1:
        return Found(fitting[0], project)
    decided = [gate for gate in await view.gates.of_project(project.id) if gate.decision]
    if phase and not fitting:
        of_phase = [gate for gate in decided if gate.phase.casefold() == phase.casefold()]
        if of_phase:
            return Found(of_phase[-1], project)
    raise _not_one(project.slug, phase, waiting, fitting, decided)


def _not_one(
    slug: str,
    phase: str,
    waiting: Sequence[GateRequest],
    fitting: Sequence[GateRequest],
    decided: Sequence[GateRequest],
) -> UnknownName:
    if fitting:
        shown = ", ".join(f"{gate.phase} {str(gate.id)[:8]}" for gate in fitting)
        return UnknownName(f'More than one gate of "{slug}" waits: {shown}.', hint="Name one by its id.")
    if waiting:
        addresses = ", ".join(f"{slug}/{gate.phase}" for gate in waiting)
        return UnknownName(f'No gate "{slug}/{phase}" waits for a decision.', hint=f"Waiting: {addresses}.")
    last = (
        f" The last one, {decided[-1].phase}, was {decided[-1].status.value} by {decided[-1].decided_by}."
        if decided
        else ""
    )
    return UnknownName(
        f'"{slug}" waits for no decision.{last}',
        hint=f"`botarmy show {slug}` says how it stands; `botarmy inbox` what waits.",
    )


async def _by_id(view: ReadView | UnitOfWork, prefix: str, unknown: UnknownName) -> Found:
    try:
        gate = await view.gates.get(prefix)
    except UnknownName as error:
        raise UnknownName(
            f'Nothing that waits is called "{prefix}". It is neither a project nor the beginning of one gate\'s id.',
            hint=unknown.hint or error.hint,
        ) from error
    return Found(gate, await view.projects.get(str(gate.project_id)))
