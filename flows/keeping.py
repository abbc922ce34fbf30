"""Keeps what a run in this process needs: our Postgres and our Prefect server are started again when they die.

Without it a run would wait in vain, since nobody else looks after them where `botarmy up` does not run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from botarmy.errors import BotArmyError
from botarmy.progress import Progress, Report
from flows.server import PrefectApi, PrefectServer
from storage.embedded import embedded_status, start_embedded

LOOK_S = 1.5
"""Pause between two looks; a service is started when it was missing at two in a row: others may be restarting it."""
LONGEST_PAUSE_S = 30.0


@contextlib.asynccontextmanager
async def kept(home: Path, *, embedded: bool, api: PrefectApi, prefect_url: str, report: Report) -> AsyncIterator[None]:
    """Look after the services of this home while the body runs.

    Args:
        home: BOTARMY_HOME.
        embedded: whether Postgres is the embedded one.
        api: the Prefect API in use; only our own server is looked after.
        prefect_url: of the database `prefect`, as for PrefectServer.use.
        report: told what was started again, and what could not be.
    """

    async def start_server() -> None:
        port = int(api.url.rsplit(":", 1)[1].split("/")[0])
        await asyncio.to_thread(PrefectServer(home).restart, prefect_url, port)

    async def start_postgres() -> None:
        await start_embedded(home)

    watches: list[asyncio.Task[None]] = []
    if embedded:
        watches.append(
            asyncio.create_task(
                _watch("Postgres", lambda: embedded_status(home).pid is not None, start_postgres, report)
            )
        )
    if api.ours:
        watches.append(
            asyncio.create_task(
                _watch("the Prefect server", lambda: PrefectServer(home).running() is not None, start_server, report)
            )
        )
    try:
        yield
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


async def _watch(name: str, lives: Callable[[], bool], start: Callable[[], Awaitable[None]], report: Report) -> None:
    missing, pause = 0, LOOK_S
    while True:
        await asyncio.sleep(pause)
        missing = 0 if await asyncio.to_thread(lives) else missing + 1
        if missing < 2:  # noqa: PLR2004 (see LOOK_S)
            continue
        try:
            await start()
        except BotArmyError as error:
            pause = min(pause * 2, LONGEST_PAUSE_S)
            report(Progress(step="failed", text=f"{name} ended and does not start: {error.message} Trying again."))
        else:
            missing, pause = 0, LOOK_S
            report(Progress(step="restarted", text=f"{name} had ended"))
