"""Executions, conflicts and the provider configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.errors import InputError, UnknownName
from botarmy.records import Conflict, Execution, PhaseVisit, Status
from storage.jsonb import plain
from storage.reads.runs import ConflictReads, ExecutionReads, ProviderConfigReads
from storage.tables import AgentConflicts, LLMProviderConfigs, WorkflowExecutions
from storage.transaction import Transaction
from storage.words import FINAL_STATUSES, RESOLUTIONS


class ExecutionStore(ExecutionReads):
    """Writes `workflow_executions`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def claimed(self, origin: str) -> Execution | None:
        """Return the run that made its project for this order, or None; who asks the same waits for this unit's end.

        Args:
            origin: the flow run that was submitted first. A successor is submitted where that seems to have died before
                it had made its project; the two may yet live side by side.
        """
        await self._tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(origin, 0))))
        return await self.of_order(origin)

    async def start(self, project_id: UUID, workflow: str, flow_run_id: str, *, origin: str = "") -> UUID:
        """Begin a run; the same flow run begins once, however often its body starts again.

        Args:
            project_id: the project.
            workflow: name of its workflow.
            flow_run_id: Prefect's id; "" where it has none.
            origin: the flow run whose place it takes; see `claimed`.
        """
        await self._tx.lock_project(project_id)
        same = await self._tx.one(
            select(WorkflowExecutions.id).where(
                WorkflowExecutions.project_id == project_id,
                WorkflowExecutions.flow_run_id == flow_run_id,
                WorkflowExecutions.flow_run_id != "",
            )
        )
        if same is not None:
            execution_id: UUID = same.id
            await self._change(execution_id, status=Status.running.value)
            return execution_id
        row = await self._tx.one(
            insert(WorkflowExecutions)
            .values(
                project_id=project_id,
                workflow_template=workflow,
                flow_run_id=flow_run_id,
                execution_context={"origin": origin} if origin else {},
                status=Status.running.value,
                created_at=await self._after_the_last(project_id),
                updated_at=func.clock_timestamp(),
            )
            .returning(WorkflowExecutions.id)
        )
        started: UUID = row.id  # type: ignore[union-attr]
        self._tx.note(project_id, "run started", flow_run_id or str(started), detail={"workflow": workflow})
        return started

    async def _after_the_last(self, project_id: UUID) -> Any:
        """Return a time after the last run's: which run is the newest must not hang on a clock that can be set back."""
        last = await self._tx.one(
            select(func.max(WorkflowExecutions.created_at).label("at")).where(
                WorkflowExecutions.project_id == project_id
            )
        )
        if last is None or last.at is None:
            return func.clock_timestamp()
        return func.greatest(func.clock_timestamp(), last.at + timedelta(microseconds=1))

    async def advance(self, execution_id: UUID, phase: str, attempt: int) -> None:
        """Note which attempt at which phase the run works on. Saying the same again changes nothing."""
        row = await self._locked(execution_id)
        if _is_at(_open_visit(row), phase, attempt):
            await self._change(execution_id)
            return
        visit = PhaseVisit(phase=phase, attempt=attempt, started_at=datetime.now(UTC))
        await self._remember(row, (*row.phase_history, visit), current_phase=phase)
        detail = {"run": row.flow_run_id or str(execution_id), "attempt": attempt}
        self._tx.note(row.project_id, "run at phase", phase, detail=detail)

    async def leave(self, execution_id: UUID, phase: str, attempt: int, status: Status) -> None:
        """Note how the attempt ended that the run worked on; nothing where it did not."""
        row = await self._locked(execution_id)
        if _is_at(_open_visit(row), phase, attempt):
            await self._end_visit(row, status)

    async def beat(self, execution_id: UUID) -> None:
        """Show that the run lives: it is no candidate for recovery for a while."""
        await self._change(execution_id)

    async def finish(self, execution_id: UUID, status: Status) -> None:
        """Record how the run ended, or that it waits. Saying the same again changes nothing."""
        row = await self._locked(execution_id)
        if row.status == status.value:
            return
        if status.value in FINAL_STATUSES and _open_visit(row) is not None:
            await self._end_visit(row, status)
        await self._change(execution_id, status=status.value)
        self._tx.note(row.project_id, f"run {status.value}", row.flow_run_id or str(execution_id))

    async def _end_visit(self, row: Execution, status: Status) -> None:
        ended = row.phase_history[-1].model_copy(update={"ended_at": datetime.now(UTC), "status": status})
        await self._remember(row, (*row.phase_history[:-1], ended))

    async def _remember(self, row: Execution, history: Iterable[PhaseVisit], **values: Any) -> None:
        entries = [visit.model_dump(mode="json") for visit in history]
        await self._change(row.id, phase_history=plain(entries), **values)

    async def _locked(self, execution_id: UUID) -> Execution:
        found = await self._many("WHERE id = :id", id=execution_id)
        if not found:
            raise UnknownName(f"There is no run {execution_id}.")
        await self._tx.lock_project(found[0].project_id)
        return (await self._many("WHERE id = :id", id=execution_id))[0]

    async def _change(self, execution_id: UUID, **values: Any) -> None:
        await self._tx.run(
            update(WorkflowExecutions)
            .where(WorkflowExecutions.id == execution_id, WorkflowExecutions.status.not_in(FINAL_STATUSES))
            .values(updated_at=func.clock_timestamp(), **values)
        )


