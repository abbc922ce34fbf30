"""Finding the gate that an address names; botarmy/gate_address.py says what addresses there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from botarmy.errors import UnknownName
from botarmy.gate_address import GateAddress, address_of, may_be_an_id, parse_address
from botarmy.records import GateRequest, Project, Status

if TYPE_CHECKING:
    from storage.reads.view import ReadView
    from storage.unit import UnitOfWork


class Found(NamedTuple):
    """A gate and its project; certain: whoever typed the address can have meant no other question."""

    gate: GateRequest
    project: Project
    certain: bool

    @property
    def address(self) -> str:
        """The address that names this question and no other."""
        return address_of(self.gate, self.project.slug)


async def find_gate(view: ReadView | UnitOfWork, text: str) -> Found:
    """Find the gate that an address names.

    An id, or a project with a phase, also finds a gate that is decided already, so that the answer can say by whom.

    Raises:
        UnknownName: no gate, or more than one, fits; the hint says what to type.
    """
    address = parse_address(text)
    try:
        project = await view.projects.get(address.project)
    except UnknownName as error:
        if not may_be_an_id(text):
            raise
        return await _by_id(view, text.lower(), error)
    gates = await view.gates.of_project(project.id)
    gate = _meant(address, gates, project)
    certain = bool(address.id) or gate.decision is not None or address.is_certain(gates)
    return Found(gate, project, certain)


def _meant(address: GateAddress, gates: Sequence[GateRequest], project: Project) -> GateRequest:
    """Return the one gate that waits; else, where the address says more than the project, the last that was decided."""
    fitting = [gate for gate in gates if address.fits(gate)]
    if address.id:
        if len(fitting) == 1:
            return fitting[0]
        raise _not_one(address, project, fitting, gates)
    waiting = [gate for gate in fitting if gate.status is Status.waiting]
    decided = [gate for gate in fitting if gate.decision]
    if len(waiting) == 1:
        return waiting[0]
    if address.phase and decided and not waiting:
        return decided[-1]
    raise _not_one(address, project, waiting, gates)


def _not_one(
    address: GateAddress, project: Project, fitting: Sequence[GateRequest], gates: Sequence[GateRequest]
) -> UnknownName:
    slug = project.slug
    if fitting:
        shown = ", ".join(address_of(gate, slug) for gate in fitting)
        return UnknownName(f'More than one gate of "{slug}" fits: {shown}.', hint="Name one by its id.")
    waiting = ", ".join(address_of(gate, slug) for gate in gates if gate.status is Status.waiting)
    if waiting:
        asked = f"{slug}/{address.phase}" if address.phase else slug
        asked += f"@{address.id}" if address.id else ""
        return UnknownName(f'No gate "{asked}" waits for a decision.', hint=f"Waiting: {waiting}.")
    return _none_waits(project, [gate for gate in gates if gate.decision])


def _none_waits(project: Project, decided: Sequence[GateRequest]) -> UnknownName:
    slug = project.slug
    if project.status is Status.cancelled:
        return UnknownName(
            f'"{slug}" waits for no decision: it was cancelled, which made its open gates void.',
            hint=f"`botarmy audit {slug}` says by whom; `botarmy rerun {slug} --from PHASE` takes it up again.",
        )
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
    return Found(gate, await view.projects.get(str(gate.project_id)), certain=True)
