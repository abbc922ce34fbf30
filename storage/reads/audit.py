"""Reading audit events, and telling whether a project's chain of them is whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from botarmy.records import AuditCheck, AuditEvent, digest
from storage.reads.rows import Rows

NO_PROJECT = UUID(int=0)
"""The chain of events that belong to no project."""
FIRST = "0" * 64
"""What the first event of a chain names as the one before it."""
_EVENTS = """
SELECT id, chain, seq, project_id, actor, action, subject, sha256, detail, prev_sha256, own_sha256, created_at
FROM audit_events
"""


def event_of(row: Any) -> AuditEvent:
    """Return the record of a row of `audit_events`."""
    return AuditEvent(
        id=row.id,
        project_id=row.project_id,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        sha256=row.sha256,
        detail=row.detail,
        created_at=row.created_at,
        seq=row.seq,
        prev_sha256=row.prev_sha256,
        own_sha256=row.own_sha256,
    )


def link_hash(event: AuditEvent) -> str:
    """Return the hash that the event must carry: over all it says and the hash of the event before it."""
    return digest(
        {
            "project": str(event.project_id or NO_PROJECT),
            "seq": event.seq,
            "actor": event.actor,
            "action": event.action,
            "subject": event.subject,
            "sha256": event.sha256,
            "detail": event.detail,
            "created_at": event.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "previous": event.prev_sha256,
        }
    )


class AuditReads:
    """Reads `audit_events`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_project(self, project_id: UUID | None) -> tuple[AuditEvent, ...]:
        """Return the events of a project (None: of no project), in order; also those of a purged one."""
        rows = await self._rows(f"{_EVENTS} WHERE chain = :id ORDER BY seq", id=project_id or NO_PROJECT)
        return tuple(event_of(row) for row in rows)

    async def verify(self, project_id: UUID | None) -> AuditCheck:
        """Tell whether no event of the project was changed, removed, inserted or cut off."""
        events = await self.of_project(project_id)
        head = await self._rows("SELECT seq, sha256 FROM audit_heads WHERE chain = :id", id=project_id or NO_PROJECT)
        broken = _first_break(events)
        if broken is not None:
            return AuditCheck(whole=False, events=len(events), broken_at=broken[0].id, reason=broken[1])
        last = (events[-1].seq, events[-1].own_sha256) if events else (0, FIRST)
        recorded = (head[0].seq, head[0].sha256) if head else (0, FIRST)
        if last != recorded:
            return AuditCheck(
                whole=False,
                events=len(events),
                broken_at=events[-1].id if events else None,
                reason=f"The chain ends at event {last[0]}; event {recorded[0]} was written.",
            )
        return AuditCheck(whole=True, events=len(events))


def _first_break(events: Sequence[AuditEvent]) -> tuple[AuditEvent, str] | None:
    previous = FIRST
    for number, event in enumerate(events, start=1):
        if event.seq != number:
            return event, f"Event {number} is missing before event {event.seq}."
        if event.prev_sha256 != previous:
            return event, f"Event {number} does not follow the event before it."
        if event.own_sha256 != link_hash(event):
            return event, f"Event {number} was changed."
        previous = event.own_sha256
    return None
