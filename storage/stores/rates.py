"""The schedule of provider calls that all workers share: one row per provider and model, by Postgres's clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from botarmy.rate_limit import Booking, RateLimit, booked, set_back, share_s, wait_s
from storage.tables import ProviderRates
from storage.transaction import Transaction


class RateStore:
    """Writes `provider_rates`. Use it in a unit of work of its own: the row is locked until that ends."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def book(
        self, provider: str, model: str, limit: RateLimit, *, tokens: int, longest_wait_s: float
    ) -> float | None:
        """Book a call and return the seconds to wait before it begins; None, and nothing booked, if that is too long.

        Args:
            provider: the provider's name.
            model: the model's name.
            limit: its limits a minute.
            tokens: what the call will use, as estimated.
            longest_wait_s: the longest wait that is of any use.
        """
        key = {"provider": provider, "model": model}
        await self._tx.run(upsert(ProviderRates).values(**key).on_conflict_do_nothing())
        row = await self._locked(provider, model)
        booking = Booking(requests_until=row.requests_until, tokens_until=row.tokens_until)
        booking = set_back(booking, row.written_at - row.now)
        wait = wait_s(limit, booking, row.now)
        if wait > longest_wait_s:
            return None
        await self._write(provider, model, booked(limit, booking, row.now, tokens), row.now)
        return wait

    async def correct(
        self, provider: str, model: str, limit: RateLimit, *, booked_tokens: int, used_tokens: int
    ) -> None:
        """Put the booked tokens right when the call has ended."""
        if limit.tokens is None or booked_tokens == used_tokens:
            return
        row = await self._locked(provider, model)
        excess = share_s(limit.tokens, booked_tokens - used_tokens)
        await self._write(
            provider,
            model,
            Booking(requests_until=row.requests_until, tokens_until=row.tokens_until - excess),
            row.written_at,
        )

    async def _locked(self, provider: str, model: str) -> Any:
        columns = (ProviderRates.requests_until, ProviderRates.tokens_until, ProviderRates.written_at)
        chosen = (ProviderRates.provider == provider, ProviderRates.model == model)
        # The clock is read after the lock was had: a transaction's own time would be that of its beginning.
        await self._tx.run(select(*columns).where(*chosen).with_for_update())
        now = func.extract("epoch", func.clock_timestamp()).cast(ProviderRates.requests_until.type).label("now")
        return await self._tx.one(select(*columns, now).where(*chosen))

    async def _write(self, provider: str, model: str, booking: Booking, written_at: float) -> None:
        chosen = (ProviderRates.provider == provider, ProviderRates.model == model)
        await self._tx.run(update(ProviderRates).where(*chosen).values(**booking.model_dump(), written_at=written_at))
