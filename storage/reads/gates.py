"""Reading gates: what asks a person, and what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from botarmy.records import GateRequest, Status, Verdict
from storage.reads.rows import Rows

_GATES = """
SELECT id, project_id, task_id, phase, attempt, kind, ask, status, verdict, hashes, payload, answers, decision, comment,
       decided_by, decided_at, flow_run_id, shown_at, resume_wanted, resumed_at, expires_at, created_at
FROM hitl_requests
"""

_LEAST_LETTERS = 8


def gate_of(row: Any) -> GateRequest:
    """Return the record of a row of `hitl_requests`."""
    return GateRequest(
        id=row.id,
        project_id=row.project_id,
        attempt_id=row.task_id,
        phase=row.phase,
        attempt=row.attempt,
        status=Status(row.status),
        verdict=Verdict.model_validate(row.verdict),
        hashes=row.hashes,
        decision=row.decision,
        comment=row.comment,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        created_at=row.created_at,
        kind=row.kind,
        ask=row.ask,
        payload=row.payload,
        answers=row.answers,
        flow_run_id=row.flow_run_id,
        shown_at=row.shown_at,
        resume_wanted=row.resume_wanted and row.resumed_at is None,
        resumed_at=row.resumed_at,
        expires_at=row.expires_at,
    )


class GateReads:
    """Reads `hitl_requests`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, gate_id: str | UUID) -> GateRequest:
        """Return one gate by its id, or by the first eight or more characters of it.

        Raises:
            UnknownName: none has this id, or several begin so.
        """
        wanted = str(gate_id).strip().lower()
        found = await self._like(wanted)
        if len(found) == 1:
            return found[0]
        why = "More than one gate begins" if found else "There is no gate that begins"
        raise UnknownName(f"{why} with {wanted!r}.", hint="`botarmy inbox` lists the open gates with their ids.")

    async def open_for(self, project_id: UUID) -> tuple[GateRequest, ...]:
        """Return the gates of a project that wait for a decision, the oldest first."""
        return await self._many("WHERE project_id = :id AND status = 'waiting' ORDER BY created_at, id", id=project_id)

    async def of_attempt(self, attempt_id: UUID) -> tuple[GateRequest, ...]:
        """Return every gate of an attempt in the order of the questions; that does not hang on a clock."""
        return await self._many("WHERE task_id = :id ORDER BY ask, created_at, id", id=attempt_id)

    async def of_project(self, project_id: UUID) -> tuple[GateRequest, ...]:
        """Return every gate of a project, the oldest first."""
        return await self._many("WHERE project_id = :id ORDER BY created_at, id", id=project_id)

    async def list_open(self, limit: int = 50, offset: int = 0) -> tuple[GateRequest, ...]:
        """Return the inbox: gates that wait, the oldest first."""
        return await self._many(
            "WHERE status = 'waiting' ORDER BY created_at, id LIMIT :limit OFFSET :offset", limit=limit, offset=offset
        )

    async def open_for_longer_than(self, age: timedelta, limit: int = 1000) -> tuple[GateRequest, ...]:
        """Return the gates that wait since at least `age`, by Postgres's clock, the oldest first."""
        return await self._many(
            "WHERE status = 'waiting' AND created_at <= clock_timestamp() - CAST(:age AS interval) "
            "ORDER BY created_at, id LIMIT :limit",
            age=age,
            limit=limit,
        )

    async def count_open(self) -> int:
        """Return how many gates wait."""
        return int((await self._rows("SELECT count(*) AS n FROM hitl_requests WHERE status = 'waiting'"))[0].n)

    async def pending_resumes(self, older_than: timedelta = timedelta(0)) -> tuple[GateRequest, ...]:
        """Return decided gates whose waiting run has not been woken, decided at least `older_than` ago."""
        return await self._many(
            "WHERE resume_wanted AND resumed_at IS NULL AND decided_at <= clock_timestamp() - CAST(:age AS interval) "
            "ORDER BY decided_at, id",
            age=older_than,
        )

    async def expired(self) -> tuple[GateRequest, ...]:
        """Return the gates that wait although their time is over."""
        return await self._many("WHERE status = 'waiting' AND expires_at < clock_timestamp() ORDER BY expires_at, id")

    async def _like(self, wanted: str) -> tuple[GateRequest, ...]:
        try:
            return await self._many("WHERE id = :id", id=UUID(wanted))
        except ValueError:
            if len(wanted) < _LEAST_LETTERS or not set(wanted) <= set("0123456789abcdef-"):
                return ()
            return await self._many("WHERE id::text LIKE :start LIMIT 2", start=f"{wanted}%")

    async def _many(self, rest: str, **values: Any) -> tuple[GateRequest, ...]:
        return tuple(gate_of(row) for row in await self._rows(f"{_GATES} {rest}", **values))
