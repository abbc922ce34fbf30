"""Going back in a project: which versions count again, which phases are done anew, what is stale. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from botarmy.brief import is_comment, rejection
from botarmy.errors import InputError, UnknownName
from botarmy.person import POLICY
from botarmy.records import ArtifactHead, Attempt, GateRequest, Record, Status

_COMPLETED = frozenset({Status.completed, Status.approved})


class Rollback(Record):
    """What a rollback changes.

    Attributes:
        attempt: the completed attempt whose products count again.
        points: artifact kind -> sha256 of the version that becomes the current one.
        later: phases whose attempts are set aside, in the order of the workflow.
        stale: artifact kinds made by those phases: they stay, but what they were made from has changed.
    """

    attempt: Attempt
    points: dict[str, str]
    later: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the project stands there already."""
        return not (self.points or self.later or self.stale or self.attempt.superseded)


class Source(Record):
    """An artifact version that products of the attempt were made from, and the attempt that made it."""

    kind: str
    sha256: str
    phase: str
    attempt: int


class Rerun(Record):
    """What a rerun changes: attempts at the phases are set aside, their artifacts are stale until they are made anew."""

    phases: tuple[str, ...]
    stale: tuple[str, ...]


def plan_rerun(
    order: Sequence[str],
    attempts: Sequence[Attempt],
    heads: Sequence[ArtifactHead],
    phase: str,
    *,
    commented: bool = False,
) -> Rerun:
    """Plan to go through the phases again from one on.

    Args:
        order: the phases of the workflow.
        attempts: all attempts of the project, those set aside included.
        heads: the artifact versions that count now.
        phase: the first phase that is done again.
        commented: whether it is to be told something; then it may be set aside already.

    Raises:
        UnknownName: there is no such phase.
        InputError: it was never begun, or is set aside already.
    """
    name = _known(order, phase)
    begun = {each.phase for each in attempts if not each.superseded}
    aside = {each.phase for each in attempts} - begun
    if name not in begun and not (commented and name in aside):
        if name in aside:
            raise InputError(
                f"{name} is set aside already: the next run does it again.",
                hint="`botarmy run --project PROJECT`, or `botarmy submit --project PROJECT` for the worker, goes on.",
            )
        raise InputError(
            f"{name} was never begun, so it cannot be done again.",
            hint="`botarmy show PROJECT` lists the phases and how they stand.",
        )
    again = order[order.index(name) :]
    return Rerun(
        phases=tuple(each for each in again if each in begun or each == name),
        stale=tuple(head.kind for head in heads if head.provenance.phase in again and not head.stale),
    )


def said_of(attempts: Sequence[Attempt], gates: Sequence[GateRequest]) -> tuple[str, ...]:
    """Return the people's comments on attempts that are set aside, each once, as the next attempt hears them.

    Args:
        attempts: those that are set aside, the oldest first.
        gates: all their gates.
    """
    heard: list[str] = []
    for attempt in attempts:
        heard += [text for text in attempt.feedback if is_comment(text)]
        heard += [
            rejection(str(gate.decided_by), gate.comment)
            for gate in gates
            if gate.attempt_id == attempt.id
            and gate.decision == "reject"
            and gate.decided_by != POLICY
            and gate.comment
        ]
    return tuple(dict.fromkeys(heard))


def plan_rollback(
    order: Sequence[str],
    attempts: Sequence[Attempt],
    heads: Sequence[ArtifactHead],
    phase: str,
    number: int | None = None,
) -> Rollback:
    """Plan the way back to the end of a phase.

    Args:
        order: the phases of the workflow.
        attempts: all attempts of the project, those set aside included.
        heads: the artifact versions that count now.
        phase: the phase to go back to; what it produced stays, what came after is set aside.
        number: which attempt at it; by default the completed one that counts, else the last completed one.

    Raises:
        UnknownName: there is no such phase.
        InputError: the phase, or that attempt, was never completed.
    """
    name = _known(order, phase)
    attempt = _target(attempts, name, number)
    later = order[order.index(name) + 1 :]
    current = {head.kind: head.sha256 for head in heads if not head.stale}
    products = attempt.handoff.artifacts if attempt.handoff else {}
    begun = {each.phase for each in attempts if not each.superseded}
    return Rollback(
        attempt=attempt,
        points={kind: sha256 for kind, sha256 in products.items() if current.get(kind) != sha256},
        later=tuple(each for each in later if each in begun),
        stale=tuple(head.kind for head in heads if head.provenance.phase in later and not head.stale),
    )


def see_sources(
    order: Sequence[str],
    attempts: Sequence[Attempt],
    heads: Sequence[ArtifactHead],
    plan: Rollback,
    sources: Sequence[Source],
) -> None:
    """See that what the products were made from is what counts: otherwise versions would meet that never belonged together.

    Args:
        order: the phases of the workflow.
        attempts: all attempts of the project, those set aside included.
        heads: the artifact versions that count now.
        plan: the rollback that is wanted.
        sources: what the products of its attempt were made from.

    Raises:
        InputError: another version counts, or its phase is being done anew; says what to roll back first.
    """
    earlier = order[: order.index(plan.attempt.phase)]
    current = {head.kind: head.sha256 for head in heads}
    counts = {each.phase for each in attempts if not each.superseded and each.status in _COMPLETED}
    lost = [each for each in sources if current.get(each.kind) != each.sha256 or each.phase not in counts]
    lost = sorted((each for each in lost if each.phase in earlier), key=lambda each: earlier.index(each.phase))
    if not lost:
        return
    first = lost[0]
    raise InputError(
        f"Attempt {plan.attempt.number} at {plan.attempt.phase} was made from attempt {first.attempt} at {first.phase}, "
        f"whose {first.kind} does not count any more, so it cannot count by itself.",
        hint=f"First go back there: `botarmy rollback PROJECT --to {first.phase} --attempt {first.attempt}`, "
        "then say this again. Nothing was changed.",
    )


def _known(order: Sequence[str], phase: str) -> str:
    for name in order:
        if name.casefold() == phase.casefold():
            return name
    raise UnknownName(f'The workflow has no phase "{phase}".', hint=f"It has {', '.join(order)}.")


def _target(attempts: Sequence[Attempt], phase: str, number: int | None) -> Attempt:
    done = [each for each in attempts if each.phase == phase and each.status in _COMPLETED and each.handoff is not None]
    if number is not None:
        done = [each for each in done if each.number == number]
    if not done:
        which = f"Attempt {number} at {phase}" if number is not None else phase
        raise InputError(
            f"{which} was never completed, so there is nothing to go back to.",
            hint="`botarmy show PROJECT` lists the phases and how they stand.",
        )
    return max(done, key=lambda each: (not each.superseded, each.number))
