"""Backup and restore: a round trip that a waiting project survives, complete files only, clear refusals."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

import storage.backup
from botarmy.errors import InputError, StorageError
from botarmy.records import GateRequest, Project, Provenance, Status, Verdict
from storage.backup import backup, restore
from storage.database import Database
from storage.migrate import HEAD, current, upgrade


@pytest.fixture
async def waiting(database: Database, project: Project, made_by: Any, verdict: Verdict) -> GateRequest:
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        plan = await work.artifacts.save(project.id, "project_plan", {"t": "漢 é \u2028"}, "# t", made_by())
        return await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {"project_plan": plan.sha256})


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_round_trip_goes_on_with_a_waiting_project(
    database: Database, project: Project, waiting: GateRequest, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "all.backup"
    assert backup(database.url, file) == file.stat().st_size > 1000
    assert names(tmp_path) == ["all.backup"]
    restore(empty_url, file)
    restored = Database(empty_url)
    async with restored.read() as view, database.read() as before:
        assert await view.projects.list() == await before.projects.list()
        assert await view.artifacts.heads(project.id) == await before.artifacts.heads(project.id)
        assert await view.audit.of_project(project.id) == await before.audit.of_project(project.id)
        assert (await view.audit.verify(project.id)).whole
    async with restored.hold(project.id, "the new home") as hold, restored.work(hold) as work:
        decided = await work.gates.decide(waiting.id, "approve", "ada", hashes=waiting.hashes)
        await work.attempts.finish(decided.attempt_id, Status.completed)
        await work.artifacts.save(project.id, "feature_breakdown", {}, "", waiting_provenance(), [])
    assert current(empty_url) == HEAD
    with psycopg.connect(empty_url) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute("DELETE FROM audit_events")  # the guards came along
    await restored.close()


def waiting_provenance() -> Provenance:
    return Provenance(
        phase="Plan",
        attempt=1,
        agent="analyst",
        provider="offline",
        model="scaffold-1",
        template="t",
        template_sha256="",
    )


async def test_restore_into_a_used_database_needs_a_word(
    database: Database, waiting: GateRequest, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "all.backup"
    backup(database.url, file)
    upgrade(empty_url)
    restore(empty_url, file)  # a schema without projects is nothing to lose
    other = Database(empty_url)
    async with other.work() as work:
        await work.projects.create("later", "later", "b", "sdlc")
    with pytest.raises(InputError, match="holds 2 projects"):
        restore(empty_url, file)
    restore(empty_url, file, replace=True)
    async with other.read() as view:
        assert [p.slug for p in await view.projects.list()] == ["library"]
    await other.close()


@pytest.mark.parametrize("damage", ["cut", "one byte", "cut to its start", "unsealed"])
async def test_broken_backup_changes_nothing(
    database: Database, waiting: GateRequest, empty_url: str, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "broken.backup"
    backup(database.url, file)
    content = bytearray(file.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 1
    kept = {"cut": len(content) - 200, "cut to its start": 20, "unsealed": len(content) - 88}.get(damage, len(content))
    file.write_bytes(content[:kept])
    upgrade(empty_url)
    with pytest.raises(InputError, match="cut short or changed"):
        restore(empty_url, file, replace=True)
    other = Database(empty_url)
    async with other.work() as work:
        assert await work.projects.count() == 0
    await other.close()


async def test_backup_of_a_newer_botarmy_changes_nothing(
    database: Database, waiting: GateRequest, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "newer.backup"
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    backup(database.url, file)
    upgrade(empty_url)
    other = Database(empty_url)
    async with other.work() as work:
        await work.projects.create("mine", "mine", "b", "sdlc")
    with pytest.raises(InputError, match="has schema 9999; this BotArmy knows schemas up to") as caught:
        restore(empty_url, file, replace=True)
    assert "newer one" in caught.value.hint
    async with other.read() as view:
        assert [each.slug for each in await view.projects.list()] == ["mine"]
    assert current(empty_url) == HEAD
    await other.close()


def test_backup_of_another_programs_database_is_refused(empty_url: str, database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE TABLE projects (id int)")
    backup(empty_url, tmp_path / "strange.backup")
    with pytest.raises(InputError, match=r"holds no database of BotArmy's\. Nothing was changed"):
        restore(database_url, tmp_path / "strange.backup", replace=True)


async def test_failing_restore_leaves_the_database_as_it_was(
    database: Database, waiting: GateRequest, postgres: Any, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "all.backup"
    backup(database.url, file)
    # Something of a user's own that depends on our tables: --clean cannot drop them, so nothing may happen.
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE VIEW mine AS SELECT name FROM projects")
    with pytest.raises(StorageError, match="psql stopped"):
        restore(database_url, file, replace=True)
    async with database.read() as view:
        assert [p.slug for p in await view.projects.list()] == ["library"]
        assert await view.gates.get(waiting.id) == waiting


def test_failed_backup_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    file.write_text("the last good one")
    with pytest.raises(StorageError, match="pg_dump stopped") as caught:
        backup("postgresql://ada:hunter2@127.0.0.1:1/x", file)
    assert "hunter2" not in caught.value.message
    assert file.read_text() == "the last good one"
    assert [path.name for path in tmp_path.iterdir()] == ["all.backup"]


def test_full_disk_is_told(database_url: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full, pytest.raises(StorageError, match="the disk is full"):
        storage.backup._run("pg_dump", ["--format=custom"], url=database_url, stdout=full)


def test_senseless_files_are_refused(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no backup")
    with pytest.raises(InputError, match="is no backup"):
        restore(database_url, tmp_path / "text")
    with pytest.raises(InputError, match="cannot be read"):
        restore(database_url, tmp_path / "missing")
    with pytest.raises(InputError, match="It is a folder"):
        backup(database_url, tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        backup(database_url, tmp_path / "missing" / "file")


def test_password_is_on_no_command_line(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = subprocess.run

    def watch(command: list[str], **options: Any) -> Any:
        seen.append(command)
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", watch)
    backup(database_url, tmp_path / "f")
    restore(database_url, tmp_path / "f")
    password = urlsplit(database_url).password
    assert password
    assert [Path(command[0]).name for command in seen] == ["pg_dump", "pg_restore", "psql"]
    assert not any(f":{password}" in word for command in seen for word in command)
