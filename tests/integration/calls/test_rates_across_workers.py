"""Rate limits hold across workers: several databases' clients book on one schedule."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from botarmy.rate_limit import RateLimit
from storage.database import Database

LIMIT = RateLimit(requests=60, tokens=60_000)


async def book(database: Database, tokens: int = 100, longest: float = 1000.0) -> float | None:
    async with database.work() as work:
        return await work.rates.book("openai", "gpt", LIMIT, tokens=tokens, longest_wait_s=longest)


async def test_sixty_calls_of_six_workers_take_their_minute(database_url: str) -> None:
    workers = [Database(database_url) for _ in range(6)]
    try:
        began = time.monotonic()
        found = await asyncio.gather(*(book(workers[n % 6]) for n in range(60)))
        took = time.monotonic() - began  # by so much the last ones have to wait less
        waits = sorted(wait for wait in found if wait is not None)
        assert len(waits) == 60
        assert waits[5] < 1.0  # a tenth may come at once
        assert 55 - took < waits[-1] < 60
        assert all(later - former < 2 for former, later in pairwise(waits))
    finally:
        for worker in workers:
            await worker.close()


async def test_what_cannot_begin_in_time_is_not_booked(database: Database) -> None:
    first = await book(database, tokens=60_000)
    refused = [await book(database, longest=10) for _ in range(3)]
    later = await book(database)
    assert first == 0
    assert refused == [None, None, None]
    assert later is not None
    assert 50 < later < 70


async def test_tokens_are_put_right(database: Database) -> None:
    await book(database, tokens=60_000)
    async with database.work() as work:
        await work.rates.correct("openai", "gpt", LIMIT, booked_tokens=60_000, used_tokens=100)
    assert await book(database) == 0
