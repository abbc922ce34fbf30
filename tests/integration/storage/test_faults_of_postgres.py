"""What can go wrong with Postgres: each fault is an error of ours that says what happened, and nothing is half-written."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from botarmy.errors import Duplicate, InputError, SettingsError, StorageError, Unavailable
from botarmy.records import Project, Status
from storage.database import Database
from storage.embedded import embedded_status, start_embedded, stop_embedded
from storage.migrate import upgrade
from storage.options import Options


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def wait_until_down(home: Path) -> None:
    while embedded_status(home).pid is not None:
        time.sleep(0.05)


async def test_connection_lost_inside_a_transaction(database: Database, project: Project) -> None:
    with pytest.raises(Unavailable) as caught:
        async with database.work() as work:
            await work.projects.set_status(project.id, Status.failed)
            end_sessions(database.url)
            await work.attempts.open(project.id, "Discovery", "analyst")
    assert caught.value.retryable
    async with database.work() as work:  # the pool has noticed: the next unit gets a fresh connection
        assert (await work.projects.get(project.id)).status is Status.pending
        assert await work.attempts.list(project.id) == ()


async def test_connection_lost_at_the_commit_says_that_it_is_not_known(database: Database, project: Project) -> None:
    with pytest.raises(Unavailable, match="not known"):
        async with database.work() as work:
            # Deferred to the commit itself, so that it is the commit that finds the connection gone.
            await work.projects._rows("SELECT 1 FROM projects WHERE id = :id", id=project.id)
            end_sessions(database.url)


async def test_pooled_connections_survive_a_restart(database: Database, project: Project) -> None:
    async with database.work() as work:
        await work.projects.list()
    end_sessions(database.url)
    async with database.work() as work:
        assert await work.projects.list() == (project,)


async def test_exhausted_pool_names_the_setting(database_url: str) -> None:
    database = Database(database_url, Options(pool_size=2, pool_wait_s=0.2))
    async with database.work(), database.work():
        with pytest.raises(Unavailable, match="Every connection of this process") as caught:
            async with database.work():
                pass
    assert "BOTARMY_DB_POOL_SIZE" in caught.value.hint
    async with database.work() as work:  # and free again
        assert await work.projects.count() == 0
    await database.close()


async def test_server_without_free_connections_names_both_settings(postgres: Any, database_url: str) -> None:
    name = urlsplit(database_url).path[1:]
    with psycopg.connect(postgres.admin(), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    database = Database(database_url, Options(connect_wait_s=0.3))
    async with database.work():
        with pytest.raises(Unavailable, match="cannot be reached: Postgres takes no more connections") as caught:
            async with database.read():
                pass
    assert "BOTARMY_DB_POOL_SIZE" in caught.value.hint
    assert "max_connections" in caught.value.hint
    await database.close()


@pytest.mark.parametrize("door", ["work", "read", "ready", "hold"])
async def test_unreachable_server_is_unavailable_after_some_tries(door: str, project: Project) -> None:
    database = Database("postgresql://ada:hunter2@127.0.0.1:1/botarmy", Options(connect_wait_s=0.5))
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(Unavailable) as caught:
        if door == "ready":
            await database.ready()
        else:
            async with database.hold(project.id, "x") if door == "hold" else getattr(database, door)():
                pass
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {database!r}"
    assert loop.time() - began < 5
    if door in {"work", "read", "ready"}:
        assert caught.value.message.startswith("postgresql://127.0.0.1:1/botarmy cannot be reached")


async def test_server_that_comes_late_is_waited_for(home: Path) -> None:
    server = await start_embedded(home, {"fsync": "off"})
    upgrade(server.url)
    await stop_embedded(home)
    database = Database(server.url, Options(connect_wait_s=20))

    async def come_late() -> None:
        await asyncio.sleep(0.7)
        await start_embedded(home, {"fsync": "off"})

    late = asyncio.create_task(come_late())
    try:
        async with database.work() as work:
            assert await work.projects.count() == 0
    finally:
        await late
        await database.close()
        await stop_embedded(home)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_server_restarted_under_us_loses_nothing_committed(home: Path, how: signal.Signals) -> None:
    server = await start_embedded(home, {"fsync": "off"})
    upgrade(server.url)
    database = Database(server.url, Options(connect_wait_s=20))
    async with database.work() as work:
        project = await work.projects.create("n", "kept", "b", "sdlc")
    try:
        pid = embedded_status(home).pid
        assert pid is not None
        with pytest.raises(Unavailable):
            async with database.work() as work:
                await work.projects.set_status(project.id, Status.failed)
                os.kill(pid, how)
                await asyncio.to_thread(wait_until_down, home)
                await start_embedded(home, {"fsync": "off"})
                await work.projects.list()
        async with database.work() as work:
            assert (await work.projects.get("kept")).status is Status.pending
        async with database.read() as view:
            assert (await view.audit.verify(project.id)).whole
    finally:
        await database.close()
        await stop_embedded(home)


async def test_unique_conflict_is_a_duplicate(database: Database, project: Project) -> None:
    with pytest.raises(Duplicate, match="uq_projects_slug") as caught:
        async with database.work() as work:
            await work.projects._rows("UPDATE projects SET slug = 'x' WHERE id = :id RETURNING id", id=project.id)
            other = await work.projects.create("n", "y", "b", "sdlc")
            await work.projects._rows("UPDATE projects SET slug = 'x' WHERE id = :id RETURNING id", id=other.id)
    assert caught.value.hint


async def test_word_that_the_schema_does_not_know_is_refused(database: Database, project: Project) -> None:
    with pytest.raises(InputError, match="ck_projects_status"):
        async with database.work() as work:
            await work.projects._rows("UPDATE projects SET status = 'odd' WHERE id = :id RETURNING id", id=project.id)


async def test_row_held_by_another_for_too_long(database_url: str, project: Project) -> None:
    database = Database(database_url, Options(lock_wait_s=0.3))
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM projects FOR UPDATE")
        with pytest.raises(Unavailable, match="held the row for too long"):
            async with database.work() as work:
                await work.projects.set_status(project.id, Status.failed)
    await database.close()


async def test_idle_transaction_of_a_stopped_process_blocks_nobody(database_url: str, project: Project) -> None:
    stopped = Database(database_url, Options(idle_limit_s=0.5))
    active = Database(database_url)
    with pytest.raises(Unavailable):
        async with stopped.work() as slow:
            await slow.projects.set_status(project.id, Status.failed)
            async with active.work() as work:  # waits for the row until Postgres has ended the other's session
                await work.projects.set_status(project.id, Status.running)
            await slow.projects.list()
    async with active.read() as view:
        assert (await view.projects.get(project.id)).status is Status.running
    await stopped.close()
    await active.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("botarmy:", "nobody-known:"), r"password|login|no such database or role"),
        (("/test_", "/no_such_"), "no such database"),
    ],
)
async def test_wrong_address_is_told_at_once(database_url: str, change: tuple[str, str], said: str) -> None:
    database = Database(database_url.replace(*change), Options(connect_wait_s=30))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for door in (database.work, database.read):
        with pytest.raises(StorageError, match=said) as caught:
            async with door():
                pass
        assert not isinstance(caught.value, Unavailable)
        assert "DATABASE_URL" in caught.value.hint
    assert loop.time() - began < 5
    await database.close()


@pytest.mark.parametrize(
    "url", ["", "mysql://a/b", "postgresql://host", "postgresql://host:port/x", "sqlite:///x", "botarmy"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
async def test_every_spelling_of_the_scheme_works(database_url: str, scheme: str) -> None:
    database = Database(database_url.replace("postgresql://", f"{scheme}://"))
    await database.ready()
    async with database.work() as work:
        assert await work.projects.count() == 0
    await database.close()


async def test_error_of_the_callers_own_passes_unchanged(database: Database) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with database.work():
            raise KeyError("mine")


async def test_cancelled_unit_of_work_gives_its_connection_back(database_url: str, project: Project) -> None:
    database = Database(database_url, Options(pool_size=1, pool_wait_s=2))

    async def long_work() -> None:
        async with database.work() as work:
            await work.projects.set_status(project.id, Status.failed)
            await work.projects._rows("SELECT pg_sleep(30)")

    task = asyncio.create_task(long_work())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.work() as work:
        assert (await work.projects.get(project.id)).status is Status.pending
    await database.close()


def test_one_database_serves_several_event_loops(database_url: str) -> None:
    database = Database(database_url)

    async def count() -> int:
        async with database.work() as work:
            return await work.projects.count()

    assert [asyncio.run(count()) for _ in range(3)] == [0, 0, 0]
    asyncio.run(database.close())
