"""What `run` and `show` say about a project, as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pydantic import Field

from botarmy.costs import budget_entry
from botarmy.decisions import Amendment, DecisionLine, Voided, author_of, decision_lines, is_by_person
from botarmy.gate_address import address_of
from botarmy.measured import MeasureLine, measure_lines, shown_outcome
from botarmy.records import (
    ArtifactHead,
    ArtifactVersion,
    Attempt,
    AuditEvent,
    Budget,
    Evidence,
    Execution,
    GateRequest,
    Project,
    Record,
    Spending,
    Status,
    Verdict,
)
from botarmy.unsafe_text import visible_line

OFFLINE = "offline"
SCAFFOLD_NOTE = "scaffold, no model"
RUN_FAILED = "run failed"
"""The audit action that remembers, with code, message and hint, which error ended a project."""

_APPROVAL = "approval"


class Snapshot(Record):
    """Everything that is told about a project at one moment.

    Attributes:
        phases: (phase, agent) in the order of the workflow, so that phases which have not begun show as pending.
        attempts: all attempts, oldest first; those that a rerun or a rollback has set aside do not count.
        heads: the current version of each artifact kind, without its content.
        evidence: attempt id -> what was executed for it.
        gates: all gates, oldest first.
        amendments: all versions that persons wrote, also where others count by now.
        voids: why gates were made void, by their id.
        runs: all runs, oldest first.
        budgets: the limits, each with what was spent under it.
        export: the directory of the last export, or None.
        error: code, message and hint of the error that a failed project ended with, or None.
    """

    project: Project
    phases: tuple[tuple[str, str], ...] = ()
    attempts: tuple[Attempt, ...] = ()
    heads: tuple[ArtifactHead, ...] = ()
    evidence: dict[UUID, tuple[Evidence, ...]] = Field(default_factory=dict)
    gates: tuple[GateRequest, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    voids: dict[UUID, Voided] = Field(default_factory=dict)
    runs: tuple[Execution, ...] = ()
    spending: Spending
    budgets: tuple[tuple[Budget, Spending], ...] = ()
    export: str | None = None
    error: dict[str, str] | None = None


def overview(snapshot: Snapshot) -> dict[str, Any]:
    """Assemble the JSON document of `run` and `show`."""
    project, spending, decisions = snapshot.project, snapshot.spending, decisions_of(snapshot)
    return {
        "project": {
            "id": str(project.id),
            "name": project.name,
            "slug": project.slug,
            "status": project.status.value,
            "note": model_note(snapshot.heads),
            "error": snapshot.error,
        },
        "workflow": project.workflow,
        "phases": [_phase(name, agent, snapshot, decisions) for name, agent in phase_order(snapshot)],
        "cost_usd": None if spending.unknown_calls else float(spending.known_usd),
        "budgets": [budget_entry(budget, spent) for budget, spent in snapshot.budgets],
        "tokens": {
            "input": spending.input_tokens,
            "output": spending.output_tokens,
            "cached": spending.cached_tokens,
            "reasoning": spending.reasoning_tokens,
        },
        "export": snapshot.export,
        "runs": [_run(each) for each in snapshot.runs],
    }


def error_of(project: Project, events: Iterable[AuditEvent]) -> dict[str, str] | None:
    """Return code, message and hint of the error that a failed project ended with, or None.

    Args:
        project: the project.
        events: its audit events, oldest first.
    """
    if project.status is not Status.failed:
        return None
    told = [event.detail for event in events if event.action == RUN_FAILED and "code" in event.detail]
    return {name: str(told[-1].get(name, "")) for name in ("code", "message", "hint")} if told else None


def model_note(versions: Iterable[ArtifactHead | ArtifactVersion]) -> str:
    """Say who made the artifacts where that was no model: "scaffold, no model; amended by Ann"; else "".

    Where a model made some of them, the agents that did without one are named.
    """
    made = list(versions)
    persons = {visible_line(author_of(each.provenance)) for each in made if is_by_person(each.provenance)}
    agents = [each.provenance for each in made if not is_by_person(each.provenance)]
    without = {each.agent for each in agents if each.provider == OFFLINE}
    with_model = [each for each in agents if each.provider != OFFLINE]
    notes = []
    if without:
        notes.append(f"scaffold without a model by {', '.join(sorted(without))}" if with_model else SCAFFOLD_NOTE)
    if persons:
        notes.append(f"amended by {', '.join(sorted(persons))}")
    return "; ".join(notes)


def status_label(status: Status, note: str) -> str:
    """Return the status word with its note, e.g. "completed (scaffold, no model)"."""
    return f"{status.value} ({note})" if note and status is Status.completed else status.value


def phase_order(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return (phase, agent) in workflow order; phases that only attempts know come last, as they were begun."""
    known = dict(snapshot.phases)
    for attempt in snapshot.attempts:
        if attempt.superseded:
            continue
        known.setdefault(attempt.phase, attempt.agent)
    return tuple(known.items())


