"""One live run per project: the lock dies with its holder, and a run that lost it writes nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from botarmy.errors import Fenced, Held, UnknownName
from botarmy.records import Project, Status
from storage.database import Database
from storage.hold import Hold
from storage.options import Options

ROOT = Path(__file__).parents[3]
HOLDER = """
import asyncio, sys
from uuid import UUID
from storage.database import Database
from storage.options import Options
from botarmy.errors import Fenced
from botarmy.records import Status

async def main():
    database = Database(sys.argv[1], Options(hold_limit_s=float(sys.argv[3])))
    async with database.hold(UUID(sys.argv[2]), "the child") as hold:
        print("held", hold.fence, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            async with database.work(hold) as work:
                await work.projects.set_status(hold.project_id, Status.failed)
            print("wrote", flush=True)
        except Fenced as error:
            print("fenced", error.message, flush=True)

asyncio.run(main())
"""


def child(url: str, project: Project, limit_s: float = 60.0) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, str(project.id), str(limit_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline().startswith("held")
    return started


def sessions(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'botarmy hold' AND datname = current_database()"
        ).fetchall()
    return [row[0] for row in rows]


def locked(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchone()
    return bool(row and row[0])


async def until(look: Callable[[], bool], patience_s: float = 20) -> None:
    """Wait until it is so; a loaded machine may take its time."""
    deadline = time.monotonic() + patience_s
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


async def take_when_free(database: Database, project: Project, patience_s: float) -> Hold:
    """Take and keep the lock as soon as it is free (the hold is dropped by the caller's loop at the end)."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_s
    while True:
        try:
            async with database.hold(project.id, "the successor") as hold:
                return hold
        except Held:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(0.05)


async def test_second_run_is_told_who_holds(database: Database, project: Project) -> None:
    async with database.hold(project.id, "flow run brave-otter") as hold:
        assert hold.fence == 1
        with pytest.raises(Held, match=r"Project library is held by flow run brave-otter since 20\d\d-"):
            async with database.hold(project.id, "another"):
                pass
    async with database.hold(project.id, "another") as hold:
        assert hold.fence == 2


async def test_of_many_at_once_one_gets_it(database: Database, project: Project) -> None:
    taken = asyncio.Event()

    async def try_it(number: int) -> bool:
        try:
            async with database.hold(project.id, f"run {number}"):
                await taken.wait()
                return True
        except Held:
            return False

    tasks = [asyncio.create_task(try_it(number)) for number in range(12)]
    await asyncio.wait(tasks, return_when=asyncio.ALL_COMPLETED, timeout=2)
    taken.set()
    assert sum(await asyncio.gather(*tasks)) == 1
    async with database.work() as work:
        rows = await work.projects._rows("SELECT fence FROM projects WHERE id = :id", id=project.id)
    assert rows[0].fence == 1


async def test_other_projects_are_free(database: Database, project: Project) -> None:
    async with database.work() as work:
        other = await work.projects.create("o", "other", "b", "sdlc")
    async with database.hold(project.id, "a"), database.hold(other.id, "b") as second:
        assert second.fence == 1


async def test_unknown_project_cannot_be_held(database: Database) -> None:
    with pytest.raises(UnknownName):
        async with database.hold(uuid4(), "a"):
            pass
    await until(lambda: sessions(database.url) == [])


async def test_writes_with_the_current_hold_commit(database: Database, project: Project) -> None:
    async with database.hold(project.id, "a") as hold, database.work(hold) as work:
        await work.projects.set_status(project.id, Status.running)
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.running


async def test_old_hold_writes_nothing(database: Database, project: Project) -> None:
    async with database.hold(project.id, "first") as old:
        pass
    async with database.hold(project.id, "second"):
        with pytest.raises(Fenced, match=r"second has taken it over\. Nothing was written"):
            async with database.work(old) as work:
                await work.projects.set_status(project.id, Status.failed)
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.pending


async def test_nobody_takes_over_between_check_and_commit(database: Database, project: Project) -> None:
    """The successor's fence waits for the commit of a write that was allowed to begin."""
    order: list[str] = []
    async with database.hold(project.id, "first") as first:
        with psycopg.connect(database.url, autocommit=True) as admin:
            async with database.work(first) as work:
                await work.projects.set_status(project.id, Status.running)
                admin.execute("SELECT pg_terminate_backend(%s)", (sessions(database.url)[0],))

                async def succeed() -> None:
                    await take_when_free(database, project, 30)
                    order.append("taken over")

                successor = asyncio.create_task(succeed())
                await asyncio.sleep(0.5)
                order.append("committed")
            await successor
    assert order == ["committed", "taken over"]
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.running


async def test_killed_holder_frees_the_lock_at_once(database: Database, project: Project) -> None:
    holder = child(database.url, project)
    with pytest.raises(Held, match="the child"):
        async with database.hold(project.id, "b"):
            pass
    holder.kill()
    holder.wait()
    assert (await take_when_free(database, project, 30)).fence == 2
    assert holder.stdout is not None
    holder.stdout.close()


async def test_stopped_holder_loses_the_project_and_cannot_write(database: Database, project: Project) -> None:
    holder = child(database.url, project, limit_s=2.0)
    await asyncio.sleep(3)  # alive, it keeps the lock beyond the limit
    with pytest.raises(Held):
        async with database.hold(project.id, "b"):
            pass
    holder.send_signal(signal.SIGSTOP)
    assert (await take_when_free(database, project, 30)).fence == 2
    holder.send_signal(signal.SIGCONT)
    said, _ = holder.communicate("write now\n", timeout=20)
    assert said.startswith("fenced This run no longer holds project library")
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.pending


async def test_lost_connection_is_taken_again_while_nobody_else_came(database_url: str, project: Project) -> None:
    database = Database(database_url, Options(hold_limit_s=1.2))
    async with database.hold(project.id, "a") as hold:
        before = sessions(database_url)
        with psycopg.connect(database_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", before)
        await until(lambda: sessions(database_url) not in ([], before) and locked(database_url))
        assert not hold.lost
        with pytest.raises(Held):
            async with database.hold(project.id, "b"):
                pass
        async with database.work(hold) as work:
            await work.projects.set_status(project.id, Status.running)
    await until(lambda: sessions(database_url) == [])
    await database.close()


async def test_lost_connection_and_a_successor_is_a_lost_hold(database_url: str, project: Project) -> None:
    database = Database(database_url, Options(hold_limit_s=3))
    async with database.hold(project.id, "a") as hold:
        with psycopg.connect(database_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", sessions(database_url))
        async with database.hold(project.id, "b"):
            await until(lambda: hold.lost)
            with pytest.raises(Fenced, match="b has taken it over"):
                async with database.work(hold):
                    pass
    await database.close()


async def test_a_hold_that_was_given_back_is_free_at_once(database: Database, project: Project) -> None:
    for number in range(50):
        async with database.hold(project.id, f"run {number}"):
            pass
        assert not await database.is_held(project.id)