def _open_visit(row: Execution) -> PhaseVisit | None:
    """Return the visit that the run has not ended, which can only be its last."""
    last = row.phase_history[-1] if row.phase_history else None
    return last if last is not None and last.ended_at is None else None


def _is_at(visit: PhaseVisit | None, phase: str, attempt: int) -> bool:
    return visit is not None and (visit.phase, visit.attempt) == (phase, attempt)


class ConflictStore(ConflictReads):
    """Writes `agent_conflicts`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def open(
        self, project_id: UUID, agents: Iterable[str], description: str, hashes: Iterable[str] = ()
    ) -> Conflict:
        """Record a contradiction between artifact versions (by their sha256); an unsettled equal one is returned."""
        await self._tx.lock_project(project_id)
        wanted = (tuple(agents), description, tuple(hashes))
        for known in await self.open_for(project_id):
            if (known.agents, known.description, known.hashes) == wanted:
                return known
        row = await self._tx.one(
            insert(AgentConflicts)
            .values(
                project_id=project_id,
                conflicting_agents=list(wanted[0]),
                conflict_description=description,
                artifact_hashes=list(wanted[2]),
                created_at=func.clock_timestamp(),
            )
            .returning(AgentConflicts.id)
        )
        conflict: UUID = row.id  # type: ignore[union-attr]
        self._tx.note(project_id, "conflict opened", str(conflict), detail={"agents": wanted[0], "about": description})
        return await self.get(conflict)

    async def attempted(self, conflict_id: UUID, attempt: Mapping[str, Any]) -> Conflict:
        """Add an attempt to settle it, as a JSON object."""
        conflict = await self._locked(conflict_id)
        attempts = [*conflict.attempts, plain(dict(attempt))]
        await self._change(conflict_id, resolution_attempts=attempts)
        self._tx.note(conflict.project_id, "conflict attempted", str(conflict_id), detail={"attempt": len(attempts)})
        return await self.get(conflict_id)

    async def settle(self, conflict_id: UUID, status: str, by: str) -> Conflict:
        """Record that it was mediated, escalated or resolved.

        Raises:
            InputError: there is no such status.
        """
        if status not in RESOLUTIONS[1:]:
            raise InputError(f"{status!r} settles no conflict.", hint=f"Use one of {', '.join(RESOLUTIONS[1:])}.")
        conflict = await self._locked(conflict_id)
        settled = {"resolved_at": func.clock_timestamp(), "resolved_by": by} if status != "escalated" else {}
        await self._change(conflict_id, resolution_status=status, **settled)
        self._tx.note(conflict.project_id, f"conflict {status}", str(conflict_id), actor=by)
        return await self.get(conflict_id)

    async def _locked(self, conflict_id: UUID) -> Conflict:
        await self._tx.lock_project((await self.get(conflict_id)).project_id)
        return await self.get(conflict_id)

    async def _change(self, conflict_id: UUID, **values: Any) -> None:
        await self._tx.run(update(AgentConflicts).where(AgentConflicts.id == conflict_id).values(**values))


class ProviderConfigStore(ProviderConfigReads):
    """Writes `llm_provider_configs`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def set(
        self, agent_type: str, provider: str, model: str, configuration: Mapping[str, Any] | None = None
    ) -> None:
        """Say which provider and model an agent uses. Keys do not belong into `configuration`: they stay settings."""
        values: dict[str, Any] = {
            "provider_name": provider,
            "model_name": model,
            "configuration": plain(dict(configuration or {})),
            "updated_at": func.now(),
        }
        statement = upsert(LLMProviderConfigs).values(agent_type=agent_type, **values)
        await self._tx.run(statement.on_conflict_do_update(index_elements=[LLMProviderConfigs.agent_type], set_=values))
        self._tx.note(None, "provider set", agent_type, detail={"provider": provider, "model": model})

    async def remove(self, agent_type: str) -> None:
        """Let the agent use what the settings say."""
        await self._rows("DELETE FROM llm_provider_configs WHERE agent_type = :agent RETURNING id", agent=agent_type)
        self._tx.note(None, "provider removed", agent_type)
