"""From settings to an open database: the user's own server, or the embedded one, with the schema at its newest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.database import Database
from storage.options import Options, options_of

if TYPE_CHECKING:
    from botarmy.settings import Settings


@dataclass(frozen=True)
class Opened:
    """An open database and where it is.

    Attributes:
        database: use it, and close it at the end.
        prefect_url: the database for our Prefect server, in its form; None with a DATABASE_URL, since Prefect's
            database is then configured separately.
        started_here: whether the embedded server was started by this call.
    """

    database: Database
    prefect_url: str | None
    started_here: bool


async def open_database(
    database_url: str | None, home: Path, *, options: Options | None = None, migrate: bool = False
) -> Opened:
    """Return the database of DATABASE_URL, or of the embedded server under `home`, started where it is not up.

    Args:
        database_url: DATABASE_URL; None or "" for the embedded server.
        home: BOTARMY_HOME.
        options: limits and waits.
        migrate: whether to bring the schema to its newest; costs one query where it is there already.

    Raises:
        SettingsError: the address is none of PostgreSQL's.
        StorageError: the server or the schema cannot be used; Unavailable where it does not answer.
    """
    if database_url:
        opened = Opened(Database(database_url, options), prefect_url=None, started_here=False)
        if migrate:
            await opened.database.ready()
    else:
        from storage.embedded import start_embedded

        server = await start_embedded(home)
        opened = Opened(Database(server.url, options), server.prefect_url, server.started_here)
    if migrate:
        from storage.migrate import upgrade

        await asyncio.to_thread(upgrade, opened.database.url)
    return opened


async def open_with_settings(settings: Settings, *, migrate: bool = False) -> Opened:
    """Return the database that the settings name, with their limits; see `open_database`."""
    url = settings.database_url.get_secret_value() if settings.database_url is not None else None
    return await open_database(url, settings.botarmy_home, options=options_of(settings), migrate=migrate)
