"""The gate of an attempt: evaluate it, open it, take its decision, carry the decision out. All in own tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botarmy.brief import rejection
from botarmy.changes import summarise_change
from botarmy.definitions.purposes import DERIVED
from botarmy.errors import BotArmyError
from botarmy.gates import RUN_ASKS, WORKFLOW_ASKS, evaluate_gate
from botarmy.measured import MEASURED, shown_outcome
from botarmy.person import POLICY
from botarmy.progress import Progress
from botarmy.records import (
    Approval,
    ArtifactVersion,
    Attempt,
    Decision,
    Evidence,
    GateRequest,
    GateRule,
    Handoff,
    Phase,
    Project,
    Status,
    Workflow,
)
from storage.unit import UnitOfWork
from tasks.history import leave_phase
from tasks.runtime import Runtime
from tasks.way_on import Standing, reading_phase, with_way_on

APPROVE, REJECT = "approve", "reject"


@dataclass(frozen=True, kw_only=True)
class GatePolicy:
    """When a person is asked.

    Attributes:
        approval: overrides the workflow's word for every phase; None leaves it to the workflow.
    """

    approval: Approval | None = None

    def rule(self, phase: Phase) -> GateRule:
        """Return the phase's gate rule under this policy."""
        return phase.gate if self.approval is None else phase.gate.model_copy(update={"approval": self.approval})

    def who_asks(self, phase: Phase) -> str:
        """Return who asks for a person where the rule wants one always: the workflow, or else how the run was started."""
        return WORKFLOW_ASKS if phase.gate.approval is Approval.always else RUN_ASKS


