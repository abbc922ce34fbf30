"""Attempts with their handoffs, and the evidence of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.errors import Duplicate, UnknownName
from botarmy.records import Attempt, Evidence, Handoff, Status, Verdict, WorkResult, digest
from storage.jsonb import plain
from storage.options import refuse_larger
from storage.reads.attempts import AttemptReads, EvidenceReads
from storage.tables import Evidences, Handoffs, HitlRequests, Tasks
from storage.transaction import Transaction
from storage.words import FINAL_STATUSES, OPEN_STATUSES


class AttemptStore(AttemptReads):
    """Writes `tasks` and `handoffs`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def open(self, project_id: UUID, phase: str, agent: str, feedback: Iterable[str] = ()) -> Attempt:
        """Return the open attempt at a phase, or begin the next one.

        Raises:
            UnknownName: there is no such project.
        """
        await self._tx.lock_project(project_id)
        newest = await self._tx.one(
            select(Tasks.id, Tasks.attempt, Tasks.status)
            .where(Tasks.project_id == project_id, Tasks.phase == phase)
            .order_by(Tasks.attempt.desc())
            .limit(1)
        )
        if newest is not None and newest.status in OPEN_STATUSES:
            return await self.get(newest.id)
        number = newest.attempt + 1 if newest is not None else 1
        row = await self._tx.one(
            insert(Tasks)
            .values(
                project_id=project_id,
                phase=phase,
                agent_type=agent,
                attempt=number,
                status=Status.running.value,
                feedback=plain(list(feedback)),
                # Not the transaction's time: the attempts of one transaction keep their order.
                started_at=func.clock_timestamp(),
            )
            .returning(Tasks.id)
        )
        self._tx.note(project_id, "attempt opened", f"{phase} {number}", detail={"agent": agent})
        return await self.get(row.id)  # type: ignore[union-attr]

    async def set_status(self, attempt_id: UUID, status: Status) -> Attempt:
        """Move an open attempt to another status, e.g. waiting for a person.

        Raises:
            UnknownName: there is no such attempt.
            Duplicate: it has ended already, with another status.
        """
        return await self.finish(attempt_id, status)

    async def finish(
        self, attempt_id: UUID, status: Status, verdict: Verdict | None = None, handoff: Handoff | None = None
    ) -> Attempt:
        """Record how an attempt went. Saying the same again changes nothing.

        Raises:
            UnknownName: there is no such attempt.
            Duplicate: it has ended already, with another status.
        """
        row = await _locked(self._tx, attempt_id)
        subject = f"{row.phase} {row.attempt}"
        if row.status in FINAL_STATUSES and row.status != status.value:
            raise Duplicate(
                f"Attempt {row.attempt} at {row.phase} is {row.status}; it cannot become {status.value}.",
                hint="A new attempt is opened instead.",
            )
        values: dict[str, Any] = {"status": status.value, "updated_at": func.now()}
        if verdict is not None:
            values["verdict"] = plain(verdict.model_dump(mode="json"))
        if status.value not in OPEN_STATUSES:
            values["finished_at"] = func.coalesce(Tasks.finished_at, func.clock_timestamp())
        await self._tx.run(update(Tasks).where(Tasks.id == attempt_id).values(**values))
        if handoff is not None:
            await self._hand_over(row.project_id, attempt_id, handoff)
        if row.status != status.value:
            self._tx.note(row.project_id, f"attempt {status.value}", subject, detail=_told(verdict))
        return await self.get(attempt_id)

    async def record_result(self, attempt_id: UUID, result: WorkResult) -> Attempt:
        """Note that the attempt's work is saved, and what was measured on it; the gate is still to decide.

        Raises:
            UnknownName: there is no such attempt.
        """
        row = await _locked(self._tx, attempt_id)
        values = {"result": plain(result.model_dump(mode="json")), "updated_at": func.now()}
        await self._tx.run(update(Tasks).where(Tasks.id == attempt_id).values(**values))
        self._tx.note(row.project_id, "work saved", f"{row.phase} {row.attempt}", detail={"summary": result.summary})
        return await self.get(attempt_id)

    async def supersede(
        self, project_id: UUID, phases: Sequence[str], reason: str, *, by: str = ""
    ) -> tuple[Attempt, ...]:
        """Set aside every attempt at the phases, so that they are done anew; open ones and their gates are cancelled.

        Nothing is deleted. Returns the attempts that were set aside now.
        """
        await self._tx.lock_project(project_id)
        rows = await self._tx.run(
            update(Tasks)
            .where(Tasks.project_id == project_id, Tasks.phase.in_(phases), Tasks.superseded_at.is_(None))
            .values(superseded_at=func.now(), updated_at=func.now())
            .returning(Tasks.id, Tasks.phase, Tasks.attempt)
        )
        ids = [row.id for row in rows]
        await self._tx.run(
            update(Tasks)
            .where(Tasks.id.in_(ids), Tasks.status.in_(OPEN_STATUSES))
            .values(status=Status.cancelled.value, finished_at=func.clock_timestamp())
        )
        await self._tx.run(
            update(HitlRequests)
            .where(HitlRequests.task_id.in_(ids), HitlRequests.status == Status.waiting.value)
            .values(status=Status.cancelled.value, updated_at=func.now())
        )
        for row in rows:
            self._tx.note(
                project_id, "attempt superseded", f"{row.phase} {row.attempt}", detail={"reason": reason}, actor=by
            )
        return tuple([await self.get(attempt_id) for attempt_id in ids])

    async def reinstate(self, attempt_id: UUID, reason: str, *, by: str = "") -> Attempt:
        """Let an attempt count again that was set aside, in place of every other attempt at its phase.

        Raises:
            UnknownName: there is no such attempt.
        """
        attempt = await self.get(attempt_id)
        await self._tx.lock_project(attempt.project_id)
        others = [each for each in await self.list(attempt.project_id) if each.phase == attempt.phase]
        if any(each.id != attempt_id and not each.superseded for each in others):
            await self.supersede(attempt.project_id, [attempt.phase], reason, by=by)
        elif not attempt.superseded:
            return attempt
        await self._tx.run(
            update(Tasks).where(Tasks.id == attempt_id).values(superseded_at=None, updated_at=func.now())
        )
        subject = f"{attempt.phase} {attempt.number}"
        self._tx.note(attempt.project_id, "attempt reinstated", subject, detail={"reason": reason}, actor=by)
        return await self.get(attempt_id)

    async def _hand_over(self, project_id: UUID, attempt_id: UUID, handoff: Handoff) -> None:
        values = {
            "from_phase": handoff.from_phase,
            "to_phase": handoff.to_phase,
            "artifacts": plain(handoff.artifacts),
            "summary": handoff.summary,
            "open_questions": plain(handoff.open_questions),
        }
        statement = upsert(Handoffs).values(project_id=project_id, task_id=attempt_id, **values)
        await self._tx.run(statement.on_conflict_do_update(index_elements=[Handoffs.task_id], set_=values))


