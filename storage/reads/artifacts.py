"""Reading artifacts: heads, versions and what was made from what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from botarmy.records import ArtifactHead, ArtifactVersion, Provenance
from storage.reads.rows import Rows, near

_VERSION = "v.id, v.project_id, v.artifact_type, v.version, v.content, v.markdown, v.sha256, v.provenance, v.created_at"
_HEADS = """
FROM context_artifacts a JOIN artifact_versions v
  ON v.project_id = a.project_id AND v.artifact_type = a.artifact_type AND v.version = a.head_version
"""


def version_of(row: Any) -> ArtifactVersion:
    """Return the record of a row of `artifact_versions`."""
    return ArtifactVersion(
        id=row.id,
        project_id=row.project_id,
        kind=row.artifact_type,
        version=row.version,
        content=row.content,
        markdown=row.markdown,
        sha256=row.sha256,
        provenance=Provenance.model_validate(row.provenance),
        created_at=row.created_at,
    )


class ArtifactReads:
    """Reads `context_artifacts` (the heads) and `artifact_versions`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def head(self, project_id: UUID, kind: str) -> ArtifactVersion | None:
        """Return the version of an artifact that counts, or None."""
        rows = await self._rows(
            f"SELECT {_VERSION} {_HEADS} WHERE a.project_id = :id AND a.artifact_type = :kind", id=project_id, kind=kind
        )
        return version_of(rows[0]) if rows else None

    async def heads(self, project_id: UUID) -> dict[str, ArtifactVersion]:
        """Return the versions that count, with content, by kind."""
        rows = await self._rows(
            f"SELECT {_VERSION} {_HEADS} WHERE a.project_id = :id ORDER BY a.created_at, a.artifact_type", id=project_id
        )
        return {row.artifact_type: version_of(row) for row in rows}

    async def summaries(self, project_id: UUID) -> tuple[ArtifactHead, ...]:
        """Return the versions that count without their content: cheap, for lists."""
        rows = await self._rows(
            f"SELECT v.artifact_type, v.version, v.sha256, v.provenance, v.created_at, a.stale {_HEADS} "
            "WHERE a.project_id = :id ORDER BY a.created_at, a.artifact_type",
            id=project_id,
        )
        return tuple(_head_of(row) for row in rows)

    async def by_provider(self, project_id: UUID, provider: str) -> tuple[ArtifactHead, ...]:
        """Return all versions of one provider without their content, the oldest first, whether they count or not."""
        rows = await self._rows(
            "SELECT v.artifact_type, v.version, v.sha256, v.provenance, v.created_at, false AS stale "
            "FROM artifact_versions v WHERE v.project_id = :id AND v.provenance ->> 'provider' = :provider "
            "ORDER BY v.created_at, v.artifact_type, v.version",
            id=project_id,
            provider=provider,
        )
        return tuple(_head_of(row) for row in rows)

    async def hashes(self, project_id: UUID) -> dict[str, str]:
        """Return kind -> sha256 of the versions that count."""
        return {head.kind: head.sha256 for head in await self.summaries(project_id)}

    async def stale(self, project_id: UUID) -> frozenset[str]:
        """Return the kinds whose inputs have changed since they were made."""
        rows = await self._rows(
            "SELECT artifact_type FROM context_artifacts WHERE project_id = :id AND stale", id=project_id
        )
        return frozenset(row.artifact_type for row in rows)

    async def versions(self, project_id: UUID, kind: str) -> tuple[ArtifactVersion, ...]:
        """Return every version of an artifact, the oldest first."""
        rows = await self._rows(
            f"SELECT {_VERSION} FROM artifact_versions v WHERE v.project_id = :id AND v.artifact_type = :kind "
            "ORDER BY v.version",
            id=project_id,
            kind=kind,
        )
        return tuple(version_of(row) for row in rows)

    async def get(self, project_id: UUID, kind: str, version: int | None = None) -> ArtifactVersion:
        """Return one version of an artifact; without a number, the one that counts.

        Raises:
            UnknownName: there is no such artifact or version; the hint says which there are.
        """
        if version is None:
            found = await self.head(project_id, kind)
            if found is not None:
                return found
        else:
            rows = await self._rows(
                f"SELECT {_VERSION} FROM artifact_versions v "
                "WHERE v.project_id = :id AND v.artifact_type = :kind AND v.version = :version",
                id=project_id,
                kind=kind,
                version=version,
            )
            if rows:
                return version_of(rows[0])
        raise await self._unknown(project_id, kind, version)

    async def made_from(self, version_id: UUID) -> tuple[ArtifactVersion, ...]:
        """Return the versions that a version was made from."""
        rows = await self._rows(
            f"SELECT {_VERSION} FROM artifact_links l JOIN artifact_versions v ON v.id = l.made_from_id "
            "WHERE l.version_id = :id ORDER BY v.created_at, v.artifact_type",
            id=version_id,
        )
        return tuple(version_of(row) for row in rows)

    async def made_into(self, version_id: UUID) -> tuple[ArtifactVersion, ...]:
        """Return the versions that were made from a version."""
        rows = await self._rows(
            f"SELECT {_VERSION} FROM artifact_links l JOIN artifact_versions v ON v.id = l.version_id "
            "WHERE l.made_from_id = :id ORDER BY v.created_at, v.artifact_type",
            id=version_id,
        )
        return tuple(version_of(row) for row in rows)

    async def _unknown(self, project_id: UUID, kind: str, version: int | None) -> UnknownName:
        rows = await self._rows(
            "SELECT artifact_type, max(version) AS newest FROM artifact_versions WHERE project_id = :id "
            "GROUP BY artifact_type",
            id=project_id,
        )
        newest = {row.artifact_type: row.newest for row in rows}
        if kind in newest:
            return UnknownName(
                f"The artifact {kind} has no version {version}." if version else f"The artifact {kind} has no head.",
                hint=f"It has versions 1 to {newest[kind]}.",
            )
        hint = near(kind, newest) or (f"There are: {', '.join(sorted(newest))}." if newest else "It has none yet.")
        return UnknownName(f"The project has no artifact {kind!r}.", hint=hint)


def _head_of(row: Any) -> ArtifactHead:
    return ArtifactHead(
        kind=row.artifact_type,
        version=row.version,
        sha256=row.sha256,
        stale=row.stale,
        provenance=Provenance.model_validate(row.provenance),
        created_at=row.created_at,
    )
