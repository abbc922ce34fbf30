"""Reading the ledger of model calls, what was spent, and the limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from botarmy.records import Budget, LLMCall, Spending
from storage.reads.rows import Rows

_COLUMNS = (
    "id, project_id, phase, attempt, ordinal, key, role, purpose, provider, model, outcome, text, stop_reason, "
    "input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost_usd, reserved_usd, price_version, latency_s, "
    "request_id, error, confidence, created_at, settled_at"
)
_SUMS = """
SELECT coalesce(sum(cost_usd), 0) AS known,
       count(*) FILTER (WHERE cost_usd IS NULL AND outcome <> 'reserved') AS unknown_calls,
       coalesce(sum(reserved_usd) FILTER (WHERE cost_usd IS NULL AND outcome <> 'reserved'), 0) AS unknown_usd,
       coalesce(sum(reserved_usd) FILTER (WHERE outcome = 'reserved'), 0) AS reserved,
       count(*) AS calls,
       coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
       coalesce(sum(cached_tokens), 0) AS cached_tokens, coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens
FROM llm_calls WHERE project_id = :id
"""


def call_of(row: Any) -> LLMCall:
    """Return the record of a row of `llm_calls`."""
    return LLMCall.model_validate({name: getattr(row, name) for name in _COLUMNS.split(", ")})


class CallReads:
    """Reads `llm_calls`."""

    SELECT = f"SELECT {_COLUMNS} FROM llm_calls"
    record_of = staticmethod(call_of)

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def find(self, key: str) -> LLMCall | None:
        """Return the completed call with this key, or None: such a call is not paid again."""
        rows = await self._rows(f"{self.SELECT} WHERE key = :key AND outcome = 'completed'", key=key)
        return call_of(rows[0]) if rows else None

    async def of_project(self, project_id: UUID) -> tuple[LLMCall, ...]:
        """Return every call of a project, failures included, the oldest first."""
        rows = await self._rows(
            f"{self.SELECT} WHERE project_id = :id ORDER BY created_at, ordinal, id",
            id=project_id,
        )
        return tuple(call_of(row) for row in rows)

    async def spent(self, project_id: UUID, *, phase: str | None = None, role: str | None = None) -> Spending:
        """Return what a project, or one of its phases or roles, cost so far."""
        where, values = "", {"id": project_id}
        for name, value in (("phase", phase), ("role", role)):
            if value is not None:
                where += f" AND {name} = :{name}"
                values |= {name: value}  # type: ignore[dict-item]
        row = (await self._rows(_SUMS + where, **values))[0]
        return Spending(
            known_usd=Decimal(row.known),
            unknown_calls=row.unknown_calls,
            unknown_usd=Decimal(row.unknown_usd),
            reserved_usd=Decimal(row.reserved),
            calls=row.calls,
            input_tokens=int(row.input_tokens),
            output_tokens=int(row.output_tokens),
            cached_tokens=int(row.cached_tokens),
            reasoning_tokens=int(row.reasoning_tokens),
        )


class BudgetReads:
    """Reads `budgets`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_project(self, project_id: UUID) -> tuple[Budget, ...]:
        """Return the limits of a project."""
        rows = await self._rows(
            "SELECT scope, name, limit_usd, set_by, updated_at FROM budgets WHERE project_id = :id ORDER BY scope, name",
            id=project_id,
        )
        return tuple(
            Budget(
                scope=row.scope, name=row.name, limit_usd=row.limit_usd, set_by=row.set_by, updated_at=row.updated_at
            )
            for row in rows
        )

    async def get(self, project_id: UUID, scope: str = "project", name: str = "") -> Budget | None:
        """Return one limit, or None."""
        found = [b for b in await self.of_project(project_id) if (b.scope, b.name) == (scope, name)]
        return found[0] if found else None
