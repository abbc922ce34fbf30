"""A budget that a call would pass: a gate asks a person whether to raise it or to stop."""

from __future__ import annotations

from decimal import Decimal

from botarmy.errors import BudgetExceeded
from botarmy.records import Attempt, Decision, GateRequest, Project, Status, Verdict
from storage.unit import UnitOfWork
from tasks.runtime import Runtime

__all__ = ["BudgetExceeded", "carry_out_budget", "due_budget_gate", "open_budget_gate"]


async def open_budget_gate(runtime: Runtime, project: Project, attempt: Attempt, error: BudgetExceeded) -> GateRequest:
    """Open the gate that asks for a decision about the limit that was reached."""
    proposed = max(error.limit * 2, error.committed + error.wanted)
    verdict = Verdict(
        decision=Decision.needs_approval,
        reasons=(error.message, f"Approve raises the limit to {proposed} USD; reject stops the project."),
    )
    payload = {
        "scope": error.scope,
        "limit_usd": str(error.limit),
        "committed_usd": str(error.committed),
        "wanted_usd": str(error.wanted),
        "proposed_usd": str(proposed),
    }
    async with runtime.commit("budget.opened", attempt.phase) as work:
        ask = 1 + len(await work.gates.of_attempt(attempt.id))
        await work.projects.set_status(project.id, Status.waiting)
        return await work.gates.open(
            project.id,
            attempt.id,
            attempt.phase,
            attempt.number,
            verdict,
            {},
            kind="budget",
            ask=ask,
            payload=payload,
            expires_after=runtime.settings.gate_expiry,
        )


async def due_budget_gate(runtime: Runtime, attempt: Attempt) -> GateRequest | None:
    """Return the attempt's last budget gate if it is open, or decided but not carried out yet.

    A decision from the inbox comes while no run is there to carry it out. Whether it was is noted with the gate
    (resumed_at): the limit itself may have been set anew since.
    """
    async with runtime.database.work() as work:
        gates = [gate for gate in await work.gates.of_attempt(attempt.id) if gate.kind == "budget"]
    return gates[-1] if gates and gates[-1].resumed_at is None else None


async def carry_out_budget(runtime: Runtime, project: Project, gate: GateRequest) -> Status:
    """Raise the limit as decided (running), or stop the project (stopped)."""
    async with runtime.commit("budget.resumed", gate.phase) as work:
        await work.gates.mark_resumed(gate.id)
        if gate.decision != "approve":
            await work.attempts.finish(gate.attempt_id, Status.stopped, gate.verdict, None)
            await work.projects.set_status(project.id, Status.stopped)
            return Status.stopped
        await _raise_limit(work, project, gate)
        await work.projects.set_status(project.id, Status.running)
    return Status.running


async def _raise_limit(work: UnitOfWork, project: Project, gate: GateRequest) -> None:
    """Raise the limit, never lower it; one that was set or taken away after the decision is the later word and stays."""
    scope, name = _scope(gate.payload["scope"])
    budget = await work.budgets.get(project.id, scope, name)
    if budget is None or (gate.decided_at is not None and budget.updated_at > gate.decided_at):
        return
    limit = max(budget.limit_usd, Decimal(gate.payload["proposed_usd"]))
    await work.budgets.set(project.id, limit, scope=scope, name=name, by=gate.decided_by or "")


def _scope(words: str) -> tuple[str, str]:
    """Return scope and name: "phase:Build" is ("phase", "Build"), "project" is ("project", "")."""
    scope, _, name = words.partition(":")
    return scope, name
