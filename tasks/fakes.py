"""Stand-ins for tests of whatever asks models: a ledger in memory, and a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from botarmy.rate_limit import Booking, RateLimit, booked, share_s, wait_s
from botarmy.records import Budget, LLMCall, Spending


class StillClock:
    """A clock that only waiting moves.

    Attributes:
        waits: the waits, in seconds.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        """Return the seconds waited so far."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.waits.append(seconds)
        self.time += seconds


class MemoryLedger:
    """Stands in for the database of `make_ask`: it holds the ledger, and at most one budget, which it does not keep.

    Attributes:
        rows: the ledger.
        holds: what the units of work were opened with.
        budget: the limit that it tells.
        bookings: the schedule by provider/model; its clock stands at 0.
    """

    def __init__(self) -> None:
        self.rows: list[LLMCall] = []
        self.holds: list[Any] = []
        self.budget: Budget | None = None
        self.bookings: dict[str, Booking] = {}

    @property
    def calls(self) -> MemoryLedger:
        """The ledger."""
        return self

    @property
    def budgets(self) -> MemoryLedger:
        """The limits."""
        return self

    @property
    def rates(self) -> MemoryLedger:
        """The schedule."""
        return self

    async def book(
        self, provider: str, model: str, limit: RateLimit, *, tokens: int, longest_wait_s: float
    ) -> float | None:
        """Book a call by a clock that stands still."""
        booking = self.bookings.get(f"{provider}/{model}", Booking())
        wait = wait_s(limit, booking, 0.0)
        if wait > longest_wait_s:
            return None
        self.bookings[f"{provider}/{model}"] = booked(limit, booking, 0.0, tokens)
        return wait

    async def correct(
        self, provider: str, model: str, limit: RateLimit, *, booked_tokens: int, used_tokens: int
    ) -> None:
        """Put the booked tokens right."""
        booking = self.bookings[f"{provider}/{model}"]
        excess = share_s(limit.tokens, booked_tokens - used_tokens) if limit.tokens else 0.0
        self.bookings[f"{provider}/{model}"] = booking.model_copy(
            update={"tokens_until": booking.tokens_until - excess}
        )

    @asynccontextmanager
    async def work(self, hold: Any = None) -> AsyncIterator[MemoryLedger]:
        """Open a unit of work."""
        self.holds.append(hold)
        yield self

    async def find(self, key: str) -> LLMCall | None:
        """Return the completed row of that key."""
        return next((row for row in self.rows if row.key == key and row.outcome == "completed"), None)

    async def reserve(self, call: LLMCall, reserved_usd: Decimal, limits: object = None) -> UUID:  # noqa: ARG002
        """Add a row."""
        self.rows.append(call.model_copy(update={"reserved_usd": reserved_usd}))
        return call.id

    async def settle(self, call_id: UUID, call: LLMCall) -> LLMCall:
        """Replace a reserved row."""
        place = next(n for n, row in enumerate(self.rows) if row.id == call_id and row.outcome == "reserved")
        self.rows[place] = call.model_copy(update={"reserved_usd": self.rows[place].reserved_usd})
        return self.rows[place]

    async def spent(
        self,
        project_id: UUID,  # noqa: ARG002 - there is but one
        *,
        phase: str | None = None,  # noqa: ARG002
        role: str | None = None,  # noqa: ARG002
    ) -> Spending:
        """Return all that was ever reserved."""
        reserved = sum((row.reserved_usd or Decimal(0) for row in self.rows), Decimal(0))
        return Spending(
            known_usd=Decimal(0), unknown_calls=0, unknown_usd=Decimal(0), reserved_usd=reserved, calls=len(self.rows)
        )

    async def of_project(self, project_id: UUID) -> tuple[Budget, ...]:  # noqa: ARG002
        """Return the limit."""
        return (self.budget,) if self.budget else ()
