"""What a killed project must still be: benchmarks/kills.py holds each project against this when it has finished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kills_plan import PHASES

from botarmy.decisions import is_by_person
from botarmy.records import ArtifactVersion, Attempt, AuditEvent, GateRequest, LLMCall, Project, Status, Workflow
from storage.unit import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Stored:
    """All that Postgres holds of a project.

    Attributes:
        runs: its flow runs in Prefect.
        heads: artifact kind -> sha256 of the version that counts.
    """

    project: Project
    runs: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    gates: tuple[GateRequest, ...]
    calls: tuple[LLMCall, ...]
    versions: tuple[ArtifactVersion, ...]
    heads: Mapping[str, str]
    audit: tuple[AuditEvent, ...]
    audit_whole: bool


async def stored(work: UnitOfWork, slug: str, workflow: Workflow) -> Stored:
    """Read a project."""
    project = await work.projects.get(slug)
    kinds = [kind for phase in workflow.phases for kind in phase.expected_outputs]
    return Stored(
        project=project,
        runs=tuple(run.flow_run_id for run in await work.executions.of_project(project.id) if run.flow_run_id),
        attempts=await work.attempts.list(project.id),
        gates=await work.gates.of_project(project.id),
        calls=await work.calls.of_project(project.id),
        versions=tuple([v for kind in kinds for v in await work.artifacts.versions(project.id, kind)]),
        heads=await work.artifacts.hashes(project.id),
        audit=await work.audit.of_project(project.id),
        audit_whole=(await work.verify_audit(project.id)).whole,
    )


def losses(
    found: Stored,
    workflow: Workflow,
    decisions: Mapping[UUID, tuple[str, str]],
    amended: Mapping[tuple[str, int], int],
    repeats: Mapping[int, Sequence[str]],
) -> list[str]:
    """Return what was lost or done twice; nothing where all is well.

    Args:
        found: the project.
        workflow: its workflow.
        decisions: gate -> (decision, who): each answer that was taken from a person.
        amended: (kind, attempt) -> how many amendments were taken from a person.
        repeats: kills until then -> purposes of the requests to the model that had been made before.
    """
    return [
        *_ends(found, workflow),
        *_versions(found, workflow),
        *_bound(found),
        *_amendments(found, amended),
        *_decisions(found, decisions),
        *_done_once(found, amended),
        *_calls(found, repeats),
        *([] if found.audit_whole else ["the chain of audit events is broken"]),
    ]


def _ends(found: Stored, workflow: Workflow) -> list[str]:
    wrong = [] if found.project.status is Status.completed else [f"the project is {found.project.status.value}"]
    for phase in workflow.phases:
        tries = [each for each in found.attempts if each.phase == phase.name]
        ended = [each.status for each in tries]
        if ended.count(Status.completed) != 1 or ended[-1] is not Status.completed:
            wrong.append(f"{phase.name} ended as {[status.value for status in ended]}")
        if set(ended[:-1]) - {Status.rejected} or [each.number for each in tries] != list(range(1, len(tries) + 1)):
            wrong.append(f"{phase.name} has attempts that nobody asked for: {[status.value for status in ended]}")
    return wrong


def _versions(found: Stored, workflow: Workflow) -> list[str]:
    made = Counter((v.kind, v.provenance.attempt) for v in found.versions if not is_by_person(v.provenance))
    wrong = [f"{kind} has {count} versions of attempt {number}" for (kind, number), count in made.items() if count > 1]
    for phase in workflow.phases:
        tries = [each.number for each in found.attempts if each.phase == phase.name]
        wrong += [
            f"{kind} of {phase.name}, attempt {number}, is missing"
            for kind in phase.expected_outputs
            for number in tries
            if (kind, number) not in made
        ]
    return wrong


def _bound(found: Stored) -> list[str]:
    """What counts of a completed phase is what its decision bound: these projects never go back."""
    return [
        f"{kind} of {attempt.phase} counts in another version than the one that was decided on"
        for attempt in found.attempts
        if attempt.status is Status.completed
        for kind, sha256 in (attempt.handoff.artifacts if attempt.handoff else {}).items()
        if found.heads.get(kind) != sha256
    ]


def _amendments(found: Stored, amended: Mapping[tuple[str, int], int]) -> list[str]:
    made = Counter((v.kind, v.provenance.attempt) for v in found.versions if is_by_person(v.provenance))
    return [
        f"{kind}, attempt {attempt}, was amended {amended.get((kind, attempt), 0)} times, and has {made[kind, attempt]} "
        "versions of a person"
        for kind, attempt in {*made, *amended}
        if made[kind, attempt] != amended.get((kind, attempt), 0)
    ]


def _decisions(found: Stored, decisions: Mapping[UUID, tuple[str, str]]) -> list[str]:
    gates = {gate.id: (gate.decision, gate.decided_by) for gate in found.gates}
    wrong = [
        f"the decision {decided} on gate {gate} was lost: the table says {gates.get(gate)}"
        for gate, decided in decisions.items()
        if gates.get(gate) != decided
    ]
    # A limit may be reached again after it was raised; the same one is asked about once.
    asked = Counter(
        (gate.attempt_id, gate.kind, gate.payload.get("limit_usd", ""))
        for gate in found.gates
        if gate.status is not Status.cancelled
    )
    wrong += [
        f"the {kind} gate of attempt {attempt} was opened {n} times" for (attempt, kind, _), n in asked.items() if n > 1
    ]
    open_still = [gate.phase for gate in found.gates if gate.decision is None and gate.status is Status.waiting]
    return wrong + [f"the gate of {phase} is open still" for phase in open_still]


ONCE = ("work saved", "attempt opened", "attempt completed", "attempt rejected")
"""Audit actions that a subject (phase and attempt) has once at most."""


def _done_once(found: Stored, amended: Mapping[tuple[str, int], int]) -> list[str]:
    done = Counter((event.action, event.subject) for event in found.audit if event.action in ONCE)
    for (_, attempt), count in amended.items():  # the checks ran again, so the figures were saved again
        done["work saved", f"{PHASES[0]} {attempt}"] -= count
    told = Counter((e.action, e.subject) for e in found.audit if e.action in ("gate approved", "gate rejected"))
    words = {"approve": "gate approved", "reject": "gate rejected"}
    decided = Counter((words[g.decision], f"{g.phase} {g.attempt}") for g in found.gates if g.decision in words)
    return [f"{action}: {subject} {count} times" for (action, subject), count in done.items() if count > 1] + [
        f"{action}: {subject}: {decided[action, subject]} gates, {told[action, subject]} events"
        for action, subject in {*told, *decided}
        if told[action, subject] != decided[action, subject]
    ]


def _calls(found: Stored, repeats: Mapping[int, Sequence[str]]) -> list[str]:
    wrong = [
        f"after {kills} kills {len(names)} calls were repeated: {', '.join(names)}"
        for kills, names in repeats.items()
        if len(names) > min(1, kills)
    ]
    answered = Counter(call.key for call in found.calls if call.outcome == "completed")
    wrong += [f"the call {key[:12]} was completed {count} times" for key, count in answered.items() if count > 1]
    saved = {event.subject: event.created_at for event in found.audit if event.action == "work saved"}
    for call in found.calls:
        committed = saved.get(f"{call.phase} {call.attempt}")
        if committed is not None and call.created_at > committed:
            wrong.append(f"{call.phase}, attempt {call.attempt} called the model after its work was saved")
    return wrong
