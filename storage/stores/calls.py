"""The ledger of model calls, and the budgets that a call is reserved against before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.errors import BudgetExceeded, Duplicate, InputError, UnknownName
from botarmy.records import Budget, LLMCall, Spending
from storage.jsonb import plain
from storage.options import refuse_larger
from storage.reads.calls import BudgetReads, CallReads
from storage.tables import Budgets, LLMCalls
from storage.transaction import Transaction
from storage.words import SCOPES

RESERVED, COMPLETED, REPEATED, ABANDONED = "reserved", "completed", "repeated", "abandoned"


_OLD = "FROM llm_calls WHERE outcome = 'reserved' AND created_at <= clock_timestamp() - CAST(:age AS interval)"


class CallStore(CallReads):
    """Writes `llm_calls`. A row is written once; only a reservation is settled, and that once."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def reserve(self, call: LLMCall, reserved_usd: Decimal, limits: Mapping[str, Decimal] | None = None) -> UUID:
        """Reserve what a call can cost at most, before it is made; returns the row's id, to settle it with.

        Reservations of a project go one after the other, so that no number of them passes a limit together.

        Args:
            call: who asks what of which model; usage, cost and outcome are not looked at.
            reserved_usd: the most that the call can cost.
            limits: "project", "phase:NAME" or "role:NAME" -> USD; None for the project's budgets as stored.

        Raises:
            BudgetExceeded: with what is spent and reserved, the call could pass a limit; nothing is written.
            InputError: the amount is negative or no number.
        """
        if not reserved_usd.is_finite() or reserved_usd < 0:
            raise InputError(f"{reserved_usd} USD cannot be reserved.")
        await self._tx.lock_project(call.project_id)
        if limits is None:
            limits = {_spell(b.scope, b.name): b.limit_usd for b in await self._budgets(call.project_id)}
        for scope, limit in limits.items():
            await self._see_room(call, scope, limit, reserved_usd)
        values = _columns(call) | {"outcome": RESERVED, "reserved_usd": reserved_usd, "cost_usd": None}
        values["created_at"] = func.clock_timestamp()
        await self._tx.run(insert(LLMCalls).values(**values))
        return call.id

    async def settle(self, call_id: UUID, call: LLMCall) -> LLMCall:
        """Record how a reserved call went: outcome, usage and cost.

        Where another process has completed a call with the same key meanwhile, this one is recorded as "repeated":
        it was paid, so it is in the ledger, but the first answer counts.

        Raises:
            Duplicate: it is settled already.
            UnknownName: there is no such reservation.
            TooLarge: the answer passes the limit.
        """
        self._see_size(call)
        await self._tx.lock_project(call.project_id)
        values = _columns(call) | {"outcome": await self._outcome(call), "settled_at": func.clock_timestamp()}
        for fixed in ("id", "project_id", "created_at", "reserved_usd"):
            values.pop(fixed)
        reserved = (LLMCalls.id == call_id, LLMCalls.outcome == RESERVED)
        row = await self._tx.one(update(LLMCalls).where(*reserved).values(**values).returning(LLMCalls.id))
        if row is None:
            raise await self._not_reserved(call_id)
        return await self._get(call_id)

    async def record(self, call: LLMCall) -> LLMCall:
        """Record a call that was not reserved before it was made (one that costs nothing, a refused one)."""
        self._see_size(call)
        await self._tx.lock_project(call.project_id)
        values = _columns(call) | {"outcome": await self._outcome(call), "settled_at": func.clock_timestamp()}
        await self._tx.run(insert(LLMCalls).values(**values))
        return await self._get(call.id)

    async def reserved_longer_than(self, age: timedelta) -> tuple[UUID, ...]:
        """Return the projects with a call that was reserved at least `age` ago and is not settled."""
        rows = await self._rows(f"SELECT DISTINCT project_id {_OLD} ORDER BY project_id", age=age)
        return tuple(row.project_id for row in rows)

    async def release_abandoned(self, older_than: timedelta, project_id: UUID | None = None) -> tuple[LLMCall, ...]:
        """Close the reservations of processes that died: outcome "abandoned", cost unknown.

        The vendor may have billed such a call, so budgets go on counting what was reserved for it.

        Args:
            older_than: the least age of a reservation, by Postgres's clock.
            project_id: of this project alone; None for all.
        """
        rows = await self._rows(
            f"SELECT id, project_id {_OLD} AND (CAST(:project AS uuid) IS NULL OR project_id = :project) "
            "ORDER BY project_id, created_at",
            age=older_than,
            project=project_id,
        )
        closed = []
        for row in rows:
            await self._tx.lock_project(row.project_id)
            changed = await self._tx.one(
                update(LLMCalls)
                .where(LLMCalls.id == row.id, LLMCalls.outcome == RESERVED)
                .values(outcome=ABANDONED, settled_at=func.clock_timestamp(), error="the process that asked is gone")
                .returning(LLMCalls.id)
            )
            if changed is not None:
                closed.append(await self._get(row.id))
                self._tx.note(row.project_id, "call abandoned", str(row.id))
        return tuple(closed)

    async def _budgets(self, project_id: UUID) -> tuple[Budget, ...]:
        return await BudgetReads(self._rows).of_project(project_id)

    async def _see_room(self, call: LLMCall, scope: str, limit: Decimal, wanted: Decimal) -> None:
        kind, _, name = scope.partition(":")
        if kind not in SCOPES or (kind == "project") == bool(name):
            raise InputError(f"{scope!r} is no scope of a budget.", hint="Use project, phase:NAME or role:NAME.")
        if name and name != getattr(call, kind):
            return
        spent = await self.spent(call.project_id, **({kind: name} if name else {}))
        if spent.counted_usd + wanted > limit:
            raise _exceeded(scope, limit, spent, wanted)

    async def _outcome(self, call: LLMCall) -> str:
        if call.outcome == RESERVED:
            raise InputError("A settled call needs an outcome.")
        if call.outcome != COMPLETED:
            return call.outcome
        return REPEATED if await self.find(call.key) is not None else COMPLETED

    async def _not_reserved(self, call_id: UUID) -> Duplicate | UnknownName:
        found = await self._tx.one(select(LLMCalls.outcome).where(LLMCalls.id == call_id))
        if found is None:
            return UnknownName(f"There is no reserved call {call_id}.")
        return Duplicate(f"Call {call_id} is settled already: {found.outcome}.", hint="The ledger's rows never change.")

    async def _get(self, call_id: UUID) -> LLMCall:
        rows = await self._rows(f"{self.SELECT} WHERE id = :id", id=call_id)
        return self.record_of(rows[0])

    def _see_size(self, call: LLMCall) -> None:
        limit = self._tx.options.max_artifact_bytes
        size = len(call.text.encode("utf-8", "surrogatepass"))
        refuse_larger(f"The answer of {call.model}", size, limit, "BOTARMY_MAX_ARTIFACT_BYTES")


