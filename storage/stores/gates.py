"""Gates: opened, shown, decided once, resumed; void when what they are about has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.errors import Duplicate, InputError, Stale, UnknownName
from botarmy.person import POLICY, person_name
from botarmy.records import GateRequest, Status, Verdict, digest
from storage.jsonb import plain
from storage.reads.artifacts import ArtifactReads
from storage.reads.gates import GateReads
from storage.tables import HitlRequests
from storage.transaction import Transaction

_STATUS = {"approve": Status.approved, "reject": Status.rejected}
_AGAIN = "The gate is asked again with the current versions; `botarmy inbox` lists it."


class GateStore(GateReads):
    """Writes `hitl_requests`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def open(
        self,
        project_id: UUID,
        attempt_id: UUID,
        phase: str,
        attempt: int,
        verdict: Verdict,
        hashes: Mapping[str, str],
        *,
        kind: str = "approval",
        ask: int = 1,
        payload: Mapping[str, Any] | None = None,
        expires_after: timedelta | None = None,
    ) -> GateRequest:
        """Ask a person. The same question of the same attempt about the same versions is asked once.

        Args:
            project_id: the project.
            attempt_id: the attempt that waits.
            phase: its phase.
            attempt: its number.
            verdict: what the gate's criteria say.
            hashes: artifact kind -> sha256 of what the decision will bind.
            kind: "approval", "questions", "budget" or "conflict".
            ask: number of the question within the attempt; a further question needs a further number.
            payload: what the person needs to decide.
            expires_after: after how long upkeep closes it undecided, by Postgres's clock; None for never.

        Raises:
            UnknownName: there is no such project.
        """
        await self._tx.lock_project(project_id)
        about = digest(dict(hashes))
        row = await self._tx.one(
            upsert(HitlRequests)
            .values(
                project_id=project_id,
                task_id=attempt_id,
                phase=phase,
                attempt=attempt,
                kind=kind,
                ask=ask,
                status=Status.waiting.value,
                verdict=plain(verdict.model_dump(mode="json")),
                hashes=plain(dict(hashes)),
                hashes_sha256=about,
                payload=plain(dict(payload or {})),
                expires_at=None if expires_after is None else func.clock_timestamp() + expires_after,
                created_at=func.clock_timestamp(),
            )
            .on_conflict_do_nothing()
            .returning(HitlRequests.id)
        )
        if row is None:
            return await self._same_question(attempt_id, kind, ask, about)
        self._tx.note(
            project_id, "gate opened", f"{phase} {attempt}", sha256=about, detail={"gate": row.id, "kind": kind}
        )
        return await self.get(row.id)

    async def shown(self, gate_id: UUID, flow_run_id: str) -> GateRequest:
        """Note which Prefect flow run shows the gate and waits for it."""
        gate = await self._locked(gate_id)
        await self._set(gate_id, flow_run_id=flow_run_id, shown_at=func.coalesce(HitlRequests.shown_at, func.now()))
        if (gate.flow_run_id, gate.shown_at is None) != (flow_run_id, False):
            self._tx.note(gate.project_id, "gate shown", _subject(gate), detail={"gate": gate.id, "run": flow_run_id})
        return await self.get(gate_id)

    async def decide(
        self,
        gate_id: UUID,
        decision: str,
        by: str,
        comment: str = "",
        hashes: Mapping[str, str] | None = None,
        answers: Mapping[str, Any] | None = None,
        *,
        resume: bool = True,
        policy: bool = False,
    ) -> GateRequest:
        """Write the decision: of any number of writers exactly one succeeds.

        Args:
            gate_id: the gate.
            decision: "approve" or "reject".
            by: the person's name as claimed; "policy:auto" with `policy` alone.
            comment: why; a person who rejects must say it.
            hashes: what the person was shown, artifact kind -> sha256; None to bind what the gate says.
            answers: answers to questions, a new limit: what the gate's kind asks for.
            resume: whether a waiting run is to be woken; False where that run itself writes the decision.
            policy: the evidence decides and no person does: a rejection needs no comment, and no run waits to be woken.

        Raises:
            Duplicate: it is decided already; the message says by whom and when.
            Stale: the artifacts have changed since (then the gate is void, also though this call raises), or other
                versions were shown than the gate is about.
            InputError: no such decision, no name of a person, or a rejection without a comment.
            UnknownName: there is no such gate.
        """
        by = _checked_name(by, policy=policy)
        _see_complete(decision, comment, policy=policy)
        gate = await self._locked(gate_id)
        _see_undecided(gate)
        await self._see_current(gate, hashes)
        wanted = resume and not policy
        await self._set(
            gate_id,
            status=_STATUS[decision].value,
            decision=decision,
            comment=comment,
            answers=plain(dict(answers or {})),
            decided_by=by,
            decided_at=func.clock_timestamp(),
            resume_wanted=wanted,
        )
        self._tx.note(
            gate.project_id,
            f"gate {_STATUS[decision].value}",
            _subject(gate),
            sha256=digest(gate.hashes),
            detail={"gate": gate.id, "comment": comment, "hashes": gate.hashes, "answers": dict(answers or {})},
            actor=by,
        )
        return await self.get(gate_id)

    async def mark_resumed(self, gate_id: UUID) -> GateRequest:
        """Note that the run which waited for the decision goes on."""
        gate = await self._locked(gate_id)
        if gate.resumed_at is None:
            await self._set(gate_id, resumed_at=func.clock_timestamp(), resume_wanted=False)
            self._tx.note(gate.project_id, "gate resumed", _subject(gate), detail={"gate": gate.id})
        return await self.get(gate_id)

    async def cancel(self, gate_id: UUID, reason: str, *, by: str = "") -> GateRequest:
        """Make an undecided gate void; a decided one stays as it is."""
        gate = await self._locked(gate_id)
        if gate.status is Status.waiting:
            await self._set(gate_id, status=Status.cancelled.value)
            detail = {"gate": gate.id, "reason": reason}
            self._tx.note(gate.project_id, "gate cancelled", _subject(gate), detail=detail, actor=by)
        return await self.get(gate_id)

    async def see_amendable(self, gate_id: UUID, seen: Mapping[str, str]) -> GateRequest:
        """Lock the project and make sure that nothing has overtaken an amendment while its checks ran.

        Args:
            gate_id: the gate that was open when the amendment came.
            seen: artifact kind -> sha256 of all versions that counted then, which the checks have seen.

        Raises:
            Duplicate: the gate was decided meanwhile; the message says by whom and when.
            Stale: the gate is void, or another version counts by now.
            UnknownName: there is no such gate.
        """
        gate = await self._locked(gate_id)
        _see_undecided(gate)
        current = await ArtifactReads(self._rows).hashes(gate.project_id)
        changed = sorted(kind for kind in {*seen, *current} if seen.get(kind) != current.get(kind))
        if changed:
            raise Stale(
                f"{', '.join(changed)} changed while the amendment was checked: it was checked beside versions that no "
                "longer count, and is not stored.",
                hint="Amend again, from the present version.",
            )
        return gate

    async def _same_question(self, attempt_id: UUID, kind: str, ask: int, about: str) -> GateRequest:
        found = await self._many(
            "WHERE task_id = :task AND kind = :kind AND ask = :ask AND hashes_sha256 = :about AND status <> 'cancelled'",
            task=attempt_id,
            kind=kind,
            ask=ask,
            about=about,
        )
        return found[0]

    async def _see_current(self, gate: GateRequest, shown: Mapping[str, str] | None) -> None:
        if shown is not None and dict(shown) != gate.hashes:
            raise Stale(
                f"The decision on {_subject(gate)} is about other versions than the gate's; it does not count.",
                hint="Look at what the gate shows now, then decide again.",
            )
        current = await ArtifactReads(self._rows).hashes(gate.project_id)
        changed = sorted(kind for kind, sha256 in gate.hashes.items() if current.get(kind) != sha256)
        if not changed:
            return
        reason = f"{', '.join(changed)} changed after the gate was opened"

        async def void(transaction: Transaction) -> None:
            await GateStore(transaction).cancel(gate.id, reason)

        self._tx.afterwards.append(void)
        raise Stale(f"The decision on {_subject(gate)} does not count: {reason}.", hint=_AGAIN)

    async def _locked(self, gate_id: UUID) -> GateRequest:
        await self._tx.lock_project((await self.get(gate_id)).project_id)
        return await self.get(gate_id)

    async def _set(self, gate_id: UUID, **values: Any) -> None:
        row = await self._tx.one(
            update(HitlRequests)
            .where(HitlRequests.id == gate_id)
            .values(updated_at=func.now(), **values)
            .returning(HitlRequests.id)
        )
        if row is None:
            raise UnknownName(f"There is no gate {gate_id}.")


def _checked_name(by: str, *, policy: bool) -> str:
    if policy != (by == POLICY):
        raise InputError(f"Decisions of a policy are signed {POLICY}, and no other is.")
    return by if policy else person_name(by)


def _see_complete(decision: str, comment: str, *, policy: bool) -> None:
    if decision not in _STATUS:
        raise InputError(f"{decision!r} is no decision.", hint="Decide `approve` or `reject`.")
    if decision == "reject" and not comment.strip() and not policy:
        raise InputError(
            "A rejection needs a comment.", hint="Say what has to change: the phase is done again with your words."
        )


def _see_undecided(gate: GateRequest) -> None:
    if gate.decision is not None and gate.decided_at is not None:
        raise Duplicate(
            f"{_subject(gate)} was {gate.status.value} by {gate.decided_by} at {gate.decided_at:%Y-%m-%d %H:%M:%S} UTC.",
            hint="The first decision counts.",
        )
    if gate.status is Status.cancelled:
        raise Stale(
            f"The gate of {_subject(gate)} is void: what it was about has changed, or was cancelled.", hint=_AGAIN
        )


def _subject(gate: GateRequest) -> str:
    return f"{gate.phase} {gate.attempt}"
