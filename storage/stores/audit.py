"""Audit events that no store leaves by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from storage.reads.audit import AuditReads
from storage.transaction import Transaction


class AuditStore(AuditReads):
    """Writes `audit_events`: appended with the commit, never changed."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def add(
        self,
        project_id: UUID | None,
        actor: str,
        action: str,
        subject: str,
        sha256: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Leave an event in the project's chain (None: in the one of no project); it is written with the commit."""
        self._tx.note(project_id, action, subject, sha256=sha256, detail=detail, actor=actor)
