"""A real PostgreSQL for the whole session, and a scratch database, migrated, for each test that asks."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from storage.address import socket_url, with_database
from storage.cluster import SUPERUSER, Cluster
from storage.database import Database
from storage.embedded import start_embedded, stop_embedded
from storage.migrate import upgrade

_TEMPLATE = "botarmy_template"


class Server:
    """The session's server: the addresses of its superuser and of our role."""

    def __init__(self, admin_url: str, role_url: str) -> None:
        self._admin_url = admin_url
        self._role_url = role_url

    def admin(self, database: str = "postgres") -> str:
        """Address of a database for the superuser."""
        return with_database(self._admin_url, database)

    def url(self, database: str) -> str:
        """Address of a database for our role."""
        return with_database(self._role_url, database)

    def execute(self, query: SQL, *names: str) -> None:
        with psycopg.connect(self.admin(), autocommit=True) as connection:
            connection.execute(query.format(*(Identifier(name) for name in names)))

    @cached_property
    def strategy(self) -> str:
        """How a database is copied: as files, cheaper than through the log where no disk is waited for; PostgreSQL 15 on."""
        with psycopg.connect(self.admin()) as connection:
            return "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """An embedded server; or the one whose superuser's address BOTARMY_TEST_POSTGRES is, to try another version."""
    other = os.environ.get("BOTARMY_TEST_POSTGRES")
    if other:
        yield _prepared(_other_server(other))
        return
    # Not pytest's own folder: its path is long, and a socket's path may not be.
    home = Path(tempfile.mkdtemp(prefix="bapg-"))
    try:
        # Durability is tested where it is the matter; elsewhere a test need not wait for the disk.
        embedded = asyncio.run(start_embedded(home, {"fsync": "off", "max_connections": "300"}))
        known = json.loads((home / "postgres.json").read_text())
        folder = str(Cluster(home).sockets)
        yield _prepared(Server(socket_url(SUPERUSER, known[SUPERUSER], "postgres", folder), embedded.url))
    finally:
        asyncio.run(stop_embedded(home))
        shutil.rmtree(home, ignore_errors=True)


def _other_server(admin_url: str) -> Server:
    parts = urlsplit(admin_url)
    server = Server(admin_url, parts._replace(netloc=f"botarmy:test@{parts.netloc.rpartition('@')[2]}").geturl())
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'botarmy'").fetchone():
            connection.execute("CREATE ROLE botarmy LOGIN PASSWORD 'test'")
    return server


def _prepared(server: Server) -> Server:
    server.execute(SQL("DROP DATABASE IF EXISTS {}"), _TEMPLATE)
    server.execute(SQL("CREATE DATABASE {} OWNER botarmy"), _TEMPLATE)
    upgrade(server.url(_TEMPLATE))
    return server


@pytest.fixture
def empty_url(postgres: Server) -> Iterator[str]:
    """Address of a database without any schema."""
    yield from _scratch(postgres, SQL("CREATE DATABASE {} OWNER botarmy"))


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """Address of a migrated database of this test's own."""
    yield from _scratch(postgres, SQL(f"CREATE DATABASE {{}} OWNER botarmy TEMPLATE {_TEMPLATE} {postgres.strategy}"))


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