def last_of_each(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the newest execution of each check: an amended artifact is checked again within the same attempt."""
    newest = {found.check: found for found in evidence}
    return tuple(newest.values())


async def judge(runtime: Runtime, project: Project, phase: Phase, attempt: Attempt, policy: GatePolicy) -> GateRequest:
    """Evaluate the gate on what is stored, open it, and decide it where the evidence does.

    Returns:
        The gate: decided by `policy:auto`, or open for a person, or as a person decided it already.
    """
    if attempt.result is None:
        raise BotArmyError(f"The attempt {attempt.number} at {phase.name} has no saved work: it cannot be judged.")
    async with runtime.commit("gate.opened", phase.name) as work:
        evidence = last_of_each(await work.evidence.of_attempt(attempt.id))
        verdict = evaluate_gate(
            policy.rule(phase),
            attempt.result.measures,
            tuple(found for found in evidence if found.check != MEASURED),
            attempt.result.confidence,
            checks=phase.checks,
            deterministic=attempt.result.deterministic,
            open_questions=attempt.result.open_questions,
            who_asks=policy.who_asks(phase),
        )
        heads = await work.artifacts.heads(project.id)
        hashes = {kind: heads[kind].sha256 for kind in phase.expected_outputs if kind in heads}
        same = bool(attempt.feedback) and await _same_as_before(work, project, [heads[kind] for kind in hashes])
        standing = Standing(
            slug=project.slug,
            reads_comments=reading_phase(runtime.core.workflow(project.workflow)),
            same=same,
            last=await _tries(work, attempt) >= phase.gate.max_attempts,
        )
        verdict = with_way_on(verdict, attempt, standing)
        gate = await _current_gate(work, attempt, hashes)
        if gate is None:
            ask = 1 + len(await work.gates.of_attempt(attempt.id))
            payload = _payload(attempt, evidence) | await _documents(work, project, (heads[kind] for kind in hashes))
            gate = await work.gates.open(
                project.id,
                attempt.id,
                phase.name,
                attempt.number,
                verdict,
                hashes,
                ask=ask,
                payload=payload,
                expires_after=runtime.settings.gate_expiry,
            )
            if verdict.decision is not Decision.needs_approval:
                decision = APPROVE if verdict.decision is Decision.passed else REJECT
                why = "; ".join(verdict.reasons)
                gate = await work.gates.decide(gate.id, decision, POLICY, why, policy=True)
            else:
                await work.projects.set_status(project.id, Status.waiting)
    _tell(runtime, phase, attempt, gate)
    return gate


async def is_decided(runtime: Runtime, attempt: Attempt) -> bool:
    """Tell whether the attempt's work is saved and the gate on the present versions is decided."""
    if attempt.result is None:
        return False
    async with runtime.database.work() as work:
        hashes = await work.artifacts.hashes(attempt.project_id)
        gates = await work.gates.of_attempt(attempt.id)
    return any(
        gate.kind == "approval" and gate.decision is not None and gate.hashes.items() <= hashes.items()
        for gate in gates
    )


async def _current_gate(work: UnitOfWork, attempt: Attempt, hashes: dict[str, str]) -> GateRequest | None:
    """Return the newest approval gate of the attempt that binds exactly these versions and is not void."""
    for gate in reversed(await work.gates.of_attempt(attempt.id)):
        if gate.kind == "approval" and gate.hashes == hashes and gate.status is not Status.cancelled:
            return gate
    return None


def _payload(attempt: Attempt, evidence: tuple[Evidence, ...]) -> dict[str, Any]:
    """Return what the form and the inbox show beside the verdict."""
    if attempt.result is None:
        return {}
    return {
        "summary": attempt.result.summary,
        "open_questions": list(attempt.result.open_questions),
        "evidence": [
            {
                "check": found.check,
                "outcome": shown_outcome(found.check, found.outcome),
                "exit_code": found.exit_code,
                "figures": _short(found),
            }
            for found in evidence
        ],
    }


async def _documents(work: UnitOfWork, project: Project, heads: Iterable[ArtifactVersion]) -> dict[str, Any]:
    """Return each document of the gate: its version, and what changed since the version before."""
    documents = []
    for head in heads:
        document: dict[str, Any] = {"kind": head.kind, "version": head.version, "sha256": head.sha256}
        if head.version > 1:
            before = await work.artifacts.get(project.id, head.kind, head.version - 1)
            document["change"] = summarise_change(before.markdown, head.markdown)
        documents.append(document)
    return {"project": project.slug, "documents": documents}


async def _same_as_before(work: UnitOfWork, project: Project, heads: list[ArtifactVersion]) -> bool:
    """Whether a repeated attempt brought nothing else than the versions before; what was measured does not count."""
    for head in heads:
        if head.version == 1:
            return False
        before = await work.artifacts.get(project.id, head.kind, head.version - 1)
        if _made(before) != _made(head):
            return False
    return bool(heads)


def _made(version: ArtifactVersion) -> Any:
    """Return what somebody made of an artifact; of one derived from evidence only the files in it."""
    return version.content.get("files") if version.kind in DERIVED else version.sha256


def _short(found: Evidence) -> dict[str, Any]:
    """Return the figures that are single words or numbers; lists of cases stay in the evidence row."""
    return {name: value for name, value in found.figures.items() if isinstance(value, str | int | float | None)}


def _tell(runtime: Runtime, phase: Phase, attempt: Attempt, gate: GateRequest) -> None:
    words = "; ".join(gate.verdict.reasons[:3]) or "all criteria are met"
    text = f"{gate.verdict.decision.value}: {words}"
    step = Progress(phase=phase.name, agent=phase.agent, attempt=attempt.number, step="verdict", text=text)
    runtime.report(step)


async def carry_out(
    runtime: Runtime, project: Project, workflow: Workflow, phase: Phase, attempt: Attempt, gate: GateRequest
) -> Status:
    """Do what the decision says: complete the phase, or reject the attempt, or stop the project.

    Returns:
        completed (go on), rejected (another attempt is due), or stopped (the attempts are used up).
    """
    if gate.decision is None:
        raise BotArmyError(f"The gate of {phase.name} is not decided yet.")
    async with runtime.commit("gate.resumed", phase.name) as work:
        await work.projects.set_status(project.id, Status.running)
        if gate.resume_wanted:
            await work.gates.mark_resumed(gate.id)
        if gate.decision == APPROVE:
            handoff = _handoff(workflow, phase, attempt, gate)
            await work.attempts.finish(attempt.id, Status.completed, gate.verdict, handoff)
            await leave_phase(work, runtime, attempt, Status.completed)
            return Status.completed
        await work.attempts.finish(attempt.id, Status.rejected, gate.verdict, None)
        await leave_phase(work, runtime, attempt, Status.rejected)
        if await _tries(work, attempt) < phase.gate.max_attempts:
            return Status.rejected
        await work.projects.set_status(project.id, Status.stopped)
        return Status.stopped


async def _tries(work: UnitOfWork, attempt: Attempt) -> int:
    """Return how many attempts at the phase count; after a rerun or a rollback the tries begin anew."""
    attempts = await work.attempts.list(attempt.project_id)
    return len([each for each in attempts if each.phase == attempt.phase and not each.superseded])


def _handoff(workflow: Workflow, phase: Phase, attempt: Attempt, gate: GateRequest) -> Handoff:
    names = [each.name for each in workflow.phases]
    following = names[names.index(phase.name) + 1 :]
    summary = attempt.result.summary if attempt.result else ""
    questions = attempt.result.open_questions if attempt.result else ()
    return Handoff(
        from_phase=phase.name,
        to_phase=following[0] if following else None,
        artifacts=gate.hashes,
        summary=summary,
        open_questions=questions,
    )


def feedback_of(gate: GateRequest) -> tuple[str, ...]:
    """Return what the next attempt must hear: a person's comment first, else the verdict's reasons and advice."""
    advice = tuple(
        f"{criterion.name}: {criterion.advice}"
        for criterion in gate.verdict.criteria
        if not criterion.met and criterion.advice
    )
    if gate.decided_by == POLICY:
        return gate.verdict.reasons + advice
    comment = (rejection(str(gate.decided_by), gate.comment),)
    return comment + (gate.verdict.reasons if gate.verdict.decision is Decision.reject else ())