class EvidenceStore(EvidenceReads):
    """Writes `evidence`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def add(self, attempt_id: UUID, evidence: Evidence) -> Evidence:
        """Store an execution and return it as stored: NUL characters of a log become U+FFFD, its hash is of that.

        Raises:
            TooLarge: the log passes the limit.
            UnknownName: there is no such attempt.
        """
        log = evidence.log.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        refuse_larger(
            f"The log of {evidence.check}", len(log.encode()), self._tx.options.max_log_bytes, "BOTARMY_MAX_LOG_BYTES"
        )
        stored = evidence.model_copy(update={"log": log, "log_sha256": digest(log)})
        row = await _locked(self._tx, attempt_id)
        values = stored.model_dump(mode="json", exclude={"check"})
        await self._tx.run(
            insert(Evidences).values(
                project_id=row.project_id, task_id=attempt_id, check_name=stored.check, **plain(values)
            )
        )
        self._tx.note(
            row.project_id,
            f"evidence {stored.outcome}",
            f"{row.phase} {row.attempt}: {stored.check}",
            sha256=stored.log_sha256,
            detail={"exit_code": stored.exit_code, "trusted": stored.trusted},
        )
        return stored


async def _locked(transaction: Transaction, attempt_id: UUID) -> Any:
    """Return an attempt's row after locking its project."""
    query = select(Tasks.project_id, Tasks.phase, Tasks.attempt, Tasks.status).where(Tasks.id == attempt_id)
    row = await transaction.one(query)
    if row is None:
        raise UnknownName(f"There is no attempt {attempt_id}.")
    await transaction.lock_project(row.project_id)
    return await transaction.one(query)


def _told(verdict: Verdict | None) -> dict[str, Any]:
    return {"verdict": verdict.decision.value, "reasons": list(verdict.reasons)} if verdict is not None else {}
