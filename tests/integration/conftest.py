"""A real PostgreSQL for the whole session, and a scratch database, migrated, for each test that asks."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from storage.address import with_database
from storage.cluster import SUPERUSER
from storage.database import Database
from storage.embedded import EmbeddedPostgres, start_embedded, stop_embedded
from storage.migrate import upgrade

_TEMPLATE = "botarmy_template"


class Server:
    """The session's server: its home, and the addresses of its superuser."""

    def __init__(self, home: Path, embedded: EmbeddedPostgres) -> None:
        self.home = home
        self.embedded = embedded

    def admin(self, database: str = "postgres") -> str:
        """Address of a database for the superuser."""
        password = json.loads((self.home / "postgres.json").read_text())[SUPERUSER]
        folder = quote(str(self.home / "postgres" / "run"), safe="")
        return f"postgresql://{SUPERUSER}:{quote(password, safe='')}@/{database}?host={folder}&port=5432"

    def url(self, database: str) -> str:
        """Address of a database for our role."""
        return with_database(self.embedded.url, database)

    def execute(self, query: SQL, *names: str) -> None:
        with psycopg.connect(self.admin(), autocommit=True) as connection:
            connection.execute(query.format(*(Identifier(name) for name in names)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    # Not pytest's own folder: its path is long, and a socket's path may not be.
    home = Path(tempfile.mkdtemp(prefix="bapg-"))
    try:
        # Durability is tested where it is the matter; elsewhere a test need not wait for the disk.
        embedded = asyncio.run(start_embedded(home, {"fsync": "off", "max_connections": "300"}))
        server = Server(home, embedded)
        server.execute(SQL("CREATE DATABASE {} OWNER botarmy"), _TEMPLATE)
        upgrade(server.url(_TEMPLATE))
        yield server
    finally:
        asyncio.run(stop_embedded(home))
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def empty_url(postgres: Server) -> Iterator[str]:
    """Address of a database without any schema."""
    yield from _scratch(postgres, SQL("CREATE DATABASE {} OWNER botarmy"))


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """Address of a migrated database of this test's own."""
    yield from _scratch(postgres, SQL("CREATE DATABASE {} OWNER botarmy TEMPLATE " + _TEMPLATE))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of this test's own, opened."""
    opened = Database(database_url)
    yield opened
    await opened.close()


def _scratch(postgres: Server, create: SQL) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    postgres.execute(create, name)
    yield postgres.url(name)
    postgres.execute(SQL("DROP DATABASE {} WITH (FORCE)"), name)
