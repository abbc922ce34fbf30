"""Reading attempts with their handoffs, and the evidence of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from botarmy.records import Attempt, Evidence, Handoff, Status, Verdict, WorkResult
from storage.reads.rows import Rows

_ATTEMPTS = """
SELECT t.id, t.project_id, t.phase, t.agent_type, t.attempt, t.status, t.feedback, t.result, t.verdict, t.superseded_at,
       t.started_at, t.finished_at, h.task_id AS handoff_id, h.from_phase, h.to_phase, h.artifacts, h.summary,
       h.open_questions
FROM tasks t LEFT JOIN handoffs h ON h.task_id = t.id
"""
_EVIDENCE = """
SELECT check_name, command, exit_code, outcome, trusted, tool_version, log, log_sha256, figures, reasons, duration_s
FROM evidence
"""


def attempt_of(row: Any) -> Attempt:
    """Return the record of an attempt's row joined with its handoff."""
    return Attempt(
        id=row.id,
        project_id=row.project_id,
        phase=row.phase,
        agent=row.agent_type,
        number=row.attempt,
        status=Status(row.status),
        verdict=Verdict.model_validate(row.verdict) if row.verdict is not None else None,
        feedback=tuple(row.feedback),
        result=WorkResult.model_validate(row.result) if row.result is not None else None,
        handoff=_handoff_of(row) if row.handoff_id is not None else None,
        superseded=row.superseded_at is not None,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _handoff_of(row: Any) -> Handoff:
    return Handoff(
        from_phase=row.from_phase,
        to_phase=row.to_phase,
        artifacts=row.artifacts,
        summary=row.summary,
        open_questions=tuple(row.open_questions),
    )


class AttemptReads:
    """Reads `tasks`, one row per attempt at a phase."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def list(self, project_id: UUID) -> tuple[Attempt, ...]:
        """Return all attempts of a project, the oldest first; superseded ones are marked."""
        return self._many(
            await self._rows(f"{_ATTEMPTS} WHERE t.project_id = :id ORDER BY t.started_at, t.id", id=project_id)
        )

    async def get(self, attempt_id: UUID) -> Attempt:
        """Return one attempt.

        Raises:
            UnknownName: there is none with this id.
        """
        found = self._many(await self._rows(f"{_ATTEMPTS} WHERE t.id = :id", id=attempt_id))
        if not found:
            raise UnknownName(f"There is no attempt {attempt_id}.")
        return found[0]

    async def current(self, project_id: UUID, phase: str) -> Attempt | None:
        """Return the newest attempt at a phase that was not set aside, or None."""
        found = self._many(
            await self._rows(
                f"{_ATTEMPTS} WHERE t.project_id = :id AND t.phase = :phase AND t.superseded_at IS NULL "
                "ORDER BY t.attempt DESC LIMIT 1",
                id=project_id,
                phase=phase,
            )
        )
        return found[0] if found else None

    @staticmethod
    def _many(rows: Sequence[Any]) -> tuple[Attempt, ...]:
        return tuple(attempt_of(row) for row in rows)


class EvidenceReads:
    """Reads `evidence`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_attempt(self, attempt_id: UUID) -> tuple[Evidence, ...]:
        """Return what was executed in an attempt, in order."""
        return self._many(await self._rows(f"{_EVIDENCE} WHERE task_id = :id ORDER BY id", id=attempt_id))

    async def of_project(self, project_id: UUID) -> dict[UUID, tuple[Evidence, ...]]:
        """Return what was executed for a project, by attempt."""
        query = _EVIDENCE.replace("SELECT ", "SELECT task_id, ", 1)
        found: dict[UUID, list[Any]] = {}
        for row in await self._rows(f"{query} WHERE project_id = :id ORDER BY id", id=project_id):
            found.setdefault(row.task_id, []).append(row)
        return {attempt_id: self._many(rows) for attempt_id, rows in found.items()}

    @staticmethod
    def _many(rows: Sequence[Any]) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(
                check=row.check_name,
                command=tuple(row.command),
                exit_code=row.exit_code,
                outcome=row.outcome,
                trusted=row.trusted,
                tool_version=row.tool_version,
                log=row.log,
                log_sha256=row.log_sha256,
                figures=row.figures,
                reasons=tuple(row.reasons),
                duration_s=row.duration_s,
            )
            for row in rows
        )
