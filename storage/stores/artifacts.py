"""Artifacts: immutable versions, and the pointer that says which version counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.errors import UnknownName
from botarmy.records import ArtifactVersion, Provenance, canonical_json, digest
from storage.jsonb import plain
from storage.options import refuse_larger
from storage.reads.artifacts import ArtifactReads, version_of
from storage.tables import ArtifactLinks, ArtifactVersions, ContextArtifacts, Tasks
from storage.transaction import Transaction


class ArtifactStore(ArtifactReads):
    """Writes `artifact_versions`, `artifact_links` and the heads in `context_artifacts`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def save(
        self,
        project_id: UUID,
        kind: str,
        content: dict[str, Any],
        markdown: str,
        provenance: Provenance,
        links: Iterable[str] = (),
    ) -> ArtifactVersion:
        """Add a version and make it the one that counts.

        What the same attempt has saved already, with the same content, is returned instead of saved again.

        Args:
            project_id: the project.
            kind: the artifact's kind, see botarmy.artifacts.
            content: JSON that fits the kind's schema.
            markdown: the same for people.
            provenance: where it came from.
            links: sha256 of the artifact versions of this project that it was made from.

        Raises:
            TooLarge: content or markdown pass the limit.
            UnknownName: there is no such project, or a link names no version of it.
            InputError: the content holds what JSONB cannot.
        """
        content = plain(content)
        for what, text in ((f"The artifact {kind}", canonical_json(content)), (f"The text of {kind}", markdown)):
            size = len(text.encode("utf-8", "surrogatepass"))
            refuse_larger(what, size, self._tx.options.max_artifact_bytes, "BOTARMY_MAX_ARTIFACT_BYTES")
        sha256 = digest(content)
        await self._tx.lock_project(project_id)
        await self._tx.run(
            upsert(ContextArtifacts).values(project_id=project_id, artifact_type=kind).on_conflict_do_nothing()
        )
        current = await self.head(project_id, kind)
        if current is not None and current.sha256 == sha256 and _same_attempt(current.provenance, provenance):
            await self._point(project_id, kind, current.version)
            return current
        saved = await self._insert(project_id, kind, content, markdown, sha256, provenance)
        await self._link(saved, links)
        await self._point(project_id, kind, saved.version)
        self._tx.note(
            project_id,
            "artifact saved",
            f"{kind} {saved.version}",
            sha256=sha256,
            detail={"phase": provenance.phase, "attempt": provenance.attempt},
        )
        return saved

    async def point(self, project_id: UUID, kind: str, version: int, *, by: str = "") -> ArtifactVersion:
        """Make an earlier (or later) version the one that counts; nothing is deleted.

        Raises:
            UnknownName: there is no such version.
        """
        await self._tx.lock_project(project_id)
        wanted = await self.get(project_id, kind, version)
        current = await self.head(project_id, kind)
        await self._point(project_id, kind, version)
        self._tx.note(
            project_id,
            "artifact re-pointed",
            f"{kind} {version}",
            sha256=wanted.sha256,
            detail={"from": current.version if current else None},
            actor=by,
        )
        return wanted

    async def unpoint(self, project_id: UUID, kinds: Iterable[str], *, by: str = "") -> None:
        """Let no version of these artifacts count, as before they were first made; nothing is deleted."""
        await self._mark(project_id, kinds, "artifact set aside", by, head_version=None, stale=False)

    async def mark_stale(self, project_id: UUID, kinds: Iterable[str], *, by: str = "") -> None:
        """Note that what these artifacts were made from has changed; a new version takes the mark away."""
        await self._mark(project_id, kinds, "artifact stale", by, stale=True)

    async def _mark(self, project_id: UUID, kinds: Iterable[str], action: str, by: str, **values: Any) -> None:
        await self._tx.lock_project(project_id)
        rows = await self._tx.run(
            update(ContextArtifacts)
            .where(
                ContextArtifacts.project_id == project_id,
                ContextArtifacts.artifact_type.in_(list(kinds)),
                ContextArtifacts.head_version.is_not(None),
            )
            .values(updated_at=func.now(), **values)
            .returning(ContextArtifacts.artifact_type)
        )
        for row in rows:
            self._tx.note(project_id, action, row.artifact_type, actor=by)

    async def _insert(
        self, project_id: UUID, kind: str, content: Any, markdown: str, sha256: str, provenance: Provenance
    ) -> ArtifactVersion:
        of_kind = (ArtifactVersions.project_id == project_id, ArtifactVersions.artifact_type == kind)
        newest = await self._tx.one(select(func.max(ArtifactVersions.version).label("n")).where(*of_kind))
        attempt = await self._tx.one(
            select(Tasks.id).where(
                Tasks.project_id == project_id, Tasks.phase == provenance.phase, Tasks.attempt == provenance.attempt
            )
        )
        row = await self._tx.one(
            insert(ArtifactVersions)
            .values(
                project_id=project_id,
                artifact_type=kind,
                version=((newest.n if newest else None) or 0) + 1,
                task_id=attempt.id if attempt is not None else None,
                content=content,
                markdown=markdown,
                sha256=sha256,
                provenance=plain(provenance.model_dump(mode="json")),
                created_at=func.clock_timestamp(),
            )
            .returning(*ArtifactVersions.__table__.c)
        )
        return version_of(row)

    async def _link(self, saved: ArtifactVersion, links: Iterable[str]) -> None:
        wanted = set(links) | set(saved.provenance.inputs)
        if not wanted:
            return
        found = await self._rows(
            "SELECT DISTINCT ON (sha256) id, sha256 FROM artifact_versions "
            "WHERE project_id = :project AND sha256 = ANY(:wanted) AND id <> :self ORDER BY sha256, created_at DESC",
            project=saved.project_id,
            wanted=list(wanted),
            self=saved.id,
        )
        missing = wanted - {row.sha256 for row in found}
        if missing:
            raise UnknownName(
                f"{saved.kind} is said to be made from {', '.join(sorted(missing))}; the project has no such version.",
                hint="Save what it was made from first.",
            )
        await self._tx.run(
            insert(ArtifactLinks).values([{"version_id": saved.id, "made_from_id": row.id} for row in found])
        )

    async def _point(self, project_id: UUID, kind: str, version: int) -> None:
        await self._tx.run(
            update(ContextArtifacts)
            .where(ContextArtifacts.project_id == project_id, ContextArtifacts.artifact_type == kind)
            .values(head_version=version, stale=False, updated_at=func.now())
        )


def _same_attempt(one: Provenance, other: Provenance) -> bool:
    return (one.phase, one.attempt) == (other.phase, other.attempt)