def latest_attempt(snapshot: Snapshot, phase: str) -> Attempt | None:
    """Return the last attempt at a phase, or None where it has not begun."""
    tries = [attempt for attempt in snapshot.attempts if attempt.phase == phase and not attempt.superseded]
    return max(tries, key=lambda attempt: attempt.number, default=None)


def gate_of(snapshot: Snapshot, attempt: Attempt) -> GateRequest | None:
    """Return the gate that tells how an attempt stands: the open one, else its last approval; None where it has none."""
    gates = [gate for gate in snapshot.gates if gate.attempt_id == attempt.id and gate.status is not Status.cancelled]
    waiting = [gate for gate in gates if gate.decision is None]
    approvals = [gate for gate in gates if gate.kind == _APPROVAL]
    return next(reversed(waiting or approvals or gates), None)


def decisions_of(snapshot: Snapshot) -> tuple[DecisionLine, ...]:
    """Return all that was decided at the project's phases, the oldest first, what was set aside as well."""
    return decision_lines(snapshot.attempts, snapshot.gates, snapshot.amendments, snapshot.voids)


def _phase(name: str, agent: str, snapshot: Snapshot, decisions: Iterable[DecisionLine]) -> dict[str, Any]:
    attempt = latest_attempt(snapshot, name)
    entry: dict[str, Any] = {
        "name": name,
        "agent": agent,
        "status": attempt.status.value if attempt else Status.pending.value,
        "attempt": attempt.number if attempt else 0,
        "verdict": None,
        "reasons": [],
        "gate": None,
        "decisions": [_decision(line) for line in decisions if line.phase == name],
        "artifacts": _artifacts(snapshot.heads, name),
        "measures": [line.model_dump() for line in measures_of(snapshot, name)],
        "evidence": [],
    }
    if attempt is not None:
        gate = gate_of(snapshot, attempt)
        if gate is not None and gate.decision is None:
            entry["status"] = Status.waiting.value
        verdict = _verdict(attempt, gate)
        entry["verdict"] = verdict.decision.value if verdict else None
        entry["reasons"] = list(verdict.reasons) if verdict else []
        entry["gate"] = _gate(gate, snapshot.project.slug) if gate else None
        entry["evidence"] = [_evidence(item) for item in snapshot.evidence.get(attempt.id, ())]
    return entry


def _verdict(attempt: Attempt, gate: GateRequest | None) -> Verdict | None:
    return attempt.verdict or (gate.verdict if gate else None)


def measures_of(snapshot: Snapshot, phase: str) -> tuple[MeasureLine, ...]:
    """Return what was measured at the last attempt at a phase, and what the gate's criteria made of it."""
    attempt = latest_attempt(snapshot, phase)
    if attempt is None:
        return ()
    verdict = _verdict(attempt, gate_of(snapshot, attempt))
    return measure_lines(snapshot.evidence.get(attempt.id, ()), verdict.criteria if verdict else ())


def _artifacts(heads: Iterable[ArtifactHead], phase: str) -> list[dict[str, Any]]:
    return [
        {"kind": head.kind, "version": head.version, "sha256": head.sha256, "stale": head.stale}
        for head in heads
        if head.provenance.phase == phase
    ]


def _gate(gate: GateRequest, slug: str) -> dict[str, Any]:
    return {
        "id": str(gate.id),
        "address": address_of(gate, slug),
        "kind": gate.kind,
        "status": gate.status.value,
        "decision": gate.decision,
        "by": gate.decided_by,
        "comment": gate.comment,
        "at": gate.decided_at.isoformat() if gate.decided_at else None,
    }


def _decision(line: DecisionLine) -> dict[str, Any]:
    return {**line.model_dump(exclude={"at"}), "at": line.at.isoformat() if line.at else None}


def _run(run: Execution) -> dict[str, Any]:
    return {
        "flow_run_id": run.flow_run_id,
        "status": run.status.value,
        "current_phase": run.current_phase,
        "phase_history": [visit.model_dump(mode="json") for visit in run.phase_history],
        "started_at": run.created_at.isoformat(),
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    shown = item.model_dump(mode="json", exclude={"log", "command", "exit_code"})
    shown["outcome"] = shown_outcome(item.check, item.outcome)
    return {"command": list(item.command), "exit_code": item.exit_code, **shown}
