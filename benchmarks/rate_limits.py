"""Where rate limits are kept: booking in Postgres against Prefect's rate_limit, on this machine.

    python benchmarks/rate_limits.py [--bookings 200] [--workers 8]

Both book one call of a limit that never makes anyone wait, so that only the booking itself is measured: workers at
once, milliseconds for each. Prefect's server runs on the same PostgreSQL, as it does under `botarmy up`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.asyncio import rate_limit
from prefect.settings import PREFECT_API_URL, temporary_settings

from botarmy.rate_limit import RateLimit
from storage.database import Database
from storage.embedded import start_embedded, stop_embedded
from storage.migrate import upgrade

AMPLE = RateLimit(requests=10_000_000, tokens=1_000_000_000)


async def measure(book: Callable[[], Awaitable[object]], bookings: int, workers: int) -> list[float]:
    """Return the milliseconds of each booking."""
    times: list[float] = []

    async def work() -> None:
        for _ in range(bookings // workers):
            started = time.perf_counter()
            await book()
            times.append((time.perf_counter() - started) * 1000)

    await book()
    await asyncio.gather(*(work() for _ in range(workers)))
    return times


def tell(name: str, times: list[float]) -> None:
    """Print a line."""
    print(f"{name:10} median {statistics.median(times):6.1f} ms  p95 {statistics.quantiles(times, n=20)[-1]:6.1f} ms")


async def in_postgres(url: str, bookings: int, workers: int) -> list[float]:
    """Book by our store."""
    database = Database(url)

    async def book() -> None:
        async with database.work() as work:
            await work.rates.book("openai", "m", AMPLE, tokens=10_000, longest_wait_s=1)

    times = await measure(book, bookings, workers)
    await database.close()
    return times


async def in_prefect(bookings: int, workers: int) -> list[float]:
    """Book by Prefect: one limit for requests, one for tokens, as two limits need."""
    async with get_client() as client:
        for name in ("requests", "tokens"):
            limit = GlobalConcurrencyLimitCreate(name=name, limit=10_000_000, slot_decay_per_second=1_000_000)
            await client.create_global_concurrency_limit(limit)

    async def book() -> None:
        await rate_limit("requests")
        await rate_limit("tokens", occupy=10_000)

    return await measure(book, bookings, workers)


@contextmanager
def prefect_server(database_url: str, home: str) -> Iterator[str]:
    """Run a Prefect server on a free port of loopback; yield the address of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PREFECT_HOME": home,
        "PREFECT_API_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    # Our own interpreter and fixed words.
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        for _ in range(240):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/api"
    finally:
        server.terminate()
        server.wait(30)


async def compare(home: str, bookings: int, workers: int) -> None:
    """Measure both on one PostgreSQL."""
    server = await start_embedded(Path(home))
    try:
        await asyncio.to_thread(upgrade, server.url)
        tell("Postgres", await in_postgres(server.url, bookings, workers))
        with (
            prefect_server(server.prefect_url, home) as api,
            temporary_settings(updates={PREFECT_API_URL: api}),
        ):
            tell("Prefect", await in_prefect(bookings, workers))
    finally:
        await stop_embedded(Path(home))


def main() -> None:
    """Read the command line and measure both."""
    parser = argparse.ArgumentParser(description="Where rate limits are kept.")
    parser.add_argument("--bookings", type=int, default=200)
    parser.add_argument("--workers", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bap-") as home:
        asyncio.run(compare(home, options.bookings, options.workers))


if __name__ == "__main__":
    main()
