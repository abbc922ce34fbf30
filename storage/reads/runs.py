"""Reading executions, conflicts and the provider configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from botarmy.records import Conflict, Execution, PhaseVisit, ProviderConfig, Status
from storage.reads.rows import Rows

_EXECUTIONS = """
SELECT id, project_id, workflow_template, flow_run_id, current_phase, phase_history, status, created_at, updated_at
FROM workflow_executions
"""
_CONFLICTS = """
SELECT id, project_id, conflicting_agents, conflict_description, artifact_hashes, resolution_attempts,
       resolution_status, resolved_by, resolved_at, created_at
FROM agent_conflicts
"""


class ExecutionReads:
    """Reads `workflow_executions`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_project(self, project_id: UUID) -> tuple[Execution, ...]:
        """Return the runs of a project, the oldest first."""
        return await self._many("WHERE project_id = :id ORDER BY created_at, id", id=project_id)

    async def of_flow_run(self, flow_run_id: str) -> Execution | None:
        """Return the run that Prefect knows by this id, or None."""
        found = await self._many("WHERE flow_run_id = :id ORDER BY created_at DESC LIMIT 1", id=flow_run_id)
        return found[0] if found else None

    async def of_order(self, flow_run_id: str) -> Execution | None:
        """Return the run that made its project for this order, or None.

        Args:
            flow_run_id: the flow run that was submitted; where it died first, its successors ran in its place.
        """
        made = "WHERE flow_run_id = :id OR execution_context ->> 'origin' = :id ORDER BY created_at, id LIMIT 1"
        found = await self._many(made, id=flow_run_id)
        return found[0] if found else None

    async def purged(self, *flow_run_ids: str) -> bool:
        """Tell whether one of these flow runs belonged to a project that was purged."""
        rows = await self._rows("SELECT 1 FROM purged_runs WHERE flow_run_id = ANY(:ids)", ids=list(flow_run_ids))
        return bool(rows)

    async def purged_with(self, project_id: UUID) -> tuple[str, ...]:
        """Return the flow runs of a project that was purged, sorted."""
        rows = await self._rows(
            "SELECT flow_run_id FROM purged_runs WHERE project_id = :id ORDER BY flow_run_id", id=project_id
        )
        return tuple(row.flow_run_id for row in rows)

    async def live(self, quiet_for: timedelta = timedelta(0)) -> tuple[Execution, ...]:
        """Return the runs that have not ended and changed nothing for a while: candidates for recovery."""
        return await self._many(
            "WHERE status IN ('running', 'waiting') AND updated_at <= clock_timestamp() - CAST(:age AS interval) "
            "ORDER BY updated_at, id",
            age=quiet_for,
        )

    async def _many(self, rest: str, **values: Any) -> tuple[Execution, ...]:
        return tuple(
            Execution(
                id=row.id,
                project_id=row.project_id,
                workflow=row.workflow_template,
                flow_run_id=row.flow_run_id,
                current_phase=row.current_phase,
                phase_history=tuple(PhaseVisit.model_validate(each) for each in row.phase_history),
                status=Status(row.status),
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            for row in await self._rows(f"{_EXECUTIONS} {rest}", **values)
        )


class ConflictReads:
    """Reads `agent_conflicts`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, conflict_id: UUID) -> Conflict:
        """Return one conflict.

        Raises:
            UnknownName: there is none with this id.
        """
        found = await self._many("WHERE id = :id", id=conflict_id)
        if not found:
            raise UnknownName(f"There is no conflict {conflict_id}.")
        return found[0]

    async def of_project(self, project_id: UUID) -> tuple[Conflict, ...]:
        """Return the conflicts of a project, the oldest first."""
        return await self._many("WHERE project_id = :id ORDER BY created_at, id", id=project_id)

    async def open_for(self, project_id: UUID) -> tuple[Conflict, ...]:
        """Return the conflicts of a project that are not settled."""
        return await self._many(
            "WHERE project_id = :id AND resolution_status IN ('open', 'escalated') ORDER BY created_at, id",
            id=project_id,
        )

    async def _many(self, rest: str, **values: Any) -> tuple[Conflict, ...]:
        return tuple(
            Conflict(
                id=row.id,
                project_id=row.project_id,
                agents=tuple(row.conflicting_agents),
                description=row.conflict_description,
                hashes=tuple(row.artifact_hashes),
                attempts=tuple(row.resolution_attempts),
                status=row.resolution_status,
                resolved_by=row.resolved_by,
                resolved_at=row.resolved_at,
                created_at=row.created_at,
            )
            for row in await self._rows(f"{_CONFLICTS} {rest}", **values)
        )


class ProviderConfigReads:
    """Reads `llm_provider_configs`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def list(self) -> tuple[ProviderConfig, ...]:
        """Return the configured agents by name."""
        rows = await self._rows(
            "SELECT agent_type, provider_name, model_name, configuration, updated_at FROM llm_provider_configs "
            "ORDER BY agent_type"
        )
        return tuple(
            ProviderConfig(
                agent=row.agent_type,
                provider=row.provider_name,
                model=row.model_name,
                configuration=row.configuration,
                updated_at=row.updated_at,
            )
            for row in rows
        )
