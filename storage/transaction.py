"""What the stores of a unit of work share: the connection, the limits, and the audit events to be written with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, insert, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from botarmy.errors import Fenced, UnknownName
from botarmy.records import AuditEvent
from storage.hold import Hold
from storage.jsonb import plain
from storage.options import Options
from storage.reads.audit import FIRST, NO_PROJECT, link_hash
from storage.tables import AuditEvents, AuditHeads

Afterwards = Callable[["Transaction"], Awaitable[None]]


class Transaction:
    """One database transaction.

    Audit events are collected and written just before the commit: the lock on a chain is then always the last one
    taken, so that it can be part of no deadlock and is held for a moment only.

    Attributes:
        actor: who audit events name where a method is not told otherwise.
        afterwards: what must be written even though this transaction is rolled back, in one of its own.
    """

    def __init__(self, connection: AsyncConnection, options: Options, actor: str, afterwards: list[Afterwards]) -> None:
        self._connection = connection
        self._events: list[AuditEvent] = []
        self._locked: dict[UUID, Any] = {}
        self.options = options
        self.actor = actor
        self.afterwards = afterwards

    async def rows(self, query: str, /, **values: Any) -> Sequence[Any]:
        """Run a query with `:name` parameters and return its rows (the reading stores' way)."""
        return (await self._connection.execute(text(query), values)).all()

    async def run(self, statement: Executable) -> Sequence[Any]:
        """Run a statement; returns its rows where it returns any."""
        result = await self._connection.execute(statement)
        return result.all() if result.returns_rows else ()

    async def one(self, statement: Executable) -> Any | None:
        """Run a statement and return its first row, or None."""
        found = await self.run(statement)
        return found[0] if found else None

    def note(
        self,
        project_id: UUID | None,
        action: str,
        subject: str,
        *,
        sha256: str = "",
        detail: dict[str, Any] | None = None,
        actor: str = "",
    ) -> None:
        """Leave an audit event, to be committed with what it tells of."""
        self._events.append(
            AuditEvent(
                id=0,
                project_id=project_id,
                actor=actor or self.actor,
                action=action,
                subject=subject,
                sha256=sha256,
                detail=plain(detail or {}),
                created_at=datetime.now(UTC),
            )
        )

    async def lock_project(self, project_id: UUID) -> Any:
        """Lock a project's row until this transaction ends, and return it (slug, name, status, brief_sha256).

        Every write to what belongs to a project does this first. So writers of one project go one after the other,
        and since all begin with the same lock, none of them can deadlock. Others can still refer to the project.

        Raises:
            UnknownName: there is no such project.
        """
        if project_id not in self._locked:
            found = await self.rows(
                "SELECT slug, name, status, brief_sha256, fence, holder FROM projects WHERE id = :id FOR NO KEY UPDATE",
                id=project_id,
            )
            if not found:
                raise UnknownName(f"There is no project {project_id}.", hint="`botarmy projects` lists them.")
            self._locked[project_id] = found[0]
        return self._locked[project_id]

    async def check(self, hold: Hold) -> None:
        """See that the hold is current and keep it so: no other run can raise the fence until this transaction ends.

        Raises:
            Fenced: another run has taken the project over, or it was purged.
        """
        try:
            project = await self.lock_project(hold.project_id)
        except UnknownName as error:
            raise Fenced(f"Project {hold.project_id} is gone. Nothing was written.") from error
        if project.fence != hold.fence:
            raise Fenced(
                f"This run no longer holds project {project.slug}: {project.holder or 'another run'} has taken it over. "
                "Nothing was written.",
                hint="Nothing to mend: the other run goes on with the project.",
                holder=project.holder or "",
            )

    async def write_events(self) -> None:
        """Append the collected audit events to their projects' chains."""
        waiting, self._events = self._events, []
        # One order for all writers, where a transaction touches several chains.
        for chain in sorted({event.project_id or NO_PROJECT for event in waiting}):
            await self._append(chain, [event for event in waiting if (event.project_id or NO_PROJECT) == chain])

    async def _append(self, chain: UUID, events: Sequence[AuditEvent]) -> None:
        await self.run(upsert(AuditHeads).values(chain=chain, seq=0, sha256=FIRST).on_conflict_do_nothing())
        query = "SELECT seq, sha256, clock_timestamp() AS now FROM audit_heads WHERE chain = :chain FOR UPDATE"
        head = (await self.rows(query, chain=chain))[0]
        seq, previous, rows = head.seq, head.sha256, []
        for event in events:
            seq += 1
            # The server's clock: processes on several machines write into one chain.
            linked = event.model_copy(update={"seq": seq, "prev_sha256": previous, "created_at": head.now})
            previous = link_hash(linked)
            rows.append(
                {
                    **linked.model_dump(exclude={"id", "own_sha256"}),
                    "chain": chain,
                    "own_sha256": previous,
                }
            )
        await self.run(insert(AuditEvents).values(rows))
        await self.run(update(AuditHeads).where(AuditHeads.chain == chain).values(seq=seq, sha256=previous))
