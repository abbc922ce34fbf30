"""Projects: made, moved from status to status, purged."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from botarmy.records import Project, Status, digest
from storage.jsonb import plain
from storage.reads.projects import ProjectReads, project_of
from storage.tables import (
    AgentConflicts,
    ArtifactLinks,
    ArtifactVersions,
    Budgets,
    ContextArtifacts,
    Evidences,
    Handoffs,
    HitlRequests,
    LLMCalls,
    Projects,
    Tasks,
    WorkflowExecutions,
)
from storage.transaction import Transaction

_REMEMBER_RUNS = """
INSERT INTO purged_runs (flow_run_id, project_id)
SELECT DISTINCT run, CAST(:id AS uuid) FROM (
    SELECT flow_run_id AS run FROM workflow_executions WHERE project_id = :id
    UNION SELECT execution_context ->> 'origin' FROM workflow_executions WHERE project_id = :id
    UNION SELECT flow_run_id FROM hitl_requests WHERE project_id = :id
) AS runs WHERE run <> '' ON CONFLICT DO NOTHING RETURNING 1
"""
"""Its runs, those whose places they took, and those that showed its gates."""


class ProjectStore(ProjectReads):
    """Writes `projects`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def create(
        self, name: str, slug_base: str, brief: str, workflow: str, settings: dict[str, Any] | None = None
    ) -> Project:
        """Make a project; where its slug is taken it becomes `slug-2`, and so on."""
        values = {
            "name": name,
            "brief": brief,
            "brief_sha256": digest(brief),
            "workflow": workflow,
            "settings": plain(settings or {}),
        }
        while True:  # each round is lost only to another process that made this very slug in between
            slug = await self._free(slug_base)
            row = await self._tx.one(
                insert(Projects).values(slug=slug, **values).on_conflict_do_nothing().returning(*Projects.__table__.c)
            )
            if row is not None:
                break
        project = project_of(row)
        self._tx.note(project.id, "project created", slug, sha256=project.brief_sha256, detail={"workflow": workflow})
        return project

    async def set_status(self, project_id: UUID, status: Status) -> None:
        """Set a project's status.

        Raises:
            UnknownName: there is no such project.
        """
        row = await self._tx.lock_project(project_id)
        before = await self._tx.one(select(Projects.status).where(Projects.id == project_id))
        if before is None or before.status == status.value:
            return
        await self._tx.run(
            update(Projects).where(Projects.id == project_id).values(status=status.value, updated_at=func.now())
        )
        self._tx.note(project_id, f"project {status.value}", row.slug, detail={"from": before.status})

    async def name_holder(self, project_id: UUID, holder: str) -> None:
        """Say anew who holds the project, in the words that others are told; for whoever holds it."""
        await self._tx.lock_project(project_id)
        await self._tx.run(update(Projects).where(Projects.id == project_id).values(holder=holder))

    async def break_hold(self, project_id: UUID, by: str) -> None:
        """Take the project from the run that holds it: that run's next write is refused (Fenced), and so it ends.

        Raises:
            UnknownName: there is no such project.
        """
        row = await self._tx.lock_project(project_id)
        await self._tx.run(
            update(Projects)
            .where(Projects.id == project_id)
            .values(fence=Projects.fence + 1, holder=by, held_since=func.now())
        )
        self._tx.note(project_id, "hold broken", row.slug, detail={"held_by": row.holder}, actor=by)

    async def purge(self, project_id: UUID, by: str) -> None:
        """Delete a project with all that belongs to it, for good. Its audit events stay, and this is one of them.

        The ids of its flow runs stay too, without any content: none of them may make the project anew.

        Raises:
            UnknownName: there is no such project.
        """
        row = await self._tx.lock_project(project_id)
        # The triggers that guard append-only rows let exactly this project go, in this transaction alone.
        await self._tx.rows("SELECT set_config('botarmy.purge', :id, true)", id=str(project_id))
        await self._tx.rows(_REMEMBER_RUNS, id=project_id)
        versions = select(ArtifactVersions.id).where(ArtifactVersions.project_id == project_id)
        links = or_(ArtifactLinks.version_id.in_(versions), ArtifactLinks.made_from_id.in_(versions))
        await self._tx.run(delete(ArtifactLinks).where(links))
        for table in (
            ContextArtifacts, Evidences, Handoffs, HitlRequests, ArtifactVersions, LLMCalls, Budgets, AgentConflicts,
            WorkflowExecutions, Tasks,
        ):  # fmt: skip
            await self._tx.run(delete(table).where(table.project_id == project_id))
        await self._tx.run(delete(Projects).where(Projects.id == project_id))
        self._tx.note(
            project_id, "project purged", row.slug, sha256=row.brief_sha256, detail={"name": row.name}, actor=by
        )

    async def _free(self, base: str) -> str:
        """Return the base, or base-N with the least N from 2 that is above every N in use."""
        taken = await self._tx.run(
            select(Projects.slug).where(
                or_(Projects.slug == base, text("slug ~ :pattern").bindparams(pattern=f"^{re.escape(base)}-[0-9]+$"))
            )
        )
        slugs = {row.slug for row in taken}
        if base not in slugs:
            return base
        numbers = [int(slug.rpartition("-")[2]) for slug in slugs if slug != base]
        return f"{base}-{max(numbers, default=1) + 1}"