class BudgetStore(BudgetReads):
    """Writes `budgets`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.rows)
        self._tx = transaction

    async def set(
        self, project_id: UUID, limit_usd: Decimal, *, scope: str = "project", name: str = "", by: str
    ) -> Budget:
        """Set a limit on a project, or on one phase or role in it.

        Raises:
            InputError: the limit is negative or no number, or there is no such scope.
            UnknownName: there is no such project.
        """
        if not limit_usd.is_finite() or limit_usd < 0:
            raise InputError(f"{limit_usd} USD is no limit.", hint="Give an amount of 0 or more.")
        if scope not in SCOPES or (scope == "project") == bool(name):
            raise InputError(
                f"{_spell(scope, name)!r} is no scope.", hint="Use project, or phase or role with its name."
            )
        await self._tx.lock_project(project_id)
        before = await self.get(project_id, scope, name)
        values: dict[str, Any] = {"limit_usd": limit_usd, "set_by": by, "updated_at": func.now()}
        statement = upsert(Budgets).values(project_id=project_id, scope=scope, name=name, **values)
        keys = [Budgets.project_id, Budgets.scope, Budgets.name]
        await self._tx.run(statement.on_conflict_do_update(index_elements=keys, set_=values))
        detail = {"limit_usd": limit_usd, "before": before.limit_usd if before else None}
        self._tx.note(project_id, "budget set", _spell(scope, name), detail=detail, actor=by)
        return Budget(scope=scope, name=name, limit_usd=limit_usd, set_by=by, updated_at=await self._now())

    async def remove(self, project_id: UUID, *, scope: str = "project", name: str = "", by: str) -> None:
        """Take a limit away; none where there was none."""
        await self._tx.lock_project(project_id)
        before = await self.get(project_id, scope, name)
        if before is None:
            return
        await self._tx.run(
            delete(Budgets).where(Budgets.project_id == project_id, Budgets.scope == scope, Budgets.name == name)
        )
        detail = {"before": before.limit_usd}
        self._tx.note(project_id, "budget removed", _spell(scope, name), detail=detail, actor=by)

    async def _now(self) -> Any:
        return (await self._rows("SELECT now() AS now"))[0].now


def _columns(call: LLMCall) -> dict[str, Any]:
    values = call.model_dump()
    for name in ("text", "error", "stop_reason", "request_id"):
        plain(values[name])
    return values


def _spell(scope: str, name: str) -> str:
    return f"{scope}:{name}" if name else scope


def _exceeded(scope: str, limit: Decimal, spent: Spending, wanted: Decimal) -> BudgetExceeded:
    done = spent.known_usd + spent.unknown_usd
    under_way = f", {spent.reserved_usd} USD are reserved for calls under way" if spent.reserved_usd else ""
    return BudgetExceeded(
        f"The next call can cost up to {wanted} USD; of the {scope} budget of {limit} USD, {done} USD are spent{under_way}.",
        hint="Raise the budget, or stop here; what is done is kept.",
        scope=scope,
        limit=limit,
        committed=spent.counted_usd,
        wanted=wanted,
    )
