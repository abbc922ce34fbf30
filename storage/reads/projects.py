"""Reading projects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from botarmy.records import Project, Status
from storage.reads.rows import Rows, near

_COLUMNS = "id, name, slug, status, brief, brief_sha256, workflow, settings, created_at, updated_at"


def project_of(row: Any) -> Project:
    """Return the record of a row with the columns of `projects`."""
    return Project(
        id=row.id,
        name=row.name,
        slug=row.slug,
        status=Status(row.status),
        brief=row.brief,
        brief_sha256=row.brief_sha256,
        workflow=row.workflow,
        settings=row.settings,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


class ProjectReads:
    """Reads `projects`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, slug_or_id: str | UUID) -> Project:
        """Return the project with this slug or id.

        Raises:
            UnknownName: there is none; the hint names slugs that are like it.
        """
        found = await self._by_id(slug_or_id) or await self.by_slug(str(slug_or_id))
        if found is not None:
            return found
        newest = await self._rows("SELECT slug FROM projects ORDER BY created_at DESC LIMIT 500")
        raise UnknownName(
            f"There is no project {str(slug_or_id)!r}.",
            hint=near(str(slug_or_id), (row.slug for row in newest)) or "`botarmy projects` lists them.",
        )

    async def by_slug(self, slug: str) -> Project | None:
        """Return the project with this slug, or None."""
        return await self._one("slug = :slug", slug=slug)

    async def list(self, limit: int = 50, offset: int = 0) -> tuple[Project, ...]:
        """Return projects, the newest first."""
        rows = await self._rows(
            f"SELECT {_COLUMNS} FROM projects ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset",
            limit=limit,
            offset=offset,
        )
        return tuple(project_of(row) for row in rows)

    async def free_slug(self, base: str) -> str:
        """Return the base, or base-N with the least N from 2 that is above every N in use."""
        taken = await self._rows(
            "SELECT slug FROM projects WHERE slug = :base OR slug ~ :pattern",
            base=base,
            pattern=f"^{re.escape(base)}-[0-9]+$",
        )
        slugs = {row.slug for row in taken}
        if base not in slugs:
            return base
        numbers = [int(slug.rpartition("-")[2]) for slug in slugs if slug != base]
        return f"{base}-{max(numbers, default=1) + 1}"

    async def slugs(self, project_ids: Iterable[UUID]) -> dict[UUID, str]:
        """Return the slugs of projects by id; unknown ids are absent."""
        rows = await self._rows("SELECT id, slug FROM projects WHERE id = ANY(:ids)", ids=list(project_ids))
        return {row.id: row.slug for row in rows}

    async def with_status(
        self, *statuses: Status, quiet_for: timedelta = timedelta(0), limit: int = 1000
    ) -> tuple[Project, ...]:
        """Return the projects that have one of the statuses and did not change for a while, the oldest first.

        The while is measured by Postgres's clock, which wrote the change; a change that lies ahead of it (the clock was
        set back since) counts as old, or such a project would be passed over for as long as the clock was set back.
        """
        rows = await self._rows(
            f"SELECT {_COLUMNS} FROM projects WHERE status = ANY(:statuses) "
            "AND (updated_at <= clock_timestamp() - CAST(:quiet AS interval) OR updated_at > clock_timestamp()) "
            "ORDER BY created_at, id LIMIT :limit",
            statuses=[status.value for status in statuses],
            quiet=quiet_for,
            limit=limit,
        )
        return tuple(project_of(row) for row in rows)

    async def with_brief(self, brief_sha256: str) -> tuple[Project, ...]:
        """Return the projects made from the brief with this hash, the newest first."""
        rows = await self._rows(
            f"SELECT {_COLUMNS} FROM projects WHERE brief_sha256 = :sha ORDER BY created_at DESC, id", sha=brief_sha256
        )
        return tuple(project_of(row) for row in rows)

    async def count(self) -> int:
        """Return how many projects there are."""
        return int((await self._rows("SELECT count(*) AS n FROM projects"))[0].n)

    async def _by_id(self, wanted: str | UUID) -> Project | None:
        try:
            project_id = wanted if isinstance(wanted, UUID) else UUID(wanted)
        except ValueError:
            return None
        return await self._one("id = :id", id=project_id)

    async def _one(self, where: str, **values: Any) -> Project | None:
        rows = await self._rows(f"SELECT {_COLUMNS} FROM projects WHERE {where}", **values)
        return project_of(rows[0]) if rows else None
