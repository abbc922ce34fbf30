"""What was decided at a project's phases: every approval, rejection, void question and amendment, none left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from botarmy.records import Attempt, GateRequest, Provenance, Record, Status

PERSON = "person"
"""The provider that stands in the provenance of what a person amended; the agent is then "person:NAME"."""
APPROVAL = "approval"
AMENDED, VOID, OPEN = "amended", "void", "open"


class Amendment(Record):
    """A version of an artifact that a person wrote in place of an agent's."""

    phase: str
    attempt: int
    kind: str
    version: int
    sha256: str
    by: str
    at: datetime


class Voided(Record):
    """Why a gate was made void, by whom and when; the gate itself keeps only that it was."""

    by: str
    at: datetime
    reason: str


class DecisionLine(Record):
    """One thing that was decided, or asked and not decided.

    Attributes:
        kind: what was asked: "approval", "questions", "budget" or "conflict"; for an amendment the artifact's kind.
        what: "approved", "rejected", "void", "open" or "amended".
        version: the version that an amendment made; None for a gate.
        verdict: what the evidence said; "" for an amendment.
        by: a person's name as claimed, or "policy:auto"; "" while nobody decided.
        hashes: artifact kind -> sha256 that it is about.
        set_aside: its attempt counts no more since a rerun or a rollback.
    """

    phase: str
    attempt: int
    kind: str
    what: str
    version: int | None = None
    verdict: str = ""
    by: str = ""
    at: datetime | None = None
    comment: str = ""
    hashes: dict[str, str] = Field(default_factory=dict)
    set_aside: bool = False

    @property
    def words(self) -> str:
        """What was decided in one or two words: "rejected", "approved (budget)", "amended project_plan@2"."""
        if self.version is not None:
            words = f"{self.what} {self.kind}@{self.version}"
        else:
            words = self.what if self.kind == APPROVAL else f"{self.what} ({self.kind})"
        return f"{words}, set aside" if self.set_aside else words


def is_by_person(provenance: Provenance) -> bool:
    """Tell whether a person wrote the version."""
    return provenance.provider == PERSON


def author_of(provenance: Provenance) -> str:
    """Return who wrote the version: a person's name as claimed, or the agent's."""
    return provenance.agent.removeprefix(f"{PERSON}:") if is_by_person(provenance) else provenance.agent


def amendment_of(kind: str, version: int, sha256: str, provenance: Provenance, at: datetime) -> Amendment:
    """Return the amendment that made a version which a person wrote."""
    return Amendment(
        phase=provenance.phase,
        attempt=provenance.attempt,
        kind=kind,
        version=version,
        sha256=sha256,
        by=author_of(provenance),
        at=at,
    )


def decision_lines(
    attempts: Sequence[Attempt],
    gates: Sequence[GateRequest],
    amendments: Sequence[Amendment] = (),
    voids: Mapping[UUID, Voided] | None = None,
) -> tuple[DecisionLine, ...]:
    """Return all that was decided, the oldest first; what is still open comes last.

    Args:
        attempts: all attempts, those that were set aside as well.
        gates: all gates, decided or not.
        amendments: all versions that persons wrote.
        voids: why gates were made void, by their id.
    """
    aside = {(each.phase, each.number) for each in attempts if each.superseded}
    known = voids or {}
    lines = [
        *(_of_gate(gate, known.get(gate.id), aside) for gate in gates),
        *(_of_amendment(each, aside) for each in amendments),
    ]
    last = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(lines, key=lambda line: (line.at or last, line.attempt)))


def _of_gate(gate: GateRequest, void: Voided | None, aside: set[tuple[str, int]]) -> DecisionLine:
    values: dict[str, Any] = {"by": gate.decided_by or "", "at": gate.decided_at, "comment": gate.comment}
    what = gate.status.value
    if gate.decision is None:
        # A void gate without a reason stands where it was asked.
        values = {"at": gate.created_at} if gate.status is Status.cancelled else {}
        what = VOID if gate.status is Status.cancelled else OPEN
        if void is not None:
            values = {"by": void.by, "at": void.at, "comment": void.reason}
    return DecisionLine(
        phase=gate.phase,
        attempt=gate.attempt,
        kind=gate.kind,
        what=what,
        verdict=gate.verdict.decision.value,
        hashes=gate.hashes,
        set_aside=(gate.phase, gate.attempt) in aside,
        **values,
    )


def _of_amendment(made: Amendment, aside: set[tuple[str, int]]) -> DecisionLine:
    return DecisionLine(
        phase=made.phase,
        attempt=made.attempt,
        kind=made.kind,
        what=AMENDED,
        version=made.version,
        by=made.by,
        at=made.at,
        hashes={made.kind: made.sha256},
        set_aside=(made.phase, made.attempt) in aside,
    )
